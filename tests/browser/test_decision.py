"""The shared decision in a real browser: filled in by keyboard, printed on two sheets of A4, and axe finds nothing."""

import re

import pytest

from pages import axe, fits, listen, small
from vertebra.evidence.decision import talk
from vertebra.widgets.decision import LONGEST, shared_decision

pytestmark = pytest.mark.browser
FULL = {"matters": ["relief", "walking", "home", "tablets", "needle", "harm", "wait"]}
FULL |= {name: ("word " * most)[: most - 1] for name, most in LONGEST.items()}
# The frame's page must not open a dialogue in a test.
STILL = """window.printed = 0; Object.defineProperty(HTMLIFrameElement.prototype, "contentWindow", {
  get() { return { focus() {}, print() { window.printed += 1; } }; } });"""


@pytest.fixture
def view(mount):
    return mount(shared_decision())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(shared_decision(stage="early", **FULL), theme)
    axe(view.page)


def test_it_is_filled_in_by_keyboard_and_stays_on_the_page(view):
    page = view.page
    page.get_by_label("For", exact=True).press_sequentially("Mrs A.")
    page.get_by_role("heading", name="what can I do? for Mrs A.").wait_for()
    page.get_by_role("radio", name="More than 3 months").press("Space")
    page.wait_for_function("document.querySelector('.sd-sheet li').textContent.includes('more than 3 months')")
    page.get_by_role("checkbox", name="Getting home").press("Space")
    page.locator(".sd-mine").get_by_text("Getting home").wait_for()
    page.get_by_label("In my words").press_sequentially("My garden.")
    page.locator(".sd-mine").get_by_text("My garden.").wait_for()
    page.get_by_label("The doctor asks").press_sequentially("I may wait.")
    page.locator(".sd-mine").get_by_text("I may wait.").wait_for()
    assert page.get_by_label("In my words").input_value() == "My garden."
    assert page.get_by_role("checkbox", name="Getting home").is_checked()
    wanted = view.widget.wanted
    assert (wanted["name"], wanted["stage"], wanted["matters"]) == ("Mrs A.", "chronic", ["home"])
    page.get_by_role("checkbox", name="Getting home").press("Space")
    page.locator(".sd-mine").get_by_text("Not filled in yet").wait_for()


@pytest.mark.parametrize("start", [{}, {"stage": "early", **FULL}, {"stage": "months", **FULL}])
def test_what_is_printed_is_the_sheet_alone_on_two_pages_of_a4(mount, start):
    view = mount(shared_decision(**start))
    page = view.page
    page.evaluate(STILL)
    page.get_by_role("button", name="Print this page").press("Enter")
    page.wait_for_function("window.printed === 1")
    paper = page.locator("iframe").get_attribute("srcdoc")
    sheet = page.context.new_page()
    sheet.set_content(paper)
    assert sheet.locator("input, textarea, button, select").count() == 0
    assert sheet.get_by_text("What may go wrong").count() == 1
    made = sheet.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", made)) == 2
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", made)}
    assert {(round(right / 72 * 25.4), round(top / 72 * 25.4)) for _, _, right, top in boxes} == {(210, 297)}
    # Read from the page as it is printed: no letter of a text for patients is smaller than 9 points.
    sheet.emulate_media(media="print")
    smallest = sheet.evaluate(
        "Math.min(...[...document.querySelectorAll('p:not(.sd-small):not(.sd-foot), li')]"
        ".map((e) => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 9 * 96 / 72 - 0.01


def test_every_icon_chart_has_its_numbers_as_a_name(view):
    page = view.page
    labels = page.eval_on_selector_all(".sd-sheet svg", "all => all.map((e) => e.getAttribute('aria-label'))")
    assert len(labels) == sum(len(each.arms) for each in talk().outcomes) and all(
        re.fullmatch(r"\d+ of 1?,?\d{3}( \(\d+ to \d+\))?", label) for label in labels
    )
    assert small(page, "button, input, textarea, select, .sd-matters label") == []


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(view):
    page = view.page
    page.evaluate("document.querySelector('[data-text=name]').removeAttribute('maxlength')")
    page.get_by_label("For", exact=True).fill("x" * 50)
    page.get_by_role("alert").get_by_text("name is longer than 40").wait_for()
    page.get_by_label("For", exact=True).fill("B")
    page.get_by_role("heading", name="for B").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_no_key_leaves_the_widget_and_a_dead_kernel_is_said(view):
    page = view.page
    listen(page)
    page.get_by_role("checkbox", name="Getting home").focus()
    for key in ("d", "d", "Escape"):
        page.keyboard.press(key)
    page.get_by_label("For", exact=True).press("Enter")  # would send a form away
    assert page.evaluate("heard") == ["Escape"]
    page.clock.install()
    page.evaluate("kernel.dead = true")
    page.get_by_role("checkbox", name="Getting home").press("Space")
    page.clock.run_for(3_100)
    page.get_by_role("alert").get_by_text("The page stands still").wait_for()


def test_a_phone_shows_everything_without_scrolling_sideways(mount):
    page = mount(shared_decision(stage="early", **FULL)).page
    for width in (320, 390, 700):
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page), width


def test_the_clean_up_takes_every_listener_back(view):
    view.page.evaluate("cleanUp()")
    view.page.evaluate(
        "document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })"
    )
