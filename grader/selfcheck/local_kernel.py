"""Runs and asks a notebook on its owner's computer: a `LiveNotebook` in a cold kernel, no walls.

The ordinary kernel is forked behind walls, which needs Linux. This one needs only Jupyter, so that
it works on macOS, Windows and Colab, too. Cells, stubs, seeds, recorder and questions are the same.
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbformat import v4

from grader import settings, wire
from grader.errors import KernelError
from grader.kernel.cell_runs import accept_final_exit, add_notes, not_reached_run, read_cell_run
from grader.kernel.strike_out import RunAttempt, run_without_killers
from grader.model import (
    Cell,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Isolation,
    Json,
    Observation,
    Question,
    Rubric,
    SavedOutput,
)
from grader.notebook.saved_outputs import saved_outputs
from grader.selfcheck import inside_loader, live_questions
from grader.selfcheck.public_tests import TEST_KIND, lost_test

PATIENCE_FACTOR = 3
"""How many times the limits of grading cells and questions may take: libraries load first."""
START_SECONDS = 120.0
"""Seconds a kernel may take to come up."""
MAX_RUNS_AGAIN = 4
"""How often the notebook is run again since a question ended its process or was never answered."""
GRACE_SECONDS = 5.0
"""Seconds an interrupted cell has to stop before its kernel is ended."""
_UNANSWERED = frozenset({"died", "timed_out", "not_asked"})
OWN_COMPUTER = Isolation(level="none", description="run by its owner, on their own computer")


@contextmanager
def start_local_kernel(
    rubric: Rubric,
    *,
    folder: Path,
    unknown_modules: Mapping[str, str],
    tests: Path = Path(),
    cells: Sequence[str] = (),
) -> Iterator[LocalKernel]:
    """Yield a notebook's kernel on this computer; its process is gone when the block is left.

    Args:
        rubric: What the kernel records, seeds and is limited by.
        folder: The working directory of the notebook.
        unknown_modules: Modules that nobody knows, with what may be the matter.
        tests: The file of the course's public tests.
        cells: The source of the notebook's code cells, which tests may read.
    """
    # Windows' usual loop can't wait for the sockets of a kernel.
    loop = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=loop) as runner, ExitStack() as resources:
        job: dict[str, Json] = {
            "record": list(rubric.record),
            "seed": rubric.seed,
            "unknown_modules": dict(unknown_modules),
            "tests": str(tests),
            "cells": list(cells),
        }
        yield LocalKernel(rubric, job, folder=folder, runner=runner, resources=resources)


class LocalKernel:
    """A live notebook in a process of its own, with its owner's rights."""

    def __init__(
        self,
        rubric: Rubric,
        job: Mapping[str, Json],
        *,
        folder: Path,
        runner: asyncio.Runner,
        resources: ExitStack,
    ) -> None:
        self.outputs: dict[int, tuple[SavedOutput, ...]] = {}
        """By the number of a cell, its outputs in the last run."""
        self._rubric = rubric
        self._job = job
        self._folder = folder
        self._runner = runner
        self._resources = resources
        self._scratch = Path()
        self._cells: list[Cell] = []
        """What ran in the kernel that there is."""
        self._client: Any = None
        """None where no kernel is live."""

    def run(self, cells: tuple[Cell, ...], *, blank: frozenset[int]) -> ExecutionRecord:
        """Run the cells in order; leave out one that ends its kernel, and run the rest anew.

        Raises:
            KernelError: No kernel came up.
        """
        to_run = [cell for cell in cells if cell.index not in blank]
        result = run_without_killers(to_run, run_once=self._run_attempt)
        notes = self.ask((Question(id="notes", kind="notes"),))["notes"]
        runs = {run.index: run for run in add_notes(result.attempt.runs, notes)}
        runs |= {**result.struck_out}
        runs |= {index: CellRun(index=index, status=CellStatus.SKIPPED) for index in blank}
        reason = (
            "The notebook's time was used up before this cell, or cells before it ended Python "
            "or did not stop."
        )
        in_order = [
            runs.get(cell.index) or not_reached_run(cell.index, reason=reason) for cell in cells
        ]
        return ExecutionRecord(
            cells=tuple(accept_final_exit(in_order)),
            isolation=OWN_COMPUTER,
        )

    def _run_attempt(self, cells: list[Cell]) -> RunAttempt:
        """Run some cells in a fresh kernel."""
        self._resources.close()  # the kernel that a cell ended, if any
        self._cells = cells
        runs = self._runner.run(self._run_cells(cells)).values()
        killer = next((run for run in runs if run.status is CellStatus.STRUCK_OUT), None)
        return RunAttempt(runs=tuple(run for run in runs if run is not killer), killer=killer)

    def ask(
        self, questions: tuple[Question, ...] | wire.PackedQuestions
    ) -> Mapping[str, Observation]:
        """Ask a batch; each question gets an observation, whatever happens.

        Where an answer ends the process or never comes, the notebook is run again, and what has no
        answer yet is asked alone: a function that calls `os._exit` fails its own tests only.
        """
        packed = (
            questions
            if isinstance(questions, wire.PackedQuestions)
            else wire.pack_questions(questions)
        )
        if self._client is None:
            return self._read_answers(packed, b"", nonces={})
        observations = self._ask_once(packed)
        runs = 0
        for question in packed.questions:
            if observations[question.id].status not in _UNANSWERED:
                continue
            if self._client is None:
                runs += 1
                if runs > MAX_RUNS_AGAIN or not self._run_again():
                    break
            alone = self._ask_once(wire.pack_questions((question,)))[question.id]
            is_lost = question.kind == TEST_KIND and alone.status in _UNANSWERED
            observations[question.id] = lost_test(alone) if is_lost else alone
        return observations

    def _run_again(self) -> bool:
        """Run the same cells in a fresh kernel; return whether it lives."""
        outputs = self.outputs
        self._run_attempt(self._cells)
        self.outputs = outputs
        return self._client is not None

    def _ask_once(self, packed: wire.PackedQuestions) -> dict[str, Observation]:
        """Ask a batch in the kernel that there is; let go of it where it did not survive that."""
        ids = ("", *(question.id for question in packed.questions))
        nonces = {question_id: secrets.token_hex(8) for question_id in ids}
        answers_path = self._scratch / "answers"
        answers_path.unlink(missing_ok=True)
        frame = wire.compose_batch(packed, nonces=nonces, seconds=0)
        (self._scratch / "questions").write_bytes(frame)
        in_time = self._runner.run(self._exchange_files(count=len(packed.questions)))
        data = answers_path.read_bytes() if answers_path.exists() else b""
        observations = self._read_answers(packed, data, nonces=nonces)
        if any(observation.status in _UNANSWERED for observation in observations.values()):
            self._client = None
            self._resources.close()
        if in_time:
            return observations
        return {
            question_id: replace(answer, status="timed_out") if answer.status == "died" else answer
            for question_id, answer in observations.items()
        }

    def _read_answers(
        self, packed: wire.PackedQuestions, data: bytes, *, nonces: dict[str, str]
    ) -> dict[str, Observation]:
        bodies = _split_frames(data)
        return dict(live_questions.parse_answers(bodies, packed.questions, nonces=nonces))

    async def _exchange_files(self, *, count: int) -> bool:
        """Let the kernel read the file of questions and write the file of answers.

        Return whether it lived and came to an end in time, or died before.
        """
        paths = tuple(str(self._scratch / name) for name in ("questions", "answers"))
        code = f"__import__('builtins').{live_questions.BUILTIN_NAME}{paths!r}"
        request = self._client.kc.execute(code, silent=True, store_history=False)
        seconds = PATIENCE_FACTOR * self._rubric.limits.question_s * max(1, count)
        reply = asyncio.ensure_future(self._client.async_wait_for_reply(request))
        await asyncio.wait({reply}, timeout=seconds)
        in_time: bool = reply.done()
        await _settle(reply)
        return in_time

    async def _run_cells(self, cells: list[Cell]) -> dict[int, CellRun]:
        """Run cells in a fresh kernel, to the end of their time or to one that ends the kernel."""
        self.outputs = {}
        meter = inside_loader.load_inside("output_limits").OutputMeter(asdict(self._rubric.limits))
        client = await self._start(cells, meter)
        limits, runs = self._rubric.limits, dict[int, CellRun]()
        end = time.monotonic() + PATIENCE_FACTOR * limits.submission_s
        for index, cell in enumerate(cells):
            seconds = min(end - time.monotonic(), PATIENCE_FACTOR * limits.cell_s)
            if seconds <= 0:
                break
            meter.begin_cell()
            frame = await _execute_cell(client, index, seconds=seconds)
            frame["over"] = meter.exceeded_limit()
            frame["shown"] = meter.summarize_cell(client.nb.cells[index])
            runs[cell.index] = read_cell_run(frame, cell, limits=limits)
            self.outputs[cell.index] = saved_outputs(
                client.nb.cells[index].get("outputs"), cell=cell.index, notes=[]
            )
            if runs[cell.index].status is CellStatus.STRUCK_OUT:
                return runs
        self._client = client
        return runs

    async def _start(self, cells: list[Cell], meter: Any) -> Any:
        """Start a kernel and return an nbclient for the cells."""
        self._client = None
        folder = tempfile.TemporaryDirectory(prefix="grade", ignore_cleanup_errors=True)
        self._scratch = Path(self._resources.enter_context(folder))
        code_cells = [v4.new_code_cell(source=c.source) for c in cells]  # type: ignore[no-untyped-call]
        notebook = v4.new_notebook(cells=code_cells)  # type: ignore[no-untyped-call]
        manager = _make_manager(self._job, scratch=self._scratch)
        self._resources.callback(self._shut_down, manager)
        outputs = inside_loader.load_inside("output_limits")
        client = outputs.make_bounded_client(notebook, manager, meter)
        log = self._scratch / "log"
        try:
            with log.open("wb") as log_file:  # what ipykernel warns of is no student's concern
                await manager.start_kernel(
                    cwd=str(self._folder),
                    env=settings.self_check_environment(self._scratch),
                    stdout=log_file,
                    stderr=log_file,
                )
            client.kc = manager.client()
            client.kc.start_channels()
            client.kc.allow_stdin = False
            await client.kc.wait_for_ready(timeout=START_SECONDS)
        except Exception as error:
            last_line = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            reason = wire.scrub_text(": ".join((f"{error}", *last_line)), max_length=500)
            raise KernelError(f"no kernel came up: {reason}") from error
        return client

    def _shut_down(self, manager: Any) -> None:
        with contextlib.suppress(Exception):
            self._runner.run(manager.shutdown_kernel(now=True))


