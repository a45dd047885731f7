"""What widgets about one patient have in common: the controls that set what is known, and the invented patients."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertebra.evidence.patient import FIELDS, Patient, examples
from vertebra.widgets.asking import Module, module, style

HERE = Path(__file__).parent
EMPTY: dict[str, Any] = dict.fromkeys(FIELDS)
SLIDERS = {"fracture_age_weeks": (0, 104), "pain_0_10": (0, 10)}


def patient_module(name: str) -> Module:
    """Return the ES module of a widget about a patient, behind what such widgets share."""
    return module("patient", name)


def patient_style(name: str) -> str:
    """Return the style sheet of a widget about a patient, behind what such widgets share."""
    return style("patient") + (HERE / f"{name}.css").read_text(encoding="utf-8")


def patient_of(wanted: Mapping[str, Any], start: Mapping[str, Any]) -> Patient:
    """Return the patient that was wanted, else as in `start`. Raises ValueError for a value a field cannot take."""
    return Patient(**{name: wanted.get(name, start[name]) for name in FIELDS})


def controls(groups: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """Return the controls, group by group: sliders for two numbers, choices for everything else."""
    return [{"legend": legend, "fields": [_control(name) for name in names]} for legend, names in groups.items()]


def _control(name: str) -> dict[str, Any]:
    field = FIELDS[name]
    values = tuple(field.codes) if field.codes is not None else field.trials
    options = [[value, field.say(value)] for value in (*values, None)]
    made: dict[str, Any] = {"name": name, "label": field.label, "unit": field.unit, "options": options}
    return made | ({"range": SLIDERS[name]} if name in SLIDERS else {})


def invented() -> dict[str, list[Any]]:
    """Return the invented patients by id: name, story, and what is known and not known of them."""
    return {each.id: [each.name, each.told, EMPTY | each.patient.known] for each in examples().values()}
