"""One patient with a vertebral fracture, as guidelines and the decision pathway see one, and conditions on it.

Everything may be unknown (None): a clinician rarely knows all at once, and what is not known must never be read as
harmless. So a condition is true, false or unknown (Kleene's logic).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from functools import cache
from numbers import Real
from types import MappingProxyType
from typing import Any, Self

from vertebra import assets
from vertebra.measure.scores import (
    OF_MODIFIED,
    OF_ORIGINAL,
    NeurologyN,
    OfCard,
    OfFindings,
    OfPatient,
    Score,
    of_score,
)


@dataclass(frozen=True)
class Field:
    """One thing that may be known of a patient: its words, and the values it may take.

    `codes` are the values of a choice with what they mean, `span` the range of a number in `unit`; with neither it is
    yes or no. `trials` are the values that are tried where one asks what a change would change.
    """

    label: str
    question: str
    codes: Mapping[Any, str] | None = None
    span: tuple[float, float] | None = None
    unit: str = ""
    trials: tuple[Any, ...] = (True, False)

    @property
    def within(self) -> str:
        """Return the label as it stands within a sentence: `T-score`, but `pain at that level`."""
        return self.label[0].lower() + self.label[1:] if self.label[1:2].islower() else self.label

    def say(self, value: Any) -> str:
        """Return a value in words, such as `7 weeks` or `not known`."""
        if value is None:
            return "not known"
        if self.codes is not None:
            return str(self.codes[value])
        if self.span is not None:
            unit = self.unit.removesuffix("s") if value == 1 else self.unit
            return f"{value:g} {unit}".strip().replace("-", "−")
        return "yes" if value else "no"

    def fault(self, name: str, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if value is None:
            return None
        if self.codes is not None:
            known = value in self.codes and not isinstance(value, bool)
            return None if known else f"{name} is {value!r}; it is one of {', '.join(map(str, self.codes))}, or None"
        if self.span is not None:
            low, high = self.span
            fits = isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) <= high
            unit = f" {self.unit}" if self.unit else ""
            return None if fits else f"{name} is {value!r}; give a number from {low:g} to {high:g}{unit}, or None"
        return None if isinstance(value, bool) else f"{name} is {value!r}; it is True, False or None"


OF_WORDS = {
    0: "no fracture seen",
    1: "OF 1, oedema only",
    2: "OF 2, one endplate",
    3: "OF 3, and the posterior wall",
    4: "OF 4, both endplates or pincer",
    5: "OF 5, tension band torn",
}
NEUROLOGY = {
    "N0": "N0, intact",
    "N1": "N1, passed off",
    "N2": "N2, a nerve root",
    "N3": "N3, incomplete cord or cauda",
    "N4": "N4, complete cord",
}

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "age_years": Field("Age", "How old is the patient?", span=(0, 120), unit="years", trials=(40, 60, 80)),
        "setting": Field(
            "Seen",
            "Where is the patient seen?",
            codes={
                "home": "at home",
                "practice": "in general practice",
                "emergency": "in the emergency department",
                "ward": "on a ward",
            },
            trials=("home", "practice", "emergency", "ward"),
        ),
        "mechanism": Field(
            "How it broke",
            "What broke it?",
            codes={
                "none": "no event recalled",
                "everyday": "an everyday load",
                "low fall": "a fall from standing",
                "high energy": "high energy",
            },
            trials=("none", "everyday", "low fall", "high energy"),
        ),
        "ankylosed": Field("Stiffened spine", "Is the spine ankylosed?"),
        "neurology": Field(
            "Nerves",
            "What do legs, saddle, bladder and bowel show?",
            codes=NEUROLOGY,
            trials=tuple(NEUROLOGY),
        ),
        "new_deficit": Field("Deficit is new or growing", "Is the deficit new, or does it grow?"),
        "cancer": Field("Cancer, now or before", "Is there cancer, now or in the past?"),
        "infection": Field("Spinal infection", "Is there an infection of the spine, or sepsis?"),
        "coagulopathy": Field("Bleeding disorder not put right", "Is there a bleeding disorder that is not corrected?"),
        "of_type": Field(
            "Fracture (OF type)",
            "Which OF type is it on film, CT or MRI?",
            codes=OF_WORDS,
            trials=tuple(OF_WORDS),
        ),
        "plc_injured": Field("Posterior ligaments torn", "Are the posterior ligaments torn, on CT or MRI?"),
        "progression": Field("Kyphosis or collapse grew", "Has kyphosis or collapse grown on the repeat film?"),
        "nonunion": Field("Not united (cleft)", "Is there a cleft, a fracture that has not united?"),
        "looks_benign": Field("Looks benign", "Do MRI, blood and history fit a benign fracture?"),
        "fracture_age_weeks": Field(
            "Age of the fracture",
            "How old is the fracture?",
            span=(0, 520),
            unit="weeks",
            trials=(1, 3, 6, 7, 8, 12, 13, 26, 52, 104),
        ),
        "mri_oedema": Field("Oedema on MRI (unhealed)", "Does MRI (STIR) show oedema, that is, an unhealed fracture?"),
        "pain_0_10": Field("Pain", "How bad is the pain?", span=(0, 10), unit="of 10", trials=tuple(range(11))),
        "care_weeks": Field(
            "Weeks of care", "How long has it been treated?", span=(0, 104), unit="weeks", trials=(0, 2, 6, 12)
        ),
        "pain_despite_optimal_care": Field("Persists despite optimal care", "Does it persist despite optimal care?"),
        "level_concordant": Field("Pain at that level", "Do examination and imaging put the pain at that level?"),
        "mobile": Field("Can be mobilised", "Can the patient be mobilised, under analgesia?"),
        "t_score": Field("T-score", "What is the T-score?", span=(-10, 5), trials=(-4, -3.1, -2.5, -1)),
        "hounsfield": Field(
            "CT density", "What is the density on CT?", span=(-200, 1000), unit="HU", trials=(60, 90, 91, 150)
        ),
        "asa": Field("ASA class", "What is the ASA class?", span=(1, 5), trials=(1, 2, 3, 4, 5)),
        "frailty_index": Field(
            "Frailty index (mFI-5)", "What is the frailty index?", span=(0, 5), unit="of 5", trials=(0, 1, 2, 3, 4, 5)
        ),
        "anticoagulation": Field("Anticoagulated", "Is the patient anticoagulated?"),
        "dementia": Field("Dementia", "Is there dementia?"),
        "bmi": Field("BMI", "What is the BMI?", span=(8, 100), unit="kg/m²", trials=(18, 20, 24)),
        "nursing_care": Field("Needs nursing care", "Does the patient need nursing care?"),
    }
)


@dataclass(frozen=True)
class Patient:
    """What is known of a patient; None is unknown. `FIELDS` says what each field means and may be.

    `pain_0_10` is the worst on a numeric scale, `pain_despite_optimal_care` a judgement of the team, `mobile` is tested
    under analgesia, `neurology` is the AO Spine code. Raises ValueError for a value out of range and for two that
    contradict each other.
    """

    age_years: float | None = None
    setting: str | None = None
    mechanism: str | None = None
    ankylosed: bool | None = None
    neurology: NeurologyN | None = None
    new_deficit: bool | None = None
    cancer: bool | None = None
    infection: bool | None = None
    coagulopathy: bool | None = None
    of_type: int | None = None
    plc_injured: bool | None = None
    progression: bool | None = None
    nonunion: bool | None = None
    looks_benign: bool | None = None
    fracture_age_weeks: float | None = None
    mri_oedema: bool | None = None
    pain_0_10: float | None = None
    care_weeks: float | None = None
    pain_despite_optimal_care: bool | None = None
    level_concordant: bool | None = None
    mobile: bool | None = None
    t_score: float | None = None
    hounsfield: float | None = None
    asa: float | None = None
    frailty_index: float | None = None
    anticoagulation: bool | None = None
    dementia: bool | None = None
    bmi: float | None = None
    nursing_care: bool | None = None

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            fault = field.fault(name, getattr(self, name))
            if fault:
                raise ValueError(fault)
        if self.new_deficit and self.neurology == "N0":
            raise ValueError("new_deficit is True but neurology is N0 (intact); give the deficit's code, N1 to N4")
        if self.pain_despite_optimal_care and self.care_weeks == 0:
            raise ValueError("pain_despite_optimal_care is True but care_weeks is 0; no care has been given yet")
        if self.of_type == 5 and self.plc_injured is False:
            raise ValueError("of_type is 5 (tension band torn) but plc_injured is False; correct one of them")

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from a mapping of field names; an unknown name raises ValueError."""
        unknown = sorted(set(record) - set(FIELDS))
        if unknown:
            raise ValueError(f"a patient has no {unknown[0]!r}; it has {', '.join(FIELDS)}")
        return cls(**record)

    def but(self, **changes: Any) -> Self:
        """Return the same patient with some fields changed."""
        return replace(self, **changes)

    @property
    def known(self) -> dict[str, Any]:
        """Return what is known, field by field."""
        values = {each.name: getattr(self, each.name) for each in dataclass_fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def unstable(self) -> bool | None:
        """Whether the injury is unstable: a torn tension band (OF 5) or torn posterior ligaments.

        The course's short rule (unreferenced). OF 2 to 4 with ligaments not looked at stays unknown; OF 0 and 1 have
        no deformity that could tear them.
        """
        if self.plc_injured or self.of_type == 5:
            return True
        if self.plc_injured is False or self.of_type in (0, 1):
            return False
        return None

    @property
    def deficit(self) -> bool | None:
        """Whether there is or was any neurological deficit."""
        return None if self.neurology is None else self.neurology != "N0"

    @property
    def acute_deficit(self) -> bool | None:
        """Whether a deficit is new or growing; one of unknown age counts as new until somebody has asked."""
        if self.neurology == "N0":
            return False
        if self.new_deficit is not None:
            return self.new_deficit
        return True if self.neurology in ("N2", "N3", "N4") else None

    def of_findings(self) -> OfFindings | None:
        """Return the least findings on images that make this OF type, for `measure.scores.of_type`."""
        if self.of_type is None:
            return None
        least: dict[int, dict[str, Any]] = {
            2: {"endplates": 1},
            3: {"endplates": 1, "posterior_wall": 0.2},
            4: {"endplates": 2},
            5: {"endplates": 1, "tension_band": True},
        }
        oedema = bool(self.mri_oedema) or self.of_type == 1
        return OfFindings(mri_oedema=oedema, **least.get(self.of_type, {}))

    def of_patient(self) -> OfPatient | None:
        """Return what the OF score cards ask; None as long as the OF type is unknown or there is no fracture."""
        if not self.of_type:
            return None
        return OfPatient(
            of=self.of_type,
            t_score=self.t_score,
            hounsfield=self.hounsfield,
            progression=self.progression,
            pain_vas=self.pain_0_10,
            neurology=self.neurology or "NX",
            mobile=self.mobile,
            asa=None if self.asa is None else int(self.asa),
            frailty=None if self.frailty_index is None else int(self.frailty_index),
            anticoagulation=self.anticoagulation,
            dementia=self.dementia,
            bmi=self.bmi,
            nursing_care=self.nursing_care,
        )

    def of_score(self, card: OfCard = OF_MODIFIED) -> Score | None:
        """Return the OF score on a card; None as long as the OF type is unknown or there is no fracture."""
        asked = self.of_patient()
        return None if asked is None else of_score(asked, card)

    @property
    def of_band(self) -> str | None:
        """Return the band of the modified OF score: conservative, either, surgery, or none without a fracture."""
        return self._band(OF_MODIFIED)

    @property
    def of_band_original(self) -> str | None:
        """Return the band of the original OF score."""
        return self._band(OF_ORIGINAL)

    def _band(self, card: OfCard) -> str | None:
        score = self.of_score(card)
        return score.band if score else "none" if self.of_type == 0 else None


# --- conditions ------------------------------------------------------------------------------------------------------

Condition = Mapping[str, Any]
BANDS = ("none", "conservative", "either", "surgery")
# What may stand in a condition besides the fields: the values it may take, and the fields that it is made from.
DERIVED: Mapping[str, tuple[tuple[Any, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "unstable": ((True, False), ("plc_injured", "of_type")),
        "deficit": ((True, False), ("neurology",)),
        "acute_deficit": ((True, False), ("neurology", "new_deficit")),
        "of_band": (BANDS, ("of_type",)),
        "of_band_original": (BANDS, ("of_type",)),
    }
)


def _test(wanted: Any, value: Any) -> bool | None:
    if wanted in ("known", "unknown"):
        return bool((value is not None) == (wanted == "known"))
    if value is None:
        return None
    if isinstance(wanted, Mapping):
        return bool(wanted.get("min", value) <= value <= wanted.get("max", value))
    return bool(value in (wanted if isinstance(wanted, list | tuple) else [wanted]))


def _all(truths: Iterator[bool | None]) -> bool | None:
    found = list(truths)
    return False if False in found else None if None in found else True


def _any(truths: Iterator[bool | None]) -> bool | None:
    found = list(truths)
    return True if True in found else None if None in found else False


def holds(condition: Condition, patient: Patient) -> bool | None:
    """Return whether a condition holds of a patient; None if that hangs on something unknown.

    A condition is a mapping whose entries must all hold: a field with a value, a list of values, `{min: a, max: b}`, or
    the words known and unknown; or `any` with a list of conditions of which one must hold. An empty one always holds.
    """
    return _all(
        _any(holds(each, patient) for each in wanted) if name == "any" else _test(wanted, getattr(patient, name))
        for name, wanted in condition.items()
    )


def missing(condition: Condition, patient: Patient) -> tuple[str, ...]:
    """Return the unknown fields on which a condition hangs, in the order of the condition; none if it does not hang."""
    if holds(condition, patient) is not None:
        return ()
    found: list[str] = []
    for name, wanted in condition.items():
        if name == "any":
            found += [field for each in wanted for field in missing(each, patient)]
        elif _test(wanted, getattr(patient, name)) is None:
            parts = DERIVED[name][1] if name in DERIVED else (name,)
            found += [part for part in parts if getattr(patient, part) is None]
    return tuple(dict.fromkeys(found))


def named(condition: Condition) -> Iterator[str]:
    """Yield the fields that a condition looks at, those that derived ones are made from among them."""
    for name, wanted in condition.items():
        if name == "any":
            for each in wanted:
                yield from named(each)
        else:
            yield from DERIVED[name][1] if name in DERIVED else (name,)


def condition_faults(condition: Condition) -> Iterator[str]:
    """Yield what is wrong with a condition: an unknown field, or a value that the field cannot take."""
    for name, wanted in condition.items():
        if name == "any":
            if not isinstance(wanted, list) or not wanted:
                yield "`any` needs a list of conditions"
                continue
            for each in wanted:
                yield from condition_faults(each)
        elif name not in FIELDS and name not in DERIVED:
            yield f"there is no field {name}; there are {', '.join([*FIELDS, *DERIVED])}"
        elif wanted not in ("known", "unknown"):
            is_range = isinstance(wanted, Mapping)
            if is_range and (not wanted or set(wanted) - {"min", "max"}):
                yield f"{name}: a range has min, max or both"
                continue
            values = wanted.values() if is_range else wanted if isinstance(wanted, list) else [wanted]
            for value in values:
                if name in DERIVED:
                    wrong = value not in DERIVED[name][0]
                    fault = f"{name} is {value!r}; it is one of {', '.join(map(str, DERIVED[name][0]))}"
                else:
                    said = FIELDS[name].fault(name, value)
                    wrong, fault = said is not None or value is None, said or f"{name} is None; say unknown"
                if wrong:
                    yield fault


# --- words -----------------------------------------------------------------------------------------------------------


def describe(patient: Patient) -> str:
    """Return what is known in one sentence, field by field, as a text alternative."""
    said = [f"{FIELDS[name].within}: {FIELDS[name].say(value)}" for name, value in patient.known.items()]
    return f"{'; '.join(said)}." if said else "Nothing is known yet."


def variants(patient: Patient, name: str) -> Iterator[Patient]:
    """Yield the patient with each other value of a field; what contradicts the rest is left out.

    The age of a deficit that an intact patient does not have is unknown, whatever stands there.
    """
    current = getattr(patient, name)
    also = {"new_deficit": None} if name == "neurology" and current == "N0" else {}
    for value in FIELDS[name].trials:
        if value == current:
            continue
        try:
            yield patient.but(**also, **{name: value})
        except ValueError:
            continue


# --- invented patients -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """An invented patient: a name with an age, a story, and what is known."""

    id: str
    name: str
    told: str
    patient: Patient


@cache
def examples() -> dict[str, Example]:
    """Return the invented patients of `assets/patients/invented.yml` by id, in its order."""
    return {
        each["id"]: Example(**{**each, "patient": Patient.from_record(each["patient"])})
        for each in assets.read_yaml("patients/invented.yml")
    }
