"""The Python half of the quiz widget: what it keeps, what it never overwrites, and what it says when it cannot."""

import base64
import errno
import html.parser
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.small_tasks import NEEDLE, STOP
from tests.spoil import spoiled
from vertebra.quiz import items
from vertebra.quiz.progress import ProgressFile
from vertebra.quiz.responses import Responses, digest, read_responses, write_responses
from vertebra.quiz.static import static_html
from vertebra.widgets import quiz as module
from vertebra.widgets.quiz import QuizError, QuizWidget, exam, practice

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" width="400" height="300">'
    '<rect width="400" height="300" fill="#20262c"/><g fill="#cfc6b0">'
    '<path d="M120 30h140v70H120z"/><path d="M120 200h140v70H120z"/><path d="M120 140h140v-26H190l-70 14z"/></g></svg>'
)
PICTURE = {
    "uri": "data:image/svg+xml;base64," + base64.b64encode(SVG.encode()).decode(),
    "alt": "Lateral drawing of three vertebral bodies, front to the left; the middle one is lower in front.",
    "width": 400,
    "height": 300,
}


def choice(id: str, text: str) -> dict[str, str]:
    return {"id": id, "text": text}


def band(id: str, text: str, share: float) -> dict[str, Any]:
    return {"id": id, "text": text, "share": share}


def task_key(task: dict[str, Any], places: str, **shares: float) -> dict[str, Any]:
    return {
        "format": task["kind"],
        "controls": [{"id": control["id"], "values": control["values"]} for control in task["controls"]],
        "bands": places.split(),
        "shares": shares,
        "measures": task["measures"],
        "example": task["example"],
    }


