"""What five patient pages ("leaflets" A to E) claim about vertebral compression fractures, each statement appraised.

Data: `assets/evidence/claims.yml` (272 claims, 27 conflicts between the leaflets, 13 omissions). A claim's `lesson` is
the section that teaches it, as `03_fracture_types#Stable-or-not?`: a file of `lessons/` and JupyterLab's anchor of a
heading. Whether that section exists is for `vertebra.teaching.lessons` to say, which may read notebooks; which
questions test a claim is for `vertebra.quiz.coverage`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from vertebra import assets
from vertebra.evidence.shape import (
    DATE,
    IDS,
    TEXT,
    UNREFERENCED,
    Fact,
    citation_faults,
    frozen,
    listed,
    record,
    repeated,
    review_date,
    shape_faults,
)

FILE = "claims.yml"
SUPPORTED, *_ = VERDICTS = ("supported", "oversimplified", "contradicted")
CONFLICT = "conflicts-with-other-leaflet"
CALLS = (*VERDICTS, CONFLICT)  # what one can call a claim
MARK = f"[{UNREFERENCED}]"  # follows, in an appraisal, the part that no source carries

LEAFLET = {"type": "string", "pattern": "^[A-E]$"}
LESSON = {"type": "string", "pattern": r"^\d\d_[a-z0-9_]+#\S+$"}
CLAIM_ID = {"type": "string", "pattern": r"^c\d{3}-\d{3}$"}
CONFLICT_ID = {"type": "string", "pattern": r"^k\d{2}$"}
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "leaflets": listed(record({"id": LEAFLET, "what": TEXT})),
        "claims": listed(
            record(
                {
                    "id": CLAIM_ID,
                    "leaflet": LEAFLET,
                    "line": {"type": "integer", "minimum": 1},
                    "topic": TEXT,
                    "claim": TEXT,
                    "status": {"enum": list(CALLS)},
                    "appraisal": TEXT,
                    "refs": IDS,
                    "conflict_ids": IDS,
                    "lesson": LESSON,
                },
                {"literature_verdict": {"enum": list(VERDICTS)}, "confidence": {"enum": ["high", "medium"]}},
            )
        ),
        "conflicts": listed(
            record(
                {
                    "id": CONFLICT_ID,
                    "title": TEXT,
                    "side_a": listed(CLAIM_ID),
                    "side_b": listed(CLAIM_ID),
                    "literature": TEXT,
                    "course_line": TEXT,
                    "refs": IDS,
                    "lesson": LESSON,
                }
            )
        ),
        "omissions": listed(
            record(
                {
                    "id": {"type": "string", "pattern": r"^o\d{2}$"},
                    "missing": TEXT,
                    "leaflets": listed(LEAFLET),
                    "why": TEXT,
                    "refs": IDS,
                    "lesson": LESSON,
                }
            )
        ),
    }
)


@dataclass(frozen=True)
class Leaflet:
    """One patient page, by its letter and what it is; the course names none of them."""

    id: str
    what: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of claims.yml."""
        return cls(**record)


@dataclass(frozen=True)
class Claim:
    """One statement of a leaflet with the course's appraisal.

    refs: ids of references, or `unreferenced`, or both. line: where it stands in the leaflet. confidence: how sure the
    authors are of the part without a reference, where they noted it.
    """

    id: str
    leaflet: str
    line: int
    topic: str
    claim: str
    status: str
    appraisal: str
    refs: tuple[str, ...]
    conflict_ids: tuple[str, ...]
    lesson: str
    literature_verdict: str | None = None
    confidence: str | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of claims.yml."""
        return cls(**frozen(record))

    @property
    def verdict(self) -> str:
        """What the literature says of it, also where the leaflets conflict: one of VERDICTS."""
        return self.literature_verdict or self.status

    def is_right(self, call: str) -> bool:
        """Say whether `call`, one of CALLS, holds: the literature's verdict, or that a leaflet says otherwise."""
        return bool(self.conflict_ids) if call == CONFLICT else call == self.verdict


@dataclass(frozen=True)
class Conflict:
    """Two groups of claims that cannot both be right, what the literature says, and the line the course takes."""

    id: str
    title: str
    side_a: tuple[str, ...]
    side_b: tuple[str, ...]
    literature: str
    course_line: str
    refs: tuple[str, ...]
    lesson: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of claims.yml."""
        return cls(**frozen(record))


@dataclass(frozen=True)
class Omission:
    """What `leaflets` leave out, and why that matters."""

    id: str
    missing: str
    leaflets: tuple[str, ...]
    why: str
    refs: tuple[str, ...]
    lesson: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build it from one record of claims.yml."""
        return cls(**frozen(record))


