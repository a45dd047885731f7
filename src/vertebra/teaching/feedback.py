"""Feedback to one student: a page of HTML that needs nothing else, to read on a screen or on paper.

Every answer is marked in words; colour and border only repeat them. Whatever came from a file is escaped.
"""

import reprlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from string import ascii_lowercase
from typing import Any

from vertebra.quiz.page import page as html_page
from vertebra.quiz.scoring import decision_share, inside, measured, numeric, setting
from vertebra.quiz.static import most, percent, standing
from vertebra.quiz.tasks import needle_lines
from vertebra.teaching.key import Key, Question
from vertebra.teaching.marking import Mark, Marked, in_points, number

SURE = {1: "not very sure", 2: "fairly sure", 3: "very sure"}
RIGHT, YOURS = "✓ Right answer", "➜ Your answer"
HARMS = ' <span class="tag">Harms the patient</span>'

STYLE = """section { margin-top: 1.5rem; padding-top: 1.25rem; border-top: 2px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 1rem; }
dt { color: var(--soft); } dd { margin: 0; font-weight: 600; }
ul, ol { padding-left: 0; list-style: none; }
li { margin: .5rem 0; padding: .5rem .75rem; border: 1px solid var(--line); border-left-width: 5px;
  border-radius: 4px; }
li p { margin: .25rem 0 0; }
.good { border-color: var(--good); background: var(--good-paper); }
.bad { border-color: var(--bad); background: var(--bad-paper); }
p.bad { padding: .5rem .75rem; border-left: 5px solid var(--bad); }
.tag { margin-right: .25rem; font-size: .9rem; font-weight: 700; white-space: nowrap; }
.stem { font-weight: 600; }
"""

# The same few hundred texts go into every student's page.
_e = lru_cache(maxsize=10_000)(escape)


def page(key: Key, marked: Marked) -> str:
    """Return the feedback page of one student."""
    title = f"Feedback: {key.title}"
    body = "\n".join(_section(i, mark, key.certainty) for i, mark in enumerate(marked.marks, 1))
    return html_page(
        f"{title} – {marked.student}",
        f"<h1>{_e(title)}</h1>\n{_summary(key, marked)}\n"
        f'<p class="soft">{standing(question.public for question in key.items)}</p>\n{body}',
        STYLE,
    )


def _summary(key: Key, marked: Marked) -> str:
    rows = [
        ("Student code", marked.student),
        ("Saved", marked.saved.replace("T", " ").replace("Z", " UTC")),
        ("Result", f"{_points(marked.total, marked.maximum)} ({marked.percent:.1f} %)"),
    ]
    about = ""
    if key.certainty:
        most = number(3 * marked.maximum)
        rows += [
            ("Certainty marks", f"{number(marked.certainty_marks)} of {most}"),
            ("Certainty bonus", f"{marked.certainty_bonus:+.1f} percentage points"),
            ("Result with bonus", f"{marked.percent_plus_bonus:.1f} %"),
        ]
        about = (
            '<p class="soft">A right answer earns 1, 2 or 3 certainty marks, a wrong one loses 0, 2 or 6. The bonus '
            "rewards telling sure from unsure: it compares your certainty marks with what the same answers would have "
            "earned at one fixed certainty.</p>"
        )
    notes = "".join(f'<p class="bad">Note: {_e(note)}</p>' for note in marked.notes)
    table = "".join(f"<dt>{_e(name)}</dt><dd>{_e(value)}</dd>" for name, value in rows)
    return f"<dl>{table}</dl>{about}{notes}"


def _section(place: int, mark: Mark, certainty: bool) -> str:
    public = mark.question.public
    lines = [
        f'<section aria-labelledby="q{place}">',
        f'<h2 id="q{place}">Question {place}: {_points(mark.points, mark.question.points)}</h2>',
        *(f"<p>{_e(part)}</p>" for part in str(public.get("vignette") or "").split("\n\n") if part.strip()),
        *_picture(mark),
        f'<p class="stem">{_e(public["stem"])}</p>',
        *_given(mark, certainty),
        *ANSWERS[mark.question.key["format"]](mark.question, None if mark.note else mark.answer),
    ]
    if "" in mark.question.rationales:
        lines.append(f"<p>{_e(mark.question.rationales[''])}</p>")
    lines.append(f'<p class="soft">Sources: {_e(", ".join(mark.question.sources))}</p>\n</section>')
    return "\n".join(lines)


