"""The `vertebra` command. It reads the command line, calls one function, and says in plain words what became of it.

Exit codes: 0 done; 1 a file has faults, each printed with its mend; 2 the command cannot run as it was typed (unknown
option, missing file, folder that cannot be written); 130 stopped from the keyboard; 141 nobody reads the output on.
"""

import argparse
import errno
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from vertebra import __version__
from vertebra.quiz.static import counted

Group = Any  # argparse has no public name for what add_subparsers returns


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default the process's) and return the exit code."""
    from vertebra.assets import AssetError
    from vertebra.quiz.items import BankError
    from vertebra.teaching.files import TeachingError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a pipe or an old terminal may not know every letter of a path
            stream.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(argv)
    if not hasattr(args, "run"):
        args.group.print_help(sys.stderr)
        return 2
    try:
        code = int(args.run(args))
        sys.stdout.flush()  # a pipe that was closed shows here, and not when Python ends
        return code
    except (AssetError, BankError, TeachingError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run the command again to finish", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as by `head`, which has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        place = f"{error.filename2 or error.filename}: " if error.filename else ""
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        mend = "make room, and run it again" if is_full else "check the path, and that you may read and write there"
        print(f"{place}{error.strerror or error}; {mend}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vertebra", description="The instructor's commands of the vertebra course.")
    parser.add_argument("--version", action="version", version=f"vertebra {__version__}")
    parser.set_defaults(group=parser)
    groups = parser.add_subparsers(title="groups", metavar="GROUP")
    _quiz_commands(groups)
    _lesson_commands(groups)
    _case_commands(groups)
    _evidence_commands(groups)
    _site_commands(groups)
    return parser


def _site_commands(groups: Group) -> None:
    site = groups.add_parser("site", help="build the course as a web site that needs no installation")
    site.set_defaults(group=site)
    commands = site.add_subparsers(title="commands", metavar="COMMAND")

    command = commands.add_parser("build", help="build the site: pages that read at once, and the same lessons live")
    command.add_argument("--out", type=Path, default=Path("public"), metavar="DIR", help="gets the site (public)")
    command.add_argument("--lessons", type=Path, default=Path("lessons"), metavar="DIR", help="notebooks (lessons)")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--pyodide", type=Path, metavar="DIR", help="a folder with Pyodide and its compiled wheels")
    where.add_argument(
        "--release", default="", metavar="URL|TARBALL", help="where the release of Pyodide is (its official address)"
    )
    where.add_argument("--no-live", action="store_true", help="leave out the pages that run, and Pyodide")
    command.add_argument(
        "--quiz",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="put a quiz on the site: a students' folder of `vertebra quiz assign`; may be repeated",
    )
    command.set_defaults(run=_build_site)


def _build_site(args: argparse.Namespace) -> int:
    from vertebra.site.build import build

    built = build(
        args.out,
        lessons=args.lessons,
        pyodide=args.pyodide,
        release=args.release,
        live=not args.no_live,
        quizzes=args.quiz,
    )
    for name, size in built.parts.items():
        print(f"{size / 1e6:8.2f} MB  {name}")
    print(f"{built.total / 1e6:8.2f} MB  {built.out}: {counted(built.pages, 'page')}")
    print(f"Look at it: python3 -m http.server --directory {built.out}, then http://localhost:8000")
    return 0


def _quiz_commands(groups: Group) -> None:
    quiz = groups.add_parser("quiz", help="hand out quizzes, grade them, check the question banks")
    quiz.set_defaults(group=quiz)
    commands = quiz.add_subparsers(title="commands", metavar="COMMAND")

    command = commands.add_parser("assign", help="build the students' folder and the key")
    command.add_argument("file", type=Path, help="an assignment file, such as quizzes/assignments/fracture-types.yml")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="DIR", help="gets the folders student and instructor")
    what.add_argument("--preview", action="store_true", help="print what is asked and the rules, and write nothing")
    what.add_argument(
        "--preview-html", type=Path, metavar="FILE.html", help="write only the page that a student sees, without keys"
    )
    command.add_argument("--force", action="store_true", help="write into DIR even if it holds something else")
    command.add_argument("--nbgrader", type=Path, metavar="COURSE", help="also write the quiz into an nbgrader course")
    command.set_defaults(run=_assign)

    command = commands.add_parser("rekey", help="correct the key of a quiz that was handed out")
    command.add_argument("key", type=Path, help="the key.json that `vertebra quiz assign` made")
    command.add_argument("file", type=Path, help="the assignment file, corrected, or with its bank corrected")
    command.set_defaults(run=_rekey)

    command = commands.add_parser("grade", help="grade handed-in responses.json files; nothing in them is run")
    command.add_argument("key", type=Path, help="the key.json that `vertebra quiz assign` made")
    command.add_argument(
        "submissions", type=Path, help="the folder with the handed-in files, at any depth, or one file"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets gradebook.csv and feedback")
    where = "a SQLite file, or a URL such as postgresql+psycopg://user@host/name (DIR/gradebook.sqlite)"
    command.add_argument("--gradebook", metavar="FILE|URL", help=where)
    command.add_argument("--no-feedback", action="store_true", help="write no feedback pages")
    command.add_argument("--no-workbook", action="store_true", help="write no gradebook.xlsx, a third of the work")
    command.add_argument("--on", type=_moment, metavar="TIME", help="whether feedback is due as of this time (now)")
    command.add_argument(
        "--nbgrader", action="store_true", help="the folder is an nbgrader course; marks also go into its gradebook"
    )
    command.set_defaults(run=_grade)

    command = commands.add_parser("report", help="say what a class did, and which questions need a look")
    command.add_argument(
        "gradebook", help="the folder that `vertebra quiz grade` wrote, its gradebook.sqlite, or a database's URL"
    )
    command.add_argument("--quiz", default="", metavar="NAME", help="which quiz (the only one of the gradebook)")
    command.add_argument("--angoff", type=Path, metavar="FILE", help="judges' ratings, CSV or YAML")
    command.add_argument("--hofstee", type=Path, metavar="FILE", help="judges' bounds, CSV or YAML")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets report.html and report.ipynb")
    command.set_defaults(run=_report)

    command = commands.add_parser("forget", help="remove a student's code from a gradebook and the results")
    command.add_argument("code", help="the student's code, also as the tables write it: \"'-ab\"")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where `grade` wrote its results")
    command.add_argument("--gradebook", metavar="FILE|URL", help="the gradebook, if it is not DIR/gradebook.sqlite")
    command.set_defaults(run=_forget)

    command = commands.add_parser("export", help="write a quiz with its key for Moodle, or as a QTI 2.1 package")
    command.add_argument("key", type=Path, help="the key.json that `vertebra quiz assign` made")
    command.add_argument("--to", choices=("moodle", "qti"), required=True, help="Moodle XML, or QTI 2.1 (a zip)")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="holds the key: for instructors only")
    command.add_argument("--variant", type=int, default=1, metavar="N", help="which variant of the quiz (1)")
    command.set_defaults(run=_export)

    command = commands.add_parser("lms", help="write the marks as a CSV file that Canvas or Moodle imports")
    command.add_argument("system", choices=("canvas", "moodle"), help="whose columns the file gets")
    command.add_argument("gradebook", type=Path, help="the gradebook.csv that `vertebra quiz grade` wrote")
    command.add_argument("--roster", type=Path, required=True, metavar="FILE", help="CSV: who is behind each code")
    command.add_argument("--title", required=True, help="the name of the grade item")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="names people: for instructors only")
    command.set_defaults(run=_lms)

    command = commands.add_parser("print", help="write an exam on paper and its key as HTML ready to print")
    command.add_argument("file", type=Path, help="an assignment file, or a bank of which every question is asked")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets paper-A.html and key-A.html")
    command.add_argument("--versions", default="AB", metavar="LETTERS", help="one version for each letter (AB)")
    command.add_argument("--title", default="", help="the title on the paper (that of the file)")
    command.set_defaults(run=_print)

    command = commands.add_parser("practice-key", help="write the key to a practice quiz, for `vertebra quiz grade`")
    command.add_argument("bank", help="the id of a practice bank, such as fracture_types, or its file")
    command.add_argument("--out", type=Path, required=True, metavar="FILE.json", help="gets the key")
    command.set_defaults(run=_practice_key)

    command = commands.add_parser("check", help="check question banks and assignment files, and list every fault")
    command.add_argument("bank", type=Path, nargs="*", help="bank or assignment files, or folders of them (./quizzes)")
    command.set_defaults(run=_check)

    command = commands.add_parser("blueprint", help="draw which objectives the practice banks cover, and every gap")
    command.add_argument("--html", type=Path, metavar="FILE", help="write it as a page of HTML instead")
    command.set_defaults(run=_blueprint)

    command = commands.add_parser("cards", help="write the practice questions as a deck of Anki cards")
    command.add_argument("bank", type=Path, nargs="*", help="practice banks (all of the course)")
    command.add_argument("--out", type=Path, default=Path("vertebra.apkg"), metavar="FILE", help="(vertebra.apkg)")
    command.set_defaults(run=_cards)

    command = commands.add_parser("lint", help="say what is wrong with the questions, by rule, with the mend")
    command.add_argument(
        "bank", type=Path, nargs="*", help="bank files, or folders of them (the whole course, ./quizzes)"
    )
    command.add_argument("--format", choices=("text", "github", "json"), default="text", help="how to print (text)")
    command.add_argument("--on", type=_day, metavar="DATE", help="as of this day, as in 2028-11-30 (today)")
    command.add_argument("--rule", action="append", metavar="RULE", help="only this rule, such as L09; may be repeated")
    command.add_argument(
        "--self-test", action="store_true", help="put known flaws into sound questions and say which the linter finds"
    )
    command.set_defaults(run=_lint)

    command = commands.add_parser("schema", help="print the JSON Schema of a bank file")
    command.set_defaults(run=_schema)


