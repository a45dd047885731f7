"""The fracture workbench: shape L1 in a lateral view and read its measures, or measure a film and learn your error."""

import base64
import html
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from vertebra.language import _
from vertebra.measure import morphometry, scores
from vertebra.spine import lateral
from vertebra.spine.dimensions import dimensions
from vertebra.spine.shape import Shape
from vertebra.widgets.asking import Module, Pictured, script

HERE = Path(__file__).parent
DEFORMED_MM = 1.0  # an endplate counts as deformed from here on: what one sees on a film (unreferenced)
LIMITS = (
    "The vertebrae are the course's 3-D model, bodies cut in the midline and arches seen from the side; heights of L1 "
    "and L2 are a published mean (bonczar2024), most other dimensions are not referenced. While a slider moves the "
    "outline is simplified. There are no fracture lines; soft tissue, the age of the fracture and pain are not in the "
    "picture."
)
GRADE_WORDS = ("none", "mild", "moderate", "severe")
START = {"anterior": 0.3, "middle": 0.18, "posterior": 0.0, "wall": 0.0, "superior_share": 1.0}


def percent(share: float) -> str:
    """Return a share as whole percent, with a space that does not break."""
    return f"{round(share * 100)}\u00a0%"


def signed(value: float, digits: int = 1) -> str:
    """Return a difference with its sign; what rounds to nothing has none."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}" if rounded else "0"


def shape_of(state: dict[str, Any]) -> Shape:
    """Return the shape in a widget's state, which also carries flags and a sequence number."""
    return Shape(**{name: float(state[name]) for name in START})


def rounded(outline: lateral.FloatArray) -> list[list[float]]:
    """Return an outline (n, 2) as the browser gets it, to 0.01 mm."""
    return [[round(x, 2), round(y, 2)] for x, y in outline.tolist()]


def level_points(scene: lateral.Lateral) -> dict[str, morphometry.SixPoints]:
    """Return the six landmarks of each level."""
    return {level: morphometry.SixPoints.from_array(scene.landmarks(level)) for level in lateral.LEVELS}


def normal_ratio() -> morphometry.Heights[float]:
    """Return what L1 is normally, as a share of the mean of its neighbours."""
    heights = {level: morphometry.Heights(*normal.heights) for level, normal in dimensions().items()}
    return morphometry.level_ratio(heights["L1"], heights["T12"], heights["L2"])


def of_findings(shape: Shape, oedema: bool, tension_band: bool) -> scores.OfFindings:
    """Return what the OF classification asks for. A broken wall takes an endplate with it."""
    normal = lateral.body("L1")
    bent = lateral.body("L1", shape)
    endplates = int(np.abs(bent.superior - normal.superior).max() >= DEFORMED_MM)
    endplates += int(np.abs(bent.inferior - normal.inferior).max() >= DEFORMED_MM)
    return scores.OfFindings(max(endplates, int(shape.wall > 0)), shape.wall, oedema, False, tension_band)


