"""Item analysis against other implementations and against classes drawn from models. No student here is real."""

from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from validation import validates
from vertebra.quiz.items import load_banks
from vertebra.quiz.mastery import calibration
from vertebra.quiz.scoring import score
from vertebra.teaching import statistics
from vertebra.teaching.choices import Place, places
from vertebra.teaching.disclosure import FEWEST, hidden
from vertebra.teaching.key import right_answer
from vertebra.teaching.statistics import ClassResults, ItemInfo, TooFewError, analyse, facility, share

QUIZZES = Path(__file__).parents[2] / "quizzes" / "graded"
SBA = {"format": "single_best_answer", "options": ["a", "b", "c", "d"], "key": "a"}


def simulated(
    fractions: NDArray[Any], points: list[float] | None = None, certainty: NDArray[Any] | None = None
) -> ClassResults:
    """Return a class with these shares of credit; b is what everybody chose who was not right."""
    n, k = fractions.shape
    worth = points or [1.0] * k
    items = tuple(
        ItemInfo(f"q{j}", "single_best_answer", (f"O{j % 2}",), worth[j], "?", {"b": "Option B"}, SBA) for j in range(k)
    )
    answers = tuple(tuple("a" if x == 1 else "b" for x in row) for row in fractions)
    given = np.zeros((n, k), dtype=np.int64) if certainty is None else certainty
    return ClassResults("q", "Q", tuple(f"s{i}" for i in range(n)), items, fractions.astype(float), given, answers)


def rasch(n: int, k: int, seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp(-1.2 * (rng.normal(size=(n, 1)) - np.linspace(-1.5, 1, k))))
    return (rng.random((n, k)) < chance).astype(float)


# --- facility --------------------------------------------------------------------------------------------------------


def test_facility_of_right_or_wrong_has_the_wilson_interval_of_statsmodels() -> None:
    for right, n in [(0, 20), (7, 20), (20, 20), (61, 133)]:
        found = facility(np.append(np.arange(n) < right, np.nan))
        assert [found.low, found.high] == pytest.approx(proportion_confint(right, n, method="wilson"), abs=1e-6)
        assert found.value == right / n


@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize(
    ("values", "weights"),
    [
        ((0, 1 / 3, 2 / 3, 1), (0.1, 0.25, 0.4, 0.25)),
        ((0, 1 / 3, 2 / 3, 1), (0.02, 0.05, 0.13, 0.8)),
        ((0, 0.5, 1), (0.3, 0.4, 0.3)),
        ((0, 0.5, 1), (0.8, 0.15, 0.05)),
    ],
)
def test_facility_with_partial_credit_is_covered(n: int, values: tuple[float, ...], weights: tuple[float, ...]) -> None:
    draws = np.random.default_rng(n).choice(values, p=weights, size=(1500, n))
    truth = np.dot(values, weights)
    hits = [found.low <= truth <= found.high for found in map(facility, draws)]
    assert 0.92 < np.mean(hits) < 0.975  # three standard errors of the simulation around 93 to 97 %
    one = facility(draws[0])
    assert 0 <= one.low < draws[0].mean() < one.high <= 1


def test_a_share_over_answers_that_hang_together_is_covered_and_wilson_on_the_answers_is_not() -> None:
    rng = np.random.default_rng(4)
    people, answers, truth = 60, 12, 0.7
    chance = rng.beta(7, 3, (1000, people))
    right = rng.binomial(answers, chance)
    hits = [found.low <= truth <= found.high for found in (share(row, np.full(people, answers)) for row in right)]
    assert 0.93 <= np.mean(hits) <= 0.97
    low, high = proportion_confint(right.sum(axis=1), people * answers, method="wilson")
    assert np.mean((low <= truth) & (truth <= high)) < 0.9


def test_a_share_has_wilson_s_limits_on_the_answers_that_its_linearised_variance_is_worth() -> None:
    rng = np.random.default_rng(5)
    of = rng.integers(1, 9, 12).astype(float)
    credit = of * rng.random(12)
    p = credit.sum() / of.sum()
    variance = 12 * np.var(credit - p * of, ddof=1) / of.sum() ** 2
    worth = p * (1 - p) / variance * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 11)) ** 2
    found = share(np.append(credit, 0), np.append(of, 0))  # who was asked nothing does not count
    assert found.value == pytest.approx(p)
    assert [found.low, found.high] == pytest.approx(proportion_confint(p * worth, worth, method="wilson"), abs=1e-6)


