"""Start, run, ask and end one live notebook in a process behind the walls."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from grader import wire
from grader.errors import KernelError, WireError
from grader.kernel import cell_runs
from grader.kernel.file_frames import compose_file_frames
from grader.kernel.question_batch import MARGIN_SECONDS, ask_batch
from grader.model import (
    Cell,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Json,
    Limits,
    Observation,
    Question,
)

if TYPE_CHECKING:
    from grader import sandbox  # it needs Unix; records of cells are read on Windows, too

MAX_STRUCK_OUT = 3
"""How many cells that kill their kernel are left out before the rest is not run."""
START_SECONDS = 90.0
"""Seconds a kernel may take to come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSetup:
    """What a kernel needs before its first cell."""

    fork_server: sandbox.ForkServer
    seed: int
    record: tuple[str, ...]
    limits: Limits
    trusted: bool = False
    """Whether it is staff's own notebook: questions about it need no fork each."""
    stop: Event = field(default_factory=Event)
    """Set to end every wait for this kernel, when the run is interrupted."""
    unknown_modules: Mapping[str, str] = field(default_factory=dict)
    """Modules that it imports and nobody knows, with the one that may have been meant."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Files to copy into the working folder before the first cell, by path below it."""


@contextmanager
def start_kernel(setup: KernelSetup) -> Iterator[LiveNotebook]:
    """Provide a handle on a notebook; its process ends when the block is left."""
    with ExitStack() as sandboxes:
        yield LiveNotebook(setup, sandboxes)


