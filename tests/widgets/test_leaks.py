"""The leak viewer without a browser: every corner answers, pictures show what the model computed, words say it."""

import base64
import io
import itertools

import numpy as np
import pytest
from PIL import Image

from vertebra.evidence.emergencies import routes
from vertebra.evidence.references import cited, references
from vertebra.imaging.leaks import COUNTED, PLANES, ROUTES, Leak, deposit, nerve_gap, sight
from vertebra.widgets import leaks as module
from vertebra.widgets.leaks import (
    COLOURS,
    ENDS,
    PIXELS,
    RANGES,
    SECTION,
    START,
    checked,
    cut,
    describe,
    leak_of,
    leak_routes,
    section,
    shown,
    x_ray,
)


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


@pytest.mark.parametrize(("route", "end", "look"), list(itertools.product(ROUTES, (0, 1), ("drawing", "CT"))))
def test_every_corner_of_the_controls_is_shown(route, end, look):
    wanted = {name: RANGES[name][end] for name in RANGES}
    out = shown({"seq": 4, "route": route, "look": look, "level": ("T7", "L4")[end], **wanted})
    assert out["seq"] == 4
    assert {name: pixels(uri).shape[:2] for name, uri in out["pictures"].items()} == dict.fromkeys(
        ("axial", "sagittal", *PLANES), (PIXELS, PIXELS)
    )
    assert all(pixels(uri).std() > 5 for uri in out["pictures"].values())
    for x, y, radius in out["rings"].values():
        assert 0 < x < 1 and 0 < y < 1 and 0 < radius < 0.5
    assert out["told"].startswith(f"{wanted['volume']:g} mL at {('T7', 'L4')[end]}")


@pytest.mark.parametrize("route", ROUTES)
def test_a_section_shows_as_much_of_the_leak_as_lies_in_its_plane(route):
    """Orange pixels against the voxels of the model in that plane, independently counted."""
    state = checked({"route": route, "volume": 1.0})
    around, share = deposit(leak_of(state))
    z, x = cut("L1", route, 0.0)
    index = np.round((np.array([x, 0, z]) - around.origin) / around.spacing).astype(int)
    for plane, layer in (("axial", share[:, :, index[2]]), ("sagittal", share[index[0]])):
        far = np.abs(section(state, plane).astype(int) - np.array(COLOURS["leak"])).max(axis=2)
        drawn = (far < 60).sum() * (SECTION / PIXELS) ** 2
        assert drawn == pytest.approx((layer > 0.5).sum() * around.spacing**2, rel=0.3, abs=8)
    hidden = section({**state, "leak": False}, "axial")
    assert (np.abs(hidden.astype(int) - np.array(COLOURS["leak"])).max(axis=2) < 40).sum() == 0


def test_the_film_is_brighter_where_the_leak_is_and_the_ring_is_round_it():
    for route, plane in (("C-canal", "lateral"), ("S", "AP")):
        state = checked({"route": route, "volume": 0.6})
        with_leak, (x, y, radius) = x_ray(state, plane)
        without, _ = x_ray({**state, "leak": False}, plane)
        brighter = np.argwhere(with_leak.astype(int) - without > 60)
        assert len(brighter) > 30
        places = (brighter[:, ::-1] + 0.5) / PIXELS - [x, y]
        assert np.hypot(*places.T).max() < radius
        assert np.abs(with_leak.astype(int) - without).mean() < 10  # elsewhere the same film


def test_on_ct_cement_is_the_brightest_thing():
    picture = section(checked({"route": "C-paravertebral", "look": "CT", "volume": 1.0}), "axial")
    without = section(checked({"route": "C-paravertebral", "look": "CT", "volume": 1.0, "leak": False}), "axial")
    changed = np.argwhere((picture.astype(int) - without)[..., 0] > 80)
    assert len(changed) > 60 and (picture[tuple(changed.T)] > 200).mean() > 0.7
    assert (picture[..., 0] == picture[..., 1]).all()


@pytest.mark.parametrize("route", COUNTED)
def test_what_is_said_is_what_the_model_sees(route):
    for volume in (0.1, 1.0):
        state = checked({"route": route, "volume": volume, "turn": 4})
        seen, out = sight(leak_of(state), 4.0), shown(state)
        for plane in PLANES:
            yes, words = out["sight"][plane]
            assert yes == (plane in seen.planes)
            assert words.startswith("seen: ") == yes
            if yes:
                assert f"{100 * seen.share[plane]:.0f} %" in words
        assert out["sight"]["CT"][0] == seen.on_ct
        assert ("no film" in out["told"]) == (not seen.on_film)
        assert out["said"]["What to do"] == routes()[route].do
        assert out["refs"] == list(routes()[route].refs)


