"""Grade: responses files and the key give a gradebook and feedback. Files are read as data; nothing in them is run.

    OUT/gradebook.sqlite      everything: each file, each mark (or a database by its URL)
    OUT/gradebook.csv, .xlsx  one row for each graded student
    OUT/feedback/STUDENT.html one page for each graded student, unless the rules or the instructor withhold them
    OUT/set_aside.csv         every file that was not graded, why, and what to do
    OUT/set_aside/            copies of these files
    OUT/moved.csv             after a change of the key: whose mark moved

Each .json file below the submissions folder is graded or set aside, and so are responses under another name; only
copies of questions.json are passed over. Memory does not grow with the number of files.
The same files give the same marks, tables and pages, byte for byte, however often a grading was stopped on the way.
"""

import contextlib
import csv
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tqdm import tqdm

from vertebra.quiz.responses import LIMIT, STUDENT_CODE, Responses, ResponsesError, parse_responses, read_plain
from vertebra.quiz.static import counted
from vertebra.teaching.feedback import page
from vertebra.teaching.files import DEVICE, TeachingError, check_output
from vertebra.teaching.gradebook import Grading, Results, columns, marked, open_gradebook
from vertebra.teaching.key import Key, KeyFile, load_key_file
from vertebra.teaching.marking import Marked, Marker
from vertebra.teaching.result_files import cell, header, write_results
from vertebra.teaching.rules import Rules

__all__ = ["NotGraded", "Report", "grade"]

ARCHIVES = {".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".xz", ".bz2"}
COPY_LIMIT = 20_000_000  # bytes; a larger file stays where it is, so that one submission cannot fill the disk
DEEPEST = 40  # folders below the submissions; neither Python nor every system follows them without end
RESPONSES = re.compile(rb'(\xef\xbb\xbf)?\s*\{.*"format"\s*:\s*"vertebra-responses/', re.DOTALL)
QUESTIONS = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"vertebra-questions/')
STUDENT = "ask the student to open the quiz again, save, and hand in the new file"
NAME = re.compile(r"[A-Za-z0-9._@+-]{1,80}")  # of a student, given by a folder; fit for a file name on every system
BOOK = "gradebook.sqlite"
TABLES = ("gradebook.csv", "gradebook.xlsx", "set_aside.csv", "moved.csv")
FOLDERS = ("feedback", "set_aside")
WORK = ".grading-"


@dataclass(frozen=True)
class Report:
    """What became of the files, in numbers.

    graded, superseded (an attempt that another one stands for), set_aside {reason: files}; others: neither .json nor
    responses under another name. noted: graded with an entry under notes. moved: marks that the last change of the key
    moved, None if the quiz has known one key only. feedback: why there are no pages, empty if they were written.
    """

    quiz: str
    out: Path
    book: str
    graded: int
    superseded: int
    set_aside: Mapping[str, int]
    others: int
    noted: int
    moved: int | None
    feedback: str


def grade(
    key_file: Path | str,
    submissions: Path | str,
    out: Path | str,
    gradebook: Path | str | None = None,
    *,
    feedback: bool = True,
    workbook: bool = True,
    on: datetime | None = None,
    progress: bool = False,
    students: Callable[[Path], str | None] | None = None,
    times: Callable[[Path], datetime | None] | None = None,
    granted: Mapping[str, timedelta] | None = None,
    files: Iterable[Path] | None = None,
) -> Report:
    """Grade a folder of submissions, or one file, and write the results to `out`.

    gradebook: another SQLite file, or the URL of a database. feedback, workbook: False writes no pages, no
    gradebook.xlsx; `on`, the present time by default, decides whether the rules allow pages. progress: draw a bar on a
    terminal. students, times: say of a file whose it is and when it was handed in, where the road in knows better than
    the file; None is for no student, and for the time that the file states; both may raise NotGraded. granted:
    {student: time granted beyond the due time}. files: the only files below `submissions` that count, each of them
    graded or set aside, also one that is not there.

    In `out` the results of an earlier grading of the same quiz are replaced (feedback and set_aside whole), other files
    are left alone. Raises TeachingError for a key, folder, gradebook or `out` that cannot be used, OSError for one that
    cannot be read or written; a bad submission is no error, it is set aside.
    """
    keys, submissions, out = load_key_file(key_file), Path(submissions), Path(out)
    seal = _seal(keys, key_file)
    head = header([question.bank_id for question in columns(keys)], keys.certainty, keys.rules)
    _check_out(submissions, out, head, any(key.dropped for key in keys.variants))
    reader = _Reader(keys, submissions, students, times, granted, files)
    looked = reader.look_at(progress)
    first = next(looked, None)
    if first is None:
        raise TeachingError(f"{submissions}: holds no .json file to grade; name the folder with the handed-in files")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)  # other students of a shared computer may not look
    withheld = _withheld(keys.rules, feedback, on or datetime.now(UTC))
    # Everything is made in a folder of its own first, so that a crash or a full disk leaves the earlier results.
    with open_gradebook(gradebook or out / BOOK) as book, work_folder(out) as work:
        with book.grading(keys, seal) as grading:
            for entry in chain([first], looked):
                entry.into(grading)
            counts = grading.decide()
            results = grading.results()
            _write(keys, results, work, reader, submissions, pages=not withheld, workbook=workbook)
            rekeyed = results.head.rekeyed
        _swap(work, out)
    moved = counts.moved if rekeyed else None
    more = (counts.set_aside, reader.others, counts.noted, moved, withheld)
    return Report(keys.quiz, out, book.name, counts.graded, counts.superseded, *more)


