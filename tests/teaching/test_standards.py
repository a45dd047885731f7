"""Standard setting. All judges, ratings and scores here are made up."""

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from validation import EXACT, validates
from vertebra.teaching.files import TeachingError
from vertebra.teaching.standards import Bounds, Ratings, angoff, failing, hofstee, icc, load_angoff, load_hofstee
from vertebra.teaching.statistics import TooFewError

# The example of Shrout and Fleiss (1979): 6 targets, 4 judges.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def made_up(judges: int, items: int = 20, seed: int = 1, bias: float = 0.0) -> Ratings:
    """Return ratings of judges who see the same difficulties with some error; `bias` is the first one's severity."""
    rng = np.random.default_rng(seed)
    truth = np.linspace(0.4, 0.8, items)
    values = truth + rng.normal(0, 0.03, (judges, 1)) + rng.normal(0, 0.05, (judges, items))
    values[0] += bias
    names = tuple(f"made-up judge {j}" for j in range(judges))
    return Ratings(names, tuple(f"q{i}" for i in range(items)), np.clip(values, 0, 1))


# --- agreement -------------------------------------------------------------------------------------------------------


@validates(
    "teaching.standards",
    "Agreement of judges (ICC)",
    against="pingouin 0.7.0, stored, on the table of Shrout and Fleiss",
    kind="library",
    tolerance="1e-9",
)
def test_icc_is_the_published_one_and_pingouin_s() -> None:
    one, all_ = icc(SHROUT_FLEISS)
    assert (round(one.value, 2), round(all_.value, 2)) == (0.29, 0.62)  # as printed in 1979
    # pingouin 0.7.0, intraclass_corr: ICC(A,1), ICC(A,k); it rounds its limits
    assert one.value == pytest.approx(0.28976377952755916, abs=1e-9)
    assert all_.value == pytest.approx(0.6200505475989893, abs=1e-9)
    assert [round(x, 2) for x in (one.low, one.high, all_.low, all_.high)] == [0.02, 0.76, 0.07, 0.93]


def test_icc_is_that_of_the_anova_of_statsmodels() -> None:
    x = made_up(7, 12).values.T
    n, k = x.shape
    targets, raters = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)

    def residual(*factors: np.ndarray) -> float:
        dummies = [(f[:, None] == np.arange(1, f.max() + 1)).astype(float) for f in factors]
        return float(sm.OLS(x.ravel(), np.column_stack([np.ones(n * k), *dummies])).fit().ssr)

    both = residual(targets, raters)
    msr, msc = (residual(raters) - both) / (n - 1), (residual(targets) - both) / (k - 1)
    mse = both / ((n - 1) * (k - 1))
    one, all_ = icc(x)
    assert one.value == pytest.approx((msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n), abs=1e-9)
    assert all_.value == pytest.approx((msr - mse) / (msr + (msc - mse) / n), abs=1e-9)


def test_icc_limits_cover_the_truth() -> None:
    rng = np.random.default_rng(5)
    n, k, truth, runs = 20, 8, 1.0 / (1.0 + 0.2 + 0.8), 1000
    data = (
        rng.normal(0, 1, (runs, n, 1)) + rng.normal(0, 0.2**0.5, (runs, 1, k)) + rng.normal(0, 0.8**0.5, (runs, n, k))
    )
    hits = [one.low <= truth <= one.high for one, _ in map(icc, data)]
    assert 0.93 <= np.mean(hits) <= 0.97


def test_nothing_is_said_of_judges_who_never_vary() -> None:
    assert all(np.isnan(found.value) for found in icc(np.full((5, 3), 0.6)))


# --- Angoff ----------------------------------------------------------------------------------------------------------


def test_the_cut_is_the_mean_of_the_judges_sums_by_points() -> None:
    ratings = made_up(8)
    points = np.arange(1, 21)
    found = angoff(ratings, points)
    cuts = [100 * sum(row * points) / points.sum() for row in ratings.values]
    low, high = stats.t.interval(0.95, 7, np.mean(cuts), stats.sem(cuts))
    assert found.se == pytest.approx(stats.sem(cuts), abs=1e-9)
    assert [found.cut.value, found.cut.low, found.cut.high] == pytest.approx([np.mean(cuts), low, high], abs=1e-9)
    assert found.warnings == ()
    assert "5 judges" in angoff(made_up(5)).warnings[0]


