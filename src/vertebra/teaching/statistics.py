"""What a class's results say about the class and about the questions: item analysis, reliability, calibration.

Pure functions of arrays; nothing here reads a file. Students are rows (n), questions are columns (k). Each interval is
a 95 % one. `analyse` puts it all together and keeps to the rules of disclosure: no class below `REFUSE`, a warning
below `WARN`, no cell of fewer than `disclosure.FEWEST` people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vertebra.measure.reading import Z95, wilson
from vertebra.quiz.mastery import stated
from vertebra.teaching.choices import Place, places
from vertebra.teaching.disclosure import FEWEST, few, hidden
from vertebra.teaching.files import TeachingError

REFUSE, WARN = 20, 100
"""Examinees below which nothing is computed, and below which the numbers come with a warning."""
FIFTHS = 200
"""Examinees from which the class is split into fifths by ability; below, into thirds."""
HARD, EASY = 0.30, 0.90
"""Facilities below and above which an item is flagged."""
KEEP, REVIEW = 0.20, 0.10
"""Corrected item-total correlations from which an item is kept, and below which it is reviewed."""
FUNCTIONING = 0.05
"""Share of the class that a wrong option must draw to be of use."""
TAIL = 0.27
"""Share of the class in the upper and in the lower group of the discrimination index (Kelley)."""
MISKEY_Z, MISKEY_FIXED_Z = 0.5, 1.25
"""Standard errors from which the mis-key alarm sounds, and where a set of a given number is asked for.

There the wrong answers share few ticks among them, so that each falls with ability only a little, and chance lifts one
more often. See `miskey` for what both find."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ItemInfo:
    """One question of a quiz, in the bank's ids.

    objectives: ids; points: what it is worth. parts: {id of an option, step, prompt, region, decision or band: text};
    key: the key record that `scoring.score` takes, in the bank's ids.
    """

    id: str
    format: str
    objectives: tuple[str, ...]
    points: float
    stem: str
    parts: Mapping[str, str]
    key: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ClassResults:
    """The results of one quiz: n students by k questions.

    students: n pseudonymous codes. fractions (n, k): share of credit, 0 to 1; NaN where a question was not shown to a
    student, 0 where it was shown and left open. certainty (n, k): 1, 2, 3 or 0 for none. answers: n rows of k JSON
    values in the bank's ids, or None. Raises ValueError when the shapes or values do not fit each other.
    """

    quiz: str
    title: str
    students: tuple[str, ...]
    items: tuple[ItemInfo, ...]
    fractions: Floats
    certainty: NDArray[np.int64]
    answers: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        shape = (len(self.students), len(self.items))
        found = (self.fractions.shape, self.certainty.shape)
        if found != (shape, shape):
            raise ValueError(f"fractions and certainty have the shapes {found}, the class has {shape}")
        if len(self.answers) != shape[0] or any(len(row) != shape[1] for row in self.answers):
            raise ValueError(f"the answers are not {shape[0]} rows of {shape[1]}")
        if not np.all(np.isnan(self.fractions) | ((self.fractions >= 0) & (self.fractions <= 1))):
            raise ValueError("a share of credit lies outside 0 to 1")
        if not np.isin(self.certainty, (0, 1, 2, 3)).all():
            raise ValueError("a certainty is not 0, 1, 2 or 3")


class TooFewError(TeachingError):
    """A class too small for statistics that mean anything and name nobody."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % limits; all NaN where there is none."""

    value: float
    low: float
    high: float


NOTHING = Interval(np.nan, np.nan, np.nan)


# --- the single statistics -------------------------------------------------------------------------------------------


