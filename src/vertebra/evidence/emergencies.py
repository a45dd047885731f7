"""Cement where it should not be, and the first minutes of what can go wrong.

Data: `assets/evidence/emergencies.yml`: what each route of `vertebra.imaging.leaks` leads to, how often leaks and
emboli were found and how they were looked for, and what is done, by whom, by when. Teaching, not a protocol.
"""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from vertebra import assets
from vertebra.evidence.shape import (
    DATE,
    TEXT,
    Fact,
    citation_faults,
    listed,
    record,
    repeated,
    review_date,
    shape_faults,
)

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
    fields = {f"{k}_" if k == "from" else k: tuple(v) if isinstance(v, list) else v for k, v in each.items()}
    return kind(**fields)


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
        return "".join(_table(each) for each in self.emergencies)


def _cited(text: str, refs: tuple[str, ...]) -> str:
    return f"{html.escape(text)} [{'; '.join(refs)}]"


def _table(each: Emergency) -> str:
    left = 'style="text-align: left"'  # notebooks align what stands in tables to the right
    head = "".join(f'<th scope="col" {left}>{name}</th>' for name in ("Who", "does what", "by when"))
    rows = "".join(
        f"<tr><td {left}>{number}. {html.escape(step.who)}</td><td {left}>{_cited(step.what, step.refs)}</td>"
        f"<td {left}>{html.escape(step.by)}</td></tr>"
        for number, step in enumerate(each.steps, 1)
    )
    return (
        f"<details><summary><strong>{html.escape(each.name)}</strong> ({html.escape(each.when)})</summary>"
        f"<p><strong>Looks like:</strong> {_cited(each.signs, ('unreferenced',))}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p><strong>Not:</strong> {_cited(each.avoid, ('unreferenced',))}</p>"
        f"<p><strong>Why:</strong> {_cited(each.why, each.why_refs)}</p></details>"
    )


def first_minutes(*ids: str) -> FirstMinutes:
    """Return some emergencies (all without ids) to be shown; an unknown id raises ValueError naming the known ones."""
    known = emergencies()
    for name in ids:
        if name not in known:
            raise ValueError(f"there is no emergency {name!r}; it is one of {', '.join(known)}")
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
