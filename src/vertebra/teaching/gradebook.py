"""The gradebook: what became of every hand-in, in one SQLite file, or in PostgreSQL by its URL.

One grading is one transaction, so a reader, or whoever looks after a crash, finds the earlier results or the new ones,
whole. Answers are kept in the ids of the bank, so that the builds of a quiz can be counted together.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from vertebra.teaching.files import TeachingError
from vertebra.teaching.key import GROUPS, Key, KeyFile, Question
from vertebra.teaching.marking import Mark, Marked

if TYPE_CHECKING:
    from vertebra.teaching.statistics import ClassResults

BATCH = 2_000  # submissions written at once
KNOWN = 10_000  # marks remembered while writing
SHOWN = 10  # other files named in one entry

# Codes and file names are sorted by their characters, on every server and in every language.
_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

metadata = sa.MetaData()

quizzes = sa.Table(
    "quiz",
    metadata,
    sa.Column("id", _Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("certainty", sa.Boolean, nullable=False),
    sa.Column("key_seal", sa.Text, nullable=False, comment="SHA-256 of the key file that the marks were given by"),
    sa.Column("rules", sa.JSON, nullable=False),
    sa.Column("grading", sa.Integer, nullable=False, comment="counts the gradings; its rows bear this number"),
    sa.Column("rekeyed", sa.Boolean, nullable=False, comment="graded under more than one key"),
)

items = sa.Table(
    "item",
    metadata,
    sa.Column("quiz", _Text, primary_key=True),
    sa.Column("item", _Text, primary_key=True, comment="the bank's id of the question"),
    sa.Column("position", sa.Integer, nullable=False, comment="column of the gradebook, from 0"),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("objectives", sa.JSON, nullable=False, comment="list of ids"),
    sa.Column("stem", sa.Text, nullable=False),
    sa.Column("text", sa.JSON, nullable=False, comment="{id of an option, step, prompt, region or band: its text}"),
    sa.Column("key", sa.JSON, nullable=False, comment="the key record, in the bank's ids"),
)

submissions = sa.Table(
    "submission",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("quiz", _Text, nullable=False),
    sa.Column("grading", sa.Integer, nullable=False),
    sa.Column("student", _Text, nullable=False, comment="empty where none could be read"),
    sa.Column("folded", _Text, nullable=False, comment="the code without case; some file systems know no case"),
    sa.Column("file", _Text, nullable=False, comment="below the submissions folder"),
    sa.Column("digest", _Text, nullable=False, comment="SHA-256 that the file states of itself"),
    sa.Column("saved", sa.Text, nullable=False, comment="UTC, to the minute, as the file states it"),
    sa.Column("handed_in", _Text, nullable=False, comment="UTC; saved, unless the road in knew better"),
    sa.Column("build", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, comment="1 for the first; 0 where there is none"),
    sa.Column("state", _Text, nullable=False, comment="graded, superseded, set aside; read while grading"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("mend", sa.Text, nullable=False),
    sa.Column("total", sa.Float),
    sa.Column("maximum", sa.Float),
    sa.Column("percent", sa.Float),
    sa.Column("certainty_marks", sa.Float),
    sa.Column("late_days", sa.Integer, nullable=False),
    sa.Column("factor", sa.Float, nullable=False, comment="what lateness leaves of the points"),
    sa.Column("notes", sa.JSON, nullable=False, comment="list of texts"),
    sa.Index("submission_in_order", "quiz", "grading", "state", "student"),
    sa.Index("submission_by_code", "quiz", "grading", "folded"),
)

marks = sa.Table(
    "mark",
    metadata,
    sa.Column("submission_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, comment="place in the student's own quiz, from 0"),
    sa.Column("item", _Text, nullable=False),
    sa.Column("fraction", sa.Float, nullable=False, comment="share of credit, 0 to 1"),
    sa.Column("points", sa.Float, nullable=False),
    sa.Column("certainty", sa.Integer),
    sa.Column("certainty_mark", sa.Float, nullable=False),
    sa.Column("answer", sa.Text, nullable=False, comment="JSON in the bank's ids; as handed in where note is set"),
    sa.Column("note", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

moves = sa.Table(
    "moved",
    metadata,
    sa.Column("quiz", _Text, primary_key=True),
    sa.Column("student", _Text, primary_key=True),
    sa.Column("before", sa.Float, nullable=False),
    sa.Column("after", sa.Float, comment="null where the student has no mark any more"),
    sa.Column("percent_before", sa.Float, nullable=False),
    sa.Column("percent_after", sa.Float),
    sa.Column("items", sa.JSON, nullable=False, comment="the bank's ids of the questions whose points changed"),
)


# --- Ids --------------------------------------------------------------------------------------------------------------


def in_bank_ids(question: Question, answer: Any) -> Any:
    """Return a readable answer to a question with the ids of its parts replaced by those of the bank."""
    names = question.names
    return _renamed(question.key["format"], answer, lambda name, _: names.get(name, name))


def in_neutral_ids(question: Question, answer: Any) -> Any:
    """Return an answer in the bank's ids as the student gave it: the inverse of `in_bank_ids`."""
    # A prompt and an option, or options of two decisions, may bear one id in the bank; their groups tell them apart.
    key, names = question.key, question.names

    def back(neutral: Iterable[str]) -> dict[str, str]:
        return {names.get(name, name): name for name in neutral}

    groups: dict[str, dict[str, str]] = {}
    match key["format"]:
        case "matching":
            groups = {"prompt": back(key["key"]), "option": back(key["options"])}
        case "key_feature":
            groups = {"prompt": back(key["decisions"])}
            groups |= {names.get(name, name): back(each["options"]) for name, each in key["decisions"].items()}
        case "hotspot":
            groups = {"option": back(key["polygons"])}
        case "ordering":
            groups = {"option": back(key["key"])}
        case "single_best_answer" | "multiple_response":
            groups = {"option": back(key["options"])}
    return _renamed(key["format"], answer, lambda name, group: groups[group][name])


