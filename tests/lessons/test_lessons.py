"""What nbval does not see of a lesson: its lint, its links, its pictures and what it leaves in the file."""

import copy
import html
import itertools
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from vertebra.cli import main
from vertebra.teaching.files import TeachingError
from vertebra.teaching.lessons import LIVE_VIEW, keep_static_pictures, lint, refresh, statements

FOLDER = Path(__file__).parents[2] / "lessons"
PAGES = sorted(FOLDER.glob("*.ipynb"))
LESSONS = [path for path in PAGES if path.stem != "my_progress"]  # the one page that teaches nothing
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)\)")


def markdown(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def test_the_lessons_are_here():
    assert [path.stem for path in LESSONS] == [
        "00_start",
        "01_spine_anatomy",
        "02_why_vertebrae_break",
        "03_fracture_types",
        "04_patient_and_red_flags",
        "05_imaging",
        "06_conservative_care",
        "07_vertebroplasty",
        "08_balloon_kyphoplasty",
        "09_vertebroplasty_vs_kyphoplasty",
        "10_evidence",
        "11_safety_and_consent",
        "12_surgery",
        "13_recovery_and_prevention",
        "14_read_a_leaflet",
        "15_cases",
    ]
    assert [path.stem for path in PAGES if path not in LESSONS] == ["my_progress"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_lint_finds_nothing(path):
    assert lint(path) == []


def test_my_progress_leads_back_and_is_led_to_from_the_start():
    progress, start = FOLDER / "my_progress.ipynb", FOLDER / "00_start.ipynb"
    assert any(link == start.name for _, _, link in LINK.findall("\n".join(markdown(progress))))
    assert any(link == progress.name for _, _, link in LINK.findall("\n".join(markdown(start))))
    assert "Not yet reviewed by a clinician" in markdown(progress)[0]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_its_parts_and_every_link_and_picture_exists(path):
    text = "\n\n".join(markdown(path))
    headings = [len(found) for found in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings)), headings
    for part in (
        "Aim",
        "Time",
        "Start this lesson",
        "Try this",
        "does not show",
        "Take away",
        "Sources",
        "Not yet reviewed",
    ):
        assert part in text, part
    for picture, words, target in LINK.findall(text):
        if "://" not in target:
            assert (path.parent / target).is_file(), target
        if picture:
            assert len(words.split()) >= 12, f"{target}: so few words do not stand in for a picture"
    # At 200 words a minute, at most 12 minutes of reading: citations, alt texts and the marks of tables are not read.
    read = re.sub(r"!\[[^\]]*\]\([^)]*\)|\[[a-z0-9_; ]+\]", "", text)
    assert len([word for word in read.split() if re.search(r"\w", word)]) < 12 * 200


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_still_picture_of_a_widget_is_told_in_words(path):
    outputs = [each for cell in nbformat.read(path, as_version=4).cells for each in cell.get("outputs", [])]
    shown = "".join(each.get("data", {}).get("text/html", "") for each in outputs)
    told = [html.unescape(words) for words in re.findall(r'<img [^>]*?alt="([^"]*)"', shown)]
    assert len(told) == shown.count("<img ")
    assert [words for words in told if len(words.split()) < 12] == []


def test_previous_and_next_lead_through_the_course_and_back():
    for before, after in itertools.pairwise(LESSONS):
        for path, name, target in ((before, "Next", after), (after, "Previous", before)):
            first, last = markdown(path)[0], markdown(path)[-1]
            for cell in (first, last):
                assert any(name in words and link == target.name for _, words, link in LINK.findall(cell)), (path, name)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_id_cited_stands_in_the_list_of_sources(path):
    from vertebra.evidence.references import cited

    ids = [name for name in cited("\n".join(markdown(path))) if name != "unreferenced"]
    notebook = nbformat.read(path, as_version=4)
    listed = re.findall(
        r'"([a-z0-9_]+)"', next(cell.source for cell in notebook.cells if cell.id == "sources").split("sources(")[1]
    )
    assert sorted(ids) == sorted(listed)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_stored_file_holds_static_forms_and_nothing_of_a_machine(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    text = path.read_text(encoding="utf-8")
    assert LIVE_VIEW not in text
    assert "widgets" not in notebook.metadata
    assert not re.search(r"0x[0-9a-f]{6,}|/(home|root|tmp|Users)/", text)
    shown = [out for cell in notebook.cells for out in cell.get("outputs", []) if "text/html" in out.get("data", {})]
    assert len(shown) >= (2 if path in LESSONS else 1)
    assert all(cell.metadata.get("deletable") is False for cell in notebook.cells)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A good small lesson, run once."""
    cells = [
        nbformat.v4.new_markdown_cell("# A\n\nBone breaks. [unreferenced]", id="a"),
        nbformat.v4.new_code_cell("print(6 * 7)", id="b", metadata={"jupyter": {"source_hidden": True}}),
    ]
    path = tmp_path_factory.mktemp("good") / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    refresh(path)
    assert lint(path) == []
    return path


@pytest.fixture
def notebook(good, tmp_path):
    return Path(shutil.copy(good, tmp_path))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a, b: b.update(execution_count=None), "cell b: was never run"),
        (lambda a, b: b.update(source="print(42);"), "ends in `;`"),
        (lambda a, b: b.update(source="from ipywidgets import interact\ninteract(f)"), "uses interact"),
        (lambda a, b: b.update(source="# NBVAL_IGNORE_OUTPUT\nprint(1)"), "ignored by nbval"),
        (lambda a, b: b.metadata.update(tags=["nbval-skip"]), "ignored by nbval"),
        (lambda a, b: b.update(source="\n".join(f"x{i} = {i}" for i in range(13))), "13 lines"),
        (lambda a, b: b.metadata.pop("jupyter"), "shows its code"),
        (lambda a, b: b.outputs[0].update(data={LIVE_VIEW: {}}), "stores a live widget view"),
        (
            lambda a, b: b.update(outputs=[nbformat.v4.new_output("display_data", {"image/png": "iVBO"})]),
            "no number beside",
        ),
        (lambda a, b: a.update(source="Bone breaks."), "neither a source nor"),
        (lambda a, b: a.update(source="Bone breaks. [nobody1999]"), "not in references.yml"),
        (lambda a, b: a.update(source="Three columns. [denis1983]"), "nobody has opened"),
        (lambda a, b: a.update(source="| x | y |\n|---|---|\n| a | b [unreferenced] |\n| c | d |"), "'| c | d |'"),
    ],
)
def test_lint_finds_each_planted_fault(notebook, spoil, words):
    content = nbformat.read(notebook, as_version=4)
    spoil(*content.cells)
    nbformat.write(content, notebook)
    faults = lint(notebook)
    assert len(faults) == 1
    assert words in faults[0]


def test_statements_are_paragraphs_items_and_rows():
    text = "# H\n\nOne\nline. [a]\n\n- two\n- three\n\n> **Box.** four\n\n| h |\n|---|\n| five |\n\n"
    text += "### Try this\n\nSix?\n\n## H\n\nSeven."
    assert statements(text) == ["One line. [a]", "- two", "- three", "**Box.** four", "| five |", "Seven."]


def test_saving_keeps_the_static_picture_and_takes_the_live_view():
    live = nbformat.v4.new_output("display_data", {LIVE_VIEW: {"model_id": "1"}, "text/html": "<p>", "text/plain": "w"})
    bare = nbformat.v4.new_output("display_data", {LIVE_VIEW: {"model_id": "2"}, "text/plain": "no static form"})
    cell = nbformat.v4.new_code_cell("w", outputs=[live, bare])
    content = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    model = {"type": "notebook", "content": content}
    keep_static_pictures(model=model, path="x.ipynb", contents_manager=None)
    assert set(cell.outputs[0].data) == {"text/html", "text/plain"}
    assert LIVE_VIEW in cell.outputs[1].data  # with nothing to stand in for it, it stays
    assert "widgets" not in content.metadata
    other = {"type": "file", "content": "text"}
    keep_static_pictures(model=copy.deepcopy(other), path="x.txt")


def test_a_lesson_that_fails_is_named_and_left_as_it_was(notebook):
    content = nbformat.read(notebook, as_version=4)
    content.cells[1].source = "1 / 0"
    nbformat.write(content, notebook)
    before = notebook.read_bytes()
    with pytest.raises(TeachingError, match="cell b failed: ZeroDivisionError"):
        refresh(notebook)
    assert notebook.read_bytes() == before


@pytest.mark.parametrize(("content", "words"), [(None, "no such file"), ("{", "not readable"), ("[]", "not readable")])
def test_what_is_no_notebook_is_said_and_not_raised_at_the_user(tmp_path, content, words):
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TeachingError, match=words):
        lint(path)


def test_the_command_refreshes_and_checks(notebook, capsys):
    assert main(["lesson", "refresh", str(notebook)]) == 0
    assert "1 lesson, 0 faults" in capsys.readouterr().out
    content = nbformat.read(notebook, as_version=4)
    content.cells[1].execution_count = None
    nbformat.write(content, notebook)
    assert main(["lesson", "check", str(notebook)]) == 1
    assert "was never run" in capsys.readouterr().out


def test_a_kernel_that_dies_is_said_and_the_lesson_is_left_as_it_was(notebook):
    content = nbformat.read(notebook, as_version=4)
    content.cells[1].source = "import os\nos._exit(1)"
    nbformat.write(content, notebook)
    before = notebook.read_bytes()
    with pytest.raises(TeachingError, match="the kernel gave no answer"):
        refresh(notebook)
    assert notebook.read_bytes() == before
