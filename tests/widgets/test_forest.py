"""The forest plot without a browser: it draws and says what the pooling computes, whatever the numbers are."""

import base64
import dataclasses
import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from vertebra.evidence.pooling import Estimate
from vertebra.evidence.references import cited, references
from vertebra.evidence.trials import measures, obstacles, pooled, rows, windows
from vertebra.widgets import forest as module
from vertebra.widgets.forest import (
    FILTERS,
    LIMITS,
    MODELS,
    START,
    SWITCHES,
    change,
    chart,
    checked,
    first_choice,
    forest_plot,
    groups,
    number,
    passing,
    shown,
    static_svg,
    verdict,
    windows_of,
)

SVG = "{http://www.w3.org/2000/svg}"
TWELVE = ["comstock2013-pain-month12", "firanescu2018-pain-month12", "carli2023-pain-month12"]
PLACES = [(measure, window) for measure in measures() for window in windows_of(measure)]


def step(before, **after):
    """What is said of one step from a state."""
    old = checked(before)
    return change(old, checked(old | after))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: " ".join(place))
@pytest.mark.parametrize("corner", [(False, False, False, "random"), (True, True, True, "random"),
                                    (True, True, True, "fixed")])  # fmt: skip
def test_every_outcome_and_time_is_shown_at_every_corner(place, corner):
    wanted = dict(zip((*SWITCHES, "model"), corner, strict=True))
    out = shown({"seq": 3, "measure": place[0], "window": place[1], **wanted})
    drawn = out["chart"]
    assert out["seq"] == 3
    low, high = drawn["axis"]["low"], drawn["axis"]["high"]
    assert low <= 0 <= high and len(drawn["axis"]["ticks"]) <= 10
    for group in drawn["groups"]:
        assert group["why"]
        for row in group["rows"]:
            assert low - 1e-9 <= row["low"] <= row["value"] <= row["high"] <= high + 1e-9
            assert rows()[row["id"]].checked or not row["on"]
            assert row["warn"] == ("" if row["checked"] else "not yet compared with the paper")
        shares = [row["share"] for row in group["rows"] if row["weight"]]
        assert not shares or sum(shares) == pytest.approx(1)
    picture = ET.fromstring(static_svg(checked({"measure": place[0], "window": place[1], **wanted})))
    for element in picture.iter():
        for value in element.attrib.values():
            assert "nan" not in value


def test_the_plot_opens_on_the_three_trials_at_twelve_months():
    group = groups(checked({}))[0]
    assert sorted(row.id for row in group.on) == sorted(TWELVE)
    made = pooled([rows()[each] for each in TWELVE])
    assert group.pool == made or group.lead("random").value == pytest.approx(made.random.value)
    assert verdict(group, checked({})).endswith("pain at 12 months: 0.80 points better (0.24 to 1.36)")
    [pool, ahead] = chart(checked({}))["groups"][0]["pools"]
    assert (pool["text"], ahead["text"]) == ("0.80 (0.24 to 1.36)", "−2.81 to 4.42")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: " ".join(place))
def test_what_is_on_at_first_can_always_be_pooled_and_is_never_unchecked(place):
    visible = passing(checked({"measure": place[0], "window": place[1], "unchecked": True}))
    on = [rows()[each] for each in first_choice(visible)]
    for _, same in itertools.groupby(on, key=lambda row: row.study.question):
        assert obstacles(list(same)) == []
    assert bool(on) == (windows()[place[1]].effect and any(row.checked for row in visible))


def test_unchecked_rows_are_drawn_hollow_and_change_no_pool():
    plain, open_too = (chart(checked({"window": "month 1", "unchecked": on})) for on in (False, True))
    assert plain["groups"][0]["pools"] == open_too["groups"][0]["pools"]
    hollow = [row for group in open_too["groups"] for row in group["rows"] if not row["checked"]]
    assert {row["label"] for row in hollow} == {
        "Buchbinder 2009", "INVEST 2009, arm means", "Cochrane review 2018", "VERTOS II 2010",
    }  # fmt: skip
    # Even a browser that asks for one gets it hollow and without weight.
    forced = chart(checked({"window": "month 1", "unchecked": True, "chosen": ["klazen2010-pain-month1"]}))
    assert all(row["weight"] == "" and not row["on"] for group in forced["groups"] for row in group["rows"])
    assert not any(group["pools"] for group in forced["groups"])