def _lesson_commands(groups: Group) -> None:
    lesson = groups.add_parser("lesson", help="run lesson notebooks and check them")
    lesson.set_defaults(group=lesson)
    commands = lesson.add_subparsers(title="commands", metavar="COMMAND")

    command = commands.add_parser("refresh", help="run each lesson and store its outputs and static pictures in it")
    command.add_argument("notebook", type=Path, nargs="+", help="lesson notebooks, such as lessons/00_start.ipynb")
    command.set_defaults(run=_refresh)

    command = commands.add_parser("check", help="list what is wrong with a lesson that running it would not show")
    command.add_argument("notebook", type=Path, nargs="+", help="lesson notebooks, such as lessons/00_start.ipynb")
    command.set_defaults(run=_check_lessons)


def _evidence_commands(groups: Group) -> None:
    evidence = groups.add_parser("evidence", help="see how far what the course says has been checked")
    evidence.set_defaults(group=evidence)
    commands = evidence.add_subparsers(title="commands", metavar="COMMAND")

    command = commands.add_parser("check", help="list what is unchecked, unreferenced or due to be read anew")
    command.add_argument("notebook", type=Path, nargs="*", help="lessons to read as well (all in ./lessons)")
    command.add_argument("--on", type=_day, metavar="DATE", help="as of this day, as in 2028-11-30 (today)")
    command.add_argument("--brief", action="store_true", help="print only how many there are in each file")
    command.set_defaults(run=_check_evidence)


