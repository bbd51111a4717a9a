"""A copy of a whole book as it is at one moment, while others go on writing in it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook.connection import opened


def back_up(place: Path, *, to: Path) -> int:
    """Copy the book in one SQLite file to another file, and read the copy once; its bytes.

    Raises:
        UsageError: there is no book, something is there already, or it can't be written.
    """
    if not place.is_file():
        raise UsageError(f"{place}: no gradebook there; `grade PATH` makes one")
    with opened(place):
        pass  # refuses what is not ours, or is newer than we are
    try:
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=to.parent, prefix=".part-")
        os.close(handle)
        beside = Path(name)
        try:
            _copy(place, beside)
            _place(beside, to)
        finally:
            beside.unlink(missing_ok=True)
        return to.stat().st_size
    except (OSError, sqlite3.Error) as error:
        raise UsageError(f"{to}: can't be written ({error})") from error


def _copy(place: Path, beside: Path) -> None:
    with closing(sqlite3.connect(place)) as book, closing(sqlite3.connect(beside)) as copy:
        book.backup(copy)
        told = copy.execute("PRAGMA quick_check").fetchall()
    if told != [("ok",)]:
        raise UsageError(f"{place}: is damaged ({told[0][0]}); the copy was thrown away")


def _place(beside: Path, to: Path) -> None:
    """Give it its name: never that of something else, and safe when the power goes."""
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    try:
        to.hardlink_to(beside)
    except FileExistsError as error:
        raise UsageError(f"{to}: is there already; name another file by --to") from error
    except OSError:  # a file system without links
        if to.exists():
            raise UsageError(f"{to}: is there already; name another file by --to") from None
        beside.rename(to)
    folder = os.open(to.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
