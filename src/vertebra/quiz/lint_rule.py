"""What a rule of the linter is, and how it sees a question: what asks, of which options, and all that is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar

from vertebra.quiz.items import Bank, Item, Option
from vertebra.quiz.lint_text import sentences
from vertebra.quiz.schema import Path


@dataclass(frozen=True)
class Flaw:
    """What a rule finds: the path of the faulty part within its question, what is wrong there, and the mend.

    level: "error" or "warning" where it is not the rule's own.
    """

    path: Path
    what: str
    mend: str
    level: str = ""


@dataclass(frozen=True)
class Course:
    """All that is linted at once: the banks, the day it is done, and whether these are all banks of the course."""

    banks: Sequence[Bank]
    on: date
    whole: bool = False

    def items(self, use: str = "") -> Iterator[tuple[Bank, Item]]:
        """Yield each question with its bank; of the banks for this use only, if one is named."""
        for bank in self.banks:
            for item in bank.items if use in ("", bank.use) else ():
                yield bank, item


Placed = tuple[Bank, Item | None, Flaw]  # the bank, the question unless it is the bank's own flaw, the flaw
Found = Iterator[Flaw]
FoundInCourse = Iterator[Placed]
OfItem = Callable[[Item], Iterable[Flaw]]
OfCourse = Callable[[Course], Iterable[Placed]]
Test = TypeVar("Test", OfItem, OfCourse)


@dataclass(frozen=True)
class Rule:
    """One rule: its id, "error" or "warning", what it asks, why, and how it is tested.

    of_item: in one question. of_sound: in one that reading does not refuse, as it is scored or handed out for the
    test. of_course: over all banks.
    """

    id: str
    level: str
    title: str
    why: str
    of_item: tuple[OfItem, ...] = ()
    of_sound: tuple[OfItem, ...] = ()
    of_course: tuple[OfCourse, ...] = ()


_RULES: dict[str, Rule] = {}
RULES: Mapping[str, Rule] = MappingProxyType(_RULES)


def declare(*rules: tuple[str, str, str, str]) -> None:
    """Declare rules as (id, level, title, why)."""
    _RULES.update({rule[0]: Rule(*rule) for rule in rules})


def _register(field: str, name: str) -> Callable[[Test], Test]:
    def register(test: Test) -> Test:
        tests: Any = {field: (*getattr(_RULES[name], field), test)}
        _RULES[name] = replace(_RULES[name], **tests)
        return test

    return register


def of_item(name: str) -> Callable[[OfItem], OfItem]:
    """Make a function of one question a test of this rule."""
    return _register("of_item", name)


def of_sound(name: str) -> Callable[[OfItem], OfItem]:
    """Make a function of one question that reading does not refuse a test of this rule."""
    return _register("of_sound", name)


def of_course(name: str) -> Callable[[OfCourse], OfCourse]:
    """Make a function of all banks a test of this rule."""
    return _register("of_course", name)


declare(
    ("L01", "error", "the record is whole and read in time", "A question nobody answers for cannot be trusted"),
    ("L02", "error", "objective, level, tier and claims exist", "A question must test something the course teaches"),
    ("L03", "error", "one key, and it is not named", "A key that can be read, or that is two, measures nothing"),
    ("L04", "error", "no all, none or both of the above", "Knowing two options then gives the rest away"),
    (
        "L05",
        "error",
        "the stem is a closed question",
        "An open stem makes each option a true-false question of its own",
    ),
    ("L06", "error", "no negative lead-in", "Students who know the answer overlook the not"),
    (
        "L07",
        "warning",
        "the lead-in says what is asked for",
        "A good question can be answered with the options covered",
    ),
    ("L08", "error", "an applied question has a patient", "Applying is tested on a patient, not on a sentence"),
    ("L09", "warning", "the key is not longer than the rest", "Whoever knows nothing chooses the longest option"),
    ("L10", "error", "the options are of one kind", "An odd option is thrown out, or chosen, without knowing anything"),
    ("L11", "warning", "options in order, or shuffled", "A hidden order costs time and may point at the key"),
    ("L12", "error", "the key is in every place alike", "Whoever knows nothing chooses the place that wins most often"),
    ("L13", "warning", "no absolute word in wrong options only", "Absolute statements are known to be wrong"),
    ("L14", "warning", "no vague frequency", "Often means 30 % to one reader and 80 % to another"),
    ("L15", "warning", "no word of the stem in the key alone", "The echo of the stem gives the key away"),
    (
        "L16",
        "warning",
        "the key does not share the most",
        "The option that has most in common with the others is the key",
    ),
    ("L17", "warning", "grammar does not point at the key", "An option that does not fit the stem is thrown out"),
    (
        "L18",
        "warning",
        "no lone pair of opposites with the key",
        "Of two opposites one must hold, so the rest falls away",
    ),
    ("L19", "error", "ranges do not overlap", "A number in two options makes two of them right"),
    ("L20", "error", "each option has its rationale", "The explanation teaches, the mark does not"),
    ("L21", "error", "each question has its source", "What cannot be looked up cannot be trusted or corrected"),
    ("L22", "warning", "plain text", "The question tests medicine, not reading"),
    ("L23", "warning", "no near duplicate", "Asking the same again measures memory of the question"),
    ("L24", "error", "a question stands alone", "A question is drawn and shuffled, and its neighbour may be missing"),
    ("L25", "error", "code finds the key anew", "Sums by hand go wrong"),
    (
        "L26",
        "error",
        "a picture has words, licence and origin",
        "Without them it excludes, is copied or shows a person",
    ),
    (
        "L27",
        "warning",
        "usual units and generic names",
        "Units and names differ between countries, and brands advertise",
    ),
    ("L28", "warning", "who the patient is matters", "What is told of a person must change what is done"),
    ("L29", "warning", "no word that shames", "Students learn to speak of patients as they read"),
    ("L30", "error", "safety keys are read by two clinicians", "A wrong key here teaches harm"),
    ("L31", "error", "the key is not in what students get", "Keys that can be found are found"),
    ("L32", "error", "each objective has its questions", "Few questions do not tell a master from a guesser"),
)


# --- A question as the linter sees it ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """One choice: the words that ask and where they are, the options and where they are."""

    path: Path
    text: str
    place: Path
    options: tuple[Option, ...]

    @property
    def keys(self) -> tuple[Option, ...]:
        """Return the right options."""
        return tuple(option for option in self.options if option.key)

    @property
    def rest(self) -> tuple[Option, ...]:
        """Return the wrong options."""
        return tuple(option for option in self.options if not option.key)

    @property
    def key(self) -> Option | None:
        """Return the right option if there is exactly one, and something else to choose."""
        return self.keys[0] if len(self.keys) == 1 < len(self.options) else None

    def at(self, option: Option) -> Path:
        """Return where an option's text is."""
        return (*self.place, self.options.index(option), "text")


