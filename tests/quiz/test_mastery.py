"""Statistics of a student's answers: held against scipy, hand arithmetic, simulation and what must be monotone."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from validation import USUAL, validates
from vertebra.measure.reading import wilson
from vertebra.quiz import mastery as module
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.items import Decision, Item, NumericAnswer, Option, Region, Slip, misconceptions
from vertebra.quiz.mastery import (
    LIKELY,
    LINE,
    MET,
    Mastery,
    agenda,
    bands,
    calibration,
    first,
    latest,
    marks,
    mastery,
    mistakes_in,
    practice_order,
    stated,
    sure_and_wrong,
)
from vertebra.quiz.review import Attempt, schedule
from vertebra.quiz.scoring import CERTAINTY_MARKS, certainty_mark

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TWO_MISTAKES = list(misconceptions())[:2]
shares = st.lists(st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 1.0]), max_size=30)


def attempt(item="a", fraction=1.0, certainty=3, after=timedelta(0), answer="x", version="1"):
    return Attempt(item, version, NOON + after, answer, fraction, certainty)


def question(item="a", objectives=("O1.1",), **more):
    fields = {"version": "1", "format": "single_best_answer", "bloom": "apply", "tier": "must", "author": "n"}
    return Item(item, objectives=objectives, clinical_review=(), stem="?", sources=(), **(fields | more))


def of(*fractions, total=None):
    return Mastery(total or len(fractions), len(fractions), sum(fractions), len(fractions), sum(fractions))


def judged(items, attempts, at=NOON, objectives=("O1.1",)):
    return mastery(objectives, items, attempts, schedule(attempts), at)


# --- attempts --------------------------------------------------------------------------------------------------------


def test_the_first_and_the_last_attempt_are_told_by_time_and_not_by_place():
    early, late = attempt(fraction=0, after=-DAY), attempt(fraction=1)
    for both in ([early, late], [late, early]):
        assert latest(both) == {"a": late}
        assert first(both) == {"a": early}


# --- mastery ---------------------------------------------------------------------------------------------------------


@validates(
    "quiz.mastery", "Mastery of an objective", against="the beta posterior of SciPy", kind="library", tolerance=USUAL
)
@pytest.mark.parametrize("fractions", [(), (1,), (0,), (1, 1, 0.5), (0.25,) * 7, (1,) * 40 + (0,)])
def test_mean_interval_and_chance_are_those_of_the_beta_posterior(fractions):
    found = of(*fractions)
    exact = stats.beta(1 + sum(fractions), 1 + len(fractions) - sum(fractions))
    assert found.mean == pytest.approx(exact.mean())
    assert found.interval == pytest.approx(exact.interval(0.9))
    assert found.chance == pytest.approx(exact.sf(LINE))


@pytest.mark.parametrize(
    ("fractions", "verdict"),
    [
        ((), "unmet"),
        ((1,), "few"),
        ((0, 0), "few"),
        ((1, 1, 1), "secure"),  # 1 - (2/3)^4 = 0.802
        ((1, 1, 0.9), "open"),
        ((1, 1, 1, 1, 0), "open"),
        ((1,) * 6 + (0,), "secure"),
        ((1, 1, 0), "open"),  # 16/27 = 0.59 that it lies below the line
        ((1, 0, 0), "weak"),  # 8/9
        ((0.5,) * 4, "open"),
        ((0.5,) * 6, "weak"),
    ],
)
def test_the_verdict_is_decided_by_probability(fractions, verdict):
    assert of(*fractions).verdict == verdict


def test_two_right_answers_could_not_be_called_secure_so_the_least_number_only_spares_who_fails():
    assert of(1, 1).chance == pytest.approx(1 - (2 / 3) ** 3)
    assert of(1, 1).chance < LIKELY <= of(1, 1, 1).chance
    assert 1 - of(0).chance == pytest.approx(8 / 9)
    assert MET == 3


@validates(
    "quiz.mastery",
    "Cover of the 90 % interval",
    against="4000 simulated students",
    kind="computation",
    tolerance="3 standard errors",
)
def test_the_interval_covers_as_often_as_it_says():
    """Drawn from the model, 90 % intervals hold the truth in 90 % of 4000 students, within three standard errors."""
    rng = np.random.default_rng(7)
    for n in (1, 4, 12):
        truth = rng.beta(*module.PRIOR, size=4000)
        right = rng.binomial(n, truth)
        ends = {k: Mastery(n, n, k, n, k).interval for k in range(n + 1)}
        covered = np.mean([ends[k][0] <= t <= ends[k][1] for k, t in zip(right, truth, strict=True)])
        assert covered == pytest.approx(0.9, abs=3 * (0.9 * 0.1 / 4000) ** 0.5)


def test_likely_is_right_as_often_as_it_promises():
    rng = np.random.default_rng(8)
    truth = rng.beta(*module.PRIOR, size=4000)
    said = [of(*([1] * k + [0] * (6 - k))).verdict for k in rng.binomial(6, truth)]
    for verdict, holds in (("secure", truth > LINE), ("weak", truth < LINE)):
        hit = np.mean([true for true, word in zip(holds, said, strict=True) if word == verdict])
        assert hit > LIKELY


@settings(max_examples=60)
@given(shares, st.floats(0, 1))
def test_another_right_answer_never_lowers_and_more_credit_never_lowers(fractions, share):
    before, after = of(*fractions), of(*fractions, 1.0)
    assert after.mean > before.mean and after.chance >= before.chance
    assert of(*fractions, share).mean <= after.mean
    low, high = before.interval
    assert 0 <= low < before.mean < high <= 1


def test_the_interval_narrows_with_every_question_at_the_same_share():
    widths = [high - low for low, high in (of(*(1, 0) * n).interval for n in range(1, 12))]
    assert widths == sorted(widths, reverse=True)


def test_only_the_latest_answer_to_a_question_counts_and_it_counts_for_each_objective():
    items = [question("a", ("O1.1", "O1.2")), question("b")]
    found = judged(items, [attempt("a", 0, after=-DAY), attempt("a", 1)], objectives=("O1.1", "O1.2", "O9.9"))
    assert (found["O1.1"].n, found["O1.1"].of, found["O1.1"].credit) == (1, 2, 1)
    assert (found["O1.2"].n, found["O1.2"].of) == (1, 1)
    assert found["O9.9"] == Mastery(0, 0, 0, 0, 0) and found["O9.9"].verdict == "unmet"


def test_a_question_that_is_gone_does_not_count_and_one_that_was_reworded_does():
    found = judged([question("a", version="2")], [attempt("a", version="1"), attempt("gone")])
    assert (found["O1.1"].n, found["O1.1"].of) == (1, 1)


def test_what_was_secure_fades_and_what_was_weak_does_not():
    items = [question(name) for name in "abcde"]
    right = [attempt(name, 1, 2) for name in "abcde"]
    wrong = [attempt(name, 0, 2) for name in "abcde"]
    assert judged(items, right)["O1.1"].verdict == "secure"
    assert judged(items, right, NOON + 100 * DAY)["O1.1"].verdict == "fading"
    assert judged(items, wrong, NOON + 100 * DAY)["O1.1"].verdict == "weak"
    again = [attempt(name, 1, 2, 100 * DAY) for name in "abc"]
    assert judged(items, [*right, *again], NOON + 100 * DAY)["O1.1"].verdict == "secure"
    late = judged(items, right, NOON + 100 * DAY)["O1.1"]
    assert (late.n, late.fresh) == (5, 0) and late.mean == judged(items, right)["O1.1"].mean


# --- calibration -----------------------------------------------------------------------------------------------------


def test_the_bands_are_where_each_certainty_pays_most():
    assert bands() == {1: (0.0, pytest.approx(2 / 3)), 2: (pytest.approx(2 / 3), pytest.approx(4 / 5)), 3: (0.8, 1.0)}
    for p in np.linspace(0.005, 0.995, 199):
        best = max(CERTAINTY_MARKS, key=lambda level: certainty_mark(p, level))
        low, high = bands()[best]
        assert low - 1e-9 <= p <= high + 1e-9
    assert stated() == {1: pytest.approx(1 / 3), 2: pytest.approx(11 / 15), 3: pytest.approx(0.9)}


@settings(max_examples=80)
@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=60))
def test_the_brier_score_is_the_mean_square_and_its_split_is_exact(answers):
    found, p = calibration(answers), {1: 1 / 3, 2: 11 / 15, 3: 9 / 10}
    assert found.n == len(answers)
    assert found.brier == pytest.approx(np.mean([(p[c] - f) ** 2 for c, f in answers]))
    within = sum(len(g) * np.var(g) for c in p if (g := [f for level, f in answers if level == c])) / len(answers)
    assert found.miscalibration == pytest.approx(found.brier - within, abs=1e-12)
    low, high = found.bias_limits
    assert low <= found.bias <= high
    for c in p:
        got = [f for level, f in answers if level == c]
        assert found.levels[c].n == len(got)
        assert found.levels[c].limits == wilson(sum(got), len(got))


@pytest.mark.parametrize(
    ("answers", "verdict", "bias"),
    [
        ([], "early", 0),
        ([(3, 0)] * 9, "early", 0.8),
        ([(3, 1)] * 6 + [(3, 0)] * 6, "over", 0.3),
        ([(3, 1)] * 9 + [(3, 0)], "fits", 0),
        ([(3, 1)] * 15 + [(3, 0)] * 5, "fits", 0.05),  # 75 % of 20: below 80 %, and too few to tell
        ([(3, 1)] * 150 + [(3, 0)] * 80, "over", 0.8 - 150 / 230),
        ([(1, 1)] * 20, "under", 2 / 3 - 1),
        ([(1, 1)] * 10 + [(1, 0)] * 10, "fits", 0),
    ],
)
def test_confidence_is_judged_against_what_was_claimed_with_its_uncertainty(answers, verdict, bias):
    found = calibration(answers)
    assert found.verdict == verdict
    assert found.bias == pytest.approx(bias)


def test_who_answers_as_the_marks_reward_is_not_called_biased():
    rng = random.Random(3)
    called = 0
    for _ in range(300):
        chances = [rng.random() for _ in range(40)]
        best = [max(CERTAINTY_MARKS, key=lambda level: certainty_mark(p, level)) for p in chances]
        called += (
            calibration([(c, float(rng.random() < p)) for c, p in zip(best, chances, strict=True)]).verdict != "fits"
        )
    assert called <= 15  # 5 % of 300, and the bands are ranges: it should be far fewer


def test_nothing_answered_has_no_score():
    found = calibration([])
    assert (found.n, found.brier, found.miscalibration, found.bias) == (0, None, None, 0.0)
    assert found.levels[1].share is None and found.levels[1].limits == (0.0, 1.0)


def test_the_marks_are_those_of_the_quiz():
    found = marks([attempt("a", 1, 3), attempt("b", 0, 3), attempt("c", 1, 1), attempt("d", 0.5, 2)])
    assert (found.n, found.earned, found.most) == (4, 3 - 6 + 1 + 0, 12)


# --- sure and wrong --------------------------------------------------------------------------------------------------


def test_sure_and_wrong_is_the_latest_answer_newest_first_and_is_cleared_by_a_right_one():
    old, new = attempt("a", 0.5, 3), attempt("b", 0, 3, MINUTE)
    others = [attempt("c", 0, 2), attempt("d", 2 / 3, 3), attempt("e", 1, 3)]
    assert sure_and_wrong([old, new, *others]) == [new, old]
    assert sure_and_wrong([old, new, attempt("b", 1, 1, 2 * MINUTE)]) == [old]
    assert sure_and_wrong([attempt("b", 1, 3), attempt("b", 0, 3, MINUTE)]) == [attempt("b", 0, 3, MINUTE)]


def test_the_mistake_behind_an_answer_is_found_in_every_format_that_names_one():
    one, two = TWO_MISTAKES
    say = misconceptions()
    options = (Option("a", "", key=True), Option("b", "", misconception=one), Option("c", "", misconception=two))
    single = question(options=options)
    assert mistakes_in(single, "b") == (say[one],)
    assert mistakes_in(single, "a") == mistakes_in(single, "gone") == mistakes_in(single, None) == ()
    assert mistakes_in(single, ["a", "c", "b"]) == (say[two], say[one])
    case = question(decisions=(Decision("d", "", 1, options),))
    assert mistakes_in(case, {"d": ["b"], "gone": ["c"], "open": None}) == (say[one], say[two])
    square = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0))
    picture = question(regions=(Region("r", "", square, "", misconception=one),))
    assert mistakes_in(picture, {"region": "r"}) == mistakes_in(picture, {"point": [2, 2]}) == (say[one],)
    assert mistakes_in(picture, {"point": [9, 9]}) == ()
    number = question(answer=NumericAnswer(5, "mm", 0.5), slips=(Slip(10, "", one), Slip(20, "")))
    assert mistakes_in(number, 10.4) == (say[one],)
    assert mistakes_in(number, 20) == mistakes_in(number, 11) == mistakes_in(number, "10") == ()
    assert mistakes_in(question(format="matching"), {"p1": "o2"}) == ()


# --- what to practise ------------------------------------------------------------------------------------------------


def test_the_agenda_parts_what_is_due_at_the_midnights_of_the_students_clock():
    attempts = [attempt("miss", 0), attempt("sure", 1, 3), attempt("fair", 1, 2, -MINUTE)]
    cards = schedule(attempts)
    assert cards["fair"].due == NOON - MINUTE + DAY and cards["miss"].due == NOON + 10 * MINUTE
    assert agenda(cards, NOON).now == () and agenda(cards, NOON).today == ("miss",)
    assert agenda(cards, NOON).tomorrow == ("fair",)
    assert agenda(cards, NOON + 2 * DAY).now == ("miss", "fair")
    days = (cards["sure"].due - NOON).days
    assert agenda(cards, NOON + (days - 3) * DAY).week == ("sure",)
    night = NOON.astimezone(ZoneInfo("Pacific/Auckland"))  # 1 o'clock on the next morning, so noon UTC is its tomorrow
    assert agenda(cards, night).tomorrow == ("fair",)
    assert agenda(cards, night - timedelta(hours=2)).tomorrow == ("miss",)
    assert agenda({}, NOON) == module.Agenda((), (), (), ())


def test_practice_begins_with_what_was_never_met_then_what_is_due_then_the_weakest():
    items = [question(name) for name in ("strong", "weak", "new", "due", "older")]
    attempts = [
        attempt("strong", 1, 3),
        attempt("weak", 0.7, 3),
        attempt("due", 0, 3, -DAY),
        attempt("older", 0, 3, -2 * DAY),
    ]
    order = practice_order(items, attempts, schedule(attempts), NOON)
    assert [item.id for item in order] == ["new", "older", "due", "weak", "strong"]


def test_a_record_of_thousands_meets_every_question_of_the_course():
    items = [item for bank in practice_banks() for item in bank.items]
    rng = random.Random(1)
    attempts = [
        attempt(rng.choice(items).id, rng.choice([0.0, 0.5, 1.0]), rng.choice([1, 2, 3]), k * MINUTE)
        for k in range(5000)
    ]
    objectives = sorted({objective for item in items for objective in item.objectives})
    found = judged(items, attempts, NOON + 4 * DAY, objectives)
    assert all(each.n == each.of for each in found.values())
    assert sum(each.n for each in found.values()) == sum(len(item.objectives) for item in items)
    parts = vars(agenda(schedule(attempts), NOON)).values()
    assert len({name for part in parts for name in part}) == sum(map(len, parts)) <= len(items)
