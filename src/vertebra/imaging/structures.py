"""The parts of a CT: vertebrae divided into body, pedicles and arch, discs and canal, and what a learner may look for.

The program that outlined the CT's structures knows whole vertebrae only. Here they are cut by a rule of the course,
from the posterior wall and the middle of the canal [unreferenced].
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebra.imaging.ct import LEVELS, NUMBERS, STRUCTURES, Volume

LEVEL = re.compile(r"[TL]\d{1,2}")
WALL_FIT_MM = 8.0  # so far to each side of the canal's middle the posterior wall is looked for
WALL_MM = 1.5  # the posterior wall is concave: this much behind its midline is still body
PEDICLE_BACK_MM = 2.0  # behind the middle of the canal
PEDICLE_REACH_MM = 20.0  # beside the midline of the canal; further out begins the transverse process
SPINOUS_MM = (6.0, 12.0)  # half width, and how far behind the canal's centre it begins
CANAL_MM = (10.0, 15.0)  # half width, and how near bone or disc must lie in front and behind
DISC_MM = 15.0  # the widest gap between two bodies that is taken for their disc
PARTS_RULE = (
    "The program outlined whole vertebrae; body, pedicles, arch, disc and canal are cut from them by a rule of this "
    "course, from the posterior wall and the middle of the canal (unreferenced), and may be off by some millimetres."
)


class Scan(NamedTuple):
    """A CT on a grid whose axes run to the patient's left, back and feet, as the pictures of all three planes do.

    hu, labels: (i, j, k); origin: (3,) RAS mm of the centre of voxel 0, 0, 0; spacing: (3,) mm.
    """

    hu: NDArray[Any]
    labels: NDArray[np.uint8]
    origin: NDArray[np.float64]
    spacing: NDArray[np.float64]


def oriented(image: Volume, labels: Volume) -> Scan:
    """Return image and labels with their axes turned to left, posterior, inferior.

    Raises ValueError if the two differ in grid or the grid is oblique to the body.
    """
    affine = np.asarray(image.affine, dtype=float)
    if image.data.shape != labels.data.shape or not np.allclose(affine, labels.affine):
        raise ValueError(f"labels of shape {labels.data.shape} for an image of {image.data.shape}: give both one grid")
    along = np.abs(affine[:3, :3]) > 1e-6
    if np.count_nonzero(along) != 3:
        raise ValueError("the CT's axes are oblique to the body: resample it to an upright grid first")
    order = along.argmax(axis=1)  # the old axes that run along x, y and z
    backwards = affine[[0, 1, 2], order] > 0  # x, y and z run to the right, the front and the head
    turn = tuple(slice(None, None, -1 if back else 1) for back in backwards)
    # The centre of the corner voxel: of each old axis the end where the new one begins.
    corner = np.zeros(3)
    corner[order] = np.where(backwards, np.array(image.data.shape)[order] - 1, 0)
    origin = affine[:3, :3] @ corner + affine[:3, 3]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[order]
    return Scan(image.data.transpose(order)[turn], labels.data.transpose(order)[turn], origin, spacing)


def cropped(scan: Scan, centre: NDArray[np.float64], half: tuple[float, float]) -> Scan:
    """Return the part within `half` mm to the sides, and to front and back, of `centre` (voxel indices)."""
    low = [max(0, int(centre[a] - half[a] / scan.spacing[a])) for a in (0, 1)]
    high = [int(centre[a] + half[a] / scan.spacing[a]) + 1 for a in (0, 1)]
    box = (slice(low[0], high[0]), slice(low[1], high[1]))
    return Scan(scan.hu[box], scan.labels[box], scan.origin - np.array([*low, 0]) * scan.spacing, scan.spacing)


def kind_of(name: str) -> str:
    """Return the group a structure is drawn in; its colour says the group, and its name stands beside it."""
    kinds = {
        "vessel": r"aorta|vein|vena",
        "canal": r"cord|canal",
        "muscle": r"psoas|erector",
        "rib": r"rib \d",
    }
    if LEVEL.fullmatch(name):
        return "vertebra"
    return next((kind for kind, pattern in kinds.items() if re.search(pattern, name)), "organ")


def canal_line(scan: Scan) -> NDArray[np.float64]:
    """Return the middle of the cord in each slice, (k, 2) voxel indices i, j."""
    cord = scan.labels == NUMBERS["spinal cord"]
    area = cord.sum(axis=(0, 1))
    if not area.any():
        raise ValueError("no spinal cord among the labels: the parts of a vertebra are found from it")
    seen = np.flatnonzero(area)
    i = (cord.sum(axis=1) * np.arange(cord.shape[0])[:, None]).sum(axis=0)[seen] / area[seen]
    j = (cord.sum(axis=0) * np.arange(cord.shape[1])[:, None]).sum(axis=0)[seen] / area[seen]
    every = np.arange(cord.shape[2])
    return np.stack([np.interp(every, seen, i), np.interp(every, seen, j)], axis=1)


def _posterior_wall(
    bone: NDArray[np.bool_], aside: NDArray[Any], behind: NDArray[Any], low: NDArray[Any]
) -> NDArray[Any]:
    """Return the plane of a body's posterior wall, (offset, slope to the left, slope downwards).

    `aside` (i, 1, k) and `behind` (1, j, k) are mm from the middle of the canal, `low` (k,) mm. A plane, because a
    vertebra is turned and tilted a little against the slices.
    """
    points = []
    for k in np.flatnonzero(bone.any(axis=(0, 1))):
        columns = np.flatnonzero(np.abs(aside[:, 0, k]) <= WALL_FIT_MM)
        strip = bone[columns][:, behind[0, :, k] < 0, k]
        there = strip.any(axis=1)
        if there.mean() > 0.7:
            last = strip.shape[1] - 1 - strip[there, ::-1].argmax(axis=1)
            points += [(aside[i, 0, k], low[k], behind[0, j, k]) for i, j in zip(columns[there], last, strict=True)]
    if len({z for _, z, _ in points}) < 3:
        return np.array([-np.inf, 0.0, 0.0])  # a vertebra of which only the arch is in the picture
    x, z, wall = np.array(points).T
    terms = np.stack([np.ones_like(x), x, z], axis=1)
    plane = np.array([np.quantile(wall, 0.7), 0.0, 0.0])
    for _ in range(8):
        # What lies far in front of the wall is the edge of a sloping endplate, or the hole of the basivertebral vein.
        gap = wall - terms @ plane
        near = (gap > -2) & (gap < 4)
        plane = np.linalg.lstsq(terms[near], wall[near], rcond=None)[0]
    return np.asarray(plane)


def divide(scan: Scan) -> tuple[NDArray[np.uint8], list[dict[str, str]]]:
    """Return a code per voxel, and what each code is: {"name", "part", "kind"}; code 0 is unlabelled.

    Parts of a vertebra: in front of its posterior wall the body; behind the wall, as far back as just behind the middle
    of the canal, the pedicles; the rest is arch, of which the middle behind is the spinous process. Unlabelled voxels
    between two bodies are their disc, and those between bodies or discs and the arches are canal.
    """
    codes: NDArray[Any] = np.zeros(scan.labels.shape, np.uint8)
    table = [{"name": "", "part": "", "kind": ""}]
    line = canal_line(scan)
    i, j = np.ogrid[: codes.shape[0], : codes.shape[1]]
    aside = (i[..., None] - line[:, 0]) * scan.spacing[0]  # mm to the patient's left of the canal's middle
    behind = (j[..., None] - line[:, 1]) * scan.spacing[1]  # mm behind it
    low = np.arange(codes.shape[2]) * scan.spacing[2]
    bodies: dict[str, NDArray[Any]] = {}
    boxes = dict(enumerate(ndimage.find_objects(scan.labels), 1))
    present = {0, *(number for number, box in boxes.items() if box)}
    if present - {0, *STRUCTURES}:
        raise ValueError(f"label {min(present - {0, *STRUCTURES})} is none of vertebra.imaging.ct.STRUCTURES")

    def give(
        where: NDArray[np.bool_], name: str, part: str = "", kind: str = "", box: Any = (slice(None),) * 3
    ) -> None:
        if where.any():
            codes[box][where] = len(table)
            table.append({"name": name, "part": part, "kind": kind or kind_of(name)})

    for number in sorted(present - {0}):
        name = STRUCTURES[number]
        box = boxes[number]
        mask = scan.labels[box] == number
        if kind_of(name) != "vertebra":
            # The program's "spinal cord" goes on below the conus.
            give(mask, "cord or cauda equina" if name == "spinal cord" else name, box=box)
            continue
        x, y, z = aside[box[0], :, box[2]], behind[:, box[1], box[2]], low[box[2]]
        offset, turn, tilt = _posterior_wall(mask, x, y, z)
        # The vertebra's own left and back, as far as its wall is turned against the picture.
        left = (x + turn * y) / np.hypot(1, turn)
        back = (y - turn * x) / np.hypot(1, turn)
        body = mask & (back <= (offset + tilt * z) / np.hypot(1, turn) + WALL_MM)
        pedicle = mask & ~body & (back <= PEDICLE_BACK_MM) & (np.abs(left) <= PEDICLE_REACH_MM)
        spinous = mask & ~body & (back > SPINOUS_MM[1]) & (np.abs(left) <= SPINOUS_MM[0])
        bodies[name] = np.zeros(codes.shape, bool)
        bodies[name][box] = body
        give(body, name, "body", box=box)
        give(pedicle & (left < 0), name, "right pedicle", box=box)
        give(pedicle & (left >= 0), name, "left pedicle", box=box)
        give(mask & ~body & ~pedicle & ~spinous, name, "arch", box=box)
        give(spinous, name, "spinous process", box=box)

    front_bone = np.isin(codes, [code for code, entry in enumerate(table) if entry["part"] == "body"])
    bone = np.isin(codes, [code for code, entry in enumerate(table) if entry["kind"] == "vertebra"])
    slices = np.arange(codes.shape[2])
    ordered = sorted((name for name in bodies if bodies[name].any()), key=lambda n: bodies[n].nonzero()[2].mean())
    for upper, lower in pairwise(ordered):
        above, below = np.asarray(bodies[upper]), np.asarray(bodies[lower])
        floor = np.where(above, slices, -1).max(axis=2)[..., None]
        roof = np.where(below, slices, codes.shape[2]).min(axis=2)[..., None]
        gap = (
            above.any(axis=2, keepdims=True)
            & below.any(axis=2, keepdims=True)
            & (slices > floor)
            & (slices < roof)
            & ((roof - floor) * scan.spacing[2] <= DISC_MM)
        )
        disc = gap & (codes == 0)
        give(disc, f"disc {upper}–{lower}", "", "disc")
        front_bone |= disc

    j = np.arange(codes.shape[1])[:, None]
    in_front = np.maximum.accumulate(np.where(front_bone, j, -1000), axis=1)
    nearest = np.maximum.accumulate(np.where(bone | front_bone, j, -1000), axis=1)
    at_back = np.minimum.accumulate(np.where(bone, j, 9000)[:, ::-1], axis=1)[:, ::-1]
    reach = CANAL_MM[1] / scan.spacing[1]
    # Between two spinous processes there is bone in front and behind as well, but in front it is a lamina.
    enclosed = (nearest == in_front) & (j - in_front < reach) & (at_back - j < reach) & (np.abs(aside) < CANAL_MM[0])
    give(enclosed & (codes == 0), "spinal canal")
    return codes, table


def deepest(where: NDArray[np.bool_], spacing: NDArray[np.float64]) -> list[int]:
    """Return the voxel furthest inside a structure, where a pointer to it is least in doubt.

    Raises ValueError if no voxel belongs to it.
    """
    if not where.any():
        raise ValueError("no voxel belongs to this structure, so none lies deepest")
    box = ndimage.find_objects(where.astype(np.uint8))[0]
    depth = ndimage.distance_transform_edt(np.pad(where[box], 1), sampling=spacing)
    inside = np.unravel_index(int(depth.argmax()), depth.shape)
    return [int(at) - 1 + part.start for at, part in zip(inside, box, strict=True)]


def targets(
    codes: NDArray[np.uint8], table: Sequence[Mapping[str, str]], spacing: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Return what the drill may ask for: {"ask", "codes", "best" voxel, "level" of a vertebra or ""}."""
    cubic_cm = float(np.prod(spacing)) / 1000
    found: dict[str, dict[str, Any]] = {}
    sizes, boxes = np.bincount(codes.ravel(), minlength=len(table)) * cubic_cm, ndimage.find_objects(codes)
    cut_off = set(np.unique(codes[:, :, [0, -1]]).tolist())
    for code, entry in enumerate(table):
        name, part, kind = entry["name"], entry["part"], entry["kind"]
        asked, least = {
            ("vertebra", "body"): (f"the body of {name}", 5.0),
            ("vertebra", "right pedicle"): (f"the right pedicle of {name}", 0.4),
            ("vertebra", "left pedicle"): (f"the left pedicle of {name}", 0.4),
            ("vertebra", "spinous process"): (f"the spinous process of {name}", 0.8),
            ("disc", ""): (f"the disc between {' and '.join(name[5:].split('–'))}", 1.0),
            ("vessel", ""): (f"the {name}", 5.0),
            ("muscle", ""): (f"the {name}", 5.0),
            ("rib", ""): (f"the {name.split()[0]} twelfth rib" if name.endswith("rib 12") else "", 1.0),
            ("canal", ""): ("the spinal canal", 0.0),
        }.get((kind, part), ("", 0.0))
        if (
            not asked
            or name == "portal and splenic vein"
            or sizes[code] < least
            or (kind == "vertebra" and (code in cut_off or name not in LEVELS))
        ):
            continue
        if asked in found:  # the cord lies in the canal: either answers for it
            found[asked]["codes"].append(code)
            continue
        level, box = name if kind == "vertebra" else "", boxes[code - 1]
        inside = deepest(codes[box] == code, spacing)
        best = [int(at) + part.start for at, part in zip(inside, box, strict=True)]
        found[asked] = {"ask": asked, "codes": [code], "best": best, "level": level}
    return list(found.values())
