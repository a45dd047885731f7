"""What a vertebra carries in a posture, what it can carry, and the ratio of the two: the factor of risk.

Load: the equilibrium of `statics` in postures that are a lean of the trunk and a place of the hands. Pressures in one
man's disc [wilke1999] fix two numbers (lying, bending) and are held against the rest. Strength: cross-section times a
power of the bone volume; bodies of the same density differ, so it is a band, and so is the factor of risk. Two bodies
in three lie in a band. None of this is a patient's chance of a fracture: only a load and a strength. Data:
`assets/materials/load.csv`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vertebra.mechanics.statics import above, check_level, check_range, lean_of_wedge, parameter, wedge_angle
from vertebra.spine.dimensions import dimensions
from vertebra.spine.shape import Shape

NORMAL = Shape()
BONE_VOLUMES = (0.04, 0.22)  # range of the trabecular bone volume, BV/TV
LIFTS = (0.0, 40.0)  # kg


@dataclass(frozen=True)
class Posture:
    """How a person holds the trunk, and what was measured.

    `lean` of the trunk in degrees, `ahead` mm of the hands in front of the shoulders' plumb line; None for `ahead`:
    the hands are empty. `measured` is the disc's pressure over that of standing in [wilke1999] (with 20 kg where a
    load is lifted), `elsewhere` that of [nachemson1981]; both None where the source names no number. A posture of
    `supported` weight is not an equilibrium of a free trunk: there the measured ratio itself is taken.
    """

    name: str
    lean: float = 0.0
    ahead: float | None = None
    measured: float | None = None
    elsewhere: float | None = None
    supported: bool = False


def _postures() -> Mapping[str, Posture]:
    def lifting(name: str) -> Posture:
        lean, ahead = parameter(f"{name} lean"), parameter(f"{name} reach")
        return Posture(name, lean, ahead, parameter(f"{name} ratio"))

    def resting(name: str) -> Posture:
        ratios = parameter(f"{name} ratio"), parameter(f"{name} ratio elsewhere")
        return Posture(name, 0.0, None, *ratios, supported=True)

    every = (
        resting("lying"),
        resting("sitting"),
        Posture("standing", measured=1.0),
        Posture("bending", parameter("bending lean"), None, parameter("bending ratio")),
        lifting("holding close"),
        lifting("lifting with bent knees"),
        lifting("lifting with a round back"),
    )
    return MappingProxyType({posture.name: posture for posture in every})


POSTURES = _postures()


@dataclass(frozen=True)
class Band:
    """A quantity that differs from one body to the next: its middle, and between what two bodies in three lie.

    Log-normal, so that `low`, `middle` and `high` are a factor apart; `low` and `high` are one standard deviation.
    """

    low: float
    middle: float
    high: float

    def above(self, value: float) -> float:
        """Return the share of bodies, 0 to 1, for which the quantity is larger than `value`."""
        deviations = math.log(self.middle / value) / (math.log(self.high / self.low) / 2)
        return (1 + math.erf(deviations / math.sqrt(2))) / 2


@dataclass(frozen=True)
class Forces:
    """A posture's equilibrium about one level, N and mm: everything that a drawing of it needs.

    `weight` of the body above acts `weight_arm` in front, the `carried` load `carried_arm`, and the extensors pull with
    `muscle` on `muscle_arm` behind; `compression` is what the level carries. A supported posture has no equilibrium:
    its muscle force and arms are 0.
    """

    level: str
    lean: float
    weight: float
    weight_arm: float
    weight_height: float
    carried: float
    carried_arm: float
    muscle: float
    muscle_arm: float
    compression: float


def check_posture(posture: str) -> Posture:
    """Return a posture by its name. Raises ValueError if there is none of that name."""
    if posture not in POSTURES:
        raise ValueError(f"posture is {posture!r}; it is one of {', '.join(POSTURES)}")
    return POSTURES[posture]


def forces(
    level: str,
    posture: str = "standing",
    body_weight: float = 65.0,
    lift: float = 0.0,
    shape: Shape = NORMAL,
    kyphosis: float = 0.0,
    compensation: float | None = None,
) -> Forces:
    """Return the equilibrium about a level (T6 to L5) in a posture of `POSTURES`.

    `body_weight` and `lift` in kg. A body of a wedged `shape` leans forward what stands on it, and so does a wedge
    further down, whose angle is `kyphosis` (degrees); `compensation` is the share of that shift which hips and spine
    take back (None: as fitted to [rohlmann2006]).
    Raises ValueError for what is unknown or out of range, and for a load in a posture whose hands are empty.
    """
    chosen, body = check_posture(posture), above(level, body_weight)
    check_range("lift", lift, *LIFTS, "kg")
    if lift and chosen.ahead is None:
        able = ", ".join(name for name, each in POSTURES.items() if each.ahead is not None)
        raise ValueError(f"lift is {lift:g} kg, but the hands are empty when {posture}; choose one of {able}")
    taken_back = parameter("compensation") if compensation is None else compensation
    wedge = lean_of_wedge(wedge_angle(level, shape) + kyphosis, taken_back)
    if chosen.supported:
        carried = chosen.measured or 0.0
        # Lying, a wedge leans nothing; sitting, it does as in standing.
        upright = body.compression(wedge if posture == "sitting" else 0.0)
        return Forces(level, 0.0, body.weight, 0.0, body.height, 0.0, 0.0, 0.0, body.arm, carried * upright)
    lean, ahead, held = chosen.lean + wedge, chosen.ahead or 0.0, lift * parameter("gravity")
    turn = math.radians(lean)
    return Forces(
        level,
        lean,
        body.weight,
        body.forward + body.height * math.sin(turn),
        body.height * math.cos(turn),
        held,
        body.reach(lean, ahead),
        body.muscle(lean, held, ahead),
        body.arm,
        body.compression(lean, held, ahead),
    )


def load(
    level: str,
    posture: str = "standing",
    body_weight: float = 65.0,
    lift: float = 0.0,
    shape: Shape = NORMAL,
    kyphosis: float = 0.0,
    compensation: float | None = None,
) -> float:
    """Return the compression (N) of a level in a posture; arguments and errors as of `forces`."""
    return forces(level, posture, body_weight, lift, shape, kyphosis, compensation).compression


def ratio(posture: str, lift: float = 20.0, level: str = "L4", body_weight: float = 70.0) -> float:
    """Return a posture's load over that of standing, for the man and the level of [wilke1999].

    `lift` (kg) counts only where the hands hold something.
    """
    held = lift if check_posture(posture).ahead is not None else 0.0
    return load(level, posture, body_weight, held) / load(level, "standing", body_weight)


def disc_pressure(level: str, force: float) -> float:
    """Return the pressure (Pa) in the nucleus of the disc below a level under a compression of `force` N."""
    check_level(level)
    here = dimensions()[level]
    disc = math.pi / 4 * here.lower_width * here.lower_depth  # mm2
    return parameter("pressure over stress") * force / disc * 1e6


def area(level: str) -> float:
    """Return the cross-section (mm2) of a level's body: an ellipse as wide and deep as its endplates are on average."""
    check_level(level)
    here = dimensions()[level]
    return math.pi / 16 * (here.upper_width + here.lower_width) * (here.upper_depth + here.lower_depth)