def _renamed(form: str, answer: Any, name: Callable[[str, str], str]) -> Any:
    if answer is None:
        return None
    match form:
        case "single_best_answer":
            return name(answer, "option")
        case "multiple_response" | "ordering":
            return [name(each, "option") for each in answer]
        case "matching":
            return {name(p, "prompt"): None if o is None else name(o, "option") for p, o in answer.items()}
        case "hotspot" if "region" in answer:
            return {"region": name(answer["region"], "option")}
        case "key_feature":
            return {
                name(decision, "prompt"): None if chosen is None else [name(each, decision) for each in chosen]
                for decision, chosen in answer.items()
            }
    return answer


def key_in_bank_ids(question: Question) -> dict[str, Any]:
    """Return the key record of a question with the ids of its parts replaced by those of the bank."""
    key = dict(question.key)

    def new(name: str) -> str:
        return question.names.get(name, name)

    match key["format"]:
        case "single_best_answer":
            key |= {"key": new(key["key"]), "options": [new(each) for each in key["options"]]}
        case "multiple_response":
            key |= {name: [new(each) for each in key[name]] for name in ("key", "options")}
        case "ordering":
            key["key"] = [new(each) for each in key["key"]]
        case "matching":
            key |= {"key": {new(p): new(o) for p, o in key["key"].items()}}
            key |= {"options": [new(each) for each in key["options"]]}
        case "hotspot":
            key |= {"key": new(key["key"]), "polygons": {new(name): at for name, at in key["polygons"].items()}}
        case "key_feature":
            key["decisions"] = {
                new(name): each | {group: [new(part) for part in each[group]] for group in ("options", "key", "harms")}
                for name, each in key["decisions"].items()
            }
        case "needle_path" | "stop_decision":
            key |= {"shares": {new(band): share for band, share in key["shares"].items()}}
            key |= {"bands": [new(band) for band in key["bands"]]}
    return key


