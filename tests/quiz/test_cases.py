"""Cases: every run ends, the best one earns everything, choosing everything earns nothing, and every fault is found."""

import copy
import itertools
import json
import threading
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.cli import main
from vertebra.imaging import mri
from vertebra.imaging.films import film_of
from vertebra.measure.scores import sins, sins_location
from vertebra.quiz import case_files, case_pictures, cases, handover
from vertebra.quiz.case_log import CaseLog, CaseLogError, Run, dumps, loads
from vertebra.quiz.cases import Check, Decision, Film, Mri, Option, minutes, spelt
from vertebra.quiz.items import BankError
from vertebra.spine.shape import Shape
from vertebra.widgets.cases import coming, pictures_of

FOLDER = Path(__file__).parents[2] / "quizzes" / "cases"
FILES = sorted(FOLDER.glob("*.yml"))
CASES = {path.stem: case_files.load_case(path) for path in FILES}
named = pytest.mark.parametrize("name", list(CASES))


def option(name, **fields):
    return Option(name, name, fields.pop("minutes", 10), "c", "r", ("unreferenced",), **fields)


# --- scoring and time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "share"),
    [
        ("a b", 1),
        ("a", 1 / 2),
        ("a x", 0),  # one right less one wrong
        ("a b x", 1 / 2),
        ("a b ok", 1),  # what is acceptable costs nothing
        ("ok", 0),
        ("a b h", 0),  # harm takes everything
        ("a b ok x", 0),  # more than three
    ],
)
def test_the_share_is_hits_less_wrong_over_keys(chosen, share):
    options = (
        option("a", key=True),
        option("b", key=True),
        option("ok", acceptable=True),
        option("x"),
        option("h", harm="!"),
    )
    decision = Decision("?", options, (), "k", up_to=3)
    assert decision.share(decision.chosen(chosen.split())) == pytest.approx(share)


def test_of_several_right_answers_to_a_single_choice_each_earns_all():
    decision = Decision("?", (option("yes", key=True), option("no", key=True), option("x")), (), "k")
    assert [decision.share(decision.chosen([each])) for each in ("yes", "no", "x")] == [1, 1, 0]


def test_at_once_the_longest_counts_and_in_turn_all():
    options = (option("a", minutes=30), option("b", minutes=20), option("c", minutes=5))
    at_once, in_turn = Decision("?", options, (), up_to=2), Decision("?", options, (), up_to=2, in_turn=True)
    assert at_once.done_at(100, options) == [130, 120, 105]
    assert in_turn.done_at(100, options) == [130, 150, 155]


@pytest.mark.parametrize(
    ("text", "count", "words"),
    [
        ("20 min", 20, "20 min"),
        ("24 h", 1440, "24 h"),
        ("3 d", 4320, "3 days"),
        ("4 wk", 40320, "4 weeks"),
        ("130 min", 130, "2 h 10 min"),
        ("0 min", 0, "no time"),
    ],
)
def test_durations(text, count, words):
    assert (minutes(text), spelt(minutes(text))) == (count, words)


def test_a_scene_at_a_time_of_day_begins_when_the_clock_shows_it_next():
    case = CASES["breast_mscc"]  # begins on day 1 at 15:30
    weak = case.scene_of["weak"]  # two days later, at 08:00
    assert case.stamp(case.arrival(weak, 20)) == "Day 4, 08:00"
    assert case.stamp(case.arrival(weak, 1000)) == "Day 5, 08:00"  # from 08:10 it is the next morning
    assert case.stamp(case.arrival(weak, 990)) == "Day 4, 08:00"


# --- the three cases --------------------------------------------------------------------------------------------------


@named
def test_the_best_run_earns_everything_keeps_every_clock_and_harms_nobody(name):
    came = cases.result(case_files.best_run(CASES[name]))
    assert came.total == 1
    assert came.harms == ()
    assert [line.clock.id for line in came.lines if line.kept is False] == []
    assert all(not each.missed for each in came.features)


