"""Finds interface strings that no translator will see: literals that read like words and are in no t(), tn() or tc().

It looks where words come onto a page: text and labels in markup, and sentences, capitalised words and what is given to
textContent, aria-label and their like in code. A lower-case word on its way through a variable can escape it; for those
there is the run in a made-up language, in which everything that goes through the catalogue is marked.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tools.extract_words import Token, tokens

SILENT = {"t", "tn", "tc", "querySelector", "querySelectorAll", "closest", "matches", "matchMedia", "addEventListener"}
SILENT |= {"removeEventListener", "getContext", "getPropertyValue", "RegExp", "startsWith", "endsWith"}
SHOWN = {"textContent", "innerText", "title", "placeholder", "alt", "aria-label", "aria-valuetext", "aria-description"}
MAKERS = {"h", "make"}  # of elements: what they are given from the third place on is text
KEYS = re.compile(r"(Arrow|Page)\w+|Escape|Enter|Home|End|Tab|Shift|Delete|Backspace")
VALUE = "\ue000"  # stands for a value in a template
TAG = re.compile(r"<[a-zA-Z/!](?:[^>\"]|\"[^\"]*\")*>")
LABEL = re.compile(r'(?<![\w-])(?:aria-label|aria-valuetext|aria-description|title|alt|placeholder|label)="([^"]*)"')
UNITS = re.compile(r"\b(?:mm|cm|mL|MPa|kPa|kN|kg|bar|psi|HU|Pa|min|AP|CT|MRI|Brier|vertebra)\b|&\w+;|\[[a-z0-9_; ]+\]")
CODE = re.compile(
    r"[{};=#<>]|--|://|^[.#]|\d(?:px|rem|%)"
    r"|\b(?:rgba?|url|var|minmax|translate|rotate|brightness|system-ui|use strict)\b"
)
CLASSES = re.compile(r"(?:(?:[a-z\ue000]+(?:-[\w\ue000]*)+|[a-z]{2})(?: |$))+")


class Found(NamedTuple):
    """A literal that reads like words: where it is and what it says, with … for each value in it."""

    line: int
    text: str


def wordy(text: str) -> bool:
    """Return whether anything is left to translate when values, units and citations are taken away."""
    return bool(re.search(r"[^\W\d_]{2,}", UNITS.sub(" ", text.replace(VALUE, " "))))


def reads(text: str) -> bool:
    """Return whether a literal in code reads like a label or a sentence, and not like a name, a class or a style."""
    if not wordy(text) or CODE.search(text) or KEYS.fullmatch(text) or CLASSES.fullmatch(text):
        return False
    label = re.match(r"[(:“ ]*[A-Z“](?:[a-z]+|-[a-z]+)(?:\W|$)", text)
    return bool(label or re.search(r"[a-z,.:;)] +[a-z(“]{2}", text))


def pieces(markup: str) -> Iterator[str]:
    """Yield the texts and labels of a piece of markup."""
    for tag in TAG.findall(markup):
        yield from LABEL.findall(tag)
    # An inline element without attributes is part of a sentence; a value at the edge is not.
    yield from (part for part in TAG.split(re.sub(r"</?(?:b|strong|em|i|sub|sup|small|br)>", " ", markup)))


@dataclass
class Bracket:
    """An open bracket: whose call it is, the place of what stands now, and the name before the colon, if any."""

    sign: str
    caller: str
    place: int = 0
    name: str = ""


def in_javascript(source: str) -> list[Found]:
    """Return the untranslated literals of a JavaScript source."""
    return [Found(line, text.replace(VALUE, "…").strip()) for line, text in _javascript(source)]


def _javascript(source: str) -> Iterator[Found]:
    found = tokens(source)
    brackets: list[Bracket] = [Bracket("", "")]
    templates: list[tuple[Token, Bracket, str, list[str]]] = []
    for i, token in enumerate(found):
        before = found[i - 1].text if i else ""
        after = found[i + 1].text if i + 1 < len(found) else ""
        inner = brackets[-1]
        if token.kind == "sign" and token.text in "([{":
            called = token.text == "(" and i > 0 and found[i - 1].kind == "name"
            brackets.append(Bracket(token.text, before if called else ""))
        elif token.kind == "sign" and token.text in ")]}" and len(brackets) > 1:
            brackets.pop()
        elif token.text == "," and token.kind == "sign":
            inner.place, inner.name = inner.place + 1, ""
        elif token.text == ":" and token.kind == "sign" and inner.sign == "{":
            inner.name = before
        elif token.kind == "template" and token.text:
            templates.append((token, inner, before, []))
            brackets.append(Bracket("`", ""))
        elif token.kind == "chunk":
            templates[-1][3].append(token.text)
        elif token.kind == "template":
            brackets.pop()
            begin, around, ahead, chunks = templates.pop()
            yield from _judged(source, begin, VALUE.join(chunks), around, ahead, after)
        elif token.kind == "text":
            yield from _judged(source, token, token.text, inner, before, after)


def _judged(source: str, token: Token, text: str, inner: Bracket, before: str, after: str) -> Iterator[Found]:
    line = source.count("\n", 0, token.begin) + 1
    is_name = after == ":" and inner.sign == "{" and before in {"{", ","}
    if (
        inner.caller in SILENT
        or inner.caller.endswith("Error")
        or is_name
        or {before, after} & {"===", "!==", "case", "in", "import", "from"}
    ):
        return
    if TAG.search(text):
        yield from (Found(line, piece) for piece in pieces(text) if wordy(piece) and not CODE.search(piece))
        return
    target = re.search(r"(?:\.|\[\")([\w-]+)(?:\"\])?\s*=\s*$", source[: token.begin][-40:])
    shown = inner.name in SHOWN or (inner.caller in MAKERS and inner.place >= 2) or (target and target[1] in SHOWN)
    if reads(text) or (shown and wordy(text) and not CODE.search(text) and not CLASSES.fullmatch(text)):
        yield Found(line, text)


def in_python(source: str, sinks: frozenset[str]) -> list[Found]:
    """Return the literals of a Python source that are put into one of `sinks`.

    In sinks stand names of attributes, as in `self.problem = "..."`, and of what is called, as in `QuizError("...")`.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        values: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            names = {each.attr for each in node.targets if isinstance(each, ast.Attribute)}
            names |= {each.id for each in node.targets if isinstance(each, ast.Name)} & {"refusal"}
            values = [node.value] if names & sinks else []
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            values = node.args[:1] if called in sinks else []
        found += [Found(each.lineno, _literal(each).replace(VALUE, "…")) for each in values if wordy(_literal(each))]
    return found


def _literal(node: ast.expr) -> str:
    """Return what a string or f-string says, with VALUE for its values; "" for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) if isinstance(part, ast.Constant) else VALUE for part in node.values)
    if isinstance(node, ast.IfExp):
        return f"{_literal(node.body)} {_literal(node.orelse)}".strip()
    return ""
