"""Guidelines as tables: every document answers, unknown is never yes, stops come first, and flips are what they say."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra import assets
from vertebra.evidence.guidelines import (
    ANSWERS,
    CEMENT,
    FOR,
    TREATMENTS,
    advice,
    bodies,
    changes,
    facts,
    faults,
    flips,
    inputs,
    stopped,
    stops,
    timing,
    treatments,
)
from vertebra.evidence.patient import FIELDS, Patient, examples, holds, variants


def answers(patient):
    return {(each.body, each.treatment): each for each in advice(patient)}


def any_patient():
    """Patients of every kind, unknown fields among them; what contradicts itself is not one."""
    fields = {name: st.sampled_from([*FIELDS[name].trials, None]) for name in inputs()}

    def make(values):
        try:
            return Patient(**values)
        except ValueError:
            return None

    return st.fixed_dictionaries(fields).map(make).filter(lambda patient: patient is not None)


SEVERE = examples()["severe"].patient


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/guidelines.yml"))


def test_the_file_is_without_a_fault_and_every_statement_has_its_sources():
    assert faults() == []
    told = list(facts())
    assert all(fact.says and fact.refs and fact.review_by for fact in told)
    assert len(told) == len(stops()) + len(timing()) + len(bodies()) + sum(len(body.rules) for body in bodies())
    assert len({fact.id for fact in told}) == len(told)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["bodies"].append(d["bodies"][0]), "aaos is used twice"),
        (lambda d: d["bodies"][0]["rules"][0].update(refs=["nobody1999"]), "aaos rule 1 names references nobody1999"),
        (lambda d: d["bodies"][0]["rules"][0].update(refs=["tsoumakidou2017"]), "nobody has opened"),
        (lambda d: d["bodies"][0]["rules"][0].update(refs=[]), "names no source"),
        (lambda d: d["bodies"][0]["rules"][0].update(when={"pain": 3}), "there is no field pain"),
        (lambda d: d["bodies"][0]["rules"][0].update(answer="perhaps"), "'perhaps' is not one of"),
        (lambda d: d["bodies"][1]["rules"].pop(), "nice can leave surgery unanswered"),
        (lambda d: d["bodies"][1]["rules"].insert(0, d["bodies"][1]["rules"][-1]), "below one that always holds"),
        (lambda d: d["stops"][0].update(when={"unstable": "x"}), "deficit: unstable is 'x'"),
        (lambda d: d.pop("review_by"), "'review_by' is a required property"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(data)
    assert any(words in fault for fault in faults(data))


def test_each_document_answers_on_each_treatment():
    given_ = advice(SEVERE)
    assert [(each.body, each.treatment) for each in given_] == [(b.id, t) for b in bodies() for t in treatments()]
    assert tuple(treatments()) == TREATMENTS
    assert all(each.answer in (*ANSWERS, "ask", "stop") and each.says and each.refs for each in given_)


def test_what_the_documents_say_of_severe_pain_at_four_weeks():
    """As read in the sources: strong against (AAOS), option (NICE), usually appropriate (ACR), and so on."""
    said = {place: (each.answer, each.strength) for place, each in answers(SEVERE).items() if each.treatment in CEMENT}
    assert said == {
        ("aaos", "vertebroplasty"): ("against", "strong"),
        ("aaos", "kyphoplasty"): ("option", "weak"),
        ("nice", "vertebroplasty"): ("option", "recommended as an option"),
        ("nice", "kyphoplasty"): ("option", "recommended as an option"),
        ("acr", "vertebroplasty"): ("recommend", "usually appropriate"),
        ("acr", "kyphoplasty"): ("recommend", "usually appropriate"),
        ("asbmr", "vertebroplasty"): ("against", "not routinely"),
        ("asbmr", "kyphoplasty"): ("none", "insufficient evidence"),
        ("societies", "vertebroplasty"): ("option", "in appropriate patients"),
        ("societies", "kyphoplasty"): ("option", "in appropriate patients"),
        ("cochrane", "vertebroplasty"): ("against", "high- to moderate-quality evidence"),
        ("cochrane", "kyphoplasty"): ("none", ""),
        ("of_score", "vertebroplasty"): ("against", "total up to 5"),
        ("of_score", "kyphoplasty"): ("against", "total up to 5"),
        ("of_original", "vertebroplasty"): ("against", "total below 6"),
        ("of_original", "kyphoplasty"): ("against", "total below 6"),
    }


@pytest.mark.parametrize("name", ["pain_despite_optimal_care", "level_concordant", "mri_oedema"])
def test_nice_needs_each_of_its_conditions(name):
    assert answers(SEVERE.but(**{name: False}))["nice", "vertebroplasty"].answer == "against"
    lacking = answers(SEVERE.but(**{name: None}))["nice", "vertebroplasty"]
    assert lacking.answer == "ask" and lacking.asks == (name,)


def test_acr_rates_augmentation_lower_before_the_work_up_than_after():
    before, after = answers(SEVERE.but(mri_oedema=None)), answers(SEVERE)
    assert before["acr", "kyphoplasty"].strength == "may be appropriate"
    assert after["acr", "kyphoplasty"].strength == "usually appropriate"


def test_the_age_of_the_fracture_changes_no_document_when_all_else_is_met():
    """No document that was read fixes a number of weeks; they differ in the draft and in what trials admitted."""
    base = {place: each.answer for place, each in answers(SEVERE).items()}
    for weeks in (1, 6, 7, 13, 52):
        now = answers(SEVERE.but(fracture_age_weeks=weeks))
        assert {place: each.answer for place, each in now.items()} == base
    assert "no number of weeks" in answers(SEVERE.but(fracture_age_weeks=7))["nice", "vertebroplasty"].says


@pytest.mark.parametrize(
    ("of_type", "total", "conservative", "surgery"),
    [(2, 4, "recommend", "against"), (3, 6, "option", "option"), (4, 8, "against", "recommend")],
)
def test_the_score_answers_by_its_bands(of_type, total, conservative, surgery):
    """Density low +1, no progression -1, pain 8 +1, mobile -1: nothing in sum, so the type alone decides."""
    patient = SEVERE.but(of_type=of_type)
    assert patient.of_score().total == total
    now = answers(patient)
    assert (now["of_score", "conservative"].answer, now["of_score", "surgery"].answer) == (conservative, surgery)
    assert f"{total} points" in now["of_score", "surgery"].says


@settings(max_examples=300)
@given(any_patient())
def test_no_document_allows_cement_behind_a_stop_or_an_unknown_one(patient):
    """The stops written out by hand, beside the file's."""
    deficit = patient.neurology in ("N2", "N3", "N4") or patient.new_deficit
    torn = patient.plc_injured or patient.of_type == 5
    other = patient.mechanism == "high energy" or patient.looks_benign is False or patient.of_type == 0
    halted = bool(deficit or torn or patient.ankylosed or other or patient.infection or patient.coagulopathy)
    assert halted == bool(stopped(patient))
    known = (
        patient.neurology is not None
        and (patient.neurology != "N1" or patient.new_deficit is not None)
        and (patient.plc_injured is not None or patient.of_type in (0, 1, 5))
        and patient.infection is not None
        and patient.coagulopathy is not None
        and None not in (patient.ankylosed, patient.mechanism, patient.looks_benign, patient.of_type)
    )
    for each in advice(patient):
        if each.treatment in CEMENT:
            assert (each.answer == "stop") == halted
            assert each.answer not in FOR or (known and not halted)
        if (deficit and (patient.new_deficit is not False)) or torn:
            assert each.answer == "stop"


