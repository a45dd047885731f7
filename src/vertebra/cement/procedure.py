"""The procedure room as a state machine: a patient, needles, a balloon or none, and cement.

`act(room, action)` returns the next room or raises `Refused` with a sentence. Nothing is undone: cement that was
injected stays, a wall that was pierced stays pierced. All places are in the treated vertebra's own frame (x right, y
anterior, z cranial, mm): the C-arm has been aligned with it, so that 0 degrees is its true AP view. What it was worth
is said by `vertebra.cement.rubric`.
"""

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebra.assets import parameters
from vertebra.cement import balloon as balloons
from vertebra.cement import bone as bones
from vertebra.cement import flow
from vertebra.cement.material import CEMENTS
from vertebra.imaging.fluoroscopy import KEV, Block, CArm, Rod, Scene, attenuation, scene_of_spine
from vertebra.imaging.needle import OUTER_DIAMETER, Breach, Needle, aim, breach, two_views
from vertebra.measure.morphometry import SixPoints, vertebral_kyphosis
from vertebra.spine import shape as shapes
from vertebra.spine.dimensions import LEVELS as ALL_LEVELS
from vertebra.spine.shape import Shape
from vertebra.spine.stack import Pose, Spine
from vertebra.spine.vertebra import Vertebra

FloatArray = NDArray[np.float64]

STAGES = {
    "vertebroplasty": ("patient", "needle", "cement", "debrief"),
    "kyphoplasty": ("patient", "needle", "balloon", "cement", "debrief"),
}
LEVELS = ALL_LEVELS[ALL_LEVELS.index("T8") : ALL_LEVELS.index("L4") + 1]
SIDES = ("left", "right")
PLANES = ("frontal", "lateral")
PIXELS, PITCH = 360, 0.56  # of a picture, and mm from one to the next: 131 mm of patient


def parameter(name: str) -> float:
    """Return a number of `assets/materials/procedure.csv`."""
    return parameters("materials/procedure.csv")[name].value


# What an act takes, s, so that the clock of the stepped mode is as fair as the running one.
TAKES = {
    name: parameter(f"time {name}") for name in ("aim", "advance", "picture", "mix", "inflate", "deflate", "ready")
}
RATE = parameter("rate")  # mL/min
HAND_LIMIT = parameter("hand pressure") * 1e6  # Pa [krebs2005]
EXPOSURE = parameter("exposure")  # s of fluoroscopy for one picture
LATERAL_DOSE = parameter("lateral dose")  # of a second across the patient, relative to one from front to back
DOCK = -18.0  # mm before the pedicle's isthmus: the tip stands on the bone's surface
RANGES = {
    "lateral": (-10.0, 10.0),
    "cranial": (-10.0, 10.0),
    "convergence": (-25.0, 25.0),
    "descent": (-25.0, 25.0),
}
ARMS = {"frontal": ((-45.0, 45.0), (-30.0, 30.0)), "lateral": ((60.0, 120.0), (-30.0, 30.0))}
DEEPEST = 60.0  # mm beyond the isthmus
STEPS = (-5.0, -2.0, -1.0, 1.0, 2.0, 5.0, 10.0)
PORTIONS = (0.25, 0.5)
# From how many mL on cement outside the bone is seen on a film; veins hide behind bone, above all on the lateral film,
# where 93 % of leaks along the basivertebral vein were missed or underestimated [yeom2003].
VISIBLE = {"B": parameter("visible in a vein"), "S": parameter("visible in a vein")}
SEEN = parameter("visible")
TRACE = parameter("trace")  # mL
IN_CANAL = ("B", "C-canal")
WALLS_SEEN = {"frontal": ("right wall", "left wall"), "lateral": ("anterior wall", "posterior wall")}
BACK_QUARTER = 0.25  # of the body's depth: cement that comes there is the sign to stop (unreferenced)
PLACES = {
    "endplate defect": "in the disc, beyond the broken endplate",
    "basivertebral vein": "behind the posterior wall, in the midline",
    "segmental vein": "beside the body, along a vein",
    "cortical defect": "in front of the body, through its broken cortex",
    "posterior wall defect": "behind the broken posterior wall, in the canal",
}


class Refused(ValueError):
    """What cannot be done now, in one sentence for the student; the room stays as it was."""


# --- who may lie on the table ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Patient:
    """A made-up patient: what is known of him, BV/TV of his bone, weeks since the fracture, and why not to treat."""

    label: str
    chart: tuple[tuple[str, str], ...]
    bone_volume: float
    weeks: float
    contra: str = ""
    fracture: str = ""  # the only fracture this patient can have


