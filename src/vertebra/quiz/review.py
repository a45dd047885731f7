"""Cases that return: when a film that was read is due again, and the one file that remembers every reading.

The file holds readings and nothing that follows from them. The schedule is the readings replayed through FSRS (py-fsrs,
with the weights it comes with, fitted to flash cards and not to films), so it cannot contradict them, two open windows
can be merged by uniting their readings, and a later version may schedule otherwise without losing a film.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fsrs import Card, Rating, Scheduler

from vertebra.measure.reading import Finding, Reading
from vertebra.quiz.responses import set_aside, write_whole

FORMAT = "vertebra-gym/1"
TIME = "%Y-%m-%dT%H:%M:%SZ"
YEARS = range(1970, 2200)  # from a clock that was never set; far enough from the year 9999 to count days onwards

# A film that was missed is shown again in this sitting, and the next day when it was then read rightly. Without fuzz
# the replay of the same readings always gives the same days.
_SCHEDULER = Scheduler(
    learning_steps=(timedelta(minutes=10), timedelta(days=1)),
    relearning_steps=(timedelta(minutes=10),),
    enable_fuzzing=False,
)
_RIGHT = {1: Rating.Hard, 2: Rating.Good, 3: Rating.Easy}


@dataclass(frozen=True)
class Entry:
    """One reading of the case with this `seed`, made `when` (UTC, to the second)."""

    seed: int
    when: datetime
    reading: Reading


def now() -> datetime:
    """Return the present time in UTC to the second, as an entry holds it."""
    return datetime.now(UTC).replace(microsecond=0)


# --- the schedule ----------------------------------------------------------------------------------------------------


def rating(reading: Reading) -> Rating:
    """Return the FSRS rating of a reading: Again if the decision is wrong, however certain the reader was.

    A right one is Hard as a guess, Good when fairly sure, Easy when certain. A fracture at its level whose type is
    wrong or whose grade is off is never better than Hard: the film has more to teach.
    """
    if not reading.right:
        return Rating.Again
    exact = (reading.said.kind, reading.said.grade) == (reading.truth.kind, reading.truth.grade)
    return _RIGHT[reading.certainty] if exact else Rating.Hard


def schedule(entries: Iterable[Entry]) -> dict[int, Card]:
    """Replay the readings, in order of time, into one FSRS card a case; `card.due` says when the case returns."""
    cards: dict[int, Card] = {}
    for entry in sorted(entries, key=_order):
        card = cards.get(entry.seed) or Card(card_id=entry.seed, due=entry.when)
        cards[entry.seed], _ = _SCHEDULER.review_card(card, rating(entry.reading), entry.when)
    return cards


def due(entries: Iterable[Entry], at: datetime) -> list[int]:
    """Return the cases due at this time, the longest overdue first."""
    cards = schedule(entries)
    return sorted((seed for seed, card in cards.items() if card.due <= at), key=lambda seed: (cards[seed].due, seed))


def first_readings(entries: Iterable[Entry]) -> list[Reading]:
    """Return the first reading of each case in order of time: a film that returns is practice and no test."""
    first: dict[int, Reading] = {}
    for entry in sorted(entries, key=_order):
        first.setdefault(entry.seed, entry.reading)
    return list(first.values())


def _order(entry: Entry) -> tuple[datetime, int]:
    return entry.when, entry.seed


# --- the file --------------------------------------------------------------------------------------------------------


class ReviewError(ValueError):
    """A file that does not hold readings; the text names the file, the place and what is wrong there."""


class ReviewFile:
    """The readings of one person in one JSON file.

    `entries` is all that is known, in order of time, and stays known when the file cannot be written. `notice` is a
    sentence about a file that could not be read; such a file is renamed at the first writing, never overwritten.
    """

    def __init__(self, path: Path | str) -> None:
        """Read the file, if there is one. Nothing is written before `add`."""
        self.path = Path(path)
        self._place = self.path.absolute()  # a notebook may change its working folder
        self.entries: tuple[Entry, ...] = ()
        self.notice = ""
        fault = self._take_in()
        self._foretold = f"The earlier readings cannot be used ({fault}). The next reading starts a new file."
        if fault:
            self.notice = self._foretold

    def add(self, entry: Entry) -> None:
        """Remember a reading and write the file. Raises OSError when it cannot be written; the entry is kept here."""
        self.entries = _union(self.entries, (entry,))
        self._place.parent.mkdir(parents=True, exist_ok=True)
        if fault := self._take_in():
            aside = set_aside(self._place)
            self.notice = (
                f"The earlier readings could not be used ({fault}). Their file was kept under the name {aside}."
            )
        elif self.notice == self._foretold:
            self.notice = ""  # another window has put the damaged file aside by now
        write_whole(self._place, dumps(self.entries).encode())

    def _take_in(self) -> str:
        """Take in what the file holds by now, perhaps from another window; return what is the matter with it, or ""."""
        if not os.path.lexists(self._place):
            return ""
        try:
            self.entries = _union(self.entries, loads(self._place.read_text(encoding="utf-8-sig"), self.path.name))
        except OSError as error:
            return f"{self.path.name}: cannot be opened, {error.strerror}"
        except UnicodeDecodeError:
            return f"{self.path.name}: is not text"
        except ReviewError as error:
            return str(error)
        return ""


def dumps(entries: Sequence[Entry]) -> str:
    """Return the readings as the JSON text of the file."""
    records = [
        {
            "seed": entry.seed,
            "when": entry.when.strftime(TIME),
            "truth": asdict(entry.reading.truth),
            "said": asdict(entry.reading.said),
            "certainty": entry.reading.certainty,
        }
        for entry in entries
    ]
    lines = ",\n".join(json.dumps(record, sort_keys=True, allow_nan=False) for record in records)
    return f'{{"format": "{FORMAT}", "readings": [\n{lines}\n]}}\n'


def loads(text: str, name: str) -> tuple[Entry, ...]:
    """Read the text of a file called `name`; raises ReviewError unless it holds sound readings."""
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ReviewError(f"{name}: is not JSON at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):  # NaN, a number of more than 4300 digits, thousands of brackets
        raise ReviewError(f"{name}: holds a value that the gym does not write") from None
    kind = data.get("format") if isinstance(data, dict) else None
    if not isinstance(kind, str) or not kind.startswith(FORMAT.split("/")[0] + "/"):
        raise ReviewError(f"{name}: is not the gym's file of readings")
    if kind != FORMAT:
        raise ReviewError(f"{name}: format is {kind[:40]!r} and this version of vertebra reads {FORMAT}")
    records = data.get("readings")
    if not isinstance(records, list):
        raise ReviewError(f"{name}: readings: must be a list")
    return _union((), (_entry(record, f"{name}: reading {i}") for i, record in enumerate(records, 1)))


def _entry(record: Any, place: str) -> Entry:
    if not isinstance(record, Mapping) or record.keys() != {"seed", "when", "truth", "said", "certainty"}:
        raise ReviewError(f"{place}: must hold seed, when, truth, said and certainty")
    seed, when = record["seed"], record["when"]
    if type(seed) is not int or seed < 0:
        raise ReviewError(f"{place}: seed is {str(seed)[:40]!r}, must be a whole number from 0")
    try:
        time = datetime.strptime(when, TIME).replace(tzinfo=UTC)
        if time.year not in YEARS:
            raise ValueError
    except (TypeError, ValueError):
        raise ReviewError(f"{place}: when is {str(when)[:40]!r}, must be a time such as 2026-11-21T10:05:07Z") from None
    try:
        reading = Reading(_finding(record["truth"]), _finding(record["said"]), record["certainty"])
    except (TypeError, ValueError) as error:
        raise ReviewError(f"{place}: {error}") from None
    return Entry(seed, time, reading)


def _finding(record: Any) -> Finding:
    types = {"level": str, "fractured": bool, "kind": str, "grade": int, "loss": (int, float, type(None))}
    names = {field.name for field in fields(Finding)}
    if not isinstance(record, Mapping) or record.keys() != names:
        raise ValueError(f"a finding must hold {', '.join(sorted(names))}")
    for field, kinds in types.items():
        if not isinstance(record[field], kinds):  # type: ignore[arg-type]
            raise ValueError(f"{field} is {str(record[field])[:40]!r}, which the gym does not write")
    return Finding(**record)


def _union(known: Iterable[Entry], more: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return both, in order of time. One case is read once a second at most, so seed and time name a reading."""
    merged = {_order(entry): entry for entry in (*more, *known)}
    return tuple(merged[key] for key in sorted(merged))


def _no_constant(constant: str) -> Any:
    raise ValueError(constant)
