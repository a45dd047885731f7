"""The gym without a browser: nothing of the truth before a whole reading, and every word of it after."""

import json
import re
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from films import stand_in
from vertebra.imaging import films
from vertebra.measure import reading
from vertebra.measure.reading import Finding, Reading
from vertebra.quiz import scoring
from vertebra.widgets import gym as module
from vertebra.widgets.gym import Gym, gym

NORMAL, WEDGE, MIMIC, CRUSH = 4, 5, 6, 7  # seeds of stand-in films


@pytest.fixture
def made(monkeypatch):
    """Films cost nothing; the list holds the seeds asked for."""
    seeds = []

    def film_case(seed):
        seeds.append(seed)
        return stand_in(seed)

    monkeypatch.setattr(module, "film_case", film_case)
    return seeds


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=30)
        return self.now


def say(widget, **other):
    """Commit to the truth of the film on the screen, but for `other`."""
    case = widget._case
    right = {"level": case.level, "point": None, "fractured": case.fractured, "kind": case.kind}
    right |= {"grade": max(case.grade, 1), "loss": 100 * case.loss, "certainty": 3}
    widget.answer = {"number": widget.film["number"], **right, **other}


def forward(widget):
    widget.wanted = widget.film["number"] + 1


def texts(value):
    """Every text and number in a trait."""
    if isinstance(value, dict):
        return [t for k, v in value.items() for t in (str(k), *texts(v))]
    if isinstance(value, list | tuple):
        return [t for v in value for t in texts(v)]
    return [str(value)]


# --- pure functions --------------------------------------------------------------------------------------------------


def test_the_truth_of_each_kind_of_film():
    assert module.truth_of(stand_in(NORMAL)) == Finding("", False)
    assert module.truth_of(stand_in(MIMIC)) == Finding(stand_in(MIMIC).level, False)
    crush = module.truth_of(stand_in(CRUSH))
    assert (crush.fractured, crush.kind) == (True, "crush")
    assert 0.25 <= crush.loss <= 0.5


def test_a_click_beside_a_body_is_that_body_and_a_name_is_that_name():
    case = stand_in(WEDGE)
    base = {"fractured": False, "kind": "", "grade": 0, "loss": 0}
    assert module.said_of(base | {"level": "", "point": [60.0, 150.0]}, case).level == "T12"
    assert module.said_of(base | {"level": "L2", "point": None}, case).level == "L2"
    assert module.said_of(base | {"level": "", "point": None}, case).level == ""
    with pytest.raises(ValueError, match="T4 is not on this film"):
        module.said_of(base | {"level": "T4", "point": None}, case)


LEVEL = stand_in(WEDGE).level


@pytest.mark.parametrize(
    ("seed", "said", "words"),
    [
        (WEDGE, Finding(LEVEL, True, "wedge", 2, 0.3), f"Right: {LEVEL} is fractured."),
        (WEDGE, Finding("", False), f"Missed: {LEVEL} is fractured."),
        (WEDGE, Finding("L2", True, "wedge", 2, 0.3), f"A fracture, but at {LEVEL}: you put it 1 level too low."),
        (WEDGE, Finding("T11", True, "wedge", 2, 0.3), f"A fracture, but at {LEVEL}: you put it 2 levels too high."),
        (NORMAL, Finding("", False), "Right, no fracture: every level is normal."),
        (NORMAL, Finding("L1", True, "wedge", 2, 0.3), "No fracture, and you called one: every level is normal."),
        (MIMIC, Finding("L1", False), "Right, no fracture: T11 shows a Schmorl node."),
        (MIMIC, Finding("T11", True, "crush", 1, 0.2), "No fracture, and you called one: T11 shows a Schmorl node."),
    ],
)
def test_the_outcome_in_one_sentence(seed, said, words):
    case = stand_in(seed)
    assert module.headline(case, Reading(module.truth_of(case), said, 2)) == words


def test_every_mimic_of_the_films_reads_as_a_sentence():
    told = {name: module.without_fracture(replace(stand_in(MIMIC), mimic=name)) for name in films.MIMICS}
    assert told == {
        "Scheuermann's disease": "T11 shows Scheuermann's disease",
        "physiological wedge": "T11 shows a physiological wedge",
        "Schmorl node": "T11 shows a Schmorl node",
        "limbus vertebra": "T11 shows a limbus vertebra",
        module.OBLIQUE: "every level is normal, seen obliquely",
    }
    assert module.truth_of(replace(stand_in(MIMIC), mimic=module.OBLIQUE)) == Finding("", False)


