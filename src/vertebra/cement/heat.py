"""How hot curing cement gets, and how far the heat reaches into bone and canal.

A ball of cement (or a straight thread, for a leak along the canal) in one surrounding tissue:
capacity dT/dt = div(conductivity grad T) + heat d(cured)/dt - perfusion (T - body), with the kinetics of
`vertebra.cement.material`. It is solved along the radius only, by finite volumes: heat by Crank and Nicolson's rule,
the clock of the cure by the trapezoidal rule. The cement has aged in the syringe at room temperature, so it arrives
cool and partly cured, all of it at once.

Cement that arrives young and cold cures from its warm rim inwards, and that front drives heat into the middle: the
equations then pass 100 C, where real monomer boils. Such peaks say "very hot", not how hot.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from vertebra.cement.material import Cement, cement, value

FloatArray = NDArray[np.float64]

BODY = 37.0  # C
FRACTION = 0.88  # share of the ball that is cement in vertebroplasty, the rest trabeculae (recalled); 1 in a cavity
TISSUES = ("bone", "water")
HOTTEST = 150.0  # C: hotter than this the clock of the cure runs no faster; there it is over within a step
AIR_CAPACITY, AIR_CONDUCTIVITY = 1.2e3, 0.026  # J/m3/K, W/m/K
AIR_FILM = 10.0  # W/m2/K through the air about a syringe (assumed)
REACH = 60.0  # mm beyond the cement at which the body keeps its temperature: the heat never gets there


@dataclass(frozen=True)
class Tissue:
    """What heat flows through: heat capacity by volume J/m3/K, and conductivity W/m/K."""

    capacity: float
    conductivity: float

    def mixed(self, other: "Tissue", share: float) -> "Tissue":
        """Return this tissue with a share 0..1 of it replaced by another."""
        return Tissue(
            (1 - share) * self.capacity + share * other.capacity,
            (1 - share) * self.conductivity + share * other.conductivity,
        )


def tissue(name: str) -> Tissue:
    """Return a surrounding tissue: "bone" (cancellous), or "water" for the contents of the canal at rest."""
    if name not in TISSUES:
        raise ValueError(f"the tissue around the cement is {name!r}; it is one of {', '.join(TISSUES)}")
    return Tissue(value(f"{name}_capacity"), value(f"{name}_conductivity"))


@dataclass(frozen=True)
class Grid:
    """Cells along a radius: `edges` (m+1,) in mm, of which the first `inner` cells are cement; ball or thread."""

    edges: FloatArray
    inner: int
    thread: bool = False

    @cached_property
    def centres(self) -> FloatArray:
        """Return the radius of each cell's middle (m,), mm."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @cached_property
    def areas(self) -> FloatArray:
        """Return the area of each edge (m+1,), m2; of a thread per metre of its length."""
        metres = self.edges * 1e-3
        return 2 * np.pi * metres if self.thread else 4 * np.pi * metres**2

    @cached_property
    def volumes(self) -> FloatArray:
        """Return the volume of each cell (m,), m3; of a thread per metre of its length."""
        metres = self.edges * 1e-3
        return np.pi * np.diff(metres**2) if self.thread else 4 / 3 * np.pi * np.diff(metres**3)


def grid(radius: float, cells: int = 50, reach: float = REACH, thread: bool = False) -> Grid:
    """Return even cells up to `radius` (mm) and ever wider ones from there to `reach` mm beyond it."""
    width = radius / cells
    widths: list[float] = []
    while sum(widths) < reach:
        widths.append(width)
        width *= 1.08
    outer = radius + np.cumsum(widths) * (reach / sum(widths))
    return Grid(np.concatenate([np.linspace(0, radius, cells + 1), outer]), cells, thread)


