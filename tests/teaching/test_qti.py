"""A QTI package is valid by the official schema, and what it computes is what the course computes.

`Engine` executes responseProcessing as QTI 2.1 defines its operators, and knows nothing of the course.
"""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.teaching import exporting
from validation import EXACT, validates
from vertebra.quiz import scoring
from vertebra.teaching.exports import Exported
from vertebra.teaching.files import TeachingError
from vertebra.teaching.key import Key, Question
from vertebra.teaching.qti import export_qti

SCHEMAS = Path(__file__).parents[3] / "shared" / "validators" / "qti"
Q = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
CP = "{http://www.imsglobal.org/xsd/imscp_v1p1}"


class Engine:
    """One item: `run` gives its outcomes for {response identifier: value, list or None}."""

    def __init__(self, root: ET.Element) -> None:
        self.root = root
        self.declared = {each.get("identifier"): each for each in root.iter(f"{Q}responseDeclaration")}

    def run(self, responses: dict[str, Any]) -> dict[str, Any]:
        self.values: dict[str, Any] = dict.fromkeys(self.declared) | {
            name: value for name, value in responses.items() if value != []
        }
        for each in self.root.iter(f"{Q}outcomeDeclaration"):
            value = each.find(f"{Q}defaultValue/{Q}value")
            self.values[each.attrib["identifier"]] = None if value is None else float(value.text or "")
        processing = self.root.find(f"{Q}responseProcessing")
        assert processing is not None
        self.rules(list(processing))
        return self.values

    def rules(self, rules: list[ET.Element]) -> None:
        for rule in rules:
            if rule.tag == f"{Q}setOutcomeValue":
                self.values[rule.attrib["identifier"]] = self.value(rule[0])
            elif rule.tag == f"{Q}responseCondition":
                for branch in rule:
                    if self.value(branch[0]) is True:
                        self.rules(list(branch)[1:])
                        break
            else:
                raise AssertionError(rule.tag)

    def right(self, name: str) -> Any:
        declared = self.declared[name]
        values = [self.cast(declared, v.text) for v in declared.iterfind(f"{Q}correctResponse/{Q}value")]
        return values[0] if declared.get("cardinality") == "single" else values

    @staticmethod
    def cast(declared: ET.Element, text: str | None) -> Any:
        return float(text or "") if declared.get("baseType") in ("float", "integer") else text

    def mapped(self, name: str) -> float:
        table = self.declared[name].find(f"{Q}mapping")
        assert table is not None
        entries = {each.attrib["mapKey"]: float(each.attrib["mappedValue"]) for each in table}
        given = self.values[name]
        given = set(given) if isinstance(given, list) else {given}
        total = sum(entries.get(value, float(table.attrib["defaultValue"])) for value in given)
        return max(total, float(table.get("lowerBound", "-inf")))

    def value(self, node: ET.Element) -> Any:
        tag = node.tag.removeprefix(Q)
        match tag:
            case "variable":
                return self.values[node.attrib["identifier"]]
            case "correct":
                return self.right(node.attrib["identifier"])
            case "mapResponse":
                return self.mapped(node.attrib["identifier"])
            case "baseValue":
                return self.cast(node, node.text)
        parts = [self.value(child) for child in node]
        if tag == "isNull":
            return parts[0] is None
        if tag == "containerSize":
            return len(parts[0] or ())
        if any(part is None for part in parts):
            return None
        match tag:
            case "not":
                return not parts[0]
            case "or":
                return any(parts)
            case "sum":
                return sum(parts)
            case "divide":
                return parts[0] / parts[1]
            case "lt":
                return parts[0] < parts[1]
            case "gt":
                return parts[0] > parts[1]
            case "member":
                return parts[0] in parts[1]
            case "index":
                place = int(node.attrib["n"])
                return parts[0][place - 1] if place <= len(parts[0]) else None
            case "match":
                multiple = node[1].tag == f"{Q}correct" and self.declared[node[1].attrib["identifier"]]
                if multiple is not False and multiple.get("cardinality") == "multiple":
                    return sorted(parts[0]) == sorted(parts[1])
                return parts[0] == parts[1]
            case "equal":
                if node.get("toleranceMode") == "exact":
                    return parts[0] == parts[1]
                low, high = map(float, node.attrib["tolerance"].split())
                return parts[1] - low <= parts[0] <= parts[1] + high
        raise AssertionError(f"this reader does not know {tag}")


