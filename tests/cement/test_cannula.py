"""The cannula's pressure drop against velocity profiles that are integrated, and against what it was designed for."""

import numpy as np
import pytest
from scipy.integrate import quad

from validation import USUAL, validates
from vertebra.cement.cannula import bore, pressure_drop, widened


def flow_rate(pressure: float, viscosity: float, index: float, diameter: float, length: float) -> float:
    """Flow (mL/min) of a power-law fluid in a tube, from its velocity profile: tau = k (du/dr)^n, tau = p r / 2 L."""
    radius, long = diameter / 2000, length / 1000

    def velocity(r: float) -> float:
        return quad(lambda s: (pressure * s / (2 * long * viscosity)) ** (1 / index), r, radius)[0]

    return quad(lambda r: 2 * np.pi * r * velocity(r), 0, radius)[0] * 60e6


@pytest.mark.parametrize("index", [1.0, 0.6, 0.3])
@pytest.mark.parametrize("viscosity", [10.0, 500.0])
def test_the_pressure_drives_the_flow_it_says(index: float, viscosity: float) -> None:
    pressure = pressure_drop(viscosity, 4.0, 2.4, 125.0, index)
    assert flow_rate(pressure, viscosity, index, 2.4, 125.0) == pytest.approx(4.0, rel=1e-6)


def test_usual_cannulas() -> None:
    assert pressure_drop(100.0, 4.0) == pytest.approx(1.02e6, rel=0.01)  # 8 mu L Q / pi r^4, reckoned by hand
    assert pressure_drop(100.0, 4.0, "13G") / pressure_drop(100.0, 4.0, "11G") == pytest.approx((2.4 / 1.8) ** 4)
    assert bore("11G") > bore("13G")
    assert pressure_drop(100.0, 0.0) == 0


@validates(
    "cement.cannula",
    "Pressure in a cannula with a wider part",
    against="two tubes in series",
    kind="analytic",
    tolerance=USUAL,
)
def test_a_wider_part() -> None:
    # Two tubes in series, by the same law.
    narrow, wide = pressure_drop(100.0, 4.0, 2.0, 33.0), pressure_drop(100.0, 4.0, 4.0, 67.0)
    saved = (narrow + wide) / pressure_drop(100.0, 4.0, 2.0, 100.0) - 1
    assert widened(0.67) == pytest.approx(saved)
    assert saved == pytest.approx(-0.628, abs=5e-4)
    assert widened(0.0) == 0 and widened(1.0) == pytest.approx(-15 / 16)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pressure_drop(0.0, 4.0), "viscosity is 0.0 Pa s"),
        (lambda: pressure_drop(1.0, -1.0), "rate is -1.0 mL/min"),
        (lambda: pressure_drop(1.0, 1.0, "18G"), "11G"),
        (lambda: pressure_drop(1.0, 1.0, 2.4, 0.0), "length is 0.0 mm"),
        (lambda: pressure_drop(1.0, 1.0, 2.4, 100.0, float("nan")), "index is nan"),
        (lambda: widened(1.2), "share is 1.2"),
    ],
)
def test_bad_numbers(call, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
