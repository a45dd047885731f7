"""The names of a patient's parts: what an affine map must find again, and where a real vertebra has its parts."""

import numpy as np
import pytest

from validation import validates
from vertebra.imaging import ct, parts
from vertebra.spine.vertebra import PARTS, Vertebra


@pytest.fixture(scope="module")
def textbook():
    return Vertebra("L1").mesh(1.5)


@pytest.fixture(scope="module")
def patient():
    return parts.patient(("T12", "L1"))


def stranger(points):
    """A wider, lower, slightly sheared and turned vertebra."""
    turn = np.radians(6)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    shear = np.array([[1.12, 0, 0.03], [0, 1.06, 0.08], [0, 0, 0.93]])
    return points @ (rotation @ shear).T + [1.5, -2.0, 1.0]


def areas(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


@validates(
    "imaging.parts",
    "Where the named parts of a patient's bone lie",
    against="a map that is known",
    kind="computation",
    tolerance="0.3 mm",
)
def test_an_affine_map_is_found_again_on_another_mesh(textbook):
    other = Vertebra("L1").mesh(1.1)
    moved = parts.fitted(textbook.vertices, stranger(other.vertices))
    assert np.linalg.norm(moved - stranger(textbook.vertices), axis=1).max() < 0.3


def test_names_survive_a_change_of_mesh_and_shape(textbook):
    other = Vertebra("L1").mesh(1.1)
    names = parts.named(stranger(other.vertices), other.faces, textbook)
    assert np.average(names == other.parts, weights=areas(other)) > 0.95


def test_a_patients_parts_lie_where_the_scan_says(patient):
    """Against the six landmarks and the cord, which were found without any textbook vertebra."""
    scan = ct.patient()
    common = ct.body_frame(ct.landmarks(scan, ("T12",))["T12"])
    number = next(k for k, name in ct.STRUCTURES.items() if name == "spinal cord")
    cord = common.to_local(scan.labels.to_world(np.argwhere(scan.labels.data == number)))
    for level, mesh in patient.items():
        points = common.to_local(ct.landmarks(scan, (level,))[level])
        middles = mesh.vertices[mesh.faces].mean(axis=1)
        of = {name: middles[mesh.parts == k] for k, name in enumerate(PARTS)}
        for plate, own in (("superior endplate", points[:3]), ("inferior endplate", points[3:])):
            near = np.linalg.norm(of[plate][:, None] - own[1], axis=2).min(axis=0)
            assert near < 2.5, (level, plate)
            assert abs(of[plate].mean(axis=0) - own.mean(axis=0)).max() < 4, (level, plate)
        height = cord[(cord[:, 2] > points[5, 2]) & (cord[:, 2] < points[2, 2])]
        middle, half = height.mean(axis=0), np.ptp(height[:, 0]) / 2
        # Beside the cord, but for its outline's roughness: two voxels of the scan.
        beside = np.abs(of["pedicle"][:, 0] - middle[0])
        assert np.quantile(beside, 0.01) > half - 2 * scan.labels.spacing[0], level
        assert of["body"][:, 1].mean() > of["pedicle"][:, 1].mean() > middle[1], level
        assert of["lamina"][:, 1].mean() < middle[1] and of["spinous process"][:, 1].max() < middle[1], level
        sides = of["pedicle"][:, 0] > middle[0]
        assert 0.3 < sides.mean() < 0.7, level


def test_the_patients_surface_is_that_of_the_outline(patient):
    """Naming moves nothing: as a rigid body it encloses the volume of its outline in the scan."""
    for level, mesh in patient.items():
        a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
        volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
        number = next(k for k, name in ct.STRUCTURES.items() if name == level)
        labels = ct.patient().labels
        assert volume == pytest.approx((labels.data == number).sum() * np.prod(labels.spacing), rel=0.05)
        outwards = np.cross(b - a, c - a)
        assert (np.einsum("ij,ij->i", outwards, mesh.normals[mesh.faces].mean(axis=1)) > 0).mean() > 0.97


def test_the_first_level_stands_at_the_origin_and_the_next_one_below(patient):
    upper, lower = (patient[level].vertices for level in ("T12", "L1"))
    assert lower[:, 2].mean() < upper[:, 2].mean() - 20
    body = patient["T12"].vertices[patient["T12"].faces[patient["T12"].parts == PARTS.index("body")]].reshape(-1, 3)
    assert np.abs(body.mean(axis=0)).max() < 6


def test_a_level_that_is_not_whole_in_the_scan_is_named():
    with pytest.raises(ValueError, match="'L4' has no whole body in this CT"):
        parts.patient(("L4",))
    with pytest.raises(ValueError, match="no level is given"):
        parts.patient(())
