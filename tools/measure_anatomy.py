"""Hold the table of dimensions against anatomy that can be measured: `assets/anatomy/dimensions.csv`.

    python tools/measure_anatomy.py --meshes FOLDER --ct SCAN.nii.gz --mask MASK.nii.gz

FOLDER holds mean lumbar surfaces as `L2_8k.ply` ... (mm, x anterior, z up; doi:10.1016/j.jbiomech.2022.111421). MASK is
a segmentation of one CT in which the labels 30 to 38 are the vertebrae L2 to T6; SCAN, the CT itself, moves the mask's
staircase to where the bone's edge is. Printed for each level and dimension: what the table says, and what was measured,
as it is and scaled to the size of the table; `*` marks a scaled number more than 10 % off. What one person and one mean
shape cannot say is how much people differ.
"""

import argparse
import csv
import re
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from vertebra import assets
from vertebra.spine.dimensions import LEVELS, dimensions

CT_LABELS = {"T6": 38, "T7": 37, "T8": 36, "T9": 35, "T10": 34, "T11": 33, "T12": 32, "L1": 31, "L2": 30}
FINE = 0.5  # mm, the grid on which everything is measured
NAMES = [
    each for each in dimensions()["L1"].__dataclass_fields__ if each not in ("level", "disc_below", "pedicle_angle")
]


@dataclass(frozen=True)
class Solid:
    """Bone as a number from 0 to 1 on a grid of FINE mm, x right, y anterior, z up; origin of the grid in mm."""

    bone: np.ndarray
    origin: np.ndarray

    def turned(self, tilt: float, yaw: float, roll: float, centre: np.ndarray) -> "Solid":
        """Return the same bone in a frame turned (radians) about x, z and y and with its origin at `centre`."""
        turn = _turn(tilt, yaw, roll)
        low, size = np.array([-55.0, -75.0, -50.0]), np.array([221, 201, 201])
        offset = (turn @ low + centre - self.origin) / FINE
        bone = ndimage.affine_transform(self.bone, turn, offset, output_shape=tuple(size), order=1)
        return Solid(bone, low)

    def inside(self) -> np.ndarray:
        """Return where there is bone, the main piece only."""
        label, n = ndimage.label(self.bone > 0.5)
        if n == 0:
            raise SystemExit("no bone found: are these the right files?")
        return label == 1 + int(np.argmax(np.bincount(label.ravel())[1:]))


