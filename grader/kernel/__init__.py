"""Start, run, ask and end one live notebook in a process behind the walls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from grader import wire
from grader.errors import KernelError, WireError
from grader.kernel import cell_runs
from grader.kernel.conversation import Conversation
from grader.kernel.file_frames import compose_file_frames
from grader.kernel.question_batch import MARGIN_SECONDS, ask_batch, has_raised
from grader.kernel.strike_out import RunAttempt, run_without_killers
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

ATTEMPTS_FACTOR = 3
"""How many times the time of one attempt all attempts to run a notebook may take together."""
UNANSWERED = ("died", "not_asked", "timed_out")
"""Statuses of questions that are asked again after the notebook's process ended."""
CALLING_KINDS = ("forward", "function")
"""Kinds of question that call the notebook's own code."""
START_SECONDS = 90.0
"""Seconds a kernel may take to come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSetup:
    """What a kernel needs before its first cell."""

    fork_server: sandbox.ForkServer
    seed: int
    cell_seed: int | None = None
    """What is seeded with before each cell, or what `seed_variable` holds there."""
    seed_variable: str = ""
    record: tuple[str, ...]
    limits: Limits
    trusted: bool = False
    """Whether it is staff's own notebook: questions about it need no fork each."""
    stop: Event = field(default_factory=Event)
    """Set to end every wait for this kernel, when the run is interrupted."""
    weight_shapes: tuple[tuple[int, ...], ...] = ()
    """The shapes of parameters whose values are recorded whatever their size; none for all."""
    unknown_modules: Mapping[str, str] = field(default_factory=dict)
    """Modules that it imports and nobody knows, with what may be the matter, in words."""
    moments: tuple[str, ...] = ()
    """Names of moments of the run, such as questions of otter's, that tests are about."""
    keep_figures: bool = False
    """Whether figures are kept when their cell ends, for tests that look at them."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Files to copy into the working folder before the first cell, by path below it."""


def _without_calls(question: Question) -> Question:
    """Return the question for the recording as one that calls nothing more of the notebook's."""
    if question.kind != "recording":
        return question
    return replace(question, params={**question.params, "may_call": False})