def responses(asked: Question, answer: Any) -> dict[str, Any]:
    """Return an answer as QTI's response variables."""
    match asked.key["format"]:
        case "matching":
            return {"RESPONSE": [f"{prompt} {option}" for prompt, option in answer.items() if option]}
        case "hotspot":
            return {"RESPONSE": answer["region"]}
        case "stop_decision":
            return {"RESPONSE": f"f{answer['frame']}"}
        case "key_feature":
            names = [decision["id"] for decision in asked.public["decisions"]]
            return {f"RESPONSE-{place}": answer[name] for place, name in enumerate(names, 1)}
    return {"RESPONSE": answer}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Key, Exported, dict[str, bytes]]:
    key = exporting.key_of(exporting.course_items())
    out = tmp_path_factory.mktemp("qti") / "all.zip"
    exported = export_qti(key, out)
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as package:
        return key, exported, {name: package.read(name) for name in package.namelist()}


def engines(whole: tuple[Key, Exported, dict[str, bytes]]) -> list[tuple[Question, Engine]]:
    key, exported, files = whole
    held = [question for question in key.items if question.bank_id in exported.held]
    found = {}
    for name, content in files.items():
        if name.startswith("items/") and name.endswith(".xml"):
            root = ET.fromstring(content)
            found[root.attrib["title"]] = Engine(root)
    return [(question, found[question.bank_id]) for question in held]


@validates(
    "teaching.qti",
    "Files of an export",
    against="the official QTI 2.1 schema, in lxml",
    kind="library",
    tolerance=EXACT,
)
def test_all_files_fit_the_official_schema(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip(f"the QTI schemas are not at {SCHEMAS}; they are needed to validate an export")
    etree = pytest.importorskip("lxml.etree")
    item_schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "qtiv2p1" / "imsqti_v2p1.xsd")))
    for name, content in whole[2].items():
        if name.endswith(".xml") and name != "imsmanifest.xml":
            assert item_schema.validate(etree.fromstring(content)), (name, item_schema.error_log)


