"""Runs a student's notebook on the student's own computer: a cold kernel, then all questions.

The same cells, stand-ins, seeds, recorder and questions as when it is graded, but no walls and no
fork, so that it works wherever Jupyter does: Linux, macOS, Windows, Colab.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbformat import v4

from grader import settings, wire
from grader.errors import KernelError
from grader.kernel.cell_runs import cell_run, not_reached
from grader.model import (
    Cell,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Isolation,
    Notebook,
    Observation,
    Question,
    Rubric,
    SavedOutput,
)
from grader.notebook import is_blank
from grader.notebook.saved_outputs import saved_outputs
from grader.selfcheck import inside_loader, live_questions

PATIENCE = 3
"""How many times the time it has when it is graded a cell may take: libraries load first."""
START = 120.0
"""Seconds a kernel may take to come up."""
GRACE = 5.0
"""Seconds an interrupted cell has to stop before its kernel is ended."""
STRIKES = 3
"""How many cells that end their kernel are left out before the rest is left unrun."""
OWN = Isolation(level="none", told="run by its owner, on their own computer")
"""There is nothing to keep it from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of running a notebook and asking it."""

    record: ExecutionRecord
    observations: Mapping[str, Observation]
    shown: Mapping[int, tuple[SavedOutput, ...]]
    """By cell, what it put out now."""


def run(notebook: Notebook, *, rubric: Rubric, asked: tuple[Question, ...], folder: Path) -> Ran:
    """Run the notebook in its folder, and ask it.

    Raises:
        KernelError: no kernel came up.
    """
    cells = [cell for cell in notebook.code() if not is_blank(cell)]
    killers: dict[int, CellRun] = {}
    while True:
        attempt = _Attempt(rubric=rubric, folder=folder, asked=asked)
        todo = [cell for cell in cells if cell.index not in killers]
        # Windows' usual loop can't wait for the sockets of a kernel.
        loop = asyncio.SelectorEventLoop if sys.platform == "win32" else None
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(attempt.all_cells(todo))
        if attempt.killer is None or len(killers) + 1 >= STRIKES:
            break
        killers[attempt.killer.index] = attempt.killer
    ran = {one.index: one for one in attempt.runs} | killers
    if attempt.killer is not None:
        ran[attempt.killer.index] = attempt.killer
    record = ExecutionRecord(
        cells=tuple(_run_of(cell, ran) for cell in notebook.code()), isolation=OWN
    )
    return Ran(record=record, observations=attempt.observations, shown=attempt.shown)


def _run_of(cell: Cell, ran: Mapping[int, CellRun]) -> CellRun:
    if is_blank(cell):
        return CellRun(index=cell.index, status=CellStatus.SKIPPED)
    why = "The notebook's time was used up before this cell, or cells before it ended Python."
    return ran.get(cell.index) or not_reached(cell.index, why=why)


class _OurKernel(KernelSpecManager):
    """Finds no kernel but the one of this interpreter, whatever is installed."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__()
        self._argv = argv

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The one there is."""
        return KernelSpec(argv=self._argv, display_name=kernel_name, language="python")


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """One go at a notebook; `killer` is the cell that ended its kernel."""

    rubric: Rubric
    folder: Path
    asked: tuple[Question, ...]
    runs: list[CellRun] = field(default_factory=list)
    killer: CellRun | None = None
    observations: Mapping[str, Observation] = field(default_factory=dict)
    shown: dict[int, tuple[SavedOutput, ...]] = field(default_factory=dict)

    async def all_cells(self, cells: list[Cell]) -> None:
        """Run the cells in order, then ask."""
        with tempfile.TemporaryDirectory(prefix="grade", ignore_cleanup_errors=True) as place:
            scratch = Path(place)
            manager = self._manager(scratch)
            try:
                client, output = await self._started(manager, cells, scratch)
                await self._cells(client, output, cells)
                if self.killer is None:
                    await self._ask(client, scratch)
            finally:
                with contextlib.suppress(Exception):
                    await manager.shutdown_kernel(now=True)

    def _manager(self, scratch: Path) -> Any:
        job = scratch / "job.json"
        told = {
            "record": self.rubric.record,
            "optional_imports": self.rubric.optional_imports,
            "seed": self.rubric.seed,
        }
        job.write_text(json.dumps(told), encoding="utf-8")
        program = ["-P", "-Wignore", "-m", "grader.selfcheck.check_kernel"]
        argv = [sys.executable, *program, "{connection_file}", str(job)]
        return AsyncKernelManager(
            kernel_spec_manager=_OurKernel(argv),
            kernel_name="python3",
            connection_file=str(scratch / "connection.json"),
        )

    async def _started(self, manager: Any, cells: list[Cell], scratch: Path) -> tuple[Any, Any]:
        outputs = inside_loader.opened("output_limits")
        output = outputs.Output(asdict(self.rubric.limits))
        made = [v4.new_code_cell(source=c.source) for c in cells]  # type: ignore[no-untyped-call]
        notebook = v4.new_notebook(cells=made)  # type: ignore[no-untyped-call]
        client = outputs.bounded_client(notebook, manager, output)
        log = scratch / "log"
        try:
            env = settings.for_own_notebook(scratch)
            with log.open("wb") as said:  # what ipykernel warns of is no student's concern
                await manager.start_kernel(cwd=str(self.folder), env=env, stdout=said, stderr=said)
            client.kc = manager.client()
            client.kc.start_channels()
            client.kc.allow_stdin = False
            await client.kc.wait_for_ready(timeout=START)
        except Exception as error:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            told = wire.scrub(": ".join((f"{error}", *last)), most=500)
            raise KernelError(f"no kernel came up: {told}") from error
        return client, output

    async def _cells(self, client: Any, output: Any, cells: list[Cell]) -> None:
        limits = self.rubric.limits
        end = time.monotonic() + PATIENCE * limits.submission_s
        for place, cell in enumerate(cells):
            left = end - time.monotonic()
            if left <= 0:
                return
            run = await self._cell(client, output, cell, place, min(left, PATIENCE * limits.cell_s))
            self.shown[cell.index] = saved_outputs(
                client.nb.cells[place].get("outputs"), cell=cell.index, notes=[]
            )
            if run.status is CellStatus.STRUCK_OUT:
                self.killer = run
                return
            self.runs.append(run)

    async def _cell(
        self, client: Any, output: Any, cell: Cell, place: int, seconds: float
    ) -> CellRun:
        output.begin_cell()
        began = time.monotonic()
        source = client.nb.cells[place]
        task = asyncio.ensure_future(client.async_execute_cell(source, place))
        late = not await _within(task, seconds)
        if late:
            await client.km.interrupt_kernel()
            if not await _within(task, GRACE):
                await client.km.shutdown_kernel(now=True)
        alive = await client.km.is_alive()
        if not alive:
            task.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await task
        frame = {
            "seconds": time.monotonic() - began,
            "limit": seconds if late else None,
            "exit": None if alive else -1,
            "error": inside_loader.opened("output_limits").error_of(source),
            "over": output.over(),
        }
        return cell_run(frame, cell, limits=self.rubric.limits)

    async def _ask(self, client: Any, scratch: Path) -> None:
        nonces = {question.id: secrets.token_hex(8) for question in self.asked}
        nonces[""] = secrets.token_hex(8)
        asked, answered = scratch / "asked", scratch / "answered"
        limits = self.rubric.limits
        asked.write_bytes(wire.batch(wire.pack(self.asked), nonces=nonces, seconds=0))
        code = (
            f"__import__('builtins').{live_questions.OBSERVED}({str(asked)!r}, {str(answered)!r})"
        )
        request = client.kc.execute(code, silent=True, store_history=False)
        reply = asyncio.ensure_future(client.async_wait_for_reply(request))
        await _within(reply, PATIENCE * limits.question_s * max(1, len(self.asked)))
        reply.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await reply
        bodies = _frames(answered.read_bytes()) if answered.exists() else iter(())
        self.observations = live_questions.heard(bodies, nonces=nonces)


async def _within(task: asyncio.Future[Any], seconds: float) -> bool:
    """Whether it ends in time, in whatever way."""
    await asyncio.wait({task}, timeout=seconds)
    return task.done()


def _frames(data: bytes) -> Iterator[bytes]:
    place = 0
    while place + 8 <= len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        if place + 8 + length > len(data):
            return
        yield data[place + 8 : place + 8 + length]
        place += 8 + length
