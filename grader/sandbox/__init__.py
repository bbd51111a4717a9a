"""The room a notebook's process lives in: its command, its environment, its own work folder.

Today it is a process of its own with a scrubbed environment, which keeps notebooks apart by
courtesy, not by force: `ISOLATION` says so in every report.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

RUNNER = Path(__file__).resolve().parent.parent / "inside" / "runner.py"
ISOLATION = "a process of its own with a scrubbed environment; not isolated from this computer"

PATIENCE = 1.0
"""Seconds a runner has to end by itself."""

PASSED_ON = ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables of our own environment that a notebook needs to run as it would elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A started process and the pipes to it."""

    process: subprocess.Popen[bytes]
    reading: int
    writing: int


def environment(home: Path) -> dict[str, str]:
    """A small environment: no secret of ours, nothing that differs between runs."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
    }


@contextmanager
def opened(*, python: str) -> Iterator[Room]:
    """A runner in a room of its own, killed with all it started when the room is left."""
    home = Path(tempfile.mkdtemp(prefix="grade-"))
    try:
        (home / "tmp").mkdir()
        (home / "work").mkdir()
        process = subprocess.Popen(  # noqa: S603 (our own interpreter, our own file)
            [python, "-P", "-W", "ignore", str(RUNNER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=home / "work",
            env=environment(home),
            start_new_session=True,
        )
        try:
            assert process.stdin is not None  # noqa: S101 (a pipe was asked for two lines above)
            assert process.stdout is not None  # noqa: S101 (the same)
            yield Room(
                process=process, reading=process.stdout.fileno(), writing=process.stdin.fileno()
            )
        finally:
            end(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def wait_for_group(group: int) -> None:
    """Wait, within bounds, until every process of a killed group is gone."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes]) -> None:
    """Let the runner kill and reap its kernel; then kill whatever is left of its group."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=PATIENCE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_for_group(process.pid)
    if process.stdout is not None:
        process.stdout.close()
