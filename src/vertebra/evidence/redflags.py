"""How likely a vertebral fracture is after a history and an examination, and what must be done whatever the answer.

Bayes' rule on odds, carried out on intervals, since neither a prior nor a likelihood ratio is known as one number:

    odds after = odds before x likelihood ratio        odds = p / (1 - p)

Likelihood ratios of several findings may be multiplied only if the findings are independent both in people with a
fracture and in people without; age, falls and steroids are not. So findings are shown one by one, and their product
only as what it is: what would follow if they were independent. Actions never depend on a probability: `urgent` looks at
the flags alone. Data: `assets/evidence/redflags.yml`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from vertebra import assets
from vertebra.evidence.references import cite
from vertebra.evidence.shape import (
    DATE,
    IDS,
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
from vertebra.evidence.tables import Table
from vertebra.measure.reading import Z95, wilson

FILE = "redflags.yml"
PEOPLE = 1000
NOW, TODAY = 4, 24  # hours: what is due by then is an emergency, or is done before the patient goes home

SHARE = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "minimum": 0}


def _pair(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 2, "maxItems": 2}


ESTIMATE = {"type": "array", "items": SHARE, "minItems": 3, "maxItems": 3}
SAYS = record({"says": TEXT, "refs": IDS})
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "settings": listed(
            record(
                {"id": TEXT, "name": TEXT, "says": TEXT, "refs": IDS}, {"prior": _pair(SHARE), "counts": _pair(COUNT)}
            )
        ),
        "findings": listed(
            record(
                {
                    "id": TEXT,
                    "name": TEXT,
                    "group": {"enum": ["history", "examination"]},
                    "tells_of": {"enum": ["any", "fresh"]},
                    "measured_in": TEXT,
                    "lr_by": TEXT,
                    "says": TEXT,
                    "refs": IDS,
                },
                {
                    "how": TEXT,
                    "lr": _pair({"type": "number", "exclusiveMinimum": 0}),
                    "sensitivity": ESTIMATE,
                    "specificity": ESTIMATE,
                    "counts": record({"hits": COUNT, "fractured": COUNT, "false_alarms": COUNT, "whole": COUNT}),
                },
            )
        ),
        "flags": listed(record({"id": TEXT, "name": TEXT, "refs": IDS})),
        "dangers": listed(
            record(
                {
                    "id": TEXT,
                    "name": TEXT,
                    "needs": listed(TEXT),
                    "hours": {"type": "number", "minimum": 0},
                    "clock": SAYS,
                    "who": TEXT,
                    "action": SAYS,
                },
                {"one_of": listed(TEXT, 2), "replaces": listed(TEXT)},
            )
        ),
        "differential": listed(
            record({"id": TEXT, "diagnosis": TEXT, "points_to": TEXT, "missed": TEXT, "first_test": TEXT, "refs": IDS})
        ),
    }
)


# --- Probabilities and ratios ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    """What a probability or a likelihood ratio lies between; both ends belong to it."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Raise ValueError for what is no interval of finite numbers from 0 up."""
        if not 0 <= self.low <= self.high < math.inf:
            raise ValueError(
                f"an interval runs from a low to a high number of at least 0, not {self.low} to {self.high}"
            )


@dataclass(frozen=True)
class Estimate:
    """A share as a study found it, with its 95 % interval."""

    value: float
    low: float
    high: float


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:  # refuses nan too
        raise ValueError(f"{name} is {value!r}; give a probability from 0 to 1")


def updated(prior: float, ratio: float) -> float:
    """Return the probability after a finding with a likelihood ratio, from the one before it."""
    _check_probability("prior", prior)
    return prior * ratio / (prior * ratio + 1 - prior)


def post_test(prior: Interval, ratio: Interval) -> Interval:
    """Return where the probability may lie after a finding: rarest and weakest to most frequent and strongest."""
    return Interval(updated(prior.low, ratio.low), updated(prior.high, ratio.high))


def strongest(prior: Interval, ratios: Sequence[Interval]) -> Interval:
    """Return the probability after the strongest of several findings alone: the highest low and the highest high end.

    Without findings that is the prior. It holds for all of them together if none takes back what another says.
    """
    after = [post_test(prior, ratio) for ratio in ratios] or [prior]
    return Interval(max(each.low for each in after), max(each.high for each in after))


