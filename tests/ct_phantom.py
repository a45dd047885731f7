"""A CT built of blocks, three vertebrae with their discs, canal and cord, in which the place of every part is known."""

import numpy as np

from vertebra.imaging.ct import CT, NUMBERS, Volume

LEVELS = ("T12", "L1", "L2")
PITCH_MM = 34.0  # from level to level


def column(pitch: float = 0.0, turn: float = 0.0, spacing=(0.8, 0.8, 2.5)) -> tuple[CT, np.ndarray]:
    """Return the CT (axes right, anterior, cranial) and the name of each voxel, the whole tilted by `pitch` degrees."""
    step = np.array(spacing)
    low, high = np.array([-32.0, -55.0, -60.0]), np.array([32.0, 48.0, 60.0])
    shape = np.round((high - low) / step).astype(int)
    grid = np.stack(
        np.meshgrid(*[a + np.arange(n) * d for a, n, d in zip(low, shape, step, strict=True)], indexing="ij")
    )
    a, b = np.radians([pitch, turn])
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    spin = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    x, y, along = np.tensordot(spin @ tilt, grid, axes=1)

    names = np.full(shape, "", dtype="<U24")
    canal = (x / 11) ** 2 + (y / 8) ** 2 <= 1
    for n, level in enumerate(LEVELS):
        z = along - PITCH_MM * (1 - n)
        oval = np.abs(x / 20) ** 4 + np.abs((y - 23) / 15) ** 4 <= 1
        if n:
            names[oval & (z > 13) & (z < PITCH_MM - 13)] = f"disc {LEVELS[n - 1]}–{level}"
        names[oval & (np.abs(z) <= 13)] = f"{level} body"
        beside = (np.abs(x) >= 9) & (np.abs(x) <= 19) & (y > -2) & (y < 8.5) & (z > 0) & (z <= 13) & ~canal & ~oval
        names[beside & (x > 0)] = f"{level} right pedicle"
        names[beside & (x < 0)] = f"{level} left pedicle"
        names[(np.abs(x) <= 19) & (y <= -2) & (y >= -12) & (z > -10) & (z <= 13) & ~canal] = f"{level} arch"
        names[(np.abs(x) <= 4) & (y < -12) & (y > -45) & (z > -13) & (z < 3)] = f"{level} spinous process"
    cord = (x / 5) ** 2 + (y / 5) ** 2 <= 1
    names[cord] = "cord or cauda equina"

    labels = np.zeros(shape, np.uint8)
    hu = np.full(shape, -100, np.int16)
    for level in LEVELS:
        mine = np.char.startswith(names, f"{level} ")
        labels[mine], hu[mine] = NUMBERS[level], 500
    labels[cord], hu[cord] = NUMBERS["spinal cord"], 40
    affine = np.diag([*step, 1.0])
    affine[:3, 3] = low
    return CT(Volume(hu, affine), Volume(labels, affine)), names
