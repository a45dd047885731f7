"""Every lesson live: JupyterLite and Python in a real browser, the network cut, each control of each widget moved."""

import json
import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pages import fits
from sites import LESSONS, served
from vertebra.site import live
from vertebra.teaching.files import TeachingError

pytestmark = pytest.mark.browser
EVERY = [path.name for path in sorted(LESSONS.glob("*.ipynb"))]
PATIENCE = 180_000  # ms on a machine with other work; how long it takes is for bench/site.py to say
# What JupyterLite says of how it is used here, to whoever opens the console.
PLATFORM = (
    "Memory storage fallback enabled",  # on purpose: a lesson is always the site's, and answers are kept by the page
    "Pyodide contents will NOT be synced",  # for the same reason
)

# What may stand in an alert, besides a fault: a warning about the patient, with its source; and one refusal, as with
# every control at its end more cement is asked for than the body holds.
TOLD = re.compile(
    r"That cannot be compared: volume is [\d.]+ mL, but this body has room for [\d.]+ mL of cement; choose less"
    r"|.+ \[[\w; ]+\]",
    re.DOTALL,
)
# The rules for a whole page's outline are asked where a widget stands alone (tests/pages.py).
WCAG = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

# Moves every control of a widget that can be seen to both of its ends, and waits for Python each time. A widget may
# draw itself anew at any answer, so controls are found anew by their place. Returns what was moved.
DRIVE = """
async ({ at, most, patience }) => {
  const root = () => document.querySelectorAll(".jp-OutputArea .vt")[at];
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  const settled = async () => {
    await new Promise((later) => setTimeout(later, 40));
    // Python answers in turn, so what the control set off is done by then; JupyterLite answers no comm_info_request.
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error(`no answer after ${moving}`)), patience));
    await Promise.race([kernel.requestIsComplete({ code: "1" }), late]);
  };
  const set = async (node, value) => {
    node.value = value;
    for (const kind of ["input", "change"]) node.dispatchEvent(new Event(kind, { bubbles: true }));
    await settled();
  };
  const click = async (node) => { node.click(); await settled(); };
  const moves = {
    range: (node) => [node.min || "0", node.max || "100"].map((end) => () => set(node, end)),
    number: (node) => [node.min || "0", node.max || "100"].map((end) => () => set(node, end)),
    text: (node) => [() => set(node, "3")],
    textarea: (node) => [() => set(node, "In words that a patient knows: most of these fractures heal.")],
    "select-one": (node) => [node.options[node.length - 1], node.options[0]].map(({ value }) => () => set(node, value)),
    checkbox: (node) => [() => click(node), () => click(node)],
    radio: (node) => [() => click(node)],
    button: (node) => [() => click(node)],
    submit: (node) => [() => click(node)],
  };
  window.print = () => {};
  const seen = () => [...root().querySelectorAll("button, input, select, textarea")]
    .filter((node) => !node.disabled && node.checkVisibility({ visibilityProperty: true }) && node.type !== "file");
  const moved = [];
  let moving;
  for (let place = 0; place < most; place += 1) {
    const node = seen()[place];
    if (!node) break;
    moving = `${node.type} ${node.getAttribute("aria-label") ?? node.textContent.trim().slice(0, 40)}`;
    for (const move of moves[node.type](node)) await move();
    moved.push(moving);
  }
  return moved;
}
"""


@pytest.fixture(scope="module")
def address(live_site):
    with served(live_site) as at:
        yield at


