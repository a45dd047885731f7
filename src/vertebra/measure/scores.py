"""Fracture classifications and scores as tables: OF type, OF score (two cards), TL-AOSIS, TLICS and SINS.

Every card is data: points for each code of each item, bands of the total, and `checked`: what was read where.
Points that no checked source gives are listed in the card's `unreferenced` and reappear in each result that used them.
No score replaces an examination: see `REFERRAL`, which every result carries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import inf
from numbers import Real
from types import MappingProxyType
from typing import Literal

REFERRAL = (
    "Whatever the total: a new neurological deficit or an unstable fracture goes to a spine surgeon at once "
    "(unreferenced)."
)


@dataclass(frozen=True)
class Band:
    """Totals up to and including `highest` (above the band before) and what the card recommends for them."""

    highest: float
    label: str
    recommendation: str


@dataclass(frozen=True)
class Card:
    """A score as printed: item -> code -> points, bands in rising order, and where the numbers come from.

    `source` holds reference ids; `checked` says in words what was read; `unreferenced` names the codes, item by item,
    whose points are accepted teaching without a checked source.
    """

    name: str
    points: Mapping[str, Mapping[str, int]]
    bands: tuple[Band, ...]
    source: tuple[str, ...]
    checked: str
    unreferenced: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Score:
    """A total, the points of each item, the band it falls in, and the card's recommendation.

    `unreferenced` lists the items of this very total whose points have no checked source.
    """

    card: str
    total: int
    parts: dict[str, int]
    band: str
    recommendation: str
    referral: str
    source: tuple[str, ...]
    unreferenced: tuple[str, ...]


def _permitted(item: str, code: object, codes: Mapping[str, object]) -> str:
    """Return the code as it stands in the table; a ValueError lists the permitted ones."""
    if not isinstance(code, str) or code not in codes:
        raise ValueError(f"{item} {code!r} is unknown; permitted: {', '.join(codes)}")
    return code


def _add(card: Card, codes: Mapping[str, object]) -> Score:
    """Look each item's code up in the card, add the points, find the band."""
    chosen = {item: _permitted(item, codes[item], table) for item, table in card.points.items()}
    parts = {item: card.points[item][code] for item, code in chosen.items()}
    total = sum(parts.values())
    band = next(band for band in card.bands if total <= band.highest)
    unreferenced = tuple(f"{i}: {code}" for i, code in chosen.items() if code in card.unreferenced.get(i, ()))
    return Score(
        card=card.name,
        total=total,
        parts=parts,
        band=band.label,
        recommendation=band.recommendation,
        referral=REFERRAL,
        source=card.source,
        unreferenced=unreferenced,
    )


# --- OF type ---------------------------------------------------------------------------------------------------------

OF_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0: "no injury seen; a film alone cannot tell this from OF 1, which shows on MRI (STIR) only",
        1: "bone oedema without deformation",
        2: "one endplate deformed, posterior wall spared or involved by less than 1/5",
        3: "one endplate deformed, posterior wall involved by 1/5 or more",
        4: "both endplates deformed, or the vertebral frame lost (collapse, pincer)",
        5: "failure of the anterior or posterior tension band: distraction, rotation, translation",
    }
)
OF_SOURCE = ("schnake2018",)
# Types and the order of the questions: AO Spine-DGOU pocket card (schnake2018). The card prints < 1/5 and > 1/5; that
# exactly 1/5 counts as OF 3 is this program's choice (unreferenced).
POSTERIOR_WALL_SHARE = 1 / 5
"""Share of the posterior wall from which its involvement is distinct (OF 3)."""


@dataclass(frozen=True)
class OfFindings:
    """What the images show: endplates deformed (0, 1, 2), share of the posterior wall involved (0-1), and three signs.

    `frame_loss` is loss of the vertebral frame, collapse or a pincer fracture; `tension_band` is failure of the
    anterior or posterior tension band, seen as distraction, rotation or translation.
    """

    endplates: int = 0
    posterior_wall: float = 0.0
    mri_oedema: bool = False
    frame_loss: bool = False
    tension_band: bool = False

    def __post_init__(self) -> None:
        if self.endplates not in (0, 1, 2):
            raise ValueError(f"endplates {self.endplates!r} is unknown; permitted: 0, 1, 2")
        if not 0 <= self.posterior_wall <= 1:
            raise ValueError(f"posterior_wall is {self.posterior_wall}; give the involved share from 0 to 1")
        if self.posterior_wall > 0 and not (self.endplates or self.frame_loss or self.tension_band):
            raise ValueError(
                f"posterior_wall is {self.posterior_wall} but nothing is deformed; name the endplate, or set it to 0"
            )