# One question of each format, as Item.practice() gives them.
ITEMS: list[dict[str, Any]] = [
    {
        "id": "q-single",
        "version": "1.0.0",
        "format": "single_best_answer",
        "vignette": "A 74-year-old woman has had sudden mid-back pain since she lifted a plant pot four days ago. "
        "The lateral film shows T12 with an anterior height of 18 mm and a posterior height of 25 mm; "
        "the posterior wall is intact.",
        "stem": "Which fracture type is most likely?",
        "image": None,
        "options": [
            choice("wedge", "Wedge fracture"),
            choice("burst", "Burst fracture"),
            choice("biconcave", "Biconcave fracture"),
            choice("chance", "Chance fracture"),
        ],
        "key": {
            "format": "single_best_answer",
            "key": "wedge",
            "options": ["wedge", "burst", "biconcave", "chance"],
        },
        "rationales": {
            "wedge": "Only the front of the body has lost height; the posterior wall stands, as in a wedge.",
            "burst": "A burst fracture breaks the posterior wall; here the posterior wall is described as intact.",
            "biconcave": "In a biconcave fracture the middle height is lost while front and back keep theirs.",
            "chance": "A Chance fracture is a distraction injury through the posterior elements after violent flexion.",
        },
        "slips": [],
        "sources": ["genant1993", "unreferenced"],
        "objectives": ["O3.1"],
    },
    {
        "id": "q-multiple",
        "version": "1.0.0",
        "format": "multiple_response",
        "stem": "Which findings speak for a burst fracture?",
        "image": None,
        "options": [
            choice("wall", "Retropulsion of the posterior wall"),
            choice("pedicles", "Widened distance between the pedicles"),
            choice("front", "Loss of anterior height alone"),
            choice("schmorl", "A Schmorl node"),
        ],
        "scoring": "each_option",
        "key": {
            "format": "multiple_response",
            "key": ["wall", "pedicles"],
            "options": ["wall", "pedicles", "front", "schmorl"],
            "scoring": "each_option",
        },
        "rationales": {
            "wall": "The posterior wall fails in a burst fracture and a fragment may move towards the canal.",
            "pedicles": "The ring of the vertebra breaks and spreads, so that the pedicles stand further apart.",
            "front": "Loss of anterior height alone is what a wedge fracture shows, with an intact posterior wall.",
            "schmorl": "A Schmorl node is a herniation of disc through an endplate and not a fracture type.",
        },
        "slips": [],
        "sources": ["unreferenced"],
        "objectives": ["O3.1"],
    },
    {
        "id": "q-numeric",
        "version": "1.0.0",
        "format": "numeric",
        "stem": "A vertebral body is 18 mm high in front and 24 mm behind. What share of its height is lost?",
        "image": None,
        "unit": "%",
        "key": {"format": "numeric", "value": 25, "tolerance": 1},
        "rationales": {"": "The loss is 24 mm − 18 mm = 6 mm, and 6 mm of 24 mm are 25 %."},
        "slips": [{"value": 75, "rationale": "75 % is the height that is left, not the height that is lost."}],
        "sources": ["genant1993"],
        "objectives": ["O3.2"],
    },
    {
        "id": "q-order",
        "version": "1.0.0",
        "format": "ordering",
        "stem": "In which order does vertebroplasty proceed?",
        "image": None,
        "steps": [
            choice("cement", "Inject cement under fluoroscopy"),
            choice("level", "Confirm the level on two views"),
            choice("observe", "Observe the patient lying flat"),
            choice("needle", "Place the needle through the pedicle"),
        ],
        "scoring": "all_pairs",
        "key": {"format": "ordering", "key": ["level", "needle", "cement", "observe"], "scoring": "all_pairs"},
        "rationales": {
            "level": "Everything after rests on the right level, so it is confirmed before the skin is touched.",
            "needle": "The needle must lie in the body before any cement can be given through it.",
            "cement": "Cement follows the needle, slowly and under continuous view, to see a leak at once.",
            "observe": "The patient lies flat while the cement hardens and the legs are examined again.",
        },
        "slips": [],
        "sources": ["unreferenced"],
        "objectives": ["O7.3"],
    },
    {
        "id": "q-match",
        "version": "1.0.0",
        "format": "matching",
        "stem": "Which fracture type fits each description?",
        "image": None,
        "options": [choice("wedge", "Wedge"), choice("crush", "Crush"), choice("biconcave", "Biconcave")],
        "prompts": [
            choice("p-front", "Only the anterior height is reduced"),
            choice("p-middle", "Only the middle height is reduced"),
            choice("p-all", "Anterior, middle and posterior heights are all reduced"),
        ],
        "key": {
            "format": "matching",
            "key": {"p-front": "wedge", "p-middle": "biconcave", "p-all": "crush"},
            "options": ["wedge", "crush", "biconcave"],
        },
        "rationales": {
            "p-front": "A wedge is lower in front than behind, because the front column fails first.",
            "p-middle": "Both endplates sink in the middle while the front and the back keep their heights.",
            "p-all": "In a crush fracture the whole body is lower, the posterior wall as well.",
        },
        "slips": [],
        "sources": ["genant1993"],
        "objectives": ["O3.1"],
    },
    {
        "id": "q-spot",
        "version": "1.0.0",
        "format": "hotspot",
        "stem": "Where is the fractured vertebral body?",
        "image": PICTURE,
        "regions": [
            choice("top", "The upper vertebral body"),
            choice("middle", "The middle vertebral body"),
            choice("bottom", "The lower vertebral body"),
        ],
        "key": {
            "format": "hotspot",
            "key": "middle",
            "polygons": {
                "top": [[120, 30], [260, 30], [260, 100], [120, 100]],
                "middle": [[110, 105], [270, 105], [270, 150], [110, 150]],
                "bottom": [[120, 200], [260, 200], [260, 270], [120, 270]],
            },
        },
        "rationales": {
            "top": "The upper body has parallel endplates and the same height in front and behind.",
            "middle": "The middle body is lower in front than behind: its anterior column has failed.",
            "bottom": "The lower body has parallel endplates and the same height in front and behind.",
        },
        "slips": [],
        "sources": ["unreferenced"],
        "objectives": ["O5.2"],
    },
    {
        "id": "q-needle",
        "version": "1.0.0",
        "format": "needle_path",
        "stem": "Bring the needle through the pedicle into the body.",
        "image": None,
        "task": {name: NEEDLE[name] for name in ("note", "films", "controls", "needle", "seen")},
        "bands": [
            band("canal", "Into the canal", 0),
            band("wall", "Through another wall", 0.25),
            band("short", "Not far enough", 0.5),
            band("good", "In bone all the way", 1),
        ],
        "key": task_key(NEEDLE, "short good canal canal wall wall short good", canal=0, wall=0.25, short=0.5, good=1),
        "rationales": {
            "canal": "The needle crossed the medial wall of the pedicle, which is the wall of the canal.",
            "wall": "The needle left the pedicle sideways, where the nerve root and the vessels are.",
            "short": "The tip lies in the pedicle still, and cement would run back along the needle.",
            "good": "Bone lies around the needle on all sides from the entry to the tip.",
        },
        "slips": [],
        "sources": ["unreferenced"],
        "objectives": ["O7.3"],
    },
    {
        "id": "q-stop",
        "version": "1.0.0",
        "format": "stop_decision",
        "stem": "When do you stop the injection?",
        "image": None,
        "task": {name: STOP[name] for name in ("note", "films", "controls", "step", "line")},
        "bands": [
            band("leak", "Cement left the bone", 0),
            band("little", "Hardly any cement", 0.5),
            band("full", "Filled and nothing leaked", 1),
        ],
        "key": task_key(STOP, "little little full leak", leak=0, little=0.5, full=1),
        "rationales": {
            "leak": "Cement was seen outside the bone, which is when the injection is over at the latest.",
            "little": "So little cement does not yet reach from one endplate to the other.",
            "full": "The body is filled across the midline and nothing has left it so far.",
        },
        "slips": [],
        "sources": ["unreferenced"],
        "objectives": ["O7.4"],
    },
    {
        "id": "q-care",
        "version": "1.0.0",
        "format": "key_feature",
        "vignette": "A 71-year-old woman treated for breast cancer has had mid-back pain by night for three weeks. "
        "Both legs have full power.",
        "stem": "Decide what is done next.",
        "image": None,
        "decisions": [
            {
                "id": "look",
                "text": "What do you ask for today?",
                "choose": 2,
                "options": [
                    choice("mri", "MRI of the whole spine"),
                    choice("legs", "Examination of legs and perineum"),
                    choice("dxa", "Bone density"),
                    choice("film", "A film, and nothing more if it is normal"),
                ],
            },
            {
                "id": "call",
                "text": "Whom do you call if the cord is compressed?",
                "choose": 1,
                "options": [
                    choice("surgeon", "The spine surgeon on call"),
                    choice("cement", "The clinic for cement tomorrow"),
                    choice("nobody", "Nobody before Monday"),
                ],
            },
        ],
        "key": {
            "format": "key_feature",
            "decisions": {
                "look": {"choose": 2, "options": ["mri", "legs", "dxa", "film"], "key": ["mri", "legs"], "harms": []},
                "call": {
                    "choose": 1,
                    "options": ["surgeon", "cement", "nobody"],
                    "key": ["surgeon"],
                    "harms": ["cement"],
                },
            },
        },
        "rationales": {
            "mri": "Cancer in the history and pain by night ask for the whole spine, whatever the film shows.",
            "legs": "A deficit turns days into hours, so it is looked for before anything else is done.",
            "dxa": "Bone density says how strong the bone is and does not find a metastasis.",
            "film": "A film shows a metastasis only when much of the bone has gone already.",
            "surgeon": "A compressed cord is seen by a spine surgeon at once, at any hour.",
            "cement": "Cement does not free a cord and may push tumour further towards it.",
            "nobody": "By Monday a cord that is compressed today may have failed for good.",
        },
        "mistakes": {"film": "A normal film excludes a fracture or a metastasis."},
        "slips": [],
        "sources": ["unreferenced"],
        "objectives": ["O6.1"],
        "clinical_review": [],
    },
]
PRACTICE: dict[str, Any] = {
    "id": "fracture_types",
    "title": "Fracture types",
    "mode": "practice",
    "certainty": True,
    "instructions": "Answer, say how certain you are, and press Check.",
    "items": ITEMS,
}


