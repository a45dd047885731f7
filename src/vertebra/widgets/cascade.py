"""The fracture cascade: 1,000 women over five years on two plans, side by side."""

import base64
import html
import math
from pathlib import Path
from typing import Any

from vertebra.evidence.cascade import (
    AGES,
    GRADES,
    MONTHS,
    NUMBERS,
    Interval,
    Outcome,
    Person,
    Plan,
    cohort,
    denosumab_stopped,
)
from vertebra.evidence.recovery import drugs
from vertebra.language import N_, _, labels
from vertebra.simulators import page
from vertebra.widgets.asking import Asking, check_known, module, style

HERE = Path(__file__).parent
WHO = {
    "0": N_("none yet, but low density"),
    "1": N_("one"),
    "2": N_("two"),
    "3": N_("three or more"),
    "mild": N_("mild"),
    "moderate": N_("moderate"),
    "severe": N_("severe"),
}
OLD = {
    "any": N_("not counted (as fitted)"),
    "old": N_("ten years (option)"),
    "new": N_("broken today (option)"),
}
STARTS = {0: N_("in the same admission"), 0.5: N_("after 6 months"), 1: N_("after 1 year"), 2: N_("after 2 years")}
STOPS = {
    0: N_("goes on"),
    1: N_("stops at 1 year"),
    2: N_("stops at 2 years"),
    3: N_("stops at 3 years"),
    4: N_("stops at 4 years"),
}
ARMS = ("a", "b")
RANGES = {"year": (1, 5), "a_taken": (10, 100), "b_taken": (10, 100)}
START = {
    "who": "2",
    "age": "any",
    "year": 5,
    "a_drug": "none",
    "a_start": 0,
    "a_stop": 0,
    "a_taken": 100,
    "b_drug": "alendronate",
    "b_start": 0,
    "b_stop": 0,
    "b_taken": 100,
}
PEOPLE = 1000
KINDS = (N_("none"), N_("one"), N_("two"), N_("three or more"))  # further fractures, as Outcome counts them
LIMITS = (
    "Computed, not measured: rates after [gallagher2005; fit2_1998], recent fractures after [johansson2017], drugs "
    "after [fit1996; horizon2007; freedom_table; neer2001; arch2017]. Not a contest of drugs: each relative risk is "
    "from its own trial. Head to head, teriparatide beat risedronate [kendler2018], and romosozumab followed by "
    "alendronate beat alendronate [arch2017]. In two other trials women like these broke less often [fit1996; "
    "freedom_high_risk]."
)


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted with everything in range. Raises ValueError for what is not."""
    state: dict[str, Any] = START | wanted
    for name, (low, high) in RANGES.items():
        value = state[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}; give a whole number from {low} to {high}")
    for arm in ARMS:
        for name, known in ((f"{arm}_start", STARTS), (f"{arm}_stop", STOPS)):
            if state[name] not in known:
                raise ValueError(f"{name} is {state[name]!r}; it is one of {', '.join(map(str, known))}")
        _plan(state, arm)
    _person(state)
    return state


def _person(state: dict[str, Any]) -> Person:
    return Person(state["who"], state["age"])


def _plan(state: dict[str, Any], arm: str) -> Plan:
    drug, start, stop, taken = (state[f"{arm}_{name}"] for name in ("drug", "start", "stop", "taken"))
    return Plan() if drug == "none" else Plan(drug, start, stop or math.inf, taken / 100)


def _unprotected(state: dict[str, Any], arm: str) -> bool:
    """Return whether denosumab is stopped with nothing after it."""
    return bool(state[f"{arm}_drug"] == "denosumab" and state[f"{arm}_stop"])


def _outcome(state: dict[str, Any], arm: str) -> Outcome:
    return cohort(_person(state), _plan(state, arm))


# --- words -----------------------------------------------------------------------------------------------------------


def people(share: float) -> int:
    """Return how many of 1,000 a share is."""
    return round(PEOPLE * share)


def counts(course: Any) -> list[int]:
    """Return 1,000 people by number of further fractures, none first: rounded, and all of them there."""
    broken = people(1 - float(course[0]))
    exact = [PEOPLE * float(share) for share in course[1:]]
    whole = [math.floor(each) for each in exact]
    for kind in sorted(range(len(exact)), key=lambda k: whole[k] - exact[k])[: broken - sum(whole)]:
        whole[kind] += 1
    return [PEOPLE - broken, *whole]


def _span(interval: Interval) -> str:
    return f"{people(interval.low)} to {people(interval.high)}".replace("-", "−")


def women(state: dict[str, Any]) -> str:
    """Return who the women are."""
    who = state["who"]
    if who == "0":
        return "women with low bone density and no vertebral fracture"
    if who in GRADES:
        said = f"women whose worst vertebral fracture is {who}"
    else:
        said = f"women with {WHO[who]} vertebral fracture{'s' if who != '1' else ''}"
    last = "" if who == "1" or who in GRADES else " the last"
    return said + {"any": "", "old": f",{last} ten years old", "new": f",{last} broken today"}[state["age"]]


def named(state: dict[str, Any], arm: str) -> str:
    """Return the plan of an arm in words."""
    drug, start, stop, taken = (state[f"{arm}_{name}"] for name in ("drug", "start", "stop", "taken"))
    if drug == "none":
        return "no drug"
    said = f"{drugs()[drug].label}, started {STARTS[start]}"
    if stop:
        said += f", stopped at {stop} year{'s' if stop > 1 else ''} with nothing after it"
    return said + (f", taken by {taken} %" if taken < 100 else "")


def readout(state: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a checked state."""
    month, year = 12 * state["year"], state["year"]
    first, second = (_outcome(state, arm) for arm in ARMS)
    on_a, on_b = first.broken(month), second.broken(month)
    spared = people(on_a.middle) - people(on_b.middle)
    within = f"within {year} year{'s' if year > 1 else ''}"
    a_further = "a" if state["who"] == "0" else "another"
    if spared > 0:
        verdict, grade = f"Plan B spares {spared} of 1,000 women {a_further} vertebral fracture {within}", "good"
        if _unprotected(state, "b"):
            verdict, grade = f"{verdict}, but leaves off denosumab unprotected", "warn"
        fate = (
            f"{spared} are spared ({_span(second.fewer_than(first, month))}), {people(on_b.middle)} break one all the "
            f"same, and {PEOPLE - people(on_a.middle)} would have broken none on plan A either. One is spared for "
            f"every {math.ceil(PEOPLE / spared)} women on plan B."
        )
    elif spared < 0:
        verdict, grade = f"On plan B {-spared} more of 1,000 women break a vertebra {within}", "bad"
        fate = "Plan A does better here."
    else:
        verdict, grade = f"Both plans come to the same {within}", "even"
        fate = "Nobody is spared."
    words = (
        f"Of 1,000 {women(state)}, {people(on_a.middle)} ({_span(on_a)}) break {a_further} vertebra {within} on plan A "
        f"({named(state, 'a')}). On plan B ({named(state, 'b')}) it is {people(on_b.middle)} ({_span(on_b)})."
    )
    return {"verdict": verdict, "grade": grade, "words": words, "fate": fate, "told": f"{verdict}. {words} {fate}"}


