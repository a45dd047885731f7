"""Linear elasticity on quadrilaterals: four-noded elements, B-bar, axisymmetric or in plane stress.

Strains and stresses are ordered (rr, zz, hoop, rz), or (xx, yy, 0, xy) in plane stress. Millimetres, newtons and MPa.
B-bar (the dilatation averaged over the element) keeps a nearly incompressible nucleus from locking. A structured mesh
is numbered row by row, so its stiffness is a narrow band, and banded Cholesky factors solve it in milliseconds.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solveh_banded

Floats = NDArray[np.float64]
CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float)
GAUSS = CORNERS / np.sqrt(3)


def isotropic(modulus: ArrayLike, poisson: ArrayLike, plane_stress: bool = False) -> Floats:
    """Return Hooke's law (..., 4, 4) for Young's modulus (MPa) and Poisson's ratio, broadcast against each other."""
    e, nu = np.broadcast_arrays(np.asarray(modulus, dtype=float), np.asarray(poisson, dtype=float))
    if np.any(e <= 0) or np.any((nu <= -1) | (nu >= 0.5)):
        raise ValueError("a modulus must be above 0 MPa and a Poisson's ratio between -1 and 0.5")
    law = np.zeros((*e.shape, 4, 4))
    law[..., 3, 3] = e / (2 * (1 + nu))
    if plane_stress:
        law[..., 0, 0] = law[..., 1, 1] = e / (1 - nu**2)
        law[..., 0, 1] = law[..., 1, 0] = nu * e / (1 - nu**2)
        return law
    law[..., :3, :3] = (nu * e / ((1 + nu) * (1 - 2 * nu)))[..., None, None]
    for i in range(3):
        law[..., i, i] += e / (1 + nu)
    return law


@dataclass(frozen=True, eq=False)
class Mesh:
    """Points (n, 2), mm, and quadrilaterals (m, 4), anticlockwise; r and z of a solid of revolution unless `flat`."""

    points: Floats
    quads: NDArray[np.intp]
    flat: bool = False

    @cached_property
    def dofs(self) -> NDArray[np.intp]:
        """Return the unknowns (m, 8) of each element: of each corner the first displacement, then the second."""
        return (2 * self.quads[:, :, None] + np.arange(2)).reshape(-1, 8)

    @cached_property
    def centres(self) -> Floats:
        """Return the middle (m, 2) of each element."""
        return np.asarray(self.points[self.quads].mean(axis=1))

    @cached_property
    def quadrature(self) -> tuple[Floats, Floats]:
        """Return the strain operators B (m, 4, 4, 8) at the Gauss points and the volumes (m, 4) they stand for, mm3."""
        corners = self.points[self.quads]
        shape = 0.25 * (1 + GAUSS[:, None, 0] * CORNERS[:, 0]) * (1 + GAUSS[:, None, 1] * CORNERS[:, 1])
        local = 0.25 * CORNERS * (1 + GAUSS[:, None, ::-1] * CORNERS[:, ::-1])  # (gauss, node, direction)
        jacobian = np.einsum("gad,max->mgdx", local, corners)
        determinant = np.linalg.det(jacobian)
        if np.any(determinant <= 0):
            raise ValueError(f"element {np.argmin(determinant.min(axis=1))} of the mesh is turned inside out")
        gradient = np.einsum("mgxd,gad->mgax", np.linalg.inv(jacobian), local)
        volume = determinant
        b = np.zeros((len(self.quads), 4, 4, 8))
        b[:, :, 0, 0::2] = b[:, :, 3, 1::2] = gradient[..., 0]
        b[:, :, 1, 1::2] = b[:, :, 3, 0::2] = gradient[..., 1]
        if self.flat:
            return b, volume
        radius = np.einsum("ga,ma->mg", shape, corners[:, :, 0])
        volume = 2 * np.pi * radius * determinant
        b[:, :, 2, 0::2] = shape / radius[..., None]
        dilatation = b[:, :, :3].sum(axis=2)
        mean = np.einsum("mg,mgi->mi", volume, dilatation) / volume.sum(axis=1)[:, None]
        b[:, :, :3] += (mean[:, None] - dilatation)[:, :, None] / 3
        return b, volume

    @cached_property
    def volumes(self) -> Floats:
        """Return the volume (m,) of each element, mm3 (its area, mm2, in plane stress)."""
        return np.asarray(self.quadrature[1].sum(axis=1))

    @cached_property
    def band(self) -> tuple[NDArray[np.bool_], NDArray[np.intp], int]:
        """Return which entries (m, 8, 8) lie on or below the diagonal, where they go in the band, and its width."""
        below = self.dofs[:, :, None] - self.dofs[:, None, :]
        column = np.broadcast_to(self.dofs[:, None, :], below.shape)
        lower = below >= 0
        return lower, (below * self.points.size + column)[lower], int(below.max()) + 1