@named
def test_choosing_everything_earns_next_to_nothing(name):
    state = cases.start(CASES[name])
    while not state.ended:
        decision = state.scene.decision
        every = [each.id for each in decision.options]
        # Where one must be chosen, even the right one: it still does not pay.
        state = cases.decide(state, every if decision.up_to > 1 else [(decision.keys or decision.options)[0].id])
    single = sum(
        decision.up_to == 1 for scene in CASES[name].scenes if (decision := scene.decision) and decision.key_feature
    )
    came = cases.result(state)
    assert came.total == pytest.approx(single / len(came.features))
    assert all(each.share == 0 for each in came.features if each.scene.decision.up_to > 1)


@settings(max_examples=60)
@given(name=st.sampled_from(list(CASES)), data=st.data())
def test_any_legal_run_ends_scores_between_0_and_1_and_replays_alike(name, data):
    case = CASES[name]
    ways = case_files.explore(case)
    state, steps = cases.start(case), 0
    while not state.ended:
        decision = state.scene.decision
        most = 1 if decision.up_to == 1 else len(decision.options)
        ids = [each.id for each in decision.options]
        chosen = data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=most, unique=True))
        after = cases.decide(state, chosen)
        assert after.minute >= state.minute and after.facts > state.facts
        assert after == cases.decide(state, list(reversed(chosen)))  # the order of a choice says nothing
        state, steps = after, steps + 1
        assert steps <= len(case.scenes) * 2
    came = cases.result(state)
    assert 0 <= came.total <= 1
    assert all(0 <= each.share <= 1 for each in came.features)
    assert ways.shortest <= state.minute <= ways.longest
    assert set(state.visited) <= ways.scenes
    assert cases.replay(case, state.choices) == state
    assert cases.result(cases.replay(case, state.choices)) == came


@named
def test_what_cannot_be_chosen_is_refused(name):
    state = cases.start(CASES[name])
    first = state.scene.decision.options[0].id
    for wanted, words in (([], "nothing"), (["nonsense"], "no option"), ([first, first], "twice")):
        with pytest.raises(ValueError, match=words):
            cases.decide(state, wanted)
    end = case_files.best_run(CASES[name])
    with pytest.raises(ValueError, match="over"):
        cases.decide(end, [first])
    single = next(scene for scene in CASES[name].scenes if scene.decision and scene.decision.up_to == 1)
    with pytest.raises(ValueError, match="choose one"):
        single.decision.chosen([each.id for each in single.decision.options[:2]])


def run(name, **instead):
    """Return the end of the best run, but with these choices in these scenes."""
    state = cases.start(CASES[name])
    while not state.ended:
        decision = state.scene.decision
        right = [each.id for each in (decision.keys or decision.options)[: decision.up_to]]
        state = cases.decide(state, instead.get(state.scene.id.replace("-", "_"), right))
    return state


def clock(state, name):
    return next(line for line in cases.result(state).lines if line.clock.id == name)


def test_the_day_of_weak_legs_is_counted_from_the_weakness():
    line = clock(run("breast_mscc"), "day")
    assert (line.taken, line.kept) == (160, True)
    late = run("breast_mscc", weak=["dex", "flat", "coordinator"])
    assert "delay" in late.visited and late.scene.id == "chair"
    # 14.5 hours until the night doctor, and two for the pictures: late, and still within the day.
    assert clock(late, "day").taken == 14.5 * 60 + 120
    morning = run("breast_mscc", weak=["dex"], delay=["mri-morning"])
    assert clock(morning, "day").taken == 25 * 60 and clock(morning, "day").kept is False


def test_a_week_of_tablets_breaks_both_clocks_of_cancer_and_pain_and_the_legs():
    state = run("breast_mscc", route_scene=["ibuprofen"])
    assert state.scene.id == "chair"
    assert [line.clock.id for line in cases.result(state).lines if line.kept is False] == ["call", "week"]
    assert [harm.option.id for harm in cases.result(state).harms] == ["ibuprofen"]


