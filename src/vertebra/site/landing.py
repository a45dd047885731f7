"""The pages about the course: the front page, My progress, licences, and the page of an assigned quiz."""

import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from vertebra import assets
from vertebra.language import _
from vertebra.measure.morphometry import genant_grade
from vertebra.quiz.static import standing
from vertebra.site.lesson_page import MODULES, ROOT, Lesson, Setting, live_address, quiz_section
from vertebra.site.markdown import Outline, to_html
from vertebra.site.page import Page, counted, said
from vertebra.site.practice import SiteQuiz
from vertebra.spine.lateral import FloatArray, arch_shift, lateral, silhouette
from vertebra.spine.shape import Shape

TITLE = "Vertebral compression fractures"
LEAD = (
    "How the spine breaks, how to measure and classify a fracture, when it is unstable, and above all how to think "
    "about vertebroplasty and balloon kyphoplasty: what they do, what the sham-controlled trials found, what can go "
    "wrong and what else there is."
)
PARTS = (
    ("The bone", "Anatomy, load and strength, and the ways a vertebra breaks.", range(0, 4)),
    ("The patient", "History, pictures, and care without a needle.", range(4, 7)),
    ("The needle", "Cement and balloon, in a room where nobody is hurt.", range(7, 10)),
    ("The judgement", "Trials, guidelines, consent, and who needs a surgeon.", range(10, 13)),
    ("What comes after", "The next fracture, the patient's leaflet, whole cases.", range(13, 16)),
)
DOES = {
    "00_start": "Take a pre-test that also asks how sure you are.",
    "01_spine_anatomy": "Turn a vertebra, scroll through a real patient's CT, point a C-arm.",
    "02_why_vertebrae_break": "Set load against strength for a person and what that person does.",
    "03_fracture_types": "Break a vertebra in the workbench and measure it.",
    "04_patient_and_red_flags": "Sort dangers by their clock; see the odds as a thousand people.",
    "05_imaging": "Read endless films in a gym where the truth is known.",
    "06_conservative_care": "Write a plan that somebody frail can live by.",
    "07_vertebroplasty": "Steer a needle on two views and inject ageing cement.",
    "08_balloon_kyphoplasty": "Inflate a balloon, watch the pressure, keep what height you can.",
    "09_vertebroplasty_vs_kyphoplasty": "Do both procedures to one fracture, side by side.",
    "10_evidence": "Rebuild a forest plot; map what six bodies say of one patient.",
    "11_safety_and_consent": "Follow leaks on film and CT; fill in a page to decide on together.",
    "12_surgery": "Walk the decision pathway, one question after another.",
    "13_recovery_and_prevention": "Place events in the year after; run the fracture cascade.",
    "14_read_a_leaflet": "Judge the claims of real patient pages, then rewrite one.",
    "15_cases": "Decide for three patients while the clock runs.",
}
APART = 118  # mm between two columns of vertebrae in the picture of the front page
LOSSES = (0.0, 0.22, 0.33, 0.5)  # of the anterior height, one for each of Genant's grades
THIRD_PARTY = (
    ("JupyterLite, JupyterLab, Jupyter Notebook, ipywidgets, IPython", "BSD 3-Clause"),
    ("Pyodide", "MPL 2.0"),
    ("CPython", "PSF License 2"),
    ("anywidget, contourpy, jedi, traitlets and other small packages", "MIT or BSD"),
    ("NumPy, SciPy", "BSD 3-Clause"),
    ("Matplotlib", "Matplotlib licence (PSF-based)"),
    ("Pillow", "MIT-CMU"),
)


def pages(setting: Setting, assigned: Sequence[SiteQuiz], rules: Sequence[Sequence[str]]) -> dict[str, Page]:
    """Return the pages by path. rules: for each assigned quiz its rules in sentences."""
    return {
        "index.html": front_page(setting, assigned),
        "progress.html": progress_page(setting),
        "licences.html": licence_page(setting),
        **{f"quizzes/{quiz.id}.html": quiz_page(quiz, own) for quiz, own in zip(assigned, rules, strict=True)},
    }


