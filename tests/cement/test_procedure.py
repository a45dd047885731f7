"""The procedure room as a state machine: what can be done when, what earns points, and that nothing hidden does."""

import math
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.cement import procedure
from vertebra.cement import rubric as marking
from vertebra.cement.balloon import BALLOONS
from vertebra.cement.material import CEMENTS
from vertebra.cement.procedure import (
    ACTS,
    DOCK,
    FRACTURES,
    LEVELS,
    PATHWAYS,
    PATIENTS,
    REASONS,
    REFERRALS,
    STAGES,
    Case,
    Push,
    Refused,
    act,
    depth_share,
    in_canal,
    leaks,
    needles,
    next_step,
    spread,
    start,
    touch,
    visible,
    words,
)
from vertebra.cement.rubric import ADVICE, MARKS, RUBRICS, debrief
from vertebra.evidence.references import cited, references
from vertebra.imaging.needle import Breach

SETTINGS = settings(max_examples=15)


def do(room, name, **what):
    return act(room, {"do": name, **what})


def placed(room, side, share, convergence=0, descent=8, look=True):
    """Bring a needle along the pedicle's axis, turned a little, to a share of the body's depth."""
    off = touch(room.case, side)
    aim = {"lateral": -off["lateral"], "cranial": -off["cranial"]}
    aim |= {"convergence": convergence - off["convergence"], "descent": descent - off["descent"]}
    room = do(room, "aim", side=side, **aim)
    while depth_share(room.vertebra, dict(needles(room))[side].tip[None])[0] < share:
        room = do(room, "advance", mm=2 if room.path.depth >= 8 else 5 if look else 10)
        if look:
            room = do(room, "picture", plane="both")
    return room


@cache
def standing():
    """A needle that stands well, its stylet out."""
    return do(placed(do(start("vertebroplasty"), "treat"), "left", 0.65, look=False), "ready")


@cache
def vertebroplasty(running=False):
    """A run without fault on a plain wedge of L1; if the clock is running, it ticks between the acts as well."""
    tick = (lambda room: do(room, "wait", seconds=4)) if running else (lambda room: room)
    room = do(start("vertebroplasty"), "treat")
    room = placed(do(room, "picture", plane="both"), "left", 0.65)
    room = do(do(room, "ready"), "mix", cement="high viscosity", temperature=22)
    room = do(room, "wait", seconds=90)
    for _ in range(7):
        room = do(tick(do(room, "inject", ml=0.5)), "picture", plane="lateral")
    return do(room, "stop")


@cache
def kyphoplasty(running=False):
    """A run without fault with two balloons."""
    tick = (lambda room: do(room, "wait", seconds=4)) if running else (lambda room: room)
    room = do(start("kyphoplasty"), "treat")
    room = do(room, "picture", plane="both")
    for side in ("left", "right"):
        room = placed(room, side, 0.8)
    room = do(do(room, "ready"), "balloon", size="15/3")
    while not (room.signs or room.wall_seen or room.inflated >= 2):
        room = do(tick(do(room, "inflate", ml=0.5)), "picture", plane="both")
    room = do(do(room, "deflate"), "ready")
    room = do(do(room, "mix", cement="high viscosity", temperature=22), "wait", seconds=90)
    while room.volume < procedure.cavity_volume(room) - 0.1:
        room = do(tick(do(room, "inject", ml=0.5)), "picture", plane="lateral")
    return do(room, "stop")


RUNS = {"vertebroplasty": vertebroplasty, "kyphoplasty": kyphoplasty}


def earned(room):
    return {line.criterion.id: line.earned / line.criterion.points for line in debrief(room).lines}


# --- the rubric ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUBRICS)
def test_a_rubric_is_worth_a_hundred_and_every_line_can_be_marked_and_mended(name):
    rubric = RUBRICS[name]
    assert sum(criterion.points for criterion in rubric) == 100
    assert len({criterion.id for criterion in rubric}) == len(rubric)
    assert {criterion.id for criterion in rubric} <= MARKS.keys() & ADVICE.keys()


def test_every_source_that_is_named_was_opened():
    said = [*ADVICE.values(), *(why for _, why in REFERRALS.values())]
    said += [criterion.source for rubric in RUBRICS.values() for criterion in rubric]
    named = {name for text in said for name in cited(text)} - {"unreferenced"}
    assert named and all(references()[name].publishable for name in named)


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("name", RUNS)
def test_a_careful_run_earns_ninety_and_more_whether_the_clock_runs_or_not(name, running):
    said = debrief(RUNS[name](running))
    assert said.rubric == name and said.score >= 90, [line for line in said.lines if line.earned < 1]
    assert said.score == pytest.approx(sum(line.earned for line in said.lines))


