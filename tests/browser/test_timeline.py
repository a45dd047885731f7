"""The line in a real browser: an event is placed by keyboard and judged, and axe finds nothing."""

import pytest

from pages import axe, fits
from vertebra.evidence.recovery import course
from vertebra.widgets.timeline import along, recovery_timeline

pytestmark = pytest.mark.browser
PLACED = [{"event": "new_pain", "day": 42, "clock": "visit"}, {"event": "fever", "day": 14, "clock": "now"}]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    page = mount(recovery_timeline(clock="visit", placed=PLACED), theme).page
    page.get_by_text("What the line says").click()
    axe(page)


def test_an_event_is_placed_and_judged_by_keyboard(mount):
    view = mount(recovery_timeline())
    page = view.page
    assert page.get_by_role("img", name="Mean pain, 0 to 10: after kyphoplasty 7.4 on day 0").count() == 1
    page.get_by_label("What happens").select_option("deficit")
    day = page.get_by_role("slider", name="When, after the fracture")
    day.press("Home")
    page.get_by_role("heading", name="Weak legs, numb saddle or no urine, day 1").wait_for()
    assert day.get_attribute("aria-valuetext") == "day 1"
    assert page.get_by_text("Think of").is_hidden()
    page.get_by_role("radio", name="Within days").check()
    page.get_by_text("Too late: now: emergency").wait_for()
    page.get_by_text("spine surgeon on the phone now").wait_for()
    # A second try teaches, but the first answer stays on the line.
    page.get_by_role("radio", name="Now: emergency").check()
    page.get_by_text("In time: now: emergency").wait_for()
    assert page.get_by_text("0 of 1 in time.").is_visible()
    assert view.widget.wanted["placed"] == [{"event": "deficit", "day": 1, "clock": "days"}]
    page.wait_for_timeout(600)
    assert page.locator('[data-part="told"]').text_content() == view.widget.shown["told"]
    page.get_by_role("button", name="Clear the line").click()
    page.get_by_text("Nothing is on the line yet.").wait_for()
    assert page.get_by_role("button", name="Clear the line").is_disabled()


@pytest.mark.parametrize("width", [320, 1000])
def test_stretches_marks_and_flags_stand_where_their_days_are(mount, width):
    page = mount(recovery_timeline(placed=PLACED), width=width).page
    assert fits(page)
    placed = page.evaluate(
        """() => {
          const axis = document.querySelector(".tl-axis").getBoundingClientRect();
          const share = (x) => (x - axis.left) / axis.width;
          const box = (e) => e.getBoundingClientRect();
          return {
            stretches: [...document.querySelectorAll(".tl-lane span")].map(box)
              .map(({ left, right }) => [share(left), share(right)]),
            now: share(box(document.querySelector(".tl-now")).left),
            flags: [...document.querySelectorAll(".tl-flag")].map((e) => share((box(e).left + box(e).right) / 2)),
          };
        }"""
    )
    for (left, right), each in zip(placed["stretches"], course(), strict=True):
        assert (left, right) == pytest.approx([along(day) for day in each.days], abs=0.01)
    assert placed["now"] == pytest.approx(along(42), abs=0.01)
    assert placed["flags"] == pytest.approx([along(42), along(14)], abs=0.01)


def test_a_problem_and_a_dead_kernel_are_said(mount):
    view = mount(recovery_timeline())
    view.push(problem="The line could not use that: event is 'flu'")
    view.page.get_by_role("alert").get_by_text("event is 'flu'").wait_for()
    view.page.clock.install()
    view.page.evaluate("kernel.dead = true")
    view.page.get_by_role("slider").press("End")
    view.page.clock.run_for(3_100)
    view.page.get_by_role("alert").get_by_text("The line does not answer").wait_for()


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(recovery_timeline()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
