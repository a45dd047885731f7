"""A collapsed vertebra has the heights asked for, its field can be undone, and all else moves as one piece."""

import numpy as np
import pytest

from validation import validates
from vertebra.imaging import collapse, ct
from vertebra.measure.morphometry import SixPoints, height_loss, reference_heights

# Level, anterior, middle and posterior loss: wedges, a biconcave body and a crush.
CASES = [
    ("L1", (0.40, 0.25, 0.05)),
    ("T12", (0.20, 0.40, 0.10)),
    ("L1", (0.45, 0.42, 0.38)),
    ("T12", (0.55, 0.35, 0.15)),
]


def bone(level):
    labels = ct.patient().labels
    return labels.to_world(np.argwhere(labels.data == ct.NUMBERS[level])[::5])


def anywhere(count, seed=0):
    image = ct.patient().image
    corners = image.to_world(np.array([(0, 0, 0), np.array(image.data.shape) - 1]))
    return np.random.default_rng(seed).uniform(*corners, (count, 3))


def rigid_fit(before, after):
    """Return rotation, translation and greatest residual, mm, of the rigid motion nearest to before -> after."""
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    u, _, v = np.linalg.svd(a.T @ b)
    rotation = (u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v).T
    shift = after.mean(axis=0) - rotation @ before.mean(axis=0)
    return rotation, shift, np.linalg.norm(before @ rotation.T + shift - after, axis=1).max()


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    level, losses = request.param
    return level, losses, collapse.field(level, *losses)


# --- the field -------------------------------------------------------------------------------------------------------


@validates(
    "imaging.collapse",
    "Heights of the collapsed vertebra of a patient",
    against="the heights that were asked for",
    kind="property",
    tolerance="1e-4 of the height",
)
def test_heights_are_those_asked_for(case):
    level, losses, field = case
    before = collapse.patient_landmarks()[level]
    lost = 1 - collapse.heights(field.forward(before)) / collapse.heights(before)
    assert lost == pytest.approx(losses, abs=1e-4)


def test_no_place_is_folded_and_every_place_is_found_again(case):
    _, _, field = case
    neighbours = [bone(name) for name in ct.LEVELS]
    points = np.concatenate([anywhere(10_000), *neighbours])
    assert field.jacobian(points).min() > 0.1
    assert np.abs(field.inverse(field.forward(points)) - points).max() < 0.01
    assert np.abs(field.forward(field.inverse(points)) - points).max() < 0.01


@validates(
    "imaging.collapse",
    "How much bone is compacted",
    against="the determinant of finite differences",
    kind="computation",
    tolerance="1e-3, median",
)
def test_the_volume_ratio_is_the_determinant_of_finite_differences(case):
    level, _, field = case
    points = np.concatenate([anywhere(500), bone(level)[::8]])
    step = 1e-4
    columns = [(field.forward(points + step * e) - field.forward(points - step * e)) / (2 * step) for e in np.eye(3)]
    numeric = np.linalg.det(np.stack(columns, axis=-1))
    # w is linear within the cells of a grid: where a difference reaches over a cell's border the two differ.
    error = np.abs(numeric - field.jacobian(points))
    assert np.median(error) < 1e-3
    assert np.quantile(error, 0.9) < 0.05


def test_levels_below_stay_and_levels_above_move_as_one_rigid_piece(case):
    level, _, field = case
    n = ct.LEVELS.index(level)
    # Where the joints would run into each other the tips of the articular processes bend a little.
    below = bone(ct.LEVELS[n + 1])
    assert np.quantile(np.linalg.norm(field.forward(below) - below, axis=1), 0.9) < 0.15
    marks = collapse.patient_landmarks()[ct.LEVELS[n + 1]]
    assert np.abs(field.forward(marks) - marks).max() < 0.05
    above = np.concatenate([bone(name) for name in ct.LEVELS[:n]])
    rotation, shift, _ = rigid_fit(above, field.forward(above))
    away = np.linalg.norm(above @ rotation.T + shift - field.forward(above), axis=1)
    assert np.quantile(away, 0.95) < 0.15
    bodies = np.concatenate([collapse.patient_landmarks()[name] for name in ct.LEVELS[:n]])
    assert rigid_fit(bodies, field.forward(bodies))[2] < 0.03
    # Into kyphosis about an axis across the body, by the angle of the hinge.
    angle = np.arccos((np.trace(rotation) - 1) / 2)
    assert angle == pytest.approx(abs(field.angle), abs=0.003)


