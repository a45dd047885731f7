"""A hand-over note in the four parts of SBAR, and what a program can honestly look for in it.

It looks for words and for a time of day or a span of time, the one nearest to the words. It cannot tell whether what
stands there is true, nor whether it is enough: that is what the writer's own check is for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vertebra.quiz.cases import Check

PARTS = {
    "situation": "Situation",
    "background": "Background",
    "assessment": "Assessment",
    "recommendation": "Recommendation",
}
TIME = re.compile(
    r"\b\d{1,2}[:.]\d{2}\b|\b\d{1,2} ?(?:am|pm)\b|\b\d+ ?(?:min(?:ute)?s?|h(?:ours?|rs?)?|days?|weeks?)\b"
    r"|\b(?:today|tonight|this (?:morning|afternoon|evening)|yesterday|midnight|noon|day \d+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """What was looked for, whether it was found, and the words that were found."""

    check: Check
    found: bool
    words: str


def looked_for(note: Mapping[str, str], checks: Iterable[Check]) -> tuple[Found, ...]:
    """Return what was found of each check in a note {part: text}; the case of letters does not count."""
    return tuple(_found(note, check) for check in checks)


def _found(note: Mapping[str, str], check: Check) -> Found:
    words = ""
    for part in PARTS:
        text = note.get(part, "")
        word = next((match for phrase in check.any_of if (match := _phrase(phrase).search(text))), None)
        if word is None:
            continue
        if not check.with_time:
            return Found(check, True, word[0])
        times = list(TIME.finditer(text))
        if times:
            # In the same sentence if there is one: "Cultures 10:00. Power at 09:40."
            nearest = min(times, key=lambda time: (". " in _between(text, word, time), len(_between(text, word, time))))
            return Found(check, True, f"{word[0]}, {nearest[0]}")
        words = words or word[0]
    return Found(check, False, words)


def _between(text: str, one: re.Match[str], other: re.Match[str]) -> str:
    first, second = sorted((one, other), key=lambda match: match.start())
    return text[first.end() : second.start()]


def _phrase(phrase: str) -> re.Pattern[str]:
    """Return a pattern that finds a phrase as whole words; a phrase that ends in * may go on."""
    words = re.escape(phrase.removesuffix("*")).replace(r"\ ", r"\s+")
    return re.compile(rf"(?<!\w){words}" + (r"\w*" if phrase.endswith("*") else r"(?!\w)"), re.IGNORECASE)