def readout(state: dict[str, Any]) -> dict[str, Any]:
    """Return everything the workbench says about a shape, computed by `vertebra.measure` from the landmarks."""
    shape = shape_of(state)
    points = level_points(lateral.lateral(shape))
    vertebra, above, below = points["L1"], points["T12"], points["L2"]
    ratio = normal_ratio()
    reference = morphometry.reference_heights(above.heights, below.heights, ratio)
    loss = morphometry.height_loss(vertebra.heights, reference)
    band = morphometry.grade_band(vertebra, above, below, ratio=ratio)
    of = scores.of_type(of_findings(shape, bool(state["oedema"]), bool(state["tension_band"])))
    measured, expected = vertebra.heights, reference
    rows = [
        [
            "Heights, mm",
            f"{measured.anterior:.1f} · {measured.middle:.1f} · {measured.posterior:.1f}",
            f"anterior · middle · posterior; from the neighbours {expected.anterior:.1f} · {expected.middle:.1f} · "
            f"{expected.posterior:.1f} are expected",
        ],
        ["Wedge", f"{percent(loss.wedge)}", "1 − anterior ÷ posterior"],
        ["Biconcavity", f"{percent(loss.biconcavity)}", "1 − middle ÷ posterior"],
        ["Crush", f"{percent(loss.crush)}", "1 − posterior ÷ the posterior height expected"],
        ["Wedge angle", f"{morphometry.vertebral_kyphosis(vertebra):.0f}°", "between L1's own endplates"],
        [
            "Local kyphosis",
            f"{morphometry.local_kyphosis(above, below):.0f}°",
            "T12 superior to L2 inferior endplate (Cobb)",
        ],
        ["OF type", f"OF {of}" if of else "none", scores.OF_TYPES[of]],
    ]
    return {
        "seq": int(state["seq"]),
        "outline": rounded(lateral.outline("L1", shape)),
        "grade": band.grade,
        "loss": loss.loss,
        "of": of,
        "probabilities": list(band.probabilities),
        "band": f"Largest loss {percent(loss.loss)} ({loss.shape}). If each point scatters by "
        f"{band.sigma_mm:g} mm, as this course assumes of practised readers, 95 % of readings lie between "
        f"{percent(max(band.loss_low, 0))} and {percent(band.loss_high)}.",
        "told": f"Genant grade {band.grade}, {GRADE_WORDS[band.grade]}; {rows[-1][1]}",
        "rows": rows,
    }


def describe(state: dict[str, Any]) -> str:
    """Return the picture in words."""
    told = readout(state)
    heights = told["rows"][0][1].replace(" · ", ", ")
    return (
        f"Lateral view of T12, L1 and L2. L1 measures {heights} mm in front, in the middle and behind; "
        f"Genant grade {told['grade']} ({GRADE_WORDS[told['grade']]}), {told['rows'][-1][1]}."
    )


