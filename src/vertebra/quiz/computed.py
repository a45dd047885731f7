"""Keys found anew: the calculators that `computed: {by, with}` of a question names, and the comparison with its key.

A calculator takes the facts in the units in which the question states them (percent, mm, points) and returns what the
key has to say: a number, words, or several of them for several right options, prompts or steps. Where the course has
the calculation already (heights, scores, Bayes' rule) that one is called; the rest is a line of arithmetic.

The numbers among the facts must stand in the question, so that the calculation is of this question and no other. A
number that is read off the picture is written {pictured: 14.7} and must stand in the picture's own lettering. Words and
true/false are how the author read the question in the terms of a card ("plc: intact"); no program checks that reading.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from vertebra import assets
from vertebra.measure import morphometry, scores
from vertebra.quiz import schema, scoring
from vertebra.quiz.items import Item

Result = float | str | tuple[float | str, ...]
Counts = Sequence[int]  # of the first arm and of the second

SHARES = MappingProxyType({"none": 0.0, "fifth": 1 / 5, "quarter": 1 / 4, "third": 1 / 3, "half": 1 / 2})
ENDPLATES = MappingProxyType({"none": 0, "one": 1, "both": 2})
SPELLED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _in_words(name: str, said: str, known: Mapping[str, float]) -> float:
    if said not in known:
        raise ValueError(f"{name} {said!r} is unknown; permitted: {', '.join(known)}")
    return known[said]


# --- Heights and grades -----------------------------------------------------------------------------------------------


def height_loss(height: float, expected: float) -> float:
    """Return the loss of a height against the one expected there (own back wall or neighbours), percent; both in mm."""
    return 100 * (1 - height / expected)


def loss_against_neighbours(height: float, above: float, below: float) -> float:
    """Return the loss of a height against the mean of its neighbours', percent; all in mm."""
    mean = morphometry.reference_heights(
        morphometry.Heights(above, above, above), morphometry.Heights(below, below, below)
    )
    return height_loss(height, mean.posterior)


def genant(percent: float) -> str:
    """Return the Genant grade of a height loss in percent, such as "grade 2"."""
    return f"grade {morphometry.genant_grade(percent / 100)}"


def genant_of_height(height: float, expected: float) -> str:
    """Return the Genant grade of one height against the one expected there, such as "grade 2"; both in mm."""
    return genant(height_loss(height, expected))


def genant_of_each(percents: Sequence[float]) -> tuple[str, ...]:
    """Return the Genant grade of each height loss in percent."""
    return tuple(map(genant, percents))


def genant_of_heights(anterior: float, middle: float, posterior: float, above: float, below: float) -> str:
    """Return shape and Genant grade, such as "wedge, grade 2"; heights and the neighbours' posterior ones in mm."""
    back = (above + below) / 2
    found = morphometry.height_loss(
        morphometry.Heights(anterior, middle, posterior), morphometry.Heights(back, back, back)
    )
    return f"{found.shape}, grade {found.grade}"


def genant_within(percent: float, limits: float) -> tuple[str, ...]:
    """Return every Genant grade that a second reading can give within limits of agreement; percentage points."""
    low, high = (morphometry.genant_grade((percent + side) / 100) for side in (-limits, limits))
    return tuple(f"grade {grade}" for grade in range(low, high + 1))


def change_or_scatter(first: float, second: float, limits: float) -> str:
    """Say whether two readings differ by more than the limits of agreement; all in one unit."""
    return "within the scatter" if abs(second - first) <= limits else "beyond the scatter"


def wedge_angle(anterior: float, posterior: float, depth: float) -> float:
    """Return the wedge angle of a body, degrees; all in mm."""
    return morphometry.wedge_angle(anterior, posterior, depth)


# --- Classifications and scores ---------------------------------------------------------------------------------------


