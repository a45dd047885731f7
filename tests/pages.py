"""What tests in a browser ask of any widget: what axe finds, whether it fits and can be hit, what leaves it."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

CONTROLS = "button, input, select, summary"


def axe(page: Any) -> None:
    """Fail with axe's report if it finds anything; of a dark page it is asked for contrast, the rest being the same."""
    page.emulate_media(reduced_motion="reduce")  # or colours on their way from one to another would be found
    dark = page.evaluate("document.body.dataset.jpThemeLight === 'false'")
    options: dict[str, Any] = {"rules": {"page-has-heading-one": {"enabled": False}}}
    found = Axe().run(page, options={"runOnly": ["color-contrast"]} if dark else options)
    assert found.violations_count == 0, found.generate_report()


def settled(view: Any) -> None:
    """Wait until the widget shows the answer to what it wants."""
    view.page.wait_for_function("Number(document.querySelector('.vt').dataset.seq) === model.get('wanted').seq")


def fits(page: Any) -> bool:
    """Return whether nothing scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def small(page: Any, controls: str = CONTROLS, least: float = 24) -> list[Any]:
    """Return the visible controls that are lower or narrower than `least` px, each with its size."""
    boxes = page.evaluate(
        "(which) => [...document.querySelectorAll(which)].filter((e) => e.offsetParent)"
        ".map((e) => [e, e.getBoundingClientRect()])"
        ".map(([e, { width, height }]) => [e.outerHTML.slice(0, 60), width, height])",
        controls,
    )
    return [box for box in boxes if min(box[1:]) < least]


def listen(page: Any) -> None:
    """Keep in `window.heard` which keys the page around the widget hears."""
    page.evaluate("window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))")
