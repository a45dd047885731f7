"""Unfolding cases: what a case is, how it runs, and how it is scored.

A case is scenes; each ends in a decision or ends the case. A run is the list of what was chosen at each decision, and
nothing else: `replay` turns it into a `State`, the same one every time. `case_files` reads cases from YAML and checks
them. Time is in whole minutes from the beginning of the case.

How time passes. The options chosen at one decision are ordered at once: each is done when its own time is over, and the
scene goes on when the longest is done. At a decision that is `in_turn` one person does them one after another, in the
order in which they are listed, and their times add up. A scene that lies `later` lets that time pass first, and one
`at` a time of day begins when the clock shows it next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Facts = frozenset[str]
DAY = 24 * 60


# --- What a case is ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class When:
    """A condition on what was done so far: all of `done` and none of `lacks`."""

    done: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def holds(self, facts: Facts) -> bool:
        """Say whether the condition holds."""
        return facts.issuperset(self.done) and facts.isdisjoint(self.lacks)


@dataclass(frozen=True)
class Note:
    """A statement that is shown if its condition holds, with its sources (reference ids or `unreferenced`)."""

    text: str
    when: When = When()
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What was found in the patient."""

    name: str
    value: str
    when: When = When()


@dataclass(frozen=True)
class Film:
    """A lateral film of the model's spine about `level`; shapes: (level, fields of `spine.shape.Shape`)."""

    level: str
    shapes: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    seed: int = 0


@dataclass(frozen=True)
class Mri:
    """A pattern of `imaging.mri` at a level, as the sequences show it side by side."""

    pattern: str
    level: str
    sequences: tuple[str, ...] = ("T1", "STIR")


@dataclass(frozen=True)
class Picture:
    """A picture that the course's own models draw when it is looked at."""

    id: str
    alt: str
    caption: str
    spec: Film | Mri


@dataclass(frozen=True)
class Option:
    """One thing that can be chosen.

    key: it is the right thing; acceptable: neither right nor wrong. harm: what it does to the patient ("" if nothing).
    sets: facts that hold once it is done, besides its own id. to: the scene it leads to, "" for the decision's `then`.
    """

    id: str
    text: str
    minutes: int
    consequence: str
    rationale: str
    refs: tuple[str, ...]
    key: bool = False
    acceptable: bool = False
    harm: str = ""
    sets: tuple[str, ...] = ()
    reveals: tuple[Finding, ...] = ()
    pictures: tuple[Picture, ...] = ()
    to: str = ""

    @property
    def facts(self) -> Facts:
        """Return what holds once this is done."""
        return frozenset((self.id, *self.sets))


@dataclass(frozen=True)
class Branch:
    """Where the case goes on if the condition holds."""

    to: str
    when: When = When()


@dataclass(frozen=True)
class Decision:
    """A question with options, of which up to `up_to` earn credit; `exploratory` tests no key feature."""

    ask: str
    options: tuple[Option, ...]
    then: tuple[Branch, ...]
    key_feature: str = ""
    exploratory: bool = False
    up_to: int = 1
    in_turn: bool = False

    @property
    def keys(self) -> tuple[Option, ...]:
        """Return the options that are right."""
        return tuple(option for option in self.options if option.key)

    def chosen(self, ids: Iterable[str]) -> tuple[Option, ...]:
        """Return the options with these ids in the order of the case. Raises ValueError for what cannot be chosen."""
        wanted = list(ids)
        known = [option.id for option in self.options]
        for each in wanted:
            if each not in known:
                raise ValueError(f"there is no option {each!r} here; the options are {', '.join(known)}")
        if not wanted:
            raise ValueError("nothing is chosen; choose at least one option")
        if len(set(wanted)) < len(wanted):
            raise ValueError("an option is chosen twice; choose each once")
        if self.up_to == 1 and len(wanted) > 1:
            raise ValueError(f"{len(wanted)} options are chosen; choose one")
        return tuple(option for option in self.options if option.id in wanted)

    def done_at(self, start: int, chosen: Sequence[Option]) -> list[int]:
        """Return the minute at which each chosen option is done."""
        if not self.in_turn:
            return [start + option.minutes for option in chosen]
        ends: list[int] = []
        for option in chosen:
            ends.append((ends[-1] if ends else start) + option.minutes)
        return ends

    def share(self, chosen: Sequence[Option]) -> float:
        """Return the share of credit, 0 to 1, that a choice earns.

        With k options that are right and at most n that earn credit:

            share = max(0, hits - wrong) / min(k, n), at most 1

        `hits` counts the right options chosen, `wrong` the chosen ones that are neither right nor acceptable. More than
        n options earn 0, so that choosing everything is no strategy, and so does any that harms the patient.
        """
        if len(chosen) > self.up_to or any(option.harm for option in chosen):
            return 0.0
        hits = sum(option.key for option in chosen)
        wrong = sum(not option.key and not option.acceptable for option in chosen)
        return min(1.0, max(0, hits - wrong) / min(len(self.keys), self.up_to))


