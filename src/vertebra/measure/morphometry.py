"""Six-point morphometry of one vertebral body on a lateral view: heights, height loss, Genant grade, kyphosis.

Frame: points in mm, x anterior, y cranial. Losses are fractions (0.25 is 25 %), angles degrees, positive = kyphosis.

The grade is a hard edge laid over a soft measurement. `grade_band` shows how soft: it lets many readers place the same
points with isotropic landmark noise. sigma = 0.55 mm is a model calibration, not a measured quantity: with it two
readers of simulated wedge deformities differ by about +-12.4 % (`two_readers`), near the +-12.53 % inter-observer
limits printed for vertebral fracture assessment on chest CT (PMC3733867). The same paper's lower agreement on "fracture
or not" is a matter of judgement, which landmark noise does not explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Generic, Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
T = TypeVar("T", float, FloatArray)
Shape = Literal["normal", "wedge", "biconcave", "crush"]

POINT_NAMES = (
    "superior anterior",
    "superior middle",
    "superior posterior",
    "inferior anterior",
    "inferior middle",
    "inferior posterior",
)
"""Order of the rows of `SixPoints.points` and of every array given to `SixPoints.from_array`."""

GENANT_CUTOFFS = (0.20, 0.25, 0.40)
"""Height loss where grade 1 and grade 2 begin and above which grade 3 begins (genant1993)."""

LANDMARK_SIGMA_MM = 0.55
"""Isotropic standard deviation of one placed point, mm; calibrated, see the module's head."""

# 1 - 0.8 is 0.19999999999999996 in floating point; a loss this near to a cut-off is meant to lie on it.
_ON_THE_CUTOFF = 1e-9


@dataclass(frozen=True)
class Heights(Generic[T]):
    """Anterior, middle and posterior height of one body (floats) or of many (arrays of one shape), mm.

    Raises ValueError when a height is not a number or not above zero.
    """

    anterior: T
    middle: T
    posterior: T

    def __post_init__(self) -> None:
        for name in ("anterior", "middle", "posterior"):
            value = getattr(self, name)
            if not np.all(np.isfinite(value) & (np.asarray(value) > 0)):
                raise ValueError(f"{name} height is {value} mm; give a finite height above 0 mm")


@dataclass(frozen=True, eq=False)
class SixPoints:
    """The six landmarks of one body: `points` is (6, 2) in mm, rows in the order of `POINT_NAMES`.

    Raises ValueError for a wrong shape, a missing number, two coincident points, or a superior point that does not lie
    cranial to its inferior partner (points swapped, y down as on a screen, or a film that faces the other way).
    """

    points: FloatArray

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float64)
        if points.shape != (6, 2):
            raise ValueError(f"six points need an array of shape (6, 2), not {points.shape}; rows: {POINT_NAMES}")
        for name, point in zip(POINT_NAMES, points, strict=True):
            if not np.isfinite(point).all():
                raise ValueError(f"the {name} point is {tuple(point.tolist())}; give two finite numbers in mm")
        for i, j in combinations(range(6), 2):
            if np.allclose(points[i], points[j], rtol=0, atol=1e-9):
                raise ValueError(f"the {POINT_NAMES[i]} and the {POINT_NAMES[j]} point coincide; move one of them")
        forward = (points[[0, 3]] - points[[2, 5]]).sum(axis=0)
        cranial = np.array([-forward[1], forward[0]])
        for name, pair in zip(POINT_NAMES, points[:3] - points[3:], strict=False):
            if pair @ cranial <= 0:
                raise ValueError(
                    f"the {name} point does not lie cranial to its inferior partner; "
                    "check the order of the points and the frame (x anterior, y cranial)"
                )
        points.flags.writeable = False
        object.__setattr__(self, "points", points)

    @classmethod
    def from_array(cls, points: ArrayLike) -> "SixPoints":
        """Take anything numpy reads as (6, 2), mm, rows in the order of `POINT_NAMES`."""
        try:
            return cls(np.asarray(points, dtype=np.float64))
        except TypeError as error:
            raise ValueError("six points need an array of numbers of shape (6, 2)") from error

    @property
    def heights(self) -> Heights[float]:
        """Distance of each superior point to its inferior partner, mm."""
        anterior, middle, posterior = np.linalg.norm(self.points[:3] - self.points[3:], axis=-1).tolist()
        return Heights(anterior, middle, posterior)

    @property
    def superior_endplate(self) -> FloatArray:
        """Ends of the superior endplate, (2, 2) in mm: anterior, posterior. The middle point is left out."""
        return self.points[[0, 2]]

    @property
    def inferior_endplate(self) -> FloatArray:
        """Ends of the inferior endplate, (2, 2) in mm: anterior, posterior. The middle point is left out."""
        return self.points[[3, 5]]