@pytest.fixture(scope="module")
def browser_of_one(chromium):
    """One profile for all lessons: after the first, what they have in common is in the browser's cache."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    context.route("**/worker.js", lambda route: route.abort())  # offline use has tests of its own
    yield context
    context.close()


@pytest.fixture
def opened(browser_of_one, address):
    """Return a function that opens a lesson live and waits until all of it has run; complaints fail the test."""
    complaints, pages = [], []

    def hear(told):
        if told.type in ("error", "warning") and not told.text.startswith(PLATFORM):
            complaints.append(f"{told.type}: {told.text}")

    def go(name, context=browser_of_one):
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(f"pageerror: {error}"))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((address, "data:", "blob:")) else complaints.append(asked.url),
        )
        page.goto(f"{address}live/notebooks/index.html?path={name}", wait_until="commit")
        page.wait_for_selector("#vertebra-bar:is([data-state='live'], [data-state='failed'])")
        page.wait_for_function("performance.getEntriesByName('vertebra:done').length")
        return page

    yield go
    for page in pages:
        page.close()
    assert complaints == []


def status(page):
    return page.locator("#vertebra-status")


@pytest.mark.parametrize("name", EVERY)
def test_a_lesson_runs_by_itself_and_every_control_moves(opened, name):
    page = opened(name)
    expect(status(page)).to_have_text("Live: the figures and the quiz on this page work now.")
    expect(
        page.locator(
            ".jp-OutputArea-output[data-mime-type$='.error'], .jp-OutputArea-output[data-mime-type$='.stderr']"
        )
    ).to_have_count(0)
    shown = page.locator(".jp-OutputArea .vt")
    cells = json.loads((LESSONS / name).read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    widgets = sum(1 for source in sources if re.search(r"vertebra\.widgets|^case\(", source))
    expect(shown).to_have_count(widgets)
    if widgets:
        found = Axe().run(page, context=".jp-OutputArea .vt", options=WCAG)
        assert found.violations_count == 0, found.generate_report()
    for at in range(widgets):
        moved = page.evaluate(DRIVE, {"at": at, "most": 40, "patience": PATIENCE})
        assert moved, f"widget {at} of {name} has nothing to move"
        alerts = shown.nth(at).locator(".vt-alert:visible").all_inner_texts()
        assert [alert for alert in alerts if not TOLD.fullmatch(alert)] == []
    # Code stays out of sight, and no dialog asks anything.
    expect(
        page.locator(".jp-CodeCell .jp-InputArea-editor:visible, .jp-InputPlaceholder:visible, .jp-Dialog")
    ).to_have_count(0)


def test_the_page_says_from_the_start_how_far_it_is(browser_of_one, address):
    page = browser_of_one.new_page()
    page.add_init_script(
        "window.said = []; addEventListener('DOMContentLoaded', () => {"
        " const p = document.querySelector('#vertebra-status'); const hear = () => said.push(p.textContent);"
        " hear(); new MutationObserver(hear).observe(p, { childList: true }); })"
    )
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}live/notebooks/index.html?path=00_start.ipynb", wait_until="commit")
    page.wait_for_selector("#vertebra-bar[data-state='live']")
    said = page.evaluate("said")
    assert all(text.startswith("Starting Python in your browser") for text in said[:-1])
    steps = [int(found[1]) for text in said if (found := re.search(r"(\d) of 5", text))]
    assert steps == sorted(steps)
    assert len(set(steps)) >= 3
    assert page.get_by_role("status").first.inner_text() == said[-1]
    assert page.title() == "Start here · vertebra" or page.title().endswith(" · vertebra")
    link = page.get_by_role("link", name="Reading page")
    assert link.evaluate("(a) => a.href") == f"{address}lessons/00_start.html"
    page.set_viewport_size({"width": 320, "height": 600})
    assert fits(page)
    found = Axe().run(page, context="#vertebra-bar")
    assert found.violations_count == 0, found.generate_report()
    page.locator(".jp-MarkdownOutput").get_by_role("link", name="Next: Spine anatomy").first.click()
    page.wait_for_url("**/live/notebooks/index.html?path=01_spine_anatomy.ipynb")
    page.close()


def answer_first(quiz):
    """Answer the first question with its first option, fairly sure, and check it."""
    card = quiz.locator("form.vq-card:visible").first
    card.get_by_role("radio").first.check()
    card.get_by_role("radio", name=re.compile("^fairly sure", re.IGNORECASE)).check()
    card.get_by_role("button", name=re.compile("^Check")).click()


def test_answers_are_the_same_on_reading_page_and_live_page(opened, chromium, address):
    context = chromium.new_context()
    context.route("**/worker.js", lambda route: route.abort())
    reading = context.new_page()
    reading.set_default_timeout(PATIENCE)
    reading.goto(f"{address}lessons/00_start.html")
    answer_first(reading.locator(".vq"))
    reading.wait_for_function("localStorage.getItem('vertebra/answers/start')")
    kept = json.loads(reading.evaluate("localStorage.getItem('vertebra/answers/start')"))
    (first,) = kept["answers"]

    page = opened("00_start.ipynb", context)
    page.locator(".vq").get_by_role("button", name=re.compile(r"^Question 1\b")).click()
    expect(page.locator(".vq form.vq-card:visible").get_by_role("radio").first).to_be_checked()
    page.locator(".vq").get_by_role("button", name=re.compile(r"^Question 2\b")).click()
    answer_first(page.locator(".vq"))
    page.wait_for_function(
        "Object.keys(JSON.parse(localStorage.getItem('vertebra/answers/start')).answers).length === 2"
    )
    after = json.loads(page.evaluate("localStorage.getItem('vertebra/answers/start')"))
    assert after["answers"][first] == kept["answers"][first]
    assert after["build"] == kept["build"]
    page.wait_for_function("JSON.parse(localStorage.getItem('vertebra/progress')).attempts.length === 2")

    reading.reload()
    expect(reading.locator(".vq")).to_contain_text(re.compile("2 of"))
    context.close()


BROKEN = [
    ("delete window.WebAssembly", None, "This browser cannot run Python"),
    ("", "**/packages/numpy.pack", "A part of the lesson did not arrive"),
    ("", "**/build/notebooks/bundle.js", "A part of the lesson did not arrive"),
]


@pytest.mark.parametrize(("script", "cut", "said"), BROKEN, ids=["no wasm", "no package", "no interface"])
def test_what_stops_a_lesson_is_said_with_what_to_do(chromium, address, script, cut, said):
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script(script)
    if cut:
        page.route(cut, lambda route: route.abort())
    page.goto(f"{address}live/notebooks/index.html?path=00_start.ipynb", wait_until="commit")
    page.wait_for_selector("#vertebra-bar[data-state='failed']", timeout=PATIENCE)
    expect(status(page)).to_contain_text(said)
    expect(status(page)).to_contain_text("reading page")
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    context.close()


def test_an_address_without_a_lesson_leads_to_those_there_are(chromium, address):
    page = chromium.new_page()
    page.goto(f"{address}live/notebooks/index.html?path=99_nothing.ipynb")
    expect(status(page)).to_have_text("There is no live lesson of this name. The reading pages lead to all of them.")
    assert page.get_by_role("link", name="Reading page").evaluate("(a) => a.href") == f"{address}index.html"
    page.close()


def test_a_browser_that_keeps_nothing_runs_the_lesson_and_says_so(chromium, address):
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('no room', 'QuotaExceededError'); }"
    )
    page.goto(f"{address}live/notebooks/index.html?path=00_start.ipynb", wait_until="commit")
    page.wait_for_selector("#vertebra-bar[data-state='live']")
    answer_first(page.locator(".vq"))
    expect(status(page)).to_contain_text("they last until you close this page")
    context.close()


# --- The files -------------------------------------------------------------------------------------------------------


def test_nothing_in_the_live_half_names_an_address_that_a_lesson_would_load(live_site):
    page = (live_site / "live" / "notebooks" / "index.html").read_text()
    config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page)[1])
    kernel = config["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel == {"pyodideUrl": "./static/pyodide/pyodide.mjs", "disablePyPIFallback": True}
    assert config.keys().isdisjoint({"pipliteUrls", "settingsFileUrl"})
    outside = re.compile(r"https?://")
    assert outside.findall(re.sub(r'"vertebra": \{.*\}', "", page)) == []
    for script in (live_site / "live" / "static").glob("*.js"):
        if script.name != "lite-kernel.js":
            assert outside.findall(script.read_text()) == []
    lock = json.loads((live_site / "live" / "static" / "pyodide" / "pyodide-lock.json").read_text())
    assert lock["packages"] == {}


def test_the_live_half_holds_each_lesson_and_its_packages_and_no_map_or_worker_of_its_own(live_site):
    folder = live_site / "live"
    assert sorted(path.name for path in (folder / "files").iterdir()) == EVERY
    assert not [*folder.rglob("*.map"), *folder.rglob("service-worker.js"), *folder.rglob("*.whl")]
    assert all(
        live.loaded(folder, name) > live.loaded(folder, "00_start.ipynb") for name in ("01_spine_anatomy.ipynb",)
    )
    for path in (folder / "files").iterdir():
        notebook = json.loads(path.read_text())
        assert notebook["metadata"]["kernelspec"]["name"] == "python"
        text = json.dumps(notebook)
        assert "../assets" not in text
        assert "Start this lesson" not in text


def test_a_lesson_whose_picture_is_missing_is_refused(tmp_path):
    shutil.copy(LESSONS / "03_fracture_types.ipynb", tmp_path / "03_fracture_types.ipynb")
    with pytest.raises(TeachingError, match=r"03_fracture_types\.ipynb: shows \.\./assets/figures/.*mend the link"):
        live.notebook(tmp_path / "03_fracture_types.ipynb")


def test_a_runtime_without_its_files_is_refused(tmp_path):
    with pytest.raises(TeachingError, match=r"has no pyodide\.mjs, so it is no assembled Pyodide"):
        live.build(tmp_path / "out", [LESSONS / "00_start.ipynb"], tmp_path)


def test_what_needs_a_package_that_is_not_there_names_both():
    with pytest.raises(TeachingError, match=r"ipython: needs traitlets, which is not in pyodide-lock\.json"):
        live.closure(["ipython"], {"ipython": {"depends": ["traitlets", "jedi"]}}, "a lesson")
