"""The porous body: how much bone is in it, how permeable it is, and which ways out a shape opens."""

import numpy as np
import pytest

from validation import validates
from vertebra.cement.bone import OUTLETS, bone, kozeny_carman, parameter, permeability, slot, tube
from vertebra.spine.shape import Shape, breach, burst, chance, cleft, kuemmell, wall_defect, wedge
from vertebra.spine.vertebra import Vertebra

L1 = Vertebra("L1")


@validates(
    "cement.bone",
    "Permeability when bone is packed",
    against="the law of Kozeny and Carman, worked by hand",
    kind="analytic",
    tolerance="5e-4",
)
def test_permeability_follows_kozeny_and_carman() -> None:
    # 5 mL packed into a shell: porosity 0.88 to 0.76 leaves a sixth of the permeability.
    assert float(kozeny_carman(0.76) / kozeny_carman(0.88)) == pytest.approx(0.161, abs=5e-4)
    assert permeability(parameter("reference_bone_volume")) == pytest.approx(4.45e-8)
    densities = np.linspace(0.04, 0.22, 10)
    assert (np.diff(permeability(densities)) < 0).all()


def test_anisotropy_and_range() -> None:
    healthy = bone(L1, 0.15)
    x, y, z = healthy.permeability[:, healthy.inside]
    np.testing.assert_allclose(y / z, 0.78)
    np.testing.assert_allclose(x, y)
    # nauman1999: 2.68e-11 to 2.00e-8 m2 in human bone.
    assert 2.68e-11 < z.mean() < 2.0e-8
    assert bone(L1, 0.07).permeability[2][healthy.inside].mean() > 4 * z.mean()


@pytest.mark.parametrize("level", ["T6", "T12", "L4"])
def test_the_body_is_the_body(level: str) -> None:
    vertebra = Vertebra(level)
    made = bone(vertebra, 0.1, 1.5, None)
    d = vertebra.dimensions
    # An ellipse as high as the body; the waist and the bowls take some of it.
    ellipse = np.pi / 4 * (d.upper_width + d.lower_width) / 2 * (d.upper_depth + d.lower_depth) / 2
    volume = made.inside.sum() * made.spacing**3
    assert 0.75 < volume / (ellipse * np.mean(d.heights)) < 1.1
    assert (vertebra.distance(made.points) < 0).all()
    # Neither pedicles nor arch.
    assert made.points[:, 1].min() > -max(d.upper_depth, d.lower_depth) / 2
    np.testing.assert_array_equal(made.inside, made.inside[::-1])
    np.testing.assert_allclose(made.porosity[made.inside], 0.9)
    assert made.capacity == pytest.approx(0.9 * volume / 1000)
    assert (made.porosity[~made.inside] == 0).all() and (made.permeability[:, ~made.inside] == 0).all()


def test_body_and_split_are_parts_of_the_whole_vertebra() -> None:
    split = Vertebra("L1", chance(4.0))
    points = np.random.default_rng(0).uniform([-24, -16, -14], [24, 18, 16], (4000, 3))
    body, depth = split.body_distance(points)
    gap, whole = split.split_depth(points), split.distance(points)
    assert (whole[body < 0] < 0).all()  # the arch adds to it, and takes nothing away
    assert (body[gap > 0] > 0).all() and (whole[gap > 0] > 0).all() and (gap > 0).any()
    assert (depth[body < -1] > 0).all()
    assert (L1.split_depth(points) < 0).all()


@pytest.mark.parametrize("bone_volume", [0.05, 0.07, 0.15])
def test_bone_keeps_its_amount(bone_volume: float) -> None:
    whole, even, broken = (
        bone(Vertebra("L1", shape), bone_volume, 1.5, seed)
        for shape, seed in ((Shape(), 0), (Shape(), None), (wedge(0.4), None))
    )
    first = bone_volume * whole.inside.sum()
    assert (1 - whole.porosity)[whole.inside].sum() == pytest.approx(first, rel=1e-6)
    assert (1 - even.porosity)[even.inside].sum() == pytest.approx(first, rel=1e-6)
    # The wedge has less room and as much bone; its losses are those of the midsagittal plane.
    assert broken.inside.sum() < 0.85 * even.inside.sum()
    assert (1 - broken.porosity)[broken.inside].sum() == pytest.approx(first, rel=0.06)
    # It is densest in front, where most height is lost.
    front = broken.points[:, 1] > 8
    assert broken.porosity[broken.inside][front].mean() < broken.porosity[broken.inside][~front].mean() - 0.01


