"""The page of each simulator: what nobody has read is not shown as published, and a difference is called one."""

import pytest

from vertebra import assets, simulators
from vertebra.simulators import NAMES, page

ROW = {
    "id": "rebound",
    "quantity": "Height lost when the balloon is let down",
    "published": "31 (7) %",
    "source": "wegrzyn2011",
    "computed": 33,
    "unit": "%",
    "within": [24, 38],
}
PAGE = {"title": "Balloon", "model": "m", "fitted": "f", "validated": "v", "not_shown": "n"}


@pytest.fixture
def show(monkeypatch):
    """Return the page of rows that differ from ROW by what is given."""

    def shown(**changes):
        monkeypatch.setattr(assets, "read_yaml", lambda _: PAGE | {"rows": [ROW | changes]})
        page.cache_clear()
        return page("balloon")

    # The references are read before their reader is replaced.
    simulators.references()
    yield shown
    page.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_every_page_says_what_it_must_and_shows_no_unread_number(name):
    found = page(name)
    assert found.rows
    assert all(len(text) > 40 for text in found.brief.values())
    assert len({row.id for row in found.rows}) == len(found.rows)
    # No number outside the table is compared with a paper that nobody has opened.
    assert all(row.checked for row in found.rows)


def test_a_difference_is_called_one(show):
    assert show().rows[0].agrees
    assert "<strong>differs</strong>" not in show()._repr_html_()
    assert not show(computed=40).rows[0].agrees
    assert "<strong>differs</strong>" in show(computed=40)._repr_html_()
    assert repr(show(computed=40)) == "Balloon: 0 of 1 comparisons agree"


def test_an_unread_source_is_refused(show):
    with pytest.raises(ValueError, match="nobody has opened 'belkoff1999'"):
        show(source="belkoff1999")
    with pytest.raises(ValueError, match="nobody has opened 'liebschner2001'"):
        show(source="liebschner2001")


def test_text_is_escaped_and_a_damaged_row_is_named(show):
    assert "&lt;b&gt;" in show(quantity="<b>")._repr_html_()
    with pytest.raises(assets.AssetError, match=r"balloon\.yml: damaged.*colour"):
        show(colour="red")


def test_an_unknown_simulator_is_named():
    with pytest.raises(ValueError, match="no simulator 'cements'"):
        page("cements")


def test_every_material_parameter_says_where_it_is_from():
    known = simulators.references()
    for file in ("bone", "balloon", "cement", "leaks", "load", "mechanics", "cascade"):
        for name, parameter in assets.parameters(f"materials/{file}.csv").items():
            assert parameter.source == "unreferenced" or parameter.source in known, (file, name)
            assert parameter.checked in {
                "abstract-read", "partly-read", "read-address-lost", "recalled", "fitted", "assumed", "computed"
            }, (file, name)  # fmt: skip
            # What was read was read in a source that somebody has opened.
            if parameter.checked.endswith("read") or parameter.checked == "read-address-lost":
                assert known[parameter.source].publishable, (file, name)


def test_a_damaged_table_of_parameters_is_named_with_its_line(monkeypatch):
    head = "name,value,unit,source,checked,note\n"
    for text, words in (
        (head + "a,1,mm,x,y,z\nb,wide,mm,x,y,z\n", "line 3"),
        (head + "a,1,mm,x,y,z\na,2,mm,x,y,z\n", "twice"),
        (head + "a,1,mm\n", "line 2"),
    ):
        monkeypatch.setattr(assets, "read_text", lambda _, text=text: text)
        with pytest.raises(assets.AssetError, match=words):
            assets.parameters.__wrapped__("materials/attenuation.csv")
