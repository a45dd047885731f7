"""Fractured variants of the real CT: one vertebra collapsed to requested heights by a displacement field.

The patient of `vertebra.imaging.ct` has no fracture. A variant is that CT, deformed by three maps, one after the other:

1. *buckle*: the anterior cortex is pushed out where the bone is crushed most, with a small step above;
2. *bowl*: the middle of the endplates sinks into the body, unevenly; the disc follows into the hollow;
3. *hinge*: the level above descends and tilts. Its whole motion is one rigid motion in the sagittal plane, and
   F(p) = exp(w(p) X) p does a share w of it: 0 at the level below, 1 at the level above and everything on it, rising
   through the body from endplate to endplate (steepest under the superior endplate, where a dense band forms), and one
   half in the arch of the collapsed vertebra. Between these parts w is blended by distance to the fourth power.

Because all of hinge's paths are orbits of one motion, F has an inverse wherever 1 + grad w . X > 0 (its Jacobian
determinant), found by a scalar root; buckle and bowl shift along one axis, piecewise linearly, and are inverted in
closed form. So the truth is known exactly: `landmarks` and `heights` are the patient's own points moved by the field.

Real: this patient's texture, neighbours, and shapes. Computed: that and how the vertebra collapsed. Not shown: fracture
lines, separate fragments, retropulsion, bleeding, oedema, swelling of soft tissue, compensation by the rest of the
spine (soft tissue in front simply tilts with the levels above), or how likely such a fracture would be. Trabeculae
come closer together and density rises as much as volume is lost (`compaction`), as if bone were kept and marrow
squeezed out; healing and resorption are left out. Where the parts of a facet joint would run into each other, bone is
deformed a little instead. All choices of shape are the course's own [unreferenced]. Nothing here is a diagnosis.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, optimize

from vertebra.imaging.ct import (
    AIR_HU,
    CT,
    LEVELS,
    NUMBERS,
    RIM_MM,
    VERTEBRAE,
    Frame,
    Volume,
    body_frame,
    cubes,
    labels_at,
    landmarks,
    outlines,
    patient,
)

FloatArray = NDArray[np.float64]

NOTE = "Computed from a CT without a fracture: this patient never had it."
"""What must stand beside every picture of a variant."""

GREATEST_LOSS = 0.6  # of one height; beyond it hardly any body is left between the endplates
GREATEST_WEDGE = 0.45  # between anterior and posterior loss; beyond it what lies in front would have to fold
_GRID_MM = 1.5  # spacing of the grid that holds w, and of the grid on which far displacement is computed
_POWER = 4  # of distance, in blending w
_STEEPEST = 0.62  # greatest local share of height lost inside the body
_LEAST_JACOBIAN = 0.2  # below it w is smoothed
_BASE_HU = 0.0  # marrow and muscle; what is denser is taken for bone when density rises


@cache
def patient_landmarks() -> Mapping[str, FloatArray]:
    """Return the six points of each body of the real CT, T9-L2, (6, 3) RAS mm; see `vertebra.imaging.ct.landmarks`."""
    found = landmarks(patient())
    for points in found.values():
        points.flags.writeable = False
    return MappingProxyType(found)


def heights(points: FloatArray) -> FloatArray:
    """Return anterior, middle and posterior height (3,), mm, of six landmarks (6, 3)."""
    return np.asarray(np.linalg.norm(points[:3] - points[3:], axis=1))


def kyphosis(points: Mapping[str, FloatArray], upper: str, lower: str) -> float:
    """Return the Cobb angle between upper's superior and lower's inferior endplate, degrees, positive = kyphosis.

    `points` holds six landmarks (6, 3) a level; the angle is that of a true lateral view. Raises ValueError for a level
    that has none.
    """
    for level in (upper, lower):
        if level not in points:
            raise ValueError(f"there are no landmarks of {level!r}; give two of {', '.join(points)}")
    top, bottom = points[upper][0] - points[upper][2], points[lower][3] - points[lower][5]
    angles = [np.arctan2(line[2], line[1]) for line in (bottom, top)]
    return float(np.degrees(angles[0] - angles[1]))


# --- one piecewise linear shift along an axis ------------------------------------------------------------------------


def _shifted(at: FloatArray, knots: FloatArray, shifts: FloatArray, inverse: bool = False) -> FloatArray:
    """Move coordinates (n,) by shifts (k, n) given at ascending knots (k, n), linear between them, 0 at both ends."""
    if inverse:
        knots, shifts = knots + shifts, -shifts
    moved = at.copy()
    for low, high, a, b in zip(knots[:-1], knots[1:], shifts[:-1], shifts[1:], strict=True):
        inside = (at >= low) & (at < high)
        share = (at[inside] - low[inside]) / (high - low)[inside]
        moved[inside] += a[inside] + share * (b - a)[inside]
    return moved


def _stretch(at: FloatArray, knots: FloatArray, shifts: FloatArray) -> FloatArray:
    """Return the derivative (n,) of `_shifted` along its axis."""
    slope = np.ones_like(at)
    for low, high, a, b in zip(knots[:-1], knots[1:], shifts[:-1], shifts[1:], strict=True):
        inside = (at >= low) & (at < high)
        slope[inside] += ((b - a) / (high - low))[inside]
    return slope


# --- what a level is made of, independent of the collapse ------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One level of the patient, ready to be collapsed; local coordinates are those of `frame`.

    points: (6, 3) landmarks, RAS mm; half_width, half_depth: of the body, mm; plates: polynomials of four
    endplates (4, 6), see `endplates`; rise: 0 to 1 through the body; column, rest: how w is blended (see `share`).
    """

    level: str
    frame: Frame
    points: FloatArray
    half_width: float
    half_depth: float
    plates: FloatArray
    rise: Volume
    column: NDArray[np.float32]
    rest: NDArray[np.float32]

    def radius(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return 0 on the axis of the body, 1 on its wall (a superellipse)."""
        return np.asarray((np.abs(x / self.half_width) ** 2.5 + np.abs(y / self.half_depth) ** 2.5) ** 0.4)

    def endplates(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return z (4, ...) over (x, y), ascending: of the level below, the two of this one, and of the level above.

        Beyond the wall as at the wall. A disc is nowhere taken for thinner than 1.5 mm.
        """
        inward = 1 / np.maximum(self.radius(x, y), 1)
        below, bottom, top, above = np.moveaxis(_terms(x * inward, y * inward) @ self.plates.T, -1, 0)
        return np.stack([np.minimum(below, bottom - 1.5), bottom, top, np.maximum(above, top + 1.5)])

    def share(self, band: float) -> NDArray[np.float32]:
        """Return w on the grid of `rise`; `band` (0 to 1) gathers the collapse under the superior endplate."""
        u = self.rise.data
        step = np.clip((u - 0.55) / 0.4, 0, 1)
        inside = (1 - band) * u + band * step * step * (3 - 2 * step)
        return np.asarray(self.column * inside + self.rest, dtype=np.float32)


def _terms(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the monomials of an endplate, (..., 6): quadratic, so that it bends but has no ripple at the rim."""
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


@cache
def anatomy(level: str) -> Anatomy:
    """Prepare one level of the patient (about a second, kept). Raises ValueError for a level that isn't whole."""
    if level not in LEVELS:
        raise ValueError(f"{level!r} can't be collapsed in this CT; give one of {', '.join(LEVELS)}")
    ct, points = patient(), patient_landmarks()[level]
    frame = body_frame(points)

    outline = outlines(patient().labels)[level]
    local = frame.to_local(points)
    half_depth = float(np.abs(local[[0, 2, 3, 5], 1]).mean()) + RIM_MM
    x = np.arange(-35.0, 35.1, 1.0)
    waist = outline.sample(frame.to_world(np.stack(np.broadcast_arrays(x, 0.0, 0.0), axis=-1)), outside=9.0)
    half_width = float(np.ptp(x[waist < 0])) / 2 + 1.5  # of the rim, which stands out over the waist

    # From below: the endplate of the neighbour, the own two, and that of the other neighbour.
    order = VERTEBRAE[::-1]  # caudal to cranial
    place = order.index(level)
    x, y = (v.ravel() for v in np.meshgrid(np.arange(-half_width, half_width), np.arange(-half_depth, half_depth)))
    inner = (np.abs(x / half_width) ** 2.5 + np.abs(y / half_depth) ** 2.5) < 0.7
    x, y = x[inner], y[inner]
    plates = []
    for name, side, rows in ((order[place - 1], -1, [0, 1, 2]), (level, -1, [3, 4, 5]), (level, 1, [0, 1, 2]),
                             (order[place + 1], 1, [3, 4, 5])):  # fmt: skip
        z = np.arange(0.0, 30.0, 0.5)
        line = frame.to_world(np.stack(np.broadcast_arrays(x[:, None], y[:, None], side * z), axis=-1))
        values = outlines(patient().labels)[name].sample(line, outside=9.0)
        first = ((values < 0) if name != level else (values > 0)).argmax(axis=1)
        seen = np.flatnonzero(first)
        last, there = values[seen, first[seen] - 1], values[seen, first[seen]]
        edge = side * (z[first[seen] - 1] + 0.5 * last / (last - there))
        marks = frame.to_local(patient_landmarks()[name][rows]) if name in LEVELS else np.empty((0, 3))
        weight = np.append(np.ones(len(seen)), np.full(len(marks), 1e3))  # exactly through the landmarks
        terms = np.vstack([_terms(x[seen], y[seen]), _terms(marks[:, 0], marks[:, 1])])
        edge = np.append(edge, marks[:, 2])
        plates.append(np.linalg.lstsq(terms * weight[:, None], edge * weight, rcond=None)[0])

    coarse = ct.resampled(_GRID_MM).labels
    grid = frame.to_local(coarse.to_world(np.moveaxis(np.indices(coarse.data.shape), 0, -1)))
    none = np.empty(0, np.float32)
    bare = Anatomy(level, frame, points, half_width, half_depth, np.array(plates), coarse, none, none)
    _, bottom, top, _ = bare.endplates(grid[..., 0], grid[..., 1])
    u = (grid[..., 2] - bottom) / (top - bottom)
    column = (bare.radius(grid[..., 0], grid[..., 1]) < 1.0) & (u > -0.15) & (u < 1.15)
    groups = {
        0.0: np.isin(coarse.data, [NUMBERS[name] for name in order[:place]]),
        0.5: (coarse.data == NUMBERS[level]) & (grid[..., 1] < -half_depth - 4.0),
        1.0: np.isin(coarse.data, [NUMBERS[name] for name in order[place + 1 :]]),
    }
    column &= ~(groups[0.0] | groups[1.0])

    def away(part: NDArray[np.bool_]) -> FloatArray:
        return np.asarray(ndimage.distance_transform_edt(~part, sampling=_GRID_MM)) ** _POWER

    # Each part weighs by the product of the distances to all others: within a part only that part counts.
    far = [away(column), *(away(part) for part in groups.values())]
    weights = [np.prod([d for other, d in enumerate(far) if other != n], axis=0) for n in range(len(far))]
    total = np.sum(weights, axis=0)
    rest = sum(value * weight for value, weight in zip(groups, weights[1:], strict=True)) / total
    # In front of the body the hinge moves tissue the further the more it lies ahead: there w rises over a longer way.
    fan = np.maximum((grid[..., 1] + half_depth) / (2 * half_depth), 1)
    rise = Volume((0.5 + (u - 0.5) / fan).clip(0, 1).astype(np.float32), coarse.affine)
    blend = (weights[0] / total).astype(np.float32), rest.astype(np.float32)
    for kept in (rise.data, rise.affine, bare.plates, frame.origin, frame.axes, *blend):
        kept.flags.writeable = False
    return replace(bare, rise=rise, column=blend[0], rest=blend[1])


# --- the field -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Field:
    """The displacement field of one collapse; see the module's head.

    anatomy: the level; w: share of the hinge's motion on a grid; angle: of the hinge, radians, positive = kyphosis;
    velocity: of its orbit at the local origin, mm, (anterior, cranial); dip: mm the middle sinks at the superior and
    the inferior endplate; bulge: mm the anterior wall is pushed out; waves: (k, 4) of the uneven endplate.
    """

    anatomy: Anatomy
    w: Volume
    angle: float
    velocity: tuple[float, float]
    dip: tuple[float, float]
    bulge: float
    waves: FloatArray

    def forward(self, points: ArrayLike) -> FloatArray:
        """Return where points (..., 3), RAS mm, of the real CT come to lie."""
        at = np.asarray(points, dtype=np.float64)
        local = self.anatomy.frame.to_local(at.reshape(-1, 3))
        local[:, 1] = _shifted(local[:, 1], *self._buckle(local))
        local[:, 2] = _shifted(local[:, 2], *self._bowl(local))
        moved = self._orbit(local, self._share(local))
        return self.anatomy.frame.to_world(moved).reshape(at.shape)

    def inverse(self, points: ArrayLike) -> FloatArray:
        """Return which points (..., 3), RAS mm, of the real CT come to lie at the given ones."""
        at = np.asarray(points, dtype=np.float64)
        local = self.anatomy.frame.to_local(at.reshape(-1, 3))
        local = self._orbit(local, -self._root(local))
        local[:, 2] = _shifted(local[:, 2], *self._bowl(local), inverse=True)
        local[:, 1] = _shifted(local[:, 1], *self._buckle(local), inverse=True)
        return self.anatomy.frame.to_world(local).reshape(at.shape)

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local ratio of volume after to before (...) at points (..., 3) of the real CT; above 0."""
        at = np.asarray(points, dtype=np.float64)
        local = self.anatomy.frame.to_local(at.reshape(-1, 3))
        ratio = _stretch(local[:, 1], *self._buckle(local))
        local[:, 1] = _shifted(local[:, 1], *self._buckle(local))
        ratio *= _stretch(local[:, 2], *self._bowl(local))
        local[:, 2] = _shifted(local[:, 2], *self._bowl(local))
        # Along an orbit w changes by grad w . X, and the flow itself keeps volume.
        step = 0.05
        share = [self._share(self._orbit(local, np.full(len(local), s))) for s in (-step, step)]
        ratio *= 1 + (share[1] - share[0]) / (2 * step)
        return ratio.reshape(at.shape[:-1])

    def _share(self, local: FloatArray) -> FloatArray:
        index = self.w.to_index(self.anatomy.frame.to_world(local)).T
        return np.asarray(ndimage.map_coordinates(self.w.data, index, order=1, mode="nearest"), dtype=np.float64)

    def _orbit(self, local: FloatArray, share: FloatArray) -> FloatArray:
        """Do a share (n,) of the hinge's motion on local points (n, 3). The sagittal plane is the complex plane."""
        turn = -1j * self.angle * share  # forwards is clockwise: y is the real axis, z the imaginary one
        # exp(turn) z + velocity (exp(turn) - 1) / turn * share, whose last factor goes to 1 with the angle.
        reach = np.where(np.abs(turn) < 1e-9, 1, np.expm1(turn) / np.where(turn == 0, 1, turn))
        at = np.exp(turn) * (local[:, 1] + 1j * local[:, 2]) + complex(*self.velocity) * share * reach
        return np.stack([local[:, 0], at.real, at.imag], axis=1)

    def _root(self, local: FloatArray) -> FloatArray:
        """Return the share (n,) that brought points here: s with w(orbit(p, -s)) = s. There is one, between 0 and 1.

        Secant steps inside a shrinking bracket (regula falsi with the Illinois rule), only where not yet found.
        """
        low, high = np.zeros(len(local)), np.ones(len(local))
        at_low, at_high = self._share(local), self._share(self._orbit(local, -high)) - 1
        found = np.where(at_low <= 1e-9, 0.0, 1.0)
        left = np.flatnonzero((at_low > 1e-9) & (at_high < -1e-9))
        side = np.zeros(len(local), dtype=np.int8)
        for _ in range(60):
            if not len(left):
                break
            a, b, fa, fb = low[left], high[left], at_low[left], at_high[left]
            s = (a * fb - b * fa) / (fb - fa)
            value = self._share(self._orbit(local[left], -s)) - s
            found[left] = s
            up = value > 0
            low[left], at_low[left] = np.where(up, s, a), np.where(up, value, np.where(side[left] == -1, fa / 2, fa))
            high[left], at_high[left] = np.where(up, b, s), np.where(up, np.where(side[left] == 1, fb / 2, fb), value)
            side[left] = np.where(up, 1, -1)
            left = left[np.abs(value) > 1e-6]
        return found

    def _buckle(self, local: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return knots and shifts along y: out at the anterior wall, nothing 10 mm behind and 8 mm in front of it."""
        body = self.anatomy
        x, z = local[:, 0], local[:, 2]
        _, bottom, top, _ = body.endplates(x, np.full_like(x, 0.8 * body.half_depth))
        high = top - 0.3 * (top - bottom) - z
        # The wall leaves its line in a step above and comes back gently below.
        lift = np.exp(-((high / np.where(high < 0, 1.6, 4.0)) ** 2))
        edge = np.clip(1 - (x / body.half_width) ** 2, 0, None)
        wall = body.half_depth * edge**0.4
        out = self.bulge * lift * edge
        none = np.zeros_like(x)
        return np.stack([wall - 10, wall, wall + 8]), np.stack([none, out, none])

    def _bowl(self, local: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return knots and shifts along z: from disc to disc, by how much the endplates sink at (x, y)."""
        body = self.anatomy
        x, y = local[:, 0], local[:, 1]
        knots = body.endplates(x, y)
        within = np.clip(1 - body.radius(x, y) ** 3, 0, None) ** 2
        rough = np.zeros_like(x)
        for high, along_x, along_y, phase in self.waves:
            rough += high * np.sin(along_x * x + along_y * y + phase)
        rough *= np.minimum((knots[3] - knots[2]) / 6, 1)  # a thin disc leaves no room for them
        none = np.zeros_like(x)
        return knots, np.stack([none, self.dip[1] * within, -(self.dip[0] + rough) * within, none])


def field(
    level: str,
    anterior: float,
    middle: float,
    posterior: float,
    superior_share: float = 0.6,
    irregularity: float = 1.0,
    seed: int = 0,
) -> Field:
    """Return the field that takes from a level the given shares of its own heights (0.25 is 25 %).

    `superior_share` of what the middle loses beyond its ends is taken by the superior endplate; `irregularity` scales
    the buckled wall and the uneven endplate (0 none), whose pattern `seed` chooses.
    Raises ValueError for a share outside 0 to 0.6, a seed below 0, or a shape that the bone could not take without
    folding.
    """
    losses = {"anterior": anterior, "middle": middle, "posterior": posterior}
    for name, loss in losses.items():
        if not (np.isfinite(loss) and 0 <= loss <= GREATEST_LOSS):
            raise ValueError(f"{name} height loss is {loss}; give a share of the height from 0 to {GREATEST_LOSS}")
    for name, share in (("superior_share", superior_share), ("irregularity", irregularity)):
        if not (np.isfinite(share) and 0 <= share <= 1):
            raise ValueError(f"{name} is {share}; give a number from 0 to 1")
    if seed < 0:
        raise ValueError(f"seed is {seed}; give a whole number from 0 on")
    if abs(anterior - posterior) > GREATEST_WEDGE:
        raise ValueError(
            f"an anterior height loss of {anterior:g} beside a posterior one of {posterior:g} bends this spine too "
            f"sharply; keep them within {GREATEST_WEDGE} of each other"
        )
    body = anatomy(level)
    largest = max(losses.values())
    rng = np.random.default_rng(seed)
    waves = np.column_stack(
        [
            rng.normal(0, 0.35, 6) * irregularity * min(largest / 0.2, 1),
            *rng.normal(0, 0.35, (2, 6)),
            rng.uniform(0, 2 * np.pi, 6),
        ]
    )
    band = float(np.clip((_STEEPEST / max(largest, 1e-6) - 1) / 2.75, 0, 0.5))
    w = Volume(body.share(band), body.rise.affine)
    bulge = irregularity * 4.5 * max(anterior - 0.05, 0)
    target = heights(body.points) * (1 - np.array(list(losses.values())))
    local = body.frame.to_local(body.points)

    def shaped(descent: float, angle: float, dip: float) -> Field:
        """The hinge lets the superior posterior point down along the posterior wall and turns about it."""
        start = complex(*local[2, 1:])
        wall = complex(*(local[5] - local[2])[1:])
        end = start + descent * wall / abs(wall)
        turn = -1j * angle
        reach = 1 if abs(turn) < 1e-9 else np.expm1(turn) / turn
        velocity = (end - np.exp(turn) * start) / reach
        dips = (dip * superior_share, dip * (1 - superior_share))
        return Field(body, w, angle, (velocity.real, velocity.imag), dips, bulge, waves)

    def missed(unknown: FloatArray) -> FloatArray:
        return np.asarray(heights(shaped(*unknown).forward(body.points)) - target)

    depth = 2 * body.half_depth
    lost = heights(body.points) - target
    guess = np.array([lost[2], (lost[0] - lost[2]) / depth, lost[1] - (lost[0] + lost[2]) / 2])
    for _ in range(6):  # where this motion would fold w is smoothed, and the motion found again on the smoothed w
        guess = optimize.root(missed, guess, tol=1e-9).x
        smooth = _unfolded(shaped(*guess))
        if smooth is w:
            break
        w = smooth
    made = shaped(*guess)
    _check(made, losses)
    if np.abs(missed(guess)).max() > 1e-3:
        raise ValueError(
            f"{level} can't lose {anterior:g} in front, {middle:g} in the middle and {posterior:g} behind without "
            "folding; give losses nearer to each other"
        )
    return made


def _unfolded(made: Field) -> Volume:
    """Return `made.w`, smoothed where the hinge would leave less than `_LEAST_JACOBIAN` of the volume; else itself.

    That happens where two bones of a facet joint, whose shares differ, lie nearer to each other than they would slide,
    and in front of the body, where the hinge has a long lever.
    """
    frame, w = made.anatomy.frame, made.w.data
    local = frame.to_local(made.w.to_world(np.moveaxis(np.indices(w.shape), 0, -1)))
    speed = -1j * made.angle * (local[..., 1] + 1j * local[..., 2]) + complex(*made.velocity)
    flow = np.stack([speed.real, speed.imag], axis=-1) @ frame.axes[1:]  # back in the axes of the grid
    # The inside of bodies and discs stays as it is, and so nearly do the landmarks on their rims.
    free = np.clip((made.anatomy.radius(local[..., 0], local[..., 1]) - 0.75) / 0.25, 0, 1)
    smoothed, least = w, _LEAST_JACOBIAN
    box: tuple[slice, ...] = (slice(None), slice(None), slice(None))
    for _ in range(25):
        part, motion = smoothed[box], flow[box]
        ratio = np.ones(part.shape)
        for axis in range(3):
            rise = np.moveaxis(np.diff(part, axis=axis) / _GRID_MM, axis, 0)
            along = np.moveaxis(motion[..., axis], axis, 0)
            worst = np.zeros(along.shape)
            worst[:-1] = rise * along[:-1]
            worst[1:] = np.minimum(worst[1:], rise * along[1:])
            ratio += np.moveaxis(worst, 0, axis)
        folds = (ratio < least) & (free[box] > 0)
        if not folds.any():
            break
        if smoothed is w:
            smoothed = w.copy()
            found = [np.flatnonzero(folds.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
            box = tuple(slice(max(low - 12, 0), high + 13) for low, high in found)
            folds, part = folds[box], smoothed[box]
        least = 1.2 * _LEAST_JACOBIAN  # a little more than asked, because the motion is found again afterwards
        near = ndimage.gaussian_filter(ndimage.binary_dilation(folds, iterations=2).astype(np.float32), 1.0)
        smoothed[box] = part + free[box] * near * (ndimage.gaussian_filter(part, 2.5) - part)
    return made.w if smoothed is w else Volume(smoothed.astype(np.float32), made.w.affine)


def _check(made: Field, losses: dict[str, float]) -> None:
    """Raise ValueError where bowl would press a disc or the body flat."""
    body = made.anatomy
    x, y = (v.ravel() for v in np.meshgrid(*(np.linspace(-h, h, 41) for h in (body.half_width, body.half_depth))))
    knots, shifts = made._bowl(np.stack([x, y, np.zeros_like(x)], axis=1))
    left = 1 + np.diff(shifts, axis=0) / np.diff(knots, axis=0)
    if left.min() < _LEAST_JACOBIAN:
        raise ValueError(
            f"a middle height loss of {losses['middle']:g} is too far from the mean of the anterior and posterior loss "
            f"({losses['anterior']:g}, {losses['posterior']:g}): the bone or the disc would fold; give a nearer one"
        )


# --- the variant -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CollapsedCT:
    """A fractured variant of the real CT, computed; show `NOTE` with it.

    level: the collapsed one; ct: image and labels; landmarks: six points (6, 3) of each level after the collapse, RAS
    mm, moved by `field`; normal: the same before it.
    """

    level: str
    ct: CT
    field: Field
    landmarks: Mapping[str, FloatArray]
    normal: Mapping[str, FloatArray]

    @property
    def heights(self) -> dict[str, FloatArray]:
        """Anterior, middle and posterior height (3,) of each level, mm."""
        return {level: heights(points) for level, points in self.landmarks.items()}

    @property
    def losses(self) -> FloatArray:
        """Anterior, middle and posterior height lost at `level`, (3,) shares of its own heights before."""
        return np.asarray(1 - heights(self.landmarks[self.level]) / heights(self.normal[self.level]))

    def kyphosis(self, upper: str, lower: str) -> float:
        """Return the Cobb angle from upper's superior to lower's inferior endplate, degrees, positive = kyphosis."""
        return kyphosis(self.landmarks, upper, lower)


def collapsed(
    level: str,
    anterior: float,
    middle: float,
    posterior: float,
    superior_share: float = 0.6,
    irregularity: float = 1.0,
    seed: int = 0,
    compaction: float = 1.0,
    spacing: float | None = None,
) -> CollapsedCT:
    """Return the real CT with one level (T9-L2) collapsed by the given shares of its own heights (0.25 is 25 %).

    `compaction` 1 raises the density of the crushed bone as much as it loses volume, 0 leaves it. `spacing` gives cubes
    of so many mm; without it the grid is the patient's. What lies beyond the crop is air. Further options: `field`.
    Raises ValueError as `field` does, and for a compaction outside 0 to 1.
    """
    if not (np.isfinite(compaction) and 0 <= compaction <= 1):
        raise ValueError(f"compaction is {compaction}; give a number from 0 to 1")
    made = field(level, anterior, middle, posterior, superior_share, irregularity, seed)
    image = patient().image
    shape, affine = (image.data.shape, image.affine) if spacing is None else cubes(image, spacing)
    warped = _warped(made, patient(), shape, affine, compaction)
    normal = patient_landmarks()
    moved = {name: made.forward(points) for name, points in normal.items()}
    for points in moved.values():
        points.flags.writeable = False
    return CollapsedCT(level, warped, made, MappingProxyType(moved), normal)


def _hats(count: int, step: float) -> tuple[FloatArray, NDArray[np.float32]]:
    """Return places (m,) of a coarse grid over `count` samples, in samples, and its hat functions (count, m)."""
    coarse = np.linspace(0, count - 1, max(int(np.ceil((count - 1) / step)), 1) + 1)
    return coarse, np.stack([np.interp(np.arange(count), coarse, one) for one in np.eye(len(coarse))], axis=1).astype(
        np.float32
    )


def _warped(made: Field, source: CT, shape: tuple[int, ...], affine: FloatArray, compaction: float) -> CT:
    """Pull `source` back through the field onto a grid.

    Where each voxel comes from is computed exactly around the collapsed body and its discs, and elsewhere on a
    coarse grid and interpolated, which is exact wherever the field is rigid.
    """
    at = np.empty((3, *shape), dtype=np.float32)
    grid = Volume(at[0], affine)
    sides = [_hats(n, 2.5 / s) for n, s in zip(shape, grid.spacing, strict=True)]
    nodes = grid.to_world(np.stack(np.meshgrid(*(at for at, _ in sides), indexing="ij"), axis=-1))
    into = source.image.to_index(made.inverse(nodes)).astype(np.float32)
    for axis in range(3):
        part = np.tensordot(sides[0][1], into[..., axis], (1, 0))
        part = np.tensordot(sides[1][1], part, (1, 1)).transpose(1, 0, 2)
        at[axis] = part @ sides[2][1].T

    # The body with its discs lies within where it lay before.
    body = made.anatomy
    half = np.array([body.half_width + 4, body.half_depth + 6, np.abs(body.plates[:, 0]).max() + 1])
    corners = grid.to_index(body.frame.to_world(half * (2 * np.indices((2, 2, 2)).reshape(3, -1).T - 1)))
    reach = corners.min(axis=0), corners.max(axis=0)
    low, high = np.maximum(np.floor(reach[0]), 0).astype(int), np.minimum(np.ceil(reach[1]), shape).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    points = grid.to_world(np.moveaxis(np.indices(high - low), 0, -1) + low)
    origin = made.inverse(points)
    at[(slice(None), *box)] = np.moveaxis(source.image.to_index(origin), -1, 0)

    size = np.array(source.image.data.shape, dtype=np.float32)[:, None, None, None]
    beyond = ((at < -0.5) | (at > size - 0.5)).any(axis=0)
    labels = labels_at(source.labels, outlines(patient().labels), at)
    hu = ndimage.map_coordinates(source.image.data, at, order=1, mode="nearest", output=np.float32)
    crushed = labels[box] == NUMBERS[made.anatomy.level]
    ratio = made.jacobian(origin[crushed]).clip(1 / 3, 1)
    part = hu[box]
    part[crushed] += (part[crushed] - _BASE_HU).clip(0) * (ratio**-compaction - 1)
    hu[beyond], labels[beyond] = AIR_HU, 0
    return CT(Volume(np.rint(hu).astype(np.int16), affine), Volume(labels, affine))
