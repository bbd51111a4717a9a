"""Copies a whole gradebook as it is at one moment, while other processes write to it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook.connection import missing_gradebook, open_gradebook
from grader.gradebook.sqlite import link_into_place


def back_up_gradebook(source: Path, *, to: Path) -> int:
    """Copy a gradebook to another file, check the copy, and return its size in bytes.

    Raises:
        UsageError: there is no gradebook, something is there already, or it can't be written.
    """
    if not source.is_file():
        raise missing_gradebook(source)
    with open_gradebook(source):
        pass  # opening refuses other files and unknown versions
    try:
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary_name = tempfile.mkstemp(dir=to.parent, prefix=".part-")
        os.close(handle)
        temporary = Path(temporary_name)
        try:
            _copy_database(source, temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            link_into_place(temporary, to)
        finally:
            temporary.unlink(missing_ok=True)
        return to.stat().st_size
    except FileExistsError as error:
        raise UsageError(f"{to}: is there already; name another file by --to") from error
    except (OSError, sqlite3.Error) as error:
        raise UsageError(f"{to}: can't be written ({error})") from error


def _copy_database(source: Path, to: Path) -> None:
    with closing(sqlite3.connect(source)) as book, closing(sqlite3.connect(to)) as copy:
        book.backup(copy)
        check_rows = copy.execute("PRAGMA quick_check").fetchall()
    if check_rows != [("ok",)]:
        raise UsageError(f"{source}: is damaged ({check_rows[0][0]}); the copy was thrown away")