class LiveNotebook:
    """A notebook that can be run and asked, in a process behind the walls."""

    def __init__(self, setup: KernelSetup, sandboxes: ExitStack) -> None:
        self._setup = setup
        self._sandboxes = sandboxes
        self._channel: wire.Channel | None = None

    def run(self, cells: tuple[Cell, ...], *, blank: frozenset[int]) -> ExecutionRecord:
        """Run the code cells in order, without those in `blank`.

        A cell that kills its kernel is left out, and the notebook is run again.

        Raises:
            KernelError: no kernel came up at all.
        """
        deadline = time.monotonic() + self._setup.limits.submission_s
        killers: dict[int, CellRun] = {}
        while True:
            cells_to_run = [c for c in cells if c.index not in blank and c.index not in killers]
            generation = self._setup.fork_server.generation
            attempt = self._run_once(cells_to_run, seconds=max(1.0, deadline - time.monotonic()))
            killer = attempt.killer
            server_restarted = (
                killer is not None and self._setup.fork_server.ensure_running() > generation
            )
            if killer is not None and not server_restarted:
                killers[killer.index] = killer
            out_of_time = attempt.out_of_time or time.monotonic() >= deadline
            if (
                killer is None
                or out_of_time
                or len(killers) >= MAX_STRUCK_OUT
                or self._setup.stop.is_set()
            ):
                break
        if attempt.killer is None:
            attempt = self._add_notes(attempt, cells_to_run)
        reason = f"{MAX_STRUCK_OUT} cells before this one ended the notebook's process."
        if out_of_time:
            seconds = self._setup.limits.submission_s
            reason = f"The {seconds:g} s for the whole notebook were used up before this cell."
        runs = {cell.index: cell_runs.not_reached_run(cell.index, reason=reason) for cell in cells}
        runs |= {run.index: run for run in attempt.runs} | killers
        runs |= {index: CellRun(index=index, status=CellStatus.SKIPPED) for index in blank}
        return ExecutionRecord(
            cells=cell_runs.bound_output([runs[cell.index] for cell in cells]),
            versions=attempt.versions,
            isolation=self._setup.fork_server.isolation,
            heard=True,
        )

    def ask(
        self, questions: tuple[Question, ...] | wire.PackedQuestions
    ) -> Mapping[str, Observation]:
        """Ask a batch; each question gets an observation, whatever happens.

        Once the channel broke, every later question is 'not_asked'.
        """
        packed = (
            questions
            if isinstance(questions, wire.PackedQuestions)
            else wire.pack_questions(questions)
        )
        if self._channel is None or not packed.questions:
            return {q.id: Observation(id=q.id, status="not_asked") for q in packed.questions}
        result = ask_batch(self._channel, packed, question_seconds=self._setup.limits.question_s)
        if not result.channel_usable:
            self._channel = None
        return result.observations

    def _run_once(self, cells: list[Cell], *, seconds: float) -> _RunAttempt:
        self._sandboxes.close()
        attempt = _RunAttempt()
        try:
            pipes = self._sandboxes.enter_context(
                self._setup.fork_server.open_sandbox(self._setup.limits)
            )
            channel = wire.Channel(
                read_fd=pipes.read_fd, write_fd=pipes.write_fd, stop=self._setup.stop
            )
            channel.send(
                wire.compose_frame(self._compose_job(cells, seconds)), seconds=MARGIN_SECONDS
            )
            for frame in compose_file_frames(self._setup.files):
                # A cold runner reads nothing until it is up.
                channel.send(frame, seconds=START_SECONDS)
            attempt = self._follow_run(channel, cells, seconds=seconds)
        except WireError as error:
            raise KernelError(f"the notebook could not be run: {error}") from error
        self._channel = channel if attempt.killer is None else None
        return attempt

    def _compose_job(self, cells: list[Cell], seconds: float) -> dict[str, Json]:
        limits = self._setup.limits
        return {
            "cells": [{"index": cell.index, "source": cell.source} for cell in cells],
            "seed": self._setup.seed,
            "record": list(self._setup.record),
            "unknown_modules": dict(self._setup.unknown_modules),
            "limits": asdict(limits),
            "submission_s": seconds,
            "trusted": self._setup.trusted,
            "files": len(self._setup.files),
        }

    def _follow_run(
        self, channel: wire.Channel, cells: list[Cell], *, seconds: float
    ) -> _RunAttempt:
        """Follow a run to its end; if the runner falls silent, its current cell killed it.

        Raises:
            KernelError: no kernel came up.
            WireError: the runner was lost after the last cell.
        """
        runs: list[CellRun] = []
        out_of_time = False
        limit = min(self._setup.limits.cell_s, seconds) + MARGIN_SECONDS
        while True:
            has_begun = runs or not cells
            try:
                frame = channel.receive(
                    seconds=limit if has_begun else START_SECONDS + limit
                ).header
            except WireError:
                if len(runs) == len(cells):
                    raise
                killer = cell_runs.struck_out_run(
                    cells[len(runs)].index, "ended the notebook's process"
                )
                return _RunAttempt(runs=tuple(runs), killer=killer)
            kind = frame.get("frame")
            out_of_time = out_of_time or kind == "out_of_time"
            if kind == "cell" and len(runs) < len(cells):
                run = cell_runs.read_cell_run(frame, cells[len(runs)], limits=self._setup.limits)
                if run.status is CellStatus.STRUCK_OUT:
                    return _RunAttempt(runs=tuple(runs), killer=run)
                runs.append(run)
            elif kind == "ran":
                versions = cell_runs.read_versions(frame.get("versions"))
                return _RunAttempt(runs=tuple(runs), versions=versions, out_of_time=out_of_time)
            elif kind == "failed":
                raise KernelError(f"no kernel came up: {wire.scrub_text(frame.get('error', ''))}")

    def _add_notes(self, attempt: _RunAttempt, cells: list[Cell]) -> _RunAttempt:
        """Add what was neutralized in each cell, which the kernel counts in the order they ran."""
        answer = self.ask((Question(id="notes", kind="notes"),))["notes"]
        entries = answer.data.get("notes")
        by_index: dict[int, tuple[str, ...]] = {}
        for entry in entries if isinstance(entries, list) else ():
            match entry:
                case [int(position), list(notes)] if 0 <= position < len(cells):
                    by_index[cells[position].index] = tuple(
                        wire.sanitize_text(note, max_length=200) for note in notes[:20]
                    )
        runs = tuple(
            replace(run, notes=(*run.notes, *_unsaid(by_index.get(run.index, ()), run)))
            for run in attempt.runs
        )
        return replace(attempt, runs=runs)


def _unsaid(notes: tuple[str, ...], run: CellRun) -> Iterator[str]:
    """Yield the notes that the error of a cell does not say already."""
    message = run.error.message if run.error else ""
    return (note for note in notes if not message.startswith(note))


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunAttempt:
    """One attempt to run a notebook; `killer` is the cell that ended its kernel."""

    runs: tuple[CellRun, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    killer: CellRun | None = None
    out_of_time: bool = False
    """Whether the time ran out before the last cell."""
