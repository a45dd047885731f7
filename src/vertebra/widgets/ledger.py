"""The claim ledger: judge 272 claims of five patient leaflets one by one, then see what the literature says of each."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from vertebra.evidence.claims import (
    CALLS,
    CONFLICT,
    SUPPORTED,
    VERDICTS,
    Claim,
    claims,
    conflicts,
    entries,
    leaflets,
    omissions,
)
from vertebra.evidence.references import cite, references
from vertebra.evidence.shape import UNREFERENCED
from vertebra.evidence.tables import table
from vertebra.language import N_, _
from vertebra.measure.reading import wilson
from vertebra.quiz.coverage import questions_by_claim
from vertebra.quiz.items import BankError
from vertebra.quiz.responses import ResponsesError, digest
from vertebra.widgets.asking import Asking, module, style
from vertebra.widgets.quiz import AnswerFile

FILE = "ledger.json"
NAMES = {
    "supported": N_("Supported"),
    "oversimplified": N_("Oversimplified"),
    "contradicted": N_("Contradicted"),
    CONFLICT: N_("The leaflets conflict"),
}
MEANINGS = {
    "supported": N_("what has been found, or accepted teaching, agrees"),
    "oversimplified": N_("true in part; a comparator, a number or a condition is missing"),
    "contradicted": N_("what has been found says otherwise"),
    CONFLICT: N_("another of the five says something that cannot stand beside it"),
}
CERTAINTY = {1: N_("guess"), 2: N_("fairly sure"), 3: N_("certain")}
LIMITS = (
    "The claims are paraphrased from five real pages, which stay unnamed. The verdicts are the authors' reading of the "
    "sources shown, as far as those were checked; no clinician has reviewed them."
)
Judged = Mapping[str, Mapping[str, Any]]


# --- what is computed -------------------------------------------------------------------------------------------------


def checked(wanted: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the judgements wanted: {claim id: {"answer": a call, "certainty": 1 to 3 or None}}.

    Raises ValueError for what is none.
    """
    judged = wanted.get("judged", {})
    if not isinstance(judged, Mapping):
        raise ValueError(f"judged is {judged!r}; give one judgement for each claim")
    for name, said in judged.items():
        if name not in claims():
            raise ValueError(f"there is no claim {name}")
        if not isinstance(said, Mapping) or said.get("answer") not in CALLS:
            raise ValueError(f"the judgement of {name} is {said!r}; it is one of {', '.join(CALLS)}")
        if said.get("certainty") not in (None, *CERTAINTY):
            raise ValueError(f"certainty is {said['certainty']!r}; it is 1, 2, 3 or none")
    return {name: {"answer": said["answer"], "certainty": said.get("certainty")} for name, said in judged.items()}


def _is_sound(name: str, said: Mapping[str, Any]) -> bool:
    try:
        return bool(checked({"judged": {name: said}}))
    except ValueError:  # of a version with other verdicts
        return False


@dataclass(frozen=True)
class Score:
    """Judgements against the ledger.

    table: {call: {verdict of the literature: how many}}. right: {call: how many of them hold}. fooled: the claims
    called supported that are not. certainty: {certainty: (right, of)}.
    """

    judged: int
    table: Mapping[str, Mapping[str, int]]
    right: Mapping[str, int]
    fooled: tuple[str, ...]
    certainty: Mapping[int, tuple[int, int]]


def score(judged: Judged) -> Score:
    """Return how checked judgements stand against the ledger."""
    said = [(claims()[name], each["answer"], each["certainty"]) for name, each in judged.items()]
    return Score(
        judged=len(said),
        table={
            call: {verdict: sum(c == call and claim.verdict == verdict for claim, c, _ in said) for verdict in VERDICTS}
            for call in CALLS
        },
        right={call: sum(c == call and claim.is_right(c) for claim, c, _ in said) for call in CALLS},
        fooled=tuple(claim.id for claim, c, _ in said if c == SUPPORTED and not claim.is_right(c)),
        certainty={
            level: (
                sum(sure == level and claim.is_right(c) for claim, c, sure in said),
                sum(sure == level for *_, sure in said),
            )
            for level in CERTAINTY
        },
    )


