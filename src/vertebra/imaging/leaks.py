"""Where cement goes that leaves the body, and whether a film or a CT shows it.

A leak is a deposit: from a mouth in the bone it takes the places that are easiest to reach, by a cost that each route
has of its own, until its volume is used up. So a larger leak of one route holds the smaller one.

A **film** shows a leak if enough of its shadow lies outside the outline of the treated body (within it, it would be
taken for cement in the body) and stands out there from what is uneven anyway: bone edges, the cement in the body,
noise. A **CT** shows it if enough voxels are bright. Nothing is fitted; `assets/simulators/leaks.yml` holds what comes
out against what was read in films and CT of the same patients.

Routes and their types B, S and C are those of [yeom2003]; forms, sizes and thresholds: `assets/materials/leaks.csv`.
Frame of a vertebra: x right, y anterior, z cranial, mm.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from vertebra import assets
from vertebra.assets import parameters
from vertebra.imaging.fluoroscopy import KEV, VEIL, Block, CArm, attenuation, scene_of_spine, shear_warp, splat
from vertebra.spine.dimensions import LEVELS as EVERY
from vertebra.spine.stack import Spine
from vertebra.spine.vertebra import Vertebra

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Image = NDArray[np.float32]

LEVELS = EVERY[1:-1]  # each has a neighbour on both sides
# What leaks where: type B and S along veins, type C through a hole in the cortex [yeom2003]. The foramen stands apart:
# no source that we read counts it.
ROUTES = ("B", "S", "C-disc", "C-paravertebral", "C-canal", "foramen")
COUNTED = ROUTES[:5]
PLANES: Mapping[str, float] = MappingProxyType({"lateral": 90.0, "AP": 0.0})
CEMENT = "PMMA + 30 % BaSO4"
FINE, COARSE = 1.0, 1.5  # mm, voxels of a picture and of a count
PIXELS, FIELD = 96, 150.0  # of a film that is counted on: across, and mm on the detector
RING = 10  # points round a nerve's tube, as vertebra.spine.stack makes it
VEIN = 1.75  # mm, radius of a segmental vein full of cement; drawn
LARGEST = 2.5  # mL; what the narrowest disc holds
LOBED = 0.2  # how uneven the front of the cement is, share of how far it has come; drawn
# From the middle of the body backwards and forwards, to the side, and up and down: where leaks are followed, mm.
REACH = np.array([[-33.0, -38.0, -24.0], [33.0, 29.0, 29.0]])


def parameter(name: str) -> float:
    """Return a number of `assets/materials/leaks.csv`."""
    return parameters("materials/leaks.csv")[name].value


# --- where a leak lies -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Leak:
    """A leak of `volume` mL by a `route` (of ROUTES) at a `level`; `place` from -1 to 1 moves its mouth along the bone.

    Raises ValueError for what is unknown or out of range.
    """

    level: str = "L1"
    route: str = "B"
    volume: float = 0.5
    place: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("level", LEVELS), ("route", ROUTES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it is one of {', '.join(known)}")
        for name, low, high in (("volume", 0.01, LARGEST), ("place", -1.0, 1.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; give a number from {low:g} to {high:g}")


@dataclass(frozen=True, eq=False)
class Room:
    """The surroundings of a vertebra on a grid (nx, ny, nz) of `spacing` mm, `origin` the centre of voxel 0, 0, 0.

    `bone` is the implicit function of the vertebra and its neighbours, `body` that of its body alone and `canal` the
    distance to the canal's wall, each negative inside; `points` (nx, ny, nz, 3) mm.
    """

    spine: Spine
    level: str
    spacing: float
    origin: Floats
    points: Floats
    bone: Floats
    body: Floats
    canal: Floats

    @property
    def vertebra(self) -> Vertebra:
        """The vertebra itself."""
        return self.spine.vertebrae[self.level]

    def block(self, filled: NDArray[Any], excess: float) -> Block:
        """Return voxels of a filled share (nx, ny, nz) as matter in the spine's frame, `excess` 1/mm where full."""
        affine = np.diag([self.spacing] * 3 + [1.0])
        affine[:3, 3] = self.origin
        return Block((filled * excess).astype(np.float32), affine).moved(self.spine.poses[self.level])


