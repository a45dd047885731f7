"""Rules on what stands around a question (record, patient, rationale, source, picture), and on the banks as a whole."""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from vertebra.evidence.claims import claims
from vertebra.evidence.references import Reference, references
from vertebra.quiz import items, schema
from vertebra.quiz.items import Bank, Item
from vertebra.quiz.lint_rule import (
    Course,
    Flaw,
    Found,
    FoundInCourse,
    asks,
    explained,
    of_course,
    of_item,
    of_sound,
    quoted,
    seen,
)
from vertebra.quiz.lint_text import chi_square_tail, content, either, lexicons, near_duplicates, plain, terms, words
from vertebra.quiz.static import standing, static_html

OLDEST = timedelta(days=731)  # 24 months
ENOUGH = 20  # so few questions say nothing about a bank
LONGEST_SLACK = 0.10
UNLIKELY = 0.01
ALIKE = 0.85
TIERS = ("must", "should", "nice")


# --- L01, L02: the record ---------------------------------------------------------------------------------------------


@of_course("L01")
def read_in_time(course: Course) -> FoundInCourse:
    """Each bank was read within 24 months, and its day to be read anew has not passed."""
    for bank in course.banks:
        read, review_by = _day(bank.read), _day(bank.review_by)
        for field, day in (("read", read), ("review_by", review_by)):
            if day is None and getattr(bank, field):
                mend = "write a day such as 2026-11-29"
                yield bank, None, Flaw((field,), f"{getattr(bank, field)!r} is no day", mend)
        if review_by and review_by < course.on:
            mend = "read its questions against their sources, then set read and review_by"
            yield bank, None, Flaw(("review_by",), f"the bank was to be read anew by {review_by}", mend)
        elif read and read + OLDEST < course.on:
            mend = "read its questions against their sources, then set read"
            yield bank, None, Flaw(("read",), f"the bank was last read {read}, more than 24 months ago", mend)
        if read and read > course.on:
            yield bank, None, Flaw(("read",), f"the bank was read {read}, which is still to come", "correct the day")


@of_course("L01")
def reviewed_in_time(course: Course) -> FoundInCourse:
    """A stated review names a day within the last 24 months."""
    for bank, item in course.items():
        for review in item.clinical_review:
            day = _day(review.rpartition(", ")[2])
            if day is None or day > course.on or day + OLDEST < course.on:
                what = f"the review {quoted(review)} is not of the last 24 months"
                yield bank, item, Flaw(("clinical_review",), what, "have it reviewed anew, or write none")


@of_course("L01")
def own_names(course: Course) -> FoundInCourse:
    """No two questions, and no two banks, have the same id."""
    firsts: dict[str, tuple[Bank, Item]] = {}
    for bank, item in course.items():
        other, first = firsts.setdefault(item.id, (bank, item))
        if first is not item:
            what = f"the question in {other.file}:{first.line} has the id {item.id} too"
            yield bank, item, Flaw(("id",), what, "change one of them")
    banks: dict[str, Bank] = {}
    for bank in course.banks:
        first_bank = banks.setdefault(bank.id, bank)
        if first_bank is not bank:
            yield bank, None, Flaw(("bank",), f"{first_bank.file} has the id {bank.id} too", "change one of them")


@of_item("L01")
def own_version(item: Item) -> Found:
    """A version is three numbers; author and review are stated."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", item.version):
        yield Flaw(("version",), f"the version {item.version!r} is not three numbers", "write it like 1.0.0")
    if not item.author.strip():
        yield Flaw(("author",), "nobody is named as author", "name who wrote it")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@of_item("L02")
def belongs(item: Item) -> Found:
    """Its objectives and claims exist; its tier is the highest of its objectives'."""
    from vertebra.quiz.blueprint import objectives

    known = objectives()
    if not item.objectives:
        yield Flaw(("objectives",), "it tests no objective", "name one of assets/objectives.yml")
    for i, name in enumerate(item.objectives):
        if name not in known:
            mend = schema.nearest(name, known) or "name one of assets/objectives.yml"
            yield Flaw(("objectives", i), f"there is no objective {name}", mend)
    tiers = [known[name].tier for name in item.objectives if name in known]
    highest = min(tiers, key=TIERS.index, default=item.tier)
    if item.tier != highest:
        yield Flaw(("tier",), f"the tier is {item.tier}, that of its objectives {highest}", f"write tier: {highest}")
    if item.bloom not in schema.BLOOM:
        yield Flaw(
            ("bloom",), f"{item.bloom!r} is no level of Bloom's taxonomy", f"write one of {', '.join(schema.BLOOM)}"
        )
    for i, claim in enumerate(item.claims):
        if claim not in claims():
            mend = schema.nearest(claim, claims()) or "name one of assets/evidence/claims.yml"
            yield Flaw(("claims", i), f"there is no claim {claim}", mend)


