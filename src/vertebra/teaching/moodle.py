"""Export a quiz with its key as Moodle XML, for Moodle's question bank.

A question is held only where Moodle's own arithmetic gives the same share of credit as `scoring.score`:

    single_best_answer, hotspot (by the names of its places), stop_decision   multichoice, one answer
    multiple_response                    multichoice with fractions, or match (applies, does not apply), by its rule
    numeric                              numerical with an absolute tolerance
    ordering                             ordering, whose grading types hold all three rules
    matching                             match with spare answers
    key_feature                          Cloze, a MULTIRESPONSE for each decision, where its fractions can be found

Sources: Moodle's import format (question/format/xml) and the grading of its question types.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET

from vertebra.quiz import scoring
from vertebra.quiz.static import most
from vertebra.teaching import exports
from vertebra.teaching.exports import Exported, Picture, Refused
from vertebra.teaching.key import Key, Question

# The percentages that Moodle's import takes; it refuses a question with any other.
PERCENTAGES: tuple[float, ...] = (
    *(100, 90, 83.33333, 80, 75, 70, 66.66667, 60, 50, 40, 33.33333, 30, 25, 20, 16.66667, 14.28571, 12.5),
    *(11.11111, 10, 5, 0),
)
ROUNDED = 1e-6  # of a share; three times 33.33333 % is not quite 1, and Moodle takes it for right
GRADING = {
    "all_or_nothing": "ALL_OR_NOTHING",
    "adjacent_pairs": "RELATIVE_NEXT_EXCLUDE_LAST",
    "all_pairs": "RELATIVE_ALL_PREVIOUS_AND_NEXT",
}
MOST_TICKED = 12  # options of which every choice is tried out, to see that Moodle's sum is ours
CERTAINTY = (
    "how sure the student is belongs to a Moodle quiz, not to its questions: choose the behaviour Deferred feedback "
    "with CBM there, which has the same marks"
)
UNTOUCHED = "Moodle grades an order that was left as it stood, which here is not answered"
BY_NAME = "asked by the names of its places; Moodle's drag markers need a picture of pixels"


def export_moodle(key: Key, out: Path | str) -> Exported:
    """Write a build of a quiz as Moodle XML. Raises TeachingError when nothing of it can be held, and OSError."""
    questions, refused, notes = exports.sort_out(key, _question, CERTAINTY)
    quiz = ET.Element("quiz")
    category = ET.SubElement(quiz, "question", type="category")
    _text(category, "category", f"$course$/top/{key.title.replace('/', '//')}")
    quiz.extend(questions)
    ET.indent(quiz)
    content = ET.tostring(quiz, encoding="utf-8", xml_declaration=True)
    return exports.write_export(Path(out), content + b"\n", key, "Moodle", refused, notes)


def _question(question: Question) -> tuple[ET.Element, str]:
    """Return the question in Moodle XML and what is to be said of it. Raises Refused."""
    key = question.key
    match key["format"]:
        case "single_best_answer":
            shares = {name: float(name == key["key"]) for name in exports.texts(question, "options")}
            return _multichoice(question, exports.texts(question, "options"), shares), ""
        case "hotspot":
            shares = {name: float(name == key["key"]) for name in exports.texts(question, "regions")}
            return _multichoice(question, exports.texts(question, "regions"), shares), BY_NAME
        case "stop_decision":
            return _stop_decision(question), ""
        case "multiple_response":
            return _multiple_response(question)
        case "numeric":
            return _numerical(question), ""
        case "ordering":
            return _ordering(question), UNTOUCHED
        case "matching":
            pairs = [(text, key["key"][name]) for name, text in exports.texts(question, "prompts").items()]
            return _match(question, pairs, exports.texts(question, "options")), ""
        case "key_feature":
            return _cloze(question)
    raise Refused(exports.NEEDS_THE_COURSE)


def _multichoice(
    question: Question, texts: Mapping[str, str], shares: Mapping[str, float], single: bool = True, films: bool = False
) -> ET.Element:
    """Return a multichoice question; shares: {option: what ticking it adds}, by Moodle's list."""
    percentages = {name: percentage(share) for name, share in shares.items()}
    if None in percentages.values():
        shown = ", ".join(f"{100 * share:g} %" for name, share in shares.items() if percentages[name] is None)
        raise Refused(f"Moodle's list of grades has no {shown}; hand this question out with `vertebra quiz assign`")
    made = _begin(question, "multichoice", films=films)
    for name, value in (("single", single), ("shuffleanswers", False)):
        ET.SubElement(made, name).text = str(value).lower()
    ET.SubElement(made, "answernumbering").text = "abc"
    ET.SubElement(made, "showstandardinstruction").text = "0"
    for name, text in texts.items():
        answer = ET.SubElement(made, "answer", fraction=_number(percentages[name] or 0), format="html")
        ET.SubElement(answer, "text").text = exports.paragraphs(text)
        why = " ".join(filter(None, (question.mistakes.get(name), question.rationales.get(name))))
        _text(answer, "feedback", exports.paragraphs(why), html=True)
    return made


