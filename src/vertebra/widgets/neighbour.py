"""What cement does to the neighbour: a segment under the same load or shortening, and a wedge from the side."""

import base64
import html
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebra.language import N_, labels
from vertebra.mechanics.axisymmetric import (
    CONTROLS,
    LOAD,
    Change,
    Plug,
    Response,
    Segment,
    body_volume,
    change,
    form,
    material,
    respond,
)
from vertebra.mechanics.sagittal import Bend, Column, bend, ellipse, posture
from vertebra.mechanics.statics import parameter
from vertebra.mechanics.strength import crush
from vertebra.simulators import page
from vertebra.widgets.asking import Asking, check_known, module, style

HERE = Path(__file__).parent
LIFT = 20  # how many times movements up and down are drawn; sideways they are drawn as they are
SWAY = 4  # the same of the side view, in both directions
RANGES = {"cement": (0, 15), "contact": (0, 100), "bone_volume": (4, 22), "damage": (0, 60), "wedge": (0, 25)}
START: dict[str, Any] = {
    "control": "load",
    "cement": 6,
    "contact": 100,
    "bone_volume": 7,
    "damage": 0,
    "wedge": 15,
    "compensated": False,
}
# What the buttons set, and the published figure that each meets.
PRESETS = {
    "The study that found +19 % [baroud2003]": {
        "control": "displacement",
        "cement": 15,
        "contact": 100,
        "bone_volume": 7,
        "damage": 0,
    },
    "The study that found +2.4 % [rohlmann2006]": {
        "control": "load",
        "cement": 6,
        "contact": 100,
        "bone_volume": 7,
        "damage": 0,
    },
    "A fracture, a usual volume": {"control": "load", "cement": 4.5, "contact": 70, "bone_volume": 7, "damage": 40},
}
SAME = {"load": N_("the load"), "displacement": N_("the shortening")}
ROWS = {
    "force": "Force that it carries",
    "disc_pressure": "Pressure in the disc",
    "neighbour_bulge": "How far the neighbour's endplate bulges in",
}
PUBLISHED: dict[str, dict[str, list[Any]]] = {
    "force": {"displacement": [11, "+11 %", "baroud2003"]},
    "disc_pressure": {"load": [2.4, "+2.4 %", "rohlmann2006"], "displacement": [19, "+19 %", "baroud2003"]},
    "neighbour_bulge": {},
}
ENDS = (25, 40, 60, 90, 140, 200)  # %, where the axis of the changes may end
EVIDENCE = (
    "In VERTOS II new fractures came in 15 of 91 patients after vertebroplasty and in 21 of 85 without it, no "
    "significant difference, and next door no more often than elsewhere [klazen2010b].",
    "In 69 clinical studies neighbours broke more often than in osteoporosis at large, but about as often as after any "
    "vertebral fracture [hulme2006].",
    "In the laboratory, segments with plain cement failed at 2.9 (1.2) MPa, with soft cement at 3.3 (1.0), without at "
    "3.6 (1.3): no significant difference [boger2007]. Under cyclic loads the bone broke at a higher force with softer "
    "cement, but how strong it had been before explained most [kolb2013].",
)
Texts = dict[str, Any]


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted with everything in range. Raises ValueError for what is not."""
    state: dict[str, Any] = START | wanted
    for name, (low, high) in RANGES.items():
        value = state[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; give a number from {low} to {high}")
    if state["control"] not in CONTROLS:
        raise ValueError(f"control is {state['control']!r}; it is one of {', '.join(CONTROLS)}")
    return state


def segments(state: dict[str, Any]) -> tuple[Segment, Segment, Segment]:
    """Return the segment before its fracture, with it, and with the cement in it."""
    bone, damage = state["bone_volume"] / 100, state["damage"] / 100
    plug = Plug(float(state["cement"]), state["contact"] / 100) if state["cement"] else None
    return Segment(bone), Segment(bone, damage), Segment(bone, damage, plug)


@lru_cache(maxsize=64)
def compared(intact: Segment, before: Segment, after: Segment) -> dict[str, tuple[Change, Change]]:
    """Return by control what cement changes, and how the segment differed before its fracture."""
    return {control: (change(after, before, control), change(intact, before, control)) for control in CONTROLS}


def signed(share: float) -> str:
    """Return a change as a percentage with its sign."""
    value = 100 * share
    if abs(value) < 0.05:
        return "0 %"
    return f"{value:+.{1 if abs(value) < 9.95 else 0}f} %".replace("-", "−")


def packed(values: NDArray[Any], kind: str) -> str:
    """Return numbers as base64 text of a little-endian type."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def drawn(points: NDArray[np.float64], quads: NDArray[np.intp], strain: NDArray[np.float64], disc: Any) -> Texts:
    """Return a mesh to paint: points in 0.01 mm, and of each element a shade 0 to 254 of bone, or 255 for a disc."""
    shade = np.clip(strain / material("bone yield strain"), 0, 1) * 254
    return {
        "points": packed(np.round(points * 100), "<i2"),
        "quads": packed(quads, "<u2"),
        "shades": packed(np.where(disc, 255, np.round(shade)), "u1"),
    }