def texts_in_bank_ids(question: Question) -> dict[str, str]:
    """Return {bank id: text} of the options, steps, prompts, regions, bands and decisions of a question."""
    public = question.public
    parts = [part for group in reversed(GROUPS) for part in public.get(group, ())]
    for decision in public.get("decisions", ()):
        parts += [decision, *decision["options"]]
    return {question.names.get(part["id"], part["id"]): part["text"] for part in parts}


# --- One grading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """How many files were graded, superseded, set aside for which reason; how many marks moved and rows bear notes."""

    graded: int
    superseded: int
    set_aside: Mapping[str, int]
    noted: int
    moved: int


class Grading:
    """One grading of a quiz within its transaction: add every file, `decide`, read back; `Gradebook.grading` makes it.

    Memory does not grow with the number of files.
    """

    def __init__(self, connection: sa.Connection, key_file: KeyFile, seal: str) -> None:
        self._db, self._key_file, self._seal = connection, key_file, seal
        self._files: list[tuple[Any, ...]] = []
        self._marks: list[tuple[Any, ...]] = []
        self._rows: dict[int, tuple[Mark, tuple[Any, ...]]] = {}
        top = connection.scalar(sa.select(sa.func.max(submissions.c.id)))
        self._next = (top or 0) + 1
        self._before = connection.execute(sa.select(quizzes).where(quizzes.c.id == key_file.quiz)).one_or_none()
        self._grading = self._before.grading + 1 if self._before else 1
        self._insert = {table: _insert(connection, table) for table in (submissions, marks)}
        self._here = (submissions.c.quiz == key_file.quiz) & (submissions.c.grading == self._grading)

    def add(self, file: str, build: str, digest: str, marked: Marked, handed_in: str) -> None:
        """Add a file that was read and marked."""
        here = self._next
        row = (file, digest, marked.saved, handed_in, build, 0, "read", "", "")
        numbers = (marked.total, marked.maximum, marked.percent, marked.certainty_marks)
        self._add(marked.student, row, numbers, (marked.late_days, marked.factor, _json(list(marked.notes))))
        for place, mark in enumerate(marked.marks):
            # A marker gives the same object for the same answer.
            known = self._rows.get(id(mark))
            if known is None:
                if len(self._rows) >= KNOWN:
                    self._rows.clear()
                known = self._rows[id(mark)] = (mark, _row(mark))
            self._marks.append((here, place, *known[1]))

    def set_aside(self, file: str, reason: str, mend: str, student: str = "") -> None:
        """Add a file that cannot be graded."""
        self._add(student, (file, "", "", "", "", 0, "set aside", reason, mend), (None,) * 4, (0, 1.0, "[]"))

    def _add(self, student: str, row: tuple[Any, ...], numbers: tuple[Any, ...], more: tuple[Any, ...]) -> None:
        quiz = self._key_file.quiz
        self._files.append((self._next, quiz, self._grading, student, student.casefold(), *row, *numbers, *more))
        self._next += 1
        if len(self._files) >= BATCH:
            self._write()

    def _write(self) -> None:
        for table, rows in ((submissions, self._files), (marks, self._marks)):
            if rows:
                statement, as_mapping = self._insert[table]
                names = [column.name for column in table.columns]
                given: Any = [dict(zip(names, row, strict=True)) for row in rows] if as_mapping else rows
                self._db.exec_driver_sql(statement, given)
                rows.clear()

    def decide(self) -> Counts:
        """Decide which files count, put the new results in the place of the earlier ones, and count what there is."""
        self._write()
        if self._key_file.rules.attempts == 1:
            self._duplicates(sa.func.min(submissions.c.digest) != sa.func.max(submissions.c.digest))
        self._duplicates(sa.func.min(submissions.c.student) != sa.func.max(submissions.c.student))
        self._identical()
        self._attempts()
        self._copies()
        aside = sa.select(submissions.c.id).where(self._here, submissions.c.state == "set aside")
        self._db.execute(sa.delete(marks).where(marks.c.submission_id.in_(aside)))
        self._replace()
        states = sa.select(submissions.c.state, submissions.c.reason, sa.func.count()).where(self._here)
        found = list(self._db.execute(states.group_by(submissions.c.state, submissions.c.reason)))
        noted = sa.select(sa.func.count()).where(
            self._here, submissions.c.state == "graded", sa.cast(submissions.c.notes, sa.Text) != "[]"
        )
        moved = sa.select(sa.func.count()).where(moves.c.quiz == self._key_file.quiz)
        return Counts(
            sum(n for state, _, n in found if state == "graded"),
            sum(n for state, _, n in found if state == "superseded"),
            {reason: n for state, reason, n in sorted(found) if state == "set aside"},
            self._db.scalar(noted) or 0,
            self._db.scalar(moved) or 0,
        )

    def _read(self) -> sa.Select[Any]:
        return sa.select(submissions).where(self._here, submissions.c.state == "read")

    def _update(self, id: int, **values: Any) -> None:
        self._db.execute(sa.update(submissions).where(submissions.c.id == id), values)

    def _duplicates(self, differ: sa.ColumnElement[bool]) -> None:
        """Set aside all files of each code that has several which differ."""
        codes = (
            sa.select(submissions.c.folded)
            .where(self._here, submissions.c.state == "read")
            .group_by(submissions.c.folded)
            .having(differ)
        )
        for folded in list(self._db.scalars(codes)):
            same = self._read().where(submissions.c.folded == folded).order_by(submissions.c.file)
            rows = list(self._db.execute(same))
            for row in rows:
                rest = [other.file for other in rows[: SHOWN + 1] if other.id != row.id][:SHOWN]
                named = ", ".join(rest) + (f" and {len(rows) - 1 - SHOWN} more" if len(rows) - 1 > SHOWN else "")
                mend = f"other answers under the same student code: {named}; find out which one counts, remove the rest"
                self._update(row.id, state="set aside", reason="duplicate", mend=mend)

    def _identical(self) -> None:
        """Of files with the same content and code only the first by name counts."""
        same = sa.func.min(submissions.c.file).label("first")
        groups = (
            sa.select(submissions.c.folded, submissions.c.digest, same)
            .where(self._here, submissions.c.state == "read")
            .group_by(submissions.c.folded, submissions.c.digest)
            .having(sa.func.count() > 1)
        )
        for folded, digest, first in list(self._db.execute(groups)):
            others = self._read().where(submissions.c.folded == folded, submissions.c.digest == digest)
            for row in list(self._db.execute(others.where(submissions.c.file != first))):
                mend = f"the same content as {first}, which was graded; nothing to do"
                self._update(row.id, state="set aside", reason="identical", mend=mend)

    def _attempts(self) -> None:
        """Number each student's attempts by time; the last or the best counts, those beyond the limit are set aside."""
        rules = self._key_file.rules
        codes = (
            sa.select(submissions.c.folded)
            .where(self._here, submissions.c.state == "read")
            .group_by(submissions.c.folded)
            .having(sa.func.count() > 1)
        )
        for folded in list(self._db.scalars(codes)):
            in_time = (submissions.c.handed_in, submissions.c.file)
            rows = list(self._db.execute(self._read().where(submissions.c.folded == folded).order_by(*in_time)))
            tries, beyond = rows[: rules.attempts], rows[rules.attempts :]
            place = range(len(tries))
            counts = max(place, key=lambda i: (tries[i].total if rules.counts == "best" else 0, i))
            for i, row in enumerate(tries):
                notes = list(row.notes)
                twins = [other.file for other in rows if other.handed_in == row.handed_in and other.id != row.id]
                if twins:
                    notes.append(f"another attempt has the same time: {', '.join(twins[:SHOWN])}; see which is later")
                said = {"attempt": i + 1, "notes": notes}
                if i == counts:
                    self._update(row.id, state="graded", **said)
                    continue
                why = "the best one counts" if rules.counts == "best" else "the last one counts"
                mend = f"attempt {i + 1} of {len(tries)}; {why}, {tries[counts].file}; nothing to do"
                self._update(row.id, state="superseded", reason="superseded", mend=mend, **said)
            for row in beyond:
                limit = f"{rules.attempts} attempt{'s' * (rules.attempts > 1)}"
                mend = f"the quiz takes {limit}, and this is a later one; nothing to do"
                self._update(row.id, state="set aside", reason="too-many", mend=mend)
        single = sa.update(submissions).where(self._here, submissions.c.state == "read")
        self._db.execute(single.values(state="graded", attempt=1))

    def _copies(self) -> None:
        """Note hand-ins of several students that are one and the same file, which happens where folders name them."""
        here = (self._here, submissions.c.state == "graded")
        differ = sa.func.min(submissions.c.student) != sa.func.max(submissions.c.student)
        same = sa.select(submissions.c.digest).where(*here).group_by(submissions.c.digest).having(differ)
        for digest in list(self._db.scalars(same)):
            found = sa.select(submissions).where(*here, submissions.c.digest == digest).order_by(submissions.c.student)
            rows = list(self._db.execute(found))
            for row in rows:
                others = [other.student for other in rows[: SHOWN + 1] if other.id != row.id][:SHOWN]
                note = f"the same file was handed in by {', '.join(others)}"
                self._update(row.id, notes=[*row.notes, note])

    def _replace(self) -> None:
        quiz, before = self._key_file.quiz, self._before
        changed = False
        if before is not None and before.key_seal != self._seal:
            changed = True
            self._db.execute(sa.delete(moves).where(moves.c.quiz == quiz))
            self._compare(before.grading)
        old = sa.select(submissions.c.id).where(submissions.c.quiz == quiz, submissions.c.grading != self._grading)
        self._db.execute(sa.delete(marks).where(marks.c.submission_id.in_(old)))
        for table, column in ((items, items.c.quiz), (quizzes, quizzes.c.id)):
            self._db.execute(sa.delete(table).where(column == quiz))
        gone = (submissions.c.quiz == quiz) & (submissions.c.grading != self._grading)
        self._db.execute(sa.delete(submissions).where(gone))
        self._db.execute(
            sa.insert(quizzes),
            {
                "id": quiz,
                "title": self._key_file.title,
                "certainty": self._key_file.certainty,
                "key_seal": self._seal,
                "rules": self._key_file.rules.record(),
                "grading": self._grading,
                "rekeyed": changed or bool(before and before.rekeyed),
            },
        )
        rows = [
            {
                "quiz": quiz,
                "item": question.bank_id,
                "position": place,
                "points": question.points,
                "format": question.key["format"],
                "objectives": list(question.objectives),
                "stem": question.public["stem"],
                "text": texts_in_bank_ids(question),
                "key": key_in_bank_ids(question),
            }
            for place, question in enumerate(columns(self._key_file))
        ]
        self._db.execute(sa.insert(items), rows)

    def _compare(self, grading: int) -> None:
        """Write down whose mark is another than under the key before."""
        old, new = submissions.alias(), submissions.alias()
        both = (new.c.quiz == old.c.quiz) & (new.c.student == old.c.student)
        both &= (new.c.grading == self._grading) & (new.c.state == "graded")
        pairs = (
            sa.select(old.c.id, old.c.student, new.c.id, old.c.total, new.c.total, old.c.percent, new.c.percent)
            .select_from(old.outerjoin(new, both))
            .where(old.c.quiz == self._key_file.quiz, old.c.grading == grading, old.c.state == "graded")
        )
        was, now = marks.alias(), marks.alias()
        for pair in _stream(self._db, pairs):
            old_id, student, new_id, before, after, percent_before, percent_after = tuple(pair)
            found: list[str] = []
            moved = new_id is None
            if new_id is not None:
                # A question that no longer counts is named; it moves the percentage of whoever had nothing for it too.
                same = (was.c.item == now.c.item) & (now.c.submission_id == new_id)
                lost = was.c.points - sa.func.coalesce(now.c.points, 0.0)
                points = (
                    sa.select(was.c.item, lost)
                    .select_from(was.outerjoin(now, same))
                    .where(was.c.submission_id == old_id)
                    .where(now.c.item.is_(None) | (sa.func.abs(lost) > 1e-9))
                    .order_by(was.c.position)
                )
                rows = [tuple(row) for row in self._db.execute(points)]
                found = [item for item, _ in rows]
                shifts = [change for _, change in rows] + [after - before, percent_after - percent_before]
                moved = any(abs(shift) > 1e-9 for shift in shifts)
            if moved:
                row = {"quiz": self._key_file.quiz, "student": student, "before": before, "after": after}
                row |= {"percent_before": percent_before, "percent_after": percent_after, "items": found}
                self._db.execute(sa.insert(moves), row)

    def results(self) -> "Results":
        """Return what is there now that it is decided."""
        return Results(self._db, self._key_file.quiz)


