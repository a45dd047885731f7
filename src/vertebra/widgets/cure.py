"""The cement clock: when cement may be injected at a room temperature, and how hot it gets when it is injected then."""

import base64
import html
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebra.cement.heat import FRACTION, Curing, cure
from vertebra.cement.material import CEMENTS, value
from vertebra.language import N_, labels
from vertebra.simulators import page
from vertebra.widgets.asking import Asking, check_known, module, style

HERE = Path(__file__).parent
FloatArray = NDArray[np.float64]
PLACES = {"bone": N_("in bone, between trabeculae (vertebroplasty)"), "cavity": N_("in a cavity (balloon kyphoplasty)")}
RANGES = {"room": (16.0, 26.0), "minute": (1.0, 16.0), "volume": (1.0, 10.0), "width": (280, 1000)}
START = {
    "cement": "low viscosity",
    "room": 23.0,
    "minute": 5.0,
    "volume": 4.0,
    "place": "bone",
    "width": 920,
    "sharp": True,
}
GHOSTS = (18.0, 24.0)  # rooms drawn beside the chosen one, C
AXIS = 16.0  # minutes on the clock
AFTER = 15.0  # minutes of curing drawn
LIMIT = 45.0  # C from which lai2011 timed the heat
BOILING = 100.0  # C, monomer
DISTANCES = {"middle": None, "surface": 0.0, "5 mm away": 5.0, "10 mm away": 10.0}
LIMITS = (
    "The cement is held at room temperature, arrives all at once as one ball, and no blood flows. Two sorts of cement, "
    "neither of them a product: the maker's chart of the cement in your hand counts, not this one. Paste here means "
    "100 to 1000\u00a0Pa\u00a0s, which is assumed."
)


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted with everything in range. Raises ValueError for what is not."""
    state: dict[str, Any] = START | wanted
    for name, (low, high) in RANGES.items():
        if not isinstance(state[name], int | float) or not low <= state[name] <= high:
            raise ValueError(f"{name} is {state[name]!r}; give a number from {low:g} to {high:g}")
    for name, known in (("cement", tuple(CEMENTS)), ("place", tuple(PLACES))):
        if state[name] not in known:
            raise ValueError(f"{name} is {state[name]!r}; it is one of {', '.join(known)}")
    return state | {"sharp": bool(state["sharp"])}


# --- what is said


def run(state: dict[str, Any]) -> Curing:
    """Return the heat of a state: coarser in time and space while a slider moves."""
    return cure(
        float(state["volume"]),
        fraction=1.0 if state["place"] == "cavity" else FRACTION,
        cement_name=state["cement"],
        room=float(state["room"]),
        injected_at=round(60.0 * state["minute"], 3),
        seconds=60 * AFTER,
        step=1.0 if state["sharp"] else 2.5,
        cells=50 if state["sharp"] else 30,
    )


def minutes(seconds: float) -> str:
    """Return a time in minutes as it is printed, with a space that does not break."""
    return f"{seconds / 60:.1f}\u00a0min"


def degrees(temperature: float) -> str:
    """Return a temperature as it is printed; what monomer would not survive is only said to be above that."""
    return f"over\u00a0{BOILING:.0f}\u00a0°C" if temperature > BOILING else f"{temperature:.0f}\u00a0°C"


def pascals(viscosity: float) -> str:
    """Return a viscosity to two significant digits."""
    digits = 10 ** max(int(np.floor(np.log10(viscosity))) - 1, 0)
    return f"{round(viscosity / digits) * digits:,.0f}\u00a0Pa\u00a0s".replace(",", "\u00a0")


def phase(state: dict[str, Any]) -> str:
    """Return where the chosen minute lies: mixing, early, open, late or set."""
    window, second = CEMENTS[state["cement"]].window(state["room"]), 60 * state["minute"]
    if second < value("ready"):
        return "mixing"
    if second < window.opens:
        return "early"
    return "open" if second <= window.closes else "late" if second < window.sets else "set"


def readout(state: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a checked state: verdict, window and heat in words, and a row for each place."""
    cement, curing, now = CEMENTS[state["cement"]], run(state), phase(state)
    window = cement.window(state["room"])
    at, second = f"{state['minute']:.1f}\u00a0min", 60 * state["minute"]
    thick = pascals(float(cement.viscosity(second, state["room"])))
    verdict = {
        "mixing": f"At {at} it is still being mixed and filled. Wait until {minutes(window.opens)}.",
        "early": f"Too thin at {at}: {thick}, it drips. Wait until {minutes(window.opens)}.",
        "open": f"At {at} it is a paste of {thick}: inject. {minutes(window.closes - second)} are left.",
        "late": f"Too thick at {at}: {thick}. Stop, or it sets in the cannula.",
        "set": f"Set at {at}: nothing moves any more.",
    }[now]
    said = (
        f"{state['cement'].capitalize().replace(' ', '-')} cement in a room of {state['room']:g}\u00a0°C: inject "
        f"between {minutes(window.opens)} and {minutes(window.closes)} after mixing began; at {minutes(window.sets)} "
        "it is set."
    )
    rows = []
    for place, distance in DISTANCES.items():
        away = -curing.radius if distance is None else distance
        hot = curing.above(LIMIT, away)
        rows.append([place.capitalize(), degrees(curing.peak(away)), minutes(hot) if hot else "never"])
    peaks = [row[1] for row in rows]
    if now == "set":
        heat = (
            "Set cement cannot be injected any more. If it lay in the body already, the cure that is still to come "
            f"would bring the middle to {peaks[0]}."
        )
    else:
        doing, reach = ("Injected", "reach") if now == "open" else ("If it were injected", "would reach")
        heat = (
            f"{doing} now, {state['volume']:g}\u00a0mL {PLACES[state['place']].split(',')[0].split(' (')[0]} {reach} "
            f"{peaks[0]} in the middle and {peaks[1]} at the surface, but only {peaks[2]} at 5\u00a0mm and {peaks[3]} "
            f"at 10\u00a0mm."
        )
    return {
        "phase": now,
        "sign": {"open": "✓", "early": "!", "mixing": "!"}.get(now, "✕"),
        "verdict": verdict,
        "window": said,
        "heat": heat,
        "rows": rows,
        "told": f"{verdict} {heat}",
    }


