"""The cascade without a browser: what it says and draws is what the evidence room computed, for 1,000 women."""

import base64
import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.evidence.cascade import AGES, Person, Plan, cohort
from vertebra.evidence.recovery import drugs
from vertebra.evidence.references import references
from vertebra.widgets import cascade as module
from vertebra.widgets.cascade import (
    ARMS,
    STARTS,
    STOPS,
    WHO,
    checked,
    counts,
    figure,
    fracture_cascade,
    readout,
    shown,
    women,
)

SVG = "{http://www.w3.org/2000/svg}"
CORNERS = list(itertools.product(WHO, AGES, (1, 5), drugs(), (0, 2), (0, 3), (10, 100)))


@pytest.mark.parametrize("corner", CORNERS[::17])
def test_every_corner_of_the_controls_is_shown(corner):
    who, age, year, drug, start, stop, taken = corner
    age = "any" if who == "0" else age
    wanted = {"b_drug": drug, "b_start": start, "b_stop": stop, "b_taken": taken}
    out = shown({"seq": 4, "who": who, "age": age, "year": year, **wanted})
    assert out["seq"] == 4
    for arm in ARMS:
        assert sum(out["arms"][arm]["counts"]) == 1000
        for element in ET.fromstring(out["arms"][arm]["figure"]).iter():
            assert all("nan" not in value for value in element.attrib.values())
    assert (
        str(year) in out["readout"]["verdict"] and women(checked({"who": who, "age": age})) in out["readout"]["words"]
    )


def test_the_sentence_says_what_the_cohorts_come_to():
    said = readout(checked({"who": "1", "year": 5, "b_drug": "zoledronate"}))
    untreated, treated = cohort(Person("1")), cohort(Person("1"), Plan("zoledronate"))
    first, second, fewer = untreated.broken(), treated.broken(), treated.fewer_than(untreated)
    a, b = round(1000 * first.middle), round(1000 * second.middle)
    assert said["verdict"] == f"Plan B spares {a - b} of 1,000 women another vertebral fracture within 5 years"
    assert f"{a} ({round(1000 * first.low)} to {round(1000 * first.high)}) break another vertebra" in said["words"]
    assert f"{a - b} are spared ({round(1000 * fewer.low)} to {round(1000 * fewer.high)})" in said["fate"]
    assert f"{1000 - a} would have broken none" in said["fate"]
    assert f"every {math.ceil(1000 / (a - b))} women" in said["fate"]


def test_the_other_verdicts_are_said():
    assert readout(checked({"b_drug": "none"}))["grade"] == "even"
    worse = readout(checked({"a_drug": "alendronate", "b_drug": "none"}))
    assert worse["grade"] == "bad" and "more of 1,000 women" in worse["verdict"]
    unprotected = readout(checked({"b_drug": "denosumab", "b_stop": 2}))
    assert unprotected["grade"] == "warn" and unprotected["verdict"].endswith("leaves off denosumab unprotected")
    assert "spares" in readout(checked({"who": "0"}))["verdict"]
    assert "women a vertebral fracture" in readout(checked({"who": "0"}))["verdict"]


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda x: sum(x) > 0))
def test_rounded_people_are_all_there_and_near_their_share(shares):
    course = [share / sum(shares) for share in shares]
    whole = counts(course)
    assert sum(whole) == 1000
    assert all(abs(number - 1000 * share) <= 1 for number, share in zip(whole, course, strict=True))


@pytest.mark.parametrize("who", ["1", "severe"])
def test_each_of_1000_people_is_drawn_once_and_the_spared_as_rings(who):
    state = checked({"who": who, "b_drug": "denosumab"})
    numbers = {arm: counts(module._outcome(state, arm).course[60]) for arm in ARMS}
    for arm in ARMS:
        dots, rings = {}, 0
        for path in ET.fromstring(figure(state, arm)).iter(f"{SVG}path"):
            if path.get("stroke-linecap") == "round":
                dots[path.get("stroke")] = path.get("d").count("h0")
            rings += path.get("d").count("a3,3 0 1 0 6 0")
        assert sum(dots.values()) + rings == 1000
        assert [dots.get(ink, 0) for ink in module.INKS[1:]] == numbers[arm][1:]
        assert rings == (numbers["b"][0] - numbers["a"][0] if arm == "b" else 0)


