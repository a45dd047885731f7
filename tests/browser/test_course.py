"""The course as a student meets it: JupyterLab as start.py opens it, a lesson, the assigned quiz and its mark."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from browsers import course_lab
from vertebra.teaching.assign import assign
from vertebra.teaching.grade import grade

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden)"
START = '[data-jp-item-name="start-lesson"] jp-button'
ASSIGNMENT = ROOT / "quizzes" / "assignments" / "fracture-types.yml"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of what a student has: lessons, figures, and the folder of an assigned quiz."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "lessons", folder / "lessons", ignore=shutil.ignore_patterns("my_answers", ".*"))
    shutil.copytree(ROOT / "assets" / "figures", folder / "assets" / "figures")
    assign(ASSIGNMENT, folder / "desk")
    shutil.move(folder / "desk" / "student" / "fracture-types", folder / "quiz")
    return folder


@pytest.fixture(scope="module")
def lab(course):
    with course_lab(course) as address:
        yield address


@pytest.fixture(scope="module")
def page(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)  # a busy machine may need more than 30 s to show a notebook
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


def open_document(page, lab, path):
    page.goto(lab.format(path), wait_until="domcontentloaded")
    page.wait_for_selector(".jp-NotebookPanel .jp-MarkdownOutput h1, .jp-NotebookPanel .jp-MarkdownOutput h2")
    wait_for_kernel(page)


def wait_for_kernel(page):
    page.wait_for_function(
        "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=60_000
    )


def save(page):
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")


def test_an_unopened_lesson_is_a_page_with_pictures_and_one_button(page, lab):
    open_document(page, lab, "lessons/00_start.ipynb")
    assert page.evaluate("jupyterapp.shell.mode") == "single-document"
    page.get_by_role("link", name="Next: Spine anatomy").first.click()
    page.wait_for_selector("h1:has-text('Spine anatomy')")
    page.locator(SHOWN).get_by_role("link", name="Next: Why vertebrae break").first.click()
    page.wait_for_selector("h1:has-text('Why vertebrae break')")
    page.locator(SHOWN).get_by_role("link", name="Next: Fracture types").first.click()
    page.wait_for_selector("h1:has-text('Fracture types')")
    panel = page.locator(SHOWN)
    picture = panel.get_by_role("img", name=re.compile("Lateral view of T12, L1 and L2"))
    assert picture.evaluate("(image) => image.complete && image.naturalWidth > 100")
    assert panel.get_by_text("model not found").count() == 0
    assert panel.locator(".vt").count() == 0
    # Figures load, code is out of sight, and the toolbar has one button.
    images = panel.locator("img").element_handles()
    assert len(images) > 2
    page.wait_for_function("(images) => images.every((image) => image.naturalWidth)", arg=images)
    assert panel.locator(".jp-CodeCell .jp-InputArea-editor:visible, .jp-InputPlaceholder:visible").count() == 0
    assert panel.locator(".jp-NotebookPanel-toolbar jp-button:visible").all_text_contents() == ["Start this lesson"]
    assert page.get_by_text("Would you like to get notified").count() == 0


def test_start_runs_the_lesson_and_keeps_the_readers_place(page):
    panel = page.locator(SHOWN)
    wait_for_kernel(page)
    panel.locator(START).click()
    bench = panel.get_by_role("region", name="Fracture workbench")
    bench.wait_for()
    quiz = panel.get_by_role("group", name="Practice quiz: Fracture types")
    quiz.get_by_text("Not yet reviewed by a clinician").wait_for()
    page.wait_for_timeout(300)
    assert panel.locator(".jp-WindowedPanel-outer").evaluate("(outer) => outer.scrollTop") < 5
    assert panel.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0

    bench.get_by_text("Genant grade 2 moderate").wait_for()
    slider = bench.get_by_role("slider", name="Anterior height lost")
    slider.focus()
    page.keyboard.press("End")
    bench.get_by_text("Genant grade 3 severe").wait_for()
    # JupyterLab hears none of the widget's keys: two d's would delete the cell.
    cells = panel.locator(".jp-Cell").count()
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert panel.locator(".jp-Cell").count() == cells
    assert bench.is_visible()


def test_axe_finds_nothing_in_the_widgets_as_jupyterlab_shows_them(page):
    for widget in (".wb", ".vq"):
        found = Axe().run(page, context=f"{SHOWN} {widget}")
        assert found.violations_count == 0, found.generate_report()


def test_a_saved_lesson_keeps_its_static_pictures(page, course):
    save(page)
    page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    stored = (course / "lessons" / "03_fracture_types.ipynb").read_text()
    assert "widget-view" not in stored
    assert "data:image/svg+xml" in stored


def test_the_previous_link_leads_back(page):
    page.locator(SHOWN).get_by_role("link", name="Previous: Why vertebrae break").first.click()
    page.wait_for_selector("h1:has-text('Why vertebrae break')")


@pytest.mark.parametrize(
    ("lesson", "centrepieces"),
    [
        ("01_spine_anatomy", [".va", ".va", ".ct", ".ca", ".vq"]),
        ("02_why_vertebrae_break", [".ld", ".vq"]),
        ("04_patient_and_red_flags", [".rf", ".vq"]),
        ("05_imaging", [".gy", ".ct", ".vq"]),
        ("06_conservative_care", [".pl", ".vq"]),
        ("07_vertebroplasty", [".cu", ".pr", ".vq"]),
        ("08_balloon_kyphoplasty", [".pr", ".vq"]),
        ("09_vertebroplasty_vs_kyphoplasty", [".sb", ".nb", ".vq"]),
        ("10_evidence", [".fp", ".gm", ".vq"]),
        ("11_safety_and_consent", [".lk", ".sd", ".vq"]),
        ("12_surgery", [".pw", ".vq"]),
        ("13_recovery_and_prevention", [".fc", ".tl", ".vq"]),
        ("14_read_a_leaflet", [".cl", ".rw", ".vq"]),
        ("15_cases", [".cs", ".cs", ".cs", ".vq"]),
    ],
)
def test_a_lesson_starts_and_shows_its_centrepieces(page, lab, course, lesson, centrepieces):
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    open_document(page, lab, f"lessons/{lesson}.ipynb")
    panel = page.locator(SHOWN)
    # Unopened, every centrepiece is a still picture with words, or a page of them; sources come on top.
    stills = panel.locator(".jp-OutputArea-output[data-mime-type='text/html']").evaluate_all(
        """(all) => all.map((out) => [...out.querySelectorAll("figure img")])
          .map((pictures, at) => pictures.length
            ? pictures.every((i) => i.naturalWidth > 100 && i.alt.length > 60) : all[at].textContent.length > 400)"""
    )
    assert len(stills) >= len(centrepieces) + 1
    assert all(stills)
    panel.locator(START).click()
    for selector in set(centrepieces):
        panel.locator(f"{selector}.vt").nth(centrepieces.count(selector) - 1).wait_for(timeout=90_000)
    wait_for_kernel(page)
    assert panel.locator(".vt-alert:visible").count() == 0
    for kind in ("stderr", "error"):
        assert panel.locator(f".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.{kind}']").count() == 0
    assert panel.get_by_text("Traceback").count() == 0
    assert said == []


def test_a_headline_stays_in_sight_while_what_lies_further_down_is_set(page, lab):
    # JupyterLab lets every output scroll by itself, and what sticks would stick to that.
    open_document(page, lab, "lessons/04_patient_and_red_flags.ipynb")
    panel = page.locator(SHOWN)
    panel.locator(START).click()
    explorer = panel.locator(".rf.vt")
    explorer.wait_for(timeout=90_000)
    explorer.get_by_role("slider").press("End")
    headline = explorer.locator(".rf-banner")
    headline.get_by_text("Your threshold of 50 %").wait_for()
    page_top = panel.locator(".jp-WindowedPanel-outer").bounding_box()["y"]
    box, slider = headline.bounding_box(), explorer.get_by_role("slider").bounding_box()
    assert page_top <= box["y"] < page_top + 20
    assert slider["y"] > box["y"] + box["height"]


def answer_everything(page, key):
    """Answer every question of the open exam rightly, as a student would; return the marks due."""
    quiz = page.get_by_role("group", name=re.compile("^Quiz: "))
    quiz.get_by_role("textbox", name="Student code").fill("S-0042")
    items = {item["id"]: item for item in key["items"]}
    shown = json.loads((Path(page.folder) / "questions.json").read_text())["items"]
    for number, item in enumerate(shown, 1):
        quiz.get_by_role("button", name=re.compile(rf"^Question {number}\b")).click()
        card = quiz.locator("form.vq-card:visible")
        record = items[item["id"]]["key"]
        answer_one(page, card, item, record)
        certainty = card.get_by_role("radio", name=re.compile("^fairly sure", re.IGNORECASE))
        if certainty.count():
            certainty.check()
    return sum(item["points"] for item in key["items"])


def answer_one(page, card, item, record):
    texts = {
        part["id"]: part["text"] for kind in ("options", "steps", "regions", "prompts") for part in item.get(kind, [])
    }
    if item["format"] == "single_best_answer":
        card.get_by_role("radio", name=texts[record["key"]], exact=True).check()
    elif item["format"] == "multiple_response":
        for part in record["key"]:
            card.get_by_role("checkbox", name=texts[part], exact=True).check()
    elif item["format"] == "numeric":
        card.get_by_role("textbox").fill(str(record["value"]))
    elif item["format"] == "hotspot":
        card.get_by_role("radio", name=texts[record["key"]], exact=True).check()
    elif item["format"] == "matching":
        for prompt, option in record["key"].items():
            card.get_by_role("combobox", name=re.compile(re.escape(texts[prompt]))).select_option(option)
    else:
        for place, step in enumerate(record["key"]):
            up = card.get_by_role("button", name=f"Move up: {texts[step]}", exact=True)
            order = card.get_by_role("button", name=re.compile("^Move up: "))
            while [b.get_attribute("aria-label") for b in order.all()].index(f"Move up: {texts[step]}") > place:
                up.click()


def test_the_assigned_quiz_is_answered_survives_a_reload_and_is_graded(page, lab, course, tmp_path):
    key_file = course / "desk" / "instructor" / "key.json"
    key = json.loads(key_file.read_text())["variants"][0]
    page.folder = course / "quiz"
    open_document(page, lab, "quiz/fracture-types.ipynb")
    page.locator(START).last.click()
    due = answer_everything(page, key)
    quiz = page.get_by_role("group", name=re.compile("^Quiz: "))
    quiz.get_by_text(f"{len(key['items'])} of {len(key['items'])} answered").wait_for()
    quiz.get_by_text("Saved", exact=True).wait_for()

    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(START)
    wait_for_kernel(page)
    page.locator(START).last.click()
    quiz.get_by_text(f"{len(key['items'])} of {len(key['items'])} answered").wait_for()
    assert quiz.get_by_role("textbox", name="Student code").input_value() == "S-0042"
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    wait_for_kernel(page)
    page.locator(START).last.click()
    quiz.get_by_text(f"{len(key['items'])} of {len(key['items'])} answered").wait_for()

    grade(key_file, course / "quiz", tmp_path / "marks")
    (row,) = csv.DictReader((tmp_path / "marks" / "gradebook.csv").open(encoding="utf-8-sig"))
    assert row["student"] == "S-0042"
    assert float(row["total"]) == due == float(row["maximum"])
    assert len(list((tmp_path / "marks" / "feedback").glob("*.html"))) == 1


def test_nothing_was_asked_of_the_network(page):
    assert len(page.asked) > 50
    outside = [url for url in page.asked if not re.match(r"(https?://127\.0\.0\.1[:/]|data:|blob:|about:)", url)]
    assert outside == []