def _seal(keys: KeyFile, path: Path | str) -> str:
    try:
        ids = [[question.bank_id for question in key.items] for key in keys.variants]
        if any(len(set(each)) != len(each) for each in ids):
            raise ValueError("a question of the bank is asked twice")
        return keys.seal
    except ValueError as error:
        raise TeachingError(f"{path}: is damaged ({error}); make it again with `vertebra quiz assign`") from None


def _withheld(rules: Rules, wanted: bool, now: datetime) -> str:
    """Return why no feedback pages are written, empty if they are."""
    if not wanted:
        return "not asked for"
    if rules.feedback == "never":
        return "the rules of the quiz give none"
    if rules.feedback == "after_due" and rules.due and now <= rules.due:
        return "the rules of the quiz give it after the due time"
    return ""


# --- Which files are graded -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """A file that was read and marked."""

    file: str
    build: str
    digest: str
    marked: Marked
    handed_in: str

    def into(self, grading: Grading) -> None:
        grading.add(self.file, self.build, self.digest, self.marked, self.handed_in)


@dataclass(frozen=True)
class _SetAside:
    """A file that cannot be graded: the reason in a word, what happened and the mend."""

    file: str
    reason: str
    mend: str
    student: str

    def into(self, grading: Grading) -> None:
        grading.set_aside(self.file, self.reason, self.mend, self.student)


class NotGraded(Exception):
    """A file cannot be graded: the reason in a word, and what happened with the mend."""

    def __init__(self, reason: str, mend: str, student: str = "") -> None:
        super().__init__(mend)
        self.reason, self.student = reason, student


def _walk(top: Path) -> Iterator[tuple[Path, str]]:
    """Yield (path, path below `top`) of every file, in a fixed order, and of each folder that is not entered."""
    if not top.is_dir():
        yield top, top.name
        return

    closed: list[tuple[str, str]] = []
    yield from _below(os.fspath(top), (), closed)
    yield from ((Path(path), legible(name)) for path, name in sorted(closed))


