"""Banks: a good one is read and shown without its key; in a bad one each fault is named with its true line."""

import base64
import contextlib
import copy
import json
import random
import re
from collections import Counter
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.small_tasks import NEEDLE, STOP, write_tasks
from tests.spoil import spoiled
from vertebra import assets
from vertebra.quiz import items
from vertebra.quiz.items import BankError, find_bank, load_bank, load_banks, parse_bank
from vertebra.quiz.scoring import score
from vertebra.quiz.tasks import TaskError, load_task

GOOD = """\
# yaml-language-server: $schema=../schema.json
bank: demo
use: practice
lesson: 03_fracture_types
title: Demo
licence: CC-BY-4.0
read: '2026-11-29'
review_by: '2028-11-29'
items:
- id: de-p01
  version: 1.0.0
  format: single_best_answer
  objectives: [O3.1]
  bloom: apply
  tier: must
  author: vertebra authors
  clinical_review: none
  vignette: >-
    A person of 70 has had pain
    in the back for two days.
  stem: Which shape is this?
  image: {src: figures/demo.svg, alt: A grey block, licence: CC-BY-4.0}
  sources: [genant1993, unreferenced]
  options:
  - id: idwedge
    text: Wedge
    key: true
    rationale: Only the front is lower while the back wall keeps its height.
  - id: idburst
    text: Burst
    rationale: In a burst the back wall gives way too, and here it stands.
  - id: idcrush
    text: Crush
    rationale: >-
      The whole body is lower in a crush,
      and here only its front is.
- id: de-p02
  version: 1.2.0
  format: multiple_response
  objectives: [O3.5]
  bloom: remember
  tier: should
  author: vertebra authors
  clinical_review: "A. Clinician, radiologist, 2027-01-05"
  stem: Which findings make a fracture unstable?
  sources: [unreferenced]
  scoring: net_correct
  shuffle: false
  options:
  - id: idplc
    text: A torn ligament
    key: true
    rationale: The posterior ligaments hold the column against bending forwards.
  - id: idneuro
    text: A weak leg
    key: true
    rationale: A deficit says that the canal or the roots are compromised.
  - id: idage
    text: Old age
    rationale: Age makes the bone weak but does not make a fracture unstable.
- id: de-p03
  version: 1.0.0
  format: numeric
  objectives: [O3.2]
  bloom: apply
  tier: must
  author: vertebra authors
  clinical_review: none
  stem: What share of its height has the front lost?
  sources: [genant1993]
  answer: {value: 25, unit: "%", tolerance: 0.04, relative: true}
  rationale: One minus eighteen over twenty four is a quarter, hence grade two.
  slips:
  - value: 75
    rationale: That is the height that is left and not the height lost.
- id: de-p04
  version: 1.0.0
  format: ordering
  objectives: [O7.2]
  bloom: understand
  tier: must
  author: vertebra authors
  clinical_review: none
  stem: Put the steps in order.
  sources: [unreferenced]
  steps:
  - id: idfirst
    text: Enter the pedicle
    rationale: Nothing else can be done before the needle is in place.
  - id: idsecond
    text: Inflate the balloon
    rationale: The balloon goes through the needle and makes the room.
  - id: idthird
    text: Fill the cement
    rationale: Cement goes into the room that the balloon has left.
  - id: idfourth
    text: Take the needle out
    rationale: It comes out last, when the cement no longer flows back.
- id: de-p05
  version: 1.0.0
  format: matching
  objectives: [O3.1]
  bloom: understand
  tier: must
  author: vertebra authors
  clinical_review: none
  stem: Match each description with its fracture.
  sources: [genant1993]
  options:
  - {id: idwedge, text: Wedge}
  - {id: idbiconcave, text: Biconcave}
  - {id: idcrush, text: Crush}
  prompts:
  - id: idfront
    text: The front is lower
    answer: idwedge
    rationale: A wedge is low in front and keeps its back wall.
  - id: idmiddle
    text: The middle is lower
    answer: idbiconcave
    rationale: Both endplates sink while the front and back stand.
- id: de-p06
  version: 1.0.0
  format: hotspot
  objectives: [O5.2]
  bloom: apply
  tier: must
  author: vertebra authors
  clinical_review: none
  stem: Click on the posterior wall.
  image: {src: figures/demo.svg, alt: A grey block, licence: CC-BY-4.0, width: 200, height: 100}
  sources: [unreferenced]
  regions:
  - id: idwall
    text: the posterior wall
    polygon: [[150, 10], [180, 10], [180, 90], [150, 90]]
    key: true
    rationale: The posterior wall is the border towards the canal, on the right.
  - id: idbody
    text: the vertebral body
    polygon:
    - [50, 10]
    - [150, 10]
    - [150, 90]
    - [50, 90]
    rationale: The body lies in front of the wall and is much larger.
- id: de-p07
  version: 1.0.0
  objectives: [O7.2]
  bloom: apply
  tier: must
  author: vertebra authors
  clinical_review: none
  sources: [unreferenced]
  format: needle_path
  task: small_needle
  stem: Bring the needle into the body.
  bands:
  - {id: idcanal, text: Into the canal, share: 0, above: {canal: 0},
     rationale: It leaves the bone where the cord lies beside it.}
  - {id: idoutside, text: Through another wall, share: 0.25, above: {breach: 0},
     rationale: It leaves the bone on the side that is away from it.}
  - {id: idshort, text: Not far enough, share: 0.5, below: {tip: 50},
     rationale: The tip ends where the pedicle does and not in front.}
  - {id: idgood, text: In bone all the way, share: 1, rationale: There is bone all around it from its entry to its tip.}
- id: de-p08
  version: 1.0.0
  objectives: [O7.2]
  bloom: apply
  tier: must
  author: vertebra authors
  clinical_review: none
  sources: [unreferenced]
  format: stop_decision
  task: small_stop
  stem: When do you stop?
  bands:
  - {id: idleak, text: Cement left the bone, share: 0, above: {leaked: 0},
     rationale: The cement is where it was never meant to be by then.}
  - {id: idlittle, text: Hardly any cement, share: 0.5, below: {volume: 1.5},
     rationale: So little cement can hardly carry what stands on it later.}
  - {id: idfull, text: Filled and tight, share: 1, rationale: The body is filled and nothing has left it so far.}
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200"><rect width="9" height="9"/></svg>'
FORMATS = ["single_best_answer", "multiple_response", "numeric", "ordering", "matching", "hotspot"]
FORMATS += ["needle_path", "stop_decision"]


@pytest.fixture(autouse=True)
def _assets(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("assets")
    (folder / "figures").mkdir()
    (folder / "figures" / "demo.svg").write_text(SVG)
    write_tasks(folder / "tasks")
    (folder / "figures" / "tall.svg").write_text(SVG.replace("400 200", "200 400"))
    monkeypatch.setattr(assets, "root", lambda: folder)


@pytest.fixture
def bank():
    return parse_bank(GOOD, "demo.yml")


def test_a_good_bank_is_read(bank):
    assert (bank.id, bank.use, bank.lesson, bank.file) == ("demo", "practice", "03_fracture_types", "demo.yml")
    assert [item.format for item in bank.items] == FORMATS
    first = bank.item("de-p01")
    assert first.vignette == "A person of 70 has had pain in the back for two days."
    assert first.objectives == ("O3.1",)
    assert [option.key for option in first.options] == [True, False, False]
    assert GOOD.splitlines()[first.line - 1] == "- id: de-p01"
    assert bank.item("de-p06").regions[1].polygon == ((50, 10), (150, 10), (150, 90), (50, 90))


def test_an_unknown_question_is_named_with_its_nearest(bank):
    with pytest.raises(BankError, match=r"no question de-p7; did you mean de-p0\d\?"):
        bank.item("de-p7")


def test_key_records(bank):
    assert [item.key_record() for item in bank.items] == [
        {"format": "single_best_answer", "key": "idwedge", "options": ["idwedge", "idburst", "idcrush"]},
        {
            "format": "multiple_response",
            "key": ["idplc", "idneuro"],
            "options": ["idplc", "idneuro", "idage"],
            "scoring": "net_correct",
        },
        {"format": "numeric", "value": 25, "tolerance": 1},
        {"format": "ordering", "key": ["idfirst", "idsecond", "idthird", "idfourth"], "scoring": "all_pairs"},
        {
            "format": "matching",
            "key": {"idfront": "idwedge", "idmiddle": "idbiconcave"},
            "options": ["idwedge", "idbiconcave", "idcrush"],
        },
        {
            "format": "hotspot",
            "key": "idwall",
            "polygons": {
                "idwall": [[150, 10], [180, 10], [180, 90], [150, 90]],
                "idbody": [[50, 10], [150, 10], [150, 90], [50, 90]],
            },
        },
        {
            "format": "needle_path",
            "controls": [{"id": control["id"], "values": control["values"]} for control in NEEDLE["controls"]],
            "bands": ["idshort", "idgood", "idcanal", "idcanal", "idoutside", "idoutside", "idshort", "idgood"],
            "shares": {"idcanal": 0, "idoutside": 0.25, "idshort": 0.5, "idgood": 1},
            "measures": NEEDLE["measures"],
            "example": NEEDLE["example"],
        },
        {
            "format": "stop_decision",
            "controls": [{"id": "frame", "values": [0, 1, 2, 3]}],
            "bands": ["idlittle", "idlittle", "idfull", "idleak"],
            "shares": {"idleak": 0, "idlittle": 0.5, "idfull": 1},
            "measures": STOP["measures"],
            "example": {"frame": 2},
        },
    ]


def right_and_wrong(key):
    """Return an answer with full marks and one without any, in the ids of the key record."""
    match key["format"]:
        case "single_best_answer":
            return key["key"], next(option for option in key["options"] if option != key["key"])
        case "multiple_response":
            return key["key"], [option for option in key["options"] if option not in key["key"]]
        case "numeric":
            return key["value"], key["value"] + 2 * key["tolerance"]
        case "ordering":
            return key["key"], key["key"][::-1]
        case "matching":
            return key["key"], dict.fromkeys(key["key"], key["options"][-1])
        case "hotspot":
            return {"region": key["key"]}, {"region": next(r for r in key["polygons"] if r != key["key"])}
        case "needle_path":
            return key["example"], {"entry": 0, "convergence": 10, "descent": -2.5, "depth": 40}
        case "stop_decision":
            return key["example"], {"frame": 3}


@pytest.mark.parametrize("number", range(8), ids=FORMATS)
def test_the_right_answer_scores_one_and_a_wrong_one_none(bank, number):
    key = bank.items[number].key_record()
    right, wrong = right_and_wrong(key)
    assert (score(key, right), score(key, wrong)) == (1, 0)


def test_a_click_on_the_key_scores_one(bank):
    key = bank.item("de-p06").key_record()
    assert [score(key, {"point": [x, 50]}) for x in (165, 100, 20)] == [1, 0, 0]


# --- What a student may see


def test_public_parts(bank):
    shown = {item.format: item.public() for item in bank.items}
    assert shown["single_best_answer"] == {
        "id": "de-p01",
        "version": "1.0.0",
        "format": "single_best_answer",
        "vignette": "A person of 70 has had pain in the back for two days.",
        "stem": "Which shape is this?",
        "image": {
            "uri": "data:image/svg+xml;base64," + base64.b64encode(SVG.encode()).decode(),
            "alt": "A grey block",
            "width": None,
            "height": None,
        },
        "reviewed": False,
        "options": [
            {"id": "idwedge", "text": "Wedge"},
            {"id": "idburst", "text": "Burst"},
            {"id": "idcrush", "text": "Crush"},
        ],
    }
    common = {"id", "version", "format", "stem", "image", "reviewed"}
    assert shown["multiple_response"].keys() == common | {"options", "scoring"}
    assert shown["numeric"].keys() == common | {"unit"}
    assert shown["ordering"].keys() == common | {"steps", "scoring"}
    assert shown["matching"].keys() == common | {"options", "prompts"}
    assert shown["hotspot"].keys() == common | {"regions"}
    assert shown["numeric"]["image"] is None
    assert (shown["hotspot"]["image"]["width"], shown["hotspot"]["image"]["height"]) == (200, 100)
    assert shown["hotspot"]["regions"][0] == {"id": "idwall", "text": "the posterior wall"}
    assert shown["needle_path"].keys() == shown["stop_decision"].keys() == common | {"task", "bands"}
    assert shown["needle_path"]["task"].keys() == {"note", "films", "controls", "needle", "seen"}
    assert shown["stop_decision"]["task"].keys() == {"note", "films", "controls", "step", "line"}
    assert shown["stop_decision"]["bands"][1] == {"id": "idlittle", "text": "Hardly any cement", "share": 0.5}


def test_a_png_is_inlined_as_png(tmp_path, monkeypatch):
    (tmp_path / "figures").mkdir()
    raw = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (200).to_bytes(4) + (100).to_bytes(4)
    (tmp_path / "figures" / "demo.png").write_bytes(raw)
    write_tasks(tmp_path / "tasks")
    monkeypatch.setattr(assets, "root", lambda: tmp_path)
    bank = parse_bank(GOOD.replace("demo.svg", "demo.png"), "demo.yml")
    uri = bank.item("de-p06").public("seed")["image"]["uri"]
    assert uri == "data:image/png;base64," + base64.b64encode(raw).decode()
    with pytest.raises(BankError, match="clicks would miss"):
        parse_bank(GOOD.replace("demo.svg", "demo.png").replace("width: 200", "width: 300"), "demo.yml")


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("demo.png", b"\x89PNG\r\n\x1a\n"),
        ("demo.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(8)),
        ("demo.png", b"GIF89a" + b"x" * 40),
        ("demo.svg", b'<svg viewBox="a b c d">'),
        ("demo.svg", b'<svg viewBox="\xff 0 1 1">'),
    ],
)
def test_a_damaged_picture_is_named(tmp_path, monkeypatch, name, raw):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / name).write_bytes(raw)
    write_tasks(tmp_path / "tasks")
    monkeypatch.setattr(assets, "root", lambda: tmp_path)
    with pytest.raises(BankError) as caught:
        parse_bank(GOOD.replace("demo.svg", name), "demo.yml")
    line = line_of(GOOD, "  image:")
    assert f"demo.yml:{line}: item de-p01: figures/{name} is damaged" in str(caught.value)
    assert len(caught.value.faults) == 2, "one fault for each of the two questions that show it"


def test_practice_adds_key_and_explanations(bank):
    shown = bank.item("de-p03").practice()
    assert shown.items() >= bank.item("de-p03").public().items()
    assert shown["key"] == {"format": "numeric", "value": 25, "tolerance": 1}
    assert shown["rationales"] == {"": "One minus eighteen over twenty four is a quarter, hence grade two."}
    assert shown["slips"] == [{"value": 75, "rationale": "That is the height that is left and not the height lost."}]
    assert (shown["sources"], shown["objectives"]) == (["genant1993"], ["O3.2"])
    assert bank.item("de-p05").practice()["rationales"].keys() == {"idfront", "idmiddle"}
    json.dumps([item.practice() for item in bank.items], allow_nan=False)


def secrets_of(item):
    """Return what must not stand in a student's copy of an item."""
    parts = [*item.options, *item.steps, *item.prompts, *item.regions, *item.bands]
    ids = [part.id for part in parts]
    numbers = [f"{x}, {y}" for region in item.regions for x, y in region.polygon]
    numbers += [str(slip.value) for slip in item.slips] + ([str(item.answer.value)] if item.answer else [])
    if item.bands:
        numbers += [
            word for measure in item.task.measures for word in (json.dumps(measure["values"]), measure["says"]) if word
        ]
        numbers += ["measures", "example", "limits", "made by hand"]
    return [*item.rationales().values(), *ids, *item.sources, *item.objectives, *numbers, "rationale", "key", "polygon"]


