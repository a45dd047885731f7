"""The 272 claims of patient pages are whole: their shape, their ids, and everything that they cite."""

import copy

import pytest

from vertebra import assets
from vertebra.evidence.claims import claims, faults


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/claims.yml"))


def test_272_claims_without_a_fault():
    assert len(claims()) == 272
    assert faults() == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: c["claims"].append(c["claims"][3]), "c000-004 is used twice"),
        (lambda c: c["claims"][0]["refs"].append("nobody1999"), "names references nobody1999"),
        (lambda c: c["claims"][0]["conflict_ids"].append("k99"), "names conflicts k99"),
        (lambda c: c["conflicts"][0]["side_a"].append("c009-999"), "names claims c009-999"),
        (lambda c: c["claims"][0].update(leaflet="F"), "claims/0/leaflet"),
        (lambda c: c["claims"][0].update(status="true"), "claims/0/status"),
        (lambda c: c["claims"][0].update(basis="unreferenced"), "basis unreferenced"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(data)
    assert any(words in fault for fault in faults(data))
