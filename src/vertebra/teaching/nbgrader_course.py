"""The nbgrader road: its release, exchange, collect and gradebook carry a quiz; our grader marks it.

    COURSE/source/QUIZ/                    what `write_source` writes and nbgrader releases: page and questions, no key
    COURSE/submitted/STUDENT/QUIZ/         what nbgrader collects; only responses.json and timestamp.txt are read here
    COURSE/gradebook.db                    points for each question, through nbgrader's own API
    COURSE/autograded/STUDENT/QUIZ/        the answers as plain text, for formgrader; written anew from the release
    OUT/gradebook.csv, set_aside.csv, feedback/STUDENT.html

`nbgrader autograde` is never used: it runs the student's code beside the key and the gradebook. Here nothing that a
student hands in is run, imported or copied; a notebook that comes with the answers is not even opened.
"""

import csv
import io
import json
import os
import re
import reprlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vertebra.quiz.responses import Responses, ResponsesError, digest, read_responses
from vertebra.quiz.static import counted
from vertebra.teaching.feedback import page
from vertebra.teaching.files import DEVICE, TeachingError, write_text
from vertebra.teaching.grade import cell
from vertebra.teaching.key import GROUPS, Key, KeyFile, load_key_file
from vertebra.teaching.marking import Mark, Marked, in_points, mark, number
from vertebra.teaching.rules import Rules

HELLO = (
    "Press **Start this lesson** at the top of the page (in other programs: Run All), and the quiz opens below. Answer "
    "in any order; your answers save themselves. When you have finished, press **Submit** in the list of assignments. "
    "You may submit again; the last time counts."
)
AGAIN = "ask the student to open the quiz again, save, and submit once more"
INSTALL = "nbgrader is not installed; install it with: pip install 'vertebra[nbgrader]'"
# What nbgrader writes into timestamp.txt. A zone is a name or an offset, and never a path.
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})? ([A-Za-z]{1,8}([+-]\d{1,4})?|[+-]\d{4})")
WORDS = re.compile(r"[^\w ,.;:()%-]|_", re.ASCII)


@dataclass(frozen=True)
class HandIn:
    """A graded hand-in: nbgrader's student, when it was submitted (UTC), what it earned, and points lost for lateness.

    file is named from the course folder; digest is the SHA-256 that the responses file states of itself.
    """

    student: str
    file: str
    submitted: datetime | None
    digest: str
    marked: Marked
    days_late: int
    penalty: float


@dataclass(frozen=True)
class Aside:
    """A hand-in that was not graded: the student, its file, the reason in a word, what happened and the mend."""

    student: str
    file: str
    reason: str
    mend: str


@dataclass(frozen=True)
class CourseReport:
    """What became of the hand-ins of one quiz, by student."""

    quiz: str
    out: Path
    graded: tuple[HandIn, ...]
    set_aside: tuple[Aside, ...]


# --- Hand out ---------------------------------------------------------------------------------------------------------


def write_source(key_file: Path | str, student: Path | str, course: Path | str) -> Path:
    """Write an assigned quiz as an assignment of an nbgrader course, and return its folder below `source`.

    key_file and student: the key and the student's folder that `assign` wrote. Raises TeachingError for a quiz that
    this road cannot carry, for a key inside the course and for files that nbgrader would release with the quiz.
    """
    key_file, student, course = Path(key_file), Path(student), Path(course)
    keys = load_key_file(key_file)
    key = _only_key(keys, key_file)
    if keys.rules.attempts > 1 and keys.rules.counts == "best":
        what = "nbgrader collects only the last hand-in, so `counts: best` cannot be kept"
        raise TeachingError(f"{key_file}: {what}; write `counts: last`, or hand the quiz out as a plain folder")
    if course.resolve() in key_file.resolve().parents:
        what = f"lies in the course folder {course}, which nbgrader copies and shares"
        raise TeachingError(f"{key_file}: {what}; write the key elsewhere (--out)")
    questions = _read_json(student / "questions.json")
    if questions.get("build") != key.build:
        raise TeachingError(f"{student}: is not the folder that belongs to {key_file}; assign the quiz again")
    folder = course / "source" / keys.quiz
    stray = strays(folder, keys.quiz)
    if stray:
        what = f"holds {', '.join(stray)}, and nbgrader releases every file that is there"
        raise TeachingError(f"{folder}: {what}; move it away")
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


def _only_key(keys: KeyFile, key_file: Path) -> Key:
    if len(keys.variants) > 1:
        what = f"has {len(keys.variants)} variants, and nbgrader releases one folder to everybody"
        raise TeachingError(f"{key_file}: {what}; write `variants: 1`, or hand the quiz out as plain folders")
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


