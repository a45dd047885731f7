"""The procedure room: a patient, two monitors, a needle, a balloon or none, cement that ages, and a debrief."""

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from vertebra.cement import procedure
from vertebra.cement import rubric as marking
from vertebra.cement.balloon import BALLOONS, PSI
from vertebra.cement.material import CEMENTS
from vertebra.cement.procedure import (
    ARMS,
    FRACTURES,
    LEVELS,
    PATHWAYS,
    PATIENTS,
    PIXELS,
    PORTIONS,
    RANGES,
    REASONS,
    STAGES,
    Film,
    Refused,
    Room,
)
from vertebra.cement.rubric import RUBRICS
from vertebra.imaging.fluoroscopy import CArm, Scene, automatic_window, film
from vertebra.language import N_, _, labels
from vertebra.simulators import page
from vertebra.widgets.asking import Module, Pictured, script

HERE = Path(__file__).parent
NAMES = {"vertebroplasty": N_("Vertebroplasty"), "kyphoplasty": N_("Balloon kyphoplasty")}
STEPS = {
    "patient": N_("Patient"),
    "needle": N_("Needle"),
    "balloon": N_("Balloon"),
    "cement": N_("Cement"),
    "stop": N_("Stop"),
    "debrief": N_("Debrief"),
}
PHOTONS = 2500.0  # a pixel: a fluoroscope is grainier than a film (unreferenced, chosen by eye)
LIMITS = (
    "A teaching model, not reviewed by a clinician and not for planning a procedure. The patients are made up. The "
    "C-arm has been aligned with the level, so that 0° is its true AP view; dose is relative; what an act takes on the "
    "clock is assumed. Skin, muscle, pain, breathing, bleeding and blood pressure are left out."
)
PAGES = {"vertebroplasty": ("cement", "heat"), "kyphoplasty": ("balloon", "cement", "heat")}


# --- pictures --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _brightness(taken: tuple[str, str, float], orbital: float, tilt: float) -> tuple[float, float]:
    """Return the window of a view: that of the bone alone, so that metal and cement do not change its brightness."""
    level, fracture, bone_volume = taken
    vertebra = procedure.vertebra_of(level, FRACTURES[fracture].shape)
    carm = CArm(orbital, tilt, pixels=PIXELS, pixel=procedure.PITCH)
    empty = Scene(procedure.backbone(vertebra, bone_volume)[1])
    return automatic_window(empty.projection(carm))


def picture(room: Room, taken: Film) -> NDArray[np.uint8]:
    """Return the grey values (rows, columns) of an exposure, bone dark."""
    who = room.case.who
    window = _brightness((room.case.level, room.case.fracture, who.bone_volume), taken.orbital, taken.tilt)
    shadow = procedure.scene(taken, who.bone_volume).projection(procedure.carm(taken))
    # Grain differs from picture to picture.
    return film(shadow, window=window, look="fluoro", photons=PHOTONS, seed=int(taken.seconds * 10))


def letters(carm: CArm) -> tuple[str, str]:
    """Return which side of the patient is at the left and at the right of a picture: R, L, A (front), P (back)."""
    x, y = -carm.axes[0, :2]
    parts = (("R", x), ("L", -x), ("A", y), ("P", -y))
    left = "".join(name for name, share in parts if share > np.sin(np.pi / 8))
    return left, "".join(name for name, share in parts if -share > np.sin(np.pi / 8))


def name_of(taken: Film) -> str:
    """Return what the view of an exposure is called."""
    turn = taken.orbital - (90 if taken.plane == "lateral" else 0)
    name = {"frontal": _("AP"), "lateral": _("Lateral")}[taken.plane]
    if abs(turn) > 2:
        name = _("Oblique") if taken.plane == "frontal" else _("Lateral")
        name += f", {'+' if turn > 0 else '−'}{abs(turn):.0f}°"
    if taken.tilt:
        way = _(", {angle}° to the head") if taken.tilt > 0 else _(", {angle}° to the feet")
        name += way.format(angle=f"{abs(taken.tilt):.0f}")
    return name


def shown_film(room: Room, taken: Film) -> dict[str, Any]:
    """Return an exposure for a monitor: grey values as text, and what is written on it."""
    carm = procedure.carm(taken)
    left, right = letters(carm)
    levels = {}
    for level, pose in procedure.backbone(taken.vertebra, room.case.who.bone_volume)[0].items():
        row = float((carm.project(pose.translation[None])[0, 1] + 0.5) / PIXELS)
        if 0.1 < row < 0.97:
            levels[level] = round(row, 4)
    return {
        "id": room.films.index(taken) + 1,
        "size": PIXELS,
        "pixels": base64.b64encode(picture(room, taken).tobytes()).decode(),
        "name": name_of(taken),
        "left": left,
        "right": right,
        "levels": levels,
        "target": room.case.level,
        "at": marking.clock(taken.seconds),
    }


