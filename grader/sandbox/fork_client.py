"""Start and command the fork server, which imports what notebooks need and forks runners.

The process outlives no run: when the grader ends, however it ends, the fork server kills what it
forked, removes its folder and exits. `grader/inside/fork_server.py` is the program on its side.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

from grader import wire
from grader.errors import WireError
from grader.model import Isolation, Json, Limits
from grader.sandbox import bubblewrap
from grader.sandbox.interpreter import Environment
from grader.sandbox.isolation import UNPROTECTED
from grader.sandbox.launch import SandboxPipes, sandbox_environment, wide_pipe
from grader.sandbox.wall_plans import INSIDE, WallPlan, open_account_pipes

ORDER_SECONDS = 5.0
"""Seconds the process has to take an order, or to end by itself."""
IMPORT_SECONDS = 180.0
"""Seconds it may take to import."""
MAX_GENERATIONS = 3
"""How often the process is started before kernels are started cold."""
MAX_TEMPORARY_PATH = 40
"""Letters of a temporary path that leave room for sockets below it: Linux takes 107."""
Program = Literal["notebook", "tests"]
CAN_FORK = sys.platform == "linux"
"""Whether a process that has imported much may be forked: elsewhere libraries forbid it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreloadResult:
    """How importing modules ahead went."""

    left_out: Mapping[str, str]
    """Why a module is not imported ahead, by its name."""
    cold_reason: str
    """Why kernels can't be forked from this process; empty when they can."""


def make_short_folder() -> Path:
    """Make a temporary folder whose path is short enough for sockets below it."""
    usual = tempfile.gettempdir()
    short = "/tmp"  # noqa: S108 (`mkdtemp` makes a private folder in it)
    is_too_long = len(usual) > MAX_TEMPORARY_PATH and os.access(short, os.W_OK)
    return Path(tempfile.mkdtemp(prefix="grade-", dir=short if is_too_long else usual))


