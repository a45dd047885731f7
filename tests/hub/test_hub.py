"""A class of twenty on a real JupyterHub, from release to marks, while the hub and a student's server are killed.

The proxy is JupyterHub's own, from npm; the settings for students' servers and for nbgrader are those of deploy/.
"""

import csv
import json
import random
import shutil
import stat
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hub.hub import ROOT, CellError, Hub, Person, as_root, running_hub

sys.path.append(str(ROOT / "deploy" / "hub"))
from student_uids import FIRST, uid_of

from vertebra.quiz.responses import read_responses
from vertebra.teaching.assign import assign
from vertebra.teaching.key import load_key, right_answer
from vertebra.teaching.nbgrader_course import write_source

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="JupyterHub does not run on Windows"),
    pytest.mark.skipif(not shutil.which("node"), reason="JupyterHub's proxy needs Node.js, which is not installed"),
]
numbered = pytest.mark.skipif(not as_root(), reason="only root can give each student a number: HTTP alone was tested")

CLASS = 20
STUDENTS = [f"student{n:02d}" for n in range(1, CLASS + 1)]
TEACHER = "teacher"
UNLUCKY = STUDENTS[0]  # whose server is killed
CURIOUS, VICTIM = STUDENTS[1], STUDENTS[2]
QUIZ, LESSON = "fracture-types", "03_fracture_types"

# The quiz widget takes what its browser half sends and acknowledges what is safely in the file.
OPEN = """
import json, os
os.chdir(os.path.expanduser("~/fracture-types"))
from vertebra.widgets.quiz import exam
quiz = exam("questions.json")
def send(student, answers):
    kept = {**quiz.responses["answers"], **answers}
    seq = quiz.responses["seq"] + 1
    quiz.responses = {**quiz.responses, "seq": seq, "student": student, "answers": kept}
    return sorted(kept) if quiz.saved == seq and not quiz.problem else quiz.problem
print(json.dumps(sorted(quiz.responses["answers"])))
"""

NBGRADER = """
import os, subprocess, sys
ran = subprocess.run([sys.executable, "-m", "nbgrader", *{words!r}], cwd=os.path.expanduser("~/course"),
                     capture_output=True, text=True)
print(ran.stderr)
assert ran.returncode == 0, ran.stderr
"""


@dataclass
class Term:
    """What became of the class; the hub still runs."""

    hub: Hub
    people: dict[str, Person]
    key_file: Path
    source: Path
    answers: dict[str, dict[str, Any]]
    expected: dict[str, float]
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    found_again: list[str] = field(default_factory=list)
    lessons: dict[str, str] = field(default_factory=dict)
    servers: list[dict[str, int]] = field(default_factory=list)

    @property
    def desk(self) -> Path:
        """The instructor's home."""
        return self.hub.folder / "home" / TEACHER

    @property
    def collected(self) -> Path:
        return self.desk / "course" / "submitted"


def drawn(key_file: Path, student: str) -> tuple[dict[str, Any], float]:
    """Return a student's answers, drawn by name, and the points that they earn.

    An answer is the right one, a wrong option of one question with one right option, or none at all: the points are
    known without marking.
    """
    chance, key = random.Random(student), load_key(key_file)
    answers: dict[str, Any] = {}
    total = 0.0
    able = chance.uniform(0.2, 0.9)
    for question in key.items:
        right = right_answer(question.key)
        if chance.random() < able:
            answers[question.id] = {"answer": right, "certainty": chance.choice((1, 2, 3))}
            total += question.points
        elif question.key["format"] == "single_best_answer":
            wrong = [option for option in question.key["options"] if option != right]
            answers[question.id] = {"answer": chance.choice(wrong), "certainty": chance.choice((1, 2, 3))}
    return answers, total


def nbgrader(teacher: Person, *words: str) -> str:
    return teacher.run(NBGRADER.format(words=words))


