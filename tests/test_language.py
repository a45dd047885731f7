import gettext
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from gallery import EXHIBITS, Exhibit, at_once
from pages import axe, fits
from tools import extract_words
from unwrapped import in_javascript, in_python, wordy
from vertebra import language
from vertebra.widgets.asking import Module

ROOT = Path(__file__).resolve().parents[1]
CODES = [code for code in language.NAMES if code != language.ENGLISH]
PO = {code: language.LOCALE / code / "LC_MESSAGES" / "vertebra.po" for code in CODES}
RUN = "run `python tools/extract_words.py`"

# The same in both languages: names, letters, units, and words that one language has from the other.
SAME = {
    "th": {"AP", "{day} {month} {year}", "{n} MB", "eGFR, mL/min/1.73 m²"},
    "es": {
        "AP", "no", "Anterior", "Posterior", "Lateral", "Superior", "Inferior", "superior", "inferior", "frontal",
        "lateral", "axial", "coronal", "Frontal", "Normal", "Plan", "Plan {letter}", "Plan A", "Plan B", "aorta", "No",
        "Zoom", "superior anterior", "inferior anterior", "superior posterior", "inferior posterior",
        "{n} min", "{n} MB",
    },
}  # fmt: skip

# Literals that no reader sees as the interface, or that are taught: file, then text and reason.
NOT_INTERFACE = {
    "decision.js": {"Shared decision": "the title of the printed sheet, which is English"},
    "ledger.js": {"Quiz": "a heading of a lesson, to go to"},
    "live.js": {"Python": "the name of a worker"},
    "progress.js": {
        "Pre-test": "a heading of a lesson, to go to",
        "my_answers/progress.json": "a file",
        "my_answers": "a folder",
        "lessons": "a folder",
    },
    "quiz.js": {"per cent": "what a student may type", "…: tip ….": "the films in words, which is taught"},
    "redflags.js": {"History": "a key of the kernel's", "Examination": "a key of the kernel's"},
    "room.js": {"draw back": "an act of the kernel's"},
    "worker.js": {
        "vertebra files …": "the name of a store",
        "vertebra notes …": "the name of a store",
        "Content-Encoding": "of HTTP",
        "Content-Length": "of HTTP",
        "Content-Range": "of HTTP",
        "Range": "of HTTP",
        "not kept: …": "for the console",
    },
}
SINKS = frozenset({"problem", "note", "_note", "notice", "_notice", "refusal", "QuizError", "said", "counted"})


# --- catalogues ------------------------------------------------------------------------------------------------------


@cache
def of_the_code() -> frozenset[extract_words.Message]:
    return frozenset(extract_words.messages())


def catalogue(code: str) -> Any:
    with PO[code].open("rb") as text:
        return read_po(text)


def keys(catalog: Any) -> set[extract_words.Message]:
    named = [(each.context, each.id) for each in catalog if each.id]
    return {(context, *((each, None) if isinstance(each, str) else each)) for context, each in named}


def test_every_string_of_the_code_is_in_every_catalogue_and_no_other():
    wanted = of_the_code()
    with (language.LOCALE / "vertebra.pot").open("rb") as text:
        assert keys(read_po(text)) == wanted, RUN
    for code in CODES:
        assert keys(catalogue(code)) == wanted, (code, RUN)
        assert PO[code].with_suffix(".mo").read_bytes() == extract_words.compiled(PO[code]), (code, RUN)


def test_one_english_message_is_either_counted_or_not():
    found = [(context, one) for context, one, _many in of_the_code()]
    assert len(found) == len(set(found))


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


