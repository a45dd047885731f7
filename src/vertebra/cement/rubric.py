"""The rubric of the procedure room, published before anything is done, and the debrief that follows it.

Points come from the physical state alone: where the needle went, where the cement lies, what was looked at and when.
What the numbers are worth is teaching convention: where no source is named they are unreferenced.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vertebra.cement import balloon as balloons
from vertebra.cement import bone as bones
from vertebra.cement import flow
from vertebra.cement.heat import cure
from vertebra.cement.material import CEMENTS
from vertebra.cement.procedure import (
    BACK_QUARTER,
    IN_CANAL,
    PATHWAYS,
    PLACES,
    REASONS,
    REFERRALS,
    Path,
    Room,
    cavity_volume,
    depth_share,
    in_canal,
    leaks,
    needle,
    parameter,
    percent,
    shape_of,
    spread,
    visible,
)
from vertebra.imaging.needle import Breach

FloatArray = NDArray[np.float64]

THREAD = parameter("thread")  # mm
BLIND_PATH, BLIND_PORTION = 15.0, 1.5  # mm and mL without a picture from which none speaks for it (unreferenced)
HARMFUL = 2.0  # mm of needle in the canal from which no score speaks for the procedure (unreferenced)


@dataclass(frozen=True)
class Criterion:
    """One line of a rubric: what earns its points, and on what that stands."""

    id: str
    part: str
    title: str
    points: int
    full: str
    source: str


# Part, title, when all points are earned, and the source where there is one.
CRITERIA: dict[str, tuple[str, str, str, str]] = {
    "select": ("Decision", "Treat a patient who fits", "treated, after the chart was read", "[nice_ta279]"),
    "look": ("Needle", "Look before you push", "an AP and a lateral picture before the needle advances", ""),
    "canal": ("Needle", "Keep out of the canal", "0 mm; less than 2 mm earns a third", ""),
    "pedicle": ("Needle", "Stay within the pedicle's walls", "no wall pierced by more than 0.5 mm; 2 mm: half", ""),
    "order": ("Needle", "Two views, one order", "past the posterior wall before the ring's medial border", ""),
    "front": ("Needle", "Spare endplates and front wall", "none pierced by more than 0.5 mm", ""),
    "tip": ("Needle", "Tip in the front half", "at 50 to 85 % of the depth; 35 to 95 %: half", ""),
    "front tip": ("Needle", "Tip in the front third", "at 70 to 92 % of the depth; 55 to 97 %: half", ""),
    "steps": ("Needle", "Steps and pictures", "never more than 5 mm without a picture; 10 mm: half", ""),
    "cavity": ("Balloon", "Make a cavity", "2 mL or more in the balloons, or up to a stop sign", ""),
    "signs": ("Balloon", "Stop at gauge, syringe or height", "nothing after the first sign; 0.5 mL: half", ""),
    "wall": (
        "Balloon",
        "Stop at a wall",
        "seen on AP and lateral, and nothing after one stood at a wall; 0.5 mL: half",
        "",
    ),
    "gauge": ("Balloon", "Watch while you inflate", "a lateral picture at least every 1 mL; 1.5 mL: half", ""),
    "window": ("Cement", "Inject paste, neither soup nor stone", "all of it within the cement's window", ""),
    "watch": ("Cement", "Watch what you inject", "a lateral picture at least every 0.5 mL; 1 mL: half", ""),
    "fill": ("Cement", "Enough is enough", "10 to 30 % of the body; 5 to 40 %: half", ""),
    "cavity fill": ("Cement", "Fill the cavity, and little more", "80 to 130 % of the cavity; 60 to 160 %: half", ""),
    "margin": (
        "Stop",
        "Leave the back alone",
        "no cement in the back quarter of the body; there, but 3 mm or more from its wall: half",
        "",
    ),
    "stop": ("Stop", "Stop at a leak", "at most 0.25 mL after a picture showed one; 0.5 mL: half", ""),
    "leak": ("Stop", "Keep cement in the bone", "none in the canal, 0.2 mL or less elsewhere; 0.5 mL: half", ""),
    "heat": ("Stop", "Keep the canal cool", "below 45 °C at the canal's wall by the model", ""),
    "dose": ("Stop", "Spare the rays", "90 s of fluoroscopy or less; 180 s: half", ""),
    "dose both": ("Stop", "Spare the rays", "120 s of fluoroscopy or less; 240 s: half", ""),
    "refrain": ("Decision", "Do not treat", "the needle never enters the bone", ""),
    "reason": ("Decision", "Name the reason", "the reason in the chart", ""),
    "pathway": ("Decision", "Send the patient the right way", "the pathway that this reason asks for", ""),
}


def _rubric(**points: int) -> tuple[Criterion, ...]:
    """Return the lines of a rubric in their order, from what each is worth."""
    found = []
    for name, worth in points.items():
        key = name.replace("_", " ")
        part, title, full, source = CRITERIA[key]
        found.append(Criterion(key, part, title, worth, full, source or "[unreferenced]"))
    return tuple(found)


RUBRICS: dict[str, tuple[Criterion, ...]] = {
    "vertebroplasty": _rubric(
        select=8, look=4, canal=12, pedicle=7, order=6, front=5, tip=6, steps=5,
        window=8, watch=7, fill=6, margin=6, stop=6, leak=6, heat=4, dose=4,
    ),
    "kyphoplasty": _rubric(
        select=8, look=3, canal=10, pedicle=5, order=5, front=4, front_tip=6, steps=4, cavity=5, signs=8, wall=6,
        gauge=5, window=6, watch=5, cavity_fill=5, margin=4, stop=4, leak=4, heat=1, dose_both=2,
    ),
    "refer": _rubric(refrain=60, reason=25, pathway=15),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of the rubric as it was earned, with the reason."""

    criterion: Criterion
    earned: float
    reason: str


