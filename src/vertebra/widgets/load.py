"""Load against strength: choose a posture, a person and a bone, and see whether the vertebra holds."""

import base64
import html
import io
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vertebra.language import N_, labels
from vertebra.mechanics.load import POSTURES, Band, Forces, factor_of_risk, forces, load, strength, t_score
from vertebra.mechanics.statics import heights, lean_of_wedge, parameter, wedge_angle
from vertebra.mechanics.trabeculae import architecture, picture
from vertebra.simulators import page
from vertebra.spine.dimensions import LEVELS, dimensions
from vertebra.spine.shape import Shape, wedge
from vertebra.widgets.asking import Asking, check_known, module, style

HERE = Path(__file__).parent
NAMES = {
    "lying": N_("Lying"),
    "sitting": N_("Sitting upright"),
    "standing": N_("Standing"),
    "bending": N_("Bending forward"),
    "holding close": N_("Holding it close"),
    "lifting with bent knees": N_("Lifting, bent knees"),
    "lifting with a round back": N_("Lifting, round back"),
}
DOING = {
    "lying": "Lying",
    "sitting": "Sitting upright",
    "standing": "Standing",
    "bending": "Bending forward",
    "holding close": "Holding {lift:.0f} kg close to the body",
    "lifting with bent knees": "Lifting {lift:.0f} kg with bent knees",
    "lifting with a round back": "Lifting {lift:.0f} kg with a round back",
}
WHERE = {"here": N_("in this vertebra"), "below": N_("in the one below")}
RANGES = {"body_weight": (40, 110), "lift": (0, 30), "bone_volume": (4, 22), "wedge": (0, 60)}
START = {
    "level": "L1",
    "posture": "lifting with a round back",
    "body_weight": 65,
    "lift": 10,
    "bone_volume": 7,
    "wedge": 0,
    "where": "here",
    "balance": True,
}
AXES = (1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24)  # kN: where the axis may end
LIMITS = (
    "Computed, not measured: loads after [wilke1999], strength after [boger2007; roux2010; bone_handbook], collapse "
    "after [wegrzyn2011; rohlmann2006], struts after [wbldb]. Typical of bodies in tests, not of a patient, and no "
    "chance of a fracture."
)
Point = tuple[float, float]


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted with everything in range. Raises ValueError for what is not."""
    state: dict[str, Any] = START | wanted
    for name, (low, high) in RANGES.items():
        value = state[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; give a number from {low} to {high}")
    for name, known in (
        ("level", LEVELS),
        ("posture", tuple(POSTURES)),
        ("where", tuple(WHERE)),
        ("balance", (True, False)),
    ):
        if state[name] not in known:
            raise ValueError(f"{name} is {state[name]!r}; it is one of {', '.join(map(str, known))}")
    if state["where"] == "below" and state["level"] == LEVELS[-1]:
        raise ValueError(f"where is 'below', but no body below {LEVELS[-1]} is modelled; choose here")
    return state


# --- what is computed ------------------------------------------------------------------------------------------------


def _broken(state: dict[str, Any]) -> str:
    """Return the level of the old fracture."""
    return LEVELS[LEVELS.index(state["level"]) + (state["where"] == "below")]


def _angle(state: dict[str, Any]) -> float:
    """Return the angle of the old fracture, degrees."""
    return wedge_angle(_broken(state), wedge(state["wedge"] / 100))


def _shape(state: dict[str, Any]) -> Shape:
    """Return the shape of the chosen vertebra itself."""
    return wedge(state["wedge"] / 100) if state["where"] == "here" else Shape()


def _kyphosis(state: dict[str, Any]) -> float:
    """Return the angle of a fracture below the chosen vertebra, degrees."""
    return _angle(state) if state["where"] == "below" else 0.0


def _compensation(state: dict[str, Any]) -> float:
    return parameter("compensation") if state["balance"] else 0.0


def _held(state: dict[str, Any], posture: str) -> float:
    """Return what is lifted, kg: nothing where the hands are empty."""
    return float(state["lift"]) if POSTURES[posture].ahead is not None else 0.0


def _forces(state: dict[str, Any]) -> Forces:
    name, around = state["posture"], (_shape(state), _kyphosis(state), _compensation(state))
    return forces(state["level"], name, state["body_weight"], _held(state, name), *around)


def loads(state: dict[str, Any]) -> dict[str, float]:
    """Return the load (N) in every posture."""
    around = (_shape(state), _kyphosis(state), _compensation(state))
    return {name: load(state["level"], name, state["body_weight"], _held(state, name), *around) for name in POSTURES}


def holds(state: dict[str, Any]) -> Band:
    """Return the strength (N) of the chosen bone."""
    return strength(state["level"], state["bone_volume"] / 100, _shape(state))


def risk(state: dict[str, Any]) -> Band:
    """Return load over strength in the chosen posture."""
    name, around = state["posture"], (_shape(state), _kyphosis(state), _compensation(state))
    volume = state["bone_volume"] / 100
    return factor_of_risk(state["level"], name, volume, state["body_weight"], _held(state, name), *around)


def grade(force: float, band: Band) -> str:
    """Return how a load stands to a band of strength: safe below it, close within it, over above it."""
    return "safe" if force < band.low else "close" if force <= band.high else "over"


# --- words -----------------------------------------------------------------------------------------------------------


def kilonewtons(force: float) -> str:
    """Return a force as it is printed: two significant digits, in kN."""
    return f"{force / 1000:.2f}" if force < 995 else f"{force / 1000:.1f}"


def kilograms(force: float) -> str:
    """Return the mass whose weight is a force, two significant digits."""
    mass = force / parameter("gravity")
    return f"{round(mass, -1 if mass >= 100 else 0):.0f} kg"


def _in_hundred(share: float) -> str:
    count = round(100 * share)
    return "fewer than 1" if count < 1 else "more than 99" if count > 99 else f"about {count}"


def readout(state: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a checked state."""
    force, band, ratio = loads(state)[state["posture"]], holds(state), risk(state)
    doing, level = DOING[state["posture"]].format(lift=state["lift"]), state["level"]
    chance = ratio.above(1)
    fate = (
        "such bone holds"
        if chance < 0.01
        else "most such bone holds"
        if force < band.low
        else "such bone may break"
        if force <= band.high
        else "most such bone breaks"
    )
    verdict = f"{level} carries {kilonewtons(force)} kN, and {fate}"
    words = [
        f"{doing} loads {level} with about {kilonewtons(force)} kN, as if {kilograms(force)} lay on it.",
        f"This bone breaks at {kilonewtons(band.low)} to {kilonewtons(band.high)} kN.",
        f"Load over strength is {ratio.middle:.2f} ({ratio.low:.2f} to {ratio.high:.2f}): "
        f"in {_in_hundred(chance)} of 100 such vertebrae the load is more than the bone can carry.",
    ]
    return {
        "grade": grade(force, band),
        "verdict": verdict,
        "words": " ".join(words),
        "why": _why(state),
        "told": f"{verdict}. {' '.join(words)}",
    }