def test_one_judge_far_from_the_others_is_named_and_only_that_one() -> None:
    found = angoff(made_up(8, bias=0.25))
    assert [judge.outlier for judge in found.judges] == [True] + [False] * 7
    assert "stricter" in found.judges[0].flags[0]
    assert "milder" in angoff(made_up(8, bias=-0.25)).judges[0].flags[0]


@validates("teaching.standards", "Judges who stand apart", against="statsmodels", kind="library", tolerance=EXACT)
def test_outliers_are_those_of_the_studentised_residuals_of_statsmodels() -> None:
    found = []
    for seed in range(60):
        panel = angoff(made_up(5, seed=seed, bias=0.002 * seed))
        fit = sm.OLS([judge.cut for judge in panel.judges], np.ones(5)).fit()
        expected = [bool(p < 0.05) for p in np.asarray(fit.outlier_test(method="bonf"))[:, 2]]
        assert [judge.outlier for judge in panel.judges] == expected
        found += expected
    assert 5 < sum(found) < 60


def test_a_judge_who_gave_every_item_the_same_rating_is_told_so() -> None:
    ratings = made_up(6)
    ratings.values[1] = 0.6
    judge = angoff(ratings).judges[1]
    assert judge.flags == ("gave every item the same rating",) and np.isnan(judge.agreement.value)


def test_panels_without_an_outlier_are_accused_in_five_per_cent() -> None:
    rng = np.random.default_rng(3)
    accused = 0
    for _ in range(400):
        values = 0.6 + rng.normal(0, 0.05, (8, 1)) * np.ones(4)
        accused += any(judge.outlier for judge in angoff(Ratings(tuple("abcdefgh"), tuple("wxyz"), values)).judges)
    assert 0.02 < accused / 400 < 0.08


def test_judges_are_held_against_each_other_and_against_the_class() -> None:
    ratings = made_up(6)
    turned = ratings.values.copy()
    turned[2] = turned[2][::-1]
    facilities = np.linspace(0.5, 0.95, 20)
    found = angoff(Ratings(ratings.judges, ratings.items, turned), facilities=facilities)
    others = np.delete(turned, 2, axis=0).mean(axis=0)
    assert found.judges[2].agreement.value == pytest.approx(stats.pearsonr(turned[2], others)[0], abs=1e-9)
    assert found.judges[0].facility.value == pytest.approx(stats.pearsonr(turned[0], facilities)[0], abs=1e-9)
    assert len(found.judges[2].flags) == 2 and found.judges[0].flags == ()


# --- Hofstee ---------------------------------------------------------------------------------------------------------


def bounds(*values: float) -> Bounds:
    return Bounds(("made-up a", "made-up b"), np.array([values, values]))


@validates(
    "teaching.standards",
    "Hofstee's cut",
    against="a crossing worked out by hand",
    kind="analytic",
    tolerance="0.01 points",
)
def test_hofstee_finds_the_crossing_that_can_be_worked_out() -> None:
    # An even spread of scores over 0 to 100: c % fail at the cut c. The line falls from (40, 60) to (80, 20).
    found = hofstee(bounds(40, 80, 20, 60), np.linspace(0, 100, 100_001))
    assert found.cut == pytest.approx(50, abs=0.01)
    assert found.fail == pytest.approx(50, abs=0.01)


def test_hofstee_with_one_failure_rate_takes_the_lowest_cut_at_which_so_many_fail() -> None:
    found = hofstee(bounds(40, 80, 50, 50), np.linspace(0, 100, 100_001))
    assert (found.cut, found.fail) == pytest.approx((50, 50), abs=0.01)


def test_hofstee_crosses_where_the_curve_first_reaches_the_line() -> None:
    rng = np.random.default_rng(8)
    for _ in range(100):
        scores = rng.integers(4, 21, size=60) * 5.0
        c1, c2 = np.sort(rng.uniform(30, 80, 2))
        f1, f2 = np.sort(rng.uniform(0, 60, 2))
        found = hofstee(bounds(c1, c2, f1, f2), scores)
        grid = np.linspace(c1, c2, 4001)
        curve = (scores < grid[:, None]).mean(axis=1) * 100
        line = f2 + (f1 - f2) * (grid - c1) / (c2 - c1)
        if curve[0] > f2 or curve[-1] < f1:
            assert found.cut is None
        else:
            assert found.cut == pytest.approx(grid[np.argmax(curve >= line - 1e-9)], abs=2 * (c2 - c1) / 4000)


