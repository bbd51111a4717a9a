"""A PostgreSQL server of a test's own, made from what Debian's package brings."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "open-sesame-7"  # noqa: S105 (of a server that lives for one test run)
USER = "postgres"
_SCHEMAS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, on this computer only."""

    port: int

    def address(self, *, schema: str = "public", password: str = PASSWORD) -> str:
        """The address of a gradebook in a schema of its own."""
        options = f"?options=-csearch_path%3D{schema}"
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/postgres{options}"

    def fresh(self) -> str:
        """The address of an empty schema."""
        name = f"book{next(_SCHEMAS)}"
        self.run(f"CREATE SCHEMA {name}")
        return self.address(schema=name)

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as whoever owns the server; its rows."""
        import psycopg  # noqa: PLC0415 (not installed everywhere)

        plain = self.address().partition("?")[0]
        with psycopg.connect(plain, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []


def programs() -> Path:
    """Where the server's programs are; skips the test where there are none."""
    pytest.importorskip("psycopg", reason="needs the `postgres` extra")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and (initdb := shutil.which("initdb")):
        found = [Path(initdb)]
    if not found:
        pytest.skip("needs PostgreSQL's server: `apt-get install postgresql`")
    return found[-1].parent


@contextmanager
def running() -> Iterator[Server]:
    """A server that listens on this computer alone, and asks for a password."""
    there = programs()
    with tempfile.TemporaryDirectory(prefix="grader-postgres-") as name, _free_port() as port:
        root = Path(name)
        secret = root / "password"
        secret.write_text(PASSWORD, encoding="ascii")
        as_user = _as_user(root)
        data = str(root / "data")
        _call(
            *as_user, str(there / "initdb"), "-D", data, "-U", USER, "-A", "scram-sha-256",
            "--pwfile", str(secret), "-E", "UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip
        how = f"-p {port} -k {root} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = (*as_user, str(there / "pg_ctl"), "-D", data, "-w")
        _call(*control, "-l", str(root / "log"), "-o", how, "start")
        try:
            yield Server(port)
        finally:
            _call(*control, "-m", "immediate", "stop")


def _call(*words: str) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd="/", timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def _as_user(root: Path) -> tuple[str, ...]:
    """The server refuses to run as root: then it runs as the user that its package made."""
    if os.geteuid() != 0:
        return ()
    shutil.chown(root, USER, USER)
    shutil.chown(root / "password", USER, USER)
    return ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--")


@contextmanager
def _free_port() -> Iterator[int]:
    """A port that nobody listens on, as far as one can know."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with suppress(OSError):
        yield port
