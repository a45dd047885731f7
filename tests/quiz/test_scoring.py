"""Scoring against hand-worked numbers, against an independent library, and by properties that hold for every key."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Outline

from validation import EXACT, USUAL, validates
from vertebra.quiz.scoring import CERTAINTY_MARKS, Level, certainty_mark, inside, measured, score, summary

SBA = {"format": "single_best_answer", "key": "b", "options": ["a", "b", "c"]}
MULTI = {"format": "multiple_response", "key": ["a", "b"], "options": ["a", "b", "c", "d", "e"]}
NUMBER = {"format": "numeric", "value": 25, "tolerance": 1}
ORDER = {"format": "ordering", "key": ["a", "b", "c", "d"]}
MATCH = {"format": "matching", "key": {"p1": "x", "p2": "y", "p3": "x"}, "options": ["x", "y", "z"]}
SPOT = {
    "format": "hotspot",
    "key": "body",
    "polygons": {"body": [[10, 10], [30, 10], [30, 20], [10, 20]], "canal": [[30, 10], [40, 10], [40, 20], [30, 20]]},
}
# Six settings, the last control running fastest.
PATH = {
    "format": "needle_path",
    "controls": [{"id": "turn", "values": [-5, 0, 7.5]}, {"id": "depth", "values": [30, 40]}],
    "bands": ["b1", "b1", "b2", "b3", "b1", "b2"],
    "shares": {"b1": 0, "b2": 0.5, "b3": 1},
}
# Two decisions: two of five with one that harms, and one of three.
CARE = {
    "format": "key_feature",
    "decisions": {
        "look": {"choose": 3, "options": ["a", "b", "c", "d", "e"], "key": ["a", "b"], "harms": ["e"]},
        "send": {"choose": 1, "options": ["x", "y", "z"], "key": ["x"], "harms": ["z"]},
    },
}
STOP = {
    "format": "stop_decision",
    "controls": [{"id": "frame", "values": [0, 1, 2]}],
    "bands": ["b2", "b1", "b2"],
    "shares": {"b1": 1, "b2": 0.25},
}


@pytest.mark.parametrize(
    ("key", "answer", "expected"),
    [
        (SBA, "b", 1),
        (SBA, "a", 0),
        (MULTI | {"scoring": "all_or_nothing"}, ["b", "a"], 1),
        (MULTI | {"scoring": "all_or_nothing"}, ["a"], 0),
        (MULTI | {"scoring": "each_option"}, ["a"], 4 / 5),
        (MULTI | {"scoring": "each_option"}, ["a", "c"], 3 / 5),
        (MULTI | {"scoring": "each_option"}, [], 3 / 5),
        (MULTI | {"scoring": "each_option"}, ["a", "b", "c", "d", "e"], 2 / 5),
        (MULTI | {"scoring": "net_correct"}, ["a"], 1 / 2),
        (MULTI | {"scoring": "net_correct"}, ["a", "b", "c"], 1 / 2),
        (MULTI | {"scoring": "net_correct"}, ["a", "c", "d"], 0),
        (MULTI | {"scoring": "net_correct"}, [], 0),
        (NUMBER, 24, 1),
        (NUMBER, 26.0, 1),
        (NUMBER, 26.01, 0),
        ({"format": "numeric", "value": 0.3, "tolerance": 0.1}, 0.2, 1),  # 0.3 - 0.2 > 0.1 in binary
        ({"format": "numeric", "value": 3, "tolerance": 0}, 3, 1),
        ({"format": "numeric", "value": 3, "tolerance": 0}, 3.000001, 0),
        (ORDER | {"scoring": "all_or_nothing"}, ["a", "b", "c", "d"], 1),
        (ORDER | {"scoring": "all_or_nothing"}, ["b", "a", "c", "d"], 0),
        (ORDER | {"scoring": "adjacent_pairs"}, ["b", "c", "d", "a"], 2 / 3),
        (ORDER | {"scoring": "adjacent_pairs"}, ["d", "c", "b", "a"], 0),
        (ORDER | {"scoring": "all_pairs"}, ["b", "a", "c", "d"], 5 / 6),
        (ORDER | {"scoring": "all_pairs"}, ["b", "c", "d", "a"], 3 / 6),
        (ORDER | {"scoring": "all_pairs"}, ["d", "c", "b", "a"], 0),
        (MATCH, {"p1": "x", "p2": "y", "p3": "x"}, 1),
        (MATCH, {"p1": "x", "p2": "x", "p3": "x"}, 2 / 3),
        (MATCH, {"p1": "x", "p2": None}, 1 / 3),
        (MATCH, {}, 0),
        (SPOT, {"point": [20, 15]}, 1),
        (SPOT, {"point": [35, 15]}, 0),
        (SPOT, {"point": [-1e6, 15]}, 0),
        (SPOT, {"region": "body"}, 1),
        (SPOT, {"region": "canal"}, 0),
        (PATH, {"turn": -5, "depth": 40}, 0),
        (PATH, {"depth": 30, "turn": 0.0}, 1 / 2),
        (PATH, {"turn": 0, "depth": 40}, 1),
        (PATH, {"turn": 7.5, "depth": 30}, 0),
        (PATH, {"turn": 7.5, "depth": 40}, 1 / 2),
        (CARE, {"look": ["b", "a"], "send": ["x"]}, 1),
        (CARE, {"look": ["a"], "send": ["x"]}, (1 / 2 + 1) / 2),
        (CARE, {"look": ["a", "c"], "send": ["x"]}, (0 + 1) / 2),  # one right less one wrong
        (CARE, {"look": ["a", "b", "c"], "send": ["y"]}, ((2 - 1) / 2 + 0) / 2),
        (CARE, {"look": ["c", "d"], "send": ["x"]}, 1 / 2),  # nothing, not less
        (CARE, {"look": ["a", "b", "e"], "send": ["x"]}, 1 / 2),  # the third harms
        (CARE, {"look": ["a", "b", "c", "d"], "send": ["x"]}, 1 / 2),  # four where three count
        (CARE, {"look": ["a", "b"], "send": ["x", "y"]}, 1 / 2),
        (CARE, {"look": ["a", "b", "c", "d", "e"], "send": ["x", "y", "z"]}, 0),
        (CARE, {"look": ["a", "b"]}, 1 / 2),
        (CARE, {"look": None, "send": ["x"]}, 1 / 2),
        (CARE, {"look": [], "send": ["z"]}, 0),
        (CARE, {}, 0),
        (STOP, {"frame": 0}, 1 / 4),
        (STOP, {"frame": 1}, 1),
    ],
)
def test_hand_worked(key, answer, expected):
    assert score(key, answer) == pytest.approx(expected, abs=1e-15)


MALFORMED = [
    (SBA, 1),
    (SBA, "z"),
    (SBA, ["b"]),
    (SBA, True),
    (SBA, None),
    (MULTI | {"scoring": "each_option"}, "a"),
    (MULTI | {"scoring": "each_option"}, ["a", "a"]),
    (MULTI | {"scoring": "each_option"}, ["a", ["b"]]),
    (MULTI | {"scoring": "each_option"}, ["a", "q"]),
    (MULTI | {"scoring": "each_option"}, {"a": True}),
    (MULTI | {"scoring": "something"}, ["a"]),
    (NUMBER, "25"),
    (NUMBER, True),
    (NUMBER, math.nan),
    (NUMBER, math.inf),
    (NUMBER, 10**400),
    (NUMBER, [25]),
    (ORDER | {"scoring": "all_pairs"}, ["a", "b", "c"]),
    (ORDER | {"scoring": "all_pairs"}, ["a", "b", "c", "c"]),
    (ORDER | {"scoring": "all_pairs"}, ["a", "b", "c", "d", "e"]),
    (ORDER | {"scoring": "all_pairs"}, "abcd"),
    (ORDER | {"scoring": "something"}, ["a", "b", "c", "d"]),
    (MATCH, ["x", "y", "x"]),
    (MATCH, {"p9": "x"}),
    (MATCH, {"p1": "q"}),
    (MATCH, {"p1": ["x"]}),
    (MATCH, {"p1": True}),
    (SPOT, {"point": [1]}),
    (SPOT, {"point": [1, True]}),
    (SPOT, {"point": [1, math.nan]}),
    (SPOT, {"point": ["1", "2"]}),
    (SPOT, {"point": [1, 2], "region": "body"}),
    (SPOT, {"region": "elsewhere"}),
    (SPOT, {"region": ["body"]}),
    (SPOT, {}),
    (SPOT, [20, 15]),
    (PATH, {"turn": 0}),
    (PATH, {"turn": 0, "depth": 30, "side": 1}),
    (PATH, {"turn": 0, "depth": 35}),
    (PATH, {"turn": False, "depth": 30}),
    (PATH, {"turn": "0", "depth": 30}),
    (PATH, {"turn": None, "depth": 30}),
    (PATH, {"turn": math.nan, "depth": 30}),
    (PATH, [0, 30]),
    (STOP, {"frame": 3}),
    (STOP, {"frame": -1}),
    (STOP, 1),
    (CARE, ["a", "b"]),
    (CARE, {"look": "a"}),
    (CARE, {"look": ["a", "a"]}),
    (CARE, {"look": ["x"]}),
    (CARE, {"look": {"a": True}}),
    (CARE, {"look": [None]}),
    (CARE, {"elsewhere": ["a"]}),
    (CARE, {"send": 1}),
    ({"format": "essay"}, "text"),
    ({}, "text"),
]


@pytest.mark.parametrize(("key", "answer"), MALFORMED)
def test_malformed_answers_are_refused_in_one_line(key, answer):
    with pytest.raises(ValueError) as caught:
        score(key, answer)
    assert caught.type is ValueError
    assert 10 < len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


def test_what_was_measured_is_said_in_words_and_zeros_are_left_out():
    measures = [
        {"id": "canal", "says": "the canal entered by {} mm", "values": [0, 0, 0.75]},
        {"id": "largest", "says": "", "values": [0, 2, 0.75]},
        {"id": "tip", "says": "the tip at {} %", "values": [0, 60.0, 65]},
    ]
    said = [measured({"measures": measures}, place) for place in range(3)]
    assert said[1:] == ["the tip at 60 %", "the canal entered by 0.75 mm; the tip at 65 %"]
    assert said[0] and "0" not in said[0]


ids = st.lists(st.text("abcdefgh", min_size=1, max_size=3), min_size=3, max_size=7, unique=True)


@st.composite
def multi(draw):
    options = draw(ids)
    key = draw(st.lists(st.sampled_from(options), min_size=1, max_size=len(options) - 1, unique=True))
    rule = draw(st.sampled_from(["all_or_nothing", "each_option", "net_correct"]))
    return {"format": "multiple_response", "key": key, "options": options, "scoring": rule}


@st.composite
def order(draw):
    rule = draw(st.sampled_from(["all_or_nothing", "adjacent_pairs", "all_pairs"]))
    return {"format": "ordering", "key": draw(ids), "scoring": rule}


@given(multi(), st.data())
def test_multiple_response_full_marks_range_and_monotony(key, data):
    assert score(key, key["key"]) == 1
    ticked = set(data.draw(st.lists(st.sampled_from(key["options"]), unique=True)))
    before = score(key, sorted(ticked))
    assert 0 <= before <= 1
    assert (before == 1) == (ticked == set(key["key"]))
    for option in ticked ^ set(key["key"]):  # putting one wrong box right never costs
        assert score(key, sorted(ticked ^ {option})) >= before


@given(order(), st.data())
def test_ordering_full_marks_range_and_monotony(key, data):
    assert score(key, key["key"]) == 1
    answer = data.draw(st.permutations(key["key"]))
    before = score(key, answer)
    assert 0 <= before <= 1
    assert (before == 1) == (answer == key["key"])
    if key["scoring"] == "all_pairs":
        for i in range(len(answer) - 1):
            if key["key"].index(answer[i]) > key["key"].index(answer[i + 1]):
                swapped = [*answer[:i], answer[i + 1], answer[i], *answer[i + 2 :]]
                pairs = len(answer) * (len(answer) - 1) / 2
                assert score(key, swapped) == pytest.approx(before + 1 / pairs)


@validates(
    "quiz.scoring",
    "Credit for an order",
    against="swaps of a bubble sort, counted",
    kind="computation",
    tolerance=USUAL,
)
@given(order(), st.randoms(use_true_random=False))
def test_all_pairs_falls_by_one_pair_for_each_swap_of_bubble_sort(key, shuffler):
    key = key | {"scoring": "all_pairs"}
    answer = list(key["key"])
    shuffler.shuffle(answer)
    row = [key["key"].index(step) for step in answer]
    swaps = 0
    for end in range(len(row) - 1, 0, -1):
        for i in range(end):
            if row[i] > row[i + 1]:
                row[i], row[i + 1] = row[i + 1], row[i]
                swaps += 1
    assert score(key, answer) == pytest.approx(1 - swaps / (len(row) * (len(row) - 1) / 2))


@given(ids, ids, st.data())
def test_matching_full_marks_range_and_monotony(prompts, options, data):
    pick = st.sampled_from(options)
    key = {"format": "matching", "key": {p: data.draw(pick) for p in prompts}, "options": options}
    assert score(key, key["key"]) == 1
    answer = {p: data.draw(pick) for p in prompts}
    before = score(key, answer)
    assert 0 <= before <= 1
    for prompt in prompts:
        assert score(key, answer | {prompt: key["key"][prompt]}) >= before


@st.composite
def care(draw):
    decisions = {}
    for decision in draw(ids):
        options = draw(ids)
        kinds = {option: draw(st.sampled_from(["key", "harms", "wrong"])) for option in options}
        kinds |= {options[0]: "key", options[1]: "wrong"}
        listed = {kind: [option for option in options if kinds[option] == kind] for kind in ("key", "harms")}
        most = draw(st.integers(len(listed["key"]), len(options) - 1))
        decisions[decision] = {"choose": most, "options": options, **listed}
    return {"format": "key_feature", "decisions": decisions}


@given(care(), st.data())
def test_key_features_full_marks_range_and_what_never_helps(key, data):
    decisions = key["decisions"]
    assert score(key, {name: each["key"] for name, each in decisions.items()}) == pytest.approx(1, abs=1e-15)
    assert score(key, {name: each["options"] for name, each in decisions.items()}) == 0
    choice = {name: st.lists(st.sampled_from(each["options"]), unique=True) for name, each in decisions.items()}
    answer = data.draw(st.fixed_dictionaries(choice))
    before = score(key, answer)
    assert 0 <= before <= 1
    for name, each in decisions.items():
        left_out = score(key, answer | {name: None})
        for option in each["options"]:
            more = answer | {name: [*answer[name], option]}
            if option in answer[name]:
                continue
            if option not in each["key"]:
                assert score(key, more) <= before, "adding a wrong option never helps"
            if option in each["harms"]:
                assert score(key, more) == pytest.approx(left_out, abs=1e-12), "one that harms costs the decision"
            if len(answer[name]) >= each["choose"]:
                assert score(key, more) == pytest.approx(left_out, abs=1e-12), "so does one too many"
        full = score(key, answer | {name: each["key"]})
        assert full - left_out == pytest.approx(1 / len(decisions), abs=1e-12), "each decision weighs the same"


@given(ids, st.data())
def test_exactly_one_option_of_a_single_best_answer_scores(options, data):
    key = {"format": "single_best_answer", "key": data.draw(st.sampled_from(options)), "options": options}
    assert sum(score(key, option) for option in options) == score(key, key["key"]) == 1


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.floats(-3, 3))
def test_numeric_is_one_within_the_tolerance_and_symmetric(value, tolerance, shift):
    key = {"format": "numeric", "value": value, "tolerance": tolerance}
    assert score(key, value) == 1
    if abs(abs(shift) - 1) > 1e-6:
        expected = 1 if abs(shift) < 1 else 0
        assert score(key, value + shift * tolerance) == score(key, value - shift * tolerance) == expected


@validates("quiz.scoring", "Whether a click lies in an outline", against="matplotlib", kind="library", tolerance=EXACT)
def test_inside_agrees_with_matplotlib_on_star_shaped_polygons():
    dice = random.Random(7)
    outcomes = set()
    for _ in range(60):
        corners = dice.randint(3, 12)
        angles = sorted(dice.uniform(0, 2 * math.pi) for _ in range(corners))
        polygon = [[50 + (r := dice.uniform(5, 45)) * math.cos(a), 50 + r * math.sin(a)] for a in angles]
        outline = Outline([*polygon, polygon[0]], closed=True)
        for _ in range(40):
            x, y = dice.uniform(0, 100), dice.uniform(0, 100)
            assert inside(x, y, polygon) == outline.contains_point((x, y))
            outcomes.add(inside(x, y, polygon))
    assert outcomes == {True, False}


def test_a_grid_of_points_on_common_edges_falls_into_exactly_one_of_two_neighbours():
    left = [[0, 0], [10, 0], [10, 10], [0, 10]]
    right = [[10, 0], [20, 0], [20, 10], [10, 10]]
    for y in range(10):
        assert inside(10, y, left) + inside(10, y, right) == 1


# --- Certainty


def expected_mark(p, certainty):
    return p * certainty_mark(1, certainty) + (1 - p) * certainty_mark(0, certainty)


def test_the_marks():
    assert [certainty_mark(1, c) for c in (1, 2, 3)] == [1, 2, 3]
    assert [certainty_mark(0, c) for c in (1, 2, 3)] == [0, -2, -6]
    assert certainty_mark(0.5, 3) == -1.5


@validates(
    "quiz.scoring",
    "Where each certainty pays most",
    against="expected marks in closed form",
    kind="analytic",
    tolerance="1e-9",
)
@given(st.floats(0, 1))
def test_the_best_certainty_changes_at_two_thirds_and_four_fifths(p):
    best = max((1, 2, 3), key=lambda c: expected_mark(p, c))
    if min(abs(p - 2 / 3), abs(p - 0.8)) > 1e-9:
        assert best == (1 if p < 2 / 3 else 2 if p < 0.8 else 3)


def test_two_certainties_are_worth_the_same_at_the_switch_points():
    assert expected_mark(2 / 3, 1) == pytest.approx(expected_mark(2 / 3, 2))
    assert expected_mark(0.8, 2) == pytest.approx(expected_mark(0.8, 3))


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([1, 2, 3]))
def test_more_credit_never_costs_marks(a, b, certainty):
    low, high = sorted((a, b))
    assert -6 <= certainty_mark(low, certainty) <= certainty_mark(high, certainty) <= 3


@pytest.mark.parametrize("certainty", [0, 4, True, 1.0, "1", None, 2.5])
def test_other_certainties_are_refused(certainty):
    with pytest.raises(ValueError, match="certainty must be 1, 2 or 3"):
        certainty_mark(1, certainty)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, math.nan, True, "1"])
def test_other_fractions_are_refused(fraction):
    with pytest.raises(ValueError, match=r"number|share of credit"):
        certainty_mark(fraction, 1)


# --- Summary


def test_summary_by_hand():
    keys = {
        "q1": SBA,
        "q2": SBA,
        "q3": MULTI | {"scoring": "each_option"},
        "q4": NUMBER,
        "q5": SPOT,
        "q6": SBA,
        "q7": ORDER | {"scoring": "all_pairs"},
    }
    responses = {
        "q1": {"answer": "b", "certainty": 3},  # right: 3
        "q2": {"answer": "a", "certainty": 3},  # wrong: -6
        "q3": {"answer": ["a"], "certainty": 2},  # 4/5: 1.6 - 0.4 = 1.2
        "q4": {"answer": 25, "certainty": None},  # right, no certainty
        "q5": {"answer": None, "certainty": 3},  # not answered
        "q7": {"answer": ["d", "a", "b", "c"], "certainty": 3},  # 3/6: 1.5 - 3 = -1.5
        "gone": {"answer": "b", "certainty": 1},  # a question that the quiz no longer has
    }
    got = summary(responses, keys)
    assert (got.n, got.answered, got.right) == (7, 5, 2)
    assert got.mean_fraction == pytest.approx((1 + 0 + 0.8 + 1 + 0.5) / 5)
    assert got.certainty_marks == pytest.approx(3 - 6 + 1.2 - 1.5)
    assert got.certainty_max == 12
    assert got.levels == {1: Level(0, 0, None), 2: Level(1, 0, 0), 3: Level(3, 1, 1 / 3)}
    assert got.confidently_wrong == ("q2", "q7")


def test_summary_of_nothing():
    got = summary({}, {"q1": SBA})
    assert (got.n, got.answered, got.mean_fraction, got.certainty_marks, got.certainty_max) == (1, 0, None, 0, 0)


@pytest.mark.parametrize(
    "response", [{"answer": "z"}, {"answer": "b", "certainty": True}, {"answer": "b", "certainty": 9}]
)
def test_summary_names_the_item_of_a_malformed_response(response):
    with pytest.raises(ValueError, match=r"^item q1: "):
        summary({"q1": response}, {"q1": SBA})


def test_marks_table_is_the_published_one():
    assert dict(CERTAINTY_MARKS) == {1: (1, 0), 2: (2, -2), 3: (3, -6)}