def _why(state: dict[str, Any]) -> str:
    """Say where the load comes from."""
    now = _forces(state)
    if POSTURES[state["posture"]].supported:
        if state["posture"] == "lying":
            return "Nothing has to be held up: what is left is muscle tone and the disc's own pressure [wilke1999]."
        return (
            "In one man the disc pressure was a little lower sitting than standing [wilke1999]; an older study "
            "found it 40 % higher [nachemson1981]. The course takes the first."
        )
    gravity, level = parameter("gravity"), state["level"]
    above = f"{now.weight / gravity:.0f} kg of body hang {now.weight_arm / 10:.0f} cm in front of {level}"
    if now.carried:
        above += f", {now.carried / gravity:.0f} kg in the hands {now.carried_arm / 10:.0f} cm"
    return (
        f"{above}. The back muscles have a lever of {now.muscle_arm / 10:.0f} cm behind it, so they must pull with "
        f"{kilonewtons(now.muscle)} kN: most of the load is muscle."
        if now.muscle > now.compression / 2
        else f"{above}. The back muscles have a lever of {now.muscle_arm / 10:.0f} cm behind it and pull with "
        f"{kilonewtons(now.muscle)} kN."
    )


def about_bone(state: dict[str, Any]) -> dict[str, str]:
    """Return what is said of the bone's volume and of its collapse."""
    volume, struts = state["bone_volume"] / 100, architecture(state["bone_volume"] / 100)
    if struts.vertical_lost < 0.02:
        lattice = "Full lattice of youth: columns tied by cross-struts."
    else:
        lattice = (
            f"About {100 * struts.vertical_lost:.0f} % of the columns and {100 * struts.horizontal_lost:.0f} % of the "
            "cross-struts of youth are gone."
        )
    angle = _angle(state)
    left = lean_of_wedge(angle, _compensation(state))
    score = f"{t_score(volume):+.1f}".replace("-", "−")
    leans = ""
    if state["wedge"]:
        lost = 100 * (1 - holds(state).middle / strength(state["level"], volume).middle)
        after = f"{lost:.0f} % of its strength is gone" if lost else f"{state['level']} itself is whole"
        leans = f"{_broken(state)} leans what is above forward by {angle:.0f}°; {left:.0f}° are left. {after}."
    return {
        "bone": f"{state['bone_volume']:g} % bone".replace(".0", ""),
        "score": f"as T-score about {score} (assumed)",
        "lattice": lattice,
        "leans": leans,
    }


