"""The plan builder without a browser: it shows what the rules say, in words that a patient and a student read."""

import itertools
import re
from dataclasses import fields

import pytest

from vertebra.evidence.conservative import AGES, EGFRS, Frailty, Plan, measures, presets, review
from vertebra.evidence.references import references
from vertebra.widgets.plan import LIMITS, checked, described, in_days, opening, plan_builder, shown

FLAGS = [each.name for each in fields(Frailty) if each.type is bool]
CORNERS = itertools.product(AGES, EGFRS, ([], FLAGS), ([], list(measures())), (None, 1, 84))


@pytest.mark.parametrize("corner", list(CORNERS))
def test_every_corner_of_the_controls_is_shown_as_the_rules_say(corner):
    age, egfr, features, chosen, days = corner
    out = shown({"seq": 3, "age": age, "egfr": egfr, "features": features, "measures": chosen, "review": days})
    said = review(Plan(tuple(chosen), days), Frailty(age, egfr, **dict.fromkeys(features, True)))
    assert (out["seq"], out["grade"], out["verdict"], out["acceptable"]) == (
        3,
        said.grade,
        said.verdict,
        said.acceptable,
    )
    for part, found in (("warnings", said.warnings), ("missing", said.missing)):
        assert [each["says"] for each in out[part]] == [each.rule.says for each in found]
    assert [each["name"] for each in out["evidence"]] == [each.name for each in said.chosen]
    if said.warnings or said.missing:
        assert out["told"].startswith(said.verdict) and "Begin with: " in out["told"]


def test_what_must_go_first_is_said_first_and_gaps_come_before_cautions():
    assert shown({})["first"] == "Begin with: NSAID with eGFR under 30."
    gap = shown({"patient": "rosa", "measures": ["paracetamol"], "review": 7, "features": ["low_weight"]})
    assert gap["grade"] == "missing" and gap["warnings"] and gap["first"] == f"Begin with: {gap['missing'][0]['says']}."


@pytest.mark.parametrize("name", list(presets()))
def test_a_patient_opens_with_the_letter_and_has_a_plan_to_accept(name):
    patient = presets()[name]
    state, frailty, plan = checked({"patient": name})
    assert frailty == patient.frailty and plan == patient.letter and state == opening(name)
    sound = {"measures": list(patient.sound.measures), "review": patient.sound.review}
    assert not shown(state)["acceptable"] and shown(state | sound)["acceptable"]


def test_the_card_says_every_measure_once_in_the_patients_words():
    every = list(measures())
    card = shown({"measures": every, "review": 14})["card"]
    lines = [line for _, each in card["groups"] for line in each]
    assert sorted([*lines, card["net"]]) == sorted(each.plain for each in measures().values())
    assert [heading for heading, _ in card["groups"]] == ["For the pain", "Moving", "To keep you safe", "For the bone"]
    assert (card["title"], card["review"]) == ("Plan for Maud, 84", "in 2 weeks")
    bare = shown({"measures": ["ice"]})["card"]
    assert bare["net"] == "" and bare["groups"] == [["For the pain", [measures()["ice"].plain]]]


def test_the_patients_words_are_plain():
    """No sources, no abbreviations, no drug classes, short sentences."""
    for each in measures().values():
        assert not re.search(r"\[|NSAID|eGFR|TLSO|opioid|bisphosphonate", each.plain), each.id
        longest = max(len(sentence.split()) for sentence in re.split(r"[.:;]", each.plain))
        assert longest <= 36, (each.id, longest)
    words = [len(s.split()) for each in measures().values() for s in re.split(r"[.:;]", each.plain) if s.strip()]
    assert sum(words) / len(words) < 12


def test_no_measure_and_no_rule_names_a_dose():
    out = shown({"measures": list(measures()), "features": FLAGS, "egfr": 20})
    text = str(out) + str([each.does.text for each in measures().values()])
    assert not re.search(r"\d\s?(mg|g|mL|µg|micrograms|tablets?|times a day)\b", text)


def test_a_measure_carries_the_gravest_flag_it_calls_up():
    marked = shown({})["flags"]
    assert marked == {"oral_nsaid": "avoid", "codeine": "avoid", "bed_rest": "avoid", "rigid_brace": "note"}
    assert "patch" not in shown({"measures": ["paracetamol"]})["flags"]


def test_days_and_patients_in_words():
    assert [in_days(days) for days in (None, 1, 7, 10, 28)] == [
        "no date set", "tomorrow", "in 1 week", "in 10 days", "in 4 weeks",
    ]  # fmt: skip
    assert described(Frailty()) == "80 years, eGFR 70 mL/min/1.73 m² (G2); nothing else"
    assert described(Frailty(egfr=14.5, ulcer=True, ssri=True)).endswith("14.5 mL/min/1.73 m² (G5); an ulcer, an SSRI")
    assert [in_stage(egfr) for egfr in (90, 89, 59, 44, 29, 14)] == ["G1", "G2", "G3a", "G3b", "G4", "G5"]


def in_stage(egfr):
    return shown({"egfr": egfr})["kidney"]


def test_the_widget_answers_and_survives_nonsense():
    view = plan_builder()
    view.wanted = view.wanted | {"seq": 7, "measures": ["paracetamol"], "review": 7}
    assert view.shown["seq"] == 7 and view.shown["grade"] == "missing"
    before = view.shown
    for bad, said in (
        ({"patient": "nobody"}, "patient is 'nobody'; it is one of maud, bernard, ilse, rosa"),
        ({"measures": ["paracetamole"]}, "no measure 'paracetamole'; did you mean 'paracetamol'"),
        ({"measures": "ice"}, "measures is 'ice'; give a list of names"),
        ({"measures": [3]}, "measures is [3]"),
        ({"measures": ["ice", "ice"]}, "stands twice"),
        ({"features": ["ulcers"]}, "no feature 'ulcers'"),
        ({"age": 12}, "age is 12; give a number from 50 to 105"),
        ({"egfr": None}, "egfr is None"),
        ({"review": 900}, "review is 900"),
    ):
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem
        # The question is answered all the same, with what was there before: or the browser would wait for ever.
        assert view.shown == before | {"seq": 8} and "Not complete" in repr(view)
    view.wanted = {"seq": 9}
    assert view.problem == "" and view.shown["seq"] == 9
    with pytest.raises(ValueError, match="plan_builder knows no 'dose'"):
        plan_builder(dose=3)


def test_the_static_form_is_stable_and_complete():
    first, second = plan_builder(patient="ilse"), plan_builder(patient="ilse")
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    page = bundle["text/html"]
    assert page == second._repr_mimebundle_()[0]["text/html"]
    for each in (*first.shown["warnings"], *first.shown["missing"]):
        assert each["says"] in page
    for each in first.shown["evidence"]:
        assert re.search(f'<th scope="row"[^>]*>{re.escape(each["name"])}</th>', page)
    assert first.shown["verdict"] in page and LIMITS in page and "Ilse, 88" in page


def test_what_is_shown_as_published_was_read():
    out = shown({"measures": list(measures()), "features": FLAGS, "egfr": 20, "review": 84})
    ids = {each for group in re.findall(r"\[([a-z][a-z0-9_; ]+)\]", str(out)) for each in group.split("; ")}
    assert {"nogg", "rzewuska2015", "davidson2014", "kim2014brace", "unreferenced"} <= ids
    assert all(references()[each].publishable for each in ids - {"unreferenced"})
