"""Rules on the options: what they say of the key (L03, L04), how they stand beside each other (L09 to L19)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache

from vertebra.quiz.items import Item
from vertebra.quiz.lint_rule import Ask, Flaw, Found, asks, lists, of_item, question, quoted, seen
from vertebra.quiz.lint_text import content, either, lexicons, number, one_of, ordered, plain, span, terms, words

LONGER, SLACK = 1.25, 8  # a key may be longer than the others by this factor, or by so many letters
SPREAD, SHORT = 2.0, 15  # the longest option to the shortest; anything shorter counts as so many letters
LENT, MOST = 0.5, 1.5  # share of its words that a converging key has from others; how often it shares more than any
OPPOSITE = 0.6  # share of the other words that two opposites have in common


# --- L03, L04: options that name the key, or each other ---------------------------------------------------------------

MARKED = either(
    r"[\[({]\s*(?:the\s+)?(?:correct|right|true|key|best|answer|solution)(?:\s+(?:answer|option|choice|one))?\s*[\])}]",
    r"(?:<-|←|<=|--)\s*(?:key|correct|right|answer)",
    r"[✓✔√☑★]|(?:^|\s)\*|\*$",
    r"\b(?:correct|right|key|answer)\s*[:=]\s*(?:true|yes|1)\b",
    r"[-–—:]\s*(?:correct|right answer|key)\s*\W*$",
)
TOLD = either(
    r"\b(?:correct|right|best) (?:answer|option|choice)\s*(?:is|=|:)", r"\b(?:answer|solution|key)\s*[:=]\s*\w"
)
PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
_LABEL = r"(?:answer|option|choice|alternative|response|solution|key|letter|hint|tip)"
_IS = r"(?:is|are|was|being|would be|must be|:|=|-|–)"
_OPENED = r"[\"'“(\[]"
POINTING = either(rf"{_LABEL}|choose|pick|select|mark|tick|correct|right|best|true|{'|'.join(PLACES)}")
# Where a text points at an option: any is an id, letter or number from 1, name an id or letter, own an id, nth a place.
POINTED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_LABEL}s?\s*{_IS}\s*{_OPENED}*(?P<any>[\w-]+)",
        rf"\b{_LABEL}\s*{_OPENED}*(?P<any>(?-i:[A-Z]))(?![\w-])",
        rf"\b{_LABEL}\s*{_OPENED}+(?P<any>[\w-]+)[\"'”)\]]",
        rf"[\[(]\s*(?:{_LABEL}\s*[:=]?\s*)?(?P<own>[\w-]+)\s*[\])]",
        r"[\"'“](?P<own>[\w-]+)[\"'”]",
        r"^\W*(?P<own>[\w-]+)\s*[:–]",
        r"(?<![\w-])(?P<name>[\w-]+)\s+is\s+(?:the\s+)?(?:correct|right|key|best answer|true)\b",
        r"\b(?:choose|pick|select|mark|tick)\s+(?P<name>(?-i:[A-Z]))(?![\w-])",
        r"(?<![\w-])(?P<own>[a-z]\w*(?:[-_]\w+|\d+)[\w-]*)",  # no word of a sentence
        rf"\b(?P<nth>{'|'.join(PLACES)})\s+(?:option|answer|choice|one)\s+(?:is|below|here)\b",
    )
)


@of_item("L03")
def key_named(item: Item) -> Found:
    """No text that a student reads names the key by its id, its letter or its place, or marks it."""
    named = [(ask.options.index(key), key.id) for ask in asks(item) for key in ask.keys]
    named += [(item.regions.index(region), region.id) for region in item.regions if region.key]
    own = frozenset(name for _, name in named)
    letters = frozenset(chr(ord("A") + i) for i, _ in named)
    numbers = frozenset(str(i + 1) for i, _ in named)
    known = {"own": own, "name": own | letters, "any": own | letters | numbers}
    known["nth"] = frozenset(PLACES[i] for i, _ in named if i < len(PLACES))
    for path, text in seen(item):
        chosen = path[0] in ("options", "decisions", "regions") and len(path) > 2
        told = TOLD.search(text) or (MARKED.search(text) if chosen else None) or _pointed(text, known)
        if told:
            yield Flaw(path, f"{quoted(told[0].strip())} names the key", "leave it out")
    for ask in asks(item):
        asked = f" {plain(ask.text)} "
        stands = [option for option in ask.options if len(option.text) > 3 and f" {plain(option.text)} " in asked]
        if ask.key and stands == [ask.key]:
            yield Flaw(ask.path, f"the key {quoted(ask.key.text)} stands in the question", "ask without it")


def _pointed(text: str, known: Mapping[str, frozenset[str]]) -> re.Match[str] | None:
    """Return where a text points at one of the known names; after a label, and of a place, capitals do not matter."""
    if not POINTING.search(text) and not any(name in text for name in known["own"]):
        return None
    for pattern in POINTED:
        for found in pattern.finditer(text):
            for kind, said in found.groupdict().items():
                if said in known[kind] or (kind in ("any", "nth") and said.lower() in known[kind]):
                    return found
    return None


_OTHERS = (
    r"(?:above|below|listed|mentioned|preceding|foregoing|previous|following|options?|answers?|choices?|statements?"
    r"|alternatives?|possibilities|responses|former|latter)"
)
_SOME = r"(?:all|none|any|both|each|either|neither|some|most|two|three|several|one|more|more than one)"
_PLAIN = r"(?:all|none|both|either|neither|everything|nothing|anything)"
_THOSE = r"(?:the|these|those|its)"
_COUNT = r"(?:two|three|four|five|other|first|last)"
_VERDICT = (
    r"(?:equally )?(?:correct|right|true|wrong|false|appropriate|inappropriate|possible|suitable|acceptable|reasonable"
    r"|needed|necessary|valid)"
)
REFERRING = either(
    rf"\b{_SOME}(?: or (?:more|none))? of {_THOSE}? ?(?:\w+ ){{0,2}}{_OTHERS}\b",
    rf"\b{_PLAIN}(?: of)?(?: {_THOSE})?(?: {_COUNT})? {_OTHERS}\b",
    rf"^{_PLAIN}(?: (?:of )?(?:them|it|others|the others|the rest|{_THOSE}|{_COUNT}|the {_COUNT}))?"
    rf"(?: (?:is|are|apply|applies|would be|can be|seem)(?: {_VERDICT})?)?\W*$",
    rf"\b(?:all|both|none|neither) (?:{_COUNT} )?(?:of (?:them|these|those) )?(?:are|is) {_VERDICT}\W*$",
    rf"^{_SOME} of (?:them|{_THOSE})\W*$",
    r"\b(?:a|any) combination of (?:the|these|those)\b",
    r"\b(?:the|as|see) (?:options?|answers?|choices?|one|two) (?:above|below)\b",
    r"\b(?:both|neither|either) (?:the )?(?:first|second|third|last)\b.*\b(?:and|nor|or)\b",
    r"\b(?:both|neither|either|options?|answers?|choices?|statements?)\s+\(?(?-i:[A-H]|[1-8])\)?"
    r"\s*(?:,|and|or|nor|&|\+)\s*\(?(?-i:[A-H]|[1-8])\b",
)
_ONE = r"\(?(?:[A-Ha-h]|[1-8]|i{1,3}|iv|vi{0,3}|I{1,3}|IV|VI{0,3})\)?"
COMBINED = re.compile(
    rf"(?:(?:[Bb]oth|[Oo]nly|[Ee]ither|[Nn]either|[Oo]ptions?|[Aa]nswers?|[Cc]hoices?|[Ss]tatements?)\s+)*{_ONE}"
    rf"(?:\s*(?:,|;|and|or|nor|&|\+|plus|/)+\s*{_ONE})+(?:\s+(?:only|alone|together|both|(?:are|is) \w+))?\W*"
    rf"|(?:[Oo]nly|[Jj]ust)\s+{_ONE}\W*|{_ONE}\s+(?:only|alone)\W*"
)


@of_item("L04")
def combined_options(item: Item) -> Found:
    """No option stands for others: all, none or both of them, or a combination of them."""
    for ask in asks(item):
        for option in ask.options:
            text = option.text.strip()
            if REFERRING.search(text) or COMBINED.fullmatch(text) or _joins(option.text, ask):
                what = f"the option {quoted(text)} stands for others"
                yield Flaw(ask.at(option), what, "write an option that can be judged alone")


def _joins(text: str, ask: Ask) -> bool:
    """Say whether an option that begins with both or neither is made of two others."""
    if not re.match(r"(?:both|neither|either)\b", text, re.IGNORECASE):
        return False
    parts = [content(option.text) for option in ask.options if option.text != text]
    return sum(bool(part) and part <= content(text) for part in parts) >= 2


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
            what = f"options have from {min(len(option.text) for option in ask.options)} to {max(lengths)} letters"
            yield Flaw(ask.at(ask.options[odd]), what, "say about as much in each")
        for test in (_begins, _unit):
            kinds = [test(option.text) for option in ask.options]
            stray = _stray(kinds)
            if stray is not None:
                usual = max(set(kinds), key=kinds.count) or "something else"
                what = f"the option {quoted(ask.options[stray].text)} is {kinds[stray]}, the others are {usual}"
                yield Flaw(ask.at(ask.options[stray]), what, "write all of one kind")


def _stray(kinds: Sequence[str]) -> int | None:
    """Return which one differs when all others are of one kind, or is of a marked one; "" says nothing."""
    for i, kind in enumerate(kinds):
        others = {*kinds[:i], *kinds[i + 1 :]}
        if kind in MARKED_KINDS and kind not in others and len(kinds) > 2:
            return i
        if kind and len(kinds) > 2 and len(others) == 1 and not others & {kind, ""}:
            return i
    return None


FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|do|did|can|could|will|would|should|must|may|might|shows?|needs?)\b"
)
BEGINNINGS = {
    "a reason": either(r"^(?:because|since|due to|as a result of|owing to)\b"),
    "a concession": either(r"^(?:although|though|even though|whereas|unless|despite|notwithstanding)\b"),
    "a predicate": either(r"^(?:was|were|is|are|has|had|did|does)\b(?!.*\?)"),
    "an infinitive": either(r"^to \w"),
    "a sentence": either(r"^(?:i|you|he|she|it|we|they|there) \w+ \w"),
    "a question": either(r"\?\W*$"),
    "a yes or no": either(r"^(?:yes|no|true|false)(?:[,.;:]|$)"),
}
MARKED_KINDS = ("a reason", "a concession", "a predicate", "a question", "a yes or no")
OPEN_BEGINNING = either(
    r"^(?:in|on|at|by|from|within|between|under|over|through|behind|before|after|during|without|with|into|for|about)\b",
    r"^(?:that|who|when|how|which|what|where|why)\b|^\W",
)
NOT_GERUND = either(
    r"^(?:during|\w*thing|string|ring|spring|king|wing|swelling|bleeding|bruising|imaging|screening|finding|morning)\b",
    r"^(?:evening|building|sibling|ceiling|lining|opening|loosening|coughing|cutting|standing|lying|walking)\b",
    r"^(?:sitting|narrowing|widening|wedging|scarring|healing|tingling|cushing|ewing)\b",
)


def _begins(text: str) -> str:
    """Return the kind of an option by its first words, "a phrase" for most, "" where that is open."""
    for kind, beginning in BEGINNINGS.items():
        if beginning.search(text):
            return kind
    if re.match(r"\w{3,}ing\b", text):
        return "" if NOT_GERUND.match(text) else "a gerund"
    return "" if OPEN_BEGINNING.search(text) or FINITE.search(text) else "a phrase"


NUMBER_ALONE = re.compile(
    r"(?:about|around|nearly|some|up to|at least|at most|(?:less|more|fewer) than|over|under|from|between|[≥≤<>~])?"
    r"\s*[-−]?\d[\d.,]*(?:\s*(?:to|and|-|–|in|of)\s*[-−]?\d[\d.,]*)?\s*(.{0,14}?)",
    re.IGNORECASE,
)


def _unit(text: str) -> str:
    """Return the unit of an option that is a number, "words" for one that holds none, "" for one that holds some."""
    stated = NUMBER_ALONE.fullmatch(text.strip())
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
        values, steps = list(map(_value, texts)), list(map(_step, texts))
        order: Sequence[object] = values if None not in values else steps
        if not (_alphabetic(texts) if None in order else ordered(order)):
            what = "options are in no order and are not shuffled"
            yield Flaw(ask.place, what, "order them, or remove shuffle: false")


def _alphabetic(texts: Sequence[str]) -> bool:
    """Say whether texts stand as in a dictionary; the last may be of another kind, such as "in no patient"."""
    listed = [text.casefold() for text in texts]
    other = listed[-1].split()[0] not in {text.split()[0] for text in listed[:-1]} and len(listed) > 3
    return listed == sorted(listed) or (other and _value(texts[-1]) is None and listed[:-1] == sorted(listed[:-1]))


def _value(text: str) -> float | None:
    """Return the first number of a text; of a level of the spine its place from above."""
    level = re.search(r"\b([CTLS])(\d+)\b", text)
    if level:
        return {"C": 0, "T": 7, "L": 19, "S": 24}[level[1]] + float(level[2])
    found = re.search(r"(?<![A-Za-z])[-−]?\d[\d,]*(?:\.\d+)?", text)
    if not found:
        return None
    below = re.match(r"\s*(?:less|fewer|under|below)\b", text, re.IGNORECASE)
    return number(found[0].rstrip(",")) - (0.5 if below else 0)


def _step(text: str) -> tuple[int, int] | None:
    """Return which scale of the lexicon a text is on, and its place there."""
    for i, scale in enumerate(lexicons()["scales"]):
        for j, step in enumerate(scale):
            if text.casefold().startswith(step):
                return i, j
    return None


# --- L13 to L19: cues -------------------------------------------------------------------------------------------------

MAY = re.compile(r"(?<=[ .])May\b")  # the month


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


@of_item("L15")
def echo(item: Item) -> Found:
    """No word of the lead-in, and no telling word of the vignette, comes again in the key and in no wrong option."""
    for ask in asks(item):
        if not ask.key:
            continue
        asked = content(ask.text, 5) | (content(item.vignette, 5) - _common())
        told = (content(ask.key.text, 5) & asked).difference(*(content(option.text) for option in ask.rest))
        if told:
            spelt = (word for word in words(ask.key.text) if content(word) & told)
            what = f"{', '.join(map(quoted, spelt))} of the stem comes again in the key alone"
            yield Flaw(ask.at(ask.key), what, "use another word, or use it in a wrong option too")


@cache
def _common() -> frozenset[str]:
    return frozenset(word for text in lexicons()["common"] for word in content(text))


@of_item("L16")
def convergence(item: Item) -> Found:
    """The key is not made of what the wrong options have one by one."""
    for ask in asks(item):
        if not ask.key or len(ask.options) < 3:
            continue
        own = {option.id: content(option.text) for option in ask.options}
        everywhere = frozenset.intersection(*own.values())
        shared = {
            option.id: [(own[option.id] & own[other.id]) - everywhere for other in ask.options if other is not option]
            for option in ask.options
        }
        score = {name: sum(map(len, parts)) for name, parts in shared.items()}
        key = score.pop(ask.key.id)
        most, least = max(score.values()), min(score.values())
        lent = frozenset[str]().union(*shared[ask.key.id])
        share = len(lent) / max(len(own[ask.key.id] - everywhere), 1)
        from_two = sum(map(bool, shared[ask.key.id])) >= 2 and len(lent) >= 2
        if from_two and ((share >= LENT and key >= MOST * most) or (share == 1 and key >= most and key > least)):
            what = f"the key shares {key} words with the other options, none of them more than {most}"
            yield Flaw(ask.at(ask.key), what, "let a wrong option share as much")


WRONG_ARTICLE = re.compile(
    r"\ba (?=[aeio])(?!one\b|once\b|eu|ewe)[a-z]+\b"
    r"|\ba (?=u)(?!uni|use|usu|ut|ur[aeio]|ubi)[a-z]+\b"
    r"|\ban (?=[bcdfgjklmnpqrstvwxyz])[a-z]{2,}\b"
)


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
        for cue, fits, most in _cues(question(ask.text)):
            stray = [option for option in ask.rest if fits(option.text) is False]
            if ask.key and fits(ask.key.text) and len(stray) > most * len(ask.rest):
                what = f"the option {quoted(stray[0].text)} does not fit {quoted(cue)}, and the key does"
                yield Flaw(ask.at(stray[0]), what, "let all options fit the stem alike")
                break


def _cues(asking: str) -> Iterator[tuple[str, Callable[[str], bool | None], float]]:
    """Yield (what an option has to fit, whether a text fits it or None, what share of the wrong ones may not)."""
    article = re.search(r"(?<!\()\b(an?)\b[\s_.…?:]*$", asking, re.IGNORECASE)
    if article:
        yield article[1], lambda text: _vowel(text) is (article[1].lower() == "an"), 0
    several = re.search(
        r"\bwhich \w*[^\Wsiu]s (?!\w*[^\Ws]s\b)[a-z]+\b|\bwhat (?:are|were) (?:these|those|the)\b",
        asking,
        re.IGNORECASE,
    )
    if several:  # X and Y are several as well
        yield several[0], lambda text: True if re.search(r"\band\b", text) else _plural(text), 0.9
    counted = re.search(r"\bwhich (?:one |single |other )?(?:[\w-]+ ){1,3}?(is|are|was|were)\b", asking, re.IGNORECASE)
    if counted:
        plural = counted[1].lower() in ("are", "were")
        yield counted[1], lambda text: None if _plural(text) is None else _plural(text) is plural, 0.5


def _vowel(text: str) -> bool:
    """Say whether a text begins with the sound of a vowel."""
    first = (words(text) or ("",))[0]
    if re.fullmatch(r"[A-Z]{2,}|[A-Z]\d+", first):  # spelt out
        return first[0] in "AEFHILMNORSX8"
    return bool(re.match(r"(?:[aeio]|u(?!ni|s[eu]|t[ei])|hou|hon)(?!ne\b|nce\b|u)", first.lower()))


HEAD_END = either(
    r"[,;:(]|\b(?:of|in|on|at|by|from|to|with|without|behind|through|over|under|after|before|for|that|which|between)\b"
)


def _plural(text: str) -> bool | None:
    """Say whether an option begins with a plural noun; None where that is not clear."""
    head = HEAD_END.split(text, maxsplit=1)[0]
    listed = words(head)
    if not listed or len(listed) > 4 or re.search(r"\b(?:and|or)\b", head) or not listed[-1].isalpha():
        return None
    last = listed[-1].lower()
    if last.endswith(("ss", "us", "is")):
        return None
    return last.endswith("s") or last in ("women", "men", "people", "vertebrae")


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
    """Say whether two texts differ in little else than a word and its opposite in the same place, or a not."""
    if _negation(first, second) or _negation(second, first):
        return True
    first, second = first.replace("-", " "), second.replace("-", " ")
    one, other = _poles(first), _poles(second)
    for (pair, side), place in one.items():
        turned = other.get((pair, 1 - side))
        if turned is None or abs(turned - place) > 1 or (pair, 1 - side) in one or (pair, side) in other:
            continue
        own, opposite = lexicons()["opposites"][pair][side], lexicons()["opposites"][pair][1 - side]
        rest = content(one_of((own,)).sub(" ", first)), content(one_of((opposite,)).sub(" ", second))
        if len(rest[0] & rest[1]) >= OPPOSITE * len(rest[0] | rest[1]):
            return True
    return False


@lru_cache(maxsize=20_000)
def _poles(text: str) -> Mapping[tuple[int, int], int]:
    """Return {(pair of opposites, 0 or 1): which word it is} for each that a text has a word of."""
    return {pole: place for place, word in enumerate(words(text.casefold())) for pole in _sides(word)}


@lru_cache(maxsize=20_000)
def _sides(word: str) -> tuple[tuple[int, int], ...]:
    pairs = enumerate(lexicons()["opposites"])
    return tuple((i, side) for i, pair in pairs for side, term in enumerate(pair) if _fits(word, term))


def _fits(word: str, term: str) -> bool:
    return word.startswith(term[:-1]) if term.endswith("*") else word == term


NEGATIONS = frozenset(("not", "no", "never", "without", "does", "do", "did"))


def _negation(one: str, other: str) -> bool:
    """Say whether the second text is the first with a not, a no or a prefix that turns a word round."""
    plain, turned = words(one.casefold()), words(other.casefold())
    kept = [word for word in turned if word not in NEGATIONS]
    if len(kept) < len(turned) and content(one) and content(one) == content(" ".join(kept)):
        return True
    pairs = [(a, b) for a, b in zip(plain, turned, strict=False) if a != b] if len(plain) == len(turned) else []
    return len(pairs) == 1 and bool(re.fullmatch(rf"(?:un|in|im|ir|non-?|dis){re.escape(pairs[0][0])}", pairs[0][1]))


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
