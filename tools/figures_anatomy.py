"""Draw the pictures of the question bank `spine_anatomy` from the course's own vertebra, CT and virtual X-ray.

`python tools/figures_anatomy.py` writes `assets/figures/anatomy_*.svg` and compares each hotspot polygon of
`quizzes/bank/01_spine_anatomy.yml` with the one computed here; a polygon that differs is printed, ready to paste.
Each picture is one SVG: a raster inside, pins and arrows on top as vectors. Nothing is random without a fixed seed.
"""

import base64
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull

from vertebra.imaging.ct import NUMBERS, landmarks, patient, window
from vertebra.imaging.fluoroscopy import CArm, Rod, Scene, bone, film
from vertebra.imaging.needle import aim
from vertebra.spine.shape import burst
from vertebra.spine.stack import Spine, canal
from vertebra.spine.vertebra import PARTS, Mesh, Vertebra

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "assets" / "figures"
BANK = ROOT / "quizzes" / "bank" / "01_spine_anatomy.yml"

FloatArray = NDArray[np.float64]
Polygon = list[list[float]]

PAPER = (255, 255, 255)
BONE = np.array([239, 227, 200.0])
SHADE = np.array([112, 88, 58.0])  # what bone fades to, away from the light
INK = np.array([72, 58, 36.0])
LIGHT = np.array([-0.45, 0.62, 0.65])  # in the picture's frame: right, up, towards the viewer


def mm(x: float = 0, y: float = 0, z: float = 0) -> FloatArray:
    """Return a shift (3,): to the patient's right, forwards, upwards."""
    return np.array([x, y, z], float)


# --- Solid bone -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """An orthographic view: rows of `axes` are the picture's right, up and towards-the-viewer in the spine's frame."""

    axes: FloatArray
    centre: FloatArray
    scale: float  # pixels per mm
    width: int
    height: int

    def project(self, points: FloatArray) -> FloatArray:
        """Return (n, 3): column, row (downwards) and height towards the viewer of points (n, 3)."""
        seen = (np.atleast_2d(points) - self.centre) @ self.axes.T * self.scale
        return np.column_stack([self.width / 2 + seen[:, 0], self.height / 2 - seen[:, 1], seen[:, 2]])


def looking(towards: Sequence[float], up: Sequence[float] = (0, 0, 1)) -> FloatArray:
    """Return the axes of a view whose viewer stands in the direction `towards`."""
    viewer = np.asarray(towards, float) / np.linalg.norm(towards)
    right = np.cross(np.asarray(up, float), viewer)
    right /= np.linalg.norm(right)
    return np.array([right, np.cross(viewer, right), viewer])


