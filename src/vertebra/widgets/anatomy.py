"""The anatomy viewer: a vertebra, a motion segment or a piece of spine in six fixed views, to name, turn and find.

It opens in fixed views because turning freely alone serves students with weak spatial ability badly [unreferenced].
"""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from vertebra import assets
from vertebra.language import _
from vertebra.spine import soft, spaces, stack
from vertebra.spine.dimensions import LEVELS
from vertebra.spine.shape import wedge
from vertebra.spine.vertebra import PARTS as BONE_PARTS
from vertebra.spine.vertebra import Mesh
from vertebra.widgets.asking import Module, Pictured, script

HERE = Path(__file__).parent
SCENES = ("vertebra", "segment", "spine")
WEDGE = 0.35  # share of the anterior height lost by the fractured variant
IN_CT = ("T9", "T10", "T11", "T12", "L1", "L2")  # levels the course's CT holds whole, as imaging.ct.LEVELS
LIMITS = (
    "Teaching model, not reviewed by a clinician: the bone is a smooth formula fitted to mean dimensions, and where "
    "soft parts run and how thick they are is drawn, not measured. Muscles, ribs, vessels outside the bone and nerve "
    "branches are left out."
)
PATIENT_LIMITS = (
    "Bone of one patient's CT, outlined by a program and read by no radiologist; its parts are called as the nearest "
    "part of the textbook vertebra, so their borders are approximate. Soft parts are not outlined."
)


