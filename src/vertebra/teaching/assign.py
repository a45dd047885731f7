"""Hand out: a graded bank and a short assignment file give a folder for the students and a key for the instructor.

    OUT/student/QUIZ/questions.json   the questions, without key, rationale, source or objective
    OUT/student/QUIZ/QUIZ.ipynb       the page the student opens
    OUT/instructor/key.json           the key; it stays with the instructor

The order of options and steps is drawn from the quiz's id and the whole text of the bank. The same files give the same
build, byte for byte, and the order cannot be undone by whoever has not got the bank.
"""

import hashlib
import json
import os
import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vertebra.quiz.items import Fault, Item, load_bank
from vertebra.quiz.responses import digest
from vertebra.quiz.schema import kind, nearest
from vertebra.quiz.static import counted, static_html
from vertebra.teaching import key as keys
from vertebra.teaching.files import DEVICE, TeachingError, write_text
from vertebra.teaching.rules import Rules

FORMAT = "vertebra-questions/1"
QUIZ_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")

FIELDS = {
    "quiz": "the quiz's id in small letters, digits, - and _, such as fracture-types (con and nul are Windows' own)",
    "title": "what the student reads at the top",
    "bank": "the bank file, as a path from this file's folder",
    "items": "a list of at least one question id, or all",
    "points": f"one number for every question, or a number for each id (1 when left out, at most {keys.MOST_POINTS})",
    "certainty": "true when students also say how sure they are (false when left out)",
    "instructions": "a sentence or two to the student (none when left out)",
}
REQUIRED = ("quiz", "title", "bank", "items")


@dataclass(frozen=True)
class Assignment:
    """An assignment file, checked: the questions of a graded bank with their points. seed draws the order."""

    quiz: str
    title: str
    items: tuple[Item, ...]
    points: tuple[float, ...]
    certainty: bool
    instructions: str
    seed: str


@dataclass(frozen=True)
class Assigned:
    """What was built: the student's folder, the key, and, if another build's key was there, where it was kept."""

    quiz: str
    build: str
    student: Path
    key: Path
    items: int
    points: float
    kept: Path | None = None


def assign(assignment_file: Path | str, out: Path | str, force: bool = False) -> Assigned:
    """Build the student's folder and the key below `out`.

    An `out` that holds something else is refused, unless `force`; nothing is ever deleted. A key of another build or
    quiz that is there is kept beside the new one, as submissions to it may be on their way. Raises BankError or
    TeachingError for bad input and OSError for a folder that cannot be written.
    """
    assignment, out = load_assignment(assignment_file), Path(out)
    questions, key = build(assignment)
    folder, key_file = out / "student" / key.quiz, out / "instructor" / "key.json"
    previous = _previous_key(key_file)
    if not force:
        _check_free(out, folder, key.quiz, ours=previous is not None and previous.quiz == key.quiz)
    folder.mkdir(parents=True, exist_ok=True)
    key_file.parent.mkdir(parents=True, exist_ok=True)
    kept = None
    if key_file.is_file() and (previous is None or (previous.quiz, previous.build) != (key.quiz, key.build)):
        # Whatever it is, and be it the key of another quiz in a folder that was forced: no key is written over.
        name = previous.build[:8] if previous else f"damaged-{hashlib.sha256(key_file.read_bytes()).hexdigest()[:8]}"
        kept = key_file.replace(key_file.with_name(f"key-{name}.json"))
    write_text(key_file, keys.KeyFile(key.quiz, key.title, key.certainty, Rules(), (key,)).text(), private=True)
    write_text(folder / "questions.json", json.dumps(questions, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / f"{key.quiz}.ipynb", notebook(questions))
    return Assigned(key.quiz, key.build, folder, key_file, len(key.items), key.maximum, kept)


def build(assignment: Assignment) -> tuple[dict[str, Any], keys.Key]:
    """Return what goes to the students, and the key to it."""
    shown, questions = [], []
    for item, points in zip(assignment.items, assignment.points, strict=True):
        public, key, bank_ids = item.assigned(assignment.seed)
        shown.append(public)
        rationales, mistakes = item.rationales(), item.mistakes()
        # The shared list of a matching and a decision have no rationales, and may have the id of what has one.
        silent = {"matching": "o", "key_feature": "d"}.get(item.format)
        explained = {new: old for new, old in bank_ids.items() if new[0] != silent}
        questions.append(
            keys.Question(
                id=public["id"],
                points=points,
                public=public,
                key=key,
                rationales={new: rationales[old] for new, old in explained.items() if old in rationales}
                | ({"": item.rationale} if item.rationale else {}),
                slips=tuple(slip.record() for slip in item.slips),
                bank_id=item.id,
                bank_version=item.version,
                sources=item.sources,
                mistakes={new: mistakes[old] for new, old in explained.items() if old in mistakes},
                names=bank_ids,
            )
        )
    sheet: dict[str, Any] = {
        "format": FORMAT,
        "quiz": assignment.quiz,
        "title": assignment.title,
        "certainty": assignment.certainty,
        "instructions": assignment.instructions,
        "items": shown,
    }
    sheet["build"] = digest(sheet)
    return sheet, keys.Key(assignment.quiz, assignment.title, sheet["build"], assignment.certainty, tuple(questions))


def notebook(questions: Mapping[str, Any]) -> str:
    """Return the text of the student's notebook: one sentence what to do, one call, and the questions to print."""
    import nbformat  # slow to import, and only this needs it

    hello = (
        f"# {questions['title']}\n\n"
        "Welcome! Press **Start this lesson** at the top of the page (in other programs: Run All), and the quiz opens "
        "below. Enter your student code and answer in any order. Your answers save themselves. When you have finished, "
        "hand in the file **responses.json**; it lies in the same folder as this page."
    )
    n = len(questions["items"])
    # Whoever only reads or prints the page sees the questions; running it puts the quiz in their place.
    printed = nbformat.v4.new_output(
        "execute_result",
        {
            "text/html": static_html(questions["title"], questions["items"]),
            "text/plain": f"exam quiz {questions['quiz']!r}: {counted(n, 'question')}",
        },
        execution_count=1,
    )
    call = nbformat.v4.new_code_cell(
        'from vertebra.widgets.quiz import exam\n\nexam("questions.json")',
        id="quiz",
        execution_count=1,
        metadata={"jupyter": {"source_hidden": True}, "deletable": False},
        outputs=[printed],
    )
    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "title": questions["title"],
    }
    fixed = {"deletable": False, "editable": False}
    cells = [nbformat.v4.new_markdown_cell(hello, id="hello", metadata=fixed), call]
    page = nbformat.v4.new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)
    nbformat.validate(page)
    text: str = nbformat.writes(page)
    return text.rstrip("\n") + "\n"