def describe(state: dict[str, Any]) -> str:
    """Return the pictures in words."""
    said = readout(state)
    return f"{said['window']} {said['verdict']} {said['heat']}".replace("\u00a0", " ")


# --- what is drawn: SVG at one pixel a unit, in the colours of style.css with the light ones to fall back on

INK, SOFT, LINE = "var(--vt-ink,#17212b)", "var(--vt-soft,#4d5a68)", "var(--vt-line,#c3ccd6)"
PAPER, PANEL, ACCENT = "var(--vt-paper,#fff)", "var(--vt-panel,#f4f6f8)", "var(--vt-accent,#00619e)"
GOOD, OPEN, BAD = "var(--vt-good,#00694f)", "var(--cu-open,#cfeadf)", "var(--vt-bad,#a8321a)"
HOT, WARM, MARK = "var(--cu-hot,#b8400f)", "var(--cu-warm,#8a5a00)", "var(--cu-mark,#17212b)"
STYLES = {
    "middle": (HOT, 3.0, ""),
    "surface": (WARM, 2.5, ""),
    "5 mm away": (ACCENT, 2.5, ""),
    "10 mm away": (ACCENT, 2.0, "2 4"),
}
# How hot is how red: share of the hue's opacity at each temperature.
GLOW = (
    (37.0, "#f3d9a4", 0.0),
    (42.0, "#f3d9a4", 0.45),
    (52.0, "#eda64a", 0.75),
    (70.0, "#dd6a2a", 0.9),
    (100.0, "#a8270f", 1.0),
)


