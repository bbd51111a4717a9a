"""Notebooks that run at each level of isolation, and are asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from grader import kernel, sandbox
from grader.errors import IsolationError
from grader.model import Cell, CellRun, ExecutionRecord, Limits, Observation, Question
from grader.sandbox import IsolationLevel, IsolationRequest
from grader.sandbox.fork_client import ForkServer

LEVELS = tuple(
    pytest.param(level, marks=() if level is IsolationLevel.REDUCED else pytest.mark.slow)
    for level in IsolationLevel
)
"""The levels, of which `reduced` replaces most, and so is run always."""
ROOMY = Limits(cell_s=60, submission_s=300, question_s=20)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A notebook's run, and the answers to questions about its functions."""

    record: ExecutionRecord
    answers: Mapping[str, Observation]

    def cell(self, index: int) -> CellRun:
        """The run of a cell."""
        return self.record.cells[index]

    def failures(self, sources: Sequence[str]) -> dict[str, str]:
        """Cells that did not run to their end, by their source, with the reason."""
        return {
            sources[run.index]: f"{run.error.name}: {run.error.message}"
            for run in self.record.cells
            if run.error
        }


@contextmanager
def fork_server(level: IsolationLevel | None = None) -> Iterator[ForkServer]:
    """A fork server at a level; the test is skipped where this machine can't have it."""
    request = IsolationRequest(level=level, unsandboxed=level == IsolationLevel.NONE)
    try:
        with sandbox.start_fork_server(
            sandbox.survey_interpreter(sys.executable), request=request
        ) as server:
            server.preload(("numpy",))
            yield server
    except IsolationError as error:
        pytest.skip(f"this machine cannot have level {level}: {error}")


def run_and_ask(
    server: ForkServer, sources: Sequence[str], *names: str, limits: Limits = ROOMY
) -> Outcome:
    """Run cells, then ask what functions return for the array (-1, 2)."""
    setup = kernel.KernelSetup(fork_server=server, seed=1, record=(), limits=limits)
    cells = tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))
    with kernel.start_kernel(setup) as live:
        record = live.run(cells, blank=frozenset())
        return Outcome(record, live.ask(tuple(map(function_question, names))))


def function_question(name: str) -> Question:
    """A question for what a function returns for (-1, 2)."""
    return Question(
        id=name,
        kind="function",
        params={"name": name, "args": ["x"], "tensors": False},
        arrays={"x": np.array([-1.0, 2.0])},
    )
