from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.teaching.sample import PICTURE, write_course

from vertebra import assets
from vertebra.teaching.assign import Assigned, assign


@dataclass
class Course:
    """The sample quiz, assigned: its assignment file, and what was built from it."""

    file: Path
    out: Path
    built: Assigned


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "assets"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "box.svg").write_text(PICTURE, encoding="utf-8")
    monkeypatch.setattr(assets, "root", lambda: folder)


@pytest.fixture
def course(tmp_path: Path, picture: None) -> Course:
    file = write_course(tmp_path)
    return Course(file, tmp_path / "out", assign(file, tmp_path / "out"))
