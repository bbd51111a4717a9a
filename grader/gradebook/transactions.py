"""What transactions need with any database: a mark that they write, and readable errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError

from grader.errors import UsageError

WRITES = "grader_writes"
"""The execution option of connections that will write, so that they take the lock first."""
INSUFFICIENT_PRIVILEGE = "42501"
"""PostgreSQL's code where the user may not do this."""


@contextmanager
def translate_errors(location: str, *, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Turn errors of the database into sentences for the person who can act on them.

    An error in our SQL passes unchanged.

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
        sentence = f"{location}: the gradebook can't be used ({message}){_file_size_hint()}"
        # A traceback would show the cause, which may contain secrets.
        raise UsageError(sentence) from (None if secrets or refused else error)


def _file_size_hint() -> str:
    """Return what else may be the cause, where files may not be of any size; else ''."""
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return ""
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY:
        return ""
    return f"; a file may have {limit // 1000:,} kB at most here (`ulimit -f`)"
