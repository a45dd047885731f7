"""The pages about the course: the front page, my progress, licences, and the page of an assigned quiz."""

from collections.abc import Sequence

from vertebra.site.lesson_page import Setting
from vertebra.site.page import Page
from vertebra.site.practice import SiteQuiz


def pages(setting: Setting, assigned: Sequence[SiteQuiz]) -> dict[str, Page]:
    """Return the pages by path."""
    entries = "".join(f'<li><a href="lessons/{lesson.stem}.html">{lesson.title}</a></li>' for lesson in setting.lessons)
    return {"index.html": Page("vertebra", "x", f"<h1>vertebra</h1><ol>{entries}</ol>")}
