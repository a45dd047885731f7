"""The stack against its angles, the trigonometry of a wedge, and the anatomy of what may not touch what."""

import csv
import io
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from validation import validates
from vertebra import assets
from vertebra.spine.dimensions import LEVELS, dimensions
from vertebra.spine.shape import Shape, breach, burst, chance, crush, lateral_collapse, limbus, wedge
from vertebra.spine.soft import Tissue, skin, slab, tube
from vertebra.spine.stack import (
    COLUMNS,
    CONUS,
    Pose,
    Spine,
    body_wedge,
    canal,
    curvature,
    disc_wedge,
    scene,
)
from vertebra.spine.vertebra import PARTS


@cache
def whole() -> Spine:
    return Spine()


@cache
def segment(upper: str, lower: str) -> Spine:
    return Spine((upper, lower))


def watertight(mesh) -> bool:
    """Every edge belongs to two triangles that run along it in opposite directions."""
    faces = np.asarray(mesh.faces)
    edges = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward = {tuple(edge) for edge in edges.tolist()}
    return len(forward) == len(edges) and all((b, a) in forward for a, b in forward)


# --- curvature ---


def test_every_angle_names_a_source_of_the_course_or_says_that_it_has_none():
    rows = list(csv.DictReader(io.StringIO(assets.read_text("anatomy/curvature.csv"))))
    known = {reference["id"] for reference in assets.read_yaml("evidence/references.yml")["references"]}
    for row in rows:
        assert row["source"] == "unreferenced" or row["source"] in known, row
        assert row["checked"] == ("unchecked" if row["source"] == "unreferenced" else "abstract-read"), row
    assert {row["level"] for row in rows if row["quantity"] == "segment"} >= set(LEVELS)


@pytest.mark.parametrize(("upper", "lower"), [("T6", "T12"), ("T10", "L2"), ("T12", "L2")])
def test_the_normal_spine_has_a_normal_kyphosis(upper, lower):
    table, region = curvature(), f"{upper}-{lower}"
    assert table[region, "kyphosis_low"] < whole().kyphosis(upper, lower) < table[region, "kyphosis_high"]


@validates(
    "spine.stack",
    "Lordosis from L1 to L5",
    against="the mean of a series of healthy adults, as recorded in curvature.csv",
    kind="property",
    tolerance="6 degrees",
)
def test_the_normal_spine_has_a_normal_lordosis():
    table = curvature()
    assert table["L1-L5", "lordosis_low"] < whole().lordosis("L1", "L5") < table["L1-L5", "lordosis_high"]
    # The mean of 350 healthy adults, within the spread that the series itself calls large.
    assert whole().lordosis("L1", "L5") == pytest.approx(table["L1-L5", "lordosis_mean"], abs=6)


def test_lumbar_discs_open_forwards_and_ever_more_caudally():
    wedges = [disc_wedge(level) for level in ("L1", "L2", "L3", "L4")]
    assert all(upper > lower for upper, lower in pairwise(wedges)) and wedges[0] < 0
    assert all(abs(disc_wedge(level)) < 5 for level in LEVELS[:6])


def test_the_angles_of_a_region_are_the_sum_of_its_bodies_and_discs():
    levels = LEVELS[LEVELS.index("T9") : LEVELS.index("L3") + 1]
    total = sum(body_wedge(level) for level in levels) + sum(disc_wedge(level) for level in levels[:-1])
    assert whole().kyphosis("T9", "L3") == pytest.approx(total, abs=1e-3)


# --- standing ---


@pytest.mark.parametrize("levels", [LEVELS, ("T12", "L1", "L2"), ("T8", "T9")])
def test_a_normal_stack_stands_upright_on_its_lowest_vertebra(levels):
    spine = Spine(levels)
    top, bottom = spine.poses[levels[0]].translation, spine.poses[levels[-1]].translation
    assert np.allclose(bottom, 0) and abs(top[1]) < 1e-3 and abs(top[0]) < 1e-3 and top[2] > 0


def test_neighbours_are_one_disc_apart():
    spine = whole()
    for upper, lower in spine.segments:
        foot, base = spine.landmarks(upper)[[3, 5]].mean(axis=0), spine.landmarks(lower)[[0, 2]].mean(axis=0)
        assert np.linalg.norm(foot - base) == pytest.approx(dimensions()[upper].disc_below, abs=1e-3)


