"""The real CT lies the right way round, is whole, and its landmarks are where its bodies end."""

import gzip
import importlib.util
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from validation import validates
from vertebra import assets
from vertebra.imaging import ct
from vertebra.spine.vertebra import Vertebra

ROOT = Path(__file__).parents[2]


def build_script():
    spec = importlib.util.spec_from_file_location("build_ct", ROOT / "tools" / "build_ct.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scan():
    return ct.patient()


@pytest.fixture(scope="module")
def points(scan):
    return ct.landmarks(scan)


def places(scan, name):
    return scan.labels.to_world(np.argwhere(scan.labels.data == ct.NUMBERS[name]))


# --- orientation and content -----------------------------------------------------------------------------------------


def test_right_and_left_front_and_back_up_and_down(scan, points):
    middle = {level: marks.mean(axis=0) for level, marks in points.items()}
    assert places(scan, "liver")[:, 0].mean() > max(m[0] for m in middle.values()) > places(scan, "spleen")[:, 0].mean()
    aorta = places(scan, "aorta")
    cord = places(scan, "spinal cord")
    for level, centre in middle.items():
        here = aorta[np.abs(aorta[:, 2] - centre[2]) < 3].mean(axis=0)
        assert here[0] < centre[0], f"aorta not on the left of {level}"
        assert here[1] > centre[1], f"aorta not in front of {level}"
        canal = cord[np.abs(cord[:, 2] - centre[2]) < 3].mean(axis=0)
        # The spinous process ends behind the canal, the body lies in front of it.
        assert places(scan, level)[:, 1].min() < canal[1] - 15 < centre[1]
    heights = [middle[level][2] for level in ct.LEVELS]
    assert np.all(np.diff(heights) < -15), "levels are listed from cranial to caudal"
    assert nib.aff2axcodes(scan.image.affine) == ("R", "A", "S")
    assert np.allclose(scan.image.spacing, (0.703125, 0.703125, 2.5))


def test_names_and_numbers_agree_and_sizes_hold(scan):
    assert set(np.unique(scan.labels.data).tolist()) == {0, *ct.STRUCTURES}
    assert len(ct.NUMBERS) == len(ct.STRUCTURES)
    assert sum(assets.path(name).stat().st_size for name in (ct.IMAGE, ct.LABELS)) < 6_000_000
    assert (scan.image.data.dtype, scan.labels.data.dtype) == (np.int16, np.uint8)
    for volume in (scan.image, scan.labels):  # everybody is given the same one
        assert not volume.data.flags.writeable and not volume.affine.flags.writeable


def test_densities_are_those_of_air_muscle_blood_and_bone(scan):
    def median(name):
        return np.median(scan.image.data[scan.labels.data == ct.NUMBERS[name]])

    assert median("lower lobe of right lung") < -700
    assert 20 < median("left erector spinae") < 80
    # Contrast medium is in the aorta.
    assert 200 < median("aorta") < 450
    # Another reading of the same scan found about 390 HU in the outer 2 mm of L1; marrow lies deep inside.
    depth = ct.distance(scan.labels, "L1").sample(places(scan, "L1"))
    density = scan.image.sample(places(scan, "L1"))
    assert 340 < np.median(density[(depth > -2) & (depth < 0)]) < 440
    assert 50 < np.median(density[depth < -5]) < 150


def test_what_lies_outside_the_body_is_air(scan):
    parts, _ = ndimage.label(scan.image.data > -400)
    sizes = np.sort(np.bincount(parts.ravel())[1:])
    assert sizes[-1] > 2_000_000
    assert sizes[-2] < 500, "something is left that is not the patient"
    assert np.all(scan.image.data[0, 0] == -1000)


def test_licence_and_attribution_lie_beside_the_data():
    text = assets.read_text("ct/README.md")
    for words in ("CC BY 3.0", "10.7937/K9/TCIA.2015.LO9QL9SX", "Medical Physics 2011;38:915-931", "2013;26:1045-1057",
                  "National Cancer Institute", "Foundation for the National Institutes of", "TotalSegmentator",
                  "Apache License 2.0", "(c) 2022 Vivek Gopalakrishnan", "Permission is hereby granted",
                  build_script().SHA256):  # fmt: skip
        assert words in text
    assert "Attribution 3.0 Unported" in assets.read_text("ct/LICENSE-CC-BY-3.0")


# --- how it was built ------------------------------------------------------------------------------------------------


def test_the_crop_keeps_every_voxel_at_its_place():
    script = build_script()
    affine = np.array([[-0.7, 0, 0, 166.0], [0, 0.7, 0, -187.6], [0, 0, 2.5, -340.0], [0, 0, 0, 1]])
    value = np.random.default_rng(0).integers(-1000, 1000, (360, 300, 80)).astype(np.int16)
    crop = script.cropped(nib.Nifti1Image(value, affine), value)
    assert nib.aff2axcodes(crop.affine) == ("R", "A", "S")
    was, now = ct.Volume(value, affine), ct.Volume(np.asarray(crop.dataobj), crop.affine)
    somewhere = np.random.default_rng(1).integers(0, now.data.shape, (500, 3))
    assert np.array_equal(was.sample(now.to_world(somewhere), order=0), now.data[tuple(somewhere.T)])


def test_the_table_goes_and_the_lungs_stay(tmp_path):
    script = build_script()
    hu = np.full((60, 60, 10), -1000, np.int16)
    i, j = np.indices((60, 60))
    hu[(i - 30) ** 2 + (j - 35) ** 2 < 400] = 40
    hu[(i - 25) ** 2 + (j - 35) ** 2 < 50] = -850
    hu[5:55, 4:6] = 300
    body = script.patient(hu)
    assert body[25, 35].all()
    assert not body[:, :10].any()
    image = nib.Nifti1Image(hu, np.eye(4))
    for name in ("a.nii.gz", "b.nii.gz"):
        script.write(image, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.nii.gz").read_bytes()) == image.to_bytes()


def test_another_wheel_is_refused(tmp_path):
    (tmp_path / "x.whl").write_bytes(b"not the wheel")
    with pytest.raises(SystemExit, match="sha256"):
        build_script().build(tmp_path / "x.whl")


# --- files that are missing or damaged -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / ct.IMAGE).unlink(), "is missing"),
        (lambda folder: (folder / ct.IMAGE).write_bytes(assets.path(ct.IMAGE).read_bytes()[:90_000]), "damaged"),
        (lambda folder: (folder / ct.LABELS).write_bytes(b""), "damaged"),
        (lambda folder: (folder / ct.LABELS).write_bytes(b"<html>not found</html>"), "damaged"),
        (lambda folder: (folder / ct.LABELS).write_bytes((folder / ct.IMAGE).read_bytes()), "not a 3-D uint8"),
        (lambda folder: relabel(folder, lambda labels: np.where(labels == 31, 200, labels)), "unknown label 200"),
        (lambda folder: relabel(folder, lambda labels: labels[:-1]), "not on the grid"),
    ],
)
def test_a_bad_file_is_named_with_the_mend(tmp_path, monkeypatch, damage, words):
    (tmp_path / "ct").mkdir()
    for name in (ct.IMAGE, ct.LABELS):
        (tmp_path / name).write_bytes(assets.path(name).read_bytes())
    monkeypatch.setattr(assets, "root", lambda: tmp_path)
    damage(tmp_path)
    with pytest.raises(assets.AssetError, match=words) as caught:
        ct.patient.__wrapped__()
    assert "git checkout" in str(caught.value)
    assert "\n" not in str(caught.value)


