"""EXE: whether the notebook runs from top to bottom with nobody at the keyboard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from grader.checks.check import Check, Evidence, Opinion, Params, failed, passed
from grader.model import CellRun, CellStatus
from grader.notebook import assigning_cells

_NAME = re.compile(r"name '([^']+)' is not defined")
BAD = {CellStatus.RAISED, CellStatus.TIMED_OUT, CellStatus.STRUCK_OUT, CellStatus.NOT_REACHED}


class RunsParams(Params):
    """How much a failure costs at least."""

    at_most: Fraction
    """The largest share of the points where any cell fails of its own."""


def own_failures(evidence: Evidence) -> tuple[CellRun, ...]:
    """Cells that failed of their own, not for want of a name that a failed cell assigns."""
    bad = [run for run in evidence.record.cells if run.status in BAD]
    return tuple(run for run in bad if brought_down_by(run, evidence) is None)


def brought_down_by(run: CellRun, evidence: Evidence) -> CellRun | None:
    """The earlier failed cell that should have assigned the name this one did not find."""
    causes = evidence.memo.once(("causes",), lambda: _causes(evidence))
    return causes.get(run.index)


def _causes(evidence: Evidence) -> Mapping[int, CellRun]:
    """By cell that was brought down, the cell at the root of it; a chain may be long."""
    causes: dict[int, CellRun] = {}
    bad: dict[int, CellRun] = {}
    for run in evidence.record.cells:
        name = _missing_name(run)
        makers = assigning_cells(evidence.notebook, name) if name and bad else ()
        other = next((bad[index] for index in makers if index in bad), None)
        if other is not None:
            causes[run.index] = causes.get(other.index, other)
        if run.status in BAD:
            bad[run.index] = run
    return causes


def _missing_name(run: CellRun) -> str:
    """The name that a cell did not find, or nothing."""
    if run.error is None or run.error.name != "NameError":
        return ""
    found = _NAME.search(run.error.message)
    return found.group(1) if found else ""


class Runs(Check[RunsParams]):
    """The notebook runs headless: the share of code cells that do not fail of their own.

    A NameError for a name that an earlier failed cell assigns is that cell's failure. Empty and
    comment-only cells are left out; lines that a headless grader neutralises (installers, Colab,
    `input()`) and text on stderr are no failure. A notebook without code earns nothing.
    """

    code = "EXE001"
    params = RunsParams
    of_file = True

    def title(self, params: RunsParams) -> str:
        """What it checks."""
        return "runs from top to bottom"

    def judge(self, params: RunsParams, evidence: Evidence) -> Opinion:
        """Counts cells."""
        ran = [run for run in evidence.record.cells if run.status is not CellStatus.SKIPPED]
        expected = "every code cell runs without an error"
        if not ran:
            return failed(expected=expected, found="the notebook has no code cells")
        own = own_failures(evidence)
        if not own:
            return passed(expected=expected, found=f"{len(ran)} of {len(ran)} cells ran")
        share = min(1 - Fraction(len(own), len(ran)), params.at_most)
        told = "; ".join(f"cell {run.index}: {_told(run)}" for run in own[:6])
        return Opinion(
            share=share,
            expected=expected,
            found=f"{len(own)} of {len(ran)} cells failed of their own: {told}",
            hint="Restart the kernel and run all cells before you hand in.",
            cells=tuple(run.index for run in own),
        )


def _told(run: CellRun) -> str:
    if run.error is None:
        return "not reached in the time there was"
    line = f" (line {run.error.line})" if run.error.line else ""
    return f"{run.error.name}: {run.error.message[:120]}{line}"
