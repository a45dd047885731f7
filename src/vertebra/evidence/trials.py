"""The trials of cement as data, and which of them may be pooled.

Data: `assets/evidence/trials.yml`: 44 results of 15 reports, who was in the sham-controlled trials, and counts with
what the papers print of them. A positive difference favours the first arm. What nobody has compared with its paper
(`checked: unchecked`) may be shown as such and is never pooled.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from vertebra import assets
from vertebra.evidence.pooling import Estimate, Pool, Risks, around, pool, risks
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

FILE = "trials.yml"
COMPARATORS = ("sham", "active sham", "usual care", "other procedure")
BLINDING = ("blinded", "open", "not recorded")
AGES = ("up to 9 weeks", "up to a year", "over 3 months", "not recorded")
# A sham of either kind asks the same question: does the cement add something?
QUESTIONS = {"sham": "a sham procedure", "active sham": "a sham procedure", "usual care": "usual care"}

PAIR = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}
CHECKED = {"enum": ["read", "unchecked"]}
COUNT = {"type": "integer", "minimum": 1}
ARM = {
    "anyOf": [
        record({"mean": NUMBER}, {"sd": NUMBER, "low": NUMBER, "high": NUMBER}),
        record({"events": COUNT, "of": COUNT}),
        record({"percent": NUMBER}),
    ]
}
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "measures": listed(
            record(
                {"id": TEXT, "name": TEXT, "scale": TEXT, "unit": TEXT, "better": {"enum": ["lower", "higher"]}},
                {
                    "important": record(
                        {"low": NUMBER, "high": NUMBER, "checked": CHECKED, "refs": listed(TEXT), "note": TEXT}
                    )
                },
            )
        ),
        "windows": listed(record({"id": TEXT, "name": TEXT, "when": TEXT, "effect": {"type": "boolean"}})),
        "studies": listed(
            record(
                {
                    "id": TEXT,
                    "name": TEXT,
                    "year": COUNT,
                    "first": {"enum": ["vertebroplasty", "kyphoplasty"]},
                    "comparator": {"enum": list(COMPARATORS)},
                    "control": TEXT,
                    "blinding": {"enum": list(BLINDING)},
                    "fracture_age": {"enum": list(AGES)},
                    "age_in_words": TEXT,
                    "inclusion": TEXT,
                    "patients": listed(TEXT),
                    "refs": listed(TEXT),
                },
                {"note": TEXT},
            )
        ),
        "rows": listed(
            record(
                {
                    "id": TEXT,
                    "study": TEXT,
                    "measure": TEXT,
                    "window": TEXT,
                    "time": TEXT,
                    "checked": CHECKED,
                    "refs": listed(TEXT),
                },
                {
                    "part": TEXT,
                    "n": PAIR,
                    "arms": listed(ARM, 2),
                    "arms_are": {"enum": ["level", "reduction", "gain"]},
                    "difference": NUMBER,
                    "interval": PAIR,
                    "sign": {"enum": ["deduced", "turned"]},
                    "note": TEXT,
                },
            )
        ),
        "baseline": record(
            {
                "trials": IDS,
                "rows": listed(
                    record(
                        {
                            "what": TEXT,
                            "unit": {"type": "string"},
                            "values": {"type": "array", "items": {"type": "string"}},
                            "refs": listed(TEXT),
                        },
                        {"note": TEXT},
                    )
                ),
            }
        ),
        "events": listed(
            record(
                {
                    "id": TEXT,
                    "study": TEXT,
                    "event": TEXT,
                    "counted": TEXT,
                    "arms": listed(record({"name": TEXT, "events": COUNT, "of": COUNT}), 2),
                    "back_calculated": {"type": "boolean"},
                    "grade": {"enum": ["A", "B"]},
                    "refs": listed(TEXT),
                },
                {"printed": TEXT, "printed_p": NUMBER, "why": TEXT},
            )
        ),
    }
)


@dataclass(frozen=True)
class Important:
    """The smallest change that is said to matter to a patient, and how far that was checked."""

    low: float
    high: float
    checked: str
    refs: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Measure:
    """What is measured: its name, scale and unit, and which way is better."""

    id: str
    name: str
    scale: str
    unit: str
    better: str
    important: Important | None = None


@dataclass(frozen=True)
class Window:
    """A time at which trials are pooled; `effect` is false at entry, when nothing has been done yet."""

    id: str
    name: str
    when: str
    effect: bool


@dataclass(frozen=True)
class Study:
    """One report: who was compared with whom, who knew, how old the fractures were, whose patients they are."""

    id: str
    name: str
    year: int
    first: str
    comparator: str
    control: str
    blinding: str
    fracture_age: str
    age_in_words: str
    inclusion: str
    patients: tuple[str, ...]
    refs: tuple[str, ...]
    note: str = ""

    @property
    def against(self) -> str:
        """Return what the second arm had, in words."""
        return QUESTIONS.get(self.comparator, self.control)

    @property
    def question(self) -> str:
        """Return what the study asks: results of different questions are never pooled."""
        return f"{self.first} against {self.against}"


@dataclass(frozen=True)
class Row:
    """One result: a difference (in the measure's unit, positive favours the first arm) with its interval if it has one.

    `computed` says that the difference comes from the two arms and not from the paper; `arms` is what stands in the
    data of them.
    """

    id: str
    study: Study
    measure: Measure
    window: Window
    time: str
    checked: bool
    difference: float
    estimate: Estimate | None
    computed: bool
    refs: tuple[str, ...]
    n: tuple[int, int] | None = None
    part: str = ""
    sign: str = ""
    note: str = ""
    arms: tuple[Mapping[str, float], ...] = field(default=(), hash=False)

    @property
    def label(self) -> str:
        """Return the study's name and year, with the part of it that this row is."""
        return f"{self.study.name} {self.study.year}" + (f", {self.part}" if self.part else "")


@dataclass(frozen=True)
class EventArm:
    """How many of how many had the event in one arm."""

    name: str
    events: int
    of: int


@dataclass(frozen=True)
class EventTable:
    """Counts of one event in two arms, what the paper prints of them, and why that differs if it does."""

    id: str
    study: str
    event: str
    counted: str
    arms: tuple[EventArm, EventArm]
    back_calculated: bool
    grade: str
    refs: tuple[str, ...]
    printed: str = ""
    printed_p: float | None = None
    why: str = ""

    @property
    def risks(self) -> Risks:
        """Return the risks compared, from the counts."""
        first, second = self.arms
        return risks((first.events, second.events), (first.of, second.of))


@dataclass(frozen=True)
class Characteristic:
    """One line of the baseline table; `values` by trial, empty where not recorded."""

    what: str
    unit: str
    values: tuple[str, ...]
    refs: tuple[str, ...]
    note: str = ""


def _data() -> Any:
    return assets.read_yaml(f"evidence/{FILE}")


@cache
def measures() -> dict[str, Measure]:
    """Return what was measured, by id."""
    found = {}
    for each in _data()["measures"]:
        important = Important(**frozen(each["important"])) if "important" in each else None
        found[each["id"]] = Measure(**each | {"important": important})
    return found


@cache
def windows() -> dict[str, Window]:
    """Return the times at which trials are pooled, in order, by id."""
    return {each["id"]: Window(**each) for each in _data()["windows"]}


@cache
def studies() -> dict[str, Study]:
    """Return every report by id."""
    return {each["id"]: Study(**frozen(each)) for each in _data()["studies"]}


@cache
def rows() -> dict[str, Row]:
    """Return every result by id."""
    return {each["id"]: _row(each) for each in _data()["rows"]}


@cache
def event_tables() -> dict[str, EventTable]:
    """Return every table of counts by id."""
    found = {}
    for each in _data()["events"]:
        arms = tuple(EventArm(**arm) for arm in each["arms"])
        found[each["id"]] = EventTable(**frozen(each) | {"arms": arms})
    return found


@cache
def baseline() -> tuple[tuple[Study, ...], tuple[Characteristic, ...]]:
    """Return the large sham-controlled trials and what is known of who entered them."""
    data = _data()["baseline"]
    return tuple(studies()[name] for name in data["trials"]), tuple(
        Characteristic(**frozen(each)) for each in data["rows"]
    )


def _row(record: Mapping[str, Any]) -> Row:
    measure, arms = measures()[record["measure"]], tuple(record.get("arms", ()))
    printed = "difference" in record
    if printed:
        difference = float(record["difference"])
        estimate = Estimate(difference, *record["interval"]) if "interval" in record else None
    else:
        difference, estimate = _from_arms(record, measure)
    n = record.get("n") or [arm["of"] for arm in arms if "of" in arm]
    return Row(
        id=record["id"],
        study=studies()[record["study"]],
        measure=measure,
        window=windows()[record["window"]],
        time=record["time"],
        checked=record["checked"] == "read",
        difference=difference,
        estimate=estimate,
        computed=not printed,
        refs=tuple(record["refs"]),
        n=(n[0], n[1]) if n else None,
        part=record.get("part", ""),
        sign=record.get("sign", ""),
        note=record.get("note", ""),
        arms=arms,
    )


def _from_arms(record: Mapping[str, Any], measure: Measure) -> tuple[float, Estimate | None]:
    """Return the difference of two arms, positive where the first did better, and its interval if there is a spread."""
    first, second = record["arms"]
    way = 1 if measure.better == "higher" or record.get("arms_are") in ("reduction", "gain") else -1
    if "mean" in first:
        error = math.sqrt(sum(arm["sd"] ** 2 / n for arm, n in zip(record["arms"], record["n"], strict=True)))
        found = around(way * (first["mean"] - second["mean"]), error)
        return found.value, found
    if "events" in first:
        compared = risks((first["events"], second["events"]), (first["of"], second["of"])).difference
        ends = sorted(way * end for end in (compared.low, compared.high))
        return way * compared.value, Estimate(way * compared.value, *ends)
    return float(way * (first["percent"] - second["percent"])), None


# --- pooling ---------------------------------------------------------------------------------------------------------


def obstacles(chosen: Sequence[Row]) -> list[str]:
    """Return why these results may not be pooled, each reason as a sentence; an empty list if they may."""
    found = []
    for row in chosen:
        if not row.checked:
            found.append(f"{row.label} has not yet been compared with the paper.")
        elif row.estimate is None:
            found.append(f"{row.label} has no interval, so it has no weight.")
        if not row.window.effect:
            found.append(f"{row.label} at entry is chance: nothing has been done yet.")
    for name, kinds in (
        ("questions", {row.study.question for row in chosen}),
        ("outcomes", {row.measure.name for row in chosen}),
        ("times", {row.window.name for row in chosen}),
    ):
        if len(kinds) > 1:
            found.append(f"These are results of different {name}: {'; '.join(sorted(kinds))}.")
    whose: dict[str, Row] = {}
    for row in chosen:
        for patients in row.study.patients:
            other = whose.setdefault(patients, row)
            if other is not row:
                found.append(
                    f"The patients of {patients} would count twice: in {other.label} ({other.time}) and in {row.label} "
                    f"({row.time})."
                )
    return list(dict.fromkeys(found))


def pooled(chosen: Sequence[Row], small_sample: bool = False) -> Pool:
    """Pool results of one question, outcome and time, one row a study. Raises ValueError that says why not."""
    against = obstacles(chosen)
    if against:
        raise ValueError(" ".join(against))
    return pool([row.estimate for row in chosen if row.estimate], small_sample)


# --- checks ----------------------------------------------------------------------------------------------------------


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with trials.yml, or with the data given in its place: shape, ids, citations, arithmetic."""
    data = data or _data()
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    groups = ("measures", "windows", "studies", "rows", "events")
    ids = {group: {each["id"] for each in data[group]} for group in groups}
    for group in groups:
        found += repeated(f"{FILE} {group}", data[group])
    for group in ("studies", "rows", "events"):
        for each in data[group]:
            found += citation_faults(FILE, each["id"], each["refs"])
    for each in data["measures"]:
        if "important" in each:
            found += citation_faults(FILE, each["id"], each["important"]["refs"])
    for each in data["rows"]:
        for one, many in (("study", "studies"), ("measure", "measures"), ("window", "windows")):
            if each[one] not in ids[many]:
                found.append(f"{FILE}: {each['id']} names {one} {each[one]}, which does not exist")
        found += _row_faults(each)
    for each in data["events"]:
        found += [
            f"{FILE}: {each['id']}: {arm['events']} of {arm['of']} leaves nobody without the event"
            for arm in each["arms"]
            if arm["events"] >= arm["of"]
        ]
    for name in data["baseline"]["trials"]:
        if name not in ids["studies"]:
            found.append(f"{FILE}: baseline names study {name}, which does not exist")
    for each in data["baseline"]["rows"]:
        found += citation_faults(FILE, f"baseline {each['what']}", each["refs"])
        if len(each["values"]) != len(data["baseline"]["trials"]):
            found.append(f"{FILE}: baseline {each['what']} has {len(each['values'])} values for its trials")
    return found


def _row_faults(each: Mapping[str, Any]) -> Iterator[str]:
    where, arms = f"{FILE}: {each['id']}", each.get("arms", [])
    if "interval" in each and not each["interval"][0] <= each.get("difference", math.nan) <= each["interval"][1]:
        yield f"{where}: the difference lies outside its interval {each['interval']}"
    if "difference" in each:
        return
    if not arms:
        yield f"{where} has neither a difference nor arms"
    elif "mean" in arms[0] and not ("n" in each and "arms_are" in each and all("sd" in arm for arm in arms)):
        yield f"{where}: a difference of arms needs n, arms_are and each arm's sd"


def facts() -> Iterator[Fact]:
    """Yield every statement of the file: results, counts, who entered, and what is said to matter."""
    due = review_date(FILE, _data())
    for row in rows().values():
        says = f"{row.label}, {row.measure.name}, {row.time}: {row.difference:+.2f} {row.measure.unit}"
        yield Fact(FILE, row.id, says, row.refs, due, not row.checked)
    for study in studies().values():
        yield Fact(FILE, study.id, f"{study.name}: {study.question}; {study.inclusion}", study.refs, due)
    for table in event_tables().values():
        arms = " against ".join(f"{arm.name} {arm.events}/{arm.of}" for arm in table.arms)
        yield Fact(FILE, table.id, f"{table.study}, {table.event}: {arms}", table.refs, due)
    for each in baseline()[1]:
        yield Fact(FILE, f"baseline {each.what}", f"{each.what}: {', '.join(each.values)}", each.refs, due)
    for measure in measures().values():
        if measure.important:
            says = f"{measure.name}: a change of {measure.important.low:g} to {measure.important.high:g} matters"
            unchecked = measure.important.checked == "unchecked"
            yield Fact(FILE, f"important {measure.id}", says, measure.important.refs, due, unchecked)
