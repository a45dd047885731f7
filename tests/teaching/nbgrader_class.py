"""A small class on an nbgrader course in a temporary folder: released, fetched, answered, submitted and collected."""

import contextlib
import io
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.teaching.sample import ASSIGNMENT, BANK, BELIEF, PICTURE, hand_in, write_course
from vertebra import assets
from vertebra.quiz import items
from vertebra.quiz.responses import read_responses
from vertebra.teaching.assign import assign
from vertebra.teaching.grade import Report
from vertebra.teaching.gradebook import open_gradebook
from vertebra.teaching.key import KeyFile, load_key_file, right_answer
from vertebra.teaching.marking import mark
from vertebra.teaching.nbgrader_course import grade_course, write_source
from vertebra.teaching.rules import Rules

QUIZ = "sample-quiz"
STUDENTS = {"all": 9, "most": 7, "few": 3, "none": 0}  # how many of the nine questions each answers, all of them right
DUE = "2026-11-21T12:00Z"


@dataclass
class NbgraderClass:
    """A course folder with its exchange beside it, and the key outside both."""

    top: Path

    @property
    def course(self) -> Path:
        return self.top / "course"

    @property
    def key(self) -> Path:
        return self.top / "desk" / "instructor" / "key.json"

    @property
    def out(self) -> Path:
        return self.top / "results"

    def grade(self) -> Report:
        return grade_course(self.key, self.course, self.out)

    def graded(self) -> dict[str, Any]:
        """Grade, and return {student: what our gradebook has of the hand-in}."""
        self.grade()
        with open_gradebook(self.out / "gradebook.sqlite") as book, book.read(QUIZ) as results:
            return {row.student: row for row, _ in results.graded()}

    def set_aside(self) -> dict[str, str]:
        """Grade, and return {student: why the hand-in was set aside}."""
        self.grade()
        with open_gradebook(self.out / "gradebook.sqlite") as book, book.read(QUIZ) as results:
            return {row.file.split("/")[0]: row.reason for row in results.others()}

    def folder(self, student: str) -> Path:
        return self.course / "submitted" / student / QUIZ

    def answer(self, student: str, count: int, **changes: Any) -> Path:
        """Write the responses of a student who answers the first questions, and all of these right."""
        path = self.folder(student) / "responses.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        hand_in(path, self.key, changes.pop("code", student), right(self.key, count), **changes)
        if not path.with_name("timestamp.txt").exists():
            path.with_name("timestamp.txt").write_text("2026-11-21 10:05:00.000000 UTC")
        return path

    def rules(self, **rules: Any) -> None:
        """Give the quiz other rules, as an assignment file would."""
        keys = load_key_file(self.key)
        self.key.write_text(KeyFile(keys.quiz, keys.title, keys.certainty, Rules.of(rules), keys.variants).text())

    def expected(self, student: str) -> dict[str, float]:
        """Return {question: points} as the marking of vertebra has it."""
        (key,) = load_key_file(self.key).variants
        marked = mark(key, read_responses(self.folder(student) / "responses.json", any_answer=True))
        return {one.question.id: one.points for one in marked.marks}

    def book(self) -> dict[str, dict[str, float]]:
        """Return {student: {question: score}} as nbgrader's gradebook has it."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.course}/gradebook.db") as gradebook:
            found = gradebook.assignment_submissions(QUIZ)
            return {one.student.id: {grade.name: grade.score for grade in one.notebooks[0].grades} for one in found}

    def totals(self) -> dict[str, float]:
        return {student: sum(scores.values()) for student, scores in self.book().items()}


def right(key_file: Path, count: int) -> dict[str, Any]:
    """Return right responses to the first questions of a quiz."""
    asked = load_key_file(key_file).variants[0].items[:count]
    return {item.id: {"answer": right_answer(item.key), "certainty": 2} for item in asked}


def nbgrader(folder: Path, *words: str, top: Path) -> str:
    """Run an nbgrader command in this process, in a folder, with the exchange below `top`; return what it logged."""
    from jupyter_core.application import NoStart
    from nbgrader.apps.nbgraderapp import NbGraderApp

    said = io.StringIO()
    home = os.getcwd()  # noqa: PTH109 - nbgrader reads its course from the working folder
    os.chdir(folder)
    flags = [f"--Exchange.root={top / 'exchange'}", f"--Exchange.cache={top / 'cache'}", "--course=spine"]
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{path}"  # nbgrader runs alembic by its name
    try:
        NbGraderApp.clear_instance()
        app = NbGraderApp.instance()
        app.initialize([*words, *flags])
        app.init_logging(logging.StreamHandler, [said], color=False, subapps=True)
        with contextlib.suppress(SystemExit, NoStart):
            app.start()
    finally:
        os.environ["PATH"] = path
        app.reset()
        NbGraderApp.clear_instance()
        os.chdir(home)
    return said.getvalue()


def assigned(top: Path, points: str = "{sa-many: 2}") -> NbgraderClass:
    """Assign the sample quiz and write it into an empty nbgrader course."""
    one = NbgraderClass(top)
    with pytest.MonkeyPatch.context() as patch:
        (top / "assets" / "figures").mkdir(parents=True)
        (top / "assets" / "figures" / "box.svg").write_text(PICTURE, encoding="utf-8")
        patch.setattr(assets, "root", lambda: top / "assets")
        patch.setattr(items, "misconceptions", lambda: {"kzbelief": BELIEF})
        (top / "bank").mkdir()
        assign(write_course(top / "bank", BANK, ASSIGNMENT.replace("{sa-many: 2}", points)), top / "desk")
    one.course.mkdir()
    (top / "exchange").mkdir()
    (top / "exchange").chmod(0o777)
    write_source(one.key, top / "desk" / "student" / QUIZ, one.course)
    return one


def collected(top: Path, students: Sequence[str] = tuple(STUDENTS)) -> Iterator[NbgraderClass]:
    """Yield a class whose hand-ins went through nbgrader's own release, fetch, submit and collect."""
    one = assigned(top)
    for command in ("generate_assignment", "release_assignment"):
        nbgrader(one.course, command, QUIZ, top=top)
    for student in students:
        home = top / "homes" / student
        home.mkdir(parents=True)
        nbgrader(home, "fetch_assignment", QUIZ, f"--student={student}", top=top)
        hand_in(home / QUIZ / "responses.json", one.key, student, right(one.key, STUDENTS[student]))
        nbgrader(home, "submit", QUIZ, f"--student={student}", top=top)
    nbgrader(one.course, "collect", QUIZ, "--ExchangeCollect.check_owner=False", top=top)
    yield one


def copied(original: NbgraderClass, to: Path) -> NbgraderClass:
    """Return a class of its own for one test, with all that the original has."""
    for name in ("course", "desk"):
        shutil.copytree(original.top / name, to / name)
    return NbgraderClass(to)


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found
