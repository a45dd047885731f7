"""Build the tasks: films and tables for the questions in which the answer is what the student did.

    python tools/build_tasks.py [NAME ...]

Practice tasks go to `assets/tasks`, graded ones to `quizzes/graded/tasks`, because every copy of the course carries the
assets and a task file holds the table of what each answer leads to. Each setting of a task's controls is one run of
the course's own model; the file says how many there were, and `tests/test_tasks.py` repeats twenty of them.
"""

import base64
import io
import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vertebra.cement.balloon import inflate
from vertebra.cement.bone import bone
from vertebra.cement.flow import Injection, State, inject
from vertebra.imaging.fluoroscopy import CArm, Floats, Scene, automatic_window, film, scene_of_spine
from vertebra.imaging.needle import OUTER_DIAMETER, PEDICLE_ZONE, Needle, aim, breach
from vertebra.spine.dimensions import LEVELS
from vertebra.spine.shape import Shape, wedge
from vertebra.spine.stack import SIDES, Spine
from vertebra.spine.vertebra import Vertebra

ROOT = Path(__file__).parents[1]
PRACTICE, GRADED = ROOT / "assets" / "tasks", ROOT / "quizzes" / "graded" / "tasks"
FORMAT = "vertebra-task/1"
MAKER = "made by tools/build_tasks.py"
PIXELS, FIELD = 288, 84.0  # of a film, and how many mm of the patient it shows across
GREYS = 40  # levels of grey: more only make the noise of the film take more room

# --- films ------------------------------------------------------------------------------------------------------------


def png(picture: NDArray[np.uint8]) -> str:
    """Return a picture (rows, columns) as the data: URI of a grey PNG."""
    coarse = np.round(picture / 255 * (GREYS - 1)).astype(np.uint8)
    image = Image.fromarray(coarse, "P")
    image.putpalette([round(level * 255 / (GREYS - 1)) for level in range(GREYS) for _ in range(3)])
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def carm(spine: Spine, level: str, orbital: float) -> CArm:
    """Return a C-arm centred on a body, tilted so that AP looks along its endplates."""
    pose = spine.poses[level]
    forward = pose.turn([[0.0, 1.0, 0.0]])[0]
    tilt = -np.degrees(np.arctan2(forward[2], forward[1])) if orbital == 0 else 0.0
    x, y, z = pose.apply([[0.0, -8.0, 0.0]])[0]
    arm = CArm(orbital, float(tilt), pixels=PIXELS, isocentre=(float(x), float(y), float(z)))
    magnification = arm.source_detector / arm.source_isocentre
    return CArm(orbital, float(tilt), pixels=PIXELS, isocentre=arm.isocentre, pixel=FIELD * magnification / PIXELS)


def matrix(arm: CArm, spine: Spine, level: str) -> Floats:
    """Return the projection (3, 4) of points in a vertebra's own frame: its rows give column, row and 1, times depth.

    Columns and rows count from the picture's upper left corner, so that a pixel's centre lies at a half.
    """
    across, down, beam = arm.axes
    focal, middle = arm.source_detector / arm.pixel, PIXELS / 2
    camera = np.stack([focal * across + middle * beam, focal * down + middle * beam, beam])
    pose = spine.poses[level]
    moved = np.column_stack([pose.rotation, pose.translation - arm.source])
    return camera @ moved


def views(spine: Spine, level: str, side: str) -> list[dict[str, Any]]:
    """Return the AP and the lateral film of a level, with the projection of each."""
    scene = scene_of_spine(spine, spacing=0.8)
    pedicle = spine.vertebrae[level].pedicle(side)
    hand = "on your left" if side == "right" else "on your right"
    alts = (
        f"AP film centred on {level}, as if the patient faced you: both pedicles of {level} are seen as rings; "
        f"the {side} one is {hand}, {pedicle.width:.0f} mm wide and {pedicle.height:.0f} mm high.",
        f"Lateral film centred on {level}, the front of the spine to the left: the body, the pedicle behind it and the "
        "spinous process.",
    )
    films = []
    for caption, orbital, alt in zip(("AP film", "Lateral film"), (0.0, 90.0), alts, strict=True):
        arm = carm(spine, level, orbital)
        picture = film(scene.projection(arm), photons=12000, seed=len(films))
        films.append(
            {
                "caption": caption,
                "alt": alt,
                "uri": png(picture),
                "width": PIXELS,
                "height": PIXELS,
                "matrix": matrix(arm, spine, level).round(6).tolist(),
                "scale": round(PIXELS / FIELD, 3),
            }
        )
    return films


