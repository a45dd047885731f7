"""How well someone reads films: sensitivity, specificity, level, grade and height errors, and when practice may stop.

A `Finding` is what a film shows or what a reader says it shows; a `Reading` holds the two side by side. Everything
here is computed from a sequence of readings in the order they were made. Losses are fractions (0.25 is 25 %).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike

from vertebra.measure.morphometry import FloatArray, Repeatability, repeatability

KINDS = ("wedge", "biconcave", "crush")
"""Types of fracture a reader can name."""

CERTAINTIES = (1, 2, 3)
"""Guess, fairly sure, certain."""

Z95 = 1.959963984540054
"""Standard normal deviate that leaves 2.5 % above it."""

STOP_MINIMUM, STOP_WINDOW, STOP_LIMIT = 20, 30, 0.70
"""Stop rule of this course (unreferenced): so many films of each kind at least, judged on so many of the last of each
kind, both lower 95 % limits above this share. See `stop`."""


# --- proportions -----------------------------------------------------------------------------------------------------


def wilson(successes: float, n: float) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion: (low, high), without continuity correction (unreferenced).

    It keeps inside 0 and 1 and stays honest where all or none succeeded, as the plain p +- z sqrt(p (1 - p) / n) does
    not. With n = 0 nothing is known: (0, 1). Raises ValueError unless 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes is {successes} of n {n}; give numbers with 0 <= successes <= n")
    if n == 0:
        return 0.0, 1.0
    share, z2 = successes / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # The ends are exact for none and for all; rounding must not leave 1e-17 there.
    return (0.0 if successes == 0 else centre - half, 1.0 if successes == n else centre + half)


@dataclass(frozen=True)
class Proportion:
    """`successes` of `n`, with its share (None when n is 0) and its 95 % Wilson limits."""

    successes: int
    n: int

    @property
    def share(self) -> float | None:
        """Successes over n, None when nothing was counted."""
        return self.successes / self.n if self.n else None

    @property
    def limits(self) -> tuple[float, float]:
        """Return the 95 % Wilson limits."""
        return wilson(self.successes, self.n)


def proportion(successes: Sequence[bool]) -> Proportion:
    """Count the true ones."""
    return Proportion(sum(map(bool, successes)), len(successes))


def weighted_kappa(truth: ArrayLike, said: ArrayLike) -> float | None:
    """Cohen's kappa with quadratic weights of two gradings (whole numbers from 0) of the same cases (unreferenced).

    1 - (mean squared difference) / (the same if both graded independently with the same totals). None when the latter
    is 0: no case, or one and the same grade throughout, so that chance would agree as well.
    """
    a, b = np.asarray(truth, dtype=np.int64), np.asarray(said, dtype=np.int64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"gradings have shapes {a.shape} and {b.shape}; give two lists of the same cases")
    if a.size == 0:
        return None
    if min(a.min(), b.min()) < 0:
        raise ValueError("a grade is below 0; give whole grades from 0")
    grades = np.arange(max(a.max(), b.max()) + 1)
    table = np.zeros((grades.size, grades.size))
    np.add.at(table, (a, b), 1 / a.size)
    weight = (grades[:, None] - grades) ** 2
    expected = float((weight * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    return 1 - float((weight * table).sum()) / expected if expected > 0 else None


# --- one reading -----------------------------------------------------------------------------------------------------

_LEVEL = re.compile(r"([TL])(\d{1,2})")


def level_number(level: str) -> int:
    """Place of a thoracic or lumbar level, counted from T1 = 1, so L1 = 13. Raises ValueError for another name."""
    match = _LEVEL.fullmatch(level)
    number = int(match[2]) if match else 0
    if not match or not 1 <= number <= (12 if match[1] == "T" else 5):
        raise ValueError(f"level {level!r} is unknown; permitted: T1 to T12 and L1 to L5")
    return number + (12 if match[1] == "L" else 0)


@dataclass(frozen=True)
class Finding:
    """What a film shows, or what a reader says it shows.

    level: "" when every level is said to be normal. kind, grade (1-3) and loss belong to a fracture; without one they
    are "", 0 and None. A mimic is a level that is abnormal and not fractured. Raises ValueError for what cannot be.
    """

    level: str
    fractured: bool
    kind: str = ""
    grade: int = 0
    loss: float | None = None

    def __post_init__(self) -> None:
        if self.level:
            level_number(self.level)
        if not self.fractured:
            if self.kind or self.grade or self.loss is not None:
                raise ValueError("a level that is not fractured has no type, grade or loss; leave them out")
            return
        if not self.level:
            raise ValueError("a fracture has a level; name it")
        if self.kind not in KINDS:
            raise ValueError(f"type {self.kind!r} is unknown; permitted: {', '.join(KINDS)}")
        if type(self.grade) is not int or self.grade not in (1, 2, 3):
            raise ValueError(f"Genant grade {self.grade!r} is unknown; a fracture has grade 1, 2 or 3")
        if self.loss is None or not (isfinite(self.loss) and 0 <= self.loss < 1):
            raise ValueError(f"height loss is {self.loss}; give a fraction from 0 to below 1, such as 0.25 for 25 %")


@dataclass(frozen=True)
class Reading:
    """One film read: the truth, what was said before it was shown, and how certain the reader was (1, 2, 3)."""

    truth: Finding
    said: Finding
    certainty: int

    def __post_init__(self) -> None:
        if type(self.certainty) is not int or self.certainty not in CERTAINTIES:
            raise ValueError(f"certainty is {self.certainty!r}; permitted: 1, 2, 3")

    @property
    def called(self) -> bool:
        """Say whether a fracture is there and a fracture was called, at whatever level."""
        return self.truth.fractured and self.said.fractured

    @property
    def right(self) -> bool:
        """Say whether the decision is right: fracture or none, and a fracture at its own level."""
        return self.truth.fractured == self.said.fractured and not (self.called and self.levels_off)

    @property
    def levels_off(self) -> int:
        """Levels from the fracture to where one was called, caudal positive; 0 unless there was one and one was called.

        Only a fracture has a level to be at: for a mimic, naming the level and saying "all normal" are both right.
        """
        return level_number(self.said.level) - level_number(self.truth.level) if self.called else 0

    @property
    def loss_error(self) -> float | None:
        """Loss said minus loss measured, of a fracture called at its own level; else None."""
        if not self.called or self.levels_off or self.said.loss is None or self.truth.loss is None:
            return None
        return self.said.loss - self.truth.loss


def nearest_level(point: Sequence[float], outlines: Mapping[str, ArrayLike]) -> str:
    """Level whose outline, a polygon (n, 2), holds `point` (2,) or else comes nearest to it; all in one unit."""
    x = np.asarray(point, dtype=np.float64)
    if x.shape != (2,) or not np.isfinite(x).all():
        raise ValueError(f"the point is {point}; give two finite numbers")
    return min(outlines, key=lambda level: _distance(x, np.asarray(outlines[level], dtype=np.float64)))


def _distance(x: FloatArray, polygon: FloatArray) -> float:
    """Distance of a point (2,) to a polygon (n, 2); 0 inside."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    edge = end - start
    # Even-odd rule: a ray to the right crosses an odd number of edges.
    above = (start[:, 1] > x[1]) != (end[:, 1] > x[1])
    slope = np.divide(edge[:, 0], edge[:, 1], out=np.zeros(len(edge)), where=above)
    if np.count_nonzero(above & (x[0] < start[:, 0] + slope * (x[1] - start[:, 1]))) % 2:
        return 0.0
    length2 = np.maximum((edge**2).sum(axis=1), 1e-300)
    along = np.clip(((x - start) * edge).sum(axis=1) / length2, 0, 1)
    return float(np.linalg.norm(start + along[:, None] * edge - x, axis=1).min())