class Student:
    """What the browser half does to the traits."""

    def __init__(self, widget: QuizWidget) -> None:
        self.widget = widget

    def change(self, **change: Any) -> None:
        old = self.widget.responses
        self.widget.responses = {**old, **change, "seq": old["seq"] + 1}

    def answer(self, item: str, answer: Any, certainty: int | None = None, check: bool = False) -> None:
        old = self.widget.responses
        checked = [one for one in old["checked"] if one != item] + [item] * check
        self.change(answers={**old["answers"], item: {"answer": answer, "certainty": certainty}}, checked=checked)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my_answers" / "fracture_types.json"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Return a questions file into which keys came by mistake."""
    file = tmp_path / "questions.json"
    data = {
        "format": "vertebra-questions/1",
        "quiz": "fracture-types",
        "title": "Fracture types",
        "certainty": True,
        "instructions": "Answer every question.",
        "items": ITEMS,
    }
    return sealed(file, data)


def sealed(file: Path, data: dict[str, Any]) -> Path:
    """Write questions with the digest that fits."""
    data.pop("build", None)
    file.write_text(json.dumps(data | {"build": digest(data)}), encoding="utf-8")
    return file


# ---- Saving


def test_nothing_is_written_before_the_student_does_something(path: Path) -> None:
    widget = QuizWidget(PRACTICE, path)
    assert not path.parent.exists()
    assert (widget.saved, widget.problem) == (0, "")


