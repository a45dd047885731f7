"""A shared decision: the options of one patient on one or two sheets of paper, in people out of a hundred."""

import base64
import html
from typing import Any

from vertebra.evidence.decision import Outcome, Share, talk
from vertebra.evidence.references import cite
from vertebra.evidence.tables import table
from vertebra.language import N_
from vertebra.widgets.asking import Asking, check_known, module, style

START: dict[str, Any] = {"name": "", "stage": "weeks", "matters": [], "words": "", "teach": ""}
LONGEST = {"name": 40, "words": 160, "teach": 200}  # characters: what two sheets of paper have room for
GROUPS = {"benefit": "What may get better", "harm": "What may go wrong"}
FOOT = (
    "Teaching, not medical advice. Not yet reviewed by a clinician. This page does not say what to choose. Dark and "
    "paler figures together are the number given; the dark ones are the least, the faint ones the most that the study "
    "leaves open (95 % interval)."
)


def checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what was wanted, complete. Raises ValueError for what is unknown or too long."""
    state: dict[str, Any] = START | {name: value for name, value in wanted.items() if name in START}
    page = talk()
    if state["stage"] not in page.stages:
        raise ValueError(f"stage is {state['stage']!r}; it is one of {', '.join(page.stages)}")
    if not isinstance(state["matters"], list) or any(each not in page.matters for each in state["matters"]):
        raise ValueError(f"matters is {state['matters']!r}; give a list of {', '.join(page.matters)}")
    for name, most in LONGEST.items():
        if not isinstance(state[name], str) or len(state[name]) > most:
            raise ValueError(f"{name} is longer than {most} characters, or no text; write less")
    return state


# --- people ----------------------------------------------------------------------------------------------------------


def _person(x: float, y: float) -> str:
    """Return the outline of a person in a square of 10 at x, y as part of an SVG path."""
    head = f"M{x + 3.2:g},{y + 1.9:g}a1.8,1.8 0 1,0 3.6,0a1.8,1.8 0 1,0 -3.6,0z"
    return f"{head}M{x + 2.2:g},{y + 9.4:g}v-3.6a2,2 0 0,1 2,-2h1.6a2,2 0 0,1 2,2v3.6z"


def _square(x: float, y: float) -> str:
    return f"M{x + 1.5:g},{y + 1.5:g}h7v7h-7z"


def people(share: Share, of: int) -> str:
    """Return a share as `of` people in SVG: surely meant, meant, perhaps meant, and the rest."""
    low, middle, high = share.icons(of)
    across = 10 if of == 100 else 100
    drawn = {"sure": "", "meant": "", "perhaps": "", "rest": ""}
    for number in range(of):
        row, column = divmod(number, across)
        kind = "sure" if number < low else "meant" if number < middle else "perhaps" if number < high else "rest"
        drawn[kind] += (_person if of == 100 else _square)(10 * column, 10 * row)
    # Beside their colour the kinds differ in weight, so that they print in black and white.
    look = {
        "sure": 'fill="currentColor"',
        "meant": 'fill="currentColor" fill-opacity="0.75"',
        "perhaps": 'fill="currentColor" fill-opacity="0.3" stroke="currentColor" stroke-width="0.6"',
        "rest": 'fill="none" stroke="#7d8894" stroke-width="0.5"',
    }
    paths = "".join(f'<path class="sd-{kind}" {look[kind]} d="{path}"/>' for kind, path in drawn.items() if path)
    label = html.escape(counted(share, of), quote=True)
    height = 10 * of // across
    return f'<svg viewBox="0 0 {10 * across} {height}" role="img" aria-label="{label}">{paths}</svg>'


def counted(share: Share, of: int) -> str:
    """Return a share in words: how many of `of`, and between which numbers."""
    low, middle, high = share.icons(of)
    between = f" ({low} to {high})" if low < high else ""
    return f"{middle} of {of:,}{between}"


# --- the sheet -------------------------------------------------------------------------------------------------------


def _refs(*ids: str) -> str:
    return f' <span class="sd-ref">{cite(ids)}</span>'


def _outcome(each: Outcome) -> str:
    arms = "".join(
        f'<figure class="sd-arm sd-{each.group}"><figcaption>{html.escape(arm.label)}<br>'
        f"<b>{counted(arm, each.of).replace('(', '<span>(').replace(')', ')</span>')}</b></figcaption>"
        f"{people(arm, each.of)}</figure>"
        for arm in each.arms
    )
    blind = " Nobody knew who had cement." if each.blind else ""
    note = f' <span class="sd-small">{html.escape(each.note)}</span>' if each.note else ""
    return (
        f'<section class="sd-outcome sd-of-{each.of}"><h4>{html.escape(each.title)}</h4>'
        f'<p class="sd-small">In {html.escape(each.who)}.{blind}</p><div class="sd-arms">{arms}</div>'
        f"<p>{html.escape(each.plain)}{note}{_refs(*each.refs)}</p></section>"
    )


def _list(items: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _sham(stage: str) -> str:
    """Return what the trials with a pretend treatment found, those of patients like this one first."""
    page = talk()
    like = page.stages[stage][1]
    rows = []
    for trial in sorted(page.sham, key=lambda each: each.id not in like):
        gap = ""
        if trial.points is not None and trial.interval:
            low, high = (f"{value:+.1f}".replace("-", "−") for value in trial.interval)
            which = "for cement" if trial.direction_read else "(its direction not compared with the paper)"
            gap = f" <b>{trial.points:+.1f}</b> points of 10 {which}, {low} to {high}, {html.escape(trial.when)}."
        badge = '<span class="sd-like">pain as long as yours</span> ' if trial.id in like else ""
        rows.append(f"{badge}{html.escape(trial.trial)}. {html.escape(trial.says)}{gap}{_refs(*trial.refs)}")
    return (
        f"<p>{html.escape(page.sham_means.says)}{_refs(*page.sham_means.refs)} "
        f"{html.escape(page.sham_open.says)}{_refs(*page.sham_open.refs)}</p>"
        f"{_list(rows)}"
    )


def sheet(state: dict[str, Any]) -> str:
    """Return the page as HTML, for the screen and for paper."""
    page = talk()
    whom = f" for {html.escape(state['name'])}" if state["name"] else ""
    options = "".join(
        f'<section class="sd-option"><h4>{html.escape(each.name)}</h4><p>{html.escape(each.what)}</p>'
        f"<p><b>Harm:</b> {html.escape(each.harm)}{_refs(*each.refs)}</p></section>"
        for each in page.options
    )
    groups = "".join(
        f'<div class="sd-{group}s"><h3>{title}</h3><div class="sd-outcomes">'
        f"{''.join(_outcome(each) for each in page.outcomes if each.group == group)}</div></div>"
        for group, title in GROUPS.items()
    )
    said = {
        "Rare, and what we cannot count": [html.escape(each.says) + _refs(*each.refs) for each in page.rare],
        "What nobody knows": [html.escape(each.says) + _refs(*each.refs) for each in page.unknown],
        "Ask your doctor": [html.escape(each) for each in page.questions],
    }
    lists = "".join(
        f'<section class="sd-list"><h3>{title}</h3>{_list(items)}</section>' for title, items in said.items()
    )
    matters = [html.escape(page.matters[each]) for each in state["matters"]]
    own = f"<p><b>In my words:</b> {html.escape(state['words'])}</p>" if state["words"] else ""
    back = f"<p><b>What I understood:</b> {html.escape(state['teach'])}</p>" if state["teach"] else ""
    mine = (
        f'<section class="sd-mine"><h3>What matters to me</h3>'
        f"{_list(matters) if matters else '<p>Not filled in yet.</p>'}{own}{back}</section>"
    )
    return (
        f'<article class="sd-sheet"><h2>A broken bone in the back: what can I do?{whom}</h2>'
        f"<p>{html.escape(page.lead)}</p>"
        f'<h3>Three ways</h3><div class="sd-options">{options}</div>'
        f"<h3>How much of the relief is the cement?</h3>{_sham(state['stage'])}{groups}"
        f'<div class="sd-lists">{lists}</div>{mine}'
        f'<p class="sd-always"><b>Your bones.</b> {html.escape(page.always.says)}{_refs(*page.always.refs)}</p>'
        f'<p class="sd-warning"><b>Call at once.</b> {html.escape(page.warning.says)}{_refs(*page.warning.refs)}</p>'
        f'<p class="sd-foot">{FOOT}</p></article>'
    )


def describe(state: dict[str, Any]) -> str:
    """Return in one sentence whose sheet it is and what matters to that person."""
    page = talk()
    matters = "; ".join(page.matters[each].lower() for each in state["matters"]) or "not filled in"
    whom = state["name"] or "a patient"
    return f"Sheet for {whom}, pain: {page.stages[state['stage']][0].lower()}; what matters: {matters}."


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the browser half shows in answer to what it wanted."""
    state = checked(wanted)
    return {"seq": int(wanted.get("seq", 0)), "sheet": sheet(state), "told": describe(state)}


