"""The browser half of the quiz widget in a real browser: marking, keyboard, saving, accessibility."""

import copy
import json
import math
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Two files of one folder; pytest puts it on the path.
from tests.widgets.test_quiz import ITEMS, PRACTICE
from vertebra.quiz import scoring
from vertebra.quiz.responses import read_responses
from vertebra.quiz.tasks import needle_lines
from vertebra.widgets.quiz import QuizWidget, _public

pytestmark = pytest.mark.browser

EXAM: dict[str, Any] = {
    **PRACTICE,
    "id": "fracture-types",
    "mode": "exam",
    "file": "responses.json",
    "items": [_public(item) for item in ITEMS],
}
RIGHT: dict[str, Any] = {
    "q-single": "wedge",
    "q-multiple": ["wall", "pedicles"],
    "q-numeric": 25,
    "q-order": ["level", "needle", "cement", "observe"],
    "q-match": {"p-front": "wedge", "p-middle": "biconcave", "p-all": "crush"},
    "q-spot": {"region": "middle"},
    "q-needle": {"entry": 5, "convergence": 10, "descent": -2.5, "depth": 40},
    "q-stop": {"frame": 2},
    "q-care": {"look": ["mri", "legs"], "call": ["surgeon"]},
}
WRONG: dict[str, Any] = {
    "q-single": "burst",
    "q-multiple": ["wall", "front"],
    "q-numeric": 75,
    "q-order": ["observe", "cement", "needle", "level"],
    "q-match": {"p-front": "crush", "p-middle": "crush", "p-all": "crush"},
    "q-spot": {"point": [10, 10]},
    "q-needle": {"entry": 0, "convergence": 10, "descent": -2.5, "depth": 40},
    "q-stop": {"frame": 3},
    "q-care": {"look": ["dxa", "film"], "call": ["cement"]},
}
Mount = Callable[..., Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.json"


@pytest.fixture
def quiz(mount: Mount, path: Path) -> Any:
    return mount(QuizWidget(PRACTICE, path))


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def go(page: Any, number: int) -> None:
    page.get_by_role("button", name=f"Question {number},").click()


def set_answers(page: Any, answers: dict[str, Any], certainty: int = 3, checked: bool = True) -> None:
    """Put answers in as a second view of the same model would."""
    page.evaluate(
        """([answers, certainty, checked]) => {
            const old = model.get("responses");
            const ids = Object.keys(answers);
            const given = Object.fromEntries(ids.map((id) => [id, { answer: answers[id], certainty }]));
            model.set("responses", { ...old, seq: old.seq + 1, answers: given, checked: checked ? ids : [] });
            model.save_changes();
        }""",
        [answers, certainty, checked],
    )


def stored(mounted: Any) -> dict[str, Any]:
    """Return the answers that Python has, once it has acknowledged everything."""
    mounted.page.wait_for_function("model.get('saved') === model.get('responses').seq")
    return {item: response["answer"] for item, response in mounted.widget.responses["answers"].items()}


# ---- Marking: the browser agrees with Python

KEYS: dict[str, list[dict[str, Any]]] = {
    "single_best_answer": [{"key": "b", "options": ["a", "b", "c"]}],
    "multiple_response": [
        {"key": key, "options": ["a", "b", "c", "d", "e"], "scoring": rule}
        for key in (["a"], ["b", "d"], ["a", "b", "c"])
        for rule in ("all_or_nothing", "each_option", "net_correct")
    ],
    "numeric": [
        {"value": 25, "tolerance": 1},
        {"value": 0.3, "tolerance": 0.1},
        {"value": -7.5, "tolerance": 0},
        {"value": 1e6, "tolerance": 1e-9},
    ],
    "ordering": [
        {"key": ["a", "b", "c", "d", "e"][:n], "scoring": rule}
        for n in (2, 3, 5)
        for rule in ("all_or_nothing", "adjacent_pairs", "all_pairs")
    ],
    "matching": [
        {"key": {"p": "a", "q": "b", "r": "b"}, "options": ["a", "b", "c"]},
        {"key": {"p": "a"}, "options": ["a", "b"]},
    ],
    "hotspot": [
        {
            "key": "a",
            "polygons": {
                "a": [[10, 10], [40, 10], [40, 40], [25, 20], [10, 40]],
                "b": [[50.5, 10.25], [90, 10], [70, 80.125]],
            },
        },
        {"key": "b", "polygons": {"a": [[0, 0], [1, 0], [0, 1]], "b": [[0, 0], [60, 60], [60, 0], [0, 60]]}},
    ],
    "needle_path": [
        {
            "controls": [{"id": "p", "values": [-5, 0, 2.5]}, {"id": "q", "values": [0.1, 30]}],
            "bands": ["a", "b", "c", "a", "d", "b"],
            "shares": {"a": 0, "b": 1 / 3, "c": 0.7, "d": 1},
        },
        ITEMS[6]["key"],
    ],
    "stop_decision": [
        {
            "controls": [{"id": "frame", "values": [0, 1, 2]}],
            "bands": ["a", "b", "c"],
            "shares": {"a": 0, "b": 0.1, "c": 1},
        },
        ITEMS[7]["key"],
    ],
    "key_feature": [
        {
            "decisions": {
                "p": {"choose": 3, "options": ["a", "b", "c", "d"], "key": ["a", "b", "c"], "harms": ["d"]},
                "q": {"choose": 2, "options": ["e", "f", "g", "h", "i", "j"], "key": ["e"], "harms": []},
                "constructor": {"choose": 4, "options": ["k", "l", "m"], "key": ["k", "l"], "harms": ["m"]},
            },
        },
        ITEMS[8]["key"],
    ],
}
JUNK: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2.5,
    10**400,
    "",
    "a",
    "z",
    "A",
    " a",
    "constructor",
    "__proto__",
    [],
    [[]],
    [None],
    ["a", "a"],
    ["z"],
    [1],
    ["a", 1],
    {},
    {"a": "b"},
    {"p": "z"},
    {"p": 1},
    {"p": None},
    {"z": "a"},
    {"p": ["a"]},
    {"point": [1]},
    {"point": [1, 2, 3]},
    {"point": ["1", 2]},
    {"point": [True, 2]},
    {"point": None},
    {"point": "12"},
    {"point": {"0": 1, "1": 2}},
    {"point": [20, 20], "region": "a"},
    {"region": "z"},
    {"region": None},
    {"region": ["a"]},
    {"region": "a", "x": 1},
    {"constructor": "a"},
    {"constructor": 0},
    {"p": 0},
    {"p": 0, "q": 31},
    {"p": "0", "q": 30},
    {"p": True, "q": 30},
    {"p": 0, "q": 30, "r": 1},
    {"frame": 3.5},
    {"frame": [1]},
    {"frame": "1"},
    {"frame": False},
]


