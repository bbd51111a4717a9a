"""What took the gradebook from one version to the next, for books that were made before.

A step is never changed once it was released: it says what the tables were then.
"""

from __future__ import annotations

from sqlalchemy import Connection, text


def add_seeds(connection: Connection) -> None:
    """From 1 to 2: seeds stand in the book; they stood in a file beside it."""
    connection.execute(
        text("CREATE TABLE seeds (assignment TEXT NOT NULL PRIMARY KEY, seed TEXT NOT NULL)")
    )


def add_people(connection: Connection) -> None:
    """The roster, and due dates of their own."""
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS roster "
            "(place INTEGER NOT NULL PRIMARY KEY, member TEXT NOT NULL)"
        )
    )
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS dates (assignment TEXT NOT NULL, kind TEXT NOT NULL, "
            "who TEXT NOT NULL, moment TEXT NOT NULL, PRIMARY KEY (assignment, kind, who))"
        )
    )
