"""The forest plot that the student rebuilds: trials on and off, filters, models, and what changed and why."""

import base64
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vertebra.distributions import t_reach
from vertebra.evidence.pooling import Estimate, Pool, leave_one_out
from vertebra.evidence.references import cite
from vertebra.evidence.trials import (
    AGES,
    BLINDING,
    COMPARATORS,
    Measure,
    Row,
    measures,
    obstacles,
    pooled,
    rows,
    windows,
)
from vertebra.language import N_, _, labels
from vertebra.widgets.asking import Asking, check_known, module, style

MODELS = {"random": N_("Random effects"), "fixed": N_("Fixed effect")}
SWITCHES = {
    "leave_one_out": N_("Leave one out"),
    "small_sample": N_("Small-sample interval (random effects)"),
    "unchecked": N_("Show what nobody has compared with the paper"),
}
FILTERS = {"comparators": COMPARATORS, "blinding": BLINDING, "ages": AGES}
FILTER_NAMES = {"comparators": N_("Compared with"), "blinding": N_("Who knew"), "ages": N_("Age of the fracture")}
BLINDS = {
    "blinded": "patients and assessors did not know who had cement",
    "open": "everybody knew who had cement",
    "not recorded": "who knew is not in our record",
}
START: dict[str, Any] = {
    "measure": "pain",
    "window": "month 12",
    "chosen": None,
    "model": "random",
    **{name: list(known) for name, known in FILTERS.items()},
    **dict.fromkeys(SWITCHES, False),
}
UNCHECKED = "not yet compared with the paper"
LIMITS = (
    "Numbers as read in the reports named in brackets. They are pooled here and are not Cochrane's figures: it has "
    "five trials against placebo with 541 patients [buchbinder2018], and nobody here has read its pooled values. The "
    "pain scores of VAPOUR are missing. A mean is not one patient, and emboli and other rare harm of cement are not on "
    "this plot [unreferenced]."
)
STEPS = (0.5, 1, 2, 5, 10, 20)