# --- a needle's path --------------------------------------------------------------------------------------------------

ENTRY_BEHIND = 15.0  # mm from the pedicle's isthmus back to the plane of the entry point
CONTROLS = (
    ("entry", "Entry, lateral of the ring’s centre", "mm", (0, 2, 4, 6, 8, 10), 5),
    ("convergence", "Turn towards the midline", "°", (0, 5, 10, 15, 20, 25), 0),
    ("descent", "Tilt towards the feet", "°", (-10, -5, 0, 5, 10, 15), 2),
    ("depth", "Depth beyond the entry", "mm", (30, 35, 40, 45, 50, 55), 0),
)
SAYS = {
    "canal": "the spinal canal entered by {} mm",
    "medial": "the medial wall of the pedicle broken by {} mm",
    "lateral": "the lateral wall of the pedicle broken by {} mm",
    "superior": "the upper wall of the pedicle broken by {} mm",
    "inferior": "the lower wall of the pedicle broken by {} mm",
    "anterior": "the front or the side of the body broken by {} mm",
    "superior_endplate": "the upper endplate broken by {} mm",
    "inferior_endplate": "the lower endplate broken by {} mm",
    "breach": "",  # the largest of these, for bands; said already
    "tip": "the tip {} % of the way from the posterior to the anterior wall",
}
AP_WORDS = ("lateral to the ring", "over the ring", "between the ring and the midline", "at or beyond the midline")
LATERAL_WORDS = ("behind the posterior wall", "in the back third of the body", "in the middle third of the body",
                 "in the front third of the body", "in front of the body")  # fmt: skip
HEIGHT_WORDS = ("below the lower endplate", "at the lower endplate", "in the lower third of the body",
                "halfway between the endplates", "in the upper third of the body", "at the upper endplate",
                "above the upper endplate")  # fmt: skip


@dataclass(frozen=True)
class NeedleTask:
    """A needle through one pedicle of a vertebra; `graded` says where the file goes."""

    level: str
    side: str
    shape: Shape
    graded: bool = False

    @cached_property
    def spine(self) -> Spine:
        """Return the vertebra between its neighbours."""
        at = LEVELS.index(self.level)
        return Spine(LEVELS[at - 1 : at + 2], {self.level: self.shape})

    def start(self, entry: float) -> Floats:
        """Return the point of entry (3,) in the vertebra's frame: behind the pedicle and `entry` mm to its side."""
        behind = np.array([SIDES[self.side] * entry, -ENTRY_BEHIND, 0.0])
        return self.spine.vertebrae[self.level].pedicle(self.side).centre + behind

    def needle(self, entry: float, convergence: float, descent: float, depth: float) -> Needle:
        """Return the needle for one setting, in the vertebra's frame: angles against the sagittal and axial plane."""
        pedicle = self.spine.vertebrae[self.level].pedicle(self.side)
        own = np.degrees(np.arctan2(-np.sign(pedicle.centre[0]) * pedicle.axis[0], pedicle.axis[1]))
        direction = aim(pedicle, 0.0, convergence=convergence - own, descent=descent).direction
        return Needle(self.start(entry) + depth * direction, direction)

    def measure(self, setting: tuple[float, ...]) -> dict[str, float]:
        """Run the model for one setting: what is breached, mm, the largest of it, and where the tip lies."""
        vertebra, needle = self.spine.vertebrae[self.level], self.needle(*setting)
        found = {name: brief(value) for name, value in asdict(breach(needle, vertebra, self.side)).items()}
        return found | {"breach": max(found.values()), "tip": round(100 * share_of_depth(vertebra, needle.tip))}


def brief(value: float, digits: int = 1) -> float:
    """Return a number to one decimal or more, a whole one without any."""
    rounded = round(float(value), digits)
    return int(rounded) if rounded == int(rounded) else rounded