def always() -> tuple[str, int]:
    """Return the one verdict that would be right most often if said of every claim, and how often."""
    counts = {verdict: sum(claim.verdict == verdict for claim in claims().values()) for verdict in VERDICTS}
    best = max(counts, key=lambda verdict: counts[verdict])
    return best, counts[best]


def told(found: Score) -> list[str]:
    """Return the score in sentences."""
    right, total = sum(found.right.values()), len(claims())
    if not found.judged:
        return [_("Nothing judged yet of {all} claims.").format(all=total)]
    low, high = wilson(right, found.judged)
    verdict, often = always()
    lines = [
        f"{found.judged} of {total} claims judged, {right} right: {100 * right / found.judged:.0f} % "
        f"(95 % interval {100 * low:.0f} to {100 * high:.0f}).",
        f"Who calls every claim {verdict} is right on {often} of {total}: {100 * often / total:.0f} %.",
    ]
    supported = sum(found.table[SUPPORTED].values())
    if supported:
        count = len(found.fooled)
        lines.append(f"Of {supported} that you called supported, {count} {'is' if count == 1 else 'are'} not.")
    sure = [f"{right} of {of} when {CERTAINTY[level]}" for level, (right, of) in found.certainty.items() if of]
    return [*lines, *([f"Right {', '.join(sure)}."] if sure else [])]


# --- what is shown ----------------------------------------------------------------------------------------------------


def lesson_name(stem: str) -> str:
    """Return a lesson's name for its file stem, such as 03 Fracture types."""
    number, _, words = stem.replace("_", " ").partition(" ")
    return f"{number} {words.capitalize()}"


def place(lesson: str) -> dict[str, str]:
    """Return where a section is: {"file", "anchor", "lesson": the lesson's name, "section": its heading}."""
    stem, _, anchor = lesson.partition("#")
    return {
        "file": f"{stem}.ipynb",
        "anchor": anchor,
        "lesson": lesson_name(stem),
        "section": anchor.replace("-", " "),
    }


def _shown_claim(claim: Claim, questions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": claim.id,
        "leaflet": claim.leaflet,
        "line": claim.line,
        "topic": claim.topic,
        "claim": claim.claim,
        "verdict": claim.verdict,
        "appraisal": claim.appraisal,
        "refs": claim.refs,
        "confidence": claim.confidence,
        "conflicts": claim.conflict_ids,
        "place": place(claim.lesson),
        "questions": [
            {"file": f"{each.lesson}.ipynb", "lesson": lesson_name(each.lesson), "number": each.number}
            for each in questions.get(claim.id, ())
        ],
    }


@cache
def about() -> dict[str, Any]:
    """Return everything that the browser half shows: claims, conflicts, omissions, sources."""
    questions: Mapping[str, Any] = {}
    missing = ""
    try:
        questions = questions_by_claim()
    except BankError:  # somebody is writing in a bank; the claims can be judged all the same
        missing = "The question banks have faults, so no questions are named here; run `vertebra quiz check`."
    used = sorted({ref for each in entries() for ref in each.refs} - {UNREFERENCED})
    return {
        "calls": [{"id": call, "name": _(NAMES[call]), "means": _(MEANINGS[call])} for call in CALLS],
        "certainty": [{"level": level, "name": _(name)} for level, name in CERTAINTY.items()],
        "leaflets": [{"id": each.id, "what": each.what} for each in leaflets().values()],
        "claims": [_shown_claim(claim, questions) for claim in claims().values()],
        "conflicts": [
            {
                "id": each.id,
                "title": each.title,
                "sides": [each.side_a, each.side_b],
                "literature": each.literature,
                "line": each.course_line,
                "refs": each.refs,
                "place": place(each.lesson),
            }
            for each in conflicts().values()
        ],
        "omissions": [
            {
                "id": each.id,
                "missing": each.missing,
                "leaflets": each.leaflets,
                "why": each.why,
                "refs": each.refs,
                "place": place(each.lesson),
            }
            for each in omissions().values()
        ],
        "sources": {ref: {"citation": references()[ref].citation, "status": references()[ref].status} for ref in used},
        "limits": f"{LIMITS} {missing}".strip(),
    }


