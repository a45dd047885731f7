"""What the exports to learning management systems share: texts of a question as HTML, its pictures, and refusals.

An export holds a build of a quiz with its key, so it stays with the instructor. A question that the target would not
ask, or would score otherwise than `scoring.score` does, is refused with its reason; nothing is left out in silence.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from vertebra.quiz.static import HINTS, most, percent, standing
from vertebra.teaching.files import TeachingError, write_text
from vertebra.teaching.key import Key, Question

SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png"}
NEEDS_THE_COURSE = (
    "the picture follows the controls while the student sets them, which the target cannot do; "
    "hand this question out with `vertebra quiz assign`"
)
Made = TypeVar("Made")
_DATA = re.compile(r"data:(image/(?:svg\+xml|png));base64,([A-Za-z0-9+/=]+)")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Refused(Exception):
    """The target cannot hold this question; the text says why and what to do instead."""


@dataclass(frozen=True)
class Picture:
    """A picture as a file of its own: its name in the export, its media type and its bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Exported:
    """What was written: the export, the list of what it does not hold or holds otherwise, and both as data.

    held: the bank's ids of the exported questions. refused, notes: {bank's id, or "" for the quiz: what there is to
    say}.
    """

    file: Path
    report: Path
    held: tuple[str, ...]
    refused: Mapping[str, str]
    notes: Mapping[str, str]


def sort_out(
    key: Key, hold: Callable[[Question], tuple[Made, str]], certainty: str
) -> tuple[list[Made], dict[str, str], dict[str, str]]:
    """Return what `hold` made of each question it can hold, and {bank's id: reason} of the refused and of the noted.

    certainty: what to say of certainty marking where the quiz has it.
    """
    held: list[Made] = []
    refused: dict[str, str] = {}
    notes = {"": certainty} if key.certainty else {}
    for question in key.items:
        try:
            made, note = hold(question)
        except Refused as error:
            refused[question.bank_id] = str(error)
            continue
        held.append(made)
        if note:
            notes[question.bank_id] = note
    return held, refused, notes


def write_export(
    out: Path, content: bytes, key: Key, target: str, refused: Mapping[str, str], notes: Mapping[str, str]
) -> Exported:
    """Write the export and, beside it, OUT.report.txt; only their owner may read them. Raises TeachingError, OSError.

    An export that would hold no question at all is an error, and nothing is written.
    """
    held = tuple(question.bank_id for question in key.items if question.bank_id not in refused)
    if not held:
        raise TeachingError("\n".join(f"{name}: {target} cannot hold it: {why}" for name, why in refused.items()))
    lines = [
        f"{key.title} ({key.quiz}, build {key.build[:8]}) for {target}",
        f"{out.name} holds the keys: keep it with the instructor's files.",
        f"Held: {len(held)} of {len(key.items)} questions.",
        *(f"Refused: {name}: {why}" for name, why in refused.items()),
        *(f"Note: {name or key.quiz}: {what}" for name, what in notes.items()),
    ]
    report = out.with_name(f"{out.name}.report.txt")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, content, private=True)
    write_text(report, "\n".join(lines) + "\n", private=True)
    return Exported(out, report, held, dict(refused), dict(notes))


def picture(name: str, uri: str) -> Picture:
    """Return the picture of a data: URI as a file with the stem `name`. Raises TeachingError for any other URI."""
    found = _DATA.fullmatch(uri)
    if not found:
        raise TeachingError(f"{name}: its picture is no data: URI of an SVG or PNG; make the key again")
    return Picture(name + SUFFIXES[found[1]], found[1], base64.b64decode(found[2]))


def clean(text: str) -> str:
    """Return the text without the characters that XML has no place for."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def paragraphs(text: str) -> str:
    """Return plain text as escaped HTML paragraphs; an empty line parts them."""
    return "".join(f"<p>{escape(clean(part.strip()))}</p>" for part in text.split("\n\n") if part.strip())


def texts(question: Question, group: str) -> dict[str, str]:
    """Return {neutral id: text} of the options, steps, prompts, regions or bands, in the order they are shown."""
    return {part["id"]: part["text"] for part in question.public[group]}


def asked(question: Question, image: str = "", hint: str = "") -> str:
    """Return vignette, stem, picture and what to do as well-formed HTML; image: where the export keeps the picture."""
    public = question.public
    shown = paragraphs(public.get("vignette", "")) + f"<p><strong>{escape(clean(public['stem']))}</strong></p>"
    if image:
        shown += f'<p><img src="{escape(image)}" alt="{escape(clean(public["image"]["alt"]))}" /></p>'
    return shown + f"<p>{escape(hint or HINTS[question.key['format']])}</p>"


def explained(question: Question) -> str:
    """Return the worked solution, the reasons of each part, the usual wrong numbers and the sources as HTML."""
    public, named = question.public, {}
    parts = [public.get(group, ()) for group in ("options", "steps", "prompts", "regions", "bands")]
    parts += [decision["options"] for decision in public.get("decisions", ())]
    for part in (part for group in parts for part in group):
        named[part["id"]] = part["text"]
    lines = [
        f"<li>{escape(clean(named[name]))}: {escape(clean(why))}</li>"
        for name, why in question.rationales.items()
        if name in named
    ]
    lines += [f"<li>{slip['value']:g}: {escape(clean(slip['rationale']))}</li>" for slip in question.slips]
    shown = paragraphs(question.rationales.get("", "")) + (f"<ul>{''.join(lines)}</ul>" if lines else "")
    sources = f"Sources: {', '.join(question.sources)}. " if question.sources else ""
    return shown + f"<p>{escape(clean(sources))}{escape(standing([public]))}</p>"


def at_most(choose: int) -> str:
    """Say in a sentence how many answers of a decision count."""
    return f"{most(choose).capitalize()}; with more, or with one that harms the patient, the decision earns nothing."


def film_rubric(question: Question) -> str:
    """Return what each outcome of a stop decision earns, as HTML."""
    lines = (f"<li>{escape(clean(b['text']))}: {percent(b['share'])}</li>" for b in question.public["bands"])
    return f"<p>How it is marked, the first line that fits counts:</p><ul>{''.join(lines)}</ul>"


def film_shares(question: Question) -> dict[str, float]:
    """Return {"f0": share of credit for stopping after the first film, ...}."""
    key = question.key
    return {f"f{place}": float(key["shares"][band]) for place, band in enumerate(key["bands"])}


def subsets(parts: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """Yield every subset, in the order of `parts`."""
    for bits in range(1 << len(parts)):
        yield tuple(part for i, part in enumerate(parts) if bits >> i & 1)


def film_pictures(question: Question) -> list[tuple[Picture, Mapping[str, Any]]]:
    """Return each film of a stop decision as a file, with its record."""
    return [
        (picture(f"{question.id}-f{place}", film["uri"]), film)
        for place, film in enumerate(question.public["task"]["films"])
    ]