@lru_cache(maxsize=len(LEVELS))
def segment(level: str) -> Spine:
    """Return a level's unbroken vertebra between its neighbours."""
    at = EVERY.index(level)
    return Spine(EVERY[at - 1 : at + 2])


def bone_at(level: str, points: Floats) -> Floats:
    """Return the implicit function of a level's vertebra and its neighbours at points (n, 3) in the level's frame."""
    spine = segment(level)
    vertebra, pose = spine.vertebrae[level], spine.poses[level]
    bone = np.array(vertebra.distance(points), dtype=np.float64)
    half = vertebra.dimensions.posterior_height / 2
    upper, _, lower = spine.levels
    # A neighbour's bone begins about where the own body ends.
    for other, near in ((upper, points[:, 2] > half - 12), (lower, points[:, 2] < 12 - half)):
        own = spine.poses[other].inverse().apply(pose.apply(points[near]))
        if len(own):
            bone[near] = np.minimum(bone[near], spine.vertebrae[other].distance(own))
    return bone


def disc_at(level: str, points: Floats, below: bool = False) -> Bools:
    """Return which points (..., 3) in a level's frame lie between the plates of the disc above it, or `below` it.

    Down to the bottoms of both endplates' bowls, so that bone has to be taken out of it; at the rim the bowls end.
    """
    spine = segment(level)
    upper, lower = spine.levels[1:] if below else spine.levels[:2]
    home, d = spine.poses[level].inverse(), spine.vertebrae[level].dimensions
    width, depth = (d.lower_width, d.lower_depth) if below else (d.upper_width, d.upper_depth)
    x, y, z = np.moveaxis(points, -1, 0)
    floor, roof = home.apply(spine.landmarks(lower)[2::-1]), home.apply(spine.landmarks(upper)[:2:-1])
    low, high = (np.interp(y, each[:, 1], each[:, 2]) for each in (floor, roof))
    within = 1 - (2 * x / width) ** 2 - (2 * y / depth) ** 2
    bowl = 3 * np.maximum(within, 0)
    inside: Bools = (within > 0) & (z > low - bowl) & (z < high + bowl)
    return inside


@lru_cache(maxsize=24)
def room(level: str, spacing: float = COARSE) -> Room:
    """Return the surroundings of a level's unbroken vertebra, with one neighbour above and one below."""
    spine = segment(level)
    axes = [spacing * np.arange(np.floor(a / spacing), np.ceil(b / spacing) + 1) for a, b in REACH.T]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    flat = points.reshape(-1, 3)
    body = np.asarray(spine.vertebrae[level].body_distance(flat)[0], dtype=np.float64)
    canal = spine.vertebrae[level].canal_distance(flat)
    shaped = (each.reshape(points.shape[:3]) for each in (bone_at(level, flat), body, canal))
    return Room(spine, level, spacing, points[0, 0, 0], points, *shaped)


def _wall(vertebra: Vertebra, angle: Floats, height: float) -> Floats:
    """Return the body's wall (n, 3) at a height z, in the directions `angle` (n,) from the front to the right, rad."""
    radius = np.arange(5.0, 40.0, 0.25)
    turned = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    ring = np.concatenate([turned[:, None] * radius[:, None], np.full((len(angle), len(radius), 1), height)], axis=-1)
    inside = np.asarray(vertebra.body_distance(ring.reshape(-1, 3))[0]).reshape(len(angle), -1) < 0
    wall: Floats = ring[np.arange(len(angle)), inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)]
    return wall


