"""The instructor's key file `key.json`: what `assign` writes, `grade` reads, and no student ever gets."""

import json
import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from vertebra.quiz.scoring import is_number, score
from vertebra.quiz.tasks import needle_lines
from vertebra.teaching.files import TeachingError

FORMAT = "vertebra-key/1"
MOST_POINTS = 1_000_000
GROUPS = ("options", "steps", "prompts", "regions", "bands")


@dataclass(frozen=True)
class Question:
    """One question with its key.

    public: what the student saw; key: the key record of `scoring.score`, in the student's neutral ids. rationales:
    {neutral id: text, "": the worked solution}. slips: usual wrong numbers. bank_id and bank_version name its origin.
    mistakes: {neutral id of a wrong one: the belief behind it}; key files made before there were any have none.
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


@dataclass(frozen=True)
class Key:
    """The key of one quiz; build is the digest of the questions that it belongs to."""

    quiz: str
    title: str
    build: str
    certainty: bool
    items: tuple[Question, ...]

    @property
    def maximum(self) -> float:
        """The points of all questions together."""
        return math.fsum(question.points for question in self.items)

    def text(self) -> str:
        """Return the text of the key file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"


def load_key(path: Path | str) -> Key:
    """Read a key file; raises TeachingError if it is another file, or damaged, and OSError if it cannot be read."""
    path = Path(path)
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise TeachingError(f"{path}: is not a key file; name the key.json that `vertebra quiz assign` made") from None
    name = data.get("format") if isinstance(data, dict) else None
    if name != FORMAT:
        what = f"its format is {reprlib.repr(name)}, not {FORMAT!r}"
        raise TeachingError(f"{path}: {what}; name the key.json that `vertebra quiz assign` made")
    try:
        items = tuple(_question(record) for record in data["items"])
        if not items or len({question.id for question in items}) != len(items):
            raise ValueError("no questions, or one of them twice")
        if not re.fullmatch(r"[0-9a-f]{8,64}", str(data["build"])):  # its first digits go into a file's name
            raise ValueError(f"the build is {reprlib.repr(data['build'])}")
        return Key(str(data["quiz"]), str(data["title"]), str(data["build"]), bool(data["certainty"]), items)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise TeachingError(f"{path}: is damaged ({what}); make it again with `vertebra quiz assign`") from None


def _question(record: Mapping[str, Any]) -> Question:
    fields = {name: record[name] for name in Question.__dataclass_fields__ if name != "mistakes" or name in record}
    question = Question(**fields | {"slips": tuple(record["slips"]), "sources": tuple(record["sources"])})
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
    words += [question.id, question.bank_id, *question.sources, *question.rationales.values()]
    words += [*question.mistakes.values(), *(slip.get("mistake", "") for slip in slips)]
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
