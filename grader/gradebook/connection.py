"""Opening a book by its address: a file, or a database on a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.gradebook import postgres, schema_version, sqlite
from grader.gradebook.database_errors import told
from grader.gradebook.store import Gradebook


@contextmanager
def opened(
    address: Path | str, *, steps: tuple[schema_version.Step, ...] = schema_version.STEPS
) -> Iterator[Gradebook]:
    """Open the book at an address, making or migrating it as need be.

    Open it in each process that needs it: a book does not outlive a fork. Threads may share it.

    Args:
        address: the path of an SQLite file, or postgresql://HOST/DATABASE.
        steps: the migrations this grader knows; tests bring their own.

    Raises:
        UsageError: it is no gradebook, is of a newer grader, or can't be opened or written.
    """
    hidden: tuple[str, ...] = ()
    if "://" in str(address):
        place, hidden = postgres.place_of(str(address)), postgres.secrets_of(str(address))
        engine = postgres.engine_for(str(address), steps=steps)
    else:
        place = str(address)
        with told(place):
            engine = sqlite.engine_for(Path(address), steps=steps)
    try:
        book = Gradebook(engine, place=place, hidden=hidden)
        schema_version.advance(book.writing, reading=book.reading, steps=steps, place=place)
        yield book
    finally:
        engine.dispose()
