"""From a rubric's checks to questions, and from observations to findings."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from grader.checks.check import Check, Draws, Evidence, Opinion, Ours, Params
from grader.checks.execution import BAD, brought_down_by
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
from grader.notebook.student_code import parsed

Registry = Mapping[str, Check[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
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
class Bound:
    """A rubric, the checks it calls, and what was drawn for a course: made once, used for all."""

    called: tuple[Called, ...]
    order: tuple[int, ...]
    """Places in `called`, those that others need first."""
    questions: tuple[Question, ...]
    """What a notebook is asked, each question once."""
    constant_questions: tuple[Question, ...]
    """What the reference is asked once, for all submissions; its answers are in all evidence."""

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        """What the reference is asked about one submission, and has not answered yet."""
        with _quiet():
            asked = _once(q for called in self.called for q in _counter_questions(called, evidence))
        return tuple(one for one in asked if one.id not in evidence.expected)

    def judge(self, evidence: Evidence) -> tuple[Finding, ...]:
        """A finding for every check of the rubric, those it needs judged first, in its order."""
        done: dict[int, _Judged] = {}
        for place in self.order:
            seen = tuple(judged.finding for judged in done.values())
            known = replace(evidence, findings=seen)
            with _quiet():
                done[place] = _judge_one(self.called[place], known, tuple(done.values()))
        return tuple(done[place].finding for place in range(len(self.called)))


def bind(rubric: Rubric, *, registry: Registry, draws: Draws) -> Bound:
    """The rubric with its checks, ready to judge any number of submissions."""
    called = tuple(
        Called(item=item, spec=spec, check=check, params=check.params.model_validate(spec.params))
        for item in rubric.items
        for spec in item.checks
        for check in (registry[spec.code],)
    )
    return Bound(
        called=called,
        order=_in_order_of_need(called),
        questions=_once(q for c in called for q in c.check.questions(c.params, draws)),
        constant_questions=_once(
            q for c in called for q in c.check.constant_questions(c.params, draws)
        ),
    )


def _quiet() -> np.errstate:
    """A notebook's numbers may overflow: what comes of it is not finite, so agrees with nothing."""
    return np.errstate(over="ignore", invalid="ignore")


def _once(questions: Iterable[Question]) -> tuple[Question, ...]:
    return tuple({question.id: question for question in questions}.values())


def _counter_questions(called: Called, evidence: Evidence) -> tuple[Question, ...]:
    """A check's own; one that fails at it asks nothing, and fails again when it judges."""
    try:
        return called.check.counter_questions(called.params, evidence)
    except Exception:  # noqa: BLE001 (a fault of a check must not cost a submission its grade)
        return ()


def _in_order_of_need(called: tuple[Called, ...]) -> tuple[int, ...]:
    order: list[int] = []
    waiting = list(range(len(called)))
    while waiting:
        others = [called[place] for place in waiting]
        ready = (place for place in waiting if not _waits(called[place], others))
        order.append(next(ready, waiting[0]))
        waiting.remove(order[-1])
    return tuple(order)


class _Judged:
    """A finding, and whether what needs it must stop."""

    def __init__(self, finding: Finding, *, stops: bool) -> None:
        self.finding = finding
        self.stops = stops


def _waits(one: Called, others: list[Called]) -> bool:
    return any(
        need == other.item.id or (need == other.spec.code and other.item.id == one.item.id)
        for need in one.spec.needs
        for other in others
        if other.spec is not one.spec
    )


def _judge_one(called: Called, evidence: Evidence, done: tuple[_Judged, ...]) -> _Judged:
    try:
        opinion = called.check.judge(called.params, evidence)
    except Ours as ours:
        return _Judged(_ours(called, str(ours)), stops=False)
    except Exception as error:  # noqa: BLE001 (a fault of a check must not cost a student anything)
        return _Judged(_ours(called, f"{type(error).__name__} while judging"), stops=False)
    finding = _finding(called, opinion)
    if not finding.cells:
        names = opinion.names or called.check.names(called.params)
        finding = replace(finding, cells=_cells_of(evidence, names))
    if not opinion.unjudged:
        return _Judged(finding, stops=opinion.stops)
    return _Judged(_explained(finding, called.spec, opinion, evidence, done), stops=True)


def _ours(called: Called, told: str) -> Finding:
    return Finding(
        item=called.item.id,
        code=called.spec.code,
        title=called.title,
        verdict=Verdict.ERROR,
        earned=Fraction(0),
        possible=called.spec.points,
        public=called.spec.public,
        expected="",
        found=f"the grader could not judge this: {told}. It costs you nothing.",
    )


