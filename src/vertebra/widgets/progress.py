"""The own progress: what is due, how secure each objective is, how well certainty fits, what was sure and wrong."""

import html
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import traitlets

from vertebra.evidence.tables import table
from vertebra.language import N_, _, ngettext
from vertebra.quiz import items, mastery, review
from vertebra.quiz.blueprint import Objective, objectives
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.mastery import Calibration, Level, Mastery
from vertebra.quiz.progress import FILE, ProgressFile
from vertebra.quiz.review import Attempt
from vertebra.quiz.static import counted
from vertebra.widgets.asking import HERE, Asking, Module, script, style
from vertebra.widgets.ledger import lesson_name
from vertebra.widgets.quiz import PRACTICE_INSTRUCTIONS, QuizError, QuizWidget, revise

SITTING = 20  # questions at a time; more than half an hour is no review but a task
FILMS = "05_imaging"  # the lesson with the gym, which mixes in the films that are due
MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)
CERTAINTY = {1: N_("Guess"), 2: N_("Fairly sure"), 3: N_("Certain")}
VERDICTS = {
    "secure": N_("likely secure"),
    "fading": N_("was secure, fading"),
    "open": N_("open"),
    "weak": N_("likely weak"),
    "few": N_("too few to say"),
    "unmet": N_("not met yet"),
}
MEANINGS = {
    "secure": N_("more likely than 4 in 5 that you earn over two thirds of its credit"),
    "fading": N_("as secure, but too many of the answers are old"),
    "open": N_("the answers do not decide it"),
    "weak": N_("more likely than 4 in 5 that you earn less than two thirds"),
    "few": N_("fewer than {met} of its questions met"),
    "unmet": N_("none of its questions met"),
}
TIERS = {"must": N_("must know"), "should": N_("should know"), "nice": N_("nice to know")}
LIMITS = N_(
    "Estimates from a few questions each: they say where to look next, and nothing about how you would examine or talk "
    "to a patient. When things return is reckoned with FSRS and its usual weights, which were fitted to flash cards."
)
PARTS = (
    (
        N_("Due today"),
        N_("Questions and films come back shortly before you would forget them, those you missed first."),
    ),
    (
        N_("Mastery"),
        N_("For each objective an estimate with its uncertainty, so that a lucky answer is not called mastery."),
    ),
    (
        N_("Calibration"),
        N_("Whether you are right as often as your certainty says, with a Brier score, for each lesson."),
    ),
    (
        N_("Sure and wrong"),
        N_("What you were certain of and had wrong, with the mistake behind it. Nothing is worth more."),
    ),
)


# --- words -----------------------------------------------------------------------------------------------------------


def percent(share: float) -> int:
    """Return a share as whole percent."""
    return round(100 * share)


def ranged(limits: tuple[float, float]) -> str:
    """Return an interval of shares, such as 48 to 94 %."""
    low, high = map(percent, limits)
    return _("{low} to {high}\u00a0%").format(low=low, high=high)


def signed(value: float) -> str:
    """Return a number of marks with its sign, and two decimals at most."""
    rounded = round(value, 2)
    return f"{rounded:+.2f}".rstrip("0").rstrip(".").replace("-", "\N{MINUS SIGN}") if rounded else "0"


def day(when: datetime) -> str:
    """Return a date on the student's calendar."""
    local = when.astimezone()
    return _("{day} {month} {year}").format(day=local.day, month=_(MONTHS[local.month - 1]), year=local.year)


# --- what is shown ---------------------------------------------------------------------------------------------------


def lessons() -> dict[str, str]:
    """Return the lessons that have questions or objectives, in course order: {file stem: name}."""
    stems = {bank.lesson for bank in practice_banks()} | {each.lesson for each in objectives().values()}
    return {stem: lesson_name(stem) for stem in sorted(stems)}