@pytest.mark.parametrize("number", range(8), ids=FORMATS)
@pytest.mark.parametrize("seed", ["2026", "", "another"])
def test_a_students_copy_holds_nothing_of_the_key(bank, number, seed):
    item = bank.items[number]
    public, key, bank_ids = item.assigned(seed)
    text = json.dumps(public | {"image": None})
    secret = secrets_of(item)
    assert len(secret) >= 6
    for word in secret:
        assert word not in text
    assert (public, key, bank_ids) == item.assigned(seed)
    assert public == item.public(seed)
    assert all(re.fullmatch(r"[ospbr]\d+", new) for new in bank_ids)


@pytest.mark.parametrize("number", range(8), ids=FORMATS)
def test_the_same_answer_scores_the_same_under_neutral_ids(bank, number):
    item = bank.items[number]
    for seed in map(str, range(20)):
        public, key, bank_ids = item.assigned(seed)
        for group in ("options", "steps", "prompts", "regions", "bands"):
            for part in public.get(group, []):  # the text stays with its id
                original = next(p for p in getattr(item, group) if p.id == bank_ids[part["id"]])
                assert part["text"] == original.text
        for answer in right_and_wrong(key):
            assert score(key, answer) == score(item.key_record(), translate(answer, bank_ids))


def translate(answer, bank_ids):
    match answer:
        case str():
            return bank_ids[answer]
        case list():
            return [bank_ids[part] for part in answer]
        case {"region": region}:
            return {"region": bank_ids[region]}
        case dict() if not answer.keys() & {"frame", "depth"}:
            return {bank_ids[prompt]: bank_ids[option] for prompt, option in answer.items()}
    return answer


