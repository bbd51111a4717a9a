"""What the walls around a notebook cost: rooms at every level in turn, in one run."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from statistics import quantiles

from grader import kernel, sandbox
from grader.errors import IsolationError
from grader.model import Cell, Limits
from grader.sandbox import ForkServer, IsolationLevel, IsolationRequest

LEVELS = (IsolationLevel.NONE, IsolationLevel.REDUCED, IsolationLevel.FULL)
AHEAD = ("torch", "matplotlib.pyplot")
"""What is imported ahead: forks of a large process cost more than of a small one."""
CELL = (Cell(index=0, kind="code", source="x = 1"),)


def cost(*, rounds: int) -> Mapping[str, float]:
    """Milliseconds from the order for a room to its end, by level; all take turns.

    The lower quartile: what else the machine does makes rooms slower, never faster.
    """
    environment = sandbox.survey_interpreter(sys.executable)
    taken: dict[str, list[float]] = {}
    with ExitStack() as parents:
        opened: dict[str, ForkServer] = {}
        for level in LEVELS:
            wanted = IsolationRequest(level=level, unsandboxed=True)
            try:
                parent = parents.enter_context(
                    sandbox.start_fork_server(environment, request=wanted)
                )
            except IsolationError:
                continue
            parent.preload(AHEAD)
            opened[level] = parent
        for _ in range(rounds):
            for level, parent in opened.items():
                taken.setdefault(level, []).append(_one(parent))
    return {level: quantiles(several, n=4)[0] for level, several in taken.items()}


def _one(parent: ForkServer) -> float:
    setup = kernel.KernelSetup(fork_server=parent, seed=1, record=(), limits=Limits())
    began = time.perf_counter()
    with kernel.start_kernel(setup) as live:
        live.run(CELL, blank=frozenset())
    return (time.perf_counter() - began) * 1000
