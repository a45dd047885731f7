"""The workbench in a real browser: the same geometry as Python, usable by keyboard alone, nothing axe objects to."""

import re

import numpy as np
import pytest

from pages import axe, fits, listen, small
from vertebra.spine import lateral
from vertebra.spine.shape import Shape
from vertebra.widgets.workbench import geometry, workbench

pytestmark = pytest.mark.browser
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def numbers(text):
    return [float(found) for found in NUMBER.findall(text)]


FIVE = ("anterior", "middle", "posterior", "wall", "superior_share")


def known(shape):
    return {name: getattr(shape, name) for name in FIVE}


def test_the_browser_draws_what_python_draws(mount):
    rng = np.random.default_rng(11)
    shapes = [Shape(), Shape(0.7, 0.7, 0.6, 1.0, 0.0), Shape(0.7, 0, 0.6, 1.0, 1.0)]
    shapes += [Shape(*rng.uniform(0, 0.6, 3), *rng.uniform(0, 1, 2)) for _ in range(60)]
    page = mount(workbench(seed=1)).page
    drawn = page.evaluate(
        """([shapes, geometry]) => shapes.map(([shape, outline]) => {
          const scene = esm.lateral(shape, geometry, 0.05);
          return [esm.parts(scene, geometry, outline), ["T12", "L1", "L2"].map(scene.landmarks)];
        })""",
        [[[known(shape), lateral.outline("L1", shape).tolist()] for shape in shapes], geometry()],
    )
    for shape, (moving, landmarks) in zip(shapes, drawn, strict=True):
        scene = lateral.lateral(shape, 0.05)
        for level, points in zip(lateral.LEVELS, landmarks, strict=True):
            assert np.allclose(points, scene.landmarks(level), atol=1e-9)
        expected = lateral.parts(scene)
        assert moving.keys() == expected.keys()
        for name, text in expected.items():
            # The picture is written to 0.01 mm, and the two languages may round the last digit differently.
            assert numbers(moving[name]) == pytest.approx(numbers(text), abs=0.011), name


def test_the_outline_of_a_moving_slider_lies_close_to_the_model(mount):
    rng = np.random.default_rng(12)
    shapes = [Shape(), *(lateral.random_shape(rng) for _ in range(20))]
    page = mount(workbench(seed=1)).page
    quick = page.evaluate(
        "([shapes, normal]) => shapes.map((shape) => esm.body(normal, shape).outline)",
        [[known(shape) for shape in shapes], geometry()["levels"]["L1"]],
    )
    for shape, outline in zip(shapes, quick, strict=True):
        cut = lateral.outline("L1", shape)
        # Between the points of a thinned outline lie straight lines: fill them before measuring.
        along = np.linspace(0, 1, 20, endpoint=False)[:, None, None]
        filled = (cut * (1 - along) + np.roll(cut, -1, axis=0) * along).reshape(-1, 2)
        far = np.hypot(*(np.array(outline)[:, None] - filled).transpose(2, 0, 1)).min(axis=1)
        assert np.quantile(far, 0.9) < 2.0  # steps and folds of a broken cortex
        assert far.max() < 4.5


def test_the_cut_through_the_model_takes_over_when_the_slider_rests(mount):
    bench = mount(workbench(seed=1))
    slider = bench.page.get_by_role("slider", name="Anterior height lost")
    slider.fill("45")
    drawn = bench.page.locator('[data-part="L1-body"]')
    state = bench.widget.shape | {"anterior": 0.45}
    exact = lateral.path(lateral.outline("L1", Shape(**{name: state[name] for name in FIVE})))
    bench.page.wait_for_function(
        "([node, points]) => Math.abs(node.getAttribute('d').split('L').length - points) < 1",
        arg=[drawn.element_handle(), exact.count("L") + 1],
    )
    assert numbers(drawn.get_attribute("d")) == pytest.approx(numbers(exact), abs=0.011)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    bench = mount(workbench(seed=1), theme)
    for mode in ("Shape a fracture", "Measure a film"):
        bench.page.get_by_role("radio", name=mode).check()
        axe(bench.page)


