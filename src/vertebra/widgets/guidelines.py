"""The guideline map: one patient, six bodies and a score side by side, and which input changes whose answer."""

import html
import math
from collections.abc import Iterable
from typing import Any

from vertebra.evidence.guidelines import (
    CEMENT,
    Advice,
    Change,
    Flip,
    advice,
    bodies,
    changes,
    flips,
    stopped,
    timing,
    treatments,
)
from vertebra.evidence.patient import FIELDS, Patient, describe, examples
from vertebra.evidence.references import cite
from vertebra.evidence.tables import table
from vertebra.language import N_
from vertebra.widgets.asking import Asking, check_known
from vertebra.widgets.patient import EMPTY, controls, invented, patient_module, patient_of, patient_style

WORDS = {
    "recommend": ("✓", "recommends"),
    "option": ("◐", "an option"),
    "against": ("✕", "against"),
    "none": ("–", "no recommendation"),
    "ask": ("?", "must know more"),
    "stop": ("!", "stop first"),
}
# What one document does, and what several do.
COUNTED = {
    "recommend": ("recommends it", "recommend it"),
    "option": ("calls it an option", "call it an option"),
    "against": ("is against", "are against"),
    "none": ("makes no recommendation", "make no recommendation"),
    "ask": ("must know more", "must know more"),
    "stop": ("is not asked", "are not asked"),
}
SHORT = {"vertebroplasty": "vertebroplasty", "kyphoplasty": "kyphoplasty", "conservative": "care", "surgery": "surgery"}
GROUPS = {
    "The fracture": ("fracture_age_weeks", "mri_oedema", "of_type", "mechanism", "looks_benign", "progression"),
    "The pain": ("pain_0_10", "pain_despite_optimal_care", "level_concordant", "mobile"),
    "Safety": ("neurology", "new_deficit", "plc_injured", "ankylosed", "infection", "coagulopathy", "cancer"),
    "For the OF score": (
        "t_score",
        "hounsfield",
        "asa",
        "frailty_index",
        "anticoagulation",
        "dementia",
        "bmi",
        "nursing_care",
    ),
}
START = EMPTY | examples()["severe"].patient.known
LONGEST = 104  # weeks, the end of the time line
MANY = 4  # bodies that change alike are counted from here on and not named
SCORE = "the OF score"
CARDS = "both cards of the OF score"
TICKS = (0, 3, 6, 13, 26, 52, 104)
LIMITS = (
    "A map, not a judge: nothing is weighed, and a yes here is a reason to talk, not an order. Each document is shown "
    "as far as somebody here has read it, with its year; what was not read stays without a recommendation. Severe "
    "pain is read as 7 of 10 [unreferenced]. For adults. An invented patient, no medical "
    "advice, not reviewed by a clinician."
)


# --- words -----------------------------------------------------------------------------------------------------------


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _is_score(body: str) -> bool:
    return next(each.is_score for each in bodies() if each.id == body)


def verdict(given: tuple[Advice, ...], treatment: str) -> str:
    """Return how the bodies divide on a treatment, and apart from them the score, whose two cards have one author.

    Such as `of 6 bodies 1 recommends it, 5 are against; both cards of the OF score are against`.
    """
    asked = [each for each in given if each.treatment == treatment]
    answers = [each.answer for each in asked if not _is_score(each.body)]
    counts = ((answers.count(name), words) for name, words in COUNTED.items())
    divided = ", ".join(f"{count} {words[count > 1]}" for count, words in counts if count)
    newer, first = [each.answer for each in asked if _is_score(each.body)]
    apart = f"{SCORE} {COUNTED[newer][0]}, its first card {COUNTED[first][0]}"
    if newer == first:
        apart = f"{CARDS} {COUNTED[newer][1]}"
    return f"of {len(answers)} bodies {divided}; {apart}"


def headline(patient: Patient) -> str:
    """Return the first thing to be said: stop, or how the documents divide."""
    if stopped(patient):
        return "Stop: no document is asked about cement"
    given = advice(patient)
    answers = {each.answer for each in given if each.treatment in CEMENT}
    if answers & {"recommend", "option"} and "against" in answers:
        return "They disagree"
    return "More must be known first" if "ask" in answers else "None of them allows cement here"