@pytest.mark.parametrize("code", CODES)
def test_each_message_is_translated_and_nothing_of_it_is_lost(code):
    faults = []
    for each in catalogue(code):
        if not each.id:
            continue
        english = [each.id] if isinstance(each.id, str) else list(each.id)
        said = [each.string] if isinstance(each.string, str) else list(each.string)
        for form, text in enumerate(said):
            source = english[min(form, len(english) - 1)] if len(said) > 1 else english[-1]
            if not text or each.fuzzy:
                faults.append(("is not translated", source))
            elif text == source and source not in SAME[code]:
                faults.append(("is English", source))
            # The form for one thing may say "one" instead of its number.
            elif not holes(source) - {"n"} <= holes(text) <= holes(english[-1]) or holes(text) > holes(english[-1]):
                faults.append(("has other values", source, text))
            elif edges(text) != edges(source):
                faults.append(("begins or ends otherwise", source, text))
            elif sorted(re.findall(r"<[^>]*>|\[[a-z]+\d{4}\w*\]|\[unreferenced\]", text)) != sorted(
                re.findall(r"<[^>]*>|\[[a-z]+\d{4}\w*\]|\[unreferenced\]", source)
            ):
                faults.append(("has other sources or other markup", source, text))
            elif sorted(re.findall(r"\d+(?:[.,]\d+)*", text)) != sorted(re.findall(r"\d+(?:[.,]\d+)*", source)):
                faults.append(("has other numbers", source, text))
            elif set('"&<>') & set(re.sub(r"</?(?:b|strong)>", "", text)):
                faults.append(("cannot stand in markup", source, text))
    assert not faults
    same = {each.id for each in catalogue(code) if each.id == each.string}
    assert same == SAME[code], "SAME names a message that is not the same, or not there"


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_says_that_nobody_has_reviewed_it_and_has_its_glossary(code):
    head = PO[code].read_text(encoding="utf-8").split("msgid")[0]
    assert "# Unreviewed: nobody who speaks this language as a mother tongue, and no clinician, has checked it" in head
    assert "vertebroplasty" in head and "shared decision" in head


# --- strings that no translator sees ---------------------------------------------------------------------------------


def test_no_string_of_the_interface_stays_outside_the_catalogue():
    found: dict[str, dict[str, int]] = {}
    for path in [*(ROOT / "src" / "vertebra").rglob("*.js"), *(ROOT / "src" / "vertebra").rglob("*.py")]:
        if path.parts[-2] not in ("widgets", "site", "static", "live"):
            continue
        text = path.read_text(encoding="utf-8")
        here = in_javascript(text) if path.suffix == ".js" else in_python(text, SINKS)
        known = NOT_INTERFACE.get(path.name, {})
        found |= {path.name: {each.text: each.line for each in here if each.text not in known}}
    assert not {name: lines for name, lines in found.items() if lines}
    everything = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "vertebra").rglob("*.js"))
    for texts in NOT_INTERFACE.values():
        assert all(text.split("…")[0].strip() in everything for text in texts)


PLANTED = {
    'h("button", { onclick: go }, "check")': "check",
    'h("button", { onclick: go }, cond ? "Go on" : "")': "Go on",
    'part("told").textContent = "done";': "done",
    'say(ready ? "There is no way back." : "");': "There is no way back.",
    'node.setAttribute("aria-label", "Film to measure");': "Film to measure",
    'const hint = { "aria-label": "film", class: "vq-hint" };': "film",
    "const page = `<button type=\"button\" title=\"Next film\">${icon}</button>`;": "Next film",
    'const page = `<ul>${rows.map((row) => `<li>${row} of all</li>`).join("")}</ul>`;': "… of all",
    "part(\"count\").textContent = `${n} answered`;": "… answered",
    "throw done ? `Not saved: ${why}` : why;": "Not saved: …",
    'const LABELS = { anterior: "Anterior height lost" };': "Anterior height lost",
}  # fmt: skip


@pytest.mark.parametrize("source", PLANTED)
def test_a_planted_string_is_found_and_is_not_once_it_is_wrapped(source):
    assert [each.text for each in in_javascript(source)] == [PLANTED[source]]
    wrapped = source.replace(f'"{PLANTED[source]}"', f't("{PLANTED[source]}")')
    assert wrapped == source or in_javascript(wrapped) == []


@pytest.mark.parametrize(
    "source",
    [
        'h("p", { class: "vt-note vq-hint", "aria-live": "polite" }, t("Choose first."))',
        'root.querySelector(`[data-part="${name}"] > b`).hidden = mode !== "Draw";',
        "line.setAttribute('transform', `translate(${x} ${y}) rotate(90)`); draw(/Not saved/.test(x) ? a / b : c);",
        'if (event.key === "PageUp" || event.key === "Escape") throw new Error("there is no such key");',
        "const unit = `${value} mL`; // Words in a comment are nobody's",
        'const made = `<p data-part="told" class="vt-note">${t("Film {n}", { n })} ${value} mm</p>`;',
    ],
)
def test_what_nobody_reads_is_no_alarm(source):
    assert in_javascript(source) == []


def test_a_planted_string_is_found_in_python():
    source = 'class A:\n    refusal = "Not so"\n    def f(self):\n        self.problem = f"No file {name}"\n'
    assert [each.text for each in in_python(source, SINKS)] == ["Not so", "No file …"]
    assert in_python('self.problem = _("No file {name}").format(name=name)', SINKS) == []
    assert in_python('raise QuizError("Not there")', SINKS) and not in_python('log("Not there")', SINKS)


