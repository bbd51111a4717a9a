"""Which cells are left out of a notebook whose process ends, by attempts that are made up."""

from __future__ import annotations

from collections.abc import Callable

from grader.kernel.cell_runs import struck_out_run
from grader.kernel.strike_out import RunAttempt, run_without_killers
from grader.model import Cell, CellRun, CellStatus

CELLS = tuple(Cell(index=i, kind="code", source=f"cell {i}") for i in range(8))


def run_once(killers: set[int], *, left: int, ends_at: int) -> Callable[[list[Cell]], RunAttempt]:
    """Make attempts in which some cells end the process, and one leaves what ends it later."""

    def attempt(cells: list[Cell]) -> RunAttempt:
        runs: list[CellRun] = []
        for cell in cells:
            is_late = cell.index >= ends_at and any(run.index == left for run in runs)
            if is_late or (cell.index in killers and cell.source.startswith("cell")):
                return RunAttempt(
                    runs=tuple(runs),
                    killer=struck_out_run(cell.index, "ended its own kernel"),
                    left_running=frozenset({left} & {run.index for run in runs}),
                )
            runs.append(CellRun(index=cell.index, status=CellStatus.RAN))
        return RunAttempt(runs=tuple(runs))

    return attempt


def test_what_is_behind_several_cells_that_end_the_process_runs() -> None:
    attempts = run_once({0, 1, 2, 4, 6}, left=-1, ends_at=9)

    result = run_without_killers(CELLS, run_once=attempts)

    assert set(result.struck_out) == {0, 1, 2, 4, 6}
    assert [run.index for run in result.attempt.runs] == [3, 5, 7]


def test_the_last_of_many_ends_is_no_innocent_cells_either() -> None:
    # Cells 1 to 8 end the process; what cell 9 leaves ends it in cell 11.
    cells = [Cell(index=i, kind="code", source=f"cell {i}") for i in range(13)]
    attempts = run_once(set(range(1, 9)), left=9, ends_at=11)

    result = run_without_killers(cells, run_once=attempts)

    assert set(result.struck_out) == set(range(1, 10))
    assert result.attempt.killer is None
    assert [run.index for run in result.attempt.runs] == [0, 10]


def test_without_time_the_cell_that_ran_is_left_out() -> None:
    attempts = run_once({4}, left=-1, ends_at=9)

    result = run_without_killers(CELLS, run_once=attempts, may_go_on=lambda: False)

    assert set(result.struck_out) == {4}
    assert [run.index for run in result.attempt.runs] == [0, 1, 2, 3]
