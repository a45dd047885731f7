"""The procedure room without a browser: what is shown is what is so, and every press is answered."""

import base64
import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from vertebra.cement import procedure
from vertebra.cement import rubric as marking
from vertebra.cement.material import CEMENTS
from vertebra.cement.procedure import ARMS, PATIENTS, PIXELS, PLANES, RANGES, Film, act, needles, start, touch
from vertebra.cement.rubric import RUBRICS
from vertebra.widgets import room as module
from vertebra.widgets.room import about, letters, name_of, picture, placed, plain, procedure_room, sample, shown, stale


def pressed(view, **action):
    view.wanted = {"seq": view.wanted["seq"] + 1, "action": action}
    return view.shown


def grey(film):
    return np.frombuffer(base64.b64decode(film["pixels"]), np.uint8).reshape(film["size"], film["size"])


@pytest.fixture
def view():
    made = procedure_room("vertebroplasty")
    pressed(made, do="treat")
    return made


@pytest.mark.parametrize("corner", [[*c] for plane in PLANES for c in itertools.product([plane], *ARMS[plane])])
def test_every_corner_of_the_c_arm_gives_a_picture(corner):
    plane, orbital, tilt = corner
    room = act(start("vertebroplasty"), {"do": "treat"})
    room = act(room, {"do": "arm", "plane": plane, "orbital": orbital, "tilt": tilt})
    film = act(room, {"do": "picture", "plane": plane}).films[-1]
    made = picture(room, film)
    assert made.shape == (PIXELS, PIXELS) and made.dtype == np.uint8 and made.std() > 10
    assert "°" in name_of(film) and all(letters(procedure.carm(film)))


@pytest.mark.parametrize("corner", list(itertools.product(*RANGES.values()))[::3])
@pytest.mark.parametrize("side", ["left", "right"])
def test_every_corner_of_the_hand_can_be_seen(corner, side, view):
    pressed(view, do="aim", side=side, **dict(zip(RANGES, corner, strict=True)))
    said = pressed(view, do="picture", plane="both")
    assert not said["refusal"] and set(said["told"]) == set(PLANES)
    assert f"{side.capitalize()} needle" in said["told"]["lateral"]
    json.dumps(said)


def test_a_film_comes_with_an_exposure_and_with_nothing_else(view):
    assert view.films == {}
    first = pressed(view, do="picture", plane="frontal")
    assert list(view.films) == ["frontal"] and first["fluoroscopy"] == 1
    kept = view.films["frontal"]
    said = pressed(view, do="aim", lateral=3)
    assert view.films["frontal"] is kept and said["fluoroscopy"] == 1
    assert said["stale"] == {"frontal": "needle moved", "lateral": ""}
    said = pressed(view, do="picture", plane="frontal")
    assert view.films["frontal"]["id"] == 2 and said["stale"]["frontal"] == ""
    assert not np.array_equal(grey(view.films["frontal"]), grey(kept))
    pressed(view, do="again")
    assert view.films == {}


def test_letters_and_levels_are_those_of_the_patient(view):
    pressed(view, do="picture", plane="both")
    frontal, lateral = view.films["frontal"], view.films["lateral"]
    assert (frontal["left"], frontal["right"]) == ("R", "L")
    assert (lateral["left"], lateral["right"]) == ("A", "P")
    rows = list(frontal["levels"].values())
    assert {"T12", "L1", "L2"} <= frontal["levels"].keys() and rows == sorted(rows)
    assert frontal["levels"]["L1"] == pytest.approx(0.5, abs=0.03)


def test_the_needle_is_black_on_both_films_where_its_tip_projects(view):
    off = touch(view.room.case, "left")
    pressed(view, do="aim", **{name: -value for name, value in off.items()})
    for _ in range(6):
        pressed(view, do="advance", mm=5)
    pressed(view, do="picture", plane="both")
    tip = dict(needles(view.room))["left"]
    for film in view.room.films:
        column, row = procedure.carm(film).project((tip.tip - 3 * tip.direction)[None])[0].round().astype(int)
        assert grey(view.films[film.plane])[row, column] < 40


def test_metal_and_cement_leave_the_brightness_of_bone_alone():
    room = sample("vertebroplasty")
    bare = picture(room, plain(room, "lateral", True)).astype(int)
    filled = picture(room, plain(room, "lateral", False)).astype(int)
    dark = filled < bare - 60
    assert 0.01 < dark.mean() < 0.1  # the cement
    assert abs(np.median((filled - bare)[~dark])) <= 3


def test_what_is_asked_of_another_step_is_a_sentence_and_changes_nothing(view):
    before = view.room
    said = pressed(view, do="inject", ml=0.5)
    assert "when the needles stand" in said["refusal"] and view.room is before and view.problem == ""
    assert pressed(view, do="advance", mm=3)["refusal"].startswith("mm is 3")
    assert pressed(view, do="picture", plane="both")["refusal"] == ""


def test_nonsense_is_a_sentence_and_the_next_press_is_answered(view):
    for nonsense in ({}, {"seq": "x", "action": {}}, {"seq": 3, "action": 7}, {"seq": None, "action": None}):
        view.wanted = nonsense
        assert "press the button once more" in view.problem
    view.wanted = {"seq": 9, "action": {"do": "picture", "plane": "lateral"}}
    assert view.problem == "" and view.shown["seq"] == 9


