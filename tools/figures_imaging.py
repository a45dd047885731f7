"""Draw the pictures of lesson 05 and its question bank from the course's own films, CT and computed MRI.

`python tools/figures_imaging.py` writes `assets/figures/imaging_*.svg` and compares each hotspot polygon of
`quizzes/bank/05_imaging.yml` with the one computed here; a polygon that differs is printed, ready to paste. Names of
pictures may follow (`python tools/figures_imaging.py imaging_dating`). Nothing is random without a fixed seed.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from figures_anatomy import CT_NOTE, FONT, arrow, mm, scaled, svg, words, write
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from vertebra.imaging import mri
from vertebra.imaging.collapse import collapsed
from vertebra.imaging.ct import window
from vertebra.imaging.films import film_case
from vertebra.imaging.fluoroscopy import Block, CArm, bone, film, shear_warp
from vertebra.spine.shape import wedge
from vertebra.spine.stack import Spine
from vertebra.spine.vertebra import Voxels

ROOT = Path(__file__).parents[1]
BANK = ROOT / "quizzes" / "bank" / "05_imaging.yml"

FloatArray = NDArray[np.float64]
Grey = NDArray[np.uint8]
Polygon = list[list[float]]
Regions = Mapping[str, Polygon]  # a hotspot's regions by their ids in the bank


def badge(text: str, at: Sequence[float]) -> str:
    """Return a numbered or lettered disc."""
    x, y = np.round(at, 1)
    return (
        f"<circle cx='{x}' cy='{y}' r='17' fill='#ffe08a' stroke='#17212b' stroke-width='2'/>"
        f"<text x='{x}' y='{y + 7}' text-anchor='middle' font-size='20' font-weight='600' {FONT} fill='#17212b'>"
        f"{text}</text>\n"
    )


def enlarged(picture: Grey, width: int, height: int) -> Grey:
    """Return a picture resampled to so many pixels."""
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


# --- Films -----------------------------------------------------------------------------------------------------------


def matter(spine: Spine, without: str = "") -> list[Block]:
    """Return a spine's vertebrae as matter; of `without` the left pedicle is gone."""
    blocks = []
    for level, vertebra in spine.vertebrae.items():
        voxels = vertebra.voxels(0.8)
        if level == without:
            pedicle = vertebra.pedicle("left")
            index = np.indices(voxels.cortical.shape).reshape(3, -1).T
            off = voxels.origin + voxels.spacing * index - pedicle.centre
            along = off @ pedicle.axis
            beside = np.linalg.norm(off - along[:, None] * pedicle.axis, axis=1)
            reach = max(pedicle.width, pedicle.height) * 0.85
            kept = ((np.abs(along) > 11) | (beside > reach)).reshape(voxels.cortical.shape)
            voxels = Voxels(voxels.origin, voxels.spacing, voxels.cortical * kept, voxels.trabecular * kept)
        blocks.append(bone(voxels, bone_volume=0.12).moved(spine.poses[level]))
    return blocks


def shadow(blocks: Sequence[Block], carm: CArm, seed: int) -> Grey:
    """Return the film of some bones."""
    return film(np.sum([shear_warp(block, carm) for block in blocks], axis=0), photons=6000, seed=seed)


def carm_at(point: FloatArray, view: str, pixels: int = 420, tilt: float = 0.0) -> CArm:
    """Return a film of 0.4 mm pixels centred near a point of the spine."""
    forward = mm(0, -14) if view == "lateral" else mm()
    return CArm(
        orbital=90.0 if view == "lateral" else 0.0,
        tilt=tilt,
        source_isocentre=850.0,
        pixels=pixels,
        pixel=0.42,
        isocentre=tuple(point + forward),
    )


@cache
def spine() -> Spine:
    """Return the normal model from T10 to L3."""
    return Spine(("T10", "T11", "T12", "L1", "L2", "L3"))


