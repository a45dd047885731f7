"""Draw the questions of a quiz by a blueprint: so many on these objectives, in this format, at this level."""

import hashlib
from dataclasses import dataclass

from vertebra.quiz.items import Item
from vertebra.quiz.static import counted


@dataclass(frozen=True)
class Row:
    """One row of a blueprint: `count` questions on one of these objectives; no format or bloom means any."""

    objectives: tuple[str, ...]
    count: int
    formats: tuple[str, ...] = ()
    bloom: tuple[str, ...] = ()

    def takes(self, item: Item) -> bool:
        """Say whether a question fits the row."""
        return (
            not set(self.objectives).isdisjoint(item.objectives)
            and (not self.formats or item.format in self.formats)
            and (not self.bloom or item.bloom in self.bloom)
        )

    def __str__(self) -> str:
        return ", ".join([" or ".join(part) for part in (self.objectives, self.formats, self.bloom) if part])


class Shortage(ValueError):
    """A blueprint that the questions cannot fill; rows are the places, from 0, of the rows that lack some."""

    def __init__(self, rows: tuple[int, ...], what: str) -> None:
        super().__init__(what)
        self.rows = rows


@dataclass(frozen=True)
class Blueprint:
    """Rows and the questions they are drawn from; of questions of one isomorph family at most one is drawn."""

    rows: tuple[Row, ...]
    pool: tuple[Item, ...]

    def draw(self, seed: str) -> tuple[Item, ...]:
        """Return the questions, row by row; the same for the same seed and pool.

        Whenever the rows can be filled at all they are, also where a question fits several (augmenting paths, as in
        Kuhn's matching algorithm). Raises Shortage that says what is missing.
        """

        def rank(item: Item) -> bytes:
            return hashlib.sha256(f"{seed}\n{item.id}".encode()).digest()

        ranked = sorted(self.pool, key=rank)
        fitting = [[item for item in ranked if row.takes(item)] for row in self.rows]
        drawn: dict[str, tuple[int, Item]] = {}  # by family: the row that has it, and the question

        def give(row: int, tried: set[str], waiting: list[int]) -> bool:
            waiting.append(row)
            for item in fitting[row]:
                family = _family(item)
                if family in tried:
                    continue
                tried.add(family)
                if family not in drawn or give(drawn[family][0], tried, waiting):
                    drawn[family] = (row, item)
                    return True
            return False

        for place, row in enumerate(self.rows):
            for _ in range(row.count):
                tried: set[str] = set()
                waiting: list[int] = []
                if not give(place, tried, waiting):
                    raise self._shortage(tuple(sorted(set(waiting))))
        return tuple(
            item
            for place in range(len(self.rows))
            for item in sorted((item for row, item in drawn.values() if row == place), key=rank)
        )

    def _shortage(self, rows: tuple[int, ...]) -> Shortage:
        """Return what these rows lack: together they ask for more questions than fit any of them (Hall's theorem)."""
        asked = sum(self.rows[row].count for row in rows)
        fit = [item for item in self.pool if any(self.rows[row].takes(item) for row in rows)]
        have = len({_family(item) for item in fit})
        names = f": {', '.join(item.id for item in fit)}" if fit else ""
        related = " once each isomorph family counts as one" if have < len(fit) else ""
        asks = "asks for" if len(rows) == 1 else "ask together for"
        which = " and ".join(f"row {row + 1} ({self.rows[row]})" for row in rows)
        found = "none fits" if not have else f"only {have} {'fits' if have == 1 else 'fit'}{related}{names}"
        there = sorted({objective for item in self.pool for objective in item.objectives})
        hint = "" if fit else f"; the objectives there are: {', '.join(there)}"
        mend = "lower count, widen the row, or add questions to a bank"
        return Shortage(rows, f"{which} {asks} {counted(asked, 'question')}, and {found}{hint}; {mend}")


def _family(item: Item) -> str:
    # No id of a question begins with a blank, so no family can have the name of a question.
    return f" {item.isomorph_family}" if item.isomorph_family else item.id
