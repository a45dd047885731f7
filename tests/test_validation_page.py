"""docs/validation.md says what the tests claim, and every claim is one that its test makes."""

import re
import sys
from pathlib import Path

import pytest

from validation import EXACT, KINDS, USUAL, validates
from vertebra.evidence.references import references

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import validation_page

CLAIMS = validation_page.claims()


def test_the_page_is_current():
    written = validation_page.PAGE.read_text(encoding="utf-8")
    assert written == validation_page.text(), "run `python tools/validation_page.py`"


def test_there_are_claims_of_every_kind_and_none_twice():
    assert len(CLAIMS) > 80
    assert {claim.kind for claim in CLAIMS} == set(KINDS)
    assert len({(claim.file, claim.test, claim.what) for claim in CLAIMS}) == len(CLAIMS)


def test_every_simulator_and_statistics_module_is_validated_or_says_why_it_is_not():
    claimed = {claim.module for claim in CLAIMS}
    assert set(validation_page.modules()) - claimed == set(validation_page.WITHOUT)
    library = Path(validation_page.ROOT) / "src" / "vertebra"
    gone = [name for name in claimed if not (library / f"{name.replace('.', '/')}.py").is_file()]
    assert gone == []


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.module}-{claim.test[5:45]}")
def test_a_claim_is_made_by_a_test_with_its_module_its_tolerance_and_a_source_that_was_opened(claim):
    assert claim.test.startswith("test_")
    assert "assert" in claim.body
    last = claim.module.split(".")[-1]
    assert re.search(rf"\b{last}\b", claim.file.read_text(encoding="utf-8"))
    for name in claim.source:
        assert references()[name].publishable, name
    if claim.tolerance == USUAL:
        assert re.search(r"approx\([^=]*?\)(?![^\n]*(abs|rel)=)", claim.body)
    elif claim.tolerance != EXACT:
        numbers = re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", claim.tolerance)
        assert numbers
        assert [number for number in numbers if number not in claim.body] == []


def test_a_claim_without_a_kind_or_a_source_is_refused():
    with pytest.raises(ValueError, match="no kind 'guessed'"):
        validates("cement.flow", "x", against="y", kind="guessed", tolerance="1")
    with pytest.raises(ValueError, match="needs the id"):
        validates("cement.flow", "x", against="y", kind="published", tolerance="1")


def test_a_test_stays_as_it_is():
    assert validates("a", "b", against="c", kind="library", tolerance="1")(test_the_page_is_current) is (
        test_the_page_is_current
    )