def some_answer(dice: random.Random, form: str, key: dict[str, Any]) -> Any:
    """Return an answer: mostly of the right shape, often nearly right, one in five malformed."""
    if dice.random() < 0.2:
        return dice.choice([*JUNK, math.nan, math.inf, -math.inf])
    if form == "single_best_answer":
        return dice.choice(key["options"])
    if form == "multiple_response":
        return dice.sample(key["options"], dice.randint(0, len(key["options"])))
    if form == "numeric":
        edge = key["value"] + dice.choice([-1, 0, 1]) * key["tolerance"] * dice.choice([1, 1 + 1e-9, 1 + 3e-9, 1.0001])
        return dice.choice([edge, key["value"], dice.uniform(-40, 40), dice.randint(-40, 40)])
    if form == "ordering":
        order = dice.sample(key["key"], len(key["key"]))
        return dice.choice([order, order, order, order[:-1], [*order, order[0]], list(key["key"])])
    if form == "matching":
        return {p: dice.choice([*key["options"], None]) for p in key["key"] if dice.random() < 0.8}
    if form == "key_feature":
        chosen = {name: dice.sample(each["options"], dice.randint(0, 3)) for name, each in key["decisions"].items()}
        nearly = {name: dice.choice([each["key"], chosen[name]]) for name, each in key["decisions"].items()}
        right = {name: each["key"] for name, each in key["decisions"].items()}
        some = {name: dice.choice([*chosen.values(), None]) for name in chosen if dice.random() < 0.8}
        return dice.choice([chosen, nearly, nearly, right, some])
    if "controls" in key:
        return {control["id"]: dice.choice(control["values"]) for control in key["controls"]}
    if dice.random() < 0.2:
        return {"region": dice.choice([*key["polygons"], "z"])}
    corner = dice.choice([c for polygon in key["polygons"].values() for c in polygon])
    free = [dice.uniform(-5, 95), dice.uniform(-5, 95)]
    return {"point": dice.choice([free, corner, [corner[0], free[1]], [free[0], corner[1]], [dice.randint(0, 60)] * 2])}


def python_result(function: Callable[..., float], *arguments: Any) -> float | None:
    try:
        return function(*arguments)
    except ValueError:
        return None


RUN = """
([name, text]) => {
    const words = new Map([["@nan", NaN], ["@inf", Infinity], ["@-inf", -Infinity]]);
    const calls = JSON.parse(text, (_, value) => (words.has(value) ? words.get(value) : value));
    return calls.map((call) => {
        try { return window.esm[name](...call); }
        catch (error) { return error instanceof Error ? null : "not an Error"; }
    });
}
"""


def for_json(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "@nan" if math.isnan(value) else "@inf" if value > 0 else "@-inf"
    return value


@pytest.mark.parametrize("form", KEYS)
def test_browser_and_python_score_alike(quiz: Any, form: str) -> None:
    dice = random.Random(f"agreement {form}")
    calls = []
    for _ in range(10_000):
        key = {"format": form, **dice.choice(KEYS[form])}
        calls.append((key, some_answer(dice, form, key)))
    expected = [python_result(scoring.score, *call) for call in calls]
    got = quiz.page.evaluate(RUN, ["score", json.dumps([(key, for_json(answer)) for key, answer in calls])])
    different = [(call, e, g) for call, e, g in zip(calls, expected, got, strict=True) if e != g]
    assert not different, different[:3]
    # The comparison is worth something only if it saw right, wrong, malformed and, where there is any, partial answers.
    assert {0.0, 1.0, None} <= set(expected)
    few = ("single_best_answer", "numeric", "hotspot", "stop_decision")
    assert form in few or len(set(expected)) > 4


def test_browser_and_python_refuse_the_same_keys(quiz: Any) -> None:
    calls = [({"format": "essay"}, "a"), ({"format": "toString"}, "a")]
    calls += [({"format": form, **KEYS[form][0], "scoring": "guess"}, ["a"]) for form in ("multiple_response",)]
    calls += [({"format": "ordering", "key": ["a"], "scoring": "guess"}, ["a"])]
    assert [python_result(scoring.score, *call) for call in calls] == [None] * 4
    assert quiz.page.evaluate(RUN, ["score", json.dumps(calls)]) == [None] * 4


def test_browser_and_python_mark_certainty_alike(quiz: Any) -> None:
    dice = random.Random("certainty")
    shares = [0, 1, 0.5, 1 / 3, 2 / 3, -0.1, 1.1, math.nan, math.inf, "1", None, True]
    levels = [1, 2, 3, 0, 4, 1.5, "1", None, True]
    calls = [(share, level) for share in shares for level in levels]
    calls += [(dice.random(), dice.choice([1, 2, 3])) for _ in range(10_000)]
    expected = [python_result(scoring.certainty_mark, *call) for call in calls]
    got = quiz.page.evaluate(RUN, ["certaintyMark", json.dumps([tuple(map(for_json, call)) for call in calls])])
    assert got == expected
    assert {3, -6, 2, -2, 1, 0, None} <= set(expected)


# ---- Practice


def test_a_whole_quiz_by_keyboard_alone(quiz: Any, path: Path) -> None:
    page = quiz.page

    def tab_to(role: str, name: str) -> None:
        target = page.get_by_role(role, name=name, exact=True).and_(page.locator(":visible"))
        for _ in range(40):
            page.keyboard.press("Tab")
            if target.count() and target.first.evaluate("node => node === document.activeElement"):
                outline = target.first.evaluate("node => getComputedStyle(node).outlineStyle")
                assert outline != "none", f"{name}: the focus cannot be seen"
                return
        raise AssertionError(f"the Tab key does not reach the {role} {name}")

    def check_and_go_on() -> None:
        tab_to("radio", "Guess right +1 / wrong 0")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        tab_to("button", "Check")
        page.keyboard.press("Enter")
        expect(page.locator(":focus")).to_have_attribute("aria-label", "Feedback")
        expect(page.locator(".vq-card:visible").get_by_role("status").first).to_contain_text("Right")
        if page.get_by_role("button", name="Next").is_enabled():
            tab_to("button", "Next")
            page.keyboard.press("Enter")
            expect(page.locator(":focus")).to_contain_text("Question")

    tab_to("radio", "Wedge fracture")
    page.keyboard.press("Space")
    check_and_go_on()

    for name in ("Retropulsion of the posterior wall", "Widened distance between the pedicles"):
        tab_to("checkbox", name)
        page.keyboard.press("Space")
    check_and_go_on()

    tab_to("textbox", "Your answer in %")
    page.keyboard.type("25 %")
    check_and_go_on()

    # cement, level, observe, needle -> level, needle, cement, observe
    tab_to("button", "Move up: Confirm the level on two views")
    page.keyboard.press("Enter")
    tab_to("button", "Move up: Place the needle through the pedicle")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    check_and_go_on()

    for prompt, option in (("anterior", "Wedge"), ("middle", "Biconcave"), ("Anterior, middle", "Crush")):
        label = next(p["text"] for p in ITEMS[4]["prompts"] if prompt in p["text"])
        tab_to("combobox", label)
        page.keyboard.type(option)
    check_and_go_on()

    tab_to("radio", "The upper vertebral body")
    page.keyboard.press("ArrowDown")
    check_and_go_on()

    tab_to("slider", "Turn towards the midline")
    page.keyboard.press("ArrowRight")
    tab_to("slider", "Depth")
    page.keyboard.press("ArrowRight")
    check_and_go_on()

    tab_to("button", "Inject 1.25 mL more")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    tab_to("button", "Stop here")
    page.keyboard.press("Enter")
    check_and_go_on()

    for name in ("MRI of the whole spine", "Examination of legs and perineum"):
        tab_to("checkbox", name)
        page.keyboard.press("Space")
    tab_to("radio", "The spine surgeon on call")
    page.keyboard.press("Space")
    check_and_go_on()

    expect(page.locator("dd").last).to_have_text("+27 of 27")
    assert stored(quiz) == RIGHT
    assert {item: r["certainty"] for item, r in read_responses(path).answers.items()} == dict.fromkeys(RIGHT, 3)


def test_check_gives_verdict_marks_reasons_and_sources(quiz: Any) -> None:
    page = quiz.page
    page.get_by_label("Burst fracture").check()
    page.get_by_label("Certain", exact=False).and_(page.locator(":visible")).last.check()
    page.get_by_role("button", name="Check").click()
    verdict = page.locator(".vq-card:visible").get_by_role("status")
    expect(verdict).to_have_attribute("aria-live", "polite")
    expect(verdict).to_contain_text("Not right")
    expect(verdict).to_contain_text("−6 marks, certain")
    card = page.locator(".vq-card:visible")
    for reason in ITEMS[0]["rationales"].values():
        expect(card.get_by_text(reason)).to_be_visible()
    expect(card.locator(".vq-choice", has_text="Wedge fracture").first).to_contain_text("Correct answer")
    expect(card.locator(".vq-choice", has_text="Your answer, not correct")).to_contain_text("Burst fracture")
    expect(card.locator(".vq-sources")).to_contain_text("genant1993")
    expect(card.get_by_label("Burst fracture")).to_be_disabled()
    expect(page.get_by_role("heading", name="Certain but wrong")).to_be_visible()
    go(page, 3)
    page.get_by_role("button", name="Question 1 Which fracture type").click()
    expect(page.get_by_role("heading", name="Question 1 of 9")).to_be_focused()

    page.get_by_role("button", name="Try again").click()
    expect(card.get_by_label("Burst fracture")).to_be_enabled()
    expect(card.get_by_label("Wedge fracture")).to_be_focused()
    expect(card.get_by_text("Correct answer")).to_have_count(0)
    expect(page.get_by_role("heading", name="Certain but wrong")).to_have_count(0)
    assert stored(quiz) == {}


def test_summary_and_navigator_agree_with_python(quiz: Any) -> None:
    page = quiz.page
    set_answers(page, WRONG | {"q-numeric": 25})
    keys = {item["id"]: item["key"] for item in ITEMS}
    responses = {item: {"answer": answer, "certainty": 3} for item, answer in (WRONG | {"q-numeric": 25}).items()}
    summary = scoring.summary(responses, keys)
    values = [text.replace("−", "-") for text in page.locator("dd").all_inner_texts()]
    shown = dict(zip(page.locator("dt").all_inner_texts(), values, strict=True))
    assert shown["Answered"] == "9 of 9"
    assert shown["Right"].startswith(str(summary.right))
    marks, most = shown["Certainty marks"].split(" of ")
    assert float(marks) == pytest.approx(summary.certainty_marks, abs=0.005)
    assert float(most) == summary.certainty_max
    wrong = [f"Question {n}" for n, item in enumerate(ITEMS, 1) if item["id"] in summary.confidently_wrong]
    assert page.locator(".vq-rash strong").all_inner_texts() == wrong
    names = [page.get_by_role("button", name=f"Question {n},").get_attribute("aria-label") for n in range(1, 10)]
    words = ["not right", "partly right", "right", "not right", "partly right", *["not right"] * 4]
    assert names == [f"Question {n}, {word}" for n, word in enumerate(words, 1)]
    # Not by colour alone: each state has its own drawn sign.
    signs = page.locator(".vq-go").evaluate_all("all => all.map(one => one.querySelector('path, circle').outerHTML)")
    assert len(set(signs)) == 3


@pytest.mark.parametrize("number", range(1, 10))
def test_check_asks_for_what_is_missing(quiz: Any, number: int) -> None:
    page, item = quiz.page, ITEMS[number - 1]
    go(page, number)
    card = page.locator(".vq-card:visible")
    card.get_by_role("button", name="Check").click()
    focused = page.locator(":focus")
    error = page.locator(f"#{focused.get_attribute('aria-describedby').split()[0]}")
    expect(error).to_be_visible()
    if item["format"] in ("multiple_response", "ordering"):
        # These have an answer as they stand: nothing ticked, the order shown.
        expect(error).to_have_text("Say how certain you are first.")
    else:
        expect(error).to_contain_text("first.")
    assert quiz.page.evaluate("model.get('responses').checked") == []


def test_nothing_ticked_and_the_order_as_shown_are_answers(quiz: Any) -> None:
    page = quiz.page
    for number in (2, 4):
        go(page, number)
        page.locator(".vq-card:visible").get_by_label("Guess").check()
        page.get_by_role("button", name="Check").click()
    assert stored(quiz) == {"q-multiple": [], "q-order": ["cement", "level", "observe", "needle"]}


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("25", 25),
        ("25 %", 25),
        ("25%", 25),
        (" 24,5 ", 24.5),
        ("25 percent", 25),
        ("+25.", 25),
        (".5", 0.5),
        ("−3", -3),
    ],
)
def test_numbers_as_people_write_them(quiz: Any, typed: str, value: float) -> None:
    go(quiz.page, 3)
    field = quiz.page.get_by_label("Your answer in %")
    field.fill(typed)
    field.blur()
    assert stored(quiz) == {"q-numeric": value}
    expect(field).to_have_value(typed)
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(quiz.page.locator(".vq-card:visible .vq-error:visible")).to_have_count(0)
    if "," in typed:
        expect(quiz.page.get_by_text("Read as 24.5")).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("25 mm", "wanted in %, not in “mm”"),
        ("a quarter", "is not a number"),
        ("25-30", "not in “-30”"),
        ("1.000,5", "not in “,5”"),
        ("0x19", "not in “x19”"),
        ("NaN", "is not a number"),
        ("9" * 400, "too large"),
    ],
)
def test_another_unit_or_nonsense_gets_a_sentence_and_is_not_stored(quiz: Any, typed: str, words: str) -> None:
    go(quiz.page, 3)
    field = quiz.page.get_by_label("Your answer in %")
    field.fill("25")
    field.fill(typed)
    field.blur()
    assert stored(quiz) == {}
    error = quiz.page.locator(".vq-card:visible .vq-error:visible")
    expect(error).to_contain_text(words)
    expect(field).to_have_attribute("aria-invalid", "true")
    assert error.get_attribute("id") in field.get_attribute("aria-describedby").split()
    quiz.page.get_by_role("button", name="Check").click()
    expect(field).to_be_focused()
    expect(error).to_contain_text(words)


