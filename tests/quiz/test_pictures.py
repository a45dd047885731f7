"""What each question's picture shows, computed anew from the model or the data behind it, against the bank's key.

The settings of a picture (a shape, a needle, a trial's row) stand in the tool that draws it; what is true of them is
computed here, without drawing. A key is an option's id, a place on the picture that its region must hold, a pair for
each prompt, an order, or a number.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import figures_anatomy as anatomy  # noqa: E402  (the tools are no package)
import figures_cases as cases  # noqa: E402
import figures_conservative as conservative  # noqa: E402
import figures_evidence as evidence  # noqa: E402
import figures_imaging as imaging  # noqa: E402
import figures_leaflet as leaflet  # noqa: E402
import figures_patient as patient  # noqa: E402
import figures_procedures as procedures  # noqa: E402
import figures_questions as questions  # noqa: E402
import figures_recovery as recovery  # noqa: E402
import figures_surgery as surgery  # noqa: E402
import figures_why as why  # noqa: E402

from vertebra import assets, comparison  # noqa: E402
from vertebra.cement import flow  # noqa: E402
from vertebra.cement.bone import bone  # noqa: E402
from vertebra.evidence import conservative as care  # noqa: E402
from vertebra.evidence import trials  # noqa: E402
from vertebra.evidence.cascade import Person, Plan, cohort  # noqa: E402
from vertebra.evidence.claims import claims  # noqa: E402
from vertebra.evidence.references import references  # noqa: E402
from vertebra.imaging import collapse, ct, films, leaks, mri  # noqa: E402
from vertebra.imaging.needle import aim, breach, two_views  # noqa: E402
from vertebra.measure import morphometry  # noqa: E402
from vertebra.mechanics import load, trabeculae  # noqa: E402
from vertebra.quiz import case_files  # noqa: E402
from vertebra.quiz.items import Item, load_bank  # noqa: E402
from vertebra.spine.dimensions import dimensions  # noqa: E402
from vertebra.spine.shape import Shape  # noqa: E402
from vertebra.spine.stack import Spine  # noqa: E402
from vertebra.spine.vertebra import PARTS, Vertebra  # noqa: E402

BANKS = [load_bank(path) for folder in ("bank", "graded") for path in sorted((ROOT / "quizzes" / folder).glob("*.yml"))]
ITEMS = {item.id: item for bank in BANKS for item in bank.items if item.image}
PRACTICE = {item.id for bank in BANKS if bank.use == "practice" for item in bank.items if item.image}

# Drawn by hand or after invented numbers: nothing computes their key, so they do not count as computed pictures.
DRAWN = {"wb-p05", "ft-p11", "ft-p12", "ft-p16", "ft-p18", "rf-p07", "rp-p03", "lf-p07", "lf-p08", "ft-g12"}

Truth = Callable[[], Any]
TRUTHS: dict[str, Truth] = {}


def of(name: str) -> Callable[[Truth], Truth]:
    """Register what is true of a question's picture."""

    def register(truth: Truth) -> Truth:
        TRUTHS[name] = truth
        return truth

    return register


