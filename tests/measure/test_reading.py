"""Reader statistics against scipy, hand-computed tables, and the behaviour a reader would expect."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon
from scipy.stats import binom, binomtest

from validation import validates
from vertebra.measure import reading
from vertebra.measure.reading import Finding, Proportion, Reading, nearest_level, weighted_kappa, wilson

NORMAL = Finding("", False)


def fracture(level="L1", kind="wedge", grade=2, loss=0.3):
    return Finding(level, True, kind, grade, loss)


def read(truth, said, certainty=2):
    return Reading(truth, said, certainty)


@validates("measure.reading", "Wilson's interval", against="SciPy", kind="library", tolerance="1e-12")
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(counts):
    expected = binomtest(*counts).proportion_ci(method="wilson")
    assert wilson(*counts) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_and_of_nonsense():
    assert wilson(0, 0) == (0, 1)
    for counts in ((-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="0 <= successes <= n"):
            wilson(*counts)


def test_wilson_covers_the_truth_where_the_plain_interval_does_not():
    """Exact coverage at n = 20 and p = 0.95: p +- 1.96 SE collapses at 20 of 20, which comes in 36 % of the samples."""
    n, p = 20, 0.95
    k = np.arange(n + 1)
    chance = binom.pmf(k, n, p)
    low, high = np.array([wilson(int(i), n) for i in k]).T
    plain = np.abs(k / n - p) <= 1.96 * np.sqrt(k / n * (1 - k / n) / n)
    assert chance[(low <= p) & (p <= high)].sum() > 0.92
    assert chance[plain].sum() < 0.65


def test_weighted_kappa_of_a_table_worked_by_hand():
    """Ten cases, grades 0-2. Observed mean squared difference (1+1+4)/10 = 0.6.

    Totals: truth 5, 3, 2; said 4, 3, 3. Expected: sum of weight x products / 100 =
    [5*3*1 + 5*3*4 + 3*4*1 + 3*3*1 + 2*4*4 + 2*3*1] / 100 = 134/100 = 1.34. kappa = 1 - 0.6/1.34.
    """
    truth = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
    said = [0, 0, 0, 1, 2, 0, 1, 1, 2, 2]
    assert weighted_kappa(truth, said) == pytest.approx(1 - 0.6 / 1.34)


@validates(
    "measure.reading", "Weighted kappa", against="Lin's concordance, which it equals", kind="analytic", tolerance="1e-9"
)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_weighted_kappa_is_the_concordance_of_the_grades(pairs):
    """Independent method: with quadratic weights kappa is 2 cov / (var + var + (difference of means)^2), Lin's."""
    a, b = np.array(pairs).T
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    found = weighted_kappa(a, b)
    if spread == 0:
        assert found is None
    else:
        assert found == pytest.approx(2 * np.mean((a - a.mean()) * (b - b.mean())) / spread, abs=1e-9)


def test_weighted_kappa_of_nothing_and_of_nonsense():
    assert weighted_kappa([], []) is None
    with pytest.raises(ValueError, match="two lists of the same cases"):
        weighted_kappa([1, 2], [1])
    with pytest.raises(ValueError, match="below 0"):
        weighted_kappa([0, -1], [1, 1])


def test_levels_are_counted_across_the_thoracolumbar_junction():
    assert [reading.level_number(level) for level in ("T9", "T12", "L1", "L3")] == [9, 12, 13, 15]
    for level in ("", "T13", "L6", "L0", "C3", "T1x", "t12"):
        with pytest.raises(ValueError, match="T1 to T12 and L1 to L5"):
            reading.level_number(level)


@pytest.mark.parametrize(
    ("said", "right", "off"),
    [
        (fracture("L1"), True, 0),
        (fracture("T12"), False, -1),
        (fracture("L3"), False, 2),
        (NORMAL, False, 0),
        (Finding("L1", False), False, 0),
    ],
)
def test_a_fracture_is_right_only_at_its_level(said, right, off):
    one = read(fracture("L1"), said)
    assert (one.right, one.levels_off) == (right, off)


@pytest.mark.parametrize("truth", [NORMAL, Finding("T12", False)])
def test_without_a_fracture_any_level_is_right_as_long_as_none_is_called(truth):
    assert read(truth, NORMAL).right
    assert read(truth, Finding("T11", False)).right
    assert not read(truth, fracture("T12")).right


def test_a_finding_that_cannot_be_is_refused():
    for fields, words in [
        (("", True, "wedge", 2, 0.3), "name it"),
        (("L1", True, "", 2, 0.3), "type ''"),
        (("L1", True, "wedge", 0, 0.3), "grade 1, 2 or 3"),
        (("L1", True, "wedge", True, 0.3), "grade 1, 2 or 3"),
        (("L1", True, "wedge", 2, None), "height loss"),
        (("L1", True, "wedge", 2, 30.0), "fraction"),
        (("L1", True, "wedge", 2, float("nan")), "fraction"),
        (("L1", False, "wedge"), "no type"),
        (("L9", False), "unknown"),
    ]:
        with pytest.raises(ValueError, match=words):
            Finding(*fields)
    with pytest.raises(ValueError, match="certainty is 4"):
        Reading(NORMAL, NORMAL, 4)


SQUARES = {"T12": [(0, 0), (10, 0), (10, 8), (0, 8)], "L1": [(0, 12), (10, 12), (10, 20), (0, 20)]}


