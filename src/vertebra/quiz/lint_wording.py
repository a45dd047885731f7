"""Rules on stem and language: L05 to L08, L22, L24, L27 to L29."""

import re
from collections.abc import Iterator
from functools import cache

from vertebra.quiz.items import APPLIED, Item
from vertebra.quiz.lint_rule import Flaw, Found, asks, explained, lead_ins, of_item, question, quoted, seen
from vertebra.quiz.lint_text import abbreviations, either, grade, lexicons, one_of, sentences, terms, words
from vertebra.quiz.schema import Path

VIGNETTE_WORDS = (25, 140)
GRADE, HARDEST, ENOUGH = 14, 20, 12  # of the whole text, and of one sentence of so many words or more
SENTENCE_WORDS = 30


# --- L05 to L07: the lead-in ------------------------------------------------------------------------------------------

ASKS = either(r"\b(?:which|what|whose|who|whom|where|when|why|how)\b")
CLAUSE = either(
    r"[,;:(]|\b(?:that|who|whom|whose|if|when|while|because|although|though|since|unless|as|rather than)\b",
    r"\b(?:and|but) not\b",
)


def main_clause(asking: str) -> str:
    """Return a question from its question word on, without the clauses that depend on it."""
    word = ASKS.search(asking)
    begin, end = word.span() if word else (0, 0)
    return asking[begin:end] + CLAUSE.split(asking[end:], maxsplit=1)[0]


_OF_THESE = r"(?:\s+of\s+(?:the\s+)?(?:following|these|those|below|above|options|answers|listed))"
_WHICH = rf"\b(?:which|what)\b(?:\s+one)?{_OF_THESE}?"
_SAYING = (
    r"(?:statements?|options?|answers?|sentences?|assertions?|claims?|propositions?|descriptions?|choices?|items?"
    r"|alternatives?|responses?|remarks?|facts?|ones?)"
)
_ABOUT = r"(?:\s+(?:below|above|here|listed|about|on|regarding|concerning|of|to|for)\b[^,;:?]*?)?"
_TRUE = r"(?:true|correct|right|false|incorrect|wrong|untrue|accurate|inaccurate|valid|truthful)"
OPEN = either(
    rf"\b(?:which|what)\b(?:\s+one)?(?:{_OF_THESE}(?:\s+\w+)?)?(?:\s+(?:following\s+)?{_SAYING})?{_ABOUT}"
    r"\s+(?:is|are|was|were|would be|can be|may be|must be|holds?|stays?)\s+(?:the\s+)?"
    rf"(?:(?:most|completely|entirely|best|not|more)\s+)?{_TRUE}\b(?! with\b)",
    rf"{_WHICH}(?:\s+{_SAYING})?{_ABOUT}\s+(?:holds?|applies|apply|hold true|can be said)\b",
    rf"\b{_TRUE} {_SAYING}\b(?! (?:to|in reply))",
    r"\btrue or false\b|\b(?:is|are) (?:it|this|the following|these) (?:true|correct|right)\b",
    rf"\bwhich\b{_OF_THESE}?\s*{_SAYING}?\s+(?:do|would|can) you (?:agree|support)",
    r"\bwhat about\b|\bwhat (?:can|could|would) (?:be|you) sa(?:id|y)\b|\bwhat do you (?:think|know|say)\b",
)


@of_item("L05")
def closed_question(item: Item) -> Found:
    """What asks is a question with a question word, and does not ask which statement is true."""
    asked = item.format in ("single_best_answer", "multiple_response", "numeric")
    for path, text in lead_ins(item):
        asking = question(text)
        if OPEN.search(asking):
            mend = "ask for one thing, such as the next step or the best explanation"
            yield Flaw(path, f"{quoted(asking)} asks which statement is true", mend)
        elif path == ("stem",) and not asked:
            continue  # an instruction
        elif not asking.endswith("?") and path != ("stem",):
            yield Flaw(path, f"{quoted(asking)} is not a closed question", "end it with ?")
        elif not ASKS.search(asking) or re.search(r"_{2,}|…|\.\.\.", asking):
            yield Flaw(path, f"{quoted(asking)} is not a closed question", "ask with which, what, where, when or how")