@dataclass(frozen=True)
class Debrief:
    """What is said afterwards: which rubric, its lines, their sum out of 100, the facts and what to do next time."""

    rubric: str
    lines: tuple[Line, ...]
    score: float
    verdict: str
    facts: tuple[tuple[str, str], ...]
    advice: tuple[str, ...]


def canal_heat(room: Room) -> float | None:
    """Return the highest temperature that the cement brings to the canal's wall, C; None without cement.

    The cement in the body is taken as a ball of its volume that is as far from the canal as its nearest voxel, cement
    in the canal as a thread THREAD mm long in fluid at rest.
    """
    state = room.state
    if state is None or room.volume <= 0:
        return None
    bone, h = state.bone, state.bone.spacing
    aged = {"cement_name": room.cement, "room": room.temperature, "injected_at": room.pushes[0].age}
    peaks = []
    points = bone.origin + h * np.argwhere((state.cement_volume > 1 / 3) & bone.inside)
    if len(points):
        distance = max(float(bone.vertebra.canal_distance(points).min()) - h / 2, 0.0)
        # In a cavity there is only cement, between trabeculae there is bone too.
        share = {"fraction": 1.0} if room.inflation else {}
        peaks.append(cure(room.volume, **aged, **share).peak(min(distance, 30.0)))
    inside = in_canal(state)
    if inside:
        peaks.append(cure(inside, 1.0, **aged, around="water", length=THREAD).peak())
    return max(peaks, default=None)


def _banded(value: float, full: tuple[float, float], half: tuple[float, float]) -> float:
    """Return 1 within `full`, a half within `half`, else 0; bounds count as within."""
    if full[0] <= value <= full[1]:
        return 1.0
    return 0.5 if half[0] <= value <= half[1] else 0.0


def _inside(room: Room) -> tuple[Path, ...]:
    """Return the needles that have passed a pedicle, those that were drawn out again among them."""
    return tuple(path for path in (*room.paths, *room.withdrawn) if path.deepest > 0)


Mark = tuple[float, str]


def _needle_mark(room: Room, judge: Callable[[Path], Mark]) -> Mark:
    """Return the worst mark of the needles; none without a needle that has passed the pedicle."""
    found = _inside(room)
    if not found:
        return 0.0, "no needle passed a pedicle"
    marks = [(*judge(path), path.side) for path in found]
    share, reason, side = min(marks, key=lambda mark: mark[0])
    if len(found) == 1:
        return share, reason
    alike = all(mark[:2] == (share, reason) for mark in marks)
    return share, f"both needles: {reason}" if alike else f"{side} needle: {reason}"


def _canal(path: Path) -> Mark:
    mm = path.worst.canal
    if mm <= 0.05:
        return 1.0, "not in the canal"
    return 1 / 3 if mm < HARMFUL else 0.0, f"{mm:.1f} mm into the canal"


