"""What still needs somebody's eyes is found, and every evidence file is asked."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebra import assets
from vertebra.cli import main
from vertebra.evidence.checking import check, modules, sift
from vertebra.evidence.references import references
from vertebra.evidence.shape import Fact, citation_faults, review_date

ROOT = Path(__file__).parents[2]
DUE = date(2028, 11, 30)


def test_every_evidence_file_has_a_module_that_says_what_is_wrong_with_it_and_what_it_states():
    asked = {module.FILE for module in modules()}
    assert asked == {path.name for path in assets.path("evidence/claims.yml").parent.glob("*.yml")}


def test_nothing_is_wrong_and_every_file_says_when_it_must_be_read_anew():
    report = check(date(2026, 11, 29))
    assert report.faults == ()
    assert report.overdue == ()
    dated = {fact.file for fact in report.unchecked + report.unreferenced if fact.review_by}
    assert dated
    late = check(date(2100, 1, 1))
    assert len(late.overdue) == late.total > 1000
    assert {fact.file for fact in late.overdue} == {module.FILE for module in modules()}


def test_what_is_listed_as_not_compared_is_what_the_library_says_of_itself():
    report = check(DUE)
    listed = [fact for fact in report.unchecked if fact.file == "references.yml"]
    closed = [name for name, source in references().items() if not source.publishable]
    findings = sum(len(source.outcomes_unchecked) for source in references().values())
    assert len(closed) > 0 < findings
    assert len(listed) == len(closed) + findings
    assert set(closed) <= {fact.id for fact in listed}


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(-3, 3) | st.none()), max_size=20))
def test_each_fact_stands_in_exactly_the_lists_it_belongs_to(drawn):
    facts = [
        Fact(
            "x.yml",
            str(i),
            "said",
            ("unreferenced",) if bare else ("a",),
            None if days is None else DUE + timedelta(days),
            raw,
        )
        for i, (raw, bare, days) in enumerate(drawn)
    ]
    report = sift(facts, DUE)
    assert [fact.id for fact in report.unchecked] == [str(i) for i, (raw, _, _) in enumerate(drawn) if raw]
    assert [fact.id for fact in report.unreferenced] == [str(i) for i, (_, bare, _) in enumerate(drawn) if bare]
    # On the day itself there is still time.
    assert [fact.id for fact in report.overdue] == [str(i) for i, (*_, days) in enumerate(drawn) if (days or 0) < 0]
    assert report.total == len(drawn)


@pytest.mark.parametrize(
    ("refs", "words"),
    [
        ([], "names no source"),
        (["nobody1999"], "nobody1999, which does not exist"),
        (["denis1983"], "nobody has opened"),
        (["genant1993", "unreferenced"], None),
    ],
)
def test_what_is_wrong_with_the_sources_of_a_statement(refs, words):
    found = list(citation_faults("x.yml", "row 1", refs))
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


@pytest.mark.parametrize("written", [None, "soon", "30.11.2028"])
def test_a_review_date_that_is_none_is_named(written):
    with pytest.raises(ValueError, match=r"x\.yml: review_by"):
        review_date("x.yml", {"review_by": written} if written else {})


def test_the_command_lists_and_counts(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["evidence", "check", "--on", "2026-11-29"]) == 0
    out = capsys.readouterr().out
    assert "references.yml: denis1983: not opened yet" in out
    assert "00_start.ipynb: quiet-see: So the first fracture is your chance" in out
    assert out.rstrip().endswith("0 faults, 0 overdue")
    assert main(["evidence", "check", "--on", "2100-01-01", "--brief", "lessons/00_start.ipynb"]) == 1
    out = capsys.readouterr().out
    assert "  references.yml: " in out and "denis1983" not in out
    assert "01_spine_anatomy" not in out


def test_a_day_that_is_none_is_refused_in_words(capsys):
    with pytest.raises(SystemExit):
        main(["evidence", "check", "--on", "tomorrow"])
    assert "write it as 2028-11-30" in capsys.readouterr().err


def test_a_faulty_file_is_named_and_the_rest_is_still_listed(monkeypatch, capsys):
    from vertebra.evidence import claims

    monkeypatch.setattr(claims, "faults", lambda: ["claims.yml: c000-004 is used twice"])
    monkeypatch.chdir(ROOT)
    assert main(["evidence", "check", "--on", "2026-11-29", "--brief"]) == 1
    out = capsys.readouterr().out
    assert "c000-004 is used twice" in out and "1 fault," in out
    assert "references.yml: " in out
