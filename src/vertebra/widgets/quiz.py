"""The quiz widget: practice quizzes, marked in the browser, and exam quizzes, which only record answers."""

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import traitlets

from vertebra.language import N_, _
from vertebra.quiz import items, scoring, tasks
from vertebra.quiz.progress import FILE, ProgressFile
from vertebra.quiz.responses import (
    Responses,
    ResponsesError,
    build_of,
    digest,
    read_responses,
    set_aside,
    write_responses,
)
from vertebra.quiz.review import Attempt, now
from vertebra.quiz.static import HINTS, counted, static_html
from vertebra.widgets.asking import Module, Pictured, script

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
PRACTICE_INSTRUCTIONS = N_(
    "Answer, say how certain you are, and press Check. Certainty pays when you are right and costs when you are wrong, "
    "so it shows what you know and what you only believe."
)
QUESTIONS_FORMAT = "vertebra-questions/1"
AGAIN = N_("get the quiz folder from your instructor again")


class QuizError(ValueError):
    """A quiz that cannot be shown: one sentence with the mend, which a notebook prints without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class QuizWidget(Pictured):
    """A quiz in a notebook; `practice` and `exam` build it.

    quiz: {"id", "title", "mode": "practice" or "exam", "certainty": bool, "instructions", "build", "file", "saving",
    "items"}. file is the name a student reads; saving False says that nobody keeps the answers (a static page).
    responses: {"seq", "student", "answers": {item id: {"answer", "certainty"}}, "checked": [item ids]}, set by the
    browser; seq grows with every change. saved: the seq that is safely in the file. problem: a sentence to show.
    """

    _esm = Module(script("quiz"), also=[PRACTICE_INSTRUCTIONS])
    _css = STYLE + Path(__file__).with_name("quiz.css").read_text(encoding="utf-8")
    quiz = traitlets.Dict().tag(sync=True)
    responses = traitlets.Dict().tag(sync=True)
    saved = traitlets.Int(0).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, quiz: Mapping[str, Any], path: Path | str | None = None, log: ProgressFile | None = None
    ) -> None:
        """Show `quiz`; with `path`, answers are read from that responses file now and written to it on every change.

        log: remembers each answer of a practice quiz when it is checked, for the review.
        """
        quiz = {"id": "", "title": "", "mode": "practice", "certainty": False, "items": [], **quiz}
        quiz.setdefault("build", build_of(quiz["items"]))
        responses: dict[str, Any] = {"seq": 0, "student": "", "answers": {}, "checked": []}
        problem = ""
        self._file = None
        self._log = log
        self.owed: list[Attempt] = []  # checked, and not in the log yet: trying to save again writes them
        if path is None and log is None:
            quiz["saving"] = False
        elif path is None:
            quiz["file"] = FILE
        else:
            self._file = AnswerFile(path, quiz["id"], quiz["build"])
            stored, problem = self._file.read()
            if stored:
                answers = {item: dict(response) for item, response in stored.answers.items()}
                responses |= {"student": stored.student, "answers": answers, "checked": _checked(quiz, answers)}
                self._file.base, self._file.student = stored.answers, stored.student
        super().__init__(quiz=quiz, responses=responses, problem=problem)
        # Only now: what was read is not a change, and nothing is written before the student does something.
        self.observe(self._save, "responses")

    def _save(self, change: Mapping[str, Any]) -> None:
        file = self._file or self._log
        if file is None:
            return
        try:
            old, new = change["old"], change["new"]
            if self._log:
                self.owed += _attempts(self.quiz, old, new)
            if self._file:
                self._file.write(new.get("student", ""), _stored(self.quiz, new))
            notices = [self._file.notice] if self._file else []
            if self._log and self.owed:
                file = self._log
                self._log.add(*self.owed)
                self.owed = []
            notices += [self._log.notice] if self._log else []
            with self.hold_sync():  # one message: a notice alone would look like a failure for a moment
                self.problem = " ".join(filter(None, notices))
                self.saved = new["seq"]
        except (OSError, ResponsesError) as error:
            self.problem = _sentence(error, file.path)
        except Exception as error:  # Whatever it is: a handler that fails silently would lose answers.
            lost = _("The answers could not be stored ({why}). Run this cell again.")
            self.problem = lost.format(why=f"{type(error).__name__}: {error}")

    def __repr__(self) -> str:
        asked = counted(len(self.quiz.get("items", ())), "question")
        return f"{self.quiz.get('mode')} quiz {self.quiz.get('id')!r}: {asked}"

    def still(self) -> str:
        """Return the questions to read, for a page without a kernel."""
        return static_html(self.quiz.get("title", ""), self.quiz.get("items", ()))


def practice(bank: str = "fracture_types", folder: Path | str = "my_answers") -> QuizWidget:
    """Return the practice quiz of a bank, named by its id; answers are kept in `folder`/`bank`.json.

    Raises QuizError if there is no such practice bank or it has faults.
    """
    try:
        found = items.load_bank(items.find_bank(bank))
    except items.BankError as error:
        raise QuizError(str(error)) from None
    path = Path(folder) / f"{found.id}.json"
    log = ProgressFile(path.with_name(FILE), [found])
    return QuizWidget(
        practice_quiz(found) | {"file": path.as_posix() if not path.is_absolute() else path.name}, path, log
    )


def practice_quiz(bank: items.Bank) -> dict[str, Any]:
    """Return the practice quiz of a bank as `QuizWidget.quiz` holds it, with the keys, but for the name of its file."""
    shown = [item.practice() for item in bank.items]
    return {
        "id": bank.id,
        "title": bank.title,
        "mode": "practice",
        "certainty": True,
        "instructions": PRACTICE_INSTRUCTIONS,
        "build": build_of(shown),
        "items": shown,
    }


def revise(chosen: Iterable[items.Item], log: ProgressFile, title: str) -> QuizWidget:
    """Return a practice quiz of chosen questions, from whatever banks, that begins blank.

    What is checked goes into the log alone; the answers kept by the quizzes of the lessons stay as they are.
    """
    shown = [item.practice() for item in chosen]
    # A sitting of its own: the browser must not put back what an earlier one with the same questions could not save.
    build = digest([[item["id"], item["version"]] for item in shown] + [str(uuid4())])
    quiz = {"id": "review", "title": title, "mode": "practice", "certainty": True, "build": build, "items": shown}
    return QuizWidget(quiz | {"instructions": PRACTICE_INSTRUCTIONS}, log=log)


def exam(path: Path | str = "questions.json") -> QuizWidget:
    """Return the quiz of a questions file; answers are kept in responses.json beside it.

    Raises QuizError, with the mend, if the file is missing, damaged or of another version.
    """
    path = Path(path)
    return QuizWidget(exam_quiz(path) | {"file": "responses.json"}, path.with_name("responses.json"))


def exam_quiz(path: Path) -> dict[str, Any]:
    """Return the quiz of a questions file as `QuizWidget.quiz` holds it, but for the name of its file.

    Raises QuizError as `exam` does.
    """
    questions = _read_questions(path)
    try:
        newer = {item["format"] for item in questions["items"]} - HINTS.keys()
        shown = [_public(item) for item in questions["items"]]
    except (AttributeError, KeyError, TypeError):
        raise _damaged(_("{file} is damaged, a question is not whole"), path) from None
    if newer:
        what = _(
            "{file}: this version of vertebra has no questions of the kind {kinds}; use the version of the course that "
            "came with the quiz"
        )
        raise QuizError(what.format(file=path.name, kinds=", ".join(map(repr, newer))))
    return {
        "id": questions["quiz"],
        "title": questions["title"],
        "mode": "exam",
        "certainty": bool(questions["certainty"]),
        "instructions": questions["instructions"],
        "build": questions["build"],
        "items": shown,
    }


class AnswerFile:
    """One responses file as one widget sees it; `base` and `student` are the answers and code it last read or wrote.

    Only what changed since then is written over what the file holds, so two windows on one quiz lose nothing. A file
    that is not ours is never overwritten: it is renamed, and `notice` says so.
    """

    def __init__(self, path: Path | str, quiz: str, build: str) -> None:
        self.path = Path(path)
        self.quiz = quiz
        self.build = build
        self.base: Mapping[str, Any] = {}
        self.student = ""
        self.notice = ""
        self._place = self.path.absolute()  # a notebook may change its working folder

    def read(self) -> tuple[Responses | None, str]:
        """Return (responses, ""), (None, "") when there is no file, or (None, what is the matter with it)."""
        if not os.path.lexists(self._place):
            return None, ""
        try:
            found = read_responses(self._place)
        except ResponsesError as error:
            # Its mend is for who hands the file in; here the mend is done.
            return None, _("The earlier answers cannot be used ({why}).").format(why=str(error).rsplit("; ", 1)[0])
        if found.quiz != self.quiz:
            other = _("{file} holds the answers to another quiz, {quiz}.")
            return None, other.format(file=self.path.name, quiz=found.quiz)
        if found.build != self.build:
            earlier = _("{file} holds answers to an earlier version of these questions.")
            return None, earlier.format(file=self.path.name)
        return found, ""

    def write(self, student: str, answers: Mapping[str, Any]) -> None:
        """Bring the file to these answers. Raises OSError or ResponsesError; then nothing has changed."""
        self._place.parent.mkdir(parents=True, exist_ok=True)
        stored, fault = self.read()
        if fault:
            kept = _("It was kept under the name {name}.").format(name=set_aside(self._place))
            self.notice = f"{fault} {kept}"
        merged, code = dict(answers), student
        if stored:
            merged = dict(stored.answers)
            for item in self.base.keys() | answers.keys():
                if self.base.get(item) != answers.get(item):
                    merged.pop(item, None)
                    merged |= {item: answers[item]} if item in answers else {}
            code = student if student != self.student else stored.student
        write_responses(self._place, Responses(self.quiz, self.build, merged, code))
        self.base, self.student = dict(answers), student


def _stored(quiz: Mapping[str, Any], responses: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the answers as the file holds them.

    The file has no field for "checked". In practice a certainty is written only with Check, so an answer that has one
    is a checked answer.
    """
    held_back: set[str] = set()
    if quiz["mode"] == "practice":
        held_back = responses["answers"].keys() - set(responses.get("checked", ()))
    return {
        item: {"answer": response.get("answer"), "certainty": None if item in held_back else response.get("certainty")}
        for item, response in responses["answers"].items()
        if response.get("answer") is not None
    }


