"""A treated vertebral body, its disc and its neighbour above as one solid of revolution in compression.

The bodies are cylinders of trabecular bone in a thin shell between bony endplates; the disc is a nearly incompressible
nucleus in an annulus with smeared crossing fibres. Elasticity is linear, so one solve answers both questions that have
been asked of it: what happens under the same *load* as before the cement, and what under the same *displacement*.
Parameters: `materials/mechanics.csv`. Model page: `simulators/segment.yml`. Millimetres, newtons, MPa; pressures in Pa.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from vertebra.assets import parameters
from vertebra.mechanics.elasticity import Floats, Mesh, Solution, grid, isotropic, lines, solve
from vertebra.mechanics.statics import check_range

CONTROLS = ("load", "displacement")
LOAD = 500.0  # N, about what the thoracolumbar spine carries in relaxed standing (mechanics.statics, 65 kg)
FREE_ASPECT = 0.8  # height to width of cement that touches nothing: somewhat flattened (assumed)
BARREL = 10.0  # how much squarer than an ellipse cement becomes on its way from endplate to endplate (assumed)
REACH = 1.1  # how far beyond the endplates the shape of full contact would go: they cut it where it is still wide


def material(name: str) -> float:
    """Return one value of `materials/mechanics.csv`."""
    return parameters("materials/mechanics.csv")[name].value


CEMENT = material("cement modulus")


@dataclass(frozen=True)
class Plug:
    """Hardened cement in the middle of a body: `volume` in mL, `contact` with the endplates, `modulus` in MPa.

    Contact 0 is an ellipsoid that touches nothing until it is as tall as the body (from 10 mL on), 1 a column from
    endplate to endplate; the volume stays the same.
    """

    volume: float
    contact: float = 0.0
    modulus: float = CEMENT

    def __post_init__(self) -> None:
        check_range("cement", self.volume, 0.01, largest_plug(), "mL")
        check_range("contact", self.contact, 0, 1)
        check_range("the cement's modulus", self.modulus, 1, 100_000, "MPa")


@dataclass(frozen=True)
class Segment:
    """A treated body and the person it is in: `bone_volume` (BV/TV), `damage` 0 to 0.9 of the fracture, cement or none.

    Damage is the share of its modulus that the treated body's trabecular bone has lost; the neighbour has the same bone
    volume and no damage.
    """

    bone_volume: float = 0.07
    damage: float = 0.0
    plug: Plug | None = None

    def __post_init__(self) -> None:
        check_range("bone volume", self.bone_volume, 0.04, 0.22)
        check_range("damage", self.damage, 0, 0.9)


@cache
def largest_plug() -> float:
    """Return how much cement the model takes, whole mL: nine tenths of the marrow space."""
    return float(int(0.9 * marrow_space()))


@cache
def marrow_space() -> float:
    """Return the volume between the endplates and inside the shell, mL."""
    radius = material("body radius") - material("shell thickness")
    return np.pi * radius**2 * (material("body height") - 2 * material("endplate thickness")) / 1000


@cache
def body_volume() -> float:
    """Return the outer volume of the body, mL: what a share of filling refers to."""
    return np.pi * material("body radius") ** 2 * material("body height") / 1000


@dataclass(frozen=True, eq=False)
class Stack:
    """The meshed section: the `region` (m,) of each element, and its `body` (0 treated, 1 neighbour, -1 disc)."""

    mesh: Mesh
    region: NDArray[np.str_]
    body: NDArray[np.int_]
    height: float

    @cached_property
    def bottom(self) -> NDArray[np.intp]:
        """Return the points on the lower plate."""
        return np.flatnonzero(np.isclose(self.mesh.points[:, 1], 0))

    @cached_property
    def top(self) -> NDArray[np.intp]:
        """Return the points on the upper plate."""
        return np.flatnonzero(np.isclose(self.mesh.points[:, 1], self.height))

    @cached_property
    def axis(self) -> NDArray[np.intp]:
        """Return the points on the axis."""
        return np.flatnonzero(self.mesh.points[:, 0] == 0)

    def endplate(self, body: int) -> tuple[int, int]:
        """Return the points in the middle and at the rim of the endplate that faces the disc."""
        z = material("body height") + (material("disc height") if body else 0)
        points = np.flatnonzero(np.isclose(self.mesh.points[:, 1], z))
        return int(points[0]), int(points[-1])


@lru_cache(maxsize=8)
def stack(neighbour: bool = True, size: float = 1.0) -> Stack:
    """Return the mesh of both bodies and their disc, or of the treated body alone; `size` is the elements', mm."""

    def cut(length: float) -> int:
        return max(2, round(length / size))

    radius, shell, nucleus = (material(name) for name in ("body radius", "shell thickness", "nucleus radius"))
    height, plate, disc = (material(name) for name in ("body height", "endplate thickness", "disc height"))
    across = [(nucleus, cut(nucleus), "nucleus"), (radius - shell - nucleus, cut(radius - shell - nucleus), "annulus")]
    across += [(shell, 1, "rim")]
    one = [(plate, cut(plate), "endplate"), (height - 2 * plate, cut(height - 2 * plate), "trabecular")]
    one += [(plate, cut(plate), "endplate")]
    # Twice as fine in the disc, where nothing but shear gives way.
    up = [*one, (disc, cut(2 * disc), "disc"), *one] if neighbour else one
    points, quads = grid(lines(*((a, n) for a, n, _ in across)), lines(*((a, n) for a, n, _ in up)))
    column, row = (np.repeat([name for *_, name in parts], [n for _, n, _ in parts]) for parts in (across, up))
    region = np.repeat(row, len(column)).astype("<U10")
    place = np.tile(column, len(row))
    in_disc = region == "disc"
    region[in_disc] = np.where(place[in_disc] == "nucleus", "nucleus", "annulus")
    region[~in_disc & (place == "rim")] = "shell"
    mesh = Mesh(points, quads)
    body = np.where(in_disc, -1, (mesh.centres[:, 1] > height).astype(int))
    return Stack(mesh, region, body, float(points[-1, 1]))


