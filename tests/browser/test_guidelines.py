"""The guideline map in a real browser: inputs flip answers, changes are marked, and it works by keyboard."""

import pytest

from pages import axe, fits, settled, small
from vertebra.widgets.guidelines import guideline_map

pytestmark = pytest.mark.browser


def cell(page, body, treatment):
    return page.locator(f'[data-cell="{body}-{treatment}"]')


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(guideline_map(), theme)
    for opener in view.page.locator("summary, .gm-more").all():
        opener.click()
    view.page.get_by_label("Spinal infection").select_option("yes")
    settled(view)
    for _ in range(2):
        axe(view.page)
        view.page.get_by_label("Spinal infection").select_option("no")
        settled(view)


@pytest.mark.parametrize("width", [1000, 390, 320])
def test_nothing_runs_over_and_targets_are_large_enough(mount, width):
    page = mount(guideline_map(), width=width).page
    page.get_by_text("More for the OF score").click()
    assert fits(page)
    # A word in the table of flips has room, whether the table is one or a stack of cards.
    assert page.locator(".gm-flips tbody th").first.bounding_box()["width"] > 100
    assert small(page, "input, select, summary, button") == []


def test_a_slider_by_keyboard_flips_one_document_and_marks_it(mount):
    view = mount(guideline_map())
    page = view.page
    pain = page.get_by_role("slider", name="Pain", exact=True)
    assert pain.get_attribute("aria-valuetext") == "8 of 10"
    pain.press("ArrowLeft")
    settled(view)
    assert page.locator(".gm-changed").count() == 0
    pain.press("ArrowLeft")
    cell(page, "nice", "vertebroplasty").get_by_text("was: an option").wait_for()
    assert page.locator(".gm-changed").count() == 2
    assert "against" in cell(page, "nice", "kyphoplasty").text_content()
    assert "strong" in cell(page, "aaos", "vertebroplasty").text_content()
    page.wait_for_timeout(500)
    assert "now against" in page.locator('[data-part="told"]').text_content()


def test_unknown_is_a_value_and_a_reason_to_ask(mount):
    view = mount(guideline_map())
    page = view.page
    page.get_by_label("not known: Pain", exact=True).press("Space")
    settled(view)
    assert view.widget.wanted["pain_0_10"] is None
    assert page.get_by_role("slider", name="Pain", exact=True).is_disabled()
    assert "must know more" in cell(page, "nice", "vertebroplasty").text_content()
    why = page.get_by_role("button", name="Why, and on what source: NICE TA279")
    why.press("Enter")
    page.get_by_text("First find out: pain.").first.wait_for()
    assert why.get_attribute("aria-expanded") == "true"
    why.press("Space")
    assert page.get_by_text("First find out: pain.").first.is_hidden()
    page.get_by_label("not known: Pain", exact=True).press("Space")
    settled(view)
    assert view.widget.wanted["pain_0_10"] == 8


def test_a_stop_comes_before_every_document(mount):
    view = mount(guideline_map())
    page = view.page
    page.get_by_label("Nerves", exact=True).select_option("N3, incomplete cord or cauda")
    page.get_by_role("heading", name="Stop: no document is asked about cement").wait_for()
    assert view.widget.wanted["new_deficit"] is None  # nobody has asked yet how old it is
    assert page.get_by_text("urgent imaging and a spine surgeon").first.is_visible()
    assert page.locator("td.gm-stop").count() == 32
    page.get_by_label("Nerves", exact=True).select_option("N0, intact")
    page.get_by_role("heading", name="They disagree").wait_for()
    assert page.get_by_label("Deficit is new or growing").is_disabled()


def test_an_example_sets_everything_and_tells_its_story(mount):
    view = mount(guideline_map())
    page = view.page
    page.get_by_label("An invented patient").select_option("Greta, 84")
    page.get_by_text("CT shows a cleft").wait_for()
    settled(view)
    assert view.widget.wanted["nonunion"] is True and view.widget.wanted["fracture_age_weeks"] == 17
    assert "recommends" in cell(page, "of_score", "surgery").text_content()
    page.get_by_label("Can be mobilised").select_option("yes")
    settled(view)
    assert page.get_by_text("CT shows a cleft").is_hidden()  # it is no more the patient of the story


def test_the_mark_stands_where_the_age_is(mount):
    view = mount(guideline_map(fracture_age_weeks=26))
    share = view.page.evaluate(
        """() => {
          const track = document.querySelector(".gm-track").getBoundingClientRect();
          const mark = document.querySelector(".gm-mark").getBoundingClientRect();
          return (mark.left + mark.width / 2 - track.left) / track.width;
        }"""
    )
    assert share == pytest.approx(0.5, abs=0.01)
    assert view.page.get_by_text("This fracture is 26 weeks old.").is_visible()


def test_nonsense_and_a_dead_kernel_are_said_on_the_page(mount):
    view = mount(guideline_map())
    view.push(problem="The map could not use that: x")
    assert view.page.get_by_role("alert").first.text_content() == "The map could not use that: x"
    view.push(problem="")
    view.page.evaluate("kernel.dead = true")
    view.page.get_by_label("Can be mobilised").select_option("no")
    view.page.get_by_text("Nothing moves: the lesson is not running").wait_for()
