"""Every widget at 320 px, at 200 % zoom, with other spacing, in both themes, in forced colours and without motion."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from contrast import contrast
from gallery import EXHIBITS, Exhibit, at_once
from hands import FAR, FOCUSED
from pages import CONTROLS, fits, small

pytestmark = pytest.mark.browser

# WCAG 1.4.12: what a reader may set for himself, and nothing may be lost by it.
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""

# Text that is cut off or lies outside the page, and controls that lie on one another. What scrolls by itself may run
# over its edge; a preview may end in dots (line-clamp); the words inside a drawing keep the drawing's own spacing.
FAULTS = r"""
() => {
  const root = document.querySelector(".vt"), faults = [];
  const named = (e) => `${e.tagName}.${e.getAttribute("class") ?? ""} "${e.textContent.trim().slice(0, 40)}"`;
  const ancestors = function* (e) { for (let n = e; n && n !== document.body; n = n.parentElement) yield n; };
  const seen = (e) => e.checkVisibility({ visibilityProperty: true });
  const clips = (how) => how === "hidden" || how === "clip";
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const e = text.parentElement;
    if (!text.data.trim() || !seen(e) || e.closest("svg, option, .vt-visually-hidden")) continue;
    const around = [...ancestors(e)].map((n) => [n, getComputedStyle(n)]).filter(([, s]) => s.display !== "inline");
    if (around.some(([n, s]) => s.clipPath !== "none" || s.webkitLineClamp !== "none")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      if (!box.width) continue;
      const edge = around.find(([, s]) => s.overflowX !== "visible");
      const lies = edge?.[0].getBoundingClientRect() ?? { left: 0, right: innerWidth };
      if (edge && !clips(edge[1].overflowX)) break;
      if (box.left < lies.left - 1 || box.right > lies.right + 1) faults.push(`cut off: ${named(e)}`);
      const floor = around.find(([, s]) => clips(s.overflowY))?.[0].getBoundingClientRect();
      if (floor && (box.top < floor.top - 2 || box.bottom > floor.bottom + 2)) faults.push(`cut off: ${named(e)}`);
    }
  }
  const controls = [...root.querySelectorAll("button, input, select, textarea, summary")].filter(seen);
  const boxes = controls.map((e) => [e, e.getBoundingClientRect()]).filter(([, b]) => b.width > 2 && b.height > 2);
  boxes.forEach(([e, a], i) => boxes.slice(i + 1).forEach(([f, b]) => {
    const apart = Math.hypot(a.left + a.width / 2 - b.left - b.width / 2, a.top + a.height / 2 - b.top - b.height / 2);
    if ([e, f].every((one) => getComputedStyle(one).borderRadius === "50%") && apart > (a.width + b.width) / 2) return;
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 1) faults.push(`one on another: ${named(e)} and ${named(f)}`);
  }));
  return faults;
}
"""

# Each word of a drawing that is not scrolled out of sight: its box, its colour, and that of the halo round it, if any.
WORDS = """
() => [...document.querySelectorAll(".vt svg text")].filter((e) => e.textContent.trim())
  .filter((e) => e.checkVisibility({ visibilityProperty: true })).flatMap((e) => {
    const { left, top, right, bottom } = e.getBoundingClientRect(), style = getComputedStyle(e);
    for (let n = e.parentElement; n; n = n.parentElement) {
      const box = n.getBoundingClientRect();
      if (getComputedStyle(n).overflow === "visible") continue;
      if (left < box.left || right > box.right || top < box.top || bottom > box.bottom) return [];
    }
    const edge = style.paintOrder.startsWith("stroke") ? parseFloat(style.strokeWidth) * e.getScreenCTM().a : 0;
    const halo = edge >= 2 ? style.stroke : null;
    return [[e.textContent.trim(), [left, top, right, bottom], style.fill, halo]];
  })