def _spread(points: Floats, mouth: Floats, ease: Sequence[float]) -> Floats:
    """Return the distance of points from a mouth, each axis divided by how easily cement runs along it."""
    return np.asarray(np.linalg.norm((points - mouth) / np.asarray(ease), axis=-1))


def _rear(room: Room, share: float) -> Floats:
    """Return the middle (3,) of the posterior wall, `share` of its height above its middle."""
    upper, lower = room.vertebra.landmarks[[2, 5]]
    middle: Floats = (upper + lower) / 2 + share * (upper - lower)
    return middle * [0, 1, 1]


def _basivertebral(room: Room, place: float) -> tuple[Floats, Bools]:
    """Out of the vein's hole into the space before the sac, flat against the wall, further up and down than back."""
    mouth = _rear(room, 0.1 * place) + np.array([2.5 * place, -0.5, 0.0])
    return _spread(room.points, mouth, (1.3, 0.5, 1.6)), (room.canal < -0.3) & (room.bone > 0)


def _through_wall(room: Room, place: float) -> tuple[Floats, Bools]:
    """Through a hole in the posterior wall, beside the midline and above its middle: a lump into the canal."""
    mouth = _rear(room, 0.25) + np.array([5.0 * place, -0.5, 0.0])
    return _spread(room.points, mouth, (1.0, 0.9, 1.1)), (room.canal < -0.3) & (room.bone > 0)


def _segmental(room: Room, place: float) -> tuple[Floats, Bools]:
    """Along a segmental vein: in the waist of the body, from its side (or nearer to its back) round to its front."""
    angle = np.radians(np.linspace(-20, 125, 100))
    path = _wall(room.vertebra, angle, 0.0)
    outward = np.stack([np.sin(angle), np.cos(angle), 0 * angle], axis=-1)
    path = path + (VEIN + 0.25) * outward
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    gap, nearest = cKDTree(path).query(room.points.reshape(-1, 3), distance_upper_bound=4 * VEIN)
    gap, nearest = (each.reshape(room.bone.shape) for each in (gap, np.minimum(nearest, len(path) - 1)))
    mouth = int(np.argmin(np.abs(angle - np.radians(90 - 25 * place))))
    along = length[mouth] - length[nearest]
    # Blood flows forwards here, and cement with it; what is pushed out of the vein's bed costs much more.
    cost = np.where(along > 0, along, -3 * along) + 8 * np.maximum(gap - VEIN, 0)
    return cost, (room.bone > 0) & np.isfinite(gap)


def _beside(room: Room, place: float) -> tuple[Floats, Bools]:
    """Through the cortex of the side (place -1) to the front (1): a lump that keeps to the bone."""
    mouth = _wall(room.vertebra, np.radians([45 - 40 * place]), 3.0)[0]
    cost = np.hypot(_spread(room.points, mouth, (1, 1, 1.2)), np.maximum(room.bone, 0))
    return cost, (room.bone > 0) & (room.canal > 1)


def _into_disc(room: Room, place: float) -> tuple[Floats, Bools]:
    """Through the superior endplate, behind (place -1) or in front (1) of its middle: spread between the plates."""
    d, floor = room.vertebra.dimensions, room.vertebra.landmarks[2::-1]
    mouth = np.array([0.12 * d.upper_width, place * d.upper_depth / 4, 0.0])
    mouth[2] = float(np.interp(mouth[1], floor[:, 1], floor[:, 2])) + 1
    return _spread(room.points, mouth, (1.2, 1.2, 1.0)), disc_at(room.level, room.points) & (room.bone > 0)


def _foraminal(room: Room, place: float) -> tuple[Floats, Bools]:
    """Into the foramen under the right pedicle, nearer to the canal (place -1) or to the outside (1)."""
    pedicle = room.vertebra.pedicle("right")
    mouth = pedicle.centre + np.array([3.0 * place, 2.0, -pedicle.height / 2 - 3])
    return _spread(room.points, mouth, (1.0, 0.8, 1.1)), (room.bone > 0) & (room.canal > -2)


