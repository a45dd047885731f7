"""Exams on paper: read back from their HTML, the key answers the paper, and the paper says nothing of the key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.teaching.sample import ASSIGNMENT, BANK, BELIEF, write_course
from tests.teaching.test_no_keys import words
from vertebra.cli import main
from vertebra.quiz.items import Item
from vertebra.quiz.scoring import score
from vertebra.teaching.assign import Assignment, load_assignment
from vertebra.teaching.files import TeachingError
from vertebra.teaching.papers import lay_out, paper_html, print_papers

QUIZZES = Path(__file__).parents[2] / "quizzes"
ASSIGNMENTS = sorted((QUIZZES / "assignments").glob("*.yml"))
PRACTICE = sorted((QUIZZES / "bank").glob("*.yml"))


# --- Reading a page back ----------------------------------------------------------------------------------------------


@dataclass
class Node:
    """An element with its text and its parts."""

    tag: str = ""
    attributes: dict[str, str | None] = field(default_factory=dict)
    parts: list[Any] = field(default_factory=list)

    def all(self, tag: str, kind: str = "") -> Iterator["Node"]:
        """Yield the elements inside, in order, with this tag and, if given, this class."""
        for part in self.parts:
            if isinstance(part, Node):
                if part.tag == tag and (not kind or kind in (part.attributes.get("class") or "").split()):
                    yield part
                yield from part.all(tag, kind)

    @property
    def text(self) -> str:
        joined = " ".join(part if isinstance(part, str) else part.text for part in self.parts)
        return " ".join(joined.split())


class Tree(HTMLParser):
    """The elements of a page; `root` holds them all."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Node()
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].parts.append(node)
        if tag not in ("meta", "img"):
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1].tag != "style":
            self.open[-1].parts.append(data)


def lettered(node: Node) -> dict[str, str]:
    """Return {letter or label: text} of a list of parts."""
    found = {}
    for entry in node.all("li"):
        label, text = (part.text for part in entry.parts if isinstance(part, Node))
        assert label not in found
        found[label] = text
    return found


@dataclass
class Asked:
    """A question as somebody with the paper in hand sees it: groups of lettered texts, by the line they belong to."""

    stem: str
    groups: list[dict[str, str]]
    films: list[str]
    decisions: dict[str, str]


def questions(page: str) -> dict[str, Asked]:
    """Return {printed number: question} of a paper."""
    found = {}
    for section in Tree(page).root.all("section", "q"):
        (number,) = (node.text for node in section.all("h2"))
        (stem,) = (node.text for node in section.all("p", "stem"))
        films = [node.text for node in section.all("figcaption")]
        decisions = {next(node.all("b")).text: node.text for node in section.all("h3")}
        found[number] = Asked(stem, [lettered(node) for node in section.all("ul", "parts")], films, decisions)
    return found


def answers(page: str) -> dict[str, str]:
    """Return {label of a line of the answer sheet: what the key says}."""
    (quick,) = Tree(page).root.all("ul", "quick")
    return lettered(quick)


def bank_ids(page: str) -> dict[str, str]:
    """Return {printed number: the question's name in the bank}, as the key names it."""
    return {
        next(section.all("h2")).text: next(section.all("p", "about")).text.split(",")[0]
        for section in Tree(page).root.all("section", "q")
    }


