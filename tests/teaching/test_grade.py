import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.spoil import spoiled
from tests.teaching.sample import ASSIGNMENT, BANK, Course, by_text, hand_in, neutral, plain, write_course
from vertebra.quiz.responses import digest
from vertebra.teaching import grade as grading
from vertebra.teaching.assign import assign
from vertebra.teaching.files import TeachingError
from vertebra.teaching.grade import Report, grade
from vertebra.teaching.key import load_key, right_answer
from vertebra.teaching.result_files import cell


def right(key_file: Path, certainty: int | None = 2) -> dict[str, Any]:
    items = load_key(key_file).items
    return {item.id: {"answer": right_answer(item.key), "certainty": certainty} for item in items}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files but the database, which is another file each time and is compared by what is in it."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "gradebook.sqlite")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class Class:
    """A class that hands in, and its grading."""

    def __init__(self, course: Course, folder: Path) -> None:
        self.key = course.built.key
        self.student = course.built.student
        self.folder = folder / "submitted"
        self.out = folder / "graded"
        self.folder.mkdir()

    def hand_in(self, place: str, student: str, answers: dict[str, Any] | None = None, **changes: Any) -> Path:
        answers = right(self.key) if answers is None else answers
        return hand_in(self.folder / place, self.key, student, answers, **changes)

    def grade(self) -> Report:
        return grade(self.key, self.folder, self.out)

    def book(self) -> dict[str, dict[str, str]]:
        return {row["student"]: row for row in rows(self.out / "gradebook.csv")}

    def aside(self) -> dict[str, str]:
        return {row["file"]: row["reason"] for row in rows(self.out / "set_aside.csv")}


@pytest.fixture
def pupils(course: Course, tmp_path: Path) -> Class:
    return Class(course, tmp_path)


# --- Marks ------------------------------------------------------------------------------------------------------------


def test_gradebook_of_a_class(pupils: Class) -> None:
    key = neutral(pupils.key)
    pupils.hand_in("b/responses.json", "b2")
    pupils.hand_in("a/deep/er/responses.json", "a1", {}, saved="2026-11-22T08:00Z")
    one = by_text(key["sa-many"], "options", "Anterior")
    three_wrong = {"sa-many": {"answer": [one], "certainty": 1}, "sa-spot": {"answer": {"point": [20.0, 12]}}}
    pupils.hand_in("c.json", "c3", three_wrong)
    report = pupils.grade()
    text = (pupils.out / "gradebook.csv").read_text(encoding="utf-8")
    header, *lines = text.splitlines()
    items = "sa-best,sa-many,sa-number,sa-order,sa-match,sa-spot,sa-needle,sa-stop,sa-key"
    certainty = "certainty_marks,certainty_bonus,percent_plus_bonus"
    assert header == f"student,saved,{items},total,maximum,percent,{certainty},notes,file,digest"
    assert [line.rsplit(",", 1)[0] for line in lines] == [
        "a1,2026-11-22T08:00Z,0,0,0,0,0,0,0,0,0,0,10,0,0,0,0,,a/deep/er/responses.json",
        # Full marks at certainty 2 earn 20 of 30, and 2 a point instead of 3: the bonus is -10.
        "b2,2026-11-21T10:05Z,1,2,1,1,1,1,1,1,1,10,10,100,20,-10,90,,b/responses.json",
        # Three of four options right, of two points; the picture right without a certainty.
        "c3,2026-11-21T10:05Z,0,1.5,0,0,0,1,0,0,0,2.5,10,25,2.5,0,25,,c.json",
    ]
    for row in pupils.book().values():
        handed_in = json.loads((pupils.folder / row["file"]).read_text(encoding="utf-8"))
        assert row["digest"] == handed_in["digest"]
    assert sorted(path.name for path in (pupils.out / "feedback").iterdir()) == ["a1.html", "b2.html", "c3.html"]
    assert (report.graded, report.set_aside, report.others) == (3, {}, 0)
    assert rows(pupils.out / "set_aside.csv") == []


