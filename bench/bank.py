"""How fast the practice banks are read and linted: vertebra against yamllint and against PyYAML with jsonschema.

Everybody gets the same files, from the disk.

- vertebra reads them into questions that know their lines, and runs all its rules, from the schema to near-duplicates.
- yamllint looks at the look of the YAML (indentation, line length, double keys) and knows nothing of questions.
- PyYAML's SafeLoader with jsonschema is the plain way to the first rule alone: the fields and their kinds. It knows no
  lines, finds no second key, no missing picture, and reads no wording.
- The same with libyaml's loader is the least that any of this can cost; it is shown and not counted as a peer, as
  vertebra reads with libyaml too.

The time is the best of `--repeats`, files in the cache of the disk for all. yamllint is optional and is best given an
environment of its own: `pip install yamllint==1.38.0`.
Run `python bench/bank.py` (`--repeats`, default 3). The last line compares like with like: how many times as fast
vertebra reads and checks the fields as SafeLoader with jsonschema does. The lines above it compare the whole linting,
32 rules, with each peer, which does a small part of that.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from vertebra.quiz import schema
from vertebra.quiz.items import CHECKOUT, read_bank
from vertebra.quiz.lint import lint_files

Work = Callable[[Path], int]  # returns how much it complained about


def yamllint() -> Work:
    from yamllint import linter
    from yamllint.config import YamlLintConfig

    config = YamlLintConfig("extends: default")
    return lambda path: len(list(linter.run(path.read_text(encoding="utf-8"), config)))


def plain(loader: Any) -> Work:
    """Return PyYAML with this loader and jsonschema's validator, made once."""
    validator = Draft202012Validator(schema.BANK)
    return lambda path: len(list(validator.iter_errors(yaml.load(path.read_text(encoding="utf-8"), Loader=loader))))


def timed(work: Callable[[], int], repeats: int) -> tuple[int, float]:
    """Return what it returns and the best time, s."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return found, min(times)


def main() -> None:
    """Measure whoever is installed, print a line each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    files = sorted(CHECKOUT.glob("*.yml"))
    questions = sum(len(read_bank(path.read_text(encoding="utf-8"), str(path))[0].items) for path in files)
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{len(files)} banks, {questions} questions, {size:.2f} MB")

    def each(work: Work) -> Callable[[], int]:
        return lambda: sum(map(work, files))

    works = {
        "vertebra, reading and all rules": lambda: len(lint_files(files, date.today(), whole=True)),
        "vertebra, reading alone": each(
            lambda path: len(read_bank(path.read_text(encoding="utf-8"), str(path))[1].faults)
        ),
        "SafeLoader and jsonschema": each(plain(yaml.SafeLoader)),
    }
    if hasattr(yaml, "CSafeLoader"):
        works["the least: libyaml and jsonschema"] = each(plain(yaml.CSafeLoader))
    if importlib.util.find_spec("yamllint"):
        works["yamllint"] = each(yamllint())
    else:
        print("yamllint is not installed; see the first lines of this file")
    found = {name: timed(work, repeats) for name, work in works.items()}
    for name, (complaints, seconds) in found.items():
        each_item = seconds / questions * 1e3
        print(f"{name}: {seconds:.2f} s, {each_item:.2f} ms a question, {complaints} complaints")
    ours, plainly = "vertebra, reading and all rules", "SafeLoader and jsonschema"
    for peer in (plainly, "yamllint"):
        if peer in found:
            print(f"{ours}, against {peer}: {found[peer][1] / found[ours][1]:.1f}x")
    print(f"vertebra, reading alone, against {plainly}, which checks as much of it:")
    print(f"{found[plainly][1] / found['vertebra, reading alone'][1]:.1f}x")


if __name__ == "__main__":
    main()