@pytest.mark.parametrize("name", STAGES)
def test_a_careless_run_scores_low(name):
    room = do(start(name), "treat")
    for side in ("left", "right") if name == "kyphoplasty" else ("left",):
        off = touch(room.case, side)
        held = {"lateral": 4 - off["lateral"], "cranial": -off["cranial"], "descent": 6 - off["descent"]}
        room = do(room, "aim", side=side, convergence=-off["convergence"], **held)
        while room.path.depth < 22:
            room = do(room, "advance", mm=10)
    room = do(room, "ready")
    if name == "kyphoplasty":
        room = do(room, "balloon", size="10/3")
        for _ in range(5):
            room = do(room, "inflate", ml=0.5)
        room = do(do(room, "deflate"), "ready")
    room = do(room, "mix", cement="low viscosity", temperature=18)
    for _ in range(12):
        room = do(room, "inject", ml=0.5)
    assert debrief(do(room, "stop")).score <= 60


@pytest.mark.parametrize("name", STAGES)
def test_to_do_nothing_earns_next_to_nothing(name):
    room = do(start(name), "treat")
    assert debrief(do(room, "stop")).score <= 10
    assert debrief(start(name)).score == 0


def breached(room, **mm):
    return replace(room, paths=tuple(replace(path, worst=replace(path.worst, **mm)) for path in room.paths))


def pathed(room, **what):
    return replace(room, paths=tuple(replace(path, **what) for path in room.paths))


def pushed(room, **what):
    return replace(room, pushes=tuple(replace(push, **what) for push in room.pushes))


# What spoils one line, and one only: each change is to what happened, never to the marks.
SPOILT = {
    "look": lambda room: replace(room, looked=False),
    "canal": lambda room: breached(room, canal=2.5),
    "pedicle": lambda room: breached(room, medial=2.5),
    "order": lambda room: pathed(room, safe=False),
    "front": lambda room: breached(room, anterior=1.0),
    "tip": lambda room: pathed(room, depth=4.0),
    "front tip": lambda room: pathed(room, depth=10.0),
    "steps": lambda room: pathed(room, longest=30.0),
    "window": lambda room: pushed(room, age=10.0),
    "watch": lambda room: pushed(room, unseen=3.0),
    "cavity": lambda room: replace(room, inflation=replace(room.inflation, volume=0.8), signs=(), wall_seen=""),
    "signs": lambda room: replace(room, signs=("full",), after_sign=1.0),
    "wall": lambda room: replace(room, wall_seen="anterior wall", after_wall=1.0),
    "gauge": lambda room: replace(room, longest_inflation=3.0),
    "stop": lambda room: replace(room, leak_seen="segmental vein", after_leak=2.0),
    "dose": lambda room: replace(room, fluoroscopy=500.0),
    "dose both": lambda room: replace(room, fluoroscopy=500.0),
}
# These follow from where the cement is, so that one spoils others with it.
TOGETHER = {"select", "fill", "cavity fill", "margin", "leak", "heat"}


@pytest.mark.parametrize("name", RUNS)
def test_each_line_can_be_lost_by_itself(name):
    good = RUNS[name]()
    whole = earned(good)
    for line, spoil in SPOILT.items():
        if line not in whole:
            continue
        assert whole[line] == 1, line
        now = earned(spoil(good))
        assert now[line] == 0, line
        assert {other for other in whole if now[other] < whole[other]} == {line}
    assert whole.keys() - SPOILT.keys() <= TOGETHER


def test_what_the_cement_has_done_costs_its_lines():
    """Everything at once into the back of a body with a hole in its wall: it comes to the wall, and out."""
    case = Case("i", "T10", "wall")
    room = do(start("vertebroplasty", case), "treat")
    room = do(placed(room, "left", 0.35, descent=0, look=False), "ready")
    room = do(room, "mix", cement="low viscosity", temperature=23)
    for _ in range(14):
        room = do(room, "inject", ml=0.5)
    room = do(room, "picture", plane="both")
    marks = earned(room)
    assert marks["fill"] == 0 and spread(room.state).share > 0.4
    assert marks["margin"] == 0 and spread(room.state).margin < 1
    assert marks["leak"] < 1 and leaks(room.state)
    assert marks["heat"] == 0 and marking.canal_heat(room) > 45


