"""The rewriting exercise in a real browser: written by keyboard, counted, kept; axe finds nothing."""

import pytest

from pages import axe, fits, listen
from vertebra.evidence.rewrites import exercises, without_citations
from vertebra.widgets.rewrite import rewrite

pytestmark = pytest.mark.browser
GOOD = without_citations(exercises()["balloon"].model)


@pytest.fixture
def exercise(mount, tmp_path):
    def show(theme="light", width=1000):
        return mount(rewrite(tmp_path / "my_answers"), theme, width)

    return show


def text(page):
    return page.get_by_label("Your text, for this patient")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_mode(exercise, theme):
    page = exercise(theme).page
    page.get_by_text("What counting cannot see").click()
    text(page).fill(GOOD)
    page.get_by_role("button", name="Show a model answer").click()
    page.get_by_text("A model answer, not the only one").wait_for()
    assert page.locator('[data-part="model"]').evaluate("(e) => e === document.activeElement")
    page.get_by_text("Its sources").click()
    axe(page)


def test_a_text_is_typed_counted_and_there_again(exercise):
    view = exercise()
    page = view.page
    assert page.locator(".rw-met").count() == 0
    text(page).focus()
    page.keyboard.type("Cement may leak into the lungs of 4 in 100 people.")
    page.locator(".rw-met", has_text="Harms").get_by_text("leak, lung").wait_for()
    assert page.locator(".rw-open", has_text="Numbers").count() == 1
    page.keyboard.type(" In 2 in 100 it needs another operation.")
    page.locator(".rw-met", has_text="Numbers").get_by_text("4 in 100, 2 in 100").wait_for()
    assert view.widget.wanted["text"].endswith("another operation.")
    assert text(exercise().page).input_value().endswith("another operation.")


def test_the_model_waits_for_a_text_and_goes_with_the_paragraph(exercise):
    page = exercise().page
    page.get_by_role("button", name="Show a model answer").press("Enter")
    page.get_by_role("alert").get_by_text("Write at least 30 words first; you have 0.").wait_for()
    text(page).fill(GOOD)
    page.get_by_text("A model answer, not the only one").wait_for()
    page.get_by_label("Paragraph").select_option("tablets")
    page.get_by_text("This is what her pharmacy hands out").wait_for()
    page.locator(".rw-open").nth(6).wait_for()
    assert text(page).input_value() == "" and page.locator(".rw-model").count() == 0
    page.get_by_label("Paragraph").select_option("balloon")
    page.locator(".rw-met").nth(6).wait_for()
    assert text(page).input_value() == GOOD


def test_the_last_words_are_kept_when_the_paragraph_is_changed_at_once(exercise, tmp_path):
    page = exercise().page
    text(page).fill("The last words.")
    page.get_by_label("Paragraph").select_option("needle")
    page.wait_for_function("model.get('shown').exercise === 'needle'")
    assert (tmp_path / "my_answers" / "rewrite_balloon.txt").read_text() == "The last words."


def test_a_dead_kernel_and_a_refusal_are_said(exercise):
    page = exercise().page
    text(page).evaluate("(e) => e.removeAttribute('maxlength')")
    text(page).fill("a" * 6001)
    page.get_by_role("alert").get_by_text("shorten it").wait_for()
    text(page).fill("short")
    page.wait_for_function("model.get('problem') === ''")
    page.clock.install()
    page.evaluate("kernel.dead = true")
    text(page).fill("more")
    page.clock.run_for(4_000)
    page.get_by_role("alert").get_by_text("Nothing is counted or kept").wait_for()


def test_narrow_pages_keys_and_the_clean_up(exercise):
    page = exercise(width=320).page
    text(page).fill(GOOD)
    page.get_by_role("button", name="Show a model answer").click()
    page.get_by_text("A model answer, not the only one").wait_for()
    assert fits(page)
    listen(page)
    text(page).focus()
    for key in ("d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
