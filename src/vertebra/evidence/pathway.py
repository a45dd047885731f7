"""From back pain to a decision, as data: a pathway that is walked with a patient and drawn from the same file.

Data: `assets/evidence/pathway.yml`. A question that hangs on something unknown is answered `unknown`, never guessed.
"""

import html
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from vertebra import assets
from vertebra.evidence.patient import FIELDS, Condition, Patient, condition_faults, holds, missing, named
from vertebra.evidence.shape import (
    DATE,
    IDS,
    TEXT,
    Fact,
    citation_faults,
    listed,
    record,
    repeated,
    review_date,
    shape_faults,
)

FILE = "pathway.yml"
CLOCKS = (
    "now",
    "today",
    "within 24 hours",
    "within a day",
    "within days",
    "within weeks",
    "planned",
    "one to two weeks",
    "before the next step",
    "the same admission",
)
DOES = ("cement", "urgent imaging", "spine surgeon", "prevention")
ANSWERS = ("yes", "no", "unknown")

SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "start": TEXT,
        "nodes": listed(
            record(
                {"id": TEXT, "short": TEXT, "says": TEXT, "clock": {"enum": list(CLOCKS)}, "refs": IDS},
                {
                    "ask": TEXT,
                    "when": {"type": "object"},
                    **dict.fromkeys(ANSWERS, TEXT),
                    "next": TEXT,
                    "does": listed({"enum": list(DOES)}),
                },
            )
        ),
    }
)


@dataclass(frozen=True)
class Node:
    """A question, an action, or the last node, which leads nowhere.

    `edges` are the ids it leads to by answer; an action's only edge is called `next`. `does` is what a path that comes
    here has reached, `ask` how what a question hangs on is found out.
    """

    id: str
    short: str
    says: str
    clock: str
    refs: tuple[str, ...]
    edges: Mapping[str, str]
    when: Condition | None = None
    ask: str = ""
    does: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A node that was visited, what was answered there (yes, no, unknown, or next), and the fields it hung on."""

    node: Node
    answer: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Path:
    """Where a patient's findings lead: the steps in order, and what was unknown on the way and so asked for."""

    steps: tuple[Step, ...]
    asked: tuple[str, ...] = field(default=())

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the ids of the nodes visited, in order."""
        return tuple(step.node.id for step in self.steps)

    @property
    def actions(self) -> tuple[Node, ...]:
        """Return what is to be done, in order, each with its clock."""
        return tuple(step.node for step in self.steps if step.node.when is None)

    @property
    def destination(self) -> Node:
        """Return where it led, before prevention, in which every path ends."""
        return self.steps[-2].node

    @property
    def reached(self) -> frozenset[str]:
        """Return what the path has reached, of `DOES`."""
        return frozenset(each for step in self.steps for each in step.node.does)


def _nodes(data: Mapping[str, Any]) -> dict[str, Node]:
    found = {}
    for each in data["nodes"]:
        edges = {name: each[name] for name in (*ANSWERS, "next") if name in each}
        found[each["id"]] = Node(
            id=each["id"],
            short=each["short"],
            says=each["says"],
            clock=each["clock"],
            refs=tuple(each["refs"]),
            edges=edges,
            when=each.get("when"),
            ask=each.get("ask", ""),
            does=tuple(each.get("does", ())),
        )
    return found


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = assets.read_yaml(f"evidence/{FILE}")
    return found


@cache
def nodes() -> dict[str, Node]:
    """Return every node by id, in the order of the file."""
    return _nodes(_data())


def start() -> str:
    """Return the id of the first node."""
    return str(_data()["start"])


@cache
def inputs() -> tuple[str, ...]:
    """Return the fields of a patient that any question looks at."""
    looked = {name for node in nodes().values() if node.when is not None for name in named(node.when)}
    return tuple(name for name in FIELDS if name in looked)


def walk(patient: Patient) -> Path:
    """Return where the patient's findings lead, node by node, to prevention."""
    steps: list[Step] = []
    asked: list[str] = []
    node = nodes()[start()]
    while node.edges:
        if node.when is None:
            steps.append(Step(node, "next"))
        else:
            truth = holds(node.when, patient)
            answer = "unknown" if truth is None else "yes" if truth else "no"
            lacking = missing(node.when, patient)
            asked += lacking
            steps.append(Step(node, answer, lacking or tuple(dict.fromkeys(named(node.when)))))
        node = nodes()[node.edges[steps[-1].answer]]
    return Path((*steps, Step(node, "")), tuple(dict.fromkeys(asked)))


