"""The trials: what may be pooled, what a pool is, and every printed count recomputed."""

import copy
import math

import numpy as np
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

from validation import USUAL, validates
from vertebra import assets
from vertebra.evidence.exhibits import counts, entrants
from vertebra.evidence.pooling import Estimate, Twice, around, leave_one_out, pool, risks
from vertebra.evidence.trials import (
    baseline,
    event_tables,
    facts,
    faults,
    measures,
    obstacles,
    pooled,
    rows,
    studies,
)

ONE = ["kallmes2009-pain-month1", "firanescu2018-pain-month1"]
THREE = ["buchbinder2009-pain-month3", "firanescu2018-pain-month3"]
TWELVE = ["comstock2013-pain-month12", "firanescu2018-pain-month12"]
CHRONIC = "carli2023-pain-month12"


def chosen(*ids):
    return [rows()[each] for each in ids]


def both(estimate):
    return estimate.value, estimate.low, estimate.high


trials = st.lists(
    st.tuples(st.floats(-3, 3), st.floats(0.1, 1.5)).map(lambda pair: around(*pair)), min_size=2, max_size=6
)


# --- data ------------------------------------------------------------------------------------------------------------


def test_44_results_without_a_fault_and_nine_never_compared():
    assert faults() == []
    assert len(rows()) == 44 and len(studies()) == 15
    assert sum(not row.checked for row in rows().values()) == 9
    told = list(facts())
    assert len({fact.id for fact in told}) == len(told)
    assert sum(fact.unchecked for fact in told) == 9 + 2  # and what is said to matter, for two outcomes


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["rows"].append(d["rows"][0]), "is used twice"),
        (lambda d: d["rows"][0].update(study="nobody1999"), "names study nobody1999"),
        (lambda d: d["rows"][0].update(refs=["nobody1999"]), "names references nobody1999"),
        (lambda d: d["rows"][0].update(refs=["denis1983"]), "nobody has opened"),
        (lambda d: d["rows"][0].update(difference=2.0), "lies outside its interval"),
        (lambda d: d["rows"][1].pop("n"), "needs n, arms_are"),
        (lambda d: d["rows"][1].pop("arms"), "neither a difference nor arms"),
        (lambda d: d["rows"][0].update(colour="red"), "'colour' was unexpected"),
        (lambda d: d["studies"][0].update(blinding="half"), "studies/0/blinding"),
        (lambda d: d["events"][0]["arms"][0].update(of=157), "nobody without the event"),
        (lambda d: d["baseline"]["rows"][0]["values"].pop(), "has 3 values"),
        (lambda d: d["baseline"]["trials"].append("nobody1999"), "baseline names study nobody1999"),
    ],
)
def test_each_kind_of_fault_is_found(spoil, words):
    data = copy.deepcopy(assets.read_yaml("evidence/trials.yml"))
    spoil(data)
    assert any(words in fault for fault in faults(data)), faults(data)


def test_a_difference_from_arms_favours_the_arm_that_did_better():
    evans = rows()["evans2016-pain-month12"]
    assert evans.computed and evans.difference == pytest.approx(2.3 - 3.0)  # kyphoplasty had more pain left
    assert evans.estimate.error == pytest.approx(math.sqrt(2.8**2 / 59 + 2.6**2 / 56))
    vapour = rows()["clark2016-responder-weeks"]
    assert vapour.difference == pytest.approx(100 * (24 / 55 - 12 / 57))  # more responders: in favour
    fractures = rows()["klazen2010b-fracture-month12"]
    assert fractures.difference == pytest.approx(100 * (21 / 85 - 15 / 91))  # fewer fractures: in favour
    assert fractures.estimate.low < fractures.difference < fractures.estimate.high
    assert rows()["wardlaw2009-fracture-month12"].estimate is None


def test_intervals_were_copied_as_they_were_read():
    """The standard errors that the library's own table of these results states."""
    stated = {
        "buchbinder2009-pain-month3": 0.638,
        "kallmes2009-disability-month1": 1.046,
        "comstock2013-pain-month12": 0.503,
        "firanescu2018-pain-month12": 0.411,
        "carli2023-pain-month12": 0.638,
        "staples2011-pain-month1-recent": 0.765,
        "klazen2010-pain-month1": 0.416,
        "wardlaw2009-function-month1": 1.148,
        "boonen2011-pain-month24": 0.304,
        "berenson2011-disability-month1": 0.408,
    }
    for name, error in stated.items():
        assert rows()[name].estimate.error == pytest.approx(error, abs=6e-4), name


