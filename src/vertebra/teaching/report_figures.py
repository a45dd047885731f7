"""The report's figures: SVG drawn from numbers that are computed elsewhere, each with a title and a description.

A figure stands in the page and takes the page's colours, or alone in a file and is then drawn on white. Hues are those
of `widgets/style.css` (Okabe-Ito, darkened); lines also differ in dash and marker and carry their name at their end.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

WIDTH = 360.0  # units; shown at up to 1.2 px each, so that 13 units read on a telephone too
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 26.0, 44.0

PAPER, INK, SOFT, LINE = "var(--paper, #fff)", "var(--ink, #17212b)", "var(--soft, #4d5a68)", "var(--line, #c3ccd6)"
GOOD, BAD, ACCENT = "var(--good, #00694f)", "var(--bad, #a8321a)", "var(--accent, #00619e)"
OTHERS = (ACCENT, BAD, "var(--plum, #7d2257)", "var(--ochre, #7a5200)", SOFT)
DASHES = ("6 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2")

COLOURS = """:root { --accent: #00619e; --plum: #7d2257; --ochre: #7a5200; --panel: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --accent: #6cbcf0; --plum: #e39ac4; --ochre: #f0c060;
  --panel: #1d242c; } }
@media print { :root { --accent: #00619e; --plum: #7d2257; --ochre: #7a5200; --panel: #f4f6f8; } }
"""
"""What figures need beyond the colours of `quiz/page.py`."""


@dataclass(frozen=True)
class Figure:
    """A drawing of `width` x `height` units with its title and what it shows, in plain text."""

    title: str
    says: str
    width: float
    height: float
    parts: tuple[str, ...]

    def svg(self, name: str) -> str:
        """Return it for a page, where no other figure has this name."""
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-labelledby="{name}-t {name}-d" '
            f'xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif" font-size="13">'
            f'<title id="{name}-t">{escape(self.title)}</title><desc id="{name}-d">{escape(self.says)}</desc>'
            f"{''.join(self.parts)}</svg>"
        )


@dataclass(frozen=True)
class Plot:
    """The frame of a plot: from data to units. `x` and `y` are the ends of the axes; y grows upwards."""

    x: tuple[float, float]
    y: tuple[float, float]
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = 210.0

    def across(self, value: float) -> float:
        """Return where a value of x lies."""
        return self.left + (self.right - self.left) * (value - self.x[0]) / (self.x[1] - self.x[0])

    def up(self, value: float) -> float:
        """Return where a value of y lies."""
        return self.bottom - (self.bottom - self.top) * (value - self.y[0]) / (self.y[1] - self.y[0])

    def rulers(self, ticks: Iterable[tuple[float, str]]) -> list[str]:
        """Return a level line and a label for each tick of y."""
        drawn = []
        for value, said in ticks:
            drawn.append(line(self.left, self.up(value), self.right, self.up(value), LINE))
            drawn.append(text(self.left - 6, self.up(value) + 4.5, said, SOFT, "end"))
        return drawn

    def feet(self, ticks: Iterable[tuple[float, str]]) -> list[str]:
        """Return a label below the frame for each tick of x."""
        return [text(self.across(value), self.bottom + 17, said, SOFT, "middle") for value, said in ticks]

    def named(self, x: str, y: str) -> list[str]:
        """Return the names of both axes: that of y above it, that of x below it."""
        return [
            text(4, 14, y, INK, "start", 'font-weight="600"'),
            text(self.right, self.bottom + 37, x, INK, "end", 'font-weight="600"'),
        ]


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1.0, dash: str = "") -> str:
    """Return a straight line."""
    dashed = f";stroke-dasharray:{dash}" if dash else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} style="stroke:{stroke};stroke-width:{width:g}{dashed}"/>'


def text(
    x: float, y: float, said: str, fill: str = INK, anchor: str = "start", more: str = "", rim: bool = True
) -> str:
    """Return words; `said` is plain text. rim: they stand on a rim of paper, so that they read across a line."""
    looks = f"fill:{fill}" + (f";stroke:{PAPER};stroke-width:3;paint-order:stroke" if rim else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{looks}" {more}>{escape(said)}</text>'


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    """Return a filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" style="fill:{fill}" {more}/>'


def path(points: Sequence[tuple[float, float]], stroke: str, width: float, dash: str = "") -> str:
    """Return a line through points."""
    through = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashed = f";stroke-dasharray:{dash}" if dash else ""
    looks = f"fill:none;stroke:{stroke};stroke-width:{width:g};stroke-linejoin:round{dashed}"
    return f'<path d="M{through}" style="{looks}"/>'


def marker(x: float, y: float, colour: str, shape: int) -> str:
    """Return one of four markers: disc, square, triangle, diamond."""
    outlines = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"',
        f'<path d="M{x - 4:.1f} {y - 4:.1f}h8v8h-8z"',
        f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z"',
        f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"',
    )
    return f'{outlines[shape % 4]} style="fill:{colour};stroke:{PAPER};stroke-width:1"/>'


def apart(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Return the places moved so that neighbours are at least `least` apart, in their order, between low and high."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [places[i] for i in order]
    for i, (before, after) in enumerate(pairwise(moved.copy()), 1):
        moved[i] = max(after, moved[i - 1] + least, before + least)
    ceiling = high
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - least
    found = [0.0] * len(places)
    for place, i in zip(moved, order, strict=True):
        found[i] = max(place, low)
    return found


QUARTERS = [(0.0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1.0, "100 %")]


def score_bars(title: str, says: str, bars: Sequence[tuple[float, float, int]]) -> Figure:
    """Draw how many students reached which score. bars: (from, to, how many), scores in per cent.

    Areas are in proportion to students: a bar is as high as its students per ten points.
    """
    heights = [10 * n / (high - low) for low, high, n in bars]
    most = max(heights, default=1.0)
    plot = Plot((0.0, 100.0), (0.0, most * 1.12))
    parts = plot.rulers((tick, f"{tick:g}") for tick in ticks(most))
    for (low, high, n), tall in zip(bars, heights, strict=True):
        left, wide = plot.across(low) + 1, plot.across(high) - plot.across(low) - 2
        parts.append(rect(left, plot.up(tall), wide, plot.bottom - plot.up(tall), ACCENT))
        parts.append(text(left + wide / 2, plot.up(tall) - 4, str(n), INK, "middle", 'font-size="12"'))
    parts.append(line(plot.left, plot.bottom, plot.right, plot.bottom, INK))
    parts += plot.feet((tick, f"{tick:g}") for tick in (0, 20, 40, 60, 80, 100))
    names = plot.named("score, % of the points", "Students per ten points")
    return Figure(title, says, WIDTH, plot.bottom + BOTTOM, (*parts, *names))


Ends = tuple[float, float, float]


def item_intervals(title: str, says: str, items: Sequence[tuple[str, Ends | None, Ends | None, bool]]) -> Figure:
    """Draw facility and correlation of each question side by side, each as a dot with its interval.

    items: (name, (facility, low, high), (correlation, low, high), under suspicion); None where there is none.
    """
    bottom = 48 + 20.0 * len(items)
    left = Plot((0.0, 1.0), (0.0, 1.0), left=44, right=178, top=34, bottom=bottom)
    right = Plot((-1.0, 1.0), (0.0, 1.0), left=222, right=WIDTH - 14, top=34, bottom=bottom)
    parts = []
    for plot, name, marks in ((left, "Facility", QUARTERS[::2]), (right, "Point-biserial", SIGNED)):
        parts.append(text(plot.left, 16, name, INK, "start", 'font-weight="600"'))
        parts += [line(plot.across(at), plot.top, plot.across(at), bottom, LINE) for at, _ in marks]
        parts += plot.feet(marks)
    for row, (name, facility, correlation, suspect) in enumerate(items):
        y, colour = 48 + 20.0 * row, BAD if suspect else ACCENT
        parts.append(text(30, y + 4.5, f"! {name}" if suspect else name, colour if suspect else INK, "end"))
        for plot, ends in ((left, facility), (right, correlation)):
            if ends:
                value, low, high = map(plot.across, ends)
                parts.append(line(low, y, high, y, colour, 2))
                parts.append(marker(value, y, colour, 3 if suspect else 0))
    return Figure(title, says, WIDTH, bottom + 26, tuple(parts))


SIGNED = [(-1.0, "−1"), (0.0, "0"), (1.0, "1")]


def ticks(most: float) -> list[float]:
    """Return round values from 0 to at most `most`, three to six of them unless `most` is below 2."""
    rough = most / 4
    power = 10 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = max(1.0, next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough))
    return [step * i for i in range(int(most / step) + 1)]


@dataclass(frozen=True)
class Curve:
    """One answer's share, 0 to 1, in each group; None where it is hidden. name: what the line is called."""

    name: str
    right: bool
    shares: tuple[float | None, ...]


def answer_lines(title: str, says: str, groups: Sequence[str], curves: Sequence[Curve]) -> Figure:
    """Draw which share of each ability group gave which answer; each line carries its name at its last point."""
    plot = Plot((0.0, float(len(groups) - 1)), (0.0, 1.0), left=LEFT + 14, right=WIDTH - 96)
    parts = plot.rulers(QUARTERS)
    parts += plot.feet(enumerate(groups))
    labels: list[tuple[float, float, str, str, str]] = []
    wrong = 0
    for curve in curves:
        colour, dash, shape = GOOD, "", 0
        if not curve.right:
            colour, dash, shape = OTHERS[wrong % 5], DASHES[wrong % 5], 1 + wrong % 3
            wrong += 1
        shown = [i for i, share in enumerate(curve.shares) if share is not None]
        points = [(plot.across(i), plot.up(curve.shares[i] or 0.0)) for i in shown]
        # Neighbouring groups are joined; across a hidden one nothing is drawn.
        for _, run in groupby(enumerate(points), key=lambda each: shown[each[0]] - each[0]):
            stretch = [point for _, point in run]
            if len(stretch) > 1:
                parts.append(path(stretch, colour, 3.2 if curve.right else 2.0, dash))
        parts += [marker(x, y, colour, shape) for x, y in points]
        if points:
            weight = 'font-weight="700"' if curve.right else ""
            labels.append((*points[-1], curve.name, colour, weight))
    if not labels:  # an empty frame would look like a fault
        parts.append(text((plot.left + plot.right) / 2, plot.up(0.6), "every share is hidden", SOFT, "middle"))
    heights = apart([y for _, y, *_ in labels], 15, plot.top, plot.bottom)
    for (x, y, name, colour, weight), height in zip(labels, heights, strict=True):
        edge = plot.right + 12
        parts.append(line(x + 6, y, edge, height, SOFT, 0.8, "1 3"))
        parts.append(text(edge + 3, height + 4.5, name, colour, "start", weight))
    return Figure(title, says, WIDTH, plot.bottom + BOTTOM, (*parts, *plot.named("ability group", "Chose it")))


@dataclass(frozen=True)
class Level:
    """The answers of one certainty: what it claims (from, to), and the share right with its interval, 0 to 1."""

    name: str
    claimed: tuple[float, float]
    share: float
    low: float
    high: float


def calibration_bars(title: str, says: str, levels: Sequence[Level]) -> Figure:
    """Draw for each certainty the band it claims, and where the share of right answers lies with its interval."""
    plot = Plot((-0.5, len(levels) - 0.5), (0.0, 1.0), left=LEFT + 14)
    parts = plot.rulers(QUARTERS)
    for i, level in enumerate(levels):
        x, (low, high) = plot.across(i), level.claimed
        parts.append(frame(x - 34, plot.up(high), 68, plot.up(low) - plot.up(high)))
        parts.append(line(x, plot.up(level.low), x, plot.up(level.high), ACCENT, 2.5))
        parts += [line(x - 6, plot.up(end), x + 6, plot.up(end), ACCENT, 2.5) for end in (level.low, level.high)]
        parts.append(marker(x, plot.up(level.share), ACCENT, 0))
        parts.append(text(x + 10, plot.up(level.share) + 4.5, f"{100 * level.share:.0f} %", ACCENT))
    parts += plot.feet((i, level.name) for i, level in enumerate(levels))
    return Figure(title, says, WIDTH, plot.bottom + BOTTOM, (*parts, *plot.named("certainty", "Right answers")))


def frame(x: float, y: float, width: float, height: float) -> str:
    """Return a dashed empty box."""
    looks = f"fill:none;stroke:{SOFT};stroke-width:1.2;stroke-dasharray:4 3"
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" style="{looks}"/>'


def heat_map(
    title: str, says: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[float | None]]]
) -> Figure:
    """Draw shares, 0 to 1, as shaded cells, each with its number; a dash where one is hidden."""
    left, top, tall = 64.0, 30.0, 30.0
    wide = (WIDTH - left - 4) / len(columns)
    parts = [text(left + wide * (i + 0.5), 18, name, SOFT, "middle") for i, name in enumerate(columns)]
    for row, (name, shares) in enumerate(rows):
        y = top + tall * row
        parts.append(text(0, y + tall / 2 + 4.5, name, INK, "start", 'font-weight="600"'))
        for i, share in enumerate(shares):
            x = left + wide * i
            if share is None:
                parts.append(frame(x + 1, y + 1, wide - 3, tall - 3))
                parts.append(text(x + wide / 2, y + tall / 2 + 4.5, "hidden", SOFT, "middle", 'font-size="11"'))
                continue
            # Deeper is weaker; the tint stays pale enough for the number to read in either mode.
            tint = f'fill-opacity="{0.04 + 0.38 * (1 - share):.2f}"'
            parts.append(rect(x + 1, y + 1, wide - 2, tall - 2, BAD, tint))
            parts.append(text(x + wide / 2, y + tall / 2 + 4.5, f"{100 * share:.0f} %", INK, "middle", rim=False))
    return Figure(title, says, WIDTH, top + tall * len(rows) + 4, tuple(parts))