def png(grey: NDArray[np.uint8]) -> str:
    """Return grey values (rows, columns) as the address of a PNG picture."""
    file = io.BytesIO()
    Image.fromarray(grey).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def plain(room: Room, plane: str, before: bool) -> Film:
    """Return a view without needles: of the vertebra as it came, or as it is left."""
    orbital = 90.0 if plane == "lateral" else 0.0
    if before:
        return Film(plane, orbital, 0.0, 0.0, room.case.vertebra, (), None, None, False)
    return Film(plane, orbital, 0.0, room.seconds, room.vertebra, (), room.state, room.inflation, False)


# --- what the browser half shows -------------------------------------------------------------------------------------


def stale(room: Room, plane: str) -> str:
    """Return what has changed since the last picture of a plane, "" if nothing has."""
    last = next((taken for taken in reversed(room.films) if taken.plane == plane), None)
    if last is None:
        return ""
    changed = {
        _("C-arm turned"): (last.orbital, last.tilt) != getattr(room, plane),
        _("needle moved"): not _same(last.needles, procedure.metal(room)),
        _("balloons changed"): last.vertebra is not room.vertebra or last.inflation is not room.inflation,
        _("more cement"): last.cement is not room.state,
    }
    return ", ".join(name for name, true in changed.items() if true)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    if [side for side, _ in one] != [side for side, _ in other]:
        return False
    return all(
        np.allclose(a.tip, b.tip) and np.allclose(a.direction, b.direction) and a.gauge == b.gauge
        for (_, a), (_, b) in zip(one, other, strict=True)
    )


def cement_card(room: Room) -> dict[str, Any] | None:
    """Return age, window and stiffness of the cement; None before it is mixed."""
    age = room.age
    if age is None:
        return None
    cement = CEMENTS[room.cement]
    window = cement.window(room.temperature)
    state = (
        _("too thin")
        if age < window.opens
        else _("a paste: inject")
        if age <= window.closes
        else _("stiff")
        if age < window.sets
        else _("set")
    )
    return {
        "name": room.cement,
        "age": round(age, 1),
        "opens": round(window.opens),
        "closes": round(window.closes),
        "sets": round(window.sets),
        "state": state,
        # To two figures: no gauge reads the stiffness of a paste more finely.
        "viscosity": f"{float(f'{float(cement.viscosity(age, room.temperature)):.2g}'):.0f}",
    }


def fitting(room: Room) -> list[str]:
    """Return the sizes of balloon that may be chosen: those that fit, and none once they are in."""
    return [size for size in BALLOONS if room.stage == "balloon" and not room.inflated and procedure.fits(room, size)]


def balloon_card(room: Room) -> dict[str, Any] | None:
    """Return the gauge of the balloons; None in a vertebroplasty."""
    if "balloon" not in STAGES[room.procedure]:
        return None
    chosen = BALLOONS.get(room.balloon)
    pressure = room.inflation.pressure if room.inflation is not None and room.tense else 0.0
    now, came = procedure.shape_of(room.vertebra), procedure.shape_of(room.case.vertebra)
    return {
        "size": room.balloon,
        "fits": fitting(room),
        "ml": room.inflated,
        "largest": chosen.volume if chosen else None,
        "bar": round(pressure / 1e5, 1),
        "psi": round(pressure / PSI),
        "limit": round(chosen.pressure_limit / 1e5, 1) if chosen else None,
        "deflated": room.deflated,
        "height": f"{now['anterior']:.1f}",
        "came": f"{came['anterior']:.1f}",
        # Gauge and syringe tell these; a wall is told by the film.
        "signs": list(room.signs),
    }


