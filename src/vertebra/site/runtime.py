"""The browser's Python, made ready: Pyodide's core and the packages that the lessons need, small and quick to start.

Compiled packages are official files of one Pyodide release (`official`). Packages of Python alone are those of
`browser.lock`, from a package index by pip, which checks their hashes. Each is cut down to what a lesson can reach
(`slim`), Python is compiled by the very Pyodide that will run it, and the lock is written anew for what is left: the
same input gives the same bytes.
"""

import email
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from vertebra.site.archive import read_zip, with_record, write_zip
from vertebra.site.official import CORE, LOCK, LOCK_SHA256, PYTHON, VERSION, Source, sha256
from vertebra.site.official import source as source
from vertebra.site.slim import UNNEEDED, slimmed, slimmed_library
from vertebra.teaching.files import TeachingError

PURE = Path(__file__).with_name("browser.lock")
COMPILER = Path(__file__).with_name("compile.mjs")
COMPILED = ("contourpy", "numpy", "pillow", "scipy")  # what lessons need of Pyodide's own packages
KERNEL = ("anywidget", "comm", "ipython", "ipywidgets", "pyodide-kernel")  # what runs a cell and shows a widget
STUBS = Path("share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi")
STDLIB = "python_stdlib.zip"
BROWSER = {  # what markers of requirements are held against
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.0",
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "platform_machine": "wasm32",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "extra": "",
}


@dataclass(frozen=True)
class Package:
    """A package: its wheel, and what Pyodide's lock says of it. depends: what it names as needed."""

    name: str
    version: str
    wheel: Path
    imports: tuple[str, ...]
    depends: tuple[str, ...]


