"""Pyodide's official files for tests: from package registries, by whichever worker of a run asks first."""

import os
import time
from pathlib import Path

from tools.pyodide_from_registries import assemble
from vertebra.site.official import cache

VARIABLE = "VERTEBRA_TEST_PYODIDE"  # a folder that has them already: nothing is fetched
PATIENCE = 300  # seconds another worker may take to fetch


def official_folder(shared: Path) -> Path:
    """Return a folder of official files. shared: a folder that all workers of a run have in common.

    It lies in the user's cache, so that the next run finds it; what is there is checked again.
    """
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    folder, begun, done = cache() / "from-registries", shared / "pyodide.begun", shared / "pyodide.done"
    try:
        begun.open("x").close()
    except FileExistsError:
        deadline = time.monotonic() + PATIENCE
        while not done.exists():
            if time.monotonic() > deadline:
                raise RuntimeError(f"no files of Pyodide after {PATIENCE} s") from None
            time.sleep(0.1)
    else:
        try:
            assemble(folder)
        finally:
            done.touch()
    return folder