def test_messages_are_read_from_code_of_every_kind():
    page = (
        'const page = `<p>${rows.map((r) => `<b>${t("One")}</b>`)} ${tn("{n} a", "{n} b", n)}</p>`; tc("x", \'Two\');'
    )
    assert list(extract_words.javascript(page)) == [(None, "One", None), (None, "{n} a", "{n} b"), ("x", "Two", None)]
    code = """f"<p>{said(_('One'))}</p>"; ngettext("{n} a", "{n} b", n); pgettext("x", "Two"); N_("a" "b"); _(KNOWN)"""
    found = [(None, "One", None), (None, "{n} a", "{n} b"), ("x", "Two", None), (None, "ab", None)]
    assert list(extract_words.python(code)) == found
    with pytest.raises(ValueError, match="line 2"):
        list(extract_words.javascript("\nt(`Film ${n}`)"))


# --- the language in use ---------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def english(monkeypatch) -> Iterator[None]:
    monkeypatch.delenv(language.VARIABLE, raising=False)
    yield
    language.use(None)


def test_the_language_is_chosen_by_a_call_or_by_the_environment(monkeypatch):
    assert language.current() == "en" and language._("Check") == "Check"
    language.use("es")
    assert language._("Check") == "Comprobar"
    assert [language.ngettext("{n} question", "{n} questions", n) for n in (0, 1, 2)] == [
        "{n} preguntas",
        "{n} pregunta",
        "{n} preguntas",
    ]
    language.use(None)
    monkeypatch.setenv(language.VARIABLE, "th_TH.UTF-8")
    assert language.current() == "th" and language.ngettext("{n} question", "{n} questions", 1) == "{n} คำถาม"
    with pytest.raises(ValueError, match="there is no catalogue for 'xx'; choose one of en, es, th"):
        language.use("xx")


def test_an_unknown_language_in_the_environment_is_said_once_and_english_is_spoken(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "klingon")
    with pytest.warns(UserWarning, match="VERTEBRA_LANGUAGE is 'klingon'; the course speaks en, es, th"):
        assert language.current() == "en"


def test_a_module_takes_its_own_words_along_and_in_english_none():
    module = Module('const label = t("Check");')
    assert str(module) == module.source
    language.use("th")
    assert str(module).endswith(module.source)
    words = language.words("th", module.source)
    assert words["words"]["Check"] == "ตรวจ" and len(words["words"]) == 2  # and the line on the review
    assert len(language.words("th")["words"]) > 1000


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src" / "vertebra" / "widgets").glob("*.js")), ids=lambda path: path.stem
)
def test_every_string_of_a_module_is_among_the_words_it_takes_along(path):
    source = path.read_text(encoding="utf-8")
    mine = {
        f"{context}{language.CONTEXT}{one}" if context else one for context, one, _ in extract_words.javascript(source)
    }
    assert mine <= language.words("es", source)["words"].keys()


def test_the_table_of_plural_forms_is_the_rule_of_the_catalogue(monkeypatch):
    table = language.words("es")["plural"]
    assert table[:3] == "101" and set(table[2:]) == {"1"} and set(language.words("th")["plural"]) == {"0"}
    polish = gettext.NullTranslations()
    polish.plural = gettext.c2py("n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2")  # type: ignore
    monkeypatch.setattr(language, "_catalogue", lambda code: polish)
    monkeypatch.setattr(language, "catalogues", lambda: {"es": {}})
    table = language.words("es")["plural"]
    assert [table[n if n < 100 else 100 + n % 100] for n in (1, 2, 5, 12, 22, 101, 122, 1000)] == list("01221212")
    monkeypatch.setattr(language, "PERIOD", 50)  # no period of that rule
    with pytest.raises(ValueError, match="widen PERIOD"):
        language.words("es")


# --- in a browser ----------------------------------------------------------------------------------------------------

WORDS = """async ([words, source]) => {
  globalThis.vertebraWords = words;
  const { t, tn, tc, language, english } =
    await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  return [
    t("{n} of {all} right", { n: 1, all: "<b>" }), t("Check"), t("not there {n}"),
    tc("side", "right"), tc("x", "right"),
    ...[0, 1, 2, 101, -1, 0.5].map((n) => tn("{n} question", "{n} questions", n)), language, english];
}"""


