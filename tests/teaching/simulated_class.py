"""A class that never was: answers drawn from a seeded one-parameter model, for tests of the report and nothing else."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from vertebra.teaching import gradebook as tables
from vertebra.teaching.statistics import ClassResults, ItemInfo

OPTIONS = ("a", "b", "c", "d")


def question(i: int, objective: str, key: str = "a", stem: str = "") -> ItemInfo:
    """Return a single best answer whose options say what they are: invented, and nothing medical."""
    parts = {option: f"Invented option {option.upper()} of question {i}" for option in OPTIONS}
    record = {"format": "single_best_answer", "key": key, "options": list(OPTIONS)}
    stem = stem or f"Invented question {i}: which option did the simulator make the right one?"
    return ItemInfo(f"sim-{i:02d}", "single_best_answer", (objective,), 1.0, stem, parts, record)


def simulated_class(
    n: int = 120, k: int = 12, seed: int = 7, miskeyed: int | None = 3, numeric: bool = True
) -> ClassResults:
    """Return n simulated students by k questions.

    The chance of a right answer is logistic in ability minus difficulty; b attracts the weaker students, d nobody.
    Question `miskeyed` (by place) has its key on another option than the simulator's right one. The last question is
    numeric if asked for. Certainty follows the chance of being right, a little too boldly.
    """
    rng = np.random.default_rng(seed)
    ability, difficulty = rng.normal(size=n), np.linspace(-1.6, 1.4, k)
    chance = 1 / (1 + np.exp(-(1.3 * (ability[:, None] - difficulty[None, :]))))
    right = rng.random((n, k)) < chance
    wrong = rng.choice(["b", "c"], size=(n, k), p=[0.7, 0.3])
    chosen = np.where(right, "a", wrong)
    sure = np.clip(np.digitize(chance + rng.normal(0.12, 0.15, (n, k)), (0.55, 0.8)) + 1, 1, 3).astype(np.int64)
    items = [question(i + 1, f"O{1 + i % 3}.1", "b" if i == miskeyed else "a") for i in range(k)]
    answers: list[list[Any]] = [[str(option) for option in row] for row in chosen]
    fractions = np.array([[float(a == item.key["key"]) for a, item in zip(row, items, strict=True)] for row in chosen])
    if numeric:
        key = {"format": "numeric", "value": 37.0, "tolerance": 0.5}
        items[-1] = ItemInfo(f"sim-{k:02d}", "numeric", ("O1.1",), 2.0, "Invented question: which number?", {}, key)
        for row, good in enumerate(right[:, -1]):
            answers[row][-1] = 37.0 if good else 63.0
        fractions[:, -1] = right[:, -1]
    for row in range(0, n, 11):  # some leave a question open
        answers[row][1], fractions[row, 1], sure[row, 1] = None, 0.0, 0
    codes = tuple(f"zq{i:05x}" for i in range(n))
    return ClassResults(
        "simulated-quiz", "A simulated class", codes, tuple(items), fractions, sure, tuple(map(tuple, answers))
    )


def write_gradebook(path: Path, results: ClassResults, start: int = 0) -> None:
    """Write results into a gradebook, as a grading would; `start`: number of its first submission."""
    quiz = results.quiz
    head = {"id": quiz, "title": results.title, "certainty": True, "key_seal": "", "rules": {}, "grading": 1}
    shown = ("format", "objectives", "points", "stem", "key")
    items = [
        {
            "quiz": quiz,
            "item": each.id,
            "position": i,
            "text": each.parts,
            **{name: getattr(each, name) for name in shown},
        }
        for i, each in enumerate(results.items)
    ]
    nothing = dict.fromkeys(("digest", "saved", "handed_in", "build", "reason", "mend"), "")
    numbers = {"attempt": 1, "late_days": 0, "factor": 1.0, "notes": []}
    files = [
        {
            "id": i,
            "quiz": quiz,
            "grading": 1,
            "student": code,
            "folded": code,
            "file": f"{code}.json",
            "state": "graded",
        }
        | nothing
        | numbers
        for i, code in enumerate(results.students, start)
    ]
    marks = [
        {
            "submission_id": start + i,
            "position": j,
            "item": item.id,
            "fraction": float(results.fractions[i, j]),
            "points": float(results.fractions[i, j]) * item.points,
            "certainty": int(results.certainty[i, j]) or None,
            "certainty_mark": 0.0,
            "answer": json.dumps(results.answers[i][j]),
            "note": "",
        }
        for i in range(len(results.students))
        for j, item in enumerate(results.items)
    ]
    path.parent.mkdir(exist_ok=True)
    with tables.open_gradebook(path) as book, book.transaction() as connection:
        connection.execute(tables.quizzes.insert(), [head | {"rekeyed": False}])
        for table, rows in ((tables.items, items), (tables.submissions, files), (tables.marks, marks)):
            connection.execute(table.insert(), rows)