def _given(mark: Mark, certainty: bool) -> Iterator[str]:
    """Say what cannot be seen in the list of answers."""
    if mark.note:
        yield f'<p class="bad">Your answer {_e(reprlib.repr(mark.answer))}: {_e(mark.note)}.</p>'
    elif mark.answer is None:
        yield "<p>➜ You gave no answer.</p>"
    elif mark.answer == []:
        yield "<p>➜ You chose none of them.</p>"
    if certainty and mark.answer is not None and not mark.note:
        sure = SURE[mark.certainty] if mark.certainty else "not stated, counted as not very sure"
        earned = number(mark.certainty_mark)
        yield f'<p class="soft">Your certainty: {sure}. Certainty marks: {earned}.</p>'


def _points(got: float, of: float) -> str:
    return f"{number(got)} of {in_points(of)}"


def _picture(mark: Mark) -> Iterator[str]:
    """Show the picture; in a hotspot with the key's outline and the student's point drawn on it."""
    if "task" in mark.question.public:
        yield from _films(mark)
    image = mark.question.public.get("image")
    if not image or not image["uri"].startswith("data:image/"):
        return
    key = mark.question.key
    if key["format"] != "hotspot":
        yield f'<p><img src="{_e(image["uri"])}" alt="{_e(image["alt"])}"></p>'
        return
    width, height = image["width"], image["height"]
    unit = max(width, height) / 100
    outline = " ".join(f"{x:g},{y:g}" for x, y in key["polygons"][key["key"]])
    line = f'fill="none" stroke-width="{unit:g}"'
    shapes = [
        f'<image href="{_e(image["uri"])}" width="{width:g}" height="{height:g}"/>',
        f'<polygon points="{outline}" {line} stroke="#fff"/>',
        f'<polygon points="{outline}" {line} stroke="#00694f" stroke-dasharray="{2 * unit:g}"/>',
    ]
    legend = "Dashed outline: the right place."
    match None if mark.note else mark.answer:
        case {"point": [x, y]}:
            arms = f"M{x - 2 * unit:g} {y:g}h{4 * unit:g}M{x:g} {y - 2 * unit:g}v{4 * unit:g}"
            shapes.append(f'<path d="{arms}" stroke="#fff" stroke-width="{2 * unit:g}"/>')
            shapes.append(f'<path d="{arms}" stroke="#a8321a" stroke-width="{unit:g}"/>')
            legend += " Cross: your point."
    box = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    yield f'<svg {box} role="img" aria-label="{_e(image["alt"])} {_e(legend)}">{"".join(shapes)}</svg>'
    yield f'<p class="soft">{legend}</p>'


def _films(mark: Mark) -> Iterator[str]:
    """Show a task's films with the student's needle and a good one; of a stop the student's film and a good one."""
    task, key = mark.question.public["task"], mark.question.key
    answer = None if mark.note else mark.answer
    if key["format"] == "stop_decision":
        for name, given in (("You stopped here", answer), ("A good moment to stop", key["example"])):
            if given is not None:
                film = task["films"][int(given["frame"])]
                (x1, y1), (x2, y2) = task["line"]["ends"]
                ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
                dashes = f'<line {ends} stroke="#000" stroke-width="3"/>'
                dashes += f'<line {ends} stroke="#fff" stroke-width="2" stroke-dasharray="6 4"/>'
                yield _figure(film, [dashes], f"{name}: {film['caption']}. Dashed: {task['line']['says']}.")
        return
    paths = [("#00694f", 'stroke-dasharray="5 4"', needle_lines(task, key["example"]))]
    paths += [("#a8321a", "", needle_lines(task, answer))] if answer else []
    width = 2 * task["needle"]["radius"]
    for i, film in enumerate(task["films"]):
        shapes = []
        for colour, dash, lines in paths:
            (x1, y1), (x2, y2) = lines[i]
            ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            shapes.append(f'<line {ends} stroke="#fff" stroke-width="{width * film["scale"]:.1f}" opacity="0.75"/>')
            shapes.append(f'<line {ends} stroke="{colour}" stroke-width="{width * film["scale"] / 2:.1f}" {dash}/>')
        legend = "Dashed: a good path." + (" Solid: your path." if answer else "")
        yield _figure(film, shapes, f"{film['caption']}. {legend}")


