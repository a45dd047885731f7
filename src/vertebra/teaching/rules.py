"""The rules of a quiz: when it is open, how often one may hand in, what lateness costs, when feedback is given."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

from vertebra.quiz.scoring import is_number
from vertebra.quiz.static import counted

DAY = timedelta(days=1)
MOST_ATTEMPTS = 100
MOST_DAYS = 366
LATE = "accept, refuse, or {percent_per_day: 10, most_days: 5}"
COUNTS = ("last", "best")
FEEDBACK = ("never", "after_due", "at_once")
# 2026-12-11 23:59 Europe/Berlin, 2026-12-11T23:59+01:00, 2026-12-11T22:59Z, 2026-12-11T23:59+01:00[Europe/Berlin]
_MOMENT = re.compile(
    r"(?P<local>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?)\s*"
    r"(?P<offset>Z|[+-]\d\d:\d\d)?\s*(\[?(?P<zone>[A-Za-z][A-Za-z0-9_+/-]*)\]?)?"
)


class Lateness(NamedTuple):
    """Days late, counted as begun (0: in time), and the factor of the points, 0 to 1; None refuses the hand-in."""

    days: int
    factor: float | None


@dataclass(frozen=True)
class Late:
    """What happens to a late hand-in: accepted in full, refused, or so many percent off for each day begun.

    most_days: refused when it is more days late than this; None sets no end.
    """

    rule: Literal["accept", "refuse", "percent"] = "accept"
    percent_per_day: float = 0.0
    most_days: int | None = None

    def factor(self, days: int) -> float | None:
        """Return what the points of a hand-in so many days late are multiplied with, None if it is refused."""
        if days == 0 or self.rule == "accept":
            return 1.0
        if self.rule == "refuse" or (self.most_days is not None and days > self.most_days):
            return None
        return max(0.0, 1 - self.percent_per_day * days / 100)

    @classmethod
    def of(cls, value: Any) -> "Late":
        """Return the rule that an assignment or a key file writes down; raises ValueError for anything else."""
        match value:
            case "accept" | "refuse":
                return cls(value)
            case {"percent_per_day": percent, **rest} if is_number(percent) and 0 < percent <= 100:
                most: Any = rest.pop("most_days", None)
                if not rest and (most is None or _is_count(most, MOST_DAYS)):
                    return cls("percent", percent, most)
        raise ValueError(f"must be {LATE}, the percent above 0 and at most 100, the days 1 to {MOST_DAYS}")

    def record(self) -> Any:
        """Return the rule as `of` reads it."""
        if self.rule != "percent":
            return self.rule
        return {"percent_per_day": self.percent_per_day} | ({"most_days": self.most_days} if self.most_days else {})

    def in_words(self) -> str:
        """Return the rule as a sentence to students."""
        if self.rule == "accept":
            return "Later hand-ins count in full."
        if self.rule == "refuse":
            return "Later hand-ins do not count."
        costs = f"Each day begun after that costs {self.percent_per_day:g} % of the points earned"
        if self.most_days is None:
            return f"{costs}."
        return f"{costs}; after {counted(self.most_days, 'day')} a hand-in no longer counts."


@dataclass(frozen=True)
class Rules:
    """The rules of a quiz; opens and due know their zone. pass_mark: percent of the points, None when there is none.

    counts: which of several attempts counts. feedback "at_once": pages may be given out as soon as they are made.
    """

    opens: datetime | None = None
    due: datetime | None = None
    late: Late = field(default_factory=Late)
    attempts: int = 1
    counts: Literal["last", "best"] = "last"
    feedback: Literal["never", "after_due", "at_once"] = "at_once"
    pass_mark: float | None = None

    def lateness(self, handed_in: datetime) -> Lateness:
        """Return how late a hand-in is, and what that costs.

        A day is 24 hours and counts once it has begun. The minute of the due time is still in time, because hand-ins
        state no seconds. Raises ValueError for a time that states no zone.
        """
        if handed_in.tzinfo is None:
            raise ValueError(f"the time {handed_in} states no zone")
        over = handed_in - self.due if self.due else timedelta(0)
        days = math.ceil(over / DAY) if over >= timedelta(minutes=1) else 0
        return Lateness(days, self.late.factor(days))

    def is_early(self, handed_in: datetime) -> bool:
        """Say whether a hand-in was saved before the quiz opened. Raises ValueError for a time without a zone."""
        if handed_in.tzinfo is None:
            raise ValueError(f"the time {handed_in} states no zone")
        return self.opens is not None and handed_in < self.opens

    def in_words(self) -> tuple[str, ...]:
        """Return the rules as sentences to students."""
        said = [f"Opens {spoken(self.opens)}."] if self.opens else []
        said += [f"Due {spoken(self.due)}. {self.late.in_words()}"] if self.due else []
        if self.attempts == 1:
            said.append("You may hand in once.")
        else:
            which = {"last": "the last one counts", "best": "the one with the most points counts"}[self.counts]
            said.append(f"You may hand in up to {self.attempts} times; {which}.")
        said += [f"You pass with {self.pass_mark:g} % of the points."] if self.pass_mark is not None else []
        told = {
            "never": "You get your marks without the answers.",
            "after_due": "You get your answers back with explanations after the due time.",
            "at_once": "You get your answers back with explanations once they are marked.",
        }
        return (*said, told[self.feedback])

    def record(self) -> dict[str, Any]:
        """Return the rules as a key file holds them."""
        return {
            "opens": self.opens and written(self.opens),
            "due": self.due and written(self.due),
            "late": self.late.record(),
            "attempts": self.attempts,
            "counts": self.counts,
            "feedback": self.feedback,
            "pass_mark": self.pass_mark,
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Rules":
        """Return the rules of a record, whole or in part; raises ValueError that names the field, and the mend."""
        read = {}
        for name, value in record.items():
            if name not in READERS:
                raise ValueError(f"{name}: there is no such rule; the rules are: {', '.join(READERS)}")
            try:
                read[name] = READERS[name](value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cls(**read)


def moment(value: Any) -> datetime:
    """Return a point in time with its zone, as 2026-12-11 23:59 Europe/Berlin or 2026-12-11T22:59Z state it.

    Raises ValueError, with the mend, for what is no time, for a time without a zone, and for a local time that the
    zone skips or has twice, when the clocks change.
    """
    if isinstance(value, datetime):  # YAML reads a whole time stamp as one
        value = value.isoformat(timespec="seconds")
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{_shown(value)} is no time with a zone; write it as 2026-12-11 23:59 Europe/Berlin")
    try:
        local = datetime.fromisoformat(found["local"])
    except ValueError:
        raise ValueError(f"{found['local']} is no day and time of the calendar; correct it") from None
    if found["offset"] and found["zone"]:
        exact = local.replace(tzinfo=_offset(found["offset"]))
        try:
            there = exact.astimezone(_zone(found["zone"]))
        except ValueError:  # a computer without this zone can still tell the moment
            return exact
        if there.replace(tzinfo=None) != local:
            raise ValueError(f"{found['zone']} is not at {found['offset']} then; leave the offset out")
        return there
    if found["offset"]:
        return local.replace(tzinfo=_offset(found["offset"]))
    if not found["zone"]:
        what = f"{value} states no zone, and its students may live in several"
        raise ValueError(f"{what}; write {found['local']} Europe/Berlin, or another zone, or an offset such as +01:00")
    return _local(local, found["zone"])


def _local(local: datetime, name: str) -> datetime:
    zone = _zone(name)
    first, second = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        # Where clocks go forward, neither reading comes back from UTC as the same local time.
        there = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
        what = "comes twice" if there else "does not exist"
        raise ValueError(f"{local} {what} in {name}, where the clocks change; choose another time")
    return first


def _zone(name: str) -> tzinfo:
    if name in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: Europe is a folder of zones
        what = f"there is no zone {name}"
        raise ValueError(f"{what}; write one such as Europe/Berlin, or an offset such as +01:00") from None


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    try:
        return cast("tzinfo", datetime.fromisoformat(f"2000-01-01T00:00{text}").tzinfo)
    except ValueError:
        raise ValueError(f"{text} is no offset from UTC; write one such as +01:00") from None


def written(when: datetime) -> str:
    """Return a moment as `moment` reads it back, with offset and zone: 2026-12-11T23:59:00+01:00[Europe/Berlin]."""
    return when.isoformat() + (f"[{when.tzinfo.key}]" if isinstance(when.tzinfo, ZoneInfo) else "")


def spoken(when: datetime) -> str:
    """Return a moment in its own zone as a student reads it: Friday 11 December 2026, 23:59 (Europe/Berlin)."""
    zone = when.tzinfo.key if isinstance(when.tzinfo, ZoneInfo) else str(when.tzinfo)
    clock = when.strftime("%H:%M:%S" if when.second else "%H:%M")
    return f"{when:%A} {when.day} {when:%B} {when.year}, {clock} ({zone})"


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float) else str(value)


def _is_count(value: Any, most: int) -> bool:
    return type(value) is int and 1 <= value <= most


def _attempts(value: Any) -> int:
    if not _is_count(value, MOST_ATTEMPTS):
        raise ValueError(f"is {_shown(value)}, must be a whole number, 1 to {MOST_ATTEMPTS}; correct it")
    return int(value)


def _pass_mark(value: Any) -> float | None:
    if value is not None and not (is_number(value) and 0 < value <= 100):
        raise ValueError(f"is {_shown(value)}, must be a percentage above 0 and at most 100; correct it")
    return cast("float | None", value)


def _one_of(*names: str) -> Any:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"is {_shown(value)}, must be {', '.join(names[:-1])} or {names[-1]}; correct it")
        return cast("str", value)

    return read


def _late(value: Any) -> Late:
    try:
        return Late.of(value)
    except ValueError as error:
        raise ValueError(f"is {_shown(value)}, {error}; correct it") from None


READERS: Mapping[str, Any] = {
    "opens": lambda value: None if value is None else moment(value),
    "due": lambda value: None if value is None else moment(value),
    "late": _late,
    "attempts": _attempts,
    "counts": _one_of(*COUNTS),
    "feedback": _one_of(*FEEDBACK),
    "pass_mark": _pass_mark,
}