# --- height loss and grade -------------------------------------------------------------------------------------------


def level_ratio(normal: Heights[float], normal_above: Heights[float], normal_below: Heights[float]) -> Heights[float]:
    """Normal heights of a level over the mean of its neighbours' normal heights (1 where the spine is uniform)."""
    return Heights(
        2 * normal.anterior / (normal_above.anterior + normal_below.anterior),
        2 * normal.middle / (normal_above.middle + normal_below.middle),
        2 * normal.posterior / (normal_above.posterior + normal_below.posterior),
    )


def reference_heights(
    above: Heights[T] | None, below: Heights[T] | None, ratio: Heights[float] | None = None
) -> Heights[T]:
    """Heights this body should have, mm: the mean of its neighbours, times the level's `ratio` (see `level_ratio`).

    At the end of the film one neighbour may be None. A fractured neighbour is no reference: leave it out.
    Without the ratio the physiological wedging of T11-L1 (unreferenced) is corrected only as far as neighbours share
    it.
    """
    if above is None or below is None:
        mean = above or below
        if mean is None:
            raise ValueError("reference heights need a neighbour; give the vertebra above, the one below, or both")
    else:
        mean = Heights(
            (above.anterior + below.anterior) / 2,
            (above.middle + below.middle) / 2,
            (above.posterior + below.posterior) / 2,
        )
    if ratio is None:
        return mean
    return Heights(mean.anterior * ratio.anterior, mean.middle * ratio.middle, mean.posterior * ratio.posterior)


def wedge_loss(heights: Heights[T]) -> T:
    """1 - Ha/Hp: anterior loss against the body's own posterior height."""
    return 1 - heights.anterior / heights.posterior


def biconcavity_loss(heights: Heights[T]) -> T:
    """1 - Hm/Hp: middle loss against the body's own posterior height."""
    return 1 - heights.middle / heights.posterior


def crush_loss(heights: Heights[T], reference: Heights[T]) -> T:
    """1 - Hp/Hp_reference: posterior loss against the neighbours."""
    return 1 - heights.posterior / reference.posterior


def anterior_loss(heights: Heights[T], reference: Heights[T]) -> T:
    """1 - Ha/Ha_reference: anterior loss against the neighbours, right even when the posterior wall is crushed."""
    return 1 - heights.anterior / reference.anterior


def middle_loss(heights: Heights[T], reference: Heights[T]) -> T:
    """1 - Hm/Hm_reference: middle loss against the neighbours, right even when the posterior wall is crushed."""
    return 1 - heights.middle / reference.middle


@dataclass(frozen=True)
class HeightLoss:
    """Five losses of one body (fractions), the largest of them, and the shape they make."""

    loss: float
    shape: Shape
    wedge: float
    biconcavity: float
    crush: float
    anterior: float
    middle: float

    @property
    def grade(self) -> int:
        """Genant grade 0-3 of the largest loss."""
        return genant_grade(self.loss)


def _largest_loss(heights: Heights[T], reference: Heights[T]) -> FloatArray:
    """Return the largest of the five losses, one a body."""
    losses = (
        wedge_loss(heights),
        biconcavity_loss(heights),
        crush_loss(heights, reference),
        anterior_loss(heights, reference),
        middle_loss(heights, reference),
    )
    largest: FloatArray = np.max(np.asarray(losses), axis=0)
    return largest


