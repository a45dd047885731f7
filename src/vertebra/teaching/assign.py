"""Hand out: graded banks and a short assignment file give a folder for the students and a key for the instructor.

    OUT/student/QUIZ/questions.json   the questions, without key, rationale, source or objective
    OUT/student/QUIZ/QUIZ.ipynb       the page the student opens, with the rules of the quiz in words
    OUT/instructor/key.json           the key of every variant and the rules; it stays with the instructor

With variants there are the folders QUIZ-1, QUIZ-2 and so on. The order of options and steps, and what a blueprint
draws, come from the quiz's id, the seed and the whole text of the banks. The same files give the same build,
byte for byte, and neither can be found out by whoever has not got the banks. The rules are no part of a build: a due
time can be moved while hand-ins are on their way.
"""

import hashlib
import json
import os
import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from vertebra.quiz import schema
from vertebra.quiz.items import Bank, BankError, Fault, Item, load_bank, repeated_names
from vertebra.quiz.responses import digest
from vertebra.quiz.schema import kind, nearest
from vertebra.quiz.static import counted, static_html
from vertebra.teaching import key as keys
from vertebra.teaching.draw import Blueprint, Row, Shortage
from vertebra.teaching.files import DEVICE, TeachingError, check_output, write_text
from vertebra.teaching.rules import COUNTS, FEEDBACK, LATE, MOST_ATTEMPTS, READERS, Rules

FORMAT = "vertebra-questions/1"
QUIZ_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")

MOST_VARIANTS = 100
MOST_COUNT = 1000
MOST_DRAWS = 20  # of one variant, until it differs from those before it
A_TIME = "a day and time with a zone, such as 2026-12-11 23:59 Europe/Berlin"

FIELDS = {
    "quiz": "the quiz's id, up to 80 small letters, digits, - and _, such as fracture-types (con and nul are Windows')",
    "title": "what the student reads at the top",
    "bank": "the bank file, as a path from this file's folder, or a list of several",
    "items": "a list of at least one question id, or all",
    "blueprint": "a list of rows such as {objectives: [O3.1, O3.2], count: 2}, with format and bloom if you like",
    "leave_out": "a list of question ids that are not asked (none when left out)",
    "points": f"one number for every question, or a number for each id (1 when left out, at most {keys.MOST_POINTS})",
    "certainty": "true when students also say how sure they are (false when left out)",
    "instructions": "a sentence or two to the student (none when left out)",
    "seed": "a word or whole number; another one gives another order and another draw (none when left out)",
    "variants": f"how many different builds there are, 1 to {MOST_VARIANTS} (1 when left out)",
    "opens": f"{A_TIME} (open at once when left out)",
    "due": f"{A_TIME} (no end when left out)",
    "late": f"{LATE} (accept when left out)",
    "attempts": f"how many hand-ins of a student are marked, 1 to {MOST_ATTEMPTS} (1 when left out)",
    "counts": f"which attempt counts, {' or '.join(COUNTS)} (last when left out)",
    "feedback": f"when students get their pages, {', '.join(FEEDBACK)} (at_once when left out)",
    "pass_mark": "the percent of the points that passes (none when left out)",
}
REQUIRED = ("quiz", "title", "bank", "items")
NOTHING_LEFT = "leaves no question to ask; remove an id from the list"
ROW_FIELDS = {
    "objectives": "an objective such as O3.1, or a list of them",
    "count": "how many questions, a whole number from 1",
    "format": f"a format of questions, or a list of them: {', '.join(schema.FORMATS)}",
    "bloom": f"a level, or a list of them: {', '.join(schema.BLOOM)}",
}


@dataclass(frozen=True)
class Assignment:
    """An assignment file, checked: the questions of graded banks with their points. seed draws the order.

    steps_seed draws the order of steps, "" for that of seed. blueprint: what the items were drawn from, if they were;
    worth: the points of each question of the banks that may be asked, by id.
    """

    quiz: str
    title: str
    items: tuple[Item, ...]
    points: tuple[float, ...]
    certainty: bool
    instructions: str
    seed: str
    steps_seed: str = ""
    rules: Rules = field(default_factory=Rules)
    variants: int = 1
    blueprint: Blueprint | None = None
    worth: Mapping[str, float] = field(default_factory=dict)

    def variant(self, number: int, draw: int = 1) -> "Assignment":
        """Return what variant `number` asks, from 1; another draw mixes it anew. The first is the assignment itself.

        Steps stand in the same order in every variant: they never stand in the right one, so whoever compared many
        orders would be left with the one that never comes.
        """
        if (number, draw) == (1, 1):
            return self
        seed = f"{self.seed} variant {number}" + (f" draw {draw}" if draw > 1 else "")
        items = self.blueprint.draw(seed) if self.blueprint else self.items
        points = tuple(self.worth[item.id] for item in items) if self.blueprint else self.points
        return replace(self, items=items, points=points, seed=seed, steps_seed=self.steps_seed or self.seed)


