"""The literature the course stands on, and how far each source has been checked.

Data: `assets/evidence/references.yml`.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from vertebra import assets
from vertebra.evidence.shape import DATE, TEXT, Fact, record, refuse_unknown, repeated, review_date, shape_faults

FILE = "references.yml"
CHECKED = {
    "abstract-read": "abstract or excerpt read",
    "partly-read": "partly read",
    "read-address-lost": "read, address not kept",
    "exists": "only its existence was seen",
    "unchecked": "not opened yet",
}

# What may be shown as published: somebody opened the source and read the number there.
OPENED = frozenset({"abstract-read", "partly-read", "read-address-lost"})

LEVEL = {"enum": ["read", "partly-read", "unchecked"]}


SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "references": {
            "type": "array",
            "items": record(
                {
                    "id": {"type": "string", "pattern": "^[a-z][a-z0-9_]+$"},
                    "citation": TEXT,
                    "citation_checked": LEVEL,
                    "doi": {"type": ["string", "null"], "pattern": r"^10\.\d{4,9}/\S+$"},
                    "pmid": {"type": ["string", "null"], "pattern": r"^\d+$"},
                    "identifiers_checked": {"enum": ["read", "partly-read", "unchecked", "none"]},
                    "design": TEXT,
                    "outcomes": {"type": "array", "items": TEXT},
                    "outcomes_unchecked": {
                        "type": "array",
                        "items": record({"fact": TEXT, "confidence": TEXT}),
                    },
                    "take_home": TEXT,
                    "checked": {"enum": list(CHECKED)},
                    "seen_at": {"type": "array", "items": TEXT},
                },
                {
                    "citation_note": TEXT,
                    "identifiers_note": TEXT,
                    "n_per_arm": {"type": "object"},
                    "population": TEXT,
                    "intervention": TEXT,
                    "comparator": TEXT,
                    "follow_ups": {"type": "array", "items": TEXT},
                },
            ),
        },
    }
)


@dataclass(frozen=True)
class Reference:
    """One source: what it is, what was read in it (`outcomes`), and how far it was checked (`checked`)."""

    id: str
    citation: str
    citation_checked: str
    design: str
    outcomes: tuple[str, ...]
    outcomes_unchecked: tuple[str, ...]
    checked: str
    doi: str | None
    pmid: str | None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of references.yml."""
        fields = {name: record[name] for name in cls.__dataclass_fields__}
        unread = tuple(outcome["fact"] for outcome in record["outcomes_unchecked"])
        return cls(**fields | {"outcomes": tuple(record["outcomes"]), "outcomes_unchecked": unread})

    @property
    def publishable(self) -> bool:
        """Whether its numbers may be shown as published."""
        return self.checked in OPENED

    @property
    def status(self) -> str:
        """How far it was checked, in words, with a warning if the bibliographic line itself was not."""
        line = "" if self.citation_checked == "read" else "; bibliographic line not fully compared"
        return CHECKED[self.checked] + line


@cache
def references() -> dict[str, Reference]:
    """Return every reference by id."""
    records = assets.read_yaml("evidence/references.yml")["references"]
    return {record["id"]: Reference.from_record(record) for record in records}


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with references.yml, or with the data given in its place: its shape, ids used twice."""
    data = data or assets.read_yaml(f"evidence/{FILE}")
    return list(shape_faults(FILE, data, SCHEMA)) or list(repeated(FILE, data["references"]))


def facts() -> Iterator[Fact]:
    """Yield every source, and every finding that is said to stand in it but was not compared with it."""
    due = review_date(FILE, assets.read_yaml(f"evidence/{FILE}"))
    for name, source in references().items():
        yield Fact(FILE, name, f"{source.status}: {source.citation}", (name,), due, not source.publishable)
        for number, outcome in enumerate(source.outcomes_unchecked, 1):
            yield Fact(FILE, f"{name}, finding {number}", outcome, (name,), due, unchecked=True)


# A citation in running text: [genant1993], [genant1993; tlics2005], [unreferenced].
CITATION = re.compile(r"\[([a-z][a-z0-9_]*(?:; [a-z][a-z0-9_]*)*)\](?!\()")


def cite(refs: Iterable[str]) -> str:
    """Return sources as they are cited in running text."""
    return f"[{'; '.join(refs)}]"


def cited(text: str) -> list[str]:
    """Return the ids cited in a text, in order of first appearance; `unreferenced` counts as one."""
    return list(dict.fromkeys(name for match in CITATION.finditer(text) for name in match[1].split("; ")))


@dataclass(frozen=True)
class Sources:
    """A list of sources, shown in a notebook with how far each was checked."""

    references: tuple[Reference, ...]

    def __repr__(self) -> str:
        """Return one line: how many sources, and how many of them somebody has opened."""
        opened = sum(reference.publishable for reference in self.references)
        return f"{len(self.references)} sources, {opened} of them opened"

    def _repr_html_(self) -> str:
        rows = []
        for reference in self.references:
            link = ""
            if reference.doi:
                link = f' <a href="https://doi.org/{html.escape(reference.doi)}">doi:{html.escape(reference.doi)}</a>'
            rows.append(
                f'<li id="ref-{reference.id}"><strong>[{reference.id}]</strong> '
                f"{html.escape(reference.citation)}{link} "
                f"<em>({html.escape(reference.status)})</em></li>"
            )
        return f"<ul>{''.join(rows)}</ul>"


def sources(*ids: str) -> Sources:
    """Return these references for a lesson's list of sources; an unknown id raises ValueError naming the nearest."""
    known = references()
    refuse_unknown("reference", ids, known)
    return Sources(tuple(known[name] for name in ids))