def strength(level: str, bone_volume: float, shape: Shape = NORMAL) -> Band:
    """Return the compression (N) that breaks a level's body: middle, and the band that holds two bodies in three.

    Cross-section times the strength of old bodies [boger2007], scaled by bone volume to a power [bone_handbook]. The
    scatter of those bodies shrinks by what density explains [roux2010]. A collapsed `shape` has lost strength in
    proportion to its largest loss of height, and scatters more [wegrzyn2011]: that a quarter's loss tells of other
    losses is an assumption. Raises ValueError for a level or a bone volume (0.04 to 0.22) out of range.
    """
    check_range("bone volume", bone_volume, *BONE_VOLUMES)
    stress = parameter("strength of old bodies") * (bone_volume / parameter("bone volume of old bodies")) ** parameter(
        "density exponent"
    )
    spread = parameter("scatter of old bodies") / parameter("strength of old bodies")
    spread *= math.sqrt(1 - parameter("correlation with density") ** 2)
    collapse = max(shape.anterior, shape.middle, shape.posterior) / parameter("mild fracture")
    left = 1 - parameter("strength lost after a mild fracture") * collapse
    after = parameter("scatter after a mild fracture") * min(collapse, 1.0)
    middle = area(level) * stress * left
    factor = math.exp(math.hypot(spread, after))
    return Band(middle / factor, middle, middle * factor)


def factor_of_risk(
    level: str,
    posture: str,
    bone_volume: float,
    body_weight: float = 65.0,
    lift: float = 0.0,
    shape: Shape = NORMAL,
    kyphosis: float = 0.0,
    compensation: float | None = None,
) -> Band:
    """Return load over strength. `.above(1)` is the share of such bodies that the load would break.

    It spreads as the strength does; the load is taken as exact. Arguments and errors as of `load` and `strength`.
    """
    force, holds = (
        load(level, posture, body_weight, lift, shape, kyphosis, compensation),
        strength(level, bone_volume, shape),
    )
    return Band(force / holds.high, force / holds.middle, force / holds.low)


def t_score(bone_volume: float) -> float:
    """Return a T-score to go with a bone volume: a plain assumption, there is no published conversion.

    DXA sees cortex, arch and soft tissue too. Its classes: normal from -1, osteoporosis from -2.5 down [whotscore].
    """
    check_range("bone volume", bone_volume, *BONE_VOLUMES)
    return (bone_volume - parameter("bone volume at T 0")) / parameter("bone volume per T")
