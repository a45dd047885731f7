"""The site without a network: its list of files, its service worker, its icons, and the page for what is not kept.

`finish` is the last step of a build, since it lists every file with its sha256. How the worker uses the list stands at
the head of `static/worker.js`.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from vertebra.language import _
from vertebra.site.page import said
from vertebra.spine.lateral import FloatArray, arch_shift, lateral, silhouette
from vertebra.spine.shape import Shape

STATIC = Path(__file__).with_name("static")
LIVE = "live/"
MISSING = "offline.html"  # stands in for a page that is neither kept nor to be had; the worker knows it by this name
UNLISTED = {"version.json", "files.json", "worker.js"}  # what tells of a version is not part of it
NAME = "Vertebral compression fractures"
ABOUT = "An open course: vertebroplasty, balloon kyphoplasty and how to choose. Teaching, not medical advice."
SKY, BONE, HURT, ARCH = "#00619e", "#efe3c8", "#ffb454", "#9db7c9"
ICON = Shape(anterior=0.38, middle=0.22)  # a wedge of Genant grade 2, which is what the course is about
SIZES = (192, 512)
SHARP = 4  # each pixel of an icon is the mean of 4 x 4
LOADED = re.compile(r"""<(?:script|img)\b[^>]*?\bsrc="([^"]+)"|<link\b[^>]*?\bhref="([^"]+)\"""")
IMPORTED = re.compile(r"""\b(?:from|import)\s*\(?\s*"(\.{1,2}/[^"]+)\"""")


@dataclass(frozen=True)
class Offline:
    """What a browser may keep: the version (sha256 of the list of files) and the bytes of both halves."""

    version: str
    pages: int
    live: int


def missing_page() -> tuple[str, str]:
    """Return title and body of the page that stands in for one that is neither kept nor to be had."""
    parts = [
        said(_("This page is not on your device"), "h1", class_="first"),
        said(_("It was not opened here before, and the network does not answer. Once you are online, try again."), "p"),
        f"<p>{said(_('Try again'), 'a', href='')}</p>",  # the same address
        '<nav data-offline="pages"></nav>',
    ]
    return _("Not on this device"), "\n".join(parts)


def finish(out: Path, shell: Callable[[str, str], str]) -> Offline:
    """Add to a built site what it needs offline, and list all of it; the last step of a build.

    `shell` makes a page at the root of the site from a title (plain text) and a body (HTML). Raises OSError.
    """
    for name in ("offline.js", "offline.css"):
        (out / "_").mkdir(exist_ok=True)
        (out / "_" / name).write_bytes((STATIC / name).read_bytes())
    for name, drawn in icons().items():
        (out / "_" / name).write_bytes(drawn)
    (out / "manifest.webmanifest").write_text(json.dumps(manifest(), indent=1, ensure_ascii=False), encoding="utf-8")
    (out / MISSING).write_text(shell(*missing_page()), encoding="utf-8")
    (out / "worker.js").write_bytes((STATIC / "worker.js").read_bytes())
    return write_list(out)


def write_list(out: Path) -> Offline:
    """Write files.json, every file of the site with sha256 and bytes, and version.json, the sha256 of that list."""
    files = {path: _digest(out / path) for path in sorted(_paths(out))}
    own = (path for path in files if path.endswith(".html") and not path.startswith(LIVE) and path != MISSING)
    pages = {path: _("All lessons") if path == "index.html" else title(out / path) for path in own}
    first = sorted(needed(out, MISSING))
    listed = {"format": "vertebra-site/1", "first": first, "pages": pages, "files": files}
    text = json.dumps(listed, separators=(",", ":"), ensure_ascii=False).encode()
    version = hashlib.sha256(text).hexdigest()
    sizes = {path: size for path, (digest, size) in files.items()}
    live = sum(size for path, size in sizes.items() if path.startswith(LIVE))
    whole = Offline(version, sum(sizes.values()) - live, live)
    (out / "files.json").write_bytes(text)
    told = {"version": version, "bytes": {"pages": whole.pages, "live": whole.live}}
    (out / "version.json").write_text(json.dumps(told), encoding="utf-8")
    return whole


def _paths(out: Path) -> Iterable[str]:
    found = (path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return (path for path in found if path not in UNLISTED)


def _digest(path: Path) -> tuple[str, int]:
    raw = path.read_bytes()
    return hashlib.sha256(raw).hexdigest(), len(raw)


def title(page: Path) -> str:
    """Return what an HTML page is called, as plain text and without the name of the course, or its file name."""
    found = re.search(r"<title>(.*?)</title>", page.read_text(encoding="utf-8"), re.DOTALL)
    return unescape(found[1]).strip().removesuffix(" · vertebra") if found else page.name


def needed(out: Path, page: str) -> set[str]:
    """Return a page and the files of the site that it cannot be shown without: its scripts, styles and pictures."""
    found: set[str] = set()
    queue = [page]
    while queue:
        path = queue.pop()
        if path in found or not (out / path).is_file():
            continue
        found.add(path)
        if path.endswith((".html", ".js", ".mjs")):
            text = (out / path).read_text(encoding="utf-8")
            links = LOADED.findall(text) if path.endswith(".html") else [(each, "") for each in IMPORTED.findall(text)]
            queue += [_beside(path, src or href) for src, href in links]
    return found


def _beside(path: str, link: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(path).parent / re.split("[?#]", link)[0]).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def manifest() -> dict[str, Any]:
    """Return the web app manifest: what a device shows when the course is put on its home screen."""
    icons = [{"src": f"_/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in SIZES]
    return {
        "id": "./",
        "name": NAME,
        "short_name": "Vertebra",
        "description": ABOUT,
        "lang": "en",
        "start_url": "./",
        "scope": "./",
        "display": "minimal-ui",
        "background_color": "#ffffff",
        "theme_color": SKY,
        "icons": [
            {"src": "_/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            *({**icon, "purpose": "any"} for icon in icons),
            {**icons[-1], "purpose": "maskable"},
        ],
    }


def icons() -> dict[str, bytes]:
    """Return the course's icon by file name: T12, a wedged L1 and L2 of the course's own model in lateral view."""
    shapes = _icon_shapes()
    drawn = {f"icon-{size}.png": _png(shapes, size) for size in SIZES}
    return {"icon.svg": _svg(shapes).encode(), **drawn}


def _icon_shapes() -> list[tuple[str, FloatArray]]:
    """Return (colour, outline (n, 2)) in a square of side 1, x right and y down, within a mask's safe circle (0.8)."""
    scene = lateral(ICON)
    found: list[tuple[str, FloatArray]] = []
    for level, pose in scene.poses.items():
        lift = np.array([0.0, arch_shift(scene, level)])
        found += [(ARCH, pose.apply(line + lift)) for line in silhouette(level)]
    for level, pose in scene.poses.items():
        found.append((HURT if level == "L1" else BONE, pose.apply(scene.outline(level))))
    points = np.vstack([line for _, line in found])
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    scale = 0.4 / float(np.hypot(*(points - centre).T).max())
    return [(colour, 0.5 - (line - centre) * scale) for colour, line in found]


def _svg(shapes: Iterable[tuple[str, FloatArray]]) -> str:
    drawn = "".join(
        f'<polygon fill="{colour}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in 128 * line)}"/>'
        for colour, line in shapes
    )
    paper = f'<rect width="128" height="128" rx="24" fill="{SKY}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">{paper}{drawn}</svg>\n'


def _png(shapes: Iterable[tuple[str, FloatArray]], size: int) -> bytes:
    from io import BytesIO

    large = size * SHARP
    image = Image.new("RGB", (large, large), SKY)
    pen = ImageDraw.Draw(image)
    for colour, line in shapes:
        pen.polygon([(float(x), float(y)) for x, y in large * line], fill=colour)
    out = BytesIO()
    image.resize((size, size), Image.Resampling.BOX).quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()