def raster(mesh: Mesh, view: View, over: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Return the shaded picture (rows, columns, 3) of a mesh and which part is seen where (-1: none), z-buffered."""
    big = View(view.axes, view.centre, view.scale * over, view.width * over, view.height * over)
    seen = big.project(mesh.vertices.astype(float))
    normal = mesh.normals.astype(float) @ view.axes.T
    depth = np.full((big.height, big.width), -np.inf)
    shade = np.zeros((big.height, big.width))
    part = np.full((big.height, big.width), -1, np.int16)
    lit = np.clip(normal @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1) * 0.72 + 0.28 * (0.5 + 0.5 * normal[:, 1])
    for number in np.flatnonzero(normal[mesh.faces][:, :, 2].max(axis=1) > -0.2):
        face = mesh.faces[number]
        p = seen[face]
        x0, x1 = max(int(p[:, 0].min()), 0), min(int(p[:, 0].max()) + 2, big.width)
        y0, y1 = max(int(p[:, 1].min()), 0), min(int(p[:, 1].max()) + 2, big.height)
        area = (p[1, 0] - p[0, 0]) * (p[2, 1] - p[0, 1]) - (p[2, 0] - p[0, 0]) * (p[1, 1] - p[0, 1])
        if x0 >= x1 or y0 >= y1 or abs(area) < 1e-9:
            continue
        x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
        a = ((p[1, 0] - x) * (p[2, 1] - y) - (p[2, 0] - x) * (p[1, 1] - y)) / area
        b = ((p[2, 0] - x) * (p[0, 1] - y) - (p[0, 0] - x) * (p[2, 1] - y)) / area
        c = 1 - a - b
        z = a * p[0, 2] + b * p[1, 2] + c * p[2, 2]
        window = np.s_[y0:y1, x0:x1]
        nearer = (np.minimum(np.minimum(a, b), c) >= -1e-6) & (z > depth[window])
        depth[window][nearer] = z[nearer]
        shade[window][nearer] = (a * lit[face[0]] + b * lit[face[1]] + c * lit[face[2]])[nearer]
        part[window][nearer] = mesh.parts[number]
    return _developed(depth / over, shade, part >= 0, over), part[over // 2 :: over, over // 2 :: over]


def _developed(depth: FloatArray, shade: FloatArray, solid: NDArray[np.bool_], over: int) -> NDArray[np.uint8]:
    """Turn depth and light into the look of a textbook plate: soft hollows, dark lines where a part hides another."""
    low = depth[solid].min()
    filled = np.where(solid, depth, low)
    # Hollows: a place lower than its surroundings gets less light.
    hollow = sum(np.clip(ndimage.gaussian_filter(filled, s * over) - filled, 0, 3 * s) / (3 * s) for s in (4, 10)) / 2
    light = np.clip(shade * (1 - 1.1 * hollow), 0, 1)
    colour = SHADE + (BONE + 12 - SHADE) * (0.12 + 0.88 * light[..., None])
    step = ndimage.maximum_filter(filled, 2 * over + 1) - filled
    edge = np.clip((step - 14) / 25, 0, 0.75) * solid
    rim = ndimage.binary_dilation(solid, iterations=over) & ~ndimage.binary_erosion(solid, iterations=over // 2 or 1)
    colour = colour + (INK - colour) * edge[..., None]
    picture = np.where(solid[..., None], colour, PAPER)
    picture = np.where(rim[..., None], INK, picture)
    rows, columns = solid.shape
    small = picture.reshape(rows // over, over, columns // over, over, 3).mean(axis=(1, 3))
    return np.clip(small, 0, 255).astype(np.uint8)


def outline(mask: NDArray[np.bool_], shrink: int = 2, corners: int = 14) -> Polygon:
    """Return the convex hull of a mask's largest patch, shrunk by some pixels and thinned to at most `corners`."""
    patches, count = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, patches, range(1, count + 1))
    patch = patches == 1 + int(np.argmax(sizes))
    patch = ndimage.binary_erosion(patch, iterations=shrink) if shrink else patch
    points = np.argwhere(patch)[:, ::-1].astype(float)
    hull = points[ConvexHull(points).vertices]
    while len(hull) > corners:  # the corner whose loss changes the area least
        before, after = np.roll(hull, 1, axis=0), np.roll(hull, -1, axis=0)
        one, two = before - hull, after - hull
        hull = np.delete(hull, np.argmin(np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])), axis=0)
    return [[round(float(x)), round(float(y))] for x, y in hull]


# --- SVG -------------------------------------------------------------------------------------------------------------

FONT = "font-family='system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif'"


def origin(more: str = "") -> str:
    """Return the note that says who drew a figure: the tool that runs."""
    return f"<!-- vertebra authors, CC BY 4.0; drawn by tools/{Path(sys.argv[0]).name}.{more} -->"


def svg(
    picture: NDArray[np.uint8], width: int, height: int, title: str, over: str = "", quality: int = 82, note: str = ""
) -> str:
    """Return an SVG of width x height units: the raster fills it, `over` is drawn on top."""
    buffer = io.BytesIO()
    image = Image.fromarray(picture)
    image.save(buffer, "JPEG", quality=quality, optimize=True, subsampling=0)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        f"role='img'>\n{origin(note)}\n<title>{title}</title>\n"
        f"<image width='{width}' height='{height}' href='data:image/jpeg;base64,{data}'/>\n{over}</svg>\n"
    ).replace("'", '"')


