"""Flaws to put into sound questions: each rule of the linter broken in several ways.

They are written from the descriptions of the rules and from what item writers do wrong, not from the linter, so that
`mutations` measures the linter and does not echo it.
"""

import base64
import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from vertebra.quiz.blueprint import EXTENDED, objectives
from vertebra.quiz.items import APPLIED

Raw = dict[str, Any]  # a question, or a bank, as YAML reads it
Spoil = Callable[[Raw], Raw | None]  # gets a copy that it may change; None where the flaw does not fit
SpoilBanks = Callable[[list[Raw]], list[Raw]]

SBA, MR, NUM, ORD, MAT = ("single_best_answer", "multiple_response", "numeric", "ordering", "matching")
HOT, KF = "hotspot", "key_feature"
CHOICE = (SBA, MR, KF)
ANY = (SBA, MR, NUM, ORD, MAT, HOT, KF, "needle_path", "stop_decision")


@dataclass(frozen=True)
class Flaw:
    """One way to break a rule in one question of these formats."""

    rule: str
    way: str
    formats: tuple[str, ...]
    spoil: Spoil

    def into(self, item: Raw) -> Raw | None:
        """Return a copy of the question with the flaw, None where it does not fit."""
        if item["format"] not in self.formats:
            return None
        spoilt = self.spoil(copy.deepcopy(item))
        return None if spoilt == item else spoilt


@dataclass(frozen=True)
class BankFlaw:
    """One way to break a rule that is asked of banks together: of the whole course, or of any three."""

    rule: str
    way: str
    spoil: SpoilBanks
    whole: bool = True

    def into(self, banks: Sequence[Raw]) -> list[Raw]:
        """Return a copy of the banks with the flaw."""
        return self.spoil(copy.deepcopy(list(banks)))


# --- Ways to change a question ----------------------------------------------------------------------------------------


def options(item: Raw) -> list[Raw]:
    """Return the options, of a key-feature case those of its first decision."""
    return list(item["decisions"][0]["options"] if item["format"] == KF else item.get("options", ()))


def wrong(item: Raw) -> list[Raw]:
    """Return the wrong options."""
    return [option for option in options(item) if not option.get("key")]


def key(item: Raw) -> Raw:
    """Return the first right option."""
    return next(option for option in options(item) if option.get("key"))


def put(field: str, value: Any) -> Spoil:
    """Give a field this value."""
    return lambda item: item | {field: copy.deepcopy(value)}  # shared lists would be written as aliases


def drop(field: str) -> Spoil:
    """Leave a field out, where there is one."""
    return lambda item: {name: value for name, value in item.items() if name != field} if field in item else None


def stem(text: str) -> Spoil:
    """Change the stem; {stem} is what it was, {rest} the same without its first capital and its last mark."""

    def spoil(item: Raw) -> Raw:
        was = item["stem"]
        return item | {"stem": text.format(stem=was, rest=was[0].lower() + was[1:-1])}

    return spoil


def vignette(text: str) -> Spoil:
    """Change the vignette; {was} is what it was."""
    return lambda item: item | {"vignette": text.format(was=item["vignette"])} if "vignette" in item else None


def last_wrong(text: str) -> Spoil:
    """Change the last wrong option; {was} is what it was, {lower} the same with a small first letter."""

    def spoil(item: Raw) -> Raw:
        part = wrong(item)[-1]
        part["text"] = text.format(was=part["text"], lower=part["text"][0].lower() + part["text"][1:])
        return item

    return spoil


def right(text: str) -> Spoil:
    """Change the first right option; {was} is what it was, {lower} the same with a small first letter."""

    def spoil(item: Raw) -> Raw:
        part = key(item)
        part["text"] = text.format(was=part["text"], lower=part["text"][0].lower() + part["text"][1:])
        return item

    return spoil


def texts(right_text: str | None, *wrong_texts: str) -> Spoil:
    """Give the first right option (None leaves it) and the wrong ones these texts, as far as there are options."""

    def spoil(item: Raw) -> Raw:
        key(item)["text"] = right_text or key(item)["text"]
        for option, text in zip(wrong(item), wrong_texts, strict=False):
            option["text"] = text
        return item

    return spoil


def both(first: Spoil, second: Spoil) -> Spoil:
    """Do one after the other."""

    def spoil(item: Raw) -> Raw | None:
        done = first(item)
        return None if done is None else second(done)

    return spoil


def picture(field: str, value: str | None) -> Spoil:
    """Give a field of the picture this value, or leave it out."""

    def spoil(item: Raw) -> Raw | None:
        if field not in item.get("image", ()):
            return None
        kept = {name: old for name, old in item["image"].items() if name != field}
        return item | {"image": kept if value is None else kept | {field: value}}

    return spoil


def words(text: str) -> list[str]:
    """Return the words of five letters or more, in small letters."""
    return re.findall(r"[a-z]{5,}", text.lower())


def parts_with_rationale(item: Raw) -> list[Raw]:
    """Return what carries a rationale, wrong options last."""
    parts = [*item.get("steps", ()), *item.get("prompts", ()), *item.get("regions", ()), *item.get("bands", ())]
    if item["format"] in CHOICE:
        parts += sorted(options(item), key=lambda option: not option.get("key"))
    return parts or [item]


def rationale(text: str | None) -> Spoil:
    """Give the last part that has a rationale this one, or none."""

    def spoil(item: Raw) -> Raw | None:
        part = parts_with_rationale(item)[-1]
        if "rationale" not in part:
            return None
        del part["rationale"]
        if text is not None:
            part["rationale"] = text
        return item

    return spoil


