"""The nbgrader road: its release, exchange, collect and gradebook carry a quiz; our grader marks it.

    COURSE/source/QUIZ/                    what `write_source` writes and nbgrader releases: page and questions, no key
    COURSE/submitted/STUDENT/QUIZ/         what nbgrader collects; only responses.json and timestamp.txt are read here
    COURSE/gradebook.db                    points for each question, through nbgrader's own API
    COURSE/autograded/STUDENT/QUIZ/        the answers as plain text, for formgrader; written anew from the release
    OUT                                    what `grade` writes; the marks for nbgrader are read from there

`nbgrader autograde` is never used: it runs the student's code beside the key and the gradebook. Here nothing that a
student hands in is run, imported or copied; a notebook that comes with the answers is not even opened.
"""

import contextlib
import json
import os
import re
import reprlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vertebra.quiz.responses import read_plain
from vertebra.teaching.assign import load_assignment
from vertebra.teaching.files import TeachingError, write_text
from vertebra.teaching.grade import BOOK, NotGraded, Report, grade, legible
from vertebra.teaching.gradebook import marked, open_gradebook
from vertebra.teaching.key import GROUPS, Key, KeyFile, load_key_file
from vertebra.teaching.marking import Mark, Marked, in_points, number
from vertebra.teaching.rules import Rules

HELLO = (
    "Press **Start this lesson** at the top of the page (in other programs: Run All), and the quiz opens below. Answer "
    "in any order; your answers save themselves. When you have finished, press **Submit** in the list of assignments. "
    "You may submit again; the last time counts."
)
INSTALL = "nbgrader is not installed; install it with: pip install 'vertebra[nbgrader]'"
# What nbgrader writes into timestamp.txt. A zone is a name or an offset, and never a path.
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})? ([A-Za-z]{1,8}([+-]\d{1,4})?|[+-]\d{4})")
# What `nbgrader submit` writes into submission_secret.txt; its hash names the student's feedback in the exchange.
SECRET = re.compile(r"[0-9a-f]{128}")
WORDS = re.compile(r"[^\w ,.;:()%-]|_", re.ASCII)


# --- Hand out ---------------------------------------------------------------------------------------------------------


def check_assignment(file: Path | str, out: Path | str, course: Path | str) -> None:
    """Raise TeachingError if this road cannot carry what an assignment file asks for, before anything is written."""
    asked, course = load_assignment(file), Path(course)
    _check_carried(asked.variants, asked.rules, Path(file))
    _check_outside(Path(out) / "instructor" / "key.json", course)
    _check_strays(course / "source" / asked.quiz, asked.quiz)


def write_source(key_file: Path | str, student: Path | str, course: Path | str) -> Path:
    """Write an assigned quiz as an assignment of an nbgrader course, and return its folder below `source`.

    key_file and student: the key and the student's folder that `assign` wrote. Raises TeachingError for a quiz that
    this road cannot carry, for a key inside the course and for files that nbgrader would release with the quiz.
    """
    key_file, student, course = Path(key_file), Path(student), Path(course)
    keys = load_key_file(key_file)
    key = _only_key(keys, key_file)
    _check_outside(key_file, course)
    questions = _read_json(student / "questions.json")
    if questions.get("build") != key.build:
        raise TeachingError(f"{student}: is not the folder that belongs to {key_file}; assign the quiz again")
    folder = course / "source" / keys.quiz
    _check_strays(folder, keys.quiz)
    notebook = _read_json(student / f"{keys.quiz}.ipynb")
    notebook["cells"] = [*map(_greeting, notebook["cells"]), *_point_cells(key)]
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "questions.json", (student / "questions.json").read_text(encoding="utf-8"))
    write_text(folder / f"{keys.quiz}.ipynb", _json(notebook))
    return folder


def strays(folder: Path, quiz: str) -> list[str]:
    """Return the names in a source or release folder that do not belong to the quiz, dot files too."""
    own = {"questions.json", f"{quiz}.ipynb"}
    return sorted({path.name for path in folder.iterdir()} - own) if folder.is_dir() else []


def _check_strays(folder: Path, quiz: str) -> None:
    stray = strays(folder, quiz)
    if stray:
        what = f"holds {', '.join(stray)}, and nbgrader releases every file that is there"
        raise TeachingError(f"{folder}: {what}; move it away")


def _check_outside(key_file: Path, course: Path) -> None:
    if course.resolve() in key_file.resolve().parents:
        what = f"lies in the course folder {course}, which nbgrader copies and shares"
        raise TeachingError(f"{key_file}: {what}; write the key elsewhere (--out)")


