"""The guides are followed literally: each block of docs/author.md is put into its file, each command of it is run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from vertebra.evidence.references import references

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import badges  # noqa: E402  (the tools are no package)

DOCS = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), *ROOT.glob("deploy/*.md")])
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# Each recipe with what its commands must say in the end, and must not.
RECIPES = {
    "A question": ("no faults", "ft-p90"),
    "A lesson": ("1 lesson, 0 faults", "not "),
    "A case": ("1 case, 0 faults", "Error"),
    "A widget": ("1 passed", "warning"),
}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it belongs to (none for commands), and its text."""

    language: str
    file: str
    text: str


def section(name: str) -> str:
    text = (ROOT / "docs" / "author.md").read_text(encoding="utf-8")
    return text.split(f"\n## {name}\n")[1].split("\n## ")[0]


def blocks(name: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(section(name))]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The course as an author has it: what is written to is a copy, the rest the checkout's own."""
    folder = tmp_path_factory.mktemp("clone")
    caches = shutil.ignore_patterns("__pycache__", "my_answers", ".ipynb_checkpoints")
    for name in ("src", "quizzes", "lessons", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=caches)
    (folder / "tests" / "widgets").mkdir(parents=True)
    (folder / "assets").symlink_to(ROOT / "assets", target_is_directory=True)
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="the copy of the course needs a symbolic link")
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works_as_it_stands(recipe, clone):
    made = blocks(recipe)
    assert "sh" in {block.language for block in made}
    environment = os.environ | {"PYTHONPATH": str(clone / "src")}
    ran = []
    for block in made:
        if block.file:
            append, name = block.file.startswith(">> "), block.file.removeprefix(">> ")
            path = clone / name
            assert path.is_file() == append, f"{name}: {'is not there' if append else 'is there already'}"
            with path.open("a", encoding="utf-8") as file:
                file.write(block.text)
        else:
            assert block.language == "sh"
            for line in block.text.splitlines():
                words = shlex.split(line)
                start = {"vertebra": ["-m", "vertebra"], "python": []}[words[0]]
                command = [sys.executable, *start, *words[1:]]
                if "pytest" in words:
                    command += ["-o", "addopts=", "-p", "no:cacheprovider", f"--rootdir={clone}"]
                done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=120)
                assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
                ran.append(done.stdout)
    said, never = RECIPES[recipe]
    assert said in "".join(ran)
    assert never not in "".join(ran)


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_guide_leads_to_a_file_and_a_heading_that_exist(page):
    text = page.read_text(encoding="utf-8")
    for target in LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor and file.suffix == ".md":
            heads = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, target


def test_the_badges_say_what_is_in_the_repository():
    """Counted once more, from the files."""
    written = badges.FILE.read_text(encoding="utf-8")
    assert written == badges.svg(), "run `python tools/badges.py`"
    title = re.search("<title>(.*)</title>", written)[1]
    assert f"![{title}](docs/pictures/badges.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
    banks = [path.read_text(encoding="utf-8") for path in ROOT.glob("quizzes/bank/*.yml")]
    asked = sum(len(re.findall(r"^- id:", text, re.MULTILINE)) for text in banks)
    unread = sum(len(re.findall(r"^  clinical_review: none$", text, re.MULTILINE)) for text in banks)
    reviewed = asked - unread
    opened = sum(source.publishable for source in references().values())
    assert f"practice questions: {asked};" in title
    assert f"reviewed by a clinician: {reviewed or 'none'} of {asked} questions" in title
    assert f"sources opened: {opened} of {len(references())};" in title


def test_every_picture_of_the_guides_is_shown_in_one():
    shown = {name for page in DOCS for name in re.findall(r"pictures/([\w.-]+)", page.read_text(encoding="utf-8"))}
    assert {path.name for path in (ROOT / "docs" / "pictures").iterdir()} == shown


def test_the_readme_begins_with_the_site_and_has_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert (
        text.index("python3 start.py site") < text.index("    python3 start.py\n") < text.index("python3 start.py test")
    )


# What the Citation File Format 1.2.0 asks of the fields that are used here, from its schema.
CITATION = {
    "cff-version": r"1\.2\.0",
    "message": r".+",
    "title": r".+",
    "type": r"software|dataset",
    "version": r".+",
    "date-released": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
    "license": r"[\w.+-]+",
    "abstract": r"(?s).+",
}


def test_the_citation_file_is_one_and_says_what_the_package_says():
    import tomllib

    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    found = yaml.load(text, yaml.BaseLoader)
    known = set(CITATION) | {"authors", "keywords", "license-url"}
    assert {"cff-version", "message", "title", "authors"} <= set(found) <= known
    for name, pattern in CITATION.items():
        assert re.fullmatch(pattern, found[name]), name
    # An author that is no person has a name and no given names.
    assert found["authors"] and all(set(each) == {"name"} for each in found["authors"])
    assert len(set(found["keywords"])) == len(found["keywords"]) > 0
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert found["version"] == project["version"]
    assert project["license"].startswith(found["license"])
    assert [each["name"] for each in found["authors"]] == [each["name"] for each in project["authors"]]
