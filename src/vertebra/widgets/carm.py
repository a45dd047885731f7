"""The C-arm: turn it about a spine and see in two pictures what both of them show, with a needle in it or without."""

import base64
import html
import io
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebra.imaging import collapse, ct
from vertebra.imaging.fluoroscopy import CArm, Rod, Scene, film, scene_of_spine
from vertebra.imaging.needle import Breach, Needle, TwoViews, aim, breach, two_views
from vertebra.language import N_, labels
from vertebra.spine.stack import Spine
from vertebra.widgets.asking import Asking, check_known, module, style

PIXELS, PITCH = 320, 0.8  # of a picture, and mm from one to the next
TARGET = "L1"  # the vertebra that the needle is meant for
SOURCES = {
    "model": N_("Textbook spine, T11 to L3"),
    "patient": N_("A real patient's CT"),
    "collapsed": N_("The same CT, T12 collapsed by computation"),
}
COLLAPSE = (0.42, 0.34, 0.1)  # of T12's anterior, middle and posterior height
LIMITS = (
    "Computed shadows: X-rays of one energy (60 keV), scatter as an even veil, all soft tissue alike. The textbook "
    "spine has no trabeculae, ribs or bowel before it. Bones of the CT are cut out of LIDC-IDRI-0001 (CC BY 3.0), and "
    "that patient had no fracture: the collapse of T12 is computed. Not for planning a procedure."
)
RANGES = {
    "orbital": (-90, 120),
    "tilt": (-40, 40),
    "lateral": (-10, 10),
    "cranial": (-10, 10),
    "convergence": (-20, 30),
    "depth": (-20, 50),
}
START = {
    "source": "model",
    "orbital": 0,
    "tilt": 0,
    "look": "film",
    "sharp": True,
    "needle": False,
    "gauge": "11G",
    "side": "left",
    "lateral": 0,
    "cranial": 0,
    "convergence": 0,
    "depth": 25,
}
SEEN = {
    "AP": "On AP each body is a block with the ring of a pedicle in either upper corner and the drop of the spinous "
    "process between them.",
    "lateral": "On lateral the bodies stand one above the other, the discs as gaps between them; the two pedicles of "
    "each lie over one another, and behind them the arches.",
}
PLACES = {
    "canal": "the spinal canal",
    "medial": "the medial wall of the pedicle",
    "lateral": "the lateral wall of the pedicle",
    "superior": "the upper wall of the pedicle",
    "inferior": "the lower wall of the pedicle",
    "anterior": "the anterior or lateral wall of the body",
    "superior_endplate": "the superior endplate",
    "inferior_endplate": "the inferior endplate",
}


@dataclass(frozen=True, eq=False)
class Patient:
    """Whom the C-arm looks at: the scene, where its axes meet (3,), and the centre (3,) of each level, mm."""

    scene: Scene
    isocentre: tuple[float, float, float]
    levels: dict[str, NDArray[np.float64]]


@cache
def spine() -> Spine:
    """Return the textbook spine."""
    return Spine(("T11", "T12", "L1", "L2", "L3"))


