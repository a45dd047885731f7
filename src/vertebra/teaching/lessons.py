"""Lesson notebooks as files: run them, keep their static pictures, and lint what nbval does not see."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from vertebra.evidence import claims as ledger
from vertebra.evidence.references import cited, references
from vertebra.evidence.shape import Fact
from vertebra.teaching.files import TeachingError, write_text

LIVE_VIEW = "application/vnd.jupyter.widget-view+json"


def strip_live_views(notebook: Mapping[str, Any]) -> None:
    """Take every live widget view out of a notebook's outputs that also have a static form, and the widget state.

    A live view is only an id in a kernel's memory. Stored, it would show "model not found" in place of the picture.
    """
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if set(data) - {LIVE_VIEW, "text/plain"}:
                data.pop(LIVE_VIEW, None)
    notebook["metadata"].pop("widgets", None)


def keep_static_pictures(model: Mapping[str, Any], **_: Any) -> None:
    """Jupyter's hook before a file is saved: apply `strip_live_views` to notebooks."""
    if model["type"] == "notebook" and isinstance(model["content"], dict) and "cells" in model["content"]:
        strip_live_views(model["content"])


def read_notebook(path: Path) -> Any:
    """Return a notebook; whatever cannot be read as one is said with its mend."""
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise TeachingError(f"{path}: there is no such file; check the path") from None
    except Exception as error:  # nbformat has no common class for a file that is not a notebook
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TeachingError(f"{path}: not readable as a notebook ({first}); open and save it in Jupyter") from None