def test_a_slip_is_explained(quiz: Any) -> None:
    set_answers(quiz.page, {"q-numeric": 75.5})
    go(quiz.page, 3)
    card = quiz.page.locator(".vq-card:visible")
    expect(card).to_contain_text(ITEMS[2]["slips"][0]["rationale"])
    expect(card).to_contain_text("Your answer: 75.5\u00a0%. Correct: 25\u00a0% (± 1\u00a0%)")


def test_moving_a_step_keeps_the_focus_and_is_announced(quiz: Any) -> None:
    page = quiz.page
    go(page, 4)
    down = page.get_by_role("button", name="Move down: Inject cement under fluoroscopy")
    down.focus()
    live = page.locator(".vq > [aria-live=polite]")
    for place in (2, 3, 4):
        page.keyboard.press("Enter")
        expect(down).to_be_focused()
        expect(live).to_have_text(f"Inject cement under fluoroscopy: now step {place} of 4.")
    expect(down).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    expect(down).to_be_focused()
    expect(live).to_contain_text("already last")
    assert page.get_by_role("listitem").filter(has_text="Inject cement").count() == 1
    assert stored(quiz) == {"q-order": ["level", "observe", "needle", "cement"]}
    page.get_by_role("button", name="Move up: Inject cement under fluoroscopy").click()
    assert stored(quiz) == {"q-order": ["level", "observe", "cement", "needle"]}