def shown(room: Room, seq: int, refusal: str = "") -> dict[str, Any]:
    """Return everything but the pictures that the browser half shows of a room."""
    who, path = room.case.who, room.path
    latest = {taken.plane: taken for taken in room.films}
    pushed = room.state
    return {
        "seq": seq,
        "stage": room.stage,
        "decision": room.decision,
        "case": {"patient": room.case.patient, "level": room.case.level, "fracture": room.case.fracture},
        "who": who.label,
        "chart": [*who.chart, ("Fracture", f"{room.case.level}: {FRACTURES[room.case.fracture].label.lower()}.")],
        "only": who.fracture,
        "side": room.side,
        "path": {name: getattr(path, name) for name in (*RANGES, "gauge")} | {"in": path.depth - procedure.DOCK},
        "needles": [[each.side, each.gauge, each.depth - procedure.DOCK] for each in room.paths],
        "begun": any(each.deepest > procedure.DOCK for each in room.paths),
        "arms": {"frontal": room.frontal, "lateral": room.lateral},
        "down": {side: round(angle) for side, angle in procedure.down(room).items()},
        "screening": room.screening,
        "seconds": round(room.seconds, 1),
        "fluoroscopy": round(room.fluoroscopy, 1),
        "dose": round(room.dose, 1),
        "stale": {plane: stale(room, plane) for plane in procedure.PLANES},
        "told": {plane: procedure.words(taken) for plane, taken in latest.items()},
        "cement": cement_card(room),
        "temperature": room.temperature,
        "volume": room.volume,
        "enough": round(procedure.enough(room), 1) if room.stage == "cement" else None,
        "syringe": round(pushed.syringe_pressure / 1e6, 2) if pushed is not None else 0.0,
        "bone": round(pushed.tip_pressure / 1e3, 1) if pushed is not None else 0.0,
        "balloon": balloon_card(room),
        "message": room.message,
        "next": procedure.next_step(room),
        "refusal": refusal,
        "debrief": debriefed(room) if room.stage == "debrief" else None,
    }


def debriefed(room: Room) -> dict[str, Any]:
    """Return the report: score, lines, facts, advice, and the pictures before and after."""
    said = marking.debrief(room)
    pictures = []
    if room.decision == "treat":
        for plane, name in (("lateral", "Lateral"), ("frontal", "AP")):
            for before in (True, False):
                grey = picture(room, plain(room, plane, before))
                pictures.append([f"{name}, {'before' if before else 'after'}", png(grey)])
    lines = [
        {
            "part": line.criterion.part,
            "title": line.criterion.title,
            "points": line.criterion.points,
            "earned": line.earned,
            "asked": line.criterion.full,
            "reason": line.reason,
            "source": line.criterion.source,
        }
        for line in said.lines
    ]
    return {
        "rubric": said.rubric,
        "score": said.score,
        "verdict": said.verdict,
        "lines": lines,
        "facts": said.facts,
        "advice": said.advice,
        "pictures": pictures,
        "words": after_words(room),
    }


def after_words(room: Room) -> str:
    """Return the last pictures in words."""
    if room.decision != "treat":
        return ""
    return " ".join(procedure.words(plain(room, plane, False)) for plane in ("lateral", "frontal"))


def about(kind: str) -> dict[str, Any]:
    """Return what never changes: the rubric, the patients' names, the choices and what the models are."""

    def table(name: str) -> list[dict[str, Any]]:
        return [
            {"part": c.part, "title": c.title, "points": c.points, "asked": c.full, "source": c.source}
            for c in RUBRICS[name]
        ]

    return {
        "procedure": kind,
        "name": _(NAMES[kind]),
        "steps": {name: text for name, text in labels(STEPS).items() if name in STAGES[kind] or name == "stop"},
        "rubric": table(kind),
        "refer": table("refer"),
        "patients": {key: who.label for key, who in PATIENTS.items()},
        "levels": LEVELS,
        "fractures": {key: each.label for key, each in FRACTURES.items()},
        "reasons": REASONS,
        "pathways": PATHWAYS,
        "ranges": RANGES,
        "arms": ARMS,
        "portions": PORTIONS,
        "cements": {key: cement.label for key, cement in CEMENTS.items()},
        "balloons": {
            key: _("{length} mm long, up to {volume} mL").format(length=f"{each.length:.0f}", volume=f"{each.volume:g}")
            for key, each in BALLOONS.items()
        },
        "hand": procedure.HAND_LIMIT / 1e6,
        "limits": LIMITS,
        "models": [page(name).brief for name in PAGES[kind]],
    }


# --- a page without a kernel -----------------------------------------------------------------------------------------


def placed(room: Room, side: str, share: float) -> Room:
    """Return the room with a needle along the pedicle's axis, its tip at a share of the body's depth."""
    held = {name: -value for name, value in procedure.touch(room.case, side).items()}
    # A little downwards, because the front of a broken body has come down.
    room = procedure.act(room, {"do": "aim", "side": side, **held, "descent": held["descent"] + 8})
    while procedure.depth_share(room.vertebra, dict(procedure.needles(room))[side].tip[None])[0] < share:
        room = procedure.act(room, {"do": "advance", "mm": 2.0})
    return room