def of_class(
    endplates: str,
    posterior_wall: str = "none",
    mri_oedema: bool = False,
    frame_loss: bool = False,
    tension_band: bool = False,
) -> str:
    """Return the OF type, such as "OF 3"; endplates and the share of the posterior wall in words (`SHARES`)."""
    deformed, wall = _in_words("endplates", endplates, ENDPLATES), _in_words("posterior_wall", posterior_wall, SHARES)
    return f"OF {scores.of_type(scores.OfFindings(int(deformed), wall, mri_oedema, frame_loss, tension_band))}"


def of_classes(findings: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the OF type of each patient; the findings are the arguments of `of_class`."""
    return tuple(of_class(**each) for each in findings)


def of_score(**patient: Any) -> float:
    """Return the total of the modified OF score; the items are those of `scores.OfPatient`."""
    return scores.of_score(scores.OfPatient(**patient)).total


def of_score_band(**patient: Any) -> str:
    """Return what the modified OF score leans to: conservative, either or surgery."""
    return scores.of_score(scores.OfPatient(**patient)).band


def tlics(morphology: Any, plc: Any, neurology: Any) -> float:
    """Return the TLICS total (`scores.tlics`)."""
    return scores.tlics(morphology, plc, neurology).total


def tlics_of_each(injuries: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """Return the TLICS total of each injury; the findings are the arguments of `tlics`."""
    return tuple(tlics(**each) for each in injuries)


def tl_aosis(morphology: Any, neurology: Any = "N0", modifier: Any = "none") -> float:
    """Return the TL-AOSIS total (`scores.tl_aosis`)."""
    return scores.tl_aosis(morphology, neurology, modifier).total


def ao_type(endplates: str, posterior_wall: bool, tension_band: str = "intact", displaced: bool = False) -> str:
    """Return the AO Spine thoracolumbar type in the order in which it is asked: C, then B, then A (vaccaro2013).

    endplates: which are broken (`ENDPLATES`); posterior_wall: whether it is; tension_band: intact, bone, ligaments or
    front. Both endplates broken with a whole posterior wall are a split (A2).
    """
    bands = {"bone": "B1", "ligaments": "B2", "front": "B3", "intact": ""}
    if tension_band not in bands:
        raise ValueError(f"tension_band {tension_band!r} is unknown; permitted: {', '.join(bands)}")
    broken = _in_words("endplates", endplates, ENDPLATES)
    body = (("A0", "A1", "A2"), ("A0", "A3", "A4"))[posterior_wall][int(broken)]
    return "C" if displaced else bands[tension_band] or body


def ao_types(injuries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the AO Spine type of each injury; the findings are the arguments of `ao_type`."""
    return tuple(ao_type(**each) for each in injuries)


def sins(level: str, pain: Any, lesion: Any, alignment: Any, collapse: Any, posterolateral: Any) -> float:
    """Return the SINS total; the level, such as T9, gives the location."""
    return scores.sins(scores.sins_location(level), pain, lesion, alignment, collapse, posterolateral).total


def sins_band(level: str, pain: Any, lesion: Any, alignment: Any, collapse: Any, posterolateral: Any) -> str:
    """Return the band of the SINS total: stable, potentially unstable or unstable."""
    return scores.sins(scores.sins_location(level), pain, lesion, alignment, collapse, posterolateral).band


# --- Probabilities and trials -----------------------------------------------------------------------------------------


def post_test(prior: float, ratio: float) -> float:
    """Return the probability after a finding, percent, from the one before in percent and its likelihood ratio."""
    from vertebra.evidence.redflags import updated

    return 100 * updated(prior / 100, ratio)


def post_test_of_sign(prior: float, sensitivity: float, specificity: float) -> float:
    """Return the probability after a positive sign; all in percent."""
    return post_test(prior, sensitivity / (100 - specificity))


def post_test_of_negative(prior: float, sensitivity: float, specificity: float) -> float:
    """Return the probability after a negative sign; all in percent."""
    return post_test(prior, (100 - sensitivity) / specificity)


def likelihood_ratio(hits: int, fractured: int, false_alarms: int, whole: int) -> float:
    """Return the positive likelihood ratio of a sign from a study's four counts."""
    return (hits / fractured) / (false_alarms / whole)


def people_of_setting(setting: str) -> str:
    """Return how many of 1,000 have a fracture in a setting of redflags.yml before any question, such as "7 to 45"."""
    from vertebra.evidence.redflags import PEOPLE, redflags

    known = redflags().settings
    if setting not in known:
        raise ValueError(f"setting {setting!r} is unknown; permitted: {', '.join(known)}")
    prior = known[setting].prior
    return f"{round(PEOPLE * prior.low)} to {round(PEOPLE * prior.high)}"


@cache
def _tables() -> Mapping[str, Mapping[str, tuple[int, int]]]:
    # evidence.trials reads the same file, and brings scipy.stats, which takes longer than the whole bank to lint.
    listed = assets.read_yaml("evidence/trials.yml")["events"]
    return {
        each["id"]: {part: tuple(arm[part] for arm in each["arms"]) for part in ("events", "of")} for each in listed
    }


def _counts(events: Counts | None, of: Counts | None, table: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the counts of two arms; with a table of trials.yml they must be that trial's, in whichever order."""
    if table:
        if table not in _tables():
            near = schema.nearest(table, _tables()) or f"permitted: {', '.join(_tables())}"
            raise ValueError(f"table {table!r} is not in trials.yml; {near}")
        printed = _tables()[table]
        if events is None or of is None:
            return printed["events"], printed["of"]
        if sorted(zip(events, of, strict=True)) != sorted(zip(printed["events"], printed["of"], strict=True)):
            raise ValueError(f"{events} of {of} are not the counts of {table}: {printed['events']} of {printed['of']}")
    if events is None or of is None or len(events) != 2 or len(of) != 2:
        raise ValueError("give events and of, two counts each, or a table of trials.yml")
    return (events[0], events[1]), (of[0], of[1])


def risk_ratio(events: Counts, of: Counts, table: str = "") -> float:
    """Return the risk in the first arm over that in the second."""
    (a, b), (n, m) = _counts(events, of, table)
    return (a / n) / (b / m)


def difference_in_100(events: Counts, of: Counts, table: str = "") -> float:
    """Return how many more of 100 had the event in the first arm than in the second (in percentage points)."""
    (a, b), (n, m) = _counts(events, of, table)
    return 100 * (a / n - b / m)


def number_needed(events: Counts, of: Counts, table: str = "") -> float:
    """Return how many are treated for one event more or fewer; infinite where the risks are the same."""
    difference = abs(difference_in_100(events, of, table))
    return 100 / difference if difference else math.inf


def number_needed_of_percent(first: float, second: float) -> float:
    """Return how many are treated for one event more or fewer, from the two risks in percent."""
    return 100 / abs(first - second)


def both_arms(table: str) -> tuple[float, float]:
    """Return the percentage with the event in both arms of a table of trials.yml."""
    (a, b), (n, m) = _counts(None, None, table)
    return 100 * a / n, 100 * b / m


def inverse_variance_weight(low: Sequence[float], high: Sequence[float], of: int) -> float:
    """Return the weight of trial number `of` (from 1), percent, from the trials' 95 % intervals; fixed effect."""
    weights = [(b - a) ** -2 for a, b in zip(low, high, strict=True)]
    return 100 * weights[of - 1] / sum(weights)


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """Return the mean of the values by their weights."""
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


# --- Arithmetic -------------------------------------------------------------------------------------------------------


def share(part: float, whole: float) -> float:
    """Return a part of a whole in percent."""
    return 100 * part / whole


def in_1000(counts: Sequence[float], of: float) -> tuple[float, ...]:
    """Return counts of a whole as people in 1,000."""
    return tuple(1000 * count / of for count in counts)


def difference(larger: float, smaller: float) -> float:
    """Return the difference of two numbers."""
    return larger - smaller


def difference_in_1000(larger: float, smaller: float) -> float:
    """Return the difference of two percentages as people in 1,000."""
    return 10 * (larger - smaller)


def share_lost_again(before: float, gained: float, kept: float) -> float:
    """Return which share of a gain was lost again, percent: the value before it, at its highest, and in the end."""
    return 100 * (gained - kept) / (gained - before)


def surplus_share(cavity: float, cement: float) -> float:
    """Return the share of the cement that finds no room in the cavity, percent; both in mL (of one side or of all)."""
    return 100 * (cement - cavity) / cement


def percent_of(percent: float, whole: float) -> float:
    """Return a percentage of a whole, in its unit."""
    return percent / 100 * whole


def factor_of_risk(load: float, strength: float) -> float:
    """Return the load over the strength; both in N."""
    return load / strength


def disc_pressures(postures: Sequence[str]) -> tuple[float, ...]:
    """Return the pressure in a lumbar disc over that of standing, as measured in each posture [wilke1999]."""
    from vertebra.mechanics.load import check_posture

    measured = [check_posture(each).measured for each in postures]
    return tuple(each for each in measured if each is not None)


def t_score(density: float, mean: float, sd: float) -> float:
    """Return the T-score: standard deviations from the young mean; all in g/cm2."""
    return (density - mean) / sd


def power_law(part: float, whole: float, exponent: float) -> float:
    """Return what is left, percent, of a quantity that goes with a power of another, of which a part is left."""
    return float(100 * (part / whole) ** exponent)


def room_beside(width: float, diameter: float) -> float:
    """Return the room on each side of a round tool in the middle of a passage; all in one unit."""
    return (width - diameter) / 2


def pressure_ratio(wide: float, narrow: float) -> float:
    """Return how many times the pressure a narrower tube needs at one flow (Newtonian: inverse fourth power)."""
    return (wide / narrow) ** 4


def bore_volume(length: float, diameter: float) -> float:
    """Return the volume of a round bore in mL; both in mm."""
    return math.pi * (diameter / 2) ** 2 * length / 1000


def in_kilopascal(psi: float, kilopascal: float) -> float:
    """Return a pressure in kPa; `kilopascal` is that of one psi."""
    return psi * kilopascal


def fallen(start: float, fall: float, times: float) -> float:
    """Return what is left of a value that falls by the same amount so many times, as on a straight line."""
    return start - fall * times


def key_feature_share(right: int, chosen_right: int, chosen_wrong: int) -> float:
    """Return the share of a decision of a key feature that an answer earns, percent, by the course's own scoring."""
    keys, wrong = [f"r{i}" for i in range(right)], [f"w{i}" for i in range(chosen_wrong)]
    decision = {"choose": right, "options": keys + wrong, "key": keys, "harms": []}
    answer = {"d": keys[:chosen_right] + wrong}
    return 100 * scoring.score({"format": "key_feature", "decisions": {"d": decision}}, answer)


CALCULATORS: Mapping[str, Callable[..., Result]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            height_loss,
            loss_against_neighbours,
            genant,
            genant_of_height,
            genant_of_each,
            genant_of_heights,
            genant_within,
            change_or_scatter,
            wedge_angle,
            of_class,
            of_classes,
            of_score,
            of_score_band,
            tlics,
            tlics_of_each,
            tl_aosis,
            ao_type,
            ao_types,
            sins,
            sins_band,
            post_test,
            post_test_of_sign,
            post_test_of_negative,
            likelihood_ratio,
            people_of_setting,
            risk_ratio,
            difference_in_100,
            number_needed,
            number_needed_of_percent,
            both_arms,
            inverse_variance_weight,
            weighted_mean,
            share,
            in_1000,
            difference,
            difference_in_1000,
            share_lost_again,
            surplus_share,
            percent_of,
            factor_of_risk,
            disc_pressures,
            t_score,
            power_law,
            room_beside,
            pressure_ratio,
            bore_volume,
            in_kilopascal,
            fallen,
            key_feature_share,
        )
    }
)


