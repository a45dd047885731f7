"""The red-flag explorer without a browser: what it says and draws is what the evidence room computed."""

import base64
import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.evidence.redflags import Interval, crowd, independent, post_test, redflags, strongest, urgent
from vertebra.evidence.references import cited, references
from vertebra.widgets import redflags as module
from vertebra.widgets.redflags import (
    CELL,
    COLUMNS,
    TALL,
    WHERE,
    WITH,
    checked,
    crowd_svg,
    percent,
    places,
    ratio_text,
    readout,
    red_flag_explorer,
    shown,
    spread,
)

SVG = "{http://www.w3.org/2000/svg}"
FINDINGS, FLAGS = list(redflags().findings), list(redflags().flags)


def area(path):
    """How many places a path of rectangles covers."""
    sides = re.findall(r"M[\d.]+,[\d.]+h([\d.]+)v([\d.]+)h-[\d.]+Z", path)
    assert len(sides) <= 3
    return sum(float(wide) * float(high) for wide, high in sides) / (CELL * TALL)


@pytest.mark.parametrize(
    ("setting", "findings", "flags", "threshold"),
    list(itertools.product(WHERE, ([], FINDINGS[:1], FINDINGS), ([], FLAGS), (1, 50))),
)
def test_every_corner_of_the_controls_is_shown(setting, findings, flags, threshold):
    out = shown({"seq": 4, "setting": setting, "findings": findings, "flags": flags, "threshold": threshold})
    assert out["seq"] == 4
    for each in out["crowds"]:
        drawn = [
            path for path in ET.fromstring(each["svg"]).iter(f"{SVG}path") if path.get("fill", "").startswith("url")
        ]
        assert sum(area(path.get("d")) for path in drawn) == pytest.approx(1000)
    assert len(out["rows"]) == 1 + len(findings) + (len(findings) > 1)
    assert (out["readout"]["grade"] == "now") == bool(flags)
    assert all(0 <= row["low"] <= row["high"] <= 1 for row in out["rows"])


def test_settings_and_findings_are_all_named():
    assert WHERE.keys() == redflags().settings.keys() and WITH.keys() == redflags().findings.keys()


def test_the_words_say_the_numbers():
    known = redflags()
    before, ratio = known.settings["primary"].prior, known.findings["steroid"].ratio
    counted = crowd(post_test(before, ratio))
    said = readout(checked({"findings": ["steroid"]}))
    expected = (
        f"in general practice who take corticosteroids, {counted.surely} to {counted.surely + counted.perhaps} have"
    )
    assert expected in said["verdict"]
    assert said["grade"] == "across" and "10 % lies within it" in said["below"]
    assert readout(checked({"findings": []}))["verdict"].startswith(
        "Of 1000 people with back pain in general practice, 7"
    )


@pytest.mark.parametrize(("share", "grade"), [(1, "above"), (2.7, "above"), (2.8, "across"), (50, "across")])
def test_the_students_own_threshold_decides(share, grade):
    assert readout(checked({"findings": ["steroid"], "threshold": share}))["grade"] == grade
    assert readout(checked({"findings": [], "threshold": 5}))["grade"] == "below"


def test_several_findings_are_shown_one_by_one_and_their_product_only_as_what_it_is():
    known, names = redflags(), ["age", "trauma"]
    out = shown({"setting": "emergency", "findings": names})
    before, ratios = known.settings["emergency"].prior, [known.findings[name].ratio for name in names]
    rows = out["rows"]
    assert [row["kind"] for row in rows] == ["prior", "single", "single", "product"]
    assert [Interval(row["low"], row["high"]) for row in rows[1:3]] == [post_test(before, ratio) for ratio in ratios]
    product = independent(before, ratios)
    assert (rows[3]["low"], rows[3]["high"]) == (product.low, product.high)
    assert rows[3]["label"] == "All, if they were independent" and "not a result" in rows[3]["note"]
    # The crowd that is drawn, and the sentence, go by the strongest alone.
    alone = crowd(strongest(before, ratios))
    assert out["crowds"][1]["said"] == f"{alone.surely} to {alone.surely + alone.perhaps} with a fracture"
    counted = crowd(product)
    assert (
        f"If they were independent it would be {counted.surely} to {counted.surely + counted.perhaps}" in out["caveats"]
    )
    assert "nobody knows" in out["caveats"]


