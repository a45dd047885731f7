"""Bayes on intervals against sums done another way; actions that no probability can move; the file without a fault."""

import copy
import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linprog

from validation import validates
from vertebra import assets
from vertebra.evidence.redflags import (
    Interval,
    clocks,
    crowd,
    decision,
    differential,
    facts,
    faults,
    fourfold,
    independent,
    post_test,
    ratio_of_counts,
    redflags,
    strongest,
    updated,
    urgent,
    whatever_the_overlap,
)
from vertebra.evidence.references import references
from vertebra.quiz.items import find_bank, load_bank

SHARES = st.floats(0, 1)
RATIOS = st.floats(0.05, 60)
PRIMARY = Interval(0.007, 0.045)


def intervals(numbers):
    return st.tuples(numbers, numbers).map(lambda pair: Interval(*sorted(pair)))


# --- Bayes -----------------------------------------------------------------------------------------------------------


@validates(
    "evidence.redflags",
    "Probability after a red flag",
    against="a crowd counted in exact fractions",
    kind="analytic",
    tolerance="1e-12 of the value",
)
@pytest.mark.parametrize(("prior", "ratio"), [("1/50", 4), ("1/50", 48), ("9/200", 48), ("3/100", 12), ("1/2", 1)])
def test_a_probability_is_updated_as_in_a_crowd_that_is_counted(prior, ratio):
    """A ratio of k: the finding is k times as frequent among those with a fracture. Counted in exact fractions."""
    prior = Fraction(prior)
    among_sick, among_well = Fraction(1), Fraction(1, ratio)
    counted = prior * among_sick / (prior * among_sick + (1 - prior) * among_well)
    assert updated(float(prior), ratio) == pytest.approx(float(counted), rel=1e-12)


def test_the_syllabus_numbers_come_out():
    """2 % before: 6 to 21 % after trauma, 8 to 16 % for age, 8 to 49 % on steroids; 4.5 % and 48: 69 %."""
    found = redflags().findings
    two = Interval(0.02, 0.02)
    for name, low, high in (("trauma", 0.058, 0.210), ("age", 0.075, 0.155), ("steroid", 0.075, 0.495)):
        after = post_test(two, found[name].ratio)
        assert (after.low, after.high) == pytest.approx((low, high), abs=0.001)
    assert post_test(PRIMARY, found["steroid"].ratio).high == pytest.approx(0.693, abs=0.001)


@given(intervals(SHARES), intervals(RATIOS), st.floats(0, 1), st.floats(0, 1))
def test_every_prior_and_ratio_within_their_intervals_end_within_the_result(prior, ratio, here, there):
    after = post_test(prior, ratio)
    inside = prior.low + here * (prior.high - prior.low), ratio.low + there * (ratio.high - ratio.low)
    assert after.low - 1e-9 <= updated(*inside) <= after.high + 1e-9


@given(st.floats(0.001, 0.999), RATIOS, RATIOS)
def test_odds_are_what_is_multiplied(prior, first, second):
    after = updated(updated(prior, first), second)
    assert after == pytest.approx(updated(prior, first * second), rel=1e-9)
    assert after / (1 - after) == pytest.approx(prior / (1 - prior) * first * second, rel=1e-6)


@given(intervals(st.floats(0.001, 0.9)), st.lists(intervals(st.floats(1, 50)), min_size=1, max_size=4))
def test_together_lie_between_the_strongest_alone_and_independence(prior, ratios):
    alone, product = strongest(prior, ratios), independent(prior, ratios)
    assert alone.low <= product.low + 1e-12 and alone.high <= product.high + 1e-12
    singles = [post_test(prior, ratio) for ratio in ratios]
    assert alone.low == max(each.low for each in singles) and alone.high == max(each.high for each in singles)
    if len(ratios) == 1:
        assert product == singles[0] == alone
    assert strongest(prior, []) == prior


def test_ratios_alone_allow_anything():
    """Two findings with a ratio of 2 each, in a crowd where they may always or never go with a fracture together."""
    modest = (0.4, 0.8)
    assert modest[0] / (1 - modest[1]) == pytest.approx(2)
    assert whatever_the_overlap(0.3, [modest, modest]) == Interval(0, 1)
    # The bound that the lesson prints: two strong signs leave no such freedom below.
    signs = [(42 / 48, 27 / 30), (39 / 48, 28 / 30)]
    assert 0.94 < whatever_the_overlap(0.62, signs).low < 0.945