def rekey(keys: Callable[[int, int], bool]) -> Spoil:
    """Make those options (or regions) right for which keys(place, how many there are) holds."""

    def spoil(item: Raw) -> Raw:
        parts = item["regions"] if item["format"] == HOT else options(item)
        for i, part in enumerate(parts):
            part.pop("misconception", None)
            part["key"] = keys(i, len(parts))
        return item

    return spoil


def applied(spoil: Spoil) -> Spoil:
    """Spoil only questions from the level `apply` on that have a vignette."""
    return lambda item: spoil(item) if item["bloom"] in APPLIED and "vignette" in item else None


def enough(spoil: Spoil, least: int = 3) -> Spoil:
    """Spoil only questions with as many options, of which one is right and the rest are wrong."""
    return lambda item: (
        spoil(item) if len(options(item)) >= least and len(wrong(item)) == len(options(item)) - 1 else None
    )


# --- The flaws of one question ----------------------------------------------------------------------------------------

LONG_VIGNETTE = (
    " She lives on the second floor of a house that her grandfather built, keeps two cats and a canary, reads the "
    "paper every morning, sings in a choir on Thursdays and goes to the market on Saturdays, where she sells jam "
    "and has done so for thirty years. Her son rings on Sundays; her daughter, who has three sons, comes for a week "
    "every summer and for a few days at Christmas. She used to swim a good deal, mostly in the lake, gave it up when "
    "the bus no longer went there, and has taken up gardening again since a neighbour offered her the use of a plot "
    "behind the church, where she grows beans, lettuce, potatoes and far more courgettes than anybody could eat."
)
RUN_ON = (
    "Given that the pain began when the bag was lifted, and that it has since moved a little to the left side, "
    "which the neighbours noticed too when they came by on the following day with soup, bread and some advice of "
    "their own, {rest}?"
)
NESTED = (
    "When one considers everything that has been found so far, including what the family, who came along and stayed "
    "for the whole visit, reported of the weeks before, and what the nurse wrote down on the first and on the second "
    "evening of her stay, {rest}?"
)
HARD_WORDS = (
    "Considering the multifactorial pathophysiological interrelationships underlying osteoporotic vertebral fragility, "
    "notwithstanding incompletely characterised biomechanical heterogeneity, {rest}?"
)


MORE_HARD_WORDS = (
    "Notwithstanding unsatisfactory radiological characterisation of intravertebral vacuum phenomena, and presupposing "
    "interdisciplinary deliberation, {rest}?"
)

ABSOLUTE = re.compile(r"\b(all|always|never|only|every|nobody|nothing|none|no one|must)\b", re.IGNORECASE)


def _plain_key(spoil: Spoil) -> Spoil:
    """Spoil only questions whose right options say nothing absolute themselves."""
    return lambda item: (
        None if any(ABSOLUTE.search(option["text"]) for option in options(item) if option.get("key")) else spoil(item)
    )


def _key_in_stem(item: Raw) -> Raw:
    return item | {"stem": f"{item['stem'][:-1]}, if {key(item)['text']} is an option?"}


# Neither function words nor what every question of the course is about is a clue.
FUNCTION = frozenset(
    words(
        "which would should could these those there their where within about after before since until other without "
        "another between through under above below first least lowest highest vertebra vertebrae vertebral patient "
        "fracture fractures"
    )
)


def _stem_word_into_key(item: Raw) -> Raw | None:
    others = " ".join(option["text"] for option in wrong(item)).lower()
    found = [word for word in words(item["stem"]) if word[:5] not in others and word not in FUNCTION]
    if not found:
        return None
    key(item)["text"] += f", the {max(found, key=len)}"
    return item


def _key_word_into_stem(item: Raw) -> Raw | None:
    others = " ".join(option["text"] for option in wrong(item)).lower()
    found = [
        word for word in words(key(item)["text"]) if word[:5] not in others and word[:5] not in item["stem"].lower()
    ]
    found = [word for word in found if word not in FUNCTION]
    if not found:
        return None
    return item | {"stem": f"Thinking of {max(found, key=len)}, {item['stem'][0].lower()}{item['stem'][1:]}"}


def _word_in_both(in_stem: str, in_key: str) -> Spoil:
    def spoil(item: Raw) -> Raw:
        key(item)["text"] += f" ({in_key})"
        return item | {"stem": f"{item['stem'][:-1]} in this {in_stem} body?"}

    return spoil


def _blind_order(item: Raw) -> Raw:
    item["options"] = sorted(item["options"], key=lambda option: str(option["text"]).lower(), reverse=True)
    return item | {"shuffle": False}


def _fixed(*shown: str) -> Spoil:
    def spoil(item: Raw) -> Raw:
        for option, text in zip(item["options"], shown, strict=False):
            option["text"] = text
        return item | {"shuffle": False}

    return spoil


def _halves_of_key(item: Raw) -> Raw | None:
    spoken = key(item)["text"].split()
    if len(spoken) < 4:
        return None
    middle = len(spoken) // 2
    head, tail = " ".join(spoken[:middle]), " ".join(spoken[middle:])
    return texts(None, f"{head} or nothing more", f"Nothing but {tail}", "Watchful waiting")(item)


def _no_misconception(item: Raw) -> Raw | None:
    named = [part for part in [*wrong(item), *item.get("regions", ())] if "misconception" in part]
    if not named:
        return None
    del named[-1]["misconception"]
    return item


def _computed(change: Callable[[Raw], Raw | None]) -> Spoil:
    return lambda item: change(item) if "computed" in item else None