HOW: Mapping[str, Callable[[Room, float], tuple[Floats, Bools]]] = MappingProxyType(
    {
        "B": _basivertebral,
        "S": _segmental,
        "C-disc": _into_disc,
        "C-paravertebral": _beside,
        "C-canal": _through_wall,
        "foramen": _foraminal,
    }
)


def _lobes(points: Floats) -> Floats:
    """Return about -1 to 1 over points (..., 3), without a pattern that repeats in reach: why cement is lobed."""
    x, y, z = np.moveaxis(points, -1, 0)
    turned = (np.sin(0.71 * x + 0.4 * z) + np.sin(0.63 * y - 0.5 * x + 1.3) + np.sin(0.83 * z + 0.3 * y + 2.1)) / 3
    return np.asarray(turned)


@dataclass(frozen=True, eq=False)
class Way:
    """The voxels that a route fills, in the order in which it fills them: flat indices (n,) into a room's grid."""

    room: Room
    order: NDArray[np.int64]

    def filled(self, volume: float) -> Image:
        """Return the share of each voxel (nx, ny, nz) that a leak of `volume` mL fills.

        Raises ValueError for more than there is room for.
        """
        voxels = volume * 1000 / self.room.spacing**3
        if voxels > len(self.order):
            most = np.floor(len(self.order) * self.room.spacing**3 / 10) / 100
            raise ValueError(f"volume is {volume:g} mL, but this way has room for {most:g} mL; choose less")
        share = np.zeros(self.room.bone.size, dtype=np.float32)
        whole = int(voxels)
        share[self.order[:whole]] = 1
        if whole < len(self.order):
            share[self.order[whole]] = voxels - whole
        return share.reshape(self.room.bone.shape)


@lru_cache(maxsize=512)
def way(level: str, route: str, place: float, spacing: float = COARSE) -> Way:
    """Return what a route fills at a level, one voxel after the other."""
    around = room(level, spacing)
    cost, allowed = HOW[route](around, place)
    flat = np.flatnonzero(allowed)
    # No route is longer than what the largest leak takes.
    most = min(len(flat), int(LARGEST * 1000 / spacing**3) + 2)
    cost = (cost * (1 + LOBED * _lobes(around.points))).ravel()[flat]
    near = np.argpartition(cost, most - 1)[:most] if most < len(flat) else np.arange(len(flat))
    return Way(around, flat[near[np.argsort(cost[near], kind="stable")]])


def deposit(leak: Leak, spacing: float = FINE) -> tuple[Room, Image]:
    """Return the surroundings of a leak and the share of each of their voxels that it fills."""
    found = way(leak.level, leak.route, leak.place, spacing)
    return found.room, found.filled(leak.volume)


@lru_cache(maxsize=16)
def _nerves(level: str) -> tuple[cKDTree, Floats]:
    """Return the axes of the nerves that leave beside a level and beside the one above, and their radii along them."""
    spine = segment(level)
    home = spine.poses[level].inverse()
    axes, radii = [], []
    for nerve in (side for each in spine.levels[:2] for side in spine.roots(each).values()):
        rings = home.apply(nerve.vertices[:-2]).reshape(-1, RING, 3)  # the last two close the tube's ends
        axis = rings.mean(axis=1)
        radius = np.linalg.norm(rings - axis[:, None], axis=2).mean(axis=1)
        fine, coarse = np.linspace(0, 1, 8 * len(axis)), np.linspace(0, 1, len(axis))
        axes.append(np.stack([np.interp(fine, coarse, each) for each in axis.T], axis=1))
        radii.append(np.interp(fine, coarse, radius))
    return cKDTree(np.vstack(axes)), np.concatenate(radii)


def nerve_distance(level: str, points: Floats) -> Floats:
    """Return how far points (n, 3) in a level's frame lie from a spinal nerve, mm, negative inside it."""
    tree, radii = _nerves(level)
    gap, nearest = tree.query(points)
    return np.asarray(gap - radii[nearest])


