"""From a rubric's checks to questions, and from observations to findings."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from grader.checks.check import Check, CheckOutcome, Evidence, Params, RandomDraws, ReferenceFault
from grader.checks.execution import FAILED_STATUSES, failure_cause
from grader.model import (
    CellRun,
    CheckSpec,
    Finding,
    Item,
    Notebook,
    Question,
    Rubric,
    Verdict,
)
from grader.notebook import assigning_cells
from grader.notebook.student_code import parse_source

Registry = Mapping[str, Check[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricCheck:
    """A check as an item of the rubric calls it, its parameters read."""

    item: Item
    spec: CheckSpec
    check: Check[Any]
    params: Params

    @property
    def title(self) -> str:
        """What it checks."""
        return self.check.title(self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRubric:
    """A rubric, the checks it calls, and what was drawn for a course: made once, used for all."""

    rubric_checks: tuple[RubricCheck, ...]
    judging_order: tuple[int, ...]
    """Places in `called`, those that others need first."""
    questions: tuple[Question, ...]
    """What a notebook is asked, each question once."""
    constant_questions: tuple[Question, ...]
    """What the reference is asked once, for all submissions; its answers are in all evidence."""

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        """What the reference is asked about one submission, and has not answered yet."""
        with _ignore_overflow():
            questions = _unique_questions(
                q
                for rubric_check in self.rubric_checks
                for q in _try_counter_questions(rubric_check, evidence)
            )
        return tuple(question for question in questions if question.id not in evidence.expected)

    def judge(self, evidence: Evidence) -> tuple[Finding, ...]:
        """A finding for every check of the rubric, those it needs judged first, in its order."""
        judged_by_index: dict[int, _Judged] = {}
        for index in self.judging_order:
            findings = tuple(judged.finding for judged in judged_by_index.values())
            current_evidence = replace(evidence, findings=findings)
            with _ignore_overflow():
                judged_by_index[index] = _judge_check(
                    self.rubric_checks[index], current_evidence, tuple(judged_by_index.values())
                )
        return tuple(judged_by_index[index].finding for index in range(len(self.rubric_checks)))


def bind_rubric(rubric: Rubric, *, registry: Registry, draws: RandomDraws) -> BoundRubric:
    """The rubric with its checks, ready to judge any number of submissions."""
    rubric_checks = tuple(
        RubricCheck(item=item, spec=spec, check=check, params=spec.params)
        for item in rubric.items
        for spec in item.checks
        for check in (registry[spec.code],)
    )
    return BoundRubric(
        rubric_checks=rubric_checks,
        judging_order=_order_by_needs(rubric_checks),
        questions=_unique_questions(
            q for c in rubric_checks for q in c.check.questions(c.params, draws)
        ),
        constant_questions=_unique_questions(
            q for c in rubric_checks for q in c.check.constant_questions(c.params, draws)
        ),
    )


def _ignore_overflow() -> np.errstate:
    """A notebook's numbers may overflow: what comes of it is not finite, so agrees with nothing."""
    return np.errstate(over="ignore", invalid="ignore")


def _unique_questions(questions: Iterable[Question]) -> tuple[Question, ...]:
    return tuple({question.id: question for question in questions}.values())


def _try_counter_questions(rubric_check: RubricCheck, evidence: Evidence) -> tuple[Question, ...]:
    """A check's own; one that fails at it asks nothing, and fails again when it judges."""
    try:
        return rubric_check.check.counter_questions(rubric_check.params, evidence)
    except Exception:  # noqa: BLE001 (a fault of a check must not cost a submission its grade)
        return ()


def _order_by_needs(rubric_checks: tuple[RubricCheck, ...]) -> tuple[int, ...]:
    order: list[int] = []
    remaining = list(range(len(rubric_checks)))
    while remaining:
        others = [rubric_checks[index] for index in remaining]
        ready = (index for index in remaining if not _needs_any(rubric_checks[index], others))
        order.append(next(ready, remaining[0]))
        remaining.remove(order[-1])
    return tuple(order)


class _Judged:
    """A finding, and whether what needs it must stop."""

    def __init__(self, finding: Finding, *, stops: bool) -> None:
        self.finding = finding
        self.stops = stops


def _needs_any(rubric_check: RubricCheck, others: list[RubricCheck]) -> bool:
    return any(
        need == other.item.id or (need == other.spec.code and other.item.id == rubric_check.item.id)
        for need in rubric_check.spec.needs
        for other in others
        if other.spec is not rubric_check.spec
    )


def _judge_check(
    rubric_check: RubricCheck, evidence: Evidence, earlier_judged: tuple[_Judged, ...]
) -> _Judged:
    try:
        outcome = rubric_check.check.judge(rubric_check.params, evidence)
    except ReferenceFault as ours:
        return _Judged(_error_finding(rubric_check, str(ours)), stops=False)
    except Exception as error:  # noqa: BLE001 (a fault of a check must not cost a student anything)
        return _Judged(
            _error_finding(rubric_check, f"{type(error).__name__} while judging"), stops=False
        )
    finding = _make_finding(rubric_check, outcome)
    if not finding.cells:
        names = outcome.names or rubric_check.check.names(rubric_check.params)
        finding = replace(finding, cells=_cells_assigning(evidence, names))
    if not outcome.unjudged:
        return _Judged(finding, stops=outcome.stops)
    return _Judged(
        _explain_unjudged(finding, rubric_check.spec, outcome, evidence, earlier_judged), stops=True
    )


