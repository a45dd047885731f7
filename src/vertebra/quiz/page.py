"""A page of HTML that needs nothing else, for a screen, light or dark, and for paper: its head and its looks."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #17212b; --soft: #4d5a68; --line: #c3ccd6; --good: #00694f;
  --good-paper: #e5f4ef; --bad: #a8321a; --bad-paper: #fdeeea; }
@media (prefers-color-scheme: dark) { :root { --paper: #14191f; --ink: #e8edf2; --soft: #aab6c2; --line: #43505d;
  --good: #4fd1ab; --good-paper: #12302a; --bad: #ff9d85; --bad-paper: #3a1d17; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #333; --line: #888; --good: #00694f;
  --good-paper: #fff; --bad: #a8321a; --bad-paper: #fff; } li, svg, img { break-inside: avoid; }
  h2 { break-after: avoid; } }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1rem 3rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
.soft { color: var(--soft); font-size: .9rem; }
img, svg { max-width: 100%; height: auto; background: #fff; }
"""
HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">"""


def page(title: str, body: str, style: str = "") -> str:
    """Return the whole page. The title is plain text; body is HTML, and style is added to what all pages share."""
    return (
        f"{HEAD}\n<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
