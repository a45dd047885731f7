"""The report says what the statistics say, tells of nobody, and can be read by everybody. Its classes are simulated."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.pages import axe, fits
from tests.teaching.simulated_class import simulated_class, write_gradebook
from vertebra.teaching import standards as setting
from vertebra.teaching.disclosure import FEWEST
from vertebra.teaching.files import TeachingError
from vertebra.teaching.gradebook import open_gradebook, quizzes
from vertebra.teaching.lessons import lint
from vertebra.teaching.report import (
    GRADEBOOK,
    Report,
    Standards,
    below,
    load_standards,
    read_report,
    report_quiz,
    score_bins,
    signed,
    write_report,
)
from vertebra.teaching.report_figures import Curve, answer_lines, apart
from vertebra.teaching.report_page import Drawn, Table, page
from vertebra.teaching.statistics import ClassResults, TooFewError, analyse, scores

NBSP = "\u00a0"


class Reader(HTMLParser):
    """A page's words by section id, its tables by caption (rows of cells), and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: dict[str, str] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.section, self.caption, self.cell = "", "", False
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "section":
            self.section = found["aria-labelledby"]
        elif tag == "table":
            self.caption, self.rows = "", []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.cell = True
        elif tag == "caption":
            self.caption = "?"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.cell = False
        elif tag == "table":
            self.tables[self.caption] = self.rows

    def handle_data(self, data: str) -> None:
        self.words[self.section] = self.words.get(self.section, "") + data.replace(NBSP, " ")
        if self.caption == "?":
            self.caption = data
        elif self.cell:
            self.rows[-1][-1] += data.replace(NBSP, " ")


def invented_judges(results: ClassResults) -> Standards:
    """Return what seven judges who are nobody might have said."""
    k, rng = len(results.items), np.random.default_rng(1)
    values = np.clip(np.linspace(0.85, 0.4, k) + rng.normal(0, 0.08, (7, k)), 0, 1)
    ratings = setting.Ratings(tuple(f"Invented {i}" for i in range(7)), tuple(i.id for i in results.items), values)
    bounds = setting.Bounds(("Invented 1", "Invented 2"), np.array([[30.0, 60, 10, 60], [34, 62, 6, 52]]))
    return Standards(ratings, bounds)


@pytest.fixture(scope="module")
def judged() -> Standards:
    return invented_judges(simulated_class())


@pytest.fixture(scope="module")
def text(judged: Standards, tmp_path_factory: pytest.TempPathFactory) -> str:
    written = write_report(simulated_class(), tmp_path_factory.mktemp("report"), judged)
    assert written.notebook is None
    return written.html.read_text(encoding="utf-8")


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_the_table_of_questions_says_what_the_statistics_say(text: str) -> None:
    found = analyse(simulated_class())
    rows = next(rows for name, rows in Reader(text).tables.items() if name.startswith("Questions with facility"))[1:]
    assert len(rows) == len(found.items) == 12
    for row, item in zip(rows, found.items, strict=True):
        assert int(row[1]) == item.n
        assert [float(x) for x in re.findall(r"\d+", row[2])] == [
            round(100 * x) for x in (item.facility.value, item.facility.low, item.facility.high)
        ]
        correlations = [float(x.replace("−", "-")) for x in re.findall(r"−?\d\.\d\d", row[3])]
        assert correlations == pytest.approx(
            [item.correlation.value, item.correlation.low, item.correlation.high], abs=0.005
        )
        assert row[4] == ("; ".join(item.flags) or "nothing to remark")


def test_the_answers_of_each_group_are_those_counted(text: str) -> None:
    found, tables = analyse(simulated_class()), Reader(text).tables
    for place, item in enumerate(found.items, 1):
        counted = item.choices[0]
        head, *rows = tables[f"Question {place}: answers by ability group"]
        assert [int(n) for n in re.findall(r"n = (\d+)", " ".join(head))] == list(counted.sizes)
        for j, row in enumerate(rows[:-1]):
            assert ("✓ right" in row[0]) == counted.right[j]
            for cell, n, of in zip(row[1:-2], counted.counts[:, j], counted.sizes, strict=True):
                assert cell == "hidden" if np.isnan(n) else cell == f"{n:.0f} ({100 * n / of:.0f} %)"
            assert row[-2] == ("hidden" if np.isnan(counted.totals[j]) else f"{counted.totals[j]:.0f}")


