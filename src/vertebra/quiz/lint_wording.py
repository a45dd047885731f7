"""Rules on how a question is put: lead-in, options and language (L03 to L07, L09 to L19, L22, L24, L27 to L29)."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from vertebra.quiz.items import Item
from vertebra.quiz.lint_rule import Ask, Flaw, Found, asks, explained, lead_ins, lists, of_item, quoted, seen
from vertebra.quiz.lint_text import (
    abbreviations,
    content,
    grade,
    lexicons,
    number,
    one_of,
    ordered,
    sentences,
    span,
    terms,
    words,
)
from vertebra.quiz.schema import Path

LONGER, SLACK = 1.25, 8  # a key may be longer than the others by this factor, or by so many letters
SPREAD, SHORT = 2.0, 15  # the longest option to the shortest; anything shorter counts as so many letters
GRADE = 14
SENTENCE_WORDS = 30

QUESTION_WORDS = r"(?:which|what|whose|who|whom|where|when|why|how)"


def question(text: str) -> str:
    """Return the sentence that asks: the last one of a stem."""
    return (sentences(text) or [""])[-1]


def main_clause(text: str) -> str:
    """Return the asking sentence from its question word on, without the clauses that depend on it."""
    asking = question(text)
    begins = re.search(rf"\b{QUESTION_WORDS}\b", asking, re.IGNORECASE)
    asking = asking[begins.start() :] if begins else asking
    cut = re.split(
        r"[,;:(]|\b(?:that|who|whom|whose|if|when|while|because|although|though|since|unless|as|and not|but not|rather than)\b",
        asking[6:],
        maxsplit=1,
    )
    return asking[:6] + cut[0]


# --- L03: the key is named --------------------------------------------------------------------------------------------

MARKED = re.compile(
    r"[\[({]\s*(?:the\s+)?(?:correct|right|true|key|best|answer|solution)(?:\s+(?:answer|option|choice|one))?\s*[\])}]"
    r"|(?:<-|←|<=|--)\s*(?:key|correct|right|answer)|[✓✔√☑★]|(?:^|\s)\*|\*$"
    r"|\b(?:correct|right|key|answer)\s*[:=]\s*(?:true|yes|1)\b|[-–—:]\s*(?:correct|right answer|key)\s*\W*$",
    re.IGNORECASE,
)
LABEL = r"(?:answer|option|choice|alternative|response|solution|key|letter)"


@of_item("L03")
def key_named(item: Item) -> Found:
    """No text that a student reads names the key by its id, its letter or its place, or marks it."""
    named = [(ask.options.index(key), key.id) for ask in asks(item) for key in ask.keys]
    named += [(item.regions.index(region), region.id) for region in item.regions if region.key]
    for path, text in seen(item):
        told = MARKED.search(text) if path[-1] == "text" and path[0] in ("options", "decisions", "regions") else None
        told = told or next(filter(None, (_names(text, place, name) for place, name in named)), None)
        if told:
            yield Flaw(path, f"{quoted(told[0].strip())} names the key", "leave it out")


def _names(text: str, place: int, name: str) -> re.Match[str] | None:
    return _naming(chr(ord("A") + place), name).search(text)


@cache
def _naming(letter: str, name: str) -> re.Pattern[str]:
    name = re.escape(name)
    nth = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
    order = nth[min(ord(letter) - ord("A"), len(nth) - 1)]
    place = ord(letter) - ord("A") + 1
    loose = rf"|(?<![\w-])(?-i:{name})(?![\w-])" if re.search(r"[-_]|[a-z]\d", name) else ""
    return re.compile(
        rf"\b{LABEL}s?\s*(?:is|are|was|being|would be|must be|:|=|-|–)\s*[\"'“(\[]*(?:(?-i:{letter})|{place}|{name})(?![\w-])"
        rf"|\b{LABEL}\s*[\"'“(\[]*(?-i:{letter})(?![\w-])"
        rf"|\b{LABEL}\s*[\"'“(\[]+{name}[\"'”)\]]"
        rf"|[\[(]\s*(?:{LABEL}\s*[:=]?\s*)?(?-i:{name})\s*[\])]"
        rf"|[\"'“](?-i:{name})[\"'”]"
        rf"|(?<![\w-])(?-i:{letter}|{name})\s+is\s+(?:the\s+)?(?:correct|right|key|best answer|true)\b"
        rf"|\b(?:the\s+)?{order}\s+(?:option|answer|choice|one)\s+(?:is|below|here)\b{loose}",
        re.IGNORECASE,
    )


# --- L04 to L07: the lead-in ------------------------------------------------------------------------------------------

_ONE = r"\(?(?:[A-Ha-h]|[1-8]|i{1,3}|iv|vi{0,3}|I{1,3}|IV|VI{0,3})\)?"
COMBINED = re.compile(
    rf"(?:(?:both|only|either|neither|options?|answers?|choices?|statements?)\s+)*{_ONE}"
    rf"(?:\s*(?:,|;|and|or|nor|&|\+|plus|/)+\s*{_ONE})+(?:\s+(?:only|alone|together|both|(?:are|is) \w+))?\W*"
    rf"|(?:only|just)\s+{_ONE}\W*|{_ONE}\s+(?:only|alone)\W*"
)
_OTHERS = r"(?:above|below|listed|mentioned|preceding|foregoing|previous|following|options?|answers?|choices?|statements?|alternatives?|possibilities|responses)"
_VERDICT = r"(?:equally )?(?:correct|right|true|wrong|false|appropriate|inappropriate|possible|suitable|acceptable|reasonable|needed|necessary|valid)"
REFERRING = re.compile(
    rf"\b(?:all|none|any|both|each|either|neither|some|most|two|three|several|one|more|more than one)(?: or (?:more|none))? of (?:the |these |those )?(?:\w+ )?{_OTHERS}\b"
    rf"|\b(?:all|none|both|either|neither|everything|nothing|anything)(?: of)?(?: (?:the|these|those|its))?(?: (?:two|three|four|five|other|first|last))? {_OTHERS}\b"
    rf"|^(?:all|none|both|neither|either|any|each|everything|nothing)(?: (?:of|the) (?:them|these|those|it|others|the others|the rest|the (?:two|three|four)|two|three|four))?(?: (?:is|are|apply|applies|would be|can be|seem)(?: {_VERDICT})?)?\W*$"
    rf"|\b(?:all|both|none|neither) (?:two |three |four |five )?(?:of (?:them|these|those) )?(?:are|is) {_VERDICT}\W*$"
    r"|\b(?:a|any) combination of (?:the|these|those)\b|\b(?:the|as|see) (?:options?|answers?|choices?|one|two) (?:above|below)\b"
    rf"|\b(?:both|neither|either|options?|answers?|choices?|statements?)\s+\(?(?-i:[A-H]|[1-8])\)?\s*(?:,|and|or|nor|&|\+)\s*\(?(?-i:[A-H]|[1-8])\b",
    re.IGNORECASE,
)


@of_item("L04")
def combined_options(item: Item) -> Found:
    """No option stands for others: all, none or both of them, or a combination of numbered ones."""
    for ask in asks(item):
        for option in ask.options:
            if REFERRING.search(option.text) or COMBINED.fullmatch(option.text.strip()):
                what = f"the option {quoted(option.text)} stands for others"
                yield Flaw(ask.at(option), what, "write an option that can be judged alone")


VACUOUS = r"(?:statements?|options?|answers?|sentences?|assertions?|claims?|propositions?|descriptions?|choices?|items?|alternatives?|responses?|remarks?|facts?|ones?)"
OPEN = re.compile(
    rf"\b(?:which|what)\b(?:\s+(?:one|ones))?(?:\s+of\s+(?:the\s+)?(?:following|these|those|below|above|options|answers|listed)(?:\s+\w+)?)?"
    rf"(?:\s+(?:following\s+)?{VACUOUS})?(?:\s+(?:below|above|here|listed|about|on|regarding|concerning|of|to|for)\b[^,;:?]*?)?"
    r"\s+(?:is|are|was|were|would be|can be|may be|must be|holds?|stays?)\s+(?:the\s+)?(?:most\s+|completely\s+|entirely\s+|best\s+|not\s+|more\s+)?"
    r"(?:true|correct|right|false|incorrect|wrong|untrue|accurate|inaccurate|valid|truthful)\b(?! with\b)"
    rf"|\b(?:which|what)\b(?:\s+of\s+(?:the\s+)?(?:following|these|those)(?:\s+\w+)?)?(?:\s+{VACUOUS})?\s+(?:holds?|applies|apply|hold true|can be said)\b"
    r"|\btrue or false\b|\b(?:is|are) (?:it|this|the following|these) (?:true|correct|right)\b"
    rf"|\bwhich\b(?:\s+of\s+(?:the\s+)?(?:following|these|those))?\s*{VACUOUS}?\s+(?:do|would|can) you (?:agree|support)"
    rf"|\b(?:correct|true|right|false|incorrect|wrong) (?:statements?|answers?|options?|assertions?)\b",
    re.IGNORECASE,
)


@of_item("L05")
def closed_question(item: Item) -> Found:
    """What asks is a question with a question word, and does not ask which statement is true."""
    for path, text in lead_ins(item):
        asking = question(text)
        if OPEN.search(asking):
            what = f"{quoted(asking)} asks which statement is true"
            yield Flaw(path, what, "ask for one thing, such as the next step or the best explanation")
        elif path == ("stem",) and item.format not in ("single_best_answer", "multiple_response", "numeric"):
            continue
        elif not asking.endswith("?") and path != ("stem",):
            yield Flaw(path, f"{quoted(asking)} is not a closed question", "end it with ?")
        elif not re.search(rf"\b{QUESTION_WORDS}\b", asking, re.IGNORECASE) or re.search(r"_{2,}|…|\.\.\.", asking):
            what = f"{quoted(asking)} leaves a sentence to be completed"
            yield Flaw(path, what, "ask with which, what, where, when or how")


NEGATIVE_ANYWHERE = re.compile(
    r"\bexcept(?:ing|ion)?\b|\b(?:all|each|every one|any)\b.*\b(?:but|other than|apart from|aside from|excluding|save)\b"
    r"|(?<!at )(?<!to )(?<!from )(?<!or )\bleast\s+(?!to\b)[a-z]+|(?-i:\bNOT\b|\bNEVER\b|\bNO\b|\bLEAST\b|\bFALSE\b|\bINCORRECT\b|\bUN[A-Z]+\b)",
    re.IGNORECASE,
)
NEGATIVE_MAIN = re.compile(
    r"(?<!reason )(?<!reasons )\b(?:not|never|cannot|neither|none|nor|hardly|seldom)\b|n[’']t\b"
    r"|\bno (?:longer|part|role|place|reason|indication|benefit|effect|sign|cause|feature|support|evidence)\b"
    r"|\b(?:false|incorrect|untrue|wrong|inaccurate|inappropriate|unlikely|unsuitable|inconsistent|incompatible|atypical|uncharacteristic|unhelpful"
    r"|unrelated|unsupported|invalid|improper|unnecessary|irrelevant|implausible|improbable)\b(?! with (?:his|her|their|this|the)\b)"
    r"|\bfails? to\b|\blacks? (?:any|support|evidence)\b",
    re.IGNORECASE,
)


@of_item("L06")
def negative_lead_in(item: Item) -> Found:
    """What asks does not ask for the exception, unless that is allowed and stands in capitals."""
    allowed = lexicons()["negatives_allowed"]
    for path, text in lead_ins(item):
        asking = question(text)
        if any(phrase in asking for phrase in allowed):
            continue
        negative = NEGATIVE_ANYWHERE.search(asking) or NEGATIVE_MAIN.search(main_clause(text))
        if negative:
            what = f"{quoted(asking)} asks for the exception ({negative[0]})"
            yield Flaw(path, what, "ask for what holds")


FOCUSED = re.compile(
    r"\bhow (?:many|much|often|long|soon|far|large|high|urgent\w*|likely|should|does|do|is|are|can)\b|\b(?:where|when|why|who|whose|whom)\b|\bby (?:when|how)\b"
    r"|\b(?:do|does|did|done|happen\w*|explain\w*|demand\w*|mean\w*|follow\w*|show\w*|suggest\w*|say|says|tell\w*|advise\w*|chang\w*|weaken\w*|join\w*|come\w*|belong\w*|missing|lack\w*|mention\w*|support\w*|report\w*|rais\w*|went|go|goes)\b|\b(?:answer|statement|response)s? (?:to|of|about)\b|\bto \w+\b",
    re.IGNORECASE,
)


@of_item("L07")
def covered_options(item: Item) -> Found:
    """The lead-in names what it asks for, so that it can be answered with the options covered."""
    for ask in asks(item):
        asking = question(ask.text)
        noun = re.search(r"\b(?:which|what)\s+((?:[\w-]+\s+){0,3}?[\w-]+)", asking, re.IGNORECASE)
        following = words(noun[1]) if noun else ()
        empty = terms("lead_in_empty")
        specific = bool(following) and not empty.fullmatch(following[0]) and following[0].lower() not in VERBS
        if OPEN.search(asking) or terms("lead_in").search(empty.sub("", asking)) or FOCUSED.search(asking) or specific:
            continue
        what = f"{quoted(asking)} does not say what is asked for"
        yield Flaw(ask.path, what, "name it: diagnosis, next step, test, cause, finding, risk")


VERBS = frozenset(
    "is are was were would will can could should may might must do does did has have had fits fit best most applies apply".split()
)


# --- L09 to L12: options beside each other ----------------------------------------------------------------------------


@of_item("L09")
def key_length(item: Item) -> Found:
    """The key has at most 1.25 times as many letters as the wrong options have on average."""
    for ask in asks(item):
        if not ask.keys or not ask.rest:
            continue
        key = max(ask.keys, key=lambda option: len(option.text))
        long = sum(len(option.text) for option in ask.keys) / len(ask.keys)
        usual = sum(len(option.text) for option in ask.rest) / len(ask.rest)
        if long > LONGER * usual and long - usual > SLACK:
            what = f"the key has {long:.0f} letters, the wrong options {usual:.0f} on average"
            yield Flaw(ask.at(key), what, f"shorten it to {LONGER * usual:.0f}, or say as much in the others")


@of_item("L10")
def one_kind(item: Item) -> Found:
    """Options begin alike, state numbers in one unit, and differ in length by a factor of 2 at most."""
    for ask in lists(item):
        if len(ask.options) < 2:
            continue
        lengths = [max(len(option.text), SHORT) for option in ask.options]
        if item.format != "matching" and max(lengths) > SPREAD * min(lengths):
            middle = sorted(lengths)[len(lengths) // 2]
            odd = max(range(len(lengths)), key=lambda i: max(lengths[i] / middle, middle / lengths[i]))
            what = f"options have from {min(len(o.text) for o in ask.options)} to {max(lengths)} letters"
            yield Flaw(ask.at(ask.options[odd]), what, "say about as much in each")
        for test in (_begins, _unit):
            kinds = [test(option.text) for option in ask.options]
            stray = _stray(kinds)
            if stray is not None:
                what = f"the option {quoted(ask.options[stray].text)} is {kinds[stray]}, the others are {_usual(kinds)}"
                yield Flaw(ask.at(ask.options[stray]), what, "write all of one kind")


def _stray(kinds: Sequence[str]) -> int | None:
    """Return which one differs when all others are of one kind; "" says nothing."""
    for i, kind in enumerate(kinds):
        others = {*kinds[:i], *kinds[i + 1 :]}
        if kind and len(kinds) > 2 and len(others) == 1 and others != {kind} and "" not in others:
            return i
    return None


def _usual(kinds: Sequence[str]) -> str:
    return max(set(kinds), key=kinds.count)


PRONOUNS = frozenset("i you he she it we they there".split())
FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|do|did|can|could|will|would|should|must|may|might|shows?|needs?)\b"
)
PREPOSITIONS = frozenset(
    "in on at by from to within between under over through behind before after during without with into for about".split()
)
NOT_GERUND = frozenset(
    "during thing something nothing anything everything string ring spring king wing swelling bleeding bruising imaging "
    "screening finding findings morning evening building sibling ceiling lining opening loosening coughing cutting "
    "standing lying walking sitting narrowing widening wedging scarring healing tingling".split()
)


def _begins(text: str) -> str:
    """Return the kind of an option by its first words, "a phrase" for most, "" where that is open."""
    listed = words(text)
    first = listed[0].lower() if listed else ""
    if first in ("yes", "no", "true", "false") and (len(listed) == 1 or text[len(first) :].lstrip()[:1] in ",.;:"):
        return "a yes or no"
    if first in ("because", "since") or text.lower().startswith("due to"):
        return "a reason"
    if first.endswith("ing") and len(first) > 5:
        return "" if first in NOT_GERUND else "a gerund"
    if first == "to" and len(listed) > 1:
        return "an infinitive"
    if first in PRONOUNS and len(listed) > 2:
        return "a sentence"
    if text.rstrip().endswith("?"):
        return "a question"
    if first in PREPOSITIONS or first in ("that", "who", "when", "how") or not text[0].isalnum() or FINITE.search(text):
        return ""
    return "a phrase"


def _unit(text: str) -> str:
    """Return the unit of an option that is a number, "words" for one that holds none, "" for one that holds some."""
    stated = re.fullmatch(
        r"(?:about|around|nearly|some|up to|at least|at most|less than|more than|fewer than|over|under|from|between|≥|≤|<|>|~)?\s*"
        r"[-−]?\d[\d.,]*(?:\s*(?:to|and|-|–|in|of)\s*[-−]?\d[\d.,]*)?\s*(.{0,14}?)",
        text.strip(),
        re.IGNORECASE,
    )
    if stated:
        return f"a number of {stated[1].rstrip('s').rstrip('.') or 'no unit'}"
    return "" if re.search(r"\d", text) else "words"


@of_item("L11")
def options_in_order(item: Item) -> Found:
    """Options that are not shuffled stand in the order of their numbers, of a known scale or of the alphabet."""
    for ask in lists(item):
        if item.shuffle or len(ask.options) < 3:
            continue
        texts = [option.text for option in ask.options]
        values = [_value(text) for text in texts]
        known = [_step(text) for text in texts]
        if not (
            (None not in values and ordered(values))
            or (None not in known and ordered(known))
            or ordered(text.casefold() for text in texts)
            or ordered(text.casefold() for text in texts[:-1])
            and _value(texts[-1]) is None
        ):
            yield Flaw(
                ask.place, "options are in no order and are not shuffled", "order them, or remove shuffle: false"
            )


def _value(text: str) -> float | None:
    """Return the first number of a text; of a level of the spine its place from above."""
    level = re.search(r"\b([CTLS])(\d+)\b", text)
    if level:
        return {"C": 0, "T": 7, "L": 19, "S": 24}[level[1]] + float(level[2])
    found = re.search(r"[-−]?\d[\d,]*(?:\.\d+)?", text)
    if not found:
        return None
    below = re.match(r"\s*(?:less|fewer|under|below)\b", text, re.IGNORECASE)
    return number(found[0].rstrip(",")) - (0.5 if below else 0)


def _step(text: str) -> tuple[int, int] | None:
    plain = text.casefold()
    for i, scale in enumerate(lexicons()["scales"]):
        for j, step in enumerate(scale):
            if plain.startswith(step):
                return i, j
    return None


# --- L13 to L19: cues -------------------------------------------------------------------------------------------------


@of_item("L13")
def absolute_words(item: Item) -> Found:
    """An absolute word does not stand in wrong options only."""
    for ask in asks(item):
        pattern = terms("absolute")
        if any(pattern.search(key.text) for key in ask.keys):
            continue
        found = [(option, match) for option in ask.rest if (match := pattern.search(option.text))]
        if found:
            said = ", ".join(dict.fromkeys(quoted(match[0]) for _, match in found))
            what = f"{said} stands in wrong options and not in the key"
            yield Flaw(ask.at(found[0][0]), what, "say it without the absolute word")


@of_item("L14")
def vague_words(item: Item) -> Found:
    """Neither options nor the lead-in say how often in a vague word."""
    for ask in lists(item):
        texts = [(ask.path, question(ask.text)), *((ask.at(option), option.text) for option in ask.options)]
        found = [(path, match) for path, text in texts if (match := terms("vague").search(MAY.sub("", text)))]
        if found:
            said = ", ".join(dict.fromkeys(quoted(match[0]) for _, match in found))
            yield Flaw(found[0][0], f"{said} says nothing definite", "give the number, or leave the word out")


MAY = re.compile(r"(?<=[ .])May\b")  # the month


@of_item("L15")
def echo(item: Item) -> Found:
    """No telling word of the stem comes again in the key and in no wrong option."""
    common = frozenset(word for text in lexicons()["common"] for word in content(text))
    for ask in asks(item):
        if not ask.key:
            continue
        asked = content(f"{item.vignette}\n{ask.text}", 5) - common
        told = content(ask.key.text, 5) & asked
        told -= frozenset().union(*(content(option.text, 3) for option in ask.rest))
        if told:
            what = (
                f"{', '.join(map(quoted, sorted(_spelt(ask.key.text, told))))} of the stem comes again in the key alone"
            )
            yield Flaw(ask.at(ask.key), what, "use another word, or use it in a wrong option too")


def _spelt(text: str, roots: frozenset[str]) -> list[str]:
    return [word for word in words(text) if content(word) & roots]


LENT = 0.6  # share of its own words that a key has from wrong options


@of_item("L16")
def convergence(item: Item) -> Found:
    """The key is not made of what the wrong options have one by one."""
    for ask in asks(item):
        if not ask.key or len(ask.options) < 3:
            continue
        own = {option.id: content(option.text) for option in ask.options}
        everywhere = frozenset.intersection(*own.values())
        own = {name: part - everywhere for name, part in own.items()}
        shared = {
            option.id: [own[option.id] & own[other.id] for other in ask.options if other is not option]
            for option in ask.options
        }
        score = {name: sum(map(len, parts)) for name, parts in shared.items()}
        key = score.pop(ask.key.id)
        pieces = [part for part in shared[ask.key.id] if part]
        lent = frozenset[str]().union(*pieces)
        enough = len(pieces) >= 2 and len(lent) >= 2 and len(lent) >= LENT * len(own[ask.key.id])
        if enough and key >= 2 * max(score.values()):
            what = f"the key shares {key} words with the other options, none of them shares more than {max(score.values())}"
            yield Flaw(ask.at(ask.key), what, "let a wrong option share as much")


@of_item("L17")
def grammar(item: Item) -> Found:
    """Key and wrong options fit the lead-in alike, by article and by number, and no option has the wrong article."""
    for ask in asks(item):
        for option in ask.options:
            slip = WRONG_ARTICLE.search(option.text)
            if slip:
                yield Flaw(
                    ask.at(option), f"{quoted(slip[0])} has the wrong article", "write a or an as the sound asks"
                )
        asking = question(ask.text)
        for cue, fits, most in _cues(asking):
            stray = [option for option in ask.rest if fits(option.text) is False]
            if ask.key and fits(ask.key.text) and len(stray) > most * len(ask.rest):
                what = f"the option {quoted(stray[0].text)} does not fit {quoted(cue)}, and the key does"
                yield Flaw(ask.at(stray[0]), what, "let all options fit the stem alike")
                break


WRONG_ARTICLE = re.compile(
    r"\ba (?=[aeio])(?!one\b|once\b|eu|ewe)[a-z]+\b|\ba (?=u)(?!uni|use|usu|ut|ur[aeio]|ubi)[a-z]+\b|\ban (?=[bcdfgjklmnpqrstvwxyz])[a-z]{2,}\b"
)


def _cues(asking: str) -> Iterator[tuple[str, Callable[[str], bool | None], float]]:
    """Yield (what an option has to fit, whether a text fits it or None, what share of the wrong ones may not)."""
    article = re.search(r"(?<!\()\b(an?)\b[\s_.…?:]*$", asking, re.IGNORECASE)
    if article:
        wanted = article[1].lower() == "an"
        yield article[1], lambda text: _vowel(text) == wanted, 0
    counted = re.search(
        r"\bwhich (?:one |single |other )?(?:[\w-]+ ){1,3}?(is|are|was|were|has|have|does|do)\b", asking, re.IGNORECASE
    )
    if counted:
        plural = counted[1].lower() in ("are", "were", "have", "do")
        yield counted[1], lambda text: None if _plural(text) is None else _plural(text) is plural, 0.5


def _vowel(text: str) -> bool:
    first = (words(text) or ("",))[0].lower()
    if first.isupper() and len(first) > 1 or re.match(r"(?:mri|mr|nsaid|l\d|f[a-z]{2}\b|x-)", first):
        return first[0] in "aefhilmnorsx"
    return bool(re.match(r"[aeio]|u(?!ni|s[eu]|t[ei])|hou|hon", first)) and not re.match(r"one\b|once\b|eu", first)


def _plural(text: str) -> bool | None:
    """Say whether an option begins with a plural noun; None where that is not clear."""
    head = re.split(
        r"[,;:(]|\b(?:of|in|on|at|by|from|to|with|without|behind|through|over|under|after|before|for|that|which|between)\b",
        text,
        maxsplit=1,
    )[0]
    listed = words(head)
    if not listed or len(listed) > 4 or re.search(r"\b(?:and|or)\b", head):
        return None
    last = listed[-1].lower()
    if last.endswith(("ss", "us", "is", "sis", "itis", "oedema")) or not last.isalpha():
        return None if last.endswith("s") or not last.isalpha() else False
    return last.endswith("s") or last in ("women", "men", "people", "vertebrae", "metastases")


@of_item("L18")
def lone_opposites(item: Item) -> Found:
    """The key is not one of the only two options that exclude each other."""
    for ask in asks(item):
        if not ask.key or len(ask.options) < 3:
            continue
        pairs = [
            (first, second)
            for i, first in enumerate(ask.options)
            for second in ask.options[i + 1 :]
            if _opposite(first.text, second.text)
        ]
        if len(pairs) == 1 and ask.key in pairs[0]:
            first, second = pairs[0]
            what = f"{quoted(first.text)} and {quoted(second.text)} are the only opposites, and one of them is the key"
            yield Flaw(ask.at(ask.key), what, "give another option its opposite too, or replace this one")


def _opposite(first: str, second: str) -> bool:
    """Say whether two texts differ in little else than a word and its opposite."""
    if re.search(r"\band\b", first) and re.search(r"\band\b", second):
        return False
    for word, opposite in _opposites():
        for one, other in ((first, second), (second, first)):
            if word.search(one) and opposite.search(other) and not word.search(other) and not opposite.search(one):
                rest = content(word.sub(" ", one)), content(opposite.sub(" ", other))
                shared, every = rest[0] & rest[1], rest[0] | rest[1]
                if len(shared) >= OPPOSITE * len(every):
                    return True
    return False


OPPOSITE = 0.6  # share of the other words that two opposites have in common


@cache
def _opposites() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((one_of((word,)), one_of((opposite,))) for word, opposite in lexicons()["opposites"])


@of_item("L19")
def overlapping_ranges(item: Item) -> Found:
    """No number lies in two options."""
    for ask in lists(item):
        spans = [(option, span(option.text)) for option in ask.options if re.search(r"\d", option.text)]
        for i, (option, later) in enumerate(spans):
            for other, earlier in spans[:i]:
                if later and earlier and later.about == earlier.about and later.overlaps(earlier):
                    what = f"{quoted(option.text)} overlaps {quoted(other.text)}"
                    yield Flaw(ask.at(option), what, "let one range end below where the next begins")


# --- L22, L24, L27 to L29: language -----------------------------------------------------------------------------------

LEVEL_OR_ROMAN = re.compile(r"[CTLS]\d+(?:-[CTLS]?\d+)?|[IVX]+|[A-Z]-?[a-z]+|[A-Z](?:-[A-Z0-9])+")
CAPITALS = frozenset("NOT EXCEPT NEVER AND OR ALL ONLY MUST SHOULD BEST MOST FIRST NO".split())


@of_item("L22")
def plain_text(item: Item) -> Found:
    """Vignette and stem are readable, their sentences short, and short forms are explained or known to all."""
    told = "\n\n".join(filter(None, (item.vignette, item.stem)))
    if grade(told) > GRADE:
        path: Path = ("vignette",) if item.vignette else ("stem",)
        yield Flaw(path, f"the text is of grade {grade(told):.0f}, above {GRADE}", "shorter words and sentences")
    for path, text in [(("vignette",), item.vignette), *lead_ins(item)]:
        long = max((len(words(sentence)) for sentence in sentences(text)), default=0)
        if long > SENTENCE_WORDS:
            yield Flaw(path, f"a sentence has {long} words, above {SENTENCE_WORDS}", "make two sentences of it")
    unknown = dict(_unexplained(item))
    if unknown:
        path = next(iter(unknown.values()))
        what = f"{', '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} not explained"
        yield Flaw(path, what, "write it out once, as in long form (SHORT), or add it to assets/lint.yml")


def _unexplained(item: Item) -> Iterator[tuple[str, Path]]:
    known = frozenset(lexicons()["abbreviations"])
    everything = "\n".join(text for _, text in seen(item))
    for path, text in seen(item):
        for short in abbreviations(text):
            if short in known or short in CAPITALS or LEVEL_OR_ROMAN.fullmatch(short):
                continue
            if not re.search(
                rf"\({re.escape(short)}s?[;,)]|\b{re.escape(short)}s?\s+(?:\(|stands for|means)", everything
            ):
                yield short, path


ELSEWHERE = re.compile(
    r"\b(?:previous|preceding|last|earlier|prior|next|following|foregoing|other|above|first|second) (?:question|item|case study|vignette|problem|exercise|page)s?\b(?! (?:about|whether))"
    r"|\b(?:question|item|vignette|problem|exercise)s? (?:above|before|below|earlier|number \d+|no\.? ?\d+|\d+)\b|\b(?:in|from|to|of) (?:Q|question|item) ?\d+\b"
    r"|\byour (?:previous |earlier |last |first )?(?:answer|response|choice|reply) (?:to|in|above|from|before|there)\b|\byour (?:previous|earlier|last|preceding) (?:answer|response|choice)\b"
    r"|\b(?:the )?(?:aforementioned|above|previous|above-mentioned|preceding) (?:patient|woman|man|case|person|scenario)\b"
    r"|\bsame (?:patient|woman|man|case|person|scenario) (?:as|from|in) (?:before|above|the (?:previous|last|question)|question)|(?-i:\bThe same (?:patient|woman|man) )"
    r"|\b(?:patient|woman|man|case|person|scenario) (?:from|in|of) (?:the )?(?:previous|last|preceding|earlier|question|item|above)\b"
    r"|\b(?:patient|woman|man|case|person|scenario) (?:described |mentioned |presented |seen |discussed )(?:above|before|earlier|previously)\b|\b(?:patient|woman|man|case|person|scenario) above\b"
    r"|\b(?:as|was|were) (?:you )?(?:answered|calculated|computed|found|chosen|determined|described|seen|established|stated) (?:above|before|earlier|previously|in the (?:last|previous))\b"
    r"|\b(?:continu(?:ing|es|ed) (?:from|with the)|returning to the|referring (?:back )?to (?:the )?(?:previous|question|item|last)|refer (?:back )?to|see (?:also )?(?:question|item)|building on)\b"
    r"|\b(?:based on|given|using|with) (?:the|your) (?:answer|result|diagnosis|value|number|figure) (?:above|before|from (?:the|question)|of the (?:previous|last)|you (?:gave|chose|found))\b",
    re.IGNORECASE,
)
ID = re.compile(r"\b[a-z]{2}-[a-z]\d{2}\b")


@of_item("L24")
def stands_alone(item: Item) -> Found:
    """Nothing in the question points to another question."""
    for path, text in seen(item):
        found = ELSEWHERE.search(text) or ID.search(text)
        if found:
            yield Flaw(path, f"{quoted(found[0])} points to another question", "say here what it needs")


NOT_SI, NOT_METRIC = "a pressure or force that is not SI", "a unit that is not metric"
METRIC = re.compile(r"\b(?:kPa|MPa|mmHg|N|kg|g|mm|cm|m|mL)\b")
UNITS = (
    (
        r"\d(?:mm|cm|mL|ml|kg|mg|g|µg|m|kPa|mmHg|Nm|N|Hz|mSv|mGy)\b(?!\w)",
        "a number without a space before its unit",
        "put a space between them",
    ),
    (r"\d\s?(?:cc|ccm|ccs)\b", "cc", "write mL"),
    (r"\d\s?(?:mcg|ug|gamma)\b", "an unusual sign for microgram", "write µg"),
    (
        r"\d\s?(?:inch(?:es)?|in\.|\"|″|feet|foot|ft|lbs?|pounds?|ounces?|oz|stone)(?!\w)",
        NOT_METRIC,
        "give it in metric units",
    ),
    (r"\d\s?(?:°\s?F|degrees? F(?:ahrenheit)?\b|Fahrenheit)", "Fahrenheit", "write °C"),
    (
        r"\d\s?(?:mg\s?%|gm%|g%|gms?\b|grms?\b|mgs\b|Kgs?\b|KG\b|MG\b|mls\b|mts\b|sec\b|secs\b|hrs?\b|mins\b|yrs?\b)",
        "an unusual unit",
        "write the usual sign",
    ),
    (
        r"\d\s?(?:psi|atm|bar|Torr|dyn|kgf|lbf|cmH2O)\b",
        NOT_SI,
        "give kPa, mmHg or N as well",
    ),
    (r"\d\s?(?:rads?|rem|roentgen)\b", "an old unit of radiation", "write mGy or mSv"),
    (r"\d\s?(?:IU/dL|mEq/L|meq/l|U/dl)\b", "a unit that few laboratories use", "write mmol/L"),
)
UNIT_PATTERNS = tuple((re.compile(pattern), what, mend) for pattern, what, mend in UNITS)
CONVENTIONAL = re.compile(r"\d\s?(?:[mµn]?g/d[lL]|[np]g/m[lL])(?!\w)")
SI = re.compile(r"\d\s?(?:[mµnp]?mol/[lL]|g/[lL]|[µn]g/[lL])(?!\w)")


@of_item("L27")
def units_and_names(item: Item) -> Found:
    """Units are metric and written as usual, laboratory values also in SI; drugs and devices go by their own names."""
    texts = list(seen(item))
    for path, text in [*texts, *explained(item)]:
        for pattern, what, mend in UNIT_PATTERNS:
            found = pattern.search(text)
            if found and not (what in (NOT_SI, NOT_METRIC) and METRIC.search(text)):
                yield Flaw(path, f"{quoted(found[0])} is {what}", mend)
        brand = _brands().search(text)
        if brand:
            own = next(name for known, name in lexicons()["brands"].items() if known.casefold() == brand[0].casefold())
            yield Flaw(path, f"{brand[0]} is a brand", f"write {own}")
        value = CONVENTIONAL.search(text)
        if value and not SI.search(text):
            yield Flaw(
                path, f"{quoted(value[0])} has no SI value beside it", "give it in mmol/L, µmol/L or g/L as well"
            )
    unit = item.answer.unit if item.answer else ""
    if unit.casefold() in ("cc", "mcg", "inch", "in", "lb", "psi", "°f", "atm"):
        yield Flaw(("answer", "unit"), f"{unit} is no usual unit", "ask for the metric one")


@cache
def _brands() -> re.Pattern[str]:
    return one_of(tuple(lexicons()["brands"]))


@of_item("L28")
def stereotypes(item: Item) -> Found:
    """No word about descent or character that does not change what is done."""
    for path, text in seen(item):
        found = terms("stereotypes").search(text)
        if found:
            yield Flaw(path, f"{quoted(found[0])} says what changes nothing", "leave it out unless the answer needs it")


@of_item("L29")
def stigma(item: Item) -> Found:
    """No word that makes a person into a disease or blames him."""
    for path, text in [*seen(item), *explained(item)]:
        found = _stigma().search(text)
        if found:
            better = next(
                mend for bad, mend in lexicons()["stigmatising"].items() if one_of((bad,)).fullmatch(found[0])
            )
            yield Flaw(path, f"{quoted(found[0])} shames", f"say: {better}")


@cache
def _stigma() -> re.Pattern[str]:
    return one_of(tuple(lexicons()["stigmatising"]))
