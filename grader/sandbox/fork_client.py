"""The parent of all rooms: a process that imports what notebooks need and forks runners for them.

It outlives no run: when this process ends, however it ends, the parent kills what it forked,
removes its folder and goes. See `grader/inside/fork_server.py` for its side.
"""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from grader import wire
from grader.errors import IsolationError, WireError
from grader.model import Isolation, Json, Limits
from grader.sandbox import bubblewrap
from grader.sandbox.interpreter import Environment
from grader.sandbox.isolation import UNPROTECTED, Level, Wanted
from grader.sandbox.launch import Room, variables, wide_pipe
from grader.sandbox.wall_check import Verdict, refusal, tried
from grader.sandbox.wall_plans import INSIDE, Plan, accounts, plans

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

    def __init__(self, environment: Environment, *, plan: Plan, hidden: Sequence[str]) -> None:
        self._environment = environment
        self._hidden = tuple(hidden)
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")
        self._lock = Lock()
        self._rooms = itertools.count()
        self._places: set[int] = set()
        self._modules: tuple[str, ...] = ()
        self._lives = 0
        self.cold = "nothing was imported ahead"
        """Why rooms are cold now; empty when they are warm."""
        self.plan = plan
        """The walls around it."""
        self._folder: Path | None = None
        self.isolation: Isolation = UNPROTECTED
        """What those walls were found to hold."""
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
                self._ping()
            except WireError:
                self._revive()
            return self._lives

    def preload(self, modules: Sequence[str]) -> Preloaded:
        """Import modules, so that rooms opened from now on have them; never raises."""
        with self._lock:
            self._modules = tuple(dict.fromkeys((*self._modules, *modules)))
            return self._preload()

    def strays(self) -> bool:
        """Whether rooms that were left have left processes behind.

        Raises:
            WireError: the process is gone.
        """
        with self._lock:
            return bool(self._ping().get("left"))

    def said(self) -> str:
        """What the program that puts up the walls printed."""
        return os.pread(self._said.fileno(), 4000, 0).decode("utf-8", "replace")

    @contextmanager
    def room(self, limits: Limits, *, canary: Mapping[str, Json] | None = None) -> Iterator[Room]:
        """A runner in a room of its own, killed with all it started when the room is left.

        Args:
            limits: how much it may use.
            canary: what to try to reach; with it the room tries the walls and runs no notebook.

        Raises:
            WireError: there is no process to fork it.
        """
        requests, results = wide_pipe(), wide_pipe()
        number = next(self._rooms)
        with self._lock:
            place = next(free for free in itertools.count() if free not in self._places)
            self._places.add(place)
        try:
            try:
                with self._lock:
                    order = self._order(number, limits, canary, place=place)
                    self._open(order, (requests[0], results[1]))
            finally:
                os.close(requests[0])
                os.close(results[1])
            yield Room(reading=results[0], writing=requests[1])
        finally:
            os.close(requests[1])
            os.close(results[0])
            with suppress(WireError), self._lock:
                self._tell({"order": "close", "room": number})
            self._places.discard(place)

    def end(self) -> None:
        """Have the process end every room and go; kill it where it does not."""
        self._end_process()
        self._starter.shutdown(wait=False)

    def _end_process(self) -> None:
        self._control.close()
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._said.close()
        if self._folder:
            with suppress(RecursionError):  # as deep as that only where it was killed
                shutil.rmtree(self._folder, ignore_errors=True)

    # -------------------------------------------------- with the lock held

    def _begin(self) -> None:
        """Start the process, in a folder that it removes."""
        self._lives += 1
        folder = bubblewrap.FOLDER
        if not self.plan.bubblewrap:
            folder = self._folder = Path(tempfile.mkdtemp(prefix="grade-"))
            folder.chmod(0o711 if self.plan.uids else 0o700)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process has ended)
        self._control, theirs = socket.socketpair()
        self._channel = wire.Channel(reading=self._control.fileno(), writing=self._control.fileno())
        with theirs, accounts() as shown:
            # Bubblewrap dies with the thread that starts it, so that thread must stay.
            self._process = self._starter.submit(
                subprocess.Popen,
                self._command(folder, control=theirs.fileno(), shown=shown),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                cwd="/",
                env=variables(folder),
                pass_fds=(theirs.fileno(), *shown.values()),
                start_new_session=True,
            ).result()

    def _command(self, folder: Path, *, control: int, shown: Mapping[str, int]) -> list[str]:
        inside, around = INSIDE, list[str]()
        if self.plan.bubblewrap:
            inside = bubblewrap.INSIDE
            around = bubblewrap.command(
                self.plan.bubblewrap,
                folders=self.plan.folders,
                hidden=self._hidden,
                inside=INSIDE,
                files=shown,
            )
        python = [self._environment.executable, "-P", "-Wignore"]
        return [*around, *python, str(inside / "fork_server.py"), str(control), str(folder)]

    def _ping(self) -> Mapping[str, Json]:
        """Have the process answer, once it has done what it was told."""
        self._tell({"order": "ping"})
        return self._channel.receive(seconds=IMPORTS).header

    def _revive(self) -> None:
        """Start it again after it failed."""
        self._end_process()
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

    def _order(
        self, number: int, limits: Limits, canary: Mapping[str, Json] | None, *, place: int
    ) -> dict[str, Json]:
        return {
            "order": "open",
            "room": number,
            "cold": bool(self.cold),
            "plan": self.plan.told(place=place),
            "limits": asdict(limits),
            "canary": None if canary is None else dict(canary),
        }

    def _open(self, order: Mapping[str, Json], pipes: tuple[int, int]) -> None:
        try:
            self._tell(order)
        except WireError:
            self._revive()
            self._tell({**order, "cold": bool(self.cold)})
        try:
            socket.send_fds(self._control, [b"."], pipes)
        except OSError as error:
            with suppress(OSError):
                self._control.send(b".")  # so that it does not take the next order for this
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
def opened(environment: Environment, *, wanted: Wanted | None = None) -> Iterator[Parent]:
    """A parent that has imported nothing yet, gone with all its rooms when the block is left.

    Its walls are the strongest that a canary could not break out of.

    Raises:
        IsolationError: there are none of the kind that is wanted.
    """
    _allow_open_files()
    parent = _walled(environment, wanted or Wanted())
    try:
        yield parent
    finally:
        parent.end()


