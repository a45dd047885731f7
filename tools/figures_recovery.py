"""Draw the pictures of lesson 13 and of its question bank from the course's own models.

`python tools/figures_recovery.py` writes `assets/figures/recovery_*.svg`; names of pictures may follow
(`python tools/figures_recovery.py recovery_start`).
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures_anatomy import words, write
from figures_why import BLUE, INK, LINE, RED, SOFT, Drawn, label, rastered, sheet
from numpy.typing import NDArray
from PIL import Image

from vertebra.evidence.cascade import MONTHS, Person, Plan, cohort
from vertebra.imaging.films import film_of
from vertebra.spine.shape import Shape, wedge

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "13_recovery_and_prevention.yml"
GREEN = "#00694f"


def drawn(width: int, height: int, title: str, inner: str) -> Drawn:
    """Return a finished picture of this file, which has no hotspots."""
    return sheet(width, height, title, inner), {}


def start() -> Drawn:
    """How many of 1,000 women with two fractures, one of them of today, break again, by when alendronate begins."""
    width, left, right, top, row = 900, 250, 780, 76, 58
    plans = (
        ("in the same admission", Plan("alendronate")),
        ("after 6 months", Plan("alendronate", 0.5)),
        ("after 1 year", Plan("alendronate", 1)),
        ("after 2 years", Plan("alendronate", 2)),
        ("never", Plan()),
    )
    inner = label("alendronate begins", left - 16, 44, 20, "end", SOFT)
    inner += label("of 1,000 women: another vertebral fracture within five years", left, 44, 20, "start", SOFT)

    def x(share: float) -> float:
        return left + (right - left) * share / 0.7

    for tick in range(0, 701, 100):
        inner += f"<path d='M{x(tick / 1000):.1f},{top - 10}V{top + row * len(plans)}' stroke='{LINE}'/>\n"
        inner += label(str(tick), x(tick / 1000), top + row * len(plans) + 26, 18, colour=SOFT)
    for number, (name, plan) in enumerate(plans):
        broken, y = cohort(Person("2", "new"), plan).broken(), top + row * number
        inner += label(name, left - 16, y + 27, 20, "end")
        bar = f"x='{left}' y='{y + 6}' width='{x(broken.middle) - left:.1f}' height='30'"
        inner += f"<rect {bar} rx='3' fill='{RED if name == 'never' else BLUE}'/>\n"
        span = f"M{x(broken.low):.1f},{y + 21}H{x(broken.high):.1f}"
        inner += f"<path d='{span}' stroke='{INK}' stroke-width='2.5'/>\n"
        inner += label(f"{1000 * broken.middle:.0f}", x(broken.high) + 12, y + 28, 22, "start")
    return drawn(width, top + row * len(plans) + 44, "When the bone drug begins", inner)


@dataclass(frozen=True)
class Axes:
    """A chart's place on its sheet, and how far its axes go."""

    right: float
    bottom: float
    across: float
    up: float
    left: float = 90
    top: float = 40

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point lies on the sheet."""
        along = self.left + (self.right - self.left) * x / self.across
        return along, self.bottom - (self.bottom - self.top) * y / self.up

    def frame(self, columns: Iterable[int], rows: Iterable[int], across: str, up: str, scale: float = 1) -> str:
        """Return grid, numbers and names; what the columns are numbered stands `scale` apart on the axis."""
        made = label(up, self.left, self.top - 16, 20, "start", SOFT)
        for row in rows:
            y = self.at(0, row)[1]
            made += f"<path d='M{self.left},{y:.1f}H{self.right}' stroke='{LINE}'/>\n"
            made += label(str(row), self.left - 12, y + 7, 18, "end", SOFT)
        for column in columns:
            made += label(str(column), self.at(scale * column, 0)[0], self.bottom + 28, 18, colour=SOFT)
        return made + label(across, (self.left + self.right) / 2, self.bottom + 60, 20)

    def course(
        self, points: Sequence[tuple[float, float]], name: str, colour: str, dash: str = "", down: int = 9
    ) -> str:
        """Return a line through points with its name at the end."""
        places = [self.at(x, y) for x, y in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        style = f"fill='none' stroke='{colour}' stroke-width='5' stroke-dasharray='{dash}' stroke-linejoin='round'"
        return f"<polyline points='{line}' {style}/>\n" + label(
            name, places[-1][0] + 26, places[-1][1] + down, 28, colour=colour
        )


def lung() -> Drawn:
    """The line of one study of 74 women: vital capacity by thoracic fractures; and what a larger one says beside it."""
    axes = Axes(right=560, bottom=340, across=6, up=120)
    inner = axes.frame(range(7), range(0, 121, 20), "thoracic fractures", "vital capacity, % of expected")
    inner += axes.course([(n, 103.4 - 9.4 * n) for n in (0, 6)], "", RED)
    lines = (
        ("74 women sent to a clinic:", RED),
        ("103.4 − 9.4 for each fracture,", RED),
        ("r = 0.59, so a third of the", RED),
        ("differences is explained", RED),
        ("", SOFT),
        ("2,132 people of one town:", GREEN),
        ("no relevant link was found,", GREEN),
        ("so no line is drawn", GREEN),
    )
    for number, (text, colour) in enumerate(lines):
        inner += label(text, axes.right + 24, 80 + 30 * number, 19, "start", colour)
    return drawn(900, 420, "Lung function and thoracic fractures in two studies", inner)


PLANS = {"A": Plan(), "B": Plan("denosumab", stop=2), "C": Plan("zoledronate")}


def q_courses() -> Drawn:
    """Three computed courses of who broke again: untreated, denosumab left off at two years, zoledronate throughout."""
    axes = Axes(right=700, bottom=380, across=MONTHS, up=600)
    inner = axes.frame(range(6), range(0, 601, 100), "years", "of 1,000 women: another vertebra broken", 12)
    for (name, plan), colour, dash in zip(PLANS.items(), (RED, BLUE, GREEN), ("", "14 7", "3 6"), strict=True):
        broken = 1000 * (1 - cohort(Person("3"), plan).course[:, 0])
        inner += axes.course([(month, float(each)) for month, each in enumerate(broken)], name, colour, dash)
    return drawn(780, 460, "Three courses, A, B and C", inner)


def q_diaries() -> Drawn:
    """Three invented pain diaries over twelve weeks: easing and back, easing, never easing."""
    axes = Axes(right=690, bottom=340, across=12, up=10)
    weeks = np.arange(0, 12.01, 0.25)
    back = 2.4 + 5.4 * np.exp(-weeks / 2.2) + 4.8 * (weeks > 6)
    inner = axes.frame(range(0, 13, 2), range(0, 11, 2), "weeks", "pain, 0 to 10 (invented)")
    for name, colour, dash, pain, down in (
        ("A", RED, "14 7", back, 30),
        ("B", BLUE, "", 2.2 + 5.6 * np.exp(-weeks / 4), 9),
        ("C", GREEN, "3 6", 7.6 + 0.4 * np.sin(1.3 * weeks), 9),
    ):
        inner += axes.course(list(zip(weeks.tolist(), pain.tolist(), strict=True)), name, colour, dash, down)
    return drawn(780, 420, "Three pain diaries, A, B and C", inner)


def taken(shapes: dict[str, Shape], seed: int, size: int) -> NDArray[np.uint8]:
    """Return a lateral film about L1."""
    return np.asarray(Image.fromarray(film_of("L1", shapes, seed)[0]).resize((size, size)))


BEFORE = {"L1": wedge(0.3)}
AFTER = {"L1": wedge(0.3), "T12": wedge(0.42)}


def q_films() -> Drawn:
    """Two films of one spine: a wedge of L1, and six weeks later a second one of T12."""
    size, gap = 400, 10
    before, after = taken(BEFORE, 5, size), taken(AFTER, 8, size)
    both = np.hstack([before, np.full((size, gap), 255, dtype=np.uint8), after])
    over = words("week 0", (60, 40), 26) + words("week 6", (size + gap + 60, 40), 26)
    return rastered(both, "Two lateral films, six weeks apart", over), {}


PICTURES = {
    "recovery_start": start,
    "recovery_lung": lung,
    "recovery_q_courses": q_courses,
    "recovery_q_diaries": q_diaries,
    "recovery_q_films": q_films,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