def relabel(folder, change):
    old = nib.load(folder / ct.LABELS)
    labels = change(np.asarray(old.dataobj)).astype(np.uint8)
    (folder / ct.LABELS).write_bytes(gzip.compress(nib.Nifti1Image(labels, old.affine).to_bytes(), 1))


# --- volumes and pictures --------------------------------------------------------------------------------------------

TURNED = np.array([[0, -0.8, 0.1, 5], [0.9, 0, 0, -7], [0, 0.1, 2.0, 30], [0, 0, 0, 1]])


def test_indices_and_places_go_to_and_fro_and_sampling_is_exact_for_a_linear_picture():
    i, j, k = np.indices((8, 9, 10))
    volume = ct.Volume((2.0 * i - 3 * j + 5 * k).astype(np.float32), TURNED)
    at = np.random.default_rng(0).uniform(0, 7, (4, 5, 3))
    world = volume.to_world(at)
    assert np.allclose(volume.to_index(world), at)
    assert np.allclose(volume.sample(world), at @ [2, -3, 5], atol=1e-4)
    assert volume.sample(volume.to_world([-0.6, 3, 3])) == -1000
    assert volume.sample(volume.to_world([7.6, 3, 3]), outside=7) == 7
    assert volume.sample(volume.to_world([2.4, 2.6, 1]), order=0) == 2 * 2 - 9 + 5
    assert volume.sample([[np.nan, 0, 0], volume.to_world([3, 3, 3])]).tolist() == [-1000, 12]
    with pytest.raises(ValueError, match=r"outside is -1000.0, which uint8 can't hold"):
        ct.Volume(np.zeros((2, 2, 2), np.uint8), np.eye(4)).sample([9, 9, 9], order=0)
    with pytest.raises(ValueError, match="affine"):
        ct.Volume(np.zeros((2, 2, 2)), np.full((4, 4), np.nan))
    with pytest.raises(ValueError, match="3-D"):
        ct.Volume(np.zeros((2, 2)), np.eye(4))
    with pytest.raises(ValueError, match="affine"):
        ct.Volume(np.zeros((2, 2, 2)), np.zeros((4, 4)))


