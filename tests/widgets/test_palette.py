"""The colours of widgets, quiz pages and the site, light and dark: text 4.5 to 1, what must be seen 3 to 1."""

import re
from pathlib import Path

import pytest

from contrast import contrast
from vertebra.quiz import page

ROOT = Path(__file__).parents[2] / "src" / "vertebra"
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{3}(?:[0-9a-f]{3})?)\b", re.IGNORECASE)
# What is written, and on what.
TEXT = [(ink, paper) for ink in ("ink", "soft", "accent", "good", "bad", "warn") for paper in ("paper", "panel")]
TEXT += [(tone, f"{tone}-paper") for tone in ("good", "bad", "warn")] + [("on-accent", "accent")]
# Borders of fields and buttons, the frame of the focus, outlines of bone; then the lines of single widgets' drawings.
SEEN = {"style.css": ["soft", "accent", "good", "bad", "warn", "bone-edge"]}
LINES = {
    "cascade.css": ["fc-one", "fc-two", "fc-three"],
    "forest.css": ["fp-edge"],
    "cure.css": ["cu-hot", "cu-warm"],
    "load.css": ["vt-ld-mark", "vt-ld-load"],
    "neighbour.css": ["nb-load", "nb-short", "nb-line", "nb-strain"],
    "pathway.css": ["pw-line"],
    "redflags.css": ["rf-surely", "rf-band"],
}


def palettes(css: str) -> dict[str, dict[str, str]]:
    """Return the colours by name of a style sheet's light and dark palettes; what dark does not name is as in light."""
    found: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    dark = re.compile(r"theme-light=\"false\"|not\(\[data-jp-theme-light\]\)")
    for block in re.split(r"(@media \([^)]*\) \{(?:[^{}]*\{[^{}]*\})*\s*\})", css):
        for selector, body in RULE.findall(block.partition("{")[2] if block.startswith("@media") else block):
            scheme = (
                "dark" if dark.search(selector) or block.startswith("@media (prefers-color-scheme: dark") else "light"
            )
            if not block.startswith("@media print"):
                found[scheme] |= {name.removeprefix("vt-"): colour for name, colour in COLOUR.findall(body)}
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


def rgb(colour: str) -> list[int]:
    """Return red, green and blue of "#fff" or "#ffffff"."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return [int(digits[at : at + 2], 16) for at in (0, 2, 4)]


def read(name: str) -> str:
    if name == "page.py":
        return page.STYLE
    return (ROOT / ("site/static" if name == "site.css" else "widgets") / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["style.css", "page.py", "site.css"])
def test_text_can_be_read(name, scheme):
    colours = palettes(read(name))[scheme]
    pairs = [(ink, paper) for ink, paper in TEXT if ink in colours and paper in colours]
    assert len(pairs) >= 6
    ratios = {pair: float(contrast(*(rgb(colours[each]) for each in pair))) for pair in pairs}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*SEEN, *LINES])
def test_borders_frames_and_lines_can_be_seen(name, scheme):
    paper = palettes(read("style.css"))[scheme]
    colours = palettes(read(name))[scheme]
    ratios = {
        (line, ground): float(contrast(rgb(colours[line.removeprefix("vt-")]), rgb(paper[ground])))
        for line in (SEEN | LINES)[name]
        for ground in ("paper", "panel")
    }
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 3} == {}


def test_a_pale_colour_would_be_found():
    pale = palettes(read("style.css").replace("--vt-soft: #4d5a68", "--vt-soft: #9aa7b4"))["light"]
    assert contrast(rgb(pale["soft"]), rgb(pale["paper"])) < 3 < contrast(rgb("#4d5a68"), rgb("#fff"))