def independent(prior: Interval, ratios: Sequence[Interval]) -> Interval:
    """Return the probability after several findings if they were independent, with and without a fracture.

    They hardly ever are: findings that keep company say less together than this.
    """
    product = Interval(math.prod(each.low for each in ratios), math.prod(each.high for each in ratios))
    return post_test(prior, product)


def whatever_the_overlap(prior: float, tests: Sequence[tuple[float, float]]) -> Interval:
    """Return where the probability lies when all of several tests are positive, however they depend on each other.

    `tests` are (sensitivity, specificity). Of n shares the share in which all are true lies between
    max(0, sum - n + 1) and the smallest of them (Fréchet's bounds), among people with and without a fracture alike.
    Sensitivity and specificity are taken as exact. Raises ValueError for what is no probability.
    """
    if not tests:
        raise ValueError("tests is empty; give at least one (sensitivity, specificity)")
    for value in (prior, *(each for test in tests for each in test)):
        _check_probability("a prior, sensitivity or specificity", value)

    def bounds(shares: Sequence[float]) -> Interval:
        return Interval(max(0.0, sum(shares) - len(shares) + 1), min(shares))

    sick, well = bounds([test[0] for test in tests]), bounds([1 - test[1] for test in tests])

    def share(with_it: float, without: float) -> float | None:
        both = prior * with_it + (1 - prior) * without
        return prior * with_it / both if both else None

    low, high = share(sick.low, well.high), share(sick.high, well.low)
    return Interval(0.0 if low is None else low, 1.0 if high is None else high)


def estimated(hits: int, of: int) -> Estimate:
    """Return the share `hits` / `of` with its 95 % interval after Wilson."""
    return Estimate(hits / of, *wilson(hits, of))


def ratio_of_counts(hits: int, fractured: int, false_alarms: int, whole: int) -> Interval:
    """Return the 95 % interval of a positive likelihood ratio, normal on the log scale, from a study's four counts.

    Raises ValueError where a count is 0, since the logarithm of the ratio has no variance then.
    """
    if not (0 < hits <= fractured and 0 < false_alarms <= whole):
        raise ValueError(
            f"{hits}/{fractured} and {false_alarms}/{whole}: every count must be at least 1 and fit its group"
        )
    ratio = (hits / fractured) / (false_alarms / whole)
    spread = math.exp(Z95 * math.sqrt(1 / hits - 1 / fractured + 1 / false_alarms - 1 / whole))
    return Interval(ratio / spread, ratio * spread)


# --- Natural frequencies ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Crowd:
    """A thousand people: `surely` have a fracture even at the low end, `perhaps` more at the high end, the rest not."""

    surely: int
    perhaps: int
    rest: int


def crowd(probability: Interval, people: int = PEOPLE) -> Crowd:
    """Return an interval as people; the three counts add up to `people` exactly."""
    _check_probability("the high end", probability.high)
    low, high = round(people * probability.low), round(people * probability.high)
    return Crowd(low, high - low, people - high)


@dataclass(frozen=True)
class Fourfold:
    """What a test makes of a crowd: with a fracture found and missed, without one alarmed and spared."""

    found: int
    missed: int
    alarmed: int
    spared: int

    @property
    def positive(self) -> int:
        """How many test positive."""
        return self.found + self.alarmed


def fourfold(prior: float, sensitivity: float, specificity: float, people: int = PEOPLE) -> Fourfold:
    """Return the natural frequencies of a test; the counts add up to `people`, and to whole people with a fracture."""
    for name, value in (("prior", prior), ("sensitivity", sensitivity), ("specificity", specificity)):
        _check_probability(name, value)
    fractured = round(people * prior)
    found, alarmed = round(fractured * sensitivity), round((people - fractured) * (1 - specificity))
    return Fourfold(found, fractured - found, alarmed, people - fractured - alarmed)


def decision(probability: Interval, threshold: float) -> str:
    """Return how an interval stands to a threshold for a picture: "above" it, "below" it, or "across" it."""
    _check_probability("threshold", threshold)
    return "above" if probability.low >= threshold else "below" if probability.high < threshold else "across"


# --- Data ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """Where a patient is seen, and how many people with back pain there have a fracture."""

    id: str
    name: str
    prior: Interval
    says: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """Something asked or examined, with its likelihood ratio if it is there.

    `tells_of` is "fresh" for a sign of a new fracture, "any" for one that old fractures give as well.
    """

    id: str
    name: str
    group: str
    how: str
    tells_of: str
    measured_in: str
    ratio: Interval
    ratio_by: str
    says: str
    refs: tuple[str, ...]
    sensitivity: Estimate | None
    specificity: Estimate | None


