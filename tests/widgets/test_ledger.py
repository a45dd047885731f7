"""The claim ledger without a browser: the score is what the judgements earn, and nothing judged is lost."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.evidence.claims import CALLS, CONFLICT, VERDICTS, claims, conflicts, omissions
from vertebra.quiz.items import BankError
from vertebra.widgets import ledger as module
from vertebra.widgets.ledger import about, always, checked, claim_ledger, place, score, shown_score, told

IDS = sorted(claims())
judgements = st.dictionaries(
    st.sampled_from(IDS),
    st.fixed_dictionaries({"answer": st.sampled_from(CALLS), "certainty": st.sampled_from([None, 1, 2, 3])}),
    max_size=40,
)


def said(call, certainty=None):
    return {"answer": call, "certainty": certainty}


def judge(view, **judged):
    view.wanted = {
        "seq": view.wanted["seq"] + 1,
        "judged": {**view.wanted["judged"], **{name.replace("_", "-"): said(call) for name, call in judged.items()}},
    }


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "my_answers"


# --- the score --------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(judgements)
def test_every_judgement_is_counted_once_and_right_is_what_the_ledger_holds(judged):
    found = score(checked({"judged": judged}))
    assert found.judged == len(judged) == sum(n for row in found.table.values() for n in row.values())
    for call in CALLS:
        mine = [claims()[name] for name, each in judged.items() if each["answer"] == call]
        assert sum(found.table[call].values()) == len(mine)
        if call == CONFLICT:
            assert found.right[call] == sum(bool(claim.conflict_ids) for claim in mine)
        else:
            assert found.right[call] == found.table[call][call]
    supported = sum(found.table["supported"].values())
    assert len(found.fooled) == supported - found.right["supported"]
    sure = [each["certainty"] for each in judged.values()]
    assert {level: of for level, (_, of) in found.certainty.items()} == {
        level: sure.count(level) for level in (1, 2, 3)
    }


def test_the_whole_ledger_judged_rightly_has_an_empty_off_diagonal():
    found = score({claim.id: said(claim.verdict, 3) for claim in claims().values()})
    assert found.judged == sum(found.right.values()) == 272
    assert found.fooled == () and found.certainty[3] == (272, 272)
    assert "272 of 272 claims judged, 272 right: 100 % (95 % interval 99 to 100)." in told(found)


def test_one_verdict_said_of_everything_is_the_yardstick():
    verdict, often = always()
    counts = {each: sum(score({c.id: said(each)}).right[each] for c in claims().values()) for each in VERDICTS}
    assert often == counts[verdict] == max(counts.values())
    assert any(
        f"calls every claim {verdict} is right on {often} of 272" in line
        for line in told(score({IDS[0]: said(verdict)}))
    )


def test_the_sentences_say_the_numbers():
    assert told(score({})) == ["Nothing judged yet of 272 claims."]
    lines = told(
        score({"c003-065": said("supported", 3), "c000-003": said("supported", 3), "c000-056": said(CONFLICT)})
    )
    assert lines[0].startswith("3 of 272 claims judged, 2 right: 67 %")
    assert lines[2:] == ["Of 2 that you called supported, 1 is not.", "Right 1 of 2 when certain."]


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        ({"c009-999": said("supported")}, "there is no claim c009-999"),
        ({"c000-001": said("true")}, "the judgement of c000-001 is"),
        ({"c000-001": "supported"}, "the judgement of c000-001 is"),
        ({"c000-001": said("supported", 4)}, "certainty is 4"),
        (["c000-001"], "give one judgement for each claim"),
    ],
)
def test_what_is_no_judgement_is_refused_in_words_and_the_next_is_answered(folder, judged, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        checked({"judged": judged})
    view = claim_ledger(folder)
    view.wanted = {"seq": 1, "judged": judged}
    assert words in view.problem and view.shown["seq"] == 1 and not folder.exists()
    view.wanted = {"seq": 2, "judged": {"c000-001": said("supported")}}
    assert view.problem == "" and view.shown["score"]["judged"] == 1


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_everything_of_the_ledger_reaches_the_browser_with_its_sources():
    sent = json.loads(json.dumps(about()))
    assert [len(sent[name]) for name in ("claims", "conflicts", "omissions", "leaflets")] == [272, 27, 13, 5]
    for each in (*sent["claims"], *sent["conflicts"], *sent["omissions"]):
        assert each["refs"] and set(each["refs"]) <= {*sent["sources"], "unreferenced"}
        assert each["place"]["file"].endswith(".ipynb") and each["place"]["anchor"]
    assert all(source["status"] for source in sent["sources"].values())
    for each in sent["claims"]:
        assert each["verdict"] == claims()[each["id"]].verdict


def test_a_place_is_a_link_and_words_for_it():
    assert place("09_vertebroplasty_vs_kyphoplasty#Before-the-choice:-is-there-one?") == {
        "file": "09_vertebroplasty_vs_kyphoplasty.ipynb",
        "anchor": "Before-the-choice:-is-there-one?",
        "lesson": "09 Vertebroplasty vs kyphoplasty",
        "section": "Before the choice: is there one?",
    }


def test_the_questions_of_a_claim_are_shown_by_lesson_and_number(monkeypatch):
    from vertebra.quiz.coverage import Question

    monkeypatch.setattr(
        module, "questions_by_claim", lambda: {"c000-001": (Question("02_why_vertebrae_break", 7, "x"),)}
    )
    sent = about.__wrapped__()
    asked = {each["id"]: each["questions"] for each in sent["claims"]}
    assert asked["c000-001"] == [
        {"file": "02_why_vertebrae_break.ipynb", "lesson": "02 Why vertebrae break", "number": 7}
    ]
    assert asked["c000-002"] == []


def test_banks_with_faults_leave_the_claims_to_be_judged(monkeypatch):
    def broken():
        raise BankError(["bank.yml:3: bank: is not YAML"])

    monkeypatch.setattr(module, "questions_by_claim", broken)
    sent = about.__wrapped__()
    assert "The question banks have faults" in sent["limits"] and len(sent["claims"]) == 272


def test_the_static_form_holds_the_whole_ledger_and_is_stable(folder):
    first, second = claim_ledger(folder), claim_ledger(folder / "other")
    assert repr(first) == repr(second) == "claim ledger: 272 claims, 27 conflicts, 13 omissions of 5 patient leaflets"
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    page = bundle["text/html"]
    assert page == second._repr_mimebundle_()[0]["text/html"]
    assert page.count("<tr>") == 272 + 27 + 13 + 7  # and the heads of seven tables
    cited = re.findall(r"\[([a-z0-9_; ]+)\]</td>", page)
    assert len(cited) == 272 + 27 + 13
    assert "[nogg]" in page and "[unreferenced]" in page


def test_what_a_student_judged_stays_out_of_what_a_lesson_stores(folder):
    view = claim_ledger(folder)
    before = view._repr_mimebundle_()[0]["text/html"]
    judge(view, c000_001="supported")
    assert view._repr_mimebundle_()[0]["text/html"] == before and repr(view) == repr(claim_ledger(folder))


# --- the file ---------------------------------------------------------------------------------------------------------


def test_nothing_is_written_before_the_first_judgement_and_all_is_there_again(folder):
    view = claim_ledger(folder)
    assert not folder.exists()
    judge(view, c000_001="supported", c003_031=CONFLICT)
    again = claim_ledger(folder)
    assert again.wanted["judged"] == {"c000-001": said("supported"), "c003-031": said(CONFLICT)}
    assert again.shown["score"] == shown_score(again.wanted["judged"])
    again.wanted = {"seq": 1, "judged": {}}
    assert claim_ledger(folder).wanted["judged"] == {}


def test_two_windows_on_one_ledger_lose_nothing(folder):
    one, other = claim_ledger(folder), claim_ledger(folder)
    judge(one, c000_001="supported")
    judge(other, c000_002="contradicted")
    judge(one, c000_003="oversimplified")
    assert sorted(claim_ledger(folder).wanted["judged"]) == ["c000-001", "c000-002", "c000-003"]


@pytest.mark.parametrize("damage", ["", "{", '{"format": "vertebra-responses/1"}', "not ours"])
def test_a_damaged_file_is_kept_aside_and_the_student_is_told(folder, damage):
    judge(claim_ledger(folder), c000_001="supported")
    (folder / "ledger.json").write_text(damage)
    view = claim_ledger(folder)
    assert "The earlier answers cannot be used" in view.shown["note"] and view.wanted["judged"] == {}
    assert (folder / "ledger.json").read_text() == damage  # not touched before there is something to keep
    judge(view, c000_002="supported")
    assert "kept under the name ledger.unreadable-1.json" in view.shown["note"]
    assert (folder / "ledger.unreadable-1.json").read_text() == damage
    assert list(claim_ledger(folder).wanted["judged"]) == ["c000-002"]


def test_the_file_of_another_quiz_is_kept_aside_too(folder):
    from vertebra.quiz.responses import Responses, write_responses

    folder.mkdir()
    write_responses(folder / "ledger.json", Responses("imaging", "0", {}))
    view = claim_ledger(folder)
    assert "another quiz" in view.shown["note"]
    judge(view, c000_002="supported")
    assert (folder / "ledger.unreadable-1.json").exists()


def test_a_folder_that_cannot_be_written_is_said_and_the_score_goes_on(tmp_path):
    (tmp_path / "my_answers").write_text("a file stands where the folder should be")
    view = claim_ledger(tmp_path / "my_answers")
    judge(view, c000_001="oversimplified")
    assert "ledger.json cannot be written" in view.shown["note"] and view.problem == ""
    assert view.shown["score"]["judged"] == 1


def test_a_verdict_of_a_later_version_is_passed_over(folder):
    from vertebra.quiz.responses import Responses, digest, write_responses

    folder.mkdir()
    answers = {"c000-001": said("unclear"), "c000-002": said("supported", 2)}
    write_responses(folder / "ledger.json", Responses("claim_ledger", digest(sorted(claims())), answers))
    assert claim_ledger(folder).wanted["judged"] == {"c000-002": said("supported", 2)}


def test_sources_shown_as_read_were_read():
    from vertebra.evidence.references import references

    assert all(references()[ref].publishable for ref in about()["sources"])
    assert len(conflicts()) + len(omissions()) == 40