def film_reading() -> tuple[str, Regions]:
    """A lateral and a frontal film of one wedged L1, with the places to look at in order."""
    broken = Spine(spine().levels, {"L1": wedge(0.32)})
    blocks = matter(broken)
    middle = broken.landmarks("L1").mean(axis=0)
    size, gap = 520, 12
    panels, over = [], ""
    six = broken.landmarks("L1")
    pose = broken.poses["L1"]
    size_of = broken.vertebrae["L1"].dimensions

    def placed(view: str, shift: float, marks: Sequence[tuple[str, FloatArray, Sequence[float]]]) -> str:
        carm = carm_at(middle, view)
        panels.append(enlarged(shadow(blocks, carm, 4), size, size))
        drawn = ""
        for name, point, (dx, dy) in marks:
            at = carm.project(point[None])[0] * size / carm.pixels + [shift, 0]
            to = at + np.array([dx, dy])
            drawn += (
                f"<line x1='{at[0]:.1f}' y1='{at[1]:.1f}' x2='{to[0]:.1f}' y2='{to[1]:.1f}' stroke='#ffe08a' "
                f"stroke-width='2.5'/><circle cx='{at[0]:.1f}' cy='{at[1]:.1f}' r='4' fill='#ffe08a'/>"
            ) + badge(name, to)
        return drawn

    front = (six[0] + six[3]) / 2
    back = (six[2] + six[5]) / 2
    above = broken.landmarks("T12")
    disc = (six[1] + above[4]) / 2
    over += placed(
        "lateral",
        0,
        [
            ("1", broken.landmarks("T11").mean(axis=0) - mm(0, 0, 3), (-120, 20)),
            ("2", front, (-90, -10)),
            ("3", back, (110, 46)),
            ("4", disc, (-150, -30)),
        ],
    )
    pedicle = broken.vertebrae["L1"].pedicle("left")
    other = broken.vertebrae["L1"].pedicle("right")
    tip = pose.apply(mm(0, -size_of.upper_depth / 2 - size_of.canal_depth - 34, -16)[None])[0]
    over += placed(
        "AP",
        size + gap,
        [
            ("5", pose.apply(pedicle.centre[None])[0], (120, 20)),
            ("5", pose.apply(other.centre[None])[0], (-120, 20)),
            ("6", tip, (70, 90)),
        ],
    )
    carm = carm_at(middle, "AP")
    inner = [
        carm.project(pose.apply((p.centre - mm(s * p.width / 2))[None]))[0] * size / carm.pixels
        for p, s in ((other, 1), (pedicle, -1))
    ]
    y = inner[0][1] - 22
    over += (
        f"<line x1='{inner[0][0] + size + gap:.1f}' y1='{y:.1f}' x2='{inner[1][0] + size + gap:.1f}' y2='{y:.1f}' "
        "stroke='#7cc7ff' stroke-width='3'/>"
    ) + words("width", (inner[0][0] / 2 + inner[1][0] / 2 + size + gap, y - 8), 18)
    over += words("lateral", (16, 34), 24, "start") + words("AP", (size + gap + 16, 34), 24, "start")
    picture = np.hstack([panels[0], np.full((size, gap), 255, np.uint8), panels[1]])
    return svg(picture, 2 * size + gap, size, "A lateral and a frontal film with numbered places", over, 72), {}


def parallax() -> tuple[str, Regions]:
    """The same normal bones twice: the beam along the endplates, and tilted."""
    blocks, size, gap = matter(spine()), 480, 12
    middle = spine().landmarks("T12").mean(axis=0)
    panels = [enlarged(shadow(blocks, carm_at(middle, "lateral", 300, tilt), 6), size, size) for tilt in (0.0, 13.0)]
    over = words("beam along the endplates", (16, 34), 22, "start")
    over += words("beam tilted 13°", (size + gap + 16, 34), 22, "start")
    picture = np.hstack([panels[0], np.full((size, gap), 255, np.uint8), panels[1]])
    return svg(picture, 2 * size + gap, size, "Two films of the same normal bones", over, 74), {}


OBLIQUE = -13.0  # degrees by which the beam is tilted


def q_oblique() -> tuple[str, Regions]:
    """Normal bones under a tilted beam."""
    blocks = matter(spine())
    carm = carm_at(spine().landmarks("L1").mean(axis=0), "lateral", 300, OBLIQUE)
    return svg(enlarged(shadow(blocks, carm, 11), 640, 640), 640, 640, "Lateral film of the lower spine", "", 76), {}


