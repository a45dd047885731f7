"""The procedure room in a real browser: both procedures by keyboard, clocks, phones, and what may fail."""

from dataclasses import replace

import pytest

from pages import axe, fits, listen
from vertebra.cement import procedure
from vertebra.cement import rubric as marking
from vertebra.cement.procedure import RANGES, depth_share, needles, touch
from vertebra.widgets.room import placed, procedure_room, sample

pytestmark = pytest.mark.browser
TITLE = {"vertebroplasty": "Treat: begin the vertebroplasty", "kyphoplasty": "Treat: begin the balloon kyphoplasty"}


def settled(view):
    view.page.wait_for_function(
        "model.get('shown').seq >= model.get('wanted').seq"
        " && Number(document.querySelector('.pr').dataset.seq) >= model.get('wanted').seq"
    )


def press(view, name, times=1):
    """Press a button by keyboard, as somebody does who has no mouse."""
    for _ in range(times):
        view.page.get_by_role("button", name=name, exact=True).press("Enter")
        settled(view)


def choose(view, name):
    view.page.get_by_role("radio", name=name).press("Space")
    settled(view)


def aimed(view, side, convergence=0, descent=8):
    """Move the four sliders by arrow keys until the needle points along the pedicle, a little downwards."""
    choose(view, f"{side} pedicle")
    off = touch(view.widget.room.case, side)
    goal = {"convergence": convergence, "descent": descent}
    for name in RANGES:
        by = round(goal.get(name, 0) - off[name])
        slider = view.page.locator(f'[data-slider="{name}"]')
        for _ in range(abs(by)):
            slider.press("ArrowRight" if by > 0 else "ArrowLeft")
        settled(view)


def advanced(view, side, share):
    while depth_share(view.widget.room.vertebra, dict(needles(view.widget.room))[side].tip[None])[0] < share:
        depth = view.widget.room.path.depth
        press(view, "+5 mm" if depth < 12 else "+2 mm")
        if view.widget.room.path.unseen >= 5:
            press(view, "Take both pictures")


def mixed(view, cement="high viscosity"):
    choose(view, "stands: time passes only with what you do")
    choose(view, cement)
    press(view, "Mix and draw up: the clock starts")


def test_a_kyphoplasty_by_keyboard_to_the_debrief(mount):
    view = mount(procedure_room("kyphoplasty"))
    page = view.page
    assert page.locator(".pr-share").all_text_contents()[0] == "Decision 8"
    press(view, TITLE["kyphoplasty"])
    page.get_by_text("Take both pictures first.").wait_for()
    press(view, "Take both pictures")
    page.get_by_text("more to the midline than the pedicle runs").wait_for()
    aimed(view, "left")
    advanced(view, "left", 0.8)
    view.widget.room = placed(view.widget.room, "right", 0.8)  # the second goes the same way, faster
    press(view, "Take both pictures")
    page.get_by_text("right pedicle: 11G").wait_for()
    press(view, "The needles stand: balloons in")
    choose(view, "15 mm long")
    while not view.widget.room.wall_seen and view.widget.room.inflated < 2:
        press(view, "+0.5 mL")
        press(view, "Take both pictures")
    assert page.get_by_text("came with").is_visible()
    press(view, "Deflate, take out")
    press(view, "The balloons are out: on to cement")
    mixed(view)
    press(view, "Wait 60 s", 2)
    while view.widget.room.volume < procedure.cavity_volume(view.widget.room) - 0.1:
        press(view, "Inject 0.5 mL")
        press(view, "Take both pictures")
    press(view, "Enough: stop here")
    said = marking.debrief(view.widget.room)
    assert said.score >= 90
    page.get_by_role("img", name=f"{said.score:g} of 100 points").wait_for()
    page.get_by_text(" mm inflated, ").first.wait_for()