def test_a_clock_that_is_never_stopped_is_not_kept():
    state = run("t12_frail", week_ten=["film-again"])
    line = clock(state, "spine-mri")
    assert (line.started is not None, line.stopped, line.kept) == (True, None, False)


def test_with_and_without_cement_are_both_right_and_the_debrief_knows_which():
    for choice, told in (("goes-without", 3), ("goes-for-it", 4)):
        came = cases.result(run("t12_frail", her_choice_scene=[choice]))
        assert came.total == 1 and len(came.debrief) == told
    assert cases.result(run("t12_frail", her_choice_scene=["doctor-decides"])).total == pytest.approx(0.9)


def test_cement_in_an_infection_is_harm_in_every_scene_that_offers_it():
    for scene, choice in (("week_ten", "cement-l1"), ("infected", "antibiotic-cement")):
        came = cases.result(run("t12_frail", **{scene: [choice]}))
        assert [harm.option.id for harm in came.harms] == [choice]
        assert came.total == pytest.approx(0.9)


def test_no_drug_after_denosumab_breaks_again():
    for choice, end in (("holiday", "broken-again"), ("heal-first", "broken-again"), ("one-shot", "six-weeks")):
        assert run("dmab_rebound", bone_scene=[choice]).scene.id == end


def test_the_sins_of_the_case_is_what_the_score_computes():
    score = sins(sins_location("T11"), "mechanical", "lytic", "normal", "under 50 %", "bilateral")
    [key] = CASES["breast_mscc"].scene_of["seen"].decision.keys
    assert key.text == f"{score.total}, {score.band}"


@named
def test_every_option_names_its_sources_and_no_reviewer_is_invented(name):
    case = CASES[name]
    assert all(each.refs for scene in case.scenes if scene.decision for each in scene.decision.options)
    assert case.clinical_review == ()


# --- pictures ---------------------------------------------------------------------------------------------------------


@named
def test_the_pictures_show_what_the_case_says(name):
    for picture in pictures_of(CASES[name]).values():
        if isinstance(picture.spec, Mri):
            losses = mri.LOSSES[picture.spec.pattern]
            assert (
                picture.spec.level in {"t12-mri": "T12", "l1-mri": "L1", "mscc-mri": "T11", "ana-mri": "L1"}[picture.id]
            )
            assert losses is None or max(losses) < 0.5  # "less than half of its height"
        assert len(picture.alt) > 60
        assert not any(level in picture.alt for level in ("T11", "T12", "L1", "L2"))


def test_the_film_has_lost_what_the_report_says():
    spec = pictures_of(CASES["t12_frail"])["t12-film"].spec
    _, outlines = film_of(spec.level, {level: Shape(**dict(fields)) for level, fields in spec.shapes}, spec.seed)
    _, whole = film_of(spec.level, {}, spec.seed)
    loss = 1 - front(outlines["T12"]) / front(whole["T12"])
    assert loss == pytest.approx(0.34, abs=0.05)
    assert front(outlines["L1"]) == pytest.approx(front(whole["L1"]), rel=0.03)
    assert "about a third" in CASES["t12_frail"].scene_of["film-read"].findings[0].value


def front(outline):
    """Return the height of an outline's front wall (left on the film), px: between its two front corners."""
    front = outline[outline[:, 0] < outline[:, 0].min() + 0.12 * (outline[:, 0].max() - outline[:, 0].min())]
    return front[:, 1].max() - front[:, 1].min()


def test_a_film_of_a_level_that_is_not_there_is_refused():
    for level, shapes in (("T13", {}), ("T12", {"X1": Shape()})):
        with pytest.raises(ValueError, match="there is no level"):
            film_of(level, shapes)


def test_a_picture_is_drawn_once(monkeypatch):
    spec = Film("L1", (("L1", (("anterior", 0.3),)),), 1)
    case_pictures.png.cache_clear()
    first = case_pictures.png(spec)
    monkeypatch.setattr(case_pictures.films, "film_of", None)
    assert case_pictures.png(spec) is first and first.startswith(b"\x89PNG")


