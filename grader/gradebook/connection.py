"""Opens a gradebook by its address: a file, or a database on a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook import postgres, schema_version, sqlite
from grader.gradebook.store import Gradebook
from grader.gradebook.transactions import translate_errors


@contextmanager
def open_gradebook(
    address: Path | str,
    *,
    migrations: tuple[schema_version.Migration, ...] = schema_version.MIGRATIONS,
) -> Iterator[Gradebook]:
    """Open the gradebook at an address; create or migrate it where needed.

    Open it in each process that needs it: a gradebook does not outlive a fork. Threads may share
    it.

    Args:
        address: the path of an SQLite file, or postgresql://HOST/DATABASE.
        migrations: the steps between versions that are known; tests bring their own.

    Raises:
        UsageError: it is no gradebook, is of an unknown version, or can't be opened or written.
    """
    location = str(address)
    secrets: tuple[str, ...] = ()
    if "://" in location:
        location, secrets = postgres.display_address(location), postgres.extract_secrets(location)
        engine = postgres.open_engine(str(address), migrations=migrations)
    else:
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


def missing_gradebook(path: Path) -> UsageError:
    """Return the error for a path without a gradebook, to be raised."""
    return UsageError(f"{path}: no gradebook there; `grade PATH` makes one")