def pin(number: int, at: Sequence[float], label: Sequence[float]) -> str:
    """Return a numbered pin: a disc at `label`, a line to a dot at `at`."""
    (x, y), (u, v) = np.round(at, 1), np.round(label, 1)
    return (
        f"<line x1='{u}' y1='{v}' x2='{x}' y2='{y}' stroke='#ffffff' stroke-width='5'/>"
        f"<line x1='{u}' y1='{v}' x2='{x}' y2='{y}' stroke='#17212b' stroke-width='2'/>"
        f"<circle cx='{x}' cy='{y}' r='5' fill='#17212b' stroke='#ffffff' stroke-width='2'/>"
        f"<circle cx='{u}' cy='{v}' r='19' fill='#ffffff' stroke='#17212b' stroke-width='2'/>"
        f"<text x='{u}' y='{v + 7.5}' text-anchor='middle' font-size='22' font-weight='600' {FONT} fill='#17212b'>"
        f"{number}</text>\n"
    )


def arrow(at: Sequence[float], angle: float, length: float = 70, number: str = "") -> str:
    """Return an arrow with its tip at `at`, coming from `angle` (degrees, counter-clockwise from the right)."""
    away = np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))])
    aside = np.array([-away[1], away[0]])
    tip = np.asarray(at, float)
    corners = [tip, tip + 20 * away + 11 * aside, tip + 20 * away + 4 * aside, tip + length * away + 4 * aside]
    corners += [c - 2 * ((c - tip) @ aside) * aside for c in corners[:0:-1]]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    drawn = f"<polygon points='{path}' fill='#ffe08a' stroke='#17212b' stroke-width='2' stroke-linejoin='round'/>"
    if number:
        x, y = tip + (length + 18) * away
        drawn += (
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='18' fill='#ffe08a' stroke='#17212b' stroke-width='2'/>"
            f"<text x='{x:.1f}' y='{y + 7.5:.1f}' text-anchor='middle' font-size='22' font-weight='600' {FONT} "
            f"fill='#17212b'>{number}</text>"
        )
    return drawn + "\n"


def words(text: str, at: Sequence[float], size: int = 26, anchor: str = "middle") -> str:
    """Return light text with a dark rim, readable on any grey."""
    x, y = np.round(at, 1)
    return (
        f"<text x='{x}' y='{y}' font-size='{size}' font-weight='600' {FONT} text-anchor='{anchor}' fill='#ffffff' "
        f"stroke='#0c1218' stroke-width='4' paint-order='stroke' stroke-linejoin='round'>{text}</text>\n"
    )


def scaled(points: FloatArray, factor: float) -> Polygon:
    """Return points as a polygon in the units of the picture."""
    return [[round(float(x) * factor), round(float(y) * factor)] for x, y in points]


CT_NOTE = (
    " CT: LIDC-IDRI-0001, Armato et al., Data From LIDC-IDRI, The Cancer Imaging Archive 2015, "
    "doi:10.7937/K9/TCIA.2015.LO9QL9SX, CC BY 3.0; one slice, resampled and windowed"
)


# --- The pictures ----------------------------------------------------------------------------------------------------

Regions = Mapping[str, Polygon]  # a hotspot's regions by their ids in the bank


AXIAL_CT = (700, 108.0)


def ct_axial() -> tuple[str, Regions]:
    """L1 of the real CT in a window for soft tissue, an arrow at the aorta."""
    size, side = AXIAL_CT  # picture units, mm
    ct = patient()
    points = landmarks(ct)["L1"]
    centre = points.mean(axis=0) + mm(0, 0, 4)  # where the pedicles are
    n = 520
    offset = (np.arange(n) + 0.5) / n * side - side / 2
    grid = np.empty((n, n, 3))
    grid[..., 0], grid[..., 1], grid[..., 2] = centre[0] - offset, centre[1] - offset[:, None], centre[2]
    grey = window(ct.image.sample(grid, order=3), 90, 520)
    inside = ct.labels.sample(grid, order=0, outside=0) == NUMBERS["aorta"]
    row, column = np.argwhere(inside).mean(axis=0) * size / n
    edge = np.sqrt(inside.sum() / np.pi) * size / n
    tip = np.array([column, row]) + edge * 0.75 * np.array([np.cos(0.5), -np.sin(0.5)])
    over = arrow(tip, 28) + words("R", (24, 40), anchor="start") + words("L", (676, 40), anchor="end")
    return svg(grey, size, size, "Axial CT slice through a vertebra", over, note=CT_NOTE), {}


