"""The browser's own wheels of vertebra: the modules and the data that the lessons need, and nothing else.

What a lesson needs is followed through the source, from the imports of its cells on, also where a function imports. Of
other packages it gets those that are imported as its modules are, or by a function that can be called: one whose name
is used by something that runs, as a word or as a text (so that a name asked for with `getattr` counts).
The browser's Python (Pyodide) parses no YAML: each YAML file is checked here and goes in as its twin in JSON
(`assets.twin`). Graded banks, the instructor's desk and this room are never reached by a lesson, and a wheel that holds
one of them is refused.

What weighs much and not every lesson needs has wheels of its own: the CT (`vertebra-ct`), and the pictures and tasks of
each bank's questions (such as `vertebra-fracture-types`).
"""

import ast
import base64
import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import vertebra
from vertebra import assets
from vertebra.imaging import ct
from vertebra.quiz import case_files, items
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.items import Bank
from vertebra.quiz.schema import Kind
from vertebra.quiz.source import Source
from vertebra.teaching.files import TeachingError
from vertebra.teaching.lessons import read_notebook

SOURCE = Path(vertebra.__file__).parent
LESSONS = assets.CHECKOUT.parent / "lessons"
WITHOUT = {
    "yaml": "data are JSON, which was YAML before the wheel was built",
    "jsonschema": "data were checked before the wheel was built",
    "matplotlib": "still pictures are for pages without a kernel (vertebra.browser)",
}
"""What the course uses elsewhere and the browser does without, and why. A module that imports one of these as soon as
it is imported stays out of the wheel; one that does so in a function stays in, and never calls that function there."""

BESIDE = (".js", ".css", ".mo")  # what belongs to the code and is no Python
KEPT_OUT = re.compile(r"vertebra/(teaching|site|cli)\b|graded|assignments|\bkey\.json")
DATA = "vertebra/_data"
CT = "vertebra-ct"
EVERY_BANK = "vertebra.widgets.progress"  # asks questions of all banks
MOMENT = (2020, 1, 1, 0, 0, 0)  # of every file in the wheel, so that the same source gives the same bytes


@dataclass
class Needs:
    """What code needs: modules of vertebra by name, and what else they import, by the top of the name."""

    modules: dict[str, Path] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Code:
    """A function, or (with no name) what a module does when it is imported: what it uses by name, and imports."""

    name: str
    uses: frozenset[str]
    imports: frozenset[str]

    def can_run(self, used: Collection[str]) -> bool:
        """Say whether it runs where these names are used; Python and Jupyter call some functions by themselves."""
        return not self.name or self.name in used or self.name.startswith(("__", "_repr_"))


# --- What is needed --------------------------------------------------------------------------------------------------


def packages(notebook: Path) -> tuple[str, ...]:
    """Return the packages, by their names in a registry, that the cells of a lesson need in the browser.

    Vertebra itself is not among them, its parts are. Raises TeachingError for a notebook that cannot be read, or that
    needs what the browser does without.
    """
    needed = needs([notebook])
    return tuple(sorted({*_distributions(_called(notebook, needed)), *_parts(notebook, needed)}))


def needs(notebooks: Iterable[Path]) -> Needs:
    """Return what the code cells of notebooks need. Raises TeachingError as `packages` does."""
    roots = [(str(path), module) for path in notebooks for module in imports_of_cells(path)]
    left_out: set[str] = set()
    while True:
        found = _follow(roots, left_out)
        more = {name for name, file in found.modules.items() if _at_once(file) & (WITHOUT.keys() | left_out)}
        if not more:
            break
        left_out |= more
    for where, name in roots:
        if name in left_out or name.partition(".")[0] in WITHOUT:
            raise TeachingError(f"{where}: a cell imports {name}, which the browser does without; call what needs none")
    found.imported -= WITHOUT.keys()
    return found


def _follow(roots: Iterable[tuple[str, str]], left_out: set[str]) -> Needs:
    found = Needs()
    waiting = [name for _, name in roots]
    while waiting:
        name = waiting.pop()
        if name in found.modules or name in left_out:
            continue
        file = _file_of(name)
        if file:
            found.modules[name] = file
            waiting += [*_imports(file), name.rpartition(".")[0] or name]
        elif name.partition(".")[0] != "vertebra":
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names:
                found.imported.add(top)
    return found


def _called(notebook: Path, needed: Needs) -> set[str]:
    """Return which of the packages that a lesson's modules import are imported by code that can run."""
    running = [code for tree in _cells(notebook) for code in _pieces(tree)]
    idle: list[Code] = []
    used: set[str] = set()
    loaded: set[str] = set()
    imported: set[str] = set()
    while running:
        for code in running:
            used |= code.uses
            for name in code.imports - loaded:
                loaded.add(name)
                imported.add(name.partition(".")[0])
                idle += _pieces_of(needed.modules[name]) if name in needed.modules else ()
        running = [code for code in idle if code.can_run(used)]
        idle = [code for code in idle if not code.can_run(used)]
    return imported & needed.imported


