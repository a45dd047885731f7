"""The practice banks of the course: they fill the blueprint, and lessons and objectives agree."""

import json
import re
from itertools import chain
from pathlib import Path

import pytest

from vertebra.evidence.claims import claims
from vertebra.quiz.blueprint import gaps, lessons, objectives
from vertebra.quiz.coverage import practice_banks

LESSONS = sorted((Path(__file__).parents[2] / "lessons").glob("[0-9][0-9]_*.ipynb"))


def stated(notebook):
    """Return {objective id: the lines of the lesson that state it, together}."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = {}
    for line, name in re.findall(r"^- (.+) \((O\d+\.\d+)\)$", prose, re.MULTILINE):
        found[name] = f"{found.get(name, '')} {line}"
    return found


def stems(text):
    return {word[:5] for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 3 or word.isdigit()}


def test_the_course_has_no_gap():
    assert [str(gap) for gap in gaps()] == []


def test_there_are_47_objectives_and_their_numbers_do_not_repeat():
    tiers = [objective.tier for objective in objectives().values()]
    assert {tier: tiers.count(tier) for tier in set(tiers)} == {"must": 35, "should": 10, "nice": 2}


def test_every_lesson_has_its_bank_and_every_bank_its_lesson():
    assert [lesson.name for lesson in lessons()] == [path.stem for path in LESSONS]
    assert all(lesson.items for lesson in lessons())


def test_every_question_names_objectives_that_exist():
    items = chain.from_iterable(bank.items for bank in practice_banks())
    assert [(item.id, name) for item in items for name in item.objectives if name not in objectives()] == []


def test_no_right_answer_is_given_away_by_its_length():
    # The linter warns from 1.25 times on, and lets a question have a warning; beyond 1.35 there is no excuse.
    for item in chain.from_iterable(bank.items for bank in practice_banks()):
        if item.format == "single_best_answer":
            (key,) = (len(option.text) for option in item.options if option.key)
            wrong = [len(option.text) for option in item.options if not option.key]
            assert key <= 1.35 * sum(wrong) / len(wrong), item.id


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_states_the_objectives_that_it_teaches_first_in_the_same_words(notebook):
    lines = stated(notebook)
    assert lines.keys() <= objectives().keys()
    for objective in objectives().values():
        if objective.lesson == notebook.stem:
            ours, theirs = stems(objective.text), stems(lines[objective.id])
            # A lesson may say more or less than the list: the shorter of the two has its words in the longer.
            assert len(ours & theirs) >= 0.75 * min(len(ours), len(theirs)), (objective.text, lines[objective.id])


def test_every_claim_that_a_question_names_exists():
    named = {claim for bank in practice_banks() for item in bank.items for claim in item.claims}
    assert named <= claims().keys()
    assert len(named) > 100
