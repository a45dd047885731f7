"""Bring the catalogues in src/vertebra/locale to the code: `python tools/extract_words.py`.

Writes the template `vertebra.pot`; in each `vertebra.po` adds new messages, empty, for a translator, and puts away what
is gone; and compiles each `vertebra.mo`. Babel reads and writes the files. The code is read here: in JavaScript
Babel takes a template in a template for the end of the first, and it does not read Python's f-strings.
"""

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "src" / "vertebra" / "locale"
CODE = [ROOT / "src" / "vertebra" / room for room in ("widgets", "site", "quiz")]
PYTHON = {"_": 1, "N_": 1, "ngettext": 2, "pgettext": 2}  # how many messages each takes
JAVASCRIPT = {"t": 1, "tn": 2, "tc": 2}
HEADER = "# Interface strings of the course vertebra, made by tools/extract_words.py\n"
# Dates and names in a catalogue's head say nothing that git does not say, and each run would make another file.
DATED = re.compile(
    rb'^"(?:Project-Id|POT-Creation|PO-Revision|Generated|Last-Trans|Language-Team|Report-Msgid)[^\n]*\n', re.MULTILINE
)

Message = tuple[str | None, str, str | None]  # context, message, plural


@dataclass(frozen=True)
class Token:
    """A piece of JavaScript. kind: "text" (a string), "chunk" (text of a template), "template" (its two ends), "name",
    "number", "regex" or "sign". text: what it says, quotes and escapes undone; begin, end: where it stands."""

    kind: str
    text: str
    begin: int
    end: int


PIECES = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<name>[\w$]+)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<sign>=>|[=!]==?|&&|\|\||\?\?|\?\.|\.\.\.|[<>]=|[^\s\w])""",
    re.DOTALL,
)
REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
CHUNK = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*", re.DOTALL)
ESCAPE = re.compile(r"\\(u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\n|.)", re.DOTALL)
PLAIN = {"n": "\n", "t": "\t", "r": "\r", "\n": "", "0": "\0", "b": "\b"}


def unescaped(text: str) -> str:
    """Return what a JavaScript string says."""

    def one(found: re.Match[str]) -> str:
        code = found[2] or found[3] or found[4]
        return chr(int(code, 16)) if code else PLAIN.get(found[1], found[1])

    return ESCAPE.sub(one, text)


def tokens(source: str) -> list[Token]:
    """Return the tokens of a JavaScript source, templates in templates included."""
    found: list[Token] = []
    depths: list[int] = []  # of braces, one for each template that is open
    at = depth = 0
    while at < len(source):
        if depths and source[at] == "}" and depth == depths[-1]:
            at = _template(source, at + 1, found)
            if source[at - 1] == "`":
                depths.pop()
            continue
        if source[at] == "`":
            found.append(Token("template", "`", at, at + 1))
            at = _template(source, at + 1, found)
            if source[at - 1] != "`":
                depths.append(depth)
            continue
        regex = REGEX.match(source, at) if source[at] == "/" and not source.startswith(("//", "/*"), at) else None
        if regex and not _is_value(found):
            found.append(Token("regex", regex[0], at, regex.end()))
            at = regex.end()
            continue
        piece = PIECES.match(source, at)
        assert piece, source[at : at + 40]
        at, kind, text = piece.end(), str(piece.lastgroup), piece[0]
        depth += {"{": 1, "}": -1}.get(text, 0)
        if kind == "name" and text[0].isdigit():
            kind = "number"
        if kind != "space":
            found.append(Token(kind, unescaped(text[1:-1]) if kind == "text" else text, piece.start(), at))
    return found


def _template(source: str, at: int, found: list[Token]) -> int:
    """Read a template on from `at` to its next value or its end, and return the place behind that."""
    chunk = CHUNK.match(source, at)
    assert chunk
    found.append(Token("chunk", unescaped(chunk[0]), at, chunk.end()))
    if source[chunk.end()] == "`":
        found.append(Token("template", "", chunk.end(), chunk.end() + 1))
        return chunk.end() + 1
    return chunk.end() + 2  # behind "${"


def _is_value(found: list[Token]) -> bool:
    """Whether a slash after these tokens divides."""
    if not found:
        return False
    last = found[-1]
    if last.kind == "name":
        return last.text not in {"return", "typeof", "case", "of", "in"}
    return last.kind in {"number", "text", "regex", "template"} or last.text in {")", "]", "}"}


def javascript(source: str) -> Iterator[Message]:
    """Yield what t, tn and tc are called with."""
    found = tokens(source)
    for i, token in enumerate(found[:-2]):
        if token.kind != "name" or token.text not in JAVASCRIPT or found[i + 1].text != "(" or found[i - 1].text == ".":
            continue
        if token.text == "t" and found[i + 2].kind == "name":
            continue  # a constant that is marked where it is written
        wanted = [found[i + 2 + 2 * place] for place in range(JAVASCRIPT[token.text]) if i + 2 + 2 * place < len(found)]
        if any(each.kind != "text" for each in wanted):
            line = source.count("\n", 0, token.begin) + 1
            raise ValueError(f"line {line}: {token.text}() takes its messages as plain strings, to be found here")
        first, second = ([each.text for each in wanted] + [None])[:2]
        assert first is not None
        if token.text == "tc":
            assert second is not None
            yield first, second, None
        else:
            yield None, first, second


def python(source: str) -> Iterator[Message]:
    """Yield what the functions of `vertebra.language` are called with, in f-strings too, where Babel does not look."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        words = [each.value for each in call.args[: PYTHON.get(name, 0)] if isinstance(each, ast.Constant)]
        if not words and name in ("_", "N_"):
            continue  # a constant that is marked where it is written
        if len(words) < PYTHON.get(name, 0):
            raise ValueError(f"line {call.lineno}: {name}() takes its messages as plain strings, to be found here")
        if name == "pgettext":
            yield words[0], words[1], None
        elif name in PYTHON:
            yield None, words[0], words[1] if name == "ngettext" else None


