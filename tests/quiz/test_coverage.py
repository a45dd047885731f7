"""Which questions test which claims: found by lesson and number, and a claim that none tests is named."""

from dataclasses import replace

import pytest

from vertebra.evidence.claims import claims
from vertebra.quiz import coverage
from vertebra.quiz.coverage import Question, practice_banks, questions_by_claim
from vertebra.quiz.items import find_bank, load_bank


@pytest.fixture
def bank():
    """One bank whose second question tests two claims, and whose third tests one of them again."""
    read = load_bank(find_bank("read_a_leaflet"))
    plain = [replace(item, claims=()) for item in read.items[:3]]
    named = [plain[0], replace(plain[1], claims=("c000-001", "c003-031")), replace(plain[2], claims=("c003-031",))]
    return replace(read, items=tuple(named))


def test_a_claim_is_found_with_the_number_of_its_questions(bank):
    found = questions_by_claim([bank])
    ids = [item.id for item in bank.items]
    assert found == {
        "c000-001": (Question("14_read_a_leaflet", 2, ids[1]),),
        "c003-031": (Question("14_read_a_leaflet", 2, ids[1]), Question("14_read_a_leaflet", 3, ids[2])),
    }


def test_questions_of_several_lessons_come_in_course_order(bank):
    early = replace(bank, lesson="06_conservative_care")
    assert [each.lesson for each in questions_by_claim([bank, early])["c000-001"]] == [
        "06_conservative_care",
        "14_read_a_leaflet",
    ]


def test_what_is_not_tested_or_not_a_claim_is_named(bank):
    wrong = replace(bank, items=(replace(bank.items[0], claims=("c009-001",)), *bank.items[1:]))
    found = coverage.faults([wrong])
    assert f"{bank.items[0].id} names c009-001, which is not in claims.yml" in found
    assert "c000-002 is tested by no question; name it under `claims` of one" in found
    assert not any(fault.startswith("c000-001 ") for fault in found)
    assert len(found) == len(claims()) - 2 + 1


def test_every_claim_is_tested_by_a_question_of_the_course():
    assert coverage.faults() == []
    assert all(bank.use == "practice" for bank in practice_banks())
