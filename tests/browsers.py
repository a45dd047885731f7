"""What browser tests and benchmarks stand on: a browser on this machine, and the course's JupyterLab."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import start

COMMANDS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
COMMANDS += ["microsoft-edge", "msedge"]
PROGRAMS = {
    "darwin": [f"{app}.app/Contents/MacOS/{app}" for app in ("Google Chrome", "Chromium", "Microsoft Edge")],
    "win32": [
        "Google/Chrome/Application/chrome.exe",
        "Chromium/Application/chrome.exe",
        "Microsoft/Edge/Application/msedge.exe",
    ],
}
MISSING = "no Chromium, Chrome or Edge found: install one, or set VERTEBRA_BROWSER to its path"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The network is cut: whatever is not on this machine cannot be found.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def candidates(platform: str, environ: Mapping[str, str]) -> list[Path]:
    """Return where a browser may be on this platform: on the PATH first, then in the usual folders."""
    folders = {
        "darwin": ["/Applications"],
        "win32": [environ[name] for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA") if name in environ],
    }.get(platform, [])
    on_path = [Path(found) for found in map(shutil.which, COMMANDS) if found]
    return on_path + [Path(folder, program) for folder in folders for program in PROGRAMS[platform]]


def find_browser() -> str | None:
    """Return the path of a browser or None; where that is ours to do, install Debian's Chromium first."""
    named = os.environ.get("VERTEBRA_BROWSER")
    if named:
        return named
    if not shutil.which("chromium") and shutil.which("apt-get") and os.geteuid() == 0:
        for step in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-qq", *step], stdout=subprocess.DEVNULL, check=False)
    return next((str(path) for path in candidates(sys.platform, os.environ) if path.is_file()), None)


def unused_port() -> int:
    """Return a port that the system chooses, as two tests at once would both take the first free one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def course_lab(folder: Path) -> Iterator[str]:
    """Serve a folder in JupyterLab as start.py does; yield the address of a document, with {} for its path."""
    port, token = unused_port(), secrets.token_urlsafe(16)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = ["--no-browser", "--LabApp.expose_app_in_browser=True", *(["--allow-root"] if as_root else [])]
    command = start.lab_command(Path(sys.executable), folder, port, token, flags)
    # The settings are the shipped ones; what JupyterLab writes for itself goes to the temporary folder.
    environ = start.lab_environment(start.ROOT, dict(os.environ))
    environ |= {"JUPYTER_CONFIG_DIR": str(folder / ".config"), "JUPYTER_DATA_DIR": str(folder / ".data")}
    log = folder / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=environ, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=1).close()
                    break
                except OSError:
                    if server.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}") from None
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/doc/tree/{{}}?token={token}"
        finally:
            server.terminate()
            server.wait(20)