PATIENTS = {
    "a": Patient(
        "Mrs A, 78",
        (
            ("History", "Lifted a pot five weeks ago; 8 of 10 on standing, cannot stand for five minutes."),
            ("So far", "Paracetamol in full dose; an opioid made her confused. Walks with help, hardly at all."),
            ("Examination", "Tender over one spinous process, the level of the fracture. Legs and saddle normal."),
            ("MRI", "Bright marrow on STIR in the fractured body only. No fragment in the canal."),
            ("Blood", "CRP 3 mg/L, INR 1.0, platelets 240. No fever."),
        ),
        0.07,
        5.0,
    ),
    "b": Patient(
        "Mr B, 71",
        (
            ("History", "Twelve years of prednisolone. Pain since a cough eight weeks ago, 8 of 10, worse on rising."),
            ("So far", "Paracetamol, an opioid, a brace for six weeks: no better."),
            ("Examination", "Tender at the level of the fracture. Power, feeling and reflexes normal."),
            ("MRI", "Bright marrow on STIR, dark band beneath the endplate. Pedicles and marrow elsewhere normal."),
            ("Blood", "CRP 5 mg/L, INR 1.1, platelets 190, no paraprotein."),
        ),
        0.05,
        8.0,
    ),
    "c": Patient(
        "Mrs C, 76",
        (
            ("History", "Fell three weeks ago. Pain was 8 of 10, now 3 of 10, and she sleeps through."),
            ("So far", "Paracetamol, a few days of an opioid, walking with the physiotherapist."),
            ("Examination", "Slightly tender at the level of the fracture. Walks to the shops. Legs normal."),
            ("MRI", "Bright marrow on STIR in the fractured body. No fragment in the canal."),
            ("Blood", "CRP 4 mg/L, INR 1.0."),
        ),
        0.08,
        3.0,
        "improving",
    ),
    "d": Patient(
        "Mr D, 66",
        (
            ("History", "Three weeks of pain, worse at night and at rest. Sweats. Had a urinary infection."),
            ("So far", "Paracetamol and an opioid: no better."),
            ("Examination", "38.4 °C. Tender over two neighbouring levels. Legs normal."),
            ("MRI", "Bright disc, bright marrow on both sides of it, enhancement beside the spine."),
            ("Blood", "CRP 168 mg/L, white cells 15; two blood cultures are growing."),
        ),
        0.10,
        3.0,
        "infection",
    ),
    "e": Patient(
        "Mrs E, 74",
        (
            ("History", "Fell yesterday. Since this morning the legs give way, and she cannot pass urine."),
            ("So far", "Nothing yet."),
            ("Examination", "Power 3 of 5 in both legs, numb saddle."),
            ("CT", "A fragment of the posterior wall stands in the canal."),
            ("Blood", "CRP 6 mg/L, INR 1.0."),
        ),
        0.08,
        0.1,
        "deficit",
        "burst",
    ),
    "f": Patient(
        "Mrs F, 80",
        (
            ("History", "Back pain for years, 6 of 10. The fracture is on a film of eighteen months ago, unchanged."),
            ("So far", "Paracetamol now and then."),
            ("Examination", "Not tender at the level of the fracture; tender low down, on both sides. Legs normal."),
            ("MRI", "No bright marrow on STIR in the fractured body. Worn facet joints at L4 and L5."),
            ("Blood", "CRP 2 mg/L, INR 1.0."),
        ),
        0.07,
        78.0,
        "healed",
    ),
    "g": Patient(
        "Mr G, 79",
        (
            ("History", "Fell four weeks ago; 8 of 10 on turning in bed and on standing."),
            ("So far", "Paracetamol, an opioid and a laxative, physiotherapy in bed."),
            ("Examination", "Tender at the level of the fracture. Legs normal. Bruises on both arms."),
            ("MRI", "Bright marrow on STIR in the fractured body. No fragment in the canal."),
            ("Blood", "CRP 4 mg/L. Takes warfarin: INR 4.1 today."),
        ),
        0.08,
        4.0,
        "bleeding",
    ),
    "h": Patient(
        "Mrs H, 84",
        (
            ("History", "Fourteen weeks after a fall, 7 of 10 whenever she sits up, none when she lies flat."),
            ("So far", "Everything that could be tried by mouth; twelve weeks of a brace."),
            ("Examination", "Tender at the level of the fracture. Legs normal."),
            ("MRI", "Bright marrow on STIR, and a line of fluid in the body: it has not healed."),
            ("Blood", "CRP 3 mg/L, INR 1.0, platelets 210."),
        ),
        0.07,
        14.0,
        fracture="cleft",
    ),
    "i": Patient(
        "Mrs I, 82",
        (
            ("History", "In hospital for ten days after a fall: 9 of 10, cannot get out of bed."),
            ("So far", "Paracetamol and an opioid by drip; drowsy, and still in pain."),
            ("Examination", "Tender at the level of the fracture. Power, feeling and saddle normal."),
            ("MRI", "Bright marrow on STIR in the fractured body only. No fragment in the canal."),
            ("Blood", "CRP 8 mg/L, INR 1.1, platelets 230."),
        ),
        0.06,
        1.5,
    ),
}


@dataclass(frozen=True)
class Fracture:
    """A fracture to choose: its shape, and what the films show of it."""

    label: str
    shape: Shape
    told: str


FRACTURES = {
    "wedge": Fracture("Wedge, a third of the front height lost", shapes.wedge(0.33), "wedge"),
    "biconcave": Fracture("Biconcave, two fifths lost in the middle", shapes.biconcave(0.4), "biconcave fracture"),
    "crush": Fracture("Crush, a third lost everywhere", shapes.crush(0.33), "crush fracture"),
    "cleft": Fracture("Wedge with a cleft", shapes.cleft(4.0, 0.33), "wedge with a cleft that holds gas"),
    "endplate": Fracture("Wedge with a hole in the upper endplate", shapes.breach(3.0, 0.3), "wedge, endplate broken"),
    "wall": Fracture("Wedge with a hole in the posterior wall", shapes.wall_defect(0.45, 0.3), "wedge, wall broken"),
    "burst": Fracture("Burst, a fragment in the canal", shapes.burst(0.35, 5.0), "burst fracture"),
}

REASONS = {
    "infection": "An infection is active",
    "deficit": "There is a new neurological deficit with bone in the canal",
    "healed": "The fracture is old and has healed: the pain comes from elsewhere",
    "improving": "The pain is getting better without it",
    "bleeding": "Clotting is not corrected",
    "none": "I would rather not, without one of these reasons",
}
PATHWAYS = {
    "surgeon": "Immobilise, urgent CT and MRI, spine surgeon now",
    "infection team": "Cultures, MRI with contrast, infection team and spine surgeon; antibiotics by culture",
    "other source": "Look for another source of the pain; treat the osteoporosis",
    "conservative": "Go on with analgesia and walking, treat the osteoporosis, see again in one to two weeks",
    "correct first": "Correct the clotting with whoever prescribed the drug, then decide again",
}
# For each reason: the pathway, and why, with its source.
REFERRALS = {
    "infection": (
        "infection team",
        "Cement in infected bone is foreign material in pus: infection is a contraindication [contra_pages].",
    ),
    "deficit": (
        "surgeon",
        "A new deficit with bone in the canal may need decompression at once, which cement cannot give; it is an "
        "emergency [unreferenced].",
    ),
    "healed": (
        "other source",
        "Guidance offers cement only for a recent, unhealed fracture whose pain is confirmed at that level by "
        "examination and imaging [nice_ta279].",
    ),
    "improving": (
        "conservative",
        "Guidance offers cement only for severe ongoing pain despite optimal pain management [nice_ta279]; most "
        "fractures improve over 2 to 12 weeks [acr2018].",
    ),
    "bleeding": (
        "correct first",
        "Untreated coagulopathy is a contraindication [contra_pages]; corrected, the question may be asked again.",
    ),
}


@dataclass(frozen=True)
class Case:
    """Who is treated, where and for what. Raises ValueError for a key that is not known or does not go together."""

    patient: str = "a"
    level: str = "L1"
    fracture: str = "wedge"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("patient", self.patient, PATIENTS),
            ("level", self.level, LEVELS),
            ("fracture", self.fracture, FRACTURES),
        ):
            if not isinstance(value, str) or value not in known:
                raise ValueError(f"{name} is {value!r}; give one of {', '.join(known)}")
        only = self.who.fracture
        if only and self.fracture != only:
            raise ValueError(f"{self.who.label} has another fracture; choose {FRACTURES[only].label.lower()}")
        if self.fracture == "burst" and not only:
            raise ValueError(f"{self.who.label} has no fragment in the canal; choose another fracture, or Mrs E")

    @property
    def who(self) -> Patient:
        """The patient."""
        return PATIENTS[self.patient]

    @property
    def shape(self) -> Shape:
        """The shape of the broken vertebra."""
        return FRACTURES[self.fracture].shape

    @property
    def vertebra(self) -> Vertebra:
        """The broken vertebra."""
        return vertebra_of(self.level, self.shape)