def _moment(text: str) -> datetime:
    from vertebra.teaching.rules import moment

    try:
        return moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2028-11-30") from None


def _case_commands(groups: Group) -> None:
    case = groups.add_parser("case", help="check unfolding cases")
    case.set_defaults(group=case)
    commands = case.add_subparsers(title="commands", metavar="COMMAND")
    command = commands.add_parser("check", help="check case files, and list every fault")
    command.add_argument("file", type=Path, nargs="+", help="case files, such as quizzes/cases/t12_frail.yml")
    command.set_defaults(run=_check_cases)


def _check_cases(args: argparse.Namespace) -> int:
    from vertebra.quiz.case_files import explore, load_case
    from vertebra.quiz.cases import spelt
    from vertebra.quiz.items import BankError

    faults: list[str] = []
    for path in args.file:
        try:
            case = load_case(path)
        except BankError as error:
            faults += str(error).splitlines()
            continue
        ways = explore(case)
        decisions = sum(scene.decision is not None for scene in case.scenes)
        span = f"{spelt(ways.shortest)} to {spelt(ways.longest)} on the clock"
        print(f"{path}: {counted(len(case.scenes), 'scene')}, {counted(decisions, 'decision')}, {span}")
    print("\n".join([*faults, f"{counted(len(args.file), 'case')}, {counted(len(faults), 'fault')}"]))
    return 1 if faults else 0


