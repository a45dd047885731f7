"""Draw the pictures of lessons 07 and 08 and of their question banks from the course's own vertebra, films and models.

`python tools/figures_procedures.py` writes `assets/figures/procedure_*.svg` and compares each hotspot polygon of the
two banks with the one computed here; a polygon that differs is printed, ready to paste. Names of pictures may follow
(`python tools/figures_procedures.py procedure_vp_needle`). Nothing is random without a fixed seed.
"""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from figures_anatomy import mm, scaled, words, write
from figures_anatomy import svg as anatomy_svg
from figures_imaging import enlarged
from numpy.typing import NDArray
from scipy import ndimage

from vertebra.cement import flow
from vertebra.cement.balloon import Cavity, Inflation, inflate
from vertebra.cement.bone import bone as body
from vertebra.imaging.fluoroscopy import (
    KEV,
    Block,
    CArm,
    Rod,
    attenuation,
    automatic_window,
    bone,
    chord,
    film,
    shear_warp,
    trabecular_bone,
)
from vertebra.imaging.needle import Needle, aim, breach, two_views
from vertebra.spine.shape import Shape, wall_defect, wedge
from vertebra.spine.stack import Spine
from vertebra.spine.vertebra import Vertebra

ROOT = Path(__file__).parents[1]
BANKS = ROOT / "quizzes" / "bank"
LEVEL = "L1"
BROKEN = wedge(0.3)
AP, LATERAL = 0.0, 90.0
GAP = 8
LINE = "stroke='#ffe08a' stroke-width='3' fill='none'"

FloatArray = NDArray[np.float64]
Grey = NDArray[np.uint8]
Polygon = list[list[float]]
Drawn = tuple[str, dict[str, Polygon]]


def svg(picture: Grey, title: str, over: str = "", quality: int = 72) -> str:
    """Return an SVG as large as the raster that fills it; `over` is drawn on top."""
    return anatomy_svg(picture, picture.shape[1], picture.shape[0], title, over, quality)


# --- One patient, two views ------------------------------------------------------------------------------------------


@cache
def spine(shape: Shape = BROKEN) -> Spine:
    """Return T12 to L2, L1 broken to a shape."""
    return Spine(("T12", LEVEL, "L2"), {LEVEL: shape})


@cache
def skeleton(shape: Shape = BROKEN) -> tuple[Block, ...]:
    """Return the thin bone of an osteoporotic spine."""
    made = spine(shape)
    return tuple(bone(v.voxels(0.8), bone_volume=0.1).moved(made.poses[level]) for level, v in made.vertebrae.items())


def carm(orbital: float, tilt: float = 0.0, pixels: int = 300, shape: Shape = BROKEN, back: float = 13) -> CArm:
    """Return a C-arm centred on L1; the lateral view looks `back` mm behind its body, so that the arch is in it."""
    centre = spine(shape).poses[LEVEL].translation + mm(0, -back if orbital == LATERAL else -6, 2)
    return CArm(orbital=orbital, tilt=tilt, pixels=pixels, pixel=0.42, isocentre=tuple(centre))


def rod(needle: Needle, shape: Shape = BROKEN, radius: float | None = None) -> Rod:
    """Return a needle of L1's frame as a rod in the spine's."""
    ends = spine(shape).poses[LEVEL].apply(np.array([needle.tip - 95 * needle.direction, needle.tip]))
    return Rod(ends[0], ends[1], radius or needle.radius)


def screen(
    view: CArm,
    rods: Sequence[Rod] = (),
    more: Sequence[Block] = (),
    size: int = 240,
    seed: int = 0,
    shape: Shape = BROKEN,
) -> Grey:
    """Return what the fluoroscope's screen shows."""
    alone = np.sum([shear_warp(block, view) for block in skeleton(shape)], axis=0)
    total = np.sum([alone, *(shear_warp(block, view) for block in more)], axis=0)
    for each in rods:
        total = total + np.float32(0.35) * chord(each, view)  # black already; all of it would only blur the edge
    # One brightness for all: pictures of a series are compared.
    seen = film(total, automatic_window(alone), "fluoro", photons=5000, scatter=0.0, seed=seed)
    return enlarged(seen, size, size)