@validates(
    "spine.stack",
    "Kyphosis that a wedge adds",
    against="the angle between its endplates",
    kind="property",
    tolerance="0.05 degrees",
)
@pytest.mark.parametrize("loss", [0.15, 0.3, 0.5])
def test_a_wedge_adds_its_own_angle_to_the_kyphosis_and_moves_nothing_below(loss):
    levels = ("T11", "T12", "L1", "L2")
    normal, broken = Spine(levels), Spine(levels, {"L1": wedge(loss)})
    points = broken.vertebrae["L1"].landmarks
    sup, inf = points[0] - points[2], points[3] - points[5]
    angle = np.degrees(np.arctan2(inf[2], inf[1]) - np.arctan2(sup[2], sup[1]))
    gain = angle - body_wedge("L1")
    assert gain > 3
    assert broken.kyphosis("T12", "L2") - normal.kyphosis("T12", "L2") == pytest.approx(gain, abs=0.05)
    assert broken.kyphosis("L1", "L2") - normal.kyphosis("L1", "L2") == pytest.approx(gain, abs=0.05)
    assert broken.kyphosis("T11", "T12") == pytest.approx(normal.kyphosis("T11", "T12"), abs=0.05)
    assert np.allclose(broken.poses["L2"].translation, normal.poses["L2"].translation)
    assert broken.landmarks("T11")[0, 1] > normal.landmarks("T11")[0, 1] + 3  # the trunk tips forwards


def test_a_crush_lowers_what_is_above_by_the_height_that_is_lost():
    levels = ("T12", "L1", "L2")
    normal, broken = Spine(levels), Spine(levels, {"L1": crush(0.4)})
    lost = normal.vertebrae["L1"].landmarks - broken.vertebrae["L1"].landmarks
    height = (lost[[0, 2], 2] - lost[[3, 5], 2]).mean()
    fallen = normal.poses["T12"].translation - broken.poses["T12"].translation
    assert height > 8
    assert np.linalg.norm(fallen) == pytest.approx(height, rel=0.1)


def test_a_lateral_collapse_tilts_what_is_above_towards_the_collapsed_side():
    levels = ("T12", "L1", "L2")
    tilts = {}
    for side in ("left", "right"):
        spine = Spine(levels, {"L1": lateral_collapse(0.4, side)})
        tilts[side] = spine.poses["T12"].rotation[2, 0]  # how far the right side of T12 points up
    assert tilts["left"] > 0.05 and tilts["right"] == pytest.approx(-tilts["left"], rel=0.1)
    assert abs(Spine(levels).poses["T12"].rotation[2, 0]) < 1e-3


def test_a_pose_is_rigid_and_its_inverse_leads_back():
    pose = whole().poses["T7"]
    points = np.random.default_rng(1).normal(size=(20, 3)) * 30
    assert np.allclose(pose.rotation @ pose.rotation.T, np.eye(3)) and np.linalg.det(pose.rotation) > 0
    assert np.allclose(pose.inverse().apply(pose.apply(points)), points)
    assert np.allclose(Pose().apply(points), points)


@pytest.mark.parametrize(
    ("levels", "shapes", "word"),
    [
        ((), {}, "levels"),
        (("L1", "L3"), {}, "neighbours"),
        (("L2", "L1"), {}, "neighbours"),
        (("L6",), {}, "L6"),
        (("T12", "L1"), {"L3": Shape()}, "L3"),
        (("T12", "L1"), {"L1": "wedge"}, "the shape of L1 is 'wedge'"),
    ],
)
def test_bad_stacks_are_refused_in_one_line(levels, shapes, word):
    with pytest.raises(ValueError, match=word) as error:
        Spine(levels, shapes)
    assert "\n" not in str(error.value)


def test_a_level_that_is_not_there_is_named():
    spine = segment("T12", "L1")
    for call in (spine.landmarks, spine.disc, spine.basivertebral_vein, spine.roots):
        with pytest.raises(ValueError, match="L4"):
            call("L4")
    for band in (spine.anterior_longitudinal, spine.posterior_longitudinal, spine.supraspinous):
        with pytest.raises(ValueError, match="L4"):
            band(("L1", "L4"))
    with pytest.raises(ValueError, match="L5"):
        disc_wedge("L5")
    with pytest.raises(ValueError, match="shape"):
        spine.bone_distance([[0.0, 0.0]])
    with pytest.raises(ValueError, match="lowest"):
        spine.disc("L1")


