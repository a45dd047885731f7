"""The report of one quiz for its instructor: what the class did, and which questions need a look.

The numbers are those of `statistics` and `standards`; here they are put into words, tables and figures. A report names
no student, and small cells stay hidden, so that it can be passed on to other instructors.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from vertebra.measure.reading import Z95
from vertebra.quiz.mastery import bands
from vertebra.quiz.static import counted
from vertebra.teaching import report_figures as draw
from vertebra.teaching import standards as setting
from vertebra.teaching import statistics
from vertebra.teaching.disclosure import FEWEST
from vertebra.teaching.files import TeachingError, write_text
from vertebra.teaching.report_page import Block, Drawn, Link, Section, Shown, Table, Words, page, write_notebook
from vertebra.teaching.statistics import Analysis, ChoiceTable, ClassResults, Interval, ItemAnalysis

HIDDEN = "hidden"
GRADEBOOK = "gradebook.sqlite"
"""The file in the folder that `vertebra quiz grade` writes."""
ENOUGH = {0.8: "enough for a course exam", 0.7: "enough for a quiz in class, too little for an exam"}
"""Reliabilities from which marks may be used for what."""
OPEN_ENDED = ("numeric", "ordering")
"""Formats whose wrong answers are what students wrote, so that even the name of a rare one would tell."""


@dataclass(frozen=True)
class Standards:
    """What judges said: Angoff's ratings, Hofstee's bounds, or both. pass_mark: the assignment's, in per cent."""

    ratings: setting.Ratings | None = None
    bounds: setting.Bounds | None = None
    pass_mark: float | None = None


@dataclass(frozen=True)
class Written:
    """The files of a report; notebook is None where there was no gradebook to read."""

    html: Path
    notebook: Path | None