@pytest.fixture
def slow(monkeypatch):
    """Pictures that are drawn when the test says so; returns what says so, and the pictures in the order drawn."""
    may, drawn = threading.Event(), []

    def png(spec):
        may.wait(5)
        drawn.append(spec)
        return b"png"

    monkeypatch.setattr(case_pictures, "png", png)
    monkeypatch.setattr(case_pictures, "_begun", {})
    monkeypatch.setattr(case_pictures, "PATIENCE", 0.02)
    return may, drawn


def test_nobody_waits_for_a_picture_and_it_is_drawn_once(slow, monkeypatch):
    may, drawn = slow
    spec = Mri("acute", "T12")
    case_pictures.begin(spec)
    assert case_pictures.ready(spec) is None
    may.set()
    monkeypatch.setattr(case_pictures, "PATIENCE", 5)
    assert case_pictures.ready(spec) == case_pictures.ready(spec) == b"png"
    assert drawn == [spec]


def test_a_picture_that_fails_says_so_and_is_tried_again(slow, monkeypatch):
    spec = Mri("acute", "T12")
    good = case_pictures.png
    monkeypatch.setattr(case_pictures, "PATIENCE", 5)
    monkeypatch.setattr(case_pictures, "png", lambda spec: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        case_pictures.ready(spec)
    slow[0].set()
    monkeypatch.setattr(case_pictures, "png", good)
    assert case_pictures.ready(spec) == b"png"


def test_without_threads_a_picture_is_drawn_at_once(slow, monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    slow[0].set()
    monkeypatch.setattr(threading.Thread, "start", refused)
    assert case_pictures.ready(Mri("acute", "T12")) == b"png"


@named
def test_every_picture_is_begun_a_decision_before_it_is_seen(name):
    state = cases.start(CASES[name])
    while not state.ended:
        may_come = coming(state)
        ids = [option.id for option in state.scene.decision.keys] or [state.scene.decision.options[0].id]
        chosen = state.scene.decision.chosen(ids[:1] if state.scene.decision.up_to == 1 else ids)
        state = cases.decide(state, [option.id for option in chosen])
        seen = [*state.scene.pictures, *(picture for option in chosen for picture in option.pictures)]
        assert {picture.spec for picture in seen} <= set(may_come)


# --- files with faults ------------------------------------------------------------------------------------------------

SMALL = yaml.safe_load("""
case: small
version: 1.0.0
title: A small case
about: A knee.
licence: CC-BY-4.0
author: A
clinical_review: none
objectives: [O13.1]
begins: '09:00'
key_features: [{id: k1, text: Look}, {id: k2, text: Act}]
clocks: [{id: c, text: Act, starts: [first], stops: [act], within: 1 h, refs: [nogg]}]
scenes:
- id: first
  title: One
  text: It hurts.
  pictures: [{id: p, alt: A film, caption: Film, film: {level: T12, shapes: {T12: {anterior: 0.3}}}}]
  decision:
    ask: What?
    key_feature: k1
    up_to: 2
    options:
    - {id: look, text: Look, takes: 5 min, key: true, consequence: c, refs: [nogg],
       rationale: Because one looks before one does anything else at all}
    - {id: wait, text: Wait, takes: 1 d, consequence: c, refs: [unreferenced],
       rationale: Because waiting costs a day and brings nothing new at all}
    - {id: cut, text: Cut, takes: 5 min, harm: Blood, consequence: c, refs: [unreferenced],
       rationale: Because cutting first is what harms before one has looked}
    then: [{to: second, if_done: [look]}, {to: end}]
- id: second
  title: Two
  text: More.
  notes: [{text: You waited., if_done: [wait]}]
  decision:
    ask: And now?
    key_feature: k2
    options:
    - {id: act, text: Act, takes: 5 min, key: true, consequence: c, refs: [nogg],
       rationale: Because one acts when one has looked and knows enough}
    - {id: rest, text: Rest, takes: 5 min, consequence: c, refs: [unreferenced],
       rationale: Because resting now is what the first scene was for}
    - {id: leave, text: Leave, takes: 5 min, consequence: c, refs: [unreferenced],
       rationale: Because leaving is how patients are lost to everybody else, to: end}
    then: [{to: end}]
- {id: end, title: End, text: Over., ending: Over}
debrief: [{text: Look first., refs: [nogg]}]
handover:
  to: a friend
  ask: Write.
  checks:
  - {id: a, text: A, any_of: [knee]}
  - {id: b, text: B, any_of: [look*], with_time: true}
  - {id: c, text: C, any_of: [please]}
  self_check: [True.]
  model: {situation: A knee., background: None., assessment: Looked at 09:05., recommendation: Please come.}
""")


def first(case):
    return case["scenes"][0]["decision"]


FAULTS = {
    "no scene secnd": lambda c: first(c)["then"][0].update(to="secnd"),
    "did you mean second?": lambda c: first(c)["then"][0].update(to="secnd"),
    "no option or fact lok": lambda c: first(c)["then"][0].update(if_done=["lok"]),
    "no key feature k9": lambda c: first(c).update(key_feature="k9"),
    "tests no key feature; name": lambda c: first(c).pop("key_feature"),
    "has a right option and is exploratory": lambda c: (first(c).pop("key_feature"), first(c).update(exploratory=True)),
    "no option with key: true": lambda c: first(c)["options"][0].pop("key"),
    "choosing everything would pay": lambda c: first(c).update(up_to=3),
    "the last branch has a condition": lambda c: first(c)["then"].pop(),
    "this branch has no condition": lambda c: first(c)["then"][0].pop("if_done"),
    "no run reaches scene second": lambda c: first(c).update(then=[{"to": "end"}]),
    "no run takes the branch to end": lambda c: first(c)["then"].insert(1, {"to": "end", "if_done": ["act"]}),
    "come back to second with nothing new done": lambda c: c["scenes"][1]["decision"]["then"][0].update(to="first"),
    "times as long as the others": lambda c: first(c)["options"][0].update(text="Look at it for a long time"),
    "neither decision nor ending": lambda c: c["scenes"][2].pop("ending"),
    "both a decision and an ending": lambda c: c["scenes"][0].update(ending="Over"),
    "one cannot say where to go": lambda c: first(c)["options"][0].update(to="end"),
    "no run earns everything": lambda c: c["key_features"].append({"id": "k3", "text": "Never asked"}),
    "is right and harms at once": lambda c: first(c)["options"][0].update(harm="Ouch"),
    "there is no reference nog; did you mean nogg?": lambda c: first(c)["options"][0].update(refs=["nog"]),
    "nobody has opened denis1983": lambda c: c["debrief"][0].update(refs=["denis1983"]),
    "too short (2 of at least 8 words)": lambda c: first(c)["options"][0].update(rationale="Too short"),
    "two scenes or options have the id act": lambda c: first(c)["options"][1].update(id="act"),
    "the model has no level T13": lambda c: c["scenes"][0]["pictures"][0]["film"].update(level="T13"),
    "anterior is 3; give a number": lambda c: c["scenes"][0]["pictures"][0]["film"]["shapes"]["T12"].update(anterior=3),
    "says neither film nor mri": lambda c: c["scenes"][0]["pictures"][0].pop("film"),
    "there is no pattern hot": lambda c: c["scenes"][0]["pictures"][0].update(mri={"pattern": "hot", "level": "T12"}),
    "there is no MRI of L5": lambda c: c["scenes"][0]["pictures"][0].update(mri={"pattern": "old", "level": "L5"}),
    "does not pass its own check b": lambda c: c["handover"]["model"].update(assessment="Looked."),
    "a duration such as": lambda c: first(c)["options"][0].update(takes="5 minutes"),
    "the field refs is missing": lambda c: first(c)["options"][0].pop("refs"),
    "there is no field wait; ": lambda c: c["scenes"][1].update(wait="1 h"),
    "a time of day": lambda c: c.update(begins="9:00"),
    "no scene, option or fact never": lambda c: c["clocks"][0].update(stops=["never"]),
}


def written(case):
    return yaml.safe_dump(case, sort_keys=False)


def test_the_small_case_is_without_a_fault():
    case = case_files.parse_case(written(SMALL), "small.yml")
    assert case_files.explore(case).scenes == {"first", "second", "end"}
    assert (case_files.explore(case).shortest, case_files.explore(case).longest) == (5, 1440 + 5)


@pytest.mark.parametrize(("words", "spoil"), list(FAULTS.items()))
def test_each_planted_fault_is_named_with_file_and_line(words, spoil):
    case = copy.deepcopy(SMALL)
    spoil(case)
    with pytest.raises(BankError) as raised:
        case_files.parse_case(written(case), "small.yml")
    found = [line for line in str(raised.value).splitlines() if words in line]
    assert found, str(raised.value)
    assert found[0].startswith("small.yml:")


def test_a_fault_names_its_line_and_its_scene():
    case = copy.deepcopy(SMALL)
    case["scenes"][1]["decision"]["then"][0]["to"] = "nowhere"
    text = written(case)
    line = text.splitlines().index("    - to: nowhere") + 1
    with pytest.raises(BankError, match=rf"small.yml:{line}: scene second: there is no scene nowhere"):
        case_files.parse_case(text, "small.yml")


@pytest.mark.parametrize("text", ["", "case: [", "- a", "case: x\ncase: y", "42"])
def test_what_is_no_case_is_said_and_not_raised_at_the_author(text):
    with pytest.raises(BankError, match=r"^x\.yml"):
        case_files.parse_case(text, "x.yml")


def test_a_case_is_found_by_name_and_a_wrong_name_says_the_nearest():
    assert case_files.find_case("t12_frail").stem == "t12_frail"
    with pytest.raises(BankError, match="did you mean t12_frail"):
        case_files.find_case("t12_fail")


def test_the_command_checks_cases(tmp_path, capsys):
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text(written(SMALL), encoding="utf-8")
    assert main(["case", "check", str(good)]) == 0
    assert "3 scenes, 2 decisions, 5 min to 24 h 5 min on the clock\n1 case, 0 faults" in capsys.readouterr().out
    bad.write_text(written(SMALL).replace("nogg", "nog"), encoding="utf-8")
    assert main(["case", "check", str(good), str(bad), str(tmp_path / "none.yml")]) == 1
    told = capsys.readouterr().out
    assert "did you mean nogg?" in told and "none.yml: cannot be read" in told and "3 cases, 5 faults" in told


def test_the_course_s_own_cases_pass_the_command(capsys):
    assert main(["case", "check", *map(str, FILES)]) == 0
    assert "3 cases, 0 faults" in capsys.readouterr().out


def test_the_check_of_banks_steps_over_cases(tmp_path, monkeypatch, capsys):
    (tmp_path / "quizzes" / "cases").mkdir(parents=True)
    (tmp_path / "quizzes" / "cases" / "a.yml").write_text(written(SMALL), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["quiz", "check"]) == 2
    assert "no bank and no assignment" in capsys.readouterr().err


# --- hand-over --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assessment", "found", "words"),
    [
        ("Power 5/5 at 09:40.", True, "Power, 09:40"),
        ("Cultures 10:00. Power at 09:40.", True, "Power, 09:40"),  # the nearest time
        ("Power 5/5.", False, "Power"),  # no time
        ("Powerful at 09:40.", False, ""),  # not the word
        ("Neurology intact since this morning", True, "intact, this morning"),
        ("power 3/5 for 2 hours", True, "power, 2 hours"),
        ("", False, ""),
    ],
)
def test_what_is_looked_for_in_a_note(assessment, found, words):
    check = Check("nerves", "Nerves", ("power", "intact"), with_time=True)
    note = {"situation": "It is 16:30.", "assessment": assessment}
    [each] = handover.looked_for(note, [check])
    assert (each.found, each.words) == (found, words)


def test_a_word_may_go_on_where_a_star_says_so():
    checks = [Check("a", "", ("culture*",)), Check("b", "", ("culture",))]
    assert [each.found for each in handover.looked_for({"situation": "Cultures"}, checks)] == [True, False]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She is not a candidate for cement.", True),
        ("I do not want cement", True),
        ("It is not certain. Cement may help.", False),  # another sentence
        ("Not today, tomorrow, on Friday or next week, cement", False),  # too far
        ("cementing is not", False),  # the other way round
    ],
)
def test_words_may_stand_between_where_dots_say_so(text, found):
    [each] = handover.looked_for({"situation": text}, [Check("a", "", ("not … cement",))])
    assert each.found == found


