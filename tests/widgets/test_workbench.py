"""The workbench without a browser: what it says is what `vertebra.measure` says, at every corner of its controls."""

import itertools

import numpy as np
import pytest

from vertebra.measure import morphometry, scores
from vertebra.spine import lateral
from vertebra.spine.shape import Shape
from vertebra.widgets import workbench as module
from vertebra.widgets.workbench import readout, workbench

BASE = {"seq": 1, "anterior": 0.0, "middle": 0.0, "posterior": 0.0, "wall": 0.0, "superior_share": 1.0}
BASE |= {"oedema": False, "tension_band": False}


def told(**state):
    return readout(BASE | state)


@pytest.mark.parametrize(
    "corner", list(itertools.product((0, 0.7), (0, 0.7), (0, 0.6), (0, 1), (0, 0.5, 1), (False, True)))
)
def test_every_corner_of_the_controls_gives_a_readout(corner):
    names = ("anterior", "middle", "posterior", "wall", "superior_share", "tension_band")
    state = dict(zip(names, corner, strict=True))
    answer = told(**state, oedema=True)
    assert sum(answer["probabilities"]) == pytest.approx(1)
    assert answer["probabilities"][answer["grade"]] > 0
    assert 1 <= answer["of"] <= 5
    assert len(answer["rows"]) == 7


@pytest.mark.parametrize(("lost", "grade"), [(0.19, 0), (0.21, 1), (0.24, 1), (0.26, 2), (0.39, 2), (0.41, 3)])
def test_a_crush_is_graded_on_both_sides_of_each_cut_off(lost, grade):
    """All three heights fall together, so the loss read is the loss asked for."""
    answer = told(anterior=lost, middle=lost, posterior=lost)
    assert answer["loss"] == pytest.approx(lost, abs=1e-4)  # the corners stand only nearly above each other
    assert answer["grade"] == grade


def test_a_normal_l1_is_a_little_wedged_and_not_a_fracture():
    answer = told()
    assert 0.05 < answer["loss"] < 0.15
    assert answer["grade"] == 0


@pytest.mark.parametrize(
    ("state", "of"),
    [
        ({}, 0),
        ({"oedema": True}, 1),
        ({"anterior": 0.3}, 2),
        ({"anterior": 0.3, "wall": 0.19}, 2),
        ({"anterior": 0.3, "wall": 0.21}, 3),
        ({"anterior": 0.3, "superior_share": 0.5}, 4),
        ({"wall": 0.3}, 3),
        ({"anterior": 0.3, "tension_band": True}, 5),
    ],
)
def test_the_of_type_follows_the_picture(state, of):
    assert told(**state)["of"] == of


def test_the_angles_are_those_of_the_landmarks():
    scene = lateral.lateral(Shape(anterior=0.4))
    points = {level: morphometry.SixPoints.from_array(scene.landmarks(level)) for level in lateral.LEVELS}
    rows = {name: value for name, value, _ in told(anterior=0.4)["rows"]}
    assert rows["Wedge angle"] == f"{morphometry.vertebral_kyphosis(points['L1']):.0f}°"
    assert rows["Local kyphosis"] == f"{morphometry.local_kyphosis(points['T12'], points['L2']):.0f}°"


def test_a_bad_state_is_said_and_breaks_nothing():
    bench = workbench(seed=1)
    good = bench.readout
    bench.shape = BASE | {"anterior": 5.0}
    assert "anterior is 5.0" in bench.problem
    bench.placed = {"film": 1, "points": [[0, 0]] * 6}
    assert bench.problem
    assert bench.readout == good
    bench.shape = BASE | {"seq": 9}
    assert bench.problem == ""
    assert bench.readout["seq"] == 9


def test_measuring_tells_the_known_error_and_repeatability_over_films():
    bench = workbench(seed=2)
    offset = np.array([0.3, -0.4])
    for number in (1, 2, 3):
        bench.wanted_film = number
        film = bench.film
        truth = lateral.lateral(Shape(**film["shape"]), film["tilt"]).landmarks("L1")
        bench.placed = {"film": number, "points": (truth + offset).tolist()}
        result = bench.result
        # A common shift moves every point by 0.5 mm and changes no height, loss or angle.
        assert result["rows"][-1][1:3] == ["1: 0.5 · 2: 0.5 · 3: 0.5", "4: 0.5 · 5: 0.5 · 6: 0.5"]
        assert {row[3] for row in result["rows"][:3]} == {"0 mm"}
        assert result["title"] == "Right grade"
    assert "Over 3 films" in result["lines"][-1]
    assert "±0.0%" in result["lines"][-1]
    again = bench.placed | {"points": (truth + 2 * offset).tolist()}
    bench.placed = again
    assert "Over 3 films" in bench.result["lines"][-1]  # the same film again is no new reading


def test_the_static_form_is_stable_and_complete():
    first, second = workbench(), workbench(seed=5)
    assert repr(first) == repr(second)
    assert "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert "Genant grade 2 (moderate)" in bundle["text/html"]


def test_the_browser_half_names_the_published_heights_as_such():
    assert "bonczar2024" in module.LIMITS
    assert scores.OF_TYPES[2] in told(anterior=0.3)["rows"][-1][2]