# --- many readings ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Performance:
    """What a reader's films amount to.

    sensitivity: fractured films on which a fracture was called, at whatever level. specificity: films without a
    fracture on which none was called. wrong_level: of the fractures called, those put a level or more away. types: of
    the fractures called at their level, those of the right type. kappa: quadratic-weighted, of grades 0-3 on all films,
    None when undefined. loss: bias and repeatability of the height loss over the fractures called at their level, None
    below two. certainty: right decisions at each certainty.
    """

    sensitivity: Proportion
    specificity: Proportion
    wrong_level: Proportion
    types: Proportion
    kappa: float | None
    loss: Repeatability | None
    certainty: Mapping[int, Proportion]


def sensitivity(readings: Sequence[Reading]) -> Proportion:
    """Fractured films on which a fracture was called."""
    return proportion([r.said.fractured for r in readings if r.truth.fractured])


def specificity(readings: Sequence[Reading]) -> Proportion:
    """Films without a fracture, normal or mimic, on which none was called."""
    return proportion([not r.said.fractured for r in readings if not r.truth.fractured])


def performance(readings: Sequence[Reading]) -> Performance:
    """Sum up readings; give each film once, as first seen, or memory passes for skill."""
    errors = [r.loss_error for r in readings if r.loss_error is not None]
    return Performance(
        sensitivity(readings),
        specificity(readings),
        proportion([r.levels_off != 0 for r in readings if r.called]),
        proportion([r.said.kind == r.truth.kind for r in readings if r.called and not r.levels_off]),
        weighted_kappa([r.truth.grade for r in readings], [r.said.grade for r in readings]),
        repeatability(errors) if len(errors) > 1 else None,
        {c: proportion([r.right for r in readings if r.certainty == c]) for c in CERTAINTIES},
    )


