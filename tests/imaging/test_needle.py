"""The breach metric on twenty trajectories built by hand, and what the two views show, against plain geometry."""

from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from validation import validates
from vertebra.imaging.needle import OUTER_DIAMETER, Breach, Needle, aim, breach, two_views
from vertebra.spine.dimensions import dimensions
from vertebra.spine.shape import wedge
from vertebra.spine.vertebra import Vertebra

SIDES = {"right": 1.0, "left": -1.0}


@cache
def vertebra(level):
    return Vertebra(level)


@cache
def surface(level):
    """Points strewn densely over the fine mesh: an independent way to the distance from bone."""
    mesh = vertebra(level).mesh(0.6)
    corners = mesh.vertices[mesh.faces].astype(float)
    shares = np.array([(i, j, 5 - i - j) for i in range(6) for j in range(6 - i)]) / 5
    return cKDTree(np.einsum("sk,fkc->fsc", shares, corners).reshape(-1, 3))


def outside(level, points):
    """How far points are out of the bone, 0 within it: the nearest strewn point, not the library's own distance."""
    far = surface(level).query(points)[0]
    return np.where(vertebra(level).distance(points) > 0, far, 0.0)


def cylinder(needle, behind):
    """The needle's wall, built anew: 60 lines along it, every 0.1 mm."""
    axis = needle.direction
    first = np.cross(axis, [0.3, 0.4, 0.87])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = needle.radius * (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)
    return (needle.tip - np.arange(0, behind, 0.1)[:, None, None] * axis + ring).reshape(-1, 3)


@validates(
    "imaging.needle",
    "Depth of a breach of the canal",
    against="the overlap of known widths",
    kind="analytic",
    tolerance="0.1 mm",
)
@pytest.mark.parametrize("level", ["T8", "T12", "L3"])
@pytest.mark.parametrize(("side", "gauge", "into"), [("right", "11G", 1.0), ("left", "13G", 2.5)])
def test_a_needle_along_the_canal_breaches_it_by_what_overlaps(level, side, gauge, into):
    """Six: straight forwards at a known distance from the midline, the canal's half width is in the table."""
    radius, half = OUTER_DIAMETER[gauge] / 2, dimensions()[level].canal_width / 2
    x = half + radius - into
    needle = Needle([SIDES[side] * x, 0.0, 5.0], [0, 1, 0], gauge)
    assert breach(needle, vertebra(level), side).canal == pytest.approx(into, abs=0.1)


@validates(
    "imaging.needle",
    "Depth of a breach of the pedicle",
    against="the needle's densely sampled surface",
    kind="computation",
    tolerance="0.1 mm",
)
@pytest.mark.parametrize(("level", "side"), [("T9", "right"), ("L1", "left"), ("L4", "right")])
@pytest.mark.parametrize("lateral", [-3.5, 4.5])
def test_a_shifted_needle_leaves_the_pedicle_by_what_a_dense_surface_says(level, side, lateral):
    """Six: parallel to the pedicle, too medial or too lateral."""
    pedicle = vertebra(level).pedicle(side)
    lateral = lateral * dimensions()[level].pedicle_width / 8
    needle = aim(pedicle, 3.0, lateral=lateral)
    found = breach(needle, vertebra(level), side)
    wall = cylinder(needle, 7.0)
    along = (wall - pedicle.centre) @ pedicle.axis
    out = outside(level, wall[np.abs(along) <= 4.0])
    named, other = (found.medial, found.lateral) if lateral < 0 else (found.lateral, found.medial)
    assert named == pytest.approx(out.max(), abs=0.1)
    assert other < named


@pytest.mark.parametrize("height", [8.0, -9.0])
def test_a_needle_above_or_below_its_pedicle_is_told_so(height):
    """Two: the section of the isthmus is an ellipse, so a shift of more than its half height is out."""
    pedicle = vertebra("L2").pedicle("right")
    needle = aim(pedicle, 2.0, cranial=height)
    found = breach(needle, vertebra("L2"), "right")
    wall = cylinder(needle, 6.0)
    along = (wall - pedicle.centre) @ pedicle.axis
    expected = outside("L2", wall[np.abs(along) <= 4.0]).max()
    named, other = (found.superior, found.inferior) if height > 0 else (found.inferior, found.superior)
    assert max(named, found.canal) > 0.5
    assert named == pytest.approx(expected, abs=0.1)
    assert other == 0


