"""Side by side without a browser: every corner of the controls answers, and what is said was computed."""

import base64
import itertools
import re

import numpy as np
import pytest
from PIL import Image

from vertebra.comparison import FRACTURES, LEVELS, Setting, compare
from vertebra.widgets import compare as module
from vertebra.widgets.compare import (
    PIXELS,
    SLIDERS,
    START,
    chart,
    checked,
    describe,
    pictures,
    rows,
    shown,
    side_by_side,
)

PLAIN, _ = checked(START)


def films(answer):
    return np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8).reshape(2, 3, answer["size"], answer["size"])


@pytest.mark.parametrize(("name", "end"), list(itertools.product(SLIDERS, (0, 1))))
def test_every_end_of_every_slider_gives_six_pictures(name, end):
    answer = shown({**START, name: SLIDERS[name][end], "sharp": False})
    assert (films(answer).std(axis=(2, 3)) > 5).all()
    assert not answer["sharp"] and "rows" not in answer and answer["size"] < PIXELS


@pytest.mark.parametrize("fracture", FRACTURES)
def test_every_fracture_is_drawn(fracture):
    answer = shown({**START, "fracture": fracture, "sharp": False})
    assert (films(answer).std(axis=(2, 3)) > 5).all()


def test_the_sketch_is_like_the_exact_picture():
    """Same view, same brightness: letting go of a slider must not make the pictures jump."""
    rough, sharp = (films(shown({**START, "sharp": exact})) for exact in (False, True))
    assert sharp.shape == (2, 3, PIXELS, PIXELS)
    for arm, view in itertools.product((0, 1), (0, 1, 2)):
        large = np.asarray(Image.fromarray(rough[arm, view]).resize((PIXELS, PIXELS), Image.Resampling.BILINEAR))
        assert np.corrcoef(large.ravel(), sharp[arm, view].ravel())[0, 1] > 0.95
        assert large.mean() == pytest.approx(sharp[arm, view].mean(), rel=0.1)


@pytest.mark.parametrize("level", [LEVELS[0], LEVELS[-1]])
def test_the_first_and_the_last_level_have_their_neighbours(level):
    setting = Setting(level=level)
    spine = module._spine(setting.vertebra)
    assert level in spine.levels and len(spine.levels) == 3


def test_cement_shows_where_it_is_and_nowhere_else():
    arm = compare(PLAIN)[0]
    block = arm.block()
    empty = type(block)(0 * block.mu, block.affine)
    with_cement = pictures(arm.vertebra, PLAIN.bone_volume, block).astype(int)
    without = pictures(arm.vertebra, PLAIN.bone_volume, empty).astype(int)
    brighter = with_cement - without > 60
    spine = module._spine(arm.vertebra)
    middle = (block.mu[..., None] * np.moveaxis(np.indices(block.mu.shape), 0, -1)).reshape(-1, 3).sum(
        0
    ) / block.mu.sum()
    centre = spine.poses["T12"].apply(((block.affine @ [*middle, 1])[:3])[None])
    for number, view in enumerate(module.VIEWS):
        carm = module._carm(view, spine, "T12")
        at = carm.project(centre)[0]
        seen = np.argwhere(brighter[number])[:, ::-1].mean(axis=0)
        assert np.linalg.norm(at - seen) < 6
        assert brighter[number].mean() < 0.2


