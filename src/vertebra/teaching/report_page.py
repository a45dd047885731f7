"""How a report is put together: sections of HTML, one page of them, and a notebook that shows the same sections."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

import nbformat

from vertebra.evidence.tables import table
from vertebra.quiz.page import page as html_page
from vertebra.teaching.files import write_text
from vertebra.teaching.lessons import refresh
from vertebra.teaching.report_figures import COLOURS, Figure

STYLE = f"""{COLOURS}
body {{ max-width: 62rem; }}
p, ul {{ max-width: 44rem; }}
main > section {{ margin-top: 2.25rem; padding-top: 1.25rem; border-top: 2px solid var(--line); }}
h2 {{ font-size: 1.3rem; }} h3 {{ font-size: 1.05rem; margin: 1rem 0 .4rem; }}
a {{ color: var(--accent); }}
nav ul {{ list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; }}
nav a {{ display: inline-block; min-height: 24px; padding: .2rem 0; }}
.lead p {{ font-size: 1.1rem; margin: .5rem 0; }}
.stem {{ font-weight: 600; }}
.beside {{ display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; margin-top: 1rem; }}
.beside > * {{ flex: 1 1 18rem; min-width: 0; max-width: 24rem; }}
.beside > .wide {{ flex: 1 1 30rem; max-width: 100%; }}
figure {{ margin: .75rem 0; max-width: 27rem; }} figcaption {{ color: var(--soft); font-size: .9rem; }}
svg {{ display: block; width: 100%; background: none; }}
.wide {{ overflow-x: auto; }}
.wide:focus-visible, summary:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
table {{ border-collapse: collapse; font-size: .9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; color: var(--soft); padding-bottom: .3rem; }}
th, td {{ padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal; }}
thead th {{ border-bottom-width: 2px; vertical-align: bottom; }} th {{ font-weight: 600; }}
.wide tbody th {{ min-width: 9rem; }} .wide td {{ min-width: 3.5rem; }} .prose td:last-child {{ min-width: 12rem; }}
summary {{ cursor: pointer; min-height: 24px; color: var(--accent); }}
.alarm, .note {{ max-width: 44rem; margin: .75rem 0; padding: .6rem .9rem; border-left: 5px solid var(--bad);
  background: var(--bad-paper); }}
.note {{ border-color: var(--ochre); background: var(--panel); }}
.alarm > :first-child, .note > :first-child {{ margin-top: 0; }}
.alarm > :last-child, .note > :last-child {{ margin-bottom: 0; }}
@media print {{ body {{ max-width: none; padding: 0; font-size: 10pt; }} nav {{ display: none; }}
  .wide {{ overflow: visible; }} figure, tr, .alarm, .note {{ break-inside: avoid; }} a {{ color: inherit; }}
  summary {{ list-style: none; color: inherit; }}
  details::details-content {{ content-visibility: visible; height: auto; }} }}
"""


PROSE = 24  # letters from which a cell holds a sentence


@dataclass(frozen=True)
class Link:
    """Words that lead to a place on the page."""

    to: str
    said: str


@dataclass(frozen=True)
class Table:
    """A table in plain text; the first cell of each row names it."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Link]]

    def html(self, links: bool) -> str:
        """Return it in a frame that scrolls by itself, with the keyboard too. links: or only their words."""
        rows = [[_cell(cell, links) for cell in row] for row in self.rows]
        drawn = table(map(escape, self.head), rows, escape(self.caption))
        # A last column of sentences is kept from becoming a tower of single words.
        look = "wide prose" if any(isinstance(row[-1], str) and len(row[-1]) > PROSE for row in self.rows) else "wide"
        return f'<div class="{look}" role="region" tabindex="0" aria-label="{escape(self.caption)}">{drawn}</div>'


def _cell(cell: str | Link, links: bool) -> str:
    if isinstance(cell, str):
        return escape(cell)
    return f'<a href="#{cell.to}">{escape(cell.said)}</a>' if links else escape(cell.said)


@dataclass(frozen=True)
class Drawn:
    """A figure with its numbers: as a table that opens below it, or beside it if that is in view anyway."""

    figure: Figure
    numbers: Table
    beside: bool = False


@dataclass(frozen=True)
class Words:
    """One element of plain text: a `p`, a heading, or a box of another `look`; `more` are the items of a list in it."""

    said: str
    look: str = ""
    tag: str = "p"
    more: tuple[str, ...] = ()
    id: str = ""