def test_discs_keep_their_height_at_the_rim(case):
    level, _, field = case
    before = collapse.patient_landmarks()
    after = {name: field.forward(points) for name, points in before.items()}
    for upper, lower in zip(ct.LEVELS[:-1], ct.LEVELS[1:], strict=True):
        was = np.linalg.norm(before[upper][3:] - before[lower][:3], axis=1)
        now = np.linalg.norm(after[upper][3:] - after[lower][:3], axis=1)
        rim = [0, 2]
        assert now[rim] == pytest.approx(was[rim], abs=0.8 if level in (upper, lower) else 0.05)
        if level in (upper, lower):
            # In the middle the disc follows the sunken endplate.
            assert now[1] > was[1] - 1.0


def test_the_arch_follows_half_way(case):
    level, _, field = case
    body = field.anatomy
    points = bone(level)
    spinous = points[body.frame.to_local(points)[:, 1] < -body.half_depth - 20]
    share = field._share(body.frame.to_local(spinous))
    assert np.median(share) == pytest.approx(0.5, abs=0.02)
    assert np.quantile(np.abs(share - 0.5), 0.9) < 0.1


@pytest.mark.parametrize("level", ["T9", "L2"])
def test_every_level_can_be_collapsed(level):
    before = collapse.patient_landmarks()
    for losses in [(0.3, 0.2, 0.0), (0.1, 0.3, 0.05), (0.3, 0.3, 0.3)]:
        field = collapse.field(level, *losses)
        now = collapse.heights(field.forward(before[level]))
        assert 1 - now / collapse.heights(before[level]) == pytest.approx(losses, abs=1e-4)
        assert field.jacobian(bone(level)).min() > 0.1
        for other in set(ct.LEVELS) - {level}:
            assert collapse.heights(field.forward(before[other])) == pytest.approx(
                collapse.heights(before[other]), abs=0.15
            )


def test_seed_and_irregularity_change_the_shape_and_not_the_heights():
    marks = collapse.patient_landmarks()["L1"]
    one, other, smooth = (
        collapse.field("L1", 0.4, 0.3, 0.1, seed=seed, irregularity=rough) for seed, rough in ((1, 1), (2, 1), (1, 0))
    )
    points = bone("L1")
    for first, second in ((one, other), (one, smooth)):
        heights = [collapse.heights(field.forward(marks)) for field in (first, second)]
        assert heights[0] == pytest.approx(heights[1], abs=0.01)
        assert 0.3 < np.abs(first.forward(points) - second.forward(points)).max() < 4
    again = collapse.field("L1", 0.4, 0.3, 0.1, seed=1)
    assert np.array_equal(one.forward(points), again.forward(points))
    # The wall buckles forwards at about two thirds of its height.
    body = one.anatomy
    wall = body.frame.to_world([0.0, body.half_depth, 5.0])
    out = (one.forward(wall) - smooth.forward(wall)) @ body.frame.axes[1]
    assert 0.5 < out < 2.5


