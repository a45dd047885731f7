"""The gradebook: rules, attempts, variants, changed keys, one student forgotten, and a grading killed on its way."""

import csv
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from tests.teaching.sample import Course, hand_in
from vertebra.cli import main
from vertebra.quiz.responses import Responses, digest
from vertebra.quiz.scoring import score
from vertebra.teaching import gradebook as books
from vertebra.teaching.files import TeachingError
from vertebra.teaching.forget import forget
from vertebra.teaching.grade import Report, grade
from vertebra.teaching.gradebook import in_bank_ids, in_neutral_ids, open_gradebook
from vertebra.teaching.key import KeyFile, load_key_file, right_answer
from vertebra.teaching.marking import Marker, mark
from vertebra.teaching.rules import Rules


class Desk:
    """The sample quiz under given rules, a folder of hand-ins, and its results."""

    def __init__(self, course: Course, folder: Path) -> None:
        self.key, self.folder, self.out = course.built.key, folder / "submitted", folder / "graded"

    def rules(self, **rules: Any) -> None:
        keys = load_key_file(self.key)
        self.write(KeyFile(keys.quiz, keys.title, keys.certainty, Rules.of(rules), keys.variants))

    def write(self, keys: KeyFile) -> None:
        self.key.write_text(keys.text(), encoding="utf-8")

    def hand_in(self, place: str, student: str, right: int, saved: str = "2026-11-21T10:05Z", **more: Any) -> Path:
        """Hand in with so many of the questions answered, these rightly."""
        (key,) = load_key_file(self.key).variants
        answers = {item.id: {"answer": right_answer(item.key), "certainty": 2} for item in key.items[:right]}
        return hand_in(self.folder / place, self.key, student, answers, saved, **more)

    def grade(self, **options: Any) -> Report:
        return grade(self.key, self.folder, self.out, **options)

    def rows(self, name: str = "gradebook.csv") -> list[dict[str, str]]:
        with (self.out / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def totals(self) -> dict[str, str]:
        return {row["student"]: row["total"] for row in self.rows()}

    def aside(self) -> dict[str, str]:
        return {row["file"]: row["reason"] for row in self.rows("set_aside.csv")}


@pytest.fixture
def desk(course: Course, tmp_path: Path) -> Desk:
    return Desk(course, tmp_path)


# --- Rules ------------------------------------------------------------------------------------------------------------


def test_early_and_late_hand_ins(desk: Desk) -> None:
    desk.rules(opens="2026-11-21T10:00Z", due="2026-11-21T12:00Z", late={"percent_per_day": 10, "most_days": 2})
    times = {"early": "21T09:59", "first": "21T10:00", "due": "21T12:00", "late1": "21T12:01", "late2": "23T12:00"}
    for student, at in (times | {"over": "23T12:01"}).items():
        desk.hand_in(f"{student}.json", student, 9, f"2026-11-{at}Z")
    desk.grade()
    assert desk.totals() == {"due": "10", "first": "10", "late1": "9", "late2": "8"}
    assert {row["student"]: row["days_late"] for row in desk.rows()} == {"due": "0", "first": "0"} | {
        "late1": "1",
        "late2": "2",
    }
    assert desk.aside() == {"early.json": "not-open", "over.json": "late"}


def test_the_roads_time_counts_before_the_files(desk: Desk) -> None:
    desk.rules(due="2026-11-21T12:00Z", late="refuse")
    desk.hand_in("a.json", "a", 9, "2026-11-21T11:00Z")
    desk.hand_in("b.json", "b", 9, "2026-11-21T13:00Z")
    truth = {"a.json": datetime(2026, 11, 21, 12, 30, tzinfo=UTC), "b.json": None}
    desk.grade(times=lambda path: truth[path.name])
    assert desk.aside() == {"a.json": "late", "b.json": "late"}


def test_the_roads_student_counts_before_the_files(desk: Desk) -> None:
    desk.hand_in("ann/responses.json", "bob", 9)
    desk.hand_in("cat/responses.json", "", 3)
    desk.hand_in("nobody/responses.json", "dan", 3)
    desk.grade(students=lambda path: None if path.parent.name == "nobody" else path.parent.name)
    assert desk.totals() == {"ann": "10", "cat": "4"}
    assert "another student code, bob" in desk.rows()[0]["notes"]
    assert desk.aside() == {"nobody/responses.json": "bad-student"}


@pytest.mark.parametrize(("counts", "total", "kept"), [("last", "4", "c.json"), ("best", "10", "b.json")])
def test_of_several_attempts_one_counts(desk: Desk, counts: str, total: str, kept: str) -> None:
    desk.rules(attempts=3, counts=counts)
    for name, right, minute in (("a", 1, 1), ("b", 9, 2), ("c", 3, 3), ("d", 9, 4)):
        desk.hand_in(f"{name}.json", "ab", right, f"2026-11-21T10:0{minute}Z")
    (desk.folder / "copy of b.json").write_bytes((desk.folder / "b.json").read_bytes())
    report = desk.grade()
    assert desk.totals() == {"ab": total}
    assert desk.rows()[0]["file"] == kept
    others = dict.fromkeys({"a.json", "b.json", "c.json"} - {kept}, "superseded")
    assert desk.aside() == others | {"copy of b.json": "identical", "d.json": "too-many"}
    assert (report.graded, report.superseded) == (1, 2)


def test_attempts_of_one_minute_are_pointed_out(desk: Desk) -> None:
    desk.rules(attempts=2)
    desk.hand_in("a.json", "ab", 9)
    desk.hand_in("b.json", "ab", 3)
    assert desk.grade().noted == 1
    assert "another attempt has the same time: a.json" in desk.rows()[0]["notes"]


def test_pass_mark(desk: Desk) -> None:
    desk.rules(pass_mark=40)
    desk.hand_in("a.json", "a", 3)
    desk.hand_in("b.json", "b", 2)
    desk.grade()
    assert {row["student"]: (row["percent"], row["passed"]) for row in desk.rows()} == {
        "a": ("40", "yes"),
        "b": ("30", "no"),
    }


@pytest.mark.parametrize(
    ("rules", "options", "pages"),
    [
        ({"feedback": "never"}, {}, False),
        ({"feedback": "after_due", "due": "2026-11-22T12:00Z"}, {"on": datetime(2026, 11, 22, 12, tzinfo=UTC)}, False),
        ({"feedback": "after_due", "due": "2026-11-22T12:00Z"}, {"on": datetime(2026, 11, 22, 13, tzinfo=UTC)}, True),
        ({"feedback": "after_due"}, {}, True),
        ({}, {"feedback": False}, False),
        ({}, {}, True),
    ],
)
def test_pages_are_written_when_the_rules_allow_them(
    desk: Desk, rules: dict[str, Any], options: dict[str, Any], pages: bool
) -> None:
    desk.hand_in("a.json", "a", 9)
    desk.grade()
    desk.rules(**rules)
    assert bool(desk.grade(**options).feedback) == (not pages)
    assert (desk.out / "feedback" / "a.html").exists() == pages


# --- What is in the book ----------------------------------------------------------------------------------------------


def test_answers_come_back_from_the_banks_ids(desk: Desk) -> None:
    (key,) = load_key_file(desk.key).variants
    for question in key.items:
        answer = right_answer(question.key)
        banked = in_bank_ids(question, answer)
        assert in_neutral_ids(question, banked) == answer
        assert score(books.key_in_bank_ids(question), banked) == 1
    best = next(question for question in key.items if question.bank_id == "sa-best")
    assert in_bank_ids(best, right_answer(best.key)) == "kzwedge"


def test_results_are_the_class_in_the_banks_ids(desk: Desk) -> None:
    desk.hand_in("a.json", "a", 9)
    desk.hand_in("b.json", "b", 1)
    desk.grade()
    with open_gradebook(desk.out / "gradebook.sqlite") as book:
        assert book.quizzes() == ("sample-quiz",)
        results = book.results("sample-quiz")
        with pytest.raises(TeachingError, match="holds no results of other; it holds those of: sample-quiz"):
            book.results("other")
    assert results.students == ("a", "b")
    assert np.array_equal(results.fractions, [[1] * 9, [1] + [0] * 8])
    assert results.certainty.tolist() == [[2] * 9, [2] + [0] * 8]
    assert results.answers[1] == ("kzwedge", *[None] * 8)
    for item, answer in zip(results.items, results.answers[0], strict=True):
        assert score(item.key, answer) == 1
    assert results.items[0].parts == {"kzwedge": "Wedge & co", "kzburst": "Burst", "kzcrush": "Crush"}


def test_a_marker_marks_as_marking_does(desk: Desk) -> None:
    (key,) = load_key_file(desk.key).variants
    marker = Marker(most=5)
    answers: list[Any] = [
        1,
        1.0,
        True,
        "1",
        None,
        [],
        {},
        {"point": [1, 2]},
        {"point": [1.0, 2]},
        ["o1"],
        "o1",
        37.4519,
    ]
    for answer in answers * 2:
        given = {item.id: {"answer": answer, "certainty": 1} for item in key.items}
        responses = Responses(key.quiz, key.build, given, "ab", "2026-11-21T10:05Z")
        assert marker.mark(key, responses) == mark(key, responses)


def test_workbook_has_the_marks_as_numbers_and_no_formula(desk: Desk) -> None:
    desk.hand_in("a.json", "-1", 9)
    (desk.folder / "=1+1.json").write_text("{}")
    desk.grade()
    book = openpyxl.load_workbook(desk.out / "gradebook.xlsx")
    assert book.sheetnames == ["Marks", "Set aside"]
    sheet = book["Marks"]
    names = [each.value for each in sheet[1]]
    row = dict(zip(names, sheet[2], strict=True))
    assert (row["student"].value, row["total"].value, row["percent"].value) == ("-1", 10, 100)
    assert sheet.freeze_panes == "B2"
    assert book["Set aside"]["A2"].value == "=1+1.json"
    assert not [each for page in book for line in page for each in line if each.data_type == "f"]


def test_another_file_is_no_gradebook(desk: Desk) -> None:
    desk.hand_in("a.json", "a", 9)
    desk.out.mkdir()
    (desk.out / "gradebook.sqlite").write_text("notes of mine, which are no database at all" * 40)
    with pytest.raises(TeachingError, match="cannot be used as a gradebook"):
        desk.grade()
    with pytest.raises(TeachingError, match="cannot be used as a gradebook"):
        desk.grade(gradebook="nosuch://host/name")


# --- A key that changes -----------------------------------------------------------------------------------------------


def test_a_changed_key_lists_whose_mark_moved(desk: Desk) -> None:
    desk.hand_in("a.json", "a", 9)
    desk.hand_in("b.json", "b", 0)
    assert desk.grade().moved is None
    assert not (desk.out / "moved.csv").exists()
    data = json.loads(desk.key.read_text(encoding="utf-8"))
    question = next(item for item in data["variants"][0]["items"] if item["bank_id"] == "sa-best")
    question["key"]["key"] = next(option for option in question["key"]["options"] if option != question["key"]["key"])
    del data["seal"]
    desk.key.write_text(json.dumps(data | {"seal": digest(data)}), encoding="utf-8")
    for _ in range(2):  # and again, as after a crash between the book and the files
        assert desk.grade().moved == 1
        (row,) = desk.rows("moved.csv")
        assert list(row.values()) == ["a", "10", "9", "100", "90", "sa-best"]


# --- One student forgotten --------------------------------------------------------------------------------------------


def test_a_forgotten_student_is_nowhere(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.hand_in("x1/responses.json", "quillson", 9)
    desk.hand_in("x2/responses.json", "quillson", 3)
    desk.hand_in("y/responses.json", "other", 9)
    desk.hand_in("z/responses.json", "marzipan", 9)
    desk.grade()
    for code, left in (("quillson", {"other", "marzipan"}), ("marzipan", {"other"})):
        assert main(["quiz", "forget", code, "--out", str(desk.out)]) == 0
        said = capsys.readouterr().out
        assert "responses.json, the file that was handed in: remove it yourself" in said
        assert set(desk.totals()) == left
        traces = [path for path in desk.out.rglob("*") if path.is_file() and code.encode() in path.read_bytes()]
        assert traces == []
        sheet = openpyxl.load_workbook(desk.out / "gradebook.xlsx")["Marks"]
        assert [row[0].value for row in sheet][1:] == sorted(left)
    with pytest.raises(TeachingError, match="holds nobody of the code quillson"):
        forget("quillson", desk.out)
    with pytest.raises(TeachingError, match="there is no such gradebook"):
        forget("quillson", desk.folder)


# --- Killed -----------------------------------------------------------------------------------------------------------


def contents(book: Path) -> list[Any]:
    with sqlite3.connect(book) as db:
        return [sorted(db.execute(f"select * from {table}"), key=repr) for table in ("item", "mark", "moved")] + [
            sorted(db.execute("select student, file, digest, state, reason, total from submission"))
        ]


def tables(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "gradebook.sqlite")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_grading_leaves_the_earlier_results_and_runs_again(desk: Desk, tmp_path: Path) -> None:
    for i in range(40):
        desk.hand_in(f"{i}.json", f"s{i:03d}", i % 10)
    (desk.folder / "cut.json").write_text("{")
    grade(desk.key, desk.folder, tmp_path / "calm")
    code = "import sys; from vertebra.teaching.grade import grade; print('go', flush=True); grade(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(desk.key), str(desk.folder), str(desk.out)]

    def killed(after: float) -> None:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(after)
            process.send_signal(signal.SIGKILL)

    chance = random.Random(7)
    (desk.folder / "39.json").rename(tmp_path / "39.json")
    desk.grade()
    before = contents(desk.out / "gradebook.sqlite")
    (tmp_path / "39.json").rename(desk.folder / "39.json")
    after = contents(tmp_path / "calm" / "gradebook.sqlite")
    for _ in range(3):
        killed(chance.uniform(0, 0.4))
        with open_gradebook(desk.out / "gradebook.sqlite") as book:
            seen = book.results("sample-quiz").students
        assert len(seen) in (39, 40)
        found = contents(desk.out / "gradebook.sqlite")
        assert found[3] in (before[3], after[3])
    desk.grade()
    assert contents(desk.out / "gradebook.sqlite")[3] == after[3]
    assert tables(desk.out) == tables(tmp_path / "calm")


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    programs = Path("/usr/lib/postgresql/15/bin")
    pytest.importorskip("psycopg")
    if not programs.is_dir():
        pytest.skip("there is no PostgreSQL here")
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root")
        as_user = ["runuser", "-u", "postgres", "--"]
    # pytest's own folders are closed to other users, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if as_user:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    quiet = {"check": True, "capture_output": True}
    subprocess.run([*as_user, programs / "initdb", "-D", data, "-A", "trust", "-U", "desk", "-N"], **quiet)  # type: ignore[call-overload]
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    start = [*as_user, programs / "pg_ctl", "-D", data, "-o", options, "-w", "-l", folder / "log"]
    subprocess.run([*start, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield f"postgresql+psycopg://desk@/postgres?host={folder}"
    finally:
        subprocess.run([*start, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder)


def test_postgresql_gives_the_same_files(desk: Desk, postgres: str, tmp_path: Path) -> None:
    desk.rules(attempts=2)
    for i, student in enumerate(("b", "B-", "a_", "A", "a-1", "-z")):
        desk.hand_in(f"{i}.json", student, i)
        desk.hand_in(f"again {i}.json", student, i + 1, "2026-11-21T11:00Z")
    (desk.folder / "cut.json").write_text("{")
    desk.grade()
    for _ in range(2):
        grade(desk.key, desk.folder, tmp_path / "there", postgres)
    assert tables(tmp_path / "there") == tables(desk.out)
    with open_gradebook(postgres) as book:
        assert len(book.results("sample-quiz").students) == 6
    forget("a_", tmp_path / "there", postgres)
    with open_gradebook(postgres) as book:
        assert "a_" not in book.results("sample-quiz").students
    assert not (tmp_path / "there" / "feedback" / "a_.html").exists()
