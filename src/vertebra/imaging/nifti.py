"""Read a volume from a NIfTI-1 file: only what the course's own CT needs, so that numpy is all it takes.

Fields of the header by their byte: "NIfTI-1 Data Format" (nifti1.h of the NIfTI working group).
"""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 348  # bytes
KINDS = {2: "<u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8"}


def read(file: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the voxels (i, j, k) of a .nii.gz file as stored, and the affine (4, 4) that takes indices to RAS mm.

    Raises OSError, EOFError or zlib.error for a file that cannot be unpacked, and ValueError for one that is not a
    little-endian NIfTI-1 volume, of numbers that need no scaling, with an affine of its own (sform).
    """
    raw = gzip.decompress(file.read_bytes())
    if len(raw) < HEADER or struct.unpack_from("<i", raw) != (HEADER,) or raw[344:347] != b"n+1":
        raise ValueError("not a little-endian NIfTI-1 file")
    dimensions, *shape = struct.unpack_from("<8h", raw, 40)
    (kind,) = struct.unpack_from("<h", raw, 70)
    start, slope, intercept = struct.unpack_from("<3f", raw, 108)
    (sform,) = struct.unpack_from("<h", raw, 254)
    if not 1 <= dimensions <= 7 or kind not in KINDS or sform <= 0:
        raise ValueError(f"{dimensions} dimensions of type {kind} with sform {sform} cannot be read")
    if np.isfinite(slope) and slope and (slope, intercept) != (1, 0):
        raise ValueError(f"voxels are to be scaled by {slope}")
    shape = shape[:dimensions]
    data = np.frombuffer(raw, KINDS[kind], int(np.prod(shape)), int(start)).reshape(shape, order="F")
    affine = np.vstack([np.frombuffer(raw, "<f4", 12, 280).reshape(3, 4), [0, 0, 0, 1]]).astype(np.float64)
    return data.astype(data.dtype.newbyteorder("="), order="C"), affine