@dataclass(frozen=True)
class Assigned:
    """What was built: a folder for each variant, the key, and, if another key was there, where it was kept.

    items and points are those of the first variant.
    """

    quiz: str
    builds: tuple[str, ...]
    folders: tuple[Path, ...]
    key: Path
    items: int
    points: float
    kept: Path | None = None

    @property
    def build(self) -> str:
        """The build of the first variant."""
        return self.builds[0]

    @property
    def student(self) -> Path:
        """The students' folder of the first variant."""
        return self.folders[0]


def assign(assignment_file: Path | str, out: Path | str, force: bool = False) -> Assigned:
    """Build the students' folders and the key below `out`.

    An `out` that holds something else is refused, unless `force`; nothing is ever deleted. Another key that is there is
    kept beside the new one, as submissions to it may be on their way. Raises BankError or TeachingError for bad input
    and OSError for a folder that cannot be written.
    """
    assignment, out = load_assignment(assignment_file), Path(out)
    check_output(out)
    sheets, file = build_all(assignment)
    quiz, key_file = file.quiz, out / "instructor" / "key.json"
    names = [quiz] if len(sheets) == 1 else [f"{quiz}-{number}" for number in range(1, len(sheets) + 1)]
    folders = tuple(out / "student" / name for name in names)
    if not force:
        _check_free(out, folders, quiz, ours=_quiz_of(key_file) == quiz)
    for folder in (key_file.parent, *folders):
        folder.mkdir(parents=True, exist_ok=True)
    kept = keep(key_file, file)
    write_text(key_file, file.text(), private=True)
    for folder, questions in zip(folders, sheets, strict=True):
        write_text(folder / "questions.json", json.dumps(questions, indent=1, ensure_ascii=False) + "\n")
        write_text(folder / f"{quiz}.ipynb", notebook(questions, file.rules))
    first, builds = file.variants[0], tuple(key.build for key in file.variants)
    return Assigned(quiz, builds, folders, key_file, len(first.items), first.maximum, kept)


def build_all(assignment: Assignment) -> tuple[tuple[dict[str, Any], ...], keys.KeyFile]:
    """Return what goes to the students, by variant, and the key file; raises TeachingError if variants are the same."""
    sheets: list[dict[str, Any]] = []
    variants: list[keys.Key] = []
    for number in range(1, assignment.variants + 1):
        for draw in range(1, MOST_DRAWS + 1):
            sheet, key = build(assignment.variant(number, draw))
            if all(sheet["build"] != other["build"] for other in sheets):
                break
        else:
            what = f"asks for {assignment.variants} variants, and its questions give no more than {len(sheets)}"
            raise TeachingError(f"{assignment.quiz}: variants: {what} that differ; lower variants, or ask more")
        sheets.append(sheet)
        variants.append(key)
    file = keys.KeyFile(assignment.quiz, assignment.title, assignment.certainty, assignment.rules, tuple(variants))
    return tuple(sheets), file


def build(assignment: Assignment) -> tuple[dict[str, Any], keys.Key]:
    """Return what goes to the students of one variant, and the key to it."""
    shown, questions = [], []
    for item, points in zip(assignment.items, assignment.points, strict=True):
        seed = assignment.steps_seed if item.steps and assignment.steps_seed else assignment.seed
        public, key, bank_ids = item.assigned(seed)
        shown.append(public)
        questions.append(question(item, points, public, key, bank_ids))
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


def question(
    item: Item, points: float, public: Mapping[str, Any], key: Mapping[str, Any], bank_ids: Mapping[str, str]
) -> keys.Question:
    """Return a question of the key file; public, key and bank_ids are as `Item.assigned` gives them."""
    rationales, mistakes = item.rationales(), item.mistakes()
    # The shared list of a matching and a decision have no rationales, and may have the id of what has one.
    silent = {"matching": "o", "key_feature": "d"}.get(item.format)
    explained = {new: old for new, old in bank_ids.items() if new[0] != silent}
    return keys.Question(
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
        objectives=item.objectives,
    )