def test_the_browser_half_translates_as_gettext_does(chromium):
    source = Module().source
    words = {
        "language": "pl",
        "plural": "1" + "0" + "1" * 98 + "1" + "2" + "1" * 98,
        "words": {"Check": "Dalej", "side\x04right": "prawa", "{n} question": ["{n} a", "{n} b", "{n} c"]},
    }
    page = chromium.new_page()
    try:
        page.route("http://localhost/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto("http://localhost/")
        english = page.evaluate(WORDS, [None, source])
        polish = page.evaluate(WORDS, [words, source])
    finally:
        page.close()
    counted = ["0 questions", "1 question", "2 questions", "101 questions", "-1 question", "0.5 questions"]
    assert english == ["1 of <b> right", "Check", "not there {n}", "right", "right", *counted, "en", None]
    counted = ["0 b", "1 a", "2 b", "101 c", "-1 a", "0.5 c"]
    assert polish == ["1 of <b> right", "Dalej", "not there {n}", "prawa", "right", *counted, "pl", "en"]


class Marked(gettext.NullTranslations):
    """A made-up language: every message in ⟦brackets⟧."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, n: int) -> str:
        return f"⟦{one if n == 1 else many}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"

    def plural(self, n: int) -> int:
        return int(n != 1)


# What is read on the page, by eye or by ear, outside what is marked as English: text, labels, values of fields.
READ = """() => {
  const found = [];
  const taught = (node) => node.closest("[lang]")?.getAttribute("lang") === "en";
  const seen = (node) => (node.closest("select") ?? node).checkVisibility();
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { parentElement: node, data } = walk.currentNode;
    if (["SCRIPT", "STYLE"].includes(node.tagName) || !seen(node)) continue;
    // What is translated must not be called English either.
    if (!taught(node)) found.push(data.trim());
    else if (data.includes("⟦")) found.push(`called English: ${data.replaceAll(/[⟦⟧]/g, "")}`);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt", "aria-valuetext"])
    for (const node of document.querySelectorAll(`main [${name}]`))
      if (!taught(node) && !node.getAttribute(name).includes("⟦")) found.push(node.getAttribute(name).trim());
  return found.filter(Boolean);
}"""
NAMED = ("quiz", "workbench", "gym", "room, needle", "case")
MADE_UP = [each for each in EXHIBITS if each.name in NAMED]


@pytest.mark.browser
@pytest.mark.parametrize("exhibit", MADE_UP, ids=str)
def test_in_a_made_up_language_nothing_that_is_shown_stays_english(exhibit: Exhibit, mount, tmp_path, monkeypatch):
    marked = Marked()
    both = {(one, many) for _, one, many in of_the_code()}
    made = {one: [f"⟦{one}⟧", f"⟦{many}⟧"] if many else f"⟦{one}⟧" for one, many in both}
    monkeypatch.setattr(language, "_catalogue", lambda code: marked)
    monkeypatch.setattr(language, "catalogues", lambda: {"th": made})
    language.use("th")
    with at_once():
        page = mount(exhibit.make(tmp_path)).page
    # A message with bold words in it is several pieces of text; a label may also name what is taught.
    pieces = r"⟦[^⟦⟧]*(?:⟦[^⟧]*⟧[^⟦⟧]*)*⟧|⟦[^⟦⟧]*$|^[^⟦⟧]*⟧"
    words = [re.sub(pieces, "", text) for text in page.evaluate(READ)]
    assert not [text for text in words if wordy(text)]


@pytest.mark.browser
@pytest.mark.parametrize("exhibit", [each for each in MADE_UP if each.name in ("quiz", "gym")], ids=str)
@pytest.mark.parametrize("code", CODES)
def test_a_widget_speaks_the_language_says_so_and_fits_a_telephone(exhibit, code, mount, tmp_path):
    language.use(code)
    with at_once():
        view = mount(exhibit.make(tmp_path), width=320)
    page, words = view.page, language.catalogues()[code]
    root = page.locator(".vt")
    assert root.get_attribute("lang") == code
    unreviewed = words["This translation has not been reviewed: the English wording counts."]
    assert root.get_by_text(unreviewed).is_visible()
    button = "Previous" if exhibit.name == "quiz" else "Commit, then see the truth"
    assert root.get_by_role("button", name=words[button]).is_visible()
    taught = ".vq-stem" if exhibit.name == "quiz" else "[data-part=limits]"
    assert page.locator(taught).first.evaluate("(node) => node.closest('[lang]').lang") == "en"
    assert fits(page)
    axe(page)
