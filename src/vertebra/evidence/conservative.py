"""Conservative care: what a plan may hold, how well each measure was tested, and where it harms a frail patient.

Data: `assets/evidence/conservative.yml`. `review` holds a plan against a patient and says in words what to change,
what is missing and how well each choice was tested. There is no score, and no rule knows a dose: teaching, not a
prescription.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Self

from vertebra import assets
from vertebra.evidence.references import cite
from vertebra.evidence.shape import (
    DATE,
    IDS,
    NUMBER,
    TEXT,
    Fact,
    citation_faults,
    listed,
    record,
    refuse_unknown,
    repeated,
    review_date,
    shape_faults,
)
from vertebra.measure.reading import wilson

FILE = "conservative.yml"
SEVERITIES = ("avoid", "caution", "note")  # the gravest first
MISSING = "missing"
AGES = (50, 105)  # years
EGFRS = (5, 120)  # mL/min/1.73 m2
REVIEW_DAYS = (1, 84)


# --- A patient and a plan --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frailty:
    """What a patient brings along that decides which measure harms.

    `age` in years, 50 to 105; `egfr` in mL/min/1.73 m2, 5 to 120; the rest are true or false, named in conservative.yml
    under `features`. Raises ValueError for anything else.
    """

    age: int = 80
    egfr: float = 70
    ulcer: bool = False
    heart_failure: bool = False
    infarct_or_stroke: bool = False
    falls: bool = False
    constipation: bool = False
    cognition: bool = False
    sleep_apnoea: bool = False
    low_weight: bool = False
    swallowing: bool = False
    hypocalcaemia: bool = False
    dental: bool = False
    bone_tumour: bool = False
    red_flag: bool = False
    anticoagulant: bool = False
    ace_inhibitor: bool = False
    diuretic: bool = False
    benzodiazepine: bool = False
    ssri: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be a patient."""
        for name, (low, high), unit in (("age", AGES, "years"), ("egfr", EGFRS, "mL/min/1.73 m2")):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; give a number from {low} to {high} {unit}")
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type is bool and not isinstance(value, bool):
                raise ValueError(f"{each.name} is {value!r}; it is true or false")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Build it from names and values. Raises ValueError for a name that no patient has."""
        refuse_unknown("feature", given, [each.name for each in fields(cls)])
        return cls(**given)


def kidney_stage(egfr: float) -> str:
    """Return the usual stage of an eGFR in mL/min/1.73 m2, G1 (90 and over) to G5 (under 15); unreferenced."""
    limits = ((90, "G1"), (60, "G2"), (45, "G3a"), (30, "G3b"), (15, "G4"))
    return next((name for least, name in limits if egfr >= least), "G5")


@dataclass(frozen=True)
class Plan:
    """What is prescribed and advised: ids of measures, and in how many days somebody reviews it (1 to 84, or None).

    Raises ValueError for a measure that does not exist, one that stands there twice, or another number of days.
    """

    measures: tuple[str, ...] = ()
    review: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no plan."""
        refuse_unknown("measure", self.measures, measures())
        if len(set(self.measures)) < len(self.measures):
            raise ValueError("a measure stands twice in the plan; name it once")
        low, high = REVIEW_DAYS
        if self.review is not None and (isinstance(self.review, bool) or self.review not in range(low, high + 1)):
            raise ValueError(f"review is {self.review!r}; give whole days from {low} to {high}, or none")

    def chosen(self, wanted: Collection[str]) -> tuple[str, ...]:
        """Return the measures of the plan that are one of `wanted`, by id or by class."""
        return tuple(each for each in self.measures if measures()[each].is_one_of(wanted))


# --- What is known ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """A sentence and its sources: ids of references, or `unreferenced`."""

    text: str
    refs: tuple[str, ...]

    def __str__(self) -> str:
        """Return the sentence with its sources in brackets."""
        return f"{self.text} {cite(self.refs)}"


@dataclass(frozen=True)
class Scale:
    """A step of one of the file's two scales: how well a measure was tested, and which way that points."""

    id: str
    word: str
    says: str = ""


@dataclass(frozen=True)
class Measure:
    """One thing that can be prescribed or advised. `plain` is what the patient reads."""

    id: str
    group: str
    name: str
    classes: tuple[str, ...]
    plain: str
    strength: Scale
    verdict: Scale
    does: Statement
    found: Statement
    harms: Statement
    stop: Statement

    def is_one_of(self, wanted: Collection[str]) -> bool:
        """Say whether its id or one of its classes is wanted."""
        return self.id in wanted or not set(self.classes).isdisjoint(wanted)


