"""Statics: the closed forms against forces and moments summed piece by piece, and against the published shift."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation import validates
from vertebra.mechanics import statics
from vertebra.mechanics.statics import (
    above,
    cascade,
    heights,
    lean_of_wedge,
    neighbours,
    parameter,
    wedge_angle,
)
from vertebra.spine.dimensions import LEVELS, dimensions
from vertebra.spine.shape import Shape, crush, wedge
from vertebra.spine.stack import Spine
from vertebra.spine.vertebra import Vertebra

levels = st.sampled_from(LEVELS)


def summed(level, lean, carried, ahead, body_weight):
    """Return muscle force and compression from every mass on its own: slices, head and arms, one by one."""
    here, z = above(level, body_weight), heights()
    g, names = parameter("gravity"), [*statics.UPPER, *LEVELS]
    share = np.linspace(parameter("mass at T1"), parameter("mass at L5"), len(names))
    index = names.index(level)
    masses = [*share[:index], share[index] / 2, parameter("mass of head and neck"), parameter("mass of both arms")]
    up = [z[name] for name in names[: index + 1]]
    up += [z["T1"] + parameter("height of the head"), z["T1"] - parameter("shoulders below T1")]
    forces = [mass * body_weight * g for mass in masses] + [carried]
    turn = math.radians(lean)
    arms = [here.forward + (height - z[level]) * math.sin(turn) for height in up]
    arms.append(here.forward + here.shoulder * math.sin(turn) + ahead)
    muscle = sum(force * arm for force, arm in zip(forces, arms, strict=True)) / here.arm
    return muscle, sum(forces) * math.cos(turn) + muscle + here.tone


@validates(
    "mechanics.statics",
    "Muscle force and compression",
    against="forces and moments summed piece by piece",
    kind="computation",
    tolerance="1e-9 of the value",
)
@given(levels, st.floats(-10, 80), st.floats(0, 400), st.floats(-50, 400), st.floats(30, 150))
def test_forces_and_moments_balance_piece_by_piece(level, lean, carried, ahead, body_weight):
    here = above(level, body_weight)
    muscle, compression = summed(level, lean, carried, ahead, body_weight)
    assert here.muscle(lean, carried, ahead) == pytest.approx(muscle, rel=1e-9, abs=1e-9)
    assert here.compression(lean, carried, ahead) == pytest.approx(compression, rel=1e-9)


@given(levels, st.floats(30, 150))
def test_standing_the_muscle_has_its_share_and_the_tone_its_own(level, body_weight):
    here = above(level, body_weight)
    assert here.muscle() / here.compression() == pytest.approx(parameter("muscle share"))
    assert here.tone / here.compression() == pytest.approx(parameter("tone"))


def test_what_stands_above_grows_downwards_and_with_the_person():
    weights = [above(level).weight for level in LEVELS]
    assert weights == sorted(weights)
    assert above("L5", 130.0).weight == pytest.approx(2 * above("L5", 65.0).weight)
    # All of the trunk's slices with head and arms: nothing is counted twice or left out.
    below = parameter("mass at L5") / 2 * 65 * parameter("gravity")
    total = 17 * (parameter("mass at T1") + parameter("mass at L5")) / 2
    total += parameter("mass of head and neck") + parameter("mass of both arms")
    assert above("L5").weight + below == pytest.approx(total * 65 * parameter("gravity"))


def test_heights_are_those_of_the_straightened_spine_model():
    """The stack of the spine room has the same bodies and discs, along its curve."""
    spine = Spine(LEVELS)
    centres = np.array([spine.poses[level].translation for level in LEVELS])
    length = np.hypot(*np.diff(centres, axis=0)[:, 1:].T).sum()
    assert heights()["T6"] == pytest.approx(length, rel=0.03)


@pytest.mark.parametrize("level", ["T8", "T12", "L1", "L4"])
@pytest.mark.parametrize("shape", [wedge(0.2), wedge(0.4), crush(0.3)])
def test_the_wedge_angle_is_that_of_the_modelled_vertebra(level, shape):
    """The angle between the endplates of the implicit vertebra, its corners read off, over that of a normal one."""

    def angle(made):
        corners = Vertebra(level, made).landmarks  # anterior, middle, posterior: superior, then inferior
        upper, lower = corners[0] - corners[2], corners[3] - corners[5]
        return math.degrees(math.atan2(upper[2], upper[1]) - math.atan2(lower[2], lower[1]))

    # Kyphosis closes the front: the upper endplate dips forward.
    assert wedge_angle(level, shape) == pytest.approx(angle(Shape()) - angle(shape), abs=2.0)


def test_a_normal_body_leans_nothing_and_full_balance_takes_all_back():
    assert wedge_angle("L1", Shape()) == 0
    assert lean_of_wedge(20, 1.0) == 0
    assert lean_of_wedge(20, 0.0) == pytest.approx(20)
    assert all(change.percent == 0 for change in cascade("L1", 0.0).values())


@given(levels, st.floats(0.5, 40), st.floats(0, 0.95))
def test_a_wedge_loads_every_level_and_most_itself(level, angle, compensation):
    every = cascade(level, angle, compensation=compensation)
    assert all(change.after > change.before and change.percent > 0 for change in every.values())
    # Only muscle force was added: weight stays what it was.
    for change in every.values():
        assert change.after - change.before == pytest.approx(change.muscle - change.muscle_before)
    # What was added per muscle arm is the same at the wedge and below it: the same mass has shifted.
    place = LEVELS.index(level)
    moments = [(c.muscle - c.muscle_before) * above(name).arm for name, c in list(every.items())[place:]]
    assert moments == pytest.approx([moments[0]] * len(moments))
    assert every[level].percent > cascade(level, angle * 0.9, compensation=compensation)[level].percent


def test_the_wedged_level_agrees_with_a_lean_of_its_own():
    """A wedge leans what is above as a leaning trunk does; only the cosine of the small angle is left out."""
    angle = wedge_angle("L1", wedge(0.3))
    change, here = cascade("L1", angle, compensation=0.0)["L1"], above("L1")
    assert change.after == pytest.approx(here.compression(angle) + here.weight * (1 - math.cos(math.radians(angle))))


def test_muscle_and_pressure_rise_as_in_the_published_model():
    """Two numbers of it were fitted (+60 % pressure at +200 % muscle force, +20 % balanced)."""
    here = above("L3")
    angle = math.degrees(math.asin(2 * here.forward / here.height))
    loose, balanced = cascade("L3", angle, compensation=0.0)["L3"], cascade("L3", angle)["L3"]
    assert loose.muscle_percent == pytest.approx(200)
    assert loose.percent == pytest.approx(60)
    assert balanced.percent == pytest.approx(20, abs=0.01)
    assert 10 < angle < 20  # of a wedge that loses a third of its height in front
    assert wedge_angle("L3", wedge(0.35)) == pytest.approx(angle, abs=2)


def test_neighbours_are_the_level_above_and_the_one_below():
    assert list(neighbours("L1", 15)) == ["T12", "L2"]
    assert list(neighbours("T6", 15)) == ["T7"] and list(neighbours("L5", 15)) == ["L4"]
    assert neighbours("L1", 15)["L2"] == cascade("L1", 15)["L2"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: above("C7"), "level is 'C7'"),
        (lambda: above("L1", 12.0), "body weight is 12.0; give a number from 30 to 150 kg"),
        (lambda: above("L1", float("nan")), "body weight is nan"),
        (lambda: cascade("L1", 80.0), "wedge angle is 80.0"),
        (lambda: cascade("S1", 10.0), "level is 'S1'"),
        (lambda: cascade("L1", 10.0, compensation=1.5), "compensation is 1.5"),
        (lambda: wedge_angle("X", Shape()), "level is 'X'"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_the_extensors_lever_goes_with_the_depth_of_the_body():
    for level in LEVELS:
        ratio = above(level).arm / above("L4").arm
        assert ratio == pytest.approx(dimensions()[level].upper_depth / dimensions()["L4"].upper_depth)
