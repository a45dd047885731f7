"""Zip files and wheels that are the same bytes whenever they hold the same files."""

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

MOMENT = (1980, 1, 1, 0, 0, 0)  # of every file in an archive


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write {path within: bytes} as a zip, in the order of the names, and return its path. Raises OSError."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name], compresslevel=9)
    return path


def read_zip(path: Path) -> dict[str, bytes]:
    """Return {path within: bytes} of a zip's files, without its folders. Raises zipfile.BadZipFile and OSError."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def with_record(files: Mapping[str, bytes], info: str) -> dict[str, bytes]:
    """Return a wheel's files with a RECORD that fits them. info: the name of its .dist-info folder."""
    name = f"{info}/RECORD"
    others = {path: files[path] for path in sorted(files) if path != name}
    lines = [f"{path},sha256={_digest(raw)},{len(raw)}\n" for path, raw in others.items()]
    return others | {name: "".join([*lines, f"{name},,\n"]).encode()}


def _digest(raw: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