def test_a_share_from_which_nobody_deviates_has_wilson_s_limits_on_the_people() -> None:
    found = share(np.full(30, 0.5), np.ones(30))
    assert [found.low, found.high] == pytest.approx(proportion_confint(15, 30, method="wilson"), abs=1e-6)
    assert np.isnan(share([], []).value)


# --- discrimination --------------------------------------------------------------------------------------------------


@validates(
    "teaching.statistics",
    "Point-biserial correlation with its interval",
    against="SciPy",
    kind="library",
    tolerance="1e-9",
)
def test_the_correlation_is_scipy_s_with_the_sum_of_the_other_items_and_its_fisher_interval() -> None:
    x = rasch(80, 10, 1)
    points = [1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    rest = statistics.rest_scores(simulated(x, points))
    for j in range(10):
        others = np.delete(x * points, j, axis=1).sum(axis=1)
        expected = stats.pearsonr(x[:, j], others)
        found = statistics.correlation(x[:, j], rest[:, j])
        assert found.value == pytest.approx(expected[0], abs=1e-9)
        assert [found.low, found.high] == pytest.approx(expected.confidence_interval(0.95), abs=1e-9)


@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize("difficulty", [0.0, -1.5])
def test_the_interval_of_the_point_biserial_covers_the_truth(n: int, difficulty: float) -> None:
    rng = np.random.default_rng(6)

    def draw(classes: int, size: int) -> tuple[NDArray[Any], NDArray[Any]]:
        ability = rng.normal(size=(classes, size))
        right = rng.random(ability.shape) < 1 / (1 + np.exp(-(ability - difficulty)))
        rest = np.zeros_like(ability)
        for b in np.linspace(-2, 2, 19):
            rest += rng.random(ability.shape) < 1 / (1 + np.exp(-(ability - b)))
        return right.astype(float), rest

    truth = np.corrcoef(*(part[0] for part in draw(1, 300_000)))[0, 1]
    found = [statistics.correlation(x, y) for x, y in zip(*draw(2000, n), strict=True)]
    hits = [each.low <= truth <= each.high for each in found if not np.isnan(each.value)]
    assert len(hits) > 1900
    assert 0.93 <= np.mean(hits) <= 0.97


def test_the_upper_lower_index_is_the_mean_over_all_orders_of_equal_scores() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.random(30), rng.integers(0, 6, 30).astype(float)
    upper = []
    for _ in range(3000):  # break the ties at random; 0.3 of 30 is 9 whole people
        order = np.lexsort([rng.random(30), y])
        upper.append(x[order[-9:]].mean() - x[order[:9]].mean())
    assert statistics.discrimination(x, y, 0.3) == pytest.approx(np.mean(upper), abs=0.005)
    assert statistics.discrimination(np.arange(100) >= 50, np.arange(100.0)) == pytest.approx(1)


def test_groups_keep_equal_scores_together_in_rising_order() -> None:
    y = np.array([3.0, 1, 2, 2, np.nan, 5, 4, 2, 6, 7])
    found = statistics.ability_groups(y, 3)
    assert found[4] == -1 and len({found[2], found[3], found[7]}) == 1
    known = found[~np.isnan(y)][np.argsort(y[~np.isnan(y)])]
    assert all(a <= b for a, b in pairwise(known)) and set(known) == {0, 1, 2}
    assert np.bincount(statistics.ability_groups(np.arange(10), 3)).tolist() == [3, 4, 3]


# --- reliability -----------------------------------------------------------------------------------------------------


@validates(
    "teaching.statistics",
    "Cronbach's alpha with its interval",
    against="pingouin 0.7.0, stored",
    kind="library",
    tolerance="1e-9",
)
def test_alpha_is_pingouin_s() -> None:
    rng = np.random.default_rng(11)
    ability = rng.standard_normal((40, 1))
    x = (rng.random((40, 8)) < 1 / (1 + np.exp(-(1.2 * ability - np.linspace(-1, 1, 8))))).astype(float)
    found = statistics.reliability(simulated(x))
    assert found.alpha.value == pytest.approx(0.5521335807050093, abs=1e-9)  # pingouin 0.7.0, cronbach_alpha
    assert [round(found.alpha.low, 3), round(found.alpha.high, 3)] == [0.307, 0.735]  # which it rounds
    # KR-20 from proportions, with the divisor n throughout
    p, total = x.mean(axis=0), x.sum(axis=1)
    assert found.binary
    assert found.alpha.value == pytest.approx(8 / 7 * (1 - (p * (1 - p)).sum() / total.var()), abs=1e-9)
    assert found.sem == pytest.approx(100 / 8 * total.std(ddof=1) * np.sqrt(1 - found.alpha.value), abs=1e-9)


def test_alpha_is_kr_20_only_of_right_or_wrong_of_equal_worth_and_nothing_where_nobody_differs() -> None:
    x = rasch(40, 4, 2)
    assert statistics.reliability(simulated(x, [2.0] * 4)).binary
    assert not statistics.reliability(simulated(x, [1.0, 1, 1, 2])).binary
    assert not statistics.reliability(simulated(x * 0.5)).binary
    assert np.isnan(statistics.reliability(simulated(np.ones((40, 4)))).alpha.value)


@validates(
    "teaching.statistics",
    "Cronbach's alpha",
    against="Hoyt's analysis of variance in statsmodels",
    kind="library",
    tolerance="1e-9",
)
def test_alpha_is_hoyt_s_from_the_analysis_of_variance_of_statsmodels() -> None:
    x = np.random.default_rng(3).random((25, 6)) + np.linspace(0, 1, 25)[:, None]
    x /= x.max()
    n, k = x.shape
    rows, columns = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    dummies = [(f[:, None] == np.arange(1, f.max() + 1)).astype(float) for f in (rows, columns)]
    one = np.ones((n * k, 1))
    both = sm.OLS(x.ravel(), np.column_stack([one, *dummies])).fit().ssr
    items = sm.OLS(x.ravel(), np.column_stack([one, dummies[1]])).fit().ssr
    expected = 1 - (both / ((n - 1) * (k - 1))) / ((items - both) / (n - 1))
    assert statistics.reliability(simulated(x)).alpha.value == pytest.approx(expected, abs=1e-9)


@validates(
    "teaching.statistics",
    "Cover of alpha's interval",
    against="1000 simulated classes",
    kind="computation",
    tolerance="0.93 to 0.97",
)
def test_feldt_s_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(9)
    k, n, truth = 10, 50, 10 * 0.3 / (1 + 9 * 0.3)
    draws = 0.5 + 0.05 * (np.sqrt(0.3) * rng.normal(size=(1000, n, 1)) + np.sqrt(0.7) * rng.normal(size=(1000, n, k)))
    found = [statistics.reliability(simulated(np.clip(x, 0, 1))).alpha for x in draws]
    assert 0.93 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.97


def test_alpha_of_forms_takes_the_covariances_of_pandas_of_pairs_that_three_have_in_common() -> None:
    x = rasch(30, 5, 6)
    x[:15, 0] = x[17:, 1] = np.nan  # two have both
    x[::4, 2] = np.nan
    covariance = pd.DataFrame(x).cov(min_periods=3).to_numpy()
    assert np.isnan(covariance[0, 1]) and np.isfinite(covariance).sum() == 23
    k = (~np.isnan(x)).sum(axis=1).mean()
    variance, between = np.diag(covariance).mean(), np.nanmean(covariance[~np.eye(5, dtype=bool)])
    expected = k * between / (variance + (k - 1) * between)
    assert statistics.reliability(simulated(x)).alpha.value == pytest.approx(expected, abs=1e-9)


def test_alpha_of_forms_with_common_items_is_near_that_of_complete_data() -> None:
    x = rasch(4000, 12, 5)
    complete = statistics.reliability(simulated(x[:, :8])).alpha.value
    shown = np.array([np.isin(np.arange(12), np.arange(i, i + 8) % 12) for i in range(12)])[np.arange(4000) % 12]
    found = statistics.reliability(simulated(np.where(shown, x, np.nan)))
    assert found.items == 8
    assert found.alpha.value == pytest.approx(complete, abs=0.04)


# --- the mis-key alarm -----------------------------------------------------------------------------------------------


def exam(rng: np.random.Generator, classes: int, n: int, slope: float, difficulty: float) -> tuple[Any, Any]:
    """Return the option that each took of one item (0 is the truth), and the rest of a 20-item test: two-parameter."""
    ability = rng.normal(size=(classes, n))
    rest = np.zeros((classes, n))
    for b in np.linspace(-2, 1, 19):
        a = np.exp(rng.normal(0, 0.3))
        rest += rng.random(ability.shape) < 1 / (1 + np.exp(-a * (ability - b)))
    right = rng.random(ability.shape) < 1 / (1 + np.exp(-slope * (ability - difficulty)))
    return np.where(right, 0, rng.integers(1, 4, ability.shape)), rest


def alarms(chosen: Any, rest: Any, key: int) -> list[str | None]:
    found = []
    for row, y in zip(chosen, rest, strict=True):
        place = Place("", tuple("abcd"), np.arange(4) == key, row[:, None] == np.arange(4), single=True)
        alarm = statistics.miskey(place, y)
        found.append(alarm and alarm.option)
    return found


@validates(
    "teaching.statistics",
    "Alarm for a wrong key",
    against="500 simulated classes of fifty",
    kind="computation",
    tolerance="0.9 found, 0.03 false",
)
@pytest.mark.parametrize("difficulty", [-2.0, -1.0, 0.0, 1.0])
def test_the_alarm_finds_nine_of_ten_wrong_keys_of_fifty_students(difficulty: float) -> None:
    chosen, rest = exam(np.random.default_rng(20), 500, 50, 1.0, difficulty)
    found = alarms(chosen, rest, key=1)
    assert np.mean([option is not None for option in found]) >= 0.9
    assert np.mean([option == "a" for option in found]) >= 0.88  # another wrong one may draw more of the able by chance
    assert np.mean([option is not None for option in alarms(chosen, rest, key=0)]) <= 0.03


def test_one_of_a_set_that_the_able_leave_out_is_found() -> None:
    rng = np.random.default_rng(21)
    rest = rng.normal(size=200)
    able = rng.random((200, 3)) < 1 / (1 + np.exp(-1.5 * rest[:, None]))
    chosen = np.column_stack([able[:, 0], able[:, 1], ~able[:, 2]])  # the able take 0 and 1, the others 2
    sound = Place("", ("x", "y", "z"), np.array([True, True, False]), chosen, single=False)
    assert statistics.miskey(sound, rest) is None
    left_out = statistics.miskey(Place("", ("x", "y", "z"), np.array([True, True, True]), chosen, single=False), rest)
    assert left_out is not None and (left_out.option, left_out.right) == ("z", True)
    missing = statistics.miskey(Place("", ("x", "y", "z"), np.array([True, False, False]), chosen, single=False), rest)
    assert missing is not None and (missing.option, missing.right) == ("y", False)


def test_the_alarm_is_silent_where_no_wrong_answer_is_the_able_s_or_too_few_gave_it() -> None:
    rest = np.arange(30.0)
    chosen = np.zeros((30, 2), dtype=bool)
    chosen[:10, 0] = chosen[10:20, 1] = True  # the weakest take the key, the middle b, and the ablest leave it open
    assert statistics.miskey(Place("", ("a", "b"), np.array([True, False]), chosen, single=True), rest) is None
    chosen[26:, 1], chosen[10:20, 1] = True, False  # four of the ablest take b
    assert statistics.miskey(Place("", ("a", "b"), np.array([True, False]), chosen, single=True), rest) is None
    chosen[25, 1] = True
    assert statistics.miskey(Place("", ("a", "b"), np.array([True, False]), chosen, single=True), rest) is not None
    for few, taken in ((4, False), (4, True)):  # the ablest four alone leave out a key, or take what is none
        tick = np.where(rest >= 30 - few, taken, not taken)[:, None]
        assert statistics.miskey(Place("", ("a",), np.array([not taken]), tick, single=False), rest) is None


def test_the_alarm_finds_nine_of_ten_wrong_sets_of_fifty_students_and_accuses_few_sound_ones() -> None:
    rng = np.random.default_rng(22)
    wrong, sound = 0, 0
    for _ in range(400):
        ability = rng.normal(size=(50, 1))
        rest = (rng.random((50, 19)) < 1 / (1 + np.exp(np.linspace(-2, 1, 19) - ability))).sum(axis=1)
        key = np.arange(5) < rng.integers(2, 4)
        chosen = (rng.random((50, 5)) < 1 / (1 + np.exp(rng.normal(-0.9, 0.8, 5) - ability))) == key
        off = key ^ (np.arange(5) == rng.integers(5))
        sound += statistics.miskey(Place("", tuple("abcde"), key, chosen, single=False), rest) is not None
        wrong += statistics.miskey(Place("", tuple("abcde"), off, chosen, single=False), rest) is not None
    assert wrong / 400 >= 0.9
    assert sound / 400 < 0.02


def test_a_correlation_below_zero_accuses_a_key_only_beyond_chance() -> None:
    x = rasch(100, 10, 15)
    x[:, 3] = np.random.default_rng(3).permutation(x[:, 3])
    found = analyse(simulated(x)).items
    assert -0.5 < np.arctanh(found[3].correlation.value) * np.sqrt(97) < 0
    assert not any(item.suspect for item in found)
    assert "review: hardly tells the able from the others" in found[3].flags
    x[:, 3] = 1 - x[:, 5]
    turned = analyse(simulated(x)).items[3]
    assert turned.suspect and any(flag.startswith("suspect mis-key") for flag in turned.flags)


# --- what was chosen -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "answers", "expected"),
    [
        (SBA, ["a", "c", None, "zz"], {("", "a"): [1, 0, 0, 0], ("", "c"): [0, 1, 0, 0]}),
        (
            {"format": "multiple_response", "options": ["a", "b"], "key": ["a"], "scoring": "each_option"},
            [["a", "b"], [], None],
            {("", "a"): [1, 0, 0], ("", "b"): [1, 0, 0]},
        ),
        (
            {"format": "matching", "options": ["o", "u"], "key": {"p": "o", "q": "u"}},
            [{"p": "u"}, {"p": "o", "q": None}],
            {("p", "o"): [0, 1], ("p", "u"): [1, 0], ("q", "u"): [0, 0]},
        ),
        (
            {
                "format": "hotspot",
                "key": "l",
                "polygons": {"r": [[5, 0], [9, 0], [9, 9]], "l": [[0, 0], [4, 0], [4, 4]]},
            },
            [{"point": [3, 1]}, {"region": "r"}, {"point": [80, 80]}],
            {("", "l"): [1, 0, 0], ("", "r"): [0, 1, 0]},
        ),
        (
            {"format": "numeric", "value": 10, "tolerance": 0.5},
            [10.4, 20, 20.3, 19.8, 7, None],
            {("", "10"): [1, 0, 0, 0, 0, 0], ("", "20"): [0, 1, 1, 1, 0, 0], ("", "7"): [0, 0, 0, 0, 1, 0]},
        ),
        (
            {"format": "ordering", "key": ["a", "b", "c"], "scoring": "all_pairs"},
            [["b", "a", "c"], ["a", "b", "c"]],
            {("", "a > b > c"): [0, 1], ("", "b > a > c"): [1, 0]},
        ),
        (
            {
                "format": "key_feature",
                "decisions": {"d": {"options": ["a", "b", "c"], "key": ["a", "b"], "harms": ["c"], "choose": 2}},
            },
            [{"d": ["a", "c"]}, {"d": None}],
            {("d", "a"): [1, 0], ("d", "b"): [0, 0], ("d", "c"): [1, 0]},
        ),
    ],
)
def test_every_format_says_who_took_what(key: Any, answers: list[Any], expected: dict[Any, list[int]]) -> None:
    found = {(place.id, option): place for place in places(key, answers) for option in place.options}
    for (name, option), column in expected.items():
        place = found[name, option]
        assert place.chosen[:, place.options.index(option)].tolist() == [bool(x) for x in column]


