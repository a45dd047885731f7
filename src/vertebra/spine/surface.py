"""A triangle mesh of the level set of a 3-D array: surface nets, one vertex per sheet of surface and cell.

Gibson's surface nets put one vertex into every cell that the surface crosses and one quadrilateral around every grid
edge that it crosses. Where two sheets of surface pass through one cell, a single vertex would glue them together; as
in dual marching cubes (Nielson), such a cell gets one vertex for each sheet, so that the mesh stays a manifold.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Vertices = NDArray[Any]  # of float32
Faces = NDArray[np.int32]

# A cell's corners are numbered 4 i + 2 j + k, its edges by axis and then by the corner they start from.
CORNERS = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)])
EDGES = [(c, c + step) for step in (4, 2, 1) for c in range(8) if not c & step]
EDGE_NUMBER = {pair: number for number, pair in enumerate(EDGES)}
# The corners of a cell's six faces: for each axis the one it starts with and the one it ends with.
SIDES = [[c for c in range(8) if bool(c & bit) == end] for bit in (4, 2, 1) for end in (False, True)]


@cache
def sheets_of(pattern: int, turned: int = 0) -> tuple[int, ...]:
    """Return which sheet of surface each of a cell's 12 edges is on, 0 for the first and for edges not crossed.

    `pattern` has a bit for each corner inside. On a side whose four edges are all crossed, the two edges of one inside
    corner belong together, or, for the sides whose bit is set in `turned`, those of one outside corner. Either depends
    on the side alone, so that the two cells beside it agree.
    """
    inside = [bool(pattern >> c & 1) for c in range(8)]
    label = {n: n for n, (a, b) in enumerate(EDGES) if inside[a] != inside[b]}
    for number, side in enumerate(SIDES):
        crossed = [n for n in label if set(EDGES[n]) <= set(side)]
        pairs = [crossed] if len(crossed) == 2 else []
        if len(crossed) == 4:
            around = [c for c in side if inside[c] != bool(turned >> number & 1)]
            pairs = [[n for n in crossed if c in EDGES[n]] for c in around]
        for one, other in pairs:
            old, new = label[other], label[one]
            label = {n: new if value == old else value for n, value in label.items()}
    names = sorted(set(label.values()))
    return tuple(names.index(label[n]) if n in label else 0 for n in range(12))


@cache
def sheets() -> NDArray[np.int8]:
    """Return `sheets_of` for each of the 256 patterns (256, 12)."""
    table = np.array([sheets_of(pattern) for pattern in range(256)], dtype=np.int8)
    table.flags.writeable = False
    return table


@cache
def pinched() -> NDArray[np.bool_]:
    """Return for each pattern on which sides (256, 6) one sheet crosses all four edges."""
    table = np.zeros((256, 6), dtype=bool)
    for pattern in range(256):
        inside = [bool(pattern >> c & 1) for c in range(8)]
        for number, side in enumerate(SIDES):
            crossed = [n for n, (a, b) in enumerate(EDGES) if a in side and b in side and inside[a] != inside[b]]
            table[pattern, number] = len(crossed) == 4 and len({sheets_of(pattern)[n] for n in crossed}) == 1
    table.flags.writeable = False
    return table


def _labels(used: NDArray[np.int64], pattern: NDArray[np.uint8], strides: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the sheets of the edges of each cell (n, 12).

    Where one sheet crosses all four edges of a side in both cells beside it, four quadrilaterals would meet in one
    edge; there the side is turned, which parts them.
    """
    label = sheets()[pattern]
    turned = np.zeros(len(used), dtype=np.int64)
    for axis in range(3):
        low = np.flatnonzero(pinched()[pattern, 2 * axis + 1])
        high = np.searchsorted(used, used[low] + strides[axis])  # the cell beyond; it is crossed too
        both = pinched()[pattern[high], 2 * axis]
        turned[low[both]] |= 1 << (2 * axis + 1)
        turned[high[both]] |= 1 << (2 * axis)
    for cell in np.flatnonzero(turned):
        label[cell] = sheets_of(int(pattern[cell]), int(turned[cell]))
    return label


