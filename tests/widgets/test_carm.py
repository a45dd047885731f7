"""The C-arm without a browser: both pictures are of one scene, and what is said of the needle is what was measured."""

import base64
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra.imaging.fluoroscopy import CArm
from vertebra.imaging.needle import breach
from vertebra.widgets import carm as module
from vertebra.widgets.carm import RANGES, carm, checked, letters, marks, pictures, readout, views

NEEDLE = ("lateral", "cranial", "convergence", "depth")


def state(**wanted):
    return checked({"sharp": False, **wanted})


@pytest.mark.parametrize(
    "corner", list(itertools.product(RANGES["orbital"], RANGES["tilt"], ("film", "fluoro"), (0, 1)))
)
def test_every_corner_of_the_controls_gives_two_pictures(corner):
    orbital, tilt, look, end = corner
    wanted = state(orbital=orbital, tilt=tilt, look=look, needle=True, gauge=("11G", "13G")[end])
    wanted |= {name: RANGES[name][end] for name in NEEDLE}
    both = pictures(wanted)
    assert both.shape == (2, 320, 320) and both.dtype == np.uint8
    assert (both.std(axis=(1, 2)) > 5).all()
    assert len(marks(wanted)) == 2
    assert readout(wanted)["rows"]


@given(st.integers(*RANGES["orbital"]), st.integers(*RANGES["tilt"]))
def test_the_second_view_is_perpendicular_to_the_first(orbital, tilt):
    first, second = views(state(orbital=orbital, tilt=tilt))
    assert first.axes[2] @ second.axes[2] == pytest.approx(0, abs=1e-12)


@settings(max_examples=20)
@given(
    st.integers(*RANGES["orbital"]), st.integers(*RANGES["tilt"]), st.tuples(*(st.integers(*RANGES[n]) for n in NEEDLE))
)
def test_the_tip_marked_in_both_pictures_is_one_point_of_the_scene(orbital, tilt, needle):
    """Where the rays through the two marks meet lies the tip."""
    wanted = state(orbital=orbital, tilt=tilt, needle=True, **dict(zip(NEEDLE, needle, strict=True)))
    rays, offsets = [], []
    for mark, view in zip(marks(wanted), views(wanted), strict=True):
        column, row = np.array(mark["tip"]) * view.pixels - view.pixels / 2
        across, down, beam = view.axes
        ray = view.source_detector * beam + view.pixel * (column * across + row * down)
        ray /= np.linalg.norm(ray)
        rays.append(np.eye(3) - np.outer(ray, ray))
        offsets.append(rays[-1] @ view.source)
    met = np.linalg.solve(sum(rays), sum(offsets))
    tip = module.spine().poses["L1"].apply(module._needle(wanted)[0].tip[None])[0]
    assert np.linalg.norm(met - tip) < 0.05  # the marks are rounded


def test_the_needle_is_drawn_up_to_its_tip_and_changes_nothing_else():
    plain, with_needle = pictures(state()), pictures(state(needle=True))
    lateral, tip = (with_needle[1] == 255) & (plain[1] < 255), np.array(marks(state(needle=True))[1]["tip"]) * 320
    columns = np.flatnonzero(lateral.any(axis=0))
    assert columns.min() == pytest.approx(tip[0], abs=4)  # the front is on the left: nothing beyond the tip
    assert columns.max() == 319  # it comes in from behind
    elsewhere = np.abs(with_needle[1].astype(int) - plain[1])[:, :120]
    assert np.median(elsewhere) <= 6  # brightness does not follow the metal


@pytest.mark.parametrize(
    ("orbital", "sides"), [(0, "R L"), (90, "A P"), (-90, "P A"), (45, "RA LP"), (-45, "RP LA"), (180, "L R")]
)
def test_the_letters_tell_the_sides(orbital, sides):
    view = CArm(orbital)
    assert letters(view) == tuple(sides.split())
    x, y = {"R": (1, 0), "A": (0, 1), "L": (-1, 0), "P": (0, -1)}[sides[0]]
    assert view.project([(20 * x, 20 * y, 0)])[0, 0] < 127.5


def test_a_needle_along_the_axis_of_the_pedicle_stays_in_the_bone():
    for side in ("left", "right"):
        said = readout(state(needle=True, side=side))
        assert said["verdict"] == "Inside the bone" and said["safe"]