def test_seeds_put_the_key_at_every_place_and_shuffle_false_keeps_the_order(bank):
    keys = [bank.item("de-p01").assigned(str(seed))[1]["key"] for seed in range(300)]
    assert all(70 < keys.count(option) < 130 for option in ("o1", "o2", "o3"))
    kept = [bank.item("de-p02").assigned(str(seed))[2] for seed in range(10)]
    assert kept == [{"o1": "idplc", "o2": "idneuro", "o3": "idage"}] * 10


def test_steps_never_come_in_the_correct_order(bank):
    item = bank.item("de-p04")
    correct = [step.text for step in item.steps]
    orders = set()
    for seed in [None, *map(str, range(200))]:
        shown = [step["text"] for step in item.public(seed)["steps"]]
        assert sorted(shown) == sorted(correct)
        assert shown != correct
        orders.add(tuple(shown))
    assert len(orders) == 23  # all the others of 4! = 24
    assert [step["id"] for step in item.public("7")["steps"]] == ["s1", "s2", "s3", "s4"]


def test_every_wrong_order_of_steps_is_shown_equally_often(bank):
    """Were the correct order only turned by one, whoever turns it back would be right twice as often as by chance."""
    three = replace(bank.item("de-p04"), steps=bank.item("de-p04").steps[:3])
    orders = Counter(tuple(three.assigned(str(seed))[1]["key"]) for seed in range(1000))
    assert len(orders) == 5
    # Chi-square, 4 degrees of freedom: 23.5 is exceeded once in ten thousand draws, and these draws are fixed.
    assert sum((n - 200) ** 2 / 200 for n in orders.values()) < 23.5


def test_the_order_cannot_be_computed_from_the_seed_and_guessed_ids():
    other = parse_bank(GOOD.replace("Nothing else can be done", "No other step is possible"), "demo.yml")
    orders = [[bank.item("de-p04").assigned(str(s))[2] for s in range(20)] for bank in (parse_bank(GOOD, "x"), other)]
    assert orders[0] != orders[1]


