"""Work out what films and CT show of each leak that the course counts, into `assets/materials/leak_sights.csv`.

    python tools/build_sights.py

Two thousand leaks, half a minute. `tests/imaging/test_leaks.py` looks at some of them anew.
"""

import csv
import itertools
from pathlib import Path

from vertebra.imaging.leaks import BROKEN, COUNTED, LADDER, SIGHTS, SPOTS, TURNS, Leak, coded, sight

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write the table, one line for each turn, level, route and place."""
    with (ROOT / "assets" / SIGHTS).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["level", "route", "place", "turn", "seen"])
        for turn, level, route, place in itertools.product(TURNS, BROKEN, COUNTED, SPOTS):
            seen = "".join(str(coded(sight(Leak(level, route, volume, place), turn))) for volume in LADDER)
            table.writerow([level, route, f"{place:g}", f"{turn:g}", seen])


if __name__ == "__main__":
    main()
