"""The linter: each rule finds its flaw at its line with its mend, lets a near miss pass, and prints in three ways."""

import copy
import json
import math
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats

from validation import validates
from vertebra import assets
from vertebra.cli import main
from vertebra.quiz import items, lint_record
from vertebra.quiz.items import BankError, misconceptions, parse_bank
from vertebra.quiz.lint import RULES, Finding, examine, lint, lint_files, report, summary
from vertebra.quiz.lint_text import (
    abbreviations,
    chi_square_tail,
    grade,
    lexicons,
    near_duplicates,
    sentences,
    span,
    syllables,
    terms,
)

QUIZZES = Path(__file__).parents[2] / "quizzes"
ON = date(2027, 1, 1)
MISTAKES = sorted(misconceptions())
BASE = {
    "version": "1.0.0",
    "objectives": ["O5.1"],
    "bloom": "apply",
    "tier": "must",
    "author": "vertebra authors",
    "clinical_review": "none",
    "sources": ["acr2018", "unreferenced"],
}
VIGNETTE = (
    "A 76-year-old woman sees her family doctor. Four days ago she lifted a watering can and felt a sudden pain in her "
    "back. Tapping over T12 hurts. Power and sensation of her legs are normal."
)
OPTIONS = {
    "film": "Lateral and AP films of the spine",
    "mri": "MRI of the whole spine today",
    "dxa": "Bone density scan of the hips",
    "rest": "Review in six weeks without a test",
}
WHY = {
    "film": "Plain films tell quickly whether a bone has broken and at which level.",
    "mri": "Its urgency is misjudged, since no deficit, cancer or infection is in sight.",
    "dxa": "Density does not show whether a vertebra has collapsed this week.",
    "rest": "Waiting is tempting, but her years and the sudden start make collapse likely.",
}


def options(texts, key, first=0):
    found = []
    for i, (name, text) in enumerate(texts.items()):
        option = {"id": name, "text": text, "rationale": WHY.get(name, "Here a mechanism explains it in plain terms.")}
        found.append(option | ({"key": True} if name == key else {"misconception": MISTAKES[first + i]}))
    return found


CLEAN = {
    "bank": "lint_demo",
    "use": "practice",
    "lesson": "05_imaging",
    "title": "Demo",
    "licence": "CC-BY-4.0",
    "read": "2026-11-29",
    "review_by": "2028-11-29",
    "items": [
        {"id": "li-p01", "format": "single_best_answer"}
        | BASE
        | {"vignette": VIGNETTE, "stem": "Which investigation is the most appropriate first step?"}
        | {"claims": ["c003-020"], "options": options(OPTIONS, "film")},
        {"id": "li-p02", "format": "numeric"}
        | BASE
        | {
            "objectives": ["O3.2"],
            "stem": "The front of T11 measures 18 mm and its back 24 mm. What is the height loss, in percent?",
            "answer": {"value": 25, "unit": "%", "tolerance": 1},
            "computed": {"by": "height_loss", "with": {"height": 18, "expected": 24}},
            "rationale": "Eighteen of twenty-four is three quarters, and a quarter is what has gone.",
            "slips": [
                {
                    "value": 75,
                    "rationale": "That is what remains of the front, where the part that went is sought.",
                    "misconception": MISTAKES[20],
                }
            ],
        },
        {"id": "li-p03", "format": "hotspot"}
        | BASE
        | {
            "objectives": ["O5.2"],
            "stem": "Which place shows that the middle column has failed?",
            "image": {
                "src": "figures/hotspot_lateral_three_vertebrae.svg",
                "alt": "Side view of three bodies with discs between them, front to the left; cracks run through one.",
                "licence": "CC-BY-4.0",
                "width": 600,
                "height": 600,
                "patient": "none",
                "drawn_by": "tools/figures_imaging.py main",
            },
            "regions": [
                {
                    "id": "upper-back",
                    "text": "the upper rear corner of the central vertebra",
                    "polygon": [[240, 240], [330, 220], [330, 310]],
                    "key": True,
                    "rationale": "The fragment lies behind the line of its neighbours, so the posterior wall has gone.",
                },
                {
                    "id": "upper-front",
                    "text": "the upper front corner of the central vertebra",
                    "polygon": [[117, 245], [175, 245], [175, 291]],
                    "rationale": "A plain wedge breaks here as well, and the anterior column is all that it takes.",
                    "misconception": MISTAKES[21],
                },
            ],
        },
        {"id": "li-p04", "format": "key_feature"}
        | BASE
        | {
            "objectives": ["O4.3"],
            "vignette": "A man of 66 comes to the emergency department. His legs have been weak since this morning and "
            "he has not passed urine. Three years ago he was treated for prostate cancer. Feeling round the anus is "
            "dull.",
            "stem": "Decide what happens now.",
            "decisions": [
                {
                    "id": "test",
                    "text": "Which imaging does he need?",
                    "choose": 1,
                    "options": options(
                        {
                            "whole": "MRI of the whole column now",
                            "plain": "Films of the lumbar part now",
                            "bones": "Bone scan of the skeleton soon",
                        },
                        "whole",
                        30,
                    ),
                },
                {
                    "id": "call",
                    "text": "Whom do you telephone first?",
                    "choose": 1,
                    "options": options(
                        {
                            "surgeon": "The spine surgeon on duty",
                            "urology": "The urologist for a catheter",
                            "physio": "The physiotherapist on the ward",
                        },
                        "surgeon",
                        40,
                    ),
                },
            ],
        },
        {"id": "li-p05", "format": "matching"}
        | BASE
        | {
            "objectives": ["O3.1"],
            "bloom": "understand",
            "stem": "Which shape fits each description?",
            "options": [
                {"id": "wedge", "text": "Wedge"},
                {"id": "crush", "text": "Crush"},
                {"id": "biconcave", "text": "Biconcave"},
            ],
            "prompts": [
                {
                    "id": "one",
                    "text": "The front is low and the back stands",
                    "answer": "wedge",
                    "rationale": "Only the anterior column has given way here, which tips the body forward.",
                },
                {
                    "id": "two",
                    "text": "Both endplates have sunk",
                    "answer": "biconcave",
                    "rationale": "Rims carry more than centres do, so the middle of each plate gives way.",
                },
            ],
        },
    ],
}


