"""Build `assets/materials/attenuation.csv`: linear attenuation of what an X-ray of the spine meets, 30 to 120 keV.

Coefficients are the Elam tables (Elam, Ravel, Sieber, Radiat Phys Chem 2002;63:121) in the package xraydb (MIT), which
is needed for this build only: `pip install xraydb`, then `python tools/build_attenuation.py`. The mixture rule is
mu = density * sum of mass fraction * (mu/rho) of each element. Cement is PMMA with barium sulphate by mass; its
density follows from adding the volumes of the two.
"""

import csv
from pathlib import Path

import xraydb

TARGET = Path(__file__).parents[1] / "assets" / "materials" / "attenuation.csv"
# The K edge of barium lies at 37.441 keV: a row on each side keeps interpolation from smearing it.
ENERGIES = (30, 32.5, 35, 37.43, 37.45, 40, 45, 50, 55, 60, 65, 70, 75, 80, 90, 100, 110, 120)
ICRU44 = "ICRU-44 composition as in NIST SRD 126 table 2"
COPY = "composition read in two public copies of the table, not at NIST"

# name: (density in g/cm3, mass fractions, source of the composition, what was checked)
MATERIALS: dict[str, tuple[float, dict[str, float], str, str]] = {
    "water": (1.0, {"H": 0.111894, "O": 0.888106}, "H2O", "computed from the formula"),
    "air": (
        0.001205,
        {"C": 0.000124, "N": 0.755268, "O": 0.231781, "Ar": 0.012827},
        "dry air as in NIST SRD 126 table 2",
        "composition read in one public copy of the table, not at NIST",
    ),
    "soft tissue": (
        1.06,
        {"H": 0.102, "C": 0.143, "N": 0.034, "O": 0.708, "Na": 0.002, "P": 0.003, "S": 0.003, "Cl": 0.002, "K": 0.003},
        ICRU44,
        "composition read in one public copy of the table, not at NIST",
    ),
    "cortical bone": (
        1.92,
        {"H": 0.034, "C": 0.155, "N": 0.042, "O": 0.435, "Na": 0.001, "Mg": 0.002, "P": 0.103, "S": 0.003, "Ca": 0.225},
        ICRU44,
        COPY,
    ),
    "red marrow": (
        1.03,
        {"H": 0.105, "C": 0.414, "N": 0.034, "O": 0.439, "P": 0.001, "S": 0.002, "Cl": 0.002, "K": 0.002, "Fe": 0.001},
        "adult marrow as tabulated in public Monte Carlo code",
        "composition read in one public copy; its paper not read",
    ),
    "fat marrow": (
        0.98,
        {"H": 0.115, "C": 0.644, "N": 0.007, "O": 0.231, "Na": 0.001, "S": 0.001, "Cl": 0.001},
        "adult marrow as tabulated in public Monte Carlo code",
        "composition read in two public copies that differ in 0.3 % of salts; their paper not read",
    ),
    "steel": (
        8.0,
        {"Fe": 0.71, "Cr": 0.19, "Ni": 0.095, "Si": 0.005},
        "nominal AISI 304",
        "unchecked",
    ),
}
PMMA_DENSITY, BARIUM_SULPHATE_DENSITY = 1.18, 4.5


def fractions(formula: str) -> dict[str, float]:
    """Return the mass fraction of each element of a chemical formula."""
    masses = {name: count * xraydb.atomic_mass(name) for name, count in xraydb.chemparse(formula).items()}
    return {name: mass / sum(masses.values()) for name, mass in masses.items()}


def cement(share: float) -> tuple[float, dict[str, float]]:
    """Return density and mass fractions of PMMA with a share (by mass) of barium sulphate."""
    mixed = {name: (1 - share) * part for name, part in fractions("C5H8O2").items()}
    for name, part in fractions("BaSO4").items():
        mixed[name] = mixed.get(name, 0.0) + share * part
    return 1 / ((1 - share) / PMMA_DENSITY + share / BARIUM_SULPHATE_DENSITY), mixed


def main() -> None:
    """Write the table."""
    materials = dict(MATERIALS)
    for share in (0.0, 0.1, 0.3):
        density, mixed = cement(share)
        name = f"PMMA + {share:.0%} BaSO4".replace("%", " %") if share else "PMMA"
        materials[name] = (density, mixed, "C5H8O2 and BaSO4, volumes added", "computed from the formulas")
    coefficients = f"Elam tables, xraydb {xraydb.__version__}"
    with TARGET.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["material", "energy_keV", "mu_per_mm", "density_g_per_cm3", "source", "checked"])
        for name, (density, mixed, source, checked) in materials.items():
            assert abs(sum(mixed.values()) - 1) < 2e-3, name
            for energy in ENERGIES:
                mu = density * sum(w * xraydb.mu_elam(element, energy * 1000) for element, w in mixed.items()) / 10
                row = [name, f"{energy:g}", f"{mu:.6g}", f"{density:.4g}", f"{source}; {coefficients}", checked]
                writer.writerow(row)


if __name__ == "__main__":
    main()
