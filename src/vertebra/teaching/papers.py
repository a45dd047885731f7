"""Exams on paper: per version a paper and its key as HTML that is ready to print, each a file that needs nothing else.

    OUT/paper-A.html   questions, and an answer sheet as its last page
    OUT/key-A.html     the same numbers and letters with what is right and why; it stays with the instructor

Questions and options are mixed for each version from the bank's text and the version's letter: the same files give the
same bytes. A paper and its key carry one code, such as A-1f3c92ab, taken from all that stands on the paper.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Literal

from vertebra.quiz.items import kind_of, load_bank
from vertebra.quiz.page import page
from vertebra.quiz.scoring import CERTAINTY_MARKS
from vertebra.quiz.static import counted, most, percent, rubric, standing
from vertebra.teaching.assign import Assignment, build, load_assignment, order_seed
from vertebra.teaching.files import TeachingError, write_text
from vertebra.teaching.key import Key, Question
from vertebra.teaching.marking import in_points

# What cannot be asked on paper, and what can but loses something there.
ON_SCREEN = {"needle_path": "a needle is steered on a screen, so it is left out"}
NOTES = {"stop_decision": "all its films are printed, so the later ones can be seen before deciding"}

RULES = {
    "all_or_nothing": "All of it right, or nothing.",
    "each_option": "Each letter rightly marked or rightly left earns the same share.",
    "net_correct": "Right letters less wrong ones, over the number of right ones; not below 0.",
    "all_pairs": "Each pair of steps in the right order earns the same share.",
    "adjacent_pairs": "Each step that directly follows its right predecessor earns the same share.",
    "matching": "Each line earns the same share.",
    "key_feature": "Each decision earns the same share: right letters less wrong ones, over the number of right ones; "
    "0 with more letters than it asks for, or with one that harms the patient.",
}
SURE = "1 guess, 2 fairly sure, 3 certain"


@dataclass(frozen=True)
class Row:
    """One line of the answer sheet, and what is right there.

    label: "7", or "7b" of a question with several. kind: circle one letter, circle several, write letters in order,
    write a number. choices: (letter, neutral id, text). right: letters (of a number, the number; of one, each that
    earns everything). part, asked: id and text of a matching's line or of a decision. most: how many letters count.
    """

    label: str
    kind: Literal["one", "many", "order", "number"]
    choices: tuple[tuple[str, str, str], ...]
    right: tuple[str, ...]
    part: str = ""
    asked: str = ""
    most: int = 0

    @property
    def said(self) -> str:
        """Return the right answer as a marker reads it."""
        return {"one": " or ", "many": ", ", "order": " ", "number": " "}[self.kind].join(self.right)


@dataclass(frozen=True)
class Paper:
    """One version of an exam: its questions in the order in which they are printed, with their key."""

    version: str
    key: Key

    @property
    def code(self) -> str:
        """Return what a paper and its key are matched by."""
        return f"{self.version}-{self.key.build[:8]}"


@dataclass(frozen=True)
class Printed:
    """What was written: {version: (paper, key)}, and per bank id what was left out or loses something on paper."""

    papers: tuple[Paper, ...]
    files: Mapping[str, tuple[Path, Path]]
    left_out: Mapping[str, str]
    notes: Mapping[str, str]


def print_papers(file: Path | str, out: Path | str, versions: str = "AB", title: str = "") -> Printed:
    """Write a paper and a key for each version of an assignment file or of a whole bank.

    Raises BankError or TeachingError for bad input, and for an `out` that holds another paper, which may have been
    handed out and would lose its key; OSError for a folder that cannot be written.
    """
    if not versions or len(set(versions)) < len(versions) or not set(versions) <= set(ascii_uppercase):
        raise TeachingError(f"versions: {versions!r} is not a row of different capital letters; write it as in AB")
    assignment, out = _load(Path(file)), Path(out)
    papers = lay_out(replace(assignment, title=title or assignment.title), versions)
    files = {
        paper.version: (out / f"paper-{paper.version}.html", out / f"key-{paper.version}.html") for paper in papers
    }
    texts = {paper.version: (paper_html(paper), key_html(paper, papers)) for paper in papers}
    for version, (sheet, _) in files.items():
        if sheet.is_file() and sheet.read_text(encoding="utf-8") != texts[version][0]:
            what = "is another paper, and what was handed out would lose its key"
            raise TeachingError(f"{sheet}: {what}; move it and its key away, or name another folder")
    out.mkdir(parents=True, exist_ok=True)
    for version, places in files.items():
        for place, text, is_key in zip(places, texts[version], (False, True), strict=True):
            write_text(place, text, private=is_key)
    left_out = {item.id: ON_SCREEN[item.format] for item in assignment.items if item.format in ON_SCREEN}
    notes = {item.id: NOTES[item.format] for item in assignment.items if item.format in NOTES}
    return Printed(papers, files, left_out, notes)


def _load(file: Path) -> Assignment:
    if kind_of(file) == "assignment":
        return load_assignment(file)
    bank = load_bank(file)
    points = (1.0,) * len(bank.items)
    return Assignment(bank.id, bank.title, bank.items, points, False, "", order_seed(bank.id, file))


def lay_out(assignment: Assignment, versions: str) -> tuple[Paper, ...]:
    """Return a paper for each letter of `versions`, without what cannot be asked on paper.

    Raises TeachingError when nothing can. The assignment's own instructions speak of the screen and are not printed.
    """
    asked = [pair for pair in zip(assignment.items, assignment.points, strict=True) if pair[0].format not in ON_SCREEN]
    if not asked:
        raise TeachingError(f"{assignment.quiz}: none of its questions can be asked on paper; name other questions")
    papers = []
    for version in versions:
        seed = f"{assignment.seed} paper {version}"
        ranked = sorted(asked, key=lambda pair: hashlib.sha256(f"{seed}\n{pair[0].id}".encode()).digest())
        items, points = zip(*ranked, strict=True)
        _, key = build(replace(assignment, items=items, points=points, instructions="", seed=seed))
        papers.append(Paper(version, key))
    return tuple(papers)


# --- What is asked, in letters ----------------------------------------------------------------------------------------


def rows(place: int, question: Question) -> tuple[Row, ...]:
    """Return the lines of the answer sheet for the question that is printed as number `place`."""
    public, key, label = question.public, question.key, str(place)
    match key["format"]:
        case "single_best_answer":
            return (_row(label, "one", public["options"], [key["key"]]),)
        case "multiple_response":
            return (_row(label, "many", public["options"], key["key"]),)
        case "ordering":
            return (_row(label, "order", public["steps"], key["key"]),)
        case "hotspot":
            return (_row(label, "one", public["regions"], [key["key"]]),)
        case "matching":
            prompts = zip(ascii_lowercase, public["prompts"], strict=False)
            return tuple(
                _row(label + letter, "one", public["options"], [key["key"][prompt["id"]]], prompt)
                for letter, prompt in prompts
            )
        case "key_feature":
            decisions = zip(ascii_lowercase, public["decisions"], strict=False)
            found = []
            for letter, decision in decisions:
                kind: Literal["one", "many"] = "one" if decision["choose"] == 1 else "many"
                right = key["decisions"][decision["id"]]["key"]
                found.append(_row(label + letter, kind, decision["options"], right, decision))
            return tuple(found)
        case "stop_decision":
            films = [{"id": str(i), "text": film["caption"]} for i, film in enumerate(public["task"]["films"])]
            full = [str(i) for i, band in enumerate(key["bands"]) if key["shares"][band] == 1]
            return (_row(label, "one", films, full),)
    return (Row(label, "number", (), (f"{float(key['value']):.10g}",)),)


def _row(
    label: str,
    kind: Literal["one", "many", "order"],
    parts: Sequence[Mapping[str, str]],
    right: Iterable[str],
    about: Mapping[str, Any] | None = None,
) -> Row:
    """Return a row of lettered parts; right are their ids, in the order of the answer when the kind is order.

    about: the matching's line or the decision that the row answers.
    """
    about = about or {"id": "", "text": ""}
    choices = tuple((ascii_uppercase[i], part["id"], part["text"]) for i, part in enumerate(parts))
    letters = {name: letter for letter, name, _ in choices}
    found = [letters[name] for name in right]
    right = tuple(found if kind == "order" else sorted(found))
    return Row(label, kind, choices, right, about["id"], about["text"], about.get("choose", 0))


# --- The paper --------------------------------------------------------------------------------------------------------

STYLE = Path(__file__).with_name("paper.css").read_text(encoding="utf-8")


def paper_html(paper: Paper) -> str:
    """Return the page that a student gets: nothing of the key is in it."""
    asked = [(place, question, rows(place, question)) for place, question in enumerate(paper.key.items, 1)]
    n = len(asked)
    rules = [
        f"{counted(n, 'question')}, {in_points(paper.key.maximum)} in all.",
        "Mark your answers on the answer sheet at the end; only the sheet is marked.",
        "Circle one letter, unless the question says otherwise. To change a circle, cross it out and circle another.",
    ]
    if paper.key.certainty:
        marks = "; ".join(f"{sure}: {gain:+g} or {loss:g}" for sure, (gain, loss) in CERTAINTY_MARKS.items())
        rules.append(f"Circle how sure you are: {SURE}. Marks if right or wrong: {marks.replace('-', '−')}.")
    listed = "".join(f"<li>{rule}</li>" for rule in rules)
    body = "\n".join(_question(*each) for each in asked)
    sheet = "\n".join(
        _line(
            row, question.public.get("unit") or "", _sure(place, len(found)) if paper.key.certainty and i == 0 else ""
        )
        for place, question, found in asked
        for i, row in enumerate(found)
    )
    return _page(
        paper,
        paper.key.title,
        f'<div class="who"><span>Name or code</span><span>Date</span></div>\n<ul class="rules">{listed}</ul>',
        f'{body}\n<p class="foot">{standing(question.public for question in paper.key.items)}</p>\n'
        f'<section class="sheet">\n<div class="who"><span>Name or code</span><span>Date</span></div>\n'
        f"<h2>Answer sheet, version {paper.version} ({paper.code})</h2>\n"
        f'<ul class="rows">\n{sheet}\n</ul>\n</section>',
    )


def _page(paper: Paper, title: str, head: str, body: str) -> str:
    foot = f'@page {{ @bottom-left {{ content: "Version {paper.version}, {paper.code}" }} }}'
    version = f'<p class="version">Version {paper.version} <small>{paper.code}</small></p>'
    heading = f"<header>\n<div><h1>{escape(title)}</h1>{version}</div>\n{head}\n</header>"
    return page(f"{title}, version {paper.version}", f"{heading}\n{body}", STYLE + foot)


def _question(place: int, question: Question, found: Sequence[Row]) -> str:
    public = question.public
    vignette = [part for part in str(public.get("vignette") or "").split("\n\n") if part.strip()]
    image = public.get("image")
    lines = [
        f'<section class="q">\n<h2>{place}</h2>\n<p class="worth">{in_points(question.points)}</p>',
        *(f'<p class="vignette">{escape(part)}</p>' for part in vignette),
        f'<p class="stem">{escape(public["stem"])}</p>',
        *([f'<img src="{escape(image["uri"])}" alt="{escape(image["alt"])}">'] if image else []),
        *_asked(question, found),
    ]
    return "\n".join(lines) + "\n</section>"


def _asked(question: Question, found: Sequence[Row]) -> Iterator[str]:
    """Yield what stands below the stem: how to answer, and the lettered parts."""
    public, first = question.public, found[0]
    match question.key["format"]:
        case "numeric":
            unit = escape(public.get("unit") or "")
            yield f'<p class="parts">Answer: <span class="blank"></span> {unit}</p>'
        case "matching":
            yield '<p class="hint">Give each line a letter of the list; a letter may serve more than once.</p>'
            yield _parts(((letter, text) for letter, _, text in first.choices), "parts list")
            yield _parts((row.label, row.asked) for row in found)
        case "key_feature":
            nothing = "with more letters than it asks for, or with one that harms the patient, earns nothing"
            yield f'<p class="hint">A decision {nothing}.</p>'
            for row in found:
                yield f"<h3><b>{row.label}</b>{escape(row.asked)} <span>({most(row.most)})</span></h3>"
                yield _parts((letter, text) for letter, _, text in row.choices)
        case "stop_decision":
            yield '<p class="hint">Circle the letter of the film after which you would stop.</p>'
            yield _films(public["task"]["films"])
            yield f'<p class="hint">{escape(public["task"]["note"])}</p>'
            marking = f"<p>How it is marked, the first line that fits counts:</p>{rubric(public['bands'])}"
            yield f'<div class="rubric">{marking}</div>'
        case name:
            hints = {
                "multiple_response": "Circle every letter that applies.",
                "ordering": "Write the letters of the steps in their order, the first step first.",
                "hotspot": "Circle the letter of the place in the picture.",
            }
            yield f'<p class="hint">{hints[name]}</p>' if name in hints else ""
            yield _parts((letter, text) for letter, _, text in first.choices)


def _parts(parts: Iterable[tuple[str, str]], kind: str = "parts") -> str:
    shown = "".join(f"<li><b>{name}</b><span>{escape(text)}</span></li>" for name, text in parts)
    return f'<ul class="{kind}">{shown}</ul>'


def _films(films: Sequence[Mapping[str, Any]]) -> str:
    shown = (
        f'<figure><img src="{escape(film["uri"])}" alt="{escape(film["alt"])}">'
        f"<figcaption><b>{letter}</b> {escape(film['caption'])}</figcaption></figure>"
        for letter, film in zip(ascii_uppercase, films, strict=False)
    )
    return f'<div class="films">{"".join(shown)}</div>'


def _sure(place: int, lines: int) -> str:
    """Return what stands before the certainties, which are given once a question, however many lines it has."""
    return "sure" if lines == 1 else f"sure of {place} as a whole"


def _line(row: Row, unit: str, sure: str) -> str:
    """Return a line of the answer sheet, with the certainties behind the words `sure` if there are any."""
    marks = {
        "number": f'<span class="blank"></span> {escape(unit)}',
        "order": '<i class="box"></i>' * len(row.choices),
    }.get(row.kind) or "".join(f"<i>{letter}</i>" for letter, _, _ in row.choices)
    levels = "".join(f"<i>{level}</i>" for level in CERTAINTY_MARKS)
    return f"<li><b>{row.label}</b>{marks}" + (f'<span class="sure">{sure} {levels}</span>' if sure else "") + "</li>"


# --- The key ----------------------------------------------------------------------------------------------------------


def key_html(paper: Paper, papers: Sequence[Paper]) -> str:
    """Return the key of a paper; `papers` are all versions, whose numbers it lists side by side."""
    found = [(place, question, rows(place, question)) for place, question in enumerate(paper.key.items, 1)]
    units = {row.label: question.public.get("unit") or "" for _, question, each in found for row in each}
    quick = "".join(
        f"<li><b>{row.label}</b> <span>{escape(f'{row.said} {units[row.label]}'.strip())}</span></li>"
        for _, _, each in found
        for row in each
    )
    body = "\n".join(_explained(*each) for each in found)
    return _page(
        paper,
        f"Key: {paper.key.title}",
        f'<p class="rules">Belongs to the paper with the code {paper.code}. {in_points(paper.key.maximum)} in all. '
        f"It stays with whoever marks. {standing(question.public for question in paper.key.items)}</p>",
        f'<ul class="quick">{quick}</ul>\n{body}\n{_side_by_side(papers)}',
    )


def _explained(place: int, question: Question, found: Sequence[Row]) -> str:
    rule = question.key.get("scoring") or question.key["format"]
    lines = [
        f'<section class="q key">\n<h2>{place}</h2>\n<p class="worth">{in_points(question.points)}</p>',
        f'<p class="stem">{escape(question.public["stem"])}</p>',
    ]
    for row in found:
        lines += _row_explained(question, row)
    lines += [f'<p class="why">{escape(question.rationales[""])}</p>'] if "" in question.rationales else []
    lines += [f'<p class="more">Marks: {RULES[rule]}</p>'] if rule in RULES else []
    reviewed = "stated in the bank" if question.public["reviewed"] else "none"
    about = f"{question.bank_id}, version {question.bank_version}. Sources: {', '.join(question.sources)}."
    lines.append(f'<p class="about">{escape(about)} Clinical review: {reviewed}.</p>\n</section>')
    return "\n".join(lines)


def _row_explained(question: Question, row: Row) -> Iterator[str]:
    """Yield the right answer of a row with its reasons, and the mistakes behind the others."""
    if question.key["format"] == "numeric":
        yield from _number_explained(question, row)
    elif question.key["format"] == "stop_decision":
        yield from _films_explained(question, row)
    else:
        yield from _letters_explained(question, row)


def _number_explained(question: Question, row: Row) -> Iterator[str]:
    unit, value, tolerance = question.public.get("unit") or "", question.key["value"], question.key["tolerance"]
    span = f", accepted from {value - tolerance:.6g} to {value + tolerance:.6g}" if tolerance else ""
    yield f'<p class="right">{escape(f"{row.said} {unit}".strip() + span)}</p>'
    for slip in question.slips:
        believed = f"“{slip['mistake']}” " if "mistake" in slip else ""
        yield _more(f"{slip['value']:g}: {believed}{slip['rationale']}")


def _films_explained(question: Question, row: Row) -> Iterator[str]:
    yield f'<p class="right">{row.said}</p>'
    texts = {band["id"]: band["text"] for band in question.public["bands"]}
    for (letter, _, caption), band in zip(row.choices, question.key["bands"], strict=True):
        yield _more(f"{letter} {caption}: {texts[band]}, {percent(question.key['shares'][band])}")


def _letters_explained(question: Question, row: Row) -> Iterator[str]:
    names = {letter: name for letter, name, _ in row.choices}
    texts = {letter: text for letter, _, text in row.choices}
    said = "; ".join(f"{letter} {texts[letter]}" for letter in row.right)
    yield f'<p class="right">{f"{row.label}: " if row.part else ""}{escape(said)}</p>'
    # A matching explains its lines, every other format its lettered parts.
    reasons = [row.part] if question.key["format"] == "matching" else [names[letter] for letter in row.right]
    for letter, name in zip(row.right, reasons, strict=True):
        if why := question.rationales.get(name):
            yield f'<p class="why">{f"{letter}: " if len(reasons) > 1 else ""}{escape(why)}</p>'
    harms = question.key["decisions"][row.part]["harms"] if question.key["format"] == "key_feature" else ()
    for letter, name, text in row.choices:
        behind = [f"“{question.mistakes[name]}”"] if name in question.mistakes else []
        behind += ["Harms the patient."] if name in harms else []
        if behind:
            yield _more(f"{letter} {text}: {' '.join(behind)}")


def _more(text: str) -> str:
    return f'<p class="more">{escape(text)}</p>'


def _side_by_side(papers: Sequence[Paper]) -> str:
    """Return the table that says which number a question has in each version."""
    places = [{question.bank_id: place for place, question in enumerate(paper.key.items, 1)} for paper in papers]
    head = "".join(f"<th>{paper.code}</th>" for paper in papers)
    lines = []
    for name in places[0]:
        stem = next(question.public["stem"] for question in papers[0].key.items if question.bank_id == name)
        numbers = "".join(f"<td>{each[name]}</td>" for each in places)
        lines.append(f"<tr>{numbers}<td>{escape(name)}</td><td>{escape(stem)}</td></tr>")
    return (
        '<section class="side">\n<h2>The same question in each version</h2>\n'
        f'<table class="versions"><thead><tr>{head}<th>Question</th><th>Asks</th></tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>\n</section>"
    )
