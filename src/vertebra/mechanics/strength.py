"""How much a body bears: bone and cement that soften to perfect plasticity, and the load at a stated shortening.

Linear "first yield" is no strength of a cemented body: the strain peaks at the cement's edge make cement look harmful.
Here every place keeps carrying its yield stress, and the load is shared out anew until all agree (secant iteration).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vertebra.mechanics.axisymmetric import (
    Segment,
    cement,
    compress,
    laws,
    material,
    moduli,
    plate_force,
    stack,
)
from vertebra.mechanics.elasticity import Floats

STEPS = 60  # of the iteration at most


@dataclass(frozen=True, eq=False)
class Crush:
    """A body that bears no more: its `strength`, N, and the share (m,) of its stiffness each element has `kept`."""

    segment: Segment
    strength: float
    kept: Floats
    solves: int


@lru_cache(maxsize=128)
def crush(segment: Segment, size: float = 0.75, tolerance: float = 1e-3) -> Crush:
    """Return the strength of a treated body alone between two plates, at the shortening of `materials/mechanics.csv`.

    An element yields when its equivalent strain passes the yield strain of bone, or of bone mixed with cement. The
    iteration ends when the force changes by less than `tolerance` of itself from one solve to the next.
    """
    found = stack(False, size)
    share = cement(segment.plug, False, size) if segment.plug else np.zeros(len(found.region))
    elastic = moduli(segment, found, share)
    bone = material("bone yield strain")
    yielding = bone + share * (material("cement yield strain") - bone)
    shortening = material("strength strain") * found.height
    kept = np.ones(len(elastic))
    force, was, solves = 1.0, np.inf, 0
    while abs(force - was) >= tolerance * force and solves < STEPS:
        solves += 1
        solution = compress(found, laws(found, elastic * kept), shortening)
        was, force = force, plate_force(found, solution)
        kept = np.minimum(1, yielding / np.maximum(equivalent_strain(solution.strain), 1e-12))
    return Crush(segment, force, kept, solves)


def equivalent_strain(strain: Floats) -> Floats:
    """Return the strain (...,) in simple compression that is as severe as strains (..., 4): the von Mises measure."""
    rr, zz, hoop, shear = np.moveaxis(strain, -1, 0)
    nu = material("trabecular Poisson's ratio")
    distortion = ((rr - zz) ** 2 + (zz - hoop) ** 2 + (hoop - rr) ** 2) / 2 + 0.75 * shear**2
    return np.asarray(np.sqrt(distortion) / (1 + nu))
