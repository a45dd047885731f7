"""The one file that remembers what a student has met: every checked answer and every film read, and when.

It holds nothing that follows from them (`review` computes what is due, `mastery` what is known), so it cannot
contradict itself. A file of an earlier version is backed up before it is written anew, and one that cannot be read is
kept aside: nothing a student did is ever deleted.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vertebra.measure.reading import Finding, Reading
from vertebra.quiz import scoring
from vertebra.quiz.items import Bank
from vertebra.quiz.responses import ResponsesError, is_answer, read_responses, set_aside, write_whole
from vertebra.quiz.review import Attempt, Entry, Event, order

FILE = "progress.json"
GYM = "film_gym.json"  # where version 1 kept the films
FORMATS = {"vertebra-gym/1": 1, "vertebra-progress/2": 2}
CURRENT = max(FORMATS, key=lambda name: FORMATS[name])
TIME = "%Y-%m-%dT%H:%M:%SZ"
YEARS = range(1970, 2200)  # from a clock that was never set; far enough from the year 9999 to count days onwards
PATIENCE = 2.0  # seconds after which another window's lock is taken to be left over from a crash


class ProgressError(ValueError):
    """A file that does not hold a student's progress; the text names the file, the place and what is wrong there."""


class ProgressFile:
    """What one person has met, in one JSON file.

    `events` is all that is known, in order of time, and stays known when the file cannot be written. `notice` is a
    sentence about a file that could not be read; it is renamed at the first writing, never overwritten.
    """

    def __init__(self, path: Path | str, banks: Iterable[Bank] = ()) -> None:
        """Read the file, if there is one, and what version 1 left beside it. Nothing is written before `add`.

        banks: practice banks whose own files of answers, beside this one, may know of answers that it does not.
        """
        self.path = Path(path)
        self._place = self.path.absolute()  # a notebook may change its working folder
        self.events: tuple[Event, ...] = ()
        self.notice = ""
        faults = [fault for place in self._files() if (fault := self._take_in(place)[1])]
        self._foretold = (
            f"The earlier progress cannot be used ({faults[0]}). It will be kept aside, and a new file begun."
            if faults
            else ""
        )
        self.notice = self._foretold
        self.events = _union(self.events, earlier_answers(self._place.parent, banks, self.attempts))

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Return the checked answers."""
        return tuple(event for event in self.events if isinstance(event, Attempt))

    @property
    def readings(self) -> tuple[Entry, ...]:
        """Return the films read."""
        return tuple(event for event in self.events if isinstance(event, Entry))

    def add(self, *events: Event) -> None:
        """Remember events and write the file. Raises OSError when it cannot be written; the events are kept here."""
        self.events = _union(self.events, events)
        self._place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self._place.with_name(f".{self._place.name}.lock")):
            asides, outdated = [], []
            for place in self._files():
                version, fault = self._take_in(place)
                if fault:
                    asides.append((fault, set_aside(place)))
                elif version < FORMATS[CURRENT]:
                    _back_up(place, version)
                    outdated.append(place)
            write_whole(self._place, dumps(self.events).encode())
            for place in outdated:
                if place != self._place:
                    place.unlink()
        if asides:
            said = (f"({fault}). Its file was kept under the name {name}." for fault, name in asides)
            self.notice = " ".join(f"The earlier progress could not be used {each}" for each in said)
        elif self.notice == self._foretold:
            self.notice = ""  # another window has put the damaged file aside by now

    def _files(self) -> list[Path]:
        return [place for place in (self._place, self._place.with_name(GYM)) if os.path.lexists(place)]

    def _take_in(self, place: Path) -> tuple[int, str]:
        """Take in what a file holds by now; return its version, and what is the matter with it or ""."""
        try:
            version, events = loads(place.read_text(encoding="utf-8-sig"), place.name)
        except OSError as error:
            return 0, f"{place.name}: cannot be opened, {error.strerror}"
        except UnicodeDecodeError:
            return 0, f"{place.name}: is not text"
        except ProgressError as error:
            return 0, str(error)
        self.events = _union(self.events, events)
        return version, ""


def earlier_answers(folder: Path, banks: Iterable[Bank], known: Iterable[Attempt]) -> list[Attempt]:
    """Return the checked answers in the quizzes' own files of which the log knows nothing, as attempts.

    Those files are older than the log, or the log was damaged. They keep the last answer to each question and the time
    when the quiz was last saved, but not the version of each question: it stays "". What cannot be read or scored now
    is passed over; the quiz itself tells the student.
    """
    met = {attempt.item for attempt in known}
    found = []
    for bank in banks:
        try:
            stored = read_responses(folder / f"{bank.id}.json")
        except ResponsesError:
            continue
        when = datetime.strptime(stored.saved, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
        for item in bank.items:
            response = stored.answers.get(item.id) or {}
            answer, certainty = response.get("answer"), response.get("certainty")
            if item.id in met or answer is None or certainty is None or when.year not in YEARS:
                continue
            try:
                fraction = scoring.score(item.key_record(), answer)
            except ValueError:  # an answer to an earlier version of the question
                continue
            found.append(Attempt(item.id, "", when, answer, fraction, certainty))
    return found


# --- the file's text -------------------------------------------------------------------------------------------------


def dumps(events: Sequence[Event]) -> str:
    """Return the events as the JSON text of the file, one a line, so that a person can read it."""

    def lines(records: Iterable[Mapping[str, Any]]) -> str:
        return ",\n".join(json.dumps(record, sort_keys=True, allow_nan=False) for record in records)

    attempts = lines(asdict(e) | {"when": e.when.strftime(TIME)} for e in events if isinstance(e, Attempt))
    readings = lines(
        {
            "seed": e.seed,
            "when": e.when.strftime(TIME),
            "truth": asdict(e.reading.truth),
            "said": asdict(e.reading.said),
            "certainty": e.reading.certainty,
        }
        for e in events
        if isinstance(e, Entry)
    )
    return f'{{"format": "{CURRENT}", "attempts": [\n{attempts}\n], "readings": [\n{readings}\n]}}\n'


def loads(text: str, name: str) -> tuple[int, tuple[Event, ...]]:
    """Return the version and the events of a file called `name`; raises ProgressError unless all of it is sound."""
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ProgressError(f"{name}: is not JSON at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):  # NaN, a number of more than 4300 digits, thousands of brackets
        raise ProgressError(f"{name}: holds a value that the course does not write") from None
    kind = data.get("format") if isinstance(data, dict) else None
    if not isinstance(kind, str) or not kind.startswith(("vertebra-gym/", "vertebra-progress/")):
        raise ProgressError(f"{name}: is not the file of your progress")
    if kind not in FORMATS:
        raise ProgressError(f"{name}: format is {kind[:40]!r} and this version of vertebra reads {CURRENT}")
    version = FORMATS[kind]
    for step in range(version, FORMATS[CURRENT]):
        data = MIGRATIONS[step](data)
    for group in ("attempts", "readings"):
        if not isinstance(data.get(group), list):
            raise ProgressError(f"{name}: {group}: must be a list")
    attempts = (_attempt(record, f"{name}: attempt {i}") for i, record in enumerate(data["attempts"], 1))
    readings = (_reading(record, f"{name}: reading {i}") for i, record in enumerate(data["readings"], 1))
    return version, _union((), (*attempts, *readings))


# From each version to the next. A new version adds its step here, and every older file passes through all of them.
MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda data: data | {"attempts": []},  # version 1 remembered films only
}


def _attempt(record: Any, place: str) -> Attempt:
    _check_fields(record, {field.name for field in fields(Attempt)}, place)
    if not all(isinstance(record[field], str) for field in ("item", "version")) or not record["item"]:
        raise ProgressError(f"{place}: item and version must be text")
    if not is_answer(record["answer"]):
        raise ProgressError(f"{place}: no question takes the answer {str(record['answer'])[:40]!r}")
    fraction, certainty = record["fraction"], record["certainty"]
    if not scoring.is_number(fraction) or not 0 <= fraction <= 1:
        raise ProgressError(f"{place}: fraction is {str(fraction)[:40]!r}, must lie from 0 to 1")
    if type(certainty) is not int or certainty not in scoring.CERTAINTY_MARKS:
        raise ProgressError(f"{place}: certainty is {str(certainty)[:40]!r}, must be 1, 2 or 3")
    return Attempt(**record | {"when": _time(record["when"], place), "fraction": float(fraction)})


def _reading(record: Any, place: str) -> Entry:
    _check_fields(record, {"seed", "when", "truth", "said", "certainty"}, place)
    if type(record["seed"]) is not int or record["seed"] < 0:
        raise ProgressError(f"{place}: seed is {str(record['seed'])[:40]!r}, must be a whole number from 0")
    when = _time(record["when"], place)
    try:
        reading = Reading(_finding(record["truth"]), _finding(record["said"]), record["certainty"])
    except (TypeError, ValueError) as error:
        raise ProgressError(f"{place}: {error}") from None
    return Entry(record["seed"], when, reading)


def _check_fields(record: Any, names: set[str], place: str) -> None:
    if not isinstance(record, Mapping) or record.keys() != names:
        raise ProgressError(f"{place}: must hold {', '.join(sorted(names))}")


def _time(text: Any, place: str) -> datetime:
    try:
        when = datetime.strptime(text, TIME).replace(tzinfo=UTC)
        if when.year not in YEARS:
            raise ValueError
    except (TypeError, ValueError):
        what = f"when is {str(text)[:40]!r}, must be a time such as 2026-11-21T10:05:07Z"
        raise ProgressError(f"{place}: {what}") from None
    return when


def _finding(record: Any) -> Finding:
    types = {"level": str, "fractured": bool, "kind": str, "grade": int, "loss": (int, float, type(None))}
    names = {field.name for field in fields(Finding)}
    if not isinstance(record, Mapping) or record.keys() != names:
        raise ValueError(f"a finding must hold {', '.join(sorted(names))}")
    for field, kinds in types.items():
        if not isinstance(record[field], kinds):  # type: ignore[arg-type]
            raise ValueError(f"{field} is {str(record[field])[:40]!r}, which the gym does not write")
    return Finding(**record)


def _union(known: Iterable[Event], more: Iterable[Event]) -> tuple[Event, ...]:
    """Return both, in order of time."""
    merged = {order(event): event for event in (*more, *known)}
    return tuple(merged[key] for key in sorted(merged))


def _no_constant(constant: str) -> Any:
    raise ValueError(constant)


# --- writing ---------------------------------------------------------------------------------------------------------


def _back_up(place: Path, version: int) -> None:
    """Copy a file of an earlier version under a free name such as film_gym.version-1.json. Raises OSError."""
    copy, n = place.with_name(f"{place.stem}.version-{version}{place.suffix}"), 1
    while os.path.lexists(copy):
        n += 1
        copy = place.with_name(f"{place.stem}.version-{version}-{n}{place.suffix}")
    write_whole(copy, place.read_bytes())


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keep other windows from writing meanwhile, or one of two answers checked at the same moment would be lost.

    A plain file that only one can create is the one lock that every system and the browser know.
    """
    start = time.monotonic()
    while True:
        try:
            lock.open("x").close()
            break
        except FileExistsError:
            if time.monotonic() - start > PATIENCE:  # no writing takes that long: a crash left it
                break
            time.sleep(0.01)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