def _stop_decision(question: Question) -> ET.Element:
    films = question.public["task"]["films"]
    texts = {f"f{place}": f"After film {place + 1}: {film['caption']}" for place, film in enumerate(films)}
    return _multichoice(question, texts, exports.film_shares(question), films=True)


def _multiple_response(question: Question) -> tuple[ET.Element, str]:
    key, texts = question.key, exports.texts(question, "options")
    shares = tick_shares(key["options"], key["key"], (), lambda ticked: scoring.score(key, list(ticked)))
    if shares:
        return _multichoice(question, texts, shares, single=False), ""
    if key["scoring"] == "each_option":
        pairs = [(text, "yes" if name in key["key"] else "no") for name, text in texts.items()]
        made = _match(question, pairs, {"yes": "applies", "no": "does not apply"}, "Say of each line if it applies.")
        return made, "asked line by line (applies, does not apply), as Moodle has no credit for what is left unticked"
    what = f"Moodle cannot score {len(key['key'])} keys by the rule {key['scoring']}"
    raise Refused(f"{what}; give it scoring: each_option or net_correct, or hand it out with `vertebra quiz assign`")


def _numerical(question: Question) -> ET.Element:
    key, unit = question.key, question.public.get("unit", "")
    made = _begin(question, "numerical", f"Write one number, in {unit}." if unit else "")
    answers = [(100, key["value"], key["tolerance"], "")]
    answers += [(0, slip["value"], key["tolerance"], slip["rationale"]) for slip in question.slips]
    for fraction, value, tolerance, why in answers:
        answer = ET.SubElement(made, "answer", fraction=str(fraction), format="moodle_auto_format")
        ET.SubElement(answer, "text").text = _number(value)
        _text(answer, "feedback", exports.paragraphs(why), html=True)
        ET.SubElement(answer, "tolerance").text = _number(tolerance)
    for name, value in (("unitgradingtype", 0), ("unitpenalty", 0), ("showunits", 3), ("unitsleft", 0)):
        ET.SubElement(made, name).text = str(value)
    return made


def _ordering(question: Question) -> ET.Element:
    made, texts = _begin(question, "ordering"), exports.texts(question, "steps")
    settings = {"layouttype": "VERTICAL", "selecttype": "ALL", "selectcount": "0", "showgrading": "HIDE"}
    for name, value in (settings | {"gradingtype": GRADING[question.key["scoring"]]}).items():
        ET.SubElement(made, name).text = value
    for place, step in enumerate(question.key["key"], 1):
        answer = ET.SubElement(made, "answer", fraction=str(place), format="html")
        ET.SubElement(answer, "text").text = escape(exports.clean(texts[step]))
    return made


def _match(
    question: Question, pairs: Sequence[tuple[str, str]], answers: Mapping[str, str], hint: str = ""
) -> ET.Element:
    """Return a match question; pairs: (line, id of its answer). An answer of no line stands without one, as a spare."""
    made = _begin(question, "match", hint)
    ET.SubElement(made, "shuffleanswers").text = "false"
    spare = [("", name) for name in answers if name not in {answer for _, answer in pairs}]
    for line, name in [*pairs, *spare]:
        sub = ET.SubElement(made, "subquestion", format="html")
        ET.SubElement(sub, "text").text = exports.paragraphs(line)
        _text(sub, "answer", exports.clean(answers[name]))
    return made


