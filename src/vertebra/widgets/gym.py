"""The reading gym: endless films with known truth, each read and committed to before anything is shown."""

import base64
import html
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from vertebra.browser import BEGINS_WITH_MODEL
from vertebra.imaging.films import FilmCase, film_case, origin_of
from vertebra.language import N_, _, ngettext
from vertebra.measure import morphometry, reading
from vertebra.measure.reading import Finding, Proportion, Reading
from vertebra.quiz import review, scoring
from vertebra.quiz.progress import FILE, ProgressFile
from vertebra.quiz.static import counted
from vertebra.widgets.asking import Module, Pictured, script

HERE = Path(__file__).parent
SEEDS = 10_000_000
RETURN_EVERY = 3  # of so many films one may be a film that returns; the rest are new
SAMPLE = 9  # the film of a page without a kernel
LIMITS = (
    "The films are computed from a model or from one real CT whose vertebra was deformed, so their truth is exactly "
    "known. They show no fracture lines, no callus and no second disease, and one vertebra at most is fractured."
)
CERTAINTY = {1: N_("guess"), 2: N_("fairly sure"), 3: N_("certain")}
KINDS = {"wedge": N_("wedge"), "biconcave": N_("biconcave"), "crush": N_("crush")}
# Where each certainty earns most, by the arithmetic of the marks (scoring.CERTAINTY_MARKS).
PAYS = {1: (0.0, 2 / 3), 2: (2 / 3, 4 / 5), 3: (4 / 5, 1.0)}
NONE = "—"
OBLIQUE = "oblique view"  # the one mimic of `films` in which every level is normal
LINE, ABOUT, MARK = "#7cc7ff", "#ffb000", "#ff7fd1"  # on the film, which is dark in light and in dark mode


# --- words -----------------------------------------------------------------------------------------------------------


def percent(share: float) -> str:
    """Return a share as whole percent, with a space that does not break."""
    return f"{round(share * 100)}\u00a0%"


def points(share: float) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    rounded = round(share * 100)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + ngettext("{n} point", "{n} points", abs(rounded)).format(n=abs(rounded))


def proportion(part: Proportion) -> str:
    """Return a proportion in words: "17 of 20, 85 % (64 to 95 %)"."""
    if part.share is None:
        return _("none yet")
    low, high = part.limits
    return _("{n} of {all}, {share} ({low} to {high})").format(
        n=part.successes, all=part.n, share=percent(part.share), low=round(low * 100), high=percent(high)
    )


# --- one case --------------------------------------------------------------------------------------------------------


def truth_of(case: FilmCase) -> Finding:
    """Return what the film shows. A mimic is an abnormal level without a fracture; else nothing is abnormal."""
    if case.fractured:
        return Finding(case.level, True, case.kind, int(case.grade), float(case.loss))
    return Finding(case.level if case.mimic not in ("", OBLIQUE) else "", False)


def said_of(answer: Mapping[str, Any], case: FilmCase) -> Finding:
    """Return what an answer from the browser says; a point on the film is the level of the nearest body."""
    level, point = str(answer["level"]), answer["point"]
    if point is not None:
        level = reading.nearest_level(point, case.outlines)
    elif level and level not in case.outlines:
        raise ValueError(f"{level} is not on this film; choose one of {', '.join(levels_of(case))}")
    if not answer["fractured"]:
        return Finding(level, False)
    return Finding(level, True, str(answer["kind"]), int(answer["grade"]), float(answer["loss"]) / 100)


def levels_of(case: FilmCase) -> list[str]:
    """Return the levels on the film, cranial to caudal."""
    return sorted(case.outlines, key=reading.level_number)


def shown(case: FilmCase, number: int) -> dict[str, Any]:
    """Return what the browser may know of a film before it is read: the picture, and the names to choose from."""
    rows, columns = case.picture.shape
    return {
        "number": number,
        "seed": case.seed,
        "src": f"data:image/png;base64,{base64.b64encode(case.png()).decode()}",
        "width": columns,
        "height": rows,
        "levels": levels_of(case),
        "marker": case.marker,
        "label": named(case, case.marker, LINE),
        "view": case.view,
    }


