"""Judges a run by the public checks, with the ordinary checks and evidence, for its owner."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.checks import Evidence
from grader.model import Finding, Item, Trace, Verdict
from grader.selfcheck.public_rubric import PublicRubric

LOSING_VERDICTS = frozenset({Verdict.FAILED, Verdict.PARTIAL, Verdict.BLOCKED})
"""Verdicts that cost points, for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfcheckResult:
    """What the public checks concluded about one notebook."""

    public: PublicRubric
    findings: tuple[Finding, ...]
    cell_labels: Mapping[int, str] = field(default_factory=dict)
    """By the number of a cell, how its owner finds it: 'cell 20', 'In [5]'."""
    file_only_items: tuple[Item, ...] = ()
    """Items that are left out since their checks read the saved file, and there is none."""
    warnings: tuple[str, ...] = ()
    """What would cost points on submission, or a person's time."""
    notices: tuple[str, ...] = ()
    """What costs nothing, though it may look so."""

    @property
    def passed_count(self) -> int:
        """How many public checks passed."""
        return sum(finding.verdict is Verdict.PASSED for finding in self.findings)

    @property
    def loses_points(self) -> bool:
        """Whether a public check took a point."""
        return any(f.verdict in LOSING_VERDICTS and f.earned < f.possible for f in self.findings)

    @property
    def has_errors(self) -> bool:
        """Whether a check could not be judged, which is our fault and costs nothing."""
        return any(finding.verdict is Verdict.ERROR for finding in self.findings)

    @property
    def later_count(self) -> int:
        """How many checks run only after submission."""
        return sum(map(len, self.public.later_needs.values()))

    @property
    def written_count(self) -> int:
        """How many answers a person reads."""
        return sum(item.kind == "written" for item in self.public.rubric.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """The result of checking one file, or the reason why it can't be checked."""

    path: Path
    result: SelfcheckResult | None = None
    reason: str = ""


def judge_public_checks(
    public: PublicRubric,
    trace: Trace,
    *,
    cell_labels: Mapping[int, str],
    saved_file: bool,
    printed: str = "",
) -> SelfcheckResult:
    """Judge a run by the public checks.

    Args:
        public: The public rubric.
        trace: The trace of the notebook's run.
        cell_labels: By the number of a cell, how its owner finds it.
        saved_file: Whether a saved file ran from top to bottom. Otherwise checks that look at the
            file are left out.
        printed: What the notebook printed, as far as that is known, for notices.
    """
    judged = public.checks.judge(Evidence.from_trace(trace, rng=public.rng)).findings
    file_codes = {c.spec.code for c in public.checks.rubric_checks if c.check.judges_file}
    findings = tuple(f for f in judged if saved_file or f.code not in file_codes)
    left_out = {f.item for f in judged} - {f.item for f in findings}
    return SelfcheckResult(
        public=public,
        findings=findings,
        cell_labels=cell_labels,
        file_only_items=tuple(item for item in public.rubric.items if item.id in left_out),
        notices=tuple(_matching_notices(public, trace, printed)),
    )


def _matching_notices(public: PublicRubric, trace: Trace, printed: str) -> Iterator[str]:
    # Single numbers count as printed: whether a cell shows them or not, students ask about them.
    arrays = [a for answer in trace.observations.values() for a in answer.arrays.values()]
    numbers = " ".join(f"{array.ravel()[0]:g}" for array in arrays if array.size == 1)
    for notice in public.rubric.notices:
        if not notice.printed or re.search(notice.printed, f"{printed} {numbers}"):
            yield notice.says


def blocked_items(result: SelfcheckResult, finding: Finding) -> tuple[Item, ...]:
    """Return the items that can't be checked in full until the fault of a finding is fixed."""
    prefix = f"{finding.item} ({finding.title}"
    blocked = {
        other.item
        for other in result.findings
        if other.verdict is Verdict.BLOCKED
        and other is not finding
        and other.blocked_by.startswith(prefix)
    }
    if not blocked:
        return ()
    waiting_items = blocked | {finding.item}
    for item, needs_list in result.public.later_needs.items():
        if any(waiting_items & set(needs) for needs in needs_list):
            blocked.add(item)
    return tuple(i for i in result.public.rubric.items if i.id in blocked - {finding.item})
