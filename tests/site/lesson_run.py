"""Run inside Pyodide: the cells of one lesson, and every control of its widgets to its ends; tell what came of it.

`guard` lets a lesson import only what its packages hold. `run` returns {"faults": [sentence], "seconds": in all,
"first": seconds until the first widget was there, "moved": how often a control was moved}.
"""

import ast
import builtins
import contextlib
import importlib
import io
import itertools
import json
import re
import sys
import time
import traceback
import types

# As kernel.js does it: IPython's terminal is not among the packages.
sys.modules["IPython.terminal.embed"] = types.SimpleNamespace(embed=None)

PICTURE = re.compile(r"data:image/[^\"']*")


def guard(lent):
    """Let cells and vertebra import no other package than the `lent` ones, and forget what earlier lessons made."""
    plain = getattr(builtins.__import__, "plain", builtins.__import__)
    allowed = {*sys.stdlib_module_names, *lent}

    def guarded(name, globals=None, locals=None, fromlist=(), level=0):
        top = name.partition(".")[0]
        asker = str((globals or {}).get("__name__", ""))
        if asker.partition(".")[0] in ("vertebra", "cell") and not level and top not in allowed:
            raise ModuleNotFoundError(f"No module named {top!r}: the lesson's packages hold none", name=top)
        return plain(name, globals, locals, fromlist, level)

    guarded.plain = plain
    builtins.__import__ = guarded
    for name in [name for name in sys.modules if name.partition(".")[0] == "vertebra"]:
        del sys.modules[name]
    importlib.invalidate_caches()


# --- Cells -----------------------------------------------------------------------------------------------------------


def run(text):
    """Run a notebook, given as text."""
    faults, widgets, first, begun = [], [], 0.0, time.perf_counter()
    scope = {"__name__": "cell"}
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        try:
            printed, value, shown = executed("".join(cell["source"]), scope)
        except Exception:
            faults.append(f"cell {number}: {traceback.format_exc(limit=-4)}")
            continue
        stored_text, stored = stored_outputs(cell)
        if printed != stored_text:
            faults.append(f"cell {number}: prints {printed!r}, the notebook stores {stored_text!r}")
        for kind in shown.keys() & {"text/plain", "text/html"}:
            if PICTURE.sub("", shown[kind]) != PICTURE.sub("", stored.get(kind, "")):
                faults.append(f"cell {number}: its {kind} is not what the notebook stores")
        if "application/vnd.jupyter.widget-view+json" in shown:
            widgets.append((number, value))
            first = first or time.perf_counter() - begun
    moved = 0
    for number, widget in widgets:
        place = f"cell {number}, {type(widget).__name__}"
        try:
            for name, traits in moves(widget):
                complaint = set_traits(widget, traits)
                moved += 1
                if complaint:
                    faults.append(f"{place}, {name}: {complaint}")
        except Exception:
            faults.append(f"{place}: {traceback.format_exc(limit=-4)}")
    return {"faults": faults, "seconds": time.perf_counter() - begun, "first": first, "moved": moved}


def executed(source, scope):
    """Return what a cell printed, its last value, and that value as a page shows it."""
    tree, out, value, shown = ast.parse(source), io.StringIO(), None, {}
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(out):
        exec(compile(tree, "<cell>", "exec"), scope)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), scope)
        if hasattr(value, "_repr_mimebundle_"):
            shown = value._repr_mimebundle_()
            shown = shown[0] if isinstance(shown, tuple) else shown
        elif value is not None:
            shown = {"text/plain": repr(value)}
            shown |= {"text/html": value._repr_html_()} if hasattr(value, "_repr_html_") else {}
    return out.getvalue(), value, shown


def stored_outputs(cell):
    """Return what a notebook stores of a cell: the text it printed, and its last value by kind."""
    text = "".join("".join(each["text"]) for each in cell["outputs"] if each["output_type"] == "stream")
    data = [each["data"] for each in cell["outputs"] if "data" in each]
    return text, {kind: "".join(part) for kind, part in data[-1].items()} if data else {}


# --- Controls --------------------------------------------------------------------------------------------------------


def set_traits(widget, traits):
    """Set traits as the browser would; return what the widget complains of, "" if of nothing."""
    for name, value in traits.items():
        setattr(widget, name, value)
    wanted = traits.get("wanted")
    if isinstance(wanted, dict) and "seq" in wanted and widget.shown.get("seq") != wanted["seq"]:
        return f"asked number {wanted['seq']}, answered {widget.shown.get('seq')}"
    refused = widget.shown.get("refusal", "") if hasattr(widget, "shown") else ""
    return getattr(widget, "problem", "") or refused


def moves(widget):
    """Yield (name, traits to set) until each control of a widget was at both its ends."""
    made = MOVES[type(widget).__name__](sys.modules[type(widget).__module__], widget)
    asked = getattr(widget, "wanted", {})
    sequence = itertools.count(asked["seq"] + 1 if isinstance(asked, dict) and "seq" in asked else 1)
    for number, each in enumerate(made, 1):
        if "traits" in each:
            yield f"step {number}", each["traits"]
        else:
            yield str(each)[:120], {"wanted": {**widget.wanted, **each, "seq": next(sequence)}}


