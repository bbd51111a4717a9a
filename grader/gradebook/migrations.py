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


def add_console(connection: Connection) -> None:
    """From 3 to 4: what people who mark need beside the ledger."""
    for statement in _CONSOLE:
        connection.execute(text(statement))


_CONSOLE = (
    """CREATE TABLE leases (
        submission TEXT NOT NULL,
        item TEXT NOT NULL,
        holder TEXT NOT NULL,
        marker TEXT NOT NULL,
        until BIGINT NOT NULL,
        PRIMARY KEY (submission, item)
    )""",
    "CREATE TABLE markers (name TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL)",
    """CREATE TABLE shares (
        marker TEXT NOT NULL,
        item TEXT NOT NULL,
        section TEXT NOT NULL,
        PRIMARY KEY (marker, item, section)
    )""",
    """CREATE TABLE flags (
        submission TEXT NOT NULL,
        item TEXT NOT NULL,
        marker TEXT NOT NULL,
        made_at TEXT NOT NULL,
        PRIMARY KEY (submission, item)
    )""",
    """CREATE TABLE trial_answers (
        item TEXT NOT NULL,
        submission TEXT NOT NULL,
        place INTEGER NOT NULL,
        PRIMARY KEY (item, submission)
    )""",
    """CREATE TABLE trials (
        item TEXT NOT NULL,
        submission TEXT NOT NULL,
        marker TEXT NOT NULL,
        criteria TEXT NOT NULL,
        adjustment TEXT NOT NULL,
        comment TEXT NOT NULL,
        made_at TEXT NOT NULL,
        PRIMARY KEY (item, submission, marker)
    )""",
    """CREATE TABLE regrades (
        request TEXT NOT NULL PRIMARY KEY,
        entry INTEGER NOT NULL,
        marker TEXT NOT NULL,
        made_at TEXT NOT NULL
    )""",
)


def add_people(connection: Connection) -> None:
    """From 4 to 5: the roster, and dates of students."""
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


def add_location_overrides(connection: Connection) -> None:
    """From 5 to 6: the cells that people say items are answered in."""
    connection.execute(
        text(
            "CREATE TABLE parts (assignment TEXT NOT NULL, submission TEXT NOT NULL, "
            "item TEXT NOT NULL, cells TEXT NOT NULL, "
            "PRIMARY KEY (assignment, submission, item))"
        )
    )