def test_gauges_say_what_the_state_says():
    room = sample("vertebroplasty")
    said = shown(room, 1)
    assert said["volume"] == room.volume and said["bone"] == pytest.approx(room.state.tip_pressure / 1e3, abs=0.1)
    assert said["syringe"] == pytest.approx(room.state.syringe_pressure / 1e6, abs=0.01)
    card = said["cement"]
    assert card["age"] == pytest.approx(room.age, abs=0.1) and card["opens"] < card["closes"] < card["sets"]
    assert card["state"] == "a paste: inject"
    assert said["balloon"] is None
    said = shown(sample("kyphoplasty"), 1)
    balloon = said["balloon"]
    assert balloon["deflated"] and balloon["bar"] == 0 and 1 < said["enough"] < said["volume"]
    assert float(balloon["height"]) > float(balloon["came"])


def test_stiffness_is_told_to_two_figures():
    room = sample("vertebroplasty")
    for later in (0, 33, 71):
        aged = replace(room, seconds=room.seconds + later)
        exact = float(CEMENTS[room.cement].viscosity(aged.age, room.temperature))
        told = shown(aged, 1)["cement"]["viscosity"]
        assert float(told) == pytest.approx(exact, rel=0.05) and len(told.rstrip("0")) <= 2 < len(told)


def test_the_sizes_that_fit_are_shown_until_the_balloons_are_in():
    room = act(start("kyphoplasty"), {"do": "treat"})
    assert shown(room, 1)["balloon"]["fits"] == []
    for side, share in (("left", 0.35), ("right", 0.8)):
        room = placed(room, side, share)
    room = act(room, {"do": "ready"})
    assert shown(room, 1)["balloon"]["fits"] == ["10/3"]
    room = act(act(room, {"do": "balloon", "size": "10/3"}), {"do": "inflate", "ml": 0.5})
    assert shown(room, 1)["balloon"]["fits"] == []


@pytest.mark.parametrize("kind", ["vertebroplasty", "kyphoplasty"])
def test_a_percent_sign_stands_apart_everywhere(kind):
    room = act(sample(kind), {"do": "picture", "plane": "both"})
    done = act(room, {"do": "stop"})
    inflated = replace(room, deflated=False) if kind == "kyphoplasty" else room
    placing = act(placed(act(start(kind), {"do": "treat"}), "left", 0.6), {"do": "picture", "plane": "both"})
    said = [about(kind), *(shown(each, 1) for each in (room, placing, done))]
    said.append(procedure.words(replace(room.films[-1], inflated=inflated.tense)))
    text = json.dumps(said)
    assert text.count(" %") > 5 and not re.search(r"[0-9]%", text)


@pytest.mark.parametrize("kind", ["vertebroplasty", "kyphoplasty"])
def test_the_report_is_the_debrief(kind):
    room = act(sample(kind), {"do": "stop"})
    report, said = shown(room, 1)["debrief"], marking.debrief(room)
    assert report["score"] == said.score and len(report["lines"]) == len(said.lines)
    assert [line["earned"] for line in report["lines"]] == [line.earned for line in said.lines]
    assert [name for name, _ in report["pictures"]] == ["Lateral, before", "Lateral, after", "AP, before", "AP, after"]
    assert "Cement" in report["words"]
    json.dumps(report)


def test_the_rubric_is_shown_whole_before_anything_is_done():
    for kind in ("vertebroplasty", "kyphoplasty"):
        told = about(kind)
        for key, name in (("rubric", kind), ("refer", "refer")):
            assert [row["points"] for row in told[key]] == [criterion.points for criterion in RUBRICS[name]]
        assert "stop" in told["steps"] and ("balloon" in told["steps"]) == (kind == "kyphoplasty")
        assert all(model["Does not show"] for model in told["models"])
        json.dumps(told)


def test_the_list_of_patients_does_not_tell_who_must_not_be_treated():
    told = json.dumps([about("vertebroplasty")["patients"], shown(start("vertebroplasty"), 0)["case"]])
    assert not any(word in told for word in ("contra", *(who.contra for who in PATIENTS.values() if who.contra)))


def test_a_room_may_open_on_another_patient():
    made = procedure_room("kyphoplasty", patient="e", level="T12")
    assert made.shown["case"] == {"patient": "e", "level": "T12", "fracture": "burst"}
    assert repr(made) == "Procedure room, balloon kyphoplasty: Mrs E, 74, T12, step patient"
    for bad, said in (({"patient": "x"}, "patient is 'x'"), ({"level": "C1"}, "level is 'C1'"), ({"fracture": 3}, "3")):
        with pytest.raises(ValueError, match=said):
            procedure_room("vertebroplasty", **bad)
    with pytest.raises(ValueError, match="procedure is 'surgery'"):
        procedure_room("surgery")


def test_the_static_form_is_stable_and_complete():
    first, second = procedure_room("vertebroplasty"), procedure_room("vertebroplasty")
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert "Vertebroplasty of L1" in bundle["text/html"] and "data:image/png;base64" in bundle["text/html"]
    assert "posterior wall" in bundle["text/html"] and "0x" not in repr(first)


def test_a_film_of_the_patient_as_she_came_holds_nothing_foreign():
    room = sample("kyphoplasty")
    film = plain(room, "frontal", True)
    assert isinstance(film, Film) and film.needles == () and film.cement is None and not film.inflated
    assert film.vertebra is room.case.vertebra
    assert stale(start("vertebroplasty"), "frontal") == ""
    assert module.after_words(start("vertebroplasty")) == ""