def test_what_the_quiz_saves_is_what_is_graded(pupils: Class) -> None:
    """Through the widget itself: the browser sends answers, it writes responses.json, the grader reads that."""
    from vertebra.widgets.quiz import exam

    widget = exam(pupils.student / "questions.json")
    widget.responses = {"seq": 1, "student": "ab12", "answers": right(pupils.key, certainty=3), "checked": []}
    assert (widget.saved, widget.problem) == (1, "")
    shutil.move(pupils.student / "responses.json", pupils.folder / "responses.json")
    pupils.grade()
    assert (pupils.book()["ab12"]["percent"], pupils.book()["ab12"]["certainty_marks"]) == ("100", "30")


def test_without_certainty_there_are_no_columns_of_it(tmp_path: Path, picture: None) -> None:
    built = assign(write_course(tmp_path, assignment=ASSIGNMENT.replace("true", "false")), tmp_path / "out")
    file = hand_in(tmp_path / "responses.json", built.key, "ab", right(built.key, certainty=None))
    grade(built.key, file, tmp_path / "graded")
    (row,) = rows(tmp_path / "graded" / "gradebook.csv")
    assert [name for name in row if "certainty" in name or "bonus" in name] == []
    assert row["percent"] == "100"
    assert "ertainty" not in (tmp_path / "graded" / "feedback" / "ab.html").read_text(encoding="utf-8")


def test_one_file_instead_of_a_folder(pupils: Class, tmp_path: Path) -> None:
    file = pupils.hand_in("x/responses.json", "ab")
    report = grade(pupils.key, file, tmp_path / "one")
    assert report.graded == 1
    assert [row["percent"] for row in rows(tmp_path / "one" / "gradebook.csv")] == ["100"]


def test_an_answer_of_the_wrong_kind_is_noted_and_the_rest_is_graded(pupils: Class) -> None:
    answers = right(pupils.key) | {"sa-best": {"answer": {"point": [1, 2]}, "certainty": 3}}
    pupils.hand_in("one.json", "a1", answers)
    # What no quiz would write, with a digest that fits.
    file = pupils.hand_in("two.json", "b2")
    data = json.loads(file.read_text(encoding="utf-8"))
    del data["digest"]
    data["answers"]["sa-number"] = {"answer": [["<img src=x onerror=alert(1)>"]], "certainty": 3}
    data["answers"]["sa-order"] = "all of it"
    file.write_text(json.dumps(data | {"digest": digest(data)}), encoding="utf-8")
    pupils.grade()
    book = pupils.book()
    assert (book["a1"]["total"], book["a1"]["sa-best"]) == ("9", "0")
    assert book["a1"]["notes"].startswith("sa-best: the answer cannot be read and earns 0")
    assert (book["b2"]["total"], book["b2"]["sa-number"], book["b2"]["sa-order"]) == ("8", "0", "0")
    assert pupils.aside() == {}
    page = (pupils.out / "feedback" / "b2.html").read_text(encoding="utf-8")
    assert "cannot be read" in page and "&lt;img src=x" in page and "<img src=x" not in page


# --- Every file is graded or set aside --------------------------------------------------------------------------------


def spoil(file: Path, **changes: Any) -> None:
    """Change fields of a responses file and give it a digest that fits."""
    data = json.loads(file.read_text(encoding="utf-8")) | changes
    del data["digest"]
    file.write_text(json.dumps(data | {"digest": digest(data)}), encoding="utf-8")


