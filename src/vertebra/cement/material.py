"""Bone cement as a material: how it cures, thickens and sets, at any temperature.

Polymerisation feeds itself (autocatalysis) and follows Arrhenius: d(cured)/dt = k(T) cured^m (1 - cured)^n. Temperature
therefore only sets the speed of one clock. Its reading is the *thermal age*, in seconds at 23 C: cement that goes from
a cool syringe to a warm body needs to carry that one number, and share cured and viscosity follow from it.

The viscosity is a product: powder that swells in its monomer (the dough), and chains that grow towards a gel (the
set). Shear thins it (Carreau form, a power law at high shear). All numbers stand in `assets/materials/cement.csv`,
each with its source and how far it was checked; the curves are fitted to a few published times, not to a rheometer.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebra.assets import parameters

FloatArray = NDArray[np.float64]

TABLE = "materials/cement.csv"
GAS = 8.314462618  # J/mol/K
ZERO = 273.15  # K
REFERENCE = 23.0  # C at which the thermal age runs like a clock on the wall


def value(name: str) -> float:
    """Return a number of the cement's table, in the unit that stands there."""
    return parameters(TABLE)[name].value


@dataclass(frozen=True)
class Window:
    """When cement may be injected, s after mixing began: from `opens` to `closes`; at `sets` it is hard."""

    opens: float
    closes: float
    sets: float

    @property
    def length(self) -> float:
        """Return how long it may be injected, s."""
        return self.closes - self.opens


@dataclass(frozen=True)
class Cement:
    """A bone cement. Ages in s since mixing began, temperatures in C, viscosities in Pa s; arrays broadcast.

    `basis` says in a sentence what its curves rest on.
    `rate` (ln 1/s) and `activation` (J/mol) make the speed of the cure, `order_m`, `order_n` and `first_cured` its
    shape. `first`, `swollen` (Pa s) and `swelling` (s at 23 C) are the dough, `shear_index` the power-law exponent
    above the shear rate `shear_reference` (1/s). `heat` (J/m3), `capacity` (J/m3/K) and
    `conductivity` (W/m/K) are thermal.
    """

    name: str
    label: str
    basis: str
    rate: float
    activation: float
    order_m: float
    order_n: float
    first_cured: float
    first: float
    swollen: float
    swelling: float
    gel: float
    gel_exponent: float
    cap: float
    shear_index: float
    shear_reference: float
    heat: float
    capacity: float
    conductivity: float

    def speed(self, temperature: ArrayLike) -> FloatArray:
        """Return the rate constant k(T), 1/s. Raises ValueError outside -20 to 200 C."""
        degrees = np.asarray(temperature, dtype=float)
        if not np.all((degrees > -20) & (degrees < 200)):
            odd = float(degrees.flat[np.argmax(~((degrees > -20) & (degrees < 200)))])
            raise ValueError(f"temperature is {odd:g} C; give degrees Celsius from -20 to 200")
        return np.asarray(np.exp(self.rate - self.activation / GAS / (degrees + ZERO)))

    def thermal_age(self, seconds: ArrayLike, temperature: ArrayLike = REFERENCE) -> FloatArray:
        """Return the s at 23 C that do what `seconds` at `temperature` do. Add them up over a changing temperature."""
        return np.asarray(_ages(seconds) * self.speed(temperature) / self._reference)

    def cured(self, age: ArrayLike, temperature: ArrayLike = REFERENCE) -> FloatArray:
        """Return the share cured, 0..1, of cement that was held at one temperature."""
        logit = np.interp(self.thermal_age(age, temperature), *self._course)
        return np.asarray(1 / (1 + np.exp(-logit)))

    def age_when_cured(self, share: float, temperature: float = REFERENCE) -> float:
        """Return the age at which that share is cured at one temperature, s."""
        if not self.first_cured < share < 1:
            raise ValueError(f"share cured is {share:g}; give one between {self.first_cured:g} and 1")
        ages, logits = self._course
        return float(np.interp(np.log(share / (1 - share)), logits, ages) / self.thermal_age(1.0, temperature))

    def viscosity(
        self, age: ArrayLike, temperature: ArrayLike = REFERENCE, shear_rate: ArrayLike | None = None
    ) -> FloatArray:
        """Return the viscosity, Pa s, never more than `cap`; at the reference shear rate unless one (1/s) is given."""
        thermal = self.thermal_age(age, temperature)
        dough = self.swollen * (self.first / self.swollen) ** np.exp(-thermal / self.swelling)
        left = np.clip(1 - self.cured(thermal) / self.gel, 1e-9, 1.0)
        still = dough * left**-self.gel_exponent
        if shear_rate is not None:
            shear = np.abs(np.asarray(shear_rate, dtype=float)) / self.shear_reference
            # What has set does not thin: the cap comes last.
            still = still * (1 + shear**2) ** ((self.shear_index - 1) / 2)
        return np.asarray(np.where(left <= 1e-9, self.cap, np.minimum(still, self.cap)))

    def age_when_thick(self, viscosity: float, temperature: float = REFERENCE) -> float:
        """Return the age at which the cement at one temperature is that thick (Pa s), s; 0 if it always was."""
        ages = np.linspace(0, self.age_when_cured(self.gel), 4001)
        thick = np.log(self.viscosity(ages))
        if viscosity >= self.cap:
            raise ValueError(f"viscosity is {viscosity:g} Pa s; set cement has {self.cap:g}, give less")
        return float(np.interp(np.log(viscosity), thick, ages) / self.thermal_age(1.0, temperature))

    def window(self, temperature: float = REFERENCE) -> Window:
        """Return when this cement may be injected at a room temperature, taking no account of its own warmth.

        It opens when the cement is mixed, filled and no longer drips, closes when it is too thick to push.
        """
        opens = max(self.age_when_thick(value("opens"), temperature), value("ready"))
        closes = self.age_when_thick(value("closes"), temperature)
        return Window(opens, max(closes, opens), self.age_when_cured(self.gel, temperature))

    @cached_property
    def _reference(self) -> float:
        """Rate constant at which the thermal age runs like a clock on the wall, 1/s."""
        return float(self.speed(REFERENCE))

    @cached_property
    def _course(self) -> tuple[FloatArray, FloatArray]:
        """Return thermal ages (n,) and the logit of the share cured (n,) at them."""
        start = np.log(self.first_cured / (1 - self.first_cured))
        logit = np.linspace(start, 16, 4001)
        share = 1 / (1 + np.exp(-logit))
        # dt = d(cured) / (k cured^m (1-cured)^n) and d(cured) = cured (1-cured) d(logit): smooth, by trapezoids.
        slowness = share ** (1 - self.order_m) * (1 - share) ** (1 - self.order_n)
        steps = np.diff(logit) * (slowness[1:] + slowness[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(steps)]) / self._reference, logit


