"""EXE: whether the notebook runs from top to bottom with nobody at the keyboard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from grader.checks.check import Check, CheckOutcome, Evidence, Params, failed, passed
from grader.model import CellRun, CellStatus
from grader.notebook import assigning_cells

_NAME = re.compile(r"name '([^']+)' is not defined")
FAILED_STATUSES = {
    CellStatus.RAISED,
    CellStatus.TIMED_OUT,
    CellStatus.STRUCK_OUT,
    CellStatus.NOT_REACHED,
}


class NotebookRunsParams(Params):
    """How much a failure costs at least."""

    at_most: Fraction
    """The largest share of the points where any cell fails of its own."""


def own_failures(evidence: Evidence) -> tuple[CellRun, ...]:
    """Cells that failed of their own, not for want of a name that a failed cell assigns."""
    failed_runs = [run for run in evidence.record.cells if run.status in FAILED_STATUSES]
    return tuple(run for run in failed_runs if failure_cause(run, evidence) is None)


def failure_cause(run: CellRun, evidence: Evidence) -> CellRun | None:
    """The earlier failed cell that should have assigned the name this one did not find."""
    causes = evidence.memo.get_or_compute(("causes",), lambda: _find_causes(evidence))
    return causes.get(run.index)


def _find_causes(evidence: Evidence) -> Mapping[int, CellRun]:
    """By cell that was brought down, the cell at the root of it; a chain may be long."""
    causes: dict[int, CellRun] = {}
    failed_runs: dict[int, CellRun] = {}
    for run in evidence.record.cells:
        name = _missing_name(run)
        assigning = assigning_cells(evidence.notebook, name) if name and failed_runs else ()
        cause = next((failed_runs[index] for index in assigning if index in failed_runs), None)
        if cause is not None:
            causes[run.index] = causes.get(cause.index, cause)
        if run.status in FAILED_STATUSES:
            failed_runs[run.index] = run
    return causes


def _missing_name(run: CellRun) -> str:
    """The name that a cell did not find, or nothing."""
    if run.error is None or run.error.name != "NameError":
        return ""
    match = _NAME.search(run.error.message)
    return match.group(1) if match else ""


class NotebookRuns(Check[NotebookRunsParams]):
    """The notebook runs headless: the share of code cells that do not fail of their own.

    A NameError for a name that an earlier failed cell assigns is that cell's failure. Empty and
    comment-only cells are left out; lines that a headless grader neutralizes (installers, Colab,
    `input()`) and text on stderr are no failure. A notebook without code earns nothing.
    """

    code = "EXE001"
    params = NotebookRunsParams
    judges_file = True

    def title(self, params: NotebookRunsParams) -> str:
        """What it checks."""
        return "runs from top to bottom"

    def judge(self, params: NotebookRunsParams, evidence: Evidence) -> CheckOutcome:
        """Counts cells."""
        code_runs = [run for run in evidence.record.cells if run.status is not CellStatus.SKIPPED]
        expected = "every code cell runs without an error"
        if not code_runs:
            return failed(expected=expected, observed="the notebook has no code cells")
        failures = own_failures(evidence)
        if not failures:
            return passed(
                expected=expected, observed=f"{len(code_runs)} of {len(code_runs)} cells ran"
            )
        share = min(1 - Fraction(len(failures), len(code_runs)), params.at_most)
        details = "; ".join(f"cell {run.index}: {_describe_failure(run)}" for run in failures[:6])
        return CheckOutcome(
            share=share,
            expected=expected,
            observed=f"{len(failures)} of {len(code_runs)} cells failed of their own: {details}",
            hint="Restart the kernel and run all cells before you hand in.",
            cells=tuple(run.index for run in failures),
        )


def _describe_failure(run: CellRun) -> str:
    if run.error is None:
        return "not reached in the time there was"
    line = f" (line {run.error.line})" if run.error.line else ""
    return f"{run.error.name}: {run.error.message[:120]}{line}"
