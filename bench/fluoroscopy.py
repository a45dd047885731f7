"""How fast the virtual C-arm draws: shear-warp and point splat against DiffDRR and gVirtualXray.

All project one volume from the same sides: a straight column of T12 to L3 in voxels of 1 mm, 256 x 256 pixels. DiffDRR
(torch, on the processor) projects the same voxels from the same source to the same pixels with both of its renderers;
gVirtualXray (OpenGL) takes closed meshes, so it gets the level sets of the same voxels and its correlation also says
how well meshes stand for them. Correlation r is with DiffDRR's trilinear renderer, or with our own direct ray-caster
where DiffDRR is not installed. Setting up is not timed for anyone; the time is the best of `--repeats` for each view.

The peers are optional, and torch is pinned because diffdrr alone would fetch another one:

    echo torch==2.13.0 > pins.txt
    pip install --constraint pins.txt torch==2.13.0 diffdrr==0.6.1 gvxr==2.1.0

(gvxr also needs the system's xcb libraries; without a graphics card it draws with Mesa's software renderer.)
Run `python bench/fluoroscopy.py` (`--repeats`, default 5). The last line is how many times as fast shear-warp is as
DiffDRR's faster renderer, or as the ray-caster where DiffDRR is missing; the line above says which.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from vertebra.imaging.fluoroscopy import Block, CArm, attenuation, bone, ray_cast, shear_warp, splat, trabecular_bone
from vertebra.spine.surface import surface
from vertebra.spine.vertebra import Vertebra, Voxels

LEVELS = ("T12", "L1", "L2", "L3")
STEP = 33  # mm from one level to the next
VIEWS = {"AP": CArm(0, 0), "lateral": CArm(90, 0), "oblique": CArm(33, 12)}

Render = Callable[[CArm], Any]


def column() -> Voxels:
    """Return the shares of bone of the whole column, its middle at the isocentre."""
    parts = [Vertebra(level).voxels(1.0) for level in LEVELS]
    shifts = [np.round(part.origin + np.array([0, 0, -STEP * n])) for n, part in enumerate(parts)]
    low = np.min(shifts, axis=0)
    high = np.max([shift + part.cortical.shape for shift, part in zip(shifts, parts, strict=True)], axis=0)
    shares = np.zeros((2, *(high - low).astype(int)), dtype=np.float32)
    for shift, part in zip(shifts, parts, strict=True):
        first = (shift - low).astype(int)
        where = tuple(slice(a, a + n) for a, n in zip(first, part.cortical.shape, strict=True))
        shares[0][where] = np.maximum(shares[0][where], part.cortical)
        shares[1][where] = np.maximum(shares[1][where], part.trabecular)
    return Voxels(-(np.array(shares.shape[1:]) - 1) / 2, 1.0, shares[0], shares[1])


def diffdrr(block: Block, renderer: str) -> Render:
    """Return DiffDRR's renderer for the block."""
    import torch
    import torchio
    from diffdrr.data import read
    from diffdrr.drr import DRR
    from diffdrr.pose import RigidTransform

    image = torchio.ScalarImage(tensor=torch.zeros((1, *block.mu.shape)), affine=block.affine)
    subject = read(image, orientation=None, center_volume=False)

    carm = VIEWS["AP"]
    drr = DRR(subject, carm.source_detector, carm.pixels, carm.pixel, renderer=renderer, reverse_x_axis=True)
    drr.density.copy_(torch.tensor(block.mu))

    def render(carm: CArm) -> Any:
        # Its camera looks along its z with y up and, as a film is read, x to the left.
        across, down, beam = carm.axes
        pose = np.eye(4, dtype=np.float32)
        pose[:3, :3], pose[:3, 3] = np.stack([-across, -down, beam], axis=1), carm.source
        with torch.no_grad():
            return drr(RigidTransform(torch.from_numpy(pose))).squeeze().numpy()

    return render