def changed(*changes):
    """Return a copy of the clean bank in which each (path, value) is set; the value None removes the field."""
    bank = copy.deepcopy(CLEAN)
    for path, value in changes:
        part = bank
        *way, last = path
        for step in way:
            part = part[step]
        if value is None:
            del part[last]
        elif last == "+":
            part.append(value)
        else:
            part[last] = value
    return bank


def written(bank, folder, name="demo.yml"):
    """Write a bank with one field a line, so that the line of each is plain to see."""
    file = folder / name
    file.write_text(yaml.safe_dump(bank, sort_keys=False, width=10**6, allow_unicode=True), encoding="utf-8")
    return file


def linted(folder, *changes, on=ON, rules=RULES):
    file = written(changed(*changes), folder)
    return file, lint_files([file], on, rules=rules)


SBA, NUMBER, SPOT, CASE, MATCH = (("items", i) for i in range(5))
STEM = (*SBA, "stem")
ALT = (*SPOT, "image", "alt")


def text(i, of=SBA):
    return (*of, "options", i, "text")


def why(i, of=SBA):
    return (*of, "options", i, "rationale")


# Each: rule, changes, what the faulty line holds, what the mend says.
FLAWS = [
    ("L01", [((*SBA, "version"), "1.0")], "version: '1.0'", "correct it"),
    ("L01", [((*SBA, "author"), None)], "- id: li-p01", "add it"),
    ("L01", [((*NUMBER, "id"), "li-p01")], "- id: li-p01", "change one"),
    ("L01", [(("review_by",), "2026-12-31")], "review_by:", "then set read and review_by"),
    ("L01", [(("read",), "2024-12-01")], "read:", "then set read"),
    ("L01", [(("read",), "2026-02-30")], "read:", "such as"),
    ("L01", [((*SBA, "clinical_review"), "A. Example, geriatrician, 2024-10-01")], "clinical_review: A", "anew"),
    ("L02", [((*SBA, "objectives"), ["O5.11"])], "- O5.11", "did you mean O5.1"),
    ("L02", [((*SBA, "tier"), "should")], "tier: should", "write tier: must"),
    ("L02", [((*SBA, "bloom"), "applying")], "bloom: applying", "did you mean apply"),
    ("L02", [((*SBA, "claims"), ["c999-999"])], "- c999-999", "claims.yml"),
    (
        "L03",
        [((*SBA, "options", 1, "key"), True), ((*SBA, "options", 1, "misconception"), None)],
        "options:",
        "exactly",
    ),
    ("L03", [(STEM, "Which test comes first (hint: A is correct)?")], "hint: A", "leave it out"),
    ("L03", [(STEM, "Answer: film. Which test is the most appropriate first step?")], "Answer: film", "leave it out"),
    ("L03", [(STEM, "Which test is the most appropriate first step [film]?")], "[film]", "leave it out"),
    ("L03", [((*SBA, "vignette"), VIGNETTE + " The first option is right.")], "first option", "leave it out"),
    ("L03", [(text(0), "Lateral and AP films (correct)")], "films (correct)", "leave it out"),
    ("L03", [(text(0), "Lateral and AP films of the spine *")], "spine *", "leave it out"),
    (
        "L03",
        [(STEM, "Which test is first, if lateral and AP films of the spine are to be had?")],
        "if lateral",
        "without it",
    ),
    ("L04", [(text(3), "All of the above")], "All of the above", "judged alone"),
    ("L04", [(text(3), "None of these options")], "None of these", "judged alone"),
    ("L04", [(text(3), "Both A and B")], "Both A and B", "judged alone"),
    ("L04", [(text(3), "1, 2 and 3 only")], "1, 2 and 3", "judged alone"),
    ("L04", [(text(3), "i and iii")], "i and iii", "judged alone"),
    ("L04", [(text(3), "More than one of the listed")], "More than one", "judged alone"),
    ("L04", [(text(3), "None of them is right")], "None of them", "judged alone"),
    ("L04", [(text(3), "Any combination of these")], "Any combination", "judged alone"),
    ("L04", [(text(3), "Both MRI of the whole spine today and bone density scan of the hips")], "Both MRI", "alone"),
    ("L05", [(STEM, "Which of the following statements is true?")], "statements is true", "one thing"),
    ("L05", [(STEM, "Which is correct?")], "is correct?", "one thing"),
    ("L05", [(STEM, "Regarding films, which one of these is most accurate?")], "Regarding", "one thing"),
    ("L05", [(STEM, "What is right about films of the spine?")], "is right about", "one thing"),
    ("L05", [(STEM, "Which of these applies?")], "applies?", "one thing"),
    ("L05", [(STEM, "The most appropriate first step is:")], "step is:", "end it with ?"),
    ("L05", [(STEM, "The most appropriate first step is ___?")], "___?", "ask with which"),
    ("L05", [((*CASE, "decisions", 0, "text"), "Choose the imaging.")], "Choose the imaging", "end it with ?"),
    ("L06", [(STEM, "Which investigation is NOT appropriate?")], "is NOT", "what holds"),
    ("L06", [(STEM, "Which investigation is not appropriate?")], "is not", "what holds"),
    ("L06", [(STEM, "All are fit first steps EXCEPT which test?")], "EXCEPT", "what holds"),
    ("L06", [(STEM, "Which investigation is least appropriate?")], "is least", "what holds"),
    ("L06", [(STEM, "Which test would you never order here?")], "never order", "what holds"),
    ("L06", [(STEM, "Which first step is unsuitable?")], "unsuitable", "what holds"),
    ("L06", [(STEM, "Which test shouldn't come first?")], "shouldn't", "what holds"),
    ("L06", [(STEM, "Which of these tests does not belong to a first step?")], "does not belong", "what holds"),
    ("L07", [(STEM, "Which of the following?")], "of the following?", "name it"),
    ("L07", [(STEM, "Which one would you choose?")], "would you choose", "name it"),
    ("L07", [(STEM, "Which option is best?")], "option is best", "name it"),
    ("L07", [(STEM, "What now?")], "What now?", "name it"),
    ("L07", [(STEM, "Which of these fits best?")], "fits best", "name it"),
    ("L08", [((*SBA, "vignette"), None)], "bloom: apply", "add a vignette"),
    ("L08", [((*SBA, "vignette"), VIGNETTE.replace("76-year-old ", ""))], "vignette: A woman", "add it"),
    (
        "L08",
        [((*SBA, "vignette"), VIGNETTE.replace("woman", "person").replace("she ", "it ").replace("her ", "the "))],
        "vignette: A 76-year-old person",
        "add it",
    ),
    ("L08", [((*SBA, "vignette"), "A woman of 76 has back pain, and MRI is normal.")], "vignette:", "needs"),
    ("L08", [((*SBA, "vignette"), VIGNETTE + " She is well otherwise and eats well." * 17)], "vignette:", "leave out"),
    ("L08", [((*CASE, "vignette"), None)], "- id: li-p04", "add a vignette"),
    ("L09", [(text(0), OPTIONS["film"] + ", taken while she stands if she can")], "while she stands", "shorten it"),
    ("L10", [(text(2), "Bone")], "text: Bone", "as much"),
    ("L10", [(text(i), f"{i + 2} mm") for i in range(3)] + [(text(3), "9 %")], "text: 9 %", "one kind"),
    ("L10", [(text(3), "Because tests do not change the plan")], "text: Because", "one kind"),
    ("L10", [(text(3), "Sending her home without any test")], "text: Sending", "one kind"),
    ("L10", [(text(3), "It can wait until the next visit")], "text: It can wait", "one kind"),
    ("L10", [(text(3), "35 mg")], "text: 35 mg", "one kind"),
    ("L11", [((*SBA, "shuffle"), False)], "options:", "shuffle: false"),
    ("L11", [((*SBA, "shuffle"), False), *((text(i), t) for i, t in enumerate("DCBA"))], "options:", "order them"),
    ("L13", [(text(2), "Bone density scan in every patient")], "every patient", "absolute word"),
    ("L13", [(text(2), "Bone density scan and nothing else")], "nothing else", "absolute word"),
    ("L14", [(text(0), "Films, which usually show the break")], "usually", "number"),
    ("L14", [(STEM, "Which test is often the first step?")], "often", "number"),
    ("L15", [(STEM, "Which way to see a lateral wedge should come first?")], "text: Lateral", "another word"),
    (
        "L16",
        [
            (text(0), "Plain films with blood count"),
            (text(1), "Plain films with nerve study"),
            (text(2), "Skeletal scan with blood count"),
            (text(3), "Ultrasound of both kidneys"),
        ],
        "text: Plain films with blood",
        "share as much",
    ),
    (
        "L16",
        [(text(i), t) for i, t in enumerate(("Brace and walk", "Brace and bed", "Heat and walk", "Heat and sauna"))],
        "text: Brace and walk",
        "share as much",
    ),
    (
        "L17",
        [(STEM, "Which first step is an?"), *((text(i), t) for i, t in enumerate(("AP film", "CT slice", "MR scan")))],
        "text: CT slice",
        "fit the stem",
    ),
    (
        "L17",
        [
            (STEM, "Which first steps are best?"),
            *((text(i), t) for i, t in enumerate(("Films", "Scan", "Test", "Call"))),
        ],
        "text: Scan",
        "fit the stem",
    ),
    ("L17", [(text(1), "A MRI of the spine and a ultrasound")], "a ultrasound", "a or an"),
    (
        "L18",
        [(text(2), "Lateral and AP films without the spine"), (text(0), "Lateral and AP films with the spine")],
        "films with the spine",
        "its opposite",
    ),
    ("L18", [(text(2), "No lateral and AP films of the spine")], "text: Lateral and AP", "its opposite"),
    (
        "L19",
        [(text(i), t) for i, t in enumerate(("0 to 10 %", "10 to 20 %", "21 to 30 %", "31 to 40 %"))],
        "text: 10 to 20",
        "end below",
    ),
    (
        "L19",
        [(text(i), t) for i, t in enumerate(("less than 5 mm", "5 to 9 mm", "10 to 15 mm", "more than 12 mm"))],
        "text: more than 12",
        "end below",
    ),
    ("L20", [(why(1), "This is wrong.")], "rationale: This is wrong.", "say why"),
    (
        "L20",
        [(why(1), "This option is incorrect, because another answer is the right one here.")],
        "incorrect",
        "say why",
    ),
    ("L20", [(why(1), "Wrong: the correct answer is lateral and AP films of the spine.")], "Wrong:", "say why"),
    ("L20", [((*SBA, "options", 1, "misconception"), None)], "- id: mri", "misconceptions.yml"),
    ("L20", [((*SBA, "options", 1, "misconception"), MISTAKES[2])], f"misconception: {MISTAKES[2]}", "name another"),
    ("L20", [((*SBA, "options", 1, "misconception"), "no_such")], "misconception: no_such", "misconceptions.yml"),
    ("L20", [((*NUMBER, "slips", 0, "misconception"), None)], "value: 75", "misconceptions.yml"),
    ("L21", [((*SBA, "sources"), [])], "sources: []", "add the missing"),
    ("L21", [((*SBA, "sources"), ["acr2081"])], "- acr2081", "did you mean acr2018"),
    ("L22", [((*SBA, "vignette"), VIGNETTE + " She takes RZT.")], "vignette:", "write it out"),
    (
        "L22",
        [((*SBA, "vignette"), VIGNETTE + " She" + " and her friends" * 11 + " walk.")],
        "vignette:",
        "two sentences",
    ),
    (
        "L22",
        [
            (STEM, "Which multidisciplinary radiological investigation necessitates immediate authorisation?"),
            ((*SBA, "vignette"), None),
        ],
        "stem: Which multi",
        "shorter words",
    ),
    (
        "L24",
        [(STEM, "Given your answer to the previous question, which test comes next?")],
        "previous question",
        "say here",
    ),
    (
        "L22",
        [
            (
                STEM,
                "Considering osteoporotic pathophysiological heterogeneity and uncharacterised biomechanical "
                "interrelationships, which investigation is the most appropriate?",
            )
        ],
        "stem: Considering",
        "shorter words",
    ),
    ("L24", [((*SBA, "vignette"), VIGNETTE + " See question 4 for her films.")], "question 4", "say here"),
    (
        "L24",
        [((*SBA, "vignette"), VIGNETTE.replace("A 76", "In the patient described above, a 76"))],
        "above",
        "say here",
    ),
    ("L24", [(STEM, "Which test follows on from li-p05 as the first step?")], "li-p05 as", "say here"),
    ("L25", [((*NUMBER, "computed"), None)], "answer:", "calculator"),
    ("L25", [((*NUMBER, "answer", "value"), 30)], "computed:", ""),
    ("L26", [(ALT, "A picture")], "alt: A picture", "8 words"),
    ("L26", [(ALT, "Cracks; the upper rear corner of the central vertebra has moved.")], "alt: Cracks", "to be seen"),
    ("L26", [((*SPOT, "image", "licence"), "all rights reserved")], "licence: all", "CC-BY"),
    ("L26", [((*SPOT, "image", "patient"), None)], "image:", "data set"),
    ("L26", [((*SPOT, "image", "drawn_by"), None)], "image:", "script"),
    ("L26", [((*SPOT, "image", "src"), "figures/none.svg")], "src: figures/none", "add it"),
    ("L27", [((*SBA, "vignette"), VIGNETTE + " She takes Fosamax.")], "Fosamax", "alendronate"),
    ("L27", [((*SBA, "vignette"), VIGNETTE + " Calcium is 9.8 mg/dL.")], "9.8 mg/dL", "mmol/L"),
    ("L27", [((*SBA, "vignette"), VIGNETTE + " She is 5 feet tall.")], "5 feet", "metric"),
    ("L27", [((*SBA, "vignette"), VIGNETTE + " The gap is 5mm.")], "5mm", "space"),
    ("L28", [((*SBA, "vignette"), VIGNETTE.replace("woman", "Caucasian woman"))], "Caucasian", "leave it out"),
    (
        "L29",
        [((*SBA, "vignette"), VIGNETTE.replace("woman", "osteoporotic woman"))],
        "osteoporotic",
        "with osteoporosis",
    ),
    (
        "L29",
        [(why(3), "She failed conservative treatment, which is why a test cannot wait longer.")],
        "failed",
        "despite",
    ),
    ("L30", [((*CASE, "clinical_review"), "A. Example, spine surgeon, 2026-12-01")], "clinical_review: A", "second"),
    (
        "L30",
        [((*CASE, "clinical_review"), "A. Example, surgeon, 2026-12-01; B. Example, web designer, 2026-12-02")],
        "clinical_review: A",
        "second",
    ),
    ("L31", [((*SBA, "options", 0, "id"), "correct")], "- id: correct", "by what it is"),
    ("L31", [((*SBA, "options", 1, "id"), "wrong1")], "- id: wrong1", "by what it is"),
    ("L31", [(ALT, "Side view of three bodies in a row. dXBwZXItYmFjaw==")], "alt: Side view", "leave it out"),
    ("L31", [(STEM, f"{WHY['film']} Which investigation is the first step?")], "stem: Plain films", "leave it out"),
    ("L31", [(text(0), "<b>Lateral</b> and AP films of the spine")], "<b>", "leave it out"),
]