def facility(fractions: ArrayLike) -> Interval:
    """Return the mean share of credit of an item, with limits; fractions (n,), NaN where it was not shown.

    Right or wrong: Wilson's interval. Partial credit: Wilson's with as many effective answers as give the variance that
    was seen, n p (1 - p) / s^2, and Student's deviate for the normal one. Simulated for 20 to 100 students it covers
    93 to 97.5 %, lumpy and easy items included, where the t interval falls to 64 %, Wilson's on the sum of credit is
    far too wide (98 to 99.9 %) and the t interval of the logit a little (up to 98 %).
    """
    x = _known(fractions)
    if x.size and np.isin(x, (0.0, 1.0)).all():
        return Interval(float(x.mean()), *wilson(float(x.sum()), x.size))
    return share(x, np.ones_like(x))


def share(credit: ArrayLike, of: ArrayLike) -> Interval:
    """Return sum(credit) / sum(of) over people, (n,) each, with limits that know that a person's answers hang together.

    Wilson's interval with as many effective answers as give the linearised variance of the ratio (the survey
    statistician's design effect) and Student's deviate with n - 1 degrees of freedom. If nobody deviates from the
    share, Wilson's on the number of people.
    """
    c, m = np.asarray(credit, dtype=float), np.asarray(of, dtype=float)
    c, m = c[m > 0], m[m > 0]
    n, total = c.size, m.sum()
    if n == 0:
        return NOTHING
    p = float(np.clip(c.sum() / total, 0, 1))
    variance = n / (n - 1) * float(((c - p * m) ** 2).sum()) / total**2 if n > 1 else 0.0
    if not 0 < p < 1 or variance < 1e-15:
        return Interval(p, *wilson(p * n, n))
    # Wilson's limits depend on n and the deviate z through z^2 / n alone.
    effective = p * (1 - p) / variance * float(Z95 / stats.t.ppf(0.975, n - 1)) ** 2
    low, high = wilson(p * effective, effective)
    return Interval(p, float(low), float(high))


def mean(values: ArrayLike) -> Interval:
    """Return the mean of (n,) values with Student's interval; NaN are left out."""
    x = _known(values)
    if x.size < 2:
        return NOTHING
    half = float(stats.t.ppf(0.975, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size))
    return Interval(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half)


def correlation(x: ArrayLike, y: ArrayLike) -> Interval:
    """Return Pearson's correlation (point-biserial if x is right or wrong) with Fisher's z interval.

    x, y: (n,), pairs with a NaN are left out. NOTHING for fewer than 4 pairs or where one does not vary. Simulated for
    20 to 200 students and facilities of 0.1 to 0.9, Fisher's interval covers 94 to 96.5 %, though x is not normal.
    """
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    both = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[both], b[both]
    if a.size < 4 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return NOTHING
    a, b = a - a.mean(), b - b.mean()
    r = float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1, 1))
    if abs(r) > 1 - 1e-12:
        return Interval(r, r, r)
    half = Z95 / np.sqrt(a.size - 3)
    return Interval(r, float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half)))


def scores(results: ClassResults) -> Floats:
    """Return each student's share of the points of the questions that were shown, (n,); NaN if none was."""
    credit, worth = _weighed(results)
    with np.errstate(invalid="ignore"):
        return _even(credit.sum(axis=1) / worth.sum(axis=1))


def rest_scores(results: ClassResults) -> Floats:
    """Return each student's share of the points of all shown questions but this one, (n, k).

    Where everybody was shown the same questions it correlates with an item as the sum of the others does, which is the
    correction for overlap of the item-total correlation.
    """
    credit, worth = _weighed(results)
    with np.errstate(invalid="ignore"):
        return _even((credit.sum(axis=1, keepdims=True) - credit) / (worth.sum(axis=1, keepdims=True) - worth))


def discrimination(fractions: ArrayLike, score: ArrayLike, tail: float = TAIL) -> float:
    """Return the upper-lower index D: mean credit of the best `tail` of the class less that of the worst.

    fractions, score: (n,), pairs with a NaN are left out. People of equal score at the edge of a group enter it with
    equal weight, so that the index does not depend on the order of the students.
    """
    x, y = np.asarray(fractions, dtype=float), np.asarray(score, dtype=float)
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[both], y[both]
    return _tail(x, y, tail) - _tail(x, -y, tail) if x.size else np.nan


