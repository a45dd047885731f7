"""Draw the pictures of lesson 06 and of its question bank from `assets/evidence/conservative.yml`.

`python tools/figures_conservative.py` writes `assets/figures/conservative_*.svg`; names of pictures may follow.
"""

import sys
import textwrap
from pathlib import Path

from figures_anatomy import write
from figures_why import BLUE, INK, LINE, RED, SOFT, Drawn, label, sheet

from vertebra.evidence.conservative import course, data, stages
from vertebra.measure.reading import wilson

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "06_conservative_care.yml"
GREEN = "#00694f"


def line(x1: float, y1: float, x2: float, y2: float, colour: str = SOFT, thick: float = 2, dash: str = "") -> str:
    """Return a straight line."""
    return (
        f"<path d='M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}' fill='none' stroke='{colour}' stroke-width='{thick}' "
        f"stroke-dasharray='{dash}'/>\n"
    )


def whisker(x1: float, x2: float, y: float, colour: str, thick: float = 3) -> str:
    """Return a horizontal interval with caps."""
    return "".join(line(x, y - 8, x, y + 8, colour, thick) for x in (x1, x2)) + line(x1, y, x2, y, colour, thick)


def upright(x: float, y1: float, y2: float, colour: str, thick: float = 3) -> str:
    """Return a vertical interval with caps."""
    return "".join(line(x - 8, y, x + 8, y, colour, thick) for y in (y1, y2)) + line(x, y1, x, y2, colour, thick)


def dot(x: float, y: float, colour: str, radius: float = 8) -> str:
    """Return a point."""
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{colour}'/>\n"


def percent_axis(left: float, right: float, top: float, bottom: float) -> str:
    """Return grid lines at every 20 %, with their labels."""
    drawn = ""
    for tick in range(0, 101, 20):
        y = bottom - tick / 100 * (bottom - top)
        drawn += line(left, y, right, y, LINE, 1.5) + label(f"{tick} %", left - 12, y + 7, 20, "end", SOFT)
    return drawn


def natural() -> Drawn:
    """Share of people who got better without cement: three studies, three measures, with Wilson's 95 % intervals."""
    width, height, left, right, top, bottom = 960, 520, 96, 664, 96, 430
    drawn = percent_axis(left, right, top, bottom)

    def x(months: float) -> float:
        return left + months / 13 * (right - left)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    for months, words in ((0, "0"), (3, "3"), (6, "6"), (9, "9"), (12, "12")):
        drawn += line(x(months), bottom, x(months), bottom + 8) + label(words, x(months), bottom + 32, 20, colour=SOFT)
    drawn += label("months after the fracture", (left + right) / 2, height - 22, 21)
    weeks = 12 / 52
    for row, (start, end, words) in enumerate(
        ((2, 12, "2 to 12 weeks: pain eases gradually (ACR)"), (0, 12, "by 12 weeks most have healed (ROS)"))
    ):
        at = 34 + 28 * row
        drawn += line(x(start * weeks), at, x(end * weeks), at, GREEN, 9)
        drawn += label(words, x(end * weeks) + 14, at + 7, 19, "start", GREEN)
    for each, months, text_y in zip(course(), (0.75, 11.75, 12.25), (0.53, 0.73, 0.42), strict=True):
        low, high = each.interval()
        colour = BLUE if each.months > 3 else INK
        drawn += upright(x(months), y(low), y(high), colour) + dot(x(months), y(each.share), colour)
        if each.months <= 3:  # whenever in the first weeks it was asked
            drawn += line(x(0), y(each.share), x(each.months), y(each.share), colour, 3)
        where = x(each.months) + 14 if each.months <= 3 else right + 14
        words = (f"{100 * each.share:.0f} % {each.label}", f"{each.ref}, {each.count} of {each.of}")
        drawn += label(words[0], where, y(text_y), 20, "start", colour)
        drawn += label(words[1], where, y(text_y) + 25, 17, "start", SOFT)
    return sheet(width, height, "How pain goes without cement: three published shares", drawn), {}


def arms_chart(names: list[str], colours: list[str]) -> tuple[str, float]:
    """Return the three arms of the brace trial as points with intervals, and how many px a point of disability has."""
    brace, left, right, top, step = data()["brace"], 170, 800, 60, 74
    scale = (right - left) / 60
    drawn = ""
    bottom = top + step * len(brace["arms"])
    for tick in range(0, 61, 10):
        x = left + tick * scale
        drawn += line(x, top - 20, x, bottom - 20, LINE, 1.5) + label(str(tick), x, bottom + 8, 20, colour=SOFT)
    for row, (arm, name, colour) in enumerate(zip(brace["arms"], names, colours, strict=True)):
        y = top + step * row + 14
        drawn += whisker(left + arm["low"] * scale, left + arm["high"] * scale, y, colour)
        drawn += dot(left + arm["mean"] * scale, y, colour, 9)
        drawn += label(name, left - 16, y + 7, 22, "end")
        drawn += label(f"{arm['mean']:.2f}", left + arm["mean"] * scale, y - 18, 19, colour=colour)
    drawn += label("Oswestry disability at 12 weeks (0 none, 100 worst): mean, printed interval", 485, bottom + 42, 20)
    return drawn, scale