"""


def parts(colour: str) -> list[float]:
    """Return red, green and blue of "rgb(1, 2, 3)"."""
    return [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]


def faint(page: Any) -> list[str]:
    """Return the words of drawings that stand out too little from what is painted behind them (axe skips drawings)."""
    if not page.locator(".vt svg text").count():
        return []
    page.evaluate("scrollTo(0, 0)")  # what sticks to the top of the window would lie over a drawing
    words = page.evaluate(WORDS)
    style = page.add_style_tag(content=".vt svg text { visibility: hidden !important; }")
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB"))
    style.evaluate("(style) => style.remove()")
    found = []
    for text, box, fill, halo in words:
        left, top, right, bottom = (max(int(side), 0) for side in box)
        behind = parts(halo) if halo else picture[top : bottom + 1, left : right + 1].reshape(-1, 3)
        # A thin line may pass behind a word: half of what lies behind it must be well told from it.
        ratio = np.median(contrast(parts(fill), behind))
        if ratio < 4.5:
            found.append(f"{ratio:.1f}:1 {text[:40]}")
    return found


def tabbed(page: Any) -> list[str]:
    """Go through the whole widget by Tab; return what has no frame or is hidden when it has the focus."""
    found: list[str] = []
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(FAR):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:
            return found
        if not at["framed"]:
            found.append(f"no frame: {at['html']}")
        if not at["free"]:
            found.append(f"hidden: {at['html']}")
    return [f"no end of it after {FAR} times Tab"]


# What a screen reader is given to say from now on.
LISTEN = r"""
() => {
  window.spoken = [];
  for (const region of document.querySelectorAll(".vt :is([role=status], [role=alert], [aria-live])"))
    new MutationObserver(() => { if (region.checkVisibility()) spoken.push(region.textContent); })
      .observe(region, { childList: true, characterData: true, subtree: true });
}
"""


# Eight steps of a slider, one at once after the other, as a key that is held down makes them.
HELD = """
(slider) => {
  for (let step = 0; step < 8; step += 1) {
    slider.stepUp();
    for (const type of ["input", "change"]) slider.dispatchEvent(new Event(type, { bubbles: true }));
  }
}
"""


def flooded(page: Any) -> list[str]:
    """Move the first slider by eight steps; return what was said if that was more than where it came to rest."""
    slider = page.locator(".vt input[type=range]").filter(visible=True).first
    if not slider.count():
        return []
    page.wait_for_timeout(450)  # what is to be said of the state before
    page.evaluate(LISTEN)
    slider.evaluate(HELD)
    page.wait_for_timeout(700)
    said: list[str] = page.evaluate("spoken")
    return [f"{len(said)} times: {text}" for text in said[:1] if len(said) > 2]


def resize(page: Any, width: int) -> None:
    """Make the window so wide, in px, and wait until what follows its width is drawn anew."""
    page.set_viewport_size({"width": width, "height": 640})
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=str)
def test_nothing_is_lost(mount: Any, exhibit: Exhibit, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)  # the gym keeps its readings beside the lesson
    found: dict[str, list[str]] = {}
    with at_once():
        view = mount(exhibit.make(tmp_path), width=320)
        page = view.page
        page.emulate_media(reduced_motion="reduce")
        for number, go in enumerate(exhibit.states):
            go(view)
            for width in (320, 640):  # 640 is a window of 1280 px at 200 %
                resize(page, width)
                found[f"{number}, {width} px"] = page.evaluate(FAULTS) + ["scrolls sideways"] * (not fits(page))
            for theme in ("true", "false"):
                page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", theme)
                found[f"{number}, words in drawings, light {theme}"] = faint(page)
            page.evaluate("document.body.dataset.jpThemeLight = 'true'")
            resize(page, 320)
            found[f"{number}, motion"] = page.evaluate("document.getAnimations().map((each) => String(each))")
            found[f"{number}, small"] = small(page, f"{CONTROLS}, textarea, [role=option]")
            style = page.add_style_tag(content=SPACING)
            found[f"{number}, spaced"] = page.evaluate(FAULTS) + ["scrolls sideways"] * (not fits(page))
            style.evaluate("(style) => style.remove()")
            found[f"{number}, focus"] = tabbed(page)
        found["while a slider moves"] = flooded(page)
    assert {where: what for where, what in found.items() if what} == {}
