"""Draw the pictures of lesson 14 and of its question bank from the claim ledger and from published numbers.

`python tools/figures_leaflet.py` writes `assets/figures/leaflet_*.svg`; names of pictures may follow.
"""

import sys
from pathlib import Path

from figures_anatomy import write
from figures_why import BLUE, INK, LINE, RED, SOFT, Drawn, label, sheet

from vertebra.evidence.claims import VERDICTS, claims, leaflets

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "14_read_a_leaflet.yml"
GREEN, AMBER = "#00694f", "#d9a520"
COLOURS = dict(zip(VERDICTS, (GREEN, AMBER, RED), strict=True))
# A hatch each, so that the segments differ without colour too.
HATCHES = dict(zip(VERDICTS, ("", "M0,8L8,0", "M0,0L8,8M0,8L8,0"), strict=True))


def patterns() -> str:
    """Return a fill for each verdict: a colour with a hatch in it."""
    made = "".join(
        f"<pattern id='{verdict}' width='8' height='8' patternUnits='userSpaceOnUse'>"
        f"<rect width='8' height='8' fill='{colour}'/><path d='{HATCHES[verdict]}' stroke='#ffffff' "
        "stroke-opacity='0.45' stroke-width='1.5'/></pattern>"
        for verdict, colour in COLOURS.items()
    )
    return f"<defs>{made}</defs>\n"


def counts() -> dict[str, dict[str, int]]:
    """Return how many claims of each leaflet have each verdict."""
    return {
        letter: {
            verdict: sum(claim.leaflet == letter and claim.verdict == verdict for claim in claims().values())
            for verdict in VERDICTS
        }
        for letter in leaflets()
    }


def bars(named: bool) -> str:
    """Return a bar for each leaflet, divided by verdict; without names the verdicts are numbered 1 to 3."""
    left, top, row, width = 90, 74, 62, 830
    most = max(sum(each.values()) for each in counts().values())
    drawn = patterns()
    for number, (letter, each) in enumerate(counts().items()):
        y, x = top + number * row, float(left)
        drawn += label(letter, left - 24, y + 30, 26, "middle")
        for verdict, count in each.items():
            wide = count / most * (width - left)
            drawn += (
                f"<rect x='{x:.1f}' y='{y}' width='{wide:.1f}' height='42' fill='url(#{verdict})' stroke='#ffffff'/>\n"
            )
            if wide > 34:
                drawn += f"<circle cx='{x + wide / 2:.1f}' cy='{y + 21}' r='17' fill='#ffffff'/>\n"
                drawn += label(str(count), x + wide / 2, y + 28, 20)
            elif count:
                drawn += label(str(count), x + wide / 2, y - 4, 18, colour=SOFT)
            x += wide
    x = float(left)
    for number, verdict in enumerate(VERDICTS, 1):
        drawn += f"<rect x='{x}' y='22' width='26' height='26' fill='url(#{verdict})'/>\n"
        drawn += label(verdict if named else str(number), x + 36, 42, 21, "start")
        x += 220 if named else 120
    return drawn


def verdicts() -> Drawn:
    """Claims of each leaflet by verdict."""
    return sheet(860, 400, "The claims of five leaflets by verdict", bars(True)), {}


def q_bars() -> Drawn:
    """Return the same bars without the verdicts' names."""
    return sheet(860, 400, "Five bars, each divided into parts 1, 2 and 3", bars(False)), {}


def q_leaks() -> Drawn:
    """Leaks of vertebroplasty and kyphoplasty in case series [hulme2006] and on CT in a trial [dohm2014]."""
    width, height, left, bottom, top = 760, 430, 90, 340, 30
    drawn = ""

    def y(percent: float) -> float:
        return bottom - percent / 100 * (bottom - top)

    for tick in range(0, 101, 20):
        drawn += f"<path d='M{left},{y(tick):.1f}H{width - 30}' stroke='{LINE}'/>\n"
        drawn += label(f"{tick} %", left - 12, y(tick) + 7, 20, "end", SOFT)
    for place, (name, pair) in enumerate((("source 1", (41, 9)), ("source 2", (82, 73)))):
        x = left + 60 + place * 310
        for number, (share, colour, of) in enumerate(zip(pair, (BLUE, AMBER), ("V", "K"), strict=True)):
            at = x + number * 110
            drawn += (
                f"<rect x='{at}' y='{y(share):.1f}' width='90' height='{bottom - y(share):.1f}' fill='{colour}'/>\n"
            )
            drawn += label(f"{share} %", at + 45, y(share) - 8, 22)
            drawn += label(of, at + 45, bottom + 30, 24)
        drawn += label(name, x + 100, bottom + 66, 24, colour=SOFT)
    return sheet(width, height, "Two pairs of bars, source 1 and source 2", drawn), {}


def q_fall() -> Drawn:
    """Pain after kyphoplasty, one arm of a trial of two procedures [evans2016], as a leaflet would draw it."""
    width, height, left, bottom, top = 760, 430, 90, 340, 30
    points = ((0, 7.4), (3, 4.1), (30, 3.4))
    drawn = ""

    def at(day: float, pain: float) -> tuple[float, float]:
        return left + 40 + day / 30 * (width - left - 110), bottom - pain / 10 * (bottom - top)

    for tick in range(0, 11, 2):
        drawn += f"<path d='M{left},{at(0, tick)[1]:.1f}H{width - 30}' stroke='{LINE}'/>\n"
        drawn += label(str(tick), left - 14, at(0, tick)[1] + 7, 20, "end", SOFT)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
    drawn += f"<polyline points='{line}' fill='none' stroke='{BLUE}' stroke-width='5' stroke-linejoin='round'/>\n"
    for day, pain in points:
        x, y = at(day, pain)
        drawn += f"<circle cx='{x:.1f}' cy='{y:.1f}' r='8' fill='{BLUE}'/>\n"
        drawn += label(f"{pain}", x + 10, y - 14, 22, "start")
    for day, name in ((0, "before"), (3, "day 3"), (30, "day 30")):
        drawn += label(name, at(day, 0)[0] + (14 if day == 3 else 0), bottom + 34, 20)
    drawn += label("pain of 10 after the balloon", width / 2, height - 18, 22, colour=INK)
    return sheet(width, height, "A falling line of pain after the balloon", drawn), {}


def q_icons() -> Drawn:
    """Two times a hundred people, 12 and 5 of them marked: new fractures with two drugs [kendler2018], rounded."""
    size, gap, top = 30, 60, 60
    drawn = ""
    for place, (name, marked) in enumerate((("A", 12), ("B", 5))):
        left = 40 + place * (10 * size + gap + 20)
        drawn += label(name, left + 5 * size, 42, 28)
        for number in range(100):
            x, y = left + number % 10 * size + size / 2, top + number // 10 * size + size / 2
            if number < marked:
                drawn += f"<rect x='{x - 11:.1f}' y='{y - 11:.1f}' width='22' height='22' fill='{RED}'/>\n"
            else:
                drawn += f"<circle cx='{x:.1f}' cy='{y:.1f}' r='10' fill='none' stroke='{SOFT}' stroke-width='2'/>\n"
    return sheet(760, 400, "Two groups of a hundred people, A and B", drawn), {}


PICTURES = {
    "leaflet_verdicts": verdicts,
    "leaflet_q_bars": q_bars,
    "leaflet_q_leaks": q_leaks,
    "leaflet_q_fall": q_fall,
    "leaflet_q_icons": q_icons,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
