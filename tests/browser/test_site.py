"""The static site in a real browser: it reads without scripts, its quizzes mark and keep, its files are graded."""

import contextlib
import json
import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from pages import fits, small
from sites import LESSONS, served
from vertebra.quiz.items import find_bank, load_bank
from vertebra.quiz.responses import digest, parse_responses
from vertebra.site.build import build
from vertebra.teaching.assign import assign
from vertebra.teaching.grade import grade
from vertebra.teaching.key import right_answer
from vertebra.teaching.practice_key import write_practice_key

pytestmark = pytest.mark.browser
LESSON = "lessons/03_fracture_types.html"
KINDS = ["index.html", "progress.html", "licences.html", LESSON]
EVERY = [f"lessons/{path.stem}.html" for path in sorted(LESSONS.glob("[0-9]*.ipynb"))]


@pytest.fixture
def visit(chromium):
    """Return a function that opens an address in a browser of its own; what a page complains of fails the test."""
    contexts, complaints = [], []

    def go(address, width=1000, scheme="light", context=None, **options):
        if context is None:
            context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
            context.route("**/worker.js", lambda route: route.abort())  # offline use has tests of its own
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: complaints.append(f"{address}: {error}"))
        page.on("response", lambda got: complaints.append(got.url) if got.status >= 400 else None)
        page.on(
            "console", lambda told: complaints.append(f"{address}: {told.text}") if "Refused" in told.text else None
        )
        page.goto(address, wait_until="load")
        return page

    yield go
    for context in contexts:
        context.close()
    assert not complaints


def ready(page):
    page.wait_for_selector(".vq")
    return page


def answer_first(page, certainty="Fairly sure"):
    """Answer the first question, which is of one best answer, with its first option."""
    page.locator(".vq-card:not([hidden]) .vq-choice input").first.check()
    page.locator(".vq-card:not([hidden]) .vq-levels").get_by_text(certainty).click()
    page.locator(".vq-card:not([hidden]) .vq-check").click()
    page.wait_for_selector(".vq-save[data-state=saved]")


def downloaded(page, button):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    return waiting.value


def kept(page, key="vertebra/answers/fracture_types"):
    return json.loads(page.evaluate("(key) => localStorage.getItem(key)", key) or "null")


# --- Reading ---------------------------------------------------------------------------------------------------------


def axe(page, **options):
    page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
    result = Axe().run(page, options={"resultTypes": ["violations"], **options})
    return result.generate_report() if result.violations_count else ""


