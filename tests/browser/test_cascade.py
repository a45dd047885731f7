"""The cascade in a real browser: it shows what the kernel sent, works by keyboard, and axe finds nothing."""

import pytest

from pages import axe, fits, settled, small
from vertebra.widgets.cascade import fracture_cascade

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(fracture_cascade(b_drug="denosumab", b_stop=3), theme)
    page = view.page
    page.get_by_text("About this model").click()
    for who in ("0", "severe"):
        page.get_by_label("Broken vertebrae so far").select_option(who)
        settled(view)
        axe(page)


def test_names_roles_and_sizes_that_axe_does_not_ask_for(mount):
    page = mount(fracture_cascade()).page
    assert page.get_by_role("region", name="Fracture cascade").count() == 1
    assert page.get_by_role("group", name="Plan A").count() == page.get_by_role("group", name="Plan B").count() == 1
    assert page.get_by_role("img", name="Plan B, alendronate, started in the same admission").count() == 1
    assert page.get_by_role("table", name="1,000 women").get_by_role("row").count() == 6
    assert small(page, "input, select, summary") == []


def test_a_plan_is_changed_by_keyboard_and_everything_follows(mount):
    view = mount(fracture_cascade())
    page = view.page
    drug = page.get_by_role("group", name="Plan B").get_by_label("Drug")
    drug.focus()
    page.keyboard.press("ArrowDown")
    settled(view)
    assert view.widget.wanted["b_drug"] == "zoledronate"
    page.get_by_text("Zoledronate: an infusion a year").wait_for()
    before = view.widget.shown["arms"]["b"]["counts"][0]
    taken = page.get_by_role("group", name="Plan B").get_by_role("slider", name="Taken by")
    for _ in range(6):
        taken.press("ArrowLeft")
    page.wait_for_function("model.get('wanted').b_taken === 40 && model.get('shown').seq === model.get('wanted').seq")
    assert taken.get_attribute("aria-valuetext") == "40 percent"
    assert view.widget.shown["arms"]["b"]["counts"][0] < before
    page.get_by_label("Look at year").press("Home")
    page.get_by_role("heading", name="within 1 year").wait_for()
    numbers = page.locator('[data-part^="count-b-"]').all_text_contents()
    assert [int(number) for number in numbers] == view.widget.shown["arms"]["b"]["counts"]
    page.wait_for_timeout(600)
    assert page.locator('[data-part="told"]').text_content() == view.widget.shown["readout"]["told"]


def test_what_cannot_be_chosen_is_closed_and_nothing_impossible_is_asked(mount):
    view = mount(fracture_cascade(age="new", b_drug="denosumab", b_stop=2))
    page, plan = view.page, view.page.get_by_role("group", name="Plan B")
    assert page.get_by_role("group", name="Plan A").get_by_label("Started").is_disabled()
    page.get_by_text("71 of 1,000 women broke a vertebra").wait_for()
    plan.get_by_label("Started").select_option("2")
    settled(view)
    assert view.widget.wanted["b_stop"] == 0 and view.widget.problem == ""
    assert plan.get_by_label("Then").locator("option[value='2']").is_disabled()
    page.get_by_label("Broken vertebrae so far").select_option("0")
    settled(view)
    assert page.get_by_label("Age of the last fracture").is_disabled()
    assert view.widget.wanted["age"] == "any" and page.get_by_role("alert").is_hidden()
    assert page.get_by_text("71 of 1,000 women broke a vertebra").count() == 0


def test_a_problem_and_a_dead_kernel_are_said(mount):
    view = mount(fracture_cascade())
    view.push(problem="The cascade could not use that: who is '9'")
    view.page.get_by_role("alert").get_by_text("who is '9'").wait_for()
    view.page.clock.install()
    view.page.evaluate("kernel.dead = true")
    view.page.get_by_label("Look at year").press("Home")
    view.page.clock.run_for(3_100)
    view.page.get_by_role("alert").get_by_text("Nothing moves").wait_for()


@pytest.mark.parametrize("width", [320, 600])
def test_on_a_narrow_page_nothing_scrolls_sideways(mount, width):
    page = mount(fracture_cascade(b_drug="romosozumab"), width=width).page
    assert fits(page)


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(fracture_cascade()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
