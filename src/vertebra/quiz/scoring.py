"""Scoring: a key and an answer give a share of credit, 0 to 1; a certainty turns the share into marks.

Each format is one small function of two plain JSON values. `widgets/quiz.js` holds the same arithmetic in the same
order, so a student sees in the browser what the grader computes. Nothing here reads a file or knows a widget.
"""

import math
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

Key = Mapping[str, Any]

# (mark when right, mark when wrong) at certainty 1, 2, 3. With these the best choice changes at a probability of 2/3
# and of 4/5 of being right (Gardner-Medwin's certainty-based marking; the switch points follow by arithmetic).
CERTAINTY_MARKS: Mapping[int, tuple[float, float]] = {1: (1.0, 0.0), 2: (2.0, -2.0), 3: (3.0, -6.0)}


def score(key: Key, answer: Any) -> float:
    """Return the share of credit, 0 to 1, that `answer` earns under the key record `key`.

    `key` is `Item.key_record()`; `answer` has the JSON shape of the key's format (an option id, a list of ids, a
    number, a mapping prompt to option, a point or a region, a mapping control to number). An answer without that shape
    raises ValueError; an absent answer (None) does too, because only the caller knows what a question left open is
    worth.
    """
    if answer is None:
        raise ValueError("the question is not answered")
    try:
        scorer = SCORERS[key["format"]]
    except KeyError:
        raise ValueError(f"the format must be one of {', '.join(SCORERS)}, not {key.get('format')!r}") from None
    return scorer(key, answer)


def single_best_answer(key: Key, answer: Any) -> float:
    """1 for the key, else 0."""
    return float(_known(answer, key["options"], "option") == key["key"])


def multiple_response(key: Key, answer: Any) -> float:
    """Score the ticked ids by the key's rule: all_or_nothing, each_option or net_correct."""
    ticked = set(_distinct(answer, key["options"], "option"))
    right = len(ticked & set(key["key"]))
    wrong = len(ticked) - right
    missed = len(key["key"]) - right
    match key["scoring"]:
        case "all_or_nothing":
            return float(wrong + missed == 0)
        case "each_option":
            return (len(key["options"]) - wrong - missed) / len(key["options"])
        case "net_correct":
            return max(0.0, (right - wrong) / len(key["key"]))
    raise ValueError(f"multiple_response has no scoring rule {key['scoring']!r}")


def numeric(key: Key, answer: Any) -> float:
    """1 within the absolute tolerance, else 0; the slack beyond it only absorbs binary rounding."""
    error = abs(_number(answer) - float(key["value"]))
    return float(error <= float(key["tolerance"]) * (1 + 1e-9) + 1e-12)


def ordering(key: Key, answer: Any) -> float:
    """Score the order by the key's rule: all_or_nothing, adjacent_pairs or all_pairs (Kendall: concordant pairs)."""
    steps = key["key"]
    place = {step: i for i, step in enumerate(_distinct(answer, steps, "step"))}
    if len(place) != len(steps):
        raise ValueError(f"the order must name all {len(steps)} steps, it names {len(place)}")
    match key["scoring"]:
        case "all_or_nothing":
            return float(list(answer) == list(steps))
        case "adjacent_pairs":
            return sum(place[b] == place[a] + 1 for a, b in pairwise(steps)) / (len(steps) - 1)
        case "all_pairs":
            pairs = len(steps) * (len(steps) - 1) // 2
            return sum(place[a] < place[b] for a, b in combinations(steps, 2)) / pairs
    raise ValueError(f"ordering has no scoring rule {key['scoring']!r}")


def matching(key: Key, answer: Any) -> float:
    """Share of the prompts with the right option; a prompt left out, or null, is not matched and earns nothing."""
    if not isinstance(answer, Mapping):
        raise ValueError(f"the answer must pair prompts with options, not {reprlib.repr(answer)}")
    for prompt, option in answer.items():
        _known(prompt, key["key"], "prompt")
        if option is not None:
            _known(option, key["options"], "option")
    right = sum(1 for prompt, option in key["key"].items() if answer.get(prompt) == option)
    return right / len(key["key"])


