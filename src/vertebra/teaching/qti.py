"""Export a quiz with its key as a QTI 2.1 content package: a zip with a manifest, a test, its items and pictures.

Each item's responseProcessing computes SCORE, the share of credit of `scoring.score`, from 0 to 1; a question that is
not answered earns 0. The test weights it by the question's points. All formats but the needle path are held.

Source: IMS Question and Test Interoperability, Assessment Test, Section and Item Information Model, version 2.1.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from vertebra.quiz.static import HINTS
from vertebra.teaching import exports
from vertebra.teaching.exports import Exported, Picture, Refused
from vertebra.teaching.key import Key, Question

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
CP = "http://www.imsglobal.org/xsd/imscp_v1p1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LOCATIONS = {
    QTI: "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd",
    CP: "http://www.imsglobal.org/xsd/qti/qtiv2p1/qtiv2p1_imscpv1p2_v1p0.xsd",
}
RESPONSE = "RESPONSE"
FIRST = (1980, 1, 1, 0, 0, 0)  # the same build gives the same zip, byte for byte
CERTAINTY = "QTI cannot ask how sure the student is, so the quiz is exported without certainty marking"


@dataclass(frozen=True)
class _Item:
    """An item's file and what it shows; points weight it in the test."""

    name: str
    points: float
    root: ET.Element
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class _Body:
    """What differs between the formats: response declarations, interactions, processing, and films as pictures."""

    declared: Sequence[ET.Element]
    interactions: Sequence[ET.Element]
    processing: Sequence[ET.Element]
    pictures: Sequence[Picture] = ()
    outcomes: Sequence[ET.Element] = ()
    hint: str = ""
    shows_image: bool = True


def export_qti(key: Key, out: Path | str) -> Exported:
    """Write a build of a quiz as a QTI 2.1 package. Raises TeachingError when none of it can be held, and OSError."""
    items, refused, notes = exports.sort_out(key, lambda question: (_item(question), ""), CERTAINTY)
    files: dict[str, bytes] = {"imsmanifest.xml": _xml(_manifest(items)), "test.xml": _xml(_test(key, items))}
    for item in items:
        files[f"items/{item.name}.xml"] = _xml(item.root)
        files |= {f"items/{picture.name}": picture.content for picture in item.pictures}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, FIRST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)
    return exports.write_export(Path(out), packed.getvalue(), key, "QTI 2.1", refused, notes)


# --- The package ------------------------------------------------------------------------------------------------------


def _manifest(items: Sequence[_Item]) -> ET.Element:
    root = _root("manifest", CP, identifier="MANIFEST")
    about = _add(root, "metadata")
    _add(about, "schema", text="QTIv2.1 Package")
    _add(about, "schemaversion", text="1.0.0")
    _add(root, "organizations")
    resources = _add(root, "resources")
    test = _add(resources, "resource", identifier="TEST", type="imsqti_test_xmlv2p1", href="test.xml")
    _add(test, "file", href="test.xml")
    for item in items:
        _add(test, "dependency", identifierref=f"RES-{item.name}")
    for item in items:
        href = f"items/{item.name}.xml"
        resource = _add(resources, "resource", identifier=f"RES-{item.name}", type="imsqti_item_xmlv2p1", href=href)
        for file in (href, *(f"items/{picture.name}" for picture in item.pictures)):
            _add(resource, "file", href=file)
    return root


def _test(key: Key, items: Sequence[_Item]) -> ET.Element:
    root = _root("assessmentTest", QTI, identifier=f"QUIZ-{key.quiz}", title=exports.clean(key.title))
    root.append(_outcome("SCORE", "float", 0))
    part = _add(root, "testPart", identifier="PART", navigationMode="nonlinear", submissionMode="simultaneous")
    section = _add(part, "assessmentSection", identifier="SECTION", title=exports.clean(key.title), visible="true")
    for item in items:
        reference = _add(section, "assessmentItemRef", identifier=item.name, href=f"items/{item.name}.xml")
        _add(reference, "weight", identifier="POINTS", value=repr(float(item.points)))
    total = _make("sum", _make("testVariables", variableIdentifier="SCORE", weightIdentifier="POINTS"))
    root.append(_make("outcomeProcessing", _set("SCORE", total)))
    return root