def test_the_table_says_what_the_model_computed():
    arms = compare(PLAIN)
    table = {name: cells for name, *cells in rows(arms)}
    assert table["Cement injected"] == ["4.0 mL", "4.0 mL"]
    assert table["Wedge angle that remains"] == [f"{arm.wedge:.0f}°" for arm in arms]
    before, lifted, after = arms[1].inflation.heights[:, 0]
    assert table["Anterior height"][1] == f"{before:.1f} → {lifted:.1f} inflated → {after:.1f} mm"
    centre, canal = arms[0].curing.centre, arms[0].canal_temperature
    assert (
        centre < 100
        and table["Hottest: in the cement, at the canal"][0] == f"{centre:.0f}\u00a0°C, {canal:.0f}\u00a0°C"
    )
    assert arms[1].curing.centre > 100 and table["Hottest: in the cement, at the canal"][1].startswith("over\u00a0100")
    made = arms[1].inflation
    assert table["Balloon"] == ["none", f"{made.volume:.1f} mL at {made.pressure / 1e5:.0f} bar"]
    assert table["From cement to the posterior wall"] == [f"{arm.state.posterior_margin:.0f} mm" for arm in arms]
    assert describe(arms).startswith("T12, wedge, 30 % lower in front, 5 weeks old")


def test_leaks_are_named_by_where_they_lead():
    setting = Setting(level="T8", fracture="wedge with a hole in the posterior wall", volume=8.0, minute=4.0)
    table = {name: cells for name, *cells in rows(compare(setting))}
    for arm, said in zip(compare(setting), table["Cement outside the bone"], strict=True):
        for kind, ml in arm.leaks.items():
            assert (f"{module.ROUTES[kind]} {ml:.2f} mL" in said) == (ml >= module.SEEN)
    assert "spinal canal" in table["Cement outside the bone"][1]


def test_cement_that_is_too_thick_is_said_to_be():
    late = {**START, "minute": 12}
    answer = shown(late)
    assert "too thick to push" in answer["told"]
    table = {name: cells for name, *cells in answer["rows"]}
    assert table["Cement injected"][0] == "none: too thick to push from the start"
    assert table["Highest pressure in the bone"] == ["no cement", "no cement"]
    assert table["Highest pressure at the syringe"] == ["over 3.2 MPa, beyond a hand"] * 2
    assert "no cement" in table["Hottest: in the cement, at the canal"][0]
    assert "polyline" not in answer["chart"]


def test_the_chart_puts_the_pressures_where_they_belong():
    drawn = chart(compare(PLAIN))
    lines = [line.split('"')[0] for line in drawn.split('points="')[1:]]
    heights = [[float(pair.split(",")[1]) for pair in line.split()] for line in lines]
    # Ten times the pressure is one line of the grid, and smaller y is higher.
    grid = [float(y) for y in re.findall(r'class="sb-grid" d="M[\d.]+,([\d.]+)H', drawn)]
    decade = (grid[0] - grid[-1]) / (len(grid) - 1)
    arms = compare(PLAIN)
    asked = np.log10(arms[0].pressures[-1] / arms[1].pressures[-1]) * decade
    assert heights[1][-1] - heights[0][-1] == pytest.approx(asked, abs=0.2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"volume": 30}, "volume is 30"), ({"weeks": True}, "weeks is True"), ({"level": "C2"}, "level is 'C2'")],
)
def test_what_is_wrong_is_said_and_the_last_answer_stays(wrong, words):
    widget = side_by_side()
    before = widget.shown
    widget.wanted = {**START, "seq": 1, **wrong}
    assert widget.problem.startswith("That cannot be compared: ") and words in widget.problem
    # The question is answered all the same, with what was there before: or the browser would wait for ever.
    assert widget.shown == before | {"seq": 1}
    widget.wanted = {**START, "seq": 2, "weeks": 5}
    assert widget.problem == "" and widget.shown["seq"] == 2


def test_an_unknown_start_is_named():
    with pytest.raises(ValueError, match="side_by_side knows no 'age'"):
        side_by_side(age=3)


def test_a_page_without_a_kernel_has_picture_table_and_words():
    widget = side_by_side()
    bundle, _ = widget._repr_mimebundle_()
    assert repr(widget).startswith("Side by side: T12, wedge")
    assert "0x" not in repr(widget)
    assert bundle["text/html"].count("<tr>") == 14
    assert 'alt="Lateral and AP films after vertebroplasty' in bundle["text/html"]