class SharedDecision(Asking):
    """The page, asked by its browser half."""

    _esm = module("decision")
    _css = style("decision")
    refusal = N_("The page could not use that")

    def __init__(self, **start: Any) -> None:
        """Open on a blank sheet for pain of up to nine weeks, or on what `start` says."""
        check_known("shared_decision", start, START)
        page = talk()
        super().__init__(
            about={
                "stages": {name: title for name, (title, _) in page.stages.items()},
                "matters": dict(page.matters),
                "longest": LONGEST,
                "paper": style("decision"),
            },
            state=checked(start),
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"Shared decision: {describe(self._state)}"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown for what is wanted."""
        made = shown(wanted)
        self._state = checked(wanted)
        return made

    def still(self) -> str:
        """Return the sheet's numbers as a table, with the people of its first benefit and first harm as pictures."""
        page = talk()
        rows = [
            (
                html.escape(each.title),
                "<br>".join(f"{html.escape(arm.label)}: {counted(arm, each.of)}" for arm in each.arms),
                f"{html.escape(each.plain)} {cite(each.refs)}",
            )
            for each in page.outcomes
        ]
        trials = "".join(f"<li>{html.escape(each.says)} {cite(each.refs)}</li>" for each in page.sham)
        shown_first = (next(each for each in page.outcomes if each.group == group) for group in GROUPS)
        return (
            f"{''.join(map(_figure, shown_first))}"
            f"<p>{html.escape(page.sham_means.says)} {cite(page.sham_means.refs)}</p><ul>{trials}</ul>"
            f"{table(('What', 'How many', 'In words'), rows)}"
            f"<p>{FOOT} Start the lesson to fill in the page and to print it.</p>"
        )


def _figure(each: Outcome) -> str:
    """Return an outcome's people as pictures for a page without a kernel."""
    colour = {"benefit": "#00694f", "harm": "#a8321a"}[each.group]
    drawn = []
    for arm in each.arms:
        file = people(arm, each.of).replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" color="{colour}" ')
        alt = html.escape(f"{each.title}, {arm.label}: {counted(arm, each.of)}", quote=True)
        data = base64.b64encode(file.encode()).decode()
        drawn.append(f'<img alt="{alt}" width="170" src="data:image/svg+xml;base64,{data}"> ')
    told = "; ".join(f"{arm.label} {counted(arm, each.of)}" for arm in each.arms)
    words = html.escape(f"{each.title}: {told}. {each.plain} {cite(each.refs)}")
    return f"<figure>{''.join(drawn)}<figcaption>{words}</figcaption></figure>"


def shared_decision(**start: Any) -> SharedDecision:
    """Return the page; `start` may set what it opens on, such as `name="Mrs A."` or `stage="early"`."""
    return SharedDecision(**start)
