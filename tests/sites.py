"""The static site for tests: built once in a whole run, whichever worker asks first, and served on this machine."""

import contextlib
import functools
import http.server
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pyodides import official_folder
from vertebra.site.build import build

LESSONS = Path(__file__).parents[1] / "lessons"
VARIABLE = "VERTEBRA_TEST_SITE"  # a site that is there already: nothing is built
PATIENCE = 600  # seconds another worker may take to build


def built_site(live: bool, shared: Path) -> Path:
    """Return the folder of a site below `shared`, which all workers of a run have in common; the first one builds it.

    A worker that finds the building failed fails too. live: with the notebooks that run.
    """
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    name = "site-live" if live else "site-static"
    site, lock, failed = shared / name, shared / f"{name}.lock", shared / f"{name}.failed"
    try:
        lock.open("x").close()
    except FileExistsError:
        deadline = time.monotonic() + PATIENCE
        while not site.exists():
            if failed.exists():
                raise RuntimeError(f"another worker could not build the site: {failed.read_text()}") from None
            if time.monotonic() > deadline:
                raise RuntimeError(f"no site after {PATIENCE} s") from None
            time.sleep(0.1)
        return site
    try:
        pyodide = official_folder(shared) if live else None
        build(site, lessons=LESSONS, pyodide=pyodide, live=live)
    except BaseException as error:
        failed.write_text(f"{type(error).__name__}: {error}")
        raise
    return site


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files as `python3 -m http.server` does, and says nothing of it."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


@contextlib.contextmanager
def served(folder: Path, handler: Callable[..., Quiet] = Quiet) -> Iterator[str]:
    """Serve a folder on this machine; yield its address, which ends in a slash."""
    handler = functools.partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
