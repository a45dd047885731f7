"""Build the course's web site: pages that read at once, practice quizzes that work, and the lessons live.

    OUT/index.html             what the course is, the map of its lessons
    OUT/lessons/NN_topic.html  a lesson
    OUT/quizzes/ID.html        a quiz that an instructor assigned
    OUT/progress.html          what this browser remembers
    OUT/licences.html          whose the parts are
    OUT/_/                     styles, scripts, pictures, questions
    OUT/live/                  JupyterLite and Pyodide, with the same lessons

Every address is relative: the site works below any path and from any server of plain files.
"""

import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertebra import language
from vertebra.quiz.coverage import practice_banks
from vertebra.site import landing, offline, practice
from vertebra.site.lesson_page import Lesson, Setting, lesson_page, lessons_in, quiz_data
from vertebra.site.page import Page, whole
from vertebra.site.pictures import Pictures
from vertebra.teaching.files import TeachingError, check_output
from vertebra.widgets.asking import Module, script
from vertebra.widgets.quiz import QuizWidget

STATIC = Path(__file__).with_name("static")
SCRIPTS = ("site.js", "storage.js", "practice.js", "progress.js", "tools.js")
VERSION = "version.json"


@dataclass(frozen=True)
class Built:
    """A site that was built: where, its pages, and the bytes of each of its parts, largest first."""

    out: Path
    pages: int
    parts: Mapping[str, int]

    @property
    def total(self) -> int:
        """The bytes of the whole site."""
        return sum(self.parts.values())


def build(
    out: Path,
    *,
    lessons: Path,
    pyodide: Path | None = None,
    release: str = "",
    live: bool = True,
    quizzes: Sequence[Path] = (),
) -> Built:
    """Build the site anew, beside `out`, and put it there when it is whole.

    lessons: the folder of notebooks. pyodide, release: where Pyodide is (`vertebra.site.runtime`). live: with the pages
    that run. quizzes: students' folders of `vertebra quiz assign`. Raises TeachingError for what cannot be used, also
    for an `out` that is something else than an earlier site, and OSError.
    """
    _check_free(out)
    part = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        pages = _write(part, lessons, pyodide, release, live, quizzes)
        built = Built(out, pages, parts(part))
        _put(part, out.absolute())
        return built
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(site: Path, lessons: Path, pyodide: Path | None, release: str, live: bool, quizzes: Sequence[Path]) -> int:
    every = lessons_in(lessons)
    pictures = Pictures(site)
    banks = {bank.id: bank for bank in practice_banks()}
    asked = [lesson.quiz for lesson in every if lesson.quiz in banks]
    own = {name: practice.practice(banks[name], pictures) for name in asked}
    assigned = [practice.assigned(folder, pictures) for folder in quizzes]
    if repeated := {quiz.id for quiz in assigned} & own.keys():
        raise TeachingError(f"{repeated.pop()}: is the id of a practice quiz too; give the assignment another one")
    megabytes = _live(site, lessons, pyodide, release) if live else {}
    setting = Setting(pictures, own, every, live, megabytes)
    pages: dict[str, Page] = {f"lessons/{lesson.stem}.html": lesson_page(lesson, setting) for lesson in every}
    pages |= landing.pages(setting, assigned, [practice.rules(folder) for folder in quizzes])
    for path, page in pages.items():
        _text(site / path, whole(page))
    for quiz in (*own.values(), *assigned):
        _text(site / quiz.path, quiz_data(quiz))
    _static(site)
    _text(site / "_" / "course.json", json.dumps(_course(every, own, assigned), ensure_ascii=False))
    offline.finish(site, lambda title, body: whole(Page(title, title, body)))
    return len(pages)


def _live(site: Path, lessons: Path, pyodide: Path | None, release: str) -> dict[str, int]:
    """Write the live half; return how many MB a browser loads at the most for each notebook, by its stem."""
    from vertebra.site import live, runtime, wheel  # JupyterLite is not there when only pages are built

    notebooks = sorted(lessons.glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary)
        own = wheel.build(made / "wheels", lessons)
        source = runtime.source(pyodide, release)
        asked = {name for path in notebooks for name in wheel.packages(path)} | {"vertebra", *live.KERNEL}
        wheels = [*runtime.pure_wheels(source), *runtime.stubs(), *own]
        ready = runtime.assemble(made / "runtime", source, wheels, sorted(asked))
        folder = live.build(site, notebooks, ready.folder)
    return {path.stem: round(live.loaded(folder, path.name) / 1e6) for path in notebooks}


def _course(
    lessons: Sequence[Lesson], own: Mapping[str, practice.SiteQuiz], assigned: Sequence[practice.SiteQuiz]
) -> dict[str, Any]:
    """Return what scripts must know of the whole course: whose question is whose, in which version."""
    return {
        "lessons": [
            {"stem": lesson.stem, "quiz": lesson.quiz, "versions": own[lesson.quiz].versions, "title": lesson.title}
            for lesson in lessons
            if lesson.quiz and lesson.quiz in own
        ],
        "quizzes": [{"quiz": quiz.id, "title": quiz.quiz["title"], "versions": quiz.versions} for quiz in assigned],
    }


def _static(site: Path) -> None:
    """Write scripts, styles and words: the quiz's own, and the site's."""
    there = site / "_"
    for name in SCRIPTS:
        _text(there / name, (STATIC / name).read_text(encoding="utf-8"))
    quiz: Module = QuizWidget._esm
    _text(there / "words.js", script("words"))
    _text(there / "quiz.js", quiz.source)
    _text(there / "site.css", (STATIC / "site.css").read_text(encoding="utf-8") + str(QuizWidget._css))
    for code in language.catalogues():
        _text(there / f"words.{code}.json", json.dumps(language.words(code), ensure_ascii=False))


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _check_free(out: Path) -> None:
    """Raise TeachingError unless `out` is free, empty, or an earlier site."""
    check_output(out)
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise TeachingError(f"{out}: is no folder; name one for the site")
    if out.is_dir() and any(out.iterdir()) and not _is_site(out):
        raise TeachingError(f"{out}: is not empty and no earlier site of this course; choose another folder")


def _is_site(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / VERSION).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _put(part: Path, out: Path) -> None:
    """Move a site to its place; the earlier one is there until the moment before, and comes back if that fails."""
    old = part.with_suffix(".old")
    if out.exists():
        out.rename(old)
    try:
        part.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def parts(site: Path) -> dict[str, int]:
    """Return the bytes of each part of a site, the largest first; the packages and Pyodide are parts of their own."""
    found: dict[str, int] = {}
    for file in site.rglob("*"):
        if file.is_file():
            *folders, _ = file.relative_to(site).parts
            deep = 3 if folders[:2] == ["live", "static"] else 2
            name = "/".join(folders[:deep]) or "pages"
            found[name] = found.get(name, 0) + file.stat().st_size
    return dict(sorted(found.items(), key=lambda item: -item[1]))