NEGATIVE = either(
    r"\bexcept(?:ing|ion)?\b|\bodd one out\b|\bworst (?:choice|option|step|answer|plan)\b",
    r"\b(?:all|each|every one|any)\b.*\b(?:but|other than|apart from|aside from|excluding|save)\b",
    r"\b(?:other than|apart from|aside from|excluding)\b.*\b(?:all|each|every one|any)\b",
    r"(?<!at )(?<!to )(?<!from )(?<!or )\bleast\s+(?!to\b)[a-z]+",
    r"(?-i:\bNOT\b|\bNEVER\b|\bNO\b|\bLEAST\b|\bFALSE\b|\bINCORRECT\b|\bUN[A-Z]+\b)",
)
NEGATIVE_MAIN = either(
    r"(?<!reason )(?<!reasons )\b(?:not|never|cannot|neither|none|nor|hardly|seldom)\b|n[’']t\b",
    r"\bno (?:longer|part|role|place|reason|indication|benefit|effect|sign|cause|feature|support|evidence)\b",
    r"\bno (?:use|value|help)\b",
    r"\b(?:false|incorrect|untrue|wrong|inaccurate|invalid|improper|atypical|uncharacteristic|irrelevant)\b"
    r"(?! with (?:his|her|their|this|the)\b)",
    r"\b(?:inappropriate|unlikely|unsuitable|inconsistent|incompatible|unhelpful|unrelated|unsupported|unnecessary)\b",
    r"\b(?:implausible|improbable)\b|\bfails? to\b|\blacks? (?:any|support|evidence)\b",
)


@of_item("L06")
def negative_lead_in(item: Item) -> Found:
    """What asks does not ask for the exception, unless that is allowed and stands in capitals."""
    allowed = lexicons()["negatives_allowed"]
    for path, text in lead_ins(item):
        asking = question(text)
        negative = NEGATIVE.search(asking) or NEGATIVE_MAIN.search(main_clause(asking))
        if negative and not any(phrase in asking for phrase in allowed):
            yield Flaw(path, f"{quoted(asking)} asks for the exception ({negative[0]})", "ask for what holds")


FOCUSED = either(
    r"\bhow\s+(?:\w+ly|many|much|often|long|soon|far|large|high|urgent|likely|should|does|do|is|are|can)\b",
    r"\b(?:where|when|why|who|whose|whom)\b|\bby when\b",
    r"\bdo(?:es|ne)?\b(?! you (?:think|say|choose|prefer|pick))|\b(?:did|went|go|goes|say|says|missing)\b",
    r"\b(?:happen|explain|demand|mean|follow(?!ing)|show|suggest|tell|advis|chang|weaken|join|com|belong|lack|mention)\w*\b",
    r"\b(?:support|report|rais|plan)\w*\b|\b(?:answer|statement|response)s? (?:to|of|about)\b",
    r"\b(?:best|has|have) to \w+",
)
EMPTY = either(
    r"^(?:so |and |but )?what (?:now|next|then|else)\W*$",
    r"^which(?: one)?(?: of (?:these|them|those|the following))?\W*$",
    r"^what (?:would|do|will|should|can) (?:you|one|he|she) (?:say|think)\W*$|\bwhat comes to mind\b",
    r"\b(?:which|what)\b(?: one)?(?: of (?:these|them|those|the following|the options))? (?:do|would|should|will) you"
    r" (?:choose|pick|select|prefer|take|think)\b",
)


@of_item("L07")
def covered_options(item: Item) -> Found:
    """The lead-in names what it asks for, so that it can be answered with the options covered."""
    nothing = terms("lead_in_empty")
    for ask in asks(item):
        asking = question(ask.text)
        after = re.search(r"\b(?:which|what)\s+([\w-]+)", asking, re.IGNORECASE)
        named = after and not nothing.fullmatch(after[1]) and not terms("lead_in_verbs").fullmatch(after[1])
        focused = named or FOCUSED.search(asking) or terms("lead_in").search(nothing.sub("", asking))
        if EMPTY.search(asking) or not focused:
            mend = "name it: diagnosis, next step, test, cause, finding, risk"
            yield Flaw(ask.path, f"{quoted(asking)} does not say what is asked for", mend)


# --- L08: the patient -------------------------------------------------------------------------------------------------

