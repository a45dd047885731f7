"""Radiographs with known truth: `film_case(seed)` makes one, of the model or of a real patient's spine.

A film is a shadow of a 3-D scene: vertebrae (`vertebra.spine`, or the real CT with one body collapsed by computation),
ribs and the trunk around them. What is true of it, the outlines, the six points, the heights, comes from the same
scene through the same projection; nothing is drawn by hand.

What it does not show: the trunk is an ellipse with two lungs, the ribs are plain bars, there is no beam hardening,
no osteophyte on a model's spine, and the real patient has no fracture: its fractures are computed.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebra.imaging import collapse, ct
from vertebra.imaging.ct import skeleton
from vertebra.imaging.fluoroscopy import Block, CArm, Cloud, attenuation, bone, film, shear_warp, splat
from vertebra.measure import morphometry
from vertebra.spine import shape as deformity
from vertebra.spine.dimensions import LEVELS
from vertebra.spine.shape import Shape
from vertebra.spine.stack import Spine
from vertebra.spine.vertebra import Vertebra

FloatArray = NDArray[np.float64]
Shadow = NDArray[np.float32]

KINDS = ("normal", "wedge", "biconcave", "crush")
READ = LEVELS[LEVELS.index("T9") : LEVELS.index("L3") + 1]  # the levels that a case may be about
PATIENT = ("T10", "T11", "T12", "L1")  # of the real CT: one whole neighbour on either side
PIXELS, PITCH = 420, 0.45  # of a film, and mm from one to the next


@dataclass(frozen=True, eq=False)
class FilmCase:
    """A film and everything that is true of it.

    `view` is "lateral" or "AP", `origin` "model" or "patient", `picture` (rows, columns) uint8. `outlines` holds each
    visible body's outline (n, 2) in pixels (column, row), `marker` the level whose name is printed on the film, `level`
    the vertebra that the case is about, `kind` one of `KINDS`, `mimic` what else it shows ("" if nothing).
    `heights` and `expected` (mm, anterior, middle, posterior; on an AP film the lower side, the middle, the other side)
    are those of `landmarks` (6, 2) in pixels: superior, then inferior, each in that order. `loss` is the largest, with
    its Genant `grade`.
    """

    seed: int
    view: str
    origin: str
    picture: NDArray[np.uint8]
    outlines: dict[str, FloatArray]
    marker: str
    level: str
    kind: str
    mimic: str
    grade: int
    loss: float
    heights: tuple[float, float, float]
    expected: tuple[float, float, float]
    landmarks: FloatArray
    explanation: str

    @property
    def fractured(self) -> bool:
        """Return whether a vertebra on this film is fractured."""
        return self.kind != "normal"

    def png(self) -> bytes:
        """Return the picture as a PNG file."""
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(self.picture).save(file, "PNG", optimize=True)
        return file.getvalue()


# --- what surrounds the spine ----------------------------------------------------------------------------------------

TRUNK = (150.0, 105.0, 38.0)  # half width, half depth and how far in front of the spine its middle lies, mm; drawn
LUNG = (62.0, 80.0, 150.0)  # half axes of a lung, mm; drawn
SHOWN = 0.16  # share of the soft tissue's contrast that is left, as a film's processing evens it out; drawn


def _chord(carm: CArm, centre: FloatArray, half: FloatArray) -> Shadow:
    """Return how many mm of each pixel's ray run inside an ellipsoid; a half axis may be infinite."""
    direction = carm.rays / np.linalg.norm(carm.rays, axis=-1, keepdims=True) / half
    start = (carm.source - centre) / half
    a, b = (direction**2).sum(axis=-1), direction @ start
    inside = b * b - a * (start @ start - 1)
    length: Shadow = (2 * np.sqrt(np.maximum(inside, 0)) / a).astype(np.float32)
    return length


