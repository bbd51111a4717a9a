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
