"""The file of a student's progress: it loses nothing, whatever happens to it and whichever version wrote it."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from vertebra.measure.reading import Finding, Reading
from vertebra.quiz import progress
from vertebra.quiz.items import find_bank, load_bank
from vertebra.quiz.progress import FORMATS, MIGRATIONS, ProgressError, ProgressFile, dumps, loads
from vertebra.quiz.responses import Responses, write_responses
from vertebra.quiz.review import Attempt, Entry

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FRACTURE = Finding("L1", True, "wedge", 2, 0.3)
NORMAL = Finding("", False)


def entry(seed=7, after=timedelta(0), said=FRACTURE, certainty=3):
    return Entry(seed, START + after, Reading(FRACTURE, said, certainty))


def attempt(item="im-p01", after=timedelta(0), answer="film", fraction=1.0, certainty=3):
    return Attempt(item, "1.0.0", START + after, answer, fraction, certainty)


ANSWERS = ["film", ["a", "b"], 12.5, {"p1": "o1", "p2": None}, {"point": [3, 4.5]}, {"d1": ["o1", "o2"], "d2": []}]


def test_answers_of_every_shape_and_readings_survive_the_file(tmp_path):
    path = tmp_path / "answers" / "progress.json"
    file = ProgressFile(path)
    assert (file.events, file.notice, path.exists()) == ((), "", False)
    attempts = [attempt(f"im-p{i}", i * MINUTE, answer, 0.5, 1 + i % 3) for i, answer in enumerate(ANSWERS, 1)]
    for event in (entry(2, MINUTE), entry(1, said=NORMAL, certainty=1), *attempts):
        file.add(event)
    again = ProgressFile(path)
    assert again.readings == (entry(1, said=NORMAL, certainty=1), entry(2, MINUTE))
    assert again.attempts == tuple(attempts)
    assert again.notice == ""
    assert json.loads(path.read_text())["format"] == progress.CURRENT
    assert [name.name for name in path.parent.iterdir()] == ["progress.json"]


def test_two_windows_lose_nothing(tmp_path):
    one, other = ProgressFile(tmp_path / "g.json"), ProgressFile(tmp_path / "g.json")
    one.add(entry(1))
    other.add(attempt("a", MINUTE))
    one.add(entry(3, 2 * MINUTE))
    assert ProgressFile(tmp_path / "g.json").events == (entry(1), attempt("a", MINUTE), entry(3, 2 * MINUTE))
    assert len(one.events) == 3


def test_windows_that_write_at_the_same_moment_lose_nothing(tmp_path):
    files = [ProgressFile(tmp_path / "g.json") for _ in range(4)]

    def work(number):
        for i in range(10):
            files[number].add(attempt(f"w{number}-{i}", MINUTE))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ProgressFile(tmp_path / "g.json").events) == 40
    assert [name.name for name in tmp_path.iterdir()] == ["g.json"]


def test_a_lock_that_a_crash_left_behind_holds_nobody_up_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    (tmp_path / ".g.json.lock").touch()
    ProgressFile(tmp_path / "g.json").add(entry(1))
    assert [name.name for name in tmp_path.iterdir()] == ["g.json"]


# --- earlier versions ------------------------------------------------------------------------------------------------

READ = {
    "seed": 5,
    "when": "2026-11-20T08:00:00Z",
    "truth": {"level": "L1", "fractured": True, "kind": "wedge", "grade": 2, "loss": 0.3},
    "said": {"level": "", "fractured": False, "kind": "", "grade": 0, "loss": None},
    "certainty": 2,
}
VERSION_1 = json.dumps({"format": "vertebra-gym/1", "readings": [READ]})  # as the first version of the gym wrote it


def test_the_films_of_version_1_are_taken_over_and_its_file_is_backed_up_first(tmp_path):
    (tmp_path / "film_gym.json").write_text(VERSION_1)
    file = ProgressFile(tmp_path / "progress.json")
    assert [reading.seed for reading in file.readings] == [5]
    assert file.notice == ""
    assert [name.name for name in tmp_path.iterdir()] == ["film_gym.json"], "looking changes nothing"
    file.add(attempt())
    assert sorted(name.name for name in tmp_path.iterdir()) == ["film_gym.version-1.json", "progress.json"]
    assert (tmp_path / "film_gym.version-1.json").read_text() == VERSION_1
    again = ProgressFile(tmp_path / "progress.json")
    assert [reading.seed for reading in again.readings] == [5] and again.attempts == (attempt(),)


def test_films_read_later_with_the_earlier_version_are_taken_over_too(tmp_path):
    (tmp_path / "film_gym.json").write_text(VERSION_1)
    file = ProgressFile(tmp_path / "progress.json")
    file.add(attempt())
    later = VERSION_1.replace('"seed": 5', '"seed": 6')
    (tmp_path / "film_gym.json").write_text(later)
    file.add(attempt("im-p02", MINUTE))
    assert {reading.seed for reading in ProgressFile(tmp_path / "progress.json").readings} == {5, 6}
    assert (tmp_path / "film_gym.version-1.json").read_text() == VERSION_1
    assert (tmp_path / "film_gym.version-1-2.json").read_text() == later


def test_a_migration_that_is_cut_off_has_lost_nothing_and_ends_the_next_time(tmp_path, monkeypatch):
    (tmp_path / "film_gym.json").write_text(VERSION_1)
    with monkeypatch.context() as patch:
        patch.setattr(progress, "dumps", lambda events: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ProgressFile(tmp_path / "progress.json").add(attempt())
    assert (tmp_path / "film_gym.json").read_text() == VERSION_1
    ProgressFile(tmp_path / "progress.json").add(attempt())
    assert len(ProgressFile(tmp_path / "progress.json").events) == 2


def test_an_earlier_file_under_the_present_name_is_backed_up_before_it_is_written_anew(tmp_path):
    path = tmp_path / "progress.json"
    path.write_text(VERSION_1)
    ProgressFile(path).add(attempt())
    assert (tmp_path / "progress.version-1.json").read_text() == VERSION_1
    assert loads(path.read_text(), "p")[0] == FORMATS[progress.CURRENT]


def test_every_version_has_a_way_to_the_present_one():
    versions = sorted(FORMATS.values())
    assert versions == list(range(1, len(versions) + 1))
    assert set(MIGRATIONS) == set(versions[:-1])


def test_answers_that_only_the_quiz_remembers_are_taken_in_once(tmp_path):
    bank = load_bank(find_bank("imaging"))
    stored = {
        "im-p01": {"answer": "film", "certainty": 3},
        "im-p02": {"answer": "film", "certainty": None},  # not checked
        "im-p03": {"answer": "vanished", "certainty": 2},  # an option of an earlier version
        "im-gone": {"answer": "film", "certainty": 2},
    }
    write_responses(tmp_path / "imaging.json", Responses("imaging", "ab", stored, saved="2026-11-20T08:00Z"))
    file = ProgressFile(tmp_path / "progress.json", [bank])
    expected = Attempt("im-p01", "", datetime(2026, 11, 20, 8, tzinfo=UTC), "film", 1.0, 3)
    assert file.events == (expected,)
    file.add(entry(1))
    assert ProgressFile(tmp_path / "progress.json", [bank]).events == (expected, entry(1))
    assert ProgressFile(tmp_path / "progress.json").attempts == (expected,)


# --- damage ----------------------------------------------------------------------------------------------------------

WHOLE = dumps((entry(1), attempt("im-p01", MINUTE), entry(2, 2 * MINUTE, said=NORMAL)))


def spoilt(group, **fields):
    data = json.loads(WHOLE)
    data[group][-1] |= fields
    return json.dumps(data)


DAMAGE = {
    "empty": ("", "not JSON at line 1"),
    "cut": (WHOLE[:-20], "not JSON at line"),
    "other": ('{"format": "vertebra-responses/1"}', "is not the file of your progress"),
    "list": ("[1, 2]", "is not the file of your progress"),
    "newer": (WHOLE.replace("progress/2", "progress/3"), "'vertebra-progress/3' and this version of vertebra reads"),
    "no readings": ('{"format": "vertebra-gym/1"}', "readings: must be a list"),
    "no attempts": ('{"format": "vertebra-progress/2", "readings": []}', "attempts: must be a list"),
    "nan": (WHOLE.replace("0.3", "NaN"), "does not write"),
    "infinite": (WHOLE.replace("0.3", "1e999"), "reading 1: height loss is inf"),
    "deep": ("[" * 100_000, "does not write"),
    "seed": (spoilt("readings", seed="2"), "reading 2: seed is '2'"),
    "time": (spoilt("readings", when="yesterday"), "reading 2: when is 'yesterday'"),
    "end of time": (spoilt("attempts", when="9999-12-31T23:59:59Z"), "attempt 1: when is '9999"),
    "beginning of time": (spoilt("readings", when="0001-01-01T00:00:00Z"), "reading 2: when is '0001"),
    "no time": (spoilt("attempts", when=None), "attempt 1: when is 'None'"),
    "certainty": (spoilt("readings", certainty=9), "reading 2: certainty is 9"),
    "certainty of an answer": (spoilt("attempts", certainty=True), "attempt 1: certainty is 'True'"),
    "credit": (spoilt("attempts", fraction=1.5), "attempt 1: fraction is '1.5'"),
    "answer": (spoilt("attempts", answer={"a": {"b": 1}}), "attempt 1: no question takes the answer"),
    "item": (spoilt("attempts", item=3), "attempt 1: item and version must be text"),
    "more": (spoilt("readings", extra=1), "reading 2: must hold certainty, said, seed"),
    "finding": (spoilt("readings", said={"level": "L1"}), "reading 2: a finding must hold"),
    "level": (
        spoilt("readings", said={"level": "C7", "fractured": False, "kind": "", "grade": 0, "loss": None}),
        "level 'C7'",
    ),
    "yes": (
        spoilt("readings", said={"level": "L1", "fractured": "yes", "kind": "", "grade": 0, "loss": None}),
        "fractured is 'yes'",
    ),
}


@pytest.mark.parametrize(("text", "words"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_kept_and_never_overwritten(tmp_path, text, words):
    path = tmp_path / "progress.json"
    path.write_text(text)
    with pytest.raises(ProgressError, match=r"^progress\.json: ") as error:
        loads(text, "progress.json")
    assert words in str(error.value)
    file = ProgressFile(path)
    assert file.events == ()
    assert str(error.value) in file.notice
    assert path.read_text() == text
    for seed in (5, 6):
        file.add(entry(seed))
    assert (tmp_path / "progress.unreadable-1.json").read_text() == text
    assert "progress.unreadable-1.json" in file.notice
    assert [e.seed for e in ProgressFile(path).readings] == [5, 6]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_file_of_version_1_is_kept_aside_too(tmp_path):
    (tmp_path / "film_gym.json").write_text(VERSION_1[:-9])
    file = ProgressFile(tmp_path / "progress.json")
    assert "film_gym.json: is not JSON" in file.notice
    file.add(entry(1))
    assert "kept under the name film_gym.unreadable-1.json" in file.notice
    assert (tmp_path / "film_gym.unreadable-1.json").read_text() == VERSION_1[:-9]


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path):
    path = tmp_path / "g.json"
    for text in ("one", "two"):
        path.write_text(text)
        ProgressFile(path).add(entry(1))
    assert (tmp_path / "g.unreadable-1.json").read_text() == "one"
    assert (tmp_path / "g.unreadable-2.json").read_text() == "two"


def test_bytes_that_are_no_text_and_a_mark_that_windows_puts_in_front(tmp_path):
    path = tmp_path / "g.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not text" in ProgressFile(path).notice
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert len(ProgressFile(path).events) == 3


def test_a_folder_where_the_file_should_be_is_set_aside_too(tmp_path):
    (tmp_path / "g.json").mkdir()
    file = ProgressFile(tmp_path / "g.json")
    assert "cannot be opened" in file.notice
    file.add(entry(1))
    assert len(ProgressFile(tmp_path / "g.json").events) == 1


def test_what_cannot_be_written_is_kept_and_written_later(tmp_path):
    blocked = tmp_path / "answers"
    blocked.write_text("a file where the folder should be")
    file = ProgressFile(blocked / "g.json")
    with pytest.raises(OSError):
        file.add(entry(1))
    assert len(file.events) == 1
    blocked.unlink()
    file.add(attempt("a", MINUTE))
    assert ProgressFile(blocked / "g.json").events == (entry(1), attempt("a", MINUTE))


def test_the_file_stays_where_it_was_when_the_notebook_moves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = ProgressFile("g.json")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    file.add(entry(1))
    assert list((tmp_path / "else").iterdir()) == []
    assert (tmp_path / "g.json").exists()


def test_a_damaged_file_that_another_window_put_aside_is_no_longer_complained_of(tmp_path):
    path = tmp_path / "progress.json"
    path.write_text("{damaged")
    one, two = ProgressFile(path), ProgressFile(path)
    assert "cannot be used" in one.notice
    assert "cannot be used" in two.notice
    one.add(entry(1))
    assert "kept under the name progress.unreadable-1.json" in one.notice
    two.add(entry(2, MINUTE))
    assert two.notice == ""
    assert [each.seed for each in ProgressFile(path).readings] == [1, 2]
