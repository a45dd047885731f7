"""What a patient is shown: counts become shares with the right intervals, benefits have harms beside them, and the
words stay below a reading grade of 8."""

import copy

import pytest
import yaml

from vertebra import assets
from vertebra.evidence import decision, emergencies
from vertebra.evidence.decision import Share, facts, faults, talk
from vertebra.evidence.references import references
from vertebra.evidence.rewrites import GRADE, reading_grade
from vertebra.imaging.leaks import ROUTES


def test_counts_are_those_of_the_sources():
    """Each count of the page is found in what was read of its source, in the source's own spelling."""
    printed = {
        "relief": ["24 (44%)", "12 (21%)"],
        "better": ["64% vs 48%"],
        "year": ["57/95 (60%)"],
        "sinking": ["11/91", "35/85"],
        "fracture": ["15/91", "21/85"],
        "fracture_two": ["57/131", "50/140"],
        "leak_ct": ["164/201", "157/214"],
        "leak_film": ["41% (VP) vs 9% (KP)"],
        "canal": ["26 patients, 4 decompressed"],
        "lung": ["34/1,782"],
        "again": ["0.04 (0.02-0.06)"],
    }
    assert set(printed) == {each.id for each in talk().outcomes}
    for each in talk().outcomes:
        read = " ".join(" ".join(references()[ref].outcomes) for ref in each.refs)
        assert [piece for piece in printed[each.id] if piece not in read] == []
    shares = {each.id: [(arm.label, arm.value) for arm in each.arms] for each in talk().outcomes}
    assert shares["leak_ct"] == [("vertebroplasty", 164 / 201), ("kyphoplasty", 157 / 214)]
    assert [round(100 * value) for _, value in shares["relief"]] == [44, 21]  # what the source prints
    for trial in talk().sham:
        if trial.points is not None:
            read = " ".join(references()[trial.id].outcomes)
            assert f"{trial.points:g}" in read and f"{trial.interval[1]:g}" in read


def test_icons_are_the_share_in_whole_people_with_the_interval_around_it():
    for each in talk().outcomes:
        for arm in each.arms:
            low, middle, high = arm.icons(each.of)
            assert 0 <= low <= middle <= high <= each.of
            assert abs(middle / each.of - arm.value) <= 0.5 / each.of
            if arm.low is not None:
                assert arm.low <= arm.value <= arm.high and low < high
    assert Share.from_record({"option": "care", "label": "x", "percent": 41}).icons(100) == (41, 41, 41)


def test_every_text_can_be_read_after_eight_years_of_school():
    hard = [(round(reading_grade(text), 1), text) for text in talk().texts if reading_grade(text) > GRADE]
    assert hard == []
    assert reading_grade(" ".join(talk().texts)) < 6


def test_benefits_never_stand_without_harms_and_the_sham_trials():
    page = talk()
    assert {each.group for each in page.outcomes} == {"benefit", "harm"}
    assert sum(each.group == "harm" for each in page.outcomes) >= sum(each.group == "benefit" for each in page.outcomes)
    assert {option.id for option in page.options} == {"care", "vertebroplasty", "kyphoplasty"}
    assert all(option.harm for option in page.options)
    # All five sham trials, whichever patient.
    assert {"clark2016", "firanescu2018", "buchbinder2009", "kallmes2009", "carli2023"} == {t.id for t in page.sham}
    assert set().union(*(trials for _, trials in page.stages.values())) == {t.id for t in page.sham}
    # A count says how it was looked for where that decides what is found.
    assert all("looked for" in each.title for each in page.outcomes if each.id.startswith(("leak", "lung")))