# --- The question's own facts -----------------------------------------------------------------------------------------

_NUMERAL = re.compile(r"(?<![\w.,])([-−–+]?)(\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?![\d])|\d+)(\.\d+)?")


def numerals(text: str) -> Iterator[tuple[float, int]]:
    """Yield (value, decimals) of each number in a text; "1,000" is one, "L1" holds none, "three" is one too."""
    for sign, whole, decimals in _NUMERAL.findall(text):
        value = float(re.sub(r"\D", "", whole) + decimals)
        yield (-value if sign in ("-", "−", "–") and sign else value), max(len(decimals) - 1, 0)
    for word in re.findall(r"[a-z]+", text.casefold()):
        if word in SPELLED:
            yield float(SPELLED.index(word)), 0


def _lettering(item: Item) -> str:
    """Return the words that are written in the picture of a question, "" where it has none."""
    if item.image is None or not item.image.src.endswith(".svg"):
        return ""
    return re.sub(r"<[^>]*>", " ", assets.path(item.image.src).read_text(encoding="utf-8"))


def _taken_apart(facts: Any) -> Iterator[tuple[float, bool]]:
    """Yield (number, whether it is read off the picture) for each number among the facts."""
    if isinstance(facts, Mapping):
        pictured = set(facts) == {"pictured"}
        for each in facts.values():
            yield from ((number, pictured or seen) for number, seen in _taken_apart(each))
    elif isinstance(facts, list | tuple):
        for each in facts:
            yield from _taken_apart(each)
    elif isinstance(facts, int | float) and not isinstance(facts, bool):
        yield facts, False


