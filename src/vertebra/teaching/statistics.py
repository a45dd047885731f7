"""What a class's results say about the class and about the questions: item analysis, reliability, calibration.

Pure functions of arrays; nothing here reads a file. Students are rows (n), questions are columns (k).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ItemInfo:
    """One question of a quiz, in the bank's ids.

    objectives: ids; points: what it is worth. parts: {id of an option, step, prompt, region, decision or band: text};
    key: the key record that `scoring.score` takes, in the bank's ids.
    """

    id: str
    format: str
    objectives: tuple[str, ...]
    points: float
    stem: str
    parts: Mapping[str, str]
    key: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ClassResults:
    """The results of one quiz: n students by k questions.

    students: n pseudonymous codes. fractions (n, k): share of credit, 0 to 1; NaN where a question was not shown to a
    student, 0 where it was shown and left open. certainty (n, k): 1, 2, 3 or 0 for none. answers: n rows of k JSON
    values in the bank's ids, or None. Raises ValueError when the shapes or values do not fit each other.
    """

    quiz: str
    title: str
    students: tuple[str, ...]
    items: tuple[ItemInfo, ...]
    fractions: Floats
    certainty: NDArray[np.int64]
    answers: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        shape = (len(self.students), len(self.items))
        found = (self.fractions.shape, self.certainty.shape)
        if found != (shape, shape):
            raise ValueError(f"fractions and certainty have the shapes {found}, the class has {shape}")
        if len(self.answers) != shape[0] or any(len(row) != shape[1] for row in self.answers):
            raise ValueError(f"the answers are not {shape[0]} rows of {shape[1]}")
        if not np.all(np.isnan(self.fractions) | ((self.fractions >= 0) & (self.fractions <= 1))):
            raise ValueError("a share of credit lies outside 0 to 1")
        if not np.isin(self.certainty, (0, 1, 2, 3)).all():
            raise ValueError("a certainty is not 0, 1, 2 or 3")
