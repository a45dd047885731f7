"""Pictures of the site: each one a file of its own, named by what is in it, so that what repeats is there once."""

import base64
import binascii
import hashlib
import io
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from vertebra.teaching.files import TeachingError

SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png"}
FOLDER = "_/pictures"
_DATA = re.compile(r"data:(image/[a-z+]+);base64,([A-Za-z0-9+/=\s]+)")
_SVG = re.compile(r"<svg\b[^>]*>")
_BOX = re.compile(r'\bviewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"')


@dataclass(frozen=True)
class Picture:
    """A picture of the site: its path from the site's root and its own size, in px or in the units of its viewBox."""

    path: str
    width: float
    height: float


class Pictures:
    """The folder of pictures of a site that is being built."""

    def __init__(self, site: Path) -> None:
        """Keep the pictures of the site that is built in this folder."""
        self._site = site
        self._known: dict[str, Picture] = {}

    def take(self, raw: bytes, suffix: str, source: str) -> Picture:
        """Write a picture, unless it is there already, and return it; source names where it is from, for an error."""
        name = hashlib.sha256(raw).hexdigest()[:16]
        if name not in self._known:
            width, height = size(raw, suffix, source)
            file, suffix = without_loss(raw) if suffix == ".png" else (raw, suffix)
            path = f"{FOLDER}/{name}{suffix}"
            (self._site / path).parent.mkdir(parents=True, exist_ok=True)
            (self._site / path).write_bytes(file)
            self._known[name] = Picture(path, width, height)
        return self._known[name]

    def take_data(self, uri: str, source: str) -> Picture:
        """Write the picture of a data: URI, as `take`. Raises TeachingError for another kind of address."""
        match = _DATA.fullmatch(uri)
        try:
            if match and match[1] in SUFFIXES:
                return self.take(base64.b64decode(match[2], validate=False), SUFFIXES[match[1]], source)
        except binascii.Error:
            pass
        raise TeachingError(f"{source}: a picture {uri[:40]!r} is no SVG or PNG held in the page; run the lesson again")

    def take_file(self, path: Path, source: str) -> Picture:
        """Write a copy of a picture file, as `take`. Raises TeachingError if there is none."""
        if path.suffix not in SUFFIXES.values() or not path.is_file():
            raise TeachingError(
                f"{source}: there is no picture {path}; correct the path, which is to an SVG or PNG file"
            )
        return self.take(path.read_bytes(), path.suffix, source)


def size(raw: bytes, suffix: str, source: str) -> tuple[float, float]:
    """Return width and height of a PNG in px, of an SVG in the units of its viewBox; raises TeachingError."""
    if suffix == ".png" and raw[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = struct.unpack(">II", raw[16:24])
        return float(width), float(height)
    head = _SVG.search(raw.decode(errors="replace")) if suffix == ".svg" else None
    box = _BOX.search(head[0]) if head else None
    if not box:
        raise TeachingError(f"{source}: a picture has no size; an SVG needs a viewBox, a PNG its header")
    return float(box[1]), float(box[2])


def without_loss(raw: bytes) -> tuple[bytes, str]:
    """Return the pixels of a PNG as a WebP without loss, or the PNG where that is smaller, and the file's suffix."""
    from PIL import Image

    with Image.open(io.BytesIO(raw)) as image:
        out = io.BytesIO()
        image.save(out, "WEBP", lossless=True, quality=80, method=4)
    return (out.getvalue(), ".webp") if len(out.getvalue()) < len(raw) else (raw, ".png")
