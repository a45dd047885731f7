"""The sagittal stack: it balances, is as stiff as the axisymmetric one, and the lean matters more than cement."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation import validates
from vertebra.mechanics import sagittal
from vertebra.mechanics.axisymmetric import Segment, material, respond
from vertebra.mechanics.elasticity import Mesh, grid, isotropic, lines, solve
from vertebra.mechanics.sagittal import Column, Posture, bend, ellipse, posture, section
from vertebra.mechanics.statics import above, cascade
from vertebra.simulators import page
from vertebra.spine.dimensions import dimensions

OLD = 0.07


@validates(
    "mechanics.sagittal",
    "Bending of a strip",
    against="the beam of Euler and Bernoulli",
    kind="analytic",
    tolerance="0.02 of the value",
)
def test_a_plane_stress_beam_bends_as_euler_and_bernoulli_say():
    """Pure bending of a slender strip: curvature M / E I, and the sides draw in by Poisson's ratio."""
    deep, tall, modulus, moment = 4.0, 80.0, 1000.0, 50.0
    points, quads = grid(lines((deep, 16)), lines((tall, 160)))
    mesh = Mesh(points, quads, flat=True)
    top = np.flatnonzero(points[:, 1] == tall)
    x = points[top, 0] - deep / 2
    loads = np.zeros_like(points)
    weight = np.full(len(top), deep / 16)
    weight[[0, -1]] /= 2
    loads[top, 1] = -moment * x * weight / (x**2 * weight).sum()
    bottom = np.flatnonzero(points[:, 1] == 0)
    held = np.append(2 * bottom + 1, 2 * bottom[8])
    found = solve(mesh, isotropic(np.full(len(quads), modulus), 0.3, plane_stress=True), held, 0.0, loads)
    curvature = moment / (modulus * deep**3 / 12)
    sway = found.displacements[top[8], 0]
    assert sway == pytest.approx(curvature * tall**2 / 2, rel=0.02)


def test_the_stack_is_as_stiff_as_the_axisymmetric_one():
    """The one fitted number: the disc's modulus."""
    found = bend(Column(OLD), Posture(500, 0))
    heads = np.isclose(found.section.mesh.points[:, 1], found.section.mesh.points[-1, 1])
    top = found.solution.displacements[heads, 1].mean()
    body = respond(Segment(OLD), neighbour=False)
    segment = respond(Segment(OLD))
    disc = 1 / segment.stiffness - 2 / body.stiffness  # per newton
    heights = sum(dimensions()[level].disc_below for level in ("L1", "T12")) / material("disc height")
    deep = dimensions()["L1"].upper_depth
    bodies = sum(found.section.mesh.volumes[found.section.level >= 0]) / deep / material("body height")
    expected = 500 * (disc * heights + bodies / body.stiffness)
    assert -top == pytest.approx(expected, rel=0.10)


@given(st.floats(0, 25), st.floats(100, 1500), st.floats(-5, 8))
@settings(max_examples=15)
def test_the_lower_end_carries_what_stands_on_the_upper(wedge, force, eccentricity):
    found = bend(Column(OLD, wedge), Posture(force, eccentricity))
    bottom = found.section.mesh.points[:, 1] == found.section.mesh.points[0, 1]
    assert bottom.sum() == 25
    carried = found.solution.forces[bottom].sum(axis=0)
    assert carried == pytest.approx([0, force], rel=1e-6, abs=1e-6 * force)


@given(st.sampled_from([0.0, 10.0, 20.0]), st.floats(0.05, 0.15))
@settings(max_examples=8)
def test_a_load_further_forward_squeezes_the_front_more(wedge, bone_volume):
    fronts = [bend(Column(bone_volume, wedge), Posture(600, e)).neighbour for e in (0, 3, 6, 9)]
    assert np.all(np.diff(fronts) > 0)
    less = bend(Column(bone_volume + 0.05, wedge), Posture(600, 3)).neighbour
    assert less < fronts[1]


def test_the_lean_strains_the_neighbour_and_cement_hardly_changes_it():
    upright, wedged, reduced = (posture(angle) for angle in (0, 20, 7))
    plain = bend(Column(OLD), upright).neighbour
    leaning = bend(Column(OLD, 20, 0.5), wedged).neighbour
    cemented = bend(Column(OLD, 20, 0.5, 5), wedged).neighbour
    better = bend(Column(OLD, 7, 0.5, 5), reduced).neighbour
    assert plain < better < leaning
    assert leaning > 1.5 * plain
    assert cemented == pytest.approx(leaning, rel=0.02)
    # Half as much with two thirds of the shift taken back.
    assert bend(Column(OLD, 20, 0.5, 5), posture(20, 2 / 3)).neighbour < 0.7 * leaning


def test_what_the_page_says_of_the_assumed_share_of_the_moment(monkeypatch):
    plain = bend(Column(OLD), posture(0)).neighbour
    assert bend(Column(OLD, 20, 0.5), posture(20)).neighbour / plain == pytest.approx(2.4, abs=0.05)
    monkeypatch.setattr(sagittal, "material", lambda name: 0.0 if name == "moment share" else material(name))
    assert bend(Column(OLD, 20, 0.5), posture(20)).neighbour / plain == pytest.approx(1.6, abs=0.05)
    assert "2.4 times as large, and 1.6 times" in page("segment").fitted


def test_the_posture_is_in_balance():
    """Weight, muscles and the force in the spine leave no moment about the body's middle."""
    found, top, share = posture(15), above("T12"), material("moment share")
    moment = top.weight * top.height * math.sin(math.radians(15))
    before = cascade("L1", 15, compensation=0)["T12"].before
    pulled = (found.force - before) * top.arm  # by muscles, beyond what they pulled before
    assert pulled + found.force * found.eccentricity == pytest.approx(moment)
    assert found.force * found.eccentricity == pytest.approx(share * moment)
    assert posture(0).eccentricity == 0 and posture(15, 1).force == pytest.approx(before)


@pytest.mark.parametrize("wedge", [0, 5, 12, 30])
def test_the_wedge_is_as_large_as_asked_for(wedge):
    mesh = section(wedge).mesh
    top = mesh.points[-25:]
    x, z = top[-1] - top[0]
    assert math.degrees(math.atan2(-z, x)) == pytest.approx(wedge, abs=1e-6)
    assert np.isclose(np.ptp(mesh.points[:25, 1]), 0)


@given(st.floats(0, 25), st.floats(0.3, 12))
@settings(max_examples=15)
def test_the_cement_has_its_millilitres_and_lies_inside_its_outline(wedge, millilitres):
    found = section(wedge)
    share, radius = ellipse(wedge, millilitres)
    assert share @ found.mesh.volumes * found.thickness / 1000 == pytest.approx(millilitres, rel=1e-6)
    assert (found.level[share > 0] == 1).all()
    x, z = found.outline(radius, np.zeros_like(found.mesh.points), 721).T
    area = 0.5 * abs(np.sum(x * np.roll(z, 1) - z * np.roll(x, 1)))
    if radius < 0.45:
        assert area * found.thickness / 1000 == pytest.approx(millilitres, rel=0.1, abs=0.15)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Column(wedge=60), "wedge is 60"),
        (lambda: Column(cement=20), "cement is 20"),
        (lambda: Column(damage=2), "damage is 2"),
        (lambda: bend(Column(wedge=30, cement=15), posture(30)), "15 mL of cement do not fit"),
        (lambda: Column(bone_volume=1), "bone volume is 1"),
    ],
)
def test_bad_input_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