def notebook(questions: Mapping[str, Any], rules: Rules) -> str:
    """Return the text of the student's notebook: what to do, the rules, one call, and the questions to print."""
    import nbformat  # slow to import, and only this needs it

    hello = (
        f"# {questions['title']}\n\n"
        "Welcome! Press **Start this lesson** at the top of the page (in other programs: Run All), and the quiz opens "
        "below. Enter your student code and answer in any order. Your answers save themselves. When you have finished, "
        "hand in the file **responses.json**; it lies in the same folder as this page.\n\n"
    ) + "\n".join(f"- {sentence}" for sentence in rules.in_words())
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


def keep(key_file: Path, new: keys.KeyFile) -> Path | None:
    """Copy a key file that `new` will replace to a name beside it, and return that; None if none is lost by it.

    Whatever it is, and be it the key of another quiz in a folder that was forced: no key is written over.
    """
    try:
        raw = key_file.read_bytes()
    except FileNotFoundError:
        return None
    if raw == new.text().encode():
        return None
    names = [hashlib.sha256(raw).hexdigest()[:8]]
    try:
        old = keys.load_key_file(key_file)
        names = [old.variants[0].build[:8], *names]
        if (old.quiz, [key.build for key in old.variants]) != (new.quiz, [key.build for key in new.variants]):
            names.pop()  # the message about a submission to another build names its key by that build alone
    except TeachingError:
        names = ["damaged", *names]
    kept = key_file.with_name(f"key-{'-'.join(names)}.json")
    if kept.exists() and kept.read_bytes() != raw:
        kept = key_file.with_name(f"{kept.stem}-{hashlib.sha256(raw).hexdigest()[:8]}.json")
    write_text(kept, raw, private=True)
    return kept


def _quiz_of(key_file: Path) -> str | None:
    """Return the quiz of the key that is there, if there is one."""
    try:
        return keys.load_key_file(key_file).quiz
    except (OSError, TeachingError):
        return None


def _check_free(out: Path, folders: Sequence[Path], quiz: str, ours: bool) -> None:
    if out.exists() and not out.is_dir():
        raise TeachingError(f"{out}: is a file; name a folder")
    if not ours and out.is_dir() and any(out.iterdir()):
        what = f"is not empty and holds no earlier build of {quiz}"
        raise TeachingError(f"{out}: {what}; choose another folder, or write into this one with --force")
    # For instance the instructor's own responses.json, after trying the quiz out, or an earlier build's other variants.
    own = {"questions.json", f"{quiz}.ipynb"}
    allowed = {folders[0].parent: {folder.name for folder in folders}, **dict.fromkeys(folders, own)}
    for folder, names in allowed.items():
        stray = sorted({path.name for path in folder.iterdir()} - names) if folder.is_dir() else []
        if stray:
            what = f"holds {', '.join(stray)}, which would be handed out with the quiz"
            raise TeachingError(f"{folder}: {what}; move it away, or build all the same with --force")


# --- The assignment file ----------------------------------------------------------------------------------------------