def share_of_depth(vertebra: Vertebra, point: Floats) -> float:
    """Return how far in front of the posterior wall a point lies, as a share of the body's depth at its height."""
    corners = vertebra.landmarks
    back, front = (
        np.interp(point[2], corners[[low, high], 2], corners[[low, high], 1]) for low, high in ((5, 2), (3, 0))
    )
    return float((point[1] - back) / (front - back))


def clearance(needle: Needle, vertebra: Vertebra, side: str) -> float:
    """Return how much bone is left around the needle from just behind the isthmus to the tip, mm."""
    pedicle = vertebra.pedicle(side)
    wall = needle.wall().reshape(-1, 3)
    within = wall[(wall - pedicle.centre) @ pedicle.axis >= -PEDICLE_ZONE]
    return -float(vertebra.bone_distance(within).max())


def height_between_endplates(vertebra: Vertebra, point: Floats, radius: float) -> int:
    """Return where a tip lies between the endplates, from below upwards: an index into HEIGHT_WORDS.

    An endplate is the line through its three landmarks, and a tip is at it when the needle's wall touches it.
    """
    corners = vertebra.landmarks
    low, high = (np.interp(point[1], corners[line, 1], corners[line, 2]) for line in ([5, 4, 3], [2, 1, 0]))
    inner = np.linspace(low, high, 4)[1:3]
    return int(np.searchsorted([low - radius, low + radius, *inner, high - radius, high + radius], point[2]))


def seen(task: NeedleTask, films: list[dict[str, Any]], settings: list[tuple[float, ...]]) -> list[dict[str, Any]]:
    """Say of every setting what the films show of the tip, for those who cannot see it: an index into words."""
    vertebra = task.spine.vertebrae[task.level]
    pedicle = vertebra.pedicle(task.side)
    needles = [task.needle(*setting) for setting in settings]
    tips = np.array([needle.tip for needle in needles])
    ap = np.array(films[0]["matrix"])

    def inward(points: Floats) -> Floats:
        # On AP the patient's right is on the left, so from a right pedicle the midline lies to larger columns.
        column: Floats = (ap[0, :3] @ points.T + ap[0, 3]) / (ap[2, :3] @ points.T + ap[2, 3])
        return SIDES[task.side] * column

    across = pedicle.width / 2 * np.array([pedicle.axis[1], -pedicle.axis[0], 0.0])
    ring = sorted(inward(pedicle.centre + np.outer([-1, 1], across)))
    places = np.searchsorted([*ring, inward(np.zeros((1, 3)))[0]], inward(tips), side="right")
    depths = np.searchsorted([0, 1 / 3, 2 / 3, 1], [share_of_depth(vertebra, tip) for tip in tips])
    heights = [height_between_endplates(vertebra, needle.tip, needle.radius) for needle in needles]
    found = (
        (films[0]["caption"], AP_WORDS, places),
        (films[1]["caption"], LATERAL_WORDS, depths),
        (f"{films[1]['caption']}, height", HEIGHT_WORDS, heights),
    )
    return [
        {"caption": caption, "words": list(words), "at": "".join(str(int(place)) for place in at)}
        for caption, words, at in found
    ]


def build_needle(task: NeedleTask) -> dict[str, Any]:
    """Return the task file of a needle: every setting is one run."""
    spine = task.spine
    vertebra = spine.vertebrae[task.level]
    entries, turns, dips, depths = (values for *_, values, _ in CONTROLS)
    settings = list(itertools.product(entries, turns, dips, depths))
    runs = [task.measure(setting) for setting in settings]
    # The example that feedback shows: bone on all sides, the tip in front of the middle and near the midline.
    good = [i for i, run in enumerate(runs) if run["breach"] == 0 and 60 <= run["tip"] <= 80]
    best = max(good, key=lambda i: clearance(task.needle(*settings[i]), vertebra, task.side))
    films = views(spine, task.level, task.side)
    directions = [[task.needle(0, turn, dip, 0).direction.round(6).tolist() for dip in dips] for turn in turns]
    return {
        "format": FORMAT,
        "kind": "needle_path",
        "note": "Computed films of a model vertebra, without ribs, bowel or muscle. The needle is a straight 11G rod; "
        "what it breaks is measured on the same model. No patient’s bone is as even.",
        "about": f"{task.level}, {task.side} pedicle; {MAKER}",
        "runs": len(settings),
        "films": films,
        "controls": [
            {"id": name, "label": label, "unit": unit, "values": list(values), "start": values[start]}
            for name, label, unit, values, start in CONTROLS
        ],
        "needle": {
            "entries": [task.start(entry).round(3).tolist() for entry in entries],
            "directions": directions,
            "radius": OUTER_DIAMETER["11G"] / 2,
            "behind": 45,
        },
        "seen": seen(task, films, settings),
        "measures": [{"id": name, "says": says, "values": [run[name] for run in runs]} for name, says in SAYS.items()],
        "example": dict(zip((name for name, *_ in CONTROLS), settings[best], strict=True)),
    }