@pytest.mark.parametrize(
    "time",
    [
        "0940",
        "09:40",
        "9.40",
        "0940h",
        "9 am",
        "nine o’clock",
        "within the hour",
        "tomorrow",
        "two weeks",
        "a week ago",
        "6 months",
        "2/52",
        "on Thursday",
        "midday",
        "on arrival",
        "half an hour",
        "48hrs",
        "next week",
        "day 4",
    ],
)
def test_a_time_is_a_time_however_it_is_written(time):
    assert handover.TIME.search(f"Power full {time}.")


@pytest.mark.parametrize("text", ["Power 5/5", "in 2023", "T11/T12", "soon", "38.4 °C", "I am the doctor", "142 mg/l"])
def test_no_time_is_no_time(text):
    assert not handover.TIME.search(text)


def written_note(text):
    return dict(zip(handover.PARTS, text.split("|"), strict=True))


GOOD = {
    "t12_frail": (
        "81 year old lady, likely spondylodiscitis T12/L1 on MRI at 1500, pyrexial 38.4.|Wedge # T12 ten "
        "weeks ago, UTI 3/52 ago, CKD.|No neurological deficit at 0940. Blood cultures sent, no antibiotics "
        "so far.|Could you do a disc biopsy tomorrow? She is not a candidate for cement.",
        "Calling about Mrs Hale. Discitis between T12 and L1, stable.|Old T12 fracture.|Temperature 38.4. "
        "Legs full strength, bladder empties, checked twenty to ten, 9.40. Two sets of cultures taken.|I "
        "would like an image-guided sample within 24 hours. Vertebroplasty is contraindicated here.",
        "Septic-looking spine, T12-L1, CRP 142.|CKD 3b; osteoporotic fracture.|Motor and sensation normal at "
        "nine forty, 09:40; cultures cooking since 10 am.|Grateful for an aspirate this afternoon. Please "
        "don't put any cement in.",
    ),
    "breast_mscc": (
        "MSCC at T11 in a 59 year old, legs going since 5 am.|Ca breast six years ago, walked on "
        "Monday.|Power 3/5 hips at 8 am. SINS 13.|Dexamethasone 16 mg at 0820. Can you accept her for "
        "decompression tonight?",
        "Cord compression T11.|Previous breast carcinoma. Bilateral leg weakness from this morning, in "
        "retention.|Spine unstable; steroids given twenty past eight, 08:20.|I am looking for a transfer "
        "within the hour.",
        "59F paraparesis since 05:00, lesion at T11.|Known breast cancer.|Mechanical instability, both "
        "pedicles gone.|Dex 16 mg in at 08:20. I recommend surgery today.",
    ),
    "dmab_rebound": (
        "Ana Kovač: three vertebral fractures T11, L1, L2.|On Prolia five years, last dose 11 months "
        "ago.|Myeloma and cancer excluded. Neurologically normal this morning.|Could you phone her next week?"
        " She must not miss a dose; zoledronate after.",
        "Rebound fractures, T11/L1/L2, after denosumab was five months overdue.|Screen for malignancy "
        "negative.|No motor deficit today.|Please book the injection in six months. Do not let anybody stop "
        "it without a bisphosphonate.",
        "Discharge of a 68 year old with T11, L1 and L2 fractures.|Denosumab, a gap of eleven months.|Light "
        "chains normal. Power full at 09:00.|I would like you to see her within two weeks. If it is ever "
        "stopped something must follow.",
    ),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts])
