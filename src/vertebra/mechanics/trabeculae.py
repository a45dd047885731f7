"""A picture of trabecular bone at any bone volume: columns and cross-struts that thin, break in the middle and vanish.

One layer of a jittered lattice, 8 mm square, drawn so that bone covers exactly the wanted share of it. How many struts
are gone and how thin the rest are follows one course from young to old whose end is what was found in women's L3
[wbldb]: half of the vertical and two thirds of the horizontal struts lost, the vertical ones down from 172 to 128 um.
The lattice, and that all is lost at one pace, are drawn: it is no scan of anybody.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from vertebra.mechanics.statics import check_range, parameter

FloatArray = NDArray[np.float64]

SIDE = 8.0  # mm
PIXELS = 280
COLUMN, ROW = 1.27, 1.45  # mm between vertical and between horizontal struts; drawn, so that the young bone holds 0.22
SLIM = 0.68  # width of a horizontal strut over that of a vertical one; drawn
UNEVEN = 0.3  # by which share a strut is thicker or thinner than its kind; drawn
FILLET = 0.16  # mm over which struts run into each other
WEARING = 0.14  # how long a strut wears before it breaks, in units of the course; drawn
LAST = 1.55  # the course is followed somewhat beyond what was measured


@dataclass(frozen=True, eq=False)
class Strut:
    """One strut: where it is in the picture, every pixel's distance (mm) from it and place along it (0 to 1).

    `order` (0 to 1) says when its kind's turn to be lost comes, `thickness` how wide it is beside its kind.
    """

    vertical: bool
    order: float
    thickness: float
    window: tuple[slice, slice]
    distance: FloatArray
    along: FloatArray


@dataclass(frozen=True)
class Architecture:
    """What the struts of a bone volume are: shares broken through since youth, and width (um) of those that stand."""

    vertical_lost: float
    horizontal_lost: float
    width: float


def _places(rng: np.random.Generator) -> FloatArray:
    """Return where (mm) each pixel is looked up, (2, PIXELS, PIXELS): a slow wave bends the lattice's straight bars."""
    centres = (np.arange(PIXELS) + 0.5) * SIDE / PIXELS
    x, z = np.meshgrid(centres, centres)
    places = np.stack([x, z])
    for _ in range(5):
        wave, phase = rng.normal(0, 2.2, (2, 2)), rng.uniform(0, 2 * np.pi, 2)
        for i in (0, 1):
            places[i] += 0.075 * np.sin(wave[i, 0] * x + wave[i, 1] * z + phase[i])
    return places


def _strut(
    places: FloatArray, vertical: bool, order: float, thickness: float, start: FloatArray, end: FloatArray
) -> Strut | None:
    low, high = np.minimum(start, end) - 0.8, np.maximum(start, end) + 0.8
    across, down = (slice(*(np.clip((low[i], high[i]), 0, SIDE) * PIXELS / SIDE).astype(int)) for i in (0, 1))
    if across.start >= across.stop or down.start >= down.stop:
        return None
    x, z = (places[i, down, across] - start[i] for i in (0, 1))
    way = end - start
    along = np.clip((x * way[0] + z * way[1]) / (way @ way), 0, 1)
    distance = np.hypot(x - along * way[0], z - along * way[1])
    return Strut(vertical, order, thickness, (down, across), distance, along)


@cache
def lattice(seed: int = 0) -> tuple[Strut, ...]:
    """Return the struts of the young bone: a grid whose nodes are moved about, with a margin beyond the picture."""
    rng = np.random.default_rng(seed)
    places = _places(rng)
    columns, rows = round(SIDE / COLUMN) + 3, round(SIDE / ROW) + 3
    grid = np.stack(np.meshgrid(np.arange(columns) - 1.0, np.arange(rows) - 1.0, indexing="ij"), axis=-1)
    nodes = (grid + rng.uniform(-0.3, 0.3, grid.shape)) * (COLUMN, ROW)
    # Columns run nearly straight; it is the cross-struts that are askew.
    nodes[:, :, 0] = nodes[:, :, 0].mean(axis=1, keepdims=True) + 0.6 * (
        nodes[:, :, 0] - nodes[:, :, 0].mean(axis=1, keepdims=True)
    )
    ends = [(True, nodes[i, j], nodes[i, j + 1]) for i in range(columns) for j in range(rows - 1)]
    ends += [(False, nodes[i, j], nodes[i + 1, j]) for i in range(columns - 1) for j in range(rows)]
    found = []
    for kind in (True, False):
        mine = [(start, end) for vertical, start, end in ends if vertical is kind]
        # Every share of the struts is lost in its turn, evenly, whatever the seed.
        orders = (rng.permutation(len(mine)) + 0.5) / len(mine)
        widths = 1 + rng.uniform(-UNEVEN, UNEVEN, len(mine))
        found += [
            _strut(places, kind, float(order), float(width), *pair)
            for order, width, pair in zip(orders, widths, mine, strict=True)
        ]
    return tuple(strut for strut in found if strut)