def test_a_wrong_option_functions_from_five_per_cent_and_only_a_whole_question_s_key_is_always_counted() -> None:
    taken = np.repeat([0, 1, 2, 3], [3, 5, 4, 88])[:, None] == np.arange(4)
    rest = np.random.default_rng(1).random(100)
    whole, part = (
        statistics.choice_table(Place(name, tuple("abcd"), np.arange(4) == 0, taken, single=True), rest, 3)
        for name in ("", "a prompt")
    )
    assert whole.functioning.tolist() == [False, True, False, True, False]
    assert whole.totals[0] == 3 and np.isnan(part.totals[0])
    assert np.isnan(whole.totals[2])


def test_only_the_bands_of_full_credit_are_right_in_a_task() -> None:
    shares = {"full": 1.0, "half": 0.5, "none": 0.0}
    controls = [{"id": "c", "values": [0, 1, 2]}]
    key = {"format": "stop_decision", "controls": controls, "bands": ["full", "half", "none"], "shares": shares}
    (place,) = places(key, [{"c": 1}, {"c": 0}, None])
    assert (place.options, place.right.tolist()) == (("full", "half", "none"), [True, False, False])
    assert place.chosen.tolist() == [[False, True, False], [True, False, False], [False] * 3]


# --- disclosure ------------------------------------------------------------------------------------------------------