def about() -> dict[str, Any]:
    """Return what does not depend on the student: lessons, objectives and words."""
    bands, stands = mastery.bands(), mastery.stated()
    return {
        "lessons": [{"stem": stem, "name": name} for stem, name in lessons().items()],
        "objectives": [
            {
                "id": each.id,
                "tier": each.tier,
                "tier_name": _(TIERS[each.tier]),
                "lesson": each.lesson,
                "text": each.text,
            }
            for each in objectives().values()
        ],
        "verdicts": [
            {"id": name, "name": _(words), "means": _(MEANINGS[name]).format(met=mastery.MET)}
            for name, words in VERDICTS.items()
        ],
        "line": 100 * mastery.LINE,
        "certainty": [
            {"name": _(name), "band": [100 * end for end in bands[level]], "stands": 100 * stands[level]}
            for level, name in CERTAINTY.items()
        ],
        "parts": [{"name": _(name), "says": _(says)} for name, says in PARTS],
        "films": f"{FILMS}.ipynb",
        "start": "00_start.ipynb",
        "sitting": SITTING,
        "limits": _(LIMITS),
    }


class Record:
    """What a student has met, beside the questions of the course, at one time."""

    def __init__(self, log: ProgressFile, at: datetime) -> None:
        """Take in the events of `log`; things are due as of `at`, whose time zone says when a day ends."""
        self.at = at
        self.events, self.attempts, self.readings = log.events, log.attempts, log.readings
        self.lesson = {item.id: bank.lesson for bank in practice_banks() for item in bank.items}
        self.items = {item.id: item for bank in practice_banks() for item in bank.items}
        cards = review.schedule(log.events)
        # A question that is gone cannot return.
        self.cards = {name: card for name, card in cards.items() if isinstance(name, int) or name in self.items}
        self.agenda = mastery.agenda(self.cards, at)

    def due(self) -> list[items.Item]:
        """Return the questions that are due, the longest overdue first."""
        return [self.items[name] for name in self.agenda.now if isinstance(name, str)]

    def sure_and_wrong(self) -> list[Attempt]:
        """Return the attempts that were certain and wrong, at questions that are still there, newest first."""
        return [attempt for attempt in mastery.sure_and_wrong(self.attempts) if attempt.item in self.items]

    def of(self, objective: str) -> list[items.Item]:
        """Return the questions of an objective, as they are worth practising."""
        own = [item for item in self.items.values() if objective in item.objectives]
        return mastery.practice_order(own, self.attempts, self.cards, self.at)

    def mastery(self) -> dict[str, Mastery]:
        """Return the mastery of each objective."""
        return mastery.mastery(objectives(), self.items.values(), self.attempts, self.cards, self.at)

    def calibrations(self) -> dict[str, Calibration]:
        """Return the calibration of first answers: "" over all questions, by lesson, and "films" for first readings."""
        first = list(mastery.first(self.attempts).values())
        by_lesson: dict[str, list[tuple[int, float]]] = {"": [(a.certainty, a.fraction) for a in first]}
        for attempt in first:
            stem = self.lesson.get(attempt.item)
            if stem:
                by_lesson.setdefault(stem, []).append((attempt.certainty, attempt.fraction))
        films = [(reading.certainty, float(reading.right)) for reading in review.first_readings(self.readings)]
        groups = dict(sorted(by_lesson.items())) | ({"films": films} if films else {})
        return {name: mastery.calibration(answers) for name, answers in groups.items()}