def _item(question: Question) -> _Item:
    """Return the question as an item. Raises Refused."""
    body = _body(question)
    pictures = list(body.pictures)
    image = question.public.get("image")
    source = ""
    if image:
        pictures.append(exports.picture(question.id, image["uri"]))
        source = pictures[-1].name if body.shows_image else ""
    root = _root(
        "assessmentItem",
        QTI,
        identifier=f"ITEM-{question.bank_id}",
        title=question.bank_id,
        adaptive="false",
        timeDependent="false",
    )
    root.extend(body.declared)
    root.extend([_outcome("SCORE", "float", 0), _outcome("MAXSCORE", "float", 1), _outcome("FEEDBACK", "identifier")])
    root.extend(body.outcomes)
    shown = _add(root, "itemBody")
    shown.extend(_html(exports.asked(question, source, body.hint)))
    shown.extend(body.interactions)
    worked = _set("FEEDBACK", _value("identifier", "WORKED"))
    root.append(_make("responseProcessing", *body.processing, worked))
    feedback = _add(root, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier="WORKED", showHide="show")
    feedback.extend(_html(exports.explained(question)))
    return _Item(question.id, question.points, root, tuple(pictures))


# --- One function for each kind of interaction ------------------------------------------------------------------------


def _body(question: Question) -> _Body:
    match question.key["format"]:
        case "single_best_answer" | "stop_decision":
            return _one_choice(question)
        case "multiple_response":
            return _many_choices(question)
        case "numeric":
            return _number(question)
        case "ordering":
            return _order(question)
        case "matching":
            return _match(question)
        case "hotspot":
            return _hotspot(question)
        case "key_feature":
            return _decisions(question)
    raise Refused(exports.NEEDS_THE_COURSE)


def _one_choice(question: Question) -> _Body:
    films: list[Picture] = []
    if question.key["format"] == "stop_decision":
        shares, parts = exports.film_shares(question), {}
        for place, (picture, film) in enumerate(exports.film_pictures(question)):
            films.append(picture)
            shown = _make("img", src=picture.name, alt=exports.clean(film["alt"]))
            parts[f"f{place}"] = [_make("p", text=f"After film {place + 1}: {film['caption']}"), _make("p", shown)]
        right = [f"f{question.key['example']['frame']}"]
        extra = [*_html(exports.paragraphs(question.public["task"]["note"]) + exports.film_rubric(question))]
    else:
        right, extra = [question.key["key"]], []
        parts = {name: [_make("p", text=text)] for name, text in exports.texts(question, "options").items()}
        shares = {name: float(name in right) for name in parts}
    declared = _response(RESPONSE, "single", "identifier", right, shares)
    interaction = _choice(RESPONSE, parts, most=1)
    return _Body([declared], [*extra, interaction], [_if_answered(_set("SCORE", _mapped(RESPONSE)))], films)


def _many_choices(question: Question) -> _Body:
    key, n = question.key, len(question.key["options"])
    parts = {name: [_make("p", text=text)] for name, text in exports.texts(question, "options").items()}
    signs = {name: 1.0 if name in key["key"] else -1.0 for name in key["options"]}
    right = len(key["key"])
    match key["scoring"]:
        case "all_or_nothing":
            declared = _response(RESPONSE, "multiple", "identifier", key["key"])
            processing = _if(_make("match", _variable(RESPONSE), _make("correct", identifier=RESPONSE)), _score(1))
        case "each_option":
            declared = _response(RESPONSE, "multiple", "identifier", key["key"], signs)
            settled = _make("sum", _mapped(RESPONSE), _value("float", float(n - right)))
            processing = _if_answered(_set("SCORE", _make("divide", settled, _value("float", float(n)))))
        case "net_correct":
            declared = _response(RESPONSE, "multiple", "identifier", key["key"], signs, lower=0)
            share = _make("divide", _mapped(RESPONSE), _value("float", float(right)))
            processing = _if_answered(_set("SCORE", share))
        case other:
            raise Refused(f"there is no scoring rule {other!r}; make the key again")
    return _Body([declared], [_choice(RESPONSE, parts, most=0)], [processing])


