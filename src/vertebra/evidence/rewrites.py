"""Misleading paragraphs to be rewritten for a patient, and what can be counted in such a text.

Data: `assets/evidence/rewrites.yml`. A check here looks for words and counts syllables. It cannot tell whether a number
is right, whether a harm is denied or named, or whether a patient would understand; who shows it must say so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from vertebra import assets
from vertebra.evidence.claims import claims
from vertebra.evidence.references import CITATION, cited
from vertebra.evidence.shape import (
    DATE,
    IDS,
    TEXT,
    Fact,
    citation_faults,
    listed,
    record,
    repeated,
    review_date,
    shape_faults,
)

FILE = "rewrites.yml"
GRADE = 8.0  # US school grade that a text for patients should not exceed (unreferenced: a common rule of thumb)
NUMBERS = 2  # counts that a text should give
NEEDED = ("comparator", "harms", "alternatives")
COUNT = {"type": "integer", "minimum": 1}
WORDS = record({"least": COUNT, "lines": listed(listed(TEXT))})
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "absolutes": listed(TEXT),
        "doubts": listed(TEXT),
        "exercises": listed(
            record(
                {
                    "id": {"type": "string", "pattern": "^[a-z]+$"},
                    "title": TEXT,
                    "reader": TEXT,
                    "text": TEXT,
                    "claims": IDS,
                    "words": record(dict.fromkeys(NEEDED, WORDS)),
                    "asks": listed(TEXT),
                    "model": TEXT,
                }
            )
        ),
    }
)


@dataclass(frozen=True)
class Words:
    """Lines of word stems; a text names a line if one of its stems begins a word of it. `least` lines are wanted."""

    least: int
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Exercise:
    """A misleading paragraph, for whom it is meant, the claims it is made of, and a model of what it should say.

    words: {"comparator", "harms", "alternatives": what a better text names}. asks: what the writer must judge alone.
    """

    id: str
    title: str
    reader: str
    text: str
    claims: tuple[str, ...]
    words: Mapping[str, Words]
    asks: tuple[str, ...]
    model: str

    @classmethod
    def from_record(cls, raw: Mapping[str, Any]) -> Self:
        """Build it from one record of rewrites.yml."""
        words = {name: Words(each["least"], tuple(map(tuple, each["lines"]))) for name, each in raw["words"].items()}
        return cls(**{**raw, "words": words, "claims": tuple(raw["claims"]), "asks": tuple(raw["asks"])})


@dataclass(frozen=True)
class Check:
    """What was counted in a text: `wanted` in words, whether it is there, and what was found."""

    id: str
    wanted: str
    met: bool
    found: str


@cache
def _data() -> Any:
    return assets.read_yaml(f"evidence/{FILE}")


@cache
def exercises() -> dict[str, Exercise]:
    """Return every exercise by id."""
    return {raw["id"]: Exercise.from_record(raw) for raw in _data()["exercises"]}


# --- counting in a text -----------------------------------------------------------------------------------------------

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?]+(?!\d)")
# A silent e: bone, bones, used. It sounds in table, pages and wanted.
_SILENT = re.compile(
    r"(?<=[^aeiouy])e$(?<![^aeiouy]le)"
    r"|(?<=[^aeiouycgsxz])es$(?<![^aeiouy]les)(?<![cs]hes)"
    r"|(?<=[^aeiouydt])ed$(?<![^aeiouy]led)"
)
_APART = re.compile(r"(?<=[aeiouy])ing$|(?<![cgstx])ia|(?<=t)eo")  # vowels that sound apart: being, media, osteo-
_NUMBER = r"\d+(?:[.,]\d+)*"
# What a patient can picture: "4 in 10", "26 of 3,175", "44 %", "1.5 points". A time is no such number.
_COUNT = re.compile(
    rf"{_NUMBER} (?:in|of|out of) (?:every )?{_NUMBER}|{_NUMBER} ?(?:%|per ?cent|points?|degrees?)", re.IGNORECASE
)


def without_citations(text: str) -> str:
    """Return a text without its bracketed sources."""
    return re.sub(r"\s+", " ", CITATION.sub("", text)).strip()


def syllables(word: str) -> int:
    """Return the syllables of an English word as its letters suggest: groups of vowels, less a silent e; at least 1."""
    letters = word.lower().partition("'")[0]
    groups = len(re.findall(r"[aeiouy]+", letters)) + len(_APART.findall(letters))
    return max(groups - bool(_SILENT.search(letters)), 1)


def reading_grade(text: str) -> float | None:
    """Return the Flesch-Kincaid grade, 0.39 words per sentence + 11.8 syllables per word - 15.59; None without words.

    A school year of the United States, from the length of sentences and words alone (formula unreferenced).
    """
    words = _WORD.findall(text)
    if not words:
        return None
    sentences = sum(bool(_WORD.search(part)) for part in _SENTENCE_END.split(text))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def _stems(stems: Iterable[str], text: str) -> list[str]:
    """Return those of these stems that begin a word of the text."""
    return [stem for stem in stems if re.search(rf"\b{re.escape(stem)}", text, re.IGNORECASE)]


def _phrases(phrases: Iterable[str], text: str) -> list[str]:
    """Return those of these words or phrases that stand in the text; a star stands for any ending."""
    found = []
    for phrase in phrases:
        stem, star, _ = phrase.partition("*")
        if re.search(rf"\b{re.escape(stem)}" + ("" if star else r"\b"), text, re.IGNORECASE):
            found.append(stem)
    return found


def checklist(exercise: Exercise, text: str) -> list[Check]:
    """Return what can be counted in a text for this exercise's reader."""
    text = without_citations(text)
    grade = reading_grade(text)
    counts = [match[0] for match in _COUNT.finditer(text)]
    named = {
        name: [stem for line in words.lines for stem in _stems(line, text)[:1]]
        for name, words in exercise.words.items()
    }
    wanted = {
        "comparator": "what it is compared with",
        "harms": f"at least {exercise.words['harms'].least} harms",
        "alternatives": f"at least {exercise.words['alternatives'].least} other ways",
    }
    absolutes, doubts = _phrases(_data()["absolutes"], text), _phrases(_data()["doubts"], text)
    simple = grade is not None and grade <= GRADE
    return [
        Check("numbers", f"at least {NUMBERS} numbers one can picture", len(counts) >= NUMBERS, ", ".join(counts)),
        *(
            Check(name, wanted[name], len(named[name]) >= exercise.words[name].least, ", ".join(named[name]))
            for name in NEEDED
        ),
        Check("doubt", "what is not known", bool(doubts), ", ".join(doubts)),
        Check("absolutes", "no word that promises too much", bool(text) and not absolutes, ", ".join(absolutes)),
        Check("grade", f"reading grade {GRADE:.0f} or below", simple, "" if grade is None else f"{grade:.1f}"),
    ]