def test_files_that_cannot_be_graded_are_set_aside_with_reason_and_mend(pupils: Class) -> None:
    good = pupils.hand_in("good.json", "good").read_bytes()
    pupils.hand_in("cut.json", "c").write_bytes(good[: len(good) // 2])
    (pupils.folder / "empty.json").write_bytes(b"")
    (pupils.folder / "binary.json").write_bytes(b"\x00\x05\x16\x07\xff\xfe")
    (pupils.folder / "deep.json").write_text("[" * 100_000)
    (pupils.folder / "huge_number.json").write_text("9" * 10_000)
    (pupils.folder / "large.json").write_bytes(good + b" " * 1_000_001)
    (pupils.folder / "settings.json").write_text('{"theme": "dark"}')
    shutil.copy(pupils.key, pupils.folder / "key.json")
    pupils.hand_in("other_quiz.json", "o", quiz="another-quiz")
    pupils.hand_in("old_build.json", "p", build="0" * 64)
    pupils.hand_in("nobody.json", "")
    changed = good.replace(b'"good"', b'"evil"')
    (pupils.folder / "changed.json").write_bytes(changed)
    spoil(pupils.hand_in("next.json", "n"), format="vertebra-responses/2")
    spoil(pupils.hand_in("path.json", "q"), student="../../evil")
    spoil(pupils.hand_in("list.json", "r"), answers=[])
    (pupils.folder / "all.zip").write_bytes(b"PK\x03\x04")
    pupils.hand_in(".ipynb_checkpoints/good-checkpoint.json", "good", {})
    (pupils.folder / "quiz.ipynb").write_text("{}")
    shutil.copy(pupils.student / "questions.json", pupils.folder / "questions.json")
    report = pupils.grade()
    assert pupils.aside() == {
        ".ipynb_checkpoints/good-checkpoint.json": "checkpoint",
        "all.zip": "archive",
        "binary.json": "unreadable",
        "changed.json": "edited",
        "cut.json": "truncated",
        "deep.json": "unreadable",
        "empty.json": "truncated",
        "huge_number.json": "unreadable",
        "key.json": "foreign",
        "large.json": "oversized",
        "list.json": "edited",
        "next.json": "wrong-version",
        "nobody.json": "bad-student",
        "old_build.json": "wrong-build",
        "other_quiz.json": "foreign",
        "path.json": "edited",
        "settings.json": "foreign",
    }
    assert list(pupils.book()) == ["good"]
    assert report.set_aside == Counter(pupils.aside().values())
    assert report.others == 1
    assert not (pupils.out.parent / "evil").exists()
    for row in rows(pupils.out / "set_aside.csv"):
        assert len(row["what_to_do"].split()) > 5 and "\n" not in row["what_to_do"]
        assert (pupils.out / "set_aside" / row["file"]).read_bytes() == (pupils.folder / row["file"]).read_bytes()


def test_the_same_file_twice_counts_once(pupils: Class) -> None:
    first = pupils.hand_in("a/responses.json", "ab")
    shutil.copy(first, pupils.folder / "responses (1).json")
    pupils.grade()
    assert pupils.book()["ab"]["file"] == "a/responses.json"
    assert pupils.aside() == {"responses (1).json": "identical"}


@pytest.mark.parametrize("name", ["responses.json.txt", "responses", "responses.json.download"])
def test_responses_under_another_name_are_graded(pupils: Class, name: str) -> None:
    raw = pupils.hand_in(name, "ab").read_bytes()
    (pupils.folder / f"edited {name}").write_bytes(raw.replace(b'"ab"', b'"cd"'))
    (pupils.folder / "page.txt").write_text(json.dumps({"source": raw.decode()}))  # speaks of responses, holds none
    report = pupils.grade()
    assert pupils.book()["ab"]["file"] == name
    assert pupils.aside() == {f"edited {name}": "edited"}
    assert report.others == 1


def test_codes_that_windows_takes_for_devices_get_their_page(pupils: Class) -> None:
    codes = ["CON", "nul", "com1", "aux.b", "console", "."]
    for code in codes:
        pupils.hand_in(f"x{code}/responses.json", code)
    pupils.grade()
    assert set(pupils.book()) == set(codes)
    pages = {path.name for path in (pupils.out / "feedback").iterdir()}
    assert pages == {"~CON.html", "~nul.html", "~com1.html", "~aux.b.html", "console.html", "~..html"}


def test_different_files_of_one_student_are_all_left_to_the_instructor(pupils: Class) -> None:
    first = pupils.hand_in("a/responses.json", "ab")
    shutil.copy(first, pupils.folder / "copy.json")
    pupils.hand_in("b/responses.json", "ab", {})
    pupils.hand_in("c/responses.json", "cd")
    pupils.grade()
    assert list(pupils.book()) == ["cd"]
    assert pupils.aside() == dict.fromkeys(["a/responses.json", "b/responses.json", "copy.json"], "duplicate")
    mends = {row["file"]: row["what_to_do"] for row in rows(pupils.out / "set_aside.csv")}
    assert "b/responses.json" in mends["copy.json"]


def test_codes_that_differ_only_in_case_would_share_a_feedback_file(pupils: Class) -> None:
    pupils.hand_in("a.json", "AB")
    pupils.hand_in("b.json", "ab")
    pupils.hand_in("c.json", "cd")
    pupils.grade()
    assert list(pupils.book()) == ["cd"]
    assert pupils.aside() == {"a.json": "duplicate", "b.json": "duplicate"}


@pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights on Windows")
def test_links_are_never_followed_and_pipes_never_opened(pupils: Class, tmp_path: Path) -> None:
    pupils.hand_in("good.json", "good")
    outside = hand_in(tmp_path / "outside" / "responses.json", pupils.key, "outside", right(pupils.key))
    (pupils.folder / "link.json").symlink_to(outside)
    (pupils.folder / "link.txt").symlink_to(pupils.key)
    (pupils.folder / "folder").symlink_to(outside.parent)
    (pupils.folder / "loop").symlink_to(pupils.folder)
    (pupils.folder / "dangling.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(pupils.folder / "pipe.json")
    pupils.grade()
    assert list(pupils.book()) == ["good"]
    links = dict.fromkeys(["link.json", "link.txt", "folder", "loop", "dangling.json"], "link")
    assert pupils.aside() == links | {"pipe.json": "unreadable"}
    assert list((pupils.out / "set_aside").iterdir()) == []


def test_a_giant_file_is_neither_read_nor_copied(pupils: Class) -> None:
    pupils.hand_in("good.json", "good")
    with (pupils.folder / "giant.json").open("wb") as file:
        file.truncate(200_000_000_000)
    pupils.grade()
    (row,) = rows(pupils.out / "set_aside.csv")
    assert row["reason"] == "oversized" and "too large to be copied" in row["what_to_do"]
    assert not (pupils.out / "set_aside" / "giant.json").exists()


def test_questions_with_large_pictures_are_passed_over_too(pupils: Class) -> None:
    pupils.hand_in("good.json", "good")
    questions = json.loads((pupils.student / "questions.json").read_text(encoding="utf-8"))
    (pupils.folder / "questions.json").write_text(json.dumps(questions | {"instructions": "x" * 1_100_000}))
    pupils.grade()
    assert pupils.aside() == {}


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever may read everything is refused nothing"
)
def test_closed_files_and_folders_are_named(pupils: Class) -> None:
    pupils.hand_in("good.json", "good")
    closed = pupils.hand_in("closed.json", "closed")
    inside = pupils.hand_in("folder/responses.json", "inside")
    closed.chmod(0)
    inside.parent.chmod(0)
    try:
        pupils.grade()
    finally:
        inside.parent.chmod(0o700)
    assert pupils.aside() == {"closed.json": "unreadable", "folder": "unreadable"}


def test_a_folder_that_cannot_be_opened_is_named(pupils: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    pupils.hand_in("good.json", "good")
    pupils.hand_in("folder/responses.json", "inside")
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("folder"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    pupils.grade()
    assert pupils.aside() == {"folder": "unreadable"}
    assert list(pupils.book()) == ["good"]


def test_files_in_a_folder_that_may_only_be_listed_are_named(pupils: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that can be read but not entered: its files have names, and every look at them is refused."""
    pupils.hand_in("good.json", "good")
    pupils.hand_in("list/responses.json", "inside")
    (pupils.folder / "list" / "notes.txt").touch()
    lstat = os.lstat

    def refuse(path: Any, **more: Any) -> Any:
        if "list" in Path(path).parent.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return lstat(path, **more)

    monkeypatch.setattr(os, "lstat", refuse)
    monkeypatch.setattr(Path, "lstat", refuse)
    monkeypatch.setattr(Path, "stat", lambda path, **_: refuse(path))
    pupils.grade()
    assert list(pupils.book()) == ["good"]
    assert pupils.aside() == {"list/notes.txt": "unreadable", "list/responses.json": "unreadable"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no paths of this length")
def test_folders_without_end_are_not_entered(pupils: Class) -> None:
    pupils.hand_in("good.json", "good")
    pupils.hand_in("a/" * 40 + "responses.json", "deep")
    # Path by path would be too long for the system; so one folder is made, and moved into the next, again and again.
    chain = pupils.folder / "chain"
    (chain / "d").mkdir(parents=True)
    (chain / "d" / "responses.json").write_text("{")
    for _ in range(1200):
        (pupils.folder / "next").mkdir()
        chain.rename(pupils.folder / "next" / "d")
        (pupils.folder / "next").rename(chain)
    try:
        for _ in range(2):  # the second time the results of the first are replaced
            pupils.grade()
            assert set(pupils.book()) == {"good", "deep"}
            (row,) = rows(pupils.out / "set_aside.csv")
            assert row["file"].startswith("chain/d/d/") and "folders deep; move it further up" in row["what_to_do"]
    finally:  # or else pytest's own clearing up fails on it
        while (chain / "d").is_dir():
            (chain / "d").rename(pupils.folder / "next")
            chain.rmdir()
            (pupils.folder / "next").rename(chain)


def test_a_file_that_vanishes_while_grading_is_named(pupils: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    pupils.hand_in("good.json", "good")
    gone = [pupils.hand_in("gone.json", "gone"), pupils.hand_in("gone.txt", "gone2")]
    walk = grading._walk

    def then_remove(top: Path) -> Any:
        found = list(walk(top))
        for path in gone:
            path.unlink()
        return found

    monkeypatch.setattr(grading, "_walk", then_remove)
    pupils.grade()
    assert list(pupils.book()) == ["good"]
    assert pupils.aside() == {"gone.json": "unreadable", "gone.txt": "unreadable"}
    assert all("has vanished" in row["what_to_do"] for row in rows(pupils.out / "set_aside.csv"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take only names that are text")
def test_a_file_name_that_is_no_text_is_reported(pupils: Class) -> None:
    pupils.hand_in("good.json", "good")
    (pupils.folder / os.fsdecode(b"caf\xe9.json")).write_bytes(b"{")
    pupils.grade()
    assert pupils.aside() == {"caf\\xe9.json": "truncated"}
    assert len(list((pupils.out / "set_aside").iterdir())) == 1


def test_no_file_makes_the_grader_fail(pupils: Class) -> None:
    """Each byte of a good file cut away, and each byte changed: the others are graded all the same."""
    good = pupils.hand_in("good.json", "good").read_bytes()
    # Every 7th place; the file is small, and all places together take too long. Without its last line end it is whole.
    for i in range(0, len(good) - 1, 7):
        (pupils.folder / f"cut{i}.json").write_bytes(good[:i])
        (pupils.folder / f"flip{i}.json").write_bytes(good[:i] + bytes([good[i] ^ 0x15]) + good[i + 1 :])
    report = pupils.grade()
    assert list(pupils.book()) == ["good"]
    assert sum(report.set_aside.values()) == len(list(pupils.folder.iterdir())) - 1
    reasons = {row["file"]: row["reason"] for row in rows(pupils.out / "set_aside.csv")}
    assert {reason for file, reason in reasons.items() if file.startswith("cut")} == {"truncated"}


# --- Nothing is run ---------------------------------------------------------------------------------------------------


def test_nothing_that_was_handed_in_is_run(pupils: Class, tmp_path: Path) -> None:
    """Modules named like those the grader uses, a notebook and a conftest lie in the folder the command runs in."""
    pupils.hand_in("responses.json", "ab")
    marker = tmp_path / "was_run"
    code = f"open({str(marker)!r}, 'w').close()\n"
    names = ["csv", "json", "yaml", "argparse", "sitecustomize", "conftest", "html", "grade", "hashlib"]
    for name in names:
        (pupils.folder / f"{name}.py").write_text(code)
    cell = {"cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": None}
    (pupils.folder / "quiz.ipynb").write_text(json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5}))
    command = [sys.executable, "-m", "vertebra", "quiz", "grade", str(pupils.key), ".", "--out", str(pupils.out)]
    done = subprocess.run(command, cwd=pupils.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert pupils.book()["ab"]["percent"] == "100"
    assert not marker.exists()
    assert f"{len(names) + 1} files of other kinds" in done.stdout


@pytest.mark.parametrize(
    "name", ["=cmd|' C calc'!A0.json", "+1.json", "-1.json", "@SUM(A1).json", " =1.json", "a\n=1.json"]
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_no_cell_is_a_formula(pupils: Class, name: str) -> None:
    pupils.hand_in("good.json", "-1")
    (pupils.folder / name).write_text("{}")
    pupils.hand_in(f"d/{name}", "two")
    pupils.grade()
    text = (pupils.out / "set_aside.csv").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 2
    for row in [*rows(pupils.out / "set_aside.csv"), *rows(pupils.out / "gradebook.csv")]:
        for column, value in row.items():
            if column not in ("certainty_marks", "certainty_bonus"):
                assert not value.lstrip().startswith(("=", "+", "-", "@")), (column, value)
    assert "'-1" in pupils.book()


def test_cell_leaves_ordinary_text_alone() -> None:
    assert cell("a/b.json") == "a/b.json"
    assert cell("sa-1: earns 0 (x=1)") == "sa-1: earns 0 (x=1)"
    assert cell("") == ""


# --- What is written --------------------------------------------------------------------------------------------------


def test_grading_again_gives_the_same_bytes(pupils: Class, tmp_path: Path) -> None:
    for i in range(5):
        pupils.hand_in(f"{i}/responses.json", f"s{i}", dict(list(right(pupils.key).items())[:i]))
    (pupils.folder / "cut.json").write_text("{")
    pupils.grade()
    first = tree(pupils.out)
    pupils.grade()
    assert tree(pupils.out) == first
    shutil.copytree(pupils.folder, tmp_path / "moved")
    grade(pupils.key, tmp_path / "moved", tmp_path / "elsewhere")
    assert tree(tmp_path / "elsewhere") == first


def test_grading_again_forgets_who_is_gone_and_leaves_other_files(pupils: Class) -> None:
    pupils.hand_in("a.json", "a1")
    pupils.hand_in("b.json", "b2")
    (pupils.folder / "cut.json").write_text("{")
    pupils.grade()
    (pupils.out / "notes.txt").write_text("mine")
    (pupils.folder / "b.json").unlink()
    (pupils.folder / "cut.json").unlink()
    pupils.grade()
    assert set(tree(pupils.out)) == {
        "gradebook.csv",
        "gradebook.xlsx",
        "set_aside.csv",
        "feedback/a1.html",
        "notes.txt",
    }


def test_a_failure_leaves_the_earlier_results(pupils: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    pupils.hand_in("a.json", "a1")
    pupils.grade()
    before = tree(pupils.out)
    pupils.hand_in("b.json", "b2")

    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(grading, "page", full)
    with pytest.raises(OSError, match="No space"):
        pupils.grade()
    assert tree(pupils.out) == before
    assert not [path for path in pupils.out.iterdir() if path.name.startswith(".")]


def test_results_of_another_quiz_are_not_replaced(pupils: Class, tmp_path: Path) -> None:
    pupils.hand_in("a.json", "a1")
    pupils.grade()
    before = tree(pupils.out)
    (tmp_path / "other").mkdir()
    text = ASSIGNMENT.replace("all", "[sa-best]", 1).replace("{sa-many: 2}", "1")
    other = assign(write_course(tmp_path / "other", BANK, text), tmp_path / "other" / "out")
    file = hand_in(tmp_path / "other" / "responses.json", other.key, "a1", {})
    with pytest.raises(TeachingError, match="not from an earlier grading of this quiz"):
        grade(other.key, file, pupils.out)
    assert tree(pupils.out) == before
    (tmp_path / "own" / "feedback").mkdir(parents=True)
    with pytest.raises(TeachingError, match="holds feedback, not from an earlier grading"):
        grade(other.key, file, tmp_path / "own")


def test_results_never_go_where_submissions_are(pupils: Class, tmp_path: Path) -> None:
    pupils.hand_in("a.json", "a1")
    for out in (pupils.folder, pupils.folder / "graded"):
        with pytest.raises(TeachingError, match="lies in the submissions"):
            grade(pupils.key, pupils.folder, out)
    pupils.hand_in("b.json", "a1", {})
    pupils.grade()
    with pytest.raises(TeachingError, match="lies in set_aside of --out"):
        grade(pupils.key, pupils.out / "set_aside", pupils.out)
    assert set(tree(pupils.out / "set_aside")) == {"a.json", "b.json"}
    assert grade(pupils.key, pupils.folder, tmp_path).out == tmp_path  # above them is a good place


def test_a_folder_without_submissions_is_refused(pupils: Class, tmp_path: Path) -> None:
    shutil.copy(pupils.student / "questions.json", pupils.folder)
    with pytest.raises(TeachingError, match=r"holds no \.json file to grade"):
        pupils.grade()
    with pytest.raises(TeachingError, match="there is no such folder or file"):
        grade(pupils.key, tmp_path / "nowhere", pupils.out)
    assert not pupils.out.exists()


def decisions(data: dict[str, Any]) -> dict[str, Any]:
    """Return the key of the decisions of the sample's last question in a key file's data."""
    found: dict[str, Any] = data["items"][8]["key"]["decisions"]
    return found


def test_a_key_made_before_mistakes_were_named_is_read(pupils: Class) -> None:
    data = plain(pupils.key)
    for item in data["items"]:
        del item["mistakes"]
    pupils.key.write_text(json.dumps(data), encoding="utf-8")
    pupils.hand_in("one.json", "a1")
    pupils.grade()
    assert pupils.book()["a1"]["percent"] == "100"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data.update(format="vertebra-questions/1"), "its format is 'vertebra-questions/1'"),
        (lambda data: data.pop("build"), "is damaged .it lacks 'build'"),
        (lambda data: data["items"].clear(), "is damaged .no questions"),
        (lambda data: data["items"].append(data["items"][0]), "is damaged .no questions, or one of them twice"),
        (lambda data: data["items"][0].update(points="1"), "is damaged .question sa-best has the points '1'"),
        (lambda data: data["items"][0]["key"].update(key="o9"), "is damaged .there is no option 'o9'"),
        (lambda data: data["items"][3]["key"].update(key=["s1"]), "is damaged"),
        (lambda data: data["items"][4].update(key=None), "is damaged"),
        (lambda data: data.update(items=5), "is damaged"),
        (lambda data: decisions(data).pop("d1"), "is damaged .question sa-key cannot be shown"),
        (lambda data: decisions(data).clear(), "is damaged"),
        (lambda data: decisions(data)["d1"].update(choose=3), "is damaged .question sa-key cannot be shown"),
        (lambda data: decisions(data)["d1"].update(choose="2"), "is damaged"),
        (lambda data: decisions(data)["d1"]["harms"].append("o99"), "is damaged .question sa-key cannot be shown"),
        (lambda data: decisions(data)["d1"].update(harms=decisions(data)["d1"]["key"]), "is damaged .question sa-key"),
        (lambda data: decisions(data)["d1"]["options"].pop(), "is damaged"),
        (lambda data: data["items"][8]["public"]["decisions"][0].update(text=5), "is damaged"),
        (lambda data: data["items"][8]["mistakes"].update(o1=5), "is damaged"),
    ],
)
def test_another_or_damaged_key_is_refused(pupils: Class, change: Any, expected: str) -> None:
    pupils.hand_in("a.json", "a1")
    data = plain(pupils.key)
    change(data)
    pupils.key.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TeachingError, match=expected) as error:
        pupils.grade()
    assert "vertebra quiz assign" in str(error.value)


def test_no_part_of_the_key_can_be_missing_or_wrong_without_a_plain_error(pupils: Class) -> None:
    """Each part of the key file is taken out, and replaced by a number: refused, or graded; never a traceback."""
    pupils.hand_in("a.json", "a1")
    refused = 0
    for data in spoiled(plain(pupils.key), (5, None, {"x": []})):
        pupils.key.write_text(json.dumps(data), encoding="utf-8")
        try:
            grade(pupils.key, pupils.folder, pupils.out, "sqlite://", workbook=False)
        except TeachingError:
            refused += 1
    assert refused > 200