class ForkServer:
    """The handle on the process; any thread may open sandboxes.

    A process that fails is started again, with what it had imported, a few times; after that
    kernels are started cold.

    Args:
        environment: the interpreter that notebooks run in.
        plan: the walls around the process.
        hidden: paths that must not be seen behind them.
    """

    def __init__(self, environment: Environment, *, plan: WallPlan, hidden: Sequence[str]) -> None:
        self._environment = environment
        self._hidden = tuple(hidden)
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")
        self._lock = Lock()
        self._sandbox_numbers = itertools.count()
        self._slots: set[int] = set()
        self._preloaded_modules: tuple[str, ...] = ()
        self._generation = 0
        self.cold_reason = "nothing was imported ahead"
        """Why kernels are started cold now; empty when they are forked."""
        self.plan = plan
        self._folder: Path | None = None
        self.isolation: Isolation = UNPROTECTED
        """What the walls were found to hold."""
        self._start_process()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def generation(self) -> int:
        """How often the process was started; when it grows, all that it had forked is gone."""
        return self._generation

    def ensure_running(self) -> int:
        """Start the process again if it is gone, and return its generation."""
        with self._lock:
            try:
                self._ping()
            except WireError:
                self._restart_process()
            return self._generation

    def preload(self, modules: Sequence[str]) -> PreloadResult:
        """Import modules for sandboxes that are opened from now on; never raises."""
        with self._lock:
            self._preloaded_modules = tuple(dict.fromkeys((*self._preloaded_modules, *modules)))
            return self._preload()

    def has_orphans(self) -> bool:
        """Return whether closed sandboxes left processes behind.

        Raises:
            WireError: the process is gone.
        """
        with self._lock:
            return bool(self._ping().get("left"))

    def read_output(self) -> str:
        """Return what the program that builds the walls printed."""
        return os.pread(self._output_file.fileno(), 4000, 0).decode("utf-8", "replace")

    @contextmanager
    def open_sandbox(
        self,
        limits: Limits,
        *,
        program: Program = "notebook",
        canary: Mapping[str, Json] | None = None,
    ) -> Iterator[SandboxPipes]:
        """Fork a runner in a sandbox of its own; it is killed with all it started afterwards.

        Args:
            limits: how much it may use.
            program: what runs in it: a notebook, or the course's tests.
            canary: what to try to reach; with it the sandbox tests its walls, runs no notebook.

        Raises:
            WireError: there is no process to fork it.
        """
        requests, results = wide_pipe(), wide_pipe()
        number = next(self._sandbox_numbers)
        with self._lock:
            slot = next(
                candidate for candidate in itertools.count() if candidate not in self._slots
            )
            self._slots.add(slot)
        try:
            try:
                with self._lock:
                    order = self._compose_order(number, limits, canary, slot=slot)
                    order["program"] = program
                    self._order_sandbox(order, (requests[0], results[1]))
            finally:
                os.close(requests[0])
                os.close(results[1])
            yield SandboxPipes(read_fd=results[0], write_fd=requests[1])
        finally:
            os.close(requests[1])
            os.close(results[0])
            with suppress(WireError), self._lock:
                self._send_order({"order": "close", "room": number})
            self._slots.discard(slot)

    def shut_down(self) -> None:
        """Tell the process to end every sandbox and exit; kill it if it does not."""
        self._end_process()
        self._starter.shutdown(wait=False)

    def _end_process(self) -> None:
        self._control.close()
        try:
            self._process.wait(timeout=ORDER_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._output_file.close()
        if self._folder:
            with suppress(RecursionError):  # as deep as that only where it was killed
                shutil.rmtree(self._folder, ignore_errors=True)

    # -------------------------------------------------- with the lock held

    def _start_process(self) -> None:
        self._generation += 1
        folder = bubblewrap.WORK_FOLDER
        if not self.plan.bubblewrap:
            folder = self._folder = make_short_folder()
            folder.chmod(0o711 if self.plan.uids else 0o700)
        self._output_file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process has ended)
        self._control, server_socket = socket.socketpair()
        self._channel = wire.Channel(
            read_fd=self._control.fileno(), write_fd=self._control.fileno()
        )
        with server_socket, open_account_pipes() as account_files:
            # Bubblewrap dies with the thread that starts it, so that thread must stay.
            self._process = self._starter.submit(
                subprocess.Popen,
                self._server_command(
                    folder, control=server_socket.fileno(), account_files=account_files
                ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._output_file,
                cwd="/",
                env=sandbox_environment(folder),
                pass_fds=(server_socket.fileno(), *account_files.values()),
                start_new_session=True,
            ).result()

    def _server_command(
        self, folder: Path, *, control: int, account_files: Mapping[str, int]
    ) -> list[str]:
        inside, wrapper = INSIDE, list[str]()
        if self.plan.bubblewrap:
            inside = bubblewrap.INSIDE
            wrapper = bubblewrap.build_command(
                self.plan.bubblewrap,
                folders=self.plan.folders,
                hidden=self._hidden,
                inside=INSIDE,
                files=account_files,
            )
        python = [self._environment.executable, "-P", "-Wignore"]
        return [*wrapper, *python, str(inside / "fork_server.py"), str(control), str(folder)]

    def _ping(self) -> Mapping[str, Json]:
        """Return the process's answer, which comes once it has done its earlier orders."""
        self._send_order({"order": "ping"})
        return self._channel.receive(seconds=IMPORT_SECONDS).header

    def _restart_process(self) -> None:
        self._end_process()
        self._start_process()
        if self._preloaded_modules:
            self._preload()

    def _preload(self) -> PreloadResult:
        if obstacle := self._preload_obstacle():
            return self._go_cold(obstacle)
        try:
            self._send_order({"order": "preload", "modules": list(self._preloaded_modules)})
            answer = self._channel.receive(seconds=IMPORT_SECONDS).header
        except WireError as error:
            return self._go_cold(f"the process that imports ahead failed ({error})")
        left_out = {
            wire.sanitize_text(k, max_length=100): wire.sanitize_text(v, max_length=200)
            for k, v in _left_out_items(answer)
        }
        if obstacle := _fork_obstacle(answer):
            return self._go_cold(obstacle, left_out)
        self.cold_reason = ""
        return PreloadResult(left_out=left_out, cold_reason="")

    def _preload_obstacle(self) -> str:
        """Say why nothing can be imported ahead, or ''."""
        if not CAN_FORK:
            return f"{sys.platform} cannot fork what has imported libraries"
        if self._generation > MAX_GENERATIONS:
            return f"the process that does failed {MAX_GENERATIONS} times"
        return ""

    def _go_cold(self, reason: str, left_out: Mapping[str, str] | None = None) -> PreloadResult:
        self.cold_reason = reason
        return PreloadResult(left_out=left_out or {}, cold_reason=reason)

    def _compose_order(
        self, number: int, limits: Limits, canary: Mapping[str, Json] | None, *, slot: int
    ) -> dict[str, Json]:
        return {
            "order": "open",
            "room": number,
            "cold": bool(self.cold_reason),
            "plan": self.plan.as_order(slot=slot),
            "limits": asdict(limits),
            "canary": None if canary is None else dict(canary),
        }

    def _order_sandbox(self, order: Mapping[str, Json], pipes: tuple[int, int]) -> None:
        try:
            self._send_order(order)
        except WireError:
            self._restart_process()
            self._send_order({**order, "cold": bool(self.cold_reason)})
        try:
            socket.send_fds(self._control, [b"."], pipes)
        except OSError as error:
            with suppress(OSError):
                self._control.send(b".")  # else it would take the next order for the pipes
            raise WireError("the process that forks notebooks is gone") from error

    def _send_order(self, order: Mapping[str, Json]) -> None:
        self._channel.send(wire.compose_frame(order), seconds=ORDER_SECONDS)


def _fork_obstacle(answer: Mapping[str, Json]) -> str:
    """Say why the process should not fork kernels, by its answer to a preload, or ''."""
    if answer.get("broken"):
        return "what notebooks are run with can't be imported"
    threads = answer.get("threads")
    return "" if threads == 1 else f"imports started threads: {threads} run"


def _left_out_items(answer: Mapping[str, Json]) -> list[tuple[str, str]]:
    left_out = answer.get("left_out")
    return list(left_out.items())[:64] if isinstance(left_out, dict) else []