def messages() -> dict[Message, list[str]]:
    """Return every interface message of the code, with the files it stands in."""
    found: dict[Message, list[str]] = {}
    files = [*(path for folder in CODE for path in sorted(folder.rglob("*.py")) + sorted(folder.rglob("*.js")))]
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        read = python(text) if path.suffix == ".py" else javascript(text)
        try:
            for message in read:
                places = found.setdefault(message, [])
                places += [name] if name not in places else []
        except ValueError as error:
            raise SystemExit(f"{name}, {error}") from None
    return found


def template() -> Catalog:
    """Return the catalogue of all messages without translations."""
    catalog = Catalog(project="vertebra", header_comment=HEADER.rstrip(), charset="utf-8")
    for (context, one, many), places in messages().items():
        catalog.add((one, many) if many else one, locations=[(name, 0) for name in places], context=context)
    return catalog


def written(catalog: Catalog) -> bytes:
    """Return a catalogue as text: files without line numbers, or it would change with each line of code."""
    out = BytesIO()
    write_po(out, catalog, width=110, include_lineno=False)
    return DATED.sub(b"", out.getvalue())


def compiled(po: Path) -> bytes:
    """Return the `.mo` of a catalogue, the same for the same words: Babel's own tells when it was made."""
    with po.open("rb") as text:
        catalog = read_po(text)
    words = {b"": f"Content-Type: text/plain; charset=utf-8\nPlural-Forms: {catalog.plural_forms}\n".encode()}
    for each in catalog:
        ids, strings = ((one,) if isinstance(one, str) else one for one in (each.id, each.string))
        if each.id and all(strings):
            context = f"{each.context}\x04" if each.context else ""
            words[(context + "\0".join(ids)).encode()] = "\0".join(strings).encode()
    # The layout of gettext's manual: a head, two tables of length and place, then the texts, each with a zero behind.
    keys, texts = sorted(words), [words[key] for key in sorted(words)]
    at, tables = 28 + 16 * len(words), b""
    for part in (*keys, *texts):
        tables += struct.pack("<II", len(part), at)
        at += len(part) + 1
    head = struct.pack("<IIIIIII", 0x950412DE, 0, len(words), 28, 28 + 8 * len(words), 0, 0)
    return head + tables + b"".join(part + b"\0" for part in (*keys, *texts))


def main() -> None:
    """Write the template, the catalogues and what is read of them."""
    new = template()
    (LOCALE / "vertebra.pot").write_bytes(written(new))
    for po in sorted(LOCALE.glob("*/LC_MESSAGES/vertebra.po")):
        with po.open("rb") as text:
            catalog = read_po(text)
        catalog.update(new, no_fuzzy_matching=True, update_header_comment=False)
        po.write_bytes(written(catalog))
        po.with_suffix(".mo").write_bytes(compiled(po))
        empty = sum(not each.string or not all(each.string) for each in catalog if each.id)
        print(f"{po.relative_to(ROOT)}: {len(catalog)} messages, {empty} untranslated")


if __name__ == "__main__":
    main()