def plate(
    columns: Sequence[tuple[str, Sequence[Grey]]], numbers: bool = True, oblique: bool = False
) -> tuple[Grey, str]:
    """Return columns of pictures side by side under their labels, AP above lateral, and the words to draw on them.

    The upper picture of the first column may be `oblique` and is then called so.
    """
    size = columns[0][1][0].shape[0]
    wide = len(columns) * (size + GAP) - GAP
    tall = 2 * size + GAP
    picture = np.full((40 + tall, wide), 255, np.uint8)
    over = ""
    for n, (label, (upper, lower)) in enumerate(columns):
        left = n * (size + GAP)
        picture[40 : 40 + size, left : left + size] = upper
        picture[40 + size + GAP :, left : left + size] = lower
        text = f"{n + 1} {label}" if numbers else label
        over += (
            f"<text x='{left + size / 2:.0f}' y='29' text-anchor='middle' font-size='26' font-weight='600' "
            "font-family='system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif' fill='#17212b'>"
            f"{text}</text>\n"
        )
    over += words("oblique" if oblique else "AP", (10, 70), 26, "start")
    if oblique:
        over += words("AP", (size + GAP + 10, 70), 26, "start")
    over += words("lateral", (10, 70 + size + GAP), 26, "start")
    return picture, over


def path(points: FloatArray, closed: bool = False) -> str:
    """Return a thin line through points."""
    joined = " L ".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"<path d='M {joined}{' Z' if closed else ''}' {LINE}/>\n"


def ring(view: CArm, side: str, size: int, grow: float = 1.0, shape: Shape = BROKEN) -> FloatArray:
    """Return a pedicle's isthmus (n, 2) as a view of so many units shows it, from 12 o'clock on, clockwise."""
    model = spine(shape)
    pedicle = model.vertebrae[LEVEL].pedicle(side)
    across = np.array([pedicle.axis[1], -pedicle.axis[0], 0.0])
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)[:, None]
    # Positive x is the patient's right, which an AP picture shows on the left.
    off = -np.sin(turn) * across * pedicle.width / 2 + np.cos(turn) * mm(0, 0, pedicle.height / 2)
    return view.project(model.poses[LEVEL].apply(pedicle.centre + grow * off)) * size / view.pixels


def wall(view: CArm, size: int, shape: Shape = BROKEN) -> FloatArray:
    """Return the two ends (2, 2) of the posterior wall's line on a lateral view."""
    return view.project(spine(shape).landmarks(LEVEL)[[2, 5]]) * size / view.pixels


# --- Lesson 07: the needle -------------------------------------------------------------------------------------------

# A path from the upper outer quarter of the ring to the front third; the other numbers are degrees and mm.
PATH = {"lateral": 0.3, "cranial": 2.5, "convergence": 5.0, "descent": 10.0}


def good(depth: float, side: str = "left") -> Needle:
    """Return the needle of the lesson, its tip `depth` mm beyond the isthmus."""
    return aim(spine().vertebrae[LEVEL].pedicle(side), depth, **PATH)


def skin_of_bone(side: str = "left") -> float:
    """Return the depth at which the lesson's needle first touches bone."""
    depths = np.arange(-30, 0, 0.5)
    tips = np.array([good(d, side).tip for d in depths])
    inside = spine().vertebrae[LEVEL].bone_distance(tips) < 0
    return float(depths[np.argmax(inside)]) - 0.5


