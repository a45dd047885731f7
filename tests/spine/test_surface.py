"""Surface nets against shapes whose area, volume and number of holes are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation import validates
from vertebra.spine.surface import polish, sheets, surface


def grid(half, spacing):
    axis = np.arange(-half, half + spacing / 2, spacing)
    return np.meshgrid(axis, axis, axis, indexing="ij"), np.full(3, axis[0])


def sphere(points):
    return np.linalg.norm(points, axis=-1) - 5


def torus(points):
    return np.hypot(np.hypot(points[..., 0], points[..., 1]) - 6, points[..., 2]) - 2.5


def area_and_volume(vertices, faces):
    a, b, c = (vertices.astype(float)[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    return np.linalg.norm(across, axis=1).sum() / 2, (a * across).sum() / 6


def directed_edges(faces):
    return {(int(a), int(b)): 0 for a, b in faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)}


def euler(vertices, faces):
    return len(vertices) - len({tuple(sorted(edge)) for edge in directed_edges(faces)}) + len(faces)


@validates(
    "spine.surface",
    "Area, volume and holes of a sphere and a torus",
    against="the formulas for them",
    kind="analytic",
    tolerance="0.006 of the value, polished",
)
@pytest.mark.parametrize(
    ("shape", "area", "volume", "number"),
    [
        (sphere, 4 * math.pi * 25, 4 / 3 * math.pi * 125, 2),
        (torus, 4 * math.pi**2 * 6 * 2.5, 2 * math.pi**2 * 6 * 2.5**2, 0),
    ],
)
def test_area_volume_and_holes(shape, area, volume, number):
    points, origin = grid(10, 0.5)
    vertices, faces = surface(shape(np.stack(points, axis=-1)), origin, 0.5)
    # A positive volume also says that the triangles face outwards. Vertices that are means of crossings lie inside.
    assert area_and_volume(vertices, faces) == pytest.approx((area, volume), rel=0.02)
    polished, _ = polish(shape, vertices, 0.25)
    assert area_and_volume(polished, faces) == pytest.approx((area, volume), rel=0.006)
    assert euler(vertices, faces) == number
    edges = directed_edges(faces)
    assert len(edges) == 3 * len(faces)  # no edge is run through twice in one direction
    assert all((b, a) in edges for a, b in edges)


def test_polished_vertices_lie_on_the_surface_and_their_normals_are_its_normals():
    points, origin = grid(9, 1.0)
    vertices, _ = surface(torus(np.stack(points, axis=-1)), origin, 1.0)
    raw = np.abs(torus(vertices)).max()
    vertices, normals = polish(torus, vertices, 0.5)
    assert np.abs(torus(vertices)).max() < 2e-3 < raw
    ring = vertices * [1, 1, 0]
    outward = vertices - 6 * ring / np.linalg.norm(ring, axis=1, keepdims=True)
    assert (normals * outward).sum(axis=1) / 2.5 == pytest.approx(np.ones(len(normals)), abs=2e-3)


def test_no_vertex_is_polished_further_than_its_reach():
    start = np.array([[7.0, 0.0, 0.0]], dtype=np.float32)
    moved, _ = polish(sphere, start, reach=0.5)
    assert moved[0] == pytest.approx([6.5, 0, 0], abs=1e-3)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_even_noise_gives_a_closed_surface(seed):
    """Two sheets through one cell are the hard case, and noise has them everywhere."""
    field = np.random.default_rng(seed).normal(size=(5, 6, 4))
    _, faces = surface(field)
    edges = directed_edges(faces)
    assert len(edges) == 3 * len(faces)
    assert all((b, a) in edges for a, b in edges)


def test_two_touching_corners_stay_two_surfaces():
    field = np.ones((4, 4, 4))
    field[1, 1, 1] = field[2, 2, 2] = -1
    vertices, faces = surface(field)
    assert euler(vertices, faces) == 4
    assert sheets().max() == 3  # four corners of a cell at most are apart from each other


def test_what_touches_the_border_is_capped_there():
    vertices, faces = surface(-np.ones((5, 4, 3)), origin=(10.0, 20.0, 30.0), spacing=2.0)
    assert euler(vertices, faces) == 2
    assert vertices.min(axis=0) == pytest.approx([9, 19, 29], abs=0.7)
    assert vertices.max(axis=0) == pytest.approx([19, 27, 35], abs=0.7)


def test_a_field_without_a_surface_has_no_triangles():
    vertices, faces = surface(np.ones((3, 3, 3)))
    assert vertices.shape == (0, 3)
    assert faces.shape == (0, 3)


@pytest.mark.parametrize(
    ("field", "spacing", "word"),
    [(np.ones((3, 3)), 1.0, "3-D"), (np.ones((3, 3, 1)), 1.0, "samples"), (np.ones((3, 3, 3)), 0.0, "spacing"),
     (np.full((3, 3, 3), np.nan), 1.0, "finite"), ([[1.0, 2.0]], 1.0, "3-D")],
)  # fmt: skip
def test_a_field_that_cannot_be_contoured_is_refused(field, spacing, word):
    with pytest.raises(ValueError, match=word):
        surface(field, spacing=spacing)
