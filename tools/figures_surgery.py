"""Draw the pictures of lesson 12 and of its question bank from the course's own spine and virtual X-ray.

`python tools/figures_surgery.py` writes `assets/figures/surgery_*.svg`; names of pictures may follow. Screws, rods and
graft are schematic, placed along the model's own pedicles. Nothing is random without a fixed seed.
"""

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from figures_anatomy import FONT, View, looking, mm, raster, svg, words
from figures_imaging import enlarged
from numpy.typing import NDArray
from scipy import ndimage

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
)
from vertebra.imaging.needle import Needle, aim
from vertebra.spine.shape import Shape, burst, kuemmell, wedge
from vertebra.spine.soft import tube
from vertebra.spine.stack import Spine
from vertebra.spine.surface import surface
from vertebra.spine.vertebra import Mesh

FIGURES = Path(__file__).parents[1] / "assets" / "figures"
LEVELS = ("T11", "T12", "L1", "L2", "L3")
BROKEN = "L1"
FloatArray = NDArray[np.float64]
Grey = NDArray[np.uint8]

# What is drawn besides bone: a number in place of a part of bone, and the colours of its shadow and its light.
METAL, GRAFT, SAC = 100, 101, 102
COLOURS = {
    METAL: ((38, 46, 58), (226, 234, 241)),
    GRAFT: ((150, 74, 30), (255, 186, 120)),
    SAC: ((58, 98, 140), (196, 224, 245)),
}
SCREW_RADIUS, THREAD, ROD_RADIUS = 2.7, 0.6, 2.75  # mm, drawn


@cache
def spine(shape: Shape) -> Spine:
    """Return T11 to L3, L1 broken to a shape."""
    return Spine(LEVELS, {BROKEN: shape})


# --- Hardware --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Screw:
    """A pedicle screw in the spine's frame: from its head (3,) to its tip (3,)."""

    head: FloatArray
    tip: FloatArray

    @property
    def direction(self) -> FloatArray:
        """Return the unit vector from head to tip."""
        along: FloatArray = (self.tip - self.head) / np.linalg.norm(self.tip - self.head)
        return along


@cache
def screw(shape: Shape, level: str, side: str) -> Screw:
    """Return a screw down the middle of a pedicle, its head 7 mm behind the bone."""
    model = spine(shape)
    vertebra = model.vertebrae[level]

    def line(depth: float) -> Needle:
        return aim(vertebra.pedicle(side), depth, convergence=4)

    depths = np.arange(-32.0, 0.0, 0.5)
    outside = vertebra.bone_distance(np.array([line(depth).tip for depth in depths])) > 0
    entry = depths[np.flatnonzero(outside)[-1]]
    head, tip = model.poses[level].apply(np.array([line(entry - 7).tip, line(27).tip]))
    return Screw(head, tip)


def screws(shape: Shape, levels: Sequence[str]) -> dict[str, list[Screw]]:
    """Return the screws by side, cranial to caudal."""
    return {side: [screw(shape, level, side) for level in levels] for side in ("left", "right")}


def rod_line(placed: Sequence[Screw]) -> FloatArray:
    """Return a smooth line (n, 3) through the heads of one side, a little beyond both ends."""
    heads = np.array([each.head for each in placed])
    ends = [heads[0] + 0.3 * (heads[0] - heads[1]), heads[-1] + 0.3 * (heads[-1] - heads[-2])]
    marks = np.vstack([ends[0], heads, ends[1]])
    t = np.linspace(0, 1, len(marks))
    fit = np.polynomial.Polynomial.fit
    fine = np.linspace(0, 1, 60)
    return np.column_stack([fit(t, marks[:, i], min(3, len(marks) - 1))(fine) for i in range(3)])


def _mesh(part: int, vertices: NDArray, faces: NDArray, normals: NDArray) -> Mesh:
    return Mesh(
        np.asarray(vertices, np.float32), np.asarray(faces, np.int32), np.asarray(normals, np.float32),
        np.full(len(faces), part, np.uint8),
    )  # fmt: skip