def _pedicle(path: Path) -> Mark:
    walls = {name: getattr(path.worst, name) for name in ("medial", "lateral", "superior", "inferior")}
    name = max(walls, key=lambda wall: walls[wall])
    return _banded(walls[name], (0, 0.5), (0, 2)), f"{name} wall, {walls[name]:.1f} mm" if walls[
        name
    ] > 0.05 else "none pierced"


def _front(path: Path) -> Mark:
    walls = {
        "front or side wall": path.worst.anterior,
        "upper endplate": path.worst.superior_endplate,
        "lower endplate": path.worst.inferior_endplate,
    }
    name = max(walls, key=lambda wall: walls[wall])
    return float(walls[name] <= 0.5), f"{name}, {walls[name]:.1f} mm" if walls[name] > 0.05 else "none pierced"


def _order(path: Path) -> Mark:
    return float(path.safe), "kept" if path.safe else "the medial border was crossed first"


def _steps(path: Path) -> Mark:
    return _banded(path.longest, (0, 5), (0, 10)), f"at most {path.longest:.0f} mm without a picture"


def _tip(room: Room, full: tuple[float, float], half: tuple[float, float]) -> Mark:
    def judge(path: Path) -> Mark:
        if path in room.withdrawn:
            return 1.0, "drawn out again"
        share = float(depth_share(room.case.vertebra, needle(room.case, path).tip[None])[0])
        return _banded(share, full, half), f"at {percent(share)} of the depth"

    return _needle_mark(room, judge)


def _cement_mark(room: Room, judge: Callable[[flow.State], Mark]) -> Mark:
    """Return a mark of the cement; none for less than half a millilitre."""
    if room.state is None or room.volume < 0.5:
        return 0.0, "less than 0.5 mL of cement was injected"
    return judge(room.state)


def _window(room: Room, state: flow.State) -> Mark:
    window = CEMENTS[room.cement].window(room.temperature)
    early = sum(push.volume for push in room.pushes if push.age < window.opens)
    late = sum(push.volume for push in room.pushes if push.age > window.closes)
    span = f"{clock(window.opens)} to {clock(window.closes)}"
    wrong = " and ".join(f"{ml:g} mL too {name}" for ml, name in ((early, "early"), (late, "late")) if ml)
    return 1 - (early + late) / room.volume, f"{wrong or 'all in time'}; the window was {span}"


def _fill(room: Room, state: flow.State) -> Mark:
    share = spread(state).share
    return _banded(share, (0.1, 0.3), (0.05, 0.4)), f"{state.filled:.1f} mL, {percent(share)} of the body"


def _cavity_fill(room: Room, state: flow.State) -> Mark:
    share = room.volume / max(cavity_volume(room), 0.1)
    return _banded(share, (0.8, 1.3), (0.6, 1.6)), f"{room.volume:g} mL into {cavity_volume(room):.1f} mL of cavity"


def _margin(room: Room, state: flow.State) -> Mark:
    found = spread(state)
    if not math.isfinite(found.margin):
        return 1.0, "no cement in the body"
    share = 1.0 if found.depth[0] >= BACK_QUARTER else 0.5 if found.margin >= 3 else 0.0
    return share, f"from {percent(found.depth[0])} of the depth on, {found.margin:.1f} mm from the posterior wall"


def _stop_leak(room: Room, state: flow.State) -> Mark:
    if not any(film.cement is not None for film in room.films):
        return 0.0, "no picture was taken of the cement"
    if not room.leak_seen:
        return 1.0, "no picture showed a leak"
    return _banded(room.after_leak, (0, 0.25), (0, 0.5)), f"{room.after_leak:g} mL more after a leak was on a picture"


def _leak(room: Room, state: flow.State) -> Mark:
    found = leaks(state)
    total = sum(found.values())
    told = ", ".join(f"{ml:.2f} mL by the {name}" for name, ml in found.items())
    return 0.0 if in_canal(state) else _banded(total, (0, 0.2), (0, 0.5)), told or "no leak"


def _heat(room: Room, state: flow.State) -> Mark:
    peak = canal_heat(room)
    return (1.0, "no cement near the canal") if peak is None else (float(peak < 45), f"{peak:.0f} °C at most")


def _balloon_mark(room: Room, judge: Callable[[balloons.Inflation], Mark]) -> Mark:
    if room.inflation is None or room.inflated < 0.5:
        return 0.0, "no balloon was inflated"
    return judge(room.inflation)


