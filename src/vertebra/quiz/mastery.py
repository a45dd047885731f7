"""What a student's answers say: mastery of each objective, calibration, what was sure and wrong, what is due.

Everything is computed anew from the attempts that `progress` keeps; nothing here reads a file or knows a widget. Of a
question the *latest* answer says what the student knows now (mastery, sure and wrong), the *first* how well certainty
was judged (calibration, marks): a question that returns is practice and no test.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from fsrs import Card

from vertebra.distributions import beta_below, beta_quantile
from vertebra.measure.reading import wilson
from vertebra.quiz import review, scoring
from vertebra.quiz.items import Item, misconceptions
from vertebra.quiz.review import Attempt

PRIOR = (1.0, 1.0)
"""Beta prior of the share of credit: uniform. Before the first answer every share is as likely as any other, and the
prior weighs as much as two answers, so that a few answers outweigh it."""

LINE = 2 / 3
"""The share of credit that mastery is held against: below it no certainty above a guess pays (`bands`)."""

LIKELY = 4 / 5
"""How probable "likely" is: the page holds itself to the rule it teaches, by which full certainty pays from 4/5 on."""

MET = 3
"""Questions met before anything is said. Two right answers could not reach `LIKELY` anyway; it keeps one or two wrong
ones from being called a weakness."""

FADED = 0.9
"""Retrievability at which FSRS wants a card seen again. What lies below it no longer vouches for a secure objective."""

CREDIBLE = 0.9
"""Probability inside the interval of a mastery."""

ENOUGH_ANSWERS = 10
"""First answers before calibration is judged: with fewer a Wilson interval is wider than half the axis."""


# --- attempts --------------------------------------------------------------------------------------------------------


def latest(attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    """Return the last attempt at each question."""
    return {attempt.item: attempt for attempt in sorted(attempts, key=review.order)}


def first(attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    """Return the first attempt at each question."""
    return {attempt.item: attempt for attempt in sorted(attempts, key=review.order, reverse=True)}


# --- mastery ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mastery:
    """What the latest answers say of one objective: how large a share of the credit of its questions a student earns.

    of: questions that the bank has; n: those met; credit: what the latest answers to them earned, 0 to n. fresh and
    fresh_credit: the same of those that have not faded.

    The share has a Beta posterior: a question adds its credit to one side and what is missing to the other, as
    coin tosses would (Bayes with a uniform prior; partial credit is shared out). Age is not weighed into it. FSRS's
    weights are fitted to flash cards; to let right answers fade and wrong ones not would drag the mean down, to let
    both fade would make a weakness vanish by waiting. Age is asked once, in the verdict: an objective is secure only if
    the answers that have not faded say so alone.
    """

    of: int
    n: int
    credit: float
    fresh: int
    fresh_credit: float

    @property
    def posterior(self) -> tuple[float, float]:
        """Return both parameters of the Beta posterior."""
        return PRIOR[0] + self.credit, PRIOR[1] + self.n - self.credit

    @property
    def mean(self) -> float:
        """Return the posterior mean, 0 to 1."""
        a, b = self.posterior
        return a / (a + b)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Return the equal-tailed 90 % credible interval."""
        a, b = self.posterior
        tail = (1 - CREDIBLE) / 2
        return beta_quantile(a, b, tail), beta_quantile(a, b, 1 - tail)

    @cached_property
    def chance(self) -> float:
        """Return the probability that the share lies above `LINE`."""
        return _above(*self.posterior)

    @property
    def verdict(self) -> str:
        """Return "unmet", "few", "weak", "open", "secure" or "fading": secure once, before too much of it faded."""
        if self.n < MET:
            return "few" if self.n else "unmet"
        if 1 - self.chance >= LIKELY:
            return "weak"
        if self.chance < LIKELY:
            return "open"
        fresh = _above(PRIOR[0] + self.fresh_credit, PRIOR[1] + self.fresh - self.fresh_credit)
        return "secure" if fresh >= LIKELY else "fading"


def _above(a: float, b: float) -> float:
    return 1 - beta_below(a, b, LINE)