def test_each_change_is_written_and_acknowledged(path: Path) -> None:
    widget = QuizWidget(PRACTICE, path)
    student = Student(widget)
    answers = {
        "q-single": "wedge",
        "q-multiple": [],
        "q-numeric": 24.5,
        "q-order": ["level", "needle", "cement", "observe"],
        "q-match": {"p-front": "wedge"},
        "q-spot": {"point": [190.5, 120]},
        "q-care": {"look": ["mri", "legs", "film"], "call": ["cement"]},
    }
    for seq, (item, answer) in enumerate(answers.items(), 1):
        student.answer(item, answer, certainty=2, check=True)
        assert (widget.saved, widget.problem) == (seq, "")
    stored = read_responses(path)
    assert stored.quiz == "fracture_types"
    assert stored.answers == {item: {"answer": answer, "certainty": 2} for item, answer in answers.items()}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_new_widget_finds_the_answers(path: Path) -> None:
    student = Student(QuizWidget(PRACTICE, path))
    student.answer("q-single", "burst", certainty=3, check=True)
    student.answer("q-numeric", 75, certainty=1)
    again = QuizWidget(PRACTICE, path)
    # The certainty of an answer that was not checked is not in the file: it is how the file tells them apart.
    assert again.responses["answers"] == {
        "q-single": {"answer": "burst", "certainty": 3},
        "q-numeric": {"answer": 75, "certainty": None},
    }
    assert again.responses["checked"] == ["q-single"]
    assert (again.responses["seq"], again.saved, again.problem) == (0, 0, "")


def test_an_exam_keeps_every_certainty_and_the_student_code(tmp_path: Path, questions: Path) -> None:
    student = Student(exam(questions))
    student.change(student="s.01_A-b")
    student.answer("q-single", "burst", certainty=3)
    student.answer("q-numeric", 25)
    stored = read_responses(tmp_path / "responses.json")
    build = json.loads(questions.read_text(encoding="utf-8"))["build"]
    assert (stored.quiz, stored.build, stored.student) == ("fracture-types", build, "s.01_A-b")
    assert stored.answers["q-single"] == {"answer": "burst", "certainty": 3}
    again = exam(questions)
    assert again.responses["student"] == "s.01_A-b"
    assert again.responses["checked"] == []


def test_an_answer_without_a_certainty_in_the_file_is_not_checked(path: Path) -> None:
    quiz = QuizWidget(PRACTICE, path).quiz
    path.parent.mkdir()
    write_responses(path, Responses(quiz["id"], quiz["build"], {"q-single": {"answer": "burst"}}))
    again = QuizWidget(PRACTICE, path)
    assert (again.responses["checked"], again.problem) == ([], "")
    assert again.responses["answers"]["q-single"]["answer"] == "burst"


def test_a_withdrawn_answer_leaves_the_file(path: Path) -> None:
    widget = QuizWidget(PRACTICE, path)
    student = Student(widget)
    student.answer("q-single", "burst")
    student.answer("q-numeric", 3)
    student.change(answers={"q-numeric": {"answer": 3, "certainty": None}})
    assert set(read_responses(path).answers) == {"q-numeric"}
    student.answer("q-numeric", None, certainty=2)
    assert read_responses(path).answers == {}