def answered(item: Item, number: str, asked: Asked, key: dict[str, str]) -> Any:
    """Return the answer, in the bank's ids, of whoever marks on this paper what the key says."""

    def named(parts: Any, text: str) -> str:
        (found,) = (part.id for part in parts if " ".join(part.text.split()) == text)
        return str(found)

    said = {label: key[label] for label in key if re.fullmatch(number + "[a-z]?", label)}
    match item.format:
        case "numeric":
            return float(said[number].split()[0])
        case "stop_decision":
            letter = said[number].split(" or ")[0]
            (frame,) = (i for i, caption in enumerate(asked.films) if caption.startswith(f"{letter} "))
            return {"frame": frame}
        case "matching":
            options, prompts = asked.groups
            return {
                named(item.prompts, prompts[label]): named(item.options, options[letter])
                for label, letter in said.items()
            }
        case "key_feature":
            answer = {}
            for decision, group, (label, heading) in zip(
                item.decisions, asked.groups, asked.decisions.items(), strict=True
            ):
                assert decision.text in heading
                answer[decision.id] = [named(decision.options, group[letter]) for letter in said[label].split(", ")]
            return answer
    (group,) = asked.groups
    parts = item.options or item.steps or item.regions
    chosen = [named(parts, group[letter]) for letter in re.findall("[A-Z]", said[number])]
    if item.format == "hotspot":
        return {"region": chosen[0]}
    return chosen if item.format in ("multiple_response", "ordering") else chosen[0]


# --- Papers -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sample(tmp_path: Path, picture: None) -> Path:
    return write_course(tmp_path)


def assert_key_answers_paper(folder: Path, items: tuple[Item, ...], versions: str = "AB") -> None:
    by_name = {item.id: item for item in items}
    for version in versions:
        asked = questions((folder / f"paper-{version}.html").read_text(encoding="utf-8"))
        key_page = (folder / f"key-{version}.html").read_text(encoding="utf-8")
        key, names = answers(key_page), bank_ids(key_page)
        assert list(asked) == list(names) == [str(place) for place in range(1, len(asked) + 1)]
        for number, question in asked.items():
            item = by_name[names[number]]
            assert question.stem == " ".join(item.stem.split())
            answer = answered(item, number, question, key)
            assert score(item.key_record(), answer) == pytest.approx(1, abs=1e-15), (version, number, item.id)


def test_the_key_answers_the_paper(sample: Path, tmp_path: Path) -> None:
    printed = print_papers(sample, tmp_path / "exam", "ABC")
    items = load_assignment(sample).items
    assert_key_answers_paper(tmp_path / "exam", items, "ABC")
    assert printed.left_out.keys() == {"sa-needle"} and printed.notes.keys() == {"sa-stop"}
    # The keys of two versions are not one and the same, so that the check above could fail.
    pages = [(tmp_path / "exam" / f"key-{version}.html").read_text(encoding="utf-8") for version in "ABC"]
    assert len({tuple(answers(page).items()) for page in pages}) == 3


@pytest.mark.parametrize("file", [*ASSIGNMENTS, *PRACTICE], ids=lambda path: path.stem)
def test_the_key_answers_the_papers_of_the_course(file: Path, tmp_path: Path) -> None:
    from vertebra.quiz.items import load_bank

    print_papers(file, tmp_path)
    items = load_assignment(file).items if file in ASSIGNMENTS else load_bank(file).items
    assert_key_answers_paper(tmp_path, items)


def test_versions_ask_the_same_in_another_order_and_the_key_lists_both_numbers(sample: Path, tmp_path: Path) -> None:
    print_papers(sample, tmp_path / "exam")
    pages = {version: (tmp_path / "exam" / f"paper-{version}.html").read_text(encoding="utf-8") for version in "AB"}
    first, second = (questions(page) for page in pages.values())
    stems = [[question.stem for question in version.values()] for version in (first, second)]
    assert sorted(stems[0]) == sorted(stems[1]) and stems[0] != stems[1]

    def texts(question: Asked) -> list[list[str]]:
        return [sorted(group.values()) for group in question.groups]

    assert {q.stem: texts(q) for q in first.values()} == {q.stem: texts(q) for q in second.values()}
    assert {q.stem: q.groups for q in first.values()} != {q.stem: q.groups for q in second.values()}
    for version in "AB":
        (table,) = Tree((tmp_path / "exam" / f"key-{version}.html").read_text(encoding="utf-8")).root.all("table")
        _, *lines = ([cell.text for cell in line.parts] for line in table.all("tr"))
        assert len(lines) == len(first)
        for a, b, name, stem in lines:
            assert first[a].stem == second[b].stem == stem
            assert name.startswith("sa-")


