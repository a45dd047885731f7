"""Leak routes: choose where cement leaves the body and how much, and see section, film and CT of it side by side."""

import base64
import html
import io
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from vertebra.evidence.emergencies import rates, routes
from vertebra.evidence.references import cite
from vertebra.imaging.fluoroscopy import automatic_window, film
from vertebra.imaging.leaks import (
    FINE,
    LEVELS,
    PLANES,
    ROUTES,
    Leak,
    Sight,
    background,
    bone_at,
    carm,
    cement_in_body,
    deposit,
    disc_at,
    narrowing,
    nerve_distance,
    nerve_gap,
    parameter,
    segment,
    shadow,
    sight,
    way,
)
from vertebra.language import N_, _, labels
from vertebra.simulators import page
from vertebra.spine.dimensions import LEVELS as EVERY
from vertebra.spine.stack import CORD, canal
from vertebra.widgets.asking import Asking, check_known, module, style

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]

PIXELS = 240  # across every picture
SECTION = 80.0  # mm across a section
BACK = -9.0  # mm: sections are centred behind the middle of the body, so that canal and arch are in them
LOOKS = {"drawing": N_("Drawing"), "CT": N_("CT, slices of 3 mm")}
START: dict[str, Any] = {
    "level": "L1",
    "route": "B",
    "volume": 0.5,
    "place": 0.0,
    "turn": 0,
    "look": "drawing",
    "leak": True,
    "point": False,
}
RANGES = {"volume": (0.05, 2.5), "place": (-1.0, 1.0), "turn": (0, 12)}
# What moving the mouth along the bone means: its two ends.
ENDS = {
    "B": (N_("left of the midline"), N_("right of the midline")),
    "S": (N_("at the back of the side"), N_("at the front of the side")),
    "C-disc": (N_("behind"), N_("in front")),
    "C-paravertebral": (N_("at the side"), N_("in front")),
    "C-canal": (N_("left of the midline"), N_("right of the midline")),
    "foramen": (N_("near the canal"), N_("near the outside")),
}
COLOURS = {
    "tissue": (35, 42, 50),
    "marrow": (226, 211, 178),
    "cortex": (172, 144, 96),
    "disc": (116, 158, 184),
    "fat": (104, 92, 60),
    "sac": (178, 170, 214),
    "cord": (243, 226, 150),
    "nerve": (243, 226, 150),
    "aorta": (158, 62, 62),
    "vein": (66, 92, 150),
    "cement": (112, 122, 138),
    "leak": (246, 112, 32),
}
SAC_GAP = 1.9  # mm of fat and veins between the canal's wall and the sac; drawn, as in vertebra.spine.stack
SHELL = 0.9  # mm of cortex in a drawing
CONE = 22.0  # mm over which the cord ends; drawn
HU = {
    "tissue": 40, "aorta": 45, "vein": 45, "disc": 80, "sac": 20, "cord": 40, "nerve": 40, "marrow": 130,
    "cortex": 900, "cement": 3000,
}  # fmt: skip
WINDOW = (-350.0, 1350.0)  # HU shown black and white
LIMITS = (
    "Computed on an unbroken textbook vertebra with 4 mL of cement in it; forms and volumes of the leaks are drawn "
    "[unreferenced]. The model says whether a shadow stands out, not whether a reader knows it for a leak: readers "
    "missed or underestimated 93 % of leaks along the basivertebral vein on lateral films [yeom2003]."
)


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted, complete. Raises ValueError for what is unknown or out of range."""
    state: dict[str, Any] = START | {name: value for name, value in wanted.items() if name in START}
    for name, (low, high) in RANGES.items():
        value = state[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; give a number from {low:g} to {high:g}")
    for name, known in (
        ("level", LEVELS),
        ("route", ROUTES),
        ("look", tuple(LOOKS)),
        ("leak", (True, False)),
        ("point", (True, False)),
    ):
        if state[name] not in known:
            raise ValueError(f"{name} is {state[name]!r}; it is one of {', '.join(map(str, known))}")
    return state


def leak_of(state: dict[str, Any]) -> Leak:
    """Return the leak of a checked state."""
    return Leak(state["level"], state["route"], float(state["volume"]), float(state["place"]))


# --- sections --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def cut(level: str, route: str, place: float) -> tuple[float, float]:
    """Return where the two sections lie, mm: the height of the axial one and the side (x) of the sagittal one."""
    found = way(level, route, place, FINE)
    first = found.room.points.reshape(-1, 3)[found.order[: int(300 / FINE**3)]]
    x, _, z = first.mean(axis=0)
    return round(2 * float(z)) / 2, round(2 * float(x)) / 2


def _plane(plane: str, at: float) -> Floats:
    """Return the points (rows, columns, 3) of a section: right on the left, or front on the left; front or head up."""
    step = (np.arange(PIXELS) + 0.5) / PIXELS - 0.5
    rows, columns = np.meshgrid(-SECTION * step, -SECTION * step, indexing="ij")
    fixed = np.full_like(rows, at)
    if plane == "axial":
        return np.stack([columns, rows + BACK, fixed], axis=-1)
    return np.stack([fixed, columns + BACK, rows], axis=-1)


@lru_cache(maxsize=32)
def _layers(level: str, plane: str, at: float) -> dict[str, NDArray[np.float32]]:
    """Return how much of each pixel (rows, columns) of a section each tissue covers, the hindmost first."""
    points = _plane(plane, at)
    flat = points.reshape(-1, 3)
    pixel = SECTION / PIXELS
    vertebra = segment(level).vertebrae[level]
    bone = bone_at(level, flat).reshape(points.shape[:2])
    wall = vertebra.canal_distance(flat).reshape(points.shape[:2])

    def cover(distance: Floats) -> NDArray[np.float32]:
        return np.clip(0.5 - distance / pixel, 0, 1).astype(np.float32)

    front = vertebra.dimensions.upper_depth / 2
    vessels = {
        name: np.hypot(points[..., 0] - x, points[..., 1] - front - ahead) - radius
        for name, (x, ahead, radius) in _vessels(level).items()
    }
    discs = disc_at(level, points) | disc_at(level, points, below=True)
    inside = cement_in_body(level, FINE)
    nerves = nerve_distance(level, flat).reshape(points.shape[:2])
    return {
        "aorta": cover(vessels["aorta"]),
        "vein": cover(vessels["vein"]),
        "disc": discs.astype(np.float32),
        "fat": cover(wall),
        "sac": cover(wall + SAC_GAP),
        "cord": cover(_cord(level, points)),
        "nerve": cover(nerves),
        "cortex": cover(bone),
        "marrow": cover(bone + SHELL),
        "cement": _sampled(level, inside, points),
    }


def _vessels(level: str) -> dict[str, tuple[float, float, float]]:
    """Return the great vessels in front: x, how far before the body's front their middle lies, and radius, mm."""
    if level.startswith("L"):
        return {"aorta": (-6.5, 9.5, 8.0), "vein": (11.0, 8.5, 8.5)}
    return {"aorta": (-13.0, 6.0, 10.0), "vein": (6.0, 4.5, 3.5)}


