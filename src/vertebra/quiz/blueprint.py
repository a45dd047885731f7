"""The blueprint of the practice banks: how many questions each objective has, in which formats, at which Bloom levels.

The objectives stand in `assets/objectives.yml`. A question counts for each objective that it names. What the course
wants of its banks is written below as numbers; `gaps` says where it falls short, each with its mend.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import ClassVar

from vertebra import assets
from vertebra.quiz import schema
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.items import APPLIED, Bank, BankError, Item, Source

FILE = "objectives.yml"
LEAST = {"must": 5, "should": 3, "nice": 1}  # questions for an objective, by its tier
EXTENDED = 8  # a matching question with so many options is extended matching
FORMATS = {
    "single_best_answer": "SBA",
    "multiple_response": "MR",
    "numeric": "Num",
    "ordering": "Ord",
    "matching": "Mat",
    "extended_matching": "EM",
    "key_feature": "KF",
    "hotspot": "Hot",
    "needle_path": "Ndl",
    "stop_decision": "Stop",
}  # what a question is counted as, and its short name
LEVELS = {
    "remember": "Rem",
    "understand": "Und",
    "apply": "App",
    "analyse": "Ana",
    "evaluate": "Eva",
    "create": "Cre",
}


# --- Objectives -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Objective:
    """What a student should be able to do; lesson is the notebook that teaches it first."""

    id: str
    tier: str
    bloom: str
    lesson: str
    text: str

    @property
    def least(self) -> int:
        """Return how many questions it needs."""
        return LEAST[self.tier]

    @property
    def needs_patient(self) -> bool:
        """Say whether one of its questions must be about a patient: its verb asks for more than knowing."""
        return self.bloom in APPLIED


class ObjectivesSource(Source):
    """The text of the objectives' file."""

    whole: ClassVar[str] = "list of objectives"
    group: ClassVar[str] = "objectives"
    rules: ClassVar[schema.Schema] = schema.record(
        {
            "objectives": schema.listed(
                schema.record(
                    {
                        "id": schema.text("a number of the syllabus such as O3.1", r"^O[0-9]+\.[0-9]+$"),
                        "tier": schema.COMMON["tier"],
                        "bloom": schema.COMMON["bloom"],
                        "lesson": schema.BANK["properties"]["lesson"],
                        "text": schema.text("what the student should be able to do, beginning with a verb"),
                    }
                ),
                1,
                "the objectives in the course's order",
            )
        }
    )


def parse_objectives(text: str, name: str = FILE) -> tuple[Objective, ...]:
    """Read the text of an objectives' file; `name` is what the faults call it. Raises BankError with all faults."""
    source = ObjectivesSource(text, name)
    source.check_structure()
    first: dict[str, int] = {}
    found = []
    listed = source.data.get("objectives") if isinstance(source.data, dict) else None
    for i, raw in enumerate(listed if isinstance(listed, list) else ()):
        if not source.is_faulty(("objectives", i)):
            found.append(Objective(**raw))
            line = source.line(("objectives", i))
            if first.setdefault(raw["id"], line) != line:
                what = f"the objective in line {first[raw['id']]} has this id too; change one of them"
                source.add(("objectives", i), what)
    if source.faults:
        raise BankError(sorted(source.faults))
    return tuple(found)


@cache
def objectives() -> Mapping[str, Objective]:
    """Return the course's objectives by id, in course order. Raises AssetError, or BankError with all faults."""
    found = parse_objectives(assets.read_text(FILE), str(assets.path(FILE)))
    return MappingProxyType({objective.id: objective for objective in found})


# --- Counting ---------------------------------------------------------------------------------------------------------


def counted_as(item: Item) -> str:
    """Return what the question counts as: its format, or extended matching."""
    return "extended_matching" if item.format == "matching" and len(item.options) >= EXTENDED else item.format


def about_patient(item: Item) -> bool:
    """Say whether the question is asked about a patient."""
    return bool(item.vignette) or item.format == "key_feature"


@dataclass(frozen=True)
class Row:
    """An objective, how many questions it has by (format, level), and how many of them are about a patient."""

    objective: Objective
    cells: Mapping[tuple[str, str], int]
    patients: int

    @property
    def have(self) -> int:
        """Return how many questions it has."""
        return sum(self.cells.values())

    def of_format(self, name: str) -> int:
        """Return how many of its questions count as this format."""
        return sum(n for (form, _), n in self.cells.items() if form == name)

    def of_level(self, name: str) -> int:
        """Return how many of its questions are of this Bloom level."""
        return sum(n for (_, level), n in self.cells.items() if level == name)