def test_no_hidden_number_of_few_follows_from_the_shown_ones() -> None:
    rng = np.random.default_rng(30)
    concealed = 0
    for _ in range(100):
        g, c = int(rng.integers(2, 4)), int(rng.integers(2, 5))
        counts = rng.integers(0, 13, (g, c))
        counts[counts.sum(axis=1) < FEWEST, 0] += FEWEST
        mask = hidden(counts)
        table = np.vstack([counts, counts.sum(axis=0)])
        assert not mask[table == 0].any()
        assert mask[(table > 0) & (table < FEWEST)].all()
        cells = {cell: i for i, cell in enumerate(product(range(g + 1), range(c)))}
        rows = [[(cell, 1)] for cell in cells if not mask[cell]]
        ends = [table[cell] for cell in cells if not mask[cell]]
        rows += [[((i, j), 1) for j in range(c)] for i in range(g + 1)]
        ends += list(table.sum(axis=1))
        rows += [[((i, j), 1) for i in range(g)] + [((g, j), -1)] for j in range(c)]
        ends += [0] * c
        a = np.zeros((len(rows), len(cells)))
        for at, row in enumerate(rows):
            for cell, sign in row:
                a[at, cells[cell]] = sign
        for cell in map(tuple, np.argwhere(mask & (table < FEWEST))[:3]):
            aim = np.zeros(len(cells))
            aim[cells[cell]] = 1
            low, high = (
                optimize.linprog(sign * aim, A_eq=a, b_eq=ends, bounds=[(1 if mask[k] else 0, None) for k in cells])
                for sign in (1, -1)
            )
            concealed += 1
            assert -high.fun - low.fun >= 1 - 1e-6, (counts, mask, cell)
    assert concealed > 60