def vp_needle() -> Drawn:
    """The needle's way: down the pedicle, half way, past the posterior wall, front third."""
    vertebra = spine().vertebrae[LEVEL]
    views = two_views(good(31), vertebra, "left")
    found = breach(good(31), vertebra, "left")
    if not views.safe or any(vars(found).values()):
        raise ValueError(f"the needle of the lesson is no example: {views}, {found}")
    assert views.posterior_at is not None
    size = 250
    aimed = good(0).direction
    down = carm(float(np.degrees(np.arctan2(-aimed[0], aimed[1]))), float(np.degrees(-np.arcsin(aimed[2]))))
    stops = [
        ("down its path", skin_of_bone()),
        ("half way", 0.0),
        ("at the wall", views.posterior_at + 0.5),
        ("front third", 31.0),
    ]
    columns, over = [], ""
    for n, (label, depth) in enumerate(stops):
        needle = (rod(good(depth)),)
        upper, lower = (down if n == 0 else carm(AP)), carm(LATERAL)
        columns.append(
            (label, [screen(upper, needle, size=size, seed=n), screen(lower, needle, size=size, seed=9 + n)])
        )
        shift = np.array([n * (size + GAP), 40])
        over += path(ring(upper, "left", size, 1.1) + shift, closed=True)
        over += path(wall(lower, size) + shift + [0, size + GAP])
    picture, names = plate(columns, oblique=True)
    return svg(picture, "Four stops of a needle on its way through a pedicle, AP above lateral", over + names), {}


def sector(view: CArm, size: int, start: float, stop: float) -> Polygon:
    """Return a piece of the left pedicle's ring between two hours of its clock, from well inside to its edge."""
    inner, outer = ring(view, "left", size, 0.35), ring(view, "left", size, 1.2)
    hours = np.arange(48) / 4
    part = (hours >= start) & (hours <= stop)
    return scaled(np.vstack([outer[part][::2], inner[part][::-4]]), 1)


ENTRY = 640  # picture units


def q_vp_entry() -> Drawn:
    """An AP picture of L1; regions of places where a needle could be set down."""
    size, view = ENTRY, carm(AP, pixels=220)
    model = spine()
    unit = size / view.pixels

    def around(points: Sequence[FloatArray]) -> Polygon:
        return scaled(view.project(model.poses[LEVEL].apply(np.array(points))), unit)

    six = model.vertebrae[LEVEL].landmarks
    pedicle = model.vertebrae[LEVEL].pedicle("left")
    tip = pedicle.centre - mm(pedicle.width * 0.5 + 6)
    regions = {
        "upper-outer": sector(view, size, 0.75, 3.25),
        "lower-inner": sector(view, size, 6.75, 9.25),
        "beside": around([tip + mm(1, 0, -1), tip + mm(-5, 0, -1), tip + mm(-5, 0, -7), tip + mm(1, 0, -7)]),
        "middle": around([mm(x, -60, z) for x, z in ((-3, -12), (3, -12), (3, 3), (-3, 3))]),
        "low": around([mm(x, 0, six[5][2] + z) for x, z in ((-14, 1), (-6, 1), (-6, 6), (-14, 6))]),
    }
    over = words("R", (24, 40), anchor="start") + words("L", (616, 40), anchor="end")
    return svg(screen(view, size=size, seed=21), "AP screen of one lumbar vertebra", over), regions


def stray() -> Needle:
    """Return a needle that came too far to the middle before it reached the body."""
    pedicle = spine().vertebrae[LEVEL].pedicle("left")
    return aim(pedicle, 3.0, lateral=-5.0, cranial=1.0, convergence=18, descent=4)


def q_vp_medial() -> Drawn:
    """One needle that came too far to the middle before it reached the body."""
    size, needle = 420, (rod(stray()),)
    pair = [screen(carm(o, pixels=230), needle, size=size, seed=31 + n) for n, o in enumerate((AP, LATERAL))]
    picture = np.hstack([pair[0], np.full((size, GAP), 255, np.uint8), pair[1]])
    over = words("AP", (12, 34), anchor="start") + words("lateral", (size + GAP + 12, 34), anchor="start")
    return svg(picture, "Two screens of one needle", over), {}


def four_needles() -> dict[str, Needle]:
    """Return four needles: beside the body, into the disc, within bone, through the canal."""
    pedicle = spine().vertebrae[LEVEL].pedicle("left")
    return {
        "A": aim(pedicle, 25, lateral=4.2, cranial=1, convergence=-10, descent=5),
        "B": aim(pedicle, 20, lateral=0, cranial=3.0, convergence=5, descent=-11),
        "C": good(30),
        "D": aim(pedicle, 12, lateral=-4.6, cranial=0, convergence=10, descent=6),
    }


