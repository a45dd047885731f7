"""A quiz as plain HTML: escaped, without keys, and honest about who has seen it."""

from vertebra.quiz.static import standing, static_html

ITEM = {
    "id": "a",
    "format": "numeric",
    "stem": "How <many> & why?",
    "unit": "%",
    "image": None,
    "reviewed": False,
    "key": {"value": 25},
    "rationales": {"": "a secret"},
}


def test_texts_are_escaped_and_keys_left_out():
    page = static_html("A & B", [ITEM])
    assert "How &lt;many&gt; &amp; why?" in page
    assert "A &amp; B" in page
    assert "secret" not in page and "25" not in page


def test_what_no_clinician_has_reviewed_says_so():
    assert "Not yet reviewed by a clinician" in static_html("x", [ITEM])
    assert standing([ITEM | {"reviewed": True}, ITEM]).endswith("Not yet reviewed by a clinician.")
    assert standing([ITEM | {"reviewed": True}]) == "Teaching, not medical advice."