def verdict(case: FilmCase, read: Reading, number: int, again: bool, point: Sequence[float] | None) -> dict[str, Any]:
    """Return everything the browser shows of a film once it was read, the truth first."""
    marks = scoring.certainty_mark(float(read.right), read.certainty)
    return {
        "number": number,
        "tone": "right" if read.right else "wrong",
        "headline": headline(case, read),
        "marks": ngettext("{marks} mark, {certainty}", "{marks} marks, {certainty}", abs(int(marks))).format(
            marks=f"{marks:+g}".replace("-", "−"), certainty=_(CERTAINTY[read.certainty])
        ),
        "lines": remarks(case, read, again),
        "rows": comparison(case, read),
        "heights": heights(case),
        "overlay": overlay(case, point),
    }


def headline(case: FilmCase, read: Reading) -> str:
    """Return the outcome in one sentence."""
    if not case.fractured:
        outcome = "No fracture, and you called one" if read.said.fractured else "Right, no fracture"
        return f"{outcome}: {without_fracture(case)}."
    if not read.said.fractured:
        return f"Missed: {case.level} is fractured."
    if read.levels_off:
        away = counted(abs(read.levels_off), "level")
        return f"A fracture, but at {case.level}: you put it {away} too {'low' if read.levels_off > 0 else 'high'}."
    return f"Right: {case.level} is fractured."


def without_fracture(case: FilmCase) -> str:
    """Return what a film without a fracture shows."""
    if case.mimic in ("", OBLIQUE):
        return f"every level is normal{', seen obliquely' if case.mimic else ''}"
    return f"{case.level} shows {'' if case.mimic.endswith('disease') else 'a '}{case.mimic}"


def remarks(case: FilmCase, read: Reading, again: bool) -> list[str]:
    """Return why the truth is the truth, and what the reader's numbers say of each other."""
    lines = [case.explanation]
    if read.said.loss is not None:
        measured = morphometry.genant_grade(read.said.loss)
        if measured != read.said.grade:
            grade = f"grade {measured}" if measured else "no fracture by height"
            lines.append(
                f"You said {percent(read.said.loss)} and grade {read.said.grade}; by the cut-offs of the grades "
                f"{percent(read.said.loss)} is {grade} [genant1993]."
            )
    if again:
        lines.append(_("You have read this film before: it trains, and does not count in the curves."))
    return lines


def comparison(case: FilmCase, read: Reading) -> list[list[str]]:
    """Return rows of what was asked, said and true, and "right" or "wrong" where one answer alone is right."""
    said, truth = read.said, read.truth

    def row(name: str, word: Callable[[Finding], str], judged: bool) -> list[str]:
        you, it = word(said), word(truth)
        return [name, you, it, ("right" if you == it else "wrong") if judged else ""]

    found = read.called and not read.levels_off  # of another level than that meant, no type or grade is right
    rows = [
        row(_("Abnormal level"), lambda finding: finding.level or _("none"), truth.fractured),
        row(_("Fracture"), lambda finding: _("yes") if finding.fractured else _("no"), True),
    ]
    if said.fractured or truth.fractured:
        rows += [
            row(_("Type"), lambda finding: _(KINDS[finding.kind]) if finding.kind else NONE, found),
            row(_("Genant grade"), lambda finding: str(finding.grade) if finding.fractured else NONE, found),
            row(
                _("Largest height loss"), lambda finding: NONE if finding.loss is None else percent(finding.loss), False
            ),
        ]
    return rows


