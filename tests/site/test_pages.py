"""The site's pages as files: whole, accessible in their structure, small, and without a key to a graded quiz."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sites import LESSONS
from vertebra.cli import main
from vertebra.quiz.coverage import practice_banks
from vertebra.quiz.items import find_bank, load_bank, load_banks
from vertebra.quiz.responses import Responses, build_of, write_responses
from vertebra.site.build import build
from vertebra.site.lesson_page import ON_THE_SITE, lessons_in, read_lesson
from vertebra.site.markdown import Outline, to_html
from vertebra.site.output import computed, picture
from vertebra.site.pictures import Pictures, size
from vertebra.teaching.files import TeachingError
from vertebra.teaching.grade import grade
from vertebra.teaching.key import load_key_file, right_answer
from vertebra.teaching.practice_key import write_practice_key

QUIZZES = LESSONS.parent / "quizzes"
STEMS = [path.stem for path in sorted(LESSONS.glob("[0-9]*.ipynb"))]
BUDGET = 1_500_000  # bytes of a lesson with all that its page can load


class Read(HTMLParser):
    """What a test asks of a page: headings, ids, links, pictures, and what has no place in one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.inline: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        own = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in own:
            self.ids.append(own["id"])
        if tag == "a":
            self.links.append(own["href"])
        if tag == "img":
            self.pictures.append(own)
        if tag in ("img", "script"):
            self.loaded.append(own["src"])
        if tag == "link":
            self.loaded.append(own["href"])
        if "data-quiz" in own:
            self.loaded.append(own["data-quiz"])
        self.inline += [name for name in own if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in own) else []

    def handle_data(self, data):
        self.text += data


def pages(site):
    return [path for path in sorted(site.rglob("*.html")) if "live" not in path.relative_to(site).parts]


@pytest.fixture(scope="module")
def read(site):
    return {path: Read(path) for path in pages(site)}


def test_every_page_has_one_h1_headings_in_order_ids_once_and_nothing_inline(read):
    for path, page in read.items():
        assert page.headings.count(1) == 1 and page.headings[0] == 1, path
        steps = zip(page.headings, page.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), (path, page.headings)
        assert len(page.ids) == len(set(page.ids)), path
        assert page.inline == [], path
        assert "Teaching, not medical advice. Not yet reviewed by a clinician." in page.text


def test_every_link_leads_somewhere_on_the_site_and_nothing_is_loaded_from_elsewhere(read, site):
    for path, page in read.items():
        for link in page.links:
            if link.startswith("https://"):
                assert re.match(r"https://(doi\.org|creativecommons\.org)/", link), (path, link)
                continue
            file, _, anchor = link.partition("#")
            there = (path.parent / file).resolve() if file else path
            if there.parent == site / "_" / "pictures":
                assert there.is_file(), (path, link)
                continue
            assert there in read, (path, link)
            assert not anchor or anchor in read[there].ids, (path, link)
        for source in page.loaded:
            assert not re.match(r"[a-z]+:|/", source), (path, source)
            assert (path.parent / source).is_file(), (path, source)


def test_every_picture_says_what_it_shows_and_has_its_size(read):
    for path, page in read.items():
        for each in page.pictures:
            assert "alt" in each and int(each["width"]) > 0 and int(each["height"]) > 0, (path, each)
            assert each["alt"] or each["src"].endswith("icon.svg"), (path, each)


@pytest.mark.parametrize("stem", STEMS)
def test_a_lesson_with_all_that_it_loads_is_small(read, site, stem):
    path = site / "lessons" / f"{stem}.html"
    loaded = {(path.parent / source).resolve() for source in read[path].loaded}
    whole = sum(file.stat().st_size for file in {path, *loaded})
    assert whole <= BUDGET, f"{whole / 1e6:.2f} MB"


