"""The picture of trabecular bone holds the bone it is asked for, and loses struts as was found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation import validates
from vertebra.mechanics.trabeculae import (
    PIXELS,
    SIDE,
    architecture,
    architecture_at,
    covered,
    field,
    lattice,
    picture,
    time_of,
)


@validates(
    "mechanics.trabeculae",
    "Bone volume of the lattice",
    against="its pixels, counted",
    kind="computation",
    tolerance="0.004",
)
@settings(max_examples=15)
@given(st.floats(0.04, 0.22), st.integers(0, 3))
def test_the_picture_holds_the_bone_volume(bone_volume, seed):
    time = time_of(bone_volume, seed)
    assert covered(time, seed) == pytest.approx(bone_volume, abs=0.001)
    # Counted in whole pixels, as an independent way of counting.
    assert (field(time, seed) < 0).mean() == pytest.approx(bone_volume, abs=0.004)


@settings(max_examples=15)
@given(st.floats(-0.5, 1.4), st.floats(0.02, 0.1))
def test_bone_is_only_ever_lost(time, later):
    young, old = field(time), field(time + later)
    assert (old >= young - 1e-9).all()
    assert covered(time + later) < covered(time)


def test_the_young_and_the_old_end_are_what_was_found():
    assert covered(0.0) == pytest.approx(0.22, abs=0.01)
    old = architecture_at(1.0)
    assert (old.vertical_lost, old.horizontal_lost, old.width) == (0.51, 0.64, 128.0)
    assert architecture_at(0.0).width == 172.0
    # Not fitted: at that end the lattice holds about what an osteoporotic body does.
    assert covered(1.0) == pytest.approx(0.07, abs=0.02)


def test_the_struts_that_are_broken_are_as_many_as_said():
    """Count, in the drawn field, struts whose middle is no longer bone."""
    time = 1.0
    away = field(time)
    broken = {True: [], False: []}
    for strut in lattice():
        # Only struts whose middle lies well inside the picture.
        middle = np.unravel_index(np.argmin(strut.distance + 10 * abs(strut.along - 0.5)), strut.distance.shape)
        if strut.distance[middle] > 0.05 or abs(strut.along[middle] - 0.5) > 0.1:
            continue
        broken[strut.vertical].append(away[strut.window][middle] > 0)
    assert np.mean(broken[True]) == pytest.approx(0.51, abs=0.15)
    assert np.mean(broken[False]) == pytest.approx(0.64, abs=0.15)


def test_a_strut_is_as_wide_as_said():
    """Where the distance field crosses zero beside an unworn vertical strut."""
    strut = next(s for s in lattice() if s.vertical and s.order > 0.95 and s.distance.shape[0] > 60)
    beside = field(0.0)[strut.window][np.isclose(strut.along, 0.5, atol=0.08)]
    at = strut.distance[np.isclose(strut.along, 0.5, atol=0.08)]
    edge = at[beside < 0].max()
    assert 2 * edge == pytest.approx(0.172 * strut.thickness, abs=2 * SIDE / PIXELS)


def test_pictures_are_the_same_each_time_and_cannot_be_written():
    first = picture(0.1).copy()
    picture.cache_clear()
    assert np.array_equal(first, picture(0.1))
    assert first.shape == (PIXELS, PIXELS, 3) and first.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        picture(0.1)[0, 0] = 0
    assert picture(0.2).mean() > picture(0.1).mean() > picture(0.05).mean()


def test_architecture_follows_the_bone_volume():
    ages = [architecture(volume) for volume in (0.22, 0.15, 0.1, 0.07, 0.04)]
    for name in ("vertical_lost", "horizontal_lost"):
        lost = [getattr(age, name) for age in ages]
        assert lost == sorted(lost)
    assert all(age.horizontal_lost >= age.vertical_lost for age in ages)
    widths = [age.width for age in ages]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("volume", [0.0, 0.03, 0.3, float("nan"), True, "much"])
def test_a_bone_volume_out_of_range_is_named(volume):
    with pytest.raises(ValueError, match=r"bone volume is .*; give a number from 0.04 to 0.22"):
        picture(volume)