@dataclass(frozen=True, eq=False)
class Curing:
    """One run: `times` (n,) s since injection, `radii` (m,) mm, `temperature` (n, m) C, `cured` (n, m), 0 outside.

    `radius` is the cement's, mm; its surface is one of the radii.
    """

    radius: float
    times: FloatArray
    radii: FloatArray
    temperature: FloatArray
    cured: FloatArray
    cement: Cement

    def history(self, distance: float) -> FloatArray:
        """Return the temperature (n,) over time, `distance` mm outside the cement's surface (negative: inside)."""
        place = np.clip(self.radius + distance, self.radii[0], None)
        if place > self.radii[-1]:
            raise ValueError(f"distance is {distance:g} mm; the model reaches {self.radii[-1] - self.radius:.0f} mm")
        after = int(np.clip(np.searchsorted(self.radii, place), 1, len(self.radii) - 1))
        share = (place - self.radii[after - 1]) / (self.radii[after] - self.radii[after - 1])
        between: FloatArray = self.temperature[:, after - 1] * (1 - share) + self.temperature[:, after] * share
        return between

    def peak(self, distance: float = 0.0) -> float:
        """Return the highest temperature, C, `distance` mm outside the cement's surface."""
        return float(self.history(distance).max())

    def above(self, limit: float, distance: float = 0.0) -> float:
        """Return for how many s it is hotter than `limit` (C) there."""
        hot = self.history(distance) - limit
        step = np.diff(self.times)
        # Within a step the temperature is taken as straight: the share of it that lies above.
        low, high = np.minimum(hot[1:], hot[:-1]), np.maximum(hot[1:], hot[:-1])
        share = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, high / np.maximum(high - low, 1e-12)))
        return float((share * step).sum())

    @property
    def centre(self) -> float:
        """Return the peak in the middle of the cement, C."""
        return self.peak(-self.radius)

    @property
    def interface(self) -> float:
        """Return the peak at the cement's surface, C."""
        return self.peak(0.0)

    @property
    def sets(self) -> float:
        """Return when the middle of the cement is set, s after injection; infinite if not within the run."""
        done = self.cured[:, 0] >= self.cement.gel
        return float(self.times[np.argmax(done)]) if done.any() else float("inf")


@dataclass(frozen=True)
class Charge:
    """What the inner cells hold: a cement, the share of them that it fills, and its thermal age at the start, s."""

    cement: Cement
    share: float
    age: float