@pytest.mark.parametrize(("rule", "changes", "line", "mend"), FLAWS)
def test_a_flaw_is_found_at_its_line_with_its_mend(tmp_path, rule, changes, line, mend):
    file, findings = linted(tmp_path, *changes)
    found = [finding for finding in findings if finding.rule == rule]
    assert found, findings
    lines = file.read_text(encoding="utf-8").splitlines()
    assert any(line in lines[finding.line - 1] and mend in finding.mend for finding in found), found


def test_the_clean_bank_is_clean(tmp_path):
    assert linted(tmp_path)[1] == []


def test_every_rule_of_one_question_has_a_flaw_here():
    over_all = {"L12", "L16", "L23", "L32"}
    assert {rule for rule, *_ in FLAWS} | over_all == set(RULES) == {f"L{i:02}" for i in range(1, 33)}


# Each: rule, changes that come near to its flaw.
NEAR = [
    ("L01", [(("review_by",), "2027-01-01")]),
    ("L01", [((*SBA, "clinical_review"), "A. Example, geriatrician, 2025-02-01")]),
    ("L03", [(STEM, "Which answer to her is the most honest, a film today or later?")]),
    ("L03", [((*SBA, "vignette"), VIGNETTE + " A film was asked for.")]),
    ("L03", [((*SBA, "vignette"), VIGNETTE + " She takes vitamin A.")]),
    ("L04", [(text(3), "Both hips and both wrists by DXA")]),
    ("L04", [(text(3), "A review of all of her tablets")]),
    ("L04", [(text(3), "None of her tablets, and a walk")]),
    ("L05", [(STEM, "Which answer to her daughter fits best?")]),
    ("L05", [(STEM, "What is wrong with his sum of the two tests?")]),
    ("L06", [(STEM, "Which test comes first when the film does not show the cause?")]),
    ("L06", [(STEM, "In which order, from most to least urgent, which test is first?")]),
    ("L06", [(STEM, "Which treatment must NOT be given?")]),
    ("L06", [(STEM, "Which findings are reasons not to inject?")]),
    ("L07", [(STEM, "What should you do first?")]),
    ("L07", [(STEM, "Which kyphosis angle follows?")]),
    ("L08", [((*SBA, "vignette"), VIGNETTE.replace("76-year-old woman", "woman in her seventies"))]),
    ("L08", [((*SBA, "vignette"), None), ((*SBA, "bloom"), "understand")]),
    ("L09", [(text(0), OPTIONS["film"] + " now")]),
    ("L10", [(text(i), t) for i, t in enumerate(("Is it new?", "Does it hurt?", "Is it warm?", "Has it moved?"))]),
    ("L10", [(text(3), "In six weeks, a review without test")]),
    ("L10", [(text(0), "T12"), (text(1), "L1"), (text(2), "L2 and L3"), (text(3), "S1")]),
    ("L11", [((*SBA, "shuffle"), False), *((text(i), f"{10 * i} to {10 * i + 9} %") for i in range(4))]),
    ("L11", [((*SBA, "shuffle"), False), *((text(i), t) for i, t in enumerate(("T11", "T12", "L1", "L2")))]),
    ("L11", [((*SBA, "shuffle"), False), *((text(i), f"Type {t}") for i, t in enumerate(("A1", "A3", "B2", "C")))]),
    ("L16", [(text(i), t) for i, t in enumerate(("Brace, walk", "Brace, sauna", "Heat, walk", "Heat, sauna"))]),
    ("L13", [(text(0), "Films of all her vertebrae"), (text(2), "Bone density scan of all hips")]),
    ("L14", [(text(0), "Films in the first week of May")]),
    ("L15", [(STEM, "Which view of the hips or the lateral side comes first?"), (text(2), "Lateral hip density scan")]),
    ("L17", [(STEM, "Which first steps are best?"), (text(0), "Films and scans"), (text(1), "Scan of hips")]),
    ("L17", [(text(1), "A unit of blood and an X-ray, an hour")]),
    ("L18", [(text(2), "Lateral and PA films of the chest")]),
    ("L19", [(text(i), t) for i, t in enumerate(("0 to 9 %", "10 to 19 %", "20 to 30 %", "more than 30 %"))]),
    ("L19", [(text(i), t) for i, t in enumerate(("film in 2 to 3 days", "scan in 2 to 3 days", "test", "rest"))]),
    ("L20", [(why(1), "Without a deficit its urgency is misjudged, and it answers a later question.")]),
    ("L22", [((*SBA, "vignette"), VIGNETTE + " The reticulocyte zinc test (RZT) is normal, so no RZT is due.")]),
    ("L24", [((*SBA, "vignette"), VIGNETTE + " Her question is whether the pain above the pelvis will go.")]),
    ("L24", [((*SBA, "vignette"), VIGNETTE + " Two films of the same patient lie on the desk.")]),
    ("L26", [(ALT, "Side view of three bodies; corners at front and rear are drawn, in the upper and lower plates.")]),
    ("L27", [((*SBA, "vignette"), VIGNETTE + " Calcium is 2.45 mmol/L (9.8 mg/dL).")]),
    ("L27", [((*SBA, "vignette"), VIGNETTE + " She lifted 5 lb (2.3 kg).")]),
    ("L28", [((*SBA, "vignette"), VIGNETTE + " She lives alone in a flat.")]),
    ("L29", [((*SBA, "vignette"), VIGNETTE.replace("woman", "woman with osteoporosis"))]),
    (
        "L30",
        [((*CASE, "clinical_review"), "A. Example, surgeon, 2026-12-01; B. Example, radiologist, 2026-12-02")],
    ),
    ("L30", [((*MATCH, "clinical_review"), "A. Example, spine surgeon, 2026-12-01")]),
    ("L31", [((*SBA, "options", 0, "id"), "right-side"), ((*SBA, "options", 1, "id"), "left-side")]),
    ("L31", [((*SBA, "vignette"), VIGNETTE + " Her pressure is < 140/90 mmHg.")]),
]


