"""The rewriting exercise without a browser: what is counted is shown, the model waits for a text, drafts are kept."""

import json

import pytest

from vertebra.evidence.rewrites import exercises, without_citations
from vertebra.widgets.rewrite import LEAST_WORDS, LONGEST, checked, judged, rewrite

GOOD = without_citations(exercises()["balloon"].model)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "my_answers"


def write(view, text, exercise="balloon", **more):
    view.wanted = {"seq": view.wanted["seq"] + 1, "exercise": exercise, "text": text, "compare": False, **more}


def test_the_list_follows_the_text(folder):
    view = rewrite(folder)
    assert [check["met"] for check in view.shown["checks"]] == [False] * 7
    write(view, GOOD)
    assert all(check["met"] for check in view.shown["checks"])
    assert view.shown["told"] == f"7 of 7 counted; {len(GOOD.split())} words."
    write(view, "It is safe.", "needle")
    assert view.shown["exercise"] == "needle" and not all(check["met"] for check in view.shown["checks"])


@pytest.mark.parametrize("words", [0, LEAST_WORDS - 1, LEAST_WORDS])
def test_the_model_is_shown_once_there_is_a_text_to_compare(words):
    exercise = exercises()["needle"]
    text = " ".join(["word"] * words)
    assert judged(exercise, text, False)["model"] is None and judged(exercise, text, False)["wait"] == ""
    shown = judged(exercise, text, True)
    assert (shown["model"] is None) == (words < LEAST_WORDS) == bool(shown["wait"])
    if shown["model"]:
        assert shown["model"]["text"] == exercise.model and len(shown["model"]["claims"]) == len(exercise.claims)
        assert {source["id"] for source in shown["model"]["sources"]} >= {"dohm2014", "hsieh2019"}
        json.dumps(shown)
    else:
        assert f"you have {words}" in shown["wait"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"exercise": "x", "text": ""}, "there is no exercise 'x'; they are balloon, needle, tablets"),
        ({"exercise": "balloon", "text": 3}, "the text must be words"),
        ({"exercise": "balloon", "text": "a" * (LONGEST + 1)}, "at most 6000 characters; shorten it"),
        ({}, "there is no exercise None"),
    ],
)
def test_nonsense_is_refused_in_words_and_the_next_is_answered(folder, wanted, words):
    with pytest.raises(ValueError, match=words):
        checked(wanted)
    view = rewrite(folder)
    view.wanted = {"seq": 4, **wanted}
    assert words in view.problem and view.shown["seq"] == 4 and not folder.exists()
    write(view, "Pain.")
    assert view.problem == "" and view.shown["seq"] == 5


def test_drafts_are_plain_text_files_and_there_again(folder):
    view = rewrite(folder)
    assert not folder.exists()
    write(view, "Über das Bein.\nZwei Zeilen.")
    write(view, "Nadel.", "needle")
    assert (folder / "rewrite_balloon.txt").read_text(encoding="utf-8") == "Über das Bein.\nZwei Zeilen."
    again = rewrite(folder)
    drafts = {each["id"]: each["draft"] for each in again.about["exercises"]}
    assert drafts == {"balloon": "Über das Bein.\nZwei Zeilen.", "needle": "Nadel.", "tablets": ""}
    assert again.wanted["text"] == drafts["balloon"] and again.shown["note"] == ""
    write(again, "")
    assert (folder / "rewrite_balloon.txt").read_text() == ""


def test_a_file_that_is_no_text_is_kept_aside_and_the_student_is_told(folder):
    folder.mkdir()
    (folder / "rewrite_needle.txt").write_bytes(b"\xff\xfe\x00broken")
    view = rewrite(folder)
    assert "rewrite_needle.txt cannot be read as text" in view.shown["note"]
    assert (folder / "rewrite_needle.txt").read_bytes() == b"\xff\xfe\x00broken"  # not touched before there is a text
    write(view, "New.", "needle")
    assert "could not be read. It was kept under the name rewrite_needle.unreadable-1.txt" in view.shown["note"]
    assert (folder / "rewrite_needle.unreadable-1.txt").read_bytes() == b"\xff\xfe\x00broken"
    assert (folder / "rewrite_needle.txt").read_text() == "New."


def test_two_windows_lose_no_text(folder):
    one, other = rewrite(folder), rewrite(folder)
    write(one, "One.")
    write(other, "Other.")
    assert "had been changed elsewhere" in other.shown["note"]
    assert {path.read_text() for path in folder.iterdir()} == {"One.", "Other."}


def test_a_folder_that_cannot_be_written_is_said_and_counting_goes_on(tmp_path):
    (tmp_path / "my_answers").write_text("a file stands where the folder should be")
    view = rewrite(tmp_path / "my_answers")
    write(view, GOOD)
    assert "Your text cannot be kept" in view.shown["note"] and view.problem == ""
    assert all(check["met"] for check in view.shown["checks"])


def test_the_static_form_is_stable_complete_and_private(folder):
    view, other = rewrite(folder), rewrite(folder / "other")
    assert repr(view) == repr(other) == "rewrite for a patient: 3 misleading paragraphs"
    write(view, "My secret draft.")
    page = view._repr_mimebundle_()[0]["text/html"]
    assert page == other._repr_mimebundle_()[0]["text/html"] and "secret" not in page
    assert all(exercise.title in page for exercise in exercises().values()) and "[unreferenced]" in page
