"""What a notebook stored under a cell, as a student reads it on a page: figures, tables, computed sentences."""

import re
from collections.abc import Callable, Mapping
from html import escape
from html.parser import HTMLParser

from vertebra.language import _
from vertebra.site.markdown import scrolled, unbroken
from vertebra.site.page import said

VOID = frozenset({"br", "hr", "img", "wbr"})
WIDE = 480  # px: what is drawn wider than this has lettering too small to read on a phone


def computed(text: str, code: str) -> str:
    """Return what a check cell printed, line by line, and the code that printed it for whoever opens it.

    A line that begins with spaces goes on from the one before.
    """
    lines: list[str] = []
    for line in text.rstrip().splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += f"; {line.strip()}"
        else:
            lines.append(line.strip())
    shown = "".join(f"<li>{escape(_as_sentence(line))}</li>" for line in lines)
    summary = said(_("Show the code"), "summary")
    return (
        f'<div class="computed" role="group" aria-label="{escape(_("Computed"))}" data-t-label>'
        f"{said(_('Computed'), 'p', class_='kicker')}<ul>{shown}</ul>"
        f"<details>{summary}<pre><code>{escape(code.strip())}</code></pre></details></div>\n"
    )


def _as_sentence(line: str) -> str:
    """Return a printed line with a capital at its beginning, and a minus sign and powers as they are set in print."""
    line = unbroken(re.sub(r"(?<![\w.])-(?=\d)", "−", line))
    first, rest = line.split(" ", 1) if " " in line else (line, "")
    return f"{first[0].upper()}{first[1:]} {rest}".strip() if first.rstrip(",:").isalpha() else line


def picture(html: str, take: Callable[[str], tuple[str, float, float]], words: Callable[[str], str]) -> str:
    """Return the HTML that a cell showed, for the site.

    take: {address of a picture: (its address on the site, width, height)}; words: what a text says on the site, as
    HTML. Pictures get their size, so that nothing moves while they load, and load when they come near; tables scroll
    in frames of their own; styles are the site's.
    """
    return _Rewriter(take, words).rewrite(html)


class _Rewriter(HTMLParser):
    def __init__(self, take: Callable[[str], tuple[str, float, float]], words: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self._take, self._words = take, words
        self._out: list[str] = []
        self._tables: list[int] = []

    def rewrite(self, html: str) -> str:
        """Return the HTML rewritten."""
        self.feed(html)
        self.close()
        return re.sub(r"<th[^>]*></th>", "<td></td>", "".join(self._out)) + "\n"  # a head of nothing is none

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write the tag anew."""
        kept = {name: value or "" for name, value in attrs if name != "style"}
        if tag == "table" and kept.get("role") != "presentation":
            self._tables.append(len(self._out))
        if tag == "img":
            self._out.append(shown(self._sized(kept)))
            return
        written = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
        self._out.append(f"<{tag}{written}>")

    def handle_endtag(self, tag: str) -> None:
        """Write the end of an element."""
        if tag in VOID:
            return
        self._out.append(f"</{tag}>")
        if tag == "table" and self._tables:
            begin = self._tables.pop()
            self._out[begin:] = [scrolled("".join(self._out[begin:]))]

    def handle_data(self, data: str) -> None:
        """Write text, in the words of the site."""
        self._out.append(unbroken(self._words(data)))

    def _sized(self, kept: dict[str, str]) -> dict[str, str]:
        address, width, height = self._take(kept["src"])
        shown = float(kept.get("width") or width)
        return sized(address, kept.get("alt", ""), shown, shown * height / width)


def sized(address: str, alt: str, width: float, height: float) -> dict[str, str]:
    """Return the attributes of a picture that is shown this large, in px, where there is room."""
    return {
        "src": address,
        "alt": alt,
        "width": f"{width:.0f}",
        "height": f"{height:.0f}",
        "loading": "lazy",
        "decoding": "async",
    }


def shown(attributes: Mapping[str, str]) -> str:
    """Return a picture, {attribute: value}, as HTML; a wide one with a link to it alone, for narrow screens."""
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    full = said(_("Full size"), "a", class_="full", href=attributes["src"])
    return f"<img{written}>" + (full if float(attributes["width"]) > WIDE else "")