def _plain(facts: Any) -> Any:
    """Return the facts without the mark that they are read off the picture."""
    if isinstance(facts, Mapping):
        return _plain(facts["pictured"]) if set(facts) == {"pictured"} else {k: _plain(v) for k, v in facts.items()}
    return [_plain(each) for each in facts] if isinstance(facts, list | tuple) else facts


def _foreign(item: Item, facts: Mapping[str, Any]) -> str:
    """Return the first number among the facts that the question does not state, "" if it states them all."""
    said = {value for value, _ in numerals(f"{item.vignette} {item.stem} {item.image.alt if item.image else ''}")}
    shown: set[float] | None = None
    # What is to be ordered or matched holds the facts itself, and so may a decision of a key feature.
    parts: list[Any] = [*item.steps, *item.prompts, *item.decisions]
    said |= {value for part in parts for value, _ in numerals(part.text)}
    for number, pictured in _taken_apart(facts):
        if pictured and shown is None:
            shown = {value for value, _ in numerals(_lettering(item))}
        if number not in said and not (pictured and shown and number in shown):
            where = "its picture" if pictured else "its vignette, stem or alt text"
            return f"the calculation uses {number:g}, which {where} does not state; correct the fact or the text"
    return ""


# --- The comparison ---------------------------------------------------------------------------------------------------