# --- pictures --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def lattice_uri(bone_volume: float) -> str:
    """Return the picture of the trabeculae as a data URI."""
    file = io.BytesIO()
    Image.fromarray(picture(bone_volume)).save(file, format="PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


# The person, mm: upper arm, forearm with half a hand, thigh, shank with foot. Drawn.
UPPER_ARM, FOREARM, THIGH, SHANK = 310.0, 330.0, 430.0, 450.0
# Where the hip is (height, and how far behind the ankles), how far the spine's bow bends (mm; backwards positive).
STANCES = {
    "lying": (900.0, 0.0, 0.0),
    "sitting": (470.0, 420.0, 10.0),
    "standing": (880.0, 0.0, 0.0),
    "bending": (880.0, 90.0, 35.0),
    "holding close": (880.0, 10.0, 0.0),
    "lifting with bent knees": (500.0, 270.0, 15.0),
    "lifting with a round back": (860.0, 160.0, 75.0),
}
SCALE = 0.265  # px of the drawing for a mm of the person
FORCE = 0.075  # px for a newton
LYING = 0.245  # the same of a person who lies down
SHORTEST = 24.0  # px of an arrow; smaller forces are drawn no smaller
WIDTH, HEIGHT = 460, 480


def _turn(point: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Return points (n, 2) of forward and up, leaned forward by an angle."""
    angle = math.radians(degrees)
    turned: NDArray[np.float64] = point @ np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return turned


def _joint(start: NDArray[np.float64], end: NDArray[np.float64], first: float, second: float, side: float) -> Any:
    """Return where two limbs of given lengths meet between two points; straight if they are too short."""
    way = end - start
    far = min(float(np.hypot(*way)), first + second - 1e-6)
    along = (first**2 - second**2 + far**2) / (2 * far)
    off = math.sqrt(max(first**2 - along**2, 0.0))
    unit = way / np.hypot(*way)
    return start + along * unit + side * off * np.array([-unit[1], unit[0]])


def spine_line(state: dict[str, Any]) -> dict[str, Any]:
    """Return the posed spine, mm forward and up: centres by level (T1 to L5), hip, shoulder and head.

    The centre of the chosen level is the origin. S-shaped standing, bowed backwards where the back is round; with a
    wedge the part above it leans by what is left of its angle.
    """
    posture, level = state["posture"], state["level"]
    z = heights()
    names, up = list(z), np.array(list(z.values()))
    share = up / up.max()
    hip_height, behind, bow = STANCES[posture]
    # The lumbar spine is convex forwards, the thoracic backwards; a round back has lost both.
    stands = 26 * np.sin(2 * np.pi * share) * (1 - min(bow / 50, 1.0))
    line = np.stack([stands - bow * np.sin(np.pi * share), up], axis=1)
    here = line[names.index(level)].copy()
    line -= here
    hip, head = np.array([15.0, -95.0]) - here, np.array([30.0, up.max() + parameter("height of the head")]) - here
    wedged = lean_of_wedge(_angle(state), _compensation(state)) if posture != "lying" else 0.0
    lean = POSTURES[posture].lean
    # All above the old fracture turns about it; then the chosen level is the origin again.
    hinge = line[names.index(_broken(state))].copy()
    turning = line[:, 1] > hinge[1] + 1e-6
    line[turning] = hinge + _turn(line[turning] - hinge, wedged)
    head = hinge + _turn((head - hinge)[None], wedged)[0]
    moved = line[names.index(level)].copy()
    line, head, hip = line - moved, head - moved, hip - moved
    line, hip, head = _turn(line, lean), _turn(hip[None], lean)[0], _turn(head[None], lean)[0]
    # The head is held up a little when the trunk leans.
    neck = line[names.index("T1")]
    head = neck + _turn((head - neck)[None], -0.35 * lean)[0]
    return {
        "centres": dict(zip(names, line, strict=True)),
        "hip": hip,
        "head": head,
        "lean": lean + wedged,
        "floor": hip[1] - hip_height,
        "ankle": np.array([hip[0] + behind, hip[1] - hip_height + 60]),
    }


def figure(state: dict[str, Any]) -> str:
    """Return the person with spine, forces and lever arms as SVG text, looking to the left as on a lateral film.

    Colours are custom properties with a fallback, so that the same text stands in the widget and in a static page.
    """
    posture, now = state["posture"], _forces(state)
    body, lying = spine_line(state), posture == "lying"
    centres, hip = body["centres"], body["hip"]
    shoulder = centres["T2"] + _turn(np.array([[25.0, 0.0]]), body["lean"])[0]
    everything = np.stack([*centres.values(), hip, body["head"], body["ankle"], shoulder])
    # Room on the left for what is carried; the floor is at the bottom.
    left = max(everything[:, 0].max() + 110, now.carried_arm + 130 if now.carried else 0.0)
    right = min(everything[:, 0].min() - 110, -150 / SCALE if now.muscle else 0.0)
    middle = WIDTH / 2 + SCALE * (left + right) / 2
    bottom = HEIGHT - 20

    def at(point: Any) -> Point:
        if lying:  # the same person on the back: the face up, the head on the right
            return 14 + LYING * (point[1] - body["floor"]), bottom - 82 - LYING * point[0]
        return middle - SCALE * point[0], bottom - SCALE * (point[1] - body["floor"])

    def path(points: list[Any], width: float, css: str, fallback: str) -> str:
        d = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in map(at, points))
        return (
            f'<path d="{d}" fill="none" stroke="var(--vt-{css}, {fallback})" stroke-width="{width * SCALE:.1f}" '
            'stroke-linecap="round" stroke-linejoin="round"/>'
        )

    hands = _hands(posture, now, shoulder, hip)
    # Around what is held close the forearms turn inwards and look shorter.
    elbow = _joint(shoulder, hands, UPPER_ARM, 230.0 if posture == "holding close" else FOREARM, -1.0)
    knee = _joint(hip, body["ankle"], THIGH, SHANK - 60, 1.0)
    toe = body["ankle"] + np.array([150.0, -42.0]) if not lying else body["ankle"] + np.array([70.0, 25.0])
    skin, far = ("ld-skin", "#d5dde5"), ("ld-far", "#c0cad4")
    line = [hip, *[centres[name] for name in reversed(list(heights()))]]
    ahead = _turn(np.array([[48.0, 0.0]]), body["lean"])[0]
    parts = [_ground(posture, bottom, at(hip))]
    parts.append(path([hip + ahead * 0.2, knee, body["ankle"]], 118, *skin))
    parts.append(path([body["ankle"], toe], 80, *skin))
    parts.append(path([point + ahead for point in line], 205, *skin))
    parts.append(path([centres["T1"] + ahead * 0.3, body["head"]], 105, *skin))
    x, y = at(body["head"])
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{108 * SCALE:.1f}" fill="var(--vt-ld-skin, #d5dde5)"/>')
    parts.append(path([shoulder, elbow, hands], 76, *far))
    parts.append(_vertebrae(state, centres, at))
    if not POSTURES[posture].supported:
        parts.append(_statics(state, now, body, at, hands))
    elif lying:
        parts.append(_text(WIDTH / 2, bottom - 200, "nothing to hold up", "soft", "middle"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="system-ui, sans-serif" font-size="17">{"".join(parts)}</svg>'
    )


def _hands(posture: str, now: Forces, shoulder: Any, hip: Any) -> Any:
    """Return where the hands are: on what they carry, on the thighs or at the side."""
    if posture == "holding close":
        return np.array([now.carried_arm - 30, shoulder[1] - 370])
    if posture in ("lifting with bent knees", "lifting with a round back"):
        return np.array([now.carried_arm, shoulder[1] - UPPER_ARM - FOREARM + 12])
    if posture == "sitting":
        return hip + np.array([300.0, 72.0])
    if posture == "lying":
        return shoulder + np.array([-15.0, -UPPER_ARM - FOREARM + 8])
    return shoulder + np.array([20.0, -UPPER_ARM - FOREARM + 12])


def _ground(posture: str, bottom: float, hip: Point) -> str:
    """Return the floor, and what one sits or lies on."""
    line = 'stroke="var(--vt-line, #c3ccd6)" stroke-width="3" stroke-linecap="round"'
    drawn = f'<path d="M14,{bottom}H{WIDTH - 14}" {line}/>'
    if posture == "sitting":
        x, seat = hip[0], hip[1] + 26
        legs = f"m-8,0v{bottom - seat:.1f}m-58,0v{seat - bottom:.1f}"
        drawn += f'<path d="M{x - 42:.1f},{seat:.1f}h74{legs}" fill="none" {line}/>'
    if posture == "lying":
        top = bottom - 68
        drawn += (
            f'<rect x="34" y="{top}" width="{WIDTH - 68}" height="20" rx="8" fill="var(--vt-panel, #f4f6f8)" {line}/>'
            f'<path d="M58,{top + 21}v{bottom - top - 22}M{WIDTH - 58},{top + 21}v{bottom - top - 22}" {line}/>'
        )
    return drawn


def _vertebrae(state: dict[str, Any], centres: dict[str, Any], at: Any) -> str:
    """Return the bodies along the spine, the chosen one marked."""
    names = list(heights())
    drawn: list[str] = []
    found: list[str] = []
    for i, name in enumerate(names):
        if name not in LEVELS:
            deep, high = 20.0, 15.0
        else:
            here = dimensions()[name]
            deep, high = here.upper_depth, sum(here.heights) / 3
        below, above = centres[names[max(i - 1, 0)]], centres[names[min(i + 1, len(names) - 1)]]
        up = (above - below) / np.hypot(*(above - below))
        forward = np.array([up[1], -up[0]])
        chosen = name == state["level"]
        closed = state["wedge"] / 100 * high if name == _broken(state) else 0.0
        corners = [
            centres[name] + forward * deep / 2 + up * (high / 2 - closed),
            centres[name] - forward * deep / 2 + up * high / 2,
            centres[name] - forward * deep / 2 - up * high / 2,
            centres[name] + forward * deep / 2 - up * high / 2,
        ]
        d = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in map(at, corners)) + "Z"
        colour = 'fill="var(--vt-ld-mark, #c8471f)" stroke="var(--vt-ld-mark, #c8471f)" stroke-width="3"'
        edge = 'stroke="var(--vt-bone-edge, #6d5c3d)" stroke-width="1"'
        if closed:
            edge = 'stroke="var(--vt-ld-mark, #c8471f)" stroke-width="2"'
        plain = f'fill="var(--vt-bone, #efe3c8)" {edge}'
        (found if chosen else drawn).append(f'<path d="{d}" stroke-linejoin="round" {colour if chosen else plain}/>')
    return "".join(drawn + found)


def _text(x: float, y: float, text: str, css: str, anchor: str = "start") -> str:
    colours = {"soft": "#4d5a68", "accent": "#00619e", "ld-load": "#8a4b00", "ld-mark": "#b03a14"}
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="600" '
        f'fill="var(--vt-{css}, {colours[css]})" stroke="var(--vt-paper, #fff)" stroke-width="4" paint-order="stroke" '
        f'stroke-linejoin="round">{text}</text>'
    )


def _arrow(tail: Point, tip: Point, css: str, fallback: str, width: float = 4) -> str:
    """Return an arrow from tail to tip."""
    way = np.array(tip) - np.array(tail)
    unit = way / np.hypot(*way)
    side, head = np.array([-unit[1], unit[0]]), 11.0
    neck = np.array(tip) - head * unit
    a, b = neck + 6.5 * side, neck - 6.5 * side
    colour = f"var(--vt-{css}, {fallback})"
    return (
        f'<path d="M{tail[0]:.1f},{tail[1]:.1f}L{neck[0]:.1f},{neck[1]:.1f}" stroke="{colour}" stroke-width="{width}"/>'
        f'<path d="M{tip[0]:.1f},{tip[1]:.1f}L{a[0]:.1f},{a[1]:.1f}L{b[0]:.1f},{b[1]:.1f}Z" fill="{colour}"/>'
    )


def _lever(level: Point, x: float, y: float, css: str, fallback: str) -> str:
    """Return a lever arm: a measure at height y from the level's plumb line to x."""
    colour = f'stroke="var(--vt-{css}, {fallback})"'
    return (
        f'<path d="M{level[0]:.1f},{y:.1f}H{x:.1f}" {colour} stroke-width="2.5"/>'
        f'<path d="M{level[0]:.1f},{y - 6:.1f}v12M{x:.1f},{y - 6:.1f}v12" {colour} stroke-width="2"/>'
        f'<path d="M{level[0]:.1f},{level[1]:.1f}V{y:.1f}" {colour} stroke-width="1.5" stroke-dasharray="3 4"/>'
    )


def _statics(state: dict[str, Any], now: Forces, body: dict[str, Any], at: Any, hands: Any) -> str:
    """Return weights, muscle and their lever arms about the chosen level; arrows are to scale from 320 N up."""
    level, gravity = at((0.0, 0.0)), parameter("gravity")
    parts = []
    centre = at((now.weight_arm, now.weight_height))
    low = level[1] + 34
    parts.append(_lever(level, centre[0], low, "accent", "#00619e"))
    parts.append(
        f'<path d="M{centre[0]:.1f},{centre[1]:.1f}V{low:.1f}" stroke="var(--vt-accent, #00619e)" stroke-width="1.5" '
        'stroke-dasharray="3 4"/>'
    )
    parts.append(f'<circle cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="5" fill="var(--vt-accent, #00619e)"/>')
    parts.append(_arrow(centre, (centre[0], centre[1] + max(FORCE * now.weight, SHORTEST)), "accent", "#00619e"))
    mass = f"{now.weight / gravity:.0f} kg × {now.weight_arm / 10:.0f} cm"
    if now.carried:
        x = at((now.carried_arm, 0))[0]
        box = at((now.carried_arm, hands[1]))
        parts.append(
            f'<rect x="{x - 34:.1f}" y="{box[1] - 6:.1f}" width="68" height="44" rx="5" '
            'fill="var(--vt-warn-paper, #fdf4e0)" stroke="var(--vt-ld-load, #8a4b00)" stroke-width="2.5"/>'
        )
        parts.append(_text(x, box[1] + 21, f"{now.carried / gravity:.0f} kg", "ld-load", "middle"))
        tail = (x, box[1] + 38)
        parts.append(_arrow(tail, (x, tail[1] + max(FORCE * now.carried, SHORTEST)), "ld-load", "#8a4b00"))
        lower = low + 40
        parts.append(_lever(level, x, lower, "ld-load", "#8a4b00"))
        parts.append(_text(level[0] + 8, lower + 5, f"{now.carried_arm / 10:.0f} cm", "ld-load"))
    parts.append(_text(level[0] + 8, low + 5, mass, "accent"))
    # The muscle runs behind the spine, along the trunk.
    along, back = _turn(np.array([[0.0, 1.0], [-1.0, 0.0]]), now.lean)
    foot = back * now.muscle_arm
    parts.append(
        f'<path d="M{level[0]:.1f},{level[1]:.1f}L{at(foot)[0]:.1f},{at(foot)[1]:.1f}" '
        'stroke="var(--vt-ld-mark, #c8471f)" stroke-width="2.5"/>'
    )
    length = max(FORCE * now.muscle, SHORTEST) / SCALE
    parts.append(_arrow(at(foot + along * length / 2), at(foot - along * length / 2), "ld-mark", "#c8471f", 5))
    end = at(foot + along * (length / 2) + back * 40)
    parts.append(_text(end[0], end[1] - 4, f"{kilonewtons(now.muscle)} kN × {now.muscle_arm / 10:.0f} cm", "ld-mark"))
    return "".join(parts)


# --- the widget ------------------------------------------------------------------------------------------------------


def chart(state: dict[str, Any]) -> dict[str, Any]:
    """Return the loads of all postures beside the band of strength, N, and where the axis ends."""
    every, band = loads(state), holds(state)
    needed = 1.06 * max(*every.values(), band.high) / 1000
    end = next(axis for axis in AXES if axis >= needed) * 1000
    rows = [
        {
            "name": name,
            "label": NAMES[name],
            "load": round(force, 1),
            "text": f"{kilonewtons(force)} kN",
            "mass": kilograms(force),
            "grade": grade(force, band),
        }
        for name, force in every.items()
    ]
    step = next(width for width in (250, 500, 1000, 2000, 4000, 8000) if end / width <= 4)
    ticks = [
        {"at": value, "text": f"{value / 1000:g}", "mass": kilograms(value) if value else "0"}
        for value in range(0, int(end) + 1, step)
    ]
    return {"end": end, "low": band.low, "middle": band.middle, "high": band.high, "rows": rows, "ticks": ticks}


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked(wanted)
    volume = state["bone_volume"] / 100
    return {
        "seq": int(wanted.get("seq", 0)),
        "figure": figure(state),
        "described": _described(state),
        "lattice": lattice_uri(volume),
        "bone": about_bone(state),
        "chart": chart(state),
        "readout": readout(state),
        "lifts": POSTURES[state["posture"]].ahead is not None,
    }


def _described(state: dict[str, Any]) -> str:
    doing = DOING[state["posture"]].format(lift=state["lift"]).lower()
    return f"A person {doing}, seen from the left, {state['level']} marked. {_why(state)}"


def static_svg(state: dict[str, Any]) -> str:
    """Return the person and the loads of all postures against the strength as one SVG picture."""
    drawn, said = chart(state), about_bone(state)
    left, width, top, row = 610, 330, 92, 40

    def x(force: float) -> float:
        return left + width * force / float(drawn["end"])

    bottom = top + row * len(drawn["rows"])
    person = figure(state)
    parts = [f"<g>{person[person.index('>') + 1 : -len('</svg>')]}</g>"]

    def write(at: float, y: float, text: str, css: str, anchor: str = "start") -> None:
        parts.append(f'<text x="{at:.1f}" y="{y:.1f}" text-anchor="{anchor}" {css}>{html.escape(text)}</text>')

    ink, soft = 'fill="#17212b"', 'fill="#4d5a68"'
    for low, high, colour in ((drawn["low"], drawn["high"], "#f1d49a"), (drawn["high"], drawn["end"], "#f3c4b6")):
        box = f'x="{x(low):.1f}" y="{top}" width="{x(high) - x(low):.1f}" height="{bottom - top}"'
        parts.append(f'<rect {box} fill="{colour}"/>')
    write((x(drawn["low"]) + x(drawn["high"])) / 2, top - 8, "may break", 'fill="#7a5200"', "middle")
    for i, each in enumerate(drawn["rows"]):
        y, end, chosen = top + row * (i + 0.5), x(each["load"]), each["name"] == state["posture"]
        write(left - 12, y + 5, each["label"], f'{ink} font-weight="{700 if chosen else 400}"', "end")
        parts.append(
            f'<path d="M{left},{y:.1f}H{end:.1f}" stroke="#00619e" stroke-width="{12 if chosen else 3}"/>'
            f'<circle cx="{end:.1f}" cy="{y:.1f}" r="{9 if chosen else 6}" fill="#00619e"/>'
        )
    parts.append(f'<path d="M{left},{top}V{bottom}H{left + width}" fill="none" stroke="#4d5a68" stroke-width="2"/>')
    for tick in drawn["ticks"]:
        write(x(tick["at"]), bottom + 20, tick["text"], soft, "middle")
    write(left + width / 2, bottom + 42, f"load on {state['level']}, kN", soft, "middle")
    write(left - 148, 36, readout(state)["verdict"], f'{ink} font-size="19" font-weight="700"')
    write(left - 148, 60, f"{said['bone']}, {said['score']}", soft)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 970 {HEIGHT}" width="970" height="{HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="15"><rect width="100%" height="100%" rx="10" fill="#fff"/>'
        f"{''.join(parts)}</svg>"
    )


class LoadExplorer(Asking):
    """Load against strength, asked by its browser half."""

    _esm = module("load")
    _css = style("load")
    refusal = N_("The explorer could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on L1 of a person of 65 kg with osteoporotic bone who lifts 10 kg, or with what `start` says."""
        check_known("load_explorer", start, START)
        state = checked(start)
        super().__init__(
            about={
                "levels": list(LEVELS),
                "postures": labels(NAMES),
                "where": labels(WHERE),
                "ranges": RANGES,
                "limits": LIMITS,
                "model": page("load").brief,
            },
            state=state,
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Load against strength: {readout(self._state)['words']}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked({name: wanted[name] for name in START if name in wanted})
        return made

    def still(self) -> str:
        """Return a picture with its description."""
        said = html.escape(f"{readout(self._state)['told']} {_why(self._state)}", quote=True)
        drawing = base64.b64encode(static_svg(self._state).encode()).decode()
        return (
            f'<figure><img alt="{said}" width="970" src="data:image/svg+xml;base64,{drawing}">'
            f"<figcaption>{said} {LIMITS} Start the lesson to change posture, bone and load.</figcaption></figure>"
        )


def load_explorer(**start: Any) -> LoadExplorer:
    """Return the explorer; `start` may set what it opens on, such as `posture="standing"` or `bone_volume=15`."""
    return LoadExplorer(**start)
