"""The gym in a real browser: read by mouse, by keyboard alone and by touch; the truth comes only after commitment."""

import json
import re

import numpy as np
import pytest

from films import stand_in
from pages import axe, fits, listen
from vertebra.widgets import gym as module
from vertebra.widgets.gym import Gym

pytestmark = pytest.mark.browser


@pytest.fixture
def show(mount, monkeypatch, tmp_path):
    """Mount a gym of stand-in films, the first of a seed given; every console error of the page fails the test."""
    errors = []

    def opened(first, theme="light", width=1000):
        seeds = iter([first, *range(first + 1, first + 90)])
        monkeypatch.setattr(Gym, "_choose", lambda self, number: next(seeds))
        monkeypatch.setattr(module, "film_case", stand_in)
        bench = mount(Gym(tmp_path, 1), theme, width)
        bench.page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        bench.page.on("pageerror", lambda error: errors.append(str(error)))
        return bench

    yield opened
    assert errors == []


def where(bench, point):
    """The page position of a point in film pixels."""
    box = bench.page.locator(".gy-plate").bounding_box()
    film = bench.widget.film
    return box["x"] + point[0] / film["width"] * box["width"], box["y"] + point[1] / film["height"] * box["height"]


def body(bench):
    return where(bench, np.asarray(bench.widget._case.outlines[bench.widget._case.level]).mean(axis=0))


def commit(page):
    page.get_by_role("button", name="Commit, then see the truth").click()


def test_a_fracture_read_rightly_by_mouse(show):
    bench = show(5)
    page, case = bench.page, bench.widget._case
    page.mouse.click(*body(bench))
    assert page.get_by_label("Abnormal level").input_value() == "mark"
    page.get_by_role("radio", name="Yes").check()
    page.get_by_role("radio", name="Wedge").check()
    page.get_by_role("radio", name=re.compile(f"^{case.grade} ")).check()
    page.get_by_label("Largest height loss").fill(str(round(100 * case.loss)))
    page.get_by_role("radio", name="Certain").check()
    commit(page)
    page.get_by_role("heading", name=f"Right: {case.level} is fractured.").wait_for()
    page.get_by_text("+3 marks, certain").wait_for()
    for name, said in (("Abnormal level", case.level), ("Type", "wedge"), ("Genant grade", str(case.grade))):
        row = page.get_by_role("group", name="Truth").get_by_role("row", name=re.compile(f"^{name}"))
        assert row.get_by_role("cell").all_text_contents() == [f"{said} ✓ (right)", said]
    assert page.get_by_role("row", name=re.compile("^Anterior")).get_by_role("cell").all_text_contents()[0] == (
        f"{case.heights[0]:.1f}"
    )
    page.get_by_text(case.explanation).wait_for()
    # The outline that is drawn lies on the body in the picture.
    drawn = page.evaluate(
        "[...document.querySelectorAll('[data-part=overlay] path')].map((p) => p.getAttribute('d')).join(' ')"
    )
    x, y = case.outlines[case.level][0]
    assert f"M{x:.1f},{y:.1f}" in drawn


def test_a_normal_film_called_a_fracture_by_keyboard_alone(show):
    bench = show(4)
    page, keys = bench.page, bench.page.keyboard

    def tab_to(part):
        for _ in range(25):
            keys.press("Tab")
            if page.evaluate("document.activeElement.dataset.part") == part:
                return
        raise AssertionError(f"Tab never comes to {part}")

    page.evaluate("document.querySelector('[data-part=task]').focus()")
    tab_to("level")
    keys.press("Home")
    for _ in range(3):
        keys.press("ArrowDown")
    named = page.get_by_label("Abnormal level").input_value()
    assert named in bench.widget.film["levels"]
    keys.press("Tab")
    keys.press("Space")  # Yes
    for _ in range(2):  # Wedge; then grade: the first, by arrow the second
        keys.press("Tab")
        keys.press("Space")
    keys.press("ArrowRight")
    keys.press("Tab")
    keys.type("30")
    keys.press("Tab")
    keys.press("Space")
    keys.press("ArrowDown")
    keys.press("Enter")
    page.get_by_role("heading", name="No fracture, and you called one: every level is normal.").wait_for()
    said = bench.widget.answer
    assert (said["level"], said["kind"], said["grade"], said["loss"], said["certainty"]) == (named, "wedge", 2, 30, 2)
    page.get_by_text("−2 marks, fairly sure").wait_for()
    assert page.evaluate("document.activeElement.dataset.part") == "headline"
    tab_to("next")
    keys.press("Enter")
    page.get_by_role("heading", name="Film 2").wait_for()
    assert page.evaluate("document.activeElement.dataset.part") == "task"
    assert page.get_by_role("radio", checked=True).count() == 0