def front_page(setting: Setting, assigned: Sequence[SiteQuiz]) -> Page:
    """Return the front page: what the course is, how far to trust it, and the map of its lessons."""
    first = setting.lessons[0]
    body = f"""<div class="front">
<div>
{said(_("An open course for medical students"), "p", class_="kicker")}
<h1>{TITLE}</h1>
<p class="lead">{LEAD}</p>
<div class="row"><a class="button primary" href="lessons/{first.stem}.html">{said(_("Begin"))}</a>
<a class="button" href="#lessons">{said(_("See the lessons"))}</a></div>
</div>
{_grades()}
</div>
<section aria-labelledby="trust" class="panel">
<h2 id="trust">How far you can trust it</h2>
<p>No clinician has reviewed this course. It is teaching, not medical advice: do not treat a patient from it. Every
medical statement ends with a source in brackets or with the word <em>unreferenced</em>, and each list of sources says
how far somebody has read them. Cement gets no advertising here: benefit, risk, alternative and sham stand side by
side.</p>
</section>
<section aria-labelledby="lessons">
<h2 id="lessons" tabindex="-1">{said(_("Lessons"))}</h2>
<p>{_summary(setting)}</p>
<div data-progress="map">
{_map(setting.lessons)}
</div>
</section>
{_quizzes(assigned)}
<div class="columns">
<section>
<h2>For whom</h2>
<p>For medical students in the clinical years, and for whoever teaches them. It takes some anatomy and no programming.
Interface and headings can be switched to another language at the top of each page; the lessons are English.</p>
</section>
<section>
<h2>Your answers</h2>
<p>They stay in this browser, on this device; nothing is sent anywhere and nobody counts your visits.
{said(_("My progress"), "a", href="progress.html")} shows how far you are, gives you everything as a file and erases
it.</p>
</section>
<section>
<h2>For instructors</h2>
<p>Students can download their answers to any quiz as a file, and <code>vertebra quiz grade</code> marks a class of
them; <code>vertebra quiz practice-key</code> writes the key to a practice quiz.
<code>vertebra site build --quiz FOLDER</code> puts an assigned quiz, without its key, on a site of your own. The
course's folder <code>docs</code> says how.</p>
</section>
<section>
<h2>Who made it</h2>
<p>The vertebra authors, with models, films and patients computed or invented, and one open CT of a real person without
a fracture. Code is under the BSD licence, lessons and figures under CC BY 4.0:
{said(_("Licences and sources"), "a", href="licences.html")}.</p>
</section>
</div>
<section class="panel" data-offline="panel"></section>
"""
    return Page("vertebra", LEAD, body, modules=("progress.js", "tools.js", "quiz.js"), here="contents")


def _summary(setting: Setting) -> str:
    n, hours = len(setting.lessons), sum(lesson.minutes for lesson in setting.lessons) / 60
    live = (
        " Read them here at once; <em>Make it live</em> on a lesson's page opens the same lesson with everything "
        "moving, without installing anything."
    )
    what = f"{'Sixteen' if n == 16 else n} lessons, about {hours:.0f} hours of reading, each with something to move"
    return f"{what} and a quiz.{live if setting.live else ''}"


def _map(lessons: Sequence[Lesson]) -> str:
    parts = ((name, about, [each for each in lessons if int(each.number) in numbers]) for name, about, numbers in PARTS)
    return "".join(_part(*part) for part in parts)


def _part(name: str, about: str, lessons: Sequence[Lesson]) -> str:
    rows = "".join(map(_row, lessons))
    return f'<div class="part">\n<div><h3>{name}</h3><p>{about}</p></div>\n<ol>{rows}</ol>\n</div>\n' if rows else ""


def _row(lesson: Lesson) -> str:
    minutes = counted(_("{n} min"), lesson.minutes)
    return (
        f'<li><span class="number" aria-hidden="true">{lesson.number}</span>'
        f'<div><a href="lessons/{lesson.stem}.html">{escape(lesson.title)}</a>'
        f"<p>{escape(DOES.get(lesson.stem, lesson.aim))}</p>"
        f'<p class="far" data-stem="{lesson.stem}"></p></div><p class="minutes">{minutes}</p></li>\n'
    )


def _quizzes(assigned: Sequence[SiteQuiz]) -> str:
    if not assigned:
        return ""
    links = "".join(f'<li><a href="quizzes/{quiz.id}.html">{escape(quiz.quiz["title"])}</a></li>' for quiz in assigned)
    heading = said(_("Quizzes to hand in"), "h2", id="assigned")
    return f'<section aria-labelledby="assigned">{heading}<ul>{links}</ul></section>'