def test_a_paper_and_its_key_carry_one_code_and_versions_differ(sample: Path, tmp_path: Path) -> None:
    printed = print_papers(sample, tmp_path / "exam", title="An <exam>")
    codes = [paper.code for paper in printed.papers]
    assert len(set(codes)) == 2
    for code, (paper, key) in zip(codes, printed.files.values(), strict=True):
        assert re.fullmatch("[AB]-[0-9a-f]{8}", code)
        for page in (paper, key):
            text = page.read_text(encoding="utf-8")
            assert code in Tree(text).root.text and f'"Version {code[0]}, {code}"' in text
            assert "An &lt;exam&gt;" in text and "http" not in text.replace('http-equiv="Content', "")


def test_the_answer_sheet_has_a_line_for_every_answer(sample: Path, tmp_path: Path) -> None:
    print_papers(sample, tmp_path / "exam")
    page = (tmp_path / "exam" / "paper-A.html").read_text(encoding="utf-8")
    key = answers((tmp_path / "exam" / "key-A.html").read_text(encoding="utf-8"))
    (sheet,) = Tree(page).root.all("ul", "rows")
    lines = {next(line.all("b")).text: line for line in sheet.all("li")}
    assert list(lines) == list(key)
    by_stem = {question.stem: number for number, question in questions(page).items()}

    def marks(stem: str, line: str = "") -> list[str]:
        found = lines[by_stem[stem] + line]
        return [node.text for node in found.parts if isinstance(node, Node) and node.tag == "i"]

    assert marks("Which shape has lost height in front <only>?") == ["A", "B", "C"]
    assert marks("Match the grade to the loss.", "b") == ["A", "B", "C"]
    assert marks("Decide what is done next.", "a") == ["A", "B", "C", "D"]
    assert marks("Put the steps in order.") == ["", "", ""]
    assert lines[by_stem["How much height is lost?"]].text.startswith(f"{by_stem['How much height is lost?']} %")
    sure = [label for label, line in lines.items() if list(line.all("span", "sure"))]
    assert sure == [label for label in lines if label.rstrip("b") == label], "once a question"
    # Without certainty nobody is asked for it.
    write_course(tmp_path, assignment=ASSIGNMENT.replace("true", "false"))
    print_papers(sample, tmp_path / "plain")
    assert "sure" not in Tree((tmp_path / "plain" / "paper-A.html").read_text(encoding="utf-8")).root.text


def test_the_key_explains(sample: Path, tmp_path: Path) -> None:
    print_papers(sample, tmp_path / "exam")
    page = (tmp_path / "exam" / "key-A.html").read_text(encoding="utf-8")
    sections = {
        name: node.text for name, node in zip(bank_ids(page).values(), Tree(page).root.all("section", "q"), strict=True)
    }
    assert "Wedge & co Quillfeather explains" in sections["sa-best"] and "1 point " in sections["sa-best"]
    assert "2 points" in sections["sa-many"] and "Butterscotch" in sections["sa-many"]
    assert "Each letter rightly marked" in sections["sa-many"]
    assert "37.4519 %, accepted from 36.9519 to 37.9519" in sections["sa-number"]
    assert "62.5481: Licorice" in sections["sa-number"] and "Peppermint" in sections["sa-number"]
    assert re.search(r"[A-C]: Nutmeg.*[A-C]: Saffron.*[A-C]: Cardamom", sections["sa-order"])
    assert "Turmeric" in sections["sa-match"] and "Paprika" in sections["sa-match"]
    assert "On the left Cinnamon" in sections["sa-spot"]
    assert "2.5 mL of cement: Filled and nothing leaked, 100 % of the marks" in sections["sa-stop"]
    decisions = sections["sa-key"]
    assert f"A hot drink: “{BELIEF}”" in decisions and "Bending over: Harms the patient." in decisions
    assert "Bergamot" in decisions and "Caraway" in decisions and "Ginger" in decisions
    assert all("Sources: genant1993, unreferenced. Clinical review: none." in text for text in sections.values())


