"""The JSON Schema (draft 2020-12) of a bank file: what fields a question of each format has.

`quizzes/schema.json` is the export of `BANK`, for editors; never edit it by hand. The descriptions are shown there
while an author types, and in the errors of `items.load_bank`. What a schema cannot say (one key, a polygon inside its
picture) is checked in `items`.
"""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # only a check needs it; a lesson should not wait for it
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

BLOOM = ("remember", "understand", "apply", "analyse", "evaluate", "create")
REVIEW = "none, or each clinician who reviewed it as name, role, date; joined by ;"
DAY = r"\d{4}-\d\d-\d\d"
SCORING = {
    "multiple_response": ("each_option", "all_or_nothing", "net_correct"),
    "ordering": ("all_pairs", "adjacent_pairs", "all_or_nothing"),
}  # the first is the default

Schema = dict[str, Any]
Path = tuple[str | int, ...]  # from the top of the data to a part, such as ("items", 0, "stem")


@dataclass(frozen=True)
class Kind:
    """A kind of file: what faults call the whole, its schema, and which list of it has parts with names."""

    whole: str
    rules: Schema
    group: str


def text(description: str, pattern: str | None = None) -> Schema:
    """Return the schema of a text that is not empty; the description is shown to authors."""
    return {"type": "string", "minLength": 1, "description": description} | ({"pattern": pattern} if pattern else {})


def listed(items: Schema, least: int, description: str) -> Schema:
    """Return the schema of a list of at least `least` such items."""
    return {"type": "array", "items": items, "minItems": least, "description": description}


