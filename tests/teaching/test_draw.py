from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebra.quiz.items import Item, load_bank
from vertebra.teaching.draw import Blueprint, Row, Shortage

GRADED = Path(__file__).parents[2] / "quizzes" / "graded"


def item(name: str, *objectives: str, family: str = "") -> Item:
    fields = {"version": "1.0.0", "format": "numeric", "bloom": "apply", "tier": "must", "author": "a"}
    return Item(name, objectives=objectives, clinical_review=(), stem="?", sources=(), isomorph_family=family, **fields)


def test_each_row_gets_questions_that_fit_it() -> None:
    pool = tuple(q for name in ("03_fracture_types", "09_procedures") for q in load_bank(GRADED / f"{name}.yml").items)
    rows = (Row(("O3.5",), 3, bloom=("evaluate",)), Row(("O7.2", "O7.4"), 2, formats=("ordering",)), Row(("O3.4",), 1))
    drawn = Blueprint(rows, pool).draw("seed")
    assert len({each.id for each in drawn}) == 6
    for row, each in zip([rows[0]] * 3 + [rows[1]] * 2 + [rows[2]], drawn, strict=True):
        assert set(each.objectives) & set(row.objectives)
        assert each.bloom in (row.bloom or each.bloom) and each.format in (row.formats or each.format)
    assert Blueprint(rows, pool[::-1]).draw("seed") == drawn, "the order of the bank plays no part"


def test_every_question_is_drawn_as_often() -> None:
    pool = tuple(item(name, "O1.1") for name in "abcdef")
    blueprint = Blueprint((Row(("O1.1",), 2),), pool)
    pairs = Counter(tuple(sorted(each.id for each in blueprint.draw(f"seed {i}"))) for i in range(1500))
    # 15 pairs, 100 of each expected; chi-square with 14 degrees of freedom passes 36.1 once in a thousand draws.
    assert sum((pairs[pair] - 100) ** 2 / 100 for pair in combinations("abcdef", 2)) < 36.1


def test_a_question_that_fits_two_rows_goes_to_the_one_that_needs_it() -> None:
    pool = (item("a", "O1.1", "O1.2"), item("b", "O1.1"))
    rows = (Row(("O1.1",), 1), Row(("O1.2",), 1))
    assert all([each.id for each in Blueprint(rows, pool).draw(f"{i}")] == ["b", "a"] for i in range(20))


def test_one_question_of_an_isomorph_family() -> None:
    pool = (item("a", "O1.1", family="f"), item("b", "O1.1", family="f"), item("c", "O1.1"))
    blueprint = Blueprint((Row(("O1.1",), 2),), pool)
    drawn = {frozenset(each.id for each in blueprint.draw(f"{i}")) for i in range(40)}
    assert drawn == {frozenset("ac"), frozenset("bc")}
    with pytest.raises(Shortage, match="only 2 fit once each isomorph family counts as one: a, b, c"):
        Blueprint((Row(("O1.1",), 3),), pool).draw("")


def test_a_shortage_names_the_rows_that_lack_questions() -> None:
    pool = (item("a", "O1.1", "O1.2"), item("b", "O1.1", "O1.2"), item("c", "O1.3"))
    rows = (Row(("O1.3",), 1), Row(("O1.1",), 2), Row(("O1.2",), 1))
    with pytest.raises(Shortage) as error:
        Blueprint(rows, pool).draw("")
    assert error.value.rows == (1, 2)
    said = "row 2 (O1.1) and row 3 (O1.2) ask together for 3 questions, and only 2 fit: a, b; lower count"
    assert str(error.value).startswith(said)
    with pytest.raises(
        Shortage, match=r"row 1 \(O9.9\) asks for 1 question, and none fits; the objectives there are: O1"
    ):
        Blueprint((Row(("O9.9",), 1),), pool).draw("")


OBJECTIVES = ("O1.1", "O1.2", "O1.3")


@given(
    st.lists(st.sets(st.sampled_from(OBJECTIVES), min_size=1), max_size=6),
    st.lists(st.tuples(st.sets(st.sampled_from(OBJECTIVES), min_size=1), st.integers(1, 3)), min_size=1, max_size=3),
)
def test_the_rows_are_filled_whenever_they_can_be(tags: list[set[str]], asked: list[tuple[set[str], int]]) -> None:
    """Hall's condition, tried out on all sets of rows, says whether a blueprint can be filled."""
    pool = tuple(item(f"q{i}", *objectives) for i, objectives in enumerate(tags))
    rows = tuple(Row(tuple(objectives), count) for objectives, count in asked)
    sets = [chosen for n in range(1, len(rows) + 1) for chosen in combinations(rows, n)]
    can = all(
        sum(row.count for row in chosen) <= sum(any(row.takes(each) for row in chosen) for each in pool)
        for chosen in sets
    )
    try:
        drawn = Blueprint(rows, pool).draw("seed")
    except Shortage as shortage:
        assert not can
        lacking = [rows[place] for place in shortage.rows]
        fit = sum(any(row.takes(each) for row in lacking) for each in pool)
        assert sum(row.count for row in lacking) > fit, "the rows it names are truly short"
    else:
        assert can and len(drawn) == sum(row.count for row in rows) == len({each.id for each in drawn})
