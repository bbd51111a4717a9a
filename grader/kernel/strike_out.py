"""Run a notebook until its process lives at the end, without the cells that end it.

Where a cell ends the process, the notebook is run again without it. A thread, timer or process that
an earlier cell left may be to blame: then the notebook is first run without that one. After a few
such cells the notebook is run once more, up to the last of them, so that what was there can be
asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.kernel.cell_runs import struck_out_run
from grader.model import Cell, CellRun

MAX_STRUCK_OUT = 3
"""How many cells that end the process are left out before the rest is not run."""
MAX_SUSPECTS = 2
"""How many earlier cells are tried before the cell that ran is blamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAttempt:
    """One attempt to run a notebook."""

    runs: tuple[CellRun, ...] = ()
    """The cells that ran to their end, in order."""
    killer: CellRun | None = None
    """The cell during which the process ended; None where it lives."""
    left_running: frozenset[int] = frozenset()
    """Indices of cells that left a thread, timer or process running."""
    versions: Mapping[str, str] = field(default_factory=dict)
    out_of_time: bool = False
    """Whether the time ran out before the last cell."""

    def passed(self, index: int) -> bool:
        """Return whether the cell ran without ending the process."""
        return any(run.index == index for run in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeOutResult:
    """The last attempt, and the cells that were left out of it since they end the process."""

    attempt: RunAttempt
    struck_out: Mapping[int, CellRun]


def run_without_killers(
    cells: Sequence[Cell],
    *,
    run_once: Callable[[list[Cell]], RunAttempt],
    may_go_on: Callable[[], bool] = lambda: True,
) -> StrikeOutResult:
    """Run the cells, without those that end the process, until it lives.

    Args:
        cells: the code cells, in order.
        run_once: runs some of them in a fresh process.
        may_go_on: whether there is time for another attempt of the whole notebook.
    """
    struck_out: dict[int, CellRun] = {}

    def without(*left_out: int) -> list[Cell]:
        return [c for c in cells if c.index not in struck_out and c.index not in left_out]

    attempt = run_once(without())
    while attempt.killer is not None and may_go_on():
        culprit, next_attempt = _find_culprit(attempt, lambda index: run_once(without(index)))
        struck_out[culprit.index] = culprit
        if next_attempt is None and len(struck_out) < MAX_STRUCK_OUT:
            next_attempt = run_once(without())
        if next_attempt is None:
            break
        attempt = next_attempt
    last_cells = without()
    while attempt.killer is not None and last_cells:
        struck_out.setdefault(attempt.killer.index, attempt.killer)
        last_cells = [c for c in without() if c.index < attempt.killer.index]
        attempt = run_once(last_cells)
    return StrikeOutResult(attempt=attempt, struck_out=struck_out)


def _find_culprit(
    attempt: RunAttempt, run_again_without: Callable[[int], RunAttempt]
) -> tuple[CellRun, RunAttempt | None]:
    """Return the cell to blame for an attempt's end, and the attempt that proved it, if any."""
    killer = attempt.killer
    if killer is None:
        raise ValueError("the process lives")
    suspects = sorted(attempt.left_running - {killer.index}, reverse=True)[:MAX_SUSPECTS]
    for suspect in suspects:
        trial = run_again_without(suspect)
        if trial.killer is None or trial.passed(killer.index):
            cause = "left something running that ended the notebook's process later"
            return struck_out_run(suspect, cause), trial
    return killer, None