def record(required: Schema, optional: Schema | None = None) -> Schema:
    """Return the schema of a mapping with these fields and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


NUMBER: Schema = {"type": "number"}
ID = text("a short id of small letters, digits, - and _", "^[a-z0-9][a-z0-9_-]*$")
TEXT = text("the words the student reads")
RATIONALE = text("why this is right or wrong, in at least 8 words; for a wrong one, the mistake behind it")
KEY: Schema = {"type": "boolean", "description": "true for a right one; false when left out"}
SHUFFLE: Schema = {"type": "boolean", "description": "false keeps the written order; true when left out"}

MISCONCEPTION = text("the mistake behind a wrong one: an id of assets/misconceptions.yml", "^[a-z0-9][a-z0-9_]*$")
MISTAKE: Schema = {"misconception": MISCONCEPTION}

SOURCE = text("the id of a reference, or the word unreferenced", "^[a-z0-9][a-z0-9_-]*$")

IMAGE_REQUIRED: Schema = {
    "src": text(
        "an .svg or .png file below assets/, such as figures/x.svg", r"^[A-Za-z0-9_-][A-Za-z0-9_./-]*\.(svg|png)$"
    ),
    "alt": text("what the picture shows, without giving the answer away"),
    "licence": text("the licence of the picture, such as CC-BY-4.0"),
}
IMAGE_SIZE: Schema = {
    "width": {"type": "number", "exclusiveMinimum": 0, "description": "width in the units of the polygons"},
    "height": {"type": "number", "exclusiveMinimum": 0, "description": "height in the units of the polygons"},
}
IMAGE_ORIGIN: Schema = {
    "patient": {
        "enum": ["none", "LIDC-IDRI-0001"],
        "description": "none for what is computed or drawn; else the public data set, de-identified by its publisher",
    },
    "drawn_by": text("the script and function that draw it, such as tools/figures_imaging.py q_level; or by hand"),
}

COMMON: Schema = {
    "id": text("a name unique over all banks: small letters, digits and -, such as ft-p01", "^[a-z0-9][a-z0-9-]*$"),
    "version": text("three numbers such as 1.0.0", r"^[0-9]+\.[0-9]+\.[0-9]+$"),
    "objectives": listed(
        text("an objective of the syllabus such as O3.1", r"^O[0-9]+\.[0-9]+$"), 1, "objectives it tests"
    ),
    "bloom": {"enum": list(BLOOM), "description": "level of Bloom's taxonomy"},
    "tier": {"enum": ["must", "should", "nice"], "description": "must know, should know, nice to know"},
    "author": text("who wrote it"),
    "clinical_review": text(REVIEW, rf"^(none|[^;]+, {DAY}(; [^;]+, {DAY})*)$"),
    "stem": text("a closed question; a single best answer, multiple response and number ask, the rest may instruct"),
    "sources": listed(SOURCE, 1, "reference ids, or the word unreferenced"),
}
COMMON_OPTIONAL: Schema = {
    "claims": listed(
        text("a claim of assets/evidence/claims.yml such as c000-004", "^c[0-9]{3}-[0-9]{3}$"),
        1,
        "claims of patient pages that the question tests",
    ),
    "vignette": text("the patient: age, sex or role, setting, complaint, findings"),
    "image": record(IMAGE_REQUIRED, IMAGE_SIZE | IMAGE_ORIGIN),
    "rationale": text("the worked solution or a closing explanation, in at least 8 words"),
    "isomorph_family": text("a name that questions share which ask the same with other facts", "^[a-z0-9][a-z0-9-]*$"),
    "computed": record(
        {
            "by": text("a calculator of vertebra.quiz.computed that finds the key anew", "^[a-z][a-z0-9_]*$"),
            "with": {"type": "object", "description": "the facts of the question, by the names of its arguments"},
        }
    ),
}

OPTION = record({"id": ID, "text": TEXT, "rationale": RATIONALE}, {"key": KEY} | MISTAKE)
POINT: Schema = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2, "description": "[x, y] in image units"}

LIMITS: Schema = {
    "type": "object",
    "additionalProperties": NUMBER,
    "description": "limits such as {canal: 0}, in the quantities of the task file",
}
BAND = record(
    {
        "id": ID,
        "text": text("the outcome in the words of the rubric, which the student reads beforehand"),
        "share": {"type": "number", "minimum": 0, "maximum": 1, "description": "the share of credit, 0 to 1"},
        "rationale": RATIONALE,
    },
    {"above": LIMITS, "below": LIMITS},
)
TASK: Schema = {
    "task": text("the name of a task file, such as needle_l1_left", "^[a-z0-9][a-z0-9_]*$"),
    "bands": listed(BAND, 2, "outcomes: the first from the top whose limits all hold counts; the last has none"),
}

# Of each format: its own required fields and its own optional ones.
FORMATS: dict[str, tuple[Schema, Schema]] = {
    "single_best_answer": ({"options": listed(OPTION, 2, "the options, one with key: true")}, {"shuffle": SHUFFLE}),
    "multiple_response": (
        {"options": listed(OPTION, 2, "the options, at least one with key: true and one without")},
        {"shuffle": SHUFFLE, "scoring": {"enum": list(SCORING["multiple_response"])}},
    ),
    "numeric": (
        {
            "answer": record(
                {
                    "value": NUMBER,
                    "unit": {"type": "string", "description": 'such as "%" or "mm"; "" when it has none'},
                },
                {
                    "tolerance": {"type": "number", "minimum": 0, "description": "how far off is still right"},
                    "relative": {"type": "boolean", "description": "true: the tolerance is a share of the value"},
                },
            ),
            "rationale": COMMON_OPTIONAL["rationale"],
        },
        {
            "slips": listed(
                record({"value": NUMBER, "rationale": RATIONALE}, MISTAKE), 0, "usual wrong answers, each explained"
            )
        },
    ),
    "ordering": (
        {
            "steps": listed(
                record({"id": ID, "text": TEXT, "rationale": RATIONALE}), 3, "the steps in the correct order"
            )
        },
        {"scoring": {"enum": list(SCORING["ordering"])}},
    ),
    "matching": (
        {
            "options": listed(record({"id": ID, "text": TEXT}), 2, "the shared list"),
            "prompts": listed(
                record({"id": ID, "text": TEXT, "answer": ID, "rationale": RATIONALE}), 1, "each with its option"
            ),
        },
        {"shuffle": SHUFFLE},
    ),
    "hotspot": (
        {
            "image": record(IMAGE_REQUIRED | IMAGE_SIZE, IMAGE_ORIGIN),
            "regions": listed(
                record(
                    {"id": ID, "text": TEXT, "polygon": listed(POINT, 3, "its corners"), "rationale": RATIONALE},
                    {"key": KEY} | MISTAKE,
                ),
                2,
                "areas of the picture, one with key: true; text names the area for those who do not point",
            ),
        },
        {"shuffle": SHUFFLE},
    ),
    "key_feature": (
        {
            "decisions": listed(
                record(
                    {
                        "id": ID,
                        "text": text("what is to be decided, a closed question"),
                        "choose": {"type": "integer", "minimum": 1, "description": "how many options count at most"},
                        "options": listed(
                            record(
                                {"id": ID, "text": TEXT, "rationale": RATIONALE},
                                {"key": KEY, "harms": {"type": "boolean", "description": "true: choosing it harms"}}
                                | MISTAKE,
                            ),
                            3,
                            "its options, at least one with key: true; ids differ over all decisions",
                        ),
                    }
                ),
                2,
                "the critical decisions about the patient of the vignette",
            )
        },
        {"shuffle": SHUFFLE},
    ),
    "needle_path": (TASK, {}),
    "stop_decision": (TASK, {}),
}

FORMAT: Schema = {"enum": list(FORMATS), "description": "the kind of question"}


def _item(name: str) -> Schema:
    required, optional = FORMATS[name]
    rest = {field: schema for field, schema in (COMMON_OPTIONAL | optional).items() if field not in required}
    return record({"format": FORMAT} | COMMON | required, rest)


BANK: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A bank of questions",
    **record(
        {
            "bank": text("a name unique over all banks: small letters, digits and _", "^[a-z0-9_]+$"),
            "use": {
                "enum": ["practice", "graded"],
                "description": "never both: the keys of practice questions reach the browser, graded keys never do",
            },
            "lesson": text("the notebook it belongs to, such as 03_fracture_types", "^[0-9]{2}_[a-z0-9_]+$"),
            "title": TEXT,
            "licence": text("a licence such as CC-BY-4.0"),
            "read": text("the day its questions were last read against their sources", f"^{DAY}$"),
            "review_by": text("the day by which somebody must read them anew", f"^{DAY}$"),
            "items": listed(
                {
                    "type": "object",
                    "required": ["format"],
                    "properties": {"format": FORMAT},
                    "allOf": [
                        {
                            "if": {"properties": {"format": {"const": name}}, "required": ["format"]},
                            "then": {"$ref": f"#/$defs/{name}"},
                        }
                        for name in FORMATS
                    ],
                },
                1,
                "the questions",
            ),
        }
    ),
    "$defs": {name: _item(name) for name in FORMATS},
}


_ANYTHING: Schema = {name: rule for name, rule in BANK["properties"]["items"]["items"].items() if name != "allOf"}
_BANK_OF_ANYTHING: Schema = BANK | {
    "properties": BANK["properties"] | {"items": BANK["properties"]["items"] | {"items": _ANYTHING}}
}


def reviews(stated: str) -> tuple[str, ...]:
    """Return the reviews that the field clinical_review states, one "name, role, date" each; none is none."""
    return () if stated == "none" else tuple(each.strip() for each in stated.split(";"))


def export() -> str:
    """Return the text of `quizzes/schema.json`."""
    return json.dumps(BANK, indent=2, ensure_ascii=False) + "\n"


# --- Errors in plain words --------------------------------------------------------------------------------------------

KINDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of fields",
}


def faults(data: Any, rules: Schema | None = None) -> Iterator[tuple[Path, str]]:
    """Yield (path, what is wrong; the mend) for each place where data, by default a bank's, do not fit the rules."""
    for path, error in _errors(data, BANK if rules is None else rules):
        for field, what in _in_words(error):
            yield (*path, *field), _within(path, data) + what


