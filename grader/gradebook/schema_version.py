"""The version of a store's schema: older stores go forward step by step, unknown ones are refused.

To change the tables, change `tables.py` and add a step to `MIGRATIONS` that brings a store of the
version before to what the tables are now. A step is never changed once it was released. Version 1
is what the first release wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count

from sqlalchemy import Connection, insert, inspect, select, text, update

from grader.errors import UsageError
from grader.gradebook.tables import SCHEMA, lms_sources, meta, pushes

Migration = Callable[[Connection], None]
"""Takes a store from one version to the next."""


def _edit_whole_criteria(connection: Connection) -> None:
    """From 1 to 2: what criteria are worth becomes a part of what graders change in them."""
    connection.execute(text(_CRITERION_EDITS.format(number=_NUMBER[connection.dialect.name])))
    last: dict[tuple[str, str], int] = {}
    rows = connection.execute(text("SELECT * FROM weights ORDER BY number")).mappings().all()
    for number, row in zip(count(1), rows, strict=False):
        key = (row["assignment"], row["item"])
        values = {**row, "follows": last.get(key, 0)}
        connection.execute(text(_WEIGHT_AS_EDIT), values)
        last[key] = number
    connection.execute(text("DROP TABLE weights"))


_NUMBER = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "SERIAL PRIMARY KEY",
}
_CRITERION_EDITS = """
CREATE TABLE criterion_edits (
    assignment TEXT NOT NULL, item TEXT NOT NULL, criterion TEXT NOT NULL, retired TEXT NOT NULL,
    file_retired TEXT NOT NULL, "by" TEXT NOT NULL, at TEXT NOT NULL, number {number},
    id TEXT NOT NULL UNIQUE, follows INTEGER NOT NULL, text TEXT, points TEXT NOT NULL,
    sequence TEXT NOT NULL, file_text TEXT, file_points TEXT, file_sequence TEXT NOT NULL,
    CONSTRAINT criterion_edits_in_a_row UNIQUE (assignment, item, follows)
)"""
_WEIGHT_AS_EDIT = """
INSERT INTO criterion_edits (assignment, item, criterion, retired, file_retired, "by", at, id,
    follows, points, sequence, file_points, file_sequence)
VALUES (:assignment, :item, :criterion, '', '', :by, :at, :id, :follows, :points, '[]',
    :instead_of, '[]')"""


def _note_flags(connection: Connection) -> None:
    """From 2 to 3: flags say why; those there were say nothing."""
    # A store that was made between two releases may have it already.
    if not any(column["name"] == "note" for column in inspect(connection).get_columns("flags")):
        connection.execute(text("ALTER TABLE flags ADD COLUMN note TEXT NOT NULL DEFAULT ''"))


def remember_pushes(connection: Connection) -> None:
    """From 3 to 4: add the tables of what was sent to learning management systems."""
    for table in (lms_sources, pushes):
        table.create(connection, checkfirst=True)


MIGRATIONS: tuple[Migration, ...] = (_edit_whole_criteria, _note_flags, remember_pushes)
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
