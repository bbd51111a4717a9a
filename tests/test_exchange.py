"""Marks as JSON: out and in again, once, and nothing is overwritten on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from edited_criteria import set_points
from test_ledger import given, graded, keep, one

from grader.errors import UsageError
from grader.gradebook import Gradebook, ledger, open_gradebook
from grader.gradebook.criterion_ledger import criterion_edits
from grader.gradebook.ledger import add_mark, mark_history, take_back_mark
from grader.gradebook.marks_exchange import export_marks, import_marks


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(tmp_path / "here.db") as made:
        keep(made)
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(tmp_path / "there.db") as made:
        keep(made)
        yield made


def busy(book: Gradebook) -> None:
    """A ledger with all there can be in it."""
    first = add_mark(
        book, given(book, criteria=("what",), comment="ü '\"\n"), expected_current=None
    )
    second = add_mark(
        book, given(book, points=Fraction(7, 3), by="Kim"), expected_current=first.number
    )
    take_back_mark(book, "ada", "Q1.1", by="Kim", expected_current=second.number)
    add_mark(
        book,
        given(book, "V5", points=Fraction(4), reason="Followed through."),
        expected_current=None,
    )
    add_mark(book, given(book, "Q1.2", adjustment=Fraction(-1, 2)), expected_current=None)
    set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Kim")


def told(book: Gradebook) -> list[Any]:
    """All entries, without their numbers, which are each store's own."""
    whole = json.loads(export_marks(book))
    return [whole["marks"], whole["criterion_edits"], whole["answers"]]


def test_all_marks_go_out_and_come_in_elsewhere(book: Gradebook, other: Gradebook) -> None:
    busy(book)

    taken = import_marks(other, export_marks(book))

    assert (taken.added, taken.already_known, taken.conflicts) == (6, 0, ())
    assert told(other) == told(book)
    assert [one(other, item).earned for item in ("Q1.1", "V5", "Q1.2")] == [1, 4, 0]
    assert [e.takes_back is not None for e in mark_history(other, "ada", "Q1.1")] == [
        False,
        False,
        True,
    ]


def test_coming_in_twice_changes_nothing(book: Gradebook, other: Gradebook) -> None:
    busy(book)
    import_marks(other, export_marks(book))
    before = told(other)

    again = import_marks(other, export_marks(book))
    own = import_marks(book, export_marks(book))

    assert (again.added, again.already_known, again.conflicts) == (0, 6, ())
    assert (own.added, own.already_known, own.conflicts) == (0, 6, ())
    assert told(other) == before


def test_an_older_export_takes_nothing_back(book: Gradebook) -> None:
    first = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    older = export_marks(book)
    add_mark(book, given(book, points=Fraction(2)), expected_current=first.number)

    taken = import_marks(book, older)

    assert (taken.added, taken.already_known) == (0, 1)
    assert one(book).earned == 2


def test_what_went_on_elsewhere_is_added(book: Gradebook, other: Gradebook) -> None:
    first = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    import_marks(other, export_marks(book))
    theirs = ledger.current_marks(other)["ada", "Q1.1"]
    second = add_mark(other, given(other, points=Fraction(2)), expected_current=theirs.number)
    take_back_mark(other, "ada", "Q1.1", by="Kim", expected_current=second.number)

    taken = import_marks(book, export_marks(other))

    assert (taken.added, taken.conflicts) == (2, ())
    assert one(book).earned == 1
    assert one(book).mark == first


def test_marks_that_both_gave_clash_and_nothing_is_overwritten(
    book: Gradebook, other: Gradebook
) -> None:
    add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    add_mark(other, given(other, points=Fraction(2), by="Kim"), expected_current=None)
    add_mark(other, given(other, "Q1.2", points=Fraction(3)), expected_current=None)
    before = told(book)[0]

    taken = import_marks(book, export_marks(other))

    (clash,) = taken.conflicts
    assert clash.in_gradebook is not None
    assert clash.in_file is not None
    assert (clash.submission, clash.item) == ("ada", "Q1.1")
    assert clash.in_gradebook.points == 1
    assert clash.in_file.points == 2
    assert one(book).earned == 1
    assert one(book, "Q1.2").earned == 3
    assert [entry for entry in told(book)[0] if entry["item"] == "Q1.1"] == before