@dataclass(frozen=True)
class Flag:
    """A sign of danger, as it is ticked."""

    id: str
    name: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Danger:
    """What a flag warns of: what is done, by whom, and within how many `hours` (0: at once)."""

    id: str
    name: str
    needs: frozenset[str]
    one_of: frozenset[str]
    replaces: frozenset[str]
    hours: float
    clock: str
    clock_refs: tuple[str, ...]
    who: str
    action: str
    action_refs: tuple[str, ...]

    @property
    def tier(self) -> str:
        """How soon: "now", "today" or "days"."""
        return "now" if self.hours <= NOW else "today" if self.hours <= TODAY else "days"

    @property
    def refs(self) -> tuple[str, ...]:
        """Sources of action and clock, each once."""
        return tuple(dict.fromkeys(self.action_refs + self.clock_refs))

    def shown_by(self, flags: frozenset[str]) -> bool:
        """Return whether these flags show it."""
        return self.needs <= flags and (not self.one_of or bool(self.one_of & flags))


@dataclass(frozen=True)
class Alternative:
    """A row of the differential diagnosis of sudden back pain after 50."""

    id: str
    diagnosis: str
    points_to: str
    missed: str
    first_test: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class RedFlags:
    """All of `redflags.yml`, each part by id in the order of the file."""

    settings: Mapping[str, Setting]
    findings: Mapping[str, Finding]
    flags: Mapping[str, Flag]
    dangers: Mapping[str, Danger]
    differential: Mapping[str, Alternative]


def _setting(data: Mapping[str, Any]) -> Setting:
    prior = wilson(*data["counts"]) if "counts" in data else data["prior"]
    return Setting(data["id"], data["name"], Interval(*prior), data["says"], tuple(data["refs"]))


def _finding(data: Mapping[str, Any]) -> Finding:
    sensitivity: Estimate | None
    specificity: Estimate | None
    if "counts" in data:
        counts = data["counts"]
        ratio = ratio_of_counts(**counts)
        sensitivity = estimated(counts["hits"], counts["fractured"])
        specificity = estimated(counts["whole"] - counts["false_alarms"], counts["whole"])
    else:
        ratio = Interval(*data["lr"])
        sensitivity, specificity = (
            Estimate(*data[name]) if name in data else None for name in ("sensitivity", "specificity")
        )
    plain = {name: data[name] for name in ("id", "name", "group", "tells_of", "measured_in", "says")}
    return Finding(
        **plain,
        how=data.get("how", ""),
        ratio=ratio,
        ratio_by=data["lr_by"],
        refs=tuple(data["refs"]),
        sensitivity=sensitivity,
        specificity=specificity,
    )


def _danger(data: Mapping[str, Any]) -> Danger:
    return Danger(
        id=data["id"],
        name=data["name"],
        needs=frozenset(data["needs"]),
        one_of=frozenset(data.get("one_of", ())),
        replaces=frozenset(data.get("replaces", ())),
        hours=data["hours"],
        clock=data["clock"]["says"],
        clock_refs=tuple(data["clock"]["refs"]),
        who=data["who"],
        action=data["action"]["says"],
        action_refs=tuple(data["action"]["refs"]),
    )


@cache
def redflags() -> RedFlags:
    """Return what `redflags.yml` holds."""
    data = assets.read_yaml(f"evidence/{FILE}")

    def by_id(parts: Iterable[Any]) -> Any:
        return MappingProxyType({part.id: part for part in parts})

    def plain(kind: Any, part: str) -> Any:
        return by_id(kind(**frozen(each)) for each in data[part])

    return RedFlags(
        by_id(map(_setting, data["settings"])),
        by_id(map(_finding, data["findings"])),
        plain(Flag, "flags"),
        by_id(map(_danger, data["dangers"])),
        plain(Alternative, "differential"),
    )


def urgent(flags: Iterable[str]) -> tuple[Danger, ...]:
    """Return what the flags demand, the shortest clock first; a danger that another one replaces is left out.

    No probability is asked. Raises ValueError for a flag that does not exist.
    """
    ticked, known = frozenset(flags), redflags().flags
    for flag in sorted(ticked - known.keys()):
        raise ValueError(f"there is no flag {flag!r}; the flags are {', '.join(known)}")
    there = [danger for danger in redflags().dangers.values() if danger.shown_by(ticked)]
    replaced = frozenset[str]().union(*(danger.replaces for danger in there))
    return tuple(sorted((each for each in there if each.id not in replaced), key=lambda danger: danger.hours))


