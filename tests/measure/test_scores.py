import itertools
import json
from dataclasses import replace

import pytest

from validation import EXACT, validates
from vertebra.measure import scores as s
from vertebra.measure.scores import OF_MODIFIED, OF_ORIGINAL, OfFindings, OfPatient

CARDS = (OF_MODIFIED, OF_ORIGINAL, s.TL_AOSIS, s.TLICS, s.SINS)


# --- OF type


@pytest.mark.parametrize(
    ("findings", "of"),
    [
        (OfFindings(), 0),
        (OfFindings(mri_oedema=True), 1),
        (OfFindings(endplates=1), 2),
        (OfFindings(endplates=1, mri_oedema=True), 2),
        (OfFindings(endplates=1, posterior_wall=0.19), 2),
        (OfFindings(endplates=1, posterior_wall=0.2), 3),
        (OfFindings(endplates=1, posterior_wall=1 - 0.8), 3),
        (OfFindings(endplates=1, posterior_wall=0.21), 3),
        (OfFindings(endplates=2), 4),
        (OfFindings(endplates=2, posterior_wall=0.5), 4),
        (OfFindings(endplates=1, frame_loss=True), 4),
        (OfFindings(frame_loss=True, posterior_wall=0.3), 4),
        (OfFindings(tension_band=True), 5),
        (OfFindings(endplates=2, posterior_wall=1.0, frame_loss=True, tension_band=True), 5),
    ],
)
def test_of_type_on_both_sides_of_every_question(findings, of):
    assert s.of_type(findings) == of
    assert s.OF_TYPES[of]


def test_more_damage_never_lowers_the_of_type():
    grid = list(itertools.product((0, 1, 2), (0.0, 0.1, 0.2, 0.9), (False, True), (False, True), (False, True)))
    legal = [g for g in grid if g[1] == 0 or g[0] or g[3] or g[4]]
    types = {g: s.of_type(OfFindings(*g)) for g in legal}
    assert set(types.values()) == {0, 1, 2, 3, 4, 5}
    for a, b in itertools.product(legal, repeat=2):
        if all(x <= y for x, y in zip(a, b, strict=True)):
            assert types[a] <= types[b]


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ({"endplates": 3}, "endplates 3 is unknown; permitted: 0, 1, 2"),
        ({"endplates": 1, "posterior_wall": 1.2}, "share from 0 to 1"),
        ({"endplates": 1, "posterior_wall": float("nan")}, "share from 0 to 1"),
        ({"posterior_wall": 0.3}, "nothing is deformed; name the endplate"),
    ],
)
def test_bad_findings_are_named(findings, words):
    with pytest.raises(ValueError, match=words):
        OfFindings(**findings)


# --- OF score


def test_of_morphology_counts_double_and_unknown_counts_nothing():
    for card in (OF_MODIFIED, OF_ORIGINAL):
        assert [s.of_score(OfPatient(of=of), card).total for of in (1, 2, 3, 4, 5)] == [2, 4, 6, 8, 10]


# Each row changes one item of an OF 3 patient of whom nothing else is known: item, points modified, points original.
@pytest.mark.parametrize(
    ("known", "item", "modified", "original"),
    [
        ({"t_score": -3.0}, "bone density", 0, 0),
        ({"t_score": -3.1}, "bone density", 1, 1),
        ({"hounsfield": 90}, "bone density", 1, 0),
        ({"hounsfield": 91}, "bone density", 0, 0),
        ({"t_score": -2.0, "hounsfield": 80}, "bone density", 1, 0),
        ({"t_score": -3.5, "hounsfield": 120}, "bone density", 1, 1),
        ({"progression": True}, "progression", 1, 1),
        ({"progression": False}, "progression", -1, -1),
        ({"pain_vas": 3.9}, "pain", -1, -1),
        ({"pain_vas": 4}, "pain", -1, 1),
        ({"pain_vas": 4.9}, "pain", -1, 1),
        ({"pain_vas": 5}, "pain", 1, 1),
        ({"neurology": "N0"}, "neurology", 0, 0),
        ({"neurology": "N1"}, "neurology", 0, 0),
        ({"neurology": "N2"}, "neurology", 2, 2),
        ({"neurology": "N3"}, "neurology", 2, 2),
        ({"neurology": "N4"}, "neurology", 2, 2),
        ({"mobile": True}, "mobilisation", -1, -1),
        ({"mobile": False}, "mobilisation", 1, 1),
        ({"asa": 3}, "health status", 0, 0),
        ({"asa": 4}, "health status", -1, -1),
        ({"frailty": 2}, "health status", 0, 0),
        ({"frailty": 3}, "health status", -1, 0),
        ({"anticoagulation": True}, "health status", -1, -1),
        ({"anticoagulation": False}, "health status", 0, 0),
        ({"dementia": True}, "health status", 0, -1),
        ({"bmi": 19.9}, "health status", 0, -1),
        ({"bmi": 20}, "health status", 0, 0),
        ({"nursing_care": True}, "health status", 0, -1),
        ({"asa": 4, "frailty": 4}, "health status", -2, -1),
        ({"asa": 4, "frailty": 4, "anticoagulation": True}, "health status", -2, -2),
        ({"asa": 5, "dementia": True, "bmi": 17, "nursing_care": True}, "health status", -1, -2),
    ],
)
def test_each_of_item_on_both_sides_of_its_cut_off(known, item, modified, original):
    for card, points in ((OF_MODIFIED, modified), (OF_ORIGINAL, original)):
        score = s.of_score(OfPatient(of=3, **known), card)
        assert score.parts[item] == points
        assert score.total == 6 + points == sum(score.parts.values())


