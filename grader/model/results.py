"""Defines what is concluded about a submission: findings, scores, marks and their provenance."""

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
from grader.model.submission import Answer, Student, Submission


class Verdict(StrEnum):
    """A conclusion; ERROR is a fault of the grader and costs the student nothing."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    BLOCKED = "blocked"
    PENDING = "pending"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Vectors of labeled things at one moment, one row for each label."""

    name: str
    vectors: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """Embeddings that a report can draw: the same labeled things at several moments."""

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
    """The item or cell that failed before this could be judged."""
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
    """What it comes to, within 0 and the item's points: as read from a grade, with criteria at
    what they are worth now; as it stands in the ledger, at what they were worth then."""
    by: str
    at: str
    """In ISO 8601, with an offset."""
    comment: str = ""
    """Markdown, for the student."""
    criteria: tuple[str, ...] = ()
    """Ids of the criteria that were met."""
    criteria_points: tuple[Fraction, ...] = ()
    """What each of them was worth when the mark was given."""
    adjustment: Fraction = Fraction(0)
    """Points beside the criteria."""
    fixed_points: Fraction | None = None
    """Points that were given as a number, whatever criteria are worth; None where they count."""
    reason: str = ""
    """Why it replaces what checks found, or an earlier mark; for the student, too."""
    number: int = 0
    """Its place in the ledger."""
    id: str = ""
    """The same in every gradebook that it is copied to, where its number may be another."""
    submission: str = ""
    item: str = ""
    answer_digest: str = ""
    """What was marked; the mark counts for as long as that stays the same."""
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
    """What the rubric takes for each of these days."""
    unit: str = "points"
    """Unit of `per_day` and `cap`: 'points', or 'percent' of what was earned."""
    cap: Fraction | None = None
    """The most that is taken, or None for no maximum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A cell of the student's own code, shown beside an item."""

    cell: int
    source: str
    how: str = ""
    """How it was matched to the item; empty where names did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a grade was made from, so that it can be repeated; holds no path and no secret."""

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
    """A sentence on what kept the notebook from the computer it ran on."""
    level: str = "none"
    """Level of that isolation: 'full', 'namespaces', 'reduced' or 'none'."""
    limits: Mapping[str, float] = field(default_factory=dict)
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
    """What asks for a person, for staff only."""
    notes: tuple[Flag, ...] = ()
    """What the team should know that costs nothing."""
    provenance: Provenance | None = None
    lateness: tuple[Lateness | None, ...] = ()
    """For each student in order, one for the submission where nobody is named; empty where the
    rubric has no due date, None where no time is known."""
    named: tuple[Student, ...] = ()
    """Whom the notebook itself names; `students` is what came of that, folder and roster."""
    evidence: SavedEvidence | None = None
    """What the saved outputs say, for whoever reads it; None where nothing was run."""

    def flags_except(self, *sources: FlagSource) -> tuple[Flag, ...]:
        """Return the flags that were concluded from something else than these sources."""
        return tuple(flag for flag in self.flags if flag.source not in sources)

    @property
    def status(self) -> str:
        """'graded', 'needs_marks' or 'ungradable'."""
        if self.score is None:
            return "ungradable"
        return "graded" if self.score.total.final is not None else "needs_marks"