async def _execute_cell(client: Any, index: int, *, seconds: float) -> dict[str, Any]:
    """Execute one cell and return what happened as a runner's frame; interrupt one that is late."""
    began = time.monotonic()
    cell = client.nb.cells[index]
    task = asyncio.ensure_future(client.async_execute_cell(cell, index))
    late = not await _ends_in_time(task, seconds)
    if late:
        await client.km.interrupt_kernel()
        if not await _ends_in_time(task, GRACE_SECONDS):
            await client.km.shutdown_kernel(now=True)
    alive = await client.km.is_alive()
    await _settle(task, cancel=not alive)
    return {
        "seconds": time.monotonic() - began,
        "limit": seconds if late else None,
        "exit": None if alive else -1,
        "error": inside_loader.load_inside("output_limits").last_error(cell),
    }


async def _ends_in_time(task: asyncio.Future[Any], seconds: float) -> bool:
    await asyncio.wait({task}, timeout=seconds)
    return task.done()


async def _settle(task: asyncio.Future[Any], *, cancel: bool = True) -> None:
    """Wait for a task's end, however it ends."""
    if cancel:
        task.cancel()
    with contextlib.suppress(Exception, asyncio.CancelledError):
        await task


def _make_manager(job_settings: Mapping[str, Json], *, scratch: Path) -> Any:
    job = scratch / "job.json"
    job.write_text(json.dumps(job_settings), encoding="utf-8")
    program = ["-P", "-Wignore", "-m", "grader.selfcheck.check_kernel"]
    return AsyncKernelManager(
        kernel_spec_manager=_OwnKernelSpecs(
            [sys.executable, *program, "{connection_file}", str(job)]
        ),
        kernel_name="python3",
        connection_file=str(scratch / "connection.json"),
    )


class _OwnKernelSpecs(KernelSpecManager):
    """Finds no kernel but that of this interpreter, whatever else is installed."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__()
        self._argv = argv

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the only specification, whatever name is asked for."""
        return KernelSpec(argv=self._argv, display_name=kernel_name, language="python")


def _split_frames(data: bytes) -> Iterator[bytes]:
    offset = 0
    while offset + 8 <= len(data):
        (length,) = struct.unpack_from("<Q", data, offset)
        if offset + 8 + length > len(data):
            return
        yield data[offset + 8 : offset + 8 + length]
        offset += 8 + length
