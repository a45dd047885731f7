"""One vertebra, T6 to L5, as an implicit function: negative in bone, zero on its surface, positive outside.

Frame: x to the right, y anterior, z cranial, mm, origin at the centre of the undeformed body. The body lies between two
endplates (heights over x and y) and a wall that is star-shaped in every axial section; the arch is a handful of tapered
bars, blended. Deformities act where they act in the patient: loss on the endplates, a fragment on the posterior wall, a
split on everything above it. Dimensions: `assets/anatomy/dimensions.csv`; proportions that the table does not hold were
drawn by eye after common anatomy [unreferenced].
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebra.spine.dimensions import LEVELS, Dimensions, dimensions
from vertebra.spine.shape import Shape
from vertebra.spine.surface import polish, surface

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

Array = NDArray[Any]  # of float32: the implicit functions are evaluated in single precision
FloatArray = NDArray[np.float64]
Corrections = tuple[tuple[float, float, float], tuple[float, float, float]]

PARTS = (
    "body",
    "superior endplate",
    "inferior endplate",
    "pedicle",
    "lamina",
    "superior articular process",
    "inferior articular process",
    "transverse process",
    "spinous process",
    "costal facet",
)
NORMAL = Shape()
RIM = 1.5  # radius of the rounding between an endplate and the wall, mm
RING = 0.86  # where the endplate's bowl ends and its ring begins, share of the way to the wall
BOWL = 0.075  # depth of both endplates' bowls together, share of the body's depth; drawn
SHELL = 0.7  # thickness of the body's cortex and endplates, mm
ARCH_SHELL = 1.3  # thickness of the arch's cortex, mm
JOINT = 3.0  # width of the fillet between body and arch, mm
CANAL_EDGE = 1.0  # radius of the edges that the canal cuts into the arch, mm
TIP = 0.5  # how much of a corner a reader's eye averages over, mm
HINGE = 0.3  # where a transverse split ends in front, share of half the depth; drawn
MARGIN = 4.5  # how far beyond a piece its influence on the surface is computed, mm
# What the fillets towards lamina and processes add to a pedicle's width and height, and the canal's rounding takes
# from it, mm: measured on the model, so that its isthmus is what the table says.
FILLETS = {
    "T6": (0.7, 0.7), "T7": (0.9, 0.9), "T8": (1.4, 1.0), "T9": (1.2, 1.0), "T10": (1.6, 0.7), "T11": (0.0, 0.2),
    "T12": (0.0, 0.2), "L1": (0.1, 0.0), "L2": (0.0, 0.0), "L3": (-0.1, 0.0), "L4": (-0.1, 0.0), "L5": (1.7, 0.0),
}  # fmt: skip
FAR = 1e3  # mm, where no piece is near
MISREAD = 1.5  # mm by which a height may miss what the shape asks for, before the shape counts as impossible


def quadratic(posterior: float, middle: float, anterior: float, t: Array) -> Array:
    """Return the parabola through three values at t = -1, 0 and 1."""
    return middle + t * ((anterior - posterior) / 2) + t * t * ((anterior + posterior) / 2 - middle)


def step(t: Array) -> Array:
    """Return a smooth step from 0 (t <= 0) to 1 (t >= 1)."""
    t = np.clip(t, 0, 1)
    smooth: Array = t * t * (3 - 2 * t)
    return smooth


def union(a: Array, b: Array, blend: float) -> Array:
    """Return the union of two implicit functions, its concave edges filled over a width of `blend` mm."""
    near = np.maximum(blend - np.abs(a - b), 0)
    joined: Array = np.minimum(a, b) - near * near * (0.25 / blend)
    return joined


def intersection(a: Array, b: Array, radius: float) -> Array:
    """Return the intersection of two implicit functions, its convex edges rounded with `radius` mm."""
    r = radius
    common: Array = np.minimum(np.maximum(a, b), -r) + np.hypot(np.maximum(a + r, 0), np.maximum(b + r, 0))
    return common


def uneven(x: Array, y: Array) -> Array:
    """Return a wavy surface without a repeating pattern, about -1 to 1, over x and y (mm)."""
    total: Array = np.zeros((), dtype=np.float32)
    for turn, length, phase in ((0.3, 13, 0.4), (1.5, 9.7, 2.1), (2.5, 7.3, 4.0), (0.9, 5.9, 1.3)):
        along = math.cos(turn) * x + math.sin(turn) * y
        cross = math.cos(turn) * y - math.sin(turn) * x
        bent = along + 1.2 * np.sin(cross * (4.1 / length))
        total = total + (0.05 * length) * np.sin(bent * (2 * np.pi / length) + phase)
    return total


@dataclass(frozen=True)
class Outline:
    """A closed curve, star-shaped about the origin and mirrored in x, half as wide and deep as 1.

    `radii` are its distances from the origin at equal steps of angle from anterior (y = 1) to posterior (y = -1).
    """

    radii: tuple[float, ...]

    @cached_property
    def series(self) -> tuple[tuple[float, ...], float]:
        """Polynomial in the cosine of the angle that gives the radius, and the greatest half width of the curve."""
        angle = np.linspace(0, np.pi, len(self.radii))
        power = np.polynomial.chebyshev.cheb2poly(
            np.linalg.solve(np.cos(np.outer(angle, np.arange(len(self.radii)))), self.radii)
        )
        fine = np.linspace(0, np.pi, 2000)
        widest = float((np.polynomial.polynomial.polyval(np.cos(fine), power) * np.sin(fine)).max())
        return tuple(map(float, power)), widest

    def contour(self, n: int) -> FloatArray:
        """Return n points (n, 2) along the curve."""
        power, widest = self.series
        angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
        radius = np.polynomial.polynomial.polyval(np.cos(angle), power)
        return np.column_stack([radius * np.sin(angle) / widest, radius * np.cos(angle)])

    def polar(self, x: Array, y: Array, width: Array | float, depth: Array | float) -> tuple[Array, Array, Array]:
        """Return where points lie on a curve `width` and `depth` large: share of the radius, its gradient, cos(angle).

        The share is 0 at the centre and 1 on the curve; its gradient's size (1/mm) makes a distance of it.
        """
        power, widest = self.series
        a, b = (0.5 / widest) * width, 0.5 * depth
        across, along = x / a, y / b
        r = np.sqrt(across * across + along * along) + 1e-6
        sine, cosine = across / r, along / r
        radius, slope = np.full_like(r, power[-1]), np.zeros_like(r)
        for factor in power[-2::-1]:
            slope = slope * cosine + radius
            radius = radius * cosine + factor
        turn = -sine * slope / radius
        size = np.hypot((sine - cosine * turn) / a, (cosine + sine * turn) / b) / radius
        return r / radius, size + 1e-6, cosine


# Radii at 0, 45, 90, 135 and 180 degrees: a thoracic body is a heart, a lumbar one a kidney; the thoracic canal is
# nearly round, the lumbar one a triangle with its apex behind.
THORACIC_BODY = Outline((1.0, 0.93, 0.99, 1.2, 1.0))
LUMBAR_BODY = Outline((1.0, 1.04, 1.0, 1.17, 1.0))
THORACIC_CANAL = Outline((1.0, 1.06, 1.0, 1.02, 1.0))
LUMBAR_CANAL = Outline((1.0, 1.12, 0.98, 0.9, 1.0))


def between(thoracic: Outline, lumbar: Outline, share: float) -> Outline:
    """Return the outline `share` of the way from a thoracic to a lumbar one."""
    return Outline(tuple((1 - share) * t + share * v for t, v in zip(thoracic.radii, lumbar.radii, strict=True)))


@dataclass(frozen=True)
class Bar:
    """A tapered bar with blunt ends: one piece of the arch, on the right side (x > 0) or in the midline.

    It runs from `start` to `end`, both on its surface. `side` points across it; `thick` is its half thickness along
    `side`, `broad` its half breadth across both, each at start and end. `bend` shifts its middle along `side`, `curl`
    the edges of its breadth. Its section is an ellipse, or with `square` a rounded rectangle.
    """

    part: str
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    side: tuple[float, float, float]
    thick: tuple[float, float]
    broad: tuple[float, float]
    bend: float = 0.0
    curl: float = 0.0
    square: bool = False
    blend: float = 4.0

    @cached_property
    def frame(self) -> tuple[FloatArray, FloatArray, float]:
        """Middle of the bar, its axes (3, 3) along, across its thickness and across its breadth, and its length."""
        start, end = np.array(self.start, float), np.array(self.end, float)
        along = end - start
        length = float(np.linalg.norm(along))
        along /= length
        side = np.array(self.side, float)
        side -= (side @ along) * along
        side /= np.linalg.norm(side)
        return (start + end) / 2, np.array([along, side, np.cross(along, side)]), length

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner of a box around the bar."""
        middle, axes, length = self.frame
        half = np.array([length / 2, max(self.thick) + abs(self.bend) + abs(self.curl), max(self.broad)])
        reach = np.abs(axes).T @ half
        return middle - reach, middle + reach

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Return the bar's implicit function, first-order exact, at points given by three arrays that broadcast."""
        middle, axes, length = self.frame
        m, e = middle.astype(np.float32), axes.astype(np.float32)
        x, y, z = x - m[0], y - m[1], z - m[2]
        s, p, q = (e[i, 0] * x + e[i, 1] * y + e[i, 2] * z for i in range(3))
        t = np.clip(s / length, -0.5, 0.5)
        thick = (sum(self.thick) / 2) + t * (self.thick[1] - self.thick[0])
        broad = (sum(self.broad) / 2) + t * (self.broad[1] - self.broad[0])
        if self.bend:
            p = p - self.bend * (1 - 4 * t * t)
        p, q, g = p / thick, q / broad, s / (length / 2)
        if self.curl:
            p = p - self.curl / thick * np.minimum(q * q, 1.5)
        p2, q2 = p * p, q * q
        if self.square:
            f2 = np.sqrt(p2 * p2 + q2 * q2) + 1e-4
            slope = ((p2 * p / thick) ** 2 + (q2 * q / broad) ** 2) / (f2 * f2 * f2)
        else:
            f2 = p2 + q2 + 1e-4
            slope = ((p / thick) ** 2 + (q / broad) ** 2) / f2
        g2 = g * g
        whole = np.sqrt(f2 * f2 + g2 * g2)  # the square of the share of the way to the surface
        slope = (f2**3 * slope + g2**3 * (4 / length**2)) / whole**3
        share = np.sqrt(whole)
        far: Array = np.maximum((share - 1) / np.sqrt(slope + 1e-6), -np.minimum(thick, broad))
        return far


