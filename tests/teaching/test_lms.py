"""The CSV files for Canvas and Moodle have the systems' own columns, and nobody is lost on the way."""

import csv
from pathlib import Path

import pytest

from tests.teaching.sample import Course
from vertebra.cli import main
from vertebra.teaching.files import TeachingError
from vertebra.teaching.lms import write_lms

GRADEBOOK = """student,saved,ft-g01,ft-g02,total,maximum,percent,notes,file,digest
ab12,2026-11-21T10:05Z,1,1.5,2.5,3,83.3,,a.json,aa
'-cd,2026-11-21T10:05Z,0,0,0,3,0,,b.json,bb
ef56,2026-11-21T10:05Z,1,2,3,3,100,,c.json,cc
"""
CANVAS = """code,Student,ID,SIS User ID,SIS Login ID,Section
AB12,"Doe, Jo",11,s11,jo,A
-cd,=HYPERLINK(1),12,s12,al,A
zz99,"Roe, Sam",13,s13,sam,A
"""
MOODLE = "code;First name;Last name;Email address\nab12;Jo;Doe;jo@example.org\n-cd;Al;Poe;al@example.org\n"


def files(tmp_path: Path, roster: str, gradebook: str = GRADEBOOK) -> tuple[Path, Path, Path]:
    (tmp_path / "gradebook.csv").write_text(gradebook, encoding="utf-8")
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
    return tmp_path / "gradebook.csv", tmp_path / "roster.csv", tmp_path / "out.csv"


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_canvas_has_its_columns_and_the_points_possible(tmp_path: Path) -> None:
    written = write_lms("canvas", *files(tmp_path, CANVAS), "Fracture types")
    assert rows(written.file) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Fracture types"],
        ["    Points Possible", "", "", "", "", "3"],
        ["Doe, Jo", "11", "s11", "jo", "A", "2.5"],
        ["'=HYPERLINK(1)", "12", "s12", "al", "A", "0"],
    ]
    assert written.matched == 2
    assert written.file.stat().st_mode & 0o077 == 0


def test_moodle_has_a_column_for_the_user_and_one_for_the_grade_item(tmp_path: Path) -> None:
    written = write_lms("moodle", *files(tmp_path, "\ufeff" + MOODLE), "Fracture types")
    assert rows(written.file) == [
        ["First name", "Last name", "ID number", "Username", "Email address", "Fracture types (Real)"],
        ["Jo", "Doe", "", "", "jo@example.org", "2.5"],
        ["Al", "Poe", "", "", "al@example.org", "0"],
    ]
    assert "give the grade item 3 points" in written.report.read_text(encoding="utf-8")


def test_nobody_is_dropped_in_silence(tmp_path: Path) -> None:
    written = write_lms("canvas", *files(tmp_path, CANVAS), "Fracture types")
    assert written.unmatched == ("ef56",)
    assert written.without_mark == ("zz99",)
    report = written.report.read_text(encoding="utf-8")
    assert "ef56: has marks, and is not on the roster" in report
    assert "zz99: is on the roster, and no hand-in was graded" in report


def test_canvas_own_export_with_a_column_of_codes_is_a_roster(tmp_path: Path) -> None:
    export = 'Student,ID,SIS User ID,SIS Login ID,Section,code\n    Points Possible,,,,,\n"Doe, Jo",11,,jo,A,ab12\n'
    assert write_lms("canvas", *files(tmp_path, export), "Quiz").matched == 1


@pytest.mark.parametrize("start", ["sep=;\r\n", '"sep=;"\n', ""])
@pytest.mark.parametrize("comma", [";", "\t"])
def test_what_a_spreadsheet_makes_of_a_roster_is_read(start: str, comma: str, tmp_path: Path) -> None:
    roster = "\ufeff" + start.replace(";", comma) + "code,Student,ID\r\nab12,Müller,11\r\n".replace(",", comma)
    assert rows(write_lms("canvas", *files(tmp_path, roster), "Quiz").file)[2][:2] == ["Müller", "11"]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(TeachingError, match=r"roster\.csv:4: code: is empty"):
        write_lms("canvas", *files(tmp_path, "sep=,\ncode,ID\nab12,1\n,2\n"), "Quiz")


def test_neither_roster_nor_gradebook_is_written_over(tmp_path: Path) -> None:
    gradebook, roster, _ = files(tmp_path, CANVAS)
    for out in (gradebook, roster, tmp_path / "." / "roster.csv"):
        with pytest.raises(TeachingError, match="is read by this command"):
            write_lms("canvas", gradebook, roster, out, "Quiz")
    assert roster.read_text(encoding="utf-8") == CANVAS