def ends(ranges, **choices):
    """Return two states: everything at its low end or first choice, and at its high end or last choice."""
    chosen = {name: list(known) for name, known in choices.items()}
    low = {name: known[0] for name, known in (*ranges.items(), *chosen.items())}
    high = {name: known[-1] for name, known in (*ranges.items(), *chosen.items())}
    return [low, high]


def of_sliders(sliders):
    """Return the range of each slider."""
    return {name: each[:2] for name, each in sliders.items()}


def patient(module, widget):
    """Each invented patient, and of an unknown one each field at both its ends."""
    for _, _, known in widget.about["examples"].values():
        yield known
    fields = [field for group in widget.about["groups"] for field in group["fields"]]
    nothing = {field["name"]: None for field in fields}
    for field in fields:
        values = field.get("range") or [value for value, _ in field["options"]]
        for value in (values[0], values[-1]):
            yield {**nothing, field["name"]: value}


def plan(module, widget):
    """Each patient, and everything or nothing in the plan."""
    every = [each["id"] for each in widget.about["measures"]]
    for name, each in widget.about["patients"].items():
        yield {**each["opens"], "patient": name}
        yield {"measures": every, "features": list(each["opens"]["features"])}
        yield {"measures": [], "review": None}


def answered(module, widget):
    """Every question answered wrongly or rightly and checked; the file has to hold it."""
    from vertebra.quiz import scoring

    answers = {item["id"]: {"answer": example(item["key"]), "certainty": 3} for item in widget.quiz["items"]}
    for each, item in zip(answers.values(), widget.quiz["items"], strict=True):
        scoring.score(item["key"], each["answer"])
    state = {"seq": 1, "student": "", "answers": answers, "checked": list(answers)}
    yield {"traits": {"responses": state}}
    if widget.saved != 1:
        raise RuntimeError(f"the answers were not saved: {widget.problem}")


def example(key):
    """Return some answer that a question takes."""
    match key["format"]:
        case "single_best_answer":
            return key["options"][0]
        case "multiple_response":
            return key["options"][:1]
        case "ordering":
            return list(key["key"])
        case "matching":
            return dict(key["key"])
        case "key_feature":
            return {name: each["key"] for name, each in key["decisions"].items()}
        case "hotspot":
            return {"region": key["key"]}
        case "numeric":
            return key["value"]
        case _:
            return key["example"]


def case(module, widget):
    """The best run of a case, decision by decision, with its pictures, and its handover."""
    from vertebra.quiz.case_files import best_run, find_case, load_case
    from vertebra.quiz.cases import Film

    loaded = load_case(find_case(widget._case.id))
    run = best_run(loaded).choices
    for n in range(len(run) + 1):
        yield {"choices": [list(each) for each in run[:n]]}
    pictures = [picture for scene in loaded.scenes for picture in scene.pictures]
    shown = [picture.id for picture in pictures if isinstance(picture.spec, Film)][:1]  # an MRI takes far longer
    yield {"pictures": shown, "compared": True, "ticked": [0], "note": {"situation": "x " * 150}}


def workbench(module, widget):
    """Both ends of every slider, another film, and six points on it."""
    limits = {"anterior": (0, 0.6), "middle": (0, 0.6), "posterior": (0, 0.4), "wall": (0, 1), "superior_share": (0, 1)}
    for state in ends(limits, oedema=(True, False), tension_band=(False, True)):
        yield {"traits": {"shape": {**widget.shape, **state, "seq": widget.shape["seq"] + 1}}}
    yield {"traits": {"wanted_film": 2}}
    points = [[20.0, 12.0], [0.0, 11.0], [-17.0, 13.0], [20.0, -13.0], [0.0, -12.0], [-17.0, -13.0]]
    yield {"traits": {"placed": {"film": 2, "points": points}}}
    if widget.result["film"] != 2:
        raise RuntimeError("the six points were not compared")


def gym(module, widget):
    """One film read, and the next one shown."""
    film = widget.film
    level = module.levels_of(widget._case)[1]
    yield {
        "traits": {
            "answer": {
                "number": film["number"], "fractured": False, "level": level, "kind": "none", "grade": 0, "loss": None,
                "certainty": 2, "point": None,
            }
        }
    }  # fmt: skip
    if not widget.verdict:
        raise RuntimeError("the reading was not judged")
    yield {"traits": {"wanted": film["number"] + 1}}


def anatomy(module, widget):
    """The fractured variant, and of one vertebra the patient's too: that of a segment only takes longer."""
    variants = [name for name, _ in widget.scene["variants"]]
    for name in variants[1:] if widget._shown[0] == "vertebra" else variants[1:2]:
        yield {"traits": {"wanted": name}}
        if widget.scene["variant"] != name:
            raise RuntimeError(f"{name} is not shown")