def _refresh(args: argparse.Namespace) -> int:
    from vertebra.teaching.lessons import refresh

    for path in args.notebook:
        refresh(path)
        print(f"{path}: run and stored")
    return _check_lessons(args)


def _check_lessons(args: argparse.Namespace) -> int:
    from vertebra.teaching.lessons import lint

    faults = [fault for path in args.notebook for fault in lint(path)]
    print("\n".join([*faults, f"{counted(len(args.notebook), 'lesson')}, {counted(len(faults), 'fault')}"]))
    return 1 if faults else 0


def _check_evidence(args: argparse.Namespace) -> int:
    from vertebra.evidence.checking import check
    from vertebra.teaching.lessons import facts

    lessons = args.notebook or sorted(Path("lessons").glob("*.ipynb"))
    report = check(args.on or date.today(), (fact for path in lessons for fact in facts(path)))
    lists = {
        "Not compared with its source": report.unchecked,
        "Unreferenced, wholly or in part": report.unreferenced,
        "To be read anew": report.overdue,
    }
    print("\n".join(report.faults), end="\n" if report.faults else "")
    for title, listed in lists.items():
        print(f"{title}: {len(listed)}")
        if args.brief:
            for file, number in Counter(fact.file for fact in listed).items():
                print(f"  {file}: {number}")
            continue
        for fact in listed:
            print(f"  {fact.file}: {fact.id}: {fact.says}")
    print(
        f"{counted(report.total, 'statement')}, {counted(len(report.faults), 'fault')}, {len(report.overdue)} overdue"
    )
    return 1 if report.faults or report.overdue else 0


def _assign(args: argparse.Namespace) -> int:
    from vertebra.teaching.assign import assign, load_assignment
    from vertebra.teaching.files import write_text
    from vertebra.teaching.marking import in_points
    from vertebra.teaching.preview import preview, preview_html

    if not args.out and (args.force or args.nbgrader):
        print("--force and --nbgrader go with --out, and a preview writes nothing; leave them out", file=sys.stderr)
        return 2
    if args.preview_html and args.preview_html.suffix.lower() not in (".html", ".htm"):
        # Whoever names the assignment or its bank by mistake keeps it.
        print(f"{args.preview_html}: is no name of a page; give one that ends in .html", file=sys.stderr)
        return 2
    if args.preview:
        print(preview(load_assignment(args.file)))
        return 0
    if args.preview_html:
        asked = load_assignment(args.file)
        write_text(args.preview_html, preview_html(asked))
        print(f"{args.preview_html}: written, as a student {'of variant 1 ' * (asked.variants > 1)}sees it")
        return 0
    if args.nbgrader:
        from vertebra.teaching.nbgrader_course import check_assignment, write_source

        if not args.nbgrader.is_dir():
            print(
                f"{args.nbgrader}: there is no such folder; name the course, where nbgrader_config.py is",
                file=sys.stderr,
            )
            return 2
        check_assignment(args.file, args.out, args.nbgrader)
    built = assign(args.file, args.out, force=args.force)
    print(f"{built.quiz}: {counted(built.items, 'question')}, {in_points(built.points)}, build {built.build[:8]}")
    if len(built.folders) == 1:
        print(f"Hand out the folder   {built.student}")
    else:
        print(f"Hand out one of each  {built.folders[0]} to {built.folders[-1].name}, {len(built.folders)} variants")
    print(f"Keep to yourself      {built.key}")
    if built.kept:
        print(f"The key that was there is kept in {built.kept}")
    if args.nbgrader:
        print(f"Release in nbgrader   {write_source(built.key, built.student, args.nbgrader)}")
    return 0


