"""Standard setting: where the pass mark lies by Angoff's and by Hofstee's method, and how far the judges agree.

The judges are real people whom the instructor asks; the course brings none. Cut scores are in per cent of the points.
An Angoff file says for each judge and question which share of borderline candidates would get it right, 0 to 1. A
Hofstee file says for each judge the lowest and highest acceptable cut score and failure rate, in per cent (`BOUNDS`).
Both are CSV, with the column `judge` first, or YAML, a judge on each line: `Judge A: {ft-g01: 0.6, ft-g02: 0.75}`.
"""

import reprlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vertebra.quiz.items import Fault
from vertebra.quiz.responses import LIMIT
from vertebra.quiz.schema import nearest
from vertebra.quiz.scoring import is_number
from vertebra.teaching.files import TeachingError, read_table
from vertebra.teaching.statistics import NOTHING, REFUSE, Floats, Interval, TooFewError, correlation, mean

FEW_JUDGES = 6
"""Judges below which a standard comes with a warning."""
AGREES = 0.2
"""Correlation over the items below which a judge's ratings are flagged (a convention of this course)."""
BOUNDS = ("lowest_cut", "highest_cut", "lowest_fail", "highest_fail")


@dataclass(frozen=True, eq=False)
class Ratings:
    """Angoff ratings: values (judges, items), the share of borderline candidates who would get the item right."""

    judges: tuple[str, ...]
    items: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, eq=False)
class Bounds:
    """Hofstee's bounds: values (judges, 4) in per cent, in the order of `BOUNDS`."""

    judges: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class Judge:
    """One judge: their own cut score, and how much it lies above the mean of the others, in points of per cent.

    outlier: further from the others than chance allows. agreement: correlation over the items with the mean of the
    others; facility: with the facility observed (intra-judge consistency), NOTHING without one. flags: in words.
    """

    name: str
    cut: float
    severity: float
    outlier: bool
    agreement: Interval
    facility: Interval
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Angoff:
    """Angoff's cut score with limits, its standard error over judges, and how far the judges agree.

    one: agreement of a single judge, ICC(2,1); all: of the mean of them, ICC(2,k), which is the index of dependability
    of generalisability theory for this number of judges.
    """

    cut: Interval
    se: float
    judges: tuple[Judge, ...]
    one: Interval
    all: Interval
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Hofstee:
    """Hofstee's compromise: the means of the bounds, and the cut with the failure rate there (None: no crossing).

    says: in words how it came out.
    """

    lowest_cut: float
    highest_cut: float
    lowest_fail: float
    highest_fail: float
    cut: float | None
    fail: float | None
    says: str
    warnings: tuple[str, ...]


# --- Angoff ----------------------------------------------------------------------------------------------------------


def angoff(ratings: Ratings, points: ArrayLike | None = None, facilities: ArrayLike | None = None) -> Angoff:
    """Return Angoff's cut score: the mean over judges of the points that a borderline candidate would get.

    points (k,): what each item is worth, 1 each if None. facilities (k,): what the class did, for the judges' own
    consistency; NaN where unknown. The standard error is that of a sample of judges; the items are taken as they are.
    A judge is an outlier whose distance from the others, studentised without them, exceeds Student's deviate for 5 %
    over all judges together (Bonferroni).
    """
    x = ratings.values
    count, k = x.shape
    worth = np.ones(k) if points is None else np.asarray(points, dtype=float)
    cuts = 100 * x @ worth / worth.sum()
    judges = []
    for j, name in enumerate(ratings.judges):
        others = np.delete(cuts, j)
        severity = float(cuts[j] - others.mean())
        outlier = False
        if count >= 4:
            spread = others.std(ddof=1) * np.sqrt(1 + 1 / others.size)
            outlier = bool(abs(severity) > stats.t.ppf(1 - 0.025 / count, count - 2) * spread + 1e-9)
        agreement = correlation(x[j], np.delete(x, j, axis=0).mean(axis=0))
        own = NOTHING if facilities is None else correlation(x[j], facilities)
        flags = _judge_flags(x[j], severity, outlier, agreement, own)
        judges.append(Judge(name, float(cuts[j]), severity, outlier, agreement, own, flags))
    one, all_ = icc(x.T)
    return Angoff(mean(cuts), float(cuts.std(ddof=1) / np.sqrt(count)), tuple(judges), one, all_, _warn(count))