@pytest.mark.parametrize(("share", "sunken", "kept"), [(1.0, 0, 3), (0.0, 3, 0)])
def test_the_share_says_which_endplate_sinks(share, sunken, kept):
    field = collapse.field("L1", 0.05, 0.25, 0.05, superior_share=share, irregularity=0)
    before = collapse.patient_landmarks()["L1"]

    def hollow(six, n):  # of the middle point behind the line between the other two
        line = six[n + 2] - six[n]
        return np.linalg.norm(np.cross(line, six[n + 1] - six[n])) / np.linalg.norm(line)

    after = field.forward(before)
    assert hollow(after, sunken) - hollow(before, sunken) == pytest.approx(0.2 * collapse.heights(before)[1], abs=0.3)
    assert hollow(after, kept) == pytest.approx(hollow(before, kept), abs=0.05)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("L5", 0.2, 0.1, 0), "'L5'"),
        (("L1", 0.7, 0.4, 0.3), "anterior height loss is 0.7"),
        (("L1", 25, 10, 0), "anterior height loss is 25"),
        (("L1", -0.1, 0, 0), "anterior height loss is -0.1"),
        (("L1", 0.2, float("nan"), 0), "middle height loss is nan"),
        (("L1", 0.5, 0.2, 0.0), "too sharply"),
        (("L1", 0.0, 0.6, 0.0, 1.5), "superior_share is 1.5"),
        (("L1", 0.3, 0.1, 0.0, 0.5, -1), "irregularity is -1"),
        (("T9", 0.5, 0.0, 0.45), "middle height loss of 0 is"),
        (("L1", 0.2, 0.1, 0.0, 0.5, 1.0, -1), "seed is -1"),
    ],
)
def test_what_can_not_be_is_said_in_one_line(asked, words):
    with pytest.raises(ValueError, match=words) as caught:
        collapse.field(*asked)
    assert "\n" not in str(caught.value)


