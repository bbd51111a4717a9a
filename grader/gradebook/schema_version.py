"""The version of a store's schema: older stores go forward step by step, unknown ones are refused.

To change the tables, change `tables.py` and add a step to `MIGRATIONS` that brings a store of the
version before to what the tables are now. A step is never changed once it was released. Version 1
is what the first release wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, insert, select, text, update

from grader.errors import UsageError
from grader.gradebook.tables import SCHEMA, lms_sources, meta, pushes

Migration = Callable[[Connection], None]
"""Takes a store from one version to the next."""


def remember_pushes(connection: Connection) -> None:
    """Add the tables of what was sent to learning management systems."""
    for table in (lms_sources, pushes):
        table.create(connection, checkfirst=True)


MIGRATIONS: tuple[Migration, ...] = (remember_pushes,)
"""The first goes from version 1 to 2; a new store needs none of them."""


def newest_version(migrations: tuple[Migration, ...]) -> int:
    """Return the version that a program with these steps writes."""
    return 1 + len(migrations)


def create_tables(connection: Connection, *, migrations: tuple[Migration, ...]) -> None:
    """Create the tables of the newest version."""
    SCHEMA.create_all(connection)
    connection.execute(insert(meta).values(name="schema", value="0"))
    _write_version(connection, newest_version(migrations))


def migrate(
    writing: Callable[[], AbstractContextManager[Connection]],
    *,
    reading: Callable[[], AbstractContextManager[Connection]],
    migrations: tuple[Migration, ...],
    location: str,
) -> None:
    """Bring a store to the newest version, in one transaction.

    Raises:
        UsageError: its version is unknown.
    """
    with reading() as connection:
        stored_version = read_version(connection)
    refuse_unknown(stored_version, migrations=migrations, location=location)
    if stored_version == newest_version(migrations):
        return
    with writing() as connection:
        # Read again: another process may have migrated it while this one waited for the lock.
        for migration in migrations[read_version(connection) - 1 :]:
            migration(connection)
        _write_version(connection, newest_version(migrations))


def read_version(connection: Connection) -> int:
    """Return the version that is recorded in a store; 0 without a valid record."""
    statement = select(meta.c.value).where(meta.c.name == "schema")
    value = connection.execute(statement).scalar_one_or_none() or ""
    return int(value) if value.isdecimal() else 0


def refuse_unknown(
    stored_version: int, *, migrations: tuple[Migration, ...], location: str
) -> None:
    """Refuse a store that no step leads from.

    Raises:
        UsageError: it is newer than this grader, or older than the first release.
    """
    known_version = newest_version(migrations)
    if stored_version < 1:
        raise UsageError(
            f"{location}: has no version of the gradebook that this grader knows (1 to "
            f"{known_version}); nothing in it was changed"
        )
    if stored_version > known_version:
        raise UsageError(
            f"{location}: written by a newer grader (version {stored_version} of the gradebook, "
            f"this grader knows {known_version}); nothing in it was changed"
        )


def _write_version(connection: Connection, number: int) -> None:
    """Record the version in a table, and for SQLite in the header that its tools show."""
    connection.execute(update(meta).where(meta.c.name == "schema").values(value=str(number)))
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version = {number:d}"))
