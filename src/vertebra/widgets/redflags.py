"""Red flags: tick what a patient tells and shows, see how likely a fracture is, and what must be done by when."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vertebra.evidence.redflags import (
    PEOPLE,
    Crowd,
    Danger,
    Interval,
    crowd,
    decision,
    independent,
    post_test,
    redflags,
    strongest,
    urgent,
)
from vertebra.evidence.references import cite
from vertebra.language import N_
from vertebra.widgets.asking import Asking, check_known, module, style

HERE = Path(__file__).parent
THRESHOLDS = (1, 50)  # %
START: dict[str, Any] = {"setting": "primary", "findings": ["steroid"], "flags": [], "threshold": 10}
WHERE = {
    "primary": "in general practice",
    "emergency": "in an emergency department",
    "suspected": "in a clinic for suspected fractures",
}
WITH = {
    "age": "who are older",
    "trauma": "who were injured",
    "steroid": "who take corticosteroids",
    "height": "who have lost more than 6 cm",
    "wall": "whose occiput does not reach the wall",
    "rib": "whose ribs come within two fingers of the pelvis",
    "percussion": "who feel sharp pain on percussion",
    "supine": "who cannot lie flat",
}
GROUPS = {"history": "History", "examination": "Examination"}
TIERS = {"now": "Now", "today": "Today", "days": "Soon"}
LIMITS = (
    "What studies leave open, not a score. The ratios come from few studies in other people [williams2013; "
    "langdon2010; siminoski2006; green2004; abe2008]; the review that replaced the first of them was not read. No "
    "source gives a threshold for a picture: that is yours. An absent finding is not counted and excludes nothing. "
    "[unreferenced]"
)
NONE_TICKED = "Nothing is ticked. Is it absent, or have you not asked and not examined?"


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted with everything known and in range. Raises ValueError for what is not."""
    state = START | wanted
    known = redflags()
    if state["setting"] not in known.settings:
        raise ValueError(f"setting is {state['setting']!r}; it is one of {', '.join(known.settings)}")
    for name, all_of_them in (("findings", known.findings), ("flags", known.flags)):
        ticked = state[name]
        if not isinstance(ticked, list | tuple) or not set(ticked) <= all_of_them.keys():
            raise ValueError(f"{name} is {ticked!r}; give a list of some of {', '.join(all_of_them)}")
        state[name] = [each for each in all_of_them if each in ticked]
    share, (low, high) = state["threshold"], THRESHOLDS
    if isinstance(share, bool) or not isinstance(share, int | float) or not low <= share <= high:
        raise ValueError(f"threshold is {share!r}; give a number from {low} to {high}")
    return state


# --- what is computed ------------------------------------------------------------------------------------------------


def prior(state: dict[str, Any]) -> Interval:
    """Return the probability before anything was asked."""
    return redflags().settings[state["setting"]].prior


def ratios(state: dict[str, Any]) -> list[Interval]:
    """Return the likelihood ratios of what is ticked."""
    return [redflags().findings[name].ratio for name in state["findings"]]


def after(state: dict[str, Any]) -> Interval:
    """Return the probability after the strongest finding alone."""
    return strongest(prior(state), ratios(state))


# --- words -----------------------------------------------------------------------------------------------------------


def percent(share: float) -> str:
    """Return a share as it is printed, in % without the sign: one decimal below 10."""
    return f"{100 * share:.1f}" if share < 0.0995 else f"{100 * share:.0f}"


def spread(probability: Interval) -> str:
    """Return an interval as text in %."""
    low, high = percent(probability.low), percent(probability.high)
    return f"{low} %" if low == high else f"{low} to {high} %"


def people(counted: Crowd) -> str:
    """Return how many of a thousand have a fracture."""
    most = counted.surely + counted.perhaps
    return f"{counted.surely} to {most}" if counted.perhaps else f"{most}"


def ratio_text(ratio: Interval) -> str:
    """Return a likelihood ratio as text, two significant digits."""
    return " to ".join(f"{end:.1f}".removesuffix(".0") if end < 10 else f"{end:.0f}" for end in (ratio.low, ratio.high))


