"""Cement where it should not be, and the first minutes of what can go wrong.

Data: `assets/evidence/emergencies.yml`: what each route of `vertebra.imaging.leaks` leads to, how often leaks and
emboli were found and how they were looked for, and what is done, by whom, by when. Teaching, not a protocol.
"""

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from vertebra import assets
from vertebra.evidence.references import cite
from vertebra.evidence.shape import (
    DATE,
    TEXT,
    UNREFERENCED,
    Fact,
    citation_faults,
    frozen,
    listed,
    record,
    refuse_unknown,
    repeated,
    review_date,
    shape_faults,
)
from vertebra.evidence.tables import table

FILE = "emergencies.yml"
REFS = listed(TEXT)
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "routes": listed(
            record(dict.fromkeys(("id", "name", "from", "near", "consequence", "do"), TEXT) | {"refs": REFS})
        ),
        "rates": listed(record(dict.fromkeys(("id", "what", "found", "looked"), TEXT) | {"refs": REFS})),
        "emergencies": listed(
            record(
                dict.fromkeys(("id", "name", "when", "signs", "avoid", "why"), TEXT)
                | {
                    "why_refs": REFS,
                    "steps": listed(record(dict.fromkeys(("id", "who", "what", "by"), TEXT) | {"refs": REFS}), least=3),
                }
            )
        ),
    }
)


@dataclass(frozen=True)
class Route:
    """A way out of the body: where it comes `from_`, what lies `near`, its `consequence`, and what to `do`."""

    id: str
    name: str
    from_: str
    near: str
    consequence: str
    do: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Rate:
    """How often something was found, and how it was looked for."""

    id: str
    what: str
    found: str
    looked: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """Who does what by when."""

    id: str
    who: str
    what: str
    by: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Emergency:
    """What can go wrong: when and how it shows, why, what to do in which order, and what not to do."""

    id: str
    name: str
    when: str
    signs: str
    why: str
    why_refs: tuple[str, ...]
    avoid: str
    steps: tuple[Step, ...]


def _made(kind: type[Any], each: Mapping[str, Any]) -> Any:
    return kind(**{"from_" if name == "from" else name: value for name, value in frozen(each).items()})


@cache
def routes() -> dict[str, Route]:
    """Return what is said of each route of `vertebra.imaging.leaks`, by its name there."""
    return {each["id"]: _made(Route, each) for each in assets.read_yaml(f"evidence/{FILE}")["routes"]}


@cache
def rates() -> tuple[Rate, ...]:
    """Return how often leaks and emboli were found."""
    return tuple(_made(Rate, each) for each in assets.read_yaml(f"evidence/{FILE}")["rates"])


@cache
def emergencies() -> dict[str, Emergency]:
    """Return the emergencies by id, each with its steps in order."""
    found = {}
    for each in assets.read_yaml(f"evidence/{FILE}")["emergencies"]:
        steps = [_made(Step, step) for step in each["steps"]]
        found[each["id"]] = _made(Emergency, {**each, "why": " ".join(each["why"].split()), "steps": steps})
    return found


@dataclass(frozen=True)
class FirstMinutes:
    """Emergencies, shown in a notebook as tables of who does what by when."""

    emergencies: tuple[Emergency, ...]

    def __repr__(self) -> str:
        """Return one line: how many emergencies, and how many steps in all."""
        steps = sum(len(each.steps) for each in self.emergencies)
        return f"{len(self.emergencies)} {'emergency' if len(self.emergencies) == 1 else 'emergencies'}, {steps} steps"

    def _repr_html_(self) -> str:
        return "".join(map(_shown, self.emergencies))


def _shown(each: Emergency) -> str:
    def said(text: str, refs: Iterable[str] = (UNREFERENCED,)) -> str:
        return f"{html.escape(text)} {cite(refs)}"

    rows = [
        (f"{number}. {html.escape(step.who)}", said(step.what, step.refs), html.escape(step.by))
        for number, step in enumerate(each.steps, 1)
    ]
    return (
        f"<details><summary><strong>{html.escape(each.name)}</strong> ({html.escape(each.when)})</summary>"
        f"<p><strong>Looks like:</strong> {said(each.signs)}</p>{table(('Who', 'does what', 'by when'), rows)}"
        f"<p><strong>Not:</strong> {said(each.avoid)}</p>"
        f"<p><strong>Why:</strong> {said(each.why, each.why_refs)}</p></details>"
    )


def first_minutes(*ids: str) -> FirstMinutes:
    """Return some emergencies (all without ids) to be shown; an unknown id raises ValueError."""
    known = emergencies()
    refuse_unknown("emergency", ids, known)
    return FirstMinutes(tuple(known[name] for name in ids or known))


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with emergencies.yml, or with the data given in its place: shape, ids, citations."""
    from vertebra.imaging.leaks import ROUTES  # brings the imaging room along, which only a check needs

    data = data or assets.read_yaml(f"evidence/{FILE}")
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    for group in ("routes", "rates", "emergencies"):
        found += repeated(f"{FILE} {group}", data[group])
    if {each["id"] for each in data["routes"]} != set(ROUTES):
        found.append(f"{FILE}: routes are to be {', '.join(ROUTES)}, each once, as vertebra.imaging.leaks has them")
    for each in [*data["routes"], *data["rates"]]:
        found += citation_faults(FILE, each["id"], each["refs"])
    for each in data["emergencies"]:
        found += repeated(f"{FILE} {each['id']}", each["steps"])
        found += citation_faults(FILE, f"{each['id']} why", each["why_refs"])
        for step in each["steps"]:
            found += citation_faults(FILE, f"{each['id']} {step['id']}", step["refs"])
    return found


def facts() -> Iterator[Fact]:
    """Yield every statement of emergencies.yml."""
    day = review_date(FILE, assets.read_yaml(f"evidence/{FILE}"))
    for route in routes().values():
        yield Fact(FILE, route.id, f"{route.name}: {route.consequence} {route.do}", route.refs, day)
    for rate in rates():
        yield Fact(FILE, rate.id, f"{rate.what}: {rate.found} ({rate.looked})", rate.refs, day)
    for each in emergencies().values():
        yield Fact(FILE, each.id, f"{each.name}: {each.why}", each.why_refs, day)
        for step in each.steps:
            yield Fact(FILE, f"{each.id} {step.id}", f"{step.who} {step.what}, {step.by}", step.refs, day)
