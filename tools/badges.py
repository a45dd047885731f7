"""Draw the README's badges from what is in the repository: `python tools/badges.py` writes `docs/pictures/badges.svg`.

No badge comes from a server, so none can say what is not so; a test draws them anew.
"""

from html import escape
from pathlib import Path

from vertebra.evidence.references import references
from vertebra.quiz.coverage import practice_banks

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "pictures" / "badges.svg"
HEIGHT, GAP, LETTER, ROOM = 22, 8, 6.6, 9  # px; a letter at 11 px is about 6.6 wide
DARK, GOOD, WARN = "#33414f", "#00619e", "#8a4b00"


def facts() -> list[tuple[str, str, str]]:
    """Return what each badge says, and in which colour: counted now."""
    lessons = len(list((ROOT / "lessons").glob("[0-9][0-9]_*.ipynb")))
    items = [item for bank in practice_banks() for item in bank.items]
    reviewed = sum(bool(item.clinical_review) for item in items)
    known = references().values()
    opened = sum(source.publishable for source in known)
    return [
        ("lessons", str(lessons), GOOD),
        ("practice questions", str(len(items)), GOOD),
        ("sources opened", f"{opened} of {len(known)}", GOOD),
        ("reviewed by a clinician", f"{reviewed or 'none'} of {len(items)} questions", WARN),
    ]


def svg() -> str:
    """Return the badges in one row as SVG."""
    parts, x = [], 0.0
    for name, value, colour in facts():
        for text, fill in ((name, DARK), (value, colour)):
            width = round(LETTER * len(text) + 2 * ROOM)
            parts.append(
                f'<rect x="{x:g}" width="{width}" height="{HEIGHT}" fill="{fill}"/>'
                f'<text x="{x + width / 2:g}" y="15">{escape(text)}</text>'
            )
            x += width
        x += GAP
    said = "; ".join(f"{name}: {value}" for name, value, _ in facts())
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{x - GAP:g}" height="{HEIGHT}" role="img">'
    return (
        f"{head}\n<title>{escape(said)}</title>\n"
        '<g fill="#ffffff" text-anchor="middle" font-family="system-ui,Verdana,sans-serif" font-size="11">\n'
        + "\n".join(parts)
        + "\n</g>\n</svg>\n"
    )


if __name__ == "__main__":
    FILE.write_text(svg(), encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(facts())} badges")
