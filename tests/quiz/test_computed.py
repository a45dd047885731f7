"""Keys found anew: every number of the banks, the calculators against independent values, and spoilt keys."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from validation import EXACT, USUAL, validates
from vertebra.evidence import pooling, redflags, trials
from vertebra.measure import morphometry, scores
from vertebra.quiz import computed
from vertebra.quiz.computed import CALCULATORS, calculate, numerals, recompute
from vertebra.quiz.items import Computed, Item, load_bank

QUIZZES = Path(__file__).parents[2] / "quizzes"
BANKS = [load_bank(path) for folder in ("bank", "graded") for path in sorted((QUIZZES / folder).glob("*.yml"))]
ITEMS = {item.id: item for bank in BANKS for item in bank.items}
NUMERIC = sorted(name for name, item in ITEMS.items() if item.format == "numeric")
COMPUTED = sorted(name for name, item in ITEMS.items() if item.computed)


def with_facts(item: Item, **facts: object) -> Item:
    """Return an item whose calculation has other facts."""
    assert item.computed
    return replace(item, computed=Computed(item.computed.by, {**item.computed.facts, **facts}))


# --- The banks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPUTED)
def test_a_key_is_what_its_calculation_gives(name):
    assert recompute(ITEMS[name]) == ""


def test_every_number_that_a_question_asks_for_is_computed():
    assert [name for name in NUMERIC if ITEMS[name].computed is None] == []
    assert len(NUMERIC) >= 38
    assert len(COMPUTED) >= len(NUMERIC) + 10  # scores, grades and risks in other formats


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.parametrize("share", [1.01, 1.5, 4.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_key_shifted_beyond_its_tolerance_is_found(name, share, sign):
    item = ITEMS[name]
    assert item.answer
    shift = item.answer.absolute_tolerance() or 0.5
    wrong = replace(item.answer, value=item.answer.value + sign * share * shift)
    assert recompute(replace(item, answer=wrong)) != ""


@pytest.mark.parametrize("name", NUMERIC)
def test_a_key_one_digit_off_is_found_even_within_its_tolerance(name):
    item = ITEMS[name]
    assert item.answer
    decimals = len(repr(item.answer.value).partition(".")[2]) if isinstance(item.answer.value, float) else 0
    wrong = replace(item.answer, value=round(item.answer.value + 10.0**-decimals, decimals))
    assert recompute(replace(item, answer=wrong)) != ""


@pytest.mark.parametrize("name", NUMERIC)
def test_a_tolerance_that_refuses_the_exact_result_is_found(name):
    item = ITEMS[name]
    assert item.answer and item.computed
    found = calculate(item.computed.by, item.computed.facts)
    assert isinstance(found, int | float)
    off = abs(found - item.answer.value)
    if off > 1e-6:
        tight = replace(item.answer, tolerance=0.9 * off, relative=False)
        assert "the key is" in recompute(replace(item, answer=tight))
    else:
        assert recompute(replace(item, answer=replace(item.answer, tolerance=0.0))) == ""


def changed(facts, plus):
    """Yield the facts with one number changed, for each number in them."""
    for key, value in facts.items() if isinstance(facts, dict) else enumerate(facts):
        if isinstance(value, dict | list):
            inner = changed(value, plus)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            inner = [value + plus]
        else:
            continue
        for each in inner:
            copy = dict(facts) if isinstance(facts, dict) else list(facts)
            copy[key] = each
            yield copy


@pytest.mark.parametrize("name", COMPUTED)
def test_a_fact_that_the_question_does_not_state_is_found(name):
    item = ITEMS[name]
    assert item.computed
    for facts in changed(dict(item.computed.facts), 0.137):
        # Refused by the card, not stated by the question, or another result: one sentence in each case.
        assert recompute(replace(item, computed=Computed(item.computed.by, facts))) != ""


# --- What is compared -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in COMPUTED if ITEMS[name].format == "single_best_answer"])
def test_another_key_of_a_single_best_answer_is_found(name):
    item = ITEMS[name]
    for wrong in (option for option in item.options if not option.key):
        options = tuple(replace(option, key=option.id == wrong.id) for option in item.options)
        assert f"the key is {wrong.id}" in recompute(replace(item, options=options))


def test_a_right_option_too_many_or_too_few_is_found():
    item = ITEMS["ft-g06"]
    for flipped in item.options:
        options = tuple(replace(o, key=o.key != (o.id == flipped.id)) for o in item.options)
        assert recompute(replace(item, options=options)) != ""


def test_steps_in_another_order_are_found():
    item = ITEMS["ft-g10"]
    facts = item.computed.facts["injuries"]
    assert recompute(with_facts(item, injuries=[facts[1], facts[0], *facts[2:]])) != ""
    assert "5 results" not in recompute(item)
    assert recompute(with_facts(item, injuries=facts[:4])) == "the calculation gives 4 results for 5 steps"


def test_an_unknown_calculator_or_argument_is_told_with_the_nearest_name():
    item = ITEMS["ft-p12"]
    spoilt = replace(item, computed=Computed("heigth_loss", item.computed.facts))
    assert recompute(spoilt) == "there is no calculator heigth_loss; did you mean height_loss?"
    assert "takes no heigt; did you mean height?" in recompute(with_facts(item, heigt=1))
    missing = replace(item, computed=Computed("height_loss", {"height": 15.4}))
    assert recompute(missing) == "the calculator height_loss needs expected; add it to `with`"
    assert "permitted: intact, indeterminate, injured" in recompute(with_facts(ITEMS["ft-p14"], plc="torn"))
    assert "cannot use these facts" in recompute(with_facts(ITEMS["su-p09"], pian_vas=8))
    assert recompute(with_facts(item, expected=0)).endswith("division by zero")


def test_counts_that_are_not_the_trial_s_are_found():
    item = ITEMS["vk-p07"]
    swapped = recompute(with_facts(item, events=[57, 50]))
    assert "not the counts of fracture-12-dohm2014" in swapped
    assert "did you mean fracture-12-dohm2014?" in recompute(with_facts(item, table="fracture-12-dohm"))


def test_a_number_read_off_the_picture_must_stand_in_its_lettering():
    item = ITEMS["rp-p18"]
    assert recompute(item) == ""
    assert "which its picture does not state" in recompute(with_facts(item, smaller={"pictured": 357}))
    bare = replace(item, image=None)
    assert "which its picture does not state" in recompute(bare)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,000 women, 2,700 N", [1000, 2700]),
        ("L1 and T12 are no numbers, OF 4 is", [4]),
        ("-3.6, −0.30 to 1.70 and 7–10", [-3.6, -0.3, 1.7, 7, 10]),
        ("157 of 214, 42/48", [157, 214, 42, 48]),
        ("12.5 mm, 0.85", [12.5, 0.85]),
        ("Three of four", [3, 4]),
        ("1,5 is no thousand", [1]),
    ],
)
def test_numbers_are_read_as_a_reader_would(text, found):
    assert [value for value, _ in numerals(text)] == found


# --- The calculators --------------------------------------------------------------------------------------------------


def test_every_calculator_says_what_it_returns():
    for name, calculator in CALCULATORS.items():
        assert calculator.__doc__ and calculator.__doc__.startswith(("Return", "Say")), name
        assert name == calculator.__name__


def test_losses_by_hand_and_by_the_measuring_room():
    assert computed.height_loss(15.4, 22.0) == pytest.approx(30)
    heights = morphometry.Heights(15.4, 18.0, 22.0)
    assert computed.height_loss(15.4, 22.0) == pytest.approx(100 * morphometry.wedge_loss(heights))
    assert computed.loss_against_neighbours(17.0, 24.0, 26.0) == pytest.approx(32)
    assert computed.genant_of_heights(19.6, 13.4, 20.0, 19.8, 20.6) == "biconcave, grade 2"
    assert computed.genant_of_heights(12.0, 14.0, 16.0, 24.0, 24.0) == "crush, grade 3"  # half lost, not a quarter
    assert computed.genant_of_each([19.9, 20, 25, 40, 41]) == (
        "grade 0",
        "grade 1",
        "grade 2",
        "grade 2",
        "grade 3",
    )
    assert computed.genant_of_height(16.2, 25.5) == "grade 2"
    assert computed.genant_within(34, 12.4) == ("grade 1", "grade 2", "grade 3")
    assert computed.genant_within(30, 1) == ("grade 2",)
    assert computed.change_or_scatter(22, 35, 12.4) == "beyond the scatter"
    assert computed.wedge_angle(10, 20, 10) == pytest.approx(45)


@validates(
    "quiz.computed",
    "Keys of questions on scores",
    against="sums read off the printed cards",
    kind="computation",
    tolerance=EXACT,
)
def test_cards_by_hand():
    # Sums read off the printed cards (`checked` of each card in measure.scores), not from the code that adds them.
    assert computed.tlics("burst", "indeterminate", "root") == 2 + 2 + 2
    assert computed.tlics("distraction", "injured", "cauda equina") == 4 + 3 + 3
    assert computed.tl_aosis("A3", "N2", "M1") == 3 + 2 + 1
    assert computed.sins("T9", "mechanical", "lytic", "normal", "under 50 %", "unilateral") == 1 + 3 + 2 + 0 + 2 + 1
    assert computed.sins_band("L1", "mechanical", "lytic", "deformity", "under 50 %", "unilateral") == "unstable"
    assert computed.of_score(of=3, t_score=-3.4, progression=True, pain_vas=6, mobile=True, anticoagulation=True) == 7
    assert computed.of_score_band(of=3, pain_vas=4, mobile=True) == "conservative"
    assert computed.of_class("one", "third") == "OF 3"
    assert computed.of_class("one", "none") == "OF 2"
    assert computed.of_classes([{"endplates": "none", "mri_oedema": True}, {"endplates": "both"}]) == (
        "OF 1",
        "OF 4",
    )
    assert computed.tlics_of_each([{"morphology": "burst", "plc": "intact", "neurology": "intact"}]) == (2,)
    assert [computed.ao_type(*each) for each in (("one", False), ("one", True), ("both", True))] == [
        "A1",
        "A3",
        "A4",
    ]
    assert computed.ao_type("both", False) == "A2"
    assert computed.ao_types([{"endplates": "none", "posterior_wall": False, "tension_band": "front"}]) == ("B3",)
    assert computed.ao_type("both", True, "ligaments") == "B2"
    assert computed.ao_type("both", True, "bone", True) == "C"
    assert set(computed.SHARES) and all(0 <= share <= 1 for share in computed.SHARES.values())
    assert scores.OF_TYPES.keys() == {0, 1, 2, 3, 4, 5}


@validates(
    "quiz.computed",
    "Keys of questions on probability",
    against="people that are counted",
    kind="analytic",
    tolerance=USUAL,
)
def test_probabilities_by_counting_people():
    # 8 % of 1,000,000 are ill; a ratio of 5 is 50 % of the ill against 10 % of the others.
    assert computed.post_test(8, 5) == pytest.approx(100 * 40_000 / (40_000 + 92_000))
    assert computed.post_test_of_sign(20, 80, 94) == pytest.approx(100 * 16 / (16 + 4.8))
    assert computed.post_test_of_negative(20, 80, 94) == pytest.approx(100 * 4 / (4 + 75.2))
    counts = (42, 48, 3, 30)
    interval = redflags.ratio_of_counts(*counts)
    assert computed.likelihood_ratio(*counts) == pytest.approx(math.sqrt(interval.low * interval.high))
    assert computed.people_of_setting("primary") == "7 to 45"


@pytest.mark.parametrize("name", sorted(trials.event_tables()))
def test_risks_are_those_of_the_pooling_room(name):
    table = trials.event_tables()[name]
    events, of = zip(*((arm.events, arm.of) for arm in table.arms), strict=True)
    expected = pooling.risks(events, of)
    assert computed.risk_ratio(events, of, name) == pytest.approx(expected.ratio.value)
    assert computed.difference_in_100(events, of, name) == pytest.approx(expected.difference.value)
    assert computed.number_needed(events, of, name) == pytest.approx(expected.number_needed)
    assert computed.both_arms(name) == pytest.approx([100 * e / n for e, n in zip(events, of, strict=True)])


def test_weights_are_those_of_the_pooling_room():
    low, high = [-0.30, -0.33, 0.2], [1.70, 1.15, 2.2]
    made = pooling.pool([pooling.Estimate((a + b) / 2, a, b) for a, b in zip(low, high, strict=True)])
    for number, weight in enumerate(made.fixed_weights, 1):
        assert computed.inverse_variance_weight(low, high, number) == pytest.approx(100 * weight)
    values = [0.7, 0.41, 1.2]
    assert computed.weighted_mean(values, [35, 65, 10]) == pytest.approx(np.average(values, weights=[35, 65, 10]))


def test_arithmetic_by_hand():
    assert computed.share(49, 74) == pytest.approx(66.2162, abs=1e-4)
    assert computed.in_1000([26, 4], 3175) == pytest.approx((8.189, 1.2598), abs=1e-3)
    assert computed.difference(460, 356) == 104
    assert computed.difference_in_1000(0.9, 0.11) == pytest.approx(7.9)
    assert computed.number_needed_of_percent(15.0, 8.0) == pytest.approx(100 / 7)
    assert computed.share_lost_again(10, 20, 14) == pytest.approx(60)
    assert computed.surplus_share(2.0, 2.5) == pytest.approx(20)
    assert computed.percent_of(16.2, 24) == pytest.approx(3.888)
    assert computed.factor_of_risk(2700, 1800) == pytest.approx(1.5)
    # MPa as printed: standing 0.5, prone 0.1, flexed 1.1, lifting with bent knees 1.7 and with a round back 2.3.
    postures = ("lying", "bending", "lifting with bent knees", "lifting with a round back")
    assert computed.disc_pressures(postures) == pytest.approx([each / 0.5 for each in (0.1, 1.1, 1.7, 2.3)])
    assert computed.t_score(0.6, 0.85, 0.12) == pytest.approx(-25 / 12)
    assert computed.power_law(8, 16, 1.56) == pytest.approx(100 / 2**1.56)
    assert computed.room_beside(5.6, 3.05) == pytest.approx(1.275)
    assert computed.pressure_ratio(2.4, 1.8) == pytest.approx((4 / 3) ** 4)
    # A bore as a stack of thin discs, and a pascal by its definition: 1 psi is 4.4482 N on a square inch.
    assert computed.bore_volume(125, 2.4) == pytest.approx(sum([math.pi * 1.2**2 * 0.5] * 250) / 1000)
    assert computed.in_kilopascal(150, 4.4482216 / 0.0254**2 / 1000) == pytest.approx(1034.2, abs=0.05)
    assert computed.fallen(103.4, 9.4, 4) == pytest.approx(65.8)
    assert computed.key_feature_share(4, 3, 1) == pytest.approx(50)
    assert computed.key_feature_share(4, 4, 0) == pytest.approx(100)
    assert computed.key_feature_share(2, 0, 2) == 0