def _rekey(args: argparse.Namespace) -> int:
    from vertebra.teaching.rekey import rekey

    done = rekey(args.key, args.file)
    print("\n".join(done.changes) or f"{done.quiz}: nothing changed, and nothing was written")
    for name in done.unasked:
        print(f"{name}: was not handed out with this key, so it is not marked")
    if done.kept:
        print(f"{done.quiz}: {counted(len(done.changes), 'change')} in {done.key}; grade again with it")
        print(f"The key as it was is kept in {done.kept}")
    return 0


def _grade(args: argparse.Namespace) -> int:
    if args.nbgrader:
        from vertebra.teaching.nbgrader_course import grade_course as grade
    else:
        from vertebra.teaching.grade import grade  # type: ignore[assignment]

    report = grade(
        args.key,
        args.submissions,
        args.out,
        args.gradebook,
        feedback=not args.no_feedback,
        workbook=not args.no_workbook,
        on=args.on,
        progress=True,
    )
    print(f"{report.quiz}: graded {counted(report.graded, 'submission')}")
    sheet = "" if args.no_workbook else ", gradebook.xlsx"
    print(f"Marks      {report.out / 'gradebook.csv'}{sheet} and {report.book}")
    print(f"Feedback   {f'none: {report.feedback}' if report.feedback else report.out / 'feedback'}")
    if args.nbgrader:
        print(f"nbgrader   each question's points are in the gradebook of {args.submissions}")
    if report.moved is not None:
        print(f"Moved      {counted(report.moved, 'mark')} by the change of the key: {report.out / 'moved.csv'}")
    if report.superseded:
        print(f"Attempts   {report.superseded} superseded by another of the same student")
    if report.noted:
        print(f"Look at    {counted(report.noted, 'row')} of the gradebook with an entry under notes")
    if report.set_aside:
        each = ", ".join(f"{number} {reason}" for reason, number in report.set_aside.items())
        files = counted(sum(report.set_aside.values()), "file")
        print(f"Look at    {report.out / 'set_aside.csv'}: {files} not graded ({each})")
    if report.others:
        print(f"Not graded {counted(report.others, 'file')} of other kinds than .json")
    return 0


def _forget(args: argparse.Namespace) -> int:
    from vertebra.teaching.forget import forget

    gone = forget(args.code, args.out, args.gradebook)
    print(
        f"{gone.student}: removed {counted(gone.submissions, 'submission')} of {', '.join(gone.quizzes) or 'no quiz'}"
    )
    for path in gone.files:
        print(f"Removed    {path}")
    for name in gone.handed_in:
        print(f"Left       {name}, the file that was handed in: remove it yourself, or grading again brings it back")
    if gone.elsewhere:
        print(f"Left       tables and pages of {', '.join(gone.elsewhere)}: run again with the --out of their grading")
    print("Left       files set aside without a readable code, other folders, downloads, prints and backups")
    return 0