# --- the file ---------------------------------------------------------------------------------------------------------


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with rewrites.yml, or with the data given in its place.

    Besides shape and citations: a model answer must pass its own checklist, and the paragraph must not.
    """
    data = data or _data()
    found = list(shape_faults(FILE, data, SCHEMA)) or list(repeated(FILE, data["exercises"]))
    if found:
        return found
    for raw in data["exercises"]:
        exercise = Exercise.from_record(raw)
        found += citation_faults(FILE, f"the model of {exercise.id}", cited(exercise.model))
        found += [
            f"{FILE}: {exercise.id} names {each}, which is no claim" for each in exercise.claims if each not in claims()
        ]
        missed = [check.wanted for check in checklist(exercise, exercise.model) if not check.met]
        if missed:
            found.append(f"{FILE}: the model of {exercise.id} lacks: {'; '.join(missed)}")
        if sum(check.met for check in checklist(exercise, exercise.text)) > 2:
            found.append(f"{FILE}: the paragraph of {exercise.id} passes most checks; it should mislead")
    return found


def facts() -> Iterator[Fact]:
    """Yield each statement of the model answers with its sources and the day by which to read it anew."""
    due = review_date(FILE, _data())
    for exercise in exercises().values():
        start = 0
        for number, match in enumerate(CITATION.finditer(exercise.model), 1):
            says = exercise.model[start : match.start()].strip()
            start = match.end()
            yield Fact(FILE, f"{exercise.id}, statement {number}", says, tuple(match[1].split("; ")), due)
