"""Vertebrae standing on each other, and the soft parts between and inside them.

Frame: mm, x to the patient's right, y anterior, z cranial; the origin is the centre of the lowest vertebra, and the
undeformed stack stands upright: the line from its lowest to its highest body is vertical. Each vertebra stands one disc
above the endplate beneath it, so a wedge tilts all that is above it, a crush lowers it and a lateral collapse tilts it
sideways; what lies below a fracture does not move. Angles: `assets/anatomy/curvature.csv`.

What the soft parts show is where they run. Their sizes are drawn, with these exceptions: the cord's diameters
[frostell2016], the width of the posterior longitudinal ligament behind the bodies [pll2018], the level of the conus
[saifuddin1998]. Veins outside the body, fat, muscles, ribs and the sacrum's bone are left out. Facet joints are not
made to fit: articular processes press into the bone below by up to 2 mm above T12, 3 mm down to L3, 4.5 mm below it.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from vertebra import assets
from vertebra.spine.dimensions import LEVELS, dimensions
from vertebra.spine.shape import Shape
from vertebra.spine.soft import Tissue, merged, skin, slab, smoothed, tissue, tube
from vertebra.spine.surface import surface
from vertebra.spine.vertebra import LUMBAR_BODY, THORACIC_BODY, Mesh, Vertebra, as_points, between, lumbarness

FloatArray = NDArray[np.float64]

COLUMNS = ("anterior", "middle", "posterior")
CONUS = "L1-L2"  # the disc at which the cord ends: mean lower third of L1, range T12 to L3 [saifuddin1998]
SIDES = {"right": 1.0, "left": -1.0}
STEEPEST = 1.0  # what is under tension does not follow a step: how steeply it leaves a fragment (drawn)

# Half axes of the cord (mm) by vertebral level: transverse, anteroposterior. 8.3 x 6.3 in the thoracic cord and 9.4
# across in the lumbar enlargement are means of eleven studies [frostell2016]; where they lie is drawn.
CORD = {"T6": (4.15, 3.15), "T9": (4.15, 3.15), "T11": (4.7, 3.4), "T12": (4.6, 3.4), "L1": (2.6, 2.2)}


@dataclass(frozen=True, eq=False)
class Pose:
    """Where a vertebra stands: a `rotation` (3, 3) of its own frame, then a `translation` (3,) in mm, read-only."""

    rotation: FloatArray = field(default_factory=lambda: np.eye(3))
    translation: FloatArray = field(default_factory=lambda: np.zeros(3))

    def __post_init__(self) -> None:
        # Copies, for a spine hands out the poses that it keeps.
        for name in ("rotation", "translation"):
            own = np.array(getattr(self, name), dtype=np.float64)
            own.flags.writeable = False
            object.__setattr__(self, name, own)

    def apply(self, points: ArrayLike) -> FloatArray:
        """Return points (n, 3) of the vertebra's own frame in the common frame."""
        moved: FloatArray = np.asarray(points, dtype=np.float64) @ self.rotation.T + self.translation
        return moved

    def turn(self, directions: ArrayLike) -> FloatArray:
        """Return directions (n, 3), such as normals, of the vertebra's own frame in the common frame."""
        turned: FloatArray = np.asarray(directions, dtype=np.float64) @ self.rotation.T
        return turned

    def inverse(self) -> "Pose":
        """Return the pose that leads from the common frame back into the vertebra's own."""
        return Pose(self.rotation.T, -self.rotation.T @ self.translation)


# --- curvature -------------------------------------------------------------------------------------------------------


@cache
def curvature() -> Mapping[tuple[str, str], float]:
    """Return the table of angles, degrees, by (level or region, quantity), from `assets/anatomy/curvature.csv`."""
    rows = csv.DictReader(io.StringIO(assets.read_text("anatomy/curvature.csv")))
    return MappingProxyType({(row["level"], row["quantity"]): float(row["value_deg"]) for row in rows})


def _pitch(degrees: float) -> FloatArray:
    """Return the rotation (3, 3) about the left-right axis that raises what is anterior by an angle."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _slope(plate: FloatArray) -> float:
    """Return the slope of an endplate (degrees, anterior end up) from its landmarks: anterior, middle, posterior."""
    run = plate[0] - plate[2]
    return float(np.degrees(np.arctan2(run[2], run[1])))


@lru_cache(maxsize=64)
def _vertebra(level: str, shape: Shape) -> Vertebra:
    """Return a vertebra that keeps what it has computed: most vertebrae of most spines are the same normal ones."""
    return Vertebra(level, shape)


@cache
def body_wedge(level: str) -> float:
    """Return how much a normal body is wedged, degrees, positive when lower in front (kyphosis)."""
    points = _vertebra(level, Shape()).landmarks
    return _slope(points[3:]) - _slope(points[:3])


@cache
def disc_wedge(upper: str) -> float:
    """Return how much the disc below a level is wedged, degrees, positive when lower in front (kyphosis).

    It is what the two half bodies leave of the segment's angle in `curvature`. Raises ValueError for a level that is
    unknown or L5, below which no vertebra of the model stands.
    """
    if upper not in LEVELS[:-1]:
        raise ValueError(f"level is {upper!r}; give one of {', '.join(LEVELS[:-1])}")
    lower = LEVELS[LEVELS.index(upper) + 1]
    return curvature()[upper, "segment"] - (body_wedge(upper) + body_wedge(lower)) / 2


# --- probing bone ----------------------------------------------------------------------------------------------------


def _cast(vertebra: Vertebra, starts: FloatArray, direction: Sequence[float], reach: float) -> FloatArray:
    """Return how far (n,) rays from `starts` (n, 3) run until they meet the vertebra's bone; nan if not within `reach`.

    A ray that starts in bone has met it at 0. Steps of 0.5 mm, then a straight line between the last two.
    """
    steps = np.arange(0.0, reach + 0.5, 0.5)
    points = starts[:, None] + steps[None, :, None] * np.asarray(direction, dtype=np.float64)
    value = _distance(vertebra, points.reshape(-1, 3)).reshape(len(starts), len(steps))
    inside = value <= 0
    hit = inside.argmax(axis=1)
    row = np.arange(len(starts))
    before = np.maximum(hit - 1, 0)
    above, below = value[row, before], value[row, hit]
    share = np.where(hit > 0, above / np.where(above > below, above - below, 1), 0)
    return np.where(inside.any(axis=1), steps[before] + share * (steps[hit] - steps[before]), np.nan)


def _distance(vertebra: Vertebra, points: FloatArray) -> FloatArray:
    return np.asarray(vertebra.distance(points.astype(np.float32)), dtype=np.float64)


@cache
def canal(level: str) -> tuple[float, float, float]:
    """Return where a vertebra's canal begins and ends (y of its front and its back) and its half width, mm."""
    vertebra = _vertebra(level, Shape())
    y = np.arange(-60.0, 0.0, 0.1)
    along = np.column_stack([0 * y, y, 0 * y]).astype(np.float32)
    open_ = y[np.asarray(vertebra.canal_distance(along)) < 0]
    front, back = float(open_.max()), float(open_.min())
    x = np.arange(0.0, 25.0, 0.1)
    across = np.column_stack([x, np.full_like(x, (front + back) / 2), 0 * x]).astype(np.float32)
    return front, back, float(x[np.asarray(vertebra.canal_distance(across)) < 0].max())