def icc(ratings: ArrayLike) -> tuple[Interval, Interval]:
    """Return the intraclass correlations ICC(2,1) and ICC(2,k) of ratings (n targets, k raters), with limits.

    Two-way random effects, absolute agreement (Shrout and Fleiss), limits by McGraw and Wong: the mean squares of rows,
    columns and residual, and an F with Satterthwaite's degrees of freedom. NOTHING where nothing varies.
    """
    x = np.asarray(ratings, dtype=float)
    n, k = x.shape
    if n < 2 or k < 2:
        return NOTHING, NOTHING
    rows, columns, grand = x.mean(axis=1), x.mean(axis=0), x.mean()
    msr = k * float(((rows - grand) ** 2).sum()) / (n - 1)
    msc = n * float(((columns - grand) ** 2).sum()) / (k - 1)
    mse = float(((x - rows[:, None] - columns + grand) ** 2).sum()) / ((n - 1) * (k - 1))
    bottom = msr + (k - 1) * mse + k * (msc - mse) / n
    if bottom < 1e-15 or mse < 1e-15:
        return NOTHING, NOTHING
    r = (msr - mse) / bottom
    f, c = msc / mse, n * (1 + (k - 1) * r) - k * r
    v = (k - 1) * (n - 1) * (k * r * f + c) ** 2 / ((n - 1) * (k * r * f) ** 2 + c**2)
    upper, lower = float(stats.f.ppf(0.975, n - 1, v)), float(stats.f.ppf(0.975, v, n - 1))
    noise = k * msc + (k * n - k - n) * mse
    low = n * (msr - upper * mse) / (upper * noise + n * msr)
    high = n * (lower * msr - mse) / (noise + n * lower * msr)
    one = Interval(r, low, high)
    return one, Interval(*(k * value / (1 + (k - 1) * value) for value in (r, low, high)))


def _judge_flags(
    ratings: Floats, severity: float, outlier: bool, agreement: Interval, own: Interval
) -> tuple[str, ...]:
    found = []
    if outlier:
        found.append(
            f"{abs(severity):.0f} points {'stricter' if severity > 0 else 'milder'} than the others: talk it over"
        )
    if np.ptp(ratings) == 0:
        found.append("gave every item the same rating")
    elif agreement.value < AGREES:
        found.append("rates other items as hard than the other judges do")
    if own.value < AGREES:
        found.append("the ratings have little to do with how hard the items were")
    return tuple(found)


def _warn(judges: int) -> tuple[str, ...]:
    if judges >= FEW_JUDGES:
        return ()
    return (f"{judges} judges, fewer than {FEW_JUDGES}: the cut score depends on who was asked",)


# --- Hofstee ---------------------------------------------------------------------------------------------------------


def hofstee(bounds: Bounds, scores: ArrayLike) -> Hofstee:
    """Return Hofstee's compromise for the class with these scores, (n,) in per cent.

    The line from (lowest cut, highest failure rate) to (highest cut, lowest failure rate), of the judges' means, meets
    the share of the class below a cut, which rises with it. Raises TooFewError for a class below `statistics.REFUSE`.
    """
    y = np.sort(_class(scores))
    c1, c2, f1, f2 = (float(value) for value in bounds.values.mean(axis=0))

    def says(cut: float | None, fail: float | None, words: str) -> Hofstee:
        return Hofstee(c1, c2, f1, f2, cut, fail, words, _warn(len(bounds.judges)))

    if failing(y, c1) > f2:
        what = f"even at the lowest acceptable cut, {c1:.1f} %, more fail than the judges accept"
        return says(None, None, f"no crossing: {what} ({failing(y, c1):.1f} % against {f2:.1f} %)")
    if failing(y, c2) < f1:
        what = f"even at the highest acceptable cut, {c2:.1f} %, fewer fail than the judges expect"
        return says(None, None, f"no crossing: {what} ({failing(y, c2):.1f} % against {f1:.1f} %)")
    cut = _crossing(y, c1, c2, f1, f2)
    fail = failing(y, cut)
    return says(cut, fail, f"the judges' line meets the class at a cut of {cut:.1f} %, below which {fail:.1f} % lie")


def failing(scores: ArrayLike, cut: float) -> float:
    """Return how many per cent of the scores lie below the cut; who reaches it exactly passes."""
    return 100 * float(np.mean(np.asarray(scores, dtype=float) < cut - 1e-9))


def _crossing(y: Floats, c1: float, c2: float, f1: float, f2: float) -> float:
    """Return the lowest cut at which at least as many fail as the falling line allows; y are the sorted scores.

    The curve is level between two scores and jumps right above each, so the line meets a level or a jump.
    """
    steps = np.unique(y[(y >= c1) & (y < c2)])
    for start, end in zip([c1, *steps], [*steps, c2], strict=True):
        level = failing(y, end)
        meets = c1 if f2 == f1 else c1 + (f2 - level) / (f2 - f1) * (c2 - c1)
        if level >= f1 and meets <= end:
            return float(max(start, meets))
    return c2


def _class(scores: ArrayLike) -> Floats:
    y: NDArray[np.float64] = np.asarray(scores, dtype=np.float64)
    y = y[~np.isnan(y)]
    if y.size < REFUSE:
        raise TooFewError(
            f"{y.size} examinees; below {REFUSE} the share that fails is chance, so gather more submissions"
        )
    return y


# --- the files -------------------------------------------------------------------------------------------------------


