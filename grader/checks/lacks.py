"""Finds out whether what a check could not pass is our lack: a missing module, a wall, a network.

It costs nobody a point. What ran before a cell that lacked something does not depend on it, and is
judged as always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.checks.check import Evidence
from grader.checks.memo import memoized
from grader.checks.network_lacks import SENTENCE as NETWORK_SENTENCE
from grader.checks.network_lacks import needs_network
from grader.checks.wall_lacks import SENTENCE as WALL_SENTENCE
from grader.checks.wall_lacks import failed_at_wall, is_wall_error
from grader.model import CellStatus, Json, MissingModule, Observation
from grader.notebook import assigning_cells
from grader.notebook.missing_words import modules_in_error, needed_modules, undefined_name

THREADS_SENTENCE = "tests ask the notebook without the threads that it started"
_PLACE = "where notebooks are graded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What was lacking, in words for everyone, and the cell that lacked it first."""

    sentence: str
    cell: int | None = None


def find_lack(
    evidence: Evidence,
    *,
    cells: Iterable[int],
    answers: Iterable[Observation],
    is_absent: bool,
) -> Lack | None:
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
    missing, answers = _missing_modules(evidence), tuple(answers)
    for error in (error for answer in answers for error in _errors_in_answer(answer)):
        sentences = (missing[name] for name in modules_in_error(error) if name in missing)
        if sentence := next(sentences, "") or _surroundings_lack(error, evidence):
            return Lack(sentence=sentence)
    if any(case.get("status") == "lacks_threads" for answer in answers for case in _cases(answer)):
        return Lack(sentence=THREADS_SENTENCE)
    failed = {index: lack for index, lack in lacking.items() if index in _failed_cells(evidence)}
    if failed and (is_absent or not about or about[-1] > min(failed)):
        return failed[min(failed)]
    return None


@memoized
def lacking_cells(evidence: Evidence) -> Mapping[int, Lack]:
    """Return what each cell lacked that could not do what it should, of ours."""
    missing = _missing_modules(evidence)
    lacking: dict[int, Lack] = {}
    for run in evidence.record.cells:
        names = needed_modules(run, evidence.notebook) if missing else ()
        name = next((name for name in names if name in missing), "")
        error = f"{run.error.name}: {run.error.message}" if run.error else ""
        at_wall = WALL_SENTENCE if failed_at_wall(run, evidence) else ""
        if sentence := missing.get(name) or at_wall or _surroundings_lack(error, evidence):
            lacking[run.index] = Lack(sentence=sentence, cell=run.index)
            continue
        undefined = undefined_name(run) if lacking else ""
        assigning = assigning_cells(evidence.notebook, undefined) if undefined else ()
        causes = (lacking[index] for index in assigning if index in lacking)
        cause = next(causes, None)
        if cause is not None:
            lacking[run.index] = cause
    return lacking


def _surroundings_lack(error: str, evidence: Evidence) -> str:
    """Return a sentence for what an error may come of where the notebook ran, or ''."""
    if is_wall_error(error, evidence):
        return WALL_SENTENCE
    return NETWORK_SENTENCE if needs_network(error, evidence) else ""


def _missing_modules(evidence: Evidence) -> Mapping[str, str]:
    """Return a sentence for each module that is missing and is our lack."""
    return {
        module.name: f"{module.name} {_describe_absence(module)} {_PLACE}"
        for module in evidence.record.missing
        if module.known
    }


def _describe_absence(module: MissingModule) -> str:
    if module.fetched:
        return "is fetched by the notebook, and there is no network"
    return "cannot be imported" if module.broken else "is not installed"


def _failed_cells(evidence: Evidence) -> frozenset[int]:
    fine = {CellStatus.RAN, CellStatus.SKIPPED}
    return frozenset(run.index for run in evidence.record.cells if run.status not in fine)


def _errors_in_answer(answer: Observation) -> tuple[str, ...]:
    calls = answer.data.get("calls")
    errors: list[Json] = [answer.error]
    errors += (
        [call.get("error") for call in calls if isinstance(call, dict)]
        if isinstance(calls, list)
        else []
    )
    errors += [
        f"{case.get('exception')}: {case.get('message')}"
        for case in _cases(answer)
        if case.get("outcome") in {"raised", "stopped"}
    ]
    return tuple(str(error) for error in errors if error)


def _cases(answer: Observation) -> list[dict[str, Json]]:
    """Return what came of the cases of a course's own test."""
    cases = answer.data.get("cases")
    return [case for case in cases if isinstance(case, dict)] if isinstance(cases, list) else []
