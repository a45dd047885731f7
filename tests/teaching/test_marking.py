import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.teaching.sample import Course, by_text, decided, neutral
from validation import USUAL, validates
from vertebra.quiz.responses import Responses
from vertebra.teaching.key import load_key, right_answer
from vertebra.teaching.marking import Marked, bonus, mark, number

share = st.floats(0, 1)


def marked(course: Course, answers: dict[str, Any]) -> Marked:
    key = load_key(course.built.key)
    return mark(key, Responses(key.quiz, key.build, answers, "ab12", "2026-11-21T10:05Z"))


def test_right_answers_earn_everything_and_none_earn_nothing(course: Course) -> None:
    key = load_key(course.built.key)
    right = {item.id: {"answer": right_answer(item.key), "certainty": 3} for item in key.items}
    full = marked(course, right)
    assert (full.total, full.maximum, full.percent) == (10, 10, 100)
    assert (full.certainty_marks, full.certainty_bonus, full.percent_plus_bonus) == (30, 0, 100)
    empty = marked(course, {})
    assert (empty.total, empty.percent, empty.certainty_marks, empty.certainty_bonus) == (0, 0, 0, 0)
    assert empty.notes == ()


@validates(
    "teaching.marking", "Marks of a whole hand-in", against="marks worked out by hand", kind="analytic", tolerance=USUAL
)
def test_marks_worked_out_by_hand(course: Course) -> None:
    """One question each of right, partly right (3 of 4, and 2 of 3 pairs), wrong and open, two tasks, two decisions."""
    key = neutral(course.built.key)
    many, order, match = key["sa-many"], key["sa-order"], key["sa-match"]
    first, second, third = order["key"]["key"]
    got = marked(
        course,
        {
            "sa-best": {"answer": key["sa-best"]["key"]["key"], "certainty": 3},
            "sa-many": {"answer": [by_text(many, "options", "Anterior")], "certainty": 2},
            "sa-number": {"answer": 62.5481, "certainty": 3},
            "sa-order": {"answer": [second, first, third], "certainty": None},
            "sa-match": {"answer": {by_text(match, "prompts", "Half"): by_text(match, "options", "Grade 3")}},
            "sa-needle": {"answer": {"entry": 5, "convergence": 0, "descent": -2.5, "depth": 30}, "certainty": 3},
            "sa-stop": {"answer": {"frame": 1}, "certainty": 2},
            "sa-key": {"answer": decided(key["sa-key"], ["A film"], ["To theatre"]), "certainty": 1},
        },
    )
    points = {m.question.bank_id: m.points for m in got.marks}
    assert points == {
        "sa-best": 1,
        "sa-many": 1.5,
        "sa-number": 0,
        "sa-order": pytest.approx(2 / 3),
        "sa-match": 0.5,
        "sa-spot": 0,
        "sa-needle": 0.25,
        "sa-stop": 0.5,
        "sa-key": 0.25,  # one of two right choices in the first decision, a harmful one in the second
    }
    assert got.total == pytest.approx(1 + 1.5 + 2 / 3 + 0.5 + 0.25 + 0.5 + 0.25)
    # 3; at certainty 2 three quarters right give 0.75 * 2 - 0.25 * 2 = 1, twice for two points; -6; then certainty 1.
    assert [m.certainty_mark for m in got.marks] == pytest.approx([3, 2, -6, 2 / 3, 0.5, 0, -3.75, 0, 0.25])
    # Accuracy 4.6667 of 10: one fixed certainty earns at best 0.46667 a point, that is at certainty 1.
    assert got.certainty_bonus == pytest.approx(10 * ((3 + 2 - 6 + 2 / 3 + 0.5 - 3.75 + 0.25) / 10 - 0.4666667))
    assert got.percent_plus_bonus == pytest.approx(46.66667 - 10 * (3.3333333 / 10 + 0.4666667))


