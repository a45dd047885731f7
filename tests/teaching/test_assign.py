import dataclasses
import json
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from tests.teaching.sample import ASSIGNMENT, BANK, BELIEF, Course, hand_in, neutral, plain, write_course
from vertebra.quiz.items import BankError
from vertebra.quiz.responses import digest
from vertebra.quiz.scoring import score, setting
from vertebra.teaching.assign import assign, build, load_assignment
from vertebra.teaching.files import TeachingError
from vertebra.teaching.key import load_key_file, right_answer
from vertebra.teaching.preview import preview, preview_html
from vertebra.teaching.rules import Rules

BLUEPRINT = """quiz: drawn
title: A drawn quiz
bank: bank.yml
blueprint:
- {objectives: O3.1, count: 1, format: numeric}
- {objectives: [O3.1], count: 3, bloom: remember}
"""
SHIPPED = Path(__file__).parents[2] / "quizzes" / "assignments" / "fracture-types.yml"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_builds_exactly_these_files(course: Course) -> None:
    assert set(tree(course.out)) == {
        "student/sample-quiz/questions.json",
        "student/sample-quiz/sample-quiz.ipynb",
        "instructor/key.json",
    }
    questions = json.loads((course.built.student / "questions.json").read_text(encoding="utf-8"))
    key = plain(course.built.key)
    assert questions["build"] == key["build"] == course.built.build
    assert questions["build"] == digest({name: value for name, value in questions.items() if name != "build"})
    assert [item["id"] for item in questions["items"]] == [item["id"] for item in key["items"]]
    assert [item["public"] for item in key["items"]] == questions["items"]
    assert (questions["certainty"], questions["instructions"]) == (True, "Answer all of them.")
    assert {item["bank_id"]: item["points"] for item in key["items"]} == {
        "sa-best": 1,
        "sa-many": 2,
        "sa-number": 1,
        "sa-order": 1,
        "sa-match": 1,
        "sa-spot": 1,
        "sa-needle": 1,
        "sa-stop": 1,
        "sa-key": 1,
    }


def test_key_in_neutral_ids_points_at_the_texts_of_the_bank(course: Course) -> None:
    """The bank says which texts are right; the key, in the student's ids, must say the same."""
    key = neutral(course.built.key)

    def text(item: str, group: str, new: str) -> str:
        return next(part["text"] for part in key[item]["public"][group] if part["id"] == new)

    assert text("sa-best", "options", key["sa-best"]["key"]["key"]) == "Wedge & co"
    assert {text("sa-many", "options", new) for new in key["sa-many"]["key"]["key"]} == {"Anterior", "Middle"}
    assert [text("sa-order", "steps", new) for new in key["sa-order"]["key"]["key"]] == ["Look", "Feel", "Move"]
    pairs = {
        text("sa-match", "prompts", p): text("sa-match", "options", o) for p, o in key["sa-match"]["key"]["key"].items()
    }
    assert pairs == {"A fifth": "Grade 1", "Half": "Grade 3"}
    assert text("sa-spot", "regions", key["sa-spot"]["key"]["key"]) == "On the left"
    assert score(key["sa-spot"]["key"], {"point": [20, 20]}) == 1
    needle, stop = key["sa-needle"]["key"], key["sa-stop"]["key"]
    path = {"entry": 0, "convergence": 10, "descent": -2.5, "depth": 40}
    assert text("sa-needle", "bands", needle["bands"][setting(needle, path)]) == "Into the canal"
    assert text("sa-stop", "bands", stop["bands"][setting(stop, {"frame": 0})]) == "Hardly any cement"
    assert key["sa-number"]["key"]["value"] == 37.4519
    for item, group, new_text, start in [
        ("sa-best", "options", "Burst", "Marzipan"),
        ("sa-order", "steps", "Feel", "Saffron"),
        ("sa-match", "prompts", "Half", "Paprika"),
        ("sa-spot", "regions", "On the right", "Vanilla"),
        ("sa-needle", "bands", "Through another wall", "Rosemary"),
        ("sa-stop", "bands", "Cement left the bone", "Chamomile"),
    ]:
        new = next(part["id"] for part in key[item]["public"][group] if part["text"] == new_text)
        assert key[item]["rationales"][new].startswith(start)
    assert key["sa-number"]["rationales"][""].startswith("Peppermint")
    assert key["sa-number"]["slips"][0]["value"] == 62.5481
    asked = {part["text"]: part for part in key["sa-key"]["public"]["decisions"]}
    look, send = asked["What do you ask for?"], asked["Where does she go?"]
    words = {option["id"]: option["text"] for part in asked.values() for option in part["options"]}
    rules = key["sa-key"]["key"]["decisions"]
    assert {words[new] for new in rules[look["id"]]["key"]} == {"A film", "Strength of the legs"}
    assert [words[new] for new in rules[look["id"]]["harms"]] == ["Bending over"]
    assert [words[new] for new in rules[send["id"]]["key"]] == ["Home"]
    assert {words[new]: text for new, text in key["sa-key"]["mistakes"].items()} == {"A hot drink": BELIEF}
    assert key["sa-key"]["rationales"].keys() == words.keys(), "a decision has none, whatever its id in the bank"


