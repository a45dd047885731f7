"""Stand-in films for tests of the gym: boxes in a column instead of a spine, made in no time, with the same fields."""

import numpy as np

from vertebra.imaging.films import FilmCase
from vertebra.measure import morphometry

LEVELS = ("T10", "T11", "T12", "L1", "L2")
ROWS, COLUMNS, SCALE = 300, 200, 2.0  # pixels, pixels a millimetre


def stand_in(seed: int) -> FilmCase:
    """Return a film whose level, kind and loss follow from the seed; every fourth is normal, every fourth a mimic."""
    rng = np.random.default_rng(seed)
    kind = ("normal", "wedge", "normal", "crush")[seed % 4]
    mimic = "Schmorl node" if seed % 4 == 2 else ""
    level = LEVELS[1 + seed % 3]
    lost = float(rng.uniform(0.25, 0.5)) if kind != "normal" else 0.0
    share = (1 - lost, 1 - lost / 2, 1.0) if kind == "wedge" else (1 - lost,) * 3
    expected = (24.0, 23.0, 24.0)
    heights = tuple(h * s for h, s in zip(expected, share, strict=True))
    picture = rng.integers(20, 60, (ROWS, COLUMNS)).astype(np.uint8)
    outlines, landmarks = {}, np.zeros((6, 2))
    for i, name in enumerate(LEVELS):
        middle = 30 + 60 * i
        tall = np.array(heights if name == level else expected) * SCALE / 2
        x = np.array([70.0, 100.0, 130.0])
        top, foot = np.stack([x, middle - tall], axis=1), np.stack([x, middle + tall], axis=1)
        outlines[name] = np.concatenate([top, foot[::-1]])
        picture[int(middle - tall.min()) : int(middle + tall.min()), 70:130] = 200
        if name == level:
            landmarks = np.concatenate([top, foot])
    loss = morphometry.height_loss(morphometry.Heights(*heights), morphometry.Heights(*expected))
    return FilmCase(
        seed=seed,
        view="lateral",
        origin="model",
        picture=picture,
        outlines=outlines,
        marker="T12",
        level=level,
        kind=kind,
        mimic=mimic,
        grade=loss.grade if kind != "normal" else 0,
        loss=loss.loss,
        heights=heights,
        expected=expected,
        landmarks=landmarks,
        explanation=f"{level} was drawn {round(100 * loss.loss)} % lower [unreferenced].",
    )