def _grades() -> str:
    """Return four columns of T12, L1 and L2 in lateral view, L1 whole and of Genant's grades 1 to 3."""
    drawn, points = [], []
    for i, loss in enumerate(LOSSES):
        scene = lateral(Shape(anterior=loss, middle=0.6 * loss))
        lines: list[tuple[str, FloatArray]] = []
        for level, pose in scene.poses.items():
            lift = np.array([0.0, arch_shift(scene, level)])
            lines += [("arch", pose.apply(line + lift)) for line in silhouette(level)]
        for level, pose in scene.poses.items():
            lines.append(("broken" if level == "L1" and loss else "bone", pose.apply(scene.outline(level))))
        shift = np.array([APART * i, 0.0])
        points += [line + shift for _kind, line in lines]
        column = "".join(f'<path class="{kind}" d="{_path(line + shift)}"/>' for kind, line in lines)
        drawn.append(f'{column}<text x="{APART * i - 8}" y="{{foot}}">{genant_grade(loss)}</text>')
    (left, low), (right, high) = np.vstack(points).min(axis=0), np.vstack(points).max(axis=0)
    box = f"{left - 2:.0f} {-high - 2:.0f} {right - left + 4:.0f} {high - low + 22:.0f}"
    picture = "".join(drawn).replace("{foot}", f"{-low + 15:.0f}")
    alt = (
        "Four times three vertebrae from the side, the front on the right. The middle one, L1, is whole, then a fifth, "
        "a third and half of its front is lost: it becomes a wedge and the spine above it leans forward."
    )
    words = ", ".join(f"{100 * loss:.0f}" for loss in LOSSES[1:-1]) + f" and {100 * LOSSES[-1]:.0f} %"
    return (
        f'<figure class="grades"><svg viewBox="{box}" role="img" aria-label="{alt}">{picture}</svg>'
        f"<figcaption>L1 whole, and with its front {words} lower: Genant grades 0 to 3 "
        '<span class="cite">[genant1993]</span>. Drawn by the model that you can break yourself in '
        '<a href="lessons/03_fracture_types.html">lesson 03</a>.</figcaption></figure>'
    )


def _path(line: FloatArray) -> str:
    return f"M{'L'.join(f'{x:.1f} {-y:.1f}' for x, y in line)}z"


def progress_page(setting: Setting) -> Page:
    """Return the page of what this browser remembers."""
    live = ""
    if setting.live:
        words = said(
            _("when each question is due again, how secure each objective is, and whether your certainty fits.")
        )
        live = (
            f'<p class="go-live"><a class="button" href="{live_address("my_progress")}" data-live>'
            f"{said(_('Make it live'))}</a><span>{words}</span></p>"
        )
    about = _(
        "What this browser remembers of your quizzes. It says what to look at next, and nothing about how you would "
        "examine or talk to a patient."
    )
    without = said(_("To see your progress, allow this page to run its scripts."), "p")
    body = (
        f'<div class="page first">{said(_("My progress"), "h1")}\n'
        f"{said(about, 'p', class_='lead')}\n"
        f'{live}<div data-progress="page">{without}</div></div>'
    )
    modules = ("progress.js", "tools.js", "quiz.js")
    return Page(_("My progress"), "What this browser remembers.", body, modules=modules, here="progress")


def quiz_page(quiz: SiteQuiz, rules: Iterable[str]) -> Page:
    """Return the page of an assigned quiz: its rules, and the quiz as an exam, without any key."""
    title = str(quiz.quiz["title"])
    listed = "".join(f"<li>{escape(rule)}</li>" for rule in rules)
    how = _(
        "Answer in any order; your answers are kept in this browser as you go. When you have finished, download the "
        "file below the quiz and hand it in where your instructor says."
    )
    body = (
        f'<article class="first">{said(_("Quiz to hand in"), "p", class_="kicker")}<h1>{escape(title)}</h1>\n'
        f'<div class="page">{said(how, "p")}<ul>{listed}</ul></div>\n<h2>{said(_("Questions"))}</h2>\n'
        f'<div class="text">{quiz_section(quiz)}</div></article>'
    )
    return Page(title, standing(quiz.quiz["items"]), body, root=ROOT, modules=MODULES, data=(quiz.path,))


def licence_page(setting: Setting) -> Page:
    """Return the page that says whose the parts are."""
    text = re.split(r"^## What was done", assets.read_text("ct/README.md"), flags=re.MULTILINE)[0]
    text = re.sub(r"^(#+) ", r"\1# ", text, flags=re.MULTILINE).replace(
        "[LICENSE-CC-BY-3.0](LICENSE-CC-BY-3.0)", "its licence"
    )
    text = re.sub(r"<(https://[^>]+)>", r"[\1](\1)", text)
    ct = to_html(text, Outline(), lambda address: address, lambda address, alt: "")
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{licence}</td></tr>' for name, licence in THIRD_PARTY)
    live = (
        "<h2>What runs the live lessons</h2><p>These parts come unchanged, or cut down to what the course needs, each "
        'under its own licence; the packages carry its text.</p><table><thead><tr><th scope="col">Part</th>'
        f'<th scope="col">Licence</th></tr></thead><tbody>{rows}</tbody></table>'
        if setting.live
        else ""
    )
    body = f"""<div class="page text first"><h1>{said(_("Licences and sources"))}</h1>
<p>The lessons, questions, data and figures are by the vertebra authors, under the Creative Commons Attribution 4.0
International licence (<a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>); the code is under the BSD
3-Clause licence. Sources of what is taught stand at the end of each lesson.</p>
{ct}{live}</div>"""
    return Page(_("Licences and sources"), "Whose the parts of this site are.", body)
