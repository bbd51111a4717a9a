"""The grader's handle on one live notebook: start it, run it, ask it, and let it go."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Protocol

from grader import sandbox, wire
from grader.errors import KernelError, WireError
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Json,
    Limits,
    Observation,
    Question,
)

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
        struck: dict[int, CellRun] = {}
        while True:
            todo = [c for c in cells if c.index not in blank and c.index not in struck]
            lives = self._setup.parent.lives
            attempt = self._attempt(todo, seconds=max(1.0, end - time.monotonic()))
            killer = attempt.killer
            ours = killer is not None and self._setup.parent.check() > lives
            if killer is not None and not ours:
                struck[killer.index] = killer
            over = len(struck) >= STRIKES or time.monotonic() >= end
            over = over or self._setup.stop.is_set()
            if killer is None or over:
                break
        if attempt.killer is None:
            attempt = self._with_notes(attempt, todo)
        runs = {run.index: run for run in attempt.runs} | struck
        return ExecutionRecord(
            cells=tuple(_run_of(cell, runs, blank) for cell in cells),
            versions=attempt.versions,
            isolation=self._setup.parent.isolation,
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
        while True:
            frame = channel.receive(seconds=seconds + MARGIN)
            if frame.header.get("end") and frame.header.get("nonce") == nonces[""]:
                return
            found = wire.observation(frame, nonces=nonces)
            answers.setdefault(found.id, found)

    def _attempt(self, cells: list[Cell], *, seconds: float) -> _Attempt:
        self._rooms.close()
        attempt = _Attempt(runs=(), versions={}, killer=None)
        try:
            room = self._rooms.enter_context(self._setup.parent.room(self._setup.limits))
            channel = wire.Channel(
                reading=room.reading, writing=room.writing, stop=self._setup.stop
            )
            channel.send(wire.compose(self._job(cells, seconds)), seconds=MARGIN)
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
            "cell_s": limits.cell_s,
            "submission_s": seconds,
            "memory_mb": limits.memory_mb,
            "trusted": self._setup.trusted,
        }

    def _listen(self, channel: wire.Channel, cells: list[Cell], *, seconds: float) -> _Attempt:
        """Follow a run to its end; a silent runner is taken for one whose cell killed it."""
        runs: list[CellRun] = []
        limit = min(self._setup.limits.cell_s, seconds) + MARGIN
        while True:
            begun = runs or not cells
            try:
                frame = channel.receive(seconds=limit if begun else START + limit).header
            except WireError:
                if len(runs) < len(cells):
                    killer = _struck(cells[len(runs)].index, "ended the notebook's process")
                    return _Attempt(runs=tuple(runs), versions={}, killer=killer)
                raise
            kind = frame.get("frame")
            if kind == "cell" and len(runs) < len(cells):
                run = _cell_run(frame, cells[len(runs)])
                if run.status is CellStatus.STRUCK_OUT:
                    return _Attempt(runs=tuple(runs), versions={}, killer=run)
                runs.append(run)
            elif kind == "ran":
                versions = _versions(frame.get("versions"))
                return _Attempt(runs=tuple(runs), versions=versions, killer=None)
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
        runs = tuple(replace(run, notes=by_cell.get(run.index, ())) for run in attempt.runs)
        return replace(attempt, runs=runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One go at a notebook; `killer` is the cell that ended its kernel."""

    runs: tuple[CellRun, ...]
    versions: Mapping[str, str]
    killer: CellRun | None


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


def _run_of(cell: Cell, runs: Mapping[int, CellRun], blank: frozenset[int]) -> CellRun:
    if cell.index in blank:
        return CellRun(index=cell.index, status=CellStatus.SKIPPED)
    if cell.index in runs:
        return runs[cell.index]
    return CellRun(index=cell.index, status=CellStatus.NOT_REACHED)


def _struck(index: int, what: str) -> CellRun:
    message = f"This cell {what}. It was left out, and the notebook was run again without it."
    return CellRun(
        index=index,
        status=CellStatus.STRUCK_OUT,
        error=CellError(name="Kernel died", message=message),
    )


def _cell_run(frame: Mapping[str, Json], cell: Cell) -> CellRun:
    """What the runner says of one cell, bounded and cleaned."""
    seconds = _number(frame.get("seconds"))
    late, gone = frame.get("limit"), frame.get("exit")
    if gone is not None:
        how = f"did not stop within {_number(late):.0f} s" if late else "ended its own kernel"
        return replace(_struck(cell.index, how), seconds=seconds)
    error = _cell_error(frame.get("error"))
    if late is not None:
        message = f"The cell was stopped after {_number(late):.0f} s."
        error = replace(
            error or CellError(name="Timeout", message=""), name="Timeout", message=message
        )
        status = CellStatus.TIMED_OUT
    else:
        status = CellStatus.RAISED if error else CellStatus.RAN
    return CellRun(index=cell.index, status=status, seconds=seconds, error=error)


def _cell_error(value: Json) -> CellError | None:
    if not isinstance(value, dict):
        return None
    traceback = wire.scrub(value.get("traceback", ""), most=6000)
    return CellError(
        name=wire.scrub(value.get("name", ""), most=100),
        message=wire.scrub(value.get("message", ""), most=1000),
        line=_line(traceback),
        traceback=traceback,
    )


def _line(traceback: str) -> int | None:
    """The last line number that a traceback gives in a cell."""
    lines = wire.CELL_LINE.findall(traceback)
    return int(lines[-1]) if lines else None


def _number(value: Json) -> float:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool)
    return max(0.0, min(float(value), 1e6)) if ok else 0.0


def _versions(value: Json) -> Mapping[str, str]:
    if not isinstance(value, dict):
        return {}
    return {wire.clean(k, most=40): wire.clean(v, most=40) for k, v in list(value.items())[:12]}
