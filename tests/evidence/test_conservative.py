"""The rules of a plan: each can be called up and silenced by its mend, and no dangerous plan is called acceptable."""

import copy
import itertools
import math
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.evidence import conservative
from vertebra.evidence.conservative import (
    SEVERITIES,
    Frailty,
    Plan,
    course,
    facts,
    faults,
    interactions,
    measures,
    omissions,
    presets,
    review,
    stages,
)
from vertebra.evidence.references import references

FLAGS = [each.name for each in fields(Frailty) if each.type is bool]
RULES = [*interactions(), *omissions()]
# Each number that a rule asks about, and the ones just below and above it.
NUMBERS = {
    name: sorted(
        {
            value
            for rule in RULES
            for condition in rule.patient
            if condition.feature == name
            for edge in (condition.least, condition.below)
            if math.isfinite(edge)
            for value in (edge - 1, edge)
        }
    )
    for name in ("age", "egfr")
}
patients = st.builds(
    Frailty, st.integers(50, 105), st.floats(5, 120, allow_nan=False), **{name: st.booleans() for name in FLAGS}
)
plans = st.builds(
    Plan,
    st.lists(st.sampled_from(list(measures())), unique=True, max_size=9).map(tuple),
    st.none() | st.integers(1, 84),
)


def test_the_file_is_without_a_fault_and_every_statement_names_its_source():
    assert faults() == []
    told = list(facts())
    assert len(told) > 200 and all(fact.refs and fact.says for fact in told)
    assert {fact.file for fact in told} == {"conservative.yml"}
    assert {str(fact.review_by) for fact in told} == {"2027-11-30"}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["measures"].append(d["measures"][0]), "paracetamol is used twice"),
        (lambda d: d["measures"][0].update(strength="gold"), "paracetamol has strength gold"),
        (lambda d: d["measures"][0].pop("harms"), "'harms' is a required property"),
        (lambda d: d["measures"][0]["found"].update(refs=[]), "paracetamol/found names no source"),
        (lambda d: d["measures"][0]["found"].update(refs=["nobody1999"]), "nobody1999, which does not exist"),
        (lambda d: d["measures"][0]["found"].update(refs=["gibbs2019"]), "gibbs2019, which nobody has opened"),
        (lambda d: d["interactions"][1].update(any=["nsiad"]), "names nsiad, no measure and no class"),
        (lambda d: d["interactions"][1].update(severity="bad"), "interactions/1/severity"),
        (lambda d: d["interactions"][1].update(patient={"tall": True}), "asks for tall, which no patient has"),
        (lambda d: d["features"].pop(), "differ in ssri"),
        (lambda d: d["presets"][0]["letter"]["measures"].append("leeches"), "names leeches, no measure"),
        (lambda d: d["presets"][0]["patient"].update(age=12), "maud: age is 12"),
    ],
)
def test_each_kind_of_fault_is_found(spoil, words):
    data = copy.deepcopy(conservative.data())
    spoil(data)
    assert any(words in fault for fault in faults(data)), faults(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Frailty(age=40), r"age is 40; give a number from 50 to 105 years"),
        (lambda: Frailty(age=True), "age is True"),
        (lambda: Frailty(egfr=math.nan), "egfr is nan; give a number from 5 to 120 mL/min/1.73 m2"),
        (lambda: Frailty(egfr="28"), "egfr is '28'"),
        (lambda: Frailty(falls=1), "falls is 1; it is true or false"),
        (lambda: Frailty.of({"ulcers": True}), "no feature 'ulcers'; did you mean 'ulcer'"),
        (lambda: Plan(("paracetamole",)), "no measure 'paracetamole'; did you mean 'paracetamol'"),
        (lambda: Plan(("ice", "ice")), "stands twice"),
        (lambda: Plan(review=0), "review is 0; give whole days from 1 to 84"),
        (lambda: Plan(review=True), "review is True"),
        (lambda: Plan(review=2.5), "review is 2.5"),
    ],
)
def test_what_is_no_patient_and_no_plan_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@settings(max_examples=300)
@given(plans, patients)
def test_no_plan_with_something_to_avoid_or_a_gap_is_called_acceptable(plan, frailty):
    said = review(plan, frailty)
    grave = any(each.rule.severity == "avoid" for each in said.warnings)
    assert said.acceptable == (not grave and not said.missing)
    order = [SEVERITIES.index(each.rule.severity) for each in said.warnings]
    assert order == sorted(order)
    assert said.verdict.startswith(
        {"avoid": "Not safe", "missing": "Not complete"}.get(said.grade, ("Accept", "Sound"))
    )
    assert [each.id for each in said.chosen] == [name for name in measures() if name in plan.measures]
    assert all(set(each.measures) <= set(plan.measures) for each in (*said.warnings, *said.missing))


@settings(max_examples=300)
@given(plans, patients, st.sampled_from(list(measures())))
def test_adding_a_measure_takes_a_warning_away_only_if_it_is_its_mend(plan, frailty, name):
    more = Plan(tuple(dict.fromkeys((*plan.measures, name))), plan.review)
    after = {each.rule.id for part in (review(more, frailty),) for each in (*part.warnings, *part.missing)}
    for each in (*review(plan, frailty).warnings, *review(plan, frailty).missing):
        assert each.rule.id in after or measures()[name].is_one_of(each.rule.unless)


@settings(max_examples=100)
@given(plans, patients)
def test_the_order_of_the_plan_does_not_matter(plan, frailty):
    turned = Plan(plan.measures[::-1], plan.review)
    said, other = review(plan, frailty), review(turned, frailty)
    assert [each.rule for each in said.warnings] == [each.rule for each in other.warnings]
    assert [each.rule for each in said.missing] == [each.rule for each in other.missing]