@cache
def _data() -> Any:
    return assets.read_yaml(f"evidence/{FILE}")


@cache
def leaflets() -> dict[str, Leaflet]:
    """Return the five leaflets by letter."""
    return {each["id"]: Leaflet.from_record(each) for each in _data()["leaflets"]}


@cache
def claims() -> dict[str, Claim]:
    """Return every claim by id."""
    return {each["id"]: Claim.from_record(each) for each in _data()["claims"]}


@cache
def conflicts() -> dict[str, Conflict]:
    """Return every conflict between leaflets by id."""
    return {each["id"]: Conflict.from_record(each) for each in _data()["conflicts"]}


@cache
def omissions() -> dict[str, Omission]:
    """Return everything that leaflets leave out, by id."""
    return {each["id"]: Omission.from_record(each) for each in _data()["omissions"]}


Entry = Claim | Conflict | Omission


def entries() -> tuple[Entry, ...]:
    """Return everything that the ledger holds a lesson to: claims, conflicts and omissions."""
    return (*claims().values(), *conflicts().values(), *omissions().values())


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with claims.yml, or with the data given in its place: shape, ids, citations, conflicts."""
    data = data or _data()
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    for group in ("leaflets", "claims", "conflicts", "omissions"):
        found += repeated(f"{FILE} {group}", data[group])
    ids = {group: {each["id"] for each in data[group]} for group in ("leaflets", "claims", "conflicts")}
    for each in [*data["claims"], *data["conflicts"], *data["omissions"]]:
        found += citation_faults(FILE, each["id"], each["refs"])
        cited = {
            "leaflets": (each.get("leaflets", [each["leaflet"]] if "leaflet" in each else []), ids["leaflets"]),
            "conflicts": (each.get("conflict_ids", []), ids["conflicts"]),
            "claims": (each.get("side_a", []) + each.get("side_b", []), ids["claims"]),
        }
        for kind, (named, existing) in cited.items():
            found += [
                f"{FILE}: {each['id']} names {kind} {x}, which does not exist" for x in named if x not in existing
            ]
        found += _mark_faults(each)
    return [*found, *_conflict_faults(data)]


def _mark_faults(each: Mapping[str, Any]) -> Iterator[str]:
    """Yield where text and `refs` disagree on what stands without a source."""
    text = " ".join(each.get(name, "") for name in ("appraisal", "literature", "course_line", "why"))
    marked, without, sourced = MARK in text, UNREFERENCED in each["refs"], set(each["refs"]) - {UNREFERENCED}
    if marked and not without:
        yield f"{FILE}: {each['id']} says {MARK} in its text; add {UNREFERENCED} to its refs"
    if without and sourced and not marked:
        yield f"{FILE}: {each['id']} is {UNREFERENCED} in part; say {MARK} behind that part"
    if each.get("confidence") and not without:
        yield f"{FILE}: {each['id']} has a confidence, which belongs to a part that is {UNREFERENCED}"


def _conflict_faults(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield where a claim and the conflicts it stands in do not name each other, or a verdict is missing."""
    stands: dict[str, set[str]] = {}
    for each in data["conflicts"]:
        for claim in {*each["side_a"], *each["side_b"]}:
            stands.setdefault(claim, set()).add(each["id"])
        for claim in sorted({*each["side_a"]} & {*each["side_b"]}):
            yield f"{FILE}: {each['id']} has {claim} on both sides; a claim stands on one"
    for each in data["claims"]:
        named, there = set(each["conflict_ids"]), stands.get(each["id"], set())
        for conflict in sorted(named ^ there):
            where = "names" if conflict in named else "is named by"
            yield f"{FILE}: {each['id']} {where} {conflict}, and not the other way round; put it in both"
        if (each["status"] == CONFLICT) != ("literature_verdict" in each):
            yield f"{FILE}: {each['id']}: a conflict between leaflets, and nothing else, carries a literature_verdict"
        if each["status"] == CONFLICT and not each["conflict_ids"]:
            yield f"{FILE}: {each['id']} conflicts with another leaflet in no conflict; name the conflict"


def facts() -> Iterator[Fact]:
    """Yield every appraisal, conflict and omission with its sources and the day by which to read it anew."""
    due = review_date(FILE, _data())
    for claim in claims().values():
        yield Fact(FILE, claim.id, f"{claim.claim} {claim.verdict.capitalize()}: {claim.appraisal}", claim.refs, due)
    for conflict in conflicts().values():
        yield Fact(FILE, conflict.id, f"{conflict.title}: {conflict.literature}", conflict.refs, due)
    for omission in omissions().values():
        yield Fact(FILE, omission.id, f"{omission.missing}: {omission.why}", omission.refs, due)