# --- L09, L12: keys over all banks ------------------------------------------------------------------------------------


@of_course("L09")
def longest_keys(course: Course) -> FoundInCourse:
    """Over all questions with one key, it is the longest option hardly more often than by chance."""
    chosen = [(bank, ask, ask.key) for bank, item in course.items() for ask in asks(item) if ask.key]
    if len(chosen) < ENOUGH:
        return
    longest = [all(len(key.text) > len(other.text) for other in ask.rest) for _, ask, key in chosen]
    allowed = sum(1 / len(ask.options) for _, ask, _ in chosen) / len(chosen) + LONGEST_SLACK
    share = sum(longest) / len(chosen)
    if share > allowed:
        worst = Counter(bank.file for (bank, _, _), is_longest in zip(chosen, longest, strict=True) if is_longest)
        bank = next(bank for bank in course.banks if bank.file == worst.most_common(1)[0][0])
        what = f"the key is the longest option in {share:.0%} of {len(chosen)} choices, at most {allowed:.0%} is chance"
        yield bank, None, Flaw((), what, "shorten keys, this bank has most of them", "error")


@of_course("L12")
def key_places(course: Course) -> FoundInCourse:
    """Over the practice banks, as students see them, the key stands in every place equally often."""
    places: dict[int, Counter[int]] = {}
    for _, item in course.items("practice"):
        order = [option.id for option in item.practice_order()["options"]]
        for ask in asks(item):
            if ask.key:
                own = {option.id for option in ask.options}
                shown = [name for name in order if name in own]
                places.setdefault(len(shown), Counter())[shown.index(ask.key.id)] += 1
    statistic, freedom = 0.0, 0
    counted = {k: places[k] for k in sorted(places) if places[k].total() >= 5 * k}
    for k, count in counted.items():
        expected = count.total() / k
        statistic += sum((count[i] - expected) ** 2 / expected for i in range(k))
        freedom += k - 1
    if freedom and chi_square_tail(statistic, freedom) < UNLIKELY:
        seen_at = "; of ".join(f"{k}: {', '.join(str(count[i]) for i in range(k))}" for k, count in counted.items())
        what = f"keys are not spread over the places (of {seen_at}; chi-square {statistic:.1f}, p < {UNLIKELY})"
        yield course.banks[0], None, Flaw((), what, "let options be shuffled, or move keys where shuffle is false")


# --- L20, L21: why, and where from ------------------------------------------------------------------------------------

NEW_WORDS = 2  # that neither judge nor repeat the key


@of_item("L20")
def explains(item: Item) -> Found:
    """A rationale says why, and each wrong answer names the mistake behind it, each mistake once."""
    repeated = frozenset(word for ask in asks(item) for key in ask.keys for word in content(key.text))
    for path, text in explained(item):
        told = content(text) - _verdicts() - repeated
        if len(told) < NEW_WORDS:
            yield Flaw(path, f"the rationale {quoted(text)} only says right or wrong", "say why, and name the mistake")
    first: dict[str, schema.Path] = {}
    for path, part in _wrong(item):
        if not part.misconception:
            name = getattr(part, "id", None) or getattr(part, "value", "")
            yield Flaw(path, f"no misconception stands behind {name}", "name one of assets/misconceptions.yml")
        elif first.setdefault(part.misconception, path) != path:
            what = f"the misconception {part.misconception} stands behind two wrong answers"
            yield Flaw((*path, "misconception"), what, "name another, or join the two answers")


@cache
def _verdicts() -> frozenset[str]:
    return content(" ".join(lexicons()["verdicts"]))


def _wrong(item: Item) -> Iterator[tuple[schema.Path, items.Option | items.Region | items.Slip]]:
    for ask in asks(item):
        yield from (((*ask.place, i), option) for i, option in enumerate(ask.options) if not option.key)
    yield from ((("regions", i), region) for i, region in enumerate(item.regions) if not region.key)
    yield from ((("slips", i), slip) for i, slip in enumerate(item.slips))