def _check_carried(variants: int, rules: Rules, file: Path) -> None:
    if variants > 1:
        what = f"has {variants} variants, and nbgrader releases one folder to everybody"
        raise TeachingError(f"{file}: {what}; write `variants: 1`, or hand the quiz out as plain folders")
    if rules.attempts > 1 and rules.counts == "best":
        what = "nbgrader collects only the last hand-in, so `counts: best` cannot be kept"
        raise TeachingError(f"{file}: {what}; write `counts: last`, or hand the quiz out as a plain folder")


def _only_key(keys: KeyFile, key_file: Path) -> Key:
    _check_carried(len(keys.variants), keys.rules, key_file)
    return keys.variants[0]


def _greeting(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the notebook's first cell with nbgrader's way to hand in, and every other cell as it is."""
    if one.get("id") != "hello":
        return one
    title = "".join(one["source"]).split("\n", 1)[0]
    return {**one, "source": f"{title}\n\n{HELLO}"}


def _point_cells(key: Key) -> Iterator[dict[str, Any]]:
    """Yield a folded heading, and below it what each question is worth: the cells that nbgrader's gradebook counts.

    A task cell is the one kind that nbgrader neither runs, nor replaces by "your answer here", nor shows as code.
    """
    folded = {"jp-MarkdownHeadingCollapsed": True, "heading_collapsed": True}
    yield _markdown("points", "## Points", folded)
    for place, question in enumerate(key.items, 1):
        about = {
            "schema_version": 3,
            "grade_id": question.id,
            "points": question.points,
            "task": True,
            "grade": False,
            "solution": False,
            "locked": True,
        }
        yield _markdown(f"points-{place}", f"Question {place}: {in_points(question.points)}", {"nbgrader": about})


def _markdown(name: str, source: str, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    fixed = {"deletable": False, "editable": False, **(metadata or {})}
    return {"cell_type": "markdown", "id": name, "metadata": fixed, "source": source}


# --- Grade ------------------------------------------------------------------------------------------------------------


def grade_course(
    key_file: Path | str,
    course: Path | str,
    out: Path | str,
    gradebook: Path | str | None = None,
    *,
    feedback: bool = True,
    workbook: bool = True,
    on: datetime | None = None,
    progress: bool = False,
    db_url: str | None = None,
) -> Report:
    """Grade what nbgrader collected of a quiz into `out`, as `grade` does, and from there into nbgrader's gradebook.

    Run it as often as you like: the same hand-ins give the same marks, and a hand-in that is no longer graded loses the
    score it had. A score that somebody entered in formgrader stays, and is put up for review when ours has changed.
    gradebook, feedback, on, progress: as in `grade`. db_url: of nbgrader's gradebook (gradebook.db in the course folder
    when left out). Raises TeachingError for a key, course or gradebook that cannot be used, and OSError for files that
    cannot be read or written.
    """
    key_file, course, out = Path(key_file), Path(course), Path(out)
    keys = load_key_file(key_file)
    key = _only_key(keys, key_file)
    released, submitted = _released(key, course), course / "submitted"
    files = tuple(_collected(submitted, key.quiz))

    def student(file: Path) -> str:
        return legible(file.relative_to(submitted).parts[0])

    with _nbgrader(course, db_url) as theirs:
        granted = _extensions(theirs, key)
        if not files:
            what = f"holds no STUDENT/{key.quiz}; collect first: nbgrader collect {key.quiz}"
            raise TeachingError(f"{submitted}: {what}")
        report = grade(
            key_file,
            submitted,
            out,
            gradebook,
            feedback=feedback,
            workbook=workbook,
            on=on,
            progress=progress,
            students=student,
            times=lambda file: _time(file.with_name("timestamp.txt"), keys.rules),
            granted=granted,
            files=files,
        )
        due = keys.rules.due
        if due:
            theirs.update_or_create_assignment(key.quiz, duedate=due.astimezone(UTC).replace(tzinfo=None))
        rest = {student(file) for file in files}
        with open_gradebook(gradebook or out / BOOK) as ours, ours.read(key.quiz) as results:
            for row, rows in results.graded():
                _, found = marked(keys, row, rows)
                when = _time(submitted / row.student / key.quiz / "timestamp.txt", Rules())
                _show(course, key.quiz, _answered(released, found), row.student, when)
                _pass_secret(submitted / row.student / key.quiz, course / "autograded" / row.student / key.quiz)
                _record(theirs, key, found, when)
                rest.remove(row.student)
        for name in sorted(rest):
            _forget(theirs, key.quiz, name)
            shutil.rmtree(course / "autograded" / name / key.quiz, ignore_errors=True)
    return report


def _collected(submitted: Path, quiz: str) -> Iterator[Path]:
    """Yield every student's responses.json to a quiz, there or not; of a folder that is a link, the link."""
    for home in sorted(submitted.iterdir()) if submitted.is_dir() else []:
        folder = home / quiz
        if not home.name.startswith(".") and os.path.lexists(folder):
            yield next((link for link in (home, folder) if link.is_symlink()), folder / "responses.json")