PEDICLE_FILM = 700  # picture units


def pedicle_carm() -> CArm:
    """Return the C-arm of the film on which one pedicle is missing."""
    return carm_at(spine().landmarks("L1").mean(axis=0), "AP", 360)


def q_pedicle() -> tuple[str, Regions]:
    """A frontal film of T11 to L3 on which one pedicle is missing."""
    size, model, carm = PEDICLE_FILM, spine(), pedicle_carm()
    unit = size / carm.pixels

    def ring(level: str, side: str, grow: float = 1.35) -> Polygon:
        pedicle = model.vertebrae[level].pedicle(side)
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        off = np.column_stack([np.cos(turn) * pedicle.width, np.zeros(12), np.sin(turn) * pedicle.height]) / 2 * grow
        return scaled(carm.project(model.poses[level].apply(pedicle.centre + off)), unit)

    body = model.landmarks("L2")
    centre = body.mean(axis=0)
    spinous = model.poses["L1"].apply(mm(0, -66, -9)[None])[0]
    regions = {
        "l1-left": ring("L1", "left"),
        "l1-right": ring("L1", "right"),
        "t12-left": ring("T12", "left"),
        "spinous": scaled(
            carm.project(spinous + np.array([mm(-6, 0, 9), mm(6, 0, 9), mm(6, 0, -9), mm(-6, 0, -9)])), unit
        ),
        "plate": scaled(
            carm.project(np.array([centre + mm(x, 0, z) for x, z in ((-12, -9), (12, -9), (12, -17), (-12, -17))])),
            unit,
        ),
    }
    picture = enlarged(shadow(matter(model, "L1"), carm, 8), size, size)
    over = words("R", (28, 44), anchor="start") + words("L", (672, 44), anchor="end")
    return svg(picture, size, size, "Frontal film of the lower spine", over, 76), regions


def thinned(outline: FloatArray, factor: float, shift: FloatArray) -> Polygon:
    """Return every third corner of a body's outline in units of a picture."""
    return scaled((outline - shift)[::3], factor)


def named(level: str, at: FloatArray) -> str:
    """Return a level's name in front of its body, with a line towards it."""
    return words(level, at + np.array([-118, 8]), 28) + (
        f"<line x1='{at[0] - 90:.1f}' y1='{at[1]:.1f}' x2='{at[0] - 50:.1f}' y2='{at[1]:.1f}' stroke='#ffe08a' "
        "stroke-width='3'/>\n"
    )


LEVEL_CASE, FRACTURE_CASE, HEIGHTS_CASE, NODE_CASE = 13, 35, 9, 6  # seeds of `film_case`


def q_level() -> tuple[str, Regions]:
    """A real spine with one computed collapse; one level is named."""
    case = film_case(LEVEL_CASE)
    size = 640
    unit = size / case.picture.shape[0]
    over = named(case.marker, case.outlines[case.marker].mean(axis=0) * unit)
    return svg(contrast(case.picture, size), size, size, "Lateral film of the spine", over, 76, CT_NOTE), {}


def contrast(picture: Grey, size: int) -> Grey:
    """Return a film enlarged, its grey values spread and local contrast raised as a reading station does."""
    local = picture - 0.75 * ndimage.gaussian_filter(picture.astype(float), 22)
    low, high = np.percentile(local, (2, 99.7))
    return enlarged((255 * np.clip((local - low) / (high - low), 0, 1)).astype(np.uint8), size, size)


def q_fracture() -> tuple[str, Regions]:
    """A real spine with one computed collapse; regions are its bodies."""
    case = film_case(FRACTURE_CASE)
    size = 640
    unit = size / case.picture.shape[0]
    regions = {level.lower(): thinned(case.outlines[level], unit, np.zeros(2)) for level in ("T10", "T11", "T12", "L1")}
    picture = contrast(case.picture, size)
    over = named("T10", case.outlines["T10"].mean(axis=0) * unit)
    return svg(picture, size, size, "Lateral film of the spine", over, 76, CT_NOTE), regions


