"""From a rubric's checks to questions, and from observations to findings."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

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
from grader.notebook.code import parsed

Registry = Mapping[str, Check[Any]]


def _called(rubric: Rubric) -> Iterable[tuple[Item, CheckSpec]]:
    return ((item, spec) for item in rubric.items for spec in item.checks)


def _with_params(registry: Registry, spec: CheckSpec) -> tuple[Check[Any], Params]:
    check = registry[spec.code]
    return check, check.params.model_validate(spec.params)


def _once(questions: Iterable[Question]) -> tuple[Question, ...]:
    return tuple({question.id: question for question in questions}.values())


def questions(rubric: Rubric, *, registry: Registry, draws: Draws) -> tuple[Question, ...]:
    """What the rubric's checks ask a notebook, each question once."""
    asked: list[Question] = []
    for _, spec in _called(rubric):
        check, params = _with_params(registry, spec)
        asked.extend(check.questions(params, draws))
    return _once(asked)


def counter_questions(
    rubric: Rubric, *, registry: Registry, evidence: Evidence
) -> tuple[Question, ...]:
    """What they then ask the reference, each question once."""
    asked: list[Question] = []
    for _, spec in _called(rubric):
        check, params = _with_params(registry, spec)
        asked.extend(check.counter_questions(params, evidence))
    return _once(asked)


def judge(rubric: Rubric, *, registry: Registry, evidence: Evidence) -> tuple[Finding, ...]:
    """A finding for every check of the rubric, those it needs judged first, in its order."""
    done: dict[tuple[str, int], _Judged] = {}
    order = list(_called(rubric))
    waiting = list(enumerate(order))
    while waiting:
        ready = [entry for entry in waiting if not _waits(entry[1], waiting)] or waiting[:1]
        place, (item, spec) = ready[0]
        waiting.remove(ready[0])
        seen = tuple(judged.finding for judged in done.values())
        judged = _judge_one(item, spec, registry, replace(evidence, findings=seen), done)
        done[item.id, place] = judged
    by_place = {place: judged for (_, place), judged in done.items()}
    return tuple(by_place[place].finding for place in range(len(order)))


class _Judged:
    """A finding, and whether what needs it must stop."""

    def __init__(self, finding: Finding, *, stops: bool) -> None:
        self.finding = finding
        self.stops = stops


def _waits(
    entry: tuple[Item, CheckSpec], waiting: list[tuple[int, tuple[Item, CheckSpec]]]
) -> bool:
    item, spec = entry
    others = [other for _, other in waiting if other[1] is not spec]
    return any(
        need == other_item.id or (need == other.code and other_item.id == item.id)
        for need in spec.needs
        for other_item, other in others
    )


def _judge_one(
    item: Item,
    spec: CheckSpec,
    registry: Registry,
    evidence: Evidence,
    done: Mapping[tuple[str, int], _Judged],
) -> _Judged:
    check, params = _with_params(registry, spec)
    try:
        opinion = check.judge(params, evidence)
    except Ours as ours:
        return _Judged(_ours(item, spec, check.title(params), str(ours)), stops=False)
    except Exception as error:  # noqa: BLE001 (a fault of a check must not cost a student anything)
        told = f"{type(error).__name__} while judging"
        return _Judged(_ours(item, spec, check.title(params), told), stops=False)
    finding = _finding(item, spec, check.title(params), opinion)
    if not finding.cells:
        names = opinion.names or check.names(params)
        finding = replace(finding, cells=_cells_of(evidence, names))
    if not opinion.unjudged:
        return _Judged(finding, stops=opinion.stops)
    return _Judged(_explained(finding, spec, opinion, evidence, done), stops=True)


def _ours(item: Item, spec: CheckSpec, title: str, told: str) -> Finding:
    return Finding(
        item=item.id,
        code=spec.code,
        title=title,
        verdict=Verdict.ERROR,
        earned=Fraction(0),
        possible=spec.points,
        public=spec.public,
        expected="",
        found=f"the grader could not judge this: {told}. It costs you nothing.",
    )


def _finding(item: Item, spec: CheckSpec, title: str, opinion: Opinion) -> Finding:
    verdict = Verdict.PARTIAL
    if opinion.pending:
        verdict = Verdict.PENDING
    elif opinion.share == 1:
        verdict = Verdict.PASSED
    elif opinion.share == 0:
        verdict = Verdict.FAILED
    return Finding(
        item=item.id,
        code=spec.code,
        title=title,
        verdict=verdict,
        earned=spec.points * opinion.share,
        possible=spec.points,
        public=spec.public,
        expected=opinion.expected,
        found=opinion.found,
        hint=opinion.hint,
        cells=opinion.cells,
        exhibit=opinion.exhibit,
    )


def _explained(
    finding: Finding,
    spec: CheckSpec,
    opinion: Opinion,
    evidence: Evidence,
    done: Mapping[tuple[str, int], _Judged],
) -> Finding:
    """The finding as blocked, if something it needs or an unrelated error in a cell is why."""
    run = _failed_cell(evidence, opinion.names)
    if run is not None and run.error is not None and run.error.name == "SyntaxError":
        return replace(finding, found=_with_error(finding, run))
    for need in spec.needs:
        for judged in done.values():
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
    return tuple(
        sorted({cell for name in names for cell in assigning_cells(evidence.notebook, name)})
    )


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
