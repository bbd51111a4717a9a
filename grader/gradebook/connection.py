"""Opening a book by its address: a file, or a database on a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.gradebook import postgres, schema_version, sqlite
from grader.gradebook.database_errors import translate_errors
from grader.gradebook.store import Gradebook


@contextmanager
def open_gradebook(
    address: Path | str,
    *,
    migrations: tuple[schema_version.Migration, ...] = schema_version.MIGRATIONS,
) -> Iterator[Gradebook]:
    """Open the book at an address, making or migrating it as need be.

    Open it in each process that needs it: a book does not outlive a fork. Threads may share it.

    Args:
        address: the path of an SQLite file, or postgresql://HOST/DATABASE.
        migrations: the migrations this grader knows; tests bring their own.

    Raises:
        UsageError: it is no gradebook, is of a newer grader, or can't be opened or written.
    """
    secrets: tuple[str, ...] = ()
    if "://" in str(address):
        location, secrets = (
            postgres.display_address(str(address)),
            postgres.extract_secrets(str(address)),
        )
        engine = postgres.open_engine(str(address), migrations=migrations)
    else:
        location = str(address)
        with translate_errors(location):
            engine = sqlite.open_engine(Path(address), migrations=migrations)
    try:
        book = Gradebook(engine, location=location, secrets=secrets)
        schema_version.migrate(
            book.writing, reading=book.reading, migrations=migrations, location=location
        )
        yield book
    finally:
        engine.dispose()
