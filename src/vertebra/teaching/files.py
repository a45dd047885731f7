"""Writing files whole, and the one error that the instructor's commands raise."""

import os
import secrets
from pathlib import Path


class TeachingError(ValueError):
    """A file or folder that cannot be used; the text names it, what is wrong and the mend, one line for each fault."""


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text so that a crash leaves the old file or the new one, never half of one. Raises OSError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