_DECADE = r"(?:twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)"
_IN_WORDS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_NO_AGE = r"(?! ?(?:%|mm|cm|kg|mL|mg|°|(?:per|of|hours|days|weeks|months|years|minutes|mmol|points)\b))"
AGE = either(
    r"\b\d{1,3}[- ](?:years?|months?)[- ]old\b",
    rf"\b(?:aged?|of|of about|is|are|was|turned|over|under|nearly) \d{{1,3}}\b{_NO_AGE}",
    r", \d{1,3},|\(\d{1,3}\)|\b\d{2}(?:,| and| to) \d{2}\b",
    rf"\b(?:his|her|their) (?:early |late |mid-?)?{_DECADE}\b|\b{_IN_WORDS}(?:-\w+)?[- ]years?\b",
    r"\b(?:septua|octo|nona)genarian\b|\b(?:infant|newborn|teenager|toddler)\b",
)
MEASURED = re.compile(r"\d\s?(?:%|mmHg|°C|kPa|psi|mm|mL|mmol|mg/|g/L|of (?:5|10)\b)")


@of_item("L08")
def patient(item: Item) -> Found:
    """A single best answer or key feature that applies knowledge has age, person, setting and finding."""
    text = item.vignette
    if item.format not in ("single_best_answer", "key_feature") or item.bloom not in APPLIED or not text:
        return
    least, most = VIGNETTE_WORDS
    n = len(words(text))
    if not least <= n <= most:
        what = f"the vignette has {n} words, not {least} to {most}"
        yield Flaw(
            ("vignette",), what, "tell what the answer needs" if n < least else "leave out what it does not need"
        )
    there = {
        "an age": AGE.search(text),
        "a sex or role": terms("people").search(text),
        "a setting or complaint": terms("settings").search(text),
        "a finding": item.image or terms("findings").search(text) or MEASURED.search(text),
    }
    absent = [name for name, found in there.items() if not found]
    if absent:
        yield Flaw(("vignette",), f"the vignette lacks {' and '.join(absent)}", "add it, or lower bloom")


# --- L22, L24, L27 to L29: language -----------------------------------------------------------------------------------

LEVEL_OR_ROMAN = re.compile(r"[CTLS]\d+(?:-[CTLS]?\d+)?|[IVX]+|[A-Z]-?[a-z]+|[A-Z](?:-[A-Z0-9])+")
CAPITALS = frozenset(("NOT", "EXCEPT", "NEVER", "AND", "OR", "ALL", "ONLY", "MUST", "SHOULD", "BEST", "MOST", "FIRST"))


@of_item("L22")
def plain_text(item: Item) -> Found:
    """Vignette and stem are readable, their sentences short, and short forms are explained or known to all."""
    told = "\n\n".join(filter(None, (item.vignette, item.stem)))
    hardest = max((grade(said) for said in sentences(told) if len(words(said)) >= ENOUGH), default=0)
    if grade(told) > GRADE or hardest > HARDEST:
        path: Path = ("vignette",) if item.vignette and hardest <= HARDEST else ("stem",)
        what = f"the text is of grade {grade(told):.0f}, its hardest sentence of {hardest:.0f}"
        yield Flaw(path, f"{what} (at most {GRADE} and {HARDEST})", "use shorter words and sentences")
    for path, text in [(("vignette",), item.vignette), *lead_ins(item)]:
        long = max((len(words(sentence)) for sentence in sentences(text)), default=0)
        if long > SENTENCE_WORDS:
            yield Flaw(path, f"a sentence has {long} words, above {SENTENCE_WORDS}", "make two sentences of it")
    unknown = dict(_unexplained(item))
    if unknown:
        what = f"{', '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} not explained"
        mend = "write it out once, as in long form (SHORT), or add it to assets/lint.yml"
        yield Flaw(next(iter(unknown.values())), what, mend)


def _unexplained(item: Item) -> Iterator[tuple[str, Path]]:
    known = frozenset(lexicons()["abbreviations"]) | CAPITALS
    everything = "\n".join(text for _, text in seen(item))
    for path, text in seen(item):
        for short in abbreviations(text):
            if short not in known and not LEVEL_OR_ROMAN.fullmatch(short):
                name = re.escape(short)
                if not re.search(rf"\({name}s?[;,)]|\b{name}s?\s+(?:\(|stands for|means)", everything):
                    yield short, path


