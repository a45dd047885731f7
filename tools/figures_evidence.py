"""Draw the pictures of lesson 10 and of its question bank from the course's own trials and their pooling.

`python tools/figures_evidence.py` writes `assets/figures/evidence_*.svg`; names of pictures may follow.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from figures_anatomy import write
from figures_why import BLUE, INK, LINE, RED, SOFT, Drawn, label, sheet

from vertebra.evidence.pooling import Estimate, Twice, around, pool
from vertebra.evidence.trials import measures, pooled, rows

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "10_evidence.yml"
BAND = "#f6e3b8"
TWELVE = ("comstock2013-pain-month12", "firanescu2018-pain-month12", "carli2023-pain-month12")
# People with a usual pain of 5 and a day-to-day change as large as the differences between them. Chosen, not measured.
PEOPLE = Twice(mean=5.0, between=1.2, within=1.2, threshold=7.0)


class Plot:
    """A forest plot drawn line by line on an axis from `low` to `high`, with the band of change that matters."""

    def __init__(self, low: float, high: float, left: int, span: int, top: int = 40, row: int = 56) -> None:
        """Start an empty plot whose axis is `span` px wide."""
        self.low, self.high, self.left, self.span, self.top, self.row = low, high, left, span, top, row
        self.count, self.drawn = 0, ""

    def x(self, value: float) -> float:
        """Return where a value stands, px."""
        return self.left + self.span * (value - self.low) / (self.high - self.low)

    def line(self, name: str, estimate: Estimate, share: float | None = None, size: int = 22) -> float:
        """Add a trial (with its share of the weight) or a diamond (without one); return its height, px."""
        y = self.top + self.row * (self.count + 0.5)
        self.count += 1
        a, b, c = (self.x(each) for each in (estimate.low, estimate.value, estimate.high))
        self.drawn += label(name, 24, y + 7, size, "start")
        if share is None:
            self.drawn += f"<path d='M{a:.1f},{y}L{b:.1f},{y - 14}L{c:.1f},{y}L{b:.1f},{y + 14}Z' fill='{INK}'/>\n"
        else:
            half = 5 + 17 * math.sqrt(share)
            self.drawn += f"<path d='M{a:.1f},{y}H{c:.1f}' stroke='{BLUE}' stroke-width='3'/>\n"
            self.drawn += (
                f"<rect x='{b - half:.1f}' y='{y - half:.1f}' width='{2 * half:.1f}' height='{2 * half:.1f}' "
                f"fill='{BLUE}'/>\n"
            )
        return y

    def bar(self, name: str, estimate: Estimate) -> float:
        """Add a prediction interval, cut at the ends of the axis with an arrow; return its height, px."""
        y = self.top + self.row * (self.count + 0.5)
        self.count += 1
        a, c = (self.x(min(max(each, self.low), self.high)) for each in (estimate.low, estimate.high))
        self.drawn += label(name, 24, y + 7, 22, "start")
        self.drawn += f"<path d='M{a:.1f},{y}H{c:.1f}' stroke='{INK}' stroke-width='8'/>\n"
        for cut, at, way in ((estimate.low < self.low, a, 1), (estimate.high > self.high, c, -1)):
            if cut:
                self.drawn += f"<path d='M{at - way * 4:.1f},{y}l{way * 18},-13v26z' fill='{INK}'/>\n"
        return y

    def finish(self, ticks: list[float], ways: tuple[str, str], band: bool = True) -> tuple[str, float]:
        """Return all of it on its axis, and where it ends, px."""
        bottom = self.top + self.row * self.count + 10
        ground = ""
        if band:
            matters = measures()["pain"].important
            assert matters
            a, b = self.x(matters.low), self.x(matters.high)
            box = f"x='{a:.1f}' y='{self.top}' width='{b - a:.1f}' height='{bottom - self.top}'"
            ground += f"<rect {box} fill='{BAND}'/>\n"
        ground += f"<path d='M{self.x(0):.1f},{self.top}V{bottom}' stroke='{SOFT}' stroke-width='2.5'/>\n"
        ground += f"<path d='M{self.left},{bottom}h{self.span}' stroke='{SOFT}' stroke-width='2.5'/>\n"
        for tick in ticks:
            text = f"{tick:g}".replace("-", "−")
            ground += f"<path d='M{self.x(tick):.1f},{bottom}v8' stroke='{SOFT}' stroke-width='2.5'/>\n"
            ground += label(text, self.x(tick), bottom + 32, 20, colour=SOFT)
        ground += label(f"← {ways[0]}", self.x(0) - 14, bottom + 64, 20, "end", SOFT)
        ground += label(f"{ways[1]} →", self.x(0) + 14, bottom + 64, 20, "start", SOFT)
        return ground + self.drawn, bottom + 84


def pin(number: int, x: float, y: float) -> str:
    """Return a numbered pin."""
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='15' fill='{RED}'/>\n" + label(
        f"<tspan font-weight='700'>{number}</tspan>", x, y + 7, 20, colour="#ffffff"
    )


def forest() -> Drawn:
    """The sham-controlled trials at twelve months with numbered pins: how a forest plot is read."""
    trials = [rows()[each] for each in TWELVE]
    made = pooled(trials)
    plot = Plot(-1, 3, 330, 560, top=52)
    heights = [
        plot.line(row.label, row.estimate, share)
        for row, share in zip(trials, made.random_weights, strict=True)
        if row.estimate
    ]
    diamond = plot.line("Pooled, three trials", made.random)
    assert made.prediction
    ahead = plot.bar("Prediction interval", made.prediction)
    drawn, bottom = plot.finish([-1, 0, 1, 2, 3], ("favours sham", "favours cement"))
    second = trials[1].estimate
    assert second
    drawn += pin(1, plot.x(second.value), heights[1] - 34) + pin(2, plot.x(second.high) + 26, heights[1])
    drawn += pin(3, plot.x(0), 32) + pin(4, plot.x(made.random.high) + 26, diamond)
    drawn += pin(5, plot.x(0.5) - 40, ahead - 26) + pin(6, plot.x(1.75), 32)
    return sheet(930, round(bottom), "A forest plot with six numbered parts", drawn), {}


def regression() -> Drawn:
    """Pain of many people on one day, those at 7 or more marked, and of the same ones on another day."""
    width, left, span, tall = 900, 70, 790, 190
    everybody = replace(PEOPLE, threshold=-math.inf).simulated(40_000, 7)
    seen = PEOPLE.simulated(40_000, 7)
    edges = np.arange(0, 10.01, 0.25)
    most = float(np.histogram(everybody[:, 0], edges)[0].max())

    def x(value: float) -> float:
        return left + span * value / 10

    drawn = ""
    first, second = PEOPLE.expected()
    days = (
        ("One day: everybody, and in blue who reports 7 or more", 250, ((everybody[:, 0], LINE), (seen[:, 0], BLUE))),
        ("Another day: the same people; nothing was done", 530, ((seen[:, 1], BLUE),)),
    )
    for words, base, sets in days:
        drawn += label(words, left, base - tall - 22, 24, "start")
        for values, colour in sets:
            for count, start in zip(np.histogram(values, edges)[0], edges, strict=False):
                high = tall * count / most
                place = f"x='{x(start):.1f}' y='{base - high:.1f}' width='{span * 0.25 / 10 - 1:.1f}'"
                drawn += f"<rect {place} height='{high:.1f}' fill='{colour}'/>\n"
        drawn += f"<path d='M{left},{base}h{span}' stroke='{SOFT}' stroke-width='2'/>\n"
        for tick in range(0, 11, 2):
            drawn += label(str(tick), x(tick), base + 26, 20, colour=SOFT)
    for value, base in ((first, 250), (second, 530)):
        drawn += f"<path d='M{x(value):.1f},{base - 118}V{base}' stroke='{RED}' stroke-width='4'/>\n"
        drawn += label(f"mean {value:.1f}", x(value) + 12, base - 100, 24, "start", RED)
    drawn += label("pain, 0 to 10", left + span / 2, 584, 22, colour=SOFT)
    return sheet(width, 604, "Pain of the same people on two days", drawn), {}


def q_weight() -> Drawn:
    """Three trials and their pool without numbers: which has the most weight?"""
    trials = [rows()[each].estimate for each in TWELVE]
    some = [each for each in trials if each]
    made = pool(some)
    plot = Plot(-1, 3, 150, 520)
    for name, estimate, share in zip(("Trial A", "Trial B", "Trial C"), some, made.fixed_weights, strict=True):
        plot.line(name, estimate, share)
    plot.line("Pooled", made.fixed)
    drawn, bottom = plot.finish([-1, 0, 1, 2, 3], ("favours sham", "favours cement"), band=False)
    return sheet(710, round(bottom), "Three trials and their pool", drawn), {}


POOLS = {"Pool A": around(0.4, 0.35), "Pool B": around(0.8, 0.25), "Pool C": around(2.9, 0.3)}


def q_matter() -> Drawn:
    """Three diamonds against no difference and against the band of change that is said to matter."""
    plot = Plot(-1, 4, 130, 560)
    for name, estimate in POOLS.items():
        plot.line(name, estimate)
    drawn, bottom = plot.finish([-1, 0, 1, 2, 3, 4], ("favours control", "favours treatment"))
    return sheet(720, round(bottom), "Three pooled differences, A, B and C", drawn), {}


EIGHT = [around(value, 0.35 + 0.02 * i) for i, value in enumerate((-1.1, 2.9, 0.2, 1.9, -0.6, 2.4, 0.9, 1.7))]


def q_ahead() -> Drawn:
    """Eight invented trials that differ truly, their pool and the prediction interval."""
    trials, made = EIGHT, pool(EIGHT)
    plot = Plot(-3, 5, 270, 560, row=40)
    for number, (estimate, share) in enumerate(zip(trials, made.random_weights, strict=True), 1):
        plot.line(f"Trial {number}", estimate, share / 2)
    plot.line("Pooled", made.random)
    assert made.prediction
    plot.bar("Prediction interval", made.prediction)
    drawn, bottom = plot.finish([-3, -2, -1, 0, 1, 2, 3, 4, 5], ("favours control", "favours treatment"), band=False)
    return sheet(860, round(bottom), "Eight trials, their pool and a longer bar below it", drawn), {}


def q_regression() -> Drawn:
    """Mean pain of people chosen at 7 or more, on the day they were chosen and on another, untreated."""
    width, left, bottom, top = 640, 110, 340, 40
    drawn = ""

    def y(pain: float) -> float:
        return bottom - (bottom - top) * pain / 10

    for tick in range(0, 11, 2):
        drawn += f"<path d='M{left},{y(tick):.1f}H{width - 40}' stroke='{LINE}'/>\n"
        drawn += label(str(tick), left - 14, y(tick) + 7, 20, "end", SOFT)
    for i, (name, pain) in enumerate(zip(("day of entry", "four weeks later"), PEOPLE.expected(), strict=True)):
        at = left + 70 + 220 * i
        drawn += f"<rect x='{at}' y='{y(pain):.1f}' width='120' height='{bottom - y(pain):.1f}' fill='{BLUE}'/>\n"
        drawn += label(f"{pain:.1f}", at + 60, y(pain) - 12, 24) + label(name, at + 60, bottom + 34, 22)
    drawn += (
        f"<g transform='translate(44 {(top + bottom) / 2}) rotate(-90)'>{label('mean pain, 0 to 10', 0, 0, 22)}</g>\n"
    )
    return sheet(width, 400, "Two bars of mean pain", drawn), {}


PICTURES = {
    "evidence_forest": forest,
    "evidence_regression": regression,
    "evidence_q_weight": q_weight,
    "evidence_q_matter": q_matter,
    "evidence_q_ahead": q_ahead,
    "evidence_q_regression": q_regression,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
