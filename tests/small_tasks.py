"""Two small task files, made by hand, for the tests of the questions whose answer is what the student did."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image


def _grey(level: int) -> str:
    file = io.BytesIO()
    Image.new("L", (8, 8), level).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _film(level: int, caption: str) -> dict[str, Any]:
    return {"caption": caption, "alt": f"A grey film, {caption}.", "uri": _grey(level), "width": 100, "height": 100}


# Seen from in front (x to the left of the picture) and from the side, by a camera 100 mm away.
AP = [[-100, 50, 0, 5000], [0, 50, -100, 5000], [0, 1, 0, 100]]
LATERAL = [[50, -100, 0, 5000], [50, 0, -100, 5000], [1, 0, 0, 100]]

# Eight settings: entry, convergence, descent, depth.
NEEDLE: dict[str, Any] = {
    "format": "vertebra-task/1",
    "kind": "needle_path",
    "note": "Two grey squares.",
    "about": "made by hand",
    "runs": 8,
    "films": [
        _film(40, "AP film") | {"matrix": AP, "scale": 1},
        _film(60, "Lateral film") | {"matrix": LATERAL, "scale": 1},
    ],
    "controls": [
        {"id": "entry", "label": "Entry point", "unit": "mm lateral", "values": [0, 5], "start": 5},
        {"id": "convergence", "label": "Turn towards the midline", "unit": "°", "values": [0, 10], "start": 0},
        {"id": "descent", "label": "Tilt towards the feet", "unit": "°", "values": [-2.5], "start": -2.5},
        {"id": "depth", "label": "Depth", "unit": "mm", "values": [30, 40], "start": 30},
    ],
    "needle": {
        "entries": [[10, -30, 5], [15, -30, 5]],
        "directions": [[[0, 0.999, 0.044]], [[-0.1736, 0.9838, 0.043]]],
        "radius": 1.5,
        "behind": 20,
    },
    "seen": [
        {"caption": "AP film", "words": ["over the ring", "near the midline"], "at": "00110011"},
        {"caption": "Lateral film", "words": ["behind the wall", "in the body"], "at": "01010101"},
    ],
    "measures": [
        {"id": "canal", "says": "the canal entered by {} mm", "values": [0, 0, 0.75, 3.125, 0, 0, 0, 0]},
        {"id": "breach", "says": "", "values": [0, 0, 0.75, 3.125, 1.375, 1.375, 0, 0]},
        {"id": "tip", "says": "the tip at {} %", "values": [25, 55, 25, 56, 25, 58, 24, 57]},
    ],
    "example": {"entry": 5, "convergence": 10, "descent": -2.5, "depth": 40},
}

STOP: dict[str, Any] = {
    "format": "vertebra-task/1",
    "kind": "stop_decision",
    "note": "Four grey squares.",
    "about": "made by hand",
    "runs": 4,
    "films": [_film(30 + 40 * k, f"{1.25 * k:g} mL of cement") for k in range(4)],
    "controls": [{"id": "frame", "label": "Film", "unit": "", "values": [0, 1, 2, 3], "start": 0}],
    "step": "1.25 mL",
    "line": {"ends": [[60, 20], [61.5, 80]], "says": "where the back of the body begins"},
    "measures": [
        {"id": "volume", "says": "{} mL injected", "values": [0, 1.25, 2.5, 3.75]},
        {"id": "leaked", "says": "{} mL outside the bone", "values": [0, 0, 0, 0.625]},
    ],
    "example": {"frame": 2},
}

# The two questions, as a bank holds them after the fields that every question has.
NEEDLE_ITEM = """
  format: needle_path
  task: small_needle
  stem: Bring the needle into the body.
  bands:
  - {id: kzcanal, text: Into the canal, share: 0, above: {canal: 0},
     rationale: "Juniper saw the needle pass through the wall beside the canal."}
  - {id: kzwall, text: Through another wall, share: 0.25, above: {breach: 0},
     rationale: "Rosemary saw the needle leave the bone on its other side."}
  - {id: kzshort, text: Not far enough, share: 0.5, below: {tip: 50},
     rationale: "Lavender saw the needle stop before it came into the body."}
  - {id: kzgood, text: In bone all the way, share: 1,
     rationale: "Marjoram saw bone around the needle all the way to its tip."}
"""
STOP_ITEM = """
  format: stop_decision
  task: small_stop
  stem: Inject and stop in time.
  bands:
  - {id: kzleak, text: Cement left the bone, share: 0, above: {leaked: 0},
     rationale: "Chamomile saw cement outside and it was too late by then."}
  - {id: kzlittle, text: Hardly any cement, share: 0.5, below: {volume: 1.5},
     rationale: "Tarragon thinks that so little cement can hardly hold anything up."}
  - {id: kzfull, text: Filled and nothing leaked, share: 1,
     rationale: "Coriander would have stopped here as well and gone for lunch."}
"""


def write_tasks(folder: Path) -> Path:
    """Write both task files into `folder`, which is made, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, task in (("small_needle", NEEDLE), ("small_stop", STOP)):
        (folder / f"{name}.json").write_text(json.dumps(task), encoding="utf-8")
    return folder