def _figure(film: Mapping[str, Any], shapes: Sequence[str], legend: str) -> str:
    width, height = film["width"], film["height"]
    picture = f'<image href="{_e(film["uri"])}" width="{width:g}" height="{height:g}"/>{"".join(shapes)}'
    box = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    drawn = f'<svg {box} role="img" aria-label="{_e(film["alt"])} {_e(legend)}">{picture}</svg>'
    return f'{drawn}<p class="soft">{_e(legend)}</p>'


def _line(text: str, rationale: str, right: bool, yours: bool | None, more: str = "", mistake: str = "") -> str:
    """Return one entry of a list: what it says, whether it is right, whether the student chose it, and why.

    more: HTML to put behind the text. mistake: the belief behind a wrong one, said if the student chose it.
    """
    tags = [RIGHT] if right else []
    tags += [YOURS] if yours else []
    look = "good" if right else "bad" if yours else "plain"
    shown = "".join(f' <span class="tag">{tag}</span>' for tag in tags)
    behind = _believed(mistake) if yours and not right else ""
    return f'<li class="{look}">{_e(text)}{shown}{more}{behind}{_why(rationale)}</li>'


def _why(rationale: str) -> str:
    return f"<p>{_e(rationale)}</p>" if rationale else ""


def _believed(mistake: str) -> str:
    return f"<p><em>The mistake behind it: “{_e(mistake)}”</em></p>" if mistake else ""


def _list(entries: Iterable[str], tag: str = "ul") -> Iterator[str]:
    yield f"<{tag}>{''.join(entries)}</{tag}>"


def _options(question: Question, answer: Any) -> Iterator[str]:
    key = question.key["key"]
    keys = [key] if isinstance(key, str) else key
    chosen = [answer] if isinstance(answer, str) else answer or []
    return _list(_part(question, option, keys, chosen) for option in question.public["options"])


def _part(
    question: Question, part: Mapping[str, Any], keys: Collection[str], chosen: Collection[str], more: str = ""
) -> str:
    """Return the entry of an option or region."""
    name = part["id"]
    why, mistake = question.rationales.get(name, ""), question.mistakes.get(name, "")
    return _line(part["text"], why, name in keys, name in chosen, more, mistake)


def _decisions(question: Question, answer: Any) -> Iterator[str]:
    keys = question.key["decisions"]
    for letter, decision in zip(ascii_lowercase, question.public["decisions"], strict=False):
        key, chosen = keys[decision["id"]], (answer or {}).get(decision["id"]) or []
        yield f'<p class="stem">{letter}. {_e(decision["text"])} ({most(decision["choose"])})</p>'
        if answer is not None:
            yield f"<p>{_decided(key, chosen)}</p>"
        yield from _list(
            _part(question, option, key["key"], chosen, HARMS if option["id"] in key["harms"] else "")
            for option in decision["options"]
        )


def _decided(key: Mapping[str, Any], chosen: Sequence[str]) -> str:
    """Say what a decision earned, and why if it was nothing."""
    if not chosen:
        return "➜ You did not decide; this earns nothing."
    if len(chosen) > key["choose"]:
        return f"✗ Earns nothing: you chose {len(chosen)}, and at most {key['choose']} count."
    if set(chosen) & set(key["harms"]):
        return "✗ Earns nothing: a choice of yours harms the patient."
    share = decision_share(key, chosen)
    return f"{'✓' if share == 1 else '✗'} Earned: {100 * share:.0f} % of this decision."


def _regions(question: Question, answer: Any) -> Iterator[str]:
    chosen: list[str] = []
    match answer:
        case {"region": region}:
            chosen = [region]
        case {"point": [x, y]}:
            chosen = [name for name, polygon in question.key["polygons"].items() if inside(x, y, polygon)]
    return _list(_part(question, region, [question.key["key"]], chosen) for region in question.public["regions"])


