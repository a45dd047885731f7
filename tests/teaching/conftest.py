from pathlib import Path

import pytest

from tests.teaching.sample import BELIEF, PICTURE, Course, write_course
from vertebra import assets
from vertebra.quiz import items
from vertebra.teaching.assign import assign


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder of data that holds the picture of the sample's hotspot, and the one misconception it names."""
    folder = tmp_path / "assets"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "box.svg").write_text(PICTURE, encoding="utf-8")
    monkeypatch.setattr(assets, "root", lambda: folder)
    monkeypatch.setattr(items, "misconceptions", lambda: {"kzbelief": BELIEF})


@pytest.fixture
def course(tmp_path: Path, picture: None) -> Course:
    file = write_course(tmp_path)
    return Course(file, tmp_path / "out", assign(file, tmp_path / "out"))
