"""What the muscles must pull, and what a vertebra then carries: sagittal equilibrium of all that stands above it.

The body above a level weighs W and hangs `forward` mm in front of the body's centre; a trunk that leans by an angle
carries its centre, `height` mm up, forward as well; the extensors behind hold it on a short `arm`:

    F_m = (W (forward + height sin lean) + L x) / arm        muscle force, N, for a load L that hangs x in front
    F_c = (W + L) cos lean + F_m + tone                      compression along the spine, N

A wedge-shaped vertebra leans everything above it by its angle phi; hips and spine take back a share of the shift, so
sin lean = sin phi (1 - compensation). `tone` is what loads a disc that has nothing to hold up. Parameters, and what
was fitted: `assets/materials/load.csv`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from vertebra import assets
from vertebra.spine.dimensions import LEVELS, dimensions
from vertebra.spine.shape import Shape

TABLE = "materials/load.csv"
UPPER = ("T1", "T2", "T3", "T4", "T5")  # above the levels that the spine room models


def parameter(name: str) -> float:
    """Return a value of `assets/materials/load.csv` by its name."""
    return assets.parameters(TABLE)[name].value


@dataclass(frozen=True)
class Above:
    """What stands above the middle of a level.

    `weight` in N; `forward` and `height` (mm) of its centre of mass in front of and above the body's centre, standing;
    `shoulder` (mm) how high the arms hang from; `arm` (mm) the effective lever of the extensors behind.
    """

    level: str
    weight: float
    forward: float
    height: float
    shoulder: float
    arm: float

    @property
    def tone(self) -> float:
        """Force (N) that loads the level with nothing to hold up."""
        share = parameter("tone")
        return share / (1 - share) * self.weight * (1 + self.forward / self.arm)

    def reach(self, lean: float, ahead: float = 0.0) -> float:
        """Return how far (mm) in front of the level a load hangs, `ahead` mm in front of the shoulders' plumb line."""
        return self.forward + self.shoulder * math.sin(math.radians(lean)) + ahead

    def muscle(self, lean: float = 0.0, carried: float = 0.0, ahead: float = 0.0) -> float:
        """Return the extensors' force, N, at a lean (degrees) with `carried` N hanging `ahead` mm of the shoulders."""
        own = self.weight * (self.forward + self.height * math.sin(math.radians(lean)))
        return (own + carried * self.reach(lean, ahead)) / self.arm

    def compression(self, lean: float = 0.0, carried: float = 0.0, ahead: float = 0.0) -> float:
        """Return the force along the spine, N, at a lean (degrees), with `carried` N hanging as in `muscle`."""
        weight = (self.weight + carried) * math.cos(math.radians(lean))
        return weight + self.muscle(lean, carried, ahead) + self.tone


def check_level(level: str) -> None:
    """Raise ValueError for a level that the course does not model."""
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}; it is one of {', '.join(LEVELS)}")