def height_loss(heights: Heights[float], reference: Heights[float]) -> HeightLoss:
    """Return what the Genant grade is taken from: the largest loss, against the own posterior wall or the neighbours.

    A crushed body's own posterior height is no reference: Ha 12, Hp 16 beside neighbours of 24 mm is a 25 % wedge by
    its own wall and has lost 50 % in truth. So the losses against the neighbours always take part.

    shape: `normal` below 20 % loss; `crush` as soon as the posterior wall itself lost 20 %; otherwise `wedge` or
    `biconcave`, whichever of the anterior and the middle height lost more.
    """
    wedge, biconcavity = wedge_loss(heights), biconcavity_loss(heights)
    crush = crush_loss(heights, reference)
    anterior, middle = anterior_loss(heights, reference), middle_loss(heights, reference)
    loss = float(_largest_loss(heights, reference))
    shape: Shape
    if genant_grade(loss) == 0:
        shape = "normal"
    elif genant_grade(crush) > 0:
        shape = "crush"
    else:
        shape = "wedge" if max(wedge, anterior) >= max(biconcavity, middle) else "biconcave"
    return HeightLoss(loss, shape, wedge, biconcavity, crush, anterior, middle)


@overload
def genant_grade(loss: float) -> int: ...
@overload
def genant_grade(loss: FloatArray) -> NDArray[np.int_]: ...
def genant_grade(loss: float | FloatArray) -> int | NDArray[np.int_]:
    """Genant grade of a height loss given as a fraction (genant1993): 0, 1 from 20 %, 2 from 25 %, 3 above 40 %.

    Exactly 20 % is grade 1, exactly 25 % grade 2, exactly 40 % still grade 2 (the grade is printed as "> 40 %");
    "exactly" forgives 1e-9. The visual half grade 0.5 (borderline, genant1993) is no measurement and is not given here.
    Raises ValueError for a loss of 1 or more (a percentage?) or not a number.
    """
    value = np.asarray(loss, dtype=np.float64)
    if not np.all(np.isfinite(value) & (value < 1)):
        raise ValueError(f"height loss is {loss}; give a fraction below 1, such as 0.25 for 25 %")
    mild, moderate, severe = GENANT_CUTOFFS
    grade = (
        (value >= mild - _ON_THE_CUTOFF).astype(np.int_)
        + (value >= moderate - _ON_THE_CUTOFF)
        + (value > severe + _ON_THE_CUTOFF)
    )
    return grade if isinstance(loss, np.ndarray) else int(grade)


# --- how sure is a grade ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GenantBand:
    """A grade with its landmark uncertainty.

    `probabilities` of grades 0-3 sum to 1; `loss_low` and `loss_high` bound the middle 95 % of the readings.
    """

    loss: float
    grade: int
    shape: Shape
    probabilities: tuple[float, float, float, float]
    loss_low: float
    loss_high: float
    sigma_mm: float
    draws: int