def _released(key: Key, course: Path) -> dict[str, Any]:
    """Return the notebook that nbgrader released; raises TeachingError if it is not of this key."""
    folder = course / "release" / key.quiz
    mend = f"run nbgrader generate_assignment {key.quiz} in {course}"
    if not (folder / "questions.json").is_file():
        raise TeachingError(f"{folder}: holds no released quiz; {mend}")
    if _read_json(folder / "questions.json").get("build") != key.build:
        raise TeachingError(f"{folder}: another build of the quiz was released; grade with the key of that build")
    return _read_json(folder / f"{key.quiz}.ipynb")


def _time(file: Path, rules: Rules) -> datetime | None:
    """Return when nbgrader took the hand-in, as UTC; None if it does not say and no rule asks for it."""
    from nbgrader.utils import parse_utc

    try:
        if file.is_symlink() or not file.is_file():
            raise ValueError
        with file.open("rb") as opened:
            text = opened.read(100).decode("ascii").strip()
        if not TIMESTAMP.fullmatch(text):
            raise ValueError
        when: datetime = parse_utc(text)
        return when.replace(tzinfo=UTC)
    except (OSError, ValueError, TypeError, OverflowError):
        if rules.due or rules.opens:
            what = "nbgrader's timestamp.txt is missing or damaged, so nobody can tell whether it was in time"
            raise NotGraded("no-time", f"{what}; collect again") from None
        return None


# --- nbgrader's gradebook ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _nbgrader(course: Path, db_url: str | None) -> Iterator[Any]:
    """Yield nbgrader's gradebook; what its database refuses becomes a TeachingError."""
    try:
        from nbgrader.api import Gradebook  # only this road needs it, and it is slow to import
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        raise TeachingError(INSTALL) from None
    file = course / "gradebook.db"
    if db_url is None and not file.is_file():
        what = "there is no such gradebook; run nbgrader generate_assignment first, or name it with its URL"
        raise TeachingError(f"{file}: {what}")
    try:
        with Gradebook(db_url or f"sqlite:///{file.resolve()}") as gradebook:
            yield gradebook
    except SQLAlchemyError as error:
        where = "the gradebook of db_url" if db_url else str(file)
        what = (
            f"cannot be opened or written ({type(error).__name__}); see that it is nbgrader's, and that nobody holds it"
        )
        raise TeachingError(f"{where}: {what}") from None


def _extensions(gradebook: Any, key: Key) -> dict[str, timedelta]:
    """Return {student: extra time granted in nbgrader}, and bring its points for each question up to the key's.

    Raises TeachingError if nbgrader does not know the questions.
    """
    from nbgrader.api import MissingEntry

    try:
        notebook = gradebook.find_notebook(key.quiz, key.quiz)
        submissions = gradebook.assignment_submissions(key.quiz)
    except MissingEntry:
        what = f"nbgrader's gradebook does not know the quiz {key.quiz}"
        raise TeachingError(f"{what}; run nbgrader generate_assignment {key.quiz}") from None
    worth = _worth(key)
    if {one.name for one in notebook.task_cells} != worth.keys():
        what = f"nbgrader's gradebook has other questions for {key.quiz} than the key"
        raise TeachingError(f"{what}; run nbgrader generate_assignment {key.quiz} --force on what assign wrote")
    for one in notebook.task_cells:
        one.max_score = worth[one.name]  # a key that was corrected since may drop a question, or weigh it anew
    gradebook.db.commit()
    return {one.student.id: one.extension for one in submissions if one.extension}


def _worth(key: Key) -> dict[str, float]:
    """Return {question: its points}; one that no longer counts is worth nothing."""
    return dict.fromkeys(key.dropped, 0.0) | {question.id: question.points for question in key.items}


def _record(gradebook: Any, key: Key, found: Marked, when: datetime | None) -> None:
    """Put the points of one hand-in, and what lateness costs, into nbgrader's gradebook."""
    from nbgrader.api import MissingEntry

    try:
        gradebook.find_student(found.student)
    except MissingEntry:
        gradebook.add_student(found.student)
    naive = when.replace(tzinfo=None) if when else None
    with gradebook.db.no_autoflush:  # else nbgrader's half-made submission is flushed, with warnings
        submission = gradebook.update_or_create_submission(key.quiz, found.student, timestamp=naive)
    (notebook,) = submission.notebooks
    points = dict.fromkeys(key.dropped, 0.0) | {one.question.id: one.points for one in found.marks}
    for one in notebook.grades:
        changed = one.auto_score != points[one.name]
        one.auto_score = points[one.name]
        one.needs_manual_grade = one.manual_score is not None and (changed or one.needs_manual_grade)
    gradebook.db.flush()
    gradebook.db.refresh(notebook)
    # What somebody entered by hand is late all the same.
    notebook.late_submission_penalty = notebook.score * (1 - found.factor)
    gradebook.db.commit()