def nerve_gap(leak: Leak) -> float:
    """Return how near (mm) a leak comes to a spinal nerve of the model, 0 if it touches it."""
    around, share = deposit(leak, COARSE)
    gap = nerve_distance(leak.level, around.points[share > 0.5])
    return max(0.0, float(gap.min()) - around.spacing / 2)


def narrowing(leak: Leak) -> float:
    """Return the share of the canal's section that a leak takes where it takes most, 0 to 1."""
    around, share = deposit(leak, COARSE)
    canal = (around.canal < 0) & (around.bone > 0)
    # Beyond the body's height the canal has no walls of its own.
    half = around.vertebra.dimensions.posterior_height / 2
    level = np.abs(around.points[0, 0, :, 2]) < half
    taken = (share * canal).sum(axis=(0, 1))[level] / canal.sum(axis=(0, 1))[level]
    return float(taken.max())


@lru_cache(maxsize=24)
def cement_in_body(level: str, spacing: float = FINE) -> Image:
    """Return the share of each voxel of a level's room that the cement in the body fills: a ball on either side."""
    around = room(level, spacing)
    d = around.vertebra.dimensions
    seeds = [(sign * 0.2 * d.upper_width, 0.15 * d.upper_depth, 0.0) for sign in (1, -1)]
    cost = np.minimum(*(_spread(around.points, np.array(seed), (1, 1, 1)) for seed in seeds))
    cost = np.where(around.body < -1.5, cost * (1 + 1.5 * LOBED * _lobes(around.points)), np.inf)
    order = np.argsort(cost, axis=None, kind="stable")
    voxels = min(parameter("body volume") * 1000 / spacing**3, float((around.body < -1.5).sum()))
    share = np.zeros(around.bone.size, dtype=np.float32)
    share[order[: int(voxels)]] = 1
    return share.reshape(around.bone.shape)


# --- what a film shows -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class View:
    """A film of a level with cement in its body and no leak: what a leak's shadow must stand out from.

    `carm` with `pixel` mm in the patient; `intensity` what reaches the film of a beam of 1, `veil` what scatter adds;
    `outline` (rows, columns) where a shadow would be taken for cement in the body; `unevenness` of the picture.
    """

    carm: CArm
    pixel: float
    intensity: Image
    veil: Image
    outline: Bools
    unevenness: Image

    def shown(self, shadow: Image) -> tuple[float, float]:
        """Return how much (mm2 in the patient) of a leak's line integrals is seen, and the share of it that is."""
        before = np.log(self.intensity + self.veil)
        stands_out = before - np.log(self.intensity * np.exp(-shadow) + self.veil)
        seen = (stands_out > parameter("criterion") * self.unevenness) & ~self.outline
        total = float(shadow.sum())
        return float(seen.sum()) * self.pixel**2, float(shadow[seen].sum()) / total if total else 0.0


def carm(level: str, plane: str, turn: float = 0.0, pixels: int = PIXELS) -> CArm:
    """Return the C-arm for a film of a level between its neighbours, "lateral" or "AP".

    The patient lies turned by `turn` degrees about the long axis: 0 is a true lateral and a true AP film.
    """
    if plane not in PLANES:
        raise ValueError(f"plane is {plane!r}; it is one of {', '.join(PLANES)}")
    around = room(level)
    x, y, z = around.spine.landmarks(level).mean(axis=0)
    behind = 10.0 if plane == "lateral" else 0.0  # the canal and the arch are in the picture as well
    return CArm(
        PLANES[plane] + turn, pixels=pixels, pixel=FIELD / pixels, isocentre=(float(x), float(y) - behind, float(z))
    )


