"""What the linter measures in a text: words, readability, likeness, ranges; and the lexicons of `assets/lint.yml`.

Readability: Flesch-Kincaid grade (Kincaid 1975), with syllables counted as groups of vowels. Likeness: cosine of the
counts of letter trigrams. All of it is pure and takes milliseconds for the whole course.
"""

import math
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from vertebra import assets

FILE = "lint.yml"


@cache
def lexicons() -> Mapping[str, Any]:
    """Return the word lists of assets/lint.yml by name. Raises AssetError, also for what YAML takes for no text."""
    found = assets.read_yaml(FILE)
    for name, listed in found.items():
        for term in _flat(listed):
            if not isinstance(term, str):
                what = f"{name} holds {term!r}, which is no text"
                raise assets.AssetError(f"{assets.path(FILE)}: {what}; put it in quotes")
    return MappingProxyType(found)


def _flat(listed: Any) -> Iterator[Any]:
    if isinstance(listed, dict):
        yield from listed
        listed = listed.values()
    if isinstance(listed, str) or not isinstance(listed, Iterable):
        yield listed
    else:
        for part in listed:
            yield from _flat(part)


@cache
def terms(name: str, part: str = "") -> re.Pattern[str]:
    """Return a pattern that finds any term of a lexicon, or of a part of it, as a whole word.

    `*` in a term ends a word any way, `?` stands for one letter.
    """
    listed = lexicons()[name][part] if part else lexicons()[name]
    return one_of(tuple(map(str, listed)))


def either(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that finds any of these patterns, whatever the case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


@cache
def one_of(listed: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern that finds any of these terms, the longest first."""
    escapes = ((r"\*", r"\w*"), (r"\?", r"\w"), (r"\ ", r"\s+"))
    spelt = []
    for term in sorted(listed, key=len, reverse=True):
        pattern = re.escape(term)
        for escaped, meant in escapes:
            pattern = pattern.replace(escaped, meant)
        spelt.append(pattern)
    first = "".join(sorted({letter for term in listed for letter in (term[0].lower(), term[0].upper())}))
    # Looking at the first letter alone is what makes it fast.
    return re.compile(rf"(?<![\w-])(?=[{re.escape(first)}])(?:{'|'.join(spelt)})(?![\w-])", re.IGNORECASE)


# --- Words and sentences ----------------------------------------------------------------------------------------------

WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
SENTENCE_END = re.compile(r"(?:(?<=[.?!])|(?<=[.?!][\"'”’)]))\s+(?=[\"'“‘(]*[A-Z0-9])|(?<=[;:])\s*\n|\n\n")
ENDINGS = (
    *("atic", "asis", "ases", "ations", "ation", "ically", "ical", "ings", "ing", "ments", "ment", "ions", "ion"),
    *("osis", "otic", "ive", "ity", "ies", "ic", "ed", "es", "ly", "al", "or", "er", "s", "e"),
)


@lru_cache(maxsize=20_000)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in order; a hyphen or an apostrophe does not end a word."""
    return tuple(WORD.findall(text))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [part.strip() for part in SENTENCE_END.split(text) if part.strip()]


PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "“”’‘–—…", " "))


def plain(text: str) -> str:
    """Return the words of a text in small letters, with single spaces between them."""
    return " ".join(text.casefold().translate(PUNCTUATION).split())


@lru_cache(maxsize=20_000)
def root(word: str) -> str:
    """Return a word without its ending, so that "fractures" and "fractured" are one; crude, and enough to compare."""
    word = word.lower()
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


@lru_cache(maxsize=20_000)
def content(text: str, least: int = 3) -> frozenset[str]:
    """Return the roots of the words with `least` letters or more that carry meaning."""
    stop = _stop_words()
    parts = (part for word in words(text.lower()) for part in word.split("-"))
    return frozenset(root(part) for part in parts if len(part) >= least and part not in stop)


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(lexicons()["stop_words"])


VOWELS = re.compile(r"[aeiouyäöüé]+")
SILENT = re.compile(r"[^aeiouy]e$|[^aeiouytd]ed$|[^aeiouysxzhcg]es$")
SPOKEN = re.compile(r"[^aeiouyl]le$")