@pytest.mark.parametrize("stem", STEMS)
def test_a_page_holds_what_its_lesson_says_and_speaks_of_no_jupyter(read, site, stem):
    page = read[site / "lessons" / f"{stem}.html"]
    text = " ".join(page.text.split())
    for cell in read_lesson(LESSONS / f"{stem}.ipynb").notebook["cells"]:
        for line in cell["source"].splitlines() if cell["cell_type"] == "markdown" else ():
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", line)
            if line and re.match(r"[A-Z]", line) and not re.search(r"\[|Start|my_answers", line):
                assert " ".join(words.split()) in text, line
    assert not re.search(
        r"Start this lesson|Start the lesson|Start button|Run All|my_answers|<vertebra|object at 0x", text
    )


def test_what_the_site_says_instead_of_a_lesson_still_stands_in_one():
    every = "\n".join(cell["source"] for lesson in lessons_in(LESSONS) for cell in lesson.notebook["cells"])
    assert [words for words in ON_THE_SITE if words not in every] == []


def test_no_question_and_no_key_of_a_graded_bank_is_on_the_site(site):
    text = "".join(
        path.read_text(encoding="utf-8") for path in site.rglob("*") if path.suffix in (".html", ".json", ".js")
    )
    graded = [item for bank in load_banks(QUIZZES / "graded") for item in bank.items]
    practice = {item.stem for bank in practice_banks() for item in bank.items}
    assert graded
    for item in graded:
        assert f'"{item.id}"' not in text
        assert item.stem in practice or json.dumps(item.stem, ensure_ascii=False)[1:-1] not in text
        assert not any(reason in text for reason in item.rationales().values())


def test_every_lesson_asks_its_quiz_with_the_build_that_the_notebook_writes(site):
    asked = {lesson.quiz for lesson in lessons_in(LESSONS)}
    banks = {bank.id: bank for bank in practice_banks()}
    assert asked == banks.keys()
    for name, bank in banks.items():
        quiz = json.loads((site / "_" / "quizzes" / f"{name}.json").read_text(encoding="utf-8"))
        assert quiz["build"] == build_of(item.practice() for item in bank.items)
        assert [item["id"] for item in quiz["items"]] == [item.id for item in bank.items]
        assert "data:" not in json.dumps(quiz)


def test_the_map_names_every_lesson_once_in_order(read, site):
    links = [link for link in read[site / "index.html"].links if link.startswith("lessons/")]
    assert list(dict.fromkeys(links[-len(STEMS) :])) == [f"lessons/{stem}.html" for stem in STEMS]


# --- Practice keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bank", ["vertebroplasty", "fracture_types"])  # between them all formats but one
def test_right_answers_to_a_practice_quiz_are_graded_in_full_with_its_key(tmp_path, bank):
    key = write_practice_key(bank, tmp_path / "key.json")
    items = load_bank(find_bank(bank)).items
    answers = {item.id: {"answer": right_answer(item.key_record()), "certainty": 2} for item in items}
    (tmp_path / "in").mkdir()
    write_responses(tmp_path / "in" / "a.json", Responses(bank, key.build, answers, "ada"))
    report = grade(tmp_path / "key.json", tmp_path / "in", tmp_path / "out", workbook=False)
    assert (report.graded, report.set_aside) == (1, {})
    head, row = csv.reader((tmp_path / "out" / "gradebook.csv").read_text().splitlines())
    marks = dict(zip(head, row, strict=True))
    assert marks["student"] == "ada" and float(marks["percent"]) == 100
    assert len(list((tmp_path / "out" / "feedback").glob("*.html"))) == 1


def test_there_is_a_key_to_every_practice_quiz(tmp_path):
    for bank in practice_banks():
        write_practice_key(bank.id, tmp_path / f"{bank.id}.json")  # reading it back asks whether each key fits
        (key,) = load_key_file(tmp_path / f"{bank.id}.json").variants
        assert (key.quiz, len(key.items)) == (bank.id, len(bank.items))