def test_a_good_note_in_other_words_is_found_good(name, text):
    found = handover.looked_for(written_note(text), CASES[name].handover.checks)
    assert [each.check.text for each in found if not each.found] == []


@named
def test_a_note_that_says_little_is_not(name):
    found = handover.looked_for(
        written_note("She has back pain.|Known to you.|It may be serious.|Have a look at her."),
        CASES[name].handover.checks,
    )
    assert not any(each.found for each in found)


# --- the file ---------------------------------------------------------------------------------------------------------

RUN = Run("1.0.0", (("look", "wait"), ("act",)), {"situation": "Ümläut\n09:00"}, (0, 2))


def test_a_run_comes_back_as_it_was_written(tmp_path):
    log = CaseLog(tmp_path / "deep" / "case_runs.json")
    assert (log.runs, log.notice) == ({}, "")
    assert not (tmp_path / "deep").exists()  # nothing is written before something is chosen
    log.put("small", RUN)
    again = CaseLog(tmp_path / "deep" / "case_runs.json")
    assert again.runs == {"small": RUN} and again.notice == ""
    again.put("other", Run("1.0.0"))
    log.put("small", Run("1.0.1"))  # a window that has not seen the other case loses nothing
    assert set(CaseLog(log.path).runs) == {"small", "other"}


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "42",
        '{"format": "x"}',
        '{"format": "vertebra-cases/9", "runs": {}}',
        '{"format": "vertebra-cases/1"}',
    ],
)
def test_a_damaged_file_is_kept_under_another_name(tmp_path, damage):
    path = tmp_path / "case_runs.json"
    path.write_text(damage, encoding="utf-8")
    log = CaseLog(path)
    assert "cannot be used" in log.notice
    assert path.read_text(encoding="utf-8") == damage
    log.put("small", RUN)
    assert "kept under the name case_runs.unreadable-1.json" in log.notice
    assert (tmp_path / "case_runs.unreadable-1.json").read_text(encoding="utf-8") == damage
    assert CaseLog(path).runs == {"small": RUN}