def test_axe_finds_nothing_on_any_page_and_none_loads_what_is_not_the_sites(visit, site_address):
    """All rules but contrast, which takes the longest and is a matter of the style sheet: see the next test."""
    page, found, asked = visit(f"{site_address}index.html"), [], []
    page.on("request", lambda request: asked.append(request.url))
    for path in [*KINDS, "offline.html", *EVERY]:
        page.goto(site_address + path)
        if "lessons/" in path:
            ready(page)
        found.append(axe(page, rules={"color-contrast": {"enabled": False}}))
    assert not any(found), "\n".join(found)
    assert asked and all(url.startswith((site_address, "data:")) for url in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(visit, site_address, scheme):
    page, found = visit(f"{site_address}index.html", scheme=scheme), []
    for path in [*KINDS, "lessons/15_cases.html"]:  # lessons with every kind of box, table and figure
        page.goto(site_address + path)
        if "lessons/" in path:
            answer_first(ready(page))
        found.append(axe(page, runOnly=["color-contrast"]))
    assert not any(found), "\n".join(found)


@pytest.mark.parametrize("path", [*KINDS, "lessons/14_read_a_leaflet.html", "lessons/10_evidence.html"])
def test_a_page_fits_a_narrow_screen_and_its_controls_can_be_hit(visit, site_address, path):
    page = visit(site_address + path, width=320)
    if "lessons/" in path:
        ready(page)
    assert fits(page)
    assert small(page, "button, select, summary, .button, .site-head a") == []


def test_on_a_phone_a_wide_table_is_a_list_of_its_rows_and_a_wide_picture_opens_alone(visit, site_address):
    page = visit(f"{site_address}lessons/04_patient_and_red_flags.html", width=390)
    assert page.locator(".stacks").count() >= 3
    for table in page.locator(".stacks").all():
        heads = table.get_by_role("columnheader").all_inner_texts()
        row = table.get_by_role("row").nth(1)
        assert row.get_by_role("rowheader").or_(row.get_by_role("cell")).count() == len(heads) >= 3
        said = row.locator("td").evaluate_all("(all) => all.map((td) => getComputedStyle(td, '::before').content)")
        # What stands before a cell is the name of its column, as the head of the table has it.
        assert [words.strip('": ') for words in said] == [" ".join(head.split()).rstrip("?") for head in heads[1:]]
        assert table.evaluate("(node) => node.scrollWidth <= node.parentElement.clientWidth")
    page.get_by_role("link", name="Full size").first.click()
    page.wait_for_url("**/_/pictures/*.svg")
    page.go_back()
    page.set_viewport_size({"width": 1000, "height": 900})
    expect(page.get_by_role("link", name="Full size")).to_have_count(0)
    assert page.locator(".stacks td").first.evaluate("(td) => getComputedStyle(td).display") == "table-cell"


def test_without_scripts_a_lesson_reads_with_its_questions_and_without_an_answer(visit, site_address):
    page = visit(site_address + LESSON, java_script_enabled=False)
    text = page.inner_text("main")
    bank = load_bank(find_bank("fracture_types"))
    for item in bank.items:
        assert item.stem in " ".join(text.split())
        assert not any(reason in text for reason in item.rationales().values())
    assert page.locator("main h1").count() == 1


def test_the_skip_link_is_the_first_stop_and_leads_to_the_text(visit, site_address):
    page = visit(site_address + LESSON)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


# --- Answering -------------------------------------------------------------------------------------------------------


def test_an_answer_is_marked_kept_and_there_again_after_a_reload(visit, site_address):
    page = ready(visit(site_address + LESSON))
    answer_first(page)
    assert page.locator(".vq-verdict strong").first.inner_text().strip() in ("Right", "Not right")
    record = kept(page)
    (item,) = record["answers"]
    assert record["versions"] == {item: load_bank(find_bank("fracture_types")).item(item).version}
    (attempt,) = kept(page, "vertebra/progress")["attempts"]
    assert (attempt["item"], attempt["certainty"], attempt["answer"]) == (item, 2, record["answers"][item]["answer"])
    page.reload()
    ready(page)
    assert page.locator(".vq-go").first.get_attribute("aria-label").startswith("Question 1, ")
    assert "not answered" not in page.locator(".vq-go").first.get_attribute("aria-label")


def test_every_practice_question_of_every_lesson_is_marked_right_with_its_key(visit, site_address):
    """A page asks the questions of the bank, and its own module gives each right answer full credit."""
    page = visit(f"{site_address}index.html")
    for path in EVERY:
        page.goto(site_address + path)
        ready(page)
        bank_id = page.locator("[data-quiz-id]").get_attribute("data-quiz-id")
        right = {item.id: right_answer(item.key_record()) for item in load_bank(find_bank(bank_id)).items}
        marked = page.evaluate(
            """async ({ bank, right }) => {
              const { score } = await import("../_/quiz.js");
              const quiz = await (await fetch(`../_/quizzes/${bank}.json`)).json();
              return quiz.items.map((item) => [item.id, score(item.key, right[item.id])]);
            }""",
            {"bank": bank_id, "right": right},
        )
        assert marked == [[name, 1] for name in right]


def test_two_windows_on_one_quiz_lose_nothing(visit, site_address):
    first = ready(visit(site_address + LESSON))
    second = ready(visit(site_address + LESSON, context=first.context))
    answer_first(first)
    expect(second.locator(".vq-go").first).not_to_have_attribute("aria-label", "Question 1, not answered")
    second.locator(".vq-go").nth(1).click()
    answer_first(second)
    assert len(kept(first)["answers"]) == 2
    assert len(kept(first, "vertebra/progress")["attempts"]) == 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }", "keeps nothing"),
        (
            "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } })",
            "keeps nothing",
        ),
        (
            "localStorage.setItem('other', 'x'); Storage.prototype.setItem = () => "
            "{ throw new DOMException('', 'QuotaExceededError') }",
            "no room",
        ),
    ],
)
def test_where_nothing_can_be_kept_the_quiz_works_says_so_and_gives_the_file(
    visit, chromium, site_address, spoil, words
):
    context = chromium.new_context()
    context.add_init_script(spoil)
    page = ready(visit(site_address + LESSON, context=context))
    page.locator(".vq-choice input").first.check()
    page.locator(".vq-levels").first.get_by_text("Certain").click()
    page.locator(".vq-check").first.click()
    page.wait_for_selector(".vt-alert")
    assert words in page.locator(".vt-alert").inner_text()
    assert page.locator(".vq-verdict strong").first.inner_text().strip() in ("Right", "Not right")
    file = downloaded(page, "Download my answers")
    assert len(parse_responses(file.path().read_bytes(), "file")[0].answers) == 1
    context.close()