@pytest.mark.parametrize(("rule", "changes"), NEAR)
def test_a_near_miss_is_none(tmp_path, rule, changes):
    assert [finding for finding in linted(tmp_path, *changes)[1] if finding.rule == rule] == []


# --- Rules over all banks ---------------------------------------------------------------------------------------------


def many(number, **fields):
    """Return a bank of so many questions of one key, alike but for their names."""
    template = {**CLEAN["items"][0], "isomorph_family": "alike", **fields}
    return CLEAN | {"items": [{**copy.deepcopy(template), "id": f"li-p{i:02}"} for i in range(10, 10 + number)]}


def rules_of(findings):
    return Counter(finding.rule for finding in findings)


def test_keys_that_stand_in_one_place_are_found(tmp_path):
    found = lint_files([written(many(40, shuffle=False), tmp_path)], ON, rules=["L12"])
    assert rules_of(found) == {"L12": 1}
    assert "of 4: 40, 0, 0, 0" in found[0].what
    assert lint_files([written(many(40), tmp_path)], ON, rules=["L12"]) == []
    assert lint_files([written(many(19, shuffle=False), tmp_path)], ON, rules=["L12"]) == []  # too few to tell


def test_key_places_are_those_that_practice_shows(tmp_path):
    bank = parse_bank(written(many(40), tmp_path).read_text(encoding="utf-8"), "demo.yml")
    for item in bank.items:
        shown = [option.id for option in item.practice_order()["options"]]
        assert shown == [option["id"] for option in item.practice()["options"]]


