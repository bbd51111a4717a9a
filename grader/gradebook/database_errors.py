"""What databases raise, as a sentence for the person who can act on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError

from grader.errors import UsageError

INSUFFICIENT_PRIVILEGE = "42501"
"""PostgreSQL's word for it that the user may not do this."""


@contextmanager
def translate_errors(location: str, *, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Say which store failed, and how; a wrong statement stays our own mistake.

    Args:
        location: what the store is called.
        secrets: words that no message may hold: a password.

    Raises:
        UsageError: the disk is full, the file is damaged, another holds it for too long; the server
            is away, or doesn't let this user in.
    """
    try:
        yield
    except IntegrityError:
        raise
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise _usage_error(location, error, secrets=secrets) from None
    except DatabaseError as error:
        raise _usage_error(location, error, secrets=secrets) from (None if secrets else error)


def _usage_error(location: str, error: DatabaseError, *, secrets: tuple[str, ...]) -> UsageError:
    message = " ".join(str(error.orig).split())
    for secret in secrets:
        message = message.replace(secret, "…")
    return UsageError(f"{location}: the gradebook can't be used ({message})")