@of_item("L21")
def sourced(item: Item) -> Found:
    """It names a source, and each has a year and a kind of evidence."""
    if not item.sources:
        yield Flaw(("sources",), "it names no source", "name a reference, or write unreferenced")
    for i, name in enumerate(item.sources):
        source = references().get(name)
        if source and not _dated(source):
            yield Flaw(("sources", i), f"the reference {name} has no date", "give its year in references.yml")
        if source and not source.design.strip():
            yield Flaw(
                ("sources", i), f"the reference {name} says no kind of evidence", "give design in references.yml"
            )


def _dated(source: Reference) -> bool:
    """Say whether a reference has a year or a number that leads to one; a page without is dated by who opened it."""
    year = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)|PMC\d+", f"{source.id} {source.citation}")
    return bool(year or source.doi or source.pmid or source.publishable)


# --- L28: who the patients are ----------------------------------------------------------------------------------------

_WOMAN, _MAN = r"woman|women|girl|widow|female|lady", r"man|men|boy|widower|male|gentleman"
SEX = either(rf"\b(?:({_WOMAN})|{_MAN})\b")
YEARS = either(rf"\b(\d{{1,3}})-year-old\b|\b(?:{_WOMAN}|{_MAN}|student|trainee) (?:of|aged) (\d{{1,3}})\b")
ONE_SIDED = 0.75


