"""What is counted in a text for a patient, against texts counted by hand; the exercises hold their own rules."""

import copy
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertebra import assets
from vertebra.evidence.references import cited, references
from vertebra.evidence.rewrites import checklist, exercises, facts, faults, reading_grade, syllables, without_citations


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/rewrites.yml"))


def counted(text, name="balloon"):
    return {check.id: check for check in checklist(exercises()[name], text)}


# Divided by hand.
DIVIDED = (
    "ver-te-bra kyph-o-plas-ty ce-ment leaked want-ed bone bones used pag-es ta-ble ta-bles healed be-ing me-di-a "
    "pa-tient frac-tures the knee trou-bled os-te-o-po-ro-sis chang-es wash-es sud-den pain re-lieve re-lieved peo-ple"
)


def test_syllables_are_those_of_words_divided_by_hand():
    for word in DIVIDED.split():
        assert syllables(word.replace("-", "")) == word.count("-") + 1, word
    assert syllables("don't") == syllables("Pain") == 1


def test_the_grade_is_the_formula_on_sentences_counted_by_hand():
    assert reading_grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    # 16 words, 23 syllables, and a number with a point in it that ends no sentence.
    text = "This sentence, taken as a reading passage unto itself, is being used to prove a point."
    assert reading_grade(text) == pytest.approx(0.39 * 16 + 11.8 * 23 / 16 - 15.59)
    assert reading_grade("Pain fell by 1.5 points. It came back!") == pytest.approx(0.39 * 7 / 2 + 11.8 - 15.59)
    assert reading_grade("") is None and reading_grade("12 % ...") is None


@given(st.lists(st.sampled_from(["bone", "cement", "leaks"]), min_size=1, max_size=12), st.integers(1, 5))
def test_the_same_sentence_again_is_no_harder(words, times):
    sentence = " ".join(words) + ". "
    assert reading_grade(sentence * times) == pytest.approx(reading_grade(sentence))


def test_numbers_are_counts_one_can_picture_and_no_times():
    found = counted(
        "It leaks in 7 in 10 bones, 26 of 3,175 people had it, 44 % less, 1.5 points; home in 2 days, aged 74."
    )
    assert found["numbers"].found == "7 in 10, 26 of 3,175, 44 %, 1.5 points" and found["numbers"].met
    assert not counted("Within 24 to 48 hours 7 in 10 feel better.")["numbers"].met


@pytest.mark.parametrize(
    ("id_", "poor", "good"),
    [
        ("comparator", "It helps many people.", "It helps no more than a sham operation."),
        ("harms", "Cement may leak.", "Cement may leak, even into the lungs."),
        ("alternatives", "You can take painkillers.", "You can take painkillers and keep moving."),
        ("doubt", "It works.", "It might work."),
        ("absolutes", "It is safe.", "It carries risks."),
        ("grade", "Percutaneous vertebroplasty facilitates instantaneous rehabilitation.", "It may help you walk."),
    ],
)
def test_each_check_tells_a_poor_text_from_a_better_one(id_, poor, good):
    assert (counted(poor)[id_].met, counted(good)[id_].met) == (False, True)


def test_words_are_met_at_their_beginning_only_and_whole_where_no_star_stands():
    assert counted("The gunlung.")["harms"].found == ""
    assert counted("It is unsafe, guaranteed.")["absolutes"].found == "guarantee"
    assert counted("A shamrock")["comparator"].met  # a stem is a stem: the page says what counting cannot see
    assert not counted("")["absolutes"].met  # an empty text has promised nothing yet


def test_sources_in_brackets_are_not_counted():
    assert without_citations("Pain fell. [nogg; unreferenced] It came\n back. [dohm2014]") == "Pain fell. It came back."
    for exercise in exercises().values():
        plain = checklist(exercise, without_citations(exercise.model))
        assert checklist(exercise, exercise.model) == plain


def test_every_model_passes_its_list_and_every_paragraph_fails_it():
    assert faults() == []
    for exercise in exercises().values():
        assert all(check.met for check in checklist(exercise, exercise.model)), exercise.id
        assert sum(check.met for check in checklist(exercise, exercise.text)) <= 2, exercise.id
        opened = [ref for ref in cited(exercise.model) if ref != "unreferenced"]
        assert opened and all(references()[ref].publishable for ref in opened)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["exercises"][0].pop("asks"), "'asks' is a required property"),
        (lambda d: d["exercises"].append(d["exercises"][0]), "balloon is used twice"),
        (lambda d: d["exercises"][0].update(model="You may heal."), "the model of balloon names no source"),
        (
            lambda d: d["exercises"][0].update(model="You may heal. [nogg]"),
            "the model of balloon lacks: at",
        ),
        (lambda d: d["exercises"][0].update(model=d["exercises"][0]["model"] + " [denis1983]"), "nobody has opened"),
        (lambda d: d["exercises"][0].update(text=d["exercises"][0]["model"]), "passes most checks"),
        (lambda d: d["exercises"][0]["claims"].append("c009-999"), "balloon names c009-999, which is no claim"),
        (lambda d: d["exercises"][0]["words"].pop("harms"), "'harms' is a required property"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(data)
    assert any(words in fault for fault in faults(data)), faults(data)


def test_each_statement_of_a_model_is_a_fact():
    told = list(facts())
    assert len(told) == sum(exercise.model.count("[") for exercise in exercises().values())
    assert all(fact.says and fact.refs and fact.review_by == date(2027, 11, 30) for fact in told)