def test_the_same_patients_are_refused_with_their_names():
    base = {"window": "month 1", "chosen": ["kallmes2009-pain-month1", "firanescu2018-pain-month1"]}
    said = step(base, chosen=[*base["chosen"], "staples2011-pain-month1-recent"])
    assert "not pooled. The patients of INVEST would count twice" in said
    assert (
        chart(checked(base | {"chosen": [*base["chosen"], "staples2011-pain-month1-recent"]}))["groups"][0]["pools"]
        == []
    )


def test_each_kind_of_step_is_said_in_one_sentence_with_its_reason():
    # Evans asks another question; it stays off here, so that one trial is what changes.
    three = {"chosen": TWELVE}
    assert step(three, chosen=TWELVE[:2]) == (
        "Without VERTOS V 2023: smaller, 0.68 in place of 0.80, because it found 1.30, above the rest, with 20 % of "
        "the weight."
    )
    assert step({"chosen": TWELVE[:2]}, chosen=TWELVE).startswith("With VERTOS V 2023: larger, 0.80 in place of 0.68")
    assert "nothing changes, because τ² is 0" in step({}, model="fixed")
    assert "reaches 4.3 standard errors" in step({}, small_sample=True)
    assert "belongs to random effects" in step({"model": "fixed"}, small_sample=True)
    assert step({}, leave_one_out=True) == (
        "Leave one out: the pooled value runs from 0.68 without VERTOS V 2023 to 1.13 without VERTOS IV 2018."
    )
    assert "VERTOS II 2010 (2.00) lies above the whole interval" in step({}, unchecked=True)
    assert "everybody knew who had cement" in step({}, unchecked=True)
    assert "the fractures were over 3 months old" in step({}, ages=["over 3 months"])
    assert "Nothing here changes" in step(
        {}, comparators=[each for each in FILTERS["comparators"] if "usual" not in each]
    )
    assert "nothing is left to pool. Nothing here is pooled: not yet" in step({"unchecked": True}, blinding=["open"])
    assert step({}, window="month 3").startswith("Pain at 3 months: 2 results")
    assert "a difference at entry is chance" in step({}, window="entry")
    assert step({}) == ""


def test_where_trials_truly_differ_the_two_models_part_and_it_is_said_why(monkeypatch):
    far = dataclasses.replace(rows()[TWELVE[2]], difference=4.0, estimate=Estimate(4.0, 3.0, 5.0))
    monkeypatch.setitem(rows(), far.id, far)
    said = step({}, model="fixed")
    assert "all trials are taken to measure one effect" in said
    assert "small ones count for more and the interval is wider" in step({"model": "fixed"}, model="random")
    told = groups(checked({}))[0]
    assert told.pool.tau2 > 1 and "differ more than chance" in " ".join(module.reading(told, checked({})))
    assert max(told.weights("random").values()) < max(told.weights("fixed").values())


def test_without_the_longest_trial_the_leave_one_out_is_that_pool():
    without = {pool["label"]: pool["text"] for pool in chart(checked({"leave_one_out": True}))["groups"][0]["pools"]}
    two = chart(checked({"chosen": TWELVE[:2]}))["groups"][0]["pools"][0]["text"]
    assert without["without VERTOS V 2023"] == two == "0.68 (0.05 to 1.30)"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Estimate(0.5, -0.2, 1.2), "includes no difference. All of it lies below"),
        (Estimate(0.8, 0.2, 1.4), "vertebroplasty did better. All of it lies below"),
        (Estimate(1.0, 0.2, 1.8), "It reaches the 1.5 to 2 points"),
        (Estimate(3.0, 2.5, 3.5), "All of it lies above the 1.5 to 2"),
        (Estimate(-1.0, -1.5, -0.5), "a sham procedure did better"),
    ],
)
def test_the_reading_follows_the_numbers_whatever_they_are(made, words, monkeypatch):
    monkeypatch.setattr(module.Group, "lead", lambda self, model: made)
    assert words in " ".join(module.reading(groups(checked({}))[0], checked({})))


