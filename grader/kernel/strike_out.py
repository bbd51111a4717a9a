"""Run a notebook until its process lives at the end, without the cells that end it.

Where a cell ends the process, the notebook is run again without it. A thread, timer or process that
an earlier cell left may be to blame: then that one is left out instead. After many such cells, or
when the time is up, the notebook is run once more, up to the last of them, so that what was there
can be asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.kernel.cell_runs import struck_out_run
from grader.model import Cell, CellRun

MAX_STRUCK_OUT = 8
"""How many cells that end the process are left out, and what is behind them run; then one more."""
MAX_SUSPECTS = 3
"""How many earlier cells, the last ones, are tried."""
MAX_PAUSE_SECONDS, PAUSE_MARGIN_SECONDS = 10.0, 1.0
LEFT_RUNNING = "left something running that ended the notebook's process later"


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

    def without(suspect: int | None = None) -> list[Cell]:
        return [c for c in cells if c.index not in struck_out and c.index != suspect]

    attempt = run_once(without())
    while attempt.killer is not None:
        may_search = may_go_on()
        culprit = _find_culprit(attempt, run_once, without) if may_search else attempt.killer
        is_last = not may_search or len(struck_out) >= MAX_STRUCK_OUT
        struck_out[culprit.index] = culprit
        end = attempt.killer.index
        attempt = run_once([c for c in without() if not is_last or c.index < end])
    return StrikeOutResult(attempt=attempt, struck_out=struck_out)


def _find_culprit(
    attempt: RunAttempt,
    run_once: Callable[[list[Cell]], RunAttempt],
    cells_without: Callable[[int | None], list[Cell]],
) -> CellRun:
    """Return the cell to blame for an attempt's end.

    Where an earlier cell left something running, the cells before the end are run again with a
    pause in place of the last one: what ends the process then is not the cell that ran.
    """
    killer = attempt.killer
    if killer is None:
        raise ValueError("the process lives")
    pause = min(killer.seconds, MAX_PAUSE_SECONDS) + PAUSE_MARGIN_SECONDS
    waiting = Cell(index=killer.index, kind="code", source=f"__import__('time').sleep({pause:.1f})")

    def dies_without(suspect: int | None) -> bool:
        earlier = [c for c in cells_without(suspect) if c.index < killer.index]
        return run_once([*earlier, waiting]).killer is not None

    suspects = sorted(attempt.left_running - {killer.index}, reverse=True)[:MAX_SUSPECTS]
    if not suspects or not dies_without(None):
        return killer
    culprit = suspects[0]
    if len(suspects) > 1:
        culprit = next((index for index in suspects if not dies_without(index)), culprit)
    return struck_out_run(culprit, LEFT_RUNNING)
