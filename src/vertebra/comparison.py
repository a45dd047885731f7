"""Vertebroplasty and balloon kyphoplasty of one fracture in one patient, by one set of controls.

Both arms run the same models: cement (`vertebra.cement.flow`), balloon (`vertebra.cement.balloon`), heat
(`vertebra.cement.heat`), stiffness and the neighbour's load (`vertebra.mechanics`). They differ in one thing only: in
kyphoplasty a balloon is inflated and let down before the same cement is injected, at the same rate and age, into the
middle of the cavity. Nothing else is set for either, so that what comes out different follows from the cavity.

What is added here: where the needles end (fixed places, free of a student's aim), and how a filled body becomes the
axisymmetric model's plug (`contact_of`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from vertebra.cement import flow, heat
from vertebra.cement.balloon import Cavity, Inflation, inflate, wedge_angle
from vertebra.cement.bone import bone
from vertebra.cement.material import CEMENTS
from vertebra.imaging.fluoroscopy import KEV, Block, attenuation
from vertebra.mechanics import axisymmetric, statics
from vertebra.spine.shape import Shape
from vertebra.spine.stack import Spine
from vertebra.spine.vertebra import Vertebra

FloatArray = NDArray[np.float64]

NAMES = ("vertebroplasty", "balloon kyphoplasty")
LEVELS = ("T8", "T10", "T11", "T12", "L1", "L2", "L3", "L4")
# Words to what is broken besides the wedge.
FRACTURES: Mapping[str, dict[str, float]] = MappingProxyType(
    {
        "wedge": {},
        "wedge with a cleft": {"cleft": 4.0},
        "wedge with a hole in the endplate": {"breach": 3.0},
        "wedge with a hole in the posterior wall": {"wall": 0.5, "retropulsion": 0.0},
    }
)
BALLOON = "20/3"
ROOM = 23.0  # C
DAMAGE = 0.5  # share of its modulus that broken trabecular bone has lost; about what [wegrzyn2011] found of stiffness
ANTERIOR = 0.32  # how far behind the anterior wall the needles end, share of the depth: the anterior third
ASIDE = 0.2  # how far from the midline two needles end, share of the width
AHEAD = 0.16  # how far ahead of them balloons end, share of the depth
ONE_SIDE = 4.0  # mm from the midline at which a single needle ends
STEPS = 10  # pressure steps of a run
ROUGH = 2.5  # mm, voxels of a sketch
HAND_LIMIT = 3.2e6  # Pa: the most that a hand was measured to press on a cement syringe, 3215 kPa [krebs2005]
LEAST_PLUG = 0.05  # mL of cement in the body that stiffens it at all
LEAST_LEAK = 0.02  # mL of cement in the canal whose heat is worth a run
RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "loss": (0.1, 0.5),
        "bone_volume": (0.05, 0.15),
        "weeks": (0.0, 26.0),
        "minute": (3.0, 14.0),
        "volume": (1.0, 8.0),
        "balloon": (1.0, 5.0),
    }
)


@dataclass(frozen=True)
class Setting:
    """One patient and one plan: all that the two arms share.

    `level` and `fracture` (of `FRACTURES`) with `loss` of anterior height (share), `bone_volume` (BV/TV), `weeks` since
    it broke; `cement` (of `material.CEMENTS`) injected from `minute` after mixing on, `volume` mL; `balloon` mL in the
    balloons; `both` pedicles or one. Raises ValueError for what is unknown or out of `RANGES`.
    """

    level: str = "T12"
    fracture: str = "wedge"
    loss: float = 0.3
    bone_volume: float = 0.08
    weeks: float = 3.0
    cement: str = "low viscosity"
    minute: float = 5.0
    volume: float = 4.0
    balloon: float = 4.0
    both: bool = True

    def __post_init__(self) -> None:
        for name, known in (("level", LEVELS), ("fracture", tuple(FRACTURES)), ("cement", tuple(CEMENTS))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it is one of {', '.join(known)}")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            # `not ... <= ...` refuses nan too.
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; give a number from {low:g} to {high:g}")
        if not isinstance(self.both, bool):
            raise ValueError(f"both is {self.both!r}; give True for two pedicles or False for one")

    @property
    def vertebra(self) -> Vertebra:
        """The fractured vertebra."""
        return _shared(self.level, Shape(self.loss, 0.6 * self.loss, 0.0, **FRACTURES[self.fracture]))

    @property
    def injection_age(self) -> float:
        """Age of the cement when injection begins, s."""
        return 60.0 * self.minute


@dataclass(frozen=True, eq=False)
class Arm:
    """What one procedure did: `vertebra` as it is left, `states` of the injection, `inflation` if there was a balloon.

    `volumes` (n,) mL and `pressures` (n,) Pa are the injection's course; the pressure is that in the bone at the tip.
    """

    name: str
    setting: Setting
    vertebra: Vertebra
    states: tuple[flow.State, ...]
    inflation: Inflation | None

    @property
    def state(self) -> flow.State:
        """The state after the last drop."""
        return self.states[-1]

    @property
    def stuck(self) -> bool:
        """Whether the plunger stopped short of the volume, because the cement had become too thick for a hand."""
        return len(self.states) <= STEPS

    @property
    def volumes(self) -> FloatArray:
        """Volumes (n,) injected, mL."""
        return np.array([state.volume for state in self.states])

    @cached_property
    def pressures(self) -> FloatArray:
        """Pressures (n,) in the bone at the tip above the resting pressure, Pa."""
        return np.array([state.tip_pressure for state in self.states])

    @cached_property
    def syringe_pressure(self) -> float:
        """Largest pressure at the syringe, Pa."""
        return max(state.syringe_pressure for state in self.states)

    @property
    def leaks(self) -> dict[str, float]:
        """Cement outside the body by type of leak, mL."""
        found: dict[str, float] = {}
        for outlet, amount in zip(self.state.bone.outlets, self.state.leaked, strict=True):
            if outlet.leak:
                found[outlet.leak] = found.get(outlet.leak, 0.0) + float(amount)
        return found

    @property
    def heights(self) -> FloatArray:
        """Anterior, middle and posterior height (3,) as they are left, mm."""
        return np.array(self.vertebra.heights)

    @cached_property
    def wedge(self) -> float:
        """Kyphosis between the body's endplates as it is left, degrees."""
        return wedge_angle(self.vertebra)

    @cached_property
    def curing(self) -> heat.Curing | None:
        """How the cement in the body cures, if any got there: all of it as one ball, the hottest it can be."""
        s = self.setting
        if not self.state.volume:
            return None
        fraction = 1.0 if self.inflation else 1 - s.bone_volume
        return heat.cure(self.state.filled, fraction, s.cement, ROOM, s.injection_age)

    @property
    def canal_temperature(self) -> float:
        """Highest temperature at the posterior wall of the body, C; of the leak itself if cement is in the canal."""
        if not self.curing:
            return heat.BODY
        wall = self.curing.peak(max(self.state.posterior_margin, 0.0))
        inside = self.leaks.get("C-canal", 0.0) + self.leaks.get("B", 0.0)
        if inside < LEAST_LEAK:
            return wall
        spilled = heat.leak(inside, cement_name=self.setting.cement, injected_at=self.setting.injection_age)
        return max(wall, spilled.interface)

    @cached_property
    def contact(self) -> float:
        """How far the cement reaches from endplate to endplate, 0 to 1, as `axisymmetric.Plug` counts it."""
        return contact_of(self.state)

    @cached_property
    def segment(self) -> axisymmetric.Segment:
        """The body with its neighbour, as the axisymmetric model sees it: the same share of it is filled."""
        return axisymmetric.Segment(self.setting.bone_volume, DAMAGE, plug_of(self.state, self.contact))

    @cached_property
    def stiffness(self) -> float:
        """Stiffness of the body alone over that before the fracture, without cement."""
        whole = axisymmetric.Segment(self.setting.bone_volume)
        return self._alone(self.segment) / self._alone(whole)

    def neighbour(self, control: str) -> axisymmetric.Change:
        """Return what the cement alone changes in disc and neighbour, under "load" or "displacement" control."""
        return axisymmetric.change(self.segment, control=control)

    @cached_property
    def neighbour_load(self) -> float:
        """Load of the vertebra above by the wedge that is left, over that in a straight spine, standing."""
        level, angle = self.setting.level, statics.wedge_angle(self.setting.level, self.vertebra.shape)
        above = statics.neighbours(level, angle)
        return next(iter(above.values())).percent / 100 + 1

    @staticmethod
    def _alone(segment: axisymmetric.Segment) -> float:
        return axisymmetric.respond(segment, neighbour=False).stiffness

    def block(self, kev: float = KEV) -> Block:
        """Return the cement as matter for films."""
        return self.state.block(kev)


