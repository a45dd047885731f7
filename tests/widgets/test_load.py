"""The load explorer without a browser: what it says is what the mechanics room computed, in words a student reads."""

import base64
import io
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vertebra.evidence.references import references
from vertebra.mechanics.load import POSTURES, load, strength
from vertebra.mechanics.statics import heights
from vertebra.mechanics.trabeculae import picture
from vertebra.spine.dimensions import LEVELS
from vertebra.spine.shape import wedge
from vertebra.widgets import load as module
from vertebra.widgets.load import (
    NAMES,
    RANGES,
    chart,
    checked,
    figure,
    grade,
    kilograms,
    kilonewtons,
    load_explorer,
    readout,
    shown,
    spine_line,
)

SVG = "{http://www.w3.org/2000/svg}"


def numbers(path):
    return [float(each) for each in re.findall(r"-?\d+\.?\d*", path)]


@pytest.mark.parametrize("corner", list(itertools.product(POSTURES, ("T6", "L1", "L5"), (0, 1), (True, False)))[::3])
def test_every_corner_of_the_controls_is_shown(corner):
    posture, level, end, balance = corner
    wanted = {name: RANGES[name][end] for name in RANGES}
    out = shown({"seq": 3, "posture": posture, "level": level, "balance": balance, **wanted})
    assert out["seq"] == 3
    assert out["chart"]["end"] >= max(out["chart"]["high"], *(row["load"] for row in out["chart"]["rows"]))
    for element in ET.fromstring(out["figure"]).iter():
        for name in ("d", "x", "y", "cx", "cy"):
            assert "nan" not in element.get(name, "")
    assert level in out["readout"]["words"]


def test_the_chart_is_what_the_mechanics_room_computes():
    state = checked({"level": "T12", "wedge": 30, "lift": 15, "bone_volume": 9, "body_weight": 80})
    drawn, shape = chart(state), wedge(0.3)
    band = strength("T12", 0.09, shape)
    assert (drawn["low"], drawn["middle"], drawn["high"]) == (band.low, band.middle, band.high)
    for row in drawn["rows"]:
        lift = 15.0 if POSTURES[row["name"]].ahead is not None else 0.0
        force = load("T12", row["name"], 80, lift, shape)
        assert row["load"] == pytest.approx(force, abs=0.06)
        assert row["text"] == f"{kilonewtons(force)} kN" and row["grade"] == grade(force, band)
    assert [row["name"] for row in drawn["rows"]] == list(NAMES) == list(POSTURES)
    assert [tick["at"] for tick in drawn["ticks"]][-1] == drawn["end"]


def test_the_words_say_the_numbers():
    said = readout(checked({}))
    force, band = load("L1", "lifting with a round back", 65, 10), strength("L1", 0.07)
    assert f"Lifting 10 kg with a round back loads L1 with about {kilonewtons(force)} kN" in said["words"]
    assert f"breaks at {kilonewtons(band.low)} to {kilonewtons(band.high)} kN" in said["words"]
    count = round(100 * (1 - band.above(force)))
    assert f"in about {count} of 100 such vertebrae" in said["words"]
    assert said["grade"] == "close" and "may break" in said["verdict"]
    assert "back muscles" in said["why"]


@pytest.mark.parametrize(
    ("wanted", "fate"),
    [
        ({"posture": "standing", "bone_volume": 15}, "such bone holds"),
        ({"posture": "lifting with bent knees", "bone_volume": 7}, "most such bone holds"),
        ({"bone_volume": 7}, "such bone may break"),
        ({"bone_volume": 4, "lift": 30}, "most such bone breaks"),
    ],
)
def test_the_verdict_fits_the_share_that_breaks(wanted, fate):
    said = readout(checked(wanted))
    assert said["verdict"].endswith(f", and {fate}")


def test_small_numbers_are_rounded_as_a_student_reads_them():
    assert (kilonewtons(98.2), kilonewtons(994), kilonewtons(996), kilonewtons(1961)) == ("0.10", "0.99", "1.0", "2.0")
    assert (kilograms(98.1), kilograms(1609)) == ("10 kg", "160 kg")


@settings(max_examples=30)
@given(
    st.sampled_from([name for name in POSTURES if not POSTURES[name].supported]),
    st.sampled_from(LEVELS),
    st.integers(0, 30),
    st.integers(0, 60),
)
def test_the_lever_arms_are_drawn_as_long_as_they_are(posture, level, lift, lost):
    """The measure under the spine and the one of the load, in the drawing's scale."""
    state = checked({"posture": posture, "level": level, "lift": lift, "wedge": lost})
    now = module._forces(state)
    bars = [
        numbers(path.get("d"))
        for path in ET.fromstring(figure(state)).iter(f"{SVG}path")
        if re.fullmatch(r"M[\d.-]+,[\d.-]+H[\d.-]+", path.get("d")) and path.get("stroke-width") == "2.5"
    ]
    arms = [now.weight_arm] + ([now.carried_arm] if now.carried else [])
    assert [start - end for start, _, end in bars] == pytest.approx([module.SCALE * arm for arm in arms], abs=0.11)