def q_heights() -> tuple[str, Regions]:
    """The model's wedge with its six points."""
    case = film_case(HEIGHTS_CASE)
    half, size = 84, 640
    middle = case.landmarks.mean(axis=0)
    left, top = np.round(middle - half).astype(int)
    part = case.picture[max(top, 0) : top + 2 * half, max(left, 0) : left + 2 * half]
    unit = size / (2 * half)
    points = (case.landmarks - [max(left, 0), max(top, 0)]) * unit
    over = ""
    for n, name in enumerate(("Ha", "Hm", "Hp")):
        (x1, y1), (x2, y2) = points[n], points[n + 3]
        over += (
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='#ffe08a' stroke-width='2.5' "
            "stroke-dasharray='7 5'/>"
        )
        for x, y in (points[n], points[n + 3]):
            over += f"<circle cx='{x:.1f}' cy='{y:.1f}' r='5' fill='#ffe08a' stroke='#17212b' stroke-width='1.5'/>"
        over += words(name, ((x1 + x2) / 2 + 26, (y1 + y2) / 2 + 8), 24)
    return svg(contrast(part, size), size, size, "Lateral film of a vertebra with six points", over, 78), {}


def q_node() -> tuple[str, Regions]:
    """A film on which one body has dents in its endplates."""
    case = film_case(NODE_CASE)
    half, size = 105, 640
    left, top = np.round(case.landmarks.mean(axis=0) - half).astype(int).clip(0)
    part = case.picture[top : top + 2 * half, left : left + 2 * half]
    square = part[: min(part.shape), : min(part.shape)]
    tip = (case.landmarks.mean(axis=0) - [left, top]) * size / square.shape[0]
    return svg(contrast(square, size), size, size, "Lateral film of three vertebrae", arrow(tip - [70, 0], 180), 78), {}


# --- CT --------------------------------------------------------------------------------------------------------------


CT_LOSSES = (0.42, 0.32, 0.03)  # anterior, middle, posterior


def q_ct() -> tuple[str, Regions]:
    """A midline slice of the CT with a computed collapse of L1."""
    width, height, scale = 520, 640, 5.4
    variant = collapsed("L1", *CT_LOSSES, seed=3)
    middle = np.array([six.mean(axis=0) for six in variant.landmarks.values()])
    centre = variant.landmarks["L1"].mean(axis=0)
    z = centre[2] + 6 - (np.arange(height) + 0.5 - height / 2) / scale
    y = centre[1] - 12 - (np.arange(width) + 0.5 - width / 2) / scale
    grid = np.empty((height, width, 3))
    x = np.polynomial.Polynomial.fit(middle[:, 2], middle[:, 0], 3)(z)
    grid[..., 0], grid[..., 1], grid[..., 2] = x[:, None], y, z[:, None]
    grey = window(variant.ct.image.sample(grid, order=1), 260, 1150)
    note = CT_NOTE + "; collapsed by computation"
    return svg(grey, width, height, "Sagittal CT slice of the spine", "", 78, note), {}


# --- MRI -------------------------------------------------------------------------------------------------------------


TRIM = 28  # rows left off above and below


@cache
def section(pattern: str, level: str = "L1") -> mri.Section:
    """Return a slice; each takes seconds."""
    return mri.section(pattern, level)


def plate(columns: Sequence[tuple[str, str]], level: str, title: str, each: int = 230) -> str:
    """Return T1 over STIR for several patterns, side by side, each under its label."""
    gap, head = 8, 40
    rows = []
    for name in ("T1", "STIR"):
        cells = []
        for pattern, _ in columns:
            made = section(pattern, level)
            picture = mri.picture(made, name, seed=2)[TRIM:-TRIM]
            tall = round(each * picture.shape[0] / picture.shape[1])
            cells += [enlarged(picture, each, tall), np.full((tall, gap), 255, np.uint8)]
        rows += [np.hstack(cells[:-1]), np.full((gap, len(columns) * (each + gap) - gap), 255, np.uint8)]
    picture = np.vstack([np.full((head, rows[0].shape[1]), 255, np.uint8), *rows[:-1]])
    tall = rows[0].shape[0]
    over = ""
    for n, (_, label) in enumerate(columns):
        x = n * (each + gap) + each / 2
        over += (
            f"<text x='{x:.0f}' y='27' text-anchor='middle' font-size='20' font-weight='600' {FONT} "
            f"fill='#17212b'>{label}</text>\n"
        )
    for row, name in enumerate(("T1", "STIR")):
        over += words(name, (10, head + row * (tall + gap) + 26), 20, "start")
    note = CT_NOTE + "; turned into MRI pictures by computation"
    return svg(picture, picture.shape[1], picture.shape[0], title, over, 66, note)


