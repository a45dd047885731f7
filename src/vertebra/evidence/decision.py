"""For the talk about a fracture: the options in numbers that a patient can count, and words that a patient can read.

Data: `assets/evidence/decision.yml`. A count becomes a share with a 95 % interval; where the source prints none it is
Wilson's. The texts are held to `rewrites.GRADE`, the reading grade that students are held to. Not a recommendation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from vertebra import assets
from vertebra.evidence.shape import (
    DATE,
    IDS,
    NUMBER,
    OPTIONAL_TEXT,
    TEXT,
    Fact,
    citation_faults,
    frozen,
    listed,
    record,
    repeated,
    review_date,
    shape_faults,
)
from vertebra.measure.reading import wilson

FILE = "decision.yml"
REFS = listed(TEXT)
SAID = listed(record({"says": TEXT, "refs": REFS}))
NAMED = listed(record({"id": TEXT, "name": TEXT}))
COUNT = {"type": "integer", "minimum": 1}
SHARE = {"type": "number", "minimum": 0, "maximum": 100}
SCHEMA = record(
    {
        "read": DATE,
        "review_by": DATE,
        "lead": TEXT,
        "options": listed(record(dict.fromkeys(("id", "name", "short", "what", "harm"), TEXT) | {"refs": REFS}), 3),
        "stages": listed(record({"id": TEXT, "name": TEXT, "trials": IDS})),
        "sham": listed(
            record(
                {"id": TEXT, "trial": TEXT, "says": TEXT, "refs": REFS},
                {
                    "points": NUMBER,
                    "interval": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
                    "when": TEXT,
                    "direction_read": {"type": "boolean"},
                },
            )
        ),
        "sham_means": TEXT,
        "sham_open": TEXT,
        "sham_means_refs": REFS,
        "sham_open_refs": REFS,
        "outcomes": listed(
            record(
                {
                    "id": TEXT,
                    "group": {"enum": ["benefit", "harm"]},
                    "title": TEXT,
                    "who": TEXT,
                    "of": {"enum": [100, 1000]},
                    "blind": {"type": "boolean"},
                    "arms": listed(
                        record(
                            {"option": TEXT, "label": TEXT},
                            {"events": COUNT, "people": COUNT, "percent": SHARE, "low": SHARE, "high": SHARE},
                        )
                    ),
                    "plain": TEXT,
                    "refs": REFS,
                },
                {"note": OPTIONAL_TEXT},
            )
        ),
        "rare": SAID,
        "unknown": SAID,
        "always": TEXT,
        "always_refs": REFS,
        "warning": TEXT,
        "warning_refs": REFS,
        "matters": NAMED,
        "questions": listed(TEXT),
    }
)


@dataclass(frozen=True)
class Share:
    """How many of those with an `option` (called `label`) had an outcome: `value` with `low` and `high`, 0 to 1.

    `counted` says on how many people it stands, where a count was read; low and high are None without an interval.
    """

    option: str
    label: str
    value: float
    low: float | None
    high: float | None
    counted: str

    @classmethod
    def from_record(cls, arm: Mapping[str, Any]) -> "Share":
        """Build it from one arm of decision.yml: a count, or a share with or without people or an interval."""
        people = arm.get("people")
        value = arm["events"] / people if "events" in arm else arm["percent"] / 100
        low, high = (arm[end] / 100 if end in arm else None for end in ("low", "high"))
        counted = ""
        if people:
            low, high = wilson(value * people, people)
            counted = f"{arm['events']:,} of {people:,}" if "events" in arm else f"{arm['percent']} % of {people:,}"
        return cls(arm["option"], arm["label"], value, low, high, counted)

    def icons(self, of: int) -> tuple[int, int, int]:
        """Return how many of `of` people are surely meant, meant, and meant at most: low, value, high, rounded."""
        middle = round(self.value * of)
        if self.low is None or self.high is None:
            return middle, middle, middle
        return min(round(self.low * of), middle), middle, max(round(self.high * of), middle)


@dataclass(frozen=True)
class Outcome:
    """A benefit or harm that is drawn as people, `of` 100 or 1,000; `blind` if nobody knew who had cement."""

    id: str
    group: str
    title: str
    who: str
    of: int
    blind: bool
    arms: tuple[Share, ...]
    plain: str
    refs: tuple[str, ...]
    note: str | None = None


@dataclass(frozen=True)
class Option:
    """One of the three: what is done, and what harm it may do, in plain words."""

    id: str
    name: str
    short: str
    what: str
    harm: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Sham:
    """What a trial with a pretend treatment found; `points` of 10 in favour of cement, with its interval.

    `direction_read` is false where nobody has compared with the paper which arm the printed sign favours.
    """

    id: str
    trial: str
    says: str
    refs: tuple[str, ...]
    points: float | None = None
    interval: tuple[float, float] | None = None
    when: str = ""
    direction_read: bool = True


@dataclass(frozen=True)
class Said:
    """A sentence and its sources."""

    says: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Talk:
    """Everything on the page: see decision.yml. `stages` is id to name and the trials of such patients."""

    lead: str
    options: tuple[Option, ...]
    stages: Mapping[str, tuple[str, tuple[str, ...]]]
    sham: tuple[Sham, ...]
    sham_means: Said
    sham_open: Said
    outcomes: tuple[Outcome, ...]
    rare: tuple[Said, ...]
    unknown: tuple[Said, ...]
    always: Said
    warning: Said
    matters: Mapping[str, str]
    questions: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that a patient reads."""
        told = [self.lead, self.sham_means.says, self.sham_open.says, self.always.says, self.warning.says]
        told += [text for each in self.options for text in (each.what, each.harm)]
        told += [trial.says for trial in self.sham]
        told += [said.says for said in (*self.rare, *self.unknown)]
        told += [each.plain for each in self.outcomes]
        return (*told, *self.questions)


