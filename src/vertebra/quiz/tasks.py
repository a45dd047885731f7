"""Tasks: questions in which the answer is what the student did, on films that the course's own models made.

A task file (made by `tools/build_tasks.py`) holds the films, the controls a student sets, and one number for each
quantity and each setting of the controls, as the model computed it. A question turns these numbers into credit by
its bands. What a student is handed is `Task.public`: films, controls and geometry, and no number of the table. Whoever
opens a quiz's questions.json, or its page anew, can look at the later films of a stop decision, as at any picture that
is handed out; and the course's own code could compute a table anew. A task tests the hand and the eye, not secrecy.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from vertebra.quiz.scoring import is_number, setting

FORMAT = "vertebra-task/1"
KINDS = ("needle_path", "stop_decision")
# What may leave a task file for a student, and of a film.
PUBLIC = ("note", "films", "controls", "needle", "seen", "step", "line")
FILM = ("caption", "alt", "uri", "width", "height", "matrix", "scale")


class TaskError(ValueError):
    """A task file that cannot be used; the text names the file, what is wrong and the mend."""


@dataclass(frozen=True)
class Band:
    """One class of outcomes and the share of credit, 0 to 1, that it earns.

    limits: (quantity, "above" or "below", number); the band fits a setting when all of them hold.
    """

    id: str
    text: str
    rationale: str
    share: float
    limits: tuple[tuple[str, str, float], ...] = ()

    def fits(self, measured: Mapping[str, float]) -> bool:
        """Say whether the band fits what was measured."""
        return all(
            measured[name] > limit if side == "above" else measured[name] < limit for name, side, limit in self.limits
        )


@dataclass(frozen=True)
class Task:
    """A task file. `public` is what a student may see of it.

    controls: {id, label, unit, values, start}, the settings being all combinations of their values, the last control
    running fastest. measures: {id, says, values}, one value a setting, said with the value in place of {} unless it is
    0. example: a good setting, as an answer.
    """

    kind: str
    about: str
    runs: int
    public: Mapping[str, Any] = field(repr=False)
    measures: Sequence[Mapping[str, Any]] = field(repr=False)
    example: Mapping[str, float]

    @property
    def controls(self) -> list[dict[str, Any]]:
        """Return what an answer is held against: {id, values} of each control."""
        return [{"id": control["id"], "values": control["values"]} for control in self.public["controls"]]

    @property
    def start(self) -> dict[str, float]:
        """Return the setting in which the student finds the controls."""
        return {control["id"]: control["start"] for control in self.public["controls"]}

    def measured(self, setting: int) -> dict[str, float]:
        """Return {quantity: value} of one setting."""
        return {measure["id"]: measure["values"][setting] for measure in self.measures}

    def sorted_into(self, bands: Sequence[Band]) -> list[int]:
        """Return, for each setting, which band fits: the first from the top. The last band must have no limits."""
        settings = range(self.runs)
        return [next(i for i, band in enumerate(bands) if band.fits(self.measured(setting))) for setting in settings]


@lru_cache(maxsize=32)
def load_task(path: Path) -> Task:
    """Read a task file; raises TaskError when it is missing, damaged or of another version."""
    again = "make it again with `python tools/build_tasks.py`"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.json"))) or "none"
        raise TaskError(f"there is no task {path.stem} in {path.parent}; the tasks there are: {known}") from None
    except OSError as error:
        raise TaskError(f"the task file {path.name} cannot be read ({error.strerror}); {again}") from None
    except (ValueError, RecursionError):
        raise TaskError(f"the task file {path.name} is not JSON; {again}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("kind") not in KINDS:
        raise TaskError(f"the task file {path.name} is no {FORMAT} of {' or '.join(KINDS)}; {again}")
    try:
        public = {name: data[name] for name in PUBLIC if name in data}
        public["films"] = [{name: film[name] for name in FILM if name in film} for film in data["films"]]
        task = Task(data["kind"], data["about"], data["runs"], public, data["measures"], data["example"])
        sound = _is_sound(task)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, ArithmeticError):
        sound = False
    if not sound:
        raise TaskError(f"the task file {path.name} is damaged, its parts do not fit together; {again}")
    return task


def _is_sound(task: Task) -> bool:
    """Say whether the parts of a task fit together; what is not even of the right kind raises one error or other."""
    films, controls = task.public["films"], task.controls
    fits, words, numbers = (_parts_of_needle if task.kind == "needle_path" else _parts_of_stop)(task)
    words += [task.public["note"], *(film[name] for film in films for name in ("caption", "alt"))]
    words += [control[name] for control in task.public["controls"] for name in ("id", "label", "unit")]
    words += [measure[name] for measure in task.measures for name in ("id", "says")]
    numbers += [film[name] for film in films for name in ("width", "height")]
    numbers += [value for control in controls for value in control["values"]]
    numbers += [value for measure in task.measures for value in measure["values"]]
    lengths = {len(measure["values"]) for measure in task.measures}
    for answer in (task.start, task.example):
        setting({"controls": controls}, answer)
    return (
        fits
        and lengths == {task.runs} == {prod(len(control["values"]) for control in controls)}
        and all(len(set(control["values"])) == len(control["values"]) for control in controls)
        and len({measure["id"] for measure in task.measures}) == len(task.measures)
        and all(isinstance(word, str) for word in words)
        and all(film["uri"].startswith("data:image/") for film in films)
        and all(map(is_number, numbers))
    )


def _parts_of_needle(task: Task) -> tuple[bool, list[Any], list[Any]]:
    """Return whether a needle's parts fit together, its words and its numbers."""
    needle, sight, controls = task.public["needle"], task.public["seen"], task.controls
    entries, turns, dips, _ = (len(control["values"]) for control in controls)
    points = [*needle["entries"], *(direction for turn in needle["directions"] for direction in turn)]
    fits = (
        [control["id"] for control in controls] == ["entry", "convergence", "descent", "depth"]
        and (len(needle["entries"]), len(needle["directions"])) == (entries, turns)
        and all(len(turn) == dips for turn in needle["directions"])
        and all(len(point) == 3 for point in points)
        and all(len(seen["at"]) == task.runs for seen in sight)
    )
    words = [part for seen in sight for part in (seen["caption"], seen["at"], *seen["words"])]
    words += [seen["words"][int(at)] for seen in sight for at in seen["at"]]
    numbers = [
        needle["radius"],
        *(film["scale"] for film in task.public["films"]),
        *(x for point in points for x in point),
    ]
    for answer in (task.start, task.example):
        numbers += [x for line in needle_lines(task.public, answer) for point in line for x in point]
    return fits, words, numbers