def rows(banks: Iterable[Bank] | None = None, wanted: Mapping[str, Objective] | None = None) -> tuple[Row, ...]:
    """Count the questions of the banks, by default the course's practice banks, for each objective."""
    items = _items(banks)
    found = []
    for objective in (objectives() if wanted is None else wanted).values():
        about = [item for item in items if objective.id in item.objectives]
        cells = Counter((counted_as(item), item.bloom) for item in about)
        found.append(Row(objective, MappingProxyType(cells), sum(map(about_patient, about))))
    return tuple(found)


def _items(banks: Iterable[Bank] | None) -> list[Item]:
    return [item for bank in (practice_banks() if banks is None else banks) for item in bank.items]


# --- Gaps -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gap:
    """Where the banks fall short of the blueprint; place is an objective's id, a lesson, a question or "course"."""

    place: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.mend}"


@dataclass(frozen=True)
class Minimum:
    """How many questions of a kind the course wants."""

    kind: str
    least: int
    counts: Callable[[Item], bool]


MINIMA = (
    Minimum("questions", 240, lambda item: True),
    Minimum("questions with an image", 60, lambda item: item.image is not None),
    Minimum("ordering questions", 20, lambda item: item.format == "ordering"),
    Minimum("extended matching questions", 20, lambda item: counted_as(item) == "extended_matching"),
    Minimum("numeric questions", 20, lambda item: item.format == "numeric"),
    Minimum("key-feature cases", 12, lambda item: item.format == "key_feature"),
)
CHOICES = (3, 4)  # options of a single best answer: a third or fourth distractor is hardly ever chosen
LESSON_QUESTIONS, LESSON_FORMATS = 12, 3


def gaps(banks: Iterable[Bank] | None = None, wanted: Mapping[str, Objective] | None = None) -> tuple[Gap, ...]:
    """Return where the banks, by default the course's practice banks, fall short: objectives, lessons, the course."""
    chosen = practice_banks() if banks is None else tuple(banks)
    return (*objective_gaps(chosen, wanted), *_lesson_gaps(chosen, wanted), *_course_gaps(chosen))


def objective_gaps(
    banks: Iterable[Bank] | None = None, wanted: Mapping[str, Objective] | None = None
) -> tuple[Gap, ...]:
    """Return which objectives have too few questions, or none about a patient though their verb asks for one."""
    found = []
    for row in rows(banks, wanted):
        objective = row.objective
        if row.have < objective.least:
            what = f"{_n(row.have, 'question')} of the {objective.least} that a {objective.tier} objective needs"
            found.append(Gap(objective.id, what, f"write {objective.least - row.have} more on: {objective.text}"))
        if objective.needs_patient and not row.patients:
            what = f"no question is about a patient, and its level is {objective.bloom}"
            found.append(Gap(objective.id, what, "give one of its questions a vignette, or write a key-feature case"))
    return tuple(found)


def _lesson_gaps(banks: Sequence[Bank], wanted: Mapping[str, Objective] | None) -> list[Gap]:
    taught = {objective.lesson for objective in (objectives() if wanted is None else wanted).values()}
    found = []
    for lesson in sorted(taught | {bank.lesson for bank in banks}):
        items = [item for bank in banks if bank.lesson == lesson for item in bank.items]
        formats = {counted_as(item) for item in items}
        if len(items) < LESSON_QUESTIONS:
            what = f"{_n(len(items), 'question')} of the {LESSON_QUESTIONS} that a lesson needs"
            found.append(Gap(lesson, what, f"write {LESSON_QUESTIONS - len(items)} more in its bank"))
        if len(formats) < LESSON_FORMATS:
            what = f"{_n(len(formats), 'format')} of the {LESSON_FORMATS} that a lesson needs"
            unused = ", ".join(name for name in ("ordering", "numeric", "matching") if name not in formats)
            found.append(Gap(lesson, what, f"ask some of it in another format, such as {unused}"))
    return found


def _course_gaps(banks: Sequence[Bank]) -> list[Gap]:
    items = _items(banks)
    found = []
    for minimum in MINIMA:
        have = sum(map(minimum.counts, items))
        if have < minimum.least:
            what = f"{have} of {minimum.least} {minimum.kind}"
            found.append(Gap("course", what, f"write {minimum.least - have} more"))
    for item in items:
        if item.format == "single_best_answer" and len(item.options) not in CHOICES:
            fewer = len(item.options) < CHOICES[0]
            mend = "write another wrong one" if fewer else "remove the wrong ones that nobody would choose"
            found.append(Gap(item.id, f"has {len(item.options)} options, must have 3 or 4", mend))
    return found


def _n(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