def _number(question: Question) -> _Body:
    key = question.key
    slack = float(key["tolerance"]) * (1 + 1e-9) + 1e-12  # that of scoring.numeric, which absorbs binary rounding
    near = _make(
        "equal",
        _variable(RESPONSE),
        _make("correct", identifier=RESPONSE),
        toleranceMode="absolute",
        tolerance=f"{slack!r} {slack!r}",
    )
    entry = _make("p", _make("textEntryInteraction", responseIdentifier=RESPONSE, expectedLength="12"))
    entry[0].tail = f" {exports.clean(question.public.get('unit') or '')}"
    declared = _response(RESPONSE, "single", "float", [repr(float(key["value"]))])
    return _Body([declared], [entry], [_if_answered(_if(near, _score(1)))])


def _order(question: Question) -> _Body:
    key, steps = question.key, question.key["key"]
    interaction = _make("orderInteraction", responseIdentifier=RESPONSE, shuffle="false")
    for name, text in exports.texts(question, "steps").items():
        _add(interaction, "simpleChoice", identifier=name, text=text)
    declared = _response(RESPONSE, "ordered", "identifier", steps)
    if key["scoring"] == "all_or_nothing":
        whole = _make("match", _variable(RESPONSE), _make("correct", identifier=RESPONSE))
        return _Body([declared], [interaction], [_if(whole, _score(1))])
    # QTI has no operator for the place of a step, so each place is looked up first.
    places = [
        _if(
            _make("match", _make("index", _variable(RESPONSE), n=str(place)), _value("identifier", step)),
            _set(f"PLACE-{step}", _value("integer", place)),
        )
        for step in steps
        for place in range(1, len(steps) + 1)
    ]
    if key["scoring"] == "adjacent_pairs":
        pairs = list(pairwise(steps))
        right = [
            _make(
                "equal",
                _variable(f"PLACE-{b}"),
                _make("sum", _variable(f"PLACE-{a}"), _value("integer", 1)),
                toleranceMode="exact",
            )
            for a, b in pairs
        ]
    else:
        pairs = list(combinations(steps, 2))
        right = [_make("lt", _variable(f"PLACE-{a}"), _variable(f"PLACE-{b}")) for a, b in pairs]
    counts = [_if(each, _set("SCORE", _make("sum", _variable("SCORE"), _value("float", 1.0)))) for each in right]
    share = _set("SCORE", _make("divide", _variable("SCORE"), _value("float", float(len(pairs)))))
    outcomes = [_outcome(f"PLACE-{step}", "integer", 0) for step in steps]
    return _Body([declared], [interaction], [_if_answered(*places, *counts, share)], outcomes=outcomes)


def _match(question: Question) -> _Body:
    pairs = question.key["key"]
    prompts, options = exports.texts(question, "prompts"), exports.texts(question, "options")
    interaction = _make(
        "matchInteraction", responseIdentifier=RESPONSE, shuffle="false", maxAssociations=str(len(prompts))
    )
    for group, most in ((prompts, 1), (options, len(prompts))):
        side = _add(interaction, "simpleMatchSet")
        for name, text in group.items():
            _add(side, "simpleAssociableChoice", identifier=name, matchMax=str(most), text=text)
    right = {f"{prompt} {option}": 1.0 for prompt, option in pairs.items()}
    declared = _response(RESPONSE, "multiple", "directedPair", list(right), right)
    share = _make("divide", _mapped(RESPONSE), _value("float", float(len(pairs))))
    return _Body([declared], [interaction], [_if_answered(_set("SCORE", share))])


def _hotspot(question: Question) -> _Body:
    key, image = question.key, question.public["image"]
    picture = exports.picture(question.id, image["uri"])
    interaction = _make("hotspotInteraction", responseIdentifier=RESPONSE, maxChoices="1")
    size = {side: str(round(image[side])) for side in ("width", "height")}
    _add(interaction, "object", text=image["alt"], data=picture.name, type=picture.media_type, **size)
    for name, text in exports.texts(question, "regions").items():
        coords = ",".join(str(round(number)) for point in key["polygons"][name] for number in point)
        _add(interaction, "hotspotChoice", identifier=name, shape="poly", coords=coords, hotspotLabel=text)
    declared = _response(RESPONSE, "single", "identifier", [key["key"]])
    right = _make("match", _variable(RESPONSE), _make("correct", identifier=RESPONSE))
    return _Body([declared], [interaction], [_if(right, _score(1))], shows_image=False)


