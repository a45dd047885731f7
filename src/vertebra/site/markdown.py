"""A lesson's markdown as HTML: the anchors of JupyterLab, links from page to page, citations that lead to sources."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any

import mistune
from mistune.plugins.table import table

from vertebra.evidence.references import CITATION
from vertebra.language import _

Link = Callable[[str], str | None]
UNREFERENCED = "unreferenced"
ASKING = "Try this"
STACKED = 3  # columns of a table that no phone shows side by side
_TAG = re.compile(r"<[^>]*>")
_QUANTITY = re.compile(r"(?<=\d) (?=(?:%|°|°C|mm²?|cm²?|mL|N|kN|Nm|kPa|MPa|Pa|kg|mg|min|h|s|mSv)(?![\w°]))")
_HEAD = re.compile(r"<thead\b.*?</thead>", re.DOTALL)
_BODY = re.compile(r"<tbody\b.*?</tbody>", re.DOTALL)
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"(<t[hd][^>]*)>(.*?)</t[hd]>", re.DOTALL)
_NAVIGATION = re.compile(r"\[(?:←|Next:)[^\n]*")


@dataclass
class Heading:
    """A heading of a page: its level, its anchor and its text as HTML."""

    level: int
    anchor: str
    html: str


@dataclass
class Outline:
    """What must be known of a whole page while its cells are turned into HTML one by one.

    headings: those so far. cited: the ids of the sources that the page lists, so that citations can lead there.
    """

    cited: Collection[str] = ()
    headings: list[Heading] = field(default_factory=list)

    def add(self, level: int, html: str) -> Heading:
        """Add a heading; of equal ones the first has the anchor that JupyterLab gives it, the others a number more."""
        name = unescape(_TAG.sub("", html)).replace(" ", "-")
        taken = {heading.anchor for heading in self.headings}
        anchor, n = name, 1
        while anchor in taken:
            n += 1
            anchor = f"{name}-{n}"
        self.headings.append(Heading(level, anchor, html))
        return self.headings[-1]


def to_html(
    source: str, outline: Outline, link: Callable[[str], str | None], picture: Callable[[str, str], str]
) -> str:
    """Return a markdown text as HTML, without its lines of navigation.

    link: the address on the site for an address in the lesson, None for one that leads nowhere there (its text stays).
    picture: the HTML for (address, description).
    """
    kept = "\n\n".join(part for part in source.split("\n\n") if not _NAVIGATION.fullmatch(part.strip()))
    renderer = _Renderer(outline, link, picture)
    markdown = mistune.Markdown(renderer)
    table(markdown)
    markdown.inline.register("citation", CITATION.pattern, _parse_citation, before="link")
    html, _state = markdown.parse(kept)
    return _boxed(str(html))


def _parse_citation(_inline: Any, match: re.Match[str], state: Any) -> int:
    state.append_token({"type": "citation", "raw": match["citation"][1:-1]})
    return match.end()


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, outline: Outline, link: Link, picture: Callable[[str, str], str]) -> None:
        super().__init__(escape=True)
        self._outline, self._link, self._picture = outline, link, picture

    def heading(self, text: str, level: int, **_attrs: Any) -> str:
        heading = self._outline.add(level, text)
        return f'<h{level} id="{escape(heading.anchor)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        address = self._link(url)
        return text if address is None else f'<a href="{escape(address)}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return self._picture(url, unescape(text))

    def text(self, text: str) -> str:
        return unbroken(super().text(text))

    def citation(self, ids: str) -> str:
        """Return a citation: each source that the page lists is a link to its line there."""
        return cited_as(ids, self._outline.cited)

    def block_quote(self, text: str) -> str:
        """Return what is set apart: what a model does not show, a warning or an aside, or what somebody says."""
        if not text.startswith("<p><strong>"):
            return super().block_quote(text)
        kind = "limits" if text.startswith("<p><strong>What ") else "box"
        return f'<div class="{kind}" role="note">\n{text}</div>\n'

    def table(self, text: str) -> str:
        return scrolled(f"<table>\n{text}</table>")

    def table_head(self, text: str) -> str:
        return f"<thead>\n<tr>\n{text}</tr>\n</thead>\n"

    def table_body(self, text: str) -> str:
        return f"<tbody>\n{text}</tbody>\n"

    def table_row(self, text: str) -> str:
        return "<tr>\n" + re.sub(r"\A<td>(.*?)</td>", r'<th scope="row">\1</th>', text, flags=re.DOTALL) + "</tr>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        return f'<th scope="col">{text}</th>\n' if head and text else f"<td>{text}</td>\n"


def unbroken(text: str) -> str:
    """Return a text whose numbers stay on a line with their units."""
    return _QUANTITY.sub("\u00a0", text)


def cited_as(ids: str, listed: Collection[str]) -> str:
    """Return the ids of a citation as HTML, those that the page lists among its sources as links there."""
    shown = [f'<a href="#ref-{name}">{name}</a>' if name in listed else name for name in ids.split("; ")]
    kind = "cite open" if UNREFERENCED in ids else "cite"
    return f'<span class="{kind}">[{"; ".join(shown)}]</span>'


def scrolled(table: str) -> str:
    """Return a table in a frame of its own that scrolls sideways, also with the keys, where the page is narrow.

    One of three columns or more is stacked there, row by row: each cell then says its column's name.
    """
    label = f'aria-label="{escape(_("Table"))}" data-t-label'
    return f'<div class="scrolled" tabindex="0" role="group" {label}>{_stacking(table)}</div>\n'


def _stacking(table: str) -> str:
    """Return a wide table with what a narrow page needs: names in the cells, and roles, which `display` removes."""
    head, body = _HEAD.search(table), _BODY.search(table)
    if not head or not body or re.search(r"\b(?:col|row)span=", table):
        return table
    names = [unescape(_TAG.sub("", cell[2])).strip() for cell in _CELL.finditer(head[0])]
    if len(names) < STACKED:
        return table

    def row(match: re.Match[str]) -> str:
        column = iter(names)

        def cell(found: re.Match[str]) -> str:
            tag, attributes = found[1][1:3], found[1][3:]
            role = "rowheader" if tag == "th" else "cell"
            name = next(column, "")
            name += ":" if name and not name.endswith("?") else ""
            return f'<{tag}{attributes} role="{role}" data-column="{escape(name)}">{found[2]}</{tag}>'

        return f'<tr role="row">{_CELL.sub(cell, match[1])}</tr>'

    stacked = _ROW.sub(row, body[0]).replace("<tbody", '<tbody role="rowgroup"', 1)
    top = head[0].replace("<thead", '<thead role="rowgroup"', 1).replace("<tr", '<tr role="row"', 1)
    top = top.replace("<th ", '<th role="columnheader" ').replace("<td", '<td role="cell"')
    whole = table.replace(head[0], top).replace(body[0], stacked)
    return whole.replace("<table", '<table role="table" class="stacks"', 1)


def _boxed(html: str) -> str:
    """Put what follows a heading `Try this`, down to the next heading, into a box with it."""
    return re.sub(
        rf'(<h3 id="[^"]*">{ASKING}</h3>.*?)(?=<h\d|\Z)', r'<div class="try">\n\1</div>\n', html, flags=re.DOTALL
    )
