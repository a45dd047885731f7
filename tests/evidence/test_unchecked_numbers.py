"""A number whose own record says that nobody has compared it with its source is shown nowhere as published.

Only an exact number is found. One that is rounded, subtracted or written in words ("about three points") is not.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from vertebra import assets
from vertebra.evidence.references import references
from vertebra.teaching.lessons import facts

ROOT = Path(__file__).parents[2]
TOLD = sorted([*ROOT.glob("quizzes/*/*.yml"), *ROOT.glob("assets/evidence/*.yml")])
RECORDS = {"references.yml", "trials.yml"}  # in them each row says of itself whether it was checked
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\d|\.\d| times)")  # "0.9 times" is a quotient of what was read
NO_TEXT = {"id", "version", "line", "lesson", "claims", "computed", "seed", "at", "begins", "answers", "choose"}


def numbers(text: str) -> set[float]:
    """Return the numbers of a text that are no mere counting: those with a decimal, and those above twelve."""
    return {value for value in map(float, NUMBER.findall(text.replace("95% CI", "CI"))) if value > 12 or value % 1}


@cache
def checked() -> dict[str, set[float]]:
    """Return the numbers that somebody has read, by source: its findings, its people, its treatment."""
    records = assets.read_yaml("evidence/references.yml")["references"]
    own = ("outcomes", "population", "intervention", "comparator", "follow_ups", "design", "n_per_arm")
    read = {record["id"]: numbers(" ".join(str(record.get(field, "")) for field in own)) for record in records}
    for row in assets.read_yaml("evidence/trials.yml")["rows"]:
        if row["checked"] == "read":
            for name in row["refs"]:
                read[name] |= numbers(str(row))
    return read


@cache
def unchecked() -> dict[str, set[float]]:
    """Return the numbers that are said to stand in a source and that nobody has compared with it, by source."""
    found = {
        name: set[float]().union(*map(numbers, source.outcomes_unchecked)) for name, source in references().items()
    }
    for row in assets.read_yaml("evidence/trials.yml")["rows"]:
        if row["checked"] == "unchecked":
            for name in row["refs"]:
                found[name] |= {abs(each) for each in _values(row) if each > 12 or each % 1}
    return {name: values - checked()[name] for name, values in found.items() if values - checked()[name]}


def _values(data: Any) -> Iterator[float]:
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        for each in data:
            yield from _values(each)
    elif isinstance(data, int | float):
        yield float(data)


def _told(data: Any, refs: frozenset[str], place: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield each text of a data file with its place and the sources it stands on: its own and those around it."""
    if isinstance(data, dict):
        refs |= {*data.get("sources", []), *data.get("refs", [])}
        for key, value in data.items():
            if key not in NO_TEXT:
                yield from _told(value, refs, f"{place}/{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _told(value, refs, f"{place}/{value.get('id', number) if isinstance(value, dict) else number}")
    elif isinstance(data, str):
        yield place, data, refs


def shown(text: str, refs: frozenset[str]) -> set[float]:
    """Return the numbers of a text that stand in one of its sources as unchecked and in none of them as read."""
    doubtful = set[float]().union(*(unchecked().get(name, set()) for name in refs))
    return (numbers(text) & doubtful).difference(*(checked().get(name, set()) for name in refs))


def statements() -> Iterator[tuple[str, str, frozenset[str]]]:
    for lesson in sorted(ROOT.glob("lessons/*.ipynb")):
        for fact in facts(lesson):
            yield f"{fact.file}: {fact.id}", fact.says, frozenset(fact.refs)
    for path in TOLD:
        if path.name not in RECORDS:
            yield from _told(yaml.load(path.read_text(), yaml.CSafeLoader), frozenset(), path.name)


def test_an_unchecked_number_is_seen_and_a_read_one_is_not():
    assert shown("From 7.2 to 3.9 of 10.", frozenset({"kallmes2009"})) == {7.2, 3.9}
    assert shown("0.7 points (-0.3 to 1.7), 64 % against 48 %.", frozenset({"kallmes2009"})) == set()
    assert shown("2.6 points (1.74 to 3.37).", frozenset({"klazen2010", "unreferenced"})) == {2.6, 1.74, 3.37}
    assert shown("From 7.2 to 3.9 of 10.", frozenset({"buchbinder2009"})) == set()
    assert len(unchecked()) > 20


def test_no_number_is_shown_as_published_that_nobody_has_compared_with_its_source():
    told = list(statements())
    assert len(told) > 5000
    assert [f"{place}: {sorted(found)} in {text}" for place, text, refs in told if (found := shown(text, refs))] == []
