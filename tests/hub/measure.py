"""What a student costs on a hub: memory and CPU of one server and one kernel, on a real JupyterHub on this machine.

`python -m tests.hub.measure` starts twenty students' servers at once, as tests/hub does, opens a lesson in each and
runs every cell of it. It prints medians and largest values for the server and the kernel, and then what one kernel
takes in each lesson. Linux only. Memory is the proportional set size (shared pages divided among those who share them)
and the resident set size (shared pages counted in full); in a cluster a student's own container shares little, so the
latter is the guide.
"""

import argparse
import os
import re
import shutil
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.hub.hub import ROOT, Hub, Person, running_hub

TICK = os.sysconf("SC_CLK_TCK")
LESSON = "03_fracture_types.ipynb"


@dataclass(frozen=True)
class Use:
    """What one process has used: memory now in MB, CPU time so far in s."""

    rss: float
    pss: float
    cpu: float


def use(pid: int) -> Use:
    process = Path("/proc", str(pid))
    rolled = dict(line.split(":", 1) for line in (process / "smaps_rollup").read_text().splitlines()[1:])
    # After the name, which may hold spaces: the fields from the third on; 14 and 15 are user and system time.
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / TICK
    return Use(*(int(rolled[name].split()[0]) / 1024 for name in ("Rss", "Pss")), cpu)


def measure(people: Sequence[Person], pids: Sequence[int]) -> list[Use]:
    """Return what each process uses once all of them rest."""
    time.sleep(5)
    return [use(pid) for pid in pids]


def row(what: str, uses: Sequence[Use], before: Sequence[Use] | None = None) -> str:
    cpu = [one.cpu - (before[n].cpu if before else 0.0) for n, one in enumerate(uses)]
    cells = [[one.rss for one in uses], [one.pss for one in uses], cpu]
    shown = [
        f"{statistics.median(each):8.{1 if n == 2 else 0}f} ({max(each):.{1 if n == 2 else 0}f})"
        for n, each in enumerate(cells)
    ]
    return f"{what:34}" + "".join(f"{each:>18}" for each in shown)


def begin(person: Person) -> float:
    """Log in and wait for the server; return how long it took in s."""
    start = time.perf_counter()
    person.log_in()
    person.start_server()
    return time.perf_counter() - start


def open_lesson(person: Person, name: str = LESSON) -> tuple[int, float]:
    """Open the lesson and run every cell; return the kernel's process number and how long it took in s."""
    start = time.perf_counter()
    lesson = person.open_notebook(f"lessons/{name}")
    for cell in lesson["cells"]:
        if cell["cell_type"] == "code":
            person.run(cell["source"])
    return int(person.run("import os; print(os.getpid())")), time.perf_counter() - start


def run(hub: Hub) -> None:
    people = [Person(hub, name) for name in hub.passwords]
    with ThreadPoolExecutor(len(people)) as together:
        waits = list(together.map(begin, people))
        numbers = hub.server_pids()
        pids = [numbers[person.name] for person in people]
        started = measure(people, pids)
        opened = list(together.map(open_lesson, people))
        after, kernels = measure(people, pids), measure(people, [pid for pid, _ in opened])
    print(f"{len(people)} students at once on {os.cpu_count()} cores; median (largest)")
    print(f"{'':34}{'RSS MB':>18}{'PSS MB':>18}{'CPU s':>18}")
    print(row("server, started", started))
    print(row("server, lesson open (CPU: since)", after, started))
    print(row("kernel, every cell run", kernels))
    both = [Use(a.rss + k.rss, a.pss + k.pss, a.cpu + k.cpu) for a, k in zip(after, kernels, strict=True)]
    print(row("student in all", both))
    print(f"log-in until the server answers: {statistics.median(waits):.0f} s (largest {max(waits):.0f} s)")
    took = [seconds for _, seconds in opened]
    print(f"lesson opened and run: {statistics.median(took):.0f} s (largest {max(took):.0f} s)")
    hub_use = use(hub.processes["hub"].pid)
    print(f"hub: {hub_use.rss:.0f} MB, {hub_use.cpu:.1f} s CPU; proxy: {use(hub.processes['proxy'].pid).rss:.0f} MB")


def largest(person: Person) -> None:
    """Print what a kernel takes at most in each lesson."""
    person.log_in()
    print(f"\n{'one kernel after every cell of':34}{'largest RSS MB':>18}{'CPU s':>18}")
    for path in sorted((ROOT / "lessons").glob("[0-9]*.ipynb")):
        pid, _ = open_lesson(person, path.name)
        peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc", str(pid), "status").read_text())
        print(f"{path.stem:34}{int(peak[1]) / 1024 if peak else 0:18.0f}{use(pid).cpu:18.1f}", flush=True)
        person.web.delete(f"/user/{person.name}/api/kernels/{person.kernel}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=20)
    names = [f"student{n:02d}" for n in range(1, parser.parse_args().students + 1)]
    with running_hub(names) as hub:
        shutil.copytree(ROOT / "lessons", hub.folder / "lessons", dirs_exist_ok=True)
        run(hub)
        largest(Person(hub, names[0]))


if __name__ == "__main__":
    main()