def refresh(path: Path) -> None:
    """Run a lesson in its own folder and store its outputs in it, without live views, times or machine details.

    Raises TeachingError if a cell fails or the kernel stops; the file is then left as it was.
    """
    notebook = read_notebook(path)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # or it warns each reader of a report of loopback sockets
        coalesce_streams=True,  # or how a print falls into pieces would change from run to run
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        cell = next((c for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", []))), None)
        place = f"cell {cell.id}" if cell else "a cell"
        raise TeachingError(f"{path}: {place} failed: {error.ename}: {error.evalue}; mend it and run again") from None
    except (CellTimeoutError, DeadKernelError) as error:
        what = str(error).strip().splitlines()[0]
        raise TeachingError(
            f"{path}: the kernel gave no answer ({what}); look for an endless loop and run again"
        ) from None
    strip_live_views(notebook)
    for cell in notebook.cells:
        # A stray keystroke in the notebook must not delete a lesson's cell, nor a double click open its source.
        cell.metadata.update(deletable=False)
        if cell.cell_type == "markdown":
            cell.metadata.update(editable=False)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    write_text(path, nbformat.writes(notebook) + "\n")


def lint(path: Path) -> list[str]:
    """Return what is wrong with a lesson that running it would not show, each as `file: cell: fault; mend`."""
    notebook = read_notebook(path)
    return [f"{path.name}: cell {cell.id}: {fault}" for cell in notebook.cells for fault in _cell_faults(cell)]


def facts(path: Path) -> Iterator[Fact]:
    """Yield what a lesson states, each with its sources. Raises TeachingError if it is not readable."""
    for cell in read_notebook(path).cells:
        if cell.cell_type == "markdown" and NO_CLAIMS not in cell.metadata.get("tags", []):
            for statement in statements(cell.source):
                yield Fact(path.name, cell.id, statement, tuple(cited(statement)))


_HEADING = re.compile(r"^(#+) +(.*?) *$", re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the anchor that JupyterLab gives a heading: its text as shown, with a hyphen for each space."""
    return re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace(" ", "-")


def sections(path: Path) -> dict[str, str]:
    """Return a lesson's sections by anchor: what stands under a heading, down to the next of its rank or above.

    Of equal headings the first counts, as in a link.
    """
    cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "markdown"]
    text = "\n\n".join(cells)
    heads = list(_HEADING.finditer(text))
    found: dict[str, str] = {}
    for i, head in enumerate(heads):
        later = (other.start() for other in heads[i + 1 :] if len(other[1]) <= len(head[1]))
        found.setdefault(anchor(head[2]), text[head.end() : next(later, len(text))])
    return found


def ledger_faults(folder: Path, entries: Iterable[ledger.Entry] | None = None) -> list[str]:
    """Return which of `entries` the lessons in `folder` do not teach where they say; by default the whole ledger.

    A section teaches one if it exists and cites at least one of the sources on which the verdict stands.
    """
    lessons = {path.stem: sections(path) for path in sorted(folder.glob("*.ipynb"))}
    found = []
    for each in ledger.entries() if entries is None else entries:
        file, _, place = each.lesson.partition("#")
        if file not in lessons:
            found.append(f"{each.id}: there is no lesson {file}; correct its lesson in {ledger.FILE}")
        elif place not in lessons[file]:
            found.append(f"{each.id}: {file} has no section {place}; its sections: {', '.join(lessons[file])}")
        elif not set(each.refs) & set(cited(lessons[file][place])):
            found.append(
                f"{each.id}: {each.lesson} cites none of {', '.join(each.refs)}; teach it there, with a source"
            )
    return found


def _cell_faults(cell: Any) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield from _citation_faults(cell)
        return
    if cell.cell_type != "code":
        return
    lines = [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    outputs = cell.outputs
    if cell.execution_count is None:
        yield "was never run, so nbval passes it unchecked; run `vertebra lesson refresh`"
    if cell.source.rstrip().endswith(";"):
        yield "ends in `;`, which hides its output; take it away"
    if re.search(r"\binteract\(|\bOutput\(|clear_output", cell.source):
        yield "uses interact, Output or clear_output; observe a control and set a trait instead"
    tags = " ".join(cell.metadata.get("tags", []))
    if re.search(r"#\s*(NBVAL_|PYTEST_)", cell.source) or "nbval" in tags or "raises-exception" in tags:
        yield "is ignored by nbval; print what can be compared"
    if len(lines) > 12:
        yield f"has {len(lines)} lines; move the logic into the library"
    if not cell.metadata.get("jupyter", {}).get("source_hidden"):
        yield "shows its code; set jupyter.source_hidden in its metadata"
    if any(LIVE_VIEW in output.get("data", {}) for output in outputs):
        yield "stores a live widget view; run `vertebra lesson refresh`"
    pictured = any({"image/png", "image/svg+xml"} & set(output.get("data", {})) for output in outputs)
    if pictured and not any(re.search(r"\d", _plain(output)) for output in outputs):
        yield "shows a picture and no number beside it that nbval could compare; print one"


def _plain(output: Any) -> str:
    return str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))


# What makes no medical statement: headings, rules, images, navigation, and cells tagged so by their author.
NO_CLAIMS = "no-claims"
_NOT_PROSE = re.compile(r"^(#|---|!\[|\[[←→]|\|[ :|-]+\|$|```)")


def _citation_faults(cell: Any) -> Iterator[str]:
    """Yield each paragraph, list item or table row that cites nothing and does not say `unreferenced`."""
    known = references()
    for name in cited(cell.source):
        if name != "unreferenced" and name not in known:
            yield f"cites [{name}], which is not in references.yml; correct the id"
        elif name != "unreferenced" and not known[name].publishable:
            yield f"cites [{name}], which nobody has opened; say [unreferenced], or open the source and record it"
    if NO_CLAIMS in cell.metadata.get("tags", []):
        return
    for block in statements(cell.source):
        if not cited(block):
            yield f"says {block[:60]!r} with neither a source nor [unreferenced]; add one, or tag the cell no-claims"


def statements(source: str) -> list[str]:
    """Return a markdown text's paragraphs, list items and table rows, without headings, images and navigation.

    What follows a heading `Try this` is left out: it asks and says nothing.
    """
    blocks: list[str] = []
    header = True
    fresh = True
    asking = False
    for raw in source.splitlines():
        line = raw.lstrip("> ").strip()
        row = line.startswith("|")
        if line.startswith("#"):
            asking = line.endswith("# Try this")
        if asking:
            continue
        if not line or _NOT_PROSE.match(line):
            header = not re.match(r"^\|[ :|-]+\|$", line)
            fresh = True
            continue
        if row and header:
            continue
        if fresh or row or re.match(r"^([-*+]|\d+[.)]) ", line):
            blocks.append(line)
        else:
            blocks[-1] += " " + line
        fresh = False
    return blocks
