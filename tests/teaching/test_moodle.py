"""Moodle XML holds the bank's keys, and Moodle's own rules of marking give the course's shares.

`share` marks as Moodle's question types do (their documented rules, read from its source), by the texts of the file.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.teaching import exporting
from validation import validates
from vertebra.quiz import scoring
from vertebra.teaching.exports import Exported
from vertebra.teaching.key import Key, Question
from vertebra.teaching.moodle import PERCENTAGES, export_moodle

ROUNDED = 1e-6  # a third is 33.33333 % there


def plain(html: str | None) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html or ""))).strip()


def same(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def texts(asked: Question, group: str) -> dict[str, str]:
    return {part["id"]: same(part["text"]) for part in asked.public[group]}


def fractions(made: ET.Element) -> dict[str, float]:
    """Return {text of an answer: its fraction}, and see that Moodle has each on its list."""
    found = {plain(each.findtext("text")): float(each.attrib["fraction"]) for each in made.iterfind("answer")}
    assert len(found) == len(made.findall("answer"))
    assert all(abs(fraction) in PERCENTAGES for fraction in found.values())
    return {text: fraction / 100 for text, fraction in found.items()}


def ticked(found: dict[str, float], chosen: list[str]) -> float:
    return min(1.0, max(0.0, sum(found[text] for text in chosen)))


def cloze(text: str) -> Iterator[dict[str, float]]:
    """Yield {text of an answer: fraction} of each MULTIRESPONSE field."""
    for field in re.findall(r"\{1:MULTIRESPONSE:((?:\\.|[^\\}])*)\}", text, re.DOTALL):
        found = {}
        for option in re.split(r"(?<!\\)~", field):
            fraction, words = re.fullmatch(r"%(-?[\d.]+)%(.*)", option, re.DOTALL).groups()  # type: ignore[union-attr]
            answer = re.split(r"(?<!\\)#", words)[0]
            assert abs(float(fraction)) in PERCENTAGES
            found[plain(re.sub(r"\\(.)", r"\1", answer))] = float(fraction) / 100
        yield found


def share(made: ET.Element, asked: Question, answer: Any) -> float:
    match made.attrib["type"], asked.key["format"]:
        case "multichoice", "stop_decision":
            found = list(fractions(made).values())
            return max(0.0, found[answer["frame"]])
        case "multichoice", "hotspot":
            return max(0.0, fractions(made)[texts(asked, "regions")[answer["region"]]])
        case "multichoice", "single_best_answer":
            return max(0.0, fractions(made)[texts(asked, "options")[answer]])
        case "multichoice", "multiple_response":
            assert made.findtext("single") == "false"
            return ticked(fractions(made), [texts(asked, "options")[name] for name in answer])
        case "match", "multiple_response":
            said = {
                text: "applies" if name in answer else "does not apply"
                for name, text in texts(asked, "options").items()
            }
            return matched(made, said)
        case "match", "matching":
            options = texts(asked, "options")
            return matched(
                made, {texts(asked, "prompts")[prompt]: options.get(option, "") for prompt, option in answer.items()}
            )
        case "numerical", _:
            for each in made.iterfind("answer"):
                value, tolerance = float(each.findtext("text") or ""), float(each.findtext("tolerance") or "")
                if abs(answer - value) <= tolerance * (1 + 1e-9) + 1e-12:
                    return float(each.attrib["fraction"]) / 100
            return 0
        case "ordering", _:
            steps = texts(asked, "steps")
            right = [plain(each.findtext("text")) for each in made.iterfind("answer")]
            return ordered(made.findtext("gradingtype"), right, [steps[name] for name in answer])
        case "cloze", _:
            fields = list(cloze(made.findtext("questiontext/text") or ""))
            assert len(fields) == len(asked.public["decisions"])
            total = 0.0
            for field, decision in zip(fields, asked.public["decisions"], strict=True):
                names = {option["id"]: same(option["text"]) for option in decision["options"]}
                total += ticked(field, [names[name] for name in answer[decision["id"]]])
            return total / len(fields)
    raise AssertionError(made.attrib["type"])


def matched(made: ET.Element, said: dict[str, str]) -> float:
    rows = [(plain(row.findtext("text")), same(row.findtext("answer/text") or "")) for row in made.iter("subquestion")]
    lines = {line: answer for line, answer in rows if line}
    assert lines.keys() == said.keys()
    assert {answer for answer in said.values() if answer} <= {answer for _, answer in rows}
    return sum(said[line] == answer for line, answer in lines.items()) / len(lines)


def ordered(grading: str | None, right: list[str], given: list[str]) -> float:
    match grading:
        case "ALL_OR_NOTHING":
            return float(right == given)
        case "RELATIVE_NEXT_EXCLUDE_LAST":
            following = dict(pairwise(given))
            return sum(following.get(a) == b for a, b in pairwise(right)) / (len(right) - 1)
        case "RELATIVE_ALL_PREVIOUS_AND_NEXT":
            count = most = 0
            for step in right:
                i, j = right.index(step), given.index(step)
                count += len({*right[:i]} & {*given[:j]}) + len({*right[i + 1 :]} & {*given[j + 1 :]})
                most += len(right) - 1
            return count / most
    raise AssertionError(grading)


Whole = tuple[Key, Exported, dict[str, ET.Element]]


def read(exported: Exported) -> dict[str, ET.Element]:
    root = ET.fromstring(exported.file.read_bytes())
    return {made.findtext("idnumber") or "": made for made in root if made.attrib["type"] != "category"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    key = exporting.key_of(exporting.course_items())
    exported = export_moodle(key, tmp_path_factory.mktemp("moodle") / "all.xml")
    return key, exported, read(exported)


def test_every_question_is_held_or_refused(whole: Whole) -> None:
    key, exported, made = whole
    assert made.keys() == set(exported.held)
    assert {question.bank_id for question in key.items} == set(exported.held) | exported.refused.keys()
    assert not set(exported.held) & exported.refused.keys()
    report = exported.report.read_text(encoding="utf-8")
    assert all(f"Refused: {name}: {why}" in report for name, why in exported.refused.items())
    formats = {question.bank_id: question.key["format"] for question in key.items}
    assert {formats[name] for name in exported.refused} <= {"needle_path", "key_feature"}
    assert "CBM" in report


@validates(
    "teaching.moodle",
    "What each of over 4000 answers earns",
    against="Moodle's rules, written down anew",
    kind="computation",
    tolerance="1e-6, the decimals of its fractions",
)
def test_every_answer_earns_what_the_course_gives_it(whole: Whole) -> None:
    key, _, made = whole
    tried = 0
    for asked in key.items:
        for answer in exporting.answers(asked) if asked.bank_id in made else ():
            got = share(made[asked.bank_id], asked, answer)
            assert got == pytest.approx(scoring.score(asked.key, answer), abs=ROUNDED), (asked.bank_id, answer)
            tried += 1
    assert tried > 4000


def test_the_keys_are_those_of_the_bank(whole: Whole) -> None:
    """The share of the bank's own key, put into the file's ids and texts, is 1."""
    key, exported, made = whole
    bank = {item.id: item for item in exporting.course_items()}
    assert len(bank) == 412
    for asked in key.items:
        if asked.bank_id not in exported.held:
            continue
        own, neutral = bank[asked.bank_id].key_record(), {old: new for new, old in asked.names.items()}
        right: Any = own.get("key")
        match own["format"]:
            case "numeric":
                right = own["value"]
            case "single_best_answer":
                right = neutral[right]
            case "hotspot":
                right = {"region": neutral[right]}
            case "multiple_response" | "ordering":
                right = [neutral[name] for name in right]
            case "matching":
                lines = {old: new for new, old in asked.names.items() if new.startswith("p")}
                options = {old: new for new, old in asked.names.items() if new.startswith("o")}
                right = {lines[prompt]: options[option] for prompt, option in right.items()}
            case "key_feature":
                names = {old: new for new, old in asked.names.items() if new.startswith("d")}
                options = {old: new for new, old in asked.names.items() if new.startswith("o")}
                right = {names[n]: [options[o] for o in d["key"]] for n, d in own["decisions"].items()}
            case "stop_decision":
                right = own["example"]
        assert share(made[asked.bank_id], asked, right) == pytest.approx(1, abs=ROUNDED), asked.bank_id


def test_points_reasons_and_pictures_go_along(whole: Whole) -> None:
    key, _, made = whole
    for asked in key.items:
        if asked.bank_id not in made:
            continue
        question = made[asked.bank_id]
        if question.attrib["type"] != "cloze":
            assert float(question.findtext("defaultgrade") or "") == asked.points
        feedback = plain(question.findtext("generalfeedback/text"))
        assert all(same(why) in feedback for why in asked.rationales.values())
        body = question.findtext("questiontext/text") or ""
        files = {file.attrib["name"]: base64.b64decode(file.text or "") for file in question.iter("file")}
        assert set(re.findall(r"@@PLUGINFILE@@/([^\"]+)", body)) == files.keys()
        if asked.public.get("image"):
            assert base64.b64decode(asked.public["image"]["uri"].partition(",")[2]) in files.values()
        ET.fromstring(f"<div>{body.replace('&nbsp;', ' ')}</div>")  # well-formed, so nothing was left unescaped


@pytest.mark.parametrize("rule", ["all_or_nothing", "each_option", "net_correct"])
def test_every_rule_of_multiple_response(rule: str, tmp_path: Path) -> None:
    items = [replace(item, scoring=rule) for item in exporting.course_items() if item.format == "multiple_response"]
    key = exporting.key_of(items + [item for item in exporting.course_items() if item.format == "numeric"][:1])
    exported = export_moodle(key, tmp_path / "rule.xml")
    made = read(exported)
    if rule == "all_or_nothing":  # all of them have two keys or more, so half of them would earn half
        assert exported.refused.keys() == {item.id for item in items}
        assert all("cannot score" in why and "each_option" in why for why in exported.refused.values())
        return
    assert not exported.refused
    for asked in key.items:
        for answer in exporting.answers(asked):
            got = share(made[asked.bank_id], asked, answer)
            assert got == pytest.approx(scoring.score(asked.key, answer), abs=ROUNDED)


@pytest.mark.parametrize("rule", ["all_or_nothing", "adjacent_pairs", "all_pairs"])
def test_every_rule_of_ordering(rule: str, tmp_path: Path) -> None:
    items = [replace(item, scoring=rule) for item in exporting.course_items() if item.format == "ordering"][:6]
    key = exporting.key_of(items)
    made = read(export_moodle(key, tmp_path / "rule.xml"))
    for asked in key.items:
        for answer in exporting.answers(asked):
            assert share(made[asked.bank_id], asked, answer) == pytest.approx(scoring.score(asked.key, answer))


def test_only_its_owner_may_read_the_export(whole: Whole) -> None:
    assert whole[1].file.stat().st_mode & 0o077 == 0
