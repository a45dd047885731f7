"""The fracture cascade: 1,000 women with vertebral fractures, and how many break another within five years.

A pure birth chain in steps of half a month. A woman has broken k further vertebrae since the start (0, 1, 2, three or
more), and the hazard of the next one depends on how many are broken by now: each fracture raises the rate of the next.
The hazards were fitted to the placebo arm of one trial [gallagher2005]; drugs multiply them by the relative risks of
their own trials. Nobody dies, and one vertebra breaks at a time.

Data: `assets/materials/cascade.csv`; what may be given: `assets/evidence/recovery.yml`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vertebra import assets
from vertebra.evidence.recovery import drugs

FloatArray = NDArray[np.float64]

NUMBERS = ("0", "1", "2", "3")  # old vertebral fractures; the last means three or more
GRADES = ("mild", "moderate", "severe")  # the worst old fracture
AGES = ("any", "old", "new")  # of the last fracture: not counted (the model as fitted), ten years, today
MOST = 3  # further fractures are counted up to three or more
MONTHS = 60
STEPS = 2  # of a month, each of which breaks at most one vertebra
DRAWS = 300
LEVEL = 0.95  # of every interval
SEED = 20


@cache
def parameter(name: str) -> float:
    """Return one number of `assets/materials/cascade.csv`."""
    return assets.parameters("materials/cascade.csv")[name].value


def hazard(share: float, years: float) -> float:
    """Return the constant hazard (1/year) that breaks a share of people within some years."""
    return -math.log1p(-share) / years


def chance(rate: float, years: float = 1.0) -> float:
    """Return the share of people who break at least once within some years at a constant hazard (1/year)."""
    return -math.expm1(-rate * years)


# --- what was fitted -------------------------------------------------------------------------------------------------


@cache
def rates() -> Mapping[str, float]:
    """Return the hazard of a new vertebral fracture (1/year) by number of old ones, or by the worst one's grade.

    Without an old fracture it is that of another trial [fit2_1998]: the first one had no such women.
    """
    years = parameter("observation") / 12
    first = hazard(parameter("first broken") / parameter("first women"), parameter("first observation") / 12)
    fitted = {who: hazard(parameter(f"broken with {who}") / 100, years) for who in (*NUMBERS[1:], *GRADES)}
    return MappingProxyType({"0": first} | fitted)


@cache
def mix() -> Mapping[str, float]:
    """Return the shares with one, two, and three or more old fractures among women who have any.

    From the placebo arm as a whole [neer2001] and its parts [gallagher2005]; that two, and three or more, are equally
    frequent is assumed.
    """
    one, two, three = (parameter(f"broken with {who}") for who in NUMBERS[1:])
    each = (parameter("broken in the trial") - one) / (two + three - 2 * one)
    return MappingProxyType({"1": 1 - 2 * each, "2": each, "3": each})


@dataclass(frozen=True)
class Fading:
    """How the hazard fades after a fracture: a recent one multiplies it by `recent`, a settled one by `settled`.

    Recent women settle at `rate` (1/year), and a new fracture makes them recent again, so that the mean multiple falls
    exponentially.
    """

    recent: float = 1.0
    settled: float = 1.0
    rate: float = 0.0

    def share(self, years: float) -> float:
        """Return the share that is still recent so many years after a fracture."""
        return math.exp(-self.rate * years)

    def multiple(self, years: float) -> float:
        """Return the mean multiple so many years after a fracture."""
        return self.settled + (self.recent - self.settled) * self.share(years)


@cache
def fading() -> Fading:
    """Return the fading through the two relative risks of [johansson2017], as a multiple of that after ten years.

    That the fitted hazards belong to fractures of ten years ago is assumed, and that what fades for any major fracture
    fades for vertebrae.
    """
    early, late = parameter("imminent year"), parameter("late year")
    first, last = parameter("imminent ratio"), parameter("late ratio")
    rate = math.log((first - 1) / (last - 1)) / (late - early)
    return Fading((1 + (first - 1) * math.exp(rate * early)) / last, 1 / last, rate)


# --- a person and what she is given ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Who she is: the number of old vertebral fractures or the worst one's grade, and how old the last one is."""

    who: str
    age: str = "any"

    def __post_init__(self) -> None:
        """Refuse what the model does not know."""
        if self.who not in rates():
            raise ValueError(f"who is {self.who!r}; it is one of {', '.join(rates())}")
        if self.age not in AGES:
            raise ValueError(f"age is {self.age!r}; it is one of {', '.join(AGES)}")
        if self.who == "0" and self.age == "new":
            raise ValueError("without an old fracture none can be new; choose any")

    def after(self, further: int) -> str:
        """Return which hazard she has after so many further fractures. A grade stays: how it moves is not published."""
        return self.who if self.who in GRADES else NUMBERS[min(int(self.who) + further, MOST)]