def ct_sagittal() -> tuple[str, Regions]:
    """T9 to L3 of the real CT along the curve of the spine; regions of the canal at four heights."""
    width, height, scale = 600, 800, 4.7  # picture units, units per mm
    ct = patient()
    six = landmarks(ct)
    levels = ("T9", "T10", "T11", "T12", "L1", "L2")
    middle = np.array([six[level].mean(axis=0) for level in levels])
    over_sample = 1.5
    shape = (int(height / over_sample), int(width / over_sample))
    top, front = six["T9"][:, 2].max() + 1, six["L2"][:, 1].max() + 16
    z = top - (np.arange(shape[0]) + 0.5) * over_sample / scale
    y = front - (np.arange(shape[1]) + 0.5) * over_sample / scale
    grid = np.empty((*shape, 3))
    # The spine curves sideways: each row is taken where its midline is.
    x = np.polynomial.Polynomial.fit(middle[:, 2], middle[:, 0], 3)(z)
    grid[..., 0], grid[..., 1], grid[..., 2] = x[:, None], y, z[:, None]
    grey = window(ct.image.sample(grid, order=3), 220, 1100)

    def unit(points: FloatArray) -> FloatArray:
        return np.column_stack([(front - points[:, 1]) * scale, (top - points[:, 2]) * scale])

    def behind(upper: FloatArray, lower: FloatArray) -> Polygon:
        # From the back of one endplate to the back of another, and as deep as the canal.
        ends = np.array([upper, lower])
        back = ends + np.array([0, -15.0, -5.0])
        return scaled(unit(np.vstack([ends + mm(0, -1, 0), back[::-1]])), 1)

    disc = (six["L1"][5] + six["L2"][2]) / 2
    up = (six["L1"][2] - six["L2"][5]) / np.linalg.norm(six["L1"][2] - six["L2"][5])
    low = six["L2"][5]
    regions = {
        "t10": behind(six["T10"][2], six["T10"][5]),
        "t11": behind(six["T11"][2], six["T11"][5]),
        "l1l2": behind(disc + 13 * up, disc - 9 * up),
        "l2l3": behind(low + 5 * up, low - 6 * up),
    }
    names = ""
    for level in ("T10", "T12", "L2"):
        names += words(level, unit(six[level].mean(axis=0)[None])[0] + [0, 9])
    return svg(grey, width, height, "Sagittal CT slice of the lower spine", names, note=CT_NOTE), regions


def patch(part: NDArray[np.int16], name: str, where: NDArray[np.bool_]) -> FloatArray:
    """Return a pixel (column, row) well inside the largest patch in which a part of bone is seen there."""
    mask = (part == PARTS.index(name)) & where
    patches, count = ndimage.label(mask)
    largest = patches == 1 + int(np.argmax(ndimage.sum_labels(mask, patches, range(1, count + 1))))
    depth = ndimage.distance_transform_edt(largest)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return np.array([column, row], float)


PARTS_VIEW = View(looking((-0.3, -0.86, 0.42)), np.array([0, -20, -2.0]), 7.6, 900, 640)


def parts() -> tuple[str, Regions]:
    """A lumbar vertebra from behind, left and above, with six pins."""
    view, width, height = PARTS_VIEW, PARTS_VIEW.width, PARTS_VIEW.height
    picture, seen = raster(Vertebra("L3").mesh(1.0), view)
    across = np.broadcast_to(np.arange(width), seen.shape)
    right = across > view.project(mm(0, -45))[0, 0]
    pins = [
        ("superior articular process", right, (770, 90)),
        ("transverse process", right, (830, 400)),
        ("spinous process", right | ~right, (700, 590)),
        ("inferior articular process", ~right, (200, 560)),
        ("body", across < 330, (90, 110)),
        ("lamina", ~right, (90, 460)),
    ]
    over = "".join(pin(n, patch(seen, name, side), label) for n, (name, side, label) in enumerate(pins, 1))
    return svg(picture, width, height, "A lumbar vertebra with numbered pins", over), {}


AXIAL_VIEW = View(looking((0, 0, -1), up=(0, 1, 0)), np.array([0, -22, 0.0]), 8.2, 900, 900)