def test_two_windows_on_one_file_lose_nothing(path: Path) -> None:
    one, two = QuizWidget(PRACTICE, path), QuizWidget(PRACTICE, path)
    Student(one).answer("q-single", "wedge")
    Student(two).answer("q-numeric", 25)
    Student(one).answer("q-order", ["level", "needle", "cement", "observe"])
    Student(two).answer("q-numeric", 26)
    stored = {item: response["answer"] for item, response in read_responses(path).answers.items()}
    assert stored == {"q-single": "wedge", "q-numeric": 26, "q-order": ["level", "needle", "cement", "observe"]}


def test_a_withdrawn_student_code_leaves_the_file(tmp_path: Path, questions: Path) -> None:
    one = Student(exam(questions))
    one.change(student="ann")
    two = Student(exam(questions))
    two.answer("q-single", "wedge")
    assert read_responses(tmp_path / "responses.json").student == "ann"
    one.change(student="")
    assert read_responses(tmp_path / "responses.json").student == ""
    one.change(student="ben")
    two.answer("q-single", "burst")
    assert read_responses(tmp_path / "responses.json").student == "ben", "the other window did not touch it"


def test_a_file_that_was_deleted_is_written_whole_again(path: Path) -> None:
    student = Student(QuizWidget(PRACTICE, path))
    student.answer("q-single", "wedge")
    path.unlink()
    student.answer("q-numeric", 25)
    assert set(read_responses(path).answers) == {"q-single", "q-numeric"}


def test_the_notebook_may_change_its_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    student = Student(QuizWidget(PRACTICE, "answers.json"))
    monkeypatch.chdir(tmp_path / "there")
    student.answer("q-single", "wedge")
    assert (tmp_path / "here" / "answers.json").is_file()


# ---- What is not ours is never overwritten


def spoil_by_cutting(path: Path) -> None:
    path.write_text(path.read_text()[:-40])


def spoil_by_editing(path: Path) -> None:
    path.write_text(path.read_text().replace("burst", "wedge"))


def spoil_with_noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def replace_by_another_quiz(path: Path) -> None:
    write_responses(path, Responses("anatomy", digest("x"), {"a-1": {"answer": "disc", "certainty": None}}))


def replace_by_another_build(path: Path) -> None:
    write_responses(path, Responses("fracture_types", digest("old"), {"q-single": {"answer": "x", "certainty": None}}))


@pytest.mark.parametrize(
    "spoil",
    [spoil_by_cutting, spoil_by_editing, spoil_with_noise, replace_by_another_quiz, replace_by_another_build],
)
def test_a_file_that_cannot_be_used_is_kept_under_another_name(path: Path, spoil: Callable[[Path], None]) -> None:
    Student(QuizWidget(PRACTICE, path)).answer("q-single", "burst")
    spoil(path)
    before = path.read_bytes()

    widget = QuizWidget(PRACTICE, path)
    assert widget.responses["answers"] == {}
    assert path.name in widget.problem
    assert path.read_bytes() == before, "nothing is touched on construction"

    Student(widget).answer("q-numeric", 25)
    assert widget.saved == 1
    assert "fracture_types.unreadable-1.json" in widget.problem
    assert path.with_name("fracture_types.unreadable-1.json").read_bytes() == before
    assert set(read_responses(path).answers) == {"q-numeric"}

    path.write_text("spoilt while the quiz is open")
    Student(widget).answer("q-single", "wedge")
    assert path.with_name("fracture_types.unreadable-1.json").read_bytes() == before
    assert path.with_name("fracture_types.unreadable-2.json").read_text() == "spoilt while the quiz is open"
    assert set(read_responses(path).answers) == {"q-numeric", "q-single"}


def test_a_failed_write_is_told_and_made_up_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = QuizWidget(PRACTICE, path)
    student = Student(widget)
    student.answer("q-single", "wedge")
    with monkeypatch.context() as patch:

        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(module, "write_responses", full)
        student.answer("q-numeric", 25)
        assert widget.saved == 1
        assert "No space left on device" in widget.problem
        assert str(path.parent.parent) not in widget.problem
    student.answer("q-order", ["level", "needle", "cement", "observe"])
    assert (widget.saved, widget.problem) == (3, "")
    assert set(read_responses(path).answers) == {"q-single", "q-numeric", "q-order"}


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "my_answers").write_text("a file")
    widget = QuizWidget(PRACTICE, tmp_path / "my_answers" / "a.json")
    Student(widget).answer("q-single", "wedge")
    assert widget.saved == 0
    assert "a.json cannot be written to the folder my_answers" in widget.problem


