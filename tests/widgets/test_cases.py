"""The case widget without a browser: what it hands out, what it keeps to itself, and what it keeps on the disc."""

import base64
import itertools
import json
import re
import threading
from pathlib import Path

import pytest

from vertebra.evidence.references import references
from vertebra.quiz import case_files, case_pictures, cases, progress
from vertebra.quiz.case_log import CaseLog
from vertebra.quiz.coverage import practice_banks
from vertebra.widgets import cases as module
from vertebra.widgets import ledger
from vertebra.widgets.cases import ENOUGH, FILE, CaseWidget, case, points
from vertebra.widgets.quiz import QuizError

NAMES = ("t12_frail", "breast_mscc", "dmab_rebound")
HERE = Path(module.__file__).parent


PNG = b"\x89PNG of the test"


@pytest.fixture(autouse=True)
def quick_pictures(monkeypatch):
    """A picture of an MRI takes seconds, and goes on being drawn when its test is over."""
    monkeypatch.setattr(case_pictures, "_begun", {})
    monkeypatch.setattr(case_pictures, "png", lambda spec: PNG)


def ask(widget, **changes):
    """Want something, as the browser does, and return what is shown."""
    widget.wanted = {**widget.wanted, "seq": widget.wanted["seq"] + 1, **changes}
    assert widget.shown["seq"] == widget.wanted["seq"]
    return widget.shown


def right(name):
    run = case_files.best_run(case_files.load_case(case_files.find_case(name)))
    return [list(each) for each in run.choices]


def wrong(name):
    state = cases.start(case_files.load_case(case_files.find_case(name)))
    while not state.ended:
        options = [each for each in state.scene.decision.options if not each.key]
        options.sort(key=lambda each: not each.harm)
        state = cases.decide(state, [options[0].id])
    return [list(each) for each in state.choices]


@pytest.mark.parametrize("name", NAMES)
def test_before_the_end_nothing_tells_right_from_wrong(name, tmp_path):
    widget = case(name, tmp_path)
    loaded = case_files.load_case(case_files.find_case(name))
    secrets = [each.rationale for scene in loaded.scenes if scene.decision for each in scene.decision.options]
    secrets += [each.harm for scene in loaded.scenes if scene.decision for each in scene.decision.options if each.harm]
    secrets += [text for _, text in loaded.handover.model] + [each.text for each in loaded.key_features]
    secrets += [note.text for note in loaded.debrief]
    choices = right(name)
    for n in range(len(choices)):
        shown = ask(widget, choices=choices[:n])
        sent = json.dumps([shown, widget.about], ensure_ascii=False)
        assert not [secret for secret in secrets if secret in sent]
        assert not re.search(r'"(key|harm|acceptable|rationale|share)"', sent)
        assert shown["debrief"] is None and shown["handover"] is None
    assert ask(widget, choices=choices)["debrief"] is not None


@pytest.mark.parametrize("name", NAMES)
def test_the_right_options_do_not_stand_first(name):
    loaded = case_files.load_case(case_files.find_case(name))
    places = [
        [option.key for option in module._as_shown(scene)].index(True)
        for scene in loaded.scenes
        if scene.decision and scene.decision.key_feature
    ]
    assert len(set(places)) > 1


@pytest.mark.parametrize("name", NAMES)
def test_the_debrief_says_what_the_engine_computed(name, tmp_path):
    loaded = case_files.load_case(case_files.find_case(name))
    for choices in (right(name), wrong(name)):
        shown = ask(case(name, tmp_path / str(len(choices)) / choices[0][0]), choices=choices)["debrief"]
        came = cases.result(cases.replay(loaded, choices))
        assert points(came.total, len(came.features)) in shown["headline"]
        assert [row["share"] for row in shown["features"]] == [
            f"{100 * each.share:.0f}\u00a0%" for each in came.features
        ]
        assert [row["text"] for row in shown["harms"]] == [harm.option.harm for harm in came.harms]
        started = [line for line in came.lines if line.started is not None]
        for row, line in zip(shown["lines"], started, strict=True):
            assert row["kept"] == line.kept
            # The bar crosses the limit exactly if the clock was not kept.
            assert (row["bar"] <= row["limit"]) == line.kept
            assert 0 <= row["bar"] <= 100 and 0 < row["limit"] <= 100
        for row in shown["review"]:
            assert any(option["chosen"] for option in row["options"])
        for ref, citation, _ in shown["sources"]:
            assert references()[ref].citation == citation


