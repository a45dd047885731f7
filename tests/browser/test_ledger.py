"""The claim ledger in a real browser: judged by keyboard, sifted, kept and printed; axe finds nothing."""

import json

import pytest

from pages import axe, fits, listen, small
from vertebra.evidence.claims import CONFLICT, claims
from vertebra.widgets.ledger import NAMES, claim_ledger, lesson_name

pytestmark = pytest.mark.browser


@pytest.fixture
def ledger(mount, tmp_path):
    def show(theme="light", width=1000):
        return mount(claim_ledger(tmp_path / "my_answers"), theme, width)

    return show


def judge(page, call, sure=None):
    page.get_by_role("radio", name=NAMES[call]).check()
    if sure:
        page.get_by_role("radio", name=sure, exact=True).check()
    page.get_by_role("button", name="Judge", exact=True).click()


def listed(page):
    return page.evaluate(
        "[...document.querySelectorAll('.cl-list [role=option]')].filter((e) => !e.hidden).map((e) => e.dataset.claim)"
    )


def current(page):
    return page.locator(".cl-card").get_attribute("data-claim")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(ledger, theme):
    view = ledger(theme)
    page = view.page

    def clean():
        axe(page)

    page.get_by_label("Search").fill("leak")
    if theme == "light":
        clean()
    judge(page, "supported", "certain")
    clean()
    for tab in ("Conflicts", "Left out", "Score"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Conflicts":
            page.locator("summary").first.click()
        clean()
    assert small(page, "button, input, select, summary, [role=option]") == []


def test_a_claim_is_judged_by_keyboard_alone_and_the_verdict_is_read_out(ledger):
    view = ledger()
    page = view.page
    page.get_by_role("listbox", name="Claims").focus()
    for key in ("End", "Home", "ArrowDown", "ArrowDown", "PageDown", "PageUp", "ArrowUp"):
        page.keyboard.press(key)
    assert current(page) == "c000-002"
    page.keyboard.press("Tab")  # the print button
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # a radio button is chosen by its arrow keys
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.locator(".cl-line").get_by_text("You said: Supported").wait_for()
    assert page.locator('[data-part="verdict"]').evaluate("(e) => e === document.activeElement")
    assert "The literature: ✓ Supported" in page.locator('[data-part="told"]').text_content()
    assert view.widget.wanted["judged"] == {"c000-002": {"answer": "supported", "certainty": None}}
    page.get_by_text("1 of 272 claims judged, 1 right").first.wait_for()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.querySelector('.cl').contains(document.activeElement)")


def test_judging_nothing_is_asked_for(ledger):
    page = ledger().page
    page.get_by_role("button", name="Judge", exact=True).click()
    page.get_by_role("alert").get_by_text("Choose one of the four first").wait_for()
    page.get_by_role("radio", name="Contradicted").check()
    assert page.locator('[data-part="missing"]').text_content() == ""


def test_each_call_gets_its_verdict_sources_section_and_conflict(ledger):
    page = ledger().page
    page.get_by_label("Search").fill("C000-046")
    claim = claims()["c000-046"]
    for call, name in NAMES.items():
        judge(page, call, "guess")
        verdict = page.locator('[data-part="verdict"]').text_content()
        assert ("Right" in verdict) == claim.is_right(call) and f"You said: {name}, guess" in " ".join(verdict.split())
        assert NAMES[claim.verdict] in verdict and claim.appraisal in verdict
        if call != CONFLICT:
            page.get_by_role("button", name="Judge it again").click()
    for ref in claim.refs:
        assert page.locator(".cl-card").get_by_text(f"[{ref}]").count() == 1
    link = page.locator(".cl-where a").first
    file, anchor = claim.lesson.split("#")
    assert link.get_attribute("href") == f"{file}.ipynb#{anchor}"
    assert json.loads(link.get_attribute("data-commandlinker-args")) == {"path": f"{file}.ipynb", "id": f"#{anchor}"}
    page.get_by_role("button", name="Show this conflict").first.click()
    assert page.get_by_role("tab", name="Conflicts").get_attribute("aria-selected") == "true"
    assert page.locator('details[data-id="k03"]').get_attribute("open") is not None
    page.locator('details[data-id="k03"]').get_by_role("button", name="discharged on the day").click()
    assert current(page) == "c002-027"
    assert page.get_by_role("tab", name="Judge").get_attribute("aria-selected") == "true"
    assert listed(page) == list(claims())  # the search was in the way


def test_every_filter_and_the_search_sift_as_the_ledger_says(ledger):
    page = ledger().page
    know = claims().values()
    judge(page, "supported")  # wrong
    for label, key in (("Leaflet", "leaflet"), ("Topic", "topic"), ("Lesson", "lesson")):
        box = page.get_by_label(label, exact=True)
        values = box.locator("option").evaluate_all("(all) => all.map((e) => e.value)")
        for value in values[1:]:
            box.select_option(value)
            expected = [
                c.id
                for c in know
                if value == (lesson_name(c.lesson.split("#")[0]) if key == "lesson" else getattr(c, key))
            ]
            assert listed(page) == expected != []
            assert page.locator('[data-part="count"]').text_content() == f"{len(expected)} of 272 claims"
        box.select_option("")
    for state, expected in (("done", 1), ("wrong", 1), ("open", 271), ("", 272)):
        page.get_by_label("Show", exact=True).select_option(state)
        assert len(listed(page)) == expected
    page.get_by_label("Search").fill("  CEMENT   leak ")
    assert listed(page) == [
        c.id for c in know if all(w in f"{c.id} {c.claim} {c.topic}".lower() for w in ("cement", "leak"))
    ]
    assert current(page) == listed(page)[0]
    page.get_by_label("Search").fill("zebra")
    assert listed(page) == [] and page.get_by_text("0 of 272 claims").count() == 1
    assert page.get_by_role("button", name="Print this list").is_disabled()
    page.get_by_role("button", name="Skip").click()
    page.get_by_role("listbox").press("ArrowDown")
    page.get_by_label("Search").fill("")
    assert len(listed(page)) == 272


def test_next_passes_over_what_is_judged_and_goes_round(ledger):
    page = ledger().page
    page.get_by_label("Topic").select_option("anatomy")
    _, second, third = listed(page)
    judge(page, "supported")
    page.get_by_role("button", name="Next claim").click()
    assert current(page) == second
    page.get_by_role("button", name="Skip").click()
    assert current(page) == third
    judge(page, "contradicted")
    page.get_by_role("button", name="Next claim").click()
    assert current(page) == second
    judge(page, "oversimplified")
    page.get_by_role("button", name="Next claim").click()
    assert current(page) == third and page.get_by_role("button", name="Judge it again").count() == 1
    page.get_by_role("button", name="Judge it again").click()
    page.get_by_text("2 of 272 claims judged").first.wait_for()


def test_the_score_counts_names_what_fooled_and_can_be_forgotten(ledger):
    view = ledger()
    page = view.page
    page.get_by_label("Search").fill("c003-065")
    judge(page, "supported", "certain")
    page.get_by_label("Search").fill("c003-080")
    judge(page, CONFLICT)
    page.get_by_role("tab", name="Judge").press("End")
    page.get_by_text("Of 1 that you called supported, 1 is not.").wait_for()
    cells = page.locator(".cl-table tbody tr").evaluate_all(
        "(rows) => rows.map((r) => [...r.cells].slice(1).map((c) => +c.textContent))"
    )
    assert cells == [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 1]]
    page.get_by_role("button", name="The risk of cement leakage is small.").click()
    assert current(page) == "c003-065"
    page.get_by_role("tab", name="Score").click()
    page.get_by_role("button", name="Forget all judgements").click()
    page.get_by_role("button", name="No, keep them").click()
    assert len(view.widget.wanted["judged"]) == 2
    page.get_by_role("button", name="Forget all judgements").click()
    page.get_by_role("button", name="Yes, begin again").click()
    page.get_by_text("Nothing judged yet").first.wait_for()
    assert view.widget.wanted["judged"] == {}
    page.get_by_role("tab", name="Score").press("ArrowRight")
    assert page.get_by_role("tab", name="Judge").evaluate("(e) => e === document.activeElement")


