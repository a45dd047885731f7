"""The page of the own progress without a browser: what it shows follows from the record, and practising keeps it."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from vertebra.measure.reading import Finding, Reading
from vertebra.quiz.blueprint import objectives
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.items import BankError
from vertebra.quiz.mastery import calibration
from vertebra.quiz.progress import FILE, ProgressFile
from vertebra.quiz.review import Attempt, Entry
from vertebra.widgets import progress as module
from vertebra.widgets.progress import MEANINGS, SITTING, VERDICTS, Progress, about, progress, signed, told
from vertebra.widgets.quiz import practice, revise

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
BANKS = practice_banks()
ITEMS = [item for bank in BANKS for item in bank.items]
LESSON = {item.id: bank.lesson for bank in BANKS for item in bank.items}
CHOICE = next(item for item in ITEMS if item.format == "single_best_answer" and item.mistakes())
FRACTURE = Finding("L1", True, "wedge", 2, 0.3)


def attempt(item, fraction=1.0, certainty=3, after=timedelta(0), answer="x"):
    return Attempt(item.id, item.version, NOON + after, answer, fraction, certainty)


def film(seed, after=timedelta(0)):
    return Entry(seed, NOON + after, Reading(FRACTURE, FRACTURE, 2))


@pytest.fixture
def page(tmp_path):
    """Return a function that opens the page `after` noon on a record."""

    def show(*events, after=timedelta(hours=1)):
        if events:
            ProgressFile(tmp_path / FILE).add(*events)
        return Progress(tmp_path, lambda: NOON + after)

    return show


def ask(view, practise="", sitting=None):
    before = view.wanted
    number = before["sitting"] + 1 if practise else before["sitting"]
    view.wanted = {"seq": before["seq"] + 1, "practise": practise, "sitting": number if sitting is None else sitting}


def check(view, item, answer, certainty=3):
    """Answer a question of the sitting as the browser does."""
    old = view.responses
    view.responses = {
        "seq": old["seq"] + 1,
        "student": "",
        "answers": {**old["answers"], item.id: {"answer": answer, "certainty": certainty}},
        "checked": [*old["checked"], item.id],
    }


# --- words and what stays the same -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (12, "+12"), (-4.5, "\u22124.5"), (100, "+100"), (1 / 3, "+0.33"), (-1e-9, "0")]
)
def test_marks_are_written_with_their_sign(value, words):
    assert signed(value) == words


def test_what_is_said_of_the_course_names_every_objective_and_verdict():
    said = about()
    assert [each["id"] for each in said["objectives"]] == list(objectives())
    assert {each["lesson"] for each in said["objectives"]} <= {each["stem"] for each in said["lessons"]}
    assert VERDICTS.keys() == MEANINGS.keys()
    assert json.dumps(said)


def test_the_static_page_and_the_name_are_the_same_for_every_student(page):
    empty = page()._repr_mimebundle_()[0]
    full = page(*[attempt(item) for item in ITEMS])._repr_mimebundle_()[0]
    for kind in ("text/plain", "text/html"):
        assert empty[kind] == full[kind]
    assert empty["text/plain"] == f"my progress: {len(objectives())} objectives, 16 lessons"
    assert all(each.id in empty["text/html"] for each in objectives().values())
    assert not re.search(r"20\d\d", empty["text/html"])


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_a_fresh_machine_shows_no_numbers_and_writes_nothing(page, tmp_path):
    view = page()
    assert not view.shown["met"] and view.shown["notice"] == ""
    assert all(each["verdict"] == "unmet" for each in view.shown["mastery"].values())
    assert view.shown["due"] == {"items": 0, "films": 0, "lessons": [], "coming": ""}
    assert view.shown["sure"] == [] and len(view.shown["calibration"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_one_attempt_is_met_but_too_few(page):
    shown = page(attempt(CHOICE, certainty=2)).shown
    objective = CHOICE.objectives[0]
    assert shown["headline"] == "1 question and 0 films met since 21 November 2026."
    assert shown["mastery"][objective]["n"] == 1 and shown["mastery"][objective]["verdict"] == "few"
    assert "67\u00a0%" in shown["mastery"][objective]["told"]
    assert [each["id"] for each in shown["calibration"]] == ["all", LESSON[CHOICE.id]]
    assert shown["marks"] == {"earned": "+2", "most": "3", "again": ""}


def test_what_is_due_is_counted_by_lesson_with_films_apart(page):
    missed = [item for item in ITEMS if LESSON[item.id] in ("03_fracture_types", "05_imaging")][:30]
    view = page(*[attempt(item, 0) for item in missed], film(1), film(2), after=2 * DAY)
    due = view.shown["due"]
    assert due["items"] == len(missed) == sum(each["n"] for each in due["lessons"]) and due["films"] == 2
    assert [each["name"] for each in due["lessons"]] == ["03 Fracture types", "05 Imaging"]
    assert view.shown["owed"][missed[0].objectives[0]] >= 1
    early = page(after=timedelta(minutes=1)).shown["due"]
    assert early["items"] == 0 and early["coming"].startswith(f"{len(missed)} later today")


def test_questions_that_are_gone_and_unknown_versions_do_not_stop_the_page(page):
    gone = Attempt("gone-001", "7", NOON, {"p1": "o9"}, 0.0, 3)
    old = Attempt(CHOICE.id, "0.0.1", NOON, "no-such-option", 0.0, 3)
    view = page(gone, old, after=2 * DAY)
    assert view.shown["due"]["items"] == 1
    assert [each["stem"] for each in view.shown["sure"]] == [CHOICE.stem]
    assert view.shown["sure"][0]["mistakes"] == []
    assert view.shown["calibration"][0]["n"] == 2
    assert view.shown["marks"]["earned"] == "\u221212"


def test_only_first_answers_are_calibrated_and_returns_are_marked_apart(page):
    events = [attempt(CHOICE, 0, 3), attempt(CHOICE, 1, 3, DAY), film(4), film(4, DAY)]
    shown = page(*events, after=2 * DAY).shown
    assert [(each["id"], each["n"]) for each in shown["calibration"]] == [
        ("all", 1),
        (LESSON[CHOICE.id], 1),
        ("films", 1),
    ]
    assert shown["marks"] == {"earned": "\u22126", "most": "3", "again": "+3 of 3 when questions came back"}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([(3, 1)] * 4, ["4 of 10 first answers: too early"]),
        ([(3, 0)] * 20 + [(3, 1)] * 20, ["Over-confident: your answers claim 80 to 100", "“certain” you earned 50"]),
        ([(1, 1)] * 20, ["Under-confident", "trust yourself more", "Brier score 0.44"]),
        ([(3, 1)] * 18 + [(3, 0)] * 2, ["Your certainty fits", "Brier score 0.09", "0.00 of it"]),
        # Over and under at once: together they fit, and each is still named.
        (
            [(3, 0)] * 12 + [(3, 1)] * 12 + [(1, 1)] * 24,
            ["On the whole your certainty fits", "take a step down", "trust yourself more"],
        ),
    ],
)
def test_calibration_is_said_in_plain_words(answers, words):
    said = " ".join(told(calibration(answers)))
    assert all(word in said for word in words), said


def test_every_record_can_be_sent_to_the_browser(page):
    events = [attempt(item, (k % 5) / 4, 1 + k % 3, k * DAY / 50) for k, item in enumerate(ITEMS)]
    view = page(*events, *(film(k) for k in range(40)), after=30 * DAY)
    assert json.loads(json.dumps(view.shown, allow_nan=False)) == view.shown
    for found in view.shown["mastery"].values():
        if found["n"]:
            assert 0 <= found["low"] <= found["mean"] <= found["high"] <= 100


# --- practising ------------------------------------------------------------------------------------------------------


def test_what_is_due_is_practised_blank_longest_overdue_first_and_at_most_twenty(page):
    missed = [attempt(item, 0, 3, -k * DAY) for k, item in enumerate(ITEMS[:30])]
    view = page(*missed, after=DAY)
    ask(view, "due")
    assert [item["id"] for item in view.quiz["items"]] == [item.id for item in reversed(ITEMS[:30])][:SITTING]
    assert view.responses["answers"] == {} and view.quiz["sitting"] == view.shown["sitting"] == 1
    assert view.quiz["certainty"] and view.quiz["mode"] == "practice" and view.quiz["title"] == "What is due"


def test_an_answer_goes_into_the_record_and_leaves_the_lessons_own_answers_alone(page, tmp_path):
    bank = next(bank for bank in BANKS if CHOICE in bank.items)
    lesson = practice(bank.id, tmp_path)
    wrong = next(iter(CHOICE.mistakes()))
    lesson.responses = {
        "seq": 1,
        "student": "",
        "answers": {CHOICE.id: {"answer": wrong, "certainty": 3}},
        "checked": [CHOICE.id],
    }
    kept = (tmp_path / f"{bank.id}.json").read_bytes()
    view = page(after=datetime.now(UTC) - NOON + DAY)
    assert [each["mistakes"] for each in view.shown["sure"]] == [[CHOICE.mistakes()[wrong]]]
    ask(view, "sure")
    right = next(option.id for option in CHOICE.options if option.key)
    later = datetime.now(UTC).replace(microsecond=0) + DAY
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vertebra.widgets.quiz.now", lambda: later)
        check(view, CHOICE, right)
    assert view.saved == view.responses["seq"] == 1 and view.trouble == ""
    ask(view)
    assert view.shown["sure"] == []
    assert [each.answer for each in ProgressFile(tmp_path / FILE).attempts] == [wrong, right]
    assert (tmp_path / f"{bank.id}.json").read_bytes() == kept


def test_an_objective_is_practised_unmet_questions_first(page):
    own = [item for item in ITEMS if "O7.4" in item.objectives]
    view = page(*[attempt(item) for item in own[:5]])
    ask(view, "O7.4")
    asked = [item["id"] for item in view.quiz["items"]]
    assert len(asked) == SITTING < len(own)
    assert not {item.id for item in own[:5]} & set(asked)
    assert view.quiz["title"] == "Recognise a safe needle path, and the moment to stop"


@pytest.mark.parametrize(
    ("practise", "words"), [("due", "What is due"), ("sure", "Sure and wrong"), ("O99.1", "O99.1")]
)
def test_what_cannot_be_practised_is_said_and_the_page_answers_on(page, practise, words):
    view = page()
    ask(view, practise)
    assert view.problem.startswith("The page could not do that: ") and words in view.problem
    assert view.shown["seq"] == view.wanted["seq"] and view.shown["sitting"] == 0 and view.quiz == {}
    ask(view, sitting=0)
    assert view.problem == ""


def test_every_objective_of_the_course_can_be_practised(page):
    view = page()
    for number, name in enumerate(objectives(), 1):
        ask(view, name)
        assert view.problem == "" and view.shown["sitting"] == number, name
        assert all(name in item["objectives"] for item in view.quiz["items"])


def test_two_sittings_with_the_same_questions_are_two(page, tmp_path):
    view = page()
    builds = set()
    for _ in range(2):
        ask(view, "O3.1")
        builds.add(view.quiz["build"])
    log = ProgressFile(tmp_path / FILE)
    builds.add(revise(ITEMS[:2], log, "t").quiz["build"])
    assert len(builds) == 3


def test_an_answer_before_any_sitting_is_passed_over(page, tmp_path):
    view = page()
    view.responses = {"seq": 1, "student": "", "answers": {}, "checked": []}
    assert view.saved == 0 and list(tmp_path.iterdir()) == []


# --- a file that cannot be used --------------------------------------------------------------------------------------


def test_a_damaged_file_is_told_and_its_new_name_stays_on_the_page(page, tmp_path):
    (tmp_path / FILE).write_text("{ half")
    view = page()
    assert "cannot be used (progress.json: is not JSON" in view.shown["notice"] and not view.shown["met"]
    ask(view, CHOICE.objectives[0])
    first = next(item for item in ITEMS if item.id == view.quiz["items"][0]["id"])
    answer = first.options[0].id if first.format == "single_best_answer" else None
    assert answer, "the first question of this objective is a choice"
    check(view, first, answer)
    ask(view)
    aside = next(path for path in tmp_path.iterdir() if path.name != FILE)
    assert aside.read_text() == "{ half"
    assert aside.name in view.shown["notice"]
    assert view.shown["met"]


def test_a_file_that_cannot_be_written_is_said_while_practising(page, tmp_path, monkeypatch):
    view = page()
    ask(view, CHOICE.objectives[0])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ProgressFile, "add", full)
    first = next(item for item in ITEMS if item.id == view.quiz["items"][0]["id"])
    check(view, first, first.options[0].id)
    assert view.saved == 0 and "No space left on device" in view.trouble


@pytest.mark.parametrize("how", ["try saving again", "look again", "begin another sitting"])
def test_an_answer_that_could_not_be_written_is_written_as_soon_as_it_can_be(page, tmp_path, monkeypatch, how):
    view = page()
    ask(view, CHOICE.objectives[0])
    first = next(item for item in ITEMS if item.id == view.quiz["items"][0]["id"])
    with monkeypatch.context() as patch:
        patch.setattr("vertebra.quiz.progress.write_whole", _no_space)
        check(view, first, first.options[0].id)
        if how != "try saving again":
            ask(view, CHOICE.objectives[0] if how == "begin another sitting" else "")
            said = view.shown["notice"]
            assert said.startswith("1 checked answer not saved") and "No space left on device" in said
            assert view.shown["met"]
    if how == "try saving again":
        view.responses = view.responses | {"seq": view.responses["seq"] + 1}
        assert view.saved == view.responses["seq"] and view.trouble == ""
    ask(view)
    assert view.shown["notice"] == ""
    assert [each.item for each in ProgressFile(tmp_path / FILE).attempts] == [first.id]


def _no_space(*_):
    raise OSError(28, "No space left on device")


def test_a_bank_with_faults_is_one_sentence_and_no_traceback(monkeypatch, tmp_path):
    def broken():
        raise BankError(["x.yml:3: item x-001: has no stem"])

    monkeypatch.setattr(module, "practice_banks", broken)
    with pytest.raises(ValueError, match=r"x.yml:3: item x-001: has no stem") as raised:
        progress(tmp_path)
    assert raised.value._render_traceback_() == ["QuizError: x.yml:3: item x-001: has no stem"]
