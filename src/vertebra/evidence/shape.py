"""What evidence files have in common: how one is read and named, and what each is checked for.

Checked are its shape, ids used once, and citations of what exists and was opened.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

TEXT = {"type": "string", "minLength": 1}
OPTIONAL_TEXT = {"type": ["string", "null"], "minLength": 1}
NUMBER = {"type": "number"}
IDS = {"type": "array", "items": TEXT, "uniqueItems": True}
DATE = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
UNREFERENCED = "unreferenced"


@dataclass(frozen=True)
class Fact:
    """One statement of the course: what it says, on which sources, and by when it must be read anew, if by any day.

    `refs` are ids of references, or `unreferenced`. `unchecked` says that nobody has compared the statement itself
    with its source, even if somebody has opened the source for another one.
    """

    file: str
    id: str
    says: str
    refs: tuple[str, ...]
    review_by: date | None = None
    unchecked: bool = False


def record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a mapping with these fields and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": required | (optional or {}),
        "additionalProperties": False,
    }


def listed(items: dict[str, Any], least: int = 1) -> dict[str, Any]:
    """Return the JSON Schema of a list of at least `least` such items."""
    return {"type": "array", "items": items, "minItems": least}


def frozen(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a record, its lists as tuples, as a frozen dataclass holds them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}


def refuse_unknown(what: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raise ValueError for the first name that is not known, with the nearest that is."""
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), list(known), n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"there is no {what} {name!r}; {mend}")


def shape_faults(name: str, data: Any, schema: dict[str, Any]) -> Iterator[str]:
    """Yield where the data of the file `name` do not fit the schema, each with its place."""
    import jsonschema  # only a check needs it; a lesson in the browser should not wait for it

    if isinstance(data, Mapping):  # a day without quotes is a date to YAML; JSON Schema knows only text
        data = {key: value.isoformat() if isinstance(value, date) else value for key, value in data.items()}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(data):
        place = "/".join(map(str, error.absolute_path))
        yield f"{name}: {place}: {error.message}"


def repeated(name: str, records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the ids that come twice in the list `name`."""
    seen: set[str] = set()
    for each in records:
        if each["id"] in seen:
            yield f"{name}: id {each['id']} is used twice; give the second one its own"
        seen.add(each["id"])


def citation_faults(name: str, where: str, refs: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with the sources of one statement of the file `name`: none at all, unknown, never opened.

    `refs` are ids of references, or the word `unreferenced`.
    """
    from vertebra.evidence.references import references

    known, refs = references(), list(refs)
    if not refs:
        yield f"{name}: {where} names no source; give reference ids or the word {UNREFERENCED}"
    for ref in refs:
        if ref == UNREFERENCED:
            continue
        if ref not in known:
            yield f"{name}: {where} names references {ref}, which does not exist"
        elif not known[ref].publishable:
            yield f"{name}: {where} stands on {ref}, which nobody has opened; say {UNREFERENCED}, or open the source"


def review_date(name: str, data: Mapping[str, Any]) -> date:
    """Return the day by which somebody must read the file `name` anew: its top field `review_by`."""
    try:
        return date.fromisoformat(str(data["review_by"]))
    except (KeyError, ValueError):
        raise ValueError(
            f"{name}: review_by is {data.get('review_by')!r}; write the day it must be read anew as 2028-11-30"
        ) from None