@dataclass(frozen=True)
class Form:
    """The plug's shape, mm: (r / width) ** power + (z / tall) ** power = 1, cut off by the shell and the endplates."""

    width: float
    tall: float
    power: float

    def level(self, r: Floats, z: Floats) -> Floats:
        """Return 1 on the plug's surface, less inside; z from the body's middle."""
        return ((r / self.width) ** self.power + (np.abs(z) / self.tall) ** self.power) ** (1 / self.power)

    def outline(self, points: int = 121) -> Floats:
        """Return r and z (n, 2) of the plug's edge from its lower to its upper end; z from the body's middle."""
        half = min(self.tall, material("body height") / 2 - material("endplate thickness"))
        z = half * np.sin(np.linspace(-np.pi / 2, np.pi / 2, points))
        r = self.width * np.maximum(1 - (np.abs(z) / self.tall) ** self.power, 0) ** (1 / self.power)
        return np.column_stack([np.minimum(r, material("body radius") - material("shell thickness")), z])

    @property
    def volume(self) -> float:
        """Return what is left of it between the endplates and inside the shell, mm3."""
        r, z = self.outline().T
        return float(np.pi * np.trapezoid(r**2, z))


@lru_cache(maxsize=256)
def form(plug: Plug) -> Form:
    """Return the shape that holds the plug's volume: flattened when free, squarer the nearer it comes to contact."""
    half = material("body height") / 2 - material("endplate thickness")
    target = plug.volume * 1000
    free = min(FREE_ASPECT * (target / (4 / 3 * np.pi * FREE_ASPECT)) ** (1 / 3), half)
    tall, power = free + plug.contact * (REACH * half - free), 2 + BARREL * plug.contact
    return Form(brentq(lambda width: Form(width, tall, power).volume - target, 0.5, 500), tall, power)