def test_a_click_and_a_described_place_never_fight(quiz: Any) -> None:
    page = quiz.page
    go(page, 6)
    picture = page.get_by_role("img", name="Lateral drawing of three vertebral bodies")
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] * 190 / 400, "y": box["height"] * 125 / 300})
    (answer,) = stored(quiz).values()
    assert answer["point"] == pytest.approx([190, 125], abs=1)
    marker = page.locator(".vq-marker").bounding_box()
    assert marker["x"] + marker["width"] / 2 == pytest.approx(box["x"] + box["width"] * 190 / 400, abs=1.5)
    assert marker["y"] + marker["height"] / 2 == pytest.approx(box["y"] + box["height"] * 125 / 300, abs=1.5)

    page.get_by_label("The lower vertebral body").check()
    assert stored(quiz) == {"q-spot": {"region": "bottom"}}
    expect(page.locator(".vq-marker")).to_be_hidden()

    picture.click(position={"x": 2, "y": 2})
    assert set(stored(quiz)["q-spot"]) == {"point"}
    expect(page.get_by_label("The lower vertebral body")).not_to_be_checked()

    picture.click(position={"x": box["width"] * 190 / 400, "y": box["height"] * 125 / 300})
    page.locator(".vq-card:visible").get_by_label("Certain", exact=False).last.check()
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".vq-card:visible").get_by_role("status")).to_contain_text("+3 marks")
    before = stored(quiz)
    picture.click(position={"x": 2, "y": 2})
    assert stored(quiz) == before, "a checked answer stays"


def test_the_needle_is_drawn_where_python_projects_it(quiz: Any) -> None:
    page, item = quiz.page, ITEMS[6]
    go(page, 7)
    for entry, turn, depth in ((0, 0, 40), (5, 10, 30), (0, 10, 30)):
        for name, values, value in (
            ("Entry point", [0, 5], entry),
            ("Turn", [0, 10], turn),
            ("Depth", [30, 40], depth),
        ):
            page.get_by_label(name).fill(str(values.index(value)))
        answer = {"entry": entry, "convergence": turn, "descent": -2.5, "depth": depth}
        assert stored(quiz)["q-needle"] == answer
        drawn = page.locator(".vq-film svg").evaluate_all(
            "all => all.map((svg) => ['x1', 'y1', 'x2', 'y2'].map((name) => Number(svg.lastChild.getAttribute(name))))"
        )
        for line, (back, tip) in zip(drawn, needle_lines(item["task"], answer), strict=True):
            assert line == pytest.approx([*back, *tip])
    # What the films show is said too, for those who cannot see them.
    expect(page.locator(".vq-seen:visible")).to_have_text(
        "AP film: tip near the midline. Lateral film: tip behind the wall."
    )


def test_news_of_an_earlier_answer_does_not_move_a_slider_that_is_being_dragged(quiz: Any) -> None:
    page = quiz.page
    go(page, 7)
    page.get_by_label("Depth").fill("1")
    assert stored(quiz)["q-needle"]["convergence"] == 0
    turn = page.get_by_label("Turn")
    turn.evaluate("one => { one.value = '1'; one.dispatchEvent(new Event('input')); }")
    quiz.push(problem="The disk is full.")
    expect(page.get_by_text("The disk is full.")).to_be_visible()
    expect(turn).to_have_value("1")
    turn.evaluate("one => one.dispatchEvent(new Event('change'))")
    assert stored(quiz)["q-needle"] == {"entry": 5, "convergence": 10, "descent": -2.5, "depth": 40}
    set_answers(page, {"q-needle": WRONG["q-needle"]}, checked=False)  # from another view: that is news
    expect(page.get_by_label("Entry point")).to_have_value("0")


def test_a_needle_path_is_explained_by_its_band_and_its_measures(quiz: Any) -> None:
    page = quiz.page
    set_answers(page, WRONG)
    go(page, 7)
    card = page.locator(".vq-card:visible")
    expect(card.locator(".vq-measured")).to_have_text(
        "Measured by the model: the canal entered by 3.125 mm; the tip at 56 %. "
        "Your needle is the solid line, a good one the dashed line."
    )
    rationales = ITEMS[6]["rationales"]
    expect(card.locator("li", has_text="Into the canal")).to_contain_text(f"Your answer led here{rationales['canal']}")
    expect(card.locator("li", has_text="In bone all the way")).to_contain_text(rationales["good"])
    expect(card.get_by_text(rationales["wall"])).to_have_count(0)
    expect(card.get_by_label("Depth")).to_be_disabled()
    assert card.locator(".vq-good").count() == 4, "halo and line on each of two films"
    page.get_by_role("button", name="Try again").click()
    expect(card.get_by_label("Depth")).to_have_value("0")
    expect(card.get_by_label("Entry point")).to_be_focused()
    expect(card.locator(".vq-measured")).to_be_hidden()
    assert card.locator(".vq-good").count() == 0


def test_injecting_cannot_be_undone_but_can_be_tried_again(quiz: Any) -> None:
    page = quiz.page
    go(page, 8)
    card = page.locator(".vq-card:visible")
    inject, stop = (card.get_by_role("button", name=name) for name in ("Inject 1.25 mL more", "Stop here"))
    captions = card.locator("figcaption")
    for volume in ("1.25", "2.5", "3.75"):
        inject.click()
        expect(captions).to_have_text(f"{volume} mL of cement")
        expect(page.locator(".vq > [aria-live]")).to_contain_text(f"{volume} mL of cement")
        expect(inject).to_be_focused()
    expect(inject).to_have_attribute("aria-disabled", "true")
    inject.press("Enter")
    expect(captions).to_have_text("3.75 mL of cement")
    assert stored(quiz) == {}, "looking on is no answer"
    stop.click()
    assert stored(quiz) == {"q-stop": {"frame": 3}}
    card.get_by_label("Guess").check()
    card.get_by_role("button", name="Check").click()
    assert captions.all_inner_texts() == [
        "You stopped here: 3.75 mL of cement",
        "A good moment to stop: 2.5 mL of cement",
    ]
    expect(card.locator(".vq-measured")).to_have_text(
        "Measured by the model: 3.75 mL injected; 0.625 mL outside the bone. "
        "Dashed line on the film: where the back of the body begins."
    )
    card.get_by_role("button", name="Try again").click()
    expect(captions).to_have_text("0 mL of cement")
    expect(inject).to_be_focused()


def test_in_an_exam_a_cleared_stop_goes_on_from_where_it_was(mount: Mount, path: Path) -> None:
    quiz = mount(QuizWidget(EXAM, path))
    go(quiz.page, 8)
    card = quiz.page.locator(".vq-card:visible")
    card.get_by_role("button", name="Inject").click()
    card.get_by_role("button", name="Stop here").click()
    card.get_by_role("button", name="Inject").press("Enter")
    expect(card.locator("figcaption")).to_have_text("1.25 mL of cement")
    card.get_by_role("button", name="Clear my answer").click()
    assert stored(quiz) == {}
    expect(card.locator("figcaption")).to_have_text("1.25 mL of cement")
    card.get_by_role("button", name="Inject").click()
    card.get_by_role("button", name="Stop here").click()
    assert stored(quiz) == {"q-stop": {"frame": 2}}


def test_too_many_answers_to_a_decision_are_said_at_once_and_explained_after_check(quiz: Any) -> None:
    go(quiz.page, 9)
    card = quiz.page.locator(".vq-card:visible")
    look = card.get_by_role("group", name="What do you ask for today?")
    for name in ("MRI", "legs", "Bone density"):
        look.get_by_label(name).check()
    said = look.get_by_role("status")
    expect(said).to_have_text(
        "You have chosen 3, and at most 2 count. As it stands this decision earns nothing: take back 1."
    )
    look.get_by_label("Bone density").uncheck()
    expect(said).to_have_text("")
    look.get_by_label("A film, and nothing more").check()
    card.get_by_label("Certain").check()
    card.get_by_role("button", name="Check").click()
    expect(card.locator(".vq-error:visible")).to_have_text("Answer every decision first: 1 decision left.")
    expect(quiz.page.locator(":focus")).to_have_attribute("value", "surgeon")
    card.get_by_label("The spine surgeon on call").check()
    card.get_by_role("button", name="Check").click()
    expect(card.locator(".vq-headline")).to_contain_text("Partly right: 50 %")
    earned = card.locator(".vq-decision > .vq-why")
    assert earned.all_inner_texts() == ["Earns nothing: you chose 3, and at most 2 count", "Right"]
    expect(look.get_by_label("MRI")).to_be_disabled()
    expect(said).to_have_text("")
    assert stored(quiz)["q-care"] == {"look": ["mri", "legs", "film"], "call": ["surgeon"]}