def test_numbers_are_printed_as_a_reader_expects():
    pain, leak = measures()["pain"], measures()["leak"]
    assert [number(value, pain) for value in (0.7, -0.301, -0.001, 0)] == ["0.70", "−0.30", "0.00", "0.00"]
    assert number(22.58, leak) == "22.6"


def test_only_the_named_filter_is_lifted_when_options_are_counted():
    counted = shown({"window": "month 12"} | {"comparators": ["sham"]})["counts"]
    assert counted["comparators"] == {"sham": 2, "active sham": 1, "usual care": 0, "other procedure": 1}
    assert counted["blinding"] == {"blinded": 2, "open": 0, "not recorded": 0}


def test_the_widget_answers_and_survives_nonsense():
    view = forest_plot()
    view.wanted = view.wanted | {"seq": 7, "window": "month 1"}
    assert view.shown["seq"] == 7 and "0.51 points better" in view.shown["verdict"]
    before = view.shown
    for bad, said in (
        ({"measure": "joy"}, "measure is 'joy'; it is one of pain"),
        ({"measure": "leak", "window": "month 12"}, "window is 'month 12'; leak was measured at days"),
        ({"model": "guess"}, "model is 'guess'"),
        ({"unchecked": "yes"}, "unchecked is 'yes'; it is true or false"),
        ({"comparators": ["magic"]}, "comparators holds 'magic'"),
        ({"chosen": ["x"]}, "chosen holds 'x'"),
    ):
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem
        assert view.shown == before | {"seq": 8}
    view.wanted = {"seq": 9, "comparators": []}
    assert view.problem == "" and view.shown["verdict"] == "Nothing passes these filters"
    assert repr(view).endswith("Nothing passes these filters") and "<figure>" in view.still()
    with pytest.raises(ValueError, match="forest_plot knows no 'colour'"):
        forest_plot(colour=3)
    assert set(START) == {"measure", "window", "chosen", "model", *FILTERS, *SWITCHES} and set(MODELS)


def test_the_static_form_is_stable_and_complete():
    first, second = forest_plot(window="month 1"), forest_plot(window="month 1")
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    drawing = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", bundle["text/html"])[1])
    words = [text.text for text in ET.fromstring(drawing).iter(f"{SVG}text")]
    assert {"INVEST 2009", "VERTOS IV 2018", "0.51 (−0.08 to 1.11)", "65 %"} <= set(words)


def test_boxes_and_diamonds_lie_where_the_numbers_are():
    """Read back from the picture: the axis' ticks give the scale, the diamond's corners the interval."""
    picture = ET.fromstring(static_svg(checked({})))
    ticks = {float(text.text.replace("−", "-")): float(text.get("x")) for text in picture.iter(f"{SVG}text")
             if text.get("text-anchor") == "middle"}  # fmt: skip
    (a, at_a), (b, at_b) = min(ticks.items()), max(ticks.items())
    diamond = next(path.get("d") for path in picture.iter(f"{SVG}path") if path.get("d").endswith("Z"))
    corners = [float(pair.split(",")[0]) for pair in re.findall(r"[ML]([\d.]+,[\d.]+)", diamond)]
    found = [a + (x - at_a) * (b - a) / (at_b - at_a) for x in corners]
    assert found == pytest.approx([0.244, 0.802, 1.360, 0.802], abs=0.003)


def test_what_is_cited_was_read():
    texts = [
        LIMITS,
        *(chart(checked({"measure": each, "window": windows_of(each)[-1]}))["matters"] for each in measures()),
    ]
    ids = {each for text in texts for each in cited(text)}
    assert {"buchbinder2018", "ostelo2008"} <= ids
    assert all(references()[each].publishable for each in ids - {"unreferenced"})