class Results:
    """The results of one quiz, read one student after the other within a transaction.

    head: its row of the table quiz; items: rows of its questions, in the order of the columns.
    """

    def __init__(self, connection: sa.Connection, quiz: str) -> None:
        self._db, self.quiz = connection, quiz
        self.head = connection.execute(sa.select(quizzes).where(quizzes.c.id == quiz)).one()
        order = sa.select(items).where(items.c.quiz == quiz).order_by(items.c.position)
        self.items = tuple(connection.execute(order))
        self._here = (submissions.c.quiz == quiz) & (submissions.c.grading == self.head.grading)

    def graded(self, points_only: bool = False) -> Iterator[tuple[sa.Row[Any], list[sa.Row[Any]]]]:
        """Yield (submission, its marks in order) of each graded student, sorted by code.

        points_only: the marks have only submission_id, item and points, which takes less time.
        """
        who = sa.select(submissions).where(self._here, submissions.c.state == "graded")
        wanted = (marks.c.submission_id, marks.c.item, marks.c.points) if points_only else tuple(marks.c)
        what = (
            sa.select(*wanted)
            .join(submissions, submissions.c.id == marks.c.submission_id)
            .where(self._here, submissions.c.state == "graded")
            .order_by(submissions.c.student, marks.c.submission_id, marks.c.position)
        )
        each = groupby(_stream(self._db, what), key=lambda row: row.submission_id)
        for row in _stream(self._db, who.order_by(submissions.c.student, submissions.c.id)):
            _, found = next(each)
            yield row, list(found)

    def others(self) -> Iterator[sa.Row[Any]]:
        """Yield each submission that is not graded, sorted by file."""
        query = sa.select(submissions).where(self._here, submissions.c.state != "graded")
        yield from _stream(self._db, query.order_by(submissions.c.file, submissions.c.id))

    def moved(self) -> Iterator[sa.Row[Any]]:
        """Yield (student, before, after, items) of whoever's mark moved at the last change of the key."""
        yield from _stream(self._db, sa.select(moves).where(moves.c.quiz == self.quiz).order_by(moves.c.student))