@dataclass(frozen=True)
class Plan:
    """A drug from `start` to `stop` (years), taken by a share of women; who does not take it is untreated."""

    drug: str = "none"
    start: float = 0.0
    stop: float = math.inf
    taken: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be given."""
        if self.drug not in drugs():
            raise ValueError(f"drug is {self.drug!r}; it is one of {', '.join(drugs())}")
        if not 0 <= self.start < self.stop:
            raise ValueError(f"the drug would stop at {self.stop:g} years and start at {self.start:g}; stop it later")
        if not 0 <= self.taken <= 1:
            raise ValueError(f"taken is {self.taken:g}; give a share from 0 to 1")


@dataclass(frozen=True)
class Ratio:
    """A relative risk with its 95 % interval. It is used as a ratio of hazards, which is a little unkind to a drug."""

    middle: float
    low: float
    high: float

    def drawn(self, normal: FloatArray) -> FloatArray:
        """Return the ratio for standard normal draws: log-normal, as such intervals are made."""
        spread = math.log(self.high / self.low) / (2 * NormalDist().inv_cdf((1 + LEVEL) / 2))
        drawn: FloatArray = self.middle * np.exp(spread * normal)
        return drawn


@cache
def ratio(name: str) -> Ratio:
    """Return the relative risk of a drug by its name in `cascade.csv`."""
    return Ratio(parameter(name), parameter(f"{name} low"), parameter(f"{name} high"))


def off_drug(drug: str) -> float:
    """Return the ratio of hazards once a drug is stopped.

    After denosumab that of women who stopped it to women who stopped placebo [cummings2018]; else 1 (assumed: what a
    bisphosphonate leaves in bone is not counted).
    """
    return parameter("after denosumab") / parameter("after placebo") if drug == "denosumab" else 1.0


# --- the chain -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameters:
    """Hazards by name (1/year) and standard normals by drug, one for each draw; the first draw is the best estimate."""

    rates: Mapping[str, FloatArray]
    normals: Mapping[str, FloatArray]


@cache
def drawn() -> Parameters:
    """Return the best estimate and then `DRAWS` draws, always the same ones, so that two plans differ by the plans.

    Shares that broke are drawn from the beta distribution of their counts (Jeffreys), relative risks log-normally.
    """
    random = np.random.default_rng(SEED)
    women, years = parameter("women on placebo"), parameter("observation") / 12
    hazards = {}
    for who, best in rates().items():
        if who == "0":
            broken, of = parameter("first broken"), parameter("first women")
            observed = parameter("first observation") / 12
        else:
            of = women * mix().get(who, 1 / len(GRADES))
            broken, observed = of * parameter(f"broken with {who}") / 100, years
        shares = random.beta(broken + 0.5, of - broken + 0.5, DRAWS)
        hazards[who] = np.concatenate([[best], -np.log1p(-shares) / observed])
    named = {name for drug in drugs().values() for course in drug.courses for name in course.ratios}
    normals = {name: np.concatenate([[0.0], random.standard_normal(DRAWS)]) for name in sorted(named)}
    return Parameters(hazards, normals)


def effect(plan: Plan) -> FloatArray:
    """Return the ratio of hazards of who takes the drug, by draw and month."""
    made = np.ones((DRAWS + 1, MONTHS))
    since = (np.arange(MONTHS) + 0.5) / 12 - plan.start
    begun = 0.0
    for course in drugs()[plan.drug].courses:
        on = (since >= begun) & (since < begun + course.years) & (since < plan.stop - plan.start)
        for name in course.ratios:
            made[:, on] *= ratio(name).drawn(drawn().normals[name])[:, None]
        begun += course.years
    made[:, since >= plan.stop - plan.start] = off_drug(plan.drug)
    return made


def _chain(person: Person, ratios: FloatArray) -> FloatArray:
    """Return the share of women by draw, month (0 to 60) and number of further fractures (0 to three or more)."""
    fade = Fading() if person.age == "any" else fading()
    recent = fade.share({"any": 0, "old": parameter("late year"), "new": 0}[person.age])
    multiples = np.tile([fade.recent, fade.settled], (MOST + 1, 1))
    if person.who == "0":
        multiples[0] = 1.0  # nothing to fade
    multiples[MOST] = 0.0  # counted no further
    hazards = np.stack([drawn().rates[person.after(k)] for k in range(MOST + 1)], axis=1)[:, :, None] * multiples
    stay = math.exp(-fade.rate / (12 * STEPS))
    now = np.zeros(hazards.shape)
    now[:, 0] = recent, 1 - recent
    course = np.empty((len(now), MONTHS + 1, MOST + 1))
    course[:, 0] = now.sum(axis=2)
    for month in range(MONTHS):
        breaks = -np.expm1(-hazards * ratios[:, month, None, None] / (12 * STEPS))
        for _ in range(STEPS):
            broken = now * breaks
            now = now - broken
            now[..., 1] += (1 - stay) * now[..., 0]
            now[..., 0] *= stay
            now[:, 1:, 0] += broken[:, :-1].sum(axis=2)
        course[:, month + 1] = now.sum(axis=2)
    return course


@dataclass(frozen=True)
class Interval:
    """A best estimate and its 95 % interval: of the numbers the model stands on, not of luck and not of the model."""

    middle: float
    low: float
    high: float


def _interval(values: FloatArray) -> Interval:
    """Return the best estimate, which comes first, and the interval of the draws after it."""
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(values[0]), float(low), float(high))


@dataclass(frozen=True)
class Outcome:
    """What becomes of a cohort: shares by draw (the best estimate first), month and number of further fractures."""

    shares: FloatArray

    @property
    def course(self) -> FloatArray:
        """Return the best estimate: shares by month (0 to 60) and number of further fractures."""
        best: FloatArray = self.shares[0]
        return best

    def broken(self, month: int = MONTHS) -> Interval:
        """Return the share that has broken at least one further vertebra by a month."""
        return _interval(1 - self.shares[:, month, 0])

    def fewer_than(self, other: "Outcome", month: int = MONTHS) -> Interval:
        """Return how much smaller that share is than another cohort's."""
        return _interval(self.shares[:, month, 0] - other.shares[:, month, 0])


