"""The blueprint of the practice banks: how many questions each objective has, in which formats, at which Bloom levels.

The objectives stand in `assets/objectives.yml`. A question counts for each objective that it names. What the course
wants of its banks is written below as numbers; `gaps` says where it falls short, each with its mend.
"""

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from types import MappingProxyType

from vertebra import assets
from vertebra.quiz import schema
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.items import APPLIED, Bank, BankError, Item
from vertebra.quiz.page import page
from vertebra.quiz.static import counted

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
    "stop_decision": "Stp",
}  # what a question counts as, and its short name
LEVELS = {level: level[:3].capitalize() for level in schema.BLOOM}


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


OBJECTIVE = schema.record(
    {
        "id": schema.text("a number of the syllabus such as O3.1", r"^O[0-9]+\.[0-9]+$"),
        "tier": schema.COMMON["tier"],
        "bloom": schema.COMMON["bloom"],
        "lesson": schema.BANK["properties"]["lesson"],
        "text": schema.text("what the student should be able to do, beginning with a verb"),
    }
)
KIND = schema.Kind(
    "list of objectives",
    schema.record({"objectives": schema.listed(OBJECTIVE, 1, "the objectives in the course's order")}),
    "objectives",
)


def parse_objectives(text: str, name: str = FILE) -> tuple[Objective, ...]:
    """Read the text of an objectives' file; `name` is what the faults call it. Raises BankError with all faults."""
    from vertebra.quiz.source import Source  # brings YAML, which the browser does without

    source = Source(text, name, KIND)
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
    sound = assets.twin(assets.root() / FILE)
    if sound is not None:
        found = tuple(Objective(**raw) for raw in sound["objectives"])
    else:
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

    def of(self, name: str) -> int:
        """Return how many of its questions count as this format, or are of this Bloom level."""
        return sum(n for cell, n in self.cells.items() if name in cell)


@dataclass(frozen=True)
class Lesson:
    """A lesson, its questions, and the rows of the objectives that it teaches first."""

    name: str
    items: tuple[Item, ...]
    rows: tuple[Row, ...]

    @property
    def formats(self) -> frozenset[str]:
        """Return the formats of its questions."""
        return frozenset(map(counted_as, self.items))


def lessons(banks: Iterable[Bank] | None = None, wanted: Mapping[str, Objective] | None = None) -> tuple[Lesson, ...]:
    """Count the questions of the banks, by default the course's practice banks, by lesson and by objective."""
    chosen = practice_banks() if banks is None else tuple(banks)
    rows = [_row(objective, chosen) for objective in (objectives() if wanted is None else wanted).values()]
    names = {row.objective.lesson for row in rows} | {bank.lesson for bank in chosen}
    return tuple(
        Lesson(
            name,
            tuple(item for bank in chosen if bank.lesson == name for item in bank.items),
            tuple(row for row in rows if row.objective.lesson == name),
        )
        for name in sorted(names)
    )


def _row(objective: Objective, banks: Iterable[Bank]) -> Row:
    about = [item for bank in banks for item in bank.items if objective.id in item.objectives]
    cells = Counter((counted_as(item), item.bloom) for item in about)
    return Row(objective, MappingProxyType(cells), sum(map(about_patient, about)))


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

    def have(self, items: Iterable[Item]) -> int:
        """Return how many of the questions are of the kind."""
        return sum(map(self.counts, items))


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
    return _gaps(lessons(banks, wanted))


def _gaps(course: Sequence[Lesson]) -> tuple[Gap, ...]:
    return (*_objective_gaps(course), *_lesson_gaps(course), *_course_gaps(_items(course)))


def _items(course: Iterable[Lesson]) -> list[Item]:
    return [item for lesson in course for item in lesson.items]


def _objective_gaps(course: Iterable[Lesson]) -> Iterator[Gap]:
    for row in (row for lesson in course for row in lesson.rows):
        objective = row.objective
        if row.have < objective.least:
            what = f"{counted(row.have, 'question')} of the {objective.least} that a {objective.tier} objective needs"
            yield Gap(objective.id, what, f"write {objective.least - row.have} more on: {objective.text}")
        if objective.needs_patient and not row.patients:
            what = f"no question is about a patient, and its level is {objective.bloom}"
            yield Gap(objective.id, what, "give one of its questions a vignette, or write a key-feature case")


def _lesson_gaps(course: Iterable[Lesson]) -> Iterator[Gap]:
    for lesson in course:
        items, formats = len(lesson.items), lesson.formats
        if items < LESSON_QUESTIONS:
            what = f"{counted(items, 'question')} of the {LESSON_QUESTIONS} that a lesson needs"
            yield Gap(lesson.name, what, f"write {LESSON_QUESTIONS - items} more in its bank")
        if len(formats) < LESSON_FORMATS:
            what = f"{counted(len(formats), 'format')} of the {LESSON_FORMATS} that a lesson needs"
            unused = " or ".join(name for name in ("ordering", "numeric", "matching") if name not in formats)
            yield Gap(lesson.name, what, f"ask some of it in another format, such as {unused}")


