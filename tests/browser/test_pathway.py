"""The pathway in a real browser: stepped through by keyboard, the chart follows, and axe finds nothing."""

import pytest

from pages import axe, fits, settled, small
from vertebra.widgets.pathway import pathway

pytestmark = pytest.mark.browser


def button(page, name):
    return page.get_by_role("button", name=name)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_at_either_end(mount, theme):
    view = mount(pathway(), theme)
    for summary in view.page.locator("summary").all():
        summary.click()
    for _ in range(2):
        axe(view.page)
        if button(view.page, "To the end").is_enabled():
            button(view.page, "To the end").click()
            settled(view)


@pytest.mark.parametrize("width", [1000, 390, 320])
def test_nothing_runs_over_and_targets_are_large_enough(mount, width):
    page = mount(pathway(), width=width).page
    for summary in page.locator("summary").all():
        summary.click()
    assert fits(page)
    assert small(page) == []


def test_it_is_walked_by_keyboard_and_focus_is_never_lost(mount):
    view = mount(pathway())
    page = view.page
    assert button(page, "← Back").is_disabled()
    button(page, "Next step").focus()
    for step in range(2, view.widget.shown["last"] + 2):
        page.keyboard.press("Enter")
        page.get_by_text(f"Step {step} of {view.widget.shown['last'] + 1}", exact=True).wait_for()
        marked = page.locator('g[data-node][data-walked="yes"]').count()
        assert marked == step
    page.get_by_text("The path led to: Spine surgeon").first.wait_for()
    assert button(page, "Next step").is_disabled()
    assert page.evaluate("document.activeElement.textContent") == "← Back"
    page.keyboard.press("Enter")
    settled(view)
    assert page.get_by_text("The path led to").first.is_hidden()


def test_the_chart_scrolls_to_the_step_that_is_shown(mount):
    view = mount(pathway())
    page = view.page
    page.emulate_media(reduced_motion="reduce")
    button(page, "To the end").click()
    settled(view)
    inside = page.evaluate(
        """() => {
          const map = document.querySelector(".pw-map").getBoundingClientRect();
          const box = document.querySelector('[data-node="prevention"]').getBoundingClientRect();
          return box.top >= map.top - 1 && box.bottom <= map.bottom + 1;
        }"""
    )
    assert inside


def test_another_patient_begins_at_the_beginning(mount):
    view = mount(pathway(step=5))
    page = view.page
    page.get_by_label("An invented patient").select_option("Teresa, 59")
    page.get_by_text("since yesterday her legs give way").wait_for()
    page.get_by_text("Step 1 of 5", exact=True).wait_for()
    button(page, "To the end").click()
    page.get_by_text("The path led to: Immobilise. CT and MRI now. Spine surgeon now").first.wait_for()
    page.locator("summary", has_text="All steps so far").click()
    assert page.locator(".pw-steps .pw-bad", has_text="now").count() == 2
    assert page.get_by_text("Not known on the way").is_visible()


def test_a_finding_changes_the_way(mount):
    view = mount(pathway())
    page = view.page
    page.get_by_text("Set the findings yourself").click()
    page.get_by_label("Kyphosis or collapse grew").select_option("no")
    settled(view)
    page.get_by_label("Not united (cleft)").select_option("no")
    settled(view)
    assert page.get_by_text("CT shows a cleft").is_hidden()  # no more the patient of the story
    button(page, "To the end").click()
    page.get_by_text("The path led to: Talk it over: cement, or going on").first.wait_for()
    page.get_by_label("Spinal infection").select_option("yes")
    page.get_by_text("Step 1 of 7", exact=True).wait_for()
    assert view.widget.wanted["step"] == 0


def test_nonsense_and_a_dead_kernel_are_said_on_the_page(mount):
    view = mount(pathway())
    view.push(problem="The pathway could not use that: x")
    assert view.page.get_by_role("alert").first.text_content() == "The pathway could not use that: x"
    view.push(problem="")
    view.page.evaluate("kernel.dead = true")
    button(view.page, "Next step").click()
    view.page.get_by_text("Nothing moves: the lesson is not running").wait_for()
