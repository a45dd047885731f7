"""NIfTI files are read as nibabel reads them, and what is not understood is refused."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from validation import EXACT, validates
from vertebra import assets
from vertebra.imaging import ct, nifti

AFFINE = np.array([[0.7, 0, 0.1, -12], [0, 0.7, 0, 8], [0, 0, 2.5, -300], [0, 0, 0, 1.0]])


@validates("imaging.nifti", "Voxels and place of the CT", against="nibabel", kind="library", tolerance=EXACT)
@pytest.mark.parametrize("name", [ct.IMAGE, ct.LABELS])
def test_the_courses_ct_is_what_nibabel_reads(name):
    data, affine = nifti.read(assets.path(name))
    theirs = nib.load(assets.path(name))
    expected = np.asanyarray(theirs.dataobj)
    assert data.dtype == expected.dtype and data.flags.c_contiguous
    assert np.array_equal(data, expected)
    assert np.array_equal(affine, theirs.affine)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_every_kind_of_voxel(tmp_path, kind):
    voxels = np.random.default_rng(0).integers(0, 200, (3, 4, 5)).astype(kind)
    nib.Nifti1Image(voxels, AFFINE).to_filename(tmp_path / "x.nii.gz")
    data, affine = nifti.read(tmp_path / "x.nii.gz")
    assert np.array_equal(data, voxels)
    assert affine == pytest.approx(AFFINE, rel=1e-6)


PLAIN = nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), AFFINE)


def with_bytes(at, put):
    raw = bytearray(PLAIN.to_bytes())
    raw[at : at + len(put)] = put
    return bytes(raw)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (with_bytes(112, np.float32(2).tobytes()), "scaled by 2"),
        (with_bytes(254, b"\0\0"), "sform 0"),
        (with_bytes(70, b"\x20\0"), "type 32"),
        (nib.Nifti1Image(PLAIN.dataobj, AFFINE, PLAIN.header.as_byteswapped()).to_bytes(), "little-endian"),
        (PLAIN.to_bytes()[:-3], "buffer"),
        (b"<html>not found</html>", "little-endian"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, file, words):
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(file))
    with pytest.raises(ValueError, match=words):
        nifti.read(tmp_path / "x.nii.gz")