def test_the_top_of_the_chart_is_who_broke_again():
    state = checked({"who": "3"})
    outcome, end = module._outcome(state, "a"), module._end(state)
    marker = next(ET.fromstring(figure(state, "a")).iter(f"{SVG}circle"))
    height = (module.BOTTOM - float(marker.get("cy"))) / (module.BOTTOM - module.TOP) * end
    assert height == pytest.approx(1000 * outcome.broken().middle, abs=0.3)
    # Both plans are drawn on one scale, or they could not be compared.
    ticks = [[text.text for text in ET.fromstring(figure(state, arm)).iter(f"{SVG}text")] for arm in ARMS]
    assert ticks[0] == ticks[1] and str(end) in ticks[0]


def test_stopped_denosumab_is_told_with_what_was_read_and_only_then():
    def said(**plan):
        return " ".join(shown(plan)["warnings"])

    told = said(b_drug="denosumab", b_stop=3)
    assert "71 of 1,000" in told and "12 on the drug" in told and "43 broke several, against 33" in told
    assert "71 of 1,000" not in said(b_drug="denosumab") and "71 of 1,000" not in said(b_drug="alendronate", b_stop=3)
    for name in drugs():
        if name != "none":
            assert drugs()[name].harm in said(b_drug=name)


def test_what_is_shown_as_published_was_read():
    texts = [module.LIMITS] + [
        text for name in drugs() for text in module.warnings(checked({"b_drug": name, "b_stop": 3}))
    ]
    cited = {each for text in texts for group in re.findall(r"\[([a-z0-9_; ]+)\]", text) for each in group.split("; ")}
    assert {"gallagher2005", "kendler2018", "cummings2018"} <= cited
    assert all(each == "unreferenced" or references()[each].publishable for each in cited)


def test_the_widget_answers_and_survives_nonsense():
    view = fracture_cascade()
    view.wanted = view.wanted | {"seq": 7, "who": "mild"}
    assert view.shown["seq"] == 7 and "worst vertebral fracture is mild" in view.shown["readout"]["words"]
    before = view.shown
    for bad, said in (
        ({"who": "9"}, "who is '9'"),
        ({"age": "young"}, "age is 'young'"),
        ({"who": "0", "age": "new"}, "none can be new"),
        ({"year": 9}, "year is 9; give a whole number from 1 to 5"),
        ({"year": True}, "year is True"),
        ({"b_taken": 5}, "b_taken is 5"),
        ({"a_drug": "calcitonin"}, "drug is 'calcitonin'"),
        ({"b_start": 9}, "b_start is 9"),
        ({"b_start": 2, "b_stop": 1}, "stop it later"),
    ):
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem
        assert view.shown == before | {"seq": 8} and "mild" in repr(view)
    view.wanted = {"seq": 9}
    assert view.problem == "" and view.shown["seq"] == 9
    with pytest.raises(ValueError, match="fracture_cascade knows no 'dose'"):
        fracture_cascade(dose=3)


def test_every_choice_of_time_is_one_the_model_takes():
    for start, stop in itertools.product(STARTS, STOPS):
        state = {"b_start": start, "b_stop": stop}
        if stop and stop <= start:
            with pytest.raises(ValueError, match="stop it later"):
                checked(state)
        else:
            assert checked(state)


def test_the_static_form_is_stable_and_complete():
    first, second = fracture_cascade(who="severe"), fracture_cascade(who="severe")
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    drawing = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", bundle["text/html"])[1])
    words = [text.text for text in ET.fromstring(drawing).iter(f"{SVG}text")]
    assert "A: no drug" in words and "B: alendronate" in words and "spared by plan B" in words
