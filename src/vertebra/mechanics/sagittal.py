"""A wedge in the middle of three vertebrae, from the side: what the lean does to the neighbour, and what cement does.

Plane stress in the midsagittal section, as thick as makes the bodies' areas right, with the side walls of the shell
smeared over it. The lower end rests; on the upper end stands a force whose line lies `eccentricity` in front of the
middle and, drawn by the muscles, follows the spine round the wedge. The wedge alone would change next to nothing: where
the trunk's weight hangs is what matters, and `posture` takes that from the statics of the standing person.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import brentq

from vertebra.mechanics.axisymmetric import CEMENT, Segment, body_volume, bone, material
from vertebra.mechanics.elasticity import Floats, Mesh, Solution, grid, isotropic, lines, solve
from vertebra.mechanics.statics import above, cascade, check_range, lean_of_wedge
from vertebra.spine.dimensions import dimensions

LEVELS = ("L2", "L1", "T12")  # from below; the middle one is treated
ANTERIOR = 0.25  # share of a body's depth that counts as its anterior part
SIZE = 1.5  # mm, of an element


@dataclass(frozen=True)
class Column:
    """Three vertebrae: `bone_volume` (BV/TV) of all; `wedge` (degrees), `damage`, `cement` (mL) of the middle one."""

    bone_volume: float = 0.07
    wedge: float = 0.0
    damage: float = 0.0
    cement: float = 0.0

    def __post_init__(self) -> None:
        Segment(self.bone_volume, self.damage)  # refuses what no segment can have
        check_range("wedge", self.wedge, 0, 30, "degrees")
        check_range("cement", self.cement, 0, 15, "mL")


@dataclass(frozen=True)
class Posture:
    """What the upper neighbour carries: `force` N, its line `eccentricity` mm in front of the body's middle."""

    force: float
    eccentricity: float


def posture(wedge: float, compensation: float = 0.0, body_weight: float = 65.0) -> Posture:
    """Return the load on T12 of a standing person with a wedge of so many degrees at L1.

    `compensation` is the share of the forward shift that hips and spine take back. Of the moment that is left the
    muscles balance all but the `moment share` of `materials/mechanics.csv`, which shifts the force forward in the disc.
    """
    neighbour, top = LEVELS[2], above(LEVELS[2], body_weight)
    force = cascade(LEVELS[1], wedge, body_weight, compensation)[neighbour]
    share = material("moment share")
    moment = top.weight * top.height * math.sin(math.radians(lean_of_wedge(wedge, compensation)))
    carried = force.before + (1 - share) * (force.after - force.before)
    return Posture(carried, share * moment / carried)


@dataclass(frozen=True, eq=False)
class Section:
    """The meshed stack: `level` (m,) index into LEVELS or -1 in a disc, and `part` of each element.

    `depth` (m,) runs from 0 at the back to 1 in front, `rise` (m,) from 0 to 1 up each layer. `lines` are the depths
    and rises of the mesh's lines in the middle body, `first` its first point. `thickness` in mm.
    """

    mesh: Mesh
    level: NDArray[np.int_]
    part: NDArray[np.str_]
    depth: Floats
    rise: Floats
    lines: tuple[Floats, Floats]
    first: int
    thickness: float

    def outline(self, radius: float, displacements: Floats, points: int = 73) -> Floats:
        """Return the edge (n, 2) of cement of a `radius` from `ellipse`, moved with the body around it."""
        depths, rises = self.lines
        last = self.first + len(depths) * len(rises)
        there = (self.mesh.points + displacements)[self.first : last].reshape(len(rises), len(depths), 2)
        turn = np.linspace(0, 2 * np.pi, points)
        around = np.column_stack([0.5 + radius * np.sin(turn), 0.5 + radius * np.cos(turn)])
        return np.asarray(RegularGridInterpolator((rises, depths), there)(around))


@dataclass(frozen=True, eq=False)
class Layer:
    """A body (`level` its index in LEVELS) or a disc (-1) between two edges (n, 2), and where it is cut, 0 to 1."""

    level: int
    low: Floats
    high: Floats
    cuts: Floats