def _ages(seconds: ArrayLike) -> FloatArray:
    ages = np.asarray(seconds, dtype=float)
    if not np.all(ages >= 0):
        raise ValueError(f"an age of cement is {float(ages.min()):g} s; give seconds since mixing began, 0 or more")
    return ages


def cement(name: str) -> Cement:
    """Return a cement by name. Raises ValueError with the names there are."""
    if name not in CEMENTS:
        raise ValueError(f"cement is {name!r}; it is one of {', '.join(CEMENTS)}")
    return CEMENTS[name]


def _cement(name: str, prefix: str, label: str, basis: str) -> Cement:
    shared = (
        *("activation", "order_m", "order_n", "gel", "gel_exponent", "cap"),
        *("shear_index", "shear_reference", "heat", "capacity", "conductivity"),
    )
    return Cement(
        name,
        label,
        basis,
        rate=value("rate") + float(np.log(value(f"{prefix}_rate_share"))),
        first_cured=value(f"{prefix}_first_cured"),
        first=value(f"{prefix}_first"),
        swollen=value(f"{prefix}_swollen"),
        swelling=value(f"{prefix}_swelling"),
        **{each: value(each) for each in shared},
    )


CEMENTS = {
    "low viscosity": _cement(
        "low viscosity",
        "low",
        "low viscosity: thin at first, wait until it is a paste",
        "Kinetics recalled; times fitted to a cement in syringes [lai2012] and an arthroplasty cement [koh2015], which "
        "had warmed themselves. How high the viscosity curve lies is assumed.",
    ),
    "high viscosity": _cement(
        "high viscosity",
        "high",
        "high viscosity: a paste as soon as it is mixed",
        "Fitted to two figures of a patent [meyer2011]; the share cured at the start is assumed.",
    ),
}
