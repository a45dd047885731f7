"""How a vertebra is deformed: every fracture, and every mimic, is a few numbers.

Wedge, biconcave and crush are the forms of [genant1993]; the rest, and how far a fragment, a step or a node stands out,
is drawn after common teaching [unreferenced].
"""

from dataclasses import dataclass, field, fields
from numbers import Real

BULGE_MM = 7.0  # how far a wholly broken posterior wall stands in the canal, unless `retropulsion` says; drawn


@dataclass(frozen=True)
class Shape:
    """What is broken or deformed in one vertebra. `Shape()` is a normal one.

    Losses (`anterior`, `middle`, `posterior`) are shares of the vertebra's own normal height at that place.
    `superior_share` is the part of the loss taken by the superior endplate (1 all, 0 none); `wall` the share of the
    posterior wall that is broken out, from its top downwards; `retropulsion` how far it stands in the canal (mm; None:
    7 mm times `wall`; 0: the piece is missing, a hole in the wall). `lateral` tilts the loss: +1 puts all of it on the
    right side, -1 on the left. `buckling` is how much the cortex folds where height is lost (1 a fracture, 0 a vertebra
    that grew so). `breach` is the radius (mm) of a hole in the superior endplate, `cleft` the height (mm) of a void
    inside the body, `split` how far (mm) a transverse split gapes at the posterior wall, `irregularity` the
    unevenness of both endplates (mm), `node` the depth (mm) of a dent in both endplates, `limbus` the size (mm) of a
    separate anterior superior corner. Raises ValueError for a value out of range; values that no vertebra can
    take together, such as a split above a body that has collapsed, are refused by `Vertebra`.
    """

    anterior: float = field(default=0.0, metadata={"limit": 0.7})
    middle: float = field(default=0.0, metadata={"limit": 0.7})
    posterior: float = field(default=0.0, metadata={"limit": 0.6})
    wall: float = field(default=0.0, metadata={"limit": 1.0})
    superior_share: float = field(default=1.0, metadata={"limit": 1.0})
    retropulsion: float | None = field(default=None, metadata={"limit": 10.0})
    lateral: float = field(default=0.0, metadata={"limit": 1.0, "least": -1.0})
    buckling: float = field(default=1.0, metadata={"limit": 1.0})
    breach: float = field(default=0.0, metadata={"limit": 5.0})
    cleft: float = field(default=0.0, metadata={"limit": 8.0})
    split: float = field(default=0.0, metadata={"limit": 8.0})
    irregularity: float = field(default=0.0, metadata={"limit": 1.5})
    node: float = field(default=0.0, metadata={"limit": 6.0})
    limbus: float = field(default=0.0, metadata={"limit": 10.0})

    def __post_init__(self) -> None:
        for each in fields(self):
            value, least, limit = getattr(self, each.name), each.metadata.get("least", 0.0), each.metadata["limit"]
            if value is None and each.default is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Real) or not least <= value <= limit:
                raise ValueError(f"{each.name} is {value!r}; give a number from {least:g} to {limit:g}")
            # A number of numpy's double precision would draw all that is computed with it into double precision.
            object.__setattr__(self, each.name, float(value))

    @property
    def displacement(self) -> float:
        """How far the broken posterior wall stands in the canal, mm."""
        if self.retropulsion is None:
            return BULGE_MM * self.wall
        return self.retropulsion if self.wall else 0.0

    @property
    def missing_wall(self) -> float:
        """Share of the posterior wall that is not there, from its top downwards."""
        return self.wall if self.retropulsion == 0 else 0.0


def wedge(loss: float) -> Shape:
    """Return a wedge fracture: `loss` in front, six tenths of it in the middle, none behind."""
    return Shape(loss, 0.6 * loss, 0.0)


def biconcave(loss: float) -> Shape:
    """Return a biconcave fracture: `loss` in the middle, shared by both endplates, a tenth of it in front."""
    return Shape(0.1 * loss, loss, 0.0, superior_share=0.55)


def crush(loss: float) -> Shape:
    """Return a crush fracture: `loss` everywhere, a tenth less behind."""
    return Shape(loss, loss, 0.9 * loss, superior_share=0.8)


def burst(loss: float, retropulsion: float, wall: float = 0.55) -> Shape:
    """Return a burst fracture: `loss` in front, half of it behind, a fragment `retropulsion` mm into the canal."""
    return Shape(loss, 0.85 * loss, 0.5 * loss, wall, superior_share=0.9, retropulsion=retropulsion)


def chance(opening: float = 4.0) -> Shape:
    """Return a transverse split through body and arch that gapes `opening` mm at the posterior wall."""
    return Shape(split=opening)


def breach(radius: float = 3.0, loss: float = 0.0) -> Shape:
    """Return a hole in the superior endplate, `radius` mm, in a wedge of `loss` (none without)."""
    return Shape(loss, 0.6 * loss, 0.0, breach=radius)


def wall_defect(share: float = 0.5, loss: float = 0.0) -> Shape:
    """Return a hole in the posterior wall as high as `share` of it, in a wedge of `loss` (none without)."""
    return Shape(loss, 0.6 * loss, 0.0, wall=share, retropulsion=0.0)


def cleft(height: float = 4.0, loss: float = 0.0) -> Shape:
    """Return a void `height` mm high inside the body, in a wedge of `loss` (none without)."""
    return Shape(loss, 0.6 * loss, 0.0, cleft=height)


def lateral_collapse(loss: float, side: str = "right") -> Shape:
    """Return a collapse of one side: `loss` in the midsagittal plane, more on `side` and less on the other."""
    if side not in ("left", "right"):
        raise ValueError(f"side is {side!r}; give 'left' or 'right'")
    return Shape(loss, loss, 0.8 * loss, lateral=0.7 if side == "right" else -0.7)


def scheuermann(loss: float = 0.1) -> Shape:
    """Return a wedge that grew, with uneven endplates: Scheuermann's disease, a mimic.

    With what is normally wedged, 0.1 stays below a fifth of the height at every level; more may read as a fracture.
    """
    return Shape(loss, 0.6 * loss, 0.0, superior_share=0.5, buckling=0.0, irregularity=1.2)


def physiological_wedge(loss: float = 0.08) -> Shape:
    """Return the slight wedging that is normal about the thoracolumbar junction, a mimic."""
    return Shape(loss, 0.5 * loss, 0.0, superior_share=0.5, buckling=0.0)


def schmorl(depth: float = 4.0) -> Shape:
    """Return a dent `depth` mm deep in both endplates, behind the middle: Schmorl's nodes, a mimic."""
    return Shape(node=depth, buckling=0.0)


def limbus(size: float = 7.0) -> Shape:
    """Return a separate anterior superior corner, `size` mm: a limbus vertebra, a mimic."""
    return Shape(limbus=size, buckling=0.0)


def kuemmell(loss: float = 0.4, height: float = 5.0) -> Shape:
    """Return a late collapse around a cleft that holds gas: Kuemmell's disease."""
    return Shape(loss, 0.8 * loss, 0.1 * loss, cleft=height)