def mastery(
    objectives: Iterable[str],
    items: Iterable[Item],
    attempts: Iterable[Attempt],
    cards: Mapping[str | int, Card],
    at: datetime,
) -> dict[str, Mastery]:
    """Return the mastery of each objective. `cards` are the schedule of the same attempts.

    A question counts for each objective that it names. An attempt at a question that is gone counts for none; one at
    an earlier version counts, since the objective is the same.
    """
    found: dict[str, list[Item]] = {objective: [] for objective in objectives}
    for item in items:
        for objective in item.objectives:
            if objective in found:
                found[objective].append(item)
    last = latest(attempts)
    known = {item: review.retrievability(cards[item], at) >= FADED for item in last if item in cards}
    return {objective: _mastery(of, last, known) for objective, of in found.items()}


def _mastery(items: Sequence[Item], last: Mapping[str, Attempt], known: Mapping[str, bool]) -> Mastery:
    met = [last[item.id] for item in items if item.id in last]
    fresh = [attempt for attempt in met if known[attempt.item]]
    return Mastery(len(items), len(met), _credit(met), len(fresh), _credit(fresh))


def _credit(attempts: Iterable[Attempt]) -> float:
    return sum(attempt.fraction for attempt in attempts)


# --- calibration -----------------------------------------------------------------------------------------------------


def bands() -> dict[int, tuple[float, float]]:
    """Return for each certainty the probabilities of being right, (from, to), at which it earns most.

    They follow from `scoring.CERTAINTY_MARKS`: with marks g and l for right and wrong, p g + (1 - p) l is a line in p,
    and two certainties pay alike where their lines cross: at 2/3 and 4/5.
    """
    marks = scoring.CERTAINTY_MARKS
    crossings = [
        (l1 - l2) / ((l1 - l2) - (g1 - g2)) for (g1, l1), (g2, l2) in pairwise(marks[level] for level in sorted(marks))
    ]
    ends = [0.0, *crossings, 1.0]
    return dict(zip(sorted(marks), pairwise(ends), strict=True))


def stated() -> dict[int, float]:
    """Return the one probability that each certainty stands for in a Brier score: the middle of its band.

    A guess stands for 1/3, fairly sure for 11/15, certain for 9/10.
    """
    return {level: (low + high) / 2 for level, (low, high) in bands().items()}


@dataclass(frozen=True)
class Level:
    """The answers of one certainty: how many, the credit they earned, 0 to n, and the sum of its squares."""

    n: int
    credit: float
    squares: float

    @property
    def share(self) -> float | None:
        """Return the share of credit, None when nothing was answered."""
        return self.credit / self.n if self.n else None

    @property
    def limits(self) -> tuple[float, float]:
        """Return the 95 % Wilson limits of the share; with partial credit they are wider than need be."""
        return wilson(self.credit, self.n)


@dataclass(frozen=True)
class Calibration:
    """Certainty stated against credit earned, by certainty 1, 2, 3."""

    levels: Mapping[int, Level]

    @property
    def n(self) -> int:
        """Return the number of answers."""
        return sum(level.n for level in self.levels.values())

    @property
    def earned(self) -> Level:
        """Return all certainties in one."""
        found = self.levels.values()
        return Level(self.n, sum(each.credit for each in found), sum(each.squares for each in found))

    @property
    def claimed(self) -> tuple[float, float]:
        """Return the range of shares that the certainties claim together: the mean of their bands' ends."""
        return (
            sum(self.levels[c].n * low for c, (low, _) in bands().items()) / self.n if self.n else 0.0,
            sum(self.levels[c].n * high for c, (_, high) in bands().items()) / self.n if self.n else 1.0,
        )

    @property
    def brier(self) -> float | None:
        """Return the Brier score, the mean squared difference of probability stated (`stated`) and credit.

        0 is perfect, 0.25 what 50 % said of everything earns, 1 the worst. None without an answer.
        """
        if not self.n:
            return None
        p = stated()
        return sum(p[c] ** 2 * x.n - 2 * p[c] * x.credit + x.squares for c, x in self.levels.items()) / self.n

    @property
    def miscalibration(self) -> float | None:
        """Return the part of the Brier score that saying the right probability for each certainty would save.

        The mean over the answers of (stated - share)^2 of their certainty; the rest is that answers of one certainty
        differ (Murphy's reliability; the split is exact, as all answers of a certainty state one probability).
        """
        if not self.n:
            return None
        p = stated()
        return sum(x.n * (p[c] - x.credit / x.n) ** 2 for c, x in self.levels.items() if x.n) / self.n

    @property
    def bias(self) -> float:
        """Return how far the share lies outside what was claimed: above 0 over-confident, below 0 under-confident."""
        return self._outside(self.earned.credit / self.n) if self.n else 0.0

    @property
    def bias_limits(self) -> tuple[float, float]:
        """Return the bias at both ends of the 95 % Wilson interval of the share, (low, high)."""
        low, high = self.earned.limits
        return self._outside(high), self._outside(low)

    def _outside(self, share: float) -> float:
        low, high = self.claimed
        return max(0.0, low - share) + min(0.0, high - share)

    @property
    def verdict(self) -> str:
        """Return "early", "over", "under" or "fits"; over and under only if the whole interval lies outside."""
        low, high = self.bias_limits
        if self.n < ENOUGH_ANSWERS:
            return "early"
        return "over" if low > 0 else "under" if high < 0 else "fits"


