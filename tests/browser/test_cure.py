"""The cement clock in a real browser: it shows what the kernel drew, works by keyboard alone, and axe finds nothing."""

import pytest

from pages import axe, fits, listen, settled, small
from vertebra.widgets.cure import cement_clock

pytestmark = pytest.mark.browser


def quiet(mounted):
    """Wait until the last question is answered."""
    mounted.page.wait_for_function("() => model.get('shown').seq >= model.get('wanted').seq")
    mounted.page.wait_for_timeout(100)


@pytest.mark.parametrize(("theme", "minute"), [("light", 3.0), ("dark", 5.0), ("light", 9.0), ("dark", 9.0)])
def test_axe_finds_nothing_in_either_mode(mount, theme, minute):
    view = mount(cement_clock(minute=minute), theme)
    quiet(view)
    view.page.get_by_text("About this model").click()
    axe(view.page)


def test_names_and_roles_that_axe_does_not_ask_for(mount):
    page = mount(cement_clock()).page
    assert page.get_by_role("region", name="Cement clock").count() == 1
    for name in ("Room temperature", "Injected at", "Cement injected"):
        assert page.get_by_role("slider", name=name).count() == 1
    for name in ("Viscosity against minutes", "Temperature against minutes", "Section through cement"):
        assert page.get_by_role("img", name=name).count() == 1
    assert small(page, "button, input, label, summary") == []


def test_a_slider_by_keyboard_moves_the_window(mount):
    view = mount(cement_clock())
    page = view.page
    quiet(view)
    before = page.locator('[data-part="clock"]').inner_html()
    page.get_by_role("slider", name="Room temperature").press("Home")
    page.get_by_text("in a room of 16 °C").first.wait_for()
    assert view.widget.wanted["room"] == 16 and view.widget.wanted["sharp"]
    assert page.locator('[data-part="clock"]').inner_html() != before
    page.get_by_role("heading", name="Too thin at 5.0 min").wait_for()
    page.get_by_role("slider", name="Injected at").press("End")
    page.get_by_role("heading", name="Set at 16.0 min").wait_for()
    page.wait_for_function("document.querySelector('[data-part=told]').textContent.includes('cannot be injected')")


def test_the_other_cement_and_a_cavity_are_chosen_by_keyboard(mount):
    view = mount(cement_clock(minute=3.0))
    page = view.page
    page.get_by_role("radio", name="high viscosity").press("Space")
    page.get_by_role("heading", name="it is a paste").wait_for()
    page.get_by_role("radio", name="in a cavity").press("Space")
    page.get_by_text("4 mL in a cavity reach").first.wait_for()
    page.get_by_role("slider", name="Cement injected").press("ArrowRight")
    page.get_by_text("4.5 mL in a cavity").first.wait_for()


def test_the_thumb_of_the_minute_stands_under_its_line(mount):
    for width in (360, 1000):
        view = mount(cement_clock(minute=9.0), width=width)
        quiet(view)
        line, left, share = view.page.evaluate(
            """() => {
              const ring = document.querySelector('[data-part="clock"] circle').getBoundingClientRect();
              const track = document.querySelector('[data-slider="minute"]');
              const box = track.getBoundingClientRect();
              const share = (track.value - track.min) / (track.max - track.min);
              return [ring.x + ring.width / 2, box.x + 8, share * (box.width - 16)];
            }"""
        )
        assert abs(left + share - line) < 3


def test_a_drag_by_mouse_ends_in_a_sharp_picture(mount):
    view = mount(cement_clock())
    page = view.page
    quiet(view)
    track = page.get_by_role("slider", name="Injected at").bounding_box()
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"] + 0.27 * track["width"], y)
    page.mouse.down()
    for share in (0.28, 0.3, 0.32, 0.34):
        page.mouse.move(track["x"] + share * track["width"], y)
    page.wait_for_timeout(400)
    assert not view.widget.wanted["sharp"] and view.widget.wanted["minute"] > 5.5
    page.mouse.up()
    quiet(view)
    assert view.widget.wanted["sharp"]


def test_the_pictures_are_drawn_for_the_width_they_have(mount):
    for width in (360, 700, 1000):
        view = mount(cement_clock(), width=width)
        settled(view)
        quiet(view)
        for name in ("clock", "history", "section"):
            shown, drawn = view.page.evaluate(
                "name => { const svg = document.querySelector(`[data-part=${name}] svg`);"
                " return [svg.getBoundingClientRect().width, Number(svg.getAttribute('width'))]; }",
                name,
            )
            assert shown == pytest.approx(drawn, abs=1)  # words keep their size


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(mount):
    view = mount(cement_clock())
    quiet(view)
    view.page.evaluate("document.querySelector('[data-slider=room]').max = 999")
    view.page.get_by_role("slider", name="Room temperature").press("End")
    view.page.get_by_role("alert").get_by_text("room is 999").wait_for()
    # The same refusal once more changes no word on the page: it must not be waited for.
    view.page.get_by_role("radio", name="in a cavity").press("Space")
    view.page.get_by_role("slider", name="Room temperature").press("Home")
    view.page.get_by_text("in a room of 16 °C").first.wait_for()
    assert view.page.get_by_role("alert").count() == 0 or view.page.get_by_role("alert").is_hidden()


def test_no_key_leaves_the_widget(mount):
    page = mount(cement_clock()).page
    listen(page)
    page.get_by_role("slider", name="Room temperature").focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_a_dead_kernel_is_said(mount):
    view = mount(cement_clock())
    quiet(view)
    view.page.clock.install()
    view.page.evaluate("kernel.dead = true")
    view.page.get_by_role("slider", name="Room temperature").press("End")
    view.page.clock.run_for(3_100)
    view.page.get_by_role("alert").get_by_text("The clock stands still").wait_for()


def test_on_a_phone_nothing_scrolls_sideways(mount):
    view = mount(cement_clock(minute=2.0, place="cavity"), width=330)
    quiet(view)
    view.page.get_by_text("About this model").click()
    assert fits(view.page)


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(cement_clock()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