def axial() -> tuple[str, Regions]:
    """An L3 from below, as a CT slice is seen; regions of its parts."""
    size, view = AXIAL_VIEW.width, AXIAL_VIEW
    vertebra = Vertebra("L3")
    picture, seen = raster(vertebra.mesh(1.0), view)
    columns = np.broadcast_to(np.arange(size), seen.shape)
    left, right = columns > size / 2, columns < size / 2  # the patient's
    pedicle = seen == PARTS.index("pedicle")
    front, back, half = canal("L3")
    corners = np.array([[x, y, 0] for x, y in ((-half, front), (half, front), (half, back), (-half, back))])
    box = view.project(corners)[:, :2]
    inside = np.zeros(seen.shape, bool)
    (x0, y0), (x1, y1) = box.min(axis=0).astype(int), box.max(axis=0).astype(int)
    inside[y0:y1, x0:x1] = True
    regions = {
        "pedicle": outline(pedicle & left, shrink=0),
        "opposite": outline(pedicle & right, shrink=0),
        "opening": outline((seen < 0) & inside, shrink=6),
        "spinous": outline(seen == PARTS.index("spinous process"), shrink=4),
        "transverse": outline((seen == PARTS.index("transverse process")) & (columns > size * 0.8)),
    }
    over = (
        f"<text x='40' y='60' font-size='34' font-weight='600' {FONT} fill='#17212b'>R</text>"
        f"<text x='860' y='60' text-anchor='end' font-size='34' font-weight='600' {FONT} fill='#17212b'>L</text>\n"
    )
    return svg(picture, size, size, "A lumbar vertebra from below", over), regions


REGION_LEVEL = "T8"


def region() -> tuple[str, Regions]:
    """T8 from the left."""
    width, height = 900, 640
    view = View(looking((-1, -0.45, 0.22)), np.array([0, -19, -6.0]), 9.6, width, height)
    picture, _ = raster(Vertebra(REGION_LEVEL).mesh(1.0), view)
    return svg(picture, width, height, "A vertebra from the left"), {}


# --- Films


def shadow(spine: Spine, carm: CArm, rods: Sequence[Rod] = (), look: str = "film", seed: int = 1) -> NDArray[np.uint8]:
    """Return the film of a spine."""
    blocks = []
    for level, vertebra in spine.vertebrae.items():
        voxels = vertebra.voxels(0.8)
        blocks.append(bone(voxels).moved(spine.poses[level]))
    return film(Scene(tuple(blocks), tuple(rods)).projection(carm), look=look, photons=9000, seed=seed)


FILMED = Spine(("L1", "L2", "L3"))
FILM_SIZE = 800  # picture units of the films of `FILMED`


def film_carm(view: str) -> CArm:
    """Return the C-arm of a film of `FILMED`, centred on L2."""
    lateral = view == "lateral"
    centre = tuple(FILMED.poses["L2"].translation - mm(0, 18 if lateral else 12, 0))
    return CArm(orbital=90 if lateral else 0, pixels=500, pixel=0.384, isocentre=centre)


def film_ap() -> tuple[str, Regions]:
    """A frontal film of L1 to L3 with arrows at four shadows of L2."""
    size, spine, carm = FILM_SIZE, FILMED, film_carm("AP")
    pose, vertebra = spine.poses["L2"], spine.vertebrae["L2"]
    unit = size / carm.pixels

    def at(own: Sequence[float]) -> FloatArray:
        return carm.project(pose.apply(np.array([own], float)))[0] * unit

    mesh = vertebra.mesh(1.5)

    def tip(name: str, direction: Sequence[float]) -> FloatArray:
        points = mesh.vertices[np.unique(mesh.faces[mesh.parts == PARTS.index(name)])].astype(float)
        return points[np.argmax(points @ np.asarray(direction, float))]

    pedicle = vertebra.pedicle("right")
    spinous = tip("spinous process", (0, -1, -0.4))
    transverse = tip("transverse process", (-1, 0, 0))
    plate = vertebra.landmarks[:3].mean(axis=0)
    over = arrow(at(pedicle.centre + mm(pedicle.width * 0.42, 0, 0)), 180, 120, "1")
    over += arrow(at(spinous + mm(0, 0, -1.0)), 250, 110, "2")
    over += arrow(at(transverse + mm(7, 0, 1)), -60, 110, "3")
    over += arrow(at([-13, plate[1], plate[2] + 0.6]), 40, 170, "4")
    return svg(shadow(spine, carm), size, size, "Frontal film of three lumbar vertebrae", over), {}