def architecture_at(time: float) -> Architecture:
    """Return the struts at a point of the course: 0 young, 1 as old as was measured."""
    vertical, horizontal = (min(parameter(f"{kind} loss") * time, 1.0) for kind in ("vertical", "horizontal"))
    young, old = parameter("young strut"), parameter("old strut")
    return Architecture(vertical, horizontal, young + (old - young) * time)


def field(time: float, seed: int = 0) -> FloatArray:
    """Return how far (mm) every pixel lies outside the bone (inside: negative), top row first, (PIXELS, PIXELS)."""
    now = architecture_at(time)
    away = np.full((PIXELS, PIXELS), SIDE)
    for strut in lattice(seed):
        gone_at = strut.order / parameter("vertical loss" if strut.vertical else "horizontal loss")
        # A strut wears thinnest in its middle; once that is through, the stubs draw back.
        worn = max(0.0, 1 + (time - gone_at) / WEARING)
        width = now.width * 1e-3 * strut.thickness * (1.0 if strut.vertical else SLIM)
        radius = width / 2 * (1 - worn * (4 * strut.along * (1 - strut.along) + max(0.0, worn - 3) / 12))
        outside = strut.distance - np.maximum(radius, -0.3)
        part = away[strut.window]
        near = np.maximum(FILLET - np.abs(part - outside), 0)
        # A stub that has worn away must not swell its neighbours.
        part[...] = np.minimum(part, outside) - near * near * (0.25 / FILLET) * (radius > 0)
    return away


def covered(time: float, seed: int = 0) -> float:
    """Return the share of the picture that is bone, its edges counted by parts of a pixel."""
    pitch = SIDE / PIXELS
    return float(np.clip(0.5 - field(time, seed) / pitch, 0, 1).mean())


@cache
def _course(seed: int) -> tuple[FloatArray, FloatArray]:
    times = np.linspace(-0.5, LAST, 33)
    return times, np.array([covered(time, seed) for time in times])


@lru_cache(maxsize=256)
def time_of(bone_volume: float, seed: int = 0) -> float:
    """Return the point of the course at which the picture holds `bone_volume`. ValueError out of 0.04 to 0.22."""
    check_range("bone volume", bone_volume, 0.04, 0.22)
    times, shares = _course(seed)
    low, high = times[0], times[-1]
    # The table brackets the root; the share falls all the way.
    place = int(np.searchsorted(-shares, -bone_volume))
    low, high = times[max(place - 1, 0)], times[min(place, len(times) - 1)]
    for _ in range(7):
        middle = (low + high) / 2
        low, high = (middle, high) if covered(middle, seed) > bone_volume else (low, middle)
    return float((low + high) / 2)


def architecture(bone_volume: float) -> Architecture:
    """Return what the struts of a bone volume are, as drawn by `picture`."""
    return architecture_at(max(time_of(bone_volume), 0.0))


def _relief(away: FloatArray) -> FloatArray:
    """Return the light on round struts, 0 to 1, from above on the left; 0 where there is no bone."""
    pitch, round_off = SIDE / PIXELS, 0.12
    depth = np.clip(-away, 0, round_off)
    height = np.sqrt(depth * (2 * round_off - depth))
    down, across = np.gradient(height, pitch)
    facing = (0.45 * across + 0.6 * down + 0.75) / np.sqrt(across**2 + down**2 + 1)
    edge = np.clip(0.5 - away / pitch, 0, 1)
    lit: FloatArray = edge * np.clip(0.25 + 0.8 * np.clip(facing, 0, 1), 0, 1)
    return lit


@lru_cache(maxsize=64)
def picture(bone_volume: float) -> NDArray[np.uint8]:
    """Return the bone in colour, (PIXELS, PIXELS, 3), read-only: the measured layer before two dim ones further back.

    The front layer alone covers `bone_volume` of the picture. Raises ValueError for a bone volume out of 0.04 to 0.22.
    """
    time = time_of(bone_volume)
    colour = np.zeros((PIXELS, PIXELS, 3)) + np.array([30, 20, 22])
    bone, marrow = np.array([244, 230, 200]), np.array([96, 66, 60])
    for seed, light in ((2, 0.25), (1, 0.5), (0, 1.0)):
        away = field(time, seed)
        edge = np.clip(0.5 - away / (SIDE / PIXELS), 0, 1)[..., None]
        tint = light * bone + (1 - light) * 0.55 * marrow
        colour = colour * (1 - edge) + edge * tint * (_relief(away) / np.maximum(edge[..., 0], 1e-9))[..., None]
    shown: NDArray[np.uint8] = np.clip(colour, 0, 255).astype(np.uint8)
    shown.flags.writeable = False
    return shown