@cache
def talk() -> Talk:
    """Return the page's content."""
    data = assets.read_yaml(f"evidence/{FILE}")

    def said(name: str) -> Said:
        return Said(" ".join(data[name].split()), tuple(data[f"{name}_refs"]))

    outcomes = (
        Outcome(**frozen(each) | {"arms": tuple(Share.from_record(arm) for arm in each["arms"])})
        for each in data["outcomes"]
    )
    return Talk(
        lead=" ".join(data["lead"].split()),
        options=tuple(Option(**frozen(each)) for each in data["options"]),
        stages={each["id"]: (each["name"], tuple(each["trials"])) for each in data["stages"]},
        sham=tuple(Sham(**frozen(each)) for each in data["sham"]),
        sham_means=said("sham_means"),
        sham_open=said("sham_open"),
        outcomes=tuple(outcomes),
        rare=tuple(Said(**frozen(each)) for each in data["rare"]),
        unknown=tuple(Said(**frozen(each)) for each in data["unknown"]),
        always=said("always"),
        warning=said("warning"),
        matters={each["id"]: each["name"] for each in data["matters"]},
        questions=tuple(data["questions"]),
    )


# --- what is checked -------------------------------------------------------------------------------------------------


def faults(data: Any = None) -> list[str]:
    """Return what is wrong with decision.yml, or with the data given in its place: shape, ids, citations, balance."""
    data = data or assets.read_yaml(f"evidence/{FILE}")
    found = list(shape_faults(FILE, data, SCHEMA))
    if found:
        return found
    for group in ("options", "stages", "sham", "outcomes", "matters"):
        found += repeated(f"{FILE} {group}", data[group])
    options, trials = ({each["id"] for each in data[group]} for group in ("options", "sham"))
    for each in data["stages"]:
        found += [
            f"{FILE}: {each['id']} names the trial {x}, which is not under sham"
            for x in each["trials"]
            if x not in trials
        ]
    for each in data["outcomes"]:
        for arm in each["arms"]:
            place = f"{FILE}: {each['id']}, {arm['label']}"
            if arm["option"] not in options:
                found.append(f"{place} names the option {arm['option']}, which does not exist")
            if ("events" in arm) == ("percent" in arm) or ("events" in arm and "people" not in arm):
                found.append(f"{place} is neither a count (events and people) nor a share (percent)")
            elif "events" in arm and arm["events"] > arm["people"]:
                found.append(f"{place} counts more events than people")
    if {each["group"] for each in data["outcomes"]} != {"benefit", "harm"}:
        found.append(f"{FILE}: benefits stand without harms, or harms without benefits; give both")
    for each in (*data["options"], *data["sham"], *data["outcomes"]):
        found += citation_faults(FILE, each["id"], each["refs"])
    for group in ("rare", "unknown"):
        for number, each in enumerate(data[group]):
            found += citation_faults(FILE, f"{group}/{number}", each["refs"])
    for name in ("sham_means", "sham_open", "always", "warning"):
        found += citation_faults(FILE, name, data[f"{name}_refs"])
    return found


def facts() -> Iterator[Fact]:
    """Yield every statement of decision.yml."""
    day, page = review_date(FILE, assets.read_yaml(f"evidence/{FILE}")), talk()
    for option in page.options:
        yield Fact(FILE, option.id, f"{option.name}: {option.what} {option.harm}", option.refs, day)
    for trial in page.sham:
        yield Fact(FILE, trial.id, trial.says, trial.refs, day)
    for outcome in page.outcomes:
        counted = "; ".join(f"{arm.label} {arm.counted or f'{100 * arm.value:g} %'}" for arm in outcome.arms)
        yield Fact(FILE, outcome.id, f"{outcome.title}: {counted}. {outcome.plain}", outcome.refs, day)
    for group, each in (("rare", page.rare), ("unknown", page.unknown)):
        for number, said in enumerate(each):
            yield Fact(FILE, f"{group} {number}", said.says, said.refs, day)
    for name in ("sham_means", "sham_open", "always", "warning"):
        said = getattr(page, name)
        yield Fact(FILE, name, said.says, said.refs, day)
