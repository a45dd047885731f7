"""The mutation suite: its flaws are real ones, it measures the linter, and the linter passes."""

import copy
from collections import Counter

import pytest
import yaml

from vertebra.cli import main
from vertebra.quiz import mutations
from vertebra.quiz.flaws import BANK_FLAWS, FLAWS, Flaw, put
from vertebra.quiz.lint import RULES, Finding
from vertebra.quiz.mutations import DRAWN, draw, measure, raw_banks

FEW = 2  # questions for each way, so that this stays fast; `vertebra quiz lint --self-test` takes all


@pytest.fixture(scope="module")
def banks():
    return raw_banks()


@pytest.fixture(scope="module")
def drawn(banks):
    return draw(banks)


# --- The draw ---------------------------------------------------------------------------------------------------------


def test_fifty_questions_are_drawn_of_every_format_in_proportion(banks, drawn):
    assert len({item["id"] for item in drawn}) == DRAWN
    everything = Counter(item["format"] for bank in banks for item in bank["items"])
    total = sum(everything.values())
    for name, number in Counter(item["format"] for item in drawn).items():
        assert abs(number - DRAWN * everything.pop(name) / total) <= max(2, 0.1 * DRAWN)
    assert not everything


def test_the_draw_does_not_depend_on_the_order_of_the_banks(banks, drawn):
    assert draw(banks[::-1]) == drawn


def test_a_new_question_changes_the_draw_by_a_question_or_two_at_most(banks, drawn):
    more = [*banks, {"items": [copy.deepcopy(banks[0]["items"][0]) | {"id": "zz-new"}]}]
    assert len({item["id"] for item in draw(more)} - {item["id"] for item in drawn}) <= 2


# --- The flaws --------------------------------------------------------------------------------------------------------


def test_every_rule_is_broken_in_three_ways_or_more():
    ways = Counter(flaw.rule for flaw in (*FLAWS, *BANK_FLAWS))
    assert ways.keys() == RULES.keys()
    assert min(ways.values()) >= 3


def test_a_flaw_changes_its_own_copy_and_nothing_else(drawn):
    before = copy.deepcopy(drawn)
    fitting = Counter()
    for flaw in FLAWS:
        for item in drawn:
            spoilt = flaw.into(item)
            if spoilt is not None:
                assert spoilt != item, (flaw, item["id"])
                fitting[flaw] += 1
    assert drawn == before
    assert [flaw for flaw in FLAWS if not fitting[flaw]] == []


def test_a_flaw_of_a_bank_changes_its_own_copy_and_nothing_else(banks):
    before = copy.deepcopy(banks)
    for flaw in BANK_FLAWS:
        assert flaw.into(banks) != banks, flaw
    assert banks == before


# --- The measure ------------------------------------------------------------------------------------------------------


def linter(says):
    """Return a linter that says of each question the rules that says(question) returns."""

    def lint_files(paths, on, *, whole=False, rules=RULES):
        items = [item for path in paths for item in yaml.safe_load(path.read_text(encoding="utf-8"))["items"]]
        return [
            Finding("a.yml", 1, rule, "error", f"item {item['id']}", "", "", "")
            for item in items
            for rule in says(item)
        ]

    return lint_files


TIER = Flaw("L02", "an unknown tier", ("ordering",), put("tier", "could"))


def test_a_linter_that_says_nothing_has_no_recall_and_no_alarms(monkeypatch):
    monkeypatch.setattr(mutations, "lint_files", linter(lambda item: []))
    report = measure(FEW, [TIER], [])
    assert report.recall().share == 0
    assert report.false_alarms.share == 0
    assert report.faults()[0] == "recall is 0.0% (0 of 2), below 95%"
    assert "L02 finds 0.0% (0 of 2), below 90%; missed: an unknown tier" in report.faults()


def test_what_was_said_before_the_flaw_is_an_alarm_and_not_a_finding(monkeypatch):
    said = linter(lambda item: ["L27", "L02"] if item["tier"] == "could" else ["L27"])
    monkeypatch.setattr(mutations, "lint_files", said)
    report = measure(FEW, [TIER, Flaw("L27", "inches", ("ordering",), put("stem", "Order 2 inches."))], [])
    tier, inches = report.tried
    assert (tier.found.successes, tier.found.n, tier.others) == (2, 2, {})
    assert inches.found.n == 0  # the rule speaks of every question, so nothing shows whether it finds inches
    assert report.alarms == {"L27": DRAWN}
    assert (report.false_alarms.successes, report.false_alarms.n) == (DRAWN, DRAWN * len(RULES))


def test_other_rules_that_a_flaw_sets_off_are_counted(monkeypatch):
    monkeypatch.setattr(mutations, "lint_files", linter(lambda item: ["L30"] if item["tier"] == "could" else []))
    (tier,) = measure(FEW, [TIER], []).tried
    assert (tier.found.successes, tier.others) == (0, {"L30": 2})
    assert len(tier.missed) == 2


def test_false_alarms_above_five_in_a_hundred_are_named(monkeypatch):
    monkeypatch.setattr(mutations, "lint_files", linter(lambda item: ["L01", "L27"]))
    assert "false alarms are 6.2% (100 of 1600), above 5%" in measure(FEW, [TIER], []).faults()


def test_the_linter_passes():
    one_each = {flaw.rule: flaw for flaw in BANK_FLAWS}.values()
    report = measure(FEW, FLAWS, one_each)
    assert report.faults() == []
    assert report.table().splitlines()[-1].startswith("False alarms: ")


@pytest.mark.parametrize(("shortfalls", "code"), [([], 0), (["recall is 3 %"], 1)])
def test_the_command_prints_the_table_and_ends_with_one_where_the_linter_falls_short(
    monkeypatch, capsys, shortfalls, code
):
    class Report:
        def table(self):
            return "the table"

        def faults(self):
            return shortfalls

    monkeypatch.setattr(mutations, "measure", Report)
    assert main(["quiz", "lint", "--self-test"]) == code
    assert capsys.readouterr().out.splitlines() == ["the table", *shortfalls]
