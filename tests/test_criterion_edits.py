"""Criteria are changed for all who have them, and the rubric's file wins where it is newer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from edited_criteria import file_item, set_points
from test_ledger import CRITERIA, given, graded, keep, one

from grader.errors import CriteriaConflict, UsageError
from grader.gradebook import Gradebook, ledger, open_gradebook
from grader.gradebook.criterion_edits import apply_edits
from grader.gradebook.criterion_history import list_changes
from grader.gradebook.criterion_ledger import criterion_edits, new_criterion_id, save_criteria
from grader.gradebook.ledger import add_mark
from grader.gradebook.marks_exchange import export_marks, import_marks
from grader.gradebook.schema_version import MIGRATIONS
from grader.model import Criterion, Item

NEW = Criterion(id="example", text="Gives an example", points=Fraction(1))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(tmp_path / "book.db") as made:
        keep(made, graded("ada"))
        yield made


def change(book: Gradebook, *criteria: Criterion, expected_last: int | None = None) -> None:
    save_criteria(
        book, file_item(book), criteria, assignment="hw", by="Mo", expected_last=expected_last
    )


def now(book: Gradebook, item: Item | None = None) -> tuple[Criterion, ...]:
    return apply_edits(item or file_item(book), edits=criterion_edits(book, "hw")).criteria


def test_a_criterion_is_added_worded_and_moved_for_all(book: Gradebook) -> None:
    first, *others = CRITERIA
    add_mark(book, given(book, criteria=(first.id,)), expected_current=None)
    worded = replace(first, text="Says it plainly")

    change(book, NEW, *others, worded)

    assert now(book) == (NEW, *others, worded)
    assert one(book).item.criteria == (NEW, *others, worded)
    assert one(book).earned == first.points
    history = criterion_edits(book, "hw")["Q1.1"]
    assert {(e.criterion, e.file_text, e.text, e.by) for e in history} == {
        ("example", None, "Gives an example", "Mo"),
        (first.id, first.text, "Says it plainly", "Mo"),
    }


def test_an_order_alone_is_one_edit_and_no_change_is_none(book: Gradebook) -> None:
    change(book, *CRITERIA)
    assert criterion_edits(book, "hw") == {}

    change(book, *CRITERIA[::-1])
    assert now(book) == CRITERIA[::-1]
    assert len(criterion_edits(book, "hw")["Q1.1"]) == 1


@pytest.mark.parametrize(("retired", "points"), [("kept", 3), ("dropped", 0)])
def test_a_retired_criterion_counts_where_it_is_kept_and_is_given_to_nobody(
    book: Gradebook, retired: str, points: int
) -> None:
    first, *others = CRITERIA
    mark = add_mark(book, given(book, criteria=(first.id,)), expected_current=None)
    keep(book, graded("ben"))

    change(book, replace(first, retired=retired), *others)  # type: ignore[arg-type]  # from the table above

    assert one(book).earned == points
    with pytest.raises(UsageError, match="retired"):
        add_mark(book, given(book, name="ben", criteria=(first.id,)), expected_current=None)
    again = given(book, criteria=(first.id,), comment="As a sheet gives it again.")
    add_mark(book, again, expected_current=mark.number)
    assert one(book).earned == points
    change(book, first, *others)
    assert one(book).earned == 3


def test_of_two_who_edit_at_once_the_second_is_told(book: Gradebook) -> None:
    change(book, *CRITERIA, NEW, expected_last=0)

    with pytest.raises(CriteriaConflict):
        change(book, *CRITERIA[::-1], expected_last=0)

    assert now(book) == (*CRITERIA, NEW)


def test_after_they_are_in_the_file_edits_neither_double_nor_vanish(book: Gradebook) -> None:
    first, *others = CRITERIA
    lighter = replace(first, points=Fraction(1))
    add_mark(book, given(book, criteria=(first.id,)), expected_current=None)
    change(book, *others, lighter, NEW)
    exported = replace(file_item(book), criteria=now(book))

    assert now(book, exported) == exported.criteria
    save_criteria(  # before the class is graded by the new file
        book,
        exported,
        (replace(NEW, points=Fraction(2)), *others, lighter),
        assignment="hw",
        by="K",
    )
    assert [c.id for c in now(book)] == ["example", *(c.id for c in others), first.id]
    assert now(book) == now(book, exported)
    assert now(book)[0].points == 2
    assert one(book).earned == 1


def test_an_edit_in_a_console_that_was_open_over_an_export_counts_by_the_new_file(
    book: Gradebook,
) -> None:
    first, *others = CRITERIA
    add_mark(book, given(book, criteria=(first.id,)), expected_current=None)
    before = file_item(book)
    change(book, *others, replace(first, points=Fraction(1)))
    exported = replace(before, criteria=now(book))
    keep(book, graded("ada", criteria=exported.criteria))  # by the new file

    last = (replace(first, text="Worded", points=Fraction(2)), *others)
    save_criteria(book, before, last, assignment="hw", by="Mo")  # the console has the old one

    assert now(book, before) == now(book, exported) == last
    assert one(book).earned == 2
    told = list_changes(criterion_edits(book, "hw")["Q1.1"])
    assert [str(c.before and c.before.points) for c in told] == ["3", "1"]
    assert [c.after.points for c in told] == [1, 2]


def test_what_the_file_says_since_wins_field_by_field(book: Gradebook) -> None:
    first, *others = CRITERIA
    change(book, replace(first, points=Fraction(1), text="Worded"), *others)
    by_hand = replace(file_item(book), criteria=(replace(first, points=Fraction(5)), *others))

    assert now(book, by_hand)[0] == replace(first, points=Fraction(5), text="Worded")
    with pytest.raises(UsageError, match="grade again"):
        save_criteria(book, by_hand, others, assignment="hw", by="Mo")


def test_what_the_file_has_got_since_keeps_its_place(book: Gradebook) -> None:
    change(book, *CRITERIA[::-1])
    first, *others = CRITERIA
    grown = replace(file_item(book), criteria=(first, NEW, *others))

    names = [c.id for c in now(book, grown)]
    assert names.index("example") == names.index(first.id) + 1
    assert len(names) == len(CRITERIA) + 1


def test_edits_go_out_and_come_in_and_clash_only_where_they_differ(
    book: Gradebook, tmp_path: Path
) -> None:
    change(book, *CRITERIA[::-1], NEW)
    with open_gradebook(tmp_path / "other.db") as other:
        keep(other, graded("ada"))
        assert import_marks(other, export_marks(book)).conflicts == ()
        assert now(other) == now(book)
        set_points(other, "hw", "Q1.1", "example", Fraction(2), by="Kim")
        set_points(book, "hw", "Q1.1", "example", Fraction(3), by="Mo")
        (conflict,) = import_marks(book, export_marks(other)).conflicts
    assert (conflict.item, conflict.criterion) == ("Q1.1", "example")
    assert now(book)[-1].points == 3


def test_points_that_the_first_version_stored_count_on(tmp_path: Path) -> None:
    place = tmp_path / "old.db"
    with open_gradebook(place, migrations=()) as made:
        keep(made, graded("ada"))
        add_mark(made, given(made, criteria=("what",)), expected_current=None)
    old = sqlite3.connect(place)
    old.executescript("""
        DROP TABLE criterion_edits;
        CREATE TABLE weights (assignment TEXT NOT NULL, item TEXT NOT NULL,
            criterion TEXT NOT NULL, "by" TEXT NOT NULL, at TEXT NOT NULL,
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
            points TEXT NOT NULL, instead_of TEXT NOT NULL);
        INSERT INTO weights (assignment, item, criterion, "by", at, id, points, instead_of)
        VALUES ('hw', 'Q1.1', 'what', 'Mo', 't', 'a', '2', '3'),
               ('hw', 'Q1.1', 'what', 'Mo', 't', 'b', '1/2', '3');
        UPDATE meta SET value = '1' WHERE name = 'schema';
    """)
    old.commit()
    old.close()

    with open_gradebook(place, migrations=MIGRATIONS[:1]) as book:
        assert one(book).earned == Fraction(1, 2)
        assert [e.follows for e in criterion_edits(book, "hw")["Q1.1"]] == [0, 1]
        set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Kim")
        assert ledger.current_marks(book)["ada", "Q1.1"].points == 1


@pytest.mark.parametrize(
    ("text", "taken", "expected"),
    [
        ("Says why", (), "says-why"),
        ("Says why", ("says-why",), "says-why-2"),
        ("Größe & Maß", (), "groe-ma"),
        ("为什么", (), "item"),
        ("x" * 80, (), "x" * 30),
    ],
)
def test_a_new_criterion_gets_an_id_of_its_own(
    text: str, taken: tuple[str, ...], expected: str
) -> None:
    assert new_criterion_id(text, taken).startswith(expected[:4])
    assert new_criterion_id(text, taken) not in taken