def hardware(shape: Shape, levels: Sequence[str]) -> list[Mesh]:
    """Return screws with threads and heads, and a rod on each side, as meshes."""
    found = []
    for placed in screws(shape, levels).values():
        for each in placed:
            t = np.linspace(0, 1, 90)
            path = each.head + t[:, None] * (each.tip - each.head)
            thread = np.abs((t * 15) % 1 - 0.5) * 2
            radius = (SCREW_RADIUS + THREAD * thread) * np.clip((1.02 - t) * 9, 0.12, 1)
            head = np.array([each.head - 5 * each.direction, each.head + 5 * each.direction])
            for made in (tube(path, radius, around=16), tube(head, 5.6, around=20)):
                found.append(_mesh(METAL, made.vertices, made.faces, made.normals))
        made = tube(rod_line(placed) - 2.5 * placed[0].direction, ROD_RADIUS, around=16)
        found.append(_mesh(METAL, made.vertices, made.faces, made.normals))
    return found


# --- Bone, whole and cut ---------------------------------------------------------------------------------------------


def level_set(part: int, values: FloatArray, origin: FloatArray, spacing: float) -> Mesh:
    """Return the surface around all points where `values` < 0, with normals along its slope."""
    vertices, faces = surface(values.astype(np.float32), origin, spacing)
    where = ((vertices - origin) / spacing).T
    slope = np.stack([ndimage.map_coordinates(g, where, order=1) for g in np.gradient(values)], axis=1)
    normals = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)
    return _mesh(part, vertices, faces, normals)


