"""Every widget of the course in each of its main states, for what is asked of all of them alike."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ct_phantom import column
from films import stand_in
from tests.widgets.test_quiz import ITEMS, PRACTICE
from tests.widgets.test_quiz_browser import WRONG
from vertebra.cement import balloon, procedure
from vertebra.imaging.structures import oriented
from vertebra.quiz import case_files, case_pictures, cases
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.progress import FILE, ProgressFile
from vertebra.quiz.review import Attempt
from vertebra.widgets.anatomy import anatomy
from vertebra.widgets.carm import carm
from vertebra.widgets.cascade import fracture_cascade
from vertebra.widgets.cases import case
from vertebra.widgets.compare import side_by_side
from vertebra.widgets.ct import CtBrowser, record
from vertebra.widgets.cure import cement_clock
from vertebra.widgets.decision import shared_decision
from vertebra.widgets.forest import forest_plot
from vertebra.widgets.guidelines import guideline_map
from vertebra.widgets.gym import Gym
from vertebra.widgets.leaks import leak_routes
from vertebra.widgets.ledger import claim_ledger
from vertebra.widgets.load import load_explorer
from vertebra.widgets.neighbour import neighbour
from vertebra.widgets.pathway import pathway
from vertebra.widgets.plan import plan_builder
from vertebra.widgets.progress import Progress
from vertebra.widgets.quiz import QuizWidget, _public
from vertebra.widgets.redflags import red_flag_explorer
from vertebra.widgets.rewrite import rewrite
from vertebra.widgets.room import placed, procedure_room, sample
from vertebra.widgets.timeline import recovery_timeline
from vertebra.widgets.workbench import workbench

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PLACED = [{"event": "new_pain", "day": 42, "clock": "visit"}, {"event": "fever", "day": 14, "clock": "now"}]
SHORTEST = next(iter(balloon.BALLOONS))
FLAGS = {"flags": ["saddle", "cancer", "pattern", "odd"], "findings": ["age", "trauma", "wall"], "setting": "emergency"}
EXAM = {**PRACTICE, "id": "gallery", "mode": "exam", "file": "r.json", "items": [_public(item) for item in ITEMS]}


def stay(view: Any) -> None:
    """Do nothing: the widget is wanted as it opens."""


@dataclass(frozen=True)
class Exhibit:
    """A widget: `make` builds it, with its files in a folder; each of `states` leads it on from the one before."""

    name: str
    make: Callable[[Path], Any]
    states: tuple[Callable[[Any], None], ...] = (stay,)

    def __str__(self) -> str:
        return self.name


def press(*names: str) -> Callable[[Any], None]:
    """Return a step that clicks what bears these names, one after the other."""

    def go(view: Any) -> None:
        for name in names:
            found = view.page.locator("button, summary, label, [role=tab]").filter(visible=True, has_text=name)
            found.first.click()

    return go


def ct(folder: Path) -> CtBrowser:
    """Return the CT browser with a column of blocks, which is there at once."""
    found, _ = column()
    scan = oriented(found.image, found.labels)
    return CtBrowser([record(scan, "Column of blocks", "for a test", "blocks") | {"computed": False}], bytes, "L1")


def ready(view: Any) -> None:
    view.page.wait_for_function("document.querySelector('[data-part=structure]').textContent")


def read(view: Any) -> None:
    page = view.page
    page.get_by_label("Abnormal level").select_option(index=3)
    press("Yes", "Wedge", "2 moderate")(view)
    page.get_by_label("Largest height loss").fill("30")
    press("Certain", "Commit, then see the truth")(view)
    page.get_by_role("group", name="Truth").wait_for()


def room(kind: str, step: str) -> Callable[[Path], Any]:
    """Return what makes a procedure room at a step of the procedure."""

    def make(folder: Path) -> Any:
        widget = procedure_room(kind)
        begun = procedure.act(widget.room, {"do": "treat"})
        if step in ("needle", "balloon"):
            widget.room = placed(begun, "left", 0.8) if step == "balloon" else begun
        elif step != "patient":
            widget.room = sample(kind) if step == "cement" else procedure.act(sample(kind), {"do": "stop"})
        if step not in ("patient", "debrief"):
            widget.wanted = {"seq": 1, "action": {"do": "picture", "plane": "both"}}
        if step == "balloon":
            for seq, action in enumerate(({"do": "ready"}, {"do": "balloon", "size": SHORTEST}), 2):
                widget.wanted = {"seq": seq, "action": action}
        return widget

    return make


def in_words(view: Any) -> None:
    view.page.locator('[data-radio="speed"][value="0"]').check()
    for summary in view.page.locator("summary").filter(visible=True).all():
        summary.click()


def story(end: bool) -> Callable[[Path], Any]:
    """Return what makes a case, at its beginning or with everything decided."""

    def make(folder: Path) -> Any:
        widget = case("t12_frail", folder)
        if end:
            run = case_files.best_run(case_files.load_case(case_files.find_case("t12_frail")))
            widget.wanted = {**widget.wanted, "seq": 1, "choices": [list(each) for each in run.choices]}
            widget = case("t12_frail", folder)
        return widget

    return make


def judged(view: Any) -> None:
    view.page.locator('[name$="-call"]').first.check()
    view.page.locator("form button[type=submit]").click()
    view.page.locator(".cl-line").first.wait_for()


def decided(view: Any) -> None:
    for each in ("nerves", "percuss"):
        view.page.locator(f'input[value="{each}"]').check()
    press("Decide")(view)
    view.page.get_by_role("heading", name="What came of it").wait_for()


def record_of(folder: Path) -> Progress:
    """Return the progress of somebody who answered every twentieth question of the course."""
    items = [item for bank in practice_banks() for item in bank.items][::20]
    answers = [
        Attempt(item.id, item.version, NOON - k * timedelta(hours=3), "x", (k % 4) / 3, 1 + k % 3)
        for k, item in enumerate(items)
    ]
    ProgressFile(folder / FILE).add(*answers)
    return Progress(folder, lambda: NOON)


def at(number: int) -> Callable[[Any], None]:
    """Return the step to a question of the quiz."""
    return lambda view: view.page.get_by_role("button", name=f"Question {number},").click()


def answered(view: Any) -> None:
    """Answer all questions wrongly and with certainty; in practice they are marked."""
    view.page.evaluate(
        """(answers) => {
            const ids = Object.keys(answers);
            const given = Object.fromEntries(ids.map((id) => [id, { answer: answers[id], certainty: 3 }]));
            const checked = model.get("quiz").mode === "exam" ? [] : ids;
            model.set("responses", { ...model.get("responses"), seq: 1, answers: given, checked });
            model.save_changes();
        }""",
        WRONG,
    )


def quiz(record: dict[str, Any]) -> Callable[[Path], Any]:
    return lambda folder: QuizWidget(record, folder / "answers.json")


def plain(make: Callable[..., Any], **start: Any) -> Callable[[Path], Any]:
    return lambda folder: make(**start)


def measured(view: Any) -> None:
    press("Measure a film")(view)
    view.page.locator("[data-part=picture]").focus()
    for number in range(6):  # two rows of three, from the front to the back
        view.page.keyboard.press("Shift+ArrowUp" if number < 3 else "Shift+ArrowDown")
        for _ in range(number % 3):
            view.page.keyboard.press("Shift+ArrowRight")
        view.page.keyboard.press("Enter")
    press("Compare with the truth")(view)
    view.page.locator("[data-part=result] table").wait_for()


def opened(view: Any) -> None:
    """Open whatever can be opened."""
    for summary in view.page.locator("summary").filter(visible=True).all():
        summary.click()


EXHIBITS = [
    Exhibit("anatomy", plain(anatomy, seed=1), (stay, press("lamina"), press("Find it", "Numbered places"))),
    Exhibit("c-arm", plain(carm, needle=True), (opened,)),
    Exhibit("cascade", plain(fracture_cascade, b_drug="romosozumab"), (opened,)),
    Exhibit("case", story(False), (stay, decided)),
    Exhibit("case, end", story(True), (press("Write the hand-over note"), press("To the debrief"))),
    Exhibit("cement clock", plain(cement_clock, minute=9.0), (opened,)),
    Exhibit("ct", ct, (ready, press("Outline the structures", "Find the structure", "This is it"))),
    Exhibit("decision", plain(shared_decision, stage="early", matters=["relief", "walking", "home"])),
    Exhibit("forest plot", plain(forest_plot, window="month 1", unchecked=True, leave_one_out=True), (opened,)),
    Exhibit("guidelines", plain(guideline_map), (opened,)),
    Exhibit("gym", lambda folder: Gym(folder, 1), (stay, read)),
    Exhibit("leaks", plain(leak_routes, route="S"), (opened,)),
    Exhibit("ledger", claim_ledger, (stay, judged, press("Conflicts"), press("Left out"), press("Score"))),
    Exhibit("load", plain(load_explorer, lift=30, bone_volume=4), (opened,)),
    Exhibit("neighbour", plain(neighbour, damage=40), (opened,)),
    Exhibit("pathway", plain(pathway), (opened,)),
    Exhibit("plan", plain(plan_builder, patient="ilse"), (opened,)),
    Exhibit("progress, empty", lambda folder: Progress(folder, lambda: NOON)),
    Exhibit("progress", record_of, (opened,)),
    Exhibit("red flags", plain(red_flag_explorer, **FLAGS), (opened,)),
    Exhibit("rewriting", rewrite, (opened,)),
    Exhibit("room", room("vertebroplasty", "patient"), (opened,)),
    Exhibit("room, needle", room("vertebroplasty", "needle"), (in_words,)),
    Exhibit("room, balloon", room("kyphoplasty", "balloon")),
    Exhibit("room, cement", room("kyphoplasty", "cement"), (in_words,)),
    Exhibit("room, debrief", room("kyphoplasty", "debrief")),
    Exhibit("side by side", plain(side_by_side), (opened,)),
    Exhibit("timeline", plain(recovery_timeline, clock="visit", placed=PLACED), (opened,)),
    Exhibit("workbench", plain(workbench, seed=1), (press("Burst"), measured)),
    Exhibit("quiz", quiz(PRACTICE), tuple(at(n) for n in range(1, 10))),
    Exhibit("quiz, checked", quiz(PRACTICE), (answered, *(at(n) for n in range(1, 10)))),
    Exhibit("exam", quiz(EXAM), (answered,)),
]


@contextmanager
def at_once() -> Iterator[None]:
    """Let what takes seconds, the films of the gym and the pictures of a case, be there at once."""
    picture = case_pictures.png(cases.Film("L1", (), 1))
    with ExitStack() as stack:
        stack.enter_context(patch.object(case_pictures, "png", lambda spec: picture))
        stack.enter_context(patch("vertebra.widgets.gym.film_case", stand_in))
        stack.enter_context(patch.object(Gym, "_choose", lambda self, number: 4 + number))
        yield
