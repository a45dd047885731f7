"""The linter of the question banks: rules L01 to L32, their findings with file, line and mend, and their printing.

`lint_rule` declares the rules; `lint_record` (what stands around a question, and the banks as a whole), `lint_wording`
(stem and language) and `lint_options` test them. A rule that needs judgement is a measured proxy and says what it saw.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from vertebra.evidence.references import references
from vertebra.quiz import items, lint_options, lint_record, lint_wording
from vertebra.quiz.items import Bank, BankError, Fault
from vertebra.quiz.lint_record import Balance, balance
from vertebra.quiz.lint_rule import RULES, Course, Flaw, Placed, Rule
from vertebra.quiz.source import Source
from vertebra.quiz.static import counted

__all__ = [
    "FORMATS",
    "RULES",
    "Balance",
    "Finding",
    "Rule",
    "balance",
    "bank_files",
    "examine",
    "lint",
    "lint_files",
    "report",
    "summary",
]
_TESTS = (lint_record, lint_wording, lint_options)  # importing them is what fills RULES
MESSAGE, PROPERTY = "%\r\n", "%\r\n:,"  # the letters that GitHub wants escaped


@dataclass(frozen=True, order=True)
class Finding:
    """One flaw: where it is, which rule it breaks, how grave that is ("error", "warning"), what, why, and the mend."""

    file: str
    line: int
    rule: str
    level: str
    place: str
    what: str
    mend: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level} {self.rule}: {self.place}: {self.what}; {self.mend} ({self.why})"

    @property
    def github(self) -> str:
        """The finding as a workflow command, which GitHub draws beside the line."""
        fields = {"file": self.file, "line": self.line, "title": f"{self.rule} {self.title}"}
        where = ",".join(f"{name}={_escaped(str(value), PROPERTY)}" for name, value in fields.items())
        message = _escaped(f"{self.place}: {self.what}; {self.mend} ({self.why})", MESSAGE)
        return f"::{self.level} {where}::{message}"

    @property
    def title(self) -> str:
        """What the rule asks."""
        return RULES[self.rule].title


def lint(banks: Iterable[Bank], on: date, *, whole: bool = False, rules: Iterable[str] = RULES) -> list[Finding]:
    """Return what is wrong with these banks on this day, in order; whole says that they are all the course has.

    A line is that of the question; `lint_files` knows that of the faulty part.
    """
    return _lint(Course(tuple(banks), on, whole), {}, rules)


def bank_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each file; of a folder all its bank files at any depth, which are neither cases nor assignments."""
    for path in paths:
        found = sorted(path.rglob("*.yml")) if path.is_dir() else [path]
        yield from (file for file in found if file is path or items.kind_of(file) == "bank")


def lint_files(
    paths: Iterable[Path | str], on: date, *, whole: bool = False, rules: Iterable[str] = RULES
) -> list[Finding]:
    """Return the same of bank files, and what cannot be read of them; the sound questions of a faulty bank count.

    Raises BankError if a file cannot be opened.
    """
    return examine(paths, on, whole=whole, rules=rules)[0]


def examine(
    paths: Iterable[Path | str], on: date, *, whole: bool = False, rules: Iterable[str] = RULES
) -> tuple[list[Finding], Balance]:
    """Return the same, and who the patients of these banks are. Raises BankError if a file cannot be opened."""
    banks: list[Bank] = []
    sources: dict[str, Source] = {}
    found: list[Finding] = []
    wanted = frozenset(rules)
    for path in paths:
        try:
            bank, source = items.read_bank(items.read_text(Path(path), items.KIND.whole), str(path))
        except BankError as error:
            broken = [fault for fault in error.faults if isinstance(fault, Fault)]
            if not broken:
                raise
            found += map(_of_fault, broken)  # whatever is wanted: nothing else is said of this file
            continue
        banks.append(bank)
        sources[bank.file] = source
        found += [_of_fault(fault) for fault in source.faults if fault.rule in wanted]
    findings = sorted({*found, *_lint(Course(tuple(banks), on, whole), sources, wanted)})
    return findings, balance(banks)


def _lint(course: Course, sources: Mapping[str, Source], wanted: Iterable[str]) -> list[Finding]:
    rules = {name: RULES[name] for name in wanted}
    refused = list(_refused(course))
    faulty = {id(item) for _, (_, item, _) in refused}
    found = [(rules[name], flaw) for name, flaw in refused if name in rules]
    found += [(rule, flaw) for rule in rules.values() for flaw in _flaws(rule, course, faulty)]
    return sorted({_finding(rule, *flaw, sources) for rule, flaw in found})


def _refused(course: Course) -> Iterator[tuple[str, Placed]]:
    """Yield what reading a bank would refuse: banks may come from elsewhere than a file."""
    for bank, item in course.items():
        for path, name, said in items.faults_of(item, references()):
            what, _, mend = said.rpartition("; ")
            yield name, (bank, item, Flaw(path, what, mend, "error"))


def _flaws(rule: Rule, course: Course, faulty: Collection[int]) -> Iterator[Placed]:
    for test in rule.of_course:
        yield from test(course)
    for bank, item in course.items() if rule.of_item or rule.of_sound else ():
        for each in rule.of_item if id(item) in faulty else (*rule.of_item, *rule.of_sound):
            yield from ((bank, item, flaw) for flaw in each(item))


def _finding(rule: Rule, bank: Bank, item: items.Item | None, flaw: Flaw, sources: Mapping[str, Source]) -> Finding:
    source = sources.get(bank.file)
    within = ("items", item.index) if item else ()
    line = source.line((*within, *flaw.path)) if source else item.line if item else 1
    place = f"item {item.id}" if item else f"bank {bank.id}"
    return Finding(bank.file, line, rule.id, flaw.level or rule.level, place, flaw.what, flaw.mend, rule.why)


def _of_fault(fault: Fault) -> Finding:
    what, _, mend = fault.what.rpartition("; ")
    rule = RULES[fault.rule]
    return Finding(fault.file, fault.line, rule.id, "error", fault.place, what, mend, rule.why)


def _escaped(text: str, letters: str) -> str:
    return "".join(f"%{ord(letter):02X}" if letter in letters else letter for letter in text)


# --- Printing ---------------------------------------------------------------------------------------------------------


def report(findings: Sequence[Finding], form: str) -> str:
    """Return the findings as text, as GitHub's workflow commands or as a JSON list."""
    return FORMATS[form](findings)


def summary(findings: Sequence[Finding]) -> str:
    """Return in one line how many errors and warnings there are."""
    n = {level: sum(finding.level == level for finding in findings) for level in ("error", "warning")}
    return ", ".join(counted(number, level) for level, number in n.items())


def _as_json(findings: Sequence[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False)


FORMATS = {
    "text": lambda findings: "\n".join(map(str, findings)),
    "github": lambda findings: "\n".join(finding.github for finding in findings),
    "json": _as_json,
}