def test_what_is_kept_for_all_can_not_be_written_into():
    body = collapse.anatomy("L1")
    kept = [body.rise.data, body.rise.affine, body.plates, body.column, body.rest, body.frame.axes]
    for array in (*kept, *collapse.patient_landmarks().values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(TypeError):
        collapse.patient_landmarks()["L1"] = 0


# --- the variant -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=CASES[:2], ids=lambda case: f"{case[0]}-{case[1]}")
def variant(request):
    level, losses = request.param
    return collapse.collapsed(level, *losses, spacing=1.0)


@validates(
    "imaging.collapse",
    "Heights read again from the warped outlines",
    against="the truth of the deformation",
    kind="property",
    tolerance="0.6 mm",
)
def test_heights_read_again_from_the_warped_outlines_are_the_truth(variant):
    read = ct.landmarks(variant.ct)
    error = np.array([collapse.heights(read[level]) - variant.heights[level] for level in ct.LEVELS])
    assert np.abs(error).max() < 0.6
    assert np.sqrt((error**2).mean()) < 0.25
    assert np.abs(error[ct.LEVELS.index(variant.level)]).max() < 0.5
    assert collapse.kyphosis(read, "T11", "L2") == pytest.approx(variant.kyphosis("T11", "L2"), abs=3)


def test_the_surface_carried_by_the_field_is_the_outline_of_the_warped_labels(variant):
    for level in ("T10", variant.level, "L2"):
        vertices, _ = ct.patient_mesh(level)
        field = ct.distance(variant.ct.labels, level, smoothing=0.3)
        away = field.sample(variant.field.forward(vertices.astype(float)), outside=np.nan)
        away = away[np.isfinite(away)]
        assert len(away) > 0.97 * len(vertices)
        # Voxels of 1 mm: half of one is the most that a label can say.
        assert np.quantile(np.abs(away), 0.95) < 0.5
        assert abs(away.mean()) < 0.1


def test_kyphosis_is_that_of_the_endplates_and_rises_by_the_hinge(variant):
    normal = collapse.kyphosis(variant.normal, "T10", "L2")
    with pytest.raises(ValueError, match="no landmarks of 'T1'"):
        variant.kyphosis("T1", "L2")
    turned = np.degrees(variant.field.angle)
    assert variant.kyphosis("T10", "L2") - normal == pytest.approx(turned, abs=1.0)
    before = variant.normal[variant.level]
    lost = collapse.heights(before) * variant.losses
    lever = np.linalg.norm(before[0] - before[2])
    assert turned == pytest.approx(np.degrees(np.arctan((lost[0] - lost[2]) / lever)), abs=3)


def test_six_points_of_the_variant_are_read_by_the_course_s_own_morphometry(variant):
    lateral = SixPoints.from_array(variant.landmarks[variant.level][:, 1:])
    read = np.array([lateral.heights.anterior, lateral.heights.middle, lateral.heights.posterior])
    # The film shows heights a little shorter than they are in space, because the spine leans sideways, alike in front
    # and behind.
    true = variant.heights[variant.level]
    assert np.all(read < true)
    assert read / read[2] == pytest.approx(true / true[2], abs=0.01)
    assert height_loss(lateral.heights, lateral_neighbours(variant)).loss > 0.3


def lateral_neighbours(variant):
    n = ct.LEVELS.index(variant.level)
    above, below = (SixPoints.from_array(variant.landmarks[ct.LEVELS[m]][:, 1:]).heights for m in (n - 1, n + 1))
    return reference_heights(above, below)


def test_bone_is_kept_when_it_is_compacted(variant):
    """Integral of density above marrow over the collapsed vertebra, before and after."""
    level = variant.level

    def content(scan):
        inside = scan.labels.data == ct.NUMBERS[level]
        return scan.image.data[inside].clip(0).sum() * scan.image.spacing.prod()

    before = content(ct.patient())
    assert content(variant.ct) == pytest.approx(before, rel=0.06)
    loose = collapse.collapsed(level, *variant.losses.round(6), compaction=0.0, spacing=2.0)
    assert content(loose.ct) < 0.93 * before


def test_texture_and_neighbours_are_the_patient_s(variant):
    """Away from the collapse every voxel holds the density of the place it came from."""
    scan = variant.ct
    at = np.random.default_rng(0).integers(0, scan.image.data.shape, (20_000, 3))
    came = variant.field.inverse(scan.image.to_world(at))
    label = scan.labels.data[tuple(at.T)]
    rest = label != ct.NUMBERS[variant.level]
    expected = ct.patient().image.sample(came[rest])
    error = np.abs(expected - scan.image.data[tuple(at[rest].T)])
    assert np.quantile(error, 0.95) < 8
    index, last = ct.patient().image.to_index(came), np.array(ct.patient().image.data.shape) - 1
    beyond = ((index < -1) | (index > last + 1)).any(axis=1)
    assert beyond.sum() > 20
    assert (scan.image.data[tuple(at[beyond].T)] == -1000).all() and not label[beyond].any()
    kept = (label == ct.NUMBERS[variant.level]) & (ct.patient().labels.sample(came, order=0, outside=0) == label)
    assert kept.sum() > 0.9 * (~rest).sum()


def test_nothing_lost_is_the_patient_unchanged():
    same = collapse.collapsed("L1", 0, 0, 0)
    assert np.array_equal(same.ct.image.data, ct.patient().image.data)
    organs = ~np.isin(ct.patient().labels.data, [ct.NUMBERS[level] for level in ct.VERTEBRAE])
    kept = organs & (same.ct.labels.data == ct.patient().labels.data)
    assert kept.sum() > 0.99 * organs.sum()
    assert same.losses == pytest.approx([0, 0, 0], abs=1e-9)


def test_the_grid_is_the_patient_s_or_cubes():
    cubes = collapse.collapsed("L1", 0.3, 0.2, 0.0, spacing=2.5)
    assert np.allclose(cubes.ct.image.spacing, 2.5)
    assert (cubes.ct.image.data.dtype, cubes.ct.labels.data.dtype) == (np.int16, np.uint8)
    with pytest.raises(ValueError, match="compaction"):
        collapse.collapsed("L1", 0.3, 0.2, 0.0, compaction=2)
    with pytest.raises(ValueError, match="spacing"):
        collapse.collapsed("L1", 0.3, 0.2, 0.0, spacing=0)
    assert "without a fracture" in collapse.NOTE