# --- Faults

WEDGE_IMAGE = "{src: figures/demo.svg, alt: A grey block, licence: CC-BY-4.0}"
CRUSH = "    rationale: >-\n      The whole body is lower in a crush,\n      and here only its front is.\n"
SOLUTION = "  rationale: One minus eighteen over twenty four is a quarter, hence grade two.\n"
VIGNETTE = "  vignette: >-\n    A person of 70 has had pain\n    in the back for two days.\n"
BODY = "    - [50, 10]\n    - [150, 10]\n    - [150, 90]\n    - [50, 90]\n"

# What is written; what stands there instead; whom the fault names; words of it; and, unless it is the first changed
# line, the line that it names as a text and how many such lines come before it.
FAULTS = [
    ("bank: demo", "bank: My bank", "bank", "bank: is 'My bank', must be a name unique over all banks"),
    ("use: practice", "use: practise", "bank", "did you mean practice?"),
    ("title: Demo", "titel: Demo", "bank", "there is no field titel; did you mean title?"),
    ("title: Demo", "title: Demo\ntitle: Two", "bank", "the field title is written twice, first in line 5"),
    ("licence: CC-BY-4.0\nread", "read", "bank", "the field licence is missing", "bank: demo", 0),
    ("- id: de-p02", "- id: de-p01", "item de-p01", "the question in line 10 has this id too"),
    ("- id: de-p02\n  version", "- version", "item number 2", "the field id is missing"),
    ("version: 1.2.0", "version: 1.2", "item de-p02", "version: is a number, must be text"),
    ("version: 1.2.0", "version: '1.2'", "item de-p02", "must be three numbers such as 1.0.0"),
    ("version: 1.2.0", "version: 2026-11-21", "item de-p02", "version: is a date, must be text"),
    ("version: 1.2.0", "version: 2026-13-41", "item de-p02", "'2026-13-41' cannot be read; put it in quotes"),
    ("version: 1.2.0", "version: !odd 1", "item de-p02", "'1' cannot be read; put it in quotes"),
    ("version: 1.2.0", "version:", "item de-p02", "version: is empty, must be text"),
    ("  format: ordering\n", "", "item de-p04", "the field format is missing", "- id: de-p04", 0),
    ("format: ordering", "format: sorting", "item de-p04", "must be one of single_best_answer"),
    ("bloom: remember", "bloom: aply", "item de-p02", "did you mean apply?"),
    ("tier: should", "tier: no", "item de-p02", "must be one of must, should, nice"),
    ("objectives: [O7.2]", "objectives: []", "item de-p04", "objectives: has too few entries (0, at least 1)"),
    (
        "objectives: [O7.2]",
        "objectives: [O7]",
        "item de-p04",
        "objectives 1: is 'O7', must be an objective of the syllabus",
    ),
    ("objectives: [O7.2]", "objectives: O7.2", "item de-p04", "is text, must be a list"),
    (
        "sources: [genant1993]\n  answer",
        "sources: []\n  answer",
        "item de-p03",
        "sources: has too few entries (0, at least 1)",
    ),
    ("[genant1993, unreferenced]", "[genant1993, genant1993]", "item de-p01", "named twice"),
    ("[genant1993, unreferenced]", "[genant1994]", "item de-p01", "no reference genant1994; did you mean genant1993?"),
    ("[genant1993, unreferenced]", "[abc]", "item de-p01", "no reference abc; correct it, or write unreferenced"),
    ("A. Clinician, radiologist, 2027-01-05", "A. Clinician", "item de-p02", "must be none, or each clinician who"),
    ("stem: Which shape is this?", "stem: Name the shape.", "item de-p01", "not a closed question; end it with ?"),
    ("stem: Put the steps in order.", "stem: Put the steps in order", "item de-p04", "with a full stop"),
    ("stem: Put the steps in order.", 'stem: " "', "item de-p04", "stem: is empty; write it"),
    (VIGNETTE, "", "item de-p01", "bloom is apply but there is no vignette", "bloom: apply", 0),
    (WEDGE_IMAGE, "{src: figures/no.svg, alt: A, licence: B}", "item de-p01", "there is no picture figures/no.svg"),
    (WEDGE_IMAGE, "{src: a/../../x.svg, alt: A, licence: B}", "item de-p01", "there is no picture a/../../x.svg"),
    (WEDGE_IMAGE, "{src: demo.pdf, alt: A, licence: B}", "item de-p01", "must be an .svg or .png file below assets/"),
    (WEDGE_IMAGE, "{src: figures/demo.svg, licence: B}", "item de-p01", "image: the field alt is missing"),
    (WEDGE_IMAGE, "{src: figures/demo.svg, alt: '', licence: B}", "item de-p01", "image alt: is empty"),
    ("    key: true\n    rationale: Only", "    rationale: Only", "item de-p01", "has no key", "options:", 0),
    (
        "    text: Burst",
        "    text: Burst\n    key: true",
        "item de-p01",
        "has 2 keys (idwedge, idburst)",
        "options:",
        0,
    ),
    ("    text: Burst", "    text: Wedge", "item de-p01", "same text as option idburst"),
    ("id: idburst", "id: idwedge", "item de-p01", "two options have the id idwedge"),
    ("id: idburst", "id: no", "item de-p01", "options 2 id: is true or false, must be text"),
    ("    text: Crush", "    txt: Crush", "item de-p01", "options idcrush: there is no field txt; did you mean text?"),
    ("    text: Crush", "    text: Crush\n    colour: red", "item de-p01", "the fields are: id, text, rationale, key"),
    ("    text: Crush", "    text: Crush\n    text: Crash", "item de-p01", "the field text is written twice"),
    ("    text: Crush", "    text: Crush\n    no: Crash", "item de-p01", "field's name is read as true or false"),
    (CRUSH, "    rationale: Incorrect.\n", "item de-p01", "rationale of option idcrush is too short (1 of"),
    (CRUSH, "", "item de-p01", "options idcrush: the field rationale is missing", "  - id: idcrush", 0),
    ("torn ligament\n    key: true", "torn ligament\n    key: 1", "item de-p02", "must be true or false", "key: 1", 0),
    ("scoring: net_correct", "scoring: netcorrect", "item de-p02", "did you mean net_correct?"),
    ("    text: Old age", "    text: Old age\n    key: true", "item de-p02", "every option is a key", "options:", 1),
    ("  shuffle: false", "  answer: {value: 3}", "item de-p02", "belongs to numeric, not to multiple_response"),
    ('25, unit: "%", tolerance: 0.04, relative: true', "2.5, unit: mm", "item de-p03", "2.5 has no tolerance"),
    ("value: 25", "value: 0", "item de-p03", "a share of the value 0 is no tolerance"),
    ("tolerance: 0.04", "tolerance: -0.04", "item de-p03", "answer tolerance: is -0.04, must be at least 0"),
    ("value: 25", "value: .nan", "item de-p03", ".nan is not a finite number"),
    ("value: 25", f"value: 1{'0' * 400}", "item de-p03", "0 is not a finite number; give a number"),
    ("[180, 10]", f"[1{'0' * 400}, 10]", "item de-p06", "0 is not a finite number; give a number"),
    ("value: 25", "value: 25 mm", "item de-p03", "answer value: is text, must be a number"),
    ("- value: 75", "- value: 25.5", "item de-p03", "slip 25.5 is within the tolerance, so it is right"),
    (
        "That is the height that is left and not the height lost.",
        "Wrong way.",
        "item de-p03",
        "of slip 75 is too short (2 of",
    ),
    (SOLUTION, "", "item de-p03", "the field rationale is missing", "- id: de-p03", 0),
    (SOLUTION, "  rationale: A quarter.\n", "item de-p03", "the rationale is too short (2 of"),
    (
        "Nothing else can be done before the needle is in place.",
        "First.",
        "item de-p04",
        "of step idfirst is too short (1 of",
    ),
    ("id: idsecond", "id: idfirst", "item de-p04", "two steps have the id idfirst"),
    ("answer: idbiconcave", "answer: idbiconvex", "item de-p05", "no option idbiconvex; did you mean idbiconcave?"),
    ("answer: idbiconcave", "answer: x", "item de-p05", "no option x; the options are: idwedge, idbiconcave, idcrush"),
    (
        "A wedge is low in front and keeps its back wall.",
        "It fits.",
        "item de-p05",
        "of prompt idfront is too short (2 of",
    ),
    (", height: 100}", "}", "item de-p06", "image: the field height is missing"),
    ("height: 100", "height: 110", "item de-p06", "width/height is 1.818, that of figures/demo.svg is 2.000"),
    ("width: 200, height", "width: 0, height", "item de-p06", "image width: is 0, must be above 0"),
    ("[180, 10]", "[280, 10]", "item de-p06", "[280, 10] of region idwall lies outside the picture (200 x 100)"),
    ("    - [50, 90]\n", "    - [-1, 90]\n", "item de-p06", "corner [-1, 90] of region idbody lies outside"),
    ("[180, 10]", "[180]", "item de-p06", "regions idwall polygon 2: has too few entries (1, at least 2)"),
    ("[180, 10]", "[180, 10, 1]", "item de-p06", "has too many entries (3, at most 2)"),
    ("    - [150, 10]\n", "    - [151, 10]\n", "item de-p06", "overlaps the key idwall", "    polygon:", 1),
    (BODY, "    - [50, 10]\n    - [60, 20]\n    - [70, 30]\n", "item de-p06", "has no area", "    polygon:", 1),
    (
        "    key: true\n    rationale: The posterior wall",
        "    rationale: The back wall",
        "item de-p06",
        "has no key",
        "  regions:",
        0,
    ),
    (
        "The body lies in front of the wall and is much larger.",
        "No.",
        "item de-p06",
        "of region idbody is too short (1 of",
    ),
    ("task: small_needle", "task: small_kneedle", "item de-p07", "no task small_kneedle in"),
    ("task: small_needle", "task: ../key", "item de-p07", "task: is '../key', must be the name of a task file"),
    (
        "task: small_needle",
        "task: small_stop",
        "item de-p07",
        "the task is a stop_decision, the question a needle_path",
    ),
    ("above: {canal: 0}", "above: {kanal: 0}", "item de-p07", "the task measures no kanal; did you mean canal?"),
    ("above: {canal: 0}", "above: {canal: near}", "item de-p07", "canal: is text, must be a number"),
    ("above: {canal: 0},", "", "item de-p07", "band idcanal has no limits; give it above or below"),
    (
        "share: 1, rationale",
        "share: 1, below: {tip: 99}, rationale",
        "item de-p07",
        "is the last and has limits; remove",
    ),
    ("share: 0.25", "share: 1.25", "item de-p07", "share: is 1.25, must be at most 1"),
    ("above: {breach: 0}", "above: {canal: 1}", "item de-p07", "no answer at all falls into band idoutside"),
    ("share: 1, rationale", "share: 0.9, rationale", "item de-p07", "good answer falls into band idgood", "bands:", 0),
    ("share: 0.25", "share: 1", "item de-p07", "the setting to begin with earns everything", "bands:", 0),
    ("id: idleak", "id: idfull", "item de-p08", "two bands have the id idfull", "id: idfull", 1),
]


