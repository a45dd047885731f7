"""The gym in JupyterLab with real films: two are read by a kernel, and the readings outlive it."""

import json

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe

from browsers import course_lab

pytestmark = pytest.mark.browser
START = '[data-jp-item-name="start-lesson"] jp-button'


def wait_for_kernel(page):
    page.wait_for_function(
        "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=120_000
    )


def open_gym(page, address):
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_selector(START)
    wait_for_kernel(page)
    page.locator(START).last.click()
    gym = page.get_by_role("region", name="Film reading gym")
    gym.get_by_role("heading", name="Film 1").wait_for()
    return gym


def test_films_are_read_in_jupyterlab_and_kept(chromium, tmp_path):
    cell = nbformat.v4.new_code_cell('from vertebra.widgets.gym import gym\ngym("answers", seed=8)')
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Films\n\n## The gym"), cell])
    book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(book, tmp_path / "films.ipynb")
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(120_000)  # a busy machine: JupyterLab once took longer than 30 s to show a notebook
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with course_lab(tmp_path) as lab:
        gym = open_gym(page, lab.format("films.ipynb"))
        # By mouse: a fracture called in the middle of the film.
        gym.locator(".gy-box").click()
        gym.get_by_role("radio", name="Yes").check()
        gym.get_by_role("radio", name="Wedge").check()
        gym.get_by_role("radio", name="1 mild").check()
        gym.get_by_label("Largest height loss").fill("22")
        gym.get_by_role("radio", name="Guess").check()
        gym.get_by_role("button", name="Commit, then see the truth").click()
        following = gym.get_by_role("button", name="Next film")
        following.wait_for()
        found = Axe().run(page, context=".gy")
        assert found.violations_count == 0, found.generate_report()
        following.press("Enter")
        gym.get_by_role("heading", name="Film 2").wait_for()
        # By keyboard: from the heading to the list of levels, its last entry, the certainty, Enter.
        for key in ("Tab", "End", "Tab", "Space", "Enter"):
            page.keyboard.press(key)
        following.wait_for()
        gym.get_by_role("heading", name="Running score: 2 films").wait_for()
        page.evaluate("jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
        wait_for_kernel(page)
        gym = open_gym(page, lab.format("films.ipynb"))
        gym.get_by_role("heading", name="Running score: 2 films").wait_for()
    context.close()
    readings = json.loads((tmp_path / "answers" / "progress.json").read_text())["readings"]
    first, second = sorted(readings, key=lambda one: one["said"]["fractured"], reverse=True)
    assert (first["said"]["kind"], first["said"]["grade"], first["said"]["loss"]) == ("wedge", 1, 0.22)
    assert second["said"] == {"level": "", "fractured": False, "kind": "", "grade": 0, "loss": None}
    assert second["certainty"] == 1
    assert errors == []