@pytest.mark.parametrize(
    ("accuracy", "mean", "expected"),
    [
        (0.5, 1.5, 0.1),  # half of the answers right and sure, half wrong and unsure: +10 percentage points
        (0.5, -1.5, -0.2),  # the same with sure throughout
        (0.7, 0.8, 0.0),  # all at certainty 2: 0.7 * 2 - 0.3 * 2, the best for 70 %
        (0.9, 2.1, 0.0),  # all at certainty 3: 0.9 * 3 - 0.1 * 6, the best for 90 %
        (0.0, -6.0, -0.6),
        (1.0, 1.0, -0.2),
    ],
)
def test_bonus_worked_out_by_hand(accuracy: float, mean: float, expected: float) -> None:
    assert bonus(accuracy, mean) == pytest.approx(expected)


@given(share)
def test_best_fixed_certainty_earns_no_bonus_and_changes_at_two_thirds_and_four_fifths(p: float) -> None:
    fixed = {1: p, 2: 2 * p - 2 * (1 - p), 3: 3 * p - 6 * (1 - p)}
    best = 1 if p < 2 / 3 else 2 if p < 4 / 5 else 3
    assert bonus(p, fixed[best]) == pytest.approx(0, abs=1e-12)
    assert all(bonus(p, mean) <= 1e-12 for mean in fixed.values())


@pytest.mark.parametrize(
    "response",
    [
        {"answer": "o9", "certainty": 3},
        {"answer": 5, "certainty": 3},
        {"answer": ["o1"], "certainty": 3},
        {"answer": {"o1": "o1"}, "certainty": 3},
        {"answer": True, "certainty": 3},
        {"answer": "o1", "certainty": 4},
        {"answer": "o1", "certainty": True},
        {"answer": "o1", "certainty": "3"},
        {"answer": "o1", "certainty": [3]},
        "o1",
        ["o1", 3],
        7,
    ],
)
def test_an_answer_of_the_wrong_kind_earns_nothing_and_costs_the_others_nothing(course: Course, response: Any) -> None:
    number_key = neutral(course.built.key)["sa-number"]["key"]["value"]
    got = marked(course, {"sa-best": response, "sa-number": {"answer": number_key, "certainty": 1}})
    assert (got.total, got.certainty_marks) == (1, 1)
    assert len(got.notes) == 1
    assert got.notes[0].startswith("sa-best: the answer cannot be read and earns 0 (")


def test_an_answer_to_no_question_is_noted(course: Course) -> None:
    got = marked(course, {"sa-extra": {"answer": 100, "certainty": 3}})
    assert got.total == 0
    assert got.notes == ("not a question of this quiz, passed over: 'sa-extra'",)
    many = marked(course, {f"z{i:04}": {"answer": 1, "certainty": 1} for i in range(5000)})
    assert many.notes == ("not a question of this quiz, passed over: 'z0000', 'z0001', 'z0002' and 4997 more",)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["o1", "s1", "p1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["p1", "point", "region", "x"]), inner),
    max_leaves=6,
)
responses = st.fixed_dictionaries({"answer": json_values, "certainty": st.sampled_from([None, 1, 2, 3, 0, "x"])})


def test_no_answer_whatever_gets_out_of_the_range(course: Course) -> None:
    ids = [item.id for item in load_key(course.built.key).items]

    @given(st.dictionaries(st.sampled_from([*ids, "other"]), responses | json_values))
    def check(answers: dict[str, Any]) -> None:
        got = marked(course, answers)
        for each in got.marks:
            assert 0 <= each.points <= each.question.points
            assert -6 * each.question.points <= each.certainty_mark <= 3 * each.question.points
        assert 0 <= got.total <= got.maximum
        assert 0 <= got.percent_plus_bonus <= 100

    check()


@given(st.floats(-1e6, 1e6))
def test_a_mark_as_text_keeps_four_decimals(value: float) -> None:
    text = number(value)
    assert math.isclose(float(text), value, abs_tol=5.1e-5)
    assert not text.startswith("-0") or float(text) < 0
    assert "." not in text or not text.endswith(("0", "."))