def overview(record: Record) -> dict[str, Any]:
    """Return everything that the page shows of a record."""
    last, found = mastery.latest(record.attempts), record.mastery()
    films = {reading.seed for reading in record.readings}
    verdicts = Counter(each.verdict for each in found.values())
    since = record.events[0].when if record.events else None
    return {
        "met": since is not None,
        "headline": _("{questions} and {films} met since {day}.").format(
            questions=ngettext("{n} question", "{n} questions", len(last)).format(n=len(last)),
            films=ngettext("{n} film", "{n} films", len(films)).format(n=len(films)),
            day=day(since),
        )
        if since
        else "",
        "secure": verdicts["secure"],
        "due": shown_due(record),
        "mastery": {name: shown_mastery(each) for name, each in found.items()},
        "owed": dict(Counter(name for item in record.due() for name in item.objectives)),
        "calibration": [
            shown_calibration(name, each) for name, each in record.calibrations().items() if each.n or not name
        ],
        "sure": [shown_sure(record, attempt) for attempt in record.sure_and_wrong()],
        "marks": shown_marks(record.attempts),
    }


def shown_due(record: Record) -> dict[str, Any]:
    """Return what is due by lesson, and what comes next, in numbers and words."""
    due = record.agenda
    films = sum(isinstance(name, int) for name in due.now)
    by_lesson = Counter(record.lesson[item.id] for item in record.due())
    coming = {
        _("{n} later today"): due.today,
        _("{n} tomorrow"): due.tomorrow,
        _("{n} in the five days after"): due.week,
    }
    return {
        "items": sum(by_lesson.values()),
        "films": films,
        "lessons": [{"name": lesson_name(stem), "n": n} for stem, n in sorted(by_lesson.items())],
        "coming": ", ".join(when.format(n=len(things)) for when, things in coming.items() if things),
    }


def shown_mastery(found: Mastery) -> dict[str, Any]:
    """Return the mastery of one objective, its numbers in percent."""
    if not found.n:
        return {"verdict": "unmet", "n": 0, "of": found.of, "told": _("No estimate.")}
    low, high = found.interval
    return {
        "verdict": found.verdict,
        "n": found.n,
        "of": found.of,
        "mean": percent(found.mean),
        "low": percent(low),
        "high": percent(high),
        "told": _("Estimate {share}\u00a0%, 90\u00a0% interval {interval}.").format(
            share=percent(found.mean), interval=ranged(found.interval)
        ),
    }


def shown_calibration(name: str, found: Calibration) -> dict[str, Any]:
    """Return one group's calibration: levels in percent, and what it says in sentences."""
    titles = {"": _("All questions"), "films": _("Films of the gym")}
    low, high = found.earned.limits
    return {
        "id": name or "all",
        "name": titles.get(name) or lesson_name(name),
        "n": found.n,
        "verdict": found.verdict,
        "levels": [shown_level(found.levels[level]) for level in CERTAINTY],
        "claimed": [percent(end) for end in found.claimed],
        "earned": [percent(found.earned.share or 0), percent(low), percent(high)],
        "brier": "" if found.brier is None else f"{found.brier:.2f}",
        "lines": told(found),
    }


def shown_level(level: Level) -> dict[str, Any]:
    """Return the answers at one certainty: n, share and Wilson limits in percent, and the same in words."""
    if level.share is None:
        return {"n": 0, "told": _("none yet")}
    low, high = level.limits
    words = f"{percent(level.share)}\u00a0% ({ranged(level.limits)})"
    return {"n": level.n, "share": percent(level.share), "low": percent(low), "high": percent(high), "told": words}


