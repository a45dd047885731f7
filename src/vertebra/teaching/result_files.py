"""The gradebook as files: CSV and XLSX, written row by row, so that a class of any size takes the same memory."""

import contextlib
import csv
import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from vertebra.teaching.gradebook import Results
from vertebra.teaching.marking import bonus, number
from vertebra.teaching.rules import Rules

ASIDE = ("file", "reason", "what_to_do")
MOVED = ("student", "before", "after", "percent_before", "percent_after", "questions")
MOST_ROWS = 1_048_575  # of a sheet, below its head
PERCENT = {"percent", "certainty_bonus", "percent_plus_bonus", "percent_before", "percent_after"}
WIDTHS = {"student": 16, "saved": 18, "notes": 40, "file": 40, "digest": 66, "reason": 14, "what_to_do": 100}

Cells = list[str | float | None]


def header(items: Iterable[str], certainty: bool, rules: Rules) -> tuple[str, ...]:
    """Return the head of the gradebook; items: the bank's ids of the questions."""
    names = ["student", "saved", *items, "total", "maximum", "percent"]
    names += ["certainty_marks", "certainty_bonus", "percent_plus_bonus"] if certainty else []
    names += ["days_late"] if rules.due else []
    names += ["attempt"] if rules.attempts > 1 else []
    names += ["passed"] if rules.pass_mark is not None else []
    return (*names, "notes", "file", "digest")


def header_of(results: Results) -> tuple[str, ...]:
    """Return the head of the gradebook of results."""
    return header((item.item for item in results.items), results.head.certainty, Rules.of(results.head.rules))


def cells(results: Results, rules: Rules, row: sa.Row[Any], marks: Sequence[sa.Row[Any]]) -> Cells:
    """Return a student's row of the gradebook; None where a question was not shown."""
    points = {mark.item: mark.points for mark in marks}
    found: Cells = [row.student, row.saved, *(points.get(item.item) for item in results.items)]
    found += [row.total, row.maximum, row.percent]
    if results.head.certainty:
        accuracy = math.fsum(points.values()) / row.maximum
        gained = 100 * bonus(accuracy, row.certainty_marks / row.maximum)
        found += [row.certainty_marks, gained, min(max(row.percent + gained, 0.0), 100.0)]
    found += [row.late_days] if rules.due else []
    found += [row.attempt] if rules.attempts > 1 else []
    found += ["yes" if row.percent >= rules.pass_mark - 1e-9 else "no"] if rules.pass_mark is not None else []
    return [*found, "; ".join(row.notes), row.file, row.digest]


def write_results(
    results: Results,
    folder: Path,
    graded: Callable[[sa.Row[Any], Sequence[sa.Row[Any]]], None] | None,
    mend: Callable[[sa.Row[Any]], str],
    workbook: bool = True,
) -> None:
    """Write gradebook.csv, gradebook.xlsx, set_aside.csv and, once a key has changed, moved.csv into a folder.

    graded, if any, is called with each graded student's submission and marks; mend says what to do about another file.
    The same results give the same bytes. Without `workbook`, and for more rows than a sheet holds, there is no
    gradebook.xlsx.
    """
    rules, names = Rules.of(results.head.rules), header_of(results)
    with contextlib.ExitStack() as stack:
        book = _workbook(folder / "gradebook.xlsx") if workbook else None
        if book:
            stack.callback(_close, book)
        table = _Table(stack, folder / "gradebook.csv", names, book, "Marks")
        for row, marks in results.graded(points_only=graded is None):
            if graded:
                graded(row, marks)
            table.add(cells(results, rules, row, marks))
        aside = _Table(stack, folder / "set_aside.csv", ASIDE, book, "Set aside")
        for row in results.others():
            aside.add([row.file, row.reason, mend(row)])
        if results.head.rekeyed:
            moved = _Table(stack, folder / "moved.csv", MOVED, book, "Moved")
            for row in results.moved():
                percent = (row.percent_before, row.percent_after)
                moved.add([row.student, row.before, row.after, *percent, " ".join(row.items)])
    if book and max(table.rows, aside.rows) > MOST_ROWS:
        (folder / "gradebook.xlsx").unlink()


def _workbook(path: Path) -> Any:
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
    book = xlsxwriter.Workbook(str(path), options | {"strings_to_urls": False, "strings_to_numbers": False})
    book.set_properties({"title": "Gradebook", "created": datetime(2000, 1, 1)})
    return book


def _close(book: Any) -> None:
    try:
        book.close()
    except FileCreateError as error:  # a full disk, in the library's own words
        raise OSError(*error.args[0].args) from None


class _Table:
    """A CSV file and a sheet of the workbook that get the same rows, one after the other."""

    def __init__(self, stack: contextlib.ExitStack, path: Path, names: Sequence[str], book: Any, title: str) -> None:
        self._csv = csv.writer(stack.enter_context(path.open("w", encoding="utf-8", newline="")), lineterminator="\n")
        self._csv.writerow(names)
        self.rows, self._sheet = 0, book and book.add_worksheet(title)
        if not self._sheet:
            return
        kinds = {kind: book.add_format({"num_format": kind}) for kind in ("0", "0.0", "0.00")}
        self._formats = [kinds[_kind(name)] for name in names]
        head = book.add_format({"bold": True, "bottom": 1})
        for i, name in enumerate(names):
            self._sheet.set_column(i, i, WIDTHS.get(name, max(9, len(name) + 2)))
            self._sheet.write_string(0, i, name, head)
        self._sheet.freeze_panes(1, 1)

    def add(self, row: Cells) -> None:
        """Write a row: text as text, never as a formula; None leaves the cell empty."""
        self._csv.writerow(
            ["" if each is None else cell(each) if isinstance(each, str) else number(each) for each in row]
        )
        self.rows += 1
        if not self._sheet or self.rows > MOST_ROWS:
            return
        text, value, formats = self._sheet.write_string, self._sheet.write_number, self._formats
        for i, each in enumerate(row):
            if isinstance(each, str):
                text(self.rows, i, plain(each))
            elif each is not None:
                value(self.rows, i, each, formats[i])


def _kind(name: str) -> str:
    if name in ("days_late", "attempt"):
        return "0"
    return "0.0" if name in PERCENT else "0.00"


def plain(text: str) -> str:
    """Return a text from outside on one line, without what no file takes."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def cell(text: str) -> str:
    """Return a text from outside as a CSV cell that no spreadsheet takes for a formula, on one line."""
    text = plain(text)
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@＝＋－＠|") else text