def _wall(room: Room) -> Mark:
    planes = {film.plane for film in room.films if film.inflated}
    for plane, name in (("frontal", "AP"), ("lateral", "lateral")):
        if plane not in planes:
            return 0.0, f"no {name} picture was taken of the balloons"
    if not room.wall_seen:
        return 1.0, "no picture showed one at a wall"
    told = f"{room.after_wall:g} mL more after a picture showed it at the {room.wall_seen}"
    return _banded(room.after_wall, (0, 0), (0, 0.5)), told


def _dose(room: Room, full: float, half: float) -> Mark:
    if not _inside(room):
        return 0.0, "no needle passed a pedicle"
    return _banded(room.fluoroscopy, (0, full), (0, half)), f"{room.fluoroscopy:.0f} s"


MARKS: dict[str, Callable[[Room], Mark]] = {
    "select": lambda room: (float(room.decision == "treat"), "treated" if room.decision == "treat" else "not treated"),
    "look": lambda room: (float(room.looked), "both were taken" if room.looked else "not both were taken"),
    "canal": lambda room: _needle_mark(room, _canal),
    "pedicle": lambda room: _needle_mark(room, _pedicle),
    "order": lambda room: _needle_mark(room, _order),
    "front": lambda room: _needle_mark(room, _front),
    "tip": lambda room: _tip(room, (0.5, 0.85), (0.35, 0.95)),
    "front tip": lambda room: _tip(room, (0.7, 0.92), (0.55, 0.97)),
    "steps": lambda room: _needle_mark(room, _steps),
    "window": lambda room: _cement_mark(room, lambda state: _window(room, state)),
    "watch": lambda room: _cement_mark(
        room,
        lambda state: (
            _banded(max(push.unseen for push in room.pushes), (0, 0.5), (0, 1.0)),
            f"at most {max(push.unseen for push in room.pushes):g} mL without a lateral picture",
        ),
    ),
    "fill": lambda room: _cement_mark(room, lambda state: _fill(room, state)),
    "cavity fill": lambda room: _cement_mark(room, lambda state: _cavity_fill(room, state)),
    "margin": lambda room: _cement_mark(room, lambda state: _margin(room, state)),
    "stop": lambda room: _cement_mark(room, lambda state: _stop_leak(room, state)),
    "leak": lambda room: _cement_mark(room, lambda state: _leak(room, state)),
    "heat": lambda room: _cement_mark(room, lambda state: _heat(room, state)),
    "dose": lambda room: _dose(room, 90, 180),
    "dose both": lambda room: _dose(room, 120, 240),
    "cavity": lambda room: _balloon_mark(
        room,
        lambda found: (
            float(found.volume >= 2 or bool(room.signs or room.wall_seen)),
            f"{found.volume:.1f} mL{', up to a stop sign' if room.signs or room.wall_seen else ''}",
        ),
    ),
    "signs": lambda room: _balloon_mark(
        room,
        lambda found: (
            0.0 if found.stopped == "burst" else _banded(room.after_sign, (0, 0), (0, 0.5)),
            f"{room.after_sign:g} mL pumped in after this: {room.signs[0]}" if room.signs else "no sign was reached",
        ),
    ),
    "gauge": lambda room: _balloon_mark(
        room,
        lambda found: (
            _banded(room.longest_inflation, (0, 1), (0, 1.5)),
            f"at most {room.longest_inflation:g} mL without a lateral picture",
        ),
    ),
    "wall": lambda room: _balloon_mark(room, lambda found: _wall(room)),
    "refrain": lambda room: (
        float(room.decision == "refer"),
        "not treated" if room.decision == "refer" else "treated",
    ),
    "reason": lambda room: (
        float(room.reason == room.case.who.contra),
        REASONS[room.reason] if room.reason else "no reason was given",
    ),
    "pathway": lambda room: (
        float(room.pathway == REFERRALS.get(room.case.who.contra, ("",))[0]),
        PATHWAYS[room.pathway] if room.pathway else "the patient was not sent on",
    ),
}


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds."""
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def rubric_of(room: Room) -> str:
    """Return which rubric applies: that of the procedure, or "refer" for a patient who must not be treated."""
    return "refer" if room.case.who.contra else room.procedure


def debrief(room: Room) -> Debrief:
    """Return what is said of a room, at any moment: points by the rubric, facts, and what to do next time."""
    name = rubric_of(room)
    lines = []
    refused = name != "refer" and room.decision != "treat"
    for criterion in RUBRICS[name]:
        share, reason = (0.0, "nothing was done") if refused else MARKS[criterion.id](room)
        lines.append(Line(criterion, round(criterion.points * share, 1), reason))
    score = round(sum(line.earned for line in lines), 1)
    return Debrief(name, tuple(lines), score, _verdict(room, score), tuple(_facts(room)), tuple(_advice(room, lines)))


def _verdict(room: Room, score: float) -> str:
    contra = room.case.who.contra
    said = []
    harm = _harm(room)
    if harm:
        said.append(
            f"This would have harmed the patient: {' and '.join(harm)} in the canal. Whatever the score: stop, test "
            "the legs, CT and the spine surgeon at once."
        )
    if contra:
        pathway, why = REFERRALS[contra]
        if room.decision == "refer":
            return f"Right: this patient must not have cement now. {why}"
        said.append(f"This patient must not have cement now: {REASONS[contra].lower()}. {why} {PATHWAYS[pathway]}.")
    elif room.decision != "treat":
        return (
            "Nothing in this chart forbids cement, and the room marks a procedure: nothing was done, so nothing is "
            "earned. Not to treat is still a choice that patient and doctor may make: cement is an option, not a duty "
            "[nice_ta279]."
        )
    if said:
        return " ".join(said)
    if room.volume < 0.5:
        return "You stopped before there was cement in the body: needle and pictures are marked, the rest is not."
    unseen = [f"{path.longest:.0f} mm of the {path.side} needle" for path in _inside(room) if path.longest > BLIND_PATH]
    portion = max(push.unseen for push in room.pushes)
    unseen += [f"{portion:g} mL of cement"] if portion > BLIND_PORTION else []
    if unseen:
        return f"{' and '.join(unseen)} went in without a picture. Whatever the score: nobody may work unseen."
    return (
        "A procedure to be proud of."
        if score >= 90
        else "Sound, with something to mend."
        if score >= 70
        else "Much of it would have to be done differently."
    )


def _harm(room: Room) -> list[str]:
    """Return what was put into the canal: which needle, and cement."""
    found = [
        f"the {path.side} needle {path.worst.canal:.0f} mm" for path in _inside(room) if path.worst.canal >= HARMFUL
    ]
    cement = in_canal(room.state)
    if not cement:
        return found
    seen = any(bones.LEAKS[name] in IN_CANAL for name in visible(room.state))
    return [*found, f"{cement:.2f} mL of cement{'' if seen else ' (too little for a film to show)'}"]


def _facts(room: Room) -> list[tuple[str, str]]:
    """Return what was measured, (name, value), in the order of the procedure."""
    if room.decision != "treat":
        return []
    return [
        ("Time from the decision", clock(room.seconds)),
        ("Fluoroscopy", f"{room.fluoroscopy:.0f} s"),
        ("Relative dose", f"{room.dose:.0f}, where a second from front to back is 1"),
        *(_needle_fact(room, path) for path in _inside(room)),
        *_shape_facts(room),
        *(_cement_facts(room, room.state) if room.state is not None and room.volume else []),
    ]


def _needle_fact(room: Room, path: Path) -> tuple[str, str]:
    share = float(depth_share(room.case.vertebra, needle(room.case, path).tip[None])[0])
    place = "drawn out again" if path in room.withdrawn else f"tip at {percent(share)} of the depth"
    pierced = [(each.name.replace("_", " "), getattr(path.worst, each.name)) for each in fields(Breach)]
    out = ", ".join(f"{name} {mm:.1f} mm" for name, mm in pierced if mm > 0.05)
    return f"{path.side.capitalize()} needle, {path.gauge}", f"{place}; breach: {out or 'none'}"


def _shape_facts(room: Room) -> list[tuple[str, str]]:
    """Return what became of the body's shape, and what the balloons did."""
    before, after = shape_of(room.case.vertebra), shape_of(room.vertebra)
    facts, stages = [], [("before", before), ("after", after)]
    if room.inflation is not None:
        stages.insert(1, ("inflated", shape_of(room.inflation.lifted)))
        peak = f"{room.peak_pressure / balloons.PSI:.0f} psi ({room.peak_pressure / 1e5:.0f} bar)"
        facts.append(("Balloons", f"{room.inflation.volume:.1f} mL, peak {peak}"))
    for name in ("anterior", "middle"):
        told = ", ".join(f"{shape[name]:.1f} mm {when}" for when, shape in stages)
        facts.append((f"{name.capitalize()} height", told))
    facts.append(("Wedge angle, before and after", f"{before['wedge']:.0f}° and {after['wedge']:.0f}°"))
    return facts


