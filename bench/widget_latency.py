"""How fast the picture follows a slider: the fracture workbench against ipywidgets.interact with a matplotlib redraw.

Both draw the same three vertebrae in the same JupyterLab page, opened as `start.py` opens it, in a real browser. A key
press moves the slider by one step. Latency is the time from the slider's input event to the frame after its picture
changed: a new path in the workbench; a new and decoded image with interact. The drag is 30 key presses, one every
33 ms; shown is the number of frames in which the picture was a new one.

Run `python bench/widget_latency.py` (`--repeats`, default 20). The last line is the ratio of the median latencies.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]
from browsers import FLAGS, MISSING, course_lab, find_browser  # noqa: E402

WORKBENCH = "from vertebra.widgets.workbench import workbench\nworkbench(seed=1)"
INTERACT = """
import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.patches import Polygon
from vertebra.spine import lateral as model
from vertebra.spine.shape import Shape
from vertebra.widgets.workbench import START, readout

def draw(anterior=30):
    state = START | {"anterior": anterior / 100, "seq": 0, "oedema": True, "tension_band": False}
    shape = Shape(**{name: state[name] for name in START})
    scene, whole = model.lateral(shape), model.lateral(Shape())
    figure, (axes, beside) = plt.subplots(1, 2, figsize=(9, 4.8), width_ratios=(5, 4))
    axes.plot(*model.canal(scene).T, color="#f3d98b", linewidth=38, alpha=0.7, solid_joinstyle="round")
    for upper in model.LEVELS[:-1]:
        axes.add_patch(Polygon(model.disc_outline(scene, upper), color="#b9d6e6"))
    for level in model.LEVELS:
        pose = scene.poses[level]
        for line in model.silhouette(level):
            arch = pose.apply(line + [0, model.arch_shift(scene, level)])
            axes.add_patch(Polygon(arch, facecolor="#efe3c8", edgecolor="#6d5c3d"))
        body = pose.apply(scene.outline(level))
        axes.add_patch(Polygon(body, facecolor="#efe3c8", edgecolor="#6d5c3d", linewidth=2))
        axes.text(*scene.landmarks(level).mean(axis=0), level, weight="bold")
    ghost = whole.poses["L1"].apply(whole.outline("L1"))
    axes.add_patch(Polygon(ghost, fill=False, linestyle="--", edgecolor="#4d5a68"))
    for i in range(3):
        axes.plot(*scene.landmarks("L1")[[i, i + 3]].T, color="#00619e")
    axes.set(xlim=(44, -72), ylim=(-26, 86), aspect="equal")
    axes.axis("off")
    told, left = readout(state), 0.0
    for grade, share in enumerate(told["probabilities"]):
        beside.barh(1, share, left=left, color=["#e3edf5", "#9cc8e8", "#2a6f9f", "#0c2f4a"][grade])
        left += share
    for row, (name, value, note) in enumerate(told["rows"]):
        beside.text(0, -row, f"{name}: {value}")
    beside.set(xlim=(0, 1), ylim=(-7, 2), title=f"Genant grade {told['grade']}")
    beside.axis("off")
    plt.show()

ipywidgets.interact(draw, anterior=(0, 70))
"""

# A change counts once the frame after it has begun, which is when its pixels are on the screen.
PROBE = """
() => {
  const after = (f) => requestAnimationFrame(() => setTimeout(f));
  window.probe = (kind) => {
    const workbench = kind === "workbench";
    const root = document.querySelector(workbench ? ".wb" : ".widget-interact");
    const slider = root.querySelector(workbench ? "[data-slider=anterior]" : "[role=slider]");
    const state = { began: 0, latency: null, frames: 0, last: null, quiet: performance.now() };
    const picture = () => workbench ? root.querySelector("[data-part=L1-body]").getAttribute("d")
      : root.querySelector("img")?.src ?? null;
    state.last = picture();
    const numbers = () => workbench ? root.querySelector("[data-part=readout]").textContent : picture();
    state.read = numbers();
    const look = async () => {
      if (numbers() !== state.read) {
        state.read = numbers();
        after(() => { if (state.began && state.numbers === null) state.numbers = performance.now() - state.began; });
      }
      const now = picture();
      if (now === null || now === state.last) return;
      state.last = now;
      state.quiet = performance.now();
      if (!workbench) await root.querySelector("img").decode().catch(() => {});
      after(() => {
        if (state.began && state.latency === null) state.latency = performance.now() - state.began;
      });
    };
    new MutationObserver(look).observe(root, { subtree: true, childList: true, attributes: true });
    let shown = picture();
    const count = () => {
      const now = picture();
      const image = root.querySelector("img");
      if (now !== null && now !== shown && (workbench || image.complete)) { shown = now; state.frames += 1; }
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    // The input event of a native slider; interact's slider answers to the key itself.
    root.addEventListener(workbench ? "input" : "keydown", () => {
      if (!state.began) state.began = performance.now();
    }, true);
    window.state = state;
    slider.focus();
  };
  window.reset = () => Object.assign(window.state, { began: 0, latency: null, numbers: null });
}
"""


def notebook(path: Path, source: str) -> None:
    """Write a notebook with one cell."""
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)], metadata=metadata), path)


def measure(page: Any, address: str, kind: str, repeats: int) -> tuple[list[float], list[float], int]:
    """Return the latencies (ms) of picture and numbers after single key presses, and the frames shown in a drag."""
    page.goto(address.format(f"{kind}.ipynb"), wait_until="domcontentloaded")
    idle = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function(idle, timeout=60_000)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_selector(".wb svg" if kind == "workbench" else ".widget-interact img", timeout=60_000)
    page.wait_for_timeout(1500)
    page.evaluate(PROBE)
    page.evaluate("probe", kind)
    latencies, numbers = [], []
    for i in range(repeats + 3):  # the first three warm up
        page.evaluate("reset()")
        page.keyboard.press("ArrowRight" if i % 2 else "ArrowLeft")
        page.wait_for_function("state.latency !== null", timeout=20_000, polling=20)
        page.wait_for_function("state.numbers !== null", timeout=20_000, polling=20)
        latencies.append(page.evaluate("state.latency"))
        numbers.append(page.evaluate("state.numbers"))
        # The next press waits until the page is still, so that no late picture of this one is taken for its own.
        page.wait_for_function("performance.now() - state.quiet > 600", polling=50)
    page.evaluate("state.frames = 0")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(33)
    page.wait_for_timeout(1500)
    return latencies[3:], numbers[3:], page.evaluate("state.frames")


def main() -> None:
    """Measure both, print a line each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    path = find_browser()
    if not path:
        sys.exit(MISSING)
    from playwright.sync_api import sync_playwright

    medians = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebook(Path(folder) / "workbench.ipynb", WORKBENCH)
        notebook(Path(folder) / "interact.ipynb", INTERACT)
        with course_lab(Path(folder)) as address:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            for kind in ("workbench", "interact"):
                page = browser.new_page(viewport={"width": 1280, "height": 1400})
                latencies, numbers, frames = measure(page, address, kind, repeats)
                medians[kind] = statistics.median(latencies)
                print(
                    f"{kind}: picture {medians[kind]:.0f} ms, numbers {statistics.median(numbers):.0f} ms (medians of "
                    f"{len(latencies)}); a new picture in {frames} frames of a 30-step drag"
                )
                page.close()
            browser.close()
    print(f"{medians['interact'] / medians['workbench']:.1f}x")


if __name__ == "__main__":
    main()