def _parts_of_stop(task: Task) -> tuple[bool, list[Any], list[Any]]:
    """Return whether a stop decision's parts fit together, its words and its numbers."""
    films, line = task.public["films"], task.public["line"]
    fits = task.controls == [{"id": "frame", "values": list(range(len(films)))}]
    (x1, y1), (x2, y2) = line["ends"]
    return fits, [task.public["step"], line["says"]], [x1, y1, x2, y2]


def needle_lines(task: Mapping[str, Any], answer: Mapping[str, float]) -> list[list[tuple[float, float]]]:
    """Return where the needle lies on each film of a public task for an answer: [(x, y) of its back end, of its tip].

    Points of the vertebra's frame, mm, times a film's matrix (3, 4) give column, row and 1, times their depth.
    """
    needle, values = task["needle"], {control["id"]: control["values"] for control in task["controls"]}
    entry, turn, dip = (values[name].index(answer[name]) for name in ("entry", "convergence", "descent"))
    start, direction = needle["entries"][entry], needle["directions"][turn][dip]
    ends = [
        [x + along * d for x, d in zip(start, direction, strict=True)] for along in (-needle["behind"], answer["depth"])
    ]
    return [[_projected(film["matrix"], end) for end in ends] for film in task["films"]]


def _projected(matrix: Sequence[Sequence[float]], point: Sequence[float]) -> tuple[float, float]:
    column, row, depth = (sum(m * x for m, x in zip(line, [*point, 1.0], strict=True)) for line in matrix)
    return column / depth, row / depth