def test_a_graded_bank_has_its_tasks_beside_it(tmp_path):
    """Assets are in every student's copy of the course, and a task file holds what each answer leads to."""
    file = tmp_path / "bank.yml"
    file.write_text(GOOD.replace("use: practice", "use: graded"), encoding="utf-8")
    with pytest.raises(BankError, match=rf"there is no task small_needle in {tmp_path / 'tasks'}"):
        load_bank(file)
    write_tasks(tmp_path / "tasks")
    assert load_bank(file).item("de-p07").task.runs == 8


@pytest.mark.parametrize(("name", "task"), [("small_needle", NEEDLE), ("small_stop", STOP)])
def test_no_part_of_a_task_file_can_be_missing_or_wrong_without_a_plain_error(tmp_path, monkeypatch, name, task):
    monkeypatch.setattr(assets, "root", lambda: tmp_path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "demo.svg").write_text(SVG)
    file = write_tasks(tmp_path / "tasks") / f"{name}.json"
    refused = 0
    for data in spoiled(task, (5.5, {"x": []})):
        file.write_text(json.dumps(data), encoding="utf-8")
        load_task.cache_clear()
        try:
            load_task(file)
        except TaskError as error:
            refused += 1
            assert name in str(error)
            continue
        with contextlib.suppress(BankError):  # what can be loaded is at worst a fault of the bank
            [item.practice() for item in parse_bank(GOOD, "demo.yml").items]
    assert refused > 60
    file.write_text("{", encoding="utf-8")
    load_task.cache_clear()
    with pytest.raises(BankError, match=rf"item de-p0[78]: the task file {name}.json is not JSON; make it again"):
        parse_bank(GOOD, "demo.yml")
    load_task.cache_clear()


