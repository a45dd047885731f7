"""Pooling of trials, two-by-two tables and regression to the mean: the arithmetic behind a forest plot.

Differences are in the units of their outcome; a positive one favours the first arm. Intervals are 95 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Z = float(stats.norm.isf(0.025))


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

    statsmodels does it (`combine_effects`), by Paule and Mandel because DerSimonian and Laird's variance between trials
    there may come out below zero. `small_sample` gives the random-effects interval after Hartung and Knapp: Student's t
    on k - 1 degrees of freedom in place of the normal, the error scaled by what the trials scatter but never narrower
    than without [rover2015]. The prediction interval is value ± t(k - 2) √(tau² + error²) (Higgins 2009, unreferenced).
    """
    if not trials:
        raise ValueError("nothing to pool; choose at least one trial")
    if len(trials) == 1:
        only = around(trials[0].value, trials[0].error)
        return Pool(only, only, (1.0,), (1.0,), 0.0, 1.0, 0.0, 0.0, None)
    from statsmodels.stats.meta_analysis import combine_effects  # brings pandas, which takes seconds

    values = np.array([trial.value for trial in trials])
    errors = np.array([trial.error for trial in trials])
    with np.errstate(divide="ignore", over="ignore"):  # its own I² fails where all trials agree; ours is below
        done = combine_effects(values, errors**2, method_re="pm")
    k, q, error = len(trials), max(float(done.q), 0.0), float(done.sd_eff_w_re)
    middle, tau2 = float(done.mean_effect_re), float(done.tau2)
    random = around(middle, error)
    if small_sample:
        scale = max(1.0, math.sqrt(float(done.scale_hksj_re)))
        random = around(middle, error * scale, float(stats.t.isf(0.025, k - 1)))
    reach = float(stats.t.isf(0.025, k - 2)) if k > 2 else math.nan
    return Pool(
        fixed=around(float(done.mean_effect_fe), float(done.sd_eff_w_fe)),
        random=random,
        fixed_weights=tuple(map(float, done.weights_rel_fe)),
        random_weights=tuple(map(float, done.weights_rel_re)),
        q=q,
        p=float(stats.chi2.sf(q, k - 1)),
        i2=max(0.0, 1 - (k - 1) / q) if q else 0.0,
        tau2=tau2,
        prediction=around(middle, math.sqrt(tau2 + error**2), reach) if k > 2 else None,
    )


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
    table = [[a, n - a], [b, m - b]]
    return Risks(
        ratio=Estimate(*(math.exp(each) for each in (log.value, log.low, log.high))),
        difference=around(100 * (first - second), 100 * spread),
        p=float(stats.chi2_contingency(table, correction=False).pvalue),
        exact=float(stats.fisher_exact(table).pvalue),
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
        excess = spread * math.exp(float(stats.norm.logpdf(above) - stats.norm.logsf(above)))
        return self.mean + excess, self.mean + excess * (self.between / spread) ** 2

    def simulated(self, people: int, seed: int) -> NDArray[np.float64]:
        """Return both measurements (n, 2) of those who enter, of so many people."""
        chance = np.random.default_rng(seed)
        usual = chance.normal(self.mean, self.between, (people, 1))
        measured: NDArray[np.float64] = usual + chance.normal(0, self.within, (people, 2))
        return measured[measured[:, 0] >= self.threshold]