def test_a_turned_patient_changes_the_film_and_its_caption():
    straight, turned = shown({"turn": 0}), shown({"turn": 10})
    assert straight["pictures"]["lateral"] != turned["pictures"]["lateral"]
    assert straight["pictures"]["axial"] == turned["pictures"]["axial"]
    assert turned["where"]["lateral"] == "off its plane by 10°"


def test_every_claim_of_the_widget_has_a_source_that_was_opened():
    about = leak_routes().about
    for ids in ["; ".join(routes()[name].refs) for name in ROUTES] + [row[3] for row in about["rates"]]:
        for name in ids.split("; "):
            assert name == "unreferenced" or references()[name].publishable
    assert cited(about["limits"]) == ["unreferenced", "yeom2003"]
    assert set(ENDS) == set(ROUTES) == set(about["routes"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"volume": 30}, "volume is 30"),
        ({"turn": True}, "turn is True"),
        ({"route": "D"}, "route is 'D'"),
        ({"look": "MRI"}, "look is 'MRI'"),
        ({"level": "L5"}, "level is 'L5'"),
    ],
)
def test_what_is_wrong_is_said_and_the_last_answer_stays(wrong, words):
    widget = leak_routes()
    before = widget.shown
    widget.wanted = {**START, "seq": 1, **wrong}
    assert widget.problem.startswith("The viewer could not use that: ") and words in widget.problem
    assert widget.shown == before | {"seq": 1}
    widget.wanted = {**START, "seq": 2, "volume": 1.0}
    assert widget.problem == "" and widget.shown["seq"] == 2


def test_an_unknown_start_is_named():
    with pytest.raises(ValueError, match="leak_routes knows no 'side'"):
        leak_routes(side="left")


def test_a_page_without_a_kernel_has_pictures_and_words():
    widget = leak_routes(route="S")
    bundle, _ = widget._repr_mimebundle_()
    assert repr(widget) == f"Leak routes: {describe(checked({'route': 'S'}))}"
    assert "0x" not in repr(widget)
    assert pixels(bundle["text/html"].split('src="')[1].split('"')[0]).shape == (PIXELS, 4 * PIXELS + 18, 3)
    assert "segmental vein" in bundle["text/html"] and "[yeom2003" in bundle["text/html"]


def test_the_cord_is_drawn_down_to_the_disc_below_l1():
    above, beside, below = (module._layers(level, "axial", 0.0)["cord"].sum() for level in ("T8", "L1", "L2"))
    assert above > beside > 0 == below
    sagittal = module._layers("L1", "sagittal", 0.0)["cord"]
    rows = np.nonzero(sagittal.sum(axis=1))[0]
    height = SECTION * (0.5 - (rows.max() + 0.5) / PIXELS)  # of the cord's tip over the middle of L1
    assert -22 < height < -12  # at the disc L1-L2 [saifuddin1998]


def test_what_the_pictures_of_the_questions_show_is_what_their_keys_say():
    """Truth of sc-p02, p03, p04, p07 and p08 from the model, with the states that tools/figures_safety.py draws."""
    around, share = deposit(Leak("L1", "B", 0.9))
    assert (around.canal[share > 0] < 0).all() and (around.body[share > 0] > 0).all()  # behind the wall, in the canal
    assert "lateral" in sight(Leak("T12", "C-disc", 0.7)).planes  # film A
    assert "lateral" in sight(Leak("T12", "C-canal", 0.6)).planes  # film C
    assert sight(Leak("L2", "S", 0.4)).planes == ("AP",)
    assert "lateral" in sight(Leak("L1", "C-canal", 0.6)).planes
    around, share = deposit(Leak("L3", "foramen", 0.6))
    middle = (around.points * share[..., None]).sum(axis=(0, 1, 2)) / share.sum()
    pedicle = around.vertebra.pedicle("right")
    assert middle[0] > 0 and middle[2] < pedicle.centre[2]  # on the right, under the pedicle of L3: its own root
    assert nerve_gap(Leak("L3", "foramen", 0.6)) == 0