def told(found: Calibration) -> list[str]:
    """Return in plain words whether the certainty fits."""
    if found.verdict == "early":
        need = mastery.ENOUGH_ANSWERS
        early = _("{n} of {need} first answers: too early to say. Go on, and be honest about what you guess.")
        return [early.format(n=found.n, need=need)]
    claimed, earned = ranged(found.claimed), found.earned
    lines = []
    for level, (low, high) in mastery.bands().items():
        of = found.levels[level]
        if of.share is None:
            continue
        when = {"level": _(CERTAINTY[level]).lower(), "share": percent(of.share)}
        if of.limits[1] < low:
            down = _("At “{level}” you earned {share}\u00a0%, and it pays only from {limit}\u00a0%: take a step down.")
            lines.append(down.format(**when, limit=percent(low)))
        if of.limits[0] > high:
            up = _(
                "At “{level}” you earned {share}\u00a0%, and from {limit}\u00a0% more certainty pays: "
                "trust yourself more."
            )
            lines.append(up.format(**when, limit=percent(high)))
    fits = _("On the whole your certainty fits") if lines else _("Your certainty fits")
    head = {"over": _("Over-confident"), "under": _("Under-confident"), "fits": fits}[found.verdict]
    claim = _(
        "{head}: your answers claim {claimed} of the credit and earned {share}\u00a0% (95\u00a0% interval {interval})."
    )
    earns = {"share": percent(earned.share or 0), "interval": ranged(earned.limits)}
    lines.insert(0, claim.format(head=head, claimed=claimed, **earns))
    brier = _(
        "Brier score {score}: 0 is perfect, 0.25 is what 50\u00a0% said of every answer earns. {part} of it comes from "
        "certainty that does not fit."
    )
    lines.append(brier.format(score=f"{found.brier:.2f}", part=f"{found.miscalibration:.2f}"))
    return lines


def shown_sure(record: Record, attempt: Attempt) -> dict[str, Any]:
    """Return a question that was answered wrongly with certainty, and the mistakes behind the answer."""
    item = record.items[attempt.item]
    return {
        "vignette": item.vignette,
        "stem": item.stem,
        "lesson": lesson_name(record.lesson[item.id]),
        "file": f"{record.lesson[item.id]}.ipynb",
        "when": day(attempt.when),
        "mistakes": list(mastery.mistakes_in(item, attempt.answer)),
    }


def shown_marks(attempts: Sequence[Attempt]) -> dict[str, str]:
    """Return the certainty marks: of first answers, which tell, and of questions that came back."""
    first, every = mastery.marks(mastery.first(attempts).values()), mastery.marks(attempts)
    again = _("{earned} of {most} when questions came back").format(
        earned=signed(every.earned - first.earned), most=f"{every.most - first.most:g}"
    )
    return {"earned": signed(first.earned), "most": f"{first.most:g}", "again": again if every.n > first.n else ""}


# --- the widget ------------------------------------------------------------------------------------------------------


def _enclosed(name: str) -> str:
    """Return a widget's ES module as a constant such as QUIZ that holds its default export and shares no other name."""
    body = script(name).replace("export default ", "return ").replace("export function ", "function ")
    return f"const {name.upper()} = (() => {{\n{body}}})();\n"


