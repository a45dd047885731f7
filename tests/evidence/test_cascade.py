"""The cascade against what is known exactly, against its own sources, and against the trials it was not fitted to."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import beta, poisson

from validation import validates
from vertebra.evidence import cascade
from vertebra.evidence.cascade import (
    AGES,
    GRADES,
    MONTHS,
    NUMBERS,
    Person,
    Plan,
    chance,
    cohort,
    denosumab_stopped,
    effect,
    fading,
    foretold,
    hazard,
    mix,
    parameter,
    rates,
    ratio,
)
from vertebra.evidence.recovery import drugs
from vertebra.evidence.references import references
from vertebra.quiz.items import find_bank, load_bank
from vertebra.simulators import page

people = st.builds(Person, st.sampled_from([*NUMBERS[1:], *GRADES]), st.sampled_from(AGES))
given_drugs = st.sampled_from([name for name in drugs() if name != "none"])


def generator(person, factor=1.0):
    """Return the rates between (further fractures, recent or settled), a row a state; three or more absorbs."""
    fade = cascade.Fading() if person.age == "any" else fading()
    made = np.zeros((8, 8))
    for k, (at, multiple) in itertools.product(range(4), enumerate((fade.recent, fade.settled))):
        here = 2 * k + at
        if at == 0:
            made[here, here + 1] = fade.rate
        if k < 3:
            made[here, 2 * (k + 1)] = rates()[person.after(k)] * multiple * factor
        made[here, here] = -made[here].sum()
    return made


def start(person):
    share = {"any": 0.0, "old": fading().share(10), "new": 1.0}[person.age]
    return np.array([share, 1 - share, 0, 0, 0, 0, 0, 0])


# --- what was fitted ---


@validates(
    "evidence.cascade",
    "Six rates (fitted to this)",
    against="shares with a new fracture on placebo",
    kind="published",
    tolerance="0.06 percentage points",
    source=("gallagher2005",),
)
@pytest.mark.parametrize(
    ("who", "share", "in_a_year"),
    [("1", 7, 4.1), ("2", 16, 9.5), ("3", 23, 13.9), ("mild", 10, 5.8), ("moderate", 13, 7.6), ("severe", 28, 17.1)],
)
def test_the_rates_give_the_trial_back_and_the_published_share_of_a_year(who, share, in_a_year):
    assert 100 * chance(rates()[who], 21 / 12) == pytest.approx(share)
    assert 100 * chance(rates()[who]) == pytest.approx(in_a_year, abs=0.06)


def test_without_an_old_fracture_the_rate_is_that_of_the_other_trial():
    assert (1 - rates()["0"] / 12) ** 48 == pytest.approx(1 - 78 / 2218, abs=1e-4)


def test_the_mix_gives_the_whole_placebo_arm_back():
    assert sum(mix().values()) == pytest.approx(1)
    assert sum(mix()[who] * parameter(f"broken with {who}") for who in mix()) == pytest.approx(14)


def test_the_fading_runs_through_both_published_risks():
    assert fading().multiple(1) / fading().multiple(10) == pytest.approx(2.7 / 1.4)
    assert fading().multiple(10) == pytest.approx(1)
    # Without any fracture the risk is the population's, to which both were compared.
    assert 1.4 * fading().multiple(1000) == pytest.approx(1)


def test_hazard_and_chance_undo_each_other():
    assert chance(hazard(0.3, 4), 4) == pytest.approx(0.3)


# --- the chain ---


@validates(
    "evidence.cascade",
    "A thousand women over five years",
    against="the matrix exponential",
    kind="analytic",
    tolerance="4e-3",
)
@pytest.mark.parametrize("person", [Person(who, age) for who in (*NUMBERS[1:], *GRADES) for age in AGES])
def test_the_chain_of_steps_follows_the_matrix_exponential(person):
    for years in (1, 3, 5):
        exact = (start(person) @ expm(years * generator(person))).reshape(4, 2).sum(axis=1)
        assert cohort(person).course[12 * years] == pytest.approx(exact, abs=4e-3)
    # Who has broken none at all is exact in any step as long as nothing fades.
    if person.age == "any":
        assert cohort(person).course[60, 0] == pytest.approx(exact[0], abs=1e-12)


@validates(
    "evidence.cascade", "Numbers of fractures at one rate", against="Poisson's law", kind="analytic", tolerance="4e-3"
)
def test_at_one_rate_fractures_come_as_poisson_says():
    course = cohort(Person("severe")).course[60]
    expected = 5 * rates()["severe"]
    assert course[:3] == pytest.approx(poisson.pmf([0, 1, 2], expected), abs=3e-3)
    assert course[3] == pytest.approx(poisson.sf(2, expected), abs=4e-3)


def test_the_first_further_fracture_of_two_rates_is_known_in_closed_form():
    one, two = rates()["1"], rates()["2"]
    exactly_one = one / (two - one) * (math.exp(-5 * one) - math.exp(-5 * two))
    assert cohort(Person("1")).course[60, 1] == pytest.approx(exactly_one, abs=1.5e-3)


def test_a_course_in_two_parts_follows_two_matrix_exponentials():
    person = Person("3", "new")
    first, second = ratio("teriparatide").middle, ratio("alendronate").middle
    exact = start(person) @ expm(2 * generator(person, first)) @ expm(3 * generator(person, second))
    assert cohort(person, Plan("teriparatide")).course[60] == pytest.approx(exact.reshape(4, 2).sum(axis=1), abs=3e-3)


@settings(max_examples=25)
@given(people, given_drugs, st.sampled_from([0, 0.5, 2]), st.sampled_from([3, math.inf]), st.floats(0, 1))
def test_nobody_is_lost_nobody_heals_and_no_drug_harms(person, drug, begins, ends, taken):
    treated, untreated = cohort(person, Plan(drug, begins, ends, taken)), cohort(person)
    assert treated.shares.min() >= 0
    assert treated.shares.sum(axis=2) == pytest.approx(1)
    at_least = np.cumsum(treated.course[:, ::-1], axis=1)[:, ::-1]
    assert (np.diff(at_least, axis=0) >= -1e-12).all()
    assert (treated.course[:, 0] >= untreated.course[:, 0] - 1e-12).all()
    spared = treated.fewer_than(untreated)
    assert spared.low - 1e-12 <= spared.middle <= spared.high + 1e-12 or taken == 0
    assert treated.broken().low < treated.broken().middle < treated.broken().high


@pytest.mark.parametrize("age", AGES)
def test_more_old_fractures_and_worse_ones_break_more(age):
    for kinds in (NUMBERS[1:], GRADES):
        shares = [cohort(Person(who, age)).broken().middle for who in kinds]
        assert shares == sorted(shares) and len(set(shares)) == len(shares)
    assert cohort(Person("0")).broken().middle < cohort(Person("1")).broken().middle


@pytest.mark.parametrize("who", [*NUMBERS[1:], *GRADES])
def test_a_fracture_of_today_is_worse_than_an_old_one_and_most_so_at_first(who):
    new, old = (cohort(Person(who, age)) for age in ("new", "old"))
    assert new.broken(12).middle / old.broken(12).middle > new.broken().middle / old.broken().middle > 1


def test_a_drug_that_comes_later_or_is_taken_by_fewer_does_less():
    person = Person("2", "new")
    shares = [cohort(person, Plan("zoledronate", begins)).broken().middle for begins in (0, 0.5, 1, 2)]
    assert shares == sorted(shares) and len(set(shares)) == 4
    all_, none, half = (cohort(person, Plan("zoledronate", taken=share)).course for share in (1, 0, 0.5))
    assert half == pytest.approx((all_ + none) / 2)


def test_the_effect_lies_where_the_plan_says():
    made = effect(Plan("teriparatide", 1, 4))[0]
    assert made[:12] == pytest.approx(np.ones(12))
    assert made[12:36] == pytest.approx(0.35) and made[36:48] == pytest.approx(0.53)
    assert made[48:] == pytest.approx(np.ones(12))
    # Romosozumab was measured against alendronate: both ratios, and alendronate's alone after it.
    made = effect(Plan("romosozumab"))[0]
    assert made[:24] == pytest.approx(0.52 * 0.53) and made[24:] == pytest.approx(0.53)


def test_after_denosumab_the_hazard_is_back_and_after_others_it_is_taken_as_back():
    assert effect(Plan("denosumab", 0, 3))[0, 36:] == pytest.approx(7.1 / 8.5)
    assert effect(Plan("zoledronate", 0, 3))[0, 36:] == pytest.approx(1)
    assert (effect(Plan("denosumab", 0, math.inf))[0] == pytest.approx(0.32)) and MONTHS == 60


# --- how sure it is ---


def test_the_draws_have_the_spread_of_their_sources():
    made = cascade.drawn().rates["3"]
    broken = 448 * mix()["3"] * 0.23
    exact = beta(broken + 0.5, 448 * mix()["3"] - broken + 0.5)
    share = -np.expm1(-made[1:] * 21 / 12)
    assert made[0] == rates()["3"]
    assert np.quantile(share, [0.1, 0.5, 0.9]) == pytest.approx(exact.ppf([0.1, 0.5, 0.9]), abs=0.01)
    for name in ("alendronate", "zoledronate", "denosumab", "teriparatide", "romosozumab"):
        known = ratio(name)
        drawn = known.drawn(np.array([0.0, -1.959964, 1.959964]))
        assert drawn[0] == known.middle
        # Published intervals are rounded, and so not exactly symmetrical on the scale of logarithms.
        assert drawn[1:] == pytest.approx([known.low, known.high], rel=0.03)


def test_a_published_ratio_fits_its_counts_and_is_no_surer_than_they_are():
    few, women, many, others = 127, 2046, 243, 2047
    middle = (few / women) / (many / others)
    width = 1.959964 * math.sqrt(1 / few - 1 / women + 1 / many - 1 / others)
    known = ratio("romosozumab")
    assert known.middle == pytest.approx(middle, abs=0.005)
    for published, counted in ((known.low, middle * math.exp(-width)), (known.high, middle * math.exp(width))):
        assert 0 <= abs(math.log(published / known.middle)) - abs(math.log(counted / middle)) < 0.1


# --- what it was held against ---


def test_every_row_of_the_page_is_computed_anew():
    rows = {row.id: row for row in page("cascade").rows}
    computed = foretold() | {"chain": 1000 * cohort(Person("1")).course[60, 2:].sum()}
    assert set(rows) == set(computed)
    for name, row in rows.items():
        assert row.computed == pytest.approx(computed[name], rel=0.006), name
    assert float(rows["chain"].published) == pytest.approx(
        1000 * (start(Person("1")) @ expm(5 * generator(Person("1"))))[4:].sum(), abs=0.005
    )


def test_the_constant_hazard_misses_what_follows_a_new_fracture_and_the_page_says_so():
    rows = {row.id: row.agrees for row in page("cascade").rows}
    assert not rows["after_incident"] and rows["after_incident_fading"] and rows["all_comers"]
    assert not rows["decline"]


def test_the_foretold_first_year_is_the_mean_over_who_is_in_it():
    """By hand, with the closed form in place of the chain; and with the first fractures of the same trials."""
    women = {"0": 0.42} | {who: 0.58 * share for who, share in mix().items()}
    year = {who: chance(rates()[who]) for who in NUMBERS}
    assert foretold()["all_comers"] == pytest.approx(100 * sum(women[who] * year[who] for who in women))
    other = year | {"0": chance(hazard(0.094, 3))}
    assert round(100 * sum(women[who] * other[who] for who in women), 1) == 6.2
    assert "6.2 %" in next(row.note for row in page("cascade").rows if row.id == "all_comers")


def test_what_the_questions_ask_for_is_computed_anew():
    bank = load_bank(find_bank("recovery_and_prevention"), frozenset(references()))
    late, soon = (cohort(Person("2", "new"), Plan("alendronate", begins)).broken().middle for begins in (2, 0))
    expected = [103.4 - 4 * 9.4, round(1000 * late) - round(1000 * soon), 100 / (15.0 - 8.0)]
    asked = [item.answer.value for item in bank.items if item.format == "numeric"]
    assert asked == pytest.approx(expected, abs=0.05)


def test_denosumab_stopped_is_arithmetic_on_what_was_read():
    found = denosumab_stopped()
    assert (found.on, found.after, found.after_placebo) == pytest.approx((12, 71, 85))
    assert (found.several_after, found.several_after_placebo) == pytest.approx((43.1, 32.9), abs=0.05)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Person("4"), "who is '4'"),
        (lambda: Person("1", "recent"), "age is 'recent'"),
        (lambda: Person("0", "new"), "none can be new"),
        (lambda: Plan("calcitonin"), "drug is 'calcitonin'"),
        (lambda: Plan("alendronate", 3, 2), "stop it later"),
        (lambda: Plan("alendronate", taken=1.2), "from 0 to 1"),
    ],
)
def test_what_cannot_be_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()
