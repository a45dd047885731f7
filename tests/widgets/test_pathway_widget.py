"""The pathway widget without a browser: it shows what the evidence room walks, step by step, with reason and source."""

import base64
import re
import xml.etree.ElementTree as ET

import pytest

from vertebra.evidence.pathway import centre, draw, inputs, nodes, walk
from vertebra.evidence.patient import FIELDS, Patient, examples
from vertebra.evidence.references import references
from vertebra.widgets.pathway import GROUPS, HASTE, START, pathway, reason, shown, told, verdict
from vertebra.widgets.patient import EMPTY, controls


def test_there_is_a_control_for_every_finding_the_path_looks_at():
    assert {name for names in GROUPS.values() for name in names} == set(inputs())


@pytest.mark.parametrize("name", list(inputs()))
def test_every_control_at_every_value_is_answered(name):
    field = next(each for group in controls(GROUPS) for each in group["fields"] if each["name"] == name)
    for value, _ in field["options"]:
        wanted = {**START, "seq": 2, "step": 99, name: value}
        if (name, value) == ("of_type", 5):
            wanted["plc_injured"] = True
        if name == "new_deficit" and value:
            wanted["neurology"] = "N3"
        out = shown(wanted)
        path = walk(Patient(**{each: wanted[each] for each in FIELDS}))
        assert out["step"] == out["last"] == len(path.steps) - 1
        assert out["verdict"].startswith(path.destination.short)
        assert [each["refs"] for each in out["steps"]] == ["; ".join(step.node.refs) for step in path.steps]


@pytest.mark.parametrize("name", list(examples()))
def test_each_invented_patient_is_walked_to_the_end(name):
    patient = examples()[name].patient
    path = walk(patient)
    for number in range(len(path.steps)):
        out = shown({**EMPTY, **patient.known, "seq": 1, "step": number})
        assert len(out["steps"]) == number + 1 == out["step"] + 1
        assert out["at"] == list(centre(path.steps[number].node.id))
        assert out["drawing"] == draw(path, number)
        # Where it leads is not told before it is reached.
        assert bool(out["verdict"]) == (number == out["last"])
        assert path.steps[number].node.says in out["told"]
    assert out["asked"] == [FIELDS[each].question for each in path.asked]


def test_a_question_gives_the_finding_that_answered_it_and_an_unknown_how_to_find_out():
    path = walk(examples()["wedge"].patient)
    said = {step.node.id: reason(step, examples()["wedge"].patient) for step in path.steps}
    assert said["nerves"] == "Nerves: N0, intact; Deficit is new or growing: no."
    assert said["acute"] == (
        "Oedema on MRI (unhealed): not known; Age of the fracture: 1 week; Kyphosis or collapse grew: not known; "
        "Not united (cleft): not known."
    )
    assert said["progress"].startswith("Not known: kyphosis or collapse grew, not united (cleft). Repeat the film")
    assert said["care"] == "" == said["prevention"]


def test_what_is_urgent_looks_urgent():
    out = shown({**EMPTY, **examples()["weak_legs"].patient.known, "seq": 0, "step": 9})
    emergency = out["steps"][-2]
    assert (emergency["clock"], emergency["haste"]) == ("now", "bad")
    assert set(HASTE) <= {node.clock for node in nodes().values()}


def test_the_widget_answers_and_survives_nonsense():
    view = pathway()
    view.wanted = view.wanted | {"seq": 3, "step": 4}
    assert view.shown["step"] == 4 and view.shown["seq"] == 3
    before = view.shown
    for bad, words in (
        ({"step": -1}, "step is -1; give a whole number from 0"),
        ({"step": 2.5}, "step is 2.5"),
        ({"step": True}, "step is True"),
        ({"pain_0_10": 99}, "pain_0_10 is 99"),
        ({"neurology": "N0", "new_deficit": True}, "neurology is N0 (intact)"),
    ):
        view.wanted = {**START, "seq": 4, **bad}
        assert words in view.problem and view.shown == before | {"seq": 4}
    view.wanted = {**START, "seq": 5, "step": 500}
    assert view.problem == "" and view.shown["step"] == view.shown["last"]
    with pytest.raises(ValueError, match="pathway knows no 'pain'"):
        pathway(pain=3)


def test_the_static_form_is_stable_and_complete():
    first, second = pathway(infection=True), pathway(infection=True)
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    assert "Cultures, then MRI. No cement" in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    drawing = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", bundle["text/html"])[1])
    assert ET.fromstring(drawing).tag.endswith("svg")
    path = walk(Patient(**{**START, "infection": True}))
    assert bundle["text/html"].count("<li>") == len(path.steps)
    assert verdict(path) in repr(first) and "not reviewed by a clinician" in bundle["text/html"]


def test_what_is_shown_as_published_was_read():
    cited = {ref for node in nodes().values() for ref in node.refs}
    assert all(ref == "unreferenced" or references()[ref].publishable for ref in cited)
    assert told(Patient(), 0).startswith("Step 1 of 5. New back pain. First the nerves.")
