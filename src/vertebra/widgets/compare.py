"""Side by side: vertebroplasty and balloon kyphoplasty of the same fracture, by one set of controls."""

import base64
import html
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vertebra.cement.material import CEMENTS
from vertebra.comparison import FRACTURES, HAND_LIMIT, LEVELS, NAMES, Arm, Setting, compare, draft
from vertebra.evidence.tables import table
from vertebra.imaging.fluoroscopy import Block, CArm, automatic_window, bone, film, shear_warp
from vertebra.language import N_
from vertebra.simulators import page
from vertebra.spine.dimensions import LEVELS as EVERY
from vertebra.spine.stack import Spine
from vertebra.spine.vertebra import Vertebra, Voxels
from vertebra.widgets.asking import Asking, check_known, module, style
from vertebra.widgets.cure import degrees

Image32 = NDArray[np.float32]

HERE = Path(__file__).parent
FIELD = 144.0  # mm, side of a picture
PIXELS, VOXEL = 232, 1.0  # across a picture, and mm of the voxels it is made from
ROUGH = 154, 1.5  # the same while a control moves
VIEWS = ("lateral", "AP", "from below")
# What a slider shows: its range in the unit that is shown, and what one of these units is in the model's.
SLIDERS: dict[str, tuple[float, float, float, float]] = {
    "loss": (10, 50, 1, 0.01),
    "bone_volume": (5, 15, 0.5, 0.01),
    "weeks": (0, 26, 1, 1),
    "minute": (3, 14, 0.5, 1),
    "volume": (1, 8, 0.5, 1),
    "balloon": (1, 5, 0.5, 1),
}
START: dict[str, Any] = {
    "level": "T12",
    "fracture": "wedge",
    "loss": 30,
    "bone_volume": 8,
    "weeks": 5,
    "cement": "low viscosity",
    "minute": 5,
    "volume": 4,
    "balloon": 4,
    "both": True,
    "sharp": True,
}
ROUTES = {
    "B": "basivertebral vein",
    "S": "segmental vein",
    "C-disc": "disc",
    "C-cortex": "front or side of the body",
    "C-canal": "spinal canal",
}
SEEN = 0.01  # mL: a smaller leak is not named
# As the sources give them; nothing here is computed.
PUBLISHED = (
    ("Leak on CT, levels", "82 %", "73 %", "dohm2014"),
    ("Procedure time", "31.8 min", "40.0 min", "dohm2014"),
    ("Cost", "less", "more, for the balloons", "han2011"),
    ("Radiation dose", "no figure read", "no figure read", "unreferenced"),
)
LIMITS = (
    "Computed for a made-up patient, not for planning a procedure, not reviewed by a clinician. Needles and balloons "
    "are placed ideally; the same cannula, rate and cement serve both. Compare leaks with each other and not with a "
    "clinic: here the cement's thickness hardly changes them, on the bench it does [habib2010]. Pain is in no model."
)