def judge_dots(
    title: str, says: str, judges: Sequence[tuple[str, float]], cut: float, low: float, high: float
) -> Figure:
    """Draw each judge's cut, in percent, with the cut of all and its interval."""
    plot = Plot((0.0, 100.0), (0.0, 1.0), left=84.0, bottom=TOP + 18 + 24.0 * len(judges))
    parts = [line(plot.across(tick), plot.top, plot.across(tick), plot.bottom, LINE) for tick in (0, 25, 50, 75, 100)]
    band = plot.across(high) - plot.across(low)
    parts.append(rect(plot.across(low), plot.top, band, plot.bottom - plot.top, BAD, 'fill-opacity="0.15"'))
    parts.append(line(plot.across(cut), plot.top, plot.across(cut), plot.bottom, BAD, 2, "5 3"))
    parts.append(text(plot.across(cut), plot.top - 6, f"cut {cut:.1f} %", BAD, "middle"))
    for i, (name, value) in enumerate(judges):
        y = plot.top + 18 + 24 * i
        parts.append(text(plot.left - 8, y + 4.5, name, INK, "end"))
        parts.append(marker(plot.across(value), y, ACCENT, 0))
        parts.append(text(plot.across(value) + 9, y + 4.5, f"{value:.0f}", ACCENT))
    parts += plot.feet((tick, f"{tick:g}") for tick in (0, 25, 50, 75, 100))
    parts.append(text(plot.right, plot.bottom + 37, "cut, % of the points", INK, "end", 'font-weight="600"'))
    return Figure(title, says, WIDTH, plot.bottom + BOTTOM, tuple(parts))