def test_the_baseline_shows_why_vapour_is_another_trial():
    columns, lines = baseline()
    assert [study.name for study in columns] == ["INVEST", "Buchbinder", "VERTOS IV", "VAPOUR"]
    numbers = {line.what: [float(value.split()[0].split("-")[0]) if value[:1].isdigit() else None
                           for value in line.values] for line in lines}  # fmt: skip
    assert numbers["Age of the fracture"] == sorted(numbers["Age of the fracture"], reverse=True)
    for what in ("Pain at entry", "Cement"):
        assert numbers[what] == sorted(numbers[what])
    assert all(line.refs for line in lines)


# --- pools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (ONE, (0.51, -0.08, 1.11)),
        (THREE, (0.31, -0.33, 0.96)),
        (TWELVE, (0.68, 0.05, 1.30)),
        ([*TWELVE, CHRONIC], (0.80, 0.24, 1.36)),
    ],
)
def test_sham_controlled_trials_pool_to_the_stated_values(ids, expected):
    found = pooled(chosen(*ids))
    assert both(found.fixed) == pytest.approx(expected, abs=0.01)
    assert found.tau2 == 0 and found.q < 1.6 and both(found.random) == both(found.fixed)
    # What is said to matter in pain lies above every limit.
    assert found.fixed.high < measures()["pain"].important.low
    assert (found.prediction is None) == (len(ids) < 3)


@settings(max_examples=60)
@given(trials)
def test_a_pool_is_what_the_textbook_sum_gives(some):
    """Inverse variance by hand; Paule and Mandel's tau² as the root of Q(tau²) = k - 1, found by bisection."""
    values, variances = (np.array(each) for each in zip(*((t.value, t.error**2) for t in some), strict=True))
    found = pool(some)
    weights = 1 / variances
    middle = (weights * values).sum() / weights.sum()
    assert found.fixed.value == pytest.approx(middle, abs=1e-9)
    assert found.fixed.error == pytest.approx(weights.sum() ** -0.5)
    assert found.fixed_weights == pytest.approx(weights / weights.sum())
    assert found.q == pytest.approx((weights * (values - middle) ** 2).sum(), abs=1e-7)

    def left(tau2):
        w = 1 / (variances + tau2)
        return (w * (values - (w * values).sum() / w.sum()) ** 2).sum() - (len(some) - 1)

    tau2 = optimize.brentq(left, 0, 100, xtol=1e-12) if left(0) > 0 else 0.0
    assert found.tau2 == pytest.approx(tau2, abs=1e-9)
    w = 1 / (variances + tau2)
    assert found.random.value == pytest.approx((w * values).sum() / w.sum(), abs=1e-9)
    assert found.random.error >= found.fixed.error - 1e-9
    if tau2 == 0:
        assert both(found.random) == pytest.approx(both(found.fixed))


@validates(
    "evidence.pooling",
    "Fixed and random effects, tau², Q, Hartung and Knapp",
    against="statsmodels",
    kind="library",
    tolerance="1e-9",
)
@settings(max_examples=25)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(trials)
def test_a_pool_is_that_of_statsmodels(some):
    """Asked for 1e-10: by itself its search ends at a scatter 1e-5 off. Where rounding lets it say 0, it is wrong."""
    found, small = pool(some), pool(some, small_sample=True)
    values, variances = (np.array(each) for each in zip(*((t.value, t.error**2) for t in some), strict=True))
    theirs = combine_effects(values, variances, method_re="pm", atol=1e-10)
    k = len(some)
    assume(theirs.tau2 > 0 or theirs.q <= k - 1)
    assert found.tau2 == pytest.approx(theirs.tau2, abs=1e-9)
    assert found.q == pytest.approx(theirs.q, abs=1e-9)
    assert found.p == pytest.approx(stats.chi2.sf(max(theirs.q, 0), k - 1), abs=1e-9)
    assert (found.fixed.value, found.fixed.error) == pytest.approx((theirs.mean_effect_fe, theirs.sd_eff_w_fe))
    assert (found.random.value, found.random.error) == pytest.approx(
        (theirs.mean_effect_re, theirs.sd_eff_w_re), abs=1e-9
    )
    assert found.fixed_weights == pytest.approx(theirs.weights_rel_fe)
    assert found.random_weights == pytest.approx(theirs.weights_rel_re, abs=1e-9)
    scale = max(1, math.sqrt(theirs.scale_hksj_re))
    reach = stats.t.isf(0.025, k - 1) * theirs.sd_eff_w_re * scale
    assert small.random.high - small.random.value == pytest.approx(reach, rel=1e-7)


