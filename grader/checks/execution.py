"""EXE: judges whether the notebook runs from top to bottom without a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from grader.checks.check import Check, CheckOutcome, Evidence, failed, passed
from grader.checks.memo import memoized
from grader.model import CellRun, CellStatus, list_some, shorten
from grader.notebook import assigning_cells
from grader.notebook.missing_words import needed_modules, undefined_name

FAILED_STATUSES = {
    CellStatus.RAISED,
    CellStatus.TIMED_OUT,
    CellStatus.STRUCK_OUT,
    CellStatus.NOT_REACHED,
}

_MAX_LISTED = 6
_VALUE_ERRORS = frozenset({"EOFError", "IndexError", "KeyError", "ValueError"})
_SUBSTITUTES = {
    "input() was answered": ("the answer that input() gets here", _VALUE_ERRORS),
    "files.upload() gave": (
        "what files.upload() gives here",
        _VALUE_ERRORS
        | {"AssertionError", "FileNotFoundError", "NameError", "StopIteration", "TypeError"},
    ),
}
"""By how their notes begin: what substitutes for a person, and errors that are its fault."""


def own_failures(evidence: Evidence) -> tuple[CellRun, ...]:
    """Return the failed cells, without those that lacked a name which a failed cell assigns.

    A cell that failed on what substitutes for a person here is none of them, either.
    """
    failed_runs = [run for run in evidence.record.cells if run.status in FAILED_STATUSES]
    return tuple(
        run
        for run in failed_runs
        if failure_cause(run, evidence) is None and not failed_on_substitute(run)
    )


def failed_on_substitute(run: CellRun) -> str:
    """Return what a cell may have failed on that substitutes for a person here, or ''."""
    name = run.error.name if run.error is not None else ""
    return next((what for what, errors in _substitutes(run) if name in errors), "")


def _substitutes(run: CellRun) -> Iterator[tuple[str, frozenset[str]]]:
    for beginning, substitute in _SUBSTITUTES.items():
        if any(note.startswith(beginning) for note in run.notes):
            yield substitute


def failure_cause(run: CellRun, evidence: Evidence) -> CellRun | None:
    """Return the failed cell that should have assigned the name that this one lacked, or None."""
    return _failure_causes(evidence).get(run.index)


@memoized
def _failure_causes(evidence: Evidence) -> Mapping[int, CellRun]:
    """Return, for each cell that another made fail, the first cell of that chain."""
    causes: dict[int, CellRun] = {}
    failed_runs: dict[int, CellRun] = {}
    missing = {module.name for module in evidence.record.missing}
    first_without: dict[str, CellRun] = {}  # a module that is nowhere is one mistake
    for run in evidence.record.cells:
        name = undefined_name(run)
        assigning = assigning_cells(evidence.notebook, name) if name and failed_runs else ()
        cause = next((failed_runs[index] for index in assigning if index in failed_runs), None)
        if run.status in FAILED_STATUSES:
            failed_runs[run.index] = run
            for module in missing.intersection(needed_modules(run)):
                first = first_without.setdefault(module, run)
                cause = first if cause is None and first is not run else cause
        elif any("NameError" in errors for _, errors in _substitutes(run)):
            failed_runs[run.index] = run  # a loop over nothing assigns nothing
        if cause is not None:
            causes[run.index] = causes.get(cause.index, cause)
    return causes


class NotebookRuns(Check):
    """The notebook runs headless: the share of code cells that run and do not fail of their own.

    A NameError for a name that an earlier failed cell assigns is that cell's failure. Empty and
    comment-only cells are left out; lines that a headless grader neutralizes (installers, Colab,
    `input()`), text on stderr, and `exit()` with no cell behind it are no failure, nor is an error
    of values in a cell whose `input()` was answered, or that `files.upload()` gave no file. A
    notebook without code earns nothing.
    """

    code = "EXE001"
    title = "runs from top to bottom"
    judges_file = True

    at_most: Fraction
    """The largest share of the points where any cell fails of its own."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        code_runs = [run for run in evidence.record.cells if run.status is not CellStatus.SKIPPED]
        expected = "every code cell runs without an error"
        if not code_runs:
            return failed(expected=expected, observed="the notebook has no code cells")
        failures = own_failures(evidence)
        if not failures:
            return passed(expected=expected, observed=_describe_success(code_runs))
        share = min(1 - Fraction(len(failures), len(code_runs)), self.at_most)
        listed = failures[:_MAX_LISTED]
        details = "; ".join(f"cell {run.index}: {_describe_failure(run)}" for run in listed)
        if more := len(failures) - len(listed):
            details += f"; and {more} more"
        ours = {module.name for module in evidence.record.missing if module.known}
        is_ours = any(ours.intersection(needed_modules(run)) for run in failures)
        how = "failed" if is_ours else "failed on their own"
        return CheckOutcome(
            share=share,
            expected=expected,
            observed=f"{_count_failures(failures, len(code_runs), how=how)}: {details}",
            hint=_choose_hint(failures),
            cells=tuple(run.index for run in failures),
        )


def _count_failures(failures: Sequence[CellRun], total: int, *, how: str) -> str:
    """Say how many cells failed, and how, and apart from them how many were never run."""
    unreached = sum(run.status is CellStatus.NOT_REACHED for run in failures)
    counts = {how: len(failures) - unreached, "were not run": unreached}
    (first, what), *rest = [(count, words) for words, count in counts.items() if count]
    return ", ".join([f"{first} of {total} cells {what}", *(f"{n} {words}" for n, words in rest)])


def _describe_success(runs: Sequence[CellRun]) -> str:
    """Say how many cells ran, and why others that did not cost nothing."""
    ran = sum(run.status not in FAILED_STATUSES for run in runs)
    text = f"{ran} of {len(runs)} code cells ran without an error"
    unsuited: dict[str, list[str]] = {}
    for run in runs:
        if what := failed_on_substitute(run):
            unsuited.setdefault(what, []).append(f"cell {run.index}")
    for what, cells in unsuited.items():
        text += f"; {what} did not suit {list_some(cells)}"
    return text


def _choose_hint(failures: tuple[CellRun, ...]) -> str:
    if all(needed_modules(run) for run in failures):
        return "Is all that is imported installed, spelled right, or submitted with the notebook?"
    return "Restart the kernel, run all cells, and fix the first error before you submit."


def _describe_failure(run: CellRun) -> str:
    if run.error is None:
        return "not reached in the time there was"
    line = f" (line {run.error.line})" if run.error.line else ""
    return f"{run.error.name}: {shorten(run.error.message, most=120)}{line}"
