"""Finds out whether what a check could not pass is due to a module that is missing here.

That is our lack: it costs nobody a point. What ran before a cell that needed such a module does not
depend on it, and is judged as always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.checks.check import Evidence
from grader.checks.memo import memoized
from grader.model import CellStatus, Json, MissingModule, Observation
from grader.notebook import assigning_cells
from grader.notebook.missing_words import modules_in_error, needed_modules, undefined_name

_PLACE = "where notebooks are graded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleLack:
    """A module of which more than its import was needed, and the cell that needed it first."""

    module: MissingModule
    cell: int | None = None

    @property
    def sentence(self) -> str:
        """What is missing, in words for everyone."""
        verb = "cannot be imported" if self.module.broken else "is not installed"
        return f"{self.module.name} {verb} {_PLACE}"


def find_lack(
    evidence: Evidence,
    *,
    cells: Iterable[int],
    answers: Iterable[Observation],
    is_absent: bool,
) -> ModuleLack | None:
    """Return what was lacking for a check that did not pass, or None where nothing was.

    Args:
        evidence: The submission's.
        cells: The cells that the check is about.
        answers: The answers to what it asked.
        is_absent: Whether the thing to be judged is not there.
    """
    lacking = lacking_cells(evidence)
    about = sorted(cells)
    for index in about:
        if index in lacking:
            return lacking[index]
    known = _our_lacks(evidence)
    for name in (name for answer in answers for name in _modules_in_answer(answer)):
        if name in known:
            return ModuleLack(module=known[name])
    failed = {index: lack for index, lack in lacking.items() if index in _failed_cells(evidence)}
    if failed and (is_absent or not about or about[-1] > min(failed)):
        return failed[min(failed)]
    return None


@memoized
def lacking_cells(evidence: Evidence) -> Mapping[int, ModuleLack]:
    """Return what each cell lacked that could not do what it should, for want of a module."""
    known = _our_lacks(evidence)
    lacking: dict[int, ModuleLack] = {}
    if not known:
        return lacking
    for run in evidence.record.cells:
        names = needed_modules(run, evidence.notebook)
        name = next((name for name in names if name in known), "")
        if name:
            lacking[run.index] = ModuleLack(module=known[name], cell=run.index)
            continue
        undefined = undefined_name(run)
        assigning = assigning_cells(evidence.notebook, undefined) if undefined else ()
        causes = (lacking[index] for index in assigning if index in lacking)
        cause = next(causes, None)
        if cause is not None:
            lacking[run.index] = cause
    return lacking


def _our_lacks(evidence: Evidence) -> Mapping[str, MissingModule]:
    return {module.name: module for module in evidence.record.missing if module.known}


def _failed_cells(evidence: Evidence) -> frozenset[int]:
    fine = {CellStatus.RAN, CellStatus.SKIPPED}
    return frozenset(run.index for run in evidence.record.cells if run.status not in fine)


def _modules_in_answer(answer: Observation) -> tuple[str, ...]:
    calls = answer.data.get("calls")
    errors: list[Json] = [answer.error]
    errors += (
        [call.get("error") for call in calls if isinstance(call, dict)]
        if isinstance(calls, list)
        else []
    )
    return tuple(name for error in errors for name in modules_in_error(str(error or "")))
