"""Draw the pictures of lesson 04 and of its question bank from the course's own spine and its own arithmetic.

`python tools/figures_patient.py` writes `assets/figures/patient_*.svg`; names of pictures may follow
(`python tools/figures_patient.py patient_posture`).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures_anatomy import write
from figures_why import BLUE, INK, LINE, RED, SOFT, Drawn, label, sheet
from numpy.typing import NDArray

from vertebra.evidence.redflags import Fourfold, Interval, crowd, fourfold, redflags, updated
from vertebra.mechanics.statics import lean_of_wedge, parameter, wedge_angle
from vertebra.spine.dimensions import LEVELS, dimensions
from vertebra.spine.shape import Shape, wedge
from vertebra.widgets import load
from vertebra.widgets.redflags import CELL, COLUMNS, PERSON, TALL, crowd_svg, places

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "04_patient_and_red_flags.yml"
SKIN, FAR, BONE, EDGE = "#d3dce5", "#b9c5d1", "#efe3c8", "#6d5c3d"

Point = NDArray[np.float64]


# --- A body against the wall -----------------------------------------------------------------------------------------

BACK, HEAD = 54.5, 108.0  # mm: how far the skin lies behind the bodies' centres; radius of the head
NECK = 0.35  # share of the lean that the neck takes back, as in the load explorer
RIB = np.array([62.0, -92.0])  # the lowest rib's tip from the centre of T11, forwards and up; drawn
CREST = np.array([30.0, 14.0])  # the top of the iliac crest from the centre of L4; drawn


@dataclass(frozen=True)
class Standing:
    """A person against a wall, mm forwards and up: the spine, the head, and the three things that are measured."""

    shapes: Mapping[str, Shape]
    centres: Mapping[str, Point]
    tilts: Mapping[str, float]
    hip: Point
    head: Point
    wall: float
    rib: Point
    crest: Point
    shorter: float

    @property
    def occiput(self) -> float:
        """Distance of the occiput from the wall, mm."""
        return float(self.head[0] - HEAD - self.wall)

    @property
    def ribs(self) -> float:
        """Height of the lowest rib's tip above the iliac crest, mm; below it, 0."""
        return max(0.0, float(self.rib[1] - self.crest[1]))


