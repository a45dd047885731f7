"""Put the marks of a quiz into the gradebook of a learning management system: a CSV in Canvas's or Moodle's columns.

The roster is a CSV file of the instructor's that says who is behind a student code: a column `code`, and beside it
columns named as the system names them, such as those of its own gradebook export. It never leaves the instructor, and
neither does what is written here, for it names people.

Sources: Canvas, gradebook CSV import (Student, ID, SIS User ID, SIS Login ID, Section, assignments; a row Points
Possible); Moodle, grade import (a column that is mapped to the user, a column for each grade item).
"""

import csv
import io
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vertebra.teaching.files import TeachingError, check_output, read_table, write_text
from vertebra.teaching.marking import number
from vertebra.teaching.result_files import cell

CODE = "code"
NEEDED = ("student", "total", "maximum")  # of the gradebook.csv that `vertebra quiz grade` writes
RUN = tuple("=+-@|＝＋－＠\t\r")  # what a spreadsheet takes for the start of a formula


@dataclass(frozen=True)
class System:
    """A learning management system: its columns before the marks, and those of them by which it knows a person."""

    name: str
    columns: tuple[str, ...]
    knows_by: tuple[str, ...]


SYSTEMS: Mapping[str, System] = {
    "canvas": System(
        "Canvas",
        ("Student", "ID", "SIS User ID", "SIS Login ID", "Section"),
        ("ID", "SIS User ID", "SIS Login ID"),
    ),
    "moodle": System(
        "Moodle",
        ("First name", "Last name", "ID number", "Username", "Email address"),
        ("ID number", "Username", "Email address"),
    ),
}


@dataclass(frozen=True)
class Matched:
    """What was written, and who is not in it: codes with marks but not on the roster, people without a mark.

    report lists them; it lies beside the file.
    """

    file: Path
    report: Path
    matched: int
    unmatched: tuple[str, ...]
    without_mark: tuple[str, ...]
    maximum: str


def write_lms(system: str, gradebook: Path | str, roster: Path | str, out: Path | str, title: str) -> Matched:
    """Write the marks for Canvas or Moodle (`system`) under the title of the grade item.

    gradebook: the gradebook.csv of one quiz. Someone without a mark gets no row, so the import changes nothing for
    them. Raises TeachingError, with a line for each fault of a file, and OSError.
    """
    target, out = SYSTEMS[system], Path(out)
    if not title.strip():
        raise TeachingError("the title is empty; give the name of the grade item, as in --title 'Fracture types'")
    check_output(out, gradebook, roster)
    marks, maximum = _marks(Path(gradebook))
    people = _roster(Path(roster), target)
    unmatched = tuple(code for code in marks if code.casefold() not in people)
    given = {code.casefold(): mark for code, mark in marks.items()}
    without = tuple(row[CODE] for code, row in people.items() if code not in given)
    rows = [
        [*(cell(row.get(name, "")) for name in target.columns), given[code]]
        for code, row in people.items()
        if code in given
    ]
    if not rows:
        what = f"none of the {len(marks)} student codes with marks is on the roster"
        raise TeachingError(f"{roster}: {what}; see that its column {CODE} holds the codes that the students entered")
    heading = cell(title.strip())
    if target.name == "Canvas":
        # Canvas writes and reads this row with the four spaces.
        rows.insert(0, ["    Points Possible", *[""] * (len(target.columns) - 1), maximum])
    else:
        heading += " (Real)"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*target.columns, heading], *rows])
    report = out.with_name(f"{out.name}.report.txt")
    matched = len(given) - len(unmatched)
    lines = [
        f"{out.name} for {target.name}: {matched} with a mark, of at most {maximum} points.",
        *([f"Before you import it, give the grade item {maximum} points."] if target.name == "Moodle" else []),
        *(f"Not in the file: {code}: has marks, and is not on the roster; add a row for it" for code in unmatched),
        *(f"Not in the file: {code}: is on the roster, and no hand-in was graded" for code in without),
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, text.getvalue(), private=True)
    write_text(report, "\n".join(lines) + "\n", private=True)
    return Matched(out, report, matched, unmatched, without, maximum)