@lru_cache(maxsize=48)
def background(level: str, plane: str, turn: float = 0.0, pixels: int = PIXELS, spacing: float = COARSE) -> Image:
    """Return the line integrals (rows, columns) of a level and its neighbours, with cement in its body."""
    around, arm = room(level, spacing), carm(level, plane, turn, pixels)
    total = scene_of_spine(around.spine, spacing).projection(arm)
    excess = attenuation(CEMENT, KEV) - attenuation("fat marrow", KEV)
    total += shear_warp(around.block(cement_in_body(level, spacing), excess), arm)
    return total


@lru_cache(maxsize=48)
def view(level: str, plane: str, turn: float = 0.0) -> View:
    """Return a film of a level without a leak."""
    around, arm, total = room(level), carm(level, plane, turn), background(level, plane, turn)
    pixel = arm.pixel / arm.magnification(np.asarray(arm.isocentre))
    intensity: Image = np.exp(-total)
    wide: Image = np.float32(parameter("scatter")) * intensity
    for _ in range(3):
        wide = ndimage.uniform_filter(wide, round(VEIL * PIXELS), mode="nearest")
    dark = -np.log(intensity + wide)
    side = max(3, round(parameter("neighbourhood") / pixel))
    mean = ndimage.uniform_filter(dark, side, mode="nearest")
    varied = np.maximum(ndimage.uniform_filter(dark * dark, side, mode="nearest") - mean * mean, 0)
    noise = 1 / (parameter("photons") * (intensity + wide))
    body = shear_warp(around.block(around.body < 0, 1.0), arm) > around.spacing
    grown = ndimage.distance_transform_edt(~body) * pixel <= parameter("outline")
    return View(arm, pixel, intensity, wide, grown, np.sqrt(varied + noise).astype(np.float32))


def shadow(leak: Leak, arm: CArm, spacing: float = COARSE) -> Image:
    """Return the line integrals (rows, columns) of a leak alone."""
    around, share = deposit(leak, spacing)
    block = around.block(share, attenuation(CEMENT, KEV) - attenuation("soft tissue", KEV))
    return splat(block.cloud, arm)


@dataclass(frozen=True)
class Sight:
    """What is seen of a leak: patches (mm2) and shares by plane, and what a CT counts (mm3)."""

    area: Mapping[str, float]
    share: Mapping[str, float]
    counted: float

    @property
    def planes(self) -> tuple[str, ...]:
        """The films on which it is seen."""
        return tuple(plane for plane in PLANES if self.area[plane] >= parameter("least area"))

    @property
    def on_film(self) -> bool:
        """Whether the lateral or the AP film shows it."""
        return bool(self.planes)

    @property
    def underestimated(self) -> bool:
        """Whether the lateral film misses it or shows less than half of it."""
        return "lateral" not in self.planes or self.share["lateral"] < parameter("half shown")

    @property
    def on_ct(self) -> bool:
        """Whether a CT shows it."""
        return self.counted >= parameter("ct least")


@lru_cache(maxsize=4096)
def sight(leak: Leak, turn: float = 0.0) -> Sight:
    """Return what films and CT show of a leak; the films are off their plane by `turn` degrees."""
    views = {plane: view(leak.level, plane, turn) for plane in PLANES}
    shown = {plane: each.shown(shadow(leak, each.carm)) for plane, each in views.items()}
    return Sight({p: area for p, (area, _) in shown.items()}, {p: share for p, (_, share) in shown.items()}, ct(leak))


def ct(leak: Leak) -> float:
    """Return the volume (mm3) of the CT voxels, as thick as a slice, that a leak makes brighter than cortex."""
    around, share = deposit(leak, COARSE)
    thick = max(1, round(parameter("slice") / around.spacing))
    deep = share.shape[2] // thick * thick
    slices = share[:, :, :deep].reshape(*share.shape[:2], -1, thick).mean(axis=3)
    return float((slices >= parameter("ct share")).sum()) * around.spacing**3 * thick