def extreme(shares, sign):
    """Least (1) or greatest (-1) share in which all are true, given each one's share: by linear programming."""
    cells = list(itertools.product((0, 1), repeat=len(shares)))
    rows = [[cell[i] for cell in cells] for i in range(len(shares))] + [[1] * len(cells)]
    aim = [sign * float(all(cell)) for cell in cells]
    return sign * linprog(aim, A_eq=rows, b_eq=[*shares, 1], bounds=(0, 1), method="highs").fun


@validates(
    "evidence.redflags",
    "Bounds when several flags overlap as they like",
    against="linear programs over all crowds",
    kind="library",
    tolerance="1e-9",
)
@pytest.mark.parametrize(
    ("prior", "tests"),
    [
        (0.02, [(0.875, 0.9), (0.8125, 28 / 30)]),
        (0.3, [(0.9, 0.3), (0.8, 0.4), (0.85, 0.2)]),
        (0.1, [(0.4, 0.8), (0.5, 0.7)]),
        (0.62, [(0.875, 0.9)]),
    ],
)
def test_the_bounds_are_those_of_the_best_and_worst_crowd(prior, tests):
    sick, well = [a for a, _ in tests], [1 - b for _, b in tests]
    least, most = extreme(sick, 1), extreme(sick, -1)
    few, many = max(extreme(well, 1), 0.0), extreme(well, -1)
    found = whatever_the_overlap(prior, tests)
    assert found.low == pytest.approx(prior * least / (prior * least + (1 - prior) * many), abs=1e-9)
    assert found.high == pytest.approx(prior * most / (prior * most + (1 - prior) * few), abs=1e-9)
    both = math.prod(sick) * prior
    assert found.low <= both / (both + (1 - prior) * math.prod(well)) <= found.high


def test_bounds_at_the_corners():
    assert whatever_the_overlap(0.5, [(1, 1)]) == Interval(1, 1)
    assert whatever_the_overlap(0.5, [(0, 0)]) == Interval(0, 0)
    assert whatever_the_overlap(0.0, [(0.9, 1.0)]) == Interval(0, 1)  # such a positive person cannot exist
    with pytest.raises(ValueError, match="tests is empty"):
        whatever_the_overlap(0.5, [])
    with pytest.raises(ValueError, match="give a probability from 0 to 1"):
        whatever_the_overlap(0.5, [(1.2, 0.5)])


@pytest.mark.parametrize("ends", [(0.2, 0.1), (-0.1, 0.3), (math.nan, 1), (0, math.inf), (0, math.nan)])
def test_what_is_no_interval_is_refused(ends):
    with pytest.raises(ValueError, match="an interval runs from"):
        Interval(*ends)


@pytest.mark.parametrize("prior", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(prior):
    with pytest.raises(ValueError, match="give a probability from 0 to 1"):
        updated(prior, 2)


# --- Intervals from counts -------------------------------------------------------------------------------------------


@validates(
    "evidence.redflags", "Likelihood ratio of counts", against="SciPy", kind="library", tolerance="1e-6 of the value"
)
def test_a_ratio_of_counts_is_scipys_relative_risk():
    ours = ratio_of_counts(42, 48, 3, 30)
    theirs = stats.contingency.relative_risk(42, 48, 3, 30).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6)
    assert math.sqrt(ours.low * ours.high) == pytest.approx(0.875 / 0.1)


@pytest.mark.parametrize("counts", [(0, 48, 3, 30), (49, 48, 3, 30), (42, 48, 0, 30), (42, 48, 31, 30)])
def test_counts_that_fit_no_study_are_refused(counts):
    with pytest.raises(ValueError, match="every count"):
        ratio_of_counts(*counts)


# --- Natural frequencies ---------------------------------------------------------------------------------------------


@given(intervals(SHARES), st.integers(1, 5000))
def test_a_crowd_adds_up(probability, people):
    counted = crowd(probability, people)
    assert counted.surely + counted.perhaps + counted.rest == people
    assert min(counted.surely, counted.perhaps, counted.rest) >= 0
    assert abs(counted.surely - people * probability.low) <= 0.5
    assert abs(counted.surely + counted.perhaps - people * probability.high) <= 0.5


