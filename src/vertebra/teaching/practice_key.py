"""The key to a practice quiz: answers that students downloaded from the course's pages are marked like any hand-in.

A practice quiz has its key in every browser, so its marks show who has practised and what, not who knows it.
"""

from pathlib import Path

from vertebra.quiz.items import Bank, Item, find_bank, load_bank
from vertebra.quiz.responses import build_of
from vertebra.teaching import key as keys
from vertebra.teaching.files import TeachingError, check_output, write_text
from vertebra.teaching.rules import Rules


def write_practice_key(bank: str, out: Path) -> keys.Key:
    """Write the key file of the practice quiz of a bank, named by id or file; return the key.

    Raises BankError for a bank that is not there or has faults, TeachingError for a graded one and for an `out` that is
    another key, and OSError.
    """
    file = Path(bank) if Path(bank).suffix else find_bank(bank)
    found = load_bank(file)
    if found.use != "practice":
        raise TeachingError(f"{file}: is graded; hand it out and get its key with `vertebra quiz assign`")
    check_output(out, file)
    made = keys.KeyFile(found.id, found.title, True, Rules(), (practice_key(found),))
    if out.exists() and out.read_bytes() != made.text().encode() and not _is_earlier(out, found.id):
        raise TeachingError(f"{out}: is there already, and no key to {found.id}; choose another name")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, made.text(), private=True)
    return made.variants[0]


def practice_key(bank: Bank) -> keys.Key:
    """Return the key to a bank's practice quiz, whose build is the one that notebooks and pages write."""
    items = [item.practice() for item in bank.items]
    return keys.Key(bank.id, bank.title, build_of(items), True, tuple(map(_question, bank.items)))


def _question(item: Item) -> keys.Question:
    practice, known = item.practice(), item.public().keys()
    groups = (item.choices, item.steps, item.prompts, item.regions, item.bands, item.decisions)
    return keys.Question(
        id=item.id,
        points=1,
        public={name: part for name, part in practice.items() if name in known},
        key=practice["key"],
        rationales=practice["rationales"],
        slips=tuple(practice["slips"]),
        bank_id=item.id,
        bank_version=item.version,
        sources=item.sources,
        mistakes=practice["mistakes"],
        names={part.id: part.id for group in groups for part in group},
        objectives=item.objectives,
    )


def _is_earlier(out: Path, quiz: str) -> bool:
    """Say whether a file is a key to the practice quiz of this bank, which may be written anew."""
    try:
        return keys.load_key_file(out).quiz == quiz
    except TeachingError:
        return False
