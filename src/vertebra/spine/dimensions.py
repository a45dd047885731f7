"""How large a normal vertebra is, T6 to L5, from `assets/anatomy/dimensions.csv`.

The table says of every number where it comes from and whether anybody compared it with its source.
`tools/measure_anatomy.py` holds it against a CT and against mean meshes.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType

from vertebra import assets

LEVELS = ("T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
TABLE = "anatomy/dimensions.csv"
UNITS = {"mm", "deg"}


@dataclass(frozen=True)
class Dimensions:
    """One normal vertebra; mm unless said.

    Heights are those of the six points in the midsagittal plane; `midline_dip` is how much lower the middle is than
    the mean of its ends, where the middle is read half way between the midline's contour and the silhouette's.
    Widths and depths are those of the endplates, the depth in the midline. `pedicle_width` and `pedicle_height` are
    those of the isthmus, `pedicle_angle` (degrees) is positive when the pedicles converge anteriorly.
    `transverse_span` runs from tip to tip; `spinous_reach` is how far the spinous process reaches behind the posterior
    wall and `spinous_drop` how far its lowest point lies below the body's centre. `disc_below` is the height of the
    disc beneath.
    """

    level: str
    posterior_height: float
    anterior_height: float
    midline_dip: float
    upper_width: float
    lower_width: float
    upper_depth: float
    lower_depth: float
    canal_width: float
    canal_depth: float
    pedicle_width: float
    pedicle_height: float
    pedicle_angle: float
    transverse_span: float
    spinous_reach: float
    spinous_drop: float
    disc_below: float

    @property
    def heights(self) -> tuple[float, float, float]:
        """Anterior, middle and posterior height, mm."""
        middle = (self.anterior_height + self.posterior_height) / 2 - self.midline_dip
        return self.anterior_height, middle, self.posterior_height

    @property
    def endplate_depth(self) -> float:
        """Depth of the upper endplate, mm."""
        return self.upper_depth


@cache
def dimensions() -> Mapping[str, Dimensions]:
    """Return the normal dimensions by level, cranial to caudal.

    Raises AssetError if the table is missing, lacks a number or holds one that is not a number.
    """
    found: dict[str, dict[str, float]] = {level: {} for level in LEVELS}
    for line, row in enumerate(csv.DictReader(io.StringIO(assets.read_text(TABLE))), 2):
        level, name, value, unit = (row.get(column) or "" for column in ("level", "dimension", "value", "unit"))
        try:
            number = float(value)
        except ValueError:
            raise assets.AssetError(f"{TABLE}, line {line}: {value!r} is no number; {assets.MEND}") from None
        if level not in found or unit not in UNITS:
            raise assets.AssetError(f"{TABLE}, line {line}: level {level!r}, unit {unit!r} unknown; {assets.MEND}")
        found[level][name] = number
    wanted = {each.name for each in fields(Dimensions)} - {"level"}
    for level, values in found.items():
        if set(values) != wanted:
            odd = ", ".join(sorted(wanted ^ set(values)))
            raise assets.AssetError(f"{TABLE}: {level} lacks or has too much of: {odd}; {assets.MEND}")
    return MappingProxyType({level: Dimensions(level, **values) for level, values in found.items()})
