"""Which practice questions test which claims of the patient pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from vertebra.evidence.claims import claims
from vertebra.quiz.items import CHECKOUT, PACKAGED, Bank, load_banks


@dataclass(frozen=True, order=True)
class Question:
    """A question as a student finds it: `number`, from 1, in the quiz of the lesson with this file stem."""

    lesson: str
    number: int
    id: str


@cache
def practice_banks() -> tuple[Bank, ...]:
    """Return the course's practice banks. Raises BankError if one has faults."""
    folder = PACKAGED if PACKAGED.is_dir() else CHECKOUT
    return tuple(bank for bank in load_banks(folder) if bank.use == "practice")


def questions_by_claim(banks: Iterable[Bank] | None = None) -> dict[str, tuple[Question, ...]]:
    """Return the questions that test each claim, in course order; a claim that none tests is not in it."""
    found: dict[str, list[Question]] = {}
    for bank in practice_banks() if banks is None else banks:
        for number, item in enumerate(bank.items, 1):
            for claim in item.claims:
                found.setdefault(claim, []).append(Question(bank.lesson, number, item.id))
    return {claim: tuple(sorted(questions)) for claim, questions in found.items()}


def faults(banks: Iterable[Bank] | None = None) -> list[str]:
    """Return the claims that no question tests, and those that a question names and that do not exist."""
    tested = questions_by_claim(banks)
    untested = [
        f"{claim} is tested by no question; name it under `claims` of one" for claim in claims().keys() - tested
    ]
    unknown = [
        f"{question.id} names {claim}, which is not in claims.yml"
        for claim in tested.keys() - claims().keys()
        for question in tested[claim]
    ]
    return sorted(untested) + sorted(unknown)