def _rounds_to(found: float, stated: float, decimals: int) -> bool:
    return abs(found - stated) <= 0.5 * 10.0**-decimals + 1e-9


def _says(text: str, found: float | str) -> bool:
    """Say whether a text names what was found: a number to the digits it is given with, or words."""
    if isinstance(found, str):
        return re.search(rf"(?<!\w){re.escape(found)}(?!\w)", text, re.IGNORECASE) is not None
    return any(_rounds_to(found, value, decimals) for value, decimals in numerals(text))


def _shown(found: Result) -> str:
    each = found if isinstance(found, tuple) else (found,)
    return ", ".join(one if isinstance(one, str) else f"{one:.6g}" for one in each)


def calculate(by: str, facts: Mapping[str, Any]) -> Result:
    """Run a calculator on the facts of a question; raises ValueError, in plain words, for what it does not take."""
    if by not in CALCULATORS:
        raise ValueError(f"there is no calculator {by}; {schema.nearest(by, CALCULATORS) or 'see quiz/computed.py'}")
    parameters = inspect.signature(CALCULATORS[by]).parameters.values()
    names = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    for name in facts if len(names) == len(parameters) else ():
        if name not in names:
            near = schema.nearest(name, names) or f"it takes {', '.join(names)}"
            raise ValueError(f"the calculator {by} takes no {name}; {near}")
    for each in parameters:
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD and each.name not in facts:
            raise ValueError(f"the calculator {by} needs {each.name}; add it to `with`")
    try:
        return CALCULATORS[by](**_plain(facts))
    except (ValueError, TypeError, ZeroDivisionError, IndexError, KeyError) as error:
        raise ValueError(f"the calculator {by} cannot use these facts: {error}") from None


