"""Cases as YAML: the fields of a case file, how one is read, and everything that is checked.

Reading finds every fault at once, each with file, line, scene and mend, as for question banks (`items`). What a schema
cannot say is checked here: ids, references, that every scene can be reached, that every run ends, that no run turns in
a circle, that somebody can earn everything, and that choosing everything earns nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from vertebra import assets
from vertebra.evidence.references import references
from vertebra.quiz import case_pictures, cases, handover, schema
from vertebra.quiz.cases import (
    Branch,
    Case,
    Check,
    Clock,
    Decision,
    Facts,
    Film,
    Finding,
    Handover,
    KeyFeature,
    Mri,
    Note,
    Option,
    Picture,
    Scene,
    When,
)
from vertebra.quiz.items import RATIONALE_WORDS, BankError, read_text
from vertebra.quiz.schema import ID, RATIONALE, SOURCE, TEXT, Schema, listed, record, text

PACKAGED = Path(__file__).parents[1] / "_data" / "quizzes" / "cases"
CHECKOUT = Path(__file__).parents[3] / "quizzes" / "cases"
UNREFERENCED = "unreferenced"
LONGER = 1.25  # as in questions: how much longer right options may be on average than the others

# --- The fields -------------------------------------------------------------------------------------------------------

FACTS = listed(ID, 1, "ids of options, or facts that options set")
WHEN: Schema = {"if_done": FACTS, "if_not": FACTS}
DURATION = text("a duration such as 20 min, 2 h, 3 d or 4 wk", "^[0-9]+ (min|h|d|wk)$")
TIME = text("a time of day, in quotes, such as '09:10'", "^([01][0-9]|2[0-3]):[0-5][0-9]$")
REFS = listed(SOURCE, 1, "reference ids, or the word unreferenced")
FLAG: Schema = {"type": "boolean"}

FINDING = record({"name": TEXT, "value": TEXT}, WHEN)
NOTE = record({"text": TEXT}, WHEN)
STATEMENT = record({"text": TEXT, "refs": REFS}, WHEN)
SHAPE: Schema = {"type": "object", "additionalProperties": schema.NUMBER, "description": "such as {anterior: 0.3}"}
PICTURE = record(
    {"id": ID, "alt": text("what it shows, without giving the answer away"), "caption": TEXT},
    {
        "film": record(
            {"level": TEXT, "shapes": {"type": "object", "additionalProperties": SHAPE}},
            {"seed": {"type": "number", "minimum": 0}},
        ),
        "mri": record(
            {"pattern": TEXT, "level": TEXT}, {"sequences": listed({"enum": ["T1", "STIR"]}, 1, "T1, STIR or both")}
        ),
    },
)
OPTION = record(
    {
        "id": ID,
        "text": text("what one can choose"),
        "takes": DURATION,
        "consequence": text("what happens then, without saying whether it was right; {time}: when it is done"),
        "rationale": RATIONALE,
        "refs": REFS,
    },
    {
        "key": FLAG | {"description": "true for a right one"},
        "acceptable": FLAG | {"description": "true for what is neither right nor wrong"},
        "harm": text("what it does to the patient"),
        "sets": listed(ID, 1, "facts that hold once it is done, besides its own id"),
        "reveals": listed(FINDING, 1, "what it finds"),
        "pictures": listed(PICTURE, 1, "pictures that it brings"),
        "to": ID,
    },
)
DECISION = record(
    {
        "ask": text("the question"),
        "options": listed(OPTION, 3, "what can be chosen"),
        "then": listed(record({"to": ID}, WHEN), 1, "the first branch that fits is taken; the last has no condition"),
    },
    {
        "key_feature": ID,
        "exploratory": FLAG | {"description": "true for a decision that is not scored"},
        "up_to": {"type": "number", "minimum": 1, "description": "how many options earn credit; 1 when left out"},
        "in_turn": FLAG | {"description": "true: one person does them one after another; false: all at once"},
    },
)
SCENE = record(
    {"id": ID, "title": TEXT, "text": text("what happens; a blank line begins a new paragraph")},
    {
        "later": DURATION,
        "at": TIME,
        "notes": listed(NOTE, 1, "paragraphs that depend on what was done"),
        "findings": listed(FINDING, 1, "what is found"),
        "pictures": listed(PICTURE, 1, "pictures"),
        "decision": DECISION,
        "ending": text("a few words on how the case ends"),
    },
)
CLOCK = record(
    {
        "id": ID,
        "text": text("what has to be done"),
        "starts": listed(ID, 1, "scenes or facts"),
        "stops": listed(ID, 1, "scenes or facts"),
        "within": DURATION,
        "refs": REFS,
    }
)
HANDOVER = record(
    {
        "to": text("to whom"),
        "ask": text("what the student has to write"),
        "checks": listed(
            record(
                {"id": ID, "text": TEXT, "any_of": listed(TEXT, 1, "phrases; * ends any way, … is up to five words")},
                {"with_time": FLAG},
            ),
            3,
            "what a program looks for in the note",
        ),
        "self_check": listed(TEXT, 1, "what only the writer can judge"),
        "model": record(dict.fromkeys(handover.PARTS, TEXT)),
    }
)
CASE: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "An unfolding case",
    **record(
        {
            "case": text("a name unique over all cases: small letters, digits and _", "^[a-z0-9_]+$"),
            "version": schema.COMMON["version"],
            "title": TEXT,
            "about": text("what it is about and who the patient is, without giving the answer away"),
            "licence": text("a licence such as CC-BY-4.0"),
            "author": schema.COMMON["author"],
            "clinical_review": schema.COMMON["clinical_review"],
            "objectives": schema.COMMON["objectives"],
            "begins": TIME,
            "key_features": listed(record({"id": ID, "text": TEXT}), 2, "the critical steps"),
            "clocks": listed(CLOCK, 0, "red-flag clocks"),
            "scenes": listed(SCENE, 2, "the scenes; the case begins in the first"),
            "debrief": listed(STATEMENT, 1, "what to take away"),
            "handover": HANDOVER,
        }
    ),
}
KIND = schema.Kind("case", CASE, "scenes")


# --- Reading ----------------------------------------------------------------------------------------------------------


def load_case(path: Path | str) -> Case:
    """Read one case file; raises BankError with all its faults. One that is there as its twin was checked before."""
    sound = assets.twin(Path(path))
    return _case(sound) if sound is not None else parse_case(read_text(Path(path), KIND.whole), str(path))


def find_case(name: str) -> Path:
    """Return the file of the case with this name; raises BankError, naming those there are."""
    found = {path.stem: path for folder in (CHECKOUT, PACKAGED) for path in assets.yaml_files(folder)}
    if name in found:
        return found[name]
    mend = schema.nearest(name, found) or f"the cases are: {', '.join(found) or 'none'}"
    raise BankError([f"there is no case {name!r}; {mend}"])


def parse_case(content: str, name: str) -> Case:
    """Read the text of a case; `name` is what the faults call the file. Raises BankError with all faults."""
    from vertebra.quiz.source import Source  # brings YAML, which the browser does without

    source = Source(content, name, KIND)
    source.check_structure()
    if source.faults:
        raise BankError(sorted(set(source.faults)))
    case = _case(source.data)
    for path, what in _faults_of(case):
        source.add(path, what)
    if source.faults:
        raise BankError(sorted(set(source.faults)))
    return case


def _case(raw: Mapping[str, Any]) -> Case:
    given = raw["handover"]
    return Case(
        id=raw["case"],
        version=raw["version"],
        title=raw["title"],
        about=raw["about"],
        licence=raw["licence"],
        author=raw["author"],
        clinical_review=schema.reviews(raw["clinical_review"]),
        objectives=tuple(raw["objectives"]),
        begins=_time(raw["begins"]),
        key_features=tuple(KeyFeature(**each) for each in raw["key_features"]),
        clocks=tuple(
            Clock(
                each["id"],
                each["text"],
                tuple(each["starts"]),
                tuple(each["stops"]),
                cases.minutes(each["within"]),
                tuple(each["refs"]),
            )
            for each in raw["clocks"]
        ),
        scenes=tuple(map(_scene, raw["scenes"])),
        debrief=tuple(map(_note, raw["debrief"])),
        handover=Handover(
            given["to"],
            given["ask"],
            tuple(Check(**each | {"any_of": tuple(each["any_of"])}) for each in given["checks"]),
            tuple(given["self_check"]),
            tuple((part, given["model"][part]) for part in handover.PARTS),
        ),
    )


def _time(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    return 60 * hour + minute


def _when(raw: Mapping[str, Any]) -> When:
    return When(tuple(raw.get("if_done", ())), tuple(raw.get("if_not", ())))


def _note(raw: Mapping[str, Any]) -> Note:
    return Note(raw["text"], _when(raw), tuple(raw.get("refs", ())))


def _findings(raw: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    return tuple(Finding(each["name"], each["value"], _when(each)) for each in raw)


def _pictures(raw: Sequence[Mapping[str, Any]]) -> tuple[Picture, ...]:
    return tuple(Picture(each["id"], each["alt"], each["caption"], _spec(each)) for each in raw)


def _spec(raw: Mapping[str, Any]) -> Film | Mri:
    if "mri" in raw:
        mri = raw["mri"]
        return Mri(mri["pattern"], mri["level"], tuple(mri.get("sequences", ("T1", "STIR"))))
    film = raw.get("film", {"level": "", "shapes": {}})  # a picture without a spec is a fault, found by its level
    shapes = tuple((level, tuple(fields.items())) for level, fields in film["shapes"].items())
    return Film(film["level"], shapes, int(film.get("seed", 0)))


def _scene(raw: Mapping[str, Any]) -> Scene:
    return Scene(
        id=raw["id"],
        title=raw["title"],
        text=raw["text"],
        later=cases.minutes(raw["later"]) if "later" in raw else 0,
        at=_time(raw["at"]) if "at" in raw else None,
        notes=tuple(map(_note, raw.get("notes", ()))),
        findings=_findings(raw.get("findings", ())),
        pictures=_pictures(raw.get("pictures", ())),
        decision=_decision(raw["decision"]) if "decision" in raw else None,
        ending=raw.get("ending", ""),
    )


def _decision(raw: Mapping[str, Any]) -> Decision:
    return Decision(
        ask=raw["ask"],
        options=tuple(map(_option, raw["options"])),
        then=tuple(Branch(each["to"], _when(each)) for each in raw["then"]),
        key_feature=raw.get("key_feature", ""),
        exploratory=raw.get("exploratory", False),
        up_to=int(raw.get("up_to", 1)),
        in_turn=raw.get("in_turn", False),
    )


def _option(raw: Mapping[str, Any]) -> Option:
    plain = {name: raw[name] for name in ("id", "text", "consequence", "rationale")}
    plain |= {name: raw[name] for name in ("key", "acceptable", "harm", "to") if name in raw}
    return Option(
        **plain,
        minutes=cases.minutes(raw["takes"]),
        refs=tuple(raw["refs"]),
        sets=tuple(raw.get("sets", ())),
        reveals=_findings(raw.get("reveals", ())),
        pictures=_pictures(raw.get("pictures", ())),
    )


# --- Meaning: what a schema cannot say --------------------------------------------------------------------------------

Found = Iterator[tuple[schema.Path, str]]


def _faults_of(case: Case) -> Found:
    dead = [*_faults_of_ids(case), *_faults_of_names(case)]
    yield from dead
    yield from _faults_of_refs(case)
    yield from _faults_of_pictures(case)
    yield from _faults_of_handover(case)
    torn = [
        (("scenes", i, *path), what) for i, scene in enumerate(case.scenes) for path, what in _faults_of_scene(scene)
    ]
    yield from torn
    if not dead and not torn:  # else it cannot be walked through
        yield from _faults_of_course(case)


def _options(case: Case) -> Iterator[tuple[schema.Path, Option]]:
    for i, scene in enumerate(case.scenes):
        for j, option in enumerate(scene.decision.options if scene.decision else ()):
            yield ("scenes", i, "decision", "options", j), option


def _all_pictures(case: Case) -> Iterator[tuple[schema.Path, Picture]]:
    for i, scene in enumerate(case.scenes):
        for k, picture in enumerate(scene.pictures):
            yield ("scenes", i, "pictures", k), picture
    for path, option in _options(case):
        for k, picture in enumerate(option.pictures):
            yield (*path, "pictures", k), picture


def _faults_of_ids(case: Case) -> Found:
    kinds: dict[str, list[tuple[schema.Path, str]]] = {
        "scenes or options": [
            *((("scenes", i, "id"), scene.id) for i, scene in enumerate(case.scenes)),
            *(((*path, "id"), option.id) for path, option in _options(case)),
        ],
        "pictures": [((*path, "id"), picture.id) for path, picture in _all_pictures(case)],
        "clocks": [(("clocks", i, "id"), clock.id) for i, clock in enumerate(case.clocks)],
        "key features": [(("key_features", i, "id"), feature.id) for i, feature in enumerate(case.key_features)],
        "checks": [(("handover", "checks", i, "id"), check.id) for i, check in enumerate(case.handover.checks)],
    }
    for kind, named in kinds.items():
        seen: set[str] = set()
        for path, name in named:
            if name in seen:
                yield path, f"two {kind} have the id {name}; change one of them"
            seen.add(name)


def _faults_of_names(case: Case) -> Found:
    """Yield names that lead nowhere: of scenes, facts and key features."""
    scenes = list(case.scene_of)
    facts = sorted({fact for _, option in _options(case) for fact in option.facts})
    features = [feature.id for feature in case.key_features]

    def known(path: schema.Path, name: str, names: Sequence[str], kind: str) -> Found:
        if name not in names:
            mend = schema.nearest(name, names) or f"there are: {', '.join(names)}"
            yield path, f"there is no {kind} {name}; {mend}"

    def conditions(path: schema.Path, when: When) -> Found:
        for side, names in (("if_done", when.done), ("if_not", when.lacks)):
            for name in names:
                yield from known((*path, side), name, facts, "option or fact")

    for i, scene in enumerate(case.scenes):
        for j, note in enumerate(scene.notes):
            yield from conditions(("scenes", i, "notes", j), note.when)
        for j, finding in enumerate(scene.findings):
            yield from conditions(("scenes", i, "findings", j), finding.when)
        if scene.decision:
            path: schema.Path = ("scenes", i, "decision")
            if scene.decision.key_feature:
                yield from known((*path, "key_feature"), scene.decision.key_feature, features, "key feature")
            for j, branch in enumerate(scene.decision.then):
                yield from known((*path, "then", j, "to"), branch.to, scenes, "scene")
                yield from conditions((*path, "then", j), branch.when)
    for path, option in _options(case):
        if option.to:
            yield from known((*path, "to"), option.to, scenes, "scene")
        for j, finding in enumerate(option.reveals):
            yield from conditions((*path, "reveals", j), finding.when)
    for i, note in enumerate(case.debrief):
        yield from conditions(("debrief", i), note.when)
    for i, clock in enumerate(case.clocks):
        for side, names in (("starts", clock.starts), ("stops", clock.stops)):
            for j, name in enumerate(names):
                yield from known(("clocks", i, side, j), name, [*scenes, *facts], "scene, option or fact")


def _faults_of_refs(case: Case) -> Found:
    cited: list[tuple[schema.Path, tuple[str, ...]]] = [(path, option.refs) for path, option in _options(case)]
    cited += [(("clocks", i), clock.refs) for i, clock in enumerate(case.clocks)]
    cited += [(("debrief", i), note.refs) for i, note in enumerate(case.debrief)]
    known = references()
    for path, refs in cited:
        for i, ref in enumerate(refs):
            if ref == UNREFERENCED:
                continue
            if ref not in known:
                mend = schema.nearest(ref, known) or "correct it, or write unreferenced"
                yield (*path, "refs", i), f"there is no reference {ref}; {mend}"
            elif not known[ref].publishable:
                yield (*path, "refs", i), f"nobody has opened {ref}; open it, or write unreferenced"


def _faults_of_pictures(case: Case) -> Found:
    for path, picture in _all_pictures(case):
        what = case_pictures.fault(picture.spec)
        if isinstance(picture.spec, Film) and not picture.spec.level:
            what = f"picture {picture.id} says neither film nor mri; give one of them"
        if what:
            yield path, what


def _faults_of_handover(case: Case) -> Found:
    found = handover.looked_for(dict(case.handover.model), case.handover.checks)
    for i, each in enumerate(found):
        if not each.found:
            what = f"the model note does not pass its own check {each.check.id}; mend the note or the words looked for"
            yield ("handover", "checks", i), what


def _faults_of_scene(scene: Scene) -> Found:
    if (scene.decision is None) != bool(scene.ending):
        what = "has both a decision and an ending; remove one" if scene.ending else "has neither decision nor ending"
        yield (), what + ("" if scene.ending else "; every branch must end: give it one of them")
    decision = scene.decision
    if decision is None:
        return
    path: schema.Path = ("decision",)
    if decision.then[-1].when != When():
        yield (*path, "then"), "the last branch has a condition; add one without, for whatever else was done"
    for j, branch in enumerate(decision.then[:-1]):
        if branch.when == When():
            yield (*path, "then", j), "this branch has no condition, so no later one is taken; give it one, or move it"
    if decision.up_to >= len(decision.options):
        what = f"up_to is {decision.up_to} of {len(decision.options)} options, so choosing everything would pay"
        yield (*path, "up_to"), f"{what}; lower up_to or add options"
    if bool(decision.key_feature) == decision.exploratory:
        what = "tests a key feature and is exploratory; remove one" if decision.exploratory else "tests no key feature"
        yield path, what + ("" if decision.exploratory else "; name its key_feature, or say exploratory: true")
    if decision.exploratory and decision.keys:
        yield path, "has a right option and is exploratory; remove key: true, or name a key_feature"
    if decision.key_feature and not decision.keys:
        yield (*path, "options"), "a decision with a key feature has no option with key: true; give it one"
    if decision.key_feature and len(decision.keys) == len(decision.options):
        yield (*path, "options"), "every option is right; add one that is wrong"
    right = [len(option.text) for option in decision.keys]
    rest = [len(option.text) for option in decision.options if not option.key]
    if right and rest and fmean(right) > LONGER * fmean(rest):
        what = f"the right options are {fmean(right) / fmean(rest):.1f} times as long as the others"
        yield (*path, "options"), f"{what}, which tells them apart; shorten them, or say more in the others"
    for j, option in enumerate(decision.options):
        at: schema.Path = (*path, "options", j)
        if option.to and decision.up_to > 1:
            yield (*at, "to"), "several options may be chosen here, so one cannot say where to go; use then and if_done"
        if option.key and (option.harm or option.acceptable):
            yield at, f"option {option.id} is right and {'harms' if option.harm else 'acceptable'} at once; remove one"
        words = len(option.rationale.split())
        if words < RATIONALE_WORDS:
            what = f"the rationale of option {option.id} is too short ({words} of at least {RATIONALE_WORDS} words)"
            yield (*at, "rationale"), f"{what}; say why"


def _faults_of_course(case: Case) -> Found:
    """Yield what is wrong with the ways through a case."""
    at = {scene.id: ("scenes", i) for i, scene in enumerate(case.scenes)}
    ways = explore(case)
    if ways.circle:
        what = f"a run can come back to {ways.circle} with nothing new done; lead it on, or let a branch ask if_done"
        yield at[ways.circle], what
        return
    for scene in case.scenes:
        if scene.id not in ways.scenes:
            yield at[scene.id], f"no run reaches scene {scene.id}; lead a branch to it, or remove it"
        elif scene.decision:
            for j, branch in enumerate(scene.decision.then):
                if (scene.id, j) not in ways.branches and not all(option.to for option in scene.decision.options):
                    yield (
                        (*at[scene.id], "decision", "then", j),
                        f"no run takes the branch to {branch.to}; mend its condition",
                    )
    best = cases.result(best_run(case))
    if best.total < 1:
        lost = ", ".join(each.feature.id for each in best.features if each.share < 1)
        what = f"no run earns everything: the best one misses {lost}; lead the right choices through its decision"
        yield ("key_features",), what


# --- Walking through --------------------------------------------------------------------------------------------------


@dataclass
class Ways:
    """All ways through a case: the scenes and branches that some run takes.

    No run takes less than `shortest` minutes, or more than `longest`; a scene `at` a time of day may come up to a day
    later, which the first leaves out and the second counts whole.
    """

    scenes: set[str] = field(default_factory=set)
    branches: set[tuple[str, int]] = field(default_factory=set)
    circle: str = ""
    shortest: int = 0
    longest: int = 0


def explore(case: Case) -> Ways:
    """Walk through every run of a case as far as its branches can tell them apart.

    Only facts that a branch asks for make a difference, so a place is a scene and which of those facts hold. Facts are
    never taken back: a run that comes back to a place has done nothing new, and could go on for ever (`circle`).
    """
    asked = frozenset(
        name
        for scene in case.scenes
        for branch in (scene.decision.then if scene.decision else ())
        for name in (*branch.when.done, *branch.when.lacks)
    )
    ways = Ways()
    spans: dict[tuple[str, Facts], tuple[int, int]] = {}
    open_places: set[tuple[str, Facts]] = set()

    def visit(scene: Scene, facts: Facts) -> tuple[int, int]:
        place = scene.id, facts
        if place in spans:
            return spans[place]
        if place in open_places:
            ways.circle = ways.circle or scene.id
            return 0, 0
        open_places.add(place)
        ways.scenes.add(scene.id)
        least, most = [], []
        for after, branch, to, low, high in _steps(scene, facts, asked):
            if branch is not None:
                ways.branches.add((scene.id, branch))
            following = case.scene_of[to]
            rest = visit(following, after)
            least.append(low + following.later + rest[0])
            most.append(high + following.later + (0 if following.at is None else cases.DAY) + rest[1])
        open_places.remove(place)
        spans[place] = min(least, default=0), max(most, default=0)
        return spans[place]

    ways.shortest, ways.longest = visit(case.scenes[0], frozenset())
    return ways


def _steps(scene: Scene, facts: Facts, asked: Facts) -> Iterator[tuple[Facts, int | None, str, int, int]]:
    """Yield (facts afterwards, branch taken or None, next scene, least minutes, most minutes) of a scene's choices."""
    decision = scene.decision
    if decision is None:
        return
    if decision.up_to == 1:
        groups: list[tuple[tuple[Option, ...], tuple[Option, ...]]] = [((option,), ()) for option in decision.options]
    else:
        telling = [option for option in decision.options if option.facts & asked]
        rest = tuple(option for option in decision.options if option not in telling)
        some = chain.from_iterable(combinations(telling, n) for n in range(len(telling) + 1))
        groups = [(subset, rest) for subset in some if subset or rest]
    for chosen, more in groups:
        after = facts.union(*(option.facts & asked for option in chosen))
        to = next((option.to for option in chosen if option.to), "")
        index = None if to else next(j for j, branch in enumerate(decision.then) if branch.when.holds(after))
        least = max(decision.done_at(0, chosen)) if chosen else min(option.minutes for option in more)
        most = max(decision.done_at(0, [*chosen, *more]))
        yield after, index, to or decision.then[index or 0].to, least, most


def best_run(case: Case) -> cases.State:
    """Return the end of the best run: at each decision only what is right, at one that explores anything."""
    ends: list[tuple[float, cases.State]] = []

    def follow(state: cases.State) -> None:
        decision = state.scene.decision
        if decision is None:
            ends.append((cases.result(state).total, state))
            return
        right = decision.keys or decision.options
        picks = (
            [(option,) for option in right]
            if decision.up_to == 1 or decision.exploratory
            else [right[: decision.up_to]]
        )
        for pick in picks:
            if not ends or ends[-1][0] < 1:
                follow(cases.decide(state, [option.id for option in pick]))

    follow(cases.start(case))
    return max(ends, key=lambda end: end[0])[1]
