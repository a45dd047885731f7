"""Three vertebrae in lateral view, the middle one deformable, with exactly known landmarks.

Frame: mm, x anterior, y cranial. A vertebra's own frame has its origin at the body's centre and keeps it when the body
collapses; the vertebra below the deformable one is fixed, each vertebra above stands on the endplate beneath it, so a
wedge tilts all that is above it. Sources of the dimensions: `assets/anatomy/dimensions.csv`.

The same geometry runs in the browser half of the workbench (`workbench.js`); a test holds the two together.
"""

import csv
import html
import io
from dataclasses import dataclass, field, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vertebra import assets

FloatArray = NDArray[np.float64]

LEVELS = ("T12", "L1", "L2")
WAIST_MM = 2.0  # how far the anterior and posterior walls curve in at mid-height; drawn, not measured
BULGE_MM = 7.0  # how far a wholly involved posterior wall stands out into the canal; drawn, not measured
RIM = np.linspace(-1.0, 1.0, 17)  # places along an endplate, posterior to anterior
WALL = np.linspace(0.0, 1.0, 21)[1:-1]  # places down a wall, between the endplates


@dataclass(frozen=True)
class Dimensions:
    """One normal vertebra in the midsagittal plane, mm; `midline_dip` is how much lower the middle is than its ends."""

    level: str
    posterior_height: float
    anterior_height: float
    midline_dip: float
    endplate_depth: float
    disc_below: float = 0.0

    @property
    def heights(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height, mm."""
        middle = (self.anterior_height + self.posterior_height) / 2 - self.midline_dip
        return self.anterior_height, middle, self.posterior_height


@cache
def dimensions() -> dict[str, Dimensions]:
    """Return the normal dimensions by level, from `assets/anatomy/dimensions.csv`."""
    rows = list(csv.DictReader(io.StringIO(assets.read_text("anatomy/dimensions.csv"))))
    known = {level: {r["dimension"]: float(r["value_mm"]) for r in rows if r["level"] == level} for level in LEVELS}
    return {level: Dimensions(level, **values) for level, values in known.items()}


@dataclass(frozen=True)
class Shape:
    """How the middle vertebra is deformed. Losses are shares of its own normal height at that place.

    `superior_share` is the part of the loss taken by the superior endplate (1 all, 0 none), `wall` the share of the
    posterior wall that is broken out, from its top downwards. Raises ValueError for a value out of range.
    """

    anterior: float = field(default=0.0, metadata={"limit": 0.7})
    middle: float = field(default=0.0, metadata={"limit": 0.7})
    posterior: float = field(default=0.0, metadata={"limit": 0.6})
    wall: float = field(default=0.0, metadata={"limit": 1.0})
    superior_share: float = field(default=1.0, metadata={"limit": 1.0})

    def __post_init__(self) -> None:
        for each in fields(self):
            value, limit = getattr(self, each.name), each.metadata["limit"]
            if not 0 <= value <= limit:
                raise ValueError(f"{each.name} is {value!r}; give a share from 0 to {limit}")


def quadratic(posterior: float, middle: float, anterior: float, t: FloatArray) -> FloatArray:
    """Return the parabola through three values at t = -1, 0 and 1."""
    return middle + t * (anterior - posterior) / 2 + t**2 * ((anterior + posterior) / 2 - middle)


@dataclass(frozen=True)
class Body:
    """A vertebral body in its own frame.

    `superior` and `inferior`: endplates (17, 2), posterior to anterior. `outline`: closed contour (72, 2).
    `landmarks`: (6, 2), superior then inferior, each anterior, middle, posterior.
    """

    superior: FloatArray
    inferior: FloatArray
    outline: FloatArray
    landmarks: FloatArray


def body(normal: Dimensions, shape: Shape | None = None) -> Body:
    """Return one vertebral body, deformed by `shape` (normal without)."""
    shape = shape or Shape()
    anterior, middle, posterior = normal.heights
    height = quadratic(posterior, middle, anterior, RIM)
    loss = quadratic(shape.posterior * posterior, shape.middle * middle, shape.anterior * anterior, RIM)
    half_depth = normal.endplate_depth / 2
    x = RIM * half_depth
    superior = np.column_stack([x, height / 2 - shape.superior_share * loss])
    inferior = np.column_stack([x, -height / 2 + (1 - shape.superior_share) * loss])
    waist = WAIST_MM * 4 * WALL * (1 - WALL)
    down = WALL[:, None]
    front = superior[-1] * (1 - down) + inferior[-1] * down
    front[:, 0] -= waist
    back = superior[0] * (1 - down) + inferior[0] * down
    broken = np.clip(WALL / max(shape.wall, 1e-9), 0, 1)
    back[:, 0] += waist - BULGE_MM * shape.wall * np.sin(np.pi * broken) ** 2
    middle_of = len(RIM) // 2
    landmarks = np.array([end[i] for end in (superior, inferior) for i in (-1, middle_of, 0)])
    return Body(superior, inferior, np.vstack([superior, front, inferior[::-1], back[::-1]]), landmarks)


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
    """The three vertebrae, T12, L1 and L2: bodies in their own frames, and where each stands."""

    bodies: dict[str, Body]
    poses: dict[str, Pose]

    def landmarks(self, level: str) -> FloatArray:
        """Return a vertebra's six landmarks (6, 2) in the common frame, mm."""
        return self.poses[level].apply(self.bodies[level].landmarks)


def lateral(shape: Shape, tilt: float = 0.0) -> Lateral:
    """Return the three vertebrae with L1 deformed; `tilt` (radians) turns the whole spine about L2's centre."""
    table = dimensions()
    bodies = {level: body(table[level], shape if level == "L1" else None) for level in LEVELS}
    poses = {"L2": Pose(tilt)}
    for upper, lower in (("L1", "L2"), ("T12", "L1")):
        poses[upper] = stand_on(bodies[upper], bodies[lower], poses[lower], table[upper].disc_below)
    return Lateral(bodies, poses)


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

# The posterior elements in side view, in a vertebra's own frame for a posterior height of 26 mm and a depth of 34 mm:
# pedicle, superior articular process, lamina, spinous process, inferior articular process. Drawn after common anatomy.
ARCH = [
    (-15, 11.5), (-20, 9.8), (-23.5, 11.5), (-24.5, 17), (-26.5, 20), (-29.5, 19.5), (-31, 14), (-33, 8.5), (-38, 5.5),
    (-50, 2.5), (-59, 0), (-63.5, -4), (-63, -12), (-58, -15), (-49, -12.5), (-41, -9.5), (-37.5, -11), (-36.5, -18),
    (-34.5, -21.5), (-31.5, -21), (-30, -15), (-29, -7), (-25.5, -0.5), (-20, 2.2), (-15, 1.5),
]  # fmt: skip
SAC = np.array([-9.0, 0.0])
VIEW = (-44.0, -86.0, 116.0, 112.0)  # x, y, width, height of the picture in screen mm (x posterior, y caudal)


def path(points: FloatArray, closed: bool = True) -> str:
    """Return an SVG path through points (n, 2), to 0.01 mm. The screen's x runs posteriorly and its y caudally."""
    # Adding zero turns -0.0 into 0.0, so that the text is the same on every machine.
    screen = np.round(-points, 2) + 0.0
    return "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in screen) + ("Z" if closed else "")


def smooth(points: list[tuple[float, float]]) -> str:
    """Return a closed SVG path that rounds a polygon's corners (Catmull-Rom through the points)."""
    p = np.array(points) * [-1, -1]
    before, after = np.roll(p, 1, axis=0), np.roll(p, -1, axis=0)
    leave, arrive = p + (after - before) / 6, p - (after - before) / 6
    parts = [f"M{p[0][0]:.2f},{p[0][1]:.2f}"]
    for i in range(len(p)):
        j = (i + 1) % len(p)
        numbers = ",".join(f"{v:.2f}" for v in (*leave[i], *arrive[j], *p[j]))
        parts.append(f"C{numbers}")
    return "".join(parts) + "Z"


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
    normal = dimensions()[level]
    scale = np.array([normal.endplate_depth / 34, normal.posterior_height / 26])
    return smooth([tuple(point) for point in np.array(ARCH) * scale])


def parts(scene: Lateral) -> dict[str, str]:
    """Return what moves in the picture, path data and transforms by the data-part they have in `draw`."""
    moving: dict[str, str] = {}
    for level in LEVELS:
        moving[f"{level}-pose"] = transform(scene.poses[level])
        moving[f"{level}-arch"] = f"translate(0 {-arch_shift(scene, level):.3f})"
        moving[f"{level}-body"] = path(scene.bodies[level].outline)
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
    ghost = path(whole.poses["L1"].apply(whole.bodies["L1"].outline))
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
    ".w-film .w-paper{fill:#0a0c0e}.w-film .w-grain{display:block;filter:url(#w-grain);pointer-events:none}"
    ".w-film .w-body{fill:#8d949a;fill-opacity:.62;stroke:#f2f5f7;stroke-width:1.5;stroke-opacity:.85;"
    "filter:url(#w-unsharp)}"
    ".w-film .w-arch{fill:#80878d;fill-opacity:.4;stroke:#d5dade;stroke-opacity:.5;filter:url(#w-unsharp)}"
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
