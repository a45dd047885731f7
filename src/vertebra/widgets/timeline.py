"""The year after a vertebral fracture as a line: what is expected, and what a student makes of what is not."""

import base64
import html
import math
from pathlib import Path
from typing import Any

from vertebra.evidence.recovery import CLOCKS, DAYS, LANES, MEASURES, Phase, clocks, course, events, series
from vertebra.evidence.references import cite
from vertebra.language import N_, labels
from vertebra.widgets.asking import Asking, check_known, module, style

HERE = Path(__file__).parent
# The days that can be chosen, and how they are called.
WHEN = {
    1: N_("day 1"),
    2: N_("day 2"),
    3: N_("day 3"),
    7: N_("1 week"),
    10: N_("10 days"),
    14: N_("2 weeks"),
    21: N_("3 weeks"),
    28: N_("4 weeks"),
    42: N_("6 weeks"),
    56: N_("8 weeks"),
    84: N_("12 weeks"),
    112: N_("16 weeks"),
    182: N_("6 months"),
    273: N_("9 months"),
    365: N_("1 year"),
}
TICKS = {0: "day 0", 3: "3 d", 14: "2 wk", 42: "6 wk", 84: "3 mo", 182: "6 mo", 365: "1 y"}
TOPS = {"pain": 10, "disability": 24}
MOST = 12  # events on the line
START: dict[str, Any] = {"event": "new_pain", "day": 42, "clock": "", "placed": []}
LIMITS = (
    "The curves are means of one trial of two cement procedures [evans2016]; no such curve of people without cement "
    "has been read. In sham-controlled trials the sham arms eased as well [kallmes2009; firanescu2018]. The line is a "
    "teaching order, not a protocol: a person who worries you is seen sooner."
)


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted if it can be answered. Raises ValueError for what cannot."""
    state = START | wanted
    if not isinstance(state["placed"], list) or len(state["placed"]) > MOST:
        raise ValueError(f"placed holds too much; place at most {MOST} events")
    for each in [state, *state["placed"]]:
        for name, known in (("event", tuple(events())), ("day", tuple(WHEN)), ("clock", ("", *CLOCKS))):
            if each.get(name) not in known:
                raise ValueError(f"{name} is {each.get(name)!r}; it is one of {', '.join(map(str, known))}")
    return state


def along(day: float) -> float:
    """Return where a day stands on the line, 0 to 1; early days have more room, as the logarithm gives it."""
    return math.log1p(day) / math.log1p(DAYS)


# --- words -----------------------------------------------------------------------------------------------------------


def judged(clock: str, phase: Phase) -> str:
    """Return whether a student acts right, sooner than is needed, or too late."""
    off = CLOCKS.index(clock) - CLOCKS.index(phase.clock)
    return "right" if off == 0 else "sooner" if off < 0 else "late"


def card(state: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of the event that was chosen: the question, or the answer once a clock is chosen."""
    event, when = events()[state["event"]], WHEN[state["day"]]
    asked = f"{event.label}, {when} after the fracture"
    if not state["clock"]:
        return {"asked": asked, "grade": "", "said": "How soon do you act? Choose, and the line answers."}
    phase = event.on(state["day"])
    grade = judged(state["clock"], phase)
    due = clocks()[phase.clock].lower()
    said = {
        "right": f"In time: {due}",
        "sooner": f"Safe, and sooner than is needed: {due} is enough",
        "late": f"Too late: {due}",
    }[grade]
    return {
        "asked": asked,
        "grade": grade,
        "said": said,
        "verdict": phase.verdict,
        "think": list(phase.think),
        "order": list(phase.order),
        "why": f"{phase.why} {cite(phase.refs)}",
    }


def told(state: dict[str, Any]) -> str:
    """Return the card as one text."""
    now = card(state)
    if not now["grade"]:
        return f"{now['asked']}. {now['said']}"
    return (
        f"{now['asked']}. {now['said']}. {now['verdict']}. Think of: {', '.join(now['think'])}. "
        f"Order: {', '.join(now['order'])}. {now['why']}"
    )