def _cord(level: str, points: Floats) -> Floats:
    """Return the implicit function of the cord, which ends in a cone at the disc L1-L2, at points (..., 3)."""
    spine = segment(level)
    front, back, _ = canal(level)
    at = EVERY.index(level)
    known = [EVERY.index(each) for each in CORD]
    wide, deep = (float(np.interp(at, known, [size[i] for size in CORD.values()])) for i in (0, 1))
    if at > EVERY.index("L2"):
        return np.full(points.shape[:-1], np.inf)
    end = spine.conus()
    tip = -np.inf if end is None else float(spine.poses[level].inverse().apply(end[None])[0, 2])
    tapered = np.clip((points[..., 2] - tip) / CONE, 0, 1)
    share = np.hypot(points[..., 0] / wide, (points[..., 1] - (front + back) / 2) / deep)
    return np.where(tapered > 0, (share - tapered) * deep, np.inf)


def _sampled(level: str, share: NDArray[Any], points: Floats, thick: bool = False) -> NDArray[np.float32]:
    """Return how much of each pixel a share of voxels covers; `thick`, as a CT of thick slices sees it."""
    origin = deposit(Leak(level), FINE)[0].origin
    if thick:
        share = ndimage.uniform_filter1d(share, round(parameter("slice") / FINE), axis=2)
    at = np.moveaxis((points - origin) / FINE, -1, 0)
    smooth = ndimage.gaussian_filter(share, 0.0 if thick else 0.7)
    seen = ndimage.map_coordinates(smooth, at, order=1, mode="constant")
    return np.asarray(seen if thick else np.clip((seen - 0.5) * 4 + 0.5, 0, 1), dtype=np.float32)