def _together(names: list[str]) -> str:
    """Return the short names of documents in a line, the two cards of the score under one name."""
    cards = [each.short for each in bodies() if each.is_score]
    rest = [name for name in names if name not in cards]
    return _listed([*rest, CARDS] if set(cards) <= set(names) else names)


def flip_words(each: Flip) -> str:
    """Return what a flip changes, documents with the same change together; of care and surgery only if cement stays."""
    if any(change.after == "stop" for change in each.changes):
        return "no document is asked about cement: stop first"
    cement = [change for change in each.changes if change.treatment in CEMENT]
    told, short = cement or each.changes, {body.id: body.short for body in bodies()}
    named = {change.body for change in told}
    scores = [body for body in short if body in named and _is_score(body)]
    if len(named) - len(scores) > MANY and len({change.after for change in told}) == 1:
        apart = ["", f" and {SCORE}", f" and {CARDS}"][len(scores)]
        return f"{len(named) - len(scores)} bodies{apart} then {COUNTED[told[0].after][1]}"
    grouped: dict[tuple[tuple[str, ...], str, str], list[str]] = {}
    for body in short:
        own = [change for change in told if change.body == body]
        for before, after in dict.fromkeys((change.before, change.after) for change in own):
            what = tuple(c.treatment for c in own if (c.before, c.after) == (before, after))
            grouped.setdefault((what, before, after), []).append(short[body])
    return "; ".join(
        f"{_together(names)}: {_listed(SHORT[name] for name in what)} {WORDS[before][1]} → {WORDS[after][1]}"
        for (what, before, after), names in grouped.items()
    )


def flip_rows(patient: Patient) -> list[dict[str, Any]]:
    """Return which single inputs would change which answers: those that change most documents first, stops last.

    Inputs that change the same stand in one row, and so do the values of an input.
    """
    rows: dict[str, list[Flip]] = {}
    for each in flips(patient):
        rows.setdefault(flip_words(each), []).append(each)
    found = [
        {
            "inputs": [
                {
                    "field": FIELDS[name].label,
                    "now": FIELDS[name].say(getattr(patient, name)),
                    "value": "; ".join(FIELDS[name].say(each.value) for each in alike if each.field == name),
                }
                for name in dict.fromkeys(each.field for each in alike)
            ],
            "flips": words[0].upper() + words[1:],
            "stops": any(change.after == "stop" for change in alike[0].changes),
            "bodies": len({change.body for change in alike[0].changes}),
        }
        for words, alike in rows.items()
    ]
    return sorted(found, key=lambda row: (row["stops"], -row["bodies"]))


def told(patient: Patient, changed: tuple[Change, ...] = ()) -> str:
    """Return the map as a text: what was changed just now, and how the documents divide on cement."""
    given = advice(patient)
    words = [f"{headline(patient)}."]
    words += [each.says for each in stopped(patient)]
    words += [f"{name}: {verdict(given, key)}." for key, name in treatments().items() if key in CEMENT]
    if changed:
        short = {body.id: body.short for body in bodies()}
        what = [
            f"{short[c.body]} on {SHORT[c.treatment]} {WORDS[c.before][1]}, now {WORDS[c.after][1]}" for c in changed
        ]
        words.append(f"Changed: {'; '.join(what)}." if len(what) <= 6 else f"{len(what)} answers changed.")
    return " ".join(words)


# --- the answer ------------------------------------------------------------------------------------------------------


def place(weeks: float) -> float:
    """Return where a fracture's age stands on the time line, 0 to 1; early weeks get more room (square root)."""
    return math.sqrt(min(weeks, LONGEST) / LONGEST)


def windows(patient: Patient) -> list[dict[str, Any]]:
    """Return the time line: what each source admitted or says, and whether this fracture lies in it (None: unknown)."""
    age, found = patient.fracture_age_weeks, []
    for each in timing():
        low, high = each.weeks
        found.append(
            {
                "who": each.who,
                "from": place(low),
                "to": 1.0 if high is None else place(high),
                "open": high is None,
                "inside": None if age is None else low <= age and (high is None or age <= high),
                "says": each.says,
                "refs": "; ".join(each.refs),
            }
        )
    return found


