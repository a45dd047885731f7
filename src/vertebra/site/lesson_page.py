"""A lesson as one page that reads at once: prose, figures, what was computed, the quiz at its place, the sources."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vertebra.evidence.references import CITATION, references
from vertebra.language import _
from vertebra.quiz.static import static_html
from vertebra.site import output
from vertebra.site.markdown import Outline, cited_as, to_html
from vertebra.site.page import Page, counted, said
from vertebra.site.pictures import Pictures
from vertebra.site.practice import SiteQuiz
from vertebra.teaching.files import TeachingError
from vertebra.teaching.lessons import read_notebook

ROOT = "../"
MODULES = ("practice.js", "quiz.js", "tools.js")
_QUIZ = re.compile(r'\bpractice\("(\w+)"\)')
_NUMBERED = re.compile(r"(\d\d)_\w+")
# What a lesson says of Jupyter, and what holds on the site instead.
STARTING = re.compile(
    r"To (?:make the (?:pictures move|plan builder work)|open the page) press \*\*Start this lesson\*\*[^\n]*\n?"
)
ON_THE_SITE = {
    "Without the Start button you can still read everything and see the still pictures.": (
        "Without **Make it live** you can read everything, see the still pictures and answer the quiz."
    ),
    "Your answers are kept in the folder `my_answers/` beside the lessons, on this computer only. Nothing is sent "
    "anywhere. Delete the folder and they are gone.": (
        "Your answers are kept in this browser, on this device only. Nothing is sent anywhere. Below each quiz you can "
        "download them, bring them back in, or delete them."
    ),
    "Your choices stay in `my_answers/case_runs.json`; you can leave and come back.": (
        "Your choices stay in this browser, on this device; you can leave and come back."
    ),
}
_START = "Start the lesson to "


@dataclass(frozen=True)
class Lesson:
    """A lesson notebook, and what other pages say of it.

    stem: the file's name without its ending; number: "03". aim, objectives and time are plain text from its first cell.
    """

    path: Path
    notebook: Mapping[str, Any]
    title: str
    aim: str
    objectives: tuple[str, ...]
    time: str
    minutes: int

    @property
    def stem(self) -> str:
        """Return the file's name without its ending."""
        return self.path.stem

    @property
    def number(self) -> str:
        """Return the two digits with which its name begins."""
        return self.stem[:2]

    @property
    def quiz(self) -> str | None:
        """Return the id of the bank whose practice quiz it asks, if there is one."""
        calls = (match[1] for cell in self.notebook["cells"] for match in _QUIZ.finditer(cell["source"]))
        return next(calls, None)