def changed(task, path, value):
    """Return a copy of a task file in which one place holds another value."""
    data = copy.deepcopy(task)
    *parents, last = path
    part = data
    for step in parents:
        part = part[step]
    part[last] = value
    return data


@pytest.mark.parametrize(
    ("task", "path", "value"),
    [
        (NEEDLE, ("measures", 0, "values", 2), float("nan")),  # it is above nothing, so the wrong band would take it
        (NEEDLE, ("measures", 0, "values", 2), 10**400),
        (NEEDLE, ("measures", 0, "values", 2), True),
        (NEEDLE, ("measures", 1, "id"), "canal"),
        (NEEDLE, ("needle", "radius"), float("inf")),
        (NEEDLE, ("needle", "behind"), 10**400),
        (NEEDLE, ("needle", "directions", 0, 0, 1), None),
        (NEEDLE, ("needle", "entries"), [[10, -30, 5]]),
        (NEEDLE, ("needle", "entries", 1), [10, -30]),
        (NEEDLE, ("films", 0, "matrix", 2), [0, 0, 0, 0]),
        (NEEDLE, ("films", 0, "uri"), "https://example.org/film.png"),
        (NEEDLE, ("controls", 0, "values"), [5, 5]),
        (NEEDLE, ("controls", 0, "id"), "exit"),
        (NEEDLE, ("seen", 0, "at"), "0011001"),
        (NEEDLE, ("seen", 0, "at"), "00110019"),
        (STOP, ("controls", 0, "id"), "film"),
        (STOP, ("controls", 0, "values"), [0, 1, 2, 4]),
        (STOP, ("films",), STOP["films"][:3]),
        (STOP, ("line", "ends"), [[60, 20]]),
        (STOP, ("line", "ends", 0), [60, 20, 1]),
        (STOP, ("runs",), 5),
        (STOP, ("example",), {"frame": 4}),
        (STOP, ("format",), "vertebra-task/2"),
    ],
)
def test_a_task_file_that_would_mislead_is_refused(tmp_path, task, path, value):
    file = tmp_path / "task.json"
    file.write_text(json.dumps(changed(task, path, value)), encoding="utf-8")
    with pytest.raises(
        TaskError, match=r"the task file task\.json .*; make it again with `python tools/build_tasks.py`"
    ):
        load_task(file)


def test_a_task_file_that_cannot_be_opened_is_not_said_to_be_missing(tmp_path):
    (tmp_path / "task.json").mkdir()
    with pytest.raises(TaskError, match=r"the task file task\.json cannot be read"):
        load_task(tmp_path / "task.json")
    with pytest.raises(TaskError, match=r"there is no task other in .*; the tasks there are: task"):
        load_task(tmp_path / "other.json")


def test_numbers_that_decimals_cannot_write_find_their_place():
    """What the browser sends back is the very number of the list, whatever its digits."""
    key = {
        "format": "needle_path",
        "controls": [{"id": "p", "values": [0.1 + 0.2, 1 / 3]}, {"id": "q", "values": [-0.0, 5]}],
    }
    key |= {"bands": ["a", "b", "c", "d"], "shares": {"a": 0, "b": 0.25, "c": 0.5, "d": 1}}
    for place, answer in enumerate([(0.1 + 0.2, 0), (0.1 + 0.2, 5.0), (1 / 3, 0.0), (1 / 3, 5)]):
        sent = json.loads(json.dumps(dict(zip("pq", answer, strict=True))))
        assert score(key, sent) == [0, 0.25, 0.5, 1][place]


def line_of(text, marker, before=0):
    return [i for i, line in enumerate(text.splitlines(), 1) if marker in line][before]


def first_changed_line(text):
    pairs = zip(text.splitlines(), GOOD.splitlines(), strict=False)
    return next(i for i, (new, old) in enumerate(pairs, 1) if new != old)


@pytest.mark.parametrize("loader", ["libyaml", "pure"])
@pytest.mark.parametrize("fault", FAULTS, ids=[f"{fault[1].strip()[:24]!r}" for fault in FAULTS])
def test_each_fault_is_named_once_with_its_line(monkeypatch, loader, fault):
    if loader == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    old, new, place, words, *marker = fault
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    line = line_of(text, *marker) if marker else first_changed_line(text)
    with pytest.raises(BankError) as caught:
        parse_bank(text, "demo.yml", {"genant1993"})
    message = str(caught.value)
    assert message.startswith(f"demo.yml:{line}: {place}: ")
    assert words in message
    assert "; " in message, "the mend is missing"
    assert "\n" not in message, "one fault, one line"


def test_an_integer_value_needs_no_tolerance():
    text = GOOD.replace("tolerance: 0.04, relative: true", "tolerance: 0")
    assert parse_bank(text, "demo.yml").item("de-p03").key_record()["tolerance"] == 0


def test_changing_the_format_names_the_fields_that_no_longer_belong():
    with pytest.raises(BankError) as caught:
        parse_bank(GOOD.replace("format: ordering", "format: numeric"), "demo.yml")
    assert [fault.what.split(";")[0] for fault in caught.value.faults] == [
        "the field answer is missing",
        "the field rationale is missing",
        "the field steps belongs to ordering, not to numeric",
    ]


def test_all_faults_are_listed_at_once_in_the_order_of_their_lines():
    text = (
        GOOD.replace("version: 1.0.0", "version: one").replace("tier: must", "tear: must").replace("use:", "use: x #")
    )
    with pytest.raises(BankError) as caught:
        parse_bank(text, "demo.yml")
    numbers = [fault.line for fault in caught.value.faults]
    assert len(numbers) == 1 + 7 + 7
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("old", "new", "marker"),
    [
        ("stem: Put the steps in order.", "stem: Put: the steps", "stem: Put: the steps"),
        ("stem: Put the steps in order.", "stem: @you", "stem: @you"),
        ("stem: Put the steps in order.", 'stem: "Put', None),
        ("objectives: [O7.2]", "objectives: [O7.2", "  bloom: understand"),
        ("objectives: [O7.2]", "objectives: *other", "objectives: *other"),
        ("objectives: [O7.2]", "\tobjectives: [O7.2]", "\tobjectives"),
        ("title: Demo", "title: De\x07mo", "title: De\x07mo"),
        ("title: Demo", "title: Demo\n---\nitems: []", "---"),
    ],
)
@pytest.mark.parametrize("loader", ["libyaml", "pure"])
def test_a_fault_of_yaml_names_its_line(monkeypatch, loader, old, new, marker):
    if loader == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    text = GOOD.replace(old, new, 1)
    with pytest.raises(BankError) as caught:
        parse_bank(text, "demo.yml")
    message = str(caught.value)
    assert "\n" not in message
    assert "is not YAML: " in message and "; " in message
    line = int(message.split(":")[1])
    if marker:
        assert abs(line - line_of(text, marker)) <= (0 if marker[0] != " " else 1)
    else:  # the open quote swallows the text up to the next one
        assert line_of(text, 'stem: "Put') <= line <= line_of(text, "id: idfirst")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("- a\n- b\n", "must be a mapping"),
        ("just text", "must be a mapping"),
        ("bank: &a [*a]\n", "alias"),
        ("[" * 100_000, "the nesting is too deep"),
        ("- " * 1000 + "a", "the nesting is too deep"),
        ("bank: x\nitems: {a: 1}\n", "items: is a mapping of fields, must be a list"),
        ("bank: x\nitems:\n- text\n", "is text, must be a mapping of fields"),
        ("? [a, b]\n: x\n", "name is read as a list"),
    ],
)
def test_what_is_no_bank_at_all(text, words):
    with pytest.raises(BankError) as caught:
        parse_bank(text, "demo.yml")
    assert words in str(caught.value)
    assert all(line.startswith("demo.yml:") for line in str(caught.value).splitlines())


