"""Review that comes back: when a question that was answered, or a film that was read, is due again.

The schedule is the answers and readings replayed through FSRS (py-fsrs, with the weights it comes with, fitted to flash
cards and not to films or clinical questions), so it cannot contradict them, two open windows can be merged by uniting
theirs, and a later version may schedule otherwise without losing anything. The file that holds them: `progress`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fsrs import Card, Rating, Scheduler

from vertebra.measure.reading import Reading

ENOUGH = 2 / 3  # of the credit: below it certainty 3 loses marks (scoring.CERTAINTY_MARKS), and the question comes back

# What was missed is shown again in this sitting, and the next day when it was then right. Without fuzz the replay of
# the same events always gives the same days.
_SCHEDULER = Scheduler(
    learning_steps=(timedelta(minutes=10), timedelta(days=1)),
    relearning_steps=(timedelta(minutes=10),),
    enable_fuzzing=False,
)
_RIGHT = {1: Rating.Hard, 2: Rating.Good, 3: Rating.Easy}


@dataclass(frozen=True)
class Entry:
    """One reading of the film case with this `seed`, made `when` (UTC, to the second)."""

    seed: int
    when: datetime
    reading: Reading


@dataclass(frozen=True)
class Attempt:
    """One checked answer to the practice question `item` of this `version`, given `when` (UTC, to the second).

    version: "" when it is not known. fraction: the share of credit, 0 to 1, that it earned then. certainty: 1, 2 or 3.
    """

    item: str
    version: str
    when: datetime
    answer: Any
    fraction: float
    certainty: int


Event = Entry | Attempt


def now() -> datetime:
    """Return the present time in UTC to the second, as an event holds it."""
    return datetime.now(UTC).replace(microsecond=0)


def name(event: Event) -> str | int:
    """Return what the event is about: the id of a question or the seed of a film case."""
    return event.item if isinstance(event, Attempt) else event.seed


def order(event: Event) -> tuple[datetime, str]:
    """Return the key of the events' order in time. One thing is met once a second at most, so it names an event."""
    return event.when, str(name(event))


def rating(event: Event) -> Rating:
    """Return the FSRS rating of an event: Again if it was wrong, however certain the student was.

    What is right is Hard as a guess, Good when fairly sure, Easy when certain. What is right in part is never better
    than Hard, as there is more to learn from it: an answer that earns two thirds of the credit or more, a fracture at
    its level whose type is wrong or whose grade is off.
    """
    if isinstance(event, Attempt):
        enough, exact, certainty = event.fraction >= ENOUGH, event.fraction == 1, event.certainty
    else:
        said, truth = event.reading.said, event.reading.truth
        enough, certainty = event.reading.right, event.reading.certainty
        exact = (said.kind, said.grade) == (truth.kind, truth.grade)
    if not enough:
        return Rating.Again
    return _RIGHT[certainty] if exact else Rating.Hard


def schedule(events: Iterable[Event]) -> dict[str | int, Card]:
    """Replay the events, in order of time, into one FSRS card a question and film; `card.due` says when it returns."""
    cards: dict[str | int, Card] = {}
    for event in sorted(events, key=order):
        card = cards.get(name(event)) or Card(card_id=0, due=event.when)  # the id is ours to keep, in `cards`
        cards[name(event)], _ = _SCHEDULER.review_card(card, rating(event), event.when)
    return cards


def due(events: Iterable[Event], at: datetime) -> list[str | int]:
    """Return the questions and films due at this time, the longest overdue first."""
    cards = schedule(events)
    waiting = [thing for thing, card in cards.items() if card.due <= at]
    return sorted(waiting, key=lambda thing: (cards[thing].due, str(thing)))


def retrievability(card: Card, at: datetime) -> float:
    """Return the chance, 0 to 1, that FSRS gives the student to know it at this time."""
    return float(_SCHEDULER.get_card_retrievability(card, at))


def first_readings(entries: Iterable[Entry]) -> list[Reading]:
    """Return the first reading of each film in order of time: a film that returns is practice and no test."""
    first: dict[int, Reading] = {}
    for entry in sorted(entries, key=order):
        first.setdefault(entry.seed, entry.reading)
    return list(first.values())
