"""The line without a browser: every event on every day has an answer, and what is drawn is what was published."""

import base64
import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest

from vertebra.evidence.recovery import CLOCKS, DAYS, clocks, course, events, series
from vertebra.evidence.references import cite, references
from vertebra.widgets import timeline as module
from vertebra.widgets.timeline import MOST, WHEN, along, card, checked, judged, line, recovery_timeline, score, shown

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("event", events())
def test_every_corner_of_the_controls_is_answered(event):
    for day, clock in itertools.product(WHEN, ("", *CLOCKS)):
        out = shown({"seq": 2, "event": event, "day": day, "clock": clock})
        assert out["seq"] == 2 and out["card"]["asked"].startswith(events()[event].label)
        # Nothing is given away before the student has chosen.
        assert ("order" in out["card"]) == bool(clock)
        phase = events()[event].on(day)
        assert (phase.verdict in out["told"]) == bool(clock)


def test_sooner_is_safe_and_later_is_late():
    phase = events()["new_pain"].on(42)
    assert [judged(clock, phase) for clock in CLOCKS] == ["sooner", "sooner", "right", "late"]
    assert [judged(clock, events()["deficit"].on(5)) for clock in CLOCKS] == ["right", "late", "late", "late"]
    assert card(checked({"event": "deficit", "clock": "today"}))["said"] == f"Too late: {clocks()['now'].lower()}"


def test_the_same_pain_means_another_thing_on_another_day():
    verdicts = [card(checked({"event": "same_pain", "day": day, "clock": "days"})) for day in (10, 42, 182)]
    assert [each["grade"] for each in verdicts] == ["sooner", "right", "right"]
    assert len({each["verdict"] for each in verdicts}) == 3


def test_the_line_keeps_order_and_gives_early_days_room():
    places = [along(day) for day in (0, *WHEN)]
    assert places == sorted(places) and (places[0], places[-1]) == (0, 1)
    assert along(3) == pytest.approx(math.log(4) / math.log(366))
    for lane in line()["lanes"]:
        edges = [edge for each in lane["stretches"] for edge in (each["from"], each["to"])]
        assert edges == sorted(edges), lane["name"]  # the browser lays them out one after another
    assert sum(len(lane["stretches"]) for lane in line()["lanes"]) == len(course())


def test_the_curves_are_the_published_means():
    drawn = {
        (chart["name"], curve["label"]): [(at, chart["top"] * (1 - down)) for at, down in curve["points"]]
        for chart in line()["charts"]
        for curve in chart["curves"]
    }
    assert len(drawn) == len(series())
    for each in series():
        points = drawn[module.MEASURES[each.measure], each.label]
        for (at, value), (day, score_) in zip(points, each.points, strict=True):
            assert (at, value) == pytest.approx((along(day), score_))
            assert day <= DAYS


def test_what_is_placed_is_kept_and_counted():
    placed = [
        {"event": "new_pain", "day": 42, "clock": "days"},
        {"event": "fever", "day": 42, "clock": "visit"},
        {"event": "better", "day": 84, "clock": "days"},
    ]
    out = shown({"placed": placed})
    assert [flag["grade"] for flag in out["flags"]] == ["right", "late", "sooner"]
    assert [flag["above"] for flag in out["flags"]] == [0, 1, 0]
    assert out["score"] == "2 of 3 in time." and score([]) == "Nothing is on the line yet."


def test_what_is_shown_as_published_was_read():
    texts = [module.LIMITS, *(each["says"] for lane in line()["lanes"] for each in lane["stretches"])]
    texts += [chart["told"] for chart in line()["charts"]]
    texts += [cite(phase.refs) for event in events().values() for phase in event.phases]
    cited = {each for text in texts for group in re.findall(r"\[([a-z0-9_; ]+)\]", text) for each in group.split("; ")}
    assert {"evans2016", "venmans2012"} <= cited
    assert all(each == "unreferenced" or references()[each].publishable for each in cited)


def test_the_widget_answers_and_survives_nonsense():
    view = recovery_timeline()
    assert "How soon do you act?" in repr(view)
    view.wanted = view.wanted | {"seq": 7, "event": "several", "day": 182, "clock": "today"}
    assert view.shown["seq"] == 7 and "denosumab" in view.shown["told"]
    before = view.shown
    ok = {"event": "better", "day": 1, "clock": "visit"}
    for bad, said in (
        ({"event": "flu"}, "event is 'flu'"),
        ({"day": 43}, "day is 43"),
        ({"clock": "soon"}, "clock is 'soon'"),
        ({"placed": [ok | {"day": 4}]}, "day is 4"),
        ({"placed": [{"event": "better"}]}, "day is None"),
        ({"placed": [ok] * (MOST + 1)}, f"at most {MOST}"),
        ({"placed": "x"}, f"at most {MOST}"),
    ):
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem
        assert view.shown == before | {"seq": 8} and "denosumab" in repr(view)
    view.wanted = {"seq": 9}
    assert view.problem == "" and view.shown["seq"] == 9
    with pytest.raises(ValueError, match="recovery_timeline knows no 'week'"):
        recovery_timeline(week=3)


def test_the_static_form_is_stable_and_complete():
    first, second = recovery_timeline(clock="days"), recovery_timeline(clock="days")
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert "A new fracture until a film says otherwise" in bundle["text/html"]
    drawing = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", bundle["text/html"])[1])
    words = " ".join(text.text for text in ET.fromstring(drawing).iter(f"{SVG}text"))
    for each in course():
        assert each.short in words
        assert each.says.split(";")[0] in bundle["text/html"]