def test_after_check_each_option_of_a_decision_says_what_it_was(quiz: Any) -> None:
    page = quiz.page
    set_answers(page, {"q-care": {"look": ["mri", "film"], "call": ["cement"]}})
    go(page, 9)
    card = page.locator(".vq-card:visible")
    rows = {
        row.locator("label").inner_text(): row.locator(".vq-why").inner_text()
        for row in card.locator(".vq-choice").all()
    }
    why = ITEMS[8]["rationales"]
    belief = "The mistake behind it: “A normal film excludes a fracture or a metastasis.”"
    assert {text: words.split("\n\n") for text, words in rows.items()} == {
        "MRI of the whole spine": ["Your choice, correct", why["mri"]],
        "Examination of legs and perineum": ["Missed: this is a correct choice", why["legs"]],
        "Bone density": [why["dxa"]],
        "A film, and nothing more if it is normal": ["Your choice, not correct", belief, why["film"]],
        "The spine surgeon on call": ["Correct choice", why["surgeon"]],
        "The clinic for cement tomorrow": ["Your choice, and it harms the patient", why["cement"]],
        "Nobody before Monday": [why["nobody"]],
    }
    earned = card.locator(".vq-decision > .vq-why").all_inner_texts()
    assert earned == ["Not right", "Earns nothing: a choice of yours harms the patient"]
    set_answers(page, {"q-care": {"look": ["mri"], "call": ["nobody"]}})
    assert card.locator(".vq-decision > .vq-why").all_inner_texts() == ["Partly right: 50 %", "Not right"]
    cement = card.locator(".vq-choice", has_text="The clinic for cement")
    expect(cement).to_contain_text("Would harm the patient")
    expect(card.locator(".vq-mistake")).to_have_count(0)
    expect(card.locator(".vq-sources")).to_contain_text("Clinical review: none")


def test_decisions_are_there_again_after_a_reload(mount: Mount, path: Path) -> None:
    quiz = mount(QuizWidget(PRACTICE, path))
    go(quiz.page, 9)
    quiz.page.get_by_label("MRI of the whole spine").check()
    quiz.page.get_by_label("The clinic for cement tomorrow").check()
    stored(quiz)
    again = mount(QuizWidget(PRACTICE, path))
    go(again.page, 9)
    card = again.page.locator(".vq-card:visible")
    chosen = card.locator(".vq-decision input:checked").evaluate_all("all => all.map((one) => one.value)")
    assert chosen == ["mri", "cement"]
    expect(card.get_by_role("button", name="Check")).to_be_visible()
    card.get_by_label("MRI of the whole spine").uncheck()
    assert stored(again)["q-care"] == {"call": ["cement"]}


def test_the_mistake_behind_a_wrong_answer_is_said_to_whoever_made_it(mount: Mount) -> None:
    believed = copy.deepcopy([ITEMS[0], ITEMS[1], ITEMS[2], ITEMS[5]])
    believed[0]["mistakes"] = {"burst": "Belief 1.", "chance": "Belief 9."}
    believed[1]["mistakes"] = {"front": "Belief 2.", "schmorl": "Belief 9."}
    believed[2]["slips"][0]["mistake"] = "Belief 3."
    believed[3]["mistakes"] = {"top": "Belief 4.", "bottom": "Belief 9."}
    quiz = mount(QuizWidget({**PRACTICE, "items": believed}))
    set_answers(quiz.page, WRONG | {"q-spot": {"point": [190, 65]}})
    for number in range(1, 5):
        go(quiz.page, number)
        expect(quiz.page.locator(".vq-mistake:visible")).to_have_text(f"The mistake behind it: “Belief {number}.”")
    set_answers(quiz.page, RIGHT)
    expect(quiz.page.locator(".vq-mistake")).to_have_count(0)


def test_an_extended_matching_shows_its_list_once_with_letters(mount: Mount) -> None:
    long = copy.deepcopy(ITEMS[4])
    more = [{"id": f"o{n}", "text": f"Cause {n}"} for n in range(5)]
    long["options"] += more
    long["key"]["options"] += [one["id"] for one in more]
    quiz = mount(QuizWidget({**PRACTICE, "items": [long]}), width=320)
    listed = quiz.page.get_by_role("list", name="The answers to choose from").get_by_role("listitem")
    named = [f"{letter}. {option['text']}" for letter, option in zip("ABCDEFGH", long["options"], strict=True)]
    assert listed.all_inner_texts() == named
    box = quiz.page.get_by_label("Only the middle height is reduced")
    assert box.locator("option").all_inner_texts() == ["Choose …", *named]
    set_answers(quiz.page, {"q-match": {"p-front": "wedge", "p-middle": "o4", "p-all": "crush"}})
    expect(quiz.page.get_by_text("Correct: C. Biconcave")).to_be_visible()
    assert quiz.page.evaluate("document.scrollingElement.scrollWidth") <= 320


def test_a_picture_on_a_phone_has_the_same_units(mount: Mount, path: Path) -> None:
    quiz = mount(QuizWidget(PRACTICE, path), width=320)
    go(quiz.page, 6)
    picture = quiz.page.get_by_role("img", name="Lateral drawing")
    box = picture.bounding_box()
    assert box["width"] < 320
    picture.click(position={"x": box["width"] * 190 / 400, "y": box["height"] * 125 / 300})
    assert stored(quiz)["q-spot"]["point"] == pytest.approx([190, 125], abs=2)


def test_previous_and_next_show_one_question_at_a_time(quiz: Any) -> None:
    page = quiz.page
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    for number in range(1, 9):
        expect(page.locator(".vq-card:visible")).to_have_count(1)
        expect(page.locator("[aria-current=true]")).to_have_attribute("aria-label", f"Question {number}, not answered")
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("heading", name=f"Question {number + 1} of 9")).to_be_focused()
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.emulate_media(media="print")
    expect(page.locator(".vq-card:visible")).to_have_count(9)
    expect(page.get_by_role("button", name="Next")).to_be_hidden()