def vertebra_mesh(shape: Shape, level: str, opened: bool = False) -> Mesh:
    """Return a vertebra in the spine's frame; `opened` takes away lamina and spinous process (a laminectomy)."""
    model = spine(shape)
    vertebra, pose = model.vertebrae[level], model.poses[level]
    if not opened:
        mesh = vertebra.mesh(1.0)
        return Mesh(pose.apply(mesh.vertices), mesh.faces, pose.turn(mesh.normals), mesh.parts)
    spacing, low, high = 0.8, np.array([-48.0, -80, -50]), np.array([48.0, 24, 30])
    axes = [np.arange(a, b, spacing) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.asarray(vertebra.distance(grid.reshape(-1, 3).astype(np.float32)), float).reshape(grid.shape[:3])
    behind = vertebra.landmarks[2][1] - 11.0  # the back of the canal begins here; pedicles and facets stay
    cut = np.maximum(np.abs(grid[..., 0]) - 10.5, grid[..., 1] - behind)
    made = level_set(0, np.maximum(values, -cut), low, spacing)
    return Mesh(pose.apply(made.vertices), made.faces, pose.turn(made.normals), made.parts)


def sac(shape: Shape) -> Mesh:
    """Return the sac with what it holds."""
    made = spine(shape).sac()
    return _mesh(SAC, made.vertices, made.faces, made.normals)


def graft(shape: Shape, levels: Sequence[str]) -> list[Mesh]:
    """Return crumbs of bone graft beside the rods, from the first to the last of the levels."""
    rng = np.random.default_rng(7)
    found = []
    for placed in screws(shape, levels).values():
        side = np.sign(placed[0].head[0])
        line = rod_line(placed)[8:-8]
        seeds = line[rng.integers(0, len(line), 90)] + mm(side * 10.5, 5, 0) + rng.normal(0, [2.4, 2.0, 1.5], (90, 3))
        size = rng.uniform(2.0, 3.6, 90)
        low, spacing = seeds.min(axis=0) - 6, 0.9
        axes = [np.arange(a, b, spacing) for a, b in zip(low, seeds.max(axis=0) + 6, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        values = np.min([np.linalg.norm(grid - s, axis=-1) - r for s, r in zip(seeds, size, strict=True)], axis=0)
        found.append(level_set(GRAFT, values, low, spacing))
    return found


def together(parts: Sequence[Mesh]) -> Mesh:
    """Return several meshes as one."""
    starts = np.cumsum([0, *(len(each.vertices) for each in parts[:-1])])
    return Mesh(
        np.concatenate([each.vertices for each in parts]),
        np.concatenate([each.faces + start for each, start in zip(parts, starts, strict=True)]),
        np.concatenate([each.normals for each in parts]),
        np.concatenate([each.parts for each in parts]),
    )


def coloured(mesh: Mesh, view: View) -> NDArray[np.uint8]:
    """Return the shaded picture of a mesh, metal, graft and sac in their own colours."""
    picture, part = raster(mesh, view)
    light = picture.astype(float).mean(axis=2, keepdims=True) / 225
    for number, (dark, bright) in COLOURS.items():
        own = np.array(dark) + (np.array(bright) - dark) * np.clip(light, 0, 1) ** 1.3
        picture = np.where((part == number)[..., None], own, picture)
    return picture.astype(np.uint8)


# --- Plates ----------------------------------------------------------------------------------------------------------

WIDE, TALL = 390, 680
FROM_BEHIND = looking((-0.42, -0.88, 0.26))


def ink(text: str, at: Sequence[float], size: int = 26, weight: int = 600, anchor: str = "middle") -> str:
    """Return dark text on white."""
    return (
        f"<text x='{at[0]}' y='{at[1]}' font-size='{size}' font-weight='{weight}' {FONT} text-anchor='{anchor}' "
        f"fill='#17212b'>{text}</text>\n"
    )


@cache
def operation(name: str) -> NDArray[np.uint8]:
    """Return T11 to L3 from behind and the left: opened, instrumented, or instrumented and grafted."""
    shape = burst(0.4, 5.0)
    model = spine(shape)
    parts = [vertebra_mesh(shape, level, opened=name == "decompression" and level == BROKEN) for level in LEVELS]
    parts.append(sac(shape))
    if name != "decompression":
        parts += hardware(shape, ("T11", "T12", "L2", "L3"))
    if name == "fusion":
        parts += graft(shape, ("T12", "L2"))
    centre = np.mean([pose.translation for pose in model.poses.values()], axis=0) + mm(-4, -26, -4)
    return coloured(together(parts), View(FROM_BEHIND, centre, 3.55, WIDE, TALL))


def trio(labels: Sequence[str], names: Sequence[str], title: str) -> str:
    """Return three operations side by side under their labels."""
    gap, head = 20, 44
    picture = np.full((TALL + head, 3 * WIDE + 2 * gap, 3), 255, np.uint8)
    over = ""
    for n, (label, name) in enumerate(zip(labels, names, strict=True)):
        left = n * (WIDE + gap)
        picture[head:, left : left + WIDE] = operation(name)
        over += ink(label, (left + WIDE / 2, 31))
    return svg(picture, picture.shape[1], picture.shape[0], title, over, 84)


def three() -> str:
    """Three operations by name."""
    names = ("decompression", "instrumentation", "fusion")
    labels = ("1 Decompression", "2 Instrumentation", "3 Fusion")
    return trio(labels, names, "Three operations on a broken L1, from behind")


OPERATIONS = ("fusion", "decompression", "instrumentation")


def q_three() -> str:
    """The same three, in another order and without names."""
    return trio("ABC", OPERATIONS, "Three operations on a broken L1, A to C")


# --- Films -----------------------------------------------------------------------------------------------------------

PIXELS, PIXEL = 300, 0.84


@cache
def skeleton(shape: Shape) -> tuple[Block, ...]:
    """Return the thin bone of an osteoporotic spine."""
    model = spine(shape)
    return tuple(bone(v.voxels(0.9), bone_volume=0.1).moved(model.poses[level]) for level, v in model.vertebrae.items())


def carm(shape: Shape, orbital: float) -> CArm:
    """Return a C-arm centred on L1, a little behind its body in the lateral view."""
    centre = spine(shape).poses[BROKEN].translation + mm(0, -14 if orbital else 0, 2)
    return CArm(orbital=orbital, pixels=PIXELS, pixel=PIXEL, isocentre=tuple(centre))


def rods(shape: Shape, levels: Sequence[str]) -> list[Rod]:
    """Return screws, heads and rods as cylinders for the virtual film."""
    found = []
    for placed in screws(shape, levels).values():
        for each in placed:
            found.append(Rod(each.head, each.tip, SCREW_RADIUS + THREAD / 2))
            found.append(Rod(each.head - 5 * each.direction, each.head + 5 * each.direction, 5.2))
        line = (rod_line(placed) - 2.5 * placed[0].direction)[::4]
        found += [Rod(a, b, ROD_RADIUS) for a, b in itertools.pairwise(line)]
    return found


def ball(centre: FloatArray, radii: FloatArray, mu: float) -> Block:
    """Return an ellipsoid of matter of `mu` more than what is there, its surface a little uneven."""
    step, reach = 0.9, float(max(radii)) + 2
    line = np.arange(-reach, reach + step, step)
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)
    rough = ndimage.gaussian_filter(np.random.default_rng(3).normal(0, 1, grid.shape[:3]), 2.2)
    level = np.linalg.norm(grid / radii, axis=-1) - 1 + 1.6 * rough
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = centre - reach
    return Block((np.clip(0.5 - level * float(min(radii)) / step, 0, 1) * mu).astype(np.float32), affine)


def cement(shape: Shape, levels: Sequence[str]) -> list[Block]:
    """Return clouds of cement around the tips of screws."""
    more = attenuation("PMMA + 30 % BaSO4", KEV) - attenuation("soft tissue", KEV)
    return [
        ball(each.tip - 5 * each.direction, np.array([6.5, 7.5, 6.0]), more)
        for placed in screws(shape, levels).values()
        for each in placed
    ]


def shot(
    shape: Shape,
    orbital: float,
    levels: Sequence[str] = (),
    more: Sequence[Block] = (),
    halo: Sequence[str] = (),
    size: int = 330,
    seed: int = 0,
) -> Grey:
    """Return a film of an operated spine; around the screws of `halo` the bone is gone."""
    view = carm(shape, orbital)
    total = np.sum([shear_warp(block, view) for block in skeleton(shape)], axis=0)
    low, high = automatic_window(total)
    for block in more:
        total = total + shear_warp(block, view)
    for placed in screws(shape, halo).values() if halo else ():
        for each in placed:
            gone = Rod(each.head + 9 * each.direction, each.tip + 2 * each.direction, SCREW_RADIUS + 2.4)
            total = np.maximum(total - np.float32(0.055) * chord(gone, view), 0)
    for rod in rods(shape, levels) if levels else ():
        total = total + np.float32(0.3) * chord(rod, view)  # metal stops nearly all; all of it would only blur the edge
    return enlarged(film(total, (low, high * 1.15), "film", photons=5000, scatter=0.0, seed=seed), size, size)


def row(panels: Sequence[Grey], labels: Sequence[str], title: str) -> str:
    """Return films side by side, each with its label in a corner."""
    size, gap = panels[0].shape[0], 10
    picture = np.hstack([part for panel in panels for part in (panel, np.full((size, gap), 255, np.uint8))][:-1])
    over = "".join(words(label, (n * (size + gap) + 14, size - 16), 28, "start") for n, label in enumerate(labels))
    return svg(picture, picture.shape[1], picture.shape[0], title, over, 80)


LONG = ("T11", "T12", "L2", "L3")
SHORT = ("T12", "L2")


def films() -> str:
    """A long construct round a wedged L1, lateral and AP, and cement round the screws."""
    shape = wedge(0.4)
    panels = [
        shot(shape, 90, LONG, seed=1),
        shot(shape, 0, LONG, seed=2),
        shot(shape, 90, LONG, cement(shape, LONG), seed=3),
    ]
    labels = ("lateral", "AP", "screws in cement")
    return row(panels, labels, "Films after instrumentation of T11 to L3, the third with cement round the screws")


SCREWED: Mapping[str, Sequence[str]] = {"A": SHORT, "B": LONG, "C": ()}  # levels with screws
CEMENTED: Mapping[str, Sequence[str]] = {"A": (), "B": LONG, "C": ()}  # levels with cement round the screws


def q_films() -> str:
    """Three lateral films: cement in the body, a short construct, a long one in cement."""
    shape = wedge(0.35)
    body = spine(shape).poses[BROKEN].translation
    more = attenuation("PMMA + 30 % BaSO4", KEV) - attenuation("soft tissue", KEV)
    panels = [
        shot(shape, 90, SCREWED["A"], seed=11),
        shot(shape, 90, SCREWED["B"], cement(shape, CEMENTED["B"]), seed=12),
        shot(shape, 90, SCREWED["C"], [ball(body + mm(0, 2, -1), np.array([13.0, 10.0, 7.0]), more)], seed=13),
    ]
    return row(panels, "ABC", "Three lateral films after treatment of a broken L1, A to C")


LOOSENED = ("L2", "L3")


def q_loose() -> str:
    """Two lateral films of one patient, the second with dark rims round the lowest screws."""
    shape = kuemmell(0.4)
    panels = [shot(shape, 90, LONG, seed=21, size=420), shot(shape, 90, LONG, halo=LOOSENED, seed=22, size=420)]
    return row(panels, ("day 2", "month 6"), "Two lateral films of one patient after instrumentation")


# --- Pull-out, as published ------------------------------------------------------------------------------------------

# Load at which a screw was pulled out of cadaver lumbar vertebrae, mean and SD, kN [bilayer2018].
PULLED = (("normal", 0.97, 0.40), ("osteoporotic", 0.37, 0.14), ("extremely osteoporotic", 0.18, 0.11))
# What cement added to it in osteoporotic vertebrae, mean, N [leichtle2016].
ADDED = (("solid screw", 460), ("fenestrated screw", 622))


def pullout() -> str:
    """Two published bench results, beside each other and not on one scale of patients."""
    parts: list[str] = []
    left, scale = 250, 300.0  # px, and px per kN

    def text(x: float, y: float, words: str, size: int = 17, weight: int = 400, anchor: str = "end") -> None:
        parts.append(ink(words, (round(x, 1), round(y, 1)), size, weight, anchor))

    text(left - 190, 34, "A screw pulled out of cadaver lumbar bone", 19, 650, "start")
    for i, (name, mean, spread) in enumerate(PULLED):
        y = 70 + 44 * i
        text(left - 12, y + 6, name)
        parts.append(f"<rect x='{left}' y='{y - 13}' width='{mean * scale:.0f}' height='26' rx='4' fill='#00619e'/>")
        low, high = left + (mean - spread) * scale, left + (mean + spread) * scale
        bar = f"M{low:.0f},{y}H{high:.0f}M{low:.0f},{y - 6}v12M{high:.0f},{y - 6}v12"
        parts.append(f"<path d='{bar}' stroke='#17212b' stroke-width='2'/>")
        text(high + 10, y + 6, f"{mean:.2f} kN", 17, 650, "start")
    text(left - 190, 240, "Cement round it, in osteoporotic bone of another study, added", 19, 650, "start")
    for i, (name, newtons) in enumerate(ADDED):
        y = 276 + 44 * i
        text(left - 12, y + 6, name)
        wide = newtons / 1000 * scale
        parts.append(
            f"<rect x='{left}' y='{y - 13}' width='{wide:.0f}' height='26' rx='4' fill='#f1d49a' stroke='#7a5200' "
            "stroke-width='2' stroke-dasharray='5 3'/>"
        )
        text(left + wide + 10, y + 6, f"+{newtons / 1000:.2f} kN", 17, 650, "start")
    parts.append(f"<path d='M{left},52V176M{left},258V338' stroke='#4d5a68' stroke-width='2'/>")
    made = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 360' width='760' height='360' role='img'>\n"
        "<!-- vertebra authors, CC BY 4.0; drawn by tools/figures_surgery.py. -->\n"
        "<title>Load at which pedicle screws pull out, by bone, and what cement adds</title>\n"
        f"<rect width='760' height='360' rx='8' fill='#ffffff'/>\n{''.join(parts)}</svg>\n"
    )
    return made.replace("'", '"')


PICTURES: Mapping[str, Callable[[], str]] = {
    "surgery_three": three,
    "surgery_films": films,
    "surgery_pullout": pullout,
    "surgery_q_three": q_three,
    "surgery_q_films": q_films,
    "surgery_q_loose": q_loose,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        made = PICTURES[name]()
        (FIGURES / f"{name}.svg").write_text(made, encoding="utf-8")
        print(name, f"{len(made) / 1000:.0f} kB")