class Workbench(Pictured):
    """The widget: traits only. `shape`, `placed` and `wanted_film` come from the browser, the rest goes to it."""

    _esm = Module(script("workbench"))
    _css = (HERE / "style.css").read_text(encoding="utf-8") + (HERE / "workbench.css").read_text(encoding="utf-8")
    picture = traitlets.Unicode().tag(sync=True)
    geometry = traitlets.Dict().tag(sync=True)
    shape = traitlets.Dict().tag(sync=True)
    readout = traitlets.Dict().tag(sync=True)
    film = traitlets.Dict().tag(sync=True)
    wanted_film = traitlets.Int(1).tag(sync=True)
    placed = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, seed: int | None = None) -> None:
        """Open on a wedge fracture; `seed` makes the films to measure repeatable."""
        state = {"seq": 0, **START, "oedema": True, "tension_band": False}
        self._rng = np.random.default_rng(seed)
        self._errors: list[float] = []
        self._last_film = 0
        super().__init__(
            picture=lateral.draw(shape_of(state), describe(state)),
            geometry=geometry(),
            shape=state,
            readout=readout(state),
            film=self._new_film(1),
        )
        self.observe(self._on_shape, "shape")
        self.observe(self._on_wanted_film, "wanted_film")
        self.observe(self._on_placed, "placed")

    def __repr__(self) -> str:
        """Return one line without addresses or traits."""
        return f"fracture workbench: {describe(self.shape)}"

    def still(self) -> str:
        """Return a picture with its description, for a page without a kernel."""
        said = html.escape(describe(self.shape), quote=True)
        picture = base64.b64encode(lateral.draw(shape_of(self.shape), describe(self.shape)).encode()).decode()
        return (
            f'<figure><img alt="{said}" width="560" src="data:image/svg+xml;base64,{picture}">'
            f"<figcaption>{said} Start the lesson to shape and measure it.</figcaption></figure>"
        )

    def _say_problem(self, error: Exception) -> None:
        self.problem = _("The workbench could not use that: {why}").format(why=error)

    def _on_shape(self, change: Any) -> None:
        try:
            self.readout = readout(change.new)
            self.problem = ""
        except (ValueError, KeyError, TypeError) as error:
            self._say_problem(error)

    def _new_film(self, number: int) -> dict[str, Any]:
        shape = lateral.random_shape(self._rng)
        tilt = float(self._rng.uniform(-0.12, 0.12))
        known = {name: getattr(shape, name) for name in START}
        return {"number": number, "shape": known, "tilt": tilt, "outline": rounded(lateral.outline("L1", shape))}

    def _on_wanted_film(self, change: Any) -> None:
        self.film = self._new_film(int(change.new))

    def _on_placed(self, change: Any) -> None:
        try:
            self.result = self._compare(change.new)
            self.problem = ""
        except (ValueError, KeyError, TypeError) as error:
            self._say_problem(error)

    def _compare(self, placed: dict[str, Any]) -> dict[str, Any]:
        """Return the error of six placed points against the film's landmarks."""
        film = self.film
        truth = level_points(lateral.lateral(Shape(**film["shape"]), film["tilt"]))
        yours = morphometry.SixPoints.from_array(placed["points"])
        errors = morphometry.landmark_errors(yours, truth["L1"])
        reference = morphometry.reference_heights(truth["T12"].heights, truth["L2"].heights, normal_ratio())
        read = morphometry.height_loss(yours.heights, reference)
        real = morphometry.height_loss(truth["L1"].heights, reference)
        if self._last_film != film["number"]:  # a second comparison of the same film is no new reading
            self._last_film = film["number"]
            self._errors.append(read.loss - real.loss)
        mean = float(np.mean(errors.distances_mm))
        lines = [
            _("Your endplates differ from the truth by {angle}° in wedge angle.").format(
                angle=f"{abs(errors.angle_error_deg):.1f}"
            ),
            _(
                "Your points lie {mean} mm from the truth on average; this course takes practised readers to scatter "
                "by {sigma} mm in each direction."
            ).format(mean=f"{mean:.1f}", sigma=morphometry.LANDMARK_SIGMA_MM),
        ]
        if len(self._errors) > 1:
            over = morphometry.repeatability(self._errors)
            repeats = _(
                "Over {n} films your height loss is {bias} off on average, and repeats within ±{spread} (95 %)."
            )
            lines.append(repeats.format(n=over.cases, bias=f"{over.bias:+.1%}", spread=f"{over.coefficient:.1%}"))
        measured, actual = yours.heights, truth["L1"].heights
        names = (_("Anterior height"), _("Middle height"), _("Posterior height"))
        pairs = zip(names, _triple(measured), _triple(actual), strict=True)
        rows = [[n, f"{a:.1f} mm", f"{b:.1f} mm", f"{signed(a - b)} mm"] for n, a, b in pairs]
        rows.append(
            [
                _("Largest loss"),
                f"{percent(read.loss)}",
                f"{percent(real.loss)}",
                _("{n} points").format(n=signed((read.loss - real.loss) * 100, 0)),
            ]
        )
        rows.append(
            [
                _("Genant grade"),
                str(read.grade),
                str(real.grade),
                _("same") if read.grade == real.grade else _("different"),
            ]
        )
        far = [f"{i + 1}: {d:.1f}" for i, d in enumerate(errors.distances_mm)]
        rows.append([_("Distance of each point, mm"), " · ".join(far[:3]), " · ".join(far[3:]), ""])
        return {
            "film": film["number"],
            "title": _("Right grade") if read.grade == real.grade else _("Another grade than the truth"),
            "head": ["", _("yours"), _("truth"), _("difference")],
            "rows": rows,
            "lines": lines,
            "truth": truth["L1"].points.tolist(),
        }


def _triple(heights: morphometry.Heights[float]) -> tuple[float, float, float]:
    return heights.anterior, heights.middle, heights.posterior


def geometry() -> dict[str, Any]:
    """Return the normal dimensions and constants that the browser half draws with."""
    levels = {}
    for level in lateral.LEVELS:
        anterior, middle, posterior = dimensions()[level].heights
        levels[level] = {
            "anterior": anterior,
            "middle": middle,
            "posterior": posterior,
            "disc": dimensions()[level].disc_below,
            "corners": list(lateral.corners(level)),
            "outline": rounded(lateral.outline(level, Shape())),
        }
    return {"levels": levels, "sac": float(lateral.SAC[0]), "limits": LIMITS}


def workbench(seed: int | None = None) -> Workbench:
    """Return the fracture workbench; `seed` makes the films to measure repeatable."""
    return Workbench(seed)
