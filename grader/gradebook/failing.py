"""What databases raise, as a sentence for the person who can act on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError

from grader.errors import UsageError


@contextmanager
def told(place: str) -> Iterator[None]:
    """Say which store failed, and how; a wrong statement stays our own mistake.

    Raises:
        UsageError: the disk is full, the file is damaged, another holds it for too long.
    """
    try:
        yield
    except (IntegrityError, ProgrammingError):
        raise
    except DatabaseError as error:
        raise UsageError(f"{place}: the gradebook can't be used ({error.orig})") from error
