"""The course's data is found and read in Pyodide, where the only file system is the browser's own."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from vertebra.evidence import references as literature

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
VERSION = "314.0.3"
TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}

RUN = """
async () => {
  const { loadPyodide } = await import("http://localhost/pyodide.mjs");
  const pyodide = await loadPyodide({ indexURL: "http://localhost/" });
  for (const name of ["yaml.zip", "vertebra.zip"]) {
    const archive = await (await fetch("http://localhost/" + name)).arrayBuffer();
    pyodide.unpackArchive(archive, "zip", { extractDir: "/site" });
  }
  return pyodide.runPython(`
    import sys
    sys.path.insert(0, "/site")
    from vertebra import assets
    found = [str(assets.root()), len(assets.read_yaml("evidence/references.yml")["references"])]
    try:
        assets.path("evidence/nothing.yml")
    except assets.AssetError as error:
        found.append(str(error))
    found
  `).toJs();
}
"""


@pytest.fixture(scope="module")
def pyodide(tmp_path_factory):
    """The Pyodide runtime, from its npm package (6 MB)."""
    npm = shutil.which("npm")
    if not npm:
        message = "no npm found to fetch Pyodide with; install Node.js to run this test"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    folder = tmp_path_factory.mktemp("pyodide")
    got = subprocess.run([npm, "pack", f"pyodide@{VERSION}"], cwd=folder, capture_output=True, text=True, check=False)
    if got.returncode:
        message = f"npm could not fetch pyodide {VERSION}: {got.stderr[-300:]}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    shutil.unpack_archive(next(folder.glob("*.tgz")), folder, filter="data")
    return folder / "package"


def zipped(archive: Path, folder: Path, files) -> Path:
    with zipfile.ZipFile(archive, "w") as out:
        for file in files:
            out.write(file, file.relative_to(folder))
    return archive


def test_the_wheels_data_is_read_in_the_browser(chromium, pyodide, tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    library = Path(yaml.__file__).parent
    served = {
        "vertebra.zip": next(tmp_path.glob("*.whl")),
        # PyYAML works without its compiled half, which a browser could not run.
        "yaml.zip": zipped(tmp_path / "yaml.zip", library.parent, library.glob("*.py")),
    }
    page = chromium.new_page()
    page.set_default_timeout(60_000)

    def answer(route):
        name = route.request.url.rpartition("/")[2]
        file = served.get(name, pyodide / name)
        if not name:
            route.fulfill(body="<!doctype html><title>x</title>", content_type="text/html")
        elif file.is_file():
            route.fulfill(body=file.read_bytes(), content_type=TYPES.get(file.suffix, "application/octet-stream"))
        else:
            route.fulfill(status=404)

    page.route("http://localhost/**", answer)
    page.goto("http://localhost/")
    root, references, error = page.evaluate(RUN)
    assert root == "/site/vertebra/_data/assets"
    assert references == len(literature.references())
    assert error.startswith("/site/vertebra/_data/assets/evidence/nothing.yml: this data file is missing")
    page.close()