@pytest.mark.parametrize(
    "responses",
    [
        {},
        {"seq": 1},
        {"seq": 1, "student": "", "answers": {"q-single": None}, "checked": []},
        {"seq": 1, "student": "", "answers": {"Q!": {"answer": 1, "certainty": 1}}, "checked": ["Q!"]},
        {"seq": 1, "student": "two words", "answers": {}, "checked": []},
        {"seq": 1, "student": "", "answers": {"q-single": {"answer": True, "certainty": None}}, "checked": []},
        {"seq": 1, "student": "", "answers": {"q-single": {"answer": float("nan"), "certainty": None}}, "checked": []},
        {"seq": 1, "student": "", "answers": {"q-single": {"answer": 1, "certainty": 4}}, "checked": ["q-single"]},
        {"seq": "x", "student": "", "answers": {}, "checked": []},
    ],
)
def test_nonsense_from_the_browser_is_told_and_never_written(path: Path, responses: dict[str, Any]) -> None:
    widget = QuizWidget(PRACTICE, path)
    widget.responses = {"seq": 9} if responses == {} else {}
    widget.responses = responses
    assert widget.saved == 0
    assert widget.problem
    assert not path.exists() or read_responses(path).answers == {}


@pytest.mark.parametrize("seq", [0, 1, 2**31, 2**53])
def test_any_seq_is_acknowledged(path: Path, seq: int) -> None:
    widget = QuizWidget(PRACTICE, path)
    widget.responses = {"seq": seq, "student": "", "answers": {"q-single": {"answer": "wedge", "certainty": None}}}
    assert (widget.saved, widget.problem) == (seq, "")


@pytest.mark.parametrize("quiz", [{}, {"items": []}, {"title": "<b>&", "mode": "exam", "items": []}])
def test_an_empty_quiz_can_be_shown(quiz: dict[str, Any]) -> None:
    widget = QuizWidget(quiz)
    assert widget.quiz["saving"] is False
    assert repr(widget).endswith("0 questions")
    assert widget._repr_mimebundle_()[0]["text/html"].startswith("<section>")
    widget.responses = {"seq": 1}
    assert (widget.saved, widget.problem) == (0, "")


# ---- The exam


def test_no_key_reaches_the_exam(questions: Path) -> None:
    widget = exam(questions)
    shown = json.dumps(widget.get_state(["quiz", "responses", "saved", "problem"]))
    for item in ITEMS:
        for rationale in item["rationales"].values():
            assert json.dumps(rationale)[1:-1] not in shown
    for word in ('"key"', '"rationales"', '"slips"', '"sources"', '"objectives"', '"polygons"', '"tolerance"'):
        assert word not in shown
    for word in ('"measures"', '"shares"', '"example"', "3.125"):
        assert word not in shown
    assert [item["stem"] for item in widget.quiz["items"]] == [item["stem"] for item in ITEMS]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is not beside this notebook"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "does not hold quiz questions"),
        ('{"format": "vertebra-questions/2"}', "vertebra-questions/1"),
        ('{"format": "vertebra-questions/1", "quiz": "x"}', "lacks build, certainty, instructions, items, title"),
        ({"items": [{"id": "a"}]}, "a question is not whole"),
        ({"items": 3}, "a question is not whole"),
        ({"items": [{**ITEMS[0], "format": "essay"}]}, "no questions of the kind 'essay'; use the version"),
        ({"items": [{**ITEMS[0], "format": []}]}, "a question is not whole"),
    ],
)
def test_a_questions_file_with_a_fault_gives_one_sentence(questions: Path, content: Any, words: str) -> None:
    if content is None:
        questions.unlink()
    elif isinstance(content, dict):
        sealed(questions, json.loads(questions.read_text()) | content)
    else:
        questions.write_text(content)
    with pytest.raises(QuizError, match=words) as caught:
        exam(questions)
    (line,) = caught.value._render_traceback_()
    assert line.startswith("QuizError: questions.json")
    assert "\n" not in line
    assert str(questions.parent) not in line