# The card asks from the worst downwards, and the first yes decides.
_OF_QUESTIONS: tuple[tuple[int, Callable[[OfFindings], bool]], ...] = (
    (5, lambda f: f.tension_band),
    (4, lambda f: f.endplates == 2 or f.frame_loss),
    (3, lambda f: f.endplates == 1 and f.posterior_wall >= POSTERIOR_WALL_SHARE - 1e-9),
    (2, lambda f: f.endplates == 1),
    (1, lambda f: f.mri_oedema),
    (0, lambda f: True),
)


def of_type(findings: OfFindings) -> int:
    """OF type 1-5 of the findings, 0 for none of them (schnake2018); `OF_TYPES` says each in words."""
    return next(number for number, applies in _OF_QUESTIONS if applies(findings))


# --- OF score --------------------------------------------------------------------------------------------------------

NeurologyN = Literal["N0", "N1", "N2", "N3", "N4", "NX"]


@dataclass(frozen=True)
class OfPatient:
    """Items of both OF cards; None (for neurology "NX") means unknown and scores 0.

    Pain is the VAS 0-10 and mobility is tested, both under analgesia. `hounsfield` (quantitative CT) and `frailty`
    (5-item modified frailty index, 0-5) count on the modified card only; `dementia`, `bmi` and `nursing_care` on the
    original only. Raises ValueError for an unknown code or a number out of range.
    """

    of: int
    t_score: float | None = None
    hounsfield: float | None = None
    progression: bool | None = None
    pain_vas: float | None = None
    neurology: NeurologyN = "NX"
    mobile: bool | None = None
    asa: int | None = None
    frailty: int | None = None
    anticoagulation: bool | None = None
    dementia: bool | None = None
    bmi: float | None = None
    nursing_care: bool | None = None

    def __post_init__(self) -> None:
        if self.of not in (1, 2, 3, 4, 5):
            raise ValueError(f"of {self.of!r} is unknown; permitted: 1, 2, 3, 4, 5")
        _permitted("neurology", self.neurology, _OF_NEUROLOGY)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _RANGES and value is not None:
                low, high = _RANGES[field.name]
                if not (isinstance(value, Real) and low <= float(value) <= high):
                    raise ValueError(f"{field.name} is {value}; give a number from {low:g} to {high:g}, or None")


_RANGES = {
    "t_score": (-10, 5),
    "hounsfield": (-200, 1000),
    "pain_vas": (0, 10),
    "asa": (1, 5),
    "frailty": (0, 5),
    "bmi": (8, 100),
}

_OF_NEUROLOGY = {"N0": 0, "N1": 0, "N2": 2, "N3": 2, "N4": 2, "NX": 0}

_OF_POINTS: Mapping[str, Mapping[str, int]] = {
    "morphology": {"OF 1": 2, "OF 2": 4, "OF 3": 6, "OF 4": 8, "OF 5": 10},
    "bone density": {"low": 1, "not low": 0, "unknown": 0},
    "progression": {"yes": 1, "no": -1, "unknown": 0},
    "pain": {"high": 1, "low": -1, "unknown": 0},
    "neurology": _OF_NEUROLOGY,
    "mobilisation": {"not possible": 1, "possible": -1, "unknown": 0},
    "health status": {"none known": 0, "one": -1, "two or more": -2},
}
"""Points of both cards; they differ in what makes bone density low, pain high and health poor (`OfCard`)."""

_OF_BANDS = (
    Band(5, "conservative", "Conservative therapy."),
    Band(6, "either", "Conservative therapy or surgery."),
    Band(inf, "surgery", "Surgery, under which cement augmentation is counted (unreferenced)."),
)

_HEALTH: Mapping[str, Callable[[OfPatient], bool]] = {
    "ASA above 3": lambda p: p.asa is not None and p.asa > 3,
    "frailty index above 2": lambda p: p.frailty is not None and p.frailty > 2,
    "anticoagulation": lambda p: bool(p.anticoagulation),
    "dementia": lambda p: bool(p.dementia),
    "BMI below 20": lambda p: p.bmi is not None and p.bmi < 20,
    "nursing care": lambda p: bool(p.nursing_care),
}


@dataclass(frozen=True)
class OfCard(Card):
    """An OF score card: besides the points, its cut-offs for pain and bone density and its health items.

    `pain_vas`: pain is high from here on. `t_score`: density is low below here. `hounsfield`: low up to here, None if
    the card has no such item.
    """

    pain_vas: float
    t_score: float
    hounsfield: float | None
    health: tuple[str, ...]


