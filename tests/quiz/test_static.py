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


def test_decisions_stand_with_their_options_and_how_many_count():
    decisions = [
        {"id": "d1", "text": "What first?", "choose": 2, "options": [{"id": "o1", "text": "This"}], "key": ["o1"]},
        {
            "id": "d2",
            "text": "What then?",
            "choose": 1,
            "options": [{"id": "o2", "text": "That & so"}],
            "harms": ["o2"],
        },
    ]
    page = static_html("x", [ITEM | {"format": "key_feature", "unit": "", "decisions": decisions}])
    first, second = page.index("What first? (choose up to 2)"), page.index("What then? (choose one)")
    assert first < page.index("This") < second < page.index("That &amp; so")
    assert "o1" not in page and "harm" not in page


def test_what_no_clinician_has_reviewed_says_so():
    assert "Not yet reviewed by a clinician" in static_html("x", [ITEM])
    assert standing([ITEM | {"reviewed": True}, ITEM]).endswith("Not yet reviewed by a clinician.")
    assert standing([ITEM | {"reviewed": True}]) == "Teaching, not medical advice."