def shown_score(judged: Judged) -> dict[str, Any]:
    """Return the score as the browser half shows it."""
    found = score(judged)
    return {
        "judged": found.judged,
        "lines": told(found),
        "rows": [
            {"name": _(NAMES[call]), "cells": list(found.table[call].values()), "right": found.right[call]}
            for call in CALLS
        ],
        "fooled": list(found.fooled),
    }


# --- the widget -------------------------------------------------------------------------------------------------------


class Ledger(Asking):
    """The claim ledger, asked by its browser half; judgements are kept in a file of answers, as a quiz keeps them."""

    _esm = module("ledger")
    _css = style("ledger")
    refusal = N_("The ledger could not use that")

    def __init__(self, folder: Path | str) -> None:
        """Open with the judgements that the file in `folder` holds."""
        # The claims' names alone: a judgement stays good when an appraisal is worded anew.
        self._file = AnswerFile(Path(folder) / FILE, "claim_ledger", digest(sorted(claims())))
        stored, self._note = self._file.read()
        if stored:
            self._file.base = {name: said for name, said in stored.answers.items() if _is_sound(name, said)}
        super().__init__(about=about(), state={"judged": dict(self._file.base)})

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        counts = f"{len(claims())} claims, {len(conflicts())} conflicts, {len(omissions())} omissions"
        return f"claim ledger: {counts} of {len(leaflets())} patient leaflets"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Keep what was judged and return how it stands against the ledger."""
        judged = checked(wanted)
        if judged != self._file.base:
            self._keep(judged)
        return {"seq": int(wanted.get("seq", 0)), "score": shown_score(judged), "note": self._note}

    def _keep(self, judged: Judged) -> None:
        try:
            self._file.write("", judged)
            self._note = self._file.notice
        except (OSError, ResponsesError) as error:
            why = getattr(error, "strerror", None) or error
            unkept = _("{file} cannot be written ({why}). What you judge now is forgotten when you close the lesson.")
            self._note = unkept.format(file=FILE, why=why)

    def still(self) -> str:
        """Return the whole ledger as tables that need no kernel."""
        return _still()


@cache
def _still() -> str:
    def plain(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        return table(head, ([html.escape(cell) for cell in row] for row in rows))

    parts = []
    for letter, of in groupby(claims().values(), key=lambda claim: claim.leaflet):
        rows = [
            (claim.claim, NAMES[claim.verdict], f"{claim.appraisal} {cite(claim.refs)}", place(claim.lesson)["lesson"])
            for claim in of
        ]
        parts.append(
            f"<details><summary>Leaflet {letter}, {html.escape(leaflets()[letter].what)}: {len(rows)} claims</summary>"
            f"{plain(('Claim', 'Verdict', 'Appraisal', 'Lesson'), rows)}</details>"
        )
    clashes = [
        (each.title, f"{each.literature} {each.course_line} {cite(each.refs)}", place(each.lesson)["lesson"])
        for each in conflicts().values()
    ]
    gaps = [
        (each.missing, ", ".join(each.leaflets), f"{each.why} {cite(each.refs)}", place(each.lesson)["lesson"])
        for each in omissions().values()
    ]
    parts += [
        f"<details><summary>{len(clashes)} conflicts between the leaflets</summary>"
        f"{plain(('Conflict', 'What the literature says, and the line of the course', 'Lesson'), clashes)}</details>",
        f"<details><summary>{len(gaps)} things left out</summary>"
        f"{plain(('Left out', 'By leaflet', 'Why it matters', 'Lesson'), gaps)}</details>",
    ]
    return (
        f"<section><h3>Claim ledger</h3><p>{LIMITS} Start the lesson to judge the claims yourself and see the verdict "
        f"only then.</p>{''.join(parts)}</section>"
    )


def claim_ledger(folder: Path | str = "my_answers") -> Ledger:
    """Return the ledger; judgements are kept in `folder`/ledger.json."""
    return Ledger(folder)
