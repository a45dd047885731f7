"""Begin a lesson: `python tools/new_lesson.py 16_floors "Floors and shoes" --objective O11.3 --bank fracture_types`.

Writes `lessons/16_floors.ipynb` with every part that a lesson has, in its order, each saying what belongs there. Run
`vertebra lesson refresh` and `vertebra lesson check` on it, then write.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from vertebra.quiz.blueprint import objectives
from vertebra.quiz.coverage import practice_banks
from vertebra.teaching.files import TeachingError

LESSONS = Path(__file__).parents[1] / "lessons"
Parts = Iterator[tuple[str, str, bool]]


def title_of(path: Path) -> str:
    """Return a lesson's title: its first heading."""
    first = nbformat.read(path, as_version=4).cells[0].source
    return str(first.splitlines()[0]).removeprefix("# ")


def prose(title: str, before: Path, objective: str) -> Parts:
    """Yield the cells of text as id, text and whether it makes a medical statement."""
    wanted = objectives()[objective]
    back = f"[← Previous: {title_of(before)}]({before.name})"
    yield (
        "title",
        f"# {title}\n\n{back}\n\n*Teaching, not medical advice. Not yet reviewed by a clinician.*\n\n"
        "**Aim.** Say in one sentence what the reader can judge after this lesson.\n\n"
        f"**After this lesson you can**\n\n- {wanted.text} ({wanted.id})\n\n"
        "**Time.** 5 minutes of reading, then the quiz.\n\n"
        "To make the pictures move press **Start this lesson** at the top of the page (in other programs: Run All).",
        False,
    )
    yield "opening", "## A patient\n\nBegin with somebody: age, role, setting, complaint. (Invented.)", False
    yield (
        "first",
        "## What is known\n\nOne claim a paragraph, each with its source in brackets: lost height has three grades. "
        "[genant1993] What you know and have no checked source for says so. [unreferenced]",
        True,
    )
    yield "see", "What to see: say what moves in the picture when a control is moved, and why. [unreferenced]", True
    yield "try", "### Try this\n\nSet a task that only the model can answer.", False
    yield (
        "limits",
        "> **What this model does not show.** Say what is assumed, fitted or left out. [unreferenced]",
        True,
    )
    yield "take", "## Take away\n\n- Two to four sentences that are worth keeping. [unreferenced]\n\n## Quiz", True
    yield "sources-title", "## Sources\n\nEach line says how far the source was checked.", False
    yield "next", back, False


def code(bank: str) -> dict[str, tuple[str, str]]:
    """Return the cells of code, by the id of the text that they follow: each one call and no logic."""
    return {
        "first": ("picture", "from vertebra.widgets.workbench import workbench\nworkbench()"),
        "take": ("quiz", f'from vertebra.widgets.quiz import practice\npractice("{bank}")'),
        "sources-title": ("sources", 'from vertebra.evidence.references import sources\nsources("genant1993")'),
    }


def begin(name: str, title: str, objective: str, bank: str) -> Path:
    """Write a lesson and return its path. Raises TeachingError for what is there already, or is not there."""
    path = LESSONS / f"{name}.ipynb"
    known = sorted(each.id for each in practice_banks())
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
        raise TeachingError(f"{name}: no name of a lesson; write two digits and a topic, as in 16_floors")
    if path.exists():
        raise TeachingError(f"{path}: is there already; choose another name")
    if objective not in objectives():
        raise TeachingError(
            f"{objective}: there is no such objective; add it to assets/objectives.yml, or use one of it"
        )
    if bank not in known:
        raise TeachingError(f"{bank}: there is no such practice bank; there are {', '.join(known)}")
    before = max(each for each in LESSONS.glob("[0-9][0-9]_*.ipynb") if each.stem < name)
    hidden, cells, after = {"source_hidden": True}, [], code(bank)
    for place, text, claims in prose(title, before, objective):
        tags = {} if claims else {"tags": ["no-claims"]}
        cells.append(nbformat.v4.new_markdown_cell(text, id=place, metadata=tags))
        if place in after:
            cell, call = after[place]
            cells.append(nbformat.v4.new_code_cell(call, id=cell, metadata={"jupyter": hidden}))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Begin a lesson with every part that one has.")
    parser.add_argument("name", help="two digits and a topic, as in 16_floors")
    parser.add_argument("title")
    parser.add_argument("--objective", required=True, help="an id of assets/objectives.yml, as in O11.3")
    parser.add_argument("--bank", required=True, help="the practice bank whose questions it ends with")
    given = parser.parse_args()
    try:
        print(begin(**vars(given)))
    except TeachingError as error:
        sys.exit(str(error))