OF_MODIFIED = OfCard(
    name="modified OF score (AO Spine-DGOU)",
    points=_OF_POINTS,
    bands=_OF_BANDS,
    source=("ofscore",),
    checked="All items, points and bands: AO Spine-DGOU pocket card, which calls itself not validated yet (ofscore).",
    unreferenced={},
    pain_vas=5,
    t_score=-3,
    hounsfield=90,
    health=("ASA above 3", "frailty index above 2", "anticoagulation"),
)

OF_ORIGINAL = OfCard(
    name="original OF score (DGOU)",
    points=_OF_POINTS,
    bands=_OF_BANDS,
    source=("ofscore",),
    checked=(
        "The seven items and the bands (below 6, 6, above 6): abstract 10.1055/s-0040-1717521 (ofscore). Every point, "
        "the pain cut-off VAS 4, the T-score cut-off and the list of health items are accepted teaching whose table "
        "was not seen (unreferenced)."
    ),
    unreferenced={item: tuple(table) for item, table in _OF_POINTS.items()},
    pain_vas=4,
    t_score=-3,
    hounsfield=None,
    health=("ASA above 3", "dementia", "BMI below 20", "nursing care", "anticoagulation"),
)


def _answer(value: bool | None, yes: str, no: str) -> str:
    return "unknown" if value is None else yes if value else no


def of_score(patient: OfPatient, card: OfCard = OF_MODIFIED) -> Score:
    """Score a patient on `OF_MODIFIED` or `OF_ORIGINAL`; a total below 0 falls in the lowest band."""
    density = None if patient.t_score is None else patient.t_score < card.t_score
    if card.hounsfield is not None and patient.hounsfield is not None:
        # Either measurement alone makes the point; both must be normal (or one normal, one missing) to deny it.
        density = bool(density) or patient.hounsfield <= card.hounsfield
    burdens = sum(_HEALTH[item](patient) for item in card.health)
    return _add(
        card,
        {
            "morphology": f"OF {patient.of}",
            "bone density": _answer(density, "low", "not low"),
            "progression": _answer(patient.progression, "yes", "no"),
            "pain": _answer(None if patient.pain_vas is None else patient.pain_vas >= card.pain_vas, "high", "low"),
            "neurology": patient.neurology,
            "mobilisation": _answer(patient.mobile, "possible", "not possible"),
            "health status": ("none known", "one", "two or more")[min(burdens, 2)],
        },
    )


# --- AO Spine thoracolumbar: TL-AOSIS --------------------------------------------------------------------------------

AoType = Literal["A0", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "C"]
Modifier = Literal["none", "M1", "M2", "M1+M2"]

AO_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "A0": "minor, such as a transverse process fracture",
        "A1": "wedge compression",
        "A2": "split or pincer",
        "A3": "incomplete burst: one endplate",
        "A4": "complete burst: both endplates",
        "B1": "osseous failure of the posterior tension band",
        "B2": "failure of the posterior tension band including ligaments",
        "B3": "anterior tension band, hyperextension",
        "C": "displacement or translation",
    }
)

TL_AOSIS = Card(
    name="TL-AOSIS",
    points={
        "morphology": {"A0": 0, "A1": 1, "A2": 2, "A3": 3, "A4": 5, "B1": 5, "B2": 6, "B3": 7, "C": 8},
        "neurology": {"N0": 0, "N1": 1, "N2": 2, "N3": 4, "N4": 4, "NX": 3},
        "modifier": {"none": 0, "M1": 1, "M2": 0, "M1+M2": 1},
    },
    bands=(
        Band(3, "conservative", "A trial of conservative treatment."),
        Band(5, "either", "Conservative or operative treatment, both acceptable."),
        Band(inf, "surgery", "Operative treatment."),
    ),
    source=("vaccaro2013",),
    checked=(
        "Types and N codes: vaccaro2013. A1-A4, B1, N0-N3 and M1: abstract of PMID 27190734. Bands (3 or less, 4-5, "
        "above 5): abstract of the surgical algorithm, Eur Spine J 2016;25:1087-1094. A0, B2, B3, C, N4, NX and M2 (0 "
        "points, a note on the patient) are accepted teaching (unreferenced)."
    ),
    unreferenced={
        "morphology": ("A0", "B2", "B3", "C"),
        "neurology": ("N4", "NX"),
        "modifier": ("M2", "M1+M2"),
    },
)


def tl_aosis(morphology: AoType, neurology: NeurologyN = "N0", modifier: Modifier = "none") -> Score:
    """Thoracolumbar AO Spine injury score of the worst lesion's type, its neurology and its modifier."""
    return _add(TL_AOSIS, {"morphology": morphology, "neurology": neurology, "modifier": modifier})


# --- TLICS -----------------------------------------------------------------------------------------------------------