def windows_of(measure: str) -> list[str]:
    """Return the times at which a measure has a result, in order."""
    there = {row.window.id for row in rows().values() if row.measure.id == measure}
    return [each for each in windows() if each in there]


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted, complete. Raises ValueError for what is not known."""
    state = START | wanted
    for name, known in (("measure", tuple(measures())), ("model", tuple(MODELS))):
        if state[name] not in known:
            raise ValueError(f"{name} is {state[name]!r}; it is one of {', '.join(known)}")
    there = windows_of(state["measure"])
    if state["window"] not in there:
        raise ValueError(f"window is {state['window']!r}; {state['measure']} was measured at {', '.join(there)}")
    for name in SWITCHES:
        if not isinstance(state[name], bool):
            raise ValueError(f"{name} is {state[name]!r}; it is true or false")
    for name, options in FILTERS.items():
        unknown = [each for each in state[name] if each not in options]
        if unknown:
            raise ValueError(f"{name} holds {unknown[0]!r}; it holds some of {', '.join(options)}")
    for each in state["chosen"] or ():
        if each not in rows():
            raise ValueError(f"chosen holds {each!r}, which is no result of this course")
    return state


# --- what is computed ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """The visible results of one question, those of them that are switched on, and their pool or why there is none."""

    rows: tuple[Row, ...]
    on: tuple[Row, ...]
    pool: Pool | None
    why: str

    @property
    def question(self) -> str:
        """Return what these trials ask."""
        return self.rows[0].study.question

    def lead(self, model: str) -> Estimate | None:
        """Return what the group says: its pool, or the one trial that is switched on."""
        if self.pool:
            return self.pool.fixed if model == "fixed" else self.pool.random
        return self.on[0].estimate if len(self.on) == 1 and not obstacles(self.on) else None

    def weights(self, model: str) -> dict[str, float]:
        """Return the share that each row has in the pool."""
        if not self.pool:
            return {}
        shares = self.pool.fixed_weights if model == "fixed" else self.pool.random_weights
        return dict(zip((row.id for row in self.on), shares, strict=True))


def passing(state: dict[str, Any], skip: str = "") -> list[Row]:
    """Return the results that outcome, time and filters let through; `skip` names a filter that is not applied."""
    found = []
    for row in rows().values():
        has = {"comparators": row.study.comparator, "blinding": row.study.blinding, "ages": row.study.fracture_age}
        if (
            row.measure.id == state["measure"]
            and row.window.id == state["window"]
            and (row.checked or state["unchecked"])
            and all(has[name] in state[name] for name in FILTERS if name != skip)
        ):
            found.append(row)
    return sorted(found, key=lambda row: COMPARATORS.index(row.study.comparator))


def first_choice(visible: Sequence[Row]) -> list[str]:
    """Return the rows that are on at first: all that may be pooled with those before them of the same question."""
    on: list[Row] = []
    for row in visible:
        if not obstacles([*(each for each in on if each.study.question == row.study.question), row]):
            on.append(row)
    return [row.id for row in on]


def groups(state: dict[str, Any]) -> list[Group]:
    """Return the visible results by question, each with its pool."""
    visible = passing(state)
    chosen = set(first_choice(visible) if state["chosen"] is None else state["chosen"])
    found = []
    for question in dict.fromkeys(row.study.question for row in visible):
        asked = tuple(row for row in visible if row.study.question == question)
        on = tuple(row for row in asked if row.id in chosen and row.checked)
        against = obstacles(on)
        made = pooled(on, state["small_sample"]) if len(on) > 1 and not against else None
        if not asked[0].window.effect:
            why = "Not pooled: a difference at entry is chance, as nothing has been done yet."
        elif not any(row.checked for row in asked):
            why = f"Nothing here is pooled: {UNCHECKED}."
        elif not on:
            why = "No trial is switched on."
        elif against:
            why = f"Not pooled. {' '.join(against)}"
        else:
            why = "" if made else "One trial: nothing to pool it with."
        found.append(Group(asked, on, made, why))
    return found


# --- words -----------------------------------------------------------------------------------------------------------


def number(value: float, measure: Measure, signed: bool = False) -> str:
    """Return a difference as it is printed: two decimals for points, one for percentages, a true minus sign."""
    digits = 1 if measure.unit == "percentage points" else 2
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return "0" + text[2:] if text.strip("+-0.") == "" and text[0] in "+-" else text.replace("-", "−")


def spelled(estimate: Estimate, measure: Measure) -> str:
    """Return a value with its interval."""
    value, low, high = (number(each, measure) for each in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def percent(share: float) -> str:
    """Return a share as it is printed."""
    return f"{100 * share:.0f} %"


def _spread(tau2: float) -> str:
    return f"{tau2:.2f}" if tau2 > 0.005 else "0" if tau2 == 0 else "under 0.01"


def _when(state: dict[str, Any]) -> str:
    """Return outcome and time as they stand within a sentence."""
    name = measures()[state["measure"]].name
    return f"{name[0].lower()}{name[1:]} {windows()[state['window']].when}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def verdict(group: Group, state: dict[str, Any]) -> str:
    """Return the headline of one question."""
    measure, lead = measures()[state["measure"]], group.lead(state["model"])
    where = f"{_upper(group.question)}, {_when(state)}"
    if not lead:
        return f"{where}: no pooled value"
    size, low, high = (number(each, measure) for each in (abs(lead.value), lead.low, lead.high))
    return f"{where}: {size} {measure.unit} {'better' if lead.value >= 0 else 'worse'} ({low} to {high})"


def reading(group: Group, state: dict[str, Any]) -> list[str]:
    """Return what a reader should take from one question's diamond, sentence by sentence."""
    measure, lead = measures()[state["measure"]], group.lead(state["model"])
    if not lead:
        return [group.why]
    said = []
    if lead.low > 0 or lead.high < 0:
        said.append(f"The interval leaves out no difference; {_favoured(lead.value, group)} did better.")
    else:
        said.append("The interval includes no difference.")
    if measure.important:
        low, high = measure.important.low, measure.important.high
        matters = f"{low:g} to {high:g}" if high > low else f"{low:g}"
        if lead.high < low:
            said.append(f"All of it lies below the {matters} {measure.unit} that are said to matter.")
        elif lead.low > high:
            said.append(f"All of it lies above the {matters} {measure.unit} that are said to matter.")
        else:
            said.append(f"It reaches the {matters} {measure.unit} that are said to matter.")
    if group.pool:
        said += _scatter(group.pool, measure)
    elif group.why:
        said.append(group.why)
    return said