def test_a_caller_cannot_change_what_a_spine_keeps():
    shapes = {"L1": wedge(0.4)}
    spine = Spine(("T12", "L1"), shapes)
    shapes["L1"] = crush(0.4)
    assert spine.vertebrae["L1"].shape == wedge(0.4)
    for kept in (spine.poses["T12"].rotation, spine.poses["T12"].translation, spine.vertebrae["L1"].landmarks):
        with pytest.raises(ValueError, match="read-only"):
            kept[0] = 0
    with pytest.raises(TypeError):
        curvature()["L1", "segment"] = 0.0
    spine.landmarks("L1")[0] = 0  # its own copy each time
    assert abs(spine.landmarks("L1")[0]).max() > 1


@pytest.mark.parametrize(
    "shape",
    [burst(0.6, 10.0, 1.0), crush(0.6), lateral_collapse(0.6), chance(8.0), breach(5.0, 0.5), limbus(10.0)],
)
def test_all_of_a_spine_stays_closed_around_the_worst_of_each_fracture(shape):
    for name, part in scene(Spine(("T12", "L1"), {"L1": shape}), 4.0).items():
        assert np.isfinite(part.vertices).all() and watertight(part), name
        assert np.allclose(np.linalg.norm(part.normals, axis=1), 1, atol=1e-3), name


# --- closed surfaces ---


@validates(
    "spine.soft",
    "Volumes of prism, pipe and plate",
    against="the formulas for their volumes",
    kind="analytic",
    tolerance="1e-3 of the value",
)
def test_the_surfaces_enclose_the_volumes_of_the_solids_they_draw():
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    ring = np.column_stack([3 * np.cos(turn), 2 * np.sin(turn), 0 * turn])
    prism = skin([ring, ring + np.array([0, 0, 5])])
    assert prism.volume == pytest.approx(np.pi * 3 * 2 * 5, rel=1e-3)
    line = np.column_stack([np.linspace(0, 10, 8), np.zeros(8), np.zeros(8)])
    pipe = tube(line, 1.0, 2.0, across=(0, 0, 1), around=200)
    assert pipe.volume == pytest.approx(np.pi * 1 * 2 * 10, rel=1e-3)
    assert np.ptp(pipe.vertices[:, 2]) == pytest.approx(2, abs=1e-3)
    grid = np.stack(np.meshgrid(np.linspace(0, 4, 5), np.linspace(0, 3, 4), [0.0], indexing="ij"), axis=-1)[:, :, 0]
    plate = slab(grid, grid + np.array([0, 0, 2]))
    assert plate.volume == pytest.approx(24, rel=1e-6)
    for solid in (prism, pipe, plate):
        assert watertight(solid)
        out = solid.vertices - solid.vertices.mean(axis=0)
        assert (np.einsum("ij,ij->i", out, solid.normals) > 0).all()


@pytest.mark.parametrize(("upper", "lower"), [("T12", "L1"), ("L1", "L2")])
def test_a_motion_segment_is_closed_and_light(upper, lower):
    parts = scene(segment(upper, lower))
    assert sum(len(part.faces) for part in parts.values()) < 30_000
    for name, part in parts.items():
        assert np.isfinite(part.vertices).all(), name
        if isinstance(part, Tissue):
            assert watertight(part), name
            assert part.volume > 0, name
            assert np.allclose(np.linalg.norm(part.normals, axis=1), 1, atol=1e-3), name
    names = {f"{upper}-{lower}.{tissue}" for tissue in ("disc", "nucleus", "flavum", "interspinous", "facet capsules")}
    assert names | {f"{upper}.vertebra", f"{lower}.left root", "ALL", "PLL", "supraspinous", "sac", "cord"} <= set(
        parts
    )


# --- what may not touch what ---


@pytest.mark.parametrize("upper", ["T7", "T12", "L1", "L4"])
def test_soft_parts_lie_between_the_bones_and_not_in_them(upper):
    spine = segment(upper, LEVELS[LEVELS.index(upper) + 1])
    soft = spine.ligaments(upper) | {"disc": spine.disc(upper), "sac": spine.sac()}
    soft |= {f"{side} root": root for side, root in spine.roots(upper).items()}
    for name, part in soft.items():
        away = spine.bone_distance(part.vertices)
        assert np.quantile(away, 0.02) > -0.5, (name, float(away.min()))
        assert away.min() > -1.0, (name, float(away.min()))


