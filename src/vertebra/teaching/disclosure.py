"""Tables that name nobody: a cell of few people is hidden, and others with it, so that no sum gives it away.

An empty cell is shown, as it holds nobody who could be recognised; so whoever reads a hidden cell knows that somebody
is in it.
"""

import numpy as np
from numpy.typing import NDArray

FEWEST = 5
"""People that a cell must hold to be shown, if it holds any."""


def few(people: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which counts are of somebody, and of too few to be shown."""
    return (people > 0) & (people < FEWEST)


def hidden(counts: NDArray[np.int64], shown_totals: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Say which cells of a table of people to hide: bool (g + 1, c) for `counts` (g, c), the last row for the totals.

    The reader knows the size of every row, so every person must be in one column (none may be missing), and a row needs
    at least `FEWEST` people, as one of two cannot be hidden from the other. Hidden are the cells and column totals of 1
    to `FEWEST` - 1, then, one at a time, the smallest neighbours that hold anybody, until none of those few follows
    from what is shown. shown_totals (c,): totals that the reader knows anyway and that are never hidden.
    """
    table = np.vstack([counts, counts.sum(axis=0)])
    always = np.zeros(table.shape, dtype=bool)
    if shown_totals is not None:
        always[-1] = shown_totals
    mask = few(table) & ~always
    while (given := _given_away(table, mask)) is not None:
        row, column = given
        open_ = ~mask & ~always & (table > 0)
        for near in ((row, slice(None)), (slice(None), column), (slice(None), slice(None))):
            candidates = np.zeros_like(mask)
            candidates[near] = open_[near]
            if candidates.any():
                place = np.argmin(np.where(candidates, table, np.iinfo(np.int64).max))
                mask[np.unravel_index(place, mask.shape)] = True
                break
        else:
            break  # everything that may be hidden is
    return mask


def _given_away(table: NDArray[np.int64], mask: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Return a hidden cell of few people whose number follows from the shown ones, or None.

    The numbers are a flow of people from rows through columns to the totals, which keeps the size of each row and of
    the class. A cell can hold another number just if the flow can turn on a circle through it: more is always
    possible, less only where more than one is.
    """
    rows, columns = table.shape[0] - 1, table.shape[1]
    class_ = rows + columns  # the nodes: rows, columns, the class
    edges = {(int(i), int(j)): (int(i), rows + int(j)) for i, j in np.argwhere(mask[:-1])}
    edges |= {(rows, int(j)): (rows + int(j), class_) for j in np.flatnonzero(mask[-1])}
    for cell, (tail, head) in edges.items():
        if table[cell] >= FEWEST:
            continue  # hidden only for the sake of another
        steps: dict[int, set[int]] = {}
        for other, (a, b) in edges.items():
            if other != cell:
                steps.setdefault(a, set()).add(b)
                if table[other] > 1:
                    steps.setdefault(b, set()).add(a)
        more = _reaches(steps, head, tail)
        less = table[cell] > 1 and _reaches(steps, tail, head)
        if not more and not less:
            return cell
    return None


def _reaches(steps: dict[int, set[int]], start: int, end: int) -> bool:
    seen, todo = {start}, [start]
    while todo:
        fresh = steps.get(todo.pop(), set()) - seen
        seen |= fresh
        todo += fresh
    return end in seen