@dataclass(frozen=True)
class Facet:
    """A shallow dish for a rib: `centre` and outward `normal` on the right side, `radius` of its rim, mm."""

    centre: FloatArray
    normal: FloatArray
    radius: float

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner of a box around the dish."""
        return self.centre - self.radius, self.centre + self.radius

    def carve(self, whole: Array, x: Array, y: Array, z: Array) -> Array:
        """Return an implicit function with a raised pad whose face is hollowed."""
        c, n = self.centre.astype(np.float32), self.normal.astype(np.float32)
        x, y, z = x - c[0], y - c[1], z - c[2]
        height = n[0] * x + n[1] * y + n[2] * z
        off = np.sqrt(np.maximum(x * x + y * y + z * z - height * height, 0))
        r = self.radius
        # A lens of bone, hollowed by a sphere; nothing changes beyond its rim.
        pad = np.hypot(off / r, height / 1.5) - 1
        raised = union(whole, pad * 1.3, 2.5)
        ball = 1.7 * r
        lift = 0.7 + np.sqrt(ball**2 - (0.72 * r) ** 2)
        hollow = np.maximum(np.hypot(off, height - lift) - ball, off - r)
        return intersection(raised, -hollow, 0.8)


@dataclass(frozen=True)
class Pedicle:
    """A pedicle: `centre` (3,) of its isthmus, unit `axis` (3,) pointing anteriorly, `width` and `height` there, mm."""

    centre: FloatArray
    axis: FloatArray
    width: float
    height: float


@dataclass(frozen=True)
class Voxels:
    """Shares of each voxel's volume that are cortical and trabecular bone, (nx, ny, nz); `origin` is a voxel centre."""

    origin: FloatArray
    spacing: float
    cortical: Array
    trabecular: Array

    @property
    def affine(self) -> FloatArray:
        """Matrix (4, 4) from voxel index to mm."""
        matrix = np.diag([self.spacing] * 3 + [1.0])
        matrix[:3, 3] = self.origin
        return matrix

    def points(self) -> FloatArray:
        """Return the centres of the voxels that hold bone (n, 3), mm, in the order of `numpy.nonzero`."""
        index = np.argwhere(self.cortical + self.trabecular > 0)
        return np.asarray(self.origin + self.spacing * index)


@dataclass(frozen=True)
class Mesh:
    """A closed surface: `vertices` (n, 3), mm, and `faces` (m, 3), counter-clockwise seen from outside.

    `normals` (n, 3) are unit vectors pointing outwards, `parts` (m,) each face's index into PARTS.
    """

    vertices: Array
    faces: NDArray[np.int32]
    normals: Array
    parts: NDArray[np.uint8]


# --- the arch: where its pieces are -----------------------------------------------------------------------------------


def lumbarness(level: str) -> dict[str, float]:
    """Return how lumbar (1) rather than thoracic (0) the pieces of a level's arch are."""
    i = LEVELS.index(level)
    table = {
        # T6   T7   T8   T9  T10  T11  T12   L1 ...
        "body": (0.0, 0.0, 0.0, 0.1, 0.2, 0.4, 0.6, 0.85, 1.0, 1.0, 1.0, 1.0),
        "canal": (0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.4, 0.7, 0.9, 1.0, 1.0, 1.0),
        "spinous": (0.0, 0.0, 0.0, 0.1, 0.3, 0.6, 0.85, 1.0, 1.0, 1.0, 1.0, 1.0),
    }
    return {name: values[i] for name, values in table.items()}