def test_answers_go_out_as_a_file_and_come_back_in(visit, site_address, tmp_path):
    page = ready(visit(site_address + LESSON))
    answer_first(page)
    file = tmp_path / "mine.json"
    download = downloaded(page, "Download my answers")
    assert download.suggested_filename == "fracture_types-responses.json"
    download.save_as(file)
    before = kept(page)["answers"]

    page.get_by_role("button", name="Delete my answers").click()
    page.get_by_role("button", name="Keep").click()
    assert kept(page)["answers"] == before
    page.get_by_role("button", name="Delete my answers").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    assert kept(page) is None
    assert page.locator(".vq-go").first.get_attribute("aria-label") == "Question 1, not answered"

    def bring(path):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Bring answers back in").click()
        chooser.value.set_files(path)
        says = page.locator(".answers .says")
        expect(says).not_to_be_empty()
        return says.inner_text()

    assert bring(file) == "1 answer was brought in."
    assert kept(page)["answers"] == before
    page.reload()
    ready(page)
    data = json.loads(file.read_text())
    spoilt = {
        "cut.json": (file.read_text()[:200], "cut off"),
        "else.json": ('{"format": "something"}', "not a file of answers"),
        "new.json": (json.dumps(data | {"format": "vertebra-responses/9"}), "another version"),
        "edited.json": (json.dumps(data | {"student": "x"}), "changed after"),
        "large.json": (json.dumps(data | {"student": "x" * 2_000_000}), "too large"),
    }
    for name, (text, words) in spoilt.items():
        path = tmp_path / name
        path.write_text(text)
        page.evaluate("document.querySelector('.answers .says').textContent = ''")
        told = bring(path)
        assert name in told and words in told
    assert kept(page)["answers"] == before


def test_a_quiz_answered_in_a_browser_is_graded(visit, site_address, tmp_path):
    page = ready(visit(site_address + LESSON))
    answer_first(page)
    page.locator(".vq-go").nth(1).click()
    answer_first(page, "Guess")
    page.get_by_label("Student code").fill("ada 1")
    assert "This is not a student code" in page.locator(".answers").inner_text()
    page.get_by_label("Student code").fill("ada-1")
    (tmp_path / "in").mkdir()
    downloaded(page, "Download my answers").save_as(tmp_path / "in" / "ada.json")
    key = write_practice_key("fracture_types", tmp_path / "key.json")
    report = grade(tmp_path / "key.json", tmp_path / "in", tmp_path / "marks")
    assert (report.graded, report.set_aside) == (1, {})
    table = (tmp_path / "marks" / "gradebook.csv").read_text()
    assert "ada-1" in table
    first = json.loads((tmp_path / "in" / "ada.json").read_text())
    right = {item.id: item for item in key.items}
    assert set(first["answers"]) <= set(right)


# --- The file and Python ---------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [0.1, 1e-5, 1e16, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 123456789012345680.0, -0.0, 1e-4, 9.999e-5]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(st.characters(exclude_categories=["Cs"]), max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4, alphabet="aé\ue000𝄞b"), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(JSON, min_size=20, max_size=20))
def test_the_digest_of_any_json_is_the_same_in_javascript_and_python(storage_page, values):
    """JavaScript writes what Python reads to the same digest, and reads a digest of Python's own text."""
    told = storage_page.evaluate(
        """async (texts) => {
          const { digest, pythonJson, readExactly } = await import("../_/storage.js");
          return texts.map((text) => {
            const value = JSON.parse(text);
            return [pythonJson(value), digest(value), digest(readExactly(text))];
          });
        }""",
        [json.dumps(value, ensure_ascii=False) for value in values],
    )
    for value, (text, own, exact) in zip(values, told, strict=True):
        assert own == digest(json.loads(text))
        assert exact == digest(value)


@pytest.fixture(scope="module")
def storage_page(chromium, site_address):
    page = chromium.new_page()
    page.goto(f"{site_address}lessons/00_start.html")
    yield page
    page.close()


# --- A new version of the site ---------------------------------------------------------------------------------------