def load_angoff(path: Path | str, items: Sequence[str]) -> Ratings:
    """Read the Angoff ratings of these items; raises TeachingError, a line for each fault, or OSError if unreadable."""
    judges, values = _read(Path(path), items, 1.0, "a share from 0 to 1, such as 0.65 for 65 of 100 candidates")
    return Ratings(judges, tuple(items), values)


def load_hofstee(path: Path | str) -> Bounds:
    """Read Hofstee's bounds; raises TeachingError with a line for each fault, OSError if the file cannot be read."""
    judges, values = _read(Path(path), BOUNDS, 100.0, "a number of per cent from 0 to 100")
    wrong = [
        f"{path}: judge {name}: {low.replace('_', ' ')} is above {high.replace('_', ' ')}; exchange the two"
        for name, row in zip(judges, values, strict=True)
        for low, high, at in (("lowest_cut", "highest_cut", 0), ("lowest_fail", "highest_fail", 2))
        if row[at] > row[at + 1]
    ]
    if wrong:
        raise TeachingError("\n".join(wrong))
    return Bounds(judges, values)


@dataclass(frozen=True)
class _Row:
    judge: str
    line: int
    cells: Mapping[str, tuple[Any, int]]


def _read(path: Path, columns: Collection[str], most: float, wanted: str) -> tuple[tuple[str, ...], Floats]:
    if path.stat().st_size > LIMIT:
        raise TeachingError(f"{path}: is larger than {LIMIT} bytes; name a file of ratings")
    rows = _csv_rows(path) if path.suffix.lower() == ".csv" else _yaml_rows(path)
    faults, seen = [], set()
    for row in rows:
        if row.judge in seen:
            faults.append(Fault(str(path), row.line, row.judge, "this judge is there twice; remove one, or rename it"))
        seen.add(row.judge)
        for name in columns:
            if name not in row.cells or row.cells[name][0] in (None, ""):
                faults.append(Fault(str(path), row.line, row.judge, f"has no {name}; add {wanted}"))
        for name, (value, line) in row.cells.items():
            if name not in columns:
                mend = nearest(name, columns) or f"expected are {', '.join(columns)}"
                faults.append(Fault(str(path), line, row.judge, f"there is no {name}; {mend}"))
            elif value not in (None, "") and not (is_number(value) and 0 <= value <= most):
                faults.append(Fault(str(path), line, row.judge, f"{name} is {reprlib.repr(value)}; give {wanted}"))
    if len(rows) < 2 and not faults:
        faults.append(
            Fault(str(path), 1, "judges", f"there are {len(rows)}; a standard needs two, better {FEW_JUDGES}")
        )
    if faults:
        raise TeachingError("\n".join(str(fault) for fault in dict.fromkeys(faults)))
    values = np.array([[row.cells[name][0] for name in columns] for row in rows], dtype=np.float64)
    return tuple(row.judge for row in rows), values


def _csv_rows(path: Path) -> list[_Row]:
    lines = [(line, cells) for line, cells in read_table(path, "a file of ratings") if any(cells)]
    if not lines or lines[0][1][0] != "judge":
        raise TeachingError(f"{path}:1: the first column is not judge; begin with a line judge,ITEM,ITEM and so on")
    header = lines[0][1]
    rows = []
    for line, cells in lines[1:]:
        if len(cells) != len(header):
            what = f"has {len(cells)} cells and the first line {len(header)}; give each judge one cell for each column"
            raise TeachingError(f"{path}:{line}: {what}")
        values = {name: (_number(cell), line) for name, cell in zip(header[1:], cells[1:], strict=True)}
        rows.append(_Row(cells[0] or f"line {line}", line, values))
    if len(set(header)) != len(header):
        raise TeachingError(f"{path}:1: a column is there twice; remove one")
    return rows


def _number(cell: str) -> float | str:
    try:
        return float(cell.replace(",", "."))  # many spreadsheets write 0,6
    except ValueError:
        return cell


def _yaml_rows(path: Path) -> list[_Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TeachingError(f"{path}: is not UTF-8 text; save the file as UTF-8") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = getattr(error, "problem", None) or "it cannot be read"
        raise TeachingError(f"{path}:{line}: is not YAML ({what}); mend this line") from None
    if not isinstance(root, yaml.MappingNode) or not isinstance(data, dict):
        raise TeachingError(f"{path}:1: holds no judges; write a line for each: `Judge A: {{ft-g01: 0.6}}`")
    rows = []
    for name, value in root.value:
        line, judge = name.start_mark.line + 1, str(name.value)
        if not isinstance(value, yaml.MappingNode):
            raise TeachingError(f"{path}:{line}: {judge}: has no ratings; write `{judge}: {{ft-g01: 0.6}}`")
        cells: dict[str, tuple[Any, int]] = {}
        for key, cell in value.value:
            at = key.start_mark.line + 1
            if key.value in cells:
                raise TeachingError(f"{path}:{at}: {judge}: {key.value} is there twice; remove one")
            cells[str(key.value)] = (yaml.safe_load(yaml.serialize(cell)), at)
        rows.append(_Row(judge, line, cells))
    return rows
