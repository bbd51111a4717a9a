"""Runs cells behind walls of a level, to see what is neutralized, and how it is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import kernel, sandbox
from grader.errors import IsolationError
from grader.model import Cell, ExecutionRecord, Limits, Observation, Question
from grader.sandbox import IsolationLevel, IsolationRequest
from grader.sandbox.fork_client import ForkServer

LEVELS = tuple(
    pytest.param(level, marks=() if level is IsolationLevel.REDUCED else pytest.mark.slow)
    for level in IsolationLevel
)
"""The levels, of which `reduced` replaces most, and so is run always."""
LIMITS = Limits(cell_s=30, submission_s=200, question_s=10)


@dataclass(frozen=True)
class Notebooks:
    """What runs notebooks at one level."""

    level: IsolationLevel
    server: ForkServer

    @contextmanager
    def run(
        self, *sources: str, files: Mapping[str, Path] | None = None
    ) -> Iterator[tuple[ExecutionRecord, kernel.LiveNotebook]]:
        """Run cells, and give what they did and the live notebook."""
        setup = kernel.KernelSetup(
            fork_server=self.server,
            seed=16,
            record=(),
            limits=LIMITS,
            files=files or {},
        )
        cells = tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))
        with kernel.start_kernel(setup) as live:
            yield live.run(cells, blank=frozenset()), live


@contextmanager
def notebooks(level: IsolationLevel, *modules: str, warm: bool = True) -> Iterator[Notebooks]:
    """Start a fork server at a level, or skip the test where it can't be had."""
    request = IsolationRequest(level=level, unsandboxed=level is IsolationLevel.NONE)
    environment = sandbox.survey_interpreter(sys.executable)
    try:
        starting = sandbox.start_fork_server(environment, request=request)
        server = starting.__enter__()
    except IsolationError as error:
        pytest.skip(str(error))
    try:
        if warm:
            server.preload(("numpy", *modules))
        yield Notebooks(level, server)
    finally:
        starting.__exit__(None, None, None)


def call(name: str) -> Question:
    """A question that calls a function without arguments."""
    return Question(id=name, kind="function", params={"name": name, "args": [], "tensors": False})


def numbers(answer: Observation) -> list[float]:
    """What a function returned, as numbers."""
    assert answer.status == "ok", answer
    return [float(value) for value in answer.arrays["out0"].ravel()]


def failures(record: ExecutionRecord, sources: Sequence[str]) -> dict[str, str]:
    """The cells that did not run, with the reason."""
    return {
        source: f"{run.status.value}: {run.error}"
        for source, run in zip(sources, record.cells, strict=True)
        if run.status.value != "ran"
    }
