"""A needle on its way through a pedicle into the body: what it breaches, in mm, and what the two views show of it.

Everything is measured in the vertebra's own frame (x right, y anterior, z cranial, mm) from the wall of the needle, a
cylinder, against the same bone and the same canal that the pictures are made of.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebra.imaging.fluoroscopy import CArm
from vertebra.spine.vertebra import Pedicle, Vertebra

FloatArray = NDArray[np.float64]

OUTER_DIAMETER = {"11G": 3.05, "13G": 2.41}  # mm; unreferenced, not compared with a maker's drawing
STEP = 0.5  # mm between the places along the needle that are looked at
AROUND = 24  # places around its wall: the chord between two is 0.013 mm deep on an 11G needle
PEDICLE_ZONE = 4.0  # mm before and behind the isthmus within which a breach is one of the pedicle's walls
WALL_HOLLOW = 3.0  # mm: the posterior wall is hollow and lies in front of the line between its corners by less
BEHIND = 60.0  # mm of path looked at behind the tip: more than from any posterior wall to the skin of the arch


@dataclass(frozen=True)
class Needle:
    """A straight needle by its tip and the unit direction in which it advances (both (3,)), gauge and length, mm."""

    tip: FloatArray
    direction: FloatArray
    gauge: str = "11G"
    length: float = 120.0

    def __post_init__(self) -> None:
        if self.gauge not in OUTER_DIAMETER:
            raise ValueError(f"gauge is {self.gauge!r}; give one of {', '.join(OUTER_DIAMETER)}")
        tip, direction = (np.asarray(v, dtype=np.float64) for v in (self.tip, self.direction))
        if tip.shape != (3,) or direction.shape != (3,) or not np.isfinite([tip, direction]).all():
            raise ValueError(f"tip {self.tip} and direction {self.direction}: give three finite numbers each")
        if not (np.isfinite(self.length) and self.length > 0):
            raise ValueError(f"the needle is {self.length} mm long; give a length above 0")
        size = float(np.linalg.norm(direction))
        if size < 1e-9:
            raise ValueError("the direction has no length; give the vector from the hub to the tip")
        object.__setattr__(self, "tip", tip)
        object.__setattr__(self, "direction", direction / size)

    @property
    def radius(self) -> float:
        """Return the outer radius, mm."""
        return OUTER_DIAMETER[self.gauge] / 2

    def axis(self, behind: float = BEHIND) -> FloatArray:
        """Return points of the axis (n, 3) from `behind` mm before the tip to the tip, in the order of advancing."""
        back = np.arange(min(behind, self.length), -1e-9, -STEP)
        points: FloatArray = self.tip - np.append(back, 0.0 if back[-1] > 1e-9 else [])[:, None] * self.direction
        return points

    def wall(self, behind: float = BEHIND) -> FloatArray:
        """Return points of the outer wall (n, AROUND, 3) around `axis`."""
        helper = np.eye(3)[np.argmin(np.abs(self.direction))]
        first = np.cross(self.direction, helper)
        first /= np.linalg.norm(first)
        second = np.cross(self.direction, first)
        turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
        ring = self.radius * (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)
        points: FloatArray = self.axis(behind)[:, None] + ring
        return points


def aim(
    pedicle: Pedicle,
    depth: float,
    lateral: float = 0.0,
    cranial: float = 0.0,
    convergence: float = 0.0,
    descent: float = 0.0,
    gauge: str = "11G",
) -> Needle:
    """Return a needle that passes the pedicle's isthmus and ends `depth` mm beyond it.

    `lateral` and `cranial` shift the passage from the isthmus's centre (mm, away from the midline and upwards);
    `convergence` (towards the midline) and `descent` (caudally) turn it about the passage, degrees from the pedicle's
    own axis.
    """
    side = np.sign(pedicle.centre[0])
    turn, dip = np.radians([convergence, descent])
    x, y, z = pedicle.axis
    c, s = np.cos(-side * turn), np.sin(-side * turn)
    # Converging turns the axis about z, so that its lateral part points more to the midline.
    forward = np.array([c * x + s * y, -s * x + c * y, z])
    level = np.hypot(forward[0], forward[1])
    pitch = np.arctan2(forward[2], level) - dip
    forward = np.array([*(forward[:2] / level * np.cos(pitch)), np.sin(pitch)])
    passage = pedicle.centre + np.array([side * lateral, 0.0, cranial])
    return Needle(passage + depth * forward, forward, gauge)


@dataclass(frozen=True)
class Breach:
    """How far the needle's wall stands outside the bone, mm, 0 where it does not.

    `canal` into the spinal canal; `medial`, `lateral`, `superior`, `inferior` through a wall of the pedicle, as far as
    the posterior wall; `anterior` through the body's anterior or lateral wall; `superior_endplate`, `inferior_endplate`
    into a disc.
    """

    canal: float = 0.0
    medial: float = 0.0
    lateral: float = 0.0
    superior: float = 0.0
    inferior: float = 0.0
    anterior: float = 0.0
    superior_endplate: float = 0.0
    inferior_endplate: float = 0.0


def breach(needle: Needle, vertebra: Vertebra, side: str) -> Breach:
    """Measure what a needle through one pedicle ("left" or "right") breaches; all in the vertebra's frame.

    Walls of bone count from 4 mm before the pedicle's isthmus to the tip: further back the needle lies in muscle
    anyway. The canal counts all along.
    """
    pedicle = vertebra.pedicle(side)
    wall = needle.wall().reshape(-1, 3)
    canal = max(0.0, -float(vertebra.canal_distance(wall).min()))
    along = (wall - pedicle.centre) @ pedicle.axis
    seen = along >= -PEDICLE_ZONE
    points, along = wall[seen], along[seen]
    if not len(points):
        return Breach(canal=canal)
    outside = np.maximum(vertebra.bone_distance(points), 0)
    found = {"canal": canal}
    # Up to the posterior wall what is left is the pedicle, however oblique the needle.
    corner, foot = vertebra.landmarks[[2, 5]]
    wall_y = foot[1] + (points[:, 2] - foot[2]) / (corner[2] - foot[2]) * (corner[1] - foot[1])
    in_pedicle = (along <= PEDICLE_ZONE) | (points[:, 1] < wall_y + WALL_HOLLOW)
    away = (points - pedicle.centre) - along[:, None] * pedicle.axis
    outward = away[:, 0] * np.sign(pedicle.centre[0]) / (pedicle.width / 2)
    upward = away[:, 2] / (pedicle.height / 2)
    sideways = np.abs(outward) >= np.abs(upward)
    places = {
        "medial": in_pedicle & sideways & (outward < 0),
        "lateral": in_pedicle & sideways & (outward >= 0),
        "superior": in_pedicle & ~sideways & (upward > 0),
        "inferior": in_pedicle & ~sideways & (upward <= 0),
    }
    # Beyond the pedicle the surface that was passed is told by its direction: an endplate faces up or down.
    rest = ~in_pedicle & (outside > 0) & (vertebra.canal_distance(points) > 0)
    steep = np.zeros(len(points))
    if rest.any():
        steep[rest] = _normals(vertebra, points[rest])[:, 2]
    places["superior_endplate"] = rest & (steep > 0.7)
    places["inferior_endplate"] = rest & (steep < -0.7)
    places["anterior"] = rest & (np.abs(steep) <= 0.7)
    for name, place in places.items():
        found[name] = float(outside[place].max(initial=0.0))
    return Breach(**found)


def _normals(vertebra: Vertebra, points: FloatArray) -> FloatArray:
    """Return the unit outward normals (n, 3) of the nearest bone, by central differences."""
    steps = 0.2 * np.vstack([np.eye(3), -np.eye(3)])
    values = vertebra.bone_distance((points + steps[:, None]).reshape(-1, 3)).reshape(6, -1)
    slope = (values[:3] - values[3:]).T
    unit: FloatArray = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)
    return unit


@dataclass(frozen=True)
class TwoViews:
    """What the AP and the lateral picture show as a needle advances, mm of path from the isthmus (negative: before it).

    `medial_at`: its tip comes to the medial border of the pedicle's ring on AP, `posterior_at`: it passes the posterior
    wall on lateral; None if it never does.
    """

    medial_at: float | None
    posterior_at: float | None

    @property
    def safe(self) -> bool:
        """Return whether the medial border was not crossed before the posterior wall was passed."""
        if self.medial_at is None:
            return True
        return self.posterior_at is not None and self.posterior_at <= self.medial_at


def two_views(needle: Needle, vertebra: Vertebra, side: str) -> TwoViews:
    """Follow the tip on the AP and the lateral picture of one C-arm centred on the vertebra.

    Both readings come from projections of the same 3-D path: the medial border of the pedicle's ring is the projected
    ellipse of its isthmus, the posterior wall the projected line between the body's two posterior corners.
    """
    pedicle = vertebra.pedicle(side)
    path = needle.axis()
    along = (path - pedicle.centre) @ needle.direction
    across = np.array([pedicle.axis[1], -pedicle.axis[0], 0.0])
    across /= np.linalg.norm(across)
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    up = np.cross(across, pedicle.axis)
    half_width, half_height = pedicle.width / 2 * np.cos(turn), pedicle.height / 2 * np.sin(turn)
    ring = pedicle.centre + half_width[:, None] * across + half_height[:, None] * up
    ap, lateral = CArm(), CArm(orbital=90)
    centre = np.zeros((1, 3))
    inward = np.sign(ap.project(centre)[0, 0] - ap.project(pedicle.centre[None])[0, 0])
    border = (ap.project(ring)[:, 0] * inward).max()
    medial = ap.project(path)[:, 0] * inward >= border
    corners = lateral.project(vertebra.landmarks[[2, 5]])
    run = corners[1] - corners[0]
    front = lateral.project(vertebra.landmarks[[0]])[0]

    def beyond(points: FloatArray) -> FloatArray:
        """Return on which side of the posterior wall's line points lie, and how far."""
        offset = points - corners[0]
        crossed: FloatArray = run[0] * offset[..., 1] - run[1] * offset[..., 0]
        return crossed

    passed = beyond(lateral.project(path)) * np.sign(beyond(front)) >= 0

    def first(reached: NDArray[np.bool_]) -> float | None:
        return float(along[np.argmax(reached)]) if reached.any() else None

    return TwoViews(first(medial), first(passed))