def test_a_large_table_is_shown_whole() -> None:
    assert not hidden(np.full((3, 4), 9)).any()
    assert not hidden(np.array([[9, 0], [9, 7]])).any()


# --- calibration and objectives --------------------------------------------------------------------------------------


def test_class_calibration_has_the_shares_and_the_brier_score_of_a_student_s_page() -> None:
    rng = np.random.default_rng(7)
    x, certainty = rasch(50, 8, 7), rng.integers(0, 4, (50, 8))
    found = statistics.class_calibration(simulated(x, certainty=certainty))
    expected = calibration([(int(c), f) for c, f in zip(certainty.flat, x.flat, strict=True) if c])
    assert found.brier == pytest.approx(expected.brier, abs=1e-12)
    for level in found.levels:
        same = expected.levels[level.certainty]
        assert (level.n, level.share.value) == (same.n, same.share)
        mine = certainty == level.certainty
        assert level.share == share((x * mine).sum(axis=1), mine.sum(axis=1))
    assert found.share == share((x * (certainty > 0)).sum(axis=1), (certainty > 0).sum(axis=1))


def test_a_certainty_of_few_people_is_hidden_with_another() -> None:
    certainty = np.full((50, 8), 3)
    certainty[:20] = 2
    certainty[:3] = 1
    found = statistics.class_calibration(simulated(rasch(50, 8, 8), certainty=certainty))
    assert [level.hidden for level in found.levels] == [True, True, False]
    assert found.levels[0].n == 0 and np.isnan(found.levels[0].share.value)