def test_the_sides_of_an_ap_film_are_called_so():
    names = [row[0] for row in module.heights(replace(stand_in(WEDGE), view="AP"))["rows"]]
    assert names == ["Lower side", "Middle", "Other side"]


def test_a_loss_and_a_grade_that_contradict_each_other_are_remarked():
    case = stand_in(WEDGE)

    def lines(grade, loss):
        return module.remarks(case, Reading(module.truth_of(case), Finding("L1", True, "wedge", grade, loss), 2), False)

    assert lines(2, 0.30) == [case.explanation]
    assert "50\u00a0% and grade 2; by the cut-offs" in lines(2, 0.50)[1]
    assert "grade 3 [genant1993]" in lines(2, 0.50)[1]
    assert "no fracture by height [genant1993]" in lines(1, 0.15)[1]


def test_the_heights_are_those_of_the_case():
    case = stand_in(WEDGE)
    told = module.heights(case)
    assert told["level"] == case.level
    for row, measured, expected in zip(told["rows"], case.heights, case.expected, strict=True):
        assert [float(cell) for cell in row[1:3]] == pytest.approx([measured, expected], abs=0.051)
    assert told["rows"][0][3] == module.percent(1 - case.heights[0] / case.expected[0])
    assert told["rows"][2][3] == "—"


@pytest.mark.parametrize(
    ("measured", "way"),
    [
        ((16.0, 20.0, 24.0), "1 − anterior ÷ its own posterior height"),
        ((24.0, 12.0, 26.0), "1 − middle ÷ its own posterior height"),
        ((14.0, 20.0, 20.0), "1 − anterior ÷ expected anterior height"),
        ((22.0, 12.0, 22.0), "1 − middle ÷ expected middle height"),
        ((18.0, 17.0, 14.0), "1 − posterior ÷ expected posterior height"),
    ],
)
def test_the_largest_loss_says_what_it_is_measured_against(measured, way):
    case = replace(stand_in(WEDGE), heights=measured, expected=(24.0, 24.0, 24.0))
    told = module.heights(case)["largest"]
    worst = max(
        1 - measured[0] / measured[2],
        1 - measured[1] / measured[2],
        *(1 - m / e for m, e in zip(measured, case.expected, strict=True)),
    )
    assert told == f"Largest loss {module.percent(worst)}: {way}."


def test_each_answer_is_judged_where_one_alone_is_right():
    def judged(seed, said):
        case = stand_in(seed)
        rows = module.comparison(case, Reading(module.truth_of(case), said, 2))
        return {name: mark for name, _, _, mark in rows}

    case = stand_in(WEDGE)
    # Of another level than that meant, no type or grade is right or wrong.
    elsewhere = judged(WEDGE, Finding("T10", True, "wedge", case.grade, 0.3))
    assert elsewhere == {
        "Abnormal level": "wrong",
        "Fracture": "right",
        "Type": "",
        "Genant grade": "",
        "Largest height loss": "",
    }
    half = judged(WEDGE, Finding(case.level, True, "wedge", case.grade % 3 + 1, 0.3))
    assert half == {
        "Abnormal level": "right",
        "Fracture": "right",
        "Type": "right",
        "Genant grade": "wrong",
        "Largest height loss": "",
    }
    assert judged(WEDGE, Finding("", False))["Type"] == ""
    assert judged(MIMIC, Finding("", False)) == {"Abnormal level": "", "Fracture": "right"}


def test_the_drawn_truth_holds_every_outline_name_point_and_height_where_they_are():
    case = stand_in(WEDGE)
    drawn = module.overlay(case, [11.0, 22.0])
    paths = re.findall(r'<path d="([^"]*)"[^>]*stroke="#(?:ffb000|7cc7ff|ff7fd1)"', drawn)
    found = [np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", d), dtype=float) for d in paths]
    for points, level in zip(found, module.levels_of(case), strict=False):
        assert points == pytest.approx(case.outlines[level], abs=0.051)
    assert len(paths) == len(case.outlines) + 3 + 1
    circles = np.array(re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn), dtype=float)
    assert circles == pytest.approx(case.landmarks, abs=0.051)
    assert re.findall(r">(\w+)</text>", drawn) == ["T10", "T11", "T12", "L1", "L2"]
    assert "#ff7fd1" not in module.overlay(case)