@cache
def _pieces_of(file: Path) -> tuple[Code, ...]:
    return tuple(_pieces(ast.parse(file.read_text(encoding="utf-8"))))


def _pieces(tree: ast.AST) -> Iterator[Code]:
    """Yield the functions and methods of a module, each with those within it, and what else it does."""
    functions: list[ast.AST] = []
    nodes: list[ast.AST] = []

    def sort(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.append(child)
                for outside in (*child.decorator_list, child.args):  # defaults are worked out at once
                    nodes.extend(ast.walk(outside))
            elif not _for_type_checkers(child):
                nodes.append(child)
                sort(child)

    sort(tree)
    for name, inside in [("", nodes), *((getattr(each, "name", ""), list(ast.walk(each))) for each in functions)]:
        uses = {node.id for node in inside if isinstance(node, ast.Name)}
        uses |= {node.attr for node in inside if isinstance(node, ast.Attribute)}
        uses |= {alias.name for node in inside if isinstance(node, ast.ImportFrom) for alias in node.names}
        uses |= {node.value for node in inside if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        imports = {found for node in inside for found in _imported_by(node)}
        within = {each.rpartition(".")[0] for each in imports if each.startswith("vertebra.")}
        yield Code(name, frozenset(uses), frozenset(imports | within))


def _imported_by(node: ast.AST) -> Iterator[str]:
    """Yield the full names that an import names: modules, and what may be one within a package."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports_of_cells(path: Path) -> set[str]:
    """Return what the code cells of a notebook import, by full names. Raises TeachingError as `packages` does."""
    return {name for tree in _cells(path) for name, _ in _named(tree)}


def _cells(path: Path) -> list[ast.Module]:
    found = []
    for number, cell in enumerate(read_notebook(path).cells, 1):
        if cell.cell_type == "code":
            try:
                found.append(ast.parse(cell.source))
            except SyntaxError as error:
                what = f"cell {number}, line {error.lineno}: is not plain Python ({error.msg}); mend the cell"
                raise TeachingError(f"{path}: {what}") from None
    return found


@cache
def _parsed(file: Path) -> tuple[tuple[str, bool], ...]:
    return tuple(_named(ast.parse(file.read_text(encoding="utf-8"))))


def _imports(file: Path) -> list[str]:
    return [name for name, _ in _parsed(file)]


def _at_once(file: Path) -> set[str]:
    """Return what a module imports as soon as it is imported: full names of ours, top names of others."""
    return {name if _file_of(name) else name.partition(".")[0] for name, at_once in _parsed(file) if at_once}


def _named(tree: ast.AST, at_once: bool = True) -> Iterator[tuple[str, bool]]:
    """Yield (module, whether it is imported at once) of every import; what only a type checker sees is none."""
    for node in ast.iter_child_nodes(tree):
        yield from ((name, at_once) for name in _imported_by(node))
        if not _for_type_checkers(node):
            inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _named(node, at_once and not inner)


@cache
def _file_of(name: str) -> Path | None:
    """Return the file of a module of vertebra, None for anything else."""
    top, *rest = name.split(".")
    place = SOURCE.joinpath(*rest)
    if top != "vertebra":
        return None
    return next((file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()), None)


def _distributions(imported: Iterable[str]) -> tuple[str, ...]:
    owners = _owners()
    return tuple(sorted({re.sub(r"[-_.]+", "-", owners.get(name, [name])[0]).lower() for name in imported}))


@cache
def _owners() -> dict[str, list[str]]:
    return {name: sorted(owners) for name, owners in metadata.packages_distributions().items()}


# --- The wheel -------------------------------------------------------------------------------------------------------


def build(out: Path, lessons: Path = LESSONS) -> tuple[Path, ...]:
    """Write the wheels into the folder `out` and return their paths; the same source gives the same bytes.

    lessons: the folder of the notebooks that are to run. Raises TeachingError, AssetError or BankError, which name the
    file that is missing or damaged, before anything is written.
    """
    notebooks = sorted(lessons.glob("*.ipynb"))
    if not notebooks:
        raise TeachingError(f"{lessons}: there are no lessons; name the course's folder of notebooks")
    needed = needs(notebooks)
    apart = _apart()
    alone = {file for files in apart.values() for file in files}
    parts = {"vertebra": {**dict(_code(needed)), **dict(_data(needed, alone))}}
    for name, files in apart.items():
        parts[name] = {_of_assets(file.relative_to(assets.root()).as_posix()): file.read_bytes() for file in files}
    wrong = [name for files in parts.values() for name in files if KEPT_OUT.search(name)]
    if wrong:
        raise TeachingError(f"{wrong[0]}: must never reach a student's browser; a lesson's cells need it, change them")
    shared = set.intersection(*(set(packages(notebook)) for notebook in notebooks))
    out.mkdir(parents=True, exist_ok=True)
    return tuple(
        _write(out, name, files, shared if name == "vertebra" else {"vertebra"}) for name, files in parts.items()
    )


def _write(out: Path, name: str, contents: Mapping[str, bytes], needed: Iterable[str]) -> Path:
    """Write one wheel of files by their name in it; `needed` are the packages that it needs."""
    stem = f"{name.replace('-', '_')}-{vertebra.__version__}"
    info = f"{stem}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {vertebra.__version__}"]
    lines += [f"Requires-Dist: {other}" for other in sorted(needed)]
    files = dict(sorted(contents.items())) | {
        f"{info}/METADATA": ("\n".join(lines) + "\n").encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: vertebra\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},sha256={_digest(raw)},{len(raw)}\n" for file, raw in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = out / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, raw in files.items():
            entry = zipfile.ZipInfo(file, MOMENT)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, raw, compresslevel=9)
    return wheel


def _digest(raw: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()


def _code(needed: Needs) -> Iterator[tuple[str, bytes]]:
    """Yield (name in the wheel, bytes) of the modules, and of the scripts, styles and words that stand beside them."""
    rooms = {file.parent for file in needed.modules.values()}
    for file in SOURCE.rglob("*"):
        room = next(folder for folder in file.parents if folder == SOURCE or (folder / "__init__.py").is_file())
        beside = file.suffix in BESIDE and room in rooms
        if beside or file in needed.modules.values():
            yield f"vertebra/{file.relative_to(SOURCE).as_posix()}", file.read_bytes()


def _data(needed: Needs, alone: Collection[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield (name in the wheel, bytes) of the data: what a needed module names, practice questions and cases.

    alone: files that have a wheel of their own.
    """
    named = "\n".join(file.read_text(encoding="utf-8") for file in needed.modules.values())
    for file in sorted(assets.root().rglob("*")):
        name = file.relative_to(assets.root()).as_posix()
        top = name.split("/")[0]
        if not file.is_file() or top not in named or top in {each.parent.name for each in alone}:
            continue
        if file.suffix == ".yml":
            yield _of_assets(name) + assets.TWIN, _twin(assets.read_yaml(name))
        else:
            yield _of_assets(name), file.read_bytes()
    for path in (Path(bank.file) for bank in practice_banks()):
        yield f"{DATA}/quizzes/bank/{path.name}{assets.TWIN}", _twin(_plain(path, items.KIND))
    cases = case_files.PACKAGED if case_files.PACKAGED.is_dir() else case_files.CHECKOUT
    for path in assets.yaml_files(cases):
        case_files.load_case(path)  # refuses one with faults
        yield f"{DATA}/quizzes/cases/{path.name}{assets.TWIN}", _twin(_plain(path, case_files.KIND))


def _of_assets(name: str) -> str:
    return f"{DATA}/assets/{name}"


@cache
def _apart() -> dict[str, tuple[Path, ...]]:
    """Return the files of each wheel that holds data alone, by its name: the CT's, and those of each practice bank."""
    found = {CT: tuple(sorted(assets.path(ct.IMAGE).parent.iterdir()))}
    for bank in practice_banks():
        files = {assets.path(item.image.src) for item in bank.items if item.image}
        files |= {item.task_file for item in bank.items if item.task_file}
        found[_part_of(bank)] = tuple(sorted(files))
    return {name: files for name, files in found.items() if files}


def _part_of(bank: Bank) -> str:
    return f"vertebra-{bank.id.replace('_', '-')}"


def _parts(notebook: Path, needed: Needs) -> Iterator[str]:
    """Yield the wheels of data that a lesson needs.

    It needs the CT if it reaches the module that reads it, and a bank's pictures if a cell names the bank, or if it
    asks questions of all banks.
    """
    words = {
        node.value
        for tree in _cells(notebook)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    every = EVERY_BANK in needed.modules
    wanted = {_part_of(bank) for bank in practice_banks() if every or {bank.id, Path(bank.file).stem} & words}
    yield from _apart().keys() & (wanted | ({CT} if ct.__name__ in needed.modules else set()))


def _plain(path: Path, kind: Kind) -> Any:
    """Return the data of a bank or a case as it is read, which is the YAML's but for spaces around a text."""
    return Source(items.read_text(path, kind.whole), str(path), kind).data


def _twin(data: Any) -> bytes:
    """Return the JSON twin of a YAML file's data; days become text."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=date.isoformat)
    return text.encode()
