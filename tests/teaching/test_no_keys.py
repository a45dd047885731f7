"""Nothing that a student is handed gives a key away: not in words, not encoded, not hashed, not by a field's name."""

import base64
import hashlib
import html
import json
import re
import tomllib
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.teaching.sample import ASSIGNMENT, BANK, Course, neutral, write_course
from vertebra.quiz.items import Item, load_bank
from vertebra.teaching.assign import assign, load_assignment
from vertebra.teaching.key import right_answer

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = sorted((ROOT / "quizzes" / "assignments").glob("*.yml"))
HASHES = ("md5", "sha1", "sha256")
MARKS = ("", ":", "-", "|", "\n")
HASH_LENGTHS = (32, 40, 64, 22, 27, 43)  # of these hashes, in hex and in base64 without its padding
PICTURE = re.compile(rb"data:image/[a-z+]+;base64,([A-Za-z0-9+/=]+)")

Records = dict[str, dict[str, Any]]  # of the key file, by bank id

# Every field that may stand in questions.json, by where it stands.
SHEET = {"format", "quiz", "title", "build", "certainty", "instructions", "items"}
ITEM = {
    *("id", "version", "format", "vignette", "stem", "image", "reviewed"),
    *("options", "steps", "prompts", "regions", "bands", "unit", "scoring", "task", "decisions"),
}
TASK = {"note", "films", "controls", "needle", "seen", "step", "line"}
FILM = {"caption", "alt", "uri", "width", "height", "matrix", "scale"}
CONTROL = {"id", "label", "unit", "values", "start"}
PART = {"id", "text"}
IMAGE = {"uri", "alt", "width", "height"}