def _previous_key(key_file: Path) -> keys.Key | None:
    """Return the key that is there, if there is one."""
    try:
        return keys.load_key(key_file)
    except (OSError, TeachingError):
        return None


def _check_free(out: Path, folder: Path, quiz: str, ours: bool) -> None:
    if out.exists() and not out.is_dir():
        raise TeachingError(f"{out}: is a file; name a folder")
    if not ours and out.is_dir() and any(out.iterdir()):
        what = f"is not empty and holds no earlier build of {quiz}"
        raise TeachingError(f"{out}: {what}; choose another folder, or write into this one with --force")
    # For instance the instructor's own responses.json, after trying the quiz out.
    own = {"questions.json", f"{quiz}.ipynb"}
    stray = sorted({path.name for path in folder.iterdir()} - own) if folder.is_dir() else []
    if stray:
        what = f"holds {', '.join(stray)}, which would be handed out with the quiz"
        raise TeachingError(f"{folder}: {what}; move it away, or build all the same with --force")


# --- The assignment file ----------------------------------------------------------------------------------------------


def load_assignment(path: Path | str, known_references: frozenset[str] | None = None) -> Assignment:
    """Read and check an assignment file with its bank.

    Raises TeachingError, or BankError for faults of the bank, with a line `file:line: field: what; mend` for each
    fault. known_references: the ids a question's sources may name, when they are to be checked.
    """
    path = Path(path)
    data, lines = _parse(path)
    faults = [Fault(str(path), lines.get(field, 1), field, what) for field, what in _faults(data)]
    bank = None
    named_bank = isinstance(data.get("bank"), str) and data["bank"]
    bank_file = Path(os.path.normpath(path.parent / named_bank)) if named_bank else None
    if bank_file and not bank_file.is_file():
        what = f"there is no bank {bank_file}; correct the path, which starts from this file's folder"
        faults.append(Fault(str(path), lines.get("bank", 1), "bank", what))
    elif bank_file:
        bank = load_bank(bank_file, known_references)
        if bank.use != "graded":
            what = f"{bank_file} is for practice, so its keys reach the browser; name a bank with use: graded"
            faults.append(Fault(str(path), lines.get("bank", 1), "bank", what))
        known = {item.id for item in bank.items}
        lists = [(field, data.get(field)) for field in ("items", "points")]
        for field, name in [(f, name) for f, names in lists if isinstance(names, list | dict) for name in names]:
            if isinstance(name, str) and name not in known:
                mend = nearest(name, known) or f"its questions: {', '.join(sorted(known))}"
                what = f"{bank_file} has no question {name}; {mend}"
                faults.append(Fault(str(path), lines.get(f"{field} {name}", lines.get(field, 1)), field, what))
    if faults or bank is None or bank_file is None:
        raise TeachingError("\n".join(map(str, sorted(faults))))
    items = bank.items if data["items"] == "all" else tuple(bank.item(name) for name in data["items"])
    points = data.get("points", 1)
    each = points if isinstance(points, dict) else {item.id: points for item in items}
    return Assignment(
        quiz=data["quiz"],
        title=data["title"],
        items=items,
        points=tuple(each.get(item.id, 1) for item in items),
        certainty=data.get("certainty", False),
        instructions=data.get("instructions", ""),
        seed=order_seed(data["quiz"], bank_file),
    )