def recompute(item: Item) -> str:
    """Find the key of a question anew; return "" when it agrees, else a sentence with what was found and what stated.

    A question without `computed` is not looked at and agrees.
    """
    if item.computed is None:
        return ""
    try:
        found = calculate(item.computed.by, item.computed.facts)
    except ValueError as error:
        return str(error)
    return _foreign(item, item.computed.facts) or _disagreement(item, found)


def _disagreement(item: Item, found: Result) -> str:
    each = found if isinstance(found, tuple) else (found,)
    match item.format:
        case "numeric":
            return _number_disagrees(item, found)
        case "ordering":
            return _order_disagrees(item, each)
        case "matching":
            return _match_disagrees(item, each)
    parts: Sequence[Any] = item.regions or item.choices
    right = [part for part in parts if part.key]
    if not right:
        return f"a {item.format} has no key that a calculation could find; remove `computed`"
    if item.format == "single_best_answer" or item.format == "hotspot":
        agreeing = [part for part in parts if all(_says(part.text, one) for one in each)]
        if agreeing != right:
            named = " and ".join(part.id for part in agreeing) or "no option"
            return f"the calculation gives {_shown(found)}, which {named} states; the key is {right[0].id}"
        return ""
    for one in each:
        if not any(_says(part.text, one) for part in right):
            return f"the calculation gives {_shown(one)}, which no right option states"
    for part in parts:
        # A key feature asks for more than one number.
        if part.key != any(_says(part.text, one) for one in each) and not (part.key and item.decisions):
            return f"the calculation gives {_shown(found)}, and {part.id} is {'a' if part.key else 'no'} right option"
    return ""


def _number_disagrees(item: Item, found: Result) -> str:
    assert item.answer is not None, "a numeric question has an answer"
    stated = item.answer.value
    if not isinstance(found, int | float):
        return f"the calculation gives {_shown(found)}, the question asks for a number"
    decimals = max(-int(Decimal(repr(stated)).as_tuple().exponent), 0)
    if abs(found - stated) > item.answer.absolute_tolerance() + 1e-9:
        return f"the calculation gives {_shown(found)}, the key is {stated:g} ± {item.answer.absolute_tolerance():g}"
    if not _rounds_to(found, stated, decimals):
        return f"the calculation gives {_shown(found)}, which does not round to the key {stated:g}"
    return ""


def _order_disagrees(item: Item, found: Sequence[float | str]) -> str:
    if len(found) != len(item.steps):
        return f"the calculation gives {len(found)} results for {len(item.steps)} steps"
    numbers = [one for one in found if not isinstance(one, str)]
    if len(numbers) == len(found):
        rising = [b - a for a, b in pairwise(numbers)]
        if all(step > 0 for step in rising) or all(step < 0 for step in rising):
            return ""
        return f"the calculation gives {_shown(tuple(found))} for the steps in the order of the key"
    for step, one in zip(item.steps, found, strict=True):
        if not _says(step.text, one):
            return f"the calculation gives {_shown(one)} where the key has {step.id}"
    return ""


def _match_disagrees(item: Item, found: Sequence[float | str]) -> str:
    if len(found) != len(item.prompts):
        return f"the calculation gives {len(found)} results for {len(item.prompts)} prompts"
    for prompt, one in zip(item.prompts, found, strict=True):
        agreeing = [option.id for option in item.options if _says(option.text, one)]
        if agreeing != [prompt.answer]:
            named = " and ".join(agreeing) or "no option"
            return (
                f"for {prompt.id} the calculation gives {_shown(one)}, which {named} states; the key is {prompt.answer}"
            )
    return ""