def layers(wedge: float, columns: Floats) -> list[Layer]:
    """Return bodies and discs from below; `columns` are the lines of the mesh from back (0) to front (1).

    A body's own endplates are taken as parallel but for the fracture, which leaves the posterior wall its height.
    """
    plate = material("endplate thickness")
    found: list[Layer] = []
    middle, tilt = np.zeros(2), 0.0
    for index, name in enumerate(LEVELS):
        size = dimensions()[name]
        height = (size.posterior_height + size.anterior_height) / 2
        low = middle + (columns[:, None] - 0.5) * size.lower_depth * _along(tilt)
        back = middle - size.upper_depth / 2 * _along(tilt) + height * _up(tilt)
        tilt += math.radians(wedge) if index == 1 else 0.0
        high = back + columns[:, None] * size.upper_depth * _along(tilt)
        tall = float(np.linalg.norm(high.mean(axis=0) - low.mean(axis=0)))
        inner = max(3, round((tall - 2 * plate) / SIZE))
        found.append(Layer(index, low, high, lines((plate, 1), (tall - 2 * plate, inner), (plate, 1)) / tall))
        if name != LEVELS[-1]:
            gap = dimensions()[LEVELS[index + 1]].disc_below
            middle = high.mean(axis=0) + gap * _up(tilt)
            above_it = middle + (columns[:, None] - 0.5) * dimensions()[LEVELS[index + 1]].lower_depth * _along(tilt)
            found.append(Layer(-1, high, above_it, np.linspace(0, 1, round(gap / SIZE) + 1)))
    return found


def _along(tilt: float) -> Floats:
    return np.array([math.cos(tilt), -math.sin(tilt)])


def _up(tilt: float) -> Floats:
    return np.array([math.sin(tilt), math.cos(tilt)])


@lru_cache(maxsize=32)
def section(wedge: float = 0.0) -> Section:
    """Return the mesh with a wedge of so many degrees in the middle body."""
    shell, deep = material("shell thickness"), dimensions()[LEVELS[1]].upper_depth
    columns = lines((shell, 1), (deep - 2 * shell, round((deep - 2 * shell) / SIZE)), (shell, 1)) / deep
    rows: list[Floats] = []
    level_of: list[int] = []
    part_of: list[str] = []
    rise_of: list[float] = []
    first, inside = 0, columns
    for layer in layers(wedge, columns):
        if layer.level == 1:
            first, inside = (len(rows) - 1) * len(columns), layer.cuts
        for t in layer.cuts[1 if rows else 0 :]:  # the lower edge is the last layer's upper one
            row = layer.low + t * (layer.high - layer.low)
            if layer.level >= 0:  # drawn in at mid-height, as walls are
                row = row + (row.mean(axis=0) - row) * (2 * material("waist") / deep) * 4 * t * (1 - t)
            rows.append(row)
        high = len(layer.cuts) - 1
        level_of += [layer.level] * high
        rise_of += [*(layer.cuts[1:] + layer.cuts[:-1]) / 2]
        part_of += ["disc"] * high if layer.level < 0 else ["endplate", *["trabecular"] * (high - 2), "endplate"]
    _, quads = grid(columns, np.arange(len(rows)))
    across = len(columns) - 1
    level, part, rise = np.repeat(level_of, across), np.repeat(part_of, across), np.repeat(rise_of, across)
    depth = np.tile((columns[1:] + columns[:-1]) / 2, len(rows) - 1)
    part = np.where((level >= 0) & ((depth < columns[1]) | (depth > columns[-2])), "shell", part)
    thickness = body_volume() / material("body height") * 1000 / deep
    mesh = Mesh(np.concatenate(rows), quads, flat=True)
    return Section(mesh, level, part, depth, rise, (columns, inside), first, thickness)


@lru_cache(maxsize=64)
def ellipse(wedge: float, millilitres: float) -> tuple[Floats, float]:
    """Return the share (m,) of each element that cement fills, and its radius as a share of the middle body's size."""
    found = section(wedge)
    inside = np.flatnonzero((found.level == 1) & (found.part == "trabecular"))
    away = np.hypot(found.depth[inside] - 0.5, found.rise[inside] - 0.5)
    area = found.mesh.volumes[inside]

    def filled(radius: float) -> Floats:
        return np.clip(0.5 + (radius - away) * (material("body height") / SIZE), 0, 1)

    share = np.zeros(len(found.level))
    if not millilitres:
        return share, 0.0
    wanted = millilitres * 1000 / found.thickness
    if wanted > area.sum():
        raise ValueError(
            f"{millilitres:g} mL of cement do not fit in a body with a wedge of {wedge:g} degrees; give less"
        )
    radius = brentq(lambda radius: float(filled(radius) @ area) - wanted, -0.5, 1.5)
    share[inside] = filled(radius)
    return share, min(radius, 0.47)


