"""Fixtures every test may use: a real browser, and any widget mounted in it with a kernel that is this very process."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from browsers import FLAGS, MISSING, find_browser
from sites import built_site, served

# No test is timed: hypothesis would fail an example that took 200 ms on a machine with other work.
settings.register_profile("vertebra", deadline=None)
settings.load_profile("vertebra")

# The part of anywidget's host that a widget's ES module sees. Saved traits go to the Python widget in the test process;
# what the widget's handlers changed in answer comes back, as from a kernel. `kernel.dead` cuts that line.
HOST = """
async ({ esm, css, state }) => {
  document.head.appendChild(Object.assign(document.createElement("style"), { textContent: css }));
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const module = await import(url);
  const widget = typeof module.default === "function" ? await module.default() : module.default;
  const listeners = {};
  const dirty = new Set();
  const fire = (name) => {
    for (const f of listeners["change:" + name] ?? []) f(model, state[name]);
    for (const f of listeners["change"] ?? []) f(model);
  };
  window.kernel = { dead: false, saves: 0 };
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; dirty.add(name); fire(name); },
    save_changes: async () => {
      const changed = Object.fromEntries([...dirty].map((name) => [name, state[name]]));
      dirty.clear();
      window.kernel.saves += 1;
      if (window.kernel.dead) return;
      const answer = await window.toPython(JSON.stringify(changed));
      window.fromPython(JSON.parse(answer));
    },
    on: (event, f) => { (listeners[event] ??= []).push(f); },
    off: (event, f) => { listeners[event] = f ? (listeners[event] ?? []).filter((g) => g !== f) : []; },
    send: () => {},
  };
  window.fromPython = (changed) => {
    for (const [name, value] of Object.entries(changed)) { state[name] = value; fire(name); }
  };
  window.model = model;
  window.esm = module;
  const el = document.querySelector("main");
  await widget.initialize?.({ model });
  window.cleanUp = await widget.render({ model, el });
}
"""


@dataclass
class Mounted:
    """A widget on a page: drive `page`, read traits from `widget`."""

    page: Any
    widget: Any

    def push(self, **traits: Any) -> None:
        """Set traits from the Python side and show them to the browser half, as a kernel would."""
        for name, value in traits.items():
            setattr(self.widget, name, value)
        self.page.evaluate("window.fromPython", traits)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return one real browser for the session; without one the tests are skipped, in CI they fail."""
    path = find_browser()
    if not path:
        pytest.fail(MISSING) if os.environ.get("CI") else pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: Any) -> Path:
    """Return a folder that all workers of this run have in common."""
    own: Path = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="session")
def site(shared: Path) -> Path:
    """Return the folder of the site without its live pages, built once in a run."""
    return built_site(False, shared)


@pytest.fixture(scope="session")
def site_address(site: Path) -> Iterator[str]:
    """Return the address of the site without its live pages, served on this machine; it ends in a slash."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def live_site(shared: Path) -> Path:
    """Return the folder of the whole site, built once in a run."""
    return built_site(True, shared)


def shown_in(browser: Any, widget: Any, theme: str = "light", width: int = 1000, height: int = 900) -> Mounted:
    """Return a widget on a blank page of a browser; its context is to be closed."""
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(8000)
    light = str(theme == "light").lower()
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>widget</title></head>'
        f'<body data-jp-theme-light="{light}"><main></main></body></html>'
    )
    page.route("http://localhost/", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto("http://localhost/")

    def to_python(changed: str) -> str:
        before = widget.get_state()
        for name, value in json.loads(changed).items():
            setattr(widget, name, value)
        after = widget.get_state()
        sent = json.loads(changed)
        return json.dumps({k: v for k, v in after.items() if v != before.get(k) and sent.get(k) != v}, default=str)

    page.expose_function("toPython", to_python)
    skip = {"_esm", "_css", "layout", "comm"}
    state = {k: v for k, v in widget.get_state().items() if k not in skip}
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate(HOST, {"esm": str(widget._esm), "css": str(widget._css), "state": state})
    assert not errors, errors
    return Mounted(page, widget)


@pytest.fixture
def mount(chromium: Any) -> Iterator[Callable[..., Mounted]]:
    """Return a function that shows a widget on a blank page; `theme` is light or dark, `width` the page's in px."""
    made: list[Mounted] = []

    def show(widget: Any, theme: str = "light", width: int = 1000) -> Mounted:
        made.append(shown_in(chromium, widget, theme, width))
        return made[-1]

    yield show
    for each in made:
        each.page.context.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what a test measured and recorded as `measured`, so that each run of the suite tells it."""
    for report in terminalreporter.getreports("passed"):
        for text in (text for name, text in report.user_properties if name == "measured"):
            terminalreporter.section(report.nodeid)
            terminalreporter.write_line(text)