def test_reliability_certainty_objectives_and_standards_say_what_was_computed(text: str, judged: Standards) -> None:
    results, read = simulated_class(), Reader(text)
    found = analyse(results)
    assert f"alpha {found.reliability.alpha.value:.2f}" in read.words["reliability"]
    assert f"measurement {found.reliability.sem:.1f}" in read.words["reliability"]
    assert f"± {1.959964 * found.reliability.sem:.0f} points" in read.words["reliability"]
    assert f"Brier score {found.calibration.brier:.3f}" in read.words["certainty"]
    for level, row in zip(found.calibration.levels, read.tables["Credit earned by certainty"][1:], strict=True):
        assert (row[2], row[3][:4]) == (str(level.n), f"{100 * level.share.value:.0f} %")
    for row, said in zip(found.objectives, read.tables["Share of the points by objective"][1:], strict=True):
        assert said[0] == row.objective
        assert said[3:] == ["hidden" if np.isnan(mean) else f"{100 * mean:.0f} %" for mean in row.means]
    assert judged.ratings is not None
    assert judged.bounds is not None
    points, facilities = [i.points for i in results.items], [i.facility.value for i in found.items]
    cut = setting.angoff(judged.ratings, points, facilities)
    assert f"Angoff's cut is {cut.cut.value:.1f} %" in read.words["pass-mark"]
    for judge in cut.judges:
        assert f"{judge.cut:.1f} %" in read.words["pass-mark"]
    hofstee = setting.hofstee(judged.bounds, 100 * scores(results))
    assert hofstee.cut is not None
    assert f"Hofstee's cut is {hofstee.cut:.1f} %" in read.words["pass-mark"]


def test_a_miskeyed_question_is_named_at_the_top_and_told_what_to_do_about(text: str) -> None:
    read = Reader(text)
    assert "The key of question 4 may be wrong" in read.words["class"]
    assert "“Invented option A of question 4” is not in the key" in read.words["each"]
    assert "vertebra quiz rekey" in read.words["each"]
    sound = Report(simulated_class(n=400, miskeyed=None, seed=11))
    assert "No key is under suspicion." in sound.show("class")._repr_html_()


def test_the_distribution_keeps_every_student_and_no_bar_of_few() -> None:
    percent = 100 * scores(simulated_class())
    bins = score_bins(percent)
    assert (bins[0][0], bins[-1][1]) == (0, 100)
    for i, (low, high, n) in enumerate(bins):
        last = i == len(bins) - 1
        assert n == ((percent >= low) & ((percent <= high) if last else (percent < high))).sum() >= FEWEST


@given(st.lists(st.floats(0, 100), min_size=20, max_size=60), st.lists(st.floats(0, 100), min_size=1, max_size=3))
def test_what_lies_below_the_cuts_tells_of_no_fewer_than_five_beside_the_distribution_and_each_other(
    values: list[float], cuts: list[float]
) -> None:
    percent = np.array(values)
    bins, counts = score_bins(percent), [int((percent < cut).sum()) for cut in cuts]
    told = set(np.cumsum([0, *(n for _, _, n in bins)]).tolist())
    for count, words in zip(counts, below(bins, counts), strict=True):
        said = [int(n) for n in re.findall(r"\d+", words)]
        assert sum(n for _, _, n in bins) == len(values) == said[-1]
        if len(said) == 2:
            assert said[0] == count
            told.add(count)
        else:
            assert said[0] <= count <= said[1]
            assert {said[0], said[1]} <= told
    assert min(np.diff(sorted(told))) >= FEWEST


# --- what it does not tell -------------------------------------------------------------------------------------------


def test_it_names_no_student(text: str) -> None:
    assert not [code for code in simulated_class().students if code in text]


def test_a_hidden_number_stands_in_no_figure_either() -> None:
    """Shares drawn or said are those of shown cells: what the table hides, the figure does not tell."""
    report, found = Report(simulated_class(n=40)), 0
    for block in report.show("each").section.blocks:
        if isinstance(block, Drawn):
            hidden = {row[0][0]: sum(cell == "hidden" for cell in row[1:-2]) for row in block.numbers.rows}
            for said in block.figure.says.split("; "):
                if said[0] in "ABCD" and ": " in said:
                    assert said.split(": ", 1)[1].count("hidden") == hidden[said[0]]
                    found += hidden[said[0]]
            drawn = sum(part.count('stroke:var(--paper, #fff);stroke-width:1"') for part in block.figure.parts)
            told = sum(len(s.split(", ")) - s.count("hidden") for s in block.figure.says.split("; ") if ": " in s)
            assert drawn == told
    assert found