def _favoured(value: float, group: Group) -> str:
    study = group.rows[0].study
    return study.first if value > 0 else study.against


def _scatter(made: Pool, measure: Measure) -> list[str]:
    """Say how far the trials differ from each other, and what that means for a next one."""
    more = "more" if made.p < 0.1 else "no more"
    said = [
        f"The trials differ {more} than chance would have them: Q = {made.q:.2f} (p = {made.p:.2f}), "
        f"I² = {percent(made.i2)}, τ² = {_spread(made.tau2)}."
    ]
    if made.prediction:
        low, high = number(made.prediction.low, measure), number(made.prediction.high, measure)
        said.append(
            f"The true effect of a next trial would be expected from {low} to {high}: {len(made.fixed_weights)} trials "
            "say little about the next."
            if len(made.fixed_weights) < 5
            else f"The true effect of a next trial would be expected from {low} to {high}."
        )
    else:
        said.append("No prediction interval: it needs at least three trials.")
    return said


def change(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return one sentence that says what a step from one state to another changed, and why; empty if nothing did."""
    old, new = groups(before), groups(after)
    if before["measure"] != after["measure"] or before["window"] != after["window"]:
        return _elsewhere(after, new)
    for name, words in (("model", _of_model), ("small_sample", _of_small_sample), ("leave_one_out", _of_leaving_out)):
        if before[name] != after[name]:
            return words(before, after, new)
    if before["unchecked"] != after["unchecked"]:
        return _of_unchecked(after, new)
    moved = [name for name in FILTERS if before[name] != after[name]]
    return _of_rows(before, after, old, new, bool(moved))


def _lead(found: list[Group], model: str) -> tuple[Group, Estimate] | None:
    """Return the first group that says something, with what it says."""
    for group in found:
        lead = group.lead(model)
        if lead:
            return group, lead
    return None


def _elsewhere(after: dict[str, Any], new: list[Group]) -> str:
    measure, lead = measures()[after["measure"]], _lead(new, after["model"])
    where = _upper(_when(after))
    if not lead:
        return f"{where}: {new[0].why[0].lower()}{new[0].why[1:]}" if new else f"{where}: nothing passes these filters."
    group, value = lead
    results = _many(sum(len(each.rows) for each in new), "result")
    rests = f"{group.question} rests on {_many(len(group.on), 'trial')}"
    return f"{where}: {results}; {rests}, {spelled(value, measure)}."


def _many(count: int, what: str) -> str:
    return f"{count} {what}s" if count > 1 else f"one {what}"


def _of_model(before: dict[str, Any], after: dict[str, Any], new: list[Group]) -> str:
    name, measure = MODELS[after["model"]], measures()[after["measure"]]
    made = next((group for group in new if group.pool), None)
    if not made or not made.pool:
        return f"{name}: nothing changes, as nothing is pooled."
    now, then = made.lead(after["model"]), made.lead(before["model"])
    if not now or not then:
        return ""
    if abs(now.value - then.value) < 5e-4 and abs(now.high - then.high) < 5e-4:
        return f"{name}: nothing changes, because τ² is 0 here and both models are the same sum."
    if made.pool.tau2 == 0:
        return f"{name}: {spelled(now, measure)} in place of {spelled(then, measure)}, from the small-sample interval."
    reason = (
        "the trials are taken to differ truly, so small ones count for more and the interval is wider"
        if after["model"] == "random"
        else "all trials are taken to measure one effect, so their scatter no longer widens the interval"
    )
    return f"{name}: {spelled(now, measure)} in place of {spelled(then, measure)}, because {reason}."


def _of_small_sample(before: dict[str, Any], after: dict[str, Any], new: list[Group]) -> str:
    measure, on = measures()[after["measure"]], after["small_sample"]
    made = next((group for group in new if group.pool), None)
    if not made:
        return "Small-sample interval: nothing changes, as nothing is pooled."
    if after["model"] == "fixed":
        return "Small-sample interval: nothing changes, as it belongs to random effects."
    now, k = made.lead("random"), len(made.on)
    if not now:
        return ""
    reach = t_reach(0.025, k - 1)
    if on:
        return (
            f"Small-sample interval: {spelled(now, measure)}. The value stays; with {k} trials the interval reaches "
            f"{reach:.1f} standard errors to either side in place of 1.96, because {k} trials hardly show how far "
            "trials scatter."
        )
    return f"Small-sample interval off: back to {spelled(now, measure)} and 1.96 standard errors."


def _of_leaving_out(before: dict[str, Any], after: dict[str, Any], new: list[Group]) -> str:
    if not after["leave_one_out"]:
        return "The lines without one trial are gone; the pool is the same."
    measure, made = measures()[after["measure"]], next((group for group in new if group.pool), None)
    if not made:
        return "Leave one out: nothing changes, as nothing is pooled."
    without = _without(made, after)
    low, high = min(without, key=lambda each: each[1].value), max(without, key=lambda each: each[1].value)
    return (
        f"Leave one out: the pooled value runs from {number(low[1].value, measure)} without {low[0].label} to "
        f"{number(high[1].value, measure)} without {high[0].label}."
    )


def _without(group: Group, state: dict[str, Any]) -> list[tuple[Row, Estimate]]:
    """Return each row of a pool with what the pool would be without it."""
    made = leave_one_out([row.estimate for row in group.on if row.estimate], state["small_sample"])
    return [
        (row, each.fixed if state["model"] == "fixed" else each.random)
        for row, each in zip(group.on, made, strict=True)
    ]


def _of_unchecked(after: dict[str, Any], new: list[Group]) -> str:
    measure = measures()[after["measure"]]
    hollow = [row for group in new for row in group.rows if not row.checked]
    if not after["unchecked"]:
        return "Only what somebody has compared with the paper is shown; the pool is the same."
    if not hollow:
        return "Nothing appears: every result at this time has been compared with its paper."
    appear = "appear" if len(hollow) > 1 else "appears"
    said = f"{_upper(_many(len(hollow), 'result'))} {appear} hollow and dashed: {UNCHECKED}, never pooled"
    lead = _lead(new, after["model"])
    most = max(hollow, key=lambda row: row.difference)
    if lead and most.difference > lead[1].high:
        return (
            f"{said}. {most.label} ({number(most.difference, measure)}) lies above the whole interval of "
            f"{lead[0].question}; in it {BLINDS[most.study.blinding]}."
        )
    return f"{said}."


def _of_rows(before: dict[str, Any], after: dict[str, Any], old: list[Group], new: list[Group], filtered: bool) -> str:
    """Say what trials that went or came did to the pool."""
    measure, model = measures()[after["measure"]], after["model"]
    was = {row.id: row for group in old for row in (group.rows if filtered else group.on)}
    now = {row.id: row for group in new for row in (group.rows if filtered else group.on)}
    gone, come = [was[each] for each in was if each not in now], [now[each] for each in now if each not in was]
    if not gone and not come:
        return "Nothing here changes with that." if filtered else ""
    moves = [f"{word} {_named(some)}" for word, some in (("without", gone), ("with", come)) if some]
    moved = _upper(" and ".join(moves))
    then, lead = _lead(old, before["model"]), _lead(new, model)
    refused = next((group.why for group in new if group.why.startswith("Not pooled")), "")
    if refused:
        return f"{moved}: {refused[0].lower()}{refused[1:]}"
    if not lead:
        return f"{moved}: nothing is left to pool. {new[0].why if new else ''}".strip()
    group, value = lead
    if not then or then[0].question != group.question:
        return f"{moved}: {group.question} is what is left, {spelled(value, measure)}. {_left(group)}"
    step = value.value - then[1].value
    if abs(step) < 0.005:
        return f"{moved}: {group.question} stays at {spelled(value, measure)}."
    way = "larger" if step > 0 else "smaller"
    said = f"{moved}: {way}, {number(value.value, measure)} in place of {number(then[1].value, measure)}"
    if len(gone) + len(come) == 1:
        # Without it the others said one thing, with it the pool says another.
        row, whole, rest = (gone[0], then[0], value) if gone else (come[0], group, then[1])
        side = "above" if row.difference > rest.value else "below"
        weight = whole.weights(model).get(row.id)
        share = f", with {percent(weight)} of the weight" if weight else ""
        return f"{said}, because it found {number(row.difference, measure)}, {side} the rest{share}."
    return f"{said}. {_left(group)}"


def _named(some: Sequence[Row]) -> str:
    """Return rows by name, or how many if they are more than a sentence can bear."""
    if len(some) > 3:
        return f"{len(some)} results"
    *most, last = [row.label for row in some]
    return f"{', '.join(most)} and {last}" if most else last


def _left(group: Group) -> str:
    """Say what the trials that are switched on have in common: how old the fractures are, and who knew."""
    ages, kinds = ({getattr(row.study, name) for row in group.on} for name in ("fracture_age", "blinding"))
    same = [f"the fractures were {ages.pop()} old"] if len(ages) == 1 and ages != {"not recorded"} else []
    same += [BLINDS[kinds.pop()]] if len(kinds) == 1 else []
    here = "In this trial" if len(group.on) == 1 else f"In these {len(group.on)} trials"
    return f"{here} {' and '.join(same)}." if same else ""


# --- the plot --------------------------------------------------------------------------------------------------------


def axis(state: dict[str, Any], found: list[Group]) -> dict[str, Any]:
    """Return where the axis begins and ends and its ticks, in the measure's unit.

    It holds every trial's interval and what is said to matter; a wider pool or prediction is cut with an arrow.
    """
    important = measures()[state["measure"]].important
    ends = [0.0, important.high if important else 0.0]
    for group in found:
        for row in group.rows:
            ends += [row.estimate.low, row.estimate.high] if row.estimate else [row.difference]
    step = next((each for each in STEPS if (max(ends) - min(ends)) / each <= 6), STEPS[-1])
    low, high = math.floor(min(ends) / step) * step, math.ceil(max(ends) / step) * step
    if high - low < 2 * step:
        low, high = low - step, high + step
    ticks = [low + i * step for i in range(round((high - low) / step) + 1)]
    return {"low": low, "high": high, "ticks": [{"at": at, "text": f"{at:g}".replace("-", "−")} for at in ticks]}


def _drawn(estimate: Estimate | None, value: float) -> dict[str, float]:
    if not estimate:
        return {"value": value, "low": value, "high": value}
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _notes(row: Row) -> str:
    """Return what must be known of a row: its paper's limits, its sign, where its difference comes from."""
    said = [
        "" if row.checked else f"{_upper(UNCHECKED)}.",
        "The sign was deduced." if row.sign == "deduced" else "",
        "Difference computed from the arms." if row.computed else "",
        row.note,
        row.study.note,
    ]
    return " ".join(each for each in said if each)


def _detail(row: Row) -> str:
    """Return who was compared with whom, in one line."""
    age, known = row.study.age_in_words, row.study.blinding != "not recorded"
    said = [
        f"{row.n[0]} and {row.n[1]}" if row.n else "",
        "" if row.time == row.window.name else row.time,
        row.study.comparator,
        row.study.blinding if known else "blinding not recorded",
        "age of fracture not recorded" if age.startswith("not in") else f"fracture {age}",
    ]
    return " · ".join(each for each in said if each)


def chart(state: dict[str, Any]) -> dict[str, Any]:
    """Return everything that is drawn: axis, groups of rows with weights, pools, what is left without each trial."""
    measure, found, model = measures()[state["measure"]], groups(state), state["model"]
    drawn = []
    for group in found:
        weights, on, lead = group.weights(model), {row.id for row in group.on}, group.lead(model)
        lines = [
            {
                "id": row.id,
                "label": row.label,
                "detail": _detail(row),
                "warn": "" if row.checked else UNCHECKED,
                "refs": cite(row.refs),
                "on": row.id in on,
                "checked": row.checked,
                "text": spelled(row.estimate, measure) if row.estimate else number(row.difference, measure),
                "weight": percent(weights[row.id]) if row.id in weights else "",
                "share": weights.get(row.id, 1 / max(len(group.on), 2)),
                "note": _notes(row),
                **_drawn(row.estimate, row.difference),
            }
            for row in group.rows
        ]
        pools = []
        if group.pool and lead:
            pools.append({"kind": "pool", "label": f"{MODELS[model]}, {len(group.on)} trials",
                          "text": spelled(lead, measure), **_drawn(lead, 0)})  # fmt: skip
            if group.pool.prediction:
                ahead = group.pool.prediction
                pools.append({"kind": "ahead", "label": "Prediction interval, for a next trial",
                              "text": f"{number(ahead.low, measure)} to {number(ahead.high, measure)}",
                              **_drawn(ahead, 0)})  # fmt: skip
            if state["leave_one_out"]:
                pools += [
                    {"kind": "without", "label": f"without {row.label}", "text": spelled(left, measure),
                     **_drawn(left, 0)}
                    for row, left in _without(group, state)
                ]  # fmt: skip
        drawn.append(
            {
                "question": _upper(group.question),
                "rows": lines,
                "pools": pools,
                "why": " ".join(reading(group, state)),
                "lead": lead.value if lead else None,
            }
        )
    studies = {(row.study.first, row.study.against) for group in found for row in group.rows}
    first, second = studies.pop() if len(studies) == 1 else ("what is named first", "what is named second")
    important = measure.important
    return {
        "axis": axis(state, found),
        "band": {"low": important.low, "high": important.high} if important else None,
        "matters": _matters(measure),
        "unit": f"difference in {measure.name[0].lower()}{measure.name[1:]}, {measure.unit} ({measure.scale})",
        "favours": [f"favours {second}", f"favours {first}"],
        "groups": drawn,
    }


def _matters(measure: Measure) -> str:
    """Return what is said of the band of change that matters."""
    important = measure.important
    if not important:
        return ""
    size = f"{important.low:g} to {important.high:g}" if important.high > important.low else f"{important.low:g}"
    return f"Shaded: {size} {measure.unit}, said to matter. {important.note} {cite(important.refs)}"


def counts(state: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Return how many results each option of each filter would show, the other filters as they are."""
    found = {}
    for name, options in FILTERS.items():
        there = passing(state, skip=name)
        has = {"comparators": "comparator", "blinding": "blinding", "ages": "fracture_age"}[name]
        found[name] = {each: sum(getattr(row.study, has) == each for row in there) for each in options}
    return found


def shown(wanted: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted; `before` is the state it left."""
    state = checked(wanted)
    found = groups(state)
    first = found[0] if found else None
    step = change(before, state) if before else ""
    headline = verdict(first, state) if first else "Nothing passes these filters"
    return {
        "seq": int(wanted.get("seq", 0)),
        "verdict": headline,
        "changed": step or "Switch a trial off, or change a filter: this line says what it does, and why.",
        "told": f"{step} {headline}.".strip(),
        "chosen": [row.id for group in found for row in group.on],
        "windows": [{"id": each, "name": windows()[each].name} for each in windows_of(state["measure"])],
        "counts": counts(state),
        "chart": chart(state),
    }


# --- the still picture -----------------------------------------------------------------------------------------------

INK, SOFT, LINE, BLUE, BAND = "#17212b", "#4d5a68", "#c3ccd6", "#00619e", "#f1d49a"


def static_svg(state: dict[str, Any]) -> str:
    """Return the forest plot as one SVG picture on white."""
    drawn = chart(state)
    width, left, right = 970, 300, 290
    span, row_high = width - left - right, 34
    low, high = drawn["axis"]["low"], drawn["axis"]["high"]
    parts: list[str] = []

    def x(value: float) -> float:
        return float(left + span * (min(max(value, low), high) - low) / (high - low))

    def write(at: float, y: float, text: str, css: str = "", anchor: str = "start", colour: str = INK) -> None:
        parts.append(
            f'<text x="{at:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" {css}>{html.escape(text)}</text>'
        )

    def arrows(each: dict[str, Any], y: float, colour: str) -> None:
        for cut, at, way in ((each["low"] < low, left, 1), (each["high"] > high, left + span, -1)):
            if cut:
                parts.append(f'<path d="M{at},{y:.1f}l{way * 10},-6v12z" fill="{colour}"/>')

    top, y = 64.0, 64.0
    write(24, 34, _upper(drawn["unit"]), 'font-weight="700" font-size="18"')
    marks: list[str] = []
    for group in drawn["groups"]:
        y += 12
        write(24, y + 12, group["question"], 'font-weight="700"')
        y += 26
        start = y
        for each in group["rows"]:
            middle = y + row_high / 2
            colour = BLUE if each["on"] else SOFT
            write(24, middle + 5, each["label"], "", "start", INK if each["on"] else SOFT)
            dash = "" if each["checked"] else 'stroke-dasharray="5 4"'
            parts.append(
                f'<path d="M{x(each["low"]):.1f},{middle:.1f}H{x(each["high"]):.1f}" stroke="{colour}" '
                f'stroke-width="2" {dash}/>'
            )
            arrows(each, middle, colour)
            half = 4 + 9 * math.sqrt(each["share"])
            fill = colour if each["on"] else "#ffffff"
            parts.append(
                f'<rect x="{x(each["value"]) - half:.1f}" y="{middle - half:.1f}" width="{2 * half:.1f}" '
                f'height="{2 * half:.1f}" fill="{fill}" stroke="{colour}" stroke-width="2" {dash}/>'
            )
            write(width - 92, middle + 5, each["text"], "", "end", INK if each["on"] else SOFT)
            write(width - 24, middle + 5, each["weight"], "", "end")
            y += row_high
        for each in group["pools"]:
            middle = y + row_high / 2
            weight = 'font-weight="600"' if each["kind"] == "pool" else ""
            write(24, middle + 5, each["label"], weight)
            a, b, c = x(each["low"]), x(each["value"]), x(each["high"])
            if each["kind"] == "ahead":
                parts.append(f'<path d="M{a:.1f},{middle:.1f}H{c:.1f}" stroke="{INK}" stroke-width="5"/>')
            else:
                half, fill = (10, INK) if each["kind"] == "pool" else (6, "#ffffff")
                parts.append(
                    f'<path d="M{a:.1f},{middle:.1f}L{b:.1f},{middle - half:.1f}L{c:.1f},{middle:.1f}L{b:.1f},'
                    f'{middle + half:.1f}Z" fill="{fill}" stroke="{INK}" stroke-width="1.5"/>'
                )
            arrows(each, middle, INK)
            write(width - 92, middle + 5, each["text"], 'font-weight="600"' if each["kind"] == "pool" else "", "end")
            y += row_high
        if group["pools"]:
            at = x(group["lead"])
            marks.append(f'<path d="M{at:.1f},{start}V{y}" stroke="{INK}" stroke-width="1.5" stroke-dasharray="2 5"/>')
    y += 8
    ground = [f'<path d="M{x(0):.1f},{top}V{y}" stroke="{SOFT}" stroke-width="2"/>']
    if drawn["band"]:
        a, b = x(drawn["band"]["low"]), x(drawn["band"]["high"])
        ground.insert(0, f'<rect x="{a - 1:.1f}" y="{top}" width="{b - a + 2:.1f}" height="{y - top}" fill="{BAND}"/>')
    parts.append(f'<path d="M{left},{y}H{left + span}" stroke="{SOFT}" stroke-width="2"/>')
    for tick in drawn["axis"]["ticks"]:
        parts.append(f'<path d="M{x(tick["at"]):.1f},{y}v6" stroke="{SOFT}" stroke-width="2"/>')
        write(x(tick["at"]), y + 24, tick["text"], "", "middle", SOFT)
    write(x(0) - 10, y + 46, f"← {drawn['favours'][0]}", "", "end", SOFT)
    write(x(0) + 10, y + 46, f"{drawn['favours'][1]} →", "", "start", SOFT)
    write(width - 92, 58, "difference (95 %)", 'font-size="13"', "end", SOFT)
    write(width - 24, 58, "weight", 'font-size="13"', "end", SOFT)
    legend = ["shaded: said to matter"] if drawn["band"] else []
    if any(not each["checked"] for group in drawn["groups"] for each in group["rows"]):
        legend.append(f"dashed: {UNCHECKED}")
    write(24, y + 72, "; ".join(legend), "", "start", SOFT)
    tall = y + (88 if legend else 62)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall:.0f}" width="{width}" '
        f'height="{tall:.0f}" font-family="system-ui, sans-serif" font-size="15">'
        f'<rect width="100%" height="100%" rx="10" fill="#ffffff"/>{"".join(ground + marks + parts)}</svg>'
    )


