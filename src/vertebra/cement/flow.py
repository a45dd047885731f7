"""Cement displaces marrow in a vertebral body: two-phase Darcy flow in three dimensions.

    u = -(K / mu) grad p,    div u = q,    phi dS/dt + div(f u) = q_cement

with the pressure p, the share S of the pores that is cement, porosity phi and permeability K of `vertebra.cement.bone`.
In a cell behind which the front stands, cement and marrow lie one after the other, so that their resistances add:
mu = S mu_cement + (1 - S) mu_marrow. Cement pushes marrow before it like a piston; its share of the flow,
f = S / (S + (1 - S) M) with M = mu_cement / mu_marrow, but 1 to 4, keeps the front sharp. Pressure is solved implicitly
(finite volumes, seven points, conjugate gradients) a few times in a run, S is moved explicitly with the fluxes between
(IMPES), in steps so short that S stays between 0 and 1; what leaves one cell enters another, so that no cement is lost.

The cement carries one number with it: how long it has been in the body. From it follow when it left the syringe, how
far it has warmed since (exponentially towards 37 C) and so its thermal age (`vertebra.cement.material`); viscosity
follows from that age and from the shear rate where it is. The ways out (`Outlet`) resist as marrow does until they are
full of cement, and then as that cement.

What follows from these equations, and is easily got wrong: pressure is proportional to viscosity, but as long as marrow
resists little beside cement, *where* cement goes does not depend on how thick it is. Thick cement leaks less only by
its ratio to marrow, against pressure differences between the ways out, and because it sets.

Not modelled: gravity, pulsing veins, embolism, cement creeping back along the needle, monomer, fluid in the balloon's
cavity other than marrow.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.integrate import quad
from scipy.special import ive

from vertebra.cement.balloon import Cavity
from vertebra.cement.bone import OUTLETS, Bone, Bools, Floats, kozeny_carman, parameter
from vertebra.cement.cannula import ML_MIN, bore, pressure_drop
from vertebra.cement.material import Cement, cement
from vertebra.imaging.fluoroscopy import KEV, Block, attenuation
from vertebra.imaging.needle import OUTER_DIAMETER

Indices = NDArray[np.int64]
Law = str | Cement | float | Callable[[Floats], ArrayLike]

SHARPNESS = 4.0  # most that the mobility ratio sharpens the front with; more needs shorter steps for the same front
COURANT = 0.25  # share of a cell's pores that may pass it in a substep: 1 / SHARPNESS keeps S between 0 and 1
TOLERANCE = 1e-5  # of the pressure's residual
BODY = 37.0  # C
FULL = 0.95  # share of the pores that can be filled before there is nowhere left for the marrow to go
OVERFULL = 0.05  # share of its pores by which a cell may be overfull before the pressure is solved anew
BLOCK = 10.0  # mm, edge of the blocks whose mean pressure is solved for directly
STEP = 0.5  # mL for which one pressure field stands, unless told otherwise
# How a leak is drawn: the larger the number, the flatter it is along x, y and z.
DRAWN = {"B": (1, 2, 0.5), "S": (2, 0.7, 1), "C-disc": (1, 1, 3), "C-cortex": (1, 2, 1), "C-canal": (1, 1.5, 0.7)}
RADIOPAQUE = "PMMA + 30 % BaSO4"


@dataclass(frozen=True)
class Injection:
    """How cement is injected.

    `tips` (n, 3) are the needles' tips, mm (the flow is shared equally), `gauge` their size, `rate` mL/min in all.
    `cement` is a name of `material.CEMENTS`, a Cement, a viscosity in Pa s, or a function that gives it by age (s).
    `mixed` is the age of the cement (s since mixing began) when injection begins, `room` the temperature, C.
    """

    tips: tuple[tuple[float, float, float], ...]
    gauge: str = "11G"
    rate: float = 4.0
    cement: Law = "low viscosity"
    mixed: float = 300.0
    room: float = 23.0

    def __post_init__(self) -> None:
        tips = np.atleast_2d(np.asarray(self.tips, dtype=np.float64))
        if tips.ndim != 2 or tips.shape[1] != 3 or not len(tips) or not np.isfinite(tips).all():
            raise ValueError(f"tips are {self.tips}; give one or more points of three numbers in mm")
        object.__setattr__(self, "tips", tuple(map(tuple, tips.tolist())))
        bore(self.gauge)
        if not (np.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"rate is {self.rate} mL/min; give a number above 0")
        if not (np.isfinite(self.mixed) and self.mixed >= 0):
            raise ValueError(f"mixed is {self.mixed} s; give the seconds since mixing began, 0 or more")
        if isinstance(self.cement, str):
            cement(self.cement)
        elif isinstance(self.cement, float | int) and not (np.isfinite(self.cement) and self.cement > 0):
            raise ValueError(f"the viscosity is {self.cement} Pa s; give a number above 0")

    @property
    def material(self) -> Cement | None:
        """The cement, or None if only a viscosity was given."""
        law = self.cement
        return cement(law) if isinstance(law, str) else law if isinstance(law, Cement) else None

    def age(self, seconds: float, residence: ArrayLike = 0.0) -> Floats:
        """Return the thermal age (s at 23 C) of cement, `seconds` after injection began.

        It has been in the body for the last `residence` seconds, warming from the room's to the body's temperature.
        """
        within = np.asarray(residence, dtype=np.float64)
        syringe = np.maximum(self.mixed + seconds - within, 0.0)
        if not self.material:
            return syringe + within
        times, gained = self._warming
        return self.material.thermal_age(syringe, self.room) + np.interp(within, times, gained)

    @cached_property
    def _warming(self) -> tuple[Floats, Floats]:
        """Thermal age that cement gains in the body (n,), by the seconds it has been there (n,)."""
        times = np.linspace(0, 3600, 1801)
        if not self.material:
            return times, times
        warmth = BODY + (self.room - BODY) * np.exp(-times / parameter("warming_time"))
        pace = self.material.thermal_age(1.0, warmth)
        return times, np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(times))])

    def viscosity(self, age: ArrayLike, shear_rate: ArrayLike | None = None) -> Floats:
        """Return the viscosity (Pa s) at thermal ages (s)."""
        ages = np.asarray(age, dtype=np.float64)
        law = self.cement
        if self.material:
            return self.material.viscosity(ages, shear_rate=shear_rate)
        found = law(ages) if callable(law) else law
        return np.broadcast_to(np.asarray(found, dtype=np.float64), ages.shape)


# --- the porous medium, ready to solve


@dataclass(frozen=True, eq=False)
class _Medium:
    """The cells of a body (n), the faces between them (m) and the ways out, as the equations need them.

    `cells` (n, 3) are indices of voxels and `pores` (n,) their fluid, m3; `first`, `second` (m,) are the cells beside a
    face and `resist` (2, m) the resistance of the half cell on either side for a viscosity of 1 (1/m3).
    `ends` are the cells that have a way out, `way` which one, `conductance` (m3), `access` that of half a cell. `block`
    (n,) numbers coarse blocks of cells.
    """

    cells: Indices
    porosity: Floats
    permeability: Floats
    pores: Floats
    first: Indices
    second: Indices
    axis: Indices
    resist: Floats
    pattern: sparse.csr_matrix
    ends: Indices
    way: Indices
    conductance: Floats
    access: Floats
    drain: Bools
    ambient: Floats
    size: float
    block: Indices
    tips: tuple[tuple[Indices, Floats], ...]
    near_tip: Floats

    def matrix(self, ahead: Floats, back: Floats, diagonal: Floats) -> sparse.csr_matrix:
        """Return the matrix with `ahead` at (second, first), `back` at (first, second), and a diagonal."""
        values = np.concatenate([ahead, back, diagonal])
        p = self.pattern
        made: sparse.csr_matrix = sparse.csr_matrix((values[p.data], p.indices, p.indptr), shape=p.shape)
        return made


def _medium(bone: Bone, tips: Sequence[Sequence[float]], radius: float, cavities: tuple[Cavity, ...]) -> _Medium:
    """Return the medium with the cavities in it and the flow's entries at the tips."""
    h = bone.spacing * 1e-3
    cells = np.argwhere(bone.inside)
    porosity, k = bone.porosity[bone.inside].copy(), bone.permeability[:, bone.inside].copy()
    for each in cavities:
        void = np.clip(0.5 - each.distance(bone.points) / bone.spacing, 0, 1)
        shell = np.clip(0.5 - each.distance(bone.points, each.shell_thickness) / bone.spacing, 0, 1) - void
        # Bone can be packed, not loosened.
        packed = np.minimum(each.shell_porosity, porosity)
        k *= 1 - shell * (1 - kozeny_carman(packed) / np.maximum(kozeny_carman(np.minimum(porosity, 0.999)), 1e-12))
        porosity = porosity + shell * (packed - porosity)
        k = (1 - void) * k + void * parameter("void_permeability")
        porosity = porosity + void * (1 - porosity)
    number = np.full(bone.inside.shape, -1)
    number[bone.inside] = np.arange(len(cells))
    pairs = []
    for axis in range(3):
        here = np.moveaxis(number, axis, 0)
        one, other = here[:-1].ravel(), here[1:].ravel()
        both = (one >= 0) & (other >= 0)
        pairs.append(np.stack([one[both], other[both], np.full(int(both.sum()), axis)]))
    first, second, axis_of = np.concatenate(pairs, axis=1)
    resist = 1 / (2 * h * np.stack([k[axis_of, first], k[axis_of, second]]))
    n = len(cells)
    rows = np.concatenate([second, first, np.arange(n)])
    columns = np.concatenate([first, second, np.arange(n)])
    # Numbered from 1 while it is built: an entry of 0 could be dropped.
    pattern = sparse.csr_matrix((np.arange(1, len(rows) + 1), (rows, columns)), shape=(n, n))
    pattern.data -= 1
    ends = [number[tuple(outlet.cells.T)] for outlet in bone.outlets]
    way = np.repeat(np.arange(len(ends)), [len(e) for e in ends])
    end = np.concatenate(ends)
    mean = np.cbrt(k.prod(axis=0))
    _, block = np.unique(cells // max(round(BLOCK / bone.spacing), 1), axis=0, return_inverse=True)
    entries, corrections = [], []
    for tip in tips:
        where, weight = _entry(bone, number, np.asarray(tip, dtype=np.float64))
        entries.append((where, weight))
        corrections.append(_well(k[:, where] @ weight, bone, cells[where], weight, radius * 1e-3))
    return _Medium(
        cells=cells,
        porosity=porosity,
        permeability=k,
        pores=porosity * h**3,
        first=first,
        second=second,
        axis=axis_of,
        resist=resist,
        pattern=pattern,
        ends=end,
        way=way,
        conductance=np.concatenate([outlet.conductance for outlet in bone.outlets]),
        access=2 * h * mean[end],
        drain=np.array([outlet.name == OUTLETS[0] for outlet in bone.outlets]),
        ambient=np.array([outlet.pressure for outlet in bone.outlets]),
        size=h,
        block=block.ravel(),
        tips=tuple(entries),
        near_tip=np.array(corrections),
    )


def _entry(bone: Bone, number: Indices, tip: Floats) -> tuple[Indices, Floats]:
    """Return the cells around a tip and the share of the flow that each takes. Raises ValueError if it is not inside.

    The shares are a quadratic spline's: they change smoothly as the tip moves, and no cell takes most of the flow,
    which would ask for short substeps.
    """
    place = (tip - bone.origin) / bone.spacing
    around = np.rint(place).astype(int) + np.array(list(product((-1, 0, 1), repeat=3)))
    far = np.abs(place - around)
    weight = np.where(far < 0.5, 0.75 - far**2, 0.5 * (1.5 - np.minimum(far, 1.5)) ** 2).prod(axis=1)
    fits = ((around >= 0) & (around < number.shape)).all(axis=1) & (weight > 1e-9)
    around, weight = around[fits], weight[fits]
    cell = number[tuple(around.T)]
    weight, cell = weight[cell >= 0], cell[cell >= 0]
    if weight.sum() < 0.5:
        away, nearest = bone.tree.query(tip)
        way = bone.points[nearest] - tip
        axis = int(np.abs(way).argmax())
        mends = (
            ("aim nearer the midline", "aim nearer the midline"),
            ("withdraw the needle", "advance the needle"),
            ("aim lower", "aim higher"),
        )
        mend = mends[axis][int(way[axis] > 0)]
        where = ", ".join(f"{c:.1f}" for c in tip)
        raise ValueError(f"the tip at ({where}) mm lies {away:.1f} mm outside the vertebral body; {mend}")
    return cell, weight / weight.sum()


def _well(k: Floats, bone: Bone, cells: Indices, weight: Floats, radius: float) -> float:
    """Return what the pressure at a tip exceeds that of its cells by, for a flow times viscosity of 1 (1/m3).

    Around a tip pressure falls as mu Q / 4 pi K r, steeper than the grid can show (Peaceman's correction, in 3-D). On
    the grid a source in one cell raises the pressure of the cell at a distance d by G(d) mu Q, G being the lattice's
    Green function: the integral over t of the product of exp(-2 a t) I_d(2 a t) along the axes.
    """
    shape = tuple(np.round(k / k.mean(), 3).tolist())
    steps = np.abs(cells[:, None] - cells[None]).reshape(-1, 3)
    unique, which = np.unique(steps, axis=0, return_inverse=True)
    green = np.array([_green(tuple(step), shape) for step in unique.tolist()])[which.ravel()]
    on_grid = green @ np.outer(weight, weight).ravel() / (k.mean() * bone.spacing * 1e-3)
    return float(1 / (4 * np.pi * np.cbrt(k.prod()) * radius) - on_grid)


@lru_cache(maxsize=4096)
def _green(step: tuple[int, ...], k: tuple[float, ...]) -> float:
    """Return the lattice's Green function at a step of cells, for permeabilities k along the axes."""
    i, along = np.array(step), np.array(k)
    # With t = s^2 the integrand is smooth at 0 and falls like 1 / s^2.
    found: float = quad(lambda s: np.prod(ive(i, 2 * along * s * s)) * 2 * s, 0, np.inf, limit=200)[0]
    return found


def _sums(places: Indices, values: Floats, size: int) -> Floats:
    """Return for each of `size` places the sum (size,) of the values there."""
    return np.bincount(places, values, size).astype(np.float64, copy=False)


# --- a state of the injection


@dataclass(frozen=True, eq=False)
class _Flow:
    """The pressure (n,), Pa, that drives the injection, and the flows that it drives, m3/s.

    `across` (m,) runs from the first to the second cell of each face, `out` through the ways out, `source` (n,) into
    the cells at the tips. `tips` are the pressures at the needles' tips, Pa.
    """

    pressure: Floats
    across: Floats
    out: Floats
    source: Floats
    tips: Floats


@dataclass(frozen=True, eq=False)
class State:
    """Where the cement is after `volume` mL and `seconds` since the injection began. Made by `begin`.

    `content` (n,) is the share of each cell's pores that is cement (between two pressures a cell at the shell may be
    some percent overfull, and by cement that is nearly set up to a fifth), `burden` (n,) that share times the seconds
    it has been in the body. `leaked` (w,) has left by each of `bone.outlets`, mL, and what is in it has been there and
    in the body for `leaked_time` seconds.
    """

    bone: Bone
    injection: Injection
    cavities: tuple[Cavity, ...]
    volume: float
    seconds: float
    content: Floats
    burden: Floats
    leaked: Floats
    leaked_time: Floats
    medium: _Medium
    guess: Floats
    thinned: Floats  # (n,) shear rate that the viscosity is taken at, 1/s

    # -- what a course shows --

    @cached_property
    def saturation(self) -> NDArray[np.float32]:
        """Share of the pore (or cavity) space that is cement (nx, ny, nz), 0 to 1."""
        return self._field(np.minimum(self.content, 1)).astype(np.float32)

    @cached_property
    def age(self) -> Floats:
        """Thermal age of the cement (nx, ny, nz), seconds at 23 C; 0 where none is."""
        ages = self.injection.age(self.seconds, self._residence)
        return self._field(np.where(self.content > 1e-6, ages, 0.0))

    @cached_property
    def cement_volume(self) -> NDArray[np.float32]:
        """Share of each voxel that is cement (nx, ny, nz)."""
        return self._field(self.content * self.medium.porosity).astype(np.float32)

    @property
    def filled(self) -> float:
        """Cement in the body, mL."""
        return float(self.content @ self.medium.pores) * 1e6

    @property
    def leaks(self) -> dict[str, float]:
        """Cement that has left the body by each kind of way out, mL; the marrow drain lets none through."""
        found: dict[str, float] = {}
        for outlet, amount in zip(self.bone.outlets, self.leaked, strict=True):
            if outlet.leak:
                found[outlet.name] = found.get(outlet.name, 0.0) + float(amount)
        return found

    @property
    def mass_error(self) -> float:
        """What cement is missing, as a share of what was pushed."""
        return (self.filled + float(self.leaked.sum()) - self.volume) / max(self.volume, 1e-12)

    @property
    def viscosity(self) -> float:
        """Viscosity of the cement that is entering, Pa s, before shear thins it."""
        return float(self.injection.viscosity(self.injection.age(self.seconds)))

    @property
    def tip_pressure(self) -> float:
        """Pressure in the bone at the needle's tip that it takes to go on injecting, Pa above the resting pressure."""
        return float(self._flow.tips.max()) - parameter("resting_pressure")

    @property
    def syringe_pressure(self) -> float:
        """Pressure at the syringe that it takes to go on injecting, Pa: that at the tip and that in the cannula."""
        made = self.injection
        rate = made.rate / len(made.tips)
        index = made.material.shear_index if made.material else 1.0
        return self.tip_pressure + pressure_drop(self.viscosity, rate, made.gauge, index=index)

    @property
    def posterior_margin(self) -> float:
        """How far the cement's hindmost part is before the posterior wall, mm, as a lateral film shows it.

        The wall is the line between the body's two posterior corners; cement counts where it fills more than half of
        the pores. Infinite while there is none; negative behind the line.
        """
        at = self.bone.points[self.content > 0.5]
        if not len(at):
            return math.inf
        top, foot = self.bone.vertebra.landmarks[[2, 5]]
        line = foot[1] + (at[:, 2] - foot[2]) / (top[2] - foot[2]) * (top[1] - foot[1])
        return float((at[:, 1] - line).min()) - self.bone.spacing / 2

    def block(self, kev: float = KEV) -> Block:
        """Return the cement as matter for `vertebra.imaging.fluoroscopy`: PMMA with 30 % barium sulphate.

        In the body it takes the place of marrow. What has leaked is drawn outside the bone, next to where it left, with
        the volume that was computed; its shape is drawn: flat in the disc, along the canal's length before the dura,
        along the wall elsewhere.
        """
        cement, marrow = attenuation(RADIOPAQUE, kev), attenuation("fat marrow", kev)
        mu = self.cement_volume * np.float32(cement - marrow)
        if not self.leaked.any():
            return Block(mu, self.bone.affine)
        origin, free = self.bone.surroundings
        h = self.bone.spacing
        first = np.round((self.bone.origin - origin) / h).astype(int)
        whole = np.zeros(free.shape, dtype=np.float32)
        whole[tuple(slice(a, a + n) for a, n in zip(first, mu.shape, strict=True))] = mu
        place = np.argwhere(free)
        points = origin + h * place
        taken = np.zeros(len(place))
        top, foot = self.bone.vertebra.landmarks[[2, 5], 2]
        for outlet, amount in zip(self.bone.outlets, self.leaked, strict=True):
            if not amount:
                continue
            far = np.linalg.norm((points - outlet.mouth) * DRAWN[outlet.leak], axis=1)
            if outlet.leak in ("B", "C-canal"):
                # Behind the posterior wall, not round its corners into a disc.
                far += np.where((points[:, 2] < foot) | (points[:, 2] > top), 1e3, 0.0)
            order = np.argsort(far, kind="stable")
            left = 1 - taken[order]
            before = np.cumsum(left) - left
            taken[order] += np.clip(amount * 1000 / h**3 - before, 0, left)
        whole[tuple(place.T)] += (taken * (cement - attenuation("soft tissue", kev))).astype(np.float32)
        affine = self.bone.affine
        affine[:3, 3] = origin
        return Block(whole, affine)

    # -- inside --

    def _field(self, values: Floats) -> Floats:
        field = np.zeros(self.bone.inside.shape)
        field[self.bone.inside] = values
        return field

    @property
    def _residence(self) -> Floats:
        """How long each cell's cement has been in the body (n,), s; 0 where there is none."""
        some = self.content > 1e-9
        return np.where(some, self.burden / np.where(some, self.content, 1.0), 0.0)

    @cached_property
    def _flow(self) -> _Flow:
        return _solve(self)


def _viscosities(state: State) -> tuple[Floats, Floats, Floats]:
    """Return the viscosity of the cement in each cell (n,), of its contents (n,) and of that of each way out's (w,)."""
    marrow = parameter("marrow_viscosity")
    made, now = state.injection, state.seconds
    cement = made.viscosity(made.age(now, state._residence), state.thinned)
    share = np.clip(state.content, 0, 1)
    mixed = share * cement + (1 - share) * marrow
    volumes = np.array([outlet.volume for outlet in state.bone.outlets])
    filled = np.minimum(state.leaked / np.maximum(volumes, 1e-9), 1)
    outside = made.viscosity(made.age(now, state.leaked_time))
    return cement, mixed, filled * outside + (1 - filled) * marrow


@dataclass(frozen=True, eq=False)
class System:
    """The equations for a state's pressure: `matrix` (n, n) times pressure (Pa) is `right` (n,), m3/s.

    `faces` (m,) and `ways` (e,) are what flows for a pressure difference of 1 Pa between two cells and through a way
    out, m3/s/Pa; `source` (n,) is what is injected, m3/s. `coarse` is the inverse of the same equations for blocks of
    cells, and `block` (n,) tells which block a cell is in.
    """

    matrix: sparse.csr_matrix
    right: Floats
    diagonal: Floats
    faces: Floats
    ways: Floats
    source: Floats
    coarse: Floats
    block: Indices

    def precondition(self, residual: Floats) -> Floats:
        """Return roughly the pressure (n,) that takes a residual (n,) away: cell by cell, and block by block."""
        whole = np.einsum("ij,j->i", self.coarse, _sums(self.block, residual, len(self.coarse)))
        roughly: Floats = residual / self.diagonal + whole[self.block]
        return roughly


def system(state: State) -> System:
    """Return the equations div(K / mu grad p) = -q of a state, in finite volumes."""
    m = state.medium
    n = len(m.cells)
    faces, ways = _conductances(state)
    diagonal = _sums(m.first, faces, n) + _sums(m.second, faces, n) + _sums(m.ends, ways, n)
    source = np.zeros(n)
    for where, weight in m.tips:
        source[where] += state.injection.rate * ML_MIN / len(m.tips) * weight
    right = source + _sums(m.ends, ways * m.ambient[m.way], n)
    # The same equations for blocks of cells with one pressure each: what is slow to even out between cells.
    count = int(m.block.max()) + 1
    one, other = m.block[m.first], m.block[m.second]
    between = _sums(one * count + other, np.where(one == other, 0.0, faces), count**2).reshape(count, count)
    between = between + between.T
    blocks = np.diag(between.sum(axis=0) + _sums(m.block[m.ends], ways, count)) - between
    coarse: Floats = np.linalg.inv(blocks).astype(np.float64)
    return System(m.matrix(-faces, -faces, diagonal), right, diagonal, faces, ways, source, coarse, m.block)


def _solve(state: State) -> _Flow:
    """Solve a state's equations by conjugate gradients from its guess."""
    m, s = state.medium, system(state)
    flow = state.injection.rate * ML_MIN / len(m.tips)
    pressure, _ = conjugate_gradients(s.matrix, s.right, state.guess, s.precondition, flow * TOLERANCE)
    _, mixed, _ = _viscosities(state)
    tips = [
        pressure[where] @ weight + (mixed[where] @ weight) * flow * extra
        for (where, weight), extra in zip(m.tips, m.near_tip, strict=True)
    ]
    across = s.faces * (pressure[m.first] - pressure[m.second])
    outwards = s.ways * (pressure[m.ends] - m.ambient[m.way])
    return _Flow(pressure, across, outwards, s.source, np.array(tips))


def _conductances(state: State) -> tuple[Floats, Floats]:
    """Return flow over pressure difference (m3/s/Pa) of the faces (m,) and from the cells with a way out."""
    m = state.medium
    _, mixed, outside = _viscosities(state)
    faces = 1 / (m.resist[0] * mixed[m.first] + m.resist[1] * mixed[m.second])
    ways = 1 / (mixed[m.ends] / m.access + outside[m.way] / m.conductance)
    # Only marrow passes the drain: the fuller a cell, the less (Corey's relative permeability). A trickle is left, as
    # thick as what is in the cell, or the pressure in a full body had no bounds.
    open_share = np.maximum(1 - state.content[m.ends], 0) ** 2
    drains = (open_share / parameter("marrow_viscosity") + 1e-6 / mixed[m.ends]) * m.conductance
    return faces, np.where(m.drain[m.way], drains, ways)


def conjugate_gradients(
    matrix: sparse.csr_matrix,
    right: Floats,
    guess: Floats,
    precondition: Callable[[Floats], Floats],
    tolerance: float,
    most: int = 2000,
) -> tuple[Floats, int]:
    """Solve a symmetric positive definite system; return the solution (n,) and how many iterations it took.

    Stops when the root of the sum of the residuals' squares is below `tolerance`. Raises ValueError if it never is.
    """
    x = guess.copy()
    residual = right - matrix @ x
    z = precondition(residual)
    direction = z.copy()
    energy = _dot(residual, z)
    for number in range(most):
        if _dot(residual, residual) <= tolerance * tolerance:
            return x, number
        image = matrix @ direction
        step = energy / _dot(direction, image)
        x += step * direction
        residual -= step * image
        z = precondition(residual)
        energy, before = _dot(residual, z), energy
        direction *= energy / before
        direction += z
    raise ValueError(f"the pressure was not found in {most} iterations; take a thinner cement or coarser voxels")


def _dot(a: Floats, b: Floats) -> float:
    # Not through BLAS: its threads wait for each other where another program uses the second core.
    return float(np.einsum("i,i", a, b))


# --- what can be done


def begin(bone: Bone, injection: Injection, cavities: Sequence[Cavity] = ()) -> State:
    """Return the state before any cement: needles in place, the cement `injection.mixed` seconds old.

    Raises ValueError if a tip lies outside the body.
    """
    made = tuple(cavities)
    medium = _medium(bone, injection.tips, OUTER_DIAMETER[injection.gauge] / 2, made)
    n, w = len(medium.cells), len(bone.outlets)
    rest = np.full(n, parameter("resting_pressure"))
    nothing = np.zeros(n)
    return State(bone, injection, made, 0.0, 0.0, nothing, nothing, np.zeros(w), np.zeros(w), medium, rest, nothing)


def advance(state: State, millilitres: float, steps: int | None = None, viscosity: Law | None = None) -> State:
    """Return the state after `millilitres` more at the injection's rate.

    `steps` is how often the pressure is solved anew (None: every half millilitre), `viscosity` another cement from now
    on. Raises ValueError for a volume that is not above 0 or that the body cannot hold.
    """
    if not (np.isfinite(millilitres) and millilitres > 0):
        raise ValueError(f"millilitres is {millilitres}; give a volume above 0")
    room = float(state.medium.pores.sum()) * 1e6
    if state.volume + millilitres > FULL * room:
        raise ValueError(
            f"{state.volume + millilitres:.1f} mL do not fit; this body holds {room:.1f} mL, inject less than "
            f"{FULL * room - state.volume:.1f} mL more"
        )
    count = max(1, math.ceil(millilitres / STEP - 1e-9)) if steps is None else steps
    if count < 1:
        raise ValueError(f"steps is {steps}; give 1 or more")
    start = state.volume
    if viscosity is not None:
        state = replace(state, injection=replace(state.injection, cement=viscosity))
    for number in range(count):
        goal = start + millilitres * (number + 1) / count
        while goal - state.volume > 1e-9 * millilitres:
            state = _push(state, goal - state.volume)
    return state


def wait(state: State, seconds: float) -> State:
    """Return the state after a pause: nothing flows, all cement ages. Raises ValueError for less than no time."""
    if not (np.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"seconds is {seconds}; give a time of 0 or more")
    return replace(
        state,
        seconds=state.seconds + seconds,
        burden=state.burden + seconds * state.content,
        leaked_time=state.leaked_time + seconds * (state.leaked > 0),
    )


def inject(
    bone: Bone,
    injection: Injection,
    millilitres: float,
    steps: int = 12,
    cavities: Sequence[Cavity] = (),
    viscosity: Law | None = None,
) -> tuple[State, ...]:
    """Return a whole run: the state before any cement and after each of `steps` equal parts of the volume."""
    if steps < 1:
        raise ValueError(f"steps is {steps}; give 1 or more")
    states = [begin(bone, injection, cavities)]
    for _ in range(steps):
        states.append(advance(states[-1], millilitres / steps, 1, viscosity))
    return tuple(states)


def _push(state: State, millilitres: float) -> State:
    """Move cement by the state's pressure for `millilitres`, or for less if a cell at the shell is too full sooner."""
    m, flow, made = state.medium, state._flow, state.injection
    seconds = millilitres / made.rate * 60
    n = len(m.cells)
    # Through the drain only marrow leaves; into the body only marrow comes back.
    leaving = np.where(m.drain[m.way], 0.0, np.maximum(flow.out, 0))
    ahead, back = np.maximum(flow.across, 0), np.maximum(-flow.across, 0)
    outflow = _sums(m.first, ahead, n) + _sums(m.second, back, n) + _sums(m.ends, leaving, n)
    count = max(1, math.ceil(seconds * float((outflow / m.pores).max()) / COURANT))
    dt = seconds / count
    share = dt / m.pores
    upwind = m.matrix(ahead, back, -outflow)
    upwind.data *= np.repeat(share, np.diff(upwind.indptr))
    gain = flow.source * share
    cement, _, _ = _viscosities(state)
    sharper = np.clip(cement / parameter("marrow_viscosity"), 1, SHARPNESS)
    content, burden = state.content, state.burden
    leaky = np.flatnonzero(leaving)
    at = m.ends[leaky]
    passed, passed_time = np.zeros(len(at)), np.zeros(len(at))
    allowed = np.maximum(content, 1.0) + OVERFULL
    done = 0
    while done < count:
        # f = S / (S + (1 - S) M), and f = S where S is above 1. How long cement has been here goes where cement goes.
        over = np.maximum(sharper - (sharper - 1) * content, 1)
        carried, aged = content / over, burden / over
        burden = burden + upwind @ aged + dt * content + 0.5 * dt * gain
        content = content + upwind @ carried + gain
        passed += carried[at]
        passed_time += aged[at]
        done += 1
        if done % 4 == 0 and (content > allowed).any():
            break
    seconds, leaves = done * dt, leaving[leaky] * dt * 1e6
    leaked = _sums(m.way[leaky], leaves * passed, len(state.leaked))
    arrived = _sums(m.way[leaky], leaves * passed_time, len(state.leaked))
    # A way out holds what came last; what it held before goes on.
    volumes = np.array([outlet.volume for outlet in state.bone.outlets])
    held = np.minimum(state.leaked, np.maximum(volumes - leaked, 0))
    total = held + leaked
    leaked_time = (held * (state.leaked_time + seconds) + arrived) / np.maximum(total, 1e-30)
    return replace(
        state,
        volume=state.volume + seconds / 60 * made.rate,
        seconds=state.seconds + seconds,
        content=content,
        burden=burden,
        leaked=state.leaked + leaked,
        leaked_time=leaked_time,
        guess=flow.pressure,
        thinned=_shear_rates(state),
    )


def _shear_rates(state: State) -> Floats:
    """Return the shear rate in each cell's pores, 1/s: that at the wall of tubes of the same K and phi."""
    if not state.injection.material:
        return state.thinned
    m, flow = state.medium, state._flow
    n = len(m.cells)
    squares = np.zeros(n)
    for axis in range(3):
        on = m.axis == axis
        moved = np.abs(flow.across[on])
        through = _sums(m.first[on], moved, n) + _sums(m.second[on], moved, n)
        squares += (through / 2 / m.size**2) ** 2
    radius = np.sqrt(8 * np.cbrt(m.permeability.prod(axis=0)) / m.porosity)
    rates: Floats = 4 * np.sqrt(squares) / m.porosity / radius
    return rates


def preview(
    bone: Bone, tips: Sequence[Sequence[float]], millilitres: float, cavities: Sequence[Cavity] = ()
) -> NDArray[np.float32]:
    """Return roughly what `inject` would fill (nx, ny, nz), in no time: balls around the tips, clipped to the body.

    Its volume is right and its shape is that of even bone; a cavity fills first. Raises ValueError for tips outside the
    body and for a volume below 0 or above what the body holds.
    """
    points = np.atleast_2d(np.asarray(tips, dtype=np.float64))
    number = np.where(bone.inside, 0, -1)
    for tip in points:
        _entry(bone, number, tip)
    porosity = bone.porosity[bone.inside].copy()
    far = np.linalg.norm(bone.points[:, None] - points[None], axis=2).min(axis=1)
    for each in cavities:
        beyond = each.distance(bone.points)
        porosity = np.where(beyond < 0, 1.0, porosity)
        far = np.where(beyond < 0, far * 1e-3, far)
    order = np.argsort(far, kind="stable")
    pores = porosity[order] * bone.spacing**3 / 1000
    if not 0 <= millilitres <= pores.sum():
        raise ValueError(f"millilitres is {millilitres}; this body holds 0 to {pores.sum():.1f} mL")
    before = np.cumsum(pores) - pores
    filled = np.zeros(len(order))
    filled[order] = np.clip((millilitres - before) / pores, 0, 1)
    field = np.zeros(bone.inside.shape, dtype=np.float32)
    field[bone.inside] = filled
    return field
