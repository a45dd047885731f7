"""The real CT of the course: one patient's T9-L2, its outlined structures, and six landmarks of each vertebral body.

A chest CT (LIDC-IDRI-0001, CC BY 3.0; outlines by TotalSegmentator; `assets/ct/README.md`): 0.70 mm
in plane, slices 2.5 mm apart, contrast in the aorta, degenerative changes. **This patient has no fracture**; where
the course shows one in this CT, it was computed (`vertebra.imaging.collapse`). The outlines are a program's, read by
no radiologist, good to about a slice in height and a millimetre in plane. Nothing here is a diagnosis.

Frame: x to the patient's right, y anterior, z cranial, mm, as in the scanner (RAS+). Density in Hounsfield units (HU).
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from vertebra import assets
from vertebra.imaging import nifti
from vertebra.imaging.fluoroscopy import KEV, Block, tissue
from vertebra.spine.surface import surface

FloatArray = NDArray[np.float64]

LEVELS = ("T9", "T10", "T11", "T12", "L1", "L2")
"""The levels that lie whole in the crop, cranial to caudal."""

VERTEBRAE = ("T7", "T8", *LEVELS, "L3")
"""The levels that are outlined, cranial to caudal; of T7, T8 and L3 only a part lies in the crop."""

STRUCTURES = {
    1: "spleen",
    2: "right kidney",
    3: "left kidney",
    5: "liver",
    6: "stomach",
    7: "pancreas",
    8: "right adrenal gland",
    9: "left adrenal gland",
    10: "upper lobe of left lung",
    11: "lower lobe of left lung",
    13: "middle lobe of right lung",
    14: "lower lobe of right lung",
    15: "oesophagus",
    18: "small bowel",
    19: "duodenum",
    29: "L3",
    30: "L2",
    31: "L1",
    32: "T12",
    33: "T11",
    34: "T10",
    35: "T9",
    36: "T8",
    37: "T7",
    51: "heart",
    52: "aorta",
    53: "pulmonary vein",
    62: "superior vena cava",
    63: "inferior vena cava",
    64: "portal and splenic vein",
    79: "spinal cord",
    86: "left erector spinae",
    87: "right erector spinae",
    88: "left psoas",
    89: "right psoas",
    99: "left rib 8",
    100: "left rib 9",
    101: "left rib 10",
    102: "left rib 11",
    103: "left rib 12",
    111: "right rib 8",
    112: "right rib 9",
    113: "right rib 10",
    114: "right rib 11",
    115: "right rib 12",
}
"""What a label number stands for. "spinal cord" goes on below the conus, where the sac holds the cauda equina."""

NUMBERS = {name: number for number, name in STRUCTURES.items()}

AIR_HU = -1000.0

IMAGE, LABELS = "ct/image.nii.gz", "ct/labels.nii.gz"

# How the six points are placed; the choices are the course's own.
RIM_MM = 2.0  # a point lies this far inside the wall, where the rim has not yet rounded off
_LIP_MM = 2.5  # a rim that stands out further than this over the waist is an osteophyte and is left out
_STRIP_MM = 2.0  # half width of the midsagittal strip that is averaged
_STEP_MM = 0.5


@dataclass(frozen=True, eq=False)
class Volume:
    """A picture in space: `data` (i, j, k) and `affine` (4, 4), which takes indices (voxel centres) to RAS mm.

    Raises ValueError when the data is not 3-D or the affine can't be inverted.
    """

    data: NDArray[Any]
    affine: FloatArray

    def __post_init__(self) -> None:
        if self.data.ndim != 3:
            raise ValueError(f"a volume needs a 3-D array, not one of shape {self.data.shape}")
        affine = np.asarray(self.affine, dtype=float)
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise ValueError("a volume needs an affine of shape (4, 4) that can be inverted")

    @property
    def spacing(self) -> FloatArray:
        """Distance of neighbouring voxel centres along i, j and k, (3,) mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    def to_world(self, indices: ArrayLike) -> FloatArray:
        """Return the places (..., 3), mm, of voxel indices (..., 3), whole or not."""
        return np.asarray(np.asarray(indices) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_index(self, points: ArrayLike) -> FloatArray:
        """Return the voxel indices (..., 3), not rounded, of places (..., 3), mm."""
        return np.asarray((np.asarray(points) - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T)

    def sample(self, points: ArrayLike, order: int = 1, outside: float = AIR_HU) -> NDArray[Any]:
        """Return the values (...) at places (..., 3), mm, by interpolation of `order` (0 nearest, 1 linear, 3 cubic).

        Half a voxel beyond the outermost centres the volume ends, and the value is `outside`; so it is at a place that
        is not a number. Raises ValueError for an `outside` that the data can't hold, such as -1000 among labels.
        """
        index = self.to_index(points)
        at = index.reshape(-1, 3).T
        beyond = ~((at >= -0.5) & (at <= np.array(self.data.shape)[:, None] - 0.5)).all(axis=0)
        kind: np.dtype[Any] = self.data.dtype if order == 0 else np.dtype(np.float32)
        if kind.kind in "iu" and not np.iinfo(kind).min <= outside <= np.iinfo(kind).max:
            raise ValueError(f"outside is {outside}, which {kind} can't hold; give 0 for labels")
        values = ndimage.map_coordinates(self.data, at, order=order, mode="nearest", output=kind)
        values[beyond] = outside
        return np.asarray(values.reshape(index.shape[:-1]))


@dataclass(frozen=True, eq=False)
class CT:
    """A CT and what is outlined in it, on one grid: `image` in HU (int16), `labels` numbers of `STRUCTURES` (uint8)."""

    image: Volume
    labels: Volume

    def __post_init__(self) -> None:
        if self.image.data.shape != self.labels.data.shape or not np.allclose(self.image.affine, self.labels.affine):
            raise ValueError("image and labels are not on one grid; sample one of them on the grid of the other")

    def resampled(self, spacing: float = 1.0) -> "CT":
        """Return the same CT in cubes of `spacing` mm, its axes unchanged, from the same corner on.

        Density is interpolated linearly; labels as in `labels_at`.
        """
        shape, affine = cubes(self.image, spacing)
        step = (spacing / self.image.spacing).astype(np.float32)
        at = np.indices(shape, dtype=np.float32) * step.reshape(3, 1, 1, 1)
        image = ndimage.map_coordinates(self.image.data, at, order=1, mode="nearest")
        return CT(Volume(image, affine), Volume(labels_at(self.labels, outlines(self.labels), at), affine))


def cubes(volume: Volume, spacing: float) -> tuple[tuple[int, int, int], FloatArray]:
    """Return shape and affine of a grid of cubes of `spacing` mm in place of a volume's, from the same corner on.

    Raises ValueError for a spacing outside 0.3 to 10 mm.
    """
    if not 0.3 <= spacing <= 10:
        raise ValueError(f"voxel spacing is {spacing} mm; give 0.3 to 10 mm")
    i, j, k = np.floor((np.array(volume.data.shape) - 1) * volume.spacing / spacing + 1e-6).astype(int).tolist()
    affine = volume.affine.copy()
    affine[:3, :3] = affine[:3, :3] * (spacing / volume.spacing)
    return (i + 1, j + 1, k + 1), affine


@cache
def patient() -> CT:
    """Return the committed crop of the real CT, T9-L2; read once, and not writeable.

    Raises assets.AssetError when a file is missing or damaged.
    """
    image, labels = _read(IMAGE, "int16"), _read(LABELS, "uint8")
    unknown = sorted(set(np.unique(labels.data).tolist()) - {0, *STRUCTURES})
    if unknown or image.data.shape != labels.data.shape or not np.allclose(image.affine, labels.affine):
        what = f"unknown label {unknown[0]}" if unknown else f"not on the grid of {IMAGE}"
        raise assets.AssetError(f"{assets.path(LABELS)}: damaged, {what}; {assets.MEND}")
    return CT(image, labels)


def _read(relative: str, kind: str) -> Volume:
    """Read a NIfTI file of the course. Raises AssetError if it is missing, cut off, or holds something else."""
    file = assets.path(relative)
    try:
        data, affine = nifti.read(file)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise assets.AssetError(
            f"{file}: damaged, can't be read as NIfTI ({type(error).__name__}); {assets.MEND}"
        ) from None
    steps = np.diag(affine)[:3]
    if data.ndim != 3 or data.dtype != kind or not (steps > abs(affine[:3, :3] - np.diag(steps)).max()).all():
        raise assets.AssetError(f"{file}: damaged, not a 3-D {kind} volume in RAS order; {assets.MEND}")
    data.flags.writeable = affine.flags.writeable = False
    return Volume(data, affine)


def skeleton(scan: CT, kev: float = KEV, threshold: float = 100.0) -> Block:
    """Return what is outlined as vertebra or rib in a CT and is denser than `threshold` HU; all else is soft tissue.

    The outlines are widened by two voxels in plane, because they run inside the cortex. Vessels filled with contrast
    medium, organs and lungs are left out: the edge of the crop would show.
    """
    wanted = [number for number, name in STRUCTURES.items() if name in VERTEBRAE or "rib" in name]
    inside = ndimage.binary_dilation(np.isin(scan.labels.data, wanted), np.ones((3, 3, 1)), iterations=2)
    return tissue(np.where(inside, scan.image.data, -1000), scan.image.affine, kev, threshold)


# --- pictures --------------------------------------------------------------------------------------------------------


def window(hu: ArrayLike, level: float = 300.0, width: float = 1500.0) -> NDArray[np.uint8]:
    """Return grey values 0-255 of densities in HU: black at `level` - `width` / 2 and below, white at + `width` / 2.

    The default is a bone window. Raises ValueError for a width that is not above 0, or a level that is no number.
    """
    if not (width > 0 and np.isfinite([level, width]).all()):
        raise ValueError(f"window level is {level} and width {width} HU; give two numbers, the width above 0")
    grey = (np.asarray(hu, dtype=np.float32) - (level - width / 2)) * (255 / width)
    return np.asarray(np.rint(grey).clip(0, 255), dtype=np.uint8)


def plane(volume: Volume, name: str, position: float, spacing: float = 0.7, order: int = 1) -> NDArray[Any]:
    """Return one slice (rows, columns) with square pixels of `spacing` mm, as a radiologist sees it.

    `name` is "axial" (patient's right on the left, front at the top), "sagittal" (front on the left, head at the top)
    or "coronal" (patient's right on the left, head at the top); `position` is z, x or y in mm. `order` 0 for labels.
    Raises ValueError for another name, a position that is no number, or a spacing that is not above 0.
    """
    axes = {"axial": (2, 1, 0), "sagittal": (0, 2, 1), "coronal": (1, 2, 0)}
    if name not in axes:
        raise ValueError(f"there is no {name!r} plane; give axial, sagittal or coronal")
    if not (np.isfinite(position) and spacing > 0):
        raise ValueError(f"position is {position} mm and spacing {spacing} mm; give two numbers, the spacing above 0")
    through, down, across = axes[name]
    corners = volume.to_world(np.array([(0, 0, 0), np.array(volume.data.shape) - 1]))
    low, high = corners.min(axis=0), corners.max(axis=0)
    rows = np.arange(high[down], low[down] - 1e-6, -spacing)
    columns = np.arange(high[across], low[across] - 1e-6, -spacing)
    points = np.empty((len(rows), len(columns), 3))
    points[..., through] = position
    points[..., down] = rows[:, None]
    points[..., across] = columns
    return volume.sample(points, order=order, outside=0 if order == 0 else AIR_HU)


# --- shape of a vertebra ---------------------------------------------------------------------------------------------


def distance(labels: Volume, structure: str, smoothing: float | None = None, margin: float = 4.0) -> Volume:
    """Return the signed distance in mm to the outline of a structure, negative inside, around the structure only.

    Zero lies midway between the last voxel inside and the first outside. A Gaussian of `smoothing` mm (None: 0.4 of the
    widest spacing) takes away the steps of the voxels. Between slices the field may be interpolated (shape-based
    interpolation).
    Raises ValueError for a structure that is not in the volume.
    """
    if structure not in NUMBERS:
        raise ValueError(f"there is no structure {structure!r}; give one of vertebra.imaging.ct.STRUCTURES")
    inside = labels.data == NUMBERS[structure]
    if not inside.any():
        raise ValueError(f"{structure} is not outlined in this volume")
    pad = np.ceil(margin / labels.spacing).astype(int)
    box = [np.flatnonzero(inside.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    first = np.array([low - p for (low, _), p in zip(box, pad, strict=True)])
    last = np.array([high + p for (_, high), p in zip(box, pad, strict=True)])
    start, stop = np.maximum(first, 0), np.minimum(last + 1, inside.shape)
    part = inside[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    # What the edge of the volume cuts off counts as outside, so that every surface is closed.
    part = np.pad(part, list(zip(start - first, last + 1 - stop, strict=True)))
    spacing = labels.spacing
    field = ndimage.distance_transform_edt(~part, sampling=spacing) - ndimage.distance_transform_edt(
        part, sampling=spacing
    )
    affine = labels.affine.copy()
    affine[:3, 3] = labels.to_world(first)
    # Both distances end at voxel centres, half a voxel beyond the outline each: their sum has its zero on the outline
    # and jumps there by one voxel, which halving near the outline takes away.
    near = np.linalg.norm(spacing) / 2
    field = field - np.clip(field, -near, near) / 2
    sigma = 0.4 * spacing.max() if smoothing is None else smoothing
    return Volume(ndimage.gaussian_filter(field, sigma / spacing, output=np.float32), affine)


@lru_cache(maxsize=2)  # half a second; the patient's are asked for again and again
def outlines(labels: Volume) -> dict[str, Volume]:
    """Return the signed distance (see `distance`) to each vertebra that is outlined, by level."""
    present = set(np.unique(labels.data).tolist())
    return {level: distance(labels, level) for level in VERTEBRAE if NUMBERS[level] in present}


def labels_at(labels: Volume, bones: Mapping[str, Volume], indices: NDArray[Any]) -> NDArray[np.uint8]:
    """Return label numbers (...) at voxel indices (3, ...) of `labels`, not rounded.

    A vertebra is where its interpolated signed distance (`bones`, of `outlines`) is below 0, so that its outline has
    no steps of whole slices; elsewhere the label of the nearest voxel counts.
    """
    found = ndimage.map_coordinates(labels.data, indices, order=0, mode="nearest")
    flat, at = found.ravel(), indices.reshape(3, -1)
    flat[np.isin(flat, [NUMBERS[level] for level in VERTEBRAE])] = 0
    nearest = np.zeros(flat.shape, dtype=np.float32)
    for level, field in bones.items():
        first = labels.to_index(field.affine[:3, 3])
        near = np.ones(flat.shape, dtype=bool)
        for axis in range(3):
            near &= (at[axis] >= first[axis]) & (at[axis] <= first[axis] + field.data.shape[axis] - 1)
        place = np.flatnonzero(near)
        value = ndimage.map_coordinates(field.data, at[:, place] - first[:, None], order=1, mode="nearest")
        inside = value < nearest[place]
        flat[place[inside]], nearest[place[inside]] = NUMBERS[level], value[inside]
    return np.asarray(flat.reshape(found.shape), dtype=np.uint8)


@cache
def patient_mesh(level: str, spacing: float = 1.0, smoothing: float = 1.0) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return a smooth closed surface of one vertebra of the real CT: vertices (n, 3) in mm, RAS+, and triangles (m, 3).

    The outline's signed distance is smoothed with a Gaussian of `smoothing` mm, interpolated between slices, and cut
    into surface nets of `spacing` mm. L3, T8 and T7 are cut off at the edge of the crop.
    Raises ValueError for a level that is not outlined or a spacing that is not above 0.
    """
    if not spacing > 0:
        raise ValueError(f"mesh spacing is {spacing} mm; give a spacing above 0")
    field = distance(patient().labels, level, smoothing)
    step = spacing / field.spacing
    shape = np.floor((np.array(field.data.shape) - 1) / step).astype(int) + 1
    # Cubic, because straight lines from slice to slice would show as facets.
    cubes = ndimage.affine_transform(field.data, step, output_shape=tuple(shape.tolist()), order=3, mode="nearest")
    vertices, faces = surface(cubes, origin=field.affine[:3, 3], spacing=spacing)
    vertices.flags.writeable = faces.flags.writeable = False
    return vertices, faces


# --- six landmarks of each body --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Frame:
    """A body's own axes: `origin` (3,) its centre, `axes` (3, 3) rows right, anterior, cranial; RAS mm."""

    origin: FloatArray
    axes: FloatArray

    def to_local(self, points: ArrayLike) -> FloatArray:
        """Return points (..., 3) of the scanner in the body's axes, mm from its centre."""
        return np.asarray((np.asarray(points) - self.origin) @ self.axes.T)

    def to_world(self, points: ArrayLike) -> FloatArray:
        """Return points (..., 3) of the body's axes in the scanner's."""
        return np.asarray(np.asarray(points) @ self.axes + self.origin)


def body_frame(points: ArrayLike) -> Frame:
    """Return the axes of a body from its six landmarks (6, 3), superior then inferior: anterior, middle, posterior.

    Right-handed and orthonormal; anterior is kept, the way from wall to wall.
    """
    six = np.asarray(points, dtype=np.float64)
    front = six[[0, 3]].mean(axis=0) - six[[2, 5]].mean(axis=0)
    front = front / np.linalg.norm(front)
    up = six[:3].mean(axis=0) - six[3:].mean(axis=0)
    up = up - (up @ front) * front
    up = up / np.linalg.norm(up)
    return Frame(six.mean(axis=0), np.array([np.cross(front, up), front, up]))


def _axes(anterior: FloatArray, cranial: FloatArray) -> FloatArray:
    """Return right-handed orthonormal axes, rows right, anterior, cranial; `cranial` is kept."""
    up = cranial / np.linalg.norm(cranial)
    front = anterior - (anterior @ up) * up
    front = front / np.linalg.norm(front)
    return np.array([np.cross(front, up), front, up])


def _centres(labels: Volume, levels: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return the rough centre of each body (n, 3) and of the canal at the same height (n, 3), RAS mm.

    The body is what lies in front of the cord; the arch is beside and behind it.
    """
    cord = labels.to_world(np.argwhere(labels.data == NUMBERS["spinal cord"]))
    if not len(cord):
        raise ValueError("the spinal cord is not outlined in this volume; bodies are found from it")
    heights = np.unique(cord[:, 2].round(3))
    middle = np.array([cord[np.isclose(cord[:, 2], z, atol=2e-3)].mean(axis=0) for z in heights])
    front = np.array([cord[np.isclose(cord[:, 2], z, atol=2e-3), 1].max() for z in heights])
    bodies, canals = [], []
    for level in levels:
        bone = labels.to_world(np.argwhere(labels.data == NUMBERS[level]))
        if not len(bone):
            raise ValueError(f"{level} is not outlined in this volume")
        body = bone[bone[:, 1] > np.interp(bone[:, 2], heights, front) + 2.0].mean(axis=0)
        bodies.append(body)
        canals.append([np.interp(body[2], heights, middle[:, axis]) for axis in range(3)])
    return np.array(bodies), np.array(canals)


def landmarks(ct: CT, levels: Sequence[str] = LEVELS) -> dict[str, FloatArray]:
    """Find six points of each body, (6, 3) RAS mm: superior, then inferior, each anterior, middle, posterior.

    In the midsagittal plane (through the middle of the canal, along the curve of the spine) the outline of the body is
    followed along both endplates. The anterior and posterior point lie where the endplate meets the wall; what stands
    out more than 2.5 mm over the waist is taken for an osteophyte and left out. The middle point lies midway between
    them, on the endplate. Averaged over a strip 4 mm wide. Slices of 2.5 mm leave a height uncertain by 1 to 2 mm; in
    slices of 0.8 mm drawn bodies are read to 0.6 mm.
    Raises ValueError if a level or the cord is not outlined or its body can't be told from its arch.
    """
    bodies, canals = _centres(ct.labels, LEVELS)
    curve = np.polynomial.polynomial.polyfit(bodies[:, 2], bodies[:, :2], 3)
    slope = np.polynomial.polynomial.polyval(bodies[:, 2], np.polynomial.polynomial.polyder(curve)).T
    found = {}
    for level in levels:
        if level not in LEVELS:
            raise ValueError(f"{level!r} has no whole body in this CT; give one of {', '.join(LEVELS)}")
        n = LEVELS.index(level)
        axes = _axes(bodies[n] - canals[n], np.array([*slope[n], 1.0]))
        found[level] = _six_points(distance(ct.labels, level), Frame(bodies[n], axes), level)
    return found


def _six_points(field: Volume, frame: Frame, level: str) -> FloatArray:
    y = np.arange(-30.0, 30.0 + _STEP_MM / 2, _STEP_MM)
    z = np.arange(-25.0, 25.0 + _STEP_MM / 2, _STEP_MM)
    across = np.linspace(-_STRIP_MM, _STRIP_MM, 5)
    local = np.stack(np.broadcast_arrays(across, y[:, None, None], z[:, None]), axis=-1)
    for _ in range(3):
        cut = field.sample(frame.to_world(local), outside=9.0).mean(axis=2)
        parts, _ = ndimage.label(cut < 0)
        core = parts[len(y) // 2, len(z) // 2]
        if core == 0:
            raise ValueError(f"{level}: its body can't be told from its arch in the midsagittal plane")
        body = parts == core
        columns = np.flatnonzero(body.any(axis=1))
        columns = columns[(columns > 0) & (columns < len(y) - 1)]
        top = np.array([_crossing(z, cut[c], np.flatnonzero(body[c])[-1], 1) for c in columns])
        bottom = np.array([_crossing(z, cut[c], np.flatnonzero(body[c])[0], -1) for c in columns])
        along = y[columns]
        middle = (along > np.quantile(along, 0.15)) & (along < np.quantile(along, 0.85))
        tilt = np.mean([np.polyfit(along[middle], edge[middle], 1)[0] for edge in (top, bottom)])
        shift = np.array([0.0, (along[0] + along[-1]) / 2, (top[middle].mean() + bottom[middle].mean()) / 2])
        angle = np.arctan(tilt)
        if abs(angle) < 1e-3 and np.abs(shift).max() < 0.05:
            break
        turn = np.array([[1, 0, 0], [0, np.cos(angle), np.sin(angle)], [0, -np.sin(angle), np.cos(angle)]])
        frame = Frame(frame.to_world(shift), turn @ frame.axes)
    walls = np.full((2, len(z)), np.nan)  # anterior, posterior
    for row in np.flatnonzero(body.any(axis=0)):
        inside = np.flatnonzero(body[:, row])
        walls[:, row] = _crossing(y, cut[:, row], inside[-1], 1), _crossing(y, cut[:, row], inside[0], -1)
    # Between slanting endplates the walls slant too; both alike, which holds against one osteophyte.
    half = (top[middle].mean() - bottom[middle].mean()) / 2
    belly = np.abs(z) < half / 2
    slant = np.mean([np.polyfit(z[belly], wall[belly], 1)[0] for wall in walls])
    upright = walls - slant * z
    points = []
    for edge, side in ((top, 1), (bottom, -1)):
        ends = []
        for wall, front in zip(upright, (1, -1), strict=True):
            waist = np.median(wall[belly])
            at = waist + slant * half * side
            near = (along * front > at * front - 7.0) & (along * front < at * front - 1.0)
            end = np.polyval(np.polyfit(along[near], edge[near], 1), at)
            depth = (end - z) * side
            rim = np.nanmean(wall[(depth > 1.5) & (depth < 4.5)])
            out = min((rim - waist) * front, _LIP_MM)
            ends.append(waist + slant * end + front * (out - RIM_MM))
        centre = sum(ends) / 2
        for at, low, high in ((ends[0], -5.0, 0.0), (centre, -3.0, 3.0), (ends[1], 0.0, 5.0)):
            near = (along >= at + low) & (along <= at + high)
            points.append([0.0, at, np.polyval(np.polyfit(along[near] - at, edge[near], 2 if at == centre else 1), 0)])
    return frame.to_world(points)


def _crossing(z: FloatArray, values: NDArray[Any], last: int, step: int) -> float:
    """Return where the field along a column passes zero, between sample `last` (inside) and the next one outwards."""
    out = min(max(last + step, 0), len(z) - 1)
    if out == last:
        return float(z[last])
    share = values[last] / (values[last] - values[out])
    return float(z[last] + share * (z[out] - z[last]))
