"""By keyboard alone, from the top of the page to the end of the work: what Tab reaches is framed and in sight."""

import json
from typing import Any

import numpy as np
import pytest

from gallery import EXAM, at_once
from hands import Hands, answer, right
from sites import built_site, served
from tests.widgets.test_quiz import ITEMS
from vertebra.cement import rubric
from vertebra.cement.procedure import depth_share, needles, touch
from vertebra.quiz.responses import read_responses
from vertebra.spine import lateral
from vertebra.spine.shape import Shape
from vertebra.widgets.gym import Gym
from vertebra.widgets.quiz import QuizWidget
from vertebra.widgets.room import procedure_room
from vertebra.widgets.workbench import workbench

pytestmark = pytest.mark.browser


def test_the_workbench_is_shaped_and_a_film_measured(mount):
    view = mount(workbench(seed=3))
    page, hands = view.page, Hands(view.page)
    hands.push("Burst")
    hands.slide("Anterior height lost", 1)
    hands.press("End")
    hands.tick("torn tension band")
    page.get_by_role("heading", name="Genant grade 3 severe").wait_for()
    assert view.widget.shape["anterior"] == 0.7 and view.widget.shape["tension_band"]

    hands.choose("Measure a film")
    truth = lateral.lateral(Shape(**view.widget.film["shape"]), view.widget.film["tilt"]).landmarks("L1")
    x, y, width, height = lateral.VIEW
    hands.go("application", "Film to measure")
    for point in truth:  # each begins in the middle of the picture and is moved by 0.5 mm, with Shift by 3 mm
        steps = np.round((-point - [x + width / 2, y + height / 2]) / 0.5).astype(int)
        for step, (there, back) in zip(steps, (("ArrowRight", "ArrowLeft"), ("ArrowDown", "ArrowUp")), strict=True):
            large, small = divmod(abs(int(step)), 6)
            hands.press(f"Shift+{there if step > 0 else back}", large)
            hands.press(there if step > 0 else back, small)
        hands.press("Enter")
    hands.push("Compare with the truth")
    page.get_by_role("heading", name="Right grade").wait_for()
    assert np.abs(np.array(view.widget.placed["points"]) - truth).max() <= 0.26
    hands.push("Next film")
    page.get_by_text("Film 2.").wait_for()
    assert page.get_by_text("not placed").count() == 6


def test_a_film_of_the_gym_is_read_and_the_next_one_opened(mount, tmp_path):
    with at_once():
        view = mount(Gym(tmp_path, 1))
        hands, case = Hands(view.page), view.widget._case
        assert case.kind == "wedge"
        hands.go("combobox", "Abnormal level")
        hands.press("ArrowDown", view.widget.film["levels"].index(case.level) + 1)
        hands.choose("Yes")
        hands.choose("Wedge")
        hands.choose(f"{case.grade} ")
        hands.type("spinbutton", "Largest height loss", f"{100 * case.loss:.0f}")
        hands.choose("Certain")
        hands.push("Commit, then see the truth")
        view.page.get_by_role("heading", name=f"Right: {case.level} is fractured.").wait_for()
        view.page.get_by_text("+3 marks, certain").wait_for()
        kept = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
        assert len(kept) == 1 and case.level in json.dumps(kept)
        hands.tick("Draw the truth")
        hands.push("Next film")
        view.page.get_by_role("heading", name="Film 2").wait_for()


# The four sliders of the needle: along the pedicle, a little downwards.
AIM = [
    ("Entry, + away from the midline", "lateral", 0),
    ("Entry, + towards the head", "cranial", 0),
    ("Turned towards the midline", "convergence", 0),
    ("Turned towards the feet", "descent", 8),
]


