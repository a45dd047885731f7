"""The library is whole: its shape, its ids, and everything that the code cites."""

import copy
import re

import pytest

from vertebra import assets
from vertebra.evidence.references import cited, faults, references, sources


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/references.yml"))


def test_the_library_is_without_a_fault():
    assert len(references()) >= 193
    assert faults() == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda r: r.append(r[0]), "buchbinder2009 is used twice"),
        (lambda r: r[5].pop("checked"), "references/5: 'checked' is a required property"),
        (lambda r: r[5].update(doi="doi:10.1/x"), "references/5/doi"),
        (lambda r: r[5].update(colour="red"), "'colour' was unexpected"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(data["references"])
    assert any(words in fault for fault in faults(data))


def test_only_what_somebody_opened_may_be_shown_as_published():
    assert references()["genant1993"].publishable
    assert not references()["denis1983"].publishable


def test_citations_in_text_are_found_and_links_are_not():
    text = "A [genant1993] and [tlics2005; vaccaro2013], a [link](x.html), again [genant1993], or [unreferenced]."
    assert cited(text) == ["genant1993", "tlics2005", "vaccaro2013", "unreferenced"]


def test_sources_show_how_far_each_was_checked_and_refuse_an_unknown_id():
    shown = sources("genant1993", "denis1983")
    assert repr(shown) == "2 sources, 1 of them opened"
    assert "not opened yet" in shown._repr_html_()
    with pytest.raises(ValueError, match="did you mean 'genant1993'"):
        sources("genant1994")


def test_every_source_the_code_names_exists_and_somebody_opened_it():
    from vertebra.measure import scores
    from vertebra.widgets.workbench import LIMITS

    cards = [value for value in vars(scores).values() if isinstance(value, scores.Card)]
    named = {name for card in cards for name in card.source} | set(scores.OF_SOURCE)
    named |= set(re.findall(r"\((\w+\d{4})\)", LIMITS))
    assert len(cards) == 5 and len(named) >= 6
    for name in named:
        assert references()[name].publishable, name