# --- what the parts are ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A part a student can find: `id` as in the link #part-id, `tissue` names its colour, `role` is one cited text.

    A space has the `axis` along which one looks through it: "x", "y" or "z".
    """

    id: str
    name: str
    tissue: str
    role: str
    axis: str = ""


PARTS = (
    Part(
        "body",
        "vertebral body",
        "bone",
        "Carries the weight of what is above it: in cadaver segments with healthy discs the arch behind it bore less "
        "than 5 % of the load [pollintine2004].",
    ),
    Part(
        "superior-endplate",
        "superior endplate",
        "bone",
        "The roof of the body, on which the disc presses; if it alone is deformed, with less than a fifth of the "
        "posterior wall, the fracture is OF 2 [schnake2018].",
    ),
    Part(
        "inferior-endplate",
        "inferior endplate",
        "bone",
        "The floor of the body; a collapse of both endplates is OF 4 [schnake2018].",
    ),
    Part(
        "pedicle",
        "pedicle",
        "bone",
        "Joins body and arch, and is the needle's road into the body; from T1 to T10 the road that is safe is only "
        "3.4 to 7.7 mm wide [lien2007].",
    ),
    Part("lamina", "lamina", "bone", "Closes the vertebral canal behind, right and left [unreferenced]."),
    Part(
        "superior-articular-process",
        "superior articular process",
        "bone",
        "Reaches up to the vertebra above and forms the facet joint with that one's inferior process; in the lumbar "
        "spine its joint surface looks backwards and inwards [unreferenced].",
    ),
    Part(
        "inferior-articular-process",
        "inferior articular process",
        "bone",
        "Reaches down behind the superior process of the vertebra below [unreferenced].",
    ),
    Part(
        "transverse-process",
        "transverse process",
        "bone",
        "A lever for muscles, pointing sideways; on an AP film its root lies beside the ring of the pedicle "
        "[unreferenced].",
    ),
    Part(
        "spinous-process",
        "spinous process",
        "bone",
        "The part one feels under the skin; on an AP film a drop in the midline [unreferenced].",
    ),
    Part("costal-facet", "costal facet", "bone", "The joint surface for the head of a rib [unreferenced]."),
    Part(
        "disc",
        "intervertebral disc",
        "disc",
        "Spreads the load over the endplates; in severe degeneration the arch behind took 40 % of it upright "
        "[pollintine2004].",
    ),
    Part(
        "nucleus",
        "nucleus pulposus",
        "disc",
        "The disc's soft core; it presses on the middle of the endplates, where a biconcave fracture sinks in "
        "[unreferenced].",
    ),
    Part(
        "anterior-longitudinal-ligament",
        "anterior longitudinal ligament",
        "ligament",
        "Runs down the front of bodies and discs; if this anterior tension band tears in hyperextension the injury is "
        "AO type B3 [vaccaro2013].",
    ),
    Part(
        "posterior-longitudinal-ligament",
        "posterior longitudinal ligament",
        "ligament",
        "Runs down the back of the bodies, inside the canal; behind the body it is on average 8 mm wide at L1, 2 mm at "
        "L5 [pll2018].",
    ),
    Part(
        "ligamentum-flavum",
        "ligamentum flavum",
        "ligament",
        "Elastic, from lamina to lamina. With the inter- and supraspinous ligaments and the facet capsules it is the "
        "posterior ligamentous complex [unreferenced]; an injury to that complex scores 3 in TLICS [tlics2005].",
    ),
    Part(
        "interspinous-ligament",
        "interspinous ligament",
        "ligament",
        "Fills the gap between two spinous processes; part of the posterior ligamentous complex, the tension band "
        "behind [unreferenced].",
    ),
    Part(
        "supraspinous-ligament",
        "supraspinous ligament",
        "ligament",
        "The cord over the tips of the spinous processes, farthest from the body and so the first to be stretched in "
        "flexion [unreferenced].",
    ),
    Part(
        "facet-capsule",
        "facet joint capsule",
        "ligament",
        "Encloses the facet joint, where two articular processes meet [unreferenced].",
    ),
    Part(
        "dural-sac",
        "dural sac",
        "nerve",
        "The sleeve of dura round cord and nerve roots; a fragment pushed back from the body dents it in front "
        "[unreferenced].",
    ),
    Part(
        "spinal-cord",
        "spinal cord",
        "nerve",
        "Ends as the conus, on average behind the lower third of L1, but anywhere from T12 to L3 [saifuddin1998]. In "
        "TLICS an incomplete cord injury scores 3, a complete one 2 [tlics2005].",
    ),
    Part(
        "cauda-equina",
        "cauda equina",
        "nerve",
        "The roots that run down from the end of the cord [unreferenced]; an injury to them scores 3 in TLICS "
        "[tlics2005].",
    ),
    Part(
        "nerve-root",
        "spinal nerve root",
        "nerve",
        "Leaves the canal under the pedicle of its own vertebra [unreferenced]; a root injury scores 2 in TLICS "
        "[tlics2005].",
    ),
    Part(
        "basivertebral-vein",
        "basivertebral vein",
        "vessel",
        "Drains the body through its posterior wall into the canal [unreferenced]. Cement that follows it was missed "
        "or underestimated in 93 % on the lateral film [yeom2003].",
    ),
    Part(
        "vertebral-canal",
        "vertebral canal",
        "space",
        "The space behind the body, between the pedicles and in front of the laminae; it holds the cord or the cauda "
        "equina [unreferenced].",
        "z",
    ),
    Part(
        "intervertebral-foramen",
        "intervertebral foramen",
        "space",
        "The window between two neighbouring pedicles through which the nerve root leaves [unreferenced].",
        "x",
    ),
)

# Asked for the first, a student chose the second: how to tell the two apart.
CONFUSIONS = {
    "pedicle": {
        "lamina": "The pedicle is in front and joins the body; the lamina is behind it and closes the canal.",
        "transverse-process": "The transverse process points out sideways; the pedicle runs forward to the body.",
    },
    "lamina": {
        "pedicle": "The lamina is the plate behind the canal; the pedicle is the bridge in front, at its side.",
        "spinous-process": "The spinous process is in the midline, where the two laminae meet.",
        "inferior-articular-process": "The lamina runs down into that process; what lies higher is the lamina.",
    },
    "superior-articular-process": {
        "inferior-articular-process": "The superior process points up and lies in front in the facet joint.",
        "transverse-process": "Both start beside the pedicle: the articular process goes up, the other one sideways.",
    },
    "inferior-articular-process": {
        "superior-articular-process": "The inferior process points down and lies behind in the facet joint.",
        "lamina": "The lamina runs down into the inferior process; the process is what reaches the joint below.",
    },
    "transverse-process": {
        "pedicle": "The pedicle ends at the body; the transverse process points away from it.",
        "superior-articular-process": "Both start beside the pedicle: the transverse process goes sideways.",
    },
    "spinous-process": {"lamina": "The laminae slope to both sides; the spinous process stands out between them."},
    "body": {
        "superior-endplate": "That is the surface towards the disc above; the body is the block beneath it.",
        "inferior-endplate": "That is the surface towards the disc below; the body is the block above it.",
    },
    "superior-endplate": {
        "inferior-endplate": "The letters S and I tell which way is up: the superior endplate is the upper one.",
        "body": "The body is the whole block; the endplate is only its surface under the disc.",
    },
    "inferior-endplate": {
        "superior-endplate": "The letters S and I tell which way is up: the inferior endplate is the lower one.",
        "body": "The body is the whole block; the endplate is only its surface above the next disc.",
    },
    "anterior-longitudinal-ligament": {
        "posterior-longitudinal-ligament": "The anterior one lies outside, in front; the other one inside the canal.",
    },
    "posterior-longitudinal-ligament": {
        "anterior-longitudinal-ligament": "The posterior one lies inside the canal, behind the bodies.",
        "ligamentum-flavum": "Both lie in the canal: the longitudinal ligament in front, the flavum behind.",
    },
    "ligamentum-flavum": {
        "posterior-longitudinal-ligament": "Both lie in the canal: the flavum behind, between the laminae.",
        "interspinous-ligament": "The flavum joins the laminae; the interspinous ligament the spinous processes.",
    },
    "interspinous-ligament": {"supraspinous-ligament": "That is the cord over the tips; the other one lies between."},
    "supraspinous-ligament": {"interspinous-ligament": "That one fills the gap; the cord over the tips is asked for."},
    "spinal-cord": {"dural-sac": "The sac is the sleeve; the cord is inside it."},
    "cauda-equina": {"dural-sac": "The sac is the sleeve; the roots are inside it."},
    "vertebral-canal": {"dural-sac": "The sac lies in the canal; the canal is the space round it."},
    "intervertebral-foramen": {
        "nerve-root": "The root leaves through the foramen; the foramen is the window between the two pedicles.",
        "dural-sac": "The sac lies deeper, in the canal; the foramen is the window one sees it through.",
    },
}
OTHER_SIDE = (
    "The structure is correct, the side is not. Left and right are the patient's: look for the letters R and L at the "
    "edges; seen from the front the patient's left is on your right."
)
OTHER_LEVEL = "The structure is correct, the vertebra is not. The letters S and I tell which way is up."

# How the rooms of `spine` call what is here a part.
OF_BONE = {"superior endplate": "superior-endplate", "inferior endplate": "inferior-endplate"} | {
    name: name.replace(" ", "-") for name in BONE_PARTS
}
OF_STACK = {
    "disc": "disc",
    "nucleus": "nucleus",
    "flavum": "ligamentum-flavum",
    "interspinous": "interspinous-ligament",
    "facet capsules": "facet-capsule",
    "ALL": "anterior-longitudinal-ligament",
    "PLL": "posterior-longitudinal-ligament",
    "supraspinous": "supraspinous-ligament",
    "sac": "dural-sac",
    "cord": "spinal-cord",
    "cauda": "cauda-equina",
    "right root": "nerve-root",
    "left root": "nerve-root",
    "basivertebral vein": "basivertebral-vein",
}
PAIRED = {
    "pedicle",
    "lamina",
    "superior-articular-process",
    "inferior-articular-process",
    "transverse-process",
    "costal-facet",
    "facet-capsule",
    "nerve-root",
    "intervertebral-foramen",
}


def anatomy_parts() -> tuple[Part, ...]:
    """Return every part the viewers know, with its role and where that is published."""
    return PARTS


# --- the solids ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Solid:
    """A closed surface and what its faces are: `parts` (m,) of part ids; `level` names it ("L1", "L1-L2" or "").

    `vertices` (n, 3) mm, `faces` (m, 3) counter-clockwise seen from outside, `normals` (n, 3) unit vectors.
    """

    vertices: NDArray[np.floating[Any]]
    faces: NDArray[np.integer[Any]]
    normals: NDArray[np.floating[Any]]
    parts: Sequence[str]
    level: str


def _solids(spine: stack.Spine, spacing: float) -> list[Solid]:
    """Return everything in a spine, and the openings it leaves."""
    found = []
    for name, mesh in stack.scene(spine, spacing).items():
        level, _, kind = name.rpartition(".")
        if isinstance(mesh, Mesh):
            found.append(_bone(mesh, level))
        elif len(spine.levels) > 1 or kind == "basivertebral vein":  # a single vertebra is shown bare
            found.append(_whole(mesh, OF_STACK[kind], level))
    found += [_whole(spaces.canal(spine, level), "vertebral-canal", level) for level in spine.levels]
    for upper, lower in spine.segments:
        for side in ("right", "left"):
            window = spaces.foramen(spine, upper, side)
            found.append(_whole(window, "intervertebral-foramen", f"{upper}-{lower}"))
    return found


def _bone(mesh: Mesh, level: str) -> Solid:
    parts = [OF_BONE[BONE_PARTS[index]] for index in mesh.parts]
    return Solid(mesh.vertices, mesh.faces, mesh.normals, parts, level)


def _whole(skin: soft.Tissue, part: str, level: str) -> Solid:
    return Solid(skin.vertices, skin.faces, skin.normals, [part] * len(skin.faces), level)


def _patient(levels: Sequence[str]) -> list[Solid]:
    """Return the same vertebrae of the course's real CT."""
    from vertebra.imaging import parts  # only here: reading the CT takes longer than all the rest

    return [_bone(mesh, level) for level, mesh in parts.patient(levels).items()]


