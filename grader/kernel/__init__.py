"""The grader's handle on one live notebook: start it, run it, ask it, and let it go."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from grader import wire
from grader.errors import KernelError, WireError
from grader.kernel.cell_runs import (
    bound_output,
    not_reached_run,
    read_cell_run,
    read_versions,
    struck_out_run,
)
from grader.kernel.file_frames import compose_file_frames
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
    from grader import sandbox  # it needs a Unix; what is said of cells is read on Windows, too

MAX_STRUCK_OUT = 3
"""How many cells that kill their kernel are struck out before the rest is left unrun."""
START_SECONDS = 90.0
"""Seconds a kernel may take to come up."""
MARGIN_SECONDS = 10.0
"""Seconds granted on top of a limit before a process that ignores it is killed."""


class LiveNotebook(Protocol):
    """A notebook that can be run and asked."""

    def run(self, cells: tuple[Cell, ...], *, blank: frozenset[int]) -> ExecutionRecord:
        """Run the code cells in order, those in `blank` left out."""
        ...

    def ask(
        self, questions: tuple[Question, ...] | wire.PackedQuestions
    ) -> Mapping[str, Observation]:
        """Ask a batch; each question gets an observation, whatever happens."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSetup:
    """What a kernel is told before the first cell."""

    fork_server: sandbox.ForkServer
    """What rooms are forked from."""
    seed: int
    record: tuple[str, ...]
    optional_imports: tuple[str, ...]
    limits: Limits
    trusted: bool = False
    """Whether it is staff's own: questions about it need no fork each."""
    stop: Event = field(default_factory=Event)
    """Set to end every wait for this kernel, when the run is interrupted."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """What lies in the working folder before the first cell, by path below it; copies are made."""


@contextmanager
def start_kernel(setup: KernelSetup) -> Iterator[LiveNotebook]:
    """A notebook's process, gone when the block is left."""
    with ExitStack() as sandboxes:
        yield KernelProcess(setup, sandboxes)