def test_keys_that_are_the_longest_too_often_are_found(tmp_path):
    bank = many(40)
    for i, item in enumerate(bank["items"]):
        item["options"][0]["text"] = "Lateral and AP films of the spine now" if i < 14 else "Lateral and AP films"
    assert lint_files([written(bank, tmp_path)], ON, rules=["L09"]) == []  # 14 of 40 is 35 %, which 1/4 + 10 % allows
    bank["items"][14]["options"][0]["text"] = "Lateral and AP films of the spine now"
    (found,) = lint_files([written(bank, tmp_path)], ON, rules=["L09"])
    assert (found.level, found.place) == ("error", "bank lint_demo")
    assert "38% of 40 choices, at most 35%" in found.what


def test_near_duplicates_are_found_unless_they_are_a_family(tmp_path):
    twins = many(2)
    assert lint_files([written(twins, tmp_path)], ON, rules=["L23"]) == []
    for item in twins["items"]:
        del item["isomorph_family"]
    (found,) = lint_files([written(twins, tmp_path)], ON, rules=["L23"])
    assert found.place == "item li-p11"
    assert "li-p10 (likeness 1.00)" in found.what


def test_banks_with_hardly_a_man_are_found(tmp_path):
    bank = many(20)
    for item in bank["items"][:5]:
        item["vignette"] = VIGNETTE.replace("woman", "man").replace("76", "81")
    file = written(bank, tmp_path)
    findings, who = examine([file], ON, rules=["L28"])
    assert (findings, str(who)) == ([], "patients: 15 women, 5 men; 76 to 81 years, median 76")
    bank["items"][0]["vignette"] = VIGNETTE
    (found,) = lint_files([written(bank, tmp_path)], ON, rules=["L28"])
    assert found.what.startswith("patients: 16 women, 4 men")
    assert "more patients be men" in found.mend