class ForestPlot(Asking):
    """The forest plot, asked by its browser half."""

    _esm = module("forest")
    _css = style("forest")
    refusal = N_("The plot could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on pain at 12 months with everything that was read, or with what `start` says."""
        check_known("forest_plot", start, START)
        self._state: dict[str, Any] = {}
        super().__init__(
            about={
                "measures": [{"id": each.id, "name": each.name} for each in measures().values()],
                "windows": {each: windows_of(each) for each in measures()},
                "models": labels(MODELS),
                "switches": labels(SWITCHES),
                "filters": [
                    {"id": name, "name": _(FILTER_NAMES[name]), "options": list(known)}
                    for name, known in FILTERS.items()
                ],
                "limits": LIMITS,
            },
            state=checked(start),
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        found = groups(self._state)
        return f"Forest plot. {verdict(found[0], self._state) if found else 'Nothing passes these filters'}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted, self._state or None)
        self._state = checked({name: wanted[name] for name in START if name in wanted})
        return made

    def still(self) -> str:
        """Return a picture with its description."""
        state = self._state
        told = [f"{verdict(group, state)}. {' '.join(reading(group, state))}" for group in groups(state)]
        said = html.escape(" ".join(told) or "Nothing passes these filters.", quote=True)
        drawing = base64.b64encode(static_svg(state).encode()).decode()
        matters = html.escape(_matters(measures()[state["measure"]]))
        return (
            f'<figure><img alt="{said}" width="970" src="data:image/svg+xml;base64,{drawing}">'
            f"<figcaption>{said} {matters} {html.escape(LIMITS)} Teaching, not medical advice. "
            "Not yet reviewed by a clinician. Start the lesson to rebuild the plot.</figcaption>"
            "</figure>"
        )


def forest_plot(**start: Any) -> ForestPlot:
    """Return the plot; `start` may set what it opens on, such as `window="month 1"` or `unchecked=True`."""
    return ForestPlot(**start)
