"""The leak viewer in a real browser: it shows what the kernel sent, works by keyboard, and axe finds nothing."""

import pytest

from pages import axe, fits, listen, settled, small
from vertebra.widgets.leaks import leak_routes

pytestmark = pytest.mark.browser


@pytest.fixture
def view(mount):
    return mount(leak_routes())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    view = mount(leak_routes(route="S"), theme)
    for words in ("How often, and how", "About this model"):
        view.page.get_by_text(words).click()
    axe(view.page)


def test_the_pictures_are_the_kernels_and_say_what_they_show(view):
    page = view.page
    for name, title in (("axial", "Axial section"), ("sagittal", "Sagittal section"), ("lateral", "Lateral film")):
        image = page.get_by_role("img", name=f"{title} of L1 with a leak")
        assert image.get_attribute("src") == view.widget.shown["pictures"][name]
    assert page.get_by_role("img", name="AP film of L1 with a leak, hidden").count() == 1
    assert small(page, "button, input, label, select, summary") == []


def test_everything_works_by_keyboard(view):
    page = view.page
    page.get_by_role("radio", name="Basivertebral vein").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("heading", name="segmental vein: the AP film shows it").wait_for()
    page.get_by_role("slider", name="Cement that leaked").press("Home")
    page.get_by_role("heading", name="0.05 mL at L1").wait_for()
    page.get_by_role("slider", name="Where it leaves the bone").press("End")
    page.get_by_text("at the front of the side").wait_for()
    page.get_by_role("slider", name="Patient turned").press("End")
    page.get_by_text("off its plane by 12°").first.wait_for()
    page.get_by_role("radio", name="CT, slices").press("Space")
    page.get_by_text("Bright: cement and cortex").wait_for()
    page.get_by_role("checkbox", name="with the leak").press("Space")
    page.get_by_text("No leak in this picture").first.wait_for()
    page.get_by_role("checkbox", name="point it out").press("Space")
    page.wait_for_selector(".lk-frame circle", state="attached")
    page.get_by_label("Level").select_option("T12")
    page.get_by_role("heading", name="0.05 mL at T12").wait_for()
    settled(view)
    wanted = {name: view.widget.wanted[name] for name in ("route", "volume", "place", "turn", "look", "leak", "point")}
    assert wanted == {
        "route": "S", "volume": 0.05, "place": 1, "turn": 12, "look": "CT", "leak": False, "point": True,
    }  # fmt: skip


def test_what_the_kernel_refuses_is_said_and_the_next_is_answered(view):
    page = view.page
    page.evaluate("document.querySelector('[data-slider=volume]').max = 99")
    page.get_by_role("slider", name="Cement that leaked").press("End")
    page.get_by_role("alert").get_by_text("volume is 99").wait_for()
    page.get_by_role("slider", name="Cement that leaked").press("Home")
    page.get_by_role("heading", name="0.05 mL").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_no_key_leaves_the_widget_and_a_dead_kernel_is_said(view):
    page = view.page
    listen(page)
    page.get_by_role("slider", name="Cement that leaked").focus()
    for key in ("d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    page.clock.install()
    page.evaluate("kernel.dead = true")
    page.get_by_role("slider", name="Cement that leaked").press("End")
    page.clock.run_for(11_000)
    page.get_by_role("alert").get_by_text("The pictures stand still").wait_for()


def test_a_phone_shows_everything_without_scrolling_sideways(view):
    page = view.page
    for words in ("How often, and how", "About this model"):
        page.get_by_text(words).click()
    for width in (320, 390, 600):
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page), width
        wide = page.evaluate(
            "width => [...document.querySelectorAll('.lk *')].filter((e) => e.getBoundingClientRect().right > width)"
            ".map((e) => e.outerHTML.slice(0, 80))",
            width,
        )
        assert wide == []


def test_the_clean_up_takes_every_listener_back(view):
    view.page.evaluate("cleanUp()")
    view.page.evaluate(
        "document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })"
    )
