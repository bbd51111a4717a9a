"""Defines the results of grading: findings, scores, marks and their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from grader.model.assignment import Item
from grader.model.flags import Flag, FlagSource
from grader.model.json_types import Numbers
from grader.model.runs import ExecutionRecord
from grader.model.saved_evidence import SavedEvidence
from grader.model.submission import Answer, Excerpt, Student, Submission


class Verdict(StrEnum):
    """A conclusion; ERROR is a fault of the grader and takes no points."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    BLOCKED = "blocked"
    PENDING = "pending"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The embeddings of labeled inputs at one moment."""

    name: str
    vectors: Numbers
    """One row for each label of the exhibit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """Embeddings that a report can draw: the same labeled inputs at several moments."""

    title: str
    labels: tuple[str, ...]
    stages: tuple[Stage, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A check's conclusion about one submission, in the student's words."""

    item: str
    code: str
    title: str
    verdict: Verdict
    earned: Fraction
    possible: Fraction
    public: bool
    expected: str
    found: str
    hint: str = ""
    blocked_by: str = ""
    """The item or cell whose failure kept this from being judged."""
    lack: str = ""
    """What is missing where notebooks are graded, so that this is blocked by our lack."""
    cells: tuple[int, ...] = ()
    """Indexes of the cells it is about."""
    exhibit: Exhibit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Points that a person gave one item of one submission: one row of the ledger, never changed.

    The row of a mark that was taken back stays; the row that takes it back gives no points.
    """

    points: Fraction
    """The points, from 0 to the item's: in a grade, with criteria at their present points; in the
    ledger, at the points they had when the mark was given."""
    by: str
    at: str
    """In ISO 8601, with an offset."""
    comment: str = ""
    """Markdown, for the student."""
    criteria: tuple[str, ...] = ()
    """Ids of the criteria that were met."""
    criteria_points: tuple[Fraction, ...] = ()
    """The points of each of them when the mark was given."""
    adjustment: Fraction = Fraction(0)
    """Points in addition to those of the criteria."""
    fixed_points: Fraction | None = None
    """Points that were given as a number, instead of by criteria; None where criteria count."""
    reason: str = ""
    """Why it replaces the checks' points, or an earlier mark; students read it, too."""
    number: int = 0
    """The number of its row in the ledger."""
    id: str = ""
    """An id that stays the same in every gradebook it is copied to, unlike its number."""
    submission: str = ""
    item: str = ""
    answer_digest: str = ""
    """The digest of what was marked; the mark counts as long as that stays the same."""
    follows: int = 0
    """The number of the row before it on this item of this submission, or 0."""
    replaced: int | None = None
    """The number of the mark that was current before, if one was."""
    takes_back: int | None = None
    """The number of the mark that this row takes back; None for a mark."""
    restores: int | None = None
    """The number of the mark that is current again after one was taken back, if one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScore:
    """The points for one item of one submission; earned is None while a person is needed."""

    item: Item
    verdict: Verdict
    earned: Fraction | None
    blocked: Fraction
    findings: tuple[Finding, ...] = ()
    mark: Mark | None = None
    """Points that a person gave; on an item of kind 'auto' they replace those of the checks."""
    outdated: Mark | None = None
    """A mark for an earlier answer than the current one; it does not count."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is missing where notebooks are graded, so that its points wait; each once."""
        is_open = self.verdict is Verdict.ERROR
        return tuple(dict.fromkeys(f.lack for f in self.findings if f.lack and is_open))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums of points by their state, so that pending points never count as lost."""

    auto: Fraction
    marked: Fraction
    pending: Fraction
    blocked: Fraction
    possible: Fraction

    @property
    def earned(self) -> Fraction:
        """Return the automatic and marked points so far."""
        return self.auto + self.marked

    @property
    def final(self) -> Fraction | None:
        """Return the sum, or None while anything is pending."""
        return self.earned if self.pending == 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The points for all items of one submission."""

    total: Tally
    by_source: Mapping[str, Tally]
    items: tuple[ItemScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late a submission is for one student, and the deduction, which the score leaves out."""

    due: str
    """The student's own due date, in ISO 8601 with an offset."""
    at: str
    """When it was submitted, likewise; '' where the LMS says that it is late, but not when."""
    late_s: int
    """Seconds after the due date; 0 within the grace period."""
    days: int
    """Days that count, each from its first second."""
    deduction: Fraction | None
    """Points taken off the sum. None where the lateness is unknown, and while marks are pending
    where a percentage is taken."""
    per_day: Fraction = Fraction(0)
    """The deduction for each of these days."""
    unit: str = "points"
    """Unit of `per_day` and `cap`: 'points', or 'percent' of what was earned."""
    cap: Fraction | None = None
    """The largest deduction, or None for no maximum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The inputs of a grade, so that it can be reproduced; holds no path and no secret."""

    notebook: str
    rubric: str
    reference: str
    grader: str
    versions: Mapping[str, str]
    """Python and packages of the notebook's process."""
    time: str
    seed_commitment: str
    """SHA-256 over the assignment's secret seed, never the seed."""
    isolation: str
    """A sentence on the sandbox in which the notebook ran."""
    level: str = "none"
    """The isolation level: 'full', 'namespaces', 'reduced' or 'none'."""
    limits: Mapping[str, int | float] = field(default_factory=dict)
    """Limits of the notebook by name; see `Limits`."""
    assignment: str = ""
    """The rubric's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One submission, graded as far as a machine can."""

    submission: Submission
    students: tuple[Student, ...]
    reason: str | None
    """Why it could not be graded, or None."""
    score: Score | None
    record: ExecutionRecord
    answers: Mapping[str, Answer] = field(default_factory=dict)
    code: Mapping[str, tuple[Excerpt, ...]] = field(default_factory=dict)
    """The student's own code for each item."""
    flags: tuple[Flag, ...] = ()
    """Messages for staff about what a person should look at."""
    notes: tuple[Flag, ...] = ()
    """Messages for the team that cost no points."""
    provenance: Provenance | None = None
    lateness: tuple[Lateness | None, ...] = ()
    """One for each student in order, or a single one if no student is named; None where the time
    is unknown, and empty where the rubric has no due date."""
    named: tuple[Student, ...] = ()
    """The students that the notebook names; `students` also considers folder and roster."""
    evidence: SavedEvidence | None = None
    """The saved outputs compared with the run; None where nothing was run."""

    def flags_except(self, *sources: FlagSource) -> tuple[Flag, ...]:
        """Return the flags that come from other sources than these."""
        return tuple(flag for flag in self.flags if flag.source not in sources)

    @property
    def status(self) -> str:
        """The state of grading: 'graded', 'needs_marks' or 'ungradable'."""
        if self.score is None:
            return "ungradable"
        return "graded" if self.score.total.final is not None else "needs_marks"
