"""The version of a store's schema: newer ones are refused, older ones go forward step by step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, insert, select, text, update

from grader.errors import UsageError
from grader.gradebook import console_tables  # noqa: F401 (its tables are part of the schema)
from grader.gradebook.migrations import add_console, add_marks, add_parts, add_people, add_seeds
from grader.gradebook.tables import SCHEMA, meta

Step = Callable[[Connection], None]
"""Takes a store from one version to the next."""
STEPS: tuple[Step, ...] = (add_seeds, add_marks, add_console, add_people, add_parts)
"""The first goes from version 1 to 2; a store that is made new needs none of them."""


def version_after(steps: tuple[Step, ...]) -> int:
    """The version a program with these steps writes."""
    return 1 + len(steps)


def create(connection: Connection, *, steps: tuple[Step, ...]) -> None:
    """Make the tables of the newest version."""
    SCHEMA.create_all(connection)
    connection.execute(insert(meta).values(name="schema", value="0"))
    _sign(connection, version_after(steps))


def advance(
    writing: Callable[[], AbstractContextManager[Connection]],
    *,
    reading: Callable[[], AbstractContextManager[Connection]],
    steps: tuple[Step, ...],
    place: str,
) -> None:
    """Bring a store to the newest version, all steps in one transaction.

    Raises:
        UsageError: it is newer than we are.
    """
    with reading() as connection:
        found = version(connection)
    refuse_newer(found, steps=steps, place=place)
    if found == version_after(steps):
        return
    with writing() as connection:
        # Read again: another process may have done it while we waited for our turn.
        for step in steps[version(connection) - 1 :]:
            step(connection)
        _sign(connection, version_after(steps))


def version(connection: Connection) -> int:
    """The version a store says it has."""
    return int(connection.execute(select(meta.c.value).where(meta.c.name == "schema")).scalar_one())


def refuse_newer(found: int, *, steps: tuple[Step, ...], place: str) -> None:
    """Say so if a store is newer than we are.

    Raises:
        UsageError: it is.
    """
    ours = version_after(steps)
    if found > ours:
        raise UsageError(
            f"{place}: written by a newer grader (version {found} of the gradebook, this grader "
            f"knows {ours}); nothing in it was changed"
        )


def _sign(connection: Connection, number: int) -> None:
    """In a table for every database, and in the header that SQLite's own tools show."""
    connection.execute(update(meta).where(meta.c.name == "schema").values(value=str(number)))
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version = {number:d}"))
