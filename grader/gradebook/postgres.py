"""A book in a PostgreSQL database, for a department: one database, or schema, an assignment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from grader.errors import UsageError
from grader.gradebook import schema_version
from grader.gradebook.database_errors import translate_errors
from grader.gradebook.tables import SCHEMA, meta
from grader.gradebook.write_intent import WRITES

DRIVER = "postgresql+psycopg"
WRITE_LOCK_ID = 0x67726462
"""Of the advisory lock that writers queue at; 'grdb'."""
LOCK_TIMEOUT_S = 60
"""How long one writer waits for others; a write takes milliseconds."""


def display_address(address: str) -> str:
    """The address without what only its owner should read: no user, no password, no options.

    Raises:
        UsageError: it is no address of a PostgreSQL database.
    """
    url = _parse_url(address)
    return f"postgresql://{url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def without_password(address: str) -> str:
    """The address as it may be written down: the server asks for the password, or `~/.pgpass`."""
    url = _parse_url(address)
    plain = URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={name: value for name, value in url.query.items() if "password" not in name.lower()},
    )
    return plain.render_as_string(hide_password=False)


def extract_secrets(address: str) -> tuple[str, ...]:
    """What must be shown to nobody."""
    url = _parse_url(address)
    secrets = [str(url.password or "")]
    secrets += [str(value) for name, value in url.query.items() if "password" in name.lower()]
    return tuple(word for word in secrets if word)


def open_engine(address: str, *, migrations: tuple[schema_version.Migration, ...]) -> Engine:
    """An engine on the book at this address; its tables are made if there are none.

    Raises:
        UsageError: there is no such server or database, or the driver is not installed.
    """
    url = _parse_url(address).set(drivername=DRIVER)
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args=_connect_options(url))
    except (ImportError, NoSuchModuleError) as error:
        raise UsageError(
            "a PostgreSQL store needs psycopg: pip install 'notebook-grader[postgres]'"
        ) from error
    event.listen(engine, "begin", _begin_transaction)
    try:
        with translate_errors(display_address(address), secrets=extract_secrets(address)):
            _create_tables(
                engine.execution_options(**{WRITES: True}),
                migrations=migrations,
                location=display_address(address),
            )
    except BaseException:
        engine.dispose()
        raise
    return engine


def _parse_url(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        kind = address.partition(":")[0]
        raise UsageError(f"{kind}: is no store; there are files and postgresql://HOST/DATABASE")
    return url


def _connect_options(url: URL) -> dict[str, Any]:
    """Not for ever; what the address itself says of it counts."""
    return {} if "connect_timeout" in url.query else {"connect_timeout": 10}


def _begin_transaction(connection: Connection) -> None:
    """Readers see one moment; writers queue at the door, as they do for a file.

    The lock comes first, under READ COMMITTED, so that a writer sees what those before it wrote.
    """
    writes = connection.get_execution_options().get(WRITES, False)
    if not writes:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
    connection.exec_driver_sql(
        f"SELECT pg_advisory_xact_lock({WRITE_LOCK_ID}, hashtext(current_schema()))"
    )


def _create_tables(
    engine: Engine, *, migrations: tuple[schema_version.Migration, ...], location: str
) -> None:
    with engine.begin() as connection:
        existing_tables = set(inspect(connection).get_table_names())
        if meta.name in existing_tables:
            schema_version.refuse_newer(
                schema_version.read_version(connection), migrations=migrations, location=location
            )
            return
        if existing_tables & set(SCHEMA.tables):
            raise UsageError(f"{location}: holds tables that are not a gradebook's; use another")
        schema_version.create_tables(connection, migrations=migrations)