def test_what_the_difference_from_all_tells_is_of_no_few_who_were_sure() -> None:
    certainty = np.full((50, 8), 3)
    certainty[:2], certainty[2:4] = 1, 2
    found = statistics.class_calibration(simulated(rasch(50, 8, 8), certainty=certainty))
    assert all(level.hidden for level in found.levels)
    assert found.people == 50
    certainty[4:] = 0
    found = statistics.class_calibration(simulated(rasch(50, 8, 8), certainty=certainty))
    assert (found.n, found.people) == (0, 0) and np.isnan(found.brier) and np.isnan(found.share.value)


def test_objectives_by_group_are_means_of_their_points() -> None:
    x = rasch(90, 6, 9)
    results = simulated(x, [1, 2, 3, 1, 1, 1])
    first = statistics.by_objective(results, 3)[0]
    group = statistics.ability_groups(statistics.scores(results), 3)
    assert first.items == ("q0", "q2", "q4")
    expected = [(x[group == g][:, [0, 2, 4]] @ [1, 3, 1]).mean() / 5 for g in range(3)]
    assert first.means.tolist() == pytest.approx(expected)
    assert first.mean.value == pytest.approx((x[:, [0, 2, 4]] @ [1, 3, 1]).mean() / 5)


def test_the_map_of_objectives_does_not_tell_how_few_of_a_group_were_right_in_the_one_question_of_an_objective() -> (
    None
):
    x = rasch(90, 6, 9)
    results = simulated(x)
    weakest = np.flatnonzero(statistics.ability_groups(statistics.scores(results), 3) == 0)
    x[:, 0] = 1
    x[weakest[2:], 0] = 0
    first = replace(results.items[0], objectives=("A",))
    alone = replace(results, items=(first, *results.items[1:]), fractions=x)
    group = statistics.ability_groups(statistics.scores(alone), 3)
    right = [int(x[group == g, 0].sum()) for g in range(3)]
    assert 0 < right[0] < FEWEST <= min(right[1:])
    row = statistics.by_objective(alone, 3)[0]
    assert row.objective == "A" and np.isnan(row.means).sum() == 2 and np.isnan(row.means[0])
    assert not np.isnan(statistics.by_objective(alone, 3)[1].means).any()


