"""What a class chose in a question, as one true-or-false table for each place where something is chosen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebra.quiz.scoring import inside, score, setting

MOST_ANSWERS = 5
"""Wrong numbers or orders that are told apart, the commonest first; the rest is "other"."""


@dataclass(frozen=True, eq=False)
class Place:
    """One place of a question where something is chosen.

    id: the prompt or decision, "" for the question itself. options: ids, or the numbers and orders that were given.
    right (m,): the options that the key names. chosen (n, m): who took which; a row without a True took none of them.
    single: one choice is asked for, and not a set. fixed: a set of a given number is asked for.
    """

    id: str
    options: tuple[str, ...]
    right: NDArray[np.bool_]
    chosen: NDArray[np.bool_]
    single: bool
    fixed: bool = False

    @property
    def exclusive(self) -> bool:
        """Say whether nobody took two, so that the people of all options add up."""
        return bool((self.chosen.sum(axis=1) <= 1).all())


def places(key: Mapping[str, Any], answers: Sequence[Any]) -> tuple[Place, ...]:
    """Return what was chosen under a key record, in the same ids; answers: n JSON values, None for none.

    An answer that the question does not take counts as none, as it does in marking.
    """
    answers = [answer if _is_taken(key, answer) else None for answer in answers]
    kind, options = key["format"], tuple(key.get("options", ()))
    match kind:
        case "single_best_answer":
            return (_place("", options, {key["key"]}, [[answer] for answer in answers], single=True),)
        case "multiple_response":
            return (_place("", options, set(key["key"]), [answer or () for answer in answers], single=False),)
        case "hotspot":
            regions = [key["key"], *(name for name in key["polygons"] if name != key["key"])]
            return (_place("", regions, {key["key"]}, [[_region(key, a, regions)] for a in answers], single=True),)
        case "matching":
            return tuple(
                _place(prompt, options, {right}, [[(answer or {}).get(prompt)] for answer in answers], single=True)
                for prompt, right in key["key"].items()
            )
        case "key_feature":
            return tuple(
                _place(
                    name,
                    tuple(decision["options"]),
                    set(decision["key"]),
                    [(answer or {}).get(name) or () for answer in answers],
                    single=decision["choose"] == 1,
                    fixed=decision["choose"] > 1,
                )
                for name, decision in key["decisions"].items()
            )
        case "needle_path" | "stop_decision":
            full = {band for band, share in key["shares"].items() if share == 1}
            taken = [[key["bands"][setting(key, answer)]] if answer else () for answer in answers]
            return (_place("", tuple(key["shares"]), full, taken, single=True),)
        case "numeric":
            return (_numbers(key, answers),)
        case "ordering":
            given = [None if answer is None else " > ".join(answer) for answer in answers]
            right = " > ".join(key["key"])
            wrong = Counter(order for order in given if order not in (None, right))
            orders = [right, *(order for order, _ in wrong.most_common(MOST_ANSWERS))]
            return (_place("", orders, {right}, [[order] for order in given], single=True),)
    raise ValueError(f"there is no format {kind!r}")


def _is_taken(key: Mapping[str, Any], answer: Any) -> bool:
    if answer is None:
        return False
    try:
        score(key, answer)
    except ValueError:
        return False
    return True


def _place(
    id: str, options: Sequence[str], right: set[str], taken: Sequence[Sequence[Any]], single: bool, fixed: bool = False
) -> Place:
    chosen = np.array([[option in row for option in options] for row in taken], dtype=bool)
    is_right = np.array([option in right for option in options])
    return Place(id, tuple(options), is_right, chosen.reshape(len(taken), len(options)), single, fixed)


def _region(key: Mapping[str, Any], answer: Any, regions: Sequence[str]) -> str | None:
    """Return the region that was named or pointed at, the key's first where regions overlap."""
    if answer is None or "region" in answer:
        return answer and str(answer["region"])
    x, y = answer["point"]
    return next((name for name in regions if inside(x, y, key["polygons"][name])), None)


def _numbers(key: Mapping[str, Any], answers: Sequence[Any]) -> Place:
    """Gather numbers that lie within the key's tolerance of a common one, beginning with the one that gathers most."""
    values = np.array([np.nan if answer is None else float(answer) for answer in answers])
    right = np.array([answer is not None and score(key, answer) == 1 for answer in answers], dtype=bool)
    names, columns, left = [f"{key['value']:g}"], [right], ~np.isnan(values) & ~right
    reach = key["tolerance"] * (1 + 1e-9) + 1e-12
    while left.any() and len(names) <= MOST_ANSWERS:
        found, counts = np.unique(values[left], return_counts=True)
        before = np.concatenate([[0], np.cumsum(counts)])
        ends = np.searchsorted(found, found + reach, side="right"), np.searchsorted(found, found - reach)
        gathered = before[ends[0]] - before[ends[1]]
        best = np.flatnonzero(gathered == gathered.max())
        best = best[counts[best] == counts[best].max()]
        common = found[best[best.size // 2]]
        near = left & (np.abs(values - common) <= reach)
        names.append(f"{common:g}")
        columns.append(near)
        left &= ~near
    return Place("", tuple(names), np.arange(len(names)) == 0, np.column_stack(columns), single=True)