def _export(args: argparse.Namespace) -> int:
    from vertebra.teaching.files import TeachingError, check_output
    from vertebra.teaching.key import load_key_file
    from vertebra.teaching.moodle import export_moodle
    from vertebra.teaching.qti import export_qti

    check_output(args.out, args.key)
    variants = load_key_file(args.key).variants
    if not 1 <= args.variant <= len(variants):
        raise TeachingError(f"{args.key}: has no variant {args.variant}; give --variant from 1 to {len(variants)}")
    written = (export_moodle if args.to == "moodle" else export_qti)(variants[args.variant - 1], args.out)
    print(f"Keep to yourself  {written.file}   it holds the key: {counted(len(written.held), 'question')}")
    for name, why in written.refused.items():
        print(f"Refused           {name}: {why}")
    for name, what in written.notes.items():
        print(f"Look at           {name or 'the quiz'}: {what}")
    print(f"All this is in    {written.report}")
    return 0


def _lms(args: argparse.Namespace) -> int:
    from vertebra.teaching.lms import write_lms

    written = write_lms(args.system, args.gradebook, args.roster, args.out, args.title)
    print(f"Keep to yourself  {written.file}   {counted(written.matched, 'mark')}, of at most {written.maximum} points")
    if written.unmatched:
        print(f"Look at           not on the roster, so not in the file: {', '.join(written.unmatched)}")
    if written.without_mark:
        print(f"Look at           on the roster and without a mark: {', '.join(written.without_mark)}")
    print(f"All this is in    {written.report}")
    return 0


def _report(args: argparse.Namespace) -> int:
    from vertebra.teaching.files import check_output
    from vertebra.teaching.report import report_quiz

    check_output(args.out)
    written = report_quiz(args.gradebook, args.out, args.quiz, args.angoff, args.hofstee)
    print(f"The report is {written.html}")
    if written.notebook:
        print(f"The same as a notebook is {written.notebook}")
    else:
        print("No notebook: it would hold the database's password; keep that in ~/.pgpass and leave it out of the URL")
    return 0


def _print(args: argparse.Namespace) -> int:
    from vertebra.teaching.files import check_output
    from vertebra.teaching.marking import in_points
    from vertebra.teaching.papers import print_papers

    check_output(args.out)
    printed = print_papers(args.file, args.out, args.versions, args.title)
    key = printed.papers[0].key
    points = in_points(key.maximum)
    print(f"{key.quiz}: {counted(len(key.items), 'question')}, {points}, {counted(len(printed.papers), 'version')}")
    for paper in printed.papers:
        page, marking = printed.files[paper.version]
        print(f"Hand out           {page}   {paper.code}")
        print(f"Keep to yourself   {marking}   {paper.code}")
    for name, why in printed.left_out.items():
        print(f"Left out           {name}: {why}")
    for name, why in printed.notes.items():
        print(f"Look at            {name}: {why}")
    print("Open each file in a browser and print it on A4; pages are numbered by Chrome and Edge")
    return 0


def _practice_key(args: argparse.Namespace) -> int:
    from vertebra.teaching.practice_key import write_practice_key

    key = write_practice_key(args.bank, args.out)
    print(
        f"{args.out}: key to the practice quiz {key.quiz}, {counted(len(key.items), 'question')}, build {key.build[:8]}"
    )
    print("Grade with it the files that students downloaded below that quiz")
    return 0


def _check(args: argparse.Namespace) -> int:
    from vertebra.evidence.references import references
    from vertebra.quiz.items import BankError, kind_of, load_bank, load_banks
    from vertebra.teaching.assign import load_assignment
    from vertebra.teaching.files import TeachingError

    known = frozenset(references())
    if not _are_there(args.bank, "check"):
        return 2
    faults: list[str] = []
    banks = questions = assignments = 0
    for path in _bank_files(args.bank or [Path("quizzes")]):
        try:
            if path.is_dir():
                found = load_banks(path, known)
            elif kind_of(path) == "assignment":
                load_assignment(path, known)
                assignments += 1
                continue
            else:
                found = (load_bank(path, known),)
            banks += len(found)
            questions += sum(len(bank.items) for bank in found)
        except (BankError, TeachingError) as error:
            faults += str(error).splitlines()
    if not faults and not banks and not assignments:
        print("there is no bank and no assignment (*.yml) here; check the path", file=sys.stderr)
        return 2
    if faults:
        once = list(dict.fromkeys(faults))  # a bank's faults come up again with its assignment
        print("\n".join(once))
        print(counted(len(once), "fault"))
        return 1
    print(
        f"{counted(banks, 'bank')}, {counted(questions, 'question')}, {counted(assignments, 'assignment')}: no faults"
    )
    return 0