@pytest.mark.parametrize(
    ("given", "word"), [((40, 50, 0, 10), "more fail than the judges accept"), ((1, 5, 20, 40), "fewer fail")]
)
def test_no_crossing_is_said_in_words(given: tuple[float, ...], word: str) -> None:
    found = hofstee(bounds(*given), np.linspace(0, 100, 200))
    assert (found.cut, found.fail) == (None, None)
    assert word in found.says
    assert "2 judges" in found.warnings[0]


def test_reaching_the_cut_passes_and_a_class_of_few_is_refused() -> None:
    scores = np.array([59.999, 60, 60, 75] * 10)
    assert failing(scores, 60) == 25
    assert failing(np.full(30, 100 * (0.1 + 0.2)), 30) == failing(np.full(30, 30 - 1e-12), 30) == 0
    with pytest.raises(TooFewError, match="19 examinees"):
        hofstee(bounds(40, 80, 0, 20), scores[:19])


# --- files -----------------------------------------------------------------------------------------------------------

CSV = "judge,q1,q2\nmade-up A,0.6,0.75\nmade-up B,0.5,0.8\n"
YAML = "made-up A: {q1: 0.6, q2: 0.75}\nmade-up B:\n  q2: 0.8\n  q1: 0.5\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", CSV),
        ("r.csv", "\ufeff" + CSV),
        ("r.csv", CSV.replace(",", ";").replace("0.", "0,")),
        ("r.csv", "sep=;\r\n" + CSV.replace(",", ";")),
        ("r.yml", YAML),
    ],
)
def test_both_kinds_of_file_give_the_same_ratings(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = load_angoff(tmp_path / name, ["q1", "q2"])
    assert found.judges == ("made-up A", "made-up B")
    assert found.values.tolist() == [[0.6, 0.75], [0.5, 0.8]]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("r.csv", CSV.replace("0.8", "80"), ":3: made-up B: q2 is 80.0; give a share from 0 to 1"),
        ("r.csv", CSV.replace("0.8", "nan"), ":3: made-up B: q2 is nan"),
        ("r.csv", CSV.replace("0.8", "high"), ":3: made-up B: q2 is 'high'"),
        ("r.csv", CSV.replace("0.8", ""), ":3: made-up B: has no q2"),
        ("r.csv", CSV.replace("q2", "q22"), ":2: made-up A: there is no q22; did you mean q2?"),
        ("r.csv", CSV.replace("up B", "up A"), ":3: made-up A: this judge is there twice"),
        ("r.csv", CSV.replace(",0.8", ""), ":3: has 2 cells and the first line 3"),
        ("r.csv", CSV.replace("q2", "q1"), ":1: a column is there twice"),
        ("r.csv", "name" + CSV[5:], ":1: the first column is not judge"),
        ("r.csv", "", ":1: the first column"),
        ("r.csv", CSV[:30], ":1: judges: there are 1"),
        ("r.yml", YAML.replace("q2: 0.8", "q2: [1]"), ":3: made-up B: q2 is [1]; give a share"),
        ("r.yml", YAML.replace("q2: 0.8", "q2: true"), ":3: made-up B: q2 is True"),
        ("r.yml", YAML.replace("q1: 0.5", "q2: 0.5"), ":4: made-up B: q2 is there twice"),
        ("r.yml", "made-up A: 3\n", ":1: made-up A: has no ratings"),
        ("r.yml", "- 1\n", ":1: holds no judges"),
        ("r.yml", "a: {b\n", ": is not YAML"),
    ],
)
def test_a_fault_names_file_line_and_mend(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(TeachingError) as error:
        load_angoff(tmp_path / name, ["q1", "q2"])
    assert str(tmp_path / name) + said in str(error.value) or (said in str(error.value) and "YAML" in said)


def test_hofstee_bounds_are_read_and_must_be_in_order(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("judge,lowest_cut,highest_cut,lowest_fail,highest_fail\nA,50,65,5,30\nB,55,70,0,20\n")
    assert load_hofstee(path).values.tolist() == [[50, 65, 5, 30], [55, 70, 0, 20]]
    path.write_text(path.read_text().replace("50,65", "65,50"))
    with pytest.raises(TeachingError, match=r"h.csv: judge A: lowest cut is above highest cut; exchange"):
        load_hofstee(path)