@lru_cache(maxsize=256)
def cohort(person: Person, plan: Plan = Plan()) -> Outcome:
    """Return what becomes of many such women on a plan, month by month over five years."""
    untreated = _chain(person, np.ones((DRAWS + 1, MONTHS)))
    if plan.drug == "none" or plan.taken == 0:
        return Outcome(untreated)
    return Outcome(plan.taken * _chain(person, effect(plan)) + (1 - plan.taken) * untreated)


# --- what it was held against ----------------------------------------------------------------------------------------


def _within(years: float, age: str = "any") -> dict[str, float]:
    """Return the share that breaks within some years by number of old fractures, for each number there is."""
    month = round(12 * years)
    return {who: cohort(Person(who, age if who != "0" else "any")).broken(month).middle for who in NUMBERS}


def foretold() -> dict[str, float]:
    """Return what the model says of women it was not fitted to: the rows of `assets/simulators/cascade.yml`.

    The four trials of [lindsay2001] are taken as women of whom 58 % have an old fracture [harrington2004], in the
    shares of `mix`.
    """
    year, three, five = _within(1), _within(3), _within(5)
    share = parameter("share with an old fracture") / 100
    women = {"0": 1 - share} | {who: share * part for who, part in mix().items()}

    def of_any(by_number: Mapping[str, float]) -> float:
        return sum(mix()[who] * by_number[who] for who in mix())

    # Who broke within the first year, by how many are broken then.
    first = {who: women[who] * year[who] for who in women}
    then = {who: sum(first[x] for x in first if Person(x).after(1) == who) for who in NUMBERS}

    def next_year(by_number: Mapping[str, float]) -> float:
        return sum(then[who] * by_number[who] for who in then) / sum(then.values())

    return {
        "after_incident": 100 * next_year(year),
        "all_comers": 100 * sum(women[who] * year[who] for who in women),
        "old_or_none": of_any(year) / year["0"],
        "after_incident_fading": 100 * next_year(_within(1, "new")),
        "decline": Fading().multiple(10) / Fading().multiple(1),
        "growth": of_any(five) / of_any(year),
        "fit_placebo": 100 * of_any(three),
        "freedom_placebo": 50 * (three["2"] + three["3"]),
    }


# --- denosumab, stopped ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stopped:
    """Of 1,000 women in one year: how many break a vertebra on the drug, after it, after placebo; how many several."""

    on: float
    after: float
    after_placebo: float
    several_after: float
    several_after_placebo: float


def denosumab_stopped() -> Stopped:
    """Return what one year without denosumab and without a successor costs 1,000 women like those of its trials.

    Events per 100 woman-years are read as women per 100, which overstates a little [cummings2018].
    """
    after, placebo = 10 * parameter("after denosumab"), 10 * parameter("after placebo")
    return Stopped(
        on=10 * parameter("on denosumab"),
        after=after,
        after_placebo=placebo,
        several_after=after * parameter("several after denosumab") / 100,
        several_after_placebo=placebo * parameter("several after placebo") / 100,
    )