@lru_cache(maxsize=256)
def cement(plug: Plug, neighbour: bool = True, size: float = 1.0) -> Floats:
    """Return the share (m,) of each element that is cement; they add up to the plug's volume."""
    found = stack(neighbour, size)
    cavity = np.flatnonzero((found.region == "trabecular") & (found.body == 0))
    corners = found.mesh.points[found.mesh.quads[cavity]]
    # Each element is looked at in 4 x 4 places, so that the plug's edge may run through it.
    steps = (np.arange(4) + 0.5) / 4
    low, wide = corners[:, 0], corners[:, 2] - corners[:, 0]
    r, z = np.broadcast_arrays(
        low[:, None, None, 0] + wide[:, None, None, 0] * steps[:, None],
        low[:, None, None, 1] + wide[:, None, None, 1] * steps - material("body height") / 2,
    )
    volume = 2 * np.pi * r * (wide.prod(axis=1) / 16)[:, None, None]
    shape = form(plug)

    def covered(width: float) -> Floats:
        return np.clip(0.5 + (1 - replace(shape, width=width).level(r, z)) * width / (0.25 * size), 0, 1)

    # A little wider or narrower than the exact shape, so that the volume is exact on this mesh.
    def missing(width: float) -> float:
        return float((covered(width) * volume).sum()) - plug.volume * 1000

    share = np.zeros(len(found.region))
    width = brentq(missing, 0.5 * shape.width, 2 * shape.width + size, xtol=1e-7)
    share[cavity] = (covered(width) * volume).sum(axis=(1, 2)) / volume.sum(axis=(1, 2))
    return share


def bone(part: str, bone_volume: float, damage: ArrayLike = 0.0) -> Floats:
    """Return Young's modulus, MPa, of "trabecular" bone, "shell" or "endplate", softer with less bone and damage."""
    thin = bone_volume / material("healthy bone volume")
    lost = np.asarray(damage, dtype=float) * (1 if part == "trabecular" else material("shell damage"))
    exponent = material("trabecular exponent" if part == "trabecular" else "shell exponent")
    return np.asarray(material(f"{part} modulus") * thin**exponent * (1 - lost))


def moduli(segment: Segment, found: Stack, share: Floats) -> Floats:
    """Return Young's modulus (m,) of each element, MPa, when a `share` (m,) of it is cement."""
    damage = np.where(found.body == 0, segment.damage, 0)
    e = np.select(
        [found.region == part for part in ("trabecular", "shell", "endplate")],
        [bone(part, segment.bone_volume, damage) for part in ("trabecular", "shell", "endplate")],
        np.where(found.region == "nucleus", material("nucleus modulus"), material("annulus modulus")),
    )
    hardened = segment.plug.modulus if segment.plug else CEMENT
    return np.asarray(e + share * (hardened - e))


def laws(found: Stack, modulus: Floats) -> Floats:
    """Return Hooke's laws (m, 4, 4): isotropic, and in the annulus two crossing families of fibres smeared over it."""
    poisson = np.select(
        [found.region == "nucleus", found.region == "annulus"],
        [material("nucleus Poisson's ratio"), material("annulus Poisson's ratio")],
        material("trabecular Poisson's ratio"),
    )
    law = isotropic(modulus, poisson)
    angle = np.radians(material("fibre angle"))
    along = np.array([0, np.sin(angle) ** 2, np.cos(angle) ** 2, 0])  # the shear of one family undoes the other's
    law[found.region == "annulus"] += material("fibre share") * material("fibre modulus") * np.outer(along, along)
    return law


@dataclass(frozen=True, eq=False)
class Response:
    """What a segment does: `force` N, `displacement` mm, `stiffness` N/mm, and by place what it suffers.

    `disc_pressure` is the mean pressure in the nucleus, Pa. `bulge` is how far the middle of the treated body's upper
    endplate sinks below its rim into the body, mm; `neighbour_bulge` the same of the neighbour's lower endplate. All
    three are NaN for a body alone. `shell_share` is the part of the force that the shell carries at the treated body's
    mid-height. `strain` (m,) is each element's largest compressive strain, `stress` (m,) its von Mises stress, MPa.
    """

    segment: Segment
    stack: Stack
    solution: Solution
    cement: Floats
    force: float
    displacement: float
    stiffness: float
    disc_pressure: float
    bulge: float
    neighbour_bulge: float
    shell_share: float

    @cached_property
    def strain(self) -> Floats:
        """Return the largest compressive strain (m,) of each element, positive."""
        rr, zz, hoop, shear = self.solution.strain.T
        least = (rr + zz) / 2 - np.hypot((rr - zz) / 2, shear / 2)
        return np.asarray(np.maximum(-np.minimum(least, hoop), 0))

    @cached_property
    def stress(self) -> Floats:
        """Return the von Mises stress (m,) of each element, MPa."""
        return von_mises(self.solution.stress)


