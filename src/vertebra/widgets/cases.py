"""An unfolding case: one scene at a time, a clock that runs, decisions that count, a hand-over note and a debrief."""

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vertebra.assets import AssetError
from vertebra.evidence.references import cite, references
from vertebra.language import N_, _
from vertebra.quiz import case_files, case_pictures, cases, handover
from vertebra.quiz.case_log import CaseLog, Run, run_of
from vertebra.quiz.cases import (
    Case,
    Decision,
    Film,
    Finding,
    Mri,
    Option,
    Picture,
    Result,
    Scored,
    State,
    spelt,
)
from vertebra.quiz.items import BankError
from vertebra.widgets.asking import Asking, module, style
from vertebra.widgets.quiz import QuizError

FILE = "case_runs.json"
ENOUGH = 200  # letters of a note before the model note is shown beside it
STANDING = N_("Teaching, not medical advice. Not yet reviewed by a clinician. The patient is invented.")
LIMITS = (
    "A case written by its authors: it knows the ways that were thought of and no others. Times are typical guesses, "
    "consequences are told as certain where in life they are chances, and the score counts key features, not a doctor."
)


# --- words and parts -------------------------------------------------------------------------------------------------


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a YAML text."""
    return [part.strip() for part in text.split("\n") if part.strip()]


def points(total: float, of: int) -> str:
    """Return a score as it is printed: "7.5 of 10"."""
    return _("{n} of {all}").format(n=f"{total * of:.1f}".removesuffix(".0"), all=of)


def told(state: State, text: str, minute: int) -> str:
    """Return a text with the time of day of `minute` in place of {time}."""
    return text.replace("{time}", state.case.time(minute))


def _known(state: State, findings: Iterable[Finding], minute: int) -> list[list[str]]:
    return [[each.name, told(state, each.value, minute)] for each in findings if each.when.holds(state.facts)]


def _as_shown(scene: cases.Scene) -> list[Option]:
    """Return a scene's options in an order that says nothing about the key but is the same on every run."""
    assert scene.decision is not None, "asked only of scenes with a decision"
    return sorted(
        scene.decision.options, key=lambda option: hashlib.sha256(f"{scene.id}{option.text}".encode()).digest()
    )


def _pictures(pictures: Iterable[Picture]) -> list[dict[str, str]]:
    return [
        {"id": each.id, "alt": each.alt, "caption": each.caption, "note": case_pictures.note(each.spec)}
        for each in pictures
    ]


def pictures_of(case: Case) -> dict[str, Picture]:
    """Return every picture of a case by id."""
    found = [picture for scene in case.scenes for picture in scene.pictures]
    found += [
        picture
        for scene in case.scenes
        if scene.decision
        for option in scene.decision.options
        for picture in option.pictures
    ]
    return {picture.id: picture for picture in found}


def coming(state: State, decisions: int = 2) -> list[Film | Mri]:
    """Return the pictures that are, or after so many decisions may be, before the student's eyes, the nearest first.

    They are drawn while the student reads.
    """
    found: list[Film | Mri] = []
    scenes = [state.scene]
    for _step in range(decisions + 1):
        options = [option for scene in scenes if scene.decision for option in scene.decision.options]
        branches = [branch for scene in scenes if scene.decision for branch in scene.decision.then]
        shows = [*(scene.pictures for scene in scenes), *(option.pictures for option in options)]
        found += [picture.spec for pictures in shows for picture in pictures]
        after = {*(option.to for option in options), *(branch.to for branch in branches)} - {""}
        scenes = [state.case.scene_of[each] for each in sorted(after)]
    return found


# --- what the browser gets -------------------------------------------------------------------------------------------


def scene_of(state: State) -> dict[str, Any]:
    """Return the scene as the student sees it: nothing in it tells right from wrong."""
    scene, decision = state.scene, state.scene.decision
    texts = [scene.text, *(note.text for note in scene.notes if note.when.holds(state.facts))]
    shown: dict[str, Any] = {
        "number": len(state.choices) + 1,
        "title": scene.title,
        "minute": state.minute,
        "stamp": state.case.stamp(state.minute),
        "text": [part for text in texts for part in paragraphs(text)],
        "findings": _known(state, scene.findings, state.minute),
        "pictures": _pictures(scene.pictures),
        "ending": scene.ending,
    }
    if decision is None:
        return shown
    return shown | {
        "ask": decision.ask,
        "up_to": decision.up_to,
        "how": _how(decision),
        "options": [
            {"id": option.id, "text": option.text, "takes": spelt(option.minutes)} for option in _as_shown(scene)
        ],
    }


