"""Each benchmark still runs and ends in its ratio. How large the ratio is, is not a test: machines differ."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pyodides import official_folder

pytestmark = pytest.mark.browser
BENCH = Path(__file__).parents[2] / "bench"
# How it ends does not depend on how large a class is graded.
SMALL = {"grading": ["--students", "20", "--sample", "1", "--large", "20"]}


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("path", sorted(set(BENCH.glob("*.py")) - {BENCH / "site.py"}), ids=lambda path: path.stem)
def test_a_benchmark_runs_and_its_last_line_is_a_ratio(path):
    ran(path, "--repeats", "2", *SMALL.get(path.stem, []))


@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("chromium")
def test_what_the_site_costs_is_within_its_budgets_of_size_and_told_at_the_end(live_site, shared, record_property):
    """Times are told and not judged: other tests run beside this one. The slow line is left to who runs the bench."""
    options = ["--repeats", "1", "--loopback", "--site", live_site, "--pyodide", official_folder(shared)]
    told = ran(BENCH / "site.py", *options)
    assert re.search(r"^largest static lesson .* MB  within 1\.5 MB$", told, re.MULTILINE)
    record_property("measured", told)


def ran(path, *options):
    done = subprocess.run([sys.executable, path, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+\.\dx", done.stdout.splitlines()[-1])
    return done.stdout