def _company(state: dict[str, Any]) -> str:
    """Say of whom the second crowd consists."""
    where, ticked = WHERE[state["setting"]], state["findings"]
    if len(ticked) == 1:
        return f"people with back pain {where} {WITH[ticked[0]]}"
    if ticked:
        return f"people with back pain {where}, going by the strongest finding alone"
    return f"people with back pain {where}"


def readout(state: dict[str, Any]) -> dict[str, str]:
    """Return what is said of a checked state."""
    told, share = urgent(state["flags"]), f"{state['threshold']:g} %"
    frequency = f"Of {PEOPLE} {_company(state)}, {people(crowd(after(state)))} have a vertebral fracture."
    if told and told[0].tier == "now":
        grade, verdict = "now", f"Act now: {told[0].name} ({told[0].clock})"
        below = f"{frequency} That does not matter at this moment: what must be done does not wait for it."
    else:
        grade, verdict = decision(after(state), state["threshold"] / 100), frequency
        below = {
            "above": f"All of it lies above your threshold of {share}: you would take a picture.",
            "below": f"All of it lies below your threshold of {share}: no picture for this reason alone.",
            "across": f"Your threshold of {share} lies within it: these numbers cannot decide, you do.",
        }[grade]
        if told:
            below += f" Whatever the number: {told[0].name} ({told[0].clock})."
    return {"grade": grade, "verdict": verdict, "below": below, "told": f"{verdict} {below} {together(state)}".strip()}


def together(state: dict[str, Any]) -> str:
    """Say what several findings say together; nothing for fewer than two."""
    number = len(state["findings"])
    if number < 2:
        return ""
    product = people(crowd(independent(prior(state), ratios(state))))
    return (
        f"Together the {number} findings say at least as much as the strongest, if none takes back what another says. "
        f"If they were independent it would be {product} in {PEOPLE}. They keep company, so nobody knows. "
        "[unreferenced]"
    )


def rows(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the bars: before, after each finding alone, and several as if independent."""

    def bar(kind: str, label: str, note: str, probability: Interval) -> dict[str, Any]:
        ends = {"low": probability.low, "high": probability.high, "text": spread(probability)}
        return {"kind": kind, "label": label, "note": note, **ends}

    known, before = redflags(), prior(state)
    setting = known.settings[state["setting"]]
    made = [bar("prior", "Before", f"{setting.name} {cite(setting.refs)}", before)]
    for name in state["findings"]:
        finding = known.findings[name]
        note = f"ratio {ratio_text(finding.ratio)} {cite(finding.refs)}"
        made.append(bar("single", finding.name, note, post_test(before, finding.ratio)))
    if len(state["findings"]) > 1:
        every = independent(before, ratios(state))
        made.append(bar("product", "All, if they were independent", "an upper picture, not a result", every))
    return made


def caveats(state: dict[str, Any]) -> str:
    """Say what the ticked findings do not say."""
    known, said = redflags().findings, []
    if any(known[name].tells_of == "any" and known[name].group == "examination" for name in state["findings"]):
        said.append("Height, wall and ribs tell of any fracture, also of one that is ten years old.")
    if any(known[name].tells_of == "fresh" for name in state["findings"]) and state["setting"] != "suspected":
        said.append(
            "Percussion and lying flat were measured in people already suspected of a fracture; among all with back "
            "pain they may mislead more."
        )
    return " ".join([together(state), *said]).strip() + (" [unreferenced]" if said else "")


def actions(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what must be done, the shortest clock first."""

    def told(danger: Danger) -> dict[str, str]:
        return {
            "id": danger.id,
            "tier": danger.tier,
            "when": TIERS[danger.tier],
            "name": danger.name,
            "clock": danger.clock,
            "who": danger.who,
            "what": danger.action,
            "refs": cite(danger.refs),
        }

    return [told(danger) for danger in urgent(state["flags"])]


# --- pictures --------------------------------------------------------------------------------------------------------

COLUMNS, CELL, TALL = 40, 8.0, 9.6  # a thousand people in 25 rows; width and height of a place
PERSON = "M2.3,2.4a1.7,1.7 0 1,0 3.4,0a1.7,1.7 0 1,0 -3.4,0ZM1.4,8.7v-1.6a2.6,2.6 0 0,1 5.2,0v1.6Z"
LOOKS = {
    "surely": 'fill="var(--rf-surely, #a8321a)"',
    "perhaps": 'fill="none" stroke="var(--rf-surely, #a8321a)" stroke-width="0.9"',
    "rest": 'fill="var(--rf-rest, #b9c3cd)"',
}


def places(start: int, end: int) -> str:
    """Return the path of the places from `start` up to `end`, row by row: at most three rectangles."""
    path = []
    while start < end:
        row, column = divmod(start, COLUMNS)
        full = column == 0 and end - start >= COLUMNS
        deep = (end - start) // COLUMNS if full else 1
        wide = COLUMNS if full else min(COLUMNS - column, end - start)
        x, y = CELL * column, TALL * row
        path.append(f"M{x:g},{y:.1f}h{CELL * wide:g}v{TALL * deep:.1f}h{-CELL * wide:g}Z")
        start += wide * deep
    return "".join(path)


def crowd_svg(counted: Crowd, name: str) -> str:
    """Return a thousand people as SVG text: with a fracture, perhaps with one, without. `name` keeps its ids apart.

    Each kind is one path that is filled with a pattern of one person, so that the text stays short.
    """
    wide, high = CELL * COLUMNS, TALL * PEOPLE / COLUMNS
    drawn, start = "", 0
    for kind, look in LOOKS.items():
        end = start + getattr(counted, kind)
        pattern = f"rf-{kind}-{name}"
        drawn += (
            f'<pattern id="{pattern}" width="{CELL:g}" height="{TALL}" patternUnits="userSpaceOnUse">'
            f'<path d="{PERSON}" {look}/></pattern><path d="{places(start, end)}" fill="url(#{pattern})"/>'
        )
        start = end
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}">{drawn}</svg>'