def into_the_canal(room):
    """Turn the needle in the hand much to the midline and push it on: it comes into the canal."""
    room = do(room, "aim", lateral=-10)
    for _ in range(4):
        room = do(room, "advance", mm=10)
    assert room.path.worst.canal > 2
    return room


def leaking(room, outlet, ml):
    """Give a room a leak by one way out, and by no other."""
    leaked = np.array([ml if each.name == outlet else 0.0 for each in room.state.bone.outlets])
    assert outlet in [each.name for each in room.state.bone.outlets]
    return replace(room, state=replace(room.state, leaked=leaked))


def test_what_was_in_the_canal_is_never_called_sound_whatever_the_score():
    good = vertebroplasty()
    assert debrief(good).verdict == "A procedure to be proud of."
    harmed = breached(good, canal=5.0)
    assert debrief(harmed).score >= 80 and debrief(harmed).verdict.startswith("This would have harmed the patient: the")
    assert "left needle 5 mm in the canal" in debrief(harmed).verdict
    grazed = breached(good, canal=1.9)
    assert "harmed" not in debrief(grazed).verdict
    out = leaking(good, "basivertebral vein", 0.3)
    assert debrief(out).score >= 80 and "0.30 mL of cement in the canal" in debrief(out).verdict
    assert (
        "0.10 mL of cement (too little for a film to show)" in debrief(leaking(good, "basivertebral vein", 0.1)).verdict
    )
    assert in_canal(out.state) == pytest.approx(0.3)
    traces = leaking(good, "basivertebral vein", 0.02)
    assert "harmed" not in debrief(traces).verdict and in_canal(traces.state) == 0
    # Nor does it go unsaid in a patient who should not have been on the table.
    said = debrief(breached(replace(good, case=Case("c")), canal=5.0)).verdict
    assert "harmed" in said and "must not have cement" in said


def test_a_needle_that_was_drawn_out_of_the_canal_is_still_marked():
    room = do(into_the_canal(do(start("vertebroplasty"), "treat")), "draw back")
    room = do(placed(room, "right", 0.65), "ready")
    assert [path.side for path in room.paths] == ["right"] and [path.side for path in room.withdrawn] == ["left"]
    assert earned(room)["canal"] == 0 and "left needle" in debrief(room).verdict
    assert earned(room)["tip"] == 1
    assert ("Left needle, 11G", "drawn out again") in [(name, text.split(";")[0]) for name, text in debrief(room).facts]


def test_what_nobody_looked_at_is_never_called_sound():
    good = vertebroplasty()
    cement, path = debrief(pushed(good, unseen=3.5)), debrief(pathed(good, longest=40.0))
    assert cement.score >= 70 <= path.score
    assert cement.verdict.startswith("3.5 mL of cement went in without a picture.")
    assert path.verdict.startswith("40 mm of the left needle went in without a picture.")


def test_a_wall_is_seen_from_where_it_can_be_seen():
    """A balloon at a side wall: the lateral picture does not show it, and only who took both earns the line."""
    room = kyphoplasty()
    at_side = replace(room.inflation, contacts=("left wall",))
    room = replace(room, stage="balloon", deflated=False, inflation=at_side, wall_seen="", after_wall=0.0, films=())
    lateral = do(room, "picture", plane="lateral")
    assert lateral.wall_seen == "" and "come to" not in words(lateral.films[-1])
    assert earned(lateral)["wall"] == 0
    both = do(lateral, "picture", plane="frontal")
    assert both.wall_seen == "left wall" and "come to the left wall" in words(both.films[-1])
    assert earned(both)["wall"] == 1 and earned(replace(both, after_wall=0.5))["wall"] == 0.5


def test_the_stop_rule_that_is_marked_is_the_one_that_is_taught(monkeypatch):
    """Full marks until cement comes into the back quarter, half of them there, none within 3 mm of the wall."""
    good = vertebroplasty()
    real = spread(good.state)
    for back, margin, share in ((0.26, 9.0, 1), (0.24, 8.0, 0.5), (0.1, 3.0, 0.5), (0.05, 2.9, 0), (-0.1, -2.0, 0)):
        found = replace(real, depth=(back, 0.9), margin=margin)
        monkeypatch.setattr(marking, "spread", lambda _, found=found: found)
        assert earned(good)["margin"] == share, back
    assert "back quarter" in ADVICE["margin"] and "back quarter" in marking.CRITERIA["margin"][2]