@lru_cache(maxsize=32)
def vertebra_of(level: str, shape: Shape) -> Vertebra:
    """Return a vertebra that keeps what it has computed."""
    return Vertebra(level, shape)


# --- the state of the room -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Path:
    """One needle: how it is held and how deep (mm beyond the isthmus), and what it has done on its way.

    `lateral`, `cranial`, `convergence` and `descent` are what the hand has changed since the needle first touched the
    skin; where that was, `touch` says. `worst` is what was pierced, `safe` whether the medial border on AP was never
    crossed before the posterior wall on lateral, `unseen` the mm advanced since the last picture and `longest` its
    greatest value, `deepest` the greatest depth.
    """

    side: str
    gauge: str = "11G"
    lateral: float = 0.0
    cranial: float = 0.0
    convergence: float = 0.0
    descent: float = 0.0
    depth: float = DOCK
    deepest: float = DOCK
    worst: Breach = field(default_factory=Breach)
    safe: bool = True
    unseen: float = 0.0
    longest: float = 0.0


@dataclass(frozen=True, eq=False)
class Film:
    """One exposure: plane, angles of the C-arm, when, and everything that cast a shadow then."""

    plane: str
    orbital: float
    tilt: float
    seconds: float
    vertebra: Vertebra
    needles: tuple[tuple[str, Needle], ...]
    cement: flow.State | None
    inflation: balloons.Inflation | None
    inflated: bool


@dataclass(frozen=True)
class Push:
    """A portion of cement: its age when it was pushed (s), mL, mL since the last lateral picture, and the pressure."""

    age: float
    volume: float
    unseen: float
    pressure: float


@dataclass(frozen=True, eq=False)
class Room:
    """All that is so at one moment. `seconds` run from the decision to treat; `mixed` is when mixing began."""

    procedure: str
    case: Case = field(default_factory=Case)
    stage: str = "patient"
    decision: str = ""
    reason: str = ""
    pathway: str = ""
    seconds: float = 0.0
    frontal: tuple[float, float] = (0.0, 0.0)
    lateral: tuple[float, float] = (90.0, 0.0)
    screening: str = ""
    fluoroscopy: float = 0.0
    dose: float = 0.0
    films: tuple[Film, ...] = ()
    looked: bool = False
    paths: tuple[Path, ...] = ()
    withdrawn: tuple[Path, ...] = ()  # needles that were in bone and were out again when the stylets came out
    side: str = "left"
    balloon: str = ""
    inflated: float = 0.0  # mL in each balloon
    unseen_inflation: float = 0.0
    longest_inflation: float = 0.0
    inflation: balloons.Inflation | None = None
    peak_pressure: float = 0.0
    signs: tuple[str, ...] = ()
    after_sign: float = 0.0  # mL a balloon pumped in after the first sign of gauge or syringe
    wall_seen: str = ""
    after_wall: float = 0.0  # mL a balloon after a picture showed one at a wall
    deflated: bool = False
    cement: str = ""
    temperature: float = 23.0
    mixed: float | None = None
    state: flow.State | None = None
    pushes: tuple[Push, ...] = ()
    unseen_cement: float = 0.0
    leak_seen: str = ""
    after_leak: float = 0.0
    stuck: bool = False
    message: str = ""

    @property
    def path(self) -> Path:
        """The needle in the hand."""
        return next((path for path in self.paths if path.side == self.side), Path(self.side))

    @property
    def age(self) -> float | None:
        """Seconds since mixing began; None before."""
        return None if self.mixed is None else self.seconds - self.mixed

    @property
    def volume(self) -> float:
        """How much cement has been pushed, mL."""
        return sum(push.volume for push in self.pushes)

    @property
    def vertebra(self) -> Vertebra:
        """The vertebra as it stands now: broken, lifted by a balloon, or settled again."""
        if self.inflation is None:
            return self.case.vertebra
        return self.inflation.lifted if self.tense else self.inflation.settled

    @property
    def tense(self) -> bool:
        """Whether balloons stand inflated: not before, not once they are out, and not when one has burst."""
        return self.inflation is not None and not self.deflated and self.inflation.stopped != "burst"


def start(procedure: str, case: Case | None = None) -> Room:
    """Return an empty room. Raises ValueError for a procedure that is not known."""
    if procedure not in STAGES:
        raise ValueError(f"procedure is {procedure!r}; give one of {', '.join(STAGES)}")
    return Room(procedure, case or Case())


@lru_cache(maxsize=64)
def touch(case: Case, side: str) -> dict[str, float]:
    """Return where a needle first touches the skin, off the pedicle's axis: mm and degrees.

    Drawn once for each patient, level, fracture and side: a first touch is near, and never right.
    """
    random = np.random.default_rng(zlib.crc32(f"{case.patient} {case.level} {case.fracture} {side}".encode()))
    sign = random.choice([-1.0, 1.0], 4)
    size = random.uniform([2.0, 2.0, 3.0, 3.0], [4.5, 4.0, 9.0, 8.0])
    return dict(zip(RANGES, np.round(sign * size).tolist(), strict=True))


def needle(case: Case, path: Path) -> Needle:
    """Return the needle of a path, in the vertebra's own frame."""
    off = touch(case, path.side)
    held = {name: off[name] + getattr(path, name) for name in RANGES}
    return aim(case.vertebra.pedicle(path.side), path.depth, gauge=path.gauge, **held)


def needles(room: Room) -> tuple[tuple[str, Needle], ...]:
    """Return the needles that are in the patient or on his skin, by side."""
    found = {path.side: needle(room.case, path) for path in room.paths}
    if room.stage == "needle" and room.side not in found:
        found[room.side] = needle(room.case, room.path)
    return tuple(found.items())


def down(room: Room) -> dict[str, float]:
    """Return the orbital angle at which the C-arm looks down the pedicle of each side, degrees."""
    axes = {side: room.case.vertebra.pedicle(side).axis for side in SIDES}
    return {side: math.degrees(math.atan2(-x, y)) for side, (x, y, _) in axes.items()}


def metal(room: Room) -> tuple[tuple[str, Needle], ...]:
    """Return the needles as a film shows them: for a balloon the cannula is drawn back by the balloon's length."""
    held = needles(room)
    if room.procedure != "kyphoplasty" or room.stage == "needle":
        return held
    back = balloons.BALLOONS[room.balloon].length if room.balloon else 0.0
    return tuple((side, replace(each, tip=each.tip - back * each.direction)) for side, each in held)


