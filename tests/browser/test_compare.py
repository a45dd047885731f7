"""Side by side in a real browser: the pictures are the kernel's, the keyboard is enough, and axe finds nothing."""

import base64

import numpy as np
import pytest

from pages import axe, fits, listen
from vertebra.widgets.compare import PIXELS, side_by_side

pytestmark = pytest.mark.browser
RED = """(name) => {
  const canvas = document.querySelector(`[data-part="${name}"]`);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i]);
  return text;
}"""


def settled(mounted, sharp=True):
    mounted.page.wait_for_function(
        "sharp => document.querySelector('[data-part=\"arms\"]').hasAttribute('data-rough') !== sharp", arg=sharp
    )


def test_the_canvases_hold_the_bytes_the_kernel_sent(mount):
    view = mount(side_by_side())
    sent = np.frombuffer(base64.b64decode(view.widget.shown["pixels"]), np.uint8).reshape(2, 3, PIXELS * PIXELS)
    for arm in (0, 1):
        for i in range(3):
            assert view.page.evaluate(RED, f"film-{arm}-{i}").encode("latin-1") == sent[arm, i].tobytes()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(side_by_side(), theme)
    view.page.get_by_text("About these models").click()
    axe(view.page)


def test_a_slider_by_keyboard_changes_both_arms_and_then_the_numbers(mount):
    view = mount(side_by_side())
    page = view.page
    before = [page.evaluate(RED, f"film-{arm}-0") for arm in (0, 1)]
    slider = page.get_by_role("slider", name="Cement")
    slider.press("ArrowRight")
    page.get_by_role("cell", name="4.5 mL").first.wait_for()
    settled(view)
    assert [page.evaluate(RED, f"film-{arm}-0") for arm in (0, 1)] != before
    page.get_by_role("status").get_by_text("4.5 mL of low-viscosity cement").wait_for()
    page.get_by_role("combobox", name="Fracture").select_option("wedge with a cleft")
    page.get_by_role("status").get_by_text("wedge with a cleft").wait_for()
    page.get_by_role("checkbox", name="through both pedicles").press("Space")
    page.wait_for_function("() => !document.querySelector('[data-part=\"arms\"]').hasAttribute('data-rough')")
    assert view.widget.wanted["both"] is False


def test_what_the_kernel_refuses_is_said_and_the_next_change_works(mount):
    view = mount(side_by_side())
    view.page.evaluate("() => { const s = document.querySelector('[data-slider=volume]'); s.max = 40; }")
    view.page.get_by_role("slider", name="Cement").press("End")
    view.page.get_by_role("alert").get_by_text("volume is 40").wait_for()
    # The same refusal once more changes no word on the page: it must not be waited for.
    view.page.get_by_role("slider", name="Weeks").press("Home")
    view.page.get_by_role("slider", name="Cement").press("Home")
    view.page.get_by_role("cell", name="1.0 mL").first.wait_for()
    assert view.page.get_by_role("alert").count() == 0


def test_however_fast_a_slider_is_dragged_its_last_place_wins_and_becomes_sharp(mount):
    view = mount(side_by_side())
    page = view.page
    slider = page.get_by_role("slider", name="Height lost")
    track = slider.bounding_box()
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"] + 0.5 * track["width"], y)
    page.mouse.down()
    for i in range(8):
        page.mouse.move(track["x"] + (0.1 + 0.1 * (3 * i % 8)) * track["width"], y)
    page.mouse.up()
    page.wait_for_function(
        """() => model.get("shown").sharp && model.get("shown").seq === model.get("wanted").seq
          && model.get("wanted").loss === Number(document.querySelector("[data-slider=loss]").value)"""
    )
    assert view.widget.wanted["loss"] == float(slider.input_value()) and view.widget.wanted["sharp"]
    settled(view)


def test_a_kernel_that_does_not_answer_is_said(mount):
    page = mount(side_by_side()).page
    page.clock.install()
    page.evaluate("kernel.dead = true")
    page.get_by_role("slider", name="Weeks").press("End")
    page.clock.run_for(11_000)
    page.get_by_role("alert").get_by_text("The pictures stand still").wait_for()


def test_a_phone_shows_everything_without_scrolling_sideways(mount):
    page = mount(side_by_side()).page
    page.get_by_text("About these models").click()
    for width in (320, 360, 500):  # 500 is also a page of 1000 at twice its size
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page)
        wide = page.evaluate(
            "width => [...document.querySelectorAll('.sb *')].filter((e) => e.getBoundingClientRect().right > width)"
            ".map((e) => e.outerHTML.slice(0, 80))",
            width,
        )
        assert wide == []
        tops = [page.locator(f'[data-part="film-{arm}-0"]').bounding_box()["y"] for arm in (0, 1)]
        assert tops[0] == pytest.approx(tops[1], abs=1)  # the two films stand level


def test_every_heading_of_a_table_fits_its_column(mount):
    page = mount(side_by_side()).page
    for width in (320, 700, 800, 1000):
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate(
            "[...document.querySelectorAll('.sb thead th')].filter((e) => e.scrollWidth > e.clientWidth).length"
        )
        assert over == 0, width


def test_no_key_leaves_the_widget(mount):
    page = mount(side_by_side()).page
    listen(page)
    page.get_by_role("slider", name="Weeks").focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
