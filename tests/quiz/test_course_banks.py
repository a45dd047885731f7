"""The practice banks of the second half: enough questions for each objective, and a patient where one is managed."""

from collections import Counter
from pathlib import Path

import pytest

from vertebra.evidence.claims import claims
from vertebra.evidence.references import references
from vertebra.quiz.items import find_bank, load_bank, load_banks

BANKS = Path(__file__).parents[2] / "quizzes" / "bank"
# The syllabus of lessons 04, 06 and 10 to 15: objective to tier and level.
OBJECTIVES = {
    "patient_and_red_flags": {
        "O4.1": ("must", "apply"),
        "O4.2": ("must", "apply"),
        "O4.3": ("must", "analyse"),
        "O4.4": ("must", "create"),
    },
    "conservative_care": {
        "O6.1": ("must", "create"),
        "O6.2": ("must", "apply"),
        "O6.3": ("should", "apply"),
    },
    "evidence": {"O9.1": ("should", "evaluate"), "O9.3": ("should", "evaluate")},
    "safety_and_consent": {
        "O8.1": ("must", "understand"),
        "O8.2": ("must", "apply"),
        "O8.3": ("must", "create"),
    },
    "surgery": {"O10.1": ("must", "evaluate"), "O10.2": ("nice", "understand")},
    "recovery_and_prevention": {
        "O11.1": ("must", "analyse"),
        "O11.2": ("must", "remember"),
        "O12.1": ("must", "apply"),
        "O12.2": ("must", "evaluate"),
        "O12.3": ("must", "create"),
    },
    "read_a_leaflet": {"O9.2": ("must", "evaluate")},
    "cases": {"O13.1": ("must", "create"), "O13.2": ("should", "create")},
}
LEAST = {"must": 5, "should": 3, "nice": 1}
EACH = [(bank, objective) for bank, objectives in OBJECTIVES.items() for objective in objectives]


def items(bank):
    return load_bank(find_bank(bank), frozenset(references())).items


@pytest.mark.parametrize("bank", OBJECTIVES)
def test_a_lesson_has_twelve_questions_or_more_in_several_formats(bank):
    found = items(bank)
    assert len(found) >= 12
    assert len({item.format for item in found}) >= 3


@pytest.mark.parametrize(("bank", "objective"), EACH)
def test_each_objective_has_its_questions_and_a_patient_where_one_is_managed(bank, objective):
    tier, bloom = OBJECTIVES[bank][objective]
    about = [item for item in items(bank) if objective in item.objectives]
    assert len(about) >= LEAST[tier], [item.id for item in about]
    if bloom not in ("remember", "understand"):
        assert sum(bool(item.vignette) for item in about) >= 1


def test_the_right_answer_is_not_given_away_by_its_length():
    longest = Counter()
    for bank in OBJECTIVES:
        for item in items(bank):
            if item.format == "single_best_answer":
                lengths = {option.id: len(option.text) for option in item.options}
                (key,) = (option.id for option in item.options if option.key)
                distractors = [length for name, length in lengths.items() if name != key]
                assert lengths[key] <= 1.35 * sum(distractors) / len(distractors), item.id
                longest[lengths[key] == max(lengths.values())] += 1
    # By chance a quarter to a third of keys are the longest option.
    assert longest[True] / longest.total() < 0.43


def test_every_claim_that_a_question_names_exists():
    named = {
        claim for bank in load_banks(BANKS, frozenset(references())) for item in bank.items for claim in item.claims
    }
    assert named <= claims().keys()
    assert len(named) > 100