def test_anchors_and_merged_fields_are_read_as_safe_loader_reads_them():
    merged = GOOD.replace("sources: [genant1993]\n  answer", "sources: &s [genant1993]\n  answer").replace(
        "sources: [unreferenced]\n  steps", "sources: *s\n  steps"
    )
    assert parse_bank(merged, "demo.yml").item("de-p04").sources == ("genant1993",)
    old = "  - {id: idbiconcave, text: Biconcave}\n"
    text = GOOD.replace("- {id: idwedge, text: Wedge}", "- &base {id: idwedge, text: Wedge}")
    good = text.replace(old, "  - {<<: *base, id: idbiconcave, text: Biconcave}\n")
    assert parse_bank(good, "demo.yml").item("de-p05").options[1].text == "Biconcave"
    with pytest.raises(BankError, match="same text"):
        parse_bank(text.replace(old, "  - {<<: *base, id: idbiconcave}\n"), "demo.yml")


def test_the_data_are_what_safe_loader_makes_of_the_text():
    expected = yaml.safe_load(GOOD)
    assert items.read_bank(GOOD, "demo.yml")[1].data == expected


# --- Overlap of polygons


def test_overlap_of_known_shapes():
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    assert items._overlap(square, square)
    assert items._overlap(square, square[::-1])
    assert items._overlap(square, [(2, 2), (3, 2), (3, 3)])  # inside
    assert items._overlap(square, [(-5, 4), (15, 4), (15, 6), (-5, 6)])  # a cross, no corner in the other
    assert items._overlap(square, [(9, 9), (20, 9), (20, 20), (9, 20)])
    assert not items._overlap(square, [(10, 0), (20, 0), (20, 10), (10, 10)])  # a common edge
    assert not items._overlap(square, [(10, 10), (20, 10), (20, 20)])  # a common corner
    assert not items._overlap(square, [(0, 0), (5, 5), (10, 10)])  # no area
    u = [(0, 0), (9, 0), (9, 9), (6, 9), (6, 3), (3, 3), (3, 9), (0, 9)]
    assert not items._overlap(u, [(4, 4), (5, 4), (5, 8), (4, 8)])  # in the mouth of the U
    assert items._overlap(u, [(4, 2), (5, 2), (5, 8), (4, 8)])
    assert items._overlap([(0, 0), (4, 4), (4, 0), (0, 4)], [(0, 1), (0, 3), (1, 2)])  # the wing of a bow tie


@given(st.lists(st.integers(0, 6), min_size=8, max_size=8), st.floats(0, 6.3), st.randoms(use_true_random=False))
def test_overlap_of_turned_rectangles_is_that_of_their_intervals(numbers, angle, _):
    x1, y1, w1, h1, x2, y2, w2, h2 = numbers
    w1, h1, w2, h2 = w1 + 1, h1 + 1, w2 + 1, h2 + 1
    wide = min(x1 + w1, x2 + w2) - max(x1, x2)
    high = min(y1 + h1, y2 + h2) - max(y1, y2)

    def turned(x, y, w, h):
        turn = complex(0, 1) ** (angle / 1.5707963267948966)
        return [((z := complex(a, b) * turn).real, z.imag) for a, b in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))]

    assert items._overlap(turned(x1, y1, w1, h1), turned(x2, y2, w2, h2)) == (wide > 0 and high > 0)


def test_overlap_agrees_with_a_fine_grid():
    from vertebra.quiz.scoring import inside

    dice = random.Random(3)
    seen = set()
    for _ in range(40):
        a, b = ([(dice.randint(0, 12), dice.randint(0, 12)) for _ in range(dice.randint(3, 6))] for _ in range(2))
        grid = [(i / 4 + 0.11, j / 4 + 0.13) for i in range(48) for j in range(48)]
        if any(inside(x, y, a) and inside(x, y, b) for x, y in grid):
            assert items._overlap(a, b)
            seen.add(True)
        elif not items._overlap(a, b):
            seen.add(False)
    assert seen == {True, False}


# --- Files


def test_load_bank_says_what_is_wrong_with_the_file(tmp_path):
    with pytest.raises(BankError, match=r"none\.yml: cannot be read .*; check the path"):
        load_bank(tmp_path / "none.yml")
    file = tmp_path / "latin.yml"
    file.write_bytes(b"bank: demo\ntitle: caf\xe9\n")
    with pytest.raises(BankError, match=r"latin\.yml:2: bank: is not UTF-8 text; "):
        load_bank(file)


def test_ids_are_unique_over_all_banks_of_a_folder(tmp_path):
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD.replace("de-p", "other-p").replace("bank: demo", "bank: other"))
    assert [bank.id for bank in load_banks(tmp_path)] == ["demo", "other"]
    (tmp_path / "b.yml").write_text(GOOD.replace("de-p", "other-p").replace("other-p04", "de-p04"))
    (tmp_path / "c.yml").write_text("bank: x\n")
    with pytest.raises(BankError) as caught:
        load_banks(tmp_path)
    text = str(caught.value)
    line = line_of(GOOD, "- id: de-p04")
    assert re.search(rf"b\.yml:{line}: item de-p04: .*a\.yml has this id too; change", text)
    assert re.search(r"b\.yml:1: bank demo: .*a\.yml has this id too", text)
    assert "c.yml:1: bank: the field use is missing" in text


