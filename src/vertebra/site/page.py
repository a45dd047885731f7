"""The frame that all pages of the site share: head, skip link, the way about, and what the course says of itself."""

import json
from dataclasses import dataclass
from html import escape

from vertebra.language import N_, NAMES, _

STANDING = N_("Teaching, not medical advice. Not yet reviewed by a clinician.")
# Scripts, styles and pictures of this site only; nothing inline, so that a careless change is refused by the browser.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Page:
    """A page: its title and description as plain text, its body as HTML.

    root: the way from the page to the site's root, "" or "../". modules: scripts, besides site.js, that it will need.
    data: files that it will read. here: which entry of the head's menu it is.
    """

    title: str
    description: str
    body: str
    root: str = ""
    modules: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    here: str = ""


def said(message: str, tag: str = "span", **attributes: str) -> str:
    """Return an interface string in an element that `site.js` puts into the reader's language."""
    more = "".join(f' {name.rstrip("_")}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag} data-t{more}>{escape(message)}</{tag}>"


def counted(message: str, n: int) -> str:
    """Return an interface string with a number, {n} in it, as `said`."""
    return f'<span data-t="{escape(message)}" data-n="{n}">{escape(message.replace("{n}", str(n)))}</span>'


def whole(page: Page) -> str:
    """Return the text of the page's file."""
    root = page.root
    ahead = [f'<link rel="modulepreload" href="{root}_/{name}">' for name in ("storage.js", "words.js", *page.modules)]
    ahead += [f'<link rel="preload" as="fetch" crossorigin href="{root}{escape(path)}">' for path in page.data]
    menu = (
        ("contents", f"{root}index.html#lessons", _("Lessons")),
        ("progress", f"{root}progress.html", _("My progress")),
    )
    made = _(
        "The pictures and patients are computed or invented, but for one open CT. Nothing that you do here is sent "
        "anywhere."
    )
    entries = "".join(
        f"<li>{said(words, 'a', href=address, **({'aria-current': 'page'} if name == page.here else {}))}</li>"
        for name, address, words in menu
    )
    title = page.title if page.title == "vertebra" else f"{page.title} · vertebra"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#14191f">
<title>{escape(title)}</title>
<meta name="description" content="{escape(page.description)}">
<link rel="icon" href="{root}_/icon.svg" type="image/svg+xml">
<link rel="manifest" href="{root}manifest.webmanifest">
<link rel="stylesheet" href="{root}_/site.css">
{"".join(f"{line}{chr(10)}" for line in ahead)}<script type="module" src="{root}_/site.js"></script>
</head>
<body data-languages='{escape(json.dumps(NAMES, ensure_ascii=False))}'>
{said(_("Skip to the text"), "a", class_="skip", href="#main")}
<header class="site-head">
<a class="brand" href="{root}index.html"><img src="{root}_/icon.svg" alt="" width="28" height="28">vertebra</a>
<nav aria-label="{escape(_("Course"))}" data-t-label><ul>{entries}</ul></nav>
</header>
<main id="main" tabindex="-1">
{page.body}
</main>
<footer class="site-foot">
<p class="standing">{said(_(STANDING))}</p>
<p>{said(made)}</p>
<p>{said(_("Licences and sources"), "a", href=f"{root}licences.html")}</p>
</footer>
</body>
</html>
"""