def turned(point: Point, degrees: float) -> Point:
    """Return a vector leaned forwards by an angle."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([c * point[0] + s * point[1], c * point[1] - s * point[0]])


def stand(shapes: Mapping[str, Shape]) -> Standing:
    """Return a person whose vertebrae have these shapes.

    Each fracture leans all that stands on it, by what hips and spine leave of its wedge angle as in the load explorer,
    and lets it down by the height of its middle.
    """
    body = load.spine_line(load.checked({"posture": "standing", "level": "L5", "wedge": 0}))
    names = list(body["centres"])  # from L5 upwards
    steps = np.diff([body["centres"][name] for name in names], axis=0)
    centres, tilts, lean = {names[0]: np.zeros(2)}, {names[0]: 0.0}, 0.0
    for below, name, step in zip(names, names[1:], steps, strict=False):
        if below in shapes:
            lean += lean_of_wedge(wedge_angle(below, shapes[below]), parameter("compensation"))
        let_down = sum(
            shapes[each].middle * dimensions()[each].heights[1] / 2 for each in (below, name) if each in shapes
        )
        way = turned(step, lean)
        centres[name] = centres[below] + way * (1 - let_down / np.hypot(*way))
        tilts[name] = lean
    neck = body["head"] - body["centres"]["T1"]
    head = centres["T1"] + turned(neck, lean * (1 - NECK))
    rib = centres["T11"] + turned(RIB, tilts["T11"])
    hip = body["hip"]
    wall = min(min(float(at[0]) for at in centres.values()) - BACK, float(hip[0]) - BACK)
    shorter = float(body["head"][1] - head[1])
    return Standing(shapes, centres, tilts, hip, head, wall, rib, centres["L4"] + CREST, shorter)


PEOPLE = (
    {},
    {"T7": wedge(0.4), "T8": wedge(0.35)},
    {"T7": wedge(0.4), "T8": wedge(0.35), "T12": wedge(0.5), "L1": wedge(0.35), "L3": Shape(0.45, 0.5, 0.4)},
)
SCALE = 0.42


def figure(person: Standing, left: float, bottom: float, measured: bool) -> str:
    """Return a person from the left, the wall behind on the right, with or without the measures."""
    wall, floor = left + 265, bottom

    def at(point: Sequence[float]) -> tuple[float, float]:
        return wall - SCALE * (point[0] - person.wall), floor - SCALE * (point[1] + 975)

    def path(points: Sequence[Point], width: float, colour: str) -> str:
        d = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in map(at, points))
        return (
            f"<path d='{d}' fill='none' stroke='{colour}' stroke-width='{width * SCALE:.1f}' stroke-linecap='round' "
            "stroke-linejoin='round'/>\n"
        )

    names = list(person.centres)
    trunk = [person.hip + np.array([48.0, 0.0])]
    trunk += [person.centres[n] + turned(np.array([48.0, 0.0]), person.tilts[n]) for n in names]
    knee, ankle = np.array([40.0, -500.0]), np.array([15.0, -915.0])
    drawn = f"<path d='M{left},{floor}H{wall}V{floor - 760}' fill='none' stroke='{LINE}' stroke-width='5'/>\n"
    drawn += path([person.hip + np.array([10.0, 0.0]), knee, ankle], 118, SKIN)
    drawn += path([ankle, ankle + np.array([150.0, -30.0])], 60, SKIN)
    drawn += path(trunk, 205, SKIN)
    drawn += path([trunk[-1], person.head], 105, SKIN)
    x, y = at(person.head)
    drawn += f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{HEAD * SCALE:.1f}' fill='{SKIN}'/>\n"
    shoulder = person.centres["T2"] + turned(np.array([40.0, 0.0]), person.tilts["T2"])
    drawn += path([shoulder + np.array(way) for way in ((0, 0), (25, -310), (75, -600))], 70, FAR)
    for i, name in enumerate(names):
        if name not in LEVELS:
            deep, high, shape = 20.0, 15.0, Shape()
        else:
            here = dimensions()[name]
            deep, high, shape = here.upper_depth, sum(here.heights) / 3, person.shapes.get(name, Shape())
        below, above = person.centres[names[max(i - 1, 0)]], person.centres[names[min(i + 1, len(names) - 1)]]
        up = (above - below) / np.hypot(*(above - below))
        ahead = np.array([up[1], -up[0]])
        corners = [
            person.centres[name] + ahead * deep / 2 + up * (high / 2 - high * shape.anterior),
            person.centres[name] - ahead * deep / 2 + up * (high / 2 - high * shape.posterior),
            person.centres[name] - ahead * deep / 2 - up * high / 2,
            person.centres[name] + ahead * deep / 2 - up * high / 2,
        ]
        d = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in map(at, corners)) + "Z"
        broken = name in person.shapes
        look = f"fill='{RED if broken else BONE}' stroke='{RED if broken else EDGE}' stroke-width='1.2'"
        drawn += f"<path d='{d}' stroke-linejoin='round' {look}/>\n"
    for point, colour in ((person.rib, INK), (person.crest, INK)):
        x, y = at(point)
        drawn += f"<path d='M{x - 26:.1f},{y:.1f}h52' stroke='{colour}' stroke-width='4' stroke-linecap='round'/>\n"
    if measured:
        drawn += _measures(person, at, wall)
    return drawn


def _measures(person: Standing, at, wall: float) -> str:
    back = at((person.head[0] - HEAD, person.head[1]))
    drawn = ""
    if person.occiput > 2:
        drawn += (
            f"<path d='M{back[0]:.1f},{back[1]:.1f}H{wall}M{back[0]:.1f},{back[1] - 9:.1f}v18' stroke='{BLUE}' "
            "stroke-width='4'/>\n"
        )
    high, low = at(person.rib), at(person.crest)
    x = min(high[0], low[0]) - 34
    drawn += f"<path d='M{x:.1f},{high[1]:.1f}V{low[1]:.1f}M{x - 8:.1f},{high[1]:.1f}h16M{x - 8:.1f},{low[1]:.1f}h16' "
    return drawn + f"stroke='{BLUE}' stroke-width='4'/>\n"


def centimetres(length: float) -> str:
    """Return a length in mm as it is printed."""
    return f"{length / 10:.0f} cm"


def row(measured: bool) -> str:
    """Return the three people side by side."""
    drawn = ""
    for number, shapes in enumerate(PEOPLE):
        person, left = stand(shapes), 30 + 320 * number
        drawn += figure(person, left, 800, measured)
        middle = left + 140
        if measured:
            drawn += label(("no fracture", "T7 and T8", "T12, L1, L3 as well")[number], middle, 838, 21)
            drawn += label(f"occiput to wall {centimetres(max(person.occiput, 0))}", middle, 868, 19, colour=BLUE)
            drawn += label(f"ribs to pelvis {centimetres(person.ribs)}", middle, 895, 19, colour=BLUE)
            drawn += label(f"{centimetres(person.shorter)} shorter", middle, 922, 19, colour=SOFT)
        else:
            drawn += label("ABC"[number], middle, 844, 30)
    return drawn


def posture() -> Drawn:
    """Three people against the wall: what fractures do to occiput, ribs and height."""
    return sheet(980, 945, "Three people against a wall", row(True)), {}


def q_wall() -> Drawn:
    """The same three without measures."""
    return sheet(980, 870, "Three people against a wall, A, B and C", row(False)), {}


# --- The saddle ------------------------------------------------------------------------------------------------------

# The lower half of a body from behind, drawn by hand: right half of the outline, and the areas, px from the midline.
OUTLINE = [
    (-20, 70),
    (30, 68),
    (64, 72),
    (72, 120),
    (104, 200),
    (112, 260),
    (100, 350),
    (84, 470),
    (76, 560),
    (78, 640),
    (58, 760),
]
OUTLINE += [(56, 830), (24, 832), (26, 760), (20, 640), (26, 560), (20, 470), (8, 360), (4, 330), (-20, 312)]
SADDLE = [(-1, 212), (34, 232), (52, 272), (46, 312), (34, 350), (16, 374), (8, 352), (4, 328), (-1, 320)]
THIGH = [(52, 306), (66, 336), (64, 440), (56, 548), (36, 548), (26, 440), (32, 372), (44, 332)]
WIDTH, HEIGHT, MIDDLE = 420, 860, 210


def smooth(points: Sequence[tuple[float, float]], mirror: int) -> str:
    """Return a closed path through points (Catmull and Rom's curve), on the right (1) or mirrored on the left (-1)."""
    at = [np.array([MIDDLE + mirror * x, y], float) for x, y in points]
    path = f"M{at[0][0]:.1f},{at[0][1]:.1f}"
    for i in range(len(at)):
        before, start, end, after = (at[(i + k) % len(at)] for k in (-1, 0, 1, 2))
        first, second = start + (end - before) / 6, end - (after - start) / 6
        path += "C" + " ".join(f"{x:.1f},{y:.1f}" for x, y in (first, second, end))
    return path + "Z"


def behind() -> str:
    """Return the body from behind."""
    drawn = ""
    for mirror in (1, -1):
        drawn += f"<path d='{smooth(OUTLINE, mirror)}' fill='{SKIN}' stroke='{SKIN}' stroke-width='14' "
        drawn += "stroke-linejoin='round'/>\n"
    for mirror in (1, -1):
        drawn += f"<path d='M{MIDDLE + mirror * 12},316q{mirror * 30},18 {mirror * 74},-14' fill='none' stroke='{FAR}' "
        drawn += "stroke-width='4' stroke-linecap='round'/>\n"
    return drawn + f"<path d='M{MIDDLE},196V318' stroke='{FAR}' stroke-width='4' stroke-linecap='round'/>\n"


def saddle() -> Drawn:
    """The saddle and what is tested with it."""
    drawn = behind()
    for mirror in (1, -1):
        drawn += f"<path d='{smooth(THIGH, mirror)}' fill='#b9d6e6' stroke='{BLUE}' stroke-width='2' "
        drawn += "stroke-linejoin='round'/>\n"
        drawn += f"<path d='{smooth(SADDLE, mirror)}' fill='{RED}' stroke='{RED}' stroke-width='2' "
        drawn += "stroke-linejoin='round'/>\n"
    for y, x, text, more, colour in (
        (270, 46, "Saddle: S3 to S5", "light touch and pinprick,", RED),
        (430, 62, "S2", "back of the thigh, up to the buttock", BLUE),
    ):
        drawn += f"<path d='M{MIDDLE + x},{y}H{MIDDLE + 175}' stroke='{colour}' stroke-width='2.5'/>\n"
        drawn += label(text, MIDDLE + 184, y + 7, 24, "start", colour)
        drawn += label(more, MIDDLE + 184, y + 36, 20, "start", SOFT)
    drawn += label("left and right, beside the anus", MIDDLE + 184, 332, 20, "start", SOFT)
    for i, text in enumerate(
        ("Then, with consent and a chaperone:", "anal tone at rest and on squeeze", "Then: bladder scan after voiding")
    ):
        drawn += label(text, MIDDLE + 184, 560 + 32 * i, 21, "start", INK if i != 1 else SOFT)
    return sheet(820, HEIGHT, "The saddle, from behind", drawn), {}


def q_saddle() -> Drawn:
    """The body from behind, with four areas to choose from."""
    areas = {
        "saddle": [(MIDDLE + m * x, y) for m, part in ((1, SADDLE), (-1, SADDLE[::-1])) for x, y in part],
        "waist": [(MIDDLE - 66, 70), (MIDDLE + 66, 70), (MIDDLE + 66, 130), (MIDDLE - 66, 130)],
        "thigh": [(MIDDLE + 66, 370), (MIDDLE + 104, 370), (MIDDLE + 88, 480), (MIDDLE + 60, 480)],
        "calf": [(MIDDLE - 78, 580), (MIDDLE - 22, 580), (MIDDLE - 24, 690), (MIDDLE - 72, 690)],
    }
    regions = {name: [[round(float(x)), round(float(y))] for x, y in part] for name, part in areas.items()}
    drawn = behind()
    for part in regions.values():
        points = " ".join(f"{x},{y}" for x, y in part)
        drawn += f"<polygon points='{points}' fill='none' stroke='{INK}' stroke-width='2' stroke-dasharray='5 5'/>\n"
    return sheet(WIDTH, HEIGHT, "The lower half of a body from behind, four areas", drawn), regions


# --- People ----------------------------------------------------------------------------------------------------------


RING = "M1.6,5.4a2.4,2.4 0 1,0 4.8,0a2.4,2.4 0 1,0 -4.8,0Z"  # who is whole and alarmed: another shape, not only colour


def thousand(table: Fourfold, left: float, top: float, name: str) -> str:
    """Return a thousand people in four kinds, as `crowd_svg` draws three."""
    drawn, start = "", 0
    for kind, count, glyph, look in (
        ("found", table.found, PERSON, f"fill='{RED}'"),
        ("missed", table.missed, PERSON, f"fill='none' stroke='{RED}' stroke-width='0.9'"),
        ("alarmed", table.alarmed, RING, f"fill='none' stroke='{BLUE}' stroke-width='1.5'"),
        ("spared", table.spared, PERSON, "fill='#c3ccd6'"),
    ):
        drawn += (
            f"<pattern id='{name}-{kind}' width='{CELL:g}' height='{TALL}' patternUnits='userSpaceOnUse'>"
            f"<path d='{glyph}' {look}/></pattern>"
            f"<path d='{places(start, start + count)}' fill='url(#{name}-{kind})'/>\n"
        )
        start += count
    size = f"x='{left}' y='{top}' width='384' height='288' viewBox='0 0 {CELL * COLUMNS:g} {TALL * 25:g}'"
    return f"<svg {size}>{drawn}</svg>\n"


def frequencies() -> Drawn:
    """One sign, two crowds: what a positive percussion sign means in each."""
    sign = redflags().findings["percussion"]
    assert sign.sensitivity and sign.specificity
    drawn = ""
    places_seen = (("General practice: 2 in 100 broken", 0.02), ("Clinic for suspected fractures: 62 in 100", 0.62))
    for side, (place, prior) in enumerate(places_seen):
        table = fourfold(prior, sign.sensitivity.value, sign.specificity.value)
        left = 30 + 490 * side
        drawn += label(place, left, 40, 22, "start") + thousand(table, left, 58, f"crowd{side}")
        for i, (words, colour) in enumerate(
            (
                (f"{table.found} broken, sign positive (filled)", RED),
                (f"{table.missed} broken, sign negative (outlined)", RED),
                (f"{table.alarmed} whole, sign positive (rings)", BLUE),
                (f"{table.spared} whole, sign negative (pale)", SOFT),
            )
        ):
            drawn += label(words, left, 384 + 28 * i, 20, "start", colour)
        share = 100 * table.found / table.positive
        drawn += label(f"{table.found} of {table.positive} with the sign: {share:.0f} %", left, 508, 24, "start")
    return sheet(980, 530, "A sign in two crowds", drawn), {}


CROWDS = (updated(0.02, 12), 12 / 13, 0.02)  # the share with a fracture in each crowd


def q_people() -> Drawn:
    """Three crowds: Bayes, the prior forgotten, and nothing learnt; a prior of 2 % and a likelihood ratio of 12."""
    drawn = ""
    for number, share in enumerate(CROWDS):
        left = 20 + 310 * number
        inner = crowd_svg(crowd(Interval(share, share)), f"q{number}")
        drawn += inner.replace("<svg ", f'<svg x="{left}" y="16" width="290" height="218" ', 1).replace('"', "'")
        drawn += label("ABC"[number], left + 145, 272, 30)
    return sheet(940, 290, "Three crowds of a thousand people, A, B and C", drawn), {}


PICTURES = {
    "patient_posture": posture,
    "patient_saddle": saddle,
    "patient_frequencies": frequencies,
    "patient_q_wall": q_wall,
    "patient_q_saddle": q_saddle,
    "patient_q_people": q_people,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