@dataclass(frozen=True, eq=False)
class Report:
    """The report of a class. Raises TooFewError for a class too small to be described."""

    results: ClassResults
    standards: Standards = Standards()

    @cached_property
    def analysis(self) -> Analysis:
        """Return the statistics, computed once."""
        return statistics.analyse(self.results)

    @cached_property
    def bins(self) -> tuple[tuple[float, float, int], ...]:
        """Return the distribution of scores (`score_bins`)."""
        return score_bins(100 * statistics.scores(self.results))

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Return the parts of the report in their order."""
        return (
            _overview(self.analysis),
            _scores(self),
            _questions(self.analysis),
            _each(self.analysis),
            _reliability(self),
            _certainty(self.analysis),
            _objectives(self.analysis),
            _pass_mark(self),
            _method(self.analysis),
        )

    def show(self, section: str) -> Shown:
        """Return one section for a notebook. Raises KeyError for a name that is none."""
        return Shown({each.id: each for each in self.sections}[section])


def score_bins(percent: statistics.Floats) -> tuple[tuple[float, float, int], ...]:
    """Return (from, to, students) of scores in per cent, NaN left out: tens, joined until each holds `FEWEST` students.

    The last bin holds 100 as well; fewer than `FEWEST` students give one bin.
    """
    counts, edges = np.histogram(percent[~np.isnan(percent)], bins=np.linspace(0, 100, 11))
    joined: list[tuple[float, float, int]] = []
    start, held = 0.0, 0
    for end, n in zip(edges[1:], counts, strict=True):
        held += int(n)
        if held >= FEWEST:
            joined.append((start, float(end), held))
            start, held = float(end), 0
    if start < 100:
        low, _, n = joined.pop() if joined else (0.0, 0.0, 0)
        joined.append((low, 100.0, n + held))
    return tuple(joined)


def load_standards(
    results: ClassResults,
    angoff: Path | str | None = None,
    hofstee: Path | str | None = None,
    pass_mark: float | None = None,
) -> Standards:
    """Read what judges said of this quiz. Raises TeachingError with a line for each fault."""
    items = [item.id for item in results.items]
    return Standards(
        setting.load_angoff(angoff, items) if angoff else None,
        setting.load_hofstee(hofstee) if hofstee else None,
        pass_mark,
    )


def read_report(
    gradebook: Path | str, quiz: str = "", angoff: Path | str | None = None, hofstee: Path | str | None = None
) -> Report:
    """Return the report of a quiz in a gradebook: a SQLite file, or a URL that SQLAlchemy takes.

    quiz: may be left out if the gradebook holds one. Raises TeachingError if there is none, for a fault in a judges'
    file, and for a class too small to be described.
    """
    from vertebra.teaching.gradebook import open_gradebook

    with open_gradebook(gradebook, create=False) as book:
        held = book.quizzes()
        if not quiz and len(held) != 1:
            raise TeachingError(f"{book.name}: holds the quizzes {', '.join(held) or 'none'}; name one with --quiz")
        results = book.results(quiz or held[0])
        with book.read(results.quiz) as read:
            pass_mark = read.head.rules.get("pass_mark")
    report = Report(results, load_standards(results, angoff, hofstee, pass_mark))
    _ = report.analysis
    return report


def report_quiz(
    gradebook: Path | str,
    out: Path,
    quiz: str = "",
    angoff: Path | None = None,
    hofstee: Path | None = None,
) -> Written:
    """Write the report of a quiz in a gradebook as a page and as a notebook that reads the gradebook where it is.

    gradebook: a SQLite file, the folder that `vertebra quiz grade` wrote it to, or a URL. The notebook of a URL with a
    password would hold it, so there is none. Raises as `read_report` does.
    """
    is_url = isinstance(gradebook, str) and "://" in gradebook
    if not is_url and Path(gradebook).is_dir():
        gradebook = Path(gradebook) / GRADEBOOK
    report = read_report(gradebook, quiz, angoff, hofstee)
    if is_url:
        from sqlalchemy import make_url

        call = None if make_url(str(gradebook)).password else _call(str(gradebook), report, angoff, hofstee, out)
    else:
        call = _call(_beside(Path(gradebook), out), report, angoff, hofstee, out)
    return write_report(report.results, out, report.standards, call)


def _call(where: str, report: Report, angoff: Path | None, hofstee: Path | None, out: Path) -> str:
    files = [f", {name}={_beside(file, out)!r}" for name, file in (("angoff", angoff), ("hofstee", hofstee)) if file]
    opened = f"report = read_report({where!r}, {report.results.quiz!r}{''.join(files)})"
    return f"from vertebra.teaching.report import read_report\n{opened}"


def _beside(file: Path, out: Path) -> str:
    """Return a file's path as seen from the notebook's folder, whole if that lies on another drive."""
    try:
        return Path(os.path.relpath(file, out)).as_posix()
    except ValueError:
        return file.resolve().as_posix()


def write_report(
    results: ClassResults, out: Path | str, standards: Standards | None = None, call: str | None = None
) -> Written:
    """Write `report.html`, and `report.ipynb` if `call` is Python that opens the same report as `report`.

    Raises TeachingError for a class too small to be described and for a notebook that does not run.
    """
    report, out = Report(results, standards or Standards()), Path(out)
    title = f"Report: {results.title}"
    about = f"Quiz {results.quiz}. For instructors: it names no student, and numbers of fewer than {FEWEST} are hidden."
    text = page(title, about, report.sections)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "report.html", text, private=True)  # it shows the keys
    if call is None:
        return Written(out / "report.html", None)
    write_notebook(out / "report.ipynb", title, call, report.sections, PROSE)
    return Written(out / "report.html", out / "report.ipynb")


PROSE = {
    "": "What the class did and which questions need a look, computed anew from the gradebook when the cells run. It "
    f"names no student; numbers of fewer than {FEWEST} are hidden.",
    "class": "Start here. What follows shows what stands behind these sentences.",
    "scores": "Look for two humps (two classes in one?) and for a crowd at either end (too hard, too easy).",
    "questions": "*Facility* is the share of the credit that the class earned. The *point-biserial* says whether those "
    "who do well elsewhere do well here: from 0.20 the question may stay, below 0.10 read it again, clearly below 0 "
    "suspect its key.",
    "each": "A good right answer rises from the weakest group to the ablest, and a good wrong one falls.",
    "reliability": "How far the score of a student would move if the same quiz were asked again.",
    "certainty": "Dots below the dashed box: the class was surer than it was right.",
    "objectives": "A row of strong colour needs teaching again; one strong on the left only, the weaker students.",
    "pass-mark": "A standard is set by people and not by this page.",
    "method": "What was computed, and what not.",
}


# --- numbers in words ------------------------------------------------------------------------------------------------


def percent(share: float) -> str:
    """Return a share as "58 %", or a dash where there is none."""
    return "–" if np.isnan(share) else f"{100 * share:.0f}\u00a0%"


def with_limits(found: Interval, scale: float = 100.0, digits: int = 0, unit: str = "\u00a0%") -> str:
    """Return "58 % (49 to 66)", or a dash where there is no estimate."""
    if np.isnan(found.value):
        return "–"
    value, low, high = (signed(scale * each, digits) for each in (found.value, found.low, found.high))
    return f"{value}{unit} ({low}\u00a0to\u00a0{high})"


def signed(value: float, digits: int) -> str:
    """Return a number with a true minus, and none before zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def correlated(found: Interval) -> str:
    """Return a correlation with its limits to two digits."""
    return with_limits(found, 1.0, 2, "")


