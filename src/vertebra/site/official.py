"""The official files of one Pyodide release: a folder, a tarball or an address, and nothing that is not official.

Every file is held against its sha256: the core and the lock against the digests below, computed from the npm package
`pyodide` of that version, and the compiled packages against that lock. What was downloaded stays in a store between
builds and is checked again each time; half a download goes on where it stopped, and is never used.
"""

import contextlib
import errno
import functools
import hashlib
import http
import http.client
import os
import re
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from vertebra.teaching.files import TeachingError

VERSION = "314.0.3"
PYTHON = "3.14"
RELEASE = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
"""Where the release is published file by file; the same files are in the release's tarball pyodide-VERSION.tar.bz2."""

CORE = {
    "pyodide.mjs": "5cfc46f5dcbaf2a16f26e2363f441873eb424762609cc03db00d6a2ace4d00e5",
    "pyodide.asm.mjs": "1a9775427ef6e8abaa7db88ece0515422d1886915ae5c9093776410c865dfd8d",
    "pyodide.asm.wasm": "e7f8fac36f8bf11085309cbc5c829b3ec3057c18bf1d73b05a6741612d63cdbf",
    "python_stdlib.zip": "444c770dfd75a32097fc0a7d5c1413fd3140601f49c3a1f2e9af0376fcd124b4",
}
LOCK = "pyodide-lock.json"
LOCK_SHA256 = "c963d22858f6bcb8f41586a2142f03905ab370c88ea22a86a2736e95fac2a8f3"

TARBALL = re.compile(r"\.(tar|tar\.bz2|tbz2?|tar\.gz|tgz|tar\.xz)$")
MEND = "give the release by --release (its address or tarball), or a folder of its files by --pyodide"
TRIES = 4  # a line that breaks is taken up again, as often
CHUNK = 1 << 20
TIMEOUT = 60  # s without a byte


@dataclass(frozen=True)
class Source:
    """Where official files come from. place: a folder, a tarball, or an address; store: the folder of downloads."""

    place: str
    store: Path

    def files(self, wanted: Mapping[str, str]) -> dict[str, Path]:
        """Return where each wanted file is: {name: sha256 in hex} gives {name: path}, all of them checked.

        Raises TeachingError, which names the file, what is wrong with it and the mend.
        """
        place = Path(self.place)
        if place.is_dir():
            return {name: checked(place / name, digest, MEND) for name, digest in wanted.items()}
        kept = {name: self.store / name for name, digest in wanted.items() if _is(self.store / name, digest)}
        missing = {name: digest for name, digest in wanted.items() if name not in kept}
        if missing:
            with _room_in(self.store):
                self._get(missing)
        return kept | {name: checked(self.store / name, digest, MEND) for name, digest in missing.items()}

    def _get(self, missing: Mapping[str, str]) -> None:
        self.store.mkdir(parents=True, exist_ok=True)
        address, tarball = _is_address(self.place), TARBALL.search(urlsplit(self.place).path)
        if not address and not Path(self.place).exists():
            raise TeachingError(f"{self.place}: is not there; {MEND}")
        if not tarball and not address:
            raise TeachingError(f"{self.place}: is no folder and no tarball (.tar.bz2) of Pyodide {VERSION}; {MEND}")
        if not tarball:
            base = self.place if self.place.endswith("/") else f"{self.place}/"
            for name, digest in missing.items():
                download(f"{base}{name}", self.store / name, functools.partial(_is, digest=digest))
            return
        file = Path(self.place)
        if address:
            file = self.store / Path(urlsplit(self.place).path).name
            if not file.exists():
                download(self.place, file, tarfile.is_tarfile)
        try:
            take_out(file, missing, self.store)
        except TeachingError:
            if address:
                file.unlink(missing_ok=True)
            raise


def source(pyodide: Path | None = None, release: str = "", store: Path | None = None) -> Source:
    """Return where the official files come from.

    pyodide: a folder that has them all. release: an address, or a tarball's path or address; the official one if empty.
    store: what was downloaded, between builds; the user's cache if None.
    """
    return Source(str(pyodide) if pyodide else release or RELEASE, store or cache())


def cache() -> Path:
    """Return the folder that keeps what was downloaded, in the user's cache; VERTEBRA_CACHE names another."""
    own = os.environ.get("VERTEBRA_CACHE")
    return (Path(own) if own else platformdirs.user_cache_path("vertebra")) / f"pyodide-{VERSION}"