def _below(here: str, inner: tuple[str, ...], closed: list[tuple[str, str]]) -> Iterator[tuple[Path, str]]:
    try:
        with os.scandir(here) as found:
            # Names alone: a class of a hundred thousand may lie side by side.
            entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in found)
    except OSError:
        closed.append((here, "/".join(inner) or "."))
        return
    entered = len(inner) < DEEPEST
    for name, is_folder in entries:
        if not (is_folder and entered):
            yield Path(here, name), legible("/".join((*inner, name)))
    if inner and not entries and here.endswith(".json"):  # somebody takes it for a hand-in
        yield Path(here), legible("/".join(inner))
    for name, is_folder in entries:
        if is_folder and entered:
            yield from _below(f"{here}{os.sep}{name}", (*inner, name), closed)


def legible(path: str) -> str:
    """Return the name of a file, which need not be text on every system, as a report can hold it."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


class _Reader:
    """Looks at files one after the other. others: how many were of other kinds. odd: {name in reports: path}."""

    def __init__(
        self,
        keys: KeyFile,
        top: Path,
        students: Callable[[Path], str | None] | None,
        times: Callable[[Path], datetime | None] | None,
        granted: Mapping[str, timedelta] | None,
        files: Iterable[Path] | None,
    ) -> None:
        self._keys, self._top, self._students, self._times, self._granted = keys, top, students, times, granted
        self._files = None if files is None else [(path, legible(path.relative_to(top).as_posix())) for path in files]
        self._builds = {key.build: key for key in keys.variants}
        self._marker = Marker()
        self.others = 0
        self.odd: dict[str, Path] = {}

    def look_at(self, progress: bool) -> Iterator[_Read | _SetAside]:
        """Yield what became of each file that is not passed over, in a fixed order."""
        shown = progress and sys.stderr.isatty()
        total = sum(1 for _ in self._walk()) if shown else None
        for path, name in tqdm(self._walk(), "Grading", total, unit=" files", disable=not shown):
            if "\\" in name:
                self.odd[name] = path
            found: _Read | _SetAside | None
            try:
                found = self._look(path, name)
            except NotGraded as aside:
                found = _SetAside(name, aside.reason, str(aside), aside.student)
            if found is not None:
                yield found

    def _walk(self) -> Iterable[tuple[Path, str]]:
        return _walk(self._top) if self._files is None else self._files

    def _look(self, path: Path, name: str) -> _Read | None:
        """Return the marks of a file, None if it is passed over; raises NotGraded if it is not to be graded."""
        try:
            found = path.lstat()
        except FileNotFoundError:
            gone = "has vanished; put it back, unless you removed it, and grade again"
            raise NotGraded("unreadable", gone if self._files is None else f"is not there; {STUDENT}") from None
        except OSError as error:
            what = f"cannot be read ({error.strerror}); give yourself the right to read it"
            raise NotGraded("unreadable", what) from None
        suffix = path.suffix.lower()
        named = suffix == ".json" or suffix in ARCHIVES
        if not stat.S_ISREG(found.st_mode):
            if named or stat.S_ISLNK(found.st_mode) or stat.S_ISDIR(found.st_mode):
                raise _irregular(found.st_mode, name)
            self.others += 1
            return None
        # The size is judged before anything is read; only questions with large pictures are looked at all the same.
        small, raw, refused = found.st_size <= LIMIT, b"", None
        if small or path.name.startswith("questions"):
            try:
                raw = read_plain(path, LIMIT + 1 if small else 200) or b""
            except OSError as error:
                refused = error
        # Mail programs and browsers rename what they pass on: responses.json.txt, or no suffix at all.
        if not named and not refused and not (small and RESPONSES.match(raw)):
            self.others += 1
            return None
        if self._files is None and QUESTIONS.match(raw[:200]):  # students hand them in along with their answers
            return None
        if ".ipynb_checkpoints" in name.split("/"):
            what = "is an older copy that Jupyter keeps; nothing to do, the student's own file counts"
            raise NotGraded("checkpoint", what)
        if suffix in ARCHIVES:
            raise NotGraded("archive", "is an archive; unpack it into a folder of its own, and grade again")
        if refused:
            why = "no permission" if isinstance(refused, PermissionError) else refused.strerror
            raise NotGraded("unreadable", f"cannot be read ({why}); give yourself the right to read it")
        if not small or len(raw) > LIMIT:
            raise NotGraded("oversized", f"is larger than {LIMIT} bytes, which no quiz needs; {STUDENT}")
        return self._read(path, name, raw)

    def _read(self, path: Path, name: str, raw: bytes) -> _Read:
        try:
            # An answer that no question takes stays in, so that marking can give it 0 and say so.
            responses, digest = parse_responses(raw, path.name, any_answer=True)
        except ResponsesError as error:
            raise NotGraded(error.reason, str(error).removeprefix(f"{path.name}: "), self._owner(path)) from None
        student = self._owner(path) if self._students else responses.student
        if responses.quiz != self._keys.quiz:
            what = f"answers another quiz, {responses.quiz}; grade it with the key of that quiz"
            raise NotGraded("foreign", what, student)
        key = self._builds.get(responses.build)
        if key is None:
            ours = " or ".join(build[:8] for build in list(self._builds)[:4])
            what = f"answers build {responses.build[:8]} of the quiz, and the key is of build {ours}"
            mend = f"{what}; grade it with the key of that build, key-{responses.build[:8]}.json"
            raise NotGraded("wrong-build", mend, student)
        if not student and self._students:
            raise NotGraded("bad-student", "lies in the folder of no student; move it to where it belongs")
        if not student:
            what = "has no student code; ask the student to enter it in the quiz and hand in again"
            raise NotGraded("bad-student", what)
        if not STUDENT_CODE.fullmatch(student) and not NAME.fullmatch(student):
            raise NotGraded(
                "bad-student", f"the folder's student {cell(student)!r} cannot name a file; rename the folder"
            )
        return self._marked(path, name, key, responses, student, digest)

    def _owner(self, path: Path) -> str:
        return (self._students(path) or "") if self._students else ""

    def _marked(self, path: Path, name: str, key: Key, responses: Responses, student: str, digest: str) -> _Read:
        rules = self._keys.rules
        when = self._times(path) if self._times else None
        handed_in = f"{responses.saved[:-1]}:00Z" if when is None else f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        days, factor = 0, 1.0
        if rules.opens or rules.due:
            try:
                moment = when or datetime.fromisoformat(responses.saved)
            except ValueError:
                what = f"states the time {responses.saved}, which is none of the calendar; {STUDENT}"
                raise NotGraded("bad-time", what, student) from None
            if rules.is_early(moment):
                raise NotGraded("not-open", "was saved before the quiz opened; find out how that came about", student)
            days, share = rules.lateness(moment - (self._granted or {}).get(student, timedelta(0)))
            if share is None:
                what = f"was saved {responses.saved}" if when is None else f"was handed in {handed_in}"
                how = "change `due` or `late` in the assignment, run `vertebra quiz rekey`, and grade again"
                if self._granted is not None:
                    how = "grant the student an extension"
                mend = f"the rules of the quiz refuse it; to accept it, {how}"
                raise NotGraded("late", f"{what}, too late; {mend}", student)
            factor = share
        got = self._marker.mark(key, responses)
        notes = got.notes
        if student != responses.student and responses.student:
            notes = (*notes, f"the file states another student code, {responses.student}")
        if factor != 1:
            notes = (*notes, f"{counted(days, 'day')} late: {100 * factor:g} % of the points earned count")
        if (student, notes, days, factor) != (got.student, got.notes, 0, 1):
            got = replace(got, student=student, notes=notes, late_days=days, factor=factor)
        return _Read(name, key.build, digest, got, handed_in)


def _irregular(mode: int, name: str) -> NotGraded:
    if stat.S_ISLNK(mode):
        return NotGraded("link", f"is a link, which is never followed; {STUDENT}")
    if stat.S_ISDIR(mode) and name.count("/") >= DEEPEST:
        return NotGraded("unreadable", f"lies more than {DEEPEST} folders deep; move it further up, and grade again")
    if stat.S_ISDIR(mode) and not name.endswith(".json"):
        return NotGraded(
            "unreadable", "this folder cannot be opened; give yourself the right to read it, and grade again"
        )
    return NotGraded("unreadable", f"is not a plain file; {STUDENT}")


# --- What is written --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Yield a new folder in `out` that goes at the end, whatever happens."""
    work = Path(tempfile.mkdtemp(prefix=WORK, dir=out))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(
    keys: KeyFile, results: Results, work: Path, reader: _Reader, submissions: Path, pages: bool, workbook: bool
) -> None:
    """Write everything but the book into the folder `work`."""
    (work / "set_aside").mkdir()
    if pages:
        (work / "feedback").mkdir()

    def feedback(row: sa.Row[Any], rows: Sequence[sa.Row[Any]]) -> None:
        text = page(*marked(keys, row, rows))
        (work / "feedback" / page_name(row.student)).write_text(text, encoding="utf-8", newline="\n")

    def copied(row: sa.Row[Any]) -> str:
        if row.state == "superseded":
            return str(row.mend)
        path = reader.odd.get(row.file, submissions / row.file if submissions.is_dir() else submissions)
        return f"{row.mend}{_copy(path, submissions, work / 'set_aside')}"

    write_results(results, work, feedback if pages else None, copied, workbook)