@dataclass(frozen=True)
class Balance:
    """Who the patients of the vignettes are: how many are women and men, and the ages that are stated, in years."""

    women: int
    men: int
    ages: tuple[int, ...]

    def __str__(self) -> str:
        if not self.ages:
            return "patients: none with an age"
        middle = self.ages[len(self.ages) // 2]
        return f"patients: {self.women} women, {self.men} men; {self.ages[0]} to {self.ages[-1]} years, median {middle}"


def balance(banks: Iterable[Bank]) -> Balance:
    """Count the first person that each vignette names by sex; a vignette without one counts for nothing."""
    told = [item.vignette for bank in banks for item in bank.items]
    found = [person for text in told if (person := SEX.search(text))]
    women = sum(bool(person[1]) for person in found)
    ages = [int(age[1] or age[2]) for text in told if (age := YEARS.search(text))]
    return Balance(women, len(found) - women, tuple(sorted(ages)))


@of_course("L28")
def both_sexes(course: Course) -> FoundInCourse:
    """Over all banks, neither women nor men are more than three quarters of the patients."""
    who = balance(course.banks)
    if who.women + who.men >= ENOUGH and max(who.women, who.men) > ONE_SIDED * (who.women + who.men):
        few = "men" if who.women > who.men else "women"
        yield course.banks[0], None, Flaw((), str(who), f"let more patients be {few} where the sex does not matter")


# --- L23: twice the same ----------------------------------------------------------------------------------------------


@of_course("L23")
def near_twins(course: Course) -> FoundInCourse:
    """No two questions are nearly the same text, unless they say that they are one family."""
    every = list(course.items())
    texts = ["\n".join(text for path, text in seen(item) if path[0] != "image").casefold() for _, item in every]
    told: set[int] = set()
    for i, j, alike in near_duplicates(texts, ALIKE):
        (_, first), (bank, second) = every[i], every[j]
        family = first.isomorph_family and first.isomorph_family == second.isomorph_family
        if not family and j not in told:
            told.add(j)
            what = f"it is nearly the same as {first.id} (likeness {alike:.2f})"
            yield bank, second, Flaw((), what, "ask something else, or give both the same isomorph_family")


# --- L25: sums --------------------------------------------------------------------------------------------------------


@of_sound("L25")
def recomputed(item: Item) -> Found:
    """A number is computed anew; so is what else names a calculator."""
    from vertebra.quiz.computed import recompute

    if item.format == "numeric" and item.computed is None:
        yield Flaw(("answer",), "nothing finds the number anew", "name a calculator: computed: {by: ..., with: {...}}")
    problem = recompute(item) if item.computed else ""
    if problem:
        what, _, mend = problem.rpartition("; ")
        yield Flaw(("computed",), what or problem, mend if what else "correct the key, or the facts of computed")


# --- L26: pictures ----------------------------------------------------------------------------------------------------

LICENCE = re.compile(r"CC0|CC[- ]BY|public domain|PDM|MIT|BSD|Apache|US[- ]government", re.IGNORECASE)
ALT_WORDS = 8


@of_item("L26")
def described(item: Item) -> Found:
    """A picture has words that tell what it shows and not the key, a licence, a patient or none, and who drew it."""
    image = item.image
    if image is None:
        return
    if len(words(image.alt)) < ALT_WORDS:
        what = f"the alt text {quoted(image.alt)} does not stand in for the picture"
        yield Flaw(("image", "alt"), what, f"describe it in {ALT_WORDS} words or more")
    told = _told(item, image.alt)
    if told:
        what = f"the alt text holds the key {quoted(told)}"
        yield Flaw(("image", "alt"), what, "describe what is to be seen, not what it means")
    if not LICENCE.search(image.licence):
        yield Flaw(("image", "licence"), f"{image.licence!r} is no free licence", "name one, such as CC-BY-4.0")
    for field, mend in (("patient", "write none, or the data set"), ("drawn_by", "name the script and its function")):
        if not getattr(image, field):
            yield Flaw(("image", field), f"the picture does not say {field}", mend)


def _told(item: Item, alt: str) -> str:
    """Return the text of a key that the alt text holds more often than any wrong answer, "" for none.

    A picture with labels names each of its options once.
    """
    choices: list[tuple[list[str], list[str]]] = [
        ([key.text for key in ask.keys], [option.text for option in ask.rest]) for ask in asks(item)
    ]
    regions = [[region.text for region in item.regions if region.key is right] for right in (True, False)]
    for keys, rest in [*choices, (regions[0], regions[1])]:
        most = max((_times(text, alt) for text in rest), default=(0, False))
        told = next((text for text in keys if _times(text, alt) > most), "")
        if told:
            return told
    if item.answer and item.answer.unit:
        value, unit = re.escape(f"{item.answer.value:g}"), re.escape(item.answer.unit)
        stated = re.search(rf"(?<![\d.]){value}\s*{unit}(?!\w)", alt)
        return stated[0] if stated else ""
    return ""


def _times(text: str, alt: str) -> tuple[int, bool]:
    """Return how often an alt text holds a text word by word, and whether it holds all its words in any order."""
    literally = f" {plain(alt)} ".count(f" {plain(text)} ")
    meant = content(text, 1)
    return literally, literally > 0 or (bool(meant) and meant <= content(alt, 1))


# --- L30: safety ------------------------------------------------------------------------------------------------------


def safety_topic(item: Item) -> str:
    """Return which safety topic the keys of a question decide about, "" for none."""
    told = [item.stem, *(key.text for ask in asks(item) for key in ask.keys)]
    told += [region.text for region in item.regions if region.key]
    told += [step.text for step in item.steps] + [prompt.text for prompt in item.prompts]
    return next((topic for topic, pattern in _topics().items() if pattern.search("\n".join(told))), "")


def _topics() -> dict[str, re.Pattern[str]]:
    return {topic: terms("safety_topics", topic) for topic in lexicons()["safety_topics"]}


@of_sound("L30")
def read_by_two(item: Item) -> Found:
    """A reviewed safety key was read by two clinicians; one that nobody reviewed says so wherever it is shown."""
    topic = safety_topic(item)
    if not topic:
        return
    if not item.clinical_review:
        if "Not yet reviewed" not in standing([_handed(item)]):
            yield Flaw(
                ("clinical_review",), f"about {topic}, and it hides that nobody reviewed it", "show it as not reviewed"
            )
        return
    clinicians = {review.split(",")[0].strip().casefold() for review in item.clinical_review if _is_clinician(review)}
    if len(clinicians) < 2:
        what = f"about {topic}, and {'one clinician' if clinicians else 'no clinician'} has read it"
        yield Flaw(("clinical_review",), what, "have a second clinician read it, or write none")


def _is_clinician(review: str) -> bool:
    return bool(terms("clinicians").search(",".join(review.split(",")[1:-1])))


# --- L31: what a student gets -----------------------------------------------------------------------------------------

CODED = re.compile(r"(?=[\w+/=-]*(?:\d|=|[a-z][A-Z]))[A-Za-z0-9+/=_-]{8,}")  # no plain word
TELLING = {
    True: re.compile(r"(?:^|[-_])(?:correct|right|key|answer|true|solution|best|winner|good|ok)\d*(?:$|[-_])"),
    False: re.compile(r"(?:^|[-_])(?:wrong|incorrect|false|distractor|bad|foil|notkey)\d*(?:$|[-_])"),
}
MARKUP = either(
    r"<[!/a-zA-Z][^>]*>|&#?\w+;|[\u200b-\u200f\u2060\ufeff]|\bdata-\w+=|\bclass=",
    r"[\[({][^\])}]*\b(?:answer|key|correct|solution)\s*[:=][^\])}]*[\])}]",
)
RUN = 10  # words of a rationale in a row


@of_sound("L31")
def sealed(item: Item) -> Found:
    """Nothing that a student is handed holds a rationale, a key, or a name that tells which option is the key."""
    public = _handed(item)
    page = "" if item.bands else static_html("", [public])  # a page of films shows no text that the rest does not
    handed = plain(f"{json.dumps(public, ensure_ascii=False)} {page}")
    leak = next((run for _, text in explained(item) for run in _runs(text) if run in handed), "")
    if leak:
        yield Flaw(_where(item, leak), f"what students get holds {quoted(leak)} of a rationale", "leave it out")
    for path, text in seen(item):
        hidden = MARKUP.search(text)
        if hidden:
            yield Flaw(path, f"{hidden[0]!r} is not for students", "leave it out")
        named = next((key for ask in asks(item) for key in ask.keys if _labelled(key.text, text)), None)
        if named:
            yield Flaw(path, f"{quoted(named.text)} is called right", "leave it out")
        code = next((code for code in CODED.findall(text) if _decoded(code, item)), "")
        if code:
            yield Flaw(path, f"{quoted(code)} is the key in another coding", "leave it out")
    for path, part in _named(item):
        if TELLING[bool(part.key)].search(part.id) and not _has_sides(item):
            yield Flaw((*path, "id"), f"the id {part.id} tells whether it is right", "name it by what it is")


def _labelled(answer: str, text: str) -> bool:
    """Say whether a text gives an answer after a word such as correct."""
    return any(f" {label} {plain(answer)} " in f" {plain(text)} " for label in ("correct", "answer", "solution", "key"))


def _handed(item: Item) -> dict[str, Any]:
    """Return what a student gets of a question, but for pictures and films, which hold no text of it."""
    public = replace(item, image=None).public("a student's seed")
    return {name: part for name, part in public.items() if name != "task"}


def _named(item: Item) -> Iterator[tuple[schema.Path, items.Option | items.Region]]:
    for ask in asks(item):
        yield from (((*ask.place, i), option) for i, option in enumerate(ask.options))
    yield from ((("regions", i), region) for i, region in enumerate(item.regions))


def _has_sides(item: Item) -> bool:
    return any("left" in part.id for _, part in _named(item))


def _runs(text: str) -> Iterator[str]:
    """Yield pieces of RUN words, so close that no passage twice as long is missed; of a short text the whole."""
    listed = plain(text).split()
    yield from (" ".join(listed[i : i + RUN]) for i in range(0, max(len(listed) - RUN, 0) + 1, RUN // 2))


def _where(item: Item, run: str) -> schema.Path:
    held = (path for path, text in seen(item) if run in plain(text))
    return next(held, ())


def _decoded(code: str, item: Item) -> bool:
    """Say whether a word is the text, id or rationale of a key in base64 or in hexadecimal digits."""
    telling = [key.text for ask in asks(item) for key in ask.keys] + [text for _, text in explained(item)]
    telling += [key.id for ask in asks(item) for key in ask.keys] + [region.id for region in item.regions if region.key]
    for said in _readings(code):
        if any(part.casefold() in said or said.strip() in part.casefold() for part in telling if len(said) > 3):
            return True
        if re.search(r"\b(?:key|correct|answer|right)\b", said):
            return True
    return False


def _readings(code: str) -> Iterator[str]:
    for decode in (
        lambda text: base64.b64decode(text + "=" * (-len(text) % 4), altchars=None, validate=True),
        bytes.fromhex,
    ):
        try:
            said = decode(code).decode("utf-8")
        except (ValueError, binascii.Error):
            continue
        if said.isprintable():
            yield said.casefold()


# --- L32: enough of each ----------------------------------------------------------------------------------------------


@of_course("L32")
def enough(course: Course) -> FoundInCourse:
    """When the whole course is linted, its practice banks leave no gap in the blueprint."""
    if not course.whole:
        return
    from vertebra.quiz.blueprint import gaps

    practice = [bank for bank in course.banks if bank.use == "practice"]
    named = {item.id: (bank, item) for bank, item in course.items("practice")}
    lessons = {bank.lesson: bank for bank in practice}
    for gap in gaps(practice):
        bank, item = named.get(gap.place, (lessons.get(gap.place, course.banks[0]), None))
        yield bank, item, Flaw((), f"{gap.place}: {gap.what}" if item is None else gap.what, gap.mend)