def checked(wanted: dict[str, Any]) -> tuple[Setting, bool]:
    """Return the setting that was wanted, and whether the exact model is; ValueError for what is out of range."""
    state = START | {name: value for name, value in wanted.items() if name in START}
    for name, (low, high, *_) in SLIDERS.items():
        value = state[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; give a number from {low:g} to {high:g}")
    numbers = {name: round(state[name] * unit, 4) for name, (*_, unit) in SLIDERS.items()}
    named = {name: state[name] for name in ("level", "fracture", "cement", "both")}
    return Setting(**named, **numbers), bool(state["sharp"])


# --- pictures --------------------------------------------------------------------------------------------------------


def _neighbours(level: str) -> tuple[str, ...]:
    place = EVERY.index(level)
    return EVERY[max(place - 1, 0) : place + 2]


@lru_cache(maxsize=12)
def _voxels(vertebra: Vertebra, spacing: float) -> Voxels:
    return vertebra.voxels(spacing)


@lru_cache(maxsize=12)
def _matter(vertebra: Vertebra, bone_volume: float, spacing: float) -> Block:
    return bone(_voxels(vertebra, spacing), bone_volume=bone_volume)


@lru_cache(maxsize=8)
def _spine(vertebra: Vertebra) -> Spine:
    return Spine(_neighbours(vertebra.level), {vertebra.level: vertebra.shape})


def _carm(view: str, spine: Spine, level: str, pixels: int = PIXELS) -> CArm:
    x, y, z = spine.landmarks(level).mean(axis=0)
    # The canal and the arch are in the picture as well.
    behind = {"lateral": 12.0, "AP": 0.0, "from below": 14.0}[view]
    orbital, tilt = {"lateral": (90.0, 0.0), "AP": (0.0, 0.0), "from below": (0.0, 90.0)}[view]
    isocentre = (float(x), float(y) - behind, float(z))
    return CArm(orbital, tilt, pixels=pixels, pixel=FIELD / pixels, isocentre=isocentre)


@lru_cache(maxsize=24)
def _shadow(
    vertebra: Vertebra, bone_volume: float, view: str, pixels: int, voxel: float
) -> tuple[CArm, Image32, tuple[float, float]]:
    """Return a view, the bones' line integrals in it, and the window that shows them."""
    spine = _spine(vertebra)
    carm = _carm(view, spine, vertebra.level, pixels)
    # From below a neighbour would hide everything.
    seen = (vertebra.level,) if view == "from below" else spine.levels
    total = np.zeros((pixels, pixels), dtype=np.float32)
    for level in seen:
        total += shear_warp(_matter(spine.vertebrae[level], bone_volume, voxel).moved(spine.poses[level]), carm)
    low, high = automatic_window(total)
    return carm, total, (low, high)


@lru_cache(maxsize=8)
def pictures(
    vertebra: Vertebra, bone_volume: float, cement: Block, pixels: int = PIXELS, voxel: float = VOXEL
) -> NDArray[np.uint8]:
    """Return the three views (3, rows, columns) of a vertebra between its neighbours with the cement in it."""
    placed = cement.moved(_spine(vertebra).poses[vertebra.level])
    made = []
    for view in VIEWS:
        carm, shadow, window = _shadow(vertebra, bone_volume, view, pixels, voxel)
        made.append(film(shadow + shear_warp(placed, carm), window, photons=6000))
    return np.stack(made)


# --- words and numbers -----------------------------------------------------------------------------------------------


def _kpa(pascals: float) -> str:
    value = pascals / 1000
    return f"{value:.0f} kPa" if value >= 9.5 else f"{value:.1f} kPa" if value >= 0.95 else f"{value:.2f} kPa"


def _percent(share: float) -> str:
    return f"{100 * share:+.0f} %".replace("-", "−")


def _leaks(arm: Arm) -> str:
    named = [f"{ROUTES[kind]} {ml:.2f} mL" for kind, ml in arm.leaks.items() if ml >= SEEN]
    return ", ".join(named) or "hardly any"


def _cement(arm: Arm) -> str:
    if not arm.state.volume:
        return "none: too thick to push from the start"
    return f"{arm.state.volume:.1f} mL{', then it was too thick to push' if arm.stuck else ''}"


def _syringe(arm: Arm) -> str:
    # What is asked for beyond that is a number that nobody presses.
    return f"over {HAND_LIMIT / 1e6:.1f} MPa, beyond a hand" if arm.stuck else f"{arm.syringe_pressure / 1e6:.1f} MPa"


def _peak(arm: Arm) -> str:
    return _kpa(float(arm.pressures.max())) if arm.state.volume else "no cement"


def _balloon(arm: Arm) -> str:
    made = arm.inflation
    if not made:
        return "none"
    ends = {"": "", "burst": ", then it burst", "room": ", then the bone gave it no more room"}[made.stopped]
    return f"{made.volume:.1f} mL at {made.pressure / 1e5:.0f} bar{ends}"


def _margin(arm: Arm) -> str:
    far = arm.state.posterior_margin
    return "no cement" if np.isinf(far) else f"{far:.0f} mm" if far >= 0.5 else "at the wall or behind it"


def _height(arm: Arm) -> str:
    before, after = arm.setting.vertebra.heights[0], arm.heights[0]
    if not arm.inflation:
        return f"{before:.1f} mm, as before"
    lifted = arm.inflation.lifted.heights[0]
    return f"{before:.1f} → {lifted:.1f} inflated → {after:.1f} mm"


def _warmth(arm: Arm) -> str:
    curing = arm.curing
    return f"{degrees(curing.centre)}, {degrees(arm.canal_temperature)}" if curing else "no cement"


def _change(arm: Arm, control: str) -> str:
    return _percent(arm.neighbour(control).disc_pressure) if arm.segment.plug else "no cement"


def rows(arms: Sequence[Arm]) -> list[list[str]]:
    """Return the table of what was computed: a heading, then one cell for each arm."""
    table = {
        "Balloon": [_balloon(arm) for arm in arms],
        "Cement injected": [_cement(arm) for arm in arms],
        "Highest pressure in the bone": [_peak(arm) for arm in arms],
        "Highest pressure at the syringe": [_syringe(arm) for arm in arms],
        "Cement outside the bone": [_leaks(arm) for arm in arms],
        "From cement to the posterior wall": [_margin(arm) for arm in arms],
        "Anterior height": [_height(arm) for arm in arms],
        "Wedge angle that remains": [f"{arm.wedge:.0f}°" for arm in arms],
        "Hottest: in the cement, at the canal": [_warmth(arm) for arm in arms],
        "Stiffness, that of the unbroken body being 1": [f"{arm.stiffness:.1f}" for arm in arms],
        "Pressure in the disc above, same load": [_change(arm, "load") for arm in arms],
        "Pressure in the disc above, same shortening": [_change(arm, "displacement") for arm in arms],
        "Load on the vertebra above, by the wedge that remains": [_percent(arm.neighbour_load - 1) for arm in arms],
    }
    return [[name, *cells] for name, cells in table.items()]


def describe(arms: Sequence[Arm]) -> str:
    """Return what came out in one or two sentences."""
    first, second = arms
    s = first.setting
    what = (
        f"{s.level}, {s.fracture}, {100 * s.loss:.0f} % lower in front, {s.weeks:g} weeks old; {s.volume:g} mL of "
        f"{s.cement.replace(' ', '-')} cement."
    )
    if first.stuck or second.stuck:
        return f"{what} The cement was too thick to push: choose an earlier minute or another cement."
    ratio = first.pressures.max() / max(float(second.pressures.max()), 1.0)
    gained = second.heights[0] - first.heights[0]
    out = [_leaks(arm) for arm in arms]
    leaks = f"{out[0]} with either" if out[0] == out[1] else f"{out[0]} without the balloon, {out[1]} with it"
    times = f"{ratio:.0f}" if ratio >= 9.5 else f"{ratio:.1f}"
    return (
        f"{what} Pressure in the bone is {times} times as high without the balloon. The balloon leaves the front "
        f"{gained:.1f} mm higher. Cement outside the bone: {leaks}."
    )


def chart(arms: Sequence[Arm]) -> str:
    """Return the pressure in the bone over the volume injected as SVG; its colours are the page's."""
    width, height, left, right, top, bottom = 340, 230, 54, 14, 22, 42
    low, high = 0.01, 1000.0  # kPa
    most = max(float(arm.setting.volume) for arm in arms)

    def at(volume: float, pascals: float) -> tuple[float, float]:
        share = (np.log10(np.clip(pascals / 1000, low, high)) - np.log10(low)) / (np.log10(high) - np.log10(low))
        return left + volume / most * (width - left - right), height - bottom - float(share) * (height - top - bottom)

    drawn = []
    for power in range(-2, 4):
        _, y = at(0, 10.0 ** (power + 3))
        drawn.append(f'<path class="sb-grid" d="M{left},{y:.1f}H{width - right}"/>')
        drawn.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for volume in range(int(most) + 1):
        x, _ = at(volume, 1.0)
        drawn.append(f'<text x="{x:.1f}" y="{height - bottom + 17}" text-anchor="middle">{volume}</text>')
    for number, arm in enumerate(arms):
        points = [at(v, p) for v, p in zip(arm.volumes[1:], arm.pressures[1:], strict=True)]
        if not points:
            continue
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn.append(f'<polyline class="sb-line sb-arm{number}" points="{line}"/>')
        # The lines part where they begin: a name stands above the first, clear of its rise, and below the second.
        x, y = points[0]
        top_of_line = min(py for px, py in points if px <= x + 110)
        at_y = y + 20 if number and y < height - bottom - 24 else top_of_line - 9
        label = ("Vertebroplasty", "Kyphoplasty")[number]
        drawn.append(f'<text class="sb-name sb-arm{number}" x="{x:.1f}" y="{at_y:.1f}">{label}</text>')
    axis = (left + width - right) / 2
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Pressure in the bone against millilitres '
        f'injected, on a scale of powers of ten">{"".join(drawn)}'
        f'<text class="sb-axis" x="{axis}" y="{height - 6}" text-anchor="middle">cement injected, mL</text>'
        f'<text class="sb-axis" transform="translate(14 {(top + height - bottom) / 2}) rotate(-90)" '
        f'text-anchor="middle">pressure, kPa</text></svg>'
    )


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted.

    While a control moves (`sharp` false) only the pictures follow, with cement as balls; numbers wait for the model.
    """
    setting, sharp = checked(wanted)
    answer: dict[str, Any] = {"seq": int(wanted.get("seq", 0)), "sharp": sharp}
    if sharp:
        arms = compare(setting)
        films = [pictures(arm.vertebra, setting.bone_volume, arm.block()) for arm in arms]
        answer |= {"rows": rows(arms), "chart": chart(arms), "told": describe(arms)}
    else:
        drafts = (draft(name, setting) for name in NAMES)
        films = [pictures(each.vertebra, setting.bone_volume, each.cement, *ROUGH) for each in drafts]
    pixels = np.stack(films)
    return answer | {"size": pixels.shape[-1], "pixels": base64.b64encode(pixels.tobytes()).decode()}


def png(setting: Setting) -> bytes:
    """Return the lateral and AP pictures of both arms as a PNG file, vertebroplasty on the left."""
    gap = np.full((PIXELS, 6), 255, dtype=np.uint8)
    sides = []
    for arm in compare(setting):
        made = pictures(arm.vertebra, setting.bone_volume, arm.block())
        sides += [made[0], gap, made[1], gap, gap]
    file = io.BytesIO()
    Image.fromarray(np.hstack(sides[:-2])).save(file, "PNG", optimize=True)
    return file.getvalue()


class SideBySide(Asking):
    """Both procedures, asked by their browser half."""

    _esm = module("compare")
    _css = style("compare")
    refusal = N_("That cannot be compared")

    def __init__(self, **start: Any) -> None:
        """Open on a wedge of T12, or on what `start` says of the state."""
        check_known("side_by_side", start, START)
        state = START | start | {"sharp": True}
        super().__init__(
            about={
                "sliders": {name: limits[:3] for name, limits in SLIDERS.items()},
                "levels": LEVELS,
                "fractures": list(FRACTURES),
                "cements": {name: each.label for name, each in CEMENTS.items()},
                "views": VIEWS,
                "published": PUBLISHED,
                "limits": LIMITS,
                "models": {page(name).title: page(name).brief for name in ("cement", "balloon", "heat", "segment")},
            },
            state=state,
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Side by side: {describe(compare(self._setting))}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._setting, _ = checked(wanted)
        return made

    def still(self) -> str:
        """Return a picture with its description."""
        arms = compare(self._setting)
        said = html.escape(describe(arms), quote=True)
        computed = table(
            ("Computed", "Vertebroplasty", "Balloon kyphoplasty"), (tuple(map(html.escape, row)) for row in rows(arms))
        )
        return (
            f'<figure><img alt="Lateral and AP films after vertebroplasty on the left and after kyphoplasty on the '
            f'right. {said}" src="data:image/png;base64,{base64.b64encode(png(self._setting)).decode()}">'
            f"<figcaption>Left: vertebroplasty. Right: balloon kyphoplasty. Each lateral, then AP. {said} Start the "
            f"lesson to change the patient and the plan.</figcaption>{computed}</figure>"
        )


def side_by_side(**start: Any) -> SideBySide:
    """Return both procedures on one fracture; `start` may set what it opens on, such as `weeks=12`."""
    return SideBySide(**start)