def test_a_patient_who_must_not_be_treated_is_sent_on(mount):
    view = mount(procedure_room("vertebroplasty"))
    page = view.page
    page.get_by_label("Patient", exact=True).select_option(label="Mr D, 66")
    settled(view)
    page.get_by_text("two blood cultures are growing").wait_for()
    page.locator(".pr-refuse summary").press("Enter")
    press(view, "Do not treat; send the patient this way")
    page.get_by_role("status").get_by_text("Say why not").wait_for()
    choose(view, "An infection is active")
    choose(view, "Cultures, MRI with contrast")
    press(view, "Do not treat; send the patient this way")
    page.get_by_role("img", name="100 of 100 points").wait_for()
    page.get_by_text("Right: this patient must not have cement now.").wait_for()


def at(step, kind="vertebroplasty"):
    """Return a room at a step, so that each can be looked at."""
    widget = procedure_room(kind)
    if step == "debrief":
        widget.room = procedure.act(sample(kind), {"do": "stop"})
    elif step == "cement":
        widget.room = sample(kind)
    elif step == "needle":
        widget.room = procedure.act(widget.room, {"do": "treat"})
    if step != "patient":
        widget.wanted = {"seq": 1, "action": {"do": "picture", "plane": "both"}}
    return widget


@pytest.mark.parametrize(
    ("step", "theme"),
    [("patient", "light"), ("needle", "dark"), ("cement", "light"), ("debrief", "light"), ("debrief", "dark")],
)
def test_axe_finds_nothing_at_any_step(mount, step, theme):
    view = mount(at(step, "kyphoplasty" if step == "cement" else "vertebroplasty"), theme)
    view.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    axe(view.page)


@pytest.mark.parametrize("step", ["patient", "needle", "cement", "debrief"])
def test_on_a_phone_nothing_scrolls_sideways_and_everything_can_be_hit(mount, step):
    page = mount(at(step, "kyphoplasty"), width=360).page
    assert fits(page)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.pr button, .pr input, .pr select, .pr summary')].filter((e) => e.offsetParent)"
        ".map((e) => [e.outerHTML.slice(0, 70), e.getBoundingClientRect()])"
        ".map(([text, { width, height }]) => [text, width, height])"
    )
    assert boxes and [box for box in boxes if min(box[1:]) < 24] == []


def test_rays_are_counted_when_a_picture_is_taken_and_when_a_foot_is_on_the_pedal(mount):
    view = mount(at("needle"))
    page = view.page
    seconds = page.locator('[data-part="g-dose"]')
    assert seconds.text_content() == "2"
    page.locator('[data-slider="lateral"]').press("ArrowRight")
    settled(view)
    assert seconds.text_content() == "2"
    page.get_by_text("Since then: needle moved").first.wait_for()
    choose(view, "frontal")
    assert page.locator('[data-part="lamp"]').get_attribute("data-on") == "true"
    before = view.widget.films["frontal"]["id"]
    page.locator('[data-slider="lateral"]').press("ArrowRight")
    settled(view)
    assert view.widget.films["frontal"]["id"] == before + 1 and float(seconds.text_content()) > 2


def test_the_clock_runs_when_it_is_told_to_and_stands_when_not(mount):
    view = mount(at("cement"))
    view.widget.room = replace(view.widget.room, seconds=view.widget.room.seconds + 900)
    press(view, "Inject 0.5 mL")
    age = view.widget.room.age
    view.page.wait_for_function("age => model.get('shown').cement.age >= age + 4", arg=age)
    # The clock does not wipe away what was said.
    assert "plunger does not move" in view.page.locator(".pr-message").text_content()
    choose(view, "stands: time passes only with what you do")
    stood = view.widget.room.age
    view.page.wait_for_timeout(1100)
    assert view.widget.room.age == stood
    press(view, "Wait 15 s")
    assert view.widget.room.age == stood + 15


def test_a_refusal_is_said_and_the_room_goes_on(mount):
    view = mount(at("needle"))
    press(view, "The needles stand: stylet out, on to cement")
    view.page.get_by_role("status").get_by_text("No needle is in the bone yet.").wait_for()
    press(view, "+5 mm")
    assert view.page.get_by_text("5 mm beyond the bone's surface").is_visible()
    view.page.locator('[data-slider="descent"]').press("ArrowRight")
    settled(view)
    view.page.get_by_role("status").get_by_text("draw it back to the surface first").wait_for()
    assert view.page.locator('[data-value="descent"]').text_content() == "0°"


