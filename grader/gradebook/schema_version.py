"""The version of a store's schema: newer ones are refused, older ones go forward step by step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, insert, select, text, update

from grader.errors import UsageError
from grader.gradebook import console_tables  # noqa: F401 (its tables are part of the schema)
from grader.gradebook.migrations import (
    add_console,
    add_location_overrides,
    add_marks,
    add_people,
    add_seeds,
)
from grader.gradebook.tables import SCHEMA, meta

Migration = Callable[[Connection], None]
"""Takes a store from one version to the next."""
MIGRATIONS: tuple[Migration, ...] = (
    add_seeds,
    add_marks,
    add_console,
    add_people,
    add_location_overrides,
)
"""The first goes from version 1 to 2; a store that is made new needs none of them."""


def newest_version(migrations: tuple[Migration, ...]) -> int:
    """The version a program with these steps writes."""
    return 1 + len(migrations)


def create_tables(connection: Connection, *, migrations: tuple[Migration, ...]) -> None:
    """Make the tables of the newest version."""
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
    """Bring a store to the newest version, all steps in one transaction.

    Raises:
        UsageError: it is newer than we are.
    """
    with reading() as connection:
        stored_version = read_version(connection)
    refuse_newer(stored_version, migrations=migrations, location=location)
    if stored_version == newest_version(migrations):
        return
    with writing() as connection:
        # Read again: another process may have done it while we waited for our turn.
        for migration in migrations[read_version(connection) - 1 :]:
            migration(connection)
        _write_version(connection, newest_version(migrations))


def read_version(connection: Connection) -> int:
    """The version a store says it has."""
    return int(connection.execute(select(meta.c.value).where(meta.c.name == "schema")).scalar_one())


def refuse_newer(stored_version: int, *, migrations: tuple[Migration, ...], location: str) -> None:
    """Say so if a store is newer than we are.

    Raises:
        UsageError: it is.
    """
    known_version = newest_version(migrations)
    if stored_version > known_version:
        raise UsageError(
            f"{location}: written by a newer grader (version {stored_version} of the gradebook, this grader "
            f"knows {known_version}); nothing in it was changed"
        )


def _write_version(connection: Connection, number: int) -> None:
    """In a table for every database, and in the header that SQLite's own tools show."""
    connection.execute(update(meta).where(meta.c.name == "schema").values(value=str(number)))
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version = {number:d}"))