def test_text_is_never_markup(mount: Mount) -> None:
    evil = "<img src=x onerror=\"document.title='run'\">"
    item = copy.deepcopy(ITEMS[0])
    item |= {
        "stem": evil,
        "vignette": evil,
        "sources": [evil],
        "options": [{"id": o["id"], "text": evil} for o in item["options"]],
    }
    item["rationales"] = dict.fromkeys(item["rationales"], evil)
    needle, stop, care = copy.deepcopy(ITEMS[6:9])
    for decision in care["decisions"]:
        decision["text"] = evil
        decision["options"] = [option | {"text": evil} for option in decision["options"]]
    care |= {"mistakes": {"film": evil}, "clinical_review": [evil]}
    for task in (needle, stop):
        task["task"]["note"] = evil
        task["bands"] = [band | {"text": evil} for band in task["bands"]]
        task["task"]["films"] = [film | {"caption": evil, "alt": evil} for film in task["task"]["films"]]
        task["key"]["measures"] = [measure | {"says": evil + "{}"} for measure in task["key"]["measures"]]
    needle["task"]["seen"] = [seen | {"caption": evil, "words": [evil] * 2} for seen in needle["task"]["seen"]]
    needle["task"]["controls"] = [control | {"label": evil, "unit": evil} for control in needle["task"]["controls"]]
    stop["task"] |= {"step": evil, "line": stop["task"]["line"] | {"says": evil}}
    quiz = mount(QuizWidget({**PRACTICE, "title": evil, "instructions": evil, "items": [item, needle, stop, care]}))
    set_answers(
        quiz.page,
        {"q-single": "burst", "q-needle": WRONG["q-needle"], "q-stop": {"frame": 3}, "q-care": WRONG["q-care"]},
    )
    expect(quiz.page.get_by_role("heading", name=evil)).to_be_visible()
    for number in (2, 3):
        go(quiz.page, number)
        expect(quiz.page.locator(".vq-measured:visible")).to_contain_text(evil)
    go(quiz.page, 4)
    for part in (".vq-mistake", ".vq-sources:visible"):
        expect(quiz.page.locator(part)).to_contain_text(evil)
    assert quiz.page.locator(".vq img").count() == 4, "the films"
    assert quiz.page.locator(".vq [onerror]").count() == 0
    assert quiz.page.title() == "widget"


@pytest.mark.parametrize(
    "answer",
    [7, True, ["wedge"], {"point": [1, 2]}, "nonesuch", {"p-front": "nonesuch"}, ["wall", "wall"], {"frame": 9}],
)
def test_a_stored_answer_that_does_not_fit_is_an_open_question(quiz: Any, answer: Any) -> None:
    fits = {"q-numeric": 7, "q-spot": {"point": [1, 2]}}
    set_answers(quiz.page, {item["id"]: answer for item in ITEMS})
    for number, item in enumerate(ITEMS, 1):
        go(quiz.page, number)
        checked = fits.get(item["id"]) == answer and answer is not True
        expect(quiz.page.get_by_role("button", name="Check")).to_have_count(0 if checked else 1)


# ---- Saving


def test_saved_is_said_quietly(quiz: Any) -> None:
    quiz.page.get_by_label("Wedge fracture").check()
    expect(quiz.page.get_by_text("Saved", exact=True)).to_be_visible()
    expect(quiz.page.get_by_role("alert")).to_be_empty()


def test_a_silent_kernel_is_an_alarm_within_three_seconds_and_ends_with_the_acknowledgement(
    quiz: Any, path: Path
) -> None:
    page = quiz.page
    page.evaluate("kernel.dead = true")
    page.get_by_label("Wedge fracture").check()
    start = time.monotonic()
    alert = page.get_by_role("alert")
    page.wait_for_timeout(2000)
    expect(alert).to_be_empty()
    alert.get_by_text("Not saved").wait_for(timeout=2500)
    assert 2.5 < time.monotonic() - start < 3.6
    expect(alert).to_contain_text("Start this lesson")
    expect(alert).to_contain_text("Your answers stay on this page")
    expect(page.get_by_label("Wedge fracture")).to_be_checked()
    assert not path.exists()

    retry = page.get_by_role("button", name="Try saving again")
    retry.click()
    expect(alert).to_contain_text("Not saved")
    page.evaluate("kernel.dead = false")
    retry.click()
    expect(alert).to_be_empty()
    expect(retry).to_be_hidden()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert read_responses(path).answers == {"q-single": {"answer": "wedge", "certainty": None}}


def test_the_clock_of_the_alarm_starts_again_with_each_acknowledgement(quiz: Any) -> None:
    page = quiz.page
    page.evaluate("cleanUp()")
    page.clock.install()
    page.evaluate(FAKE, {"mute": True})
    alert = page.get_by_role("alert")
    page.get_by_label("Wedge fracture").check()
    page.clock.fast_forward(2000)
    page.get_by_label("Burst fracture").check()
    page.evaluate("fake.set('saved', 1)")
    page.clock.fast_forward(2000)
    expect(alert).to_be_empty()
    page.clock.fast_forward(1100)
    expect(alert).to_contain_text("Not saved")


def test_a_problem_is_shown_at_once_and_goes(quiz: Any) -> None:
    page = quiz.page
    page.evaluate("kernel.dead = true")
    page.get_by_label("Wedge fracture").check()
    quiz.push(problem="answers.json cannot be written.")
    expect(page.get_by_role("alert")).to_have_text("Not saved. answers.json cannot be written.", timeout=1500)
    expect(page.get_by_role("button", name="Try saving again")).to_be_visible()
    quiz.push(problem="", saved=page.evaluate("model.get('responses').seq"))
    expect(page.get_by_role("alert")).to_be_empty()
    quiz.push(problem="An earlier file was kept under the name answers.unreadable-1.json.")
    expect(page.get_by_role("alert")).to_contain_text("unreadable-1")
    expect(page.get_by_role("button", name="Try saving again")).to_be_hidden()


def test_a_reload_finds_the_answers(mount: Mount, path: Path) -> None:
    first = mount(QuizWidget(PRACTICE, path))
    set_answers(first.page, {"q-single": "wedge", "q-order": WRONG["q-order"]})
    assert stored(first)
    again = mount(QuizWidget(PRACTICE, path))
    expect(again.page.get_by_role("heading", name="Question 2 of 9")).to_be_visible()
    go(again.page, 1)
    expect(again.page.locator(".vq-card:visible").get_by_role("status")).to_contain_text("Right")
    expect(again.page.get_by_label("Wedge fracture")).to_be_checked()
    go(again.page, 4)
    expect(again.page.get_by_text("You had it as step 4")).to_be_visible()
    assert again.page.evaluate("kernel.saves") == 0


FAKE = """
(over) => {
    const empty = { seq: 0, student: "", answers: {}, checked: [] };
    const state = { quiz: model.get("quiz"), responses: empty, saved: 0, problem: "", ...over };
    const heard = {};
    window.fake = {
        state, heard,
        get: (name) => state[name],
        set(name, value) {
            state[name] = value;
            for (const f of heard["change:" + name] ?? []) f();
        },
        save_changes() {
            if (over.throws) throw new Error("no kernel");
            if (!over.mute) fake.set("saved", state.responses.seq);
        },
        on: (event, f) => (heard[event] ??= []).push(f),
        off: (event, f) => { heard[event] = heard[event].filter((g) => g !== f); },
    };
    window.fakeCleanUp = window.esm.default.render({ model: fake, el: document.querySelector("main") });
}
"""


def test_unsaved_answers_come_back_when_the_cell_is_run_again(quiz: Any) -> None:
    page = quiz.page
    page.evaluate("kernel.dead = true")
    page.get_by_label("Wedge fracture").check()
    page.evaluate("cleanUp()")
    page.evaluate(
        FAKE, {"responses": {"seq": 0, "student": "", "answers": {"q-numeric": {"answer": 3, "certainty": 1}}}}
    )
    expect(page.get_by_text("have been put back")).to_be_visible()
    answers = page.evaluate("fake.state.responses.answers")
    assert {item: response["answer"] for item, response in answers.items()} == {"q-single": "wedge", "q-numeric": 3}
    page.evaluate("fakeCleanUp()")
    page.evaluate(FAKE, {})
    expect(page.get_by_text("have been put back")).to_be_hidden()
    assert page.evaluate("fake.state.responses.answers") == {}, "what was acknowledged is not put back again"


def test_unsaved_answers_of_another_student_stay_away(mount: Mount, path: Path) -> None:
    quiz = mount(QuizWidget(EXAM, path))
    page = quiz.page
    page.get_by_label("Student code").fill("ann")
    page.evaluate("kernel.dead = true")
    page.get_by_label("Wedge fracture").check()
    page.evaluate("cleanUp()")
    page.evaluate(FAKE, {"responses": {"seq": 0, "student": "ben", "answers": {}}})
    assert page.evaluate("fake.state.responses.answers") == {}


