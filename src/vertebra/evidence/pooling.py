"""Pooling of trials, two-by-two tables and regression to the mean: the arithmetic behind a forest plot.

Differences are in the units of their outcome; a positive one favours the first arm. Intervals are 95 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebra.distributions import Z, chi2_above, fisher_exact, normal_hazard, t_reach


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Return the standard error that an interval of normal width stands for."""
        return (self.high - self.low) / (2 * Z)

    def __contains__(self, value: float) -> bool:
        """Return whether a value lies within the interval."""
        return self.low <= value <= self.high


def around(value: float, error: float, reach: float = Z) -> Estimate:
    """Return the value with an interval that reaches `reach` standard errors to either side."""
    return Estimate(value, value - reach * error, value + reach * error)


@dataclass(frozen=True)
class Pool:
    """Trials pooled by inverse variance, with one true effect (fixed) and with a spread of true effects (random).

    Weights are shares of 1 in the order of the trials. `q` is Cochran's Q and `p` its chance by a chi-square on k - 1
    degrees of freedom; `i2` is the share of Q beyond chance; `tau2` the variance between trials after Paule and Mandel
    [veroniki2016]. `prediction` is where the true effect of a next trial would lie; fewer than three trials have none.
    """

    fixed: Estimate
    random: Estimate
    fixed_weights: tuple[float, ...]
    random_weights: tuple[float, ...]
    q: float
    p: float
    i2: float
    tau2: float
    prediction: Estimate | None


def pool(trials: Sequence[Estimate], small_sample: bool = False) -> Pool:
    """Pool trials by their values and standard errors. One trial is its own pool; none raises ValueError.

    `small_sample` gives the random-effects interval after Hartung and Knapp: Student's t on k - 1 degrees of freedom in
    place of the normal, the error scaled by what the trials scatter but never narrower than without [rover2015]. The
    prediction interval is value ± t(k - 2) √(tau² + error²) (Higgins 2009, unreferenced).
    """
    if not trials:
        raise ValueError("nothing to pool; choose at least one trial")
    if len(trials) == 1:
        only = around(trials[0].value, trials[0].error)
        return Pool(only, only, (1.0,), (1.0,), 0.0, 1.0, 0.0, 0.0, None)
    values = np.array([trial.value for trial in trials])
    variances = np.array([trial.error for trial in trials]) ** 2
    k, tau2 = len(trials), between_trials(values, variances)
    fixed, random = _Mean.of(values, variances), _Mean.of(values, variances + tau2)
    interval = around(random.value, random.error)
    if small_sample:
        scale = max(1.0, math.sqrt(random.q / (k - 1)))
        interval = around(random.value, random.error * scale, t_reach(0.025, k - 1))
    spread = math.sqrt(tau2 + random.error**2)
    return Pool(
        fixed=around(fixed.value, fixed.error),
        random=interval,
        fixed_weights=tuple(fixed.shares.tolist()),
        random_weights=tuple(random.shares.tolist()),
        q=fixed.q,
        p=chi2_above(fixed.q, k - 1),
        i2=max(0.0, 1 - (k - 1) / fixed.q) if fixed.q else 0.0,
        tau2=tau2,
        prediction=around(random.value, spread, t_reach(0.025, k - 2)) if k > 2 else None,
    )


@dataclass(frozen=True, eq=False)
class _Mean:
    """A mean by inverse variance, its standard error, the trials' shares (k,) in it, and their scatter around it."""

    value: float
    error: float
    shares: NDArray[np.float64]
    q: float

    @classmethod
    def of(cls, values: NDArray[np.float64], variances: NDArray[np.float64]) -> "_Mean":
        weights = 1 / variances
        value = float(weights @ values / weights.sum())
        scatter = float(weights @ (values - value) ** 2)
        return cls(value, float(1 / np.sqrt(weights.sum())), weights / weights.sum(), scatter)