def hotspot(key: Key, answer: Any) -> float:
    """1 for a point inside the key's polygon, or for the key's region chosen by name, else 0."""
    match answer:
        case {"point": [x, y], **rest} if not rest:
            return float(inside(_number(x), _number(y), key["polygons"][key["key"]]))
        case {"region": region, **rest} if not rest:
            return float(_known(region, key["polygons"], "region") == key["key"])
    raise ValueError(f'the answer must be {{"point": [x, y]}} or {{"region": id}}, not {reprlib.repr(answer)}')


def key_feature(key: Key, answer: Any) -> float:
    """Mean over the decisions of (right - wrong) / keys, at least 0; a decision left out, or null, earns nothing.

    More options than the decision lets count earn 0 for it, so that ticking everything is no strategy; so does any
    that harms the patient.
    """
    decisions = key["decisions"]
    if not isinstance(answer, Mapping):
        raise ValueError(f"the answer must pair decisions with lists of options, not {reprlib.repr(answer)}")
    for decision, chosen in answer.items():
        _known(decision, decisions, "decision")
        if chosen is not None:
            _distinct(chosen, decisions[decision]["options"], "option")
    total = 0.0
    for name, each in decisions.items():  # not sum(): since Python 3.12 it rounds otherwise than the browser does
        total += decision_share(each, answer.get(name) or ())
    return total / len(decisions)


def decision_share(key: Key, chosen: Sequence[str]) -> float:
    """Return what the options chosen in one decision of a key feature earn of it, 0 to 1."""
    right = len(set(chosen) & set(key["key"]))
    if len(chosen) > key["choose"] or set(chosen) & set(key["harms"]):
        return 0.0
    return max(0, 2 * right - len(chosen)) / len(key["key"])


def task(key: Key, answer: Any) -> float:
    """Share of the band that the student's setting of the controls leads to; the model computed where each leads."""
    return float(key["shares"][key["bands"][setting(key, answer)]])


def setting(key: Key, answer: Any) -> int:
    """Return the place of an answer {control: value} among all settings, the last control running fastest."""
    controls = key["controls"]
    if not isinstance(answer, Mapping) or answer.keys() != {control["id"] for control in controls}:
        names = ", ".join(control["id"] for control in controls)
        raise ValueError(f"the answer must give a number for each of {names}, not {reprlib.repr(answer)}")
    place = 0
    for control in controls:
        value, values = _number(answer[control["id"]]), control["values"]
        if value not in values:
            raise ValueError(f"{control['id']} cannot be set to {value:g}")
        place = place * len(values) + values.index(value)
    return place


def measured(key: Key, place: int) -> str:
    """Say what the model measured at a setting; what is 0 there is left out, but not everything."""
    found = [(measure["says"], measure["values"][place]) for measure in key["measures"]]
    said = [says.replace("{}", f"{value:g}") for says, value in found if says and value]
    return "; ".join(said) or "nothing that the marking looks at"


def inside(x: float, y: float, polygon: Sequence[Sequence[float]]) -> bool:
    """Say whether the point lies in the polygon: a ray to its right crosses an odd number of edges (even-odd rule)."""
    odd = False
    x2, y2 = map(float, polygon[-1])
    for point in polygon:
        x1, y1 = map(float, point)
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
        x2, y2 = x1, y1
    return odd


SCORERS: Mapping[str, Callable[[Key, Any], float]] = {
    "single_best_answer": single_best_answer,
    "multiple_response": multiple_response,
    "numeric": numeric,
    "ordering": ordering,
    "matching": matching,
    "hotspot": hotspot,
    "key_feature": key_feature,
    "needle_path": task,
    "stop_decision": task,
}