@settings(max_examples=30)
@given(trials, st.randoms())
def test_order_does_not_matter_and_a_shift_shifts(some, chance):
    mixed = [*some]
    chance.shuffle(mixed)
    moved = [Estimate(t.value + 1, t.low + 1, t.high + 1) for t in mixed]
    assert both(pool(mixed).random) == pytest.approx(both(pool(some).random), abs=1e-9)
    assert both(pool(moved).random) == pytest.approx([each + 1 for each in both(pool(some).random)], abs=1e-9)


def test_leaving_one_of_two_out_leaves_the_other():
    some = [row.estimate for row in chosen(*ONE)]
    without = leave_one_out(some)
    assert [each.fixed.value for each in without] == [some[1].value, some[0].value]
    assert without[0].fixed.error == pytest.approx(some[1].error)
    with pytest.raises(ValueError, match="at least two"):
        leave_one_out(some[:1])
    with pytest.raises(ValueError, match="nothing to pool"):
        pool([])


def test_small_sample_intervals_are_students_and_never_narrower():
    some = [row.estimate for row in chosen(*TWELVE, CHRONIC)]
    plain, small = pool(some), pool(some, small_sample=True)
    assert small.random.high - small.random.value == pytest.approx(stats.t.isf(0.025, 2) * plain.random.error)
    far = [around(0, 0.2), around(3, 0.2), around(1, 0.2)]
    values = np.array([0, 3, 1.0])
    # With equal errors the method is the one-sample t of the three values.
    assert pool(far, True).random.high == pytest.approx(
        values.mean() + stats.t.isf(0.025, 2) * values.std(ddof=1) / math.sqrt(3), abs=1e-9
    )


@validates(
    "evidence.pooling",
    "Cover of a prediction interval",
    against="300 simulated sets of trials",
    kind="computation",
    tolerance="0.92 to 0.985",
)
def test_a_prediction_interval_holds_as_many_next_trials_as_it_says():
    """Ten precise trials: the interval is that of a single next value, t on k - 2 degrees of freedom."""
    chance = np.random.default_rng(5)
    inside = []
    for _ in range(300):
        truths = chance.normal(1, 0.5, 11)
        found = pool([around(truth + 0.05 * chance.normal(), 0.05) for truth in truths[:10]])
        inside.append(truths[10] in found.prediction)
    assert 0.92 <= np.mean(inside) <= 0.985


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["kallmes2009-pain-month1", "kallmes2009-pain-month1-arms"], "not yet been compared with the paper"),
        (["klazen2010-pain-month1"], "not yet been compared"),
        (["wardlaw2009-fracture-month12"], "not yet been compared"),
        (["firanescu2018-pain-entry"], "at entry is chance"),
        (["kallmes2009-pain-month1", "comstock2013-pain-month12"], "patients of INVEST would count twice"),
        (["staples2011-pain-month1-recent", "kallmes2009-pain-month1"], "patients of INVEST would count twice"),
        (["staples2011-pain-month1-recent", "staples2011-pain-month1-severe"], "would count twice"),
        (["evans2016-pain-month1", "kallmes2009-pain-month1"], "different questions"),
        (["kallmes2009-pain-month1", "firanescu2018-pain-month3"], "different times: 1 month; 3 months"),
        (["kallmes2009-disability-month1", "firanescu2018-pain-month1"], "different outcomes"),
    ],
)
def test_what_may_not_be_pooled_is_refused_with_its_reason(ids, words):
    assert any(words in reason for reason in obstacles(chosen(*ids)))
    with pytest.raises(ValueError, match=words):
        pooled(chosen(*ids))


# --- counts ----------------------------------------------------------------------------------------------------------

PRINTED = {
    "leak-dohm2014": ("0.90 (0.81 to 1.00)", "0.045"),
    "fracture-12-dohm2014": ("0.82 (0.61 to 1.10)", None),
    "fracture-24-dohm2014": ("0.85 (0.66 to 1.09)", None),
    "fracture-klazen2010b": ("0.67 (0.37 to 1.21)", "0.18"),
    "height-klazen2010b": ("0.29 (0.16 to 0.54)", None),
    "fracture-yang2019": ("1.15 (0.73 to 1.80)", None),
    "responder-clark2016": (None, "0.011"),
    "fracture-kendler2018": ("0.44 (0.28 to 0.67)", None),
    "rest-cho2022bedrest": (None, "0.020"),
}


@pytest.mark.parametrize("name", PRINTED)
def test_every_table_of_counts_comes_out_as_stated(name):
    ratio, p = PRINTED[name]
    found = event_tables()[name].risks
    if ratio:
        assert "{:.2f} ({:.2f} to {:.2f})".format(*both(found.ratio)) == ratio
    if p:
        assert f"{found.p:.{len(p) - 2}f}" == p