def test_a_key_to_a_graded_bank_or_over_another_file_is_refused(tmp_path):
    with pytest.raises(TeachingError, match="is graded; hand it out"):
        write_practice_key(str(QUIZZES / "graded" / "03_fracture_types.yml"), tmp_path / "key.json")
    other = tmp_path / "other.json"
    other.write_text("{}")
    with pytest.raises(TeachingError, match="choose another name"):
        write_practice_key("fracture_types", other)
    assert other.read_text() == "{}"


# --- Building --------------------------------------------------------------------------------------------------------


@pytest.fixture
def lesson(tmp_path):
    """Return the folder of one lesson, changed by a function of its text."""

    def one(change=lambda text: text):
        folder = tmp_path / "own" / "lessons"
        folder.mkdir(parents=True, exist_ok=True)
        text = (LESSONS / "00_start.ipynb").read_text(encoding="utf-8")
        text = re.sub(r"\((?:0[1-9]|1\d)_\w+\.ipynb\)", "(00_start.ipynb)", text)
        (folder / "00_start.ipynb").write_text(change(text), encoding="utf-8")
        return folder

    return one


def test_the_same_course_gives_the_same_site_and_an_earlier_one_is_replaced(tmp_path, lesson):
    out = tmp_path / "site"
    first = build(out, lessons=lesson(), live=False)
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (out / "stray.html").write_text("from an earlier version")
    second = build(out, lessons=lesson(), live=False)
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert first.parts == second.parts and first.total == sum(map(len, before.values()))
    assert [path.name for path in tmp_path.iterdir() if "site" in path.name] == ["site"]


def test_a_folder_that_is_no_site_is_never_written_into(tmp_path, lesson):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(TeachingError, match="not empty and no earlier site"):
        build(mine, lessons=lesson(), live=False)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("(my_progress.ipynb)", "(16_missing.ipynb)", "links to 16_missing.ipynb, which is not there"),
        ('practice(\\"start\\")', 'practice(\\"strat\\")', "cell pretest-quiz: asks the practice quiz strat"),
        ("**Aim.**", "**Goal.**", "is no lesson"),
        ("# Start here", "# Start here\\n\\n![x](no.svg)", "cell title: there is no picture"),
    ],
)
def test_what_a_page_cannot_show_is_said_with_file_place_and_mend_and_nothing_is_left(
    tmp_path, lesson, old, new, words
):
    folder = lesson(lambda text: text.replace(old, new))
    with pytest.raises(TeachingError, match=r"00_start\.ipynb") as told:
        build(tmp_path / "site", lessons=folder, live=False)
    assert words in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_a_folder_without_lessons_or_quiz_is_refused(tmp_path, lesson):
    with pytest.raises(TeachingError, match="has no lessons"):
        build(tmp_path / "site", lessons=tmp_path, live=False)
    with pytest.raises(TeachingError, match="name a folder that `vertebra quiz assign` made"):
        build(tmp_path / "site", lessons=lesson(), live=False, quizzes=[tmp_path / "own"])