@pytest.mark.parametrize("module", [decision, emergencies])
def test_the_files_have_no_faults_and_every_fact_has_sources_and_a_day(module):
    assert module.faults() == []
    told = list(module.facts())
    assert len({fact.id for fact in told}) == len(told) > 20
    assert all(fact.refs and fact.says and fact.review_by.year >= 2027 for fact in told)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["options"].append(d["options"][0]), "used twice"),
        (lambda d: d["outcomes"][0]["arms"][0].update(events=99), "more events than people"),
        (lambda d: d["outcomes"][0]["arms"][0].update(percent=5), "neither a count"),
        (lambda d: d["outcomes"][0]["arms"][0].update(option="surgery"), "option surgery"),
        (lambda d: d["outcomes"][0].update(refs=["nobody1999"]), "nobody1999, which does not exist"),
        (lambda d: d["rare"][0].update(refs=["eck2008"]), "nobody has opened"),
        (lambda d: d["stages"][0].update(trials=["vope"]), "the trial vope"),
        (lambda d: d.pop("unknown"), "'unknown' is a required property"),
        (lambda d: d.update(outcomes=[o for o in d["outcomes"] if o["group"] == "benefit"]), "without harms"),
    ],
)
def test_each_fault_of_the_talk_is_found(spoil, words):
    data = copy.deepcopy(assets.read_yaml("evidence/decision.yml"))
    spoil(data)
    assert [fault for fault in faults(data) if words in fault]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["routes"].pop(), "routes are to be"),
        (lambda d: d["emergencies"][0]["steps"][0].update(refs=["eck2008"]), "nobody has opened"),
        (lambda d: d["emergencies"][0]["steps"].append(d["emergencies"][0]["steps"][0]), "used twice"),
        (lambda d: d["rates"][0].update(refs=[]), "should be non-empty"),
    ],
)
def test_each_fault_of_the_emergencies_is_found(spoil, words):
    data = copy.deepcopy(assets.read_yaml("evidence/emergencies.yml"))
    spoil(data)
    assert [fault for fault in emergencies.faults(data) if words in fault]


def test_every_route_of_the_model_is_told_and_every_emergency_begins_and_names_who():
    assert set(emergencies.routes()) == set(ROUTES)
    assert all(each.do and each.near for each in emergencies.routes().values())
    told = emergencies.emergencies()
    assert {"collapse", "deficit", "canal", "embolism", "infection", "chest", "anaphylaxis"} == set(told)
    for each in told.values():
        assert all(step.who and step.by for step in each.steps)
    # What may not wait comes first: the injection stops, and nobody scans before the surgeon knows.
    assert told["collapse"].steps[0].id == told["deficit"].steps[0].id == "stop"
    order = [step.id for step in told["deficit"].steps]
    assert order.index("surgeon") < order.index("ct")
    order = [step.id for step in told["infection"].steps]
    assert order.index("blood") < order.index("team")


def test_the_first_minutes_are_a_table_in_order_with_sources():
    shown = emergencies.first_minutes("anaphylaxis")
    assert repr(shown) == "1 emergency, 6 steps"
    text = shown._repr_html_()
    assert text.index("calls for help") < text.index("500 micrograms") < text.index("again if airway")
    assert "[rcuk2021]" in text and "<table>" in text
    assert "38 steps" in repr(emergencies.first_minutes())
    with pytest.raises(ValueError, match="no emergency 'stroke'"):
        emergencies.first_minutes("stroke")


def test_the_facts_carry_the_counts():
    said = {fact.id: fact.says for fact in facts()}
    assert "164 of 201" in said["leak_ct"] and "41 %" in said["leak_film"]


def test_the_numbers_of_the_question_bank_are_those_of_the_sources():
    bank = yaml.safe_load((assets.root().parent / "quizzes/bank/11_safety_and_consent.yml").read_text(encoding="utf-8"))
    items = {item["id"]: item for item in bank["items"]}
    first, second = next(each for each in talk().outcomes if each.id == "leak_ct").arms
    asked = items["sc-p18"]["answer"]
    assert 100 * (first.value - second.value) == pytest.approx(asked["value"], abs=asked["tolerance"])
    assert 100 * (1 - second.value / first.value) == pytest.approx(items["sc-p18"]["slips"][0]["value"], abs=0.5)
    assert "CT finds 74 vs 49 leaks" in references()["yeom2003"].outcomes[1]
    seen, asked = 100 * 49 / 74, items["sc-p05"]["answer"]
    assert seen == pytest.approx(asked["value"], abs=asked["tolerance"])
    near, operated = next(each for each in talk().outcomes if each.id == "canal").arms
    key = next(option["text"] for option in items["sc-p16"]["options"] if option.get("key"))
    assert f"about {near.icons(1000)[1]} had" in key and f"{operated.icons(1000)[1]} needed" in key