def groups_named(count: int) -> tuple[str, ...]:
    """Return what the groups of ability are called, the weakest first."""
    return ("weakest", "middle", "ablest") if count == 3 else ("weakest", "2nd", "3rd", "4th", "ablest")


def _excerpt(stem: str) -> str:
    return stem if len(stem) <= 70 else stem[:70].rsplit(" ", 1)[0] + " …"


# --- sections --------------------------------------------------------------------------------------------------------


def _overview(found: Analysis) -> Section:
    ranked = sorted(
        (
            (each.facility.value, place)
            for place, each in enumerate(found.items, 1)
            if not np.isnan(each.facility.value)
        ),
    )
    first = (
        f"{counted(found.n, 'student')} answered {counted(len(found.items), 'question')} and earned "
        f"{found.mean.value:.1f} % of the points on average (standard deviation {found.sd:.1f})."
    )
    second = "No question was shown to enough students to be described."
    if ranked:
        (low, hardest), (high, easiest) = ranked[0], ranked[-1]
        second = f"Every question earned {percent(low)} of the credit."
        if percent(low) != percent(high):
            second = (
                f"The hardest was question {hardest}, with {percent(low)} of the credit, "
                f"the easiest question {easiest}, with {percent(high)}."
            )
    suspects = [place for place, each in enumerate(found.items, 1) if each.suspect]
    third = "No key is under suspicion."
    if suspects:
        named = ", ".join(map(str, suspects))
        third = (
            f"The key of question {named} may be wrong: settle that before you give out marks."
            if len(suspects) == 1
            else f"The keys of questions {named} may be wrong: settle that before you give out marks."
        )
    blocks: list[Block] = [Words(said, "lead") for said in (first, second, third)]
    if found.warnings:
        blocks.append(Words("Before you read on:", "note", more=found.warnings))
    return Section("class", "What the class did", f"{first} {second} {third}", tuple(blocks))


def _scores(report: Report) -> Section:
    found, bins = report.analysis, report.bins
    says = (
        f"Mean {with_limits(found.mean, 1.0, 1)} of the points, standard deviation {found.sd:.1f}, "
        f"{counted(found.n, 'student')}."
    )
    heights = [(low, high, n) for low, high, n in bins]
    figure = draw.score_bars("Distribution of the scores", says, heights)
    last = len(bins) - 1
    rows = [
        (f"{low:.0f} to {'' if i == last else 'under '}{high:.0f} %", str(n)) for i, (low, high, n) in enumerate(bins)
    ]
    about = (
        f"Bars are joined until each holds {FEWEST} students; a wider bar is drawn as high as its mean over ten points."
    )
    table = Table("Students by score", ("Score", "Students"), rows)
    return Section("scores", "Scores", says, (Words(says), Drawn(figure, table), Words(about, "soft")))


def _questions(found: Analysis) -> Section:
    flagged = sum(bool(each.flags) for each in found.items)
    says = f"{flagged} of {counted(len(found.items), 'question')} carry a remark."
    rows = [
        (
            Link(f"q{place}", f"{place}. {_excerpt(each.item.stem)}"),
            str(each.n),
            with_limits(each.facility),
            correlated(each.correlation),
            "; ".join(each.flags) or "nothing to remark",
        )
        for place, each in enumerate(found.items, 1)
    ]
    head = ("Question", "Students", "Facility", "Point-biserial", "To look at")
    table = Table("Questions with facility and point-biserial", head, rows)
    about = (
        "Facility: the share of the credit that was earned. Point-biserial: the correlation of the question with the "
        "score on all the others; from 0.20 keep it, below 0.10 read it again, clearly below 0 suspect its key. In "
        "brackets: 95 % intervals."
    )
    figure = draw.item_intervals(
        "Facility and point-biserial of each question",
        "The numbers are those of the table of questions.",
        [
            (str(place), _ends(each.facility), _ends(each.correlation), each.suspect)
            for place, each in enumerate(found.items, 1)
        ],
    )
    return Section("questions", "Questions at a glance", says, (Words(says), Words(about, "soft"), table, figure))