def test_find_bank_finds_practice_banks_only(tmp_path, monkeypatch):
    packaged, checkout = tmp_path / "packaged", tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "03_types.yml").write_text(GOOD)
    (checkout / "03_types_graded.yml").write_text(
        GOOD.replace("use: practice", "use: graded").replace("bank: demo", "bank: demo_graded")
    )
    (checkout / "broken.yml").write_text('bank: "\n')
    monkeypatch.setattr(items, "PACKAGED", packaged)
    monkeypatch.setattr(items, "CHECKOUT", checkout)
    assert find_bank("demo") == find_bank("03_types") == checkout / "03_types.yml"
    for name in ("demo_graded", "03_types_graded", "../03_types", "", "broken"):
        with pytest.raises(BankError, match=r"^there is no practice bank '.*'; the practice banks are: demo$"):
            find_bank(name)
    packaged.mkdir()
    (packaged / "03_types.yml").write_text(GOOD)
    assert find_bank("demo") == packaged / "03_types.yml"


def test_find_bank_without_any_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(items, "PACKAGED", tmp_path)
    monkeypatch.setattr(items, "CHECKOUT", tmp_path)
    with pytest.raises(BankError, match="none; get the course's quizzes folder back"):
        find_bank("demo")


# --- Key features: decisions with options of their own


HEAD = GOOD[: GOOD.index("- id: de-p01")]
DECISIONS = (
    HEAD
    + """\
- id: de-k01
  version: 1.0.0
  format: key_feature
  objectives: [O3.1]
  bloom: apply
  tier: must
  author: vertebra authors
  clinical_review: none
  vignette: A person of 70 has had pain in the back for two days.
  stem: Decide what is done next.
  sources: [unreferenced]
  decisions:
  - id: iddo
    text: What is done today?
    choose: 2
    options:
    - {id: idlegs, text: Look at the legs, key: true, rationale: A deficit turns days into hours and is found first.}
    - {id: idfilm, text: Take a film, key: true, rationale: A film shows the bone and is taken on the first day.}
    - {id: idwait, text: Wait a year, rationale: Nobody waits for a year with a bone that hurts.}
    - {id: idbend, text: Bend the back, harms: true, rationale: Bending loads the front and breaks it further.}
  - id: idsend
    text: Where does the person go?
    choose: 1
    options:
    - {id: idhome, text: Home, key: true, rationale: Whoever walks and is well looked after may go home.}
    - {id: idward, text: To a ward, rationale: There is no reason for a ward in this person.}
    - {id: idroom, text: To theatre, harms: true, rationale: The risks of an operation have nothing on the other side.}
"""
)


@pytest.fixture
def decisions():
    (item,) = parse_bank(DECISIONS, "demo.yml").items
    return item


def test_decisions_are_shown_with_their_options_and_no_key(decisions):
    public = decisions.public()
    assert "options" not in public
    assert public["decisions"][1] == {
        "id": "idsend",
        "text": "Where does the person go?",
        "choose": 1,
        "options": [
            {"id": "idhome", "text": "Home"},
            {"id": "idward", "text": "To a ward"},
            {"id": "idroom", "text": "To theatre"},
        ],
    }
    assert decisions.key_record() == {
        "format": "key_feature",
        "decisions": {
            "iddo": {
                "choose": 2,
                "options": ["idlegs", "idfilm", "idwait", "idbend"],
                "key": ["idlegs", "idfilm"],
                "harms": ["idbend"],
            },
            "idsend": {
                "choose": 1,
                "options": ["idhome", "idward", "idroom"],
                "key": ["idhome"],
                "harms": ["idroom"],
            },
        },
    }


def test_assigned_decisions_keep_their_order_and_say_nothing_of_the_key(decisions):
    places = Counter()
    for seed in (f"draw {number}" for number in range(300)):
        public, key, bank_ids = decisions.assigned(seed)
        text = json.dumps(public)
        assert not re.search(r"\bid[a-z]{4}\b|iddo|rationale|harm|key\"", text)
        assert [part["text"] for part in public["decisions"]] == [part.text for part in decisions.decisions]
        for shown, decision in zip(public["decisions"], decisions.decisions, strict=True):
            ids = [option["id"] for option in shown["options"]]
            assert ids == sorted(ids) == sorted(key["decisions"][shown["id"]]["options"])
            texts = {bank_ids[option["id"]]: option["text"] for option in shown["options"]}
            assert texts == {option.id: option.text for option in decision.options}
        places[ids.index(key["decisions"]["d2"]["key"][0])] += 1
        right = {name: each["key"] for name, each in key["decisions"].items()}
        translated = {bank_ids[name]: [bank_ids[new] for new in chosen] for name, chosen in right.items()}
        assert score(key, right) == score(decisions.key_record(), translated) == 1
    assert all(70 < places[place] < 130 for place in range(3)), "the key may stand anywhere"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  vignette: A person of 70 has had pain in the back for two days.\n", "", "add a vignette"),
        ("text: Home, key: true", "text: Home", "decision idsend has no key"),
        ("choose: 2", "choose: 1", "decision iddo has 2 keys and lets 1 count"),
        ("choose: 2", "choose: 4", "decision iddo lets all of its options count"),
        ("choose: 1", "choose: 0", "must be at least 1"),
        ("id: idward", "id: idwait", "option idwait is in two decisions"),
        ("id: idward", "id: idhome", "two options have the id idhome"),
        ("text: To a ward", "text: Home", "the same text as option idward"),
        ("key: true, rationale: A film", "key: true, harms: true, rationale: A film", "is a key and harms"),
        ("- id: idsend", "- id: iddo", "two decisions have the id iddo"),
        ("There is no reason for a ward in this person.", "No.", "of option idward is too short"),
        (DECISIONS[DECISIONS.index("  - id: idsend") :], "", "decisions"),
    ],
)
def test_faults_of_decisions_are_named(old, new, words):
    assert DECISIONS.count(old) == 1
    with pytest.raises(BankError, match=words) as caught:
        parse_bank(DECISIONS.replace(old, new), "demo.yml")
    assert all("item de-k01" in str(fault) for fault in caught.value.faults)


def test_a_slip_names_the_mistake_behind_it(monkeypatch):
    monkeypatch.setattr(items, "misconceptions", lambda: {"left_for_lost": "What is left is what was lost."})
    text = GOOD.replace("- value: 75\n", "- value: 75\n    misconception: left_for_lost\n")
    (slip,) = parse_bank(text, "demo.yml").item("de-p03").practice()["slips"]
    assert slip["mistake"] == "What is left is what was lost."
