"""The vertebra against what was asked of it, read again from its mesh and its voxels as a reader would."""

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import cKDTree

from validation import validates
from vertebra.measure.morphometry import SixPoints, height_loss
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


@validates(
    "spine.vertebra",
    "Heights and losses of every deformity at every level",
    against="the heights and losses that were asked for",
    kind="property",
    tolerance="0.3 mm and 0.5 percentage points",
)
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


def run(bone, start, step):
    """Return the length of bone through a place, from partial volumes, in steps of the grid along both directions."""
    total = bone[start]
    for sign in (1, -1):
        place = np.array(start)
        while True:
            place = place + sign * np.array(step)
            share = bone[tuple(place)]
            total += share
            if share < 0.02:
                break
    return total


@validates(
    "spine.vertebra",
    "Endplates, pedicles and canal measured in the voxels",
    against="the table of dimensions",
    kind="property",
    tolerance="0.5 mm",
)
@pytest.mark.parametrize("level", LEVELS)
def test_dimensions_read_from_the_voxels_are_those_of_the_table(level):
    vertebra, d = Vertebra(level), dimensions()[level]
    h = 0.5
    voxels = vertebra.voxels(h)
    bone, origin = voxels.cortical + voxels.trabecular, voxels.origin
    wall = -max(d.upper_depth, d.lower_depth) / 2

    def at(x, y, z):
        return tuple(np.round((np.array([x, y, z]) - origin) / h).astype(int))

    got = {}
    for name, z, inwards in (("upper", vertebra.landmarks[1, 2], -1), ("lower", vertebra.landmarks[4, 2], 1)):
        # Just inside the rim; in front of the pedicles and the facets for the ribs.
        slices = [at(0, 0, z + inwards * deep)[2] for deep in (1.0, 1.5, 2.0)]
        front = at(0, wall + 9, 0)[1]
        got[f"{name}_width"] = h * bone[:, front:, slices].sum(axis=0).max()
        got[f"{name}_depth"] = h * max(run(bone, (at(0, 0, 0)[0], at(0, 0, 0)[1], k), (0, 1, 0)) for k in slices)
    pedicle = vertebra.pedicle("right")
    across, along = np.array([pedicle.axis[1], -pedicle.axis[0], 0]), np.arange(-15, 15, 0.1)
    sizes = {"pedicle_width": [], "pedicle_height": []}
    for shift in np.arange(-2, 2.1, 0.5):
        for name, direction in (("pedicle_width", across), ("pedicle_height", np.array([0, 0, 1]))):
            points = pedicle.centre + shift * pedicle.axis + along[:, None] * direction
            line = ndimage.map_coordinates(bone, ((points - origin) / h).T, order=1) > 0.5
            label, _ = ndimage.label(line)
            sizes[name].append(0.1 * (label == label[len(along) // 2]).sum())
    got |= {name: min(values) for name, values in sizes.items()}
    # The canal where pedicles and laminae close it to a ring.
    wide, deep = [], []
    for z in np.arange(pedicle.centre[2] - 4, pedicle.centre[2] + 4.1, h):
        place = at(0, wall - d.canal_depth / 2, z)
        hole = 1 - bone[:, :, place[2]]
        ring = ndimage.label(hole > 0.5)[0]
        if ring[place[:2]] != ring[0, 0]:
            deep.append(run(hole, place[:2], (0, 1)))
        wide.append(run(hole, at(0, pedicle.centre[1], z)[:2], (1, 0)))
    got |= {"canal_width": h * min(wide), "canal_depth": h * min(deep)}
    assert got == pytest.approx({name: getattr(d, name) for name in got}, abs=0.5)


@pytest.mark.parametrize("name", [*DEFORMITIES, "severe crush"])
@pytest.mark.parametrize("level", ["T6", "T12", "L4"])
def test_bone_is_one_piece_with_one_hole_and_its_mesh_is_closed(level, name):
    shape = DEFORMITIES.get(name, deformity.crush(0.6))
    vertebra = Vertebra(level, shape)
    voxels = vertebra.voxels(1.0)
    assert ndimage.label(voxels.cortical + voxels.trabecular > 0.5)[1] == 1
    mesh = vertebra.mesh(1.3)
    forth = mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64) @ [len(mesh.vertices), 1]
    back = mesh.faces[:, [1, 0, 2, 1, 0, 2]].reshape(-1, 2).astype(np.int64) @ [len(mesh.vertices), 1]
    assert len(np.unique(forth)) == len(forth)
    assert np.array_equal(np.sort(forth), np.sort(back))
    assert len(mesh.vertices) - len(forth) // 2 + len(mesh.faces) == 0  # Euler's number of a surface with one hole
    corners = mesh.vertices.astype(float)[mesh.faces]
    volume = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx((voxels.cortical + voxels.trabecular).sum(), rel=0.02)
    assert np.percentile(np.abs(vertebra.distance(mesh.vertices)), 99) < 0.06


def test_fragments_are_separate_only_where_the_deformity_is_a_split():
    def pieces(shape):
        voxels = Vertebra("L2", shape).voxels(0.7)
        size = np.bincount(ndimage.label(voxels.cortical + voxels.trabecular > 0.5)[0].ravel())[1:]
        return int((size > 50).sum())

    assert pieces(deformity.limbus(8)) == 2
    assert pieces(deformity.chance(4)) == 1  # it hinges on the front of the body
    for shape in (deformity.breach(4, 0.2), deformity.wall_defect(0.6), deformity.schmorl(6), deformity.kuemmell()):
        assert pieces(shape) == 1


@pytest.mark.parametrize("level", ["T8", "L1", "L4"])
def test_the_canal_is_open_and_a_fragment_narrows_it(level):
    vertebra = Vertebra(level)
    voxels = vertebra.voxels(1.0)
    points = voxels.points()
    bone = (voxels.cortical + voxels.trabecular)[np.nonzero(voxels.cortical + voxels.trabecular)]
    assert (vertebra.canal_distance(points[bone > 0.5]) > -1).all()
    assert vertebra.stenosis == 0
    series = [Vertebra(level, deformity.burst(0.3, far)).stenosis for far in (1.0, 2.0, 3.5, 5.0, 6.5, 8.0)]
    assert (np.diff([0.0, *series]) > 0).all()
    # What is taken, measured on the voxels: the worst slice of the broken one, in front of the lamina.
    broken = Vertebra(level, deformity.burst(0.3, 5.0))
    voxels, d = broken.voxels(1.0), broken.dimensions
    x, y = (o + np.arange(n) for o, n in zip(voxels.origin[:2], voxels.cortical.shape[:2], strict=True))
    plane = np.stack([*np.meshgrid(x, y, [0.0], indexing="ij")], axis=-1)[:, :, 0]
    canal = broken.canal_distance(plane.reshape(-1, 3)).reshape(len(x), len(y))
    area = np.clip(0.5 - canal, 0, 1)
    front = area * (y > broken.landmarks[5, 1] - 0.65 * d.canal_depth)
    slices = ((voxels.cortical + voxels.trabecular) * front[..., None]).sum(axis=(0, 1)) / area.sum()
    z = voxels.origin[2] + np.arange(len(slices))
    top, foot = broken.landmarks[[2, 5], 2]
    assert slices[(z > foot) & (z < top)].max() == pytest.approx(series[3], abs=0.05)


@validates(
    "spine.vertebra",
    "Distance to the surface of the bone",
    against="the nearest of its densely sampled points",
    kind="computation",
    tolerance="0.2 mm",
)
@pytest.mark.parametrize(("level", "name"), [("T8", "normal"), ("L1", "wedge"), ("L3", "crush")])
def test_distances_are_true_distances(level, name):
    vertebra = Vertebra(level, DEFORMITIES[name])
    mesh = vertebra.mesh(0.45)
    rng = np.random.default_rng(1)
    points = mesh.vertices[rng.integers(len(mesh.vertices), size=1500)] + rng.normal(scale=3, size=(1500, 3))
    middles = mesh.vertices[mesh.faces].mean(axis=1)
    brute, _ = cKDTree(np.concatenate([mesh.vertices, middles])).query(points)
    near = brute < 6
    got = vertebra.bone_distance(points[near])
    # The samples of the surface are 0.2 mm apart, which adds at most 0.02 mm to distances of 1 mm and more.
    assert np.abs(np.abs(got) - brute[near]).max() < 0.2
    assert ((got < 0) == (vertebra.distance(points[near]) < 0)).all()


@pytest.mark.parametrize("level", ["T7", "T12", "L4"])
def test_canal_distance_is_the_distance_to_the_canal_wall_alone(level):
    vertebra, d = Vertebra(level, deformity.crush(0.5)), dimensions()[level]
    wall = -max(d.upper_depth, d.lower_depth) / 2
    x, y = np.meshgrid(np.linspace(-20, 20, 900), np.linspace(wall - 24, wall + 6, 900), indexing="ij")
    flat = np.stack([x, y, 0 * x], axis=-1)
    inside = (vertebra.canal_distance(flat.reshape(-1, 3)) < 0).reshape(x.shape)
    border = np.argwhere(inside & ~ndimage.binary_erosion(inside))
    tree = cKDTree(flat[border[:, 0], border[:, 1], :2])
    rng = np.random.default_rng(0)
    points = rng.uniform([-18, wall - 22, -30], [18, wall + 5, 30], size=(800, 3))
    assert np.abs(vertebra.canal_distance(points)) == pytest.approx(tree.query(points[:, :2])[0], abs=0.06)
    # Its width and depth are the table's.
    across, along = inside.any(axis=1), inside.any(axis=0)
    assert np.ptp(x[across, 0]) == pytest.approx(d.canal_width, abs=0.15)
    assert np.ptp(y[0, along]) == pytest.approx(d.canal_depth, abs=0.15)


@pytest.mark.parametrize("loss", [0.0, 0.3, 0.6])
def test_pedicles_follow_the_collapsed_wall_and_are_in_bone(loss):
    vertebra = Vertebra("L1", deformity.crush(loss))
    top, foot = vertebra.landmarks[[2, 5], 2]
    for side, sign in (("right", 1), ("left", -1)):
        pedicle = vertebra.pedicle(side)
        assert sign * pedicle.centre[0] > 0
        assert foot < pedicle.centre[2] < top
        along = pedicle.centre + np.linspace(-4, 8, 13)[:, None] * pedicle.axis
        assert (vertebra.distance(along) < -2).all()
        assert pedicle.axis[1] > 0.8
        assert np.linalg.norm(pedicle.axis) == pytest.approx(1)
    # Half way up the wall that is lost the arch has sunk with it.
    arch = vertebra.mesh(2.0).vertices[:, 2].max() - Vertebra("L1").mesh(2.0).vertices[:, 2].max()
    assert arch == pytest.approx(-0.9 * loss * vertebra.dimensions.posterior_height * (0.3 + 0.25), abs=3.5)


def test_regions_differ_as_they_do_in_the_spine():
    thoracic, lumbar = Vertebra("T8").mesh(1.5), Vertebra("L3").mesh(1.5)

    def part(mesh, name):
        return mesh.vertices[mesh.faces[mesh.parts == PARTS.index(name)]].mean(axis=1)

    def facing(mesh, name, direction):
        """Return how much of a part's surface faces a direction on the right side, within 35 degrees, mm^2."""
        corners = mesh.vertices[mesh.faces[mesh.parts == PARTS.index(name)]]
        corners = corners[corners[..., 2].min(axis=1) > 9]  # above the pedicle
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        size = np.linalg.norm(across, axis=1)
        unit = np.array(direction) / np.linalg.norm(direction)
        return (size[(across @ unit > 0.82 * size) & (corners[:, :, 0].mean(axis=1) > 0)] / 2).sum()

    spinous = part(thoracic, "spinous process")
    assert np.ptp(spinous[:, 2]) > 25  # long and sloping
    assert len(part(lumbar, "costal facet")) == 0
    assert len(part(thoracic, "costal facet")) > 50
    # Superior facets: thoracic ones face backwards, lumbar ones inwards.
    name = "superior articular process"
    assert facing(thoracic, name, (0, -1, 0)) > 2 * facing(thoracic, name, (-1, 0, 0))
    assert facing(lumbar, name, (-1, -0.3, 0)) > 1.5 * facing(lumbar, name, (0, -1, 0))
    for mesh in (thoracic, lumbar):
        assert set(range(9)) <= set(np.unique(mesh.parts).tolist())
        up = mesh.normals[mesh.faces].mean(axis=1)[:, 2]
        assert (up[mesh.parts == PARTS.index("superior endplate")] > 0.5).all()
        assert (up[mesh.parts == PARTS.index("inferior endplate")] < -0.5).all()


def test_cortex_surrounds_trabecular_bone():
    voxels = Vertebra("L2").voxels(1.0)
    assert ((voxels.cortical >= 0) & (voxels.trabecular >= 0)).all()
    assert (voxels.cortical + voxels.trabecular <= 1 + 1e-6).all()
    spongy = voxels.trabecular > 0.5
    assert (voxels.cortical + voxels.trabecular)[ndimage.binary_dilation(spongy)].min() > 0.02
    share = voxels.cortical.sum() / (voxels.cortical + voxels.trabecular).sum()
    assert 0.15 < share < 0.45
    index = np.argwhere(spongy)[7]
    assert voxels.affine @ [*index, 1] == pytest.approx([*(voxels.origin + index), 1])


def test_damage_is_where_it_is_said_to_be():
    sound = Vertebra("L1")
    d = sound.dimensions
    hole = Vertebra("L1", deformity.breach(3.5))
    spot = np.array([[0.14 * d.upper_width, 0.15 * d.upper_depth, sound.landmarks[1, 2] - 1.5]])
    assert sound.distance(spot)[0] < 0 < hole.distance(spot)[0]
    defect = Vertebra("L1", deformity.wall_defect(0.5))
    spot = np.array([[0.0, -d.upper_depth / 2 + 2, 5.0]])
    assert sound.distance(spot)[0] < 0 < defect.distance(spot)[0]
    dented = Vertebra("L1", deformity.schmorl(5))
    spot = np.array([[0.06 * d.upper_width, -0.22 * d.upper_depth, sound.landmarks[1, 2] - 4]])
    assert sound.distance(spot)[0] < 0 < dented.distance(spot)[0]
    gas = Vertebra("L1", deformity.cleft(5)).voxels(1.0)
    lost = Vertebra("L1").voxels(1.0)
    assert (lost.trabecular.sum() - gas.trabecular.sum()) > 500  # mm^3 of an ellipsoid some 20 x 20 x 5 mm
    split = Vertebra("L1", deformity.chance(4))
    assert split.heights[2] == pytest.approx(d.posterior_height + 4)
    back = np.array([[0.0, split.landmarks[2, 1] - 35, z] for z in np.arange(-30, 25, 0.5)])
    inside = split.distance(back) < 0
    assert ndimage.label(inside)[1] == 2  # the spinous process, in two


def test_a_lateral_collapse_sinks_on_its_side():
    for side, sign in (("right", 1), ("left", -1)):
        mesh = Vertebra("L2", deformity.lateral_collapse(0.3, side)).mesh(1.5)
        top = mesh.vertices[mesh.faces[mesh.parts == PARTS.index("superior endplate")]].mean(axis=1)
        assert top[sign * top[:, 0] > 10, 2].mean() < top[sign * top[:, 0] < -10, 2].mean() - 4


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Vertebra("C7"), "C7"),
        (lambda: Shape(anterior=0.9), "anterior"),
        (lambda: Shape(lateral=-1.5), "lateral"),
        (lambda: Shape(split=math.nan), "split"),
        (lambda: Shape(node="deep"), "node"),
        (lambda: deformity.lateral_collapse(0.2, "front"), "front"),
        (lambda: Vertebra("L1").voxels(0.1), "spacing"),
        (lambda: Vertebra("L1").mesh(9), "spacing"),
        (lambda: Vertebra("L1").pedicle("both"), "both"),
        (lambda: Vertebra("L1", "wedge"), "the shape of L1 is 'wedge'"),
        (lambda: Vertebra("L1").mesh("fine"), "spacing is 'fine'"),
        (lambda: Vertebra("L1").distance([[1.0, 2.0]]), "shape \\(1, 2\\)"),
        (lambda: Vertebra("L1").bone_distance([[0.0, 0.0, math.nan]]), "not finite"),
        (lambda: Vertebra("L1").canal_distance(5.0), "shape \\(\\)"),
    ],
)
def test_bad_input_is_refused_by_name(call, word):
    with pytest.raises(ValueError, match=word):
        call()


