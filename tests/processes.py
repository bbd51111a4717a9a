"""What other processes do, read from `/proc` (Linux)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """List the processes that a process started, and those that these started, as seen here."""
    children: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text(encoding="ascii").split())
    return [*children, *(later for child in children for later in descendants(child))]


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for yet is dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] != "Z"


def command_line(pid: int) -> list[str]:
    """Return the words a process was started with; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:
        return []


def holds_within(seconds: float, claim: Callable[[], object]) -> bool:
    """Wait until a claim holds, at most that long; whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.02)
    return False