@dataclass(frozen=True)
class Scene:
    """A moment of the case; it has a decision, or an ending that says in a few words how the case went.

    later: minutes that pass before it; at: the time of day at which it begins, minutes after midnight.
    """

    id: str
    title: str
    text: str
    later: int = 0
    at: int | None = None
    notes: tuple[Note, ...] = ()
    findings: tuple[Finding, ...] = ()
    pictures: tuple[Picture, ...] = ()
    decision: Decision | None = None
    ending: str = ""


@dataclass(frozen=True)
class Clock:
    """A red-flag clock: once one of `starts` (scenes or facts) is reached, one of `stops` is due `within` minutes."""

    id: str
    text: str
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    within: int
    refs: tuple[str, ...]


@dataclass(frozen=True)
class KeyFeature:
    """A critical step of the case, which one or more decisions test."""

    id: str
    text: str


@dataclass(frozen=True)
class Check:
    """What a program can look for in a hand-over note: one of `any_of`, and a time in the same part if `with_time`.

    In a phrase * stands for the rest of a word, and … between two words for up to five others in the same sentence.
    """

    id: str
    text: str
    any_of: tuple[str, ...]
    with_time: bool = False


@dataclass(frozen=True)
class Handover:
    """The note that ends a case: to whom, what is checked in its text, what the writer checks, and a model note."""

    to: str
    ask: str
    checks: tuple[Check, ...]
    self_check: tuple[str, ...]
    model: tuple[tuple[str, str], ...]  # (part of SBAR, text)


@dataclass(frozen=True)
class Case:
    """A whole case. It begins in its first scene, on day 1 at `begins` minutes after midnight."""

    id: str
    version: str
    title: str
    about: str
    licence: str
    author: str
    clinical_review: tuple[str, ...]
    objectives: tuple[str, ...]
    begins: int
    key_features: tuple[KeyFeature, ...]
    clocks: tuple[Clock, ...]
    scenes: tuple[Scene, ...]
    debrief: tuple[Note, ...]
    handover: Handover

    @cached_property
    def scene_of(self) -> Mapping[str, Scene]:
        """Return the scenes by id."""
        return {scene.id: scene for scene in self.scenes}

    def time(self, minute: int) -> str:
        """Return the time of day at a minute of the case, such as "09:10"."""
        now = (self.begins + minute) % DAY
        return f"{now // 60:02d}:{now % 60:02d}"

    def stamp(self, minute: int) -> str:
        """Return a minute of the case as a date and a time of day, such as "Day 1, 09:10"."""
        return f"Day {(self.begins + minute) // DAY + 1}, {self.time(minute)}"

    def arrival(self, scene: Scene, minute: int) -> int:
        """Return the minute at which a scene begins if the one before it is over at `minute`."""
        minute += scene.later
        return minute if scene.at is None else minute + (scene.at - self.begins - minute) % DAY


UNITS = {"wk": 7 * DAY, "d": DAY, "h": 60, "min": 1}
NAMES = {"wk": "week", "d": "day", "h": "h", "min": "min"}


def minutes(duration: str) -> int:
    """Return the minutes of a duration such as "20 min", "2 h", "3 d" or "4 wk"."""
    number, unit = duration.split()
    return int(number) * UNITS[unit]


def spelt(duration: int) -> str:
    """Return minutes in words, in the two largest units, hours up to two days: "2 h 10 min", "24 h", "3 days 1 h"."""
    words: list[str] = []
    for unit, size in UNITS.items():
        if unit in ("wk", "d") and not words and duration < 2 * DAY:
            continue
        count, duration = divmod(duration, size)
        if count:
            plural = "s" if unit in ("wk", "d") and count > 1 else ""
            words.append(f"{count} {NAMES[unit]}{plural}")
    return " ".join(words[:2]) or "no time"


# --- Running it -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """Something that happened: at `minute` a scene was reached, or a fact came to hold."""

    minute: int
    kind: str
    id: str


@dataclass(frozen=True)
class State:
    """Where a run stands: everything follows from the case and the choices."""

    case: Case
    scene: Scene
    minute: int
    facts: Facts
    choices: tuple[tuple[str, ...], ...]
    visited: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def ended(self) -> bool:
        """Say whether the case is over."""
        return self.scene.decision is None