def q_vp_four() -> Drawn:
    """Four needles: within bone, in the canal, beside the body, in the disc."""
    columns = []
    for n, (name, needle) in enumerate(four_needles().items()):
        views = [screen(carm(o), (rod(needle),), size=230, seed=41 + 2 * n + m) for m, o in enumerate((AP, LATERAL))]
        columns.append((name, views))
    picture, over = plate(columns, numbers=False)
    return svg(picture, "Four needles, A to D, AP above lateral", over), {}


# --- Lesson 07: the cement -------------------------------------------------------------------------------------------

THIN = 0.07  # BV/TV of the bone that cement and balloon meet


def cement(shape: Shape, tip: FloatArray, millilitres: float, viscosity: float = 150.0) -> flow.State:
    """Return cement in L1 after so many mL from one tip."""
    injected = flow.Injection((tuple(tip),), cement=viscosity)
    return flow.inject(body(Vertebra(LEVEL, shape), THIN, spacing=1.5), injected, millilitres)[-1]


def placed(state: flow.State) -> Block:
    """Return cement where the spine's L1 is."""
    return state.block(KEV).moved(spine(state.bone.vertebra.shape).poses[LEVEL])


def vp_cement() -> Drawn:
    """Cement: the first of it, enough, and one to stop at."""
    back = wall_defect(0.5, 0.3)
    behind = aim(Vertebra(LEVEL, back).pedicle("left"), 14, **PATH)
    cases = [
        ("first cement", BROKEN, good(28), 0.8, 150.0),
        ("enough", BROKEN, good(28), 2.8, 150.0),
        ("too late", back, behind, 4.0, 2.0),
    ]
    if not cement(back, behind.tip, 4.0, 2.0).leaks["posterior wall defect"] > 0.3:
        raise ValueError("no cement reaches the canal in the picture that shows when to stop")
    if sum(cement(BROKEN, good(28).tip, 2.8).leaks.values()) > 0.0005:
        raise ValueError("cement leaks in the picture that shows enough of it")
    size, columns, over = 300, [], ""
    for n, (label, shape, needle, millilitres, viscosity) in enumerate(cases):
        matter = (placed(cement(shape, needle.tip, millilitres, viscosity)),)
        rods = (rod(needle, shape),)
        views = [carm(o, shape=shape) for o in (AP, LATERAL)]
        columns.append((label, [screen(v, rods, matter, size, 61 + 2 * n + m, shape) for m, v in enumerate(views)]))
        over += path(wall(carm(LATERAL, shape=shape), size, shape) + mm(n * (size + GAP), 40 + size + GAP)[:2])
    picture, names = plate(columns)
    return svg(picture, "Cement in a vertebra, AP above lateral: first, enough, too late", over + names), {}


def row(panels: Sequence[Grey], labels: Sequence[str]) -> tuple[Grey, str]:
    """Return pictures side by side, each with its label in a corner."""
    size = panels[0].shape[0]
    gap = np.full((size, GAP), 255, np.uint8)
    picture = np.hstack([part for panel in panels for part in (panel, gap)][:-1])
    over = "".join(words(label, (n * (size + GAP) + 12, 40), 36, "start") for n, label in enumerate(labels))
    return picture, over


OPEN_WALL = wall_defect(0.5, 0.3)
STOPS = (0.5, 1.0, 4.0, 6.0)  # mL at each screen


def stopping_needle() -> Needle:
    """Return the needle of the injection that creeps backwards."""
    return aim(Vertebra(LEVEL, OPEN_WALL).pedicle("left"), 24, lateral=0.3, cranial=2.5, convergence=8, descent=10)