def diffuse(
    cells: Grid,
    start: FloatArray,
    inside: Tissue,
    outside: Tissue,
    seconds: float,
    step: float = 1.0,
    perfusion: float = 0.0,
    far: float = BODY,
    charge: Charge | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return times (n,), temperatures (n, m) and shares cured (n, inner) from a start (m,), all in C and s.

    `perfusion` (W/m3/K) pulls the tissue outside towards `far`, which also holds at the last edge. Crank-Nicolson,
    begun with backward Euler because the start has a jump; the clock of the cure by trapezoids, corrected once.
    """
    inner = cells.inner
    steps = max(1, round(seconds / step))
    is_in = np.arange(len(start)) < inner
    stay = np.where(is_in, inside.capacity, outside.capacity) * cells.volumes / step
    conductivity = np.where(is_in, inside.conductivity, outside.conductivity)
    half = np.diff(cells.edges) * 1e-3 / 2 / conductivity  # m2 K/W from a cell's middle to its edge
    conductance = np.zeros(len(start) + 1)
    conductance[1:-1] = cells.areas[1:-1] / (half[1:] + half[:-1])
    conductance[-1] = cells.areas[-1] / half[-1]
    blood = np.where(is_in, 0.0, perfusion * cells.volumes)
    leave, off = conductance[:-1] + conductance[1:] + blood, -conductance[1:-1]
    # One factorisation serves both rules: half a step of backward Euler has the matrix of a whole step of the other.
    factors = lapack.dpttrf(stay + leave / 2, off / 2)[:2]
    towards = blood * far
    towards[-1] += conductance[-1] * far

    def stepped(now: FloatArray, power: FloatArray, smooth: bool) -> FloatArray:
        after = now
        if smooth:
            for _ in range(2):
                after = np.asarray(lapack.dpttrs(*factors, stay * after + (towards + power) / 2)[0])
            return after
        lost = leave * now
        lost[:-1] += off * now[1:]
        lost[1:] += off * now[:-1]
        return np.asarray(lapack.dpttrs(*factors, stay * now - lost / 2 + towards + power)[0])

    temperature = np.empty((steps + 1, len(start)))
    cured = np.zeros((steps + 1, inner))
    temperature[0] = before = start
    power = np.zeros(len(start))
    if charge:
        age = np.full(inner, charge.age)
        cured[0] = charge.cement.cured(age)
        joules = charge.cement.heat * charge.share * cells.volumes[:inner] / step
    for now in range(steps):
        present = temperature[now]
        after = 2 * present - before if charge else present
        if charge:
            half_older = age + charge.cement.thermal_age(step / 2, np.minimum(present[:inner], HOTTEST))
        for _ in range(2 if charge else 1):
            if charge:
                older = half_older + charge.cement.thermal_age(step / 2, np.minimum(after[:inner], HOTTEST))
                cured[now + 1] = charge.cement.cured(older)
                power[:inner] = joules * (cured[now + 1] - cured[now])
            after = stepped(present, power, smooth=now < 2)
        if charge:
            age = older
        before = present
        temperature[now + 1] = after
    return np.arange(steps + 1, dtype=float) * step, temperature, cured


@lru_cache(maxsize=16)
def cure(
    volume_ml: float,
    fraction: float = FRACTION,
    cement_name: str = "low viscosity",
    room: float = 23.0,
    injected_at: float = 300.0,
    body: float = BODY,
    around: str = "bone",
    flow: float = 0.0,
    length: float = 0.0,
    seconds: float = 1200.0,
    step: float = 1.0,
    cells: int = 50,
) -> Curing:
    """Return how a ball of so much cement cures in the body; a thread `length` mm long if that is given.

    `injected_at` is the age of the cement (s since mixing, at `room` C) when it arrives, all at once. `fraction` is the
    share of the ball that is cement, `around` the tissue (see `tissue`), `flow` its blood flow in mL per 100 mL a
    minute: the course has no figure for a fractured vertebra, and none is the hottest case. Raises ValueError for what
    lies outside the model.
    """
    for name, number, low, high in (
        ("volume_ml", volume_ml, 0.005, 30.0),
        ("fraction", fraction, 0.3, 1.0),
        ("room", room, 2.0, 37.0),
        ("injected_at", injected_at, 0.0, 7200.0),
        ("body", body, 0.0, 45.0),
        ("flow", flow, 0.0, 100.0),
        ("length", length, 0.0, 200.0),
    ):
        if not low <= number <= high:
            raise ValueError(f"{name} is {number:g}; the heat model takes {low:g} to {high:g}")
    material = cement(cement_name)
    outside = tissue(around)
    inside = outside.mixed(Tissue(material.capacity, material.conductivity), fraction)
    cubic = volume_ml * 1000 / fraction
    radius = float(np.sqrt(cubic / np.pi / length) if length else np.cbrt(3 * cubic / 4 / np.pi))
    mesh = grid(radius, cells, thread=length > 0)
    # The trabeculae within the ball are as warm as the body.
    warmed = (fraction * material.capacity * room + (1 - fraction) * outside.capacity * body) / inside.capacity
    start = np.where(np.arange(len(mesh.centres)) < cells, warmed, body)
    charge = Charge(material, fraction, float(material.thermal_age(injected_at, room)))
    perfusion = flow / 100 / 60 * value("blood_capacity")
    run = diffuse(mesh, start, inside, outside, seconds, step, perfusion, body, charge)
    return _curing(mesh, inside, outside, *run, material)


def in_syringe(cement_name: str = "low viscosity", room: float = 23.0, bore: float = 15.0, step: float = 1.0) -> Curing:
    """Return how cement cures in a long syringe of that bore (mm), in still air; times are s since mixing began.

    It warms itself, so it sets sooner than `Cement.window` says, which holds the cement at room temperature. That is
    the most that warming can do: the window was fitted to syringes that had warmed themselves. The syringe's wall is
    left out, the air is a film that lets 10 W/m2/K through (assumed).
    """
    material = cement(cement_name)
    air = Tissue(AIR_CAPACITY, AIR_CONDUCTIVITY)
    radius = bore / 2
    film = radius * (np.exp(AIR_CONDUCTIVITY / (AIR_FILM * radius * 1e-3)) - 1)
    mesh = grid(radius, 30, reach=float(film), thread=True)
    start = np.full(len(mesh.centres), room)
    inside = Tissue(material.capacity, material.conductivity)
    seconds = 1.1 * material.age_when_cured(0.9, room)
    run = diffuse(mesh, start, inside, air, seconds, step, far=room, charge=Charge(material, 1.0, 0.0))
    return _curing(mesh, inside, air, *run, material)


def leak(volume_ml: float, length: float = 15.0, **settings: float | str) -> Curing:
    """Return how cement cures that has leaked into the canal: a thread `length` mm long, bathed in still fluid.

    `settings` are those of `cure`. Its surface is the hottest that the dura can meet; flow of cerebrospinal fluid and
    of blood, which cool it, is left out unless `flow` is given.
    """
    return cure(volume_ml, **{"fraction": 1.0, "around": "water", "length": length, **settings})


def _curing(
    mesh: Grid,
    inside: Tissue,
    outside: Tissue,
    times: FloatArray,
    temperature: FloatArray,
    cured: FloatArray,
    material: Cement,
) -> Curing:
    """Return a run with the temperature at the cement's surface put in, where heat leaves and enters alike."""
    inner = mesh.inner
    widths = np.diff(mesh.edges)
    within, beyond = inside.conductivity / widths[inner - 1], outside.conductivity / widths[inner]
    surface = (within * temperature[:, inner - 1] + beyond * temperature[:, inner]) / (within + beyond)
    radius = float(mesh.edges[inner])
    everywhere = np.zeros((len(times), len(widths) + 1))
    everywhere[:, :inner] = cured
    return Curing(
        radius,
        times,
        np.insert(mesh.centres, inner, radius),
        np.insert(temperature, inner, surface, axis=1),
        everywhere,
        material,
    )
