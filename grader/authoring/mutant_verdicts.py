"""Judges trials: whether a case scored what it must, what became of a mutant, and who caught it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
    Shortfall,
    Verdict,
)

UNSTOPPED = frozenset({CellStatus.RAN, CellStatus.SKIPPED})
"""Statuses of cells that nothing stopped."""
TAKING_VERDICTS = frozenset({Verdict.FAILED, Verdict.PARTIAL})
"""Verdicts that take points by a judgment, not by what something else brought down."""


def case_result(
    name: str, trials: Sequence[TrialRun], *, points: Mapping[str, Fraction], problem: str = ""
) -> CaseResult:
    """Return whether a submission scored what it must, in every trial and under every seed."""
    grades = [grade for trial in trials for grade in trial.grades]
    problems = (
        problem,
        *(trial.problem for trial in trials),
        *(grade.reason for grade in grades),
        _grader_fault(grades),
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
        wavers=_wavers(trials),
        problem=next(filter(None, problems), ""),
    )


def mutant_result(mutant: Mutant, trial: TrialRun, *, why: str) -> MutantResult:
    """Return what became of a mutant: the worst under any seed.

    Args:
        mutant: The mutant.
        trial: Its run.
        why: Why it may escape; kept only if it does.
    """
    if trial.problem or not trial.grades or _grader_fault(trial.grades):
        return MutantResult(mutant=mutant, fate=Fate.UNTRIED)
    stopped = any(run.status not in UNSTOPPED for run in trial.record.cells)
    fates = {_fate(mutant, findings, stopped=stopped) for findings in trial.findings()}
    order = (Fate.SURVIVED, Fate.ELSEWHERE, Fate.CAUGHT, Fate.STOPPED)
    result = MutantResult(
        mutant=mutant,
        fate=next(fate for fate in order if fate in fates),
        caught_by=triggered_checks(trial),
        wavers=_wavers([trial]),
    )
    return replace(result, why=why) if result.escaped else result


def triggered_checks(trial: TrialRun) -> tuple[str, ...]:
    """Return the key of each check that took points under any seed."""
    return tuple(
        dict.fromkeys(
            key
            for findings in trial.findings()
            for key, finding in keyed_findings(findings)
            if finding.verdict in TAKING_VERDICTS
        )
    )


def keyed_findings(findings: Sequence[Finding]) -> list[tuple[str, Finding]]:
    """Return findings with keys: 'ITEM CODE', or 'ITEM CODE #2' for a second such check."""
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
    lost = {finding.item for finding in findings if finding.verdict in TAKING_VERDICTS}
    if not lost:
        # A pending finding shows it to a person: outputs cleared beside a PDF, say.
        pending = any(finding.verdict is Verdict.PENDING for finding in findings)
        return Fate.CAUGHT if pending else Fate.SURVIVED
    return Fate.CAUGHT if not mutant.items or lost & set(mutant.items) else Fate.ELSEWHERE


def _wavers(trials: Sequence[TrialRun]) -> bool:
    """Tell whether points depend on the seed or on the run."""
    earned = {
        tuple((key, finding.earned) for key, finding in keyed_findings(findings))
        for trial in trials
        for findings in trial.findings()
    }
    return len(earned) > 1


def _shortfalls(graded: Graded, points: Mapping[str, Fraction]) -> Iterator[Shortfall]:
    for item in graded.score.items if graded.score else ():
        expected = points.get(item.item.id)
        earned = sum((finding.earned for finding in item.findings), Fraction(0))
        if expected is None or round(earned, 2) == round(expected, 2):
            continue
        losing = [f for f in item.findings if f.earned != f.possible] or item.findings
        description = "; ".join(f"{f.title}: {f.found or f.blocked_by}" for f in losing)
        yield Shortfall(item=item.item.id, expected=expected, earned=earned, found=description)


def _deviation(shortfall: Shortfall) -> Fraction:
    return abs(shortfall.earned - shortfall.expected)


def _grader_fault(grades: Sequence[Graded]) -> str:
    """Return what a check could not judge by a fault of the grader; '' for nothing."""
    for grade in grades:
        for item in grade.score.items if grade.score else ():
            for finding in item.findings:
                if finding.verdict is Verdict.ERROR:
                    return f"{finding.item} {finding.code}: {finding.found}"
    return ""