@validates(
    "measure.scores",
    "OF score, both cards",
    against="the points and bands on the cards",
    kind="published",
    tolerance=EXACT,
    source=("ofscore",),
)
@pytest.mark.parametrize("card", [OF_MODIFIED, OF_ORIGINAL])
@pytest.mark.parametrize(
    ("patient", "total", "band"),
    [
        (OfPatient(of=1, progression=False, pain_vas=2, mobile=True, asa=4, anticoagulation=True), -3, "conservative"),
        (OfPatient(of=3, mobile=True), 5, "conservative"),
        (OfPatient(of=3), 6, "either"),
        (OfPatient(of=3, mobile=False), 7, "surgery"),
        (OfPatient(of=5, t_score=-4, progression=True, pain_vas=9, neurology="N3", mobile=False), 16, "surgery"),
    ],
)
def test_of_bands_on_both_sides_of_six(card, patient, total, band):
    score = s.of_score(patient, card)
    assert (score.total, score.band) == (total, band)
    assert score.recommendation and "spine surgeon" in score.referral


def test_the_two_of_cards_can_disagree_on_one_patient():
    patient = OfPatient(of=3, t_score=-3.4, pain_vas=4, mobile=False, asa=4)
    assert s.of_score(patient, OF_MODIFIED).band == "either"
    assert s.of_score(patient, OF_ORIGINAL).band == "surgery"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"of": 0}, "of 0 is unknown; permitted: 1, 2, 3, 4, 5"),
        ({"neurology": "n2"}, "neurology 'n2' is unknown; permitted: N0, N1, N2, N3, N4, NX"),
        ({"pain_vas": 11}, "pain_vas is 11; give a number from 0 to 10, or None"),
        ({"pain_vas": "5"}, "pain_vas is 5; give a number"),
        ({"t_score": float("nan")}, "t_score is nan"),
        ({"asa": 6}, "asa is 6"),
        ({"frailty": -1}, "frailty is -1"),
        ({"bmi": float("inf")}, "bmi is inf"),
    ],
)
def test_bad_patients_are_named(values, words):
    with pytest.raises(ValueError, match=words):
        OfPatient(**{"of": 2, **values})


# --- TL-AOSIS


@pytest.mark.parametrize(
    ("code", "points"),
    [("A0", 0), ("A1", 1), ("A2", 2), ("A3", 3), ("A4", 5), ("B1", 5), ("B2", 6), ("B3", 7), ("C", 8)],
)
def test_tl_aosis_types(code, points):
    assert s.tl_aosis(code).total == points
    assert set(s.AO_TYPES) == set(s.TL_AOSIS.points["morphology"])


@pytest.mark.parametrize(("code", "points"), [("N0", 0), ("N1", 1), ("N2", 2), ("N3", 4), ("N4", 4), ("NX", 3)])
def test_tl_aosis_neurology(code, points):
    assert s.tl_aosis("A1", code).parts["neurology"] == points


@pytest.mark.parametrize(
    ("codes", "total", "band"),
    [
        (("A3", "N0", "none"), 3, "conservative"),
        (("A3", "N0", "M2"), 3, "conservative"),
        (("A3", "N0", "M1"), 4, "either"),
        (("A3", "N0", "M1+M2"), 4, "either"),
        (("A4", "N0", "none"), 5, "either"),
        (("A4", "N0", "M1"), 6, "surgery"),
        (("C", "N3", "none"), 12, "surgery"),
    ],
)
def test_tl_aosis_bands(codes, total, band):
    score = s.tl_aosis(*codes)
    assert (score.total, score.band) == (total, band)


def test_points_without_a_checked_source_say_so_in_the_result():
    assert s.tl_aosis("A3", "N2", "M1").unreferenced == ()
    assert s.tl_aosis("B2", "NX", "M1").unreferenced == ("morphology: B2", "neurology: NX")
    assert s.of_score(OfPatient(of=2), OF_MODIFIED).unreferenced == ()
    assert "pain: unknown" in s.of_score(OfPatient(of=2), OF_ORIGINAL).unreferenced


# --- TLICS


