"""The responses file: what is written is read back, and nothing damaged, foreign or edited is taken for it."""

import hashlib
import json
import os
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vertebra.quiz.responses import (
    LIMIT,
    Responses,
    ResponsesError,
    canonical,
    digest,
    read_responses,
    utc_minute,
    write_responses,
)

SAMPLE = Responses(
    quiz="fracture-types",
    build="0" * 64,
    student="anna.k-01",
    saved="2026-11-21T10:05Z",
    answers={
        "q1": {"answer": "o2", "certainty": 3},
        "q2": {"answer": ["o1", "o3"], "certainty": 1},
        "q3": {"answer": -2.5e-07, "certainty": 2},
        "q4": {"answer": ["s2", "s1", "s3"], "certainty": None},
        "q5": {"answer": {"p1": "o1", "p2": None}, "certainty": 1},
        "q6": {"answer": {"point": [12.5, 40]}, "certainty": 1},
        "q7": {"answer": {"region": "r1"}, "certainty": 1},
        "q8": {"answer": None, "certainty": None},
        "q9": {"answer": [], "certainty": None},
        "q10": {"answer": {"entry": 4, "descent": -2.5}, "certainty": 3},
        "q11": {"answer": {"frame": 0}, "certainty": None},
    },
)

ids = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
answers = (
    st.none()
    | ids
    | numbers
    | st.lists(ids, max_size=4)
    | st.dictionaries(ids, ids | st.none() | numbers, max_size=3)
    | st.builds(lambda x, y: {"point": [x, y]}, numbers, numbers)
)
certainties = st.sampled_from([None, 1, 2, 3])
responses = st.builds(
    Responses,
    quiz=st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True),
    build=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    student=st.from_regex(r"[A-Za-z0-9._-]{0,40}", fullmatch=True),
    saved=st.just("2026-01-02T03:04Z"),
    answers=st.dictionaries(
        ids, st.builds(lambda a, c: {"answer": a, "certainty": c}, answers, certainties), max_size=6
    ),
)
anywhere = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@anywhere
@given(responses)
def test_what_is_written_is_read(tmp_path, given_responses):
    write_responses(tmp_path / "responses.json", given_responses)
    assert read_responses(tmp_path / "responses.json") == given_responses


def test_the_file_is_what_the_format_says(tmp_path):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    data = json.loads(file.read_text(encoding="utf-8"))
    assert set(data) == {"format", "quiz", "build", "student", "saved", "answers", "digest"}
    assert data["format"] == "vertebra-responses/1"
    stated = data.pop("digest")
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert stated == hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_canonical_json():
    assert canonical({"b": [1, None, "é"], "a": {"d": 0.1, "c": True}}) == '{"a":{"c":true,"d":0.1},"b":[1,null,"é"]}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 2, "b": 2})
    with pytest.raises(ValueError):
        canonical({"a": float("nan")})


def test_saved_is_the_present_minute_by_default():
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\dZ", utc_minute())
    assert Responses("q", "0", {}).saved in {utc_minute(), utc_minute()}


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_crash_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, call):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    before = file.read_bytes()

    def crash(*_):
        raise OSError("the power went")

    monkeypatch.setattr(os, call, crash)
    with pytest.raises(OSError, match="the power went"):
        write_responses(file, replace(SAMPLE, student="other"))
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["responses.json"]


def linked(link, target):
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system does not let its users make links")
    return link


def test_writing_through_a_link_replaces_the_link_and_not_its_target(tmp_path):
    target = tmp_path / "precious.txt"
    target.write_text("precious")
    link = linked(tmp_path / "responses.json", target)
    write_responses(link, SAMPLE)
    assert target.read_text() == "precious"
    assert read_responses(link) == SAMPLE


def refused(file, reason, *words):
    with pytest.raises(ResponsesError) as caught:
        read_responses(file)
    message = str(caught.value)
    assert caught.value.reason == reason, message
    assert message.startswith(file.name + ": ")
    assert "; " in message, "the mend is missing"
    assert "\n" not in message and len(message) < 300
    for word in words:
        assert word in message


def test_every_cut_is_found_as_a_cut(tmp_path):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    whole = file.read_bytes().rstrip()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        refused(file, "truncated")