def test_a_changed_questions_file_is_refused_whatever_was_changed(questions: Path) -> None:
    """Each part is taken out, and replaced by what does not belong there: one sentence, never a traceback."""
    text = questions.read_text(encoding="utf-8")
    for data in spoiled(json.loads(text), (7, {"x": []})):
        questions.write_text(json.dumps(data), encoding="utf-8")
        with pytest.raises(QuizError):
            exam(questions)
    questions.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(json.loads(text), indent=1).replace("\n", "\r\n").encode()
    )  # what an editor may do to it
    assert len(exam(questions).quiz["items"]) == len(ITEMS)


def test_an_exam_says_which_questions_were_reviewed(questions: Path) -> None:
    data = json.loads(questions.read_text(encoding="utf-8"))
    for reviewed in (True, False):
        sealed(questions, data | {"items": [item | {"reviewed": reviewed} for item in data["items"]]})
        page = exam(questions)._repr_mimebundle_()[0]["text/html"]
        assert ("Not yet reviewed by a clinician" in page) is not reviewed


# ---- Practice from a bank

BANK = """\
bank: small
use: practice
lesson: 03_fracture_types
title: A small bank
licence: CC-BY-4.0
read: '2026-11-29'
review_by: '2028-11-29'
items:
"""
BANK_ITEM = """\
- id: {id}
  version: 1.0.0
  format: single_best_answer
  objectives: [O3.1]
  bloom: remember
  tier: must
  author: vertebra authors
  clinical_review: none
  stem: Which height is reduced in a wedge fracture of a vertebral body?
  sources: [unreferenced]
  shuffle: {shuffle}
  options:
  - {{id: anterior, text: Anterior height, key: true, rationale: {why}}}
  - {{id: middle, text: Middle height, rationale: {why}}}
  - {{id: posterior, text: Posterior height, rationale: {why}}}
  - {{id: none, text: No height, rationale: {why}}}
"""
WHY = "In a wedge fracture the front of the body is the part that fails."


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "bank" / "03_small.yml"
    file.parent.mkdir()
    ids = [("small-1", "true"), ("small-2", "true"), ("small-3", "true"), ("small-4", "false")]
    file.write_text(BANK + "".join(BANK_ITEM.format(id=id, shuffle=mix, why=WHY) for id, mix in ids))
    monkeypatch.setattr(items, "CHECKOUT", file.parent)
    monkeypatch.chdir(tmp_path)
    return file


def test_practice_shows_a_bank_and_keeps_its_answers(bank: Path, tmp_path: Path) -> None:
    widget = practice("small")
    assert repr(widget) == "practice quiz 'small': 4 questions"
    assert widget.quiz["file"] == "my_answers/small.json"
    Student(widget).answer("small-1", "anterior", 3, check=True)
    assert practice("small").responses["checked"] == ["small-1"]
    assert (tmp_path / "my_answers" / "small.json").is_file()


def test_each_checked_answer_is_remembered_for_the_review_once(bank: Path, tmp_path: Path) -> None:
    student = Student(practice("small"))
    student.answer("small-1", "anterior", 3)
    assert not (tmp_path / "my_answers" / "progress.json").exists(), "an answer that is not checked is none yet"
    student.answer("small-1", "anterior", 3, check=True)
    student.answer("small-2", "none", 2, check=True)
    log = ProgressFile(tmp_path / "my_answers" / "progress.json")
    assert [(a.item, a.version, a.answer, a.fraction, a.certainty) for a in log.attempts] == [
        ("small-1", "1.0.0", "anterior", 1.0, 3),
        ("small-2", "1.0.0", "none", 0.0, 2),
    ]