def half(response: Response) -> NDArray[np.float64]:
    """Return the points (n, 2) of a section to draw: movements in a body enlarged, the disc's shortening left out."""
    points, moved = response.solution.mesh.points, response.solution.displacements
    low, high = material("body height"), material("body height") + material("disc height")
    (_, below), (_, above) = response.stack.endplate(0), response.stack.endplate(1)
    carried = np.interp(points[:, 1], [low, high], moved[[below, above], 1])
    return np.asarray(points + np.column_stack([moved[:, 0], LIFT * (moved[:, 1] - carried)]))


def section(before: Response, after: Response) -> Texts:
    """Return both halves of the section, the outline of the cement and what stands in the discs."""
    halves = [drawn(half(each), each.solution.mesh.quads, each.strain, each.stack.body < 0) for each in (before, after)]
    plug = after.segment.plug
    edge = form(plug).outline() + np.array([0, material("body height") / 2]) if plug else np.zeros((0, 2))
    return {
        "halves": halves,
        "cement": np.round(edge, 2).tolist(),
        "height": after.stack.height,
        "bodies": [material("body height") / 2, after.stack.height - material("body height") / 2],
        "disc": material("body height") + material("disc height") / 2,
        "pressures": [f"{each.disc_pressure / 1e6:.2f}" for each in (before, after)],
    }


def columns(state: dict[str, Any]) -> tuple[Bend, Bend, Bend]:
    """Return the three vertebrae upright without a wedge, then with the wedge, then with wedge and cement."""
    bone, damage = state["bone_volume"] / 100, state["damage"] / 100
    wedge = float(state["wedge"])
    load = posture(wedge, parameter("compensation") if state["compensated"] else 0.0)
    return (
        bend(Column(bone), posture(0)),
        bend(Column(bone, wedge, damage), load),
        bend(Column(bone, wedge, damage, float(state["cement"])), load),
    )


def side(found: Bend) -> Texts:
    """Return the side view, front on the left as on a film, and where the levels' names stand."""
    mesh, moved = found.solution.mesh, found.solution.displacements
    points = (mesh.points + SWAY * moved) * [-1, 1]
    # Mirrored elements would run clockwise: for painting that is all one.
    picture = drawn(points, mesh.quads, found.strain, found.section.level < 0)
    centres = points[mesh.quads].mean(axis=1)
    names = ["L2", "L1", "T12"]
    labels = [
        [name, *np.round(centres[found.section.level == i].mean(axis=0), 1).tolist()] for i, name in enumerate(names)
    ]
    _, radius = ellipse(found.column.wedge, found.column.cement)
    outline = found.section.outline(radius, SWAY * moved) * [-1, 1] if radius else np.zeros((0, 2))
    return picture | {"labels": labels, "cement": np.round(outline, 2).tolist()}


