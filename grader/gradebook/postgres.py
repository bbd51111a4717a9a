"""A book in a PostgreSQL database, for a department: one database, or schema, an assignment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from grader.errors import UsageError
from grader.gradebook import schema_version
from grader.gradebook.database_errors import told
from grader.gradebook.tables import SCHEMA, meta
from grader.gradebook.write_intent import WRITES

DRIVER = "postgresql+psycopg"
TURN = 0x67726462
"""Of the advisory lock that writers queue at; 'grdb'."""
PATIENCE_S = 60
"""How long one writer waits for others; a write takes milliseconds."""


def place_of(address: str) -> str:
    """The address without what only its owner should read: no user, no password, no options.

    Raises:
        UsageError: it is no address of a PostgreSQL database.
    """
    url = _url(address)
    return f"postgresql://{url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def without_password(address: str) -> str:
    """The address as it may be written down: the server asks for the password, or `~/.pgpass`."""
    url = _url(address)
    plain = URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={name: told for name, told in url.query.items() if "password" not in name.lower()},
    )
    return plain.render_as_string(hide_password=False)


def secrets_of(address: str) -> tuple[str, ...]:
    """What must be shown to nobody."""
    url = _url(address)
    hidden = [str(url.password or "")]
    hidden += [str(value) for name, value in url.query.items() if "password" in name.lower()]
    return tuple(word for word in hidden if word)


def engine_for(address: str, *, steps: tuple[schema_version.Step, ...]) -> Engine:
    """An engine on the book at this address; its tables are made if there are none.

    Raises:
        UsageError: there is no such server or database, or the driver is not installed.
    """
    url = _url(address).set(drivername=DRIVER)
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args=_patience(url))
    except (ImportError, NoSuchModuleError) as error:
        raise UsageError(
            "a PostgreSQL store needs psycopg: pip install 'notebook-grader[postgres]'"
        ) from error
    event.listen(engine, "begin", _begin)
    try:
        with told(place_of(address), hidden=secrets_of(address)):
            _make(engine.execution_options(**{WRITES: True}), steps=steps, place=place_of(address))
    except BaseException:
        engine.dispose()
        raise
    return engine


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        kind = address.partition(":")[0]
        raise UsageError(f"{kind}: is no store; there are files and postgresql://HOST/DATABASE")
    return url


def _patience(url: URL) -> dict[str, Any]:
    """Not for ever; what the address itself says of it counts."""
    return {} if "connect_timeout" in url.query else {"connect_timeout": 10}


def _begin(connection: Connection) -> None:
    """Readers see one moment; writers queue at the door, as they do for a file.

    The lock comes first, under READ COMMITTED, so that a writer sees what those before it wrote.
    """
    writes = connection.get_execution_options().get(WRITES, False)
    if not writes:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN}, hashtext(current_schema()))")


def _make(engine: Engine, *, steps: tuple[schema_version.Step, ...], place: str) -> None:
    with engine.begin() as connection:
        there = set(inspect(connection).get_table_names())
        if meta.name in there:
            schema_version.refuse_newer(
                schema_version.version(connection), steps=steps, place=place
            )
            return
        if there & set(SCHEMA.tables):
            raise UsageError(f"{place}: holds tables that are not a gradebook's; use another")
        schema_version.create(connection, steps=steps)