def test_matching_options_take_no_rationale_from_a_prompt_of_the_same_id(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, BANK.replace("kzmild", "kzone"))
    matching = next(item for item in build(load_assignment(file))[1].items if item.bank_id == "sa-match")
    assert set(matching.rationales) == {prompt["id"] for prompt in matching.public["prompts"]}


def test_same_files_give_the_same_bytes(course: Course, tmp_path: Path) -> None:
    assign(course.file, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(course.out)
    (tmp_path / "bank.yml").write_bytes(BANK.replace("\n", "\r\n").encode())
    assign(course.file, tmp_path / "windows")
    assert tree(tmp_path / "windows") == tree(course.out)


def test_order_depends_on_what_a_student_never_sees(tmp_path: Path, picture: None) -> None:
    """Two banks that look the same to a student come in different orders, so the order cannot be undone."""
    file = write_course(tmp_path)
    shown = set()
    for i in range(8):
        write_course(tmp_path, BANK.replace("Quillfeather", f"Quillfeather{i}"))
        shown.add(json.dumps(build(load_assignment(file))[0]["items"]))
    assert len(shown) > 1


def test_place_of_the_key_is_even(tmp_path: Path, picture: None) -> None:
    assignment = load_assignment(write_course(tmp_path))
    builds = [build(dataclasses.replace(assignment, seed=f"seed {i}"))[1] for i in range(300)]
    places = Counter(built.items[0].key["key"] for built in builds)
    # Chi-square, 2 degrees of freedom: 18.4 is exceeded once in ten thousand draws, and this draw is fixed.
    assert sum((places[place] - 100) ** 2 / 100 for place in ("o1", "o2", "o3")) < 18.4
    orders = Counter(tuple(built.items[3].key["key"]) for built in builds)
    assert ("s1", "s2", "s3") not in orders
    assert len(orders) == 5
    assert sum((n - 60) ** 2 / 60 for n in orders.values()) < 13.3  # 4 degrees of freedom, once in a hundred


def test_notebook_is_valid_and_needs_no_reading_of_code(course: Course) -> None:
    path = course.built.student / "sample-quiz.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    hello, quiz = notebook.cells
    assert (hello.cell_type, quiz.cell_type) == ("markdown", "code")
    assert (hello.id, quiz.id) == ("hello", "quiz")
    for word in ("The sample quiz", "Start", "student code", "save themselves", "responses.json"):
        assert word in hello.source
    assert quiz.metadata.jupyter.source_hidden is True
    assert quiz.source.split("\n")[0] == "from vertebra.widgets.quiz import exam"
    assert quiz.source.split("\n")[-1] == 'exam("questions.json")'
    assert quiz.execution_count == 1
    (output,) = quiz.outputs
    for item in neutral(course.built.key).values():
        stem = item["public"]["stem"].replace("<", "&lt;").replace(">", "&gt;")
        assert stem in output.data["text/html"]
    assert "9 questions" in output.data["text/plain"]


def test_stored_output_is_what_running_the_page_gives_in_text(course: Course) -> None:
    from vertebra.widgets.quiz import exam

    notebook = nbformat.read(course.built.student / "sample-quiz.ipynb", as_version=4)
    assert notebook.cells[1].outputs[0].data["text/plain"] == repr(exam(course.built.student / "questions.json"))


def test_items_and_points_can_be_chosen(tmp_path: Path, picture: None) -> None:
    text = ASSIGNMENT.replace("items: all", "items: [sa-order, sa-best]").replace("{sa-many: 2}", "2.5")
    file = write_course(tmp_path, assignment=text.replace("certainty: true\n", "").replace("instructions", "# "))
    questions, key = build(load_assignment(file))
    assert [(item.bank_id, item.points) for item in key.items] == [("sa-order", 2.5), ("sa-best", 2.5)]
    assert (questions["certainty"], questions["instructions"], key.maximum) == (False, "", 5)


def test_every_key_gives_its_own_answer_full_credit_when_read_back(course: Course) -> None:
    found = load_key_file(course.built.key)
    (key,) = found.variants
    assert [score(item.key, right_answer(item.key)) for item in key.items] == [1] * 9
    assert found.text() == course.built.key.read_text(encoding="utf-8")


# --- What is refused --------------------------------------------------------------------------------------------------


def test_folder_with_something_else_is_refused_unless_forced(course: Course, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("three years of work")
    with pytest.raises(TeachingError) as error:
        assign(course.file, out)
    assert "--force" in str(error.value) and "\n" not in str(error.value)
    assert set(tree(out)) == {"thesis.txt"}
    assign(course.file, out, force=True)
    assert (out / "thesis.txt").read_text() == "three years of work"
    assert len(tree(out)) == 4


def test_own_folder_is_built_again(course: Course) -> None:
    before = tree(course.out)
    assert assign(course.file, course.out).kept is None
    assert tree(course.out) == before


def test_another_quiz_in_the_folder_is_refused(course: Course) -> None:
    course.file.write_text(ASSIGNMENT.replace("sample-quiz", "other-quiz"), encoding="utf-8")
    with pytest.raises(TeachingError, match="no earlier build of other-quiz"):
        assign(course.file, course.out)


def test_key_of_an_earlier_build_is_kept(course: Course, tmp_path: Path) -> None:
    old = course.built.key.read_bytes()
    write_course(tmp_path, BANK.replace("Which of these are columns?", "Which of them are columns?"))
    built = assign(course.file, course.out)
    assert built.build != course.built.build
    assert built.kept is not None and built.kept.read_bytes() == old
    assert built.kept.name == f"key-{course.built.build[:8]}.json"


def test_force_keeps_the_key_of_another_quiz_and_a_damaged_one(course: Course) -> None:
    mine = course.built.key.read_bytes()
    course.file.write_text(ASSIGNMENT.replace("sample-quiz", "other-quiz"), encoding="utf-8")
    other = assign(course.file, course.out, force=True)
    assert other.kept is not None and other.kept.name == f"key-{course.built.build[:8]}.json"
    assert other.kept.read_bytes() == mine
    for damaged in (b"{", b"[]"):
        other.key.write_bytes(damaged)
        kept = assign(course.file, course.out, force=True).kept
        assert kept is not None and kept.read_bytes() == damaged
    assert len(list(other.key.parent.iterdir())) == 4


def test_the_instructors_own_answers_are_not_handed_out(course: Course) -> None:
    hand_in(course.built.student / "responses.json", course.built.key, "me", {})
    with pytest.raises(TeachingError, match=r"responses\.json, which would be handed out"):
        assign(course.file, course.out)


def test_practice_bank_is_refused(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, BANK.split("- id: sa-needle")[0].replace("use: graded", "use: practice"))
    with pytest.raises(TeachingError, match=r"quiz\.yml:3: bank: .* is for practice"):
        assign(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_faults_of_the_bank_come_with_its_lines(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, BANK.replace("tier: must", "tier: always", 1))
    with pytest.raises(BankError, match=r"bank\.yml:\d+: item sa-best"):
        load_assignment(file)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ASSIGNMENT.replace("sample-quiz", "../etc"), r"quiz\.yml:1: quiz: is '../etc', must be the quiz's id"),
        (ASSIGNMENT.replace("title: The sample quiz\n", ""), r"quiz\.yml:1: title: is missing; add it"),
        (ASSIGNMENT.replace("bank.yml", "bunk.yml"), r"quiz\.yml:3: bank: there is no bank .*bunk\.yml; correct"),
        (ASSIGNMENT.replace("all", "[sa-best, sa-bets]", 1), r"quiz\.yml:4: items: .*sa-bets; did you mean sa-best"),
        (ASSIGNMENT.replace("all", "\n- sa-best\n- sa-best", 1), r"quiz\.yml:4: items: names sa-best more than once"),
        (
            ASSIGNMENT.replace("items: all", "items: []"),
            r"quiz\.yml:4: items: is a list, must be a list of at least one",
        ),
        (ASSIGNMENT.replace("sa-many: 2", "sa-many: 0"), r"quiz\.yml:5: points: .*must be one number"),
        (ASSIGNMENT.replace("{sa-many: 2}", ".inf"), r"quiz\.yml:5: points: is inf, must be"),
        (
            ASSIGNMENT.replace("items: all", "items: [sa-best]"),
            r"quiz\.yml:5: points: sa-many is not among the items; add it",
        ),
        (ASSIGNMENT.replace("sa-many: 2", "sa-mony: 2"), r"quiz\.yml:5: points: .*sa-mony; did you mean sa-many"),
        (ASSIGNMENT.replace("certainty: true", "certainty: yess"), r"quiz\.yml:6: certainty: is 'yess', must be true"),
        (ASSIGNMENT.replace("instructions", "instrutions"), r"quiz\.yml:7: instrutions: .*did you mean instructions"),
        (ASSIGNMENT + "title: Twice\n", r"quiz\.yml:8: title: is written twice, first in line 2"),
        (ASSIGNMENT.replace("The sample", "The: sample"), r"quiz\.yml:2: is not YAML: .*quotes"),
        ("<<: {bank: bunk.yml}\nquiz: a\ntitle: b\nitems: all", r"quiz\.yml:1: bank: there is no bank"),
        ("<<: {bank: bank.yml, items: [x]}\nquiz: a\ntitle: b", r"quiz\.yml:1: items: .*has no question x"),
        (ASSIGNMENT.replace("{sa-many: 2}", "1" + "0" * 400), r"quiz\.yml:5: points: is 1.*at most 1000000"),
        (ASSIGNMENT.replace("{sa-many: 2}", "1.0e+308"), r"quiz\.yml:5: points: is 1e\+308.*at most 1000000"),
        (ASSIGNMENT.replace("The sample quiz", r'"Quiz \ud83d\ude00"'), r"quiz\.yml:2: title: is '.*', must be what"),
        (ASSIGNMENT.replace("sample-quiz", "con"), r"quiz\.yml:1: quiz: is 'con', must be the quiz's id"),
        (ASSIGNMENT + "due: 2026-12-11 23:59\n", r"quiz\.yml:8: due: .* states no zone.*write 2026-12-11 23:59 Europe"),
        (ASSIGNMENT + "due: 2026-12-11 23:59:00\n", r"quiz\.yml:8: due: .* states no zone"),
        (ASSIGNMENT + "due:\n", r"quiz\.yml:8: due: is empty, must be a day and time with a zone"),
        (ASSIGNMENT + "due: 2026-12-11 23:59 Z\nopens: 2026-12-12 08:00 Z", r"quiz\.yml:9: opens: is not before due"),
        (ASSIGNMENT + "late: refuse\n", r"quiz\.yml:8: late: there is no due time to count from; add due"),
        (ASSIGNMENT + "late: never\n", r"quiz\.yml:8: late: is 'never', must be accept, refuse, or"),
        (ASSIGNMENT + "feedback: after_due\n", r"quiz\.yml:8: feedback: there is no due time; add due"),
        (ASSIGNMENT + "counts: best\n", r"quiz\.yml:8: counts: there is only one attempt; add attempts"),
        (ASSIGNMENT + "attempts: 0\n", r"quiz\.yml:8: attempts: is 0, must be a whole number"),
        (ASSIGNMENT + "pass_mark: 0\n", r"quiz\.yml:8: pass_mark: is 0, must be a percentage"),
        (ASSIGNMENT + "variants: 1.5\n", r"quiz\.yml:8: variants: is 1.5, must be how many different builds"),
        (ASSIGNMENT + "seed: [1]\n", r"quiz\.yml:8: seed: is a list, must be a word or whole number"),
        (ASSIGNMENT + "leave_out: [sa-bets]\n", r"quiz\.yml:8: leave_out: .*sa-bets; did you mean sa-best"),
        (ASSIGNMENT + "blueprint: [{objectives: O3.1, count: 1}]\n", r"quiz\.yml:8: blueprint: stands beside items"),
        (ASSIGNMENT.replace("items: all\n", ""), r"quiz\.yml:1: items: is missing; add it: .*, or a blueprint"),
        (ASSIGNMENT.replace("bank.yml", "[bank.yml, bunk.yml]"), r"quiz\.yml:3: bank: there is no bank .*bunk\.yml"),
        (ASSIGNMENT.replace("bank.yml", "[bank.yml, bank.yml]"), r"quiz\.yml:3: bank: names bank.yml more than once"),
        (BLUEPRINT.replace("count: 3", "count: 0"), r"quiz\.yml:6: blueprint row 2: count is 0, must be how many"),
        (BLUEPRINT.replace("count: 3, ", ""), r"quiz\.yml:6: blueprint row 2: count is missing"),
        (BLUEPRINT.replace("numeric", "numerik"), r"quiz\.yml:5: blueprint row 1: there is no format numerik; did you"),
        (BLUEPRINT.replace("format", "formt"), r"quiz\.yml:5: blueprint row 1: there is no field formt; did you mean"),
        (BLUEPRINT.replace("[O3.1]", "5"), r"quiz\.yml:6: blueprint row 2: objectives is a number, must be an obj"),
        (
            BLUEPRINT.replace("count: 3", "count: 9"),
            r"quiz\.yml:5: blueprint: row 1 .* and row 2 .* ask together for 10",
        ),
        (
            BLUEPRINT.replace("count: 1", "count: 2"),
            r"quiz\.yml:5: blueprint: row 1 \(O3.1, numeric\) asks for 2 .*only 1",
        ),
        ("- a list", r"quiz\.yml:1: is no assignment"),
        ("", r"quiz\.yml:1: is no assignment"),
        ("[" * 5000, r"quiz\.yml:1: is not YAML"),
        ("quiz: 2026-02-30", r"quiz\.yml:1: is not YAML"),
    ],
)
def test_a_fault_is_named_with_its_line_and_mend(tmp_path: Path, picture: None, text: str, expected: str) -> None:
    with pytest.raises(TeachingError, match=expected):
        load_assignment(write_course(tmp_path, assignment=text))