def test_names_never_go_where_students_look(tmp_path: Path) -> None:
    gradebook, roster, _ = files(tmp_path, CANVAS)
    (tmp_path / "student" / "quiz").mkdir(parents=True)
    (tmp_path / "student" / "quiz" / "questions.json").touch()
    (tmp_path / "instructor").mkdir()
    (tmp_path / "instructor" / "key.json").touch()
    for folder in ("student", "student/quiz", "student/new"):
        with pytest.raises(TeachingError, match=r"student.*, which students get"):
            write_lms("canvas", gradebook, roster, tmp_path / folder / "out.csv", "Quiz")


def test_a_title_is_no_formula(tmp_path: Path) -> None:
    written = write_lms("canvas", *files(tmp_path, CANVAS), "=1+1")
    assert rows(written.file)[0][-1] == "'=1+1"


@pytest.mark.parametrize(
    ("roster", "says"),
    [
        ("Code,ID\nab12,1\n", r"roster.csv:1: has no column code; .*name the column with the student codes code"),
        ("code,Section\nab12,A\n", "roster.csv:1: Canvas knows nobody by it; add one of the columns ID, SIS User ID"),
        ("code,ID\nab12,1\n,2\n", "roster.csv:3: code: is empty; enter the student's code"),
        ("code,ID\nab12,\n", "roster.csv:2: ab12: Canvas cannot know who this is; fill in ID"),
        ("code,ID\nab12,1\nAB12,2\n", "roster.csv:3: code: AB12 is there twice, first in line 2"),
        ("code,ID\nab12,1\nef56,1\n", "roster.csv:3: ID: 1 is there twice, first in line 2"),
        ("code,ID\nab12,=1\n", "roster.csv:2: ID: '=1' starts as a spreadsheet's formula does"),
        ("code,ID\nab12,1,2\n", "roster.csv:2: has 3 cells, and the first line has 2"),
        ("code,ID,ID\nab12,1,2\n", "roster.csv:1: the column ID is there twice"),
        ('code,ID\nab12,"1\n', "roster.csv:2: is not CSV"),
        ("code,ID\n", "roster.csv:1: names nobody"),
        ("", "roster.csv:1: has no columns"),
        ("code,ID\nqq,1\n", "none of the 3 student codes with marks is on the roster"),
    ],
)
def test_a_faulty_roster_is_named_with_line_and_mend(roster: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(TeachingError, match=says):
        write_lms("canvas", *files(tmp_path, roster), "Quiz")
    assert not (tmp_path / "out.csv").exists()


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(TeachingError) as caught:
        write_lms("canvas", *files(tmp_path, "code,ID\n,1\nab12,\nef56,3\nef56,4\n"), "Quiz")
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("gradebook", "says"),
    [
        ("student,total\nab12,1\n", "gradebook.csv:1: has no column maximum"),
        ("student,total,maximum\nab12,x,3\n", "gradebook.csv:2: total: is 'x', no number"),
        ("student,total,maximum\nab12,nan,3\n", "gradebook.csv:2: total: is 'nan', no number"),
        ("student,total,maximum\nab12,1,3\nef56,1,4\n", "maximum: differs"),
        ("student,total,maximum\nab12,1,3\nAB12,2,3\n", "gradebook.csv:3: student: AB12 is there twice"),
        ("student,total,maximum\n", "holds no marks"),
    ],
)
def test_a_faulty_gradebook_is_named(gradebook: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(TeachingError, match=says):
        write_lms("canvas", *files(tmp_path, CANVAS, gradebook), "Quiz")


def test_the_commands_write_exports_and_the_marks(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = course.out / "instructor" / "key.json"
    for to, name in (("moodle", "quiz.xml"), ("qti", "quiz.zip")):
        assert main(["quiz", "export", str(key), "--to", to, "--out", str(tmp_path / name)]) == 0
        assert "Refused           sa-needle: the picture follows the controls" in capsys.readouterr().out
        assert (tmp_path / name).is_file() and (tmp_path / f"{name}.report.txt").is_file()
    assert main(["quiz", "export", str(key), "--to", "qti", "--variant", "2", "--out", str(tmp_path / "no")]) == 1
    assert "give --variant from 1 to 1" in capsys.readouterr().err

    gradebook, roster, out = files(tmp_path, CANVAS)
    command = ["quiz", "lms", "canvas", str(gradebook), "--roster", str(roster), "--title", "Quiz", "--out", str(out)]
    assert main(command) == 0
    assert "not on the roster, so not in the file: ef56" in capsys.readouterr().out