def test_what_was_judged_is_there_again_and_a_damaged_file_is_said(ledger, tmp_path):
    page = ledger().page
    judge(page, "oversimplified")
    page.get_by_text("1 of 272 claims judged, 1 right").first.wait_for()
    again = ledger().page
    assert again.locator(".cl-progress").text_content().startswith("1 of 272 claims judged, 1 right")
    assert current(again) == "c000-002"  # the first that is open
    (tmp_path / "my_answers" / "ledger.json").write_text("{")
    damaged = ledger().page
    damaged.get_by_role("alert").get_by_text("The earlier answers cannot be used").wait_for()
    judge(damaged, "supported")
    damaged.get_by_role("alert").get_by_text("ledger.unreadable-1.json").wait_for()


def test_the_list_is_printed_with_boxes_or_verdicts(ledger):
    page = ledger().page
    page.get_by_label("Topic").select_option("anatomy")
    judge(page, "supported")
    page.evaluate(
        "HTMLIFrameElement.prototype.__defineGetter__('contentWindow',"
        "() => ({ focus() {}, print: () => { window.printed = true; } }))"
    )
    page.get_by_role("button", name="Print this list").click()
    page.wait_for_function("window.printed")
    sheet = page.locator("iframe").get_attribute("srcdoc")
    assert sheet.count("<tr>") == 1 + 3 and sheet.count("☐ Contradicted") == 2
    assert claims()["c003-003"].appraisal in sheet and claims()["c003-004"].appraisal not in sheet