@dataclass(frozen=True)
class Runtime:
    """An assembled runtime. parts: {file: (bytes as published, bytes here)}; notes: what could not be done."""

    folder: Path
    packages: tuple[str, ...]
    parts: Mapping[str, tuple[int, int]]
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The bytes of all files here."""
        return sum(here for _, here in self.parts.values())

    def table(self) -> str:
        """Return where each megabyte goes, largest first: MB as published, MB here, file."""
        rows = sorted(self.parts.items(), key=lambda row: (-row[1][1], row[0]))
        every = [*rows, ("in all", (sum(was for was, _ in self.parts.values()), self.total))]
        return "\n".join(f"{was / 1e6:8.2f} {here / 1e6:8.2f}  {name}" for name, (was, here) in every) + "\n"


def assemble(out: Path, source: Source, wheels: Iterable[Path], packages: Iterable[str] = KERNEL) -> Runtime:
    """Write the runtime into the new or empty folder `out`: core, wheels and lock.

    source: the official files. wheels: of Python alone, which come before official ones (`pure_wheels`, `stubs`,
    vertebra's own). packages: what is asked for; what they need comes with them. Without node, Python stays uncompiled
    and a note says so. Raises TeachingError, which names the file, what is wrong and the mend, and OSError.
    """
    if out.is_dir() and any(out.iterdir()):
        raise TeachingError(f"{out}: is not empty; name a new folder")
    core = source.files({**CORE, LOCK: LOCK_SHA256})
    lock = json.loads(core[LOCK].read_text(encoding="utf-8"))
    kept = _closure(packages, {package.name: package for package in map(read_wheel, wheels)}, source, lock)
    library = slimmed_library(read_zip(core[STDLIB]))
    trees = {package.name: slimmed(package.name, read_zip(package.wheel)) for package in kept}
    compiled, trouble = _compiled(core, {"stdlib": library, **trees}, source.store)
    out.mkdir(parents=True, exist_ok=True)
    for name in CORE:
        shutil.copyfile(core[name], out / name)
    write_zip(out / STDLIB, _replaced(library, compiled.get("stdlib", {})))
    entries = {}
    for package in kept:
        files = _replaced(trees[package.name], compiled.get(package.name, {}))
        info = next(path for path in files if path.endswith(".dist-info/METADATA")).partition("/")[0]
        written = write_zip(out / package.wheel.name, with_record(files, info))
        entries[package.name] = lock_entry(package, written)
    whole = {"info": lock["info"] | {"version": VERSION}, "packages": entries}
    (out / LOCK).write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    published = {**core, **{package.wheel.name: package.wheel for package in kept}}
    here = {path.name: path.stat().st_size for path in sorted(out.iterdir())}
    parts = {name: (published[name].stat().st_size if name in published else 0, size) for name, size in here.items()}
    return Runtime(out, tuple(package.name for package in kept), parts, (trouble,) if trouble else ())


# --- Packages --------------------------------------------------------------------------------------------------------


def _closure(
    asked: Iterable[str], own: Mapping[str, Package], source: Source, lock: Mapping[str, Any]
) -> list[Package]:
    """Return the packages that are asked for and what they need, by name: own ones before those of the release."""
    official = {str(canonicalize_name(name)): entry for name, entry in lock["packages"].items()}
    found: dict[str, tuple[str, ...]] = {}
    waiting = [(str(canonicalize_name(name)), "what is asked for") for name in asked]
    while waiting:
        name, by = waiting.pop(0)
        if name in found:
            continue
        if name not in own and name not in official:
            where = f"neither {PURE.name} nor the release {VERSION} of Pyodide has it"
            raise TeachingError(f"{name}: is needed by {by}, and {where}; add it to {PURE.name}, or do without")
        needs = own[name].depends if name in own else official[name]["depends"]
        found[name] = tuple(str(canonicalize_name(need)) for need in needs)
        waiting += [(need, name) for need in found[name]]
    released = {name: official[name] for name in found if name not in own}
    files = source.files({entry["file_name"]: entry["sha256"] for entry in released.values()})
    packages = {
        name: Package(name, entry["version"], files[entry["file_name"]], tuple(entry["imports"]), found[name])
        for name, entry in released.items()
    }
    return [packages.get(name) or own[name] for name in sorted(found)]


def official_wheels(lock: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return {file name: sha256} of packages in Pyodide's lock and of what they need there."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        entry = lock["packages"][waiting.pop()]
        found[entry["file_name"]] = entry["sha256"]
        waiting += entry["depends"]
    return found


def read_wheel(path: Path) -> Package:
    """Return a package of Python alone from its wheel. Raises TeachingError for what is no such wheel."""
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            metadata = archive.read(next(each for each in names if each.endswith(".dist-info/METADATA")))
    except (ValueError, zipfile.BadZipFile, StopIteration, FileNotFoundError) as error:
        raise TeachingError(f"{path}: is no wheel, or damaged ({error or 'no METADATA'}); get it again") from None
    if not any(tag.abi == "none" and tag.platform == "any" for tag in tags):
        raise TeachingError(f"{path}: is compiled; compiled packages come from Pyodide's release alone")
    required = map(Requirement, email.message_from_bytes(metadata).get_all("Requires-Dist", []))
    needed = {str(canonicalize_name(r.name)) for r in required if not r.marker or r.marker.evaluate(BROWSER)}
    needed -= UNNEEDED.get(str(name), frozenset())
    inside = [each for each in names if not re.match(r"[^/]+\.(dist-info|data)/", each)]
    tops = {each.partition("/")[0].removesuffix(".py") for each in inside}
    return Package(str(name), str(version), path, tuple(sorted(filter(str.isidentifier, tops))), tuple(sorted(needed)))


def lock_entry(package: Package, wheel: Path) -> dict[str, Any]:
    """Return what Pyodide's lock says of a package in this wheel."""
    return {
        "name": package.name,
        "version": package.version,
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": sha256(wheel),
        "package_type": "package",
        "imports": list(package.imports),
        "depends": list(package.depends),
        "unvendored_tests": False,
    }


def stubs() -> tuple[Path, ...]:
    """Return the wheels of JupyterLite's kernel, which its extension brings. Raises TeachingError if it is missing."""
    folder = Path(sys.prefix) / STUBS
    found = tuple(sorted(folder.glob("pyodide_kernel-*.whl")))
    if not found:
        raise TeachingError(f"{folder}: has no kernel; install the course with its extra `site`")
    return found


# --- Packages of Python alone ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pin:
    """A line of a lock: the package's name and version, and the sha256 that its files may have."""

    name: str
    version: str
    hashes: frozenset[str] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.name}=={self.version} " + " ".join(f"--hash=sha256:{each}" for each in sorted(self.hashes))


@cache
def pins(lock: Path = PURE) -> tuple[Pin, ...]:
    """Return what a lock in pip's format pins. Raises TeachingError for a line without version or hash."""
    lines = re.sub(r"\\\n", " ", lock.read_text(encoding="utf-8")).splitlines()
    found = []
    for line in (line.strip() for line in lines):
        if not line or line.startswith("#"):
            continue
        pinned = re.match(r"([\w.-]+)==([\w.+!]+)(?=\s)", line)
        hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        if not pinned or not hashes:
            raise TeachingError(f"{lock}: `{line[:60]}` pins no version with hashes; make the lock anew")
        found.append(Pin(str(canonicalize_name(pinned[1])), pinned[2], hashes))
    return tuple(found)


