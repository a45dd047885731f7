"""Where the course's data files are, and how to read them.

A checkout keeps them in `assets/`; an installed wheel carries the same tree inside the package. The browser's wheel has
no YAML (Pyodide reads it slowly, and not without a package): there each YAML file is replaced by its twin in JSON.
"""

import csv
import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TWIN = ".json"  # what the name of a YAML file's twin ends in: evidence/references.yml.json
PACKAGED = Path(__file__).with_name("_data") / "assets"
CHECKOUT = Path(__file__).parents[2] / "assets"


class AssetError(Exception):
    """A data file of the course is missing or damaged; the message names the file and the mend."""


@cache
def root() -> Path:
    """Return the folder that holds the data: the wheel's own copy if there is one, else the checkout's `assets/`."""
    for folder in (PACKAGED, CHECKOUT):
        if (folder / "evidence").is_dir():
            return folder
    raise AssetError(
        f"the course's data is neither in {PACKAGED} nor in {CHECKOUT}: "
        "install vertebra again, or run it from a whole checkout"
    )


def path(relative: str) -> Path:
    """Return the path of one data file, such as `evidence/references.yml`.

    Raises AssetError if it does not exist or would lie outside the data folder.
    """
    found = (root() / relative).resolve()
    if not found.is_relative_to(root().resolve()):
        raise AssetError(f"{relative}: lies outside the course's data folder; name a file below {root()}")
    if not found.is_file():
        raise AssetError(
            f"{found}: this data file is missing; get it back with `git checkout` or install vertebra again"
        )
    return found


def read_text(relative: str) -> str:
    """Return a data file as text (UTF-8). Raises AssetError if it is missing, empty or not text."""
    file = path(relative)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise AssetError(f"{file}: damaged at byte {error.start}, not UTF-8 text; {MEND}") from None
    if not text.strip():
        raise AssetError(f"{file}: damaged, the file is empty; {MEND}")
    return text


def twin(file: Path) -> Any:
    """Return what the JSON twin of a YAML file holds, or None where the file itself stands.

    What is read so was checked when the twin was written. A twin that cannot be read raises AssetError.
    """
    other = file.with_name(file.name + TWIN)
    if file.is_file() or not other.is_file():
        return None
    try:
        return json.loads(other.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AssetError(f"{other}: damaged, {error}; {MEND}") from None


def yaml_files(folder: Path) -> list[Path]:
    """Return the YAML files of a folder by name, be they there themselves or as their twins."""
    twins = (file.with_suffix("") for file in folder.glob(f"*.yml{TWIN}"))
    return sorted({*folder.glob("*.yml"), *twins})


def read_yaml(relative: str) -> Any:
    """Return a YAML data file as plain Python objects. Raises AssetError if it is missing or does not parse."""
    found = twin(root() / relative)
    if found is not None:
        return found
    import yaml  # not in the browser, which has twins

    text = read_text(relative)
    try:
        # libyaml is ten times faster and is not in every build of PyYAML.
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "not YAML"
        raise AssetError(f"{path(relative)}: damaged{line}: {what}; {MEND}") from None


@dataclass(frozen=True)
class Parameter:
    """A physical parameter: its value and unit, where it is from and how far that was checked."""

    value: float
    unit: str
    source: str
    checked: str
    note: str


@cache
def parameters(relative: str) -> dict[str, Parameter]:
    """Return a table of parameters (CSV: name, value, unit, source, checked, note) by name.

    Raises AssetError that names the line if a column is missing, a name comes twice or a value is not a number.
    """
    found: dict[str, Parameter] = {}
    rows = csv.DictReader(io.StringIO(read_text(relative)))
    for row in rows:
        place = f"{path(relative)}: damaged at line {rows.line_num}"
        try:
            name = row.pop("name")
            parameter = Parameter(float(row.pop("value")), **row)
            if None in row.values():
                raise ValueError("a cell is missing")
        except (KeyError, TypeError, ValueError):
            raise AssetError(
                f"{place}, not name,value,unit,source,checked,note with a number as value; {MEND}"
            ) from None
        if name in found:
            raise AssetError(f"{place}, {name} stands there twice; {MEND}")
        found[name] = parameter
    return found


MEND = "get it back with `git checkout` or install vertebra again"