def test_the_same_decision_of_two_is_no_clash(book: Gradebook, other: Gradebook) -> None:
    add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    add_mark(other, given(other, points=Fraction(1), by="Kim"), expected_current=None)

    taken = import_marks(book, export_marks(other))

    assert (taken.added, taken.conflicts) == (0, ())


def test_one_who_took_back_and_one_who_gave_clash(book: Gradebook, other: Gradebook) -> None:
    first = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    import_marks(other, export_marks(book))
    theirs = ledger.current_marks(other)["ada", "Q1.1"]
    take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=first.number)
    add_mark(other, given(other, points=Fraction(2)), expected_current=theirs.number)

    (clash,) = import_marks(book, export_marks(other)).conflicts

    assert clash.in_gradebook is None
    assert clash.in_file is not None
    assert clash.in_file.points == 2
    assert one(book).earned is None


def test_weights_that_both_changed_clash(book: Gradebook, other: Gradebook) -> None:
    set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Mo")
    set_points(other, "hw", "Q1.1", "what", Fraction(2), by="Kim")

    (clash,) = import_marks(book, export_marks(other)).conflicts

    assert (clash.item, clash.criterion) == ("Q1.1", "what")
    assert criterion_edits(book, "hw")["Q1.1"][-1].points == 1


def test_answers_come_along_and_a_wrong_one_does_not(book: Gradebook, other: Gradebook) -> None:
    add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    whole = json.loads(export_marks(book))
    (digest,) = whole["answers"]
    whole["answers"]["0" * 64] = whole["answers"][digest]
    whole["answers"]["1" * 64] = {"text": 3}

    import_marks(other, json.dumps(whole))

    known = ledger.load_marked_answer(other, digest)
    assert known is not None
    assert known.text == "It skips."
    assert ledger.load_marked_answer(other, "0" * 64) is None
    assert ledger.load_marked_answer(other, "1" * 64) is None


def test_marks_of_what_is_not_there_come_in_as_orphans(book: Gradebook, other: Gradebook) -> None:
    keep(book, graded("ben"))
    add_mark(book, given(book, name="ben", points=Fraction(1)), expected_current=None)

    import_marks(other, export_marks(book))

    (orphan,) = ledger.orphaned_marks(other)
    assert orphan.submission == "ben"
    assert orphan.points == 1


def change(at: str, value: object) -> str:
    """An export of one mark, with one thing changed in it."""
    mark: dict[str, Any] = {
        "id": "a" * 32, "submission": "ada", "item": "Q1.1", "replaced": None, "takes_back": None,
        "restores": None, "answer": "x", "criteria": [], "adjustment": "0", "points": "2",
        "came_to": "2", "comment": "", "reason": "", "marker": "Mo", "made_at": "2031-04-09",
    }  # fmt: skip
    whole: dict[str, Any] = {"kind": "marks", "schema": 1, "marks": [mark]}
    (mark if at in mark else whole)[at] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        change("schema", 2),
        change("kind", "grades"),
        change("points", 2),
        change("points", "1/0"),
        change("points", "NaN"),
        change("adjustment", "1e9"),
        change("came_to", "9" * 100),
        change("criteria", [{"id": "what"}]),
        change("marker", ""),
        change("comment", "\0"),
        change("comment", "\ud800"),
        change("id", "../x"),
        change("replaced", "b" * 32),
        change("takes_back", "b" * 32),
        change("restores", "a" * 32),
    ],
)
def test_what_is_no_export_is_refused_and_nothing_of_it_is_taken(
    book: Gradebook, text: str
) -> None:
    with pytest.raises(UsageError, match="export of marks"):
        import_marks(book, text)

    assert ledger.current_marks(book) == {}


def test_what_a_newer_version_may_add_is_ignored(book: Gradebook) -> None:
    assert import_marks(book, change("mood", "good")).added == 1
