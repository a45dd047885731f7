"""The lateral model against geometry worked out by hand, and against what was asked of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation import USUAL, validates
from vertebra.measure import morphometry
from vertebra.spine import lateral
from vertebra.spine.dimensions import dimensions
from vertebra.spine.shape import Shape
from vertebra.spine.vertebra import Vertebra

losses = st.floats(0, 0.6)
shapes = st.builds(Shape, losses, losses, losses, st.floats(0, 1), st.floats(0, 1))


@validates(
    "spine.lateral",
    "Heights read back from the drawn vertebra",
    against="the heights that were asked for",
    kind="property",
    tolerance="0.12 mm",
)
@given(shapes)
def test_measured_heights_are_the_requested_ones(shape):
    normal = dimensions()["L1"]
    points = morphometry.SixPoints.from_array(lateral.lateral(shape).landmarks("L1"))
    wanted = np.array(normal.heights) * (1 - np.array([shape.anterior, shape.middle, shape.posterior]))
    got = [points.heights.anterior, points.heights.middle, points.heights.posterior]
    # The lower endplate is a millimetre deeper than the upper one, so the landmarks stand nearly above each other.
    assert got == pytest.approx(wanted, abs=0.12)


@given(shapes)
def test_a_pose_moves_nothing_within_a_vertebra_and_discs_keep_their_height(shape):
    scene = lateral.lateral(shape, tilt=0.1)
    for upper, lower in (("L1", "L2"), ("T12", "L1")):
        top, floor = scene.landmarks(upper)[[3, 5]], scene.landmarks(lower)[[0, 2]]
        gap = top.mean(axis=0) - floor.mean(axis=0)
        assert math.hypot(*gap) == pytest.approx(dimensions()[upper].disc_below)
        chords = [np.subtract(*ends) / np.linalg.norm(np.subtract(*ends)) for ends in (top, floor)]
        assert chords[0] == pytest.approx(chords[1])
    own = scene.bodies["T12"].landmarks
    moved = scene.landmarks("T12")
    assert np.linalg.norm(moved[0] - moved[5]) == pytest.approx(np.linalg.norm(own[0] - own[5]))


@validates(
    "spine.lateral",
    "Tilt of the spine above a wedge",
    against="the triangle of depth and lost height",
    kind="analytic",
    tolerance=USUAL,
)
def test_an_anterior_loss_tilts_everything_above_by_its_wedge_angle():
    flat, wedged = lateral.lateral(Shape()), lateral.lateral(Shape(anterior=0.25))
    normal, (front, back, _, _) = dimensions()["L1"], lateral.corners("L1")
    rise, lost = (normal.posterior_height - normal.anterior_height) / 2, 0.25 * normal.anterior_height
    angle = math.atan2(rise + lost, front - back) - math.atan2(rise, front - back)
    # x runs anteriorly: a spine that sinks in front turns clockwise, to negative angles.
    turned = math.degrees(wedged.poses["T12"].angle - flat.poses["T12"].angle)
    assert turned == pytest.approx(-math.degrees(angle))


def test_signs_of_the_normal_dimensions():
    table = dimensions()
    assert table["L1"].posterior_height > table["L1"].anterior_height
    assert table["L1"].endplate_depth < table["L2"].endplate_depth


@pytest.mark.parametrize(
    ("name", "value"),
    [("anterior", -0.01), ("middle", 0.71), ("posterior", 0.61), ("wall", 1.01), ("anterior", math.nan)],
)
def test_a_shape_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        Shape(**{name: value})


def test_the_landmarks_are_those_that_a_reader_finds_on_the_model():
    rng = np.random.default_rng(3)
    for shape in [Shape(), *(lateral.random_shape(rng) for _ in range(30))]:
        read = Vertebra("L1", shape).landmarks[:, 1:]
        known = lateral.body("L1", shape).landmarks
        assert np.abs(read - known)[:, 1].max() < 0.3  # heights
        assert np.abs(read - known)[:, 0].max() < 0.7  # a rounded corner is read a little inside its edge


def test_the_outline_is_the_cut_through_the_model():
    shape = Shape(0.3, 0.2, 0.05, 0.4)
    outline = lateral.outline("L1", shape)
    on_it = np.column_stack([np.zeros(len(outline)), outline])
    assert np.abs(Vertebra("L1", shape).distance(on_it)).max() < 0.1
    landmarks = lateral.body("L1").landmarks
    far = [np.hypot(*(lateral.outline("L1", Shape()) - point).T).min() for point in landmarks]
    # The middle is read half way between this cut and the silhouette, which stands higher than the bowl.
    assert far == pytest.approx(np.zeros(6), abs=1.4)
    assert max(far[i] for i in (0, 2, 3, 5)) < 0.8


def test_a_shape_that_the_model_cannot_take_is_drawn_from_its_landmarks():
    shape = Shape(middle=0.7)
    with pytest.raises(ValueError, match="middle"):
        _ = Vertebra("L1", shape).landmarks
    far = [np.hypot(*(lateral.outline("L1", shape) - point).T).min() for point in lateral.body("L1", shape).landmarks]
    assert far == pytest.approx(np.zeros(6), abs=1e-9)


def test_a_broken_wall_stands_out_backwards_from_its_top():
    normal, broken = (lateral.outline("L1", Shape(wall=wall)) for wall in (0.0, 0.5))
    # 7 mm times the share broken out, less what the normal wall's corners stand behind its hollow.
    assert normal[:, 0].min() - broken[:, 0].min() == pytest.approx(3.1, abs=0.5)
    moved = broken[broken[:, 0] < normal[:, 0].min() - 0.5]
    assert moved[:, 1].min() > -2.0  # the upper half of the wall
    assert moved[:, 1].max() > 10.0


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
