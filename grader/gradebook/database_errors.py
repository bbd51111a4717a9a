"""What databases raise, as a sentence for the person who can act on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError

from grader.errors import UsageError

NO_RIGHT = "42501"
"""PostgreSQL's word for it that the user may not do this."""


@contextmanager
def told(place: str, *, hidden: tuple[str, ...] = ()) -> Iterator[None]:
    """Say which store failed, and how; a wrong statement stays our own mistake.

    Args:
        place: what the store is called.
        hidden: words that no message may hold: a password.

    Raises:
        UsageError: the disk is full, the file is damaged, another holds it for too long; the server
            is away, or doesn't let this user in.
    """
    try:
        yield
    except IntegrityError:
        raise
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != NO_RIGHT:
            raise
        raise _sentence(place, error, hidden=hidden) from None
    except DatabaseError as error:
        raise _sentence(place, error, hidden=hidden) from (None if hidden else error)


def _sentence(place: str, error: DatabaseError, *, hidden: tuple[str, ...]) -> UsageError:
    said = " ".join(str(error.orig).split())
    for word in hidden:
        said = said.replace(word, "…")
    return UsageError(f"{place}: the gradebook can't be used ({said})")