@lru_cache(maxsize=2)
def sample(kind: str) -> Room:
    """Return a room in which a procedure has gone well, for the picture of a page without a kernel."""
    room = procedure.act(procedure.start(kind), {"do": "treat"})
    sides, share = (("left", "right"), 0.8) if kind == "kyphoplasty" else (("left",), 0.65)
    for side in sides:
        room = placed(room, side, share)
    room = procedure.act(room, {"do": "ready"})
    if kind == "kyphoplasty":
        room = procedure.act(room, {"do": "balloon", "size": "15/3"})
        for _ in range(3):
            room = procedure.act(room, {"do": "inflate", "ml": 0.5})
        room = procedure.act(procedure.act(room, {"do": "deflate"}), {"do": "ready"})
    room = procedure.act(room, {"do": "mix", "cement": "high viscosity", "temperature": 23})
    opens = CEMENTS["high viscosity"].window(23).opens
    room = procedure.act(room, {"do": "wait", "seconds": max(opens - 60, 1.0)})
    for _ in range(7):
        room = procedure.act(room, {"do": "inject", "ml": 0.5})
    return room


@lru_cache(maxsize=2)
def static(kind: str) -> tuple[str, str]:
    """Return the two films of `sample` as the address of a picture, and in words."""
    room = sample(kind)
    films = [replace(plain(room, plane, False), needles=procedure.metal(room)) for plane in procedure.PLANES]
    gap = np.full((PIXELS, 8), 255, dtype=np.uint8)
    both = np.hstack([picture(room, films[0]), gap, picture(room, films[1])])
    return png(both), " ".join(procedure.words(taken) for taken in films)


# --- the widget ------------------------------------------------------------------------------------------------------


class ProcedureRoom(Pictured):
    """The widget: traits only. `wanted` comes from the browser, the rest goes to it.

    `films` is apart from `shown` because pictures are large and change only with an exposure.
    """

    _esm = Module(script("room"))
    _css = (HERE / "style.css").read_text(encoding="utf-8") + (HERE / "room.css").read_text(encoding="utf-8")
    about = traitlets.Dict().tag(sync=True)
    wanted = traitlets.Dict().tag(sync=True)
    films = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, room: Room) -> None:
        """Open on a room."""
        super().__init__(about=about(room.procedure), wanted={"seq": 0}, films={}, shown=shown(room, 0))
        self.room = room
        self.observe(self._on_wanted, "wanted")

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        case = self.room.case
        return (
            f"Procedure room, {NAMES[self.room.procedure].lower()}: {case.who.label}, {case.level}, "
            f"step {STEPS[self.room.stage].lower()}"
        )

    def still(self) -> str:
        """Return a picture with its description, for a page without a kernel."""
        picture, said = static(self.room.procedure)
        told = html.escape(said, quote=True)
        return (
            f'<figure><img alt="{told}" width="728" src="{picture}">'
            f"<figcaption>{NAMES[self.room.procedure]} of L1 in the model, needle and cement in place. {told} "
            "Start the lesson to enter the room.</figcaption></figure>"
        )

    def _on_wanted(self, change: Any) -> None:
        try:
            wanted: Mapping[str, Any] = change.new
            seq, action = int(wanted["seq"]), dict(wanted["action"])
        except (ValueError, KeyError, TypeError):
            self.problem = _("The room could not read what was asked; press the button once more.")
            return
        refusal, before = "", self.room
        try:
            self.room = procedure.act(before, action)
        except Refused as error:
            refusal = str(error)
        self._develop(before)
        self.shown = shown(self.room, seq, refusal)
        self.problem = ""

    def _develop(self, before: Room) -> None:
        """Show the newest exposure of each plane, if it is new; an empty table shows none."""
        if not self.room.films:
            self.films = {}
            return
        latest = {taken.plane: taken for taken in self.room.films}
        known = {taken.plane: taken for taken in before.films}
        new = {plane: taken for plane, taken in latest.items() if taken is not known.get(plane)}
        if new:
            self.films = self.films | {plane: shown_film(self.room, taken) for plane, taken in new.items()}


def procedure_room(kind: str, patient: str = "a", level: str = "L1", fracture: str = "") -> ProcedureRoom:
    """Return the procedure room for "vertebroplasty" or "kyphoplasty"; another patient may lie on the table at first.

    Raises ValueError for a procedure, patient, level or fracture that is not known.
    """
    if patient not in PATIENTS:
        raise ValueError(f"patient is {patient!r}; give one of {', '.join(PATIENTS)}")
    case = procedure.Case(patient, level, fracture or PATIENTS[patient].fracture or "wedge")
    return ProcedureRoom(procedure.start(kind, case))