def calibration(answers: Iterable[tuple[int, float]]) -> Calibration:
    """Return the calibration of (certainty, share of credit) pairs."""
    by_level: dict[int, list[float]] = {level: [] for level in scoring.CERTAINTY_MARKS}
    for certainty, fraction in answers:
        by_level[certainty].append(fraction)
    return Calibration({c: Level(len(got), sum(got), sum(f * f for f in got)) for c, got in by_level.items()})


@dataclass(frozen=True)
class Marks:
    """Certainty-based marks of n answers: what they earned, and the most they could have."""

    n: int
    earned: float
    most: float


def marks(attempts: Iterable[Attempt]) -> Marks:
    """Return the marks of these attempts."""
    earned = [scoring.certainty_mark(attempt.fraction, attempt.certainty) for attempt in attempts]
    return Marks(len(earned), sum(earned), scoring.CERTAINTY_MARKS[3][0] * len(earned))


# --- sure and wrong --------------------------------------------------------------------------------------------------


def sure_and_wrong(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Return the latest attempts that were certain and wrong, newest first; answered rightly later, they are gone."""
    wrong = [a for a in latest(attempts).values() if a.certainty == 3 and a.fraction < review.ENOUGH]
    return sorted(wrong, key=review.order, reverse=True)


def mistakes_in(item: Item, answer: Any) -> tuple[str, ...]:
    """Return the mistakes behind an answer, as sentences; none where the format, or an old answer, names none."""
    if item.answer:
        near = item.answer.absolute_tolerance()
        slips = [s for s in item.slips if scoring.is_number(answer) and abs(s.value - answer) <= near]
        return tuple(misconceptions()[slip.misconception] for slip in slips if slip.misconception)
    chosen: list[Any] = []
    match answer:
        case str():
            chosen = [answer]
        case list():
            chosen = answer
        case {"region": region}:
            chosen = [region]
        case {"point": [x, y]}:
            chosen = [region.id for region in item.regions if scoring.inside(x, y, region.polygon)]
        case dict() if item.decisions:
            chosen = [option for options in answer.values() for option in options or ()]
    known = item.mistakes()
    return tuple(dict.fromkeys(known[each] for each in chosen if each in known))


# --- what to practise ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agenda:
    """What returns when: due now, longest overdue first; later today, tomorrow, and in the five days after."""

    now: tuple[str | int, ...]
    today: tuple[str | int, ...]
    tomorrow: tuple[str | int, ...]
    week: tuple[str | int, ...]


def agenda(cards: Mapping[str | int, Card], at: datetime) -> Agenda:
    """Return what is due; a day ends at midnight in the time zone of `at`."""
    ends = [at, *(_midnight(at, days) for days in (1, 2, 7))]
    when = sorted(cards, key=lambda thing: (cards[thing].due, str(thing)))
    parts = [tuple(thing for thing in when if cards[thing].due <= ends[0])]
    parts += [tuple(thing for thing in when if low < cards[thing].due <= high) for low, high in pairwise(ends)]
    return Agenda(*parts)


def _midnight(at: datetime, days: int) -> datetime:
    return (at + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)


def practice_order(
    items: Iterable[Item], attempts: Iterable[Attempt], cards: Mapping[str | int, Card], at: datetime
) -> list[Item]:
    """Return questions as they are worth practising: unmet first, then due, longest overdue first, then the rest.

    The rest by what the last answer earned, least first.
    """
    last = latest(attempts)

    def rank(item: Item) -> tuple[int, float]:
        if item.id not in last:
            return 0, 0.0
        if cards[item.id].due <= at:
            return 1, cards[item.id].due.timestamp()
        return 2, last[item.id].fraction

    return sorted(items, key=rank)