def places(vertebra: Vertebra, both: bool) -> FloatArray:
    """Return where the needles end (n, 3), mm: in the anterior third, half way between the endplates."""
    six, d = vertebra.landmarks, vertebra.dimensions
    front, back = (six[0] + six[3]) / 2, (six[2] + six[5]) / 2
    y = front[1] + ANTERIOR * (back[1] - front[1])
    upper, lower = (float(np.interp(y, six[[c, b, a], 1], six[[c, b, a], 2])) for a, b, c in ((0, 1, 2), (3, 4, 5)))
    x = ASIDE * (d.upper_width + d.lower_width) / 2
    sides = (x, -x) if both else (ONE_SIDE,)
    return np.array([[side, y, (upper + lower) / 2] for side in sides])


def contact_of(state: flow.State) -> float:
    """Return the contact, 0 to 1, of the `axisymmetric.Plug` that reaches as far from endplate to endplate.

    Compared is the mean height of the cement over the taller half of the area that it takes up, as a share of the
    body's height there. Where more than half of the pores is filled counts. A single thread that touches both
    endplates therefore makes no contact.
    """
    filled = (state.saturation > 0.5).sum(axis=2)
    inside = state.bone.inside.sum(axis=2)
    # Columns under the edge are low: one that is filled there reaches nothing.
    tall = inside >= 0.7 * np.median(inside[inside > 0])
    shares = np.sort((filled / np.maximum(inside, 1))[tall & (filled > 0)])
    volume = _scaled_volume(state)
    if not len(shares) or volume < LEAST_PLUG:
        return 0.0
    reached = float(shares[len(shares) // 2 :].mean())

    def missing(contact: float) -> float:
        return _reach(axisymmetric.form(axisymmetric.Plug(volume, contact))) - reached

    if missing(0.0) >= 0:
        return 0.0
    return 1.0 if missing(1.0) <= 0 else float(brentq(missing, 0.0, 1.0, xtol=1e-3))


def _reach(shape: axisymmetric.Form) -> float:
    """Return the same measure of a plug: mean height over the inner half of its area, as a share of the body's."""
    half = axisymmetric.material("body height") / 2 - axisymmetric.material("endplate thickness")
    area = (np.arange(64) + 0.5) / 128  # share of the plug's area that lies further in
    height = shape.tall * (1 - area ** (shape.power / 2)) ** (1 / shape.power)
    return float(np.minimum(height / half, 1).mean())


def _scaled_volume(state: flow.State) -> float:
    """Return the cement's volume in the axisymmetric body, mL: the same share of it is filled."""
    own = float(state.bone.inside.sum()) * state.bone.spacing**3 / 1000
    return min(state.filled / own * axisymmetric.body_volume(), axisymmetric.largest_plug())


def plug_of(state: flow.State, contact: float) -> axisymmetric.Plug | None:
    """Return the axisymmetric model's plug for a state, None if there is hardly any cement."""
    volume = _scaled_volume(state)
    return axisymmetric.Plug(round(volume, 2), round(contact, 2)) if volume >= LEAST_PLUG else None


def _shared(level: str, shape: Shape) -> Vertebra:
    # The one object that a spine holds as well: what is once computed of a vertebra (its landmarks) is kept in it.
    return Spine((level,), {level: shape}).vertebrae[level]


@lru_cache(maxsize=32)
def _inflated(vertebra: Vertebra, both: bool, millilitres: float, bone_volume: float, weeks: float) -> Inflation:
    # The balloons' front ends lie ahead of where a needle for cement would end: their middles are where cement goes.
    tips = places(vertebra, both) + np.array([0, AHEAD * vertebra.dimensions.upper_depth, 0])
    return inflate(vertebra, tips, millilitres, BALLOON, bone_volume, weeks)


def _check(name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"procedure is {name!r}; it is one of {', '.join(NAMES)}")


def _arm(name: str, setting: Setting) -> tuple[Vertebra, Inflation | None, FloatArray]:
    """Return what cement is injected into: the vertebra, its inflation, and the tips (n, 3)."""
    vertebra = setting.vertebra
    if name == NAMES[0]:
        return vertebra, None, places(vertebra, setting.both)
    made = _inflated(vertebra, setting.both, setting.balloon, setting.bone_volume, setting.weeks)
    settled = _shared(setting.level, made.settled.shape)
    return settled, made, np.array([cavity.centre for cavity in made.cavities])


def _fits(millilitres: float, pores: float) -> None:
    room = flow.FULL * pores
    if millilitres > room:
        most = np.floor(10 * room) / 10  # what is named must fit
        raise ValueError(
            f"volume is {millilitres:g} mL, but this body has room for {most:.1f} mL of cement; choose less"
        )


def _cavities(inflation: Inflation | None) -> tuple[Cavity, ...]:
    return inflation.cavities if inflation else ()


@lru_cache(maxsize=8)
def compare(setting: Setting, spacing: float = 2.0) -> tuple[Arm, Arm]:
    """Return both arms, vertebroplasty first. Raises ValueError for what a model refuses, in its own words."""
    return perform("vertebroplasty", setting, spacing), perform("balloon kyphoplasty", setting, spacing)


def perform(name: str, setting: Setting, spacing: float = 2.0) -> Arm:
    """Return one arm: one of `NAMES`, on voxels of `spacing` mm."""
    _check(name)
    vertebra, inflation, tips = _arm(name, setting)
    medium = bone(vertebra, setting.bone_volume, spacing)
    made = flow.Injection(tuple(map(tuple, tips)), cement=setting.cement, mixed=setting.injection_age, room=ROOM)
    states = [flow.begin(medium, made, _cavities(inflation))]
    _fits(setting.volume, float(states[0].medium.pores.sum()) * 1e6)
    for _ in range(STEPS):
        further = flow.advance(states[-1], setting.volume / STEPS, 1)
        if further.syringe_pressure > HAND_LIMIT:
            break
        states.append(further)
    return Arm(name, setting, vertebra, tuple(states), inflation)


@dataclass(frozen=True, eq=False)
class Draft:
    """What is shown while a control moves: the vertebra, the balloon's work, and cement as mere balls."""

    vertebra: Vertebra
    inflation: Inflation | None
    cement: Block


# What a sketch of either arm depends on: while another control moves, it stays as it is.
SKETCHED = {
    NAMES[0]: ("level", "fracture", "loss", "bone_volume", "volume", "both"),
    NAMES[1]: ("level", "fracture", "loss", "bone_volume", "volume", "both", "weeks", "balloon"),
}


def draft(name: str, setting: Setting) -> Draft:
    """Return one arm as a quick sketch: the same volume of cement in even bone, without flow. Cached."""
    _check(name)
    return _drafted(name, Setting(**{field: getattr(setting, field) for field in SKETCHED[name]}))


@lru_cache(maxsize=32)
def _drafted(name: str, setting: Setting) -> Draft:
    vertebra, inflation, tips = _arm(name, setting)
    medium = bone(vertebra, setting.bone_volume, ROUGH, None)
    pores = medium.porosity.copy()
    for cavity in _cavities(inflation):
        pores[medium.inside] = np.where(cavity.level(medium.points) < 1, 1.0, pores[medium.inside])
    _fits(setting.volume, float(pores.sum()) * ROUGH**3 / 1000)
    filled = flow.preview(medium, tips.tolist(), setting.volume, _cavities(inflation))
    excess = attenuation(flow.RADIOPAQUE, KEV) - attenuation("fat marrow", KEV)
    return Draft(vertebra, inflation, Block((filled * pores * excess).astype(np.float32), medium.affine))
