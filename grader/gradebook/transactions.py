"""What transactions need whatever the database: a sign that they write, and errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError

from grader.errors import UsageError

WRITES = "grader_writes"
"""The execution option of connections that will write: they wait for their turn first."""
INSUFFICIENT_PRIVILEGE = "42501"
"""PostgreSQL's code where the user may not do this."""


@contextmanager
def translate_errors(location: str, *, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Raise what a database raises as a sentence for the person who can act on it.

    A wrong statement is a fault of ours and passes unchanged.

    Args:
        location: the name of the store in messages.
        secrets: words that no message may hold: a password.

    Raises:
        UsageError: the disk is full, the file is damaged or locked for too long; the server is
            away, or refuses this user.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DatabaseError as error:
        refused = getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE
        if isinstance(error, ProgrammingError) and not refused:
            raise
        message = " ".join(str(error.orig).split())
        for secret in secrets:
            message = message.replace(secret, "…")
        sentence = f"{location}: the gradebook can't be used ({message})"
        # A traceback would show the cause, in which secrets may stand.
        raise UsageError(sentence) from (None if secrets or refused else error)