def test_an_id_in_two_files_is_found(tmp_path):
    first = written(CLEAN, tmp_path, "a.yml")
    second = written(CLEAN | {"bank": "other"}, tmp_path, "b.yml")
    found = lint_files([first, second], ON, rules=["L01"])
    assert {finding.file for finding in found} == {str(second)}
    assert rules_of(found) == {"L01": len(CLEAN["items"])}


def test_gaps_of_the_blueprint_are_found_when_the_course_is_whole(tmp_path):
    file = written(CLEAN, tmp_path)
    assert lint_files([file], ON, rules=["L32"]) == []
    assert any("O0.1" in finding.what for finding in lint_files([file], ON, whole=True, rules=["L32"]))


def test_a_safety_key_that_hides_that_nobody_reviewed_it_is_found(tmp_path, monkeypatch):
    bank = parse_bank(written(CLEAN, tmp_path).read_text(encoding="utf-8"), "demo.yml")
    assert lint([bank], ON, rules=["L30"]) == []
    monkeypatch.setattr(lint_record, "standing", lambda shown: "Teaching, not medical advice.")
    assert {finding.rule for finding in lint([bank], ON, rules=["L30"])} == {"L30"}


def test_a_student_build_that_leaks_is_found(tmp_path, monkeypatch):
    bank = parse_bank(written(CLEAN, tmp_path).read_text(encoding="utf-8"), "demo.yml")
    honest = items.Item.public
    monkeypatch.setattr(items.Item, "public", lambda item, seed=None: honest(item, seed) | {"r": item.rationales()})
    assert len(lint([bank], ON, rules=["L31"])) == len(CLEAN["items"])