def readout(state: dict[str, Any]) -> Texts:
    """Return everything that is said of a checked state: rows of changes, the treated body, the lean, and words."""
    intact, before, after = segments(state)
    control = state["control"]
    found = compared(intact, before, after)
    fractured, cemented = state["damage"] > 0, state["cement"] > 0
    rows: list[Texts] = []
    for name, label in ROWS.items():
        value = {each: getattr(found[each][0], name) for each in CONTROLS}
        back = getattr(found[control][1], name)
        rows.append(
            {
                "label": label,
                "values": [round(100 * value[each], 2) for each in CONTROLS],
                "texts": [signed(value[each]) for each in CONTROLS],
                "intact": round(100 * back, 2) if fractured else None,
                "intact_text": signed(back),
                "published": PUBLISHED[name],
            }
        )
    most = max([*(v for row in rows for v in row["values"]), *(row["intact"] or 0 for row in rows), 20])
    end = next((end for end in ENDS if most <= end * 0.96), ENDS[-1])

    alone = [respond(each, neighbour=False).stiffness for each in (intact, before, after)]
    strong = [crush(each).strength for each in (intact, before, after)]
    body: list[Texts] = [
        {"label": label, "values": [round(100 * v / values[0]) for v in values[1:]]}
        for label, values in (("Stiffness", alone), ("Strength", strong))
    ]
    upright, wedged, filled = (100 * each.neighbour for each in columns(state))
    lean = [
        ["Upright, no wedge", round(upright, 3), f"{upright:.2f} %"],
        ["Wedge", round(wedged, 3), f"{wedged:.2f} %"],
        ["Wedge and cement", round(filled, 3), f"{filled:.2f} %"],
    ]
    now = found[control][0]
    if not cemented:
        verdict = "No cement: both halves are the same"
        words = "Move the first slider to put cement in the lower body."
    elif control == "load":
        verdict = f"Same load: pressure in the disc {signed(now.disc_pressure)}"
        words = (
            f"Before and after, {LOAD:.0f} N stand on the segment. Cement can only share them out differently: its "
            "pillar keeps the endplate below the disc from giving way, so the pressure changes by "
            f"{signed(now.disc_pressure)} and the neighbour's endplate bulge by {signed(now.neighbour_bulge)}. A "
            "patient weighs as much after the procedure as before: that speaks for this condition [unreferenced]."
        )
    else:
        verdict = f"Same shortening: pressure in the disc {signed(now.disc_pressure)}"
        words = (
            f"The cemented segment is stiffer. To shorten it by as much as before takes {signed(now.force)} force, and "
            f"with the force the pressure rises too, {signed(now.disc_pressure)} in all. Same model, same cement: "
            f"under the same load it would be {signed(found['load'][0].disc_pressure)}."
        )
    if fractured and cemented:
        back = found[control][1].disc_pressure
        words += f" Part of that is a return to normal: before the fracture it was {signed(back)} on the same scale."
    rise, more = wedged / upright - 1, filled / wedged - 1
    told = f"A wedge of {state['wedge']:g}° changes the strain in the front of T12 by {signed(rise)}"
    told += f"; the cement in L1 changes that by {signed(more)}." if cemented else "."
    fill = 100 * state["cement"] / body_volume()
    return {
        "rows": rows,
        "end": end,
        "body": body,
        "whole": next(end for end in (200, 300, 400, 600, 1000, 3000) if end > max(max(row["values"]) for row in body)),
        "lean": lean,
        "most": max(100 * material("bone yield strain"), 1.05 * max(upright, wedged, filled)),
        "verdict": verdict,
        "words": words,
        "leaning": told,
        "fill": f"{fill:.0f} % of the body",
        "told": f"{verdict}. {told}",
    }


def describe(state: dict[str, Any]) -> str:
    """Return the picture in words."""
    said = readout(state)
    return (
        f"Two vertebral bodies and their disc, cut open; left without, right with {state['cement']:g} mL of cement in "
        f"the lower body. {said['told']}"
    )


