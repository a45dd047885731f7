"""Signal equations against closed forms, and the order of grey values that each pattern must show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation import USUAL, validates
from vertebra.imaging import ct, mri

POSITIVE = st.floats(50, 4000)


@validates("imaging.mri", "Signal of a spin echo", against="Bloch's exponentials", kind="analytic", tolerance=USUAL)
def test_a_spin_echo_recovers_as_one_exponential() -> None:
    tissue = mri.Tissue(0.8, 1000.0, 100.0)
    # TR = T1 ln 2 gives back one half; TE = T2 ln 4 leaves one quarter.
    sequence = mri.Sequence(1000 * np.log(2), 100 * np.log(4))
    assert sequence.magnetisation(tissue) == pytest.approx(0.8 / 2 / 4)


def test_inversion_recovery_starts_inverted_and_ends_upright() -> None:
    tissue = mri.Tissue(1.0, 100.0, 1e9)
    assert mri.Sequence(1e6, 1, 1e-6).magnetisation(tissue) == pytest.approx(-1, abs=1e-6)
    assert mri.Sequence(1e6, 1, 1e5).magnetisation(tissue) == pytest.approx(1)


@validates(
    "imaging.mri",
    "Inversion time that nulls a tissue",
    against="the root, found by bisection",
    kind="computation",
    tolerance="1e-6 of the value",
)
@given(t1=POSITIVE, tr=POSITIVE)
def test_recovery_passes_zero_at_the_null_time_by_bisection(t1: float, tr: float) -> None:
    low, high = 0.0, tr
    for _ in range(80):
        middle = (low + high) / 2
        if 1 - 2 * np.exp(-middle / t1) + np.exp(-tr / t1) < 0:
            low = middle
        else:
            high = middle
    assert mri.null_time(t1, tr) == pytest.approx(low, rel=1e-6)


def test_with_endless_repetition_the_null_lies_at_t1_ln_2() -> None:
    assert mri.null_time(260, 1e6) == pytest.approx(260 * np.log(2))


def test_stir_nulls_fat_and_no_other_soft_tissue() -> None:
    stir = mri.sequences()["STIR"]
    silent = {"cortical bone", "flowing blood", "air"}
    brightest = max(abs(stir.magnetisation(tissue)) for tissue in mri.tissues().values())
    for name, tissue in mri.tissues().items():
        if name == "fat":
            assert stir.magnetisation(tissue) == pytest.approx(0, abs=1e-12)
        elif name not in silent:
            assert abs(stir.magnetisation(tissue)) > 0.1 * brightest, name


@given(fat=st.floats(0, 1))
def test_more_fat_is_brighter_on_t1_and_darker_on_stir(fat: float) -> None:
    lean, rich = ({"fat": share, "oedema": 1 - share} for share in (fat / 2, fat))
    t1, stir = (mri.sequences()[name] for name in ("T1", "STIR"))
    assert mri.signal(rich, t1) >= mri.signal(lean, t1)
    assert mri.signal(rich, stir) <= mri.signal(lean, stir)


def test_a_mixture_adds_with_signs() -> None:
    # At half way of its inversion time one tissue is up and the other down, in equal parts they cancel.
    sequence = mri.Sequence(4000, 20, 400)
    up, down = (sequence.magnetisation(mri.tissues()[name]) for name in ("fat", "cerebrospinal fluid"))
    assert up > 0 > down
    share = -down / (up - down)
    assert mri.signal({"fat": share, "cerebrospinal fluid": 1 - share}, sequence) == pytest.approx(0, abs=1e-12)


@pytest.fixture(scope="module")
def sections() -> dict[str, mri.Section]:
    return {pattern: mri.section(pattern) for pattern in ("acute", "old", "malignant", "infective")}


def at(section: mri.Section, sequence: str, level: str, down: float, forward: float = 0.5) -> float:
    """Return the signal at a share of a body's height and depth, a mean over 2 mm."""
    six = section.landmarks[level]
    rim = [six[0 + n] * forward + six[2 + n] * (1 - forward) for n in (0, 3)]
    column, row = section.pixels(rim[0] * (1 - down) + rim[1] * down)[0].round().astype(int)
    seen = mri.signal(section.shares, mri.sequences()[sequence])
    return float(seen[row - 2 : row + 3, column - 2 : column + 3].mean())


def test_the_tissues_of_a_pixel_add_up_to_one(sections: dict[str, mri.Section]) -> None:
    for made in sections.values():
        assert np.allclose(sum(made.shares.values()), 1, atol=1e-6)
        assert min(share.min() for share in made.shares.values()) > -1e-6


def test_an_acute_fracture_is_darker_on_t1_and_brighter_on_stir_than_a_healed_one(
    sections: dict[str, mri.Section],
) -> None:
    acute, old = sections["acute"], sections["old"]
    assert at(acute, "T1", "L1", 0.42) < 0.75 * at(old, "T1", "L1", 0.42)
    assert at(acute, "STIR", "L1", 0.42) > 2 * at(old, "STIR", "L1", 0.42)


def test_a_healed_fracture_has_its_neighbours_grey(sections: dict[str, mri.Section]) -> None:
    for sequence in ("T1", "STIR"):
        assert at(sections["old"], sequence, "L1", 0.6) == pytest.approx(
            at(sections["old"], sequence, "L2", 0.6), rel=0.2
        )


