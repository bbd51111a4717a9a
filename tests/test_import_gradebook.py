"""nbgrader's gradebook: its students, points and comments become ours, and nothing gets lost."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from in_process import run_command
from nbgrader_course import CELLS, write_notebook
from nbgrader_tables import GivenGrade, Gradebook

from grader.folder import OutputFolder
from grader.gradebook import NewMark, answer_digest, ledger

WORTH = {name: float(cell["points"]) for name, cell in CELLS.items() if "points" in cell}
STUDENTS = {"ada": ("Ada", "Example", "ada@example.org"), "idle": ("Idle", "Example", "")}
GRADES = (
    GivenGrade(student="ada", cell="why", manual=2.5, comment="Why *squares*?\n=1+1"),
    GivenGrade(student="ada", cell="plot", manual=2, extra=0.5),
    GivenGrade(student="ada", cell="test_case", auto=0, manual=0.5),
    GivenGrade(student="ada", cell="test_shown", auto=2),
    GivenGrade(student="ada", cell="squares", comment="Nicely done."),
    GivenGrade(student="ben", cell="why", manual=1, review=True, comment="See me."),
    GivenGrade(student="ben", cell="plot", auto=0, comment="Nothing there?"),
    GivenGrade(student="cy", cell="why", manual=3, comment="All of it."),
    GivenGrade(student="cy", cell="plot", manual=1),
    GivenGrade(student="gone", cell="why", manual=1),
    GivenGrade(student="dot", cell="why", auto=None, comment="No points yet."),
    GivenGrade(student="ada", cell="why", manual=1, assignment="ps2"),
)


def write_gradebook(folder: Path, *changes: GivenGrade, **options: Any) -> Path:
    """Write the gradebook; changes replace the grades of the same cells."""
    replaced = {(c.student, c.cell, c.assignment) for c in changes}
    kept = [g for g in GRADES if (g.student, g.cell, g.assignment) not in replaced]
    book = Gradebook(worth=WORTH, grades=[*kept, *changes], students=STUDENTS, **options)
    return book.write(folder / "gradebook.db")


def import_gradebook(folder: Path) -> str:
    """Bring assignment and gradebook along; return what was said."""
    words = ("source/ps1", "--gradebook", "gradebook.db", "--into", "here")
    code, output, errors = run_command("import", "nbgrader", *words, folder=folder)
    assert code == 0, output + errors
    return output


def grade(folder: Path) -> tuple[str, Mapping[str, Mapping[str, str]]]:
    """Grade; return what was said in one line, and the rows of the table by student."""
    args = ("submitted/", "--assignment", "ps1", "--out", "OUT", "-j", "1")
    code, output, errors = run_command(*args, folder=folder / "here")
    assert code in {0, 1}, output + errors
    path = folder / "here" / "OUT" / "gradebook.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return " ".join(output.split()), {row["id"]: row for row in csv.DictReader(file)}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    write_notebook(tmp_path / "source" / "ps1" / "p1.ipynb")
    return tmp_path


# ---------------------------------------------------------------- reading


def test_what_people_gave_is_brought_along_and_the_rest_is_named(course: Path) -> None:
    write_gradebook(course, late=1.0)
    before = (course / "gradebook.db").read_bytes()
    told = import_gradebook(course)

    marks = json.loads((course / "here" / "imported" / "ps1.json").read_text())["marks"]
    assert {(m["student"], m["item"]): m["points"] for m in marks} == {
        ("ada", "why"): 2.5,
        ("ada", "plot"): 2.5,
        ("ada", "test_case"): 0.5,
        ("ben", "why"): 1.0,
        ("ben", "plot"): 0.0,
        ("cy", "why"): 3.0,
        ("cy", "plot"): 1.0,
        ("gone", "why"): 1.0,
    }
    assert "6 students" in told
    assert "plot of ada: 2.5" in told  # more than it is worth
    assert "late penalties of" in told
    assert "why of dot, squares of ada" in told  # comments that no mark can hold
    assert "ps2: 1 mark not imported" in told
    assert (course / "gradebook.db").read_bytes() == before


def test_what_is_no_number_is_named_and_left_out(course: Path) -> None:
    write_gradebook(
        course,
        GivenGrade(student="ada", cell="why", manual="two"),
        GivenGrade(student="ada", cell="plot", manual=float("inf")),
        GivenGrade(student="cy", cell="plot", manual=b"\xff"),
        GivenGrade(student="cy", cell="why", manual=-1),
    )
    told = import_gradebook(course)

    marks = json.loads((course / "here" / "imported" / "ps1.json").read_text())["marks"]
    assert {(m["student"], m["item"]) for m in marks if m["student"] in {"ada", "cy"}} == {
        ("ada", "test_case"),
        ("cy", "why"),
    }
    for cell in ("why of ada", "plot of ada", "plot of cy"):
        assert f"the manual_score of {cell} (ps1) is" in told
    assert "why of cy: -1" in told


@pytest.mark.parametrize("kind", ["text", "tables", "folder"])
def test_what_is_no_gradebook_is_refused(course: Path, kind: str) -> None:
    path = course / "gradebook.db"
    if kind == "text":
        path.write_text("student,score\n" * 100)
    elif kind == "tables":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE student (id TEXT)")
    else:
        path.mkdir()
    words = ("source/ps1", "--gradebook", "gradebook.db", "--into", "here")
    code, _, errors = run_command("import", "nbgrader", *words, folder=course)

    assert code == 2
    assert "gradebook" in errors
    assert "Traceback" not in errors
    assert not (course / "here").exists()


def test_another_assignments_marks_are_not_taken(course: Path) -> None:
    write_gradebook(course)
    shutil.copytree(course / "source" / "ps1", course / "source" / "ps9")
    words = ("source/ps9", "--gradebook", "gradebook.db", "--into", "here")
    _, output, _ = run_command("import", "nbgrader", *words, folder=course)

    assert "no assignment ps9 is in the gradebook" in output
    assert not (course / "here" / "imported" / "ps9.json").exists()

    run_command("import", "nbgrader", *words[:-1], "other", "--id", "ps1", folder=course)
    assert (course / "other" / "imported" / "ps1.json").is_file()


def test_a_roster_that_is_there_stays_and_an_assignment_too(course: Path) -> None:
    write_gradebook(course)
    import_gradebook(course)
    roster = course / "here" / "imported" / "roster.csv"
    roster.write_text("id,section\nada,1\n")
    rubric = course / "here" / "rubrics" / "ps1.toml"
    rubric.write_text(rubric.read_text() + "# ours\n")
    told = import_gradebook(course)

    assert "roster.csv is there already" in told
    assert "ps1.toml is there already" in told
    assert roster.read_text() == "id,section\nada,1\n"
    assert rubric.read_text().endswith("# ours\n")


# ---------------------------------------------------------------- a run


def hand_in(course: Path, name: str, *, stamp: str = "", **replaced: str) -> None:
    """Write a submission, and nbgrader's copy of it where that is not there yet."""
    for place in ("here/submitted", "autograded"):
        path = course / place / name / "ps1" / "p1.ipynb"
        if place == "here/submitted" or not path.exists():
            write_notebook(path, replaced=replaced)
    if stamp:
        (course / "here" / "submitted" / name / "ps1" / "timestamp.txt").write_text(stamp)


