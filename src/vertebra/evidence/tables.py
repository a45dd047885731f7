"""Tables of text in a notebook and on a page without a kernel."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEFT = 'style="text-align: left"'  # notebooks align what stands in tables to the right


def table(head: Iterable[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return an HTML table that reads from the left; the first cell of each row is its header. All of it is HTML."""
    title = f"<caption>{caption}</caption>" if caption else ""
    columns = "".join(f'<th scope="col" {LEFT}>{each}</th>' for each in head)
    body = "".join(
        f'<tr><th scope="row" {LEFT}>{first}</th>{"".join(f"<td {LEFT}>{each}</td>" for each in rest)}</tr>'
        for first, *rest in rows
    )
    return f"<table>{title}<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True)
class Table:
    """Rows of plain text under a head, shown in a notebook; the first cell of a row names it."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        """Return one line: what it lists, and how much."""
        return f"{self.name}: {len(self.rows)} rows"

    def _repr_html_(self) -> str:
        return table(map(html.escape, self.head), (tuple(map(html.escape, row)) for row in self.rows))
