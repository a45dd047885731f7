"""The site without a network, in a real browser: a small site, served by Python's own server, which is then stopped."""

import functools
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vertebra import widgets
from vertebra.site import offline

pytestmark = pytest.mark.browser
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
POLICY += "manifest-src 'self'; worker-src 'self'; base-uri 'none'"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="9"><rect width="9" height="9"/></svg>'

# True when the worker has kept a page, which it does last of all that the page shows.
KEPT = """async (path) => {
  const { active } = await navigator.serviceWorker.ready;
  const ask = (deed) => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    active.postMessage({ vertebra: deed, addresses: [] }, [port2]);
  });
  for (const start = performance.now(); performance.now() - start < 15_000; ) {
    if ((await ask("state")).pages?.some(([kept]) => kept === path)) return true;
    await new Promise((next) => setTimeout(next, 20));
  }
  return false;
}"""


def shell(title: str, body: str, root: str = "") -> str:
    """Return a page of the small site."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<link rel="manifest" href="{root}manifest.webmanifest"><link rel="icon" href="{root}_/icon.svg">'
        f'<script type="module" src="{root}_/offline.js"></script></head>'
        f'<body><main>{body}</main><section class="vt" data-offline="panel"></section></body></html>'
    )


def write_site(out: Path, second: str = "Second lesson", picture: int = 20) -> None:
    """Build a site of three pages, a picture in each; `second` and `picture` (its width) are what a version changes."""
    (out / "_").mkdir(parents=True, exist_ok=True)
    (out / "lessons").mkdir(exist_ok=True)
    (out / "live").mkdir(exist_ok=True)
    (out / "_" / "words.js").write_bytes(Path(widgets.__file__).with_name("words.js").read_bytes())
    links = '<a href="lessons/01_first.html">1</a> <a href="lessons/02_second.html">2</a>'
    (out / "index.html").write_text(shell("The course", f"<h1>The course</h1>{links}"))
    for number, name in ((1, "First lesson"), (2, second)):
        stem = "01_first" if number == 1 else "02_second"
        body = f'<h1>{name}</h1><img src="../_/{stem}.svg" alt="a square"><p id="late"></p>'
        (out / "lessons" / f"{stem}.html").write_text(shell(name, body, "../"))
        (out / "_" / f"{stem}.svg").write_text(PICTURE.format(picture if number == 2 else 10))
    (out / "live" / "kernel.wasm").write_bytes(bytes(300_000))
    offline.finish(out, shell)


class _Handler(http.server.SimpleHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        path = self.path.split("?")[0].lstrip("/")
        self.server.asked.append(path)
        if self.server.hangs:
            self.server.hangs.wait(20)
        if any(path.endswith(each) for each in self.server.cut):
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"half of ")
        elif self.server.login:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Hospital guest network</title>Please sign in")
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that is closed ends its connections."""

    daemon_threads = True
    asked: list[str]
    cut: tuple[str, ...] = ()  # files whose connection breaks in the middle
    login = False  # every address answers with a login page
    hangs: threading.Event | None = None  # nothing is answered until this is set


@dataclass
class Host:
    """A server that can be stopped, and started again at the same address."""

    root: Path
    port: int = 0
    server: _Server | None = None
    asked: list[str] = field(default_factory=list)

    def start(self) -> "Host":
        handler = functools.partial(_Handler, directory=str(self.root))
        self.server = _Server(("127.0.0.1", self.port), handler)
        self.server.asked = self.asked
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@dataclass
class Visit:
    """A browser at a site: `go` opens a page of it, `says` waits for words of the panel."""

    host: Host
    page: Any
    folder: Path
    under: str

    def go(self, path: str) -> None:
        self.page.goto(f"http://127.0.0.1:{self.host.port}/{self.under}{path}")

    def says(self, words: str) -> None:
        self.page.locator('[data-offline="panel"] [role=status]').get_by_text(re.compile(words)).wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=re.compile(name)).click()

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def ask(self, deed: str) -> Any:
        """Send the worker a message and return what it answers."""
        send = """(deed) => new Promise((resolve) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = ({ data }) => resolve(data);
          navigator.serviceWorker.controller.postMessage({ vertebra: deed, addresses: [] }, [port2]);
        })"""
        return self.page.evaluate(send, deed)


