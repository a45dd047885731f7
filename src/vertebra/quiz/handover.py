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
NUMBER = r"(?:\d+|an?|half an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty)"
TIME = re.compile(
    r"\b\d{1,2}[:.]\d{2}\b"  # 09:40
    r"|\b[01]\d[0-5]\d\b|\b2[0-3][0-5]\d ?h(?:ours|rs)?\b"  # 0940; 2023 alone is a year
    r"|(?<![\w/])\d+/(?:7|52|12)\b"  # 2/52 on a ward is two weeks
    rf"|\b{NUMBER} ?(?:am|pm|o['’]clock)\b"
    rf"|\b{NUMBER}[ -]?(?:min(?:ute)?s?|h(?:ours?|rs?)?|days?|weeks?|months?)\b"
    r"|\b(?:today|tonight|tomorrow|overnight|yesterday|midnight|midday|noon|day \d+)\b"
    r"|\b(?:on arrival|now|immediately|at once)\b"
    r"|\b(?:this|next|within the) (?:morning|afternoon|evening|hour|week|month)\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    re.IGNORECASE,
)
GAP = r"(?:[^\w.;!?]+[\w'’/-]+){0,5}?[^\w.;!?]+"  # up to five words, and not into the next sentence


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
    """Return a pattern that finds a phrase as whole words; see `Check`."""
    words = re.escape(phrase).replace("'", "['’]").replace(r"\*", r"\w*")
    words = words.replace(r"\ …\ ", GAP).replace(r"\ ", r"\s+")
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