def room(module, widget):
    """A needle set on both films and advanced, then the stop of a procedure; each C-arm at its ends."""
    from vertebra.cement.procedure import ARMS, RANGES

    for action in (
        {"do": "treat"},
        *({"do": "arm", "plane": plane, "orbital": turn[end], "tilt": tilt[end]}
          for plane, (turn, tilt) in ARMS.items() for end in (0, -1)),
        {"do": "picture", "plane": "both"},
        *({"do": "aim", "side": side, **state} for side in ("left", "right") for state in ends(RANGES)),
        {"do": "aim", "side": "left", **dict.fromkeys(RANGES, 0)},
        {"do": "advance", "mm": 5},
        {"do": "picture", "plane": "both"},
        {"do": "again"},
    ):  # fmt: skip
        yield {"action": action}


def progress(module, widget):
    """A sitting on one objective, its first question checked."""
    from vertebra.quiz.blueprint import objectives

    yield {"practise": next(iter(objectives())), "sitting": 1}
    item = widget.quiz["items"][0]
    answers = {item["id"]: {"answer": example(item["key"]), "certainty": 2}}
    yield {"traits": {"responses": {"seq": 1, "student": "", "answers": answers, "checked": list(answers)}}}
    if widget.saved != 1 or widget.trouble:
        raise RuntimeError(f"the sitting was not saved: {widget.trouble}")
    yield {"practise": "", "sitting": 1}


def carm(module, widget):
    """The model and the real CT; the CT with a fracture computed into it is what lesson 05 shows."""
    yield from ends(
        module.RANGES, source=list(module.SOURCES)[:2], look=("film", "fluoro"), gauge=("11G", "13G"),
        side=("left", "right"), needle=(True, True), sharp=(False, True),
    )  # fmt: skip


def timeline(module, widget):
    """The first and the last event on every day, each clock chosen."""
    from vertebra.evidence.recovery import CLOCKS, events

    yield from ends({}, event=events(), day=module.WHEN, clock=CLOCKS)
    yield {"placed": [{"event": event, "day": 42, "clock": CLOCKS[0]} for event in events()][: module.MOST]}


def forest(module, widget):
    """Each measure at its first and last window, all switches on and off, both models."""
    from vertebra.evidence.trials import measures

    for measure in measures():
        for window in {*module.windows_of(measure)[:1], *module.windows_of(measure)[-1:]}:
            yield {"measure": measure, "window": window, "model": "fixed", **dict.fromkeys(module.SWITCHES, True)}
    yield {"model": "random", **dict.fromkeys(module.SWITCHES, False)}


def rewrite(module, widget):
    """Each exercise with a text, compared."""
    from vertebra.evidence.rewrites import exercises

    for name in exercises():
        yield {"exercise": name, "text": "Cement may leak, and nobody knows who is helped. " * 9, "compare": True}


def redflags(module, widget):
    """Nothing and everything ticked."""
    known = module.redflags()
    yield from ends(
        {"threshold": module.THRESHOLDS},
        setting=known.settings, findings=([], list(known.findings)), flags=([], list(known.flags)),
    )  # fmt: skip


def decision(module, widget):
    """The first and the last stage; nothing and everything that matters."""
    page = module.talk()
    yield from ends({}, stage=page.stages, matters=([], list(page.matters)), words=("", "What then?"))


def ledger(module, widget):
    """Every claim judged one way and another."""
    for call in (module.CALLS[0], module.CALLS[-1]):
        yield {"judged": {name: {"answer": call, "certainty": 3} for name in module.claims()}}


MOVES = {
    "QuizWidget": answered,
    "Workbench": workbench,
    "Gym": gym,
    "Anatomy": anatomy,
    "ProcedureRoom": room,
    "Progress": progress,
    "CaseWidget": case,
    "CArmView": carm,
    "CtBrowser": lambda module, widget: [{"traits": {"crosshair": [0.0, 0.0, 0.0]}}],
    "GuidelineMap": patient,
    "Pathway": patient,
    "PlanBuilder": plan,
    "RecoveryTimeline": timeline,
    "ForestPlot": forest,
    "Rewrite": rewrite,
    "RedFlagExplorer": redflags,
    "SharedDecision": decision,
    "Ledger": ledger,
    "FractureCascade": lambda module, widget: ends(
        module.RANGES, who=list(module.WHO)[1:], b_drug=list(module.drugs())[1:], a_drug=list(module.drugs()),
        a_start=module.STARTS, b_stop=module.STOPS,
    ),
    "SideBySide": lambda module, widget: ends(
        of_sliders(module.SLIDERS), level=module.LEVELS, fracture=module.FRACTURES, cement=module.CEMENTS,
        both=(True, False), sharp=(False, True),
    ),
    "CementClock": lambda module, widget: ends(
        module.RANGES, cement=module.CEMENTS, place=module.PLACES, sharp=(False, True)
    ),
    "LeakRoutes": lambda module, widget: ends(
        module.RANGES, level=module.LEVELS, route=module.ROUTES, look=module.LOOKS, point=(True, False)
    ),
    "LoadExplorer": lambda module, widget: ends(
        module.RANGES, level=module.LEVELS, posture=module.POSTURES, balance=(True, False)
    ),
    "Neighbour": lambda module, widget: ends(module.RANGES, control=module.CONTROLS, compensated=(False, True)),
}  # fmt: skip