def ability_groups(score: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return each student's group, (n,), 0 the weakest to count - 1; -1 where the score is NaN.

    Equal scores are in one group, so the groups are of about the same size only.
    """
    y = np.asarray(score, dtype=float)
    found = np.full(y.shape, -1)
    known = ~np.isnan(y)
    ranks = stats.rankdata(y[known])
    found[known] = np.minimum((ranks - 0.5) * count // max(ranks.size, 1), count - 1).astype(int)
    return found


@dataclass(frozen=True)
class Reliability:
    """Cronbach's alpha with Feldt's interval, and the standard error of measurement in per cent of the points.

    items: how many questions a student was shown (a mean when that differs). binary: every question is right or wrong
    and worth the same, so that alpha is KR-20.
    """

    alpha: Interval
    sem: float
    items: float
    binary: bool


def reliability(results: ClassResults) -> Reliability:
    """Return Cronbach's alpha, k / (k - 1) (1 - sum of the items' variances / variance of the sum).

    Where students were shown different questions, k each, it is k c / (v + (k - 1) c) with the mean variance v of the
    items and the mean covariance c of those pairs that at least 3 students have in common; for complete data this is
    the same. Feldt's interval takes (1 - alpha) / (1 - estimate) for F with n - 1 and (n - 1)(k - 1) degrees.
    """
    points = np.array([item.points for item in results.items])
    x, there = results.fractions * points, ~np.isnan(results.fractions)
    n, k = int(there.any(axis=1).sum()), float(there.sum(axis=1)[there.any(axis=1)].mean()) if there.any() else 0.0
    binary = bool(np.isin(x[there], (0.0, points[0])).all() and (points == points[0]).all()) if points.size else False
    covariance = _covariance(x)
    off = ~np.eye(points.size, dtype=bool)
    variance = float(np.nanmean(np.diag(covariance))) if np.isfinite(np.diag(covariance)).any() else np.nan
    between = float(np.nanmean(covariance[off])) if np.isfinite(covariance[off]).any() else np.nan
    bottom = variance + (k - 1) * between
    if n < 3 or k < 2 or not bottom > 0:
        return Reliability(NOTHING, np.nan, k, binary)
    alpha = k * between / bottom
    low, high = stats.f.ppf((0.025, 0.975), n - 1, (n - 1) * (k - 1))
    spread = float(np.nanstd(100 * scores(results), ddof=1))
    interval = Interval(alpha, float(1 - (1 - alpha) * high), float(1 - (1 - alpha) * low))
    return Reliability(interval, spread * float(np.sqrt(max(0.0, 1 - alpha))), k, binary)


@dataclass(frozen=True)
class Miskey:
    """An alarm: those who chose `option` at `place` did better elsewhere than those who chose the key.

    right: the key names it all the same (it is a wrong part of a set). z: standard errors by which they did better.
    """

    place: str
    option: str
    right: bool
    z: float


def miskey(place: Place, rest: ArrayLike) -> Miskey | None:
    """Return the option that looks more like the key than the key does, or None; rest (n,): score of the rest.

    Where one choice is asked for: 1 for the option, -1 for the key and 0 for the others is correlated with the rest of
    the test, in standard errors of Fisher's z. Its sign says whether exchanging the two would raise the item's
    covariance with the rest. The alarm sounds from `MISKEY_Z` on, if the able choose the option (its own correlation is
    positive) and at least `disclosure.FEWEST` people did. Simulated for 50 students, 20 two-parameter items and 4
    options:

    slope  facility     sounds for a wrong key (names the true one)   for a right key
    1.5    0.25 - 0.9   0.95 - 1.00 (0.94 - 1.00)                     at most 0.001
    1      0.3 - 0.85   0.92 - 0.98 (0.91 - 0.96)                     at most 0.02
    1      0.22         0.90 (0.86)                                   0.03
    0.5    0.33 - 0.72  0.80 - 0.84 (0.66 - 0.72)                     0.06 - 0.10

    Where a set is asked for, an option is under suspicion by itself: one of the set that the able leave out, or
    another that they take; by `MISKEY_FIXED_Z` where the set has a given number. For a number or an order the options
    are the common wrong answers, so the alarm means that the able agree on another answer. In a task the truth is
    computed, and the alarm says that the able prefer a result that the task marks down.

    Simulated alike for the other formats, with one wrong option, pair, place or number in the key; every place counts:

    format                     slope 1: finds, false alarms   slope 0.6: finds, false alarms
    number, hotspot, task      0.95 - 0.98, at most 0.015     0.79 - 0.88, 0.02 - 0.05
    matching of 3, order of 5  0.93 - 0.96, at most 0.025     0.83 - 0.89, 0.09 - 0.12
    set of 4 to 6, any size    0.87 - 0.97, at most 0.02      0.72 - 0.88, 0.05 - 0.14
    two of 6                   0.92, 0.02                     0.73, 0.07
    """
    y = np.asarray(rest, dtype=float)
    n = int((~np.isnan(y)).sum())
    if n < 4:
        return None
    counts = place.chosen[~np.isnan(y)].sum(axis=0)
    key = (place.chosen & place.right).any(axis=1)
    found = []
    for j, option in enumerate(place.options):
        taken, right = place.chosen[:, j], bool(place.right[j])
        if place.single and (right or counts[j] < FEWEST or not correlation(taken, y).value > 0):
            continue
        if not place.single and min(counts[j], n - counts[j]) < FEWEST:
            continue
        contrast = taken.astype(float) - key if place.single else taken * (-1.0 if right else 1.0)
        r = correlation(contrast, y).value
        z = _in_errors(r, n)
        if z >= (MISKEY_FIXED_Z if place.fixed else MISKEY_Z):
            found.append(Miskey(place.id, option, right, z))
    return max(found, key=lambda alarm: alarm.z, default=None)


# --- the tables ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ChoiceTable:
    """Who chose what at one place of a question, by ability on the rest of the test.

    place: the prompt or decision, "" for the question. options: m ids (or numbers, or orders), the last one "" for no
    answer and any other. right (m,). sizes (g,): people in each group, the weakest first. counts (g, m), totals (m,):
    people, NaN where hidden. correlation (m,): of choosing it with the rest, NaN where the total is hidden.
    functioning (m,): drew at least `FUNCTIONING` of the class (this says a little of a hidden total too).
    """

    place: str
    options: tuple[str, ...]
    right: Bools
    sizes: NDArray[np.int64]
    counts: Floats
    totals: Floats
    correlation: Floats
    functioning: Bools


def choice_table(place: Place, rest: ArrayLike, groups: int) -> ChoiceTable:
    """Count the choices at a place by ability group; rest (n,): score of the rest, NaN: left out.

    How many chose the key of a question with one choice is shown in any case, as the facility says it too.
    """
    y = np.asarray(rest, dtype=float)
    group = ability_groups(y, groups)
    other = ~place.chosen.any(axis=1)
    chosen = np.column_stack([place.chosen, other])
    right = np.append(place.right, False)
    counts = np.array([chosen[group == g].sum(axis=0) for g in range(groups)])
    sizes = np.array([(group == g).sum() for g in range(groups)])
    if place.exclusive:
        known = right if place.single and place.id == "" and right.sum() == 1 else np.zeros_like(right)
        mask = hidden(counts, known)
    else:  # whether somebody ticked an option is a table of its own: yes and no
        mask = np.column_stack([hidden(np.column_stack([c, sizes - c]))[:, 0] for c in counts.T])
    totals = counts.sum(axis=0)
    r = [np.nan if mask[-1, j] else correlation(chosen[:, j], y).value for j in range(right.size)]
    return ChoiceTable(
        place.id,
        (*place.options, ""),
        right,
        sizes,
        np.where(mask[:-1], np.nan, counts),
        np.where(mask[-1], np.nan, totals),
        np.array(r),
        totals >= FUNCTIONING * sizes.sum(),
    )


@dataclass(frozen=True)
class CertaintyLevel:
    """The answers of one certainty: how many, of how many people, the share of credit with limits; NaN where hidden.

    stated: the probability that the certainty stands for (`mastery.stated`). n and people are 0 where hidden.
    """

    certainty: int
    stated: float
    n: int
    people: int
    share: Interval
    hidden: bool


@dataclass(frozen=True)
class ClassCalibration:
    """Certainty stated against credit earned, over a class; brier is the mean squared difference, NaN without any."""

    levels: tuple[CertaintyLevel, ...]
    n: int
    people: int
    share: Interval
    brier: float


def class_calibration(results: ClassResults) -> ClassCalibration:
    """Return the calibration of all answers that carry a certainty.

    The limits allow for answers of one student hanging together (`share`). A certainty used by fewer than
    `disclosure.FEWEST` people is hidden, and others with it until the difference from all is one of that many people.
    """
    used = (results.certainty > 0) & ~np.isnan(results.fractions)
    credit = np.where(used, results.fractions, 0.0)
    probability = stated()
    at = {c: used & (results.certainty == c) for c in probability}
    people = {c: int(mask.any(axis=1).sum()) for c, mask in at.items()}
    concealed = {c for c in at if 0 < people[c] < FEWEST}
    while concealed and np.any([at[c] for c in concealed], axis=0).any(axis=1).sum() < FEWEST:
        open_ = [c for c in at if people[c] and c not in concealed]
        if not open_:
            break  # so few stated a certainty at all
        concealed.add(min(open_, key=lambda c: people[c]))
    levels = []
    for c, mask in at.items():
        shut = c in concealed
        found = NOTHING if shut else share((credit * mask).sum(axis=1), mask.sum(axis=1))
        n = 0 if shut else int(mask.sum())
        levels.append(CertaintyLevel(c, probability[c], n, 0 if shut else people[c], found, shut))
    claimed = sum(probability[c] * mask for c, mask in at.items())
    brier = float(np.mean((claimed - credit)[used] ** 2)) if used.any() else np.nan
    everyone = int(used.any(axis=1).sum())
    if 0 < everyone < FEWEST:
        return ClassCalibration(tuple(levels), 0, 0, NOTHING, np.nan)
    return ClassCalibration(
        tuple(levels), int(used.sum()), everyone, share(credit.sum(axis=1), used.sum(axis=1)), brier
    )


@dataclass(frozen=True, eq=False)
class ObjectiveRow:
    """One objective: its questions, the mean share of credit with limits, and by ability group.

    n: people who were shown at least one of its questions. means, people (g,): the weakest group first, NaN and 0 where
    hidden.
    """

    objective: str
    items: tuple[str, ...]
    n: int
    mean: Interval
    means: Floats
    people: NDArray[np.int64]


def by_objective(results: ClassResults, groups: int) -> tuple[ObjectiveRow, ...]:
    """Return a row for each objective, sorted by id: share of the points by ability group.

    Ability is the whole score, the objective's questions included, as one must be the same for the whole map.
    """
    credit, worth = _weighed(results)
    group = ability_groups(scores(results), groups)
    rows = []
    for objective in sorted({name for item in results.items for name in item.objectives}):
        mine = [j for j, item in enumerate(results.items) if objective in item.objectives]
        c, m = credit[:, mine].sum(axis=1), worth[:, mine].sum(axis=1)
        shown = m > 0
        people = np.array([(shown & (group == g)).sum() for g in range(groups)])
        shut = few(people)
        if len(mine) == 1 and np.isin(results.fractions[shown, mine[0]], (0.0, 1.0)).all():
            # Then the share of a group says how many were right, which the table of the choices may hide.
            shut |= few(np.array([(c[group == g] > 0).sum() for g in range(groups)]))
        while shut.any() and (shut.sum() == 1 or people[shut].sum() < FEWEST) and (people[~shut] > 0).any():
            shut[np.argmin(np.where(~shut & (people > 0), people, people.sum() + 1))] = True
        total = share(c, m) if shown.sum() >= FEWEST else NOTHING
        means = [
            np.nan if shut[g] or not people[g] else c[group == g].sum() / m[group == g].sum() for g in range(groups)
        ]
        names = tuple(results.items[j].id for j in mine)
        n = int(shown.sum()) if shown.sum() >= FEWEST else 0
        rows.append(ObjectiveRow(objective, names, n, total, np.array(means), np.where(shut, 0, people)))
    return tuple(rows)


# --- the whole -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ItemAnalysis:
    """What the class says about one question; n people were shown it, and numbers are NaN if they are below `REFUSE`.

    correlation: corrected item-total (point-biserial). discrimination: upper-lower index, 27 %. choices: a table for
    each place where something is chosen. functioning: wrong options that draw at least 5 %, of `distractors`; None
    where wrong answers are not an item's own options. flags: what to look at, in words.
    """

    item: ItemInfo
    n: int
    facility: Interval
    correlation: Interval
    discrimination: float
    choices: tuple[ChoiceTable, ...]
    functioning: int | None
    distractors: int | None
    alarms: tuple[Miskey, ...]
    flags: tuple[str, ...]

    @property
    def suspect(self) -> bool:
        """Say whether the key may be wrong: by an alarm, or because the able do worse than the others."""
        return bool(self.alarms) or _is_negative(self.correlation.value, self.n)


@dataclass(frozen=True)
class Analysis:
    """The item analysis of a quiz: n students in `groups` groups of ability; mean and sd in per cent of the points."""

    quiz: str
    title: str
    n: int
    groups: int
    mean: Interval
    sd: float
    reliability: Reliability
    items: tuple[ItemAnalysis, ...]
    calibration: ClassCalibration
    objectives: tuple[ObjectiveRow, ...]
    warnings: tuple[str, ...]


def analyse(results: ClassResults) -> Analysis:
    """Return the whole item analysis; raises TooFewError for fewer than `REFUSE` students who were shown something."""
    total = scores(results)
    n = int((~np.isnan(total)).sum())
    if n < REFUSE:
        raise TooFewError(
            f"{results.quiz}: {n} examinees; below {REFUSE} the statistics are mostly chance, and a reader could tell "
            "who answered what; gather more submissions, or read the answers one by one"
        )
    groups = 5 if n >= FIFTHS else 3
    rest = rest_scores(results)
    warnings = []
    if n < WARN:
        warnings.append(f"{n} examinees, fewer than {WARN}: every number is uncertain, so read the intervals")
    if np.isnan(results.fractions[~np.isnan(total)]).any():
        warnings.append(
            "not everybody was shown the same questions: scores are shares of the points shown, and a variant that was "
            "harder counts as lower ability"
        )
    return Analysis(
        results.quiz,
        results.title,
        n,
        groups,
        mean(100 * total),
        float(np.nanstd(100 * total, ddof=1)),
        reliability(results),
        tuple(_item(results, j, rest[:, j], groups) for j in range(len(results.items))),
        class_calibration(results),
        by_objective(results, groups),
        tuple(warnings),
    )


def _item(results: ClassResults, j: int, rest: Floats, groups: int) -> ItemAnalysis:
    info, x = results.items[j], results.fractions[:, j]
    shown = ~np.isnan(x)
    n = int(shown.sum())
    if n < REFUSE:
        flag = f"shown to fewer than {REFUSE} examinees: no statistics"
        return ItemAnalysis(info, n, NOTHING, NOTHING, np.nan, (), None, None, (), (flag,))
    found = places(info.key, [results.answers[i][j] for i in np.flatnonzero(shown)])
    y = rest[shown]
    tables = tuple(choice_table(place, y, groups) for place in found)
    alarms = tuple(alarm for place in found if (alarm := miskey(place, y)))
    functioning = distractors = None
    if info.format in ("single_best_answer", "multiple_response", "hotspot", "key_feature"):
        wrong = [~table.right & (np.arange(table.right.size) < table.right.size - 1) for table in tables]
        distractors = sum(int(each.sum()) for each in wrong)
        functioning = sum(int(table.functioning[each].sum()) for table, each in zip(tables, wrong, strict=True))
    p, r = facility(x), correlation(x, rest)
    d = discrimination(x, rest)
    flags = _flags(info, n, p.value, r.value, functioning, distractors, alarms)
    return ItemAnalysis(info, n, p, r, d, tables, functioning, distractors, alarms, flags)


def _flags(
    info: ItemInfo,
    n: int,
    p: float,
    r: float,
    functioning: int | None,
    distractors: int | None,
    alarms: tuple[Miskey, ...],
) -> tuple[str, ...]:
    found = []
    for alarm in alarms:
        where = f" ({info.parts.get(alarm.place, alarm.place)})" if alarm.place else ""
        what = info.parts.get(alarm.option, alarm.option)
        says = "leave out" if alarm.right else "prefer"
        found.append(f"suspect mis-key{where}: the able {says} “{what}”")
    if _is_negative(r, n):
        found += [] if alarms else ["suspect mis-key: the able do worse than the others"]
    elif r < REVIEW:
        found.append("review: hardly tells the able from the others")
    elif r < KEEP:
        found.append("tells the able from the others only weakly")
    if np.isnan(r):
        found.append("everybody earned the same credit: says nothing about ability")
    if p < HARD:
        found.append("hard: below 30 % of the credit")
    elif p > EASY:
        found.append("easy: above 90 % of the credit")
    if info.format == "single_best_answer" and functioning is not None and distractors and functioning < 2:
        found.append(f"{functioning} of {distractors} wrong options draw 5 % or more; aim at two")
    return tuple(found)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _in_errors(r: float, n: int) -> float:
    """Return a correlation of n > 3 pairs in standard errors of Fisher's z."""
    return float(np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)) * np.sqrt(n - 3))