@settings(max_examples=20)
@given(st.sampled_from([name for name in POSTURES if name != "lying"]), st.sampled_from(LEVELS), st.integers(0, 60))
def test_the_drawn_spine_keeps_its_length_and_leans_forward(posture, level, lost):
    body = spine_line(checked({"posture": posture, "level": level, "wedge": lost}))
    line = np.array(list(body["centres"].values()))
    steps = np.hypot(*np.diff(line, axis=0).T)
    assert steps.sum() == pytest.approx(heights()["T1"], rel=0.12)  # a bow is longer than its chord
    assert (np.diff(line[:, 1]) > 0).all() or posture == "lifting with a round back"
    assert np.allclose(body["centres"][level], 0)
    tilt = np.degrees(np.arctan2(*(line[-1] - line[0])))
    assert tilt == pytest.approx(POSTURES[posture].lean, abs=25)


@pytest.mark.parametrize("posture", ["standing", "sitting", "holding close"])
def test_who_stands_upright_has_a_lordosis_below_a_kyphosis(posture):
    """Each arc's middle beside the chord of its ends: lumbar in front of it, thoracic behind."""
    at = spine_line(checked({"posture": posture}))["centres"]
    for low, middle, high, side in (("L5", "L2", "T12", 1), ("T11", "T6", "T1", -1)):
        way = at[high] - at[low]
        forward = np.array([way[1], -way[0]]) / np.hypot(*way)
        assert side * float((at[middle] - at[low]) @ forward) > 4


def test_a_fracture_below_leans_but_leaves_the_vertebra_whole():
    here, below, none = (
        checked({"level": "T12", "posture": "standing", "wedge": lost, "where": where})
        for lost, where in ((40, "here"), (40, "below"), (0, "here"))
    )
    assert module.holds(below) == module.holds(none) and module.holds(here).middle < module.holds(none).middle
    assert module.loads(below)["standing"] > module.loads(none)["standing"]
    assert (
        "L1 leans" in module.about_bone(below)["leans"] and "T12 itself is whole" in module.about_bone(below)["leans"]
    )
    assert "T12 leans" in module.about_bone(here)["leans"] and "strength is gone" in module.about_bone(here)["leans"]


def test_the_picture_of_the_bone_is_the_computed_one():
    uri = shown({"bone_volume": 7})["lattice"]
    seen = np.array(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))
    assert np.array_equal(seen, picture(0.07))


def test_the_widget_answers_and_survives_nonsense():
    view = load_explorer()
    view.wanted = view.wanted | {"seq": 7, "posture": "standing"}
    assert view.shown["seq"] == 7 and view.shown["readout"]["verdict"].startswith("L1 carries 0.49 kN")
    before = view.shown
    for bad, said in (
        ({"bone_volume": 50}, "bone_volume is 50; give a number from 4 to 22"),
        ({"lift": "x"}, "lift is 'x'"),
        ({"posture": "flying"}, "posture is 'flying'"),
        ({"level": "S1"}, "level is 'S1'"),
        ({"body_weight": True}, "body_weight is True"),
        ({"level": "L5", "where": "below"}, "no body below L5 is modelled; choose here"),
    ):
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem
        # The question is answered all the same, with what was there before: or the browser would wait for ever.
        assert view.shown == before | {"seq": 8} and "Standing loads L1" in repr(view)
    view.wanted = {"seq": 9}
    assert view.problem == "" and view.shown["seq"] == 9
    with pytest.raises(ValueError, match="load_explorer knows no 'angle'"):
        load_explorer(angle=3)


def test_the_static_form_is_stable_and_complete():
    first, second = load_explorer(posture="bending"), load_explorer(posture="bending")
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert "Bending forward loads L1" in bundle["text/html"]
    drawing = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", bundle["text/html"])[1])
    words = [text.text for text in ET.fromstring(drawing).iter(f"{SVG}text")]
    assert "Bending forward" in words and "load on L1, kN" in words


def test_what_is_shown_as_published_was_read():
    texts = [module.LIMITS, *(readout(checked({"posture": name}))["why"] for name in POSTURES)]
    cited = {each for text in texts for group in re.findall(r"\[([a-z0-9_; ]+)\]", text) for each in group.split("; ")}
    assert {"wilke1999", "nachemson1981", "roux2010"} <= cited
    assert all(references()[each].publishable for each in cited)