# --- packed for the browser ------------------------------------------------------------------------------------------


def pack(solids: Iterable[Solid], single: bool = False) -> dict[str, Any]:
    """Return solids as the browser half reads them: what the regions are, and the meshes in base64.

    A region is what one can point at: a part on one side of one level. Positions are int16 steps (at most 0.01 mm for
    a solid of 650 mm), faces uint16, normals int8. With `single` names leave the level out. Raises ValueError for a
    solid with more than 65535 vertices and for more than 255 regions.
    """
    known = {part.id: part for part in PARTS}
    regions: list[dict[str, str]] = []
    index: dict[tuple[str, str, str], int] = {}
    meshes: list[dict[str, Any]] = []
    blob = bytearray()
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for solid in solids:
        count = len(solid.vertices)
        if count > 65535:
            raise ValueError(
                f"a mesh of {solid.level or 'the scene'} has {count} vertices; give a coarser one, 65535 at most"
            )
        right = solid.vertices[solid.faces, 0].mean(axis=1) > 0
        codes = np.zeros(len(solid.faces), np.uint8)
        keys = [
            (part, ("right" if on_right else "left") if part in PAIRED else "", solid.level)
            for part, on_right in zip(solid.parts, right, strict=True)
        ]
        for key in sorted(set(keys), key=lambda key: (list(known).index(key[0]), key[1])):
            if key not in index:
                part, side, level = key
                of = f" of {level}" if level and not single else ""
                regions.append(
                    {"part": part, "side": side, "level": level, "name": f"{side} {known[part].name}{of}".strip()}
                )
                index[key] = len(regions)
        if len(regions) > 255:
            raise ValueError(f"the scene has {len(regions)} regions; the browser half takes 255, show fewer levels")
        codes[:] = [index[key] for key in keys]
        first, last = solid.vertices.min(axis=0), solid.vertices.max(axis=0)
        low, high = np.minimum(low, first), np.maximum(high, last)
        origin, step = (first + last) / 2, max(float((last - first).max()) / 65534, 1e-6)
        blocks = (
            np.rint((solid.vertices - origin) / step).astype("<i2"),
            solid.faces.astype("<u2"),
            np.rint(solid.normals * 127).astype(np.int8),
            codes,
        )
        start = len(blob)
        for block in blocks:
            blob += block.tobytes()
        blob += b"\0" * (len(blob) % 2)  # int16 begins on an even byte
        meshes.append({"start": start, "vertices": count, "faces": len(codes), "origin": origin.tolist(), "step": step})
    size = high - low
    shown = {region["part"] for region in regions}
    return {
        "parts": [asdict(part) for part in PARTS if part.id in shown],
        "regions": regions,
        "meshes": meshes,
        "packed": base64.b64encode(blob).decode(),
        "centre": ((low + high) / 2).tolist(),
        # The largest width and height in the six views, so that all six have one scale.
        "extent": [float(max(size[:2])), float(max(size[1:]))],
    }