def test_vapour_in_points_and_in_numbers_needed():
    found = event_tables()["responder-clark2016"].risks
    assert "{:.1f} ({:.1f} to {:.1f})".format(*both(found.difference)) == "22.6 (5.7 to 39.4)"
    assert found.number_needed == pytest.approx(4.43, abs=0.01)


def test_a_printed_p_that_does_not_fit_is_explained():
    for table in event_tables().values():
        if table.printed_p is not None:
            digits = len(f"{table.printed_p:g}") - 2
            fits = round(table.risks.p, digits) == table.printed_p
            assert fits == (not table.why), table.id
    assert f"{event_tables()['leak-dohm2014'].risks.exact:.3f}" == "0.047"
    klazen = event_tables()["fracture-klazen2010b"].risks
    assert klazen.exact < 0.2 and klazen.p < 0.2  # neither is anywhere near the printed 0.44


@validates("evidence.pooling", "Risk ratio with its interval", against="statsmodels", kind="library", tolerance=USUAL)
def test_risks_agree_with_statsmodels_and_refuse_empty_cells():
    from statsmodels.stats.contingency_tables import Table2x2

    found, table = risks((24, 12), (55, 57)), Table2x2(np.array([[24, 31], [12, 45]]))
    assert found.ratio.value == pytest.approx(table.riskratio)
    assert (found.ratio.low, found.ratio.high) == pytest.approx(table.riskratio_confint())
    with pytest.raises(ValueError, match="0 of 10"):
        risks((0, 3), (10, 10))
    assert risks((3, 6), (10, 20)).number_needed == math.inf


# --- regression to the mean ------------------------------------------------------------------------------------------


@validates(
    "evidence.exhibits",
    "Regression to the mean",
    against="the truncated normal of SciPy",
    kind="library",
    tolerance=USUAL,
)
@pytest.mark.parametrize("people", [Twice(5, 1.5, 1.5, 7), Twice(6, 2, 0.5, 5), Twice(4, 0.5, 2, 8)])
def test_regression_to_the_mean_is_the_truncated_normals(people):
    """The mean of a normal cut off at the threshold, from scipy; on the second day only the lasting part is left."""
    spread = math.hypot(people.between, people.within)
    first, second = people.expected()
    above = (people.threshold - people.mean) / spread
    assert first == pytest.approx(stats.truncnorm.mean(above, np.inf, people.mean, spread))
    lasting = people.between**2 / spread**2
    assert (second - people.mean) / (first - people.mean) == pytest.approx(lasting)
    seen = people.simulated(400_000, 3)
    assert seen[:, 0].min() >= people.threshold
    error = spread / math.sqrt(len(seen))
    assert seen.mean(axis=0) == pytest.approx([first, second], abs=4 * error)


def test_without_daily_change_nothing_regresses():
    first, second = Twice(5, 1.5, 1e-9, 7).expected()
    assert second == pytest.approx(first)


# --- exhibits --------------------------------------------------------------------------------------------------------


def test_the_exhibits_show_what_was_computed_and_say_what_does_not_fit():
    shown = counts("fracture-klazen2010b", "responder-clark2016")
    text = shown._repr_html_()
    assert repr(shown) == "2 tables of counts, 1 of which print what the counts do not give"
    assert "0.67 (0.37 to 1.21)" in text and "0.177" in text and "p = 0.44" in text and "No test of these" in text
    assert "22.6 (5.7 to 39.4)" in text and "worked back from percentages" in text
    assert len(counts().tables) == len(event_tables())
    with pytest.raises(ValueError, match="no table of counts 'x'"):
        counts("x")
    table = entrants()._repr_html_()
    assert "−4.3 (1.0)" in table and "57–59" in table and "not recorded" in table and "IQR 10–36" in table
    assert "INVEST, Buchbinder, VERTOS IV, VAPOUR" in repr(entrants())


# --- the quiz --------------------------------------------------------------------------------------------------------


def test_the_keys_of_numeric_questions_are_what_the_data_give():
    two = pool([row.estimate for row in chosen(*ONE)])
    klazen, vapour = (event_tables()[each].risks for each in ("fracture-klazen2010b", "responder-clark2016"))
    expected = {
        "ev-p10": 100 * two.fixed_weights[1],
        "ev-p11": two.fixed.value,
        "ev-p14": klazen.ratio.value,
        "ev-p15": vapour.number_needed,
    }
    bank = yaml.safe_load((assets.root().parent / "quizzes" / "bank" / "10_evidence.yml").read_text(encoding="utf-8"))
    numeric = {item["id"]: item["answer"] for item in bank["items"] if item["format"] == "numeric"}
    assert numeric.keys() == expected.keys()
    for name, answer in numeric.items():
        assert answer["value"] == pytest.approx(expected[name], abs=answer["tolerance"] / 2), name
