"""The table of dimensions: where its numbers come from, and what must be true of any spine."""

import csv
import io
import re
from dataclasses import fields

import pytest

from validation import EXACT, validates
from vertebra import assets
from vertebra.evidence.references import OPENED, references
from vertebra.spine.dimensions import LEVELS, TABLE, Dimensions, dimensions

ROWS = list(csv.DictReader(io.StringIO(assets.read_text(TABLE))))


def test_each_number_says_its_source_and_how_far_it_was_checked():
    for row in ROWS:
        if row["source"].startswith("measured: "):
            assert row["checked"] == "measured", row
        elif row["source"] == "unreferenced":
            assert row["checked"] == "unchecked", row
        else:
            assert row["checked"] == references()[row["source"]].checked in OPENED, row


@validates(
    "spine.dimensions",
    "Heights, endplates and canal of L1 to L5",
    against="a meta-analysis of 18 studies",
    kind="published",
    tolerance=EXACT,
    source=("bonczar2024",),
)
def test_numbers_of_a_published_series_are_those_of_the_reference_list():
    said = " ".join(references()["bonczar2024"].outcomes)
    for name, words in (
        ("posterior_height", "h_post"), ("anterior_height", "h_ant"), ("upper_width", "EPWu"),
        ("canal_width", "canal w"), ("canal_depth", "AP"),
    ):  # fmt: skip
        published = re.search(words + r"((?: \d+\.\d+){5})", said).group(1).split()
        table = {r["level"]: r for r in ROWS if r["dimension"] == name and r["source"] == "bonczar2024"}
        assert [float(table[level]["value"]) for level in LEVELS[-5:]] == [float(value) for value in published]


def test_a_recalled_number_that_lost_against_a_measured_one_is_told_in_the_note():
    for row in ROWS:
        recalled = re.search(r"recalled (?:from another series: )?([\d.]+)", row["note"])
        if row["source"].startswith("measured: ") and recalled and "neighbours" not in row["note"]:
            assert abs(float(recalled[1]) / float(row["value"]) - 1) > 0.1, row


def test_every_level_has_every_dimension_once():
    names = {each.name for each in fields(Dimensions)} - {"level"}
    assert {(r["level"], r["dimension"]) for r in ROWS} == {(level, name) for level in LEVELS for name in names}
    assert len(ROWS) == len(LEVELS) * len(names)
    assert tuple(dimensions()) == LEVELS


def test_what_is_true_of_spines():
    table = dimensions()
    widths = [table[level].upper_width for level in LEVELS]
    assert widths == sorted(widths)
    assert table["L1"].posterior_height > table["L1"].anterior_height
    assert table["L5"].posterior_height < table["L5"].anterior_height
    pedicles = {level: table[level].pedicle_width for level in LEVELS}
    assert min(pedicles, key=pedicles.get) == "T6"
    assert max(pedicles, key=pedicles.get) == "L5"
    for level in LEVELS:
        d = table[level]
        low, high = (3.4, 7.7) if level in LEVELS[:5] else (7.2, 18.0)  # safe widths of lien2007, rounded up at L5
        assert low <= d.pedicle_width <= high
        assert d.heights[1] == pytest.approx((d.heights[0] + d.heights[2]) / 2 - d.midline_dip)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("L1,anterior_height,24.54", "L1,anterior_height,tall", "'tall'"),
        ("L1,anterior_height,24.54,mm", "L1,anterior_height,24.54,inch", "inch"),
        ("L1,anterior_height", "L1,front_height", "anterior_height"),
        ("L1,anterior_height", "L9,anterior_height", "L9"),
    ],
)
def test_a_damaged_table_is_refused_by_what_is_wrong(monkeypatch, old, new, word):
    text = assets.read_text(TABLE)
    assert old in text
    monkeypatch.setattr(assets, "read_text", lambda _: text.replace(old, new))
    with pytest.raises(assets.AssetError, match=word):
        dimensions.__wrapped__()