def shown(wanted: dict[str, Any], before: tuple[Advice, ...] = ()) -> dict[str, Any]:
    """Return everything that the browser half shows; `before` are the answers for the patient before this one."""
    patient = patient_of(wanted, START)
    given = advice(patient)
    changed = changes(before, given) if before else ()
    was = {(each.body, each.treatment): WORDS[each.before][1] for each in changed}
    rows = []
    for body in bodies():
        own = [each for each in given if each.body == body.id]
        cells = [
            {
                "glyph": WORDS[each.answer][0],
                "word": WORDS[each.answer][1],
                "answer": each.answer,
                "strength": each.strength,
                "was": was.get((each.body, each.treatment), ""),
            }
            for each in own
        ]
        rows.append({"body": body.id, "cells": cells, "why": _reasons(own)})
    age = patient.fracture_age_weeks
    return {
        "seq": int(wanted.get("seq", 0)),
        "headline": headline(patient),
        "tone": "bad" if stopped(patient) else "warn",
        "counts": {key: verdict(given, key) for key in CEMENT},
        "stops": [f"{each.says} {cite(each.refs)}" for each in stopped(patient)],
        "rows": rows,
        "flips": flip_rows(patient),
        "windows": windows(patient),
        "age": None if age is None else {"at": place(age), "text": FIELDS["fracture_age_weeks"].say(age)},
        "told": told(patient, changed),
    }


def _reasons(own: list[Advice]) -> list[dict[str, str]]:
    """Return a document's reasons, treatments with the same one together."""
    reasons: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for each in own:
        reasons.setdefault((each.says, each.refs), []).append(SHORT[each.treatment])
    return [
        {"what": _listed(what).capitalize(), "says": says, "refs": "; ".join(refs)}
        for (says, refs), what in reasons.items()
    ]


class GuidelineMap(Asking):
    """Six bodies and a score on one patient, asked by the browser half."""

    _esm = patient_module("guidelines")
    _css = patient_style("guidelines")
    refusal = N_("The map could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on an invented patient with severe pain at four weeks, or with what `start` says of the fields."""
        check_known("guideline_map", start, START)
        self._patient = patient_of(start, START)
        super().__init__(
            about={
                "groups": controls(GROUPS),
                "examples": invented(),
                "treatments": treatments(),
                "bodies": [
                    {"id": each.id, "short": each.short, "name": each.name, "year": each.year, "kind": each.kind,
                     "apart": each.is_score,
                     "status": each.status, "refs": "; ".join(each.refs)}
                    for each in bodies()
                ],
                "ticks": [[place(week), week] for week in TICKS],
                "limits": LIMITS,
            },
            state=START | start,
        )  # fmt: skip

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Guideline map: {told(self._patient)}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted, advice(self._patient))
        self._patient = patient_of(wanted, START)
        return made

    def still(self) -> str:
        """Return the map as a table with its description."""
        lines = []
        for body, row in zip(bodies(), shown(START | self._patient.known)["rows"], strict=True):
            cells = [f"{x['glyph']} {x['word']}<br><small>{html.escape(x['strength'])}</small>" for x in row["cells"]]
            year = f", {body.year}" if body.year else ""
            lines.append([f"{html.escape(body.short)}{year}<br><small>{cite(body.refs)}</small>", *cells])
        said = html.escape(f"{told(self._patient)} Known of the patient: {describe(self._patient)}")
        return (
            f"<figure>{table(('Document', *map(html.escape, treatments().values())), lines)}"
            f"<figcaption>{said} {html.escape(LIMITS)} "
            "Start the lesson to change the patient.</figcaption></figure>"
        )


def guideline_map(**start: Any) -> GuidelineMap:
    """Return the guideline map; `start` may set what is known of the patient, such as `fracture_age_weeks=12`."""
    return GuidelineMap(**start)
