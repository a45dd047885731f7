"""The project as a whole: its environments agree, its code is clean, and it speaks of itself alone."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# The one name that differs: conda's matplotlib without a Qt.
CONDA = {"matplotlib-base": "matplotlib", "python-tzdata": "tzdata"}


def names(requirements):
    return {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in requirements}


def locked(file):
    """Name to versions: a package may be locked twice, for older and newer Pythons."""
    found = {}
    for name, version, marker in re.findall(
        r"^([\w.-]+)==([\w.]+)(?: ; (.*?))? \\$", (ROOT / file).read_text(), re.MULTILINE
    ):
        found.setdefault(name, {})[marker] = version
    return found


def test_the_lock_has_hashes_for_everything_and_no_addresses():
    for file in ("requirements.lock", "requirements-site.lock", "requirements-test.lock"):
        text = (ROOT / file).read_text()
        entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in entry for entry in entries)
        assert "://" not in text
    course, site, test = (locked(f"requirements{kind}.lock") for kind in ("", "-site", "-test"))
    for smaller, larger in [(course, site), (site, test)]:
        # The same versions; uv words a marker anew when more packages ask for one.
        assert all(set(versions.values()) == set(larger[name].values()) for name, versions in smaller.items())
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert names(PYPROJECT["project"]["dependencies"] + extras["setup"]) <= course.keys()
    assert names(extras["site"]) <= site.keys()
    assert names(extras["test"]) <= test.keys()


def test_conda_gets_the_same_packages_in_the_same_versions():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(entry for entry in listed if isinstance(entry, dict))["pip"]
    assert pip == ["-e ."]
    pinned = dict(entry.split("=") for entry in listed if isinstance(entry, str) and "=" in entry)
    assert pinned.pop("python") == "3.12"
    versions = {CONDA.get(name, name): version for name, version in pinned.items()}
    assert versions.keys() == names(PYPROJECT["project"]["dependencies"])
    lock = locked("requirements.lock")
    for name, version in versions.items():
        # Where the lock differs by Python, conda's 3.12 takes the newer branch.
        assert version == lock[name].get("", lock[name].get("python_full_version >= '3.12'")), name


def test_what_runs_is_what_is_locked():
    lock = locked("requirements-test.lock")
    for name in names(PYPROJECT["project"]["dependencies"]):
        assert importlib.metadata.version(name) in lock[name].values(), name


def run(*command):
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


def test_ruff_and_mypy_find_nothing():
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        done = run(*command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_bank_and_assignment_is_free_of_faults():
    done = run("vertebra", "quiz", "check")
    assert done.returncode == 0, done.stdout


def test_nothing_loads_from_elsewhere_and_rooms_know_only_what_is_above_them():
    order = [
        "browser",
        "assets",
        "language",
        "distributions",
        "spine",
        "measure",
        "imaging",
        "cement",
        "mechanics",
        "comparison",
        "evidence",
        "simulators",
        "quiz",
        "teaching",
        "widgets",
        "site",
        "cli",
    ]
    for path in (ROOT / "src" / "vertebra").rglob("*.py"):
        room = path.relative_to(ROOT / "src" / "vertebra").parts[0].removesuffix(".py")
        if room.startswith("__"):
            continue
        imported = set(
            re.findall(r"^\s*from vertebra(?:\.(\w+))?(?:[.\w]*) import (\w+)", path.read_text(), re.MULTILINE)
        )
        known = {first or second for first, second in imported} & set(order)
        allowed = set(order[: order.index(room) + 1])
        if room == "widgets":
            allowed -= {"teaching"}
        assert known <= allowed, (path.name, known - allowed)
        widgety = re.search(r"^\s*(from|import) (anywidget|ipywidgets)", path.read_text(), re.MULTILINE)
        assert room == "widgets" or not widgety, path
    for path in (ROOT / "src" / "vertebra" / "widgets").glob("*.js"):
        assert not re.search(r"^\s*import |import\(|https?://(?!www\.w3\.org)", path.read_text(), re.MULTILINE), path