@pytest.mark.parametrize("name", RUNS)
def test_there_is_a_next_step_until_the_debrief(name):
    room = start(name)
    assert "chart" in next_step(room)
    room = do(room, "treat")
    assert next_step(room).startswith("Take both pictures")
    room = do(room, "picture", plane="both")
    assert ("more to the midline" in next_step(room)) == (name == "kyphoplasty")
    room = placed(room, "left", 0.8, look=False)
    assert ("the other side" in next_step(room)) == (name == "kyphoplasty")
    room = do(room, "ready")
    if name == "kyphoplasty":
        assert "Choose a balloon" in next_step(room)
        room = do(do(room, "balloon", size="15/3"), "inflate", ml=0.5)
        assert "Stop at the first sign" in next_step(room)
        assert "deflate" in next_step(replace(room, wall_seen="left wall"))
        room = do(room, "deflate")
        assert "go on to cement" in next_step(room)
        room = do(room, "ready")
    assert "mix it" in next_step(room)
    room = do(room, "mix", cement="low viscosity", temperature=20)
    assert "Too thin" in next_step(room)
    opens, closes = (getattr(CEMENTS["low viscosity"].window(20), edge) for edge in ("opens", "closes"))
    paste = do(room, "wait", seconds=opens - room.age + 1)
    aimed_at = procedure.cavity_volume(room) if name == "kyphoplasty" else procedure.enough(room)
    assert f"about {aimed_at:.1f} mL" in next_step(paste)
    assert "stop for good" in next_step(replace(paste, leak_seen="basivertebral vein"))
    assert "wait until" in next_step(replace(paste, leak_seen="endplate defect"))
    assert "too stiff" in next_step(do(paste, "wait", seconds=closes - opens))
    full = paste
    while full.volume < aimed_at:
        full = do(full, "inject", ml=0.5)
    assert "as much cement in" in next_step(full)
    assert next_step(do(paste, "stop")) == ""


def test_the_next_step_reads_the_pictures_and_nothing_else(monkeypatch):
    """A needle in the canal, at the front wall or well placed is told once a picture shows it, not before."""
    room = do(do(start("vertebroplasty"), "treat"), "picture", plane="both")
    canal = into_the_canal(room)
    assert "canal" not in next_step(canal)
    assert "that way lies the canal" in next_step(do(canal, "picture", plane="lateral"))
    well = placed(room, "left", 0.6, look=False)
    assert "Advance" in next_step(well)
    assert "stylet may come out" in next_step(do(well, "picture", plane="lateral"))
    far = placed(room, "left", 1.05, look=False)
    assert "draw it back" in next_step(do(far, "picture", plane="lateral"))
    good = replace(vertebroplasty(), stage="cement")
    assert "Stop when cement comes into the back quarter" in next_step(good)
    real = spread(good.state)
    monkeypatch.setattr(procedure, "spread", lambda state: replace(real, depth=(0.2, 0.9)))
    assert "shows cement in the back quarter of the body: stop here" in next_step(good)
    assert "shows cement" not in next_step(replace(good, films=()))


def test_a_needle_turned_more_to_the_midline_keeps_its_balloon_longer_from_the_side_wall():
    """What the next step tells in a kyphoplasty is what the model does."""
    volumes = []
    for converge in (0, 8):
        room = do(start("kyphoplasty", Case("a", "T10")), "treat")
        for side in ("left", "right"):
            room = placed(room, side, 0.8, convergence=converge, look=False)
        room = do(do(room, "ready"), "balloon", size="15/3")
        while not procedure.walls(room.inflation, "frontal"):
            room = do(room, "inflate", ml=0.5)
        volumes.append(room.inflated)
    assert volumes[1] > volumes[0]


# --- who must not be treated -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("patient", PATIENTS)
def test_every_patient_has_one_right_act(patient):
    who = PATIENTS[patient]
    room = do(start("kyphoplasty"), "choose", patient=patient)
    if not who.contra:
        refused = do(room, "refer", reason="none", pathway="conservative")
        assert debrief(refused).score == 0 and "nice_ta279" in debrief(refused).verdict
        return
    pathway, why = REFERRALS[who.contra]
    assert pathway in PATHWAYS and cited(why)
    right = do(room, "refer", reason=who.contra, pathway=pathway)
    assert right.stage == "debrief" and debrief(right).rubric == "refer" and debrief(right).score == 100
    other = next(name for name in REASONS if name != who.contra)
    wrong = next(name for name in PATHWAYS if name != pathway)
    assert debrief(do(room, "refer", reason=other, pathway=pathway)).score == 75
    assert debrief(do(room, "refer", reason=who.contra, pathway=wrong)).score == 85
    assert debrief(do(do(room, "treat"), "stop")).score == 0