def check_range(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    """Raise ValueError for what is no number or out of range."""
    # `not ... <= ...` refuses nan too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; give a number from {low:g} to {high:g}{unit and ' ' + unit}")


@cache
def heights() -> Mapping[str, float]:
    """Return how high (mm) the centre of each body, T1 to L5, lies above that of L5 in a straight spine."""
    found, z, below = {"L5": 0.0}, 0.0, dimensions()["L5"]
    for level in reversed(LEVELS[:-1]):
        here = dimensions()[level]
        z += (sum(here.heights) + sum(below.heights)) / 6 + here.disc_below
        found[level], below = z, here
    for level in reversed(UPPER):
        z += parameter("upper thoracic step")
        found[level] = z
    return MappingProxyType(found)


@cache
def above(level: str, body_weight: float = 65.0) -> Above:
    """Return what stands above a level (T6 to L5) in a person of `body_weight` kg. Raises ValueError for either."""
    check_level(level)
    check_range("body weight", body_weight, 30, 150, "kg")
    z, names = heights(), UPPER + LEVELS
    first, last = parameter("mass at T1"), parameter("mass at L5")
    slices = {name: first + (last - first) * i / (len(names) - 1) for i, name in enumerate(names)}
    # Half of the level's own slice lies above its middle, on average a quarter of its height up.
    parts = [(slices[name], z[name]) for name in names[: names.index(level)]] + [(slices[level] / 2, z[level])]
    shoulder = z["T1"] - parameter("shoulders below T1")
    parts.append((parameter("mass of head and neck"), z["T1"] + parameter("height of the head")))
    parts.append((parameter("mass of both arms"), shoulder))
    share = sum(mass for mass, _ in parts)
    centre = sum(mass * at for mass, at in parts) / share
    arm = parameter("extensor arm at L4") * dimensions()[level].upper_depth / dimensions()["L4"].upper_depth
    # F_m / F_c = share when standing, tone included, gives forward / arm.
    muscle, tone = parameter("muscle share"), parameter("tone")
    forward = arm * muscle / (1 - tone - muscle)
    weight = share * body_weight * parameter("gravity")
    return Above(level, weight, forward, centre - z[level], shoulder - z[level], arm)


def wedge_angle(level: str, shape: Shape) -> float:
    """Return by how much (degrees, kyphosis positive) a deformed body leans what stands on it forward."""
    check_level(level)
    normal = dimensions()[level]
    front, _, back = normal.heights
    closed = shape.anterior * front - shape.posterior * back
    return math.degrees(math.atan2(closed, normal.upper_depth))


def lean_of_wedge(angle: float, compensation: float) -> float:
    """Return the lean (degrees) that is left of a wedge's `angle` when a share of the forward shift is taken back."""
    check_range("wedge angle", angle, -30, 60, "degrees")
    check_range("compensation", compensation, 0, 1)
    return math.degrees(math.asin(math.sin(math.radians(angle)) * (1 - compensation)))


@dataclass(frozen=True)
class Change:
    """Muscle force and compression (N) of a level, standing, without and with a wedge somewhere in the spine."""

    muscle_before: float
    muscle: float
    before: float
    after: float

    @property
    def muscle_percent(self) -> float:
        """Rise of the muscle force, %."""
        return 100 * (self.muscle / self.muscle_before - 1)

    @property
    def percent(self) -> float:
        """Rise of the compression, %."""
        return 100 * (self.after / self.before - 1)


def cascade(
    wedge: str, angle: float, body_weight: float = 65.0, compensation: float | None = None
) -> dict[str, Change]:
    """Return what a wedge of `angle` degrees at one level does to every level, T6 to L5, of a standing person.

    Above the wedge all leans with it. Below, only what stands on the wedge is carried forward, but by its whole
    height. `compensation` is the share of the shift that hips and spine take back (None: as fitted to
    [rohlmann2006]). Weight stays vertical and its component along the spine is left as it was: the angles are small.
    Raises ValueError for an unknown level or an angle beyond -30 to 60 degrees.
    """
    check_level(wedge)
    if compensation is None:
        compensation = parameter("compensation")
    shift = math.sin(math.radians(lean_of_wedge(angle, compensation)))
    top, found = above(wedge, body_weight), {}
    for level in LEVELS:
        here = above(level, body_weight)
        tilted = here if LEVELS.index(level) <= LEVELS.index(wedge) else top
        added = tilted.weight * tilted.height * shift / here.arm
        muscle, before = here.muscle(), here.compression()
        found[level] = Change(muscle, muscle + added, before, before + added)
    return found


def neighbours(
    wedge: str, angle: float, body_weight: float = 65.0, compensation: float | None = None
) -> dict[str, Change]:
    """Return `cascade` for the levels next to the wedge alone: the one above, if modelled, and the one below."""
    place, every = LEVELS.index(wedge), cascade(wedge, angle, body_weight, compensation)
    near = (place - 1, place + 1)
    return {LEVELS[i]: every[LEVELS[i]] for i in near if 0 <= i < len(LEVELS)}