class Progress(Asking):
    """The page, asked by its browser half; while the student practises, it hands a quiz on to the quiz's browser half.

    wanted: {"practise": "due", "sure", an objective's id, or "" for the page itself, "sitting": grows with each start}.
    quiz, responses, saved, trouble: the traits of a `QuizWidget`, whose `problem` is called trouble here.
    """

    _esm = Module(_enclosed("quiz"), script("asking"), script("progress"), also=[PRACTICE_INSTRUCTIONS])
    _css = style("progress") + (HERE / "quiz.css").read_text(encoding="utf-8")
    refusal = N_("The page could not do that")
    quiz = traitlets.Dict().tag(sync=True)
    responses = traitlets.Dict().tag(sync=True)
    saved = traitlets.Int(0).tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)

    def __init__(self, folder: Path | str, clock: Callable[[], datetime] = review.now) -> None:
        """Open on the record in `folder`."""
        self._path, self._clock = Path(folder) / FILE, clock
        self._notice, self._started = "", 0
        self._sitting: QuizWidget | None = None
        super().__init__(about=about(), state={"practise": "", "sitting": 0})
        self.observe(self._on_responses, "responses")

    def __repr__(self) -> str:
        """Return one line without addresses or traits, the same for every student."""
        return f"my progress: {len(objectives())} objectives, {len(lessons())} lessons"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return the record as it is now; begin a sitting if another one is wanted."""
        log = ProgressFile(self._path, practice_banks())
        unsaved = self._write_owed(log)
        self._notice = log.notice or self._notice
        record = Record(log, self._clock().astimezone())
        practise, sitting = str(wanted.get("practise", "")), int(wanted.get("sitting", 0))
        if practise and sitting != self._started:
            self._begin(*self._chosen(record, practise), log, sitting)
        return {
            "seq": int(wanted.get("seq", 0)),
            "sitting": self._started,
            "notice": " ".join(filter(None, (unsaved, self._notice))),
            **overview(record),
        }

    def _chosen(self, record: Record, practise: str) -> tuple[list[items.Item], str]:
        """Return the questions to practise and what they are; raises ValueError when there are none."""
        if practise == "due":
            chosen, title = record.due(), "What is due"
        elif practise == "sure":
            chosen, title = [record.items[attempt.item] for attempt in record.sure_and_wrong()], "Sure and wrong"
        elif practise in objectives():
            text = objectives()[practise].text
            chosen, title = record.of(practise), text[:1].upper() + text[1:]
        else:
            raise ValueError(f"there is no objective {practise}")
        if not chosen:
            raise ValueError(f"there is no question to practise under “{title}” now")
        return chosen[:SITTING], title

    def _write_owed(self, log: ProgressFile) -> str:
        """Write what the sitting checked and could not write; return why it still cannot, or ""."""
        owed = self._sitting.owed if self._sitting else []
        if not owed:
            return ""
        try:
            log.add(*owed)
        except OSError as error:
            what = f"{counted(len(owed), 'checked answer')} not saved: {FILE} cannot be written"
            return f"{what} ({error.strerror or error}). Mend that, then press “Look again”."
        owed.clear()
        return ""

    def _begin(self, chosen: Sequence[items.Item], title: str, log: ProgressFile, sitting: int) -> None:
        begun = revise(chosen, log, title)
        if self._sitting:
            begun.owed = self._sitting.owed
            self._sitting.close()
        self._sitting, self._started = begun, sitting
        with self.hold_sync():
            self.quiz = {**self._sitting.quiz, "sitting": sitting}
            self.responses, self.saved, self.trouble = self._sitting.responses, 0, ""

    def _on_responses(self, change: Any) -> None:
        sitting = self._sitting
        if sitting is None or change.new == sitting.responses:
            return
        sitting.responses = change.new  # it keeps what was checked, or says why it could not
        if not sitting.owed:  # else the problem is not a file kept aside, and passes
            self._notice = sitting.problem or self._notice
        with self.hold_sync():
            self.trouble, self.saved = sitting.problem, sitting.saved

    def still(self) -> str:
        """Return what the page is for, and the objectives: the same for every student."""
        return _still()


def _objective_rows(found: Iterable[Objective]) -> list[tuple[str, str, str]]:
    return [(each.id, html.escape(each.text), TIERS[each.tier]) for each in found]


@cache
def _still() -> str:
    parts = "".join(f"<li><strong>{name}.</strong> {says}</li>" for name, says in PARTS)
    lists = "".join(
        f"<details><summary>{lesson_name(stem)}</summary>"
        f"{table(('Objective', 'You can', 'Tier'), _objective_rows(of))}</details>"
        for stem, of in groupby(
            sorted(objectives().values(), key=lambda each: each.lesson), key=lambda each: each.lesson
        )
    )
    return (
        f"<section><h3>Where you stand</h3><p>Start this page to see:</p><ul>{parts}</ul>"
        f"<p>{LIMITS}</p><p>The {len(objectives())} objectives, by lesson:</p>{lists}</section>"
    )


def progress(folder: Path | str = "my_answers") -> Progress:
    """Return the page of the own progress, kept in `folder`/progress.json. Raises QuizError if a bank has faults."""
    try:
        return Progress(folder)
    except items.BankError as error:
        raise QuizError(str(error)) from None
