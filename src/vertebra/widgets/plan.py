"""The plan builder: a frail patient, measures to choose, and what a careful colleague would say about the plan."""

import html
from typing import Any

from vertebra.evidence.conservative import (
    AGES,
    EGFRS,
    REVIEW_DAYS,
    Finding,
    Frailty,
    Measure,
    Plan,
    Review,
    Scale,
    data,
    kidney_stage,
    measures,
    presets,
    review,
)
from vertebra.evidence.tables import table
from vertebra.language import N_, labels
from vertebra.widgets.asking import Asking, check_known, module, style

SIGNS = {"avoid": "✕", "caution": "!", "note": "i", "missing": "○", "sound": "✓"}
WORDS = {"avoid": N_("Avoid"), "caution": N_("Caution"), "note": N_("Note"), "missing": N_("Missing")}
REVIEWS = {
    "": N_("no date set"),
    "3": N_("in 3 days"),
    "7": N_("in 1 week"),
    "14": N_("in 2 weeks"),
    "28": N_("in 4 weeks"),
}
CARD = {"pain": "For the pain", "activity": "Moving", "support": "To keep you safe", "bone": "For the bone"}
LIMITS = (
    "Teaching, not medical advice; not reviewed by a clinician. Patients are invented. There are no doses here: "
    "whoever prescribes looks them up. The rules know what stands in their file and nothing else: silence is no safety."
)
FIRST = "maud"
STATE = ("patient", "age", "egfr", "features", "measures", "review")


def opening(name: str) -> dict[str, Any]:
    """Return the state on which the builder opens for an invented patient: the patient and the plan that came along.

    Raises ValueError for a patient who does not exist.
    """
    if name not in presets():
        raise ValueError(f"patient is {name!r}; it is one of {', '.join(presets())}")
    patient, features = presets()[name], [each["id"] for each in data()["features"]]
    return {
        "patient": name,
        "age": patient.frailty.age,
        "egfr": patient.frailty.egfr,
        "features": [each for each in features if getattr(patient.frailty, each)],
        "measures": list(patient.letter.measures),
        "review": patient.letter.review,
    }


def checked(wanted: dict[str, Any]) -> tuple[dict[str, Any], Frailty, Plan]:
    """Return the whole state, the patient and the plan that were wanted. Raises ValueError for what cannot be."""
    given = {name: wanted[name] for name in STATE if name in wanted}
    state = opening(given.get("patient", FIRST)) | given
    for name in ("features", "measures"):
        if not isinstance(state[name], list) or not all(isinstance(each, str) for each in state[name]):
            raise ValueError(f"{name} is {state[name]!r}; give a list of names")
    frailty = Frailty.of({"age": state["age"], "egfr": state["egfr"], **dict.fromkeys(state["features"], True)})
    return state, frailty, Plan(tuple(state["measures"]), state["review"])


# --- words -----------------------------------------------------------------------------------------------------------


def in_days(days: int | None) -> str:
    """Return when a plan is reviewed, in words."""
    if days is None:
        return REVIEWS[""]
    return REVIEWS.get(str(days), "tomorrow" if days == 1 else f"in {days} days")


def described(frailty: Frailty) -> str:
    """Return a patient in a line."""
    has = [each["plain"] for each in data()["features"] if getattr(frailty, each["id"])]
    kidney = f"{frailty.age} years, eGFR {frailty.egfr:g} mL/min/1.73 m² ({kidney_stage(frailty.egfr)})"
    return f"{kidney}; {', '.join(has)}" if has else f"{kidney}; nothing else"


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "severity": found.rule.severity,
        "says": found.rule.says,
        "reason": str(found.rule.reason),
        "mend": found.rule.mend,
        "by": [measures()[name].name for name in found.measures],
    }


def _evidence(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "strength": measure.strength.id,
        "verdict": measure.verdict.word,
        "found": str(measure.found),
        "harms": str(measure.harms),
        "stop": str(measure.stop),
    }


def card(said: Review, plan: Plan, name: str) -> dict[str, Any]:
    """Return the plan as the patient reads it: a title, lines by group, what to come back for, and the review."""
    lines: dict[str, list[str]] = {}
    for measure in said.chosen:
        if measure.id != "safety_net":
            lines.setdefault(CARD[measure.group], []).append(measure.plain)
    return {
        "title": f"Plan for {name}",
        "groups": [[heading, each] for heading, each in lines.items()],
        "net": next((each.plain for each in said.chosen if each.id == "safety_net"), ""),
        "review": in_days(plan.review),
    }