def dating() -> tuple[str, Regions]:
    """One shape at four ages."""
    columns = [("normal", "no fracture"), ("acute", "acute"), ("subacute", "subacute"), ("old", "healed")]
    return plate(columns, "L1", "Computed MRI: the same fracture at three ages"), {}


def causes() -> tuple[str, Regions]:
    """Three causes of a bright vertebra."""
    columns = [("acute", "osteoporotic"), ("malignant", "malignant"), ("infective", "infective")]
    return plate(columns, "L1", "Computed MRI: osteoporotic, malignant, infective", 280), {}


FOUR_PATIENTS = {"A": "infective", "B": "acute", "C": "old", "D": "malignant"}


def q_plate() -> tuple[str, Regions]:
    """Four patients, unnamed."""
    columns = [(pattern, name) for name, pattern in FOUR_PATIENTS.items()]
    return plate(columns, "T12", "Computed MRI of four patients", 176), {}


def q_band() -> tuple[str, Regions]:
    """An acute fracture on T1 and STIR, side by side."""
    made = section("acute", "L1")
    pair = [enlarged(mri.picture(made, name, seed=9)[TRIM:-TRIM], 370, 370 * 200 // 184) for name in ("T1", "STIR")]
    picture = np.hstack([pair[0], np.full((pair[0].shape[0], 10), 255, np.uint8), pair[1]])
    over = words("T1", (14, 34), 24, "start") + words("STIR", (394, 34), 24, "start")
    return svg(picture, picture.shape[1], picture.shape[0], "Computed MRI of the lower spine", over, 72, CT_NOTE), {}


def q_infection() -> tuple[str, Regions]:
    """STIR of an infected disc; regions of discs and bodies."""
    made = section("infective", "L1")
    grey = mri.picture(made, "STIR", seed=12)[TRIM:-TRIM]
    unit = 3.4
    height, width = (round(n * unit) for n in grey.shape)

    def gap(upper: str, lower: str) -> Polygon:
        over, under = made.landmarks[upper], made.landmarks[lower]
        up = mm(0, 0, 4.5)
        return scaled(made.pixels([over[3] + up, over[5] + up, under[2] - up, under[0] - up]) - [0, TRIM], unit)

    def inside(level: str) -> Polygon:
        six = made.landmarks[level]
        centre = six.mean(axis=0)
        return scaled(made.pixels(centre + 0.55 * (six[[0, 2, 5, 3]] - centre)) - [0, TRIM], unit)

    sac = made.landmarks["L1"]
    behind = np.array(
        [sac[2] + mm(0, -5, -2), sac[2] + mm(0, -11, -2), sac[5] + mm(0, -14, -2), sac[5] + mm(0, -5, -2)]
    )
    regions = {
        "t12-l1": gap("T12", "L1"),
        "l1-l2": gap("L1", "L2"),
        "t11": inside("T11"),
        "l2": inside("L2"),
        "sac": scaled(made.pixels(behind) - [0, TRIM], unit),
    }
    picture = enlarged(grey, width, height)
    return svg(picture, width, height, "Computed MRI of the lower spine, STIR", "", 68, CT_NOTE), regions


PICTURES = {
    "imaging_film_reading": film_reading,
    "imaging_parallax": parallax,
    "imaging_dating": dating,
    "imaging_causes": causes,
    "imaging_q_level": q_level,
    "imaging_q_heights": q_heights,
    "imaging_q_pedicle": q_pedicle,
    "imaging_q_fracture": q_fracture,
    "imaging_q_oblique": q_oblique,
    "imaging_q_node": q_node,
    "imaging_q_ct": q_ct,
    "imaging_q_plate": q_plate,
    "imaging_q_band": q_band,
    "imaging_q_infection": q_infection,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