def depth_share(vertebra: Vertebra, points: FloatArray) -> FloatArray:
    """Return how far forward points (n, 3) lie in the body on a lateral film: 0 posterior wall, 1 anterior wall."""
    marks = np.asarray(vertebra.landmarks, dtype=np.float64)
    back, front = _border(marks[[2, 5]], points), _border(marks[[0, 3]], points)
    share: FloatArray = (points[:, 1] - back) / (front - back)
    return share


def _border(corners: FloatArray, points: FloatArray) -> FloatArray:
    """Return y (n,) of the line through an upper and a lower corner at the height of points (n, 3)."""
    upper, lower = corners
    y: FloatArray = lower[1] + (points[:, 2] - lower[2]) / (upper[2] - lower[2]) * (upper[1] - lower[1])
    return y


# --- acts ------------------------------------------------------------------------------------------------------------


def act(room: Room, action: Mapping[str, Any]) -> Room:
    """Return the room after an action: a mapping with `do`, the name of one of ACTS, and what that one needs.

    Raises Refused with one sentence for what cannot be done now, or not like that.
    """
    name = action.get("do")
    if not isinstance(name, str) or name not in ACTS:
        raise Refused(f"The room knows no {name!r}; it knows {', '.join(ACTS)}.")
    stages, doing = ACTS[name]
    if room.stage not in stages:
        raise Refused(f"That belongs to another step: {WHEN[stages[0]]}.")
    try:
        return doing(replace(room, message=""), action)
    except Refused:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(f"That could not be done: {error}.".replace("..", ".")) from None


WHEN = {
    "patient": "it is decided before the needle",
    "needle": "it is done while the needle is placed",
    "balloon": "it is done while the balloons are in",
    "cement": "it is done when the needles stand and cement is on the table",
}


