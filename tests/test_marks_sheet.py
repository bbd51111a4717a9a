"""The offline sheet: what is filled in is taken, blank is unchanged, nothing is overwritten."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from specimens import HOSTILE
from test_ledger import count, given, graded, keep, one

from grader.cli import offline_sheet
from grader.errors import UsageError
from grader.gradebook import Gradebook, ledger, open_gradebook
from grader.gradebook.ledger import add_mark


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(tmp_path / "book.db") as made:
        for name in ("ada", "ben"):
            keep(made, graded(name, wrote=f"It is {name}'s."))
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "marks.csv"


def rows(place: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8-sig"))))


def fill(place: Path, name: str, of: str = "Q1.1", *, between: str = ",", **cells: str) -> None:
    """Fill in cells of one line, as a spreadsheet would save them."""
    found = rows(place)
    for row in found:
        if (row["submission"], row["item"]) == (name, of):
            row.update(cells)
    written = io.StringIO()
    writer = csv.DictWriter(written, list(found[0]), delimiter=between)
    writer.writeheader()
    writer.writerows(found)
    place.write_text(written.getvalue(), encoding="utf-8-sig", newline="")


def test_a_sheet_has_a_line_for_each_answer_a_question_after_the_other(
    book: Gradebook, place: Path
) -> None:
    amount = offline_sheet.write_sheet(book, place, item=None)

    found = rows(place)
    assert amount == len(found) == 14
    assert [row["item"] for row in found[:4]] == ["Q1.1", "Q1.1", "Q1.2", "Q1.2"]
    assert {row["points"] + row["comment"] + row["reason"] for row in found} == {""}
    assert found[0]["answer"] == "It is ada's."
    assert found[0]["worth"] == "6"


def test_what_is_filled_in_is_taken_and_blank_is_unchanged(book: Gradebook, place: Path) -> None:
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ada", points="4.5", comment='Clear,\nand "short".')

    done = offline_sheet.import_sheet(book, place, by="Mo")

    mark = one(book).mark
    assert done == offline_sheet.SheetImport(marked=("ada",), unchanged=0, conflicts=())
    assert mark is not None
    assert (mark.points, mark.by) == (Fraction(9, 2), "Mo")
    assert mark.comment == 'Clear,\nand "short".'
    assert one(book, name="ben").earned is None


@pytest.mark.parametrize(("between", "points"), [(";", "2,5"), ("\t", "2.50"), (",", " 2.5 ")])
def test_spreadsheets_of_other_countries_are_read(
    book: Gradebook, place: Path, between: str, points: str
) -> None:
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ada", between=between, points=points)

    offline_sheet.import_sheet(book, place, by="Mo")

    assert one(book).earned == Fraction(5, 2)


def test_a_sheet_that_is_read_twice_changes_nothing_more(
    book: Gradebook, place: Path, tmp_path: Path
) -> None:
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ada", points="4", comment="Yes.")
    offline_sheet.import_sheet(book, place, by="Mo")

    again = offline_sheet.import_sheet(book, place, by="Mo")

    assert again == offline_sheet.SheetImport(marked=(), unchanged=1, conflicts=())
    assert count(tmp_path / "book.db") == 1


def test_zero_is_a_mark_and_not_blank(book: Gradebook, place: Path) -> None:
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ada", points="0")

    assert offline_sheet.import_sheet(book, place, by="Mo").marked == ("ada",)
    assert one(book).earned == 0


def test_a_comment_alone_joins_the_mark_there_is_and_leaves_its_criteria(
    book: Gradebook, place: Path
) -> None:
    add_mark(book, given(book, criteria=("what", "wordy")), expected_current=None)
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ada", comment="Shorter, please.")

    offline_sheet.import_sheet(book, place, by="Kim")

    mark = one(book).mark
    assert mark is not None
    assert mark.points == 2
    assert mark.criteria == ("what", "wordy")
    assert mark.comment == "Shorter, please."


def test_points_alone_leave_the_comment_there_is(book: Gradebook, place: Path) -> None:
    add_mark(book, given(book, points=Fraction(1), comment="Look again."), expected_current=None)
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ada", points="2")

    offline_sheet.import_sheet(book, place, by="Kim")

    mark = one(book).mark
    assert mark is not None
    assert mark.points == 2
    assert mark.comment == "Look again."


def test_a_mark_that_came_between_is_listed_and_not_overwritten(
    book: Gradebook, place: Path
) -> None:
    offline_sheet.write_sheet(book, place, item="Q1.1")
    add_mark(book, given(book, points=Fraction(1), by="Kim"), expected_current=None)
    fill(place, "ada", points="4")
    fill(place, "ben", points="5")

    done = offline_sheet.import_sheet(book, place, by="Mo")

    assert done.marked == ("ben",)
    assert done.conflicts == (
        "line 2: Q1.1 of ada was not taken: Kim gave it 1 since the sheet was written",
    )
    assert one(book).earned == 1


def test_an_answer_that_changed_meanwhile_is_listed_and_not_marked(
    book: Gradebook, place: Path
) -> None:
    offline_sheet.write_sheet(book, place, item="Q1.1")
    keep(book, graded("ada", wrote="Another one."))
    fill(place, "ada", points="4")

    (told,) = offline_sheet.import_sheet(book, place, by="Mo").conflicts

    assert "has changed since the sheet was written" in told
    assert one(book).earned is None


def test_a_mark_that_was_taken_back_meanwhile_is_not_given_again(
    book: Gradebook, place: Path
) -> None:
    mark = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    offline_sheet.write_sheet(book, place, item="Q1.1")
    ledger.take_back_mark(book, "ada", "Q1.1", by="Kim", expected_current=mark.number)
    fill(place, "ada", points="4")

    (told,) = offline_sheet.import_sheet(book, place, by="Mo").conflicts

    assert "taken back" in told
    assert one(book).earned is None


def test_an_outdated_mark_needs_points_to_count_again(book: Gradebook, place: Path) -> None:
    add_mark(book, given(book, points=Fraction(3)), expected_current=None)
    keep(book, graded("ada", wrote="Another one."))
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ada", comment="As before.")

    with pytest.raises(UsageError, match="no mark that counts"):
        offline_sheet.import_sheet(book, place, by="Mo")

    fill(place, "ada", points="3")
    assert offline_sheet.import_sheet(book, place, by="Mo").marked == ("ada",)
    assert one(book).earned == 3


def test_an_automatic_item_that_waits_is_there_and_needs_a_reason(
    book: Gradebook, place: Path, tmp_path: Path
) -> None:
    add_mark(
        book,
        given(book, "V5", points=Fraction(4), reason="Followed through."),
        expected_current=None,
    )
    offline_sheet.write_sheet(book, place, item="V5")
    assert [row["submission"] for row in rows(place)] == ["ada"]
    fill(place, "ada", "V5", points="5")

    assert offline_sheet.import_sheet(book, place, by="Mo").marked == ("ada",)

    mark = one(book, "V5").mark
    assert mark is not None
    assert mark.points == 5
    assert mark.reason == "Followed through."
    assert count(tmp_path / "book.db") == 2


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"points": "four"}, "'four' is not a number of points"),
        ({"points": "1e2"}, "'1e2' is not a number"),
        ({"points": "7"}, "Q1.1 is worth 0 to 6 points"),
        ({"points": "-1"}, "Q1.1 is worth 0 to 6 points"),
        ({"comment": "Good."}, "words without points"),
        ({"points": "1", "submission": "nobody"}, "there is no Q1.1 of nobody"),
        ({"points": "1", "item": "Q9"}, "there is no Q9 of ada"),
        ({"points": "1", "seen": "1.2E+10"}, "the column 'seen' was changed"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named_and_none_is_taken(
    book: Gradebook, place: Path, tmp_path: Path, cells: dict[str, str], said: str
) -> None:
    offline_sheet.write_sheet(book, place, item="Q1.1")
    fill(place, "ben", points="3")
    fill(place, "ada", **cells)

    with pytest.raises(UsageError, match="line 2: ") as refused:
        offline_sheet.import_sheet(book, place, by="Mo")

    assert said in str(refused.value)
    assert count(tmp_path / "book.db") == 0


def test_a_sheet_without_a_column_is_refused(book: Gradebook, place: Path) -> None:
    place.write_text("submission,points\nada,4\n", encoding="utf-8")

    with pytest.raises(UsageError, match="no column comment, item, reason, seen"):
        offline_sheet.import_sheet(book, place, by="Mo")


def test_another_encoding_is_refused_and_not_guessed(book: Gradebook, place: Path) -> None:
    place.write_bytes("submission,points\nada,ü\n".encode("latin-1"))

    with pytest.raises(UsageError, match="UTF-8"):
        offline_sheet.import_sheet(book, place, by="Mo")


def test_a_sheet_is_never_written_over_another_file(book: Gradebook, place: Path) -> None:
    place.write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="can't be written"):
        offline_sheet.write_sheet(book, place, item=None)

    assert place.read_text(encoding="utf-8") == "mine"


def test_an_item_that_nobody_has_is_told(book: Gradebook, place: Path) -> None:
    with pytest.raises(UsageError, match="nothing to mark in an item Q9"):
        offline_sheet.write_sheet(book, place, item="Q9")


@pytest.mark.parametrize("wrote", ["=HYPERLINK(1)", "@x", "  +1", HOSTILE, "x" * 50_000])
def test_what_a_student_wrote_runs_in_no_spreadsheet(
    book: Gradebook, place: Path, wrote: str
) -> None:
    keep(book, graded("ada", wrote=wrote))

    offline_sheet.write_sheet(book, place, item="Q1.1")

    (cell,) = (row["answer"] for row in rows(place) if row["submission"] == "ada")
    assert cell.lstrip()[:1] not in {"=", "@", "+", "-"}
    assert len(cell) <= 32_767
    fill(place, "ada", points="1")
    assert offline_sheet.import_sheet(book, place, by="Mo").marked == ("ada",)