def test_not_to_treat_is_possible_until_the_needle_is_in_bone():
    room = do(do(start("vertebroplasty", Case("d")), "treat"), "picture", plane="both")
    late = do(do(room, "aim", lateral=2), "refer", reason="infection", pathway="infection team")
    assert debrief(late).score == 100
    for gone in (do(room, "advance", mm=1), do(do(room, "advance", mm=5), "draw back")):
        with pytest.raises(Refused, match="in the patient"):
            do(gone, "refer", reason="infection", pathway="infection team")


def test_what_the_chart_tells_of_a_fracture_comes_with_the_patient():
    room = do(start("vertebroplasty"), "choose", patient="e", fracture="crush")
    assert room.case.fracture == "burst"
    assert do(room, "choose", patient="b").case.fracture == "wedge"
    assert do(room, "choose", patient="h").case.fracture == "cleft"
    with pytest.raises(Refused, match="choose another fracture"):
        do(start("vertebroplasty"), "choose", fracture="burst")
    with pytest.raises(ValueError, match="Mrs E, 74 has another fracture; choose burst"):
        Case("e", "L1", "wedge")


@pytest.mark.parametrize("level", LEVELS)
def test_every_fracture_can_lie_at_every_level(level):
    for patient, fracture in [("a", name) for name in FRACTURES if name != "burst"] + [("e", "burst")]:
        case = Case(patient, level, fracture)
        assert np.isfinite(case.vertebra.landmarks).all()


# --- needles ---------------------------------------------------------------------------------------------------------


def test_the_first_touch_is_near_and_never_right():
    found = [touch(Case("a", level, "wedge"), side) for level in LEVELS for side in ("left", "right")]
    assert all(2 <= abs(off["lateral"]) <= 5 and 3 <= abs(off["convergence"]) <= 9 for off in found)
    assert len({tuple(off.values()) for off in found}) > 15
    assert touch(Case(), "left") == touch(Case(), "left")


def test_a_needle_in_bone_cannot_be_turned_and_its_breach_stays():
    room = into_the_canal(do(start("vertebroplasty"), "treat"))
    assert not room.path.safe
    with pytest.raises(Refused, match="draw it back"):
        do(room, "aim", convergence=3)
    back = do(room, "draw back")
    assert back.path.depth == DOCK and back.path.worst == room.path.worst
    again = do(do(back, "aim", lateral=0), "advance", mm=10)
    assert all(getattr(again.path.worst, f.name) >= getattr(room.path.worst, f.name) for f in fields(Breach))


def test_the_needle_s_words_are_what_was_measured():
    """On lateral the share of the depth; on AP the offset from the ring, which no needle along the axis has."""
    room = placed(do(start("vertebroplasty"), "treat"), "left", 0.6)
    frontal, lateral = room.films[-2:]
    share = depth_share(room.vertebra, dict(needles(room))["left"].tip[None])[0]
    assert f"tip at {100 * share:.0f} % of the body's depth" in words(lateral)
    assert "through the middle of the pedicle and runs 8 degrees down" in words(lateral)
    assert "medially" in words(frontal) and "AP picture" in words(frontal)
    begun = do(do(start("vertebroplasty"), "treat"), "picture", plane="both")
    off = touch(begun.case, "left")
    said = words(begun.films[0])
    assert ("laterally" in said) == (off["lateral"] > 0) and ("up" in said) == (off["cranial"] > 0)


@pytest.mark.parametrize("level", ["T8", "T12", "L1", "L4"])
def test_down_the_pedicle_its_ring_is_round_and_its_axis_a_point(level):
    room = start("vertebroplasty", Case("a", level))
    for side, angle in procedure.down(room).items():
        pedicle = room.vertebra.pedicle(side)
        beam = procedure.CArm(angle).axes[2]
        assert abs(beam @ pedicle.axis) == pytest.approx(1, abs=1e-9)


def test_a_burst_balloon_is_not_pumped_on():
    room = replace(kyphoplasty(), stage="balloon", deflated=False)
    room = replace(room, inflation=replace(room.inflation, stopped="burst"))
    assert earned(room)["signs"] == 0
    gone = do(room, "picture", plane="both")
    assert not gone.films[-1].inflated and gone.vertebra is room.inflation.settled
    with pytest.raises(Refused, match="burst"):
        do(room, "inflate", ml=0.5)


