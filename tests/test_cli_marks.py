"""Marking from the command line: sheet, export, import, orphans and backup."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from in_process import run_command
from test_ledger import given, graded, keep, one
from test_marks_sheet import fill

from grader import checks
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import ledger, open_gradebook
from grader.rubric import find_rubric, load_rubric

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    """What `grade` wrote of a class of two, by the rubric of this repository."""
    made = OutputFolder(tmp_path / "graded")
    rubric = load_rubric(find_rubric(ROOT, assignment="hw5"), catalog=checks.load_checks)
    with open_gradebook(made.store) as book:
        for name in ("ada", "ben"):
            keep(book, graded(name, assignment="hw5"))
        ClassPublisher(made, book=book, rubric=rubric).publish(changed=book.roll())
    return made


def grade(*args: str, cwd: Path = ROOT) -> tuple[int, str]:
    code, output, errors = run_command(*args, folder=cwd)
    return code, output + errors


def test_a_sheet_is_written_filled_in_and_read_and_all_files_say_so(folder: OutputFolder) -> None:
    sheet, out = folder.path / "marks.csv", str(folder.path)
    wrote = grade("mark", "--out", out, "--sheet", str(sheet), "--item", "Q1.1")
    fill(sheet, "ada", points="5.5", comment="Well said.")

    read = grade("mark", "--out", out, "--sheet", str(sheet), "--as", "Mo")

    assert wrote[0] == read[0] == 0
    assert "wrote 2 answers" in wrote[1]
    assert "1 mark given, 0 there already\n1 report and the class page updated" in read[1]
    assert "Well said." in folder.report_path("ada").read_text(encoding="utf-8")
    rows = (folder.path / "gradebook.csv").read_text(encoding="utf-8").splitlines()
    assert ",5.5," in rows[1]
    result = json.loads((folder.path / "results" / "ada.json").read_text(encoding="utf-8"))
    assert result["items"][0]["mark"]["points"] == 5.5


def test_conflicts_are_listed_and_ask_for_a_person(folder: OutputFolder) -> None:
    sheet, out = folder.path / "marks.csv", str(folder.path)
    grade("mark", "--out", out, "--sheet", str(sheet))
    with open_gradebook(folder.store) as book:
        ledger.add_mark(book, given(book, points=Fraction(1), by="Kim"), expected_current=None)
    fill(sheet, "ada", points="5")

    code, told = grade("mark", "--out", out, "--sheet", str(sheet), "--as", "Mo")

    assert code == 1
    assert "Kim gave it 1 since the sheet was written" in told


def test_where_no_rubric_is_marks_are_kept_and_pages_said_to_wait(
    folder: OutputFolder, tmp_path: Path
) -> None:
    sheet, out = folder.path / "marks.csv", str(folder.path)
    grade("mark", "--out", out, "--sheet", str(sheet))
    fill(sheet, "ada", points="5")

    code, told = grade("mark", "--out", out, "--sheet", str(sheet), "--as", "Mo", cwd=tmp_path)

    assert code == 0
    assert "marks are kept" in told
    with open_gradebook(folder.store) as book:
        assert one(book).earned == 5
        assert book.stale_submissions() == ("ada",)


def test_marks_go_out_and_come_in(folder: OutputFolder, tmp_path: Path) -> None:
    with open_gradebook(folder.store) as book:
        ledger.add_mark(
            book, given(book, points=Fraction(1), comment="Yes."), expected_current=None
        )
    to = str(tmp_path / "marks.json")
    assert grade("marks", "export", str(folder.path), "--to", to)[0] == 0
    other = OutputFolder(tmp_path / "other")
    with open_gradebook(other.store) as book:
        keep(book, graded("ada", assignment="hw5"))

    code, told = grade("marks", "import", to, str(other.path))

    assert code == 0
    assert "1 entry added, 0 there already\n1 report and the class page" in told
    assert "Yes." in other.report_path("ada").read_text(encoding="utf-8")
    assert grade("marks", "export", str(folder.path))[1] == Path(to).read_text(encoding="ascii")
    assert "can't be written" in grade("marks", "export", str(folder.path), "--to", to)[1]


def test_a_clash_is_listed_with_both_marks(folder: OutputFolder, tmp_path: Path) -> None:
    other = OutputFolder(tmp_path / "other")
    for place, points, by in ((folder, 1, "Mo"), (other, 2, "Kim")):
        with open_gradebook(place.store) as book:
            keep(book, graded("ada", assignment="hw5"))
            ledger.add_mark(
                book, given(book, points=Fraction(points), by=by), expected_current=None
            )
    to = str(tmp_path / "marks.json")
    grade("marks", "export", str(other.path), "--to", to)

    code, told = grade("marks", "import", to, str(folder.path))

    assert code == 1
    assert "not taken: Q1.1 of ada: here 1 by Mo at " in told
    assert "; in the file 2 by Kim at " in told


def test_orphans_are_listed(folder: OutputFolder) -> None:
    with open_gradebook(folder.store) as book:
        ledger.add_mark(book, given(book, points=Fraction(4)), expected_current=None)
    assert "no orphaned marks" in grade("marks", "orphans", str(folder.path))[1]
    with open_gradebook(folder.store) as book:
        book.replace_roll(["ben"])

    code, told = grade("marks", "orphans", str(folder.path))

    assert code == 0
    assert "Q1.1 of ada: 4 by Mo at " in told


def test_a_backup_says_where_it_is(folder: OutputFolder, tmp_path: Path) -> None:
    code, told = grade("backup", str(folder.path))
    named = grade("backup", str(folder.path), "--to", str(tmp_path / "safe.db"))
    again = grade("backup", str(folder.path), "--to", str(tmp_path / "safe.db"))

    (copy,) = (folder.path / "backups").iterdir()
    assert code == named[0] == 0
    assert str(copy) in told
    assert again[0] == 2
    assert "there already" in again[1]
    with open_gradebook(tmp_path / "safe.db") as book:
        assert book.roll() == ("ada", "ben")


@pytest.mark.parametrize(
    "args",
    [
        ("mark", "--sheet", "x.csv", "--out"),
        ("marks", "export"),
        ("marks", "orphans"),
        ("backup",),
    ],
)
def test_without_a_gradebook_nothing_is_made(tmp_path: Path, args: tuple[str, ...]) -> None:
    code, told = grade(*args, str(tmp_path / "none"), cwd=ROOT)

    assert code == 2
    assert "no gradebook there" in told
    assert list(tmp_path.iterdir()) == []
