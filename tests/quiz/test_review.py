"""Spaced repetition in simulated time, of films and of questions."""

from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating

from vertebra.measure.reading import Finding, Reading
from vertebra.quiz import review, scoring
from vertebra.quiz.review import Attempt, Entry

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FRACTURE = Finding("L1", True, "wedge", 2, 0.3)
NORMAL = Finding("", False)


def entry(seed=7, after=timedelta(0), said=FRACTURE, certainty=3):
    return Entry(seed, START + after, Reading(FRACTURE, said, certainty))


def attempt(item="im-p01", after=timedelta(0), fraction=1.0, certainty=3):
    return Attempt(item, "1.0.0", START + after, "film", fraction, certainty)


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
    assert review.rating(entry(said=said, certainty=certainty)) is expected


@pytest.mark.parametrize(
    ("fraction", "certainty", "expected"),
    [
        (1.0, 3, Rating.Easy),
        (1.0, 2, Rating.Good),
        (1.0, 1, Rating.Hard),
        (0.8, 3, Rating.Hard),
        (2 / 3, 1, Rating.Hard),
        (0.66, 3, Rating.Again),
        (0.0, 1, Rating.Again),
    ],
)
def test_a_question_is_rated_by_its_credit_and_certainty(fraction, certainty, expected):
    assert review.rating(attempt(fraction=fraction, certainty=certainty)) is expected


def test_the_credit_that_is_enough_is_where_full_certainty_no_longer_costs_marks():
    marks = [scoring.certainty_mark(review.ENOUGH + change, 3) for change in (-0.01, 0, 0.01)]
    assert marks[0] < 0 and marks[1] == pytest.approx(0) and marks[2] > 0


def test_questions_and_films_are_due_in_one_list():
    events = [entry(5, said=NORMAL), attempt("im-p01", MINUTE, fraction=0.0), attempt("im-p02", certainty=3)]
    assert review.due(events, START + DAY) == [5, "im-p01"]
    assert review.due(events, START + 60 * DAY) == [5, "im-p01", "im-p02"]


def test_what_is_known_fades_and_comes_back_with_each_right_answer():
    once = review.schedule([attempt(certainty=2)])["im-p01"]
    shares = [review.retrievability(once, START + days * DAY) for days in (0, 2, 20, 200)]
    assert shares == sorted(shares, reverse=True) and shares[0] > 0.95 and shares[-1] < 0.8
    twice = review.schedule([attempt(certainty=2), attempt("im-p01", 3 * DAY, certainty=2)])["im-p01"]
    assert review.retrievability(twice, START + 20 * DAY) > shares[2]


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