_QUESTION = r"(?:question|item|vignette|problem|exercise)"
_PERSON = r"(?:patient|woman|man|case|person|scenario)"
_ELSEWHERE = (
    r"\b(?:previous|preceding|last|earlier|prior|next|following|foregoing|other|above|first|second)"
    rf" (?:{_QUESTION}|case study)s?\b(?! (?:about|whether))",
    rf"\b{_QUESTION}s? (?:above|before|below|earlier|number \d+|no\.? ?\d+|\d+)\b",
    r"\b(?:in|from|to|of) (?:Q|question|item) ?\d+\b",
    r"\byour (?:previous |earlier |last |first )?(?:answer|response|choice|reply) (?:to|in|above|from|before|there)\b",
    r"\byour (?:previous|earlier|last|preceding) (?:answer|response|choice)\b",
    rf"\b(?:the )?(?:aforementioned|above|previous|above-mentioned|preceding) {_PERSON}\b",
    rf"\bsame {_PERSON} (?:as|from|in) (?:before|above|the (?:previous|last|question)|question)",
    rf"(?-i:\bThe same {_PERSON} )",
    rf"\b{_PERSON} (?:from|in|of) (?:the )?(?:previous|last|preceding|earlier|question|item|above)\b",
    rf"\b{_PERSON} (?:described |mentioned |presented |seen |discussed )(?:above|before|earlier|previously)\b",
    rf"\b{_PERSON} above\b",
    r"\b(?:as|was|were) (?:you )?(?:answered|calculated|computed|found|chosen|determined|described|seen|established"
    r"|stated) (?:above|before|earlier|previously|in the (?:last|previous))\b",
    r"\bcontinu(?:ing|es|ed) (?:from|with the)\b|\breturning to the\b|\bbuilding on\b|\brefer(?:ring)? back to\b",
    rf"\brefer(?:ring)? to (?:the )?(?:previous|last|{_QUESTION})|\bsee (?:also )?{_QUESTION}",
    r"\b(?:based on|given|using|with) (?:the|your) (?:answer|result|diagnosis|value|number|figure)"
    r" (?:above|before|from (?:the|question)|of the (?:previous|last)|you (?:gave|chose|found))\b",
)
ELSEWHERE = either(rf"\b(?:{'|'.join(_ELSEWHERE)})")  # what begins no word is passed over at once
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
_UNUSUAL = r"mg\s?%|gm%|g%|gms?\b|grms?\b|mgs\b|Kgs?\b|KG\b|MG\b|mls\b|mts\b|secs?\b|hrs?\b|mins\b|yrs?\b"
UNITS = {
    r"\d(?:mm|cm|mL|ml|kg|mg|g|µg|m|kPa|mmHg|Nm|N|Hz|mSv|mGy)\b": (
        "a number that touches its unit",
        "put a space between",
    ),
    r"\d\s?(?:cc|ccm|ccs)\b": ("cc", "write mL"),
    r"\d\s?(?:mcg|ug|gamma)\b": ("an unusual sign for microgram", "write µg"),
    r"\d\s?(?:inch(?:es)?|in\.|\"|″|feet|foot|ft|lbs?|pounds?|ounces?|oz|stone)(?!\w)": (
        NOT_METRIC,
        "give it in metric units",
    ),
    r"\d\s?(?:°\s?F|degrees? F(?:ahrenheit)?\b|Fahrenheit)": ("Fahrenheit", "write °C"),
    rf"\d\s?(?:{_UNUSUAL})": ("an unusual sign", "write the usual one"),
    r"\d\s?(?:psi|atm|bar|Torr|dyn|kgf|lbf|cmH2O)\b": (NOT_SI, "give kPa, mmHg or N as well"),
    r"\d\s?(?:rads?|rem|roentgen)\b": ("an old unit of radiation", "write mGy or mSv"),
    r"\d\s?(?:IU/dL|mEq/L|meq/l|U/dl)\b": ("a unit that few laboratories use", "write mmol/L"),
}
UNIT_PATTERNS = tuple((re.compile(pattern), *said) for pattern, said in UNITS.items())
ANY_UNIT = re.compile("|".join(UNITS))
CONVENTIONAL = re.compile(r"\d\s?(?:[mµn]?g/d[lL]|[np]g/m[lL])(?!\w)")
SI = re.compile(r"\d\s?(?:[mµnp]?mol/[lL]|g/[lL]|[µn]g/[lL])(?!\w)")


@of_item("L27")
def units_and_names(item: Item) -> Found:
    """Units are metric and written as usual, laboratory values also in SI; drugs and devices go by their own names."""
    for path, text in [*seen(item), *explained(item)]:
        for pattern, what, mend in UNIT_PATTERNS if ANY_UNIT.search(text) else ():
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
    if unit and any(pattern.fullmatch(f"1 {unit}") for pattern, _, _ in UNIT_PATTERNS):
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