def _number(question: Question, answer: Any) -> Iterator[str]:
    unit = question.public.get("unit") or ""
    value, tolerance = float(question.key["value"]), float(question.key["tolerance"])
    within = f" (accepted within {tolerance:.6g} {unit})".replace(" )", ")") if tolerance else ""
    entries = [_line(f"{value:.10g} {unit}".strip(), "", True, None, _e(within))]
    if answer is not None:
        slips = [
            _believed(slip.get("mistake", "")) + _why(slip["rationale"])
            for slip in question.slips
            if not numeric(question.key, answer) and numeric({**question.key, "value": slip["value"]}, answer)
        ]
        entries.append(f'<li class="plain">{YOURS}: {_e(f"{answer} {unit}".strip())}{"".join(slips)}</li>')
    return _list(entries)


def _steps(question: Question, answer: Any) -> Iterator[str]:
    texts = {step["id"]: step["text"] for step in question.public["steps"]}
    yours = {step: place for place, step in enumerate(answer or (), 1)}
    yield f"<p>{RIGHT}: this order.</p>"
    entries = []
    for place, step in enumerate(question.key["key"], 1):
        look, more = "plain", ""
        if yours:
            look = "good" if yours[step] == place else "bad"
            more = f' <span class="tag">{"✓" if yours[step] == place else "✗"} you put it at {yours[step]}</span>'
        text = f"{place}. {texts[step]}"
        entries.append(f'<li class="{look}">{_e(text)}{more}{_why(question.rationales.get(step, ""))}</li>')
    yield from _list(entries, "ol")


def _pairs(question: Question, answer: Any) -> Iterator[str]:
    texts = {option["id"]: option["text"] for option in question.public["options"]}
    entries = []
    for prompt in question.public["prompts"]:
        right = question.key["key"][prompt["id"]]
        yours = (answer or {}).get(prompt["id"])
        look = "plain" if answer is None else "good" if yours == right else "bad"
        lines = [f"<p><strong>{RIGHT}:</strong> {_e(texts[right])}</p>"]
        if answer is not None:
            sign = "✓" if yours == right else "✗"
            lines.append(f"<p><strong>{YOURS}:</strong> {sign} {_e(texts[yours]) if yours else 'none'}</p>")
        why = _why(question.rationales.get(prompt["id"], ""))
        entries.append(f'<li class="{look}">{_e(prompt["text"])}{"".join(lines)}{why}</li>')
    return _list(entries)


def _setting(task: Mapping[str, Any], answer: Mapping[str, float]) -> str:
    """Return an answer as the student saw it: the film's caption, or the sliders with their numbers."""
    if "frame" in answer:
        return str(task["films"][int(answer["frame"])]["caption"])
    said = ((control["label"], f"{answer[control['id']]:g} {control['unit']}") for control in task["controls"])
    return ", ".join(f"{label} {number}" for label, number in said).replace(" °", "°")


def _outcome(question: Question, answer: Any) -> Iterator[str]:
    """Show the rubric with the line that the answer fell into, and what the model measured of it."""
    key, reached, entries = question.key, None, []
    if answer is not None:
        place = setting(key, answer)
        reached = key["bands"][place]
        given = _setting(question.public["task"], answer)
        found = measured(key, place)
        yield f"<p>{YOURS}: {_e(given)}.</p>"
        yield f"<p>Measured by the model: {_e(found)}.</p>"
    for band in question.public["bands"]:
        mine = band["id"] == reached
        why = question.rationales.get(band["id"], "") if mine or band["share"] == 1 else ""
        text = f"{band['text']}: {percent(band['share'])}"
        entries.append(_line(text, why, band["share"] == 1, mine))
    yield from _list(entries)


ANSWERS = {
    "single_best_answer": _options,
    "multiple_response": _options,
    "numeric": _number,
    "ordering": _steps,
    "matching": _pairs,
    "hotspot": _regions,
    "key_feature": _decisions,
    "needle_path": _outcome,
    "stop_decision": _outcome,
}
