"""How fast the motion segment is solved: vertebra's own elements against scikit-fem on the same mesh.

Two bodies, their disc and a plug of cement as one solid of revolution. Ours are four-noded B-bar elements in a banded
Cholesky factorisation. scikit-fem gets the same points and the same laws twice: with bilinear elements, which have the
same unknowns (it is timed with these; without B-bar they lock in the nucleus, and the stiffness shows it), and with
quadratic ones, which do not lock and say how right the stiffness is. Timed are assembly and solution; setting up the
mesh is not timed for anyone. The time is the best of `--repeats`.

The peer is optional: pip install scikit-fem==12.0.2
Without it a plain loop over the elements and scipy's sparse solver stand in. Run `python bench/mechanics.py`
(`--repeats`, default 5; `--size` of the elements in mm, default 1 as in the course). The last line is how many times as
fast ours is as the peer with the same unknowns; the line above says which peer that is.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from vertebra.mechanics.axisymmetric import (
    Plug,
    Segment,
    Stack,
    cement,
    compress,
    laws,
    moduli,
    plate_force,
    stack,
)
from vertebra.mechanics.elasticity import Floats

SEGMENT = Segment(0.07, 0.3, Plug(6, 1))

Peer = Callable[[], float]  # returns the stiffness, N/mm


def scikit_fem(found: Stack, law: Floats, quadratic: bool) -> tuple[Peer, int]:
    """Return scikit-fem's solution of the segment and how many unknowns it has."""
    import skfem

    mesh = skfem.MeshQuad(found.mesh.points.T.copy(), found.mesh.quads.T.copy())
    element = skfem.ElementQuad2() if quadratic else skfem.ElementQuad1()
    basis = skfem.Basis(mesh, skfem.ElementVector(element), intorder=4 if quadratic else 2)
    # It may number elements in another order: each takes the law of the place where it lies.
    centres = mesh.p[:, mesh.t].mean(axis=1).T
    order = [int(np.argmin(((found.mesh.centres - centre) ** 2).sum(axis=1))) for centre in centres]
    hooke = law[order].transpose(1, 2, 0)

    def strain(u: Floats, r: Floats) -> Floats:
        return np.stack([u.grad[0, 0], u.grad[1, 1], u[0] / r, u.grad[0, 1] + u.grad[1, 0]])

    @skfem.BilinearForm
    def energy(u: Floats, v: Floats, w: dict[str, Floats]) -> Floats:
        r = w.x[0]
        return 2 * np.pi * r * (strain(v, r) * np.einsum("ste,tek->sek", hooke, strain(u, r))).sum(axis=0)

    bottom = basis.get_dofs(lambda x: np.isclose(x[1], 0)).all(["u^2"])
    top = basis.get_dofs(lambda x: np.isclose(x[1], found.height)).all(["u^2"])
    axis = basis.get_dofs(lambda x: np.isclose(x[0], 0)).all(["u^1"])

    def run() -> float:
        k = energy.assemble(basis)
        u = basis.zeros()
        u[top] = -1.0
        u = skfem.solve(*skfem.condense(k, x=u, D=np.concatenate([bottom, top, axis])))
        return float(u @ (k @ u))

    return run, int(basis.N)


def loop(found: Stack, law: Floats) -> Peer:
    """Return a solution with the same elements, assembled one by one."""
    b, volume = found.mesh.quadrature
    dofs, n = found.mesh.dofs, found.mesh.points.size

    def run() -> float:
        rows, columns, entries = [], [], []
        for element in range(len(dofs)):
            k = sum(volume[element, g] * b[element, g].T @ law[element] @ b[element, g] for g in range(4))
            for i in range(8):
                for j in range(8):
                    rows.append(dofs[element, i])
                    columns.append(dofs[element, j])
                    entries.append(k[i, j])
        k = coo_array((entries, (rows, columns)), shape=(n, n)).tocsr()
        u = np.zeros(n)
        u[2 * found.top + 1] = -1.0
        held = np.concatenate([2 * found.bottom + 1, 2 * found.top + 1, 2 * found.axis])
        free = np.setdiff1d(np.arange(n), held)
        u[free] = spsolve(k[free][:, free].tocsc(), -(k @ u)[free])
        return float(u @ (k @ u))

    return run


def timed(run: Peer, repeats: int) -> tuple[float, float]:
    """Return the stiffness and the best time, s."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        stiffness = run()
        times.append(time.perf_counter() - start)
    return stiffness, min(times)


def main() -> None:
    """Measure ours and whoever is installed, print a line each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--size", type=float, default=1.0)
    given = parser.parse_args()
    found = stack(True, given.size)
    law = laws(found, moduli(SEGMENT, found, cement(SEGMENT.plug, True, given.size)))
    unknowns = found.mesh.points.size
    print(f"{len(found.mesh.quads)} elements, {unknowns} unknowns, a band of {found.mesh.band[2]}")

    runs: dict[str, tuple[Peer, int]] = {
        "vertebra, Q4 B-bar": (lambda: plate_force(found, compress(found, law, 1.0)), unknowns)
    }
    peer = "a plain loop over the elements"
    if importlib.util.find_spec("skfem"):
        peer = "scikit-fem, bilinear"
        runs[peer] = scikit_fem(found, law, quadratic=False)
        runs["scikit-fem, quadratic"] = scikit_fem(found, law, quadratic=True)
    else:
        runs[peer] = (loop(found, law), unknowns)
        print("scikit-fem is not installed: see the first lines of this file")
    results = {name: timed(run, given.repeats) for name, (run, _) in runs.items()}
    ours = results["vertebra, Q4 B-bar"]
    for name, (stiffness, seconds) in results.items():
        apart = 100 * (stiffness / ours[0] - 1)
        print(f"{name}: {1000 * seconds:.1f} ms, {runs[name][1]} unknowns, {stiffness:.1f} N/mm ({apart:+.2f} %)")
    print(f"ours against {peer}:")
    print(f"{results[peer][1] / ours[1]:.1f}x")


if __name__ == "__main__":
    main()