def _how(decision: Decision) -> str:
    if decision.up_to == 1 and not decision.in_turn:
        return _("Choose one.")
    count = _("Up to {n} earn credit; more than that earn nothing here.").format(n=decision.up_to)
    time = (
        _("You do them one after another: their times add up.")
        if decision.in_turn
        else _("All are begun at once: the case goes on when the longest is done.")
    )
    return f"{count} {time}"


def came_of(state: State) -> dict[str, Any] | None:
    """Return what came of the last decision, None before the first."""
    if not state.choices:
        return None
    before = cases.replay(state.case, state.choices[:-1])
    assert before.scene.decision is not None, "a choice was made there"
    chosen = before.scene.decision.chosen(state.choices[-1])
    ends = before.scene.decision.done_at(before.minute, chosen)
    return {
        "from": before.minute,
        "to": max(ends),
        "took": spelt(max(ends) - before.minute),
        "stamp": state.case.stamp(max(ends)),
        "later": spelt(state.minute - max(ends)) if state.minute > max(ends) else "",
        "rows": [
            {
                "text": option.text,
                "stamp": state.case.stamp(end),
                "consequence": told(state, option.consequence, end),
                "findings": _known(state, option.reveals, end),
                "pictures": _pictures(option.pictures),
            }
            for option, end in zip(chosen, ends, strict=True)
        ],
    }


def chart_of(state: State) -> list[list[str]]:
    """Return all that is known of the patient so far, in the order in which it was found."""
    rows: list[list[str]] = []
    for number, (scene, minute) in enumerate(_been(state)):
        rows += _known(state, scene.findings, minute)
        if number < len(state.choices) and scene.decision:
            chosen = scene.decision.chosen(state.choices[number])
            for option, end in zip(chosen, scene.decision.done_at(minute, chosen), strict=True):
                rows += _known(state, option.reveals, end)
    return rows


def _been(state: State) -> list[tuple[cases.Scene, int]]:
    """Return the scenes of a run and when each was reached."""
    return [(state.case.scene_of[event.id], event.minute) for event in state.events if event.kind == "scene"]


def so_far(state: State) -> list[dict[str, Any]]:
    """Return the decisions made: when, where and what."""
    rows = []
    for (scene, minute), ids in zip(_been(state), state.choices, strict=False):
        assert scene.decision is not None, "a choice was made there"
        chosen = [option.text for option in scene.decision.chosen(ids)]
        rows.append({"stamp": state.case.stamp(minute), "title": scene.title, "chosen": chosen})
    return rows


def debrief_of(state: State) -> dict[str, Any]:
    """Return everything that is shown once a case is over: score, clocks, harms, review, sources."""
    came = cases.result(state)
    count = len(came.features)
    return {
        "headline": _("{ending}. {points} key features.").format(
            ending=state.scene.ending, points=points(came.total, count)
        ),
        "score": came.total,
        "features": [_feature(each) for each in came.features],
        "lines": [_line(state, line) for line in came.lines if line.started is not None],
        "harms": [{"where": harm.scene.title, "text": harm.option.harm} for harm in came.harms],
        "statements": [{"text": note.text, "refs": cite(note.refs)} for note in came.debrief],
        "review": _review(state),
        "sources": _sources(state, came),
        "took": spelt(state.minute),
    }


def _feature(each: Scored) -> dict[str, Any]:
    if each.scene is None or each.scene.decision is None:
        said, tone = _("Your way did not reach it, so it earns nothing."), "wrong"
    else:
        decision, over = each.scene.decision, len(each.chosen) > each.scene.decision.up_to
        harmed = [option for option in each.chosen if option.harm]
        if each.share == 1:
            said, tone = "", "right"
        elif over:
            many = _("You chose {n}, and up to {most} count: too many earn nothing.")
            said = many.format(n=len(each.chosen), most=decision.up_to)
            tone = "wrong"
        elif harmed:
            harm = _("One choice did harm, which takes all credit: {choice}.")
            said, tone = harm.format(choice=harmed[0].text), "wrong"
        elif decision.up_to == 1:
            said, tone = _("You chose: {choice}.").format(choice=each.chosen[0].text), "wrong"
        else:
            hits = sum(option.key for option in each.chosen)
            wrong = sum(not option.key and not option.acceptable for option in each.chosen)
            said = (
                _("{right} right, {wrong} off the mark, each taking one away.").format(right=hits, wrong=wrong)
                if wrong
                else _("{right} right.").format(right=hits)
            )
            tone = "part" if each.share else "wrong"
    return {
        "text": each.feature.text,
        "share": f"{100 * each.share:.0f}\u00a0%",
        "tone": tone,
        "said": said,
        "missed": [option.text for option in each.missed],
    }


