"""The load explorer in a real browser: it draws what the kernel sent, works by keyboard, and axe finds nothing."""

import itertools

import pytest

from pages import axe, fits, listen, settled, small
from vertebra.widgets.load import NAMES, load_explorer

pytestmark = pytest.mark.browser


def slider(page, name):
    return page.get_by_role("slider", name=name)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(load_explorer(), theme)
    view.page.get_by_text("About this model").click()
    for bone in ("Home", "End"):
        slider(view.page, "Bone volume").press(bone)
        settled(view)
        axe(view.page)


def test_names_and_roles_that_axe_does_not_ask_for(mount):
    page = mount(load_explorer()).page
    assert page.get_by_role("region", name="Load against strength").count() == 1
    for name in ("Body weight", "Mass lifted", "Bone volume", "Height already lost"):
        assert slider(page, name).count() == 1
    for label in NAMES.values():
        assert page.get_by_role("radio", name=label).count() == 1
    assert page.get_by_role("img", name="A person lifting 10 kg with a round back").count() == 1
    assert page.get_by_role("img", name="Computed trabecular bone").count() == 1
    assert small(page, "button, input, label, select, summary") == []


def test_bars_and_band_lie_where_the_numbers_are(mount):
    view = mount(load_explorer())
    sent = view.widget.shown["chart"]
    placed = view.page.evaluate(
        """() => {
          const axis = document.querySelector('[data-part="axis"]').getBoundingClientRect();
          const share = (x) => (x - axis.left) / axis.width;
          return [...document.querySelectorAll(".ld-posture")].map((row) => {
            const track = row.querySelector(".ld-track");
            return [share(row.querySelector(".ld-bar").getBoundingClientRect().right),
              ...["--low", "--high"].map((name) => parseFloat(getComputedStyle(track).getPropertyValue(name)) / 100)];
          });
        }"""
    )
    for (bar, low, high), row in zip(placed, sent["rows"], strict=True):
        assert bar == pytest.approx(row["load"] / sent["end"], abs=0.012)
        assert (low, high) == pytest.approx((sent["low"] / sent["end"], sent["high"] / sent["end"]))


def test_a_posture_is_chosen_by_keyboard_and_by_its_row(mount):
    view = mount(load_explorer(posture="lying"))
    page = view.page
    page.get_by_role("radio", name="Lying").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("heading", name="L1 carries 0.45 kN").wait_for()
    assert view.widget.wanted["posture"] == "sitting"
    page.locator('[data-row="lifting with a round back"] .ld-track').click()
    page.get_by_role("heading", name="L1 carries 1.6 kN").wait_for()
    assert page.get_by_role("radio", name="Lifting, round back").is_checked()
    page.get_by_text("Lifting 10 kg with a round back loads L1").first.wait_for()
    assert page.get_by_text("The hands are empty").is_hidden()


def test_bone_is_lost_by_keyboard_and_everything_follows(mount):
    view = mount(load_explorer(bone_volume=15))
    page = view.page
    page.get_by_role("heading", name="such bone holds").wait_for()
    before = page.locator('[data-part="lattice"]').get_attribute("src")
    bone = slider(page, "Bone volume")
    bone.press("ArrowLeft")
    settled(view)
    assert view.widget.wanted["bone_volume"] == 14.5
    assert bone.get_attribute("aria-valuetext") == "14.5 percent"
    bone.press("Home")
    page.get_by_role("heading", name="most such bone breaks").wait_for()
    assert page.locator('[data-part="lattice"]').get_attribute("src") != before
    assert (
        page.locator('[data-part="lattice"]').evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 200
    )
    page.wait_for_timeout(600)
    assert "most such bone breaks" in page.locator('[data-part="told"]').text_content()


def test_level_wedge_and_balance_change_the_load(mount):
    view = mount(load_explorer(posture="standing"))
    page = view.page
    page.get_by_label("Vertebra", exact=True).select_option("T12")
    settled(view)
    slider(page, "Height already lost").press("End")
    page.get_by_text("T12 leans what is above").wait_for()
    page.get_by_role("radio", name="in the one below").check()
    page.get_by_text("T12 itself is whole").wait_for()
    balanced = view.widget.shown["chart"]["rows"][2]["load"]
    page.get_by_role("checkbox", name="Hips and spine balance it").press("Space")
    page.wait_for_function("(load) => model.get('shown').chart.rows[2].load > load", arg=balanced)
    assert view.widget.wanted["balance"] is False and view.widget.wanted["level"] == "T12"
    page.get_by_label("Vertebra", exact=True).select_option("L5")
    page.get_by_text("L5 leans what is above").wait_for()
    assert page.get_by_role("radio", name="in the one below").is_disabled()


def test_a_drag_by_mouse_is_followed_to_its_end(mount):
    view = mount(load_explorer())
    page = view.page
    track = slider(page, "Mass lifted").bounding_box()
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"] + 0.33 * track["width"], y)
    page.mouse.down()
    for share in (0.5, 0.6, 0.7, 0.9):
        page.mouse.move(track["x"] + share * track["width"], y)
    page.mouse.up()
    page.wait_for_function("Number(document.querySelector('.ld').dataset.seq) === model.get('wanted').seq")
    assert view.widget.wanted["lift"] > 20
    assert view.widget.shown["seq"] == view.widget.wanted["seq"]


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(mount):
    view = mount(load_explorer())
    view.page.evaluate("document.querySelector('[data-slider=lift]').max = 999")
    slider(view.page, "Mass lifted").press("End")
    view.page.get_by_role("alert").get_by_text("lift is 999").wait_for()
    # The same refusal once more changes no word on the page: it must not be waited for.
    view.page.get_by_role("radio", name="Standing").click()
    slider(view.page, "Mass lifted").press("Home")
    view.page.get_by_role("heading", name="L1 carries 0.49 kN").wait_for()
    assert view.page.get_by_role("alert").count() == 0 or view.page.get_by_role("alert").is_hidden()


def test_no_key_leaves_the_widget(mount):
    page = mount(load_explorer()).page
    listen(page)
    slider(page, "Body weight").focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_a_dead_kernel_is_said(mount):
    page = mount(load_explorer()).page
    page.clock.install()
    page.evaluate("kernel.dead = true")
    slider(page, "Body weight").press("End")
    page.clock.run_for(3_100)
    page.get_by_role("alert").get_by_text("Nothing moves").wait_for()


@pytest.mark.parametrize("width", [320, 400, 600])
def test_on_a_narrow_page_nothing_scrolls_sideways_or_overlaps(mount, width):
    view = mount(load_explorer(lift=30, bone_volume=4), width=width)
    page = view.page
    assert fits(page)
    inside = page.evaluate(
        """() => [...document.querySelectorAll(".ld-value")].every((value) => {
          const box = value.closest(".ld").getBoundingClientRect(), at = value.getBoundingClientRect();
          return at.left >= box.left && at.right <= box.right;
        })"""
    )
    assert inside
    names = page.evaluate(
        "[...document.querySelectorAll('.ld-names span:not([hidden])')].map((e) => e.getBoundingClientRect()).map("
        "({ left, right }) => [left, right]).sort((a, b) => a[0] - b[0])"
    )
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(names))


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(load_explorer()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