def heights(case: FilmCase) -> dict[str, Any]:
    """Return the three measured and expected heights of the case's level, mm, and which loss is the largest."""
    measured, expected = morphometry.Heights(*case.heights), morphometry.Heights(*case.expected)
    loss = morphometry.height_loss(measured, expected)
    names = (
        (_("Anterior"), _("Middle"), _("Posterior"))
        if case.view == "lateral"
        else (_("Lower side"), _("Middle"), _("Other side"))
    )
    rows = [
        [name, f"{mm:.1f}", f"{normal:.1f}", percent(share) if share >= 0.005 else NONE]
        for name, mm, normal, share in zip(
            names, case.heights, case.expected, (loss.anterior, loss.middle, loss.crush), strict=True
        )
    ]
    first, middle, last = (name.lower() for name in names)
    ways = {
        _("{height} ÷ its own {other} height").format(height=first, other=last): loss.wedge,
        _("{height} ÷ its own {other} height").format(height=middle, other=last): loss.biconcavity,
        _("{height} ÷ expected {height} height").format(height=first): loss.anterior,
        _("{height} ÷ expected {height} height").format(height=middle): loss.middle,
        _("{height} ÷ expected {height} height").format(height=last): loss.crush,
    }
    way = max(ways, key=lambda name: ways[name])
    largest = _("Largest loss {loss}: 1 − {way}.").format(loss=percent(loss.loss), way=way)
    return {"level": case.level, "rows": rows, "largest": largest}


def _letter(case: FilmCase) -> float:
    return len(case.picture) / 26


def named(case: FilmCase, level: str, colour: str) -> str:
    """Return a level's name as an SVG element, beside its body in the film's pixels."""
    outline, size = np.asarray(case.outlines[level], dtype=float), _letter(case)
    x, y = outline[:, 0].min() - 0.5 * size, outline[:, 1].mean()
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" fill="{colour}" text-anchor="end" '
        f'dominant-baseline="central" stroke="#000" stroke-width="{size / 7:.1f}" paint-order="stroke" '
        f'font-family="system-ui, sans-serif" font-weight="600">{html.escape(level)}</text>'
    )


def overlay(case: FilmCase, point: Sequence[float] | None = None) -> str:
    """Return the truth as SVG elements in the film's pixels: outlines, names, six points, three heights, the mark."""
    size = _letter(case)

    def path(polygon: Any, closed: bool) -> str:
        return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in np.asarray(polygon)) + ("Z" if closed else "")

    def line(d: str, colour: str, width: float, dash: str = "") -> str:
        # Twice: a dark edge keeps the colour legible on bone, on soft tissue and on the inverted film.
        common = f'd="{d}" fill="none" vector-effect="non-scaling-stroke" stroke-linejoin="round"'
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return (
            f'<path {common} stroke="#000" stroke-opacity="0.55" stroke-width="{width + 2}"/>'
            f'<path {common} stroke="{colour}" stroke-width="{width}"{dashed}/>'
        )

    parts = []
    for level in levels_of(case):
        about = level == case.level
        colour = ABOUT if about else LINE
        parts += [line(path(case.outlines[level], True), colour, 2.5 if about else 1.25), named(case, level, colour)]
    six = np.asarray(case.landmarks, dtype=float)
    parts += [line(path(six[[i, i + 3]], False), ABOUT, 1.5, "5 4") for i in range(3)]
    parts += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size / 5:.1f}" fill="{ABOUT}" stroke="#000" stroke-opacity="0.55" '
        f'vector-effect="non-scaling-stroke"/>'
        for x, y in six
    ]
    if point is not None:
        x, y = point
        arm = 0.6 * size
        cross = f"M{x - arm:.1f},{y:.1f}H{x + arm:.1f}M{x:.1f},{y - arm:.1f}V{y + arm:.1f}"
        parts.append(line(cross, MARK, 2.5))
    return "".join(parts)


# --- the running score -----------------------------------------------------------------------------------------------


