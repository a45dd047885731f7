"""Draw the pictures of lesson 15 and of its question bank from the course's own cases and models.

`python tools/figures_cases.py` writes `assets/figures/cases_*.svg`; names of pictures may follow.
"""

import sys
from pathlib import Path

import numpy as np
from figures_anatomy import CT_NOTE, svg, words, write
from figures_why import BLUE, INK, LINE, RED, SOFT, label, sheet
from numpy.typing import NDArray
from PIL import Image

from vertebra.imaging import mri
from vertebra.imaging.films import film_of
from vertebra.quiz import case_files, cases
from vertebra.spine.shape import biconcave, crush, wedge

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "15_cases.yml"
GREEN, PALE_GREEN, PALE_RED = "#00694f", "#e5f4ef", "#fdeeea"
NAMES = {
    "call": "Coordinator told",
    "week": "MRI for pain alone",
    "day": "MRI for weak legs",
    "steroid": "Dexamethasone",
    "plan": "Treatment decided",
}
SLOW = {"route-scene": ["ibuprofen"], "weak": ["coordinator", "flat"], "delay": ["mri-morning"]}

Drawn = tuple[str, dict[str, list[list[float]]]]


def run(instead: dict[str, list[str]]) -> cases.Result:
    """Return what comes of Ruth's case if all is right but what stands in `instead`."""
    state = cases.start(case_files.load_case(case_files.find_case("breast_mscc")))
    while not state.ended:
        decision = state.scene.decision
        assert decision is not None
        right = [option.id for option in decision.keys[: decision.up_to]]
        state = cases.decide(state, instead.get(state.scene.id, right))
    return cases.result(state)


def track(x: float, y: float, width: float, share: float | None, told: str) -> str:
    """Return a bar against its limit, which lies at half of the width; a share of None was never done."""
    limit, kept = x + width / 2, share is not None and share <= 1
    long = width if share is None else min(width, share * width / 2)
    colour = GREEN if kept else RED
    dash = "" if share is not None else " stroke-dasharray='10 7'"
    return (
        f"<rect x='{x}' y='{y}' width='{width / 2}' height='30' fill='{PALE_GREEN}'/>"
        f"<rect x='{limit}' y='{y}' width='{width / 2}' height='30' fill='{PALE_RED}'/>"
        f"<line x1='{x}' x2='{x + max(long, 3):.1f}' y1='{y + 15}' y2='{y + 15}' stroke='{colour}' "
        f"stroke-width='12'{dash}/>"
        f"<line x1='{limit}' x2='{limit}' y1='{y - 4}' y2='{y + 34}' stroke='{INK}' stroke-width='2.5'/>\n"
        + label(told, x + width + 14, y + 22, 20, "start", colour)
    )


def lines() -> Drawn:
    """Ruth's five clocks in a run in which all was right, and in a slow one."""
    width, left, bar = 1120, 240, 250
    drawn = ""
    runs = (("as it should be", run({})), ("tablets first, no MRI that day", run(SLOW)))
    for column, (name, came) in enumerate(runs):
        x = left + column * (bar + 190)
        drawn += label(name, x, 44, 23, "start", BLUE)
        for row, line in enumerate(came.lines):
            y = 74 + 58 * row
            share = None if line.taken is None else line.taken / line.clock.within
            told = "not done" if line.taken is None else cases.spelt(line.taken)
            drawn += track(x, y, bar, share, told)
            if column == 0:
                drawn += label(NAMES[line.clock.id], left - 18, y + 15, 20, "end")
                drawn += label(f"within {cases.spelt(line.clock.within)}", left - 18, y + 37, 17, "end", SOFT)
    return sheet(width, 74 + 58 * len(NAMES) + 16, "Two runs of one case against its clocks", drawn), {}


HOURS = (("A", 0.5, 20), ("B", 8, 5), ("C", 1, 27))  # patient, hours to dexamethasone, hours to MRI


def q_lines() -> Drawn:
    """Three patients with weak legs: hours to dexamethasone and to the MRI, against a day."""
    width, left, bar = 900, 90, 700
    drawn = ""
    for row, (name, steroid, picture) in enumerate(HOURS):
        y = 50 + 92 * row
        at = [left + bar * hours / 30 for hours in (steroid, picture)]
        drawn += label(name, left - 34, y + 12, 28)
        drawn += f"<line x1='{left}' x2='{left + bar}' y1='{y}' y2='{y}' stroke='{LINE}' stroke-width='8'/>"
        drawn += f"<circle cx='{at[0]:.1f}' cy='{y}' r='11' fill='{BLUE}'/>"
        drawn += f"<rect x='{at[1] - 11:.1f}' y='{y - 11}' width='22' height='22' fill='{INK}'/>\n"
    foot = 50 + 92 * 3 - 30
    for hours in range(0, 31, 6):
        x = left + bar * hours / 30
        drawn += f"<line x1='{x}' x2='{x}' y1='24' y2='{foot}' stroke='{LINE}' stroke-width='1.5'/>"
        drawn += label(str(hours), x, foot + 28, 20, colour=SOFT)
    drawn += label("hours since the legs were found weak", left + bar / 2, foot + 60, 21)
    drawn += f"<circle cx='{left + 60}' cy='{foot + 88}' r='10' fill='{BLUE}'/>"
    drawn += label("dexamethasone", left + 80, foot + 95, 21, "start")
    drawn += f"<rect x='{left + 330}' y='{foot + 78}' width='20' height='20' fill='{INK}'/>"
    drawn += label("MRI of the whole spine", left + 362, foot + 95, 21, "start")
    return sheet(width, foot + 116, "Three patients with weak legs, A, B and C", drawn), {}


def beside(pictures: list[NDArray[np.uint8]], title: str, note: str = "") -> str:
    """Return pictures of the same height side by side, named A, B and so on."""
    height, gap = pictures[0].shape[0], 8
    row = [part for picture in pictures for part in (np.full((height, gap), 255, np.uint8), picture)][1:]
    whole = np.hstack(row)
    over, x = "", 0
    for name, picture in zip("ABC", pictures, strict=False):
        over += words(name, (x + 26, 44), 34)
        x += picture.shape[1] + gap
    return svg(whole, whole.shape[1], whole.shape[0], title, over, note=note)


THREE_SPINES = (
    {"T12": wedge(0.34)},
    {"T11": wedge(0.32), "L1": biconcave(0.33), "L2": crush(0.26)},
    {},
)


def q_films() -> Drawn:
    """Three lateral films: one wedge, three fractures, and none."""
    films = [film_of("L1", each, 1)[0] for each in THREE_SPINES]
    return beside(films, "Three lateral films, A, B and C"), {}


THREE_PATTERNS = ("acute", "infective", "malignant")


def q_mri() -> Drawn:
    """STIR pictures of a fresh benign fracture, of an infection and of a tumour."""
    made = []
    for pattern in THREE_PATTERNS:
        picture = Image.fromarray(mri.picture(mri.section(pattern, "L1"), "STIR"))  # type: ignore[arg-type]
        made.append(np.asarray(picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)))
    note = CT_NOTE + "; turned into MRI pictures by computation"
    return beside(made, "Three STIR pictures, A, B and C", note), {}


PICTURES = {"cases_lines": lines, "cases_q_lines": q_lines, "cases_q_films": q_films, "cases_q_mri": q_mri}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