@pytest.mark.parametrize("upper", LEVELS[:-1])
def test_the_nucleus_lies_in_the_disc(upper):
    spine = segment(upper, LEVELS[LEVELS.index(upper) + 1])
    disc, nucleus = spine.disc(upper), spine.nucleus(upper)
    assert 0.1 < nucleus.volume / disc.volume < 0.6
    assert (nucleus.vertices.max(axis=0) < disc.vertices.max(axis=0)).all()
    assert (nucleus.vertices.min(axis=0) > disc.vertices.min(axis=0)).all()
    assert spine.bone_distance(nucleus.vertices).min() > 0


def spread(part: Tissue) -> np.ndarray:
    """A closed surface's corners and the middles of its faces and edges: what lies between corners counts as well."""
    corners = part.vertices[part.faces].astype(float)
    return np.vstack([part.vertices, corners.mean(axis=1), *(corners[:, [i, i - 1]].mean(axis=1) for i in range(3))])


def width(part: Tissue, z: float) -> float:
    """The width (mm) of a band in the common frame at a height."""
    return float(np.ptp(part.vertices[np.abs(part.vertices[:, 2] - z) < 2.5, 0]))


@pytest.mark.parametrize(
    ("levels", "shapes"),
    [
        (("T8", "T9"), {}),
        (("T12", "L1"), {"L1": wedge(0.35)}),
        (("T12", "L1"), {"L1": burst(0.4, 6.0)}),
    ],
)
def test_the_longitudinal_ligaments_lie_on_bodies_and_disc(levels, shapes):
    spine = Spine(levels, shapes)
    for band in (spine.anterior_longitudinal(), spine.posterior_longitudinal()):
        assert watertight(band) and band.volume > 0
        assert spine.bone_distance(spread(band)).min() > -0.6
    # Where nothing is broken the anterior one touches the front of the body all the way down.
    front = spine.anterior_longitudinal().vertices
    at = spine.poses[levels[0]].inverse().apply(front)
    on = np.abs(at[:, 2]) < 0.4 * dimensions()[levels[0]].anterior_height
    assert spine.vertebrae[levels[0]].bone_distance(at[on]).max() < 2.0


def test_the_longitudinal_ligaments_widen_over_the_discs():
    spine, table = segment("L1", "L2"), dimensions()
    body = spine.poses["L1"].translation[2]
    disc = spine.landmarks("L1")[3:, 2].mean() - table["L1"].disc_below / 2
    front, back = spine.anterior_longitudinal(), spine.posterior_longitudinal()
    assert width(front, body) == pytest.approx(0.45 * table["L1"].upper_width, rel=0.05)
    assert 1.1 < width(front, disc) / width(front, body) < 1.3
    assert width(back, body) == pytest.approx(7.8, abs=0.8)  # [pll2018], as a mean of L1
    assert 1.5 < width(back, disc) / width(back, body) < 2.5


def test_the_sac_lies_in_every_canal_and_ends_at_s2():
    spine = whole()
    points = spine.sac().vertices
    for level, vertebra in spine.vertebrae.items():
        own = spine.poses[level].inverse().apply(points)
        height = vertebra.landmarks[:, 2]
        inside = own[(own[:, 2] > height.min()) & (own[:, 2] < height.max())]
        assert len(inside) > 20
        assert vertebra.canal_distance(inside.astype(np.float32)).max() < -0.3, level
    below = np.linalg.norm(points[points[:, 2].argmin()] - spine.landmarks("L5")[5])
    assert 35 < below < 75  # the disc L5-S1, S1 and half of S2


