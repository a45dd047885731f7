"""The spaces that bones leave between them: the vertebral canal and the intervertebral foramina, as closed surfaces.

Frame and units as in `vertebra.spine.stack`. Where a space ends in the open (above and below a vertebra, outside a
foramen) is drawn, since nothing in the body marks it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vertebra.spine import stack
from vertebra.spine.soft import Tissue, tissue
from vertebra.spine.surface import surface

FloatArray = NDArray[np.float64]

CLEARANCE = 0.3  # mm from bone, so that a space and its wall never lie in one plane
DEPTH = 6.0  # mm, half the depth of a foramen from front to back (drawn); bone cuts it smaller


def canal(spine: stack.Spine, level: str, spacing: float = 1.5) -> Tissue:
    """Return a vertebra's share of the vertebral canal, as high as the posterior wall of its body.

    What a fragment takes of it is left out. `spacing` (mm) is the size of the mesh.
    Raises ValueError for a level that is not in the spine and for a spacing that is not 0.3 to 4 mm.
    """
    spine.landmarks(level)  # names a level that is not there
    vertebra, pose = spine.vertebrae[level], spine.poses[level]
    front, back, half = stack.canal(level)
    top, bottom = vertebra.landmarks[[2, 5], 2]

    def field(points: FloatArray) -> FloatArray:
        wall = np.maximum(vertebra.canal_distance(points), -vertebra.distance(points)) + CLEARANCE
        inside: FloatArray = np.maximum.reduce([wall, points[:, 2] - top, bottom - points[:, 2]])
        return inside

    own = _around(field, np.array([-half, back, bottom]), np.array([half, front, top]), spacing)
    vertices, normals = (a.astype(np.float32) for a in (pose.apply(own.vertices), pose.turn(own.normals)))
    return Tissue(vertices, own.faces, normals)


def foramen(spine: stack.Spine, upper: str, side: str, spacing: float = 1.0) -> Tissue:
    """Return the window between the pedicles of a level and of the one below, on the "left" or the "right".

    An ellipsoid from pedicle to pedicle, less the bone of both that reaches into it. `spacing` (mm) is the size of the
    mesh. Raises ValueError for another side, for a level with none below it in the spine, and for a spacing that is not
    0.3 to 4 mm.
    """
    lower = spine.below(upper)
    above, below = spine.vertebrae[upper].pedicle(side), spine.vertebrae[lower].pedicle(side)
    roof = spine.poses[upper].apply(above.centre - np.array([0, 0, above.height / 2]))
    floor = spine.poses[lower].apply(below.centre + np.array([0, 0, below.height / 2]))
    centre = (roof + floor) / 2
    radii = np.array([above.width / 2, DEPTH, (roof[2] - floor[2]) / 2])

    def field(points: FloatArray) -> FloatArray:
        ellipsoid = (np.linalg.norm((points - centre) / radii, axis=1) - 1) * radii.min()
        bones = [
            spine.vertebrae[level].distance(spine.poses[level].inverse().apply(points)) for level in (upper, lower)
        ]
        inside: FloatArray = np.maximum(ellipsoid, CLEARANCE - np.minimum(*bones))
        return inside

    return _around(field, centre - radii, centre + radii, spacing)


def _around(field: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray, spacing: float) -> Tissue:
    """Return the surface round where `field` of points (n, 3) is negative, which is between `low` and `high` (3,)."""
    if not 0.3 <= spacing <= 4:
        raise ValueError(f"spacing is {spacing!r}; give 0.3 to 4 mm")
    start = low - 2 * spacing
    axes = [np.arange(a, b + 2 * spacing, spacing) for a, b in zip(start, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    vertices, faces = surface(field(grid.reshape(-1, 3)).reshape(grid.shape[:3]), start, spacing)
    return tissue(vertices.astype(np.float64), faces.astype(np.int64))