@settings(max_examples=150)
@given(any_patient())
def test_ask_names_what_would_settle_it(patient):
    """Whatever values the asked fields take, no document asks for the same again."""
    for each in advice(patient):
        assert bool(each.asks) == (each.answer == "ask")
        assert all(getattr(patient, name) is None for name in each.asks)


def test_nothing_known_allows_nothing():
    assert not {each.answer for each in advice(Patient()) if each.treatment in CEMENT} & set(FOR)


def test_every_rule_answers_for_somebody():
    """Each rule's words are given to some variant of the invented patients: none is dead."""
    people = [each.patient for each in examples().values()]
    people += [SEVERE.but(neurology="N1", new_deficit=False), SEVERE.but(fracture_age_weeks=9), SEVERE.but(of_type=0)]
    people += [SEVERE.but(cancer=True), SEVERE.but(neurology="N2", new_deficit=False), SEVERE.but(mri_oedema=None)]
    people += [other for name in inputs() for other in variants(SEVERE, name)]
    people += [SEVERE.but(of_type=3), SEVERE.but(of_type=4)]
    for body in bodies():
        for rule in body.rules:
            used = any(
                next(r for r in body.rules if treatment in r.treatments and holds(r.when, person) is not False) is rule
                for person in people
                for treatment in rule.treatments
            )
            assert used, (body.id, rule.when)


@pytest.mark.parametrize("name", list(examples()))
def test_flips_are_what_a_second_look_finds(name):
    patient = examples()[name].patient
    now = {place: each.answer for place, each in answers(patient).items()}
    seen = set()
    for flip in flips(patient):
        also = {"new_deficit": None} if flip.field == "neurology" and patient.neurology == "N0" else {}
        after = answers(patient.but(**also, **{flip.field: flip.value}))
        differing = {place for place in now if after[place].answer != now[place]}
        assert differing == {(change.body, change.treatment) for change in flip.changes} != set()
        assert all(
            (c.before, c.after) == (now[c.body, c.treatment], after[c.body, c.treatment].answer) for c in flip.changes
        )
        seen.add(flip.field)
    for field in set(inputs()) - seen:
        assert all(changes(advice(patient), advice(other)) == () for other in variants(patient, field))


def test_of_a_number_the_nearest_value_is_given():
    (flip,) = [each for each in flips(SEVERE) if each.field == "pain_0_10"]
    assert flip.value == 6  # 7 still counts as severe


def test_windows_of_time_disagree():
    inside = {each.id: each.weeks[0] <= 10 and (each.weeks[1] is None or each.weeks[1] >= 10) for each in timing()}
    assert set(inside.values()) == {True, False}
