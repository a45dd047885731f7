"""Forget a student: remove every trace of a code from a gradebook and the files made from it."""

import contextlib
import csv
from dataclasses import dataclass
from pathlib import Path

from vertebra.teaching.files import TeachingError
from vertebra.teaching.grade import BOOK, TABLES, page_name, work_folder
from vertebra.teaching.gradebook import Gradebook, open_gradebook
from vertebra.teaching.result_files import header_of, write_results


@dataclass(frozen=True)
class Forgotten:
    """What was removed of a student: submissions in the book, and files.

    handed_in: names that only you can remove. elsewhere: quizzes whose tables and pages lie in another folder.
    """

    student: str
    quizzes: tuple[str, ...]
    submissions: int
    files: tuple[Path, ...]
    handed_in: tuple[str, ...]
    elsewhere: tuple[str, ...]


def forget(student: str, out: Path | str, gradebook: Path | str | None = None) -> Forgotten:
    """Remove a student's code from the gradebook and from the results in `out`: rows, page, and copies set aside.

    What was handed in, what was downloaded or printed, and the backups of a disk or a database are out of reach. May be
    run again after a crash. Raises TeachingError if there is no such gradebook or nobody of this code in it.
    """
    out, student = Path(out), student.removeprefix("'")  # as the tables write a code that a spreadsheet would run
    if not student:  # in the book it stands for everybody whose code could not be read
        raise TeachingError("the code is empty; give the student's code")
    with open_gradebook(gradebook or out / BOOK, create=False) as book:
        quiz = _quiz_in(book, out)
        pages = [out / "feedback" / page_name(student)]
        held = book.listed(student)
        copies = [out / "set_aside" / row.file for row in held if quiz == row.quiz and row.state == "set aside"]
        files = [path for path in (*pages, *copies) if path.is_file()]
        if not held and not files and not _is_in(student, out):
            raise TeachingError(f"{book.name}: holds nobody of the code {student}; check the code, and its case")
        for path in files:  # before the book, which knows their names
            path.unlink()
        book.delete_student(student)
        if quiz:
            _write_again(book, quiz, out)
    quizzes, names = sorted({row.quiz for row in held}), tuple(row.file for row in held)
    elsewhere = tuple(name for name in quizzes if name != quiz)
    return Forgotten(student, tuple(quizzes), len(held), tuple(files), names, elsewhere)


def _quiz_in(book: Gradebook, out: Path) -> str | None:
    """Return the quiz whose results lie in `out`, None if there are none."""
    first = _first_row(out / "gradebook.csv")
    for quiz in book.quizzes() if first else ():
        with book.read(quiz) as results:
            if list(header_of(results)) == first:
                return quiz
    return None


def _first_row(path: Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, csv.Error), path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])
    return []


def _is_in(student: str, out: Path) -> bool:
    """Say whether a table in `out` still has the student, as after a crash between the book and the tables."""
    for name in TABLES:
        path = out / name
        if path.suffix == ".csv" and path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                if any(row and row[0].lstrip("'") == student for row in csv.reader(file)):
                    return True
    return False


def _write_again(book: Gradebook, quiz: str, out: Path) -> None:
    with work_folder(out) as work:
        with book.read(quiz) as results:
            workbook = (out / "gradebook.xlsx").exists()
            write_results(results, work, None, lambda row: str(row.mend), workbook)
        for name in TABLES:
            if (work / name).exists():
                (work / name).replace(out / name)