def _ends(found: Interval) -> tuple[float, float, float] | None:
    return None if np.isnan(found.value) else (found.value, found.low, found.high)


def _each(found: Analysis) -> Section:
    blocks = [block for place, each in enumerate(found.items, 1) for block in _question(place, each, found.groups)]
    says = (
        f"{counted(len(found.items), 'question')}, {counted(sum(bool(each.alarms) for each in found.items), 'alarm')}."
    )
    about = (
        "Ability is the score on all other questions. A right answer should rise towards the ablest and a wrong one "
        f"fall. A number of fewer than {FEWEST} students is hidden, and others with it from which it would follow. "
        "r is the correlation of choosing an answer with ability."
    )
    return Section("each", "Question by question", says, (Words(about), *blocks))


def _question(place: int, found: ItemAnalysis, groups: int) -> Iterator[Block]:
    item = found.item
    yield Words(f"Question {place}", tag="h3", id=f"q{place}")
    kind = item.format.replace("_", " ")
    yield Words(f"{item.id} · {kind} · {', '.join(item.objectives)} · {counted(found.n, 'student')}", "soft")
    yield Words(item.stem, "stem")
    if not np.isnan(found.facility.value):
        d = "–" if np.isnan(found.discrimination) else signed(found.discrimination, 2)
        yield Words(
            f"Facility {with_limits(found.facility)}; point-biserial {correlated(found.correlation)}; "
            f"upper less lower 27 % of the class {d}."
        )
    if found.suspect:
        yield Words("Mis-key alarm. The key may be wrong:", "alarm", more=(*_alarms(found), *TO_DO))
    remarks = tuple(flag for flag in found.flags if not flag.startswith("suspect mis-key"))
    if remarks:
        yield Words("To look at:", "note", more=remarks)
    for table in found.choices:
        if table.place:
            yield Words(item.parts.get(table.place, table.place))
        yield _choices(place, found, table, groups)


TO_DO = (
    "Read the question and its key against the source. An alarm is a suspicion: in simulated classes of 50 up to 3 in "
    "100 sound keys were accused, and up to 14 in 100 where a question tells the able from the others only weakly.",
    "If the key is wrong, correct it in the bank and give it to the quiz with “vertebra quiz rekey”.",
    "Then grade again with “vertebra quiz grade”, which lists whose mark moved.",
    "If the key is right, ask whether the other answer can be defended, and reword it.",
)


def _alarms(found: ItemAnalysis) -> Iterator[str]:
    parts = found.item.parts
    for alarm in found.alarms:
        where = f"In “{parts.get(alarm.place, alarm.place)}”: " if alarm.place else ""
        what = _option(found, alarm.option)
        says = "is in the key, but who leaves it out did" if alarm.right else "is not in the key, but who chose it did"
        yield f"{where}“{what}” {says} better on the other questions."
    if not found.alarms:
        yield "Those who earned credit here did worse on the other questions than those who earned none."


def _option(found: ItemAnalysis, option: str) -> str:
    """Return an option in words; an order is its steps."""
    parts = found.item.parts
    if not option:
        return "no answer, or another"
    if found.item.format == "ordering":
        return " → ".join(parts.get(step, step) for step in option.split(" > "))
    return parts.get(option, option)