@lru_cache(maxsize=4)
def _unit_noise(seed: int, *shape: int) -> FloatArray:
    """Standard normal numbers, kept: a slider that calls again sees the same readers and waits for no new ones."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    noise.flags.writeable = False
    return noise


def _read_heights(vectors: FloatArray, sigma: float, noise: FloatArray) -> Heights[FloatArray]:
    """Heights that readers measure: `vectors` (..., 3, 2) superior minus inferior, mm, `noise` the same shape.

    Two points with variance sigma^2 a coordinate make a difference with 2 sigma^2, so one draw serves for the pair.
    """
    read = vectors + np.sqrt(2) * sigma * noise
    heights = np.sqrt(read[..., 0] ** 2 + read[..., 1] ** 2)
    return Heights(heights[..., 0], heights[..., 1], heights[..., 2])


def _check_sigma(sigma: float) -> None:
    if not (np.isfinite(sigma) and sigma >= 0):
        raise ValueError(f"landmark noise sigma is {sigma} mm; give a finite number of 0 mm or more")


def grade_band(
    vertebra: SixPoints,
    above: SixPoints | None,
    below: SixPoints | None,
    sigma: float = LANDMARK_SIGMA_MM,
    draws: int = 2000,
    seed: int = 0,
    ratio: Heights[float] | None = None,
) -> GenantBand:
    """Grade a body as `draws` readers would who take these points for true and miss each by `sigma` mm.

    The neighbours' points are read with the same noise; one of them may be None (see `reference_heights`). The grade is
    taken from the largest of several noisy losses, so the interval lies a little above the loss of the points as given.
    """
    _check_sigma(sigma)
    if draws < 1:
        raise ValueError(f"draws is {draws}; give at least 1")
    noise = _unit_noise(seed, 3, draws, 3, 2)

    def read(body: SixPoints, which: int) -> Heights[FloatArray]:
        return _read_heights(body.points[:3] - body.points[3:], sigma, noise[which])

    reference = reference_heights(above.heights if above else None, below.heights if below else None, ratio)
    point = height_loss(vertebra.heights, reference)
    read_reference = reference_heights(read(above, 1) if above else None, read(below, 2) if below else None, ratio)
    losses = _largest_loss(read(vertebra, 0), read_reference)
    p0, p1, p2, p3 = (np.bincount(genant_grade(losses), minlength=4) / draws).tolist()
    low, high = np.quantile(losses, (0.025, 0.975)).tolist()
    return GenantBand(point.loss, point.grade, point.shape, (p0, p1, p2, p3), low, high, sigma, draws)


@dataclass(frozen=True)
class Agreement:
    """Bland-Altman agreement of two readers: mean difference and the limits that hold 95 % of the differences."""

    bias: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Return the figure behind the +- of "limits of agreement"."""
        return (self.high - self.low) / 2


def limits_of_agreement(first: ArrayLike, second: ArrayLike) -> Agreement:
    """Bland-Altman limits, mean difference +- 1.96 SD of first - second, over paired readings of the same cases."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        raise ValueError(f"readings have shapes {a.shape} and {b.shape}; give two lists of the same 2 or more cases")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a reading is not a number; leave that case out of both lists")
    difference = a - b
    bias, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    return Agreement(bias, bias - spread, bias + spread)


MIXTURE_HEIGHTS_MM = (21.3, 22.7, 23.8)
"""Posterior heights of T11, T12 and L1 that `two_readers` draws from; L1 panjabi1992, T11 and T12 unreferenced."""

MIXTURE_LOSSES = (0.0, 0.40)
"""Range of the true wedge loss that `two_readers` draws from, evenly."""


def two_readers(
    sigma: float = LANDMARK_SIGMA_MM, cases: int = 20_000, seed: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Wedge losses that two readers measure on simulated cases, and the true ones: three arrays (cases,).

    The mixture assumed: wedge deformities of T11, T12 and L1 in equal parts (`MIXTURE_HEIGHTS_MM`), true anterior loss
    spread evenly over `MIXTURE_LOSSES`, posterior wall intact, each of the four points missed by `sigma` mm. Another
    mixture gives other limits: lower bodies widen them, and so does a crushed posterior wall.
    """
    _check_sigma(sigma)
    rng = np.random.default_rng(seed)
    posterior = rng.choice(MIXTURE_HEIGHTS_MM, cases)
    truth = rng.uniform(*MIXTURE_LOSSES, cases)
    vectors = np.zeros((cases, 3, 2))
    vectors[..., 1] = posterior[:, None] * np.stack([1 - truth, 1 - truth / 2, np.ones(cases)], axis=-1)
    first, second = (wedge_loss(_read_heights(vectors, sigma, rng.standard_normal(vectors.shape))) for _ in range(2))
    return first, second, truth


# --- angles ----------------------------------------------------------------------------------------------------------


def wedge_angle(anterior: float, posterior: float, depth: float) -> float:
    """Wedge angle of a body, degrees: atan((Hp - Ha) / depth), all in mm; positive when the anterior wall is lower."""
    for name, value in (("anterior", anterior), ("posterior", posterior), ("depth", depth)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value} mm; give a finite length above 0 mm")
    return float(np.degrees(np.arctan2(posterior - anterior, depth)))


