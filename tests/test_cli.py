import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.teaching.sample import SMALL, SMALL_BANK, plain, write_small
from vertebra import __version__
from vertebra.cli import main
from vertebra.quiz.responses import Responses, write_responses

QUIZZES = Path(__file__).parents[1] / "quizzes"
ASSIGNMENT = str(QUIZZES / "assignments" / "fracture-types.yml")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a bank of one question, its assignment and the quiz built from it."""
    monkeypatch.chdir(tmp_path)
    write_small(tmp_path)
    assert main(["quiz", "assign", "small.yml", "--out", "built"]) == 0
    return tmp_path


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"vertebra {__version__}\n"


@pytest.mark.parametrize("argv", [[], ["quiz"]])
def test_half_a_command_prints_the_help_of_its_group(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith(" ".join(["usage: vertebra", *argv]))


@pytest.mark.parametrize(
    "argv", [["quizz"], ["quiz", "assign", "x.yml"], ["quiz", "grade", "k"], ["quiz", "check", "-x"]]
)
def test_a_mistyped_command_is_refused(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2


def test_from_the_bank_to_the_gradebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hand the course's own quiz out, let one student answer one question, grade."""
    out = tmp_path / "course"
    assert main(["quiz", "assign", ASSIGNMENT, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert str(out / "student" / "fracture-types") in said and str(out / "instructor" / "key.json") in said
    key = plain(out / "instructor" / "key.json")
    choice = next(item for item in key["items"] if item["key"]["format"] == "single_best_answer")
    answers = {choice["id"]: {"answer": choice["key"]["key"], "certainty": 3}}
    (tmp_path / "in").mkdir()
    write_responses(tmp_path / "in" / "one.json", Responses(key["quiz"], key["build"], answers, "ab12"))
    (tmp_path / "in" / "two.json").write_text("{", encoding="utf-8")
    command = ["quiz", "grade", str(out / "instructor" / "key.json"), str(tmp_path / "in"), "--out", str(out / "marks")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "graded 1 submission\n" in said and "1 file not graded (1 truncated)" in said
    with (out / "marks" / "gradebook.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["student"], row[choice["bank_id"]], row["total"]) == ("ab12", "1", "1")


def test_a_quiz_is_looked_at_before_it_is_handed_out(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = sorted(Path().rglob("*"))
    assert main(["quiz", "assign", "small.yml", "--preview"]) == 0
    said = capsys.readouterr().out
    assert "Small  (small)" in said and "sm-1  numeric" in said and "1 question, 1 point" in said
    assert sorted(Path().rglob("*")) == there
    assert main(["quiz", "assign", "small.yml", "--preview-html", "seen.html"]) == 0
    page = Path("seen.html").read_text(encoding="utf-8")
    assert "How many vertebrae has the lumbar spine?" in page and "most people" not in page


def test_a_key_is_corrected_after_it_was_handed_out(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["quiz", "rekey", "built/instructor/key.json", "small.yml"]
    assert main(command) == 0
    assert "small: nothing changed" in capsys.readouterr().out
    Path("bank.yml").write_text(SMALL_BANK.replace("value: 5", "value: 6"), encoding="utf-8")
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "sm-1: value was 5, is 6" in said and "small: 1 change" in said and "is kept in" in said
    Path("bank.yml").write_text(SMALL_BANK.replace("lumbar", "whole"), encoding="utf-8")
    assert main(command) == 1
    assert "sm-1: is no longer what students saw (another stem)" in capsys.readouterr().err


def test_notes_and_files_of_other_kinds_are_pointed_out(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = plain(Path("built/instructor/key.json"))
    Path("in").mkdir()
    write_responses("in/a.json", Responses("small", key["build"], {"sm-1": {"answer": "five"}}, "ab"))
    Path("in/quiz.ipynb").write_text("{}", encoding="utf-8")
    assert main(["quiz", "grade", "built/instructor/key.json", "in", "--out", "marks"]) == 0
    said = capsys.readouterr().out
    assert "1 row of the gradebook with an entry under notes" in said
    assert "Not graded 1 file of other kinds than .json" in said
    assert "set_aside" not in said


def test_a_changed_quiz_says_where_the_earlier_key_is(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bank.yml").write_text(
        SMALL_BANK.replace("How many vertebrae has", "How many vertebrae are in"), encoding="utf-8"
    )
    before = plain(Path("built/instructor/key.json"))["build"]
    assert main(["quiz", "assign", "small.yml", "--out", "built"]) == 0
    assert f"key-{before[:8]}.json" in capsys.readouterr().out
    assert Path(f"built/instructor/key-{before[:8]}.json").exists()


def test_force(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").touch()
    assert main(["quiz", "assign", "small.yml", "--out", "mine"]) == 1
    assert "--force" in capsys.readouterr().err
    assert main(["quiz", "assign", "small.yml", "--out", "mine", "--force"]) == 0


# --- Mistakes: one plain line, the right exit code, never a traceback -------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["assign", "none.yml", "--out", "o"], 2, "none.yml: No such file"),
        (["assign", ".", "--out", "o"], 2, ": Is a directory"),
        (["assign", "small.yml", "--out", "bank.yml"], 1, "bank.yml: is a file; name a folder"),
        (["assign", "small.yml", "--out", "bank.yml/o"], 2, "Not a directory; check the path"),
        (["assign", "bank.yml", "--out", "o"], 1, "bank.yml:1: is a bank of questions; name an assignment"),
        (["assign", "broken.yml", "--out", "o"], 1, "broken.yml:1: is not YAML"),
        (["assign", "binary.yml", "--out", "o"], 1, "binary.yml: is not UTF-8 text"),
        (["grade", "none.json", "in", "--out", "o"], 2, "none.json: No such file"),
        (["grade", "KEY", "nowhere", "--out", "o"], 1, "nowhere: there is no such folder"),
        (["grade", "KEY", "in", "--out", "o"], 1, "in: holds no .json file to grade"),
        (["grade", "KEY", "KEY", "--out", "bank.yml/o"], 2, "Not a directory; check the path"),
        (["grade", "bank.yml", "in", "--out", "o"], 1, "bank.yml: is not a key file"),
        (["grade", "built/student/small/questions.json", "in", "--out", "o"], 1, "'vertebra-questions/1'"),
        (["grade", "binary.yml", "in", "--out", "o"], 1, "binary.yml: is not a key file"),
        (["grade", "in", "in", "--out", "o"], 2, ": Is a directory"),
        (["check", "none.yml"], 2, "none.yml: there is no such file"),
        (["check"], 2, "there is no folder quizzes here"),
        (["check", "in"], 2, "there is no bank and no assignment"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows words its own errors differently")
def test_mistakes(small: Path, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, words: str) -> None:
    Path("in").mkdir()
    Path("broken.yml").write_text("quiz: [", encoding="utf-8")
    Path("binary.yml").write_bytes(b"quiz: \xff\xfe\x00")
    capsys.readouterr()
    assert main(["quiz", *(arg.replace("KEY", "built/instructor/key.json") for arg in argv)]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""
    assert len(said.err.splitlines()) == 1 and "Traceback" not in said.err


def test_a_path_that_the_terminal_cannot_write_is_no_error(small: Path) -> None:
    Path("straße.yml").write_text(SMALL, encoding="utf-8")
    command = [sys.executable, "-m", "vertebra", "quiz", "assign", "straße.yml", "--out", "straße"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"stra\xdfe" in done.stdout


def test_stopping_from_the_keyboard_gives_one_line(
    small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vertebra.teaching.grade.load_key_file", stop)
    assert main(["quiz", "grade", "built/instructor/key.json", ".", "--out", "o"]) == 130
    assert len(capsys.readouterr().err.splitlines()) == 1


# --- Checking ---------------------------------------------------------------------------------------------------------


def test_check_counts_what_is_sound(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for names in (["bank.yml", "small.yml"], ["."]):
        assert main(["quiz", "check", *names]) == 0
        assert capsys.readouterr().out == "1 bank, 1 question, 1 assignment: no faults\n"


def test_check_without_names_takes_the_folder_quizzes(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("quizzes/assignments").mkdir(parents=True)
    Path("quizzes/bank").mkdir()
    shutil.copy("bank.yml", "quizzes/bank/a.yml")
    Path("quizzes/assignments/small.yml").write_text(SMALL.replace("bank.yml", "../bank/a.yml"), encoding="utf-8")
    capsys.readouterr()
    assert main(["quiz", "check"]) == 0
    assert capsys.readouterr().out == "1 bank, 1 question, 1 assignment: no faults\n"
    shutil.copy("bank.yml", "quizzes/bank/b.yml")  # the same ids again
    assert main(["quiz", "check"]) == 1
    assert "item sm-1: " in capsys.readouterr().out


def test_check_lists_each_fault_once_with_its_line(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoiled = SMALL_BANK.replace("bloom: remember", "bloom: recall").replace("[unreferenced]", "[nobody1999]")
    Path("bank.yml").write_text(spoiled, encoding="utf-8")
    Path("small.yml").write_text(SMALL + "colour: red\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["quiz", "check", "bank.yml", "small.yml"]) == 1
    *faults, count = capsys.readouterr().out.splitlines()
    assert f"{len(faults)} fault" in count
    assert len(set(faults)) == len(faults)
    assert any(fault.startswith("bank.yml:14: item sm-1: ") for fault in faults)


def test_check_knows_the_courses_references(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bank.yml").write_text(SMALL_BANK.replace("[unreferenced]", "[genant1993]"), encoding="utf-8")
    assert main(["quiz", "check", "bank.yml"]) == 0
    Path("bank.yml").write_text(SMALL_BANK.replace("[unreferenced]", "[nobody1999]"), encoding="utf-8")
    assert main(["quiz", "check", "bank.yml", "small.yml"]) == 1
    faults = [line for line in capsys.readouterr().out.splitlines() if "nobody1999" in line]
    assert len(faults) == 1 and faults[0].startswith("bank.yml:19: item sm-1: ")


def test_schema_is_the_one_that_editors_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quiz", "schema"]) == 0
    assert capsys.readouterr().out == (QUIZZES / "schema.json").read_text(encoding="utf-8")


def test_python_m_vertebra_is_the_command(tmp_path: Path) -> None:
    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "vertebra", *argv]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("--version").stdout == f"vertebra {__version__}\n"
    refused = run("quiz", "check", "none.yml")
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