def arch(level: str) -> tuple[Bar, ...]:
    """Return the pieces of a level's arch in the frame of the undeformed vertebra."""
    d = dimensions()[level]
    # The wall's rim, not its waist, bounds the canal in front.
    wall = -max(d.upper_depth, d.lower_depth) / 2
    width, back = d.canal_width / 2, wall - d.canal_depth
    angle = np.radians(d.pedicle_angle)
    isthmus, axis = np.array(pedicle_centre(level)), np.array([-np.sin(angle), np.cos(angle), 0.0])
    up, out = float(isthmus[2]), float(isthmus[0])
    wider, higher = FILLETS[level]
    # A lumbar pedicle keeps its medial wall; beside a thoracic canal the fillets fill that side too.
    isthmus[0] += -wider / 2 - 0.2 if level.startswith("L") else 0.15
    front, rear = isthmus + 11 * axis, isthmus - 8 * axis
    thick, broad = (d.pedicle_width - wider) / 2, (d.pedicle_height - higher) / 2
    pieces = [
        Bar("pedicle", tuple(front), tuple(rear), (axis[1], -axis[0], 0), (thick, thick), (broad, broad), blend=2.0)
    ]
    w = lumbarness(level)
    span, tip, low = d.transverse_span / 2, wall - d.spinous_reach, -d.spinous_drop
    if level.startswith("L"):
        s = (d.posterior_height + d.anterior_height) / 53
        pars = min(out, width + 6)  # the broad pedicles of L5 do not carry the pars outwards
        pieces += [
            # from the pars to the midline, sloping backwards
            Bar("lamina", (pars + 2, back + 2.6, 1 * s), (-4, back - 3.6, -4.5 * s), (-0.29, 0.85, -0.32),
                (3.6, 3.8), (9.5 * s, 8.5 * s)),
            Bar("lamina", (pars - 0.5, back + 1.5, 10 * s), (pars - 4.0, back - 3.5, -16 * s), (-0.5, 0.87, 0),
                (3.4, 3.6), (4.6, 5.0)),
            Bar("superior articular process", (pars - 1.0, back + 0.5, -5 * s), (pars + 1.8, back - 2.5, 20.5 * s),
                (-0.9, -0.43, 0.1), (5.0, 3.4), (9.2, 7.6), curl=1.8),
            Bar("superior articular process", (pars + 3.0, back - 3, 3 * s), (pars + 4.0, back - 8.5, 12 * s),
                (1, 0, 0), (3.0, 2.4), (3.6, 2.6), blend=3.0),
            Bar("inferior articular process", (width - 1.5, back - 1, 2 * s), (width + 0.5, back - 4.0, -25 * s),
                (0.6, 0.8, 0.1), (4.6, 4.0), (7.0, 6.2), curl=-1.2),
            Bar("transverse process", (out - 2, wall - 7.5, up - 2), (span, wall - 17.5, up - 1),
                (0.3, 0.95, 0), (4.2, 1.9), (5.6, 4.4), bend=1.2),
            Bar("spinous process", (0, back + 1.5, 1 * s), (0, tip, -8.5 * s), (1, 0, 0),
                (3.2, 2.9), (8.5 * s, 12.5 * s), square=True),
            Bar("spinous process", (0, back - 9, -9 * s), (0, tip + 0.5, low + 5.5), (1, 0, 0),
                (2.6, 4.4), (3.2, 5.4), blend=5.0),
        ]  # fmt: skip
    else:
        s = (d.posterior_height + d.anterior_height) / 41
        like, half = w["spinous"], d.posterior_height / 2
        pieces += [
            Bar("lamina", (width + 5, back + 3.2, -1 * s), (-5, back - 1.9, -4.5 * s), (-0.2, 0.95, -0.24),
                (3.0, 3.4), (9.5 * s, 9 * s)),
            Bar("superior articular process", (out - 0.3, back + 6, 0), (out + 0.3, back + 4.6, half + 8.0),
                (0.15, -0.97, 0.2), (2.9, 1.7), (6.0, 5.4), square=True),
            Bar("transverse process", (out - 1, wall - 8, up - 1), (span, wall - 20, up + 1.0),
                (0.45, 0.89, 0), (4.2, 4.8), (5.2, 6.6), bend=-0.8),
            Bar("spinous process", (0, back + 0.5, -1 - 2 * like), (0, tip, low + 1.5 + 5 * like), (1, 0, 0),
                (3.0, 2.2 + 0.8 * like), (8.5 * s, 3.6 + 6 * like), bend=0.0, square=True),
        ]  # fmt: skip
        pieces.append(
            # T12 meets a lumbar vertebra below: its lower facets face sideways
            Bar("inferior articular process", (width - 1.5, back + 0.5, 1), (width - 0.5, back - 2.8, -half - 8),
                (0.6, 0.8, 0.1), (4.2, 3.4), (6.4, 5.6), curl=-1.0)
            if level == "T12" else
            Bar("inferior articular process", (width + 1.5, back + 2, 0), (width + 1.2, back - 1.2, -half - 6.5),
                (0.12, 0.99, 0), (3.2, 2.6), (7.0, 6.0))
        )  # fmt: skip
    return tuple(pieces)


def costal_facets(level: str) -> tuple[Facet, ...]:
    """Return the facets for the ribs: two demifacets and one on the transverse process, T11 and T12 one at all."""
    if level.startswith("L"):
        return ()
    d = dimensions()[level]
    wall = -max(d.upper_depth, d.lower_depth) / 2
    up = pedicle_centre(level)[2]
    if level in ("T11", "T12"):
        return (Facet(np.array([0.465 * d.upper_width, wall + 3.8, up]), _unit([1, -0.1, 0]), 4.3),)
    half = d.posterior_height / 2
    found = [Facet(np.array([0.46 * d.upper_width, wall + 2.0, half - 4.5]), _unit([0.8, -0.5, 0.3]), 4.6)]
    if level != "T10":
        found.append(Facet(np.array([0.44 * d.lower_width, wall + 3.0, 5.0 - half]), _unit([0.85, -0.5, -0.1]), 3.4))
    span = d.transverse_span / 2
    found.append(Facet(np.array([span - 4.5, wall - 12.6, up + 0.5]), _unit([0.25, 0.95, 0.1]), 4.6))
    return tuple(found)


def as_points(points: ArrayLike) -> FloatArray:
    """Return points as (n, 3) in double precision. Raises ValueError unless each has three finite coordinates."""
    given = np.asarray(points, dtype=np.float64)
    if given.ndim == 0 or given.shape[-1] != 3:
        raise ValueError(f"points have the shape {given.shape}; give (n, 3): x, y and z of each, mm")
    if not np.isfinite(given).all():
        raise ValueError("points hold values that are not finite; give x, y and z of each in mm")
    return given.reshape(-1, 3)


def _unit(vector: list[float]) -> FloatArray:
    unit: FloatArray = np.asarray(vector) / np.linalg.norm(vector)
    return unit


def pedicle_centre(level: str) -> tuple[float, float, float]:
    """Return the centre of the right pedicle's isthmus in the undeformed vertebra."""
    d = dimensions()[level]
    wall = -max(d.upper_depth, d.lower_depth) / 2
    y = wall - 0.3 * d.canal_depth
    # The pedicle leans on the canal's wall at its widest.
    x = d.canal_width / 2 + d.pedicle_width / 2 / np.cos(np.radians(d.pedicle_angle))
    return float(x), float(y), d.posterior_height / 2 - 0.5 - d.pedicle_height / 2