class KernelProcess:
    """A Live notebook in a process behind the wall."""

    def __init__(self, setup: KernelSetup, sandboxes: ExitStack) -> None:
        self._setup = setup
        self._sandboxes = sandboxes
        self._channel: wire.Channel | None = None

    def run(self, cells: tuple[Cell, ...], *, blank: frozenset[int]) -> ExecutionRecord:
        """Run the notebook; a cell that kills its kernel is struck out, and it is run again.

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
        runs = {run.index: run for run in attempt.runs} | killers
        reason = f"{MAX_STRUCK_OUT} cells before this one ended the notebook's process."
        if out_of_time:
            seconds = self._setup.limits.submission_s
            reason = f"The {seconds:g} s for the whole notebook were used up before this cell."
        return ExecutionRecord(
            cells=bound_output([_run_for_cell(cell, runs, blank, reason=reason) for cell in cells]),
            versions=attempt.versions,
            isolation=self._setup.fork_server.isolation,
            heard=True,
        )

    def ask(
        self, questions: tuple[Question, ...] | wire.PackedQuestions
    ) -> Mapping[str, Observation]:
        """Ask a batch; what did not come back is 'died', what came back wrong is 'invalid'."""
        answers: dict[str, Observation] = {}
        status = "died"
        packed_questions = (
            questions
            if isinstance(questions, wire.PackedQuestions)
            else wire.pack_questions(questions)
        )
        if self._channel is not None and packed_questions.questions:
            try:
                self._ask_batch(self._channel, packed_questions, answers)
            except WireError as error:
                status = "invalid" if "frame" in str(error) or "answer to" in str(error) else "died"
                self._channel = None
        for question in packed_questions.questions:
            answers.setdefault(question.id, Observation(id=question.id, status=status))
        return answers

    def _ask_batch(
        self,
        channel: wire.Channel,
        packed: wire.PackedQuestions,
        answers: dict[str, Observation],
    ) -> None:
        seconds = self._setup.limits.question_s
        nonces = {question.id: secrets.token_hex(8) for question in packed.questions}
        nonces[""] = secrets.token_hex(8)
        channel.send(
            wire.compose_batch(packed, nonces=nonces, seconds=seconds), seconds=MARGIN_SECONDS
        )
        bytes_left = wire.BATCH_BYTES
        while True:
            frame = channel.receive(seconds=seconds + MARGIN_SECONDS)
            if frame.header.get("end") and frame.header.get("nonce") == nonces[""]:
                return
            answer = wire.read_observation(frame, nonces=nonces)
            bytes_left -= sum(array.nbytes for array in answer.arrays.values())
            if answer.id in answers or bytes_left < 0:  # else it could answer without end
                raise WireError("an answer to what was answered, or frames larger than allowed")
            answers[answer.id] = answer

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
                channel.send(
                    frame, seconds=START_SECONDS
                )  # a cold one reads nothing until it is up
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
            "optional_imports": list(self._setup.optional_imports),
            "limits": asdict(limits),
            "submission_s": seconds,
            "trusted": self._setup.trusted,
            "files": len(self._setup.files),
        }

    def _follow_run(
        self, channel: wire.Channel, cells: list[Cell], *, seconds: float
    ) -> _RunAttempt:
        """Follow a run to its end; a silent runner is taken for one whose cell killed it."""
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
                killer = struck_out_run(cells[len(runs)].index, "ended the notebook's process")
                return _RunAttempt(runs=tuple(runs), killer=killer)
            kind = frame.get("frame")
            out_of_time = out_of_time or kind == "out_of_time"
            if kind == "cell" and len(runs) < len(cells):
                run = read_cell_run(frame, cells[len(runs)], limits=self._setup.limits)
                if run.status is CellStatus.STRUCK_OUT:
                    return _RunAttempt(runs=tuple(runs), killer=run)
                runs.append(run)
            elif kind == "ran":
                package_versions = read_versions(frame.get("versions"))
                return _RunAttempt(
                    runs=tuple(runs), versions=package_versions, out_of_time=out_of_time
                )
            elif kind == "failed":
                raise KernelError(f"no kernel came up: {wire.scrub_text(frame.get('error', ''))}")

    def _add_notes(self, attempt: _RunAttempt, cells: list[Cell]) -> _RunAttempt:
        """Add what was neutralized, which the kernel knows by the count of cells it ran."""
        answer = self.ask((Question(id="notes", kind="notes"),))["notes"]
        by_cell: dict[int, tuple[str, ...]] = {}
        for entry in _note_entries(answer.data.get("notes")):
            position, notes = entry
            if 0 <= position < len(cells):
                by_cell[cells[position].index] = tuple(
                    wire.sanitize_text(n, max_length=200) for n in notes[:20]
                )
        runs = tuple(
            replace(run, notes=(*run.notes, *by_cell.get(run.index, ()))) for run in attempt.runs
        )
        return replace(attempt, runs=runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunAttempt:
    """One go at a notebook; `killer` is the cell that ended its kernel."""

    runs: tuple[CellRun, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    killer: CellRun | None = None
    out_of_time: bool = False
    """Whether the time ran out before the last cell."""


def _note_entries(value: Json) -> list[tuple[int, list[Json]]]:
    if not isinstance(value, list):
        return []
    return [
        (entry[0], entry[1])
        for entry in value
        if isinstance(entry, list)
        and len(entry) == 2  # noqa: PLR2004 (a pair)
        and isinstance(entry[0], int)
        and isinstance(entry[1], list)
    ]


def _run_for_cell(
    cell: Cell, runs: Mapping[int, CellRun], blank: frozenset[int], *, reason: str
) -> CellRun:
    if cell.index in blank:
        return CellRun(index=cell.index, status=CellStatus.SKIPPED)
    if cell.index in runs:
        return runs[cell.index]
    return not_reached_run(cell.index, reason=reason)
