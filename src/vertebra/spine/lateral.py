"""Three vertebrae of `vertebra.spine.vertebra` in lateral view, the middle one deformable, its landmarks known.

Frame: mm, x anterior, y cranial. A vertebra's own frame has its origin at the body's centre and keeps it when the body
collapses; the vertebra below the deformable one is fixed, each vertebra above stands on the endplate beneath it, so a
wedge tilts all that is above it. What is drawn is the model: bodies cut in the midsagittal plane, arches in silhouette.

While a slider moves, the browser half of the workbench (`workbench.js`) draws the fractured body from its six points,
with the same landmarks; the cut through the model follows when the slider rests. A test holds the two together.
"""

import html
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from vertebra.spine.dimensions import dimensions
from vertebra.spine.shape import Shape
from vertebra.spine.vertebra import Vertebra, quadratic

FloatArray = NDArray[np.float64]

LEVELS = ("T12", "L1", "L2")
STEP_MM = 0.4  # of the grid that the model is cut on; the cut itself is interpolated between its points
RIM = np.linspace(-1.0, 1.0, 17)  # places along an endplate, posterior to anterior


@cache
def corners(level: str) -> tuple[float, float, float, float]:
    """Return x of a normal body's corners: superior anterior and posterior, inferior anterior and posterior, mm."""
    front, back, low_front, low_back = Vertebra(level).landmarks[[0, 2, 3, 5], 1].tolist()
    return front, back, low_front, low_back


@dataclass(frozen=True)
class Body:
    """A vertebral body in its own frame.

    `superior` and `inferior`: endplates (17, 2), posterior to anterior, parabolas through the landmarks.
    `landmarks`: (6, 2), superior then inferior, each anterior, middle, posterior.
    """

    superior: FloatArray
    inferior: FloatArray
    landmarks: FloatArray


def body(level: str, shape: Shape | None = None) -> Body:
    """Return one vertebral body, deformed by `shape` (normal without). Raises ValueError for an unknown level."""
    shape = shape or Shape()
    front, back, low_front, low_back = corners(level)
    anterior, middle, posterior = dimensions()[level].heights
    height = quadratic(posterior, middle, anterior, RIM)
    loss = quadratic(shape.posterior * posterior, shape.middle * middle, shape.anterior * anterior, RIM)
    along = (RIM + 1) / 2
    superior = np.column_stack([back + along * (front - back), height / 2 - shape.superior_share * loss])
    inferior = np.column_stack(
        [low_back + along * (low_front - low_back), -height / 2 + (1 - shape.superior_share) * loss]
    )
    middle_of = len(RIM) // 2
    landmarks = np.array([end[i] for end in (superior, inferior) for i in (-1, middle_of, 0)])
    return Body(superior, inferior, landmarks)


@lru_cache(maxsize=256)
def outline(level: str, shape: Shape) -> FloatArray:
    """Return the contour (n, 2) of a body cut in the midsagittal plane of the model, closed, in its own frame.

    Of a shape that the model cannot take, all but the whole middle height lost, it is the contour of `body`.
    """
    from contourpy import contour_generator

    vertebra = Vertebra(level, shape)
    try:
        vertebra.landmarks  # noqa: B018  (fits the model, or says that it cannot be)
    except ValueError:
        drawn = body(level, shape)
        polygon = np.vstack([drawn.superior, drawn.inferior[::-1], drawn.superior[:1]])
        polygon.flags.writeable = False
        return polygon
    x, y = np.arange(-34.0, 25.0, STEP_MM), np.arange(-24.0, 24.0, STEP_MM)
    plane = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    cut = vertebra.distance(np.column_stack([np.zeros(len(plane)), plane])).reshape(len(y), len(x))
    lines = contour_generator(x, y, cut).lines(0.0)
    # In the midline body and spinous process are apart; the body is the largest piece, a cleft in it a smaller one.
    whole: FloatArray = max((np.asarray(line) for line in lines), key=lambda line: float(np.ptp(line, axis=0).prod()))
    whole = thinned(whole)
    whole.flags.writeable = False
    return whole


