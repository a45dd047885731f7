"""Draw the pictures of lessons 02 and 09 and of their question banks from the course's own models.

`python tools/figures_why.py` writes `assets/figures/why_*.svg` and `compare_*.svg`; names of pictures may follow
(`python tools/figures_why.py why_levers`).
"""

import re
import sys
from pathlib import Path

import numpy as np
from figures_anatomy import FONT, origin, svg, words, write
from numpy.typing import NDArray
from PIL import Image

from vertebra.comparison import Setting, compare
from vertebra.mechanics.trabeculae import picture
from vertebra.widgets import load
from vertebra.widgets.compare import pictures

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "02_why_vertebrae_break.yml"
INK, SOFT, LINE, BLUE, RED = "#17212b", "#4d5a68", "#c3ccd6", "#00619e", "#a8321a"

Drawn = tuple[str, dict[str, list[list[float]]]]


def sheet(width: int, height: int, title: str, drawn: str) -> str:
    """Return a white sheet with a title for screen readers and what is drawn on it."""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        f"role='img'>\n{origin()}\n<title>{title}</title>\n"
        f"<rect width='{width}' height='{height}' rx='10' fill='#ffffff'/>\n{drawn}</svg>\n"
    ).replace("'", '"')


def label(text: str, x: float, y: float, size: int = 20, anchor: str = "middle", colour: str = INK) -> str:
    """Return dark text for a white sheet."""
    place = f"x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'"
    return f"<text {place} font-size='{size}' {FONT} fill='{colour}'>{text}</text>\n"


def rastered(image: NDArray[np.uint8], title: str, over: str = "") -> str:
    """Return an SVG as large as the raster that fills it."""
    return svg(image, image.shape[1], image.shape[0], title, over, 80)


def trabeculae() -> Drawn:
    """Two blocks of trabecular bone: what an old body has left of a young one's."""
    size, gap = 420, 16
    blocks = [np.asarray(Image.fromarray(picture(share)).resize((size, size))) for share in (0.16, 0.06)]
    both = np.hstack([blocks[0], np.full((size, gap, 3), 255, dtype=np.uint8), blocks[1]])
    over = words("bone 16 % of the volume", (size / 2, size - 22), 24)
    over += words("bone 6 % of the volume", (1.5 * size + gap, size - 22), 24)
    return rastered(both, "Trabecular bone, healthy and osteoporotic", over), {}


def levers() -> Drawn:
    """Three postures of one person with the forces that L1 has to bear."""
    each, tall, left = 340, 480, 50  # the figure's empty margins are cut off, so that its words stay legible
    states = (
        ("standing", {"posture": "standing"}),
        ("bending forward", {"posture": "bending"}),
        ("standing, a deep wedge below", {"posture": "standing", "wedge": 55, "where": "below", "balance": False}),
    )
    drawn = ""
    for number, (name, changes) in enumerate(states):
        state = load.checked({**load.START, **changes})
        person = load.figure(state)
        inner = re.sub(r"^<svg[^>]*>|</svg>$", "", person)
        drawn += f"<svg x='{number * each}' width='{each}' height='{tall}' viewBox='{left} 0 {each} {tall}'>"
        drawn += f"<g {FONT} font-size='17'>{inner}</g></svg>\n"
        newtons = load.loads(state)[state["posture"]]
        drawn += label(name, (number + 0.5) * each, tall + 30, 21)
        drawn += label(f"{newtons / 1000:.1f} kN on L1", (number + 0.5) * each, tall + 62, 22, colour=BLUE)
    return sheet(3 * each, tall + 84, "Three postures and the load on L1", drawn), {}


def q_lattice() -> Drawn:
    """Three blocks of struts: whole, without half of the vertical ones, without half of the horizontal ones."""
    width, height, side = 900, 360, 250
    drawn = ""
    for number, (name, gone) in enumerate((("A", ""), ("B", "vertical"), ("C", "horizontal"))):
        left, top = 30 + number * 295, 30
        lines = []
        for i in range(9):
            at = 12 + i * (side - 24) / 8
            if not (gone == "vertical" and i % 2):
                lines.append((left + at, top, left + at, top + side))
            if not (gone == "horizontal" and i % 2):
                lines.append((left, top + at, left + side, top + at))
        for colour, thick in (("#6d5c3d", 9), ("#efe3c8", 6)):
            for x1, y1, x2, y2 in lines:
                drawn += (
                    f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
                    f"stroke-width='{thick}' stroke-linecap='round'/>\n"
                )
        drawn += label(name, left + side / 2, top + side + 44, 30)
    return sheet(width, height, "Three blocks of struts, A, B and C", drawn), {}


