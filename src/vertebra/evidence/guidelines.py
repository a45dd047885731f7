"""What six bodies and a score on two cards say of one patient: eight documents as rules that can be executed.

Data: `assets/evidence/guidelines.yml`. Nothing is weighed or averaged here: the documents disagree, and that is shown.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Self

from vertebra import assets
from vertebra.evidence.patient import (
    FIELDS,
    Condition,
    Patient,
    condition_faults,
    holds,
    missing,
    named,
    variants,
)
from vertebra.evidence.shape import (
    DATE,
    IDS,
    NUMBER,
    TEXT,
    Fact,
    citation_faults,
    frozen,
    listed,
    record,
    repeated,
    review_date,
    shape_faults,
)
from vertebra.measure.scores import OF_ORIGINAL

FILE = "guidelines.yml"
TREATMENTS = ("vertebroplasty", "kyphoplasty", "conservative", "surgery")
CEMENT = ("vertebroplasty", "kyphoplasty")
# What a document may answer. Two more answers are the course's: `ask` if it hangs on something unknown, `stop` if a
# stop comes before any document.
ANSWERS = ("recommend", "option", "against", "none")
FOR = ("recommend", "option")

RULE = record(
    {
        "treatments": listed({"enum": list(TREATMENTS)}),
        "when": {"type": "object"},
        "answer": {"enum": list(ANSWERS)},
        "says": TEXT,
        "refs": IDS,
    },
    {"strength": TEXT},
)
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "treatments": record(dict.fromkeys(TREATMENTS, TEXT)),
        "stops": listed(
            record(
                {
                    "id": TEXT,
                    "when": {"type": "object"},
                    "bars": listed({"enum": list(TREATMENTS)}),
                    "says": TEXT,
                    "refs": IDS,
                }
            )
        ),
        "bodies": listed(
            record(
                {
                    "id": TEXT,
                    "short": TEXT,
                    "name": TEXT,
                    "year": {"type": ["integer", "null"]},
                    "kind": TEXT,
                    "status": TEXT,
                    "refs": IDS,
                    "rules": listed(RULE),
                }
            )
        ),
        "timing": listed(
            record(
                {
                    "id": TEXT,
                    "who": TEXT,
                    "weeks": {"type": "array", "prefixItems": [NUMBER, {"type": ["number", "null"]}], "minItems": 2},
                    "says": TEXT,
                    "refs": IDS,
                }
            )
        ),
    }
)


@dataclass(frozen=True)
class Rule:
    """One rule of a document: for these treatments, when the condition holds, it answers so, in this strength."""

    treatments: tuple[str, ...]
    when: Condition
    answer: str
    says: str
    refs: tuple[str, ...]
    strength: str = ""

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of guidelines.yml."""
        return cls(**frozen(record))


@dataclass(frozen=True)
class Body:
    """A document: who made it, when (None if nobody here has read it), what it is, and its rules from the top."""

    id: str
    short: str
    name: str
    year: int | None
    kind: str
    status: str
    refs: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def is_score(self) -> bool:
        """Whether this is one of the cards of a score: they have one author and are not counted as bodies."""
        return self.kind == "score"


@dataclass(frozen=True)
class Stop:
    """What comes before any document: while it holds, nothing that it bars is asked of a document."""

    id: str
    when: Condition
    bars: tuple[str, ...]
    says: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """A fracture's age in weeks that a trial admitted or a page names; None is open."""

    id: str
    who: str
    weeks: tuple[float, float | None]
    says: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """What one document answers on one treatment for one patient.

    `answer` is one of ANSWERS, `ask` (then `asks` are the unknown fields it hangs on) or `stop`.
    """

    body: str
    treatment: str
    answer: str
    strength: str
    says: str
    refs: tuple[str, ...]
    asks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """An answer that another value of an input would change."""

    body: str
    treatment: str
    before: str
    after: str


@dataclass(frozen=True)
class Flip:
    """One input changed to `value`, all else as it is, and the answers that change with it."""

    field: str
    value: Any
    changes: tuple[Change, ...]


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = assets.read_yaml(f"evidence/{FILE}")
    return found


@cache
def treatments() -> dict[str, str]:
    """Return the treatments and what they are called, in the order they are shown."""
    return dict(_data()["treatments"])


@cache
def bodies() -> tuple[Body, ...]:
    """Return the documents in the order they are shown."""
    return tuple(
        Body(**frozen(each) | {"rules": tuple(map(Rule.from_record, each["rules"]))}) for each in _data()["bodies"]
    )


@cache
def stops() -> tuple[Stop, ...]:
    """Return what comes before any document."""
    return tuple(Stop(**frozen(each)) for each in _data()["stops"])


@cache
def timing() -> tuple[Window, ...]:
    """Return how old a fracture was in the trials and should be by others."""
    return tuple(Window(**frozen(each)) for each in _data()["timing"])


@cache
def inputs() -> tuple[str, ...]:
    """Return the fields of a patient that any stop or rule looks at, the items of the OF score among them."""
    conditions = [each.when for each in stops()] + [rule.when for body in bodies() for rule in body.rules]
    looked = {name for condition in conditions for name in named(condition)}
    scored = {"of_type", "t_score", "hounsfield", "progression", "pain_0_10", "neurology", "mobile", "asa"}
    scored |= {"frailty_index", "anticoagulation", "dementia", "bmi", "nursing_care"}
    return tuple(name for name in FIELDS if name in looked | scored)


def stopped(patient: Patient) -> tuple[Stop, ...]:
    """Return the stops that hold of a patient."""
    return tuple(each for each in stops() if holds(each.when, patient))