def test_all_faults_come_at_once(tmp_path: Path, picture: None) -> None:
    text = ASSIGNMENT.replace("certainty: true", "certainty: 1").replace("bank.yml", "none.yml")
    with pytest.raises(TeachingError) as error:
        load_assignment(write_course(tmp_path, assignment=text))
    assert len(str(error.value).splitlines()) == 2


def test_shipped_assignment_builds(tmp_path: Path) -> None:
    built = assign(SHIPPED, tmp_path)
    assert built.quiz == "fracture-types"
    assert built.items > 0


def test_a_blueprint_draws_the_same_questions_until_the_seed_is_another(tmp_path: Path, picture: None) -> None:
    drawn = [
        tuple(item.id for item in load_assignment(write_course(tmp_path, assignment=BLUEPRINT + seed)).items)
        for seed in ("", "", "seed: 1\n", "seed: 2\n", "seed: 3\n")
    ]
    assert drawn[0] == drawn[1] and len(set(drawn)) > 2
    assert all(names[0] == "sa-number" and len(set(names)) == 4 for names in drawn)


def test_questions_of_several_banks_and_all_but_one(tmp_path: Path, picture: None) -> None:
    text = ASSIGNMENT.replace("bank.yml", "[bank.yml, other.yml]") + "leave_out: [sa-spot]\n"
    file = write_course(tmp_path, assignment=text)
    other = BANK[: BANK.index("- id: sa-many")].replace("sa-best", "ot-best").replace("bank: sample", "bank: other")
    (tmp_path / "other.yml").write_text(other, encoding="utf-8")
    names = [item.id for item in load_assignment(file).items]
    assert len(names) == 9 and "ot-best" in names and "sa-best" in names and "sa-spot" not in names
    (tmp_path / "other.yml").write_text(other.replace("ot-best", "sa-best"), encoding="utf-8")
    with pytest.raises(BankError, match=r"other\.yml:\d+: item sa-best: .*bank\.yml has this id too"):
        load_assignment(file)


