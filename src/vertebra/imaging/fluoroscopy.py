"""A virtual C-arm: cone-beam X-ray shadows of voxels, points and needles by the law of Beer and Lambert.

A picture is made in two steps. First the line integral g(u, v) = integral of mu dl along the ray from the source to
each pixel, mu being the attenuation in excess of soft tissue; three ways lead there:

- `splat` throws the voxels as points onto the detector: fastest, for use while something is dragged;
- `shear_warp` interpolates slice after slice on one plane and warps the sum to the detector (Lacroute and Levoy 1994,
  in perspective): nearly exact, for the picture that stays;
- `ray_cast` steps along every ray: slow, the reference the other two are held to.

Then `film` turns line integrals into grey values: I = exp(-g), scatter, quantum noise, blur, window. One `Scene` holds
everything that casts a shadow, so that two views of it can never disagree.

Frame: x to the patient's right, y anterior, z cranial, millimetres. Attenuation: `assets/materials/attenuation.csv`.
The beam has one energy: no beam hardening, and the scatter is a smooth veil, not followed photon by photon.
"""

import csv
import io
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse

from vertebra import assets
from vertebra.spine.stack import Pose, Spine
from vertebra.spine.vertebra import Vertebra, Voxels

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)

KEV = 60.0  # mean energy of the beam; 70 to 90 kV tubes lie near it (unreferenced)
CT_KEV = 75.0  # mean energy of a 120 kV CT scanner, at which Hounsfield units are read (unreferenced)
BONE_VOLUME = 0.15  # bone volume fraction (BV/TV) of healthy vertebral trabecular bone (unreferenced)
JITTER = 0.05  # of a voxel: breaks what moire is left between two regular grids; more would show as grain
VEIL = 0.156  # width of a box, three of which spread scatter over 20 of 256 pixels (standard deviation)
OBLONG = 1.5  # from this ratio of a voxel's edges on it is not thrown as one point
FINE = 0.6  # of a voxel: the coarsest grid on which shear-warp keeps what trilinear interpolation holds
INSIDE = "the X-ray source stands in the patient or too near; move it away or the isocentre nearer"


# --- attenuation


@cache
def _table() -> dict[str, tuple[Floats, Floats]]:
    rows: dict[str, list[tuple[float, float]]] = {}
    for row in csv.DictReader(io.StringIO(assets.read_text("materials/attenuation.csv"))):
        rows.setdefault(row["material"], []).append((float(row["energy_keV"]), float(row["mu_per_mm"])))
    return {name: (np.array(pairs)[:, 0], np.array(pairs)[:, 1]) for name, pairs in rows.items()}


def attenuation(material: str, kev: float = KEV) -> float:
    """Return the linear attenuation coefficient of a material, 1/mm, between 30 and 120 keV.

    Interpolated in the logarithms of the tabulated values. Raises ValueError for an unknown material or energy.
    """
    table = _table()
    if material not in table:
        raise ValueError(f"material {material!r} is not in materials/attenuation.csv; it has {', '.join(table)}")
    energies, values = table[material]
    if not energies[0] <= kev <= energies[-1]:
        raise ValueError(f"kev is {kev}; the table reaches from {energies[0]:g} to {energies[-1]:g} keV")
    return float(np.exp(np.interp(np.log(kev), np.log(energies), np.log(values))))


def trabecular_bone(bone_volume: float = BONE_VOLUME, kev: float = KEV, marrow: str = "fat marrow") -> float:
    """Return mu of trabecular bone, 1/mm: bone and marrow in the shares BV/TV and 1 - BV/TV.

    At 12 % and 60 keV that is only 0.0025/mm more than soft tissue (cortex: 0.039), at 6 % nothing: why bone that has
    lost its trabeculae looks empty, framed by its cortex.
    """
    if not 0 <= bone_volume <= 1:
        raise ValueError(f"bone_volume is {bone_volume}; it is a share between 0 and 1")
    return bone_volume * attenuation("cortical bone", kev) + (1 - bone_volume) * attenuation(marrow, kev)