def load_assignment(path: Path | str, known_references: frozenset[str] | None = None) -> Assignment:
    """Read and check an assignment file with its banks.

    Raises TeachingError, or BankError for faults of a bank, with a line `file:line: field: what; mend` for each fault.
    known_references: the ids a question's sources may name, when they are to be checked.
    """
    path = Path(path)
    data, lines = _parse(path)
    faults: list[Fault] = []

    def fault(field: str, what: str, line: str = "") -> None:
        faults.append(
            Fault(str(path), lines.get(line, lines.get(field, lines.get(field.split(" row ")[0], 1))), field, what)
        )

    for name, what in _faults(data):
        fault(name, what)
    files = _bank_files(path, data)
    banks: list[Bank] = []
    for name, file in files.items():
        if not file.is_file():
            fault(
                "bank",
                f"there is no bank {file}; correct the path, which starts from this file's folder",
                f"bank {name}",
            )
            continue
        banks.append(load_bank(file, known_references))
        if banks[-1].use != "graded":
            what = f"{file} is for practice, so its keys reach the browser; name a bank with use: graded"
            fault("bank", what, f"bank {name}")
    if repeated := list(repeated_names(banks)):
        raise BankError(repeated)
    known = {item.id: item for bank in banks for item in bank.items}
    if banks and len(banks) == len(files):
        lists = [(field, data.get(field)) for field in ("items", "leave_out", "points")]
        for field, name in [(f, name) for f, names in lists if isinstance(names, list | dict) for name in names]:
            if isinstance(name, str) and name not in known:
                there = " and ".join(bank.file for bank in banks)
                verb = "has" if len(banks) == 1 else "have"
                mend = nearest(name, known) or f"the questions there are: {', '.join(sorted(known))}"
                fault(field, f"{there} {verb} no question {name}; {mend}", f"{field} {name}")
    if isinstance(data.get("items"), list) and isinstance(data.get("points"), dict):
        for name in (name for name in data["points"] if name in known and name not in data["items"]):
            fault("points", f"{name} is not among the items; add it there, or remove its points", f"points {name}")
    if faults or not banks:
        raise TeachingError("\n".join(map(str, sorted(faults))))
    pool = tuple(item for name, item in known.items() if name not in data.get("leave_out", ()))
    seed = order_seed(data["quiz"], *files.values())
    seed += f" seed {data['seed']}" if "seed" in data else ""
    blueprint = Blueprint(tuple(map(_row, data["blueprint"])), pool) if "blueprint" in data else None
    try:
        items = blueprint.draw(seed) if blueprint else pool
    except Shortage as shortage:
        field = f"blueprint row {shortage.rows[0] + 1}"
        raise TeachingError(str(Fault(str(path), lines.get(field, 1), "blueprint", str(shortage)))) from None
    if isinstance(data.get("items"), list):
        items = tuple(known[name] for name in data["items"] if known[name] in pool)
    if not items:
        raise TeachingError(str(Fault(str(path), lines.get("leave_out", 1), "leave_out", NOTHING_LEFT)))
    points = data.get("points", 1)
    each = points if isinstance(points, dict) else dict.fromkeys(known, points)
    worth = {item.id: each.get(item.id, 1) for item in (pool if blueprint else items)}
    return Assignment(
        quiz=data["quiz"],
        title=data["title"],
        items=items,
        points=tuple(worth[item.id] for item in items),
        certainty=data.get("certainty", False),
        instructions=data.get("instructions", ""),
        seed=seed,
        rules=Rules(**{name: read(data[name]) for name, read in READERS.items() if name in data}),
        variants=data.get("variants", 1),
        blueprint=blueprint,
        worth=worth,
    )


def order_seed(quiz: str, *bank_files: Path) -> str:
    """Return what the order of a quiz is drawn from: its id, and the text of its banks, which no student has."""
    # Line ends are no part of the text: git may write them differently on another computer.
    texts = (file.read_bytes().replace(b"\r\n", b"\n") for file in bank_files)
    return " ".join([quiz, *(hashlib.sha256(text).hexdigest() for text in texts)])


def _bank_files(path: Path, data: Mapping[str, Any]) -> dict[str, Path]:
    """Return {the bank's name in the assignment: its file}."""
    banks = data.get("bank")
    names = [name for name in (banks if isinstance(banks, list) else [banks]) if isinstance(name, str) and name]
    return {name: Path(os.path.normpath(path.parent / name)) for name in names}


def _row(data: Mapping[str, Any]) -> Row:
    return Row(
        objectives=_names(data["objectives"]),
        count=data["count"],
        formats=_names(data.get("format")),
        bloom=_names(data.get("bloom")),
    )