@dataclass(frozen=True, eq=False)
class Spinous:
    """The spinous process in the midsagittal plane: `y` (n,) from the canal to the tip, its upper and lower edge."""

    y: FloatArray
    upper: FloatArray
    lower: FloatArray


def _spinous(vertebra: Vertebra) -> Spinous:
    """Return the outline of a spinous process, found by sampling bone behind the canal."""
    back = canal(vertebra.level)[1]
    y = np.arange(back - 1.0, back - 65.0, -1.0)
    z = np.arange(30.0, -60.0, -0.75)
    grid = np.stack(np.meshgrid([0.0], y, z, indexing="ij"), axis=-1)[0]
    bone = (_distance(vertebra, grid.reshape(-1, 3)) < 0).reshape(len(y), len(z))
    length = int(np.argmin(np.append(bone.any(axis=1), False)))
    bone = bone[:length]
    return Spinous(y[:length], z[bone.argmax(axis=1)], z[len(z) - 1 - bone[:, ::-1].argmax(axis=1)])


# --- the stack -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Spine:
    """Vertebrae of neighbouring `levels`, cranial to caudal, some of them deformed by `shapes`.

    Raises ValueError for levels that are unknown or do not follow each other, and for a shape that is none or is of a
    level not there.
    """

    levels: tuple[str, ...] = LEVELS
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Copies: what a caller does to its own list or dictionary later must not change what is already computed.
        object.__setattr__(self, "levels", tuple(self.levels))
        object.__setattr__(self, "shapes", dict(self.shapes))
        unknown = [level for level in self.levels if level not in LEVELS]
        if unknown or not self.levels:
            raise ValueError(f"levels are {self.levels!r}; give one or more of {', '.join(LEVELS)}")
        first = LEVELS.index(self.levels[0])
        if self.levels != LEVELS[first : first + len(self.levels)]:
            raise ValueError(f"levels are {', '.join(self.levels)}; give neighbours in order, cranial to caudal")
        absent = [level for level in self.shapes if level not in self.levels]
        if absent:
            raise ValueError(f"a shape is given for {absent[0]}, which is not among {', '.join(self.levels)}")
        for level, shape in self.shapes.items():
            if not isinstance(shape, Shape):
                raise ValueError(f"the shape of {level} is {shape!r}; give a Shape")

    @cached_property
    def vertebrae(self) -> dict[str, Vertebra]:
        """The vertebrae by level, each in its own frame."""
        return {level: _vertebra(level, self.shapes.get(level, Shape())) for level in self.levels}

    @property
    def segments(self) -> tuple[tuple[str, str], ...]:
        """Pairs of neighbours, (upper, lower)."""
        return tuple(zip(self.levels[:-1], self.levels[1:], strict=True))

    def _plate(self, level: str, which: str) -> tuple[FloatArray, FloatArray]:
        """Return the middle (3,) of an endplate and its axes (3, 3) in columns: right, anterior, cranial."""
        vertebra = self.vertebrae[level]
        points = np.asarray(vertebra.landmarks, dtype=np.float64)[: 3 if which == "superior" else None]
        front, _, rear = points[-3:]
        anterior = (front - rear) / np.linalg.norm(front - rear)
        half = 0.3 * dimensions()[level].upper_width
        heights = _plate_height(vertebra, which, np.array([[half, 0.0], [-half, 0.0]]))
        right = np.array([2 * half, 0.0, heights[0] - heights[1]])
        right = right - (right @ anterior) * anterior
        right /= np.linalg.norm(right)
        return (front + rear) / 2, np.column_stack([right, anterior, np.cross(right, anterior)])

    def _stand(self, upper: str, lower: str, beneath: Pose) -> Pose:
        """Return where `upper` stands on the disc above `lower`."""
        base, axes = self._plate(lower, "superior")
        foot, foot_axes = self._plate(upper, "inferior")
        wedge = disc_wedge(upper)
        ground = beneath.rotation @ axes
        rotation = ground @ _pitch(-wedge) @ foot_axes.T
        up = (ground @ _pitch(-wedge / 2))[:, 2]
        target = beneath.apply(base) + dimensions()[upper].disc_below * up
        return Pose(rotation, target - rotation @ foot)

    @cached_property
    def poses(self) -> dict[str, Pose]:
        """Where each vertebra stands, by level."""
        poses = {self.levels[-1]: Pose(_pitch(_lean(self.levels)))}
        for upper, lower in reversed(self.segments):
            poses[upper] = self._stand(upper, lower, poses[lower])
        return {level: poses[level] for level in self.levels}

    def landmarks(self, level: str) -> FloatArray:
        """Return a vertebra's six landmarks (6, 3) in the common frame, mm.

        Superior then inferior, each anterior, middle, posterior. Raises ValueError for a level that is not there.
        """
        self._known(level)
        return self.poses[level].apply(self.vertebrae[level].landmarks)

    def _known(self, *levels: str) -> None:
        for level in levels:
            if level not in self.levels:
                raise ValueError(f"{level!r} is not in this spine; give one of {', '.join(self.levels)}")

    def below(self, upper: str) -> str:
        """Return the level below another. Raises ValueError for one that is not there or has none below it."""
        self._known(upper)
        if upper == self.levels[-1]:
            raise ValueError(f"{upper} is the lowest vertebra of this spine; give a level that has another below it")
        return self.levels[self.levels.index(upper) + 1]

    def kyphosis(self, upper: str, lower: str) -> float:
        """Return the sagittal Cobb angle, degrees, positive = kyphosis.

        From the superior endplate of `upper` to the inferior endplate of `lower`.
        """
        return _slope(self.landmarks(lower)[3:]) - _slope(self.landmarks(upper)[:3])

    def lordosis(self, upper: str, lower: str) -> float:
        """Return the sagittal Cobb angle, degrees, positive = lordosis."""
        return -self.kyphosis(upper, lower)

    def bone_distance(self, points: ArrayLike) -> FloatArray:
        """Return the signed distance (n,) of points (n, 3) to the nearest bone, mm, negative inside.

        Farther than 30 mm from every vertebra's surroundings it is infinite. Raises ValueError unless each point has
        three finite coordinates.
        """
        return self._nearest(as_points(points), true=True)

    def _nearest(self, points: FloatArray, true: bool = False) -> FloatArray:
        nearest = np.full(len(points), np.inf)
        for level, vertebra in self.vertebrae.items():
            own = self.poses[level].inverse().apply(points)
            # No vertebra reaches farther: transverse processes 55 mm to the side, spinous process 80 mm back.
            near = (np.abs(own - [0, -25, -5]) < [85, 90, 70]).all(axis=1)
            if near.any():
                measure = vertebra.bone_distance if true else vertebra.distance
                found = np.asarray(measure(own[near].astype(np.float32)), dtype=np.float64)
                nearest[near] = np.minimum(nearest[near], found)
        return nearest

    def column_of(self, level: str, points: ArrayLike) -> NDArray[np.int64]:
        """Return for points (n, 3) in the common frame the column they lie in: an index (n,) into COLUMNS.

        Anterior: the front half of the body and disc; middle: the back half with the posterior wall; posterior: what
        lies behind [unreferenced].
        """
        self._known(level)
        y = self.poses[level].inverse().apply(points)[:, 1]
        wall = self.vertebrae[level].landmarks[[2, 5], 1].min()
        return np.where(y > 0, 0, np.where(y > wall, 1, 2))

    # --- disc ---

    def _disc(self, upper: str) -> "_Disc":
        lower = self.below(upper)
        table = dimensions()
        rho = np.array([0.3, 0.6, 0.8, 0.92])
        foot = _rim(upper, table[upper].lower_width, table[upper].lower_depth)
        base = _rim(lower, table[lower].upper_width, table[lower].upper_depth)
        return _Disc(
            rho, self._plate_points(lower, "superior", base, rho), self._plate_points(upper, "inferior", foot, rho)
        )

    def _plate_points(self, level: str, which: str, rim: FloatArray, rho: FloatArray) -> FloatArray:
        """Return points (rings, m, 3) of an endplate in the common frame, on rings inside its rim (m, 2)."""
        flat = (rho[:, None, None] * rim).reshape(-1, 2)
        height = _plate_height(self.vertebrae[level], which, flat)
        points = self.poses[level].apply(np.column_stack([flat, height]))
        return points.reshape(len(rho), len(rim), 3)

    def _annulus(self, upper: str) -> FloatArray:
        """Return three rings (3, 36, 3) round the side of the disc below a level, from below upwards."""
        disc = self._disc(upper)
        rim_low, rim_up = disc.low[-1], disc.up[-1]
        outward = (rim_low + rim_up) / 2 - (rim_low.mean(axis=0) + rim_up.mean(axis=0)) / 2
        length = np.linalg.norm(outward, axis=1, keepdims=True)
        s = np.array([0.15, 0.5, 0.85])[:, None, None]
        # Out to the rim of the bodies, which the outermost ring leaves by 8 %, and 1 mm more at mid-height.
        reach = 0.08 / 0.92 * length + 4 * s * (1 - s) * 1.0
        rings: FloatArray = (1 - s) * rim_low + s * rim_up + outward / length * reach
        return rings

    def disc(self, upper: str) -> Tissue:
        """Return the intervertebral disc below a level, with its annulus bulging slightly (drawn, 1 mm)."""
        disc = self._disc(upper)
        return skin([*disc.low, *self._annulus(upper), *disc.up[::-1]])

    def nucleus(self, upper: str) -> Tissue:
        """Return the nucleus pulposus of the disc below a level (drawn: the inner three fifths of the disc)."""
        disc = self._disc(upper)
        loops = []
        for latitude in np.radians([-75, -50, -25, 0, 25, 50, 75]):
            ring, s = 0.62 * np.cos(latitude), 0.5 + 0.36 * np.sin(latitude)
            loops.append((1 - s) * disc.ring(disc.low, ring) + s * disc.ring(disc.up, ring))
        return skin(loops)

    # --- ligaments ---

    def ligaments(self, upper: str) -> dict[str, Tissue]:
        """Return the ligaments of the segment below a level, by name.

        "ALL" and "PLL" (anterior and posterior longitudinal), "supraspinous", "interspinous", "flavum" (both sides)
        and "facet capsules" (both sides; absent where no facets meet).
        """
        lower = self.below(upper)
        found = {
            "ALL": self.anterior_longitudinal((upper, lower)),
            "PLL": self.posterior_longitudinal((upper, lower)),
            "supraspinous": self.supraspinous((upper, lower)),
            "interspinous": self.interspinous(upper),
            "flavum": self.flavum(upper),
        }
        capsules = self.facet_capsules(upper)
        return found | ({"facet capsules": capsules} if capsules else {})

    def anterior_longitudinal(self, levels: Sequence[str] = ()) -> Tissue:
        """Return the anterior longitudinal ligament along `levels` (all of the spine's when left out).

        Over the middle of a body 45 % of the body's width, a fifth wider over the discs (drawn).
        """
        rows = []
        levels = levels or self.levels
        self._known(*levels)
        share = np.linspace(-0.225, 0.225, 11)
        for level in levels:
            vertebra, table = self.vertebrae[level], dimensions()[level]
            points = vertebra.landmarks
            front = max(points[0, 1], points[3, 1])
            # A lateral collapse tilts the endplates, and the ligament ends with them.
            places = np.column_stack([share * table.upper_width, np.full_like(share, 0.75 * front)])
            plates = [_plate_height(vertebra, which, places) for which in ("superior", "inferior")]
            top, bottom = (points[i, 2] + z - z[len(z) // 2] for i, z in zip((0, 3), plates, strict=True))
            for t in np.linspace(0.04, 0.96, 9):
                x = share * table.upper_width * (1 + 0.2 * abs(2 * t - 1) ** 2)
                start = np.column_stack([x, np.full_like(x, front + 5), top + t * (bottom - top)])
                run = _cast(vertebra, start, (0, -1, 0), 25)
                # A breach in the wall leaves no bone to lie on: the ligament bridges it.
                run = _filled(x, run, 5.0)
                run = np.minimum(run, run.min() + 8)
                rows.append(self.poses[level].apply(start + np.outer(run, [0, -1, 0])))
            if level != levels[-1]:
                # Index 0 of a ring is its front, so that these nine to either side are its anterior half.
                half = self._annulus(level)[::-1, np.arange(-9, 10)]
                rows += [_across(ring, 1.2 * share * table.lower_width) for ring in half]
        return _band(rows, thickness=1.5, ridges=7, towards=1.0)

    def posterior_longitudinal(self, levels: Sequence[str] = ()) -> Tissue:
        """Return the posterior longitudinal ligament along `levels`: narrow behind the bodies, wide behind the discs.

        Behind L1 it is 7.8 mm wide and behind L5 1.9 mm [pll2018]; other widths are drawn. It bridges the hollow of
        the posterior wall and is pushed back by a fragment in the canal.
        """
        rows = []
        levels = levels or self.levels
        self._known(*levels)
        share = np.linspace(-0.5, 0.5, 9)
        for level in levels:
            narrow = float(np.interp(LEVELS.index(level), [LEVELS.index("L1"), LEVELS.index("L5")], [7.8, 1.9]))
            wide = 0.62 * dimensions()[level].canal_width
            count = 32 if self.vertebrae[level].stenosis else 16  # a fragment has edges, which few rows would cut
            for t in 0.5 - 0.515 * np.cos(np.linspace(0, np.pi, count)):  # close where it widens to the rims
                x = share * (narrow + (wide - narrow) * abs(2 * t - 1) ** 4)
                wall, z = self._wall(level, t, x)
                rows.append(self.poses[level].apply(np.column_stack([x, wall, z])))
            if level != levels[-1]:
                rear = self._annulus(level)[::-1, np.arange(27, 8, -1)]
                rows += [_across(ring, share * wide) for ring in rear]
        y, z = np.array(rows)[..., 1], np.array(rows)[..., 2]
        # From 0.6 mm before an edge it lies as far back as the edge, lest it cut the corner between two rows.
        tent = (y[None] + STEEPEST * np.maximum(np.abs(z[None] - z[:, None]) - 0.6, 0)).min(axis=1)
        rows = [np.column_stack([row[:, 0], y, row[:, 2]]) for row, y in zip(rows, tent, strict=True)]
        return _band(rows, thickness=0.9, ridges=3, towards=-1.0)

    def _wall(self, level: str, t: float, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return y and z (n,) of the front of the canal at places x, a share t of the way down the posterior wall.

        The bone that stands farthest back, a fragment included, but nowhere in front of the canal.
        """
        vertebra = self.vertebrae[level]
        top, bottom = vertebra.landmarks[2], vertebra.landmarks[5]
        line = top + t * (bottom - top)
        front, back, _ = canal(level)
        begin = 0.8 * back + 0.2 * front  # farther back, the rays at the sides would start in the laminae
        start = np.column_stack([x, np.full_like(x, begin), np.full_like(x, line[2])])
        met = begin + _cast(vertebra, start, (0, 1, 0), front - begin + 8)
        return np.minimum(_filled(x, met, line[1]), front), np.full_like(x, line[2])

    def flavum(self, upper: str) -> Tissue:
        """Return the ligamenta flava between the laminae of a level and those of the one below, right and left.

        From the front of the upper lamina to the upper edge of the lower one; 3 mm thick (drawn after 3.2 to 3.7 mm on
        MRI between L2 and S1 [flavum2023]).
        """
        lower = self.below(upper)
        half = min(canal(upper)[2], canal(lower)[2])
        halves = []
        for side in SIDES.values():
            fronts, backs = [], []
            for x in side * np.linspace(0.06, 0.62, 6) * half:
                low, y_low = self._lamina(upper, x)
                top, y_top = self._lamina(lower, x)
                edge = top.max() - 0.8
                end = self.poses[lower].apply([x, np.interp(edge, top[::-1], y_top[::-1]), edge])
                reach = self.poses[upper].inverse().apply(end)[2]
                z_leave = max(low.min() + 1.0, reach + 2.5)
                z_begin = min(z_leave + 5.0, low.max())
                y_at = np.interp([z_begin, z_leave], low[::-1], y_low[::-1])
                begin, leave = self.poses[upper].apply([[x, y_at[0], z_begin], [x, y_at[1], z_leave]])
                back = np.array([begin, leave, 0.65 * leave + 0.35 * end, 0.3 * leave + 0.7 * end, end])
                back += np.outer([0.15, 0.15, -0.5, -0.3, 0.15], [0, 1, 0])
                backs.append(back)
                fronts.append(back + np.outer([0.6, 2.3, 3.0, 2.8, 1.6], [0, 1, 0]))
            halves.append(slab(np.array(backs), np.array(fronts)))
        return merged(halves)

    def _lamina(self, level: str, x: float) -> tuple[FloatArray, FloatArray]:
        """Return z (n,), from top to bottom, and y (n,) of the lamina's front at a place x to the right."""
        front, back, _ = canal(level)
        z = np.arange(20.0, -35.0, -0.75)
        middle = (front + back) / 2
        start = np.column_stack([np.full_like(z, x), np.full_like(z, middle), z])
        run = _cast(self.vertebrae[level], start, (0, -1, 0), middle - back + 6)
        begin, end = _longest(~np.isnan(run))
        return z[begin:end], middle - run[begin:end]

    @cached_property
    def _spinous(self) -> dict[str, Spinous]:
        return {level: _spinous(vertebra) for level, vertebra in self.vertebrae.items()}

    def interspinous(self, upper: str) -> Tissue:
        """Return the interspinous ligament between the spinous processes of a level and of the one below."""
        lower = self.below(upper)
        share = np.linspace(0.12, 0.92, 25)
        edges = []
        for level, edge in ((upper, "lower"), (lower, "upper")):
            process = self._spinous[level]
            y = process.y[0] + share * (process.y[-1] - process.y[0])
            z = np.interp(-y, -process.y, getattr(process, edge))
            edges.append(self.poses[level].apply(np.column_stack([0 * y, y, z])))
        # Where the processes touch there is no ligament: only the longest stretch with a gap between them counts.
        begin, end = _longest((edges[0] - edges[1])[:, 2] > 1.5)
        keep = np.linspace(begin, max(end - 1, begin + 1), 8)
        top, bottom = (np.array([np.interp(keep, np.arange(25), axis) for axis in edge.T]).T for edge in edges)
        rows = np.array([(1 - s) * top + s * bottom for s in (0.03, 0.3, 0.5, 0.7, 0.97)])
        for _ in range(4):
            rows = self._pushed(rows.reshape(-1, 3), 0.0).reshape(rows.shape)
        half = np.array([1.6, 1.1, 1.0, 1.1, 1.6])[:, None, None] * np.array([1.0, 0.0, 0.0])
        return slab(rows - half, rows + half)

    def supraspinous(self, levels: Sequence[str] = ()) -> Tissue:
        """Return the supraspinous ligament over the tips of the spinous processes of `levels` (all when left out)."""
        line = []
        levels = levels or self.levels
        self._known(*levels)
        for level in levels:
            process = self._spinous[level]
            tip = process.y[-1] - 1.6
            near = min(2, len(process.y) - 1)
            high, low = process.upper[-1 - near], process.lower[-1 - near]
            line.append(
                self.poses[level].apply([[0, tip, 0.75 * high + 0.25 * low], [0, tip, 0.25 * high + 0.75 * low]])
            )
        points = np.vstack(line)
        path = smoothed(points, 8 * (len(points) // 2))
        return tube(self._freed(path, np.full(len(path), 1.1)), 3.2, 1.1)

    def facet_capsules(self, upper: str) -> Tissue | None:
        """Return the capsules of the facet joints below a level, right and left; None where no facets meet.

        A capsule is what lies close to both articular processes and is not bone.
        """
        lower = self.below(upper)
        front, back, half = canal(upper)
        bottom = float(self.vertebrae[upper].landmarks[5, 2])
        spacing, found = 1.25, []
        for side in SIDES.values():
            x = np.arange(0.45 * half, half + 16, spacing)
            y = np.arange(back - 14, (front + back) / 2, spacing)
            z = np.arange(bottom - 24, bottom + 20, spacing)
            grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1)
            own = grid.reshape(-1, 3) * [side, 1, 1]
            world = self.poses[upper].apply(own)
            above = _distance(self.vertebrae[upper], own)
            below = _distance(self.vertebrae[lower], self.poses[lower].inverse().apply(world))
            closeness = np.maximum(np.abs(above), np.abs(below))
            if closeness.min() > 2.5:
                continue
            centre = own[closeness < closeness.min() + 0.8].mean(axis=0)
            inside = np.maximum.reduce(
                [above - 2.2, below - 2.2, 0.1 - above, 0.1 - below, np.linalg.norm(own - centre, axis=1) - 9]
            )
            if inside.min() >= 0:
                continue
            vertices, faces = surface(inside.reshape(grid.shape[:3]), (x[0], y[0], z[0]), spacing)
            found.append(tissue(self.poses[upper].apply(vertices * [side, 1, 1]), faces.astype(np.int64)))
        return merged(found) if found else None

    # --- what the canal holds ---

    @cached_property
    def _sac(self) -> FloatArray:
        """The thecal sac's axis, cranial to caudal: rows of place (3), half width and half depth (n, 5), mm."""
        rows: list[FloatArray] = []
        for level in self.levels:
            vertebra, (front, back, half) = self.vertebrae[level], canal(level)
            behind = back + 3.6  # the ligamentum flavum and the fat in front of it
            width = 0.35 * 2 * half * (0.9 if level == "L5" else 1.0)
            top, bottom = vertebra.landmarks[[2, 5], 2]
            shares = [0.1, 0.3, 0.5, 0.7, 0.9]
            ends = {self.levels[0]: [-0.4], self.levels[-1]: [] if level == "L5" else [1.4]}.get(level, [])
            for t in sorted([*shares, *ends]):
                wall = self._wall(level, float(np.clip(t, 0.08, 0.92)), np.array([-4.0, 0.0, 4.0]))[0].min()
                ahead = max(min(wall, front) - 1.9, behind + 2.0)
                place = self.poses[level].apply([0, (ahead + behind) / 2, top + t * (bottom - top)])
                rows.append(np.array([*place, width, (ahead - behind) / 2]))
        if self.levels[-1] == "L5":
            rows += self._sacral()
        return smoothed(np.array(rows), 6 * len(self.levels) + (10 if self.levels[-1] == "L5" else 4))

    def _sacral(self) -> list[FloatArray]:
        """Return rows of the sac's axis in the sacral canal, ending at the middle of S2 [conussac2014].

        The sacrum's size and the canal's place in it are drawn; its tilt is that of `curvature`.
        """
        table = dimensions()["L5"]
        front, back, _ = canal("L5")
        centre = (front + back) / 2
        s1 = self._along(self.poses["L5"], table.heights[1] / 2 + table.disc_below + 15, curvature()["L5", "segment"])
        s2 = self._along(s1, 27, curvature()["S1", "segment"])
        places = [(s1, centre + 1, 10, 7.5, 4.5), (s1, centre + 3, -8, 6.0, 3.6), (s2, centre + 4, 4, 4.0, 2.6)]
        rows = [np.array([*pose.apply([0, y, z]), wide, deep]) for pose, y, z, wide, deep in places]
        return [*rows, np.array([*s2.apply([0, centre + 4, -3]), 0.8, 0.8])]

    @staticmethod
    def _along(pose: Pose, height: float, kyphosis: float) -> Pose:
        """Return the pose of a body `height` below another along the curve, turned against it by a kyphosis."""
        half = pose.rotation @ _pitch(kyphosis / 2)
        return Pose(pose.rotation @ _pitch(kyphosis), pose.translation - height * half[:, 2])

    def sac(self) -> Tissue:
        """Return the thecal sac. With L5 in the spine it goes on to the middle of S2, else it is cut off.

        A fragment in the canal dents it.
        """
        rows = self._sac
        return tube(rows[:, :3], rows[:, 3], rows[:, 4], around=20)

    def conus(self) -> FloatArray | None:
        """Return where the cord ends (3,), at the height of the disc L1-L2; None in a spine without L1."""
        if "L1" not in self.levels:
            return None
        bottom = self.vertebrae["L1"].landmarks[5]
        front, back, _ = canal("L1")
        drop = dimensions()["L1"].disc_below / 2
        return self.poses["L1"].apply([0, (front + back) / 2, bottom[2] - drop])

    @cached_property
    def _cord(self) -> FloatArray | None:
        """The cord's axis, cranial to caudal: rows of place, half width and half depth (n, 5); None below its end."""
        tip = self.conus()
        if LEVELS.index(self.levels[0]) > LEVELS.index("L1"):
            return None
        rows = self._sac
        known = [LEVELS.index(level) for level in CORD]
        heights = np.array([self.poses[level].translation[2] for level in self.levels])
        order = np.argsort(heights)
        place = np.interp(rows[:, 2], heights[order], np.array([LEVELS.index(each) for each in self.levels])[order])
        if tip is not None:
            rows, place = rows[rows[:, 2] > tip[2] + 1], place[rows[:, 2] > tip[2] + 1]
        half = np.array([np.interp(place, known, [size[i] for size in CORD.values()]) for i in (0, 1)]).T
        half = np.minimum(half, 0.75 * rows[:, 3:])
        cord = np.hstack([rows[:, :3], half])
        if tip is None:
            return cord
        at = rows[-1, :3] + (tip - rows[-1, :3]) * [1, 0, 1] * 0.999
        return np.vstack([cord, [*((cord[-1, :3] + at) / 2), *(0.75 * half[-1])], [*at, 0.6, 0.6]])

    def cord(self) -> Tissue | None:
        """Return the spinal cord down to its conus at the disc L1-L2; None in a spine that begins below it."""
        if self._cord is None:
            return None
        path = _prolonged(self._cord[:, :3], 2.0, 2.0 if self.conus() is None else 0.0)
        return tube(path, self._cord[:, 3], self._cord[:, 4], around=16)

    def cauda(self) -> Tissue | None:
        """Return strands of the cauda equina, from the conus to where their roots leave the sac; None above it.

        One strand for each root from L2 and the filum terminale; in life there are many more.
        """
        tip = self.conus()
        rows = self._sac
        begin = int(np.searchsorted(-rows[:, 2], -(tip[2] + 14))) if tip is not None else 0
        if LEVELS.index(self.levels[-1]) < LEVELS.index("L1") or len(rows) - begin < 4:
            return None
        strands = []
        for name in ("L2", "L3", "L4", "L5", "S1", "S2", "filum"):
            end = len(rows)
            if name in self.levels:
                height = self._root_start(name, 1.0)[2]
                end = max(int(np.searchsorted(-rows[:, 2], -height)), begin)
            if end - begin < 4 or (name in LEVELS and LEVELS.index(name) < LEVELS.index(self.levels[0])):
                continue
            part = rows[begin:end]
            s = np.linspace(0, 1, len(part))
            order = ("filum", "S2", "S1", "L5", "L4", "L3", "L2").index(name)
            lateral = (0.10 * order) * (1 - s) + (0.72 if name in self.levels else 0.1 * order) * s
            # The roots hang behind, along the sac's sides; the lower the root, the nearer to the middle.
            depth = -0.55 + 0.09 * order
            tapered = np.maximum(part[:, 3:], 1.4) - 0.9
            for side in (0.0,) if name == "filum" else SIDES.values():
                shift = np.column_stack([side * lateral * tapered[:, 0], depth * tapered[:, 1], 0 * s])
                cut = end == len(rows) and self.levels[-1] != "L5"
                path = _prolonged(part[:, :3] + shift, 0.0 if begin else 2.0, 2.0 if cut else 0.0)
                strands.append(tube(path, 0.55 if name == "filum" else 0.7, around=6))
        return merged(strands) if strands else None

    def _root_start(self, level: str, side: float) -> FloatArray:
        pedicle = self.vertebrae[level].pedicle("right" if side > 0 else "left")
        front, back, half = canal(level)
        return self.poses[level].apply([side * 0.45 * half, (front + back) / 2 + 1, float(pedicle.centre[2])])

    def roots(self, level: str) -> dict[str, Tissue]:
        """Return the spinal nerves of a level, "right" and "left", with their ganglion.

        Each leaves the sac beside its vertebra and passes under the pedicle into the foramen.
        """
        self._known(level)
        front, back, half = canal(level)
        radius = float(np.interp(LEVELS.index(level), [6, 7, 11], [1.3, 1.6, 2.2]))
        found = {}
        for name, side in SIDES.items():
            pedicle = self.vertebrae[level].pedicle("right" if side > 0 else "left")
            x, y, z = (float(each) for each in pedicle.centre)
            under = z - pedicle.height / 2 - 1.35 * radius - 0.8
            middle = (front + back) / 2
            line = np.array(
                [
                    [side * 0.45 * half, middle + 1, z],
                    [side * 0.66 * half, middle + 2, (z + under) / 2 + 1],
                    [side * (half - 0.5), y - 1, under + 0.5],
                    [x + side * 2, y + 1, under - 1.0],
                    [x + side * (pedicle.width / 2 + 6), y + 6, under - 5],
                    [x + side * (pedicle.width / 2 + 14), y + 10, under - 11],
                ]
            )
            path = smoothed(self.poses[level].apply(line), 22)
            swell = radius * (1 + 0.35 * np.exp(-((np.linspace(0, 1, 22) - 0.55) ** 2) / 0.008))
            found[name] = tube(self._freed(path, swell), swell, across=(0, 0, 1), around=10)
        return found

    def _freed(self, path: FloatArray, radius: FloatArray) -> FloatArray:
        """Return a path (n, 3) moved out of bone, so that a tube of `radius` (n,) around it touches none."""
        moved = path
        for _ in range(12):
            freer = self._pushed(moved, radius + 0.3)
            if np.array_equal(freer, moved):
                break
            moved = freer
            moved[1:-1] = 0.5 * moved[1:-1] + 0.25 * (moved[:-2] + moved[2:])
        return moved

    def _pushed(self, points: FloatArray, clearance: FloatArray | float) -> FloatArray:
        """Return points (n, 3) moved, by 0.8 mm at most, away from bone that is nearer than their clearance."""
        short = np.clip(clearance - self._nearest(points), 0, 0.8)
        step = 0.25 * np.vstack([np.eye(3), -np.eye(3)])
        value = self._nearest((points[None] + step[:, None]).reshape(-1, 3)).reshape(6, -1)
        slope = (value[:3] - value[3:]).T
        slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
        return points + short[:, None] * slope

    def basivertebral_vein(self, level: str) -> Tissue:
        """Return the basivertebral vein: from the posterior wall's middle forwards, then in two branches (drawn)."""
        self._known(level)
        table = dimensions()[level]
        points = self.vertebrae[level].landmarks
        middle = (points[:3] + points[3:]) / 2  # anterior, middle, posterior

        def at(x: float, y: float) -> list[float]:
            return [x * table.upper_width, y, float(np.interp(y, middle[::-1, 1], middle[::-1, 2]))]

        wall, depth = middle[2, 1], table.upper_depth
        fork = at(0, wall + 0.5 * depth)
        line = smoothed(np.array([at(0, wall - 0.5), at(0, wall + 0.25 * depth), fork]), 6)
        parts = [tube(self.poses[level].apply(line), np.linspace(1.9, 1.2, 6), around=10)]
        for side in SIDES.values():
            ends = np.array(
                [at(0, fork[1] - 1.0), at(side * 0.12, wall + 0.6 * depth), at(side * 0.3, wall + 0.74 * depth)]
            )
            parts.append(tube(self.poses[level].apply(smoothed(ends, 6)), np.linspace(1.1, 0.45, 6), around=8))
        return merged(parts)


@dataclass(frozen=True, eq=False)
class _Disc:
    """The two faces of a disc: points (rings, m, 3) on rings at the shares `rho` of the way to the rim."""

    rho: FloatArray
    low: FloatArray
    up: FloatArray

    def ring(self, face: FloatArray, rho: float) -> FloatArray:
        """Return a face's points (m, 3) on any ring."""
        known = np.concatenate([[0.0], self.rho])
        rings = np.concatenate([np.broadcast_to(face[0].mean(axis=0), (1, *face[0].shape)), face])
        i = int(np.clip(np.searchsorted(known, rho) - 1, 0, len(known) - 2))
        s = (rho - known[i]) / (known[i + 1] - known[i])
        ring: FloatArray = (1 - s) * rings[i] + s * rings[i + 1]
        return ring


def _rim(level: str, width: float, depth: float) -> FloatArray:
    """Return the rim (36, 2) of a body's endplate, from its front round the right side."""
    outline = between(THORACIC_BODY, LUMBAR_BODY, lumbarness(level)["body"])
    return outline.contour(36) * [width / 2, depth / 2]


def _plate_height(vertebra: Vertebra, which: str, places: FloatArray) -> FloatArray:
    """Return z (n,) of an endplate's bone at places x, y (n, 2) in the vertebra's own frame."""
    points = vertebra.landmarks
    up = 1.0 if which == "superior" else -1.0
    plate = points[:3] if up > 0 else points[3:]
    start = up * (max(up * plate[:, 2]) + 4)
    starts = np.column_stack([places, np.full(len(places), start)])
    run = _cast(vertebra, starts, (0, 0, -up), 26)
    expected = np.interp(places[:, 1], plate[::-1, 1], plate[::-1, 2])
    # Where a breach leaves no bone, or only bone far down, the disc ends 6 mm below the plane of the landmarks.
    found: FloatArray = up * np.fmax(up * (start - up * run), up * expected - 6)
    return found


def _across(line: FloatArray, x: FloatArray) -> FloatArray:
    """Return the points (k, 3) that lie x (k,) to the right of the middle one of a line (n, 3) whose own x grows."""
    place = x + line[len(line) // 2, 0]
    return np.column_stack([place, *(np.interp(place, line[:, 0], line[:, axis]) for axis in (1, 2))])


def _band(rows: Sequence[FloatArray], thickness: float, ridges: int, towards: float) -> Tissue:
    """Return a ligament on rows (k, 3) of points, from top to bottom: it lies on their side `towards` y, 1 or -1.

    It thins out to its edges, and its fibres show as shallow ridges (drawn).
    """
    places = np.linspace(-1, 1, len(rows[0]))
    edge = np.linspace(-1, 1, 4 * ridges + 1)
    under = CubicSpline(places, np.array(rows), axis=1)(edge)
    normal = np.cross(np.gradient(under, axis=1), np.gradient(under, axis=0))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    normal *= towards * np.sign(normal[..., 1:2].mean())
    height = thickness * np.sqrt(1 - 0.98 * edge**4) * (1 + 0.07 * np.cos(2 * np.pi * ridges * (edge + 1) / 2))
    # A film's thickness into what it lies on, lest light falls through between the two.
    return slab(under - 0.1 * normal, under + height[:, None] * normal)


def _filled(x: FloatArray, values: FloatArray, otherwise: float) -> FloatArray:
    """Return values (n,) with the missing ones interpolated along x, or `otherwise` where all are missing."""
    known = ~np.isnan(values)
    return np.interp(x, x[known], values[known]) if known.any() else np.full_like(x, otherwise)


def _prolonged(path: FloatArray, before: float, after: float) -> FloatArray:
    """Return a path (n, 3) with its ends drawn out (mm), so that what the cut sac holds stands out of it."""
    path = path.copy()
    first, last = path[0] - path[1], path[-1] - path[-2]
    path[0] += before * first / np.linalg.norm(first)
    path[-1] += after * last / np.linalg.norm(last)
    return path


def _longest(holds: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest unbroken run of what `holds` (n,) begins and ends (one past it); all if nothing does."""
    if not holds.any():
        return 0, len(holds)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], holds.astype(int), [0]]))).reshape(-1, 2)
    begin, end = edges[np.argmax(edges[:, 1] - edges[:, 0])]
    return int(begin), int(end)


@cache
def _lean(levels: tuple[str, ...]) -> float:
    """Return the slope of the lowest vertebra (degrees, anterior end up) at which the undeformed stack is upright."""
    if len(levels) == 1:
        return 0.0
    spine = Spine(levels)
    pose = Pose()
    for upper, lower in reversed(spine.segments):
        pose = spine._stand(upper, lower, pose)
    _, y, z = pose.translation
    return float(np.degrees(np.arctan2(y, z)))


def scene(spine: Spine, spacing: float = 2.2) -> dict[str, Mesh | Tissue]:
    """Return all of a spine as closed surfaces in its common frame, by stable ids.

    "L1.vertebra", "L1.basivertebral vein", "L1.right root", "L1.left root" for each level; "L1-L2.disc",
    "L1-L2.nucleus", "L1-L2.flavum", "L1-L2.interspinous", "L1-L2.facet capsules" for each segment; "ALL", "PLL",
    "supraspinous", "sac", "cord", "cauda" once, where present. `spacing` (mm) is the vertebrae's mesh size.
    """
    parts: dict[str, Mesh | Tissue | None] = {}
    for level, vertebra in spine.vertebrae.items():
        mesh, pose = vertebra.mesh(spacing), spine.poses[level]
        vertices, normals = (a.astype(np.float32) for a in (pose.apply(mesh.vertices), pose.turn(mesh.normals)))
        parts[f"{level}.vertebra"] = Mesh(vertices, mesh.faces, normals, mesh.parts)
        parts[f"{level}.basivertebral vein"] = spine.basivertebral_vein(level)
        for side, root in spine.roots(level).items():
            parts[f"{level}.{side} root"] = root
    for upper, lower in spine.segments:
        parts[f"{upper}-{lower}.disc"] = spine.disc(upper)
        parts[f"{upper}-{lower}.nucleus"] = spine.nucleus(upper)
        parts[f"{upper}-{lower}.flavum"] = spine.flavum(upper)
        parts[f"{upper}-{lower}.interspinous"] = spine.interspinous(upper)
        parts[f"{upper}-{lower}.facet capsules"] = spine.facet_capsules(upper)
    parts["ALL"] = spine.anterior_longitudinal()
    parts["PLL"] = spine.posterior_longitudinal()
    parts["supraspinous"] = spine.supraspinous()
    parts["sac"], parts["cord"], parts["cauda"] = spine.sac(), spine.cord(), spine.cauda()
    return {name: part for name, part in parts.items() if part is not None}