def _cement_facts(room: Room, state: flow.State) -> list[tuple[str, str]]:
    found, seen = spread(state), visible(state)
    out = [
        f"{ml:.2f} mL {PLACES[name]} (type {bones.LEAKS[name][0]}{'' if name in seen else ', too little for a film'})"
        for name, ml in leaks(state).items()
    ]
    peak = canal_heat(room)
    return [
        ("Cement injected", f"{room.volume:g} mL; in the body {state.filled:.1f} mL, {percent(found.share)} of it"),
        ("Cement to posterior wall", f"{found.margin:.1f} mm" if math.isfinite(found.margin) else "—"),
        ("Highest pressure", f"{max(push.pressure for push in room.pushes) / 1e6:.2f} MPa in the syringe"),
        ("Age of the cement", f"{clock(room.pushes[0].age)} to {clock(room.pushes[-1].age)} after mixing"),
        ("Leaks by the model, types after [yeom2003]", "; ".join(out) or "none"),
        *([("Highest temperature at the canal", f"{peak:.0f} °C by the model")] if peak is not None else []),
    ]


ADVICE = {
    "select": "Read the chart for what forbids cement before anything else.",
    "look": "Take an AP and a lateral picture first: count the level, find the pedicle's ring and the posterior wall.",
    "canal": "On AP keep the tip lateral to the ring's medial border until the lateral picture shows it in the body. "
    "In the canal: withdraw, test power and feeling, tell the surgeon.",
    "pedicle": "Aim for the middle of the ring on AP and of the pedicle on lateral, then advance along its axis.",
    "order": "When the tip nears the ring's medial border on AP, look at lateral: it must be past the posterior wall.",
    "front": "Take a lateral picture every few millimetres as the tip nears the front, and stop before it.",
    "tip": "Place the tip at half to four fifths of the depth on the lateral picture.",
    "steps": "Advance by 2 to 5 mm, then look, in both planes.",
    "window": "Wait until the cement is a paste, and stop when it stiffens: the room's warmth sets the clock.",
    "watch": "Look on lateral after every half millilitre at least.",
    "fill": "A sixth of the body restored strength in cadavers [molloy2003]; more cement did not bring more relief "
    "of pain [kaufmann2006; alali2009].",
    "margin": "Stop when cement comes into the back quarter of the body on lateral.",
    "stop": "When a streak leaves the bone, stop. Disc or vein: wait until the cement is thicker, or end there. Behind "
    "the wall: end there.",
    "leak": "Start with thicker cement, in small portions; the canal and the veins are where a leak does harm.",
    "heat": "Cement that keeps away from the canal does not warm it; a leak into it did, in pigs [lai2011].",
    "dose": "Single pictures cost less than the pedal.",
    "dose both": "Single pictures cost less than the pedal.",
    "cavity": "Inflate until there is room for cement, 2 mL or more, or until a stop sign.",
    "signs": "Stop at the first sign: pressure near its limit, the balloon full, the height back, or a wall.",
    "gauge": "Look on lateral after every millilitre: the balloon must not come to a wall.",
    "wall": "When a picture shows a balloon at a wall, stop on that side: the cortex gives way next. Turn the needles "
    "more to the midline, and the side walls are reached later.",
    "front tip": "Place the tip at three quarters of the depth or more: the balloon lies behind it.",
    "cavity fill": "Fill the cavity and a little more, so that the cement interlocks with bone.",
    "refrain": "Look first for what forbids cement: infection, a new deficit, a healed fracture, clotting, less pain.",
    "reason": "Read the chart line by line: one of them decides.",
    "pathway": "Not to treat is half of it: say who sees the patient next, and how soon.",
}


def _advice(room: Room, lines: list[Line]) -> list[str]:
    """Return what to do next time, the costliest first, three at most."""
    lost = sorted(lines, key=lambda line: line.earned - line.criterion.points)
    return [ADVICE[line.criterion.id] for line in lost if line.earned < line.criterion.points][:3]