# --- when to stop -----------------------------------------------------------------------------------------------------

SPREAD = {
    "volume": "{} mL of cement injected",
    "posterior": "{} % of the body’s depth free of cement in front of the posterior wall",
    "behind": "{} mL of cement behind the posterior wall",
    "outside": "",  # the same and what went elsewhere, for bands
    "overfill": "{} mL more than the cavities hold",
}
QUARTER = 25.0  # % of the body’s depth: from here on cement is too near the canal
SPECK = 0.006  # mL behind the posterior wall that are just seen on these films; found by looking at them


@dataclass(frozen=True)
class StopTask:
    """Cement injected step by step through needles with these `tips` (mm); with a balloon's volume, a kyphoplasty."""

    level: str
    shape: Shape
    tips: tuple[tuple[float, float, float], ...]
    step: float = 0.5
    films: int = 9
    balloon: float = 0.0
    bone_volume: float = 0.07
    spacing: float = 1.7
    graded: bool = False

    @cached_property
    def states(self) -> tuple[State, ...]:
        """Return the cement at each film, and so run the model once."""
        vertebra, cavities = Vertebra(self.level, self.shape), ()
        if self.balloon:
            inflated = inflate(vertebra, self.tips, self.balloon, bone_volume=self.bone_volume)
            vertebra, cavities = inflated.settled, inflated.cavities
        body = bone(vertebra, self.bone_volume, self.spacing)
        steps = self.films - 1
        return inject(body, Injection(self.tips), self.step * steps, steps, cavities)

    def measure(self, state: State) -> dict[str, float]:
        """Return what a film is marked by."""
        corners = state.bone.vertebra.landmarks
        depth = float((corners[[0, 3], 1] - corners[[2, 5], 1]).mean())
        leaks = state.leaks
        room = sum(cavity.volume for cavity in state.cavities)
        return {
            "volume": brief(state.volume, 2),
            "posterior": brief(100 * min(state.posterior_margin / depth, 1)),
            "behind": brief(leaks["basivertebral vein"] + leaks.get("posterior wall defect", 0.0), 3),
            "outside": brief(sum(leaks.values()), 3),
            "overfill": brief(max(0.0, state.volume - room) if room else 0.0, 1),
        }


def shown(run: Mapping[str, float]) -> str:
    """Say what a film shows, for those who cannot see it."""
    if not run["volume"]:
        return "Lateral film of the broken body between its neighbours, front to the left, before any cement."
    places = (
        (67, "the front third of the body"),
        (33, "the middle third of the body"),
        (QUARTER, "the back third of the body, not yet in its posterior quarter"),
    )
    place = next((words for least, words in places if run["posterior"] >= least), "the posterior quarter of the body")
    speck = "a dark speck lies" if run["behind"] >= SPECK - 0.001 else "nothing is seen"
    edge = f"the back edge of the dark cement lies in {place}"
    return f"Lateral film: {edge}; {speck} behind the posterior wall."


def quarter(vertebra: Vertebra, camera: Floats) -> list[list[float]]:
    """Return the ends, on a film, of the line that divides the posterior quarter of the body off."""
    corners = vertebra.landmarks
    ends = corners[[2, 5]] + QUARTER / 100 * (corners[[0, 3]] - corners[[2, 5]])
    across, down, depth = camera @ np.column_stack([ends, np.ones(2)]).T
    return np.column_stack([across / depth, down / depth]).round(1).tolist()