def asks(item: Item) -> list[Ask]:
    """Return the choices of a question: one, or in key features one for each decision; none where nothing is chosen."""
    if item.decisions:
        return [
            Ask(("decisions", i, "text"), decision.text, ("decisions", i, "options"), decision.options)
            for i, decision in enumerate(item.decisions)
        ]
    chosen = item.format in ("single_best_answer", "multiple_response")
    return [Ask(("stem",), item.stem, ("options",), item.options)] if chosen else []


def lists(item: Item) -> list[Ask]:
    """Return the same, and the shared list of a matching question, which has no key of its own."""
    shared = item.format == "matching"
    return [Ask(("stem",), item.stem, ("options",), item.options)] if shared else asks(item)


def lead_ins(item: Item) -> Iterator[tuple[Path, str]]:
    """Yield (path, text) of each text that asks."""
    yield ("stem",), item.stem
    for i, decision in enumerate(item.decisions):
        yield ("decisions", i, "text"), decision.text


def offered(item: Item) -> Iterator[tuple[Path, str]]:
    """Yield (path, text) of all that can be chosen, put in order or matched."""
    for group in ("options", "steps", "prompts", "regions"):
        for i, part in enumerate(getattr(item, group)):
            yield (group, i, "text"), part.text
    for i, decision in enumerate(item.decisions):
        for j, option in enumerate(decision.options):
            yield ("decisions", i, "options", j, "text"), option.text


def seen(item: Item) -> Iterator[tuple[Path, str]]:
    """Yield (path, text) of all that a student reads before answering."""
    if item.vignette:
        yield ("vignette",), item.vignette
    yield from lead_ins(item)
    yield from offered(item)
    for i, band in enumerate(item.bands):
        yield ("bands", i, "text"), band.text
    if item.image:
        yield ("image", "alt"), item.image.alt


def explained(item: Item) -> Iterator[tuple[Path, str]]:
    """Yield (path, text) of each rationale."""
    if item.rationale:
        yield ("rationale",), item.rationale
    for group in ("options", "steps", "prompts", "regions", "bands", "slips"):
        for i, part in enumerate(getattr(item, group)):
            if getattr(part, "rationale", ""):
                yield (group, i, "rationale"), part.rationale
    for i, decision in enumerate(item.decisions):
        for j, option in enumerate(decision.options):
            yield ("decisions", i, "options", j, "rationale"), option.rationale


def question(text: str) -> str:
    """Return the sentence that asks: the last one of a stem."""
    return (sentences(text) or [""])[-1]


def quoted(text: str, most: int = 60) -> str:
    """Return a text in quotes, cut where it is long."""
    return f'"{text}"' if len(text) <= most else f'"{text[: most - 1].rstrip()}…"'