def patient_for(rule):
    """Return a patient as the rule asks, otherwise well."""
    wanted = {}
    for condition in rule.patient:
        if condition.value is not None:
            wanted[condition.feature] = condition.value
        else:
            wanted[condition.feature] = next(
                x for x in NUMBERS[condition.feature] if condition.least <= x < condition.below
            )
    return Frailty(**({"age": 60, "egfr": 90} | wanted))


def calling_plans(rule):
    """Yield the smallest plans that hold one of `any` and another of `also`."""
    firsts = [name for name, each in measures().items() if each.is_one_of(rule.any)] or [None]
    seconds = [name for name, each in measures().items() if each.is_one_of(rule.also)] or [None]
    days = None if rule.unreviewed else (rule.review_above or 6) + 1
    for pair in itertools.product(firsts, seconds):
        if pair[0] is None or pair[0] != pair[1]:
            yield Plan(tuple(each for each in pair if each), days)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_called_up_by_a_plan_and_silenced_by_its_mend(rule):
    frailty = patient_for(rule)
    small = list(calling_plans(rule))
    assert small and all(rule.applies(plan, frailty) is not None for plan in small)
    for name, each in measures().items():
        if each.is_one_of(rule.unless):
            assert rule.applies(Plan((*small[0].measures, name), small[0].review), frailty) is None
    # Each condition counts: turned round, the rule is silent.
    for condition in rule.patient:
        turned = next(
            value
            for value in ((not condition.value,) if condition.value is not None else NUMBERS[condition.feature])
            if condition.value is not None or not condition.least <= value < condition.below
        )
        assert rule.applies(small[0], replace(frailty, **{condition.feature: turned})) is None
    if rule.any and not rule.also:
        assert rule.applies(Plan((), small[0].review), frailty) is None
    if rule.review_above is not None:
        assert rule.applies(replace(small[0], review=rule.review_above), frailty) is None
        assert rule.applies(replace(small[0], review=None), frailty) is None
    if rule.unreviewed:
        assert rule.applies(Plan((), 7), frailty) is None


BASE = ("paracetamol", "early_walking", "physiotherapy", "falls_care", "safety_net", "vitamin_d", "bone_referral")


@settings(max_examples=200)
@given(patients)
def test_every_patient_without_a_red_flag_can_have_an_acceptable_plan(frailty):
    said = review(Plan(BASE, 7), frailty)
    assert said.acceptable != frailty.red_flag
    assert not frailty.red_flag or said.warnings[0].rule.id == "red_flag"


@pytest.mark.parametrize("name", list(presets()))
def test_each_invented_patient_comes_with_a_bad_plan_and_has_a_good_one(name):
    patient = presets()[name]
    assert review(patient.letter, patient.frailty).grade == "avoid"
    assert review(patient.sound, patient.frailty).acceptable


@pytest.mark.parametrize(
    ("egfr", "called"),
    [(29.9, {"nsaid_kidney_severe"}), (30, {"nsaid_kidney_moderate"}), (59.9, {"nsaid_kidney_moderate"}), (60, set())],
)
def test_the_kidney_decides_by_its_bands(egfr, called):
    said = review(Plan(("oral_nsaid",)), Frailty(age=60, egfr=egfr))
    assert {each.rule.id for each in said.warnings} == called


def test_maud_is_told_what_a_teacher_would_tell_her_doctor():
    maud = presets()["maud"]
    said = review(maud.letter, maud.frailty)
    assert {"nsaid_kidney_severe", "triple_whammy", "renal_opioid", "bed_rest_frail"} <= {
        each.rule.id for each in said.warnings if each.rule.severity == "avoid"
    }
    assert {"bowel", "mobilisation", "bone_drug", "review", "safety_net"} <= {each.rule.id for each in said.missing}
    assert said.verdict == "Not safe as it stands: 5 things to change first, 8 missing."
    triple = next(each for each in said.warnings if each.rule.id == "triple_whammy")
    assert (
        triple.measures == ("oral_nsaid",)
        and "1.31" in str(triple.rule.reason)
        and "[lapi2013" in str(triple.rule.reason)
    )


def test_the_published_shares_and_their_intervals():
    """Wilson's formula by hand, and the percentages as printed."""
    for each, printed in zip(course(), (53, 60, 54), strict=True):
        assert round(100 * each.share) == printed
        z, p, n = 1.959964, each.share, each.of
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = ((middle + side * half) / (1 + z * z / n) for side in (-1, 1))
        assert each.interval() == pytest.approx((low, high), abs=1e-4)


def test_the_numbers_drawn_stand_in_the_sources():
    """Each printed number of brace, rest and course is found in what was read of its reference."""
    data = conservative.data()
    read = {name: " ".join(each.outcomes) for name, each in references().items()}
    for arm in data["brace"]["arms"]:
        for number in (arm["mean"], arm["low"], arm["high"]):
            assert f"{number:.2f}" in read["kim2014brace"]
    for printed in data["brace"]["printed"]:
        for number in (printed["difference"], printed["low"], printed["high"]):
            assert f"{number}" in read["kim2014brace"]
        # What makes them unfit to draw: the estimate does not lie in the middle of its interval.
        assert abs((printed["low"] + printed["high"]) / 2 - printed["difference"]) > 1
    for rest in data["rest"]:
        for side in (rest["shorter"], rest["longer"]):
            assert f"{side['percent']}" in read[rest["ref"]]
    assert "229 (53%)" in read["klazen2010"] and "431" in read["klazen2010"] and "57/95" in read["venmans2012"]


def test_the_stages_follow_each_other_without_a_gap():
    assert all(before.end == after.start for before, after in itertools.pairwise(stages()))
    building = next(each for each in stages() if each.id == "build")
    assert (building.start, building.end) == (4, 12) and "rosuk" in building.does.refs