# --- how often -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Count:
    """Leaks that a CT shows, by route.

    `on_film` says how many a film shows, `underestimated` how many the lateral film misses or shows less than half of.
    """

    leaks: Mapping[str, int]
    on_film: Mapping[str, int]
    underestimated: Mapping[str, int]

    def share(self, of: str, *routes: str) -> float:
        """Return the share of the leaks by some routes (all without) that `of` counts, such as "on_film"."""
        chosen = routes or tuple(self.leaks)
        total = sum(self.leaks[route] for route in chosen)
        return sum(getattr(self, of)[route] for route in chosen) / total if total else 0.0


# Volumes on which the count is done (mL), places of the mouth, and levels with how often they break (drawn).
LADDER = tuple(round(float(v), 3) for v in np.geomspace(0.04, LARGEST, 14))
SPOTS = (-1.0, 0.0, 1.0)
BROKEN = {"T8": 2, "T11": 2, "T12": 4, "L1": 4, "L3": 3}


# What is seen of each leak of the count, worked out beforehand: it takes longer than anybody waits for a sentence.
SIGHTS = "materials/leak_sights.csv"
TURNS = (0.0, 8.0)  # degrees, of the table
ON_CT, ON_FILM, UNDERESTIMATED = 1, 2, 4  # added up in a digit


def coded(seen: Sight) -> int:
    """Return the digit of the table that says what is seen."""
    return ON_CT * seen.on_ct + ON_FILM * seen.on_film + UNDERESTIMATED * seen.underestimated


@cache
def _table() -> Mapping[tuple[str, str, float, float], str]:
    """Return by level, route, place and turn what is seen of each volume of `LADDER`, a digit each (`coded`)."""
    rows = csv.DictReader(io.StringIO(assets.read_text(SIGHTS)))
    return {(row["level"], row["route"], float(row["place"]), float(row["turn"])): row["seen"] for row in rows}


def count(mix: str = "share", leaks: int = 20000, larger: float = 1.0, turn: float = 0.0, seed: int = 0) -> Count:
    """Return what films show of `leaks` drawn leaks.

    `mix` says how frequent the routes are: "share" those of [hsieh2019], "veins" those of [ivc_leak]; `larger` times
    the middle volume; films off their plane by `turn` degrees. Level, place and volume are drawn from what `leaks.csv`
    and `BROKEN` say. What is seen of a leak comes from the table `SIGHTS`; at other turns than it has, the first call
    looks at some thousand leaks, which takes seconds.
    """
    if mix not in ("share", "veins"):
        raise ValueError(f"mix is {mix!r}; it is 'share' or 'veins'")
    chance = np.random.default_rng(seed)
    odds = np.array([parameter(f"{mix} {route}") for route in COUNTED])
    often = np.array(list(BROKEN.values()), dtype=float)
    route = chance.choice(len(COUNTED), leaks, p=odds / odds.sum())
    level = chance.choice(len(BROKEN), leaks, p=often / often.sum())
    spot = chance.choice(len(SPOTS), leaks)
    volume = parameter("middle volume") * larger * np.exp(parameter("spread of volume") * chance.standard_normal(leaks))
    step = np.abs(np.log(volume)[:, None] - np.log(LADDER)).argmin(axis=1)
    levels = tuple(BROKEN)
    found: dict[str, dict[str, int]] = {
        name: dict.fromkeys(COUNTED, 0) for name in ("leaks", "on_film", "underestimated")
    }
    drawn, times = np.unique(np.stack([route, level, spot, step]), axis=1, return_counts=True)
    for (r, v, p, s), n in zip(drawn.T.tolist(), times.tolist(), strict=True):
        name = COUNTED[r]
        known = _table().get((levels[v], name, SPOTS[p], turn))
        code = int(known[s]) if known else coded(sight(Leak(levels[v], name, LADDER[s], SPOTS[p]), turn))
        if code & ON_CT:
            found["leaks"][name] += n
            found["on_film"][name] += n * bool(code & ON_FILM)
            found["underestimated"][name] += n * bool(code & UNDERESTIMATED)
    return Count(**found)
