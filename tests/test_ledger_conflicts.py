"""Two who write the ledger at once, and two ledgers that went their own ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from edited_criteria import set_points
from test_ledger import given, graded, keep, one

from grader.errors import MarkConflict, UsageError
from grader.gradebook import Gradebook, ledger, ledger_statements, open_gradebook
from grader.gradebook.criterion_ledger import criterion_edits
from grader.gradebook.ledger import add_mark, current_marks, take_back_mark
from grader.gradebook.mark_points import base_points, total_points
from grader.gradebook.marks_exchange import export_marks, import_marks
from grader.model.assignment import Retired

ONE = Fraction(1)


def two_students(path: Path) -> Iterator[Gradebook]:
    with open_gradebook(path) as opened:
        for name in ("ben", "ada"):
            keep(opened, graded(name))
        yield opened


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    yield from two_students(tmp_path / "here.db")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Gradebook]:
    yield from two_students(tmp_path / "there.db")


def test_one_who_was_slower_by_a_moment_is_told_what_the_faster_one_gave(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_mark(book, given(book, name="ben", points=ONE), expected_current=None)
    add_mark(book, given(book, "Q1.2", points=ONE), expected_current=None)
    faster = add_mark(book, given(book, criteria=("what",), by="Kim"), expected_current=None)
    set_points(book, "hw", "Q1.1", "what", Fraction(2), by="Kim")
    # In PostgreSQL two may read the last row before either has written the next.
    monkeypatch.setattr(ledger_statements, "last_number", lambda *_: 0)
    slower = given(book, points=Fraction(5))

    with pytest.raises(MarkConflict, match=r"Q1\.1 of ada was marked by Kim meanwhile") as caught:
        add_mark(book, slower, expected_current=faster.number)

    assert caught.value.proposed == slower
    assert caught.value.current is not None
    assert (caught.value.current.number, caught.value.current.points) == (faster.number, 2)
    assert one(book).earned == 2


def test_taking_back_is_about_the_mark_of_one_student_on_one_item(book: Gradebook) -> None:
    add_mark(book, given(book, name="ben", points=ONE), expected_current=None)
    add_mark(book, given(book, "Q1.2", points=ONE), expected_current=None)
    number = add_mark(book, given(book, criteria=("what",)), expected_current=None).number
    set_points(book, "hw", "Q1.1", "what", Fraction(2), by="Kim")

    with pytest.raises(MarkConflict) as caught:
        take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=number + 9)
    take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=number)

    assert caught.value.current is not None
    assert caught.value.current.points == 2, "by what the criterion is worth now"
    assert set(current_marks(book)) == {("ben", "Q1.1"), ("ada", "Q1.2")}
    rows = ledger.mark_history(book, "ada", "Q1.1")
    assert [row.points for row in rows][-1] == 0


def test_criteria_that_are_worth_one_point_each_begin_with_nothing(book: Gradebook) -> None:
    item = one(book).item
    small = replace(item, criteria=tuple(replace(c, points=ONE) for c in item.criteria))

    assert base_points(small) == 0
    assert total_points(small, criteria={"what": ONE}, adjustment=Fraction(0)) == 1


def test_a_criterion_that_was_dropped_gives_nothing_and_one_that_is_kept_gives_its_points(
    book: Gradebook,
) -> None:
    item = one(book).item
    cases: tuple[tuple[Retired, int], ...] = (("dropped", 0), ("kept", 3), ("", 3))
    for retired, points in cases:
        criteria = (replace(item.criteria[0], retired=retired), *item.criteria[1:])
        changed = replace(item, criteria=criteria)
        met = {"what": Fraction(3)}
        assert total_points(changed, criteria=met, adjustment=Fraction(0)) == points


# ---------------------------------------------------------------- two gradebooks


def test_what_is_known_and_what_is_new_is_counted_over_all_histories(
    book: Gradebook, other: Gradebook
) -> None:
    for name in ("ada", "ben"):
        add_mark(book, given(book, name=name, points=ONE), expected_current=None)
    import_marks(other, export_marks(book))
    for (name, _), first in current_marks(book).items():
        add_mark(book, given(book, name=name), expected_current=first.number)

    result = import_marks(other, export_marks(book))

    assert (result.added, result.already_known, result.conflicts) == (2, 2, ())


def test_edits_that_clash_are_told_item_by_item_and_criterion_by_criterion(
    book: Gradebook, other: Gradebook
) -> None:
    for there, by, points in ((book, "Mo", ONE), (other, "Kim", Fraction(2))):
        set_points(there, "hw", "Q1.1", "what", points, by=by)
        set_points(there, "hw", "Q1.1", "why", ONE, by=by)
    set_points(other, "hw", "Q1.1", "wordy", Fraction(-2), by="Kim")

    conflicts = import_marks(book, export_marks(other)).conflicts

    assert [(c.submission, c.item, c.criterion) for c in conflicts] == [
        ("", "Q1.1", "what"),
        ("", "Q1.1", "wordy"),
    ]


def test_edits_of_two_assignments_that_clash_are_both_told(
    book: Gradebook, other: Gradebook
) -> None:
    for there, points in ((book, ONE), (other, Fraction(2))):
        keep(there, graded("cleo", assignment="lab"))
        for assignment in ("hw", "lab"):
            set_points(there, assignment, "Q1.1", "what", points, by="Kim")

    assert len(import_marks(book, export_marks(other)).conflicts) == 2


def test_edits_that_come_in_follow_one_another_as_those_that_are_made(
    book: Gradebook, other: Gradebook
) -> None:
    for points in (1, 2):
        set_points(book, "hw", "Q1.1", "what", Fraction(points), by="Kim")
    import_marks(other, export_marks(book))
    set_points(book, "hw", "Q1.1", "what", Fraction(4), by="Kim")
    import_marks(other, export_marks(book))

    rows = criterion_edits(other, "hw")["Q1.1"]
    assert [row.points for row in rows] == [1, 2, 4]
    assert [row.follows for row in rows] == [0, *(row.number for row in rows[:-1])]


def test_points_as_early_versions_exported_them_come_in_beside_edits(
    book: Gradebook, other: Gradebook
) -> None:
    set_points(book, "hw", "Q1.1", "why", ONE, by="Kim")
    whole = json.loads(export_marks(book))
    whole["weights"] = [
        {
            "id": "f" * 32,
            "assignment": "hw",
            "item": "Q1.2",
            "criterion": "clear",
            "points": "1/2",
            "instead_of": "2",
            "marker": "Mo",
            "made_at": "2026-01-02",
        }
    ]

    result = import_marks(other, json.dumps(whole))

    edits = criterion_edits(other, "hw")
    (old,) = edits["Q1.2"]
    assert result.added == 2
    assert (old.criterion, old.points, old.file_points) == ("clear", Fraction(1, 2), Fraction(2))
    assert (old.by, old.at) == ("Mo", "2026-01-02")
    assert [edit.criterion for edit in edits["Q1.1"]] == ["why"]


def test_one_who_took_back_elsewhere_clashes_with_what_was_current_before(
    book: Gradebook, other: Gradebook
) -> None:
    add_mark(book, given(book, name="ben", points=ONE), expected_current=None)
    first = add_mark(book, given(book, points=ONE), expected_current=None)
    import_marks(other, export_marks(book))
    theirs = current_marks(other)["ada", "Q1.1"].number
    second = add_mark(other, given(other, points=Fraction(2)), expected_current=theirs)
    take_back_mark(other, "ada", "Q1.1", by="Kim", expected_current=second.number)
    add_mark(book, given(book, points=Fraction(3)), expected_current=first.number)

    (clash,) = import_marks(book, export_marks(other)).conflicts

    assert clash.in_gradebook is not None
    assert clash.in_file is not None
    assert (clash.in_gradebook.points, clash.in_file.points) == (Fraction(3), ONE)


def test_one_who_took_back_the_only_mark_elsewhere_has_none_in_the_file(
    book: Gradebook, other: Gradebook
) -> None:
    first = add_mark(book, given(book, points=ONE), expected_current=None)
    import_marks(other, export_marks(book))
    theirs = current_marks(other)["ada", "Q1.1"].number
    take_back_mark(other, "ada", "Q1.1", by="Kim", expected_current=theirs)
    add_mark(book, given(book, points=Fraction(3)), expected_current=first.number)

    (clash,) = import_marks(book, export_marks(other)).conflicts

    assert clash.in_gradebook is not None
    assert clash.in_file is None


def test_a_row_may_only_name_rows_of_its_own_history(book: Gradebook) -> None:
    first = add_mark(book, given(book, name="ben", points=ONE), expected_current=None)
    add_mark(book, given(book, points=ONE), expected_current=None)
    whole = json.loads(export_marks(book))
    whole["marks"][1]["replaced"] = first.id

    with pytest.raises(UsageError, match="is named, and isn't in it"):
        import_marks(book, json.dumps(whole))