def marked(key_file: KeyFile, row: sa.Row[Any], rows: Sequence[sa.Row[Any]]) -> tuple[Key, Marked]:
    """Return the key and the marks of a graded submission, as marking made them."""
    key = key_file.of(row.build)
    assert key is not None, "only submissions to a build of the key file are graded"
    found = []
    for question, each in zip(key.items, rows, strict=True):
        answer = json.loads(each.answer)
        answer = answer if each.note else in_neutral_ids(question, answer)
        earned = (each.fraction, each.points, each.certainty_mark, each.note)
        found.append(Mark(question, answer, each.certainty, *earned))
    return key, Marked(row.student, row.saved, tuple(found), tuple(row.notes), row.late_days, row.factor)


def columns(key_file: KeyFile) -> tuple[Question, ...]:
    """Return one question for each of the bank's that any build holds, in the order of the builds."""
    found: dict[str, Question] = {}
    for key in key_file.variants:
        for question in key.items:
            found.setdefault(question.bank_id, question)
    return tuple(found.values())


def _row(mark: Mark) -> tuple[Any, ...]:
    """Return the row of a mark from its item on."""
    answer = mark.answer if mark.note else in_bank_ids(mark.question, mark.answer)
    earned = (mark.fraction, mark.points, mark.certainty, mark.certainty_mark)
    return (mark.question.bank_id, *earned, _json(answer), mark.note)


