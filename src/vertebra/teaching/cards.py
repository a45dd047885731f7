"""Flash cards: the practice questions as an Anki deck, one sub-deck a lesson, one card for each single thing to know.

A card's identity follows from the question's id and nothing else. Who imports a later deck gets the changed cards anew,
in place, with the schedule they had, and never a second copy.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vertebra import assets
from vertebra.quiz.items import Bank, Item
from vertebra.quiz.static import HINTS, most, standing
from vertebra.teaching.files import TeachingError

DECK = "vertebra"
MODEL = 1_607_392_319  # any number will do, but never another one: Anki knows the note type by it
FIELDS = ("Id", "Question", "Choices", "Answer", "Why", "Source")

FRONT = '<div class="question">{{Question}}</div><div class="choices">{{Choices}}</div>'
BACK = '{{FrontSide}}<hr id="answer"><div class="answer">{{Answer}}</div>{{Why}}<p class="source">{{Source}}</p>'
STYLE = """
.card { max-width: 40rem; margin: 0 auto; padding: .5rem 1rem; text-align: left; color: #17212b; background: #fff;
  font: 1.1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.card.nightMode, .nightMode .card { color: #e8edf2; background: #14191f; }
.stem, .answer { font-weight: 600; }
.answer { color: #00694f; } .nightMode .answer { color: #4fd1ab; }
.hint, .source { color: #4d5a68; font-size: .85rem; } .nightMode .hint, .nightMode .source { color: #aab6c2; }
.mistake { font-style: italic; }
li { margin: .3rem 0; } li p { margin: .2rem 0; }
img { max-width: 100%; height: auto; background: #fff; }
"""


@dataclass(frozen=True)
class Card:
    """One card: `name` is its identity for ever; the rest is HTML, but for tags and pictures.

    pictures: {file name in Anki's one media folder: its bytes}.
    """

    name: str
    lesson: str
    question: str
    choices: str
    answer: str
    why: str
    source: str
    tags: tuple[str, ...]
    pictures: Mapping[str, bytes]


@dataclass(frozen=True)
class Written:
    """What was written: the deck's file, the number of cards, and the ids of the questions that are none."""

    file: Path
    cards: int
    left_out: tuple[str, ...]


def write_cards(banks: Sequence[Bank], file: Path | str) -> Written:
    """Write the practice banks' questions to `file` as an Anki package.

    Raises TeachingError for a graded bank, whose keys stay with the instructor, and OSError if it cannot be written.
    """
    import genanki  # slow to import, and only this needs it

    for bank in banks:
        if bank.use != "practice":
            raise TeachingError(f"{bank.file}: is a graded bank, and cards show every key; name practice banks")
    file = Path(file)
    model = genanki.Model(
        MODEL,
        "vertebra question",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Card 1", "qfmt": FRONT, "afmt": BACK}],
        css=STYLE,
    )
    decks, left_out, count = [], [], 0
    with TemporaryDirectory() as folder:
        media: dict[str, Path] = {}
        for bank in banks:
            deck = genanki.Deck(_number(bank.lesson), f"{DECK}::{bank.lesson[:2]} {bank.title}")
            for item in bank.items:
                cards = list(cards_of(item, bank.lesson))
                left_out += [] if cards else [item.id]
                count += len(cards)
                for card in cards:
                    fields = [card.name, card.question, card.choices, card.answer, card.why, card.source]
                    guid = genanki.guid_for("vertebra", card.name)
                    deck.add_note(genanki.Note(model, fields, sort_field=card.name, guid=guid, tags=list(card.tags)))
                    for name, raw in card.pictures.items():
                        media[name] = Path(folder, name)
                        media[name].write_bytes(raw)
            decks.append(deck)
        package = genanki.Package(decks, [str(path) for path in media.values()])
        part = file.with_name(f".{file.name}.part")
        try:
            package.write_to_file(part)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    return Written(file, count, tuple(left_out))


def _number(name: str) -> int:
    """Return a deck's id: the same for the same lesson for ever, and in the range that Anki gives out itself."""
    return int.from_bytes(hashlib.sha256(f"vertebra {name}".encode()).digest()[:4]) | 1 << 32


def cards_of(item: Item, lesson: str) -> Iterator[Card]:
    """Yield the cards of a practice question: one for each line to match and each decision, else one.

    A needle path and a stop decision are none: their answer is a setting, judged by the course's model.
    """
    shown = item.practice()
    if item.format in ("needle_path", "stop_decision"):
        return
    pictures = {}
    picture = ""
    if item.image:
        name = "vertebra-" + item.image.src.replace("/", "-")
        pictures[name] = assets.path(item.image.src).read_bytes()
        picture = f'<p><img src="{name}" alt="{escape(item.image.alt)}"></p>'
    vignette = "".join(f"<p>{escape(part)}</p>" for part in item.vignette.split("\n\n") if part)
    source = f"Sources: {escape(', '.join(item.sources))}. {standing([shown])}"
    own = [lesson, *item.objectives]
    tags = tuple(f"vertebra::{name}" for name in (*own, item.tier, item.bloom, item.format))

    def card(
        part: str, asked: str, choices: str, answer: str, why: str, more: Mapping[str, bytes] | None = None
    ) -> Card:
        name = f"{item.id}.{part}" if part else item.id
        stem = f'{vignette}<p class="stem">{escape(item.stem)}</p>{picture}{asked}'
        closing = f"<p>{escape(item.rationale)}</p>" if item.rationale else ""
        return Card(name, lesson, stem, choices, answer, why + closing, source, tags, pictures | dict(more or {}))

    hint = f'<p class="hint">{HINTS[item.format]}</p>'
    match item.format:
        case "single_best_answer" | "multiple_response":
            texts = {option["id"]: option["text"] for option in shown["options"]}
            keys = [option.text for option in item.options if option.key]
            yield card("", hint, _listed(texts.values()), _answers(keys), _reasons(texts, shown))
        case "numeric":
            assert item.answer is not None
            value = f"{item.answer.value:g} {item.answer.unit}".strip()
            within = f" (within {item.answer.absolute_tolerance():g})" if item.answer.tolerance else ""
            slips = [f"{slip.value:g} {item.answer.unit}: {slip.rationale}" for slip in item.slips]
            yield card("", hint, "", _answers([value + within]), _listed(slips) if slips else "")
        case "ordering":
            order = [(step.text, step.rationale) for step in item.steps]
            steps = "".join(f"<li>{escape(text)}<p>{escape(why)}</p></li>" for text, why in order)
            yield card("", hint, _listed(step["text"] for step in shown["steps"]), f"<ol>{steps}</ol>", "")
        case "matching":
            texts = {option.id: option.text for option in item.options}
            for prompt in item.prompts:
                asked = f'<p class="stem">{escape(prompt.text)}</p>'
                answer = _answers([texts[prompt.answer]])
                yield card(prompt.id, asked, _listed(texts.values()), answer, f"<p>{escape(prompt.rationale)}</p>")
        case "hotspot":
            texts = {region["id"]: region["text"] for region in shown["regions"]}
            name, raw = _outlined(item)
            key = next(region for region in item.regions if region.key)
            answer = f'{_answers([key.text])}<p><img src="{name}" alt="The right place is outlined."></p>'
            yield card("", hint, "", answer, _reasons(texts, shown), {name: raw})
        case "key_feature":
            for decision in item.decisions:
                asked = f'<p class="stem">{escape(decision.text)} ({most(decision.choose)})</p>'
                options = next(each["options"] for each in shown["decisions"] if each["id"] == decision.id)
                texts = {option["id"]: option["text"] for option in options}
                keys = [option.text for option in decision.options if option.key]
                yield card(decision.id, asked, _listed(texts.values()), _answers(keys), _reasons(texts, shown))


def _listed(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def _answers(texts: Sequence[str]) -> str:
    return "".join(f"<p>✓ {escape(text)}</p>" for text in texts)


def _reasons(texts: Mapping[str, str], shown: Mapping[str, Any]) -> str:
    """Return why each choice is right or wrong, with the mistake behind a wrong one."""
    lines = []
    for part, text in texts.items():
        mistake = shown["mistakes"].get(part)
        behind = f'<p class="mistake">The mistake behind it: “{escape(mistake)}”</p>' if mistake else ""
        lines.append(f"<li><strong>{escape(text)}</strong>{behind}<p>{escape(shown['rationales'][part])}</p></li>")
    return f"<ul>{''.join(lines)}</ul>"


def _outlined(item: Item) -> tuple[str, bytes]:
    """Return the name and the text of an SVG: the hotspot's picture with the right region outlined."""
    assert item.image is not None and item.image.width and item.image.height
    width, height = item.image.width, item.image.height
    corners = next(region.polygon for region in item.regions if region.key)
    points = " ".join(f"{x:g},{y:g}" for x, y in corners)
    line = f'<polygon points="{points}" fill="none" stroke-width="{max(width, height) / 100:g}"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}"><image href="{item.image.uri()}" width="{width:g}" height="{height:g}"/>'
        f'{line} stroke="#fff"/>{line} stroke="#00694f" stroke-dasharray="{max(width, height) / 50:g}"/></svg>'
    )
    return f"vertebra-{item.id}-answer.svg", svg.encode()
