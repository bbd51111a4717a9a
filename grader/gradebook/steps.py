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


def add_marks(connection: Connection) -> None:
    """From 2 to 3: the ledger of marks; the notes that nothing ever used go."""
    for statement in _MARKS:
        connection.execute(text(statement))


_MARKS = (
    "DROP TABLE notes",
    "ALTER TABLE submissions ADD COLUMN assignment TEXT DEFAULT '' NOT NULL",
    """CREATE TABLE marks (
        number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        submission TEXT NOT NULL,
        item TEXT NOT NULL,
        follows INTEGER NOT NULL,
        replaced INTEGER,
        takes_back INTEGER,
        restores INTEGER,
        answer TEXT NOT NULL,
        criteria TEXT NOT NULL,
        adjustment TEXT NOT NULL,
        points TEXT,
        came_to TEXT NOT NULL,
        comment TEXT NOT NULL,
        reason TEXT NOT NULL,
        marker TEXT NOT NULL,
        made_at TEXT NOT NULL,
        CONSTRAINT marks_in_a_row UNIQUE (submission, item, follows)
    )""",
    """CREATE TABLE weights (
        number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        assignment TEXT NOT NULL,
        item TEXT NOT NULL,
        criterion TEXT NOT NULL,
        points TEXT NOT NULL,
        instead_of TEXT NOT NULL,
        marker TEXT NOT NULL,
        made_at TEXT NOT NULL
    )""",
    "CREATE TABLE marked_answers (digest TEXT NOT NULL PRIMARY KEY, document BLOB NOT NULL)",
    "CREATE TABLE rendered (name TEXT NOT NULL PRIMARY KEY, stamp TEXT NOT NULL)",
)