def letters(found: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Return findings under the ids of the prompts: a, b, c."""
    values = found.values() if isinstance(found, Mapping) else found
    return dict(zip("abcdef", values, strict=False))


def only(found: Mapping[str, bool]) -> str:
    """Return the one option that holds."""
    holds = [name for name, is_true in found.items() if is_true]
    assert len(holds) == 1, found
    return holds[0].lower()


@cache
def drawing(name: str) -> str:
    """Return the text of a question's picture."""
    image = ITEMS[name].image
    assert image
    return assets.path(image.src).read_text(encoding="utf-8")


def lettering(name: str) -> list[str]:
    """Return the words that are written in a question's picture."""
    return re.findall(r"<text[^>]*>(.*?)</text>", drawing(name))


def bars(name: str, fill: str) -> list[float]:
    """Return the heights (px) of the bars of a colour in a question's picture."""
    return [float(h) for h in re.findall(rf'<rect [^>]*height="([\d.]+)" fill="{fill}"', drawing(name))]


def pins(name: str) -> np.ndarray:
    """Return where (n, 2) the pins of a picture end."""
    return np.array(re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="5"', drawing(name)), float)


def arrows(name: str) -> np.ndarray:
    """Return where (n, 2) the arrows of a picture end."""
    return np.array(re.findall(r'<polygon points="([\d.]+),([\d.]+) ', drawing(name)), float)


def inside(point: Sequence[float], polygon: Sequence[Sequence[float]]) -> bool:
    """Say whether a point lies in a polygon, by the turns that its corners make around it."""
    away = np.asarray(polygon, float) - point
    turns = np.angle(np.roll(away @ [1, 1j], -1) / (away @ [1, 1j]))
    return bool(abs(turns.sum()) > np.pi)


@cache
def normal(level: str) -> Spine:
    """Return a level between its neighbours, all whole."""
    return around(level, {})


def around(level: str, shapes: Mapping[str, Shape]) -> Spine:
    """Return a level between its neighbours with these shapes."""
    names = list(dimensions())
    at = names.index(level)
    return Spine(
        tuple(names[at - 1 : at + 2]), {name: s for name, s in shapes.items() if name in names[at - 1 : at + 2]}
    )


def heights(spine: Spine, level: str) -> morphometry.Heights[float]:
    """Return the three heights of a body from its six points."""
    return morphometry.SixPoints.from_array(spine.landmarks(level)[:, 1:]).heights


def loss(level: str, shapes: Mapping[str, Shape]) -> morphometry.HeightLoss:
    """Return what a level has lost against what its neighbours and a normal spine let expect."""
    names = list(normal(level).levels)
    ratio = morphometry.level_ratio(*(heights(normal(level), name) for name in (level, names[0], names[2])))
    spine = around(level, shapes)
    # A neighbour that is deformed as well is no reference.
    near = [None if name in shapes else heights(spine, name) for name in (names[0], names[2])]
    reference = heights(normal(level), level)
    if any(near):
        reference = morphometry.reference_heights(near[0], near[1], ratio if all(near) else None)
    return morphometry.height_loss(heights(spine, level), reference)


# --- 01: anatomy ------------------------------------------------------------------------------------------------------


@cache
def solid() -> Any:
    """Return the surface of L3."""
    return Vertebra("L3").mesh(1.0)


def seen_at(pixel: Sequence[float], view: anatomy.View) -> str:
    """Return the part of L3 that a ray through a pixel meets first: triangle by triangle, no z-buffer."""
    mesh = solid()
    at = view.project(mesh.vertices.astype(float))
    a, b, c = (at[mesh.faces[:, k]] for k in range(3))
    u, v, w = b[:, :2] - a[:, :2], c[:, :2] - a[:, :2], np.asarray(pixel) - a[:, :2]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / area
        t = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / area
    depth = a[:, 2] + s * (b[:, 2] - a[:, 2]) + t * (c[:, 2] - a[:, 2])
    depth[~((s >= 0) & (t >= 0) & (s + t <= 1))] = -np.inf
    return PARTS[int(mesh.parts[int(depth.argmax())])]


@of("sa-p01")
def _() -> Any:
    names = {"superior articular process": "superior", "transverse process": "transverse"}
    names |= {"spinous process": "spinous", "inferior articular process": "inferior"}
    found = [seen_at(pin, anatomy.PARTS_VIEW) for pin in pins("sa-p01")]
    return letters([names.get(part, part) for part in found])


@of("sa-p02")
def _() -> Any:
    pedicles = [Vertebra("L3").pedicle(side).centre for side in ("left", "right")]
    left, right = anatomy.AXIAL_VIEW.project(np.array(pedicles))[:, :2]
    assert left[0] > right[0], "seen from below the patient's left is on the right"
    return {"pedicle": left, "opposite": right}


@of("sa-p03")
def _() -> Any:
    level = anatomy.REGION_LEVEL
    return "thoracic" if level.startswith("T") and 4 <= int(level[1:]) <= 9 else "another"


@of("sa-p06")
def _() -> Any:
    pose, vertebra = anatomy.FILMED.poses["L2"], anatomy.FILMED.vertebrae["L2"]
    view, unit = anatomy.film_carm("AP"), anatomy.FILM_SIZE / anatomy.film_carm("AP").pixels
    mesh = vertebra.mesh(1.5)

    def cloud(part: str) -> np.ndarray:
        points = mesh.vertices[np.unique(mesh.faces[mesh.parts == PARTS.index(part)])].astype(float)
        return view.project(pose.apply(points)) * unit

    plate = vertebra.landmarks[:3]
    rim = np.array([[x, plate[1, 1], plate[:, 2].mean()] for x in np.linspace(-18, 18, 60)])
    places = {
        "pedicle": cloud("pedicle"),
        "spinous": cloud("spinous process"),
        # Its outer half: the inner one lies over the pedicle.
        "transverse": np.array([p for p in cloud("transverse process") if abs(p[0] - 400) > 150]),
        "endplate": view.project(pose.apply(rim)) * unit,
    }
    found = []
    for tip in arrows("sa-p06"):
        near = {name: float(np.linalg.norm(points - tip, axis=1).min()) for name, points in places.items()}
        found.append(min(near, key=near.__getitem__))
    return letters(found)


@of("sa-p07")
def _() -> Any:
    shape = anatomy.SECTION_SHAPE
    front, middle, back = shape.anterior >= 0.2, shape.displacement > 0, shape.split > 0
    return {(True, True, False): "front-middle", (True, False, False): "front"}.get((front, middle, back), "all-three")


def on_lateral_film(point: np.ndarray) -> np.ndarray:
    """Return where a point (3,) lies on the lateral film of the anatomy bank."""
    view = anatomy.film_carm("lateral")
    return view.project(point[None])[0] * anatomy.FILM_SIZE / view.pixels


@of("sa-p09")
def _() -> Any:
    six, above = anatomy.FILMED.landmarks("L2"), anatomy.FILMED.landmarks("L1")
    walls = {"posterior-wall": six[[2, 5]], "anterior-wall": six[[0, 3]], "disc": np.array([six[1], above[4]])}
    return {name: on_lateral_film(ends.mean(axis=0)) for name, ends in walls.items()}


@of("sa-p15")
def _() -> Any:
    size, side = anatomy.AXIAL_CT
    (column, row), scan = arrows("sa-p15")[0], ct.patient()
    centre = collapse.patient_landmarks()["L1"].mean(axis=0) + anatomy.mm(0, 0, 4)
    # The tip ends inside the vessel's edge: its structure is the one whose label lies there.
    at = centre + anatomy.mm(side / 2 - column / size * side, side / 2 - row / size * side)
    label = int(scan.labels.sample(at[None], order=0, outside=0)[0])
    return next(name for name, number in ct.NUMBERS.items() if number == label)


@of("sa-p16")
def _() -> Any:
    vertebra = anatomy.FILMED.vertebrae["L2"]
    found = breach(anatomy.STRAY, vertebra, "left")
    in_canal = float(vertebra.canal_distance(anatomy.STRAY.tip[None])[0]) < -2  # mm, so that it can be seen
    return "stop" if in_canal and found.canal > 1 else "advance"


@of("sa-p21")
def _() -> Any:
    six = collapse.patient_landmarks()
    top, front, scale = six["T9"][:, 2].max() + 1, six["L2"][:, 1].max() + 16, 4.7

    def behind(*ends: np.ndarray) -> np.ndarray:
        y, z = np.mean(ends, axis=0)[1:] - (8.0, 2.5)
        return np.array([(front - y) * scale, (top - z) * scale])

    return {
        "l1l2": behind(six["L1"][5], six["L2"][2]),
        "t10": behind(six["T10"][2], six["T10"][5]),
        "t11": behind(six["T11"][2], six["T11"][5]),
    }


@of("sa-p60")
def _() -> Any:
    spine, root = questions.LUMBAR, questions.ROOT
    view = questions.carm_at(spine.landmarks("L3").mean(axis=0) + anatomy.mm(0, -8, 14), "lateral", 350)
    # The model's own nerve root, where it comes nearest to the middle of each opening.
    path = spine.roots(root)["left"].vertices.astype(float)
    beside = path[np.abs(path[:, 0]) > spine.vertebrae[root].pedicle("left").width]
    ends = {upper: np.mean(questions.foramen_ends(spine, upper), axis=0) for upper in ("L1", "L2", "L3")}
    gap = {upper: float(np.linalg.norm(beside - at, axis=1).min()) for upper, at in ends.items()}
    assert min(gap, key=gap.__getitem__) == root, gap
    names = {"L1": "l1-l2", "L2": "l2-l3", "L3": "l3-l4"}
    return {names[root]: view.project(ends[root][None])[0] * 2} | {
        names[upper]: view.project(at[None])[0] * 2 for upper, at in ends.items() if upper != root
    }


# --- 02: load and bone ------------------------------------------------------------------------------------------------


@of("wb-p21")
def _() -> Any:
    told = " ".join(" ".join(references()[ref].outcomes) for ref in ITEMS["wb-p21"].sources if ref in references())
    assert "19.2" in told
    tall = dict(zip("abc", bars("wb-p21", why.BLUE), strict=True))
    scale = max(tall.values()) / max(why.WITHIN_A_YEAR.values())
    assert [tall[n.lower()] / scale for n in "ABC"] == pytest.approx(list(why.WITHIN_A_YEAR.values()), abs=0.3)
    return min(tall, key=lambda name: abs(tall[name] / scale - 19.2))


@of("wb-p60")
def _() -> Any:
    postures = {"bending": "bending", "lying": "lying", "lifting with a round back": "round", "standing": "standing"}
    newton = {each: load.load("L1", each, lift=10.0 if each.startswith("lifting") else 0.0) for each in postures}
    drawn = np.array(bars("wb-p60", why.BLUE)) * 1800 / 340
    found = [min(newton, key=lambda each: abs(newton[each] - value)) for value in drawn]
    assert [newton[each] for each in found] == pytest.approx(drawn, abs=2)
    return letters([postures[each] for each in found])


@of("wb-p61")
def _() -> Any:
    for share in questions.SPARSE.values():
        assert trabeculae.covered(trabeculae.time_of(share)) == pytest.approx(share, abs=0.004)
    left = 100 * (questions.SPARSE["B"] / questions.SPARSE["A"]) ** 1.56
    assert any("power 1.56" in each for each in references()["bone_handbook"].outcomes)
    return min({"third": 34, "half": 50, "rest": 66}.items(), key=lambda option: abs(option[1] - left))[0]


# --- 03: shapes -------------------------------------------------------------------------------------------------------


@of("ft-p60")
def _() -> Any:
    found = [loss("L1", {"L1": shape}).shape for shape in questions.FOUR_TYPES.values()]
    return letters([{"normal": "none"}.get(shape, shape) for shape in found])


@of("ft-p61")
def _() -> Any:
    spine = questions.GRADED
    six, above, below = (heights(spine, level) for level in ("T12", "T11", "L1"))
    told = " ".join(lettering("ft-p61"))
    for name, value in (("Ha", six.anterior), ("Hm", six.middle), ("Hp", six.posterior)):
        assert f"{name} {value:.1f} mm" in told
    assert f"{above.posterior:.1f} mm" in told and f"{below.posterior:.1f} mm" in told
    return ("zero", "one", "two", "three")[morphometry.genant_grade(morphometry.biconcavity_loss(six))]


@of("ft-p62")
def _() -> Any:
    lost = {name.lower(): loss("T12", {"T12": shape}).anterior for name, shape in questions.RISING.items()}
    return tuple(sorted(lost, key=lost.__getitem__))


# --- 04: patients -----------------------------------------------------------------------------------------------------


@of("rf-p06")
def _() -> Any:
    upright, second, third = (patient.stand(shapes) for shapes in patient.PEOPLE)
    assert second.ribs == pytest.approx(upright.ribs, abs=3)  # B has kept the gap, C has not
    assert third.ribs < second.ribs - 20
    assert second.occiput > upright.occiput + 10  # the wall tells both from A, so it cannot tell C from B alone
    return "ribs"


@of("rf-p23")
def _() -> Any:
    found, alarmed = 12 * 20, 980  # of 1,000: a ratio of 12 is as if the 20 counted twelve times
    after = found / (found + alarmed)
    shares = dict(zip("abc", patient.CROWDS, strict=True))
    assert min(abs(share - after) for share in shares.values()) < 1e-9
    return min(shares, key=lambda name: abs(shares[name] - after))


# --- 05: films, CT, MRI -----------------------------------------------------------------------------------------------


def planned(seed: int) -> Any:
    """Return what a film is about; the film itself takes seconds."""
    return films._plan(np.random.default_rng([20, seed]))


@of("im-p05")
def _() -> Any:
    plan = planned(imaging.LEVEL_CASE)
    assert plan.fractured and "T9" in lettering("im-p05")
    return plan.level.lower()


@of("im-p06")
def _() -> Any:
    case = films.film_case(imaging.HEIGHTS_CASE)
    assert case.level == "L1"
    vignette = ITEMS["im-p06"].vignette
    for height in (*case.heights, case.expected[0], case.expected[2]):
        assert f"{height:.1f}" in vignette
    return 100 * (1 - case.heights[0] / case.expected[0])


@of("im-p07")
def _() -> Any:
    model, view = imaging.spine(), imaging.pedicle_carm()
    unit = imaging.PEDICLE_FILM / view.pixels
    lumbar = Spine(("L1",))
    whole, spoilt = (imaging.matter(lumbar, without)[0] for without in ("", "L1"))
    gone, places = [], {}
    for side in ("left", "right"):
        centre = lumbar.poses["L1"].apply(lumbar.vertebrae["L1"].pedicle(side).centre[None])[0]
        index = np.round(np.linalg.solve(whole.affine, [*centre, 1])[:3]).astype(int)
        part = tuple(slice(i - 3, i + 4) for i in index)
        if spoilt.mu[part].sum() < 0.2 * whole.mu[part].sum():
            gone.append(side)
        at = model.poses["L1"].apply(model.vertebrae["L1"].pedicle(side).centre[None])
        places[f"l1-{side}"] = view.project(at)[0] * unit
    assert gone == ["left"]
    other = model.poses["T12"].apply(model.vertebrae["T12"].pedicle("left").centre[None])
    return places | {"t12-left": view.project(other)[0] * unit}


@of("im-p08")
def _() -> Any:
    plan = planned(imaging.FRACTURE_CASE)
    assert plan.fractured

    def area(corners: Sequence[Sequence[float]]) -> float:
        x, y = np.array(corners).T
        return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2

    # Bodies grow from level to level; the broken one alone is smaller than the one above.
    areas = {region.id: area(region.polygon) for region in ITEMS["im-p08"].regions}
    order = [level.lower() for level in ("T10", "T11", "T12", "L1")]
    smaller = [b for a, b in pairwise(order) if areas[b] < areas[a]]
    assert smaller == [plan.level.lower()]
    broken = next(region for region in ITEMS["im-p08"].regions if region.id == smaller[0])
    return {broken.id: np.mean(broken.polygon, axis=0)}


@of("im-p10")
def _() -> Any:
    spine, gaps = imaging.spine(), []
    for tilt in (0.0, imaging.OBLIQUE):
        view = imaging.carm_at(spine.landmarks("L1").mean(axis=0), "lateral", 300, tilt)
        wide = spine.vertebrae["L1"].dimensions.upper_width / 2
        rims = spine.landmarks("L1")[1] + np.array([[wide, 0, 0], [-wide, 0, 0]])
        gaps.append(float(np.abs(np.diff(view.project(rims)[:, 1]))[0]))
    # The two edges of a plate that is flat stand apart under the tilted beam, and nothing is lost.
    assert gaps[1] > gaps[0] + 8
    return "parallax" if not spine.shapes else "fractures"


@of("im-p11")
def _() -> Any:
    plan = planned(imaging.NODE_CASE)
    assert not plan.fractured
    return {"Schmorl node": "schmorl", "limbus vertebra": "limbus", "physiological wedge": "wedge"}[plan.mimic]


CAUSES = {"infective": "infection", "acute": "recent", "old": "healed", "malignant": "malignant"}


@of("im-p13")
def _() -> Any:
    return letters([CAUSES[pattern] for pattern in imaging.FOUR_PATIENTS.values()])


@cache
def section(pattern: str) -> mri.Section:
    """Return the slice of a pattern at L1, uncollapsed: to collapse the CT takes seconds and changes no tissue."""
    whole = SimpleNamespace(ct=ct.patient(), landmarks=collapse.patient_landmarks())
    with mock.patch.object(mri, "_variant", lambda *_: whole):
        return mri.section(pattern, "L1")


@of("im-p14")
def _() -> Any:
    made = section("acute")
    t1 = mri.signal(made.shares, mri.sequences()["T1"])

    def middle(level: str, down: float) -> float:
        six = made.landmarks[level]
        column, row = made.pixels(six[1] * (1 - down) + six[4] * down)[0].astype(int)
        return float(t1[row - 3 : row + 4, column - 8 : column + 9].mean())

    # Fat is bright on T1: as much of it low in the broken body as in a whole one, hardly any under the plate.
    assert middle("L1", 0.82) == pytest.approx(middle("T12", 0.5), rel=0.15)
    assert middle("L1", 0.3) < 0.6 * middle("T12", 0.5)
    return "fat"


@of("im-p15")
def _() -> Any:
    points = collapse.patient_landmarks()
    centre = points["L1"].mean(axis=0)
    corner = np.array([centre[1] + 0.46 * mri.WIDTH, centre[2] + mri.ABOVE])

    def at(*ends: np.ndarray) -> np.ndarray:
        y, z = np.mean(ends, axis=0)[1:]
        return (np.array([corner[0] - y, corner[1] - z]) / mri.PITCH - [0, imaging.TRIM]) * 3.4

    # An infection lies in the disc above the level it is asked for.
    return {
        "t12-l1": at(points["T12"][4], points["L1"][1]),
        "l1-l2": at(points["L1"][4], points["L2"][1]),
        "t11": at(*points["T11"]),
        "l2": at(*points["L2"]),
    }


@of("im-p18")
def _() -> Any:
    anterior, _, posterior = imaging.CT_LOSSES
    assert morphometry.genant_grade(anterior) >= 2
    return "wall" if morphometry.genant_grade(posterior) == 0 and posterior < 0.1 else "front"


@of("im-p60")
def _() -> Any:
    found = []
    for level, shapes in questions.MIMICS.values():
        shape, lost = shapes[level], loss(level, shapes)
        if shape.limbus or shape.node:
            assert lost.grade == 0
            found.append("limbus" if shape.limbus else "schmorl")
        elif len(shapes) == 3:
            assert len(set(shapes.values())) == 1 and shape.irregularity and not shape.buckling
            found.append("scheuermann")
        else:
            assert lost.grade > 0
            found.append(lost.shape)
    return letters(found)


@of("im-p61")
def _() -> Any:
    bodies = [morphometry.SixPoints.from_array(questions.BENT.landmarks(level)[:, 1:]) for level in ("T12", "L2")]
    told = [text.split("°")[0] for text in lettering("im-p61") if "°" in text]
    assert told == ["17", "17", "4", "1"]
    return morphometry.local_kyphosis(*bodies)


@of("im-p62")
def _() -> Any:
    spine = questions.ONE_SIDED
    view = questions.carm_at(spine.landmarks("T12").mean(axis=0) + anatomy.mm(0, 0, 6), "AP", 330)
    vertebra = spine.vertebrae["T11"]

    def tall(side: float) -> float:
        x = side * 0.35 * vertebra.dimensions.upper_width
        line = np.array([[x, 0.0, z] for z in np.arange(-20, 20, 0.1)])
        return 0.1 * float((vertebra.distance(line) < 0).sum())

    assert tall(1.0) < 0.85 * tall(-1.0)  # x runs to the patient's right
    middles = {
        name: spine.landmarks(level).mean(axis=0)
        + anatomy.mm((1 if side == "right" else -1) * 0.3 * spine.vertebrae[level].dimensions.upper_width)
        for name, (level, side) in questions.ONE_SIDED_REGIONS.items()
    }
    return {name: view.project(at[None])[0] * 700 / view.pixels for name, at in middles.items()}


@of("im-p63")
def _() -> Any:
    age = ("acute", "subacute", "old")
    return tuple(name.lower() for name in sorted(questions.AGES, key=lambda name: age.index(questions.AGES[name])))


@of("im-p64")
def _() -> Any:
    made, normal_points = section("malignant"), collapse.patient_landmarks()
    t1 = mri.signal(made.shares, mri.sequences()["T1"])
    deposit = questions.deposit_centre(made)

    def signal(point: np.ndarray) -> float:
        column, row = made.pixels(point)[0].astype(int)
        return float(t1[row - 3 : row + 4, column - 3 : column + 4].mean())

    assert signal(deposit) < 0.7 * min(signal(normal_points[level].mean(axis=0)) for level in ("T12", "L2"))
    # Where the collapse of L1 takes it: with the body that it lies in.
    field = collapse.field("L1", *mri.LOSSES["malignant"])
    points = {level: field.forward(six) for level, six in normal_points.items()}
    centre = points["L1"].mean(axis=0)
    corner = np.array([centre[1] + 0.46 * mri.WIDTH, centre[2] + mri.ABOVE])
    places = {
        "spot": points["T11"].mean(axis=0) + deposit - normal_points["T11"].mean(axis=0),
        "t12": points["T12"].mean(axis=0),
        "l2": points["L2"].mean(axis=0),
        "disc": (points["L1"][4] + points["L2"][1]) / 2,
    }
    return {name: ((corner - at[1:]) / mri.PITCH - [0, questions.TRIM]) * 3.4 for name, at in places.items()}


# --- 06: care ---------------------------------------------------------------------------------------------------------


@of("cc-p10")
def _() -> Any:
    arms = care.data()["brace"]["arms"]
    assert [f"{arm['mean']:.2f}" in lettering("cc-p10") for arm in arms] == [True] * 3
    every = all(a["low"] < b["mean"] < a["high"] for a in arms for b in arms)
    return "alike" if every else "rigid"


@of("cc-p13")
def _() -> Any:
    published = next(each for each in care.course() if each.label.startswith("pain 3 or less"))
    tall = dict(zip("abc", bars("cc-p13", why.BLUE), strict=True))
    percent = {name: height / 320 * 100 for name, height in tall.items()}
    return only({name: abs(value - 100 * published.count / published.of) < 1 for name, value in percent.items()})


@of("cc-p18")
def _() -> Any:
    return only(
        {
            name: "load" in stage.does.text and "balance" in stage.does.text
            for name, stage in zip("abcd", care.stages(), strict=True)
        }
    )


# --- 07 and 08: needles, cement, balloons -----------------------------------------------------------------------------


@of("vp-p08")
def _() -> Any:
    model, view = procedures.spine(), procedures.carm(procedures.AP, pixels=220)
    pedicle, pose = model.vertebrae["L1"].pedicle("left"), model.poses["L1"]
    outward = np.sign(pedicle.centre[0])

    def at(out: float, up: float) -> np.ndarray:
        off = np.array([outward * out * pedicle.width / 2, 0, up * pedicle.height / 2])
        return view.project(pose.apply((pedicle.centre + off)[None]))[0] * procedures.ENTRY / view.pixels

    # Away from the midline and from the root below: half way to the edge of the ring, up and out.
    return {"upper-outer": at(0.55, 0.55), "lower-inner": at(-0.55, -0.55)}


@of("vp-p09")
def _() -> Any:
    vertebra, needle = procedures.spine().vertebrae["L1"], procedures.stray()
    views = two_views(needle, vertebra, "left")
    return "back" if views.posterior_at is None and breach(needle, vertebra, "left").canal > 1 else "push"


@of("vp-p10")
def _() -> Any:
    found = []
    vertebra = procedures.spine().vertebrae["L1"]
    breaches = {name: breach(needle, vertebra, "left") for name, needle in procedures.four_needles().items()}
    # Each does what it is drawn for by a millimetre or more, and nothing else that it could be taken for.
    assert breaches["A"].lateral > 1 and breaches["A"].canal == 0
    assert breaches["B"].superior_endplate > 1 and breaches["B"].canal == 0 and breaches["B"].lateral == 0
    assert not any(vars(breaches["C"]).values())
    assert breaches["D"].canal > 1 and breaches["D"].superior_endplate == 0
    for each in breaches.values():
        left = {name: mm for name, mm in vars(each).items() if mm}
        worst = "canal" if left.get("canal") else max(left, key=left.__getitem__) if left else "bone"
        found.append({"superior_endplate": "disc", "lateral": "side", "anterior": "side"}.get(worst, worst))
    return letters(found)


@of("vp-p21")
def _() -> Any:
    shape, tip = procedures.OPEN_WALL, procedures.stopping_needle().tip
    medium = bone(Vertebra("L1", shape), procedures.THIN, spacing=1.5)
    states = flow.inject(medium, flow.Injection((tuple(tip),), cement=2.0), max(procedures.STOPS))
    six = Vertebra("L1", shape).landmarks
    quarter = float(six[[0, 3], 1].mean() - six[[2, 5], 1].mean()) / 4
    at = [min(states, key=lambda s, v=v: abs(s.volume - v)) for v in procedures.STOPS]
    assert [s.volume for s in at] == pytest.approx(procedures.STOPS, abs=0.3)
    before = [state.posterior_margin - quarter for state in at]
    assert before[1] > 0.8 and before[2] < -2.5, "the third is clearly the first in the back quarter"
    return "abcd"[next(n for n, margin in enumerate(before) if margin < 0)]


@of("vp-p60")
def _() -> Any:
    vertebra = procedures.spine().vertebrae["L1"]
    pedicle, good = vertebra.pedicle("left"), {}
    for name, way in questions.WAYS.items():
        shown, further = (aim(pedicle, **{**way, "depth": depth}) for depth in (way["depth"], 28.0))
        walls = [mm for each in (shown, further) for mm in vars(breach(each, vertebra, "left")).values()]
        good[name] = max(walls) == 0 and two_views(further, vertebra, "left").safe
    return only(good)


@of("bk-p11")
def _() -> Any:
    before, lifted, settled = procedures.raised().heights[:, 0].round(1)
    assert [f"{height:.1f} mm" in lettering("bk-p11") for height in (before, lifted, settled)] == [True] * 3
    return 100 * (lifted - settled) / (lifted - before)


@of("bk-p18")
def _() -> Any:
    names = {"filled": "filled", "cannulae": "cannulae", "let down": "down", "inflated": "inflated"}
    return letters([names[stage] for stage in procedures.SHUFFLED.values()])


@of("bk-p19")
def _() -> Any:
    found, (size, step) = procedures.touching(), procedures.AXIAL
    assert "left wall" in found.contacts and "right wall" not in found.contacts
    left, right = sorted(found.balloons, key=lambda each: each.centre[0])
    assert found.clearance["right wall"] > 2

    def at(x: float, y: float) -> np.ndarray:
        return np.array([size / 2 - x / step, size / 2 - (y + 8) / step])

    sides = {}
    for name, each, sign in (("left-side", left, -1), ("right-side", right, 1)):
        surface = each.surface().reshape(-1, 3)
        level = surface[np.abs(surface[:, 2] - each.centre[2]) < 2]
        x, y, _ = level[np.argmax(sign * level[:, 0])]
        sides[name] = at(float(x), float(y))
    assert sides["left-side"][0] > size / 2 > sides["right-side"][0]  # seen from below
    return sides | {"between": at(*((left.centre + right.centre) / 2)[:2])}


@of("bk-p60")
def _() -> Any:
    density = {name: load.t_score(share) for name, share in questions.BONES.items()}
    told = {"a": -0.3, "b": -3.3, "c": -4.2}
    assert [round(density[n.upper()], 1) for n in told] == pytest.approx(list(told.values()), abs=0.05)
    found = {name: questions.inflated(share) for name, share in questions.BONES.items()}
    assert found["A"].stopped == "burst" and found["A"].volume == pytest.approx(4.1, abs=0.15)
    highest = {name: float(each.pressures.max()) for name, each in found.items()}
    return max(highest, key=highest.__getitem__).lower()


# --- 09 and 10: comparison, trials ------------------------------------------------------------------------------------


@of("vk-p15")
def _() -> Any:
    needle, balloon = comparison.compare(why.SETTING)
    assert balloon.pressures.max() < needle.pressures.max() / 2
    lines = re.findall(r'<polyline points="([^"]+)"', drawing("vk-p15"))
    starts = [np.array([p.split(",") for p in line.split()], float) for line in lines]
    # Drawn in the order A, B, C; up the page is more pressure. C is invented and falls.
    rises = [line[0, 1] - line[-1, 1] for line in starts]
    low = [line[0, 1] for line in starts]
    return only({"a": low[0] > low[1], "b": low[1] > max(low[0], low[2]) and rises[1] > 0, "c": rises[2] > 0})


@of("vk-p16")
def _() -> Any:
    needle, balloon = comparison.compare(why.CLEFT)
    assert needle.leaks["B"] > 0.03 > 4 * balloon.leaks["B"]
    assert max(each.leaks["S"] for each in (needle, balloon)) < 0.001  # nothing in the veins in front
    assert max(each.leaks.get("C-disc", 0) for each in (needle, balloon)) < 0.001
    return "wall"


@of("ev-p02")
def _() -> Any:
    first, second = evidence.PEOPLE.expected()
    assert f"{first:.1f}" in lettering("ev-p02") and f"{second:.1f}" in lettering("ev-p02")
    seen = evidence.PEOPLE.simulated(20_000, 3)  # nothing was done to them between the two days
    assert seen.mean(axis=0) == pytest.approx([first, second], abs=0.05)
    return "regression"


@of("ev-p07")
def _() -> Any:
    width = {}
    for name, row in zip("abc", evidence.TWELVE, strict=True):
        estimate = trials.rows()[row].estimate
        assert estimate
        width[name] = estimate.high - estimate.low
    return min(width, key=width.__getitem__)


@of("ev-p08")
def _() -> Any:
    matters = trials.measures()["pain"].important
    assert matters
    return only({n[-1]: each.low > 0 and each.high < matters.low for n, each in evidence.POOLS.items()})


@of("ev-p09")
def _() -> Any:
    values = np.array([each.value for each in evidence.EIGHT])
    variance = np.array([each.error for each in evidence.EIGHT]) ** 2

    def excess(tau2: float) -> float:
        weight = 1 / (variance + tau2)
        return float((weight * (values - (weight @ values) / weight.sum()) ** 2).sum()) - (len(values) - 1)

    low, high = 0.0, 50.0  # the variance between trials after Paule and Mandel, by halving
    for _ in range(60):
        low, high = ((low + high) / 2, high) if excess((low + high) / 2) > 0 else (low, (low + high) / 2)
    weight = 1 / (variance + low)
    mean, error = (weight @ values) / weight.sum(), weight.sum() ** -0.5
    reach = 2.4469 * (low + error**2) ** 0.5  # Student's t on 6 degrees of freedom
    alt = ITEMS["ev-p09"].image.alt.replace("−", "-")
    assert f"{mean - 1.96 * error:.0f} to {mean + 1.96 * error:.1f}" in alt.replace("-0 ", "0 ")
    assert f"{mean - reach:.1f} to {mean + reach:.1f}" in alt
    return "next"


@of("ev-p60")
def _() -> Any:
    rows = trials.rows()
    shown = [rows[row] for row in questions.SHAM.values()]
    assert all(row.checked and "sham" in row.study.against.lower() for row in shown)
    (name, free), *more = questions.OPEN.items()
    assert not more and "OPEN-LABEL" in references()["wardlaw2009"].design
    printed = f"Back-pain difference averaged -{free.value:.2f} (-{free.high:.2f},-{free.low:.2f})"
    assert any(printed in outcome for outcome in references()["boonen2011"].outcomes)
    assert all(row.estimate.value < free.low for row in shown)
    return name[-1].lower()


# --- 11: leaks --------------------------------------------------------------------------------------------------------


@of("sc-p02")
def _() -> Any:
    around, share = leaks.deposit(leaks.Leak("L1", "B", 0.9))
    held = share > 0
    return "epidural" if (around.canal[held] < 0).all() and (around.body[held] > 0).all() else "body"


@of("sc-p03")
def _() -> Any:
    found = []
    for route, volume in (("C-disc", 0.7), (None, 0.0), ("C-canal", 0.6)):
        seen = route and "lateral" in leaks.sight(leaks.Leak("T12", route, volume)).planes
        found.append({"C-disc": "disc", "C-canal": "canal"}[route] if seen else "none")
    return letters(found)


@of("sc-p04")
def _() -> Any:
    planes = {route: leaks.sight(leaks.Leak("L2", route, 0.4)).planes for route in ("S", "B", "C-disc", "foramen")}
    names = {"S": "segmental", "B": "basivertebral", "C-disc": "disc", "foramen": "foramen"}
    return only({names[route]: seen == ("AP",) for route, seen in planes.items()})


@of("sc-p07")
def _() -> Any:
    leak, view = leaks.Leak("L1", "C-canal", 0.6), leaks.carm("L1", "lateral")
    around, share = leaks.deposit(leak)
    body = leaks.segment("L1").landmarks("L1").mean(axis=0)
    cement = (around.points * share[..., None]).sum(axis=(0, 1, 2)) / share.sum()
    middle = leaks.segment("L1").poses["L1"].apply(cement[None])
    # The viewer's film is shown on a side of 480 units.
    return {
        "canal": view.project(middle)[0] * 480 / view.pixels,
        "body": view.project(body[None])[0] * 480 / view.pixels,
    }


@of("sc-p08")
def _() -> Any:
    leak = leaks.Leak("L3", "foramen", 0.6)
    around, share = leaks.deposit(leak)
    x = float((around.points[..., 0] * share).sum() / share.sum())
    # On the right, on the root that leaves under the pedicle of L3: the front of the thigh.
    return "thigh" if x > 0 and leaks.nerve_gap(leak) == 0 else "saddle"


@of("sc-p60")
def _() -> Any:
    found = []
    for leak in questions.LEAKS.values():
        around, share = leaks.deposit(leak)
        middle = (around.points * share[..., None]).sum(axis=(0, 1, 2)) / share.sum()
        depth = float((around.canal * share).sum() / share.sum())
        pedicle = around.vertebra.pedicle("right")
        if depth < -1 and abs(middle[0]) < 5:
            found.append("canal")
        else:
            found.append("vein" if middle[1] > pedicle.centre[1] + 5 else "foramen")
    return letters(found)


# --- 12 and 13: surgery, recovery -------------------------------------------------------------------------------------


@of("su-p02")
def _() -> Any:
    return only({name: each == "decompression" for name, each in zip("abc", surgery.OPERATIONS, strict=True)})


@of("su-p14")
def _() -> Any:
    both = {
        name: len(levels) > len(surgery.SHORT) and bool(surgery.CEMENTED[name])
        for name, levels in surgery.SCREWED.items()
    }
    return only(both)


@of("su-p15")
def _() -> Any:
    # Air of the same width round the screws of some levels only, and these are the lowest.
    return "loose" if set(surgery.LOOSENED) == set(surgery.LONG[-2:]) else "cement"


@of("rp-p04")
def _() -> Any:
    before, after = recovery.BEFORE, recovery.AFTER
    assert after["L1"] == before["L1"] and loss("L1", {"L1": after["L1"]}).grade > 0
    new = [level for level in after if level not in before]
    names = list(dimensions())
    return "above" if new == [names[names.index("L1") - 1]] and loss("T12", after).grade > 0 else "nothing"


@of("rp-p18")
def _() -> Any:
    women = {}
    for begin, told in ((0.0, "in the same admission"), (2.0, "after 2 years")):
        women[begin] = round(1000 * cohort(Person("2", "new"), Plan("alendronate", begin)).broken().middle)
        assert {told, str(women[begin])} <= set(lettering("rp-p18"))
    return women[2.0] - women[0.0]


@of("rp-p25")
def _() -> Any:
    broken = {name: 1 - cohort(Person("3"), plan).course[:, 0] for name, plan in recovery.PLANS.items()}
    # Little until the drug is stopped at two years, then as steep as without any.
    return only({name: each[24] < 0.12 and each[60] - each[24] > 0.2 for name, each in broken.items()})


# --- 14 and 15: leaflets, cases ---------------------------------------------------------------------------------------


@of("lf-p09")
def _() -> Any:
    table = trials.event_tables()["fracture-kendler2018"]
    low, high = (float(each) for each in re.findall(r"([\d.]+) %", table.printed)[:2])
    marked = drawing("lf-p09").count(f'width="22" height="22" fill="{leaflet.RED}"')
    assert marked == round(low) + round(high)
    return 100 / (high - low)


@of("lf-p15")
def _() -> Any:
    counted = leaflet.counts()
    assert sum(sum(each.values()) for each in counted.values()) == len(claims())
    shares = [each["oversimplified"] / sum(each.values()) for each in counted.values()]
    assert all(str(n) in lettering("lf-p15") for each in counted.values() for n in each.values() if n)
    return "half" if all(0.35 < share < 0.65 for share in shares) else "trust"


@of("ca-p05")
def _() -> Any:
    case = case_files.load_case(case_files.find_case("breast_mscc"))
    limit = next(clock.within for clock in case.clocks if clock.id == "day") / 60
    assert limit == 24
    return only({name: hours > limit for name, _, hours in cases.HOURS})


@of("ca-p06")
def _() -> Any:
    broken = [
        sum(loss(level, {level: shape}).grade > 0 for level, shape in each.items()) for each in cases.THREE_SPINES
    ]
    return only({name: count > 1 for name, count in zip("abc", broken, strict=True)})


@of("ca-p08")
def _() -> Any:
    return only({name: pattern == "infective" for name, pattern in zip("abc", cases.THREE_PATTERNS, strict=True)})


# --- The comparison ---------------------------------------------------------------------------------------------------


def check(item: Item, found: Any) -> None:
    """Hold what is true of a picture against the key of its question."""
    match item.format:
        case "single_best_answer":
            assert found == next(option.id for option in item.options if option.key)
        case "matching":
            assert found == {prompt.id: prompt.answer for prompt in item.prompts}
        case "ordering":
            assert found == tuple(step.id for step in item.steps)
        case "numeric":
            assert item.answer
            assert found == pytest.approx(item.answer.value, abs=item.answer.absolute_tolerance())
        case "hotspot":
            # Each landmark lies in the region that is named after it, and in no other.
            key = next(region.id for region in item.regions if region.key)
            assert next(iter(found)) == key, "the key is the landmark that comes first"
            for name, point in found.items():
                assert [region.id for region in item.regions if inside(point, region.polygon)] == [name]
        case _:
            raise AssertionError(f"{item.format} has no truth of this kind")


@pytest.mark.parametrize("name", sorted(TRUTHS))
def test_a_key_is_what_the_model_behind_the_picture_says(name):
    check(ITEMS[name], TRUTHS[name]())


@pytest.mark.parametrize("name", ["im-p62", "sa-p60", "ft-p60", "ft-p62", "bk-p60", "im-p61"])
def test_a_spoilt_key_is_found(name):
    item, found = ITEMS[name], TRUTHS[name]()
    match item.format:
        case "hotspot":
            regions = [replace(each, key=n == 1 - item.regions[1].key) for n, each in enumerate(item.regions)]
            moved = [replace(each, polygon=item.regions[n - 1].polygon) for n, each in enumerate(item.regions)]
            spoilt = [replace(item, regions=tuple(regions)), replace(item, regions=tuple(moved))]
        case "single_best_answer":
            spoilt = [replace(item, options=tuple(replace(o, key=not o.key) for o in item.options))]
        case "matching":
            prompts = [replace(prompt, answer=item.prompts[n - 1].answer) for n, prompt in enumerate(item.prompts)]
            spoilt = [replace(item, prompts=tuple(prompts))]
        case "ordering":
            spoilt = [replace(item, steps=item.steps[::-1])]
        case _:
            spoilt = [replace(item, answer=replace(item.answer, value=item.answer.value + 3))]
    for each in spoilt:
        with pytest.raises(AssertionError):
            check(each, found)


def test_every_picture_is_computed_or_said_to_be_drawn():
    assert set(ITEMS) == set(TRUTHS) | DRAWN
    assert not set(TRUTHS) & DRAWN


def test_sixty_six_practice_questions_have_a_picture_whose_truth_is_computed():
    assert len(PRACTICE & set(TRUTHS)) >= 66


# --- Where pictures come from -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ITEMS))
def test_a_picture_says_who_drew_it_and_whose_it_is(name):
    image = ITEMS[name].image
    assert image
    if image.drawn_by == "by hand":
        assert name in DRAWN and image.patient == "none"
        return
    script, function = image.drawn_by.split()
    module = sys.modules[Path(script).stem] if Path(script).stem in sys.modules else __import__(Path(script).stem)
    drawn = vars(module).get("PICTURES") or vars(module)["PICTURES_07"] | vars(module)["PICTURES_08"]
    if all(isinstance(each, Mapping) for each in drawn.values()):
        drawn = {file: draw for pictures in drawn.values() for file, draw in pictures.items()}
    assert drawn[Path(image.src).stem].__name__ == function
    # Who is shown: the data set's name stands in every picture that is made from it.
    assert ("LIDC-IDRI-0001" in drawing(name)) == (image.patient != "none")


LINES = {
    "conservative_q_brace": conservative.q_brace,
    "conservative_q_course": conservative.q_course,
    "conservative_q_stages": conservative.q_stages,
    "evidence_q_matter": evidence.q_matter,
    "evidence_q_open": questions.evidence_open,
    "evidence_q_regression": evidence.q_regression,
    "leaflet_q_bars": leaflet.q_bars,
    "leaflet_q_icons": leaflet.q_icons,
    "leaflet_q_leaks": leaflet.q_leaks,
    "patient_q_people": patient.q_people,
    "patient_q_wall": patient.q_wall,
    "procedure_q_curves": questions.procedure_curves,
    "recovery_q_courses": recovery.q_courses,
    "recovery_q_diaries": recovery.q_diaries,
    "recovery_start": recovery.start,
    "cases_q_lines": cases.q_lines,
    "why_q_cascade": why.q_cascade,
    "why_q_lattice": why.q_lattice,
    "why_q_postures": questions.why_postures,
}


@pytest.mark.parametrize("name", sorted(LINES))
def test_a_picture_of_lines_is_what_its_tool_writes(name):
    def plain(text: str) -> list[str]:
        # The last digit of a coordinate may differ from one processor to the next.
        numbers = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]) + 0.0:.0f}", text)
        return re.sub(r"<!--.*?-->", "", numbers).split()

    assert plain(LINES[name]()[0]) == plain(assets.path(f"figures/{name}.svg").read_text(encoding="utf-8"))
