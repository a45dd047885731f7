"""The few distributions that the course's statistics need, in plain Python.

scipy.stats has them all, but takes a second to import, and in the browser many megabytes to fetch. Tests hold each
function against it.
"""

import math
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)
"""How many standard errors a 95 % interval of normal width reaches to either side."""


def normal_hazard(z: float) -> float:
    """Return the density of a standard normal at z over the chance to lie above z (the inverse of Mills' ratio)."""
    if z > 30:  # the chance is too small for a float soon; asymptotic series, NIST DLMF 7.12.1
        return z / (1 - 1 / z**2 + 3 / z**4 - 15 / z**6)
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / (math.erfc(z / math.sqrt(2)) / 2)


def chi2_above(q: float, df: int) -> float:
    """Return the chance that chi-square on `df` (1, 2, ...) degrees of freedom lies above q (Abramowitz 26.4.4, .5)."""
    half, odd = q / 2, df % 2
    if half <= 0:  # also where half of the least number there is comes out as nothing
        return 1.0
    chance = math.erfc(math.sqrt(half)) if odd else 0.0
    for i in range((df + 1) // 2 - odd):
        power = i + odd / 2
        chance += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return chance


def beta_below(a: float, b: float, x: float) -> float:
    """Return the chance that a Beta(a, b) lies below x: the regularised incomplete beta function (NIST DLMF 8.17)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the continued fraction converges fast on one side only
        return 1 - beta_below(b, a, 1 - x)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b)) / a
    # DLMF 8.17.22, from the front after Lentz; the numerators of each even and odd step.
    fraction, c, d = 1.0, 1.0, 0.0
    for step in range(1, 1000):
        m = step // 2
        if step % 2:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + numerator * d)
        c = 1 + numerator / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return front / fraction


def beta_quantile(a: float, b: float, chance: float) -> float:
    """Return where a Beta(a, b) lies below with this chance, by Newton's method kept within halving brackets."""
    if not 0 < chance < 1:
        return float(chance >= 1)
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(200):
        miss = beta_below(a, b, x) - chance
        low, high = (low, x) if miss > 0 else (x, high)
        density = math.exp((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - _log_beta(a, b))
        nearer = x - miss / density if density else low
        if not low < nearer < high:
            nearer = (low + high) / 2
        if abs(nearer - x) <= 1e-15 * x:
            break
        x = nearer
    return nearer


def t_reach(chance: float, df: int) -> float:
    """Return what Student's t on `df` degrees of freedom exceeds with this chance, below a half (DLMF 8.17)."""
    x = beta_quantile(df / 2, 0.5, 2 * chance)
    return math.sqrt(df * (1 - x) / x)


def fisher_exact(events: tuple[int, int], of: tuple[int, int]) -> float:
    """Return Fisher's exact two-sided p of a two-by-two table: that of all tables with the same margins no likelier."""
    (a, b), (n, m) = events, of

    def ways(x: int) -> int:
        return math.comb(n, x) * math.comb(m, a + b - x)

    every = [ways(x) for x in range(max(0, a + b - m), min(n, a + b) + 1)]
    return sum(each for each in every if each <= ways(a)) / math.comb(n + m, a + b)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
