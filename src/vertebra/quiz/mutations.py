"""How well the linter finds flaws that were put in on purpose, and how often it speaks up without one.

Fifty practice questions are drawn by a fixed rule that does not ask the linter. Each flaw (`flaws`) is put into every
drawn question that it fits; the spoilt questions are written as YAML and linted as an author's file would be. Flaws of
a whole bank are put into all practice banks.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

import yaml

from vertebra.measure.reading import Proportion
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.flaws import BANK_FLAWS, FLAWS, BankFlaw, Flaw, Raw
from vertebra.quiz.lint import RULES, Finding, lint_files

DRAWN, FEWEST = 50, 5  # questions drawn, and questions that each flaw is put into at least
RECALL, EACH_RECALL, FALSE_ALARMS = 0.95, 0.90, 0.05


def raw_banks() -> list[Raw]:
    """Return the course's practice banks as YAML reads them. Raises BankError if one has faults."""
    return [_load(Path(bank.file).read_text(encoding="utf-8")) for bank in practice_banks()]


def draw(banks: Iterable[Raw], number: int = DRAWN) -> list[Raw]:
    """Return so many questions, each format in proportion but twice at least, by a hash that knows only their ids."""
    by_format: dict[str, list[Raw]] = {}
    for item in (item for bank in banks for item in bank["items"]):
        by_format.setdefault(item["format"], []).append(item)
    total = sum(map(len, by_format.values()))
    shares = {name: min(len(items), max(2, number * len(items) // total)) for name, items in by_format.items()}
    commonest = max(by_format, key=lambda name: len(by_format[name]))
    shares[commonest] += number - sum(shares.values())
    return [item for name in sorted(by_format) for item in sorted(by_format[name], key=_hash)[: shares[name]]]


def _hash(item: Raw) -> bytes:
    return hashlib.sha256(f"mutation\n{item['id']}".encode()).digest()


def _load(text: str) -> Raw:
    loaded: Raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def _dump(bank: Raw) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(bank, Dumper=dumper, allow_unicode=True, sort_keys=False, width=120))


@dataclass(frozen=True)
class Tried:
    """One way to break a rule: of how many questions (or banks) found, missed in which, what other rules then said."""

    rule: str
    way: str
    found: Proportion
    missed: tuple[str, ...]
    others: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """What the linter finds of flaws that were put in, and what it says of the questions before."""

    tried: tuple[Tried, ...]
    drawn: int
    alarms: Mapping[str, int]

    def recall(self, rule: str | None = None) -> Proportion:
        """Return how many of the flaws against a rule, or against all, were found."""
        counted = [each.found for each in self.tried if rule in (None, each.rule)]
        return Proportion(sum(each.successes for each in counted), sum(each.n for each in counted))

    @property
    def false_alarms(self) -> Proportion:
        """Return how many pairs of a drawn question and a rule have a finding."""
        return Proportion(sum(self.alarms.values()), self.drawn * len(RULES))

    def faults(self) -> list[str]:
        """Return what keeps the linter from passing."""
        found = []
        if (self.recall().share or 0) < RECALL:
            found.append(f"recall is {_share(self.recall())}, below {RECALL:.0%}")
        if (self.false_alarms.share or 0) > FALSE_ALARMS:
            found.append(f"false alarms are {_share(self.false_alarms)}, above {FALSE_ALARMS:.0%}")
        for rule in RULES:
            recall = self.recall(rule)
            if (recall.share or 0) < EACH_RECALL:
                missed = [each.way for each in self.tried if each.rule == rule and each.missed]
                found.append(f"{rule} finds {_share(recall)}, below {EACH_RECALL:.0%}; missed: {'; '.join(missed)}")
        return found

    def table(self) -> str:
        """Return a line for each rule: ways, recall with its 95 % limits, alarms, and which other rules spoke up."""
        lines = ["Rule  Ways  Tried  Found  Recall  95 % limits   Alarms  Other rules that spoke up (most often)"]
        for rule in RULES:
            ways = [each for each in self.tried if each.rule == rule]
            others: Counter[str] = sum((Counter(each.others) for each in ways), Counter())
            spoke = " ".join(f"{name}:{n}" for name, n in others.most_common(5))
            lines.append(f"{rule:<6}{len(ways):>4}{_counts(self.recall(rule))}{self.alarms.get(rule, 0):>8}  {spoke}")
        lines.append(f"{'all':<6}{len(self.tried):>4}{_counts(self.recall())}{sum(self.alarms.values()):>8}")
        alarms = self.false_alarms
        lines.append(f"False alarms: {_share(alarms)} of {alarms.n} pairs of a rule and one of {self.drawn} questions")
        return "\n".join(line.rstrip() for line in lines)


def _counts(found: Proportion) -> str:
    low, high = found.limits
    return f"{found.n:>7}{found.successes:>7}  {found.share or 0:>6.1%}  {low:.1%} to {high:.1%}".ljust(44)[:44]


def _share(found: Proportion) -> str:
    return f"{found.share or 0:.1%} ({found.successes} of {found.n})"


def measure(most: int = DRAWN, flaws: Iterable[Flaw] = FLAWS, bank_flaws: Iterable[BankFlaw] = BANK_FLAWS) -> Report:
    """Put each flaw into the drawn questions, at most so many a way, and lint each as its author's file would be.

    A flaw that fits fewer than five of them is put into others too. A question of which the rule spoke before would
    not show whether the flaw is found, and is left out.
    """
    banks = raw_banks()
    drawn = draw(banks)
    rest = sorted((item for bank in banks for item in bank["items"] if item not in drawn), key=_hash)
    on = date.fromisoformat(max(bank["read"] for bank in banks))
    head = {field: value for field, value in banks[0].items() if field != "items"}
    with tempfile.TemporaryDirectory() as folder:

        def rules_by_item(items: Sequence[Raw]) -> list[set[str]]:
            """Return the rules with a finding on each question; findings on the whole bank are left out."""
            found = _linted([head | {"items": list(items)}], Path(folder), on) if items else []
            return [{each.rule for each in found if each.place == f"item {item['id']}"} for item in items]

        clean = [*drawn, *rest]
        before = {item["id"]: rules for item, rules in zip(clean, rules_by_item(clean), strict=True)}
        tried = []
        for flaw in flaws:
            spoilt = [pair for item in drawn for pair in _pairs(flaw, item, before)][:most]
            others = (pair for item in rest for pair in _pairs(flaw, item, before))
            spoilt += islice(others, max(0, min(FEWEST, most) - len(spoilt)))
            after = rules_by_item([done for _, done in spoilt])
            missed = tuple(item["id"] for (item, _), rules in zip(spoilt, after, strict=True) if flaw.rule not in rules)
            new = Counter(
                rule for (item, _), rules in zip(spoilt, after, strict=True) for rule in rules - before[item["id"]]
            )
            del new[flaw.rule]
            found = Proportion(len(spoilt) - len(missed), len(spoilt))
            tried.append(Tried(flaw.rule, flaw.way, found, missed, new))
        tried += _try_banks(tuple(bank_flaws), banks, Path(folder), on)
    alarms = Counter(rule for item in drawn for rule in before[item["id"]])
    return Report(tuple(tried), len(drawn), alarms)


def _pairs(flaw: Flaw, item: Raw, before: Mapping[str, set[str]]) -> Iterator[tuple[Raw, Raw]]:
    """Yield the question and the same with the flaw, if the flaw fits and can be told from what was said before."""
    done = None if flaw.rule in before[item["id"]] else flaw.into(item)
    if done is not None:
        yield item, done


def _linted(
    banks: Sequence[Raw], folder: Path, on: date, whole: bool = False, rules: Iterable[str] = RULES
) -> list[Finding]:
    files = [folder / f"{i:02}.yml" for i in range(len(banks))]
    for file, bank in zip(files, banks, strict=True):
        file.write_text(_dump(bank), encoding="utf-8")
    return lint_files(files, on, whole=whole, rules=rules)


def _try_banks(flaws: Sequence[BankFlaw], banks: Sequence[Raw], folder: Path, on: date) -> Iterator[Tried]:
    """Put each flaw into the banks; it is found if its rule says something that it did not say before."""
    for whole in (False, True):
        chosen = banks if whole else banks[1:4]
        fitting = [flaw for flaw in flaws if flaw.whole == whole]
        before = _said(chosen, folder, on, whole, {flaw.rule for flaw in fitting}) if fitting else set()
        for flaw in fitting:
            found = bool(_said(flaw.into(chosen), folder, on, whole, {flaw.rule}) - before)
            yield Tried(flaw.rule, flaw.way, Proportion(int(found), 1), () if found else ("the banks",), {})


def _said(banks: Sequence[Raw], folder: Path, on: date, whole: bool, rules: set[str]) -> set[tuple[str, str, str]]:
    return {(each.rule, each.place, each.what) for each in _linted(banks, folder, on, whole, rules)}
