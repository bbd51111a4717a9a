"""What trying a notebook says: whether a case holds, what became of a mutant, who caught it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from grader.authoring.trial_runs import TrialRun
from grader.model import (
    CaseResult,
    CellStatus,
    Fate,
    Finding,
    Graded,
    Mutant,
    MutantResult,
    Rubric,
    Shortfall,
    Verdict,
)

UNSTOPPED = frozenset({CellStatus.RAN, CellStatus.SKIPPED})
"""What became of cells that nothing stopped."""
LOSING_VERDICTS = frozenset({Verdict.FAILED, Verdict.PARTIAL})
"""Verdicts that took points, by a judgment and not by what something else brought down."""


def case_result(
    name: str, trials: Sequence[TrialRun], *, points: Mapping[str, Fraction], problem: str = ""
) -> CaseResult:
    """Whether a submission scored what it must, in every try and under every seed."""
    problem = problem or next((trial.problem for trial in trials if trial.problem), "")
    grades = [grade for trial in trials for grade in trial.grades]
    problem = (
        problem
        or next((grade.reason for grade in grades if grade.reason), "")
        or _grader_fault(grades)
    )
    farthest: dict[str, Shortfall] = {}
    for grade in grades:
        for shortfall in _shortfalls(grade, points):
            known = farthest.get(shortfall.item)
            if known is None or _deviation(shortfall) > _deviation(known):
                farthest[shortfall.item] = shortfall
    return CaseResult(
        name=name,
        shortfalls=tuple(farthest[item] for item in points if item in farthest),
        wavers=len(
            {_signature(trial, seed) for trial in trials for seed in range(len(trial.grades))}
        )
        > 1,
        problem=problem,
    )


def mutant_result(mutant: Mutant, trial: TrialRun, *, why: str) -> MutantResult:
    """What became of a mutant; the worst over all seeds counts."""
    if trial.problem or not trial.grades or _grader_fault(trial.grades):
        return MutantResult(mutant=mutant, fate=Fate.UNTRIED, why="")
    stopped = any(run.status not in UNSTOPPED for run in trial.record.cells)
    fates = {_fate(mutant, findings, stopped=stopped) for findings in trial.findings()}
    order = (Fate.SURVIVED, Fate.ELSEWHERE, Fate.CAUGHT, Fate.STOPPED)
    return MutantResult(
        mutant=mutant,
        fate=next(fate for fate in order if fate in fates),
        caught_by=triggered_checks(trial),
        wavers=len({_signature(trial, seed) for seed in range(len(trial.grades))}) > 1,
        why=why,
    )


def triggered_checks(trial: TrialRun) -> tuple[str, ...]:
    """'ITEM CODE NUMBER' of each check that took points, under whatever seed."""
    keys: dict[str, None] = {}
    for findings in trial.findings():
        for key, finding in keyed_findings(findings):
            if finding.verdict in LOSING_VERDICTS:
                keys[key] = None
    return tuple(keys)


def keyed_findings(findings: Sequence[Finding]) -> list[tuple[str, Finding]]:
    """Findings by 'ITEM CODE', with a number where an item calls a check more than once."""
    counts: dict[str, int] = {}
    pairs = []
    for finding in findings:
        key = f"{finding.item} {finding.code}"
        counts[key] = counts.get(key, 0) + 1
        pairs.append((key if counts[key] == 1 else f"{key} #{counts[key]}", finding))
    return pairs


def _fate(mutant: Mutant, findings: Sequence[Finding], *, stopped: bool) -> Fate:
    if stopped:
        return Fate.STOPPED
    lost = {finding.item for finding in findings if finding.verdict in LOSING_VERDICTS}
    if not lost:
        # Pending is a person's to see: outputs cleared beside a PDF, say.
        return Fate.CAUGHT if _pending(findings) else Fate.SURVIVED
    return Fate.CAUGHT if not mutant.items or lost & set(mutant.items) else Fate.ELSEWHERE


def _pending(findings: Sequence[Finding]) -> bool:
    return any(finding.verdict is Verdict.PENDING for finding in findings)


def _signature(trial: TrialRun, seed: int) -> tuple[tuple[str, Fraction], ...]:
    return tuple((key, finding.earned) for key, finding in keyed_findings(trial.findings()[seed]))


def _shortfalls(graded: Graded, points: Mapping[str, Fraction]) -> list[Shortfall]:
    if graded.score is None:
        return []
    shortfalls = []
    for item in graded.score.items:
        expected = points.get(item.item.id)
        earned = sum((finding.earned for finding in item.findings), Fraction(0))
        if expected is not None and round(earned, 2) != round(expected, 2):
            losing_findings = [f for f in item.findings if f.earned != f.possible] or list(
                item.findings
            )
            description = "; ".join(
                f"{f.title}: {f.found or f.blocked_by}" for f in losing_findings
            )
            shortfalls.append(
                Shortfall(item=item.item.id, expected=expected, earned=earned, found=description)
            )
    return shortfalls


def _deviation(shortfall: Shortfall) -> Fraction:
    return abs(shortfall.earned - shortfall.expected)


def _grader_fault(grades: Sequence[Graded]) -> str:
    """What a check could not judge, by a fault of ours."""
    for grade in grades:
        for item in grade.score.items if grade.score else ():
            for finding in item.findings:
                if finding.verdict is Verdict.ERROR:
                    return f"{finding.item} {finding.code}: {finding.found}"
    return ""


def full_points(rubric: Rubric) -> dict[str, Fraction]:
    """Every automatic item at all of its points."""
    return {item.id: item.points for item in rubric.items if item.kind == "auto"}