def test_a_section_is_asked_for_once_more_when_its_lesson_is_open(ledger):
    page = ledger().page
    judge(page, "supported")
    page.evaluate(
        "window.asked = []; document.body.addEventListener('click', (event) => {"
        "const link = event.target.closest('a[data-commandlinker-command]');"
        "if (link) { event.preventDefault(); asked.push(link.getAttribute('href')); } })"
    )
    page.clock.install()
    page.locator(".cl-where a").first.click()
    assert page.evaluate("asked.length") == 1
    page.clock.run_for(10_000)
    assert page.evaluate("asked.length") == 2 and page.evaluate("new Set(asked).size") == 1


def test_what_the_leaflets_leave_out_is_a_table_of_thirteen_by_five(ledger):
    page = ledger().page
    page.get_by_role("tab", name="Left out").click()
    marks = page.locator(".cl-gaps tbody tr").evaluate_all(
        "(rows) => rows.map((r) => r.querySelectorAll('.cl-out').length)"
    )
    assert len(marks) == 13 and page.locator(".cl-gaps td.cl-out, .cl-gaps td.cl-in").count() == 65
    assert sum(marks) == sum(len(each["leaflets"]) for each in page.evaluate("model.get('about').omissions"))


def test_the_refusal_and_the_silence_of_the_kernel_are_said(ledger):
    view = ledger()
    page = view.page
    page.evaluate("document.querySelector('.cl-calls input').value = 'maybe'")
    page.get_by_role("radio", name="Supported").check()
    page.evaluate("model.get('about').calls.push({ id: 'maybe', name: 'Maybe', means: '' })")
    page.get_by_role("button", name="Judge", exact=True).click()
    page.get_by_role("alert").get_by_text("The ledger could not use that").wait_for()
    silent = ledger().page
    silent.clock.install()
    silent.evaluate("kernel.dead = true")
    judge(silent, "supported")
    silent.clock.run_for(3_100)
    silent.get_by_role("alert").get_by_text("Nothing is kept").wait_for()


@pytest.mark.parametrize("width", [320, 600])
def test_on_a_narrow_page_nothing_scrolls_sideways(ledger, width):
    page = ledger(width=width).page
    page.get_by_label("Search").fill("c003-065")
    judge(page, "supported")
    for tab in ("Judge", "Conflicts", "Left out", "Score"):
        page.get_by_role("tab", name=tab).click()
        assert fits(page), tab


def test_no_key_leaves_the_widget_and_the_clean_up_takes_every_listener_back(ledger):
    page = ledger().page
    listen(page)
    page.get_by_label("Search").focus()
    for key in ("d", "d", "ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]
    page.evaluate("cleanUp()")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