def test_window_maps_its_ends_to_black_and_white():
    assert ct.window([-1000, 50, 300, 550, 3000], level=300, width=500).tolist() == [0, 0, 128, 255, 255]
    for wanted in ({"width": 0}, {"width": np.inf}, {"level": np.nan}):
        with pytest.raises(ValueError, match="two numbers"):
            ct.window([0], **wanted)


@pytest.mark.parametrize(("name", "position"), [("axial", 34.0), ("sagittal", 5.5), ("coronal", 3.0)])
def test_a_mark_right_in_front_and_up_lies_top_left_in_every_plane(name, position):
    """Radiological view: the patient's right on the picture's left, seen from the right side, head or front up."""
    data = np.zeros((12, 14, 18), np.uint8)
    data[-1, -1, -1] = 9
    volume = ct.Volume(
        data, np.diag([0.5, 0.5, 2.0, 1.0]) + np.array([[0, 0, 0, 0], [0, 0, 0, -3.5], [0] * 4, [0] * 4])
    )
    picture = ct.plane(volume, name, position, spacing=0.5, order=0)
    assert picture[0, 0] == 9
    assert picture.astype(bool).sum() == {"axial": 1, "sagittal": 3, "coronal": 3}[name]
    with pytest.raises(ValueError, match="axial, sagittal or coronal"):
        ct.plane(volume, "oblique", 0)
    for at, spacing in ((np.nan, 1), (0, 0), (0, -1)):
        with pytest.raises(ValueError, match="the spacing above 0"):
            ct.plane(volume, name, at, spacing)


def test_cubes_show_the_same_patient(scan):
    cubes = scan.resampled(2.0)
    assert np.allclose(cubes.image.spacing, 2)
    at = np.random.default_rng(0).integers(1, np.array(cubes.image.data.shape) - 1, (2000, 3))
    there = cubes.image.to_world(at)
    # Stored in whole Hounsfield units.
    assert np.abs(scan.image.sample(there) - cubes.image.data[tuple(at.T)]).max() <= 1
    for level in ("T9", "L1"):
        before = len(places(scan, level)) * scan.labels.spacing.prod()
        assert len(places(cubes, level)) * 8 == pytest.approx(before, rel=0.06)
    with pytest.raises(ValueError, match="spacing"):
        scan.resampled(0)
    with pytest.raises(ValueError, match="one grid"):
        ct.CT(scan.image, cubes.labels)


# --- outlines --------------------------------------------------------------------------------------------------------


@validates(
    "imaging.ct",
    "Distance to an outline",
    against="the distance to a ball",
    kind="analytic",
    tolerance="0.3 mm on average, 1.0 at worst",
)
def test_distance_to_a_ball_of_long_voxels():
    i, j, k = np.indices((50, 50, 22))
    spacing = np.array([0.7, 0.7, 2.0])
    centre = np.array([24.3, 25.1, 10.4]) * spacing
    radius = np.linalg.norm(np.stack([i, j, k], axis=-1) * spacing - centre, axis=-1)
    volume = ct.Volume(np.where(radius < 14, ct.NUMBERS["L1"], 0).astype(np.uint8), np.diag([*spacing, 1.0]))
    field = ct.distance(volume, "L1")
    towards = np.random.default_rng(0).normal(size=(2000, 3))
    towards /= np.linalg.norm(towards, axis=1)[:, None]
    error = field.sample(centre + 14 * towards)
    assert abs(error.mean()) < 0.3
    assert np.abs(error).max() < 1.0
    for away in (-8, -4, 2):
        assert np.abs(field.sample(centre + (14 + away) * towards) - away).mean() < 0.8
    for name, words in (("L2", "not outlined"), ("appendix", "no structure")):
        with pytest.raises(ValueError, match=words):
            ct.distance(volume, name)