def _other_value(factor: float) -> Spoil:
    def spoil(item: Raw) -> Raw | None:
        answer = item.get("answer")
        if not answer or not answer["value"]:
            return None
        value = answer["value"] * factor + (1 if factor > 1 else -1) * 3 * (answer.get("tolerance", 0) or 0)
        whole = isinstance(answer["value"], int) and not answer.get("tolerance")
        return item | {"answer": answer | {"value": round(value) if whole else round(value, 3)}, "slips": []}

    return spoil


def _other_key(item: Raw) -> Raw | None:
    if item["format"] != SBA:
        return None
    old, new = key(item), wrong(item)[0]
    new["key"] = True
    new.pop("misconception", None)
    del old["key"]
    return item


def _alt(text: str) -> Spoil:
    """Let the alternative text say the key; {was} is what it was, {key} the right answer."""

    def spoil(item: Raw) -> Raw | None:
        if "image" not in item:
            return None
        parts = item.get("regions") or options(item)
        answers = [part["text"] for part in parts if part.get("key")]
        if not answers or re.search(r"\b[A-Z]$", answers[0]):  # none, or a label that the picture must bear
            return None
        alt = text.format(was=item["image"]["alt"].rstrip("."), key=answers[0][0].lower() + answers[0][1:])
        return item | {"image": item["image"] | {"alt": alt}}

    return spoil


def _hidden(where: str, text: str) -> Spoil:
    """Hide the key in a field that students are sent; {key} is its text, {id} its id, {code} its text in base64."""

    def spoil(item: Raw) -> Raw | None:
        if where not in item:
            return None
        part = key(item)
        code = base64.b64encode(part["text"].encode()).decode()
        return item | {where: f"{item[where]}{text.format(key=part['text'], id=part['id'], code=code)}"}

    return both(spoil, lambda item: item | {"stem": _closed(item["stem"])})


def _closed(text: str) -> str:
    return text if text.endswith("?") else f"{text}?"


def _telling_id(name: str) -> Spoil:
    def spoil(item: Raw) -> Raw:
        key(item)["id"] = name
        return item

    return spoil


def _reviewed(stated: str, key_text: str, why: str) -> Spoil:
    """Say that a question on safety was reviewed as stated, and make its key touch on safety."""

    def spoil(item: Raw) -> Raw:
        part = key(item)
        part["text"], part["rationale"] = key_text, why
        return item | {"clinical_review": stated}

    return spoil


def _too_few(spoken: str, stated: str) -> Spoil:
    return _reviewed(stated, spoken, f"{spoken}: this cannot wait, as harm that has been done is seldom undone later.")


def _ways(rule: str, formats: tuple[str, ...], ways: Mapping[str, Spoil]) -> Iterator[Flaw]:
    return (Flaw(rule, way, formats, spoil) for way, spoil in ways.items())


ASKS = (SBA, MR, NUM)
ONE_REVIEW = "A. Example, spine surgeon, 2026-05-04"