def test_too_many_choices_are_allowed_and_said(tmp_path):
    choices = right("t12_frail")
    first = case_files.load_case(case_files.find_case("t12_frail")).scenes[0].decision
    choices[0] = [option.id for option in first.options]
    shown = ask(case("t12_frail", tmp_path), choices=choices)["debrief"]
    assert shown["features"][0]["share"] == "0\u00a0%"
    assert "You chose 6, and up to 4 count" in shown["features"][0]["said"]
    assert "9 of 10" in shown["headline"]


def test_times_in_the_story_are_those_of_the_clock(tmp_path):
    shown = ask(case("t12_frail", tmp_path), choices=[["nerves"]])
    assert shown["came"]["stamp"] == "Day 1, 09:18"  # begins 09:10, takes 8 minutes
    assert "at 09:18" in shown["came"]["rows"][0]["consequence"]
    assert ["Nerves", "Intact at 09:18, written down with the time"] in shown["chart"]
    assert "{time}" not in json.dumps(shown)
    both = ask(case("t12_frail", tmp_path / "b"), choices=[["ask-flags", "nerves"]])
    assert "at 09:23" in both["came"]["rows"][1]["consequence"]


@pytest.mark.parametrize("name", NAMES)
def test_no_placeholder_is_left_anywhere(name, tmp_path):
    widget = case(name, tmp_path)
    for choices in (right(name), wrong(name)):
        for n in range(len(choices) + 1):
            assert "{" not in json.dumps({**ask(widget, choices=choices[:n])}["scene"]["text"])
            assert "{time}" not in json.dumps(widget.shown)


def test_a_picture_comes_when_it_is_drawn_and_no_answer_waits_for_it(tmp_path, monkeypatch):
    may = threading.Event()
    monkeypatch.setattr(case_pictures, "png", lambda spec: may.wait(5) and PNG)
    widget = case("t12_frail", tmp_path)
    shown = ask(widget, choices=[["ask-flags"], ["film"]])
    assert [picture["id"] for picture in shown["scene"]["pictures"]] == ["t12-film"] and shown["pictures"] == {}
    assert ask(widget, pictures=["t12-film"])["pictures"] == {} and widget.problem == ""
    may.set()
    monkeypatch.setattr(case_pictures, "PATIENCE", 5)
    uri = ask(widget)["pictures"]["t12-film"]
    assert base64.b64decode(uri.split(",")[1]) == PNG


def test_pictures_are_begun_while_the_student_reads_and_none_before_the_first_decision(tmp_path):
    widget = case("t12_frail", tmp_path)
    assert not case_pictures._begun
    ask(widget, choices=[["ask-flags"]])
    assert next(iter(case_pictures._begun)) == module.pictures_of(widget._case)["t12-film"].spec


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"choices": [["nonsense"]]}, "no option 'nonsense'"),
        ({"choices": [[]]}, "nothing is chosen"),
        ({"choices": "film"}, "choices a list"),
        ({"note": {"x": "y"}}, "its parts are"),
        ({"note": {"situation": 1}}, "text of at most"),
        ({"ticked": ["a"]}, "whole numbers"),
        ({"pictures": ["t13"]}, "t13"),
    ],
)
def test_what_the_browser_cannot_want_is_refused_in_words(tmp_path, changes, words):
    widget = case("t12_frail", tmp_path)
    before = widget.shown["scene"]
    ask(widget, **changes)
    assert "The case could not go on" in widget.problem and words in widget.problem
    assert widget.shown["scene"] == before
    assert not CaseLog(tmp_path / FILE).runs
    ask(widget, choices=[["nerves"]], note={}, ticked=[], pictures=[])
    assert widget.problem == ""