def _marks(path: Path) -> tuple[dict[str, str], str]:
    """Return {student code: total} and the maximum of a gradebook.csv."""
    header, rows = _read(path, "the gradebook.csv that `vertebra quiz grade` wrote")
    missing = [name for name in NEEDED if name not in header]
    if missing:
        what = f"has no column {', '.join(missing)}"
        raise TeachingError(f"{path}:1: {what}; name the gradebook.csv that `vertebra quiz grade` wrote")
    marks: dict[str, str] = {}
    seen: set[str] = set()
    maxima: dict[str, int] = {}
    faults = []
    for line, row in rows:
        code = row["student"].removeprefix("'")  # as the gradebook writes a code that a spreadsheet would run
        for name in ("total", "maximum"):
            if not _is_number(row[name]):
                what = f"is {reprlib.repr(row[name])}, no number; grade again, and take the file as it is written then"
                faults.append(f"{path}:{line}: {name}: {what}")
                break
        else:
            maxima.setdefault(number(float(row["maximum"])), line)
            if code.casefold() in seen:
                faults.append(f"{path}:{line}: student: {code} is there twice; keep the row that counts")
            seen.add(code.casefold())
            marks[code] = number(float(row["total"]))
    if len(maxima) > 1:
        lines = ", ".join(f"{most} in line {line}" for most, line in maxima.items())
        what = "give one quiz at a time, with the same points in every variant"
        faults.append(f"{path}:1: maximum: differs ({lines}); {what}")
    if not marks and not faults:
        faults.append(f"{path}:1: holds no marks; grade the quiz first")
    if faults:
        raise TeachingError("\n".join(faults))
    return marks, next(iter(maxima))


def _roster(path: Path, target: System) -> dict[str, dict[str, str]]:
    """Return {student code, case folded: the row of the roster}."""
    header, rows = _read(path, f"a roster with the columns {CODE} and {', '.join(target.columns)}")
    faults = []
    if CODE not in header:
        faults.append(f"{path}:1: has no column {CODE}; name the column with the student codes {CODE}")
    if not set(target.knows_by) & set(header):
        what = f"{target.name} knows nobody by it; add one of the columns {', '.join(target.knows_by)}"
        faults.append(f"{path}:1: {what}")
    if faults:
        raise TeachingError("\n".join(faults))
    people: dict[str, dict[str, str]] = {}
    lines: dict[tuple[str, str], int] = {}
    for line, row in rows:
        if target.name == "Canvas" and row.get("Student", "").strip().casefold() == "points possible":
            continue  # Canvas's own export has this row
        code = row[CODE]
        if not code:
            faults.append(f"{path}:{line}: {CODE}: is empty; enter the student's code, or remove the row")
            continue
        if not any(row.get(name) for name in target.knows_by):
            names = ", ".join(name for name in target.knows_by if name in header)
            faults.append(f"{path}:{line}: {code}: {target.name} cannot know who this is; fill in {names}")
        for name in target.knows_by:
            if row.get(name, "").startswith(RUN):
                what = f"{row[name]!r} starts as a spreadsheet's formula does"
                faults.append(f"{path}:{line}: {name}: {what}; correct it")
        for name in (CODE, *target.knows_by):
            value = row.get(name, "").casefold()
            first = lines.setdefault((name, value), line) if value else line
            if first != line:
                what = f"{row[name]} is there twice, first in line {first}; correct one of them"
                faults.append(f"{path}:{line}: {name}: {what}")
        people.setdefault(code.casefold(), row)
    if not people and not faults:
        faults.append(f"{path}:1: names nobody; add a row for each student")
    if faults:
        raise TeachingError("\n".join(faults))
    return people


def _read(path: Path, kind: str) -> tuple[Sequence[str], Iterator[tuple[int, dict[str, str]]]]:
    """Return the columns of a CSV file and its rows as (line, {column: text}); empty rows are passed over."""
    rows = read_table(path, kind)
    if not rows or not any(rows[0][1]):
        raise TeachingError(f"{path}:1: has no columns; name {kind}")
    header = rows[0][1]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise TeachingError(f"{path}:1: the column {twice[0]} is there twice; remove one of them")
    faults = [
        f"{path}:{line}: has {len(row)} cells, and the first line has {len(header)}; put text with a comma in quotes"
        for line, row in rows
        if len(row) > len(header) and any(row[len(header) :])
    ]
    if faults:
        raise TeachingError("\n".join(faults))
    full = ((line, dict(zip(header, row + [""] * len(header), strict=False))) for line, row in rows[1:] if any(row))
    return header, full


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
