"""The parent of all rooms: a process that imports what notebooks need and forks runners for them.

It outlives no run: when this process ends, however it ends, the parent kills what it forked,
removes its folder and goes. See `grader/inside/warm.py` for its side.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from grader import wire
from grader.errors import WireError
from grader.model import Json
from grader.sandbox.room import Room, environment, wide_pipe

WARM = Path(__file__).resolve().parent.parent / "inside" / "warm.py"
ISOLATION = "a process of its own with a scrubbed environment; not isolated from this computer"

PATIENCE = 5.0
"""Seconds the parent has to take an order, or to end by itself."""
IMPORTS = 180.0
"""Seconds it may take to import."""
LIVES = 3
"""How often the process is started before rooms are cold."""
CAN_FORK = sys.platform == "linux"
"""Whether a process that has imported much may be forked: elsewhere libraries forbid it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preloaded:
    """How importing ahead went."""

    left_out: Mapping[str, str]
    """Modules that are not imported ahead, and why."""
    cold: str
    """Why notebooks can't be forked from this parent; empty when they can."""


class Parent:
    """The handle on the process; any thread may open rooms.

    A process that fails is started again, with what it had imported, a few times; after that rooms
    are cold.
    """

    def __init__(self, *, python: str) -> None:
        self._python = python
        self._lock = Lock()
        self._rooms = itertools.count()
        self._modules: tuple[str, ...] = ()
        self._lives = 0
        self.cold = "nothing was imported ahead"
        """Why rooms are cold now; empty when they are warm."""
        self._begin()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def lives(self) -> int:
        """How often the process was started; more than before: what it had forked is gone too."""
        return self._lives

    def check(self) -> int:
        """Start the process again if it is gone; its lives then."""
        with self._lock:
            try:
                self._tell({"order": "ping"})
                self._channel.receive(seconds=IMPORTS)
            except WireError:
                self._revive()
            return self._lives

    def preload(self, modules: Sequence[str]) -> Preloaded:
        """Import modules, so that rooms opened from now on have them; never raises."""
        with self._lock:
            self._modules = tuple(dict.fromkeys((*self._modules, *modules)))
            return self._preload()

    @contextmanager
    def room(self) -> Iterator[Room]:
        """A runner in a room of its own, killed with all it started when the room is left.

        Raises:
            WireError: there is no process to fork it.
        """
        requests, results = wide_pipe(), wide_pipe()
        number = next(self._rooms)
        try:
            try:
                with self._lock:
                    self._open(number, (requests[0], results[1]))
            finally:
                os.close(requests[0])
                os.close(results[1])
            yield Room(reading=results[0], writing=requests[1])
        finally:
            os.close(requests[1])
            os.close(results[0])
            with suppress(WireError), self._lock:
                self._tell({"order": "close", "room": number})

    def end(self) -> None:
        """Have the process end every room and go; kill it where it does not."""
        self._control.close()
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -------------------------------------------------- with the lock held

    def _begin(self) -> None:
        """Start the process."""
        self._lives += 1
        self._folder = folder = Path(tempfile.mkdtemp(prefix="grade-"))
        self._control, theirs = socket.socketpair()
        self._channel = wire.Channel(reading=self._control.fileno(), writing=self._control.fileno())
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (the interpreter we were given, our file)
                [self._python, "-P", "-Wignore", str(WARM), str(theirs.fileno()), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=environment(folder),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def _revive(self) -> None:
        """Start it again after it failed."""
        self.end()
        self._begin()
        if self._modules:
            self._preload()

    def _preload(self) -> Preloaded:
        if unfit := self._unfit():
            return self._cooled(unfit)
        try:
            self._tell({"order": "preload", "modules": list(self._modules)})
            answer = self._channel.receive(seconds=IMPORTS).header
        except WireError as error:
            return self._cooled(f"the process that imports ahead failed ({error})")
        left_out = {wire.clean(k, most=100): wire.clean(v, most=200) for k, v in _items(answer)}
        if unfit := _unfit(answer):
            return self._cooled(unfit, left_out)
        self.cold = ""
        return Preloaded(left_out=left_out, cold="")

    def _unfit(self) -> str:
        """Why nothing should be imported ahead."""
        if not CAN_FORK:
            return f"{sys.platform} cannot fork what has imported libraries"
        return f"the process that does failed {LIVES} times" if self._lives > LIVES else ""

    def _cooled(self, why: str, left_out: Mapping[str, str] | None = None) -> Preloaded:
        self.cold = why
        return Preloaded(left_out=left_out or {}, cold=why)

    def _open(self, number: int, pipes: tuple[int, int]) -> None:
        order = {"order": "open", "room": number, "cold": bool(self.cold)}
        try:
            self._tell(order)
        except WireError:
            self._revive()
            self._tell({**order, "cold": bool(self.cold)})
        try:
            socket.send_fds(self._control, [b"."], pipes)
        except OSError as error:
            raise WireError("the process that forks notebooks is gone") from error

    def _tell(self, order: Mapping[str, Json]) -> None:
        self._channel.send(wire.compose(order), seconds=PATIENCE)


def _unfit(answer: Mapping[str, Json]) -> str:
    """Why the process should not fork kernels, as its answer tells."""
    if answer.get("broken"):
        return "what notebooks are run with can't be imported"
    threads = answer.get("threads")
    return "" if threads == 1 else f"imports started threads: {threads} run"


def _items(answer: Mapping[str, Json]) -> list[tuple[str, str]]:
    told = answer.get("left_out")
    return list(told.items())[:64] if isinstance(told, dict) else []


@contextmanager
def opened(*, python: str) -> Iterator[Parent]:
    """A parent that has imported nothing yet, gone with all its rooms when the block is left."""
    parent = Parent(python=python)
    try:
        yield parent
    finally:
        parent.end()