def test_no_number_of_few_follows_from_all_that_the_page_says_of_a_question() -> None:
    """Linear programmes over the page's tables: what follows of a hidden number is not that it is of few."""
    results, asked = simulated_class(n=70, k=6, numeric=False), 0
    tables = Reader(page("t", "", Report(results).sections)).tables
    for place in range(1, 7):
        head, *rows = tables[f"Question {place}: answers by ability group"]
        sizes = [int(n) for n in re.findall(r"n = (\d+)", " ".join(head))]
        cells = [[None if c == "hidden" else int(c.split()[0]) for c in row[1:-1]] for row in rows]
        count, groups = len(rows), len(sizes)
        variables = np.eye(count * groups).reshape(count, groups, -1)
        known = [(variables[:, g].sum(axis=0), size) for g, size in enumerate(sizes)]
        for row, each in zip(variables, cells, strict=True):
            pairs = zip([*row, row.sum(axis=0)], each, strict=True)
            known += [(vector, value) for vector, value in pairs if value is not None]
        key = next(i for i, row in enumerate(rows) if "✓ right" in row[0])
        known.append((variables[key].sum(axis=0), round(float(results.fractions[:, place - 1].sum()))))
        a, b = (np.array(each) for each in zip(*known, strict=True))
        for vector in (variables[i, g] for i in range(count) for g in range(groups) if cells[i][g] is None):
            least, most = (linprog(sign * vector, A_eq=a, b_eq=b) for sign in (1, -1))
            follows = -most.fun - least.fun < 1 - 1e-6
            assert not follows or least.fun > FEWEST - 0.5
            asked += 1
    assert asked > 20


def test_a_rare_number_that_a_student_wrote_is_not_on_the_page(tmp_path: Path) -> None:
    results = simulated_class()
    answers = [list(row) for row in results.answers]
    wrong = next(i for i, row in enumerate(answers) if row[-1] == 63.0)
    answers[wrong][-1] = 48151.0
    results = replace(results, answers=tuple(map(tuple, answers)))
    assert "48151" in str(analyse(results).items[-1].choices[0].options)
    assert "48151" not in write_report(results, tmp_path).html.read_text(encoding="utf-8")


