"""The course after a fracture: the file is whole, and every number in it stands in the record of its source."""

import copy
import re

import pytest

from vertebra import assets
from vertebra.evidence import recovery
from vertebra.evidence.recovery import CLOCKS, DAYS, course, drugs, events, facts, faults, series
from vertebra.evidence.references import references


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/recovery.yml"))


def test_the_file_is_without_a_fault():
    assert faults() == []
    assert len({fact.id for fact in facts()}) == len(list(facts())) > 30


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["course"].append(d["course"][0]), "sham is used twice"),
        (lambda d: d["course"][0].update(refs=["nobody1999"]), "nobody1999, which does not exist"),
        (lambda d: d["course"][0].update(refs=["gibbs2019"]), "nobody has opened"),
        (lambda d: d["course"][0].update(days=[9, 3]), "ends before it begins"),
        (lambda d: d["events"][0]["phases"][0].pop("until"), "same_pain: each phase but the last"),
        (lambda d: d["events"][1]["phases"][0].update(clock="soon"), "clock"),
        (lambda d: d["drugs"][1].update(refs=["fit1996"]), "cites schilcher2015 in its text"),
        (lambda d: d["drugs"][1].update(courses=[{"ratios": ["calcitonin"]}]), "calcitonin, no number"),
        (lambda d: d["drugs"][4]["courses"][0].pop("years"), "needs its years"),
        (lambda d: d["series"][0].update(measure="mood"), "series/0/measure"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(data)
    assert any(words in fault for fault in faults(data))


def test_what_an_event_means_depends_on_the_day():
    pain = events()["same_pain"]
    assert [pain.on(day).clock for day in (1, 21, 22, 84, 85, DAYS)] == ["visit"] * 2 + ["days"] * 4
    assert len({pain.on(day).verdict for day in (1, 22, 85)}) == 3


def test_what_endangers_nerves_or_life_is_never_left_for_a_visit():
    for name in ("deficit", "breath"):
        assert all(phase.clock == "now" for phase in events()[name].phases)
    assert all(phase.clock in CLOCKS[:2] for phase in events()["fever"].phases)
    assert "no cement" in events()["fever"].phases[0].order
    assert any("spine surgeon" in each for each in events()["deficit"].phases[0].order)


def test_published_scores_are_those_of_their_record():
    for each in series():
        text = " ".join(references()[each.refs[0]].outcomes)
        for _, score in each.points:
            assert f"{score} (" in text, (each.id, score)


def test_every_number_of_a_statement_stands_in_a_source_it_names():
    """Percentages and sizes; days and doses are teaching, and such statements say so."""
    for where, says, refs in recovery._statements(assets.read_yaml("evidence/recovery.yml")):
        sources = " ".join(
            " ".join([*references()[ref].outcomes, references()[ref].design]) for ref in refs if ref != "unreferenced"
        )
        for number in re.findall(r"(\d+(?:\.\d+)?) %", says):
            assert re.search(rf"\b{re.escape(number)}(\.0)?\b", sources), (where, number)


def test_every_lane_of_the_course_is_covered_and_each_drug_has_a_price():
    assert {each.lane for each in course()} == set(recovery.LANES)
    assert next(iter(drugs())) == "none" and not drugs()["none"].courses
    assert all(len(drug.harm) > 30 for drug in drugs().values())
