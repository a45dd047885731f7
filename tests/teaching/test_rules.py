from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebra.teaching.rules import Late, Rules, moment, spoken, written

DUE = "2026-12-11 23:59 Europe/Berlin"  # 22:59 in UTC


def after(**time: float) -> datetime:
    return datetime(2026, 12, 11, 22, 59, tzinfo=UTC) + timedelta(**time)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        (DUE, "2026-12-11T22:59+00:00"),
        ("2026-07-11T23:59 Europe/Berlin", "2026-07-11T21:59+00:00"),
        ("2026-12-11T23:59+01:00[Europe/Berlin]", "2026-12-11T22:59+00:00"),
        ("2026-12-11 23:59 +05:30", "2026-12-11T18:29+00:00"),
        ("2026-12-11T22:59Z", "2026-12-11T22:59+00:00"),
        ("2026-12-11 22:59 UTC", "2026-12-11T22:59+00:00"),
        (datetime(2026, 12, 11, 22, 59, tzinfo=UTC), "2026-12-11T22:59+00:00"),
    ],
)
def test_a_time_with_a_zone_is_the_moment_it_names(text: Any, utc: str) -> None:
    assert moment(text) == datetime.fromisoformat(utc)
    assert moment(written(moment(text))) == moment(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-11 23:59", "states no zone.*write 2026-12-11 23:59 Europe/Berlin"),
        (datetime(2026, 12, 11, 23, 59), "states no zone"),
        ("2026-12-11", "is no time with a zone; write it as"),
        (7, "7 is no time with a zone"),
        ("2026-02-30 10:00 UTC", "is no day and time of the calendar"),
        ("2026-12-11 23:59 Europe/Berlon", "there is no zone Europe/Berlon; write one such as"),
        ("2026-12-11 23:59 Europe", "there is no zone Europe"),
        ("2026-12-11 23:59 +99:00", "is no offset from UTC"),
        # Berlin's clocks go from 02:00 to 03:00 on 29 March, and from 03:00 to 02:00 on 25 October 2026.
        ("2026-03-29 02:30 Europe/Berlin", "does not exist in Europe/Berlin"),
        ("2026-10-25 02:30 Europe/Berlin", "comes twice in Europe/Berlin"),
        ("2026-12-11T23:59+05:00[Europe/Berlin]", r"is not at \+05:00 then"),
    ],
)
def test_what_is_no_moment_is_refused_with_the_mend(text: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        moment(text)


def test_a_moment_is_shown_in_its_own_zone() -> None:
    assert spoken(moment(DUE)) == "Friday 11 December 2026, 23:59 (Europe/Berlin)"
    assert spoken(moment("2026-12-11 23:59 +05:30")) == "Friday 11 December 2026, 23:59 (UTC+05:30)"


@pytest.mark.parametrize(
    ("late", "handed_in", "days", "factor"),
    [
        ("refuse", after(days=-3), 0, 1),
        ("refuse", after(seconds=59), 0, 1),  # a file states the minute, and 23:59 is still in time
        ("refuse", after(minutes=1), 1, None),
        ("accept", after(days=40), 40, 1),
        ({"percent_per_day": 10, "most_days": 3}, after(minutes=1), 1, 0.9),
        ({"percent_per_day": 10, "most_days": 3}, after(days=1), 1, 0.9),
        ({"percent_per_day": 10, "most_days": 3}, after(days=1, minutes=1), 2, 0.8),
        ({"percent_per_day": 10, "most_days": 3}, after(days=3), 3, 0.7),
        ({"percent_per_day": 10, "most_days": 3}, after(days=3, minutes=1), 4, None),
        ({"percent_per_day": 40}, after(days=9), 9, 0),
    ],
)
def test_lateness_by_hand(late: Any, handed_in: datetime, days: int, factor: float | None) -> None:
    found = Rules.of({"due": DUE, "late": late}).lateness(handed_in)
    assert found.days == days
    assert found.factor == (None if factor is None else pytest.approx(factor))


@given(st.integers(-(10**6), 10**6), st.floats(0.1, 100), st.none() | st.integers(1, 366))
def test_a_later_hand_in_never_earns_more(minutes: int, percent: float, most: int | None) -> None:
    rules = Rules.of({"due": DUE, "late": {"percent_per_day": percent, "most_days": most}})
    earlier, later = rules.lateness(after(minutes=minutes)), rules.lateness(after(minutes=minutes + 1))
    assert later.days >= earlier.days
    assert (later.factor or 0) <= (earlier.factor or 0) <= 1
    assert earlier.days > 0 or earlier.factor == 1


def test_a_quiz_without_a_due_time_is_never_late_and_opens_when_it_says() -> None:
    assert Rules().lateness(after(days=999)) == (0, 1.0)
    assert not Rules().is_early(after())
    rules = Rules.of({"opens": DUE})
    assert rules.is_early(after(minutes=-1)) and not rules.is_early(after())
    for ask in (rules.lateness, rules.is_early):
        with pytest.raises(ValueError, match="states no zone"):
            ask(datetime(2026, 12, 11, 22, 59))


@pytest.mark.parametrize("late", ["accept", "refuse", {"percent_per_day": 5}, {"percent_per_day": 5, "most_days": 2}])
def test_rules_come_back_from_their_record(late: Any) -> None:
    rules = Rules.of({"opens": "2026-12-01T08:00Z", "due": DUE, "late": late, "attempts": 3, "counts": "best"})
    assert Rules.of(rules.record()) == rules
    assert rules.late.record() == late


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"late": "never"}, "late: is 'never', must be accept, refuse, or"),
        ({"late": {"percent_per_day": 0}}, "the percent above 0"),
        ({"late": {"percent_per_day": 10, "most_days": 1.5}}, "days 1 to 366"),
        ({"late": {"percent_per_day": 10, "days": 1}}, "must be accept, refuse, or"),
        ({"attempts": 0}, "attempts: is 0, must be a whole number, 1 to 100"),
        ({"attempts": True}, "attempts: is True"),
        ({"counts": "first"}, "counts: is 'first', must be last or best"),
        ({"feedback": "soon"}, "feedback: is 'soon', must be never, after_due or at_once"),
        ({"pass_mark": 101}, "pass_mark: is 101, must be a percentage"),
        ({"colour": 1}, "colour: there is no such rule"),
    ],
)
def test_a_rule_that_cannot_be_is_named(record: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Rules.of(record)


def test_students_read_the_rules_in_words() -> None:
    said = Rules.of(
        {
            "opens": "2026-12-01 08:00 Europe/Berlin",
            "due": DUE,
            "late": {"percent_per_day": 10, "most_days": 1},
            "attempts": 2,
            "counts": "best",
            "feedback": "never",
            "pass_mark": 60,
        }
    ).in_words()
    assert said == (
        "Opens Tuesday 1 December 2026, 08:00 (Europe/Berlin).",
        "Due Friday 11 December 2026, 23:59 (Europe/Berlin). Each day begun after that costs 10 % of the points "
        "earned; after 1 day a hand-in no longer counts.",
        "You may hand in up to 2 times; the one with the most points counts.",
        "You pass with 60 % of the points.",
        "You get your marks without the answers.",
    )
    assert Late("refuse").in_words() == "Later hand-ins do not count."
