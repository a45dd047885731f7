"""The spaces between the bones against areas, heights and clearances that are measured without their meshes."""

import numpy as np
import pytest

from validation import validates
from vertebra.spine import spaces
from vertebra.spine.shape import burst
from vertebra.spine.stack import Spine


@pytest.fixture(scope="module")
def spine():
    return Spine(("T12", "L1", "L2"))


def clear_area(vertebra, points, cell):
    """The area (mm^2) of the cells in a plane that lie in the canal, clear of bone by what a space keeps clear."""
    inside = vertebra.canal_distance(points) < -spaces.CLEARANCE
    return (inside & (vertebra.distance(points) > spaces.CLEARANCE)).sum() * cell**2


def sections(vertebra, cell=0.4, count=9):
    """The canal's clear area at several heights of the posterior wall, counted cell by cell."""
    x, y = np.meshgrid(np.arange(-20, 20, cell), np.arange(-50, 0, cell))
    top, bottom = vertebra.landmarks[[2, 5], 2]
    heights = bottom + (top - bottom) * (np.arange(count) + 0.5) / count
    return [clear_area(vertebra, np.column_stack([x.ravel(), y.ravel(), 0 * x.ravel() + z]), cell) for z in heights]


@validates(
    "spine.spaces",
    "Volume of the canal",
    against="its sections times its height",
    kind="property",
    tolerance="0.04 of the value",
)
@pytest.mark.parametrize("level", ["T12", "L2"])
def test_the_canal_holds_its_area_times_the_height_of_the_posterior_wall(spine, level):
    vertebra = spine.vertebrae[level]
    height = np.ptp(vertebra.landmarks[[2, 5], 2])
    assert spaces.canal(spine, level).volume == pytest.approx(np.mean(sections(vertebra)) * height, rel=0.04)


def test_the_canal_stands_behind_its_body_and_touches_no_bone(spine):
    canal = spaces.canal(spine, "L1")
    own = spine.poses["L1"].inverse().apply(canal.vertices)
    points = spine.vertebrae["L1"].landmarks
    assert own[:, 1].max() < points[[2, 5], 1].max() + 0.5
    assert np.allclose([own[:, 2].max(), own[:, 2].min()], points[[2, 5], 2], atol=0.3)
    assert spine.bone_distance(canal.vertices).min() > -0.5
    out = np.einsum("ij,ij->i", canal.vertices - canal.vertices.mean(axis=0), canal.normals)
    assert (out > 0).mean() > 0.95


def test_a_fragment_takes_its_share_of_the_canal():
    """What is left where it is narrowest is what the vertebra says is left."""
    normal, broken = Spine(("L1",)), Spine(("L1",), {"L1": burst(0.2, 6.0)})
    stenosis = broken.vertebrae["L1"].stenosis
    left = min(sections(broken.vertebrae["L1"])) / max(sections(normal.vertebrae["L1"]))
    assert left == pytest.approx(1 - stenosis, abs=0.08)
    height = [np.ptp(s.vertebrae["L1"].landmarks[[2, 5], 2]) for s in (normal, broken)]
    per_mm = [spaces.canal(s, "L1").volume / h for s, h in zip((normal, broken), height, strict=True)]
    assert 1 - stenosis - 0.08 < per_mm[1] / per_mm[0] < 0.98


@pytest.mark.parametrize("upper", ["T12", "L1"])
def test_a_foramen_lies_between_two_pedicles_and_lets_the_upper_root_out(spine, upper):
    lower = spine.below(upper)
    volumes = []
    for side, sign in (("right", 1), ("left", -1)):
        window = spaces.foramen(spine, upper, side)
        above, below = (spine.vertebrae[level].pedicle(side) for level in (upper, lower))
        roof = spine.poses[upper].apply(above.centre)[2] - above.height / 2
        floor = spine.poses[lower].apply(below.centre)[2] + below.height / 2
        z = window.vertices[:, 2]
        assert floor - 0.5 < z.min() < z.max() < roof + 0.5
        assert z.max() - z.min() > 0.6 * (roof - floor)
        assert (sign * window.vertices[:, 0] > 5).all()
        # Flat ends that are cut on a grid of 1 mm may come as near as this.
        assert spine.bone_distance(window.vertices).min() > -0.7
        root = spine.roots(upper)[side].vertices
        low, high = window.vertices.min(axis=0), window.vertices.max(axis=0)
        assert ((root > low) & (root < high)).all(axis=1).any()
        volumes.append(window.volume)
    assert volumes[0] == pytest.approx(volumes[1], rel=0.03)


def test_what_is_not_there_is_named(spine):
    with pytest.raises(ValueError, match="'L4' is not in this spine"):
        spaces.canal(spine, "L4")
    with pytest.raises(ValueError, match="L2 is the lowest vertebra"):
        spaces.foramen(spine, "L2", "left")
    with pytest.raises(ValueError, match="side is 'front'"):
        spaces.foramen(spine, "L1", "front")
    for spacing in (0.0, -1.0, 50.0, float("nan")):
        with pytest.raises(ValueError, match=r"spacing is .*; give 0.3 to 4 mm"):
            spaces.canal(spine, "L1", spacing)