# --- films and rays --------------------------------------------------------------------------------------------------


def test_only_an_exposure_costs_rays():
    room = do(start("vertebroplasty"), "treat")
    for name, what in (
        ("aim", {"lateral": 3}),
        ("advance", {"mm": 5}),
        ("arm", {"plane": "frontal", "orbital": 10, "tilt": 5}),
    ):
        room = do(room, name, **what)
        assert room.fluoroscopy == room.dose == 0 and not room.films
    one = do(room, "picture", plane="frontal")
    both = do(one, "picture", plane="both")
    assert (one.fluoroscopy, both.fluoroscopy) == (1, 3)
    assert len(both.films) == 3 and both.dose > 3  # the lateral costs more


def test_a_picture_stays_what_it_was():
    room = do(do(start("vertebroplasty"), "treat"), "picture", plane="lateral")
    film = room.films[0]
    later = do(room, "advance", mm=10)
    assert later.films == room.films
    assert np.allclose(film.needles[0][1].tip, dict(needles(room))["left"].tip)
    assert not np.allclose(film.needles[0][1].tip, dict(needles(later))["left"].tip)


def test_a_foot_on_the_pedal_sees_everything_and_pays_for_it():
    room = do(do(do(start("vertebroplasty"), "treat"), "screen", plane="lateral"), "advance", mm=5)
    assert len(room.films) == 2 and room.fluoroscopy > 3
    waited = do(room, "wait", seconds=30)
    assert waited.fluoroscopy == pytest.approx(room.fluoroscopy + 30)
    off = do(waited, "screen", plane="")
    assert do(off, "wait", seconds=30).fluoroscopy == waited.fluoroscopy


def test_cement_darkens_the_film_where_it_lies_and_nowhere_else():
    room = vertebroplasty()
    film = room.films[-1]
    bone = procedure.scene(replace(film, cement=None), 0.07).projection(procedure.carm(film))
    with_cement = procedure.scene(film, 0.07).projection(procedure.carm(film))
    more = with_cement - bone
    tip = procedure.carm(film).project(dict(needles(room))["left"].tip[None])[0].round().astype(int)
    assert more[tip[1], tip[0]] > 0.5 and more.min() > -1e-3
    assert (np.abs(more) < 1e-3).mean() > 0.8


def test_a_leak_is_on_the_film_where_the_debrief_says_and_only_if_it_says_so():
    room = vertebroplasty()

    def shadow(seen):
        film = replace(room.films[-1], cement=seen.state)
        return procedure.scene(film, 0.07).projection(procedure.carm(film))

    bare = shadow(leaking(room, "basivertebral vein", 0.0))
    traces, streak = leaking(room, "basivertebral vein", 0.1), leaking(room, "basivertebral vein", 0.4)
    assert np.array_equal(shadow(traces), bare) and not visible(traces.state)
    assert any("too little for a film" in text for _, text in debrief(traces).facts)
    more = shadow(streak) - bare
    wall = procedure.carm(room.films[-1]).project(room.vertebra.landmarks[[2, 5]])
    rows, columns = np.nonzero(more > 0.1)
    # The wall is hollow: its middle lies up to 3 mm in front of the line between its corners.
    assert len(rows) > 20 and columns.min() > wall[:, 0].min() - 7 and columns.max() < wall[:, 0].max() + 40
    assert wall[0, 1] - 3 < rows.min() and rows.max() < wall[1, 1] + 3
    assert any(
        "0.40 mL behind the posterior wall, in the midline (type B)" in text for _, text in debrief(streak).facts
    )


# --- cement and the clock --------------------------------------------------------------------------------------------


def test_time_only_goes_forward_and_the_cement_ages_with_it():
    room = standing()
    with pytest.raises(Refused, match="Mix the cement first"):
        do(room, "inject", ml=0.5)
    mixed = do(room, "mix", cement="low viscosity", temperature=23)
    assert mixed.age == 60
    with pytest.raises(Refused, match="one pack"):
        do(mixed, "mix", cement="high viscosity", temperature=23)
    early = do(mixed, "inject", ml=0.5)
    late = do(do(mixed, "wait", seconds=300), "inject", ml=0.5)
    assert late.seconds == pytest.approx(early.seconds + 300)
    assert late.pushes[0].pressure > 3 * early.pushes[0].pressure
    assert early.volume == 0.5 and late.state.filled == pytest.approx(0.5, abs=0.02)


