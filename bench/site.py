"""What the course's site costs a browser, against the default JupyterLite build of the same notebooks.

Both are served from this machine to a real Chromium and measured in one run; times are medians of `--repeats`, from the
call to the page. Cold: a profile that has seen nothing. Warm: the page a second time. Two lines lead to the browser:
loopback as it is, and one that gives 10 Mbit/s in all, 40 ms before each answer (the server does that, so it holds for
pages and workers alike).

- Readable: the first text of a lesson is painted. An answer: a practice question is answered and marked; the script
  clicks as soon as there is something to click. Live: the first widget of the lesson stands on its page, drawn.
- A static lesson: every byte that its page takes, all pictures and its quiz included, the largest lesson of all.
- JupyterLite's default: its own build of the same notebooks with the same version of Pyodide, the official packages,
  the same course and the same extensions, its notebook page, and all cells run as soon as it lets them be run. It is
  given every package at its start, which spares it one round of installing while the cells run. Its reader would also
  have to press Run All; that is not counted. It has no page that reads without Python.

Run `python bench/site.py` (`--repeats`, default 3; `--site` and `--pyodide` take what is built and fetched already;
without `--pyodide` package registries are asked). The last line: how many times as long the default takes, cold and on
loopback, until the lesson is live.
"""

import argparse
import contextlib
import functools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]
from browsers import FLAGS, MISSING, find_browser  # noqa: E402
from sites import Quiet, served  # noqa: E402
from tools.pyodide_from_registries import assemble, pip_download, take_wheels  # noqa: E402
from vertebra.site import live, runtime, wheel  # noqa: E402
from vertebra.site.build import build, parts  # noqa: E402
from vertebra.site.official import LOCK, Source  # noqa: E402

LESSONS = Path(__file__).parents[1] / "lessons"
LESSON = "09_vertebroplasty_vs_kyphoplasty"  # the one whose widgets need the most of the models
MEGABIT, DELAY = 10, 0.04
PATIENCE = 240_000  # ms
BUDGETS = {"readable": 1.5, "answer": 2.0, "live, cold": 20.0, "live, warm": 8.0}  # s
PAGE = 1.5  # MB of a static lesson
KERNEL = ("micropip", "packaging")  # official packages that JupyterLite's kernel wants and the course's does not
COMPLETION = ("jedi", "parso")


class Line:
    """A line to the browser that all connections share. megabit: Mbit/s, 0 for as fast as it goes."""

    def __init__(self, megabit: float, delay: float) -> None:
        self.megabit, self.delay, self.sent = megabit, delay, 0
        self._free, self._lock = 0.0, threading.Lock()

    def send(self, size: int) -> None:
        """Wait until these bytes have gone through."""
        with self._lock:
            self.sent += size
            if not self.megabit:
                return
            self._free = max(self._free, time.monotonic()) + size * 8e-6 / self.megabit
            until = self._free
        time.sleep(max(0.0, until - time.monotonic()))