def section(state: dict[str, Any], plane: str) -> Picture:
    """Return a section (rows, columns, 3), "axial" or "sagittal", drawn or as a CT shows it."""
    leak = leak_of(state)
    at = cut(leak.level, leak.route, leak.place)[0 if plane == "axial" else 1]
    layers, points = _layers(leak.level, plane, at), _plane(plane, at)
    share = deposit(leak, FINE)[1] * state["leak"]
    if state["look"] == "CT":
        hounsfield = np.full((PIXELS, PIXELS), float(HU["tissue"]))
        for name in ("disc", "sac", "cord", "nerve", "cortex", "marrow"):
            hounsfield += layers[name] * (HU[name] - hounsfield)
        cement = _sampled(leak.level, share + cement_in_body(leak.level, FINE), points, thick=True)
        hounsfield += cement * (HU["cement"] - hounsfield)
        noisy = hounsfield + np.random.default_rng(0).normal(0, 18, hounsfield.shape)
        grey = np.clip((ndimage.gaussian_filter(noisy, 0.8) - WINDOW[0]) / (WINDOW[1] - WINDOW[0]), 0, 1)
        return np.repeat(np.round(255 * grey).astype(np.uint8)[..., None], 3, axis=2)
    picture = np.full((PIXELS, PIXELS, 3), COLOURS["tissue"], dtype=np.float32)
    for name, covered in (*layers.items(), ("leak", _sampled(leak.level, share, points))):
        picture += covered[..., None] * (np.array(COLOURS[name], dtype=np.float32) - picture)
    return np.round(picture).astype(np.uint8)


# --- films -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _film_window(level: str, plane: str, turn: float) -> tuple[float, float]:
    return automatic_window(background(level, plane, turn, PIXELS))


def x_ray(state: dict[str, Any], plane: str) -> tuple[Picture, tuple[float, float, float]]:
    """Return a film (rows, columns) and where on it the leak lies: middle and radius, as shares of the side."""
    leak, turn = leak_of(state), float(state["turn"])
    total = background(leak.level, plane, turn, PIXELS)
    cast = shadow(leak, carm(leak.level, plane, turn, PIXELS), FINE)
    made = film(total + cast if state["leak"] else total, _film_window(leak.level, plane, turn), photons=6000)
    row, column = (np.average(np.arange(PIXELS), weights=cast.sum(axis=axis)) for axis in (1, 0))
    rows, columns = np.nonzero(cast > 0.15 * cast.max())
    radius = float(np.hypot(rows - row, columns - column).max()) + 6
    return made, (float(column + 0.5) / PIXELS, float(row + 0.5) / PIXELS, radius / PIXELS)