@pytest.mark.parametrize("level", ["T9", "L1"])
def test_a_mesh_is_closed_faces_outwards_and_keeps_the_volume(scan, level):
    vertices, faces = ct.patient_mesh(level)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2)
    corner = vertices[faces].astype(float)
    volume = np.einsum("ij,ij->", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])) / 6
    bone = places(scan, level)
    assert volume == pytest.approx(len(bone) * scan.labels.spacing.prod(), rel=0.05)
    assert np.abs(vertices.min(axis=0) - bone.min(axis=0)).max() < 2.5
    assert np.abs(vertices.max(axis=0) - bone.max(axis=0)).max() < 2.5
    with pytest.raises(ValueError, match="mesh spacing is 0"):
        ct.patient_mesh(level, 0)


# --- landmarks -------------------------------------------------------------------------------------------------------


def heights(marks):
    return np.linalg.norm(marks[:3] - marks[3:], axis=1)


def test_the_six_points_lie_on_the_outline_and_are_plausible(scan, points):
    anterior, middle, posterior = np.array([heights(points[level]) for level in ct.LEVELS]).T
    # Bodies grow caudally; none of these differs from its neighbour by more than a fifth.
    for column in (anterior, middle, posterior):
        assert np.all(column[1:] / column[:-1] > 0.97)
        assert np.all(column[1:] / column[:-1] < 1.2)
    # No fracture: no height is a fifth below another of the same body.
    assert np.all(middle / posterior > 0.85)
    assert np.all(anterior / posterior > 0.85)
    for level, marks in points.items():
        away = np.abs(ct.distance(scan.labels, level).sample(marks))
        assert away.max() < 1.2, f"{level}: points off the outline"
        assert np.all(marks[[0, 3], 1] > marks[[1, 4], 1]) and np.all(marks[[1, 4], 1] > marks[[2, 5], 1])
        assert np.all(marks[:3, 2] > marks[3:, 2])
        # Midsagittal: level with the canal, in one plane.
        plane = np.linalg.svd(marks - marks.mean(axis=0))[1]
        assert plane[2] < 1e-6
    for upper, lower in zip(ct.LEVELS[:-1], ct.LEVELS[1:], strict=True):
        disc = np.linalg.norm(points[upper][3:] - points[lower][:3], axis=1)
        assert np.all((disc > 1) & (disc < 12)), f"disc {upper}-{lower}: {disc}"


@validates(
    "imaging.ct",
    "Heights of the patient's L1",
    against="a meta-analysis of 18 studies",
    kind="published",
    tolerance="0.12 of the value",
    source=("bonczar2024",),
)
def test_l1_has_about_the_published_heights(points):
    """Means of 25.54 and 26.57 mm, anterior 24.54: a patient lies within a tenth or so of a mean."""
    rows = [line.split(",") for line in assets.read_text("anatomy/dimensions.csv").splitlines()]
    published = {row[1]: float(row[2]) for row in rows if row[0] == "L1" and "height" in row[1]}
    anterior, _, posterior = heights(points["L1"])
    assert anterior == pytest.approx(published["anterior_height"], rel=0.12)
    assert posterior == pytest.approx(published["posterior_height"], rel=0.12)


