"""Files of the desk: written whole, tables of any spreadsheet, names that Windows cannot take, and the one error."""

import csv
import io
import re
from pathlib import Path

from vertebra.quiz.responses import write_whole

# Windows takes these for devices, whatever stands behind the first dot: nul.html is nowhere.
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class TeachingError(ValueError):
    """A file or folder that cannot be used; the text names it, what is wrong and the mend, one line for each fault."""


def check_output(out: Path | str, *read: Path | str) -> None:
    """Raise TeachingError for an output that is one of the files `read`, or lies in a folder that students get."""
    there = Path(out).resolve()
    if there in {Path(each).resolve() for each in read}:
        raise TeachingError(f"{out}: is read by this command, and would be lost; choose another name to write to")
    for folder in (there, *there.parents):
        handed_out = folder.name == "student" and (folder.parent / "instructor" / "key.json").exists()
        if handed_out or (folder / "questions.json").exists():
            raise TeachingError(f"{out}: lies in {folder}, which students get; choose another place")


def write_text(path: Path, text: str | bytes, private: bool = False) -> None:
    """Write text, as UTF-8, so that a crash leaves the old file or the new one, never half of one. Raises OSError.

    private: only its owner may read the file, where the system knows such rights.
    """
    raw = text.encode() if isinstance(text, str) else text
    try:
        write_whole(path, raw, mode=0o600 if private else 0o666)
    except OSError as error:  # it names the half-written file, of which nobody has heard
        raise OSError(error.errno, error.strerror, str(path)) from None


def read_table(path: Path, kind: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV file as (line, cells), without the spaces around a text.

    kind: what the file should be, for errors. Raises TeachingError and OSError.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TeachingError(f"{path}: is not UTF-8 text; save it as CSV UTF-8") from None
    except IsADirectoryError:
        raise TeachingError(f"{path}: is a folder; name {kind}") from None
    first, _, rest = text.partition("\n")
    stated = re.fullmatch('"?sep=([,;\t])"?\r?', first)  # a line of Excel's own, which no other program takes for a row
    above, text = (1, rest) if stated else (0, text)
    # Spreadsheets write a semicolon where the comma is decimal, and tabs when a table is copied.
    comma = stated[1] if stated else max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True)
    try:
        return [(reader.line_num + above, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        line = reader.line_num + above
        raise TeachingError(f"{path}:{line}: is not CSV ({error}); save the table as CSV UTF-8") from None