FLAWS: tuple[Flaw, ...] = (
    *_ways(
        "L01",
        ANY,
        {
            "a version of two numbers": put("version", "1.0"),
            "a version in words": put("version", "second edition"),
            "nobody wrote it": drop("author"),
            "no word on clinical review": drop("clinical_review"),
            "a review without a date": put("clinical_review", "read by a colleague"),
            "a field that does not exist": put("difficulty_prior", 0.6),
            "a misspelt field": lambda item: {("stemm" if n == "stem" else n): v for n, v in item.items()},
            "an id in capitals with a blank": lambda item: item | {"id": item["id"].upper().replace("-", " ")},
            "a number instead of the stem": put("stem", 42),
        },
    ),
    *_ways(
        "L02",
        ANY,
        {
            "no objective": put("objectives", []),
            "an objective that does not exist": put("objectives", ["O99.1"]),
            "one real and one invented objective": lambda item: item | {"objectives": [*item["objectives"], "O3.17"]},
            "an unknown level": put("bloom", "synthesise"),
            "no level": drop("bloom"),
            "an unknown tier": put("tier", "could"),
            "no tier": drop("tier"),
            "a claim that does not exist": put("claims", ["c999-999"]),
        },
    ),
    *_ways(
        "L03",
        (SBA, HOT),
        {
            "no key": rekey(lambda place, many: False),
            "two keys": rekey(lambda place, many: place < 2),
            "every option a key": rekey(lambda place, many: True),
        },
    ),
    *_ways(
        "L03",
        (MR, KF),
        {"nothing is right": rekey(lambda place, many: False), "everything is right": rekey(lambda place, many: True)},
    ),
    *_ways(
        "L03",
        (SBA,),
        {
            "the key stands in the stem": _key_in_stem,
            "two options with one text": lambda item: last_wrong(key(item)["text"].replace("{", "").replace("}", ""))(
                item
            ),
        },
    ),
    *_ways("L03", (MAT,), {"a prompt without its option": lambda item: item | {"options": item["options"][1:]}}),
    *_ways(
        "L04",
        CHOICE,
        {
            each: last_wrong(each)
            for each in (
                "All of the above",
                "None of the above",
                "All of these",
                "None of these answers",
                "Both A and B",
                "A and C only",
                "1, 2 and 3 are correct",
                "Neither of the two above",
                "Any of the above",
                "More than one of the above",
                "All the answers are right",
                "None of the given options",
                "Options A and D",
                "Both of the former",
                "Every one of the above",
                "Two of these",
            )
        },
    ),
    *_ways(
        "L05",
        (SBA,),
        {
            each: stem(each)
            for each in (
                "Which of the following is true?",
                "Which statement is correct?",
                "Which of these statements about the spine is right?",
                "Which one of the following statements is accurate?",
                "What is true of a vertebral fracture?",
                "The most likely diagnosis is:",
                "Vertebral fractures are treated",
                "Discuss the next step for this patient.",
                "The best first test would be ...",
                "Which of the options below is true?",
                "Which assertion is correct?",
                "Cement is best put in when it is",
                "Tell how this fracture is treated.",
                "Which of the following is a true statement?",
            )
        },
    ),
    *_ways(
        "L05",
        (MR, NUM),
        {"an unfinished sentence": stem("The answer to this question is"), "a heading": stem("Height loss.")},
    ),
    *_ways(
        "L06",
        (SBA, MR),
        {
            each: stem(each)
            for each in (
                "Which of these is not the most appropriate next step?",
                "All of the following are suitable next steps except which one?",
                "Which is the least appropriate next test?",
                "Which investigation would you not order first?",
                "Which finding doesn't support this diagnosis?",
                "Which of these diagnoses is the least likely?",
                "Which treatment should never be the first choice?",
                "Which explanation is incorrect?",
                "Which of the following treatments is false?",
                "Which test cannot explain this pain?",
                "Which next step is inappropriate?",
                "Which test is of no use here?",
                "Apart from which one are all of these sensible next steps?",
                "Which drug isn't advised first?",
                "Which step would be wrong?",
                "Which finding is unlikely?",
            )
        },
    ),
    *_ways(
        "L07",
        (SBA,),
        {
            each: stem(each)
            for each in (
                "Which of the following applies best?",
                "What would you say?",
                "Which one fits best?",
                "Which of these is best?",
                "What comes to mind first here?",
                "Which is the most fitting of the four?",
                "Which of these is right for her?",
                "What do you think?",
                "Which option would you choose?",
                "What is best here?",
                "Which answer is best?",
            )
        },
    ),
    *_ways(
        "L08",
        (SBA,),
        {
            "no patient": applied(drop("vignette")),
            "a patient in six words": applied(put("vignette", "A 70-year-old woman has back pain.")),
            "far too long": applied(vignette("{was}" + LONG_VIGNETTE)),
            "no age": applied(
                put(
                    "vignette",
                    "A woman comes to the clinic with pain in her back that began three days ago, when she lifted a "
                    "bag of potatoes. Tapping over T12 hurts, her legs are strong and her feeling is normal.",
                )
            ),
            "neither sex nor role": applied(
                put(
                    "vignette",
                    "Somebody aged 74 comes to the clinic with pain in the back that began three days ago, after "
                    "lifting a bag of potatoes. Tapping over T12 hurts, the legs are strong, and feeling is normal.",
                )
            ),
            "neither complaint nor finding": applied(
                put(
                    "vignette",
                    "A 74-year-old woman has lived in the same town since she was a child. She likes gardening and "
                    "reading, has three grandchildren, and goes to the market with her sister on most Saturdays.",
                )
            ),
            "a text about no person": applied(
                put(
                    "vignette",
                    "The department has looked back at its films of the last ten years and has counted how many were "
                    "taken standing, how many lying, and how many were repeated because something was cut off.",
                )
            ),
        },
    ),
    *_ways(
        "L09",
        (SBA,),
        {
            "a clause with the reason": enough(
                right("{was}, as this is what her age, the course and the findings support")
            ),
            "a bracket that explains": enough(
                right("{was} (which is safe, quick, cheap and available nearly everywhere)")
            ),
            "a careful qualification": enough(
                right("{was}, provided that there is no new deficit and no sign of infection")
            ),
            "two more steps": enough(right("{was}, then a second look at the films and a talk with the patient")),
            "wrong ones of one word": enough(
                lambda item: texts(None, "Rest", "Ice", "Heat")(item) if len(key(item)["text"]) >= 12 else None
            ),
        },
    ),
    *_ways(
        "L10",
        (SBA,),
        {
            "one wrong option far longer": enough(
                last_wrong(
                    "{was}, and after that whatever else the family, the ward and the insurance may want to have done "
                    "before somebody sees the patient again in the clinic"
                )
            ),
            "a number among words": enough(last_wrong("35 mm")),
            "one word among phrases": enough(
                lambda item: (
                    last_wrong("No")(item) if min(len(option["text"]) for option in options(item)) >= 12 else None
                )
            ),
            "a clause that begins with because": enough(last_wrong("Because the bone is weak")),
            "a whole sentence with a subject": enough(
                lambda item: (
                    last_wrong("She has been to the clinic before")(item)
                    if re.search(r"\b(step|test|investigation|diagnosis|examination|plan|treatment)\b", item["stem"])
                    else None
                )
            ),
            "a question among answers": enough(last_wrong("Who has seen the films?")),
            "a date among words": enough(last_wrong("12 March")),
            "a bare figure": enough(last_wrong("7")),
            "a past tense": enough(last_wrong("Was seen last week")),
            "a clause that begins with although": enough(last_wrong("Although it was thought to be safe")),
        },
    ),
    *_ways(
        "L11",
        (SBA,),
        {
            "backwards in the alphabet": _blind_order,
            "shares out of order": enough(_fixed("30 %", "10 %", "40 %", "20 %")),
            "days out of order": enough(_fixed("Day 14", "Day 2", "Day 30", "Day 7")),
            "levels out of order": enough(_fixed("T12", "L3", "T7", "L1")),
            "weeks out of order": enough(_fixed("6 weeks", "2 weeks", "12 weeks", "4 weeks")),
            "grades out of order": enough(_fixed("Grade 2", "Grade 0", "Grade 3", "Grade 1")),
            "millimetres out of order": enough(_fixed("5 mm", "2 mm", "9 mm", "3 mm")),
        },
    ),
    *_ways(
        "L13",
        CHOICE,
        {
            each: _plain_key(last_wrong(each))
            for each in (
                "Always {lower}",
                "Never {lower}",
                "Only {lower}",
                "{was}, in all patients",
                "{was}, in every case",
                "{was}, without exception",
                "{was}, which is impossible",
                "{was}, and nothing else",
                "Invariably {lower}",
                "{was}, under no circumstances later",
                "{was}, for everybody",
                "Solely {lower}",
                "{was}, completely",
            )
        },
    ),
    *_ways(
        "L14",
        CHOICE,
        {
            each: last_wrong(each)
            for each in (
                "Usually {lower}",
                "{was}, often",
                "{was}, which may help",
                "Sometimes {lower}",
                "{was}, in most cases",
                "{was}, rarely",
                "{was}, as is frequently done",
                "Occasionally {lower}",
                "{was}, generally",
                "{was}, as a rule",
                "{was}, at times",
                "Possibly {lower}",
                "{was}, in some patients",
                "Commonly {lower}",
                "{was}, seldom",
                "{was}, now and then",
            )
        },
    ),
    *_ways(
        "L15",
        (SBA,),
        {
            "a word of the stem in the key": enough(_stem_word_into_key),
            "a word of the key in the stem": enough(_key_word_into_stem),
            "sclerotic in both": enough(_word_in_both("sclerotic", "sclerotic")),
            "kyphotic and kyphosis": enough(_word_in_both("kyphotic", "kyphosis")),
            "infected and infection": enough(_word_in_both("infected", "infection")),
            "metastatic and metastasis": enough(_word_in_both("metastatic", "metastasis")),
            "haemangioma in both": enough(_word_in_both("haemangioma", "haemangioma")),
            "collapsing and collapse": enough(_word_in_both("collapsing", "collapse")),
        },
    ),
    *_ways(
        "L16",
        (SBA,),
        {
            "two parts, each in a wrong option too": enough(
                texts("Brace and exercise", "Brace and sick leave", "Massage and exercise", "Massage and heat")
            ),
            "halves of the key": enough(_halves_of_key),
            "dose and drug": enough(
                texts(
                    "Calcium with vitamin D daily",
                    "Calcium with fluoride daily",
                    "Zinc with vitamin D weekly",
                    "Magnesium with iron monthly",
                )
            ),
            "level and side": enough(
                texts("Left pedicle of L1", "Left pedicle of L2", "Right pedicle of L1", "Right lamina of T9")
            ),
            "film and level": enough(
                texts("Standing film of T12", "Standing film of L3", "Lying film of T12", "Myelogram of the neck")
            ),
            "test and time": enough(
                texts("MRI today", "MRI next month", "Bone scan today", "Barium swallow next year")
            ),
            "two drugs": enough(
                texts("Zoledronate and calcium", "Zoledronate and codeine", "Fluoride and calcium", "Codeine and ice")
            ),
        },
    ),
    *_ways(
        "L17",
        (SBA,),
        {
            "an before a vowel": enough(
                both(
                    stem("Which diagnosis does this suggest: an ...?"),
                    texts("Endplate fracture", "Wedge fracture", "Pedicle fracture", "Burst fracture"),
                )
            ),
            "a before a consonant": enough(
                both(
                    stem("Which finding is the most likely: is it a ...?"),
                    texts("Wedge fracture", "Infected disc", "Epidural abscess", "Old haematoma"),
                )
            ),
            "a plural key among singulars": enough(
                both(
                    stem("Which tests are the most appropriate next step?"),
                    texts("Standing films", "A bone scan", "A blood count", "A myelogram"),
                )
            ),
            "a singular key among plurals": enough(
                both(
                    stem("Which finding is the most important one?"),
                    texts("A numb saddle", "Tender muscles", "Cold feet", "Stiff shoulders"),
                )
            ),
            "an before a vowel, again": enough(
                both(
                    stem("Is this best called an ...?"),
                    texts("Unstable burst", "Stable burst", "Wedge", "Chance fracture"),
                )
            ),
            "several measures are asked for": enough(
                both(
                    stem("Which measures help her most?"),
                    texts("Walks and strength exercises", "A corset", "A hot bath", "A massage"),
                )
            ),
            "these": enough(
                both(
                    stem("What are these findings?"),
                    texts("Signs of cord compression", "A muscle strain", "A shingles attack", "A kidney stone"),
                )
            ),
        },
    ),
    *_ways(
        "L18",
        (SBA,),
        {
            f"{a} and {b}": enough(texts(a, b))
            for a, b in (
                ("The pressure increases", "The pressure decreases"),
                ("Higher load on the disc", "Lower load on the disc"),
                ("Less pain after a year", "More pain after a year"),
                ("Cement before the balloon", "Cement after the balloon"),
                ("A stable fracture of L1", "An unstable fracture of L1"),
                ("The wall is intact", "The wall is broken"),
                ("Flexion of the spine", "Extension of the spine"),
                ("Stop the drug", "Continue the drug"),
                ("A benign fracture", "A malignant fracture"),
                ("The risk rises", "The risk falls"),
                ("The load doubles", "The load halves"),
                ("Wider canal", "Narrower canal"),
                ("A fresh fracture", "An old fracture"),
                ("With contrast", "Without contrast"),
                ("A bright band on STIR", "A dark band on STIR"),
                ("Standing up eases it", "Standing up worsens it"),
                ("A thick cement", "A thin cement"),
                ("A left-sided lesion", "A right-sided lesion"),
            )
        },
    ),
    *_ways(
        "L19",
        (SBA,),
        {
            "ends that meet": enough(texts("20 to 30 %", "10 to 20 %", "30 to 40 %", "40 to 50 %")),
            "ranges that cross": enough(texts("15-25 %", "5-16 %", "26-40 %", "41-60 %")),
            "a range within another": enough(texts("2 to 10 mL", "4 to 6 mL", "11 to 15 mL", "16 to 20 mL")),
            "open ends": enough(texts("Less than 30 mm", "Less than 20 mm", "30 to 40 mm", "More than 40 mm")),
            "more than, twice": enough(texts("More than 20°", "More than 30°", "10° to 15°", "Below 10°")),
            "between": enough(
                texts("Between 4 and 8 weeks", "Between 1 and 5 weeks", "Between 9 and 12 weeks", "After 12 weeks")
            ),
            "at least, twice": enough(texts("At least 20 %", "At least 30 %", "5 to 10 %", "Below 5 %")),
            "up to, twice": enough(texts("Up to 3 mL", "Up to 5 mL", "6 to 8 mL", "Above 9 mL")),
            "ages": enough(texts("50 to 60 years", "55 to 70 years", "71 to 80 years", "81 to 90 years")),
            "with a dash": enough(texts("1–3 days", "3–7 days", "8–14 days", "15–30 days")),
        },
    ),
    *_ways(
        "L20",
        ANY,
        {
            "four words": rationale("This is not right."),
            "one word": rationale("Incorrect."),
            "no rationale": rationale(None),
        },
    ),
    *_ways(
        "L20",
        CHOICE,
        {
            "only that it is wrong": rationale("This option is incorrect and is not the right answer here."),
            "only that another is better": rationale("Wrong: one of the other options is the better answer to this."),
            "only to read again": rationale("No, that is not correct; please read the lesson once more."),
            "only to try again": rationale("That answer is false, try this question once more."),
            "only that another fits": rationale("Not the best answer; another option fits this case better."),
            "only that it is a distractor": rationale("This is a distractor and should not be chosen by anybody."),
            "no misconception": _no_misconception,
        },
    ),
    *_ways("L20", (HOT,), {"no misconception": _no_misconception}),
    *_ways(
        "L21",
        ANY,
        {
            "no sources": drop("sources"),
            "an empty list of sources": put("sources", []),
            "an invented source": put("sources", ["smith2099"]),
            "a source twice": put("sources", ["unreferenced", "unreferenced"]),
            "an address as the source": put("sources", ["https://example.org/spine"]),
        },
    ),
    *_ways(
        "L22",
        ASKS,
        {
            "a sentence of fifty words": stem(RUN_ON),
            "words of many syllables": stem(HARD_WORDS),
            "an abbreviation nobody knows": stem("By the XQVT, {rest}?"),
            "another with a verb": stem("After PZRK was given, {rest}?"),
            "a third with figures": stem("As the VKQ5 is raised, {rest}?"),
            "a fourth in a condition": stem("If the WJK is high, {rest}?"),
            "a fifth as a treatment": stem("In a patient on QTNB, {rest}?"),
            "clauses within clauses": stem(NESTED),
            "other words of many syllables": stem(MORE_HARD_WORDS),
        },
    ),
    *_ways(
        "L24",
        ANY,
        {
            each: stem(each)
            for each in (
                "As in the question above, {rest}?",
                "Given your answer to the previous question, {rest}?",
                "For the patient of question 3, {rest}?",
                "Using the number that you found in the last item, {rest}?",
                "With the diagnosis you made in the question before, {rest}?",
                "As you chose in the preceding question, {rest}?",
                "For the next question too, {rest}?",
                "For the same patient as before, {rest}?",
                "Building on your last answer, {rest}?",
                "Referring to question 12, {rest}?",
                "If you answered the item above correctly, {rest}?",
                "Continuing with the case of the previous item, {rest}?",
            )
        },
    ),
    *_ways(
        "L25",
        (SBA, NUM),
        {
            "a third too high": _computed(_other_value(1.34)),
            "half of it": _computed(_other_value(0.5)),
            "ten times as much": _computed(_other_value(10.0)),
            "another option is the key": _computed(_other_key),
            "a calculator that does not exist": _computed(put("computed", {"by": "guess_it", "with": {"x": 1}})),
            "facts that the calculator does not take": _computed(
                lambda item: item | {"computed": item["computed"] | {"with": {"colour": "blue"}}}
            ),
        },
    ),
    *_ways("L25", (NUM,), {"nothing finds the number anew": drop("computed")}),
    *_ways(
        "L26",
        ANY,
        {
            "no alternative text": picture("alt", None),
            "an empty one": picture("alt", ""),
            "one word": picture("alt", "Image"),
            "a file name": picture("alt", "film_03_final.png"),
            "no licence": picture("licence", None),
            "an empty licence": picture("licence", ""),
            "no word on whose picture it is": picture("patient", None),
            "a patient": picture("patient", "Mrs Example, born 1951"),
            "a picture that does not exist": picture("src", "figures/no_such_picture.svg"),
            "the answer at its end": _alt("{was}: {key}."),
            "the answer as a finding": _alt("Picture that shows {key}. {was}."),
            "another single word": picture("alt", "Picture"),
            "another file name": picture("alt", "figure1.svg"),
            "only that it is an image": picture("alt", "An image of the spine"),
            "the answer as a meaning": _alt("{was}, which means {key}."),
        },
    ),
    *_ways(
        "L27",
        (SBA, MR, NUM, KF),
        {
            "a trade name of denosumab": stem("Before her next Prolia injection, {rest}?"),
            "a trade name of a bisphosphonate": stem("While he takes Fosamax, {rest}?"),
            "a trade name of teriparatide": stem("After two years of Forteo, {rest}?"),
            "a trade name of a pain killer": stem("Under Voltaren for the pain, {rest}?"),
            "inches": stem("After 2 inches of height loss, {rest}?"),
            "pounds": stem("At a body weight of 120 lb, {rest}?"),
            "degrees Fahrenheit": stem("With a temperature of 101 °F, {rest}?"),
            "nanograms without the molar unit": stem("With a vitamin D of 12 ng/mL, {rest}?"),
            "milligrams per decilitre alone": stem("With a calcium of 11.2 mg/dL, {rest}?"),
            "a trade name of raloxifene": stem("On Evista for years, {rest}?"),
            "a trade name of zoledronate": stem("After Aclasta, {rest}?"),
            "a trade name of an opioid": stem("With Oxycontin at night, {rest}?"),
            "a trade name of paracetamol": stem("Given Tylenol, {rest}?"),
            "feet": stem("After a fall from 6 feet, {rest}?"),
            "creatinine in one unit": stem("With a creatinine of 2.1 mg/dL, {rest}?"),
            "glucose in one unit": stem("With a glucose of 180 mg/dL, {rest}?"),
        },
    ),
    *_ways(
        "L28",
        ANY,
        {
            "hysterical": vignette("{was} The ward calls her hysterical."),
            "drug seeker": vignette("{was} He seems to be a drug seeker."),
            "skin colour": vignette("{was} The patient is Black."),
            "origin": vignette("{was} She is of Asian descent."),
            "a typical housewife": vignette("{was} She is a typical housewife and worries a lot."),
            "a sweet old lady": vignette("{was} She is a sweet little old lady."),
            "faith": vignette("{was} He is a Muslim immigrant."),
            "obese and lazy": vignette("{was} He is fat and lazy."),
            "a people": vignette("{was} He is a Gypsy."),
            "race": vignette("{was} She is a Caucasian."),
            "women exaggerate": vignette("{was} Like most women she exaggerates her pain."),
            "a continent": vignette("{was} The patient is of African origin."),
            "a lazy pensioner": vignette("{was} He is a lazy pensioner."),
            "a nagging wife": vignette("{was} She is a nagging wife."),
            "whom he loves": vignette("{was} He is gay."),
        },
    ),
    *_ways(
        "L29",
        ANY,
        {
            "the osteoporotic woman": vignette("{was} This osteoporotic woman lives alone."),
            "failed treatment": vignette("{was} She failed conservative treatment."),
            "an alcoholic": vignette("{was} Her husband says that she is an alcoholic."),
            "a diabetic": vignette("{was} He is a diabetic."),
            "wheelchair-bound": vignette("{was} Since then he has been wheelchair-bound."),
            "non-compliant": vignette("{was} She has been non-compliant with her tablets."),
            "suffers from": vignette("{was} He suffers from gout."),
            "an addict": vignette("{was} In his youth he was an addict."),
            "demented": vignette("{was} The demented patient does not remember a fall."),
            "an epileptic": vignette("{was} He is an epileptic."),
            "a schizophrenic": vignette("{was} She is a schizophrenic."),
            "a drug abuser": vignette("{was} He was a drug abuser."),
            "confined to a wheelchair": vignette("{was} She is confined to a wheelchair."),
            "difficult": vignette("{was} He refused treatment again and is difficult."),
            "an asthmatic": vignette("{was} She is a known asthmatic."),
            "a cripple": vignette("{was} The cripple was brought in by her son."),
            "a victim": vignette("{was} He is a victim of osteoporosis."),
        },
    ),
    *_ways(
        "L30",
        (SBA,),
        {
            "denosumab, one reviewer": _too_few("Stop denosumab and begin zoledronate", ONE_REVIEW),
            "a new deficit, one reviewer": _too_few("MRI today for the new neurological deficit", ONE_REVIEW),
            "infection, one reviewer": _too_few("Blood cultures first: infection forbids cement", ONE_REVIEW),
            "cauda equina, the same reviewer twice": _too_few(
                "Decompression for cauda equina syndrome", f"{ONE_REVIEW}; A. Example, spine surgeon, 2026-06-01"
            ),
            "denosumab, no clinician": _too_few(
                "Give denosumab on the day it is due",
                "B. Example, web designer, 2026-05-04; C. Example, teacher, 2026-05-04",
            ),
        },
    ),
    *_ways(
        "L31",
        (SBA, MR),
        {
            "base64 in the stem": _hidden("stem", " <!-- {code} -->"),
            "a comment in the stem": _hidden("stem", " <!-- key: {id} -->"),
            "base64 in the vignette": _hidden("vignette", " [{code}]"),
            "the answer in brackets": _hidden("vignette", " (answer: {key})"),
            "a class on the key": right("<b class='correct'>{was}</b>"),
            "an attribute on the key": right("<span data-key='true'>{was}</span>"),
            "an id that says correct": _telling_id("correct"),
            "an id that says right_answer": _telling_id("right_answer"),
            "an id that says key": _telling_id("key"),
            "base64 alone": _hidden("vignette", " {code}"),
            "the correct one": _hidden("vignette", " Correct: {key}."),
            "the solution": _hidden("stem", " (solution: {id})"),
            "an id that says right": _telling_id("right"),
            "an id that says answer": _telling_id("answer"),
        },
    ),
)


