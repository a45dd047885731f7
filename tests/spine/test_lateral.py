"""The lateral model against geometry worked out by hand, and against what was asked of it."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebra import assets, evidence
from vertebra.measure import morphometry
from vertebra.spine import lateral
from vertebra.spine.lateral import Shape

losses = st.floats(0, 0.6)
shapes = st.builds(Shape, losses, losses, losses, st.floats(0, 1), st.floats(0, 1))


@given(shapes)
def test_measured_heights_are_the_requested_ones(shape):
    normal = lateral.dimensions()["L1"]
    points = morphometry.SixPoints.from_array(lateral.lateral(shape).landmarks("L1"))
    wanted = np.array(normal.heights) * (1 - np.array([shape.anterior, shape.middle, shape.posterior]))
    got = [points.heights.anterior, points.heights.middle, points.heights.posterior]
    # The landmarks stand above each other, so only the height itself separates them.
    assert got == pytest.approx(wanted, abs=1e-9)


@given(shapes)
def test_a_pose_moves_nothing_within_a_vertebra_and_discs_keep_their_height(shape):
    scene = lateral.lateral(shape, tilt=0.1)
    for upper, lower in (("L1", "L2"), ("T12", "L1")):
        top, floor = scene.landmarks(upper)[[3, 5]], scene.landmarks(lower)[[0, 2]]
        gap = top.mean(axis=0) - floor.mean(axis=0)
        assert math.hypot(*gap) == pytest.approx(lateral.dimensions()[upper].disc_below)
        chords = [np.subtract(*ends) / np.linalg.norm(np.subtract(*ends)) for ends in (top, floor)]
        assert chords[0] == pytest.approx(chords[1])
    own = scene.bodies["T12"].landmarks
    moved = scene.landmarks("T12")
    assert np.linalg.norm(moved[0] - moved[5]) == pytest.approx(np.linalg.norm(own[0] - own[5]))


def test_an_anterior_loss_tilts_everything_above_by_its_wedge_angle():
    flat, wedged = lateral.lateral(Shape()), lateral.lateral(Shape(anterior=0.25))
    normal = lateral.dimensions()["L1"]
    before = math.atan2(normal.posterior_height - normal.anterior_height, 2 * normal.endplate_depth)
    lost = 0.25 * normal.anterior_height
    rise = (normal.posterior_height - normal.anterior_height) / 2
    after = math.atan2(rise + lost, normal.endplate_depth)
    turned = math.degrees(wedged.poses["T12"].angle - flat.poses["T12"].angle)
    # x runs anteriorly: a spine that sinks in front turns clockwise, to negative angles.
    assert turned == pytest.approx(-math.degrees(after - math.atan2(rise, normal.endplate_depth)))
    assert before > 0


def test_signs_of_the_normal_dimensions():
    table = lateral.dimensions()
    assert table["L1"].posterior_height > table["L1"].anterior_height
    assert table["L1"].endplate_depth < table["L2"].endplate_depth


def test_each_dimension_says_its_source_and_what_nobody_opened_is_marked():
    for row in csv.DictReader(io.StringIO(assets.read_text("anatomy/dimensions.csv"))):
        if row["source"] == "unreferenced":
            assert row["checked"] == "unchecked", row
        else:
            assert row["checked"] == evidence.references()[row["source"]].checked


@pytest.mark.parametrize(
    ("name", "value"),
    [("anterior", -0.01), ("middle", 0.71), ("posterior", 0.61), ("wall", 1.01), ("anterior", math.nan)],
)
def test_a_shape_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        Shape(**{name: value})


def test_a_broken_wall_bulges_backwards_from_its_top_and_leaves_the_corners():
    normal, broken = lateral.body(lateral.dimensions()["L1"]), lateral.body(lateral.dimensions()["L1"], Shape(wall=0.5))
    shift = (broken.outline - normal.outline)[:, 0]
    assert shift.min() == pytest.approx(-lateral.BULGE_MM * 0.5, rel=0.02)
    assert shift.max() == pytest.approx(0)
    moved = normal.outline[shift < -1e-9]
    assert moved[:, 0].max() < 0
    assert moved[:, 1].min() > -0.1  # half of the wall, the upper half
    assert broken.landmarks == pytest.approx(normal.landmarks)


def test_the_picture_is_well_formed_and_says_what_it_shows():
    from xml.etree import ElementTree

    root = ElementTree.fromstring(lateral.draw(Shape(0.3), 'A "wedge" & more'))
    assert root.get("aria-label") == 'A "wedge" & more'
    drawn = {node.get("data-part") for node in root.iter()}
    assert set(lateral.parts(lateral.lateral(Shape()))) <= drawn


def test_random_cases_are_repeatable_and_hold_every_grade():
    one, two = (np.random.default_rng(4) for _ in range(2))
    assert lateral.random_shape(one) == lateral.random_shape(two)
    rng = np.random.default_rng(0)
    loss = [max(s.anterior, s.middle, s.posterior) for s in (lateral.random_shape(rng) for _ in range(400))]
    grades = np.bincount(morphometry.genant_grade(np.array(loss)), minlength=4)
    assert (grades > 20).all()
