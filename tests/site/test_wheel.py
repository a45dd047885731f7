"""The browser's wheels hold what lessons need and no more, the same bytes each time, and data as they are read here."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from sites import LESSONS
from vertebra import assets
from vertebra.quiz import case_files, items
from vertebra.quiz.blueprint import objectives
from vertebra.quiz.coverage import practice_banks
from vertebra.site import wheel
from vertebra.teaching.files import TeachingError

ROOT = Path(__file__).parents[2]
EVERY = sorted(LESSONS.glob("*.ipynb"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return wheel.build(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def unpacked(wheels, tmp_path_factory):
    """Return a folder with all the wheels in it, as a browser has it."""
    folder = tmp_path_factory.mktemp("site-packages")
    for file in wheels:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
    return folder


def names(file):
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def test_the_same_source_gives_the_same_bytes(wheels, tmp_path):
    assert [file.read_bytes() for file in wheels] == [file.read_bytes() for file in wheel.build(tmp_path)]


def test_records_are_true_and_pip_accepts_the_wheels(wheels, tmp_path):
    assert wheels[0].name.startswith("vertebra-")
    command = [sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--offline", "--target", tmp_path, *wheels]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "vertebra" / "_data" / "assets" / "ct" / "image.nii.gz").is_file()


def test_no_graded_key_no_desk_and_no_yaml_reaches_the_browser(wheels):
    every = [name for file in wheels for name in names(file)]
    assert not [name for name in every if name.endswith(".yml") or "/teaching/" in name or "/site/" in name]
    text = b"".join(zipfile.ZipFile(file).read(name) for file in wheels for name in names(file) if "_data" in name)
    graded = [item for path in (ROOT / "quizzes" / "graded").glob("*.yml") for item in items.load_bank(path).items]
    assert len(graded) > 20
    for item in graded:
        assert f'"{item.id}"'.encode() not in text
        for part in item.rationales().values():
            assert json.dumps(part, ensure_ascii=False)[1:60].encode() not in text


def test_what_must_not_leave_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(wheel, "_data", lambda *_: [("vertebra/_data/quizzes/graded/x.yml.json", b"{}")])
    with pytest.raises(TeachingError, match="must never reach a student's browser"):
        wheel.build(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_licence_of_the_ct_goes_with_it(wheels):
    ct = next(file for file in wheels if file.name.startswith("vertebra_ct"))
    assert {"LICENSE-CC-BY-3.0", "README.md"} <= {name.rpartition("/")[2] for name in names(ct)}


READ = """
import dataclasses, json, sys
sys.path.insert(0, sys.argv[1])
sys.modules["yaml"] = sys.modules["jsonschema"] = None
from vertebra import assets
from vertebra.quiz import case_files, items
from vertebra.quiz.blueprint import objectives
from vertebra.quiz.coverage import practice_banks
from vertebra.evidence import recovery, references
assert assets.__file__.startswith(sys.argv[1])
print(json.dumps({
    "banks": [dataclasses.asdict(dataclasses.replace(bank, file="")) for bank in practice_banks()],
    "cases": [dataclasses.asdict(case_files.load_case(case_files.find_case(name))) for name in sys.argv[2:]],
    "objectives": [dataclasses.asdict(each) for each in objectives().values()],
    "found": str(items.find_bank("start")), "head": items.load_bank(items.find_bank("03_fracture_types")).id,
    "recovery": [dataclasses.asdict(each) for each in recovery.series()],
    "references": [dataclasses.asdict(each) for each in references.references().values()],
    "misconceptions": dict(items.misconceptions()),
}, default=str))
"""


def test_twins_are_read_without_yaml_as_the_yaml_is_read(unpacked):
    from dataclasses import asdict

    from vertebra.evidence import recovery, references

    cases = [path.stem for path in assets.yaml_files(case_files.CHECKOUT)]
    done = subprocess.run(
        [sys.executable, "-I", "-c", READ, str(unpacked), *cases], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    banks = [replace(bank, file="", items=tuple(unlined(item) for item in bank.items)) for bank in practice_banks()]
    expected = {
        "banks": [asdict(bank) for bank in banks],
        "cases": [asdict(case_files.load_case(case_files.find_case(name))) for name in cases],
        "objectives": [asdict(each) for each in objectives().values()],
        "recovery": [asdict(each) for each in recovery.series()],
        "references": [asdict(each) for each in references.references().values()],
        "misconceptions": dict(items.misconceptions()),
    }
    here, there = str(assets.root()), str(unpacked / "vertebra" / "_data" / "assets")
    for name, data in expected.items():
        assert told[name] == json.loads(json.dumps(data, default=str).replace(here, there)), name
    assert told["found"].endswith("00_start.yml") and told["head"] == "fracture_types"


def unlined(item):
    return replace(item, line=0)


def test_a_damaged_twin_is_named_with_the_mend(tmp_path):
    (tmp_path / "x.yml.json").write_text("{", encoding="utf-8")
    with pytest.raises(assets.AssetError, match=r"x\.yml\.json: damaged.*get it back"):
        assets.twin(tmp_path / "x.yml")
    (tmp_path / "x.yml").write_text("a: 1", encoding="utf-8")
    assert assets.twin(tmp_path / "x.yml") is None  # where the YAML stands, it counts


def test_packages_are_followed_to_what_functions_import():
    needed = {path.stem: set(wheel.packages(path)) for path in EVERY}
    assert {"numpy", "anywidget", "fsrs"} <= set.intersection(*needed.values())
    assert "scipy" in needed["05_imaging"] and "pillow" in needed["05_imaging"]
    assert "contourpy" in needed["03_fracture_types"]  # imported in a function only
    assert not {"scipy", "pillow", "vertebra-ct"} & needed["10_evidence"]
    assert "scipy" not in needed["03_fracture_types"]  # its model could, but no function that does so is called
    assert {name for name, wanted in needed.items() if "vertebra-ct" in wanted} == {
        "01_spine_anatomy", "05_imaging", "15_cases"
    }  # fmt: skip
    every = set.union(*needed.values())
    assert not {"matplotlib", "pyyaml", "jsonschema", "nibabel", "statsmodels", "pandas"} & every
    assert {f"vertebra-{bank.id.replace('_', '-')}" for bank in practice_banks()} - needed["my_progress"] == {
        "vertebra-start"  # has no pictures
    }


def lesson(tmp_path, *cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "99_x.ipynb")
    return tmp_path / "99_x.ipynb"


def test_a_cell_may_import_what_nobody_here_has(tmp_path):
    path = lesson(tmp_path, "import json", "def f():\n    import sudoku_solver.deep as s", "from PIL import Image")
    assert wheel.packages(path) == ("pillow", "sudoku-solver")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%matplotlib inline", "cell 2, line 1: is not plain Python"),
        ("import yaml", "imports yaml, which the browser does without"),
        ("from vertebra.quiz.source import Source", "imports vertebra.quiz.source"),
    ],
)
def test_what_the_browser_cannot_run_is_named(tmp_path, cell, words):
    with pytest.raises(TeachingError, match=words):
        wheel.packages(lesson(tmp_path, "1 + 1", cell))


def test_a_folder_without_lessons_is_named(tmp_path):
    with pytest.raises(TeachingError, match="there are no lessons"):
        wheel.build(tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()
