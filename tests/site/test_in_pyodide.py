"""Every lesson in the browser's own Python: its cells print what the notebook stores, and every control can be moved.

Pyodide runs under node here, with the very packages that the live site hands to a browser, lesson by lesson; a lesson
that imports what its packages do not hold fails.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sites import LESSONS

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def told(live_site, tmp_path_factory):
    """Return what came of each lesson, by its name."""
    node = shutil.which("node")
    if not node:
        message = "no node found to run Pyodide with; install Node.js to run this test"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    page = (live_site / "live" / "notebooks" / "index.html").read_text(encoding="utf-8")
    config = json.loads(re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    static = live_site / "live" / "static"
    core = tmp_path_factory.mktemp("core")
    for file in (static / "pyodide").iterdir():
        packed = file.suffix == ".packed"  # a browser unpacks them as they arrive
        (core / (file.stem if packed else file.name)).write_bytes(
            gzip.decompress(file.read_bytes()) if packed else file.read_bytes()
        )
    plan = {
        "core": str(core),
        "packs": str(static / "packages"),
        "script": str(HERE / "lesson_run.py"),
        "lessons": [
            {"name": name, "text": (LESSONS / name).read_text(encoding="utf-8"), "packages": entry["packages"]}
            for name, entry in sorted(config["vertebra"].items())
        ],
    }
    file = tmp_path_factory.mktemp("pyodide") / "plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    done = subprocess.run([node, HERE / "lesson_run.mjs", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return {each["name"]: each for each in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", sorted(path.name for path in LESSONS.glob("*.ipynb")))
def test_a_lesson_runs_and_every_control_moves(told, name):
    assert told[name]["faults"] == []
    assert told[name]["moved"] > 0