def q_vp_stop() -> Drawn:
    """Four lateral pictures of one injection that creeps backwards; a line marks the back quarter."""
    shape, size, tip = OPEN_WALL, 320, stopping_needle()
    six = Vertebra(LEVEL, shape).landmarks
    quarter = float(six[[0, 3], 1].mean() - six[[2, 5], 1].mean()) / 4
    states = [cement(shape, tip.tip, volume, 2.0) for volume in STOPS]
    view = carm(LATERAL, pixels=230, shape=shape, back=6)
    panels = [screen(view, (rod(tip, shape),), (placed(s),), size, 81 + n, shape) for n, s in enumerate(states)]
    upper, over = row(panels[:2], "AB")
    lower, names = row(panels[2:], "CD")
    picture = np.vstack([upper, np.full((GAP, upper.shape[1]), 255, np.uint8), lower])
    over += f"<g transform='translate(0 {size + GAP})'>{names}</g>\n"
    ends = spine(shape).poses[LEVEL].apply(six[[2, 5]] + mm(0, quarter, 0))
    line = view.project(ends) * size / view.pixels
    for n in range(4):
        shift = mm(n % 2 * (size + GAP), n // 2 * (size + GAP))[:2]
        over += path(line + shift).replace("/>", " stroke-dasharray='7 6'/>")
        over += path(wall(view, size, shape) + shift)
    return svg(picture, "Four lateral screens of one injection, A to D", over), {}


# --- Lesson 08 -------------------------------------------------------------------------------------------------------


def needles(shape: Shape = BROKEN, depth: float = 31) -> tuple[Needle, Needle]:
    """Return the two needles whose tips are the front ends of the balloons."""
    vertebra = Vertebra(LEVEL, shape)
    left, right = (aim(vertebra.pedicle(s), depth, cranial=1, convergence=7, descent=8) for s in ("left", "right"))
    return left, right


@cache
def lift(millilitres: float, depth: float = 31) -> Inflation:
    """Return what two balloons do in the lesson's L1, five weeks after it broke."""
    pair = needles(depth=depth)
    found = inflate(
        Vertebra(LEVEL, BROKEN), [n.tip for n in pair], millilitres, "15/3", THIN, 5.0, [n.direction for n in pair]
    )
    _clear(found)
    return found


def _clear(found: Inflation) -> None:
    """Raise where a balloon has come to a wall: the lesson would have stopped before."""
    if at := [name for name in found.contacts if name.endswith("wall")]:
        raise ValueError(f"a picture shows balloons that have come to the {', '.join(at)}; place them elsewhere")


def ellipsoid(cavity: Cavity, shape: Shape, mu: float, more: float = 0.0) -> Block:
    """Return the matter of an ellipsoid, enlarged by `more` mm, of `mu` in excess of what is there."""
    step = 0.8
    reach = float(max(cavity.semi_axes)) + more + 1
    line = np.arange(-reach, reach + step, step)
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1) + cavity.centre
    inside = np.clip((1 - cavity.level(grid, more)) * float(min(cavity.semi_axes)) / step + 0.5, 0, 1)
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = cavity.centre - reach
    return Block((inside * mu).astype(np.float32), affine).moved(spine(shape).poses[LEVEL])


def balloons(found: Inflation) -> tuple[Block, ...]:
    """Return balloons full of contrast medium, drawn about as opaque as cement with a tenth of barium sulphate."""
    contrast = attenuation("PMMA + 10 % BaSO4", KEV) - attenuation("soft tissue", KEV)
    return tuple(ellipsoid(each, found.lifted.shape, contrast) for each in found.balloons)


def holes(found: Inflation) -> tuple[Block, ...]:
    """Return what deflation leaves: no struts inside, all of them in the shell."""
    struts = trabecular_bone(0.1, KEV) - attenuation("soft tissue", KEV)
    blocks: list[Block] = []
    for each in found.cavities:
        thick = each.shell_thickness
        inner, outer = float(each.semi_axes.prod()), float((each.semi_axes + thick).prod())
        dense = struts * inner / (outer - inner)
        shape = found.settled.shape
        blocks += [ellipsoid(each, shape, dense, thick), ellipsoid(each, shape, -dense - struts)]
    return tuple(blocks)


def cannulae(shape: Shape, depth: float) -> tuple[Rod, ...]:
    """Return two working cannulae, thicker than a needle, their tips `depth` mm beyond the isthmus."""
    return tuple(rod(n, shape, radius=2.1) for n in needles(shape, depth))