def warnings(state: dict[str, Any]) -> list[str]:
    """Return what must be said of the plans: the price of each drug, and of denosumab that is stopped."""
    said = []
    for name in dict.fromkeys(state[f"{arm}_drug"] for arm in ARMS):
        if name != "none":
            said.append(f"{drugs()[name].label.capitalize()}: {drugs()[name].given}. {drugs()[name].harm}")
    if any(_unprotected(state, arm) for arm in ARMS):
        seen = denosumab_stopped()
        said.append(
            f"Denosumab stopped with nothing after it, as measured in its trials: {seen.after:.0f} of 1,000 women "
            f"broke a vertebra in a year, against {seen.on:.0f} on the drug and {seen.after_placebo:.0f} after placebo "
            f"[cummings2018]. So the risk was back where it had been. But {seen.several_after:.0f} broke several, "
            f"against {seen.several_after_placebo:.0f} after placebo (61 and 39 % of those who broke any) "
            "[cummings2018]. Women on it for more than three years were the worst off [dmab2022]. Another "
            "antiresorptive drug belongs six months after the last injection [ects2021]."
        )
    return said


# --- pictures --------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT = 440, 590
LEFT, RIGHT, TOP, BOTTOM = 50, 426, 20, 246  # of the chart
FIELD = 304  # where the people begin
COLUMNS, STEP = 40, 11  # people in a row, and px from one to the next
ENDS = (100, 200, 400, 600, 800, 1000)  # people, where the axis may end
INKS = ("var(--fc-none, #c3ccd6)", "var(--fc-one, #c27a00)", "var(--fc-two, #b03a00)", "var(--fc-three, #5b1450)")
INK, SOFT = 'fill="var(--vt-ink, #17212b)"', 'fill="var(--vt-soft, #4d5a68)"'