def read_ply(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices and triangles of a binary little-endian PLY file of triangles."""
    raw = path.read_bytes()
    start = raw.index(b"end_header\n") + 11
    head = raw[:start].decode()
    counts = {name: int(n) for name, n in re.findall(r"element (\w+) (\d+)", head)}
    corners = np.frombuffer(raw, "<f4", counts["vertex"] * 3, start).reshape(-1, 3)
    record = np.dtype([("n", "u1"), ("corner", "<i4", 3)])
    return corners.astype(float), np.frombuffer(raw, record, counts["face"], start + corners.nbytes)["corner"]


def solid_of_mesh(path: Path) -> Solid:
    """Return the inside of a closed surface given in the frame x anterior, y left, z up."""
    corners, faces = read_ply(path)
    corners = np.column_stack([-corners[:, 1], corners[:, 0], corners[:, 2]])
    origin = np.floor(corners.min(axis=0)) - 2
    index = (corners - origin) / FINE
    size = np.ceil(index.max(axis=0)).astype(int) + 4
    crossings = np.zeros(size, dtype=np.int16)
    # Along each vertical line of the grid, bone begins and ends where it crosses a triangle.
    for a, b, c in index[faces] + [1e-4, 2e-4, 0]:
        lo, hi = np.ceil(np.min([a, b, c], axis=0)).astype(int), np.floor(np.max([a, b, c], axis=0)).astype(int)
        x, y = np.meshgrid(np.arange(lo[0], hi[0] + 1), np.arange(lo[1], hi[1] + 1), indexing="ij")
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if x.size == 0 or area == 0:
            continue
        v = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area
        w = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area
        hit = (v >= 0) & (w >= 0) & (v + w <= 1)
        z = np.ceil(a[2] + v * (b[2] - a[2]) + w * (c[2] - a[2])).astype(int)
        np.add.at(crossings, (x[hit], y[hit], z[hit]), 1)
    return Solid(ndimage.gaussian_filter((np.cumsum(crossings, axis=2) % 2).astype(np.float32), 0.7), origin)


def solid_of_ct(mask: nib.Nifti1Image, scan: nib.Nifti1Image | None, label: int) -> Solid:
    """Return one labelled vertebra of a CT; with the scan, its edge is where the density falls by half."""
    affine = mask.affine
    labels = np.asarray(mask.dataobj)
    box = ndimage.find_objects((labels == label).astype(np.uint8))[0]
    box = tuple(slice(max(s.start - 6, 0), s.stop + 6) for s in box)
    mine = (labels[box] == label).astype(np.float32)
    step = np.linalg.norm(affine[:3, :3], axis=0)
    mine = ndimage.gaussian_filter(mine, 0.8 / step)
    index = np.array([s.start for s in box])
    sign = np.sign(np.diag(affine)[:3])
    corners = affine[:3, :3] @ np.array([index, index + np.array(mine.shape) - 1]).T + affine[:3, 3:]
    low, high = corners.min(axis=1), corners.max(axis=1)
    size = np.round((high - low) / FINE).astype(int)
    scale = sign * FINE / step
    offset = np.where(sign > 0, 0, np.array(mine.shape) - 1)
    bone = ndimage.affine_transform(mine, scale, offset, output_shape=tuple(size), order=1)
    if scan is not None:
        density = np.asarray(scan.dataobj[box]).astype(np.float32)
        density = ndimage.affine_transform(density, scale, offset, output_shape=tuple(size), order=1)
        # Within a millimetre of the mask's edge the scan decides: halfway between soft tissue and this cortex.
        near = (bone > 0.25) & (bone < 0.75)
        edge = np.percentile(density[near], 60) / 2 + 25
        bone = np.where(near, (density > edge).astype(np.float32), bone)
        bone = ndimage.gaussian_filter(bone, 0.8)
    return Solid(bone, low)


def corners_of(body: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return the corners (4, 2) of a body's midsagittal section: anterior and posterior above, then below."""
    points = np.argwhere(body) * FINE + origin[1:]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    half = (points.max(axis=0) - points.min(axis=0)) / 2
    scaled = (points - middle) / half
    found = []
    for up in (1, -1):
        for forward in (1, -1):
            score = scaled @ [forward, up]
            found.append(points[score > score.max() - 0.03].mean(axis=0))
    return np.array(found)


def body_section(solid: Solid, thick: float = 1.5) -> np.ndarray:
    """Return the midsagittal section of the body (y, z): the largest piece in front of the canal."""
    inside = solid.inside()
    x = solid.origin[0] + FINE * np.arange(inside.shape[0])
    section = inside[np.abs(x) <= thick].mean(axis=0) > 0.5
    label, n = ndimage.label(ndimage.binary_opening(section, iterations=2))
    front = [np.argwhere(label == i + 1)[:, 0].mean() for i in range(n)]
    size = np.bincount(label.ravel(), minlength=n + 1)[1:]
    return label == 1 + int(np.argmax(np.where(size > 0.2 * size.max(), front, -1)))


def settled(solid: Solid) -> Solid:
    """Return the bone in its own frame: origin at the body's centre, y along its depth, mirrored in x."""
    points = np.argwhere(solid.bone > 0.5) * FINE + solid.origin
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    tilt = yaw = roll = 0.0
    own = solid.turned(0, 0, 0, centre)
    for _ in range(5):
        inside = own.inside()
        # The plane of symmetry: middles of the left and right edges of horizontal and of coronal sections.
        rows = np.argwhere(inside.any(axis=2).T)
        y = np.unique(rows[:, 0])
        ends = np.array([[rows[rows[:, 0] == j, 1].min(), rows[rows[:, 0] == j, 1].max()] for j in y])
        slope, shift = np.polyfit(own.origin[1] + FINE * y, own.origin[0] + FINE * ends.mean(axis=1), 1)
        yaw += 0.6 * -np.arctan(slope)
        centre = centre + _turn(tilt, yaw, roll) @ [0.8 * shift, 0, 0]
        own = solid.turned(tilt, yaw, roll, centre)
        aa, ap, ba, bp = corners_of(body_section(own), own.origin)
        forward = (aa + ba) / 2 - (ap + bp) / 2
        middle = (aa + ap + ba + bp) / 4
        centre = centre + _turn(tilt, yaw, roll) @ [0, *middle]
        tilt += float(np.arctan2(forward[1], forward[0]))
        own = solid.turned(tilt, yaw, roll, centre)
    return own


def _turn(tilt: float, yaw: float, roll: float) -> np.ndarray:
    """Return the matrix that turns a vertebra's own frame into the old one: about y, then x, then z."""
    cx, sx, cz, sz, cy, sy = np.cos(tilt), np.sin(tilt), np.cos(yaw), np.sin(yaw), np.cos(roll), np.sin(roll)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return about_z @ about_x @ about_y


def measured(own: Solid) -> dict[str, float]:
    """Return the dimensions of a bone in its own frame, by the names of the table."""
    inside = own.inside()
    x, y, z = (o + FINE * np.arange(n) for o, n in zip(own.origin, inside.shape, strict=True))
    section = body_section(own)
    aa, ap, ba, bp = corners_of(section, own.origin)
    columns, rows = section.sum(axis=1) * FINE, section.sum(axis=0) * FINE
    # Rounding, the mean shape's and the scan's, draws corners in: heights and depths are those just beside them.
    edges = y[columns > 0.5 * columns.max()][[0, -1]]
    found = {
        "anterior_height": columns[(y > edges[1] - 6) & (y <= edges[1])].max(),
        "posterior_height": columns[(y < edges[0] + 6) & (y >= edges[0])].max(),
        "upper_depth": rows[(z > (aa + ap)[1] / 2 - 4) & (z < (aa + ap)[1] / 2)].max(),
        "lower_depth": rows[(z < (ba + bp)[1] / 2 + 4) & (z > (ba + bp)[1] / 2)].max(),
    }
    column = section[np.argmin(np.abs(y))]
    midline = np.ptp(z[column]) + FINE
    shadow = inside[np.abs(x) < 20][:, np.argmin(np.abs(y))].any(axis=0)
    middle = (midline + np.ptp(z[shadow]) + FINE) / 2
    found["midline_dip"] = (found["anterior_height"] + found["posterior_height"]) / 2 - middle
    wall = (ap[0] + bp[0]) / 2
    front = y > wall + 4
    for name, level, into in (("upper_width", aa[1], -1), ("lower_width", ba[1], 1)):
        widths = []
        for depth in (1.5, 2.5, 3.5):
            row = inside[:, front][:, :, np.argmin(np.abs(z - (level + into * depth)))].any(axis=1)
            widths.append(np.ptp(x[row]) + FINE if row.any() else 0)
        found[name] = max(widths)
    # The canal: a hole in the horizontal sections through the pedicles.
    wide, deep, where = [], [], []
    for k in np.flatnonzero((z > -2) & (z < 0.5 * found["posterior_height"])):
        hole = ndimage.binary_fill_holes(inside[:, :, k]) & ~inside[:, :, k]
        label, n = ndimage.label(hole)
        if n == 0:
            continue
        big = label == 1 + int(np.argmax(np.bincount(label.ravel())[1:]))
        if big.sum() * FINE**2 < 80:
            continue
        wide.append(np.ptp(np.flatnonzero(big.any(axis=1))) * FINE + FINE)
        middle_row = big[np.abs(x) < 2].mean(axis=0) > 0.5
        deep.append(middle_row.sum() * FINE)
        where.append(z[k])
    if wide:
        found |= {"canal_width": float(np.median(wide)), "canal_depth": float(np.median(deep))}
    half = found.get("canal_width", 20) / 2
    widths, heights = [], []
    for right in (True, False):
        bone = inside if right else inside[::-1]
        out = np.argmin(np.abs(x - 0.5 * half))
        for j in np.flatnonzero((y < wall - 1) & (y > wall - 8)):
            runs = []
            for k in np.flatnonzero((z > -6) & (z < 0.6 * found["posterior_height"])):
                line = bone[out:, j, k]
                start = int(np.argmax(line))
                length = int(np.argmin(line[start:]))
                near = x[out + start] < half + 4
                runs.append(length * FINE if line.any() and near and 3 < length * FINE < 24 else np.nan)
            runs = np.array(runs)
            if np.isfinite(runs).sum() * FINE > 8:
                widths.append((np.nanmedian(runs), right))
                heights.append((np.isfinite(runs).sum() * FINE, right))
    for name, values in (("pedicle_width", widths), ("pedicle_height", heights)):
        sides = [[v for v, right in values if right is side] for side in (True, False)]
        if all(sides):
            found[name] = float(np.mean([min(side) for side in sides]))
    behind = y < wall - 6
    found["transverse_span"] = float(np.ptp(x[inside[:, behind].any(axis=(1, 2))]))
    points = np.argwhere(inside[np.abs(x) < 5])
    found["spinous_reach"] = float(wall - y[points[:, 1].min()])
    rear = points[y[points[:, 1]] < wall - found.get("canal_depth", 16) - 6]
    found["spinous_drop"] = float(-z[rear[:, 2].min()])
    return found


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--meshes", type=Path, help="folder of the mean lumbar meshes")
    parser.add_argument("--mask", type=Path, help="segmentation of the CT")
    parser.add_argument("--ct", type=Path, help="the CT itself")
    options = parser.parse_args()
    if not (options.meshes or options.mask):
        parser.error("nothing to measure: give --meshes, --mask or both")
    for path in (options.meshes, options.mask, options.ct):
        if path and not path.exists():
            parser.error(f"{path} does not exist; give the path of the data to measure")
    series: dict[str, dict[str, dict[str, float]]] = {}
    if options.meshes:
        paths = {level: options.meshes / f"{level}_8k.ply" for level in LEVELS}
        series["mean mesh"] = {
            level: measured(settled(solid_of_mesh(path))) for level, path in paths.items() if path.is_file()
        }
    if options.mask:
        mask, scan = nib.load(options.mask), nib.load(options.ct) if options.ct else None
        present = set(np.unique(np.asarray(mask.dataobj)).tolist())
        series["CT"] = {
            level: measured(settled(solid_of_ct(mask, scan, label)))
            for level, label in CT_LABELS.items()
            if label in present
        }
    table = dimensions()
    for name, values in series.items():
        # One mean shape has one size; one person differs from the table in each dimension in its own way, so that
        # person's scan says only how a dimension changes along the spine.
        size = _ratio(values, table, ("posterior_height", "anterior_height", "upper_width"))
        how = "each dimension by its own ratio at L1 and L2" if name == "CT" else "by this one ratio"
        print(f"{name}: bodies {size:.2f} times as large as the table's; scaled {how}")
        own_factor = {n: _ratio({k: v for k, v in values.items() if k in ("L1", "L2")}, table, (n,)) for n in NAMES}
        for own in values.values():
            for dimension in own:
                factor = own_factor[dimension]
                own[dimension] = (own[dimension], own[dimension] / (factor if name == "CT" else size))
    rows = csv.DictReader(assets.read_text("anatomy/dimensions.csv").splitlines())
    source = {(row["level"], row["dimension"]): row["source"] for row in rows}
    print(
        f"{'':4} {'dimension':17} {'table':>6}" + "".join(f" {name:>10} {'scaled':>7}" for name in series) + "  source"
    )
    for level, name in source:
        known, cells = getattr(table[level], name), ""
        for values in series.values():
            raw, scaled = values.get(level, {}).get(name, (None, None))
            if raw is None:
                cells += " " * 19
                continue
            far = abs(scaled - known) > 0.1 * abs(known)
            cells += f" {raw:10.1f} {scaled:6.1f}{'*' if far else ' '}"
        if cells.strip():
            print(f"{level:4} {name:17} {known:6.1f}{cells}  {source[level, name]}")


def _ratio(values, table, names) -> float:
    """Return how much larger than the table a series is, on average over these dimensions and the lumbar levels."""
    lumbar = [level for level in values if level.startswith("L")]
    return float(np.mean([values[v][n] / getattr(table[v], n) for v in lumbar for n in names if n in values[v]]))


if __name__ == "__main__":
    main()