def hounsfield_to_mu(hounsfield: ArrayLike, kev: float = KEV, ct_kev: float = CT_KEV) -> Image:
    """Return mu (1/mm) at `kev` of Hounsfield units measured at `ct_kev`.

    Below water a voxel is water thinned with air; above, a mixture of water and cortical bone by volume.
    """
    values = np.asarray(hounsfield, dtype=np.float32)
    water, bone = attenuation("water", kev), attenuation("cortical bone", kev)
    # The share of bone s follows from HU = 1000 s (bone - water) / water at the energy of the scanner.
    whole = 1000 * (attenuation("cortical bone", ct_kev) / attenuation("water", ct_kev) - 1)
    mu: Image = (
        np.where(values < 0, water * np.maximum(1 + values / 1000, 0), water + values / whole * (bone - water))
    ).astype(np.float32)
    return mu


# --- geometry


def _kept(array: NDArray[Number]) -> NDArray[Number]:
    """Return an array that is kept for later and shared, so that nobody may write into it."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class CArm:
    """A C-arm: where its source and its square detector stand. It only looks; nothing in the scene depends on it.

    `orbital` (degrees) turns it about the patient's long axis: 0 is AP, 90 lateral, source to the patient's left.
    `tilt` (degrees) moves the detector towards the head. At 0/0 the source is in front of the patient and the detector
    behind, and the picture shows the patient as if facing you: his right on your left, anterior to the left in the
    lateral view, the head always up. `source_detector` and `source_isocentre` are distances and `pixel` is the pitch
    of the detector, mm; `isocentre` (3,) is where the axes meet, mm.
    """

    orbital: float = 0.0
    tilt: float = 0.0
    source_detector: float = 1000.0
    source_isocentre: float = 650.0
    pixels: int = 256
    pixel: float = 0.8
    isocentre: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not np.isfinite([self.orbital, self.tilt]).all():
            raise ValueError(f"orbital is {self.orbital} and tilt {self.tilt}; both are angles in degrees")
        if np.shape(self.isocentre) != (3,) or not np.isfinite(self.isocentre).all():
            raise ValueError(f"isocentre is {self.isocentre}; give a point of three numbers in mm")
        if not 0 < self.source_isocentre < self.source_detector < np.inf:
            raise ValueError(
                f"source_isocentre is {self.source_isocentre} mm and source_detector {self.source_detector} mm; "
                "the isocentre lies between source and detector"
            )
        if self.pixels != int(self.pixels) or self.pixels < 4 or not 0 < self.pixel < np.inf:
            raise ValueError(
                f"pixels is {self.pixels} and pixel {self.pixel} mm; give 4 or more whole pixels of a size"
            )

    @cached_property
    def axes(self) -> Floats:
        """Return the unit vectors (3, 3) along a row of the picture, down a column, and along the central ray."""
        turn, rise = np.radians([self.orbital, self.tilt])
        beam = np.array([np.sin(turn) * np.cos(rise), -np.cos(turn) * np.cos(rise), np.sin(rise)])
        across = np.array([-np.cos(turn), -np.sin(turn), 0.0])
        return _kept(np.stack([across, np.cross(beam, across), beam]))

    @cached_property
    def source(self) -> Floats:
        """Return the focal spot (3,), mm."""
        return _kept(np.asarray(self.isocentre, dtype=np.float64) - self.axes[2] * self.source_isocentre)

    @cached_property
    def offsets(self) -> Floats:
        """Return where the pixels of a row (or column) lie on the detector, mm from its centre."""
        return _kept(np.asarray((np.arange(self.pixels) - (self.pixels - 1) / 2) * self.pixel, dtype=np.float64))

    @cached_property
    def rays(self) -> Floats:
        """Return the vectors (rows, columns, 3) from the source to each pixel, mm."""
        across, down, beam = self.axes
        return _kept(
            self.source_detector * beam + self.offsets[:, None, None] * down + self.offsets[None, :, None] * across
        )

    def depth(self, points: ArrayLike) -> Floats:
        """Return how far points (n, 3) lie from the source along the central ray, mm."""
        depth: Floats = (np.atleast_2d(np.asarray(points, dtype=np.float64)) - self.source) @ self.axes[2]
        return depth

    def magnification(self, point: ArrayLike) -> float:
        """Return how much larger than life something at a point (3,) appears: source-detector distance / depth."""
        return self.source_detector / float(self.depth(point)[0])

    def project(self, points: ArrayLike) -> Floats:
        """Return where points (n, 3) appear: pixel coordinates (n, 2), column then row, 0 at a pixel's centre.

        Raises ValueError for a point that does not lie in front of the source.
        """
        positions = (np.atleast_2d(np.asarray(points, dtype=np.float64)) - self.source) @ self.axes.T
        if not (positions[:, 2] > 0).all():
            raise ValueError("a point lies behind the X-ray source; move the source away or the isocentre nearer")
        on_detector = positions[:, :2] * (self.source_detector / positions[:, 2:])
        pixels: Floats = on_detector / self.pixel + (self.pixels - 1) / 2
        return pixels


# --- what casts a shadow


@dataclass(frozen=True, eq=False)
class Cloud:
    """Matter as points: `points` (n, 3) float32 in a frame of their own, `weights` (n,) float32 in mm^2.

    A weight is attenuation in excess of soft tissue times volume. `spacing` (mm) is the distance of the points, and
    `matrix` (4, 4) takes them to the patient's frame, so that moving a cloud moves no point.
    """

    points: Image
    weights: Image
    spacing: float
    matrix: Floats = field(default_factory=lambda: np.eye(4))

    def moved(self, pose: Pose) -> "Cloud":
        """Return the cloud after a rigid motion."""
        return replace(self, matrix=_rigid(pose) @ self.matrix)


@dataclass(frozen=True, eq=False)
class Block:
    """Matter as voxels: `mu` (i, j, k), 1/mm in excess of soft tissue, and `affine` (4, 4) from index to mm.

    Neither may be written into afterwards: what is computed from them is kept. Raises ValueError for values that are
    not finite, and for an affine that can't be inverted.
    """

    mu: Image
    affine: Floats
    _cache: dict[str | int, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        mu, affine = np.asarray(self.mu, dtype=np.float32), np.asarray(self.affine, dtype=np.float64)
        if mu.ndim != 3 or affine.shape != (4, 4):
            raise ValueError(f"mu has the shape {mu.shape} and affine {affine.shape}; give a volume and a 4 x 4 matrix")
        if not np.isfinite(mu).all():
            raise ValueError("mu holds values that are not finite; set voxels outside the bone to 0")
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise ValueError("the affine squeezes the volume flat; its columns are the voxel's three edges in mm")
        # A view, so that the caller's own array stays as it is.
        object.__setattr__(self, "mu", _kept(mu.view()) if mu.flags.writeable else mu)
        object.__setattr__(self, "affine", _kept(affine.view()))

    def moved(self, pose: Pose) -> "Block":
        """Return the block after a rigid motion; what was computed from its voxels stays valid and is shared."""
        return replace(self, affine=_rigid(pose) @ self.affine)

    @property
    def edges(self) -> Floats:
        """Return the lengths (3,) of a voxel's edges, mm."""
        lengths: Floats = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths

    @property
    def cloud(self) -> Cloud:
        """Return the block as points: one a voxel, jittered by a fixed seed, none where nothing attenuates.

        Oblong voxels are first interpolated to cubes of the same volume, because gaps between slices would show.
        """
        edge = float(np.prod(self.edges) ** (1 / 3))
        if "cloud" not in self._cache:
            mu, step = self.mu, np.ones(3)
            if self.edges.max() > OBLONG * self.edges.min():
                step = edge / self.edges
                count = np.floor((np.array(mu.shape) - 1) / step).astype(int) + 1
                mu = ndimage.affine_transform(mu, step, output_shape=tuple(count.tolist()), order=1, mode="nearest")
            where = np.argwhere(mu != 0)
            jitter = np.random.default_rng(0).uniform(-JITTER, JITTER, where.shape)
            volume = np.float32(abs(np.linalg.det(self.affine)))
            self._cache["cloud"] = _kept(((where + jitter) * step).astype(np.float32)), _kept(mu[mu != 0] * volume)
        points, weights = self._cache["cloud"]
        return Cloud(points, weights, edge, self.affine)

    def slices(self, axis: int) -> tuple[NDArray[np.int64], Image]:
        """Return the box of voxels that attenuate (its first index (3,)), its slices along `axis` first."""
        if axis not in self._cache:
            first = np.zeros(3, dtype=np.int64)
            mu = self.mu
            for k in range(3):
                used = np.flatnonzero((self.mu != 0).any(axis=tuple({0, 1, 2} - {k})))
                if used.size:
                    first[k] = used[0]
                    mu = mu.take(np.arange(used[0], used[-1] + 1), axis=k)
            self._cache[axis] = _kept(first), _kept(np.ascontiguousarray(np.moveaxis(mu, axis, 0)))
        found: tuple[NDArray[np.int64], Image] = self._cache[axis]
        return found


