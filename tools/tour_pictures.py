"""Take the tour's pictures from the course itself: `python tools/tour_pictures.py [--site DIR]`.

Needs the test tools and a Chromium. Without `--site` the static site is built first. Writes `docs/pictures/*.webp`,
all light.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "pictures"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from browsers import FLAGS, MISSING, find_browser  # noqa: E402  (beside the tests)
from conftest import shown_in  # noqa: E402
from gallery import room  # noqa: E402
from sites import LESSONS, served  # noqa: E402
from vertebra.site.build import build  # noqa: E402
from vertebra.widgets.forest import forest_plot  # noqa: E402
from vertebra.widgets.workbench import workbench  # noqa: E402

DESK, PHONE = (1280, 800), (390, 760)


def opened(browser: Any, address: str, size: tuple[int, int]) -> Any:
    """Return a page of the site as a new reader sees it."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="light", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return page


def taken(page: Any) -> Image.Image:
    """Return what a page shows now, and close it."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    page.context.close()
    return picture


def beside(pictures: Sequence[Image.Image], gap: int = 24) -> Image.Image:
    """Return pictures of one height side by side on a quiet ground."""
    width = sum(each.width for each in pictures) + gap * (len(pictures) + 1)
    sheet = Image.new("RGB", (width, pictures[0].height + 2 * gap), "#dfe5eb")
    at = gap
    for each in pictures:
        sheet.paste(each, (at, gap))
        at += each.width + gap
    return sheet


def answered(page: Any) -> Any:
    """Answer the first practice question of a lesson with its first option, sure, and show what it says to that."""
    quiz = page.locator(".vq")
    quiz.scroll_into_view_if_needed()
    quiz.locator(".vq-question input[type=radio]").first.check()
    quiz.get_by_text("Certain", exact=True).first.click()
    quiz.get_by_role("button", name="Check").first.click()
    quiz.locator(".vq-question").first.evaluate("(node) => node.scrollIntoView({ block: 'start' })")
    return page


def widget(browser: Any, made: Any, height: int) -> Image.Image:
    """Return a widget as it opens."""
    view = shown_in(browser, made, width=1100, height=height)
    view.page.wait_for_timeout(1500)  # until the first answer is drawn
    return taken(view.page)


def tour(browser: Any, address: str, folder: Path) -> dict[str, Image.Image]:
    """Return the pictures by name."""
    lesson = f"{address}lessons/03_fracture_types.html"
    phones = [
        taken(opened(browser, address, PHONE)),
        taken(opened(browser, lesson, PHONE)),
        taken(answered(opened(browser, lesson, PHONE))),
    ]
    return {
        "front": taken(opened(browser, address, DESK)),
        "lesson": taken(opened(browser, lesson, DESK)),
        "phone": beside(phones),
        "workbench": widget(browser, workbench(), 760),
        "room": widget(browser, room("vertebroplasty", "cement")(folder), 820),
        "forest": widget(browser, forest_plot(window="month 1"), 820),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the tour's pictures from the course itself.")
    parser.add_argument("--site", type=Path, help="a site that is built already")
    given = parser.parse_args()
    found = find_browser()
    if not found:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = given.site or Path(folder) / "site"
        if not given.site:
            build(site, lessons=LESSONS, pyodide=None, release="", live=False, quizzes=())
        browser = playwright.chromium.launch(executable_path=str(found), args=FLAGS)
        OUT.mkdir(parents=True, exist_ok=True)
        with served(site) as address:
            for name, picture in tour(browser, address, Path(folder)).items():
                file = OUT / f"{name}.webp"
                picture.save(file, quality=80, method=6)
                print(f"{file.relative_to(ROOT)}: {picture.width} x {picture.height}, {file.stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    main()
