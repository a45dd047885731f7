"""The nbgrader road, on nbgrader's own commands, gradebook and formgrader."""

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbgrader")

from tests.teaching.nbgrader_class import (
    QUIZ,
    STUDENTS,
    NbgraderClass,
    assigned,
    cells,
    collected,
    copied,
    nbgrader,
)
from tests.teaching.sample import ASSIGNMENT, BANK, BELIEF, write_course
from validation import EXACT, validates
from vertebra.cli import main
from vertebra.quiz import items
from vertebra.quiz.responses import digest
from vertebra.teaching.files import TeachingError
from vertebra.teaching.gradebook import open_gradebook
from vertebra.teaching.key import KeyFile, load_key_file
from vertebra.teaching.nbgrader_course import grade_course, plain, strays, write_source

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nbgrader's exchange needs Unix")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NbgraderClass]:
    yield from collected(tmp_path_factory.mktemp("nbgrader"))


@pytest.fixture
def pupils(original: NbgraderClass, tmp_path: Path) -> NbgraderClass:
    return copied(original, tmp_path)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tree(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite"]  # it counts gradings
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def api(pupils: NbgraderClass) -> Any:
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory

    return NbGraderAPI(CourseDirectory(root=str(pupils.course)), Authenticator())


# --- The whole round --------------------------------------------------------------------------------------------------


@validates(
    "teaching.nbgrader_course",
    "Marks in nbgrader's gradebook",
    against="nbgrader's own release, collect and gradebook",
    kind="library",
    tolerance=EXACT,
)
def test_the_whole_round_gives_our_marks_in_nbgraders_gradebook(pupils: NbgraderClass) -> None:
    report = pupils.grade()
    assert (report.graded, report.set_aside, report.noted) == (len(STUDENTS), {}, 0)
    book = pupils.book()
    for student in STUDENTS:
        assert book[student] == pupils.expected(student)
    assert {student: sum(book[student].values()) for student in STUDENTS} == {
        "all": 10,
        "most": 8,
        "few": 4,
        "none": 0,
    }


def test_formgraders_models_show_each_questions_score(pupils: NbgraderClass) -> None:
    pupils.grade()
    models = api(pupils)
    assert models.get_submitted_students(QUIZ) == models.get_autograded_students(QUIZ) == set(STUDENTS)
    submissions = {one["student"]: one for one in models.get_submissions(QUIZ)}
    assert submissions["most"]["score"] == 8
    assert submissions["most"]["max_score"] == 10
    assert all(one["autograded"] and not one["needs_manual_grade"] for one in submissions.values())
    assert models.get_assignment(QUIZ)["average_score"] == pytest.approx(5.5)
    (notebook,) = models.get_notebooks(QUIZ)
    assert notebook["max_task_score"] == 10
    assert sorted(one["score"] for one in models.get_notebook_submissions(QUIZ, QUIZ)) == [0, 4, 8, 10]


def test_formgraders_page_shows_the_answers_and_a_box_for_each_score(pupils: NbgraderClass) -> None:
    import nbgrader as package
    from nbconvert.exporters import HTMLExporter
    from traitlets.config import Config

    pupils.grade()
    templates = Path(package.__file__).parent / "server_extensions" / "formgrader" / "templates"
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [str(templates)]
    page, _ = HTMLExporter(config=config).from_filename(
        str(pupils.course / "autograded" / "few" / QUIZ / f"{QUIZ}.ipynb"),
        resources={"base_url": "", "notebook_path": "", "student": "few", "index": 0, "total": 1},
    )
    for question in load_key_file(pupils.key).variants[0].items:
        assert f'<input class="score tabbable" id="{question.id}"' in page
    assert "Which shape has lost height in front &lt;only&gt;?" in page
    assert "<code>Wedge &amp; co</code>" in page
    assert "<code>Anterior, Middle</code>" in page or "<code>Middle, Anterior</code>" in page


def test_nbgrader_export_gives_the_totals(pupils: NbgraderClass) -> None:
    pupils.grade()
    nbgrader(pupils.course, "export", f"--to={pupils.top / 'grades.csv'}", top=pupils.top)
    exported = {row["student_id"]: row for row in rows(pupils.top / "grades.csv")}
    ours = {row["student"]: row for row in rows(pupils.out / "gradebook.csv")}
    assert exported.keys() == ours.keys() == set(STUDENTS)
    for student, row in exported.items():
        assert float(row["score"]) == float(ours[student]["total"]) == sum(pupils.expected(student).values())
        assert float(row["max_score"]) == float(ours[student]["maximum"]) == 10


def test_nbgraders_feedback_can_be_made_from_what_we_wrote(pupils: NbgraderClass) -> None:
    pupils.grade()
    said = nbgrader(pupils.course, "generate_feedback", QUIZ, "--student=few", top=pupils.top)
    page = (pupils.course / "feedback" / "few" / QUIZ / f"{QUIZ}.html").read_text(encoding="utf-8")
    assert "Score: 4.0 / 10.0" in page, said
    assert "Peppermint" not in page and "37.45" in page  # the student's own right answer, and no worked solution


def test_nbgraders_feedback_reaches_the_students(pupils: NbgraderClass) -> None:
    """Also when one of them took the secret away, by which nbgrader names the page."""
    (pupils.folder("most") / "submission_secret.txt").unlink()
    pupils.grade()
    (pupils.top / "exchange").mkdir()
    (pupils.top / "exchange").chmod(0o777)
    for command in ("generate_feedback", "release_feedback"):
        said = nbgrader(pupils.course, command, QUIZ, top=pupils.top)
        assert "Traceback" not in said and "ERROR" not in said, said
    pages = list((pupils.top / "exchange" / "spine" / "feedback").glob("*.html"))
    assert len(pages) == len(STUDENTS)


# --- What the student opens -------------------------------------------------------------------------------------------


def test_the_released_notebook_is_clean_and_holds_no_key(original: NbgraderClass) -> None:
    fetched = original.top / "homes" / "few" / QUIZ
    found = cells(fetched / f"{QUIZ}.ipynb")
    hello, quiz, heading, *points = found
    assert "**Submit**" in "".join(hello["source"])
    assert quiz["metadata"]["jupyter"]["source_hidden"]
    assert heading["metadata"]["jp-MarkdownHeadingCollapsed"]
    assert [one["cell_type"] for one in points] == ["markdown"] * 9
    assert "".join(points[1]["source"]) == "Question 2: 2 points"
    secret = {"Quillfeather", "Butterscotch", "Peppermint", "37.4519", "kzwedge"}
    for path in original.course.joinpath("release").rglob("*"):
        if path.is_file():
            assert not [word for word in secret if word in path.read_text(encoding="utf-8")]
    assert {path.name for path in original.course.rglob("*.json")} == {"questions.json", "responses.json"}


def test_writing_the_source_twice_and_releasing_again_is_possible(pupils: NbgraderClass) -> None:
    pupils.grade()
    write_source(pupils.key, pupils.top / "desk" / "student" / QUIZ, pupils.course)
    before = pupils.book()
    said = nbgrader(pupils.course, "generate_assignment", QUIZ, "--force", top=pupils.top)
    assert "ERROR" not in said
    pupils.grade()
    assert pupils.book() == before


# --- Grading again ----------------------------------------------------------------------------------------------------


def test_grading_again_changes_nothing(pupils: NbgraderClass) -> None:
    pupils.grade()
    first, book = tree(pupils.out) | tree(pupils.course / "autograded"), pupils.book()
    pupils.grade()
    assert tree(pupils.out) | tree(pupils.course / "autograded") == first
    assert pupils.book() == book


def test_a_new_hand_in_replaces_the_old_marks(pupils: NbgraderClass) -> None:
    pupils.grade()
    pupils.answer("few", 9)
    pupils.grade()
    assert pupils.totals() == {"all": 10, "most": 8, "few": 10, "none": 0}


def change_key(pupils: NbgraderClass, change: Callable[[Any], object]) -> None:
    """Change the build of the key file, and seal it anew."""
    record = json.loads(json.dumps(load_key_file(pupils.key).record()))
    change(record["variants"][0])
    pupils.key.write_text(json.dumps(record | {"seal": digest(record)}))


def test_a_corrected_key_moves_the_marks(pupils: NbgraderClass) -> None:
    pupils.grade()
    change_key(pupils, lambda build: build["items"][2]["key"].update(value=50.0))
    pupils.grade()
    assert pupils.totals() == {"all": 9, "most": 7, "few": 3, "none": 0}


def test_a_question_that_is_dropped_or_weighed_anew_counts_so_in_nbgrader(pupils: NbgraderClass) -> None:
    pupils.grade()

    def change(build: Any) -> None:
        build["dropped"] = [build["items"].pop(0)["id"]]
        build["items"][0]["points"] = 5

    change_key(pupils, change)
    pupils.grade()
    assert pupils.totals() == {"all": 12, "most": 10, "few": 6, "none": 0}
    assert api(pupils).get_assignment(QUIZ)["max_score"] == 12
    shown = cells(pupils.course / "autograded" / "few" / QUIZ / f"{QUIZ}.ipynb")
    assert shown[1]["source"] == "This question no longer counts."
    assert shown[2]["metadata"]["nbgrader"]["points"] == 5


def test_a_score_that_a_person_entered_stays_and_is_reviewed_when_ours_changes(pupils: NbgraderClass) -> None:
    from nbgrader.api import Gradebook

    def grade_of_best(set_to: float | None = None) -> tuple[float, bool]:
        with Gradebook(f"sqlite:///{pupils.course}/gradebook.db") as gradebook:
            grade = gradebook.find_grade("sa-best", QUIZ, QUIZ, "none")
            if set_to is not None:
                grade.manual_score, grade.needs_manual_grade = set_to, False
                gradebook.db.commit()
            return grade.score, grade.needs_manual_grade

    pupils.grade()
    grade_of_best(0.5)
    pupils.grade()
    assert grade_of_best() == (0.5, False)
    pupils.answer("none", 9)
    pupils.grade()
    assert grade_of_best() == (0.5, True)


def test_a_hand_in_that_is_set_aside_is_listed_keeps_its_file_and_loses_its_old_score(pupils: NbgraderClass) -> None:
    pupils.grade()
    path = pupils.folder("most") / "responses.json"
    path.write_text("{")
    assert pupils.set_aside() == {"most": "truncated"}
    assert path.read_text() == "{"
    assert pupils.totals() == {"all": 10, "few": 4, "none": 0}
    (row,) = rows(pupils.out / "set_aside.csv")
    assert row["file"] == f"most/{QUIZ}/responses.json"
    assert "cut off" in row["what_to_do"]
    assert api(pupils).get_autograded_students(QUIZ) == {"all", "few", "none"}
    assert not (pupils.out / "feedback" / "most.html").exists()
    pupils.answer("most", 7)
    pupils.grade()
    assert pupils.totals()["most"] == 8


def test_a_student_without_responses_is_set_aside(pupils: NbgraderClass) -> None:
    (pupils.folder("few") / "responses.json").unlink()
    assert pupils.set_aside() == {"few": "unreadable"}
    assert "is not there" in (pupils.out / "set_aside.csv").read_text(encoding="utf-8")
    assert "few" not in pupils.book()


def test_our_own_files_and_book_have_the_class_too(pupils: NbgraderClass) -> None:
    pupils.folder("few").with_name("another-quiz").mkdir()
    shutil.copy(pupils.folder("few") / "responses.json", pupils.folder("few").with_name("another-quiz"))
    pupils.answer("most", 7, code="m-77")
    assert pupils.grade().set_aside == {}
    (most,) = [row for row in rows(pupils.out / "gradebook.csv") if row["student"] == "most"]
    assert most["notes"] == "the file states another student code, m-77"
    assert (pupils.out / "gradebook.xlsx").is_file()
    with open_gradebook(pupils.out / "gradebook.sqlite") as book:
        results = book.results(QUIZ)
    weights = [item.points for item in results.items]
    assert dict(zip(results.students, results.fractions @ weights, strict=True)) == pytest.approx(pupils.totals())


def test_feedback_pages_follow_the_rules_of_the_quiz(pupils: NbgraderClass) -> None:
    pupils.grade()
    assert len(list((pupils.out / "feedback").iterdir())) == len(STUDENTS)
    pupils.rules(feedback="never")
    assert pupils.grade().feedback == "the rules of the quiz give none"
    assert not (pupils.out / "feedback").exists()


# --- Times ------------------------------------------------------------------------------------------------------------


def stamp(pupils: NbgraderClass, student: str, text: str) -> None:
    (pupils.folder(student) / "timestamp.txt").write_text(text)


def exported_score(pupils: NbgraderClass, student: str) -> tuple[float, float]:
    nbgrader(pupils.course, "export", f"--to={pupils.top / 'grades.csv'}", top=pupils.top)
    (row,) = [row for row in rows(pupils.top / "grades.csv") if row["student_id"] == student]
    return float(row["late_submission_penalty"]), float(row["score"])


def test_lateness_is_taken_from_nbgraders_time_and_costs_what_the_rule_says(pupils: NbgraderClass) -> None:
    pupils.rules(due="2026-11-21 12:00 UTC", late={"percent_per_day": 10, "most_days": 3})
    stamp(pupils, "all", "2026-11-21 12:00:30.000000 UTC")  # the minute of the due time is in time
    stamp(pupils, "most", "2026-11-22 13:30:00.000000 +0100")  # 24 h 30 min late: two days begun, 20 % of 8 points
    stamp(pupils, "few", "2026-11-30 12:00:00.000000 UTC")
    stamp(pupils, "none", "2026-11-22 12:00:00.000000 UTC")
    assert {student: (row.late_days, row.factor, row.total) for student, row in pupils.graded().items()} == {
        "all": (0, 1, 10),
        "most": (2, pytest.approx(0.8), pytest.approx(6.4)),
        "none": (1, pytest.approx(0.9), 0),
    }
    assert pupils.set_aside() == {"few": "late"}
    assert exported_score(pupils, "most") == (pytest.approx(1.6), pytest.approx(6.4))
    assert api(pupils).get_assignment(QUIZ)["duedate"] == "2026-11-21T12:00:00"


def test_an_extension_granted_in_nbgrader_counts(pupils: NbgraderClass) -> None:
    from nbgrader.api import Gradebook

    pupils.grade()
    with Gradebook(f"sqlite:///{pupils.course}/gradebook.db") as gradebook:
        gradebook.grant_extension(QUIZ, "most", days=1)
    pupils.rules(due="2026-11-21 12:00 UTC", late={"percent_per_day": 10})
    for student in STUDENTS:
        stamp(pupils, student, "2026-11-22 11:00:00.000000 UTC")
    expected = {"all": 1, "few": 1, "most": 0, "none": 1}
    assert {student: row.late_days for student, row in pupils.graded().items()} == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-21 10:05:00 /etc/localtime", "9" * 5000, "0000-00-00 UTC"])
def test_a_damaged_time_is_set_aside_when_it_matters(pupils: NbgraderClass, text: str) -> None:
    stamp(pupils, "few", text)
    assert pupils.set_aside() == {}
    pupils.rules(due="2027-11-21 12:00 UTC")
    assert pupils.set_aside() == {"few": "no-time"}


def test_a_hand_in_before_the_quiz_opened_is_set_aside(pupils: NbgraderClass) -> None:
    pupils.rules(opens="2026-11-21 12:00 UTC")
    for student in STUDENTS:
        stamp(pupils, student, "2026-11-21 12:00:00.000000 UTC")
    stamp(pupils, "few", "2026-11-21 11:59:00.000000 UTC")
    assert pupils.set_aside() == {"few": "not-open"}


# --- Refusals ---------------------------------------------------------------------------------------------------------


def test_variants_are_refused_on_the_way_out_and_back(pupils: NbgraderClass) -> None:
    keys = load_key_file(pupils.key)
    (one,) = keys.variants
    other = type(one)(one.quiz, one.title, "0" * 64, one.certainty, one.items)
    pupils.key.write_text(KeyFile(keys.quiz, keys.title, keys.certainty, keys.rules, (one, other)).text())
    for call in (
        lambda: write_source(pupils.key, pupils.top / "desk" / "student" / QUIZ, pupils.course),
        pupils.grade,
    ):
        with pytest.raises(TeachingError, match="has 2 variants, and nbgrader releases one folder to everybody"):
            call()


def test_the_best_of_several_attempts_is_refused(pupils: NbgraderClass) -> None:
    pupils.rules(attempts=3, counts="best")
    with pytest.raises(TeachingError, match="collects only the last hand-in"):
        write_source(pupils.key, pupils.top / "desk" / "student" / QUIZ, pupils.course)


@pytest.mark.parametrize("field", ["variants: 2", "attempts: 3\ncounts: best"])
def test_what_nbgrader_cannot_carry_is_refused_before_anything_is_written(
    pupils: NbgraderClass,
    tmp_path: Path,
    field: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(items, "misconceptions", lambda: {"kzbelief": BELIEF})
    (tmp_path / "bank").mkdir()
    file = write_course(tmp_path / "bank", BANK, f"{ASSIGNMENT}\n{field}\n")
    assert main(["quiz", "assign", str(file), "--out", str(tmp_path / "new"), "--nbgrader", str(pupils.course)]) != 0
    assert "nbgrader" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_key_below_the_course_folder_is_refused(tmp_path: Path) -> None:
    one = assigned(tmp_path)
    inside = one.course / "key.json"
    inside.write_bytes(one.key.read_bytes())
    with pytest.raises(TeachingError, match="lies in the course folder"):
        write_source(inside, tmp_path / "desk" / "student" / QUIZ, one.course)


def test_a_course_that_was_not_released_or_collected_is_named(tmp_path: Path, pupils: NbgraderClass) -> None:
    one = assigned(tmp_path / "new")
    with pytest.raises(TeachingError, match="holds no released quiz; run nbgrader generate_assignment"):
        one.grade()
    (pupils.course / "submitted").rename(pupils.course / "elsewhere")
    with pytest.raises(TeachingError, match=r"collect first: nbgrader collect sample-quiz"):
        pupils.grade()
    (pupils.course / "gradebook.db").write_bytes(b"no database at all, but longer than a header of one" * 10)
    with pytest.raises(TeachingError, match="cannot be opened"):
        pupils.grade()
    (pupils.course / "gradebook.db").unlink()
    with pytest.raises(TeachingError, match="there is no such gradebook"):
        pupils.grade()


def test_other_questions_than_nbgraders_are_refused(pupils: NbgraderClass) -> None:
    change_key(pupils, lambda build: build["items"].pop())
    with pytest.raises(TeachingError, match="other questions for sample-quiz than the key"):
        pupils.grade()


def test_results_never_go_among_the_submissions(pupils: NbgraderClass) -> None:
    with pytest.raises(TeachingError, match="lies in the submissions"):
        grade_course(pupils.key, pupils.course, pupils.course / "submitted" / "x")


def test_without_nbgrader_the_message_says_how_to_get_it(
    pupils: NbgraderClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    with pytest.raises(TeachingError, match=r"pip install 'vertebra\[nbgrader\]'"):
        pupils.grade()


# --- Small parts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "$x^2$", "**x** _y_ `z`", "[a](javascript:b)", "# a\n- b", "&amp; ü \x00"]
)
def test_plain_text_stays_plain_through_markdown(text: str) -> None:
    from html import unescape

    from nbconvert.filters import markdown2html

    html = str(markdown2html(plain(text)))
    expected = " ".join(text.split()).replace("\x00", "\N{REPLACEMENT CHARACTER}")
    assert unescape(html).strip() == f"<p>{expected}</p>"
    assert "<b>" not in html and "<em>" not in html and "<a" not in html


def test_strays_names_what_nbgrader_would_release(tmp_path: Path) -> None:
    for name in ("questions.json", f"{QUIZ}.ipynb", ".secret", "responses.json"):
        (tmp_path / name).touch()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    assert strays(tmp_path, QUIZ) == [".ipynb_checkpoints", ".secret", "responses.json"]