def surface(
    field: Array, origin: Sequence[float] | Array = (0.0, 0.0, 0.0), spacing: float = 1.0, level: float = 0.0
) -> tuple[Vertices, Faces]:
    """Return vertices (n, 3) and triangles (m, 3) of the surface around all points where `field` < `level`.

    `origin` is where field[0, 0, 0] lies and `spacing` the distance between samples, both in mm. Triangles are
    counter-clockwise seen from outside. The surface is closed: what touches the border of the array is capped there.
    Raises ValueError if `field` is not a 3-D array of finite numbers with at least two samples along each axis, and for
    a spacing or level that is no distance.
    """
    field = np.asarray(field)
    if field.ndim != 3 or min(field.shape) < 2:
        raise ValueError(f"field has the shape {field.shape}; give a 3-D array, two or more samples along each axis")
    if not spacing > 0:
        raise ValueError(f"spacing is {spacing!r}; give a distance in mm above 0")
    if not np.isfinite(level):
        raise ValueError(f"level is {level!r}; give a finite number")
    inside = field < level
    border = [inside[0], inside[-1], inside[:, 0], inside[:, -1], inside[:, :, 0], inside[:, :, -1]]
    start = np.asarray(origin, dtype=float)
    if any(side.any() for side in border):
        # Far enough outside that the cap lies half a sample beyond the border.
        lowest = float(field.min())
        field = np.pad(field, 1, constant_values=level + max(level - lowest, 1e-6))
        inside, start = field < level, start - spacing
    if not np.isfinite(field).all():
        raise ValueError("field holds values that are not finite; give numbers only")
    shape = np.array(field.shape)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    flat, flat_inside = field.ravel(), inside.ravel()

    edges, cells, points = [], [], []  # of each axis: first sample (e,), the four cells around (e, 4), crossing (e, 3)
    for axis in range(3):
        ahead = np.moveaxis(inside, axis, 0)
        crossed = np.zeros(field.shape, dtype=bool)
        np.moveaxis(crossed, axis, 0)[:-1] = ahead[1:] != ahead[:-1]
        first = np.flatnonzero(crossed.ravel())
        f0, f1 = flat[first].astype(float), flat[first + strides[axis]].astype(float)
        point = np.stack(np.unravel_index(first, field.shape), axis=1).astype(float)
        point[:, axis] += (level - f0) / (f1 - f0)
        one, two = strides[(axis + 1) % 3], strides[(axis + 2) % 3]
        edges.append(first)
        # Around the edge, counter-clockwise seen against the axis.
        cells.append(first[:, None] + np.array([0, -one, -one - two, -two]))
        points.append(point)

    used, place = np.unique(np.concatenate([c.ravel() for c in cells]), return_inverse=True)
    pattern = np.zeros(len(used), dtype=np.uint8)
    for corner, offset in enumerate(CORNERS @ strides):
        pattern |= flat_inside[used + offset].astype(np.uint8) << np.uint8(corner)
    label = _labels(used, pattern, strides)
    count = label.max(axis=1).astype(np.int64) + 1
    base = np.concatenate([[0], np.cumsum(count)])

    total = np.zeros((base[-1], 3))
    hits = np.zeros(base[-1])
    quads = []
    begin = 0
    for axis in range(3):
        n = len(edges[axis])
        slots = place[begin : begin + 4 * n].reshape(n, 4)
        begin += 4 * n
        step = (4, 2, 1)[axis]
        one, two = (4, 2, 1)[(axis + 1) % 3], (4, 2, 1)[(axis + 2) % 3]
        # The edge starts at another corner in each of the four cells around it.
        numbers = np.array([EDGE_NUMBER[c, c + step] for c in (0, one, one + two, two)])
        vertex = base[slots] + label[slots, numbers]
        for column in range(4):
            hits += np.bincount(vertex[:, column], minlength=base[-1])
            for k in range(3):
                total[:, k] += np.bincount(vertex[:, column], points[axis][:, k], minlength=base[-1])
        leaves = flat_inside[edges[axis]]
        quads.append(np.where(leaves[:, None], vertex, vertex[:, ::-1]))
    vertices = total / hits[:, None]
    quad = np.concatenate(quads)
    corner = vertices[quad]
    # The shorter diagonal makes the better pair of triangles.
    cut = ((corner[:, 0] - corner[:, 2]) ** 2).sum(axis=1) > ((corner[:, 1] - corner[:, 3]) ** 2).sum(axis=1)
    quad = np.where(cut[:, None], np.roll(quad, -1, axis=1), quad)
    faces = quad[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return (start + spacing * vertices).astype(np.float32), faces.astype(np.int32)


def gradient(distance: Callable[[Vertices], Vertices], points: Vertices, step: float = 0.05) -> Vertices:
    """Return the gradient (n, 3) of an implicit function at points (n, 3), by central differences over `step` mm."""
    shift = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32) * np.float32(step)
    value = distance((points[None] + shift[:, None]).reshape(-1, 3)).reshape(6, -1)
    slope: Vertices = ((value[:3] - value[3:]) / np.float32(2 * step)).T
    return slope


def polish(
    distance: Callable[[Vertices], Vertices], vertices: Vertices, reach: float, steps: int = 2
) -> tuple[Vertices, Vertices]:
    """Move vertices (n, 3) onto the zero of an implicit function; return them and their outward unit normals.

    Newton steps along the gradient; no vertex leaves a distance of `reach` mm, so that none jumps to another sheet.
    """
    moved = vertices
    for _ in range(steps):
        slope = gradient(distance, moved)
        size = np.maximum((slope**2).sum(axis=1), 1e-2)
        moved = moved - (distance(moved) / size)[:, None] * slope
        away = moved - vertices
        far = np.linalg.norm(away, axis=1)
        moved = vertices + away * np.minimum(1, reach / np.maximum(far, 1e-9))[:, None].astype(np.float32)
    slope = gradient(distance, moved)
    return moved, slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)