@dataclass(frozen=True)
class Condition:
    """What a feature of a patient must be: true, false, or a number from `least` to under `below`."""

    feature: str
    value: bool | None = None
    least: float = -math.inf
    below: float = math.inf

    def holds(self, frailty: Frailty) -> bool:
        """Say whether the patient is so."""
        seen = getattr(frailty, self.feature)
        return bool(seen == self.value if self.value is not None else self.least <= seen < self.below)


@dataclass(frozen=True)
class Rule:
    """Where a measure meets a patient, another measure, or a gap. `severity` is one of SEVERITIES or MISSING.

    It applies if one of `any` is in the plan (empty: whatever is), another of `also`, the patient is as in `patient`,
    the review is later than `review_above` days (or, if `unreviewed`, not set), and nothing of `unless` is in the plan.
    """

    id: str
    severity: str
    says: str
    reason: Statement
    mend: str
    any: tuple[str, ...]
    also: tuple[str, ...]
    unless: tuple[str, ...]
    patient: tuple[Condition, ...]
    review_above: int | None
    unreviewed: bool

    def applies(self, plan: Plan, frailty: Frailty) -> tuple[str, ...] | None:
        """Return the measures that call it up, () if a gap or the patient alone does, None if it is silent."""
        first, second = plan.chosen(self.any), plan.chosen(self.also)
        held = (
            (first or not self.any)
            and ((len({*first, *second}) > 1 and second) or not self.also)
            and all(condition.holds(frailty) for condition in self.patient)
            and (self.review_above is None or (plan.review is not None and plan.review > self.review_above))
            and not (self.unreviewed and plan.review is not None)
            and not plan.chosen(self.unless)
        )
        return tuple(dict.fromkeys((*first, *second))) if held else None


@dataclass(frozen=True)
class Preset:
    """An invented patient, the plan that came along, and one that the authors would accept."""

    id: str
    name: str
    story: str
    frailty: Frailty
    letter: Plan
    sound: Plan


@dataclass(frozen=True)
class Course:
    """One published number on how pain goes without cement: `count` of `of` people, `months` after the fracture."""

    id: str
    ref: str
    count: int
    of: int
    months: float
    label: str
    note: str

    @property
    def share(self) -> float:
        """Return the share of people, 0 to 1."""
        return self.count / self.of

    def interval(self) -> tuple[float, float]:
        """Return Wilson's 95 % interval of the share, 0 to 1."""
        return wilson(self.count, self.of)


@dataclass(frozen=True)
class Stage:
    """A stage of physiotherapy, in weeks after the fracture."""

    id: str
    name: str
    start: float
    end: float
    does: Statement


# --- Reading ---------------------------------------------------------------------------------------------------------

STATEMENT = record({"text": TEXT, "refs": IDS})
FLAG = {"type": "boolean"}
BETWEEN = {"type": "object", "properties": {"from": NUMBER, "below": NUMBER}, "additionalProperties": False}
CONDITIONS = {"type": "object", "additionalProperties": {"anyOf": [FLAG, BETWEEN]}}
WHEN = {
    "any": IDS,
    "also": IDS,
    "unless": IDS,
    "patient": CONDITIONS,
    "review": {"anyOf": [{"const": "none"}, record({"above": {"type": "integer"}})]},
}
SAID = {"id": TEXT, "says": TEXT, "reason": TEXT, "mend": TEXT, "refs": IDS}
PLAN = record({"measures": IDS, "review": {"type": ["integer", "null"]}})
SHARE = record({"name": TEXT, "percent": NUMBER, "of": {"type": ["integer", "null"]}})
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "strengths": listed(record({"id": TEXT, "word": TEXT, "says": TEXT})),
        "verdicts": listed(record({"id": TEXT, "word": TEXT})),
        "groups": listed(record({"id": TEXT, "name": TEXT})),
        "measures": listed(
            record(
                dict.fromkeys(("id", "group", "name", "plain", "strength", "verdict"), TEXT)
                | {"classes": IDS}
                | dict.fromkeys(("does", "found", "harms", "stop"), STATEMENT)
            )
        ),
        "features": listed(record({"id": TEXT, "group": {"enum": ["body", "drugs"]}, "name": TEXT, "plain": TEXT})),
        "interactions": listed(record(SAID | {"severity": {"enum": list(SEVERITIES)}}, WHEN)),
        "omissions": listed(record(SAID, WHEN)),
        "presets": listed(
            record(
                dict.fromkeys(("id", "name", "story"), TEXT)
                | {"patient": {"type": "object"}, "letter": PLAN, "sound": PLAN}
            )
        ),
        "course": listed(
            record(
                dict.fromkeys(("id", "ref", "label", "note"), TEXT)
                | {"count": {"type": "integer"}, "of": {"type": "integer"}, "months": NUMBER}
            )
        ),
        "brace": record(
            {
                "ref": TEXT,
                "each": {"type": "integer"},
                "margin": NUMBER,
                "arms": listed(record({"id": TEXT, "name": TEXT, "mean": NUMBER, "low": NUMBER, "high": NUMBER})),
                "printed": listed(record({"of": TEXT, "difference": NUMBER, "low": NUMBER, "high": NUMBER})),
            }
        ),
        "rest": listed(record({"id": TEXT, "ref": TEXT, "what": TEXT, "shorter": SHARE, "longer": SHARE})),
        "stages": listed(record({"id": TEXT, "name": TEXT, "from": NUMBER, "to": NUMBER, "does": TEXT, "refs": IDS})),
    }
)