def page_name(student: str) -> str:
    """Return the name of a student's feedback page."""
    # No code holds a ~. Windows takes some names for devices; what begins with a dot is hidden elsewhere.
    return f"~{student}.html" if DEVICE.fullmatch(student) or student.startswith(".") else f"{student}.html"


def _swap(work: Path, out: Path) -> None:
    """Put what was made in the place of what was there."""
    for name in TABLES:  # first, as a spreadsheet may hold them open
        if (work / name).exists():
            (work / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)
    for name in FOLDERS:
        if (out / name).exists():
            (out / name).replace(work / f"old-{name}")
        if (work / name).exists():
            (work / name).replace(out / name)
    for left in out.glob(f"{WORK}*"):  # of a grading that was killed
        if left != work:
            shutil.rmtree(left, ignore_errors=True)


def _check_out(submissions: Path, out: Path, header: Sequence[str], dropped: bool) -> None:
    check_output(out)
    if not submissions.exists():
        raise TeachingError(f"{submissions}: there is no such folder or file; name the folder with the handed-in files")
    here, there = submissions.resolve(), out.resolve()
    if there == here or here in there.parents:
        raise TeachingError(
            f"{out}: lies in the submissions, so results would be graded next time; choose another --out"
        )
    for own in (there / "feedback", there / "set_aside"):
        if own == here or own in here.parents:
            raise TeachingError(f"{submissions}: lies in {own.name} of --out, which is replaced; choose another --out")
    if out.exists() and not out.is_dir():
        raise TeachingError(f"{out}: is a file; name a folder")
    ours = [name for name in (*TABLES, *FOLDERS) if (out / name).exists()]
    if not ours:
        return
    try:
        with (out / "gradebook.csv").open(encoding="utf-8", newline="") as file:
            # The rules may be others than before; the questions are the same, but for those that no longer count.
            before, now = _questions(next(csv.reader(file), [])), _questions(header)
            same = before == now or (dropped and set(now) <= set(before))
    except (OSError, ValueError, csv.Error):
        same = False
    if not same:
        what = f"holds {', '.join(ours)}, not from an earlier grading of this quiz"
        raise TeachingError(f"{out}: {what}; choose another --out")


def _questions(header: Sequence[str]) -> list[str]:
    """Return the columns of a gradebook's head up to the total, all of it if it has none."""
    names = list(header)
    return names[: names.index("total")] if "total" in names else names


def _copy(path: Path, submissions: Path, to: Path) -> str:
    """Copy a file that was set aside, unless it is a link or not a file; return what to add to its mend."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return ""
        if found.st_size > COPY_LIMIT:
            return " (too large to be copied)"
        target = to / (path.relative_to(submissions) if submissions.is_dir() else path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target, follow_symlinks=False)
    except OSError as error:
        return f" (not copied: {error.strerror})"
    return ""
