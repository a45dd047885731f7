"""Each benchmark still runs and ends in its ratio. How large the ratio is, is not a test: machines differ."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
BENCH = Path(__file__).parents[2] / "bench"
# How it ends does not depend on how large a class is graded.
SMALL = {"grading": ["--students", "20", "--sample", "1", "--large", "20"]}


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("path", sorted(BENCH.glob("*.py")), ids=lambda path: path.stem)
def test_a_benchmark_runs_and_its_last_line_is_a_ratio(path):
    command = [sys.executable, path, "--repeats", "2", *SMALL.get(path.stem, [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+\.\dx", done.stdout.splitlines()[-1])