def drawn(tilt, wedge, thickness):
    """Six tilted bodies with arch and cord, in slices of so many mm, and where the six points of each lie."""
    spacing = np.array([0.7, 0.7, thickness])
    shape = (70, 110, int(230 / thickness))
    volume = ct.Volume(np.zeros(shape, np.uint8), np.diag([*spacing, 1.0]))
    world = volume.to_world(np.moveaxis(np.indices(shape), 0, -1))
    labels, corners = volume.data, {}
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    labels[np.hypot(world[..., 0] - 24, world[..., 1] - 20) < 6] = ct.NUMBERS["spinal cord"]
    for n, level in enumerate(ct.LEVELS):
        centre = np.array([24.0, 48.0, 205.0 - 34.6 * n])  # every level cut elsewhere by the slices
        rel = world - centre
        y, z = c * rel[..., 1] + s * rel[..., 2], -s * rel[..., 1] + c * rel[..., 2]
        top = 12 - wedge * (y + 16) / 32
        body = (np.abs(rel[..., 0]) < 20) & (np.abs(y) < 16) & (z > -12) & (z < top)
        arch = (np.abs(rel[..., 0]) < 14) & (y < -38) & (y > -46) & (np.abs(z) < 9)
        labels[body | arch] = ct.NUMBERS[level]
        along = np.array([16 - ct.RIM_MM, 0, ct.RIM_MM - 16])
        local = [*zip(along, 12 - wedge * (along + 16) / 32, strict=True), *((at, -12) for at in along)]
        corners[level] = centre + [(0, c * at - s * up, s * at + c * up) for at, up in local]
    return ct.CT(ct.Volume(np.zeros(shape, np.int16), volume.affine), volume), corners


@pytest.mark.parametrize(("tilt", "wedge"), [(12, 0), (-8, 5), (15, 9)])
def test_landmarks_of_drawn_bodies_are_found(tilt, wedge):
    scan, corners = drawn(tilt, wedge, 0.8)
    for level, marks in ct.landmarks(scan).items():
        assert np.abs(heights(marks) - heights(corners[level])).max() < 0.6, level
        assert np.linalg.norm(marks - corners[level], axis=1).max() < 0.8, level


@pytest.mark.parametrize(("tilt", "wedge"), [(12, 0), (-8, 5)])
def test_thick_slices_cost_less_than_a_slice_and_shift_nothing_on_the_whole(tilt, wedge):
    scan, corners = drawn(tilt, wedge, 2.5)
    error = np.array([heights(marks) - heights(corners[level]) for level, marks in ct.landmarks(scan).items()])
    assert np.abs(error).max() < 2.0
    assert abs(error.mean()) < 0.3


def test_the_frame_of_a_body_is_that_of_its_landmarks():
    model = np.asarray(Vertebra("L1").landmarks)
    upright = ct.body_frame(model)
    assert np.allclose(upright.axes @ upright.axes.T, np.eye(3)) and np.linalg.det(upright.axes) > 0
    assert np.allclose(upright.to_local(model).mean(axis=0), 0)
    # However the body lies in a scanner, its landmarks are the same in its own frame.
    q, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    q *= np.sign(np.linalg.det(q))
    placed = model @ q.T + [40, -30, 200]
    assert np.allclose(ct.body_frame(placed).to_local(placed), upright.to_local(model))


def test_density_falls_where_the_outline_says_the_body_ends(scan, points):
    """Half way between endplate and disc, read from the densities along each height: no outline is used."""
    along = np.arange(-3.5, 3.51, 0.1)
    offsets = []
    for marks in points.values():
        up = (marks[:3] - marks[3:]) / heights(marks)[:, None]
        right = np.cross(marks[0] - marks[2], up[1])
        strip = np.linspace(-3, 3, 7)[:, None, None] * right / np.linalg.norm(right)
        for n, mark in enumerate(marks):
            outwards = up[n % 3] * (1 if n < 3 else -1)
            hu = scan.image.sample(mark + strip + along[:, None] * outwards).mean(axis=0)
            peak = np.where(np.abs(along) < 2.5, hu, -1000).argmax()
            below = np.flatnonzero(hu[peak:] < (hu[peak] + hu[peak:].min()) / 2)
            if len(below):
                offsets.append(along[peak + below[0]])
    assert len(offsets) > 30
    assert np.median(np.abs(offsets)) < 1.0
    assert abs(np.mean(offsets)) < 1.0


def test_landmarks_say_what_they_miss(scan):
    with pytest.raises(ValueError, match="L5"):
        ct.landmarks(scan, ["L5"])
    bare = np.where(scan.labels.data == ct.NUMBERS["spinal cord"], 0, scan.labels.data)
    with pytest.raises(ValueError, match="spinal cord"):
        ct.landmarks(ct.CT(scan.image, ct.Volume(bare, scan.labels.affine)))