# --- what is wrong with the file -------------------------------------------------------------------------------------


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with pathway.yml, or with the data given: shape, edges, circles, conditions, citations."""
    data = data or assets.read_yaml(f"evidence/{FILE}")
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    found += repeated(FILE, data["nodes"])
    made = _nodes(data)
    ends = [node.id for node in made.values() if not node.edges]
    if len(ends) != 1:
        found.append(f"{FILE}: {len(ends)} nodes lead nowhere ({', '.join(ends)}); every path ends in the same one")
    for node in made.values():
        found += citation_faults(FILE, node.id, node.refs)
        found += [
            f"{FILE}: {node.id} leads to {to}, which does not exist" for to in node.edges.values() if to not in made
        ]
        if node.when is not None:
            found += [f"{FILE}: {node.id}: {fault}" for fault in condition_faults(node.when)]
            if set(node.edges) != set(ANSWERS) or not node.ask:
                found.append(f"{FILE}: {node.id} is a question; it needs yes, no, unknown and ask")
        elif set(node.edges) - {"next"}:
            found.append(f"{FILE}: {node.id} is an action; it has next and no other way out")
    if data["start"] not in made:
        found.append(f"{FILE}: start is {data['start']}, which does not exist")
    return found or [*_circle(made), *_unreached(made, data["start"])]


def _circle(made: Mapping[str, Node]) -> Iterator[str]:
    """Yield the nodes that lie on a circle: what is left when nodes without a way in are taken away again and again."""
    left = dict(made)
    while True:
        entered = {to for node in left.values() for to in node.edges.values()}
        free = [name for name in left if name not in entered]
        if not free:
            break
        for name in free:
            del left[name]
    if left:
        yield f"{FILE}: a circle runs through {', '.join(left)}; a path must come to its end"


def _unreached(made: Mapping[str, Node], first: str) -> Iterator[str]:
    reached, waiting = {first}, [first]
    while waiting:
        for to in made[waiting.pop()].edges.values():
            if to not in reached:
                reached.add(to)
                waiting.append(to)
    for name in made:
        if name not in reached:
            yield f"{FILE}: no way leads to {name}"


def facts() -> Iterator[Fact]:
    """Yield every statement of pathway.yml with its sources."""
    by = review_date(FILE, _data())
    for node in nodes().values():
        yield Fact(FILE, node.id, node.says, node.refs, by)


# --- the picture -----------------------------------------------------------------------------------------------------

BOX, SIDE, HIGH, ROW = 262, 212, 58, 82  # px: width of a box on the trunk and beside it, height, and from row to row
CHANNEL, RAIL, EDGE = 96, 26, 12  # px: room for the lines beside the trunk, for the rails outside, and the margin
WIDTH = 2 * (EDGE + RAIL + SIDE + CHANNEL) + BOX


@dataclass(frozen=True)
class Place:
    """Where a node is drawn: its row, its column (-1 left, 0 trunk, 1 right) and the lane of the lines to it."""

    row: int
    column: int
    lane: int = 0


@cache
def layout() -> dict[str, Place]:
    """Return where every node is drawn: the longest way in the middle, all else beside it where fewest lines cross.

    Lines for `unknown` to the node that most of them lead to are left out: each question would have one.
    """
    trunk = _longest(start())
    row = {name: i for i, name in enumerate(trunk)}
    places = {name: Place(i, 0) for name, i in row.items()}
    spans: dict[int, list[tuple[int, int, int]]] = {-1: [], 1: []}  # of each column: from row, to row, lane
    taken: dict[int, set[int]] = {-1: set(), 1: set()}
    beside = [name for name in nodes() if name not in row]
    beside.sort(key=lambda name: (name == _hub(), min(_parents(name, row), default=0)))
    for name in beside:
        rows = sorted(_parents(name, row)) or [len(trunk) // 2]
        column = min((-1, 1), key=lambda side: (_crossings(rows, spans[side]), len(spans[side])))
        free = [i for i in range(1, len(trunk) - 1) if i not in taken[column]]
        middle = rows[0] if name == _hub() else rows[len(rows) // 2] if len(rows) > 2 else rows[0]
        at = min(free, key=lambda i: (abs(i - middle), i))
        taken[column].add(at)
        first, last = min(*rows, at), max(*rows, at)
        used = {lane for low, high, lane in spans[column] if low <= last and first <= high}
        lane = next(i for i in range(len(beside) + 1) if i not in used)
        if name != _hub():
            spans[column].append((first, last, lane))
        places[name] = Place(at, column, lane)
    return places


@cache
def _hub() -> str:
    """Return the node to which most unknowns lead."""
    led = [node.edges["unknown"] for node in nodes().values() if "unknown" in node.edges]
    return max(dict.fromkeys(led), key=led.count)


def _longest(name: str) -> list[str]:
    """Return the longest way from a node to the end, unknown answers left out; of two the one with fewer lines to it.

    A node that many lead to stands better beside the trunk, where lines from several rows can reach it.
    """
    ways = [_longest(to) for answer, to in nodes()[name].edges.items() if answer != "unknown"]
    entered = [to for node in nodes().values() for to in node.edges.values()]
    return [name, *max(ways, key=lambda way: (len(way), -entered.count(way[0])), default=[])]


def _parents(name: str, row: Mapping[str, int]) -> list[int]:
    """Return the rows of the trunk from which lines lead to a node."""
    return [row[p] for p, node in nodes().items() if p in row and name in _drawn(node).values()]


def _drawn(node: Node) -> dict[str, str]:
    """Return the edges of a node that are drawn."""
    return {answer: to for answer, to in node.edges.items() if (answer, to) != ("unknown", _hub())}


def _crossings(rows: list[int], spans: list[tuple[int, int, int]]) -> int:
    """Return how many lines from these rows would cross what runs in a column already, and be crossed by it."""
    return sum(low <= row <= high for row in rows for low, high, _ in spans) + sum(
        rows[0] < end < rows[-1] for low, high, _ in spans for end in (low, high)
    )


def _at(place: Place) -> tuple[float, float, float]:
    """Return the left edge, the top and the width of a box."""
    top = EDGE + place.row * ROW
    if place.column == 0:
        return EDGE + RAIL + SIDE + CHANNEL, top, BOX
    return (EDGE + RAIL if place.column < 0 else WIDTH - EDGE - RAIL - SIDE), top, SIDE


def centre(name: str) -> tuple[float, float]:
    """Return the middle of a node's box in the drawing, px."""
    left, top, wide = _at(layout()[name])
    return left + wide / 2, top + HIGH / 2