def _soft(carm: CArm, dome: FloatArray, rng: np.random.Generator) -> Shadow:
    """Return the line integrals of trunk, lungs and bowel gas, relative to the middle of the picture.

    `dome` (3,) is where the spine passes the diaphragm, mm.
    """
    half_width, half_depth, forward = TRUNK
    length = _chord(carm, dome + np.array([0.0, forward, 0.0]), np.array([half_width, half_depth, np.inf]))
    for side in (-1, 1):
        centre = dome + np.array([side * 76.0, forward - 8.0, LUNG[2] * 0.8])
        length = length - np.float32(0.8) * _chord(carm, centre, np.array(LUNG))
    gas = ndimage.gaussian_filter(rng.standard_normal(length.shape), 18)
    gas = np.maximum(gas / gas.std(), 0) * 14.0
    rows, columns = length.shape
    mu = attenuation("soft tissue")
    soft: Shadow = ((length - length[rows // 2, columns // 2] - gas) * mu * SHOWN).astype(np.float32)
    return soft


def _ribs(spine: Spine) -> Cloud:
    """Return the ribs of the thoracic vertebrae as points: bars that leave the body behind and run round the trunk."""
    points = []
    for level in spine.levels:
        if not level.startswith("T"):
            continue
        number = int(level[1:])
        end = {12: 0.85, 11: 1.25}.get(number, 1.7)  # radians round the trunk: the twelfth rib is short
        turn = np.linspace(0.26, end, 160)
        x = (TRUNK[0] - 12) * np.sin(turn)
        y = TRUNK[2] - (TRUNK[1] - 14) * np.cos(turn)
        z = 3.0 - 46.0 * (turn - turn[0]) ** 1.15
        line = np.column_stack([x, y, z])
        size = spine.vertebrae[level].dimensions
        head = np.array([size.upper_width / 2 + 1, -size.upper_depth / 2 + 2, size.posterior_height * 0.25])
        neck = np.linspace(0, 1, 24, endpoint=False)[:, None]
        line = np.vstack([head * (1 - neck) + line[0] * neck, line])
        along = np.gradient(line, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        out = np.cross(along, [0.0, 0.0, 1.0])
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        up = np.cross(out, along)
        round_ = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        tube = (
            line[:, None] + 2.6 * np.cos(round_)[:, None] * out[:, None] + 5.2 * np.sin(round_)[:, None] * up[:, None]
        )
        both = np.concatenate([tube.reshape(-1, 3), tube.reshape(-1, 3) * [-1, 1, 1]])
        points.append(spine.poses[level].apply(both))
    if not points:
        return Cloud(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), 1.5)
    every = np.concatenate(points).astype(np.float32)
    shell = attenuation("cortical bone") - attenuation("soft tissue")
    # A ring of 20 points every millimetre or two stands for a thin cortex.
    weight = np.full(len(every), shell * 0.45 * 1.3 * 1.5, dtype=np.float32)
    return Cloud(every, weight, 1.5)


# --- the model's films -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=len(LEVELS) + 4)  # normal ones and the last deformed, up to 9 MB each: the gym is endless
def _voxels(level: str, shape: Shape) -> Block:
    """Return a vertebra as matter; the normal ones come back in film after film."""
    return bone(Vertebra(level, shape).voxels(0.8), bone_volume=0.12)


@dataclass(frozen=True, eq=False)
class _Scene:
    """What a film is taken of: the bone's line integrals for a C-arm, and six points a level for each view.

    `dome` (3,) is where the spine passes the diaphragm; `middle` the height (z) at which a film must be centred to show
    nothing beyond the CT's ends.
    """

    shadow: Callable[[CArm], Shadow]
    points: dict[str, dict[str, FloatArray]]
    dome: FloatArray
    middle: float | None = None


def _across(vertebra: Vertebra) -> FloatArray:
    """Return six points (6, 3) that an AP film shows of a body: superior, then inferior, each right, middle, left.

    Near either side the edge itself; in the middle half way between the bowl and the ring in front of and behind it.
    """
    size = vertebra.dimensions
    side, reach = 0.42 * min(size.upper_width, size.lower_width), 0.38 * size.upper_depth
    z = np.arange(22.0, -22.0, -0.2)
    places = np.array([(side, 0), (0, 0), (0, reach), (0, -reach), (-side, 0)])
    found = []
    for up in (1, -1):
        line = np.stack(np.broadcast_arrays(places[:, :1], places[:, 1:], up * z), axis=-1)
        inside = vertebra.distance(line.reshape(-1, 3)).reshape(len(places), len(z)) < 0
        # From outside inwards: a cleft or a node in the body is not its edge.
        edge = up * z[np.argmax(inside, axis=1)]
        heights = edge[0], (edge[1] + edge[2:4].mean()) / 2, edge[4]
        found += [(x, 0.0, h) for x, h in zip((side, 0.0, -side), heights, strict=True)]
    return np.array(found)


def _model(shapes: dict[str, Shape], level: str) -> _Scene:
    """Return the scene of a model spine around a level."""
    at = LEVELS.index(level)
    spine = Spine(LEVELS[max(at - 4, 0) : at + 4], shapes)
    # The lowest vertebra stands still; turning the whole spine about it would only move it out of the picture.
    blocks = [_voxels(name, spine.shapes.get(name, Shape())).moved(pose) for name, pose in spine.poses.items()]
    ribs = _ribs(spine)

    def shadow(carm: CArm) -> Shadow:
        total = splat(ribs, carm)
        for block in blocks:
            total += shear_warp(block, carm)
        return total

    names = spine.levels
    lateral = {name: spine.landmarks(name) for name in names}
    across = {name: spine.poses[name].apply(_across(spine.vertebrae[name])) for name in names}
    dome = lateral.get("T11", lateral[names[0]]).mean(axis=0)
    return _Scene(shadow, {"lateral": lateral, "AP": across}, dome)


# --- the patient's films ---------------------------------------------------------------------------------------------


@cache
def _patient_across() -> dict[str, FloatArray]:
    """Return six points a level (6, 3) of the real CT for an AP film: superior, inferior, each right, middle, left."""
    found = {}
    for level, points in collapse.patient_landmarks().items():
        field = ct.distance(ct.patient().labels, level)
        frame = ct.body_frame(points)
        x, z = np.arange(-35.0, 35.1, 0.25), np.arange(0.0, 22.0, 0.25)
        waist = field.sample(frame.to_world(np.stack(np.broadcast_arrays(x, 0.0, 0.0), axis=-1)), outside=9.0) < 0
        side = 0.84 * float(np.ptp(x[waist])) / 2
        local = frame.to_local(points)
        edges = []
        for up_or_down in (1, -1):
            for at in (side, -side):
                line = np.stack(np.broadcast_arrays(at, 0.0, up_or_down * z), axis=-1)
                outside = field.sample(frame.to_world(line), outside=9.0) > 0
                edges.append((at, 0.0, up_or_down * float(z[np.argmax(outside)])))
        # The middle as on the lateral film, so that both views tell the same height.
        found[level] = frame.to_world([edges[0], local[1], edges[1], edges[2], local[4], edges[3]])
    return found


def _patient(losses: tuple[float, float, float] | None, level: str, seed: int) -> _Scene:
    """Return the scene of the real CT, with `level` collapsed by three losses if any are given."""
    if losses is None:
        scan = ct.patient()
        points = {"lateral": dict(collapse.patient_landmarks()), "AP": _patient_across()}
    else:
        variant = collapse.collapsed(level, *losses, seed=seed)
        scan = variant.ct
        across = {name: variant.field.forward(at) for name, at in _patient_across().items()}
        points = {"lateral": dict(variant.landmarks), "AP": across}
    dome = points["lateral"]["T11"].mean(axis=0)
    size = np.array(scan.image.data.shape)
    middle = float(scan.image.to_world((size - 1) / 2)[2])
    return _Scene(lambda carm: shear_warp(skeleton(scan, threshold=80), carm), points, dome, middle)


# --- a case ----------------------------------------------------------------------------------------------------------

MIMICS = {
    "Scheuermann's disease": (
        "Scheuermann's disease: the vertebra and both its neighbours grew as wedges, their endplates are uneven and no "
        "cortex is broken or buckled [unreferenced]."
    ),
    "physiological wedge": (
        "A physiological wedge: about the thoracolumbar junction bodies are a little lower in front; the endplates are "
        "smooth, and the neighbours have the same shape [unreferenced]."
    ),
    "Schmorl node": (
        "Schmorl nodes: dents with a sharp edge in the endplates, the heights in front and behind are kept "
        "[unreferenced]."
    ),
    "limbus vertebra": (
        "A limbus vertebra: a small separate corner with a rounded, dense edge in front; the body behind it keeps its "
        "height [unreferenced]."
    ),
    "oblique view": (
        "Parallax: the beam does not run along the endplates, so that each shows twice and the body looks biconcave; "
        "the corners keep their height [unreferenced]."
    ),
}

SHARED = ("Scheuermann's disease", "physiological wedge")  # by both neighbours; one alone would be like a fracture


def _deformed(kind: str, loss: float, view: str, rng: np.random.Generator) -> Shape:
    if kind == "wedge" and view == "AP":
        # Twice as much is lost on the lower side as in the middle; the other side keeps too much for a crush.
        made = deformity.lateral_collapse(loss / 2, str(rng.choice(["left", "right"])))
        return replace(made, posterior=loss / 2, lateral=float(np.copysign(0.85, made.lateral)))
    if kind == "biconcave" and view == "AP":
        loss *= 0.65  # the bowl reaches the sides, which must not become low enough for a crush
    made = {"wedge": deformity.wedge, "biconcave": deformity.biconcave, "crush": deformity.crush}[kind](loss)
    return replace(made, superior_share=float(rng.choice([made.superior_share, 1.0, 0.6])))


def _mimic(name: str, rng: np.random.Generator) -> Shape:
    size = rng.uniform()
    return {
        "Scheuermann's disease": deformity.scheuermann(0.08 + 0.06 * size),
        "physiological wedge": deformity.physiological_wedge(0.04 + 0.05 * size),
        "Schmorl node": deformity.schmorl(3 + 2 * size),
        "limbus vertebra": deformity.limbus(5 + 3 * size),
        "oblique view": Shape(),
    }[name]


def _measured(
    scene: _Scene, normal: _Scene, level: str, view: str
) -> tuple[morphometry.Heights[float], morphometry.Heights[float], FloatArray]:
    """Return the heights of a level, those its neighbours let expect, and its six points (6, 3), lower side first."""
    points = scene.points[view]
    names = [name for name in LEVELS if name in points]
    at = names.index(level)

    def heights(source: _Scene, name: str) -> morphometry.Heights[float]:
        six = source.points[view][name]
        return morphometry.Heights(*np.linalg.norm(six[:3] - six[3:], axis=1).tolist())

    around = names[at - 1], names[at + 1]
    above, below = (heights(normal, name) for name in around)
    ratio = morphometry.level_ratio(heights(normal, level), above, below)
    above, below = (heights(scene, name) for name in around)
    expected = morphometry.reference_heights(above, below, ratio)
    found, six = heights(scene, level), points[level]
    if view == "AP" and found.anterior > found.posterior:
        # On an AP film the lower side stands where the anterior height stands on a lateral one.
        order = [2, 1, 0, 5, 4, 3]
        six = six[order]
        found = morphometry.Heights(found.posterior, found.middle, found.anterior)
        expected = morphometry.Heights(expected.posterior, expected.middle, expected.anterior)
    return found, expected, six


@dataclass(frozen=True)
class _Plan:
    """What a film will be about, before anything is computed."""

    view: str
    origin: str
    fractured: bool
    mimic: str
    level: str


def _plan(rng: np.random.Generator) -> _Plan:
    """Draw what a film is about: about half without a fracture, and half of the model's normal ones a mimic."""
    view = "lateral" if rng.random() < 0.7 else "AP"
    origin = "patient" if rng.random() < 0.35 else "model"
    fractured = bool(rng.random() < 0.5)
    mimic = "" if fractured or origin == "patient" or rng.random() < 0.5 else str(rng.choice(list(MIMICS)))
    levels = ("T11", "T12", "L1") if mimic == "physiological wedge" else READ if origin == "model" else PATIENT
    odds = np.array([2.0 if name in ("T12", "L1") else 1.0 for name in levels])
    level = str(rng.choice(levels, p=odds / odds.sum()))
    return _Plan("lateral" if mimic else view, origin, fractured, mimic, level)


def origin_of(seed: int) -> str:
    """Return what the film of a number is made from, "model" or "patient", without making it."""
    return _plan(np.random.default_rng([20, seed])).origin


def film_case(seed: int) -> FilmCase:
    """Return the film of a number: the same number gives the same film, another one another.

    About half show no fracture, some of those a mimic. A fracture has lost 22 % or more of one height and what is none
    differs by less than 18 %, so that nobody is asked to call what lies next to the limit of 20 %.
    Raises ValueError for a seed that is not a whole number from 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}; a case has a whole number from 0 on")
    seed = int(seed)
    rng = np.random.default_rng([20, seed])
    plan = _plan(rng)
    view, origin, fractured, mimic, level = plan.view, plan.origin, plan.fractured, plan.mimic, plan.level
    normal = _model({}, level) if origin == "model" else _patient(None, level, seed)
    while True:
        kind = str(rng.choice(KINDS[1:]))
        loss = float(rng.uniform(0.23, 0.52))
        if origin == "model":
            shape = _deformed(kind, loss, view, rng) if fractured else _mimic(mimic, rng) if mimic else Shape()
            at = LEVELS.index(level)
            share = LEVELS[at - 1 : at + 2] if mimic in SHARED else (level,)
            scene = _model(dict.fromkeys(share, shape), level)
        elif fractured:
            kind = "crush" if view == "AP" and kind == "wedge" else kind  # the collapse of the real CT has no side
            losses = {"wedge": (loss, 0.6 * loss, 0.02), "biconcave": (0.05, loss, 0.05), "crush": (loss, loss, loss)}
            try:
                scene = _patient(losses[kind], level, seed)
            except ValueError:  # a shape that this bone can't take without folding: draw another
                continue
        else:
            scene = normal
        found, expected, six = _measured(scene, normal, level, view)
        result = morphometry.height_loss(found, expected)
        if result.loss >= 0.22 if fractured else result.loss < 0.18:
            return _taken(seed, rng, plan, scene, found, expected, six, result)


def _taken(
    seed: int,
    rng: np.random.Generator,
    plan: _Plan,
    scene: _Scene,
    found: morphometry.Heights[float],
    expected: morphometry.Heights[float],
    six: FloatArray,
    result: morphometry.HeightLoss,
) -> FilmCase:
    """Take the film of a scene and write down what is true of it."""
    view, level, fractured = plan.view, plan.level, plan.fractured
    carm, picture = _exposed(rng, scene, view, float(six[:, 2].mean()), plan.mimic == "oblique view")
    outlines = _outlines(scene, view, carm)
    ends = [min(outlines, key=LEVELS.index), max(outlines, key=LEVELS.index)]
    return FilmCase(
        seed=seed,
        view=view,
        origin=plan.origin,
        picture=picture,
        outlines=outlines,
        # Whatever the case is about: a name that is never that of the broken body would give one body away as whole.
        marker=str(rng.choice(ends)),
        level=level,
        kind=result.shape if fractured else "normal",
        mimic=plan.mimic,
        grade=result.grade if fractured else 0,
        loss=result.loss,
        heights=(found.anterior, found.middle, found.posterior),
        expected=(expected.anterior, expected.middle, expected.posterior),
        landmarks=carm.project(six),
        explanation=_explained(plan, result),
    )


def _exposed(
    rng: np.random.Generator, scene: _Scene, view: str, height: float, oblique: bool = False
) -> tuple[CArm, NDArray[np.uint8]]:
    """Take a film of a scene, centred within a few cm of a height (z, mm); return the C-arm and the picture."""
    shift = rng.uniform(-40, 40)
    height = height + shift if scene.middle is None else scene.middle + shift / 8
    # Centred on the spine at that height and not on the body in question: its place must not tell which body it is.
    bodies = np.array(sorted((points.mean(axis=0) for points in scene.points[view].values()), key=lambda at: at[2]))
    across, along = (np.interp(height, bodies[:, 2], bodies[:, axis]) for axis in (0, 1))
    centre = np.array([across, along - (14.0 if view == "lateral" else 0.0), height])
    tilt = rng.choice([-1, 1]) * rng.uniform(9, 13) if oblique else rng.normal(0, 1.2)
    carm = CArm(
        orbital=(90.0 if view == "lateral" else 0.0) + float(rng.normal(0, 1.5)),
        tilt=float(tilt),
        source_isocentre=float(rng.uniform(820, 880)),
        isocentre=(float(centre[0]), float(centre[1]), float(centre[2])),
        source_detector=1000.0,
        pixels=PIXELS,
        pixel=PITCH,
    )
    line_integral = scene.shadow(carm) + _soft(carm, scene.dome, rng)
    return carm, film(line_integral, photons=float(rng.uniform(1500, 5000)), seed=int(rng.integers(2**31)))


def _outlines(scene: _Scene, view: str, carm: CArm) -> dict[str, FloatArray]:
    """Return the outline (n, 2) in pixels of each body that lies on the film whole."""
    outlines = {}
    for name, points in scene.points[view].items():
        corners = carm.project(points)
        if (corners > 4).all() and (corners < carm.pixels - 5).all():
            outlines[name] = carm.project(_outline(points))
    return outlines


def film_of(level: str, shapes: Mapping[str, Shape], seed: int = 0) -> tuple[NDArray[np.uint8], dict[str, FloatArray]]:
    """Return a lateral film of the model's spine about a level whose vertebrae have the shapes given by level.

    With the picture (rows, columns) come the outlines (n, 2), in pixels, of the bodies that lie on it whole.
    Raises ValueError for a level the model does not have.
    """
    for name in (level, *shapes):
        if name not in LEVELS:
            raise ValueError(f"there is no level {name!r}; give one of {', '.join(LEVELS)}")
    scene = _model(dict(shapes), level)
    at = scene.points["lateral"][level][:, 2].mean()
    carm, picture = _exposed(np.random.default_rng([21, seed]), scene, "lateral", float(at))
    return picture, _outlines(scene, "lateral", carm)


def _outline(points: FloatArray) -> FloatArray:
    """Return a closed outline (n, 3) through six points: endplates through three points each, walls with a waist."""
    along = np.linspace(0, 1, 9)[:, None]
    plates = [
        2 * (along - 0.5) * (along - 1) * a - 4 * along * (along - 1) * b + 2 * along * (along - 0.5) * c
        for a, b, c in (points[:3], points[3:])
    ]
    inward = (points[[0, 3]].mean(axis=0) - points[[2, 5]].mean(axis=0)) * 0.05
    waist = 4 * along * (1 - along) * inward
    back = points[2] * (1 - along) + points[5] * along + waist
    front = points[3] * (1 - along) + points[0] * along - waist
    closed: FloatArray = np.vstack([plates[0], back[1:-1], plates[1][::-1], front[1:-1]])
    return closed


def _explained(plan: _Plan, result: morphometry.HeightLoss) -> str:
    """Return what there is to see, in two or three sentences."""
    view, level, fractured = plan.view, plan.level, plan.fractured
    made = (
        "The spine is a model."
        if plan.origin == "model"
        else f"The spine is a real patient's CT (LIDC-IDRI-0001, CC BY 3.0). {collapse.NOTE}"
        if fractured
        else "The spine is a real patient's CT (LIDC-IDRI-0001, CC BY 3.0), without a fracture."
    )
    if plan.mimic:
        return f"No fracture at {level}. {MIMICS[plan.mimic]} {made}"
    if not fractured:
        return f"No fracture: every body has the height that its neighbours let expect. {made}"
    how = {
        "wedge": "one wall is lower than the other"
        if view == "AP"
        else "the anterior wall is lower than the posterior",
        "biconcave": "the middle has sunk more than the walls on either side of it",
        "crush": "the whole body is lower, the higher wall too" if view == "AP" else "the posterior wall is lower too",
    }[str(result.shape)]
    # The method of genant1993 is for lateral films; on an AP film this course counts in the same way.
    source = "genant1993" if view == "lateral" else "unreferenced"
    return f"{level} has lost {round(100 * result.loss)}\u00a0% of one height: {how} [{source}]. {made}"
