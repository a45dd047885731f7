"""The case widget in a real browser: a whole case by keyboard, on a phone, in both modes, and without a kernel."""

import pytest

from pages import axe, fits, listen
from vertebra.assets import AssetError
from vertebra.quiz import case_files, case_pictures, cases
from vertebra.widgets.cases import FILE, case

pytestmark = pytest.mark.browser


def damaged(spec):
    raise AssetError("the CT is damaged")


@pytest.fixture(autouse=True)
def quick_pictures(monkeypatch):
    """A picture of an MRI takes seconds; what is drawn is tested elsewhere."""
    monkeypatch.setattr(case_pictures, "_begun", {})
    film = case_pictures.png(cases.Film("L1", (), 1))
    monkeypatch.setattr(case_pictures, "png", lambda spec: film)


def decide(page, *ids):
    for each in ids:
        page.locator(f'input[value="{each}"]').check()
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="What came of it").wait_for()


def go_on(page, title):
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name=title).wait_for()


def right(name):
    run = case_files.best_run(case_files.load_case(case_files.find_case(name)))
    return [list(each) for each in run.choices]


def finished(name, folder, choices=None):
    widget = case(name, folder)
    widget.wanted = {**widget.wanted, "seq": 1, "choices": choices or right(name)}
    return case(name, folder)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_of_a_case(mount, theme, tmp_path):
    page = mount(case("t12_frail", tmp_path), theme).page
    axe(page)
    decide(page, "nerves", "percuss")
    axe(page)
    go_on(page, "On her sofa")
    decide(page, "film")
    go_on(page, "The film")
    page.locator("img[data-picture]:not([hidden])").wait_for()
    axe(page)
    wrongs = [["bend"], ["no-test"], ["bloods"], ["nsaid-ppi"], ["strict-bed"], ["mri-t12"], ["nine-of-ten"]]
    wrongs += [["refuses"], ["cement-l1"], ["antibiotic-cement"]]
    page = mount(finished("t12_frail", tmp_path / "end", wrongs), theme).page
    page.get_by_role("button", name="Write the hand-over note").click()
    axe(page)
    page.get_by_role("button", name="To the debrief").click()
    for summary in page.locator(".cs-review summary").all()[:2]:
        summary.click()
    axe(page)


def test_a_whole_decision_by_keyboard(mount, tmp_path):
    view = mount(case("dmab_rebound", tmp_path))
    page = view.page
    boxes = page.get_by_role("checkbox")
    boxes.first.focus()
    for _ in range(boxes.count()):
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    page.get_by_text("6 chosen, more than 3: no credit").wait_for()
    boxes.first.focus()
    page.keyboard.press("Space")
    page.get_by_text("5 chosen, more than 3").wait_for()
    page.get_by_role("button", name="Decide").press("Enter")
    page.get_by_role("heading", name="What came of it").wait_for()
    # The focus follows, so that a screen reader goes on with what came of it.
    assert page.evaluate("document.activeElement.dataset.part") == "heading"
    page.get_by_role("button", name="Go on").press("Enter")
    page.get_by_role("heading", name="The film").wait_for()
    assert len(view.widget.wanted["choices"]) == 1 and len(view.widget.wanted["choices"][0]) == 5
    assert page.locator("input:checked").count() == 0


def test_nothing_chosen_is_said_and_not_sent(mount, tmp_path):
    view = mount(case("t12_frail", tmp_path))
    view.page.get_by_role("button", name="Decide").click()
    view.page.get_by_role("alert").get_by_text("Choose first.").wait_for()
    assert view.widget.wanted["choices"] == [] and not (tmp_path / FILE).exists()


def test_there_is_no_way_back_and_the_clock_runs_on(mount, tmp_path):
    page = mount(case("breast_mscc", tmp_path)).page
    clock = page.locator("[data-part=clock]")
    assert clock.text_content() == "Day 1, 15:30"
    decide(page, "legs", "level")
    page.wait_for_function("document.querySelector('[data-part=clock]').textContent === 'Day 1, 15:41'")
    go_on(page, "Monday, 15:50")
    decide(page, "call-coordinator")
    page.get_by_text("pass").first.wait_for()
    go_on(page, "She rings at seven")
    page.wait_for_function("document.querySelector('[data-part=clock]').textContent === 'Day 4, 08:00'")
    assert page.get_by_role("button", name="Back").count() == 0
    page.get_by_text("The chart and your decisions so far").click()
    page.get_by_text("Power 5/5 at 15:36, walks unaided").wait_for()


def test_two_quick_presses_decide_once(mount, tmp_path):
    view = mount(case("t12_frail", tmp_path))
    page = view.page
    page.locator('input[value="nerves"]').check()
    page.evaluate("() => { const f = document.querySelector('form'); f.requestSubmit(); f.requestSubmit(); }")
    page.get_by_role("heading", name="What came of it").wait_for()
    assert view.widget.wanted["choices"] == [["nerves"]]