def _course_gaps(items: Iterable[Item]) -> Iterator[Gap]:
    items = tuple(items)
    for minimum in MINIMA:
        have = minimum.have(items)
        if have < minimum.least:
            yield Gap("course", f"{have} of {minimum.least} {minimum.kind}", f"write {minimum.least - have} more")
    for item in items:
        if item.format == "single_best_answer" and len(item.options) not in CHOICES:
            fewer = len(item.options) < CHOICES[0]
            mend = "write another wrong one" if fewer else "remove the wrong ones that nobody would choose"
            yield Gap(item.id, f"has {len(item.options)} options, must have 3 or 4", mend)


# --- Drawing ----------------------------------------------------------------------------------------------------------

LEGEND = (
    "SBA single best answer, MR multiple response, Num number, Ord ordering, Mat matching, EM extended matching, "
    "KF key-feature case, Hot hotspot, Ndl needle path, Stp stop decision. "
    "Rem remember, Und understand, App apply, Ana analyse, Eva evaluate, Cre create. "
    "A question counts for each objective that it names; Pat is how many are about a patient."
)
WIDTH = 110


def drawing(banks: Iterable[Bank] | None = None, wanted: Mapping[str, Objective] | None = None) -> str:
    """Return the blueprint for a terminal of 110 columns: each objective, the whole, what the course wants, gaps."""
    course = lessons(banks, wanted)
    short = _gaps(course)
    places = {gap.place for gap in short}
    names = (*FORMATS.values(), "|", *LEVELS.values())
    lines = [f"{'Objective':<11}{'Tier':<8}Need Have        {_cells(names)} Pat"]
    for lesson in course:
        lines.append(_title(lesson) + (" GAP" if lesson.name in places else ""))
        for row in lesson.rows:
            o = row.objective
            bar = "█" * min(row.have, o.least) + "░" * (o.least - row.have)
            drawn = _cells([*map(row.of, FORMATS), "|", *map(row.of, LEVELS)])
            line = f"  {o.id:<9}{o.tier:<8}{o.least:>4}{row.have:>5} {bar:<7}{drawn}{row.patients or '·':>4}"
            lines.append(line + (" GAP" if o.id in places else ""))
    items = _items(course)
    whole = _whole(items)
    lines += ["", f"{'Format by level':<22}{_cells(LEVELS.values())} All"]
    for form in FORMATS:
        numbers = [whole[form, level] for level in LEVELS]
        lines.append(f"  {form.replace('_', ' '):<20}{_cells([*numbers, sum(numbers)])}")
    lines += ["", f"{'The course wants':<32}Need Have"]
    for minimum in MINIMA:
        have = minimum.have(items)
        lines.append(f"  {minimum.kind:<30}{minimum.least:>4}{have:>5}{' GAP' if have < minimum.least else ''}")
    lines += ["", *textwrap.wrap(LEGEND, WIDTH)]
    for gap in short:
        lines += textwrap.wrap(f"GAP {gap}", WIDTH, subsequent_indent="    ")
    return "\n".join([*lines, _summary(course, short)])


def _title(lesson: Lesson) -> str:
    return f"{lesson.name}: {counted(len(lesson.items), 'question')} in {counted(len(lesson.formats), 'format')}"


def _summary(course: Sequence[Lesson], short: Sequence[Gap]) -> str:
    rows = sum(len(lesson.rows) for lesson in course)
    return f"{counted(rows, 'objective')}, {counted(len(_items(course)), 'question')}, {counted(len(short), 'gap')}"


def _cells(values: Iterable[str | int]) -> str:
    return "".join(f"{value or '·':>{2 if value == '|' else 4}}" for value in values)


def _whole(items: Iterable[Item]) -> Counter[tuple[str, str]]:
    return Counter((counted_as(item), item.bloom) for item in items)


STYLE = """:root { --heat: #00619e; --panel: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --heat: #6cbcf0; --panel: #1d242c; } }
body { max-width: 76rem; }
h2 { margin-top: 2rem; }
ul { padding-left: 1.2rem; } li { margin: .3rem 0; }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 3px solid var(--heat); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; line-height: 1.35; }
th, td { padding: .2rem .35rem; border: 1px solid var(--line); text-align: center; overflow-wrap: normal; }
th { font-weight: 600; } thead th { border-bottom-width: 2px; }
tbody th { text-align: left; min-width: 9rem; } tbody th small { font-weight: 400; }
tbody th[scope=row]:not([colspan]) { position: sticky; left: 0; background: var(--paper); }
.lesson th { background: var(--panel); } .lesson span { position: sticky; left: .35rem; }
.begins { border-left-width: 3px; }
.none { color: var(--soft); } .gap { color: var(--bad); font-weight: 700; }
.heat { background: color-mix(in srgb, var(--heat) var(--share), var(--paper)); print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
@media print { @page { size: A4 landscape; margin: 1.2cm; } :root { --heat: #00619e; --panel: #f4f6f8; }
  body { max-width: none; padding: 0; } .wide { overflow: visible; } table { font-size: 8pt; }
  tbody th { min-width: 0; } tr { break-inside: avoid; } .lesson { break-after: avoid; } }
@media (min-width: 60rem) { tbody th { min-width: 14rem; } }
"""
HOTTEST = 8  # questions; more look alike


