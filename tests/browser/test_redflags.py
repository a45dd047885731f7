"""The red-flag explorer in a real browser: dangers first, every box by keyboard, and axe finds nothing."""

import pytest

from pages import axe, fits, listen, settled
from vertebra.evidence.redflags import redflags
from vertebra.widgets.redflags import red_flag_explorer

pytestmark = pytest.mark.browser

BUSY = {"flags": ["saddle", "cancer", "pattern", "odd"], "findings": ["age", "trauma", "wall"], "setting": "emergency"}


def box(page, name):
    return page.get_by_role("checkbox", name=name)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(red_flag_explorer(**BUSY), theme)
    view.page.get_by_text("Where the numbers come from").click()
    for press in ("None", "Space"):
        if press == "Space":
            box(view.page, "Numb saddle").press("Space")  # from "act now" to a mere number
            settled(view)
        axe(view.page)


def test_names_and_roles_that_axe_does_not_ask_for(mount):
    page = mount(red_flag_explorer(**BUSY)).page
    assert page.get_by_role("region", name="Red flags", exact=True).count() == 1
    for part in (redflags().findings, redflags().flags):
        for each in part.values():
            assert box(page, each.name).count() == 1, each.name
    for each in redflags().settings.values():
        assert page.get_by_role("radio", name=each.name).count() == 1
    assert page.get_by_role("slider", name="I take a picture from").count() == 1
    assert page.get_by_role("img", name="filled figures have a fracture").count() == 2
    assert page.get_by_role("listitem").filter(has_text="Cauda equina syndrome").count() == 1
    small = page.evaluate(
        "[...document.querySelectorAll('input, label, summary')].map((e) => [e.outerHTML.slice(0, 60),"
        " e.getBoundingClientRect()]).filter(([, { width, height }]) => Math.min(width, height) < 24).map(([e]) => e)"
    )
    assert [e for e in small if 'type="range"' not in e and 'for="' not in e] == []


def test_a_danger_turns_the_page_and_takes_nothing_from_the_number(mount):
    view = mount(red_flag_explorer(findings=["steroid"]))
    page = view.page
    page.get_by_role("heading", name="27 to 693 have a vertebral fracture").wait_for()
    page.get_by_text("Nothing is ticked").wait_for()
    box(page, "Cancer, now").press("Space")
    page.get_by_role("heading", name="Back pain in somebody with cancer").wait_for()
    box(page, "New weakness").press("Space")
    page.get_by_role("heading", name="Act now: Metastatic cord compression").wait_for()
    assert page.get_by_text("Nothing is ticked").is_hidden()
    assert page.locator(".rf-act li").all_inner_texts()[0].startswith("! Now")
    assert "27 to 693" in page.locator('[data-crowd="after"]').inner_text()
    assert "rf-is-now" in page.locator('[data-part="banner"]').get_attribute("class")
    page.wait_for_timeout(500)
    assert "Act now" in page.locator('[data-part="told"]').text_content()
    for name in ("Cancer, now", "New weakness"):
        box(page, name).press("Space")
    page.get_by_text("Nothing is ticked").wait_for()
    assert page.locator(".rf-act li").count() == 0


def test_place_findings_and_threshold_by_keyboard(mount):
    view = mount(red_flag_explorer(findings=[]))
    page = view.page
    page.get_by_role("radio", name="General practice").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("heading", name="65 to 110 have a vertebral fracture").wait_for()
    box(page, "Older age").press("Space")
    box(page, "Cannot lie flat").press("Space")
    page.get_by_text("All, if they were independent").wait_for()
    assert page.get_by_text("Ask the patient to lie on the back").is_visible()
    share = page.get_by_role("slider", name="I take a picture")
    share.press("End")
    page.wait_for_function("model.get('shown').threshold === 0.5")
    settled(view)
    assert share.get_attribute("aria-valuetext") == "50 percent"
    page.get_by_text("Your threshold of 50 % lies within it").first.wait_for()
    assert view.widget.wanted["findings"] == ["age", "supine"] and view.widget.wanted["setting"] == "emergency"


def test_bars_and_people_lie_where_the_numbers_are(mount):
    view = mount(red_flag_explorer(**BUSY))
    view.page.wait_for_timeout(300)
    placed = view.page.evaluate(
        """() => [...document.querySelectorAll(".rf-bar")].map((bar) => {
          const track = bar.parentElement.getBoundingClientRect(), at = bar.getBoundingClientRect();
          return [(at.left - track.left - 2) / (track.width - 2), (at.right - track.left - 2) / (track.width - 2)];
        })"""
    )
    for ends, row in zip(placed, view.widget.shown["rows"], strict=True):
        assert ends[0] == pytest.approx(row["low"], abs=0.01)
        assert ends[1] == pytest.approx(row["high"], abs=0.02)
    # A pattern that is not found would leave the picture blank.
    lost = view.page.evaluate(
        "[...document.querySelectorAll('.rf-crowd [fill^=url]')].filter("
        "(path) => !document.getElementById(path.getAttribute('fill').slice(5, -1))).length"
    )
    assert lost == 0


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(mount):
    view = mount(red_flag_explorer())
    view.page.evaluate("document.querySelector('[data-part=threshold]').max = 99")
    view.page.get_by_role("slider").press("End")
    view.page.get_by_role("alert").get_by_text("threshold is 99").wait_for()
    view.page.get_by_role("slider").press("Home")
    view.page.get_by_text("above your threshold of 1 %").first.wait_for()
    assert view.page.get_by_role("alert").count() == 0


def test_no_key_leaves_the_widget_and_a_dead_kernel_is_said(mount):
    page = mount(red_flag_explorer()).page
    listen(page)
    box(page, "Older age").focus()
    for key in ("d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    page.clock.install()
    page.evaluate("kernel.dead = true")
    box(page, "Older age").press("Space")
    page.clock.run_for(3_100)
    page.get_by_role("alert").get_by_text("Nothing changes").wait_for()


@pytest.mark.parametrize("width", [320, 600])
def test_on_a_narrow_page_nothing_scrolls_sideways_or_sticks_out(mount, width):
    page = mount(red_flag_explorer(**BUSY | {"findings": list(redflags().findings)}), width=width).page
    assert fits(page)
    assert page.evaluate(
        """() => [...document.querySelectorAll(".rf-value, .rf-axis span")].every((value) => {
          const box = value.closest(".rf").getBoundingClientRect(), at = value.getBoundingClientRect();
          return at.left >= box.left && at.right <= box.right;
        })"""
    )


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(red_flag_explorer()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
