"""The lessons live: JupyterLite with the course's notebooks, opened by a page and run by a worker of our own.

    live/notebooks/index.html?path=NN_topic.ipynb   a lesson: opens, starts Python and runs all of it
    live/files/, live/api/                          the notebooks, and the list of them that JupyterLite asks for
    live/build/, live/extensions/                   JupyterLite, without what no lesson can reach
    live/static/live.js, live.css, kernel.js        our page's script and looks, our worker
    live/static/pyodide/                            Pyodide's core
    live/static/packages/*.pack                     what is in Python's wheels, one pack a wheel

A pack is one gzip: four bytes with the length of a list (little-endian), the list as JSON ([[path, bytes], ...]), and
the files one behind the other. A browser unpacks it by itself, which Pyodide in it does with wheels in ten times the
time. A module whose compiled form is in the wheel goes in as that alone.

JupyterLite would keep notebooks, settings and answers in the browser's database, and needs a service worker to read
files. Here its storage is the page's memory, so that a lesson is always the site's, and answers go through `live.js` to
where the reading pages keep them.
"""

import base64
import gzip
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vertebra import assets
from vertebra.site import wheel
from vertebra.site.lesson_page import ON_THE_SITE, STARTING
from vertebra.teaching.files import TeachingError
from vertebra.teaching.lessons import read_notebook

STATIC = Path(__file__).with_name("static") / "live"
LOOKS = assets.CHECKOUT.parent / "deploy" / "jupyter" / "custom" / "custom.css"  # of a lesson in any JupyterLab
KERNEL = ("anywidget", "comm", "ipython", "ipywidgets", "pyodide-kernel")  # what runs a cell and shows a widget
UNREACHED = frozenset(
    # What those name as needed: completion of code, installing of packages, terminals (kernel.js leaves IPython's out),
    # files for JupyterLab, which has its own.
    {"ipykernel", "jedi", "jupyterlab-widgets", "micropip", "packaging", "parso", "piplite", "prompt-toolkit"}
    | {"wcwidth", "widgetsnbextension"}
)
CORE = ("pyodide.mjs", "python_stdlib.zip")
PACKED = ("pyodide.asm.mjs", "pyodide.asm.wasm")  # gzipped here, as a server of plain files does not
LOCK = "pyodide-lock.json"
EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "@jupyterlite/pyodide-kernel-extension", "anywidget")
# The parts of JupyterLite's own kernel that kernel.js takes over; another version may have others.
TAKEN_OVER = ("PyodideComlinkKernel", "initRuntime", "initFilesystem", "initPackageManager", "initKernel", "commMsg")
# Packages of JavaScript that serve only what settings.json switches off: diagrams, plots, formulas, terminals, tables
# of data, and the colours of other languages than Python.
IDLE = re.compile(
    r"mermaid|elk|cytoscape|cose|dagre|vega|d3-|mathjax|mhchem|katex|@xterm|datagrid|regexp-|venn|react-json-tree"
    r"|@(codemirror/lang|lezer)-?/?(cpp|php|rust|java\b|sql|xml|json|wast|yaml|go\b)"
)
KEPT = (".js", ".css", ".json", ".woff2")  # of JupyterLite's build; its other font files are for browsers without wasm
PARTS = "parts.packed"
MOMENT = "1580515200"  # of every file in the list of notebooks, so that the same course gives the same bytes