def draw(path: Path | None = None, step: int | None = None) -> str:
    """Return the pathway as SVG; of a path the nodes and lines up to `step` (default: all) are marked."""
    height = 2 * EDGE + layout()[_end()].row * ROW + HIGH
    steps = path.steps[: len(path.steps) if step is None else step + 1] if path else ()
    walked = {(one.node.id, one.answer) for one in steps[:-1]}
    seen = [one.node.id for one in steps]
    plain: list[str] = []
    marked: list[str] = []
    for node in nodes().values():
        for to in dict.fromkeys(node.edges.values()):
            answers = [answer for answer, target in node.edges.items() if target == to]
            taken = [answer for answer in answers if (node.id, answer) in walked]
            if taken or set(answers) & set(_drawn(node)):
                (marked if taken else plain).append(_line(node, to, taken or answers, bool(taken)))
    boxes = [_box(node, node.id in seen, seen[-1:] == [node.id]) for node in nodes().values()]
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="system-ui, sans-serif" font-size="13.5">{"".join([*plain, *marked, *boxes])}</svg>'
    )


def _end() -> str:
    return next(node.id for node in nodes().values() if not node.edges)


def _line(node: Node, to: str, answers: list[str], on: bool) -> str:
    """Return the line from a node to another with its answers: down the trunk, to the side, or along a rail down."""
    here, there = layout()[node.id], layout()[to]
    left, top, wide = _at(here)
    to_left, to_top, to_wide = _at(there)
    middle, to_middle = top + HIGH / 2, to_top + HIGH / 2
    words = "" if answers == ["next"] else " or ".join(answers)
    if here.column == there.column:  # both on the trunk
        x, side = left + wide / 2, 0
        way, at, anchor, tip = f"M{x},{top + HIGH}V{to_top - 6}", (x + 8, top + HIGH + 16), "start", (x, to_top)
    elif here.column == 0:
        side = there.column
        # Two lines out of one side of a box leave it apart, the one to the higher box above.
        rows = sorted({layout()[each].row for each in _drawn(node).values() if layout()[each].column == side})
        leave = middle + (0 if there.row not in rows else 20 * (rows.index(there.row) - (len(rows) - 1) / 2))
        out, end = (left, to_left + to_wide) if side < 0 else (left + wide, to_left)
        lane = out + side * (16 + 13 * there.lane)
        bend = f"H{lane}V{to_middle}" if there.row != here.row else ""
        leave = leave if bend else middle
        way, tip = f"M{out},{leave}{bend}H{end - side * 6}", (end, to_middle)
        at, anchor = (out + side * 4, leave - 5), "end" if side < 0 else "start"
    else:
        side, words = 0, ""
        out, rail = (left, EDGE + 9) if here.column < 0 else (left + wide, WIDTH - EDGE - 9)
        way, at, anchor, tip = f"M{out},{middle}H{rail}V{to_top - 6}", (rail, middle), "start", (rail, to_top)
    colour = "var(--vt-accent, #00619e)" if on else "var(--pw-line, #808d9b)"
    ink = "var(--vt-accent, #00619e)" if on else "var(--vt-soft, #4d5a68)"
    head = f"M{tip[0]},{tip[1]}" + (f"l{-9 * side},-5v10z" if side else "l-5,-9h10z")
    label = (
        f'<text x="{at[0]}" y="{at[1]}" text-anchor="{anchor}" font-size="12" font-weight="{700 if on else 400}" '
        f'fill="{ink}" stroke="var(--vt-paper, #fff)" stroke-width="4" paint-order="stroke">{words}</text>'
        if words
        else ""
    )
    walked = ' data-walked="yes"' if on else ""
    return (
        f'<g data-edge="{node.id}-{to}"{walked}>'
        f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="{4 if on else 2}" stroke-linejoin="round"/>'
        f'<path d="{head}" fill="{colour}"/>{label}</g>'
    )


