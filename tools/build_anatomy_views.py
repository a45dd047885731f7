"""Draw assets/figures/anatomy_views_*.png, what the anatomy viewer shows on a page without a kernel and in print.

The viewer itself draws the six fixed views of L1, its segment and its spine, in Chromium. Only the words are set here,
in matplotlib's own font, so that the files do not depend on the fonts of a machine. Run it from a checkout:

    python tools/build_anatomy_views.py
"""

import base64
import io
import itertools
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 700, 420  # CSS px of one view; a page of six is twice as wide and three times as high
SHEET = 1280  # px of the finished file's width
COLOURS = 128
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
BOLD = FONT.with_name("DejaVuSans-Bold.ttf")

# The viewer on an empty page, with a model that answers nothing.
SHOW = """
async ({ esm, css, state, width, height }) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  const size = `.va-picture { width: ${width}px !important; height: ${height}px; aspect-ratio: auto !important; }`;
  document.head.append(Object.assign(document.createElement("style"), { textContent: size }));
  const { default: widget } = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  const model = { get: (name) => state[name], set: () => {}, save_changes: () => {}, on: () => {}, off: () => {} };
  widget.render({ model, el: document.body });
}
"""

# What stands in the picture, once it is drawn finely: its pixels and the places of its words.
READ = """
async (view) => {
  document.querySelector(`[data-view="${view}"]`).click();
  const labels = document.querySelector('[data-part="labels"]');
  labels.replaceChildren();
  while (!labels.childNodes.length) await new Promise(requestAnimationFrame);
  const letters = [...document.querySelectorAll("[data-letter]")];
  const lines = [...labels.querySelectorAll("path:not(.va-halo)")];
  const words = (node) => [node.textContent, Number(node.getAttribute("x")), Number(node.getAttribute("y")),
    node.getAttribute("text-anchor")];
  return {
    picture: document.querySelector("canvas").toDataURL(),
    ground: getComputedStyle(document.querySelector(".va-stage")).backgroundColor,
    title: document.querySelector('[data-part="view"]').textContent,
    seen: document.querySelector('[data-part="seen"]').textContent,
    letters: Object.fromEntries(letters.map((node) => [node.dataset.letter, node.textContent])),
    lines: lines.map((node) => [node.getAttribute("d"), node.closest(".va-open") !== null]),
    texts: [...labels.querySelectorAll("text")].map(words),
  };
}
"""


def one_view(read: dict[str, Any], scale: float) -> Image.Image:
    """Return one view as a picture, `scale` px to a CSS px."""
    size = round(WIDTH * scale), round(HEIGHT * scale)
    ground = tuple(int(value) for value in re.findall(r"\d+", read["ground"])[:3])
    drawn = Image.open(io.BytesIO(base64.b64decode(read["picture"].partition(",")[2]))).convert("RGBA")
    sheet = Image.new("RGB", size, ground)
    drawn = drawn.resize(size, Image.Resampling.LANCZOS)
    sheet.paste(drawn, mask=drawn.getchannel("A"))
    # Lines and words at four times the size, then reduced: PIL draws lines without smoothing.
    fine = 4
    over = Image.new("RGBA", (size[0] * fine, size[1] * fine), (*ground, 0))
    draw, k = ImageDraw.Draw(over), scale * fine
    ink, soft, blue = (23, 33, 43, 255), (77, 90, 104, 255), (0, 97, 158, 255)
    for path, dashed in read["lines"]:
        points = [tuple(float(value) * k for value in pair.split(",")) for pair in path[1:].split("L")]
        for (ax, ay), (bx, by) in itertools.pairwise(points):
            pieces = max(1, round(((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5 / (3.5 * k))) if dashed else 1
            for i in range(0, pieces, 2):
                s, t = i / pieces, min(1, (i + 1) / pieces)
                ends = (ax + s * (bx - ax), ay + s * (by - ay), ax + t * (bx - ax), ay + t * (by - ay))
                draw.line(ends, fill=ink, width=round(0.9 * k))
        x, y = points[-1]
        draw.ellipse(
            (x - 2.6 * k, y - 2.6 * k, x + 2.6 * k, y + 2.6 * k), fill=ink, outline=(*ground, 255), width=round(k)
        )
    words = ImageFont.truetype(FONT, round(12.5 * k))
    for text, x, y, anchor in read["texts"]:
        draw.text(
            (x * k, y * k), text, font=words, fill=ink, anchor={"end": "rs", "start": "ls", "middle": "ms"}[anchor]
        )
    head = ImageFont.truetype(BOLD, round(15 * k))
    draw.text((12 * k, 24 * k), read["title"], font=head, fill=ink, anchor="ls")
    draw.text((20 * k + head.getlength(read["title"]), 24 * k), read["seen"], font=words, fill=soft, anchor="ls")
    edges = {
        "top": (WIDTH / 2, 22),
        "bottom": (WIDTH / 2, HEIGHT - 8),
        "left": (14, HEIGHT / 2),
        "right": (WIDTH - 14, HEIGHT / 2),
    }
    for edge, (x, y) in edges.items():
        draw.text((x * k, y * k), read["letters"][edge], font=head, fill=blue, anchor="ms")
    over = over.resize(size, Image.Resampling.BOX)
    sheet.paste(over, mask=over.getchannel("A"))
    return sheet


def views(browser: Any, scene: str) -> bytes:
    """Return the six labelled views of a scene at L1 as a PNG, drawn by the viewer in an open `browser`."""
    from vertebra.widgets import anatomy

    widget = anatomy.Anatomy
    state = {"scene": {**anatomy.view(scene, "L1"), "seed": 0}, "selected": "", "wanted": "normal", "problem": ""}
    page = browser.new_context(viewport={"width": 1000, "height": 900}, reduced_motion="reduce").new_page()
    try:
        page.set_content('<body data-jp-theme-light="true"></body>')
        source = {"esm": str(widget._esm), "css": str(widget._css), "state": state}
        page.evaluate(SHOW, {**source, "width": WIDTH, "height": HEIGHT})
        scale = SHEET / (2 * WIDTH)
        pictures = [one_view(page.evaluate(READ, view), scale) for view in range(6)]
    finally:
        page.context.close()
    wide, high = pictures[0].size
    sheet = Image.new("RGB", (2 * wide, 3 * high))
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (number % 2 * wide, number // 2 * high))
    lines = ImageDraw.Draw(sheet)
    for ends in ((wide, 0, wide, 3 * high), (0, high, 2 * wide, high), (0, 2 * high, 2 * wide, 2 * high)):
        lines.line(ends, fill=(195, 204, 214), width=1)
    out = io.BytesIO()
    few = sheet.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Draw all scenes into assets/figures."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from playwright.sync_api import sync_playwright

    from browsers import FLAGS, MISSING, find_browser
    from vertebra.widgets import anatomy

    path = find_browser() or sys.exit(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for scene in anatomy.SCENES:
            file = ROOT / "assets" / anatomy.picture(scene)
            file.write_bytes(views(browser, scene))
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