def test_runs_from_the_file_that_the_quiz_of_cases_took_over_are_not_lost(tmp_path):
    CaseLog(tmp_path / "cases.json").put("small", RUN)
    log = CaseLog(tmp_path / "case_runs.json")
    assert (log.runs, log.notice) == ({"small": RUN}, "")
    log.put("other", Run("1.0.0"))
    (tmp_path / "cases.json").write_text('{"format": "vertebra-responses/1"}', encoding="utf-8")
    assert set(CaseLog(log.path).runs) == {"small", "other"} and not log.notice


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 1),
        ("choices", "abc"),
        ("choices", [[1]]),
        ("choices", ["look"]),
        ("note", {"nonsense": "x"}),
        ("note", {"situation": 7}),
        ("note", {"situation": "x" * 5000}),
        ("ticked", ["0"]),
        ("ticked", [True]),
        ("extra", 1),
    ],
)
def test_what_the_widget_does_not_write_is_refused_by_place(field, value):
    data = json.loads(dumps({"small": RUN}))
    data["runs"]["small"][field] = value
    with pytest.raises(CaseLogError, match=r"f\.json: case small"):
        loads(json.dumps(data), "f.json")


def test_bytes_that_are_no_text_and_a_file_too_large_are_kept(tmp_path):
    for name, raw in (("a.json", b"\xff\xfe\x00"), ("b.json", b" " * 1_000_001)):
        (tmp_path / name).write_bytes(raw)
        log = CaseLog(tmp_path / name)
        log.put("small", RUN)
        assert "kept under" in log.notice


def test_cases_have_names_of_their_own():
    names = [case.id for case in CASES.values()]
    assert names == [path.stem for path in FILES]
    assert all(a != b for a, b in itertools.combinations(names, 2))