def encodings(secret: str) -> Iterator[bytes]:
    """Yield the secret as it is, as JSON, HTML and URLs write it, reversed, in hex, in base64 at its alignments."""
    raw = secret.encode()
    yield raw
    yield json.dumps(secret)[1:-1].encode()
    yield html.escape(secret).encode()
    yield urllib.parse.quote(secret).encode()
    yield raw[::-1]
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        # The first and the last characters also depend on what stands before and after.
        shifted = base64.b64encode(b"\0" * shift + raw)
        inner = shifted[-(-8 * shift // 6) : (8 * (shift + len(raw))) // 6]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def hashed(secret: str, salts: set[str]) -> Iterator[bytes]:
    """Yield the hashes of the secret with each salt before and after it, with and without a separator."""
    salted = {text for salt in salts for mark in MARKS for text in (salt + mark + secret, secret + mark + salt)}
    for text in salted | {secret}:
        for name in HASHES:
            value = hashlib.new(name, text.encode())
            yield value.hexdigest().encode()
            yield base64.b64encode(value.digest()).rstrip(b"=")


def words(item: Item) -> set[str]:
    """Return the texts of a question that no student may see, and, of the long ones, each run of six words."""
    parts = [*item.choices, *item.steps, *item.prompts, *item.regions, *item.bands, *item.decisions]
    texts = {item.rationale, *item.rationales().values(), *item.mistakes().values()}
    texts |= {text for slip in item.slips for text in (slip.rationale, slip.record().get("mistake", ""))}
    texts.discard("")
    runs = {" ".join(run) for text in texts for run in zip(*(text.split()[i:] for i in range(6)), strict=False)}
    if item.bands:
        texts |= {measure["says"] for measure in item.task.measures if measure["says"]}
    visible = " ".join([item.stem, item.vignette, *(part.text for part in parts)])
    return texts | {run for run in runs if run not in visible}


def answers(item: Item, record: dict[str, Any]) -> set[str]:
    """Return the right answer of a question as it may have been written down: ids old and new, texts, JSON."""
    key = record["key"]
    found = {json.dumps(key), json.dumps(key, separators=(",", ":")), json.dumps(key, sort_keys=True)}
    right = [part for part in (*item.choices, *item.regions) if part.key]
    found |= {text for part in right for text in (part.id, part.text)}
    if item.bands:
        found |= {json.dumps(item.task.example), " ".join(map(str, item.task.example.values()))}
    elif item.answer:
        found |= {str(item.answer.value), f"{item.answer.value}{item.answer.unit}"}
    elif item.decisions:
        chosen = right_answer(key)
        found |= {json.dumps(chosen), *(mark.join(ids) for ids in chosen.values() for mark in (",", " "))}
    else:
        ids = key["key"]
        found |= {ids} if isinstance(ids, str) else {json.dumps(ids), ",".join(ids), " ".join(ids)}
    return found


def tables(key: dict[str, Any]) -> set[str]:
    """Return the table of a task, as it stands in the key, as JSON, letters or digits would write it."""
    rows = [key["bands"], [band[1:] for band in key["bands"]]] if "shares" in key else []
    rows += [[key["shares"][band] for band in key["bands"]]] if rows else []
    # A row that only counts, such as the number of the film, is no secret.
    rows += [m["values"] for m in key.get("measures", ()) if len(set(m["values"])) < len(m["values"])]
    written = {json.dumps(row, separators=marks) for row in rows for marks in ((",", ":"), (", ", ": "))}
    return written | {mark.join(map(str, row)) for row in rows for mark in ("", ",", " ", ", ") if len(row) > 4}


def stretches(content: bytes) -> set[bytes]:
    """Return each stretch of the content that is as long as a hash in hex or base64, and made of their letters."""
    words = re.findall(rb"[0-9A-Za-z+/]{22,}", content)
    return {word[i : i + n] for word in words for n in HASH_LENGTHS for i in range(len(word) - n + 1)}


def leaks(files: dict[str, bytes], items: tuple[Item, ...], key: Records, salts: set[str]) -> list[str]:
    """Return what was found where. `files` are whatever reaches a student, by name."""
    # A picture is looked at once, and as what it is: quizzes repeat their pictures, and films are most of their bytes.
    everything = {name: PICTURE.sub(b"data:", content) for name, content in files.items()}
    pictures = {match[1] for content in files.values() for match in PICTURE.finditer(content)}
    everything |= {f"picture {number}": base64.b64decode(text) for number, text in enumerate(sorted(pictures), 1)}
    everything |= {"file names": "\n".join(files).encode()}
    together = b"\n".join(everything.values())
    hashes = stretches(together)
    found = []
    for item in items:
        record = key[item.id]
        marks = {item.id, record["id"], *salts}
        plain = (
            words(item)
            | tables(record["key"])
            | {json.dumps(record["key"]), json.dumps(record["key"], separators=(",", ":"))}
        )
        patterns = {pattern for secret in plain for pattern in encodings(secret)}
        there = {pattern for pattern in patterns if pattern in together}
        there |= {value for secret in plain | answers(item, record) for value in hashed(secret, marks)} & hashes
        for pattern in there:
            places = [name for name, content in everything.items() if pattern in content]
            found.append(f"{item.id}: {pattern[:60]!r} in {', '.join(places)}")
    return found


def fields(questions: dict[str, Any]) -> set[str]:
    """Return the fields of a questions file that do not belong there."""
    wrong = questions.keys() - SHEET
    for item in questions["items"]:
        wrong |= item.keys() - ITEM
        wrong |= (item.get("image") or {}).keys() - IMAGE
        for group in ("options", "steps", "prompts", "regions"):
            for part in item.get(group, ()):
                wrong |= part.keys() - PART
        for decision in item.get("decisions", ()):
            wrong |= decision.keys() - PART - {"choose", "options"}
            wrong |= {name for option in decision["options"] for name in option.keys() - PART}
        for band in item.get("bands", ()):
            wrong |= band.keys() - PART - {"share"}
        task = item.get("task", {})
        wrong |= task.keys() - TASK
        wrong |= {name for film in task.get("films", ()) for name in film.keys() - FILM}
        wrong |= {name for control in task.get("controls", ()) for name in control.keys() - CONTROL}
    return wrong


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def salts_of(student: Path) -> set[str]:
    questions = json.loads((student / "questions.json").read_text(encoding="utf-8"))
    return {"", questions["quiz"], questions["build"], questions["build"][:8]}


def test_folder_of_the_sample_holds_no_key(course: Course, tmp_path: Path) -> None:
    items = load_bank(tmp_path / "bank.yml").items
    files = files_of(course.out / "student")
    assert len(files) == 2
    assert leaks(files, items, neutral(course.built.key), salts_of(course.built.student)) == []
    everything = b"".join(files.values())
    # Words that occur only in what is secret: ids of the bank, the number and the slip, sources, objectives.
    for word in ("kz", "37.4519", "37,4519", "62.5481", "genant1993", "unreferenced", "O3.1", "box.svg", "tier"):
        assert word.encode() not in everything, word


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda path: path.stem)
def test_folder_of_the_courses_own_quiz_holds_no_key(assignment: Path, tmp_path: Path) -> None:
    built, asked = assign(assignment, tmp_path), load_assignment(assignment)
    assert {path.parent for path in (tmp_path / "student").rglob("*") if path.is_file()} == set(built.folders)
    for number, folder in enumerate(built.folders):
        items, files = asked.variant(number + 1).items, files_of(folder)
        assert leaks(files, items, neutral(built.key, number), salts_of(folder)) == []
        holds_no_field_of_the_bank(items, files)


def holds_no_field_of_the_bank(items: tuple[Item, ...], files: dict[str, bytes]) -> None:
    questions = json.loads(files["questions.json"])
    sources = {source for item in items for source in item.sources} | {"unreferenced"}
    everything = b"".join(files.values())
    assert [source for source in sources if source.encode() in everything] == []
    assert [place for item in items for place in item.objectives if f'"{place}"'.encode() in everything] == []
    assert fields(questions) == set()


def test_whoever_compares_all_variants_learns_no_order(tmp_path: Path, picture: None) -> None:
    """Steps never stand in the right order: mixed anew in each variant, the order that never came would be the key."""
    built = assign(write_course(tmp_path, assignment=ASSIGNMENT + "variants: 40\nseed: known\n"), tmp_path / "out")
    sheets = [json.loads((folder / "questions.json").read_text(encoding="utf-8")) for folder in built.folders]
    assert len({sheet["build"] for sheet in sheets}) == 40
    shown: dict[str, set[tuple[str, ...]]] = {item["id"]: set() for item in sheets[0]["items"]}
    for item in (item for sheet in sheets for item in sheet["items"]):
        shown[item["id"]].add(tuple(part["text"] for part in (*item.get("options", ()), *item.get("steps", ()))))
    assert len(shown["sa-order"]) == 1
    assert len(shown["sa-best"]) == 6, "all orders of three options come, so none is the one left over"


def test_whoever_knows_the_seed_cannot_work_out_order_or_draw(tmp_path: Path, picture: None) -> None:
    """The rationale of a question is all that differs between these banks; to a student they look the same."""
    text = ASSIGNMENT.replace("items: all", "blueprint: [{objectives: O3.1, count: 4}]").replace("{sa-many: 2}", "1")
    drawn, orders = set(), set()
    for i in range(12):
        bank = BANK.replace("Quillfeather", f"Quillfeather{i}")
        asked = load_assignment(write_course(tmp_path, bank, text + "seed: known\n"))
        drawn.add(frozenset(item.id for item in asked.items))
        best = load_bank(tmp_path / "bank.yml").item("sa-best").public(asked.seed)
        orders.add(tuple(part["text"] for part in best["options"]))
    assert len(drawn) > 6 and len(orders) > 3


def test_neither_wheel_nor_assets_hold_anything_graded() -> None:
    """What every student has: the packaged folders. A graded task's table in one of them would be the key."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    packaged = [ROOT / folder for folder in (*build["targets"]["wheel"]["force-include"], "src/vertebra")]
    graded = [file for file in (ROOT / "quizzes" / "graded").rglob("*") if file.is_file()]
    assert any(file.parent.name == "tasks" for file in graded)
    assert not [file for file in graded for folder in packaged if file.is_relative_to(folder)]
    copies = {hashlib.sha256(file.read_bytes()).digest() for file in graded}
    held = [file for folder in packaged for file in folder.rglob("*") if file.suffix in {".json", ".yml"}]
    assert not [file for file in held if hashlib.sha256(file.read_bytes()).digest() in copies]


def test_questions_have_no_field_but_the_allowed_ones(course: Course) -> None:
    questions = json.loads((course.built.student / "questions.json").read_text(encoding="utf-8"))
    assert fields(questions) == set()
    assert fields({**questions, "items": [{**questions["items"][0], "hint": 1}]}) == {"hint"}
    assert fields({**questions, "items": [{**questions["items"][-1], "task": {"measures": []}}]}) == {"measures"}
    neutral_ids = re.compile(r"[bdoprs]\d+")
    for item in questions["items"]:
        chosen = [option for decision in item.get("decisions", ()) for option in decision["options"]]
        groups = [item.get(group, ()) for group in ("options", "steps", "prompts", "regions", "bands", "decisions")]
        assert all(neutral_ids.fullmatch(part["id"]) for group in (*groups, chosen) for part in group)
    decisions = questions["items"][-1]["decisions"]
    assert fields({**questions, "items": [{"decisions": [decisions[0] | {"harms": []}]}]}) == {"harms"}
    assert fields({**questions, "items": [{"decisions": [{"options": [{"key": True}]}]}]}) == {"key"}


def test_widget_holds_no_key(course: Course, tmp_path: Path) -> None:
    from vertebra.widgets.quiz import exam

    widget = exam(course.built.student / "questions.json")
    state = {name: value for name, value in widget.get_state().items() if name not in ("_esm", "_css")}
    shown = json.dumps([state, widget._repr_mimebundle_()], default=str)
    items = load_bank(tmp_path / "bank.yml").items
    found = leaks({"widget": shown.encode()}, items, neutral(course.built.key), salts_of(course.built.student))
    assert found == []
    for word in ("kz", "37.4519", "62.5481", "genant1993", '"key"', "rationale"):
        assert word not in shown, word
    assert "Which shape has lost height" in shown


# A scan that has never found anything proves nothing: each of these ways of hiding a key is planted, and must be found.
RATIONALE = "Quillfeather explains in these words that the front edge gave way."


@pytest.mark.parametrize(
    "hidden",
    [
        RATIONALE.encode(),
        b"in these words that the front",
        RATIONALE[::-1].encode(),
        RATIONALE.encode().hex().encode(),
        *(base64.b64encode(b"x" * n + RATIONALE.encode() + b"y") for n in range(3)),
        base64.urlsafe_b64encode(RATIONALE.encode()),
        b"data:image/svg+xml;base64," + base64.b64encode(b"<svg><!-- " + RATIONALE.encode() + b" --></svg>"),
        b"data:image/svg+xml;base64," + base64.b64encode(RATIONALE.encode()) + b" data:image/png;base64,AAAA",
        b'{"format": "numeric", "value": 37.4519, "tolerance": 0.5}',
        b'"measures": [[0, 0, 0.75, 3.125, 0, 0, 0, 0]]',
        b'"x": "b3b4b1b1b2b2b3b4"',
        base64.b64encode(b"34112234"),
        b'"0.5, 1, 0, 0, 0.25, 0.25, 0.5, 1"',
        hashlib.sha256(b"37.4519").hexdigest().encode(),
        hashlib.md5(b"sa-number:37.4519").hexdigest().encode(),
        hashlib.sha1(b"kzwedge").hexdigest().encode(),
        base64.b64encode(hashlib.sha256(b"Wedge & cosample-quiz").digest()),
    ],
)
def test_a_planted_key_is_found(course: Course, tmp_path: Path, hidden: bytes) -> None:
    items = load_bank(tmp_path / "bank.yml").items
    files = {"notebook": b'{"metadata": {"x": "' + hidden + b'"}}'}
    assert leaks(files, items, neutral(course.built.key), salts_of(course.built.student))


def test_a_planted_hash_of_the_neutral_id_is_found(course: Course, tmp_path: Path) -> None:
    items, key = load_bank(tmp_path / "bank.yml").items, neutral(course.built.key)
    right = key["sa-best"]["key"]["key"]
    for salt in ("sa-best", "sample-quiz", course.built.build):
        files = {"notebook": hashlib.sha256(f"{salt}{right}".encode()).hexdigest().encode()}
        assert leaks(files, items, key, salts_of(course.built.student))