def filled(found: Inflation, millilitres: float) -> Block:
    """Return thick cement that has filled the cavities."""
    injected = flow.Injection(
        tuple(tuple(c.centre + 0.5 * c.semi_axes[0] * c.axis) for c in found.cavities), cement=600.0
    )
    medium = body(found.settled, THIN, spacing=1.5)
    return placed(flow.advance(flow.begin(medium, injected, found.cavities), millilitres))


STAGES = ("cannulae", "inflated", "let down", "filled")


def stage(name: str, size: int, seed: int) -> tuple[Grey, Grey]:
    """Return the AP and the lateral screen at a stage of a kyphoplasty with 2 mL in each balloon."""
    found = lift(4.0)
    shape = {"cannulae": BROKEN, "inflated": found.lifted.shape}.get(name, found.settled.shape)
    more = {
        "cannulae": (),
        "inflated": balloons(found),
        "let down": holes(found),
        "filled": (filled(found, 4.4),) if name == "filled" else (),
    }[name]
    rods = cannulae(shape, 9.0)
    upper, lower = (
        screen(carm(o, shape=shape), rods, more, size, seed + m, shape) for m, o in enumerate((AP, LATERAL))
    )
    return upper, lower


def bkp_steps() -> Drawn:
    """Four stages of a kyphoplasty."""
    size = 250
    columns = [(name, stage(name, size, 71 + 2 * n)) for n, name in enumerate(STAGES)]
    picture, over = plate(columns)
    return svg(picture, "Four stages of a balloon kyphoplasty, AP above lateral", over), {}


def heights(title: str, found: Inflation, labels: Sequence[str], seed: int, size: int = 330) -> str:
    """Return three lateral screens, before, inflated and let down, with the front height of each body in mm."""
    shapes = (found.vertebra.shape, found.lifted.shape, found.settled.shape)
    matter = ((), balloons(found), holes(found))
    panels, over = [], ""
    for n, (shape, more) in enumerate(zip(shapes, matter, strict=True)):
        view = carm(LATERAL, pixels=260, shape=shape, back=6)
        panels.append(screen(view, cannulae(shape, 9.0), more, size, seed + n, shape))
        top, foot = view.project(spine(shape).landmarks(LEVEL)[[0, 3]]) * size / view.pixels + [
            n * (size + GAP) - 14,
            0,
        ]
        over += path(np.array([top, foot]))
        over += words(f"{found.heights[n, 0]:.1f} mm", (n * (size + GAP) + 12, size - 16), 40, "start")
    picture, names = row(panels, labels)
    return svg(picture, title, over + names)


def bkp_height() -> Drawn:
    """The front height before, inflated, let down."""
    return heights("Front height before, inflated, let down", lift(4.0), ("before", "inflated", "let down"), 91), {}


@cache
def raised() -> Inflation:
    """Return what two balloons do in a deeper wedge, three weeks after it broke."""
    shape = wedge(0.4)
    pair = needles(shape)
    found = inflate(Vertebra(LEVEL, shape), [n.tip for n in pair], 4.0, "15/3", THIN, 3.0, [n.direction for n in pair])
    _clear(found)
    return found


def q_bkp_height() -> Drawn:
    """Three screens of another patient, for a question about the share lost again."""
    return heights("Three lateral screens with the front height", raised(), "123", 95), {}


SHUFFLED = {"A": "filled", "B": "cannulae", "C": "let down", "D": "inflated"}


def q_bkp_stages() -> Drawn:
    """Four stages, out of order."""
    columns = [(name, stage(each, 230, 101 + 2 * n)) for n, (name, each) in enumerate(SHUFFLED.items())]
    picture, over = plate(columns, numbers=False)
    return svg(picture, "Four stages of one procedure, A to D, AP above lateral", over), {}


AXIAL = (640, 0.12)  # picture units of the axial section, mm of one