# --- Checks ----------------------------------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """Return the sha256 of a file, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(path: Path, digest: str, mend: str) -> Path:
    """Return the path if the file has this sha256; raises TeachingError if it is missing, cut off or another one."""
    if not path.is_file():
        raise TeachingError(f"{path}: is missing; {mend}")
    if sha256(path) != digest:
        size = path.stat().st_size
        what = f"is not the official file of Pyodide {VERSION}, or not all of it ({size} bytes, another sha256)"
        raise TeachingError(f"{path}: {what}; {mend}")
    return path


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def _is_address(place: str) -> bool:
    return urlsplit(place).scheme in {"http", "https"}


@contextlib.contextmanager
def _room_in(folder: Path) -> Iterator[None]:
    """Say in words that the disk is full or the folder cannot be written to. Raises TeachingError."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            for part in folder.glob("*.part"):
                part.unlink(missing_ok=True)
            raise TeachingError(f"{folder}: the disk is full; free about 500 MB and build again") from None
        why = (error.strerror or str(error)).lower()
        mend = "name another folder by the environment variable VERTEBRA_CACHE"
        raise TeachingError(f"{error.filename or folder}: cannot be read or written ({why}); {mend}") from None


# --- Downloads -------------------------------------------------------------------------------------------------------


def download(address: str, to: Path, good: Callable[[Path], bool]) -> None:
    """Download a file whole, or raise TeachingError and leave nothing under its name.

    What has come stands in `to`.part until all of it is there; a broken line, and the next build, go on from there. A
    part that turns out wrong when it is whole is fetched once more from the beginning.
    """
    part = to.with_name(f"{to.name}.part")
    resumed = part.exists()
    trouble = ""
    for _ in range(TRIES):
        before = part.stat().st_size if part.exists() else 0
        try:
            whole = _fetch(address, part)
        except urllib.error.HTTPError as error:
            raise TeachingError(f"{address}: the server answers {error.code} {error.reason}; {MEND}") from None
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            whole, trouble = False, str(getattr(error, "reason", error) or type(error).__name__)
        if whole and good(part):
            part.replace(to)
            return
        if whole:
            part.unlink()
            if not resumed:
                raise TeachingError(f"{address}: is not the official file of Pyodide {VERSION}; {MEND}")
            resumed = False
        elif not part.exists() or part.stat().st_size == before:
            break  # not one byte more: there is no line
        else:
            resumed = True
    raise TeachingError(
        f"{address}: could not be downloaded ({trouble or 'the line broke off'}); connect to the internet and build"
        f" again, which goes on where this stopped, or {MEND}"
    )


def _fetch(address: str, part: Path) -> bool:
    """Download the rest of a file into `part` and return whether all of it is there."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "vertebra"} | _range(have))
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        if error.headers.get("Content-Range", "") == f"bytes */{have}":
            return True
        part.unlink()
        return _fetch(address, part)
    with answer:
        goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        if goes_on and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise http.client.HTTPException("the server sent another part than it was asked for")
        left = answer.headers.get("Content-Length")
        came = 0
        with part.open("ab" if goes_on else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                came += len(chunk)
    return left is None or came == int(left)


def _range(have: int) -> dict[str, str]:
    return {"Range": f"bytes={have}-"} if have else {}


def take_out(tarball: Path, wanted: Mapping[str, str], to: Path, folder: str = "pyodide") -> None:
    """Write the wanted files of a release's tarball into the folder `to`.

    folder: where they lie in the tarball. Only plain files count, each written under the name that was wanted: no path
    of the tarball's is followed. Raises TeachingError for what is no tarball, cut off, or without a file.
    """
    left = dict(wanted)
    try:
        with tarfile.open(tarball, "r|*") as archive:
            for member in archive:
                place, _, name = member.name.removeprefix("./").rpartition("/")
                if name not in left or place not in {"", folder}:
                    continue
                content = archive.extractfile(member) if member.isfile() else None
                if content is None:
                    continue
                part = to / f"{name}.part"
                with part.open("wb") as file:
                    shutil.copyfileobj(content, file, CHUNK)
                if not _is(part, left.pop(name)):
                    part.unlink()
                    raise TeachingError(f"{tarball}: its {name} is not that of Pyodide {VERSION}, or damaged; {MEND}")
                part.replace(to / name)
                if not left:
                    return
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TeachingError(f"{tarball}: is cut off or no tarball ({error}); get it again, or {MEND}") from None
    raise TeachingError(f"{tarball}: has no {_some(left)}, so it is not the whole release {VERSION}; {MEND}")


def _some(names: Iterable[str]) -> str:
    first, *rest = sorted(names)
    return f"{first} (nor {len(rest)} more)" if rest else first
