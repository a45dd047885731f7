"""Correct a key after the quiz was handed out: the same build, with the keys, points and rules of the mended files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vertebra.quiz.items import Item
from vertebra.quiz.responses import canonical
from vertebra.teaching.assign import Assignment, keep, load_assignment, question
from vertebra.teaching.files import TeachingError, write_text
from vertebra.teaching.key import Key, KeyFile, Question, load_key_file

LONGEST = 100  # letters of an old or new value that a change is said with
UNSEEN = {"version", "reviewed"}  # of what is shown, these may change: neither is a part of the question itself


@dataclass(frozen=True)
class Rekeyed:
    """What became of a key file: what changed, a line each, and where the old file was kept; None if nothing changed.

    dropped: the questions that no longer count, by bank id. unasked: questions of the assignment not in this build.
    """

    quiz: str
    key: Path
    changes: tuple[str, ...]
    dropped: tuple[str, ...]
    unasked: tuple[str, ...]
    kept: Path | None


def rekey(key_file: Path | str, assignment_file: Path | str) -> Rekeyed:
    """Put the keys, tolerances, points, rationales and rules of the corrected files into a key file of the same build.

    A question that the assignment no longer asks is dropped from the marks. Raises BankError or TeachingError for bad
    files, for another quiz, and for a question whose shown part is no longer what the students saw; OSError for files
    that cannot be read or written. Nothing is written then.
    """
    key_file = Path(key_file)
    old, assignment = load_key_file(key_file), load_assignment(assignment_file)
    new = corrected(old, assignment, str(key_file))
    asked = {each.bank_id: each for key in old.variants for each in key.items}
    left = {each.bank_id for key in new.variants for each in key.items}
    changes = tuple(dict.fromkeys(_changes(old, new)))
    unasked = tuple(item.id for item in assignment.items if item.id not in asked) if not assignment.blueprint else ()
    kept = None
    if changes:
        kept = keep(key_file, new)
        write_text(key_file, new.text(), private=True)
    return Rekeyed(old.quiz, key_file, changes, tuple(name for name in asked if name not in left), unasked, kept)


def corrected(old: KeyFile, assignment: Assignment, place: str = "the key") -> KeyFile:
    """Return the key file with what the assignment says now; place names the file in errors. Raises TeachingError."""
    if assignment.quiz != old.quiz:
        what = f"is the key of {old.quiz}, and the assignment is {assignment.quiz}"
        raise TeachingError(f"{place}: {what}; name the assignment that it was made from")
    if assignment.certainty and not old.certainty:
        what = "students were not asked how sure they are, and the assignment has certainty: true now"
        raise TeachingError(f"{place}: {what}; take it out again, or hand out anew")
    # A draw is not made anew: what was drawn stays, as long as it could be drawn.
    asked = {item.id: item for item in (assignment.blueprint.pool if assignment.blueprint else assignment.items)}
    faults: dict[str, None] = {}
    variants = []
    for key in old.variants:
        items = []
        for each in key.items:
            if each.bank_id in asked:
                try:
                    items.append(_question(each, asked[each.bank_id], assignment.worth[each.bank_id]))
                except ValueError as error:
                    faults[f"{place}: {each.bank_id}: {error}"] = None
        dropped = sorted({*key.dropped, *(each.id for each in key.items if each.bank_id not in asked)})
        variants.append(
            replace(
                key, title=assignment.title, certainty=assignment.certainty, items=tuple(items), dropped=tuple(dropped)
            )
        )
        if not items and not faults:
            what = "the assignment asks none of the questions that were handed out"
            raise TeachingError(f"{place}: {what}; name the assignment that it was made from")
    if faults:
        raise TeachingError("\n".join(faults))
    return KeyFile(old.quiz, assignment.title, assignment.certainty, assignment.rules, tuple(variants))


def _question(old: Question, item: Item, points: float) -> Question:
    """Return a question as the bank has it now, in the ids that students saw; raises ValueError if it cannot be."""
    if not old.names and old.key["format"] != "numeric":
        raise ValueError("the key file is of a version that kept no ids of the bank; hand out anew")
    mend = "put back what was shown to correct the key, or take the question out of the assignment, or hand out anew"
    if item.format != old.public["format"]:
        raise ValueError(f"was handed out as {old.public['format']} and is {item.format} now; {mend}")
    try:
        public, key = item.relabelled(old.names)
    except ValueError as error:
        raise ValueError(f"is no longer what students saw ({error}); {mend}") from None
    fields = (public.keys() | old.public.keys()) - UNSEEN
    changed = sorted(name for name in fields if canonical(public.get(name)) != canonical(old.public.get(name)))
    if changed:
        raise ValueError(f"is no longer what students saw (another {', '.join(changed)}); {mend}")
    return question(item, points, old.public, key, old.names)


def _changes(old: KeyFile, new: KeyFile) -> Iterator[str]:
    """Yield what changed, in the ids of the bank."""
    if old.title != new.title:
        yield f"title: was {old.title!r}, is {new.title!r}"
    if old.certainty != new.certainty:
        yield "certainty: was marked, is not marked any more"
    before, after = old.rules.record(), new.rules.record()
    yield from (
        f"{name}: was {_said(before[name])}, is {_said(after[name])}" for name in before if before[name] != after[name]
    )
    for old_key, new_key in zip(old.variants, new.variants, strict=True):
        yield from _changes_of_build(old_key, new_key)


def _changes_of_build(old: Key, new: Key) -> Iterator[str]:
    there = {each.bank_id: each for each in new.items}
    for each in old.items:
        if each.bank_id not in there:
            yield f"{each.bank_id}: dropped from the marks"
            continue
        before, after = _comparable(each), _comparable(there[each.bank_id])
        for name in dict.fromkeys([*before, *after]):
            was, now = before.get(name), after.get(name)
            if canonical(was) == canonical(now):
                continue
            if name.startswith(("rationale", "mistake", "slips", "sources")):
                yield f"{each.bank_id}: {name} changed"
            else:
                yield f"{each.bank_id}: {name} was {_said(was)}, is {_said(now)}"


def _comparable(asked: Question) -> dict[str, Any]:
    """Return the parts of a question that a correction may change, by what they are called, in the bank's ids."""
    record = {name: _in_bank_ids(value, asked.names) for name, value in asked.key.items()}
    texts = {"rationales": asked.rationales, "mistakes": asked.mistakes, "slips": asked.slips, "sources": asked.sources}
    rest = {name: _in_bank_ids(value, asked.names) for name, value in texts.items()}
    return {"points": asked.points, "version": asked.bank_version, **record, **rest}


def _in_bank_ids(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case str():
            return names.get(value, value)
        case dict():
            return {names.get(name, name): _in_bank_ids(part, names) for name, part in value.items()}
        case list() | tuple():
            return [_in_bank_ids(part, names) for part in value]
    return value


def _said(value: Any) -> str:
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
