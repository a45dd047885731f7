"""The instructor's key file `key.json`: what `assign` writes, `grade` reads, and no student ever gets."""

import json
import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from vertebra.quiz.responses import digest
from vertebra.quiz.scoring import is_number, score
from vertebra.quiz.tasks import needle_lines
from vertebra.teaching.files import TeachingError
from vertebra.teaching.rules import Rules

FORMAT = "vertebra-key/2"
FIRST_FORMAT = "vertebra-key/1"  # one build, without rules, names and seal
NEWER_FIELDS = {"mistakes", "names", "objectives"}  # of a question; older key files have none
MOST_POINTS = 1_000_000
GROUPS = ("options", "steps", "prompts", "regions", "bands")


@dataclass(frozen=True)
class Question:
    """One question with its key.

    public: what the student saw; key: the key record of `scoring.score`, in the student's neutral ids. rationales:
    {neutral id: text, "": the worked solution}. slips: usual wrong numbers. bank_id and bank_version name its origin.
    mistakes: {neutral id of a wrong one: the belief behind it}. names: {neutral id: the bank's id of the same part}.
    objectives: what it asks about. Key files made before there were mistakes, names or objectives have none.
    """

    id: str
    points: float
    public: Mapping[str, Any]
    key: Mapping[str, Any]
    rationales: Mapping[str, str]
    slips: tuple[Mapping[str, Any], ...]
    bank_id: str
    bank_version: str
    sources: tuple[str, ...]
    mistakes: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    objectives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Key:
    """The key of one quiz; build is the digest of the questions that it belongs to.

    dropped: the ids of questions that were handed out and no longer count.
    """

    quiz: str
    title: str
    build: str
    certainty: bool
    items: tuple[Question, ...]
    dropped: tuple[str, ...] = ()

    @property
    def maximum(self) -> float:
        """The points of all questions together."""
        return math.fsum(question.points for question in self.items)


@dataclass(frozen=True)
class KeyFile:
    """What key.json holds: the rules of a quiz and the key of each of its builds, one for each variant.

    The seal finds accidents and edits by hand. It is no signature: whoever may write the file can seal it anew.
    """

    quiz: str
    title: str
    certainty: bool
    rules: Rules
    variants: tuple[Key, ...]

    def of(self, build: str) -> Key | None:
        """Return the key of a build, if it is one of this quiz."""
        return next((key for key in self.variants if key.build == build), None)

    def record(self) -> dict[str, Any]:
        """Return all that the file holds but its seal, which is taken of this."""
        return {
            "format": FORMAT,
            "quiz": self.quiz,
            "title": self.title,
            "certainty": self.certainty,
            "rules": self.rules.record(),
            "variants": [
                {"build": key.build, "items": [dict(vars(item)) for item in key.items], "dropped": key.dropped}
                for key in self.variants
            ],
        }

    @property
    def seal(self) -> str:
        """The SHA-256 of the record's canonical JSON, in 64 hex digits."""
        return digest(self.record())

    def text(self) -> str:
        """Return the text of the key file."""
        record = self.record()
        return json.dumps(record | {"seal": digest(record)}, indent=1, ensure_ascii=False) + "\n"


def load_key_file(path: Path | str) -> KeyFile:
    """Read a key file; raises TeachingError if it is another file, or damaged, and OSError if it cannot be read."""
    path = Path(path)
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise TeachingError(f"{path}: is not a key file; name the key.json that `vertebra quiz assign` made") from None
    name = data.get("format") if isinstance(data, dict) else None
    if name not in (FORMAT, FIRST_FORMAT):
        what = f"its format is {reprlib.repr(name)}, not {FORMAT!r}"
        raise TeachingError(f"{path}: {what}; name the key.json that `vertebra quiz assign` made")
    try:
        rules, builds = Rules(), [data]
        if name == FORMAT:
            if data.pop("seal") != digest(data):
                raise ValueError("its seal does not fit, so it was changed after it was made")
            rules, builds = Rules.of(data["rules"]), data["variants"]
        quiz, title, certainty = str(data["quiz"]), str(data["title"]), bool(data["certainty"])
        variants = tuple(
            Key(
                quiz,
                title,
                _build(each["build"]),
                certainty,
                tuple(map(_question, each["items"])),
                tuple(map(str, each.get("dropped", ()))),
            )
            for each in builds
        )
        if not variants or len({key.build for key in variants}) != len(variants):
            raise ValueError("no build, or one of them twice")
        for key in variants:
            if not key.items or len({question.id for question in key.items}) != len(key.items):
                raise ValueError("no questions, or one of them twice")
        return KeyFile(quiz, title, certainty, rules, variants)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise TeachingError(f"{path}: is damaged ({what}); make it again with `vertebra quiz assign`") from None


def load_key(path: Path | str) -> Key:
    """Read the key file of a quiz without variants; raises TeachingError and OSError as `load_key_file`."""
    key, *others = load_key_file(path).variants
    if others:
        raise TeachingError(f"{path}: holds {len(others) + 1} variants; read it with load_key_file")
    return key