def _rigid(pose: Pose) -> Floats:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = pose.rotation, pose.translation
    return matrix


@dataclass(frozen=True, eq=False)
class Rod:
    """A solid cylinder, such as a needle with its stylet in: ends (3,) and radius in mm, `material` of the table."""

    start: Floats
    end: Floats
    radius: float
    material: str = "steel"

    def __post_init__(self) -> None:
        start, end = np.asarray(self.start, dtype=np.float64), np.asarray(self.end, dtype=np.float64)
        if not (start.shape == end.shape == (3,) and np.isfinite([*start, *end]).all() and 0 < self.radius < np.inf):
            raise ValueError(
                f"a rod from {start} to {end} of radius {self.radius} mm; give two points of three numbers and a radius"
            )
        if np.allclose(start, end):
            raise ValueError(f"a rod from {start} to {end} mm has no length; move one end")
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)


# --- line integrals

# No large product here goes through BLAS: its threads wait for each other, and on a laptop whose other core draws the
# browser such a wait takes longer than the whole frame. What is multiplied is sparse.


def splat(cloud: Cloud, carm: CArm) -> Image:
    """Return line integrals (rows, columns) of a cloud: each point is a tent as wide as the shadow of two spacings.

    So points that are further apart than pixels leave no gaps, and a grid of them is interpolated linearly. A tent is
    a sum of tents one pixel wide, so every point is shared by the four pixels around it only, and the picture smoothed
    once at the end. Correlation with `ray_cast` >= 0.999 for vertebrae of 1 mm voxels.
    """
    # From a point's own frame to the C-arm's: across, down, depth.
    turn = (carm.axes @ cloud.matrix[:3, :3]).astype(np.float32)
    shift = (carm.axes @ (cloud.matrix[:3, 3] - carm.source)).astype(np.float32)
    x, y, z = cloud.points.T
    across, down, depth = (a * x + b * y + c * z + d for (a, b, c), d in zip(turn, shift, strict=True))
    if not (depth > 1).all():
        raise ValueError(INSIDE)
    zoom = np.float32(carm.source_detector) / depth
    u, v = across * zoom, down * zoom
    # A point's matter spreads over (depth / source-detector distance)^2 of a pixel, more along an oblique ray.
    weight = cloud.weights * zoom * zoom * np.sqrt(1 + (u * u + v * v) / np.float32(carm.source_detector**2))
    weight /= np.float32(carm.pixel**2)
    width = max(1, round(cloud.spacing * float(zoom.mean()) / carm.pixel)) if len(zoom) else 1
    cells = carm.pixels + 2 * width  # a margin, from which tents reach into the picture
    u = u / np.float32(carm.pixel) + np.float32((cells - 1) / 2)
    v = v / np.float32(carm.pixel) + np.float32((cells - 1) / 2)
    seen = (u >= 0) & (u < cells - 1) & (v >= 0) & (v < cells - 1)
    if not seen.all():
        u, v, weight = u[seen], v[seen], weight[seen]
    if not len(weight):
        return np.zeros((carm.pixels, carm.pixels), dtype=np.float32)
    column, row = u.astype(np.intp), v.astype(np.intp)
    u -= column
    v -= row
    # Only the window that the shadow fills is added up, with room for the tents around it.
    first = np.array([row.min(), column.min()]) - width
    tall, wide = np.array([row.max(), column.max()]) - first + 2 + width
    cell = (row - first[0]) * wide + (column - first[1])
    right, below = weight * u, weight * v
    both = below * u
    alone = weight - right - below + both
    size = tall * wide
    grid = np.bincount(cell, alone, size)
    for offset, share in ((1, right - both), (wide, below - both), (wide + 1, both)):
        grid[offset:] += np.bincount(cell, share, size)[:-offset]
    shadow = grid.reshape(tall, wide).astype(np.float32)
    if width > 1:
        tent = (1 - np.abs(np.arange(1 - width, width)) / width) / width
        for axis in (0, 1):
            shadow = ndimage.correlate1d(shadow, tent, axis=axis, mode="constant")
    image = np.zeros((cells + 2 * width, cells + 2 * width), dtype=np.float32)
    first += width
    image[first[0] : first[0] + tall, first[1] : first[1] + wide] = shadow
    return image[2 * width : -2 * width, 2 * width : -2 * width]