def test_a_double_click_that_turns_the_page_chooses_nothing_on_the_next(mount, tmp_path):
    page = mount(case("t12_frail", tmp_path)).page
    decide(page, "living")
    button = page.get_by_role("button", name="Go on")
    button.evaluate("(button) => scrollBy(0, button.getBoundingClientRect().top - 330)")
    box = button.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    option = page.evaluate("([x, y]) => !!document.elementFromPoint(x, y).closest('.cs-option')", [x, y])
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    assert option and page.locator("input:checked").count() == 0
    page.wait_for_timeout(700)
    page.mouse.click(x, y)
    assert page.locator("input:checked").count() == 1


def test_from_the_end_through_the_note_to_the_debrief(mount, tmp_path):
    view = mount(finished("breast_mscc", tmp_path))
    page = view.page
    page.get_by_role("button", name="Write the hand-over note").click()
    page.get_by_text("0 of 6 found").wait_for()
    assert page.get_by_role("button", name="Show a model note").is_disabled()
    page.get_by_label("Assessment").fill("T11 is unstable, power 3/5 at 08:00.")
    page.get_by_text("3 of 6 found").wait_for()
    page.get_by_text("“power, 08:00”").wait_for()
    page.get_by_label("Background").fill("Breast cancer, treated six years ago. " * 6)
    page.get_by_role("button", name="Show a model note").click()
    page.get_by_role("heading", name="A model note").wait_for()
    page.get_by_role("checkbox").first.check()
    page.wait_for_function("model.get('wanted').ticked.length === 1")
    page.get_by_role("button", name="To the debrief").click()
    page.get_by_role("heading", name="On her feet. 6 of 6 key features.").wait_for()
    assert page.get_by_role("img", name="MRI of the whole spine once legs are weak: 2 h 40 min of 24 h").count() == 1
    bar, limit = (page.locator(f"li:nth-child(3) .cs-{name}").bounding_box() for name in ("bar", "limit"))
    assert bar["x"] + bar["width"] < limit["x"]
    page.get_by_role("button", name="Back to the note").click()
    assert "3/5" in page.get_by_label("Assessment").input_value()
    assert case("breast_mscc", tmp_path).wanted["ticked"] == [0]


def test_a_case_begins_anew(mount, tmp_path):
    view = mount(finished("dmab_rebound", tmp_path))
    view.page.get_by_text("The chart and your decisions so far").click()
    view.page.get_by_role("button", name="Begin this case anew").click()
    view.page.get_by_role("heading", name="The assessment unit").wait_for()
    assert view.widget.wanted["choices"] == []


def test_no_key_leaves_the_widget(mount, tmp_path):
    page = mount(case("t12_frail", tmp_path)).page
    listen(page)
    page.get_by_role("checkbox").first.focus()
    for key in ("d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_a_dead_kernel_is_said(mount, tmp_path):
    page = mount(case("t12_frail", tmp_path)).page
    page.clock.install()
    page.evaluate("kernel.dead = true")
    page.locator('input[value="nerves"]').check()
    page.get_by_role("button", name="Decide").click()
    page.clock.run_for(3_100)
    page.get_by_role("alert").get_by_text("Nothing comes back").wait_for()


def test_a_refused_choice_is_said_and_the_next_one_counts(mount, tmp_path):
    view = mount(case("t12_frail", tmp_path))
    page = view.page
    page.evaluate("document.querySelector('.cs-option input').value = 'nonsense'")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("alert").get_by_text("no option 'nonsense'").wait_for()
    page.get_by_role("checkbox").first.uncheck()
    decide(page, page.get_by_role("checkbox").nth(1).get_attribute("value"))
    assert len(view.widget.shown["choices"]) == 1


def test_a_picture_that_cannot_be_drawn_is_said_once_and_the_case_goes_on(mount, tmp_path, monkeypatch):
    monkeypatch.setattr(case_pictures, "png", damaged)
    page = mount(case("t12_frail", tmp_path)).page
    decide(page, "nerves")
    go_on(page, "On her sofa")
    decide(page, "film")
    go_on(page, "The film")
    page.get_by_role("alert").get_by_text("t12-film cannot be drawn, the CT is damaged").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("kernel.saves") == 3
    decide(page, "bloods")


def test_on_a_narrow_page_nothing_scrolls_sideways(mount, tmp_path):
    page = mount(case("t12_frail", tmp_path), width=320).page
    assert fits(page)
    decide(page, "nerves")
    assert fits(page)
    page = mount(finished("t12_frail", tmp_path), width=320).page
    page.get_by_role("button", name="Write the hand-over note").click()
    assert fits(page)
    page.get_by_role("button", name="To the debrief").click()
    for summary in page.locator(".cs-review summary").all():
        summary.click()
    assert fits(page)


def test_the_clean_up_takes_every_listener_back(mount, tmp_path):
    page = mount(case("t12_frail", tmp_path)).page
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