def _cloze(question: Question) -> tuple[ET.Element, str]:
    key, decisions = question.key["decisions"], []
    for decision in question.public["decisions"]:
        each = key[decision["id"]]

        def share(ticked: Sequence[str], each: scoring.Key = each) -> float:
            return scoring.decision_share(each, ticked)

        shares = tick_shares(each["options"], each["key"], each["harms"], share)
        if not shares:
            what = f"Moodle's sum of fractions cannot hold how {decision['text']!r} is scored"
            raise Refused(f"{what}; hand this question out with `vertebra quiz assign`")
        options = "~".join(
            f"%{_number(percentage(shares[option['id']]) or 0)}%{_cloze_text(option['text'])}"
            f"#{_cloze_text(question.rationales.get(option['id'], ''))}"
            for option in decision["options"]
        )
        says = f"{exports.paragraphs(decision['text'])}<p>{most(decision['choose']).capitalize()}.</p>"
        decisions.append(f"{says}<div>{{1:MULTIRESPONSE:{options}}}</div>")
    made = _begin(question, "cloze", more="".join(decisions))
    whole = f"{question.points:g} point{'s' if question.points != 1 else ''}"
    return made, f"Moodle makes it worth {len(decisions)}, one for each decision; set its mark in the quiz to {whole}"


def tick_shares(
    options: Sequence[str], key: Sequence[str], harms: Sequence[str], share: Callable[[Sequence[str]], float]
) -> dict[str, float] | None:
    """Return {option: fraction} whose sum over the ticked ones, cut to 0 to 1, is `share` for every choice, or None."""
    if len(options) > MOST_TICKED or percentage(1 / len(key)) is None:
        return None
    for wrong in (-1 / len(key), -1.0):
        shares = {name: 1 / len(key) if name in key else -1.0 if name in harms else wrong for name in options}
        if all(
            abs(min(1.0, max(0.0, sum(shares[name] for name in ticked))) - share(ticked)) < ROUNDED
            for ticked in exports.subsets(options)
        ):
            return shares
    return None


def percentage(share: float) -> float | None:
    """Return a share as the percentage of Moodle's list that it is, None if it is not on the list."""
    found = [listed for listed in PERCENTAGES if abs(listed - abs(100 * share)) < 1e-5]
    return None if not found else found[0] if share >= 0 else -found[0]


def _begin(question: Question, kind: str, hint: str = "", more: str = "", films: bool = False) -> ET.Element:
    """Return a question with what every kind has: name, text with its pictures, feedback and points."""
    made = ET.Element("question", type=kind)
    _text(made, "name", question.bank_id)
    pictures: list[Picture] = []
    image = question.public.get("image")
    if image:
        pictures.append(exports.picture(question.id, image["uri"]))
    shown = exports.asked(question, f"@@PLUGINFILE@@/{pictures[0].name}" if image else "", hint) + more
    if films:
        for picture, film in exports.film_pictures(question):
            pictures.append(picture)
            said = f"{escape(exports.clean(film['caption']))}<br />"
            alt = escape(exports.clean(film["alt"]))
            shown += f'<p>{said}<img src="@@PLUGINFILE@@/{picture.name}" alt="{alt}" width="300" /></p>'
        shown += exports.paragraphs(question.public["task"]["note"]) + exports.film_rubric(question)
    text = _text(made, "questiontext", shown, html=True)
    for each in pictures:
        file = ET.SubElement(text, "file", name=each.name, path="/", encoding="base64")
        file.text = base64.b64encode(each.content).decode()
    _text(made, "generalfeedback", exports.explained(question), html=True)
    if kind != "cloze":  # its worth is the sum of its parts
        ET.SubElement(made, "defaultgrade").text = _number(question.points)
    ET.SubElement(made, "penalty").text = "0"
    ET.SubElement(made, "hidden").text = "0"
    ET.SubElement(made, "idnumber").text = question.bank_id
    return made


def _text(parent: ET.Element, name: str, text: str, html: bool = False) -> ET.Element:
    made = ET.SubElement(parent, name, {"format": "html"} if html else {})
    ET.SubElement(made, "text").text = exports.clean(text)
    return made


def _cloze_text(text: str) -> str:
    """Return a text inside a Cloze field: escaped for HTML, and then for the signs that part its answers."""
    return re.sub(r"([\\}#~/\"{])", r"\\\1", escape(exports.clean(text), quote=False))


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(float(value))
