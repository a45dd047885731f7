"""The CT browser: a real patient's CT in three linked planes, and a drill that asks to find structures in it.

Why not ipyniivue 2.4.4: 5.0 MB of script (1.6 MB packed), no picture without WebGL2, not one ARIA attribute in it.
Ours: 30 kB of script, a plain 2-D canvas, and about 2 MB of voxels, sent once; after that it needs no kernel.
"""

import base64
import html
import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from vertebra.imaging import collapse
from vertebra.imaging import ct as imaging
from vertebra.imaging.structures import PARTS_RULE, Scan, canal_line, cropped, divide, oriented, targets
from vertebra.widgets.asking import Module, Pictured, script

HERE = Path(__file__).parent
# A byte per voxel: 8 HU apart where soft tissue and cancellous bone lie (its noise is over 20 HU), coarser outside.
HU = np.concatenate(
    [np.arange(-1000, -200, 40), np.arange(-200, 300, 8), np.arange(300, 1500, 16), np.arange(1500, 3100, 160)]
)
COLLAPSED = "L1"
LOSSES = (0.40, 0.30, 0.05)  # of its anterior, middle and posterior height
SPINE_MM = (50.0, 68.0)  # half the width and depth that are shown of a fracture variant
NAMED = ("aorta", "inferior vena cava", "spinal cord", "left erector spinae", "right erector spinae")
LABEL_MM = 12.0  # a level is named in the static picture if its middle lies this near to the plane
NEAR_MM = 2.0  # a mark on nothing labelled counts if the structure is this near: outlines are no better than that
ATTRIBUTION = (
    "CT: LIDC-IDRI-0001, Armato et al., Data From LIDC-IDRI, The Cancer Imaging Archive 2015, "
    "doi:10.7937/K9/TCIA.2015.LO9QL9SX, CC BY 3.0; cut out, and CT numbers rounded (to 8 HU or more) for this viewer. "
    "Structures: outlined by a program (TotalSegmentator), not checked by a radiologist."
)


def grey(hu: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the index of the nearest value of `HU` for each voxel; what lies beyond its ends becomes the end."""
    return np.searchsorted((HU[1:] + HU[:-1]) / 2, hu).astype(np.uint8)


def packed(codes: NDArray[np.uint8]) -> str:
    """Return a volume as text: differences along i, deflated (a seventh smaller so), base64.

    Text and not bytes, because a static page stores it as base64 in any case. Deflated at level 4: at 9 it would be 2 %
    smaller and take eight times as long.
    """
    volume = np.ascontiguousarray(codes.transpose(2, 1, 0))  # i runs fastest
    steps = np.diff(volume, axis=2, prepend=np.uint8(0))
    return base64.b64encode(zlib.compress(steps.tobytes(), 4)).decode()


def record(scan: Scan, title: str, note: str, tab: str) -> dict[str, Any]:
    """Return everything the browser half needs of one CT; `tab` is its name on the switch between two."""
    codes, table = divide(scan)
    asked = targets(codes, table, scan.spacing)
    levels = [{"name": each["level"], "centre": each["best"]} for each in asked if each["ask"].startswith("the body")]
    return {
        "title": title,
        "note": note,
        "tab": tab,
        "shape": list(scan.hu.shape),
        "origin": scan.origin.round(4).tolist(),
        "spacing": scan.spacing.round(6).tolist(),
        "hu": HU.tolist(),
        "table": table,
        "levels": sorted(levels, key=lambda level: level["centre"][2]),
        "targets": asked,
        "image": packed(grey(scan.hu)),
        "labels": packed(codes),
    }


PLANES = {"axial": (0, 1, 2, "RLAP"), "sagittal": (1, 2, 0, "APSI"), "coronal": (0, 2, 1, "RLSI")}


def draw(scan: Scan, shown: Mapping[str, Any], at: Sequence[int]) -> bytes:
    """Return a PNG of the three planes through voxel `at` of a scan and its record, in the bone window, with names."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = np.array(scan.hu.shape) * scan.spacing
    widths = [size[across] for across, _, _, _ in PLANES.values()]
    figure = Figure(figsize=(10, 10 * max(size[down] for _, down, _, _ in PLANES.values()) / sum(widths) + 0.5))
    figure.set_facecolor("#101418")
    axes = figure.subplots(1, 3, width_ratios=widths)
    ink = {"color": "#ffffff", "ha": "center", "va": "center", "fontsize": 10}
    for panel, (name, (across, down, through, letters)) in zip(axes, PLANES.items(), strict=True):
        picture = np.take(scan.hu, at[through], axis=through)
        extent = (0, size[across], size[down], 0)
        panel.imshow(picture.T, cmap="gray", vmin=-500, vmax=1300, extent=extent, interpolation="bilinear")
        here = [(at[axis] + 0.5) * scan.spacing[axis] for axis in (across, down)]
        panel.axvline(here[0], color="#ffb000", lw=0.6)
        panel.axhline(here[1], color="#ffb000", lw=0.6)
        places = [(0.03, 0.5), (0.97, 0.5), (0.5, 0.96), (0.5, 0.04)]
        for letter, (x, y) in zip(letters, places, strict=True):
            panel.text(x, y, letter, transform=panel.transAxes, fontweight="bold", **ink)
        named = [(level["name"], level["centre"]) for level in shown["levels"]] if down == 2 else []
        for number in [number for number, each in imaging.STRUCTURES.items() if each in NAMED and name == "axial"]:
            there = np.argwhere(scan.labels[:, :, at[2]] == number)
            named += [(imaging.STRUCTURES[number], [*there.mean(axis=0), at[2]])] if len(there) else []
        for text, centre in named:
            if abs(centre[through] - at[through]) * scan.spacing[through] <= LABEL_MM:
                x, y = [(centre[axis] + 0.5) * scan.spacing[axis] for axis in (across, down)]
                panel.text(x, y, text, **ink | {"fontsize": 10 if down == 2 else 8})
        panel.plot([6, 36], [size[down] - 6] * 2, color="#ffffff", lw=2)
        panel.text(21, size[down] - 11, "30 mm", **ink | {"fontsize": 8})
        panel.set_title(name, color="#ffffff", fontsize=11)
        panel.set_axis_off()
    figure.text(0.01, 0.955, shown["title"], color="#ffffff", fontsize=11, fontweight="bold")
    figure.subplots_adjust(left=0.005, right=0.995, top=0.9, bottom=0.01, wspace=0.02)
    picture_file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture_file)
    return picture_file.getvalue()