@cache
def patient(source: str) -> Patient:
    """Return whom a source stands for; the CT is read, and its fracture computed, once."""
    if source == "model":
        points = {level: spine().landmarks(level) for level in spine().levels}
        scene, middle = scene_of_spine(spine()), TARGET
    elif source == "patient":
        points = dict(collapse.patient_landmarks())
        scene, middle = Scene((ct.skeleton(ct.patient()),)), "T12"
    else:
        variant = collapse.collapsed("T12", *COLLAPSE)
        points = dict(variant.landmarks)
        scene, middle = Scene((ct.skeleton(variant.ct),)), "T12"
    centres = {level: six.mean(axis=0) for level, six in points.items()}
    x, y, z = centres[middle]
    return Patient(scene, (float(x), float(y), float(z)), centres)


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted with everything in range. Raises ValueError for what is not."""
    state: dict[str, Any] = START | wanted
    for name, (low, high) in RANGES.items():
        if not isinstance(state[name], int | float) or not low <= state[name] <= high:
            raise ValueError(f"{name} is {state[name]!r}; give a number from {low} to {high}")
    for name, known in (
        ("source", SOURCES),
        ("look", ("film", "fluoro")),
        ("gauge", ("11G", "13G")),
        ("side", ("left", "right")),
    ):
        if state[name] not in known:
            raise ValueError(f"{name} is {state[name]!r}; it is one of {', '.join(known)}")
    return state


def views(state: dict[str, Any]) -> tuple[CArm, CArm]:
    """Return the chosen view and one perpendicular to it: the source turned on by 90 degrees, or back beyond 45."""
    chosen = CArm(
        state["orbital"], state["tilt"], pixels=PIXELS, pixel=PITCH, isocentre=patient(state["source"]).isocentre
    )
    turn = 90 if chosen.orbital <= 45 else -90
    return chosen, replace(chosen, orbital=chosen.orbital + turn, tilt=0.0)


def has_needle(state: dict[str, Any]) -> bool:
    """Return whether a needle is in the scene: only the textbook spine has walls to measure it against."""
    return bool(state["needle"]) and state["source"] == "model"


@lru_cache(maxsize=128)
def placed(
    gauge: str, side: str, lateral: float, cranial: float, convergence: float, depth: float
) -> tuple[Needle, Breach, TwoViews]:
    """Return the needle in its vertebra's frame, what it breaches, and what the two views show of its way."""
    vertebra = spine().vertebrae[TARGET]
    needle = aim(vertebra.pedicle(side), depth, lateral, cranial, convergence, gauge=gauge)
    return needle, breach(needle, vertebra, side), two_views(needle, vertebra, side)


def _needle(state: dict[str, Any]) -> tuple[Needle, Breach, TwoViews]:
    return placed(*(state[name] for name in ("gauge", "side", "lateral", "cranial", "convergence", "depth")))


def _rod(needle: Needle) -> Rod:
    pose = spine().poses[TARGET]
    ends = pose.apply(np.stack([needle.tip - needle.length * needle.direction, needle.tip]))
    return Rod(ends[0], ends[1], needle.radius)


def pictures(state: dict[str, Any]) -> NDArray[np.uint8]:
    """Return both pictures (2, rows, columns) of a checked state, taken of one scene."""
    scene = patient(state["source"]).scene
    if has_needle(state):
        scene = replace(scene, rods=(_rod(_needle(state)[0]),))
    shadows = (scene.projection(carm, sharp=bool(state["sharp"])) for carm in views(state))
    return np.stack([film(shadow, look=state["look"]) for shadow in shadows])


def letters(carm: CArm) -> tuple[str, str]:
    """Return which side of the patient is at the left and at the right of a picture: R, L, A (front), P (back)."""
    x, y = -carm.axes[0, :2]
    parts = (("R", x), ("L", -x), ("A", y), ("P", -y))
    # Within a quarter of a right angle of an axis only that one is named.
    left = "".join(name for name, share in parts if share > np.sin(np.pi / 8))
    right = "".join(name for name, share in parts if -share > np.sin(np.pi / 8))
    return left, right


def name_of(carm: CArm) -> str:
    """Return what a view is called."""
    turn = (carm.orbital + 180) % 360 - 180
    known = {0: "AP", 90: "lateral", -90: "lateral", 180: "PA", -180: "PA"}
    name = known.get(round(turn), "oblique")
    tilt = f", tilted {abs(carm.tilt):.0f}° {'to the head' if carm.tilt > 0 else 'to the feet'}" if carm.tilt else ""
    return f"{name}{tilt}" if name != "oblique" else f"oblique, {turn:.0f}°{tilt}".replace("-", "−")