@pytest.mark.parametrize(
    ("point", "level"),
    [((5, 4), "T12"), ((5, 9.9), "T12"), ((5, 10.1), "L1"), ((-50, 2), "T12"), ((40, 40), "L1"), ((10, 12), "L1")],
)
def test_a_click_means_the_body_it_is_in_or_nearest_to(point, level):
    assert nearest_level(point, SQUARES) == level


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_the_distance_to_an_outline_is_that_to_its_densely_sampled_edge(x, y):
    corners = np.array([(0, 0), (9, 2), (10, 8), (4, 5), (-1, 9)], dtype=float)  # not convex
    edges = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    dense = np.concatenate([a + np.linspace(0, 1, 400)[:, None] * (b - a) for a, b in edges])
    found = reading._distance(np.array([x, y]), corners)
    if found:
        assert found == pytest.approx(np.hypot(*(dense - [x, y]).T).min(), abs=0.03)
    else:  # on the edge itself matplotlib may say either
        assert any(Polygon(corners).contains_point((x, y), radius=r) for r in (1e-6, -1e-6))


def test_a_point_that_is_none_is_refused():
    with pytest.raises(ValueError, match="two finite numbers"):
        nearest_level((1, float("nan")), SQUARES)


def test_performance_of_eight_films_counted_by_hand():
    readings = [
        read(fracture("L1", loss=0.30), fracture("L1", loss=0.34), 3),
        read(fracture("T12", "crush", 3, 0.45), fracture("T12", "wedge", 2, 0.39), 2),
        read(fracture("T11"), fracture("T12"), 3),
        read(fracture("L2", grade=1, loss=0.21), NORMAL, 1),
        read(NORMAL, NORMAL, 3),
        read(Finding("T12", False), Finding("T12", False), 2),
        read(Finding("L1", False), fracture("L1", grade=1, loss=0.2), 3),
        read(NORMAL, NORMAL, 1),
    ]
    sums = reading.performance(readings)
    assert sums.sensitivity == Proportion(3, 4)
    assert sums.specificity == Proportion(3, 4)
    assert sums.wrong_level == Proportion(1, 3)
    assert sums.types == Proportion(1, 2)
    assert sums.certainty == {1: Proportion(1, 2), 2: Proportion(2, 2), 3: Proportion(2, 4)}
    assert sums.loss.cases == 2
    assert sums.loss.bias == pytest.approx((0.04 - 0.06) / 2)
    assert sums.loss.within_sd == pytest.approx(0.10 / np.sqrt(2))
    assert sums.kappa == pytest.approx(weighted_kappa([2, 3, 2, 1, 0, 0, 0, 0], [2, 2, 2, 0, 0, 0, 1, 0]))
    assert sums.sensitivity.share == 0.75
    assert sums.sensitivity.limits == wilson(3, 4)


def test_performance_of_no_film_is_unknown_and_not_nought():
    sums = reading.performance([])
    assert sums.sensitivity.share is None
    assert sums.sensitivity.limits == (0, 1)
    assert sums.kappa is None
    assert sums.loss is None


def test_the_curve_ends_where_the_sum_is():
    rng = np.random.default_rng(5)
    readings = [read(fracture() if a else NORMAL, fracture() if b else NORMAL) for a, b in rng.random((50, 2)) < 0.6]
    curve = reading.learning_curve(readings)
    for i in (0, 17, 49):
        assert curve[i] == (reading.sensitivity(readings[: i + 1]), reading.specificity(readings[: i + 1]))


def films(hits, misses, cleared, alarms):
    return (
        [read(fracture(), NORMAL)] * misses
        + [read(fracture(), fracture())] * hits
        + [read(NORMAL, fracture())] * alarms
        + [read(NORMAL, NORMAL)] * cleared
    )


@pytest.mark.parametrize(
    ("counts", "reached"),
    [
        ((19, 1, 19, 1), True),
        ((18, 2, 19, 1), False),
        ((19, 1, 18, 2), False),
        ((19, 0, 40, 0), False),  # never a fracture missed, but only 19 read
        ((26, 4, 26, 4), True),
        ((25, 5, 26, 4), False),
        ((30, 60, 30, 60), True),  # the first 60 of each count no more
        ((0, 0, 0, 0), False),
    ],
)
def test_the_stop_rule_on_both_sides_of_its_edges(counts, reached):
    assert reading.stop(films(*counts)).reached is reached


@validates(
    "measure.reading",
    "When the film gym says that it is enough",
    against="150 simulated readers of each skill",
    kind="computation",
    tolerance="below 0.06 at the limit, above 0.75 at 85 %",
)
def test_the_stop_rule_is_rarely_met_by_a_reader_at_its_limit_and_mostly_by_one_at_85_percent():
    def share_reached(skill):
        rng = np.random.default_rng(8)
        reached = 0
        for _ in range(150):
            fractured, good = rng.random((2, 200)) < [[0.5], [skill]]
            pairs = zip(fractured, good, strict=True)
            readings = [read(fracture() if f else NORMAL, fracture() if f == g else NORMAL) for f, g in pairs]
            reached += any(reading.stop(readings[:n]).reached for n in range(40, 201, 4))
        return reached / 150

    assert share_reached(0.70) < 0.06
    assert share_reached(0.85) > 0.75