@validates(
    "measure.scores",
    "TLICS",
    against="the published points and bands",
    kind="published",
    tolerance=EXACT,
    source=("tlics2005",),
)
@pytest.mark.parametrize(
    ("codes", "total", "band"),
    [
        (("compression", "intact", "intact"), 1, "non-operative"),  # the isolated osteoporotic wedge
        (("burst", "intact", "complete cord"), 4, "either"),
        (("burst", "intact", "root"), 4, "either"),
        (("compression", "indeterminate", "intact"), 3, "non-operative"),
        (("burst", "indeterminate", "intact"), 4, "either"),
        (("burst", "injured", "intact"), 5, "operative"),
        (("burst", "intact", "incomplete cord"), 5, "operative"),
        (("burst", "intact", "cauda equina"), 5, "operative"),
        (("translation/rotation", "injured", "incomplete cord"), 9, "operative"),
        (("distraction", "injured", "cauda equina"), 10, "operative"),
    ],
)
def test_tlics(codes, total, band):
    score = s.tlics(*codes)
    assert (score.total, score.band) == (total, band)


# --- SINS


def test_sins_worked_example_at_t8():
    location = s.sins_location("T8")
    score = s.sins(location, "mechanical", "lytic", "normal", "none, body over 50 % involved", "unilateral")
    assert location == "semirigid"
    assert score.total == 8 and score.band == "potentially unstable"
    assert score.parts == {
        "location": 1,
        "pain": 3,
        "lesion": 2,
        "alignment": 0,
        "collapse": 1,
        "posterolateral": 1,
    }


@validates(
    "measure.scores",
    "SINS",
    against="the published points and bands",
    kind="published",
    tolerance=EXACT,
    source=("fisher2010",),
)
@pytest.mark.parametrize(
    ("codes", "total", "band"),
    [
        (("rigid", "none", "blastic", "normal", "none", "none"), 0, "stable"),
        (("semirigid", "mechanical", "lytic", "normal", "none", "none"), 6, "stable"),
        (("mobile", "mechanical", "lytic", "normal", "none", "none"), 7, "potentially unstable"),
        (("junctional", "mechanical", "lytic", "deformity", "under 50 %", "none"), 12, "potentially unstable"),
        (("junctional", "mechanical", "lytic", "deformity", "over 50 %", "none"), 13, "unstable"),
        (("junctional", "mechanical", "lytic", "subluxation", "over 50 %", "bilateral"), 18, "unstable"),
        (("junctional", "occasional", "mixed", "normal", "none", "unilateral"), 6, "stable"),
    ],
)
def test_sins_bands(codes, total, band):
    score = s.sins(*codes)
    assert (score.total, score.band) == (total, band)


@pytest.mark.parametrize(
    ("level", "region"),
    [
        ("C2", "junctional"),
        ("C3", "mobile"),
        ("C6", "mobile"),
        ("C7", "junctional"),
        ("T2", "junctional"),
        ("T3", "semirigid"),
        ("T10", "semirigid"),
        ("T11", "junctional"),
        ("L1", "junctional"),
        ("L2", "mobile"),
        ("L4", "mobile"),
        ("L5", "junctional"),
        ("S1", "junctional"),
        ("S2", "rigid"),
    ],
)
def test_sins_regions_at_their_borders(level, region):
    assert s.sins_location(level) == region


def test_each_level_belongs_to_one_sins_region():
    levels = [level for region in s.SINS_REGIONS.values() for level in region]
    assert len(levels) == len(set(levels)) == 1 + 7 + 12 + 5 + 5


# --- all cards


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: s.tl_aosis("A5"), "morphology 'A5' is unknown; permitted: A0, A1, A2, A3, A4, B1, B2, B3, C"),
        (lambda: s.tl_aosis("A1", "N5"), "neurology 'N5' is unknown; permitted: N0"),
        (lambda: s.tl_aosis("A1", "N0", "M3"), r"modifier 'M3' is unknown; permitted: none, M1, M2, M1\+M2"),
        (lambda: s.tlics("wedge"), "morphology 'wedge' is unknown; permitted: compression, burst"),
        (lambda: s.tlics("burst", plc=["intact"]), "posterior ligamentous complex .* is unknown; permitted: intact"),
        (lambda: s.sins("T8", "none", "lytic", "normal", "none", "none"), "location 'T8' is unknown; permitted"),
        (lambda: s.sins_location("D8"), "level 'D8' is unknown; permitted: C0, C1"),
    ],
)
def test_unknown_codes_list_the_permitted_ones(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_reachable_total_has_one_band_and_bands_rise(card):
    highest = sum(max(points.values()) for points in card.points.values())
    limits = [band.highest for band in card.bands]
    assert limits == sorted(set(limits)) and limits[-1] >= highest
    assert card.source and card.checked


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_what_is_called_unreferenced_exists_on_the_card_and_is_told_in_words(card):
    for item, codes in card.unreferenced.items():
        assert set(codes) <= set(card.points[item])
    assert not card.unreferenced or "unreferenced" in card.checked


def test_a_result_is_frozen_and_can_be_sent_to_a_browser():
    score = s.tlics("burst")
    with pytest.raises(AttributeError):
        score.total = 3
    assert json.loads(json.dumps(replace(score).parts)) == score.parts
