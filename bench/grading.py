"""How fast hand-ins are graded: vertebra against `nbgrader autograde`, and 100,000 of them in constant memory.

The quiz has 20 questions of the course's own graded banks. The students are simulated (seeded): a question is left open
with a chance of 0.05, else answered rightly with one of 0.65, else blindly. Nobody is real.

- vertebra grades `--students` folders, each with a responses.json, into the SQLite gradebook and CSV, then also into
  XLSX, then also into feedback pages; the time is the best of `--repeats`, from the files on the disk; the start of
  Python is left out for both.
- nbgrader autogrades a sample of the same answers (`--sample`): a notebook with one locked test cell a question, which
  scores responses.json with vertebra's own arithmetic. It starts a kernel for each student and runs the notebook;
  that is how it is meant to be used. nbgrader is optional: `pip install 'vertebra[nbgrader]'`.
- `--large` hand-ins are graded once into database and CSV, in a process of their own, whose peak memory is shown
  beside that of half of them.

Both must give the same mark for every question. Run `python bench/grading.py`. The last line is the ratio of the times
that a submission takes, for the class of `--students`, with neither sheet nor pages: nbgrader writes its database here,
and its sheets and pages by other commands.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertebra.quiz.items import CHECKOUT, load_bank
from vertebra.quiz.responses import FORMAT, digest
from vertebra.teaching.assign import assign
from vertebra.teaching.grade import grade
from vertebra.teaching.gradebook import open_gradebook
from vertebra.teaching.key import Key, Question, load_key, right_answer

QUESTIONS = 20
# What, as it is printed; gradebook.xlsx?; feedback pages?
WRITTEN = (
    ("database and CSV", False, False),
    ("database, CSV and XLSX", True, False),
    ("database, CSV, XLSX and feedback pages", True, True),
)
CELL = """import json
from vertebra.quiz.scoring import score
from vertebra.teaching.key import load_key
question = {{q.bank_id: q for q in load_key({key!r}).items}}[{name!r}]
response = json.load(open("responses.json"))["answers"].get(question.id)
float(score(question.key, response["answer"]) * question.points) if response else 0
"""


def write_quiz(folder: Path) -> Path:
    """Assign the first questions of the graded banks; return the key file."""
    banks = sorted((CHECKOUT.parent / "graded").glob("*.yml"))
    each = [[item.id for item in load_bank(bank).items] for bank in banks]
    names = [name for both in zip(*each, strict=False) for name in both][:QUESTIONS]
    lines = ["quiz: bench", "title: Simulated class", f"bank: {json.dumps([str(bank) for bank in banks])}"]
    (folder / "quiz.yml").write_text("\n".join([*lines, f"items: {json.dumps(names)}", "certainty: true", ""]))
    return assign(folder / "quiz.yml", folder / "built").key


def wrong_answer(question: Question, chance: random.Random) -> Any:
    """Return an answer of the right shape that is drawn blindly."""
    key = question.key
    match key["format"]:
        case "single_best_answer":
            return chance.choice(list(key["options"]))
        case "multiple_response":
            return [option for option in key["options"] if chance.random() < 0.5]
        case "numeric":
            return round(float(key["value"]) * chance.uniform(0.5, 1.5), 2)
        case "ordering":
            return chance.sample(list(key["key"]), len(key["key"]))
        case "matching":
            return {prompt: chance.choice(list(key["options"])) for prompt in key["key"]}
        case "hotspot":
            return {"region": chance.choice(list(key["polygons"]))}
        case "key_feature":
            return {name: [chance.choice(list(each["options"]))] for name, each in key["decisions"].items()}
    return {control["id"]: chance.choice(control["values"]) for control in key["controls"]}


def write_class(key: Key, folder: Path, students: int) -> None:
    """Write a responses.json for each simulated student, as the quiz saves it but for the fsync."""
    chance = random.Random(20_261_130)
    for number in range(students):
        answers: dict[str, Mapping[str, Any]] = {}
        for question in key.items:
            if chance.random() < 0.05:
                continue
            right = chance.random() < 0.65
            answer = right_answer(question.key) if right else wrong_answer(question, chance)
            answers[question.id] = {"answer": answer, "certainty": chance.randint(1, 3)}
        data: dict[str, Any] = {"format": FORMAT, "quiz": key.quiz, "build": key.build, "answers": answers}
        data |= {"student": f"s{number:06d}", "saved": "2026-11-21T10:05Z"}
        data["digest"] = digest(data)
        place = folder / f"s{number:06d}" / "bench"
        place.mkdir(parents=True)
        (place / "responses.json").write_text(json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n")


def nbgrader(key_file: Path, key: Key, folder: Path, course: Path, sample: int) -> tuple[float, dict[str, list[float]]]:
    """Return seconds a submission and {student: points of each question}, as autograded by nbgrader."""
    import nbformat
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    cells = []
    for place, question in enumerate(key.items):
        cell = nbformat.v4.new_code_cell(CELL.format(key=str(key_file.resolve()), name=question.bank_id))
        marking = {"grade": True, "solution": False, "locked": True, "task": False, "schema_version": 3}
        cell.metadata["nbgrader"] = marking | {"grade_id": f"q{place:02d}", "points": question.points}
        cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    places = [course / "source" / "bench", *(course / "submitted" / f"s{i:06d}" / "bench" for i in range(sample))]
    for place_ in places:
        place_.mkdir(parents=True)
        nbformat.write(notebook, place_ / "bench.ipynb")
    for i in range(sample):
        answers = folder / f"s{i:06d}" / "bench" / "responses.json"
        (places[i + 1] / "responses.json").write_bytes(answers.read_bytes())
    # nbgrader calls the alembic that was installed with it by its name.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    config = Config()
    config.CourseDirectory.root = str(course)
    api = NbGraderAPI(config=config)
    made = api.generate_assignment("bench")
    if not made["success"]:
        raise RuntimeError(made["log"])
    start = time.perf_counter()
    for i in range(sample):
        done = api.autograde("bench", f"s{i:06d}")
        if not done["success"]:
            raise RuntimeError(done["log"])
    seconds = (time.perf_counter() - start) / sample
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        found = {
            f"s{i:06d}": [
                book.find_grade(f"q{place:02d}", "bench", "bench", f"s{i:06d}").auto_score
                for place in range(len(key.items))
            ]
            for i in range(sample)
        }
    return seconds, found


def alone(key_file: Path, folder: Path, out: Path) -> tuple[float, float]:
    """Grade into database and CSV in a process of its own; return the seconds and its peak memory, MB."""
    command = [sys.executable, __file__, "--one", str(key_file), str(folder), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def one(key_file: str, folder: str, out: str) -> None:
    start = time.perf_counter()
    grade(key_file, folder, out, feedback=False, workbook=False)
    scale = 1e6 if sys.platform == "darwin" else 1e3
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale)


def main() -> None:
    """Measure, print a line each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=1_000)
    parser.add_argument("--sample", type=int, default=3)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        return one(*args.one)
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top)
        key_file = write_quiz(folder)
        key = load_key(key_file)
        write_class(key, folder / "class", args.students)
        print(f"{args.students} simulated hand-ins, {len(key.items)} questions")
        ours = {}
        for what, sheet, pages in WRITTEN:
            times = []
            for turn in range(args.repeats):
                start = time.perf_counter()
                grade(key_file, folder / "class", folder / f"{what}-{turn}", feedback=pages, workbook=sheet)
                times.append(time.perf_counter() - start)
            ours[what] = min(times) / args.students
            print(f"vertebra, {what}: {min(times):.2f} s, {ours[what] * 1e3:.3f} ms a submission")
        if args.large:
            write_class(key, folder / "large", args.large)
            write_class(key, folder / "half", args.large // 2)
            for name, count in (("half", args.large // 2), ("large", args.large)):
                seconds, peak = alone(key_file, folder / name, folder / f"graded-{name}")
                print(f"vertebra, {count} hand-ins: {seconds:.1f} s, {peak:.0f} MB at the most", flush=True)
        if not importlib.util.find_spec("nbgrader"):
            print("nbgrader is not installed; see the first lines of this file")
            return None
        with contextlib.redirect_stderr(io.StringIO()):
            theirs, found = nbgrader(key_file, key, folder / "class", folder / "course", args.sample)
        print(f"nbgrader autograde, {args.sample} of them: {theirs:.2f} s a submission")
        with open_gradebook(folder / f"{what}-0" / "gradebook.sqlite") as book:
            results = book.results(key.quiz)
        points = [item.points for item in results.items]
        for student, marks in found.items():
            shares = results.fractions[results.students.index(student)]
            for mine, each, mark in zip(shares, points, marks, strict=True):
                if abs(mine * each - mark) > 1e-9:
                    raise SystemExit(f"{student}: {mine * each} here, {mark} by nbgrader")
        print(f"the same {sum(map(len, found.values()))} marks; vertebra as many times as fast as nbgrader autograde:")
        for what, each in reversed(ours.items()):
            print(f"{what}:\n{theirs / each:.1f}x")


if __name__ == "__main__":
    main()