# --- the whole -------------------------------------------------------------------------------------------------------


def test_below_twenty_nothing_is_said_and_below_a_hundred_it_is_said_with_a_warning() -> None:
    with pytest.raises(TooFewError, match="19 examinees; below 20"):
        analyse(simulated(rasch(19, 6, 1)))
    assert "20 examinees, fewer than 100" in analyse(simulated(rasch(20, 6, 1))).warnings[0]
    assert analyse(simulated(rasch(100, 6, 1))).warnings == ()


def test_mean_and_spread_are_of_the_scores_and_two_hundred_are_split_into_fifths() -> None:
    found, score_ = analyse(simulated(x := rasch(200, 6, 1))), 100 * x.mean(axis=1)
    low, high = stats.t.interval(0.95, 199, score_.mean(), stats.sem(score_))
    assert [found.mean.value, found.mean.low, found.mean.high] == pytest.approx([score_.mean(), low, high])
    assert found.sd == pytest.approx(score_.std(ddof=1))
    assert (found.groups, analyse(simulated(rasch(199, 6, 1))).groups) == (5, 3)


def test_a_wrong_key_is_flagged_in_words_and_the_sound_ones_are_not() -> None:
    x = rasch(150, 12, 12)
    results = simulated(x)
    wrong = ItemInfo("q4", "single_best_answer", ("O0",), 1.0, "?", {"a": "Option A"}, SBA | {"key": "b"})
    x[:, 4] = [score(wrong.key, row[4]) for row in results.answers]
    items = (*results.items[:4], wrong, *results.items[5:])
    found = analyse(ClassResults("q", "Q", results.students, items, x, results.certainty, results.answers))
    assert [i for i, item in enumerate(found.items) if item.alarms] == [4]
    assert "suspect mis-key: the able prefer “Option A”" in found.items[4].flags
    assert found.items[4].correlation.value < 0