@pytest.fixture
def visit(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Return a function that builds the small site, serves it (in a folder `under` the root) and opens a page of it."""
    ended: list[Callable[[], None]] = []

    def begin(under: str = "", path: str = "") -> Visit:
        write_site(tmp_path / under)
        host = Host(tmp_path).start()
        context = chromium.new_context(viewport={"width": 390, "height": 800})
        ended.extend([host.stop, context.close])
        page = context.new_page()
        page.set_default_timeout(8000)
        shown = Visit(host, page, tmp_path / under, under)
        shown.go(path)
        assert page.evaluate(KEPT, path or "index.html")
        shown.says("so far")
        return shown

    yield begin
    for end in ended:
        end()


@pytest.mark.parametrize("under", ["", "a/b/"])
def test_a_visited_page_opens_without_a_network_and_another_one_says_that_it_is_not_there(visit, under):
    shown = visit(under, "lessons/01_first.html")
    shown.host.stop()
    shown.page.reload()
    assert shown.heading() == "First lesson"
    assert shown.page.evaluate("document.querySelector('img').naturalWidth") == 10
    shown.go("lessons/02_second.html")
    assert shown.heading() == "This page is not on your device"
    shown.page.get_by_role("link", name="First lesson").click()
    shown.page.get_by_role("heading", name="First lesson").wait_for()
    shown.go("lessons/02_second.html?from=a-mail")
    shown.host.start()
    shown.page.get_by_role("link", name="Try again").click()
    shown.page.get_by_role("heading", name="Second lesson").wait_for()


def test_the_whole_course_is_kept_on_request_and_its_size_is_said_before(visit):
    shown = visit()
    sizes = json.loads((shown.folder / "version.json").read_text())["bytes"]
    whole = f"{(sizes['pages'] + sizes['live']) / 1e6:.1f}\u00a0MB"
    assert shown.page.get_by_role("button", name="Keep all pages and live lessons").inner_text().endswith(f"({whole})")
    shown.press("Keep all pages \\(")
    shown.says("All pages are on this device.*live lesson still needs")
    assert "live/kernel.wasm" not in shown.host.asked
    shown.press("Keep all pages and live lessons")
    shown.says("The whole course is on this device: [0-9.]+.MB")
    assert shown.page.evaluate("document.activeElement.getAttribute('role')") == "status"
    shown.host.stop()
    for path, heading in (("lessons/01_first.html", "First lesson"), ("lessons/02_second.html", "Second lesson")):
        shown.go(path)
        assert shown.heading() == heading
    size = "fetch('../live/kernel.wasm?v=3').then((r) => r.arrayBuffer()).then((b) => b.byteLength)"
    assert shown.page.evaluate(size) == 300_000
    part = (
        "fetch('../live/kernel.wasm', {headers: {Range: 'bytes=10-19'}}).then(async (r) => [r.status, await r.text()])"
    )
    assert shown.page.evaluate(part) == [206, 10 * chr(0)]
    assert shown.page.evaluate("fetch('../no/such/file').then((r) => r.status)") == 404


def test_an_update_is_announced_fetches_only_what_changed_and_leaves_what_the_student_stored(visit):
    shown = visit()
    shown.press("Keep all pages \\(")
    shown.says("All pages are on this device")
    shown.go("lessons/02_second.html")
    shown.page.evaluate("localStorage.setItem('vertebra/answers/x', '1')")
    write_site(shown.folder, second="Second lesson, mended")
    del shown.host.asked[:]
    shown.page.reload()
    assert shown.heading() == "Second lesson"  # the kept one at once
    notice = shown.page.locator(".vt-newer")
    notice.get_by_text("A new version of the course is ready.").wait_for()
    assert {*shown.host.asked} - {"worker.js"} == {"version.json", "files.json", "lessons/02_second.html"}
    notice.get_by_role("button", name="Reload").click()
    shown.page.get_by_role("heading", name="mended").wait_for()
    assert shown.page.evaluate("localStorage.getItem('vertebra/answers/x')") == "1"
    assert not shown.page.locator(".vt-newer button").count()


def test_an_update_that_is_cut_off_leaves_the_old_version_whole_and_goes_on_later(visit):
    shown = visit()
    shown.press("Keep all pages \\(")
    shown.says("All pages are on this device")
    shown.host.stop()  # a check by the open page must not see half of the new version
    write_site(shown.folder, second="Second lesson, mended", picture=30)
    shown.host.start().server.cut = ("lessons/02_second.html",)
    shown.go("lessons/01_first.html")
    assert shown.ask("update")["fault"]["kind"] == "network"
    shown.go("lessons/02_second.html")
    assert shown.heading() == "Second lesson"
    assert shown.page.evaluate("document.querySelector('img').naturalWidth") == 20
    assert shown.ask("update")["fault"]["kind"] == "network"
    shown.host.server.cut = ()
    del shown.host.asked[:]
    assert shown.ask("update")["fault"] is None
    assert set(shown.host.asked) == {"version.json", "lessons/02_second.html"}  # the picture had arrived
    shown.page.reload()
    assert shown.heading() == "Second lesson, mended"
    assert shown.page.evaluate("document.querySelector('img').naturalWidth") == 30


def test_a_page_never_gets_a_file_of_another_version(visit):
    shown = visit("", "lessons/01_first.html")
    shown.page.reload()
    write_site(shown.folder, picture=30)
    late = """() => new Promise((resolve) => {
      const image = document.body.appendChild(new Image());
      image.onload = () => resolve(image.naturalWidth);
      image.onerror = () => resolve("none");
      image.src = "../_/02_second.svg";
    })"""
    assert shown.page.evaluate(late) == "none"
    shown.page.get_by_text("A new version of the course is ready.").wait_for()
    shown.page.reload()
    assert shown.page.evaluate(late) == 30


def test_a_network_that_hangs_or_wants_a_login_does_not_hold_up_or_spoil_what_is_kept(visit):
    shown = visit("", "lessons/01_first.html")
    shown.host.server.hangs = threading.Event()
    shown.page.set_default_timeout(3000)
    shown.page.reload(wait_until="domcontentloaded")
    assert shown.heading() == "First lesson"
    shown.host.server.login = True
    shown.host.server.hangs.set()
    shown.host.server.hangs = None
    shown.page.set_default_timeout(8000)
    shown.go("lessons/02_second.html")  # not kept: the student may sign in there
    assert shown.page.title() == "Hospital guest network"
    shown.go("lessons/01_first.html")
    assert shown.heading() == "First lesson"
    shown.host.server.login = False
    shown.go("lessons/02_second.html")
    assert shown.heading() == "Second lesson"


def test_too_little_room_is_said_in_words_and_what_is_kept_stays(visit):
    shown = visit("", "lessons/01_first.html")
    devtools = shown.page.context.new_cdp_session(shown.page)
    origin = f"http://127.0.0.1:{shown.host.port}"
    used = devtools.send("Storage.getUsageAndQuota", {"origin": origin})["usage"]
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": used + 100_000})
    shown.press("Keep all pages and live lessons")
    shown.says("no room for it: 0.3.MB are missing")
    shown.host.stop()
    shown.page.reload()
    assert shown.heading() == "First lesson"


def test_what_is_kept_can_be_removed_and_stays_removed(visit):
    shown = visit("", "lessons/01_first.html")
    shown.page.evaluate("localStorage.setItem('vertebra/answers/x', '1')")
    shown.press("Remove from this device")
    shown.says("Your answers stay")
    shown.page.reload()
    shown.says("Nothing of the course is on this device")
    left = "Promise.all([caches.keys(), navigator.serviceWorker.getRegistrations()]).then((all) => all.flat().length)"
    assert shown.page.evaluate(left) == 0
    assert shown.page.evaluate("localStorage.getItem('vertebra/answers/x')") == "1"
    shown.press("Keep all pages")
    shown.says("All pages are on this device")


def test_where_workers_are_not_allowed_the_site_works_and_says_so(chromium, tmp_path):
    write_site(tmp_path)
    context = chromium.new_context()
    page = context.new_page()
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

    def answer(route):
        path = tmp_path / route.request.url.split("/", 3)[3]
        route.fulfill(body=path.read_bytes(), content_type=types.get(path.suffix, "application/json"))

    page.route("http://ward-pc.local/**", answer)
    page.goto("http://ward-pc.local/lessons/01_first.html")
    page.get_by_text("This browser keeps no pages from this address").wait_for()
    assert page.locator("h1").inner_text() == "First lesson"
    assert not page.get_by_role("button").count()
    context.close()


def test_a_practice_quiz_is_answered_and_marked_without_a_network_and_remembered(chromium, site):
    host = Host(site).start()
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.goto(f"http://127.0.0.1:{host.port}/lessons/03_fracture_types.html")
        assert page.evaluate(KEPT, "lessons/03_fracture_types.html")
        host.stop()
        page.reload()
        card = page.locator("form.vq-card").first
        card.locator(".vq-question input").first.check()
        card.locator(".vq-certainty input").first.check()
        card.get_by_role("button", name="Check").click()
        said = card.locator(".vq-headline").text_content()
        page.reload()
        assert page.locator("form.vq-card .vq-headline").first.text_content() == said
    finally:
        host.stop()
        context.close()


def test_a_live_lesson_runs_without_a_network_once_the_whole_course_is_kept(chromium, live_site):
    host = Host(live_site).start()
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.set_default_timeout(180_000)
        failed: list[str] = []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(f"http://127.0.0.1:{host.port}/")
        page.get_by_role("button", name="Keep all pages and live lessons").click()
        page.get_by_text("The whole course is on this device").wait_for()
        host.stop()
        page.goto(f"http://127.0.0.1:{host.port}/live/notebooks/index.html?path=03_fracture_types.ipynb")
        slider = page.locator(".wb [data-slider=anterior]")
        slider.wait_for()
        before = page.locator(".wb [data-part=readout]").inner_text()
        slider.press("End")
        page.wait_for_function("(b) => document.querySelector('.wb [data-part=readout]').innerText !== b", arg=before)
        assert not failed
    finally:
        host.stop()
        context.close()