def build(out: Path, lessons: Sequence[Path], runtime: Path) -> Path:
    """Build the live half of a site in the empty or new folder `out`/live and return that folder.

    lessons: notebooks, whose pictures lie where they say. runtime: the folder that `runtime.assemble` wrote, with
    vertebra's wheel. Raises TeachingError, which names the file and the mend, and OSError.
    """
    lock = _lock(runtime)
    table = {path.name: _entry(path, lock) for path in lessons}
    live = out / "live"
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary)
        files = made / "files"
        files.mkdir()
        for path in lessons:
            (files / path.name).write_text(json.dumps(notebook(path), ensure_ascii=False, indent=1), encoding="utf-8")
        lite = _lite(made)
        _keep_used(lite / "build")
        for part in ("api", "build", "extensions", "files"):
            shutil.copytree(lite / part, live / part)
        config = _config(lite, table)
    _gather(live / "build")
    static = live / "static"
    static.mkdir()
    for name in ("live.js", "kernel.js"):
        shutil.copyfile(STATIC / name, static / name)
    looks = [file.read_text(encoding="utf-8") for file in (LOOKS, STATIC / "live.css")]
    (static / "live.css").write_text("".join(looks), encoding="utf-8")
    _take_kernel(live / "extensions", static / "lite-kernel.js")
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    (live / "notebooks").mkdir()
    settings = json.dumps(config, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    (live / "notebooks" / "index.html").write_text(page.replace("@CONFIG@", settings), encoding="utf-8")
    (static / "pyodide").mkdir()
    for name in CORE:
        shutil.copyfile(runtime / name, static / "pyodide" / name)
    for name in PACKED:
        raw = (runtime / name).read_bytes()
        (static / "pyodide" / f"{name}.packed").write_bytes(gzip.compress(raw, 9, mtime=0))
    (static / "pyodide" / LOCK).write_text(json.dumps(lock | {"packages": {}}), encoding="utf-8")
    (static / "packages").mkdir()
    for name in sorted({name for entry in table.values() for name in entry["packages"]}):
        packed = pack(runtime / lock["packages"][name]["file_name"])
        (static / "packages" / f"{name}.pack").write_bytes(packed)
    return live


def loaded(live: Path, name: str) -> int:
    """Return how many bytes a browser loads, at most, before a lesson of a built live half runs."""
    page = (live / "notebooks" / "index.html").read_text(encoding="utf-8")
    lesson = json.loads(_SETTINGS.findall(page)[0])["vertebra"][name]
    static = live / "static"
    files = [live / "notebooks" / "index.html", live / "files" / name, *static.glob("*.*"), *static.glob("pyodide/*")]
    files += [static / "packages" / f"{package}.pack" for package in lesson["packages"]]
    files += [live / "build" / PARTS]
    files += [file for part in ("build", "extensions") for file in (live / part).rglob("*.js")]
    return sum(file.stat().st_size for file in files)


_SETTINGS = re.compile(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', re.DOTALL)


# --- Python ----------------------------------------------------------------------------------------------------------


def _lock(runtime: Path) -> dict[str, Any]:
    missing = [name for name in (*CORE, *PACKED, LOCK) if not (runtime / name).is_file()]
    if missing:
        raise TeachingError(f"{runtime}: has no {missing[0]}, so it is no assembled Pyodide; assemble it anew")
    try:
        lock: dict[str, Any] = json.loads((runtime / LOCK).read_text(encoding="utf-8"))
        needed = [str(package["file_name"]) for package in lock["packages"].values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TeachingError(f"{runtime / LOCK}: is no lock of Pyodide; assemble the folder anew") from None
    absent = [name for name in needed if not (runtime / name).is_file()]
    if absent:
        raise TeachingError(f"{runtime / absent[0]}: stands in {LOCK} and is not there; assemble the folder anew")
    return lock


def _entry(path: Path, lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page must know of a lesson: its title, its packages in order, and its modules."""
    heading = re.search(r"^# +(.+?) *$", "\n".join(c.source for c in read_notebook(path).cells), re.MULTILINE)
    wanted = [*KERNEL, *wheel.packages(path), "vertebra"]
    modules = wheel.needs([path]).modules
    return {
        "title": heading[1] if heading else path.stem,
        "packages": closure(wanted, lock["packages"], str(path)),
        "imports": sorted(wheel.imports_of_cells(path) & modules.keys()),
    }


def closure(names: Iterable[str], packages: Mapping[str, Any], wanted_by: str) -> list[str]:
    """Return packages and what they need, without what no lesson reaches; raises TeachingError if one is missing."""
    found: list[str] = []
    waiting = [(name, wanted_by) for name in names]
    while waiting:
        name, by = waiting.pop(0)
        if name in found or name in UNREACHED:
            continue
        if name not in packages:
            raise TeachingError(f"{by}: needs {name}, which is not in {LOCK}; add it to the assembled Pyodide")
        found.append(name)
        waiting += [(str(other), name) for other in packages[name].get("depends", [])]
    return sorted(found)


def pack(path: Path) -> bytes:
    """Return a wheel's files as a pack. Raises TeachingError for what is no wheel."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = dict(sorted(_files(archive)))
    except zipfile.BadZipFile:
        raise TeachingError(f"{path}: is damaged, no wheel; assemble the folder anew") from None
    listed = json.dumps([[name, len(raw)] for name, raw in files.items()], separators=(",", ":")).encode()
    return gzip.compress(b"".join([struct.pack("<I", len(listed)), listed, *files.values()]), 9, mtime=0)


_COMPILED = re.compile(r"(.*/|)__pycache__/([^/]+)\.cpython-\d+\.pyc")


def _files(archive: zipfile.ZipFile) -> Iterable[tuple[str, bytes]]:
    """Yield (path, bytes) of a wheel's files, a compiled module in place of its source."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    compiled = {f"{found[1]}{found[2]}.py": name for name in names if (found := _COMPILED.fullmatch(name))}
    for name in names:
        if name in compiled.values():
            continue
        yield (f"{name}c", archive.read(compiled[name])) if name in compiled else (name, archive.read(name))


# --- Notebooks -------------------------------------------------------------------------------------------------------

_PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!data:|https?:)([^)\s]+)(\))")
_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg"}


def notebook(path: Path) -> dict[str, Any]:
    """Return a lesson as the live page opens it: for JupyterLite's kernel, its pictures within, nothing run yet.

    A picture within needs no file of JupyterLite's, which would be read as text. Raises TeachingError.
    """

    def within(found: re.Match[str]) -> str:
        file = path.parent / found[2]
        if not file.is_file() or file.suffix not in _TYPES:
            raise TeachingError(f"{path}: shows {found[2]}, which is no picture there; mend the link")
        data = base64.b64encode(file.read_bytes()).decode()
        return f"{found[1]}data:{_TYPES[file.suffix]};base64,{data}{found[3]}"

    live: dict[str, Any] = json.loads(json.dumps(read_notebook(path)))
    live["metadata"]["kernelspec"] = {"name": "python", "display_name": "Python", "language": "python"}
    for cell in live["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        else:
            said = STARTING.sub("", cell["source"])
            for of_jupyter, here in ON_THE_SITE.items():
                said = said.replace(of_jupyter, here)
            cell["source"] = _PICTURE.sub(within, said)
            cell.pop("attachments", None)
    return live


# --- JupyterLite -----------------------------------------------------------------------------------------------------


def _lite(made: Path) -> Path:
    """Let JupyterLite build its notebook app with the notebooks in `made`/files; return the folder."""
    shared = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
    absent = [name for name in EXTENSIONS if not (shared / name / "package.json").is_file()]
    if absent:
        raise TeachingError(f"{shared / absent[0]}: is missing; install the course with its extra `site`")
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--apps", "notebooks", "--no-unused-shared-packages"]
    command += ["--lite-dir", str(made), "--output-dir", str(made / "out"), "--contents", "files", "--no-libarchive"]
    command += ["--ignore-sys-prefix", "--source-date-epoch", MOMENT]
    command += [f"--LiteBuildConfig.federated_extensions={shared / name}" for name in EXTENSIONS]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise TeachingError(f"JupyterLite could not be built; install the course with its extra `site`\n{last}")
    return made / "out"


def _keep_used(build: Path) -> None:
    """Remove from JupyterLite's build what no lesson can reach: source maps, old fonts, what is switched off.

    The source maps tell which packages a file of its code is made of; it goes when the largest of them is idle.
    """
    for file in build.rglob("*.js.map"):
        code = file.with_suffix("")
        if _largest(json.loads(file.read_text(encoding="utf-8"))) and code.is_file() and code.parent == build:
            code.unlink()
    kept = {build / "schemas" / name for name in ("all.json", "all_federated.json")}
    for file in [file for file in build.rglob("*") if file.is_file()]:
        of_settings = build / "schemas" in file.parents and file not in kept
        if of_settings or file.suffix not in KEPT or file.name == "service-worker.js":
            file.unlink()
    for folder in sorted((folder for folder in build.rglob("*") if folder.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _gather(build: Path) -> None:
    """Put the two hundred parts of JupyterLite's interface into one gzipped script; its loader takes what is there."""
    parts = sorted(build.glob("*.js"))
    script = "".join(f"(function(){{{part.read_text(encoding='utf-8')}\n}})();\n" for part in parts)
    (build / PARTS).write_bytes(gzip.compress(script.encode(), 9, mtime=0))
    for part in parts:
        part.unlink()


def _largest(source_map: Mapping[str, Any]) -> bool:
    """Return whether the package that most of a file's source is from is one that no lesson reaches."""
    sizes: dict[str, int] = {}
    for source, text in zip(source_map["sources"], source_map.get("sourcesContent", []), strict=False):
        package = re.search(r".*node_modules/((?:@[^/]+/)?[^/]+)", source)
        if package:
            sizes[package[1]] = sizes.get(package[1], 0) + len(text or "")
    return bool(sizes) and IDLE.search(max(sizes, key=lambda name: sizes[name])) is not None


def _config(lite: Path, lessons: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's settings, whole: JupyterLite need not look for them in five places.

    Addresses that begin with ./ are seen from live/; live.js makes them whole.
    """
    built = json.loads((lite / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    names = {extension["name"] for extension in built.get("federated_extensions", [])}
    if names != set(EXTENSIONS):
        raise TeachingError(f"JupyterLite was built with {', '.join(sorted(names))}, not {', '.join(EXTENSIONS)}")
    return {
        **{name: built[name] for name in ("appVersion", "federated_extensions", "fileTypes")},
        **json.loads((STATIC / "settings.json").read_text(encoding="utf-8")),
        "vertebra": dict(lessons),
    }


def _take_kernel(extensions: Path, to: Path) -> None:
    """Move the worker of JupyterLite's kernel to where kernel.js imports it, and remove what then has no use."""
    static = extensions / "@jupyterlite" / "pyodide-kernel-extension" / "static"
    workers = sorted(static.glob("comlink.worker.*.js"))
    text = workers[0].read_text(encoding="utf-8") if len(workers) == 1 else ""
    missing = [name for name in TAKEN_OVER if name not in text]
    if missing:
        raise TeachingError(
            f"JupyterLite's kernel has no {missing[0]}; install the version that the course is locked to"
        )
    shutil.move(workers[0], to)
    for file in [*static.glob("coincident.worker.*.js"), *extensions.rglob("*.map"), *extensions.rglob("*.orig")]:
        file.unlink()
    shutil.rmtree(static / "pypi", ignore_errors=True)
