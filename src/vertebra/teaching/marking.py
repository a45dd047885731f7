"""Marking: a key and a student's responses give marks. Pure arithmetic on data; nothing is read, written or run."""

import marshal
import math
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from vertebra.quiz.responses import Responses
from vertebra.quiz.scoring import CERTAINTY_MARKS, certainty_mark, score
from vertebra.teaching.key import Key, Question

# The share of the certainty marks that counts. Moodle's certainty-based marking uses the same rule and the same 0.1,
# which its authors took from the results of many quizzes.
BONUS_FACTOR = 0.1


@dataclass(frozen=True)
class Mark:
    """What one answer earned: fraction 0 to 1, points 0 to the question's; note says why an answer was not read.

    certainty_mark is weighted with the question's points: at most 3, at least -6 times these.
    """

    question: Question
    answer: Any
    certainty: int | None
    fraction: float
    points: float
    certainty_mark: float
    note: str = ""


@dataclass(frozen=True)
class Marked:
    """One student's marks, in the order of the quiz.

    late_days: days late that had begun; factor: what lateness leaves of the points, 0 to 1.
    """

    student: str
    saved: str
    marks: tuple[Mark, ...]
    notes: tuple[str, ...]
    late_days: int = 0
    factor: float = 1.0

    @cached_property
    def earned(self) -> float:
        """The points earned by the answers, whenever they came."""
        return math.fsum(mark.points for mark in self.marks)

    @property
    def total(self) -> float:
        """The points that count: those earned, less what lateness costs."""
        return self.earned * self.factor

    @cached_property
    def maximum(self) -> float:
        """The points that could be earned."""
        return math.fsum(mark.question.points for mark in self.marks)

    @property
    def percent(self) -> float:
        """The points that count, in percent of the maximum."""
        return 100 * self.total / self.maximum

    @cached_property
    def certainty_marks(self) -> float:
        """The certainty marks, each weighted with its question's points: from -6 to 3 times the maximum."""
        return math.fsum(mark.certainty_mark for mark in self.marks)

    @property
    def certainty_bonus(self) -> float:
        """Percentage points for knowing how sure to be; negative when wrong answers were given with certainty."""
        return 100 * bonus(self.earned / self.maximum, self.certainty_marks / self.maximum)

    @property
    def percent_plus_bonus(self) -> float:
        """The result plus certainty bonus, in percent, kept within 0 to 100."""
        return min(max(self.percent + self.certainty_bonus, 0.0), 100.0)


def bonus(accuracy: float, mean_mark: float) -> float:
    """Return the certainty bonus as a share, for an accuracy of 0 to 1 and the mean certainty mark.

    It is 0 for whoever uses one certainty throughout, and the best one for that accuracy.
    """
    best = max(accuracy * gain + (1 - accuracy) * penalty for gain, penalty in CERTAINTY_MARKS.values())
    return BONUS_FACTOR * (mean_mark - best)


class Marker:
    """Marks one hand-in after the other; an answer that was given before is not marked again.

    It remembers `most` answers at a time, so that its memory does not grow with the class.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._known: dict[tuple[str, str, bytes], Mark] = {}

    def mark(self, key: Key, responses: Responses) -> Marked:
        """Return what `mark` returns."""
        return _marked(key, responses, self._mark)

    def _mark(self, key: Key, question: Question, response: Any) -> Mark:
        # Version 2 of marshal writes the same bytes for the same value of the same types, and for no other.
        place = (key.build, question.id, marshal.dumps(response, 2))
        known = self._known.get(place)
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[place] = _mark(key, question, response)
        return known


def mark(key: Key, responses: Responses) -> Marked:
    """Mark the responses to a quiz, which must be to the key's own build.

    An answer that its question cannot take earns 0, with a note; the others count. An open question earns 0. With
    certainty marking an answer without a certainty counts as certainty 1, the one that costs nothing when wrong.
    """
    return _marked(key, responses, _mark)


def _marked(key: Key, responses: Responses, one: Callable[[Key, Question, Any], Mark]) -> Marked:
    given = responses.answers.get
    marks = tuple([one(key, question, given(question.id)) for question in key.items])
    notes = [f"{mark.question.bank_id}: {mark.note}" for mark in marks if mark.note]
    foreign = responses.answers.keys() - {question.id for question in key.items} - {*key.dropped}
    if foreign:
        named = ", ".join(reprlib.repr(name) for name in sorted(foreign)[:3])
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        notes.append(f"not a question of this quiz, passed over: {named}{more}")
    return Marked(responses.student, responses.saved, marks, tuple(notes))


def _mark(key: Key, question: Question, response: Any) -> Mark:
    response = {} if response is None else response
    if not isinstance(response, Mapping):
        return _nothing(question, response, "the response is not an answer with a certainty")
    answer, certainty = response.get("answer"), response.get("certainty")
    if answer is None:
        return Mark(question, None, None, 0.0, 0.0, 0.0)
    if certainty is not None and (type(certainty) is not int or certainty not in CERTAINTY_MARKS):
        return _nothing(question, answer, f"the certainty is {reprlib.repr(certainty)}, not 1, 2 or 3")
    try:
        fraction = min(max(score(question.key, answer), 0.0), 1.0)
    except ValueError as error:
        return _nothing(question, answer, str(error))
    sure = certainty_mark(fraction, certainty or 1) * question.points if key.certainty else 0.0
    return Mark(question, answer, certainty, fraction, fraction * question.points, sure)


def _nothing(question: Question, answer: Any, why: str) -> Mark:
    return Mark(question, answer, None, 0.0, 0.0, 0.0, f"the answer cannot be read and earns 0 ({why})")


def in_points(value: float) -> str:
    """Return "1 point", "2.5 points"."""
    return f"{number(value)} {'point' if value == 1 else 'points'}"


@lru_cache(10_000)  # a class earns the same few marks again and again
def number(value: float) -> str:
    """Return a mark as text: at most four decimals, no trailing zeros, no minus before zero."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
