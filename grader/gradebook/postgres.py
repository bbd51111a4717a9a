"""A gradebook in a PostgreSQL database, for a department: a database, or schema, per assignment."""

from __future__ import annotations

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from grader.errors import UsageError
from grader.gradebook import schema_version
from grader.gradebook.tables import SCHEMA, meta
from grader.gradebook.transactions import WRITES, translate_errors

DRIVER = "postgresql+psycopg"
WRITE_LOCK_ID = 0x67726462
"""Writers queue at the advisory lock of this number; 'grdb'."""
CONNECT_TIMEOUT_S = 10
LOCK_TIMEOUT_S = 60
"""How long one writer waits for others; a write takes milliseconds."""


def display_address(address: str) -> str:
    """Return the address for messages: without user, password and options.

    Raises:
        UsageError: it is no address of a PostgreSQL database.
    """
    url = _parse_url(address)
    return f"postgresql://{url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def without_password(address: str) -> str:
    """Return the address as it may be stored; `~/.pgpass` holds the password."""
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
    """Return the passwords in an address, which no message may show."""
    url = _parse_url(address)
    secrets = [str(url.password or "")]
    secrets += [str(value) for name, value in url.query.items() if "password" in name.lower()]
    return tuple(word for word in secrets if word)


def open_engine(address: str, *, migrations: tuple[schema_version.Migration, ...]) -> Engine:
    """Return an engine on the gradebook at an address; create its tables if there are none.

    Raises:
        UsageError: there is no such server or database, or the driver is not installed.
    """
    url = _parse_url(address).set(drivername=DRIVER)
    options = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S}
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args=options)
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
        raise UsageError(f"{kind}: is not a store; a store is a file or postgresql://HOST/DATABASE")
    return url


def _begin_transaction(connection: Connection) -> None:
    """Let readers see one snapshot, and writers queue when they begin, as they do for a file.

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
            schema_version.refuse_unknown(
                schema_version.read_version(connection), migrations=migrations, location=location
            )
            return
        if existing_tables & set(SCHEMA.tables):
            raise UsageError(f"{location}: holds tables that are not a gradebook's; use another")
        schema_version.create_tables(connection, migrations=migrations)