def read_lesson(path: Path) -> Lesson:
    """Read a lesson; raises TeachingError if its first cell has not what every lesson begins with."""
    notebook = read_notebook(path)
    first = next((cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"), "")
    title = re.match(r"# +(.+)", first)
    aim = re.search(r"^\*\*Aim\.\*\* +(.+)", first, re.MULTILINE)
    time = re.search(r"^\*\*Time\.\*\* +(.+)", first, re.MULTILINE)
    if not (title and aim and time and _NUMBERED.fullmatch(path.stem)):
        what = "a title, **Aim.** and **Time.** in its first cell, and a name such as 03_fracture_types.ipynb"
        raise TeachingError(f"{path}: is no lesson, which has {what}; see docs/author.md")
    minutes = re.search(r"(\d+) minutes", time[1])
    return Lesson(
        path=path,
        notebook=notebook,
        title=title[1].strip(),
        aim=_plain(aim[1]),
        objectives=tuple(map(_plain, re.findall(r"^- (.+)", first, re.MULTILINE))),
        time=_plain(time[1]),
        minutes=int(minutes[1]) if minutes else 0,
    )


def lessons_in(folder: Path) -> tuple[Lesson, ...]:
    """Return the lessons of a folder in course order; raises TeachingError if there are none."""
    paths = sorted(path for path in folder.glob("*.ipynb") if _NUMBERED.fullmatch(path.stem))
    if not paths:
        raise TeachingError(f"{folder}: has no lessons; name the course's folder lessons, with 00_start.ipynb in it")
    return tuple(map(read_lesson, paths))


def _plain(markdown: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", markdown).strip()


def live_address(stem: str) -> str:
    """Return the address of a notebook's live page, from the site's root."""
    return f"live/notebooks/index.html?path={quote(stem)}.ipynb"


@dataclass(frozen=True)
class Setting:
    """What the pages of a site have in common while they are built.

    quizzes: by the id of their bank. live: whether there are live pages; megabytes: what one loads, by its stem.
    """

    pictures: Pictures
    quizzes: Mapping[str, SiteQuiz]
    lessons: tuple[Lesson, ...]
    live: bool
    megabytes: Mapping[str, int] = field(default_factory=dict)


def lesson_page(lesson: Lesson, setting: Setting) -> Page:
    """Return the page of a lesson; raises TeachingError naming lesson and cell for what cannot be shown."""
    body, quiz = _Writer(lesson, setting).write()
    return Page(
        title=lesson.title,
        description=lesson.aim,
        body=body,
        root=ROOT,
        modules=MODULES if quiz else (),
        data=(quiz.path,) if quiz else (),
    )


class _Writer:
    """Writes the page of one lesson, cell by cell."""

    def __init__(self, lesson: Lesson, setting: Setting) -> None:
        self.lesson, self.setting = lesson, setting
        listed = [cell["source"] for cell in lesson.notebook["cells"] if "sources(" in cell["source"]]
        named = {name for source in listed for name in re.findall(r'"(\w+)"', source)}
        self.outline = Outline(cited=named & references().keys())
        self.quiz: SiteQuiz | None = None

    def write(self) -> tuple[str, SiteQuiz | None]:
        first, *cells = self.lesson.notebook["cells"]
        head = self._prose(first)
        text = "".join(map(self._cell, cells))
        title, _end, about = head.partition("</h1>\n")
        return (
            f'<article class="lesson">\n<header class="lesson-head">\n'
            f"{said(_('Lesson {n}').replace('{n}', self.lesson.number), 'p', class_='kicker')}\n"
            f"{title}</h1>\n{about}{self._live_box()}</header>\n{self._contents()}\n"
            f'<div class="text">\n{text}</div>\n{self._neighbours()}</article>',
            self.quiz,
        )

    def _cell(self, cell: Mapping[str, Any]) -> str:
        if cell["cell_type"] == "markdown":
            return self._prose(cell)
        if cell["cell_type"] != "code":
            return ""
        asked = _QUIZ.search(cell["source"])
        if asked:
            return self._practice(asked[1], cell)
        return "".join(self._output(each, cell) for each in cell.get("outputs", ()))

    def _prose(self, cell: Mapping[str, Any]) -> str:
        source = STARTING.sub("", cell["source"])
        for there, here in ON_THE_SITE.items():
            source = source.replace(there, here)
        return to_html(source, self.outline, self._link, lambda address, alt: self._picture(address, alt, cell))

    def _link(self, address: str) -> str | None:
        """Return where a link of the notebook leads on the site; what lights up a part of a widget leads nowhere."""
        if address.startswith("#part-"):
            return None
        file, mark, place = address.partition("#")
        if file == "my_progress.ipynb":
            return f"{ROOT}progress.html"
        if file.endswith(".ipynb"):
            known = {lesson.path.name: lesson for lesson in self.setting.lessons}
            if file not in known:
                raise TeachingError(f"{self.lesson.path}: links to {file}, which is not there; correct the link")
            return f"{known[file].stem}.html{mark}{place}"
        return address

    def _picture(self, address: str, alt: str, cell: Mapping[str, Any]) -> str:
        picture = self.setting.pictures.take_file(self.lesson.path.parent / address, self._at(cell))
        return output.shown(output.sized(ROOT + picture.path, alt, picture.width, picture.height))

    def _output(self, stored: Mapping[str, Any], cell: Mapping[str, Any]) -> str:
        if stored["output_type"] == "stream":
            return output.computed(stored["text"], cell["source"])
        html = stored.get("data", {}).get("text/html")
        if html is None:
            raise TeachingError(f"{self._at(cell)}: has an output that is neither text nor HTML; run the lesson again")

        def take(address: str) -> tuple[str, float, float]:
            picture = self.setting.pictures.take_data(address, self._at(cell))
            return ROOT + picture.path, picture.width, picture.height

        words = escape if "sources(" in cell["source"] else self._words  # the list itself, where citations lead
        return f'<div class="shown">{output.picture(html, take, words)}</div>\n'

    def _words(self, text: str) -> str:
        """Return a text of a widget's still picture, which cites its sources and speaks of Jupyter's button."""
        shown = CITATION.sub(lambda match: cited_as(match[1], self.outline.cited), escape(text))
        if not self.setting.live:
            return shown.replace(_START, "In Jupyter you can ")
        link = f'<a class="to-live" href="{escape(ROOT + live_address(self.lesson.stem))}">Make it live</a>'
        return shown.replace(_START, f"{link} to ")

    def _practice(self, bank: str, cell: Mapping[str, Any]) -> str:
        quiz = self.setting.quizzes.get(bank)
        if quiz is None:
            raise TeachingError(
                f"{self._at(cell)}: asks the practice quiz {bank}, which is not there; correct the name"
            )
        self.quiz = quiz
        last = self.outline.headings[-1].html if self.outline.headings else ""
        own = re.search(r"\b(?:quiz|test)\b", last, re.IGNORECASE)
        heading = "" if own else f'<h2 id="{self.outline.add(2, _("Quiz")).anchor}">{said(_("Quiz"))}</h2>\n'
        return heading + quiz_section(quiz)

    def _at(self, cell: Mapping[str, Any]) -> str:
        return f"{self.lesson.path}: cell {cell.get('id', '')}"

    def _live_box(self) -> str:
        if not self.setting.live:
            return ""
        address = escape(ROOT + live_address(self.lesson.stem))
        what = said(_("opens this lesson with its pictures moving, in this browser, without installing anything."))
        size = counted(_("About {n} MB are loaded once."), self.setting.megabytes.get(self.lesson.stem, 0))
        button = f'<a class="button" href="{address}" data-live>{said(_("Make it live"))}</a>'
        return f'<p class="go-live">{button} <span>{what} {size}</span></p>\n'

    def _contents(self) -> str:
        heads = [heading for heading in self.outline.headings if heading.level == 2]
        entries = "".join(f'<li><a href="#{escape(head.anchor)}">{head.html}</a></li>' for head in heads)
        return (
            f'<nav class="contents" aria-label="{escape(_("In this lesson"))}" data-t-label><details>'
            f"{said(_('In this lesson'), 'summary')}<ol>{entries}</ol></details></nav>"
        )

    def _neighbours(self) -> str:
        place = self.setting.lessons.index(self.lesson)
        before, after = self.setting.lessons[:place][-1:], self.setting.lessons[place + 1 :][:1]
        links = [
            *(self._beside(other, "previous", "prev", _("Previous")) for other in before),
            said(_("All lessons"), "a", class_="up", href=f"{ROOT}index.html#lessons"),
            *(self._beside(other, "next", "next", _("Next")) for other in after),
        ]
        label = f'aria-label="{escape(_("Lessons"))}" data-t-label'
        return f'<nav class="neighbours" {label}>{"".join(links)}</nav>\n'

    def _beside(self, other: Lesson, kind: str, relation: str, words: str) -> str:
        title = f"{said(words)} <strong>{escape(other.title)}</strong>"
        return f'<a class="{kind}" rel="{relation}" href="{other.stem}.html">{title}</a>'


def quiz_section(quiz: SiteQuiz) -> str:
    """Return a quiz's place on a page: its questions to read, which `practice.js` turns into the quiz that works."""
    printed = static_html(quiz.quiz["title"], quiz.quiz["items"])
    questions = output.picture(printed, lambda address: (address, *quiz.sizes[address]), escape)
    note = said(_("To answer these questions here, allow this page to run its scripts."), "p", class_="without-script")
    return (
        f'<div class="quiz-place" data-quiz="{escape(ROOT + quiz.path)}" data-quiz-id="{escape(quiz.id)}">\n'
        f'<div class="fallback">{note}{questions}</div>\n</div>\n'
    )


def quiz_data(quiz: SiteQuiz) -> str:
    """Return the text of a quiz's file of questions."""
    return json.dumps(quiz.quiz, ensure_ascii=False, separators=(",", ":"))
