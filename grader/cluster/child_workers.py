"""Workers as child processes: started, started again when they die, and ended with their parent."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from grader.cluster.worker_program import DONE, LOST, REFUSED
from grader.errors import UsageError

MAX_EARLY_DEATHS = 3
"""How often in a row a worker may die young before it is given up."""
YOUNG_S = 5.0
"""Seconds of a life that is too short to have graded anything."""
POLL_S = 0.5
"""Seconds between two looks at a worker."""
SHUTDOWN_S = 40.0
"""Seconds that workers have to close their sessions."""


@dataclass(slots=True, kw_only=True)
class Child:
    """A place for a worker, and the process in it."""

    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    early_deaths: int = 0


class ChildWorkers:
    """Worker processes of this computer.

    Each holds the end of a pipe to its standard input, and ends when this process does, however.

    Args:
        arguments: what follows `grade worker`.
        count: how many.
    """

    def __init__(self, arguments: Sequence[str], *, count: int) -> None:
        self._command = [sys.executable, "-m", "grader", "worker", *arguments, "--child"]
        self._children = [Child(process=self._start()) for _ in range(count)]

    def _start(self) -> subprocess.Popen[bytes]:
        # In a session of its own, so that Ctrl-C reaches this process alone, which ends the rest.
        return subprocess.Popen(  # noqa: S603 (ourselves)
            self._command, stdin=subprocess.PIPE, start_new_session=True
        )

    def restart_dead(self, *, wait_for_head: bool) -> int | None:
        """Start workers again that died; return an exit code once none is left.

        Args:
            wait_for_head: whether one whose head is gone waits for another.

        Raises:
            UsageError: one died young again and again.
        """
        codes = []
        for child in self._children:
            code = child.process.poll()
            ends = {DONE, REFUSED} if wait_for_head else {DONE, REFUSED, LOST}
            if code is None or code in ends:
                codes.append(code)
                continue
            codes.append(None)
            _close_input(child.process)
            is_young = code != LOST and time.monotonic() - child.started < YOUNG_S
            child.early_deaths = child.early_deaths + 1 if is_young else 0
            if child.early_deaths >= MAX_EARLY_DEATHS:
                raise UsageError(f"a worker ends as soon as it starts (exit code {code})")
            child.process, child.started = self._start(), time.monotonic()
        return None if None in codes else max(filter(None, codes), default=DONE)

    def close(self) -> None:
        """End all workers, and wait until their sandboxes are closed."""
        for child in self._children:
            _close_input(child.process)
        deadline = time.monotonic() + SHUTDOWN_S
        for child in self._children:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def supervise_worker(arguments: Sequence[str]) -> int:
    """Keep one worker running, until a head is done with it; return its exit code.

    Raises:
        UsageError: it ends as soon as it starts.
    """
    children = ChildWorkers(arguments, count=1)
    try:
        while (code := children.restart_dead(wait_for_head=True)) is None:
            time.sleep(POLL_S)
        return code
    finally:
        children.close()