@validates(
    "teaching.qti",
    "What each of over 4000 answers earns",
    against="a reading of the QTI 2.1 standard of its own",
    kind="computation",
    tolerance=EXACT,
)
def test_every_answer_earns_what_the_course_gives_it(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    tried = 0
    for asked, engine in engines(whole):
        for answer in exporting.answers(asked):
            got = engine.run(responses(asked, answer))
            assert got["SCORE"] == scoring.score(asked.key, answer), (asked.bank_id, answer)
            assert got["FEEDBACK"] == "WORKED"
            tried += 1
    assert tried > 4000


def test_no_answer_earns_nothing(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    for asked, engine in engines(whole):
        assert engine.run({})["SCORE"] == 0, asked.bank_id


def test_the_keys_are_those_of_the_bank(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    bank = {item.id: item.key_record() for item in exporting.course_items()}
    assert len(bank) == 412
    for asked, engine in engines(whole):
        own = bank[asked.bank_id]
        if own["format"] == "key_feature":
            for place, decision in enumerate(own["decisions"].values(), 1):
                right = {asked.names[name] for name in engine.right(f"RESPONSE-{place}")}
                assert right == set(decision["key"])
            continue
        right = engine.right("RESPONSE")
        match own["format"]:
            case "numeric":
                assert right == own["value"]
            case "single_best_answer" | "hotspot":
                assert asked.names[right] == own["key"]
            case "multiple_response":
                assert {asked.names[name] for name in right} == set(own["key"])
            case "ordering":
                assert [asked.names[name] for name in right] == own["key"]
            case "matching":
                pairs = (pair.split() for pair in right)
                assert {asked.names[p]: asked.names[o] for p, o in pairs} == own["key"]
            case _:
                assert right == f"f{own['example']['frame']}"


def test_only_the_needle_is_refused_and_the_report_says_so(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    key, exported, _ = whole
    needles = {question.bank_id for question in key.items if question.key["format"] == "needle_path"}
    assert needles and exported.refused.keys() == needles
    assert len(exported.held) + len(needles) == len(key.items)
    report = exported.report.read_text(encoding="utf-8")
    assert all(f"Refused: {name}: the picture follows the controls" in report for name in needles)
    assert "certainty" in report
    assert exported.file.stat().st_mode & 0o077 == 0 == exported.report.stat().st_mode & 0o077


def test_the_manifest_names_every_file_once(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    files = whole[2]
    manifest = ET.fromstring(files["imsmanifest.xml"])
    named = [file.attrib["href"] for file in manifest.iter(f"{CP}file")]
    assert sorted([*named, "imsmanifest.xml"]) == sorted(files)
    resources = {resource.attrib["identifier"] for resource in manifest.iter(f"{CP}resource")}
    assert {each.attrib["identifierref"] for each in manifest.iter(f"{CP}dependency")} == resources - {"TEST"}


def test_pictures_are_files_that_the_items_show(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    files = whole[2]
    shown = set()
    for name, content in files.items():
        if name.startswith("items/") and name.endswith(".xml"):
            root = ET.fromstring(content)
            shown |= {f"items/{each.attrib['src']}" for each in root.iter(f"{Q}img")}
            shown |= {f"items/{each.attrib['data']}" for each in root.iter(f"{Q}object")}
    assert shown == {name for name in files if name.endswith((".svg", ".png"))}


def test_the_test_weights_each_item_by_its_points(whole: tuple[Key, Exported, dict[str, bytes]]) -> None:
    key, exported, files = whole
    points = {question.id: question.points for question in key.items if question.bank_id in exported.held}
    root = ET.fromstring(files["test.xml"])
    found = {
        each.attrib["identifier"]: float(each.find(f"{Q}weight").attrib["value"])  # type: ignore[union-attr]
        for each in root.iter(f"{Q}assessmentItemRef")
    }
    assert found == points


def test_the_same_key_gives_the_same_bytes(tmp_path: Path) -> None:
    key = exporting.key_of(exporting.course_items()[:3])
    first, second = (export_qti(key, tmp_path / name).file.read_bytes() for name in ("a.zip", "b.zip"))
    assert first == second


@pytest.mark.parametrize("rule", ["all_or_nothing", "each_option", "net_correct"])
def test_every_rule_of_multiple_response(rule: str, tmp_path: Path) -> None:
    _check_rule("multiple_response", rule, tmp_path)


@pytest.mark.parametrize("rule", ["all_or_nothing", "adjacent_pairs", "all_pairs"])
def test_every_rule_of_ordering(rule: str, tmp_path: Path) -> None:
    _check_rule("ordering", rule, tmp_path)


def _check_rule(kind: str, rule: str, tmp_path: Path) -> None:
    items = [replace(item, scoring=rule) for item in exporting.course_items() if item.format == kind]
    key = exporting.key_of(items[:6])
    exported = export_qti(key, tmp_path / "rule.zip")
    with zipfile.ZipFile(exported.file) as package:
        for asked in key.items:
            engine = Engine(ET.fromstring(package.read(f"items/{asked.id}.xml")))
            for answer in exporting.answers(asked):
                assert engine.run(responses(asked, answer))["SCORE"] == scoring.score(asked.key, answer)


def test_a_quiz_of_which_nothing_can_be_held_is_an_error(tmp_path: Path) -> None:
    items = [item for item in exporting.course_items() if item.format == "needle_path"]
    with pytest.raises(TeachingError, match=f"{items[0].id}: QTI 2.1 cannot hold it: the picture follows"):
        export_qti(exporting.key_of(items), tmp_path / "none.zip")
    assert not list(tmp_path.iterdir())
