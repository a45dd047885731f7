"""The body of a vertebra as something that cement flows through: permeability, porosity, and the ways out of it.

Trabecular bone is a porous medium whose permeability K follows from the share of bone in it by Kozeny and Carman,
K proportional to phi^3 / (1 - phi)^2 with the porosity phi = 1 - BV/TV, anchored at the cores of [baroud2004]. It is
uneven: denser under the endplates, denser where height is lost, and lognormal from place to place. A cleft is a slot of
permeability b^2 / 12. Ways out are narrower than a voxel and enter as conductances (m3: flow times viscosity over
pressure): a tube pi r^4 / 8 L, a slot w b^3 / 12 L, the shell K A / t. What is in them is in `Outlet`.

Frame and units as in `vertebra.spine.vertebra`: x right, y anterior, z cranial, mm; permeability in m2, pressure in Pa.
Parameters: `assets/materials/bone.csv`; most of those of the ways out are assumed, and so are the leaks they lead to.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from vertebra.assets import parameters
from vertebra.imaging.fluoroscopy import BONE_VOLUME
from vertebra.spine.vertebra import Vertebra

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Cells = NDArray[np.int64]

OUTLETS = (
    "marrow drain",
    "basivertebral vein",
    "segmental vein",
    "endplate defect",
    "cortical defect",
    "posterior wall defect",
)
# Types of leak: B along the basivertebral, S along a segmental vein, C through a cortical defect [yeom2003]; where a
# defect leads is told after the dash.
LEAKS = dict(zip(OUTLETS, ("", "B", "S", "C-disc", "C-cortex", "C-canal"), strict=True))
LEAST, MOST = 0.04, 0.22  # BV/TV of the vertebrae that the course shows
AROUND = 10.0  # mm around the body in which leaks are drawn
FINE = 0.8  # mm between the points by which holes in the body are found
BROKEN = 0.15  # share of lost height from which a buckled cortex counts as cracked


def parameter(name: str) -> float:
    """Return the value of a parameter of `assets/materials/bone.csv`."""
    return parameters("materials/bone.csv")[name].value


def kozeny_carman(porosity: Floats | float) -> Floats:
    """Return phi^3 / (1 - phi)^2, which permeability is proportional to (without unit)."""
    phi = np.asarray(porosity, dtype=np.float64)
    ratio: Floats = phi**3 / (1 - phi) ** 2
    return ratio


def permeability(bone_volume: Floats | float) -> Floats:
    """Return the superior-inferior permeability of trabecular bone, m2, by its BV/TV: Kozeny-Carman from one anchor."""
    anchor = kozeny_carman(1 - parameter("reference_bone_volume"))
    found: Floats = parameter("permeability_si") * kozeny_carman(1 - np.asarray(bone_volume)) / anchor
    return found


@dataclass(frozen=True, eq=False)
class Outlet:
    """A way out of the body, narrower than a voxel.

    `name` is one of OUTLETS, `leak` the type of leak that cement in it is ("" for the drain, which only marrow takes).
    `cells` (n, 3) are the voxels it starts from and `conductance` (n,) its share from each, m3; at its end the pressure
    is `pressure`, Pa. `volume` (mL) is what it holds: it resists as marrow until cement has filled it. `mouth` (3,) is
    where it leaves the body, mm.
    """

    name: str
    cells: Cells
    conductance: Floats
    pressure: float
    volume: float
    mouth: Floats

    @property
    def leak(self) -> str:
        """Type of leak: B, S, C-disc, C-cortex or C-canal, and "" for the marrow drain."""
        return LEAKS[self.name]


@dataclass(frozen=True, eq=False)
class Bone:
    """The body of a vertebra as a porous medium on voxels (nx, ny, nz) of `spacing` mm; `origin` (3,) is a centre.

    `inside` is the body without pedicles and arch, `porosity` the share of a voxel that fluid can fill, `permeability`
    (3, nx, ny, nz) along x, y and z in m2 (0 outside), `cleft` where a void is, `outlets` the ways out.
    """

    vertebra: Vertebra
    spacing: float
    origin: Floats
    inside: Bools
    porosity: Floats
    permeability: Floats
    cleft: Bools
    outlets: tuple[Outlet, ...]

    @property
    def affine(self) -> Floats:
        """Matrix (4, 4) from voxel index to mm."""
        matrix = np.diag([self.spacing] * 3 + [1.0])
        matrix[:3, 3] = self.origin
        return matrix

    @cached_property
    def points(self) -> Floats:
        """Centres (n, 3) of the voxels inside, mm, in the order of `numpy.nonzero`."""
        found: Floats = self.origin + self.spacing * np.argwhere(self.inside)
        return found

    @cached_property
    def tree(self) -> cKDTree:
        """Search tree of `points`."""
        return cKDTree(self.points)

    @cached_property
    def capacity(self) -> float:
        """Volume of the pores, mL."""
        return float(self.porosity[self.inside].sum()) * self.spacing**3 / 1000

    @cached_property
    def surroundings(self) -> tuple[Floats, Bools]:
        """Origin (3,) of a larger grid of the same voxels, and where (nx, ny, nz) it holds no bone."""
        beyond = int(np.ceil(AROUND / self.spacing))
        origin = self.origin - beyond * self.spacing
        shape = tuple(n + 2 * beyond for n in self.inside.shape)
        free = self.vertebra.distance(centres(origin, shape, self.spacing)).reshape(shape) > 0
        own = tuple(slice(beyond, -beyond) for _ in shape)
        free[own] &= ~self.inside
        return origin, free


def grid(low: Floats, high: Floats, spacing: float) -> tuple[Floats, tuple[int, int, int]]:
    """Return origin and shape of a grid between two corners, mirrored in x about the midplane."""
    n = int(np.ceil(max(-low[0], high[0]) / spacing))
    size = np.ceil((high - low) / spacing).astype(int) + 1
    return np.array([-(n - 0.5) * spacing, low[1], low[2]]), (2 * n, int(size[1]), int(size[2]))


def centres(origin: Floats, shape: tuple[int, ...], spacing: float) -> Floats:
    """Return the centres (n, 3) of all voxels of a grid, mm, in the order of `ravel`."""
    found: Floats = origin + spacing * np.indices(shape).reshape(3, -1).T
    return found


def uneven(points: Floats, seed: int, correlation: float) -> Floats:
    """Return a random field (n,) of mean 0 and variance 1 at points (n, 3): the same one at any spacing of the points.

    Random numbers on a fixed lattice `correlation` mm wide, interpolated linearly and brought to one variance.
    """
    half = 40
    noise = np.random.default_rng(seed).standard_normal((2 * half,) * 3)
    place = points.T / correlation + half
    part = place - np.floor(place)
    spread = np.sqrt(((1 - part) ** 2 + part**2).prod(axis=0))
    field: Floats = ndimage.map_coordinates(noise, place, order=1, mode="wrap") / spread
    return field


@lru_cache(maxsize=24)
def bone(vertebra: Vertebra, bone_volume: float = BONE_VOLUME, spacing: float = 2.0, seed: int | None = 0) -> Bone:
    """Return the body of a vertebra as a porous medium.

    `bone_volume` is the mean BV/TV of its trabecular bone before it broke (0.04 to 0.22), `spacing` the edge of a voxel
    (0.7 to 3 mm), `seed` that of the unevenness (None: even bone, the same everywhere but for clefts). The ways out
    follow from the shape: veins always; a hole in the endplate, a crack in the buckled cortex, a broken or missing
    posterior wall and a split where the shape has them. Cached; its arrays are read-only. Raises ValueError for a
    number out of range and for a shape that the vertebra cannot take.
    """
    if not LEAST <= bone_volume <= MOST:
        raise ValueError(f"bone_volume is {bone_volume}; give a share of bone between {LEAST} and {MOST}")
    if not 0.7 <= spacing <= 3:
        raise ValueError(f"spacing is {spacing} mm; give 0.7 to 3 mm")
    marks, shape = vertebra.landmarks, vertebra.shape
    d = vertebra.dimensions
    wide = max(d.upper_width, d.lower_width) / 2 + 3
    deep = max(d.upper_depth, d.lower_depth) / 2 + 4
    low = np.array([-wide, -deep - shape.displacement, marks[:, 2].min() - 3])
    high = np.array([wide, deep, marks[:, 2].max() + 3])
    origin, size = grid(low, high, spacing)
    points = centres(origin, size, spacing)
    body, depth = (f.astype(np.float64).reshape(size) for f in vertebra.body_distance(points))
    inside = _pieces(body < 0)
    at = points.reshape(*size, 3)

    # Bone that is pushed together keeps its amount: what loses a third of its height gets half as dense again.
    half = d.upper_depth / 2
    t = np.clip(at[..., 1] / half, -1, 1)
    lost = shape.middle + t * (shape.anterior - shape.posterior) / 2
    lost += t * t * ((shape.anterior + shape.posterior) / 2 - shape.middle)
    share = np.full(size, bone_volume)
    if seed is not None:
        profile = 1 + parameter("endplate_density") * np.exp(-np.clip(depth, 0, None) / parameter("endplate_depth"))
        share *= profile / profile[inside].mean()
    share = np.clip(share / (1 - np.clip(lost, 0, 0.5)), 0.02, 0.6)
    along = permeability(share)
    if seed is not None:
        sigma = parameter("heterogeneity")
        along *= np.exp(sigma * uneven(points, seed, parameter("correlation")).reshape(size) - sigma**2 / 2)
    k = np.stack([parameter("lr_share") * along, parameter("ap_share") * along, along])
    porosity = 1 - share

    cleft = np.zeros(size, dtype=bool)
    if shape.cleft:
        void = vertebra.cleft_distance(origin, spacing, size).astype(np.float64)
        part = np.clip(0.5 - void / spacing, 0, 1) * inside
        lining = np.clip(0.5 - (void - 1) / spacing, 0, 1) - part
        k *= 1 - (1 - parameter("cleft_lining")) * np.clip(lining, 0, 1)
        # The slot is as high as the void above and below the voxel.
        gap = part.sum(axis=2, keepdims=True) * spacing * 1e-3
        k = (1 - part) * k + part * gap**2 / 12
        porosity = (1 - part) * porosity + part
        cleft = part > 0.5
    porosity, k = np.where(inside, porosity, 0.0), np.where(inside, k, 0.0)
    for array in (origin, inside, porosity, k, cleft):
        array.flags.writeable = False
    plain = Bone(vertebra, float(spacing), origin, inside, porosity, k, cleft, ())
    return replace(plain, outlets=_outlets(plain))


def _pieces(inside: Bools) -> Bools:
    """Return the body without crumbs: pieces of less than a fiftieth of it."""
    label, count = ndimage.label(inside)
    if not count:
        raise ValueError("no voxel's centre lies in the body; give a smaller spacing")
    sizes = np.bincount(label.ravel())[1:]
    kept: Bools = np.isin(label, 1 + np.flatnonzero(sizes > 0.02 * sizes.sum()))
    return kept


def exposed(inside: Bools) -> NDArray[np.int64]:
    """Return how many faces of each voxel inside (nx, ny, nz) look outwards."""
    padded = np.pad(inside, 1)
    faces = np.zeros(inside.shape, dtype=np.int64)
    for axis in range(3):
        for step in (1, -1):
            faces += ~np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    faces[~inside] = 0
    return faces


def tube(radius: float, length: float) -> tuple[float, float]:
    """Return conductance (m3) and volume (mL) of a tube, mm: pi r^4 / 8 L (Hagen-Poiseuille)."""
    r, long = radius * 1e-3, length * 1e-3
    return np.pi * r**4 / (8 * long), np.pi * r**2 * long * 1e6


def slot(gap: float, width: float, length: float) -> tuple[float, float]:
    """Return conductance (m3) and volume (mL) of a slot, mm: w b^3 / 12 L (plane Poiseuille flow)."""
    b, w, long = gap * 1e-3, width * 1e-3, length * 1e-3
    return w * b**3 / (12 * long), b * w * long * 1e6


def _outlets(bone: Bone) -> tuple[Outlet, ...]:
    """Return the ways out of a body, by what its shape says is broken."""
    vertebra, h = bone.vertebra, bone.spacing
    shape, marks, d = vertebra.shape, vertebra.landmarks, vertebra.dimensions
    rest = parameter("resting_pressure")
    found = []
    points, index = bone.points, np.argwhere(bone.inside)
    faces = exposed(bone.inside)[bone.inside]

    def add(name: str, chosen: Bools, size: tuple[float, float], mouth: Floats) -> None:
        conductance, volume = size
        if not chosen.any():  # a thin body between coarse voxels
            chosen = np.zeros(len(points), dtype=bool)
            chosen[bone.tree.query(mouth)[1]] = True
        share = np.full(int(chosen.sum()), conductance / chosen.sum())
        found.append(Outlet(name, index[chosen], share, rest, volume, np.asarray(mouth, dtype=np.float64)))

    area = faces * (h * 1e-3) ** 2
    skin = faces > 0
    through = parameter("shell_permeability") * area[skin] / (parameter("shell_thickness") * 1e-3)
    found.append(Outlet(OUTLETS[0], index[skin], through.astype(np.float64), rest, 0.0, np.zeros(3)))

    # The basivertebral vein gathers along the midline from the middle of the body to the posterior wall.
    wall = (marks[2] + marks[5]) / 2
    start = wall + np.array([0, 0.45 * d.upper_depth, 0])
    along = np.clip((points - wall) @ (start - wall) / ((start - wall) ** 2).sum(), 0, 1)
    away = np.linalg.norm(points - wall - along[:, None] * (start - wall), axis=1)
    size = tube(parameter("basivertebral_radius"), parameter("basivertebral_length"))
    add("basivertebral vein", away < max(h, 1.5), size, wall)

    # A vein leaves through each side at half height, where the waist is.
    middle = marks[:, 2].mean()
    for side in (1, -1):
        flank = skin & (side * points[:, 0] > 0) & (np.abs(points[:, 2] - middle) < 2 * h)
        edge = points[flank] * [side, 0, 0] if flank.any() else points
        widest = points[flank][np.argmax(edge[:, 0])] if flank.any() else points[np.argmax(side * points[:, 0])]
        mouth = widest + np.array([side * h / 2, 0, 0])
        size = tube(parameter("segmental_radius"), parameter("segmental_length"))
        add("segmental vein", np.linalg.norm(points - widest, axis=1) < max(h, 1.5), size, mouth)

    if shape.breach:
        mouth, near = _hole(bone, "breach", lambda p: p[:, 2] > middle)
        size = slot(parameter("disc_fissure"), 2 * shape.breach, parameter("disc_fissure_length"))
        add("endplate defect", near, size, mouth)
    if shape.wall:
        foot, top = marks[5], marks[2]
        if shape.missing_wall:
            mouth, near = _hole(bone, "wall", lambda p: p[:, 1] < 0)
            width = 0.56 * d.canal_width
            size = slot(parameter("hole_gap"), width, parameter("canal_path"))
        else:
            # A crack around the fragment; where it ends below is its lower edge.
            mouth = top + shape.wall * (foot - top)
            near = skin & (np.abs(points[:, 0]) < 0.36 * d.canal_width) & (points[:, 1] < mouth[1] + 6)
            near &= np.abs(points[:, 2] - mouth[2]) < max(1.2 * h, 2)
            size = slot(parameter("crack"), 0.72 * d.canal_width, parameter("canal_path"))
        add("posterior wall defect", near, size, mouth)
    broken = shape.buckling * max(shape.anterior, shape.middle)
    if broken > BROKEN or shape.split:
        ahead = (marks[0] + marks[3]) / 2
        if shape.split:
            near = vertebra.split_depth(points) > -0.8 * h
            mouth, width = ahead, d.upper_width
        else:
            # The fold of the anterior cortex.
            step = 0.3 + 0.4 * shape.superior_share
            mouth = marks[3] + step * (marks[0] - marks[3])
            near = skin & (points[:, 1] > 0) & (np.abs(points[:, 0]) < parameter("crack_length") / 2)
            near &= np.abs(points[:, 2] - mouth[2]) < max(1.2 * h, 2)
            near &= points[:, 1] > points[near, 1].max(initial=-np.inf) - 6
            width = parameter("crack_length")
        size = slot(parameter("crack"), width, parameter("shell_thickness"))
        add("cortical defect", near, size, mouth)
    return tuple(found)


def _hole(bone: Bone, feature: str, where: Callable[[Floats], Bools]) -> tuple[Floats, Bools]:
    """Return the middle (3,) of the hole that a feature of the shape makes in the body, and the voxels (n,) beside it.

    The hole is what the body has without that feature.
    """
    vertebra = bone.vertebra
    whole = Vertebra(vertebra.level, replace(vertebra.shape, **{feature: 0.0}))
    low, high = bone.points.min(axis=0) - bone.spacing, bone.points.max(axis=0) + bone.spacing
    low[1] -= 6
    origin, size = grid(low, high, FINE)
    points = centres(origin, size, FINE)
    points = points[where(points)]
    gone = (whole.body_distance(points)[0] < 0) & (vertebra.body_distance(points)[0] > 0)
    hole = points[gone]
    if not len(hole):
        raise ValueError(f"{vertebra.level}: the {feature} of this shape leaves no hole in the body; make it larger")
    far, _ = cKDTree(hole).query(bone.points)
    return hole.mean(axis=0), far < 0.5 * bone.spacing + FINE