def test_no_level_means_no_fracture_and_no_details(show):
    bench = show(4)
    page = bench.page
    page.get_by_role("radio", name="Yes").check()
    assert page.get_by_text("Type of fracture").is_visible()
    page.get_by_label("Abnormal level").select_option("none")
    assert page.get_by_role("radio", name="No", exact=True).is_checked()
    assert page.get_by_role("radio", name="Yes").is_disabled()
    assert not page.get_by_text("Type of fracture").is_visible()
    page.get_by_role("radio", name="Guess").check()
    commit(page)
    page.get_by_role("heading", name="Right, no fracture: every level is normal.").wait_for()
    page.get_by_text("+1 mark, guess").wait_for()


def test_nothing_is_shown_until_everything_is_said(show):
    bench = show(5)
    page = bench.page
    steps = [
        ("First say which level", lambda: page.get_by_label("Abnormal level").select_option("T12")),
        ("Say whether a vertebra is fractured", lambda: page.get_by_role("radio", name="Yes").check()),
        ("Choose the type", lambda: page.get_by_role("radio", name="Crush").check()),
        ("Choose the Genant grade", lambda: page.get_by_role("radio", name="3 severe").check()),
        ("Estimate the largest height loss", lambda: page.get_by_label("Largest height loss").fill("0")),
        ("Estimate the largest height loss", lambda: page.get_by_label("Largest height loss").fill("45")),
        ("Say how certain you are", lambda: page.get_by_role("radio", name="Guess").check()),
    ]
    for words, mend in steps:
        commit(page)
        page.get_by_role("alert").get_by_text(words).wait_for()
        assert page.evaluate("document.activeElement.matches('select, input')")
        mend()
        assert page.get_by_text(words).count() == 0
    assert bench.widget.answer == {}
    assert bench.widget.verdict == {}
    commit(page)
    page.get_by_role("button", name="Next film").wait_for()


def test_the_browser_holds_no_truth_before_commitment(show):
    bench = show(7)
    page, case = bench.page, bench.widget._case
    state = page.evaluate("JSON.stringify(['film', 'verdict', 'progress', 'answer', 'note'].map((n) => model.get(n)))")
    film = json.loads(state)[0]
    held = state.replace(film["src"], "") + page.content().replace(film["src"], "")
    for secret in (case.explanation, f"{case.heights[0]:.1f}", f"{case.outlines[case.level][0][1]:.1f}", "ffb000"):
        assert secret not in held
    assert page.locator("[data-part=overlay] path").count() == 0
    page.get_by_label("Abnormal level").select_option("none")
    page.get_by_role("radio", name="Certain").check()
    commit(page)
    page.get_by_role("heading", name=f"Missed: {case.level} is fractured.").wait_for()
    assert page.locator("[data-part=overlay] path").count() > 10
    page.get_by_role("button", name="Next film").click()
    page.get_by_role("heading", name="Film 2").wait_for()
    assert page.locator("[data-part=overlay] *").all_text_contents() == [bench.widget.film["marker"]]
    assert case.explanation not in page.content()
    assert page.evaluate("JSON.stringify(model.get('verdict'))") == "{}"