def test_what_is_said_of_a_needle_is_what_was_measured():
    for wanted in (
        state(needle=True, lateral=-5),
        state(needle=True, lateral=5, side="right"),
        state(needle=True, depth=50),
    ):
        needle, found, _ = module._needle(wanted)
        again = breach(needle, module.spine().vertebrae["L1"], wanted["side"])
        assert again == found
        said = dict(readout(wanted)["rows"])
        for name, place in module.PLACES.items():
            millimetres = getattr(found, name)
            shown = said.get(place.removeprefix("the ").capitalize())
            assert shown == (f"{millimetres:.1f} mm" if millimetres > 0.05 else None)
        assert any(f"{getattr(found, name):.1f}" in readout(wanted)["verdict"] for name in module.PLACES)


def test_a_needle_too_far_medially_breaks_into_the_canal_and_the_rule_tells_it():
    said = readout(state(needle=True, lateral=-6))
    assert "Spinal canal" in dict(said["rows"]) and not said["safe"]
    # The wall gives way by more, but the canal is what is named.
    canal, wall = (
        float(dict(said["rows"])[place].split()[0]) for place in ("Spinal canal", "Medial wall of the pedicle")
    )
    assert canal < wall
    assert said["verdict"] == f"Breach of the spinal canal, {canal} mm"
    assert "canal" in said["order"]


@settings(max_examples=10)
@given(st.sampled_from(["left", "right"]), st.integers(-20, 20))
def test_looking_down_the_needle_shows_it_end_on(side, convergence):
    wanted = state(needle=True, side=side, convergence=convergence)
    orbital, tilt = readout(wanted)["down"]
    view = views(wanted | {"orbital": orbital, "tilt": tilt})[0]
    rod = module._rod(module._needle(wanted)[0])
    near, far = view.project([rod.end, rod.end + 0.4 * (rod.start - rod.end)])
    assert np.hypot(*(near - far)) < 6  # of 48 mm hardly a length is left: the cone's own divergence and rounding


def test_the_real_patient_is_shown_without_a_needle():
    wanted = state(source="patient", orbital=90, needle=True)
    mark = marks(wanted)[0]
    assert mark["tip"] is None and {"T11", "T12", "L1"} <= mark["levels"].keys()
    rows = list(mark["levels"].values())
    assert rows == sorted(rows)  # cranial to caudal, head up
    assert pictures(wanted).std() > 10
    assert readout(wanted)["verdict"] == ""


def test_the_computed_fracture_lowers_t12_and_nothing_below():
    plain, broken = module.patient("patient").levels, module.patient("collapsed").levels
    assert broken["T10"][2] < plain["T10"][2] - 2
    assert broken["L2"] == pytest.approx(plain["L2"], abs=0.05)


def test_the_widget_answers_and_survives_nonsense():
    view = carm(sharp=False)
    view.wanted = view.wanted | {"seq": 7, "orbital": 90}
    assert view.shown["seq"] == 7 and view.shown["marks"][0]["name"] == "lateral"
    assert len(base64.b64decode(view.shown["pixels"])) == 2 * 320 * 320
    before = view.shown["pixels"]
    refused = (({"orbital": 500}, "orbital is 500"), ({"tilt": "x"}, "tilt is 'x'"), ({"source": "me"}, "'me'"))
    for seq, (bad, said) in enumerate(refused, 8):
        view.wanted = {"seq": seq, **bad}
        assert said in view.problem
        # Answered, with the last picture: the browser must not wait for what will not come.
        assert view.shown["seq"] == seq and view.shown["pixels"] == before and "Chosen view: lateral" in repr(view)
    view.wanted = {"seq": 20}
    assert view.problem == "" and view.shown["seq"] == 20
    with pytest.raises(ValueError, match="carm knows no 'angle'"):
        carm(angle=3)


def test_the_static_form_is_stable_and_complete():
    first, second = carm(needle=True), carm(needle=True)
    assert repr(first) == repr(second) and "\n" not in repr(first) and "0x" not in repr(first)
    bundle, _ = first._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == second._repr_mimebundle_()[0]["text/html"]
    assert "Chosen view: AP" in bundle["text/html"] and "data:image/png;base64" in bundle["text/html"]
    assert "LIDC-IDRI-0001 (CC BY 3.0)" in module.LIMITS