def test_the_bands_of_the_certainties_are_where_the_marks_say():
    """At the border of two bands both certainties earn the same on average, inside its band each earns most."""
    for lower, upper in ((1, 2), (2, 3)):
        border = module.PAYS[lower][1]
        assert border == module.PAYS[upper][0]
        assert scoring.certainty_mark(border, lower) == pytest.approx(scoring.certainty_mark(border, upper))
    for certainty, band in module.PAYS.items():
        middle = sum(band) / 2
        assert max((1, 2, 3), key=lambda c: scoring.certainty_mark(middle, c)) == certainty


# --- the widget ------------------------------------------------------------------------------------------------------


def test_the_browser_knows_nothing_of_the_truth_before_a_whole_reading(made, tmp_path):
    gym = Gym(tmp_path, 3, Clock())
    met = set()
    for _ in range(16):
        case = gym._case
        met.add((case.kind, bool(case.mimic)))
        state = {k: v for k, v in gym.get_state().items() if not k.startswith("_") and k not in ("layout", "comm")}
        assert state["verdict"] == {}
        assert set(state["film"]) == {"number", "seed", "src", "width", "height", "levels", "marker", "label", "view"}
        state["film"] = {k: v for k, v in state["film"].items() if k not in ("src", "levels")}
        open_film = " ".join(texts(state["film"]))
        for secret in (case.kind, case.mimic, case.explanation, *(f"{h:.1f}" for h in case.heights)):
            assert not secret or secret not in open_film
        assert case.level == case.marker or case.level not in open_film
        say(gym)
        assert case.explanation in gym.verdict["lines"]
        forward(gym)
    assert met == {("normal", False), ("normal", True), ("wedge", False), ("crush", False)}


def test_the_name_printed_on_the_film_is_the_markers_beside_its_body(made, tmp_path):
    gym = Gym(tmp_path, 3, Clock())
    label, case = gym.film["label"], gym._case
    assert re.findall(r">(\w+)</text>", label) == [case.marker]
    x, y = (float(re.search(rf' {axis}="([\d.]+)"', label)[1]) for axis in "xy")
    outline = case.outlines[case.marker]
    assert x < outline[:, 0].min()
    assert outline[:, 1].min() < y < outline[:, 1].max()


def test_the_picture_sent_is_the_film_and_nothing_else(made, tmp_path):
    import base64

    gym = Gym(tmp_path, 3, Clock())
    png = base64.b64decode(gym.film["src"].removeprefix("data:image/png;base64,"))
    assert png == gym._case.png()
    assert struct.unpack(">II", png[16:24]) == (gym.film["width"], gym.film["height"])
    at = 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        # No text that could tell: matplotlib signs its pictures, and that is all.
        assert kind in (b"IHDR", b"IDAT", b"IEND", b"pHYs") or content.startswith(b"Software\0Matplotlib")
        at += 12 + size


INCOMPLETE = {
    "no certainty": {"certainty": None},
    "certainty 4": {"certainty": 4},
    "no grade": {"fractured": True, "kind": "wedge", "grade": 0},
    "no type": {"fractured": True, "kind": "", "grade": 1},
    "loss 0 to 1": {"fractured": True, "kind": "wedge", "grade": 1, "loss": 130},
    "no loss": {"fractured": True, "kind": "wedge", "grade": 1, "loss": None},
    "level not on the film": {"level": "C2"},
    "fracture without a level": {"fractured": True, "level": "", "kind": "wedge", "grade": 1},
    "point off the number line": {"point": [1.0, float("nan")]},
}