def _is_negative(r: float, n: int) -> bool:
    """Say whether a correlation of n pairs is below zero by `MISKEY_Z` standard errors at least, not by mere chance.

    Simulated for 20 students and slope 1, this accuses 3 % of the sound keys, where any r below zero accuses 7 %.
    """
    return _in_errors(r, n) <= -MISKEY_Z if n > 3 else False


def _known(values: ArrayLike) -> Floats:
    x: Floats = np.asarray(values, dtype=np.float64)
    return np.asarray(x[~np.isnan(x)])


def _weighed(results: ClassResults) -> tuple[Floats, Floats]:
    """Return (points earned, points to be had), (n, k) each, both 0 where a question was not shown."""
    points = np.array([item.points for item in results.items])
    there = ~np.isnan(results.fractions)
    return np.where(there, results.fractions, 0.0) * points, there * points


def _even(x: Floats) -> Floats:
    """Return x without the last digits, in which the same score can differ by the order of summing."""
    return np.asarray(np.round(x, 12), dtype=np.float64)


def _tail(x: Floats, y: Floats, tail: float) -> float:
    """Return the mean of x over the `tail` of people with the highest y; equal y share the last places."""
    _, place, people = np.unique(-y, return_inverse=True, return_counts=True)
    room = tail * x.size
    taken = np.clip(room - (np.cumsum(people) - people), 0, people)
    return float((taken / people) @ np.bincount(place, weights=x)) / room


def _covariance(x: Floats) -> Floats:
    """Return the covariance of the columns over the rows that both have, (k, k); NaN for fewer than 3 rows."""
    there = (~np.isnan(x)).astype(float)
    filled = np.nan_to_num(x - np.nanmean(x, axis=0)) if x.size else x
    n = there.T @ there
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = filled.T @ there  # the sum of column i over the rows that also have j
        found = (filled.T @ filled - sums * sums.T / n) / (n - 1)
    return np.asarray(np.where(n >= 3, found, np.nan), dtype=np.float64)