def marks(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is written on each picture: name, sides, and levels and the needle's tip in shares of its size."""
    written = []
    for carm in views(state):
        left, right = letters(carm)
        levels = {}
        for level, centre in patient(state["source"]).levels.items():
            column, row = (carm.project([centre])[0] + 0.5) / PIXELS
            if 0.04 < row < 0.96 and 0 < column < 1:
                levels[level] = round(float(row), 4)
        tip = None
        if has_needle(state):
            point = spine().poses[TARGET].apply(_needle(state)[0].tip[None])
            tip = [round(float(value), 4) for value in (carm.project(point)[0] + 0.5) / PIXELS]
        written.append({"name": name_of(carm), "left": left, "right": right, "levels": levels, "tip": tip})
    return written


def readout(state: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a checked state: the views, and where the needle has left the bone, mm."""
    chosen, other = (name_of(carm) for carm in views(state))
    told = f"{SOURCES[state['source']]}. Chosen view: {chosen}. Beside it: {other}."
    said: dict[str, Any] = {"told": told, "verdict": "", "rows": [], "down": None}
    if not has_needle(state):
        return said
    needle, found, order = _needle(state)
    out = {place: getattr(found, name) for name, place in PLACES.items() if getattr(found, name) > 0.05}
    # A needle in the canal is in the canal, whatever wall it has gone through farther on its way.
    worst = PLACES["canal"] if PLACES["canal"] in out else max(out, key=lambda place: out[place], default="")
    said["verdict"] = f"Breach of {worst}, {out[worst]:.1f} mm" if out else "Inside the bone"
    said["good"] = not out
    said["rows"] = [[place.removeprefix("the ").capitalize(), f"{mm:.1f} mm"] for place, mm in out.items()]
    said["rows"].append(["Tip beyond the narrowest part of the pedicle", f"{state['depth']:.0f} mm"])
    said["order"] = _order(order)
    said["safe"] = order.safe
    said["told"] = f"{told} Needle: {said['verdict']}."
    # Down the needle: the central ray runs against the direction in which it advances.
    x, y, z = -spine().poses[TARGET].turn(needle.direction[None])[0]
    said["down"] = [round(float(np.degrees(np.arctan2(x, -y)))), round(float(np.degrees(np.arcsin(z))))]
    return said


def _order(order: TwoViews) -> str:
    """Say what the two pictures show first as the needle advances."""

    def at(mm: float) -> str:
        return f"{abs(mm):.0f} mm {'beyond' if mm >= 0 else 'before'} the narrowest part of the pedicle"

    if order.medial_at is None:
        return "On AP the tip stays lateral to the medial border of the pedicle's ring: safe so far."
    medial = f"On AP the tip meets the medial border of the pedicle's ring {at(order.medial_at)}"
    if order.posterior_at is None:
        return f"{medial}; on lateral it has not passed the posterior wall yet: it may be in the canal."
    ending = "the body is reached first" if order.safe else "too late: it may have crossed the canal"
    return f"{medial}; on lateral it passes the posterior wall {at(order.posterior_at)}: {ending}."


def describe(state: dict[str, Any]) -> str:
    """Return the pictures in words: what they are of, and what each shows."""
    seen = dict.fromkeys(name_of(carm) for carm in views(state))
    return " ".join([readout(state)["told"], *(SEEN[name] for name in seen if name in SEEN)])


def png(state: dict[str, Any]) -> bytes:
    """Return both pictures side by side as a PNG file."""
    from matplotlib import image

    file = io.BytesIO()
    both = pictures(state)
    gap = np.full((PIXELS, 8), 255, dtype=np.uint8)
    image.imsave(file, np.hstack([both[0], gap, both[1]]), cmap="gray", vmin=0, vmax=255, format="png")
    return file.getvalue()


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted.

    The pictures are text (base64 of the grey values, the chosen view first) and not bytes, because a static page
    stores them so in any case.
    """
    state = checked(wanted)
    return {
        "seq": int(wanted.get("seq", 0)),
        "size": PIXELS,
        "pixels": base64.b64encode(pictures(state).tobytes()).decode(),
        "marks": marks(state),
        "readout": readout(state),
    }


class CArmView(Asking):
    """The C-arm, asked by its browser half."""

    _esm = module("carm")
    _css = style("carm")
    refusal = N_("The C-arm could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on the AP view of the textbook spine, or with what `start` says of the state."""
        check_known("carm", start, START)
        state = checked(start)
        super().__init__(
            about={"sources": labels(SOURCES), "ranges": RANGES, "target": TARGET, "limits": LIMITS},
            state=state,
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"C-arm: {readout(self._state)['told']}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked(wanted)
        return made

    def still(self) -> str:
        """Return a picture with its description."""
        state = self._state | {"sharp": True}
        said = html.escape(describe(state), quote=True)
        picture = base64.b64encode(png(state)).decode()
        return (
            f'<figure><img alt="{said}" width="648" src="data:image/png;base64,{picture}">'
            f"<figcaption>{said} Start the lesson to turn the C-arm.</figcaption></figure>"
        )


def carm(**start: Any) -> CArmView:
    """Return the C-arm; `start` may set what it opens on, such as `orbital=90` or `source="collapsed"`."""
    return CArmView(**start)