def _build(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{8,64}", value):  # its first digits go into a file name
        raise ValueError(f"the build is {reprlib.repr(value)}")
    return value


def _question(record: Mapping[str, Any]) -> Question:
    fields = {
        name: record[name] for name in Question.__dataclass_fields__ if name in record or name not in NEWER_FIELDS
    }
    lists = {name: tuple(fields.get(name, ())) for name in ("slips", "sources", "objectives")}
    question = Question(**fields | lists)
    if not is_points(question.points):
        raise ValueError(f"question {question.id} has the points {reprlib.repr(question.points)}")
    # A key that its own answer does not satisfy would quietly give a whole class nothing.
    if score(question.key, right_answer(question.key)) != 1:
        raise ValueError(f"question {question.id} does not give its own key full credit")
    if not _can_be_shown(question):
        raise ValueError(f"question {question.id} cannot be shown with its key")
    return question


def _can_be_shown(question: Question) -> bool:
    """Say whether the public part has what the key speaks of, and every text is one."""
    key, public, slips = question.key, question.public, question.slips
    numbers = [slip["value"] for slip in slips]
    texts = {group: {part["id"]: part["text"] for part in public.get(group, ())} for group in GROUPS}
    image = public.get("image") or {"uri": "", "alt": ""}
    words = [public["stem"], public.get("vignette", ""), public.get("unit", ""), image["uri"], image["alt"]]
    match key["format"]:
        case "ordering":
            fits = texts["steps"].keys() == set(key["key"])
        case "matching":
            fits = texts["prompts"].keys() == key["key"].keys() and texts["options"].keys() == set(key["options"])
            fits = fits and set(key["key"].values()) <= set(key["options"])
        case "hotspot":
            fits = texts["regions"].keys() == key["polygons"].keys() and bool(public["image"])
            numbers += [public["image"]["width"], public["image"]["height"]]
            numbers += [number for polygon in key["polygons"].values() for x, y in polygon for number in (x, y)]
        case "key_feature":
            asked = {part["id"]: part for part in public["decisions"]}
            fits = asked.keys() == key["decisions"].keys()
            for name, decision in key["decisions"].items():
                shown = {option["id"] for option in asked[name]["options"]}
                fits = fits and shown == set(decision["options"]) >= {*decision["key"], *decision["harms"]}
                fits = fits and asked[name]["choose"] == decision["choose"]
                words += [asked[name]["text"], *(option["text"] for option in asked[name]["options"])]
        case "needle_path" | "stop_decision":
            fits = texts["bands"].keys() == key["shares"].keys()
            numbers += _numbers_of_task(key, public)
            words += _words_of_task(key, public)
        case "numeric":
            fits, numbers = True, [*numbers, key["value"], key["tolerance"]]
        case _:
            fits = texts["options"].keys() == set(key["options"])
    words += [question.id, question.bank_id, *question.sources, *question.objectives, *question.rationales.values()]
    words += [*question.mistakes.values(), *question.names.values(), *(slip.get("mistake", "") for slip in slips)]
    words += [text for group in texts.values() for text in group.values()] + [slip["rationale"] for slip in slips]
    return fits and all(isinstance(text, str) for text in words) and all(map(is_number, numbers))


def _numbers_of_task(key: Mapping[str, Any], public: Mapping[str, Any]) -> list[Any]:
    """Return the numbers that marking and the feedback page take from a task; an unsound one raises an error."""
    shown, names = public["task"], [control["id"] for control in key["controls"]]
    settings = list(product(*(control["values"] for control in key["controls"])))
    if names != [control["id"] for control in shown["controls"]]:
        raise ValueError("the controls of the task are not those of its key")
    if len(key["bands"]) != len(settings) or not set(key["bands"]) <= key["shares"].keys():
        raise ValueError("a setting of the task has no band")
    found = [*key["shares"].values(), *(band["share"] for band in public["bands"])]
    found += [measure["values"][place] for measure in key["measures"] for place in range(len(settings))]
    found += [film[name] for film in shown["films"] for name in ("width", "height")]
    if key["format"] == "stop_decision":
        found += [number for end in shown["line"]["ends"] for number in end]
        if settings != [(place,) for place in range(len(shown["films"]))] or names != ["frame"]:
            raise ValueError("the task has not one film a setting")
        if [len(end) for end in shown["line"]["ends"]] != [2, 2]:
            raise ValueError("the line of the task has not two ends")
    if key["format"] == "needle_path":
        found += [shown["needle"]["radius"], *(film["scale"] for film in shown["films"])]
        lines = (needle_lines(shown, dict(zip(names, setting, strict=True))) for setting in settings)
        found += [number for line in lines for film in line for point in film for number in point]
    return found


def _words_of_task(key: Mapping[str, Any], public: Mapping[str, Any]) -> list[Any]:
    words = [film[name] for film in public["task"]["films"] for name in ("caption", "alt", "uri")]
    words += [control[name] for control in public["task"]["controls"] for name in ("label", "unit")]
    words += [public["task"]["line"]["says"]] if key["format"] == "stop_decision" else []
    return words + [measure["says"] for measure in key["measures"]]


def is_points(value: Any) -> bool:
    """Say whether a question can be worth this much; a sum of such points is never out of range."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_POINTS


def right_answer(key: Mapping[str, Any]) -> Any:
    """Return the answer that earns full credit under a key record."""
    match key["format"]:
        case "numeric":
            return key["value"]
        case "hotspot":
            return {"region": key["key"]}
        case "key_feature":
            return {name: decision["key"] for name, decision in key["decisions"].items()}
        case "needle_path" | "stop_decision":
            return key["example"]
    return key["key"]
