"""Questions as data: read and check a bank file, and show a question with its key or without.

A bank is one YAML file (its fields: `schema`). Reading it finds every fault at once, each with file, line, question and
mend. A question leaves this module in one of three dresses: `practice` (with key and rationales, for the browser),
`public` and `assigned` (without, for what a student is handed).
"""

import base64
import difflib
import hashlib
import re
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vertebra import assets
from vertebra.quiz import schema, scoring
from vertebra.quiz.tasks import KINDS, Band, Task, TaskError, load_task

if TYPE_CHECKING:
    from vertebra.quiz.source import Source

PACKAGED = Path(__file__).parents[1] / "_data" / "quizzes" / "bank"
CHECKOUT = Path(__file__).parents[3] / "quizzes" / "bank"

KIND = schema.Kind("bank", schema.BANK, "items")
HEAD = ("bank", "use", "lesson", "title", "licence", "read", "review_by")
RATIONALE_WORDS = 8
APPLIED = schema.BLOOM[schema.BLOOM.index("apply") :]  # from here on a question is asked about a patient
MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


# --- What a question is -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Image:
    """A picture below assets/; width and height are the units of a hotspot's polygons, not pixels.

    patient: "none" for what was computed or drawn, else the public data set it is from. drawn_by: the script that made
    it and the function in it.
    """

    src: str
    alt: str
    licence: str
    width: float | None = None
    height: float | None = None
    patient: str = ""
    drawn_by: str = ""

    def uri(self) -> str:
        """Return the picture as a data: URI, so that a question needs no second file."""
        file = assets.path(self.src)
        return f"data:{MEDIA_TYPES[file.suffix]};base64,{base64.b64encode(file.read_bytes()).decode()}"


@dataclass(frozen=True)
class Option:
    """One choice; in matching it stands in the shared list and has neither rationale nor key.

    harms: choosing it harms the patient (key features only). misconception: the id of the mistake behind a wrong one.
    """

    id: str
    text: str
    rationale: str = ""
    key: bool = False
    harms: bool = False
    misconception: str = ""


@dataclass(frozen=True)
class Step:
    """One step of an ordering; the item lists its steps in the correct order."""

    id: str
    text: str
    rationale: str


@dataclass(frozen=True)
class Prompt:
    """One line of a matching question; answer is the id of its option."""

    id: str
    text: str
    answer: str
    rationale: str


@dataclass(frozen=True)
class Decision:
    """One critical decision of a key-feature question: at most `choose` of its options count."""

    id: str
    text: str
    choose: int
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Region:
    """An area of a hotspot's picture: polygon corners (x, y) in image units, text for those who do not point."""

    id: str
    text: str
    polygon: tuple[tuple[float, float], ...]
    rationale: str
    key: bool = False
    misconception: str = ""


@dataclass(frozen=True)
class NumericAnswer:
    """The right number; relative says that the tolerance is a share of the value."""

    value: float
    unit: str
    tolerance: float = 0
    relative: bool = False

    def absolute_tolerance(self) -> float:
        """Return the tolerance in the unit of the value."""
        return self.tolerance * abs(self.value) if self.relative else self.tolerance


@dataclass(frozen=True)
class Slip:
    """A usual wrong number and why it comes about."""

    value: float
    rationale: str
    misconception: str = ""

    def record(self) -> dict[str, Any]:
        """Return {value, rationale} and, if one is named, the mistake behind it as a sentence."""
        mistake = {"mistake": misconceptions()[self.misconception]} if self.misconception else {}
        return {"value": self.value, "rationale": self.rationale, **mistake}


