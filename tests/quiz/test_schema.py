"""The schema: valid itself, exported as it is, in step with the scorers, and able to say each of its rules in words."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.spoil import spoiled
from vertebra.quiz import schema
from vertebra.quiz.items import load_banks
from vertebra.quiz.scoring import SCORERS, score

QUIZZES = Path(__file__).parents[2] / "quizzes"


def test_the_schema_is_a_valid_schema():
    Draft202012Validator.check_schema(schema.BANK)


def test_the_file_for_editors_is_the_export():
    assert (QUIZZES / "schema.json").read_text(encoding="utf-8") == schema.export(), "run `vertebra quiz schema`"


def test_formats_and_rules_are_those_that_can_be_scored():
    assert list(schema.FORMATS) == list(SCORERS)
    ids = ["a", "b", "c"]
    for name, rules in schema.SCORING.items():
        for rule in rules:
            assert score({"format": name, "key": ids, "options": ids, "scoring": rule}, ids) == 1


SILENT = {"$schema", "title", "description", "properties", "items", "allOf", "if", "then", "$ref", "$defs", "const"}
SPOKEN = {"required", "additionalProperties", "type", "enum", "pattern"}
SPOKEN |= {"minLength", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum"}


def keywords(part):
    """Return the rules that a schema uses, at any depth."""
    found = set(part)
    for name, below in part.items():
        if name in ("properties", "$defs"):
            for child in below.values():
                found |= keywords(child)
        elif name in ("items", "if", "then"):
            found |= keywords(below)
        elif name == "allOf":
            for child in below:
                found |= keywords(child)
    return found


def test_a_bank_is_faulted_as_by_its_schema_whatever_is_spoilt():
    """Each question is held against its own format's schema alone; the exported one asks every format."""
    head = dict.fromkeys(("bank", "use", "lesson", "title", "licence", "read", "review_by"), "x")
    rest = {name: ["x"] if rule.get("type") == "array" else "x" for name, rule in schema.COMMON.items()}
    items = [{"format": "numeric", "answer": {"value": 1}} | rest, {"format": "ordering", "steps": [{"id": 3}]} | rest]
    exported = Draft202012Validator(schema.BANK)
    for bank in spoiled(head | {"items": items}, [None, 7, [], "matching"]):
        asked = {(*error.absolute_path,) for error in exported.iter_errors(bank)}
        assert {path for path, _ in schema._errors(bank, schema.BANK)} == asked


def test_each_rule_of_the_schema_has_its_sentence():
    """A keyword that `schema._in_words` does not know would let a fault pass in silence."""
    assert keywords(schema.BANK) <= SILENT | SPOKEN


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        ({"required": ["a"], "properties": {"a": {}}, "type": "object"}, {}, "the field a is missing; add it"),
        ({"properties": {"abc": {}}, "additionalProperties": False}, {"abd": 1}, "did you mean abc?"),
        ({"type": "string"}, 3, "is a number, must be text; put it in quotes"),
        ({"type": "string"}, None, "is empty, must be text; correct it"),
        ({"enum": ["red"]}, "rad", "is 'rad', must be one of red; did you mean red?"),
        ({"pattern": "^a$", "description": "an a"}, "b", "is 'b', must be an a; correct it"),
        ({"minLength": 1, "description": "a name"}, "", "is empty; write it: a name"),
        ({"minItems": 1}, [], "has too few entries (0, at least 1)"),
        ({"maxItems": 1}, [1, 2], "has too many entries (2, at most 1)"),
        ({"minimum": 0}, -1, "is -1, must be at least 0"),
        ({"maximum": 1}, 2, "is 2, must be at most 1"),
        ({"exclusiveMinimum": 0}, 0, "is 0, must be above 0"),
    ],
)
def test_the_sentence_of_each_rule(rule, value, words):
    sentences = [what for _, what in schema.faults(value, rule)]
    assert len(sentences) == 1
    assert words in sentences[0]


def test_the_banks_of_the_course_are_without_fault_and_name_the_schema():
    banks = load_banks(QUIZZES / "bank")
    assert banks
    for file in (QUIZZES / "bank").glob("*.yml"):
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=../schema.json", file.name