def _end(state: dict[str, Any]) -> int:
    """Return where the axis ends: the same for both plans."""
    most = max(_outcome(state, arm).broken().high for arm in ARMS)
    return next(end for end in ENDS if end >= PEOPLE * most)


def _text(x: float, y: float, words: str, css: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {css}>{html.escape(words)}</text>'


def _chart(outcome: Outcome, year: int, end: int) -> str:
    """Return the stacked course of who broke again, with the interval of the whole."""

    def at(month: float, share: float) -> str:
        x = LEFT + (RIGHT - LEFT) * month / MONTHS
        return f"{x:.1f},{BOTTOM - (BOTTOM - TOP) * PEOPLE * share / end:.1f}"

    parts = []
    for tick in (end // 4 * k for k in range(5)):
        height = float(at(0, tick / PEOPLE).split(",")[1])
        parts.append(f'<path d="M{LEFT},{height:.1f}H{RIGHT}" stroke="var(--vt-line, #c3ccd6)"/>')
        parts.append(_text(LEFT - 8, height + 5, str(tick), SOFT, "end"))
    below = [0.0] * (MONTHS + 1)
    months = range(MONTHS + 1)
    for kind in (3, 2, 1):
        above = [low + float(share) for low, share in zip(below, outcome.course[:, kind], strict=True)]
        edge = [at(m, above[m]) for m in months] + [at(m, below[m]) for m in reversed(months)]
        parts.append(f'<path d="M{"L".join(edge)}Z" fill="{INKS[kind]}"/>')
        below = above
    for bound in ("low", "high"):
        line = "L".join(at(m, getattr(outcome.broken(m), bound)) for m in range(0, MONTHS + 1, 6))
        parts.append(
            f'<path d="M{line}" fill="none" stroke="var(--vt-ink, #17212b)" stroke-width="1.5" stroke-dasharray="5 4"/>'
        )
    month, total = 12 * year, outcome.broken(12 * year)
    x = float(at(month, 0).split(",")[0])
    parts.append(f'<path d="M{x:.1f},{TOP}V{BOTTOM}" stroke="var(--vt-ink, #17212b)" stroke-width="1.5"/>')
    parts.append(f'<circle cx="{x:.1f}" cy="{at(month, total.middle).split(",")[1]}" r="5" {INK}/>')
    for each in range(6):
        parts.append(_text(float(at(12 * each, 0).split(",")[0]), BOTTOM + 20, str(each), SOFT, "middle"))
    parts.append(_text((LEFT + RIGHT) / 2, BOTTOM + 40, "years", SOFT, "middle"))
    parts.append(_text(LEFT + 4, TOP - 6, "broke again, of 1,000", SOFT))
    return "".join(parts)


def _field(numbers: list[int], spared: int) -> str:
    """Return 1,000 people as dots: broken ones first, from the top left; after them, as rings, who is spared."""
    kinds = [kind for kind in (3, 2, 1) for _ in range(numbers[kind])] + [0] * numbers[0]
    paths: dict[int, list[str]] = {kind: [] for kind in range(4)}
    rings = []
    for person, kind in enumerate(kinds):
        x, y = STEP * (person % COLUMNS + 0.5), FIELD + STEP * (person // COLUMNS + 0.5)
        if kind == 0 and person < PEOPLE - numbers[0] + spared:
            rings.append(f"M{x - 3:g},{y:g}a3,3 0 1 0 6 0a3,3 0 1 0 -6 0")
        else:
            paths[kind].append(f"M{x:g},{y:g}h0")
    made = "".join(
        f'<path d="{"".join(path)}" stroke="{INKS[kind]}" stroke-width="8" stroke-linecap="round" fill="none"/>'
        for kind, path in paths.items()
        if path
    )
    if rings:
        made += f'<path d="{"".join(rings)}" fill="none" stroke="var(--vt-good, #00694f)" stroke-width="2.4"/>'
    return made


def figure(state: dict[str, Any], arm: str) -> str:
    """Return one plan as SVG text: the course over five years, and below it the 1,000 people at the chosen year."""
    outcome, month = _outcome(state, arm), 12 * state["year"]
    spared = 0
    if arm == "b":
        broken = [PEOPLE - counts(_outcome(state, each).course[month])[0] for each in ARMS]
        spared = max(0, broken[0] - broken[1])
    drawn = _chart(outcome, state["year"], _end(state)) + _field(counts(outcome.course[month]), spared)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="15">{drawn}</svg>'


def described(state: dict[str, Any], arm: str) -> str:
    """Return an arm's picture in words."""
    year = state["year"]
    none, one, two, three = counts(_outcome(state, arm).course[12 * year])
    return (
        f"Plan {arm.upper()}, {named(state, arm)}: after {year} year{'s' if year > 1 else ''} {none} of 1,000 have no "
        f"further fracture, {one} have one, {two} two, {three} three or more."
    )


def static_svg(state: dict[str, Any]) -> str:
    """Return both plans beside each other as one SVG picture."""
    parts = []
    for number, arm in enumerate(ARMS):
        left, inner = 20 + number * (WIDTH + 40), figure(state, arm)
        drawn = inner[inner.index(">") + 1 : -len("</svg>")]
        name = f"{arm.upper()}: {drugs()[state[f'{arm}_drug']].label}"
        parts.append(_text(left, 34, name, 'fill="#17212b" font-size="20" font-weight="700"'))
        parts.append(f'<g transform="translate({left} 60)">{drawn}</g>')
    legend = ""
    for number, kind in enumerate(KINDS):
        x = 30 + number * 165
        legend += f'<circle cx="{x}" cy="672" r="7" fill="{INKS[number]}"/>' + _text(x + 14, 677, f"{kind} more", INK)
    legend += '<circle cx="740" cy="672" r="6" fill="none" stroke="#00694f" stroke-width="3"/>'
    legend += _text(754, 677, "spared by plan B", INK)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 696" width="960" height="696" '
        'font-family="system-ui, sans-serif" font-size="15"><rect width="100%" height="100%" rx="10" fill="#fff"/>'
        f"{''.join(parts)}{legend}</svg>"
    )


# --- the widget ------------------------------------------------------------------------------------------------------


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked(wanted)
    month = 12 * state["year"]
    return {
        "seq": int(wanted.get("seq", 0)),
        "readout": readout(state),
        "warnings": warnings(state),
        "arms": {
            arm: {
                "figure": figure(state, arm),
                "described": described(state, arm),
                "counts": counts(_outcome(state, arm).course[month]),
                "span": _span(_outcome(state, arm).broken(month)),
            }
            for arm in ARMS
        },
    }


class FractureCascade(Asking):
    """The cascade on two plans, asked by its browser half."""

    _esm = module("cascade")
    _css = style("cascade")
    refusal = N_("The cascade could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on women with two old fractures, without a drug and on alendronate, or with what `start` says."""
        check_known("fracture_cascade", start, START)
        super().__init__(
            about={
                "numbers": labels({who: WHO[who] for who in NUMBERS}),
                "grades": labels({who: WHO[who] for who in GRADES}),
                "ages": labels({age: OLD[age] for age in AGES}),
                "drugs": {name: drug.label for name, drug in drugs().items()},
                "starts": [[value, label] for value, label in labels(STARTS).items()],
                "stops": [[value, label] for value, label in labels(STOPS).items()],
                "ranges": RANGES,
                "kinds": [_(kind) for kind in KINDS],
                "limits": LIMITS,
                "model": page("cascade").brief,
            },
            state=checked(start),
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Fracture cascade: {readout(self._state)['told']}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked({name: wanted[name] for name in START if name in wanted})
        return made

    def still(self) -> str:
        """Return a picture with its description."""
        said = html.escape(readout(self._state)["told"], quote=True)
        drawing = base64.b64encode(static_svg(self._state).encode()).decode()
        return (
            f'<figure><img alt="{said}" width="960" src="data:image/svg+xml;base64,{drawing}">'
            f"<figcaption>{said} {LIMITS} Start the lesson to change the women and the plans.</figcaption></figure>"
        )


def fracture_cascade(**start: Any) -> FractureCascade:
    """Return the cascade; `start` may set what it opens on, such as `who="severe"` or `b_drug="denosumab"`."""
    return FractureCascade(**start)