def test_the_truth_can_be_lifted_off_the_film(show):
    bench = show(5)
    page = bench.page
    assert not page.get_by_role("checkbox", name="Draw the truth").is_visible()
    page.get_by_label("Abnormal level").select_option("none")
    page.get_by_role("radio", name="Guess").check()
    commit(page)
    overlay = page.locator("[data-part=overlay]")
    box = page.get_by_role("checkbox", name="Draw the truth")
    box.wait_for()
    assert overlay.is_visible()
    box.press("Space")
    assert not overlay.is_visible()
    box.press("Space")
    assert overlay.is_visible()
    page.mouse.click(*body(bench))  # the film is read: a click marks nothing any more
    assert page.locator(".gy-mark").count() == 0


def test_the_viewing_box_changes_the_picture_and_a_mark_stays_on_its_body_when_magnified(show):
    bench = show(5)
    page = bench.page
    image = page.locator("[data-part=image]")

    def seen():
        return image.evaluate("(image) => getComputedStyle(image).filter")

    page.get_by_role("slider", name="Brightness").press("End")
    assert "brightness(2.2)" in seen()
    page.get_by_role("slider", name="Contrast").press("Home")
    assert "contrast(0.4)" in seen()
    page.get_by_role("checkbox", name="Invert").press("Space")
    assert "invert(1)" in seen()
    before = image.bounding_box()["width"]
    page.mouse.click(*body(bench))
    page.get_by_role("checkbox", name="Magnify").press("Space")
    assert image.bounding_box()["width"] == pytest.approx(2 * before, rel=0.01)
    mark, box = page.locator(".gy-mark").bounding_box(), page.locator(".gy-box").bounding_box()
    assert box["y"] < mark["y"] + mark["height"] / 2 < box["y"] + box["height"]
    x, y = body(bench)
    assert abs(mark["x"] + mark["width"] / 2 - x) < 2
    assert abs(mark["y"] + mark["height"] / 2 - y) < 2
    # A click on the magnified film means the same pixel of the film.
    page.mouse.click(x, y + 8)
    page.get_by_role("radio", name="No", exact=True).check()
    page.get_by_role("radio", name="Guess").check()
    commit(page)
    page.get_by_role("button", name="Next film").wait_for()
    assert bench.widget._file.readings[-1].reading.said.level == bench.widget._case.level


def test_a_film_is_read_by_touch_on_a_phone_and_nothing_scrolls_sideways(show):
    bench = show(5, width=360)
    page = bench.page
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(wide)
    page.touchscreen.tap(*body(bench))
    page.get_by_role("radio", name="Yes").tap()
    page.get_by_role("radio", name="Wedge").tap()
    page.get_by_role("radio", name="2 moderate").tap()
    page.get_by_label("Largest height loss").fill("30")
    page.get_by_role("radio", name="Fairly sure").tap()
    assert page.evaluate(wide)
    page.get_by_role("button", name="Commit").tap()
    page.get_by_role("heading", name=re.compile("^Right: ")).wait_for()
    assert page.evaluate(wide)
    small = page.evaluate(
        "[...document.querySelectorAll('button, input, select, label')].filter((e) => e.offsetParent).map((e) => {"
        " const { width, height } = e.getBoundingClientRect(); return [e.outerHTML.slice(0, 60), width, height]; })"
    )
    assert [box for box in small if min(box[1:]) < 24 and "vt-visually-hidden" not in box[0]] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_before_and_after_commitment(show, theme):
    bench = show(5, theme)
    page = bench.page

    def check():
        axe(page)

    page.get_by_role("radio", name="Yes").check()
    check()
    page.get_by_label("Abnormal level").select_option("none")
    page.get_by_role("radio", name="Guess").check()
    commit(page)
    page.get_by_role("img", name=re.compile("^Sensitivity after 1 film")).wait_for()
    check()


