"""Marks as JSON: out and in again, once, and nothing is overwritten on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from test_ledger import given, graded, keep, one

from grader.errors import UsageError
from grader.gradebook import Gradebook, ledger, opened
from grader.gradebook.ledger import give, history, take_back
from grader.gradebook.marks_exchange import exported, imported


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with opened(tmp_path / "here.db") as made:
        keep(made)
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Gradebook]:
    with opened(tmp_path / "there.db") as made:
        keep(made)
        yield made


def busy(book: Gradebook) -> None:
    """A ledger with all there can be in it."""
    first = give(book, given(book, criteria=("what",), comment="ü '\"\n"), over=None)
    second = give(book, given(book, points=Fraction(7, 3), by="Kim"), over=first.number)
    take_back(book, "ada", "Q1.1", by="Kim", over=second.number)
    give(book, given(book, "V5", points=Fraction(4), reason="Followed through."), over=None)
    give(book, given(book, "Q1.2", adjustment=Fraction(-1, 2)), over=None)
    ledger.weigh(book, "hw", "Q1.1", "what", Fraction(1), by="Kim")


def told(book: Gradebook) -> list[Any]:
    """All entries, without their numbers, which are each store's own."""
    whole = json.loads(exported(book))
    return [whole["marks"], whole["weights"], whole["answers"]]


def test_all_marks_go_out_and_come_in_elsewhere(book: Gradebook, other: Gradebook) -> None:
    busy(book)

    taken = imported(other, exported(book))

    assert (taken.added, taken.known, taken.clashes) == (6, 0, ())
    assert told(other) == told(book)
    assert [one(other, item).earned for item in ("Q1.1", "V5", "Q1.2")] == [1, 4, 0]
    assert [e.takes_back is not None for e in history(other, "ada", "Q1.1")] == [False, False, True]


def test_coming_in_twice_changes_nothing(book: Gradebook, other: Gradebook) -> None:
    busy(book)
    imported(other, exported(book))
    before = told(other)

    again = imported(other, exported(book))
    own = imported(book, exported(book))

    assert (again.added, again.known, again.clashes) == (0, 6, ())
    assert (own.added, own.known, own.clashes) == (0, 6, ())
    assert told(other) == before


def test_an_older_export_takes_nothing_back(book: Gradebook) -> None:
    first = give(book, given(book, points=Fraction(1)), over=None)
    older = exported(book)
    give(book, given(book, points=Fraction(2)), over=first.number)

    taken = imported(book, older)

    assert (taken.added, taken.known) == (0, 1)
    assert one(book).earned == 2


def test_what_went_on_elsewhere_is_added(book: Gradebook, other: Gradebook) -> None:
    first = give(book, given(book, points=Fraction(1)), over=None)
    imported(other, exported(book))
    theirs = ledger.current(other)["ada", "Q1.1"].mark
    second = give(other, given(other, points=Fraction(2)), over=theirs.number)
    take_back(other, "ada", "Q1.1", by="Kim", over=second.number)

    taken = imported(book, exported(other))

    assert (taken.added, taken.clashes) == (2, ())
    assert one(book).earned == 1
    assert one(book).mark == first


def test_marks_that_both_gave_clash_and_nothing_is_overwritten(
    book: Gradebook, other: Gradebook
) -> None:
    give(book, given(book, points=Fraction(1)), over=None)
    give(other, given(other, points=Fraction(2), by="Kim"), over=None)
    give(other, given(other, "Q1.2", points=Fraction(3)), over=None)
    before = told(book)[0]

    taken = imported(book, exported(other))

    (clash,) = taken.clashes
    assert clash.ours is not None
    assert clash.theirs is not None
    assert (clash.submission, clash.item) == ("ada", "Q1.1")
    assert clash.ours.mark.points == 1
    assert clash.theirs.mark.points == 2
    assert one(book).earned == 1
    assert one(book, "Q1.2").earned == 3
    assert [entry for entry in told(book)[0] if entry["item"] == "Q1.1"] == before


def test_the_same_decision_of_two_is_no_clash(book: Gradebook, other: Gradebook) -> None:
    give(book, given(book, points=Fraction(1)), over=None)
    give(other, given(other, points=Fraction(1), by="Kim"), over=None)

    taken = imported(book, exported(other))

    assert (taken.added, taken.clashes) == (0, ())


def test_one_who_took_back_and_one_who_gave_clash(book: Gradebook, other: Gradebook) -> None:
    first = give(book, given(book, points=Fraction(1)), over=None)
    imported(other, exported(book))
    theirs = ledger.current(other)["ada", "Q1.1"].mark
    take_back(book, "ada", "Q1.1", by="Mo", over=first.number)
    give(other, given(other, points=Fraction(2)), over=theirs.number)

    (clash,) = imported(book, exported(other)).clashes

    assert clash.ours is None
    assert clash.theirs is not None
    assert clash.theirs.mark.points == 2
    assert one(book).earned is None


def test_weights_that_both_changed_clash(book: Gradebook, other: Gradebook) -> None:
    ledger.weigh(book, "hw", "Q1.1", "what", Fraction(1), by="Mo")
    ledger.weigh(other, "hw", "Q1.1", "what", Fraction(2), by="Kim")

    (clash,) = imported(book, exported(other)).clashes

    assert (clash.item, clash.criterion) == ("Q1.1", "what")
    assert ledger.weights(book, "hw")["Q1.1", "what"].points == 1


def test_answers_come_along_and_a_wrong_one_does_not(book: Gradebook, other: Gradebook) -> None:
    give(book, given(book, points=Fraction(1)), over=None)
    whole = json.loads(exported(book))
    (digest,) = whole["answers"]
    whole["answers"]["0" * 64] = whole["answers"][digest]
    whole["answers"]["1" * 64] = {"text": 3}

    imported(other, json.dumps(whole))

    known = ledger.marked_answer(other, digest)
    assert known is not None
    assert known.text == "It skips."
    assert ledger.marked_answer(other, "0" * 64) is None
    assert ledger.marked_answer(other, "1" * 64) is None


def test_marks_of_what_is_not_there_come_in_as_orphans(book: Gradebook, other: Gradebook) -> None:
    keep(book, graded("ben"))
    give(book, given(book, name="ben", points=Fraction(1)), over=None)

    imported(other, exported(book))

    (orphan,) = ledger.orphans(other)
    assert orphan.submission == "ben"
    assert orphan.mark.points == 1


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
    ],
)
def test_what_is_no_export_is_refused_and_nothing_of_it_is_taken(
    book: Gradebook, text: str
) -> None:
    with pytest.raises(UsageError, match="export of marks"):
        imported(book, text)

    assert ledger.current(book) == {}


def test_what_a_newer_version_may_add_is_ignored(book: Gradebook) -> None:
    assert imported(book, change("mood", "good")).added == 1