def test_names_and_roles_that_axe_does_not_ask_for(mount):
    page = mount(workbench(seed=1)).page
    assert page.get_by_role("region", name="Fracture workbench").count() == 1
    for name in ("Anterior height lost", "Middle height lost", "Posterior height lost", "Posterior wall broken out"):
        assert page.get_by_role("slider", name=name).count() == 1
    assert page.get_by_role("group", name="Endplate that gave way").get_by_role("radio").count() == 3
    assert "Genant grade 2" in page.get_by_role("img", name=re.compile("Lateral view")).get_attribute("aria-label")
    assert small(page, "button, input, label") == []


def test_a_slider_by_keyboard_moves_picture_and_numbers(mount):
    bench = mount(workbench(seed=1))
    page = bench.page
    before = page.locator('[data-part="L1-body"]').get_attribute("d")
    page.get_by_role("slider", name="Anterior height lost").focus()
    page.keyboard.press("End")
    assert page.locator('[data-part="L1-body"]').get_attribute("d") != before
    page.get_by_text("Genant grade 3 severe").wait_for()
    assert bench.widget.readout["grade"] == 3
    page.keyboard.press("Home")
    page.get_by_text("Genant grade 2 moderate").wait_for()  # the middle is still 18 % lower, on a normal dip of 10 %
    page.get_by_role("button", name="Normal").press("Enter")
    page.get_by_text("Genant grade 0 none").wait_for()
    page.get_by_role("checkbox", name="torn tension band").press("Space")
    page.get_by_role("cell", name="OF 5").wait_for()


def test_a_film_is_measured_by_mouse_and_a_point_can_be_dragged(mount):
    bench = mount(workbench(seed=3))
    page = bench.page
    page.get_by_role("radio", name="Measure a film").check()
    truth = lateral.lateral(Shape(**bench.widget.film["shape"]), bench.widget.film["tilt"]).landmarks("L1")
    box = page.locator(".wb-picture svg").bounding_box()
    x, y, width, height = lateral.VIEW

    def at(point):
        return box["x"] + (-point[0] - x) / width * box["width"], box["y"] + (-point[1] - y) / height * box["height"]

    for point in truth:
        page.mouse.click(*at(point))
    page.mouse.move(*at(truth[2]))
    page.mouse.down()
    page.mouse.move(*at(truth[2] + [2, 0]), steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Compare with the truth").click()
    distances = bench.widget.result["rows"][-1]
    assert "3: 2.0" in distances[1]
    assert "6: 0.0" in distances[2] or "6: 0.1" in distances[2]


def test_a_film_is_measured_by_touch(mount):
    bench = mount(workbench(seed=3), width=390)
    page = bench.page
    page.get_by_role("radio", name="Measure a film").tap()
    page.locator(".wb-picture").scroll_into_view_if_needed()
    box = page.locator(".wb-picture svg").bounding_box()
    for i in range(6):
        page.touchscreen.tap(
            box["x"] + box["width"] * (0.2 + 0.1 * (i % 3)), box["y"] + box["height"] * (0.3 + 0.3 * (i > 2))
        )
    page.get_by_role("button", name="Compare with the truth").tap()
    page.get_by_role("heading", name=re.compile("grade")).wait_for()
    assert bench.widget.placed["points"][0][1] > bench.widget.placed["points"][3][1]


def test_no_key_leaves_the_widget(mount):
    page = mount(workbench(seed=1)).page
    listen(page)
    page.get_by_role("slider", name="Middle height lost").focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_a_dead_kernel_is_said_and_the_picture_still_follows(mount):
    bench = mount(workbench(seed=1))
    page = bench.page
    page.evaluate("kernel.dead = true")
    before = page.locator('[data-part="L1-body"]').get_attribute("d")
    page.get_by_role("slider", name="Anterior height lost").press("End")
    assert page.locator('[data-part="L1-body"]').get_attribute("d") != before
    page.get_by_role("alert").get_by_text("The numbers stand still").wait_for(timeout=4000)


def test_on_a_phone_nothing_scrolls_sideways(mount):
    page = mount(workbench(seed=1), width=360).page
    for mode in ("Shape a fracture", "Measure a film"):
        page.get_by_role("radio", name=mode).check()
        assert fits(page)


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(workbench(seed=1)).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ readout: model.get('readout'), problem: 'x' })")
