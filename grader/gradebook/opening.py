"""Opening a book by its address: a file today, a server where somebody adds one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook import schema, sqlite
from grader.gradebook.book import Gradebook
from grader.gradebook.failing import told


@contextmanager
def opened(
    address: Path | str, *, steps: tuple[schema.Step, ...] = schema.STEPS
) -> Iterator[Gradebook]:
    """Open the book at an address, making or migrating it as need be.

    Open it in each process that needs it: a book does not outlive a fork. Threads may share it.

    Args:
        address: the path of an SQLite file.
        steps: the migrations this grader knows; tests bring their own.

    Raises:
        UsageError: it is no gradebook, is of a newer grader, or can't be opened or written.
    """
    if "://" in str(address):
        raise UsageError(f"{str(address).partition(':')[0]}: only files are stores so far")
    path = Path(address)
    with told(str(path)):
        engine = sqlite.engine_for(path, steps=steps)
    try:
        book = Gradebook(engine, place=str(path))
        schema.advance(book.writing, reading=book.reading, steps=steps, place=str(path))
        yield book
    finally:
        engine.dispose()