class Slow(Quiet):
    """Serves files through a line."""

    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        self.line = line
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        """Answer after the line's delay."""
        time.sleep(self.line.delay)
        with contextlib.suppress(ConnectionError):  # a page that is left is left
            super().do_GET()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file through the line."""
        while chunk := source.read(16_384):
            self.line.send(len(chunk))
            outputfile.write(chunk)


# --- JupyterLite's default -------------------------------------------------------------------------------------------


def default_build(out: Path, pyodide: Path) -> Path:
    """Build the same notebooks with JupyterLite as it comes. pyodide: a folder of official files."""
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary)
        (made / "files").mkdir()
        for path in LESSONS.glob("*.ipynb"):
            (made / "files" / path.name).write_text(json.dumps(live.notebook(path)), encoding="utf-8")
        shared = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(made), "--output-dir", str(out)]
        command += ["--contents", "files", "--no-libarchive", "--ignore-sys-prefix"]
        command += [f"--LiteBuildConfig.federated_extensions={shared / name}" for name in live.EXTENSIONS]
        subprocess.run(command, cwd=made, check=True, capture_output=True)
        packages = default_pyodide(out / "static" / "pyodide", pyodide, made)
    settings = json.loads((out / "jupyter-lite.json").read_text(encoding="utf-8"))
    config = settings["jupyter-config-data"]
    config["exposeAppInBrowser"] = True
    kernel = config.setdefault("litePluginSettings", {}).setdefault("@jupyterlite/pyodide-kernel-extension:kernel", {})
    kernel |= {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": packages},
    }
    (out / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    return out


def default_pyodide(out: Path, pyodide: Path, work: Path) -> list[str]:
    """Write Pyodide with the official packages and the course beside JupyterLite; return what to load at its start."""
    shutil.copytree(pyodide, out)
    lock = json.loads((out / LOCK).read_text(encoding="utf-8"))
    take_wheels(pip_download(work), runtime.official_wheels(lock, KERNEL), out)
    pinned = [f"{name}=={lock['packages'][name]['version']}" for name in COMPLETION]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", out]
    subprocess.run([*command, *pinned], check=True)
    released = {name: entry for name, entry in lock["packages"].items() if (out / entry["file_name"]).is_file()}
    own = []
    for path in [*runtime.pure_wheels(Source(str(pyodide), work)), *wheel.build(work / "wheels", LESSONS)]:
        own.append(runtime.read_wheel(path))
        if path.parent != pyodide:
            shutil.copyfile(path, out / path.name)
    lock["packages"] = released | {
        package.name: runtime.lock_entry(package, out / package.wheel.name) for package in own
    }
    (out / LOCK).write_text(json.dumps(lock), encoding="utf-8")
    wanted = [*wheel.packages(LESSONS / f"{LESSON}.ipynb"), "vertebra", "anywidget", "ipywidgets", "comm", "ipython"]
    return [*live.closure(wanted, lock["packages"], LESSON), *KERNEL, *COMPLETION]


# --- What is measured ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def page_in(chromium: Any) -> Iterator[Any]:
    """Yield a page of a browser that has seen nothing, with a cache on the disk, as a reader's has."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = chromium.launch_persistent_context(
            profile, executable_path=find_browser(), args=FLAGS, viewport={"width": 1100, "height": 900}
        )
        page = context.pages[0]
        page.set_default_timeout(PATIENCE)
        yield page
        context.close()


def readable(page: Any, address: str) -> float:
    page.goto(f"{address}lessons/{LESSON}.html", wait_until="commit")
    paint = (
        "new Promise((done) => new PerformanceObserver((list) => done(list.getEntriesByName('first-contentful-paint')"
    )
    return float(page.evaluate(f"{paint}[0].startTime)).observe({{ type: 'paint', buffered: true }}))")) / 1000


def answered(page: Any, address: str) -> float:
    begin = time.perf_counter()
    page.goto(f"{address}lessons/{LESSON}.html", wait_until="commit")
    card = page.locator("form.vq-card:visible").first
    card.locator(".vq-choice input").first.check()
    card.locator(".vq-levels input").first.check()
    card.locator(".vq-check").click()
    page.wait_for_selector(".vq-save[data-state=saved]")
    return time.perf_counter() - begin


def ours(page: Any, address: str) -> float:
    return until_drawn(page, f"{address}live/notebooks/index.html?path={LESSON}.ipynb")


def default(page: Any, address: str) -> float:
    return until_drawn(page, f"{address}notebooks/index.html?path={LESSON}.ipynb", run=True)


PAINT = """
() => new Promise((done) => {
  const told = (list) => list.getEntriesByName("first-contentful-paint").forEach(({ startTime }) => done(startTime));
  new PerformanceObserver(told).observe({ type: "paint", buffered: true });
})
"""
RUN = """
async () => {
  const pause = () => new Promise((later) => setTimeout(later, 20));
  while (!globalThis.jupyterapp?.shell?.currentWidget?.sessionContext) await pause();
  const { context, sessionContext } = jupyterapp.shell.currentWidget;
  await context.ready;
  await sessionContext.ready;
  jupyterapp.commands.execute("notebook:run-all-cells");
}
"""