def _allow_open_files() -> None:
    """Have as many as may be had: pipes can be passed on only while fewer are under way.

    Linux counts those of all processes of a user, so a notebook that passes on a thousand, the most
    it may, would keep a plain user's grader from opening rooms.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def examine(environment: Environment) -> Iterator[tuple[Level, Verdict]]:
    """Try every level that could be had here, strongest first: what holds, and what does not."""
    held: set[Level] = set()
    for plan in plans(environment, hidden=(str(INSIDE.parent),)):
        if plan.level in held or plan.level is Level.NONE:
            continue
        parent = Parent(environment, plan=plan, hidden=(str(INSIDE.parent),))
        try:
            verdict = tried(parent, protected=_protected())
        finally:
            parent.end()
        if verdict.isolation is not None:
            held.add(plan.level)
        yield plan.level, verdict


def _protected(hidden: Sequence[str] = ()) -> list[str]:
    """What no notebook may read: what is hidden, and this program but for `inside/`."""
    return [*hidden, *(str(path) for path in INSIDE.parent.iterdir() if path != INSIDE)]


def _walled(environment: Environment, wanted: Wanted) -> Parent:
    hidden = (*wanted.hidden, str(INSIDE.parent))
    failures: list[Verdict] = []
    for plan in plans(environment, hidden=hidden):
        if wanted.level not in {None, plan.level}:
            continue
        if plan.level is Level.NONE and not wanted.unsandboxed:
            break
        with ExitStack() as ending:
            parent = Parent(environment, plan=plan, hidden=hidden)
            ending.callback(parent.end)
            verdict = tried(parent, protected=_protected(wanted.hidden))
            if verdict.isolation is not None:
                parent.isolation = verdict.isolation
                ending.pop_all()  # whoever asked ends it
                return parent
        failures.append(verdict)
    raise IsolationError(refusal(failures, wanted=wanted))