@pytest.mark.parametrize("other", INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_reading_shows_nothing_and_says_why(made, tmp_path, other):
    gym = Gym(tmp_path, 3, Clock())
    say(gym, **other)
    assert gym.verdict == {}
    assert gym.problem.startswith("The gym could not use that reading: ")
    assert not (tmp_path / "progress.json").exists()
    say(gym)
    assert gym.problem == ""
    assert gym.verdict["number"] == 1


def test_without_a_verdict_there_is_no_next_film(made, tmp_path):
    gym = Gym(tmp_path, 3, Clock())
    gym.wanted = 2
    assert gym.film["number"] == 1


def test_a_film_can_be_committed_to_once(made, tmp_path):
    gym = Gym(tmp_path, 3, Clock())
    say(gym)
    first = gym.verdict
    say(gym, certainty=1)
    assert gym.verdict == first
    forward(gym)
    gym.answer = gym.answer | {"number": 1, "certainty": 2}
    assert gym.verdict == {}
    assert len(gym._file.readings) == 1


def test_the_next_film_is_made_while_the_truth_is_looked_at(made, tmp_path):
    gym = Gym(tmp_path, 3, Clock())
    assert len(made) == 1
    say(gym)
    assert len(made) == 2
    forward(gym)
    assert len(made) == 2
    assert gym.film["seed"] == made[1]
    assert gym.film["number"] == 2


def test_a_seed_repeats_the_order_and_no_film_comes_twice_but_by_review(made, tmp_path):
    def session(folder, seed):
        gym, seeds = Gym(tmp_path / folder, seed, Clock()), []
        for _ in range(15):
            seeds.append(gym.film["seed"])
            say(gym)
            forward(gym)
        return seeds

    one, other, free, more = (session(*args) for args in (("a", 9), ("b", 9), ("c", None), ("a", 9)))
    assert one == other
    assert len(set(one)) == len(set(free)) == 15
    assert not set(one) & set(free)
    assert not set(one) & set(more)  # the same seed and folder again: what was read is not new any more


def test_a_missed_film_returns_after_ten_minutes_and_is_not_counted_again(made, tmp_path):
    clock = Clock()
    gym = Gym(tmp_path, 3, clock)
    missed = gym.film["seed"]
    say(gym, fractured=not gym._case.fractured, level="T11", kind="wedge", grade=1)
    forward(gym)
    clock.now += timedelta(minutes=15)
    for _ in range(6):
        if gym.film["seed"] == missed:
            break
        assert not any("read this film before" in line for line in gym.verdict.get("lines", []))
        say(gym)
        forward(gym)
    assert gym.film["seed"] == missed
    films = gym.progress["films"]
    say(gym)
    assert gym.progress["films"] == films
    assert "read this film before" in gym.verdict["lines"][-1]
    assert gym.film["number"] % module.RETURN_EVERY == 0


def test_returning_films_leave_room_for_new_ones(made, tmp_path):
    clock = Clock()
    gym = Gym(tmp_path, 3, clock)
    for _ in range(12):
        say(gym, fractured=not gym._case.fractured, level="T11", kind="wedge", grade=1)
        forward(gym)
    clock.now += timedelta(days=1)
    later = Gym(tmp_path, 4, clock)
    known = {entry.seed for entry in later._file.readings}
    back = []
    for _ in range(9):
        back.append(later.film["seed"] in known)
        say(later)
        forward(later)
    assert sum(back) == 3


def test_the_running_score_is_that_of_measure_reading(made, tmp_path):
    rng = np.random.default_rng(2)
    gym = Gym(tmp_path, 5, Clock())
    for _ in range(40):
        right = bool(rng.random() < 0.7)
        called = gym._case.fractured is right
        say(gym, fractured=called, kind="wedge", grade=int(rng.integers(1, 4)), certainty=int(rng.integers(1, 4)))
        forward(gym)
    readings = module.review.first_readings(gym._file.readings)
    sums = reading.performance(readings)
    told = gym.progress
    facts = {name: value for name, value, _ in told["facts"]}
    assert told["films"] == len(readings) == len(told["curve"])
    low, high = sums.sensitivity.limits
    assert facts["Sensitivity"] == (
        f"{sums.sensitivity.successes} of {sums.sensitivity.n}, {round(100 * sums.sensitivity.share)}\u00a0% "
        f"({round(100 * low)} to {round(100 * high)}\u00a0%)"
    )
    assert facts["Grade agreement"] == f"{sums.kappa:.2f}".replace("-", "−")
    assert told["curve"][-1] == [[p.share, *p.limits] for p in (sums.sensitivity, sums.specificity)]
    assert [level["told"].split(" of ")[0] for level in told["certainty"]] == [
        str(part.successes) if part.n else "none yet" for part in sums.certainty.values()
    ]
    assert told["stop"]["reached"] == reading.stop(readings).reached
    json.dumps(told, allow_nan=False)


def test_the_stop_rule_names_itself_and_is_no_licence(made, tmp_path):
    gym = Gym(tmp_path, 6, Clock())
    while not gym.progress["stop"]["reached"]:
        assert gym.progress["stop"]["head"] == ""
        assert len(gym._file.readings) < 120
        say(gym)
        forward(gym)
    readings = module.review.first_readings(gym._file.readings)
    assert min(sum(r.truth.fractured is kind for r in readings) for kind in (True, False)) == reading.STOP_MINIMUM
    assert "Stop rule reached" in gym.progress["stop"]["head"]
    assert "never a licence" in gym.progress["stop"]["rule"]
    assert "[unreferenced]" in gym.progress["stop"]["rule"]


def test_readings_are_kept_from_session_to_session(made, tmp_path):
    one = Gym(tmp_path, 1, Clock())
    say(one)
    two = Gym(tmp_path, 2, Clock())
    assert two.progress["films"] == 1
    assert two.note == ""


def test_a_folder_that_cannot_be_written_is_said_and_the_gym_goes_on(made, tmp_path):
    blocked = tmp_path / "answers"
    blocked.write_text("a file where the folder should be")
    gym = Gym(blocked, 1, Clock())
    for n in (1, 2):
        say(gym)
        assert "progress.json cannot be written to the folder answers" in gym.note
        assert str(tmp_path) not in gym.note
        assert gym.progress["films"] == n
        forward(gym)
    blocked.unlink()
    say(gym)
    assert gym.note == ""
    assert Gym(blocked, 2, Clock()).progress["films"] == 3


def test_a_damaged_file_is_said_at_once_and_kept(made, tmp_path):
    (tmp_path / "film_gym.json").write_text('{"format": "vertebra-gym/1", "readings": [')
    gym = Gym(tmp_path, 1, Clock())
    assert "is not JSON at line 1" in gym.note
    assert gym.progress["films"] == 0
    say(gym)
    assert "kept under the name film_gym.unreadable-1.json" in gym.note
    assert (tmp_path / "film_gym.unreadable-1.json").exists()


def test_a_film_that_cannot_be_made_is_said(made, tmp_path, monkeypatch):
    gym = Gym(tmp_path, 1, Clock())
    monkeypatch.setattr(module, "film_case", lambda seed: 1 / 0)
    say(gym)
    assert gym.verdict["number"] == 1
    forward(gym)
    assert gym.problem.startswith("The next film could not be made (ZeroDivisionError")
    assert gym.verdict["number"] == 1
    monkeypatch.setattr(module, "film_case", stand_in)
    forward(gym)  # the same request once more is heard
    assert (gym.problem, gym.verdict, gym.film["number"]) == ("", {}, 2)


def test_a_film_that_another_window_has_shown_is_said_to_be_known(made, tmp_path):
    one, two = Gym(tmp_path, 3, Clock()), Gym(tmp_path, 3, Clock())
    assert one.film["seed"] == two.film["seed"]
    say(one)
    two._clock.now += timedelta(minutes=5)
    say(two)
    known = "You have read this film before"
    assert known not in str(one.verdict["lines"])
    assert known in str(two.verdict["lines"])
    assert two.progress["films"] == 1


def test_the_static_form_is_stable_and_complete(made, tmp_path):
    module.sample.cache_clear()
    first, second = Gym(tmp_path, 1), Gym(tmp_path / "b", None)
    assert repr(first) == repr(second) == "film reading gym: endless films, each read before its truth is shown"
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert re.search(r'<img alt="[^"]+has a \w+ fracture[^"]+"', bundle["text/html"])
    assert not (tmp_path / "progress.json").exists()
    module.sample.cache_clear()


# --- real films ------------------------------------------------------------------------------------------------------


def test_real_films_go_through_the_gym(tmp_path, monkeypatch):
    """Each is clicked in the middle of its body and read as it is."""
    seeds = [9, 14, 4, 8]
    monkeypatch.setattr(Gym, "_choose", lambda self, number: seeds[number - 1])
    real = gym(tmp_path, seed=1)
    for seed in seeds[:3]:
        case = real._case
        assert (real.film["seed"], case.seed) == (seed, seed)
        assert {case.level, case.marker} <= case.outlines.keys()
        say(real, point=np.asarray(case.landmarks).mean(axis=0).tolist(), level="")
        assert real.problem == ""
        assert real.verdict["tone"] == "right"
        assert [entry.reading.said.level for entry in real._file.readings if entry.seed == seed] == [case.level]
        forward(real)
    assert real.progress["films"] == 3


def test_the_stand_in_has_the_fields_of_a_real_film():
    assert replace(stand_in(1), seed=2).seed == 2
    assert isinstance(stand_in(1), films.FilmCase)


def test_in_the_browser_the_first_film_is_of_the_model(monkeypatch):
    """For it is made three times as fast; which of the two a number is made from is known beforehand."""
    made_of = {seed: films.film_case(seed) for seed in (3, 9)}
    assert all(films.origin_of(seed) == film.origin for seed, film in made_of.items())
    made = []
    monkeypatch.setattr(module, "film_case", lambda seed: made.append(seed) or made_of[9])
    for browser in (True, False):
        monkeypatch.setattr(module, "BEGINS_WITH_MODEL", browser)
        made.clear()
        for seed in range(12):
            module.Gym("nowhere", seed)
        assert {films.origin_of(seed) for seed in made} == ({"model"} if browser else {"model", "patient"})
