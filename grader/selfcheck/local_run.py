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
from grader.kernel.cell_runs import not_reached_run, read_cell_run
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

PATIENCE_FACTOR = 3
"""How many times the time it has when it is graded a cell may take: libraries load first."""
START = 120.0
"""Seconds a kernel may take to come up."""
GRACE = 5.0
"""Seconds an interrupted cell has to stop before its kernel is ended."""
STRIKES = 3
"""How many cells that end their kernel are left out before the rest is left unrun."""
OWN_COMPUTER = Isolation(level="none", description="run by its owner, on their own computer")
"""There is nothing to keep it from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRun:
    """What came of running a notebook and asking it."""

    record: ExecutionRecord
    observations: Mapping[str, Observation]
    outputs: Mapping[int, tuple[SavedOutput, ...]]
    """By cell, what it put out now."""


def run_notebook(
    notebook: Notebook, *, rubric: Rubric, questions: tuple[Question, ...], folder: Path
) -> LocalRun:
    """Run the notebook in its folder, and ask it.

    Raises:
        KernelError: no kernel came up.
    """
    cells = [cell for cell in notebook.code_cells() if not is_blank(cell)]
    killer_runs: dict[int, CellRun] = {}
    while True:
        attempt = _LocalAttempt(rubric=rubric, folder=folder, questions=questions)
        remaining = [cell for cell in cells if cell.index not in killer_runs]
        # Windows' usual loop can't wait for the sockets of a kernel.
        loop = asyncio.SelectorEventLoop if sys.platform == "win32" else None
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(attempt.run_and_ask(remaining))
        if attempt.killer is None or len(killer_runs) + 1 >= STRIKES:
            break
        killer_runs[attempt.killer.index] = attempt.killer
    runs_by_cell = {run_record.index: run_record for run_record in attempt.runs} | killer_runs
    if attempt.killer is not None:
        runs_by_cell[attempt.killer.index] = attempt.killer
    record = ExecutionRecord(
        cells=tuple(_run_for_cell(cell, runs_by_cell) for cell in notebook.code_cells()),
        isolation=OWN_COMPUTER,
    )
    return LocalRun(record=record, observations=attempt.observations, outputs=attempt.outputs)


def _run_for_cell(cell: Cell, runs_by_cell: Mapping[int, CellRun]) -> CellRun:
    if is_blank(cell):
        return CellRun(index=cell.index, status=CellStatus.SKIPPED)
    reason = "The notebook's time was used up before this cell, or cells before it ended Python."
    return runs_by_cell.get(cell.index) or not_reached_run(cell.index, reason=reason)


class _OwnKernelSpecs(KernelSpecManager):
    """Finds no kernel but the one of this interpreter, whatever is installed."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__()
        self._argv = argv

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The one there is."""
        return KernelSpec(argv=self._argv, display_name=kernel_name, language="python")


@dataclass(slots=True, kw_only=True)
class _LocalAttempt:
    """One go at a notebook; `killer` is the cell that ended its kernel."""

    rubric: Rubric
    folder: Path
    questions: tuple[Question, ...]
    runs: list[CellRun] = field(default_factory=list)
    killer: CellRun | None = None
    observations: Mapping[str, Observation] = field(default_factory=dict)
    outputs: dict[int, tuple[SavedOutput, ...]] = field(default_factory=dict)

    async def run_and_ask(self, cells: list[Cell]) -> None:
        """Run the cells in order, then ask."""
        with tempfile.TemporaryDirectory(
            prefix="grade", ignore_cleanup_errors=True
        ) as scratch_name:
            scratch = Path(scratch_name)
            manager = self._make_manager(scratch)
            try:
                client, output = await self._start_kernel(manager, cells, scratch)
                await self._run_cells(client, output, cells)
                if self.killer is None:
                    await self._ask_questions(client, scratch)
            finally:
                with contextlib.suppress(Exception):
                    await manager.shutdown_kernel(now=True)

    def _make_manager(self, scratch: Path) -> Any:
        job = scratch / "job.json"
        job_settings = {
            "record": self.rubric.record,
            "optional_imports": self.rubric.optional_imports,
            "seed": self.rubric.seed,
        }
        job.write_text(json.dumps(job_settings), encoding="utf-8")
        program = ["-P", "-Wignore", "-m", "grader.selfcheck.check_kernel"]
        argv = [sys.executable, *program, "{connection_file}", str(job)]
        return AsyncKernelManager(
            kernel_spec_manager=_OwnKernelSpecs(argv),
            kernel_name="python3",
            connection_file=str(scratch / "connection.json"),
        )

    async def _start_kernel(
        self, manager: Any, cells: list[Cell], scratch: Path
    ) -> tuple[Any, Any]:
        outputs = inside_loader.load_inside("output_limits")
        output = outputs.OutputMeter(asdict(self.rubric.limits))
        code_cells = [v4.new_code_cell(source=c.source) for c in cells]  # type: ignore[no-untyped-call]
        notebook = v4.new_notebook(cells=code_cells)  # type: ignore[no-untyped-call]
        client = outputs.make_bounded_client(notebook, manager, output)
        log = scratch / "log"
        try:
            env = settings.self_check_environment(scratch)
            with log.open("wb") as log_file:  # what ipykernel warns of is no student's concern
                await manager.start_kernel(
                    cwd=str(self.folder), env=env, stdout=log_file, stderr=log_file
                )
            client.kc = manager.client()
            client.kc.start_channels()
            client.kc.allow_stdin = False
            await client.kc.wait_for_ready(timeout=START)
        except Exception as error:
            last_line = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            reason = wire.scrub_text(": ".join((f"{error}", *last_line)), max_length=500)
            raise KernelError(f"no kernel came up: {reason}") from error
        return client, output

    async def _run_cells(self, client: Any, output: Any, cells: list[Cell]) -> None:
        limits = self.rubric.limits
        end = time.monotonic() + PATIENCE_FACTOR * limits.submission_s
        for index, cell in enumerate(cells):
            left = end - time.monotonic()
            if left <= 0:
                return
            run_record = await self._run_cell(
                client, output, cell, index, min(left, PATIENCE_FACTOR * limits.cell_s)
            )
            self.outputs[cell.index] = saved_outputs(
                client.nb.cells[index].get("outputs"), cell=cell.index, notes=[]
            )
            if run_record.status is CellStatus.STRUCK_OUT:
                self.killer = run_record
                return
            self.runs.append(run_record)

    async def _run_cell(
        self, client: Any, output: Any, cell: Cell, index: int, seconds: float
    ) -> CellRun:
        output.begin_cell()
        began = time.monotonic()
        source = client.nb.cells[index]
        task = asyncio.ensure_future(client.async_execute_cell(source, index))
        late = not await _ends_in_time(task, seconds)
        if late:
            await client.km.interrupt_kernel()
            if not await _ends_in_time(task, GRACE):
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
            "error": inside_loader.load_inside("output_limits").last_error(source),
            "over": output.exceeded_limit(),
        }
        return read_cell_run(frame, cell, limits=self.rubric.limits)

    async def _ask_questions(self, client: Any, scratch: Path) -> None:
        nonces = {question.id: secrets.token_hex(8) for question in self.questions}
        nonces[""] = secrets.token_hex(8)
        questions_path, answers_path = scratch / "asked", scratch / "answered"
        limits = self.rubric.limits
        questions_path.write_bytes(
            wire.compose_batch(wire.pack_questions(self.questions), nonces=nonces, seconds=0)
        )
        code = f"__import__('builtins').{live_questions.BUILTIN_NAME}({str(questions_path)!r}, {str(answers_path)!r})"
        request = client.kc.execute(code, silent=True, store_history=False)
        reply = asyncio.ensure_future(client.async_wait_for_reply(request))
        await _ends_in_time(
            reply, PATIENCE_FACTOR * limits.question_s * max(1, len(self.questions))
        )
        reply.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await reply
        bodies = _split_frames(answers_path.read_bytes()) if answers_path.exists() else iter(())
        self.observations = live_questions.parse_answers(bodies, nonces=nonces)


async def _ends_in_time(task: asyncio.Future[Any], seconds: float) -> bool:
    """Whether it ends in time, in whatever way."""
    await asyncio.wait({task}, timeout=seconds)
    return task.done()


def _split_frames(data: bytes) -> Iterator[bytes]:
    offset = 0
    while offset + 8 <= len(data):
        (length,) = struct.unpack_from("<Q", data, offset)
        if offset + 8 + length > len(data):
            return
        yield data[offset + 8 : offset + 8 + length]
        offset += 8 + length