@given(SHARES, SHARES, SHARES, st.integers(1, 5000))
def test_a_fourfold_table_adds_up_in_every_direction(prior, sensitivity, specificity, people):
    table = fourfold(prior, sensitivity, specificity, people)
    assert table.found + table.missed == round(people * prior)
    assert table.found + table.missed + table.alarmed + table.spared == people
    assert min(table.found, table.missed, table.alarmed, table.spared) >= 0
    assert abs(table.found - people * prior * sensitivity) <= 1.0
    assert abs(table.alarmed - people * (1 - prior) * (1 - specificity)) <= 1.0
    assert table.positive == table.found + table.alarmed


def test_the_same_sign_in_two_crowds():
    """The numbers of the lesson's picture, by hand: 2 % and 62 % of 1000."""
    rare, often = fourfold(0.02, 42 / 48, 0.9), fourfold(0.62, 42 / 48, 0.9)
    assert (rare.found, rare.missed, rare.alarmed, rare.spared) == (18, 2, 98, 882)
    assert (often.found, often.missed, often.alarmed, often.spared) == (542, 78, 38, 342)


def test_a_threshold_is_crossed_as_it_lies():
    after = Interval(0.05, 0.2)
    assert [decision(after, share) for share in (0.05, 0.051, 0.2, 0.21)] == ["above", "across", "across", "below"]
    with pytest.raises(ValueError, match="threshold"):
        decision(after, 5)


# --- Actions ---------------------------------------------------------------------------------------------------------

ALL = sorted(redflags().flags)


@given(st.sets(st.sampled_from(ALL)))
def test_the_shortest_clock_comes_first_and_no_flag_is_left_without_an_action(flags):
    told = urgent(flags)
    assert [danger.hours for danger in told] == sorted(danger.hours for danger in told)
    assert bool(told) == bool(flags)
    assert not {danger.id for danger in told} & {name for danger in told for name in danger.replaces}


@given(st.sets(st.sampled_from(ALL), min_size=1), st.sampled_from(ALL))
def test_one_more_flag_never_gives_more_time(flags, flag):
    assert urgent(flags | {flag})[0].hours <= urgent(flags)[0].hours


@given(st.sets(st.sampled_from(ALL)))
def test_what_replaces_is_never_slower_than_what_it_replaces(flags):
    dangers = redflags().dangers
    for danger in urgent(flags):
        assert all(danger.hours <= dangers[name].hours for name in danger.replaces)


@pytest.mark.parametrize(
    ("flags", "first", "hours"),
    [
        ({"cancer"}, "known", 168),
        ({"cancer", "pattern"}, "metastasis", 24),
        ({"cancer", "deficit"}, "mscc", 0),
        ({"cancer", "root"}, "mscc", 0),
        ({"saddle"}, "cauda", 4),
        ({"fever"}, "infection", 24),
        ({"fever", "deficit"}, "abscess", 0),
        ({"fever", "collapse"}, "aorta", 0),
        ({"ankylosed"}, "stiff", 0),
        ({"odd"}, "pathological", 168),
    ],
)
def test_known_patients(flags, first, hours):
    told = urgent(flags)
    assert told[0].id == first and told[0].hours == hours
    assert told[0].tier == {0: "now", 4: "now", 24: "today", 168: "days"}[hours]


def test_what_contradicts_is_replaced():
    told = [danger.id for danger in urgent({"fever", "deficit", "host"})]
    assert "abscess" in told and "cord" in told
    # "Hold antibiotics" and "MRI within a week" must not stand beside "at once".
    assert not {"infection", "hidden"} & set(told)
    assert "infection" not in {danger.id for danger in urgent({"fever", "collapse"})}
    assert {"known", "metastasis", "radicular"}.isdisjoint(d.id for d in urgent({"cancer", "pattern", "root"}))


def test_no_cement_where_infection_is_near_and_a_surgeon_where_nerves_are():
    dangers = redflags().dangers
    for name in ("infection", "hidden", "abscess", "sepsis"):
        assert "No cement" in dangers[name].action and "contra_pages" in dangers[name].action_refs
    for name in ("cord", "cauda", "stiff", "cervical", "abscess"):
        assert "surgeon" in dangers[name].who


def test_an_unknown_flag_is_named():
    with pytest.raises(ValueError, match="there is no flag 'sneeze'; the flags are collapse, deficit"):
        urgent({"sneeze"})


# --- The file --------------------------------------------------------------------------------------------------------


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/redflags.yml"))


