"""Midsagittal MRI pictures computed from the real CT, and what MRI signs of malignancy are worth.

No fracture MRI with an open licence was found. So each pixel of a sagittal slice of the CT (`imaging.ct`, or a
fractured variant of it, `imaging.collapse`) is given shares of tissues, and each tissue a signal by the equations of
the spin echo and of inversion recovery, with the T1, T2 and proton density of `assets/materials/mri.csv`.

Real: the anatomy. Computed: the fracture's shape and every grey value. Drawn by a rule of this course: where oedema,
tumour, pus and fluid lie, and how much of each there is [unreferenced]. Left out: coil, motion, flow, chemical shift,
contrast medium, the disc height that an infection takes, fracture lines, and how different patients are.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from vertebra import assets
from vertebra.imaging import collapse, ct

FloatArray = NDArray[np.float64]

NOTE = "Computed from a CT, not an MRI."
"""What must stand beside every picture of this module."""

# --- signal ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tissue:
    """Proton density (share of water's), T1 and T2 in ms at 1.5 tesla."""

    proton_density: float
    t1: float
    t2: float


@cache
def tissues() -> Mapping[str, Tissue]:
    """Return the tissues of `assets/materials/mri.csv` by name."""
    rows = csv.DictReader(io.StringIO(assets.read_text("materials/mri.csv")))
    return MappingProxyType(
        {row["tissue"]: Tissue(float(row["proton_density"]), float(row["t1_ms"]), float(row["t2_ms"])) for row in rows}
    )


@dataclass(frozen=True)
class Sequence:
    """A spin echo: repetition time TR, echo time TE and, of an inversion recovery, inversion time TI, in ms.

    Raises ValueError for times that can't follow one another.
    """

    tr: float
    te: float
    ti: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.te < self.tr:
            raise ValueError(f"TE is {self.te} ms and TR {self.tr} ms; the echo time lies between 0 and TR")
        if self.ti is not None and not 0 < self.ti < self.tr - self.te:
            raise ValueError(f"TI is {self.ti} ms; the inversion time lies between 0 and TR - TE")

    def magnetisation(self, tissue: Tissue) -> float:
        """Return a tissue's transverse magnetisation at the echo; negative if it is still inverted."""
        recovered = np.exp(-self.tr / tissue.t1)
        flipped = 0.0 if self.ti is None else 2 * (np.exp(-self.ti / tissue.t1) - recovered)
        along = 1 - recovered - flipped
        return float(tissue.proton_density * along * np.exp(-self.te / tissue.t2))


def null_time(t1: float, tr: float) -> float:
    """Return the inversion time (ms) at which a tissue of this T1 gives no signal: T1 (ln 2 - ln(1 + exp(-TR/T1)))."""
    if not (t1 > 0 and tr > 0):
        raise ValueError(f"T1 is {t1} ms and TR {tr} ms; both are above 0")
    return float(t1 * (np.log(2) - np.log1p(np.exp(-tr / t1))))


@cache
def sequences() -> Mapping[str, Sequence]:
    """Return "T1" (spin echo) and "STIR" (short-tau inversion recovery, its TI chosen so that fat gives no signal)."""
    stir = Sequence(4500, 50, null_time(tissues()["fat"].t1, 4500))
    return MappingProxyType({"T1": Sequence(550, 12), "STIR": stir})


def signal(shares: Mapping[str, ArrayLike], sequence: Sequence) -> FloatArray:
    """Return the magnitude of the signal of mixtures: `shares` gives each tissue's share (...) of the voxels.

    Within a voxel magnetisations add with their sign, as a spin echo brings fat and water back in phase.
    Raises ValueError for an unknown tissue.
    """
    known = tissues()
    total: FloatArray = np.zeros(())
    for name, share in shares.items():
        if name not in known:
            raise ValueError(f"tissue {name!r} is not in materials/mri.csv; it has {', '.join(known)}")
        total = total + np.asarray(share, dtype=float) * sequence.magnetisation(known[name])
    return np.abs(total)


# --- tissues of a slice ----------------------------------------------------------------------------------------------

FAT = 0.55  # share of fat in healthy marrow at this age [unreferenced]
MARROW_HU, CORTEX_HU = 230.0, 650.0  # a voxel of the CT counts as marrow below, as cortex above; the rest is a mixture
VESSELS = ("aorta", "inferior vena cava")  # blood flows too fast in them to be read
CONUS = "L1"  # below the middle of this level the sac holds roots in fluid
_WEDGE = (0.40, 0.30, 0.05)
LOSSES: Mapping[
    str, tuple[float, float, float] | None
] = {  # of anterior, middle and posterior height; none: the CT as it is
    "normal": None,
    "acute": _WEDGE,
    "subacute": _WEDGE,
    "old": _WEDGE,
    "malignant": (0.30, 0.36, 0.12),
    "infective": None,
}
PATTERNS = tuple(LOSSES)
Pattern = Literal["normal", "acute", "subacute", "old", "malignant", "infective"]
WIDTH, ABOVE, BELOW, PITCH = 92.0, 74.0, 54.0, 0.5  # of a picture, above and below the level's middle; mm
SLICE = (-1.6, 0.0, 1.6)  # mm to either side over which a slice is averaged


@dataclass(frozen=True, eq=False)
class Section:
    """Tissues of one sagittal slice, front on the left: each share (rows, columns), together 1 in every pixel.

    `front`, `top`: y and z (mm) of the picture's left and upper edge; `landmarks`: six points (6, 3) of each level.
    """

    pattern: str
    level: str
    shares: Mapping[str, FloatArray]
    landmarks: Mapping[str, FloatArray]
    front: float
    top: float

    def pixels(self, points: ArrayLike) -> FloatArray:
        """Return points (n, 3) in pixels (n, 2), column and row."""
        at = np.atleast_2d(np.asarray(points, dtype=float))
        return np.column_stack([(self.front - at[:, 1]) / PITCH, (self.top - at[:, 2]) / PITCH])


def _smooth(value: FloatArray) -> FloatArray:
    """Return 0 below 0, 1 above 1, and a smooth step between."""
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)