@cache
def data() -> dict[str, Any]:
    """Return conservative.yml as it stands; shared, so nobody changes it."""
    return assets.read_yaml(f"evidence/{FILE}")  # type: ignore[no-any-return]


def _said(given: Mapping[str, Any]) -> Statement:
    return Statement(given["text"], tuple(given["refs"]))


@cache
def measures() -> dict[str, Measure]:
    """Return every measure by id, in the order of the file."""
    strengths = {each["id"]: Scale(**each) for each in data()["strengths"]}
    verdicts = {each["id"]: Scale(**each) for each in data()["verdicts"]}
    return {
        each["id"]: Measure(
            **{name: each[name] for name in ("id", "group", "name", "plain")},
            classes=tuple(each["classes"]),
            strength=strengths[each["strength"]],
            verdict=verdicts[each["verdict"]],
            does=_said(each["does"]),
            found=_said(each["found"]),
            harms=_said(each["harms"]),
            stop=_said(each["stop"]),
        )
        for each in data()["measures"]
    }


def _condition(feature: str, given: bool | Mapping[str, float]) -> Condition:
    if isinstance(given, bool):
        return Condition(feature, value=given)
    return Condition(feature, least=given.get("from", -math.inf), below=given.get("below", math.inf))


def _rule(given: Mapping[str, Any]) -> Rule:
    review = given.get("review", {})
    return Rule(
        given["id"],
        given.get("severity", MISSING),
        given["says"],
        Statement(given["reason"], tuple(given["refs"])),
        given["mend"],
        any=tuple(given.get("any", ())),
        also=tuple(given.get("also", ())),
        unless=tuple(given.get("unless", ())),
        patient=tuple(_condition(*each) for each in given.get("patient", {}).items()),
        review_above=None if review == "none" else review.get("above"),
        unreviewed=review == "none",
    )


@cache
def interactions() -> tuple[Rule, ...]:
    """Return the rules by which a measure meets a patient or another measure, the gravest first."""
    return tuple(sorted(map(_rule, data()["interactions"]), key=lambda rule: SEVERITIES.index(rule.severity)))


@cache
def omissions() -> tuple[Rule, ...]:
    """Return the rules of what a plan must not leave out."""
    return tuple(map(_rule, data()["omissions"]))


@cache
def presets() -> dict[str, Preset]:
    """Return the invented patients by id."""
    return {
        each["id"]: Preset(
            each["id"],
            each["name"],
            each["story"],
            Frailty.of(each["patient"]),
            _plan(each["letter"]),
            _plan(each["sound"]),
        )
        for each in data()["presets"]
    }


def _plan(given: Mapping[str, Any]) -> Plan:
    return Plan(tuple(given["measures"]), given["review"])


@cache
def course() -> tuple[Course, ...]:
    """Return the published numbers on how pain goes without cement."""
    return tuple(Course(**each) for each in data()["course"])


@cache
def stages() -> tuple[Stage, ...]:
    """Return the stages of physiotherapy in their order."""
    return tuple(
        Stage(each["id"], each["name"], each["from"], each["to"], Statement(each["does"], tuple(each["refs"])))
        for each in data()["stages"]
    )