def test_unevenness_is_one_field_at_every_spacing() -> None:
    # The same place on two grids: what differs is only what lies between.
    coarse, fine = bone(L1, 0.1, 2.0), bone(L1, 0.1, 1.0)
    _, nearest = fine.tree.query(coarse.points)
    a, b = np.log(coarse.permeability[2][coarse.inside]), np.log(fine.permeability[2][fine.inside][nearest])
    assert np.corrcoef(a, b)[0, 1] > 0.7
    other = np.log(bone(L1, 0.1, 2.0, 1).permeability[2][coarse.inside])
    assert np.corrcoef(a, other)[0, 1] < 0.6
    even = bone(L1, 0.1, 2.0, None).permeability[2][coarse.inside]
    np.testing.assert_allclose(even, even[0])
    deep = np.abs(coarse.points).max(axis=1) < 8  # away from the denser endplates
    assert np.std(a[deep]) == pytest.approx(parameter("heterogeneity"), rel=0.25)


@pytest.mark.parametrize("height", [3.0, 5.0])
def test_a_cleft_is_a_slot(height: float) -> None:
    made = bone(Vertebra("L1", cleft(height)), 0.07, 1.0)
    assert made.permeability.max() == pytest.approx((height * 1e-3) ** 2 / 12, rel=0.3)
    assert made.porosity[made.cleft].min() > 0.5 and made.porosity.max() == pytest.approx(1)
    # An ellipsoid: 4/3 pi a b c.
    d = L1.dimensions
    volume = 4 / 3 * np.pi * 0.28 * d.upper_width * 0.3 * d.upper_depth * height / 2
    assert made.cleft.sum() == pytest.approx(volume, rel=0.1)
    # It is lined by less permeable bone.
    _, index = made.tree.query(made.points[made.cleft[made.inside]].mean(axis=0) + np.array([0, 0, height / 2 + 0.6]))
    assert made.permeability[2][made.inside][index] < 0.5 * permeability(0.07)


@pytest.mark.parametrize(
    ("shape", "ways"),
    [
        (Shape(), set()),
        (wedge(0.1), set()),
        (wedge(0.3), {"cortical defect"}),
        (breach(3.0), {"endplate defect"}),
        (wall_defect(0.5), {"posterior wall defect"}),
        (burst(0.4, 4.0), {"posterior wall defect", "cortical defect"}),
        (chance(4.0), {"cortical defect"}),
        (kuemmell(), {"cortical defect"}),
    ],
)
def test_ways_out_follow_from_the_shape(shape: Shape, ways: set[str]) -> None:
    made = bone(Vertebra("L1", shape), 0.07)
    assert {outlet.name for outlet in made.outlets} == {*OUTLETS[:3], *ways}
    for outlet in made.outlets:
        assert made.inside[tuple(outlet.cells.T)].all()
        assert (outlet.conductance > 0).all()
        if outlet.leak:
            places = made.origin + made.spacing * outlet.cells
            assert np.linalg.norm(places - outlet.mouth, axis=1).min() < 2.5 * made.spacing
            assert made.vertebra.distance(outlet.mouth[None])[0] > -2.5


def test_where_the_ways_out_are() -> None:
    mouths = {o.name: o.mouth for o in bone(Vertebra("L1", burst(0.4, 4.0)), 0.07).outlets}
    assert mouths["posterior wall defect"][1] < -10 and mouths["cortical defect"][1] > 10
    hole = next(o for o in bone(Vertebra("L1", breach(3.0)), 0.07).outlets if o.name == "endplate defect")
    assert hole.mouth[2] > 8
    sides = [o.mouth[0] for o in bone(L1, 0.07).outlets if o.name == "segmental vein"]
    assert sides[0] > 15 and sides[1] < -15


@validates(
    "cement.bone", "Flow through a vein", against="Poiseuille's law", kind="analytic", tolerance="0.1 of 42.4 Pa"
)
def test_narrow_ways_obey_poiseuille() -> None:
    # Flow of 1 mL/min of 0.1 Pa s through a vein 2 mm wide and 10 mm long: 8 mu L Q / pi r^4 = 42.4 Pa.
    conductance, volume = tube(1.0, 10.0)
    assert 0.1 * 1e-6 / 60 / conductance == pytest.approx(42.4, abs=0.1)
    assert volume == pytest.approx(np.pi * 0.01, rel=1e-6)
    conductance, volume = slot(0.5, 10.0, 2.0)
    assert conductance == pytest.approx(10e-3 * 0.5e-3**3 / 12 / 2e-3) and volume == pytest.approx(0.01)


def test_it_is_kept_and_not_written_into() -> None:
    made = bone(L1, 0.07)
    assert bone(L1, 0.07) is made
    with pytest.raises(ValueError, match="read-only"):
        made.porosity[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((0.3,), "bone_volume is 0.3"), ((0.01,), "bone_volume"), ((0.1, 0.2), "spacing is 0.2"), ((0.1, 9.0), "spacing")],
)
def test_bad_numbers(arguments: tuple[float, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bone(L1, *arguments)
