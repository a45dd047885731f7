"""The CT browser without a browser: nothing is flipped, the parts of a vertebra are where they are, little is sent."""

import base64
import functools
import io
import itertools
import json
import re
import zlib

import numpy as np
import pytest
from matplotlib.image import imread
from scipy import ndimage

from ct_phantom import column
from vertebra.imaging import collapse, structures
from vertebra.imaging import ct as imaging
from vertebra.imaging.ct import Volume
from vertebra.imaging.structures import cropped, deepest, divide, oriented
from vertebra.widgets import ct as module
from vertebra.widgets.ct import ct_browser, draw, grey, packed, record

NAMES = imaging.STRUCTURES | {imaging.NUMBERS["spinal cord"]: "cord or cauda equina"}


@pytest.fixture(scope="module")
def patient():
    ct = imaging.patient()
    return oriented(ct.image, ct.labels)


@pytest.fixture(scope="module", autouse=True)
def computed_once():
    """The collapse takes seconds; what the widget shows and what it is compared with is one and the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collapse, "collapsed", functools.cache(collapse.collapsed))
        yield


@pytest.fixture(scope="module")
def parts(patient):
    return divide(patient)


def unpacked(text, shape):
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(shape[::-1])
    return (np.cumsum(steps, axis=2) % 256).astype(np.uint8).transpose(2, 1, 0)


def centroid(ct, name):
    """Return the middle of a structure in RAS mm, by the file's own affine."""
    inside = np.argwhere(ct.labels.data == imaging.NUMBERS[name])
    return (inside @ ct.labels.affine[:3, :3].T + ct.labels.affine[:3, 3]).mean(axis=0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_every_storage_order_of_the_same_ct_gives_the_same_picture(order, signs):
    """Each voxel keeps its place in the patient, whichever way the file runs."""
    rng = np.random.default_rng(3)
    spacing = np.array([0.7, 0.8, 2.5])
    hu = rng.integers(-900, 900, (5, 6, 7)).astype(np.int16)  # runs right, anterior, cranial
    stored = hu.transpose(order)[tuple(slice(None, None, signs[axis]) for axis in order)]
    affine = np.eye(4)
    affine[:3, 3] = [3.0, -40.0, 120.0]
    affine[:3, :3] = 0
    for column_, axis in enumerate(order):
        affine[axis, column_] = spacing[axis] * signs[axis]
        if signs[axis] < 0:
            affine[axis, 3] += spacing[axis] * (hu.shape[axis] - 1)
    scan = oriented(Volume(stored, affine), Volume(np.zeros(stored.shape, np.uint8), affine))
    assert np.array_equal(scan.hu, hu[::-1, ::-1, ::-1])
    assert np.allclose(scan.spacing, spacing)
    assert np.allclose(scan.origin, [3.0 + 4 * 0.7, -40.0 + 5 * 0.8, 120.0 + 6 * 2.5])


def test_what_cannot_be_shown_upright_is_refused():
    tilted = np.eye(4)
    tilted[:2, :2] = [[0.9, 0.1], [-0.1, 0.9]]
    hu, labels = np.zeros((4, 4, 4), np.int16), np.zeros((4, 4, 4), np.uint8)
    with pytest.raises(ValueError, match="oblique"):
        oriented(Volume(hu, tilted), Volume(labels, tilted))
    with pytest.raises(ValueError, match="one grid"):
        oriented(Volume(hu, np.eye(4)), Volume(labels[:3], np.eye(4)))


def test_the_patient_is_not_mirrored(patient, parts):
    """The aorta lies left of the spine, the vena cava and the liver right; and places agree with the file's affine."""
    ct = imaging.patient()
    for name in ("aorta", "liver", "left psoas", "T9", "L2"):
        at = np.argwhere(patient.labels == imaging.NUMBERS[name]).mean(axis=0)
        assert np.allclose(patient.origin - at * patient.spacing, centroid(ct, name), atol=1e-6)
    at = {name: np.argwhere(patient.labels == number).mean(axis=0) for number, name in NAMES.items()}
    assert at["liver"][0] < at["inferior vena cava"][0] < at["L1"][0] < at["aorta"][0] + 15
    assert at["inferior vena cava"][0] < at["aorta"][0] < at["left kidney"][0]
    assert at["aorta"][1] < at["T12"][1] < at["cord or cauda equina"][1] + 10 < at["left erector spinae"][1] + 20
    assert at["T9"][2] < at["T10"][2] < at["T11"][2] < at["T12"][2] < at["L1"][2] < at["L2"][2]


def test_cropping_keeps_every_voxel_in_its_place(patient):
    part = cropped(patient, np.array([90.0, 100.0, 0.0]), (30.0, 40.0))
    at = np.array([5, 7, 30])
    world = part.origin - at * part.spacing
    whole = np.rint((patient.origin - world) / patient.spacing).astype(int)
    assert part.hu[tuple(at)] == patient.hu[tuple(whole)]
    assert part.labels[tuple(at)] == patient.labels[tuple(whole)]
    assert part.hu.shape[0] * part.spacing[0] == pytest.approx(60, abs=1.5)


def test_grey_values_are_the_nearest_of_the_table():
    hu = np.arange(-1500, 3500)
    shown = module.HU[grey(hu)]
    assert np.array_equal(shown, module.HU[np.abs(module.HU - hu[:, None]).argmin(axis=1)])
    fine = (hu >= -200) & (hu <= 290)
    assert np.abs(shown - hu)[fine].max() <= 4
    assert np.abs(shown - hu)[(hu >= 300) & (hu < 1400)].max() <= 8
    assert len(module.HU) <= 256


def test_packing_loses_nothing():
    codes = np.random.default_rng(5).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    assert np.array_equal(unpacked(packed(codes), codes.shape), codes)


@pytest.mark.parametrize(("pitch", "turn"), [(0, 0), (12, 0), (-12, 6), (0, -8)])
def test_the_parts_of_a_built_vertebra_are_found(pitch, turn):
    """A column of blocks whose parts are known: nearly every voxel of bone is named rightly, tilted or turned."""
    ct, truth = column(pitch, turn)
    scan = oriented(ct.image, ct.labels)
    codes, table = divide(scan)
    named = np.array([f"{entry['name']} {entry['part']}".strip() for entry in table])[codes]
    expected = truth[::-1, ::-1, ::-1]
    bone = np.char.find(expected, " ") > 0
    for part in ("body", "right pedicle", "left pedicle", "arch", "spinous process", "disc"):
        mine = np.char.find(named, part) >= 0
        real = np.char.find(expected, part) >= 0
        overlap = 2 * (mine & real).sum() / (mine.sum() + real.sum())
        assert overlap > (0.8 if "pedicle" in part or part == "disc" else 0.9), (part, overlap)
    assert (named == expected)[bone].mean() > 0.93
    # Nothing of one level or side is given to another.
    for level in ("T12", "L1", "L2"):
        assert ((np.char.find(named, level) == 0) == (np.char.find(expected, level) == 0)).mean() > 0.999
    assert not ((np.char.find(named, "left pedicle") > 0) & (np.char.find(expected, "right pedicle") > 0)).any()


def test_parts_of_the_patient_add_up_and_lie_as_they_should(patient, parts):
    codes, table = parts
    of = {(entry["name"], entry["part"]): codes == code for code, entry in enumerate(table)}
    for level in imaging.LEVELS:
        mine = [mask for (name, _), mask in of.items() if name == level]
        assert np.array_equal(np.any(mine, axis=0), patient.labels == imaging.NUMBERS[level])
        at = {part: np.argwhere(mask).mean(axis=0) for (name, part), mask in of.items() if name == level}
        assert at["right pedicle"][0] + 12 / 0.7 < at["left pedicle"][0]
        assert at["body"][1] < at["left pedicle"][1] < at["arch"][1] < at["spinous process"][1]
        assert at["right pedicle"][2] <= at["body"][2] + 1  # pedicles spring from the upper half
        litres = of[level, "body"].sum() * np.prod(patient.spacing) / 1000
        assert 12 < litres < 40  # cm3; bodies grow downwards
    assert of["T9", "body"].sum() < of["T11", "body"].sum() < of["L2", "body"].sum()
    cord = np.argwhere(patient.labels == imaging.NUMBERS["spinal cord"])
    canal = of["spinal canal", ""]
    assert canal.sum() > 0.15 * len(cord)
    assert ndimage.binary_dilation(patient.labels == 79, iterations=14)[canal].mean() > 0.95


def test_the_midpoint_of_each_body_agrees_with_the_six_landmarks(patient, parts):
    """The landmarks are found by another rule, in `vertebra.imaging.ct`: their mean lies near the body's middle."""
    codes, table = parts
    for level, points in imaging.landmarks(imaging.patient()).items():
        body = codes == next(c for c, entry in enumerate(table) if (entry["name"], entry["part"]) == (level, "body"))
        at = np.rint((patient.origin - points.mean(axis=0)) / patient.spacing).astype(int)
        assert body[tuple(at)], level
        centre = patient.origin - np.argwhere(body).mean(axis=0) * patient.spacing
        assert np.linalg.norm(centre - points.mean(axis=0)) < 5


def test_the_deepest_voxel_is_as_far_inside_as_any():
    spacing = np.array([1.0, 1.0, 2.5])
    box = np.zeros((20, 20, 20), bool)
    box[3:12, 5:14, 6:15] = True
    i, j, k = deepest(box, spacing)
    assert (i, j) == (7, 9)
    outside = np.argwhere(~box)
    far = [np.linalg.norm((outside - at) * spacing, axis=1).min() for at in np.argwhere(box)]
    assert np.linalg.norm((outside - [i, j, k]) * spacing, axis=1).min() == pytest.approx(max(far))
    crumb = box.copy()
    crumb[0:2, 0:2, 0:2] = True  # a crumb elsewhere changes nothing
    assert deepest(crumb, spacing) == [i, j, k]


def test_every_target_is_where_it_says(patient, parts):
    codes, table = parts
    found = structures.targets(codes, table, patient.spacing)
    asked = [target["ask"] for target in found]
    assert len(set(asked)) == len(asked) > 30
    for target in found:
        assert codes[tuple(target["best"])] in target["codes"]
    for one in ("the body of T12", "the right pedicle of L1", "the aorta", "the spinal canal", "the left psoas"):
        assert one in asked
    assert {"the right erector spinae", "the disc between T12 and L1", "the spinous process of T11"} <= set(asked)
    canal = found[asked.index("the spinal canal")]
    assert {table[code]["name"] for code in canal["codes"]} == {"spinal canal", "cord or cauda equina"}
    assert not any("T8" in one or "L3" in one for one in asked if "disc" not in one)  # they are cut off
    for name in (table[code]["name"] for target in found for code in target["codes"]):
        assert "left" not in name or any("left" in one for one in asked)


@pytest.mark.parametrize("case", ["patient", "collapsed"])
def test_what_is_sent_is_what_the_ct_holds_and_is_small(case):
    browser = ct_browser(case)
    assert len(json.dumps([browser.scans, browser.about])) < 3_000_000
    first = browser.scans[-1]  # the patient, in either case
    image = unpacked(first["image"], first["shape"])
    ct = imaging.patient()
    rng = np.random.default_rng(1)
    at = rng.integers(0, first["shape"], (2000, 3))
    world = np.array(first["origin"]) - at * first["spacing"]
    real = ct.image.sample(world, order=0)
    shown = np.array(first["hu"])[image[tuple(at.T)]]
    inner = (real > -200) & (real < 290)
    assert np.abs(shown - real)[inner].max() <= 4
    names = np.array([entry["name"] for entry in first["table"]])[
        unpacked(first["labels"], first["shape"])[tuple(at.T)]
    ]
    labels = ct.labels.sample(world, order=0, outside=0)
    for name, label in zip(names, labels, strict=True):
        # A rule may name what the program left open, and never renames what it outlined.
        assert name == NAMES[label] if label else not name or name.startswith(("disc", "spinal canal"))


def test_the_static_form_is_stable_and_complete():
    first, second = ct_browser(), ct_browser()
    assert repr(first) == repr(second)
    assert re.fullmatch(r"CT browser: Real patient, no fracture, T9 to L2, crosshair at the height of L1", repr(first))
    bundle, _ = first._repr_mimebundle_()
    assert bundle["text/plain"] == repr(first)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    page = bundle["text/html"]
    assert page == second._repr_mimebundle_()[0]["text/html"]
    assert "CC BY 3.0" in page
    assert "LIDC-IDRI-0001" in page
    assert "the patient&#x27;s right is on the left" in page
    assert len(page) < 500_000
    first.crosshair = [-10.0, -80.0, -208.0]
    assert repr(first).endswith("at the height of T10")


def test_the_static_picture_shows_the_slices_upright():
    """What is bright to the right, in front and above the crosshair is bright left of and above it in the pictures."""
    ct, _ = column(0, 0)
    scan = oriented(ct.image, ct.labels)
    shown = record(scan, "title", "note", "tab")
    at = next(level["centre"] for level in shown["levels"] if level["name"] == "L1")
    dark = scan._replace(hu=np.full_like(scan.hu, -1000))
    dark.hu[: at[0], : at[1], : at[2] + 1] = dark.hu[at[0], : at[1], : at[2]] = dark.hu[: at[0], at[1], : at[2]] = 3000
    picture = imread(io.BytesIO(draw(dark, shown, at)))[..., 0]
    blocks, count = ndimage.label(ndimage.binary_opening(picture > 0.9, iterations=6))
    assert count == 3
    size = np.array(scan.hu.shape) * scan.spacing
    scale = picture.shape[1] * 0.99 / (2 * size[0] + size[1]) * 0.97  # px per mm, about
    edges = np.cumsum([0, size[0], size[1], size[0]]) / (2 * size[0] + size[1]) * picture.shape[1]
    for n, (across, down) in enumerate([(0, 1), (1, 2), (0, 2)]):
        rows, columns = np.nonzero(blocks == blocks[:, int(edges[n]) + 20][blocks[:, int(edges[n]) + 20] > 0][0])
        # It begins at the picture's left edge and ends at the crosshair.
        assert columns.min() == pytest.approx(edges[n], abs=12)
        assert np.ptp(columns) == pytest.approx(at[across] * scan.spacing[across] * scale, rel=0.06)
        assert np.ptp(rows) == pytest.approx(at[down] * scan.spacing[down] * scale, rel=0.06)


def test_the_variant_stands_beside_the_original_voxel_for_voxel():
    both = ct_browser("collapsed")
    variant, original = both.scans
    assert (variant["computed"], original["computed"]) == (True, False)
    assert all(variant[part] == original[part] for part in ("shape", "origin", "spacing"))
    assert "never had it" in variant["note"]
    assert not both.about["drill"]
    assert "Computed fracture variant" in repr(both)
    made = collapse.collapsed(module.COLLAPSED, *module.LOSSES)
    at = np.random.default_rng(2).integers(0, variant["shape"], (1500, 3))
    for scan, ct in ((variant, made.ct), (original, imaging.patient())):
        image = unpacked(scan["image"], scan["shape"])
        real = ct.image.sample(np.array(scan["origin"]) - at * scan["spacing"], order=0)
        assert np.abs(np.array(scan["hu"])[image[tuple(at.T)]] - real)[(real > -200) & (real < 290)].max() <= 4
    # The collapsed body is lower than it was, and nothing below it moved.
    height = {}
    for name, scan in (("variant", variant), ("original", original)):
        codes = unpacked(scan["labels"], scan["shape"])
        for level in ("L1", "L2"):
            body = next(c for c, e in enumerate(scan["table"]) if (e["name"], e["part"]) == (level, "body"))
            height[name, level] = (codes == body).sum(axis=2).max() * scan["spacing"][2]
    assert height["variant", "L1"] < height["original", "L1"] - 2
    assert height["variant", "L2"] == pytest.approx(height["original", "L2"], abs=2.5)


def test_another_case_is_refused_in_one_line():
    with pytest.raises(ValueError, match='ask for "patient" or "collapsed"'):
        ct_browser("mri")
