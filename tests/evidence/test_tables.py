"""A table of text: what stands in it is text whatever it looks like, and everything reads from the left."""

from vertebra.evidence.tables import LEFT, Table, table


def test_text_is_shown_as_text_and_every_cell_reads_from_the_left():
    shown = Table("Letters", ("<a>", "d"), (("<b>", "c & d"),))
    assert repr(shown) == "Letters: 1 rows"
    made = shown._repr_html_()
    assert "<b>" not in made and "<a>" not in made and "c &amp; d" in made
    assert made.count(LEFT) == made.count("<th ") + made.count("<td ") == 4


def test_the_first_cell_names_its_row_and_a_caption_is_there_only_if_given():
    made = table(("x", "y"), [("1", "<b>2</b>")], "Squares")
    assert f'<th scope="row" {LEFT}>1</th><td {LEFT}><b>2</b></td>' in made
    assert "<caption>Squares</caption>" in made and "caption" not in table(("x", "y"), [])
