"""The forest plot in a real browser: it draws what the kernel sent, works by keyboard, and axe finds nothing."""

import pytest

from pages import axe, fits, listen, small
from vertebra.widgets.forest import FILTERS, forest_plot

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(forest_plot(window="month 1", unchecked=True, leave_one_out=True), theme)
    view.page.get_by_text("Notes on these results").click()
    axe(view.page)


def test_the_plot_is_a_table_and_every_control_has_a_name(mount):
    page = mount(forest_plot()).page
    assert page.get_by_role("region", name="Forest plot").count() == 1
    table = page.get_by_role("table", name="Trials and pooled differences")
    assert table.get_by_role("columnheader").count() == 4
    row = table.get_by_role("row", name="VERTOS IV 2018")
    assert row.get_by_role("cell", name="0.45 (−0.37 to 1.24)").count() == 1
    assert row.get_by_role("cell", name="48 %").count() == 1
    assert table.get_by_role("rowgroup", name="Vertebroplasty against a sham procedure").count() == 1
    for name in (option for options in FILTERS.values() for option in options if option != "not recorded"):
        assert page.get_by_role("checkbox", name=name).count() >= 1, name
    for name in ("Outcome", "Time"):
        assert page.get_by_label(name, exact=True).count() == 1
    assert small(page, "button, input, label, select, summary") == []


def test_lines_boxes_and_diamond_lie_where_the_numbers_are(mount):
    view = mount(forest_plot())
    drawn = view.widget.shown["chart"]
    placed = view.page.evaluate(
        """() => {
          const axis = document.querySelector('[data-part="axis"]').getBoundingClientRect();
          const share = (x) => (x - axis.left) / axis.width;
          const ends = (e) => { const b = e.getBoundingClientRect(); return [share(b.left), share(b.right)]; };
          const boxes = [...document.querySelectorAll(".fp-box")].map((e) => ends(e).reduce((a, b) => (a + b) / 2));
          return { boxes, lines: [...document.querySelectorAll("[data-row]")]
            .map((tick) => ends(tick.closest(".fp-row").querySelector(".fp-line"))),
            diamond: ends(document.querySelector(".fp-diamond")) };
        }"""
    )
    low, high = drawn["axis"]["low"], drawn["axis"]["high"]

    def share(value):
        return (value - low) / (high - low)

    rows = [row for group in drawn["groups"] for row in group["rows"]]
    assert placed["boxes"] == pytest.approx([share(row["value"]) for row in rows], abs=0.006)
    for line, row in zip(placed["lines"], rows, strict=True):
        assert line == pytest.approx([share(row["low"]), share(row["high"])], abs=0.006)
    pool = drawn["groups"][0]["pools"][0]
    assert placed["diamond"] == pytest.approx([share(pool["low"]), share(pool["high"])], abs=0.006)


def test_a_trial_is_switched_off_by_keyboard_and_keeps_the_focus(mount):
    view = mount(forest_plot())
    page = view.page
    tick = page.get_by_role("checkbox", name="VERTOS V 2023")
    tick.focus()
    page.keyboard.press("Space")
    page.get_by_role("heading", name="0.68 points better").wait_for()
    assert "because it found 1.30, above the rest" in page.locator('[data-part="changed"]').text_content()
    assert tick.evaluate("(box) => box === document.activeElement && !box.checked")
    page.keyboard.press("Space")
    page.get_by_role("heading", name="0.80 points better").wait_for()
    page.wait_for_timeout(600)
    assert "0.80 points better" in page.locator('[data-part="told"]').text_content()


def test_the_same_patients_twice_are_refused_on_the_page(mount):
    page = mount(forest_plot(window="month 1")).page
    page.get_by_role("checkbox", name="Staples 2011, pain of 8 or more").check()
    page.get_by_role("heading", name="no pooled value").wait_for()
    assert page.get_by_text("The patients of INVEST would count twice").count() >= 1


def test_unchecked_results_appear_hollow_and_cannot_be_switched_on(mount):
    page = mount(forest_plot(window="month 1")).page
    assert page.get_by_text("VERTOS II 2010").count() == 0
    page.get_by_role("checkbox", name="Show what nobody has compared").check()
    row = page.get_by_role("row", name="VERTOS II 2010")
    row.wait_for()
    assert row.get_by_role("checkbox").is_disabled()
    assert row.get_by_text("not yet compared with the paper").count() == 1
    style = row.locator(".fp-box").evaluate("(e) => [getComputedStyle(e).borderTopStyle, getComputedStyle(e).width]")
    assert style[0] == "dashed"
    page.get_by_role("heading", name="0.51 points better").wait_for()


def test_outcome_time_model_and_filters_are_asked_for(mount):
    view = mount(forest_plot())
    page = view.page
    page.get_by_label("Outcome", exact=True).select_option("responder")
    page.get_by_role("heading", name="22.6 percentage points better").wait_for()
    assert view.widget.wanted["window"] == "weeks"  # the only time at which it was counted
    page.get_by_label("Outcome", exact=True).select_option("pain")
    page.get_by_label("Time", exact=True).select_option("month 12")
    page.get_by_role("heading", name="0.80 points better").wait_for()
    page.get_by_role("radio", name="Fixed effect").check()
    page.get_by_text("Fixed effect, 3 trials").wait_for()
    page.get_by_role("checkbox", name="up to 9 weeks").uncheck()
    page.get_by_text("Fixed effect, 2 trials").wait_for()
    page.locator("[data-filter=blinding][value=blinded]").uncheck()
    page.get_by_role("heading", name="Kyphoplasty against vertebroplasty").wait_for()
    assert view.widget.wanted["blinding"] == ["open", "not recorded"]


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(mount):
    page = mount(forest_plot()).page
    page.evaluate("document.querySelector('[data-filter=ages]').value = 'x'")
    page.evaluate("model.set('wanted', { seq: 1, model: 'guess' }); model.save_changes()")
    page.get_by_role("alert").get_by_text("model is 'guess'").wait_for()
    page.get_by_label("Time", exact=True).select_option("month 3")
    page.get_by_role("heading", name="0.31 points better").wait_for()
    assert page.get_by_role("alert").count() == 0 or page.get_by_role("alert").is_hidden()


def test_no_key_leaves_the_widget_and_a_dead_kernel_is_said(mount):
    page = mount(forest_plot()).page
    listen(page)
    page.get_by_role("radio", name="Random effects").focus()
    for key in ("d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    page.clock.install()
    page.evaluate("kernel.dead = true")
    page.get_by_role("radio", name="Fixed effect").check()
    page.clock.run_for(3_100)
    page.get_by_role("alert").get_by_text("Nothing changes").wait_for()


@pytest.mark.parametrize("width", [320, 480, 700])
def test_on_a_narrow_page_nothing_scrolls_sideways_or_overlaps(mount, width):
    page = mount(forest_plot(window="month 1", unchecked=True, small_sample=True), width=width).page
    assert fits(page)
    apart = page.evaluate(
        """() => [...document.querySelectorAll("[data-line]")].every((line) => {
          const [track, value, weight] = [".fp-track", ".fp-value", ".fp-weight"]
            .map((name) => line.querySelector(name).getBoundingClientRect());
          const off = (a, b) => a.right <= b.left + 1 || a.bottom <= b.top + 1;
          return off(track, value) && off(value, weight) && track.width > 100;
        })"""
    )
    assert apart


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(forest_plot()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