def uri(picture: Picture) -> str:
    """Return a picture as a data URI."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG", compress_level=3)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


# --- words -----------------------------------------------------------------------------------------------------------


def on_film(seen: Sight, plane: str) -> str:
    """Return what a film shows of a leak, in words."""
    area, share = seen.area[plane], seen.share[plane]
    if plane not in seen.planes:
        return "hidden" if area < 1 else "a trace, too small to be told"
    return f"seen: {100 * share:.0f} % of it" + (", so it looks smaller than it is" if share < 0.5 else "")


def measured(leak: Leak) -> list[str]:
    """Return what was measured around a leak, as sentences."""
    taken, gap = narrowing(leak), nerve_gap(leak)
    told = []
    if taken >= 0.01:
        told.append(f"It takes {100 * taken:.0f} % of the canal's section where it takes most.")
    told.append("It touches a spinal nerve." if gap < 0.5 else f"The nearest spinal nerve is {gap:.0f} mm away.")
    return told


def describe(state: dict[str, Any]) -> str:
    """Return what is seen of a leak in one sentence."""
    leak = leak_of(state)
    seen = sight(leak, float(state["turn"]))
    name = routes()[leak.route].name.lower()
    films = " and ".join(seen.planes)
    shown = (
        f"the {films} film shows it"
        if len(seen.planes) == 1
        else f"{films} films show it"
        if films
        else "no film shows it"
    )
    return f"{leak.volume:g} mL at {leak.level}, {name}: {shown}, CT {'shows' if seen.on_ct else 'does not show'} it."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _aim(turn: float) -> str:
    return f"off its plane by {turn:g}°" if turn else "the patient lies straight"


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked(wanted)
    leak = leak_of(state)
    seen, told = sight(leak, float(state["turn"])), routes()[leak.route]
    films = {plane: x_ray(state, plane) for plane in PLANES}
    pictures = {plane: section(state, plane) for plane in ("axial", "sagittal")}
    x = cut(leak.level, leak.route, leak.place)[1]
    side = "in the midline" if abs(x) < 1 else f"{abs(x):.0f} mm to the patient's {'right' if x > 0 else 'left'}"
    return {
        "seq": int(wanted.get("seq", 0)),
        "pictures": {
            name: uri(made) for name, made in (pictures | {p: made for p, (made, _) in films.items()}).items()
        },
        "rings": {plane: list(ring) for plane, (_, ring) in films.items()},
        "where": {"axial": "seen from below", "sagittal": side} | dict.fromkeys(PLANES, _aim(state["turn"])),
        "sight": {
            **{plane: [plane in seen.planes, on_film(seen, plane)] for plane in PLANES},
            "CT": [seen.on_ct, "shown on CT" if seen.on_ct else "too small for CT in slices of 3 mm"],
        },
        "ends": [_(end) for end in ENDS[leak.route]],
        "said": {
            "From": f"{_capital(told.from_)}.",
            "Near it": f"{_capital(told.near)}. {' '.join(measured(leak))}",
            "What may follow": told.consequence,
            "What to do": told.do,
        },
        "refs": list(told.refs),
        "told": describe(state),
    }


class LeakRoutes(Asking):
    """The viewer, asked by its browser half."""

    _esm = module("leaks")
    _css = style("leaks")
    refusal = N_("The viewer could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on half a millilitre along the basivertebral vein of L1, or on what `start` says."""
        check_known("leak_routes", start, START)
        super().__init__(
            about={
                "levels": list(LEVELS),
                "routes": {name: routes()[name].name for name in ROUTES},
                "ranges": RANGES,
                "looks": labels(LOOKS),
                "rates": [[each.what, each.found, each.looked, "; ".join(each.refs)] for each in rates()],
                "limits": LIMITS,
                "model": page("leaks").brief,
            },
            state=checked(start),
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Leak routes: {describe(self._state)}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked(wanted)
        return made

    def still(self) -> str:
        """Return the four pictures with their description."""
        state = self._state
        gap = np.full((PIXELS, 6, 3), 255, dtype=np.uint8)
        films = [np.repeat(x_ray(state, plane)[0][..., None], 3, axis=2) for plane in PLANES]
        four = [section(state, "axial"), gap, section(state, "sagittal"), gap, films[0], gap, films[1]]
        told, said = describe(state), routes()[state["route"]]
        alt = html.escape(f"Axial and sagittal section, lateral and AP film. {told}", quote=True)
        words = html.escape(f"{told} {said.consequence} {said.do} {cite(said.refs)} {LIMITS}")
        return (
            f'<figure><img alt="{alt}" width="970" src="{uri(np.hstack(four))}">'
            f"<figcaption>{words} Start the lesson to choose route, level and volume.</figcaption></figure>"
        )


def leak_routes(**start: Any) -> LeakRoutes:
    """Return the viewer; `start` may set what it opens on, such as `route="S"` or `volume=1.5`."""
    return LeakRoutes(**start)