def test_variants_differ_and_one_key_file_holds_them_all(tmp_path: Path, picture: None) -> None:
    built = assign(write_course(tmp_path, assignment=BLUEPRINT + "variants: 5\n"), tmp_path / "out")
    assert [folder.name for folder in built.folders] == [f"drawn-{number}" for number in range(1, 6)]
    file = load_key_file(built.key)
    assert tuple(key.build for key in file.variants) == built.builds and len(set(built.builds)) == 5
    assert len({tuple(item.bank_id for item in key.items) for key in file.variants}) > 1, "drawn anew"
    for folder, key in zip(built.folders, file.variants, strict=True):
        questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
        assert file.of(questions["build"]) == key
        assert [item.public for item in key.items] == questions["items"]
        assert [score(item.key, right_answer(item.key)) for item in key.items] == [1] * 4
    assert file.of("0" * 64) is None


def test_variants_that_cannot_differ_are_refused(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, assignment=ASSIGNMENT.replace("all", "[sa-number]").replace("{sa-many: 2}", "1"))
    file.write_text(file.read_text(encoding="utf-8") + "variants: 2\n", encoding="utf-8")
    with pytest.raises(TeachingError, match="asks for 2 variants, and its questions give no more than 1 that differ"):
        assign(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_variants_of_an_earlier_build_are_not_left_to_be_handed_out(tmp_path: Path, picture: None) -> None:
    file = write_course(tmp_path, assignment=ASSIGNMENT + "variants: 3\n")
    assign(file, tmp_path / "out")
    write_course(tmp_path, assignment=ASSIGNMENT + "variants: 2\n")
    with pytest.raises(TeachingError, match="holds sample-quiz-3, which would be handed out"):
        assign(file, tmp_path / "out")


RULES = "due: 2026-12-11 23:59 Europe/Berlin\nlate: {percent_per_day: 10, most_days: 3}\nattempts: 2\ncounts: best\n"


def test_students_read_the_rules_and_a_moved_due_time_keeps_the_build(course: Course) -> None:
    course.file.write_text(ASSIGNMENT + RULES, encoding="utf-8")
    built = assign(course.file, course.out)
    hello = nbformat.read(built.student / "sample-quiz.ipynb", as_version=4).cells[0].source
    for words in ("Due Friday 11 December 2026, 23:59 (Europe/Berlin)", "up to 2 times", "costs 10 %", "after 3 days"):
        assert words in hello
    assert built.build == course.built.build, "hand-ins that are on their way stay valid"
    assert built.kept is not None and load_key_file(built.kept).rules.due is None
    rules = load_key_file(built.key).rules
    assert (rules.attempts, rules.counts, rules.late.most_days) == (2, "best", 3)


def test_a_key_of_the_first_format_is_read(course: Course, tmp_path: Path) -> None:
    old = plain(course.built.key)
    for item in old["items"]:
        del item["names"], item["mistakes"]
    del old["dropped"]
    (tmp_path / "old.json").write_text(json.dumps(old), encoding="utf-8")
    file = load_key_file(tmp_path / "old.json")
    assert (file.quiz, file.rules, len(file.variants)) == ("sample-quiz", Rules(), 1)
    assert file.variants[0].build == course.built.build


def test_the_preview_says_what_is_asked_and_shows_no_key(tmp_path: Path, picture: None) -> None:
    assignment = load_assignment(write_course(tmp_path, assignment=ASSIGNMENT + RULES))
    text = preview(assignment)
    lines = [line.split() for line in text.splitlines()]
    assert ["2.", "sa-many", "multiple_response", "O3.1", "remember", "2"] in lines
    assert "9 questions, 10 points" in text and "Due Friday 11 December 2026, 23:59 (Europe/Berlin)" in text
    html = preview_html(assignment)
    assert "<h1>The sample quiz</h1>" in html and "Answer all of them." in html and "up to 2 times" in html
    assert "Which shape has lost height in front &lt;only&gt;?" in html
    for secret in ("Quillfeather", "kz", "37.4519", "O3.1"):
        assert secret not in html


def test_the_preview_of_a_drawn_quiz_lists_each_variant(tmp_path: Path, picture: None) -> None:
    assignment = load_assignment(write_course(tmp_path, assignment=BLUEPRINT + "variants: 2\n"))
    text = preview(assignment)
    assert "row 1: 1 of 1 question on O3.1, numeric" in text and "row 2: 3 of 9 questions" in text
    for number in (1, 2):
        part = text.split(f"Variant {number}\n")[1].split("\n\n")[0]
        assert [line.split()[1] for line in part.splitlines()[1:-1]] == [
            item.id for item in assignment.variant(number).items
        ]
