"""The tasks that the course ships: what their tables say is what the model says, and their films show it."""

import base64
import importlib.util
import io
import itertools
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vertebra.imaging.fluoroscopy import CArm
from vertebra.quiz.tasks import load_task, needle_lines
from vertebra.spine.vertebra import Vertebra

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("build_tasks", ROOT / "tools" / "build_tasks.py")
assert spec and spec.loader
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

NEEDLES = [name for name, task in tool.TASKS.items() if isinstance(task, tool.NeedleTask)]
STOPS = [name for name in tool.TASKS if name not in NEEDLES]


@cache
def stored(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(tool.place(name).read_text(encoding="utf-8"))
    return data


def settings(data: dict[str, Any]) -> list[tuple[float, ...]]:
    return list(itertools.product(*(control["values"] for control in data["controls"])))


def picture(film: dict[str, Any]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(film["uri"].split(",")[1]))).convert("L"), dtype=float)


@pytest.mark.parametrize("name", tool.TASKS)
def test_every_task_can_be_read_and_is_small(name: str) -> None:
    data = stored(name)
    assert load_task(tool.place(name)).runs == data["runs"] == len(settings(data))
    assert tool.place(name).stat().st_size <= 250_000
    assert tool.text(data) == tool.place(name).read_text(encoding="utf-8")


def test_graded_tables_are_not_where_every_student_has_them() -> None:
    there = {path.stem for path in tool.PRACTICE.glob("*.json")}
    assert there == {name for name, task in tool.TASKS.items() if not task.graded}
    assert {path.stem for path in tool.GRADED.glob("*.json")} == tool.TASKS.keys() - there
    practised = {(task.level, getattr(task, "side", "")) for name, task in tool.TASKS.items() if name in there}
    graded = {(task.level, getattr(task, "side", "")) for name, task in tool.TASKS.items() if name not in there}
    assert not practised & graded


@pytest.mark.parametrize("name", NEEDLES)
def test_twenty_settings_of_a_needle_are_what_the_model_says(name: str) -> None:
    data, task = stored(name), tool.TASKS[name]
    chances = random.Random(name)
    every = settings(data)
    for place in chances.sample(range(len(every)), 20):
        found = task.measure(every[place])
        # Half of the last digit for another computer's rounding.
        for measure in data["measures"]:
            assert measure["values"][place] == pytest.approx(
                found[measure["id"]], abs=1 if measure["id"] == "tip" else 0.1
            )
        _, turn, dip, depth = every[place]
        needle = task.needle(*every[place])
        at = [control["values"].index(value) for control, value in zip(data["controls"], every[place], strict=True)]
        direction = np.array(data["needle"]["directions"][at[1]][at[2]])
        assert np.allclose(np.array(data["needle"]["entries"][at[0]]) + depth * direction, needle.tip, atol=0.01)
        # The slider's angles are those against the sagittal and the axial plane.
        medial = -tool.SIDES[task.side] * direction[0]
        assert np.degrees(np.arctan2(medial, direction[1])) == pytest.approx(turn, abs=0.01)
        assert np.degrees(np.arcsin(-direction[2])) == pytest.approx(dip, abs=0.01)


@pytest.mark.parametrize("name", NEEDLES)
def test_needles_are_drawn_where_the_films_camera_sees_them(name: str) -> None:
    """The matrices of the file against the C-arm's own projection, which the films are made with."""
    data, task = stored(name), tool.TASKS[name]
    spine = task.spine
    ids = [control["id"] for control in data["controls"]]
    for setting in random.Random(name).sample(settings(data), 5):
        lines = needle_lines(data, dict(zip(ids, setting, strict=True)))
        needle = task.needle(*setting)
        for line, orbital in zip(lines, (0.0, 90.0), strict=True):
            arm = tool.carm(spine, task.level, orbital)
            ends = np.array([needle.tip - (setting[3] + data["needle"]["behind"]) * needle.direction, needle.tip])
            seen = arm.project(spine.poses[task.level].apply(ends)) + 0.5  # from a pixel's centre to its corner
            assert np.allclose(seen, line, atol=0.05)


@pytest.mark.parametrize("name", NEEDLES)
def test_the_films_show_bone_where_the_matrices_say(name: str) -> None:
    """Projected voxels of the vertebra lie on the bright parts of the film, and its cortex brighter than its disc."""
    data, task = stored(name), tool.TASKS[name]
    vertebra: Vertebra = task.spine.vertebrae[task.level]
    lateral = data["films"][1]
    grey, matrix = picture(lateral), np.array(lateral["matrix"])

    def brightness(points: np.ndarray) -> np.ndarray:
        u, v, w = matrix @ np.column_stack([points, np.ones(len(points))]).T
        return grey[np.floor(v / w).astype(int), np.floor(u / w).astype(int)]

    walls = vertebra.landmarks[[2, 5]]
    along = np.linspace(0.2, 0.8, 20)[:, None]
    forward = np.array([0.0, 1.0, 0.0])
    back = walls[0] + along * (walls[1] - walls[0]) + 0.5 * forward
    inside = back + 6.0 * forward
    assert np.median(brightness(back)) > np.median(brightness(inside)) + 5
    above = np.array([[0.0, y, vertebra.landmarks[1, 2] + 4.0] for y in (-2.0, 0.0, 2.0)])
    assert np.median(brightness(inside)) > np.median(brightness(above)) + 10