def test_answers_survive_a_new_version_of_the_site_and_what_changed_is_kept_apart(visit, site, tmp_path):
    here = tmp_path / "site"
    shutil.copytree(site, here)
    with served(here) as address:
        page = ready(visit(address + LESSON))
        answer_first(page)
        page.locator(".vq-go").nth(1).click()
        answer_first(page)
        before = kept(page)
        changed, same = before["answers"]
        file = here / "_" / "quizzes" / "fracture_types.json"
        quiz = json.loads(file.read_text())
        for item in quiz["items"]:
            item["version"] += ".1" if item["id"] == changed else ""
        quiz["build"] = digest([[item["id"], item["version"]] for item in quiz["items"]])
        file.write_text(json.dumps(quiz))
        page.reload()
        ready(page)
        assert "has changed since you answered it" in page.locator(".answers .notice").inner_text()
        after = kept(page)
        assert list(after["answers"]) == [same]
        assert after["answers"][same] == before["answers"][same]
        earlier = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('vertebra/earlier/'))")
        assert [json.loads(page.evaluate("(key) => localStorage.getItem(key)", key))["answers"] for key in earlier] == [
            before["answers"]
        ]
        page.reload()
        ready(page)
        assert kept(page)["answers"] == after["answers"]


# --- Quizzes to hand in ----------------------------------------------------------------------------------------------


def test_an_assigned_quiz_is_answered_on_the_site_and_graded_with_the_instructors_key(visit, tmp_path):
    assigned = assign("quizzes/assignments/fracture-types.yml", tmp_path / "desk")
    built = build(tmp_path / "site", lessons=_one_lesson(tmp_path), live=False, quizzes=[assigned.student])
    text = "".join(
        p.read_text(errors="replace") for p in (tmp_path / "site").rglob("*") if p.suffix in (".html", ".json")
    )
    assert "rationales" not in (tmp_path / "site" / "_" / "quizzes" / f"{assigned.quiz}.json").read_text()
    assert built.pages and assigned.build in text
    with served(tmp_path / "site") as address:
        page = ready(visit(f"{address}quizzes/{assigned.quiz}.html", width=390))
        assert fits(page)
        assert not axe(page)
        page.get_by_label("Student code").fill("ada-1")
        page.locator(".vq-choice input").first.check()
        page.wait_for_selector(".vq-save[data-state=saved]")
        page.reload()
        ready(page)
        assert page.get_by_label("Student code").input_value() == "ada-1"
        (tmp_path / "in").mkdir()
        downloaded(page, "Download the file to hand in").save_as(tmp_path / "in" / "x.json")
    report = grade(assigned.key, tmp_path / "in", tmp_path / "marks")
    assert (report.graded, report.set_aside) == (1, {})
    assert "ada-1" in (tmp_path / "marks" / "gradebook.csv").read_text()


def _one_lesson(tmp_path):
    """Return a folder with the first lesson alone: what it links to is no matter here."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    text = (LESSONS / "00_start.ipynb").read_text(encoding="utf-8")
    (folder / "00_start.ipynb").write_text(
        re.sub(r"\((?:0[1-9]|1\d)_\w+\.ipynb\)", "(00_start.ipynb)", text), encoding="utf-8"
    )
    return folder


# --- My progress -----------------------------------------------------------------------------------------------------


def test_my_progress_counts_takes_everything_out_and_in_and_erases_it(visit, site_address, tmp_path):
    page = ready(visit(site_address + LESSON))
    answer_first(page)
    page.goto(f"{site_address}progress.html")
    row = page.get_by_role("row").filter(has_text="Fracture types")
    row.wait_for()
    assert "1 of 25" in row.inner_text()
    file = tmp_path / "all.json"
    downloaded(page, "Download all").save_as(file)
    page.get_by_role("button", name="Erase all").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase all").click()
    assert "0 of 25" in row.inner_text()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('vertebra/'))") == []
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Bring a file in").click()
    chooser.value.set_files(file)
    expect(page.locator(".says")).to_contain_text("brought in")
    assert "1 of 25" in row.inner_text()
    page.goto(f"{site_address}index.html")
    page.get_by_text("1 of 25 answered").wait_for()


def test_the_interface_speaks_the_language_that_was_chosen_and_the_lesson_stays(visit, site_address):
    page = ready(visit(site_address + LESSON))
    english = page.inner_text("h1")
    with page.expect_navigation():
        page.get_by_label("Language of buttons and headings").select_option("es")
    ready(page)
    assert page.evaluate("localStorage.getItem('vertebra/language')") == "es"
    assert page.inner_text("h1") == english
    assert page.locator(".vq-check").first.inner_text() != "Check"
    with contextlib.suppress(AssertionError):
        assert page.locator("html").get_attribute("lang") == "en"