def corners_and_between():
    """Any value of any field, the ends of its range more often than what lies between."""
    values = {}
    for field in fields(Shape):
        least, most = field.metadata.get("least", 0.0), field.metadata["limit"]
        values[field.name] = st.sampled_from([field.default, least, most]) | st.floats(least, most)
    return st.builds(Shape, **values)


@settings(max_examples=60)
@given(st.sampled_from(LEVELS), corners_and_between(), st.sampled_from([2.0, 4.0]))
@example("T6", Shape(wall=1 / 64, retropulsion=4.0, buckling=1.0, split=8.0), 2.0)
def test_any_shape_is_a_closed_body_or_is_refused_with_a_mend(level, shape, spacing):
    vertebra = Vertebra(level, shape)
    try:
        points = vertebra.landmarks
    except ValueError as error:
        assert str(error).startswith(level) and "; give " in str(error) and "\n" not in str(error)
        with pytest.raises(ValueError, match="; give "):
            vertebra.mesh(spacing)
        return
    assert points[:3, 2] - points[3:, 2] == pytest.approx(vertebra.heights, abs=1.8)
    mesh, voxels = vertebra.mesh(spacing), vertebra.voxels(spacing)
    forth = mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64) @ [len(mesh.vertices), 1]
    back = mesh.faces[:, [1, 0, 2, 1, 0, 2]].reshape(-1, 2).astype(np.int64) @ [len(mesh.vertices), 1]
    assert np.array_equal(np.unique(forth), np.sort(back))
    assert np.isfinite(mesh.vertices).all()
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(np.ones(len(mesh.normals)), abs=1e-3)
    bone = voxels.cortical + voxels.trabecular
    assert voxels.cortical.min() >= 0 and voxels.trabecular.min() >= 0 and bone.max() < 1 + 1e-5
    for axis in range(3):  # the grid reaches around all of it
        assert np.take(bone, [0, -1], axis=axis).max() == 0
    assert 0 <= vertebra.stenosis < 1


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (Shape(middle=0.7), "middle loss than 0.70"),
        (Shape(0.7, 0.45, split=8.0), "split of 8 mm would miss its body"),
        (Shape(wall=0.002, retropulsion=10.0), "larger wall or less retropulsion"),
    ],
)
def test_a_shape_that_the_body_cannot_take_is_refused_before_anything_is_drawn(shape, words):
    for call in (lambda v: v.landmarks, lambda v: v.mesh(3), lambda v: v.voxels(3), lambda v: v.distance([[0, 0, 0]])):
        with pytest.raises(ValueError, match=words):
            call(Vertebra("T11", shape))