TlicsMorphology = Literal["compression", "burst", "translation/rotation", "distraction"]
Plc = Literal["intact", "indeterminate", "injured"]
TlicsNeurology = Literal["intact", "root", "complete cord", "incomplete cord", "cauda equina"]

TLICS = Card(
    name="TLICS",
    points={
        "morphology": {"compression": 1, "burst": 2, "translation/rotation": 3, "distraction": 4},
        "posterior ligamentous complex": {"intact": 0, "indeterminate": 2, "injured": 3},
        "neurology": {"intact": 0, "root": 2, "complete cord": 2, "incomplete cord": 3, "cauda equina": 3},
    },
    bands=(
        Band(3, "non-operative", "Non-operative treatment."),
        Band(4, "either", "Non-operative or operative treatment."),
        Band(inf, "operative", "Operative treatment."),
    ),
    source=("tlics2005",),
    checked="Points and bands: three secondary pages that agree (tlics2005); the paper's own table was not seen.",
    unreferenced={},
)


def tlics(morphology: TlicsMorphology, plc: Plc = "intact", neurology: TlicsNeurology = "intact") -> Score:
    """TLICS of a high-energy injury; `plc` is the posterior ligamentous complex (tlics2005)."""
    codes = {"morphology": morphology, "posterior ligamentous complex": plc, "neurology": neurology}
    return _add(TLICS, codes)


# --- SINS ------------------------------------------------------------------------------------------------------------

SinsLocation = Literal["junctional", "mobile", "semirigid", "rigid"]
SinsPain = Literal["mechanical", "occasional", "none"]
SinsLesion = Literal["lytic", "mixed", "blastic"]
SinsAlignment = Literal["subluxation", "deformity", "normal"]
SinsCollapse = Literal["over 50 %", "under 50 %", "none, body over 50 % involved", "none"]
SinsPosterolateral = Literal["bilateral", "unilateral", "none"]

SINS = Card(
    name="SINS",
    points={
        "location": {"junctional": 3, "mobile": 2, "semirigid": 1, "rigid": 0},
        "pain": {"mechanical": 3, "occasional": 1, "none": 0},
        "lesion": {"lytic": 2, "mixed": 1, "blastic": 0},
        "alignment": {"subluxation": 4, "deformity": 2, "normal": 0},
        "collapse": {"over 50 %": 3, "under 50 %": 2, "none, body over 50 % involved": 1, "none": 0},
        "posterolateral": {"bilateral": 3, "unilateral": 1, "none": 0},
    },
    bands=(
        Band(6, "stable", "Stable."),
        Band(12, "potentially unstable", "Potentially unstable: surgical consultation (advised from 7 points)."),
        Band(18, "unstable", "Unstable: surgical consultation."),
    ),
    source=("fisher2010",),
    checked=(
        "Points and bands: two secondary pages that agree (fisher2010); the paper's own table was not seen. One web "
        "page prints another pain scale. Which levels make a region (SINS_REGIONS) was read in no checked source "
        "(unreferenced)."
    ),
    unreferenced={},
)

_LEVELS = (
    *("C0", *(f"C{i}" for i in range(1, 8)), *(f"T{i}" for i in range(1, 13))),
    *(*(f"L{i}" for i in range(1, 6)), *(f"S{i}" for i in range(1, 6))),
)


def _span(first: str, last: str) -> tuple[str, ...]:
    return _LEVELS[_LEVELS.index(first) : _LEVELS.index(last) + 1]


SINS_REGIONS: Mapping[SinsLocation, tuple[str, ...]] = MappingProxyType(
    {
        "junctional": (*_span("C0", "C2"), *_span("C7", "T2"), *_span("T11", "L1"), *_span("L5", "S1")),
        "mobile": (*_span("C3", "C6"), *_span("L2", "L4")),
        "semirigid": _span("T3", "T10"),
        "rigid": _span("S2", "S5"),
    }
)
"""Levels of each region, C0 for the occiput."""


def sins_location(level: str) -> SinsLocation:
    """SINS region of a vertebra, such as "T8" -> semirigid."""
    for region, levels in SINS_REGIONS.items():
        if level in levels:
            return region
    raise ValueError(f"level {level!r} is unknown; permitted: {', '.join(_LEVELS)}")


def sins(
    location: SinsLocation,
    pain: SinsPain,
    lesion: SinsLesion,
    alignment: SinsAlignment,
    collapse: SinsCollapse,
    posterolateral: SinsPosterolateral,
) -> Score:
    """Spinal instability neoplastic score; `pain` is mechanical when movement or load brings it on (fisher2010)."""
    return _add(
        SINS,
        {
            "location": location,
            "pain": pain,
            "lesion": lesion,
            "alignment": alignment,
            "collapse": collapse,
            "posterolateral": posterolateral,
        },
    )