def crowds(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the two crowds, before and after, each with its picture and its description."""
    made = []
    for name, title, probability in (
        ("before", f"{PEOPLE} people with back pain {WHERE[state['setting']]}", prior(state)),
        ("after", f"{PEOPLE} {_company(state)}", after(state)),
    ):
        counted = crowd(probability)
        said = f"{people(counted)} with a fracture"
        described = (
            f"{title}: {counted.surely} filled figures have a fracture even at the low end, {counted.perhaps} outlined "
            f"ones more at the high end, {counted.rest} pale ones have none."
        )
        svg = crowd_svg(counted, f"rf-id-{name}")
        made.append({"name": name, "title": title, "said": said, "described": described, "svg": svg})
    return made


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked({name: wanted[name] for name in START if name in wanted})
    return {
        "seq": int(wanted.get("seq", 0)),
        "readout": readout(state),
        "crowds": crowds(state),
        "rows": rows(state),
        "caveats": caveats(state),
        "actions": actions(state),
        "threshold": state["threshold"] / 100,
    }


def static_svg(state: dict[str, Any]) -> str:
    """Return both crowds over the bars as one SVG picture."""
    wide, left, top = 970, 330, 416
    bars = rows(state)
    high = top + 46 * len(bars) + 60
    right, parts = wide - 150, []

    def write(x: float, y: float, text: str, look: str = 'fill="#17212b"', anchor: str = "start") -> None:
        parts.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {look}>{html.escape(text)}</text>')

    for place, each in enumerate(crowds(state)):
        x = 24 + place * 480
        title, _, rest = each["title"].partition(" with back pain ")
        write(x, 34, f"{title} with back pain", 'fill="#4d5a68"')
        write(x, 54, rest, 'fill="#4d5a68"')
        write(x, 80, each["said"], 'fill="#17212b" font-size="19" font-weight="700"')
        inner = each["svg"].replace("<svg ", f'<svg x="{x}" y="94" width="352" height="264" ', 1)
        parts.append(inner)

    write(24, 382, "filled: at the low end; outlined: at the high end; pale: no fracture", 'fill="#4d5a68"')

    def at(share: float) -> float:
        return left + share * (right - left)

    bottom = top + 46 * len(bars)
    line = at(state["threshold"] / 100)
    parts.append(
        f'<path d="M{line:.1f},{top - 10}V{bottom}" stroke="#7a5200" stroke-width="2" stroke-dasharray="3 4"/>'
    )
    for i, each in enumerate(bars):
        y = top + 46 * i + 18
        write(left - 14, y, each["label"], 'fill="#17212b" font-weight="600"', "end")
        look = 'fill="none" stroke="#00619e" stroke-width="2" stroke-dasharray="5 4"'
        if each["kind"] != "product":
            look = f'fill="{"#4d5a68" if each["kind"] == "prior" else "#00619e"}"'
        size = f'x="{at(each["low"]):.1f}" y="{y - 14}" width="{max(at(each["high"]) - at(each["low"]), 3):.1f}"'
        parts.append(f'<rect {size} height="18" rx="3" {look}/>')
        # The threshold may run behind the numbers: they stand on paper of their own.
        halo = 'fill="#17212b" stroke="#fff" stroke-width="5" paint-order="stroke"'
        write(at(each["high"]) + 10, y, each["text"], halo)
    parts.append(f'<path d="M{left},{bottom}H{right}" stroke="#4d5a68" stroke-width="2"/>')
    for tick in range(0, 101, 20):
        write(at(tick / 100), bottom + 22, f"{tick} %", 'fill="#4d5a68"', "middle")
    write(line, bottom + 44, "your threshold", 'fill="#7a5200"', "middle")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        'font-family="system-ui, sans-serif" font-size="15"><rect width="100%" height="100%" rx="10" fill="#fff"/>'
        f"{''.join(parts)}</svg>"
    )


# --- the widget ------------------------------------------------------------------------------------------------------


def _choices(parts: Sequence[Any], more: Any) -> list[dict[str, str]]:
    return [{"id": part.id, "name": part.name, **more(part)} for part in parts]


class RedFlagExplorer(Asking):
    """Red flags, asked by its browser half."""

    _esm = module("redflags")
    _css = style("redflags")
    refusal = N_("The explorer could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on somebody on corticosteroids in general practice, or on what `start` says."""
        check_known("red_flag_explorer", start, START)
        known = redflags()
        super().__init__(
            about={
                "settings": _choices(
                    list(known.settings.values()),
                    lambda each: {"note": spread(each.prior), "says": f"{each.says} {cite(each.refs)}"},
                ),
                "findings": _choices(
                    list(known.findings.values()),
                    lambda each: {
                        "group": GROUPS[each.group],
                        "note": f"ratio {ratio_text(each.ratio)}",
                        "how": each.how,
                        "says": f"{each.says} Measured in {each.measured_in}; {each.ratio_by}. {cite(each.refs)}",
                    },
                ),
                "flags": _choices(list(known.flags.values()), lambda each: {}),
                "thresholds": THRESHOLDS,
                "none": NONE_TICKED,
                "limits": LIMITS,
            },
            state=checked(start),
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Red flags: {readout(self._state)['told']}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked({name: wanted[name] for name in START if name in wanted})
        return made

    def still(self) -> str:
        """Return a picture with its description, and what must be done."""
        seen = " ".join(each["described"] for each in crowds(self._state))
        told = html.escape(f"{readout(self._state)['told']} {caveats(self._state)}", quote=True)
        drawing = base64.b64encode(static_svg(self._state).encode()).decode()
        do = "".join(
            f"<li><strong>{html.escape(each['name'])}, {html.escape(each['clock'])}.</strong> "
            f"{html.escape(each['what'])} {html.escape(each['who'])}. {each['refs']}</li>"
            for each in actions(self._state)
        )
        return (
            f'<figure><img alt="{html.escape(seen, quote=True)}" width="970" '
            f'src="data:image/svg+xml;base64,{drawing}"><figcaption>{told} {html.escape(LIMITS)} Start the lesson to '
            f"tick findings and dangers.</figcaption></figure>{f'<ol>{do}</ol>' if do else ''}"
        )


def red_flag_explorer(**start: Any) -> RedFlagExplorer:
    """Return the explorer; `start` may set what it opens on, such as `setting="emergency"` or `flags=["saddle"]`."""
    return RedFlagExplorer(**start)