# --- The flaws of a whole bank ----------------------------------------------------------------------------------------


def _each(change: Callable[[int, Raw], None]) -> SpoilBanks:
    """Change each single best answer of all banks; the change is also given its place among them."""

    def spoil(banks: list[Raw]) -> list[Raw]:
        items = [item for bank in banks for item in bank["items"] if item["format"] == SBA]
        for place, item in enumerate(items):
            change(place, item)
        return banks

    return spoil


def _longest(share: float, added: str) -> SpoilBanks:
    """Make the key the longest option in this share of the questions, by as many of the added words as it takes."""

    def change(place: int, item: Raw) -> None:
        longest = max(len(option["text"]) for option in wrong(item))
        more = cycle(added.split())
        while place % 20 < 20 * share and len(key(item)["text"]) <= longest:
            key(item)["text"] += f" {next(more)}"

    return _each(change)


def _key_at(place_of: Callable[[int, int], int]) -> SpoilBanks:
    """Show the options as they are written, with the key at place_of(number of the question, options)."""

    def change(number: int, item: Raw) -> None:
        part = key(item)
        rest = [option for option in item["options"] if option is not part]
        rest.insert(place_of(number, len(item["options"])), part)
        item["options"], item["shuffle"] = rest, False

    return _each(change)


def _twin(change: Callable[[Raw], Raw], other_bank: bool = False) -> SpoilBanks:
    """Put a changed copy of a question, under another id, at the end of its bank or of the next one."""

    def spoil(banks: list[Raw]) -> list[Raw]:
        item = next(item for item in banks[0]["items"] if item["format"] == SBA and "vignette" in item)
        twin = change(copy.deepcopy(item)) | {"id": f"{item['id']}-twin"}
        banks[1 if other_bank else 0]["items"].append(twin)
        return banks

    return spoil