def html(banks: Iterable[Bank] | None = None, wanted: Mapping[str, Objective] | None = None) -> str:
    """Return the blueprint as a page of HTML that needs nothing else; every coloured cell carries its number."""
    course = lessons(banks, wanted)
    short = _gaps(course)
    named = "".join(f"<li>{escape(str(gap))}</li>" for gap in short)
    none = "<p>None: each objective, each lesson and the course have what they need.</p>"
    body = f"""<h1>Blueprint of the practice questions</h1>
<p>{_summary(course, short)}.</p>
<h2 id="gaps">Gaps</h2>
{f"<ul>{named}</ul>" if short else none}
<h2 id="objectives">Objectives by format and level</h2>
<p class="soft">{LEGEND}</p>
{_wide("objectives", _objective_table(course, {gap.place for gap in short}))}
<h2 id="whole">Formats by level</h2>
{_wide("whole", _format_table(_whole(_items(course))))}
<h2 id="wants">What the course wants</h2>
{_wide("wants", _minimum_table(_items(course)))}"""
    return page("Blueprint of the practice questions", body, STYLE)


def _wide(heading: str, table: str) -> str:
    """Return the table in a frame that scrolls by itself, with the keyboard too."""
    return f'<div class="wide" role="region" tabindex="0" aria-labelledby="{heading}">{table}</div>'


def _objective_table(course: Iterable[Lesson], places: set[str]) -> str:
    heads = ["Objective", "Tier", "Need", "Have", "Gap", *FORMATS.values(), *LEVELS.values(), "Pat"]
    begins = {"SBA", "Rem", "Pat"}  # the first column of a group
    lines = []
    for lesson in course:
        gap = ' <span class="gap">gap</span>' if lesson.name in places else ""
        title = f"<span>{escape(_title(lesson))}{gap}</span>"
        lines.append(f'<tr class="lesson"><th scope="row" colspan="{len(heads)}">{title}</th></tr>')
        for row in lesson.rows:
            o = row.objective
            numbers = dict(zip(heads[5:], (*map(row.of, FORMATS), *map(row.of, LEVELS), row.patients), strict=True))
            cells = "".join(_cell(n, name in begins) for name, n in numbers.items())
            name = f'<th scope="row">{o.id} <small>{escape(o.text)}</small></th>'
            needs = f"<td>{o.tier}</td><td>{o.least}</td><td>{row.have}</td>{GAP if o.id in places else NO_GAP}"
            lines.append(f"<tr>{name}{needs}{cells}</tr>")
    columns = "".join(f'<th scope="col"{BEGINS if name in begins else ""}>{name}</th>' for name in heads)
    return _table(columns, lines)


def _format_table(whole: Mapping[tuple[str, str], int]) -> str:
    lines = []
    for form in FORMATS:
        numbers = [whole.get((form, level), 0) for level in LEVELS]
        cells = "".join(_cell(n) for n in numbers)
        lines.append(f'<tr><th scope="row">{form.replace("_", " ")}</th>{cells}<td>{sum(numbers)}</td></tr>')
    return _table("".join(f'<th scope="col">{name}</th>' for name in ("Format", *LEVELS, "all")), lines)


def _minimum_table(items: Sequence[Item]) -> str:
    lines = []
    for minimum in MINIMA:
        have = minimum.have(items)
        gap = GAP if have < minimum.least else NO_GAP
        lines.append(f'<tr><th scope="row">{minimum.kind}</th><td>{minimum.least}</td><td>{have}</td>{gap}</tr>')
    return _table("".join(f'<th scope="col">{name}</th>' for name in ("Kind", "Need", "Have", "Gap")), lines)


def _table(columns: str, lines: Iterable[str]) -> str:
    return f"<table><thead><tr>{columns}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


GAP, NO_GAP = '<td class="gap">gap</td>', '<td class="none">no</td>'
BEGINS = ' class="begins"'


def _cell(number: int, begins: bool = False) -> str:
    look = ("heat" if number else "none") + (" begins" if begins else "")
    share = f' style="--share: {10 + 30 * min(number, HOTTEST) / HOTTEST:.0f}%"' if number else ""
    return f'<td class="{look}"{share}>{number}</td>'
