"""From what a notebook holds to what its owner is told: the same checks, the public ones alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from grader.checks import RECORDING_QUESTION, Evidence
from grader.checks.recording import read_recording
from grader.model import (
    CellStatus,
    ExecutionRecord,
    Finding,
    Item,
    Notebook,
    Observation,
    Verdict,
)
from grader.selfcheck.public_rubric import PublicRubric

REACHED_STATUSES = frozenset({CellStatus.RAN, CellStatus.RAISED, CellStatus.TIMED_OUT})
"""What became of cells that did run."""
LOSING_VERDICTS = frozenset({Verdict.FAILED, Verdict.PARTIAL, Verdict.BLOCKED})
"""Verdicts that cost points, for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEvidence:
    """A notebook as far as it ran, and what it answered."""

    notebook: Notebook
    record: ExecutionRecord
    observations: Mapping[str, Observation]
    cell_labels: Mapping[int, str]
    """By the number of a cell, how its owner finds it: 'cell 20', 'In [5]'."""
    printed: str = ""
    """What it put out, as far as that is known, for notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfcheckResult:
    """What the public checks came to."""

    public: PublicRubric
    findings: tuple[Finding, ...]
    """Those that were judged."""
    cell_labels: Mapping[int, str] = field(default_factory=dict)
    file_only_items: tuple[Item, ...] = ()
    """Items whose public checks look at the saved file, which was not looked at."""
    warnings: tuple[str, ...] = ()
    """What would cost points at hand-in, or a person's time."""
    notices: tuple[str, ...] = ()
    """What costs nothing, though it may look so."""

    @property
    def passed_count(self) -> int:
        """How many public checks passed."""
        return sum(finding.verdict is Verdict.PASSED for finding in self.findings)

    @property
    def loses_points(self) -> bool:
        """Whether a public check lost a point."""
        return any(f.verdict in LOSING_VERDICTS and f.earned < f.possible for f in self.findings)

    @property
    def has_errors(self) -> bool:
        """Whether a check could not be judged, which is our fault and costs nothing."""
        return any(finding.verdict is Verdict.ERROR for finding in self.findings)

    @property
    def later_count(self) -> int:
        """How many checks run after handing in."""
        return sum(map(len, self.public.later_needs.values()))

    @property
    def written_count(self) -> int:
        """How many answers a person reads."""
        return sum(item.kind == "written" for item in self.public.rubric.items)


def judge_public_checks(
    public: PublicRubric, observed: PublicEvidence, *, saved_file: bool
) -> SelfcheckResult:
    """Judge by the public checks.

    Args:
        public: the rubric.
        observed: the notebook.
        saved_file: whether it is a saved file that ran from top to bottom; else checks that look at
            that are left out.
    """
    reached_cells = [run.index for run in observed.record.cells if run.status in REACHED_STATUSES]
    evidence = Evidence(
        notebook=observed.notebook,
        record=observed.record,
        observations=observed.observations,
        recording=read_recording(
            observed.observations.get(RECORDING_QUESTION.id), cells=reached_cells
        ),
        draws=public.draws,
        expected=public.expected,
    )
    judged = public.checks.judge(evidence).findings
    file_codes = {c.spec.code for c in public.checks.rubric_checks if c.check.judges_file}
    findings = tuple(f for f in judged if saved_file or f.code not in file_codes)
    left_out = {f.item for f in judged} - {f.item for f in findings}
    return SelfcheckResult(
        public=public,
        findings=findings,
        cell_labels=observed.cell_labels,
        file_only_items=tuple(item for item in public.rubric.items if item.id in left_out),
        notices=tuple(_notices(public, observed)),
    )


def _notices(public: PublicRubric, observed: PublicEvidence) -> Iterator[str]:
    text = f"{observed.printed} {_number_text(observed)}"
    for notice in public.rubric.notices:
        if not notice.printed or re.search(notice.printed, text):
            yield notice.says


def _number_text(observed: PublicEvidence) -> str:
    """The single numbers that the notebook holds: printed or not, they are what is asked about."""
    arrays = [
        a for observation in observed.observations.values() for a in observation.arrays.values()
    ]
    return " ".join(f"{array.ravel()[0]:g}" for array in arrays if array.size == 1)


def blocked_items(result: SelfcheckResult, finding: Finding) -> tuple[Item, ...]:
    """The items that can't be checked, or not wholly, until what a finding is about runs."""
    others = [f for f in result.findings if f.verdict is Verdict.BLOCKED and f is not finding]
    prefix = f"{finding.item} ({finding.title}"
    blocked = {f.item for f in others if f.blocked_by.startswith(prefix)}
    if not blocked:
        return ()
    waiting_items = blocked | {finding.item}
    for item, needs_list in result.public.later_needs.items():
        if any(waiting_items & set(needs) for needs in needs_list):
            blocked.add(item)
    return tuple(i for i in result.public.rubric.items if i.id in blocked - {finding.item})


def points_lost(finding: Finding) -> Fraction:
    """What a finding costs, in points."""
    return finding.possible - finding.earned if finding.verdict in LOSING_VERDICTS else Fraction(0)
