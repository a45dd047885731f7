"""What of the evidence still needs somebody's eyes: unchecked, unreferenced, or older than its review date."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from types import ModuleType

import vertebra.evidence as room
from vertebra.evidence.shape import UNREFERENCED, Fact


def modules() -> Iterator[ModuleType]:
    """Yield each module of the room that reads a data file: those that can say what is wrong with it."""
    for found in pkgutil.iter_modules(room.__path__):
        module = importlib.import_module(f"{room.__name__}.{found.name}")
        if hasattr(module, "faults"):
            yield module


@dataclass(frozen=True)
class Report:
    """What a check of the evidence found; each fact stands in every list it belongs to."""

    faults: tuple[str, ...]
    unchecked: tuple[Fact, ...]
    unreferenced: tuple[Fact, ...]
    overdue: tuple[Fact, ...]
    total: int


def sift(facts: Iterable[Fact], today: date, faults: Iterable[str] = ()) -> Report:
    """Return what of these facts is unchecked, unreferenced (wholly or in part), or past its review date on `today`."""
    facts = tuple(facts)
    return Report(
        faults=tuple(faults),
        unchecked=tuple(fact for fact in facts if fact.unchecked),
        unreferenced=tuple(fact for fact in facts if UNREFERENCED in fact.refs),
        overdue=tuple(fact for fact in facts if fact.review_by and fact.review_by < today),
        total=len(facts),
    )


def check(today: date, others: Iterable[Fact] = ()) -> Report:
    """Return the report on every evidence file of the course, and on `others` such as a lesson's, as of `today`.

    Where a file has faults its facts are left out: they can't be trusted to be what they seem.
    """
    faults: list[str] = []
    facts = list(others)
    for module in modules():
        wrong = module.faults()
        faults += wrong
        if not wrong:
            facts += module.facts()
    return sift(facts, today, faults)
