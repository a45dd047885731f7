"""The one file that remembers the cases a student has gone through: choices and hand-over notes, and no score.

What follows from the choices is computed anew each time (`cases.replay`), so the file cannot contradict the case.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vertebra.quiz.handover import PARTS
from vertebra.quiz.responses import LIMIT, set_aside, write_whole

FORMAT = "vertebra-cases/1"
EARLIER = "cases.json"  # beside the file: runs were kept there once, where the quiz called "cases" keeps its answers
LONGEST = 4000  # letters of one part of a note


class CaseLogError(ValueError):
    """A file that does not hold runs of cases; the text names the file, the place and what is wrong there."""


@dataclass(frozen=True)
class Run:
    """One run of a case: its version, what was chosen at each decision, the note by part, the self-checks ticked."""

    version: str
    choices: tuple[tuple[str, ...], ...] = ()
    note: Mapping[str, str] = field(default_factory=dict)
    ticked: tuple[int, ...] = ()


class CaseLog:
    """The runs of one person in one JSON file, one a case.

    `runs` stays known when the file cannot be written. `notice` is a sentence about a file that could not be read; such
    a file is renamed at the first writing, never overwritten.
    """

    def __init__(self, path: Path | str) -> None:
        """Read the file, if there is one. Nothing is written before `put`."""
        self.path = Path(path)
        self._place = self.path.absolute()  # a notebook may change its working folder
        self.runs: dict[str, Run] = {}
        with suppress(OSError, UnicodeDecodeError, CaseLogError):  # most often it is not there, or it is the quiz's
            self.runs |= loads(self._place.with_name(EARLIER).read_text(encoding="utf-8-sig"), EARLIER)
        fault = self._take_in()
        self.notice = f"The earlier cases cannot be used ({fault}). The next choice starts a new file." if fault else ""

    def put(self, case: str, run: Run) -> None:
        """Remember a run and write the file. Raises OSError when it cannot be written; the run is kept here."""
        self._place.parent.mkdir(parents=True, exist_ok=True)
        if fault := self._take_in():
            self.notice = (
                f"The earlier cases could not be used ({fault}). "
                f"Their file was kept under the name {set_aside(self._place)}."
            )
        self.runs[case] = run
        write_whole(self._place, dumps(self.runs).encode())

    def _take_in(self) -> str:
        """Take in what the file holds by now, perhaps from another window; return what is the matter with it, or ""."""
        if not os.path.lexists(self._place):
            return ""
        try:
            if self._place.stat().st_size > LIMIT:
                return f"{self.path.name}: is larger than {LIMIT} bytes"
            self.runs |= loads(self._place.read_text(encoding="utf-8-sig"), self.path.name)
        except OSError as error:
            return f"{self.path.name}: cannot be opened, {error.strerror}"
        except UnicodeDecodeError:
            return f"{self.path.name}: is not text"
        except CaseLogError as error:
            return str(error)
        return ""


def dumps(runs: Mapping[str, Run]) -> str:
    """Return the runs as the JSON text of the file."""
    records = {case: asdict(run) for case, run in runs.items()}
    return json.dumps({"format": FORMAT, "runs": records}, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def loads(text: str, name: str) -> dict[str, Run]:
    """Read the text of a file called `name`; raises CaseLogError unless it holds sound runs."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise CaseLogError(f"{name}: is not JSON at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise CaseLogError(f"{name}: holds a value that no case writes") from None
    kind = data.get("format") if isinstance(data, dict) else None
    if not isinstance(kind, str) or not kind.startswith(FORMAT.split("/")[0] + "/"):
        raise CaseLogError(f"{name}: is not the file of the cases")
    if kind != FORMAT:
        raise CaseLogError(f"{name}: format is {kind[:40]!r} and this version of vertebra reads {FORMAT}")
    runs = data.get("runs")
    if not isinstance(runs, dict):
        raise CaseLogError(f"{name}: runs: must hold one entry for each case")
    return {case: run_of(record, f"{name}: case {case[:40]}") for case, record in runs.items()}


def run_of(record: Any, place: str) -> Run:
    """Return the run of a record; raises CaseLogError, which begins with `place`, for anything that is none."""
    if not isinstance(record, Mapping) or record.keys() != set(Run.__dataclass_fields__):
        raise CaseLogError(f"{place}: must hold {', '.join(Run.__dataclass_fields__)}")
    version, choices, note, ticked = (record[name] for name in Run.__dataclass_fields__)
    lists = isinstance(choices, list | tuple) and all(isinstance(each, list | tuple) for each in choices)
    if not isinstance(version, str) or not lists or not all(isinstance(name, str) for each in choices for name in each):
        raise CaseLogError(f"{place}: version must be text and choices a list of lists of options")
    if not isinstance(note, Mapping) or not note.keys() <= PARTS.keys():
        raise CaseLogError(f"{place}: note: its parts are {', '.join(PARTS)}")
    if not all(isinstance(part, str) and len(part) <= LONGEST for part in note.values()):
        raise CaseLogError(f"{place}: note: each part is text of at most {LONGEST} letters")
    if not isinstance(ticked, list | tuple) or not all(type(each) is int for each in ticked):
        raise CaseLogError(f"{place}: ticked: must be a list of whole numbers")
    return Run(version, tuple(map(tuple, choices)), dict(note), tuple(ticked))