class CtBrowser(Pictured):
    """The widget: traits only; everything after loading happens in the browser half.

    scans: what `record` returns, the one shown first in front. start: the voxel the crosshair begins at.
    crosshair: its place, RAS mm, both ways. score: {"asked", "found"} of the drill, set by the browser.
    """

    _esm = Module(script("ct"))
    _css = (HERE / "style.css").read_text(encoding="utf-8") + (HERE / "ct.css").read_text(encoding="utf-8")
    scans = traitlets.List().tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    crosshair = traitlets.List(traitlets.Float()).tag(sync=True)
    score = traitlets.Dict({"asked": 0, "found": 0}).tag(sync=True)

    def __init__(
        self, scans: Sequence[dict[str, Any]], picture: Callable[[], bytes], start: str, drill: bool = True
    ) -> None:
        """Show `scans`, beginning in the body of the level `start`; `picture` draws them for where nothing runs."""
        first = scans[0]
        self._picture, self._start = picture, start
        place = np.array(first["origin"]) - np.array(_centre(first, start)) * first["spacing"]
        about = {"limits": PARTS_RULE, "credit": ATTRIBUTION, "drill": drill, "near": NEAR_MM}
        super().__init__(scans=list(scans), about=about, crosshair=place.round(3).tolist())

    def _where(self) -> tuple[str, list[str]]:
        first = self.scans[0]
        place = (np.array(first["origin"]) - self.crosshair) / first["spacing"]
        level = min(first["levels"], key=lambda level: abs(level["centre"][2] - place[2]))
        return level["name"], [level["name"] for level in first["levels"]]

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        level, levels = self._where()
        titles = " beside ".join(scan["title"] for scan in self.scans)
        return f"CT browser: {titles}, {levels[0]} to {levels[-1]}, crosshair at the height of {level}"

    def describe(self) -> str:
        """Return the static picture in words."""
        first = self.scans[0]
        names = ", ".join(level["name"] for level in first["levels"])
        return (
            f"{first['title']}: an axial, a sagittal and a coronal CT picture that cross in the body of {self._start}. "
            f"The sagittal one, the front on its left, and the coronal one show {names} above each other; in the axial "
            "and the coronal one the patient's right is on the left."
        )

    def still(self) -> str:
        """Return a picture with its description, for a page without a kernel."""
        said = html.escape(self.describe(), quote=True)
        picture = base64.b64encode(self._picture()).decode()
        return (
            f'<figure><img alt="{said}" width="900" src="data:image/png;base64,{picture}"><figcaption>{said} '
            f"{html.escape(ATTRIBUTION)} Start the lesson to move through it.</figcaption></figure>"
        )


def _percent(share: float) -> str:
    return f"{round(share * 100)}\u00a0%"


@cache
def _shown(case: str) -> tuple[list[dict[str, Any]], Scan, str]:
    """Return the records of a case, the first as a scan, and the level it begins at."""
    patient = imaging.patient()
    scan = oriented(patient.image, patient.labels)
    if case == "patient":
        note = "LIDC-IDRI-0001, chest CT with contrast medium"
        only = record(scan, "Real patient, no fracture", note, "Original") | {"computed": False}
        return [only], scan, "L1"
    bent = collapse.collapsed(COLLAPSED, *LOSSES).ct
    # Two volumes are sent, so both are cut closer to the spine than that of the patient alone, and both alike.
    middle = canal_line(scan).mean(axis=0) - [0, 25 / scan.spacing[1]]
    both = []
    for image, title, note, tab in (
        (
            oriented(bent.image, bent.labels),
            f"Computed fracture variant: {COLLAPSED} of a real CT collapsed",
            f"height lost in front, middle, behind: {' · '.join(map(_percent, LOSSES))}. {collapse.NOTE}",
            f"{COLLAPSED} collapsed (computed)",
        ),
        (scan, "Real patient, no fracture", "the CT that the variant was computed from", "Original"),
    ):
        near = cropped(image, middle, SPINE_MM)
        both.append((near, record(near, title, note, tab) | {"computed": image is not scan}))
    return [each for _, each in both], both[0][0], COLLAPSED


@cache
def _still(case: str) -> bytes:
    (first, *_), scan, start = _shown(case)
    return draw(scan, first, _centre(first, start))


def _centre(scan: Mapping[str, Any], level: str) -> list[int]:
    return next(each["centre"] for each in scan["levels"] if each["name"] == level)


def ct_browser(case: str = "patient") -> CtBrowser:
    """Return the CT browser: `patient` is the real CT, `collapsed` the same with L1 collapsed, beside the original.

    Raises ValueError for any other case.
    """
    if case not in ("patient", "collapsed"):
        raise ValueError(f'case is {case!r}: ask for "patient" or "collapsed"')
    records, _, start = _shown(case)
    return CtBrowser(records, lambda: _still(case), start, drill=case == "patient")
