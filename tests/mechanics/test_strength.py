"""The strength of a body: the exact limit of a uniform one, the order of what was measured, cement never harms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation import validates
from vertebra.mechanics.axisymmetric import Plug, Segment, bone, cement, material, stack
from vertebra.mechanics.strength import crush, equivalent_strain

OLD = 0.07


@validates(
    "mechanics.strength",
    "Strength of a body without cement",
    against="trabecular bone and shell side by side",
    kind="analytic",
    tolerance="0.06 of the value",
)
@pytest.mark.parametrize(("bone_volume", "damage"), [(0.15, 0), (OLD, 0), (OLD, 0.5), (0.11, 0.35)])
def test_a_body_without_cement_bears_the_yield_stress_of_its_parts(bone_volume, damage):
    """Between plates without friction all of it yields: trabecular bone and shell side by side."""
    radius, shell = material("body radius"), material("shell thickness")
    core = np.pi * (radius - shell) ** 2
    area = {"trabecular": core, "shell": np.pi * radius**2 - core}
    exact = sum(area[part] * bone(part, bone_volume, damage) for part in area) * material("bone yield strain")
    assert crush(Segment(bone_volume, damage)).strength == pytest.approx(exact, rel=0.06)


def test_the_equivalent_strain_of_simple_compression_is_that_compression():
    strain = np.array([0.3, -1, 0.3, 0]) * 0.01
    assert equivalent_strain(strain) == pytest.approx(0.01)
    assert equivalent_strain(np.array([0.01, 0.01, 0.01, 0])) == pytest.approx(0)


@pytest.mark.parametrize("damage", [0.35, 0.5])
def test_more_cement_from_endplate_to_endplate_bears_more(damage):
    intact = crush(Segment(OLD)).strength
    shares = [crush(Segment(OLD, damage, Plug(volume, 1))).strength / intact for volume in (1, 2, 3.5, 5, 8)]
    assert np.all(np.diff(shares) > 0)
    assert shares[0] < 1.05 < shares[3]  # the intact strength is passed between 1 and 5 mL
    assert crush(Segment(OLD, damage)).strength / intact < shares[0]


def test_cement_that_touches_nothing_restores_little_strength():
    intact = crush(Segment(OLD)).strength
    free = [crush(Segment(OLD, 0.5, Plug(volume))).strength / intact for volume in (2, 3.5, 5)]
    assert max(free) < 0.75


@given(st.floats(0.05, 0.2), st.floats(0, 0.8), st.floats(1, 9), st.floats(0, 1))
@settings(max_examples=8)
def test_cement_never_lowers_the_strength(bone_volume, damage, volume, contact):
    """What a linear first-yield criterion gets wrong."""
    plain = crush(Segment(bone_volume, damage)).strength
    assert crush(Segment(bone_volume, damage, Plug(volume, contact))).strength > 0.995 * plain


def test_no_place_bears_more_than_its_yield_stress():
    segment = Segment(OLD, 0.5, Plug(5, 1))
    found = crush(segment, tolerance=1e-5)
    assert found.solves < 60
    assert ((found.kept > 0) & (found.kept <= 1)).all()
    share = cement(segment.plug, False, 0.75)
    trabecular = stack(False, 0.75).region == "trabecular"
    # The cement still stands where the bone beside it has given way.
    assert found.kept[share > 0.99].mean() > 1.5 * found.kept[trabecular & (share == 0)].mean()


def test_the_iteration_has_ended_where_it_says_so():
    loose, tight = (crush(Segment(OLD, 0.5, Plug(3.5, 1)), tolerance=t).strength for t in (1e-3, 1e-5))
    assert loose == pytest.approx(tight, rel=0.01)


def test_strength_with_contact_depends_on_the_mesh_by_no_more_than_the_page_says():
    coarse, fine = (crush(Segment(OLD, 0.5, Plug(5, 1)), size=size).strength for size in (0.75, 0.5))
    assert coarse == pytest.approx(fine, rel=0.05)