def _without(dropped: Callable[[Raw], bool]) -> SpoilBanks:
    """Take questions out of all banks, but leave each bank one."""

    def spoil(banks: list[Raw]) -> list[Raw]:
        for bank in banks:
            bank["items"] = [item for item in bank["items"] if not dropped(item)] or bank["items"][:1]
        return banks

    return spoil


def _one_short(banks: list[Raw]) -> list[Raw]:
    """Leave an objective one question fewer than it needs."""
    chosen = next(objective for objective in objectives().values() if objective.tier == "must")
    left = chosen.least - 1
    for bank in banks:
        kept = []
        for item in bank["items"]:
            about = chosen.id in item["objectives"]
            left -= about
            if not about or left >= 0:
                kept.append(item)
        bank["items"] = kept or bank["items"][:1]
    return banks


def _head(field: str, value: str) -> SpoilBanks:
    def spoil(banks: list[Raw]) -> list[Raw]:
        banks[0][field] = value
        return banks

    return spoil


def _same_id(banks: list[Raw]) -> list[Raw]:
    banks[0]["items"].append(copy.deepcopy(banks[0]["items"][0]))
    return banks


def _alias(banks: list[Raw]) -> list[Raw]:
    banks[0]["items"].append(banks[0]["items"][0])  # written as an alias, as it is one and the same
    return banks