@cache
def silhouette(level: str) -> tuple[FloatArray, ...]:
    """Return the outer contours ((n, 2), ...) of a vertebra's pedicles, arch and processes seen from the side."""
    from contourpy import contour_generator

    voxels = Vertebra(level).voxels(0.8)
    y, z = (voxels.origin[axis] + voxels.spacing * np.arange(voxels.cortical.shape[axis]) for axis in (1, 2))
    seen = (voxels.cortical + voxels.trabecular).max(axis=0)
    # The pedicles begin a little inside the body, which is drawn over them.
    seen[y > corners(level)[1] + 3.0] = 0
    lines = contour_generator(y, z, np.minimum(seen, 1).T).lines(0.5)
    found = tuple(thinned(np.asarray(line)) for line in lines if len(line) > 12)
    for line in found:
        line.flags.writeable = False
    return found


def thinned(line: FloatArray) -> FloatArray:
    """Return a closed line without the points that lie within 0.03 mm of the chord of their neighbours."""
    keep = [0]
    for i in range(1, len(line) - 1):
        start, end = line[keep[-1]], line[i + 1]
        run = end - start
        between = line[keep[-1] + 1 : i + 1] - start
        off = np.abs(run[0] * between[:, 1] - run[1] * between[:, 0]) / max(float(np.hypot(*run)), 1e-9)
        if off.max() > 0.03:
            keep.append(i)
    return line[keep]


@dataclass(frozen=True)
class Pose:
    """A turn by `angle` (radians, counter-clockwise) and then a shift by (x, y) mm."""

    angle: float = 0.0
    x: float = 0.0
    y: float = 0.0

    def apply(self, points: FloatArray) -> FloatArray:
        """Return the points (n, 2) moved."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        moved: FloatArray = points @ np.array([[c, s], [-s, c]]) + [self.x, self.y]
        return moved


def _chord(endplate: FloatArray) -> tuple[FloatArray, float]:
    """Return the middle of an endplate's chord and its angle (radians)."""
    run = endplate[-1] - endplate[0]
    return (endplate[0] + endplate[-1]) / 2, float(np.arctan2(run[1], run[0]))


def stand_on(upper: Body, lower: Body, lower_pose: Pose, disc: float) -> Pose:
    """Return the pose that sets one vertebra's inferior endplate parallel to the endplate beneath it, one disc away."""
    base, base_angle = _chord(lower_pose.apply(lower.superior))
    foot, foot_angle = _chord(upper.inferior)
    angle = base_angle - foot_angle
    target = base + disc * np.array([-np.sin(base_angle), np.cos(base_angle)])
    shift = target - Pose(angle).apply(foot[None])[0]
    return Pose(angle, float(shift[0]), float(shift[1]))


@dataclass(frozen=True)
class Lateral:
    """The three vertebrae, T12, L1 and L2: bodies in their own frames, where each stands, and the shape of L1."""

    bodies: dict[str, Body]
    poses: dict[str, Pose]
    shape: Shape

    def outline(self, level: str) -> FloatArray:
        """Return the contour (n, 2) of a body cut in the midsagittal plane, in its own frame."""
        return outline(level, self.shape if level == "L1" else Shape())

    def landmarks(self, level: str) -> FloatArray:
        """Return a vertebra's six landmarks (6, 2) in the common frame, mm."""
        return self.poses[level].apply(self.bodies[level].landmarks)


def lateral(shape: Shape, tilt: float = 0.0) -> Lateral:
    """Return the three vertebrae with L1 deformed; `tilt` (radians) turns the whole spine about L2's centre."""
    table = dimensions()
    bodies = {level: body(level, shape if level == "L1" else None) for level in LEVELS}
    poses = {"L2": Pose(tilt)}
    for upper, lower in (("L1", "L2"), ("T12", "L1")):
        poses[upper] = stand_on(bodies[upper], bodies[lower], poses[lower], table[upper].disc_below)
    return Lateral(bodies, poses, shape)


def random_shape(rng: np.random.Generator) -> Shape:
    """Return a case for measuring: normal, wedge, biconcave or crush in equal parts, loss 10-55 %."""
    loss, rest = rng.uniform(0.10, 0.55), rng.uniform(0.0, 0.10, size=3)
    losses = [
        (rest[0], rest[0], 0.0),
        (loss, loss * 0.6, rest[1] / 2),
        (rest[0], loss, rest[1]),
        (loss, loss + rest[2], loss * 0.9),
    ]
    anterior, middle, posterior = map(float, losses[rng.integers(4)])
    return Shape(anterior, middle, posterior, superior_share=float(rng.choice([0.5, 0.8, 1.0])))


