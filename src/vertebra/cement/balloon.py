"""The balloon of a kyphoplasty: bone crushed, an endplate lifted, a cavity left, from the volume that is pumped in.

Each balloon is an ellipsoid with six half-axes of its own (forwards, backwards, left, right, up, down). It is filled
with known volume, little by little, and every 0.025 mL goes where the least pressure makes room for it:

* Into trabecular bone. The bone crushes at a plateau stress, a power law of its apparent density, higher along the
  spine than across it, and is packed into a shell of given thickness, all of it: nothing is lost. The pressure is the
  limit of a cavity that grows in such a medium, `cavity_pressure`.
* Up (or down) with an endplate, once the shell has come to it. Then the pressure times the area of contact works
  against the pressure of the discs on a patient who lies prone, against the bond of the healing fracture, which breaks,
  and against the fragments that are jammed in each other. The endplate goes back the way it came: one number, the share
  of the lost height regained, moves all of it.

Cortex does not give way. The balloon's wall adds its own pressure, that of a Gent membrane, nearly inextensible at the
largest volume; and it wants its own shape, longish first and rounder later: to hold a half-axis e times shorter than in
air costs `shape stiffness`. The pressure falls when the fracture lets go because more room is made than is filled.

On deflation a share of what was regained is lost again. Fitted: this share [rotter2010], the plateau stress
[outersleeve], how much less an old fracture gives way [crandall2004]. How fast a fracture heals, and most of what
concerns the balloon's wall, is assumed [unreferenced]. All numbers: `assets/materials/balloon.csv`.

In the model dense bone regains more height, at much more pressure, until the balloon bursts: what cannot go sideways
goes up. Steps half as large change the share regained by up to 0.02. Left out: that a cleft is empty before (it only
keeps the fracture mobile), that two shells overlap, holes in an endplate or a wall (no obstacle to the balloon), fresh
breaches, muscles, and denser bone about an older fracture.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from vertebra.assets import parameters
from vertebra.measure.morphometry import SixPoints, vertebral_kyphosis
from vertebra.spine.vertebra import SHELL, Vertebra

FloatArray = NDArray[np.float64]

TABLE = "materials/balloon.csv"
PSI = 6894.757  # Pa
STEP = 0.025  # mL into one balloon between two looks at where the least resistance is
SMALLEST = STEP / 8  # where a whole step finds no room, smaller ones may
SPACING = 1.5  # mm of the grid on which the distance to the bone's surface is kept
SLIPS = 6  # how often a folded balloon slips away from a wall before it is filled
BODY = 100.0  # mm: farther than any half-axis grows
NOTHING = 1e-9  # mL
DEPTH = 0.6  # mm by which a balloon may come nearer to a wall than it can, before it is taken to be stuck
ROOM = SHELL + 0.5  # mm from the bone's surface to a balloon that cannot come nearer: the cortex, and crushed bone
BETWEEN = 0.6  # mm from a balloon to the plane half way to the other
OVERSHOOT = 2.5  # a mode takes at most this fraction of a gap in one step, because others move the same point too
NEAR = 0.9  # share of the rated pressure at which it is time to stop
FIT = 0.5  # mm by which a folded balloon may stand out of the bone: it is soft
AROUND = 0.7 * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])  # mm; where the slope of a distance is read
ARM = 0.25  # mode and wall: less of a push than this is a glide along the wall
BONE_VOLUMES = (0.04, 0.22)
AGES = (0.0, 520.0)


def parameter(name: str) -> float:
    """Return one value of `materials/balloon.csv`."""
    return parameters(TABLE)[name].value


@dataclass(frozen=True)
class Balloon:
    """An inflatable bone tamp: `length` folded (mm), largest `volume` (mL) and `pressure_limit` (Pa)."""

    name: str
    length: float
    volume: float
    pressure_limit: float

    def pressure(self, volume_ml: ArrayLike) -> FloatArray:
        """Return the pressure (Pa) of the balloon in air at volumes (mL, any shape): a spherical Gent membrane.

        None until the wall begins to stretch; without bound where it cannot stretch any further. Raises ValueError
        beyond that.
        """
        v = np.asarray(volume_ml, dtype=np.float64)
        limit = parameter("wall limit")
        stretch = np.maximum(v / (parameter("resting volume") * self.volume), 1) ** (1 / 3)
        room = limit - (2 * stretch**2 + stretch**-4 - 3)
        if not (np.isfinite(v).all() and (v >= 0).all() and (room > 0).all()):
            raise ValueError(f"{v.max():g} mL in a {self.name} balloon; give 0 to {self.volume:g} mL")
        pressure: FloatArray = parameter("wall stiffness") * 1e6 * (1 / stretch - stretch**-7) * limit / room
        return pressure

    def semi_axes(self, volume_ml: float) -> FloatArray:
        """Return half the length and twice half the thickness (3,) that the balloon has in air, mm."""
        half = self.length / 2 * (1 + parameter("lengthening") * volume_ml / self.volume)
        across = math.sqrt(3e3 * volume_ml / (4 * math.pi * half))
        return np.array([half, across, across])


BALLOONS = {
    name: Balloon(name, parameter(f"{name} length"), parameter(f"{name} volume"), parameter("rated pressure") * 1e6)
    for name in ("10/3", "15/3", "20/3")
}
"""Sizes as sold. That they are sold was read; lengths, volumes and the rating (400 psi) are recalled [unreferenced]."""


@dataclass(frozen=True, eq=False)
class Cavity:
    """An ellipsoid in bone, with a shell of compacted bone around it.

    `centre` (3,), mm; `semi_axes` (3,), mm: along `axis` (3,), to the patient's right, upwards; `axes` (3, 3) holds the
    three directions as rows. `shell_thickness` mm; `shell_porosity` 0..1 holds all the bone that was in its place.
    """

    centre: FloatArray
    semi_axes: FloatArray
    axis: FloatArray
    shell_thickness: float
    shell_porosity: float

    @property
    def axes(self) -> FloatArray:
        """The three directions as rows, right-handed or not: along, to the right, up."""
        return _frame(self.axis)

    @property
    def volume(self) -> float:
        """Volume, mL."""
        return float(4e-3 / 3 * math.pi * self.semi_axes.prod())

    def level(self, points: ArrayLike, more: float = 0.0) -> FloatArray:
        """Return where points (..., 3) lie: below 1 inside the ellipsoid enlarged by `more` mm, 1 on it."""
        own = (np.asarray(points, dtype=np.float64) - self.centre) @ self.axes.T
        inside: FloatArray = np.sqrt(((own / (self.semi_axes + more)) ** 2).sum(axis=-1))
        return inside

    def distance(self, points: ArrayLike, more: float = 0.0) -> FloatArray:
        """Return the distance (...,) of points (..., 3) to the surface of that ellipsoid, mm, first-order exact."""
        half = self.semi_axes + more
        q = (np.asarray(points, dtype=np.float64) - self.centre) @ self.axes.T / half
        share = np.linalg.norm(q, axis=-1)
        slope = np.linalg.norm(q / half, axis=-1) / np.maximum(share, 1e-9)
        far: FloatArray = (share - 1) / np.maximum(slope, 1 / half.max())
        return far

    def surface(self, n: int = 24) -> FloatArray:
        """Return points (n // 2 * n + 2, 3) of the surface, mm."""
        return self.centre + (_directions(n) * self.semi_axes) @ self.axes


@dataclass(frozen=True, eq=False)
class Inflation:
    """What a volume did: `vertebra` before, `lifted` while inflated, `settled` after deflation.

    `volume` is what went in, mL, all balloons together: `asked`, or less if `stopped` says why ("burst": the pressure
    passed the rating; "room": nothing gives way any more; "": all went in). `pressure` (Pa) is that at the end, of the
    balloon where it is higher; `volumes` and `pressures` (n,) are the way there. `balloons` are the ellipsoids while
    inflated, `cavities` what deflation leaves. `regained` and `kept` are the shares of the lost height that these two
    states have got back. `clearance` is the distance (mm) from the nearest balloon to the inner face of each wall's
    cortex; `contacts` names the walls where less than half of the compacted bone is left between the two. `limits` are
    the signs to stop, in plain words.
    """

    vertebra: Vertebra
    lifted: Vertebra
    settled: Vertebra
    balloon: Balloon
    asked: float
    volume: float
    pressure: float
    volumes: FloatArray
    pressures: FloatArray
    balloons: tuple[Cavity, ...]
    cavities: tuple[Cavity, ...]
    regained: float
    kept: float
    clearance: dict[str, float]
    contacts: tuple[str, ...]
    stopped: str
    limits: tuple[str, ...]

    @property
    def heights(self) -> FloatArray:
        """Anterior, middle and posterior height, mm, (3, 3): rows before, inflated, after deflation."""
        return np.array([body.heights for body in (self.vertebra, self.lifted, self.settled)])

    @property
    def wedge_angles(self) -> FloatArray:
        """Kyphosis between the body's own endplates, degrees, (3,): before, inflated, after deflation."""
        return np.array([wedge_angle(body) for body in (self.vertebra, self.lifted, self.settled)])


def inside(cavity: Cavity, points: ArrayLike) -> NDArray[np.bool_]:
    """Return whether points (..., 3), mm, lie inside a cavity."""
    return cavity.level(points) < 1


def wedge_angle(vertebra: Vertebra) -> float:
    """Return the kyphosis between the body's own endplates, degrees, read off its six points."""
    return vertebral_kyphosis(SixPoints.from_array(vertebra.landmarks[:, 1:]))


# --- bone ------------------------------------------------------------------------------------------------------------


def plateau(bone_volume: float) -> FloatArray:
    """Return the stress (2,) at which trabecular bone goes on crushing across and along the spine, Pa."""
    density = bone_volume * parameter("tissue density")
    strength = parameter("crush coefficient") * density ** parameter("crush exponent")
    along = 1e6 * parameter("plateau share") * strength
    return np.array([parameter("transverse share") * along, along])


def cavity_pressure(stress: ArrayLike, radius: float, shell: float) -> FloatArray:
    """Return the pressure in a spherical cavity that grows in a perfectly plastic, crushable medium.

    The bone ahead of the crushed shell crushes at `stress`; the rubble of the shell (outer radius `radius` + `shell`)
    yields at the same difference of radial and hoop stress. Equilibrium in the shell then gives the closed form
    stress (1 + 2 ln((radius + shell) / radius)). Units are those of `stress`, and of `radius` and `shell` alike.
    """
    return np.asarray(stress, dtype=np.float64) * (1 + 2 * math.log1p(shell / radius))


def shell_porosity(semi_axes: ArrayLike, shell: float, bone_volume: float) -> float:
    """Return the porosity of the shell that holds all the bone of the cavity and its own, half-axes and shell in mm."""
    half = np.asarray(semi_axes, dtype=np.float64)
    outer, inner = float((half + shell).prod()), float(half.prod())
    return 1 - bone_volume * outer / (outer - inner)


def shell_thickness(semi_axes: ArrayLike) -> float:
    """Return how thick the compacted shell about a cavity is, mm: a third of the cavity's mean radius, at most 3 mm.

    A third keeps small cavities in proportion: their shell is then 1.7 times as dense as the bone was.
    """
    radius = float(np.asarray(semi_axes, dtype=np.float64).prod() ** (1 / 3))
    return min(parameter("shell"), parameter("shell share") * radius)


def healed(weeks: float, mobile: bool = False) -> float:
    """Return how far a fracture's bond has healed, 0 to 1, `weeks` after it broke; never if a cleft keeps it `mobile`.

    1 - exp(-age / 12 weeks): an assumption [unreferenced].
    """
    return 0.0 if mobile else -math.expm1(-weeks / parameter("healing time"))


# --- the body as the balloon meets it --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Body:
    """The vertebra on a grid: signed distance to its surface, its endplates over x and y and their way back, mm."""

    origin: FloatArray
    far: FloatArray
    whole: FloatArray  # as `far`, with all lost height regained
    top: FloatArray
    foot: FloatArray
    rise: FloatArray
    sink: FloatArray
    floor: float  # y of the posterior wall

    @cached_property
    def planes(self) -> FloatArray:
        """Return what is kept over x and y (columns, rows, 4): top, foot, rise, sink."""
        return np.stack([self.top, self.foot, self.rise, self.sink], axis=-1)

    def plates(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return top, foot, rise and sink (4, n) at points, linear between the grid's columns."""
        columns, rows, _ = self.planes.shape
        u = np.clip((x - self.origin[0]) / SPACING, 0, columns - 1)
        v = np.clip((y - self.origin[1]) / SPACING, 0, rows - 1)
        i, j = np.minimum(u.astype(int), columns - 2), np.minimum(v.astype(int), rows - 2)
        u, v = (u - i)[:, None], (v - j)[:, None]
        near = (1 - v) * self.planes[i, j] + v * self.planes[i, j + 1]
        far = (1 - v) * self.planes[i + 1, j] + v * self.planes[i + 1, j + 1]
        found: FloatArray = ((1 - u) * near + u * far).T
        return found

    def outside(self, points: FloatArray, share: float) -> FloatArray:
        """Return the distance (n,) of points (n, 3) to the surface, negative inside, when `share` is regained.

        Lifting an endplate stretches what is below it.
        """
        p = points
        if share:
            top, foot, rise, sink = self.plates(p[:, 0], p[:, 1])
            low = foot - share * sink
            squeeze = (top - foot) / (top - foot + share * (rise + sink))
            p = np.column_stack([p[:, :2], foot + (p[:, 2] - low) * squeeze])
        far = self.inside(self.far, p)
        if share:
            # What had buckled outwards stretches again.
            far = np.maximum(far, (1 - share) * far + share * self.inside(self.whole, points))
        return np.asarray(np.maximum(far, self.floor - p[:, 1]), dtype=np.float64)

    def inside(self, grid: FloatArray, points: FloatArray) -> FloatArray:
        """Return what a grid holds at points (n, 3)."""
        found: FloatArray = map_coordinates(grid, (points - self.origin).T / SPACING, order=1, mode="nearest")
        return found


def _columns(vertebra: Vertebra, origin: FloatArray, count: tuple[int, ...]) -> tuple[FloatArray, ...]:
    """Return the distance on a grid, and where its columns first leave the bone going up and going down."""
    x, y, z = (origin[i] + SPACING * np.arange(count[i]) for i in range(3))
    points = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1)
    far = vertebra.distance(points.reshape(-1, 3)).reshape(count).astype(np.float64)
    slope: FloatArray = np.linalg.norm(np.gradient(far, SPACING), axis=0)
    true = far / np.clip(slope, 0.5, 1.6)
    marks = vertebra.landmarks
    middle = np.interp(y, (marks[2::-1, 1] + marks[:2:-1, 1]) / 2, (marks[2::-1, 2] + marks[:2:-1, 2]) / 2)
    ends = []
    start = np.clip(np.rint((middle - origin[2]) / SPACING).astype(int), 1, count[2] - 2)
    index = np.arange(count[2])
    for step in (1, -1):
        beyond = (index - start[:, None]) * step >= 0
        out = (far >= 0) & beyond
        order = out if step > 0 else out[..., ::-1]
        first = np.argmax(order, axis=2)
        first = np.where(order.any(axis=2), first, count[2] - 1)
        first = first if step > 0 else count[2] - 1 - first
        last = np.clip(first - step, 0, count[2] - 1)
        a, b = (np.take_along_axis(far, k[..., None], axis=2)[..., 0] for k in (last, first))
        share = np.clip(a / np.where(a - b < -1e-9, a - b, -1), 0, 1)
        ends.append(z[last] + share * step * SPACING)
    return true, ends[0], ends[1]


@lru_cache(maxsize=32)
def _body(vertebra: Vertebra) -> _Body:
    d, s = vertebra.dimensions, vertebra.shape
    wide, deep = max(d.upper_width, d.lower_width) / 2 + 3, max(d.upper_depth, d.lower_depth) / 2
    high = max(d.heights) / 2 + 2 + 2.2 * s.split
    n = math.ceil(wide / SPACING)
    origin = np.array([-n * SPACING, -deep - 3, -high])
    count = (2 * n + 1, *(math.ceil(r / SPACING) + 1 for r in (2 * deep + 6, 2 * high)))
    far, top, foot = _columns(vertebra, origin, count)
    # A hole or a dent goes up with its endplate.
    whole = Vertebra(vertebra.level, replace(s, anterior=0.0, middle=0.0, posterior=0.0))
    whole_far, whole_top, whole_foot = _columns(whole, origin, count)
    inside = (top > foot) & (whole_top > whole_foot)
    rise = np.where(inside, np.maximum(whole_top - top, 0), 0) * (s.superior_share > 0)
    sink = np.where(inside, np.maximum(foot - whole_foot, 0), 0) * (s.superior_share < 1)
    if not any((s.anterior, s.middle, s.posterior)):
        rise, sink = 0 * rise, 0 * sink
    return _Body(origin, far, whole_far, top, foot, rise, sink, -deep)


def _frame(axis: FloatArray) -> FloatArray:
    """Return three directions as rows: along, to the patient's right, up."""
    right = np.array([axis[1], -axis[0], 0.0])
    right /= np.linalg.norm(right)
    return np.array([axis, right, np.cross(right, axis)])


@lru_cache(maxsize=4)
def _directions(n: int) -> FloatArray:
    """Return unit vectors (n // 2 * n + 2, 3), mirror images of each other in every coordinate."""
    polar = np.pi * (np.arange(n // 2) + 0.5) / (n // 2)
    turn = 2 * np.pi * (np.arange(n) + 0.5) / n
    ring = np.stack(
        [
            np.outer(np.sin(polar), np.cos(turn)),
            np.outer(np.sin(polar), np.sin(turn)),
            np.outer(np.cos(polar), 1 + 0 * turn),
        ],
        axis=-1,
    )
    return np.concatenate([ring.reshape(-1, 3), [[0, 0, 1.0], [0, 0, -1.0]]])


# --- inflating -------------------------------------------------------------------------------------------------------


class _Growing:
    """One balloon on its way: the mutable inside of `inflate`."""

    def __init__(self, tip: FloatArray, axis: FloatArray, balloon: Balloon, plane: tuple[FloatArray, float] | None):
        self.axes, self.balloon, self.plane = _frame(axis), balloon, plane
        self.volume = parameter("folded volume")
        half = balloon.semi_axes(self.volume)
        self.centre = tip - half[0] * axis
        self.half = half
        self.units = _directions(12)
        # Which points a mode moves and how far: half a step by growing, half by the centre's shift.
        self.push = np.stack([(1 + s * self.units[:, i]) / 2 * s for i in range(3) for s in (1, -1)])

    def points(self) -> FloatArray:
        """Return points (n, 3) of the surface, mm."""
        points: FloatArray = self.centre + (self.units * self.half) @ self.axes
        return points

    def gaps(self, body: _Body, share: float) -> tuple[FloatArray, FloatArray]:
        """Return the room (n,) that points of the surface have, and the outward direction (n, 3) of what limits it."""
        points = self.points()
        room, normal = _room(body, points, share)
        room = room - ROOM
        if self.plane is not None:
            direction, offset = self.plane
            other = offset - points @ direction - BETWEEN
            normal = np.where((other < room)[:, None], direction, normal)
            room = np.minimum(room, other)
        return room, normal

    def caps(self, room: FloatArray, normal: FloatArray) -> FloatArray:
        """Return how far (6,) each half-axis may grow in one step where points have this room, mm."""
        rate = self.push * np.repeat((normal @ self.axes.T).T, 2, axis=0)
        free = np.where(rate > ARM, np.maximum(room, 0) / (OVERSHOOT * np.maximum(rate, ARM)), BODY)
        caps: FloatArray = np.minimum(free.min(axis=1), BODY)
        return caps

    def slip(self, room: FloatArray, normal: FloatArray) -> None:
        """Move away from walls that it has come too near to: steps are finite."""
        pressed = room < 0
        if pressed.any():
            self.centre = self.centre + (normal * room[:, None])[pressed].mean(axis=0)

    def contact(self, body: _Body, share: float) -> tuple[float, FloatArray]:
        """Return contact area times the endplates' way back (mm3 a unit of share), and how far (2,) they go, mm.

        In contact are columns over which less than half of the shell is left, and, less and less, those over which it
        is still whole: the stress in it falls from the balloon's to nothing at its outer face. The way is the mean in
        contact, of the upper and the lower endplate: so far the balloon follows without crushing anything.
        """
        a, c, shell = self.axes, self.half, shell_thickness(self.half)
        near = body.origin[:2] - self.centre[:2]  # of the balloon to the grid's first column
        i, j = (max(math.ceil((-c.max() - v) / SPACING), 0) for v in near)
        k, n = (math.floor((c.max() - v) / SPACING) + 1 for v in near)
        top, foot, rise, sink = np.moveaxis(body.planes[i:k, j:n], -1, 0)
        x = near[0] + SPACING * np.arange(i, i + top.shape[0])[:, None]
        y = near[1] + SPACING * np.arange(j, j + top.shape[1])
        m = (a / c[:, None] ** 2).T @ a
        # The ellipsoid over x and y: a quadratic in z.
        half_b = m[0, 2] * x + m[1, 2] * y
        rest = m[0, 0] * x * x + 2 * m[0, 1] * x * y + m[1, 1] * y * y - 1
        root = half_b**2 - m[2, 2] * rest
        inside = root > 0
        root = np.sqrt(np.maximum(root, 0))
        work, follow = 0.0, np.zeros(2)
        for sign, plate, way in ((1, top, rise), (-1, foot, sink)):
            end = self.centre[2] + (sign * root - half_b) / m[2, 2]
            gap = sign * (plate - end) + share * way - ROOM
            weight = np.where(inside, np.clip(2 * (1 - gap / shell), 0, 1), 0) * SPACING**2
            if not weight.any():
                continue
            lifted = float((weight * way).sum())
            work += lifted
            follow[0 if sign > 0 else 1] = lifted / weight.sum()
        return work, follow

    def resistances(self, stress: FloatArray, more: float) -> FloatArray:
        """Return the pressure (6,) at which each half-axis grows into bone, Pa, with `more` mL in the balloon."""
        radius = float(self.half.prod() ** (1 / 3))
        bone = cavity_pressure(stress, radius, shell_thickness(self.half))
        return np.repeat(bone[[0, 0, 1]] + self.shape_pressure(more), 2)

    def shape_pressure(self, more: float) -> FloatArray:
        """Return by how much (3,) the wall holds back each half-axis, Pa, of a balloon with `more` mL in it."""
        stretch = np.log(self.half / self.balloon.semi_axes(self.volume + more))
        held: FloatArray = 1e6 * parameter("shape stiffness") * stretch
        return held

    def grow(self, steps: FloatArray, more: float) -> None:
        """Lengthen the six half-axes by `steps` (6,), mm, for `more` mL."""
        self.centre = self.centre + ((steps[::2] - steps[1::2]) / 2) @ self.axes
        half = self.half + (steps[::2] + steps[1::2]) / 2
        self.volume += more
        # The steps are right to first order; the rest must not add up.
        self.half = half * (self.volume / (4e-3 / 3 * math.pi * half.prod())) ** (1 / 3)


@dataclass(frozen=True, eq=False)
class _Step:
    """How one balloon answers to a little more volume.

    Half-axis j (6) begins to grow at the pressure `threshold` and needs `slope` more (Pa) for each mm, up to `cap` mm;
    `ends` and `taken` (12,) are the pressures where one begins or ends and the volume (mL) that has gone in by then.
    `work` (mm3) and `follow` (2, mm) as in `_Growing.contact`, `room` (mL) what following makes, all a unit of share;
    `back` (Pa) what the balloon's wall holds back of the pressure on an endplate; `depth` (mm) how far it has come
    nearer to a wall than it can.
    """

    threshold: FloatArray
    slope: FloatArray
    cap: FloatArray
    ends: FloatArray
    taken: FloatArray
    work: float
    follow: FloatArray
    room: float
    back: float
    depth: float

    def pressure(self, volume: ArrayLike) -> FloatArray:
        """Return the pressures at which volumes (mL, any shape) are crushed into bone, Pa: inf if they cannot be.

        Without any the pressure is that at which crushing would begin; nothing holds it up if an endplate goes up.
        """
        v = np.asarray(volume, dtype=np.float64)
        begins = self.threshold[self.cap > 0].min(initial=math.inf) if self.room == 0 else -math.inf
        found = np.where(v > self.taken[-1] + NOTHING, math.inf, np.interp(v, self.taken, self.ends))
        return np.where(v < NOTHING, begins, found)

    def growth(self, pressure: float) -> FloatArray:
        """Return how far (6,) the half-axes grow at a pressure, mm."""
        steps: FloatArray = np.clip((pressure - self.threshold) / self.slope, 0, self.cap)
        return steps


def _step(each: _Growing, body: _Body, share: float, stress: FloatArray, more: float) -> _Step:
    half = np.repeat(each.half, 2)
    rate = 4e-3 / 3 * math.pi * each.half.prod() / (2 * half)
    # Two half-axes share an axis and as a rule grow alike, so each stretches it for both.
    slope = 1e6 * parameter("shape stiffness") / half
    room, normal = each.gaps(body, share)
    each.slip(room, normal)
    cap = each.caps(room, normal)
    threshold = each.resistances(stress, more)
    ends = np.sort(np.concatenate([threshold, threshold + cap * slope]))
    taken = np.clip((ends[:, None] - threshold) / slope, 0, cap) @ rate
    work, follow = each.contact(body, share)
    # As it is now: with the volume of the step but not its growth, the wall would seem to push the endplate by itself.
    back = float(each.shape_pressure(0.0)[2])
    return _Step(
        threshold, slope, cap, ends, taken, work, follow, float(follow.sum() * rate[4]), back, float(-room.min())
    )


def _opened(steps: list[_Step], more: float, held: float, stiffness: float, left: float) -> float:
    """Return the share of the lost height that an endplate regains as every balloon takes `more` mL.

    `held` (Pa mm3) resists, `stiffness` more for each share regained; `left` of it is there to be regained. What the
    endplate makes room for needs not be crushed, so the more it gives way the lower the pressure: one root.
    """

    def surplus(opened: FloatArray) -> FloatArray:
        found = -held - opened * stiffness
        for s in steps:
            if s.work:
                found = found + s.work * np.maximum(s.pressure(np.maximum(more - opened * s.room, 0)) - s.back, 0)
        return found

    room = max(s.room for s in steps)
    if room <= 0 or left <= 0:
        return 0.0
    low, high = 0.0, min(left, more / room)
    for _ in range(3):  # the surplus falls as the endplate gives way: look where it ends, ever closer
        tried = np.linspace(low, high, 17)
        first = int((surplus(tried) > 0).sum())
        if first in (0, len(tried)):
            return float(tried[min(first, len(tried) - 1)])
        low, high = tried[first - 1], tried[first]
    return float(high)


def inflate(
    vertebra: Vertebra,
    tips: ArrayLike,
    volume_ml: float,
    balloon: str = "15/3",
    bone_volume: float = 0.07,
    fracture_age_weeks: float = 3.0,
    directions: ArrayLike | None = None,
) -> Inflation:
    """Inflate one or two balloons to `volume_ml` in all, in equal parts, and let them down again.

    `tips` (3,) or (n, 3), n 1 or 2: where the front ends of the folded balloons lie, mm in the vertebra's frame.
    `directions`, the same shape: how the balloons point; without them, each from the pedicle of its own side to its
    tip, or straight ahead for a tip within 3 mm of the midline. `bone_volume` BV/TV, 0.04 to 0.22. A fracture with a
    cleft is as mobile as a fresh one at any age. Deterministic; some tens of milliseconds.

    Raises ValueError for a tip outside the body, a folded balloon that does not lie in the body or lies on the other,
    a volume beyond the balloons' limit, a size that does not exist, and a number out of range.
    """
    size = _checked_size(balloon)
    points = _checked_tips(tips, "tips")
    n = len(points)
    _checked_number("volume_ml", volume_ml, 0, n * size.volume, f"mL, the limit of {n} balloon{'s'[: n - 1]} {balloon}")
    _checked_number("bone_volume", bone_volume, *BONE_VOLUMES, "as BV/TV")
    _checked_number("fracture_age_weeks", fracture_age_weeks, *AGES, "weeks")
    axes = _axes(vertebra, points, directions)
    body = _body(vertebra)
    growing = _place(vertebra, body, points, axes, size)
    return _inflate(vertebra, body, growing, float(volume_ml), size, bone_volume, fracture_age_weeks)


def _inflate(
    vertebra: Vertebra,
    body: _Body,
    growing: list[_Growing],
    volume_ml: float,
    size: Balloon,
    bone_volume: float,
    weeks: float,
) -> Inflation:
    n = len(growing)
    stress = plateau(bone_volume)
    union = healed(weeks, vertebra.shape.cleft > 0)
    mobile = 1 - (1 - parameter("mobile share healed")) * union
    way = float((body.rise.sum() + body.sink.sum()) * SPACING**2)
    share, stopped = 0.0, ""
    for each in growing:
        for _ in range(SLIPS):
            each.slip(*each.gaps(body, share))
    path = [(0.0, 0.0)]
    target = volume_ml / n
    if target <= growing[0].volume:
        path.append((volume_ml, 0.0))
    pace = STEP
    while (left := target - growing[0].volume) > 1e-9 and not stopped:
        more = min(pace, left)
        bond = union * parameter("bond strength") * math.exp(-share / parameter("bond slip"))
        stiffness = 1e6 * way * parameter("disimpaction") / mobile
        held = 1e6 * way * (parameter("prone pressure") + bond) + stiffness * share
        steps = [_step(each, body, share, stress, more) for each in growing]
        opened = _opened(steps, more, held, stiffness, 1 - share)
        rests = [more - opened * step.room for step in steps]
        needed = [float(step.pressure(max(rest, 0))) for rest, step in zip(rests, steps, strict=True)]
        if math.inf in needed and more > SMALLEST:
            pace = more / 2
            continue
        if math.inf in needed or max(step.depth for step in steps) > DEPTH:
            stopped = "room"
            break
        pace = min(2 * pace, STEP)
        share += opened
        for each, step, pressure in zip(growing, steps, needed, strict=True):
            each.grow(step.growth(pressure) + opened * np.array([0, 0, 0, 0, *step.follow]), more)
        if opened:
            # Between two modes the pressure jumps; there the endplate that goes up says what it is.
            lifting = (held + opened * stiffness) / sum(step.work for step in steps)
            needed = [max(p, lifting + step.back) if step.room else p for p, step in zip(needed, steps, strict=True)]
        reached = max(0.0, *needed) + float(size.pressure(growing[0].volume))
        path.append((n * growing[0].volume, reached))
        stopped = "burst" if reached > size.pressure_limit else ""
    volumes, pressures = np.array(path).T
    if not stopped:
        volumes[-1] = volume_ml
    kept = share * (1 - parameter("rebound"))
    balloons = tuple(_cavity(each, bone_volume) for each in growing)
    clearance = _clearance(body, growing, share)
    shell = min(shell_thickness(each.half) for each in growing)
    contacts = tuple(name for name, far in clearance.items() if far < shell / 2)
    return Inflation(
        vertebra,
        _raised(vertebra, share),
        _raised(vertebra, kept),
        size,
        volume_ml,
        float(volumes[-1]),
        float(pressures[-1]),
        volumes,
        pressures,
        balloons,
        tuple(_let_down(body, cavity, share - kept) for cavity in balloons),
        share,
        kept,
        clearance,
        contacts,
        stopped,
        _limits(size, float(volumes[-1]), volume_ml / n, float(pressures.max()), contacts, stopped),
    )


def _raised(vertebra: Vertebra, share: float) -> Vertebra:
    """Return the vertebra with `share` of its lost height regained."""
    s = vertebra.shape
    left = 1 - share
    return Vertebra(
        vertebra.level, replace(s, anterior=left * s.anterior, middle=left * s.middle, posterior=left * s.posterior)
    )


def _cavity(each: _Growing, bone_volume: float) -> Cavity:
    shell = shell_thickness(each.half)
    return Cavity(each.centre, each.half, each.axes[0], shell, shell_porosity(each.half, shell, bone_volume))


def _let_down(body: _Body, cavity: Cavity, lost: float) -> Cavity:
    """Return a cavity whose roof has come down, and its floor up, with `lost` of the endplates' way."""
    _, _, down, up = (float(lost * way) for way in body.plates(cavity.centre[:1], cavity.centre[1:2])[:, 0])
    # A roof that comes down does not close the cavity: rubble props it.
    total = min(down + up, cavity.semi_axes[2])
    shift = (up - down) / 2 * (total / (down + up) if down + up else 1)
    half = cavity.semi_axes - np.array([0, 0, total / 2])
    # The shell keeps its bone and its thickness.
    before, after = (float((h + cavity.shell_thickness).prod() - h.prod()) for h in (cavity.semi_axes, half))
    return replace(
        cavity,
        centre=cavity.centre + shift * cavity.axes[2],
        semi_axes=half,
        shell_porosity=1 - (1 - cavity.shell_porosity) * before / after,
    )


WALLS = ("superior endplate", "inferior endplate", "right wall", "left wall", "anterior wall", "posterior wall")


def _clearance(body: _Body, growing: list[_Growing], share: float) -> dict[str, float]:
    """Return the distance of the nearest balloon to the inner face of each wall's cortex, mm."""
    found = dict.fromkeys(WALLS, math.inf)
    ahead = np.arange(0, 50, 0.5)
    for each in growing:
        room, normal = _room(body, each.points(), share)
        side = np.argmax(np.abs(normal), axis=1)
        # The nearest bone surface of a point is a wall by the way it faces; and along the six directions all are met.
        faces = 2 * side + (normal[np.arange(len(side)), side] < 0)
        for i, name in enumerate(("right wall", "left wall", "anterior wall", "posterior wall", *WALLS[:2])):
            direction = np.eye(3)[i // 2] * (1 if i % 2 == 0 else -1)
            own = each.axes @ direction * each.half
            pole = each.centre + (own / np.linalg.norm(own) * each.half) @ each.axes
            beyond = body.outside(pole + ahead[:, None] * direction, share) > 0
            straight = ahead[np.argmax(beyond)] if beyond.any() else math.inf
            near = room[faces == i].min(initial=straight)
            found[name] = min(found[name], float(near) - SHELL)
    return found


def _room(body: _Body, points: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
    """Return the distance (n,) of points (n, 3) inside the bone to its surface and the direction (n, 3) to it."""
    far = body.outside((points + AROUND[:, None]).reshape(-1, 3), share).reshape(7, -1)
    return -far[0], ((far[1:4] - far[4:]) / (2 * AROUND[1, 0])).T


def _limits(
    size: Balloon, volume: float, each: float, peak: float, contacts: tuple[str, ...], stopped: str
) -> tuple[str, ...]:
    limit = f"{size.pressure_limit / PSI:.0f} psi ({size.pressure_limit / 1e5:.0f} bar)"
    said = []
    if stopped == "burst":
        said.append(f"At {volume:.1f} mL the pressure has passed the rated {limit}: the balloon has burst.")
    elif peak > NEAR * size.pressure_limit:
        said.append(f"The pressure has come near the rated {limit}.")
    if stopped == "room":
        said.append(f"At {volume:.1f} mL the balloon has nowhere left to go but through the cortex.")
    if each > size.volume - 1e-9:
        said.append(f"The balloon holds its largest volume, {size.volume:g} mL.")
    said += [f"The balloon has come to the {wall}." for wall in contacts]
    return tuple(said)


# --- what is asked ---------------------------------------------------------------------------------------------------


def _checked_size(name: str) -> Balloon:
    if name not in BALLOONS:
        raise ValueError(f"balloon is {name!r}; give one of {', '.join(BALLOONS)}")
    return BALLOONS[name]


def _checked_number(name: str, value: float, low: float, high: float, unit: str) -> None:
    if isinstance(value, bool) or not np.isreal(value) or not np.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; give {low:g} to {high:g} {unit}")


def _checked_tips(values: ArrayLike, name: str) -> FloatArray:
    try:
        points = np.atleast_2d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        points = np.zeros((0, 0))
    if points.shape not in ((1, 3), (2, 3)) or not np.isfinite(points).all():
        raise ValueError(f"{name} is {values!r}; give one or two points of three finite numbers, mm")
    return points


def _axes(vertebra: Vertebra, tips: FloatArray, directions: ArrayLike | None) -> FloatArray:
    """Return the unit direction (n, 3) of each balloon."""
    if directions is None:
        ways = np.tile([0.0, 1.0, 0.0], (len(tips), 1))
        for i, tip in enumerate(tips):
            if abs(tip[0]) > 3:
                ways[i] = tip - vertebra.pedicle("right" if tip[0] > 0 else "left").centre
    else:
        ways = _checked_tips(directions, "directions")
        if ways.shape != tips.shape:
            raise ValueError(f"{len(ways)} directions for {len(tips)} tips; give one for each")
    flat = np.hypot(ways[:, 0], ways[:, 1])
    if (flat < 0.5 * np.linalg.norm(ways, axis=1)).any() or (flat == 0).any():
        raise ValueError(f"direction {ways.tolist()} is too steep for a balloon; give one nearer to the horizontal")
    unit: FloatArray = ways / np.linalg.norm(ways, axis=1, keepdims=True)
    return unit


def _named(point: FloatArray) -> str:
    return f"({', '.join(f'{v:.1f}' for v in point)}) mm"


def _place(vertebra: Vertebra, body: _Body, tips: FloatArray, axes: FloatArray, size: Balloon) -> list[_Growing]:
    """Return the folded balloons in their channels."""
    growing = [_Growing(tip, axis, size, None) for tip, axis in zip(tips, axes, strict=True)]
    for tip, axis, each in zip(tips, axes, growing, strict=True):
        back = tip - size.length * axis
        for what, point in (("tip", tip), ("middle of the balloon", each.centre)):
            if vertebra.distance(point[None])[0] > 0 or point[1] < body.floor:
                raise ValueError(f"the {what} at {_named(point)} is outside the body of {vertebra.level}; move the tip")
        if back[1] < body.floor:
            raise ValueError(
                f"the back end of the {size.name} balloon at {_named(back)} is still in the pedicle; "
                "advance the tip or take a shorter balloon"
            )
        if (vertebra.distance(each.points()) > FIT).any():
            raise ValueError(
                f"the {size.name} balloon with its tip at {_named(tip)} stands out of the bone of {vertebra.level}; "
                "move the tip inwards"
            )
    if len(growing) == 2:
        first, second = growing
        apart = second.centre - first.centre
        far = float(np.linalg.norm(apart))
        if far < 2 * first.half[1] + 2 * BETWEEN:
            raise ValueError(f"the two balloons lie {far:.1f} mm apart; give two tips farther from each other")
        direction = apart / far
        half_way = float((first.centre + second.centre) @ direction / 2)
        first.plane, second.plane = (direction, half_way), (-direction, -half_way)
    return growing