def _same_id_elsewhere(banks: list[Raw]) -> list[Raw]:
    banks[1]["items"][0]["id"] = banks[0]["items"][0]["id"]
    return banks


def _older(item: Raw) -> Raw:
    return item | {"vignette": re.sub(r"\d\d", lambda age: str(int(age[0]) + 2), item["vignette"], count=1)}


def _turned(item: Raw) -> Raw:
    return item | {"options": item["options"][::-1]}


BANK_FLAWS: tuple[BankFlaw, ...] = (
    BankFlaw("L01", "an id twice in one bank", _same_id, whole=False),
    BankFlaw("L01", "a question twice through an alias", _alias, whole=False),
    BankFlaw("L01", "an id in two banks", _same_id_elsewhere, whole=False),
    BankFlaw("L01", "last read three years ago", _head("read", "2023-01-10"), whole=False),
    BankFlaw("L01", "the day to read it anew is past", _head("review_by", "2024-01-10"), whole=False),
    BankFlaw("L09", "the key is the longest in all", _longest(1.0, "as planned")),
    BankFlaw("L09", "the key is the longest in four of five", _longest(0.8, "in this case")),
    BankFlaw("L09", "the key is the longest in three of five", _longest(0.6, "for now")),
    BankFlaw("L12", "the key is first", _key_at(lambda number, many: 0)),
    BankFlaw("L12", "the key is last", _key_at(lambda number, many: many - 1)),
    BankFlaw("L12", "the key is second or third", _key_at(lambda number, many: 1 + number % 2)),
    BankFlaw("L12", "the key is never last", _key_at(lambda number, many: number % (many - 1))),
    BankFlaw("L23", "a copy", _twin(lambda item: item), whole=False),
    BankFlaw("L23", "a copy in another bank", _twin(lambda item: item, other_bank=True), whole=False),
    BankFlaw("L23", "a copy two years older", _twin(_older), whole=False),
    BankFlaw("L23", "a copy with its options turned round", _twin(_turned), whole=False),
    BankFlaw(
        "L23",
        "a copy with another closing word",
        _twin(lambda item: item | {"stem": f"{item['stem'][:-1]} now?"}),
        whole=False,
    ),
    BankFlaw("L32", "an objective without questions", _without(lambda item: "O4.2" in item["objectives"])),
    BankFlaw("L32", "an objective one question short", _one_short),
    BankFlaw("L32", "no ordering", _without(lambda item: item["format"] == ORD)),
    BankFlaw("L32", "no number", _without(lambda item: item["format"] == NUM)),
    BankFlaw("L32", "no patient", _without(lambda item: "O6.1" in item["objectives"] and "vignette" in item)),
    BankFlaw(
        "L32",
        "no extended matching",
        _without(lambda item: item["format"] == MAT and len(item["options"]) >= EXTENDED),
    ),
)