# --- Reading files ----------------------------------------------------------------------------------------------------


def test_sound_questions_of_a_faulty_bank_are_linted(tmp_path):
    changes = [((*NUMBER, "answer"), None), (STEM, "Which investigation is NOT appropriate?")]
    assert rules_of(linted(tmp_path, *changes)[1]) == {"L01": 1, "L06": 1}


def test_a_file_that_is_no_yaml_is_one_finding_whatever_is_wanted(tmp_path):
    file = tmp_path / "a.yml"
    file.write_text("bank: demo\nitems: }\n", encoding="utf-8")
    (found,) = lint_files([file], ON, rules=["L09"])
    assert (found.rule, found.line) == ("L01", 2)
    with pytest.raises(BankError, match=r"none\.yml: cannot be read"):
        lint_files([tmp_path / "none.yml"], ON)


def test_banks_from_elsewhere_are_linted_with_what_reading_would_refuse(tmp_path):
    bank = parse_bank(written(CLEAN, tmp_path).read_text(encoding="utf-8"), "demo.yml")
    item = bank.items[0]
    two = replace(item, options=tuple(replace(option, key=True, misconception="") for option in item.options))
    found = lint([replace(bank, items=(two,))], ON)
    assert "L03" in rules_of(found)
    assert {finding.line for finding in found} == {item.line}


# --- Printing ---------------------------------------------------------------------------------------------------------

FINDING = Finding("a,b.yml", 3, "L09", "error", "item x-p01", "100 % is\nlong: yes", "mend it", "why")


def test_a_finding_as_text_for_github_and_as_json():
    assert str(FINDING) == "a,b.yml:3: error L09: item x-p01: 100 % is\nlong: yes; mend it (why)"
    title = "L09 the key is not longer than the rest"
    github = f"::error file=a%2Cb.yml,line=3,title={title}::item x-p01: 100 %25 is%0Along: yes; mend it (why)"
    assert report([FINDING], "github") == github
    (as_json,) = json.loads(report([FINDING], "json"))
    assert Finding(**as_json) == FINDING
    assert json.loads(report([], "json")) == []
    assert summary([FINDING, replace(FINDING, level="warning"), FINDING]) == "2 errors, 1 warning"


def test_the_command(tmp_path, capsys, monkeypatch):
    sound, poor = written(CLEAN, tmp_path, "sound.yml"), tmp_path / "poor.yml"
    poor.write_text(written(changed((STEM, "Which of the following?")), tmp_path).read_text(), encoding="utf-8")
    on = ["--on", ON.isoformat()]
    assert main(["quiz", "lint", str(sound), *on]) == 0
    people = "patients: 1 women, 1 men; 66 to 76 years, median 76"
    assert capsys.readouterr().out == f"{people}\n0 errors, 0 warnings\n"
    assert main(["quiz", "lint", str(poor), *on]) == 0  # a warning does not fail
    assert re.search(
        r"poor\.yml:\d+: warning L07: item li-p01: .*\npatients: .*\n0 errors, 1 warning\n$", capsys.readouterr().out
    )
    assert main(["quiz", "lint", str(sound), "--on", "2029-01-01", "--format", "github", "--rule", "L01"]) == 1
    assert capsys.readouterr().out.startswith("::error file=")
    assert main(["quiz", "lint", str(sound), "--rule", "L99"]) == 2
    assert "the rules are L01 to L32" in capsys.readouterr().err
    assert main(["quiz", "lint", str(tmp_path / "none.yml")]) == 2
    monkeypatch.chdir(tmp_path)
    assert main(["quiz", "lint"]) == 2
    assert "no folder quizzes here" in capsys.readouterr().err