Block = Words | Table | Drawn | Figure


@dataclass(frozen=True)
class Section:
    """A part of the report. says: its numbers in one line of plain text."""

    id: str
    title: str
    says: str
    blocks: tuple[Block, ...]


def page(title: str, about: str, sections: Sequence[Section]) -> str:
    """Return the whole report as one page of HTML that needs nothing else."""
    figures = count(1)
    links = "".join(f'<li><a href="#{each.id}">{escape(each.title)}</a></li>' for each in sections)
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(about)}</p>',
        f'<nav aria-label="Contents"><ul>{links}</ul></nav>',
    ]
    for each in sections:
        blocks = "\n".join(_on_page(block, figures) for block in each.blocks)
        head = f'<section aria-labelledby="{each.id}">\n<h2 id="{each.id}">{escape(each.title)}</h2>'
        parts.append(f"{head}\n{blocks}\n</section>")
    return html_page(title, "\n".join(parts), STYLE)


def _on_page(block: Block, figures: Iterator[int]) -> str:
    match block:
        case Words():
            return _words(block)
        case Table():
            return block.html(links=True)
        case Figure():
            drawn = block.svg(f"f{next(figures)}")
            return f"<figure>{drawn}<figcaption>{escape(block.title)}</figcaption></figure>"
        case Drawn(figure, numbers, beside):
            drawn = _on_page(figure, figures)
            if beside:
                return f'<div class="beside">{numbers.html(links=True)}{drawn}</div>'
            return f"{drawn}<details><summary>{escape(numbers.caption)}</summary>{numbers.html(links=True)}</details>"


def _words(block: Words) -> str:
    attributes = (f' id="{block.id}"' if block.id else "") + (f' class="{block.look}"' if block.look else "")
    said = f"<{block.tag}{attributes}>{escape(block.said)}</{block.tag}>"
    if not block.more:
        return said
    items = "".join(f"<li>{escape(each)}</li>" for each in block.more)
    return f'<div class="{block.look or "list"}"><p>{escape(block.said)}</p><ul>{items}</ul></div>'


@dataclass(frozen=True)
class Shown:
    """A section as the output of a notebook's cell: figures as pictures with alt text, which need no trust."""

    section: Section

    def __repr__(self) -> str:
        """Return its numbers in one line."""
        return self.section.says

    def _repr_html_(self) -> str:
        return "\n".join(map(_in_notebook, self.section.blocks))


def _in_notebook(block: Block) -> str:
    match block:
        case Words(tag="h3"):
            return f"<h4>{escape(block.said)}</h4>"
        case Words():
            return _words(block)
        case Table():
            return block.html(links=False)
        case Figure():
            file = base64.b64encode(block.svg("f").encode()).decode()
            alt = escape(f"{block.title}. {block.says}")
            source = f'src="data:image/svg+xml;base64,{file}"'
            return f'<p><img {source} alt="{alt}" width="430" style="background: white"></p>'
        case Drawn(figure, numbers, _):
            return _in_notebook(figure) + numbers.html(links=False)


def write_notebook(path: Path, title: str, call: str, sections: Iterable[Section], prose: Mapping[str, str]) -> None:
    """Write a notebook that shows the sections, and run it in its folder; its cells hold one call each, hidden.

    call: Python that opens the report as `report`. prose: {id of a section: what to look for}, in markdown. Raises
    TeachingError if a cell fails.
    """
    cells = [_markdown("title", f"# {title}\n\n{prose['']}"), _code("open", call)]
    for each in sections:
        cells.append(_markdown(f"about-{each.id}", f"## {each.title}\n\n{prose.get(each.id, '')}".rstrip()))
        cells.append(_code(f"show-{each.id}", f"report.show({each.id!r})"))
    notebook = nbformat.v4.new_notebook(cells=cells)
    write_text(path, nbformat.writes(notebook) + "\n")
    refresh(path)


def _markdown(name: str, source: str) -> Any:
    return nbformat.v4.new_markdown_cell(source, id=name, metadata={"tags": ["no-claims"]})


def _code(name: str, source: str) -> Any:
    return nbformat.v4.new_code_cell(source, id=name, metadata={"jupyter": {"source_hidden": True}})