def score(placed: list[dict[str, Any]]) -> str:
    """Return how many of the placed events were answered in time."""
    if not placed:
        return "Nothing is on the line yet."
    late = sum(judged(each["clock"], events()[each["event"]].on(each["day"])) == "late" for each in placed)
    return f"{len(placed) - late} of {len(placed)} in time."


# --- the line --------------------------------------------------------------------------------------------------------


def line() -> dict[str, Any]:
    """Return what is drawn whatever is chosen: ticks, curves and lanes, placed from 0 to 1."""
    return {
        "ticks": [[along(day), name] for day, name in TICKS.items()],
        "charts": [
            {
                "name": MEASURES[measure],
                "top": top,
                "curves": [
                    {
                        "label": each.label,
                        "points": [[along(day), 1 - value / top] for day, value in each.points],
                    }
                    for each in series()
                    if each.measure == measure
                ],
                "told": f"{MEASURES[measure]}: "
                + "; ".join(
                    f"{each.label} " + ", ".join(f"{value:g} on day {day}" for day, value in each.points)
                    for each in series()
                    if each.measure == measure
                )
                + " [evans2016].",
            }
            for measure, top in TOPS.items()
        ],
        "lanes": [
            {
                "name": name,
                "stretches": [
                    {
                        "from": along(each.days[0]),
                        "to": along(each.days[1]),
                        "short": each.short,
                        "says": f"{each.says} {cite(each.refs)}",
                    }
                    for each in course()
                    if each.lane == lane
                ],
            }
            for lane, name in LANES.items()
        ],
    }