def _decisions(question: Question) -> _Body:
    declared, interactions, processing, outcomes = [], [], [], []
    names = []
    for place, decision in enumerate(question.public["decisions"], 1):
        each, name, share = question.key["decisions"][decision["id"]], f"{RESPONSE}-{place}", f"SHARE-{place}"
        signs = {option: 1.0 if option in each["key"] else -1.0 for option in each["options"]}
        declared.append(_response(name, "multiple", "identifier", each["key"], signs, lower=0))
        outcomes.append(_outcome(share, "float", 0))
        parts = {option["id"]: [_make("p", text=option["text"])] for option in decision["options"]}
        interaction = _choice(name, parts, most=0)
        interaction.insert(0, _make("prompt", text=f"{decision['text']} {exports.at_most(decision['choose'])}"))
        interactions.append(interaction)
        spoilt = _make("gt", _make("containerSize", _variable(name)), _value("integer", each["choose"]))
        harms = [_make("member", _value("identifier", option), _variable(name)) for option in each["harms"]]
        fine = _make("not", _make("or", spoilt, *harms))
        earned = _make("divide", _mapped(name), _value("float", float(len(each["key"]))))
        processing.append(_if_answered(_if(fine, _set(share, earned)), response=name))
        names.append(share)
    total = _make("sum", *map(_variable, names))
    processing.append(_set("SCORE", _make("divide", total, _value("float", float(len(names))))))
    hint = HINTS["key_feature"]
    return _Body(declared, interactions, processing, outcomes=outcomes, hint=hint)


# --- Elements ---------------------------------------------------------------------------------------------------------


def _make(tag: str, *children: ET.Element, text: str | None = None, **attributes: str) -> ET.Element:
    made = ET.Element(tag, {name: exports.clean(value) for name, value in attributes.items()})
    made.text = None if text is None else exports.clean(text)
    made.extend(children)
    return made


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    made = _make(tag, text=text, **attributes)
    parent.append(made)
    return made


def _root(tag: str, namespace: str, **attributes: str) -> ET.Element:
    where = {"xmlns": namespace, "xmlns:xsi": XSI, "xsi:schemaLocation": f"{namespace} {LOCATIONS[namespace]}"}
    return ET.Element(tag, where | attributes)


def _html(text: str) -> Iterable[ET.Element]:
    return list(ET.fromstring(f"<div>{text}</div>"))


def _xml(root: ET.Element) -> bytes:
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _response(
    name: str,
    cardinality: str,
    base: str,
    right: Sequence[str],
    mapping: Mapping[str, float] | None = None,
    lower: float | None = None,
) -> ET.Element:
    made = _make("responseDeclaration", identifier=name, cardinality=cardinality, baseType=base)
    correct = _add(made, "correctResponse")
    for value in right:
        _add(correct, "value", text=value)
    if mapping:
        bound = {} if lower is None else {"lowerBound": repr(float(lower))}
        table = _add(made, "mapping", defaultValue="0", **bound)
        for entry, share in mapping.items():
            _add(table, "mapEntry", mapKey=entry, mappedValue=repr(float(share)))
    return made


def _outcome(name: str, base: str, default: float | None = None) -> ET.Element:
    made = _make("outcomeDeclaration", identifier=name, cardinality="single", baseType=base)
    if default is not None:
        _add(_add(made, "defaultValue"), "value", text=str(default))
    return made


def _choice(response: str, parts: Mapping[str, Sequence[ET.Element]], most: int) -> ET.Element:
    """Return a choice interaction; most: how many may be ticked, 0 for any number."""
    made = _make("choiceInteraction", responseIdentifier=response, shuffle="false", maxChoices=str(most))
    for name, shown in parts.items():
        made.append(_make("simpleChoice", *shown, identifier=name))
    return made


def _variable(name: str) -> ET.Element:
    return _make("variable", identifier=name)


def _mapped(name: str) -> ET.Element:
    return _make("mapResponse", identifier=name)


def _value(base: str, value: Any) -> ET.Element:
    return _make("baseValue", baseType=base, text=str(value))


def _set(name: str, value: ET.Element) -> ET.Element:
    return _make("setOutcomeValue", value, identifier=name)


def _score(share: float) -> ET.Element:
    return _set("SCORE", _value("float", float(share)))


def _if(condition: ET.Element, *rules: ET.Element) -> ET.Element:
    return _make("responseCondition", _make("responseIf", condition, *rules))


def _if_answered(*rules: ET.Element, response: str = RESPONSE) -> ET.Element:
    return _if(_make("not", _make("isNull", _variable(response))), *rules)