TONES = {"urgent imaging": "bad", "cement": "warn", "prevention": "good"}
FALLBACK = {  # of a tone: ink and paper of style.css in light mode
    "bad": ("#a8321a", "#fdeeea"),
    "warn": ("#7a5200", "#fdf4e0"),
    "good": ("#00694f", "#e5f4ef"),
    "soft": ("#4d5a68", "#f4f6f8"),
}


def _lines(text: str, most: int) -> list[str]:
    """Return a text in lines of at most `most` letters, as even as they can be in so many lines."""
    widest = textwrap.wrap(text, most)
    even = (textwrap.wrap(text, width) for width in range(8, most + 1))
    return next((lines for lines in even if len(lines) == len(widest)), widest)


def _box(node: Node, seen: bool, current: bool) -> str:
    """Return a node's box: round for a question; an action says its clock; ringed if it is the current one."""
    place = layout()[node.id]
    left, top, wide = _at(place)
    if not node.edges:
        left, wide = EDGE, WIDTH - 2 * EDGE
    tone = next((TONES[each] for each in node.does if each in TONES), "soft")
    dark, light = FALLBACK[tone]
    ink, fill = f"var(--vt-{tone}, {dark})", f"var(--vt-{'panel' if tone == 'soft' else tone + '-paper'}, {light})"
    lines = _lines(node.short, int(wide / 8))
    clock = "" if node.when is not None else node.clock
    radius = HIGH / 2 if node.when is not None else 7
    middle, first = left + wide / 2, top + HIGH / 2 + 5 - 8 * (len(lines) + bool(clock) - 1)
    text = "".join(
        f'<text x="{middle}" y="{first + 16 * i}" text-anchor="middle" font-weight="{700 if seen else 500}" '
        f'fill="var(--vt-ink, #17212b)">{html.escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    if clock:
        text += (
            f'<text x="{middle}" y="{first + 16 * len(lines)}" text-anchor="middle" font-size="12" fill="{ink}">'
            f"{clock}</text>"
        )
    if node.edges.get("unknown") == _hub() or node.id == _hub():
        x, y = left + wide - 26, top + HIGH
        text += (
            f'<circle cx="{x}" cy="{y}" r="9" fill="var(--vt-paper, #fff)" stroke="var(--vt-soft, #4d5a68)" '
            f'stroke-width="1.5"/><text x="{x}" y="{y + 4.5}" text-anchor="middle" font-size="12" font-weight="700" '
            'fill="var(--vt-soft, #4d5a68)">?</text>'
        )
    ring = (
        f'<rect x="{left - 6}" y="{top - 6}" width="{wide + 12}" height="{HIGH + 12}" rx="{radius + 6}" fill="none" '
        'stroke="var(--vt-ink, #17212b)" stroke-width="3" stroke-dasharray="7 4"/>'
        if current
        else ""
    )
    walked = ' data-walked="yes"' if seen else ""
    outline = "var(--vt-accent, #00619e)" if seen else ink
    return (
        f'<g data-node="{node.id}"{walked}>{ring}'
        f'<rect x="{left}" y="{top}" width="{wide}" height="{HIGH}" rx="{radius}" fill="{fill}" '
        f'stroke="{outline}" stroke-width="{3.5 if seen else 1.5}"/>{text}</g>'
    )