@dataclass(frozen=True, eq=False)
class Bend:
    """How a column answers: `solution`, the `cement` share (m,), and the mean compressive strain of the anterior parts.

    `anterior` counts the levels from below.
    """

    column: Column
    section: Section
    solution: Solution
    cement: Floats
    anterior: tuple[float, float, float]

    @cached_property
    def strain(self) -> Floats:
        """Return the largest compressive strain (m,) of each element, positive."""
        return compressive(self.solution)

    @property
    def neighbour(self) -> float:
        """Mean compressive strain of the anterior part of the upper neighbour."""
        return self.anterior[2]


def compressive(solution: Solution) -> Floats:
    """Return the largest compressive strain (m,) of each element, positive."""
    xx, yy, _, shear = solution.strain.T
    return np.asarray(np.maximum(np.hypot((xx - yy) / 2, shear / 2) - (xx + yy) / 2, 0))


def laws(column: Column, found: Section, cement: Floats) -> Floats:
    """Return Hooke's laws (m, 4, 4) of a column times the section's thickness, with a `cement` share (m,)."""
    treated = (found.level == 1).astype(float)
    trabecular, shell, plate = (
        bone(part, column.bone_volume, column.damage * treated) for part in ("trabecular", "shell", "endplate")
    )
    # The side walls of the shell stand before and behind the section: twice their thickness, smeared over it.
    walls = 2 * material("shell thickness") / found.thickness * shell
    parts = {"trabecular": trabecular + walls, "shell": shell, "endplate": plate + walls}
    e = np.select([found.part == name for name in parts], list(parts.values()), material("sagittal disc modulus"))
    e += cement * (CEMENT + walls - e)
    poisson = np.where(
        found.level < 0, material("sagittal disc Poisson's ratio"), material("trabecular Poisson's ratio")
    )
    return isotropic(e, poisson, plane_stress=True) * found.thickness


def nodal_loads(found: Section, load: Posture) -> Floats:
    """Return the forces (n, 2), N, that a load on the upper end puts on the points.

    It is a linear pressure on the upper end, perpendicular to it, whose resultant lies at the eccentricity. What turns
    the line of force at the wedge is shared out over the middle body: else it would leave the stack.
    """
    points = found.mesh.points
    top = np.arange(len(points) - len(found.lines[0]), len(points))  # the last line of the mesh, from back to front
    loads = np.zeros_like(points)
    along = points[top[-1]] - points[top[0]]
    wide = float(np.linalg.norm(along))
    x = (points[top] - points[top].mean(axis=0)) @ along / wide
    pressure = load.force / wide * (1 + 12 * load.eccentricity * x / wide**2)
    nodal = np.zeros(len(top))
    step = np.diff(x)
    nodal[:-1] += step * (2 * pressure[:-1] + pressure[1:]) / 6
    nodal[1:] += step * (pressure[:-1] + 2 * pressure[1:]) / 6
    down = np.array([along[1], -along[0]]) / wide
    loads[top] = nodal[:, None] * down
    share = np.bincount(found.mesh.quads.ravel(), np.repeat(found.mesh.volumes * (found.level == 1), 4), len(points))
    loads += load.force * (share / share.sum())[:, None] * (np.array([0.0, -1.0]) - down)
    return loads


@lru_cache(maxsize=128)
def bend(column: Column, load: Posture) -> Bend:
    """Return the equilibrium of a column that rests on its lower end under a load on its upper end."""
    found = section(column.wedge)
    cement, _ = ellipse(column.wedge, column.cement)
    held = np.arange(2 * len(found.lines[0]))  # both displacements of the lower end
    solution = solve(found.mesh, laws(column, found, cement), held, 0.0, nodal_loads(found, load))
    squeezed, area = compressive(solution), found.mesh.volumes
    anterior = []
    for index in range(3):
        front = (found.level == index) & (found.part == "trabecular") & (found.depth > 1 - ANTERIOR)
        anterior.append(float((squeezed[front] * area[front]).sum() / area[front].sum()))
    return Bend(column, found, solution, cement, (anterior[0], anterior[1], anterior[2]))
