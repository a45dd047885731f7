"""The guideline map without a browser: what it shows is what the evidence room answers, in words a student reads."""

import math
import re
from dataclasses import replace

import pytest

from vertebra.evidence.guidelines import CEMENT, advice, bodies, flips, inputs, timing
from vertebra.evidence.patient import FIELDS, examples
from vertebra.evidence.references import references
from vertebra.widgets import guidelines as module
from vertebra.widgets.guidelines import (
    GROUPS,
    START,
    WORDS,
    flip_words,
    guideline_map,
    headline,
    place,
    shown,
    verdict,
)
from vertebra.widgets.patient import SLIDERS, controls, patient_of


def checked(wanted):
    return patient_of(wanted, START)


@pytest.mark.parametrize("name", list(inputs()))
def test_every_control_at_every_value_is_answered(name):
    field = next(each for group in controls(GROUPS) for each in group["fields"] if each["name"] == name)
    for value, text in field["options"]:
        wanted = {"seq": 2, name: value}
        if (name, value) == ("of_type", 5):
            wanted["plc_injured"] = True
        if name == "new_deficit" and value:
            wanted["neurology"] = "N3"
        out = shown(wanted)
        assert out["seq"] == 2 and len(out["rows"]) == len(bodies())
        assert text == FIELDS[name].say(value)
        patient = checked(wanted)
        for row, body in zip(out["rows"], bodies(), strict=True):
            own = [each for each in advice(patient) if each.body == body.id]
            assert [cell["answer"] for cell in row["cells"]] == [each.answer for each in own]
            assert {why["says"] for why in row["why"]} == {each.says for each in own}


def test_there_is_a_control_for_every_input_and_no_other():
    assert {name for names in GROUPS.values() for name in names} == set(inputs())


@pytest.mark.parametrize("name", list(SLIDERS))
@pytest.mark.parametrize("end", [0, 1])
def test_a_slider_reaches_its_ends(name, end):
    assert shown({"seq": 1, name: SLIDERS[name][end]})["age"]


def test_the_counts_are_those_of_the_answers():
    given = advice(checked({}))
    for treatment in CEMENT:
        told, apart = verdict(given, treatment).split("; ")
        whole, *counted = [int(number) for number in re.findall(r"\d+", told)]
        assert sum(counted) == whole == len([each for each in bodies() if not each.is_score])
        assert "OF score" in apart
    assert verdict(given, "vertebroplasty") == (
        "of 6 bodies 1 recommends it, 2 call it an option, 3 are against; both cards of the OF score are against"
    )
    assert headline(checked({})) == "They disagree"


def test_the_two_cards_of_the_score_are_told_apart_where_they_differ():
    asked = [advice(patient_of(each[2], START)) for each in guideline_map().about["examples"].values()]
    cards = [each.id for each in bodies() if each.is_score]
    for given in asked:
        newer, first = [
            each.answer for card in cards for each in given if (each.body, each.treatment) == (card, "kyphoplasty")
        ]
        assert ("its first card" in verdict(given, "kyphoplasty")) == (newer != first)
    newer, first = [
        replace(each, answer=answer) for each, answer in zip(asked[0][-8::4], ("option", "against"), strict=True)
    ]
    assert (newer.treatment, first.treatment) == ("vertebroplasty", "vertebroplasty")
    assert verdict((newer, first), "vertebroplasty").endswith(
        "the OF score calls it an option, its first card is against"
    )


def test_only_what_changed_is_marked_with_what_it_was():
    view = guideline_map()
    view.wanted = view.wanted | {"seq": 1, "pain_0_10": 6}
    marked = {
        (row["body"], i): cell["was"]
        for row in view.shown["rows"]
        for i, cell in enumerate(row["cells"])
        if cell["was"]
    }
    assert marked == {("nice", 0): "an option", ("nice", 1): "an option"}
    assert "NICE TA279 on vertebroplasty an option, now against" in view.shown["told"]
    view.wanted = view.wanted | {"seq": 2, "pain_0_10": 5}
    assert not [cell for row in view.shown["rows"] for cell in row["cells"] if cell["was"]]