def start(case: Case) -> State:
    """Return the state in which a case begins."""
    first = case.scenes[0]
    return State(case, first, 0, frozenset(), (), (first.id,), (Event(0, "scene", first.id),))


def decide(state: State, choices: Iterable[str]) -> State:
    """Return the state after choosing options at the scene's decision, given by their ids in any order.

    Raises ValueError if the case is over or the choice is not one that the decision has. More options than earn credit
    may be chosen: it costs their time and the credit.
    """
    decision = state.scene.decision
    if decision is None:
        raise ValueError("the case is over; nothing is left to decide")
    chosen = decision.chosen(choices)
    ends = decision.done_at(state.minute, chosen)
    facts = state.facts.union(*(option.facts for option in chosen))
    events = [
        Event(end, "fact", fact) for end, option in zip(ends, chosen, strict=True) for fact in sorted(option.facts)
    ]
    to = next((option.to for option in chosen if option.to), "")
    to = to or next(branch.to for branch in decision.then if branch.when.holds(facts))
    scene = state.case.scene_of[to]
    minute = state.case.arrival(scene, max(ends))
    return State(
        state.case,
        scene,
        minute,
        facts,
        (*state.choices, tuple(option.id for option in chosen)),
        (*state.visited, scene.id),
        (*state.events, *sorted(events, key=lambda event: event.minute), Event(minute, "scene", scene.id)),
    )


def replay(case: Case, choices: Iterable[Iterable[str]]) -> State:
    """Return the state after these choices, one entry a decision. Raises ValueError as `decide` does."""
    state = start(case)
    for each in choices:
        state = decide(state, each)
    return state


# --- What came of it --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """How a key feature went: its share of credit, and the decision that tested it first (None: never reached)."""

    feature: KeyFeature
    share: float
    scene: Scene | None = None
    chosen: tuple[Option, ...] = ()

    @property
    def missed(self) -> tuple[Option, ...]:
        """Return the right options that were not chosen; none if what was chosen earned everything."""
        if self.scene is None or self.scene.decision is None or self.share == 1:
            return ()
        return tuple(option for option in self.scene.decision.keys if option not in self.chosen)


@dataclass(frozen=True)
class Line:
    """How a clock ran, in minutes of the case: when it started and stopped, None if it never did."""

    clock: Clock
    started: int | None
    stopped: int | None

    @property
    def taken(self) -> int | None:
        """Return the minutes from start to stop; 0 if it was done before the clock started."""
        if self.started is None or self.stopped is None:
            return None
        return max(0, self.stopped - self.started)

    @property
    def kept(self) -> bool | None:
        """Say whether it was done in time; None if the clock never started."""
        if self.started is None:
            return None
        return self.taken is not None and self.taken <= self.clock.within


@dataclass(frozen=True)
class Harm:
    """What a choice did to the patient."""

    scene: Scene
    option: Option


@dataclass(frozen=True)
class Result:
    """What came of a run. `total` is the mean share, 0 to 1, over the case's key features, all alike.

    A key feature that several decisions test is scored at the first of them that the run reached, and one that it never
    reached earns 0. `debrief` holds the statements that fit what was done.
    """

    total: float
    features: tuple[Scored, ...]
    lines: tuple[Line, ...]
    harms: tuple[Harm, ...]
    debrief: tuple[Note, ...]


def result(state: State) -> Result:
    """Return what came of a run, of an unfinished one what has come of it so far."""
    case = state.case
    first: dict[str, Scored] = {}
    features = {feature.id: feature for feature in case.key_features}
    harms = []
    for scene_id, ids in zip(state.visited, state.choices, strict=False):
        scene = case.scene_of[scene_id]
        assert scene.decision is not None, "a choice is made at a decision"
        chosen = scene.decision.chosen(ids)
        harms += [Harm(scene, option) for option in chosen if option.harm]
        name = scene.decision.key_feature
        if name and name not in first:
            first[name] = Scored(features[name], scene.decision.share(chosen), scene, chosen)
    scored = tuple(first.get(name, Scored(feature, 0.0)) for name, feature in features.items())
    return Result(
        sum(each.share for each in scored) / len(scored),
        scored,
        tuple(_line(state, clock) for clock in case.clocks),
        tuple(harms),
        tuple(note for note in case.debrief if note.when.holds(state.facts)),
    )


def _line(state: State, clock: Clock) -> Line:
    def first(ids: tuple[str, ...]) -> int | None:
        return min((event.minute for event in state.events if event.id in ids), default=None)

    return Line(clock, first(clock.starts), first(clock.stops))
