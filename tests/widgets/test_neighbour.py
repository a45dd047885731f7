"""The neighbour widget without a browser: every corner answers, and what is said is what the models compute."""

import base64
import itertools
import re

import numpy as np
import pytest

from vertebra.evidence.references import references
from vertebra.mechanics.axisymmetric import CONTROLS, Plug, Segment, change, material, respond
from vertebra.mechanics.sagittal import Column, bend, posture
from vertebra.widgets import neighbour as module
from vertebra.widgets.neighbour import PRESETS, PUBLISHED, RANGES, checked, describe, neighbour, readout, shown

CORNERS = [dict(zip(RANGES, ends, strict=True)) for ends in itertools.product(*RANGES.values())]


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.mark.parametrize("corner", [*CORNERS[::3], CORNERS[-1]])
@pytest.mark.parametrize("control", CONTROLS)
def test_the_corners_of_the_controls_are_answered(corner, control):
    said = readout(checked(corner | {"control": control}))
    values = [value for row in said["rows"] for value in row["values"]]
    assert np.isfinite(values).all() and max(values) < said["end"]
    assert all(0 < value < said["whole"] for row in said["body"] for value in row["values"])
    assert all(0 < value < said["most"] for _, value, _ in said["lean"])


def test_the_rows_are_what_the_model_computes():
    segment = Segment(0.07, 0.4, Plug(4.5, 0.7))
    said = readout(checked(PRESETS["A fracture, a usual volume"] | {"control": "displacement"}))
    for row, name in zip(said["rows"], module.ROWS, strict=True):
        for value, control in zip(row["values"], CONTROLS, strict=True):
            assert value == pytest.approx(100 * getattr(change(segment, control=control), name), abs=0.01)
    # Before its fracture the same shortening took more force than after it.
    assert said["rows"][0]["intact"] > 0


def test_both_published_figures_are_met_by_the_same_model():
    for name, low, high in (
        ("The study that found +19 % [baroud2003]", 12, 19),
        ("The study that found +2.4 % [rohlmann2006]", 1, 5),
    ):
        state = checked(PRESETS[name])
        pressure = readout(state)["rows"][1]
        found = pressure["values"][CONTROLS.index(state["control"])]
        assert low < found < high
        marked, text, _ = PUBLISHED["disc_pressure"][state["control"]]
        assert text in name and f"{marked:g}" in text


def test_the_lean_is_what_the_sagittal_model_computes():
    said = readout(checked({"wedge": 20, "compensated": True, "cement": 5, "damage": 30}))
    load = posture(20.0, module.parameter("compensation"))
    expected = [
        bend(Column(0.07), posture(0)),
        bend(Column(0.07, 20.0, 0.3), load),
        bend(Column(0.07, 20.0, 0.3, 5.0), load),
    ]
    assert [value for _, value, _ in said["lean"]] == pytest.approx(
        [100 * each.neighbour for each in expected], abs=1e-3
    )
    free = readout(checked({"wedge": 20, "compensated": False, "cement": 5, "damage": 30}))
    assert free["lean"][1][1] > said["lean"][1][1]


@pytest.mark.parametrize("control", CONTROLS)
def test_the_halves_are_the_section_before_and_after(control):
    state = checked({"control": control, "cement": 8, "contact": 100})
    answer = shown(state)["section"]
    before = respond(Segment(0.07))
    amount = {"load": module.LOAD, "displacement": before.displacement}[control]
    after = respond(Segment(0.07, 0, Plug(8.0, 1.0)), control, amount)
    for half, response in zip(answer["halves"], (before, after), strict=True):
        shades = unpacked(half["shades"], "u1")
        discs = response.stack.body < 0
        assert (shades[discs] == 255).all() and (shades[~discs] < 255).all()
        strain = np.clip(response.strain[~discs] / material("bone yield strain"), 0, 1)
        assert shades[~discs] / 254 == pytest.approx(strain, abs=0.003)
        points = unpacked(half["points"], "<i2").reshape(-1, 2) / 100
        assert unpacked(half["quads"], "<u2").max() == len(points) - 1
        # What is enlarged is the bulge, not the disc's shortening: the rims stay where they were.
        for body in (0, 1):
            centre, rim = response.stack.endplate(body)
            assert points[rim, 1] == pytest.approx(response.stack.mesh.points[rim, 1], abs=0.01)
            bulge = response.bulge if body == 0 else -response.neighbour_bulge
            assert points[rim, 1] - points[centre, 1] == pytest.approx(module.LIFT * bulge, abs=0.02)
    assert answer["pressures"] == [f"{each.disc_pressure / 1e6:.2f}" for each in (before, after)]
    r, z = np.array(answer["cement"]).T
    assert r.min() >= 0 and r.max() < material("body radius") and 0 < z.min() < z.max() < material("body height")


def test_without_cement_nothing_changes():
    answer = shown({"cement": 0, "wedge": 0})
    first, second = answer["section"]["halves"]
    assert first == second and answer["section"]["cement"] == [] == answer["side"]["cement"]
    said = answer["readout"]
    assert all(value == 0 for row in said["rows"] for value in row["values"])
    assert "No cement" in said["verdict"]


def test_what_is_cited_was_read_and_no_fracture_is_foretold():
    words = " ".join([*module.EVIDENCE, *PRESETS, *(each[2] for row in PUBLISHED.values() for each in row.values())])
    words += (module.HERE / "neighbour.js").read_text(encoding="utf-8")
    cited = set(re.findall(r"\[([a-z]+\d{4}[a-z]*)\]", words)) | {
        paper[2] for row in PUBLISHED.values() for paper in row.values()
    }
    assert {"klazen2010b", "boger2007", "hulme2006", "baroud2003", "rohlmann2006", "pollintine2004"} <= cited
    assert all(references()[name].publishable for name in cited)
    for control in CONTROLS:
        said = readout(checked({"control": control}))
        assert not re.search(r"fracture|break", said["verdict"] + said["words"] + said["leaning"])


def test_the_widget_answers_and_survives_nonsense():
    view = neighbour()
    view.wanted = view.wanted | {"seq": 4, "control": "displacement", "cement": 15}
    assert view.shown["seq"] == 4 and "Same shortening" in view.shown["readout"]["verdict"]
    for bad, said in (
        ({"cement": 99}, "cement is 99; give a number from 0 to 15"),
        ({"contact": "x"}, "contact is 'x'"),
        ({"control": "both"}, "control is 'both'"),
        ({"wedge": True}, "wedge is True"),
    ):
        view.wanted = {"seq": 5, **bad}
        assert said in view.problem
        assert view.shown["seq"] == 5 and "15 mL" in repr(view)  # answered, with what was shown before
    view.wanted = {"seq": 6}
    assert view.problem == "" and view.shown["seq"] == 6
    with pytest.raises(ValueError, match="neighbour knows no 'volume'"):
        neighbour(volume=3)


def test_the_static_form_is_stable_and_complete():
    first, second = neighbour(cement=8), neighbour(cement=8)
    assert repr(first) == repr(second) == f"cement and the neighbour: {describe(checked({'cement': 8}))}"
    assert "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert "8 mL of cement" in bundle["text/html"] and "data:image/png;base64" in bundle["text/html"]
    assert set(first.about["model"]) == {"Model", "Fitted", "Held against", "Does not show"}
