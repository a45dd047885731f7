"""The decision pathway: an invented patient's findings, walked node by node, with reason, clock and source of each."""

import base64
import html
from typing import Any

from vertebra.evidence.pathway import Path, Step, centre, draw, walk
from vertebra.evidence.patient import FIELDS, Patient, describe, examples
from vertebra.evidence.references import cite
from vertebra.language import N_
from vertebra.widgets.asking import Asking, check_known
from vertebra.widgets.patient import EMPTY, controls, invented, patient_module, patient_of, patient_style

GROUPS = {
    "At first sight": ("neurology", "new_deficit", "mechanism", "ankylosed", "cancer", "infection"),
    "On images": ("of_type", "plc_injured", "looks_benign", "mri_oedema", "progression", "nonunion"),
    "Time, pain and blood": (
        "fracture_age_weeks",
        "pain_0_10",
        "pain_despite_optimal_care",
        "level_concordant",
        "coagulopathy",
    ),
}
START = EMPTY | examples()["cleft"].patient.known
HASTE = {"now": "bad", "today": "warn", "within 24 hours": "warn", "within a day": "warn"}
LIMITS = (
    "A teaching pathway for adults, with invented patients. Your hospital's own comes first, and so does a worried "
    "nurse. Not medical advice, not reviewed by a clinician."
)


# --- words -----------------------------------------------------------------------------------------------------------


def reason(step: Step, patient: Patient) -> str:
    """Return why a question was answered as it was: the findings it looked at, or what is not known."""
    if step.node.when is None or not step.answer:
        return ""
    if step.answer == "unknown":
        lacking = ", ".join(FIELDS[name].within for name in step.fields)
        return f"Not known: {lacking}. {step.node.ask}"
    known = [f"{FIELDS[name].label}: {FIELDS[name].say(getattr(patient, name))}" for name in step.fields]
    return f"{'; '.join(known)}."


def title(step: Step) -> str:
    """Return a step in a line: what it is and how it was answered."""
    answered = {"yes": " Yes.", "no": " No.", "unknown": " Not known."}.get(step.answer, "")
    return f"{step.node.short}{'' if step.node.short.endswith('?') else '.'}{answered}"


def verdict(path: Path) -> str:
    """Return where the path leads, with its clock."""
    to = path.destination
    return f"{to.short} ({to.clock}). Then, as for everybody: {path.steps[-1].node.short.lower()}."


def told(patient: Patient, number: int) -> str:
    """Return the step that is shown, as a text: which it is, how it was answered, and why."""
    path = walk(patient)
    step = path.steps[number]
    words = [f"Step {number + 1} of {len(path.steps)}. {title(step)}", reason(step, patient), step.node.says]
    if number == len(path.steps) - 1:
        words.append(f"The path led to: {verdict(path)}")
    return " ".join(word for word in words if word)


# --- the answer ------------------------------------------------------------------------------------------------------


def step_of(wanted: dict[str, Any], path: Path) -> int:
    """Return the step that is to be shown; one beyond the path's end is its last. Raises ValueError for nonsense."""
    number = wanted.get("step", 0)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(f"step is {number!r}; give a whole number from 0")
    return min(number, len(path.steps) - 1)


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    patient = patient_of(wanted, START)
    path = walk(patient)
    number = step_of(wanted, path)
    x, y = centre(path.steps[number].node.id)
    return {
        "seq": int(wanted.get("seq", 0)),
        "step": number,
        "steps": [
            {
                "title": title(step),
                "question": step.node.when is not None,
                "why": reason(step, patient),
                "says": step.node.says,
                "clock": "" if step.node.when is not None else step.node.clock,
                "haste": HASTE.get(step.node.clock, "soft"),
                "refs": "; ".join(step.node.refs),
            }
            for step in path.steps[: number + 1]
        ],
        "last": len(path.steps) - 1,
        "verdict": verdict(path) if number == len(path.steps) - 1 else "",
        "asked": [FIELDS[name].question for name in path.asked] if number == len(path.steps) - 1 else [],
        "drawing": draw(path, number),
        "at": [x, y],
        "told": told(patient, number),
    }


class Pathway(Asking):
    """The decision pathway, walked by its browser half."""

    _esm = patient_module("pathway")
    _css = patient_style("pathway")
    refusal = N_("The pathway could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on an invented patient at the first step, or with what `start` says of the fields and of `step`."""
        check_known("pathway", start, [*START, "step"])
        state = START | {"step": 0} | start
        self._patient, self._step = patient_of(state, START), 0
        super().__init__(
            about={"groups": controls(GROUPS), "examples": invented(), "limits": LIMITS},
            state=state,
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        path = walk(self._patient)
        return f"Decision pathway, {len(path.steps)} steps: {verdict(path)}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._patient, self._step = patient_of(wanted, START), made["step"]
        return made

    def still(self) -> str:
        """Return the whole walk as a picture and as a list of its steps."""
        path = walk(self._patient)
        steps = "".join(
            f"<li><strong>{html.escape(title(step))}</strong> {html.escape(reason(step, self._patient))} "
            f"{cite(step.node.refs)}</li>"
            for step in path.steps
        )
        said = f"A flow chart with the way of this patient marked. It leads to: {verdict(path)}"
        drawing = base64.b64encode(draw(path).encode()).decode()
        return (
            f'<figure><img alt="{html.escape(said, quote=True)}" width="720" src="data:image/svg+xml;base64,{drawing}">'
            f"<figcaption>{html.escape(said)} Known of the patient: {html.escape(describe(self._patient))} "
            f"{html.escape(LIMITS)} Start the lesson to walk it yourself.</figcaption><ol>{steps}</ol></figure>"
        )


def pathway(**start: Any) -> Pathway:
    """Return the pathway; `start` may set what is known of the patient, such as `infection=True`, and the `step`."""
    return Pathway(**start)