def brace() -> Drawn:
    """The three arms of the brace trial, and the margin beside them."""
    names = [arm["name"] for arm in data()["brace"]["arms"]]
    drawn, scale = arms_chart(names, [BLUE] * 3)
    margin, y = data()["brace"]["margin"] * scale, 368
    drawn += whisker(170, 170 + margin, y, RED)
    drawn += label("the margin: no brace was to be at most this much worse", 170 + margin + 16, y + 7, 19, "start", RED)
    return sheet(900, 400, "No brace, soft brace and rigid brace in one trial", drawn), {}


def bars(rest: dict[str, object], left: float, top: float, bottom: float, most: float) -> str:
    """Return the two bars of one cohort, with Wilson's interval where the counts are known."""
    drawn = ""
    for place, side in enumerate((rest["shorter"], rest["longer"])):
        x, share = left + 150 * place, side["percent"] / most
        colour = (GREEN, BLUE)[place]
        y = bottom - share * (bottom - top)
        drawn += f"<rect x='{x:.1f}' y='{y:.1f}' width='86' height='{bottom - y:.1f}' fill='{colour}'/>\n"
        above = y
        if side["of"]:
            found = wilson(round(side["percent"] * side["of"] / 100), side["of"])
            low, high = (bottom - 100 * each / most * (bottom - top) for each in found)
            drawn += upright(x + 43, low, high, INK)
            above = high
        drawn += label(f"{side['percent']} %", x + 43, above - 12, 21)
        drawn += label(side["name"], x + 43, bottom + 30, 19)
    return drawn


def rest() -> Drawn:
    """Two cohorts on bed rest that pull in opposite directions."""
    width, height, top, bottom = 900, 430, 96, 340
    drawn = ""
    for number, each in enumerate(data()["rest"]):
        left = 110 + 430 * number
        drawn += label(each["what"], left + 118, 44, 23) + line(left - 30, bottom, left + 276, bottom)
        drawn += bars(each, left, top, bottom, 60)
        drawn += label(f"{each['ref']}: not randomised", left + 118, bottom + 66, 18, colour=SOFT)
    return sheet(width, height, "Two cohorts on bed rest that disagree", drawn), {}


def timetable(names: list[str], words: list[list[str]]) -> str:
    """Return the stages as bars over weeks 0 to 24, each with its name and lines of text."""
    left, right, top, step = 60, 900, 40, 92
    scale = (right - left) / 24
    drawn = ""
    bottom = top + step * len(names)
    for week in (0, 1, 4, 8, 12, 16, 20, 24):
        x = left + week * scale
        drawn += line(x, top - 10, x, bottom, LINE, 1.5) + label(str(week), x, bottom + 26, 20, colour=SOFT)
    colours = (RED, "#7a5200", BLUE, GREEN)
    for row, (stage, name, lines) in enumerate(zip(stages(), names, words, strict=True)):
        y, start, end = top + step * row, left + stage.start * scale, left + stage.end * scale
        drawn += f"<rect x='{start:.1f}' y='{y}' width='{end - start:.1f}' height='22' rx='4' fill='{colours[row]}'/>\n"
        # Text to the right of a short bar, under a long one.
        beside = end < left + 13 * scale
        x = end + 12 if beside else start
        told = label(name, x, y + (17 if beside else 44), 21, "start", colours[row])
        for number, text in enumerate(lines):
            told += label(text, x, y + (41 if beside else 66) + 22 * number, 18, "start", INK)
        # Paper around the letters, where a grid line would run through them.
        drawn += f"<g stroke='#fff' stroke-width='7' stroke-linejoin='round' paint-order='stroke'>{told}</g>\n"
    return drawn + label("weeks after the fracture", (left + right) / 2, bottom + 56, 20)


def staged() -> Drawn:
    """Physiotherapy in four stages."""
    lines = [textwrap.wrap(each.does.text, 44) for each in stages()]
    return sheet(940, 490, "Physiotherapy in four stages", timetable([each.name for each in stages()], lines)), {}


def q_stages() -> Drawn:
    """The four stages without their names."""
    return sheet(940, 490, "Four bars over weeks", timetable(list("ABCD"), [[] for _ in stages()])), {}


def q_brace() -> Drawn:
    """The arms of the brace trial under letters."""
    drawn, _ = arms_chart(list("ABC"), [BLUE] * 3)
    return sheet(900, 340, "Three arms of a trial, A, B and C", drawn), {}


def q_course() -> Drawn:
    """Three bars of the share with little pain after a year: one published, two invented."""
    width, height, left, top, bottom = 700, 420, 90, 30, 350
    drawn = percent_axis(left, width - 30, top, bottom)
    for number, (name, share) in enumerate((("A", 22), ("B", 60), ("C", 95))):
        x, y = left + 60 + number * 190, bottom - share / 100 * (bottom - top)
        drawn += f"<rect x='{x}' y='{y:.1f}' width='110' height='{bottom - y:.1f}' fill='{BLUE}'/>\n"
        drawn += label(name, x + 55, bottom + 40, 28)
    return sheet(width, height, "Three bars, A, B and C", drawn), {}


PICTURES = {
    "conservative_course": natural,
    "conservative_brace": brace,
    "conservative_rest": rest,
    "conservative_stages": staged,
    "conservative_q_stages": q_stages,
    "conservative_q_brace": q_brace,
    "conservative_q_course": q_course,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