def release(term: Term) -> None:
    """Release the quiz from the instructor's own server with nbgrader's commands."""
    teacher = term.people[TEACHER]
    teacher.log_in()
    teacher.start_server()
    teacher.open_notebook(f"lessons/{LESSON}.ipynb")
    # The course folder comes in as an upload does: written by the instructor's own server.
    files = {f"course/source/{QUIZ}/{path.name}": path.read_text() for path in term.source.iterdir()}
    files["desk/key.json"] = term.key_file.read_text()
    teacher.run(
        f"import pathlib\nfor name, text in {files!r}.items():\n    path = pathlib.Path.home() / name\n"
        "    path.parent.mkdir(parents=True, exist_ok=True)\n    path.write_text(text)"
    )
    nbgrader(teacher, "generate_assignment", QUIZ)
    nbgrader(teacher, "release_assignment", QUIZ)


def begin(term: Term, name: str, released: threading.Event) -> None:
    """Log in, open a lesson, run its first cell, fetch the quiz and answer the first half of it."""
    person = term.people[name]
    person.log_in()
    person.start_server()
    lesson = person.open_notebook(f"lessons/{LESSON}.ipynb")
    first = next(cell["source"] for cell in lesson["cells"] if cell["cell_type"] == "code")
    term.lessons[name] = person.run(first + "\nprint('ran')")
    assert released.wait(300), "the quiz was not released"
    fetched = act(person, "fetch")
    assert [each["assignment_id"] for each in fetched] == [QUIZ]
    person.run(OPEN)
    half = dict(list(term.answers[name].items())[: len(term.answers[name]) // 2])
    term.acknowledged[name] = send(person, half)


def send(person: Person, answers: dict[str, Any]) -> list[str]:
    """Give answers to the quiz widget; return the questions whose answers it says are safe."""
    printed = json.loads(person.run(f"print(json.dumps(send({person.name!r}, json.loads({json.dumps(answers)!r}))))"))
    assert isinstance(printed, list), printed
    return printed


def act(person: Person, what: str) -> list[dict[str, Any]]:
    """Fetch or submit the quiz as nbgrader's assignment list does."""
    done = person.post(f"assignments/{what}", data={"course_id": "vertebra", "assignment_id": QUIZ})
    answer = done.raise_for_status().json()
    assert answer["success"], answer
    return list(answer["value"] if isinstance(answer["value"], list) else answer["value"][0])


def finish(term: Term, name: str) -> None:
    """Answer the rest and submit."""
    person = term.people[name]
    if name == UNLUCKY:
        person.start_server()
        person.open_notebook(f"lessons/{LESSON}.ipynb")
        term.found_again = json.loads(person.run(OPEN))
    assert send(person, term.answers[name]) == sorted(term.answers[name])
    act(person, "submit")


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Term]:
    out = tmp_path_factory.mktemp("desk")
    built = assign(ROOT / "quizzes" / "assignments" / f"{QUIZ}.yml", out)
    key_file, source = built.key, write_source(built.key, out / "student" / QUIZ, out / "course")
    drawn_for = {name: drawn(key_file, name) for name in STUDENTS}
    with running_hub([TEACHER, *STUDENTS]) as hub, ThreadPoolExecutor(CLASS + 1) as together:
        shutil.copy(ROOT / "lessons" / f"{LESSON}.ipynb", hub.folder / "lessons")
        people = {name: Person(hub, name) for name in hub.passwords}
        answers = {name: given for name, (given, _) in drawn_for.items()}
        expected = {name: total for name, (_, total) in drawn_for.items()}
        played = Term(hub, people, key_file, source, answers, expected)
        try:
            play(played, together)
        except Exception as error:
            error.add_note(hub.log()[-6000:])
            raise
        yield played


def play(term: Term, together: ThreadPoolExecutor) -> None:
    """Run the term: everybody at once, the hub and one server killed half way, collected at the end."""
    released = threading.Event()

    def teach() -> None:
        try:
            release(term)
        finally:
            released.set()  # a class does not wait for what failed

    teaching = together.submit(teach)
    begun = [together.submit(begin, term, name, released) for name in STUDENTS]
    for each in [teaching, *begun]:
        each.result()
    term.servers.append(term.hub.server_pids())
    term.hub.kill()
    term.hub.kill_server(UNLUCKY)
    finished = {name: together.submit(finish, term, name) for name in STUDENTS if name != UNLUCKY}
    for name in STUDENTS[1 : CLASS // 2]:  # no hub: half of the class finishes without one
        finished[name].result()
    term.hub.start()
    finished[UNLUCKY] = together.submit(finish, term, UNLUCKY)
    for each in finished.values():
        each.result()
    term.servers.append(term.hub.server_pids())
    nbgrader(term.people[TEACHER], "collect", QUIZ)
    term.people[TEACHER].run(
        "import pathlib\nfrom vertebra.teaching.nbgrader_course import grade_course\nhome = pathlib.Path.home()\n"
        "grade_course(home / 'desk' / 'key.json', home / 'course', home / 'desk' / 'marks')"
    )


# --- From release to marks --------------------------------------------------------------------------------------------


def test_every_student_gets_the_marks_of_their_answers(term: Term) -> None:
    found = {each.name: read_responses(each / QUIZ / "responses.json") for each in term.collected.iterdir()}
    assert {name: responses.answers for name, responses in found.items()} == term.answers
    with (term.desk / "desk" / "marks" / "gradebook.csv").open(newline="") as file:
        marks = {row["student"]: float(row["total"]) for row in csv.DictReader(file)}
    assert marks == pytest.approx(term.expected)
    assert len(set(term.expected.values())) > 5  # a class in which everybody got the same would show little


def test_every_student_ran_the_lesson(term: Term) -> None:
    assert term.lessons == dict.fromkeys(STUDENTS, "ran\n")


# --- What is killed loses nothing -------------------------------------------------------------------------------------


def test_the_servers_outlive_the_hub_and_are_found_again(term: Term) -> None:
    before, after = term.servers
    assert before.keys() == after.keys() == {TEACHER, *STUDENTS}
    assert {name for name in before if before[name] != after[name]} == {UNLUCKY}
    for name in (CURIOUS, UNLUCKY):  # the new hub knows the server that the old one started, and the new one
        known = term.people[name].web.get(f"/hub/api/users/{name}").raise_for_status().json()
        assert known["servers"][""]["ready"]


def test_a_killed_server_had_every_acknowledged_answer_in_the_file(term: Term) -> None:
    assert len(term.acknowledged[UNLUCKY]) >= 3
    assert term.found_again == term.acknowledged[UNLUCKY]


# --- One student cannot reach another's -------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", [VICTIM, TEACHER])
@pytest.mark.parametrize(
    "path",
    ["api/contents/fracture-types/responses.json", "api/contents/", "api/kernels", "api/sessions", "lab", "files/a"],
)
def test_another_server_is_closed_to_a_student(term: Term, whose: str, path: str) -> None:
    curious, address = term.people[CURIOUS], f"/user/{whose}/{path}"
    assert term.people[whose].web.get(f"/user/{whose}/api/status").status_code == 200  # it is there
    assert curious.web.get(address).status_code in (403, 404)
    assert curious.browser.get(address).status_code in (403, 404)  # with the cookies of the log-in
    stranger = httpx.get(f"{term.hub.address}{address}", follow_redirects=True)
    assert stranger.status_code == 403 or stranger.url.path == "/hub/login"


def test_the_hub_tells_a_student_nothing_of_others(term: Term) -> None:
    web = term.people[CURIOUS].web
    assert web.get("/hub/api/users").status_code == 403
    assert web.get(f"/hub/api/users/{VICTIM}").status_code in (403, 404)
    assert web.delete(f"/hub/api/users/{VICTIM}/server").status_code in (403, 404)
    assert web.post(f"/hub/api/users/{VICTIM}/tokens", json={}).status_code in (403, 404)
    assert httpx.get(f"http://127.0.0.1:{term.hub.ports[2]}/api/routes").status_code == 403  # the proxy's own door


def test_a_wrong_password_is_no_way_in(term: Term) -> None:
    hub = Hub(term.hub.folder, {VICTIM: "guess"}, ports=term.hub.ports)
    with pytest.raises(AssertionError):
        Person(hub, VICTIM).log_in()


@numbered
@pytest.mark.parametrize(
    "code",
    [
        "open('{home}/{victim}/fracture-types/responses.json')",
        "open('{home}/{victim}/fracture-types/responses.json', 'a')",
        "os.listdir('{home}/{victim}')",
        "os.listdir('{home}/{victim}/run')",
        "open('{home}/teacher/desk/key.json')",
        "os.listdir('{home}/teacher/course')",
        "os.listdir('{exchange}/vertebra/inbound')",
        "open('{exchange}/vertebra/outbound/fracture-types/questions.json', 'a')",
        "os.rename('{exchange}/vertebra', '{exchange}/mine')",
        "open('/proc/{pid}/environ').read()",
        "os.kill({pid}, 0)",
        "open('{folder}/passwords.json')",
        "os.listdir('{folder}/hub')",
    ],
)
def test_a_students_code_is_refused(term: Term, code: str) -> None:
    folder, pid = term.hub.folder, term.servers[-1][VICTIM]
    names = {"home": folder / "home", "victim": VICTIM, "exchange": folder / "exchange", "folder": folder, "pid": pid}
    with pytest.raises(CellError, match="PermissionError"):
        term.people[CURIOUS].run("import os\n" + code.format(**names))


@numbered
def test_the_same_code_works_on_ones_own(term: Term) -> None:
    """The refusals are no artefact: the paths are right."""
    home, pid = term.hub.folder / "home", term.servers[-1][VICTIM]
    code = f"import os\nopen('{home}/{VICTIM}/fracture-types/responses.json')\nos.listdir('{home}/{VICTIM}')\n"
    term.people[VICTIM].run(code + f"os.listdir('{home}/{VICTIM}/run')\nos.kill({pid}, 0)")
    exchange = term.hub.folder / "exchange"
    term.people[TEACHER].run(
        f"import os\nopen('{home}/teacher/desk/key.json')\n"
        f"assert len(os.listdir('{exchange}/vertebra/inbound')) >= {CLASS}"
    )


@numbered
def test_each_hand_in_belongs_to_its_student(term: Term) -> None:
    inbound = term.hub.folder / "exchange" / "vertebra" / "inbound"
    assert stat.S_IMODE(inbound.stat().st_mode) & 0o777 == 0o733  # others may put in and not look in
    owners = {path.name.split("+")[0]: path.stat().st_uid for path in inbound.iterdir()}
    assert owners == {name: uid_of(name) for name in STUDENTS}


@numbered
def test_a_hand_in_under_anothers_name_is_not_collected(term: Term) -> None:
    inbound = term.hub.folder / "exchange" / "vertebra" / "inbound"
    forged = f"{VICTIM}+{QUIZ}+2999-01-01 00:00:00 UTC+forged"
    term.people[CURIOUS].run(
        f"import shutil, os\nshutil.copytree(os.path.expanduser('~/{QUIZ}'), {str(inbound / forged)!r})"
    )
    said = nbgrader(term.people[TEACHER], "collect", QUIZ, "--update")
    assert forged in said and f"belongs to user number {uid_of(CURIOUS)}" in said
    kept = read_responses(term.collected / VICTIM / QUIZ / "responses.json")
    assert kept.student == VICTIM and kept.answers == term.answers[VICTIM]


def test_numbers_of_people_are_steady_and_differ() -> None:
    names = [f"name{n}" for n in range(10_000)]
    numbers = [uid_of(name) for name in names]
    assert numbers == [uid_of(name) for name in names]
    assert min(numbers) >= FIRST and max(numbers) < 2**31
    assert len(set(numbers)) > 9_990  # chance lets 0.025 pairs meet
