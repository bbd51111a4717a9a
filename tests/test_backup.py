"""A backup is the whole book at one moment, and never takes the place of another file."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest
from test_ledger import given, graded, keep, one

from grader.errors import UsageError
from grader.gradebook import ledger, open_gradebook
from grader.gradebook.backup import back_up_gradebook


def test_a_backup_holds_all_even_what_stands_in_the_log_and_opens_as_a_book(
    tmp_path: Path,
) -> None:
    place, to = tmp_path / "book.db", tmp_path / "safe" / "copy.db"
    with open_gradebook(place) as book:
        keep(book)
        ledger.add_mark(book, given(book, points=Fraction(4)), expected_current=None)
        assert place.with_name("book.db-wal").stat().st_size

        size = back_up_gradebook(place, to=to)

    assert size == to.stat().st_size
    assert [path.name for path in to.parent.iterdir()] == ["copy.db"]
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    with open_gradebook(to) as copy:
        assert one(copy).earned == 4


def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    place = tmp_path / "book.db"
    with open_gradebook(place) as book, ThreadPoolExecutor(1) as pool:
        for name in ("ada", "ben"):
            keep(book, graded(name))

        def mark() -> None:
            over: dict[str, int | None] = {"ada": None, "ben": None}
            for number in range(40):
                for name in ("ada", "ben"):  # ada is never behind
                    points = Fraction(number % 6)
                    mark = ledger.add_mark(
                        book, given(book, name=name, points=points), expected_current=over[name]
                    )
                    over[name] = mark.number

        writing = pool.submit(mark)
        for turn in range(5):
            back_up_gradebook(place, to=tmp_path / f"copy{turn}.db")
        writing.result()

    for turn in range(5):
        with open_gradebook(tmp_path / f"copy{turn}.db") as copy:
            ada, ben = (len(ledger.mark_history(copy, name, "Q1.1")) for name in ("ada", "ben"))
        assert ada - ben in {0, 1}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    place, to = tmp_path / "book.db", tmp_path / "thesis.txt"
    to.write_text("dear", encoding="utf-8")
    with open_gradebook(place):
        pass

    with pytest.raises(UsageError, match="there already"):
        back_up_gradebook(place, to=to)

    assert to.read_text(encoding="utf-8") == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.db", "thesis.txt"]


def test_where_no_book_is_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no gradebook"):
        back_up_gradebook(tmp_path / "book.db", to=tmp_path / "copy.db")

    assert list(tmp_path.iterdir()) == []


def test_what_is_no_book_is_not_copied(tmp_path: Path) -> None:
    place = tmp_path / "book.db"
    place.write_text("cookies", encoding="utf-8")

    with pytest.raises(UsageError, match="gradebook"):
        back_up_gradebook(place, to=tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()