def progress(entries: Sequence[review.Entry], at: datetime) -> dict[str, Any]:
    """Return the curves, the numbers and the stop rule of all films read so far, each counted once, as first seen."""
    readings = review.first_readings(entries)
    sums = reading.performance(readings)
    kappa = _("not defined yet") if sums.kappa is None else f"{sums.kappa:.2f}".replace("-", "−")
    loss, loss_note = _("two fractures at their level are needed"), ""
    if sums.loss is not None:
        loss = _("{bias} on average, repeats within ±{spread} points").format(
            bias=points(sums.loss.bias), spread=round(sums.loss.coefficient * 100)
        )
        loss_note = ngettext(
            "over {n} fracture called at their level; 95\u00a0% of repeats",
            "over {n} fractures called at their level; 95\u00a0% of repeats",
            sums.loss.cases,
        ).format(n=sums.loss.cases)
    back = len(review.due(entries, at))
    return {
        "films": len(readings),
        "curve": [[_limits(part) for part in pair] for pair in reading.learning_curve(readings)],
        "losses": [[r.truth.loss, r.said.loss] for r in readings if r.loss_error is not None],
        "certainty": [
            {"name": _(CERTAINTY[c]), "told": proportion(part), "share": _limits(part), "pays": PAYS[c]}
            for c, part in sums.certainty.items()
        ],
        "facts": [
            [
                _("Sensitivity"),
                proportion(sums.sensitivity),
                _("fractured films on which you called one, at whatever level"),
            ],
            [_("Specificity"), proportion(sums.specificity), _("normal films and mimics on which you called none")],
            [
                _("Wrong level"),
                proportion(sums.wrong_level),
                _("of the fractures called, those put a level or more away"),
            ],
            [_("Type right"), proportion(sums.types), _("of the fractures called at their level")],
            [_("Grade agreement"), kappa, _("kappa with quadratic weights, grades 0 to 3 on all films")],
            [_("Height loss"), loss, loss_note],
            [
                _("Films due again"),
                str(back),
                _("missed films from 10 minutes on, the others after half a day or more"),
            ],
        ],
        "limit": reading.STOP_LIMIT,
        "stop": stop_told(reading.stop(readings)),
    }


def _limits(part: Proportion) -> list[float] | None:
    return None if part.share is None else [part.share, *part.limits]


def stop_told(state: reading.Stop) -> dict[str, Any]:
    """Return the stop rule and where the reader stands, in words."""
    need, window = reading.STOP_MINIMUM, reading.STOP_WINDOW
    rule = _(
        "Stop rule of this course [unreferenced]: at least {need} films with a fracture and {need} without, and over "
        "the last {window} of each the lower 95\u00a0% limits of sensitivity and of specificity both above {limit}. "
        "It is a rule for training, never a licence to read films of patients."
    ).format(need=need, window=window, limit=percent(reading.STOP_LIMIT))
    low = [percent(part.limits[0]) for part in (state.sensitivity, state.specificity)]
    stand = ngettext(
        "You have read {n} film with and {others} without a fracture; the lower limits are {low} and {other}.",
        "You have read {n} films with and {others} without a fracture; the lower limits are {low} and {other}.",
        state.fractured_read,
    ).format(n=state.fractured_read, others=state.unfractured_read, low=low[0], other=low[1])
    head = (
        _("Stop rule reached: more films are yours to choose, and what you missed still returns.")
        if state.reached
        else ""
    )
    return {"reached": state.reached, "head": head, "stand": stand, "rule": rule}


# --- the widget ------------------------------------------------------------------------------------------------------


