"""The data files are found in a checkout and in an installed wheel, and a bad one is named."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vertebra import assets
from vertebra.evidence.references import references

ROOT = Path(__file__).parents[1]


@pytest.fixture
def data(tmp_path, monkeypatch):
    (tmp_path / "evidence").mkdir()
    monkeypatch.setattr(assets, "root", lambda: tmp_path)
    return tmp_path


def test_a_checkout_reads_its_own_folder():
    assert assets.path("evidence/references.yml") == ROOT / "assets/evidence/references.yml"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a: \xff\xfe", "damaged at byte 3"),
        (b"a: 1\nb: [1, 2\n", "damaged at line 3"),
    ],
)
def test_a_damaged_file_is_named_with_its_place_and_the_mend(data, content, words):
    (data / "evidence/x.yml").write_bytes(content)
    with pytest.raises(assets.AssetError) as caught:
        assets.read_yaml("evidence/x.yml")
    assert words in str(caught.value)
    assert "x.yml" in str(caught.value)
    assert "git checkout" in str(caught.value)


def test_a_missing_file_and_a_path_out_of_the_folder(data):
    with pytest.raises(assets.AssetError, match="is missing"):
        assets.path("evidence/nothing.yml")
    with pytest.raises(assets.AssetError, match="outside"):
        assets.path("../pyproject.toml")


def test_an_installed_wheel_finds_and_reads_what_the_checkout_has(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        names = archive.namelist()
    # Away from the checkout, with only the unpacked wheel and the libraries to import from.
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import vertebra.assets as a;"
        "import vertebra.evidence.claims as c, vertebra.evidence.references as r;"
        "assert a.root().is_relative_to(sys.argv[1]), a.root(); print(len(r.references()), len(c.claims()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(site)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == [str(len(references())), "272"], ran.stderr
    # The practice banks travel with the wheel, the graded ones do not.
    banks = [name for name in names if "/quizzes/" in name]
    assert any(name.endswith("03_fracture_types.yml") for name in banks)
    assert not any("graded" in name for name in banks)