def test_a_class_below_twenty_is_refused_and_one_below_a_hundred_warned(tmp_path: Path) -> None:
    with pytest.raises(TooFewError, match="19 examinees"):
        write_report(simulated_class(n=19), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert "fewer than 100" in Reader(write_report(simulated_class(n=20), tmp_path).html.read_text()).words["class"]


def test_text_of_bank_and_student_is_escaped(tmp_path: Path) -> None:
    results, evil = simulated_class(), "<script>alert('&')</script>\"'"
    first = replace(results.items[3], stem=evil, parts=dict.fromkeys("abcd", evil), objectives=(evil,))
    items = (*results.items[:3], first, *results.items[4:])
    text = write_report(replace(results, items=items, title=evil), tmp_path).html.read_text(encoding="utf-8")
    assert "<script" not in text
    assert not [tag for tag, found in Reader(text).tags if tag == "script" or "onload" in found]
    assert text.count("&lt;script&gt;") > 6


def test_without_judges_it_says_how_to_ask_them(tmp_path: Path) -> None:
    report = Report(simulated_class())
    assert "--angoff FILE" in report.show("pass-mark")._repr_html_()
    assert load_standards(report.results) == Standards()


def test_the_assignment_s_pass_mark_is_said_and_gone_by_where_no_judge_was_asked(tmp_path: Path) -> None:
    results = simulated_class()
    write_gradebook(tmp_path / GRADEBOOK, results)
    with open_gradebook(tmp_path / GRADEBOOK) as book, book.transaction() as connection:
        connection.execute(quizzes.update().values(rules={"pass_mark": 55}))
    report = read_report(tmp_path / GRADEBOOK)
    sem = 1.959964 * report.analysis.reliability.sem
    shown = report.show("reliability")._repr_html_()
    assert f"assignment&#x27;s pass mark of 55.0 % that is from {55 - sem:.1f} to {55 + sem:.1f} %" in shown
    (words,) = below(report.bins, [int((100 * scores(results) < 55).sum())])
    said = report.show("pass-mark").section.says
    assert f"The assignment's pass mark is 55 % of the points; below it lie {words}" in said
    assert "the report goes by it" in said and "--angoff FILE" in said
    judged = Report(results, replace(invented_judges(results), pass_mark=55))
    assert "assignment's pass mark is 55 %" in judged.show("pass-mark").section.says
    assert "goes by it" not in judged.show("pass-mark").section.says
    assert "With Angoff&#x27;s cut of" in judged.show("reliability")._repr_html_()


# --- how it looks ----------------------------------------------------------------------------------------------------


def test_each_figure_has_a_title_a_description_and_its_numbers_in_a_table(text: str) -> None:
    tags = Reader(text).tags
    ids = [found["id"] for _, found in tags if "id" in found]
    assert len(ids) == len(set(ids))
    named = [str(found["aria-labelledby"]).split() for tag, found in tags if tag == "svg"]
    assert len(named) == 12 + 6
    assert all(set(each) <= set(ids) for each in named)
    links = [str(found["href"])[1:] for tag, found in tags if tag == "a"]
    assert set(links) <= set(ids)
    assert {f"q{i}" for i in range(1, 13)} <= set(links)
    shown = [block for each in Report(simulated_class()).sections for block in each.blocks]
    assert all(isinstance(block.numbers, Table) and block.numbers.rows for block in shown if isinstance(block, Drawn))


def test_labels_stand_apart_in_their_order() -> None:
    found = apart([50, 51, 10, 200, 199], 15, 0, 210)
    assert sorted(found) == [found[i] for i in (2, 0, 1, 4, 3)]
    assert min(np.diff(sorted(found))) >= 15
    assert max(found) <= 210


def test_no_line_is_drawn_across_a_hidden_group() -> None:
    gap = answer_lines("t", "s", ("1", "2", "3"), [Curve("A", True, (0.2, None, 0.8))])
    whole = answer_lines("t", "s", ("1", "2", "3"), [Curve("A", True, (0.2, 0.4, 0.8))])
    assert not [part for part in gap.parts if part.startswith("<path") and "fill:none" in part]
    assert [part for part in whole.parts if part.startswith("<path") and "fill:none" in part]


def test_a_number_has_a_true_minus_and_none_before_zero() -> None:
    assert (signed(-0.123, 2), signed(-0.001, 2), signed(1.5, 1)) == ("−0.12", "0.00", "1.5")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(chromium: Any, tmp_path: Path, scheme: str) -> None:
    results = simulated_class(n=60, k=4)
    written = write_report(results, tmp_path, invented_judges(results))
    shown = chromium.new_page(color_scheme=scheme, viewport={"width": 320, "height": 700})
    shown.goto(written.html.as_uri())
    assert fits(shown)
    shown.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert fits(shown)
    if scheme == "dark":
        shown.evaluate("document.body.dataset.jpThemeLight = 'false'")  # asks axe for contrast alone
    axe(shown)
    shown.close()


# --- the notebook ----------------------------------------------------------------------------------------------------


def test_the_notebook_reads_the_gradebook_and_says_the_same_in_hidden_cells_of_one_call(tmp_path: Path) -> None:
    results = simulated_class()
    write_gradebook(tmp_path / "marks" / GRADEBOOK, results)
    written = report_quiz(tmp_path / "marks", tmp_path / "report")
    assert written.notebook is not None
    notebook = nbformat.read(written.notebook, as_version=4)
    nbformat.validate(notebook)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    report = Report(results)
    opened = "report = read_report('../marks/gradebook.sqlite', 'simulated-quiz')"
    assert codes[0].source.splitlines() == ["from vertebra.teaching.report import read_report", opened]
    assert [cell.source for cell in codes[1:]] == [f"report.show({each.id!r})" for each in report.sections]
    for cell, section in zip(codes[1:], report.sections, strict=True):
        assert cell.outputs[0].data["text/plain"] == section.says
        assert cell.outputs[0].data["text/html"] == report.show(section.id)._repr_html_()
    assert all(cell.metadata.jupyter.source_hidden for cell in codes)
    assert not [code for code in results.students if code in written.notebook.read_text(encoding="utf-8")]
    assert not lint(written.notebook)
    assert written.html.read_text(encoding="utf-8") == write_report(results, tmp_path).html.read_text(encoding="utf-8")


def test_a_gradebook_without_the_quiz_a_class_too_small_and_unknown_judges_are_said_with_the_mend(
    tmp_path: Path,
) -> None:
    with pytest.raises(TeachingError, match=r"gradebook\.sqlite: there is no such gradebook; grade first"):
        read_report(tmp_path / GRADEBOOK)
    write_gradebook(tmp_path / GRADEBOOK, simulated_class())
    with pytest.raises(TeachingError, match="holds no results of other; it holds those of: simulated-quiz"):
        read_report(tmp_path / GRADEBOOK, "other")
    write_gradebook(tmp_path / GRADEBOOK, replace(simulated_class(n=19, seed=8), quiz="a-small-quiz"), start=1000)
    with pytest.raises(TeachingError, match="holds the quizzes a-small-quiz, simulated-quiz; name one with --quiz"):
        read_report(tmp_path / GRADEBOOK)
    with pytest.raises(TooFewError, match="a-small-quiz: 19 examinees"):
        read_report(tmp_path / GRADEBOOK, "a-small-quiz")
    (tmp_path / "angoff.csv").write_text("judge,sim-01\nInvented,0.5\n", encoding="utf-8")
    with pytest.raises(TeachingError, match=r"angoff\.csv"):
        read_report(tmp_path / GRADEBOOK, "simulated-quiz", angoff=tmp_path / "angoff.csv")


def test_a_figure_without_a_number_says_so() -> None:
    hidden, shown = Curve("A", True, (None, None)), Curve("B", False, (None, 0.5))
    assert "every share is hidden" in answer_lines("t", "s", ("weakest", "ablest"), [hidden]).svg("f")
    assert "every share is hidden" not in answer_lines("t", "s", ("weakest", "ablest"), [hidden, shown]).svg("f")
