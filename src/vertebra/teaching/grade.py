"""Grade: responses files and the key give a gradebook and feedback. Files are read as data; nothing in them is run.

    OUT/gradebook.csv         one row for each graded student
    OUT/feedback/STUDENT.html one page for each graded student
    OUT/set_aside.csv         every file that was not graded, why, and what to do
    OUT/set_aside/            copies of these files

Each .json file below the submissions folder is graded or set aside, and so are responses under another name; only
copies of questions.json are passed over.
The same files give the same output, byte for byte.
"""

import csv
import io
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vertebra.quiz.responses import LIMIT, Responses, ResponsesError, digest, read_responses
from vertebra.teaching.feedback import page
from vertebra.teaching.files import DEVICE, TeachingError
from vertebra.teaching.key import Key, load_key
from vertebra.teaching.marking import Marked, mark, number

ARCHIVES = {".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".xz", ".bz2"}
COPY_LIMIT = 20_000_000  # bytes; a larger file stays where it is, so that one submission cannot fill the disk
DEEPEST = 40  # folders below the submissions; neither Python nor every system follows them without end
RESPONSES = re.compile(rb'(\xef\xbb\xbf)?\s*\{.*"format"\s*:\s*"vertebra-responses/', re.DOTALL)
QUESTIONS = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"vertebra-questions/')
STUDENT = "ask the student to open the quiz again, save, and hand in the new file"


@dataclass(frozen=True)
class SetAside:
    """A file that was not graded: its name below the submissions, the reason in a word, what happened and the mend."""

    file: str
    reason: str
    mend: str
    path: Path


@dataclass(frozen=True)
class Graded:
    """A file that was graded; digest is the SHA-256 that the file states of itself."""

    file: str
    digest: str
    marked: Marked


@dataclass(frozen=True)
class Report:
    """What became of the files. others counts those that are neither .json nor responses under another name."""

    quiz: str
    out: Path
    graded: tuple[Graded, ...]
    set_aside: tuple[SetAside, ...]
    others: int


def grade(key_file: Path | str, submissions: Path | str, out: Path | str) -> Report:
    """Grade a folder of submissions, or one file, and write the results to `out`.

    In `out` the results of an earlier grading of the same quiz are replaced (feedback and set_aside whole), other files
    are left alone. Raises TeachingError for a key, folder or `out` that cannot be used, OSError for one that cannot be
    read or written; a bad submission is no error, it is set aside.
    """
    key, submissions, out = load_key(key_file), Path(submissions), Path(out)
    header = _header(key)
    _check_out(submissions, out, header)
    graded, set_aside, others = sort_out(key, submissions)
    if not graded and not set_aside:
        raise TeachingError(f"{submissions}: holds no .json file to grade; name the folder with the handed-in files")
    out.mkdir(parents=True, exist_ok=True)
    # Everything is made in a folder of its own first, so that a crash or a full disk leaves the earlier results.
    work = Path(tempfile.mkdtemp(prefix=".grading-", dir=out))
    try:
        new = work / "new"
        (new / "feedback").mkdir(parents=True)
        (new / "set_aside").mkdir()
        for entry in graded:
            student = entry.marked.student
            name = f"~{student}.html" if DEVICE.fullmatch(student) else f"{student}.html"  # no code holds a ~
            (new / "feedback" / name).write_text(page(key, entry.marked), encoding="utf-8", newline="\n")
        set_aside = [_copy(entry, submissions, new / "set_aside") for entry in set_aside]
        _write_csv(new / "gradebook.csv", header, (_row(key, entry) for entry in graded))
        rows = ([cell(entry.file), entry.reason, cell(entry.mend)] for entry in set_aside)
        _write_csv(new / "set_aside.csv", ("file", "reason", "what_to_do"), rows)
        for name in ("gradebook.csv", "set_aside.csv"):  # first, as a spreadsheet may hold them open
            (new / name).replace(out / name)
        for name in ("feedback", "set_aside"):
            if (out / name).exists():
                (out / name).replace(work / name)
            (new / name).replace(out / name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Report(key.quiz, out, tuple(graded), tuple(set_aside), others)


# --- Which files are graded -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Submission:
    file: str
    path: Path
    responses: Responses
    digest: str


def sort_out(key: Key, submissions: Path) -> tuple[list[Graded], list[SetAside], int]:
    """Return what is graded, by student, what is set aside, by file, and how many files are of other kinds."""
    found: dict[str, list[_Submission]] = {}
    set_aside, others = [], 0
    for path, name in _walk(submissions):
        try:
            if _is_other(path):
                others += 1
            elif not _is_questions(path):
                responses = _read(key, path, name)
                # Some file systems take ab12.html and AB12.html for one file, and some students do too.
                submission = _Submission(name, path, responses, digest(responses.record()))
                found.setdefault(responses.student.casefold(), []).append(submission)
        except _Aside as aside:
            set_aside.append(SetAside(name, aside.reason, str(aside), path))
    graded = []
    for same in found.values():
        first, *more = sorted(same, key=lambda submission: submission.file)
        if any(other.digest != first.digest for other in more):
            for one in same:
                rest = ", ".join(other.file for other in same if other is not one)
                mend = f"other answers under the same student code: {rest}; find out which one counts, remove the rest"
                set_aside.append(SetAside(one.file, "duplicate", mend, one.path))
            continue
        for other in more:
            mend = f"the same content as {first.file}, which was graded; nothing to do"
            set_aside.append(SetAside(other.file, "identical", mend, other.path))
        graded.append(Graded(first.file, first.digest, mark(key, first.responses)))
    graded.sort(key=lambda entry: entry.marked.student)
    return graded, sorted(set_aside, key=lambda entry: entry.file), others


class _Aside(Exception):
    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(mend)
        self.reason = reason


def _walk(top: Path) -> Iterator[tuple[Path, str]]:
    """Yield (path, path below `top`) of every file, in a fixed order, and of each folder that is not entered."""
    if not top.is_dir():
        yield top, top.name
        return

    def name(path: Path) -> str:
        # A file name need not be text on every system; a report must be.
        return os.fsencode(path.relative_to(top).as_posix()).decode("utf-8", "backslashreplace")

    closed: list[Path] = []
    for folder, folders, files in os.walk(top, onerror=lambda error: closed.append(Path(os.fspath(error.filename)))):
        here = Path(folder)
        folders.sort()
        shut = [each for each in folders if os.path.islink(here / each)]  # noqa: PTH114 - pathlib raises
        if len(here.relative_to(top).parts) == DEEPEST:
            shut = folders.copy()
            folders.clear()
        for each in sorted([*files, *shut]):
            yield here / each, name(here / each)
    yield from ((path, name(path)) for path in sorted(closed))


def _is_other(path: Path) -> bool:
    """Say whether this is a plain file that neither has a name to look at nor holds responses under another name."""
    if path.suffix.lower() in {".json", *ARCHIVES}:
        return False
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return not stat.S_ISLNK(found.st_mode) and not stat.S_ISDIR(found.st_mode)
        # Mail programs and browsers rename what they pass on: responses.json.txt, or no suffix at all.
        return found.st_size > LIMIT or not RESPONSES.match(path.read_bytes())
    except OSError:
        return False


def _is_questions(path: Path) -> bool:
    """Say whether the file is a copy of questions.json, which students hand in along with their answers."""
    try:
        found = path.lstat()
        # The size is judged before anything is read; only questions with large pictures are looked at all the same.
        if not stat.S_ISREG(found.st_mode) or (found.st_size > LIMIT and not path.name.startswith("questions")):
            return False
        with path.open("rb") as file:
            return bool(QUESTIONS.match(file.read(200)))
    except OSError:
        return False


def _read(key: Key, path: Path, name: str) -> Responses:
    """Return the responses in a file; raises _Aside if it is not to be graded."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise _Aside("unreadable", "has vanished; put it back, unless you removed it, and grade again") from None
    except OSError as error:
        raise _Aside("unreadable", f"cannot be read ({error.strerror}); give yourself the right to read it") from None
    if stat.S_ISLNK(found.st_mode):
        raise _Aside("link", f"is a link, which is never followed; {STUDENT}")
    if stat.S_ISDIR(found.st_mode) and name.count("/") >= DEEPEST:
        raise _Aside("unreadable", f"lies more than {DEEPEST} folders deep; move it further up, and grade again")
    if stat.S_ISDIR(found.st_mode):
        raise _Aside("unreadable", "this folder cannot be opened; give yourself the right to read it, and grade again")
    if not stat.S_ISREG(found.st_mode):
        raise _Aside("unreadable", f"is not a plain file; {STUDENT}")
    if ".ipynb_checkpoints" in name.split("/"):
        raise _Aside("checkpoint", "is an older copy that Jupyter keeps; nothing to do, the student's own file counts")
    if path.suffix.lower() in ARCHIVES:
        raise _Aside("archive", "is an archive; unpack it into a folder of its own, and grade again")
    if not os.access(path, os.R_OK):
        raise _Aside("unreadable", "cannot be read (no permission); give yourself the right to read it")
    if found.st_size > LIMIT:
        raise _Aside("oversized", f"is larger than {LIMIT} bytes, which no quiz needs; {STUDENT}")
    try:
        # An answer that no question takes stays in, so that marking can give it 0 and say so.
        responses = read_responses(path, any_answer=True)
    except ResponsesError as error:
        raise _Aside(error.reason, str(error).removeprefix(f"{path.name}: ")) from None
    if responses.quiz != key.quiz:
        raise _Aside("foreign", f"answers another quiz, {responses.quiz}; grade it with the key of that quiz")
    if responses.build != key.build:
        what = f"answers build {responses.build[:8]} of the quiz, and the key is of build {key.build[:8]}"
        raise _Aside("wrong-build", f"{what}; grade it with the key of that build, key-{responses.build[:8]}.json")
    if not responses.student:
        raise _Aside("bad-student", "has no student code; ask the student to enter it in the quiz and hand in again")
    return responses


# --- What is written --------------------------------------------------------------------------------------------------


def _check_out(submissions: Path, out: Path, header: Sequence[str]) -> None:
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
    ours = [name for name in ("gradebook.csv", "set_aside.csv", "feedback", "set_aside") if (out / name).exists()]
    if not ours:
        return
    try:
        with (out / "gradebook.csv").open(encoding="utf-8", newline="") as file:
            same = next(csv.reader(file), []) == list(header)
    except (OSError, ValueError, csv.Error):
        same = False
    if not same:
        what = f"holds {', '.join(ours)}, not from an earlier grading of this quiz"
        raise TeachingError(f"{out}: {what}; choose another --out")


def _header(key: Key) -> tuple[str, ...]:
    certainty = ("certainty_marks", "certainty_bonus", "percent_plus_bonus") if key.certainty else ()
    items = (question.bank_id for question in key.items)
    return ("student", "saved", *items, "total", "maximum", "percent", *certainty, "notes", "file", "digest")


def _row(key: Key, entry: Graded) -> list[str]:
    marked = entry.marked
    numbers = [mark.points for mark in marked.marks] + [marked.total, marked.maximum, marked.percent]
    if key.certainty:
        numbers += [marked.certainty_marks, marked.certainty_bonus, marked.percent_plus_bonus]
    notes = cell("; ".join(marked.notes))
    return [cell(marked.student), marked.saved, *map(number, numbers), notes, cell(entry.file), entry.digest]


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def cell(text: str) -> str:
    """Return a text from outside as a CSV cell that no spreadsheet takes for a formula, on one line."""
    text = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@＝＋－＠|") else text


def _copy(entry: SetAside, submissions: Path, to: Path) -> SetAside:
    """Copy a file that was set aside, unless it is a link, not a file, too large or unreadable; return the entry."""
    try:
        found = entry.path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return entry
        if found.st_size > COPY_LIMIT:
            return replace(entry, mend=f"{entry.mend} (too large to be copied)")
        target = to / (entry.path.relative_to(submissions) if submissions.is_dir() else entry.path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.path, target, follow_symlinks=False)
    except OSError as error:
        return replace(entry, mend=f"{entry.mend} (not copied: {error.strerror})")
    return entry