def test_the_note_is_checked_at_any_time_and_the_model_waits_for_one(tmp_path):
    widget = case("dmab_rebound", tmp_path)
    choices = right("dmab_rebound")
    early = ask(widget, choices=choices, compared=True)["handover"]
    assert early["model"] == [] and early["count"].startswith("0 of ")
    model = dict(case_files.load_case(case_files.find_case("dmab_rebound")).handover.model)
    shown = ask(widget, note=model)["handover"]
    assert shown["written"] > ENOUGH and all(check["found"] for check in shown["checks"])
    assert [text for _, text in shown["model"]] == list(model.values())
    assert ask(widget, note={"situation": "T11"})["handover"]["model"] == []


def test_a_case_goes_on_where_it_was_left_and_begins_anew_on_request(tmp_path):
    widget = case("breast_mscc", tmp_path)
    assert not (tmp_path / FILE).exists()  # looking writes nothing
    ask(widget, choices=right("breast_mscc")[:2], note={"situation": "T11"}, ticked=[1])
    again = case("breast_mscc", tmp_path)
    assert again.shown["scene"]["title"] == "She rings at seven"
    assert (again.wanted["note"], again.wanted["ticked"]) == ({"situation": "T11"}, [1])
    assert case("t12_frail", tmp_path).shown["scene"]["number"] == 1
    ask(again, choices=[], note={}, ticked=[])
    assert case("breast_mscc", tmp_path).shown["scene"]["number"] == 1


@pytest.mark.parametrize("change", [{"version": "0.9.0"}, {"choices": [["gone"]]}])
def test_a_run_of_another_version_begins_anew_and_says_so(tmp_path, change):
    ask(case("t12_frail", tmp_path), choices=[["nerves"]])
    data = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    data["runs"]["t12_frail"] |= change
    (tmp_path / FILE).write_text(json.dumps(data), encoding="utf-8")
    widget = case("t12_frail", tmp_path)
    assert widget.shown["scene"]["number"] == 1 and "begins anew" in widget.shown["notice"]


def test_no_file_of_a_widget_is_that_of_a_quiz():
    assert not {f"{bank.id}.json" for bank in practice_banks()} & {FILE, ledger.FILE, progress.FILE, progress.GYM}


def test_a_damaged_file_is_kept_and_said(tmp_path):
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    widget = case("t12_frail", tmp_path)
    assert "cannot be used" in widget.shown["notice"]
    assert "kept under the name case_runs.unreadable-1.json" in ask(widget, choices=[["nerves"]])["notice"]
    assert (tmp_path / "case_runs.unreadable-1.json").read_text(encoding="utf-8") == "{"


def test_a_folder_that_cannot_be_written_is_said_and_the_case_goes_on(tmp_path):
    (tmp_path / "answers").write_text("a file in the folder's place")
    widget = case("t12_frail", tmp_path / "answers")
    shown = ask(widget, choices=[["nerves"]])
    assert "cannot be written" in shown["notice"] and shown["scene"]["number"] == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_static_page_shows_the_first_scene_and_no_key(name, tmp_path):
    widget = case(name, tmp_path)
    loaded = case_files.load_case(case_files.find_case(name))
    page = widget.still()
    assert loaded.title in page and loaded.scenes[0].decision.ask in page and "Not yet reviewed" in page
    for option in loaded.scenes[0].decision.options:
        assert option.text in page and option.rationale not in page and option.consequence not in page
    assert repr(widget) == f"case {name!r}: {loaded.title}, {len(loaded.key_features)} key features"
    bundle, _ = widget._repr_mimebundle_()
    assert bundle["text/html"] == page and bundle["text/plain"] == repr(widget)


def test_a_case_that_is_not_there_is_said_in_one_line():
    with pytest.raises(QuizError, match="did you mean t12_frail"):
        case("t12_frale")


def test_score_words():
    assert [points(total, 10) for total in (0, 0.75, 1)] == ["0 of 10", "7.5 of 10", "10 of 10"]


def test_the_module_stands_alone():
    source = (HERE / "cases.js").read_text(encoding="utf-8")
    assert not re.search(r"https?://|\bimport\b[^.]", source)
    assert issubclass(CaseWidget, module.Asking)
    assert all(a != b for a, b in itertools.combinations(NAMES, 2))