def _choices(place: int, found: ItemAnalysis, table: ChoiceTable, groups: int) -> Drawn:
    names = groups_named(groups)
    shown = [
        j
        for j, option in enumerate(table.options)
        if table.right[j] or not (option and found.item.format in OPEN_ENDED and np.isnan(table.totals[j]))
    ]
    rows, curves = [], []
    for letter, j in zip(_letters(len(shown)), shown, strict=True):
        option, right = table.options[j], bool(table.right[j])
        label = f"{letter}. {_option(found, option)}" if option else _option(found, option)
        shares = table.counts[:, j] / np.maximum(table.sizes, 1)
        label += " ✓ right" if right else ""
        cells = [
            HIDDEN if np.isnan(n) else f"{n:.0f} ({percent(share)})"
            for n, share in zip(table.counts[:, j], shares, strict=True)
        ]
        total = HIDDEN if np.isnan(table.totals[j]) else f"{table.totals[j]:.0f}"
        r = "–" if np.isnan(table.correlation[j]) else signed(table.correlation[j], 2)
        rows.append((label, *cells, total, r))
        known = tuple(None if np.isnan(share) else float(share) for share in shares)
        name = f"{letter} ✓ right" if right else letter if option else "none"
        curves.append(draw.Curve(name, right, known))
    if len(shown) < len(table.options):
        rows.append(("Rare answers", *[HIDDEN] * (groups + 1), "–"))
    sizes = tuple(f"{name} (n\u00a0=\u00a0{n})" for name, n in zip(names, table.sizes, strict=True))
    where = f", {found.item.parts.get(table.place, table.place)}" if table.place else ""
    caption = f"Question {place}{where}: answers by ability group"
    drawn = [
        curve
        for curve in curves
        if any(curve.shares if curve.name == "none" else (share is not None for share in curve.shares))
    ]
    says = "; ".join(
        f"{curve.name}: " + ", ".join(HIDDEN if share is None else percent(share) for share in curve.shares)
        for curve in drawn
    )
    figure = draw.answer_lines(caption, says or "Every number is hidden.", names, drawn)
    head = ("Answer", *sizes, "All", "r")
    return Drawn(figure, Table(caption, head, rows), beside=True)


