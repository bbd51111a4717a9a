"""Revisions of the ledger tell which pages show what there is now, and which do not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from edited_criteria import set_points
from test_ledger import given, graded, keep

from grader.gradebook import Gradebook, open_gradebook
from grader.gradebook.ledger import add_mark, take_back_mark

FOUR = Fraction(4)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(tmp_path / "book.db") as made:
        for name in ("ada", "ben"):
            keep(made, graded(name))
        yield made


def mark(book: Gradebook, name: str = "ada", item: str = "Q1.1") -> int:
    return add_mark(book, given(book, item, name=name, points=FOUR), expected_current=None).number


def weigh(book: Gradebook, points: Fraction = FOUR) -> None:
    set_points(book, "hw", "Q1.1", "what", points, by="Mo")


def test_whatever_is_added_to_the_ledger_gives_it_another_revision(book: Gradebook) -> None:
    seen = [book.ledger_revision()]
    number = mark(book)
    seen.append(book.ledger_revision())
    take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=number)
    seen.append(book.ledger_revision())
    weigh(book)
    seen.append(book.ledger_revision())
    weigh(book, Fraction(1))
    seen.append(book.ledger_revision())

    assert len(set(seen)) == 5
    assert book.ledger_revision() == seen[-1]


def test_a_mark_gives_its_submission_and_its_item_another_revision_and_no_others(
    book: Gradebook,
) -> None:
    assert (book.mark_revisions(), book.item_revisions()) == ({}, {})
    assert book.apply_stored_marks(graded()).mark_revision == ""

    mark(book)
    ada, first = book.mark_revisions(), book.item_revisions()
    mark(book, "ben", "Q1.2")
    both, second = book.mark_revisions(), book.item_revisions()

    assert list(ada) == ["ada"]
    assert list(first) == ["Q1.1"]
    assert {name: both[name] == ada.get(name) for name in both} == {"ada": True, "ben": False}
    assert {item: second[item] == first.get(item) for item in second} == {
        "Q1.1": True,
        "Q1.2": False,
    }
    assert book.apply_stored_marks(graded()).mark_revision == both["ada"]


def test_a_weight_gives_all_that_is_marked_another_revision(book: Gradebook) -> None:
    mark(book)
    before, items = book.mark_revisions(), book.item_revisions()

    weigh(book)

    assert book.mark_revisions().keys() == before.keys()
    assert book.mark_revisions()["ada"] != before["ada"]
    assert book.item_revisions()["Q1.1"] != items["Q1.1"]
    assert book.apply_stored_marks(graded()).mark_revision == book.mark_revisions()["ada"]
    assert book.apply_stored_marks(graded("ben")).mark_revision == ""


def rendered(book: Gradebook, name: str = "ada", *, token: str = "us") -> bool:  # noqa: S107 (it stands for pages)
    """Render the pages of a submission with the marks there are."""
    book.start_rendering(name, token=token)
    revision = book.mark_revisions().get(name, "")
    return book.finish_rendering(name, token=token, mark_revision=revision)


def test_pages_are_current_from_when_they_are_rendered_until_the_next_mark(
    book: Gradebook,
) -> None:
    assert book.stale_submissions() == ()
    mark(book)
    assert book.stale_submissions() == ("ada",)
    assert rendered(book)
    assert book.stale_submissions() == ()
    mark(book, "ben")
    assert book.stale_submissions() == ("ben",)
    weigh(book)
    assert book.stale_submissions() == ("ada", "ben")


def test_pages_that_are_being_rendered_are_not_current_yet(book: Gradebook) -> None:
    assert rendered(book)

    book.start_rendering("ada", token="us")  # noqa: S106 (as above)

    assert book.stale_submissions() == ("ada",)
    assert book.finish_rendering("ada", token="us", mark_revision="")  # noqa: S106 (as above)
    assert book.stale_submissions() == ()


def test_pages_that_two_rendered_at_once_are_stale_until_one_does_again(book: Gradebook) -> None:
    number = mark(book)
    seen = book.mark_revisions()["ada"]
    book.start_rendering("ada", token="us")  # noqa: S106 (as above)
    book.start_rendering("ada", token="they")  # noqa: S106 (as above)

    assert not book.finish_rendering("ada", token="us", mark_revision=seen)  # noqa: S106 (as above)
    assert book.stale_submissions() == ("ada",)
    assert not book.finish_rendering("ada", token="they", mark_revision=seen)  # noqa: S106 (as above)
    assert book.stale_submissions() == ("ada",)
    assert rendered(book)
    assert book.stale_submissions() == ()
    assert number


def test_rendering_what_was_current_keeps_it_current(book: Gradebook) -> None:
    mark(book)
    revision = book.mark_revisions()["ada"]
    assert rendered(book)

    assert book.finish_rendering("ada", token=revision, mark_revision=revision)

    assert book.stale_submissions() == ()


def test_pages_of_one_say_nothing_of_the_pages_of_another(book: Gradebook) -> None:
    for name in ("ada", "ben"):
        mark(book, name)

    assert rendered(book, "ben")

    assert book.stale_submissions() == ("ada",)


def test_pages_of_what_was_never_marked_are_current_from_the_beginning(book: Gradebook) -> None:
    assert book.finish_rendering("ada", token="", mark_revision="")
    assert book.stale_submissions() == ()


def test_one_who_rendered_what_was_current_does_not_hide_another(book: Gradebook) -> None:
    mark(book)
    revision = book.mark_revisions()["ada"]
    assert rendered(book)
    book.start_rendering("ada", token="they")  # noqa: S106 (as above)

    assert not book.finish_rendering("ada", token=revision, mark_revision=revision)
    assert not book.finish_rendering("ada", token="they", mark_revision=revision)  # noqa: S106 (as above)

    assert book.stale_submissions() == ("ada",)