# --- scenes ----------------------------------------------------------------------------------------------------------


def _levels(scene: str, level: str) -> tuple[str, ...]:
    """Return the levels of a scene. Raises ValueError for an unknown scene, or a level it cannot show."""
    if scene not in SCENES:
        raise ValueError(f"scene is {scene!r}; give one of {', '.join(SCENES)}")
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}; give one of {', '.join(LEVELS)}")
    first = LEVELS.index(level)
    if scene == "vertebra":
        return (level,)
    if scene == "segment":
        if first == len(LEVELS) - 1:
            raise ValueError(
                f"level is {level!r}, which has no vertebra below it here; give one of {', '.join(LEVELS[:-1])}"
            )
        return LEVELS[first : first + 2]
    return LEVELS[max(first - 2, 0) : first + 3]


def _variants(scene: str, level: str) -> dict[str, str]:
    """Return what a scene can be shown as: id to label."""
    variants = {"normal": "Textbook", "fracture": f"Wedge fracture of {level}"}
    whole = scene != "spine" and set(_levels(scene, level)) <= set(IN_CT)
    return variants | ({"patient": "Real patient"} if whole else {})


@cache
def view(scene: str, level: str, variant: str = "normal") -> dict[str, Any]:
    """Return all a browser needs to show a scene.

    `variant` is "normal", "fracture" (a wedge fracture of `level`) or "patient" (the bones of the course's real CT).
    Raises ValueError for a scene, level or variant there is not.
    """
    levels, variants = _levels(scene, level), _variants(scene, level)
    if variant not in variants:
        raise ValueError(f"variant is {variant!r}; give one of {', '.join(variants)}")
    if variant == "patient":
        solids = _patient(levels)
    else:
        spine = stack.Spine(levels, {level: wedge(WEDGE)} if variant == "fracture" else {})
        solids = _solids(spine, {"vertebra": 1.0, "segment": 1.3, "spine": 1.9}[scene])
    return {
        **pack(solids, single=len(levels) == 1),
        "title": _title(scene, levels, variant),
        "variant": variant,
        "variants": list(variants.items()),
        "limits": PATIENT_LIMITS if variant == "patient" else LIMITS,
        "confusions": CONFUSIONS,
        "mixed": {"side": OTHER_SIDE, "level": OTHER_LEVEL},
    }