@pytest.mark.parametrize("level", ["T10", "L1", "L5"])
def test_a_tip_beyond_the_anterior_wall(level):
    """Three: straight forwards through the middle of the body; the wall is found by halving on the model."""
    bone = vertebra(level)
    low, high = 0.0, 40.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if bone.distance(np.array([[0.0, middle, 0.0]]))[0] < 0 else (low, middle)
    needle = Needle([0.0, low + 3.0, 0.0], [0, 1, 0], "13G")
    expected = outside(level, cylinder(needle, 8.0)).max()
    assert 2.9 < expected < 3.3
    assert breach(needle, bone, "right").anterior == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("up", "name"), [(1, "superior_endplate"), (-1, "inferior_endplate")])
@pytest.mark.parametrize("level", ["T12", "L3"])
def test_a_tip_in_the_disc(level, up, name):
    """Four: steeply through one endplate near its middle."""
    direction = np.array([0.0, 0.35, up * 0.94])
    low, high = 0.0, 40.0
    for _ in range(40):
        middle = (low + high) / 2
        inside = vertebra(level).distance(middle * direction[None])[0] < 0
        low, high = (middle, high) if inside else (low, middle)
    needle = Needle(direction * (low + 3.0), direction, "11G", length=8.0)
    found = breach(needle, vertebra(level), "right")
    expected = outside(level, cylinder(needle, 6.0)).max()
    assert getattr(found, name) == pytest.approx(expected, abs=0.1)
    assert found.anterior < getattr(found, name)


def test_a_needle_through_the_canal_into_the_body_leaves_by_the_medial_wall_only():
    found = breach(aim(vertebra("L1").pedicle("right"), 24.0, lateral=-4.5), vertebra("L1"), "right")
    assert found.canal > 1.0
    assert found.medial > 0.5
    assert found.anterior == found.lateral == found.superior_endplate == found.inferior_endplate == 0


def test_walls_count_from_four_millimetres_before_the_isthmus():
    found = [
        breach(aim(vertebra("L1").pedicle("right"), depth, lateral=5.0), vertebra("L1"), "right") for depth in (-3, -6)
    ]
    assert found[0].lateral > 0.3
    assert found[1] == Breach()


def test_what_lies_beside_the_hollow_posterior_wall_is_still_the_pedicle():
    found = breach(aim(vertebra("L1").pedicle("right"), 11.0, 2.9, -1.6, 0.6, -4.2), vertebra("L1"), "right")
    assert found.lateral > 0.3
    assert found.anterior == 0


@pytest.mark.parametrize("side", SIDES)
def test_a_needle_is_turned_towards_the_midline_and_down(side):
    pedicle = vertebra("L1").pedicle(side)
    for turned, expected in (({"convergence": 10.0}, 0), ({"descent": 10.0}, 2)):
        change = aim(pedicle, 20.0, **turned).direction - pedicle.axis
        assert np.argmax(np.abs(change)) == expected
        assert change[expected] * (np.sign(pedicle.centre[0]) if expected == 0 else 1) < 0
        assert aim(pedicle, 20.0, **turned).direction @ pedicle.axis == pytest.approx(np.cos(np.radians(10)))


@pytest.mark.parametrize("side", SIDES)
def test_the_pedicles_own_axis_breaches_nothing(side):
    for level in ("T9", "T12", "L1", "L4"):
        found = breach(aim(vertebra(level).pedicle(side), 20.0), vertebra(level), side)
        assert found == Breach(), level


def test_both_sides_are_mirror_images():
    right, left = (
        breach(aim(vertebra("L1").pedicle(side), 28.0, lateral=-3.0, convergence=12.0), vertebra("L1"), side)
        for side in SIDES
    )
    for name, value in vars(right).items():
        assert value == pytest.approx(getattr(left, name), abs=0.05), name


