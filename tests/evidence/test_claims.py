"""The ledger of 272 claims is whole: shape, ids, sources, conflicts, and a section of a lesson for every entry."""

import copy
from dataclasses import replace
from datetime import date
from pathlib import Path

import nbformat
import pytest

from vertebra import assets
from vertebra.evidence.claims import (
    CALLS,
    CONFLICT,
    VERDICTS,
    claims,
    conflicts,
    facts,
    faults,
    leaflets,
    omissions,
)
from vertebra.evidence.references import references
from vertebra.teaching.lessons import anchor, ledger_faults, sections

LESSONS = Path(__file__).parents[2] / "lessons"


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/claims.yml"))


def test_the_ledger_has_all_its_entries_and_no_fault():
    assert (len(claims()), len(conflicts()), len(omissions()), len(leaflets())) == (272, 27, 13, 5)
    assert faults() == []


def test_every_entry_is_taught_by_a_section_that_exists_and_cites_its_sources():
    assert ledger_faults(LESSONS) == []


def unreferenced_part(c):
    return next(each for each in c["claims"] if len(each["refs"]) > 1 and "unreferenced" in each["refs"])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: c["claims"].append(c["claims"][3]), "c000-004 is used twice"),
        (lambda c: c["claims"][0]["refs"].append("nobody1999"), "names references nobody1999"),
        (lambda c: c["claims"][0]["refs"].append("denis1983"), "denis1983, which nobody has opened"),
        (lambda c: c["conflicts"][0]["refs"].append("denis1983"), "k01 stands on denis1983"),
        (lambda c: c["claims"][0].update(refs=[]), "c000-001 names no source"),
        (lambda c: c["omissions"][0].update(refs=[]), "o01 names no source"),
        (lambda c: c["claims"][0].pop("lesson"), "'lesson' is a required property"),
        (lambda c: c["conflicts"][2].update(lesson=""), "conflicts/2/lesson"),
        (lambda c: c["omissions"][2].update(lesson="05_imaging"), "omissions/2/lesson"),
        (lambda c: c["claims"][0]["conflict_ids"].append("k99"), "names conflicts k99"),
        (lambda c: c["claims"][0]["conflict_ids"].append("k02"), "c000-001 names k02, and not the other way round"),
        (lambda c: c["conflicts"][0]["side_a"].remove("c000-005"), "c000-005 names k01, and not the other way round"),
        (lambda c: c["conflicts"][0]["side_a"].append("c000-001"), "c000-001 is named by k01, and not the other way"),
        (lambda c: c["conflicts"][0]["side_a"].append("c009-999"), "names claims c009-999"),
        (lambda c: c["conflicts"][0]["side_b"].append("c000-005"), "k01 has c000-005 on both sides"),
        (lambda c: c["claims"][0].update(leaflet="F"), "claims/0/leaflet"),
        (lambda c: c["claims"][0].update(status="true"), "claims/0/status"),
        (lambda c: c["claims"][0].update(status=CONFLICT), "carries a literature_verdict"),
        (
            lambda c: c["claims"][0].update(status=CONFLICT, literature_verdict="supported"),
            "c000-001 conflicts with another leaflet in no conflict",
        ),
        (lambda c: c["claims"][0].update(literature_verdict="supported"), "carries a literature_verdict"),
        (lambda c: c["claims"][0]["refs"].append("unreferenced"), "c000-001 is unreferenced in part"),
        (lambda c: unreferenced_part(c)["refs"].remove("unreferenced"), "add unreferenced to its refs"),
        (lambda c: c["claims"][0].update(confidence="high"), "has a confidence, which belongs to a part"),
        (lambda c: c.update(review_by="soon"), "review_by"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(data)
    assert any(words in fault for fault in faults(data)), faults(data)


def test_a_verdict_stands_on_opened_sources_or_says_that_it_has_none():
    for each in (*claims().values(), *conflicts().values(), *omissions().values()):
        assert each.refs, each.id
        assert all(ref == "unreferenced" or references()[ref].publishable for ref in each.refs), each.id


def test_a_call_is_right_if_the_literature_or_another_leaflet_says_so():
    known = claims()
    assert known["c003-031"].verdict == "contradicted"
    assert known["c004-017"].status == CONFLICT and known["c004-017"].verdict == "supported"
    for claim in known.values():
        assert claim.verdict in VERDICTS
        right = [call for call in CALLS if claim.is_right(call)]
        assert right == [claim.verdict, *([CONFLICT] if claim.conflict_ids else [])]


def test_each_entry_is_a_fact_with_its_sources_and_a_day():
    told = {fact.id: fact for fact in facts()}
    assert len(told) == 272 + 27 + 13
    assert all(fact.review_by == date(2027, 11, 30) and fact.refs for fact in told.values())
    assert told["c003-031"].refs == ("nogg",)
    assert "unreferenced" in told["k20"].refs


# --- the sections of lessons ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """One small lesson with two sections, in a folder of its own."""
    text = "# Title\n\n## Who, and **who** not?\n\nA fact. [nogg]\n\n### Part\n\nMore. [acr2018]\n\n"
    text += "## Last\n\nBare. [unreferenced]"
    cells = [nbformat.v4.new_markdown_cell(text, id="a")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "03_x.ipynb")
    return tmp_path


def test_a_heading_has_the_anchor_of_jupyterlab():
    assert anchor("Leak routes") == "Leak-routes"
    assert anchor("Before the choice: is there one?") == "Before-the-choice:-is-there-one?"
    assert anchor("**Bold**, `code` and [a link](x.md)") == "Bold,-code-and-a-link"


def test_a_section_ends_with_the_next_heading_of_its_rank(folder):
    found = sections(folder / "03_x.ipynb")
    assert list(found) == ["Title", "Who,-and-who-not?", "Part", "Last"]
    assert "[acr2018]" in found["Who,-and-who-not?"] and "Bare" not in found["Who,-and-who-not?"]
    assert "[nogg]" not in found["Part"]


@pytest.mark.parametrize(
    ("lesson", "refs", "words"),
    [
        ("03_x#Who,-and-who-not?", ("nogg",), None),
        ("03_x#Who,-and-who-not?", ("acr2018", "dohm2014"), None),
        ("03_x#Last", ("unreferenced",), None),
        ("04_y#Last", ("nogg",), "there is no lesson 04_y"),
        ("03_x#Lost", ("nogg",), "03_x has no section Lost; its sections: Title, Who,-and-who-not?"),
        ("03_x#Part", ("nogg", "unreferenced"), "cites none of nogg, unreferenced"),
    ],
)
def test_an_entry_without_a_section_that_teaches_it_is_found(folder, lesson, refs, words):
    entries = [
        replace(known["c001-006"] if kind == "c" else known[f"{kind}01"], lesson=lesson, refs=refs)
        for kind, known in (("c", claims()), ("k", conflicts()), ("o", omissions()))
    ]
    found = ledger_faults(folder, entries)
    assert len(found) == (3 if words else 0)
    assert all(words in fault for fault in found)
    assert [fault.split(":")[0] for fault in found] == ([] if words is None else ["c001-006", "k01", "o01"])