def _finding(called: Called, opinion: Opinion) -> Finding:
    spec = called.spec
    verdict = Verdict.PARTIAL
    if opinion.pending:
        verdict = Verdict.PENDING
    elif opinion.share == 1:
        verdict = Verdict.PASSED
    elif opinion.share == 0:
        verdict = Verdict.FAILED
    return Finding(
        item=called.item.id,
        code=spec.code,
        title=called.title,
        verdict=verdict,
        earned=spec.points * opinion.share,
        possible=spec.points,
        public=spec.public,
        expected=opinion.expected,
        found=opinion.found,
        hint=_hint(opinion, spec),
        cells=opinion.cells,
        exhibit=opinion.exhibit,
    )


def _hint(opinion: Opinion, spec: CheckSpec) -> str:
    """What to try: the rubric's question where the check has none, or where it fits best."""
    if opinion.share == 1 or (opinion.hint and not opinion.usual):
        return opinion.hint
    return spec.ask or opinion.hint


def _explained(
    finding: Finding,
    spec: CheckSpec,
    opinion: Opinion,
    evidence: Evidence,
    done: tuple[_Judged, ...],
) -> Finding:
    """The finding as blocked, if something it needs or an unrelated error in a cell is why."""
    run = _failed_cell(evidence, opinion.names)
    if run is not None and run.error is not None and run.error.name == "SyntaxError":
        return replace(finding, found=_with_error(finding, run))
    for need in spec.needs:
        for judged in done:
            other = judged.finding
            named = need == other.item or (need == other.code and other.item == finding.item)
            if named and judged.stops:
                return _as_blocked(finding, by=_root_of(other), cells=other.cells)
    if run is None or run.error is None:
        return _unfinished(finding, opinion)
    cause = _other_cause(run, evidence, opinion.names)
    if cause is not None and cause.error is not None:
        by = f"cell {cause.index} ({cause.error.name})"
        return _as_blocked(finding, by=by, cells=(cause.index,))
    return replace(finding, found=_with_error(finding, run))


def _with_error(finding: Finding, run: CellRun) -> str:
    error = f"{run.error.name}: {run.error.message[:160]}" if run.error else ""
    return f"{finding.found} (cell {run.index}: {error})"


def _unfinished(finding: Finding, opinion: Opinion) -> Finding:
    """Blocked by what never happened, if the check says so; else failed."""
    if not opinion.because:
        return finding
    cell = f", cell {finding.cells[0]}" if finding.cells else ""
    by = f"{finding.item} ({opinion.because}{cell})"
    return _as_blocked(finding, by=by, cells=finding.cells)


def _root_of(other: Finding) -> str:
    """What to name as the cause: where that is blocked itself, what blocks it."""
    if other.blocked_by:
        return other.blocked_by
    cell = f", cell {other.cells[0]}" if other.cells else ""
    return f"{other.item} ({other.title}{cell})"


def _as_blocked(finding: Finding, *, by: str, cells: tuple[int, ...]) -> Finding:
    return replace(
        finding, verdict=Verdict.BLOCKED, blocked_by=by, cells=cells, hint="", earned=Fraction(0)
    )


def _cells_of(evidence: Evidence, names: tuple[str, ...]) -> tuple[int, ...]:
    def found() -> tuple[int, ...]:
        cells = (cell for name in names for cell in assigning_cells(evidence.notebook, name))
        return tuple(sorted(set(cells)))

    return evidence.memo.once(("cells", names), found)


def _failed_cell(evidence: Evidence, names: tuple[str, ...]) -> CellRun | None:
    """The first cell that should have made one of the names, and failed."""
    runs = {run.index: run for run in evidence.record.cells if run.status in BAD}
    return next((runs[i] for i in _cells_of(evidence, names) if i in runs), None)


def _other_cause(run: CellRun, evidence: Evidence, names: tuple[str, ...]) -> CellRun | None:
    """What made a cell fail, unless it was a statement that makes one of the names."""
    earlier = brought_down_by(run, evidence)
    if earlier is not None or run.error is None or run.error.name == "SyntaxError":
        return earlier
    lines = {line for n in names for line in _own_lines(evidence.notebook, run.index, n)}
    return None if run.error.line in lines else run


def _own_lines(notebook: Notebook, index: int, name: str) -> set[int | None]:
    """The lines of the cell's statements that bind the name."""
    tree = parsed(notebook.cells[index].source)
    lines: set[int | None] = set()
    for statement in tree.body if tree is not None else ():
        nodes = list(ast.walk(statement))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        defined = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        if name in stored | defined:
            lines |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return lines