def test_in_the_room_the_needle_is_placed_and_the_cement_injected_step_by_step(mount):
    view = mount(procedure_room("vertebroplasty"))
    hands = Hands(view.page)

    def settled() -> Any:
        view.page.wait_for_function("Number(document.querySelector('.pr').dataset.seq) >= model.get('wanted').seq")
        return view.widget.room

    def push(name: str, times: int = 1) -> Any:
        for _ in range(times):
            hands.push(name)
            settled()
        return view.widget.room

    push("Treat: begin the vertebroplasty")
    hands.choose("stands: time passes only with what you do")
    push("Take both pictures")
    hands.choose("left pedicle")
    off = touch(settled().case, "left")
    for name, axis, wanted in AIM:
        hands.slide(name, round(wanted - off[axis]))
        settled()
    room = view.widget.room
    while depth_share(room.vertebra, dict(needles(room))["left"].tip[None])[0] < 0.65:
        room = push("+5 mm" if room.path.depth < 12 else "+2 mm")
        if room.path.unseen >= 5:
            push("Take both pictures")
    push("The needles stand: stylet out, on to cement")
    hands.choose("high viscosity")
    push("Mix and draw up: the clock starts")
    push("Wait 60 s", 2)
    for _ in range(6):
        push("Inject 0.5 mL")
        push("Take both pictures")
    assert "from the posterior wall" in view.page.locator('[data-part="told"]').text_content()
    push("Enough: stop here")
    assert view.widget.room.stage == "debrief"
    score = rubric.debrief(view.widget.room).score
    assert score >= 90
    view.page.get_by_role("img", name=f"{score:g} of 100 points").wait_for()
    assert view.page.locator(".pr-after img").count() == 4
    assert view.page.get_by_role("row").filter(has_text="Keep out of the canal").filter(has_text="✓").count() == 1
    push("Start again, with this patient or another")
    view.page.get_by_role("heading", name="Who lies here").wait_for()
    assert view.page.locator(".pr-theatre").is_hidden()


def test_an_assigned_quiz_is_answered_and_kept(mount, tmp_path):
    view = mount(QuizWidget(EXAM, tmp_path / "answers.json"))
    hands = Hands(view.page)
    hands.type("textbox", "Student code", "S-0042")
    for number, item in enumerate(ITEMS, 1):
        answer(hands, item, right(item))
        hands.choose("Fairly sure")
        if number < len(ITEMS):
            hands.push("Next")
    view.page.get_by_text("Every question is answered. Hand in the file r.json.").wait_for()
    view.page.wait_for_function("model.get('saved') === model.get('responses').seq")
    kept = read_responses(tmp_path / "answers.json")
    assert kept.student == "S-0042"
    wanted = {item["id"]: {"answer": right(item), "certainty": 2} for item in ITEMS}
    assert {name: dict(given) for name, given in kept.answers.items()} == wanted


QUIZ = "fetch(document.querySelector('[data-quiz]').dataset.quiz).then((answer) => answer.json())"


def test_a_lesson_of_the_site_is_walked_through_and_its_quiz_answered(chromium, tmp_path_factory):
    with served(built_site(False, tmp_path_factory.getbasetemp().parent)) as address:
        page = chromium.new_page(viewport={"width": 1000, "height": 700}, reduced_motion="reduce")
        page.set_default_timeout(8000)
        page.goto(f"{address}lessons/15_cases.html")
        page.locator(".vq").wait_for()
        hands, quiz = Hands(page), page.evaluate(QUIZ)
        hands.press("Tab")
        assert hands.look() == "Skip to the text"
        hands.press("Enter")
        for number, item in enumerate(quiz["items"], 1):
            answer(hands, item, right(item))
            hands.choose("Certain")
            hands.push("Check")
            page.locator(".vq-card:visible").get_by_text("+3 marks, certain").wait_for()
            if number < len(quiz["items"]):
                hands.push("Next")
        kept = page.evaluate("(id) => JSON.parse(localStorage.getItem(`vertebra/answers/${id}`))", quiz["id"])
        assert {name: each["certainty"] for name, each in kept["answers"].items()} == {
            item["id"]: 3 for item in quiz["items"]
        }
        hands.push("My progress", role="link")
        page.wait_for_url("**/progress.html")
        page.get_by_text(f"{number} of {number}").first.wait_for()
        page.close()