# --- The review ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """A rule that applies, and the measures that called it up."""

    rule: Rule
    measures: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """What is to be said of a plan for a patient: warnings (the gravest first), gaps, and the measures chosen.

    `grade` is avoid (something must go first), missing, caution or sound; only the last two are acceptable.
    """

    warnings: tuple[Finding, ...]
    missing: tuple[Finding, ...]
    chosen: tuple[Measure, ...]

    def count(self, severity: str) -> int:
        """Return how many warnings are of this severity."""
        return sum(each.rule.severity == severity for each in self.warnings)

    @property
    def grade(self) -> str:
        """Return the plan's state in one word."""
        if self.count("avoid"):
            return "avoid"
        return "missing" if self.missing else "caution" if self.count("caution") else "sound"

    @property
    def acceptable(self) -> bool:
        """Say whether nothing must go and nothing is missing."""
        return self.grade in ("caution", "sound")

    @property
    def verdict(self) -> str:
        """Return the plan's state in a sentence."""
        avoid, missing, cautions = self.count("avoid"), len(self.missing), self.count("caution")
        first = f"Not safe as it stands: {_things(avoid)} to change first"
        return {
            "avoid": f"{first}, {missing} missing." if missing else f"{first}.",
            "missing": f"Not complete: {_things(missing)} missing.",
            "caution": f"Acceptable, with {_things(cautions, 'caution')} to talk through.",
            "sound": "Sound: nothing to object to and nothing missing.",
        }[self.grade]


def _things(count: int, what: str = "thing") -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def review(plan: Plan, frailty: Frailty) -> Review:
    """Hold a plan against a patient and return what is to be said of it."""

    def found(rules: tuple[Rule, ...]) -> tuple[Finding, ...]:
        called = ((rule, rule.applies(plan, frailty)) for rule in rules)
        return tuple(Finding(rule, by) for rule, by in called if by is not None)

    chosen = tuple(each for each in measures().values() if each.id in plan.measures)
    return Review(found(interactions()), found(omissions()), chosen)


# --- Checking --------------------------------------------------------------------------------------------------------


def faults(given: Any = None) -> list[str]:
    """Return what is wrong with conservative.yml, or with the data given in its place: shape, ids, citations."""
    given = given or data()
    found = list(shape_faults(FILE, given, SCHEMA))
    if found:
        return found
    ids = {}
    for group in ("strengths", "verdicts", "groups", "measures", "features", "interactions", "omissions", "presets"):
        found += repeated(f"{FILE} {group}", given[group])
        ids[group] = {each["id"] for each in given[group]}
    names = ids["measures"] | {name for each in given["measures"] for name in each["classes"]}
    features = {each.name for each in fields(Frailty)} - {"age", "egfr"}
    found += [f"{FILE}: features and the fields of Frailty differ in {x}" for x in sorted(ids["features"] ^ features)]
    for each in given["measures"]:
        for field, group in (("group", "groups"), ("strength", "strengths"), ("verdict", "verdicts")):
            if each[field] not in ids[group]:
                found.append(f"{FILE}: {each['id']} has {field} {each[field]}, which is not among {group}")
    for each in [*given["interactions"], *given["omissions"]]:
        named = [name for field in ("any", "also", "unless") for name in each.get(field, [])]
        found += [f"{FILE}: {each['id']} names {x}, no measure and no class of one" for x in named if x not in names]
        found += [
            f"{FILE}: {each['id']} asks for {x}, which no patient has"
            for x in each.get("patient", {})
            if x not in features | {"age", "egfr"}
        ]
    for each in given["presets"]:
        named = each["letter"]["measures"] + each["sound"]["measures"]
        found += [f"{FILE}: {each['id']} names {x}, no measure" for x in named if x not in ids["measures"]]
        try:
            Frailty.of(each["patient"])
        except ValueError as error:
            found.append(f"{FILE}: {each['id']}: {error}")
    for fact in facts(given):
        found += citation_faults(FILE, fact.id, fact.refs)
    return found


def facts(given: Any = None) -> Iterator[Fact]:
    """Yield every statement of conservative.yml, or of the data given in its place."""
    given = given or data()
    by = review_date(FILE, given)

    def fact(name: str, says: str, refs: Collection[str]) -> Fact:
        return Fact(FILE, name, says, tuple(refs), by)

    for each in given["measures"]:
        for part in ("does", "found", "harms", "stop"):
            yield fact(f"{each['id']}/{part}", each[part]["text"], each[part]["refs"])
    for each in [*given["interactions"], *given["omissions"]]:
        yield fact(each["id"], f"{each['says']}: {each['reason']} {each['mend']}", each["refs"])
    for each in given["course"]:
        yield fact(each["id"], f"{each['label']}: {each['count']} of {each['of']}", [each["ref"]])
    for arm in given["brace"]["arms"]:
        yield fact(f"brace/{arm['id']}", f"ODI {arm['mean']} ({arm['low']} to {arm['high']})", [given["brace"]["ref"]])
    for each in given["rest"]:
        sides = ", ".join(f"{side['percent']} % ({side['name']})" for side in (each["shorter"], each["longer"]))
        yield fact(f"rest/{each['id']}", f"{each['what']}: {sides}", [each["ref"]])
    for each in given["stages"]:
        yield fact(f"stages/{each['id']}", each["does"], each["refs"])
