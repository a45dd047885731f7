"""How fast cement flow solves for the pressure: conjugate gradients against sparse direct solves and OpenPNM.

The problem is the pressure in the body of an osteoporotic L1, half way through 5 mL of cement a thousand times as thick
as marrow, with all its ways out: the same cells, the same conductances between them, the same injection for everyone.
`scipy.sparse.linalg.spsolve` (SuperLU) gets the assembled matrix. OpenPNM gets the cells as the pores of a network and
the conductances as those of its throats, and runs its StokesFlow with whatever solver it chooses and with SciPy's
conjugate gradients; its time includes what it does to build its own matrix, ours to build ours. We start from the
pressure before, as in a run, and for comparison from rest. Setting up is not timed for anyone; the time is the best of
`--repeats`. Agreement is the largest difference of pressure from the direct solution, as a share of its range.

OpenPNM is optional, and is best given an environment of its own: `pip install openpnm==3.6.4`.
Run `python bench/cement.py` (`--repeats`, default 5; `--spacing`, mm, default 1.5). The last line is how many times as
fast our solve is as the fastest peer; the line above says which.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import spsolve

from vertebra.cement.bone import bone
from vertebra.cement.flow import TOLERANCE, Injection, State, advance, begin, conjugate_gradients, inject, system
from vertebra.spine.shape import breach
from vertebra.spine.vertebra import Vertebra

TIP = (9.0, 4.0, -3.0)
VISCOSITY = 100.0  # Pa s
Solve = Callable[[], Any]


def openpnm(state: State, solver: str | None) -> Solve:
    """Return OpenPNM's solve: cells and the far ends of the ways out are pores, conductances are throats."""
    import openpnm as op

    s, m = system(state), state.medium
    n, ends = len(m.cells), len(m.ends)
    h = state.bone.spacing * 1e-3
    network = op.network.Network(
        coords=np.concatenate([m.cells * h, m.cells[m.ends] * h + h / 2]),
        conns=np.concatenate([np.stack([m.first, m.second], axis=1), np.stack([m.ends, n + np.arange(ends)], axis=1)]),
    )
    phase = op.phase.Phase(network=network)
    phase["throat.hydraulic_conductance"] = np.concatenate([s.faces, s.ways])
    at_tip = np.flatnonzero(s.source)

    def solve() -> Any:
        flow = op.algorithms.StokesFlow(network=network, phase=phase)
        flow.set_value_BC(pores=n + np.arange(ends), values=m.ambient[m.way])
        flow.set_rate_BC(pores=at_tip, rates=s.source[at_tip])
        flow.run(solver=getattr(op.solvers, solver)(tol=1e-8) if solver else None, verbose=False)
        return flow["pore.pressure"][:n]

    return solve


def timed(solve: Solve, repeats: int) -> tuple[Any, float]:
    """Return the solution and the best time, s."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = solve()
        times.append(time.perf_counter() - start)
    return found, min(times)


def main() -> None:
    """Measure whoever is installed, print a line each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--spacing", type=float, default=1.5)
    arguments = parser.parse_args()
    body = bone(Vertebra("L1", breach(3.0, 0.3)), 0.07, arguments.spacing)
    injection = Injection((TIP,), cement=VISCOSITY)
    state = advance(begin(body, injection), 2.5, 6)
    cells = len(state.medium.cells)
    print(f"{cells} cells of {arguments.spacing:g} mm, {len(state.medium.first)} faces, {VISCOSITY:g} Pa s against 0.1")

    def ours(guess: Any) -> Solve:
        def solve() -> Any:
            s = system(state)
            return conjugate_gradients(s.matrix, s.right, guess, s.precondition, s.source.sum() * TOLERANCE)[0]

        return solve

    def direct() -> Any:
        s = system(state)
        return spsolve(s.matrix.tocsc(), s.right)

    solves = {
        "vertebra": ours(state.guess),
        "vertebra, from rest": ours(np.full(cells, 1000.0)),
        "scipy spsolve": direct,
    }
    if importlib.util.find_spec("openpnm"):
        solves |= {"OpenPNM StokesFlow": openpnm(state, None), "OpenPNM with ScipyCG": openpnm(state, "ScipyCG")}
    else:
        print("OpenPNM is not installed; see the first lines of this file")
    found = {name: timed(solve, arguments.repeats) for name, solve in solves.items()}
    reference = found["scipy spsolve"][0]
    for name, (pressure, seconds) in found.items():
        off = np.abs(pressure - reference).max() / np.ptp(reference)
        print(f"{name}: {seconds * 1e3:.1f} ms, off by {off:.1e}")
    _, whole = timed(lambda: inject(body, injection, 5.0), arguments.repeats)
    print(f"a whole run of 5 mL, 12 pressures: {whole * 1e3:.0f} ms")
    fastest = min((name for name in found if not name.startswith("vertebra")), key=lambda name: found[name][1])
    print(f"vertebra against {fastest}:")
    print(f"{found[fastest][1] / found['vertebra'][1]:.1f}x")


if __name__ == "__main__":
    main()