def test_set_cement_does_not_move_and_says_so():
    room = standing()
    room = do(do(room, "mix", cement="high viscosity", temperature=23), "wait", seconds=900)
    stuck = do(room, "inject", ml=0.5)
    assert stuck.stuck and stuck.volume == 0 and "does not move" in stuck.message
    assert stuck.seconds > room.seconds


def test_what_was_injected_stays():
    room = standing()
    room = do(do(room, "mix", cement="high viscosity", temperature=23), "wait", seconds=60)
    volumes = []
    for _ in range(4):
        room = do(room, "inject", ml=0.25)
        volumes.append(room.state.filled + sum(room.state.leaks.values()))
    assert np.allclose(volumes, [0.25, 0.5, 0.75, 1.0], atol=1e-6)


def test_a_leak_counts_against_one_only_when_a_picture_has_shown_it():
    room = vertebroplasty()
    unseen = replace(leaking(room, "cortical defect", 0.4), stage="cement")
    assert list(leaks(unseen.state)) == list(visible(unseen.state)) == ["cortical defect"]
    assert unseen.leak_seen == "" and earned(unseen)["stop"] == 1
    seen = do(unseen, "picture", plane="lateral")
    assert seen.leak_seen == "cortical defect" and "in front of the body" in words(seen.films[-1])
    assert "streak" not in words(room.films[-1])


# --- balloons --------------------------------------------------------------------------------------------------------


def two_needles(left, right, convergence=0):
    """A kyphoplasty whose needles stand at these shares of the depth, the right one in the hand."""
    room = do(start("kyphoplasty"), "treat")
    for side, share in (("left", left), ("right", right)):
        room = placed(room, side, share, convergence=convergence, look=False)
    return room


def test_only_a_balloon_that_fits_behind_the_tips_can_be_chosen():
    room = do(two_needles(0.35, 0.8), "ready")
    assert [size for size in BALLOONS if procedure.fits(room, size)] == ["10/3"]
    for size in ("15/3", "20/3"):
        with pytest.raises(Refused, match="too long"):
            do(room, "balloon", size=size)
    assert do(do(room, "balloon", size="10/3"), "inflate", ml=0.25).inflated == 0.25


def test_where_no_balloon_fits_the_needle_is_named():
    with pytest.raises(Refused, match=r"^Left needle: no balloon fits"):
        do(two_needles(0.2, 0.8), "ready")
    with pytest.raises(Refused, match=r"^Right needle: no balloon fits"):
        do(two_needles(0.8, 0.2), "ready")
    with pytest.raises(Refused, match=r"^Left and right needle: no balloon fits"):
        do(two_needles(0.2, 0.2), "ready")
    with pytest.raises(Refused, match="two balloons would meet"):
        do(two_needles(0.8, 0.8, convergence=16), "ready")


def test_balloons_may_go_in_when_both_needles_are_seen_to_stand_well():
    short, both = (do(two_needles(left, 0.8), "picture", plane="both") for left in (0.68, 0.8))
    assert "left one does not stand well yet" in next_step(short) and "may" not in next_step(short)
    assert "The balloons may go in." in next_step(both)
    # What no picture has shown is not told.
    deeper = do(do(short, "aim", side="left"), "advance", mm=5)
    deeper = do(deeper, "aim", side="right")
    assert "does not stand well yet" in next_step(deeper)
    assert "The balloons may go in." in next_step(do(deeper, "picture", plane="lateral"))


def test_height_comes_with_the_balloon_and_part_of_it_goes_with_it():
    room = kyphoplasty()
    before, lifted, settled = (
        procedure.shape_of(body)["anterior"] for body in (room.case.vertebra, room.inflation.lifted, room.vertebra)
    )
    assert before < settled < lifted
    assert procedure.shape_of(room.vertebra)["wedge"] < procedure.shape_of(room.case.vertebra)["wedge"]


