"""Write docs/validation.md: `python tools/validation_page.py` (`--check` only says whether it is current).

What was held against what is read from the tests' own claims (`tests/validation.py`), the simulators' pages, the tables
of parameters and the evidence; nothing is typed here but why a part of the course has no claim.
"""

import ast
import csv
import inspect
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import validation  # noqa: E402  (beside the tests)
from vertebra.evidence.references import references  # noqa: E402
from vertebra.simulators import ELSEWHERE, NAMES, Page, page  # noqa: E402

PAGE = ROOT / "docs" / "validation.md"
ROOMS = {
    "spine": "The spine model",
    "measure": "Measuring and scoring",
    "imaging": "Pictures",
    "cement": "Cement, balloon and heat",
    "mechanics": "Load and strength",
    "comparison": "Both procedures on one patient",
    "evidence": "Evidence and probability",
    "quiz": "Quiz, mastery and question linter",
    "teaching": "Statistics, standards, marks and exports",
}
# Every part of these must have a claim or stand below with the reason why it has none.
MODELS = ("spine", "measure", "imaging", "cement", "mechanics")
ALSO = (
    "comparison",
    "evidence.cascade",
    "evidence.exhibits",
    "evidence.pooling",
    "evidence.redflags",
    "quiz.computed",
    "quiz.mastery",
    "quiz.review",
    "quiz.scoring",
    "teaching.marking",
    "teaching.standards",
    "teaching.statistics",
)
WITHOUT = {
    "cement.procedure": "What the procedure room does step by step rests on the models above. That a run in it "
    "is like a "
    "run on a patient nobody has shown.",
    "cement.rubric": "The marks of a run are the authors' own. No operator has been marked by them.",
    "imaging.structures": "Names of what the scan shows, as its public outlines have them.",
    "quiz.review": "Dates of repetition come from the library fsrs with its own weights; they were not fitted "
    "to students "
    "of this course.",
    "spine.shape": "What a fracture looks like is put together from losses of height by the authors; its shape between "
    "the landmarks was held against no series of patients.",
}


@dataclass(frozen=True)
class Claim:
    """One row: what of a module was held against what, in which test, and how near it had to come."""

    module: str
    what: str
    against: str
    kind: str
    tolerance: str
    source: tuple[str, ...]
    test: str
    file: Path
    body: str

    @property
    def room(self) -> str:
        """Return the room of the library that the module stands in."""
        return self.module.partition(".")[0]


def claims(folder: Path = ROOT / "tests") -> list[Claim]:
    """Return every claim of the tests in `folder`, in the order of the course's rooms.

    The files are read and not run. `body` is the test without its claim, and what it calls by name in its file.
    """
    found = [claim for path in sorted(folder.rglob("test_*.py")) for claim in _claims_of(path)]
    order = list(ROOMS)
    return sorted(found, key=lambda claim: (order.index(claim.room), claim.module))


def _claims_of(path: Path) -> Iterator[Claim]:
    source = path.read_text(encoding="utf-8")
    if "@validates(" not in source:
        return
    tree, lines = ast.parse(source), source.splitlines()

    def said(node: ast.stmt) -> str:
        return "\n".join(lines[node.lineno - 1 : node.end_lineno])

    constants = {
        target.id: said(node)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any("validates" in ast.dump(each) for each in node.decorator_list):
            marks = {each: _given(each) for each in node.decorator_list}
            rest = [ast.unparse(each) for each, given in marks.items() if given is None]
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            body = "\n".join([*rest, said(node), *(constants.get(name, "") for name in names)])
            for given in marks.values():
                if given is not None:
                    yield Claim(**given, test=node.name, file=path, body=body)


def _given(decorator: ast.expr) -> dict[str, object] | None:
    """Return the arguments of a claim, or None of any other decorator."""
    if not (isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "validates"):
        return None
    names = inspect.signature(validation.validates).parameters
    values = dict(zip(names, decorator.args, strict=False)) | {each.arg: each.value for each in decorator.keywords}
    plain = {name: _value(value) for name, value in values.items() if name}
    return {"source": ()} | plain


def _value(node: ast.expr) -> object:
    return getattr(validation, node.id) if isinstance(node, ast.Name) else ast.literal_eval(node)


def modules() -> list[str]:
    """Return the parts of the library that must have a claim, or a reason for having none."""
    library = ROOT / "src" / "vertebra"
    rooms = [
        f"{room}.{path.stem}"
        for room in MODELS
        for path in sorted((library / room).glob("*.py"))
        if path.stem != "__init__"
    ]
    return rooms + list(ALSO)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows])