def grade_course(key_file: Path | str, course: Path | str, out: Path | str, db_url: str | None = None) -> CourseReport:
    """Grade what nbgrader collected of a quiz, into its gradebook and formgrader, and into `out`.

    Run it as often as you like: the same hand-ins give the same marks, and a hand-in that is no longer graded loses the
    score it had. A score that somebody entered in formgrader stays, and is put up for review when ours has changed.
    db_url: of nbgrader's gradebook (gradebook.db in the course folder when left out). Raises TeachingError for a key,
    course or gradebook that cannot be used, and OSError for files that cannot be read or written.
    """
    key_file, course, out = Path(key_file), Path(course), Path(out)
    keys = load_key_file(key_file)
    key = _only_key(keys, key_file)
    released = _released(key, course)
    if course.resolve() / "submitted" in [out.resolve(), *out.resolve().parents]:
        raise TeachingError(f"{out}: lies among the submissions; choose another --out")
    with _gradebook(course, db_url) as gradebook:
        extensions = _extensions(gradebook, key)
        graded, set_aside = _read_all(key, keys.rules, course, extensions)
        if not graded and not set_aside:
            what = f"holds no STUDENT/{key.quiz}; collect first: nbgrader collect {key.quiz}"
            raise TeachingError(f"{course / 'submitted'}: {what}")
        due = keys.rules.due
        if due:
            gradebook.update_or_create_assignment(key.quiz, duedate=due.astimezone(UTC).replace(tzinfo=None))
        for hand_in in graded:
            folder = course / "autograded" / hand_in.student / key.quiz
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / f"{key.quiz}.ipynb", _json(_answered(released, hand_in.marked)))
            if hand_in.submitted:
                write_text(folder / "timestamp.txt", f"{hand_in.submitted:%Y-%m-%d %H:%M:%S.%f} UTC")
            _record(gradebook, key, hand_in)
        for aside in set_aside:
            _forget(gradebook, key.quiz, aside.student)
            shutil.rmtree(course / "autograded" / aside.student / key.quiz, ignore_errors=True)
    _write_results(key, out, graded, set_aside)
    return CourseReport(key.quiz, out, tuple(graded), tuple(set_aside))


def _released(key: Key, course: Path) -> dict[str, Any]:
    """Return the notebook that nbgrader released; raises TeachingError if it is not of this key."""
    folder = course / "release" / key.quiz
    mend = f"run nbgrader generate_assignment {key.quiz} in {course}"
    if not (folder / "questions.json").is_file():
        raise TeachingError(f"{folder}: holds no released quiz; {mend}")
    if _read_json(folder / "questions.json").get("build") != key.build:
        raise TeachingError(f"{folder}: another build of the quiz was released; grade with the key of that build")
    return _read_json(folder / f"{key.quiz}.ipynb")


def _read_all(
    key: Key, rules: Rules, course: Path, extensions: Mapping[str, timedelta]
) -> tuple[list[HandIn], list[Aside]]:
    """Read and mark every student's responses.json; nothing else of a hand-in is opened but timestamp.txt."""
    graded: list[HandIn] = []
    set_aside: list[Aside] = []
    submitted = course / "submitted"
    for home in sorted(submitted.iterdir()) if submitted.is_dir() else []:
        if home.name.startswith(".") or not os.path.lexists(home / key.quiz):
            continue
        file = home / key.quiz / "responses.json"
        # A folder's name need not be text on every system; a gradebook's must be.
        student = os.fsencode(home.name).decode("utf-8", "backslashreplace")
        name = f"submitted/{student}/{key.quiz}/responses.json"
        try:
            if home.is_symlink() or file.parent.is_symlink():
                raise _Refused("link", f"its folder is a link, which is never followed; {AGAIN}")
            responses = _responses(key, file)
            when = _submitted(file.with_name("timestamp.txt"), rules)
            days, penalty = 0, 0.0
            marked = mark(key, responses)
            if when:
                if rules.is_early(when):
                    raise _Refused("early", "was submitted before the quiz opened; nothing counts before that")
                days, factor = rules.lateness(when - extensions.get(student, timedelta(0)))
                if factor is None:
                    what = f"is {counted(days, 'day')} late and no longer counts"
                    raise _Refused("late", f"{what}; grant the student an extension in nbgrader if it is to count")
                penalty = marked.total * (1 - factor)
        except _Refused as refused:
            set_aside.append(Aside(student, name, refused.reason, str(refused)))
            continue
        notes = marked.notes
        if responses.student and responses.student.casefold() != student.casefold():
            notes += (f"the file names the student {responses.student}; nbgrader's own name, {student}, counts",)
        marked = replace(marked, student=student, notes=notes)
        graded.append(HandIn(student, name, when, digest(responses.record()), marked, days, penalty))
    return _with_copies_noted(graded), set_aside


def _with_copies_noted(graded: Sequence[HandIn]) -> list[HandIn]:
    """Note hand-ins that are one and the same file, code and minute included, which two students cannot write."""
    same: dict[str, list[str]] = {}
    for hand_in in graded:
        same.setdefault(hand_in.digest, []).append(hand_in.student)
    noted = []
    for hand_in in graded:
        others = [student for student in same[hand_in.digest] if student != hand_in.student]
        if others and hand_in.marked.marks:
            note = f"the same file was handed in by {', '.join(others)}"
            hand_in = replace(hand_in, marked=replace(hand_in.marked, notes=(*hand_in.marked.notes, note)))
        noted.append(hand_in)
    return noted


class _Refused(Exception):
    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(mend)
        self.reason = reason