def test_a_mimic_is_no_fracture_by_its_heights():
    for level in LEVELS:
        normal = SixPoints.from_array(Vertebra(level).landmarks[:, 1:]).heights
        for mimic in (deformity.scheuermann, deformity.physiological_wedge, deformity.schmorl, deformity.limbus):
            points = SixPoints.from_array(Vertebra(level, mimic()).landmarks[:, 1:])
            assert height_loss(points.heights, normal).grade == 0, (level, mimic.__name__)
        broken = SixPoints.from_array(Vertebra(level, deformity.kuemmell()).landmarks[:, 1:])
        assert height_loss(broken.heights, normal).grade >= 2  # not a mimic of height: a fracture that did not heal


def test_numbers_of_numpy_make_the_same_vertebra():
    loss = np.float64(0.25)
    given, plain = (Vertebra("L1", Shape(each)) for each in (loss, 0.25))
    assert given == plain and hash(given) == hash(plain)
    assert given.mesh(3).vertices.dtype == np.float32
    assert np.array_equal(given.mesh(3).vertices, plain.mesh(3).vertices)
    assert Shape(np.float32(0.5)).anterior == Shape(anterior=0.5).anterior


def test_a_caller_cannot_change_what_a_vertebra_keeps():
    with pytest.raises(ValueError, match="read-only"):
        Vertebra("L1").landmarks[0] += 1
    with pytest.raises(TypeError):
        dimensions()["L1"] = dimensions()["L2"]