@pytest.mark.parametrize("name", NEEDLES)
def test_the_good_path_lies_in_bone_and_the_words_fit_the_films(name: str) -> None:
    data, task = stored(name), tool.TASKS[name]
    vertebra = task.spine.vertebrae[task.level]
    good = task.needle(*data["example"].values())
    assert tool.clearance(good, vertebra, task.side) > 0.5
    assert task.measure(tuple(data["example"].values()))["breach"] == 0
    every = settings(data)
    assert data["seen"] == tool.seen(task, data["films"], every)
    ap, lateral, _ = ([seen["words"][int(at)] for at in seen["at"]] for seen in data["seen"])
    pedicle = vertebra.pedicle(task.side)
    for place in random.Random(name).sample(range(len(every)), 40):
        tip = task.needle(*every[place]).tip
        share = tool.share_of_depth(vertebra, tip)
        assert ("third" in lateral[place]) == (0 < share < 1)
        side = np.sign(pedicle.centre[0])
        assert ap[place] != "at or beyond the midline" or side * tip[0] < 1
        if side * tip[0] < abs(pedicle.centre[0]) - pedicle.width / 2 - 2:
            assert "midline" in ap[place]
        if side * tip[0] > abs(pedicle.centre[0]) + pedicle.width / 2 + 2:
            assert ap[place] == "lateral to the ring"


@pytest.mark.parametrize("name", NEEDLES)
def test_who_cannot_see_the_films_is_told_of_what_the_marking_looks_at(name: str) -> None:
    """The words come from landmarks and projections, the table from distances to bone: they warn of the same."""
    data = stored(name)
    table = {measure["id"]: np.array(measure["values"]) for measure in data["measures"]}
    ap, lateral, height = (np.array([seen["words"][int(at)] for at in seen["at"]]) for seen in data["seen"])
    broken = table["superior_endplate"]
    assert set(height[broken > 0]) <= {
        "in the upper third of the body",
        "at the upper endplate",
        "above the upper endplate",
    }
    assert set(height[broken > 3.2]) <= {"at the upper endplate", "above the upper endplate"}, "a needle's thickness"
    assert set(height[broken > 5]) == {"above the upper endplate"}
    assert (broken[height == "above the upper endplate"] > 0).mean() > 0.85
    # Which third of the depth, by the table's own tip; the front wall is convex, so the words may be a little late.
    for word, low, high in (("back", 0, 34), ("middle", 33, 67), ("front", 66, 101)):
        tips = table["tip"][lateral == f"in the {word} third of the body"]
        assert low <= tips.min() and tips.max() <= high
    # Whoever is over the ring or medial of it at the far end of a straight path has not left the body at its side.
    assert not (table["lateral"][ap == "at or beyond the midline"] > 2).any()
    ring = data["films"][0]["alt"].split(", ")[-1]
    pedicle = tool.TASKS[name].spine.vertebrae[tool.TASKS[name].level].pedicle(tool.TASKS[name].side)
    assert ring == f"{pedicle.width:.0f} mm wide and {pedicle.height:.0f} mm high."
    assert [measure["says"] for measure in data["measures"]] == list(tool.SAYS.values())


@pytest.mark.parametrize("name", NEEDLES)
def test_sliders_reach_every_outcome(name: str) -> None:
    """There are ways into the canal, through other walls, and several good ones, and none of them is the rule."""
    data = stored(name)
    table = {measure["id"]: np.array(measure["values"]) for measure in data["measures"]}
    good = (table["breach"] == 0) & (table["tip"] >= 50)
    shares = [np.mean(table["canal"] > 0), np.mean((table["breach"] > 0) & (table["breach"] < 2)), good.mean()]
    assert all(0.03 < share < 0.5 for share in shares), shares


@pytest.mark.parametrize("name", STOPS)
def test_a_run_of_cement_is_what_the_model_says(name: str) -> None:
    data, task = stored(name), tool.TASKS[name]
    table = {measure["id"]: measure["values"] for measure in data["measures"]}
    for place, state in enumerate(task.states):
        found = task.measure(state)
        for quantity, values in table.items():
            assert values[place] == pytest.approx(found[quantity], rel=0.02, abs=0.0011)
    for film, place in zip(data["films"], range(data["runs"]), strict=True):
        assert film["alt"] == tool.shown({quantity: values[place] for quantity, values in table.items()})
    assert all(measure["says"] == tool.SPREAD[measure["id"]] for measure in data["measures"])
    assert table["volume"] == sorted(table["volume"]) and table["outside"] == sorted(table["outside"])
    assert table["posterior"] == sorted(table["posterior"], reverse=True)


@pytest.mark.parametrize("name", STOPS)
def test_each_film_shows_more_cement_than_the_one_before(name: str) -> None:
    data = stored(name)
    dark = [(picture(film) < 40).sum() for film in data["films"]]
    assert all(more > less for less, more in itertools.pairwise(dark))
    # On a film as large as FIELD, the area of a ball of that volume, give or take half for its shape.
    scale = tool.PIXELS / tool.FIELD
    for area, volume in list(zip(dark, data["measures"][0]["values"], strict=True))[2:]:
        held = volume * 1000 / 0.9  # bone takes a little of the space
        ball = np.pi * (held * 3 / 4 / np.pi) ** (2 / 3) * scale**2
        assert 0.5 < (area - dark[0]) / ball < 1.6


def test_the_camera_that_is_described_is_a_c_arm() -> None:
    task = tool.TASKS["needle_l1_left"]
    arm = tool.carm(task.spine, task.level, 0.0)
    assert isinstance(arm, CArm)
    # AP looks along the endplates: the front and back of the body lie at one height.
    pose = task.spine.poses[task.level]
    ends = arm.project(pose.apply([[0.0, 15.0, 0.0], [0.0, -25.0, 0.0]]))
    assert abs(ends[0, 1] - ends[1, 1]) < 1.5
