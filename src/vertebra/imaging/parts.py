"""What the parts of the real patient's vertebrae are called: as the nearest part of the textbook vertebra.

A program outlined each vertebra of the course's CT as a whole (`vertebra.imaging.ct`). Its parts are found by laying
the textbook vertebra of the same level over it, stretched and sheared as suits it best, so where one part ends and the
next begins is approximate; no radiologist drew it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from vertebra.imaging import ct
from vertebra.spine.soft import tissue
from vertebra.spine.vertebra import Mesh, Vertebra

FloatArray = NDArray[np.float64]


def fitted(points: ArrayLike, target: ArrayLike, rounds: int = 25) -> FloatArray:
    """Return `points` (n, 3) moved by the affine map that lays them closest to `target` (k, 3), both of one surface.

    Iterated closest points: each round pairs every point with the nearest of the target and solves for the best affine
    map. Pairs much farther apart than most are left out, for what only one of the two surfaces has. The two must lie
    roughly over each other to begin with.
    """
    begin, goal = np.asarray(points, dtype=np.float64), np.asarray(target, dtype=np.float64)
    tree, rows, moved = cKDTree(goal), np.column_stack([begin, np.ones(len(begin))]), begin
    for _ in range(rounds):
        gap, near = tree.query(moved)
        kept = gap < 2 * np.median(gap) + 1
        moved = rows @ np.linalg.lstsq(rows[kept], goal[near[kept]], rcond=None)[0]
    return moved


def named(vertices: ArrayLike, faces: NDArray[np.integer[Any]], textbook: Mesh) -> NDArray[np.uint8]:
    """Return for each face (m, 3) of a vertebra's surface the part it belongs to, as an index (m,) into `PARTS`.

    `vertices` (n, 3) and the textbook vertebra lie in the frame of the same body.
    """
    own = np.asarray(vertices, dtype=np.float64)
    middles = fitted(textbook.vertices, own)[textbook.faces].mean(axis=1)
    _, nearest = cKDTree(middles).query(own[faces].mean(axis=1))
    names: NDArray[np.uint8] = textbook.parts[nearest]
    return names


def patient(levels: Sequence[str]) -> dict[str, Mesh]:
    """Return vertebrae of the course's real CT with the names of their parts, by level.

    Turned as the first of `levels` stands (x right, y anterior, z cranial), the middle of its body at the origin, mm.
    Raises ValueError for a level that does not lie whole in the CT, or if there is none.
    """
    if not levels:
        raise ValueError(f"no level is given; give one or more of {', '.join(ct.LEVELS)}")
    landmarks = ct.landmarks(ct.patient(), levels)
    common = ct.body_frame(landmarks[levels[0]])
    found = {}
    for level in levels:
        corners, faces = ct.patient_mesh(level, 1.0)
        model = Vertebra(level)
        book, upright = model.mesh(1.5), ct.body_frame(model.landmarks)
        turned = Mesh(upright.to_local(book.vertices), book.faces, book.normals @ upright.axes.T, book.parts)
        names = named(ct.body_frame(landmarks[level]).to_local(corners), faces, turned)
        skin = tissue(common.to_local(corners), faces.astype(np.int64))
        found[level] = Mesh(skin.vertices, skin.faces, skin.normals, names)
    return found
