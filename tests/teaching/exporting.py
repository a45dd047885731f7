"""For the tests of the exports: a quiz of every question of the course, and answers to each."""

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.items import CHECKOUT, Item, load_bank
from vertebra.teaching.assign import question
from vertebra.teaching.exports import subsets
from vertebra.teaching.key import Key, Question, right_answer

GRADED = CHECKOUT.parent / "graded"
TRIES = 12  # random answers to a question that has too many to try all


def course_items() -> list[Item]:
    """Return every question of the course, practice and graded."""
    banks = [*practice_banks(), *(load_bank(path) for path in sorted(GRADED.glob("*.yml")))]
    return [item for bank in banks for item in bank.items]


def key_of(items: list[Item], seed: str = "all") -> Key:
    """Return the key of a quiz that asks these questions, the odd ones for 1 point, the even ones for 2.5."""
    made = []
    for place, item in enumerate(items):
        public, key, names = item.assigned(seed)
        made.append(question(item, (1, 2.5)[place % 2], public, key, names))
    return Key("everything", "Everything & <more>", "0123456789abcdef", True, tuple(made))


def answers(asked: Question) -> Iterator[Any]:
    """Yield the key, and then every other answer, or some at random (the same on every run); never none at all."""
    key, draw = asked.key, random.Random(asked.bank_id)
    yield right_answer(key)
    match key["format"]:
        case "single_best_answer":
            yield from key["options"]
        case "multiple_response":
            yield from (list(ticked) for ticked in subsets(key["options"]) if ticked)
        case "numeric":
            value, tolerance = key["value"], key["tolerance"]
            yield from (slip["value"] for slip in asked.slips)
            for factor in (-3, -1.01, -1, -0.99, 0.5, 0.99, 1, 1.01, 2):
                yield value + factor * (tolerance or 1)
            yield from (draw.uniform(value - 4 * tolerance - 1, value + 4 * tolerance + 1) for _ in range(TRIES))
        case "ordering":
            yield list(reversed(key["key"]))
            yield from (draw.sample(key["key"], len(key["key"])) for _ in range(TRIES))
        case "matching":
            options = [*key["options"], None]
            yield from ({prompt: draw.choice(options) for prompt in key["key"]} for _ in range(TRIES))
        case "hotspot":
            yield from ({"region": name} for name in key["polygons"])
        case "key_feature":
            for _ in range(4 * TRIES):
                chances = draw.random()
                yield {
                    name: [option for option in each["options"] if draw.random() < chances]
                    for name, each in key["decisions"].items()
                }
        case _:
            names = [control["id"] for control in key["controls"]]
            settings = list(product(*(control["values"] for control in key["controls"])))
            for setting in settings if len(settings) <= TRIES else draw.sample(settings, TRIES):
                yield dict(zip(names, setting, strict=True))