def other_key(item: Item) -> Item:
    """Return the question as a student sees it, with everything else of another kind."""

    def turned(part: Any) -> Any:
        return replace(part, key=not part.key, misconception="" if part.misconception else "kzbelief")

    decisions = tuple(
        replace(decision, options=tuple(turned(option) for option in decision.options)) for decision in item.decisions
    )
    return replace(
        item,
        options=tuple(option if item.prompts else turned(option) for option in item.options),
        regions=tuple(turned(region) for region in item.regions),
        decisions=decisions,
        prompts=tuple(replace(prompt, answer=item.options[-1].id) for prompt in item.prompts),
        answer=item.answer and replace(item.answer, value=1.25, tolerance=0.125),
        slips=(),
        rationale="Another explanation of at least eight words, as it has to be.",
        sources=("elsewhere2020",),
        objectives=("O9.9",),
        bloom="create",
        author="somebody else",
    )


def test_a_paper_does_not_depend_on_its_key(sample: Path) -> None:
    assignment = load_assignment(sample)
    other = replace(assignment, items=tuple(map(other_key, assignment.items)))
    papers = [lay_out(each, "A")[0] for each in (assignment, other)]
    assert papers[0].key != papers[1].key
    assert paper_html(papers[0]) == paper_html(papers[1])


@pytest.mark.parametrize("file", ASSIGNMENTS, ids=lambda path: path.stem)
def test_no_paper_of_the_course_holds_anything_of_its_key(file: Path, tmp_path: Path) -> None:
    assert_holds_nothing(load_assignment(file), print_papers(file, tmp_path).files["A"][0])


def test_no_paper_of_the_sample_holds_anything_of_its_key(sample: Path, tmp_path: Path) -> None:
    page = print_papers(sample, tmp_path / "exam").files["B"][0]
    assert_holds_nothing(load_assignment(sample), page)
    text = page.read_text(encoding="utf-8")
    for word in ("kz", "37.4519", "62.5481", "genant1993", "unreferenced", "O3.1", "box.svg", BELIEF):
        assert word not in text


def assert_holds_nothing(assignment: Assignment, page: Path) -> None:
    text = Tree(page.read_text(encoding="utf-8")).root.text
    for item in assignment.items:
        for secret in words(item) | {item.id, *item.objectives, *item.sources} - {"unreferenced"}:
            assert " ".join(secret.split()) not in text, (item.id, secret)
    assert "Clinical review" not in text and "mistake" not in text.lower()


def test_the_same_files_give_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    def tree(folder: Path) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    print_papers(sample, tmp_path / "one")
    first = tree(tmp_path / "one")
    assert first.keys() == {"paper-A.html", "key-A.html", "paper-B.html", "key-B.html"}
    print_papers(sample, tmp_path / "one")
    (tmp_path / "bank.yml").write_bytes(BANK.replace("\n", "\r\n").encode())
    print_papers(sample, tmp_path / "windows")
    assert first == tree(tmp_path / "one") == tree(tmp_path / "windows")
    print_papers(sample, tmp_path / "three", "ABC")
    assert tree(tmp_path / "three")["paper-A.html"] == first["paper-A.html"], "A is A, whatever else is printed"


def test_another_paper_is_never_written_over(sample: Path, tmp_path: Path) -> None:
    print_papers(sample, tmp_path / "exam")
    before = {file: file.read_bytes() for file in (tmp_path / "exam").iterdir()}
    with pytest.raises(TeachingError, match=r"paper-A\.html: is another paper, .* name another folder"):
        print_papers(sample, tmp_path / "exam", title="Another")
    assert {file: file.read_bytes() for file in (tmp_path / "exam").iterdir()} == before


