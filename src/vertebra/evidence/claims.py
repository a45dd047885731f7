"""What five patient pages claim about vertebral compression fractures, each statement appraised.

Data: `assets/evidence/claims.yml` (272 claims, 27 conflicts between the pages, 13 omissions).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from vertebra import assets
from vertebra.evidence.references import references
from vertebra.evidence.shape import IDS, TEXT, record, repeated, shape_faults

FILE = "claims.yml"
VERDICTS = ["supported", "oversimplified", "contradicted"]
SCHEMA = record(
    {
        "leaflets": {"type": "array", "items": record({"id": {"type": "string", "pattern": "^[A-E]$"}, "what": TEXT})},
        "claims": {
            "type": "array",
            "items": record(
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
            "items": record(
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
            "items": record(
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
def claims() -> dict[str, Claim]:
    """Return every claim by id."""
    records = assets.read_yaml("evidence/claims.yml")["claims"]
    return {record["id"]: Claim.from_record(record) for record in records}


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with claims.yml, or with the data given in its place: shape, ids, citations."""
    data = data or assets.read_yaml(f"evidence/{FILE}")
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    for group in ("leaflets", "claims", "conflicts", "omissions"):
        found += repeated(f"{FILE} {group}", data[group])
    ids = {group: {each["id"] for each in data[group]} for group in ("leaflets", "claims", "conflicts")}
    for each in [*data["claims"], *data["conflicts"], *data["omissions"]]:
        cited = {
            "references": (each["refs"], references().keys()),
            "leaflets": (each.get("leaflets", [each["leaflet"]] if "leaflet" in each else []), ids["leaflets"]),
            "conflicts": (each.get("conflict_ids", []), ids["conflicts"]),
            "claims": (each.get("side_a", []) + each.get("side_b", []), ids["claims"]),
        }
        for kind, (named, existing) in cited.items():
            found += [
                f"{FILE}: {each['id']} names {kind} {x}, which does not exist" for x in named if x not in existing
            ]
    for each in data["claims"]:
        if (each["basis"] == "unreferenced") != (not each["refs"]):
            found.append(f"{FILE}: {each['id']} has basis {each['basis']} and {len(each['refs'])} references")
        if (each["status"] == "conflicts-with-other-leaflet") != ("literature_verdict" in each):
            found.append(f"{FILE}: {each['id']}: only a conflict between leaflets carries a literature_verdict")
    return found