def certainty_mark(fraction: float, certainty: int) -> float:
    """Return the mark for a share of credit at certainty 1, 2 or 3: right 1/2/3, wrong 0/-2/-6, linear between."""
    share = _number(fraction)
    if not 0 <= share <= 1:
        raise ValueError(f"the share of credit must lie from 0 to 1, not {share}")
    if isinstance(certainty, bool) or not isinstance(certainty, int) or certainty not in CERTAINTY_MARKS:
        raise ValueError(f"the certainty must be 1, 2 or 3, not {reprlib.repr(certainty)}")
    gain, penalty = CERTAINTY_MARKS[certainty]
    return share * gain + (1 - share) * penalty


@dataclass(frozen=True)
class Level:
    """The answers given at one certainty: how many, how many fully right, and their share (None when n is 0)."""

    n: int
    right: int
    share_right: float | None


@dataclass(frozen=True)
class Summary:
    """What a set of responses amounts to.

    n questions, of them answered, of those fully right; mean_fraction over the answered ones (None when none is).
    certainty_marks of at most certainty_max, both over the answers that carry a certainty. levels by certainty 1, 2, 3.
    confidently_wrong: the ids answered at certainty 3 that cost marks (partial credit below two thirds included).
    """

    n: int
    answered: int
    right: int
    mean_fraction: float | None
    certainty_marks: float
    certainty_max: float
    levels: Mapping[int, Level]
    confidently_wrong: tuple[str, ...]


def summary(responses: Mapping[str, Any], keys: Mapping[str, Key]) -> Summary:
    """Summarise `responses` {item id: {"answer", "certainty"}} against `keys` {item id: key record}.

    Responses to questions without a key are passed over: an old answer file outlives a question. A malformed answer
    raises ValueError with the item's id.
    """
    fractions: dict[str, float] = {}
    marks: dict[str, float] = {}
    by_level: dict[int, list[float]] = {level: [] for level in CERTAINTY_MARKS}
    for item, key in keys.items():
        response = responses.get(item) or {}
        if response.get("answer") is None:
            continue
        certainty = response.get("certainty")
        try:
            fractions[item] = score(key, response["answer"])
            if certainty is not None:
                marks[item] = certainty_mark(fractions[item], certainty)
                by_level[certainty].append(fractions[item])
        except ValueError as error:
            raise ValueError(f"item {item}: {error}") from None
    return Summary(
        n=len(keys),
        answered=len(fractions),
        right=_full(fractions.values()),
        mean_fraction=sum(fractions.values()) / len(fractions) if fractions else None,
        certainty_marks=sum(marks.values()),
        certainty_max=CERTAINTY_MARKS[3][0] * len(marks),
        levels={
            level: Level(len(got), _full(got), _full(got) / len(got) if got else None)
            for level, got in by_level.items()
        },
        confidently_wrong=tuple(item for item in marks if responses[item]["certainty"] == 3 and marks[item] < 0),
    )


def _full(fractions: Iterable[float]) -> int:
    return sum(fraction == 1 for fraction in fractions)


def _number(value: Any) -> float:
    # bool is an int in Python and would pass for 0 or 1.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a number is needed, not {reprlib.repr(value)}")
    if not is_finite(value):
        raise ValueError("a finite number is needed")
    return float(value)


def is_number(value: Any) -> bool:
    """Say whether a value of JSON is a number that a float can hold; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)


def is_finite(value: float) -> bool:
    """Say whether a float can hold the number; an integer of JSON or YAML can be too long for one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _known(value: Any, ids: Any, what: str) -> str:
    if not isinstance(value, str) or value not in ids:
        raise ValueError(f"there is no {what} {reprlib.repr(value)}")
    return value


def _distinct(answer: Any, ids: Any, what: str) -> list[str]:
    if not isinstance(answer, list | tuple):
        raise ValueError(f"the answer must be a list of {what} ids, not {reprlib.repr(answer)}")
    chosen = [_known(value, ids, what) for value in answer]
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"the answer names a {what} twice")
    return chosen