def test_an_alarm_names_the_place_and_says_whether_the_able_take_or_leave_the_option() -> None:
    x = rasch(60, 8, 17)
    able = x[:, 2:].sum(axis=1) > 3
    pair = {"format": "matching", "options": ["o", "u"], "key": {"p": "o"}}
    tick = {"format": "multiple_response", "options": ["o", "u"], "key": ["o", "u"], "scoring": "each_option"}
    parts = {"p": "Prompt P", "o": "Option O", "u": "Option U"}
    items = [ItemInfo(f"m{i}", key["format"], ("O",), 1.0, "?", parts, key) for i, key in enumerate((pair, tick))]
    answers = [({"p": "u" if a else "o"}, ["o"] if a else ["o", "u"]) for a in able]
    for i, row in enumerate(answers):
        x[i, :2] = [score(item.key, answer) for item, answer in zip(items, row, strict=True)]
    results = simulated(x)
    given = tuple((*mine, *row[2:]) for mine, row in zip(answers, results.answers, strict=True))
    first, second = analyse(replace(results, items=(*items, *results.items[2:]), answers=given)).items[:2]
    assert "suspect mis-key (Prompt P): the able prefer “Option U”" in first.flags
    assert "suspect mis-key: the able leave out “Option U”" in second.flags


def test_a_hard_an_easy_and_a_question_of_one_wrong_option_are_flagged_in_words() -> None:
    x = rasch(200, 6, 16)
    ability = np.argsort(np.argsort(x.sum(axis=1) + np.linspace(0, 0.5, 200)))
    x[:, 0], x[:, 1], x[:, 2] = ability >= 150, ability >= 10, ability >= 80
    results = simulated(x)
    answers = [list(row) for row in results.answers]
    for i in np.flatnonzero(x[:, 2] == 0):
        answers[i][2] = "bc"[i % 2]
    hard, easy, fine = analyse(replace(results, answers=tuple(map(tuple, answers)))).items[:3]
    assert "hard: below 30 % of the credit" in hard.flags and "easy: above 90 % of the credit" in easy.flags
    assert "1 of 3 wrong options draw 5 % or more; aim at two" in hard.flags
    assert (fine.flags, fine.functioning, fine.distractors) == ((), 2, 3)


def test_items_shown_to_a_part_of_the_class_count_for_that_part() -> None:
    x = rasch(120, 8, 13)
    x[::2, 0] = np.nan
    x[: 120 - 10, 1] = np.nan
    found = analyse(simulated(x))
    assert (found.items[0].n, found.items[0].facility.value) == (60, np.nanmean(x[:, 0]))
    assert found.items[1].n == 10 and np.isnan(found.items[1].facility.value)
    assert "fewer than 20" in found.items[1].flags[0]
    assert "same questions" in found.warnings[0]


def test_the_order_of_the_students_changes_nothing() -> None:
    x = rasch(60, 8, 14)
    one, other = analyse(simulated(x)), analyse(simulated(x[np.random.default_rng(0).permutation(60)]))
    for a, b in zip(one.items, other.items, strict=True):
        assert (a.discrimination, a.correlation.value) == pytest.approx((b.discrimination, b.correlation.value))
        np.testing.assert_array_equal(a.choices[0].counts, b.choices[0].counts)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fractions": np.ones((3, 2))}, "shapes"),
        ({"fractions": np.full((3, 3), 1.5)}, "outside"),
        ({"answers": ()}, "rows"),
    ],
)
def test_results_that_do_not_fit_are_refused(change: dict[str, Any], says: str) -> None:
    sound = simulated(rasch(3, 3, 1))
    with pytest.raises(ValueError, match=says):
        ClassResults(**{**vars(sound), **change})


def test_the_right_answer_to_every_graded_question_takes_what_the_key_names() -> None:
    for bank in load_banks(QUIZZES):
        for item in bank.items:
            key = item.key_record()
            found = places(key, [right_answer(key), None])
            assert found and all((place.chosen[0] <= place.right).all() for place in found), item.id
            assert all(place.chosen[0].any() and not place.chosen[1].any() for place in found), item.id