def _names(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, of one text alone, or of none."""
    return (value,) if isinstance(value, str) else tuple(value or ())


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
        for number, part in enumerate(parts, 1):
            inner = part[0] if isinstance(part, tuple) else part
            what = inner.value if isinstance(inner, yaml.ScalarNode) else f"row {number}"
            lines[f"{name.value} {what}"] = inner.start_mark.line + 1
    if twice:
        raise TeachingError("\n".join(twice))
    return data, lines


def _faults(data: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, what is wrong; the mend) for the fields of an assignment file."""
    for name in REQUIRED:
        if name not in data and not (name == "items" and "blueprint" in data):
            either = ", or a blueprint" if name == "items" else ""
            yield name, f"is missing; add it: {FIELDS[name]}{either}"
    for name, value in data.items():
        if name not in FIELDS:
            mend = nearest(str(name), FIELDS) or f"the fields are: {', '.join(FIELDS)}"
            yield str(name), f"there is no such field; {mend}"
        elif name in READERS:
            yield from _faults_of_rule(name, value)
        elif name == "blueprint" and isinstance(value, list) and value:
            for number, row in enumerate(value, 1):
                yield from ((f"blueprint row {number}", what) for what in _faults_of_row(row))
        elif not _fits(name, value):
            shown = reprlib.repr(value) if isinstance(value, bool | str | int | float) else kind(value)
            yield name, f"is {shown}, must be {FIELDS[name]}; correct it"
    for name in ("bank", "items", "leave_out"):
        listed = data.get(name)
        if isinstance(listed, list):
            for each in sorted({str(each) for each in listed if listed.count(each) > 1}):
                yield name, f"names {each} more than once; remove the others"
    yield from _faults_together(data)


def _faults_of_rule(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        yield name, f"is empty, must be {FIELDS[name]}; fill it in, or remove the line"
        return
    try:
        READERS[name](value)
    except ValueError as error:
        yield name, str(error)


def _faults_of_row(row: Any) -> Iterator[str]:
    if not isinstance(row, dict):
        yield f"is {kind(row)}, must be such as {{objectives: [O3.1, O3.2], count: 2}}; correct it"
        return
    for name in ("objectives", "count"):
        if name not in row:
            yield f"{name} is missing; add it: {ROW_FIELDS[name]}"
    allowed = {"format": schema.FORMATS, "bloom": schema.BLOOM}
    for name, value in row.items():
        texts = [value] if isinstance(value, str) else value
        if name not in ROW_FIELDS:
            mend = nearest(str(name), ROW_FIELDS) or f"its fields are: {', '.join(ROW_FIELDS)}"
            yield f"there is no field {name}; {mend}"
        elif name == "count":
            if type(value) is not int or not 1 <= value <= MOST_COUNT:
                yield f"count is {reprlib.repr(value)}, must be {ROW_FIELDS['count']}; correct it"
        elif not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            yield f"{name} is {kind(value)}, must be {ROW_FIELDS[name]}; correct it"
        elif name in allowed:
            for text in texts:
                if text not in allowed[name]:
                    mend = nearest(text, allowed[name]) or f"there are: {', '.join(allowed[name])}"
                    yield f"there is no {name} {text}; {mend}"


def _faults_together(data: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield the faults of fields that do not go together."""
    if "items" in data and "blueprint" in data:
        yield "blueprint", "stands beside items, and only one of them can choose the questions; remove the other"
    if "due" not in data:
        if data.get("late", "accept") != "accept":
            yield "late", "there is no due time to count from; add due, or remove late"
        if data.get("feedback") == "after_due":
            yield "feedback", "there is no due time; add due, or write at_once or never"
    if "counts" in data and data.get("attempts", 1) == 1:
        yield "counts", "there is only one attempt; add attempts, such as attempts: 3, or remove counts"
    try:
        opens, due = (READERS[name](data.get(name)) for name in ("opens", "due"))
    except ValueError:
        return
    if opens and due and opens >= due:
        yield "opens", "is not before due; correct one of them"


def _fits(field: str, value: Any) -> bool:
    match field:
        case "quiz":
            return isinstance(value, str) and bool(QUIZ_ID.fullmatch(value)) and not DEVICE.fullmatch(value)
        case "title":
            return _is_text(value) and bool(value.strip())
        case "bank":
            each = value if isinstance(value, list) else [value]
            return each != [] and all(_is_text(name) and bool(name.strip()) for name in each)
        case "instructions":
            return _is_text(value)
        case "certainty":
            return isinstance(value, bool)
        case "items":
            return value == "all" or (value != [] and _are_names(value))
        case "leave_out":
            return _are_names(value)
        case "blueprint":
            return False  # a list of rows is looked at row by row
        case "seed":
            return type(value) is int or (_is_text(value) and bool(value.strip()))
        case "variants":
            return type(value) is int and 1 <= value <= MOST_VARIANTS
    if isinstance(value, dict):
        return all(isinstance(name, str) and keys.is_points(each) for name, each in value.items())
    return keys.is_points(value)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_text(value: Any) -> bool:
    # JSON writes one emoji as two halves, "\ud83d\ude00"; YAML leaves them halves, and no file takes these.
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)