def _number(action: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = action.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refused(f"{name} is {value!r}; give a number from {low:g} to {high:g}.")
    return float(value)


def _choice(action: Mapping[str, Any], name: str, known: Any) -> Any:
    value = action.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value not in known:
        raise Refused(f"{name} is {value!r}; give one of {', '.join(map(str, known))}.")
    return value


def _choose(room: Room, action: Mapping[str, Any]) -> Room:
    asked = {name: action.get(name, getattr(room.case, name)) for name in ("patient", "level", "fracture")}
    who = PATIENTS[_choice(asked, "patient", PATIENTS)]
    # What the chart tells of the fracture comes with the patient, and a fragment in the canal goes with her.
    if who.fracture:
        asked["fracture"] = who.fracture
    elif asked["fracture"] == "burst" and "fracture" not in action:
        asked["fracture"] = "wedge"
    return replace(room, case=Case(**asked))


def _treat(room: Room, action: Mapping[str, Any]) -> Room:
    return replace(
        room, stage="needle", decision="treat", message="The patient lies prone; the C-arm is aligned with the level."
    )


def _refer(room: Room, action: Mapping[str, Any]) -> Room:
    if any(path.deepest > DOCK for path in room.paths):
        raise Refused("The needle is in the patient: you can stop, but no longer choose not to begin.")
    if not (action.get("reason") and action.get("pathway")):
        raise Refused("Say why not, and what the patient has instead.")
    reason, pathway = _choice(action, "reason", REASONS), _choice(action, "pathway", PATHWAYS)
    return replace(room, stage="debrief", decision="refer", reason=reason, pathway=pathway)


def _aim(room: Room, action: Mapping[str, Any]) -> Room:
    side = _choice({"side": action.get("side", room.side)}, "side", SIDES)
    room = replace(room, side=side)
    path = room.path
    asked: dict[str, Any] = {name: _number(action, name, *RANGES[name]) for name in RANGES if name in action}
    gauge = _choice({"gauge": action.get("gauge", path.gauge)}, "gauge", OUTER_DIAMETER)
    held = replace(path, gauge=gauge, **asked)
    if held == path:
        return replace(room, message=f"The needle for the {side} pedicle is in your hand.")
    if path.depth > DOCK:
        raise Refused("A needle in bone cannot be turned: draw it back to the surface first.")
    return _exposed(_kept(replace(room, seconds=room.seconds + TAKES["aim"]), held), TAKES["aim"])


def _kept(room: Room, path: Path) -> Room:
    others = tuple(other for other in room.paths if other.side != path.side)
    return replace(room, paths=(*others, path))


def _advance(room: Room, action: Mapping[str, Any]) -> Room:
    step = float(_choice(action, "mm", STEPS))
    path = room.path
    depth = min(max(path.depth + step, DOCK), DEEPEST)
    if depth == path.depth:
        raise Refused(
            "The needle stands on the surface already." if step < 0 else "The needle is in as far as it reaches."
        )
    moved = _followed(room.case, replace(path, depth=depth), max(depth - path.depth, 0.0))
    return _exposed(_kept(replace(room, seconds=room.seconds + TAKES["advance"]), moved), TAKES["advance"])


def _followed(case: Case, path: Path, forward: float) -> Path:
    """Return a path with what it has pierced, and how far it went unseen."""
    inserted = needle(case, path)
    now = breach(inserted, case.vertebra, path.side)
    worst = Breach(**{f.name: max(getattr(now, f.name), getattr(path.worst, f.name)) for f in fields(Breach)})
    unseen = path.unseen + forward
    return replace(
        path,
        worst=worst,
        safe=path.safe and two_views(inserted, case.vertebra, path.side).safe,
        unseen=unseen,
        longest=max(path.longest, unseen),
        deepest=max(path.deepest, path.depth),
    )


def _draw_back(room: Room, action: Mapping[str, Any]) -> Room:
    if room.path.depth == DOCK:
        raise Refused("The needle stands on the surface already.")
    room = replace(room, seconds=room.seconds + TAKES["advance"])
    return _exposed(_kept(room, replace(room.path, depth=DOCK)), TAKES["advance"])


def _arm(room: Room, action: Mapping[str, Any]) -> Room:
    plane = _choice(action, "plane", PLANES)
    turn, rise = ARMS[plane]
    angles = _number(action, "orbital", *turn), _number(action, "tilt", *rise)
    turned = replace(room, frontal=angles) if plane == "frontal" else replace(room, lateral=angles)
    return _exposed(turned, 0.0)


def _picture(room: Room, action: Mapping[str, Any]) -> Room:
    plane = _choice(action, "plane", (*PLANES, "both"))
    for each in PLANES if plane == "both" else (plane,):
        room = _expose(replace(room, seconds=room.seconds + TAKES["picture"]), each, EXPOSURE)
    return room


def _screen(room: Room, action: Mapping[str, Any]) -> Room:
    plane = _choice(action, "plane", ("", *PLANES))
    return _exposed(replace(room, screening=plane), 0.0)


def _exposed(room: Room, seconds: float) -> Room:
    """Return the room with a new picture if the foot is on the pedal, `seconds` of it at least a moment."""
    return _expose(room, room.screening, max(seconds, 0.5)) if room.screening else room


def _expose(room: Room, plane: str, seconds: float) -> Room:
    """Return the room with one more film: everything seen starts anew from it."""
    orbital, tilt = getattr(room, plane)
    film = Film(
        plane,
        orbital,
        tilt,
        room.seconds,
        room.vertebra,
        metal(room),
        room.state,
        room.inflation,
        room.tense,
    )
    across = abs(math.sin(math.radians(orbital)))
    cost = seconds * (1 + (LATERAL_DOSE - 1) * across)
    planes = {seen.plane for seen in room.films} | {plane}
    first = all(path.deepest == DOCK for path in room.paths)
    room = replace(
        room,
        films=(*room.films, film),
        fluoroscopy=room.fluoroscopy + seconds,
        dose=room.dose + cost,
        looked=room.looked or (first and planes == set(PLANES)),
        paths=tuple(replace(path, unseen=0.0) for path in room.paths),
        leak_seen=room.leak_seen or next(iter(visible(room.state)), ""),
        wall_seen=room.wall_seen or next(iter(walls(room.inflation, plane)), ""),
    )
    if plane == "lateral":
        room = replace(room, unseen_cement=0.0, unseen_inflation=0.0)
    return room


def _wait(room: Room, action: Mapping[str, Any]) -> Room:
    seconds = _number(action, "seconds", 0.1, 900)
    room = replace(room, seconds=room.seconds + seconds)
    return _expose(room, room.screening, seconds) if room.screening else room


def _ready(room: Room, action: Mapping[str, Any]) -> Room:
    if room.stage == "balloon":
        if not room.deflated:
            raise Refused("Deflate the balloons and take them out first: cement goes into the cavity they leave.")
        return replace(room, stage="cement", seconds=room.seconds + TAKES["ready"])
    inside = tuple(path for path in room.paths if path.depth > DOCK)
    if not inside:
        raise Refused("No needle is in the bone yet.")
    out = tuple(path for path in room.paths if path not in inside and path.deepest > DOCK)
    room = replace(room, paths=inside, withdrawn=out, side=inside[0].side)
    for path in inside:
        try:
            _begin(replace(room, paths=(path,), side=path.side), 0.0)
        except ValueError:
            raise Refused(
                f"The {path.side} needle's tip does not lie well inside the body's bone, so nothing can be put in "
                "there. Take pictures, then advance it, or draw it back to the surface: aim anew, or leave it out."
            ) from None
    if room.procedure == "kyphoplasty":
        smallest = next(iter(balloons.BALLOONS.values()))
        tight = [path.side for path in inside if not fits(replace(room, paths=(path,), side=path.side), smallest.name)]
        mend = "Take pictures, then advance, or draw back and aim anew."
        if tight:
            raise Refused(
                f"{' and '.join(tight).capitalize()} needle: no balloon fits there. The smallest is "
                f"{smallest.length:.0f} mm long, lies behind the tip, and needs room inside the body. {mend}"
            )
        if not fits(room, smallest.name):
            raise Refused(f"The two balloons would meet: their tips lie too near to each other. {mend}")
    stages = STAGES[room.procedure]
    return replace(
        room,
        stage=stages[stages.index("needle") + 1],
        seconds=room.seconds + TAKES["ready"],
        message="The stylet is out.",
    )


def _mix(room: Room, action: Mapping[str, Any]) -> Room:
    if room.mixed is not None:
        raise Refused("There is one pack of cement on the table, and it is mixed.")
    cement = _choice(action, "cement", CEMENTS)
    temperature = _number(action, "temperature", 16, 28)
    return replace(
        room,
        cement=cement,
        temperature=temperature,
        mixed=room.seconds,
        seconds=room.seconds + TAKES["mix"],
        message="Mixed and drawn up: the cement is ageing.",
    )


def _inject(room: Room, action: Mapping[str, Any]) -> Room:
    portion = float(_choice(action, "ml", PORTIONS))
    age = room.age
    if age is None:
        raise Refused("Mix the cement first.")
    state = room.state or _begin(room, age)
    waited = age - (state.injection.mixed + state.seconds)
    if waited > 0.01:
        state = flow.wait(state, waited)
    pushed = flow.advance(state, portion)
    seconds = portion / RATE * 60
    if pushed.syringe_pressure > HAND_LIMIT:
        return replace(
            room,
            seconds=room.seconds + seconds,
            stuck=True,
            message="The plunger does not move: the cement is too stiff for a hand and this needle.",
        )
    unseen = room.unseen_cement + portion
    room = replace(
        room,
        state=pushed,
        seconds=room.seconds + seconds,
        unseen_cement=unseen,
        after_leak=room.after_leak + (portion if room.leak_seen else 0.0),
        pushes=(*room.pushes, Push(age, portion, unseen, pushed.syringe_pressure)),
    )
    return _exposed(room, seconds)


def _begin(room: Room, age: float) -> flow.State:
    tips = np.array([inserted.tip for _, inserted in needles(room)])
    gauge = min((path.gauge for path in room.paths), key=lambda name: OUTER_DIAMETER[name])
    cavities = room.inflation.cavities if room.inflation else ()
    cement = room.cement or next(iter(CEMENTS))
    injected = flow.Injection(tuple(map(tuple, tips.tolist())), gauge, RATE, cement, age, room.temperature)
    return flow.begin(bones.bone(room.vertebra, room.case.who.bone_volume), injected, cavities)


def _balloon(room: Room, action: Mapping[str, Any]) -> Room:
    if room.inflated:
        raise Refused("The balloons are in; another size would need other balloons.")
    size = _choice(action, "size", balloons.BALLOONS)
    if not fits(room, size):
        raise Refused("This balloon is too long for where the needle's tip lies; choose a shorter one.")
    return replace(room, balloon=size)


def _inflate(room: Room, action: Mapping[str, Any]) -> Room:
    portion = float(_choice(action, "ml", PORTIONS))
    if room.deflated:
        raise Refused("The balloons are out.")
    if not room.balloon:
        raise Refused("Choose a balloon first.")
    if room.inflation is not None and room.inflation.stopped == "burst":
        raise Refused("The balloon has burst: deflate and take it out.")
    volume = room.inflated + portion
    size = balloons.BALLOONS[room.balloon]
    if volume > size.volume:
        raise Refused(f"The syringe ends at {size.volume:g} mL: a {size.name} balloon takes no more.")
    found = _inflated(room, room.balloon, volume)
    signs = stop_signs(found)
    unseen = room.unseen_inflation + portion
    room = replace(
        room,
        inflated=found.volume / len(room.paths),
        inflation=found,
        peak_pressure=max(room.peak_pressure, found.pressure),
        after_sign=room.after_sign + (portion if room.signs else 0.0),
        signs=room.signs or signs,
        after_wall=room.after_wall + (portion if room.wall_seen else 0.0),
        seconds=room.seconds + TAKES["inflate"],
        unseen_inflation=unseen,
        longest_inflation=max(room.longest_inflation, unseen),
        message=" ".join(signs),
    )
    return _exposed(room, TAKES["inflate"])


def fits(room: Room, size: str) -> bool:
    """Return whether folded balloons of a size lie in the body's bone behind the needles' tips."""
    try:
        _inflated(room, size, 0.0)
    except ValueError:
        return False
    return True


def _inflated(room: Room, size: str, volume: float) -> balloons.Inflation:
    """Return what `volume` mL in each balloon does."""
    held = [inserted for _, inserted in needles(room)]
    # The cannula is drawn back, so that the balloon's front end lies where the needle's tip was.
    return balloons.inflate(
        room.case.vertebra,
        np.array([inserted.tip for inserted in held]),
        volume * len(held),
        size,
        room.case.who.bone_volume,
        room.case.who.weeks,
        np.array([inserted.direction for inserted in held]),
    )


def _deflate(room: Room, action: Mapping[str, Any]) -> Room:
    if room.inflation is None:
        raise Refused("Nothing is inflated.")
    if room.deflated:
        raise Refused("The balloons are out.")
    return _exposed(replace(room, deflated=True, seconds=room.seconds + TAKES["deflate"]), TAKES["deflate"])


def _stop(room: Room, action: Mapping[str, Any]) -> Room:
    return replace(room, stage="debrief", screening="")


def _again(room: Room, action: Mapping[str, Any]) -> Room:
    return start(room.procedure, room.case)


TABLE = ("needle", "balloon", "cement")
Doing = Callable[[Room, Mapping[str, Any]], Room]
ACTS: dict[str, tuple[tuple[str, ...], Doing]] = {
    "choose": (("patient",), _choose),
    "treat": (("patient",), _treat),
    "refer": (("patient", "needle"), _refer),
    "aim": (("needle",), _aim),
    "advance": (("needle",), _advance),
    "draw back": (("needle",), _draw_back),
    "arm": (TABLE, _arm),
    "picture": (TABLE, _picture),
    "screen": (TABLE, _screen),
    "wait": (TABLE, _wait),
    "ready": (("needle", "balloon"), _ready),
    "balloon": (("balloon",), _balloon),
    "inflate": (("balloon",), _inflate),
    "deflate": (("balloon",), _deflate),
    "mix": (("cement",), _mix),
    "inject": (("cement",), _inject),
    "stop": (TABLE, _stop),
    "again": (("patient", *TABLE, "debrief"), _again),
}


# --- what casts a shadow ---------------------------------------------------------------------------------------------


def carm(film: Film) -> CArm:
    """Return where the C-arm stood for a film: its axes meet in the middle of the treated body."""
    return CArm(film.orbital, film.tilt, pixels=PIXELS, pixel=PITCH)


@lru_cache(maxsize=12)
def backbone(vertebra: Vertebra, bone_volume: float) -> tuple[dict[str, Pose], tuple[Block, ...]]:
    """Return the treated vertebra and its neighbours, two above and one below, in its own frame: poses and bones."""
    at = ALL_LEVELS.index(vertebra.level)
    spine = Spine(ALL_LEVELS[max(at - 2, 0) : at + 2], {vertebra.level: vertebra.shape})
    home = spine.poses[vertebra.level].inverse()
    poses = {
        level: Pose(home.rotation @ pose.rotation, home.apply(pose.translation[None])[0])
        for level, pose in spine.poses.items()
    }
    scene = scene_of_spine(spine, bone_volume=bone_volume)
    return poses, tuple(block.moved(home) for block in scene.blocks)


def scene(film: Film, bone_volume: float) -> Scene:
    """Return everything that cast a shadow on a film."""
    blocks = backbone(film.vertebra, bone_volume)[1]
    if film.cement is not None:
        # What is too little to be seen is not drawn: the film shows no more and no less than the debrief tells.
        told = visible(film.cement)
        drawn = np.array([outlet.name in told for outlet in film.cement.bone.outlets])
        blocks += (replace(film.cement, leaked=film.cement.leaked * drawn).block(KEV),)
    if film.inflated and film.inflation is not None:
        blocks += tuple(_balloon_block(each) for each in film.inflation.balloons)
    return Scene(blocks, tuple(_rod(inserted) for _, inserted in film.needles))


def _rod(inserted: Needle) -> Rod:
    return Rod(inserted.tip - inserted.length * inserted.direction, inserted.tip, inserted.radius)


def _balloon_block(cavity: balloons.Cavity) -> Block:
    """Return a balloon full of contrast medium; drawn as opaque as cement with a tenth of barium sulphate."""
    reach = float(max(cavity.semi_axes)) + 1.0
    steps = np.arange(-reach, reach + 0.5, 1.0)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    inside = balloons.inside(cavity, grid + cavity.centre)
    excess = attenuation("PMMA + 10 % BaSO4", KEV) - attenuation("soft tissue", KEV)
    affine = np.eye(4)
    affine[:3, 3] = cavity.centre - reach
    return Block((inside * excess).astype(np.float32), affine)


# --- what there is to see and to read --------------------------------------------------------------------------------


def leaks(state: flow.State | None) -> dict[str, float]:
    """Return cement outside the bone, mL, by way out; without traces."""
    if state is None:
        return {}
    return {name: float(ml) for name, ml in state.leaks.items() if bones.LEAKS[name] and ml > TRACE}


def in_canal(state: flow.State | None) -> float:
    """Return how much cement is in the canal, mL; without traces."""
    return sum(ml for name, ml in leaks(state).items() if bones.LEAKS[name] in IN_CANAL)


def visible(state: flow.State | None) -> dict[str, float]:
    """Return the leaks (mL) that are large enough to be seen on a film."""
    return {name: ml for name, ml in leaks(state).items() if ml > VISIBLE.get(bones.LEAKS[name], SEEN)}


@dataclass(frozen=True)
class Spread:
    """Where the cement lies: share of the body, nearest to the posterior wall (mm, negative behind it), share of the
    depth it spans (posterior to anterior), which sides of the midline it has reached, and the endplates it touches."""

    share: float
    margin: float
    depth: tuple[float, float]
    sides: tuple[str, ...]
    endplates: tuple[str, ...]


def spread(state: flow.State) -> Spread:
    """Return where the cement lies in the body: voxels of which a third is cement."""
    bone, h = state.bone, state.bone.spacing
    full = (state.cement_volume > 1 / 3) & bone.inside
    points = bone.origin + h * np.argwhere(full)
    body = float(bone.inside.sum()) * h**3 / 1000
    share = float(state.cement_volume[bone.inside].sum()) * h**3 / 1000 / body
    if not len(points):
        return Spread(share, math.inf, (0.0, 0.0), (), ())
    along = depth_share(bone.vertebra, points)
    # Sides and endplates count when more than a grain has reached them.
    sides = tuple(name for name, sign in (("right", 1), ("left", -1)) if (sign * points[:, 0] > h).mean() > 0.1)
    gaps = zip(("upper", "lower"), _plates(bone.vertebra, points), strict=True)
    plates = tuple(name for name, gap in gaps if float(np.percentile(gap, 2)) < 1.5 * h)
    return Spread(share, state.posterior_margin, (float(along.min()), float(along.max())), sides, plates)


def percent(share: float) -> str:
    """Return a share as it is written everywhere in the room: 0.46 is "46 %"."""
    return f"{100 * share:.0f} %"


def words(film: Film) -> str:
    """Return what a careful reader sees on a film, in words: the needles, the balloons, the cement, the leaks."""
    straight = abs(film.orbital - (90 if film.plane == "lateral" else 0)) <= 10
    name = "Lateral" if film.plane == "lateral" else "AP" if straight else "Oblique"
    # Once something flows through the needles, where they stand is settled.
    placing = film.cement is None and film.inflation is None
    said = [_needle_words(film, side, inserted, straight) for side, inserted in film.needles if placing]
    if film.inflated and film.inflation is not None:
        ahead, behind = _ends(film)
        said.append(
            f"The balloons are dark, from {percent(behind)} to {percent(ahead)} of the body's depth."
            if film.plane == "lateral"
            else f"{'Two balloons are' if len(film.inflation.balloons) > 1 else 'One balloon is'} dark in the body."
        )
        said += [f"A balloon has come to the {name}." for name in walls(film.inflation, film.plane)]
    if film.cement is not None:
        said.append(_cement_words(film))
        said += [f"A dark streak lies {PLACES[out]}." for out in visible(film.cement)]
    nothing = "Bone and needles, and nothing else." if film.needles else "Bone, and nothing else."
    return f"{name} picture. {' '.join(said) or nothing}"


def _ends(film: Film) -> tuple[float, float]:
    """Return the front and the back end of the balloons as shares of the body's depth."""
    assert film.inflation is not None
    places = np.concatenate([depth_share(film.vertebra, each.surface()) for each in film.inflation.balloons])
    return float(places.max()), float(places.min())


def _needle_words(film: Film, side: str, inserted: Needle, straight: bool) -> str:
    """Say where a tip lies: on AP against the pedicle's ring, on lateral against posterior and anterior wall."""
    if film.plane == "lateral":
        said = _on_lateral(film.vertebra, side, inserted)
    elif straight:
        said = _on_frontal(film, side, inserted.tip)
    else:
        beam = carm(film).axes[2]
        angle = math.degrees(math.acos(min(1.0, abs(float(inserted.direction @ beam)))))
        said = f"seen {angle:.0f} degrees away from end on"
    return f"{side.capitalize()} needle: {said}."


def _on_lateral(vertebra: Vertebra, side: str, inserted: Needle) -> str:
    tip, pedicle = inserted.tip, vertebra.pedicle(side)
    marks = np.asarray(vertebra.landmarks, dtype=np.float64)
    behind = float(_border(marks[[2, 5]], tip[None])[0] - tip[1])
    share = float(depth_share(vertebra, tip[None])[0])
    where = (
        f"{behind:.0f} mm behind the posterior wall"
        if share < 0
        else f"at {percent(share)} of the body's depth, counted from the posterior wall, {_height(vertebra, tip)}"
        if share <= 1
        else "in front of the body"
    )
    at = tip + inserted.direction * (pedicle.centre[1] - tip[1]) / inserted.direction[1]
    high = float(at[2] - pedicle.centre[2])
    passes = f"{abs(high):.0f} mm {'above' if high > 0 else 'below'}" if abs(high) >= 1 else "through"
    dip = math.degrees(math.asin(-float(inserted.direction[2])))
    slope = "level" if abs(dip) < 2 else f"{abs(dip):.0f} degrees {'down' if dip > 0 else 'up'} to the front"
    return f"tip {where}; its line passes {passes} the middle of the pedicle and runs {slope}"


def _on_frontal(film: Film, side: str, tip: FloatArray) -> str:
    view, pedicle = carm(film), film.vertebra.pedicle(side)
    # On the picture, in mm of the pedicle: both are projected, so that parallax is in it.
    centre, point = view.project(np.array([pedicle.centre, tip]))
    across, up = (
        float(part) for part in (point - centre) * (view.pixel / view.magnification(pedicle.centre)) * [1, -1]
    )
    outward = across * (-1 if side == "right" else 1)
    half, tall = pedicle.width / 2, pedicle.height / 2
    ring = (
        f"{-outward - half:.0f} mm inside the ring's medial border, towards the midline"
        if outward < -half
        else f"{outward - half:.0f} mm outside the ring's lateral border"
        if outward > half
        else f"{abs(up) - tall:.0f} mm {'above' if up > 0 else 'below'} the ring of the pedicle"
        if abs(up) > tall
        else "in the ring of the pedicle"
    )
    offsets = ((outward, "laterally" if outward > 0 else "medially"), (up, "up" if up > 0 else "down"))
    place = [f"{abs(mm):.0f} mm {name}" for mm, name in offsets if abs(mm) >= 0.75]
    return f"tip {ring}{'; from the middle of the ring ' + ' and '.join(place) if place else ', in its middle'}"


def _plates(vertebra: Vertebra, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far points (n, 3) lie below the upper and above the lower endplate as a lateral film shows them."""
    marks = np.asarray(vertebra.landmarks, dtype=np.float64)
    below = np.interp(points[:, 1], marks[2::-1, 1], marks[2::-1, 2]) - points[:, 2]
    above = points[:, 2] - np.interp(points[:, 1], marks[:2:-1, 1], marks[:2:-1, 2])
    return below, above


def _height(vertebra: Vertebra, tip: FloatArray) -> str:
    below, above = (float(gap[0]) for gap in _plates(vertebra, tip[None]))
    name, gap = ("upper", below) if below < above else ("lower", above)
    if gap < 0:
        return f"beyond the {name} endplate"
    return f"{gap:.0f} mm {'below' if name == 'upper' else 'above'} the {name} endplate"


def _cement_words(film: Film) -> str:
    assert film.cement is not None
    found = spread(film.cement)
    if not math.isfinite(found.margin):
        return "No cement is seen yet."
    plates = f", up to the {' and the '.join(found.endplates)} endplate" if found.endplates else ""
    if film.plane == "lateral":
        low, high = (min(max(share, 0.0), 1.0) for share in found.depth)
        wall = f"{found.margin:.0f} mm from the posterior wall" if found.margin > 0.5 else "at the posterior wall"
        return f"Cement from {percent(low)} to {percent(high)} of the body's depth, {wall}{plates}."
    sides = "on both sides of the midline" if len(found.sides) > 1 else f"on the patient's {''.join(found.sides)}"
    return f"Cement {sides}{plates}." if found.sides else f"Cement in the midline{plates}."


def stop_signs(found: balloons.Inflation) -> tuple[str, ...]:
    """Return the signs at which inflation ends that gauge, syringe and height tell, in plain words."""
    told = found.limits[: len(found.limits) - len(found.contacts)]
    return (*told, "The lost height is back.") if found.regained > 0.95 else told


def walls(found: balloons.Inflation | None, plane: str) -> tuple[str, ...]:
    """Return the walls, not the endplates, that a film of this plane shows a balloon at: a stop sign.

    The side walls are seen from the front, the anterior and the posterior wall from the side.
    """
    return tuple(name for name in found.contacts if name in WALLS_SEEN[plane]) if found else ()


def shape_of(vertebra: Vertebra) -> dict[str, float]:
    """Return heights (mm) and the wedge angle (degrees) of a vertebra as a reader measures them."""
    marks = np.asarray(vertebra.landmarks, dtype=np.float64)
    points = SixPoints.from_array(marks[:, 1:])
    return {
        "anterior": points.heights.anterior,
        "middle": points.heights.middle,
        "posterior": points.heights.posterior,
        "wedge": vertebral_kyphosis(points),
    }


def cavity_volume(room: Room) -> float:
    """Return the volume of the cavities that the balloons have left, mL."""
    return sum(cavity.volume for cavity in room.inflation.cavities) if room.inflation else 0.0


# --- what comes next -------------------------------------------------------------------------------------------------


def next_step(room: Room) -> str:
    """Return what a teacher beside the student would say now; he knows no more than the films and gauges show."""
    if room.stage == "patient":
        return "Read the chart: does anything forbid cement? Then treat, or say why not."
    told = {"needle": _next_needle, "balloon": _next_balloon, "cement": _next_cement}
    return told[room.stage](room) if room.stage in told else ""


def _next_needle(room: Room) -> str:
    if {film.plane for film in room.films} != set(PLANES):
        return "Take both pictures first. On AP find the pedicle's ring, on lateral the posterior wall."
    two = room.procedure == "kyphoplasty"
    if room.path.depth == DOCK:
        # Along the pedicle's own axis a balloon ends beside the side wall and has to stop early.
        turn = (
            " Turn it a little more to the midline than the pedicle runs: a balloon near a side wall must stop early."
            if two
            else " Then advance it."
        )
        return (
            "Set the needle with the sliders, then look: its tip in the pedicle's ring on AP, pointing through the "
            f"pedicle's middle on lateral.{turn}"
        )
    goal = "about four fifths" if two else "half to four fifths"
    lone = two and sum(path.depth > DOCK for path in room.paths) == 1
    last = next(film for film in reversed(room.films) if film.plane == "lateral")
    seen = dict(last.needles).get(room.side)
    if seen is not None and not two_views(seen, room.case.vertebra, room.side).safe:
        return (
            "The pictures show the tip across the ring's medial border before the posterior wall: that way lies the "
            "canal. Draw back to the surface and aim anew."
        )
    share = float(depth_share(room.case.vertebra, seen.tip[None])[0]) if seen is not None else 0.0
    if share > 0.95:
        return "The lateral picture shows the tip at the front wall or beyond: draw it back."
    if share >= (0.75 if two else 0.5):
        other = next(side for side in SIDES if side != room.side)
        then = (
            "The stylet may come out."
            if not two
            else "Now the other side: two balloons lift more evenly."
            if lone
            else "The balloons may go in."
            if _well_for_balloon(room.case.vertebra, last, other)
            else f"The {other} one does not stand well yet: take it in your hand."
        )
        return f"The lateral picture shows the tip of the {room.side} needle in the front part of the body. {then}"
    return (
        "Advance by 2 to 5 mm, then look. On AP stay in the ring until lateral shows the tip past the posterior wall; "
        f"then on to {goal} of the depth.{' Then the other side.' if lone else ''}"
    )


def _well_for_balloon(vertebra: Vertebra, film: Film, side: str) -> bool:
    seen = dict(film.needles).get(side)
    if seen is None or not two_views(seen, vertebra, side).safe:
        return False
    return 0.75 <= float(depth_share(vertebra, seen.tip[None])[0]) <= 0.95


def _next_balloon(room: Room) -> str:
    if room.deflated:
        return "The balloons are out and leave a cavity: go on to cement."
    if not room.balloon:
        return (
            "Choose a balloon that fits. It lies behind the needle's tip: a long one needs a tip far in front. From "
            "here on the needles stay where they are."
        )
    if room.signs or room.wall_seen:
        return "That is a sign to stop: deflate the balloons and take them out."
    return (
        "Inflate a little, then look on both. Stop at the first sign: pressure near its limit, balloon full, height "
        "back, or a wall; side walls are told by AP alone, front and back by lateral alone."
    )


def _next_cement(room: Room) -> str:
    if room.age is None:
        return "Choose a cement and mix it. From then on it ages: first too thin, then a paste, then hard."
    window = CEMENTS[room.cement].window(room.temperature)
    if room.age > window.closes or room.stuck:
        return "The cement is too stiff to inject: stop here."
    if room.leak_seen:
        behind = bones.LEAKS[room.leak_seen] in IN_CANAL
        return (
            "There is cement behind the wall: stop for good."
            if behind
            else "A leak is on the picture: stop, or wait until the cement is thicker and try a little."
        )
    filmed = next((film.cement for film in reversed(room.films) if film.plane == "lateral"), None)
    if filmed is not None and spread(filmed).depth[0] < BACK_QUARTER:
        return "The lateral picture shows cement in the back quarter of the body: stop here."
    if room.volume >= enough(room):
        return "There is as much cement in as was aimed at: stop here."
    if room.age < window.opens:
        return "Too thin still: it would run into veins. Wait until it is a paste."
    what = "the cavity" if room.inflation else "a sixth of the body"
    return (
        "Inject a little, look on lateral, and again. Stop when cement comes into the back quarter, at a leak, or at "
        f"about {enough(room):.1f} mL: {what}."
    )


def enough(room: Room) -> float:
    """Return how much cement is aimed at, mL: the cavity, or a sixth of the body [molloy2003]."""
    if room.inflation:
        return cavity_volume(room)
    bone = bones.bone(room.vertebra, room.case.who.bone_volume)
    return float(bone.inside.sum()) * bone.spacing**3 / 1000 / 6
