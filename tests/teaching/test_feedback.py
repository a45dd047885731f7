from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.teaching.sample import ASSIGNMENT, BANK, BELIEF, Course, by_text, decided, neutral, write_course
from vertebra.quiz.responses import Responses
from vertebra.teaching.assign import assign
from vertebra.teaching.feedback import page
from vertebra.teaching.key import Key, load_key
from vertebra.teaching.marking import mark


class Reader(HTMLParser):
    """What a page says, by section: the words, and every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.sections: list[str] = [""]
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.sections.append("")
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and data != " ":
            self.sections[-1] += " " + data.strip()


def feedback(key: Key, answers: dict[str, Any]) -> str:
    return page(key, mark(key, Responses(key.quiz, key.build, answers, "ab12", "2026-11-21T10:05Z")))


@pytest.fixture
def wrong(course: Course) -> dict[str, Any]:
    """Answers to the sample, each wrong in part."""
    key = neutral(course.built.key)
    many, match = key["sa-many"], key["sa-match"]
    first, second, third = key["sa-order"]["key"]["key"]
    ticked = [by_text(many, "options", text) for text in ("Anterior", "Upper")]
    return {
        "sa-best": {"answer": by_text(key["sa-best"], "options", "Burst"), "certainty": 3},
        "sa-many": {"answer": ticked, "certainty": 1},
        "sa-number": {"answer": 62.5, "certainty": 2},
        "sa-order": {"answer": [second, first, third], "certainty": None},
        "sa-match": {"answer": {by_text(match, "prompts", "Half"): by_text(match, "options", "Grade 2")}},
        "sa-spot": {"answer": {"point": [70.5, 20]}},
        "sa-needle": {"answer": {"entry": 0, "convergence": 10, "descent": -2.5, "depth": 40}, "certainty": 2},
        "sa-stop": {"answer": {"frame": 0}, "certainty": 1},
        "sa-key": {"answer": decided(key["sa-key"], ["A film", "A hot drink"], ["To theatre"])},
    }


def test_each_question_shows_answer_right_answer_and_every_rationale(course: Course, wrong: dict[str, Any]) -> None:
    key = load_key(course.built.key)
    read = Reader(feedback(key, wrong))
    assert read.open == []
    head, best, many, number, order, match, spot, needle, stop, decisions = read.sections
    for words in ("Feedback: The sample quiz", "ab12", "2026-11-21 10:05 UTC", "points", "Certainty bonus"):
        assert words in head
    assert "Question 1: 0 of 1 point " in best and "Which shape has lost height in front <only>?" in best
    assert "Wedge & co ✓ Right answer Quillfeather" in best
    assert "Burst ➜ Your answer Marzipan" in best
    assert "Crush Tumbleweed" in best
    assert "very sure. Certainty marks: -6." in best
    assert "Question 2: 1 of 2 points" in many
    assert "Anterior ✓ Right answer ➜ Your answer Butterscotch" in many
    assert "Middle ✓ Right answer Dandelion" in many
    assert "Upper ➜ Your answer Honeycomb" in many
    assert "37.4519 % ✓ Right answer (accepted within 0.5 %)" in number
    assert "➜ Your answer: 62.5 % Licorice" in number and "Peppermint" in number
    assert "1. Look ✗ you put it at 2 Nutmeg" in order and "3. Move ✓ you put it at 3 Cardamom" in order
    assert "not stated, counted as not very sure. Certainty marks: 0.6667." in order
    assert "Half ✓ Right answer: Grade 3 ➜ Your answer: ✗ Grade 2 Paprika" in match
    assert "A fifth ✓ Right answer: Grade 1 ➜ Your answer: ✗ none Turmeric" in match
    assert "On the left ✓ Right answer Cinnamon" in spot and "On the right ➜ Your answer Vanilla" in spot
    assert "Cross: your point." in spot
    assert "➜ Your answer: Entry point 0 mm lateral, Turn towards the midline 10°, " in needle
    assert "Tilt towards the feet -2.5°, Depth 40 mm." in needle
    assert "Measured by the model: the canal entered by 3.125 mm; the tip at 56 %." in needle
    assert "Into the canal: 0 % of the marks ➜ Your answer Juniper" in needle and "Rosemary" not in needle
    assert "In bone all the way: 100 % of the marks ✓ Right answer Marjoram" in needle
    assert "Dashed: a good path. Solid: your path." in needle
    assert "➜ Your answer: 0 mL of cement." in stop
    assert "You stopped here: 0 mL of cement" in stop and "A good moment to stop: 2.5 mL of cement" in stop
    assert "Hardly any cement: 50 % of the marks ➜ Your answer Tarragon" in stop and "Coriander" in stop
    assert "Question 9: 0 of 1 point " in decisions
    assert "a. What do you ask for? (choose up to 2)" in decisions and "b. Where does she go? (choose one)" in decisions
    assert "✗ Earned: 0 % of this decision." in decisions
    assert "A film ✓ Right answer ➜ Your answer Bergamot" in decisions
    assert "Strength of the legs ✓ Right answer Caraway" in decisions
    assert f"A hot drink ➜ Your answer The mistake behind it: “{BELIEF}” Elderflower" in decisions
    assert "Bending over Harms the patient Fennel" in decisions
    assert "✗ Earns nothing: a choice of yours harms the patient." in decisions
    assert "To theatre ➜ Your answer Harms the patient Jasmine" in decisions
    drawn = [attributes for tag, attributes in read.tags if tag == "line"]
    # The tip at (10 - 0.1736 * 40, -30 + 0.9838 * 40, 5 + 0.043 * 40) seen from 100 mm in front.
    depth = 100 - 30 + 0.9838 * 40
    assert drawn[3]["x2"] == f"{50 - 100 * (10 - 0.1736 * 40) / depth:.1f}"
    assert drawn[3]["y2"] == f"{50 - 100 * (5 + 0.043 * 40) / depth:.1f}"
    assert all("Sources: genant1993, unreferenced" in section for section in read.sections[1:])
    cross = [attributes["d"] for tag, attributes in read.tags if tag == "path"]
    assert cross == ["M68.5 20h4M70.5 18v4"] * 2


def test_a_right_number_is_no_slip_even_where_the_tolerances_overlap(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, BANK.replace("62.5481", "38.1"))
    key = load_key(assign(file, tmp_path / "out").key)
    assert "Licorice" not in feedback(key, {"sa-number": {"answer": 37.8}})
    assert "Licorice" in feedback(key, {"sa-number": {"answer": 38.2}})


def test_each_way_to_earn_nothing_in_a_decision_is_said(course: Course) -> None:
    key, record = load_key(course.built.key), neutral(course.built.key)["sa-key"]
    everything = ["A film", "Strength of the legs", "A hot drink", "Bending over"]
    for chosen, words in [
        ((everything, ["Home"]), "Earns nothing: you chose 4, and at most 2 count."),
        (([], ["Home"]), "You did not decide; this earns nothing."),
        ((["Bending over"], ["Home"]), "Earns nothing: a choice of yours harms the patient."),
        ((["A film"], ["Home"]), "Earned: 50 % of this decision."),
    ]:
        shown = Reader(feedback(key, {"sa-key": {"answer": decided(record, *chosen)}})).sections[9]
        assert words in shown and "✓ Earned: 100 % of this decision." in shown
        assert ("The mistake behind it" in shown) == ("A hot drink" in chosen[0])
    assert "Earn" not in Reader(feedback(key, {})).sections[9]


def test_the_mistake_behind_a_region_and_a_number_is_said(tmp_path: Path, picture: None) -> None:
    bank = BANK.replace("polygon: [[60, 10]", "misconception: kzbelief, polygon: [[60, 10]")
    bank = bank.replace("value: 62.5481,", "value: 62.5481, misconception: kzbelief,")
    key = load_key(assign(write_course(tmp_path, bank), tmp_path / "out").key)
    region = next(r["id"] for r in key.items[5].public["regions"] if r["text"] == "On the right")
    for answers, said in [
        ({"sa-spot": {"answer": {"point": [70, 20]}}, "sa-number": {"answer": 62.5}}, True),
        ({"sa-spot": {"answer": {"region": region}}, "sa-number": {"answer": 62.9}}, True),
        ({"sa-spot": {"answer": {"point": [50, 20]}}, "sa-number": {"answer": 50}}, False),
    ]:
        sections = Reader(feedback(key, answers)).sections
        assert [f"The mistake behind it: “{BELIEF}”" in sections[i] for i in (3, 6)] == [said] * 2


def test_no_answer_is_said(course: Course) -> None:
    read = Reader(feedback(load_key(course.built.key), {"sa-many": {"answer": [], "certainty": 1}}))
    assert "You chose none of them." in read.sections[2]
    assert all("You gave no answer." in read.sections[i] for i in (1, 3, 4, 5, 6, 7, 8, 9))
    assert "Your answer" not in " ".join(read.sections)
    assert not [tag for tag, _ in read.tags if tag == "path"]


def test_page_needs_nothing_else_and_runs_nothing(course: Course, wrong: dict[str, Any]) -> None:
    text = feedback(load_key(course.built.key), wrong)
    read = Reader(text)
    assert text.startswith("<!doctype html>")
    assert ("html", {"lang": "en"}) in read.tags
    assert [tag for tag, _ in read.tags if tag in ("h1", "h2")] == ["h1"] + ["h2"] * 9
    assert {tag for tag, _ in read.tags} & {"script", "link", "iframe", "object", "form", "base"} == set()
    for tag, attributes in read.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert str(value).startswith("data:image/"), tag
    assert "url(" not in text and "@import" not in text and "http:" not in text and "https:" not in text


def test_whatever_comes_from_a_file_is_escaped(tmp_path: Path, picture: None) -> None:
    hostile = "<script>alert(1)</script>\\\" onload='x'"
    bank = BANK.replace("Wedge & co", f'"{hostile}"').replace('"Marzipan', f'"{hostile} Marzipan')
    bank = bank.replace("stem: Which shape has lost height in front <only>?", f'stem: "Which {hostile}?"')
    bank = bank.replace("alt: Two places on a sheet", f'alt: "{hostile}"').replace('unit: "%"', f'unit: "{hostile}"')
    file = write_course(tmp_path, bank, ASSIGNMENT.replace("The sample quiz", f'"{hostile}"'))
    key = load_key(assign(file, tmp_path / "out").key)
    plain = hostile.replace("\\", "")
    wrong_kinds: list[Any] = [plain, {plain: plain}, [plain]]
    for answer in [*wrong_kinds, 12]:
        read = Reader(feedback(key, {item.id: {"answer": answer, "certainty": 1} for item in key.items}))
        assert read.open == []
        assert "script" not in [tag for tag, _ in read.tags]
        assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    assert plain in " ".join(read.sections)


@pytest.fixture
def axe(chromium: Any) -> Iterator[Any]:
    """Return a function that shows a page in a browser and returns what axe finds wrong with it."""
    from axe_playwright_python.sync_playwright import Axe

    contexts = []

    def check(text: str, **options: Any) -> tuple[list[str], Any]:
        context = chromium.new_context(**options)
        contexts.append(context)
        shown = context.new_page()
        shown.route("http://localhost/", lambda route: route.fulfill(body=text, content_type="text/html"))
        shown.goto("http://localhost/")
        found = Axe().run(shown)
        return [violation["id"] for violation in found.response["violations"]], shown

    yield check
    for context in contexts:
        context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_in_both_schemes_and_on_a_telephone(
    course: Course, wrong: dict[str, Any], axe: Any, scheme: str
) -> None:
    text = feedback(load_key(course.built.key), {**wrong, "sa-best": {"answer": 7, "certainty": 1}})
    found, shown = axe(text, color_scheme=scheme, viewport={"width": 320, "height": 640})
    assert found == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= 320  # nothing to scroll sideways
    assert shown.get_by_role("heading", level=2).count() == 9
    assert "Dashed outline" in (shown.get_by_role("img").first.get_attribute("aria-label") or "")
    paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 25, 31)"}[scheme]
    shown.emulate_media(media="print", color_scheme=scheme)
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.browser
def test_axe_would_find_a_fault(course: Course, axe: Any) -> None:
    text = feedback(load_key(course.built.key), {}).replace('role="img"', 'role="image"').replace(' lang="en"', "")
    found, _ = axe(text)
    assert "html-has-lang" in found