def flags(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return where the placed events stand, how many stand there before them, and how each was answered."""
    days = [each["day"] for each in state["placed"]]
    return [
        {
            "at": along(each["day"]),
            "above": days[:number].count(each["day"]),
            "grade": judged(each["clock"], events()[each["event"]].on(each["day"])),
            "label": f"{events()[each['event']].label}, {WHEN[each['day']]}",
        }
        for number, each in enumerate(state["placed"])
    ]


def static_svg(state: dict[str, Any]) -> str:
    """Return the line with its curves, its lanes and the chosen event as one SVG picture."""
    drawn, left, width = line(), 130, 800
    parts: list[str] = []

    def x(share: float) -> float:
        return left + width * share

    def write(
        at: float, y: float, text: str, colour: str = "#17212b", anchor: str = "start", weight: int = 400
    ) -> None:
        css = f'fill="{colour}" font-weight="{weight}"'
        parts.append(f'<text x="{at:.1f}" y="{y:.1f}" text-anchor="{anchor}" {css}>{html.escape(text)}</text>')

    y = 40.0
    for chart in drawn["charts"]:
        height = 110.0
        write(left, y - 10, chart["name"], "#4d5a68")
        for share, value in ((0.0, chart["top"]), (0.5, chart["top"] / 2), (1.0, 0)):
            parts.append(f'<path d="M{left},{y + height * share:.1f}h{width}" stroke="#c3ccd6"/>')
            write(left - 10, y + height * share + 5, f"{value:g}", "#4d5a68", "end")
        for curve, colour, dash in zip(chart["curves"], ("#00619e", "#a8321a"), ("", "9 6"), strict=True):
            points = [f"{x(at):.1f},{y + height * down:.1f}" for at, down in curve["points"]]
            style_ = f'stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}"'
            parts.append(f'<path d="M{"L".join(points)}" fill="none" {style_}/>')
            parts.extend(
                f'<circle cx="{point.split(",")[0]}" cy="{point.split(",")[1]}" r="5" fill="{colour}"/>'
                for point in points
            )
        y += height + 46
    for number, (curve, colour) in enumerate(zip(drawn["charts"][0]["curves"], ("#00619e", "#a8321a"), strict=True)):
        write(left + 490 + 170 * number, 186, curve["label"], colour, weight=600)
    for lane in drawn["lanes"]:
        write(left - 12, y + 24, lane["name"], anchor="end", weight=600)
        for each in lane["stretches"]:
            begin, end = x(each["from"]), x(each["to"])
            box = f'x="{begin + 1:.1f}" y="{y:.1f}" width="{end - begin - 2:.1f}" height="36"'
            parts.append(f'<rect {box} rx="5" fill="#e8eef4" stroke="#8ea3b8"/>')
            # Two thirds of a character for a pixel of type: what is longer goes into two lines.
            room, words = (end - begin - 12) / 7.2, each["short"].split()
            first = ""
            while words and len(f"{first} {words[0]}") <= room:
                first = f"{first} {words.pop(0)}".strip()
            rows = [first, " ".join(words)] if words else [first]
            for number, row in enumerate(rows):
                write(begin + 8, y + (23 if len(rows) == 1 else 15 + 15 * number), row)
        y += 44
    for share, name in drawn["ticks"]:
        parts.append(f'<path d="M{x(share):.1f},{y:.1f}v8" stroke="#4d5a68" stroke-width="2"/>')
        write(x(share), y + 26, name, "#4d5a68", "middle")
    parts.append(f'<path d="M{left},{y}h{width}" stroke="#4d5a68" stroke-width="2"/>')
    here = x(along(state["day"]))
    parts.append(f'<path d="M{here:.1f},20V{y:.1f}" stroke="#7a5200" stroke-width="2" stroke-dasharray="3 4"/>')
    write(here, 14, events()[state["event"]].label, "#7a5200", "middle", 700)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {y + 40:.0f}" width="960" height="{y + 40:.0f}" '
        'font-family="system-ui, sans-serif" font-size="14"><rect width="100%" height="100%" rx="10" fill="#fff"/>'
        f"{''.join(parts)}</svg>"
    )


# --- the widget ------------------------------------------------------------------------------------------------------


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked(wanted)
    return {
        "seq": int(wanted.get("seq", 0)),
        "at": along(state["day"]),
        "when": WHEN[state["day"]],
        "card": card(state),
        "told": told(state),
        "flags": flags(state),
        "score": score(state["placed"]),
    }


class RecoveryTimeline(Asking):
    """The year after a fracture, asked by its browser half."""

    _esm = module("timeline")
    _css = style("timeline")
    refusal = N_("The line could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on new pain at six weeks, or on what `start` says."""
        check_known("recovery_timeline", start, START)
        super().__init__(
            about={
                "line": line(),
                "events": {name: event.label for name, event in events().items()},
                "days": [[day, name] for day, name in labels(WHEN).items()],
                "clocks": dict(clocks()),
                "most": MOST,
                "limits": LIMITS,
            },
            state=checked(start),
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"The year after a fracture: {told(self._state)}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked({name: wanted[name] for name in START if name in wanted})
        return made

    def still(self) -> str:
        """Return a picture with its description, and what each stretch of the line says."""
        said = html.escape(told(self._state), quote=True)
        drawing = base64.b64encode(static_svg(self._state).encode()).decode()
        lanes = "".join(
            f"<li><strong>{lane['name']}:</strong> "
            f"{html.escape(' '.join(each['says'] for each in lane['stretches']))}</li>"
            for lane in line()["lanes"]
        )
        return (
            f'<figure><img alt="{said}" width="960" src="data:image/svg+xml;base64,{drawing}">'
            f"<figcaption>{said} {LIMITS} Start the lesson to place events on the line.</figcaption></figure>"
            f"<ul>{lanes}</ul>"
        )


def recovery_timeline(**start: Any) -> RecoveryTimeline:
    """Return the line; `start` may set what it opens on, such as `event="deficit"` or `day=84`."""
    return RecoveryTimeline(**start)
