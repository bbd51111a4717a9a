"""Judges trial runs: whether a case scored as expected, and which checks caught a mutant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from grader.authoring.trial_runs import TrialRun
from grader.checks.evaluation import NO_COST, NOT_JUDGED
from grader.model import (
    CaseResult,
    CellStatus,
    Finding,
    Graded,
    Mutant,
    MutantOutcome,
    MutantResult,
    Shortfall,
    Verdict,
)

LOSING_VERDICTS = frozenset({Verdict.FAILED, Verdict.PARTIAL})
"""Verdicts by which a check itself takes points; BLOCKED ones lose them to another check."""


def case_result(
    name: str, trials: Sequence[TrialRun], *, points: Mapping[str, Fraction], problem: str = ""
) -> CaseResult:
    """Return whether a submission scored as expected, in every trial run and under every seed.

    Args:
        name: The name of the submission.
        trials: Its runs.
        points: The expected points of automatic items, by item; others may score anything.
        problem: What else is wrong with the submission, or ''.
    """
    grades = [grade for trial in trials for grade in trial.grades]
    problems = (
        problem,
        *(trial.problem for trial in trials),
        *(grade.reason for grade in grades),
        "\n".join(_grader_faults(grades)),
    )
    largest: dict[str, Shortfall] = {}
    shortfalls = [shortfall for grade in grades for shortfall in _shortfalls(grade, points)]
    for shortfall in sorted(shortfalls, key=lambda s: abs(s.earned - s.expected), reverse=True):
        largest.setdefault(shortfall.item, shortfall)
    return CaseResult(
        name=name,
        shortfalls=tuple(largest[item] for item in points if item in largest),
        is_unstable=_is_unstable(trials),
        problem=next(filter(None, problems), ""),
    )


def mutant_result(mutant: Mutant, trial: TrialRun, *, why: str) -> MutantResult:
    """Return a mutant's worst outcome under any seed.

    Args:
        mutant: The mutant.
        trial: Its run.
        why: Why it may escape; dropped unless it does.
    """
    if trial.problem or not trial.grades or _grader_faults(trial.grades):
        return MutantResult(mutant=mutant, outcome=MutantOutcome.UNGRADED)
    finished = {CellStatus.RAN, CellStatus.SKIPPED}
    stopped = any(run.status not in finished for run in trial.record.cells)
    outcomes = {_outcome(mutant, findings, stopped=stopped) for findings in trial.findings()}
    result = MutantResult(
        mutant=mutant,
        outcome=next(outcome for outcome in MutantOutcome if outcome in outcomes),
        caught_by=triggered_checks(trial),
        is_unstable=_is_unstable([trial]),
    )
    return replace(result, why=why) if result.escaped else result


def triggered_checks(trial: TrialRun) -> tuple[str, ...]:
    """Return the key of each check that took points under any seed."""
    return tuple(
        dict.fromkeys(
            key
            for findings in trial.findings()
            for key, finding in keyed_findings(findings)
            if finding.verdict in LOSING_VERDICTS
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


def _outcome(mutant: Mutant, findings: Sequence[Finding], *, stopped: bool) -> MutantOutcome:
    if stopped:
        return MutantOutcome.STOPPED
    lost = {finding.item for finding in findings if finding.verdict in LOSING_VERDICTS}
    if not lost:
        # A pending finding shows it to a person: outputs cleared beside a PDF, say.
        pending = any(finding.verdict is Verdict.PENDING for finding in findings)
        return MutantOutcome.CAUGHT if pending else MutantOutcome.SURVIVED
    is_expected = not mutant.items or not lost.isdisjoint(mutant.items)
    return MutantOutcome.CAUGHT if is_expected else MutantOutcome.ELSEWHERE


def _is_unstable(trials: Sequence[TrialRun]) -> bool:
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
        if all(f.verdict is Verdict.ERROR for f in losing):
            continue  # told as a fault
        # Where it earned too much, what earned it is to be looked at.
        to_blame = [f for f in item.findings if f.earned] if earned > expected else losing
        description = "; ".join(
            f"{f.title.rstrip('.')}: {(f.found or f.blocked_by).rstrip('.')}" for f in to_blame
        )
        yield Shortfall(item=item.item.id, expected=expected, earned=earned, found=description)


def _grader_faults(grades: Sequence[Graded]) -> tuple[str, ...]:
    """Return the finding of each check that failed by a fault of the grader or of a test."""
    faults: dict[str, str] = {}
    for grade in grades:
        findings = [f for item in (grade.score.items if grade.score else ()) for f in item.findings]
        for key, finding in keyed_findings(findings):
            if finding.verdict is Verdict.ERROR:
                reason = finding.found.removeprefix(NOT_JUDGED).removesuffix(NO_COST)
                faults.setdefault(key, f"{key}: {reason}")
    return tuple(faults.values())