def test_the_course_has_no_error_and_at_most_one_warning_a_question():
    """As of the day its banks were read, so that this does not begin to fail by itself when they are due anew."""
    files = sorted(file for use in ("bank", "graded") for file in (QUIZZES / use).glob("*.yml"))
    banks = [parse_bank(file.read_text(encoding="utf-8"), str(file)) for file in files]
    found = lint_files(files, max(date.fromisoformat(bank.read) for bank in banks), whole=True)
    assert [str(finding) for finding in found if finding.level == "error"] == []
    warned = Counter((finding.file, finding.place) for finding in found)
    assert [place for place, number in warned.items() if number > 1] == []


# --- Measures, against another way ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "number"),
    [("spine", 1), ("fracture", 2), ("vertebra", 3), ("kyphoplasty", 4), ("table", 2), ("treated", 2), ("moved", 1)],
)
def test_syllables(word, number):
    assert syllables(word) == number


def test_grade_by_hand():
    # 8 words, 2 sentences, 9 syllables (every other word has one, table has two).
    told = "The man fell down. He hurt the table."
    assert grade(told) == pytest.approx(0.39 * 8 / 2 + 11.8 * 9 / 8 - 15.59)
    assert grade("") == 0


def test_sentences_end_where_they_end():
    assert sentences("It is 3.5 mm. She asks: “Why?” He (at 5 p.m.) waits.") == [
        "It is 3.5 mm.",
        "She asks: “Why?”",
        "He (at 5 p.m.) waits.",
    ]


def test_abbreviations_are_words_with_two_capitals():
    assert list(abbreviations("MRIs and eGFR of Ms Smith, OF 3, HLA-B27, a Schmorl node")) == [
        "MRI",
        "eGFR",
        "OF",
        "HLA-B27",
    ]


@validates(
    "quiz.lint",
    "Tail of chi-square behind the rule on key places",
    against="SciPy",
    kind="library",
    tolerance="1e-9 of the value",
)
@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 12])
@pytest.mark.parametrize("statistic", [0.0, 0.5, 3.84, 11.3, 40.0])
def test_the_tail_of_chi_square_against_scipy(statistic, freedom):
    assert chi_square_tail(statistic, freedom) == pytest.approx(stats.chi2.sf(statistic, freedom), rel=1e-9)


def test_likeness_against_counting_trigrams_one_by_one():
    texts = ["A wedge of T12", "A wedge of T11, old", "Kyphose µ", "a  WEDGE of T12", ""]

    def counts(said):
        said = "".join(c if re.match(r"[a-z0-9 ]", c) else "#" for c in f" {' '.join(said.lower().split())} ")
        return Counter(said[i : i + 3] for i in range(len(said) - 2))

    def cosine(a, b):
        dot = sum(a[key] * b[key] for key in a)
        return dot / math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()) or 1)

    each = [counts(said) for said in texts]
    wanted = {(i, j): cosine(each[i], each[j]) for i in range(5) for j in range(i + 1, 5)}
    found = {(i, j): alike for i, j, alike in near_duplicates(texts, 1e-6)}
    assert found.keys() == {pair for pair, alike in wanted.items() if alike > 0}
    assert all(alike == pytest.approx(wanted[pair], abs=1e-5) for pair, alike in found.items())
    assert found[0, 3] == pytest.approx(1)


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("from 7 to 45", 7, 45),
        ("between 1,000 and 2,000 people", 1000, 2000),
        ("10–20 %", 10, 20),
        ("less than 5 mm", -np.inf, 5),
        ("5 mm or more", 5, np.inf),
        ("at most 3", -np.inf, 3),
        ("about 45 %", 45, 45),
        ("−2.5", -2.5, -2.5),
    ],
)
def test_spans(said, low, high):
    found = span(said)
    assert (found.low, found.high) == (low, high)


def test_spans_share_a_number_or_do_not():
    assert span("10 to 20").overlaps(span("20 to 30"))
    assert not span("less than 20").overlaps(span("20 to 30"))
    assert span("15").overlaps(span("10 to 20"))
    assert not span("15").overlaps(span("16"))
    assert span("more than 5").overlaps(span("more than 9"))
    assert span("T12 is low") is None


def test_the_lexicons_are_words_and_no_term_stands_twice():
    for name, listed in lexicons().items():
        plain = [json.dumps(term) for term in listed]
        assert len(plain) == len(set(plain)), (name, [term for term, n in Counter(plain).items() if n > 1])
        assert listed
    assert terms("absolute").search("It is never so")[0] == "never"
    assert not terms("absolute").search("a neverland")


def test_a_lexicon_with_what_yaml_takes_for_no_text_says_so(monkeypatch):
    monkeypatch.setattr(assets, "read_yaml", lambda file: {"opposites": [["yes", False]]})
    with pytest.raises(
        assets.AssetError, match=r"lint\.yml: opposites holds False, which is no text; put it in quotes"
    ):
        lexicons.__wrapped__()