def build_stop(task: StopTask) -> dict[str, Any]:
    """Return the task file of a stop decision: one lateral film after each step of one run."""
    states = task.states
    vertebra = states[0].bone.vertebra
    at = LEVELS.index(task.level)
    spine = Spine(LEVELS[at - 1 : at + 2], {task.level: vertebra.shape})
    arm = carm(spine, task.level, 90.0)
    scene = scene_of_spine(spine, spacing=0.8, bone_volume=task.bone_volume)
    bones = scene.projection(arm)
    window = automatic_window(bones)
    runs = [task.measure(state) for state in states]
    films = []
    for i, (state, run) in enumerate(zip(states, runs, strict=True)):
        cement = state.block().moved(spine.poses[task.level])
        shadow = bones + Scene((cement,)).projection(arm)
        films.append(
            {
                "caption": f"{run['volume']:g} mL of cement",
                "alt": shown(run),
                "uri": png(film(shadow, window=window, look="fluoro", photons=20000, seed=i)),
                "width": PIXELS,
                "height": PIXELS,
            }
        )
    return {
        "format": FORMAT,
        "kind": "stop_decision",
        "note": "Computed films of a model vertebra, the needles left out. Cement flows as the course’s model says; "
        "how early it shows itself outside the bone differs from patient to patient.",
        "about": f"{task.level}, {'balloon kyphoplasty' if task.balloon else 'vertebroplasty'}; {MAKER}",
        "runs": len(states),
        "films": films,
        "controls": [{"id": "frame", "label": "Film", "unit": "", "values": list(range(len(states))), "start": 0}],
        "step": f"{task.step:g} mL",
        # Drawn by the feedback only.
        "line": {
            "ends": quarter(vertebra, matrix(arm, spine, task.level)),
            "says": "where the posterior quarter begins",
        },
        "measures": [
            {"id": name, "says": says, "values": [run[name] for run in runs]}
            for name, says in SPREAD.items()
            if any(run[name] for run in runs)
        ],
        # The last film before cement enters the posterior quarter or is plainly seen behind the wall.
        "example": {"frame": max(i for i, r in enumerate(runs) if r["posterior"] >= QUARTER and r["behind"] <= SPECK)},
    }


# --- all of them ------------------------------------------------------------------------------------------------------

TASKS: Mapping[str, NeedleTask | StopTask] = {
    "needle_l1_left": NeedleTask("L1", "left", wedge(0.25)),
    "needle_t12_right": NeedleTask("T12", "right", wedge(0.3)),
    "needle_l2_right": NeedleTask("L2", "right", wedge(0.2), graded=True),
    "stop_l1_vertebroplasty": StopTask("L1", wedge(0.25), ((-9.5, 1.0, -3.0),), films=11),
    "stop_t12_kyphoplasty": StopTask("T12", wedge(0.3), ((-7.0, 4.0, -3.0), (7.0, 4.0, -3.0)), 0.75, balloon=4.0),
    "stop_l2_vertebroplasty": StopTask("L2", wedge(0.2), ((3.0, 3.0, -2.0),), graded=True),
}


def place(name: str) -> Path:
    """Return where a task file is kept."""
    return (GRADED if TASKS[name].graded else PRACTICE) / f"{name}.json"


def text(task: Mapping[str, Any]) -> str:
    """Return the text of a task file: one line for each of its parts."""
    return "{\n" + ",\n".join(_lines(task)) + "\n}\n"


def _lines(task: Mapping[str, Any]) -> Iterator[str]:
    for name, part in task.items():
        if isinstance(part, list):
            rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in part)
            yield f"{json.dumps(name)}: [\n{rows}\n]"
        else:
            yield f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}"


def main(names: list[str]) -> None:
    for name in names or TASKS:
        task = TASKS[name]
        made = text(build_needle(task) if isinstance(task, NeedleTask) else build_stop(task))
        place(name).parent.mkdir(parents=True, exist_ok=True)
        place(name).write_text(made, encoding="utf-8", newline="\n")
        print(f"{place(name).relative_to(ROOT)}: {len(made.encode()) / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
