"""From what a notebook holds to what its owner is told: the same checks, the public ones alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from grader.checks import CHECKS, RECORDING, Evidence
from grader.checks.recording import read as read_recording
from grader.model import (
    CellStatus,
    ExecutionRecord,
    Finding,
    Item,
    Notebook,
    Observation,
    Verdict,
)
from grader.selfcheck.public_rubric import Public

REACHED = frozenset({CellStatus.RAN, CellStatus.RAISED, CellStatus.TIMED_OUT})
"""What became of cells that did run."""
LOST = frozenset({Verdict.FAILED, Verdict.PARTIAL, Verdict.BLOCKED})
"""Verdicts that cost points, for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A notebook as far as it ran, and what it answered."""

    notebook: Notebook
    record: ExecutionRecord
    observations: Mapping[str, Observation]
    places: Mapping[int, str]
    """By the number of a cell, how its owner finds it: 'cell 20', 'In [5]'."""
    printed: str = ""
    """What it put out, as far as that is known, for notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the public checks came to."""

    public: Public
    findings: tuple[Finding, ...]
    """Those that were judged."""
    places: Mapping[int, str] = field(default_factory=dict)
    elsewhere: tuple[Item, ...] = ()
    """Items whose public checks look at the saved file, which was not looked at."""
    warnings: tuple[str, ...] = ()
    """What would cost points at hand-in, or a person's time."""
    notices: tuple[str, ...] = ()
    """What costs nothing, though it may look so."""

    @property
    def passed(self) -> int:
        """How many public checks passed."""
        return sum(finding.verdict is Verdict.PASSED for finding in self.findings)

    @property
    def lost(self) -> bool:
        """Whether a public check lost a point."""
        return any(f.verdict in LOST and f.earned < f.possible for f in self.findings)

    @property
    def unjudged(self) -> bool:
        """Whether a check could not be judged, which is our fault and costs nothing."""
        return any(finding.verdict is Verdict.ERROR for finding in self.findings)

    @property
    def later(self) -> int:
        """How many checks run after handing in."""
        return sum(map(len, self.public.later.values()))

    @property
    def read(self) -> int:
        """How many answers a person reads."""
        return sum(item.kind == "written" for item in self.public.rubric.items)


def judge(public: Public, seen: Seen, *, whole: bool) -> Checked:
    """Judge by the public checks.

    Args:
        public: the rubric.
        seen: the notebook.
        whole: whether it is a saved file that ran from top to bottom; else checks that look at
            that are left out.
    """
    ran = [run.index for run in seen.record.cells if run.status in REACHED]
    evidence = Evidence(
        notebook=seen.notebook,
        record=seen.record,
        observations=seen.observations,
        recording=read_recording(seen.observations.get(RECORDING.id), cells=ran),
        draws=public.draws,
        expected=public.expected,
    )
    judged = public.checks.judge(evidence)
    findings = tuple(f for f in judged if whole or not CHECKS[f.code].of_file)
    left_out = {f.item for f in judged} - {f.item for f in findings}
    return Checked(
        public=public,
        findings=findings,
        places=seen.places,
        elsewhere=tuple(item for item in public.rubric.items if item.id in left_out),
        notices=tuple(_notices(public, seen)),
    )


def _notices(public: Public, seen: Seen) -> Iterator[str]:
    text = f"{seen.printed} {_numbers(seen)}"
    for notice in public.rubric.notices:
        if not notice.printed or re.search(notice.printed, text):
            yield notice.says


def _numbers(seen: Seen) -> str:
    """The single numbers that the notebook holds: printed or not, they are what is asked about."""
    arrays = [a for seen_one in seen.observations.values() for a in seen_one.arrays.values()]
    return " ".join(f"{array.ravel()[0]:g}" for array in arrays if array.size == 1)


def held_up(checked: Checked, finding: Finding) -> tuple[Item, ...]:
    """The items that can't be checked, or not wholly, until what a finding is about runs."""
    others = [f for f in checked.findings if f.verdict is Verdict.BLOCKED and f is not finding]
    named = f"{finding.item} ({finding.title}"
    blocked = {f.item for f in others if f.blocked_by.startswith(named)}
    if not blocked:
        return ()
    waiting = blocked | {finding.item}
    for item, each in checked.public.later.items():
        if any(waiting & set(needs) for needs in each):
            blocked.add(item)
    return tuple(i for i in checked.public.rubric.items if i.id in blocked - {finding.item})


def costs(finding: Finding) -> Fraction:
    """What a finding costs, in points."""
    return finding.possible - finding.earned if finding.verdict in LOST else Fraction(0)