def test_a_balloon_that_is_too_long_cannot_be_chosen_and_none_is_pumped_before_one_is(mount):
    widget = procedure_room("kyphoplasty")
    room = procedure.act(widget.room, {"do": "treat"})
    for side, share in (("left", 0.35), ("right", 0.8)):
        room = placed(room, side, share)
    widget.room = room
    widget.wanted = {"seq": 1, "action": {"do": "picture", "plane": "both"}}
    view = mount(widget)
    page = view.page
    pump, deflate = page.get_by_role("button", name="+0.5 mL"), page.get_by_role("button", name="Deflate, take out")
    press(view, "The needles stand: balloons in")
    assert page.get_by_role("radio", name="15 mm long, up to 4 mL: too long here").is_disabled()
    assert pump.is_disabled() and "vt-primary" not in (deflate.get_attribute("class") or "")
    choose(view, "10 mm long")
    press(view, "+0.5 mL")
    assert view.widget.room.inflated == 0.5 and "vt-primary" in deflate.get_attribute("class")
    assert page.get_by_text("too long here").count() == 0


def test_a_dead_kernel_is_said(mount):
    page = mount(at("needle")).page
    page.clock.install()
    page.evaluate("kernel.dead = true")
    page.get_by_role("button", name="+1 mm").press("Enter")
    page.clock.fast_forward(4900)
    assert page.get_by_role("alert").is_hidden()
    page.clock.fast_forward(200)
    page.get_by_role("alert").get_by_text("The room stands still").wait_for()


def test_the_second_half_of_a_double_click_presses_nothing_that_came_in_its_place(mount):
    view = mount(procedure_room("vertebroplasty"))
    view.page.get_by_role("button", name=TITLE["vertebroplasty"]).dblclick()
    settled(view)
    assert view.widget.room.stage == "needle" and view.widget.room.films == ()
    assert view.page.locator(".pr-message").text_content() == view.widget.room.message
    view.page.get_by_role("button", name="+5 mm").dblclick()
    settled(view)
    assert view.widget.room.path.depth == procedure.DOCK + 10


def test_what_was_asked_of_one_needle_never_moves_the_other(mount):
    """A slider is let go and the other side taken before the room has answered: the two must not become one act."""
    view = mount(at("needle"))
    view.page.evaluate(
        """() => {
          const root = document.querySelector(".pr");
          const slide = (value) => { const input = root.querySelector('[data-slider="lateral"]');
            input.value = value; input.dispatchEvent(new Event("input", { bubbles: true })); };
          slide(1); slide(2); slide(3);
          root.querySelector('[data-radio="side"][value="right"]').click();
        }"""
    )
    view.page.wait_for_function("model.get('shown').side === 'right'")
    assert {path.side: path.lateral for path in view.widget.room.paths} == {"left": 3}
    assert view.page.locator('[data-value="lateral"]').text_content() == "0 mm"


def test_names_roles_and_keys(mount):
    page = mount(at("needle")).page
    assert page.get_by_role("region", name="Procedure room: Vertebroplasty").count() == 1
    assert page.get_by_role("img", name="AP picture 1; the patient's R is on the left").count() == 1
    assert page.get_by_role("img", name="Lateral picture 2; the patient's A is on the left").count() == 1
    assert page.locator('[aria-current="step"]').text_content() == "Needle"
    listen(page)
    page.locator('[data-slider="lateral"]').focus()
    for key in ("d", "d", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape"]


def test_the_clean_up_takes_every_listener_back(mount):
    page = mount(at("cement")).page
    page.evaluate("cleanUp()")
    saves = page.evaluate("kernel.saves")
    page.evaluate("document.querySelector('.vt').remove(); fromPython({ shown: model.get('shown'), problem: 'x' })")
    page.wait_for_timeout(1100)
    assert page.evaluate("kernel.saves") == saves
