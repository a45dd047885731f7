"""A quiz as plain HTML: for print-outs and for pages that show a notebook without running it."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

HINTS = {
    "single_best_answer": "Choose the one best answer.",
    "multiple_response": "Choose every answer that applies.",
    "numeric": "Write one number.",
    "ordering": "Put the steps in order.",
    "matching": "Choose one answer for each line; an answer may serve more than once.",
    "key_feature": "Answer each decision; one with more answers than it asks for earns nothing.",
    "hotspot": "Choose the place in the picture.",
    "needle_path": "Choose a setting for each control: where the needle enters, how it turns, how deep it goes.",
    "stop_decision": "Look at the films one after another and choose after which one you would stop.",
}


def standing(public_items: Iterable[Mapping[str, Any]]) -> str:
    """Return what every quiz and feedback page says of itself: what it is, and whether clinicians reviewed it."""
    reviewed = all(item.get("reviewed") for item in public_items)
    return "Teaching, not medical advice." + ("" if reviewed else " Not yet reviewed by a clinician.")


def static_html(title: str, public_items: Sequence[Mapping[str, Any]], level: int = 3) -> str:
    """Return the questions as a numbered list in accessible HTML, escaped, without style or script.

    `public_items` are `Item.public()` dicts; keys, rationales and whatever else an item carries are left out. level:
    that of the heading.
    """
    # A nested list has no margin in a notebook; without style, a line break has to make the room.
    questions = "\n".join(f"<li>\n{_question(item)}\n<br>\n</li>" for item in public_items)
    note = f"<p><em>{standing(public_items)}</em></p>"
    return f"<section>\n<h{level}>{escape(title)}</h{level}>\n{note}\n<ol>\n{questions}\n</ol>\n</section>"


def _question(item: Mapping[str, Any]) -> str:
    lines = [f"<p>{escape(part)}</p>" for part in str(item.get("vignette") or "").split("\n\n") if part.strip()]
    lines.append(f"<p><strong>{escape(item['stem'])}</strong></p>")
    image = item.get("image")
    if image:
        size = "".join(f' {side}="{image[side]:g}"' for side in ("width", "height") if image.get(side))
        lines.append(f'<p><img src="{escape(image["uri"])}" alt="{escape(image["alt"])}"{size}></p>')
    lines.append(f"<p>{HINTS[item['format']]}</p>")
    if item["format"] == "numeric":
        lines.append(f"<p>Answer: ________ {escape(item.get('unit') or '')}</p>")
    if item.get("prompts"):
        lines += ["<p>Lines:</p>", _list(item["prompts"]), "<br>", "<p>Answers:</p>"]
    if item.get("task"):
        lines += [_films(item["task"]["films"]), f"<p>{escape(item['task']['note'])}</p>"]
        lines += [_control(control) for control in item["task"]["controls"] if item["format"] == "needle_path"]
        lines += ["<p>How it is marked, the first line that fits counts:</p>", rubric(item["bands"])]
    for decision in item.get("decisions", ()):
        lines += [f"<p>{escape(decision['text'])} ({most(decision['choose'])})</p>", _list(decision["options"])]
    for group in ("options", "steps", "regions"):
        if item.get(group):
            lines.append(_list(item[group]))
    return "\n".join(lines)


def counted(n: int, what: str) -> str:
    """Return "1 question", "2 questions"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def most(choose: int) -> str:
    """Say how many options of a decision count at most."""
    return "choose one" if choose == 1 else f"choose up to {choose}"


def rubric(bands: Iterable[Mapping[str, Any]]) -> str:
    """Return what each outcome earns, as an HTML list."""
    return "<ul>" + "".join(f"<li>{escape(band['text'])}: {percent(band['share'])}</li>" for band in bands) + "</ul>"


def percent(share: float) -> str:
    """Return a share of credit in words that a student reads."""
    return f"{100 * share:.0f} % of the marks"


def _films(films: Sequence[Mapping[str, Any]]) -> str:
    """Return films three in a row, or a long series would fill pages."""
    pictures = (f'<img src="{escape(film["uri"])}" alt="{escape(film["alt"])}" width="240">' for film in films)
    cells = [f"<td>{shown}<br>{escape(film['caption'])}</td>" for shown, film in zip(pictures, films, strict=True)]
    rows = ("".join(cells[i : i + 3]) for i in range(0, len(cells), 3))
    return '<table role="presentation">' + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def _control(control: Mapping[str, Any]) -> str:
    values = ", ".join(f"{value:g}" for value in control["values"])
    return f"<p>{escape(control['label'])} ({escape(control['unit'])}): {values}. Your setting: ________</p>"


def _list(parts: Iterable[Mapping[str, Any]]) -> str:
    return "<ul>" + "".join(f"<li>{escape(part['text'])}</li>" for part in parts) + "</ul>"