def _error_finding(rubric_check: RubricCheck, reason: str) -> Finding:
    return Finding(
        item=rubric_check.item.id,
        code=rubric_check.spec.code,
        title=rubric_check.title,
        verdict=Verdict.ERROR,
        earned=Fraction(0),
        possible=rubric_check.spec.points,
        public=rubric_check.spec.public,
        expected="",
        found=f"the grader could not judge this: {reason}. It costs you nothing.",
    )


def _make_finding(rubric_check: RubricCheck, outcome: CheckOutcome) -> Finding:
    spec = rubric_check.spec
    verdict = Verdict.PARTIAL
    if outcome.pending:
        verdict = Verdict.PENDING
    elif outcome.share == 1:
        verdict = Verdict.PASSED
    elif outcome.share == 0:
        verdict = Verdict.FAILED
    return Finding(
        item=rubric_check.item.id,
        code=spec.code,
        title=rubric_check.title,
        verdict=verdict,
        earned=spec.points * outcome.share,
        possible=spec.points,
        public=spec.public,
        expected=outcome.expected,
        found=outcome.observed,
        hint=_choose_hint(outcome, spec),
        cells=outcome.cells,
        exhibit=outcome.exhibit,
    )


def _choose_hint(outcome: CheckOutcome, spec: CheckSpec) -> str:
    """What to try: the rubric's question where the check has none, or where it fits best."""
    if outcome.share == 1 or (outcome.hint and not outcome.usual):
        return outcome.hint
    return spec.ask or outcome.hint


def _explain_unjudged(
    finding: Finding,
    spec: CheckSpec,
    outcome: CheckOutcome,
    evidence: Evidence,
    earlier_judged: tuple[_Judged, ...],
) -> Finding:
    """The finding as blocked, if something it needs or an unrelated error in a cell is why."""
    run = _first_failed_run(evidence, outcome.names)
    if run is not None and run.error is not None and run.error.name == "SyntaxError":
        return replace(finding, found=_append_error(finding, run))
    for need in spec.needs:
        for judged in earlier_judged:
            other = judged.finding
            is_needed = need == other.item or (need == other.code and other.item == finding.item)
            if is_needed and judged.stops:
                return _as_blocked(finding, by=_root_cause(other), cells=other.cells)
    if run is None or run.error is None:
        return _block_if_prevented(finding, outcome)
    cause = _unrelated_cause(run, evidence, outcome.names)
    if cause is not None and cause.error is not None:
        by = f"cell {cause.index} ({cause.error.name})"
        return _as_blocked(finding, by=by, cells=(cause.index,))
    return replace(finding, found=_append_error(finding, run))


def _append_error(finding: Finding, run: CellRun) -> str:
    error = f"{run.error.name}: {run.error.message[:160]}" if run.error else ""
    return f"{finding.found} (cell {run.index}: {error})"


def _block_if_prevented(finding: Finding, outcome: CheckOutcome) -> Finding:
    """Blocked by what never happened, if the check says so; else failed."""
    if not outcome.because:
        return finding
    cell = f", cell {finding.cells[0]}" if finding.cells else ""
    by = f"{finding.item} ({outcome.because}{cell})"
    return _as_blocked(finding, by=by, cells=finding.cells)


def _root_cause(other: Finding) -> str:
    """What to name as the cause: where that is blocked itself, what blocks it."""
    if other.blocked_by:
        return other.blocked_by
    cell = f", cell {other.cells[0]}" if other.cells else ""
    return f"{other.item} ({other.title}{cell})"


def _as_blocked(finding: Finding, *, by: str, cells: tuple[int, ...]) -> Finding:
    return replace(
        finding, verdict=Verdict.BLOCKED, blocked_by=by, cells=cells, hint="", earned=Fraction(0)
    )


def _cells_assigning(evidence: Evidence, names: tuple[str, ...]) -> tuple[int, ...]:
    def find_cells() -> tuple[int, ...]:
        cells = (cell for name in names for cell in assigning_cells(evidence.notebook, name))
        return tuple(sorted(set(cells)))

    return evidence.memo.get_or_compute(("cells", names), find_cells)


def _first_failed_run(evidence: Evidence, names: tuple[str, ...]) -> CellRun | None:
    """The first cell that should have made one of the names, and failed."""
    runs = {run.index: run for run in evidence.record.cells if run.status in FAILED_STATUSES}
    return next((runs[i] for i in _cells_assigning(evidence, names) if i in runs), None)


def _unrelated_cause(run: CellRun, evidence: Evidence, names: tuple[str, ...]) -> CellRun | None:
    """What made a cell fail, unless it was a statement that makes one of the names."""
    earlier = failure_cause(run, evidence)
    if earlier is not None or run.error is None or run.error.name == "SyntaxError":
        return earlier
    lines = {line for n in names for line in _binding_lines(evidence.notebook, run.index, n)}
    return None if run.error.line in lines else run


def _binding_lines(notebook: Notebook, index: int, name: str) -> set[int | None]:
    """The lines of the cell's statements that bind the name."""
    tree = parse_source(notebook.cells[index].source)
    lines: set[int | None] = set()
    for statement in tree.body if tree is not None else ():
        nodes = list(ast.walk(statement))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        defined = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        if name in stored | defined:
            lines |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return lines
