"""The blueprint: objectives are read, questions counted, and each gap of a made-up bank is named with its mend."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.pages import axe, fits
from vertebra.cli import main
from vertebra.quiz import blueprint
from vertebra.quiz.blueprint import LEAST, MINIMA, Objective, gaps, html, lessons, parse_objectives
from vertebra.quiz.items import BankError, find_bank, load_bank
from vertebra.quiz.schema import BLOOM

FILE = """objectives:
- {id: O1.1, tier: must, bloom: remember, lesson: 01_one, text: name it}
- {id: O1.2, tier: nice, bloom: apply, lesson: 01_one, text: use it}
"""
KNOW = Objective("O1.1", "nice", "remember", "01_one", "name it")
USE = Objective("O1.2", "nice", "apply", "01_one", "use it")


@pytest.fixture(scope="module")
def read():
    return load_bank(find_bank("imaging"))


@pytest.fixture
def question(read):
    """A single best answer with four options and neither patient nor picture."""
    item = next(item for item in read.items if item.format == "single_best_answer" and len(item.options) == 4)
    return replace(item, objectives=("O1.1",), bloom="remember", vignette="", image=None)


@pytest.fixture
def bank(read):
    """Return a function that makes a bank of these questions, each with an id of its own."""

    def of(*items, lesson="01_one"):
        named = tuple(replace(item, id=f"q{i}") for i, item in enumerate(items))
        return replace(read, lesson=lesson, items=named)

    return of


def wanted(*objectives):
    return {objective.id: objective for objective in objectives}


# --- Objectives -------------------------------------------------------------------------------------------------------


def test_a_sound_file_of_objectives_is_read_in_its_order():
    first, second = parse_objectives(FILE)
    assert first == Objective("O1.1", "must", "remember", "01_one", "name it")
    assert (first.least, first.needs_patient) == (5, False)
    assert (second.least, second.needs_patient) == (1, True)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("tier: must", "tier: musst", 2, "did you mean must?"),
        ("bloom: apply", "bloom: 3", 3, "must be one of remember"),
        ("id: O1.2", "id: O1.1", 3, "the objective in line 2 has this id too; change one of them"),
        ("id: O1.2", "id: 1.2", 3, "a number of the syllabus"),
        (", text: use it", "", 3, "the field text is missing"),
        ("lesson: 01_one, text: use it", "lessen: 01_one, text: use it", 3, "did you mean lesson?"),
        ("objectives:", "objectivs:", 1, "did you mean objectives?"),
        ("{id: O1.2", "[id: O1.2", 3, "is not YAML"),
    ],
)
def test_a_wrong_file_is_told_with_line_and_mend(old, new, line, says):
    with pytest.raises(BankError) as error:
        parse_objectives(FILE.replace(old, new), "my.yml")
    assert says in str(error.value)
    assert f"my.yml:{line}: " in str(error.value)


@pytest.mark.parametrize("text", ["", "objectives: []", "just words", "objectives: {a: 1}", "- O1.1"])
def test_a_file_of_another_shape_is_no_list_of_objectives(text):
    with pytest.raises(BankError, match=r"my\.yml:1: list of objectives: "):
        parse_objectives(text, "my.yml")


# --- Counting ---------------------------------------------------------------------------------------------------------


def test_a_question_counts_for_each_objective_it_names_under_its_format_and_level(bank, question):
    both = replace(question, objectives=("O1.1", "O1.2"), bloom="apply", vignette="A woman of 70.")
    (lesson,) = lessons([bank(question, both)], wanted(KNOW, USE))
    know, use = lesson.rows
    assert dict(know.cells) == {("single_best_answer", "remember"): 1, ("single_best_answer", "apply"): 1}
    assert (know.have, know.patients, know.of("single_best_answer"), know.of("apply")) == (2, 1, 2, 1)
    assert dict(use.cells) == {("single_best_answer", "apply"): 1}


def test_matching_with_eight_options_is_extended_matching(read):
    item = next(item for item in read.items if item.format == "matching")
    options = tuple(replace(item.options[0], id=f"o{i}", text=f"Answer {i}") for i in range(8))
    assert blueprint.counted_as(replace(item, options=options)) == "extended_matching"
    assert blueprint.counted_as(replace(item, options=options[:7])) == "matching"


def test_short_names_differ_and_every_level_has_one():
    names = [*blueprint.FORMATS.values(), *blueprint.LEVELS.values()]
    assert len(set(names)) == len(names)
    assert tuple(blueprint.LEVELS) == BLOOM


# --- Gaps -------------------------------------------------------------------------------------------------------------


def objective_gaps(banks, objectives):
    return tuple(gap for gap in gaps(banks, objectives) if gap.place in objectives)


@pytest.mark.parametrize(("tier", "least"), LEAST.items())
def test_an_objective_wants_as_many_questions_as_its_tier_says(bank, question, tier, least):
    objective = wanted(replace(KNOW, tier=tier))
    assert objective_gaps([bank(*[question] * least)], objective) == ()
    (gap,) = objective_gaps([bank(*[question] * (least - 1))], objective)
    assert gap.place == "O1.1"
    assert gap.mend == "write 1 more on: name it"


def test_an_objective_that_is_applied_wants_a_patient(bank, question):
    about = replace(question, objectives=("O1.2",))
    (gap,) = objective_gaps([bank(about)], wanted(USE))
    assert "no question is about a patient" in gap.what
    assert objective_gaps([bank(replace(about, vignette="A man of 80."))], wanted(USE)) == ()
    assert objective_gaps([bank(replace(about, format="key_feature"))], wanted(USE)) == ()
    assert objective_gaps([bank(question)], wanted(KNOW)) == ()


@pytest.mark.parametrize("minimum", MINIMA, ids=lambda minimum: minimum.kind)
def test_the_course_misses_each_kind_by_one(bank, question, read, minimum):
    """A bank that has one question too few of a kind has that gap, and one more closes it."""
    option = question.options[0]
    kinds = {
        "questions": question,
        "questions with an image": replace(question, image=next(item.image for item in read.items if item.image)),
        "ordering questions": replace(question, format="ordering"),
        "extended matching questions": replace(question, format="matching", options=(option,) * 8),
        "numeric questions": replace(question, format="numeric"),
        "key-feature cases": replace(question, format="key_feature"),
    }
    item = kinds[minimum.kind]

    def named(many):
        what = f"{many} of {minimum.least} {minimum.kind}"
        return what in [gap.what for gap in gaps([bank(*[item] * many)], wanted(KNOW))]

    assert named(minimum.least - 1)
    assert not named(minimum.least)


def test_a_lesson_wants_twelve_questions_in_three_formats(bank, question):
    other, third = replace(question, format="ordering"), replace(question, format="numeric")

    def missing(*items):
        return [gap.what for gap in gaps([bank(*items)], wanted(KNOW)) if gap.place == "01_one"]

    assert missing(*[question] * 10, other, third) == []
    assert missing(*[question] * 9, other, third) == ["11 questions of the 12 that a lesson needs"]
    assert missing(*[question] * 11, other) == ["2 formats of the 3 that a lesson needs"]


def test_a_lesson_without_a_bank_is_a_gap(bank, question):
    elsewhere = bank(*[question] * 12, lesson="02_two")
    assert "0 questions of the 12 that a lesson needs" in [
        gap.what for gap in gaps([elsewhere], wanted(KNOW)) if gap.place == "01_one"
    ]


@pytest.mark.parametrize(("options", "named"), [(2, True), (3, False), (4, False), (5, True)])
def test_a_single_best_answer_has_three_or_four_options(bank, question, options, named):
    item = replace(question, options=(*question.options, question.options[0])[:options])
    assert ("q0" in [gap.place for gap in gaps([bank(item)], wanted(KNOW))]) == named


# --- Drawing ----------------------------------------------------------------------------------------------------------


def test_the_drawing_fits_the_terminal_and_says_gap_in_words(bank, question):
    drawn = blueprint.drawing([bank(question)], wanted(KNOW, USE)).splitlines()
    assert max(map(len, drawn)) <= blueprint.WIDTH
    (know,) = (line for line in drawn if line.startswith("  O1.1"))
    (use,) = (line for line in drawn if line.startswith("  O1.2"))
    assert "GAP" not in know and use.endswith("GAP")
    assert know.split("|")[0].split() == ["O1.1", "nice", "1", "1", "█", "1", *"·" * 9]
    assert drawn[-1] == f"2 objectives, 1 question, {len(gaps([bank(question)], wanted(KNOW, USE)))} gaps"


class Cells(HTMLParser):
    """The cells of a page: tag, attributes, words."""

    def __init__(self, text):
        super().__init__()
        self.cells = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag in ("td", "th"):
            self.cells.append((tag, dict(attrs), ""))

    def handle_data(self, data):
        if self.cells:
            tag, attrs, words = self.cells[-1]
            self.cells[-1] = (tag, attrs, words + data)


def test_on_the_page_each_header_says_what_it_heads_and_each_heat_cell_has_its_number(bank, question):
    text = html([bank(replace(question, stem="<b>?"))], wanted(replace(KNOW, text="a <b> & c"), USE))
    cells = Cells(text).cells
    assert all("scope" in attrs for tag, attrs, _ in cells if tag == "th")
    heat = [words for _, attrs, words in cells if "heat" in attrs.get("class", "")]
    assert heat and all(words.isdigit() and int(words) for words in heat)
    assert "a &lt;b&gt; &amp; c" in text and "a <b>" not in text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_telephone_and_axe_finds_nothing(chromium, tmp_path, scheme):
    file = tmp_path / "blueprint.html"
    file.write_text(html(), encoding="utf-8")
    page = chromium.new_page(color_scheme=scheme, viewport={"width": 320, "height": 700})
    page.goto(file.as_uri())
    assert fits(page)
    axe(page)
    page.close()


def test_the_command_names_the_gaps_and_ends_with_one(monkeypatch, capsys, tmp_path, bank, question):
    monkeypatch.setattr(blueprint, "practice_banks", lambda: (bank(question),))
    assert main(["quiz", "blueprint"]) == 1
    assert "GAP course: 1 of 240 questions; write 239 more" in capsys.readouterr().out
    page = tmp_path / "blueprint.html"
    assert main(["quiz", "blueprint", "--html", str(page)]) == 1
    assert "course: 1 of 240 questions; write 239 more" in capsys.readouterr().out
    assert "<li>course: 1 of 240 questions; write 239 more</li>" in page.read_text(encoding="utf-8")
    monkeypatch.setattr(blueprint, "gaps", lambda: ())
    assert main(["quiz", "blueprint"]) == 0
