"""A gradebook in one SQLite file: created whole or not at all, recognized before it is touched."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from grader.errors import UsageError
from grader.gradebook import schema_version
from grader.gradebook.transactions import WRITES

APPLICATION_ID = 0x67726462
"""'grdb', in the header of every gradebook, which distinguishes it from other SQLite files."""
LOCK_TIMEOUT_S = 60
"""How long one writer waits for others; a write takes milliseconds."""
PAGE_BYTES = 16 << 10
"""Bytes; an array of megabytes is read in a quarter of the calls that 4 KiB take."""
LOG_PAGES = (4 << 20) // PAGE_BYTES
"""The log is copied into the file after so many pages: reading from it is slower."""
CONNECT_OPTIONS = {"isolation_level": None, "timeout": LOCK_TIMEOUT_S}
"""Transactions begin explicitly: the driver would begin late, and never for DDL."""


def open_engine(path: Path, *, migrations: tuple[schema_version.Migration, ...]) -> Engine:
    """Return an engine on the gradebook at a path, which is created if nothing is there.

    Raises:
        UsageError: something else is there, or a gradebook of an unknown version.
    """
    if not path.exists():
        _create_file(path, migrations=migrations)
    _refuse_foreign_file(path, migrations=migrations)
    return _build_engine(path)


def _refuse_foreign_file(path: Path, *, migrations: tuple[schema_version.Migration, ...]) -> None:
    """Refuse any other file, without leaving even an empty log beside it."""
    if not path.is_file():
        raise UsageError(f"{path}: is not a file, so it can't be a gradebook")
    # With a log beside it the header may be out of date; without one, reading must not make one.
    logged = path.with_name(path.name + "-wal").exists()
    address = path.absolute().as_uri() + ("?mode=ro" if logged else "?mode=ro&immutable=1")
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT_S)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (stored_version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{path}: can't be read as a gradebook ({error})") from error
    if application != APPLICATION_ID:
        raise UsageError(f"{path}: is not a gradebook; choose another folder or move it away")
    schema_version.refuse_unknown(stored_version, migrations=migrations, location=str(path))


def _create_file(path: Path, *, migrations: tuple[schema_version.Migration, ...]) -> None:
    """Create it under another name and link it, so that a gradebook is whole or not there."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    except OSError as error:
        raise UsageError(f"{path}: can't be made ({error.strerror})") from error
    os.close(handle)
    temporary = Path(name)
    try:
        engine = _build_engine(temporary, poolclass=NullPool)
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            schema_version.create_tables(connection, migrations=migrations)
        with closing(sqlite3.connect(temporary)) as connection_to_file:
            connection_to_file.execute("PRAGMA journal_mode = WAL")  # the file remembers it
        with suppress(FileExistsError):  # another process was faster, and its gradebook is as good
            link_into_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def link_into_place(temporary: Path, path: Path) -> None:
    """Give a finished file its name, so that the name survives a power cut.

    Raises:
        FileExistsError: something has that name already, and stays.
    """
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the content is safe only if the name is
    finally:
        os.close(folder)


def _build_engine(path: Path, **options: Any) -> Engine:
    address = URL.create("sqlite+pysqlite", database=str(path))
    engine = create_engine(address, connect_args=CONNECT_OPTIONS, **options)
    event.listen(engine, "connect", _configure_connection)
    event.listen(engine, "begin", _begin_transaction)
    return engine


def _configure_connection(connection: sqlite3.Connection, _record: object) -> None:
    """Write through to the disk, so that what was stored survives a power cut.

    NORMAL would lose the last results then, to be run again. Marks can't be run again, and waiting
    for the disk costs no CPU time.
    """
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # heeded by an empty file only
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_transaction(connection: Connection) -> None:
    """Take the write lock at the start: SQLite does not wait for it in the middle."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