def order_seed(quiz: str, bank_file: Path) -> str:
    """Return what the order of a quiz is drawn from: its id, and the bank's text, which no student has."""
    # Line ends are no part of the text: git may write them differently on another computer.
    text = bank_file.read_bytes().replace(b"\r\n", b"\n")
    return f"{quiz} {hashlib.sha256(text).hexdigest()}"


def _parse(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the fields of an assignment file, and the line of each: "points", "items ft-g01", "points ft-g01"."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TeachingError(f"{path}: is not UTF-8 text; save the file as UTF-8") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "the text cannot be read"
        mend = "put text that holds ': ' or ' #' in quotes, and check the indentation"
        raise TeachingError(f"{path}:{mark.line + 1 if mark else 1}: is not YAML: {what}; {mend}") from None
    if not isinstance(data, dict) or not isinstance(root, yaml.MappingNode):
        fields = ", ".join(REQUIRED)
        raise TeachingError(f"{path}:1: is no assignment; write the fields {fields}, such as `quiz: fracture-types`")
    if "quiz" not in data and "use" in data:
        what = "is a bank of questions; name an assignment, a file with the fields"
        raise TeachingError(f"{path}:1: {what} {', '.join(REQUIRED)}")
    lines: dict[str, int] = {}
    twice = []
    for name, value in root.value:
        if name.value in lines:
            what = f"is written twice, first in line {lines[name.value]}; remove one of them"
            twice.append(str(Fault(str(path), name.start_mark.line + 1, name.value, what)))
        lines[name.value] = name.start_mark.line + 1
        parts = value.value if isinstance(value, yaml.CollectionNode) else ()
        for part in parts:
            inner = part[0] if isinstance(part, tuple) else part
            lines[f"{name.value} {inner.value}"] = inner.start_mark.line + 1
    if twice:
        raise TeachingError("\n".join(twice))
    return data, lines


def _faults(data: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, what is wrong; the mend) for the fields of an assignment file."""
    for name in REQUIRED:
        if name not in data:
            yield name, f"is missing; add it: {FIELDS[name]}"
    for name, value in data.items():
        if name not in FIELDS:
            mend = nearest(str(name), FIELDS) or f"the fields are: {', '.join(FIELDS)}"
            yield str(name), f"there is no such field; {mend}"
        elif not _fits(name, value):
            shown = reprlib.repr(value) if isinstance(value, bool | str | int | float) else kind(value)
            yield name, f"is {shown}, must be {FIELDS[name]}; correct it"
    items = data.get("items")
    if isinstance(items, list):
        for name in sorted({str(name) for name in items if items.count(name) > 1}):
            yield "items", f"names {name} more than once; remove the others"


def _fits(field: str, value: Any) -> bool:
    match field:
        case "quiz":
            return isinstance(value, str) and bool(QUIZ_ID.fullmatch(value)) and not DEVICE.fullmatch(value)
        case "title" | "bank":
            return _is_text(value) and bool(value.strip())
        case "instructions":
            return _is_text(value)
        case "certainty":
            return isinstance(value, bool)
        case "items":
            return value == "all" or (
                isinstance(value, list) and value != [] and all(isinstance(v, str) for v in value)
            )
    if isinstance(value, dict):
        return all(isinstance(name, str) and keys.is_points(each) for name, each in value.items())
    return keys.is_points(value)


def _is_text(value: Any) -> bool:
    # JSON writes one emoji as two halves, "\ud83d\ude00"; YAML leaves them halves, and no file takes these.
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)