def _forget(gradebook: Any, quiz: str, student: str) -> None:
    from nbgrader.api import MissingEntry

    try:
        gradebook.remove_submission(quiz, student)
    except MissingEntry:
        return


# --- What formgrader opens --------------------------------------------------------------------------------------------


def _show(course: Path, quiz: str, notebook: Mapping[str, Any], student: str, when: datetime | None) -> None:
    folder = course / "autograded" / student / quiz
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{quiz}.ipynb", _json(notebook))
    if when:
        write_text(folder / "timestamp.txt", f"{when:%Y-%m-%d %H:%M:%S.%f} UTC")


def _pass_secret(submitted: Path, shown: Path) -> None:
    """Write the secret by which `nbgrader release_feedback` names a page and the student's fetching finds it.

    Without one nbgrader stops, for the whole class; so who took theirs away gets another, and no feedback.
    """
    text = ""
    with contextlib.suppress(OSError, ValueError):
        text = (read_plain(submitted / "submission_secret.txt", 200) or b"").decode("ascii")
    write_text(shown / "submission_secret.txt", text if SECRET.fullmatch(text) else secrets.token_hex(64), private=True)


def _answered(released: Mapping[str, Any], found: Marked) -> dict[str, Any]:
    """Return the released notebook's nbgrader cells, each with the question and the student's answer as plain text.

    The points are those of the key.
    """
    marks = {one.question.id: one for one in found.marks}
    cells = [_markdown("notes", f"Note: {plain(note)}") for note in found.notes[:1]]
    cells += [_markdown(f"notes-{i}", f"Note: {plain(note)}") for i, note in enumerate(found.notes[1:], 2)]
    for place, one in enumerate(filter(_is_counted, released["cells"]), 1):
        about = one["metadata"]["nbgrader"]
        earned = marks.get(about["grade_id"])
        now = {**about, "points": earned.question.points if earned else 0}
        head = f"Question {place}: {in_points(earned.question.points)}" if earned else f"Question {place}"
        said = _said(earned) if earned else "This question no longer counts."
        cells.append({**one, "source": head, "metadata": {**one["metadata"], "nbgrader": now}})
        cells.append(_markdown(f"answer-{place}", said))
    return {**released, "cells": cells}


def _is_counted(one: Mapping[str, Any]) -> bool:
    return bool(one["metadata"].get("nbgrader", {}).get("task"))


def _said(one: Mark) -> str:
    public = one.question.public
    texts = {part["id"]: part["text"] for group in GROUPS for part in public.get(group, ())}
    for decision in public.get("decisions", ()):
        texts |= {decision["id"]: decision["text"], **{part["id"]: part["text"] for part in decision["options"]}}
    answer = "none" if one.answer is None else reprlib.repr(one.answer) if one.note else _in_words(one.answer, texts)
    lines = [plain(public["stem"]), f"Answer: <code>{plain(answer)}</code>"]
    lines += [f"Certainty: {one.certainty}"] if one.certainty else []
    lines += [f"Note: {plain(one.note)}"] if one.note else []
    return "\n\n".join([*lines, f"Earned: {number(one.points)} of {in_points(one.question.points)}"])


def _in_words(answer: Any, texts: Mapping[str, str]) -> str:
    """Return an answer that its question can take, with the texts of what was chosen."""
    match answer:
        case dict():
            return "; ".join(f"{texts.get(name, name)}: {_in_words(part, texts)}" for name, part in answer.items())
        case list():
            return ", ".join(_in_words(part, texts) for part in answer) or "none of them"
        case None:
            return "none"
    return texts.get(answer, answer) if isinstance(answer, str) else f"{answer:g}"


def plain(text: str) -> str:
    """Return a text that Markdown and HTML can only show: each sign that could mean something is a number."""
    one_line = " ".join(text.split())
    return WORDS.sub(lambda found: f"&#{ord(found[0])};" if found[0].isprintable() else "&#65533;", one_line)


# --- Files ------------------------------------------------------------------------------------------------------------


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that the instructor's own commands wrote."""
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise TeachingError(f"{path}: there is no such file; assign and release the quiz again") from None
    except ValueError:
        raise TeachingError(f"{path}: is damaged; assign and release the quiz again") from None
    if not isinstance(data, dict):
        raise TeachingError(f"{path}: is damaged; assign and release the quiz again")
    return data
