"""The shared decision without a browser: as many people are drawn as are meant, and all that must be said is on it."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebra.evidence.decision import Share, talk
from vertebra.evidence.references import references
from vertebra.widgets.decision import (
    LONGEST,
    START,
    checked,
    counted,
    describe,
    people,
    shared_decision,
    sheet,
    shown,
)

SVG = {"svg": "http://www.w3.org/2000/svg"}


def drawn(share, of):
    """Return how many figures of each kind an SVG holds, read from its paths, and where the last of them stands."""
    found = ET.fromstring(people(share, of))
    head = "a1.8" if of == 100 else "h7"
    return {path.get("class")[3:]: path.get("d").count(head) // (2 if of == 100 else 1) for path in found}


@given(st.floats(0, 1), st.integers(1, 4000), st.sampled_from([100, 1000]))
def test_there_are_as_many_people_as_are_meant(value, count, of):
    events = round(value * count)
    arm = {"events": events, "people": count} if events else {"percent": 0, "people": count}
    share = Share.from_record({"option": "care", "label": "x", **arm})
    low, middle, high = share.icons(of)
    kinds = drawn(share, of)
    assert sum(kinds.values()) == of
    assert kinds.get("sure", 0) == low
    assert kinds.get("sure", 0) + kinds.get("meant", 0) == middle == round(events / count * of)
    assert of - kinds.get("rest", 0) == high


def test_figures_stand_in_their_frame_and_never_on_each_other():
    for each in talk().outcomes:
        for arm in each.arms:
            root = ET.fromstring(people(arm, each.of))
            _, _, width, height = map(float, root.get("viewBox").split())
            # The least part of each figure's path begins at its head or corner.
            starts = [
                tuple(map(float, pair.split(",")))
                for path in root
                for pair in re.findall(r"M([\d.]+,[\d.]+)(?=a|h)", path.get("d"))
            ]
            assert len(set(starts)) == len(starts) == each.of
            assert all(0 < x < width and 0 < y < height for x, y in starts)


def test_words_and_label_say_the_same_number():
    arm = next(each for each in talk().outcomes if each.id == "leak_ct").arms[0]
    assert counted(arm, 100) == "82 of 100 (76 to 86)"
    assert 'aria-label="82 of 100 (76 to 86)"' in people(arm, 100)
    exact = next(each for each in talk().outcomes if each.id == "leak_film").arms[1]
    assert counted(exact, 100) == "9 of 100"


def test_the_sheet_has_all_that_must_be_said_whoever_the_patient_is():
    for stage in talk().stages:
        text = sheet(checked({"stage": stage}))
        assert text.index("What may get better") < text.index("What may go wrong") < text.index("What nobody knows")
        for words in ("Carry on without cement", "Vertebroplasty", "Balloon kyphoplasty", "pretend treatment"):
            assert words in text
        for each in (*talk().outcomes, *talk().sham):
            assert f"[{'; '.join(each.refs)}]" in text
        for words in ("Teaching, not medical advice", "Not yet reviewed by a clinician", "does not say what to choose"):
            assert words in text
        for cited in re.findall(r'sd-ref">\[([^\]]+)\]', text):
            for name in cited.split("; "):
                assert name == "unreferenced" or references()[name].publishable


def test_trials_of_patients_like_this_one_come_first_and_all_are_told():
    for stage, (_, like) in talk().stages.items():
        text = sheet(checked({"stage": stage}))
        places = {trial.id: text.index(trial.trial) for trial in talk().sham}
        assert max(places[each] for each in like) < min(place for each, place in places.items() if each not in like)
        assert text.count("pain as long as yours") == len(like)


def test_what_the_patient_writes_stands_on_the_sheet_and_cannot_break_it():
    state = checked({"name": "Mrs <b>A</b>", "matters": ["home", "harm"], "words": "5 < 6 & more", "teach": "I heard"})
    text = sheet(state)
    assert "Mrs &lt;b&gt;A&lt;/b&gt;" in text and "5 &lt; 6 &amp; more" in text and "<b>A</b>" not in text
    assert "Getting home" in text and "No risk to my nerves or lungs" in text
    assert "What I understood:</b> I heard" in text
    assert "Not filled in yet" in sheet(checked({}))
    ET.fromstring(text.replace("<br>", "<br/>"))  # well formed


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"stage": "old"}, "stage is 'old'"),
        ({"matters": ["money"]}, "matters is"),
        ({"matters": "home"}, "matters is 'home'"),
        ({"name": "x" * 41}, "name is longer than 40"),
        ({"teach": 5}, "teach is longer"),
    ],
)
def test_what_is_wrong_is_said_and_the_last_answer_stays(wrong, words):
    widget = shared_decision()
    before = widget.shown
    widget.wanted = {**START, "seq": 1, **wrong}
    assert widget.problem.startswith("The page could not use that: ") and words in widget.problem
    assert widget.shown == before | {"seq": 1}
    widget.wanted = {**START, "seq": 2, "stage": "early"}
    assert widget.problem == "" and widget.shown["seq"] == 2


def test_every_stage_and_everything_that_may_matter_is_offered_and_answered():
    about = shared_decision().about
    assert set(about["stages"]) == set(talk().stages) and set(about["matters"]) == set(talk().matters)
    out = shown({"seq": 7, "matters": list(about["matters"]), **{name: "x" * most for name, most in LONGEST.items()}})
    assert out["seq"] == 7 and all(name in out["sheet"] for name in about["matters"].values())
    with pytest.raises(ValueError, match="shared_decision knows no 'age'"):
        shared_decision(age=80)


def test_a_page_without_a_kernel_has_the_numbers_and_the_sham_trials():
    widget = shared_decision(name="Mrs A.", matters=["home"])
    bundle, _ = widget._repr_mimebundle_()
    assert repr(widget) == f"Shared decision: {describe(checked({'name': 'Mrs A.', 'matters': ['home']}))}"
    assert "0x" not in repr(widget) and "getting home" in repr(widget)
    still = bundle["text/html"]
    assert still.count("<tr>") == len(talk().outcomes) + 1
    assert (
        still.count("<img") == 4
        and "82 of 100 (76 to 86)" in still
        and "[clark2016]" in still
        and "pretend treatment" in still
    )