def hofstee_plot(
    title: str,
    says: str,
    curve: Sequence[tuple[float, float]],
    box: tuple[float, float, float, float],
    cut: float | None,
) -> Figure:
    """Draw who would fail at which cut, the judges' box and its diagonal, and the cut where they cross.

    curve: (cut, failing), both in percent. box: least and most acceptable cut, least and most acceptable failing, in
    per cent. cut: in per cent, None if they do not cross.
    """
    plot = Plot((0.0, 100.0), (0.0, 100.0))
    parts = plot.rulers([(0, "0"), (25, "25"), (50, "50"), (75, "75"), (100, "100")])
    low, high, least, most = box
    wide, tall = plot.across(high) - plot.across(low), plot.up(least) - plot.up(most)
    parts.append(frame(plot.across(low), plot.up(most), wide, tall))
    parts.append(line(plot.across(low), plot.up(most), plot.across(high), plot.up(least), SOFT, 1.5, "4 3"))
    parts.append(path([(plot.across(x), plot.up(y)) for x, y in curve], ACCENT, 2.4))
    parts.append(text(plot.across(low), plot.up(most) - 6, "judges", SOFT))
    if cut is not None:
        x = plot.across(cut)
        parts.append(line(x, plot.top, x, plot.bottom, BAD, 1.5, "5 3"))
        parts.append(text(x - 6, plot.top + 10, f"cut {cut:.1f} %", BAD, "end", 'font-weight="700"'))
    parts += plot.feet((tick, f"{tick:g}") for tick in (0, 25, 50, 75, 100))
    return Figure(
        title,
        says,
        WIDTH,
        plot.bottom + BOTTOM,
        (*parts, *plot.named("cut, % of the points", "Failing, % of the class")),
    )