def _lint(args: argparse.Namespace) -> int:
    from vertebra.quiz.lint import RULES, bank_files, examine, report, summary

    if args.self_test:
        return _test_linter()
    unknown = [name for name in args.rule or () if name not in RULES]
    if unknown:
        print(f"there is no rule {unknown[0]}; the rules are {min(RULES)} to {max(RULES)}", file=sys.stderr)
        return 2
    if not _are_there(args.bank, "lint"):
        return 2
    files = list(bank_files(args.bank or [Path("quizzes")]))
    if not files:
        print("there is no bank (*.yml) here; check the path", file=sys.stderr)
        return 2
    on, rules = args.on or date.today(), args.rule or RULES
    findings, patients = examine(files, on, whole=not args.bank, rules=rules)
    printed = report(findings, args.format)
    print(printed, end="\n" if printed else "")
    if args.format == "text":
        print(f"{patients}\n{summary(findings)}")
    return 1 if any(finding.level == "error" for finding in findings) else 0


def _test_linter() -> int:
    from vertebra.quiz import mutations

    measured = mutations.measure()
    shortfalls = measured.faults()
    print("\n".join([measured.table(), *shortfalls]))
    return 1 if shortfalls else 0


def _are_there(paths: Sequence[Path], command: str) -> bool:
    """Say whether the named files and folders exist, or ./quizzes if none is named; print which do not."""
    if not paths and not Path("quizzes").is_dir():
        example = f"vertebra quiz {command} my_bank.yml"
        print(f"there is no folder quizzes here; name files, as in: {example}", file=sys.stderr)
        return False
    missing = [path for path in paths if not path.exists()]
    for path in missing:
        print(f"{path}: there is no such file or folder; check the path", file=sys.stderr)
    return not missing


def _bank_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield each file; of a folder each folder of banks in it, as their ids must differ, and then the assignments."""
    from vertebra.quiz.items import kind_of

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        kinds = {file: kind_of(file) for file in sorted(path.rglob("*.yml"))}
        assignments = [file for file, kind in kinds.items() if kind == "assignment"]
        mixed = {file.parent for file in assignments}
        banks = [file for file, kind in kinds.items() if kind == "bank"]
        yield from sorted({file if file.parent in mixed else file.parent for file in banks})
        yield from assignments


def _blueprint(args: argparse.Namespace) -> int:
    from vertebra.quiz import blueprint

    short = blueprint.gaps()
    if args.html:
        args.html.write_text(blueprint.html(), encoding="utf-8")
        print("\n".join([*map(str, short), f"{args.html}: written, {counted(len(short), 'gap')}"]))
    else:
        print(blueprint.drawing())
    return 1 if short else 0


def _cards(args: argparse.Namespace) -> int:
    from vertebra.quiz.coverage import practice_banks
    from vertebra.quiz.items import load_bank
    from vertebra.teaching.cards import write_cards

    written = write_cards([load_bank(path) for path in args.bank] or practice_banks(), args.out)
    print(f"{written.file}: {counted(written.cards, 'card')}")
    print("In Anki choose File, Import. Importing a later deck changes your cards in place and keeps their schedule.")
    if written.left_out:
        print(f"No cards of {', '.join(written.left_out)}: the course's own model judges these answers")
    return 0


def _schema(args: argparse.Namespace) -> int:
    from vertebra.quiz import schema

    print(schema.export(), end="")
    return 0