def test_a_cut_inside_a_letter_is_a_cut(tmp_path):
    file = tmp_path / "responses.json"
    file.write_bytes('{"student": "é'.encode()[:-1])
    refused(file, "truncated")


@pytest.mark.parametrize(
    "text",
    ['{"format": }', '{"a": 1 "b": 2}', "{'a': 1}", "not json", '{"a": NaN}', '{"a": 1e999, "b": Infinity}'],
)
def test_other_faults_of_syntax_are_not_called_cuts(tmp_path, text):
    file = tmp_path / "responses.json"
    file.write_text(text)
    refused(file, "unreadable")


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"[" * 200_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_hostile_bytes_are_unreadable(tmp_path, raw):
    file = tmp_path / "responses.json"
    file.write_bytes(raw)
    with pytest.raises(ResponsesError) as caught:
        read_responses(file)
    assert caught.value.reason in {"unreadable", "truncated"}


def test_links_folders_pipes_and_missing_files_are_refused(tmp_path):
    real = tmp_path / "real.json"
    write_responses(real, SAMPLE)
    link = linked(tmp_path / "link.json", real)
    refused(link, "unreadable", "link")
    refused(tmp_path, "unreadable")
    refused(tmp_path / "none.json", "unreadable", "no such file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.json")
        refused(tmp_path / "pipe.json", "unreadable")


def test_the_size_limit_is_exact(tmp_path):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    size = file.stat().st_size
    file.write_bytes(file.read_bytes() + b" " * (LIMIT - size))
    assert read_responses(file) == SAMPLE
    file.write_bytes(file.read_bytes() + b" ")
    refused(file, "oversized", str(LIMIT))


def test_too_many_answers_are_not_written(tmp_path):
    many = {f"q{i}": {"answer": "o" * 80, "certainty": 1} for i in range(12_000)}
    with pytest.raises(ResponsesError) as caught:
        write_responses(tmp_path / "responses.json", replace(SAMPLE, answers=many))
    assert caught.value.reason == "oversized"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"format": 1}', '{"format": "vertebra-questions/1"}'])
def test_other_files_are_foreign(tmp_path, text):
    file = tmp_path / "responses.json"
    file.write_text(text)
    refused(file, "foreign")


def test_a_later_version_is_named(tmp_path):
    file = tmp_path / "responses.json"
    file.write_text('{"format": "vertebra-responses/2"}')
    refused(file, "wrong-version", "vertebra-responses/2", "vertebra-responses/1")


def signed(**changes):
    """Return the file of a writer that knows the digest but not the rules."""
    data = {"format": "vertebra-responses/1", "quiz": "q", "build": "0", "student": "", "saved": "2026-01-02T03:04Z"}
    data |= {"answers": {}} | changes
    data = {name: value for name, value in data.items() if value is not ...}
    return json.dumps(data | {"digest": digest(data)})


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"quiz": 3}, "quiz"),
        ({"quiz": ""}, "quiz"),
        ({"quiz": "../key"}, "quiz"),
        ({"build": "xyz"}, "build"),
        ({"build": None}, "build"),
        ({"student": "a b"}, "student"),
        ({"student": "a" * 41}, "student"),
        ({"student": "anna\n"}, "student"),
        ({"saved": "yesterday"}, "saved"),
        ({"saved": ...}, "saved"),
        ({"answers": []}, "answers"),
        ({"answers": ...}, "answers"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, changes, place):
    file = tmp_path / "responses.json"
    file.write_text(signed(**changes))
    refused(file, "edited", place)