class Gym(Pictured):
    """The widget: traits only. `answer` and `wanted` come from the browser, the rest goes to it.

    film: what may be known before a film is read (`shown`). answer: {"number", "level", "point", "fractured", "kind",
    "grade", "loss" in percent, "certainty"}. verdict: empty until the film on the screen is committed to. wanted: the
    number of the film asked for. note: a sentence about the file of readings.
    """

    _esm = Module(script("gym"))
    _css = (HERE / "style.css").read_text(encoding="utf-8") + (HERE / "gym.css").read_text(encoding="utf-8")
    film = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    verdict = traitlets.Dict().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    wanted = traitlets.Int(1).tag(sync=True)
    limits = traitlets.Unicode(LIMITS).tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, folder: Path | str, seed: int | None, clock: Callable[[], datetime] = review.now) -> None:
        """Open on a first film; what was read before comes from the file in `folder`."""
        self._rng = np.random.default_rng(seed)
        self._clock = clock
        self._file = ProgressFile(Path(folder) / FILE)
        self._met = {entry.seed for entry in self._file.readings}
        self._next: FilmCase | None = None
        self._case = film_case(self._choose(1))
        super().__init__(
            film=shown(self._case, 1), progress=progress(self._file.readings, clock()), note=self._file.notice
        )
        self.observe(self._on_answer, "answer")
        self.observe(self._on_wanted, "wanted")

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return "film reading gym: endless films, each read before its truth is shown"

    def still(self) -> str:
        """Return a sample film with its reading, for a page without a kernel."""
        return sample()

    def _choose(self, number: int) -> int:
        """Return the seed of a film that returns, if one is due and it is its turn, or of one never met."""
        here = self._case.seed if number > 1 else None
        waiting = [seed for seed in review.due(self._file.readings, self._clock()) if seed != here]
        if waiting and number % RETURN_EVERY == 0:
            return int(waiting[0])
        while (seed := int(self._rng.integers(1, SEEDS))) in self._met or (
            BEGINS_WITH_MODEL and number == 1 and origin_of(seed) != "model"
        ):
            pass
        self._met.add(seed)
        return seed

    def _on_answer(self, change: Any) -> None:
        try:
            self._commit(change.new)
        except (ValueError, KeyError, TypeError) as error:
            self.problem = _("The gym could not use that reading: {why}").format(why=error)

    def _commit(self, answer: Mapping[str, Any]) -> None:
        number = self.film["number"]
        if answer["number"] != number or self.verdict:  # a second press, or a press that came late
            return
        case, point = self._case, answer["point"]
        read = Reading(truth_of(case), said_of(answer, case), answer["certainty"])
        at = self._clock()
        try:
            self._file.add(review.Entry(case.seed, at, read))
            self.note = self._file.notice
        except OSError as error:
            why = error.strerror or str(error)
            unkept = _(
                "{file} cannot be written to the folder {folder} ({why}). The gym goes on, but what you read now is "
                "forgotten when you close the lesson."
            )
            folder = self._file.path.parent.name or _("of this notebook")
            self.note = unkept.format(file=FILE, folder=folder, why=why)
        # Counted after the file was read anew: another window may have shown this film too.
        again = sum(entry.seed == case.seed for entry in self._file.readings) > 1
        self.problem = ""
        self.progress = progress(self._file.readings, at)
        self.verdict = verdict(case, read, number, again, point)
        # The student now looks at the truth: time to make the next film, so that Next shows it at once.
        try:
            self._next = film_case(self._choose(number + 1))
        except Exception:  # Next tries another film, and says so if that fails too.
            self._next = None

    def _on_wanted(self, change: Any) -> None:
        number = self.film["number"] + 1
        if change.new != number or not self.verdict:
            return
        try:
            self._case, self._next = self._next or film_case(self._choose(number)), None
            film = shown(self._case, number)
        except Exception as error:  # Whatever it is: a handler that fails silently would leave the student waiting.
            failed = _("The next film could not be made ({why}). Ask for it again.")
            self.problem = failed.format(why=f"{type(error).__name__}: {error}")
            self.wanted = number - 1  # a second request must be a change, or nobody hears of it
            return
        with self.hold_sync():  # one message, so that no film is ever on the screen beside another's truth
            self.verdict, self.problem = {}, ""
            self.film = film


@lru_cache(maxsize=1)
def sample() -> str:
    """Return a film with its truth drawn over it and a description, as HTML that needs no kernel."""
    case = film_case(SAMPLE)
    rows, columns = case.picture.shape
    png = base64.b64encode(case.png()).decode()
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" width="{columns}" height="{rows}">'
        f'<image href="data:image/png;base64,{png}" width="{columns}" height="{rows}"/>{overlay(case)}</svg>'
    )
    what = f"{case.level} has a {case.kind} fracture" if case.fractured else f"{case.level} is not fractured"
    said = html.escape(
        f"{'Lateral' if case.view == 'lateral' else 'AP'} film of {levels_of(case)[0]} to {levels_of(case)[-1]} with "
        f"the outline of every body drawn over it. {what}, largest height loss {percent(case.loss)}, Genant grade "
        f"{case.grade}. {case.explanation}",
        quote=True,
    )
    picture = base64.b64encode(svg.encode()).decode()
    return (
        f'<figure><img alt="{said}" width="420" src="data:image/svg+xml;base64,{picture}">'
        f"<figcaption>{said} Start the lesson to read films yourself.</figcaption></figure>"
    )


def gym(folder: Path | str = "my_answers", seed: int | None = None) -> Gym:
    """Return the reading gym; readings are kept in `folder`/progress.json, and `seed` makes the order repeatable."""
    return Gym(folder, seed)