def _attempts(quiz: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Attempt]:
    """Return the answers that were checked between two states, as the review remembers them."""
    found = []
    for item in quiz["items"]:
        response = new["answers"].get(item["id"]) or {}
        before = old["answers"].get(item["id"]) if item["id"] in old.get("checked", ()) else None
        if quiz["mode"] != "practice" or item["id"] not in new.get("checked", ()) or response == before:
            continue
        fraction = scoring.score(item["key"], response["answer"])
        found.append(
            Attempt(item["id"], item["version"], now(), response["answer"], fraction, response["certainty"] or 1)
        )
    return found


def _checked(quiz: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [item for item, response in answers.items() if quiz["mode"] == "practice" and response.get("certainty")]


def _sentence(error: OSError | ResponsesError, path: Path) -> str:
    if isinstance(error, ResponsesError):
        return str(error)
    if path.parent == Path():
        unkept = _("{file} cannot be written to this folder ({why}). Mend that, then try saving again.")
    else:
        unkept = _("{file} cannot be written to the folder {folder} ({why}). Mend that, then try saving again.")
    return unkept.format(file=path.name, folder=path.parent.name, why=error.strerror or error)


def _damaged(what: str, path: Path, **values: Any) -> QuizError:
    return QuizError(f"{what.format(file=path.name, **values)}; {_(AGAIN)}")


def _read_questions(path: Path) -> dict[str, Any]:
    try:
        questions = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        absent = _("{file} is not beside this notebook; open the notebook in the folder you received")
        raise QuizError(absent.format(file=path.name)) from None
    except OSError as error:
        raise _damaged(_("{file} cannot be opened ({why})"), path, why=error.strerror) from None
    except (ValueError, RecursionError):
        raise _damaged(_("{file} is damaged, it is not JSON"), path) from None
    if not isinstance(questions, dict) or not str(questions.get("format")).startswith("vertebra-questions/"):
        raise _damaged(_("{file} does not hold quiz questions"), path)
    if questions["format"] != QUESTIONS_FORMAT:
        other = _(
            "{file}: format is {format} and this version of vertebra reads {known}; use the version of the course that "
            "came with the quiz"
        )
        form = repr(questions["format"])
        raise QuizError(other.format(file=path.name, format=form, known=QUESTIONS_FORMAT))
    missing = {"quiz", "title", "build", "certainty", "instructions", "items"} - questions.keys()
    if missing:
        raise _damaged(_("{file} is damaged, it lacks {parts}"), path, parts=", ".join(sorted(missing)))
    try:
        intact = questions["build"] == digest({name: part for name, part in questions.items() if name != "build"})
    except (ValueError, RecursionError):
        intact = False
    if not intact:
        raise _damaged(_("{file} is damaged or was changed after it was handed out"), path)
    return questions


def _public(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a student may see of an item; a key that came in by mistake stays out of the browser."""
    shown = {name: item[name] for name in ("id", "format", "stem")}
    shown |= {name: item[name] for name in ("version", "vignette", "unit", "scoring", "reviewed") if name in item}
    if item.get("image"):
        shown["image"] = _only(item["image"], ("uri", "alt", "width", "height"))
    if item.get("task"):
        films = [{name: film[name] for name in tasks.FILM if name in film} for film in item["task"]["films"]]
        shown["task"] = {name: item["task"][name] for name in tasks.PUBLIC if name in item["task"]} | {"films": films}
        shown["bands"] = [_only(band, ("id", "text", "share")) for band in item["bands"]]
    groups = ("options", "steps", "prompts", "regions")
    parts: dict[str, Sequence[Any]] = {group: item[group] for group in groups if item.get(group)}
    if item.get("decisions"):
        shown["decisions"] = [
            _only(each, ("id", "text", "choose")) | {"options": [_only(one, ("id", "text")) for one in each["options"]]}
            for each in item["decisions"]
        ]
    return shown | {group: [_only(part, ("id", "text")) for part in each] for group, each in parts.items()}


def _only(record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: record.get(name) for name in names}