def _text(x: float, y: float, words: str, fill: str = INK, anchor: str = "start", extra: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="fill:{fill}" {extra}>{html.escape(words)}</text>'
    )


def _line(x0: float, y0: float, x1: float, y1: float, stroke: str, width: float = 1.0, dash: str = "") -> str:
    return _curve([(x0, y0), (x1, y1)], stroke, width, dash)


def _rect(x: float, y: float, width: float, height: float, fill: str, extra: str = "") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" style="fill:{fill}" {extra}/>'


def _curve(points: Sequence[tuple[float, float]], stroke: str, width: float, dash: str = "") -> str:
    path = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f";stroke-dasharray:{dash}" if dash else ""
    joins = "stroke-linejoin:round;stroke-linecap:round"
    return f'<path d="M{path}" style="fill:none;stroke:{stroke};stroke-width:{width};{joins}{dashed}"/>'


def _chip(x: float, y: float, words: str, bold: bool = True) -> str:
    """Return words on a piece of paper, centred, so that they read on any colour."""
    wide = 7.8 * len(words) + 14
    weight = 'font-weight="650"' if bold else ""
    return _rect(x - wide / 2, y - 10, wide, 20, PAPER, 'rx="10" opacity="0.92"') + _text(
        x, y + 4.5, words, INK, "middle", weight
    )


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif" font-size="13">{"".join(parts)}</svg>'
    )


CLOCK_TOP = 58.0
LEFT, RIGHT = 52.0, 14.0  # margins of the clock, px; the slider below it keeps them too


