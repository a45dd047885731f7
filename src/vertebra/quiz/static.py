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
    "hotspot": "Choose the place in the picture.",
}


def standing(public_items: Iterable[Mapping[str, Any]]) -> str:
    """Return what every quiz and feedback page says of itself: what it is, and whether clinicians reviewed it."""
    reviewed = all(item.get("reviewed") for item in public_items)
    return "Teaching, not medical advice." + ("" if reviewed else " Not yet reviewed by a clinician.")


def static_html(title: str, public_items: Sequence[Mapping[str, Any]]) -> str:
    """Return the questions as a numbered list in accessible HTML, escaped, without style or script.

    `public_items` are `Item.public()` dicts; keys, rationales and whatever else an item carries are left out.
    """
    questions = "\n".join(f"<li>\n{_question(item)}\n</li>" for item in public_items)
    note = f"<p><em>{standing(public_items)}</em></p>"
    return f"<section>\n<h3>{escape(title)}</h3>\n{note}\n<ol>\n{questions}\n</ol>\n</section>"


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
        lines += ["<p>Lines:</p>", _list(item["prompts"]), "<p>Answers:</p>"]
    for group in ("options", "steps", "regions"):
        if item.get(group):
            lines.append(_list(item[group]))
    return "\n".join(lines)


def _list(parts: Iterable[Mapping[str, Any]]) -> str:
    return "<ul>" + "".join(f"<li>{escape(part['text'])}</li>" for part in parts) + "</ul>"
