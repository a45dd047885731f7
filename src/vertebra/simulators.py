"""What each simulator is, what it was fitted to, what it was held against, and what it does not show.

Data: `assets/simulators/*.yml`. Every row of a table sets what a source (or exact solution) says beside what the model
computes; tests compute the rows anew.
"""

import html
from dataclasses import dataclass
from functools import cache

from vertebra import assets
from vertebra.evidence.references import references
from vertebra.evidence.tables import table

NAMES = ("cement", "balloon", "heat", "load", "segment", "leaks", "cascade")
# What a row may be held against besides a reference that somebody has opened.
ELSEWHERE = {"analytic": "exact solution", "independent": "independent computation"}


@dataclass(frozen=True)
class Row:
    """One line of the table: a quantity as published (or known exactly) and as computed, `within` set beforehand."""

    id: str
    quantity: str
    published: str
    source: str
    computed: float
    unit: str
    within: tuple[float, float]
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Return whether the computed value lies where it was asked to lie."""
        return self.within[0] <= self.computed <= self.within[1]

    @property
    def checked(self) -> str:
        """Return how far the source was checked."""
        return ELSEWHERE.get(self.source) or references()[self.source].status


@dataclass(frozen=True)
class Page:
    """A simulator's page, shown in a notebook as text and a table."""

    name: str
    title: str
    model: str
    fitted: str
    validated: str
    not_shown: str
    rows: tuple[Row, ...]

    @property
    def brief(self) -> dict[str, str]:
        """Return what a widget says of its model: heading to text."""
        return {
            "Model": self.model,
            "Fitted": self.fitted,
            "Held against": self.validated,
            "Does not show": self.not_shown,
        }

    def __repr__(self) -> str:
        """Return one line: how many rows, and how many of them agree."""
        agree = sum(row.agrees for row in self.rows)
        return f"{self.title}: {agree} of {len(self.rows)} comparisons agree"

    def _repr_html_(self) -> str:
        said = "".join(
            f"<dt><strong>{name}</strong></dt><dd>{html.escape(text)}</dd>" for name, text in self.brief.items()
        )
        head = ("Quantity", "Published or exact", "Computed", "Asked for", "Result")
        lines = []
        for row in self.rows:
            note = f"<br><small>{html.escape(row.note)}</small>" if row.note else ""
            low, high = (number(value) for value in row.within)
            lines.append(
                (
                    f"{html.escape(row.quantity)}{note}",
                    f"{html.escape(row.published)}<br><small>[{row.source}] {html.escape(row.checked)}</small>",
                    f"{number(row.computed)} {html.escape(row.unit)}",
                    f"{low} to {high} {html.escape(row.unit)}",
                    "agrees" if row.agrees else "<strong>differs</strong>",
                )
            )
        return (
            f"<details><summary><strong>{html.escape(self.title)}:</strong> the model, what it was held against, and "
            f"what it does not show</summary><dl>{said}</dl>{table(head, lines)}</details>"
        )


def number(value: float) -> str:
    """Return a number as it is printed: four significant digits, a true minus sign."""
    return f"{value:.4g}".replace("-", "−")


@cache
def page(name: str) -> Page:
    """Return a simulator's page by its name, one of `NAMES`.

    Raises ValueError for an unknown name, AssetError for a damaged file, and ValueError for a row whose source is
    neither known nor opened: what nobody has read is not shown as published.
    """
    if name not in NAMES:
        raise ValueError(f"there is no simulator {name!r}; it is one of {', '.join(NAMES)}")
    file = f"simulators/{name}.yml"
    data = assets.read_yaml(file)
    try:
        rows = tuple(
            Row(**row | {"within": tuple(row["within"]), "computed": float(row["computed"])}) for row in data["rows"]
        )
        found = Page(name, rows=rows, **{key: " ".join(value.split()) for key, value in data.items() if key != "rows"})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise assets.AssetError(f"{assets.path(file)}: damaged, {error}; {assets.MEND}") from None
    for row in rows:
        if row.source not in ELSEWHERE and not (row.source in references() and references()[row.source].publishable):
            raise ValueError(
                f"{assets.path(file)}: row {row.id}: nobody has opened {row.source!r}; "
                "name a reference that was read, or leave the row out"
            )
    return found