@pytest.mark.parametrize("over", [{"throws": True}, {"mute": True}])
def test_a_page_without_kernel_marks_and_says_that_nothing_is_saved(quiz: Any, over: dict[str, bool]) -> None:
    page = quiz.page
    page.evaluate("cleanUp()")
    page.clock.install()
    page.evaluate(FAKE, over)
    page.get_by_label("Wedge fracture").check()
    page.locator(".vq-card:visible").get_by_label("Guess").check()
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".vq-card:visible").get_by_role("status")).to_contain_text("+1 mark")
    page.clock.fast_forward(3100)
    expect(page.get_by_role("alert")).to_contain_text("Not saved")


@pytest.mark.parametrize("over", [{"throws": True}, {"mute": True}])
def test_a_static_page_does_not_scream(quiz: Any, over: dict[str, bool]) -> None:
    page = quiz.page
    page.evaluate("cleanUp()")
    page.clock.install()
    page.evaluate(FAKE, over | {"quiz": {**PRACTICE, "saving": False}})
    page.get_by_label("Wedge fracture").check()
    page.locator(".vq-card:visible").get_by_label("Guess").check()
    page.get_by_role("button", name="Check").click()
    page.clock.fast_forward(60_000)
    expect(page.locator(".vq-card:visible").get_by_role("status")).to_contain_text("Right")
    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.get_by_text("Answers stay on this page only")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_two_views_of_one_quiz(quiz: Any) -> None:
    page = quiz.page
    page.evaluate("void (window.second = esm.default.render({ model, el: document.querySelector('main') }))")
    one, two = page.locator(".vq").nth(0), page.locator(".vq").nth(1)
    one.get_by_label("Wedge fracture").check()
    expect(two.get_by_label("Wedge fracture")).to_be_checked()
    two.get_by_label("Burst fracture").check()
    expect(one.get_by_label("Burst fracture")).to_be_checked()
    two.get_by_role("button", name="Question 3,").click()
    two.get_by_label("Your answer in %").fill("25 %")
    one.get_by_role("button", name="Question 3,").click()
    expect(one.get_by_label("Your answer in %")).to_have_value("25")
    expect(two.get_by_label("Your answer in %")).to_have_value("25 %")
    two.locator(".vq-card:visible").get_by_label("Guess").check()
    two.get_by_role("button", name="Check").click()
    expect(one.get_by_role("button", name="Try again")).to_be_visible()
    ids = page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    page.evaluate("second()")
    expect(page.locator(".vq")).to_have_count(1)
    one.get_by_role("button", name="Try again").click()
    assert stored(quiz) == {"q-single": "burst"}


def test_the_clean_up_leaves_nothing_behind(quiz: Any) -> None:
    page = quiz.page
    page.evaluate("cleanUp()")
    page.clock.install()
    page.evaluate(FAKE, {"mute": True})
    page.get_by_label("Wedge fracture").check()
    page.evaluate("fakeCleanUp()")
    assert page.evaluate("Object.values(fake.heard).flat().length") == 0
    assert page.locator("main").inner_html() == ""
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.clock.fast_forward(10_000)
    page.evaluate("fake.set('saved', 5)")
    assert not failures


def test_a_changed_quiz_is_drawn_anew(quiz: Any) -> None:
    quiz.push(quiz={**PRACTICE, "title": "Another quiz", "items": ITEMS[2:4]})
    expect(quiz.page.get_by_role("heading", name="Another quiz")).to_be_visible()
    expect(quiz.page.locator(".vq-card")).to_have_count(2)
    quiz.push(quiz={**PRACTICE, "items": []})
    expect(quiz.page.get_by_text("This quiz has no questions.")).to_be_visible()


def test_jupyter_sees_no_key_and_no_drag_of_the_quiz(quiz: Any) -> None:
    page = quiz.page
    page.evaluate(
        """() => {
            window.seen = [];
            for (const type of ["keydown", "keyup", "keypress"])
                document.addEventListener(type, (e) => seen.push(e.key));
            for (const type of ["pointerdown", "mousedown", "contextmenu", "dragstart"])
                document.addEventListener(type, (e) => seen.push(type));
        }"""
    )
    expect(page.locator(".vq")).to_have_attribute("data-lm-suppress-shortcuts", "true")
    page.get_by_label("Wedge fracture").focus()
    for key in ("d", "d", "x", "a", "b", "ArrowDown", "Enter", "Escape"):
        page.keyboard.press(key)
    go(page, 3)
    page.get_by_label("Your answer in %").fill("")
    page.keyboard.type("dd0")
    page.get_by_label("Your answer in %").click(button="right")
    assert set(page.evaluate("seen")) == {"Escape"}
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {id: 'outside'}))")
    page.locator("#outside").press("d")
    assert "d" in page.evaluate("seen"), "the listener on the document works"


# ---- Exam


@pytest.fixture
def exam_page(mount: Mount, path: Path) -> Any:
    return mount(QuizWidget(EXAM, path))


def test_an_exam_records_and_never_judges(exam_page: Any, path: Path) -> None:
    page = exam_page.page
    state = page.evaluate("JSON.stringify(model.get('quiz'))")
    assert not any(word in state for word in ('"key"', "rationale", "slips", "polygons", "tolerance"))
    expect(page.get_by_text("0 of 9 answered")).to_be_visible()
    page.get_by_label("Student code").fill("s-17")
    page.get_by_label("Burst fracture").check()
    page.locator(".vq-card:visible").get_by_label("Fairly sure").check()
    go(page, 2)
    page.get_by_label("A Schmorl node").check()
    page.get_by_label("A Schmorl node").uncheck()
    go(page, 3)
    page.get_by_label("Your answer in %").fill("30")
    page.keyboard.press("Enter")
    go(page, 4)
    page.get_by_role("button", name="Keep this order as my answer").click()
    expect(page.get_by_role("button", name="Keep this order as my answer")).to_be_hidden()
    go(page, 5)
    page.get_by_label("Only the anterior height is reduced").select_option("Wedge")
    expect(page.get_by_text("4 of 9 answered")).to_be_visible()
    go(page, 6)
    page.get_by_label("The upper vertebral body").check()
    page.locator(".vq-card:visible").get_by_role("button", name="Clear my answer").click()
    expect(page.get_by_label("The upper vertebral body")).not_to_be_checked()
    assert stored(exam_page) == {
        "q-single": "burst",
        "q-numeric": 30,
        "q-order": ["cement", "level", "observe", "needle"],
        "q-match": {"p-front": "wedge"},
    }
    found = read_responses(path)
    assert (found.student, found.answers["q-single"]["certainty"]) == ("s-17", 2)
    for name in ("Check", "Try again"):
        assert page.get_by_role("button", name=name, exact=True).count() == 0
    assert not any(word in page.locator(".vq").inner_text().lower() for word in ("not right", "correct", "marks of"))
    set_answers(page, RIGHT, checked=False)
    expect(page.get_by_text("Every question is answered. Hand in the file responses.json.")).to_be_visible()
    page.get_by_label("Student code").fill("")
    expect(page.get_by_text("Every question is answered. Enter your student code")).to_be_visible()