# --- the picture -----------------------------------------------------------------------------------------------------

SAC = np.array([-9.0, 0.0])
VIEW = (-42.0, -88.0, 121.0, 117.0)  # x, y, width, height of the picture in screen mm (x posterior, y caudal)


def path(points: FloatArray, closed: bool = True) -> str:
    """Return an SVG path through points (n, 2), to 0.01 mm. The screen's x runs posteriorly and its y caudally."""
    # Adding zero turns -0.0 into 0.0, so that the text is the same on every machine.
    screen = np.round(-points, 2) + 0.0
    return "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in screen) + ("Z" if closed else "")


def transform(pose: Pose) -> str:
    """Return the SVG transform of a pose; the screen is turned by half a turn, so the angle keeps its sign."""
    return f"translate({-pose.x:.3f} {-pose.y:.3f}) rotate({np.degrees(pose.angle):.3f})"


def disc_outline(scene: Lateral, upper: str) -> FloatArray:
    """Return the disc under a vertebra (36, 2): the two endplates that bound it, with a bulging front and back."""
    lower = LEVELS[LEVELS.index(upper) + 1]
    top = scene.poses[upper].apply(scene.bodies[upper].inferior)
    floor = scene.poses[lower].apply(scene.bodies[lower].superior)
    front = (top[-1] + floor[-1]) / 2 + [1.0, 0.0]
    back = (top[0] + floor[0]) / 2 - [1.0, 0.0]
    return np.vstack([top, front, floor[::-1], back])


def canal(scene: Lateral) -> FloatArray:
    """Return the middle line of the thecal sac (8, 2): behind the corners of each posterior wall, ends drawn on."""
    corners = [scene.landmarks(level)[i] + SAC for level in LEVELS for i in (2, 5)]
    line = np.array(corners)
    return np.vstack([line[0] + 2 * (line[0] - line[1]), line, line[-1] + 2 * (line[-1] - line[-2])])


def arch_shift(scene: Lateral, level: str) -> float:
    """Return how far the posterior elements move up (mm): the pedicle stays at three quarters of its wall's height."""
    top, foot = scene.bodies[level].landmarks[[2, 5], 1]
    return float(foot + 0.75 * (top - foot) - dimensions()[level].posterior_height / 4)


def arch(level: str) -> str:
    """Return the SVG path of a vertebra's posterior elements in its own frame."""
    return "".join(path(line) for line in silhouette(level))


def parts(scene: Lateral) -> dict[str, str]:
    """Return what moves in the picture, path data and transforms by the data-part they have in `draw`."""
    moving: dict[str, str] = {}
    for level in LEVELS:
        moving[f"{level}-pose"] = transform(scene.poses[level])
        moving[f"{level}-arch"] = f"translate(0 {-arch_shift(scene, level):.3f})"
        moving[f"{level}-body"] = path(scene.outline(level))
        x, y = scene.landmarks(level).mean(axis=0)
        moving[f"{level}-label"] = f"translate({-x:.2f} {-y:.2f})"
    for upper in LEVELS[:-1]:
        moving[f"{upper}-disc"] = path(disc_outline(scene, upper))
    moving["sac"] = path(canal(scene), closed=False)
    for i, name in enumerate(("anterior", "middle", "posterior")):
        moving[f"{name}-height"] = path(scene.landmarks("L1")[[i, i + 3]], closed=False)
    return moving


