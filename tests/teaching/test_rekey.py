import json
from pathlib import Path

import pytest

from tests.teaching.sample import ASSIGNMENT, BANK, Course, hand_in, neutral, write_course
from vertebra.quiz.responses import read_responses
from vertebra.quiz.scoring import score
from vertebra.teaching.assign import assign
from vertebra.teaching.files import TeachingError
from vertebra.teaching.key import load_key_file
from vertebra.teaching.marking import mark
from vertebra.teaching.rekey import rekey

MISKEYED = BANK.replace("text: Wedge & co, key: true,", "text: Wedge & co,").replace(
    "text: Burst, rationale", "text: Burst, key: true, rationale"
)


def points(key_file: Path, item: str) -> float:
    """Return what the student of `handed_in` earns for an item."""
    (key,) = load_key_file(key_file).variants
    marked = mark(key, read_responses(key_file.parent / "one.json"))
    assert marked.notes == ()
    return next((each.points for each in marked.marks if each.question.bank_id == item), -1.0)


def handed_in(course: Course) -> None:
    """Hand in the answers that the bank calls right, each with certainty 1."""
    answers = {
        record["id"]: {"answer": record["key"].get("key", record["key"].get("value")), "certainty": 1}
        for record in neutral(course.built.key).values()
        if record["key"]["format"] in ("single_best_answer", "multiple_response", "numeric")
    }
    hand_in(course.built.key.parent / "one.json", course.built.key, "a1", answers)


def test_a_corrected_key_marks_what_was_handed_in_before(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, MISKEYED)
    course = Course(file, tmp_path / "out", assign(file, tmp_path / "out"))
    key, old = course.built.key, course.built.key.read_bytes()
    wedge = next(o["id"] for o in neutral(key)["sa-best"]["public"]["options"] if o["text"] == "Wedge & co")
    hand_in(key.parent / "one.json", key, "a1", {"sa-best": {"answer": wedge, "certainty": 1}})
    assert points(key, "sa-best") == 0
    write_course(tmp_path)
    done = rekey(key, file)
    assert done.changes == ("sa-best: key was kzburst, is kzwedge",)
    assert points(key, "sa-best") == 1
    assert done.kept is not None and done.kept.read_bytes() == old
    assert load_key_file(key).variants[0].build == course.built.build
    assert key.stat().st_mode & 0o077 == done.kept.stat().st_mode & 0o077 == 0


def test_tolerance_points_rationales_and_rules_are_taken_over(course: Course, tmp_path: Path) -> None:
    bank = BANK.replace("tolerance: 0.5", "tolerance: 2").replace("Quillfeather explains", "Foxglove explains")
    text = ASSIGNMENT.replace("sa-many: 2", "sa-many: 3") + "due: 2026-12-11 23:59 Europe/Berlin\n"
    write_course(tmp_path, bank, text)
    done = rekey(course.built.key, course.file)
    assert set(done.changes) == {
        "due: was not set, is 2026-12-11T23:59:00+01:00[Europe/Berlin]",
        "sa-best: rationales changed",
        "sa-number: tolerance was 0.5, is 2",
        "sa-many: points was 2, is 3",
    }
    found = neutral(course.built.key)
    assert score(found["sa-number"]["key"], 39.0) == 1
    assert any(text.startswith("Foxglove") for text in found["sa-best"]["rationales"].values())
    assert load_key_file(course.built.key).rules.due is not None


def test_the_right_order_of_steps_can_be_corrected(course: Course, tmp_path: Path) -> None:
    first, second = BANK.index("  - {id: kzsecond"), BANK.index("  - {id: kzthird")
    end = BANK.index("- id: sa-match")
    write_course(tmp_path, BANK[:first] + BANK[second:end] + BANK[first:second] + BANK[end:])
    (change,) = rekey(course.built.key, course.file).changes
    assert change == 'sa-order: key was ["kzfirst", "kzsecond", "kzthird"], is ["kzfirst", "kzthird", "kzsecond"]'
    record = neutral(course.built.key)["sa-order"]
    text = {step["id"]: step["text"] for step in record["public"]["steps"]}
    assert [text[new] for new in record["key"]["key"]] == ["Look", "Move", "Feel"]


def test_a_question_taken_out_no_longer_counts_and_nobody_gets_a_note(course: Course) -> None:
    handed_in(course)
    assert points(course.built.key, "sa-best") == 1
    course.file.write_text(ASSIGNMENT + "leave_out: [sa-best]\n", encoding="utf-8")
    done = rekey(course.built.key, course.file)
    assert (done.changes, done.dropped) == (("sa-best: dropped from the marks",), ("sa-best",))
    assert points(course.built.key, "sa-best") == -1, "and no note, which `points` looks for"
    assert points(course.built.key, "sa-many") == 2
    assert load_key_file(course.built.key).variants[0].maximum == 9
    again = rekey(course.built.key, course.file)
    assert again.changes == () and points(course.built.key, "sa-best") == -1


def test_nothing_changed_and_nothing_is_written(course: Course) -> None:
    before = course.built.key.stat()
    done = rekey(course.built.key, course.file)
    assert (done.changes, done.kept) == ((), None)
    after = course.built.key.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_every_variant_is_corrected(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, MISKEYED, ASSIGNMENT + "variants: 4\n")
    key = assign(file, tmp_path / "out").key
    write_course(tmp_path, BANK, ASSIGNMENT + "variants: 4\n")
    assert rekey(key, file).changes == ("sa-best: key was kzburst, is kzwedge",)
    for each in load_key_file(key).variants:
        right = next(item for item in each.items if item.bank_id == "sa-best")
        assert [o["text"] for o in right.public["options"] if o["id"] == right.key["key"]] == ["Wedge & co"]


@pytest.mark.parametrize(
    ("bank", "text", "expected"),
    [
        (
            BANK.replace("has lost height", "has lost all"),
            ASSIGNMENT,
            "sa-best: is no longer what students saw .another stem",
        ),
        (BANK.replace("text: Burst", "text: Bursted"), ASSIGNMENT, "sa-best: .*another options"),
        (BANK.replace("kzburst", "kzother"), ASSIGNMENT, "sa-best: .*its options are kzwedge, kzother, kzcrush, not"),
        (BANK.replace("scoring: each_option", "scoring: net_correct"), ASSIGNMENT, "sa-many: .*another scoring"),
        (BANK, ASSIGNMENT.replace("sample-quiz", "other"), "is the key of sample-quiz, and the assignment is other"),
    ],
)
def test_what_students_saw_cannot_change(course: Course, tmp_path: Path, bank: str, text: str, expected: str) -> None:
    before = course.built.key.read_bytes()
    write_course(tmp_path, bank, text)
    with pytest.raises(TeachingError, match=expected):
        rekey(course.built.key, course.file)
    assert course.built.key.read_bytes() == before


def test_certainty_cannot_be_asked_for_afterwards(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, assignment=ASSIGNMENT.replace("certainty: true", "certainty: false"))
    key = assign(file, tmp_path / "out").key
    write_course(tmp_path)
    with pytest.raises(TeachingError, match="were not asked how sure they are"):
        rekey(key, file)


def test_a_key_edited_by_hand_is_found_by_its_seal(course: Course) -> None:
    data = json.loads(course.built.key.read_text(encoding="utf-8"))
    data["variants"][0]["items"][0]["points"] = 5
    course.built.key.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TeachingError, match=r"is damaged \(its seal does not fit"):
        load_key_file(course.built.key)