# --- the vertebra -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vertebra:
    """One vertebra of a `level`, deformed by `shape`.

    Raises ValueError for an unknown level; and what needs the body (`landmarks`, `distance`, `voxels`, `mesh` ...) does
    so for a shape that this body cannot take, because it would fold through itself or a split would miss it.
    """

    level: str
    shape: Shape = NORMAL

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level is {self.level!r}; give one of {', '.join(LEVELS)}")
        if not isinstance(self.shape, Shape):
            raise ValueError(f"the shape of {self.level} is {self.shape!r}; give a Shape")

    @property
    def dimensions(self) -> Dimensions:
        """The normal dimensions of this level."""
        return dimensions()[self.level]

    @property
    def heights(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height that the shape asks for, mm."""
        shape = self.shape
        losses = (shape.anterior, shape.middle, shape.posterior)
        anterior, middle, posterior = (h * (1 - loss) for h, loss in zip(self.dimensions.heights, losses, strict=True))
        # A split gapes the more the farther back: most at the corner of a fragment in the canal.
        behind = shape.displacement / (self.dimensions.upper_depth / 2)
        at_middle, at_corner = (shape.split * (HINGE + back) / (1 + HINGE) for back in (0, 1 + behind))
        return anterior, middle + at_middle, posterior + at_corner

    # -- the body --

    @cached_property
    def _wall_y(self) -> float:
        return -max(self.dimensions.upper_depth, self.dimensions.lower_depth) / 2

    @cached_property
    def _body_outline(self) -> Outline:
        return between(THORACIC_BODY, LUMBAR_BODY, lumbarness(self.level)["body"])

    @cached_property
    def _canal_outline(self) -> Outline:
        return between(THORACIC_CANAL, LUMBAR_CANAL, lumbarness(self.level)["canal"])

    @cached_property
    def _fitted(self) -> tuple[Corrections, FloatArray]:
        """What to add to the superior and the inferior endplate (posterior, middle, anterior), mm, and the landmarks.

        With it a reader's six points lie where the shape asks; rounding, bowls, steps and fragments would shift them.
        """
        corrections = _fit(self)
        points = _read(self, corrections)
        asked, found = (z[:3] - z[3:] for z in (self._targets(), points[:, 2]))
        worst = int(np.abs(found - asked).argmax())
        if abs(found[worst] - asked[worst]) > MISREAD:
            name = ("anterior", "middle", "posterior")[worst]
            raise ValueError(
                f"{self.level} cannot be as low as {asked[worst]:.1f} mm at its {name} height beside what else is "
                f"deformed; give a smaller {name} loss than {getattr(self.shape, name):.2f}, or losses more alike"
            )
        if self.shape.split:
            cut, _ = self._split(points[:, 1].astype(np.float32))
            # In front the split is closed.
            if (points[1:3, 2] < cut[1:3]).any() or (points[4:, 2] > cut[4:]).any():
                raise ValueError(
                    f"{self.level} has collapsed so far that a split of {self.shape.split:g} mm would miss its body; "
                    "give smaller losses or no split"
                )
            points[:, 2] += self._opening(points[:, 1], points[:, 2])
            if abs(points[2, 2] - points[5, 2] - self.heights[2]) > MISREAD:
                # The reader's corner is then the body's own, where the split gapes less.
                raise ValueError(
                    f"{self.level}: a fragment as low as {self.shape.wall:.2g} of the wall is not the corner at which "
                    f"a split of {self.shape.split:g} mm is read; give a larger wall, less retropulsion or a smaller "
                    "split"
                )
        points.flags.writeable = False
        return corrections, points

    @cached_property
    def _corrections(self) -> Corrections:
        return self._fitted[0]

    @property
    def landmarks(self) -> FloatArray:
        """The six points (6, 3) of the midsagittal plane: superior then inferior, each anterior, middle, posterior.

        A corner is where the contour lies over the centre of the section's outermost half millimetre, outermost being
        at 45 degrees; the middle is half way between the contour in the midline and that of the silhouette, both over
        the body's centre. Read-only. Heights between them are `heights` within 0.3 mm for the named shapes of
        `vertebra.spine.shape`; at the far ends of what can be combined they may miss it by up to 1.5 mm.
        """
        return self._fitted[1]

    def _targets(self) -> FloatArray:
        """Return where the shape asks the landmarks to be (z of the six points), without the split's opening."""
        anterior, middle, posterior = self.dimensions.heights
        s = self.shape
        goal = []
        for sign, share in ((0.5, s.superior_share), (-0.5, 1 - s.superior_share)):
            for h, loss in ((anterior, s.anterior), (middle, s.middle), (posterior, s.posterior)):
                goal.append(sign * h - np.sign(sign) * share * loss * h)
        return np.array(goal)

    def _endplates(self, x: Array, y: Array, corrections: Corrections) -> tuple[Array, Array, Array]:
        """Return the superior and inferior endplate (z over x and y) and the lost share of the height there."""
        d, s = self.dimensions, self.shape
        half = (d.upper_depth + d.lower_depth) / 4
        t = np.clip(y / half, -1.25, 1.25)
        across = np.clip(x * (4 / (d.upper_width + d.lower_width)), -1, 1)
        ha, _, hp = d.heights
        rim = (ha + hp) / 2 + t * ((ha - hp) / 2)
        # The bowl takes most of the dip, the rim's sides the rest: the reader's middle is the mean of the two contours.
        side = (d.midline_dip - BOWL * d.upper_depth / 2) * (1 - t * t)
        q = np.minimum(np.hypot(across, t) / RING, 1)
        bowl = (1 - q * q) ** 1.5 * (BOWL * d.upper_depth)
        la, lm, lp = (share * h for share, h in zip((s.anterior, s.middle, s.posterior), d.heights, strict=True))
        sink = lm - (la + lp) / 2
        loss = (la + lp) / 2 + t * ((la - lp) / 2)
        # Level at the rims: a broken endplate caves in inside its ring.
        dip = sink * np.maximum(1 - t * t, 0) ** 1.5
        if sink > 0:
            # The sides lag behind the midline.
            dip = dip * (1.45 - 1.2 * np.minimum(across * across, 0.75))
        loss = loss + dip
        if s.lateral:
            loss = loss * (1 + s.lateral * across)
        lost = np.clip(loss / rim, 0, 0.8)
        loss = lost * rim
        top, bottom = s.superior_share, 1 - s.superior_share
        (up, um, ua), (dp, dm, da) = corrections
        above = rim / 2 - side / 2 - 0.45 * bowl - top * loss + quadratic(up, um, ua, t)
        below = -rim / 2 + side / 2 + 0.55 * bowl + bottom * loss + quadratic(dp, dm, da, t)
        if s.irregularity or (s.buckling and lost.any()):
            # An endplate that took no loss is smooth, unless it grew uneven. Rims and the readings stay where they are.
            rough = s.irregularity + 1.2 * s.buckling * np.minimum(lost, 0.4)
            bumps = rough * uneven(x, y) * step((1 - np.hypot(across, t)) * 2.5)
            above = above + bumps * (1 if s.irregularity else top)
            below = below + bumps * (-0.8 if s.irregularity else bottom)
        if s.node:
            radius = 0.19 * d.upper_depth
            far = np.hypot(x - 0.06 * d.upper_width, y + 0.22 * d.upper_depth) / radius
            dent = s.node * step((1 - far) * 1.6)
            lip = 0.5 * np.exp(-(((far - 1.15) / 0.2) ** 2))
            above, below = above - dent + lip, below + 0.8 * dent - lip
        return above, below, lost

    @cached_property
    def _wall_ends(self) -> tuple[float, float]:
        """Top and foot of the posterior wall (z) before a split opens."""
        goal = self._targets()
        return float(goal[2]), float(goal[5])

    @cached_property
    def _steepness(self) -> tuple[float, float]:
        """By how much a tilted endplate's vertical distance exceeds the true one, superior and inferior."""
        d, s = self.dimensions, self.shape
        ha, hm, hp = d.heights
        forward = (s.anterior * ha - s.posterior * hp) / d.upper_depth
        aside = s.lateral * s.middle * hm / (d.upper_width / 2)
        tilt = math.hypot(forward, aside)
        return math.hypot(1, s.superior_share * tilt), math.hypot(1, (1 - s.superior_share) * tilt)

    @cached_property
    def _fragment_foot(self) -> float:
        """Where the broken part of the posterior wall ends below (z); below the wall's foot if all of it is broken."""
        top, bottom = self._wall_ends
        foot = top - self.shape.wall * (top - bottom)
        # A fragment that stands out further than it ends above the lower corner would be taken for that corner.
        return foot if foot - bottom > self.shape.displacement + 2 else bottom - 4

    def _push(self, x: Array, z: Array) -> Array:
        """Return how far (mm) the posterior wall is pushed back at x and z."""
        s = self.shape
        top, bottom = self._wall_ends
        half, foot = 0.36 * self.dimensions.canal_width, self._fragment_foot
        inside = step((half - np.abs(x)) / 1.5) * step((z - foot - 0.1 * x) / 1.8)
        # The fragment tilts: its foot stands out a little more than its top.
        lean = 1.04 - (0.14 / max(top - bottom, 1)) * np.clip(z - foot, 0, None)
        return s.displacement * inside * lean

    def _body(self, x: Array, y: Array, z: Array, corrections: Corrections | None = None) -> tuple[Array, Array, Array]:
        """Return the body's implicit function and its distances above the superior, below the inferior endplate."""
        d, s = self.dimensions, self.shape
        if s.displacement:
            push = self._push(x, z)
            # Bone in front of the wall goes back with it, less and less down to a crack.
            y = y + push * np.clip((self._wall_y + 3 + push - y) / (2 + push), 0, 1)
            crack = self._wall_y + 3 + s.displacement - 0.02 * x * x - y
            groove = 1.6 * np.exp(-((crack / 1.1) ** 2)) * np.minimum(push, 1)
        above, below, lost = self._endplates(x, y, corrections or self._corrections)
        if s.displacement:
            above = above - groove
        # The waist's flare runs on through the rounded rim, or there would be a kink.
        u = np.clip((z - below) / np.maximum(above - below, 1), -0.12, 1.12)
        # Widths and depths of the table are those just inside the rounded rims, where the waist begins.
        rim = 1.2 * RIM / ((d.anterior_height + d.posterior_height) / 2)
        high = (u - rim) / (1 - 2 * rim)
        width = d.lower_width + high * (d.upper_width - d.lower_width)
        depth = d.lower_depth + high * (d.upper_depth - d.lower_depth)
        # The posterior wall is straight: what the depths differ lies in front.
        share, size, cosine = self._body_outline.polar(x, y - (self._wall_y + depth / 2), width, depth)
        arc = 4 * u * (1 - u) - 4 * rim * (1 - rim)
        waist = arc * (0.075 + cosine * 0.065)
        # The basivertebral foramen: a pit in the middle of the posterior wall.
        pit = np.exp(-((x / (0.1 * d.upper_width)) ** 2)) * np.maximum(arc, 0) ** 3 * np.maximum(-cosine, 0)
        waist = waist + 0.03 * pit
        fold = s.buckling * np.minimum(lost, 0.5)
        broken = 0.3 + 0.4 * s.superior_share
        # Buckled cortex: the wall bulges below the break and is drawn in above it, which makes a step.
        drop = np.clip(2.4 / np.maximum(above - below, 1), 0.1, 0.22)
        ledge = step((u - 0.15) / (broken - 0.15)) - 1.2 * step((u - broken) / drop)
        ledge = ledge + 0.2 * step((u - broken - drop) / (1 - broken - drop))
        waist = waist * (1 - fold) - fold * ledge * 0.14 * np.clip(0.75 + cosine, 0, 1)
        wall = (share - 1 + waist) / size
        up, down = (z - above) / self._steepness[0], (below - z) / self._steepness[1]
        body = intersection(intersection(wall, up, RIM), down, RIM)
        return self._damage(body, x, y, z, above, below), up, down

    def _damage(self, body: Array, x: Array, y: Array, z: Array, above: Array, below: Array) -> Array:
        """Return the body with its hole in the endplate, its missing wall, its separate corner."""
        d, s = self.dimensions, self.shape
        if s.breach:
            far = np.hypot(x - 0.14 * d.upper_width, y - 0.15 * d.upper_depth)
            ragged = s.breach + 0.25 * np.sin(5 * np.arctan2(y, x))
            body = np.maximum(body, -intersection(far - ragged, above - 1.3 * s.breach - z, 0.8))
        if s.missing_wall:
            half = 0.28 * d.canal_width
            top, foot = self._wall_ends
            # The rims stay, or there would be no corner to measure from.
            head = top - 3
            low = top - 3 - s.missing_wall * max(top - foot - 6, 1)
            hole = np.maximum(np.maximum(z - head, low - z), np.abs(x) - half)
            body = np.maximum(body, -np.maximum(hole, y - (self._wall_y + 5)))
        if s.limbus:
            size = s.limbus
            # The corner is largest in the midline and thins out to both sides.
            reach = size * (1 - (x / (0.26 * d.upper_width)) ** 2)
            corner = (d.upper_depth / 2 - y + above - z - reach) * 0.7071
            body = intersection(body, 0.7 - np.abs(corner), 0.5)
        return body

    # -- the arch --

    @cached_property
    def _shift(self) -> float:
        """How far the arch moves (mm, z): the pedicle stays at three quarters of its wall's height."""
        top, foot = self._wall_ends
        return foot + 0.75 * (top - foot) - self.dimensions.posterior_height / 4

    def _lifted(self, more: float = 0.0) -> FloatArray:
        """Return the arch's move as a vector, mm, and `more` of it upwards."""
        return np.array([0.0, 0.0, self._shift + more])

    @cached_property
    def _arch(self) -> tuple[Bar, ...]:
        return arch(self.level)

    @cached_property
    def _facets(self) -> tuple[Facet, ...]:
        return tuple(replace(facet, centre=facet.centre + self._lifted()) for facet in costal_facets(self.level))

    def _canal(self, x: Array, y: Array) -> Array:
        """Return the canal's implicit function, first-order exact, over x and y."""
        d = self.dimensions
        centre = self._wall_y - d.canal_depth / 2
        share, size, _ = self._canal_outline.polar(x, y - centre, d.canal_width, d.canal_depth)
        far: Array = (share - 1) / size
        return far

    @cached_property
    def _canal_wall(self) -> tuple[FloatArray, "cKDTree"]:
        from scipy.spatial import cKDTree  # slow to import, and the film of a lesson's workbench needs none

        d = self.dimensions
        points = self._canal_outline.contour(1440) * [d.canal_width / 2, d.canal_depth / 2]
        points[:, 1] += self._wall_y - d.canal_depth / 2
        return points, cKDTree(points)

    def _opening(self, y: FloatArray, z: FloatArray) -> FloatArray:
        """Return how far (mm, z) a point of the whole vertebra is lifted by the split."""
        cut, gape = self._split(np.asarray(y, np.float32))
        lifted: FloatArray = np.where(z > cut, gape, 0.0).astype(np.float64)
        return lifted

    def _split(self, y: Array) -> tuple[Array, Array]:
        """Return the height (z) of the split's lower face, and how far it gapes there."""
        half = self.dimensions.upper_depth / 2
        hinge = HINGE * half
        gape = np.maximum(self.shape.split / (half + hinge) * (hinge - y), 0)
        # Through the pedicles, and then down through the middle of the spinous process.
        spinous = next(bar for bar in self._arch if bar.part == "spinous process")
        middle = np.asarray(spinous.start) * 0.5 + np.asarray(spinous.end) * 0.5
        level = pedicle_centre(self.level)[2] - 1
        fall = min(float((level - middle[2]) / (self._wall_y - middle[1])), 0.4)
        back = np.maximum(self._wall_y - y, 0)
        ragged = 0.5 * np.sin(0.55 * y) * np.minimum(gape, 1)
        return level + self._shift - fall * back + ragged, gape

    def _closed(self, y: Array, z: Array) -> tuple[Array, Array | None]:
        """Return z before the split opened, and the implicit function of the gap (None without a split)."""
        if not self.shape.split:
            return z, None
        cut, gape = self._split(y)
        gap = np.minimum(z - cut, cut + gape - z)
        return np.where(z > cut + gape / 2, np.maximum(z - gape, cut), np.minimum(z, cut)), gap

    def _arch_at(self, x: Array, y: Array, z: Array, near_only: bool = False) -> Array:
        """Return the arch's implicit function at points (n,); with `near_only`, each piece only where it matters."""
        side, low = np.abs(x), z - self._shift
        whole = np.full(x.shape, FAR, np.float32)
        for bar in self._arch:
            if not near_only:
                whole = union(whole, bar.distance(side, y, low), bar.blend)
                continue
            (x0, y0, z0), (x1, y1, z1) = bar.bounds[0] - MARGIN, bar.bounds[1] + MARGIN
            at = np.flatnonzero((side > x0) & (side < x1) & (y > y0) & (y < y1) & (low > z0) & (low < z1))
            whole[at] = union(whole[at], bar.distance(side[at], y[at], low[at]), bar.blend)
        return intersection(whole, -self._canal(x, y), CANAL_EDGE)

    def _solid(self, points: Array, near_only: bool = False) -> Array:
        """Return the implicit function at points (n, 3)."""
        x, y = points[:, 0], points[:, 1]
        z, gap = self._closed(y, points[:, 2])
        body, _, _ = self._body(x, y, z)
        whole = union(body, self._arch_at(x, y, z, near_only), JOINT)
        for facet in self._facets:
            whole = facet.carve(whole, np.abs(x), y, z)
        return whole if gap is None else np.maximum(whole, gap)

    def distance(self, points: Array) -> Array:
        """Return the implicit function at points (n, 3): negative in bone, zero on the outer surface.

        Near the surface it is close to a distance in mm; where a true distance matters, use `bone_distance`.
        """
        return self._solid(as_points(points).astype(np.float32))

    def body_distance(self, points: Array) -> tuple[Array, Array]:
        """Return the implicit function of the body alone, without pedicles and arch, at points (n, 3).

        With it comes how deep (n,) they lie below the nearer endplate, mm; both are first-order exact.
        """
        p = as_points(points).astype(np.float32)
        z, gap = self._closed(p[:, 1], p[:, 2])
        body, up, down = self._body(p[:, 0], p[:, 1], z)
        return (body if gap is None else np.maximum(body, gap)), -np.maximum(up, down)

    def split_depth(self, points: Array) -> Array:
        """Return how deep points (n, 3) lie in the gap of a split, mm, negative outside it; without a split all do."""
        p = as_points(points).astype(np.float32)
        _, gap = self._closed(p[:, 1], p[:, 2])
        return np.full(len(p), -FAR, np.float32) if gap is None else gap

    def bone_distance(self, points: Array) -> FloatArray:
        """Return the true signed distance (n,) of points (n, 3) to the outer bone surface, mm, negative in bone.

        Exact for a mesh of 0.7 mm whose corners lie on the surface; its making costs the first call some 0.2 s.
        """
        p = as_points(points)
        corners, around, tree = self._skin
        _, nearest = tree.query(p, k=4)
        candidates = around[nearest].reshape(len(p), -1)
        far = _triangle_distance(p[:, None], corners[candidates])
        found: FloatArray = far.min(axis=1) * np.where(self.distance(p) < 0, -1, 1)
        return found

    @cached_property
    def _skin(self) -> tuple[FloatArray, NDArray[np.int64], "cKDTree"]:
        """Corners (m, 3, 3) of the triangles of the surface, the triangles around each vertex, a tree of vertices."""
        from scipy.spatial import cKDTree

        mesh = self.mesh(0.7)
        corners = mesh.vertices.astype(np.float64)[mesh.faces]
        flat = mesh.faces.ravel()
        order = np.argsort(flat, kind="stable")
        first = np.searchsorted(flat[order], np.arange(len(mesh.vertices)))
        count = np.bincount(flat, minlength=len(mesh.vertices))
        slot = first[:, None] + np.minimum(np.arange(min(int(count.max()), 9)), count[:, None] - 1)
        return corners, order[slot] // 3, cKDTree(mesh.vertices)

    def canal_distance(self, points: Array) -> FloatArray:
        """Return the true signed distance (n,) of points (n, 3) to the canal's wall, mm, negative inside the canal.

        The canal is that of the unbroken vertebra, continued upwards and downwards.
        """
        p = as_points(points)[:, :2]
        wall, tree = self._canal_wall
        _, nearest = tree.query(p)
        far = np.full(len(p), np.inf)
        for other in (1, -1):
            a, b = wall[nearest], wall[(nearest + other) % len(wall)]
            t = np.clip(((p - a) * (b - a)).sum(axis=1) / ((b - a) ** 2).sum(axis=1), 0, 1)
            far = np.minimum(far, np.linalg.norm(p - a - t[:, None] * (b - a), axis=1))
        inside = self._canal(p[:, 0].astype(np.float32), p[:, 1].astype(np.float32)) < 0
        return np.where(inside, -far, far)

    def pedicle(self, side: str) -> Pedicle:
        """Return the left or right pedicle. Raises ValueError for another side."""
        if side not in ("left", "right"):
            raise ValueError(f"side is {side!r}; give 'left' or 'right'")
        d = self.dimensions
        sign = 1 if side == "right" else -1
        angle = np.radians(d.pedicle_angle)
        x, y, z = pedicle_centre(self.level)
        axis = np.array([-sign * np.sin(angle), np.cos(angle), 0.0])
        return Pedicle(np.array([sign * x, y, z + self._shift]), axis, d.pedicle_width, d.pedicle_height)

    @cached_property
    def stenosis(self) -> float:
        """Share of the canal's area that a fragment takes where it takes most, 0 (none) to 1."""
        if not self.shape.displacement:
            return 0.0
        d = self.dimensions
        top, foot = self._wall_ends
        x = np.linspace(-d.canal_width / 2, d.canal_width / 2, 81, dtype=np.float32)[:, None, None]
        y = np.linspace(self._wall_y - d.canal_depth, self._wall_y, 81, dtype=np.float32)[None, :, None]
        z = np.linspace(foot, top, 21, dtype=np.float32)[None, None]
        whole = self._canal(x, y) < 0
        taken = whole & (self._body(x, y, z)[0] < 0)
        return float(taken.sum(axis=(0, 1)).max() / whole.sum())

    # -- voxels and mesh --

    @cached_property
    def _bounds(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Lower and upper corner of the body and of the whole vertebra, mm."""
        d, s = self.dimensions, self.shape
        half = max(d.posterior_height, d.anterior_height) / 2 + 1.5
        wide, deep = max(d.upper_width, d.lower_width) / 2 + 2.5, max(d.upper_depth, d.lower_depth) / 2
        low = np.array([-wide, -deep * 1.25 - s.displacement, -half])
        high = np.array([wide, deep + 2.5, half + 2.2 * s.split])
        corners = np.array([bar.bounds for bar in self._arch]) + self._lifted()
        reach = corners[:, 1].max(axis=0)
        foot = corners[:, 0].min(axis=0)
        reach[2] += self._opening(foot[1:2], np.array([1e3]))[0]
        foot[0] = -reach[0]
        return low, high, np.minimum(low, foot) - 1, np.maximum(high, reach) + 1

    def _grid(self, spacing: float) -> tuple[FloatArray, Array, Array]:
        """Return the origin of a grid around the bone, the implicit function on it, and body minus arch."""
        if not isinstance(spacing, Real) or not 0.3 <= spacing <= 4:
            raise ValueError(f"spacing is {spacing!r}; give 0.3 to 4 mm")
        body_low, body_high, low, high = self._bounds
        # Samples are mirror images of each other, so that half of the arch is enough.
        n = int(np.ceil(max(-low[0], high[0]) / spacing)) + 1
        first = np.floor(low[1:] / spacing).astype(int) - 1
        last = np.ceil(high[1:] / spacing).astype(int) + 1
        origin = spacing * np.array([-n, first[0], first[1]])
        x = (np.arange(-n, n + 1) * spacing).astype(np.float32)[:, None, None]
        y = (np.arange(first[0], last[0] + 1) * spacing).astype(np.float32)[None, :, None]
        z0 = (np.arange(first[1], last[1] + 1) * spacing).astype(np.float32)[None, None, :]
        z, gap = self._closed(y, z0)

        def block(lower: FloatArray, upper: FloatArray, start: FloatArray, size: tuple[int, ...]) -> tuple[slice, ...]:
            i = np.floor((lower - MARGIN - start) / spacing).astype(int)
            j = np.ceil((upper + MARGIN - start) / spacing).astype(int) + 1
            return tuple(slice(max(a, 0), max(b, 0)) for a, b in zip(i, np.minimum(j, size), strict=True))

        def part(b: tuple[slice, ...], axis: Array) -> Array:
            return axis[:, b[1] if axis.shape[1] > 1 else slice(None), b[2]]

        half = np.full((n + 1, y.shape[1], z0.shape[2]), FAR, np.float32)
        lift = self._opening(low[1:2], np.array([1e3]))[0]
        centre = np.array([0.0, origin[1], origin[2]])
        for bar in self._arch:
            foot, reach = bar.bounds
            b = block(foot + self._lifted(), reach + self._lifted(lift), centre, half.shape)
            near = bar.distance(x[n:][b[0]], y[:, b[1]], part(b, z) - self._shift)
            half[b] = union(half[b], near, bar.blend)
        whole = np.concatenate([half[:0:-1], half])
        wide, wall = self.dimensions.canal_width / 2, self._wall_y
        behind = np.array([-wide, wall - self.dimensions.canal_depth, -1e3])
        b = block(behind, np.array([wide, wall, 1e3]), origin, whole.shape)
        whole[b] = intersection(whole[b], -self._canal(x[b[0]], y[:, b[1]]), CANAL_EDGE)
        b = block(body_low, body_high, origin, whole.shape)
        body, _, _ = self._body(x[b[0]], y[:, b[1]], part(b, z))
        minus = np.full(whole.shape, FAR, np.float32)
        minus[b] = body - whole[b]
        whole[b] = union(body, whole[b], JOINT)
        for facet in self._facets:
            foot, reach = facet.bounds
            for mirror in (np.array([1, 1, 1]), np.array([-1, 1, 1])):
                ends = np.sort([foot * mirror, reach * mirror], axis=0)
                b = block(ends[0] - 1, ends[1] + [1, 1, 1 + lift], origin, whole.shape)
                whole[b] = facet.carve(whole[b], np.abs(x[b[0]]), y[:, b[1]], part(b, z))
        if gap is not None:
            whole = np.maximum(whole, gap)
        return origin, whole, minus

    def voxels(self, spacing: float = 1.0) -> Voxels:
        """Return the bone on a grid of `spacing` mm (0.3 to 4): shares of cortical and trabecular bone.

        Raises ValueError for another spacing.
        """
        origin, whole, minus = self._grid(spacing)
        h = spacing
        slope = np.ones_like(whole)
        inner = whole[1:-1, 1:-1, 1:-1]
        squares = (
            (whole[2:, 1:-1, 1:-1] - whole[:-2, 1:-1, 1:-1]) ** 2
            + (whole[1:-1, 2:, 1:-1] - whole[1:-1, :-2, 1:-1]) ** 2
            + (whole[1:-1, 1:-1, 2:] - whole[1:-1, 1:-1, :-2]) ** 2
        )
        slope[1:-1, 1:-1, 1:-1] = np.where(np.abs(inner) < 6, np.sqrt(squares) / (2 * h), 1)
        whole = whole / np.clip(slope, 0.5, 1.6)
        shell = SHELL + (ARCH_SHELL - SHELL) * step(minus / 3)
        bone = np.clip(0.5 - whole / h, 0, 1)
        inside = np.clip(0.5 - (whole + shell) / h, 0, 1)
        cortical, trabecular = bone - inside, inside
        if self.shape.cleft:
            void = self.cleft_distance(origin, spacing, whole.shape)
            # A cleft's margin is sclerotic.
            gas, lining = np.clip(0.5 - void / h, 0, 1), np.clip(0.5 - (void - 1) / h, 0, 1)
            trabecular = trabecular * (1 - lining)
            cortical = np.clip(np.maximum(cortical, np.minimum(lining, bone)) - gas, 0, 1)
        return Voxels(origin, spacing, cortical, trabecular)

    def cleft_distance(self, origin: FloatArray, spacing: float, shape: tuple[int, ...]) -> Array:
        """Return the implicit function of the cleft on a grid: negative in the void, about mm near it."""
        d = self.dimensions
        marks = self.landmarks
        axes = [np.arange(n, dtype=np.float32) * spacing for n in shape]
        x, y, z = (a.reshape([-1 if i == k else 1 for k in range(3)]) + origin[i] for i, a in enumerate(axes))
        top = np.interp(y, marks[2::-1, 1], marks[2::-1, 2])
        foot = np.interp(y, marks[:2:-1, 1], marks[:2:-1, 2])
        middle = (foot + 0.6 * (top - foot)).astype(np.float32)
        # Not below what single precision can divide by.
        height = max(min(self.shape.cleft, 0.5 * (marks[1, 2] - marks[4, 2])) / 2, 1e-3)
        across, along = x / (0.28 * d.upper_width), (y - 2) / (0.3 * d.upper_depth)
        void: Array = (np.sqrt(across**2 + along**2 + ((z - middle) / height) ** 2) - 1) * height
        return void

    def mesh(self, spacing: float = 1.0) -> Mesh:
        """Return the outer surface as a closed triangle mesh; `spacing` (mm, 0.3 to 4) sets how fine it is.

        Raises ValueError for another spacing.
        """
        origin, whole, _ = self._grid(spacing)
        vertices, faces = surface(whole, origin, spacing)
        vertices, normals = polish(lambda points: self._solid(points, True), vertices, 0.5 * spacing)
        middle = vertices[faces].mean(axis=1)
        for lost in np.flatnonzero((normals**2).sum(axis=1) < 0.5):
            # On a ridge that two sheets share the slopes cancel out; the faces around it still have a side.
            corners = vertices[faces[(faces == lost).any(axis=1)]].astype(np.float64)
            across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).sum(axis=0)
            normals[lost] = across / max(float(np.linalg.norm(across)), 1e-12)
        return Mesh(vertices, faces, normals, self._part(middle, normals[faces].mean(axis=1)))

    def _part(self, points: Array, normals: Array) -> NDArray[np.uint8]:
        """Return the index into PARTS of points (n, 3) on the surface."""
        x, y = points[:, 0], points[:, 1]
        z, _ = self._closed(y, points[:, 2])
        best, up, down = self._body(x, y, z)
        part = np.where(
            (up > -RIM) & (normals[:, 2] > 0.6), 1, np.where((down > -RIM) & (normals[:, 2] < -0.6), 2, 0)
        ).astype(np.uint8)
        best = best - 0.3
        for bar in self._arch:
            far = bar.distance(np.abs(x), y, z - self._shift)
            part = np.where(far < best, np.uint8(PARTS.index(bar.part)), part)
            best = np.minimum(far, best)
        for facet in self._facets:
            away = np.stack([np.abs(x), y, z], axis=1) - facet.centre
            facing = np.stack([normals[:, 0] * np.sign(x), normals[:, 1], normals[:, 2]], axis=1) @ facet.normal
            near = (away**2).sum(axis=1) < facet.radius**2
            part = np.where(near & (facing > 0.5), np.uint8(PARTS.index("costal facet")), part)
        return part.astype(np.uint8)


def _triangle_distance(p: FloatArray, corners: FloatArray) -> FloatArray:
    """Return the distance of points (..., 3) to triangles (..., 3, 3)."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    normal = np.cross(b - a, c - a)
    size = np.maximum((normal**2).sum(axis=-1), 1e-18)
    height = ((p - a) * normal).sum(axis=-1)
    inside = np.ones(height.shape, dtype=bool)
    far = np.full(height.shape, np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        edge, out = end - start, p - start
        inside &= (np.cross(edge, out) * normal).sum(axis=-1) >= 0
        t = np.clip((edge * out).sum(axis=-1) / np.maximum((edge**2).sum(axis=-1), 1e-18), 0, 1)
        far = np.minimum(far, ((out - t[..., None] * edge) ** 2).sum(axis=-1))
    return np.sqrt(np.where(inside, height**2 / size, far))


# --- reading the six points, and fitting the endplates to them -------------------------------------------------------


def _read(vertebra: Vertebra, corrections: Corrections) -> FloatArray:
    """Return the six points (6, 3) that a reader would place on the body's sections, before a split opens."""
    goal = vertebra._targets()
    deep = vertebra.dimensions.upper_depth / 2, vertebra.dimensions.lower_depth / 2
    wide = vertebra.dimensions.upper_width / 2
    shift = vertebra.shape.displacement
    back = [shift, shift if vertebra._fragment_foot < vertebra._wall_ends[1] else 0.0]
    # Rays towards the four corners, along the diagonals, and down and up onto the endplates over the centre.
    offset = np.linspace(-4, 4, 33)
    starts, directions = [], []
    for k, upward in enumerate((1, -1)):
        for j, forward in ((0, 1), (2, -1)):
            n = np.array([0, forward, upward]) / np.sqrt(2)
            edge = np.array([0, forward, -upward]) / np.sqrt(2)
            corner = np.array([0, forward * deep[k] - (back[k] if j else 0), goal[3 * k + j]])
            starts.append(corner + offset[:, None] * edge + 3.5 * n)
            directions.append(np.repeat(-n[None], len(offset), axis=0))
    across = np.concatenate([[0.0], np.linspace(-wide, wide, 64)])
    for k, upward in enumerate((1, -1)):
        start = np.zeros((len(across), 3))
        start[:, 0] = across
        start[:, 2] = goal[3 * k + 1] + 10 * upward
        starts.append(start)
        directions.append(np.repeat([[0.0, 0.0, -2.5 * upward]], len(across), axis=0))
    start, direction = np.concatenate(starts), np.concatenate(directions)

    def field(far: FloatArray) -> FloatArray:
        p = (start[None] + far[..., None] * direction[None]).astype(np.float32)
        shape = p.shape[:-1]
        p = p.reshape(-1, 3)
        body, _, _ = vertebra._body(p[:, 0], p[:, 1], p[:, 2], corrections)
        return body.reshape(shape).astype(np.float64)

    samples = np.linspace(0, 8, 17)
    value = field(np.repeat(samples[:, None], len(start), axis=1))
    hit = np.argmax(value < 0, axis=0)
    found = (value < 0).any(axis=0) & (hit > 0)
    rows = np.arange(len(start))
    lower, upper = samples[hit - 1], samples[hit]
    f0, f1 = value[hit - 1, rows], value[hit, rows]
    for _ in range(3):
        far = lower + (upper - lower) * np.clip(f0 / np.where(f0 - f1 > 1e-9, f0 - f1, 1), 0.02, 0.98)
        f = field(far[None])[0]
        lower, f0 = np.where(f >= 0, far, lower), np.where(f >= 0, f, f0)
        upper, f1 = np.where(f < 0, far, upper), np.where(f < 0, f, f1)
    far = lower + (upper - lower) * np.clip(f0 / np.where(f0 - f1 > 1e-9, f0 - f1, 1), 0, 1)
    points = start + far[:, None] * direction
    marks = np.zeros((6, 3))
    n = len(offset)
    for number, (k, j) in enumerate(((0, 0), (0, 2), (1, 0), (1, 2))):
        rays = slice(n * number, n * (number + 1))
        if not found[rays].any():
            raise ValueError(
                f"{vertebra.level}: a fragment as low as {vertebra.shape.wall:.2g} of the wall cannot stand "
                f"{shift:.2g} mm in the canal; give a larger wall or less retropulsion"
            )
        depth = np.where(found[rays], far[rays], np.inf)
        weight = np.maximum(depth.min() + TIP - depth, 0)
        place = (weight * offset).sum() / weight.sum()
        first = start[rays][0] + (place - offset[0]) * (start[rays][1] - start[rays][0]) / (offset[1] - offset[0])
        near = np.isfinite(depth)
        marks[3 * k + j] = first + np.interp(place, offset[near], depth[near]) * direction[rays][0]
    for k, upward in enumerate((1, -1)):
        rays = slice(4 * n + len(across) * k, 4 * n + len(across) * (k + 1))
        z = np.where(found[rays], points[rays][:, 2], -100 * upward)
        marks[3 * k + 1] = (0, 0, (z[0] + upward * (upward * z).max()) / 2)
    return marks


def _fit(vertebra: Vertebra) -> Corrections:
    """Return the corrections of the endplates at which the six points are read where the shape asks for them."""
    goal = vertebra._targets()
    total = np.zeros(6)
    for _ in range(4):
        total += goal - _read(vertebra, _pair(total))[:, 2]
    return _pair(total)


def _pair(z: FloatArray) -> Corrections:
    """Return six corrections as posterior, middle, anterior of each endplate."""
    up_a, up_m, up_p, low_a, low_m, low_p = map(float, z)
    return (up_p, up_m, up_a), (low_p, low_m, low_a)
