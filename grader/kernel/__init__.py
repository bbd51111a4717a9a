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
from grader.kernel.cell_runs import cell_run, not_reached, struck, versions, within_bounds
from grader.kernel.file_frames import pieces
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

STRIKES = 3
"""How many cells that kill their kernel are struck out before the rest is left unrun."""
START = 90.0
"""Seconds a kernel may take to come up."""
MARGIN = 10.0
"""Seconds granted on top of a limit before a process that ignores it is killed."""


class Live(Protocol):
    """A notebook that can be run and asked."""

    def run(self, cells: tuple[Cell, ...], *, blank: frozenset[int]) -> ExecutionRecord:
        """Run the code cells in order, those in `blank` left out."""
        ...

    def ask(self, asked: tuple[Question, ...] | wire.Packed) -> Mapping[str, Observation]:
        """Ask a batch; each question gets an observation, whatever happens."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a kernel is told before the first cell."""

    parent: sandbox.Parent
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
def opened(setup: Setup) -> Iterator[Live]:
    """A notebook's process, gone when the block is left."""
    with ExitStack() as rooms:
        yield Process(setup, rooms)


class Process:
    """A Live notebook in a process behind the wall."""

    def __init__(self, setup: Setup, rooms: ExitStack) -> None:
        self._setup = setup
        self._rooms = rooms
        self._channel: wire.Channel | None = None

    def run(self, cells: tuple[Cell, ...], *, blank: frozenset[int]) -> ExecutionRecord:
        """Run the notebook; a cell that kills its kernel is struck out, and it is run again.

        Raises:
            KernelError: no kernel came up at all.
        """
        end = time.monotonic() + self._setup.limits.submission_s
        killers: dict[int, CellRun] = {}
        while True:
            todo = [c for c in cells if c.index not in blank and c.index not in killers]
            lives = self._setup.parent.lives
            attempt = self._attempt(todo, seconds=max(1.0, end - time.monotonic()))
            killer = attempt.killer
            ours = killer is not None and self._setup.parent.check() > lives
            if killer is not None and not ours:
                killers[killer.index] = killer
            late = attempt.late or time.monotonic() >= end
            if killer is None or late or len(killers) >= STRIKES or self._setup.stop.is_set():
                break
        if attempt.killer is None:
            attempt = self._with_notes(attempt, todo)
        runs = {run.index: run for run in attempt.runs} | killers
        why = f"{STRIKES} cells before this one ended the notebook's process."
        if late:
            seconds = self._setup.limits.submission_s
            why = f"The {seconds:g} s for the whole notebook were used up before this cell."
        return ExecutionRecord(
            cells=within_bounds([_run_of(cell, runs, blank, why=why) for cell in cells]),
            versions=attempt.versions,
            isolation=self._setup.parent.isolation,
            heard=True,
        )

    def ask(self, asked: tuple[Question, ...] | wire.Packed) -> Mapping[str, Observation]:
        """Ask a batch; what did not come back is 'died', what came back wrong is 'invalid'."""
        answers: dict[str, Observation] = {}
        why = "died"
        packed = asked if isinstance(asked, wire.Packed) else wire.pack(asked)
        if self._channel is not None and packed.questions:
            try:
                self._ask(self._channel, packed, answers)
            except WireError as error:
                why = "invalid" if "frame" in str(error) or "answer to" in str(error) else "died"
                self._channel = None
        for question in packed.questions:
            answers.setdefault(question.id, Observation(id=question.id, status=why))
        return answers

    def _ask(
        self,
        channel: wire.Channel,
        packed: wire.Packed,
        answers: dict[str, Observation],
    ) -> None:
        seconds = self._setup.limits.question_s
        nonces = {question.id: secrets.token_hex(8) for question in packed.questions}
        nonces[""] = secrets.token_hex(8)
        channel.send(wire.batch(packed, nonces=nonces, seconds=seconds), seconds=MARGIN)
        left = wire.BATCH_BYTES
        while True:
            frame = channel.receive(seconds=seconds + MARGIN)
            if frame.header.get("end") and frame.header.get("nonce") == nonces[""]:
                return
            found = wire.observation(frame, nonces=nonces)
            left -= sum(array.nbytes for array in found.arrays.values())
            if found.id in answers or left < 0:  # else it could answer without end
                raise WireError("an answer to what was answered, or frames larger than allowed")
            answers[found.id] = found

    def _attempt(self, cells: list[Cell], *, seconds: float) -> _Attempt:
        self._rooms.close()
        attempt = _Attempt()
        try:
            room = self._rooms.enter_context(self._setup.parent.room(self._setup.limits))
            channel = wire.Channel(
                reading=room.reading, writing=room.writing, stop=self._setup.stop
            )
            channel.send(wire.compose(self._job(cells, seconds)), seconds=MARGIN)
            for frame in pieces(self._setup.files):
                channel.send(frame, seconds=START)  # a cold one reads nothing until it is up
            attempt = self._listen(channel, cells, seconds=seconds)
        except WireError as error:
            raise KernelError(f"the notebook could not be run: {error}") from error
        self._channel = channel if attempt.killer is None else None
        return attempt

    def _job(self, cells: list[Cell], seconds: float) -> dict[str, Json]:
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

    def _listen(self, channel: wire.Channel, cells: list[Cell], *, seconds: float) -> _Attempt:
        """Follow a run to its end; a silent runner is taken for one whose cell killed it."""
        runs: list[CellRun] = []
        late = False
        limit = min(self._setup.limits.cell_s, seconds) + MARGIN
        while True:
            begun = runs or not cells
            try:
                frame = channel.receive(seconds=limit if begun else START + limit).header
            except WireError:
                if len(runs) == len(cells):
                    raise
                killer = struck(cells[len(runs)].index, "ended the notebook's process")
                return _Attempt(runs=tuple(runs), killer=killer)
            kind = frame.get("frame")
            late = late or kind == "out_of_time"
            if kind == "cell" and len(runs) < len(cells):
                run = cell_run(frame, cells[len(runs)], limits=self._setup.limits)
                if run.status is CellStatus.STRUCK_OUT:
                    return _Attempt(runs=tuple(runs), killer=run)
                runs.append(run)
            elif kind == "ran":
                told = versions(frame.get("versions"))
                return _Attempt(runs=tuple(runs), versions=told, late=late)
            elif kind == "failed":
                raise KernelError(f"no kernel came up: {wire.scrub(frame.get('error', ''))}")

    def _with_notes(self, attempt: _Attempt, cells: list[Cell]) -> _Attempt:
        """Add what was neutralised, which the kernel knows by the count of cells it ran."""
        answer = self.ask((Question(id="notes", kind="notes"),))["notes"]
        by_cell: dict[int, tuple[str, ...]] = {}
        for entry in _pairs(answer.data.get("notes")):
            place, notes = entry
            if 0 <= place < len(cells):
                by_cell[cells[place].index] = tuple(wire.clean(n, most=200) for n in notes[:20])
        runs = tuple(
            replace(run, notes=(*run.notes, *by_cell.get(run.index, ()))) for run in attempt.runs
        )
        return replace(attempt, runs=runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One go at a notebook; `killer` is the cell that ended its kernel."""

    runs: tuple[CellRun, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    killer: CellRun | None = None
    late: bool = False
    """Whether the time ran out before the last cell."""


def _pairs(value: Json) -> list[tuple[int, list[Json]]]:
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


def _run_of(cell: Cell, runs: Mapping[int, CellRun], blank: frozenset[int], *, why: str) -> CellRun:
    if cell.index in blank:
        return CellRun(index=cell.index, status=CellStatus.SKIPPED)
    if cell.index in runs:
        return runs[cell.index]
    return not_reached(cell.index, why=why)
