"""The cannula: what of the syringe's pressure is spent before the cement reaches the bone.

Hagen-Poiseuille flow in a tube, and for cement that thins with shear the flow of a power-law fluid. Nearly all of the
pressure at the syringe is spent here: about 95 % by the work that [baroud2005] starts from.
"""

import numpy as np

from vertebra.assets import parameters

GAUGES = ("11G", "13G")
ML_MIN = 1e-6 / 60  # m3/s


def bore(gauge: str) -> float:
    """Return the inner diameter of a cannula, mm. Raises ValueError for an unknown gauge."""
    if gauge not in GAUGES:
        raise ValueError(f"gauge is {gauge!r}; give one of {', '.join(GAUGES)}")
    return parameters("materials/bone.csv")[f"bore_{gauge}"].value


def pressure_drop(
    viscosity: float, rate: float, gauge: str | float = "11G", length: float | None = None, index: float = 1.0
) -> float:
    """Return the pressure (Pa) that drives `rate` mL/min through a cannula.

    `gauge` is 11G, 13G or an inner diameter in mm, `length` in mm (None: a usual one, 125). With `index` n = 1 the
    fluid is Newtonian, of `viscosity` (Pa s): 8 mu L Q / (pi r^4). With n < 1 it thins as a power law, and `viscosity`
    is its viscosity k at 1/s: (2 L / r) k ((3 n + 1) / n  Q / (pi r^3))^n. Raises ValueError for a number that is not
    above 0 (the rate may be 0).
    """
    mu = _positive("viscosity", viscosity, "Pa s")
    n = _positive("index", index, "")
    flow = _positive("rate", rate, "mL/min", zero=True) * ML_MIN
    r = _positive("diameter", bore(gauge) if isinstance(gauge, str) else gauge, "mm") / 2000
    whole = parameters("materials/bone.csv")["cannula_length"].value if length is None else length
    long = _positive("length", whole, "mm") / 1000
    return float(2 * long / r * mu * ((3 * n + 1) / n * flow / (np.pi * r**3)) ** n)


def widened(share: float, factor: float = 2.0) -> float:
    """Return by which share the pressure changes (negative: falls) if a part of the cannula is made wider.

    `share` of its length gets a bore `factor` times as wide. The pressure falls with the fourth power of the bore, so
    twice the bore over 0.67 of the length saves 62.8 %, the design of [baroud2005]; that length is inferred, not read.
    Raises ValueError for a share outside 0 to 1 or a factor not above 0.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; it is a part of the cannula's length, 0 to 1")
    return share * (_positive("factor", factor, "") ** -4 - 1)


def _positive(name: str, value: float, unit: str, zero: bool = False) -> float:
    if not (np.isfinite(value) and (value > 0 or (zero and value == 0))):
        raise ValueError(f"{name} is {value} {unit}".rstrip() + f"; give a number {'from' if zero else 'above'} 0")
    return float(value)
