"""The months after a vertebral fracture: the published course, what does not fit it, and the drugs that follow.

Data: `assets/evidence/recovery.yml`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from vertebra import assets
from vertebra.evidence.references import cited
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

FILE = "recovery.yml"
DAYS = 365  # the line ends here
MEASURES = {"pain": "Mean pain, 0 to 10", "disability": "Mean disability (Roland-Morris), 0 to 24"}
LANES = {"pain": "Pain", "function": "Daily life", "bone": "Bone", "you": "What you do"}
ID = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
TEXTS = listed(TEXT)
SPAN = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": DAYS}, "minItems": 2, "maxItems": 2}
CLOCKS = ("now", "today", "days", "visit")
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "series": listed(
            record(
                {
                    "id": ID,
                    "measure": {"enum": list(MEASURES)},
                    "label": TEXT,
                    "points": {"type": "object", "additionalProperties": NUMBER, "minProperties": 2},
                    "refs": IDS,
                }
            )
        ),
        "course": listed(
            record({"id": ID, "lane": {"enum": list(LANES)}, "days": SPAN, "short": TEXT, "says": TEXT, "refs": IDS})
        ),
        "clocks": record(dict.fromkeys(CLOCKS, TEXT)),
        "events": listed(
            record(
                {
                    "id": ID,
                    "label": TEXT,
                    "phases": listed(
                        record(
                            {
                                "verdict": TEXT,
                                "think": TEXTS,
                                "order": TEXTS,
                                "clock": {"enum": list(CLOCKS)},
                                "why": TEXT,
                                "refs": IDS,
                            },
                            {"until": {"type": "integer", "minimum": 1, "maximum": DAYS}},
                        )
                    ),
                }
            )
        ),
        "drugs": listed(
            record(
                {
                    "id": ID,
                    "label": TEXT,
                    "given": TEXT,
                    "harm": TEXT,
                    "courses": {
                        "type": "array",
                        "items": record({"ratios": TEXTS}, {"years": {"type": "number", "exclusiveMinimum": 0}}),
                    },
                    "refs": IDS,
                }
            )
        ),
    }
)


@dataclass(frozen=True)
class Series:
    """Published means of one measure: `points` are (day, score)."""

    id: str
    measure: str
    label: str
    points: tuple[tuple[int, float], ...]
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """What is expected, or done, from the first to the last of `days`."""

    id: str
    lane: str
    days: tuple[int, int]
    short: str
    says: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Phase:
    """What an event means up to the day `until`: what to think of, what to order, how soon, and why."""

    until: float
    verdict: str
    think: tuple[str, ...]
    order: tuple[str, ...]
    clock: str
    why: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """Something that may happen after a fracture; what it means depends on when."""

    id: str
    label: str
    phases: tuple[Phase, ...]

    def on(self, day: float) -> Phase:
        """Return what the event means on a day after the fracture."""
        return next(phase for phase in self.phases if day <= phase.until)


@dataclass(frozen=True)
class Course:
    """One part of a treatment: the relative risks that multiply to its effect, and for how many years it lasts."""

    ratios: tuple[str, ...]
    years: float = math.inf


@dataclass(frozen=True)
class Drug:
    """What may be given after a fracture: how, at what price, and its courses one after another."""

    id: str
    label: str
    given: str
    harm: str
    courses: tuple[Course, ...]
    refs: tuple[str, ...]


@cache
def _data() -> Any:
    return assets.read_yaml(f"evidence/{FILE}")


@cache
def series() -> tuple[Series, ...]:
    """Return the published courses of mean scores."""
    return tuple(Series(**frozen(each) | {"points": _points(each["points"])}) for each in _data()["series"])


def _points(stated: Mapping[int | str, float]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted((int(day), score) for day, score in stated.items()))  # in a twin, days are text


@cache
def course() -> tuple[Stretch, ...]:
    """Return what is expected and what is done, lane by lane."""
    return tuple(Stretch(**frozen(each)) for each in _data()["course"])


@cache
def clocks() -> Mapping[str, str]:
    """Return how soon somebody acts, soonest first: name to words."""
    found: Mapping[str, str] = _data()["clocks"]
    return found


@cache
def events() -> Mapping[str, Event]:
    """Return every event by id."""
    return {
        each["id"]: Event(
            each["id"],
            each["label"],
            tuple(Phase(**frozen({"until": math.inf} | phase)) for phase in each["phases"]),
        )
        for each in _data()["events"]
    }


@cache
def drugs() -> Mapping[str, Drug]:
    """Return every drug by id; the first is none."""
    return {
        each["id"]: Drug(**frozen(each) | {"courses": tuple(Course(**frozen(part)) for part in each["courses"])})
        for each in _data()["drugs"]
    }


def _statements(data: Any) -> Iterator[tuple[str, str, list[str]]]:
    """Yield every statement of the file: its id, what it says, its sources."""
    for each in data["series"]:
        scores = ", ".join(f"day {day}: {score}" for day, score in each["points"].items())
        yield each["id"], f"{MEASURES[each['measure']]}, {each['label']}: {scores}", each["refs"]
    for each in data["course"]:
        yield each["id"], each["says"], each["refs"]
    for each in data["events"]:
        for number, phase in enumerate(each["phases"], 1):
            yield f"{each['id']}-{number}", f"{each['label']}: {phase['verdict']}. {phase['why']}", phase["refs"]
    for each in data["drugs"]:
        yield each["id"], f"{each['label']}: {each['given']}. {each['harm']}", each["refs"]


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with recovery.yml, or with the data given in its place: shape, ids, citations, phases."""
    data = data or _data()
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    found += repeated(FILE, [each for group in ("series", "course", "events", "drugs") for each in data[group]])
    for where, says, refs in _statements(data):
        found += citation_faults(FILE, where, refs)
        found += [
            f"{FILE}: {where} cites {name} in its text and not in refs" for name in cited(says) if name not in refs
        ]
    for each in data["course"]:
        if each["days"][0] >= each["days"][1]:
            found.append(f"{FILE}: {each['id']} ends before it begins; write the first day first")
    for each in data["events"]:
        until = [phase.get("until") for phase in each["phases"]]
        if until[-1] is not None or None in until[:-1] or until[:-1] != sorted(until[:-1]):
            found.append(f"{FILE}: {each['id']}: each phase but the last needs `until`, and they must rise")
    known = assets.parameters("materials/cascade.csv")
    for each in data["drugs"]:
        named = [ratio for part in each["courses"] for ratio in part["ratios"]]
        found += [f"{FILE}: {each['id']} names {x}, no number of cascade.csv" for x in named if f"{x} low" not in known]
        if any("years" not in part for part in each["courses"][:-1]):
            found.append(f"{FILE}: {each['id']}: each course but the last needs its years")
    return found


def facts() -> Iterator[Fact]:
    """Yield every statement of the file as a fact."""
    data = _data()
    for where, says, refs in _statements(data):
        yield Fact(FILE, where, says, tuple(refs), review_date(FILE, data))