def until_drawn(page: Any, url: str, run: bool = False) -> float:
    """Return how long it takes until the lesson's first widget is there."""
    begin = time.perf_counter()
    page.goto(url, wait_until="commit")
    if run:
        page.evaluate(RUN)
    page.wait_for_selector(".jp-OutputArea .vt svg, .jp-OutputArea .vt canvas, .jp-OutputArea .vt img")
    return time.perf_counter() - begin


def whole_page(browser: Any, address: str, line: Line) -> int:
    """Return the bytes of the largest static lesson with all that it shows, each in a profile of its own."""
    sizes = []
    for path in sorted(LESSONS.glob("[0-9]*.ipynb")):
        before = line.sent
        context = browser.new_context(service_workers="block")  # which would fetch what keeps the site for offline
        page = context.new_page()
        page.goto(f"{address}lessons/{path.stem}.html")
        page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
        page.wait_for_load_state("networkidle")
        sizes.append(line.sent - before)
        context.close()
    return max(sizes)


def medians(measure: Any, chromium: Any, address: str, repeats: int, visits: int = 1) -> list[float]:
    """Return the median time, s, of each visit in the same profile: of the first, the second and so on."""
    times: list[list[float]] = []
    for _ in range(repeats):
        with page_in(chromium) as page:
            times.append([measure(page, address) for _ in range(visits)])
    return [statistics.median(each) for each in zip(*times, strict=True)]


def total(folder: Path) -> float:
    return sum(parts(folder).values()) / 1e6


def shares(site: Path) -> str:
    """Return where the site's megabytes go, the largest part first."""
    return "\n".join(f"{size / 1e6:8.2f} MB  {name}" for name, size in parts(site).items())


def row(name: str, seconds: float, budget: float, other: float | None = None) -> None:
    state = "within" if seconds < budget else "OVER"
    beside = f"{other:10.2f} s" if other is not None else ""
    print(f"{name:44}{seconds:8.2f} s  {state} {budget:4.1f} s{beside}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--site", type=Path, help="a site that is built already, live pages included")
    parser.add_argument("--pyodide", type=Path, help="a folder of Pyodide's official files")
    parser.add_argument("--loopback", action="store_true", help="leave the slow line out")
    options = parser.parse_args()
    browser_path = find_browser()
    if not browser_path:
        print(MISSING, file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        work = Path(temporary)
        pyodide = options.pyodide or assemble(work / "pyodide")
        site = options.site or build(work / "site", lessons=LESSONS, pyodide=pyodide).out
        peer = default_build(work / "default", pyodide)
        chromium = playwright.chromium
        browser = chromium.launch(executable_path=browser_path, args=FLAGS)
        slow = [] if options.loopback else [(f"{MEGABIT} Mbit/s, 40 ms", Line(MEGABIT, DELAY))]
        ratio = 0.0
        print(f"{LESSON}: median of {options.repeats}, Chromium {browser.version}; last: JupyterLite's default build")
        for name, line in [("loopback", Line(0, 0)), *slow]:
            repeats = options.repeats if not line.megabit else 1
            with (
                served(site, functools.partial(Slow, line=line)) as here,
                served(peer, functools.partial(Slow, line=Line(line.megabit, line.delay))) as there,
            ):
                row(f"{name}: readable", *medians(readable, chromium, here, repeats), BUDGETS["readable"])
                row(f"{name}: an answer marked", *medians(answered, chromium, here, repeats), BUDGETS["answer"])
                mine, theirs = medians(ours, chromium, here, repeats, 2), medians(default, chromium, there, repeats, 2)
                for kind, *times in zip(("live, cold", "live, warm"), mine, theirs, strict=True):
                    row(f"{name}: {kind}", times[0], BUDGETS[kind], times[1])
                ratio = ratio or theirs[0] / mine[0]
        line = Line(0, 0)
        with served(site, functools.partial(Slow, line=line)) as here:
            largest = whole_page(browser, here, line) / 1e6
        browser.close()
        print(f"largest static lesson{largest:31.2f} MB  {'within' if largest <= PAGE else 'OVER'} {PAGE} MB")
        print(f"whole site, for offline use{total(site):25.1f} MB{'':14}{total(peer):10.1f} MB")
        print(shares(site))
    print(f"{ratio:.1f}x")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