def film_lateral() -> tuple[str, Regions]:
    """A lateral film of L1 to L3, front to the left; regions of L2."""
    size, spine, carm = FILM_SIZE, FILMED, film_carm("lateral")
    pose, vertebra = spine.poses["L2"], spine.vertebrae["L2"]
    six = spine.landmarks("L2")

    def around(points: Sequence[FloatArray]) -> Polygon:
        return scaled(carm.project(np.array(points)), size / carm.pixels)

    def wall(top: FloatArray, bottom: FloatArray) -> Polygon:
        forward = mm(0, 3.2)
        return around([top - forward, top + forward, bottom + forward, bottom - forward])

    below = spine.landmarks("L3")
    pedicle = vertebra.pedicle("left")
    roof = pose.apply((pedicle.centre - [0, 0, pedicle.height / 2])[None])[0]
    gap = roof[2] - (below[2][2] + 2)
    process = vertebra.mesh(1.5)
    points = process.vertices[np.unique(process.faces[process.parts == PARTS.index("spinous process")])]
    back = pose.apply(points.astype(float)[points[:, 1] < np.quantile(points[:, 1], 0.6)])
    shade = carm.project(back) * size / carm.pixels
    hull = shade[ConvexHull(shade).vertices]
    above = spine.landmarks("L1")
    up = (above[4] - six[1]) / np.linalg.norm(above[4] - six[1])
    regions = {
        "posterior-wall": wall(six[2] - mm(0, 0, 1.5), six[5] + mm(0, 0, 1.5)),
        "anterior-wall": wall(six[0] - mm(0, 0, 1.5), six[3] + mm(0, 0, 1.5)),
        "foramen": around(
            [
                roof + mm(0, dy, -dz * gap)
                for dy, dz in ((0, 0.05), (1, 0.5), (-1, 0.95), (-7, 0.95), (-8, 0.5), (-6, 0.05))
            ]
        ),
        "spinous": scaled(hull[:: max(1, len(hull) // 10)], 1),
        "disc": around([six[0] + 1.5 * up, six[2] + 1.5 * up, above[5] - 1.5 * up, above[3] - 1.5 * up]),
    }
    title = "Lateral film of three lumbar vertebrae"
    return svg(shadow(spine, carm, seed=2), size, size, title), regions


STRAY = aim(FILMED.vertebrae["L2"].pedicle("left"), depth=1.0, lateral=-9.5)


def needle() -> tuple[str, Regions]:
    """One needle in the canal behind L2, frontal and lateral."""
    width, spine, stray = 1000, FILMED, STRAY
    pose, tip = spine.poses["L2"], stray.tip
    start, end = pose.apply(np.array([tip - 95 * stray.direction, tip]))
    rod = Rod(start, end, stray.radius)
    panels = []
    for orbital, shift in ((0, -12), (90, -26)):
        carm = CArm(orbital=orbital, pixels=360, pixel=0.5, isocentre=tuple(pose.translation + mm(0, shift, 0)))
        panels.append(shadow(spine, carm, (rod,), look="fluoro", seed=3 + orbital))
    gap = np.full((360, 16), 255, np.uint8)
    picture = np.hstack([panels[0], gap, panels[1]])
    over = words("AP", (20, 50), 40, "start") + words("lateral", (532, 50), 40, "start")
    return svg(picture, width, round(width * 360 / 736), "Two films of one needle", over), {}


# --- Section


def cut(surface, x: float = 0.0) -> FloatArray:
    """Return the outline (n, 2) of y and z in which a closed surface, star-shaped there, meets the plane at x."""
    side = surface.vertices[:, 0] > x
    crossed = surface.faces[np.ptp(side[surface.faces].astype(int), axis=1) > 0]
    points = []
    for one, two in ((0, 1), (1, 2), (2, 0)):
        edge = crossed[side[crossed[:, one]] != side[crossed[:, two]]]
        p, q = surface.vertices[edge[:, one]].astype(float), surface.vertices[edge[:, two]].astype(float)
        share = ((x - p[:, 0]) / (q[:, 0] - p[:, 0]))[:, None]
        points.append((p + share * (q - p))[:, 1:])
    found = np.unique(np.round(np.vstack(points), 3), axis=0)
    centre = found.mean(axis=0)
    return found[np.argsort(np.arctan2(*(found - centre).T))]


SECTION_SHAPE = burst(0.35, 6.0)


def section() -> tuple[str, Regions]:
    """A midline section of T12 to L2 with a burst L1."""
    width, height, scale = 640, 720, 6.2
    spine = Spine(("T12", "L1", "L2"), {"L1": SECTION_SHAPE})
    centre = np.array([-26.0, spine.poses["L1"].translation[2] - 2])  # y, z
    over = 2
    rows, columns = height * over, width * over
    y = centre[0] - (np.arange(columns) + 0.5 - columns / 2) / (scale * over)
    z = centre[1] - (np.arange(rows) + 0.5 - rows / 2) / (scale * over)
    grid = np.stack(np.broadcast_arrays(0.0, y, z[:, None]), axis=-1).reshape(-1, 3)
    distance = np.full(len(grid), np.inf)
    for level, vertebra in spine.vertebrae.items():
        own = spine.poses[level].inverse().apply(grid)
        near = (np.abs(own - mm(0, -20, 0)) < [60, 60, 45]).all(axis=1)
        distance[near] = np.minimum(distance[near], vertebra.distance(own[near].astype(np.float32)))
    distance = distance.reshape(rows, columns)
    # Struts: a fixed net of fine lines, thinner than real ones are far apart.
    noise = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal((rows, columns)), (6, 2.5))
    strut = ndimage.gaussian_filter((np.abs(noise) < 0.25 * noise.std()).astype(float), 1)
    marrow = np.array([244, 235, 214.0]) - strut[..., None] * np.array([18, 27, 44.0])
    cortex = np.array([205, 182, 138.0])
    share = np.clip((distance + 1.3) / 0.35 + 0.5, 0, 1)[..., None]
    colour = marrow * (1 - share) + cortex * share
    inside = np.clip(0.5 - distance * scale * over, 0, 1)[..., None]
    edge = np.clip(1.2 - np.abs(distance) * scale, 0, 1)[..., None]
    sheet = Image.new("RGB", (columns, rows), PAPER)
    for upper, _ in spine.segments:
        disc = cut(spine.disc(upper))
        corners = np.column_stack([columns / 2 - (disc[:, 0] - centre[0]) * scale * over] * 2)
        corners[:, 1] = rows / 2 - (disc[:, 1] - centre[1]) * scale * over
        ImageDraw.Draw(sheet).polygon(list(map(tuple, corners)), fill="#b9d6e6", outline="#5f8ea8", width=2 * over)
    picture = np.asarray(sheet, float) * (1 - inside) + colour * inside
    picture = picture * (1 - edge) + INK * edge
    small = picture.reshape(height, over, width, over, 3).mean(axis=(1, 3)).clip(0, 255).astype(np.uint8)
    return svg(small, width, height, "Midline section of three vertebrae", quality=66), {}


PICTURES = {
    "anatomy_parts": parts,
    "anatomy_axial": axial,
    "anatomy_region": region,
    "anatomy_film_ap": film_ap,
    "anatomy_film_lateral": film_lateral,
    "anatomy_needle": needle,
    "anatomy_section": section,
    "anatomy_ct_axial": ct_axial,
    "anatomy_ct_sagittal": ct_sagittal,
}


def write(pictures: Mapping[str, Callable[[], Any]], bank: Path, names: Sequence[str]) -> int:
    """Write the pictures named, or all; return how many hotspot polygons of the bank differ from the ones computed."""
    unknown = [name for name in names if name not in pictures]
    if unknown:
        raise SystemExit(f"no picture {unknown[0]!r}; there are {', '.join(pictures)}")
    stated = {
        (Path(item["image"]["src"]).stem, each["id"]): each["polygon"]
        for item in yaml.safe_load(bank.read_text(encoding="utf-8"))["items"]
        if item["format"] == "hotspot"
        for each in item["regions"]
    }
    wrong = 0
    for name in names or pictures:
        text, regions = pictures[name]()
        file = FIGURES / f"{name}.svg"
        file.write_text(text, encoding="utf-8")
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
        for place, polygon in regions.items():
            if stated.get((name, place)) != polygon:
                wrong += 1
                print(f"  region {place} of {name} differs in the bank; it is: polygon: {polygon}")
    return wrong


if __name__ == "__main__":
    sys.exit(write(PICTURES, BANK, sys.argv[1:]))