def test_a_stop_is_said_before_anything_else():
    out = shown({"seq": 0, "infection": True})
    assert out["headline"].startswith("Stop") and out["tone"] == "bad"
    assert out["stops"] == ["No cement while there is infection. [contra_pages]"]
    assert {cell["answer"] for row in out["rows"] for cell in row["cells"][:2]} == {"stop"}
    assert out["told"].startswith("Stop")


def test_flips_are_those_of_the_evidence_room():
    patient = checked({})
    rows, found = shown({"seq": 0})["flips"], flips(patient)
    inputs = {each["field"]: (each, row["flips"]) for row in rows for each in row["inputs"]}
    assert set(inputs) == {FIELDS[each.field].label for each in found}
    assert sum(each["value"].count(";") + 1 for row in rows for each in row["inputs"]) == len(found)
    assert len({row["flips"] for row in rows}) == len(rows)
    assert inputs["Pain"] == (
        {"field": "Pain", "now": "8 of 10", "value": "6 of 10"},
        "NICE TA279: vertebroplasty and kyphoplasty an option → against",
    )
    changed = {change.body for each in found if each.field == "cancer" for change in each.changes}
    whole = len(changed & {each.id for each in bodies() if not each.is_score})
    assert len(changed) == whole + 2
    told = f"{whole} bodies and both cards of the OF score then make no recommendation"
    assert inputs["Cancer, now or before"][1] == told
    assert [row["stops"] for row in rows] == sorted(row["stops"] for row in rows)
    assert all(flip_words(each) for each in found)


def test_the_time_line_is_true_to_its_weeks():
    out = shown({"seq": 0, "fracture_age_weeks": 26})
    assert out["age"]["at"] == pytest.approx(math.sqrt(26 / 104)) == pytest.approx(0.5)
    for drawn, window in zip(out["windows"], timing(), strict=True):
        low, high = window.weeks
        assert drawn["inside"] == (low <= 26 <= (high if high is not None else 1e9))
        assert drawn["from"] == place(low) < drawn["to"] <= 1
    assert {each["inside"] for each in shown({"seq": 0, "fracture_age_weeks": None})["windows"]} == {None}


@pytest.mark.parametrize("name", list(examples()))
def test_every_invented_patient_can_be_shown(name):
    view = guideline_map()
    _, told, known = view.about["examples"][name]
    view.wanted = {"seq": 5, **known}
    assert view.problem == "" and view.shown["seq"] == 5 and told
    assert checked(known) == examples()[name].patient


def test_the_widget_answers_and_survives_nonsense():
    view = guideline_map()
    for bad, said in (
        ({"pain_0_10": 30}, "pain_0_10 is 30; give a number from 0 to 10"),
        ({"neurology": "N8"}, "neurology is 'N8'"),
        ({"infection": 1}, "infection is 1; it is True, False or None"),
        ({"of_type": 5, "plc_injured": False}, "correct one of them"),
    ):
        before = view.shown
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem and view.problem.startswith("The map could not use that")
        assert view.shown == before | {"seq": 8}
    view.wanted = {"seq": 9}
    assert view.problem == "" and view.shown["seq"] == 9
    with pytest.raises(ValueError, match="guideline_map knows no 'weeks'"):
        guideline_map(weeks=3)


def test_the_static_form_is_stable_and_complete():
    first, second = guideline_map(fracture_age_weeks=12), guideline_map(fracture_age_weeks=12)
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    for body in bodies():
        assert body.short in bundle["text/html"] and f"[{'; '.join(body.refs)}]" in bundle["text/html"]
    assert "age of the fracture: 12 weeks" in bundle["text/html"]
    assert "not reviewed by a clinician" in bundle["text/html"]


def test_what_is_shown_as_published_was_read():
    view = guideline_map()
    text = str(view.shown) + str(view.about)
    cited = {ref for each in bodies() for ref in each.refs} | {ref for each in timing() for ref in each.refs}
    assert {"esses2011", "nice_ta279", "ebeling2019"} <= cited
    assert all(ref == "unreferenced" or references()[ref].publishable for ref in cited)
    assert "tsoumakidou2017" not in text
    assert set(WORDS) == set(module.COUNTED)
    assert START["fracture_age_weeks"] == 4