def first_run(course: Path) -> tuple[str, Mapping[str, Mapping[str, str]]]:
    """Bring the course along in mid-term, and grade it."""
    write_gradebook(course, submitted={"cy": "2031-01-01 10:00:00.500000"})
    for name in ("ada", "ben", "dot"):
        hand_in(course, name)
    hand_in(course, "ada", test_shown="pass  # nbgrader gives the cell its own text again")
    hand_in(course, "cy", stamp="2031-01-02 10:00:00 UTC", why="What was marked.")
    hand_in(course, "cy", why="Another answer.", plot=f"{CELLS['plot']['code']}  ")
    import_gradebook(course)
    return grade(course)


@pytest.mark.kernel
def test_marks_count_where_the_answers_are_those_that_were_marked(course: Path) -> None:
    said, rows = first_run(course)

    assert rows["ada"]["name"] == "Ada Example"
    earned = {who: (rows[who]["why"], rows[who]["plot"]) for who in ("ada", "ben", "cy", "dot")}
    assert earned == {
        "ada": ("2.5", "2"),  # extra credit has no place beyond a question's points
        "ben": ("", "0"),  # for another look in nbgrader
        "cy": ("", "1"),  # another answer; spaces don't matter
        "dot": ("", ""),
    }
    assert rows["ada"]["test_case"] == "0.5"  # over the checks' point
    assert {rows[who]["status"] for who in ("idle", "gone")} == {"missing"}
    assert "plot of ada: 2.5 of 2 points in nbgrader; here 2 count" in said
    assert "nothing is graded of gone" in said
    assert "7 marks imported from nbgrader given, 0 there already" in said
    with OutputFolder.open_existing(course / "here" / "OUT").open_gradebook() as book:
        marks = ledger.current_marks(book)
    assert marks["ada", "why"].by == "imported from nbgrader"
    assert marks["ada", "why"].comment == "Why *squares*?\n=1+1"
    assert "nbgrader" in marks["ada", "test_case"].reason