def _line(state: State, line: cases.Line) -> dict[str, Any]:
    taken, within = line.taken, line.clock.within
    over = state.minute - (line.started or 0)
    end = 1.15 * max(within, taken if taken is not None else min(over, 3 * within))
    told = (
        _("not done")
        if taken is None
        else _("done before the clock started")
        if taken == 0
        else _("{n} of {all}").format(n=spelt(taken), all=spelt(within))
    )
    return {
        "text": line.clock.text,
        "told": told,
        "kept": bool(line.kept),
        "limit": 100 * within / end,
        "bar": 100 * (taken if taken is not None else end) / end,
        "done": taken is not None,
        "within": spelt(within),
        "refs": cite(line.clock.refs),
    }


def _review(state: State) -> list[dict[str, Any]]:
    rows = []
    for (scene, minute), ids in zip(_been(state), state.choices, strict=False):
        assert scene.decision is not None, "a choice was made there"
        options = [_judged(option, option.id in ids) for option in _as_shown(scene)]
        stamp = state.case.stamp(minute)
        rows.append({"stamp": stamp, "title": scene.title, "ask": scene.decision.ask, "options": options})
    return rows


def _judged(option: Option, chosen: bool) -> dict[str, Any]:
    judged = (
        N_("right")
        if option.key
        else N_("acceptable")
        if option.acceptable
        else N_("harmful")
        if option.harm
        else N_("not the best choice")
    )
    tone = {"right": "right", "acceptable": "plain"}.get(judged, "wrong")
    return {
        "text": option.text,
        "chosen": chosen,
        "judged": _(judged),
        "tone": tone,
        "rationale": option.rationale,
        "refs": cite(option.refs),
    }


def _sources(state: State, came: Result) -> list[list[str]]:
    used: list[Sequence[str]] = [line.clock.refs for line in came.lines]
    used += [note.refs for note in came.debrief]
    for scene_id in state.visited:
        decision = state.case.scene_of[scene_id].decision
        used += [option.refs for option in (decision.options if decision else ())]
    known = references()
    ids = sorted({ref for refs in used for ref in refs} - {case_files.UNREFERENCED})
    return [[ref, known[ref].citation, known[ref].status] for ref in ids]


def handed_over(case: Case, note: Mapping[str, str], compared: bool) -> dict[str, Any]:
    """Return what was looked for in a note, and the model note once it is asked for and the note is long enough."""
    found = handover.looked_for(note, case.handover.checks)
    written = sum(len(part.strip()) for part in note.values())
    return {
        "checks": [{"text": each.check.text, "found": each.found, "words": each.words} for each in found],
        "count": _("{n} of {all} found").format(n=sum(each.found for each in found), all=len(found)),
        "written": written,
        "model": [[handover.PARTS[part], text] for part, text in case.handover.model]
        if compared and written >= ENOUGH
        else [],
    }


# --- the widget ------------------------------------------------------------------------------------------------------


