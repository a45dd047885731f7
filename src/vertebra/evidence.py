"""The literature and the patient-leaflet claims the course stands on, and how far each has been checked.

Data: `assets/evidence/references.yml` (193 references) and `assets/evidence/claims.yml` (272 claims from five
patient pages).
"""

import difflib
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from vertebra import assets

CHECKED = {
    "abstract-read": "abstract or excerpt read",
    "partly-read": "partly read",
    "read-address-lost": "read, address not kept",
    "exists": "only its existence was seen",
    "unchecked": "not opened yet",
}

# What may be shown as published: somebody opened the source and read the number there.
OPENED = frozenset({"abstract-read", "partly-read", "read-address-lost"})

TEXT = {"type": "string", "minLength": 1}
OPTIONAL_TEXT = {"type": ["string", "null"], "minLength": 1}
IDS = {"type": "array", "items": TEXT, "uniqueItems": True}
LEVEL = {"enum": ["read", "partly-read", "unchecked"]}


def _record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of one record: these fields and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


REFERENCES_SCHEMA = _record(
    {
        "references": {
            "type": "array",
            "items": _record(
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
                        "items": _record({"fact": TEXT, "confidence": TEXT}),
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
        }
    }
)

VERDICTS = ["supported", "oversimplified", "contradicted"]
CLAIMS_SCHEMA = _record(
    {
        "leaflets": {"type": "array", "items": _record({"id": {"type": "string", "pattern": "^[A-E]$"}, "what": TEXT})},
        "claims": {
            "type": "array",
            "items": _record(
                {
                    "id": {"type": "string", "pattern": r"^c\d{3}-\d{3}$"},
                    "leaflet": {"type": "string", "pattern": "^[A-E]$"},
                    "line": {"type": "integer", "minimum": 1},
                    "topic": TEXT,
                    "claim": TEXT,
                    "status": {"enum": [*VERDICTS, "conflicts-with-other-leaflet"]},
                    "appraisal": TEXT,
                    "refs": IDS,
                    "conflict_ids": IDS,
                    "basis": {"enum": ["cited", "mixed", "unreferenced"]},
                },
                {"literature_verdict": {"enum": VERDICTS}},
            ),
        },
        "conflicts": {
            "type": "array",
            "items": _record(
                {
                    "id": {"type": "string", "pattern": r"^k\d{2}$"},
                    "title": TEXT,
                    "side_a": IDS,
                    "side_b": IDS,
                    "literature": TEXT,
                    "course_line": TEXT,
                    "refs": IDS,
                }
            ),
        },
        "omissions": {
            "type": "array",
            "items": _record(
                {
                    "id": {"type": "string", "pattern": r"^o\d{2}$"},
                    "missing": TEXT,
                    "leaflets": IDS,
                    "why": TEXT,
                    "refs": IDS,
                }
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
    take_home: str
    checked: str
    doi: str | None
    pmid: str | None
    identifiers_checked: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of references.yml."""
        fields = {name: record[name] for name in cls.__dataclass_fields__}
        return cls(**fields | {"outcomes": tuple(record["outcomes"])})

    @property
    def publishable(self) -> bool:
        """Whether its numbers may be shown as published."""
        return self.checked in OPENED

    @property
    def status(self) -> str:
        """How far it was checked, in words, with a warning if the bibliographic line itself was not."""
        line = "" if self.citation_checked == "read" else "; bibliographic line not fully compared"
        return CHECKED[self.checked] + line


@dataclass(frozen=True)
class Claim:
    """One statement of a patient page with the course's appraisal; `refs` are ids of references."""

    id: str
    leaflet: str
    line: int
    topic: str
    claim: str
    status: str
    appraisal: str
    refs: tuple[str, ...]
    conflict_ids: tuple[str, ...]
    basis: str
    literature_verdict: str | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of claims.yml."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
        return cls(**fields)


@cache
def references() -> dict[str, Reference]:
    """Return every reference by id."""
    records = assets.read_yaml("evidence/references.yml")["references"]
    return {record["id"]: Reference.from_record(record) for record in records}


@cache
def claims() -> dict[str, Claim]:
    """Return every claim by id."""
    records = assets.read_yaml("evidence/claims.yml")["claims"]
    return {record["id"]: Claim.from_record(record) for record in records}


def _schema_faults(name: str, data: Any, schema: dict[str, Any]) -> Iterator[str]:
    import jsonschema  # only a check needs it; a lesson in the browser should not wait for it

    for error in jsonschema.Draft202012Validator(schema).iter_errors(data):
        place = "/".join(map(str, error.absolute_path))
        yield f"{name}: {place}: {error.message}"


def _repeated(name: str, records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for record in records:
        if record["id"] in seen:
            yield f"{name}: id {record['id']} is used twice; give the second one its own"
        seen.add(record["id"])


def faults(reference_data: Any = None, claim_data: Any = None) -> list[str]:
    """Return what is wrong with the evidence files, or with the data given in their place: shape, ids, citations."""
    refs = reference_data or assets.read_yaml("evidence/references.yml")
    cls = claim_data or assets.read_yaml("evidence/claims.yml")
    found = [
        *_schema_faults("references.yml", refs, REFERENCES_SCHEMA),
        *_schema_faults("claims.yml", cls, CLAIMS_SCHEMA),
    ]
    if found:
        return found
    known = {record["id"] for record in refs["references"]}
    found += _repeated("references.yml", refs["references"])
    for group in ("leaflets", "claims", "conflicts", "omissions"):
        found += _repeated(f"claims.yml {group}", cls[group])
    ids = {group: {record["id"] for record in cls[group]} for group in ("leaflets", "claims", "conflicts")}
    for record in [*cls["claims"], *cls["conflicts"], *cls["omissions"]]:
        cited = {
            "references": (record["refs"], known),
            "leaflets": (record.get("leaflets", [record["leaflet"]] if "leaflet" in record else []), ids["leaflets"]),
            "conflicts": (record.get("conflict_ids", []), ids["conflicts"]),
            "claims": (record.get("side_a", []) + record.get("side_b", []), ids["claims"]),
        }
        for kind, (named, existing) in cited.items():
            found += [
                f"claims.yml: {record['id']} names {kind} {x}, which does not exist" for x in named if x not in existing
            ]
    for record in cls["claims"]:
        if (record["basis"] == "unreferenced") != (not record["refs"]):
            found.append(f"claims.yml: {record['id']} has basis {record['basis']} and {len(record['refs'])} references")
        if (record["status"] == "conflicts-with-other-leaflet") != ("literature_verdict" in record):
            found.append(f"claims.yml: {record['id']}: only a conflict between leaflets carries a literature_verdict")
    return found


# A citation in running text: [genant1993], [genant1993; tlics2005], [unreferenced].
CITATION = re.compile(r"\[([a-z][a-z0-9_]*(?:; [a-z][a-z0-9_]*)*)\](?!\()")


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
    for name in ids:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ValueError(f"no reference has the id {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return Sources(tuple(known[name] for name in ids))