def test_the_file_has_no_fault_and_every_statement_is_a_fact():
    assert faults() == []
    every = list(facts())
    assert len({fact.id for fact in every}) == len(every) > 60
    known = references()
    assert all(ref == "unreferenced" or known[ref].publishable for fact in every for ref in fact.refs)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["flags"].append(d["flags"][0]), "id collapse is used twice"),
        (lambda d: d["findings"][0].update(refs=["denis1983"]), "nobody has opened"),
        (lambda d: d["dangers"][0]["action"].update(refs=[]), "action of aorta names no source"),
        (lambda d: d["settings"][0].pop("prior"), "primary must give either prior or counts"),
        (lambda d: d["findings"][0].update(lr=[9, 4]), "lr of age runs downwards"),
        (lambda d: d["findings"][3].update(sensitivity=[0.5, 0.2, 0.3]), "sensitivity of height does not lie"),
        (lambda d: d["dangers"][0].update(needs=["sneeze"]), "names the flag sneeze"),
        (lambda d: d["dangers"][0].update(replaces=["nothing"]), "names the danger nothing"),
        (
            lambda d: d["flags"].append({"id": "new", "name": "New", "refs": ["unreferenced"]}),
            "flag new leads to nothing",
        ),
        (lambda d: d["findings"][0].update(lr=[0, 4]), "findings/0/lr/0"),
        (lambda d: d.update(review_by=2027), "review_by"),
    ],
)
def test_each_planted_fault_is_found(data, spoil, words):
    spoil(data)
    found = faults(data)
    assert any(words in fault for fault in found), found


def test_intervals_that_a_source_does_not_give_are_recomputed():
    """Height: the corners. Wall and ribs: one source's estimate, worked out, up to the end of the other's interval."""
    found = redflags().findings
    height, wall, rib = found["height"], found["wall"], found["rib"]
    corners = (
        height.sensitivity.low / (1 - height.specificity.low),
        height.sensitivity.high / (1 - height.specificity.high),
    )
    assert (height.ratio.low, height.ratio.high) == pytest.approx(corners, abs=0.06)
    for finding, top in ((wall, 7.3), (rib, 5.1)):
        estimate = finding.sensitivity.value / (1 - finding.specificity.value)
        assert finding.ratio.low == pytest.approx(estimate, abs=0.05) and finding.ratio.high == top


def test_the_tables_say_what_the_file_says():
    table = clocks()
    assert [row[0] for row in table.rows][-1] == "An irritated root" and len(table.rows) == len(redflags().dangers)
    shown = table._repr_html_()
    assert "MRI within 4 hours of the request" in shown
    assert "[hawkins2023; nice_qs56; mscc_westmids; mscc_edreview; unreferenced]" in shown
    assert "Collapse, low blood pressure, pulsating mass or tearing pain; and fever, or a raised CRP" in shown
    assert repr(differential()) == f"Sudden back pain after 50: {len(redflags().differential)} rows"
    for name in ("Aort", "Myeloma", "Discitis", "Metastasis", "Pyelonephritis"):
        assert name in differential()._repr_html_()
    assert all(cell for row in differential().rows for cell in row)


# --- Numbers of the lesson's questions -------------------------------------------------------------------------------


def test_numeric_questions_are_computed_anew():
    bank = load_bank(find_bank("patient_and_red_flags"), frozenset(references()))
    numeric = {item.id: item for item in bank.items if item.format == "numeric"}
    sign = assets.read_yaml("evidence/redflags.yml")["findings"][6]["counts"]
    keys = {
        "rf-p09": (sign["hits"] / sign["fractured"]) / (sign["false_alarms"] / sign["whole"]),
        "rf-p22": 100 * updated(0.08, 5),
    }
    assert keys.keys() == numeric.keys()
    for name, value in keys.items():
        assert abs(value - numeric[name].answer.value) <= numeric[name].answer.absolute_tolerance()
    # The slips are the wrong sums that their rationales name, and lie outside what is accepted.
    slips = {"rf-p09": [42 / 3, 42 / 45], "rf-p22": [8 * 5, 100 * 0.08 / 0.92 * 5]}
    for name, values in slips.items():
        item = numeric[name]
        assert [slip.value for slip in item.slips] == pytest.approx(values, abs=0.05)
        assert all(abs(value - item.answer.value) > item.answer.absolute_tolerance() for value in values)


def test_the_three_crowds_of_the_question_are_what_their_rationales_say():
    assert [round(1000 * share) for share in (0.02, updated(0.02, 12), updated(0.5, 12))] == [20, 197, 923]