@lru_cache(maxsize=1024)
def advice(patient: Patient) -> tuple[Advice, ...]:
    """Return what every document answers on every treatment, document by document.

    While a stop holds the answer on what it bars is `stop`. While one hangs on something unknown, what a document
    allows of cement becomes `ask`: a yes that nobody has checked is none.
    """
    halted = stopped(patient)
    unknown = tuple(dict.fromkeys(name for each in stops() for name in missing(each.when, patient)))
    return tuple(
        _guarded(_answer(body, treatment, truths, patient), halted, unknown)
        for body, truths in ((body, [holds(rule.when, patient) for rule in body.rules]) for body in bodies())
        for treatment in TREATMENTS
    )


def _answer(body: Body, treatment: str, truths: list[bool | None], patient: Patient) -> Advice:
    """Return a document's answer: the first rule that holds, unless an unknown one above it would answer otherwise."""
    others: list[Rule] = []
    for rule, truth in zip(body.rules, truths, strict=True):
        if treatment not in rule.treatments or truth is False:
            continue
        if truth is None:
            others.append(rule)
            continue
        others = [other for other in others if other.answer != rule.answer]
        if not others:
            says = rule.says.format(**_totals(patient)) if "{" in rule.says else rule.says
            return Advice(body.id, treatment, rule.answer, rule.strength, says, rule.refs)
        break
    asks = tuple(dict.fromkeys(name for rule in others for name in missing(rule.when, patient)))
    return Advice(body.id, treatment, "ask", "", f"First find out: {_labels(asks)}.", body.refs, asks)


def _labels(names: Iterable[str]) -> str:
    return ", ".join(FIELDS[name].within for name in names)


def _totals(patient: Patient) -> dict[str, str]:
    """Return the totals of both OF cards as text."""
    cards = {"of_total": patient.of_score(), "of_total_original": patient.of_score(OF_ORIGINAL)}
    return {name: "no" if score is None else str(score.total).replace("-", "−") for name, score in cards.items()}


def _guarded(given: Advice, halted: tuple[Stop, ...], unknown: tuple[str, ...]) -> Advice:
    """Return a document's answer behind the stops."""
    barring = [each for each in halted if given.treatment in each.bars]
    if barring:
        refs = tuple(dict.fromkeys(ref for each in barring for ref in each.refs))
        return Advice(given.body, given.treatment, "stop", "", " ".join(each.says for each in barring), refs)
    if unknown and given.treatment in CEMENT and given.answer in (*FOR, "ask"):
        asks = tuple(dict.fromkeys((*unknown, *given.asks)))
        return replace(given, answer="ask", strength="", says=f"First find out: {_labels(asks)}.", asks=asks)
    return given


def changes(before: tuple[Advice, ...], after: tuple[Advice, ...]) -> tuple[Change, ...]:
    """Return the answers that differ between two answers of all documents."""
    return tuple(
        Change(old.body, old.treatment, old.answer, new.answer)
        for old, new in zip(before, after, strict=True)
        if old.answer != new.answer
    )


def flips(patient: Patient) -> tuple[Flip, ...]:
    """Return which single input, changed alone, changes which answers, found by trying values.

    Of a number the nearest value on either side that changes something is given. What is unknown is tried as well.
    """
    now = advice(patient)
    found: list[Flip] = []
    for name in inputs():
        current = getattr(patient, name)
        tried = [Flip(name, getattr(other, name), changes(now, advice(other))) for other in variants(patient, name)]
        tried = [flip for flip in tried if flip.changes]
        if FIELDS[name].span is not None and current is not None:
            below = [flip for flip in tried if flip.value < current]
            above = [flip for flip in tried if flip.value > current]
            tried = [*sorted(below, key=lambda flip: -flip.value)[:1], *sorted(above, key=lambda flip: flip.value)[:1]]
        found += tried
    return tuple(found)


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with guidelines.yml, or with the data given in its place: shape, conditions, citations."""
    data = data or _data()
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    for group in ("stops", "bodies", "timing"):
        found += repeated(f"{FILE} {group}", data[group])
    for each in [*data["stops"], *data["timing"], *data["bodies"]]:
        found += citation_faults(FILE, each["id"], each["refs"])
    for stop in data["stops"]:
        found += [f"{FILE}: {stop['id']}: {fault}" for fault in condition_faults(stop["when"])]
    for body in data["bodies"]:
        for i, rule in enumerate(body["rules"], 1):
            where = f"{body['id']} rule {i}"
            found += citation_faults(FILE, where, rule["refs"])
            found += [f"{FILE}: {where}: {fault}" for fault in condition_faults(rule["when"])]
        for treatment in TREATMENTS:
            own = [rule["when"] for rule in body["rules"] if treatment in rule["treatments"]]
            if not own or own[-1]:
                found.append(
                    f"{FILE}: {body['id']} can leave {treatment} unanswered; end with a rule whose when is {{}}"
                )
            if {} in own[:-1]:
                found.append(f"{FILE}: {body['id']}: a rule on {treatment} stands below one that always holds")
    return found


def facts() -> Iterator[Fact]:
    """Yield every statement of guidelines.yml with its sources."""
    by = review_date(FILE, _data())
    for stop in stops():
        yield Fact(FILE, stop.id, stop.says, stop.refs, by)
    for body in bodies():
        yield Fact(FILE, body.id, body.status, body.refs, by)
        for i, rule in enumerate(body.rules, 1):
            yield Fact(FILE, f"{body.id} rule {i}", rule.says, rule.refs, by)
    for window in timing():
        yield Fact(FILE, window.id, window.says, window.refs, by)
