"""The deck, opened by Anki's own code: all cards there, right, with pictures, and the same cards at every import."""

import re
import time
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from anki.import_export_pb2 import IMPORT_ANKI_PACKAGE_UPDATE_CONDITION_IF_NEWER as IF_NEWER

from validation import EXACT, validates
from vertebra.cli import main
from vertebra.quiz.coverage import practice_banks
from vertebra.teaching.cards import FIELDS, cards_of, write_cards
from vertebra.teaching.files import TeachingError

QUIZZES = Path(__file__).parents[2] / "quizzes"
NO_CARDS = {"needle_path", "stop_decision"}


def brought_in(collection, file):
    """Import as Anki's own dialogue does, and return (new, updated, unchanged)."""
    options = ImportAnkiPackageOptions(update_notes=IF_NEWER, update_notetypes=IF_NEWER, merge_notetypes=True)
    log = collection.import_anki_package(ImportAnkiPackageRequest(package_path=str(file), options=options)).log
    return len(log.new), len(log.updated), len(log.duplicate)


@pytest.fixture(scope="module")
def banks():
    return practice_banks()


@pytest.fixture(scope="module")
def imported(banks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("anki")
    written = write_cards(banks, folder / "deck.apkg")
    collection = Collection(str(folder / "collection.anki2"))
    assert brought_in(collection, folder / "deck.apkg") == (written.cards, 0, 0)
    yield collection, written
    collection.close()


def card_of(collection, name):
    (number,) = collection.find_notes(f'Id:"{name}"')
    return collection.get_note(number).cards()[0]


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_every_question_is_in_the_deck_but_those_that_a_model_judges(imported, banks):
    collection, written = imported
    items = [item for bank in banks for item in bank.items]
    assert written.left_out == tuple(item.id for item in items if item.format in NO_CARDS)
    notes = {collection.get_note(number)["Id"] for number in collection.find_notes("")}
    expected = {item.id for item in items if item.format not in {"matching", "key_feature", *NO_CARDS}}
    expected |= {f"{item.id}.{part.id}" for item in items for part in (*item.prompts, *item.decisions)}
    assert notes == expected
    assert len(notes) == written.cards == collection.card_count()


def test_a_card_asks_without_the_answer_and_then_shows_the_key_and_every_reason(imported, banks):
    collection, _ = imported
    for bank in banks:
        item = next(item for item in bank.items if item.format == "single_best_answer")
        card = card_of(collection, item.id)
        asked, answered = card.question(), card.answer()
        (key,) = (option for option in item.options if option.key)
        assert escape(item.stem) in asked and escape(key.text) in asked
        assert f"✓ {escape(key.text)}" not in asked and f"✓ {escape(key.text)}" in answered
        for option in item.options:
            assert escape(option.rationale) not in asked
            assert escape(option.rationale) in answered
        for mistake in item.mistakes().values():
            assert escape(mistake) in answered
        assert "Not yet reviewed by a clinician" in answered


def test_the_answers_of_the_other_formats_are_those_of_the_key(imported, banks):
    collection, _ = imported
    items = {item.format: item for bank in banks for item in bank.items}
    (key,) = (region.text for region in items["hotspot"].regions if region.key)
    assert f"✓ {key}" in words(card_of(collection, items["hotspot"].id).answer())
    assert f"{items['numeric'].answer.value:g}" in words(card_of(collection, items["numeric"].id).answer())
    steps = items["ordering"].steps
    said = words(card_of(collection, items["ordering"].id).answer())
    places = [said.rindex(words(escape(step.rationale))) for step in steps]
    assert places == sorted(places)
    for prompt in items["matching"].prompts:
        (right,) = (option.text for option in items["matching"].options if option.id == prompt.answer)
        assert f"✓ {escape(right)}" in card_of(collection, f"{items['matching'].id}.{prompt.id}").answer()


def test_pictures_are_in_the_collection_and_every_card_finds_its_own(imported, banks):
    collection, _ = imported
    there = {path.name for path in Path(collection.media.dir()).iterdir()}
    used = set()
    for number in collection.find_notes(""):
        note = collection.get_note(number)
        used |= set(re.findall(r'<img src="([^"]+)"', "".join(note[field] for field in FIELDS)))
    assert used == there
    pictured = [item for bank in banks for item in bank.items if item.image and item.format not in NO_CARDS]
    assert len(pictured) >= 60 and len(used) >= len({item.image.src for item in pictured})


def test_tags_tell_lesson_and_objective(imported, banks):
    collection, _ = imported
    for bank in banks:
        lesson = f"vertebra::{bank.lesson}"
        cards = {item.id for item in bank.items if list(cards_of(item, bank.lesson))}
        tagged = {collection.get_note(n)["Id"].split(".")[0] for n in collection.find_notes(f'tag:"{lesson}"')}
        assert tagged == cards
        for objective in {objective for item in bank.items for objective in item.objectives}:
            asked = {item.id for item in bank.items if objective in item.objectives} & cards
            found = collection.find_notes(f'tag:"vertebra::{objective}" tag:"{lesson}"')
            assert {collection.get_note(n)["Id"].split(".")[0] for n in found} == asked
        assert f"vertebra::{bank.lesson[:2]} {bank.title}" in {
            deck.name for deck in collection.decks.all_names_and_ids()
        }


@validates("teaching.cards", "A second import of the deck", against="Anki itself", kind="library", tolerance=EXACT)
def test_a_second_import_updates_what_changed_keeps_its_schedule_and_never_doubles(banks, tmp_path):
    bank = banks[5]
    collection = Collection(str(tmp_path / "collection.anki2"))
    first = write_cards([bank], tmp_path / "1.apkg")
    brought_in(collection, tmp_path / "1.apkg")
    item = next(item for item in bank.items if item.format == "single_best_answer")
    card = card_of(collection, item.id)
    card.ivl, card.due, card.type, card.queue, card.reps = 30, 400, 2, 2, 5
    collection.update_card(card)
    assert brought_in(collection, tmp_path / "1.apkg") == (0, 0, first.cards)

    time.sleep(1.1)  # Anki tells newer from older by the second
    options = (
        replace(item.options[0], rationale="A reason that was written later than the others were."),
        *item.options[1:],
    )
    changed = replace(bank, items=tuple(replace(i, options=options) if i is item else i for i in bank.items))
    write_cards([changed], tmp_path / "2.apkg")
    new, updated, _ = brought_in(collection, tmp_path / "2.apkg")
    assert new == 0 and updated >= 1
    assert collection.note_count() == first.cards
    card = card_of(collection, item.id)
    assert "A reason that was written later" in card.answer()
    assert (card.ivl, card.due, card.reps) == (30, 400, 5)
    collection.close()


def test_a_graded_bank_is_refused_and_nothing_is_written(tmp_path, capsys):
    graded = str(QUIZZES / "graded" / "03_fracture_types.yml")
    assert main(["quiz", "cards", graded, "--out", str(tmp_path / "x.apkg")]) == 1
    assert "is a graded bank" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote_and_what_it_left_out(tmp_path, capsys):
    out = tmp_path / "deck.apkg"
    assert main(["quiz", "cards", str(QUIZZES / "bank" / "07_vertebroplasty.yml"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert str(out) in said and "vp-p22" in said
    assert out.stat().st_size > 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["deck.apkg"]


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    missing = tmp_path / "no" / "deck.apkg"
    assert main(["quiz", "cards", str(QUIZZES / "bank" / "00_start.yml"), "--out", str(missing)]) == 2
    assert "check the path" in capsys.readouterr().err
    with pytest.raises(TeachingError):
        write_cards([replace(practice_banks()[0], use="graded")], tmp_path / "x.apkg")