@pytest.mark.kernel
def test_later_marks_follow_and_what_somebody_decided_here_stays(course: Path) -> None:
    first_run(course)
    with OutputFolder.open_existing(course / "here" / "OUT").open_gradebook() as book:
        _decide_here(book)
    write_gradebook(
        course,
        GivenGrade(student="ada", cell="why", manual=1, comment="No."),
        GivenGrade(student="ada", cell="plot", manual=1),
        GivenGrade(student="ben", cell="why", manual=1, comment="See me."),
        GivenGrade(student="gone", cell="why", manual=1.5),
    )
    hand_in(course, "gone")
    import_gradebook(course)
    said, rows = grade(course)

    earned = {who: (rows[who]["why"], rows[who]["plot"]) for who in ("ada", "ben", "cy", "gone")}
    assert earned == {
        "ada": ("3", "1"),
        "ben": ("1", "0"),
        "cy": ("", ""),
        "gone": ("1.5", ""),
    }
    assert "2 marks imported from nbgrader left out, since somebody graded it here" in said
    assert "3 marks imported from nbgrader given" in said


def _decide_here(book: Any) -> None:
    """Give a mark in the place of an imported one, and take another back."""
    marks = ledger.current_marks(book)
    digest = answer_digest(book.graded("ada"), "why")
    new = NewMark(submission="ada", item="why", answer_digest=digest, by="Kim", points=Fraction(3))
    ledger.add_mark(book, new, expected_current=marks["ada", "why"].number)
    number = marks["cy", "plot"].number
    ledger.take_back_mark(book, "cy", "plot", by="Kim", expected_current=number)


@pytest.mark.kernel
def test_without_nbgraders_copies_the_time_of_handing_in_decides(course: Path) -> None:
    write_gradebook(course, submitted={"ada": "2031-01-01 10:00:00.5", "cy": "2031-01-01 10:00:00"})
    hand_in(course, "ada", stamp="2031-01-01 10:00:00.900 UTC")
    hand_in(course, "cy", stamp="2031-01-01 10:05:00 UTC")
    hand_in(course, "ben")
    shutil.rmtree(course / "autograded")
    import_gradebook(course)
    _, rows = grade(course)

    assert {who: rows[who]["why"] for who in ("ada", "ben", "cy")} == {
        "ada": "2.5",
        "ben": "",
        "cy": "",
    }
    hand_in(course, "ada", why="Another answer, of which nbgrader knows nothing.")
    _, rows = grade(course)
    assert rows["ada"]["why"] == ""  # given once, for the answer that was there


def test_a_file_of_marks_that_was_changed_by_hand_is_refused(course: Path) -> None:
    write_gradebook(course)
    hand_in(course, "ada")
    import_gradebook(course)
    path = course / "here" / "imported" / "ps1.json"
    path.write_text(path.read_text().replace('"points": 2.5', '"points": "all"', 1))
    args = ("submitted/", "--assignment", "ps1", "--out", "OUT")
    code, _, errors = run_command(*args, folder=course / "here")

    assert code == 2
    assert "no marks of `grade import`" in errors