# --- Checks ----------------------------------------------------------------------------------------------------------


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with redflags.yml, or with the data given in its place: shape, ids, sources, intervals."""
    data = data or assets.read_yaml(f"evidence/{FILE}")
    return list(shape_faults(FILE, data, SCHEMA)) or list(_content_faults(data))


def _content_faults(data: Mapping[str, Any]) -> Iterator[str]:
    for group in ("settings", "findings", "flags", "dangers", "differential"):
        yield from repeated(f"{FILE} {group}", data[group])
    for where, _, refs in _statements(data):
        yield from citation_faults(FILE, where, refs)
    for each, stated in [(x, "prior") for x in data["settings"]] + [(x, "lr") for x in data["findings"]]:
        if (stated in each) == ("counts" in each):
            yield f"{FILE}: {each['id']} must give either {stated} or counts"
        if stated in each and each[stated][0] > each[stated][1]:
            yield f"{FILE}: {stated} of {each['id']} runs downwards, {each[stated]}; turn it round"
        for name in ("sensitivity", "specificity"):
            if name in each and not each[name][1] <= each[name][0] <= each[name][2]:
                yield f"{FILE}: {name} of {each['id']} does not lie within its own interval"
    flags, dangers = {x["id"] for x in data["flags"]}, {x["id"] for x in data["dangers"]}
    for each in data["dangers"]:
        for kind, named, existing in (
            ("flag", each["needs"] + each.get("one_of", []), flags),
            ("danger", each.get("replaces", []), dangers),
        ):
            for name in named:
                if name not in existing:
                    yield f"{FILE}: danger {each['id']} names the {kind} {name}, which does not exist"
    alone = {x["needs"][0] for x in data["dangers"] if len(x["needs"]) == 1 and "one_of" not in x}
    for flag in sorted(flags - alone):
        yield f"{FILE}: flag {flag} leads to nothing when it is ticked alone; give it a danger of its own"


def _statements(data: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (id, what is said, sources) of every statement of the file."""
    for group in ("settings", "findings"):
        for each in data[group]:
            yield each["id"], each["says"], each["refs"]
    for each in data["flags"]:
        yield f"flag {each['id']}", each["name"], each["refs"]
    for each in data["dangers"]:
        for part in ("action", "clock"):
            yield f"{part} of {each['id']}", f"{each['name']}: {each[part]['says']}", each[part]["refs"]
    for each in data["differential"]:
        yield (
            f"differential {each['id']}",
            f"{each['diagnosis']}: {each['points_to']}; {each['first_test']}",
            each["refs"],
        )


def facts() -> Iterator[Fact]:
    """Yield every statement of the file with its sources."""
    data = assets.read_yaml(f"evidence/{FILE}")
    day = review_date(FILE, data)
    for where, says, refs in _statements(data):
        yield Fact(FILE, where, says, tuple(refs), day)


# --- Tables for a lesson ---------------------------------------------------------------------------------------------


def clocks() -> Table:
    """Return every danger with its flags, its clock and who does what, the shortest clock first."""
    # Names begin small, but for the first of a row: "CRP" and "T6" stay as they are.
    names = {flag.id: flag.name[0].lower() + flag.name[1:] for flag in redflags().flags.values()}
    rows = []
    for danger in sorted(redflags().dangers.values(), key=lambda each: each.hours):
        flags = "; and ".join(names[flag] for flag in names if flag in danger.needs)
        if danger.one_of:
            flags += ", with " + "; or ".join(names[flag] for flag in names if flag in danger.one_of)
        flags = flags[0].upper() + flags[1:]
        rows.append((danger.name, flags, danger.clock, danger.who, f"{danger.action} {cite(danger.refs)}"))
    return Table("Red flags by clock", ("Danger", "Flags", "Clock", "Who", "What"), tuple(rows))


def differential() -> Table:
    """Return the differential diagnosis of sudden back pain after 50."""
    rows = tuple(
        (each.diagnosis, each.points_to, each.missed, f"{each.first_test} {cite(each.refs)}")
        for each in redflags().differential.values()
    )
    return Table("Sudden back pain after 50", ("Diagnosis", "Points to it", "Not to be missed", "First test"), rows)
