"""The C-arm in a real browser: it paints what the kernel sent, works by keyboard alone, and axe finds nothing."""

import base64

import numpy as np
import pytest

from pages import axe, fits, listen, settled, small
from vertebra.widgets.carm import carm

pytestmark = pytest.mark.browser
# The red, green and opacity of every pixel, each as text of one character a byte.
PAINTED = """(name) => {
  const canvas = document.querySelector(`[data-part="${name}"]`);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [0, 1, 3].map((channel) => {
    let text = "";
    for (let i = channel; i < data.length; i += 4) text += String.fromCharCode(data[i]);
    return text;
  });
}"""


def test_the_canvases_hold_the_bytes_the_kernel_sent(mount):
    view = mount(carm(needle=True))
    sent = np.frombuffer(base64.b64decode(view.widget.shown["pixels"]), np.uint8).reshape(2, -1)
    for which in (0, 1):
        seen = [text.encode("latin-1") for text in view.page.evaluate(PAINTED, f"canvas-{which}")]
        assert seen == [sent[which].tobytes(), sent[which].tobytes(), b"\xff" * sent[which].size]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(carm(needle=True, lateral=-5), theme)
    for look in ("fluoroscope, bone dark", "film, bone bright"):
        view.page.get_by_role("radio", name=look).check()
        axe(view.page)


def test_names_and_roles_that_axe_does_not_ask_for(mount):
    page = mount(carm(needle=True)).page
    assert page.get_by_role("region", name="C-arm").count() == 1
    names = ("Orbital angle", "Tilt", "away from the midline", "upwards", "Turned towards", "narrowest part")
    for name in names:
        assert page.get_by_role("slider", name=name).count() == 1
    assert page.get_by_role("img", name="X-ray picture, AP; the patient's R is on the left").count() == 1
    assert page.get_by_role("img", name="X-ray picture, lateral; the patient's A is on the left").count() == 1
    assert small(page, "button, input, label") == []


def test_a_slider_by_keyboard_turns_the_c_arm_in_both_pictures(mount):
    view = mount(carm())
    page = view.page
    before = [page.evaluate(PAINTED, f"canvas-{which}") for which in (0, 1)]
    page.get_by_role("slider", name="Orbital angle").press("ArrowRight")
    settled(view)
    page.get_by_text("Chosen view oblique, 1°", exact=True).wait_for()
    page.get_by_role("slider", name="Orbital angle").press("End")
    page.get_by_text("Chosen view oblique, 120°", exact=True).wait_for()
    assert view.widget.wanted["orbital"] == 120
    assert [page.evaluate(PAINTED, f"canvas-{which}") for which in (0, 1)] != before
    page.get_by_role("button", name="Lateral").press("Enter")
    page.get_by_text("Chosen view lateral").wait_for()
    page.get_by_text("Perpendicular to it AP").wait_for()
    assert view.widget.wanted["sharp"]
    page.get_by_role("status").get_by_text("Chosen view: lateral").wait_for()


def test_a_needle_is_placed_and_looked_down_by_keyboard(mount):
    view = mount(carm())
    page = view.page
    page.get_by_role("checkbox", name="Place a needle").press("Space")
    page.get_by_role("heading", name="Inside the bone").wait_for()
    assert page.locator(".ca-tip:visible").count() == 2
    entry = page.get_by_role("slider", name="away from the midline")
    for _ in range(6):
        entry.press("ArrowLeft")
    page.get_by_role("heading", name="Breach of the spinal canal").wait_for()
    page.get_by_role("button", name="Look down the needle").press("Enter")
    page.get_by_text("Chosen view oblique").wait_for()
    assert view.widget.wanted["orbital"] == view.widget.shown["readout"]["down"][0]


def test_a_drag_by_mouse_ends_in_a_sharp_picture(mount):
    view = mount(carm())
    page = view.page
    track = page.get_by_role("slider", name="Orbital angle").bounding_box()
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"] + 0.43 * track["width"], y)
    page.mouse.down()
    for share in (0.5, 0.6, 0.7, 0.8):
        page.mouse.move(track["x"] + share * track["width"], y)
    page.wait_for_timeout(300)
    assert not view.widget.wanted["sharp"] and view.widget.wanted["orbital"] > 60
    page.mouse.up()
    page.wait_for_timeout(300)
    assert view.widget.wanted["sharp"]
    assert view.widget.shown["seq"] == view.widget.wanted["seq"]


def test_the_real_patient_is_shown_and_has_no_needle(mount):
    view = mount(carm(needle=True))
    view.page.get_by_role("radio", name="A real patient's CT").check()
    view.page.get_by_text("T9").first.wait_for(timeout=20_000)
    assert view.page.get_by_role("checkbox", name="Place a needle").is_disabled()
    assert view.page.locator(".ca-tip:visible").count() == 0
    assert view.page.get_by_text("Reading the CT").is_hidden()


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(mount):
    view = mount(carm())
    view.page.evaluate("model.set('wanted', { ...model.get('wanted'), seq: 1, orbital: 999 }); model.save_changes()")
    view.page.get_by_role("alert").get_by_text("orbital is 999").wait_for()
    view.page.get_by_role("button", name="Lateral").click()
    view.page.get_by_text("Chosen view lateral").wait_for()
    assert view.page.get_by_role("alert").count() == 0 or view.page.get_by_role("alert").is_hidden()


def test_no_key_leaves_the_widget(mount):
    page = mount(carm()).page
    listen(page)
    page.get_by_role("slider", name="Tilt").focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_a_dead_kernel_is_said(mount):
    page = mount(carm()).page
    page.evaluate("kernel.dead = true")
    page.get_by_role("slider", name="Tilt").press("End")
    page.get_by_role("alert").get_by_text("The pictures stand still").wait_for(timeout=4000)


def test_on_a_phone_nothing_scrolls_sideways(mount):
    page = mount(carm(needle=True), width=340).page
    assert fits(page)


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(carm()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")


def test_the_same_refusal_twice_does_not_stop_the_pictures(mount):
    view = mount(carm())
    page, slider = view.page, view.page.get_by_role("slider", name="Orbital angle")
    page.evaluate("() => { document.querySelector('[data-slider=orbital]').max = 500; }")
    slider.press("End")
    page.get_by_role("alert").get_by_text("orbital is 500").wait_for()
    # Refused once more, in the same words.
    page.get_by_role("slider", name="Tilt").press("ArrowRight")
    slider.press("Home")
    page.get_by_text("Chosen view lateral, tilted 1° to the head").wait_for()
    assert page.get_by_role("alert").count() == 0
