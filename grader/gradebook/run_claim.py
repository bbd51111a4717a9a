"""One run at a time on one store: the second would replace the first one's roll.

A claim is a lock that the operating system, or the server, lets go when its holder dies.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from grader.errors import UsageError
from grader.gradebook.store import Gradebook

CLAIM_ID = 0x67726472
"""The advisory lock of runs on a server; 'grdr'."""
CLAIM_FILE = ".run"
"""Beside a gradebook's file; locked while a run is at work."""
MAX_HOLDER = 200
"""Letters that are read of who holds a claim."""
NAME_BYTES = 63
"""Longest name of a client that PostgreSQL keeps."""


@contextmanager
def claim_run(book: Gradebook) -> Iterator[None]:
    """Hold the claim on a store while a run is at work.

    Raises:
        UsageError: another run holds it.
    """
    with ExitStack() as held:
        engine = book.engine
        if engine.dialect.name == "sqlite":
            held.enter_context(_claim_file(Path(str(engine.url.database)).parent / CLAIM_FILE))
        else:
            # Without a pool, which would keep the connection, lock and all, for the next.
            alone = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
            connection = held.enter_context(alone.connect())
            _claim_on_server(connection)
            held.callback(_release_on_server, connection)
        yield


def _describe_holder() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        user = f"user {os.getuid()}"
    since = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")
    return f"{user} on {socket.gethostname()} since {since}"


def _refusal(holder: str) -> UsageError:
    who = f" ({holder})" if holder else ""
    return UsageError(
        f"another run is at work here{who}; wait until it ends, or grade into another folder"
    )


@contextmanager
def _claim_file(path: Path) -> Iterator[None]:
    try:
        import fcntl  # noqa: PLC0415 (Windows has none)
    except ImportError:
        yield
        return
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _refusal(file.read(MAX_HOLDER).strip()) from None
            except OSError:  # a file system without locks
                yield
                return
            if not _is_still(path, file.fileno()):
                continue  # whoever held it has just removed it
            file.truncate()
            file.write(_describe_holder())
            file.flush()
            try:
                yield
            finally:
                path.unlink(missing_ok=True)  # while it is locked
            return


def _is_still(path: Path, descriptor: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _release_on_server(connection: Connection) -> None:
    """Let go at once: a server may end a closed connection a moment later."""
    with suppress(SQLAlchemyError):  # it is gone, and the lock with it
        unlock = f"SELECT pg_advisory_unlock({CLAIM_ID}, hashtext(current_schema()))"
        connection.execute(text(unlock))


def _claim_on_server(connection: Connection) -> None:
    """Take the lock for as long as the connection is open; its name tells who has it."""
    holder = f"grade: {_describe_holder()}".encode()[:NAME_BYTES].decode(errors="ignore")
    connection.execute(
        text("SELECT set_config('application_name', :holder, false)"), {"holder": holder}
    )
    lock = f"SELECT pg_try_advisory_lock({CLAIM_ID}, hashtext(current_schema()))"
    if connection.execute(text(lock)).scalar_one():
        return
    holders = connection.execute(
        text(
            "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND classid = :claim"
            " AND objid::bigint = hashtext(current_schema())::bigint & 4294967295"
            " AND datname = current_database()"
        ),
        {"claim": CLAIM_ID},
    )
    raise _refusal(str(holders.scalars().first() or "").removeprefix("grade: "))