@settings(max_examples=40)
@given(
    st.sampled_from(list(WHERE)),
    st.sets(st.sampled_from(FINDINGS)),
    st.sets(st.sampled_from(FLAGS)),
    st.integers(1, 50),
)
def test_no_probability_moves_an_action(setting, findings, flags, threshold):
    state = {"setting": setting, "findings": list(findings), "flags": list(flags), "threshold": threshold}
    told = urgent(flags)
    out = shown(state)
    assert [each["id"] for each in out["actions"]] == [danger.id for danger in told]
    assert out["actions"] == shown({"flags": list(flags)})["actions"]
    first = bool(told) and told[0].tier == "now"
    assert out["readout"]["verdict"].startswith("Act now: ") == first
    if first:
        assert told[0].name in out["readout"]["verdict"] and "does not wait" in out["readout"]["below"]
    elif told:
        assert told[0].name in out["readout"]["below"]


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_places_are_counted_out_row_by_row(start, end):
    start, end = sorted((start, end))
    path = places(start, end)
    assert area(path) == pytest.approx(end - start)
    if end > start:
        row, column = divmod(start, COLUMNS)
        assert path.startswith(f"M{CELL * column:g},{TALL * row:.1f}h")


def test_the_three_kinds_of_people_differ_in_shape_and_not_only_in_colour():
    drawn = crowd_svg(crowd(Interval(0.1, 0.3)), "x")
    looks = [path for path in ET.fromstring(drawn).iter(f"{SVG}path") if path.get("d") == module.PERSON]
    assert [look.get("fill") == "none" for look in looks] == [False, True, False]
    assert looks[0].get("fill") != looks[2].get("fill")


def test_numbers_are_rounded_as_a_student_reads_them():
    assert [percent(share) for share in (0.007, 0.0994, 0.0996, 0.693, 1)] == ["0.7", "9.9", "10", "69", "100"]
    assert spread(Interval(0.02, 0.02)) == "2.0 %" and spread(Interval(0.065, 0.11)) == "6.5 to 11 %"
    assert ratio_text(Interval(2.975, 25.74)) == "3 to 26" and ratio_text(Interval(1.6, 5.1)) == "1.6 to 5.1"


def test_what_a_finding_does_not_say_is_said():
    assert "ten years old" in shown({"findings": ["wall"]})["caveats"]
    assert "mislead" in shown({"findings": ["percussion"]})["caveats"]
    assert shown({"findings": ["percussion"], "setting": "suspected"})["caveats"] == ""


def test_the_widget_answers_and_survives_nonsense():
    view = red_flag_explorer()
    view.wanted = view.wanted | {"seq": 7, "flags": ["saddle"]}
    assert view.shown["seq"] == 7 and view.shown["readout"]["verdict"].startswith("Act now: Cauda equina")
    before = view.shown
    for bad, said in (
        ({"setting": "moon"}, "setting is 'moon'"),
        ({"findings": ["luck"]}, "findings is ['luck']"),
        ({"findings": "age"}, "findings is 'age'"),
        ({"flags": ["sneeze"]}, "flags is ['sneeze']"),
        ({"threshold": 0}, "threshold is 0; give a number from 1 to 50"),
        ({"threshold": True}, "threshold is True"),
        ({"threshold": "x"}, "threshold is 'x'"),
        ({"findings": [["age"]]}, "unhashable"),
    ):
        view.wanted = {"seq": 8, **bad}
        assert said in view.problem, view.problem
        assert view.shown == before | {"seq": 8} and "Cauda equina" in repr(view)
    view.wanted = {"seq": 9}
    assert view.problem == "" and view.shown["seq"] == 9
    with pytest.raises(ValueError, match="red_flag_explorer knows no 'age'"):
        red_flag_explorer(age=3)


def test_the_static_form_is_stable_and_complete():
    first, second = (red_flag_explorer(flags=["cancer", "deficit"], findings=["age", "steroid"]) for _ in range(2))
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert "Act now: Metastatic cord compression" in bundle["text/html"]
    assert "<ol><li><strong>Metastatic cord compression" in bundle["text/html"]
    drawing = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", bundle["text/html"])[1])
    words = [text.text for text in ET.fromstring(drawing).iter(f"{SVG}text")]
    assert "Corticosteroids" in words and "your threshold" in words and "All, if they were independent" in words
    assert len(bundle["text/html"]) < 30_000
    assert "<ol>" not in red_flag_explorer()._repr_mimebundle_()[0]["text/html"]


def test_what_is_shown_as_published_was_read():
    view = red_flag_explorer(findings=FINDINGS, flags=FLAGS)
    texts = [view.about["limits"], *(each["says"] for part in ("settings", "findings") for each in view.about[part])]
    texts += [each["refs"] for each in view.shown["actions"]] + [row["note"] for row in view.shown["rows"]]
    ids = {name for text in texts for name in cited(text)} - {"unreferenced"}
    assert {"williams2013", "langdon2010", "hawkins2023", "berbari2015"} <= ids
    assert all(references()[name].publishable for name in ids)
    assert all(cited(each["refs"]) for each in view.shown["actions"])