def test_the_running_score_is_drawn_where_the_numbers_are(show):
    bench = show(4)
    page = bench.page
    for called in ("none", "T12", "none", "T12"):
        page.get_by_label("Abnormal level").select_option(called)
        if called != "none":
            page.get_by_role("radio", name="Yes").check()
            page.get_by_role("radio", name="Wedge").check()
            page.get_by_role("radio", name="2 moderate").check()
            page.get_by_label("Largest height loss").fill("30")
        page.get_by_role("radio", name="Fairly sure").check()
        commit(page)
        page.get_by_role("button", name="Next film").click()
        page.get_by_role("button", name="Commit").wait_for()
    page.get_by_role("heading", name="Running score: 4 films").wait_for()
    curve = bench.widget.progress["curve"]
    assert curve[-1][0][0] == 1.0 and curve[-1][1][0] == 1.0
    chart = page.get_by_role("img", name=re.compile("^Sensitivity after 4 films: 100 %, 95 % limits 34 % to 100 %"))
    top, foot = (float(chart.locator("line.gy-whisker").get_attribute(name)) for name in ("y2", "y1"))
    axis = [float(line.get_attribute("y1")) for line in chart.locator("line.gy-grid").all()]  # 0, 50, 100 %
    low, high = curve[-1][0][1:]
    assert [foot, top] == pytest.approx([axis[0] + share * (axis[2] - axis[0]) for share in (low, high)], abs=0.1)
    assert page.get_by_role("row", name=re.compile("^Specificity 2 of 2")).count() == 1
    assert page.get_by_text("never a licence").count() == 1


def test_no_key_leaves_the_widget(show):
    page = show(5).page
    listen(page)
    page.get_by_role("region", name="Film", exact=True).focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_a_dead_kernel_is_said(show):
    page = show(5).page
    page.evaluate("kernel.dead = true")
    page.get_by_label("Abnormal level").select_option("none")
    page.get_by_role("radio", name="Guess").check()
    commit(page)
    page.get_by_role("alert").get_by_text("Nothing comes back").wait_for(timeout=4500)


def test_what_the_kernel_says_of_the_file_is_shown(show):
    bench = show(5)
    bench.push(note="film_gym.json cannot be written to the folder answers (No space left).")
    bench.page.get_by_role("status").get_by_text("cannot be written").wait_for()
    bench.push(problem="The gym could not use that reading: x")
    bench.page.get_by_role("alert").get_by_text("could not use").wait_for()


def test_the_clean_up_takes_every_listener_back(show):
    page = show(5).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ film: model.get('film'), problem: 'x' })")


def test_next_pressed_twice_and_a_film_that_fails_and_can_be_asked_for_again(show, monkeypatch):
    bench = show(4)
    page = bench.page

    def read():
        page.get_by_label("Abnormal level").select_option("none")
        page.get_by_role("radio", name="Guess").check()
        page.get_by_role("button", name="Commit").dblclick()
        page.get_by_role("heading", name=re.compile("^(Right, no fracture|Missed)")).wait_for()

    read()
    assert bench.widget.progress["films"] == 1
    page.get_by_role("button", name="Next film").dblclick()
    page.get_by_role("heading", name="Film 2", exact=True).wait_for()
    with monkeypatch.context() as broken:
        broken.setattr(module, "film_case", lambda seed: 1 / 0)
        read()
        page.get_by_role("button", name="Next film").click()
        page.get_by_role("alert").get_by_text("The next film could not be made").wait_for()
        assert page.get_by_role("button", name="Next film").is_visible()
    page.get_by_role("button", name="Next film").click()
    page.get_by_role("heading", name="Film 3", exact=True).wait_for()
    assert page.get_by_text("could not be made").count() == 0


def test_nothing_scrolls_sideways_on_the_narrowest_phone_with_the_truth_shown(show):
    bench = show(5, width=320)
    page = bench.page
    for _ in range(2):
        page.get_by_label("Abnormal level").select_option("none")
        page.get_by_role("radio", name="Certain").check()
        page.get_by_role("button", name="Commit").click()
        page.get_by_role("button", name="Next film").wait_for()
        assert fits(page)
        page.get_by_role("button", name="Next film").click()
        page.get_by_role("button", name="Commit").wait_for()
        box = page.locator(".gy-box").bounding_box()
        assert 0 <= box["y"] <= 900 - box["height"]  # the new film is in sight