def cobb_angle(superior_line: ArrayLike, inferior_line: ArrayLike) -> float:
    """Angle between two endplate lines, degrees, positive = kyphosis (they converge anteriorly).

    Each line is (2, 2) in mm: its anterior end, its posterior end.
    """
    directions = []
    for name, line in (("superior", superior_line), ("inferior", inferior_line)):
        ends = np.asarray(line, dtype=np.float64)
        if ends.shape != (2, 2) or not np.isfinite(ends).all():
            raise ValueError(f"the {name} line is {ends.tolist()}; give two points (anterior, posterior) in mm")
        if np.allclose(ends[0], ends[1], rtol=0, atol=1e-9):
            raise ValueError(f"the two ends of the {name} line coincide; move one of them")
        directions.append(ends[0] - ends[1])
    (ux, uy), (vx, vy) = directions
    return float(np.degrees(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)))


def vertebral_kyphosis(points: SixPoints) -> float:
    """Angle between the body's own endplates, degrees."""
    return cobb_angle(points.superior_endplate, points.inferior_endplate)


def local_kyphosis(above: SixPoints, below: SixPoints) -> float:
    """Angle from the superior endplate of the vertebra above to the inferior endplate of the one below, degrees."""
    return cobb_angle(above.superior_endplate, below.inferior_endplate)


def cobb_sd(sigma: float, depth: float) -> float:
    """Standard deviation of a Cobb angle, degrees, from landmark noise: small-angle 2 sigma / depth (both mm).

    The difference of an endplate's two ends carries sqrt(2) sigma, and two endplates are compared: another sqrt(2).
    """
    _check_sigma(sigma)
    if not (np.isfinite(depth) and depth > 0):
        raise ValueError(f"endplate depth is {depth} mm; give a finite length above 0 mm")
    return float(np.degrees(2 * sigma / depth))


# --- a learner's own error -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LandmarkErrors:
    """How far placed points miss the true ones.

    `distances_mm` a point, in the order of `POINT_NAMES`; `height_errors_mm` anterior, middle, posterior and
    `angle_error_deg` (vertebral kyphosis) are placed minus true.
    """

    distances_mm: tuple[float, ...]
    height_errors_mm: tuple[float, float, float]
    angle_error_deg: float


def landmark_errors(placed: SixPoints, truth: SixPoints) -> LandmarkErrors:
    """Compare one learner's points with the true ones of the same body, in the same frame."""
    distances = np.linalg.norm(placed.points - truth.points, axis=-1)
    p, t = placed.heights, truth.heights
    return LandmarkErrors(
        tuple(distances.tolist()),
        (p.anterior - t.anterior, p.middle - t.middle, p.posterior - t.posterior),
        vertebral_kyphosis(placed) - vertebral_kyphosis(truth),
    )


@dataclass(frozen=True)
class Repeatability:
    """A reader's consistency over cases, in the unit of the errors given.

    `bias` is the mean error, `within_sd` the scatter about it, `coefficient` = 1.96 sqrt(2) within_sd: 95 % of this
    reader's repeated measurements of one film differ by less.
    """

    cases: int
    bias: float
    within_sd: float
    coefficient: float


def repeatability(errors: Sequence[float] | FloatArray) -> Repeatability:
    """Within-observer SD and 95 % repeatability coefficient from one signed error a case, reading minus truth.

    The truth of a simulated film carries no error of its own, so a single reading of each case is enough. For two
    readings of films whose truth is unknown give their differences divided by sqrt(2). Below two cases: ValueError.
    """
    values = np.asarray(errors, dtype=np.float64)
    if values.ndim != 1 or values.size < 2:
        raise ValueError(f"errors have shape {values.shape}; give one signed error for each of 2 or more cases")
    if not np.isfinite(values).all():
        raise ValueError(f"case {int(np.argmin(np.isfinite(values))) + 1} has no error; leave it out")
    sd = float(values.std(ddof=1))
    return Repeatability(int(values.size), float(values.mean()), sd, 1.96 * float(np.sqrt(2)) * sd)