_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def _insert(connection: sa.Connection, table: sa.Table) -> tuple[str, bool]:
    """Return the driver's own INSERT, and whether it takes mappings: twice as fast as through the type system."""
    compiled = sa.insert(table).compile(dialect=connection.dialect)
    return str(compiled), not compiled.positional


def _stream(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
    for part in connection.execute(query, execution_options={"yield_per": BATCH}).partitions():
        yield from part


# --- The book ---------------------------------------------------------------------------------------------------------


class Gradebook:
    """The results of any number of quizzes. A context manager; use `open_gradebook`."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine, self.name = engine, name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes all come true, or none; the database's own errors become TeachingError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _refused(self.name, error) from None

    @contextlib.contextmanager
    def read(self, quiz: str) -> Iterator[Results]:
        """Yield the results of a quiz that the book holds."""
        with self.transaction() as connection:
            yield Results(connection, quiz)

    @contextlib.contextmanager
    def grading(self, key_file: KeyFile, seal: str) -> Iterator[Grading]:
        """Yield a grading of the quiz; its results replace the earlier ones when it ends without an error."""
        with self.transaction() as connection:
            yield Grading(connection, key_file, seal)

    def quizzes(self) -> tuple[str, ...]:
        """Return the ids of the quizzes that were graded, sorted."""
        with self.transaction() as connection:
            return tuple(connection.scalars(sa.select(quizzes.c.id).order_by(quizzes.c.id)))

    def results(self, quiz: str) -> "ClassResults":
        """Return the results of a quiz: n graded students by k questions. Raises TeachingError if there is none."""
        # Whoever only grades does not wait for SciPy.
        from vertebra.teaching.statistics import ClassResults, ItemInfo

        with self.transaction() as connection:
            head = connection.execute(sa.select(quizzes).where(quizzes.c.id == quiz)).one_or_none()
            if head is None:
                known = ", ".join(connection.scalars(sa.select(quizzes.c.id).order_by(quizzes.c.id))) or "none"
                raise TeachingError(f"{self.name}: holds no results of {quiz}; it holds those of: {known}")
            read = Results(connection, quiz)
            infos = tuple(
                ItemInfo(row.item, row.format, tuple(row.objectives), row.points, row.stem, row.text, row.key)
                for row in read.items
            )
            place = {info.id: i for i, info in enumerate(infos)}
            students, fractions, certainty, answers = [], [], [], []
            for row, found in read.graded():
                students.append(row.student)
                shares, sure, given = np.full(len(infos), np.nan), np.zeros(len(infos), int), [None] * len(infos)
                for each in found:
                    i = place[each.item]
                    shares[i], sure[i] = each.fraction, each.certainty or 0
                    given[i] = None if each.note else json.loads(each.answer)
                fractions.append(shares)
                certainty.append(sure)
                answers.append(tuple(given))
        shape = (len(students), len(infos))
        return ClassResults(
            quiz,
            head.title,
            tuple(students),
            infos,
            np.array(fractions, float).reshape(shape),
            np.array(certainty, int).reshape(shape),
            tuple(answers),
        )

    def listed(self, student: str) -> tuple[sa.Row[Any], ...]:
        """Return every submission that the book holds under a student's code."""
        with self.transaction() as connection:
            query = sa.select(submissions).where(submissions.c.student == student)
            return tuple(connection.execute(query.order_by(submissions.c.quiz, submissions.c.file)))

    def delete_student(self, student: str) -> tuple[sa.Row[Any], ...]:
        """Remove all that the book holds of a student's code, and return the submissions that it held.

        SQLite overwrites the rows and is written anew without them; PostgreSQL drops them at its next VACUUM, and may
        still have them in its backups.
        """
        found = self.listed(student)
        with self.transaction() as connection:
            own = sa.select(submissions.c.id).where(submissions.c.student == student)
            connection.execute(sa.delete(marks).where(marks.c.submission_id.in_(own)))
            connection.execute(sa.delete(submissions).where(submissions.c.student == student))
            connection.execute(sa.delete(moves).where(moves.c.student == student))
            # Where others' entries name the student's files, the names go too.
            for row in found:
                named = submissions.c.mend.contains(row.file, autoescape=True)
                for other in list(connection.execute(sa.select(submissions).where(named))):
                    values = {"mend": other.mend.replace(row.file, "(deleted)")}
                    connection.execute(sa.update(submissions).where(submissions.c.id == other.id), values)
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM")
        return found


def open_gradebook(where: Path | str, create: bool = True) -> Gradebook:
    """Open the gradebook in a SQLite file, or at a URL such as postgresql+psycopg://user@host/database.

    With `create` it is made if it is not there. Raises TeachingError if it cannot be used.
    """
    is_url, name = isinstance(where, str) and "://" in where, str(where)
    if is_url:
        try:
            name = sa.make_url(name).render_as_string(hide_password=True)
        except (SQLAlchemyError, ValueError):  # whatever it is, it may hold a password
            what = "the URL of the gradebook cannot be read; write it as postgresql+psycopg://user@host:5432/name"
            raise TeachingError(what) from None
    if not is_url and not create and not Path(where).is_file():
        raise TeachingError(f"{where}: there is no such gradebook; grade first, or name another")
    try:
        engine = sa.create_engine(str(where) if is_url else sa.URL.create("sqlite", database=str(where)))
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _set_up)
        if not is_url:  # it holds the keys of the quizzes, so only its owner reads it
            with contextlib.suppress(OSError):
                Path(where).touch(mode=0o600, exist_ok=False)
        with engine.begin() as connection:
            metadata.create_all(connection)
            there = sa.inspect(connection)
            for table in metadata.sorted_tables:  # a file of another program may have tables of these names
                missing = set(table.columns.keys()) - {column["name"] for column in there.get_columns(table.name)}
                if missing:
                    what = f"is of another version of the course, or another program's (no {table.name}.{min(missing)})"
                    raise TeachingError(f"{name}: {what}; name another, and grade again")
        return Gradebook(engine, name)
    except (SQLAlchemyError, ImportError) as error:
        raise _refused(name, error) from None


def _set_up(connection: Any, _: object) -> None:
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
    connection.execute("PRAGMA cache_size = -32768")  # KiB


def _refused(name: str, error: Exception) -> TeachingError:
    if isinstance(error, ImportError):
        return TeachingError(f"{name}: needs a driver that is not installed ({error}); install it with pip")
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = " ".join(str(cause).split()).rstrip(".")
    return TeachingError(f"{name}: cannot be used as a gradebook ({text}); name another, or mend this one")