@pytest.mark.parametrize(
    "response",
    [
        3,
        [],
        {"answer": "a", "certainty": 1, "score": 1},
        {"answer": "a", "certainty": 0},
        {"answer": "a", "certainty": True},
        {"answer": "a", "certainty": 2.0},
        {"answer": True, "certainty": 1},
        {"answer": "", "certainty": 1},
        {"answer": "a b", "certainty": 1},
        {"answer": "a\ud800", "certainty": 1},
        {"answer": ["a", 1], "certainty": 1},
        {"answer": [["a"]], "certainty": 1},
        {"answer": {"point": [1, "2"]}, "certainty": 1},
        {"answer": {"point": [1, 2, 3]}, "certainty": 1},
        {"answer": {"p1": {"p2": "a"}}, "certainty": 1},
        {"answer": {"frame": True}, "certainty": 1},
        {"answer": {"frame": 10**400}, "certainty": 1},
        {"answer": {"a b": 1}, "certainty": 1},
        {"answer": 10**400, "certainty": 1},
    ],
)
def test_a_wrong_answer_is_named_and_neither_read_nor_written(tmp_path, response):
    file = tmp_path / "responses.json"
    with pytest.raises(ResponsesError) as caught:
        write_responses(file, replace(SAMPLE, answers={"ft-g07": response}))
    assert caught.value.reason == "bad-answer"
    assert not list(tmp_path.iterdir())
    data = {"format": "vertebra-responses/1", "quiz": "q", "build": "0", "student": "", "saved": "2026-01-02T03:04Z"}
    file.write_text(json.dumps(data | {"answers": {"ft-g07": response}, "digest": "0" * 64}))
    refused(file, "bad-answer", "'ft-g07'")


@pytest.mark.parametrize("item", ["", "a b", "../x", "q" * 81])
def test_a_wrong_item_id_is_refused(tmp_path, item):
    file = tmp_path / "responses.json"
    file.write_text(signed(answers={item: {"answer": "a", "certainty": 1}}))
    refused(file, "bad-answer")


def test_an_infinite_answer_is_refused(tmp_path):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    file.write_text(file.read_text().replace("-2.5e-07", "1e999"))
    refused(file, "bad-answer", "'q3'")


def test_any_answer_at_all_is_read_on_request_but_only_unchanged(tmp_path):
    file = tmp_path / "responses.json"
    odd = {"q1": {"answer": [["x"]], "certainty": "very"}, "a b": 7}
    file.write_text(signed(answers=odd))
    refused(file, "bad-answer")
    assert read_responses(file, any_answer=True).answers == odd
    file.write_text(file.read_text().replace('["x"]', '["y"]'))
    with pytest.raises(ResponsesError, match="changed after it was saved"):
        read_responses(file, any_answer=True)
    for value in ("1e999", '"\\ud800"', "[" * 990 + "]" * 990):
        file.write_text(signed(answers={}).replace('"answers": {}', f'"answers": {{"q1": {value}}}'))
        with pytest.raises(ResponsesError) as caught:
            read_responses(file, any_answer=True)
        assert caught.value.reason in {"bad-answer", "unreadable"} and "; " in str(caught.value)


@pytest.mark.parametrize("depth", [60, 990, 3000, 100_000])
def test_brackets_inside_brackets_are_unreadable_on_every_python(tmp_path, depth):
    file = tmp_path / "responses.json"
    file.write_text(signed(answers={}).replace('"answers": {}', f'"answers": {{"q1": {"[" * depth + "]" * depth}}}'))
    with pytest.raises(ResponsesError) as caught:
        read_responses(file, any_answer=True)
    assert caught.value.reason == "unreadable"


def test_an_answer_may_lack_its_certainty(tmp_path):
    file = tmp_path / "responses.json"
    bare = replace(SAMPLE, answers={"q1": {"answer": "o1"}, "q2": {}})
    write_responses(file, bare)
    assert read_responses(file) == bare


@anywhere
@given(st.data())
def test_one_changed_byte_is_refused_or_changes_nothing(tmp_path, data):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    raw = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    file.write_bytes(bytes(raw))
    try:
        assert read_responses(file) == SAMPLE  # a blank for a blank
    except ResponsesError as error:
        assert error.reason != "oversized"


@pytest.mark.parametrize(
    ("old", "new"),
    [('"o2"', '"o1"'), ("2026-11-21", "2026-11-20"), ("anna.k-01", "bert"), ('"certainty": 3', '"certainty": 1')],
)
def test_a_careless_edit_is_found(tmp_path, old, new):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    refused(file, "edited", "changed after it was saved")


def test_an_editor_that_only_changes_line_ends_and_puts_a_mark_in_front_does_no_harm(tmp_path):
    file = tmp_path / "responses.json"
    write_responses(file, SAMPLE)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_responses(file) == SAMPLE


def test_the_file_can_be_read_by_others_as_the_umask_says(tmp_path):
    file = tmp_path / "responses.json"
    before = os.umask(0o022)
    try:
        write_responses(file, SAMPLE)
    finally:
        os.umask(before)
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o644
