"""The cement clock without a browser: what it says and draws is what the cement's and the heat's models compute."""

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.cement.heat import cure
from vertebra.cement.material import CEMENTS
from vertebra.widgets import cure as module
from vertebra.widgets.cure import RANGES, START, cement_clock, checked, clock, describe, drawings, phase, readout, shown

SVG = "{http://www.w3.org/2000/svg}"


def state(**wanted):
    return checked({"sharp": False, **wanted})


def numbers(text):
    return [float(number) for number in re.findall(r"\d+\.?\d*", text)]


@settings(max_examples=25)
@given(st.sampled_from(list(CEMENTS)), st.floats(*RANGES["room"]), st.floats(*RANGES["minute"]))
def test_the_verdict_follows_the_window(cement, room, minute):
    wanted, window = state(cement=cement, room=room, minute=minute), CEMENTS[cement].window(room)
    now, second = phase(wanted), 60 * minute
    assert (now == "open") == (window.opens <= second <= window.closes)
    assert (now == "set") == (second >= window.sets)
    assert (now in ("mixing", "early")) == (second < window.opens)


def test_the_window_in_words_is_the_model_s():
    for name, cement in CEMENTS.items():
        for room in (18.0, 23.0):
            said = numbers(readout(state(cement=name, room=room))["window"])
            window = cement.window(room)
            assert said == pytest.approx([room, *np.array([window.opens, window.closes, window.sets]) / 60], abs=0.051)


def test_a_cooler_room_turns_too_late_into_in_time():
    assert readout(state(room=24, minute=6.6))["sign"] == "✕"
    assert readout(state(room=20, minute=6.6))["sign"] == "✓"
    assert readout(state(room=16, minute=6.6))["sign"] == "!"
    assert readout(state(cement="high viscosity", minute=1))["phase"] == "mixing"


def test_the_peaks_in_words_are_the_heat_model_s():
    run = cure(6.0, fraction=1.0, injected_at=360.0, seconds=900.0)
    said = readout(checked({"volume": 6, "place": "cavity", "minute": 6}))
    peaks = [run.centre, run.interface, run.peak(5), run.peak(10)]
    assert [numbers(row[1])[0] for row in said["rows"]] == [round(peak) for peak in peaks]
    assert numbers(said["rows"][1][2])[0] == pytest.approx(run.above(45) / 60, abs=0.051)
    assert said["rows"][3][2] == "never"


def test_what_is_drawn_while_a_slider_moves_is_near_to_what_is_drawn_when_it_rests():
    for volume, minute in ((2, 4.8), (6, 6)):
        peaks = []
        for sharp in (False, True):
            run = module.run(checked({"volume": volume, "minute": minute, "sharp": sharp}))
            peaks.append([run.centre, run.interface, run.peak(5)])
        assert np.abs(np.subtract(*peaks)).max() < 1.5


def test_beyond_the_boiling_of_monomer_no_number_is_given():
    said = readout(state(minute=2, place="cavity", volume=6))
    assert said["rows"][0][1] == "over\u00a0100\u00a0°C"
    assert "would reach over" in said["heat"]


def test_set_cement_is_not_said_to_be_injected():
    said = readout(state(minute=16))
    assert said["phase"] == "set" and "cannot be injected" in said["heat"]


def test_the_marker_stands_on_the_curve_at_the_chosen_minute():
    for minute in (2.0, 5.0, 6.5):
        picture = ElementTree.fromstring(clock(state(minute=minute), 800))
        ring = picture.find(f"{SVG}circle")
        axis = 800 - module.LEFT - module.RIGHT
        assert float(ring.get("cx")) == pytest.approx(module.LEFT + axis * minute / module.AXIS, abs=0.1)
        level = np.log10(float(CEMENTS["low viscosity"].viscosity(60 * minute))) / 4
        assert float(ring.get("cy")) == pytest.approx(module.CLOCK_TOP + 210 * (1 - level), abs=0.1)


@pytest.mark.parametrize("width", [280, 560, 1000])
@pytest.mark.parametrize("end", [0, 1])
def test_every_corner_is_drawn_inside_its_picture(width, end):
    corner = {name: RANGES[name][end] for name in ("room", "minute", "volume")}
    for cement in CEMENTS:
        for picture in drawings(state(width=width, cement=cement, **corner)):
            root = ElementTree.fromstring(picture)
            wide, high = float(root.get("width")), float(root.get("height"))
            assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}" and wide <= width
            for text in root.iter(f"{SVG}text"):
                length = 6.6 * len(text.text)
                left = float(text.get("x")) - length * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
                assert left > -4 and left + length < wide + 4, text.text
                assert 0 < float(text.get("y")) < high
            for node in (*root.iter(f"{SVG}circle"), *root.iter(f"{SVG}rect")):
                assert float(node.get("cx", 0)) <= wide and float(node.get("cy", 0)) <= high
            assert "nan" not in picture


def test_the_widget_answers_and_survives_nonsense():
    view = cement_clock(sharp=False)
    view.wanted = view.wanted | {"seq": 7, "room": 18}
    assert view.shown["seq"] == 7 and "18" in view.shown["readout"]["window"]
    before = view.shown
    for bad, said in (
        ({"room": 500}, "room is 500"),
        ({"minute": "x"}, "minute is 'x'"),
        ({"cement": "glue"}, "'glue'; it is one of low viscosity, high viscosity"),
        ({"place": "disc"}, "'disc'"),
    ):
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem
        # The question is answered all the same, with what was there before: or the browser would wait for ever.
        assert view.shown == before | {"seq": 8} and "18 °C" in repr(view)
    view.wanted = {"seq": 9}
    assert view.problem == "" and view.shown["seq"] == 9
    with pytest.raises(ValueError, match="cement_clock knows no 'time'"):
        cement_clock(time=3)


def test_what_the_browser_gets_is_small_and_has_every_number_once():
    sent = shown({"seq": 1, **START})
    assert sum(map(len, sent["drawings"])) < 80_000
    assert set(sent) == {"seq", "drawings", "readout"}


def test_the_static_form_is_stable_and_complete():
    first, second = cement_clock(room=20), cement_clock(room=20)
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    picture = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", bundle["text/html"]).group(1))
    assert len(ElementTree.fromstring(picture).findall(f"{SVG}svg")) == 3
    assert describe(checked({"room": 20})) in bundle["text/html"]