@lru_cache(maxsize=20_000)
def syllables(word: str) -> int:
    """Return the number of syllables: groups of vowels, without a silent e at the end; a figure counts one."""
    word = word.lower()
    silent = SILENT.search(word) and not SPOKEN.search(word)
    return max(len(VOWELS.findall(word)) - bool(silent), 1)


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of a text, in years of school; 0 for a text without words."""
    every = words(text)
    if not every:
        return 0.0
    spoken = sum(syllables(part) for word in every for part in word.split("-"))
    return 0.39 * len(every) / len(sentences(text)) + 11.8 * spoken / len(every) - 15.59


ABBREVIATION = re.compile(r"(?<![\w-])(?=[\w-]*[A-Z][\w-]*[A-Z])[A-Za-z][A-Za-z0-9]*(?:-[A-Z0-9][A-Za-z0-9]*)*(?![\w])")


def abbreviations(text: str) -> Iterator[str]:
    """Yield the words with two capitals or more, without a plural s, as they come."""
    for found in ABBREVIATION.finditer(text):
        yield found[0].removesuffix("s") if re.fullmatch(r"[A-Z0-9-]{2,}s", found[0]) else found[0]


# --- Likeness ---------------------------------------------------------------------------------------------------------

_LETTERS = 38  # a to z, 0 to 9, the space, and one for all the rest


def near_duplicates(texts: Sequence[str], least: float) -> list[tuple[int, int, float]]:
    """Return (i, j, cosine) for each pair i < j of texts whose letter trigrams are at least so alike, 0 to 1."""
    import numpy as np

    if len(texts) < 2:
        return []
    code = np.full(0x250, _LETTERS - 1)
    for i, letter in enumerate(" abcdefghijklmnopqrstuvwxyz0123456789"):
        code[ord(letter)] = code[ord(letter.upper())] = i
    rows = []
    for text in texts:
        padded = f" {' '.join(text.split())} "
        letters = code[np.minimum(np.frombuffer(padded.encode("utf-32-le"), dtype="<u4"), len(code) - 1)]
        rows.append((letters[:-2] * _LETTERS + letters[1:-1]) * _LETTERS + letters[2:])
    used = np.zeros(_LETTERS**3, dtype=bool)
    used[np.concatenate(rows)] = True
    column = np.cumsum(used) - 1
    counts = np.zeros((len(texts), column[-1] + 1), dtype=np.float32)
    for i, trigrams in enumerate(rows):
        counts[i] = np.bincount(column[trigrams], minlength=counts.shape[1])
    counts /= np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)
    alike = counts @ counts.T
    pairs = zip(*np.nonzero(np.triu(alike >= least, 1)), strict=True)
    return [(int(i), int(j), float(alike[i, j])) for i, j in pairs]


# --- Numbers ----------------------------------------------------------------------------------------------------------


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Return the probability that chi-square with so many degrees of freedom is at least `statistic`.

    Closed form for whole degrees of freedom (Abramowitz and Stegun 26.4.4 and 26.4.5): to import SciPy's takes a third
    as long as linting the whole course.
    """
    half = statistic / 2
    if freedom % 2:
        term, tail = math.sqrt(half) / math.gamma(1.5), math.erfc(math.sqrt(half))
        steps = [1.5 + i for i in range((freedom - 1) // 2)]
    else:
        term, tail = 1.0, 0.0
        steps = [1.0 + i for i in range(freedom // 2)]
    for step in steps:
        tail += math.exp(-half) * term
        term *= half / step
    return tail


_NUMBER = r"(?<![\w.,])[-−]?\d+(?:,\d{3})*(?:\.\d+)?"
_UNIT = r"(?:\s*(?:%|°|mm|cm|mL|ml|kg|g|years?|days?|weeks?|months?|hours?|points?|degrees?|percent|per cent))?"
_RANGES = (
    (rf"(?:from|between)?\s*({_NUMBER}){_UNIT}\s*(?:to|and|–|—|-|through)\s*([-−]?\d+(?:,\d{{3}})*(?:\.\d+)?)", "[]"),
    (rf"(?:less|fewer|lower|smaller|younger|shorter)\s+than\s+({_NUMBER})", ")"),
    (rf"(?:under|below|before|<)\s*({_NUMBER})", ")"),
    (rf"(?:more|greater|higher|larger|older|longer)\s+than\s+({_NUMBER})", "("),
    (rf"(?:over|above|beyond|after|>)\s*({_NUMBER})", "("),
    (rf"(?:up to|at most|no more than|not more than|≤|<=)\s*({_NUMBER})", "]"),
    (rf"(?:at least|no less than|no fewer than|≥|>=)\s*({_NUMBER})", "["),
    (rf"({_NUMBER}){_UNIT}\s+(?:or|and)\s+(?:less|fewer|lower|below|under|younger)", "]"),
    (rf"({_NUMBER}){_UNIT}\s+(?:or|and)\s+(?:more|over|above|higher|greater|older|longer)", "["),
    (rf"(?:about|around|approximately|roughly|exactly|nearly|some)?\s*({_NUMBER})", "="),
)
_RANGE_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in _RANGES)


@dataclass(frozen=True)
class Span:
    """An interval of numbers, its ends within it or not, and the words that stand around it."""

    low: float
    high: float
    low_in: bool
    high_in: bool
    about: str

    def overlaps(self, other: "Span") -> bool:
        """Say whether a number lies in both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return low < high or (low == high and low in self and low in other)

    def __contains__(self, value: float) -> bool:
        """Say whether a number lies within."""
        inside = self.low < value < self.high
        return inside or (value == self.low and self.low_in) or (value == self.high and self.high_in)


def span(text: str) -> Span | None:
    """Return the range or number that a text states, None when it states none."""
    for pattern, kind in _RANGE_PATTERNS:
        found = pattern.search(text)
        if found:
            values = [number(part) for part in found.groups()]
            rest = f"{text[: found.start()]} {text[found.end() :]}"
            about = " ".join(words(re.sub(r"\b(?:per cent|percent)\b|%", " percent ", rest.lower())))
            low, high = (values[0], values[-1]) if kind in ("[]", "=") else (-math.inf, math.inf)
            if kind in (")", "]"):
                high = values[0]
            elif kind in ("(", "["):
                low = values[0]
            return Span(low, high, kind in ("[]", "=", "["), kind in ("[]", "=", "]"), about)
    return None


def number(text: str) -> float:
    """Return the number that a text such as "1,000" or "−2.5" spells."""
    return float(text.replace(",", "").replace("−", "-"))


def ordered(values: Iterable[Any]) -> bool:
    """Say whether the values never fall or never rise."""
    pairs = list(pairwise(values))
    return all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs)
