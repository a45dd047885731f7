"""The vertebra against what was asked of it, read again from its mesh and its voxels as a reader would."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import cKDTree

from vertebra.spine import shape as deformity
from vertebra.spine.dimensions import LEVELS, dimensions
from vertebra.spine.shape import Shape
from vertebra.spine.vertebra import PARTS, Vertebra

DEFORMITIES = {
    "normal": Shape(),
    "wedge": deformity.wedge(0.25),
    "severe wedge": deformity.wedge(0.45),
    "biconcave": deformity.biconcave(0.3),
    "crush": deformity.crush(0.4),
    "burst": deformity.burst(0.35, 5.0),
    "lateral collapse": deformity.lateral_collapse(0.3),
    "Scheuermann": deformity.scheuermann(),
}


FINE = 0.25  # mm, how finely sections are sampled to be read


def contour(vertebra, across):
    """Return points (n, 2) of the contour that a plane cuts: x = 0 gives (y, z), y = 0 gives (x, z)."""
    wall = vertebra.dimensions.upper_depth / 2
    low, high = (-wall - 10, wall + 3) if across == "x" else (-32, 32)
    u, w = np.arange(low, high, FINE), np.arange(-21, 24, FINE)
    plane = np.zeros((len(u), len(w), 3))
    plane[..., 1 if across == "x" else 0], plane[..., 2] = u[:, None], w
    field = vertebra.distance(plane.reshape(-1, 3)).reshape(len(u), len(w)).astype(float)
    found = []
    for axis in (0, 1):
        a, b = np.moveaxis(field, axis, 0)[:-1], np.moveaxis(field, axis, 0)[1:]
        i, j = np.nonzero((a < 0) != (b < 0))
        t = a[i, j] / (a[i, j] - b[i, j])
        along, other = (u, w) if axis == 0 else (w, u)
        point = np.column_stack([along[i] + t * FINE, other[j]])
        found.append(point if axis == 0 else point[:, ::-1])
    return np.concatenate(found)


def section(mesh, axis):
    """Return points (n, 2) of the contour in which a mesh meets the plane where one coordinate is 0."""
    corners = mesh.vertices.astype(float)[mesh.faces]
    side = corners[:, :, axis] > 0
    cut = side.any(axis=1) & ~side.all(axis=1)
    corners, side = corners[cut], side[cut]
    ends = []
    for i, j in ((0, 1), (1, 2), (2, 0)):
        a, b = corners[:, i], corners[:, j]
        t = a[:, axis] / np.where(side[:, i] != side[:, j], a[:, axis] - b[:, axis], 1)
        ends.append(np.where((side[:, i] != side[:, j])[:, None], a + t[:, None] * (b - a), np.nan))
    ends = np.stack(ends, axis=1)
    lines = np.delete(ends[~np.isnan(ends[..., 0])].reshape(-1, 2, 3), axis, axis=2)
    fine = np.linspace(0, 1, 8)[:, None]
    return (lines[:, :1] * (1 - fine) + lines[:, 1:] * fine).reshape(-1, 2)


def six_heights(vertebra, sagittal, coronal):
    """Return anterior, middle and posterior height as read from the midsagittal section and the lateral silhouette.

    A corner is the middle of what a line at 45 degrees cuts off when it reaches half a millimetre into the bone. The
    silhouette over the body's centre is the outline of the coronal section there.
    """
    points = sagittal[sagittal[:, 0] > -vertebra.dimensions.upper_depth / 2 - 9.5]  # the arch lies behind

    def corner(forward, up):
        outward, along = np.array([forward, up]) / math.sqrt(2), np.array([forward, -up]) / math.sqrt(2)
        depth = points @ outward
        tip = points[depth > depth.max() - 0.5]
        order = np.argsort(tip @ along)
        across, weight = (tip @ along)[order], (tip @ outward)[order] - depth.max() + 0.5
        place = np.trapezoid(weight * across, across) / np.trapezoid(weight, across)
        return np.interp(place, across, tip[order] @ [0, 1])

    anterior = corner(1, 1) - corner(1, -1)
    posterior = corner(-1, 1) - corner(-1, -1)
    midline = points[np.abs(points[:, 0]) < 0.15, 1]
    middle = midline[midline > 0].mean() - midline[midline < 0].mean()
    return np.array([anterior, (middle + np.ptp(coronal[:, 1])) / 2, posterior])


def read(vertebra):
    return six_heights(vertebra, contour(vertebra, "x"), contour(vertebra, "y"))


@pytest.fixture(scope="module")
def normal_heights():
    return {level: read(Vertebra(level)) for level in LEVELS}


@pytest.mark.parametrize("name", DEFORMITIES)
@pytest.mark.parametrize("level", LEVELS)
def test_heights_read_from_the_sections_are_the_requested_ones(level, name, normal_heights):
    vertebra = Vertebra(level, DEFORMITIES[name])
    heights = read(vertebra)
    assert heights == pytest.approx(vertebra.heights, abs=0.3)
    loss = 1 - heights / normal_heights[level]
    wanted = [vertebra.shape.anterior, vertebra.shape.middle, vertebra.shape.posterior]
    assert 100 * loss == pytest.approx(100 * np.array(wanted), abs=0.5)


@pytest.mark.parametrize("name", ["severe wedge", "crush", "burst"])
def test_heights_read_from_the_mesh_are_the_requested_ones(name):
    vertebra = Vertebra("L1", DEFORMITIES[name])
    mesh = vertebra.mesh(0.6)
    assert six_heights(vertebra, section(mesh, 0), section(mesh, 1)) == pytest.approx(vertebra.heights, abs=0.3)
