"""The neighbour in a real browser: it paints what the kernel sent, works by keyboard alone, and axe finds nothing."""

import pytest

from pages import axe, fits, listen, small
from vertebra.widgets.neighbour import neighbour

pytestmark = pytest.mark.browser
# The colour at a place of the section, in millimetres right of the axis and above the lower plate.
COLOUR = """([x, y]) => {
  const canvas = document.querySelector('[data-part="section-canvas"]');
  const at = canvas.getContext("2d").getImageData((x + 25) * 11, (67 - 5 - y) * 11, 1, 1).data;
  return [...at];
}"""


def dark(page, x, y):
    red, green, blue, opaque = page.evaluate(COLOUR, [x, y])
    assert opaque == 255
    return 765 - red - green - blue


def test_strain_and_relief_are_painted_where_they_are(mount):
    page = mount(neighbour(cement=6, contact=100)).page
    # The neighbour's middle beside the disc is strained more than its upper end; cement hardly at all.
    assert dark(page, -2, 35) > dark(page, -2, 55) + 100
    assert dark(page, 3, 12) < dark(page, -3, 20) - 100
    assert page.evaluate(COLOUR, [0, 61.5])[3] == 0  # nothing beyond the plates
    assert page.get_by_text("with cement", exact=True).count() >= 1


def test_the_disc_changes_its_colour_with_the_theme(mount):
    page = mount(neighbour(), "light").page
    light = page.evaluate(COLOUR, [-10, 28.5])
    page.evaluate("() => document.body.setAttribute('data-jp-theme-light', 'false')")
    page.wait_for_function("() => getComputedStyle(document.querySelector('.nb')).colorScheme === 'dark'")
    assert sum(page.evaluate(COLOUR, [-10, 28.5])[:3]) < sum(light[:3]) - 150


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(neighbour(damage=40), theme)
    view.page.locator("summary").click()
    for name in ("the load", "the shortening"):
        view.page.get_by_role("radio", name=name).check()
        axe(view.page)


def test_names_and_roles_that_axe_does_not_ask_for(mount):
    page = mount(neighbour()).page
    assert page.get_by_role("region", name="Cement and the neighbour").count() == 1
    for name in ("Cement in the lower body", "reaches the endplates", "Bone volume", "Damage", "Wedge of L1"):
        assert page.get_by_role("slider", name=name).count() == 1
    assert page.get_by_role("img", name="left without, right with 6 mL of cement").count() == 1
    assert page.get_by_role("img", name="Three vertebrae from the side").count() == 1
    assert small(page, "button, input, label, summary", least=20) == []


def test_the_switch_by_keyboard_turns_4_percent_into_11(mount):
    view = mount(neighbour(cement=6, contact=100))
    page = view.page
    page.get_by_role("heading", name="Same load: pressure in the disc +4.1 %").wait_for()
    page.get_by_role("radio", name="the load").press("ArrowRight")
    page.get_by_role("heading", name="Same shortening: pressure in the disc +11 %").wait_for()
    assert view.widget.wanted["control"] == "displacement"
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Same shortening')")
    wide = page.locator(".nb-chosen.nb-displacement .nb-bar").nth(1).bounding_box()["width"]
    narrow = page.locator(".nb-load .nb-bar").nth(1).bounding_box()["width"]
    assert wide > 2 * narrow


def test_a_preset_sets_every_control(mount):
    view = mount(neighbour(damage=40))
    view.page.get_by_role("button", name="The study that found +19 %").press("Enter")
    view.page.get_by_role("heading", name="Same shortening: pressure in the disc +14 %").wait_for()
    assert view.page.get_by_role("radio", name="the shortening").is_checked()
    assert view.page.get_by_role("slider", name="Cement in the lower body").input_value() == "15"
    assert view.page.get_by_role("slider", name="Damage").input_value() == "0"


def test_sliders_by_keyboard_and_the_lean(mount):
    view = mount(neighbour())
    page = view.page
    page.get_by_role("slider", name="Cement in the lower body").press("Home")
    page.get_by_role("heading", name="No cement").wait_for()
    page.get_by_role("slider", name="Wedge of L1").press("End")
    page.get_by_text("A wedge of 25° changes the strain").first.wait_for()
    before = view.widget.shown["readout"]["lean"][1][1]
    page.get_by_role("checkbox", name="Hips and spine").press("Space")
    page.wait_for_function("seq => Number(document.querySelector('.nb').dataset.seq) > seq", arg=2)
    assert view.widget.wanted["compensated"] and view.widget.shown["readout"]["lean"][1][1] < before


def test_a_drag_by_mouse_moves_picture_and_words(mount):
    view = mount(neighbour())
    page = view.page
    track = page.get_by_role("slider", name="Cement in the lower body").bounding_box()
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"] + 0.4 * track["width"], y)
    page.mouse.down()
    for share in (0.5, 0.6, 0.7, 0.8):
        page.mouse.move(track["x"] + share * track["width"], y)
    page.mouse.up()
    page.wait_for_function("() => model.get('shown').seq === model.get('wanted').seq")
    assert 10 < view.widget.wanted["cement"] < 14
    assert view.widget.shown["seq"] == view.widget.wanted["seq"]


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(mount):
    view = mount(neighbour())
    view.page.evaluate("model.set('wanted', { ...model.get('wanted'), seq: 1, cement: 99 }); model.save_changes()")
    view.page.get_by_role("alert").get_by_text("cement is 99").wait_for()
    view.page.get_by_role("radio", name="the shortening").check()
    view.page.get_by_role("heading", name="Same shortening").wait_for()
    assert view.page.get_by_role("alert").count() == 0 or view.page.get_by_role("alert").is_hidden()


def test_no_key_leaves_the_widget_and_a_dead_kernel_is_said(mount):
    page = mount(neighbour()).page
    listen(page)
    page.get_by_role("slider", name="Wedge of L1").focus()
    for key in ("d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    page.evaluate("kernel.dead = true")
    page.keyboard.press("End")
    page.get_by_role("alert").get_by_text("Nothing moves").wait_for(timeout=4000)


@pytest.mark.parametrize("width", [320, 400])
def test_on_a_phone_nothing_scrolls_sideways(mount, width):
    page = mount(neighbour(damage=40), width=width).page
    assert fits(page)


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(neighbour()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