def learning_curve(readings: Sequence[Reading]) -> list[tuple[Proportion, Proportion]]:
    """Sensitivity and specificity after the first reading, the first two, and so on."""
    curve, seen, cleared = [], Proportion(0, 0), Proportion(0, 0)
    for reading in readings:
        if reading.truth.fractured:
            seen = Proportion(seen.successes + reading.said.fractured, seen.n + 1)
        else:
            cleared = Proportion(cleared.successes + (not reading.said.fractured), cleared.n + 1)
        curve.append((seen, cleared))
    return curve


@dataclass(frozen=True)
class Stop:
    """Where a reader stands against the stop rule: both proportions of the window, and how many of each were read."""

    sensitivity: Proportion
    specificity: Proportion
    fractured_read: int
    unfractured_read: int

    @property
    def reached(self) -> bool:
        """Say whether enough films of both kinds were read and both lower limits lie above the limit."""
        enough = min(self.fractured_read, self.unfractured_read) >= STOP_MINIMUM
        return enough and all(p.limits[0] > STOP_LIMIT for p in (self.sensitivity, self.specificity))


def stop(readings: Sequence[Reading]) -> Stop:
    """Hold readings against the stop rule of this course (unreferenced).

    It takes at least `STOP_MINIMUM` films with and as many without a fracture, and looks at the last `STOP_WINDOW` of
    each, so that a beginner's first films do not count for ever. 19 of 20 or 26 of 30 on both sides pass; 18 of 20
    does not. Looked at after every film it is met within 200 films by about 2 in 100 readers who in truth see 70 % of
    the fractures and clear 70 % of the rest, by half at 80 % and by nine in ten at 85 % (simulated). It says that
    practice here has paid, and is no licence to read films of patients.
    """
    fractured = [r for r in readings if r.truth.fractured]
    others = [r for r in readings if not r.truth.fractured]
    return Stop(sensitivity(fractured[-STOP_WINDOW:]), specificity(others[-STOP_WINDOW:]), len(fractured), len(others))
