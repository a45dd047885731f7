"""Look at an assignment before it is handed out: as text, with what it asks, and as the page a student sees."""

from html import escape

from vertebra.quiz.page import page
from vertebra.quiz.static import counted, static_html
from vertebra.teaching.assign import Assignment, build_all
from vertebra.teaching.marking import in_points, number

STYLE = """
.rules { border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem .75rem 2rem; }
section > ol > li { margin-bottom: .5rem; }
table { border-collapse: collapse; }
td { padding: .25rem; vertical-align: top; }
"""


def preview(assignment: Assignment) -> str:
    """Return title, rules and questions as text: each with id, format, objectives, level and points; no key.

    Raises TeachingError if the variants would not differ.
    """
    build_all(assignment)
    lines = [f"{assignment.title}  ({assignment.quiz})"]
    lines += [f"  {sentence}" for sentence in assignment.rules.in_words()]
    lines += ["  Students also say how sure they are."] if assignment.certainty else []
    if assignment.blueprint:
        lines += ["", "Drawn from"]
        for place, row in enumerate(assignment.blueprint.rows, 1):
            fit = sum(map(row.takes, assignment.blueprint.pool))
            lines.append(f"  row {place}: {row.count} of {counted(fit, 'question')} on {row}")
    drawn_anew = assignment.blueprint is not None
    for variant in range(1, assignment.variants + 1 if drawn_anew else 2):
        shown = assignment.variant(variant)
        lines += ["", f"Variant {variant}" if drawn_anew and assignment.variants > 1 else "Questions"]
        head = ("", "id", "format", "objectives", "level", "points")
        rows = [
            (f"{place}.", item.id, item.format, ", ".join(item.objectives), item.bloom, number(points))
            for place, (item, points) in enumerate(zip(shown.items, shown.points, strict=True), 1)
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row_of_text in (head, *rows):
            cells = (text.ljust(width) for text, width in zip(row_of_text, widths, strict=True))
            lines.append(("  " + "  ".join(cells)).rstrip())
        lines.append(f"  {counted(len(rows), 'question')}, {in_points(sum(shown.points))}")
    if assignment.variants > 1 and not drawn_anew:
        lines += ["", f"{assignment.variants} variants of these questions, the options in another order in each"]
    return "\n".join(lines)


def preview_html(assignment: Assignment) -> str:
    """Return the page that a student of the first variant sees, without keys."""
    sheets, file = build_all(assignment)
    instructions = f"<p>{escape(assignment.instructions)}</p>\n" if assignment.instructions else ""
    rules = "".join(f"<li>{escape(sentence)}</li>" for sentence in file.rules.in_words())
    body = (
        f'<h1>{escape(assignment.title)}</h1>\n{instructions}<ul class="rules" aria-label="Rules">{rules}</ul>\n'
        f"{static_html('Questions', sheets[0]['items'], level=2)}"
    )
    return page(assignment.title, body, STYLE)
