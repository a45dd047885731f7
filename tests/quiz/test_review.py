"""Spaced repetition in simulated time, and a file of readings that loses nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating

from vertebra.measure.reading import Finding, Reading
from vertebra.quiz import review
from vertebra.quiz.review import Entry, ReviewError, ReviewFile, dumps, loads

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FRACTURE = Finding("L1", True, "wedge", 2, 0.3)
NORMAL = Finding("", False)


def entry(seed=7, after=timedelta(0), said=FRACTURE, certainty=3):
    return Entry(seed, START + after, Reading(FRACTURE, said, certainty))


@pytest.mark.parametrize(
    ("said", "certainty", "expected"),
    [
        (FRACTURE, 3, Rating.Easy),
        (FRACTURE, 2, Rating.Good),
        (FRACTURE, 1, Rating.Hard),
        (Finding("L1", True, "wedge", 3, 0.45), 3, Rating.Hard),
        (Finding("L1", True, "crush", 2, 0.3), 3, Rating.Hard),
        (Finding("T12", True, "wedge", 2, 0.3), 3, Rating.Again),
        (NORMAL, 1, Rating.Again),
        (NORMAL, 3, Rating.Again),
    ],
)
def test_the_rating_follows_from_correctness_and_certainty(said, certainty, expected):
    assert review.rating(Reading(FRACTURE, said, certainty)) is expected


def test_a_missed_film_returns_in_this_sitting_and_a_known_one_after_days():
    missed, known = entry(1, said=NORMAL), entry(2, certainty=3)
    assert review.due([missed, known], START + 9 * MINUTE) == []
    assert review.due([missed, known], START + 10 * MINUTE) == [1]
    assert review.due([missed, known], START + 2 * DAY) == [1]
    assert review.due([missed, known], START + 30 * DAY) == [1, 2]


def test_the_more_certain_a_right_reading_the_later_it_returns():
    cards = review.schedule([entry(1, certainty=1), entry(2, certainty=2), entry(3, certainty=3)])
    assert cards[1].due < cards[2].due < cards[3].due


def test_a_film_read_rightly_whenever_due_returns_at_growing_intervals_and_a_miss_brings_it_back():
    entries, gaps = [entry(7, said=NORMAL)], []
    for _ in range(6):
        due = review.schedule(entries)[7].due
        gaps.append(due - entries[-1].when)
        entries.append(entry(7, due - START, certainty=2))
    assert gaps[0] == 10 * MINUTE
    assert gaps == sorted(gaps)
    assert gaps[-1] > 10 * DAY
    late = entries[-1].when - START + DAY
    entries.append(entry(7, late, said=NORMAL))
    assert review.schedule(entries)[7].due == START + late + 10 * MINUTE


def test_the_schedule_is_the_same_at_every_replay_and_in_any_order():
    entries = [entry(seed, timedelta(hours=seed * k), certainty=1 + k % 3) for seed in (3, 5) for k in (0, 1, 40)]
    once = review.schedule(entries)
    assert {s: c.to_dict() for s, c in once.items()} == {
        s: c.to_dict() for s, c in review.schedule(reversed(entries)).items()
    }


def test_the_longest_overdue_film_comes_first():
    entries = [entry(9, 5 * MINUTE, said=NORMAL), entry(4, 0 * MINUTE, said=NORMAL), entry(6, MINUTE, said=NORMAL)]
    assert review.due(entries, START + DAY) == [4, 6, 9]


def test_only_the_first_reading_of_a_film_counts():
    entries = [entry(1, DAY, certainty=3), entry(1, said=NORMAL, certainty=1), entry(2, MINUTE, certainty=2)]
    assert [r.certainty for r in review.first_readings(entries)] == [1, 2]


# --- the file --------------------------------------------------------------------------------------------------------


def test_readings_survive_the_file(tmp_path):
    path = tmp_path / "answers" / "film_gym.json"
    file = ReviewFile(path)
    assert (file.entries, file.notice, path.exists()) == ((), "", False)
    for one in (entry(2, MINUTE), entry(1, said=NORMAL, certainty=1)):
        file.add(one)
    again = ReviewFile(path)
    assert again.entries == (entry(1, said=NORMAL, certainty=1), entry(2, MINUTE))
    assert again.notice == ""
    assert json.loads(path.read_text())["format"] == "vertebra-gym/1"
    assert [name.name for name in path.parent.iterdir()] == ["film_gym.json"]


def test_two_windows_lose_nothing(tmp_path):
    one, other = ReviewFile(tmp_path / "g.json"), ReviewFile(tmp_path / "g.json")
    one.add(entry(1))
    other.add(entry(2, MINUTE))
    one.add(entry(3, 2 * MINUTE))
    assert [e.seed for e in ReviewFile(tmp_path / "g.json").entries] == [1, 2, 3]
    assert [e.seed for e in one.entries] == [1, 2, 3]


WHOLE = dumps((entry(1), entry(2, MINUTE, said=NORMAL)))


def spoilt(**fields):
    data = json.loads(WHOLE)
    data["readings"][1] |= fields
    return json.dumps(data)


PLAIN = {"level": "L1", "fractured": False, "kind": "", "grade": 0, "loss": None}
DAMAGE = {
    "empty": ("", "not JSON at line 1"),
    "cut": (WHOLE[:-20], "not JSON at line"),
    "other": ('{"format": "vertebra-responses/1"}', "is not the gym's file"),
    "list": ("[1, 2]", "is not the gym's file"),
    "newer": (WHOLE.replace("gym/1", "gym/2"), "'vertebra-gym/2' and this version of vertebra reads vertebra-gym/1"),
    "no readings": ('{"format": "vertebra-gym/1"}', "must be a list"),
    "nan": (WHOLE.replace("0.3", "NaN"), "does not write"),
    "infinite": (WHOLE.replace("0.3", "1e999"), "reading 1: height loss is inf"),
    "deep": ("[" * 100_000, "does not write"),
    "seed": (spoilt(seed="2"), "reading 2: seed is '2'"),
    "time": (spoilt(when="yesterday"), "reading 2: when is 'yesterday'"),
    "end of time": (spoilt(when="9999-12-31T23:59:59Z"), "reading 2: when is '9999"),
    "beginning of time": (spoilt(when="0001-01-01T00:00:00Z"), "reading 2: when is '0001"),
    "no time": (spoilt(when=None), "reading 2: when is 'None'"),
    "certainty": (spoilt(certainty=9), "reading 2: certainty is 9"),
    "more": (spoilt(extra=1), "reading 2: must hold seed"),
    "finding": (spoilt(said={"level": "L1"}), "reading 2: a finding must hold"),
    "level": (spoilt(said={"level": "C7", "fractured": False, "kind": "", "grade": 0, "loss": None}), "level 'C7'"),
    "yes": (
        spoilt(said={"level": "L1", "fractured": "yes", "kind": "", "grade": 0, "loss": None}),
        "fractured is 'yes'",
    ),
}


@pytest.mark.parametrize(("text", "words"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_kept_and_never_overwritten(tmp_path, text, words):
    path = tmp_path / "film_gym.json"
    path.write_text(text)
    with pytest.raises(ReviewError, match=r"^film_gym\.json: ") as error:
        loads(text, "film_gym.json")
    assert words in str(error.value)
    file = ReviewFile(path)
    assert file.entries == ()
    assert str(error.value) in file.notice
    assert path.read_text() == text
    for seed in (5, 6):
        file.add(entry(seed))
    assert (tmp_path / "film_gym.unreadable-1.json").read_text() == text
    assert "film_gym.unreadable-1.json" in file.notice
    assert [e.seed for e in ReviewFile(path).entries] == [5, 6]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path):
    path = tmp_path / "g.json"
    for text in ("one", "two"):
        path.write_text(text)
        ReviewFile(path).add(entry(1))
    assert (tmp_path / "g.unreadable-1.json").read_text() == "one"
    assert (tmp_path / "g.unreadable-2.json").read_text() == "two"


def test_bytes_that_are_no_text_and_a_mark_that_windows_puts_in_front(tmp_path):
    path = tmp_path / "g.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not text" in ReviewFile(path).notice
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert len(ReviewFile(path).entries) == 2


def test_a_folder_where_the_file_should_be_is_set_aside_too(tmp_path):
    (tmp_path / "g.json").mkdir()
    file = ReviewFile(tmp_path / "g.json")
    assert "cannot be opened" in file.notice
    file.add(entry(1))
    assert len(ReviewFile(tmp_path / "g.json").entries) == 1


def test_what_cannot_be_written_is_kept_and_written_later(tmp_path):
    blocked = tmp_path / "answers"
    blocked.write_text("a file where the folder should be")
    file = ReviewFile(blocked / "g.json")
    with pytest.raises(OSError):
        file.add(entry(1))
    assert [e.seed for e in file.entries] == [1]
    blocked.unlink()
    file.add(entry(2, MINUTE))
    assert [e.seed for e in ReviewFile(blocked / "g.json").entries] == [1, 2]


def test_the_file_stays_where_it_was_when_the_notebook_moves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = ReviewFile("g.json")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    file.add(entry(1))
    assert list((tmp_path / "else").iterdir()) == []
    assert (tmp_path / "g.json").exists()


def test_a_damaged_file_that_another_window_put_aside_is_no_longer_complained_of(tmp_path):
    path = tmp_path / "film_gym.json"
    path.write_text("{damaged")
    one, two = review.ReviewFile(path), review.ReviewFile(path)
    assert "cannot be used" in one.notice
    assert "cannot be used" in two.notice
    plain = Reading(Finding("", False), Finding("", False), 1)
    start = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    one.add(Entry(1, start, plain))
    assert "kept under the name film_gym.unreadable-1.json" in one.notice
    two.add(Entry(2, start, plain))
    assert two.notice == ""
    assert [entry.seed for entry in review.ReviewFile(path).entries] == [1, 2]