def _title(scene: str, levels: Sequence[str], variant: str) -> str:
    what = {
        "vertebra": f"The vertebra {levels[0]}",
        "segment": f"The motion segment {levels[0]}-{levels[-1]}",
        "spine": f"The spine from {levels[0]} to {levels[-1]}",
    }[scene]
    return what + {"fracture": ", with a wedge fracture", "patient": " of a real patient"}.get(variant, "")


def describe(scene: str, level: str) -> str:
    """Return the fixed views of a scene in words."""
    names = ", ".join(part["name"] for part in view(scene, level)["parts"])
    return (
        f"{_title(scene, _levels(scene, level), 'normal')} in six views at one scale: anterior, posterior, left "
        f"lateral, right lateral, superior and inferior, with leader lines to the parts in sight. It has: {names}."
    )


def picture(scene: str) -> str:
    """Return the file, below assets, of a scene's six views; drawn for L1 by tools/build_anatomy_views.py."""
    return f"figures/anatomy_views_{scene}.png"


# --- the widget ------------------------------------------------------------------------------------------------------


class Anatomy(Pictured):
    """The widget: traits only. `selected` is a part's id or ""; `wanted` is the variant the browser asks for."""

    _esm = Module(script("anatomy"))
    _css = (HERE / "style.css").read_text(encoding="utf-8") + (HERE / "anatomy.css").read_text(encoding="utf-8")
    scene = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    wanted = traitlets.Unicode("normal").tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, scene: str = "vertebra", level: str = "L1", seed: int | None = None) -> None:
        """Show a scene; `seed` makes the order of the questions repeatable."""
        self._shown = scene, level
        self._seed = int(np.random.default_rng(seed).integers(2**31))
        super().__init__(scene={**view(scene, level), "seed": self._seed})
        self.observe(self._on_wanted, "wanted")

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"anatomy viewer: {self.scene['title']}, {len(self.scene['parts'])} parts in six views"

    def still(self) -> str:
        """Return a picture with its description, for a page without a kernel."""
        scene, level = self._shown
        said = html.escape(describe(scene, level), quote=True)
        figure = f"<p>{said}</p>"
        if level == "L1":
            image = base64.b64encode(assets.path(picture(scene)).read_bytes()).decode()
            figure = (
                f'<figure><img alt="{said}" width="900" src="data:image/png;base64,{image}">'
                f"<figcaption>{html.escape(describe(scene, level))} Start the lesson to turn it, to name its parts "
                "and to be asked about them.</figcaption></figure>"
            )
        return figure

    def _on_wanted(self, change: Any) -> None:
        try:
            shown = view(*self._shown, change.new)
            self.scene = {**shown, "seed": self._seed}
            self.problem = ""
        except (ValueError, KeyError, TypeError) as error:
            self.problem = _("That vertebra cannot be shown: {why}").format(why=error)


def anatomy(scene: str = "vertebra", level: str = "L1", seed: int | None = None) -> Anatomy:
    """Return the anatomy viewer of one "vertebra", a motion "segment" or a piece of "spine".

    A segment is `level` and the one below it, a piece of spine `level` and up to two on either side.
    Raises ValueError for a scene or level there is not; `seed` makes the order of the questions repeatable.
    """
    return Anatomy(scene, level, seed)
