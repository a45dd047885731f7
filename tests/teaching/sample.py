"""A small graded bank with one question of each format, an assignment of it, and hand-ins to it.

Ids, rationales, slips, sources and the number are words that occur nowhere else, so that a scan can look for them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.small_tasks import NEEDLE_ITEM, STOP_ITEM, write_tasks
from vertebra.quiz.responses import Responses, write_responses
from vertebra.teaching.assign import Assigned

PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><rect x="10" y="10" width="20" height="20"/></svg>'
)

COMMON = """
  version: 1.0.0
  objectives: [O3.1]
  bloom: remember
  tier: must
  author: vertebra authors
  clinical_review: none
  sources: [genant1993, unreferenced]"""

BANK = f"""
bank: sample
use: graded
lesson: 03_fracture_types
title: A sample
licence: CC-BY-4.0
read: '2026-11-29'
review_by: '2028-11-29'
items:
- id: sa-best{COMMON}
  format: single_best_answer
  stem: Which shape has lost height in front <only>?
  options:
  - {{id: kzwedge, text: Wedge & co, key: true,
     rationale: "Quillfeather explains in these words that the front edge gave way."}}
  - {{id: kzburst, text: Burst, rationale: "Marzipan holds that here the back wall of the body gave way too."}}
  - {{id: kzcrush, text: Crush, rationale: "Tumbleweed says that the whole body is lower, front and back alike."}}
- id: sa-many{COMMON}
  format: multiple_response
  scoring: each_option
  stem: Which of these are columns?
  options:
  - {{id: kzant, text: Anterior, key: true,
     rationale: "Butterscotch counts this as the first of the three columns there."}}
  - {{id: kzmid, text: Middle, key: true,
     rationale: "Dandelion counts this as the second of the three columns there."}}
  - {{id: kzlat, text: Lateral, rationale: "Gingerbread knows of no such column in any of the schemes."}}
  - {{id: kztop, text: Upper, rationale: "Honeycomb knows of no such column in any of the books."}}
- id: sa-number{COMMON}
  format: numeric
  stem: How much height is lost?
  answer: {{value: 37.4519, unit: "%", tolerance: 0.5}}
  rationale: Peppermint divides the lost height by the height that was there before.
  slips: [{{value: 62.5481, rationale: "Licorice took what is left for what is lost, the usual mistake."}}]
- id: sa-order{COMMON}
  format: ordering
  scoring: all_pairs
  stem: Put the steps in order.
  steps:
  - {{id: kzfirst, text: Look, rationale: "Nutmeg begins with the eyes, before anything is touched at all."}}
  - {{id: kzsecond, text: Feel, rationale: "Saffron then lays on hands, before anything is moved at all."}}
  - {{id: kzthird, text: Move, rationale: "Cardamom moves it last, for it hurts the most of all."}}
- id: sa-match{COMMON}
  format: matching
  stem: Match the grade to the loss.
  options: [{{id: kzone, text: Grade 1}}, {{id: kztwo, text: Grade 2}}, {{id: kzthree, text: Grade 3}}]
  prompts:
  - {{id: kzmild, text: A fifth, answer: kzone,
     rationale: "Turmeric puts a fifth into the lowest of the three grades."}}
  - {{id: kzhalf, text: Half, answer: kzthree,
     rationale: "Paprika puts one half into the highest of the three grades."}}
- id: sa-spot{COMMON}
  format: hotspot
  stem: Point to the box on the left.
  image: {{src: figures/box.svg, alt: Two places on a sheet, licence: CC-BY-4.0, width: 100, height: 50}}
  regions:
  - {{id: kzleft, text: On the left, key: true, polygon: [[10, 10], [30, 10], [30, 30], [10, 30]],
     rationale: "Cinnamon sees the one box of the drawing on this side."}}
  - {{id: kzright, text: On the right, polygon: [[60, 10], [80, 10], [80, 30], [60, 30]],
     rationale: "Vanilla sees nothing at all of the drawing on this side."}}