def _within(six: FloatArray, y: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where pixels lie in a body: forwards from back (0) to front (1), down from endplate to endplate."""
    back, front = six[[2, 5], 1:].mean(axis=0), six[[0, 3], 1:].mean(axis=0)
    depth = float(np.linalg.norm(front - back))
    along = (front - back) / depth
    up = np.array([-along[1], along[0]])

    def own(points: FloatArray) -> tuple[FloatArray, FloatArray]:
        return (points - back) @ along / depth, (points - back) @ up

    forward, height = own(np.stack([y, z], axis=-1))
    edges = []
    for points in (six[:3], six[3:]):
        # A parabola through the three points; beyond them it would run away, so it ends where they end.
        curve = np.polyfit(*own(points[:, 1:]), 2)
        edges.append(np.polyval(curve, np.clip(forward, 0, 1)))
    return forward, (edges[0] - height) / (edges[0] - edges[1])


@lru_cache(maxsize=2)
def _variant(level: str, losses: tuple[float, float, float]) -> collapse.CollapsedCT:
    """Return a fractured variant; several patterns have the same shape."""
    return collapse.collapsed(level, *losses)


def section(pattern: Pattern = "normal", level: str = "L1", offset: float = 0.0) -> Section:
    """Return the tissues of the slice along the spine's midline, or `offset` mm to the patient's right of it.

    `pattern` is one of `PATTERNS`; an infection lies in the disc above `level`.
    Raises ValueError for another pattern, a level without a whole neighbour above and below, or an offset beyond 40 mm.
    """
    if pattern not in LOSSES:
        raise ValueError(f"there is no pattern {pattern!r}; give one of {', '.join(PATTERNS)}")
    if level not in ct.LEVELS[1:-1]:
        raise ValueError(f"level is {level!r}; give one of {', '.join(ct.LEVELS[1:-1])}")
    if not abs(offset) <= 40:
        raise ValueError(f"offset is {offset} mm; give a slice from -40 to 40 mm beside the midline")
    losses = LOSSES[pattern]
    if losses is None:
        scan, points = ct.patient(), collapse.patient_landmarks()
    else:
        variant = _variant(level, losses)
        scan, points = variant.ct, variant.landmarks
    middle = np.array([six.mean(axis=0) for six in points.values()])
    centre = points[level].mean(axis=0)
    front, top = centre[1] + 0.46 * WIDTH, centre[2] + ABOVE
    rows, columns = round((ABOVE + BELOW) / PITCH), round(WIDTH / PITCH)
    y = np.broadcast_to(front - (np.arange(columns) + 0.5) * PITCH, (rows, columns))
    z = np.broadcast_to((top - (np.arange(rows) + 0.5) * PITCH)[:, None], (rows, columns))
    # The spine curves sideways: each row is taken where its midline is.
    x = np.polynomial.Polynomial.fit(middle[:, 2], middle[:, 0], 3)(z) + offset
    grid = np.stack([x, y, z], axis=-1)
    hounsfield = np.mean([scan.image.sample(grid + np.array([side, 0, 0]), order=1) for side in SLICE], axis=0)
    place = np.moveaxis(scan.labels.to_index(grid), -1, 0)
    labels = ct.labels_at(scan.labels, ct.outlines(scan.labels), place)
    sac = ct.distance(scan.labels, "spinal cord").sample(grid, outside=9.0)
    outside = (place[2] < -0.5) | (place[2] > scan.labels.data.shape[2] - 0.5)
    vessel = np.minimum(*(ct.distance(scan.labels, name).sample(grid, outside=9.0) for name in VESSELS))
    sac, vessel = np.where(outside, 9.0, sac), np.where(outside, 9.0, vessel)
    shares = _healthy(hounsfield, labels, sac, vessel, points, y, z)
    _change(shares, pattern, level, labels, points, y, z)
    return Section(pattern, level, shares, points, float(front), float(top))


def _healthy(
    hounsfield: FloatArray,
    labels: NDArray[np.uint8],
    sac: FloatArray,
    vessel: FloatArray,
    points: Mapping[str, FloatArray],
    y: FloatArray,
    z: FloatArray,
) -> dict[str, FloatArray]:
    """Return shares of tissues by density and outline, as if nothing were wrong; `sac`, `vessel`: distances, mm."""
    shares = {name: np.zeros(hounsfield.shape) for name in tissues()}
    spine = np.isin(labels, [ct.NUMBERS[name] for name in ct.VERTEBRAE])
    bone = _smooth((hounsfield - MARROW_HU) / (CORTEX_HU - MARROW_HU))
    # Contrast medium makes vessels and organs as dense as bone; only what is neither can be bone.
    bone[(labels > 0) & ~spine] = 0
    fat = np.clip((20 - hounsfield) / 110, 0, 1)
    air = _smooth((-180 - hounsfield) / 200)
    shares["fat"], shares["muscle"] = fat * (1 - air), (1 - fat) * (1 - air)
    shares["air"] = air
    patchy = FAT + 0.05 * _grain(hounsfield.shape, 2.0)
    for name, share in (("fat", patchy), ("marrow water", 1 - patchy)):
        shares[name] = np.where(spine, share, shares[name])
    shares["muscle"][spine] = shares["air"][spine] = 0
    _put(shares, _smooth(0.5 - vessel / 2) * ~spine, {"flowing blood": 1.0})
    # The outline is the cord's above the conus and the sac's below it; around the cord there is fluid.
    around = _smooth((2.8 - sac) / 1.0) * ~spine * (hounsfield > -30)
    _put(shares, around, {"cerebrospinal fluid": 1.0})
    roots = 1 - 0.75 * _smooth((points[CONUS][:, 2].mean() - z) / 25 + 0.5)
    _put(shares, _smooth(0.2 - sac) * roots, {"spinal cord": 1.0})
    for upper, lower in zip(list(points)[:-1], list(points)[1:], strict=True):
        gap = np.vstack([points[upper][3:], points[lower][:3]])
        forward, down = _within(gap, y, z)
        disc = ~spine & (sac > 2.0) & (forward > -0.03) & (forward < 1.03) & (down > -0.3) & (down < 1.3)
        nucleus = _smooth(1.6 - 1.7 * np.sqrt(((forward - 0.48) / 0.42) ** 2 + ((down - 0.5) / 0.75) ** 2))
        _put(shares, disc.astype(float), {"annulus": 1.0})
        _put(shares, disc * nucleus, {"nucleus": 1.0})
    _put(shares, bone, {"cortical bone": 1.0})
    return shares


def _grain(shape: tuple[int, ...], size: float) -> FloatArray:
    """Return the unevenness of marrow: noise of standard deviation 1 whose patches measure about `size` mm."""
    grain = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal(shape), size / PITCH)
    return np.asarray(grain / grain.std())


def _put(shares: dict[str, FloatArray], where: ArrayLike, mixture: Mapping[str, float]) -> None:
    """Replace the share `where` (0 to 1) of each pixel by a mixture, whose parts add up to 1."""
    kept = 1 - np.asarray(where, dtype=float)
    for name in shares:
        shares[name] = shares[name] * kept + mixture.get(name, 0.0) * (1 - kept)


def _infiltrate(shares: dict[str, FloatArray], where: FloatArray, tissue: str) -> None:
    """Replace the share `where` (0 to 1) of the marrow, fat and water, by another tissue; bone stays."""
    for name in ("fat", "marrow water"):
        moved = shares[name] * where
        shares[name] = shares[name] - moved
        shares[tissue] = shares[tissue] + moved


def _change(
    shares: dict[str, FloatArray],
    pattern: str,
    level: str,
    labels: NDArray[np.uint8],
    points: Mapping[str, FloatArray],
    y: FloatArray,
    z: FloatArray,
) -> None:
    """Draw what a pattern does to the tissues, in place."""
    bone = labels == ct.NUMBERS[level]
    forward, down = _within(points[level], y, z)
    body = bone & (forward > -0.06)
    grain = _grain(y.shape, 3.0)
    if pattern in ("acute", "subacute"):
        # Oedema under the endplate that gave way, with a soft lower edge; the marrow below it is spared.
        most = 0.92 if pattern == "acute" else 0.42
        _infiltrate(shares, body * most * _smooth((0.66 + 0.05 * grain - down) / 0.3), "oedema")
        line = np.exp(-(((down - 0.3 - 0.025 * grain) / 0.045) ** 2)) * _smooth((0.97 - forward) / 0.15)
        _put(shares, body * 0.6 * line, {"cortical bone": 1.0})
    if pattern == "acute":
        # The fluid sign: a slit under the endplate.
        slit = _smooth(2.2 - 2.2 * np.sqrt(((forward - 0.62) / 0.26) ** 2 + ((down - 0.14) / 0.07) ** 2))
        _put(shares, body * slit, {"fluid": 1.0})
    if pattern == "malignant":
        arch = bone & (forward > -0.75) & (forward <= -0.06)
        _infiltrate(shares, 0.94 * (body | arch), "tumour")
        # The back of the body bows into the canal, and its cortex is lost there.
        depth = 0.27 * np.clip(1 - (2 * down - 1) ** 2, 0, 1)
        bulge = _smooth((forward + depth) / 0.05) * (forward < 0.15) * (down > 0) * (down < 1)
        _put(shares, ndimage.gaussian_filter(bulge, 0.8), {"tumour": 1.0})
        second = points[ct.LEVELS[ct.LEVELS.index(level) - 2]].mean(axis=0)
        far = np.hypot(y - second[1] + 6, z - second[2] + 2)
        _infiltrate(shares, 0.94 * _smooth((6.5 - far) / 1.5) * (labels > 0), "tumour")
    if pattern == "infective":
        above = ct.LEVELS[ct.LEVELS.index(level) - 1]
        _, up = _within(points[above], y, z)
        upper = (labels == ct.NUMBERS[above]) & (forward > -0.06)
        across, gap = _within(np.vstack([points[above][3:], points[level][:3]]), y, z)
        disc = (across > -0.02) & (across < 1.02) & ~bone & ~upper & (gap > -0.4) & (gap < 1.4)
        # The endplates on both sides are eaten away before marrow and disc fill with pus and oedema.
        eaten = (body & (down < 0.13 + 0.05 * grain)) | (upper & (up > 0.87 + 0.05 * grain))
        gone = shares["cortical bone"] * _smooth(ndimage.gaussian_filter((eaten | disc).astype(float), 1.5)) * 0.85
        shares["cortical bone"] = shares["cortical bone"] - gone
        shares["oedema"] = shares["oedema"] + gone
        _infiltrate(shares, body * 0.9 * _smooth((0.6 + 0.06 * grain - down) / 0.3), "oedema")
        _infiltrate(shares, upper * 0.9 * _smooth((up - 0.4 + 0.06 * grain) / 0.3), "oedema")
        pus = disc * _smooth(1.5 - 1.5 * np.sqrt(((across - 0.5) / 0.52) ** 2 + ((gap - 0.5) / 0.85) ** 2))
        _put(shares, 0.8 * pus, {"fluid": 0.75, "oedema": 0.25})
        beside = np.sqrt(((across - 1.1) / 0.2) ** 2 + ((gap - 0.5) / 1.8) ** 2)
        _put(shares, 0.75 * _smooth(1.6 - 1.6 * beside) * (labels == 0), {"oedema": 1.0})


# --- picture ---------------------------------------------------------------------------------------------------------

WINDOWS = {"T1": (0.02, 0.62), "STIR": (0.02, 0.46)}  # signals shown black and white, the same for every pattern
NOISE, BLUR = 0.012, 0.7  # of the signal of water at full recovery; pixels [unreferenced]


def picture(made: Section, name: Literal["T1", "STIR"], seed: int = 0) -> NDArray[np.uint8]:
    """Return a slice as one sequence shows it, grey values (rows, columns); show `NOTE` with it.

    Noise is that of a magnitude picture (Rician). Raises ValueError for another sequence.
    """
    if name not in WINDOWS:
        raise ValueError(f"there is no sequence {name!r}; give {' or '.join(WINDOWS)}")
    clean = ndimage.gaussian_filter(signal(made.shares, sequences()[name]), BLUR)
    rng = np.random.default_rng(seed)
    real, imaginary = rng.normal(0, NOISE, (2, *clean.shape))
    low, high = WINDOWS[name]
    grey = (np.hypot(clean + real, imaginary) - low) / (high - low)
    shown: NDArray[np.uint8] = np.rint(255 * np.clip(grey, 0, 1) ** 0.85).astype(np.uint8)
    return shown


# --- what a sign is worth --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sign:
    """How often a sign is seen with malignancy (`sensitivity`) and missing without (`specificity`)."""

    sensitivity: float
    specificity: float

    def probability(self, prior: float, present: bool = True) -> float:
        """Return the probability of malignancy after the sign was looked for, by Bayes' rule, from that before.

        Raises ValueError for a prior outside 0 to 1, or a finding that can't be.
        """
        if not 0 <= prior <= 1:
            raise ValueError(f"prior is {prior}; a probability lies between 0 and 1")
        ill = self.sensitivity if present else 1 - self.sensitivity
        well = 1 - self.specificity if present else self.specificity
        seen = prior * ill + (1 - prior) * well
        if not seen > 0:
            raise ValueError(f"with a prior of {prior} this finding can't occur; give a prior above 0")
        return prior * ill / seen


SIGNS = {  # of malignancy on MRI; Uetani 2004, from the summary named in mauch2018
    "convex posterior border": Sign(0.70, 0.94),
    "pedicle": Sign(0.80, 0.94),
    "epidural mass": Sign(0.80, 1.00),
}