class CaseWidget(Asking):
    """An unfolding case in a notebook; `case` builds it.

    wanted: {"seq", "choices": one list of option ids a decision, "note": {part: text}, "ticked": [numbers], "compared":
    whether the model note is asked for, "pictures": ids to draw}. shown: what came of these choices; of the pictures
    only those that are drawn, so that no answer waits for one: the browser asks again.
    """

    _esm = module("cases")
    _css = style("cases")
    refusal = N_("The case could not go on")

    def __init__(self, case: Case, folder: Path | str = "my_answers") -> None:
        """Show a case where the student left it; what was chosen is kept in the file of cases in `folder`."""
        self._case = case
        self._log = CaseLog(Path(folder) / FILE)
        self._notice = self._log.notice
        run = self._log.runs.get(case.id, Run(case.version))
        try:
            if run.version != case.version:
                raise ValueError("it is of another version")
            cases.replay(case, run.choices)
        except ValueError as error:
            lost = _("Your earlier run of this case cannot be taken up ({why}). It begins anew.")
            self._notice = lost.format(why=error)
            run = Run(case.version)
        self._run = run
        about = {
            "title": case.title,
            "about": case.about,
            "begins": case.begins,
            "features": len(case.key_features),
            "to": case.handover.to,
            "ask": case.handover.ask,
            "parts": [[part, name] for part, name in handover.PARTS.items()],
            "self_check": list(case.handover.self_check),
            "enough": ENOUGH,
            "standing": _(STANDING),
            "limits": f"{LIMITS} [unreferenced]",
        }
        choices = [list(each) for each in run.choices]
        state = {"choices": choices, "note": dict(run.note), "ticked": list(run.ticked)}
        super().__init__(about, {**state, "compared": False, "pictures": []})

    def __repr__(self) -> str:
        """Return one line without addresses or traits; where the student stands is no part of it."""
        return f"case {self._case.id!r}: {self._case.title}, {len(self._case.key_features)} key features"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return what came of the wanted choices, and remember them. Raises ValueError for what cannot be chosen."""
        record = {"version": self._case.version, **{name: wanted[name] for name in ("choices", "note", "ticked")}}
        run = run_of(record, "the case")
        state = cases.replay(self._case, run.choices)
        self._keep(run)
        if state.choices:  # before the first nobody may be reading
            for spec in coming(state):
                case_pictures.begin(spec)
        pictures = {name: _uri(pictures_of(self._case)[name]) for name in wanted["pictures"]}
        return {
            "seq": wanted["seq"],
            "choices": [list(each) for each in run.choices],
            "scene": scene_of(state),
            "came": came_of(state),
            "chart": chart_of(state),
            "so_far": so_far(state),
            "handover": handed_over(self._case, run.note, bool(wanted["compared"])) if state.ended else None,
            "debrief": debrief_of(state) if state.ended else None,
            "pictures": {name: uri for name, uri in pictures.items() if uri},
            "notice": self._notice,
        }

    def _keep(self, run: Run) -> None:
        if run == self._run:
            return
        self._run = run
        try:
            self._log.put(self._case.id, run)
            self._notice = self._log.notice
        except OSError as error:
            unkept = _(
                "{file} cannot be written to the folder {folder} ({why}). The case goes on, but it is forgotten when "
                "you close the lesson."
            )
            folder = self._log.path.parent.name or _("of this notebook")
            self._notice = unkept.format(file=FILE, folder=folder, why=error.strerror or error)

    def still(self) -> str:
        """Return the case's first scene without its key, as HTML for a page without a kernel."""
        first = scene_of(cases.start(self._case))
        said = "".join(f"<p>{html.escape(part)}</p>" for part in first["text"])
        found = "".join(f"<li>{html.escape(name)}: {html.escape(value)}</li>" for name, value in first["findings"])
        options = "".join(
            f"<li>{html.escape(option['text'])} ({html.escape(option['takes'])})</li>" for option in first["options"]
        )
        return (
            f"<section><h3>{html.escape(self._case.title)}</h3><p><em>{html.escape(STANDING)}</em></p>"
            f"<p>{html.escape(self._case.about)}</p><p><strong>{html.escape(first['stamp'])}. "
            f"{html.escape(first['title'])}</strong></p>{said}<ul>{found}</ul>"
            f"<p><strong>{html.escape(first['ask'])}</strong></p><ul>{options}</ul>"
            f"<p>Start the lesson to decide; what comes next depends on it.</p></section>"
        )


def _uri(picture: Picture) -> str:
    """Return the picture as a data address, "" while it is being drawn."""
    try:
        png = case_pictures.ready(picture.spec)
    except AssetError as error:  # the CT is missing or damaged; to be said on the page
        raise ValueError(f"the picture {picture.id} cannot be drawn, {error}") from None
    return "data:image/png;base64," + base64.b64encode(png).decode() if png else ""


def case(name: str = "t12_frail", folder: Path | str = "my_answers") -> CaseWidget:
    """Return an unfolding case by name; choices and notes are kept in `folder`/case_runs.json.

    Raises QuizError if there is no such case or it has faults.
    """
    try:
        return CaseWidget(case_files.load_case(case_files.find_case(name)), folder)
    except BankError as error:
        raise QuizError(str(error)) from None