def radius_in(rows: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How far out (1 = on the wall) points lie in a tube of elliptical sections along the midsagittal plane."""
    nearest = np.linalg.norm(points[:, None, 1:] - rows[None, :, 1:3], axis=2).argmin(axis=1)
    row, along = rows[nearest], np.gradient(rows[:, 1:3], axis=0)[nearest]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    off = points[:, 1:] - row[:, 1:3]
    across = off[:, 0] * along[:, 1] - off[:, 1] * along[:, 0]
    return np.hypot(points[:, 0] / row[:, 3], across / row[:, 4])


def test_cord_and_cauda_lie_in_the_sac():
    spine = whole()
    sac = spine._sac
    for part in (spine.cord(), spine.cauda()):
        points = part.vertices.astype(float)
        points = points[points[:, 2] > spine.poses["L5"].translation[2] - 10]
        assert radius_in(sac, points).max() < 1.0


@validates(
    "spine.stack",
    "Where the conus ends",
    against="the range in 504 adults",
    kind="published",
    tolerance="1 mm about the disc, and between T12 and L3",
    source=("saifuddin1998",),
)
def test_the_conus_ends_at_the_disc_between_l1_and_l2():
    spine = whole()
    above, below = CONUS.split("-")
    gap = spine.landmarks(above)[5, 2], spine.landmarks(below)[2, 2]
    tip = spine.cord().vertices[:, 2].min()
    assert gap[1] - 1 < tip < gap[0] + 1
    assert np.allclose(spine.conus()[0], 0)
    # Saifuddin 1998: nobody of 504 ended above the middle of T12 or below the upper third of L3.
    assert spine.poses["L3"].translation[2] < tip < spine.poses["T12"].translation[2]


def test_a_spine_below_the_conus_holds_cauda_and_no_cord_and_one_above_it_the_reverse():
    low, high = Spine(("L3", "L4", "L5")), Spine(("T8", "T9"))
    assert low.cord() is None and low.conus() is None and low.cauda() is not None
    assert high.cauda() is None and high.conus() is None and high.cord() is not None


def test_each_root_leaves_under_its_own_pedicle():
    spine = whole()
    for level in LEVELS:
        for side, root in spine.roots(level).items():
            pedicle = spine.vertebrae[level].pedicle(side)
            own = spine.poses[level].inverse().apply(root.vertices)
            beneath = own[np.abs(own[:, 0] - pedicle.centre[0]) < 2]
            assert len(beneath) and (np.sign(own[:, 0]) == np.sign(pedicle.centre[0])).all()
            assert beneath[:, 2].max() < pedicle.centre[2] - pedicle.height / 2 + 1.0, (level, side)


def test_a_burst_fragment_dents_the_sac_and_pushes_the_ligament_back():
    normal, broken = Spine(("T12", "L1", "L2")), Spine(("T12", "L1", "L2"), {"L1": burst(0.4, 6.0)})
    depth = [spine._sac[:, 4].min() for spine in (normal, broken)]
    assert depth[1] < depth[0] - 1.0
    away = broken.bone_distance(broken.sac().vertices)
    assert np.quantile(away, 0.02) > -0.5
    assert broken.posterior_longitudinal().vertices[:, 1].min() < normal.posterior_longitudinal().vertices[:, 1].min()


def test_the_basivertebral_vein_runs_in_the_body_from_its_posterior_wall():
    spine = Spine(("L1",), {"L1": wedge(0.4)})
    points = spine.basivertebral_vein("L1").vertices
    outside = spine.bone_distance(points) > 0
    assert outside.mean() < 0.15
    assert points[:, 1].min() < spine.landmarks("L1")[[2, 5], 1].max() + 1


def test_the_columns_divide_the_vertebra_from_front_to_back():
    spine = segment("L1", "L2")
    y = [10.0, -10.0, (sum(canal("L1")[:2])) / 2]
    points = spine.poses["L1"].apply(np.column_stack([np.zeros(3), y, np.zeros(3)]))
    assert [COLUMNS[i] for i in spine.column_of("L1", points)] == ["anterior", "middle", "posterior"]


def test_only_the_joint_processes_of_neighbours_press_into_each_other_and_not_far():
    spine = whole()
    for upper, lower in spine.segments:
        mesh = spine.vertebrae[upper].mesh(2.0)
        own = spine.poses[lower].inverse().apply(spine.poses[upper].apply(mesh.vertices))
        depth = spine.vertebrae[lower].bone_distance(own.astype(np.float32))
        # The stack bends where the drawn processes do not: the limits are what the module's head admits.
        limit = {"T12": 3.0, "L1": 3.0, "L2": 3.0, "L3": 4.5, "L4": 4.5}.get(upper, 2.0)
        assert depth.min() > -limit, (upper, lower)
        touching = np.isin(mesh.faces, np.flatnonzero(depth < -0.5)).any(axis=1)
        names = {PARTS[part] for part in mesh.parts[touching]}
        assert names <= {"inferior articular process", "lamina", "spinous process"}, (upper, lower, names)