def between_trials(values: NDArray[np.float64], variances: NDArray[np.float64]) -> float:
    """Return the variance between trials after Paule and Mandel [veroniki2016], 0 or more.

    It is what makes the trials scatter around their mean just as much as chance would have it, k - 1. The scatter falls
    as it grows, ever more slowly, so Newton's steps from 0 never pass it (DerSimonian and Kacker 2007, unreferenced).
    """
    tau2 = 0.0
    for _ in range(200):
        mean = _Mean.of(values, variances + tau2)
        slope = float(((values - mean.value) ** 2 / (variances + tau2) ** 2).sum())
        step = (mean.q - (len(values) - 1)) / slope if slope else 0.0
        if step <= 1e-15 * tau2:
            break
        tau2 += step
    return tau2


def leave_one_out(trials: Sequence[Estimate], small_sample: bool = False) -> tuple[Pool, ...]:
    """Return the pool without each trial in turn. Raises ValueError for fewer than two."""
    if len(trials) < 2:
        raise ValueError("leaving one out needs at least two trials")
    return tuple(pool([*trials[:i], *trials[i + 1 :]], small_sample) for i in range(len(trials)))


# --- counts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Risks:
    """A two-by-two table read: ratio and difference (percentage points) of the risks, first arm against second.

    `p` is the chi-square test's, without correction; `exact` is Fisher's.
    """

    ratio: Estimate
    difference: Estimate
    p: float
    exact: float

    @property
    def number_needed(self) -> float:
        """Return how many are treated for one event more or fewer; infinite if the risks are the same."""
        return 100 / abs(self.difference.value) if self.difference.value else math.inf


def risks(events: tuple[int, int], of: tuple[int, int]) -> Risks:
    """Compare the risks of two arms: the ratio's interval is normal on the log scale, the difference's after Wald.

    Raises ValueError where an arm has no event or nothing but events, for which both intervals fail.
    """
    for count, total in zip(events, of, strict=True):
        if not 0 < count < total:
            raise ValueError(f"{count} of {total}: these intervals need some with the event and some without")
    (a, b), (n, m) = events, of
    first, second = a / n, b / m
    log = around(math.log(first / second), math.sqrt(1 / a - 1 / n + 1 / b - 1 / m))
    spread = math.sqrt(first * (1 - first) / n + second * (1 - second) / m)
    c, d = n - a, m - b
    chi2 = (n + m) * (a * d - b * c) ** 2 / (n * m * (a + b) * (c + d))
    return Risks(
        ratio=Estimate(*(math.exp(each) for each in (log.value, log.low, log.high))),
        difference=around(100 * (first - second), 100 * spread),
        p=chi2_above(chi2, 1),
        exact=fisher_exact(events, of),
    )


# --- regression to the mean ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Twice:
    """People measured twice with nothing done in between, of whom only those at or above a threshold enter.

    Each has a constant usual level, normal with `mean` and standard deviation `between`; each day adds a normal
    deviation of its own, `within`. Units are those of the scale, which is taken to have no ends. A teaching model.
    """

    mean: float
    between: float
    within: float
    threshold: float

    def expected(self) -> tuple[float, float]:
        """Return the mean of those who enter, on the day and on another day (exact).

        The first exceeds the mean by s λ, with s the standard deviation of one measurement and λ the normal hazard at
        the threshold; of that the share between²/s² is there again on another day.
        """
        spread = math.hypot(self.between, self.within)
        above = (self.threshold - self.mean) / spread
        excess = spread * normal_hazard(above)
        return self.mean + excess, self.mean + excess * (self.between / spread) ** 2

    def simulated(self, people: int, seed: int) -> NDArray[np.float64]:
        """Return both measurements (n, 2) of those who enter, of so many people."""
        chance = np.random.default_rng(seed)
        usual = chance.normal(self.mean, self.between, (people, 1))
        measured: NDArray[np.float64] = usual + chance.normal(0, self.within, (people, 2))
        return measured[measured[:, 0] >= self.threshold]