WITHIN_A_YEAR = {"A": 52.0, "B": 6.6, "C": 19.2}  # percent with a new fracture; A is invented


def q_cascade() -> Drawn:
    """Bars of the share of women with a new vertebral fracture within a year: 6.6 %, 19.2 % and an invented one."""
    width, height, left, bottom, top = 700, 420, 90, 350, 30
    drawn = ""

    def y(percent: float) -> float:
        return bottom - percent / 60 * (bottom - top)

    for tick in range(0, 61, 10):
        drawn += f"<path d='M{left},{y(tick):.1f}H{width - 30}' stroke='{LINE}'/>\n"
        drawn += label(f"{tick} %", left - 12, y(tick) + 7, 20, "end", SOFT)
    # No interval is drawn: only one bar has a published one, and it would tell which bars are real.
    for number, (name, share) in enumerate(WITHIN_A_YEAR.items()):
        x = left + 60 + number * 190
        drawn += f"<rect x='{x}' y='{y(share):.1f}' width='110' height='{bottom - y(share):.1f}' fill='{BLUE}'/>\n"
        drawn += label(name, x + 55, bottom + 40, 28)
    return sheet(width, height, "Three bars, A, B and C", drawn), {}


SETTING = Setting(volume=6.0, minute=4.0)
CLEFT = Setting(fracture="wedge with a cleft", volume=6.0, minute=4.0)


def q_pressure() -> Drawn:
    """Pressure in the bone with and without a cavity, and an invented third course."""
    width, height, left, bottom, top = 760, 460, 100, 380, 30
    first, second = compare(SETTING)
    volumes = first.volumes[1:]
    most = float(first.pressures.max()) / 1000 * 1.1
    courses = (
        ("A", first.pressures[1:] / 1000, RED, ""),
        ("B", second.pressures[1:] / 1000, BLUE, "14 7"),
        ("C", 0.8 * most * (1 - volumes / volumes[-1]), SOFT, "3 7"),
    )
    drawn = ""

    def at(volume: float, kpa: float) -> tuple[float, float]:
        return left + volume / 6 * (width - left - 70), bottom - kpa / most * (bottom - top)

    for tick in range(7):
        drawn += label(str(tick), at(tick, 0)[0], bottom + 32, 20, colour=SOFT)
    drawn += f"<path d='M{left},{top}V{bottom}H{width - 40}' fill='none' stroke='{SOFT}' stroke-width='2'/>\n"
    for name, course, colour, dash in courses:
        points = [at(v, p) for v, p in zip(volumes, course, strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn += (
            f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='5' stroke-dasharray='{dash}' "
            "stroke-linejoin='round'/>\n"
        )
        x, y = points[0] if name == "C" else points[-1]
        drawn += label(name, x + (0 if name == "C" else 24), y + (-14 if name == "C" else 9), 28, colour=colour)
    drawn += label("cement injected, mL", (left + width) / 2, height - 18, 22)
    drawn += (
        f"<g transform='translate(40 {(top + bottom) / 2}) rotate(-90)'>{label('pressure in the bone', 0, 0, 22)}</g>\n"
    )
    return sheet(width, height, "Three curves of pressure, A, B and C", drawn), {}


def q_films() -> Drawn:
    """Lateral films of one fracture after each procedure with the same cement: kyphoplasty first."""
    size, gap = 376, 8
    first, second = compare(CLEFT)
    films = [
        np.asarray(
            Image.fromarray(pictures(arm.vertebra, arm.setting.bone_volume, arm.block())[0]).resize((size, size))
        )
        for arm in (second, first)
    ]
    both = np.hstack([films[0], np.full((size, gap), 255, dtype=np.uint8), films[1]])
    over = words("A", (30, 44), 34) + words("B", (size + gap + 30, 44), 34)
    return rastered(both, "Two lateral films, A and B", over), {}


PICTURES = {
    "why_trabeculae": trabeculae,
    "why_levers": levers,
    "why_q_lattice": q_lattice,
    "why_q_cascade": q_cascade,
    "compare_q_pressure": q_pressure,
    "compare_q_films": q_films,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