@dataclass(frozen=True)
class Computed:
    """How the key is found anew: the name of a calculator and the facts it is given."""

    by: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One question. The fields that its format does not have are empty.

    line: its first line in the bank file. index: its place among that file's questions, from 0.
    """

    id: str
    version: str
    format: str
    objectives: tuple[str, ...]
    bloom: str
    tier: str
    author: str
    clinical_review: tuple[str, ...]
    stem: str
    sources: tuple[str, ...]
    claims: tuple[str, ...] = ()
    vignette: str = ""
    image: Image | None = None
    rationale: str = ""
    scoring: str = ""
    shuffle: bool = True
    options: tuple[Option, ...] = ()
    steps: tuple[Step, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    decisions: tuple[Decision, ...] = ()
    regions: tuple[Region, ...] = ()
    answer: NumericAnswer | None = None
    slips: tuple[Slip, ...] = ()
    bands: tuple[Band, ...] = ()
    task_file: Path | None = None
    computed: Computed | None = None
    isomorph_family: str = ""
    line: int = 0
    index: int = 0

    @property
    def choices(self) -> tuple[Option, ...]:
        """Return the options of the question, or of all its decisions, in the bank's order."""
        return self.options or tuple(option for decision in self.decisions for option in decision.options)

    @property
    def task(self) -> Task:
        """Return the films and the table of a needle path or a stop decision. Raises TaskError."""
        assert self.task_file is not None, "asked only of the formats that have a task"
        return load_task(self.task_file)

    def key_record(self) -> dict[str, Any]:
        """Return what `scoring.score` needs to score an answer, in the bank's ids."""
        shown = self._shown(None)
        return self._key(shown, _same_names(shown))

    def public(self, order_seed: str | None = None) -> dict[str, Any]:
        """Return what a student may see: no key, rationale, source, objective or polygon; the picture inside.

        Without a seed the ids and the order are the bank's, except that steps never come in the correct order. With a
        seed everything is shuffled, unless the item says shuffle: false, and each id is replaced by a neutral one.
        """
        if order_seed is not None:
            return self.assigned(order_seed)[0]
        shown = self._shown(None)
        return self._public(shown, _same_names(shown))

    def practice(self) -> dict[str, Any]:
        """Return the public part with key, rationales, mistakes, sources and reviews: for practice banks only.

        The parts stand in an order that says nothing about the key and is the same on every run.
        """
        shown = self.practice_order()
        return self._public(shown, _same_names(shown)) | {
            "key": self.key_record(),
            "rationales": self.rationales(),
            "mistakes": self.mistakes(),
            "slips": [slip.record() for slip in self.slips],
            "sources": list(self.sources),
            "objectives": list(self.objectives),
            "clinical_review": list(self.clinical_review),
        }

    def assigned(self, order_seed: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
        """Return (public part, key record in its neutral ids, {neutral id: bank id}), the same for the same seed."""
        shown = self._shown(order_seed)
        bank_ids = {
            f"{group[0]}{number}": part.id for group, parts in shown.items() for number, part in enumerate(parts, 1)
        }
        return *self.relabelled(bank_ids), bank_ids

    def relabelled(self, bank_ids: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return (public part, key record) in the neutral ids and the order that `assigned` gave out earlier.

        bank_ids: {neutral id: bank id}, in that order. Raises ValueError if the parts of the question are others now.
        """
        names: dict[str, dict[str, str]] = {}
        shown: dict[str, tuple[Any, ...]] = {}
        for group, parts in self._shown(None).items():
            known = {part.id: part for part in parts}
            names[group] = {old: new for new, old in bank_ids.items() if new[0] == group[0]}
            if names[group].keys() != known.keys():
                raise ValueError(f"its {group} are {', '.join(known) or 'none'}, not {', '.join(names[group])}")
            shown[group] = tuple(known[old] for old in names[group])
        return self._public(shown, names), self._key(shown, names)

    def rationales(self) -> dict[str, str]:
        """Return {id of option, step, prompt, region or band: its rationale}; "" holds the item's own, if any."""
        parts: list[Any] = [*self.choices, *self.steps, *self.prompts, *self.regions, *self.bands]
        found = {part.id: part.rationale for part in parts if part.rationale}
        return found | ({"": self.rationale} if self.rationale else {})

    def mistakes(self) -> dict[str, str]:
        """Return {id of a wrong option or region: the mistake behind it, as a sentence}."""
        parts: list[Any] = [*self.choices, *self.regions]
        wrong = [part for part in parts if part.misconception]
        return {part.id: misconceptions()[part.misconception] for part in wrong}

    def practice_order(self) -> dict[str, tuple[Any, ...]]:
        """Return {group: its parts as practice shows them}, as a bank lists the key wherever its author put it."""

        def rank(part: Any) -> bytes:
            return hashlib.sha256(f"{self.id}\n{part.id}".encode()).digest()

        shown = self._shown(None)
        mixed = ("options", "prompts", "regions") if self.shuffle else ()
        return shown | {group: tuple(sorted(shown[group], key=rank)) for group in mixed}

    def _shown(self, seed: str | None) -> dict[str, tuple[Any, ...]]:
        """Return the parts of each group in the order in which they are shown."""

        def mixed(parts: tuple[Any, ...], *draw: str) -> tuple[Any, ...]:
            # A hash gives the same order in every version of Python. The rationale goes in because a student can know
            # the seed and guess the ids (a, b, c in the correct order!), but never sees a graded item's rationale.
            def rank(part: Any) -> bytes:
                words = [seed or "", self.id, part.id, part.rationale, *draw]
                return hashlib.sha256("\n".join(words).encode()).digest()

            return tuple(sorted(parts, key=rank))

        steps = mixed(self.steps)
        # The correct order is drawn again, not turned into one other: that one would come twice as often as the rest.
        draws = (mixed(self.steps, str(draw)) for draw in count(1))
        while len(steps) > 1 and steps == self.steps:
            steps = next(draws)
        groups: dict[str, tuple[Any, ...]] = {"options": self.choices, "prompts": self.prompts, "regions": self.regions}
        if seed is not None and self.shuffle:
            groups = {group: mixed(parts) for group, parts in groups.items()}
        # A rubric is read from the top, and one decision follows from another.
        return groups | {"steps": steps, "bands": self.bands, "decisions": self.decisions}

    def _public(self, shown: Mapping[str, Sequence[Any]], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        image = self.image and {
            "uri": self.image.uri(),
            "alt": self.image.alt,
            "width": self.image.width,
            "height": self.image.height,
        }
        public: dict[str, Any] = {"id": self.id, "version": self.version, "format": self.format}
        public |= {"vignette": self.vignette} if self.vignette else {}
        public |= {"stem": self.stem, "image": image, "reviewed": bool(self.clinical_review)}
        for group, parts in shown.items():
            if parts:
                public[group] = [{"id": names[group][part.id], "text": part.text} for part in parts]
        for shown_decision, decision in zip(public.get("decisions", ()), self.decisions, strict=True):
            own = {names["options"][option.id] for option in decision.options}
            shown_decision |= {"choose": decision.choose, "options": [o for o in public["options"] if o["id"] in own]}
        if self.decisions:
            del public["options"]  # they stand with their decisions
        for shown_band, band in zip(public.get("bands", ()), self.bands, strict=True):
            shown_band["share"] = band.share
        public |= {"task": dict(self.task.public)} if self.bands else {}
        public |= {"unit": self.answer.unit} if self.answer else {}
        public |= {"scoring": self.scoring} if self.scoring else {}
        return public

    def _key(self, shown: Mapping[str, Sequence[Any]], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        options = [names["options"][option.id] for option in shown["options"]]
        keys = [names["options"][option.id] for option in shown["options"] if option.key]
        record: dict[str, Any] = {"format": self.format}
        match self.format:
            case "single_best_answer":
                return record | {"key": keys[0], "options": options}
            case "multiple_response":
                return record | {"key": keys, "options": options, "scoring": self.scoring}
            case "ordering":
                return record | {"key": [names["steps"][step.id] for step in self.steps], "scoring": self.scoring}
            case "matching":
                pairs = {names["prompts"][p.id]: names["options"][p.answer] for p in shown["prompts"]}
                return record | {"key": pairs, "options": options}
            case "key_feature":
                decisions = {
                    names["decisions"][decision.id]: {
                        "choose": decision.choose,
                        "options": [names["options"][o.id] for o in shown["options"] if o in decision.options],
                        "key": [names["options"][o.id] for o in shown["options"] if o in decision.options and o.key],
                        "harms": [
                            names["options"][o.id] for o in shown["options"] if o in decision.options and o.harms
                        ],
                    }
                    for decision in shown["decisions"]
                }
                return record | {"decisions": decisions}
            case "hotspot":
                polygons = {names["regions"][r.id]: [list(point) for point in r.polygon] for r in shown["regions"]}
                return record | {
                    "key": next(names["regions"][r.id] for r in self.regions if r.key),
                    "polygons": polygons,
                }
        if self.format in KINDS:
            bands = [names["bands"][band.id] for band in self.bands]
            return record | {
                "controls": self.task.controls,
                "bands": [bands[i] for i in self.task.sorted_into(self.bands)],
                "shares": dict(zip(bands, (band.share for band in self.bands), strict=True)),
                "measures": list(self.task.measures),
                "example": dict(self.task.example),
            }
        assert self.answer is not None, "only numeric items are left, and each has an answer"
        return record | {"value": self.answer.value, "tolerance": self.answer.absolute_tolerance()}


def _same_names(shown: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, str]]:
    return {group: {part.id: part.id for part in parts} for group, parts in shown.items()}


@dataclass(frozen=True)
class Bank:
    """A bank file: its questions, and whether they are for practice or graded; file is the name it was read under."""

    id: str
    use: str
    lesson: str
    title: str
    licence: str
    items: tuple[Item, ...]
    file: str
    read: str = ""
    review_by: str = ""

    def item(self, item_id: str) -> Item:
        """Return the question with this id; raises BankError if there is none."""
        for item in self.items:
            if item.id == item_id:
                return item
        near = difflib.get_close_matches(item_id, [item.id for item in self.items], n=1)
        mend = f"did you mean {near[0]}?" if near else "its questions: " + ", ".join(item.id for item in self.items)
        raise BankError([f"{self.file}: there is no question {item_id}; {mend}"])


# --- Reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a bank file; place names the question, or the bank itself; rule is that of the linter it breaks."""

    file: str
    line: int
    place: str
    what: str
    rule: str = "L01"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.place}: {self.what}"


class BankError(ValueError):
    """A bank that cannot be used; the text has one line for each fault, `faults` the same as data."""

    def __init__(self, faults: Sequence[Fault | str]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


@cache
def misconceptions() -> Mapping[str, str]:
    """Return {id: the mistaken belief as a sentence} of assets/misconceptions.yml. Raises AssetError."""
    return MappingProxyType(assets.read_yaml("misconceptions.yml")["misconceptions"])


def load_bank(path: Path | str, known_references: Collection[str] | None = None) -> Bank:
    """Read one bank file; raises BankError with all its faults.

    known_references: the ids a source may name, when sources are to be checked. A bank that is there as its twin was
    checked before; its questions know no lines.
    """
    sound = assets.twin(Path(path))
    if sound is not None:
        return _bank(sound, str(path), range(len(sound["items"])), lambda _: 0)
    return parse_bank(read_text(Path(path), KIND.whole), str(path), known_references)


def kind_of(path: Path) -> str:
    """Return "case", "assignment" or else "bank": by its own field, as a file with faults must be told apart too."""
    raw = path.read_bytes()
    kinds = {"case": rb"^case\s*:", "assignment": rb"^quiz\s*:"}
    return next((kind for kind, field in kinds.items() if re.search(field, raw, re.MULTILINE)), "bank")


def read_text(path: Path, whole: str) -> str:
    """Return a file's text; raises BankError, which calls the file a `whole`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BankError([f"{path}: cannot be read ({error.strerror}); check the path"]) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BankError([Fault(str(path), line, whole, "is not UTF-8 text; save the file as UTF-8")]) from None


def load_banks(folder: Path | str, known_references: Collection[str] | None = None) -> tuple[Bank, ...]:
    """Read all banks (*.yml) of a folder, by file name; ids are unique over all of them. Raises BankError."""
    banks: list[Bank] = []
    faults: list[Fault | str] = []
    for path in assets.yaml_files(Path(folder)):
        try:
            banks.append(load_bank(path, known_references))
        except BankError as error:
            faults += error.faults
    faults += repeated_names(banks)
    if faults:
        raise BankError(faults)
    return tuple(banks)


def repeated_names(banks: Iterable[Bank]) -> Iterator[Fault]:
    """Yield a fault for each bank and each question whose id another bank has too."""
    first: dict[tuple[str, str], str] = {}
    for bank in banks:
        named = [("bank", bank.id, 1), *(("item", item.id, item.line) for item in bank.items)]
        for kind, name, line in named:
            other = first.setdefault((kind, name), bank.file)
            if other != bank.file:
                yield Fault(bank.file, line, f"{kind} {name}", f"{other} has this id too; change one of them")


def find_bank(name: str) -> Path:
    """Return the file of the practice bank with this id or file stem; raises BankError, naming those there are."""
    found: dict[str, Path] = {}
    stems: dict[str, Path] = {}
    for folder in (PACKAGED, CHECKOUT):
        for path in assets.yaml_files(folder):
            head = _head(path)
            if head.get("use") == "practice":
                found.setdefault(str(head.get("bank")), path)
                stems.setdefault(path.stem, path)
    if name in found or name in stems:
        return found.get(name) or stems[name]
    there = ", ".join(sorted(found)) or "none; get the course's quizzes folder back"
    raise BankError([f"there is no practice bank {name!r}; the practice banks are: {there}"])


def _head(path: Path) -> dict[str, Any]:
    head = assets.twin(path)
    if head is not None:
        return dict(head)
    import yaml

    # The fields above the questions; parsing a whole bank only to learn its name would take a hundred times as long.
    try:
        head = yaml.safe_load(path.read_text(encoding="utf-8-sig").split("\nitems:")[0])
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return head if isinstance(head, dict) else {}


def parse_bank(text: str, name: str, known_references: Collection[str] | None = None) -> Bank:
    """Read the text of a bank; `name` is what the faults call the file. Raises BankError with all faults."""
    bank, source = read_bank(text, name)
    for item in bank.items:
        for path, rule, what in faults_of(item, known_references):
            source.add(("items", item.index, *path), what, rule)
    first: dict[str, int] = {}
    for item in bank.items:
        if first.setdefault(item.id, item.line) != item.line:
            what = f"the question in line {first[item.id]} has this id too; change one of them"
            source.faults.append(Fault(name, item.line, f"item {item.id}", what))
    if source.faults:
        raise BankError(sorted(set(source.faults)))
    return bank


def read_bank(text: str, name: str) -> tuple[Bank, "Source"]:
    """Return a bank with those of its questions that fit the schema, and its text with all other faults.

    `faults_of` finds what is wrong with the questions themselves. Raises BankError if the text is not YAML.
    """
    from vertebra.quiz.source import Source  # brings YAML, which the browser does without

    source = Source(text, name, KIND)
    source.check_structure()
    data = source.data if isinstance(source.data, dict) else {}
    listed = data.get("items")
    count = len(listed) if isinstance(listed, list) else 0
    sound = [i for i in range(count) if not source.is_faulty(("items", i))]
    return _bank(data, name, sound, lambda i: source.line(("items", i))), source


def _bank(data: Mapping[str, Any], name: str, sound: Iterable[int], line: Callable[[int], int]) -> Bank:
    """Return a bank with those of its questions that fit the schema; `line` tells where each begins."""
    tasks = _task_folder(data.get("use"), name)
    items = tuple(_item(data["items"][i], line(i), i, tasks) for i in sound)
    head = {field: str(data.get(field, "")) for field in HEAD}
    return Bank(id=head.pop("bank"), **head, items=items, file=name)


def _task_folder(use: Any, name: str) -> Path:
    """Return where a bank's task files are: a graded bank's lie beside it, as every student's copy holds the assets."""
    return Path(name).parent / "tasks" if use == "graded" else assets.root() / "tasks"


def _item(raw: Mapping[str, Any], line: int, index: int, tasks: Path) -> Item:
    """Build an item from fields that fit the schema."""
    fields = dict(raw)
    for name in ("objectives", "sources", "claims"):
        fields[name] = tuple(raw.get(name, ()))
    fields["clinical_review"] = schema.reviews(raw["clinical_review"])
    for name, kind in (("options", Option), ("steps", Step), ("prompts", Prompt), ("slips", Slip)):
        fields[name] = tuple(kind(**part) for part in raw.get(name, ()))
    fields["regions"] = tuple(
        Region(**part | {"polygon": tuple((x, y) for x, y in part["polygon"])}) for part in raw.get("regions", ())
    )
    fields["decisions"] = tuple(
        Decision(**part | {"options": tuple(Option(**option) for option in part["options"])})
        for part in raw.get("decisions", ())
    )
    if "computed" in raw:
        fields["computed"] = Computed(raw["computed"]["by"], raw["computed"]["with"])
    if "image" in raw:
        fields["image"] = Image(**raw["image"])
    fields["bands"] = tuple(map(_band, raw.get("bands", ())))
    if "task" in raw:
        fields["task_file"] = tasks / f"{fields.pop('task')}.json"
    if "answer" in raw:
        fields["answer"] = NumericAnswer(**raw["answer"])
    if raw["format"] in schema.SCORING:
        fields.setdefault("scoring", schema.SCORING[raw["format"]][0])
    return Item(**fields, line=line, index=index)


def _band(raw: Mapping[str, Any]) -> Band:
    limits = [(name, side, limit) for side in ("above", "below") for name, limit in raw.get(side, {}).items()]
    return Band(raw["id"], raw["text"], raw["rationale"], raw["share"], tuple(limits))


# --- Meaning: what a schema cannot say --------------------------------------------------------------------------------

Found = Iterator[tuple[schema.Path, str, str]]  # place, rule of the linter, what is wrong; the mend


def faults_of(item: Item, known_references: Collection[str] | None = None) -> Found:
    """Yield (path within the question, rule, what is wrong; the mend) for what the schema cannot say."""
    yield from _faults_of_text(item, known_references)
    yield from _faults_of_image(item)
    yield from _faults_of_misconceptions(item)
    groups: dict[str, Sequence[Any]] = {
        "options": item.options,
        "steps": item.steps,
        "prompts": item.prompts,
        "decisions": item.decisions,
        "regions": item.regions,
        "bands": item.bands,
    }
    for group, parts in groups.items():
        yield from _faults_of_group(group, parts)
    match item.format:
        case "single_best_answer":
            yield from _faults_of_one_key("options", item.options)
        case "multiple_response":
            keys = sum(option.key for option in item.options)
            if keys == 0:
                yield ("options",), "L03", "no option is a key; give at least one key: true"
            if keys == len(item.options):
                yield ("options",), "L03", "every option is a key; add an option that is wrong"
        case "numeric":
            yield from _faults_of_number(item)
        case "matching":
            for i, prompt in enumerate(item.prompts):
                ids = [option.id for option in item.options]
                if prompt.answer not in ids:
                    mend = schema.nearest(prompt.answer, ids) or f"the options are: {', '.join(ids)}"
                    yield ("prompts", i, "answer"), "L03", f"prompt {prompt.id} has no option {prompt.answer}; {mend}"
        case "key_feature":
            yield from _faults_of_decisions(item)
        case "hotspot":
            yield from _faults_of_one_key("regions", item.regions)
            yield from _faults_of_regions(item)
        case "needle_path" | "stop_decision":
            yield from _faults_of_task(item)


def _faults_of_text(item: Item, known_references: Collection[str] | None) -> Found:
    instruction = item.format in ("ordering", "matching", "hotspot", "key_feature", *KINDS)
    if not item.stem.endswith(("?", ".") if instruction else "?"):
        mend = "end it with ? or, for an instruction, with a full stop" if instruction else "end it with ?"
        yield ("stem",), "L05", f"the stem is not a closed question; {mend}"
    if item.format == "key_feature" and not item.vignette:
        yield (), "L08", "the decisions are about nobody; add a vignette"
    if item.format == "single_best_answer" and item.bloom in APPLIED and not item.vignette:
        yield ("bloom",), "L08", f"bloom is {item.bloom} but there is no vignette; add a vignette, or lower bloom"
    if item.rationale:
        yield from _faults_of_rationale(("rationale",), "", item.rationale)
    for i, slip in enumerate(item.slips):
        yield from _faults_of_rationale(("slips", i, "rationale"), f" of slip {slip.value}", slip.rationale)
    for i, source in enumerate(item.sources):
        if source in item.sources[:i]:
            yield ("sources", i), "L21", f"source {source} is named twice; remove one"
        elif known_references is not None and source != "unreferenced" and source not in known_references:
            mend = schema.nearest(source, known_references) or "correct it, or write unreferenced"
            yield ("sources", i), "L21", f"there is no reference {source}; {mend}"


def _faults_of_misconceptions(item: Item) -> Found:
    parts: dict[schema.Path, Any] = {("options", i): part for i, part in enumerate(item.options)}
    parts |= {("regions", i): part for i, part in enumerate(item.regions)}
    parts |= {("slips", i): part for i, part in enumerate(item.slips)}
    for i, decision in enumerate(item.decisions):
        parts |= {("decisions", i, "options", j): part for j, part in enumerate(decision.options)}
    for path, part in parts.items():
        if part.misconception and getattr(part, "key", False):
            yield (*path, "misconception"), "L20", f"{part.id} is a key and has a misconception; remove one of the two"
        elif part.misconception and part.misconception not in misconceptions():
            mend = schema.nearest(part.misconception, misconceptions()) or "add it to assets/misconceptions.yml"
            yield (*path, "misconception"), "L20", f"there is no misconception {part.misconception}; {mend}"


def _faults_of_rationale(path: schema.Path, owner: str, rationale: str) -> Found:
    words = len(rationale.split())
    if words < RATIONALE_WORDS:
        what = f"the rationale{owner} is too short ({words} of at least {RATIONALE_WORDS} words)"
        yield path, "L20", f"{what}; say why, and name the mistake behind a wrong one"


def _faults_of_group(group: str, parts: Sequence[Any]) -> Found:
    kind = group.removesuffix("s")
    for i, part in enumerate(parts):
        if part.id in [other.id for other in parts[:i]]:
            yield (group, i, "id"), "L01", f"two {group} have the id {part.id}; change one of them"
        if part.text in [other.text for other in parts[:i]]:
            yield (group, i, "text"), "L03", f"two {group} have the same text as {kind} {part.id}; change one of them"
        if getattr(part, "rationale", ""):
            yield from _faults_of_rationale((group, i, "rationale"), f" of {kind} {part.id}", part.rationale)


def _faults_of_one_key(group: str, parts: Sequence[Option | Region]) -> Found:
    keys = [part.id for part in parts if part.key]
    if len(keys) != 1:
        have = f"has {len(keys)} keys ({', '.join(keys)})" if keys else "has no key"
        yield (group,), "L03", f"the question {have}; give key: true to exactly one of its {group}"


def _faults_of_decisions(item: Item) -> Found:
    named = [option.id for option in item.choices]
    for i, decision in enumerate(item.decisions):
        place = ("decisions", i)
        yield from (((*place, *path), rule, what) for path, rule, what in _faults_of_group("options", decision.options))
        for j, option in enumerate(decision.options):
            if named.count(option.id) > sum(other.id == option.id for other in decision.options):
                yield (*place, "options", j, "id"), "L01", f"option {option.id} is in two decisions; change one of them"
            if option.key and option.harms:
                yield (*place, "options", j), "L03", f"option {option.id} is a key and harms; remove one of the two"
        keys = sum(option.key for option in decision.options)
        if not keys:
            yield place, "L03", f"decision {decision.id} has no key; give key: true to at least one of its options"
        elif decision.choose < keys:
            what = f"decision {decision.id} has {keys} keys and lets {decision.choose} count"
            yield (*place, "choose"), "L03", f"{what}; raise choose, or remove keys"
        if decision.choose >= len(decision.options):
            what = f"decision {decision.id} lets all of its options count"
            yield (*place, "choose"), "L03", f"{what}; lower choose, or add options that are wrong"


def _faults_of_number(item: Item) -> Found:
    answer = item.answer
    if answer is None:
        return
    if answer.relative and answer.value == 0:
        yield (
            ("answer",),
            "L25",
            "a share of the value 0 is no tolerance; give an absolute tolerance and relative: false",
        )
    elif answer.tolerance == 0 and answer.value != int(answer.value):
        yield ("answer",), "L25", f"{answer.value} has no tolerance; give a tolerance above 0, or an integer value"
    for i, slip in enumerate(item.slips):
        if scoring.score(item.key_record(), slip.value) == 1:
            yield ("slips", i), "L03", f"slip {slip.value} is within the tolerance, so it is right; remove it"


def _faults_of_image(item: Item) -> Found:
    if item.image is None:
        return
    try:
        shape = _aspect(assets.path(item.image.src))
    except assets.AssetError:
        yield ("image", "src"), "L26", f"there is no picture {item.image.src} below assets/; add it, or correct src"
        return
    except (ValueError, ArithmeticError, struct.error):
        yield ("image", "src"), "L26", f"{item.image.src} is damaged, its size cannot be read; save the picture again"
        return
    if item.format == "hotspot" and shape and item.image.width and item.image.height:
        stated = item.image.width / item.image.height
        if abs(stated / shape - 1) > 0.01:
            what = f"width/height is {stated:.3f}, that of {item.image.src} is {shape:.3f}"
            yield ("image",), "L26", f"{what}, so clicks would miss; correct width and height"


def _aspect(file: Path) -> float | None:
    """Return width / height of a picture, None when it does not say; what is no picture raises one error or other."""
    raw = file.read_bytes()
    if file.suffix == ".png":
        if not raw.startswith(b"\x89PNG"):
            raise ValueError("not a PNG")
        width, height = struct.unpack(">II", raw[16:24])
        return float(width / height)
    box = re.search(rb"<svg[^>]*\bviewBox=[\"']([^\"']+)", raw)
    numbers = [float(number) for number in re.split(r"[\s,]+", box[1].decode().strip())] if box else []
    return numbers[2] / numbers[3] if len(numbers) == 4 and numbers[3] else None


def _faults_of_regions(item: Item) -> Found:
    if item.image is None or item.image.width is None or item.image.height is None:
        return
    for i, region in enumerate(item.regions):
        for j, (x, y) in enumerate(region.polygon):
            if not (0 <= x <= item.image.width and 0 <= y <= item.image.height):
                size = f"{item.image.width:g} x {item.image.height:g}"
                what = f"corner [{x:g}, {y:g}] of region {region.id} lies outside the picture ({size})"
                yield ("regions", i, "polygon", j), "L01", f"{what}; correct the corner"
        if not _overlap(region.polygon, region.polygon):
            yield (
                ("regions", i, "polygon"),
                "L01",
                f"the polygon of region {region.id} has no area; give its corners in turn",
            )
    for key in (region for region in item.regions if region.key):
        for i, region in enumerate(item.regions):
            if not region.key and _overlap(key.polygon, region.polygon):
                what = f"region {region.id} overlaps the key {key.id}, so a point could be both"
                yield ("regions", i, "polygon"), "L03", f"{what}; move its corners off the key"


def _faults_of_task(item: Item) -> Found:
    try:
        task = item.task
    except TaskError as error:
        yield ("task",), "L01", str(error)
        return
    if task.kind != item.format:
        yield ("task",), "L01", f"the task is a {task.kind}, the question a {item.format}; correct one of them"
        return
    known = [measure["id"] for measure in task.measures]
    named = True
    for i, band in enumerate(item.bands):
        for name, side, _ in band.limits:
            if name not in known:
                named = False
                mend = schema.nearest(name, known) or f"the quantities are: {', '.join(known)}"
                yield ("bands", i, side), "L01", f"the task measures no {name}; {mend}"
        last = i == len(item.bands) - 1
        if last == bool(band.limits):
            mend = "remove them: it takes all that is left" if last else "give it above or below, or move it to the end"
            yield (
                ("bands", i),
                "L01",
                f"band {band.id} {'is the last and has limits' if last else 'has no limits'}; {mend}",
            )
            return
    if not named:
        return
    places = task.sorted_into(item.bands)
    for i, band in enumerate(item.bands):
        if i not in places:
            yield ("bands", i), "L01", f"no answer at all falls into band {band.id}; correct the limits or remove it"
    record = item.key_record()
    if scoring.score(record, task.example) < 1:
        fallen = item.bands[places[scoring.setting(record, task.example)]]
        yield (
            ("bands",),
            "L01",
            f"the task's own good answer falls into band {fallen.id}; correct the limits or the shares",
        )
    if scoring.score(record, task.start) == 1:
        yield ("bands",), "L01", "the setting to begin with earns everything; correct the limits or the shares"


def _overlap(a: Sequence[tuple[float, float]], b: Sequence[tuple[float, float]]) -> bool:
    """Say whether two polygons share an area (a common edge is none), by the even-odd rule.

    Between two neighbouring heights at which a corner lies or edges cross, the polygons are strips with straight
    sides that do not cross; so they share an area there exactly if they do at the height halfway.
    """
    heights = {float(y) for _, y in (*a, *b)} | set(_crossings(a, b)) | set(_crossings(a, a)) | set(_crossings(b, b))
    slack = 1e-9 * (1 + max(abs(c) for point in (*a, *b) for c in point))
    for low, high in pairwise(sorted(heights)):
        if high - low > slack:
            middle = (low + high) / 2
            for left, right in _spans(a, middle):
                for start, end in _spans(b, middle):
                    if min(right, end) - max(left, start) > slack:
                        return True
    return False


def _edges(polygon: Sequence[tuple[float, float]]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    return pairwise([*polygon, polygon[0]])


def _spans(polygon: Sequence[tuple[float, float]], y: float) -> list[tuple[float, float]]:
    """Return the pieces (left, right) of the horizontal line at height y that lie inside the polygon."""
    xs = sorted((x2 - x1) * (y - y1) / (y2 - y1) + x1 for (x1, y1), (x2, y2) in _edges(polygon) if (y1 > y) != (y2 > y))
    return list(zip(xs[::2], xs[1::2], strict=True))


def _crossings(a: Sequence[tuple[float, float]], b: Sequence[tuple[float, float]]) -> Iterator[float]:
    """Yield the heights at which the lines through edges of a and b cross, within both edges."""
    for (x1, y1), (x2, y2) in _edges(a):
        for (x3, y3), (x4, y4) in _edges(b):
            turn = (x2 - x1) * (y4 - y3) - (y2 - y1) * (x4 - x3)
            if turn:
                s = ((x3 - x1) * (y4 - y3) - (y3 - y1) * (x4 - x3)) / turn
                t = ((x3 - x1) * (y2 - y1) - (y3 - y1) * (x2 - x1)) / turn
                if 0 <= s <= 1 and 0 <= t <= 1:
                    yield y1 + s * (y2 - y1)