def flags(said: Review) -> dict[str, str]:
    """Return the gravest warning that each chosen measure calls up."""
    marked: dict[str, str] = {}
    for each in said.warnings:
        for name in each.measures:
            marked.setdefault(name, each.rule.severity)
    return marked


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state, frailty, plan = checked(wanted)
    said = review(plan, frailty)
    name = presets()[state["patient"]].name.split(":")[0]
    return {
        "seq": int(wanted.get("seq", 0)),
        "grade": said.grade,
        "verdict": said.verdict,
        "first": _first(said),
        "acceptable": said.acceptable,
        "kidney": kidney_stage(frailty.egfr),
        "warnings": [_finding(each) for each in said.warnings],
        "missing": [_finding(each) for each in said.missing],
        "flags": flags(said),
        "evidence": [_evidence(each) for each in said.chosen],
        "card": card(said, plan, name),
        "told": f"{said.verdict} {_first(said)}".strip(),
    }


def _first(said: Review) -> str:
    """Return what to begin with, as a sentence; "" if there is nothing."""
    first = next(iter((*said.warnings, *said.missing) if said.grade != "missing" else said.missing), None)
    return f"Begin with: {first.rule.says}." if first else ""


# --- the widget ------------------------------------------------------------------------------------------------------


def _listed(title: str, findings: tuple[Finding, ...]) -> str:
    lines = "".join(
        f"<li><strong>{SIGNS[each.rule.severity]} {WORDS[each.rule.severity]}: {html.escape(each.rule.says)}.</strong> "
        f"{html.escape(str(each.rule.reason))} <em>What to do:</em> {html.escape(each.rule.mend)}</li>"
        for each in findings
    )
    return f"<p><strong>{title}</strong></p><ul>{lines}</ul>" if findings else ""


def _rows(said: Review) -> str:
    rows = ((each.name, f"{each.strength.word}: {each.verdict.word}", str(each.found)) for each in said.chosen)
    return table(("Chosen", "Tested how", "What was found"), (tuple(map(html.escape, row)) for row in rows))


def _scale(steps: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"says": "", **vars(Scale(**each))} for each in steps]


class PlanBuilder(Asking):
    """A conservative plan and its review, asked by its browser half."""

    _esm = module("plan")
    _css = style("plan")
    refusal = N_("The builder could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on Maud with the plan of her letter, or on what `start` says."""
        check_known("plan_builder", start, STATE)
        state, _, _ = checked(start)
        super().__init__(
            about={
                "patients": {
                    name: {
                        "name": each.name,
                        "story": each.story,
                        "opens": opening(name),
                        "sound": {"measures": list(each.sound.measures), "review": each.sound.review},
                    }
                    for name, each in presets().items()
                },
                "groups": data()["groups"],
                "measures": [
                    {"id": each.id, "group": each.group, "name": each.name, "strength": each.strength.id}
                    for each in measures().values()
                ],
                "strengths": _scale(data()["strengths"]),
                "features": data()["features"],
                "reviews": [[days, words] for days, words in labels(REVIEWS).items()],
                "days": REVIEW_DAYS,
                "age": AGES,
                "egfr": EGFRS,
                "signs": SIGNS,
                "words": labels(WORDS),
                "limits": LIMITS,
            },
            state=state,
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Plan builder: {described(self._frailty)}. {self._said.verdict}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state, self._frailty, self._plan = checked(wanted)
        self._said = review(self._plan, self._frailty)
        return made

    def still(self) -> str:
        """Return the patient, the plan and what is said of it, as text."""
        patient = presets()[self._state["patient"]]
        return (
            f"<figure><p><strong>{html.escape(patient.name)}</strong> (invented). {html.escape(patient.story)} "
            f"{html.escape(described(self._frailty))}.</p>"
            f"<p><strong>{SIGNS[self._said.grade]} {html.escape(self._said.verdict)}</strong> "
            f"Review: {in_days(self._plan.review)}.</p>{_listed('Warnings', self._said.warnings)}"
            f"{_listed('Missing', self._said.missing)}{_rows(self._said)}"
            f"<figcaption>{LIMITS} Start the lesson to change patient and plan.</figcaption></figure>"
        )


def plan_builder(**start: Any) -> PlanBuilder:
    """Return the builder; `start` may set what it opens on, such as `patient="ilse"` or `measures=["paracetamol"]`."""
    return PlanBuilder(**start)
