"""The page of the own progress in a real browser: practised there, it knows at once; axe finds nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from pages import axe, fits, listen, settled, small
from vertebra.measure.reading import Finding, Reading
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.progress import FILE, ProgressFile
from vertebra.quiz.review import Attempt, Entry
from vertebra.widgets.progress import Progress

pytestmark = pytest.mark.browser
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ITEM = next(
    item for bank in practice_banks() for item in bank.items if item.format == "single_best_answer" and item.mistakes()
)
KEY = next(option for option in ITEM.options if option.key)
WRONG = next(option for option in ITEM.options if option.misconception)


class Clock:
    """Minutes pass between the answers, as the file takes one a second of each question."""

    def __init__(self):
        self.at = NOON + 3 * DAY

    def __call__(self):
        self.at += timedelta(minutes=1)
        return self.at


@pytest.fixture
def page_of(mount, tmp_path, monkeypatch):
    def show(*events, theme="light", width=1000):
        if events:
            ProgressFile(tmp_path / FILE).add(*events)
        clock = Clock()
        monkeypatch.setattr("vertebra.widgets.quiz.now", clock)
        return mount(Progress(tmp_path, clock), theme, width)

    return show


def record():
    """Every fourth question of the course and some films, answered in all the ways there are."""
    found = [item for bank in practice_banks() for item in bank.items][::4]
    answers = [
        Attempt(item.id, item.version, NOON - k * DAY / 9, "x", (k % 4) / 3, 1 + k % 3) for k, item in enumerate(found)
    ]
    fracture = Finding("L1", True, "wedge", 2, 0.3)
    return [*answers, *(Entry(k, NOON, Reading(fracture, fracture, 2)) for k in range(3))]


def answer(view, option):
    page = view.page
    page.get_by_role("radio", name=option.text, exact=True).check()
    page.get_by_role("radio", name="Certain").check()
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_text("Saved", exact=True).wait_for()
    page.get_by_role("button", name="Back to my progress").first.click()
    settled(view)


def test_wrong_and_certain_it_is_listed_with_the_mistake_and_right_it_is_gone(page_of):
    view = page_of(Attempt(ITEM.id, ITEM.version, NOON, KEY.id, 1.0, 2))
    page = view.page
    page.get_by_text("1 question is due.").wait_for()
    page.get_by_role("button", name="Practise 1 question").click()
    page.get_by_text("You practise 1 question.").wait_for()
    assert page.get_by_text("You practise").evaluate("(e) => e === document.activeElement")
    answer(view, WRONG)
    assert page.get_by_role("heading", name="Where you stand").evaluate("(e) => e === document.activeElement")
    listed = page.get_by_role("region", name="Sure and wrong")
    assert ITEM.stem in listed.inner_text() and ITEM.mistakes()[WRONG.id] in listed.inner_text()
    listed.get_by_role("button", name="Practise 1 question").press("Enter")
    page.get_by_text("You practise 1 question.").wait_for()
    assert page.get_by_role("radio", checked=True).count() == 0
    answer(view, KEY)
    listed.get_by_text("Nothing that you were certain of is wrong").wait_for()
    page.get_by_role("button", name=f"Practise {ITEM.objectives[0]}", exact=True).press("Enter")
    page.get_by_text("You practise").wait_for()
    page.get_by_role("button", name="Back to my progress").last.press("Enter")
    settled(view)
    focused = page.get_by_role("button", name=f"Practise {ITEM.objectives[0]}", exact=True)
    assert focused.evaluate("(e) => e === document.activeElement")
    log = ProgressFile(view.widget._path)
    assert [(each.answer, each.fraction, each.certainty) for each in log.attempts] == [
        (KEY.id, 1.0, 2),
        (WRONG.id, 0.0, 3),
        (KEY.id, 1.0, 3),
    ]
    assert [path.name for path in view.widget._path.parent.iterdir()] == [FILE]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_full_empty_and_practising(page_of, theme):
    empty = page_of(theme=theme).page
    axe(empty)
    view = page_of(*record(), theme=theme)
    page = view.page
    page.get_by_text("Lesson by lesson").click()
    axe(page)
    assert small(page) == []
    page.get_by_role("button", name="Practise O9.2").click()
    page.get_by_text("You practise 20 questions.").wait_for()
    axe(page)


def test_a_narrow_page_shows_all_without_scrolling_sideways(page_of):
    assert fits(page_of(width=320).page)
    view = page_of(*record(), width=320)
    view.page.get_by_text("Lesson by lesson").click()
    assert fits(view.page)
    view.page.get_by_role("button", name="Practise O3.1").click()
    view.page.get_by_text("You practise").wait_for()
    assert fits(view.page)


def test_the_filter_the_folds_and_the_lessons_are_chosen_by_keyboard(page_of):
    view = page_of(*record())
    page, widget = view.page, view.widget
    listen(page)
    shown = widget.shown["mastery"]
    page.get_by_label("Only what is weak or not met").press("Space")
    rows = page.locator("[data-objective]")
    weak = [name for name, found in shown.items() if found["verdict"] in ("weak", "unmet")]
    assert sorted(rows.evaluate_all("(all) => all.map((e) => e.dataset.objective)")) == sorted(weak)
    page.get_by_label("Only what is weak or not met").press("Space")
    assert rows.count() == 47
    first = page.locator(".pg-group summary").first
    was = first.evaluate("(e) => e.parentElement.open")
    first.press("Enter")
    page.get_by_role("button", name="Look again").press("Enter")
    settled(view)
    assert page.locator(".pg-group").first.evaluate("(e) => e.open") is not was
    group = page.get_by_label("Show")
    group.select_option("films")
    assert "Fairly sure: 100" in page.locator(".pg-chart svg").get_attribute("aria-label")
    page.get_by_text("3 of 10 first answers: too early to say").wait_for()
    assert page.evaluate("heard") == []


def test_what_cannot_be_practised_is_said_and_the_page_goes_on(page_of):
    view = page_of(*record())
    page = view.page
    page.evaluate("document.querySelector('[data-practise=\"O3.1\"]').dataset.practise = 'O99.9'")
    page.locator('[data-practise="O99.9"]').click()
    page.get_by_text("The page could not do that: there is no objective O99.9").wait_for()
    page.get_by_role("button", name="Practise O3.2").click()
    page.get_by_text("You practise").wait_for()
    assert page.get_by_role("alert").filter(visible=True).count() == 0


def test_a_double_click_begins_one_sitting(page_of):
    view = page_of(*record())
    view.page.locator('[data-practise="due"]').dblclick()
    settled(view)
    assert view.page.get_by_text("You practise 20 questions.").is_visible()
