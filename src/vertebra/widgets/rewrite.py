"""Rewrite a misleading paragraph for a patient: what can be counted is counted, the rest the writer must judge."""

import html
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertebra.evidence.claims import claims
from vertebra.evidence.references import cited, references
from vertebra.evidence.rewrites import Exercise, checklist, exercises
from vertebra.evidence.shape import UNREFERENCED
from vertebra.language import N_, _
from vertebra.quiz.responses import set_aside, write_whole
from vertebra.widgets.asking import Asking, module, style

LONGEST = 6000  # characters; a text for a patient needs a sixth of that
LEAST_WORDS = 30  # before the model answer is shown
LIMITS = (
    "This list counts words and syllables. It cannot see whether a number is right or belongs to the claim, whether a "
    "harm is named or denied (“no leaks” counts as a harm), whether the comparator is the fair one, or whether a "
    "patient would understand. A list of the right words passes; a good text may fail for one it said otherwise."
)


# --- what is kept -----------------------------------------------------------------------------------------------------


class Drafts:
    """The texts of one student, each a plain text file `rewrite_<exercise>.txt`; `notice` is what became of one.

    A file that is not text, or that somebody else has changed since it was read, is renamed and never overwritten.
    """

    def __init__(self, folder: Path | str) -> None:
        """Read what there is; nothing is written before `keep`."""
        self._folder = Path(folder).absolute()  # a notebook may change its working folder
        self.notice = ""
        self._known = {name: self._read(name) for name in exercises()}
        damaged = [self._file(name).name for name, text in self._known.items() if text is None]
        if damaged:
            unread = _("{files} cannot be read as text. Your next change begins a new file.")
            self.notice = unread.format(files=_(" and ").join(damaged))

    def _file(self, name: str) -> Path:
        return self._folder / f"rewrite_{name}.txt"

    def _read(self, name: str) -> str | None:
        """Return the text of a draft, "" if there is none, None if its file is no text."""
        if not os.path.lexists(self._file(name)):
            return ""
        try:
            return self._file(name).read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            return None

    def text(self, name: str) -> str:
        """Return the draft of an exercise."""
        return self._known[name] or ""

    def keep(self, name: str, text: str) -> None:
        """Remember a draft and write its file. Raises OSError when it cannot be written; it stays remembered."""
        there, before = self._read(name), self._known[name]
        self._known[name] = text
        self._folder.mkdir(parents=True, exist_ok=True)
        if there is None or (there != before and there not in ("", text)):
            kept = (
                _("Your earlier file could not be read. It was kept under the name {name}.")
                if there is None
                else _("Your earlier file had been changed elsewhere. It was kept under the name {name}.")
            )
            self.notice = kept.format(name=set_aside(self._file(name)))
        write_whole(self._file(name), text.encode())


# --- what is shown ----------------------------------------------------------------------------------------------------


def checked(wanted: Mapping[str, Any]) -> tuple[str, str, bool]:
    """Return the exercise wanted, the text, and whether the model is asked for. Raises ValueError for what is none."""
    name, text, compare = wanted.get("exercise"), wanted.get("text"), wanted.get("compare", False)
    if name not in exercises():
        raise ValueError(f"there is no exercise {name!r}; they are {', '.join(exercises())}")
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ValueError(f"the text must be words, at most {LONGEST} characters; shorten it")
    return name, text, compare is True


def model_of(exercise: Exercise) -> dict[str, Any]:
    """Return the model answer with its sources, and the claims that the paragraph was made of."""
    return {
        "text": exercise.model,
        "sources": [
            {"id": ref, "citation": references()[ref].citation, "status": references()[ref].status}
            for ref in cited(exercise.model)
            if ref != UNREFERENCED
        ],
        "claims": [
            {"claim": claim.claim, "verdict": claim.verdict, "appraisal": claim.appraisal, "refs": claim.refs}
            for claim in (claims()[each] for each in exercise.claims)
        ],
    }


def judged(exercise: Exercise, text: str, compare: bool) -> dict[str, Any]:
    """Return the checklist of a text, and the model answer once it is asked for and there is a text to compare."""
    checks, words = checklist(exercise, text), len(text.split())
    met = sum(check.met for check in checks)
    short = _("Write at least {least} words first; you have {words}.").format(least=LEAST_WORDS, words=words)
    return {
        "checks": [vars(check) for check in checks],
        "told": _("{met} of {all} counted; {words} words.").format(met=met, all=len(checks), words=words),
        "model": model_of(exercise) if compare and words >= LEAST_WORDS else None,
        "wait": short if compare and words < LEAST_WORDS else "",
    }


class Rewrite(Asking):
    """The exercise, asked by its browser half; drafts are kept in a folder as plain text."""

    _esm = module("rewrite")
    _css = style("rewrite")
    refusal = N_("The exercise could not use that")

    def __init__(self, folder: Path | str) -> None:
        """Open on the first exercise with what was written before."""
        self._drafts = Drafts(folder)
        first = next(iter(exercises()))
        super().__init__(
            about={
                "exercises": [
                    {
                        "id": each.id,
                        "title": each.title,
                        "reader": each.reader,
                        "text": each.text,
                        "asks": each.asks,
                        "draft": self._drafts.text(each.id),
                    }
                    for each in exercises().values()
                ],
                "longest": LONGEST,
                "limits": LIMITS,
            },
            state={"exercise": first, "text": self._drafts.text(first), "compare": False},
        )

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"rewrite for a patient: {len(exercises())} misleading paragraphs"

    def answer(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Keep the text and return what could be counted in it."""
        name, text, compare = checked(wanted)
        note = ""
        if text != self._drafts.text(name):
            try:
                self._drafts.keep(name, text)
            except OSError as error:
                why = error.strerror or str(error)
                note = _("Your text cannot be kept ({why}). It is lost when you close the lesson.").format(why=why)
        shown = judged(exercises()[name], text, compare)
        return {"seq": int(wanted.get("seq", 0)), "exercise": name, "note": note or self._drafts.notice, **shown}

    def still(self) -> str:
        """Return the paragraphs with their model answers for a page without a kernel."""
        parts = [
            f"<h4>{html.escape(each.title)}</h4><p>{html.escape(each.reader)}</p>"
            f"<blockquote>{html.escape(each.text)}</blockquote>"
            f"<details><summary>What to count, and a model answer</summary><ul>"
            f"{''.join(f'<li>{html.escape(check.wanted)}</li>' for check in checklist(each, ''))}"
            f"{''.join(f'<li>{html.escape(ask)}</li>' for ask in each.asks)}</ul>"
            f"<p>{html.escape(each.model)}</p></details>"
            for each in exercises().values()
        ]
        return (
            f"<section><h3>Rewrite it for a patient</h3>{''.join(parts)}<p>{LIMITS} Start the lesson to write your own "
            "and have it counted.</p></section>"
        )


def rewrite(folder: Path | str = "my_answers") -> Rewrite:
    """Return the exercise; drafts are kept in `folder`/rewrite_<exercise>.txt."""
    return Rewrite(folder)
