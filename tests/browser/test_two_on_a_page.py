"""Two of one widget on one page: each loads its module anew, as in JupyterLab, and still they share nothing."""

import pytest

from vertebra.widgets.anatomy import anatomy
from vertebra.widgets.carm import carm
from vertebra.widgets.cascade import fracture_cascade
from vertebra.widgets.cases import case
from vertebra.widgets.compare import side_by_side
from vertebra.widgets.ct import ct_browser
from vertebra.widgets.cure import cement_clock
from vertebra.widgets.decision import shared_decision
from vertebra.widgets.forest import forest_plot
from vertebra.widgets.guidelines import guideline_map
from vertebra.widgets.gym import gym
from vertebra.widgets.leaks import leak_routes
from vertebra.widgets.ledger import claim_ledger
from vertebra.widgets.load import load_explorer
from vertebra.widgets.neighbour import neighbour
from vertebra.widgets.pathway import pathway
from vertebra.widgets.plan import plan_builder
from vertebra.widgets.progress import progress
from vertebra.widgets.redflags import red_flag_explorer
from vertebra.widgets.rewrite import rewrite
from vertebra.widgets.room import procedure_room
from vertebra.widgets.timeline import recovery_timeline
from vertebra.widgets.workbench import workbench

pytestmark = pytest.mark.browser

TWICE = """
async (esm) => {
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  await (await import(url)).default.render({ model, el: document.body.appendChild(document.createElement("div")) });
  const all = (name) => [...document.querySelectorAll(`[${name}]`)].map((e) => e.getAttribute(name));
  const [one, two] = [...document.querySelectorAll(".vt")].map((root) =>
    new Set([...root.querySelectorAll("input[type=radio]")].map((e) => e.name)));
  return { ids: all("id"), lost: all("for").filter((id) => !document.getElementById(id)),
    shared: [...one].filter((name) => two.has(name)), groups: one.size };
}
"""


def room():
    return procedure_room("kyphoplasty")


WIDGETS = [
    anatomy, carm, cement_clock, ct_browser, forest_plot, gym, load_explorer, neighbour, red_flag_explorer, room,
    side_by_side, workbench,
    fracture_cascade, recovery_timeline,
    plan_builder,
    claim_ledger, rewrite,
    case,
    leak_routes, shared_decision,
    guideline_map, pathway,
    progress,
]  # fmt: skip


@pytest.mark.parametrize("make", WIDGETS)
def test_two_on_a_page_share_no_id_and_no_choice(mount, make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the gym keeps its readings beside the lesson
    bench = mount(make())
    bench.page.wait_for_selector(".vt")
    told = bench.page.evaluate(TWICE, str(bench.widget._esm))
    assert len(set(told["ids"])) == len(told["ids"]) > 1
    assert told["lost"] == told["shared"] == []
    # Side by side, the plan builder, the cascade, the rewriting, a case's start, the map, the path and the progress
    # have no radios.
    without = (side_by_side, plan_builder, fracture_cascade, rewrite, case, guideline_map, pathway, progress)
    assert (told["groups"] > 0) == (make not in without)