def test_an_answer_that_is_tried_again_is_remembered_again(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = iter(range(60))
    monkeypatch.setattr(module, "now", lambda: datetime(2026, 11, 29, 9, next(minutes), tzinfo=UTC))
    student = Student(practice("small"))
    for answer in ("none", "anterior", "anterior"):
        student.answer("small-1", answer, 1)
        student.answer("small-1", answer, 1, check=True)
    log = ProgressFile(tmp_path / "my_answers" / "progress.json")
    assert [attempt.fraction for attempt in log.attempts] == [0.0, 1.0, 1.0]


def test_answers_of_an_earlier_version_of_the_bank_stay_in_the_progress(bank: Path, tmp_path: Path) -> None:
    Student(practice("small")).answer("small-1", "anterior", 3, check=True)
    (tmp_path / "my_answers" / "progress.json").unlink()  # as before there was one
    bank.write_text(bank.read_text().replace("version: 1.0.0", "version: 1.0.1", 1))
    widget = practice("small")
    assert "earlier version" in widget.problem
    Student(widget).answer("small-2", "anterior", 2, check=True)
    assert "kept under the name small.unreadable-1.json" in widget.problem
    log = ProgressFile(tmp_path / "my_answers" / "progress.json")
    assert {(attempt.item, attempt.version) for attempt in log.attempts} == {("small-1", ""), ("small-2", "1.0.0")}


def test_progress_that_cannot_be_written_is_told_and_the_answer_is_safe(bank: Path, tmp_path: Path) -> None:
    student = Student(practice("small"))
    blocked = tmp_path / "my_answers" / "progress.json"
    blocked.mkdir(parents=True)
    (blocked / "full").touch()
    student.answer("small-1", "anterior", 3, check=True)
    assert "kept under the name progress.unreadable-1.json" in student.widget.problem
    assert student.widget.saved == student.widget.responses["seq"]
    assert ProgressFile(blocked).attempts[0].item == "small-1"
    assert practice("small").responses["checked"] == ["small-1"]


def test_an_exam_leaves_no_progress(tmp_path: Path, questions: Path) -> None:
    Student(exam(questions)).answer("q-single", "wedge", 3, check=True)
    assert not list(tmp_path.rglob("progress.json"))


def test_the_order_of_options_says_nothing_and_stays(bank: Path) -> None:
    orders = [[option["id"] for option in item["options"]] for item in practice("small").quiz["items"]]
    assert orders[3] == ["anterior", "middle", "posterior", "none"], "shuffle: false keeps the order"
    assert len({tuple(order) for order in orders[:3]}) > 1
    assert orders == [[option["id"] for option in item["options"]] for item in practice("small").quiz["items"]]


def test_a_new_version_of_a_question_is_another_build(bank: Path) -> None:
    build = practice("small").quiz["build"]
    assert practice("small").quiz["build"] == build
    bank.write_text(bank.read_text().replace("version: 1.0.0", "version: 1.0.1", 1))
    assert practice("small").quiz["build"] != build


def test_an_unknown_bank_is_named_with_those_there_are(bank: Path) -> None:
    with pytest.raises(QuizError, match=r"'nonesuch'.*small"):
        practice("nonesuch")


# ---- What is shown without a browser


class Outline(html.parser.HTMLParser):
    """The tags of a page, checked for balance, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "br":
            return
        if tag == "img":
            assert dict(attrs)["alt"]
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_fallback_shows_every_question_and_no_key(path: Path) -> None:
    widget = QuizWidget(PRACTICE, path)
    data, _ = widget._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert data["text/plain"] == repr(widget) == "practice quiz 'fracture_types': 9 questions"
    outline = Outline(data["text/html"])
    for item in ITEMS:
        assert item["stem"] in outline.texts
        for group in ("options", "steps", "prompts", "regions"):
            for part in item.get(group, ()):
                assert part["text"] in outline.texts
        for rationale in item["rationales"].values():
            assert rationale not in data["text/html"]
    assert outline.tags.count("img") == 1 + 2 + 4
    assert "Into the canal: 0 % of the marks" in outline.texts
    assert "Two grey squares." in outline.texts
    assert "Depth (mm): 30, 40. Your setting: ________" in outline.texts
    assert data["text/html"] == QuizWidget(PRACTICE)._repr_mimebundle_()[0]["text/html"]


def test_text_is_never_markup() -> None:
    evil = '<script>alert(1)</script>"&'
    item = {
        **ITEMS[0],
        "stem": evil,
        "vignette": evil,
        "options": [choice("a", evil)],
        "image": {**PICTURE, "alt": evil},
    }
    page = static_html(evil, [item])
    outline = Outline(page)
    assert "script" not in outline.tags
    assert outline.texts.count(evil) == 4


def test_one_question_is_one_question() -> None:
    assert (
        repr(QuizWidget({**PRACTICE, "mode": "exam", "items": ITEMS[:1]})) == "exam quiz 'fracture_types': 1 question"
    )
