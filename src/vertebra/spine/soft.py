"""Closed surfaces for what is not bone: skins over a row of loops, tubes along a path, slabs between two sheets.

Nothing here knows any anatomy; `vertebra.spine.stack` says where ligaments, discs and nerves run. Points in mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tissue:
    """One or more closed surfaces: `vertices` (n, 3) mm, `faces` (m, 3) counter-clockwise seen from outside, `normals`.

    The normals (n, 3) are unit vectors, pointing outwards, one for each vertex.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    normals: NDArray[np.float32]

    @property
    def volume(self) -> float:
        """Volume enclosed by the surface, mm^3 (divergence theorem)."""
        a, b, c = (self.vertices[self.faces[:, i]].astype(np.float64) for i in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def tissue(vertices: FloatArray, faces: IntArray) -> Tissue:
    """Return a closed surface with its normals, turned so that the faces look outwards."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    if np.einsum("ij,ij->", a, np.cross(b, c)) < 0:  # six times the volume that they enclose
        faces = faces[:, ::-1]
        a, c = c, a
    normals = np.zeros_like(vertices)
    # A cross product is twice the triangle's area long, so large triangles weigh more, as they should.
    for corner in range(3):
        np.add.at(normals, faces[:, corner], np.cross(b - a, c - a))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.where(length > 0, length, 1)
    return Tissue(vertices.astype(np.float32), faces.astype(np.int32), normals.astype(np.float32))


def merged(parts: Sequence[Tissue]) -> Tissue:
    """Return several closed surfaces as one."""
    offsets = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Tissue(
        np.vstack([part.vertices for part in parts]),
        np.vstack([part.faces + offset for part, offset in zip(parts, offsets, strict=True)]).astype(np.int32),
        np.vstack([part.normals for part in parts]),
    )


def skin(loops: ArrayLike) -> Tissue:
    """Return the closed surface over `loops` (k, m, 3): k closed loops of m points each, both ends capped by a fan."""
    rings = np.asarray(loops, dtype=np.float64)
    count, around, _ = rings.shape
    here = np.arange(around)
    there = (here + 1) % around
    start = np.arange(count - 1)[:, None] * around
    quads = np.stack([start + here, start + there, start + around + there, start + around + here], axis=-1)
    bottom, top = count * around, count * around + 1
    last = (count - 1) * around
    faces = np.vstack(
        [
            quads[..., [0, 1, 2]].reshape(-1, 3),
            quads[..., [0, 2, 3]].reshape(-1, 3),
            np.column_stack([there, here, np.full(around, bottom)]),
            np.column_stack([last + here, last + there, np.full(around, top)]),
        ]
    )
    vertices = np.vstack([rings.reshape(-1, 3), rings[0].mean(axis=0), rings[-1].mean(axis=0)])
    return tissue(vertices, faces)


def frames(path: FloatArray, across: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return two unit vectors (n, 3) square to a path (n, 3) and to each other; the first starts out along `across`.

    They are carried along without twist, so a tube does not wring itself where the path turns.
    """
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    first = np.empty_like(path)
    carried = np.asarray(across, dtype=np.float64)
    for i, tangent in enumerate(along):
        carried = carried - (carried @ tangent) * tangent
        carried = carried / np.linalg.norm(carried)
        first[i] = carried
    return first, np.cross(along, first)


def tube(
    path: ArrayLike, radius: ArrayLike, other: ArrayLike | None = None, across: ArrayLike = (1, 0, 0), around: int = 12
) -> Tissue:
    """Return a tube along `path` (n, 3) with elliptical sections.

    `radius` (one number or n) is the half axis along `across`, `other` the one square to it (the same when left out).
    """
    line = np.asarray(path, dtype=np.float64)
    first, second = frames(line, across)
    one = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(line))
    two = one if other is None else np.broadcast_to(np.asarray(other, dtype=np.float64), len(line))
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    loops = (
        line[:, None]
        + (one[:, None] * np.cos(turn))[..., None] * first[:, None]
        + (two[:, None] * np.sin(turn))[..., None] * second[:, None]
    )
    return skin(loops)


def slab(inner: ArrayLike, outer: ArrayLike) -> Tissue:
    """Return the closed surface between two sheets of points, each (rows, columns, 3), that lie over each other."""
    near, far = np.asarray(inner, dtype=np.float64), np.asarray(outer, dtype=np.float64)
    rows, columns, _ = near.shape
    index = np.arange(rows * columns).reshape(rows, columns)

    def quads(a: IntArray, b: IntArray, c: IntArray, d: IntArray) -> list[IntArray]:
        a, b, c, d = (each.ravel() for each in (a, b, c, d))
        return [np.column_stack([a, b, c]), np.column_stack([a, c, d])]

    back = index + rows * columns
    rim = np.concatenate([index[0], index[1:, -1], index[-1, -2::-1], index[-2:0:-1, 0]])
    following = np.roll(rim, -1)
    faces = np.vstack(
        [
            *quads(index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]),
            *quads(back[:-1, :-1], back[:-1, 1:], back[1:, 1:], back[1:, :-1]),
            *quads(rim, following, following + rows * columns, rim + rows * columns),
        ]
    )
    return tissue(np.vstack([near.reshape(-1, 3), far.reshape(-1, 3)]), faces)


def smoothed(line: FloatArray, count: int) -> FloatArray:
    """Return `count` points (k columns) along the smooth curve through `line` (n, k), whose first three are places."""
    steps = np.linalg.norm(np.diff(line[:, :3], axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, length[-1], count)
    place = CubicSpline(length, line[:, :3])(at)
    if line.shape[1] == 3:
        return np.asarray(place)
    # What rides along (a width) must not overshoot its neighbours; the place may.
    return np.hstack([place, PchipInterpolator(length, line[:, 3:])(at)])