@dataclass(frozen=True, eq=False)
class Solution:
    """Displacements (n, 2), mm, of a mesh under Hooke's laws (m, 4, 4), and what the nodes exert (n, 2), N."""

    mesh: Mesh
    laws: Floats
    displacements: Floats
    forces: Floats

    @cached_property
    def strains(self) -> Floats:
        """Return the strains (m, 4, 4) at the Gauss points."""
        b, _ = self.mesh.quadrature
        return np.asarray(np.einsum("mgsi,mi->mgs", b, self.displacements.ravel()[self.mesh.dofs]))

    @cached_property
    def strain(self) -> Floats:
        """Return the mean strain (m, 4) of each element."""
        return np.asarray(np.einsum("mg,mgs->ms", self.mesh.quadrature[1], self.strains) / self.mesh.volumes[:, None])

    @cached_property
    def stress(self) -> Floats:
        """Return the mean stress (m, 4) of each element, MPa."""
        return np.asarray(np.einsum("mst,mt->ms", self.laws, self.strain))


def solve(mesh: Mesh, laws: Floats, held: Any, values: Any, loads: Floats | None = None) -> Solution:
    """Return the equilibrium under Hooke's laws (m, 4, 4) and `loads` (n, 2), N, with `values` of the unknowns `held`.

    Unknown 2 i is the first displacement of point i and 2 i + 1 the second, mm. Raises ValueError if the body can move
    freely.
    """
    b, volume = mesh.quadrature
    elements = len(mesh.quads)
    stress = (laws[:, None] @ b) * volume[..., None, None]
    stiffness = b.reshape(elements, 16, 8).transpose(0, 2, 1) @ stress.reshape(elements, 16, 8)

    def forces(u: Floats) -> Floats:
        each = np.einsum("mij,mj->mi", stiffness, u[mesh.dofs])
        return np.asarray(np.bincount(mesh.dofs.ravel(), each.ravel(), mesh.points.size), dtype=float)

    u = np.zeros(mesh.points.size)
    u[held] = values
    load = (np.zeros(mesh.points.size) if loads is None else loads.ravel()) - forces(u)
    free = np.ones(mesh.points.size)
    free[held] = load[held] = 0
    lower, place, width = mesh.band
    entries = (stiffness * free[mesh.dofs][:, :, None] * free[mesh.dofs][:, None, :])[lower]
    matrix = np.bincount(place, entries, width * u.size).reshape(width, u.size)
    matrix[0, held] = 1
    try:
        change = solveh_banded(matrix, load, overwrite_ab=True, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        change = np.full(u.size, np.inf)
    with np.errstate(invalid="ignore"):
        left = (forces(change) - load) * free
    # Rounding can hide that the stiffness is singular; what it leaves of the loads cannot.
    if not np.linalg.norm(left) <= 1e-6 * np.linalg.norm(load):
        raise ValueError("nothing keeps the body from moving: hold more of its points")
    u += change
    return Solution(mesh, laws, u.reshape(-1, 2), forces(u).reshape(-1, 2))


def grid(*axes: Any) -> tuple[Floats, NDArray[np.intp]]:
    """Return the points (n, 2) and quadrilaterals (m, 4) between the lines of two axes, row by row from below."""
    columns, rows = (np.asarray(axis, dtype=float) for axis in axes)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    number = np.arange(len(points)).reshape(len(rows), len(columns))
    corners = (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1])
    return points, np.stack(corners, axis=-1).reshape(-1, 4)


def lines(*parts: tuple[float, int]) -> Floats:
    """Return the lines of an axis: each part has a length, mm, and is cut into a number of equal elements."""
    steps = np.concatenate([np.full(n, length / n) for length, n in parts])
    return np.concatenate([[0.0], np.cumsum(steps)])