def test_benign_oedema_spares_the_lower_marrow_and_tumour_does_not(sections: dict[str, mri.Section]) -> None:
    normal = at(sections["old"], "T1", "L1", 0.85)
    assert at(sections["acute"], "T1", "L1", 0.85) == pytest.approx(normal, rel=0.05)
    assert at(sections["malignant"], "T1", "L1", 0.85) < 0.65 * normal


def test_a_tumour_bows_into_the_canal(sections: dict[str, mri.Section]) -> None:
    assert at(sections["malignant"], "T1", "L1", 0.5, forward=-0.1) > 1.5 * at(
        sections["old"], "T1", "L1", 0.5, forward=-0.2
    )
    behind = {name: at(sections[name], "STIR", "L1", 0.5, forward=-0.12) for name in ("malignant", "acute")}
    assert behind["malignant"] != pytest.approx(behind["acute"], rel=0.1)


def test_a_tumour_is_seldom_alone(sections: dict[str, mri.Section]) -> None:
    made = sections["malignant"]
    t11 = slice(*(int(made.pixels(made.landmarks["T11"][n])[:, 1].mean()) for n in (slice(0, 3), slice(3, 6))))
    assert made.shares["tumour"][t11].max() > 0.8
    assert sections["acute"].shares["tumour"].max() == 0


def test_an_infection_lights_up_both_bodies_towards_their_disc_and_not_away_from_it(
    sections: dict[str, mri.Section],
) -> None:
    infected = sections["infective"]
    near = at(infected, "STIR", "T12", 0.8), at(infected, "STIR", "L1", 0.2)
    far = at(infected, "STIR", "T12", 0.15), at(infected, "STIR", "L1", 0.85)
    assert min(near) > 2 * max(far)


def test_an_acute_fracture_has_its_fluid_sign(sections: dict[str, mri.Section]) -> None:
    acute = sections["acute"]
    slit = acute.shares["fluid"] > 0.6
    assert 10 < slit.sum() * mri.PITCH**2 < 60  # square millimetres
    rows = np.nonzero(slit)[0]
    top, foot = (acute.pixels(acute.landmarks["L1"][n])[:, 1].mean() for n in (slice(0, 3), slice(3, 6)))
    assert top - 1 < rows.min() and rows.mean() < 0.7 * top + 0.3 * foot
    assert mri.signal(acute.shares, mri.sequences()["STIR"])[slit].mean() > 1.2 * at(acute, "STIR", "L1", 0.42)


@validates("imaging.mri", "Noise of an MRI", against="Rayleigh's law", kind="analytic", tolerance="0.03")
def test_noise_is_that_of_a_magnitude_picture() -> None:
    empty = mri.Section("", "", {"air": np.ones((200, 200))}, {}, 0, 0)
    # Rayleigh: above the window's black lies exp(-(black / sd)^2 / 2), a quarter of it; of a normal noise a twentieth.
    share = (mri.picture(empty, "STIR") > 0).mean()
    assert share == pytest.approx(np.exp(-((mri.WINDOWS["STIR"][0] / mri.NOISE) ** 2) / 2), abs=0.03)


def test_a_picture_is_the_same_each_time_and_differs_between_sequences(sections: dict[str, mri.Section]) -> None:
    one, two = (mri.picture(sections["old"], "STIR", seed=4) for _ in range(2))
    assert one.dtype == np.uint8 and (one == two).all()
    assert (one != mri.picture(sections["old"], "T1", seed=4)).any()


@validates(
    "imaging.mri",
    "Chance of malignancy after a sign",
    against="patients that are counted",
    kind="analytic",
    tolerance=USUAL,
)
@given(prior=st.floats(0.001, 0.999))
def test_bayes_rule_agrees_with_counting_patients(prior: float) -> None:
    sign = mri.SIGNS["pedicle"]
    ill, well = prior * 1e6, (1 - prior) * 1e6
    hits, false = ill * sign.sensitivity, well * (1 - sign.specificity)
    assert sign.probability(prior) == pytest.approx(hits / (hits + false))
    missed = ill - hits
    assert sign.probability(prior, present=False) == pytest.approx(missed / (missed + well - false))


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="pattern 'sore'"):
        mri.section("sore")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"give one of {ct.LEVELS[1]}"):
        mri.section("normal", ct.LEVELS[0])
    for offset in (float("nan"), 500.0):
        with pytest.raises(ValueError, match=f"offset is {offset}"):
            mri.section("normal", offset=offset)
    with pytest.raises(TypeError):
        mri.tissues()["fat"] = mri.Tissue(0, 1, 1)  # type: ignore[index]
    with pytest.raises(ValueError, match="tissue 'gold'"):
        mri.signal({"gold": 1.0}, mri.sequences()["T1"])
    with pytest.raises(ValueError, match="TE is 900"):
        mri.Sequence(600, 900)
    with pytest.raises(ValueError, match="TI is 4600"):
        mri.Sequence(4500, 50, 4600)
    with pytest.raises(ValueError, match="T1 is 0"):
        mri.null_time(0, 500)
    with pytest.raises(ValueError, match="prior is 20"):
        mri.SIGNS["pedicle"].probability(20)
    with pytest.raises(ValueError, match="can't occur"):
        mri.SIGNS["epidural mass"].probability(0.0)
    with pytest.raises(ValueError, match="sequence 'T2'"):
        mri.picture(mri.Section("", "", {}, {}, 0, 0), "T2")  # type: ignore[arg-type]