def test_a_balloon_is_filled_in_portions_until_it_is_full_or_bursts():
    room = do(start("kyphoplasty", Case("a", "L3", "crush")), "treat")
    for side in ("left", "right"):
        room = placed(room, side, 0.8, look=False)
    room = do(room, "ready")
    with pytest.raises(Refused, match="Choose a balloon"):
        do(room, "inflate", ml=0.5)
    with pytest.raises(Refused, match="Deflate"):
        do(room, "ready")
    room = do(room, "balloon", size="10/3")
    volumes = [0.0]
    with pytest.raises(Refused, match=r"takes no more|has burst"):
        for _ in range(20):
            room = do(room, "inflate", ml=0.5)
            volumes.append(room.inflated)
    assert 0 < room.inflated <= BALLOONS["10/3"].volume and (np.diff(volumes) <= 0.5 + 1e-9).all()
    assert room.signs and any(sign in room.message for sign in room.signs)
    with pytest.raises(Refused, match="The balloons are in"):
        do(room, "balloon", size="20/3")
    gone = do(room, "deflate")
    with pytest.raises(Refused, match="out"):
        do(gone, "inflate", ml=0.5)


# --- nothing breaks --------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.sampled_from([-5, -2, -1, 0, 0.25, 0.5, 1, 2, 5, 10, 20, 90]), st.floats(), st.none(), st.text(max_size=3)
)
WORDS = st.sampled_from(
    [
        "left",
        "right",
        "frontal",
        "lateral",
        "both",
        "",
        "11G",
        "13G",
        *CEMENTS,
        *BALLOONS,
        *PATIENTS,
        "L1",
        "T9",
        "cleft",
    ]
)
ACTIONS = st.fixed_dictionaries(
    {"do": st.sampled_from([*ACTS, "dance"])},
    optional={
        **dict.fromkeys(("mm", "ml", "seconds", "orbital", "tilt", "temperature", *procedure.RANGES), NUMBERS),
        **dict.fromkeys(("plane", "side", "gauge", "patient", "level", "fracture", "size", "cement"), WORDS),
        "reason": st.sampled_from([*REASONS, "x"]),
        "pathway": st.sampled_from([*PATHWAYS, "x"]),
    },
)
# So that walks get past the patient: acts that go on, more often than not.
FORWARD = st.sampled_from(
    [
        {"do": "treat"}, {"do": "advance", "mm": 10}, {"do": "advance", "mm": 5}, {"do": "ready"}, {"do": "deflate"},
        {"do": "balloon", "size": "10/3"}, {"do": "inflate", "ml": 0.5}, {"do": "picture", "plane": "both"},
        {"do": "mix", "cement": "high viscosity", "temperature": 23}, {"do": "wait", "seconds": 100},
        {"do": "inject", "ml": 0.5}, {"do": "aim", "side": "right"},
    ]
)  # fmt: skip


@SETTINGS
@given(st.sampled_from(list(STAGES)), st.lists(st.one_of(FORWARD, FORWARD, ACTIONS), max_size=25))
def test_every_act_in_every_state_gives_a_room_or_a_sentence(name, walk):
    room = start(name)
    for action in walk:
        before = room
        try:
            room = act(room, action)
        except Refused as refusal:
            said = str(refusal)
            assert said and "\n" not in said and said.endswith(".") and "Traceback" not in said
            continue
        assert room.stage in STAGES[name]
        if room.stage not in ("patient", "debrief") and before.stage == room.stage:
            assert room.seconds >= before.seconds and room.fluoroscopy >= before.fluoroscopy
            assert room.volume >= before.volume and len(room.films) >= len(before.films)
        said = debrief(room)
        assert 0 <= said.score <= 100 and all(0 <= line.earned <= line.criterion.points for line in said.lines)


def test_an_act_of_another_step_is_refused_with_its_place():
    room = start("vertebroplasty")
    for name in ("advance", "inject", "picture", "stop"):
        with pytest.raises(Refused, match=r"needle|cement|treat"):
            do(room, name, mm=1, ml=0.5, plane="both")
    with pytest.raises(Refused, match="knows no 'fly'"):
        do(room, "fly")
    with pytest.raises(ValueError, match="procedure is 'surgery'"):
        start("surgery")


def test_starting_again_keeps_the_patient_and_nothing_else():
    again = do(vertebroplasty(), "again")
    assert again.case == vertebroplasty().case and again.stage == "patient"
    assert again.seconds == again.fluoroscopy == again.volume == 0 and not again.films and again.state is None


def test_without_cement_there_is_no_heat():
    assert marking.canal_heat(start("vertebroplasty")) is None
    assert 37 <= marking.canal_heat(vertebroplasty()) < 45
    assert math.isfinite(marking.canal_heat(kyphoplasty()))


def test_a_push_knows_its_age():
    pushes = vertebroplasty().pushes
    assert all(isinstance(push, Push) for push in pushes)
    assert np.all(np.diff([push.age for push in pushes]) > 0)
