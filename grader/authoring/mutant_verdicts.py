"""What trying a notebook says: whether a case holds, what became of a mutant, who caught it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from grader.authoring.trial_runs import Tried
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

WENT = frozenset({CellStatus.RAN, CellStatus.SKIPPED})
"""What became of cells that nothing stopped."""
LOST = frozenset({Verdict.FAILED, Verdict.PARTIAL})
"""Verdicts that took points, by a judgement and not by what something else brought down."""


def case_result(
    name: str, tries: Sequence[Tried], *, points: Mapping[str, Fraction], problem: str = ""
) -> CaseResult:
    """Whether a submission scored what it must, in every try and under every seed."""
    problem = problem or next((tried.problem for tried in tries if tried.problem), "")
    graded = [one for tried in tries for one in tried.graded]
    problem = problem or next((one.reason for one in graded if one.reason), "") or _ours(graded)
    farthest: dict[str, Shortfall] = {}
    for one in graded:
        for shortfall in _shortfalls(one, points):
            known = farthest.get(shortfall.item)
            if known is None or _off(shortfall) > _off(known):
                farthest[shortfall.item] = shortfall
    return CaseResult(
        name=name,
        shortfalls=tuple(farthest[item] for item in points if item in farthest),
        wavers=len(
            {_signature(tried, seed) for tried in tries for seed in range(len(tried.graded))}
        )
        > 1,
        problem=problem,
    )


def mutant_result(mutant: Mutant, tried: Tried, *, why: str) -> MutantResult:
    """What became of a mutant; the worst over all seeds counts."""
    if tried.problem or not tried.graded or _ours(tried.graded):
        return MutantResult(mutant=mutant, fate=Fate.UNTRIED, why="")
    stopped = any(run.status not in WENT for run in tried.record.cells)
    fates = {_fate(mutant, findings, stopped=stopped) for findings in tried.findings()}
    order = (Fate.SURVIVED, Fate.ELSEWHERE, Fate.CAUGHT, Fate.STOPPED)
    return MutantResult(
        mutant=mutant,
        fate=next(fate for fate in order if fate in fates),
        caught_by=triggered(tried),
        wavers=len({_signature(tried, seed) for seed in range(len(tried.graded))}) > 1,
        why=why,
    )


def triggered(tried: Tried) -> tuple[str, ...]:
    """'ITEM CODE NUMBER' of each check that took points, under whatever seed."""
    found: dict[str, None] = {}
    for findings in tried.findings():
        for key, finding in keyed(findings):
            if finding.verdict in LOST:
                found[key] = None
    return tuple(found)


def keyed(findings: Sequence[Finding]) -> list[tuple[str, Finding]]:
    """Findings by 'ITEM CODE', with a number where an item calls a check more than once."""
    seen: dict[str, int] = {}
    named = []
    for finding in findings:
        key = f"{finding.item} {finding.code}"
        seen[key] = seen.get(key, 0) + 1
        named.append((key if seen[key] == 1 else f"{key} #{seen[key]}", finding))
    return named


def _fate(mutant: Mutant, findings: Sequence[Finding], *, stopped: bool) -> Fate:
    if stopped:
        return Fate.STOPPED
    lost = {finding.item for finding in findings if finding.verdict in LOST}
    if not lost:
        # Pending is a person's to see: outputs cleared beside a PDF, say.
        return Fate.CAUGHT if _pending(findings) else Fate.SURVIVED
    return Fate.CAUGHT if not mutant.items or lost & set(mutant.items) else Fate.ELSEWHERE


def _pending(findings: Sequence[Finding]) -> bool:
    return any(finding.verdict is Verdict.PENDING for finding in findings)


def _signature(tried: Tried, seed: int) -> tuple[tuple[str, Fraction], ...]:
    return tuple((key, finding.earned) for key, finding in keyed(tried.findings()[seed]))


def _shortfalls(graded: Graded, points: Mapping[str, Fraction]) -> list[Shortfall]:
    if graded.score is None:
        return []
    found = []
    for item in graded.score.items:
        want = points.get(item.item.id)
        got = sum((finding.earned for finding in item.findings), Fraction(0))
        if want is not None and round(got, 2) != round(want, 2):
            lost = [f for f in item.findings if f.earned != f.possible] or list(item.findings)
            told = "; ".join(f"{f.title}: {f.found or f.blocked_by}" for f in lost)
            found.append(Shortfall(item=item.item.id, expected=want, earned=got, found=told))
    return found


def _off(shortfall: Shortfall) -> Fraction:
    return abs(shortfall.earned - shortfall.expected)


def _ours(graded: Sequence[Graded]) -> str:
    """What a check could not judge, by a fault of ours."""
    for one in graded:
        for item in one.score.items if one.score else ():
            for finding in item.findings:
                if finding.verdict is Verdict.ERROR:
                    return f"{finding.item} {finding.code}: {finding.found}"
    return ""


def full_points(rubric: Rubric) -> dict[str, Fraction]:
    """Every automatic item at all of its points."""
    return {item.id: item.points for item in rubric.items if item.kind == "auto"}
