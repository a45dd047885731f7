"""Make `diffdrr.npy`: what DiffDRR's trilinear renderer sees of the volume that ../test_fluoroscopy.py makes.

DiffDRR is not needed by the tests, only to make the array again. In an environment that has vertebra and its `test`
extra:

    echo torch==2.13.0 > pins.txt
    pip install --constraint pins.txt torch==2.13.0 diffdrr==0.6.1   # unpinned, diffdrr fetches another torch
    python tests/imaging/data/make_reference.py

Shape (2, 64, 64), float32: the views of VIEWS, line integrals of mu.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchio
from diffdrr.data import read
from diffdrr.drr import DRR
from diffdrr.pose import RigidTransform

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[2] / "src"), str(HERE.parent)]
from test_fluoroscopy import VIEWS, volume  # noqa: E402

from vertebra.imaging.fluoroscopy import CArm  # noqa: E402


def render(mu: Any, affine: Any, carm: CArm, samples: int = 1500) -> Any:
    """Return DiffDRR's line integrals (rows, columns), float32, from its own detector and its own renderer."""
    image = torchio.ScalarImage(tensor=torch.zeros((1, *mu.shape)), affine=affine)
    subject = read(image, orientation=None, center_volume=False)
    drr = DRR(subject, carm.source_detector, carm.pixels, carm.pixel, renderer="trilinear", reverse_x_axis=True)
    drr.density.copy_(torch.from_numpy(mu))
    # Its camera looks along its z with y up and, as a film is read, x to the left.
    across, down, beam = carm.axes
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3], pose[:3, 3] = np.stack([-across, -down, beam], axis=1), carm.source
    return drr(RigidTransform(torch.from_numpy(pose)), n_points=samples).squeeze().numpy()


if __name__ == "__main__":
    np.save(HERE / "diffdrr.npy", np.stack([render(*volume(), carm) for carm in VIEWS]).astype(np.float32))