def _is_asked_again(question: Question, answer: Observation, *, live: bool) -> bool:
    """Return whether a question is put to another fork, or to the live process.

    What raises may do so since it is asked in a fork: its threads and children are not there.
    """
    if live:
        lacks_threads = answer.status == "timed_out" and answer.data.get("has_threads") is True
        return lacks_threads or (question.kind in CALLING_KINDS and has_raised(answer))
    return answer.status == "died" or (
        answer.status == "timed_out" and question.kind == "recording"
    )


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
        self._cells: list[Cell] = []

    def run(self, cells: tuple[Cell, ...], *, blank: frozenset[int]) -> ExecutionRecord:
        """Run the code cells in order, without those in `blank`.

        A cell that kills its kernel is left out, and the notebook is run again.

        Raises:
            KernelError: no kernel came up at all.
        """
        limits = self._setup.limits
        deadline = time.monotonic() + ATTEMPTS_FACTOR * limits.submission_s * wire.WALL_FACTOR
        to_run = [cell for cell in cells if cell.index not in blank]
        result = run_without_killers(
            to_run,
            run_once=self._run_attempt,
            may_go_on=lambda: time.monotonic() < deadline and not self._setup.stop.is_set(),
        )
        attempt = self._add_notes(result.attempt)
        count = len(result.struck_out)
        ends = f"{count} cell{'s' if count > 1 else ''} before this one"
        reason = f"{ends} ended the notebook's process or did not stop."
        if attempt.out_of_time:
            reason = f"The {limits.submission_s:g} s for the whole notebook were used up before it."
        runs = {cell.index: cell_runs.not_reached_run(cell.index, reason=reason) for cell in cells}
        runs |= {**{run.index: run for run in attempt.runs}, **result.struck_out}
        runs |= {index: CellRun(index=index, status=CellStatus.SKIPPED) for index in blank}
        accepted = cell_runs.accept_final_exit([runs[cell.index] for cell in cells])
        in_order = cell_runs.bound_output(accepted)
        isolation = self._setup.fork_server.isolation
        return ExecutionRecord(
            cells=in_order
            if isolation.level == "none"
            else cell_runs.note_network(in_order, cells),
            versions=attempt.versions,
            isolation=isolation,
            heard=True,
        )

    def ask(
        self, questions: tuple[Question, ...] | wire.PackedQuestions
    ) -> Mapping[str, Observation]:
        """Ask a batch; each question gets an observation, whatever happens.

        A question that a fork could not answer for want of the notebook's threads, or that raised
        there, is put to the live process, and one at which the fork died to another fork. Once the
        channel broke, every later question is 'not_asked'.

        Raises:
            KernelError: the notebook's process ended while it was asked, in two runs.
        """
        packed = (
            questions
            if isinstance(questions, wire.PackedQuestions)
            else wire.pack_questions(questions)
        )
        answers, ended = self._ask_in_forks(packed)
        if ended and not self._setup.stop.is_set():
            unanswered = [q for q in packed.questions if answers[q.id].status in UNANSWERED]
            self._run_attempt(self._cells)
            more, ended = self._ask_in_forks(wire.pack_questions(tuple(unanswered)))
            if ended:
                raise KernelError("the notebook's process ended while it was asked, in two runs")
            answers |= more
        return answers

    def open_conversation(
        self, *, at: str = "", on_close: Callable[[], None] = lambda: None
    ) -> Conversation | None:
        """Open a conversation with a fork of the notebook, for one test; None where it is gone.

        Args:
            at: the moment of the run that the test is about; its end where none of that name was.
            on_close: called once the conversation is closed, or can't be opened.
        """
        if self._channel is None:
            on_close()
            return None

        def close(*, usable: bool) -> None:
            if not usable:
                self._channel = None
            on_close()

        seconds = self._setup.limits.question_s
        return Conversation(self._channel, seconds=seconds, on_close=close, at=at)

    def _ask_in_forks(self, packed: wire.PackedQuestions) -> tuple[dict[str, Observation], bool]:
        """Ask a batch and again what was lost; return also whether the notebook's process ended."""
        answers, ended = self._ask_once(packed)
        for live in (False, True):
            lost = [
                _without_calls(question)
                for question in packed.questions
                if _is_asked_again(question, answers[question.id], live=live)
            ]
            if (live and self._setup.trusted) or not lost or self._channel is None:
                continue  # a trusted notebook was asked live
            more, ended = self._ask_once(wire.pack_questions(tuple(lost)), live=live)
            # What the live process doesn't answer, a fork did all the same.
            answers |= {
                question_id: answer
                for question_id, answer in more.items()
                if not live or answer.status not in UNANSWERED
            }
        return answers, ended

    def _ask_once(
        self, packed: wire.PackedQuestions, *, live: bool = False
    ) -> tuple[dict[str, Observation], bool]:
        if self._channel is None or not packed.questions:
            return {q.id: Observation(id=q.id, status="not_asked") for q in packed.questions}, False
        result = ask_batch(
            self._channel, packed, question_seconds=self._setup.limits.question_s, live=live
        )
        if not result.channel_usable:
            self._channel = None
        return dict(result.observations), result.process_ended

    def _run_attempt(self, cells: list[Cell]) -> RunAttempt:
        """Run some cells in a fresh process; where the fork server ended with it, once more."""
        seconds = self._setup.limits.submission_s
        generation = self._setup.fork_server.generation
        attempt = self._run_once(cells, seconds=seconds)
        if (
            attempt.killer is not None
            and not self._setup.stop.is_set()
            and self._setup.fork_server.ensure_running() > generation
        ):
            return self._run_once(cells, seconds=seconds)
        return attempt

    def _run_once(self, cells: list[Cell], *, seconds: float) -> RunAttempt:
        self._sandboxes.close()
        self._cells = cells
        attempt = RunAttempt()
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
            "cells": [self._compose_cell(cell) for cell in cells],
            "moments": list(self._setup.moments),
            "seed": self._setup.seed,
            "cell_seed": self._setup.cell_seed,
            "seed_variable": self._setup.seed_variable,
            "record": list(self._setup.record),
            "weight_shapes": [list(shape) for shape in self._setup.weight_shapes],
            "unknown_modules": dict(self._setup.unknown_modules),
            "limits": asdict(limits),
            "submission_s": seconds,
            "wall_factor": wire.WALL_FACTOR,
            "trusted": self._setup.trusted,
            "files": len(self._setup.files),
            "keep_figures": self._setup.keep_figures,
        }

    def _compose_cell(self, cell: Cell) -> dict[str, Json]:
        """Return a cell as the runner needs it, with the moments to keep before and after it.

        A cell of nbgrader's is tested in its own place, a question of otter's after the cell that
        names it in its metadata.
        """
        ids = [cell_id.partition(":")[::2] for cell_id in cell.ids]
        before, after = (
            [name for kind, name in ids if kind == wanted and name in self._setup.moments]
            for wanted in ("nbgrader", "otter")
        )
        return {"index": cell.index, "source": cell.source, "before": before, "after": after}

    def _follow_run(
        self, channel: wire.Channel, cells: list[Cell], *, seconds: float
    ) -> RunAttempt:
        """Follow a run to its end; if the runner falls silent, its current cell killed it.

        Raises:
            KernelError: no kernel came up.
            WireError: the runner was lost after the last cell.
        """
        progress = _RunProgress(cells, self._setup.limits)
        limit = min(self._setup.limits.cell_s, seconds) * wire.WALL_FACTOR + MARGIN_SECONDS
        while True:
            has_begun = progress.runs or not cells
            try:
                frame = channel.receive(
                    seconds=limit if has_begun else START_SECONDS + limit
                ).header
            except WireError:
                if progress.current is None:
                    raise
                killer = cell_runs.struck_out_run(
                    progress.current.index, "ended the notebook's process"
                )
                return progress.as_attempt(killer=killer)
            if (attempt := progress.read_frame(frame)) is not None:
                return attempt

    def _add_notes(self, attempt: RunAttempt) -> RunAttempt:
        """Add what was neutralized in each cell, which the kernel counts in the order they ran."""
        answer = self.ask((Question(id="notes", kind="notes"),))["notes"]
        return replace(attempt, runs=cell_runs.add_notes(attempt.runs, answer))