@pytest.mark.parametrize("code", ["two words", "é", "a" * 41, "x/y"])
def test_a_bad_student_code_gets_a_sentence_and_is_not_stored(exam_page: Any, code: str) -> None:
    field = exam_page.page.get_by_label("Student code")
    field.fill("good")
    field.fill(code)
    field.blur()
    error = exam_page.page.locator(".vq-student .vq-error")
    expect(error).to_contain_text("This is not a student code")
    assert error.get_attribute("id") in field.get_attribute("aria-describedby").split()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value(code)
    stored(exam_page)
    assert exam_page.widget.responses["student"] == ""
    field.fill(" good ")
    expect(error).to_be_hidden()
    stored(exam_page)
    assert exam_page.widget.responses["student"] == "good"


# ---- Accessibility


@pytest.fixture(scope="module")
def axe() -> Any:
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


def assert_clean(axe: Any, page: Any, place: str) -> None:
    found = axe.run(page).response
    assert not found["violations"], f"{place}: " + json.dumps(
        [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found["violations"]], indent=1
    )
    contrast = [check for check in found["passes"] if check["id"] == "color-contrast"]
    assert contrast, f"{place}: axe did not look at the contrast"


def within_page(page: Any) -> None:
    """Give the blank page the headings of a lesson around the widget."""
    page.evaluate("document.querySelector('main').insertAdjacentHTML('afterbegin', '<h1>Lesson</h1><h2>Quiz</h2>')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_practice(mount: Mount, path: Path, axe: Any, theme: str) -> None:
    quiz = mount(QuizWidget(PRACTICE, path), theme=theme)
    page = quiz.page
    within_page(page)
    for state in ("open", "error", "answered", "checked"):
        if state in ("answered", "checked"):
            set_answers(page, WRONG | {"q-single": "burst", "q-numeric": 25}, checked=state == "checked")
        for number in range(1, 10):
            go(page, number)
            if state == "error":
                page.get_by_role("button", name="Check").click()
            assert_clean(axe, page, f"question {number}, {state}, {theme}")
    page.evaluate("void esm.default.render({ model, el: document.querySelector('main') })")
    assert_clean(axe, page, f"two views, {theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_an_exam(mount: Mount, path: Path, axe: Any, theme: str) -> None:
    quiz = mount(QuizWidget(EXAM, path), theme=theme, width=360)
    page = quiz.page
    within_page(page)
    for number in range(1, 10):
        go(page, number)
        assert_clean(axe, page, f"question {number}, open, {theme}")
    page.get_by_label("Student code").fill("not good")
    page.get_by_label("Student code").blur()
    set_answers(page, RIGHT, checked=False)
    page.evaluate("kernel.dead = true")
    quiz.push(problem="The disk is full.")
    for number in range(1, 10):
        go(page, number)
        assert_clean(axe, page, f"question {number}, answered, {theme}")


def test_roles_and_names(quiz: Any) -> None:
    page = quiz.page
    expect(page.get_by_role("group", name="Practice quiz: Fracture types")).to_have_count(1)
    inputs = {"single_best_answer": "radio", "multiple_response": "checkbox"}
    for number, item in enumerate(ITEMS, 1):
        go(page, number)
        group = page.get_by_role("group", name=item["stem"], exact=True)
        expect(group).to_have_count(1)
        if item["format"] in inputs:
            for option in item["options"]:
                expect(group.get_by_role(inputs[item["format"]], name=option["text"], exact=True)).to_have_count(1)
        for step in item.get("steps", ()):
            for way in ("up", "down"):
                expect(group.get_by_role("button", name=f"Move {way}: {step['text']}", exact=True)).to_have_count(1)
        for prompt in item.get("prompts", ()):
            box = group.get_by_role("combobox", name=prompt["text"], exact=True)
            assert box.locator("option").all_inner_texts() == ["Choose …", "Wedge", "Crush", "Biconcave"]
        for region in item.get("regions", ()):
            places = group.get_by_role("group", name="Or choose the place by its description")
            expect(places.get_by_role("radio", name=region["text"], exact=True)).to_have_count(1)
        for control in item.get("task", {}).get("controls", ()) if item["format"] == "needle_path" else ():
            slider = group.get_by_role("slider", name=control["label"], exact=True)
            expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^[−\d.]+.?(mm lateral|°|mm)$"))
        if item["format"] == "stop_decision":
            for name in ("Inject 1.25 mL more", "Stop here"):
                expect(group.get_by_role("button", name=name, exact=True)).to_have_count(1)
        for decision in item.get("decisions", ()):
            most, kind = ("Choose one.", "radio") if decision["choose"] == 1 else ("Choose up to 2.", "checkbox")
            one = group.get_by_role("group", name=re.compile(rf"^[ab]\. {re.escape(decision['text'])} {most}$"))
            for option in decision["options"]:
                expect(one.get_by_role(kind, name=option["text"], exact=True)).to_have_count(1)
            expect(one.get_by_role("status")).to_have_count(1)
        if item["format"] == "numeric":
            box = group.get_by_role("textbox", name="Your answer in %", exact=True)
            expect(box).to_have_attribute("inputmode", "decimal")
        certainty = page.get_by_role("group", name="How certain are you?")
        for level in ("Guess right +1 / wrong 0", "Fairly sure right +2 / wrong −2", "Certain right +3 / wrong −6"):
            expect(certainty.get_by_role("radio", name=level, exact=True)).to_have_count(1)
        radios = page.locator(".vq-card:visible input[type=radio]").evaluate_all("all => all.map(one => one.name)")
        assert all(radios), "radios without a name are not a group"
        for name in ("Check", "Previous", "Next"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(1)


@pytest.mark.parametrize("width", [360, 1000])
def test_targets_are_large_and_nothing_scrolls_sideways(mount: Mount, path: Path, width: int) -> None:
    quiz = mount(QuizWidget(PRACTICE, path), width=width)
    page = quiz.page
    for answers in (None, WRONG):
        if answers:
            set_answers(page, answers)
        for number in range(1, 10):
            go(page, number)
            wide = page.evaluate("document.scrollingElement.scrollWidth")
            assert wide <= width, f"question {number} is {wide} px wide"
            boxes = page.locator(".vq :is(button, input, select):visible").evaluate_all(
                "all => all.map((n) => [n.outerHTML.slice(0, 80), n.getBoundingClientRect().toJSON()])"
            )
            assert boxes
            assert not [name for name, box in boxes if min(box["width"], box["height"]) < 24]


def test_long_words_do_not_widen_a_phone(mount: Mount, path: Path) -> None:
    word = "Spondylolisthesis" * 6
    long = copy.deepcopy(ITEMS)
    for item in long:
        item["stem"] = word
        for group in ("options", "steps", "prompts", "regions", "bands"):
            for part in item.get(group, ()):
                part["text"] = word
        for part in item.get("decisions", ()):
            part["text"] = word
            part["options"] = [option | {"text": word} for option in part["options"]]
        item["mistakes"] = dict.fromkeys(item.get("mistakes", {}), word)
        for part in item.get("task", {}).get("films", ()):
            part["caption"] = word
        for part in item.get("task", {}).get("controls", ()):
            part["label"] = part["unit"] = word
        item["rationales"] = dict.fromkeys(item["rationales"], word)
        item["sources"] = [word.lower()]
    quiz = mount(QuizWidget({**PRACTICE, "title": word, "items": long}, path), width=360)
    for answers in ({}, WRONG):
        set_answers(quiz.page, answers)
        for number in range(1, 10):
            go(quiz.page, number)
            assert quiz.page.evaluate("document.scrollingElement.scrollWidth") <= 360


def test_motion_stops_for_those_who_ask(quiz: Any) -> None:
    bar = quiz.page.locator(".vq-bar div")
    assert bar.evaluate("node => getComputedStyle(node).transitionDuration") != "0s"
    quiz.page.emulate_media(reduced_motion="reduce")
    assert bar.evaluate("node => getComputedStyle(node).transitionDuration") == "0s"