def clock(state: dict[str, Any], width: float) -> str:
    """Return viscosity against minutes, with the window of the chosen room shaded and those of 18 and 24 C below."""
    cement, room = CEMENTS[state["cement"]], state["room"]
    window = cement.window(room)
    top, plot, row = CLOCK_TOP, 210.0, 22.0
    rooms = sorted({*GHOSTS, room})
    bottom = top + plot
    end = bottom + 10 + row * len(rooms)
    height = end + 40

    def x(minute: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * min(minute, AXIS) / AXIS

    def y(viscosity: float) -> float:
        return bottom - plot * float(np.clip(np.log10(viscosity) / 4, 0, 1))

    opens, closes, sets = (second / 60 for second in (window.opens, window.closes, window.sets))
    parts = [_rect(x(0), top, x(AXIS) - x(0), plot, PANEL)]
    parts.append(_rect(x(opens), top, max(x(closes) - x(opens), 2), plot, OPEN))
    if sets < AXIS:
        parts.append(_rect(x(sets), top, x(AXIS) - x(sets), plot, "url(#cu-set)"))
    step = 1 if width > 560 else 2
    for minute in range(0, int(AXIS) + 1, step):
        strong = minute % (2 * step) == 0
        parts.append(_line(x(minute), top, x(minute), end, LINE, 1.0 if strong else 0.5))
        if strong:
            parts.append(_text(x(minute), end + 17, str(minute), INK, "middle"))
    for power, said in enumerate(("1", "10", "100", "1\u00a0000", "10\u00a0000")):
        parts.append(_line(x(0), y(10**power), x(AXIS), y(10**power), LINE))
        parts.append(_text(LEFT - 7, y(10**power) + 4.5, said, INK, "end"))
    parts.append(_text(2, 13, "Viscosity, Pa\u00a0s", INK, "start", 'font-weight="650"'))
    parts.append(_text(x(AXIS), end + 35, "minutes since mixing began", INK, "end", 'font-weight="650"'))
    ages = np.linspace(0, AXIS, 241)
    for other in rooms:
        thick = np.asarray(cement.viscosity(60 * ages, other))
        shown = np.flatnonzero(thick <= 1e4)
        last = min(shown[-1] + 1, len(ages) - 1)
        points = [(x(ages[i]), y(thick[i])) for i in range(last + 1)]
        if other == room:
            mine = points
            continue
        parts.append(_curve(points, SOFT, 1.4, "5 4"))
        below = 16 if points[-1][1] < top + 20 else -9
        parts.append(_text(points[-1][0] - 6, points[-1][1] + below, f"{other:g}\u00a0°C", SOFT, "end"))
    parts.append(_curve(mine, ACCENT, 3.2))
    mixing = window.opens <= value("ready")
    stretches = (
        (0.0, opens, "mixing" if mixing else "too thin", SOFT, ""),
        (opens, closes, "inject", GOOD, 'font-weight="700"'),
        (closes, sets, "too thick", SOFT, ""),
        (sets, AXIS, "set", SOFT, ""),
    )
    for begin, stop, name, fill, weight in stretches:
        if name == "inject" or x(stop) - x(begin) > 7.5 * len(name) + 8:
            parts.append(_text((x(begin) + x(stop)) / 2, top - 7, name, fill, "middle", weight))
    for place, other in enumerate(rooms):
        parts.append(_gantt(cement.window(other), other, other == room, bottom + 10 + place * row, x))
    minute = state["minute"]
    level = y(float(cement.viscosity(60 * minute, room)))
    parts.append(_line(x(minute), top - 21, x(minute), end, MARK, 1.8))
    parts.append(
        f'<circle cx="{x(minute):.1f}" cy="{level:.1f}" r="6.5" style="fill:{PAPER};stroke:{MARK};stroke-width:3"/>'
    )
    side = "end" if minute > AXIS - 1 else "middle"
    parts.append(_text(x(minute), top - 26, f"{minute:.1f}\u00a0min", MARK, side, 'font-weight="700"'))
    return _svg(width, height, [HATCH, *parts])


HATCH = (
    '<defs><pattern id="cu-set" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="7" height="7" style="fill:{PANEL}"/><path d="M0,0V7" style="stroke:{LINE};stroke-width:3"/>'
    "</pattern></defs>"
)


def _gantt(window: Any, room: float, chosen: bool, top: float, x: Any) -> str:
    """Return one room's window as a bar, and a line on to where the cement is set."""
    opens, closes, sets = (second / 60 for second in (window.opens, window.closes, window.sets))
    middle = top + 9
    weight = 'font-weight="700"' if chosen else ""
    bar = _rect(x(opens), top + 2, max(x(closes) - x(opens), 3), 14, GOOD if chosen else OPEN, 'rx="4"')
    tail = _line(x(closes), middle, x(sets), middle, SOFT, 1.5)
    if sets < AXIS:
        tail += _line(x(sets), top + 3, x(sets), top + 15, SOFT, 2.5)
    return _text(LEFT - 7, middle + 4.5, f"{room:g}\u00a0°C", INK if chosen else SOFT, "end", weight) + tail + bar


def history(state: dict[str, Any], width: float) -> str:
    """Return temperature against minutes after injection, at four places."""
    curing = run(state)
    left, top, plot = 40.0, 44.0, 210.0
    bottom = top + plot
    height = bottom + 40
    lowest, highest = 15.0, 120.0

    def x(minute: float) -> float:
        return left + (width - left - RIGHT) * minute / AFTER

    def y(temperature: float) -> float:
        return bottom - plot * (min(temperature, highest) - lowest) / (highest - lowest)

    parts = [HATCH, _rect(x(0), top, x(AFTER) - x(0), plot, PANEL)]
    parts.append(_rect(x(0), y(highest), x(AFTER) - x(0), y(BOILING) - y(highest), "url(#cu-set)"))
    for temperature in range(20, int(highest) + 1, 20):
        parts.append(_line(x(0), y(temperature), x(AFTER), y(temperature), LINE))
        parts.append(_text(left - 7, y(temperature) + 4.5, str(temperature), INK, "end"))
    for minute in range(0, int(AFTER) + 1, 3):
        parts.append(_line(x(minute), top, x(minute), bottom, LINE))
        parts.append(_text(x(minute), bottom + 17, str(minute), INK, "middle"))
    parts.append(_line(x(0), y(LIMIT), x(AFTER), y(LIMIT), BAD, 1.3, "6 4"))
    parts.append(_text(x(AFTER) - 5, y(LIMIT) - 5, f"{LIMIT:.0f}\u00a0°C", BAD, "end"))
    parts.append(_text(x(AFTER) - 6, y(110) + 4, "monomer would boil", SOFT, "end"))
    parts.append(_text(2, 14, "Temperature, °C", INK, "start", 'font-weight="650"'))
    parts.append(_text(x(AFTER), bottom + 35, "minutes after injection", INK, "end", 'font-weight="650"'))
    taken = slice(None, None, max(1, round(3 / (curing.times[1] - curing.times[0]))))
    for place in reversed(DISTANCES):
        distance = DISTANCES[place]
        course = curing.history(-curing.radius if distance is None else distance)
        times = curing.times / 60
        # The peak is kept whatever is left out between.
        kept = np.unique(np.concatenate([np.arange(len(times))[taken], [int(course.argmax()), len(times) - 1]]))
        points = [(x(times[i]), y(course[i])) for i in kept]
        parts.append(_curve(points, *STYLES[place]))
    parts.append(_key(2, 25))
    return _svg(width, height, parts)


def _key(x: float, y: float) -> str:
    """Return which line is which place, in a row above the plot."""
    parts, at = [], x
    for place, (stroke, thick, dash) in STYLES.items():
        name = place.removesuffix(" away").replace(" ", "\u00a0")
        parts.append(_line(at, y + 5, at + 13, y + 5, stroke, thick, dash))
        parts.append(_text(at + 17, y + 9.5, name, INK))
        at += 25 + 7 * (len(name) + name.count("m") / 2)  # an m is wider than other letters
    return "".join(parts)


def section(state: dict[str, Any], width: float) -> str:
    """Return half of the cement and of the bone about it in section, as hot as each place ever gets."""
    curing = run(state)
    reach = 26.0  # mm
    scale = min((width - 20) / 2, 224.0) / reach
    base = 30 + reach * scale
    middle = width / 2
    distances = np.linspace(0, reach, 27)
    stops = []
    for distance in distances:
        peak = curing.peak(distance - curing.radius)
        warm = [glow[0] for glow in GLOW]
        colours = np.array([[int(glow[1][i : i + 2], 16) for i in (1, 3, 5)] for glow in GLOW])
        colour = [round(float(np.interp(peak, warm, colours[:, channel]))) for channel in range(3)]
        opacity = float(np.interp(peak, warm, [glow[2] for glow in GLOW]))
        stops.append(
            f'<stop offset="{distance / reach:.3f}" stop-color="#{"".join(f"{c:02x}" for c in colour)}" '
            f'stop-opacity="{opacity:.2f}"/>'
        )
    wide = reach * scale

    def dome(radius: float) -> str:
        r = radius * scale
        return f"M{middle - r:.1f},{base:.1f}A{r:.1f},{r:.1f} 0 0 1 {middle + r:.1f},{base:.1f}"

    parts = [
        f'<defs><radialGradient id="cu-glow" gradientUnits="userSpaceOnUse" cx="{middle:.1f}" cy="{base:.1f}" '
        f'r="{wide:.1f}">{"".join(stops)}</radialGradient></defs>',
        f'<path d="{dome(reach)}Z" style="fill:{PANEL}"/>',
        f'<path d="{dome(reach)}Z" style="fill:url(#cu-glow)"/>',
        f'<path d="{dome(curing.radius)}" style="fill:none;stroke:{INK};stroke-width:2.2"/>',
    ]
    for more in (5.0, 10.0):
        arc = "stroke-width:1.3;stroke-dasharray:5 4"
        parts.append(f'<path d="{dome(curing.radius + more)}" style="fill:none;stroke:{SOFT};{arc}"/>')
    parts.append(_line(middle - wide, base, middle + wide, base, SOFT, 1.5))
    for tick in range(-20, 21, 10):
        at = middle + tick * scale
        parts.append(_line(at, base, at, base + 5, SOFT, 1.5))
        parts.append(_text(at, base + 19, str(abs(tick)), INK, "middle"))
    parts.append(_text(middle + wide, base + 35, "mm from the middle", INK, "end", 'font-weight="650"'))
    parts.append(_text(2, 14, "Highest temperature at each place", INK, "start", 'font-weight="650"'))
    parts.append(_chip(middle, base - 14, f"middle {degrees(curing.centre)}"))
    names = ("surface", "5\u00a0mm", "10\u00a0mm")
    for name, more in zip(names, (0.0, 5.0, 10.0), strict=True):
        parts.append(_chip(middle, base - (curing.radius + more) * scale, f"{name} {degrees(curing.peak(more))}"))
    return _svg(width, base + 40, parts)


@lru_cache(maxsize=32)
def _drawn(width: float, *items: Any) -> tuple[str, str, str]:
    state = dict(zip(START, items, strict=True))
    half = width if width < 640 else (width - 24) / 2
    return clock(state, width), history(state, half), section(state, half)


def drawings(state: dict[str, Any]) -> tuple[str, str, str]:
    """Return clock, history and section of a checked state as SVG, for a page of that width."""
    return _drawn(float(state["width"]), *(state[name] for name in START))


def static_svg(state: dict[str, Any]) -> str:
    """Return all three pictures on one sheet of paper, for a page without a kernel."""
    first, *pair = (picture.replace("<svg ", "<svg x='{}' y='{}' ", 1) for picture in drawings(state | {"width": 920}))
    tall = CLOCK_TOP + 210 + 10 + 22 * len({*GHOSTS, state["room"]}) + 40
    parts = [
        f'<rect width="960" height="{tall + 350}" fill="#fff"/>',
        first.replace("'{}' y='{}'", "'20' y='16'"),
        pair[0].replace("'{}' y='{}'", f"'20' y='{tall + 40}'"),
        pair[1].replace("'{}' y='{}'", f"'492' y='{tall + 40}'"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {tall + 350}" width="960" height="{tall + 350}">'
        f"{''.join(parts)}</svg>"
    )


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked({name: wanted[name] for name in START if name in wanted})
    return {"seq": int(wanted.get("seq", 0)), "drawings": list(drawings(state)), "readout": readout(state)}


class CementClock(Asking):
    """The cement clock, asked by its browser half."""

    _esm = module("cure")
    _css = style("cure")
    refusal = N_("The cement clock could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on low-viscosity cement injected at 5 min in a room of 23 C, or on what `start` says."""
        check_known("cement_clock", start, START)
        state = checked(start)
        super().__init__(
            about={
                "cements": {name: cement.label for name, cement in CEMENTS.items()},
                "basis": {name: cement.basis for name, cement in CEMENTS.items()},
                "places": labels(PLACES),
                "ranges": RANGES,
                "axis": AXIS,
                "margins": [LEFT, RIGHT],
                "model": page("heat").brief,
                "limits": LIMITS,
            },
            state=state,
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"cement clock: {describe(self._state)}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked({name: wanted[name] for name in START if name in wanted})
        return made

    def still(self) -> str:
        """Return a picture with its description."""
        state = self._state | {"sharp": True}
        said = html.escape(describe(state), quote=True)
        picture = base64.b64encode(static_svg(state).encode()).decode()
        return (
            f'<figure><img alt="{said}" width="960" src="data:image/svg+xml;base64,{picture}">'
            f"<figcaption>{said} Start the lesson to change the room, the cement and the minute.</figcaption></figure>"
        )


def cement_clock(**start: Any) -> CementClock:
    """Return the cement clock; `start` may set what it opens on, such as `room=18` or `cement="high viscosity"`."""
    return CementClock(**start)