def test_a_wedge_brings_the_endplate_nearer():
    """The same straight needle that ends well in a normal body stands out of a wedged one."""
    tip, direction = [0.0, 12.0, 6.0], [0, 1, 0]
    normal = breach(Needle(tip, direction), vertebra("L1"), "right")
    broken = breach(Needle(tip, direction), Vertebra("L1", wedge(0.5)), "right")
    assert normal.superior_endplate == 0
    assert broken.superior_endplate > 1


# --- two views -------------------------------------------------------------------------------------------------------


@validates(
    "imaging.needle",
    "Where a needle passes ring and wall in two views",
    against="plane geometry",
    kind="analytic",
    tolerance="0.8 mm",
)
def test_the_depths_are_those_of_plane_geometry():
    """A needle at 45 degrees through the isthmus passes any plane at a depth that can be worked out by hand."""
    bone = vertebra("L1")
    pedicle = bone.pedicle("right")
    direction = np.array([-np.sin(np.radians(45)), np.cos(np.radians(45)), 0.0])
    shown = two_views(Needle(pedicle.centre + 30 * direction, direction), bone, "right")
    half_ring = pedicle.width / 2 * pedicle.axis[1]
    wall = bone.landmarks[[2, 5]]
    share = (pedicle.centre[2] - wall[1, 2]) / (wall[0, 2] - wall[1, 2])
    wall_y = wall[1, 1] + share * (wall[0, 1] - wall[1, 1])
    # The rays diverge by a few degrees, which at this distance shifts both readings by well under a millimetre.
    assert shown.medial_at == pytest.approx(half_ring / np.sin(np.radians(45)), abs=0.8)
    assert shown.posterior_at == pytest.approx((wall_y - pedicle.centre[1]) / np.cos(np.radians(45)), abs=0.8)
    assert not shown.safe


def test_the_rule_agrees_with_the_canal_over_many_angles():
    """Converging more, the medial border is crossed earlier; needles that enter the canal break the rule."""
    bone = vertebra("L1")
    pedicle = bone.pedicle("left")
    crossed = []
    for convergence in range(-10, 45, 5):
        needle = aim(pedicle, 30.0, convergence=float(convergence))
        shown = two_views(needle, bone, "left")
        crossed.append(np.inf if shown.medial_at is None else shown.medial_at)
        if breach(needle, bone, "left").canal > 2.0:
            assert not shown.safe, convergence
        if convergence <= 0:
            assert shown.safe
    assert crossed == sorted(crossed, reverse=True)


def test_a_needle_kept_short_has_not_reached_the_posterior_wall():
    shown = two_views(aim(vertebra("L1").pedicle("right"), 0.0), vertebra("L1"), "right")
    assert shown.posterior_at is None
    assert shown.safe


@pytest.mark.parametrize(
    ("tip", "direction", "gauge", "said"),
    [
        ([0, 0, 0], [0, 1, 0], "12G", "11G, 13G"),
        ([0, 0, 0], [0, 0, 0], "11G", "hub to the tip"),
        ([0, 0], [0, 1, 0], "11G", "three finite"),
        ([0, np.nan, 0], [0, 1, 0], "11G", "three finite"),
    ],
)
def test_a_needle_that_cannot_be_is_refused(tip, direction, gauge, said):
    with pytest.raises(ValueError, match=said):
        Needle(tip, direction, gauge)


@pytest.mark.parametrize("length", [0.0, -1.0, float("nan")])
def test_a_needle_has_a_length(length):
    with pytest.raises(ValueError, match=f"needle is {length} mm long"):
        Needle([0, 0, 0], [0, 1, 0], length=length)


@pytest.mark.parametrize("side", ["Right", None])
def test_another_side_is_refused(side):
    needle = aim(vertebra("L1").pedicle("right"), 20.0)
    for measure in (breach, two_views):
        with pytest.raises(ValueError, match="give 'left' or 'right'"):
            measure(needle, vertebra("L1"), side)