def _letters(count: int) -> list[str]:
    return [ascii_uppercase[i % 26] + (str(i // 26) if i >= 26 else "") for i in range(count)]


def _reliability(report: Report) -> Section:
    found = report.analysis.reliability
    name = "KR-20" if found.binary else "Cronbach's alpha"
    if np.isnan(found.alpha.value):
        says = "Reliability cannot be computed: the scores do not vary enough."
        return Section("reliability", "Reliability", says, (Words(says),))
    enough = next((what for least, what in ENOUGH.items() if found.alpha.value >= least), "too little to rank students")
    half = Z95 * found.sem
    says = (
        f"{name} {correlated(found.alpha)}: {enough}. Standard error of measurement {found.sem:.1f} points of per cent."
    )
    near = (
        f"What it means near the pass mark: a student's score is known to about ± {half:.0f} points of per cent. "
        "Within that distance of the pass mark, chance alone can decide on which side a student lies, so look at more "
        "than this one quiz before anybody fails by it."
    )
    cuts = _cuts(report)
    if cuts:
        whose, cut = next(iter(cuts.items()))
        near += f" With {whose} of {cut:.1f} % that is from {cut - half:.1f} to {cut + half:.1f} %."
    return Section("reliability", "Reliability", says, (Words(says), Words(near)))


LEVELS = {1: "not very sure", 2: "fairly sure", 3: "very sure"}


def _certainty(analysis: Analysis) -> Section:
    found = analysis.calibration
    if not found.n:
        says = "No certainty was asked for, or too few students stated one."
        return Section("certainty", "Certainty", says, (Words(says),))
    says = (
        f"{counted(found.n, 'answer')} of {counted(found.people, 'student')} with a certainty earned "
        f"{with_limits(found.share)} of the credit; Brier score {found.brier:.3f} (0 is perfect)."
    )
    claims, rows, levels = bands(), [], []
    for level in found.levels:
        low, high = claims[level.certainty]
        band = f"{100 * low:.0f} to {100 * high:.0f} %"
        number = HIDDEN if level.hidden else str(level.n)
        rows.append((LEVELS[level.certainty], band, number, HIDDEN if level.hidden else with_limits(level.share)))
        if not np.isnan(level.share.value):
            levels.append(
                draw.Level(LEVELS[level.certainty], (low, high), level.share.value, level.share.low, level.share.high)
            )
    head = ("Certainty", "Pays if right in", "Answers", "Credit earned")
    figure = draw.calibration_bars("Certainty stated and credit earned", says, levels)
    about = "Dashed box: how often an answer must be right for this certainty to pay. A dot below it: surer than right."
    blocks = (Words(says), Drawn(figure, Table("Credit earned by certainty", head, rows)), Words(about, "soft"))
    return Section("certainty", "Certainty", says, blocks)


def _objectives(analysis: Analysis) -> Section:
    names = groups_named(analysis.groups)
    rows, heat = [], []
    for row in analysis.objectives:
        cells = [HIDDEN if np.isnan(mean) else percent(mean) for mean in row.means]
        rows.append((row.objective, str(len(row.items)), with_limits(row.mean), *cells))
        heat.append((row.objective, [None if np.isnan(mean) else float(mean) for mean in row.means]))
    says = "; ".join(f"{row.objective} {percent(row.mean.value)}" for row in analysis.objectives) + "."
    figure = draw.heat_map("Share of the points by objective and ability group", says, names, heat)
    table = Table("Share of the points by objective", ("Objective", "Questions", "All", *names), rows)
    about = "The stronger the colour, the fewer points. Ability is the whole score here; one division holds for all."
    return Section("objectives", "Objectives", says, (Drawn(figure, table), Words(about, "soft")))


def _angoff(report: Report) -> setting.Angoff:
    assert report.standards.ratings is not None
    points = [item.points for item in report.results.items]
    facilities = [each.facility.value for each in report.analysis.items]
    return setting.angoff(report.standards.ratings, points, facilities)


def below(bins: Sequence[tuple[float, float, int]], counts: Iterable[int]) -> tuple[str, ...]:
    """Say how many students lie below each cut, so that the differences from `bins` and each other tell of no few.

    counts: students below each cut; of those that are too near each other the first is said, the others between which
    numbers said before they lie. Few are fewer than `FEWEST`.
    """
    edges = [0, *accumulate(n for _, _, n in bins)]
    size, said = edges[-1], []
    for count in counts:
        if all(count == edge or abs(count - edge) >= FEWEST for edge in edges):
            edges = sorted({*edges, count})
            said.append(f"{counted(count, 'student')} of {size}")
        else:
            low, high = next((low, high) for low, high in pairwise(edges) if low <= count <= high)
            said.append(f"between {low} and {high} of {size} students")
    return tuple(said)


ANGOFF, HOFSTEE, ASSIGNED = "Angoff's cut", "Hofstee's cut", "the assignment's pass mark"


def _cuts(report: Report) -> dict[str, float]:
    """Return {whose: cut in per cent}, the one first that the report goes by: judges' before the assignment's own."""
    found: dict[str, float] = {}
    standards = report.standards
    if standards.ratings is not None:
        found[ANGOFF] = _angoff(report).cut.value
    if standards.bounds is not None:
        cut = _hofstee(report, standards.bounds).cut
        found |= {} if cut is None else {HOFSTEE: cut}
    if standards.pass_mark is not None:
        found[ASSIGNED] = standards.pass_mark
    return found


def _hofstee(report: Report, bounds: setting.Bounds) -> setting.Hofstee:
    return setting.hofstee(bounds, 100 * statistics.scores(report.results))


def _pass_mark(report: Report) -> Section:
    said: list[str] = []
    blocks: list[Block] = []
    for words, more in (_assigned_blocks(report), _angoff_blocks(report), _hofstee_blocks(report)):
        said += words
        blocks += more
    if not _judged(report.standards):
        how = (
            "No judges' file was given. Angoff: a CSV with the column judge and one column for each question, each "
            "cell the share from 0 to 1 of borderline candidates who would get it right; Hofstee: the columns judge, "
            f"{', '.join(setting.BOUNDS)}, in per cent. Give them as --angoff FILE and --hofstee FILE."
        )
        said.append(how)
        blocks.append(Words(how))
    return Section("pass-mark", "Pass mark", " ".join(said), tuple(blocks))


def _judged(standards: Standards) -> bool:
    return standards.ratings is not None or standards.bounds is not None


def _failing(report: Report, whose: str) -> str:
    """Say how many lie below one of the cuts (`_cuts`)."""
    scores = 100 * statistics.scores(report.results)
    scores = scores[~np.isnan(scores)]
    cuts = _cuts(report)
    said = below(report.bins, [round(setting.failing(scores, cut) * scores.size / 100) for cut in cuts.values()])
    return dict(zip(cuts, said, strict=True))[whose]


def _assigned_blocks(report: Report) -> tuple[list[str], list[Block]]:
    cut = report.standards.pass_mark
    if cut is None:
        return [], []
    says = (
        f"The assignment's pass mark is {cut:g} % of the points; below it lie {_failing(report, ASSIGNED)}, what "
        "lateness took off left out."
    )
    if _judged(report.standards):
        return [says], [Words("The assignment", tag="h3"), Words(says)]
    says += " No other standard was given, so the report goes by it."
    return [says], [Words(says)]


def _warned(warnings: tuple[str, ...]) -> list[Block]:
    return [Words("Before you use it:", "note", more=warnings)] if warnings else []


def _angoff_blocks(report: Report) -> tuple[list[str], list[Block]]:
    if report.standards.ratings is None:
        return [], []
    found = _angoff(report)
    says = (
        f"Angoff's cut is {with_limits(found.cut, 1.0, 1)} of the points (standard error {found.se:.1f}); "
        f"below it lie {_failing(report, ANGOFF)}."
    )
    agree = f"Agreement of one judge (ICC) {correlated(found.one)}, of the mean of all {correlated(found.all)}."
    rows = [
        (
            judge.name,
            f"{judge.cut:.1f} %",
            signed(judge.severity, 1),
            correlated(judge.agreement),
            correlated(judge.facility),
            "; ".join(judge.flags) or "nothing to remark",
        )
        for judge in found.judges
    ]
    head = ("Judge", "Cut", "Stricter than the others by", "With the others", "With the facilities", "To look at")
    figure = draw.judge_dots(
        "Angoff: the cut of each judge",
        says,
        [(judge.name, judge.cut) for judge in found.judges],
        found.cut.value,
        found.cut.low,
        found.cut.high,
    )
    table = Table("The judges: cut, severity and consistency (correlations over the questions)", head, rows)
    return [says], [
        Words("Angoff", tag="h3"),
        Words(says),
        Words(agree),
        *_warned(found.warnings),
        Drawn(figure, table),
    ]


def _hofstee_blocks(report: Report) -> tuple[list[str], list[Block]]:
    if report.standards.bounds is None:
        return [], []
    found = _hofstee(report, report.standards.bounds)
    if found.cut is None or found.fail is None:
        says = f"Hofstee: {found.says.split(' (')[0]}."
    else:
        says = f"Hofstee's cut is {found.cut:.1f} % of the points; below it lie {_failing(report, HOFSTEE)}."
    curve, held = [(0.0, 0.0)], 0
    for _, end, n in report.bins:
        held += n
        curve.append((end, 100 * held / report.analysis.n))
    box = (found.lowest_cut, found.highest_cut, found.lowest_fail, found.highest_fail)
    figure = draw.hofstee_plot("Hofstee: failing students at each cut", says, curve, box, found.cut)
    rows = [
        ("Cut", f"{found.lowest_cut:.1f} %", f"{found.highest_cut:.1f} %"),
        ("Failing", f"{found.lowest_fail:.1f} %", f"{found.highest_fail:.1f} %"),
    ]
    table = Table("What the judges accept, on average", ("Bound", "Lowest", "Highest"), rows)
    about = "The curve is drawn from the bars of the scores, so that no student can be read off it; the cut is exact."
    blocks = [Words("Hofstee", tag="h3"), Words(says), *_warned(found.warnings), Drawn(figure, table)]
    return [says], [*blocks, Words(about, "soft")]


def _method(found: Analysis) -> Section:
    groups = "fifths" if found.groups == 5 else "thirds"
    lines = (
        f"Nothing is computed below {statistics.REFUSE} students, and below {statistics.WARN} the report warns.",
        "Intervals are 95 % ones: Wilson's for shares (widened for partial credit), Fisher's for correlations, Feldt's "
        "for reliability.",
        f"The point-biserial is corrected: a question is left out of the score it is held against. Groups are {groups} "
        "of the class; equal scores stay together.",
        f"Numbers of fewer than {FEWEST} students are hidden, and others from which they would follow.",
        "The statistics describe this class and this quiz. They do not say that a question is right.",
    )
    says = "How the numbers were made"
    return Section("method", says, says + ".", (Words("In short:", more=lines),))