def of_claims(made: Sequence[Claim]) -> Iterator[str]:
    """Yield the tables of the tests' claims, room by room."""
    for room, title in ROOMS.items():
        rows = [
            (
                f"`{claim.module}`",
                claim.what,
                claim.against + "".join(f" [{name}]" for name in claim.source),
                claim.kind,
                claim.tolerance,
                f"[{claim.file.name}](../{claim.file.relative_to(ROOT).as_posix()})",
            )
            for claim in made
            if claim.room == room
        ]
        if rows:
            yield f"## {title}"
            yield table(("Part", "What", "Held against", "Kind", "As near as", "Test"), rows)


def of_simulators(pages: Sequence[Page]) -> Iterator[str]:
    """Yield what was fitted, held against and not shown, simulator by simulator, with every row that differs."""
    for made in pages:
        other = sum(row.source not in ELSEWHERE for row in made.rows)
        agree = sum(row.agrees for row in made.rows)
        yield f"### {made.title}"
        yield (
            f"{agree} of {len(made.rows)} comparisons agree; {other} are with published numbers. "
            f"**Fitted.** {made.fitted} **Held against.** {made.validated} **Not shown.** {made.not_shown}"
        )
        differ = [
            (row.quantity, f"{row.published} [{row.source}]", f"{row.computed:.4g} {row.unit}")
            for row in made.rows
            if not row.agrees
        ]
        if differ:
            yield table(("What differs", "Published or exact", "Computed"), differ)


def of_parameters() -> Iterator[str]:
    """Yield how far the parameters of each model were checked."""
    tables = {}
    for path in sorted((ROOT / "assets").glob("*/*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        if rows and "checked" in rows[0]:
            # "computed from the formula" and "composition read in one public copy" are told in the table itself.
            tables[path.relative_to(ROOT).as_posix()] = Counter(row["checked"].split()[0] for row in rows)
    kinds = sorted({kind for counts in tables.values() for kind in counts})
    yield table(
        ("Table", *kinds),
        [(f"`{name}`", *(str(counts[kind] or "") for kind in kinds)) for name, counts in tables.items()],
    )


def text() -> str:
    """Return the page."""
    made = claims()
    kinds = Counter(claim.kind for claim in made)
    pages = [page(name) for name in NAMES]
    missing = [name for name in modules() if name not in {claim.module for claim in made}]
    opened = Counter("opened" if source.publishable else "not opened" for source in references().values())
    unread = sum(len(source.outcomes_unchecked) for source in references().values())
    parts = [
        "# What was validated against what",
        "Made by `python tools/validation_page.py` from the claims that stand on the tests; do not edit it. "
        "Each row is a "
        "test that fails when the model leaves the band. **No row says that a model is like a patient, and no "
        "clinician "
        "has reviewed the course.**",
        table(
            ("Kind", "Means", "Rows"),
            [(kind, words, str(kinds[kind])) for kind, words in validation.KINDS.items()],
        ),
        *of_claims(made),
        "## Simulators and published numbers",
        "Each simulator has a page in `assets/simulators`, shown beside it in the lesson. Bands were set before "
        "the run; "
        "what differs stays in. Every number is computed anew by a test.",
        *of_simulators(pages),
        "## Not validated",
        "\n".join(f"- `{name}`: {WITHOUT[name]}" for name in missing),
        "Nobody has measured whether the course teaches: no student's result before and after it was compared with "
        "another way of learning. How much the linter misses in wordings that it never met stands in the README.",
        "## Parameters, and how far they were checked",
        "Numbers by table. `abstract-read`, `partly-read`, `composition`: compared with the source, a part or a "
        "copy of "
        "it; `read-address-lost`: the same, but where was not kept; `measured`: in the public scan of "
        "`assets/ct`, or read "
        "off a series. `unchecked`: nobody has compared them. The rest mean what they say.",
        *of_parameters(),
        "## Sources",
        f"Of {len(references())} sources {opened['opened']} were opened, for most of them the abstract. "
        f"{unread} findings "
        "that are said to stand in a source were not compared with it; where one is shown, it is drawn hollow "
        "and named. "
        "`vertebra evidence check` lists them.",
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    made = text()
    if "--check" in sys.argv[1:]:
        sys.exit(
            0 if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made else f"{PAGE}: not current; {__doc__}"
        )
    PAGE.write_text(made, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(claims())} rows")