- id: sa-needle{COMMON}{NEEDLE_ITEM}
- id: sa-stop{COMMON}{STOP_ITEM}
- id: sa-key{COMMON}
  format: key_feature
  vignette: A woman of 74 has had back pain for two days.
  stem: Decide what is done next.
  decisions:
  - id: kzlook
    text: What do you ask for?
    choose: 2
    options:
    - {{id: kzfilm, text: A film, key: true, rationale: "Bergamot wants to see the bone before anything else is said."}}
    - {{id: kzlegs, text: Strength of the legs, key: true,
       rationale: "Caraway wants to know of a deficit before the day is over."}}
    - {{id: kzdrink, text: A hot drink, misconception: kzbelief,
       rationale: "Elderflower finds that this does nothing for a broken bone."}}
    - {{id: kzbend, text: Bending over, harms: true,
       rationale: "Fennel knows that this loads the front of the body most."}}
  - id: kzsend
    text: Where does she go?
    choose: 1
    options:
    - {{id: kzhome, text: Home, key: true, rationale: "Ginger lets her walk about at home with something for pain."}}
    - {{id: kzward, text: To a ward, rationale: "Hibiscus sees no reason for a ward in somebody who can walk."}}
    - {{id: kztheatre, text: To theatre, harms: true,
       rationale: "Jasmine sees the risks of an operation and no reason for it."}}
"""
BELIEF = "Kumquat holds that warmth mends bones."

ASSIGNMENT = """quiz: sample-quiz
title: The sample quiz
bank: bank.yml
items: all
points: {sa-many: 2}
certainty: true
instructions: Answer all of them.
"""


@dataclass
class Course:
    """The sample quiz, assigned: its assignment file, the folder it was built in, and what was built."""

    file: Path
    out: Path
    built: Assigned


def write_course(folder: Path, bank: str = BANK, assignment: str = ASSIGNMENT) -> Path:
    """Write bank, its tasks and an assignment into `folder`; return the assignment file."""
    write_tasks(folder / "tasks")
    (folder / "bank.yml").write_text(bank, encoding="utf-8")
    path = folder / "quiz.yml"
    path.write_text(assignment, encoding="utf-8")
    return path


def plain(key_file: Path, variant: int = 0) -> dict[str, Any]:
    """Return one build of a key file as a key file of the first format holds it: with build and items, without seal."""
    data = json.loads(key_file.read_text(encoding="utf-8"))
    if data["format"] == "vertebra-key/1":
        return dict(data)
    head = {name: data[name] for name in ("quiz", "title", "certainty")}
    return {"format": "vertebra-key/1", **head, **data["variants"][variant]}


def neutral(key_file: Path, variant: int = 0) -> dict[str, Any]:
    """Return {bank id of the question: its record in the key file}."""
    return {item["bank_id"]: item for item in plain(key_file, variant)["items"]}


def by_text(record: dict[str, Any], group: str, text: str) -> str:
    """Return the neutral id of the option, step, prompt or region with this text."""
    found: str = next(part["id"] for part in record["public"][group] if part["text"] == text)
    return found


def decided(record: dict[str, Any], *chosen: list[str]) -> dict[str, list[str]]:
    """Return the answer to a key feature that chooses these texts, a list for each decision."""
    answer = {}
    for decision, texts in zip(record["public"]["decisions"], chosen, strict=True):
        answer[decision["id"]] = [option["id"] for option in decision["options"] if option["text"] in texts]
    return answer


def hand_in(
    path: Path, key_file: Path, student: str, answers: dict[str, Any], saved: str = "2026-11-21T10:05Z", **changes: Any
) -> Path:
    """Write a responses file as the quiz would; `answers` are whole responses {"answer", "certainty"}."""
    key = plain(key_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {"quiz": key["quiz"], "build": key["build"], "answers": answers, "student": student, "saved": saved}
    write_responses(path, Responses(**(fields | changes)))
    return path


SMALL_BANK = """
bank: small
use: graded
lesson: 03_fracture_types
title: Small
licence: CC-BY-4.0
read: '2026-11-29'
review_by: '2028-11-29'
items:
- id: sm-1
  version: 1.0.0
  format: numeric
  objectives: [O3.2]
  bloom: remember
  tier: must
  author: vertebra authors
  clinical_review: none
  stem: How many vertebrae has the lumbar spine?
  sources: [unreferenced]
  answer: {value: 5, unit: ""}
  rationale: The lumbar spine has five vertebrae in most people, and a few have six.
"""
SMALL = "quiz: small\ntitle: Small\nbank: bank.yml\nitems: all\n"


def write_small(folder: Path) -> None:
    """Write bank.yml, a bank of one question, and small.yml, its assignment."""
    (folder / "bank.yml").write_text(SMALL_BANK, encoding="utf-8")
    (folder / "small.yml").write_text(SMALL, encoding="utf-8")
