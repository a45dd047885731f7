"""Quizzes of the site: practice quizzes of the lessons, and quizzes that an instructor assigned."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertebra.quiz.items import Bank
from vertebra.site.pictures import Pictures
from vertebra.teaching.files import TeachingError
from vertebra.teaching.lessons import read_notebook
from vertebra.widgets import quiz as widget


@dataclass(frozen=True)
class SiteQuiz:
    """A quiz as the site's pages hold it: `quiz` is what `quiz.js` shows, its pictures files, as seen from a folder.

    sizes: width and height of each picture by its address there.
    """

    quiz: Mapping[str, Any]
    sizes: Mapping[str, tuple[float, float]]

    @property
    def id(self) -> str:
        """The name under which a browser keeps the answers."""
        return str(self.quiz["id"])

    @property
    def path(self) -> str:
        """Where its questions are, from the site's root."""
        return f"_/quizzes/{self.id}.json"

    @property
    def versions(self) -> dict[str, str]:
        """The version of each question: answers belong to it."""
        return {item["id"]: item.get("version", "") for item in self.quiz["items"]}


def practice(bank: Bank, pictures: Pictures) -> SiteQuiz:
    """Return the practice quiz of a bank, exactly as the lesson's notebook asks and marks it."""
    if bank.use != "practice":
        raise TeachingError(f"{bank.file}: is a graded bank, whose keys no page may hold; name one for practice")
    return _on_site(widget.practice_quiz(bank), pictures, bank.file)


def assigned(folder: Path, pictures: Pictures) -> SiteQuiz:
    """Return the quiz in a students' folder of `vertebra quiz assign`; raises TeachingError if there is none."""
    file = folder / "questions.json"
    try:
        quiz = widget.exam_quiz(file)
    except widget.QuizError as error:
        raise TeachingError(f"{folder}: {error}; name a folder that `vertebra quiz assign` made for students") from None
    return _on_site(quiz, pictures, str(file))


def rules(folder: Path) -> list[str]:
    """Return the rules of a quiz in sentences, as the notebook in its students' folder tells them; none without it."""
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = read_notebook(path)["cells"]
        found += [
            line[2:].strip() for cell in cells[:1] for line in cell["source"].splitlines() if line.startswith("- ")
        ]
    return found


def _on_site(quiz: Mapping[str, Any], pictures: Pictures, source: str) -> SiteQuiz:
    """Return the quiz with every picture a file; the pages that show it lie one folder below the site's root."""
    own = copy.deepcopy(dict(quiz))
    sizes: dict[str, tuple[float, float]] = {}
    for holder, where in _pictures(own["items"]):
        picture = pictures.take_data(holder["uri"], f"{source}: {where}")
        holder["uri"] = f"../{picture.path}"
        sizes[holder["uri"]] = (picture.width, picture.height)
        if not holder.get("width"):  # so that nothing moves when it comes
            holder |= {"width": picture.width, "height": picture.height}
    own["file"] = f"{own['id']}-responses.json"
    return SiteQuiz(own, sizes)


def _pictures(items: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    for item in items:
        if item.get("image"):
            yield item["image"], item["id"]
        for film in (item.get("task") or {}).get("films", ()):
            yield film, item["id"]