def shown(wanted: dict[str, Any]) -> Texts:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked(wanted)
    _, before, after = segments(state)
    first = respond(before)
    second = respond(after, state["control"], LOAD if state["control"] == "load" else first.displacement)
    return {
        "seq": int(wanted.get("seq", 0)),
        "section": section(first, second),
        "side": side(columns(state)[2]),
        "readout": readout(state),
        "described": describe(state),
    }


COLOURS = ("#f4ead2", "#f3c882", "#e88a4b", "#bf4a4c", "#7d2257", "#3b0f4a")  # of the strain, none to bone's yield


def png(state: dict[str, Any]) -> bytes:
    """Return the section as a PNG file, as a page without a kernel shows it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    _, before, after = segments(state)
    first = respond(before)
    second = respond(after, state["control"], LOAD if state["control"] == "load" else first.displacement)
    figure = Figure(figsize=(4.2, 5.2), dpi=120, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.08, 0.96, 0.86))
    colours = LinearSegmentedColormap.from_list("strain", COLOURS)
    for sign, each in ((-1, first), (1, second)):
        corners = half(each)[each.solution.mesh.quads] * [sign, 1]
        face = colours(np.clip(each.strain / material("bone yield strain"), 0, 1))
        face[each.stack.body < 0] = (0.73, 0.84, 0.9, 1)
        axes.add_collection(PolyCollection(list(corners), facecolors=face, edgecolors=face, linewidths=0.5))
        middle = material("body height") + material("disc height") / 2
        axes.text(sign * 9, middle, f"{each.disc_pressure / 1e6:.2f} MPa", ha="center", va="center", fontsize=9)
        axes.text(sign * 9, 60, ("with cement" if sign > 0 else "without"), ha="center", va="center", fontsize=10)
    if after.plug:
        edge = form(after.plug).outline() + np.array([0, material("body height") / 2])
        edge = np.array([[0, edge[0, 1]], *edge, [0, edge[-1, 1]]])
        axes.plot(*edge.T, color="#00619e", linewidth=1.6)
    axes.axvline(0, color="white", linewidth=1.5)
    axes.set(xlim=(-23, 23), ylim=(-1, 62), aspect="equal")
    axes.axis("off")
    figure.text(0.5, 0.03, "dark: strained up to where bone yields", ha="center", fontsize=8)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


class Neighbour(Asking):
    """The segment, asked by its browser half."""

    _esm = module("neighbour")
    _css = style("neighbour")
    refusal = N_("This could not be used")

    def __init__(self, **start: Any) -> None:
        """Open under the same load with 6 mL of cement, or with what `start` says of the state."""
        check_known("neighbour", start, START)
        state = checked(start)
        super().__init__(
            about={
                "ranges": RANGES,
                "presets": PRESETS,
                "same": labels(SAME),
                "evidence": EVIDENCE,
                "colours": COLOURS,
                "yield": f"{100 * material('bone yield strain'):.2g} %",
                "load": f"{LOAD:.0f} N",
                "lift": LIFT,
                "sway": SWAY,
                "compensation": f"{100 * parameter('compensation'):.0f} %",
                "model": page("segment").brief,
            },
            state=state,
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"cement and the neighbour: {describe(self._state)}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked(wanted)
        return made

    def still(self) -> str:
        """Return a picture with its description."""
        said = html.escape(describe(self._state), quote=True)
        picture = base64.b64encode(png(self._state)).decode()
        return (
            f'<figure><img alt="{said}" width="420" src="data:image/png;base64,{picture}">'
            f"<figcaption>{said} Start the lesson to change the cement and the load.</figcaption></figure>"
        )


def neighbour(**start: Any) -> Neighbour:
    """Return the segment; `start` may set what it opens on, such as `control="displacement"` or `cement=15`."""
    return Neighbour(**start)