def gvirtualxray(voxels: Voxels) -> Render:
    """Return gVirtualXray's renderer for the surface of the bone and, inside it, of the trabecular bone."""
    from gvxrPython3 import gvxr

    gvxr.useLogFile("")
    gvxr.createWindow(-1, 0, "EGL")
    print(f"gVirtualXray draws on {gvxr.getOpenGlRenderer()}")
    gvxr.setMonoChromatic(60, "keV", 1)
    gvxr.usePointSource()
    soft = attenuation("soft tissue")
    inner = voxels.trabecular
    # It adds up mu times path for each mesh: what the inner one takes away from cortical bone is its own mu.
    for name, share, mu in (
        ("bone", voxels.cortical + inner, attenuation("cortical bone") - soft),
        ("trabeculae", inner, trabecular_bone() - attenuation("cortical bone")),
    ):
        vertices, faces = surface(0.5 - share, voxels.origin, voxels.spacing)
        gvxr.makeTriangularMesh(name, vertices.astype(float).ravel(), faces.ravel().astype(np.uint32), "mm")
        gvxr.setLinearAttenuationCoefficient(name, mu * 10, "cm-1")
        gvxr.addPolygonMeshAsInnerSurface(name)

    def render(carm: CArm) -> Any:
        across, down, beam = carm.axes
        gvxr.setSourcePosition(*carm.source, "mm")
        gvxr.setDetectorPosition(*(carm.source + carm.source_detector * beam), "mm")
        gvxr.setDetectorUpVector(*-down)
        gvxr.setDetectorRightVector(*across)
        gvxr.setDetectorNumberOfPixels(carm.pixels, carm.pixels)
        gvxr.setDetectorPixelSize(carm.pixel, carm.pixel, "mm")
        counts = np.asarray(gvxr.computeXRayImage())[::-1]  # its first row is the lowest
        return -np.log(counts / counts.max())

    return render


def timed(render: Render, repeats: int) -> tuple[dict[str, Any], float]:
    """Return the pictures and the mean over the views of the best time of each, s."""
    pictures, best = {}, []
    for name, carm in VIEWS.items():
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            pictures[name] = render(carm)
            times.append(time.perf_counter() - start)
        best.append(min(times))
    return pictures, statistics.mean(best)


def main() -> None:
    """Measure whoever is installed, print a line each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    voxels = column()
    block = bone(voxels)
    points = block.cloud
    print(f"volume {' x '.join(map(str, block.mu.shape))} at 1 mm, {len(points.weights)} points; pictures 256 x 256")

    ours: dict[str, Render] = {
        "shear-warp": lambda carm: shear_warp(block, carm),
        "splat": lambda carm: splat(points, carm),
    }
    peers: dict[str, Render] = {}
    drawn_by = "DiffDRR trilinear"
    if importlib.util.find_spec("diffdrr"):
        peers |= {f"DiffDRR {name.lower()}": diffdrr(block, name.lower()) for name in ("trilinear", "siddon")}
    else:
        drawn_by = "the ray-caster"
        peers[drawn_by] = lambda carm: ray_cast(block, carm, step=1.0)
        print("DiffDRR is not installed; compared with vertebra's own ray-caster, which samples every 1 mm of a ray")
    if importlib.util.find_spec("gvxrPython3"):
        try:
            peers["gVirtualXray"] = gvirtualxray(voxels)
        except ImportError as error:
            print(f"gVirtualXray is installed but does not start: {error}")
    else:
        print("gVirtualXray is not installed")
    if len(peers) < 3:
        print("to install the peers, see the first lines of this file")

    found = {name: timed(render, repeats) for name, render in peers.items()}
    found |= {name: timed(render, repeats) for name, render in ours.items()}
    reference = found[drawn_by][0]
    for name, (pictures, seconds) in found.items():
        r = [np.corrcoef(pictures[view].ravel(), reference[view].ravel())[0, 1] for view in VIEWS]
        print(f"{name}: {1 / seconds:.1f} frames/s, r >= {min(r):.4f} ({', '.join(f'{x:.4f}' for x in r)})")
    for name in ours:
        others = ", ".join(f"{found[peer][1] / found[name][1]:.1f} times {peer}" for peer in peers)
        print(f"{name} is {others}")
    against = min((name for name in peers if name != "gVirtualXray"), key=lambda name: found[name][1])
    print(f"shear-warp against {against}:")
    print(f"{found[against][1] / found['shear-warp'][1]:.1f}x")


if __name__ == "__main__":
    main()