@cache
def touching() -> Inflation:
    """Return two full balloons of which the left one has come to the side wall."""
    vertebra = Vertebra(LEVEL, BROKEN)
    left = aim(vertebra.pedicle("left"), 31, lateral=2.0, cranial=1, convergence=-4, descent=8)
    right = aim(vertebra.pedicle("right"), 31, cranial=1, convergence=10, descent=8)
    return inflate(vertebra, [left.tip, right.tip], 4.0, "15/3", THIN, 5.0, [left.direction, right.direction])


def q_bkp_wall() -> Drawn:
    """An axial section at full inflation: one balloon has come to the side wall; regions around both."""
    (size, step), found = AXIAL, touching()
    one, other = sorted(found.balloons, key=lambda each: each.centre[0])
    height = (one.centre[2] + other.centre[2]) / 2
    # As a CT is looked at: from below, the patient's right on the left, his front above.
    x = (size / 2 - np.arange(size) - 0.5) * step
    y = -8 + (size / 2 - np.arange(size) - 0.5) * step
    grid = np.stack(np.broadcast_arrays(x[None, :], y[:, None], height), axis=-1)
    far = found.lifted.distance(grid.reshape(-1, 3).astype(np.float32)).reshape(size, size)
    noise = ndimage.gaussian_filter(np.random.default_rng(7).standard_normal((size, size)), 2.2)
    marrow = 112 + 26 * noise / noise.std()
    bright = np.where(far > -0.9, 225, marrow)
    shell = np.minimum(*(each.level(grid, 2.0) for each in (one, other)))
    bright = np.where((shell < 1) & (far < -0.9), bright + 55, bright)
    hole = np.minimum(one.level(grid), other.level(grid))
    bright = np.where(hole < 1, 250, bright)
    soft = 66 + 5 * noise / noise.std()
    share = np.clip(0.5 - far / 0.4, 0, 1)
    picture = ndimage.gaussian_filter(soft * (1 - share) + bright * share, 1.6).clip(0, 255).astype(np.uint8)

    def box(at: Sequence[float], wide: float, deep: float) -> Polygon:
        corners = [(at[0] + a * wide, at[1] + b * deep) for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))]
        return [[round(size / 2 - u / step), round(size / 2 - (v + 8) / step)] for u, v in corners]

    def side(each: Cavity, sign: float) -> tuple[float, float]:
        across = each.axes[1] * sign * np.sign(each.axes[1][0]) * each.semi_axes[1]
        return float(each.centre[0] + across[0]), float(each.centre[1] + across[1])

    middle = (one.centre + other.centre) / 2
    front = max((one, other), key=lambda each: float(each.surface()[:, 1].max()))
    regions = {
        "left-side": box(side(one, -1), 2.6, 4.0),
        "right-side": box(side(other, 1), 2.2, 4.0),
        "between": box((middle[0], middle[1]), 1.6, 4.0),
        "front": box((float(front.centre[0]), float(front.surface()[:, 1].max()) + 2.2), 3.0, 1.8),
        "canal": box((0, found.lifted.landmarks[2, 1] - 7), 5.0, 3.5),
    }
    over = words("R", (24, 40), anchor="start") + words("L", (616, 40), anchor="end")
    return svg(picture, "Computed axial section of a vertebra with two balloons", over), regions


PICTURES_07 = {
    "procedure_vp_needle": vp_needle,
    "procedure_q_entry": q_vp_entry,
    "procedure_q_medial": q_vp_medial,
    "procedure_q_four": q_vp_four,
    "procedure_vp_cement": vp_cement,
    "procedure_q_stop": q_vp_stop,
}
PICTURES_08 = {
    "procedure_bkp_steps": bkp_steps,
    "procedure_bkp_height": bkp_height,
    "procedure_q_height": q_bkp_height,
    "procedure_q_stages": q_bkp_stages,
    "procedure_q_wall": q_bkp_wall,
}


if __name__ == "__main__":
    differ = 0
    for pictures, bank in ((PICTURES_07, "07_vertebroplasty.yml"), (PICTURES_08, "08_balloon_kyphoplasty.yml")):
        asked = [name for name in sys.argv[1:] if name in pictures]
        if asked or not sys.argv[1:]:
            differ += write(pictures, BANKS / bank, asked)
    sys.exit(differ)