@cache
def _of_format(name: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(BANK["$defs"][name])


def _errors(data: Any, rules: Schema) -> Iterator[tuple[Path, "ValidationError"]]:
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(_BANK_OF_ANYTHING if rules is BANK else rules).iter_errors(data):
        yield tuple(error.absolute_path), error
    # The same as BANK's `if` and `then`, but each question meets one schema instead of asking nine whether they apply.
    listed = data.get("items") if rules is BANK and isinstance(data, dict) else None
    for i, item in enumerate(listed if isinstance(listed, list) else ()):
        form = item.get("format") if isinstance(item, dict) else None
        if isinstance(form, str) and form in FORMATS:
            for error in _of_format(form).iter_errors(item):
                yield ("items", i, *error.absolute_path), error


def _within(path: Path, data: Any) -> str:
    """Name the part that the path leads to, such as "options burst: "; the question or scene has no name here."""
    names = []
    for step in path:
        data = data[step]
        named = isinstance(step, int) and isinstance(data, dict) and isinstance(data.get("id"), str)
        names.append(data["id"] if named else str(step + 1) if isinstance(step, int) else step)
    if path[:1] in (("items",), ("scenes",)) and len(path) > 1:
        names = names[2:]
    return " ".join(names) + ": " if names else ""


def _in_words(error: "ValidationError") -> Iterator[tuple[Path, str]]:
    """Yield (field within the faulty part, what is wrong; the mend) for one error of the schema."""
    value: Any = error.instance
    limit: Any = error.validator_value
    rule: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    meaning = rule.get("description", "")
    hint = f" ({meaning})" if meaning else ""
    match error.validator:
        case "required":
            # A misspelt field is one fault, not a missing one and an unknown one.
            misspelt = {_nearest_field(name, rule) for name in value if name not in rule["properties"]}
            for name in limit:
                if name not in value and name not in misspelt:
                    about = rule["properties"][name].get("description", "it is needed")
                    yield (name,), f"the field {name} is missing; add it: {about}"
        case "additionalProperties":
            for name in value:
                if name not in rule["properties"]:
                    yield (name,), _unknown_field(name, value, rule)
        case "type":
            quotable = limit == "string" and value is not None and not isinstance(value, list | dict)
            mend = "put it in quotes" if quotable else "correct it"
            yield (), f"is {kind(value)}, must be {KINDS[limit]}{hint}; {mend}"
        case "enum":
            mend = nearest(str(value), limit) or "correct it"
            yield (), f"is {_short(value)}, must be one of {', '.join(limit)}; {mend}"
        case "pattern":
            yield (), f"is {_short(value)}, must be {meaning}; correct it"
        case "minLength":
            yield (), f"is empty; write it: {meaning}"
        case "minItems":
            yield (), f"has too few entries ({len(value)}, at least {limit}){hint}; add the missing ones"
        case "maxItems":
            yield (), f"has too many entries ({len(value)}, at most {limit}){hint}; remove the others"
        case "minimum":
            yield (), f"is {value}, must be at least {limit}{hint}; correct it"
        case "maximum":
            yield (), f"is {value}, must be at most {limit}{hint}; correct it"
        case "exclusiveMinimum":
            yield (), f"is {value}, must be above {limit}{hint}; correct it"


def _unknown_field(name: str, value: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    homes = [form for form, fields in FORMATS.items() if name in fields[0] or name in fields[1]]
    if "stem" in rule["properties"] and homes:
        what = f"the field {name} belongs to {' and '.join(homes)}, not to {value.get('format')}"
        return f"{what}; remove it, or change the format"
    near = _nearest_field(name, rule)
    fields = ", ".join(rule["properties"])
    return f"there is no field {name}; " + (f"did you mean {near}?" if near else f"the fields are: {fields}")


def _nearest_field(name: str, rule: Mapping[str, Any]) -> str:
    return next(iter(difflib.get_close_matches(name, list(rule["properties"]), n=1)), "")


def nearest(name: str, names: Collection[str]) -> str:
    """Return "did you mean x?" for the nearest of the names, "" when none is near."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"did you mean {near[0]}?" if near else ""


def kind(value: Any) -> str:
    """Say in words what kind of value YAML read."""
    if value is None:
        return "empty"
    kinds = {bool: "boolean", str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return KINDS[kinds[type(value)]] if type(value) in kinds else f"a {type(value).__name__}"


def _short(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
