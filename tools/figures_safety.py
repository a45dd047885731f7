"""Draw the pictures of lesson 11 and of its question bank from the course's own leaks, films and CT.

`python tools/figures_safety.py` writes `assets/figures/safety_*.svg`; names of pictures may follow
(`python tools/figures_safety.py safety_routes`). Hotspot polygons of the bank are compared with those computed here.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from figures_anatomy import outline, svg, words, write
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from vertebra.widgets.leaks import checked, section, x_ray

BANK = Path(__file__).parents[1] / "quizzes" / "bank" / "11_safety_and_consent.yml"
SIDE, GAP = 300, 8

Picture = NDArray[np.uint8]
Drawn = tuple[str, dict[str, list[list[float]]]]


def panel(name: str, side: int = SIDE, **state: Any) -> Picture:
    """Return one picture of the leak viewer, "axial", "sagittal", "lateral" or "AP", `side` pixels wide, in colour."""
    wanted = checked(state)
    made = section(wanted, name) if name in ("axial", "sagittal") else x_ray(wanted, name)[0]
    image = Image.fromarray(made).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def sheet(rows: list[list[Picture]], title: str, over: str) -> str:
    """Return rows of pictures of one size with white gaps between them as SVG."""
    side = rows[0][0].shape[0]
    wide = np.full((side, GAP, 3), 255, dtype=np.uint8)
    lines = []
    for row in rows:
        parts = [row[0]]
        for each in row[1:]:
            parts += [wide, each]
        lines += [np.hstack(parts), np.full((GAP, len(row) * side + (len(row) - 1) * GAP, 3), 255, dtype=np.uint8)]
    whole = np.vstack(lines[:-1])
    return svg(whole, whole.shape[1], whole.shape[0], title, over, 84)


def at(column: int, row: int, side: int = SIDE) -> tuple[float, float]:
    """Return where the name of a picture in a sheet stands."""
    return column * (side + GAP) + side / 2, row * (side + GAP) + side - 16


def routes() -> Drawn:
    """The six routes, each in the section that shows it best."""
    shown = [
        [("sagittal", "B", "basivertebral vein"), ("axial", "S", "segmental vein"), ("sagittal", "C-disc", "disc")],
        [
            ("axial", "C-paravertebral", "beside, in front"),
            ("axial", "C-canal", "canal"),
            ("sagittal", "foramen", "foramen"),
        ],
    ]
    rows = [[panel(plane, route=route, volume=0.8) for plane, route, _ in row] for row in shown]
    over = "".join(
        words(name, at(column, row), 25) for row, line in enumerate(shown) for column, (*_, name) in enumerate(line)
    )
    return sheet(rows, "Six routes of leaking cement", over), {}


def detect() -> Drawn:
    """One leak in the canal: on a true lateral film, on one turned by 12 degrees, on AP, and on CT."""
    leak = {"route": "B", "volume": 0.3}
    row = [
        panel("lateral", **leak),
        panel("lateral", turn=12, **leak),
        panel("AP", **leak),
        panel("axial", look="CT", **leak),
    ]
    names = ("true lateral", "turned by 12°", "AP", "CT")
    return sheet(
        [row], "One leak, looked at in four ways", "".join(words(n, at(i, 0), 26) for i, n in enumerate(names))
    ), {}


def q_films() -> Drawn:
    """Three lateral films, A to C: into the disc, none, into the canal."""
    states = ({"route": "C-disc", "volume": 0.7}, {"leak": False}, {"route": "C-canal", "volume": 0.6})
    row = [panel("lateral", level="T12", **state) for state in states]
    over = "".join(words(name, (i * (SIDE + GAP) + 28, 40), 32) for i, name in enumerate("ABC"))
    return sheet([row], "Three lateral films, A, B and C", over), {}


def q_pair() -> Drawn:
    """A leak along a segmental vein on both films: the lateral one hides it."""
    row = [panel(plane, level="L2", route="S", volume=0.4) for plane in ("lateral", "AP")]
    return sheet([row], "A lateral and an AP film", words("lateral", at(0, 0), 26) + words("AP", at(1, 0), 26)), {}


def q_ct() -> Drawn:
    """An axial CT with cement against the back of the body, inside the canal."""
    return sheet([[panel("axial", 460, level="L1", route="B", volume=0.9, look="CT")]], "Axial CT", ""), {}


def q_foramen() -> Drawn:
    """An axial CT with cement in the right foramen."""
    return sheet([[panel("axial", 460, level="L3", route="foramen", volume=0.6, look="CT")]], "Axial CT", ""), {}


def q_mark() -> Drawn:
    """A lateral film with cement in the canal, to be marked; its regions are computed from the shadows."""
    side, state = 480, {"level": "L1", "route": "C-canal", "volume": 0.6}
    film = panel("lateral", side, **state)
    with_leak, without = (x_ray(checked({**state, "leak": on}), "lateral")[0].astype(int) for on in (True, False))
    factor = side / with_leak.shape[0]
    leak = ndimage.binary_opening(with_leak - without > 40)
    body = ndimage.binary_opening(without > 235)

    def region(mask: NDArray[np.bool_], shrink: int) -> list[list[float]]:
        return [[round(factor * x), round(factor * y)] for x, y in outline(mask, shrink)]

    regions = {"canal": region(leak, 0), "body": region(body, 2)}
    return sheet([[film]], "Lateral film", ""), regions


PICTURES = {
    "safety_routes": routes,
    "safety_detect": detect,
    "safety_q_films": q_films,
    "safety_q_pair": q_pair,
    "safety_q_ct": q_ct,
    "safety_q_foramen": q_foramen,
    "safety_q_mark": q_mark,
}


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
