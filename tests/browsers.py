"""Find a browser for the tests: an installed Chromium, Chrome or Edge; on Debian as root it is installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

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