class _RunProgress:
    """How far a run has come, by the frames that its runner sends."""

    def __init__(self, cells: Sequence[Cell], limits: Limits) -> None:
        self.runs: list[CellRun] = []
        self._cells = cells
        self._limits = limits
        self._left_running: set[int] = set()
        self._out_of_time = False

    @property
    def current(self) -> Cell | None:
        """The cell that runs now, or None after the last one."""
        return self._cells[len(self.runs)] if len(self.runs) < len(self._cells) else None

    def read_frame(self, frame: Mapping[str, Json]) -> RunAttempt | None:
        """Read a frame; return the whole attempt if it was the last one.

        Raises:
            KernelError: no kernel came up.
        """
        match frame.get("frame"):
            case "cell" if self.current is not None:
                run = cell_runs.read_cell_run(frame, self.current, limits=self._limits)
                if run.status is CellStatus.STRUCK_OUT:
                    return self.as_attempt(killer=run)
                self.runs.append(run)
                if frame.get("left_running") is True:
                    self._left_running.add(run.index)
            case "out_of_time":
                self._out_of_time = True
            case "ran":
                return self.as_attempt(versions=cell_runs.read_versions(frame.get("versions")))
            case "failed":
                raise KernelError(f"no kernel came up: {wire.scrub_text(frame.get('error', ''))}")
            case _:
                pass
        return None

    def as_attempt(
        self, *, killer: CellRun | None = None, versions: Mapping[str, str] | None = None
    ) -> RunAttempt:
        """Return what came of the run."""
        return RunAttempt(
            runs=tuple(self.runs),
            killer=killer,
            left_running=frozenset(self._left_running),
            versions=versions or {},
            out_of_time=self._out_of_time,
        )
