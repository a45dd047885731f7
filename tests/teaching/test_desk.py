"""The instructor's commands in careless hands: nothing is lost, nothing is ignored, and whatever is wrong is said."""

from pathlib import Path

import pytest

from vertebra.cli import main
from vertebra.quiz.responses import Responses, write_responses
from vertebra.teaching.key import load_key

BANK = """
bank: small
use: graded
lesson: 03_fracture_types
title: Small
licence: CC-BY-4.0
read: '2026-11-29'
review_by: '2028-11-29'
items:
- id: sm-1
  version: 1.0.0
  format: numeric
  objectives: [O3.2]
  bloom: remember
  tier: must
  author: vertebra authors
  clinical_review: none
  stem: How many vertebrae has the lumbar spine?
  sources: [unreferenced]
  answer: {value: 5, unit: ""}
  rationale: The lumbar spine has five vertebrae in most people, and a few have six.
"""
KEY = "desk/instructor/key.json"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a bank of one question, its assignment, and the quiz built from it on a desk."""
    monkeypatch.chdir(tmp_path)
    Path("bank.yml").write_text(BANK, encoding="utf-8")
    Path("small.yml").write_text("quiz: small\ntitle: Small\nbank: bank.yml\nitems: all\n", encoding="utf-8")
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
