"""One patient: what may not be, what is unknown, and what the scores make of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebra.evidence.patient import (
    DERIVED,
    FIELDS,
    Patient,
    condition_faults,
    describe,
    examples,
    holds,
    missing,
    named,
    variants,
)
from vertebra.measure.scores import OF_MODIFIED, OF_ORIGINAL, OfPatient, of_score, of_type

TRUTHS = st.sampled_from([True, False, None])


def kleene_and(*truths):
    """An independent table: false beats unknown beats true."""
    return {0: False, 1: None, 2: True}[min({False: 0, None: 1, True: 2}[truth] for truth in truths)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pain_0_10": 11}, "pain_0_10 is 11; give a number from 0 to 10 of 10"),
        ({"fracture_age_weeks": -1}, "give a number from 0 to 520 weeks"),
        ({"bmi": "slim"}, "bmi is 'slim'; give a number from 8 to 100 kg/m²"),
        ({"neurology": "N9"}, "neurology is 'N9'; it is one of N0, N1, N2, N3, N4"),
        ({"of_type": 6}, "of_type is 6; it is one of 0, 1, 2, 3, 4, 5"),
        ({"of_type": True}, "of_type is True"),
        ({"infection": "no"}, "infection is 'no'; it is True, False or None"),
        ({"pain_0_10": True}, "pain_0_10 is True"),
        ({"neurology": "N0", "new_deficit": True}, "neurology is N0 (intact)"),
        ({"pain_despite_optimal_care": True, "care_weeks": 0}, "no care has been given yet"),
        ({"of_type": 5, "plc_injured": False}, "correct one of them"),
    ],
)
def test_what_cannot_be_is_refused_with_value_and_range(wrong, words):
    with pytest.raises(ValueError) as error:
        Patient(**wrong)
    assert words in str(error.value)


def test_an_unknown_field_of_a_record_is_named():
    with pytest.raises(ValueError, match="a patient has no 'pain'; it has age_years"):
        Patient.from_record({"pain": 5})


def test_each_field_of_the_patient_is_described_and_each_trial_may_be():
    assert list(FIELDS) == list(Patient.__dataclass_fields__)
    for name, field in FIELDS.items():
        assert all(field.fault(name, value) is None for value in field.trials)
        assert field.say(None) == "not known"


@given(st.lists(TRUTHS, min_size=2, max_size=2))
def test_a_condition_is_kleene_logic(truths):
    patient = Patient(infection=truths[0], cancer=truths[1])
    assert holds({"infection": True, "cancer": True}, patient) is kleene_and(*truths)
    flipped = [None if truth is None else not truth for truth in truths]
    either = kleene_and(*flipped)  # De Morgan
    assert holds({"any": [{"infection": True}, {"cancer": True}]}, patient) is (None if either is None else not either)


@pytest.mark.parametrize(
    ("condition", "patient", "truth", "lacks"),
    [
        ({}, Patient(), True, ()),
        ({"pain_0_10": {"min": 7}}, Patient(pain_0_10=7), True, ()),
        ({"pain_0_10": {"min": 7}}, Patient(pain_0_10=6.9), False, ()),
        ({"pain_0_10": {"min": 2, "max": 4}}, Patient(), None, ("pain_0_10",)),
        ({"neurology": ["N0", "N1"]}, Patient(neurology="N1"), True, ()),
        ({"mri_oedema": "unknown"}, Patient(), True, ()),
        ({"mri_oedema": "known"}, Patient(), False, ()),
        ({"unstable": True}, Patient(of_type=3), None, ("plc_injured",)),
        ({"unstable": True}, Patient(of_type=1), False, ()),
        ({"unstable": True}, Patient(of_type=5), True, ()),
        ({"acute_deficit": True}, Patient(neurology="N3"), True, ()),
        ({"acute_deficit": True}, Patient(neurology="N3", new_deficit=False), False, ()),
        ({"acute_deficit": True}, Patient(neurology="N1"), None, ("new_deficit",)),
        ({"infection": False, "cancer": False}, Patient(cancer=True), False, ()),
        ({"any": [{"infection": True}, {"cancer": True}]}, Patient(cancer=False), None, ("infection",)),
    ],
)
def test_conditions_and_what_they_hang_on(condition, patient, truth, lacks):
    assert holds(condition, patient) is truth
    assert missing(condition, patient) == lacks
    assert list(condition_faults(condition)) == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"pain": 3}, "there is no field pain"),
        ({"pain_0_10": {"min": 70}}, "pain_0_10 is 70"),
        ({"pain_0_10": {"over": 3}}, "a range has min, max or both"),
        ({"neurology": ["N0", "N7"]}, "neurology is 'N7'"),
        ({"unstable": "maybe"}, "unstable is 'maybe'"),
        ({"infection": None}, "infection is None; say unknown"),
        ({"any": []}, "`any` needs a list"),
        ({"any": [{"x": 1}]}, "there is no field x"),
    ],
)
def test_a_wrong_condition_is_named(condition, words):
    assert any(words in fault for fault in condition_faults(condition))


def test_named_fields_are_the_patients_own():
    condition = {"unstable": True, "any": [{"cancer": True}, {"acute_deficit": True}]}
    assert list(named(condition)) == ["plc_injured", "of_type", "cancer", "neurology", "new_deficit"]
    assert all(part in FIELDS for _, parts in DERIVED.values() for part in parts)


@pytest.mark.parametrize(
    ("number", "oedema"),
    [(number, oedema) for number in range(6) for oedema in (True, False, None) if (number, oedema) != (0, True)],
)
def test_findings_make_the_type_they_came_from(number, oedema):
    """Oedema without deformation is left out: it is OF 1."""
    assert of_type(Patient(of_type=number, mri_oedema=oedema).of_findings()) == number


@pytest.mark.parametrize("number", [None, 0])
def test_without_a_fracture_there_is_no_score(number):
    patient = Patient(of_type=number)
    assert patient.of_score() is None and patient.of_patient() is None
    assert patient.of_band == (None if number is None else "none")


def test_both_cards_are_those_of_the_measure_room():
    patient = examples()["cleft"].patient
    by_hand = OfPatient(
        of=4, t_score=-3.6, progression=True, pain_vas=8, neurology="N0", mobile=False, asa=3, frailty=3,
        anticoagulation=True,
    )  # fmt: skip
    assert patient.of_patient() == by_hand
    # 8 + density 1 + progression 1 + pain 1 + cannot be mobilised 1 - frailty and anticoagulation 2
    assert patient.of_score(OF_MODIFIED).total == of_score(by_hand, OF_MODIFIED).total == 10
    assert patient.of_score(OF_ORIGINAL).total == of_score(by_hand, OF_ORIGINAL).total == 11
    assert patient.of_band == patient.of_band_original == "surgery"


@pytest.mark.parametrize(
    ("item", "patient", "slips"),
    [
        (
            "su-p09",
            Patient(of_type=4, progression=True, t_score=-3.6, pain_0_10=8, neurology="N0", mobile=False,
                    frailty_index=3, anticoagulation=True, asa=3),
            [{"frailty_index": None, "anticoagulation": None}],
        ),
        (
            "su-p10",
            Patient(of_type=3, pain_0_10=4, neurology="N0", mobile=True, asa=2, anticoagulation=False),
            [{"progression": False}],
        ),
    ],
)  # fmt: skip
def test_the_scores_that_questions_ask_for_are_computed_anew(item, patient, slips):
    from vertebra.evidence.references import references
    from vertebra.quiz.items import find_bank, load_bank

    bank = load_bank(find_bank("surgery"), frozenset(references()))
    asked = next(each for each in bank.items if each.id == item)
    assert asked.answer.value == patient.of_score().total
    assert [slip.value for slip in asked.slips][: len(slips)] == [
        patient.but(**each).of_score().total for each in slips
    ]


def test_variants_change_one_field_and_leave_out_contradictions():
    patient = examples()["severe"].patient
    for name in FIELDS:
        for other in variants(patient, name):
            differing = {each for each in FIELDS if getattr(other, each) != getattr(patient, each)}
            assert differing - {"new_deficit"} <= {name} and getattr(other, name) != getattr(patient, name)
    assert [other.of_type for other in variants(patient, "of_type")] == [0, 1, 3, 4]  # 5 contradicts intact ligaments
    assert {other.acute_deficit for other in variants(patient, "neurology")} == {
        True,
        None,
    }  # never silently an old one


def test_the_invented_patients_are_whole():
    assert len(examples()) >= 8
    for each in examples().values():
        assert each.told and each.patient.known
        assert describe(each.patient).endswith(".")
    assert describe(Patient()) == "Nothing is known yet."
    assert describe(Patient(mri_oedema=True, asa=2)) == "oedema on MRI (unhealed): yes; ASA class: 2."
    stories = [each.told for each in examples().values()]
    assert all(one != two for one, two in itertools.combinations(stories, 2))
