"""The plan builder in a real browser: it shows what the kernel said, works by keyboard, and axe finds nothing."""

import pytest

from pages import axe, fits, listen, settled, small
from vertebra.evidence.conservative import measures, presets
from vertebra.widgets.plan import plan_builder

pytestmark = pytest.mark.browser


def verdict(page, words):
    page.locator('[data-part="verdict"]').get_by_text(words).first.wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(mount, theme):
    page = mount(plan_builder(), theme).page
    axe(page)


def test_names_and_roles_that_axe_does_not_ask_for(mount):
    page = mount(plan_builder()).page
    for region in ("Plan builder", "Patient", "Plan", "Warnings", "Missing"):
        assert page.get_by_role("region", name=region, exact=True).count() == 1
    for group in ("Pain", "Activity", "Support and safety", "Bone", "Brings along", "Takes already"):
        assert page.get_by_role("group", name=group, exact=True).count() == 1
    for each in measures().values():
        # How well it was tested is part of the name that a screen reader says.
        box = page.locator(f'[data-measure="{each.id}"]')
        said = box.evaluate("(box) => box.labels[0].innerText")
        assert each.name in said and each.strength.word in said
    assert page.get_by_role("slider", name="eGFR").get_attribute("aria-valuetext") == "28, stage G4"
    assert small(page) == []


def test_a_plan_is_mended_by_keyboard_until_the_card_can_be_printed(mount):
    view = mount(plan_builder())
    page = view.page
    verdict(page, "Not safe as it stands: 5 things")
    page.get_by_text("Draft. Not to be given").wait_for()
    printing = page.get_by_role("button", name="Print the card")
    assert printing.is_disabled()
    wanted, have = presets()["maud"].sound, set(presets()["maud"].letter.measures)
    for name in [*have, *wanted.measures]:
        box = page.locator(f'[data-measure="{name}"]')
        box.focus()
        page.keyboard.press("Space")
    page.get_by_label("Reviewed").select_option("7")
    verdict(page, "Acceptable")
    assert set(view.widget.wanted["measures"]) == set(wanted.measures) and view.widget.wanted["review"] == 7
    assert page.locator('[data-part="missing"]').inner_text() == "Nothing that these rules know of."
    page.get_by_text("Come back at once").wait_for()
    page.get_by_text("Next look at this plan: in 1 week.").wait_for()
    assert printing.is_enabled()


def test_only_the_card_is_printed_and_printed_anew_each_time(mount):
    page = mount(plan_builder()).page
    page.add_init_script("window.print = () => { window.printed = true; }")
    for patient, name in (("maud", "Maud, 84"), ("bernard", "Bernard, 79")):
        page.locator('[data-part="patient"]').select_option(patient)
        page.get_by_role("button", name="Show one we would accept").click()
        page.locator('[data-part="card"]').get_by_text(f"Plan for {name}").wait_for()
        page.wait_for_function("!document.querySelector('[data-do=print]').disabled")
        page.get_by_role("button", name="Print the card").press("Enter")
        paper = page.frame_locator("iframe")
        paper.locator("h3", has_text=f"Plan for {name}").wait_for(state="attached")
        page.wait_for_function("document.querySelector('iframe').contentWindow.printed")
        words = paper.locator("body").text_content()
        assert "Come back at once" in words and "in 1 week" in words and "What speaks against it" not in words
        assert all(measures()[each].plain in words for each in presets()[patient].sound.measures)
    assert page.locator("iframe").count() == 1


def test_the_kidney_and_the_flags_follow_the_slider(mount):
    view = mount(plan_builder())
    page = view.page
    flag = page.locator('[data-flag="codeine"]')
    assert flag.inner_text() == "✕ avoid"
    kidney = page.get_by_role("slider", name="eGFR")
    for _ in range(2):
        kidney.press("ArrowRight")
    settled(view)
    assert view.widget.wanted["egfr"] == 30 and kidney.get_attribute("aria-valuetext") == "30, stage G3b"
    assert flag.inner_text() == "! caution"
    kidney.press("End")
    page.get_by_text("120, stage G1").wait_for()
    page.get_by_role("slider", name="Age").press("Home")
    page.get_by_text("50 years").wait_for()
    page.get_by_role("checkbox", name="Diuretic").uncheck()
    page.get_by_text("NSAID with an ACE inhibitor").first.wait_for()
    page.wait_for_timeout(500)
    assert page.locator('[data-part="told"]').text_content().startswith("Not safe as it stands: 1 thing")


def test_another_patient_brings_another_letter_and_a_red_flag_stops_it(mount):
    view = mount(plan_builder())
    page = view.page
    page.get_by_label("Patient", exact=True).last.select_option("rosa")
    verdict(page, "Not safe as it stands: 1 thing")
    page.get_by_text("sertraline").first.wait_for()
    assert page.locator('[data-measure="tramadol"]').is_checked()
    page.get_by_role("button", name="Show one we would accept").click()
    page.locator('[data-part="missing"]').get_by_text("Nothing that these rules").wait_for()
    page.get_by_role("checkbox", name="Red flag now").check()
    page.get_by_text("Begin with: A red flag stops this plan.").first.wait_for()
    page.get_by_role("button", name="Empty the plan").click()
    page.get_by_text("No review date").wait_for()
    assert view.widget.wanted["measures"] == [] and view.widget.wanted["review"] is None
    page.get_by_role("button", name="Back to the letter").click()
    settled(view)
    assert view.widget.wanted["measures"] == list(presets()["rosa"].letter.measures)


def test_a_day_that_stands_in_no_list_is_shown(mount):
    page = mount(plan_builder(review=10)).page
    assert page.get_by_label("Reviewed").evaluate("(list) => list.selectedOptions[0].text") == "in 10 days"


def test_what_is_refused_is_said_and_the_rest_goes_on(mount):
    view = mount(plan_builder())
    view.page.evaluate("document.querySelector('[data-slider=age]').max = 999")
    age = view.page.get_by_role("slider", name="Age")
    age.press("End")
    view.page.get_by_role("alert").get_by_text("age is 999; give a number from 50 to 105").wait_for()
    age.press("Home")
    view.page.get_by_role("alert").wait_for(state="hidden")


def test_no_key_leaves_the_widget(mount):
    page = mount(plan_builder()).page
    listen(page)
    page.get_by_role("slider", name="Age").focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_a_dead_kernel_is_said(mount):
    page = mount(plan_builder()).page
    page.clock.install()
    page.evaluate("kernel.dead = true")
    page.get_by_role("slider", name="Age").press("End")
    page.clock.run_for(3_100)
    page.get_by_role("alert").get_by_text("Nothing is checked").wait_for()


@pytest.mark.parametrize("width", [320, 500, 760])
def test_on_a_narrow_page_nothing_scrolls_sideways_or_hides_the_focus(mount, width):
    page = mount(plan_builder(patient="ilse"), width=width).page
    assert fits(page)
    # The details of the evidence stay closed on a telephone; open, they fit as well.
    details = page.locator('[data-part="tested"]')
    assert (details.get_attribute("open") is not None) == (width > 640 + 60)
    details.evaluate("(details) => { details.open = true; }")
    assert fits(page)
    # Tabbed to from below, a control does not lie under the verdict that sticks to the top.
    page.locator('[data-measure="falls_care"]').focus()
    for _ in range(8):
        page.keyboard.press("Shift+Tab")
    hidden = page.evaluate(
        """() => document.activeElement.getBoundingClientRect().top <
          document.querySelector('.pl-verdict').getBoundingClientRect().bottom - 1"""
    )
    assert not hidden


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(plan_builder()).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