def _responses(key: Key, file: Path) -> Responses:
    try:
        responses = read_responses(file, any_answer=True)
    except ResponsesError as error:
        raise _Refused(error.reason, str(error).removeprefix(f"{file.name}: ")) from None
    if responses.quiz != key.quiz:
        raise _Refused("foreign", f"answers another quiz, {responses.quiz}; {AGAIN}")
    if responses.build != key.build:
        what = f"answers build {responses.build[:8]} of the quiz, and the key is of build {key.build[:8]}"
        raise _Refused("wrong-build", f"{what}; grade with the key of that build")
    return responses


def _submitted(file: Path, rules: Rules) -> datetime | None:
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
            raise _Refused("no-time", f"{what}; collect again") from None
        return None


# --- nbgrader's gradebook ---------------------------------------------------------------------------------------------


def _gradebook(course: Path, db_url: str | None) -> Any:
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
        return Gradebook(db_url or f"sqlite:///{file.resolve()}")
    except SQLAlchemyError as error:
        where = "the gradebook of db_url" if db_url else str(file)
        raise TeachingError(f"{where}: cannot be opened ({type(error).__name__}); see that it is nbgrader's") from None


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


def _record(gradebook: Any, key: Key, hand_in: HandIn) -> None:
    """Put the points of one hand-in into nbgrader's gradebook."""
    from nbgrader.api import MissingEntry

    try:
        gradebook.find_student(hand_in.student)
    except MissingEntry:
        gradebook.add_student(hand_in.student)
    naive = hand_in.submitted.replace(tzinfo=None) if hand_in.submitted else None
    with gradebook.db.no_autoflush:  # else nbgrader's half-made submission is flushed, with warnings
        submission = gradebook.update_or_create_submission(key.quiz, hand_in.student, timestamp=naive)
    (notebook,) = submission.notebooks
    points = dict.fromkeys(key.dropped, 0.0) | {one.question.id: one.points for one in hand_in.marked.marks}
    for grade in notebook.grades:
        changed = grade.auto_score != points[grade.name]
        grade.auto_score = points[grade.name]
        grade.needs_manual_grade = grade.manual_score is not None and (changed or grade.needs_manual_grade)
    gradebook.db.flush()
    gradebook.db.refresh(notebook)
    # What somebody entered by hand is late all the same.
    total = hand_in.marked.total
    notebook.late_submission_penalty = notebook.score * hand_in.penalty / total if total else 0.0
    gradebook.db.commit()


def _forget(gradebook: Any, quiz: str, student: str) -> None:
    from nbgrader.api import MissingEntry

    try:
        gradebook.remove_submission(quiz, student)
    except MissingEntry:
        return


# --- What formgrader opens --------------------------------------------------------------------------------------------


def _answered(released: Mapping[str, Any], marked: Marked) -> dict[str, Any]:
    """Return the released notebook's nbgrader cells, each with the question and the student's answer as plain text.

    The points are those of the key.
    """
    marks = {one.question.id: one for one in marked.marks}
    cells = [_markdown("notes", f"Note: {plain(note)}") for note in marked.notes[:1]]
    cells += [_markdown(f"notes-{i}", f"Note: {plain(note)}") for i, note in enumerate(marked.notes[1:], 2)]
    for place, one in enumerate(filter(_is_counted, released["cells"]), 1):
        about = one["metadata"]["nbgrader"]
        found = marks.get(about["grade_id"])
        now = {**about, "points": found.question.points if found else 0}
        head = f"Question {place}: {in_points(found.question.points)}" if found else f"Question {place}"
        said = _said(found) if found else "This question no longer counts."
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


def _write_results(key: Key, out: Path, graded: Sequence[HandIn], set_aside: Sequence[Aside]) -> None:
    items = [question.bank_id for question in key.items]
    totals = ("total", "maximum", "days_late", "late_penalty", "counted", "notes", "file", "digest")
    rows = [["student", "submitted", *items, *totals]]
    for one in graded:
        marked = one.marked
        points = [*(each.points for each in marked.marks), marked.total, marked.maximum, one.days_late, one.penalty]
        when = f"{one.submitted:%Y-%m-%dT%H:%MZ}" if one.submitted else ""
        counted_points = number(marked.total - one.penalty)
        notes = cell("; ".join(marked.notes))
        rows += [[cell(one.student), when, *map(number, points), counted_points, notes, cell(one.file), one.digest]]
    (out / "feedback").mkdir(parents=True, exist_ok=True)
    pages = {}
    for one in graded:
        device = "~" if DEVICE.fullmatch(one.student) else ""
        pages[f"{device}{one.student}.html"] = page(key, one.marked)
    for stale in {path.name for path in (out / "feedback").glob("*.html")} - pages.keys():
        (out / "feedback" / stale).unlink()
    for name, text in pages.items():
        write_text(out / "feedback" / name, text)
    write_text(out / "gradebook.csv", _csv(rows))
    aside = [[cell(one.student), cell(one.file), one.reason, cell(one.mend)] for one in set_aside]
    write_text(out / "set_aside.csv", _csv([["student", "file", "reason", "what_to_do"], *aside]))


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


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