def _hats(at: Floats, count: int, transposed: bool = False) -> sparse.csr_array:
    """Return the matrix of linear interpolation of slices (k, count) at places `at` (k, n), in samples.

    Its rows are (k, n) and its columns (k, count); `transposed`, its rows are n, so that the slices are summed.
    """
    low = np.floor(at)
    share = (at - low).astype(np.float32)
    sample = np.stack([low, low + 1], axis=-1).astype(np.int32)
    weight = np.stack([1 - share, share], axis=-1)
    weight[(sample < 0) | (sample >= count)] = 0
    column = np.clip(sample, 0, count - 1) + count * np.arange(len(at), dtype=np.int32)[:, None, None]
    if transposed:
        weight, column = weight.transpose(1, 0, 2), column.transpose(1, 0, 2)
    rows, each = (at.shape[1], 2 * len(at)) if transposed else (at.size, 2)
    start = np.arange(0, rows * each + 1, each, dtype=np.int32)
    return sparse.csr_array((weight.ravel(), column.ravel(), start), shape=(rows, len(at) * count))


def shear_warp(block: Block, carm: CArm) -> Image:
    """Return line integrals (rows, columns) of a block by perspective shear-warp.

    Seen from the source, every slice of voxels is a shifted and scaled copy on one middle plane, so that interpolating
    it there is two sparse products; the sum over the slices is then read at each pixel's ray. The slices are those
    that the central ray crosses most steeply, so any angle will do. Correlation with `ray_cast` >= 0.9998.
    """
    image = np.zeros((carm.pixels, carm.pixels), dtype=np.float32)
    to_index = np.linalg.inv(block.affine)
    across, down, beam = carm.axes @ to_index[:3, :3].T
    main = int(np.argmax(np.abs(beam)))
    first, slices = block.slices(main)
    window = _window(_corners(block.affine, first, slices, main), carm)
    if not slices.any() or not image[window].size:
        return image
    # From here on in voxels, counted from the corner of the box that attenuates.
    source = to_index[:3, :3] @ carm.source + to_index[:3, 3] - first
    v, u = carm.offsets[window[0], None], carm.offsets[None, window[1]]
    ahead = carm.source_detector * beam[main] + v * down[main] + u * across[main]
    distance = np.arange(len(slices)) - source[main]
    if distance.min() * distance.max() <= 0 or ahead.min() * ahead.max() <= 0:
        raise ValueError(INSIDE)
    middle = distance[len(slices) // 2]
    scale = distance / middle  # of each slice's true size over its copy on the middle plane
    reach = middle / ahead  # the share of each ray from the source to the middle plane
    places, at = [], []
    for axis, count in zip((k for k in range(3) if k != main), slices.shape[1:], strict=True):
        on_plane = reach * (carm.source_detector * beam[axis] + v * down[axis] + u * across[axis])
        # The plane's grid is as fine as the pixels, or finer where they are coarser than FINE of a voxel, and reaches
        # as far as both box and picture do. It counts from a pixel: in a straight view nothing is read between points.
        pitch = carm.pixel * float(reach.mean()) / block.edges[axis]
        pitch /= np.ceil(pitch / FINE)
        low = max(on_plane.min(), ((-1 - source[axis]) / scale).min())
        high = min(on_plane.max(), ((count - source[axis]) / scale).max())
        low = on_plane.min() + pitch * np.floor((low - on_plane.min()) / pitch)
        grid = np.arange(low, high + 2 * pitch, pitch)
        at.append(source[axis] + grid * scale[:, None])
        places.append((on_plane - grid[0]) / pitch)
    deep, tall, wide = slices.shape
    lined_up = (_hats(at[0], tall) @ slices.reshape(-1, wide)).reshape(deep, -1, wide)
    turned = np.ascontiguousarray(lined_up.transpose(0, 2, 1)).reshape(deep * wide, -1)
    summed = (_hats(at[1], wide, transposed=True) @ turned).T
    step = np.sqrt(carm.source_detector**2 + v * v + u * u) / np.abs(ahead)  # mm of ray from slice to slice
    image[window] = ndimage.map_coordinates(summed, places, order=1, output=np.float32) * step
    return image


def _corners(affine: Floats, first: NDArray[np.int64], slices: Image, main: int) -> Floats:
    """Return the corners (8, 3) of the box of voxels that attenuate, mm, half a voxel and more beyond their centres."""
    last = first + np.insert(slices.shape[1:], main, len(slices))
    index = np.stack(np.meshgrid(*zip(first - 1, last, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
    corners: Floats = index @ affine[:3, :3].T + affine[:3, 3]
    return corners


def _window(points: Floats, carm: CArm, margin: float = 0.0) -> tuple[slice, slice]:
    """Return the rows and columns of the picture between the shadows of points (n, 3), `margin` (mm) around them."""
    try:
        shadow = carm.project(points)
    except ValueError:
        raise ValueError(INSIDE) from None
    edge = margin * carm.source_detector / float(carm.depth(points).min()) / carm.pixel
    low = np.clip(np.floor(shadow.min(axis=0) - edge), 0, carm.pixels).astype(int)
    high = np.clip(np.ceil(shadow.max(axis=0) + edge) + 1, 0, carm.pixels).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def ray_cast(block: Block, carm: CArm, step: float = 0.5) -> Image:
    """Return line integrals (rows, columns) of a block by trilinear samples every `step` mm of every ray.

    Slow (seconds for 256 x 256) and with nothing in common with `splat` and `shear_warp` but the C-arm: the reference.
    Raises ValueError for a step that is not above 0.
    """
    if not step > 0:
        raise ValueError(f"step is {step} mm; give a step above 0")
    to_index = np.linalg.inv(block.affine)
    source = to_index[:3, :3] @ carm.source + to_index[:3, 3]
    lengths = np.linalg.norm(carm.rays, axis=-1)
    directions = carm.rays / lengths[..., None] @ to_index[:3, :3].T
    ends = np.stack(np.meshgrid(*((-1, n) for n in block.mu.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    corners = ends @ block.affine[:3, :3].T + block.affine[:3, 3]
    near, far = float(carm.depth(corners).min()), float(np.linalg.norm(corners - carm.source, axis=1).max())
    image = np.zeros((carm.pixels, carm.pixels))
    for along in np.arange(max(near, 0.0), far, step) + step / 2:
        places = np.moveaxis(source + along * directions, -1, 0)
        image += ndimage.map_coordinates(block.mu, places, order=1, mode="grid-constant")
    line_integrals: Image = (image * step).astype(np.float32)
    return line_integrals


def chord(rod: Rod, carm: CArm) -> Image:
    """Return how many mm of each pixel's ray (rows, columns) run inside a rod: exact, for any direction, end on too."""
    image = np.zeros((carm.pixels, carm.pixels), dtype=np.float32)
    ends = np.array([rod.start, rod.end])
    window = _window(ends, carm, margin=rod.radius)
    length = float(np.linalg.norm(ends[1] - ends[0]))
    axis = (ends[1] - ends[0]) / length
    rays = carm.rays[window] / np.linalg.norm(carm.rays[window], axis=-1, keepdims=True)
    start = carm.source - ends[0]
    along, start_along = rays @ axis, float(start @ axis)
    across, start_across = rays - along[..., None] * axis, start - start_along * axis
    # |start_across + t across| = radius: where the ray enters and leaves the infinite cylinder.
    a, b = (across**2).sum(axis=-1), across @ start_across
    c = float(start_across @ start_across) - rod.radius**2
    inside = b * b - a * c
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.sqrt(np.maximum(inside, 0)) / a
        enter, leave = -b / a - half, -b / a + half
        caps = np.sort([-start_along / along, (length - start_along) / along], axis=0)
    # A ray along the axis meets no wall, one across it no cap: then only the other of the two counts.
    parallel, level = a < 1e-14, np.abs(along) < 1e-14
    enter, leave = np.where(parallel, -np.inf, enter), np.where(parallel, np.inf, leave)
    low, high = np.where(level, -np.inf, caps[0]), np.where(level, np.inf, caps[1])
    hit = np.where(parallel, c < 0, inside > 0) & (~level | (0 <= start_along <= length))
    image[window] = np.where(hit, np.maximum(np.minimum(leave, high) - np.maximum(enter, low), 0), 0)
    return image


# --- the scene


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that casts a shadow: bone as `blocks`, needles as `rods`, lit at `kev`. Every view is of this one."""

    blocks: tuple[Block, ...] = ()
    rods: tuple[Rod, ...] = ()
    kev: float = KEV

    def projection(self, carm: CArm, sharp: bool = True) -> Image:
        """Return the line integrals (rows, columns): by `shear_warp`, or by `splat` if not `sharp`."""
        total = np.zeros((carm.pixels, carm.pixels), dtype=np.float32)
        for block in self.blocks:
            total += shear_warp(block, carm) if sharp else splat(block.cloud, carm)
        for rod in self.rods:
            excess = attenuation(rod.material, self.kev) - attenuation("soft tissue", self.kev)
            total += np.float32(excess) * chord(rod, carm)
        return total


def bone(voxels: Voxels, kev: float = KEV, bone_volume: float = BONE_VOLUME, marrow: str = "fat marrow") -> Block:
    """Return the bone of a vertebra's voxels; `bone_volume` (BV/TV) and `marrow` fill its trabecular part."""
    soft = attenuation("soft tissue", kev)
    mu = voxels.cortical * np.float32(attenuation("cortical bone", kev) - soft)
    mu += voxels.trabecular * np.float32(trabecular_bone(bone_volume, kev, marrow) - soft)
    return Block(mu, voxels.affine)


def tissue(hounsfield: NDArray[Any], affine: Floats, kev: float = KEV, threshold: float | None = None) -> Block:
    """Return a CT of Hounsfield units (i, j, k) as matter; voxels below `threshold` count as soft tissue if given."""
    mu = hounsfield_to_mu(hounsfield, kev) - np.float32(attenuation("soft tissue", kev))
    if threshold is not None:
        mu[np.asarray(hounsfield) < threshold] = 0
    return Block(mu, affine)


@lru_cache(maxsize=16)  # a spine and some; one may take 7 MB with what is computed from it
def _bone(vertebra: Vertebra, spacing: float, kev: float, bone_volume: float) -> Block:
    return bone(vertebra.voxels(spacing), kev, bone_volume)


def scene_of_spine(
    spine: Spine, spacing: float = 1.0, kev: float = KEV, bone_volume: float = BONE_VOLUME, rods: tuple[Rod, ...] = ()
) -> Scene:
    """Return a spine as a scene: each vertebra is made of voxels of `spacing` mm once, and then only moved."""
    made = (_bone(vertebra, spacing, kev, bone_volume) for vertebra in spine.vertebrae.values())
    blocks = tuple(block.moved(pose) for block, pose in zip(made, spine.poses.values(), strict=True))
    return Scene(blocks, rods, kev)


# --- from line integrals to a picture


def film(
    line_integral: NDArray[Any],
    window: tuple[float, float] | None = None,
    look: str = "film",
    photons: float = 4000.0,
    scatter: float = 0.35,
    blur: float = 0.8,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Return the picture (rows, columns) of line integrals (rows, columns), 0 black to 255 white.

    I = exp(-g) is veiled by scattered rays (`scatter` times I, spread over 20 pixels in a picture of 256), counted
    (Poisson, `photons` a pixel where only soft tissue is) and blurred (`blur` pixels); shown is -ln I between the two
    line integrals of `window`. Without a window the picture sets its own, as the automatic brightness of a C-arm does.
    `look` is "film" (bone bright, a radiograph) or "fluoro" (bone dark, a fluoroscope's screen). `photons` of 0 means
    no noise. Numbers: unreferenced, chosen by eye.
    """
    if look not in ("film", "fluoro"):
        raise ValueError(f"look is {look!r}; it is 'film' (bone bright) or 'fluoro' (bone dark)")
    if not all(0 <= value < np.inf for value in (photons, scatter, blur)):
        raise ValueError(f"photons is {photons}, scatter {scatter}, blur {blur}; each is a number from 0 on")
    g = np.asarray(line_integral, dtype=np.float32)
    if g.ndim != 2 or not g.size or not np.isfinite(g).all():
        raise ValueError(f"line_integral has the shape {g.shape}; give rows and columns of finite numbers")
    intensity = np.exp(-g)
    if scatter:
        veil = intensity
        for _ in range(3):  # three boxes make a bell, at any width for the same price
            veil = ndimage.uniform_filter(veil, [round(VEIL * n) for n in g.shape], mode="nearest")
        intensity = (intensity + np.float32(scatter) * veil) / np.float32(1 + scatter)
    if photons:
        counts = np.random.default_rng(seed).poisson(intensity * np.float32(photons))
        intensity = (np.maximum(counts, 1) / photons).astype(np.float32)
    if blur:
        intensity = ndimage.gaussian_filter(intensity, blur)
    seen = -np.log(np.maximum(intensity, np.finfo(np.float32).tiny))  # behind 90 mm of steel nothing is left
    low, high = window or automatic_window(seen)
    if not high > low:
        raise ValueError(f"window is {window}; its second line integral is the larger one")
    grey = np.clip((seen - low) / (high - low), 0, 1)
    if look == "fluoro":
        grey = 1 - grey
    picture: NDArray[np.uint8] = np.round(grey * 255).astype(np.uint8)
    return picture


def automatic_window(seen: NDArray[Any]) -> tuple[float, float]:
    """Return the line integrals shown black and white: a little below the background, and somewhat above most bone.

    The densest twentieth of the picture has no say, so that a needle does not darken the bone around it.
    """
    low, high = np.percentile(seen, (2, 95))
    spread = max(float(high - low), 0.05)
    return float(low) - 0.2 * spread, float(low) + 1.6 * spread