def von_mises(stress: Floats) -> Floats:
    """Return the equivalent stress (...,) of stresses (..., 4)."""
    rr, zz, hoop, shear = np.moveaxis(stress, -1, 0)
    return np.asarray(np.sqrt(((rr - zz) ** 2 + (zz - hoop) ** 2 + (hoop - rr) ** 2) / 2 + 3 * shear**2))


def compress(found: Stack, law: Floats, shortening: float) -> Solution:
    """Return the solution between two rigid plates without friction that come nearer by `shortening`, mm."""
    held = np.concatenate([2 * found.bottom + 1, 2 * found.top + 1, 2 * found.axis])
    values = np.zeros(len(held))
    values[len(found.bottom) : len(found.bottom) + len(found.top)] = -shortening
    return solve(found.mesh, law, held, values)


def plate_force(found: Stack, solution: Solution) -> float:
    """Return the force of the upper plate, N, compression positive."""
    return float(-solution.forces[found.top, 1].sum())


def respond(
    segment: Segment, control: str = "load", amount: float = LOAD, neighbour: bool = True, size: float = 1.0
) -> Response:
    """Return how a segment answers to a `load` of `amount` N or to a `displacement` of `amount` mm.

    Without its `neighbour` the treated body alone stands between the plates. Raises ValueError for another control.
    """
    if control not in CONTROLS:
        raise ValueError(f"control is {control!r}; it is one of {', '.join(CONTROLS)}")
    check_range(control, amount, 1e-6, 1e5, "N" if control == "load" else "mm")
    unit = _unit(segment, neighbour, size)
    return scaled(unit, amount / (unit.force if control == "load" else 1.0))


@lru_cache(maxsize=64)
def _unit(segment: Segment, neighbour: bool, size: float) -> Response:
    """Return the response to 1 mm: all others are this one, scaled."""
    found = stack(neighbour, size)
    share = cement(segment.plug, neighbour, size) if segment.plug else np.zeros(len(found.region))
    solution = compress(found, laws(found, moduli(segment, found, share)), 1.0)
    force = plate_force(found, solution)
    volumes = found.mesh.volumes
    away = np.abs(found.mesh.centres[:, 1] - material("body height") / 2)
    middle = away <= away.min() + 1e-9
    carried = solution.stress[:, 1] * volumes  # elements of one row are as tall as each other
    shell_share = carried[middle & (found.region == "shell")].sum() / carried[middle].sum()
    pressure = bulge = above = float("nan")
    if neighbour:
        nucleus = found.region == "nucleus"
        mean = solution.stress[nucleus, :3].mean(axis=1)
        pressure = float(-(mean * volumes[nucleus]).sum() / volumes[nucleus].sum()) * 1e6
        bulge, above = (
            sign * float(solution.displacements[rim, 1] - solution.displacements[centre, 1])
            for sign, (centre, rim) in ((1, found.endplate(0)), (-1, found.endplate(1)))
        )
    return Response(segment, found, solution, share, force, 1.0, force, pressure, bulge, above, float(shell_share))


def scaled(response: Response, factor: float) -> Response:
    """Return a response to `factor` times as much: the model is linear."""
    was = response.solution
    return replace(
        response,
        solution=replace(was, displacements=was.displacements * factor, forces=was.forces * factor),
        **{
            name: getattr(response, name) * factor
            for name in ("force", "displacement", "disc_pressure", "bulge", "neighbour_bulge")
        },
    )


@dataclass(frozen=True)
class Change:
    """Relative changes, 0.1 for +10 %: of the segment's stiffness and force, the disc's pressure, and both bulges."""

    stiffness: float
    force: float
    disc_pressure: float
    bulge: float
    neighbour_bulge: float


def change(after: Segment, before: Segment | None = None, control: str = "load") -> Change:
    """Return what cement changes, from the same segment without it unless another `before` is given.

    Under "load" both carry the same force; under "displacement" both are shortened by as much as the first is by it.
    """
    first = respond(before or replace(after, plug=None))
    second = respond(after, control, first.force if control == "load" else first.displacement)
    names = ("stiffness", "force", "disc_pressure", "bulge", "neighbour_bulge")
    return Change(*(getattr(second, name) / getattr(first, name) - 1 for name in names))