@pytest.mark.parametrize("versions", ["", "AA", "a", "A B", "1", "Ä"])
def test_versions_are_different_capital_letters(sample: Path, tmp_path: Path, versions: str) -> None:
    with pytest.raises(TeachingError, match="different capital letters; write it as in AB"):
        print_papers(sample, tmp_path / "exam", versions)
    assert not (tmp_path / "exam").exists()


def test_a_paper_of_needles_alone_is_refused(tmp_path: Path, picture: None) -> None:
    text = ASSIGNMENT.replace("items: all", "items: [sa-needle]").replace("{sa-many: 2}", "2")
    file = write_course(tmp_path, assignment=text)
    with pytest.raises(TeachingError, match="none of its questions can be asked on paper"):
        print_papers(file, tmp_path / "exam")


def test_whatever_comes_from_a_file_is_escaped(tmp_path: Path, picture: None) -> None:
    hostile = "<script>alert(1)</script>\\\" onload='x'"
    bank = BANK.replace("Wedge & co", f'"{hostile}"').replace("text: A fifth", f'text: "{hostile}"')
    bank = bank.replace("stem: Decide what is done next.", f'stem: "{hostile}."').replace(
        'unit: "%"', f'unit: "{hostile}"'
    )
    bank = bank.replace("What do you ask for?", f'"{hostile}"').replace("Home, key", f'"{hostile}", key')
    bank = bank.replace("alt: Two places on a sheet", f'alt: "{hostile}"').replace('"Marzipan', f'"{hostile} Marzipan')
    printed = print_papers(write_course(tmp_path, bank), tmp_path / "exam", title=hostile)
    for page in printed.files["A"]:
        root = Tree(page.read_text(encoding="utf-8")).root
        assert not list(root.all("script")) and "alert(1)" in root.text
        assert not [
            name
            for tag in ("li", "img", "span", "p")
            for node in root.all(tag)
            for name in node.attributes
            if name.startswith("on")
        ]


def test_the_command_says_what_goes_to_whom(sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "exam"
    assert main(["quiz", "print", str(sample), "--out", str(out), "--versions", "AC", "--title", "Spring"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "sample-quiz: 8 questions, 9 points, 2 versions"
    assert [line.split()[-2] for line in said[1:5]] == [
        str(out / f"{kind}-{version}.html") for version in "AC" for kind in ("paper", "key")
    ]
    assert [line[:8] for line in said[1:5]] == ["Hand out", "Keep to "] * 2
    assert said[5].startswith("Left out           sa-needle: a needle is steered on a screen")
    assert said[6].startswith("Look at            sa-stop: all its films are printed")
    assert main(["quiz", "print", str(tmp_path / "nowhere.yml"), "--out", str(out)]) == 2
    assert "nowhere.yml" in capsys.readouterr().err
    assert main(["quiz", "print", str(sample), "--out", str(out), "--versions", "A"]) == 1
    assert "is another paper" in capsys.readouterr().err


# --- Printed by a real browser ----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_browser_prints_every_question_once_on_a4(sample: Path, tmp_path: Path, chromium: Any) -> None:
    paper, key = print_papers(sample, tmp_path / "exam").files["A"]
    context = chromium.new_context(viewport={"width": 665, "height": 900})  # 176 mm, what is between the margins
    page = context.new_page()
    for file in (paper, key):
        page.goto(file.as_uri())
        page.emulate_media(media="print")
        wide = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(n => n.getBoundingClientRect().right > 666)"
        )
        assert wide == []
        shown = page.locator(".q .stem:visible").all_inner_texts()
        assert sorted(shown) == sorted(item.stem for item in load_assignment(sample).items if item.id != "sa-needle")
        pdf = page.pdf(prefer_css_page_size=True)
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert 2 <= pages <= 8
        sizes = set(re.findall(rb"/MediaBox\s*\[([^]]*)\]", pdf))
        assert [round(float(x)) for size in sizes for x in size.split()] == [0, 0, 595, 842]
    context.close()