def pure_wheels(source: Source, lock: Path = PURE, store: Path | None = None) -> tuple[Path, ...]:
    """Return the wheels that `lock` pins: from the source's folder, the store, or a package index.

    Raises TeachingError if one is nowhere, or not the one that was pinned, and says what pip said.
    """
    store = store or source.store
    places = [Path(source.place), store]
    found = {pin: wheel for pin in pins(lock) if (wheel := _local(pin, places))}
    missing = [pin for pin in pins(lock) if pin not in found]
    if missing:
        _fetch(missing, store)
        found |= {pin: wheel for pin in missing if (wheel := _local(pin, [store]))}
    for pin in pins(lock):
        if pin not in found:
            raise TeachingError(f"{lock}: {pin.name} {pin.version} came without a wheel that fits its hashes")
    return tuple(found[pin] for pin in pins(lock))


def _local(pin: Pin, places: Iterable[Path]) -> Path | None:
    stem = f"{pin.name.replace('-', '_')}-{pin.version}-"
    for place in filter(Path.is_dir, places):
        for wheel in sorted(place.glob(f"{stem}*.whl")):
            if sha256(wheel) in pin.hashes:
                return wheel
    return None


def _fetch(missing: Iterable[Pin], store: Path) -> None:
    """Download wheels with pip, by its own settings (index, mirror, proxy), into the store."""
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store) as temporary:
        asked = Path(temporary) / "asked.txt"
        asked.write_text("".join(f"{pin}\n" for pin in missing), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=py", "--abi=none"]
        command += ["--platform=any", "--dest", temporary, "-r", str(asked)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = " ".join(line for line in done.stderr.splitlines() if line.startswith("ERROR"))[:400]
            mend = "connect to the internet (mirror or proxy: PIP_INDEX_URL, HTTPS_PROXY) and build again"
            raise TeachingError(f"{PURE.name}: pip could not fetch the browser's packages ({last}); {mend}")
        for wheel in sorted(Path(temporary).glob("*.whl")):
            wheel.replace(store / wheel.name)


# --- Compiling -------------------------------------------------------------------------------------------------------

Trees = Mapping[str, Mapping[str, bytes]]
SLOWER = "is not compiled and starts some seconds later; install Node.js 20 or newer and build again"


def _compiled(core: Mapping[str, Path], trees: Trees, store: Path) -> tuple[dict[str, dict[str, bytes]], str]:
    """Return {tree: {path.pyc: bytes}} of all Python in the trees, and what went wrong, in words, or nothing.

    The same sources are compiled once: what came of them stays in the store.
    """
    sources = {tree: {path: raw for path, raw in trees[tree].items() if path.endswith(".py")} for tree in trees}
    compiler = {COMPILER.name: COMPILER.read_bytes()}
    kept = {tree: store / f"{tree}-{_digest(compiler | sources[tree])[:16]}.pyc.zip" for tree in trees}
    found: dict[str, dict[str, bytes]] = {tree: {} for tree in trees if not sources[tree]}
    found |= {tree: files for tree, path in kept.items() if (files := _read_kept(path)) is not None}
    missing = {f"{tree}/{path}": raw for tree in trees if tree not in found for path, raw in sources[tree].items()}
    if not missing:
        return found, ""
    node = shutil.which("node")
    if not node:
        return {}, f"node is missing, so Python {SLOWER}"
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name, path in core.items():
            shutil.copyfile(path, work / name)
        shutil.copyfile(COMPILER, work / COMPILER.name)
        write_zip(work / "sources.zip", missing)
        command = [node, COMPILER.name, ".", "sources.zip", "compiled.zip"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode or not (work / "compiled.zip").is_file():
            said = (done.stderr or done.stdout).strip()[-300:]
            return {}, f"node failed ({said}), so Python {SLOWER}"
        files = read_zip(work / "compiled.zip")
    store.mkdir(parents=True, exist_ok=True)
    for tree in trees.keys() - found.keys():
        found[tree] = {name.removeprefix(f"{tree}/"): raw for name, raw in files.items() if name.startswith(f"{tree}/")}
        part = write_zip(store / f"{kept[tree].name}.{os.getpid()}.part", found[tree])
        part.replace(kept[tree])
    return found, ""


def _read_kept(path: Path) -> dict[str, bytes] | None:
    try:
        return read_zip(path)
    except (OSError, zipfile.BadZipFile):
        return None


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return whole.hexdigest()


def _replaced(files: Mapping[str, bytes], compiled: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files with each compiled module in place of its source, which a browser would unpack for nothing."""
    return {path: raw for path, raw in files.items() if f"{path}c" not in compiled} | dict(compiled)
