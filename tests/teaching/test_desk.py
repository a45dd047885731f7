"""The instructor's commands in careless hands: nothing is lost, nothing is ignored, and whatever is wrong is said."""

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.teaching.sample import SMALL_BANK, write_small
from vertebra.cli import main
from vertebra.quiz.responses import Responses, write_responses
from vertebra.teaching.key import load_key

KEY = "desk/instructor/key.json"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a bank of one question, its assignment, and the quiz built from it on a desk."""
    monkeypatch.chdir(tmp_path)
    write_small(tmp_path)
    assert main(["quiz", "assign", "small.yml", "--out", "desk"]) == 0
    return tmp_path


def hand_in(file: str, student: str, answer: float = 5) -> None:
    key = load_key(KEY)
    path = Path("in", file)
    path.parent.mkdir(parents=True, exist_ok=True)
    answers = {key.items[0].id: {"answer": answer}}
    write_responses(path, Responses(key.quiz, key.build, answers, student, "2026-11-21T10:05Z"))


def graded(*more: str) -> int:
    return main(["quiz", "grade", KEY, "in", "--out", "marks", *more])


def rows(table: str = "gradebook") -> list[str]:
    return Path("marks", f"{table}.csv").read_text(encoding="utf-8").splitlines()[1:]


def test_an_empty_code_forgets_nobody(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in("a.json", "ab12")
    hand_in("b.json", "")  # set aside, and somebody will ask for it
    assert graded() == 0
    before = rows(), rows("set_aside")
    for nothing in ("", "'"):
        assert main(["quiz", "forget", nothing, "--out", "marks"]) == 1
        assert "the code is empty" in capsys.readouterr().err
    assert (rows(), rows("set_aside")) == before and Path("marks/set_aside/b.json").exists()


def test_a_code_is_forgotten_as_the_tables_write_it(here: Path) -> None:
    hand_in("a.json", "-ab")
    hand_in("b.json", "cd")
    assert graded() == 0
    assert rows()[0].startswith("'-ab,")
    assert main(["quiz", "forget", "'-ab", "--out", "marks"]) == 0
    assert [row[:3] for row in rows()] == ["cd,"]


def test_forgetting_says_where_else_a_code_may_be(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in("a.json", "ab")
    hand_in("b.json", "cd")
    for out in ("marks", "copy"):
        assert main(["quiz", "grade", KEY, "in", "--out", out, "--gradebook", "book.sqlite"]) == 0
    forget = ["quiz", "forget", "ab", "--gradebook", "book.sqlite", "--out"]
    Path("other").mkdir()
    assert main([*forget, "other"]) == 0
    assert "tables and pages of small: run again with the --out of their grading" in capsys.readouterr().out
    assert main([*forget, "marks"]) == 0
    assert "tables and pages" not in capsys.readouterr().out
    assert [row[:3] for row in rows()] == ["cd,"] and not Path("marks/feedback/ab.html").exists()


def test_forgetting_makes_no_workbook_that_nobody_wanted(here: Path) -> None:
    hand_in("a.json", "ab")
    hand_in("b.json", "cd")
    assert graded("--no-workbook") == 0
    assert main(["quiz", "forget", "ab", "--out", "marks"]) == 0
    assert not Path("marks/gradebook.xlsx").exists()


def test_what_only_goes_with_a_folder_is_not_ignored(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for look in (["--preview"], ["--preview-html", "page.html"]):
        for extra in (["--nbgrader", "course"], ["--force"]):
            assert main(["quiz", "assign", "small.yml", *look, *extra]) == 2
            assert "go with --out" in capsys.readouterr().err
    assert not Path("page.html").exists()


def test_a_preview_says_which_variant_it_shows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, words in ((1, "as a student sees it"), (2, "as a student of variant 1 sees it")):
        second = SMALL_BANK[SMALL_BANK.index("- id: sm-1") :].replace("sm-1", "sm-2").replace("lumbar", "thoracic")
        Path("bank.yml").write_text(SMALL_BANK + second, encoding="utf-8")
        rows = "blueprint: [{objectives: O3.2, count: 1}]"
        text = f"quiz: small\ntitle: Small\nbank: bank.yml\n{rows}\nvariants: {number}\n"
        Path("two.yml").write_text(text, encoding="utf-8")
        assert main(["quiz", "assign", "two.yml", "--preview-html", "page.html"]) == 0
        assert words in capsys.readouterr().out


def test_a_mistyped_course_is_not_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quiz", "assign", "small.yml", "--out", "other", "--nbgrader", "corse"]) == 2
    assert "corse: there is no such folder" in capsys.readouterr().err
    assert not Path("corse").exists() and not Path("other").exists()


def test_no_file_that_a_command_reads_is_written_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: Path(file).read_bytes() for file in ("small.yml", "bank.yml", KEY)}
    for file in ("small.yml", "bank.yml"):
        assert main(["quiz", "assign", "small.yml", "--preview-html", file]) == 2
        assert "ends in .html" in capsys.readouterr().err
    for to in ("moodle", "qti"):
        assert main(["quiz", "export", KEY, "--to", to, "--out", KEY]) == 1
        assert "is read by this command" in capsys.readouterr().err
    assert {file: Path(file).read_bytes() for file in before} == before


def test_no_key_and_no_mark_goes_into_the_students_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in("a.json", "ab12")
    assert graded() == 0
    commands = [
        ["export", KEY, "--to", "qti", "--out", "desk/student/key.zip"],
        ["grade", KEY, "in", "--out", "desk/student/small/marks"],
        ["report", "marks", "--out", "desk/student/report"],
        ["print", "small.yml", "--out", "desk/student"],
        ["assign", "small.yml", "--out", "desk/student/next"],
    ]
    for command in commands:
        assert main(["quiz", *command]) == 1
        assert ", which students get; choose another place" in capsys.readouterr().err
    assert sorted(path.name for path in Path("desk/student").rglob("*")) == ["questions.json", "small", "small.ipynb"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_marks_are_for_their_owner_alone(here: Path) -> None:
    hand_in("a.json", "ab12")
    assert graded("--gradebook", "book.sqlite") == 0
    assert Path("marks").stat().st_mode & 0o077 == 0
    assert Path("book.sqlite").stat().st_mode & 0o077 == 0


def test_a_folder_in_the_place_of_a_file_is_named(here: Path) -> None:
    hand_in("a.json", "ab12")
    Path("in/cd34/responses.json").mkdir(parents=True)
    Path("in/ef56").mkdir()
    assert graded() == 0
    (row,) = rows("set_aside")
    assert row.startswith("cd34/responses.json,unreadable,") and "is not a plain file" in row


def test_no_page_is_hidden(here: Path) -> None:
    hand_in("a.json", "..")
    assert graded() == 0
    assert [path.name for path in Path("marks/feedback").iterdir()] == ["~...html"]
    assert main(["quiz", "forget", "..", "--out", "marks"]) == 0
    assert not list(Path("marks/feedback").iterdir())


@pytest.mark.parametrize("url", ["://", "postgresql+psycopg://me:hush@host:port/name"])
def test_a_url_that_cannot_be_read_is_no_traceback(here: Path, capsys: pytest.CaptureFixture[str], url: str) -> None:
    hand_in("a.json", "ab12")
    assert graded("--gradebook", url) == 1
    said = capsys.readouterr().err
    assert "write it as postgresql+psycopg://user@host:5432/name" in said and "hush" not in said


def test_a_full_disk_is_named_as_one(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in("a.json", "ab12")
    assert graded() == 0
    before = rows()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    hand_in("b.json", "cd34")
    monkeypatch.setattr("xlsxwriter.workbook.Workbook._store_workbook", full)
    assert graded() == 2
    assert capsys.readouterr().err == "No space left on device; make room, and run it again\n"
    assert rows() == before and not list(Path("marks").glob(".grading-*"))


@pytest.mark.skipif(os.name == "nt", reason="Windows words its own errors differently")
def test_a_file_that_cannot_be_written_is_named_as_it_was_typed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("page.html").mkdir()
    assert main(["quiz", "assign", "small.yml", "--preview-html", "page.html"]) == 2
    assert capsys.readouterr().err.startswith("page.html: Is a directory; ")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_reader_that_has_seen_enough_is_no_error(here: Path) -> None:
    command = [sys.executable, "-m", "vertebra", "quiz", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_whose_percentage_moved_is_listed_too(here: Path) -> None:
    """A question taken out lowers the maximum, so whoever had nothing for it gains without another point."""
    second = SMALL_BANK[SMALL_BANK.index("- id: sm-1") :].replace("sm-1", "sm-2").replace("value: 5", "value: 12")
    Path("bank.yml").write_text(SMALL_BANK + second.replace("lumbar", "thoracic"), encoding="utf-8")
    assert main(["quiz", "assign", "small.yml", "--out", "desk"]) == 0
    key = load_key(KEY)
    for student, answers in {"both": (5, 12), "first": (5, 0), "none": (0, 0)}.items():
        given = {item.id: {"answer": answer} for item, answer in zip(key.items, answers, strict=True)}
        Path("in").mkdir(exist_ok=True)
        write_responses(f"in/{student}.json", Responses(key.quiz, key.build, given, student, "2026-11-21T10:05Z"))
    assert graded() == 0
    with Path("small.yml").open("a") as file:
        file.write("leave_out: [sm-2]\n")
    assert main(["quiz", "rekey", KEY, "small.yml"]) == 0
    assert graded() == 0
    assert rows("moved") == ["both,2,1,100,100,sm-2", "first,1,1,50,100,sm-2"]


def test_a_gradebook_of_another_version_is_refused_whole(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in("a.json", "ab12")
    assert graded() == 0
    before = rows()
    with sqlite3.connect("marks/gradebook.sqlite") as book:
        book.execute("alter table submission rename column notes to remarks")
    book.close()
    hand_in("b.json", "cd34")
    capsys.readouterr()
    for command in (["grade", KEY, "in", "--out", "marks"], ["forget", "ab12", "--out", "marks"]):
        assert main(["quiz", *command]) == 1
        said = capsys.readouterr().err
        assert "is of another version of the course, or another program's (no submission.notes)" in said
    assert rows() == before
