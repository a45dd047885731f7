"""The evidence is whole: its shape, its ids, and everything that anything cites."""

import copy
import re

import pytest

from vertebra import assets, evidence


@pytest.fixture
def data():
    read = assets.read_yaml
    return copy.deepcopy((read("evidence/references.yml"), read("evidence/claims.yml")))


def test_193_references_and_272_claims_without_a_fault():
    assert len(evidence.references()) == 193
    assert len(evidence.claims()) == 272
    assert evidence.faults() == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda r, c: r["references"].append(r["references"][0]), "buchbinder2009 is used twice"),
        (lambda r, c: c["claims"].append(c["claims"][3]), "c000-004 is used twice"),
        (lambda r, c: c["claims"][0]["refs"].append("nobody1999"), "names references nobody1999"),
        (lambda r, c: c["claims"][0]["conflict_ids"].append("k99"), "names conflicts k99"),
        (lambda r, c: c["conflicts"][0]["side_a"].append("c009-999"), "names claims c009-999"),
        (lambda r, c: c["claims"][0].update(leaflet="F"), "claims/0/leaflet"),
        (lambda r, c: c["claims"][0].update(status="true"), "claims/0/status"),
        (lambda r, c: c["claims"][0].update(basis="unreferenced"), "basis unreferenced"),
        (lambda r, c: r["references"][5].pop("checked"), "references/5: 'checked' is a required property"),
        (lambda r, c: r["references"][5].update(doi="doi:10.1/x"), "references/5/doi"),
        (lambda r, c: r["references"][5].update(colour="red"), "'colour' was unexpected"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(*data)
    assert any(words in fault for fault in evidence.faults(*data))


def test_only_what_somebody_opened_may_be_shown_as_published():
    assert evidence.references()["genant1993"].publishable
    assert not evidence.references()["denis1983"].publishable


def test_citations_in_text_are_found_and_links_are_not():
    text = "A [genant1993] and [tlics2005; vaccaro2013], a [link](x.html), again [genant1993], or [unreferenced]."
    assert evidence.cited(text) == ["genant1993", "tlics2005", "vaccaro2013", "unreferenced"]


def test_sources_show_how_far_each_was_checked_and_refuse_an_unknown_id():
    shown = evidence.sources("genant1993", "denis1983")
    assert repr(shown) == "2 sources, 1 of them opened"
    assert "not opened yet" in shown._repr_html_()
    with pytest.raises(ValueError, match="did you mean 'genant1993'"):
        evidence.sources("genant1994")


def test_every_source_the_code_names_exists_and_somebody_opened_it():
    from vertebra.measure import scores
    from vertebra.widgets.workbench import LIMITS

    cards = [value for value in vars(scores).values() if isinstance(value, scores.Card)]
    named = {name for card in cards for name in card.source} | set(scores.OF_SOURCE)
    named |= set(re.findall(r"\((\w+\d{4})\)", LIMITS))
    assert len(cards) == 5 and len(named) >= 6
    for name in named:
        assert evidence.references()[name].publishable, name