def draw(shape: Shape, description: str) -> str:
    """Return the lateral view as a self-contained SVG; `description` is its text alternative."""
    moving = parts(lateral(shape))
    whole = lateral(Shape())
    ghost = path(whole.poses["L1"].apply(whole.outline("L1")))
    said = html.escape(description, quote=True)
    x, y, width, height = VIEW
    vertebrae = [
        f'<g data-part="{level}-pose" transform="{moving[f"{level}-pose"]}">'
        f'<path data-part="{level}-arch" class="w-arch" transform="{moving[f"{level}-arch"]}" d="{arch(level)}"/>'
        f'<path data-part="{level}-body" class="w-body" d="{moving[f"{level}-body"]}"/></g>'
        for level in ("L2", "T12", "L1")
    ]
    labels = [
        f'<text data-part="{level}-label" class="w-label" transform="{moving[f"{level}-label"]}" x="-8" y="1.8">'
        f"{level}</text>"
        for level in LEVELS
    ]
    heights = ("anterior-height", "middle-height", "posterior-height")
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:g} {y:g} {width:g} {height:g}" role="img" ',
            f'aria-label="{said}"><style>{STYLE}</style>{FILM}',
            f'<rect class="w-paper" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>',
            f'<path data-part="sac" class="w-sac" d="{moving["sac"]}"/>',
            *[
                f'<path data-part="{upper}-disc" class="w-disc" d="{moving[f"{upper}-disc"]}"/>'
                for upper in LEVELS[:-1]
            ],
            *vertebrae,
            f'<path class="w-ghost" d="{ghost}"/>',
            *[f'<path data-part="{name}" class="w-height" d="{moving[name]}"/>' for name in heights],
            *labels,
            f'<rect class="w-grain" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>',
            f'<text class="w-side" x="{x + 2:g}" y="{y + height - 3:g}">anterior</text>',
            f'<text class="w-side w-end" x="{x + width - 2:g}" y="{y + height - 3:g}">posterior</text>',
            f'<g transform="translate({x + 30:g} {y + height - 4.2:g})">',
            '<path class="w-scale" d="M0,0h10M0,-1v2M10,-1v2"/>',
            '<text class="w-side" x="12" y="1.2">10 mm</text></g></svg>',
        ]
    )


STYLE = (
    ".w-paper{fill:var(--vt-paper,#fff)}"
    ".w-body,.w-arch{fill:var(--vt-bone,#efe3c8);stroke:var(--vt-bone-edge,#6d5c3d);stroke-width:.7;stroke-linejoin:round}"
    ".w-arch{stroke-width:.5;fill-opacity:.72}"
    ".w-disc{fill:var(--vt-disc,#b9d6e6);stroke:none}"
    ".w-sac{fill:none;stroke:var(--vt-sac,#f3d98b);stroke-width:13;stroke-linejoin:round;opacity:.7}"
    ".w-ghost{fill:none;stroke:var(--vt-soft,#4d5a68);stroke-width:.45;stroke-dasharray:1.6 1.2}"
    ".w-height{fill:none;stroke:var(--vt-accent,#00619e);stroke-width:.6}"
    ".w-label{font:600 5px system-ui,sans-serif;text-anchor:middle;fill:#4a3d22}"
    ".w-side{font:3.4px system-ui,sans-serif;fill:var(--vt-soft,#4d5a68)}.w-end{text-anchor:end}"
    ".w-scale{fill:none;stroke:var(--vt-soft,#4d5a68);stroke-width:.5}.w-grain{display:none}"
    ".w-film .w-paper{fill:#0a0c0e}"
    ".w-film .w-grain{display:block;filter:var(--w-grain,url(#w-grain));pointer-events:none}"
    ".w-film .w-body{fill:#8d949a;fill-opacity:.62;stroke:#f2f5f7;stroke-width:1.5;stroke-opacity:.85;"
    "filter:var(--w-unsharp,url(#w-unsharp))}"
    ".w-film .w-arch{fill:#80878d;fill-opacity:.4;stroke:#d5dade;stroke-opacity:.5;"
    "filter:var(--w-unsharp,url(#w-unsharp))}"
    ".w-film :is(.w-disc,.w-sac,.w-ghost,.w-height){display:none}.w-film :is(.w-label,.w-side){fill:#dfe5ea}"
    ".w-film .w-scale{stroke:#dfe5ea}"
)

# What a film adds, unseen unless the picture has the class `w-film`: unsharp edges, and grain.
FILM = (
    '<defs><filter id="w-unsharp"><feGaussianBlur stdDeviation=".55"/></filter>'
    '<filter id="w-grain" x="0" y="0" width="1" height="1"><feTurbulence type="fractalNoise" baseFrequency=".9" '
    'numOctaves="2" seed="7"/><feColorMatrix '
    'values="0 0 0 0 .8  0 0 0 0 .8  0 0 0 0 .8  .55 0 0 0 -.18"/></filter></defs>'
)