def test_the_commands_say_what_became_of_them(tmp_path, lesson, capsys):
    out, folder = tmp_path / "public", lesson()
    assert main(["site", "build", "--no-live", "--out", str(out), "--lessons", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"{out}: 4 pages" in said and f"python3 -m http.server --directory {out}" in said
    assert main(["site", "build", "--no-live", "--out", str(folder), "--lessons", str(folder)]) == 1
    assert "no earlier site" in capsys.readouterr().err
    assert main(["quiz", "practice-key", "start", "--out", str(tmp_path / "key.json")]) == 0
    assert "key to the practice quiz start, 12 questions" in capsys.readouterr().out


# --- Parts -----------------------------------------------------------------------------------------------------------


def html(source, cited=()):
    return to_html(source, Outline(cited=cited), lambda url: url, lambda url, alt: f"<img src={url} alt={alt}>")


def test_markdown_has_jupyterlabs_anchors_and_citations_that_lead_to_their_source():
    text = html("## A bone *that* breaks\n\nSo. [a1; b2; unreferenced]\n\n## A bone that breaks", cited={"a1"})
    assert '<h2 id="A-bone-that-breaks">' in text and '<h2 id="A-bone-that-breaks-2">' in text
    assert '<span class="cite open">[<a href="#ref-a1">a1</a>; b2; unreferenced]</span>' in text


def test_markdown_is_escaped_and_tables_have_heads():
    assert "<script>" not in html("<script>alert(1)</script> a < b")
    text = html("| Name | It |\n|---|---|\n| one | two |")
    assert '<th scope="col">Name</th>' in text and '<th scope="row">one</th>' in text and "<td>two</td>" in text


def test_a_table_of_three_columns_names_the_column_in_each_cell_and_others_do_not():
    wide = html("| | B | *C*? | D & E |\n|---|---|---|---|\n| 1 | 2 | 3 | 4 |\n| 5 | | 7 | 8 |")
    assert re.findall(r'data-column="([^"]*)"', wide) == ["", "B:", "C?", "D &amp; E:"] * 2
    assert re.findall(r"role=\"(\w+)\"", wide.split("</thead>")[1])[:6] == [
        "rowgroup",
        "row",
        "rowheader",
        *["cell"] * 3,
    ]
    assert "stacks" not in html("| A | B |\n|---|---|\n| 1 | 2 |")


def test_navigation_goes_and_what_to_try_stands_in_a_box():
    text = html("[← Previous: A](a.ipynb) · [Next: B →](b.ipynb)\n\n### Try this\n\nAsk.\n\n### Then\n\nGo.")
    assert "Previous" not in text
    assert re.search(r'<div class="try">\s*<h3[^>]*>Try this</h3>\s*<p>Ask.</p>\s*</div>\s*<h3', text)


def test_a_number_stays_on_a_line_with_its_unit():
    assert "5.4\u00a0% of 20\u00a0mm² at 4\u00a0min, 3 patients, 2 s\u00fc" in html(
        "5.4 % of 20 mm² at 4 min, 3 patients, 2 s\u00fc"
    )


def test_computed_lines_are_sentences():
    text = computed("after 4 mL: -0.1 (-0.2 to 0.1)\n    of it\n0.1 Pa s: x\n", "print(1 < 2)")
    assert "<li>After 4\u00a0mL: −0.1 (−0.2 to 0.1); of it</li><li>0.1\u00a0Pa s: x</li>" in text
    assert "print(1 &lt; 2)" in text


def test_a_still_picture_is_a_sized_file_and_its_table_scrolls():
    shown = picture(
        '<figure><img alt="A &lt; B" width="500" src="data:x"><table style="color: red"><tr><td>1</table></figure>',
        lambda address: ("../_/pictures/a.svg", 100, 40),
        lambda text: text,
    )
    assert 'width="500" height="200" loading="lazy"' in shown and 'alt="A &lt; B"' in shown
    assert "style" not in shown and re.search(r'<div class="scrolled"[^>]*><table>', shown)


def test_pictures_that_repeat_are_one_file_and_none_loses_a_pixel(tmp_path):
    from io import BytesIO

    import numpy as np
    from PIL import Image

    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 30, 3), dtype=np.uint8))
    raw = BytesIO()
    noise.save(raw, "PNG")
    store = Pictures(tmp_path)
    first, second = store.take(raw.getvalue(), ".png", "a"), store.take(raw.getvalue(), ".png", "b")
    assert first == second and (first.width, first.height) == (30, 20)
    assert np.array_equal(np.asarray(Image.open(tmp_path / first.path).convert("RGB")), np.asarray(noise))
    with pytest.raises(TeachingError, match="cell x: a picture has no size"):
        size(b"<svg></svg>", ".svg", "cell x")
    with pytest.raises(TeachingError, match="no SVG or PNG"):
        store.take_data("https://example.org/a.png", "cell x")
