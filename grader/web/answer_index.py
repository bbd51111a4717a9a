"""The answer index: all answers that can be marked, in memory, refreshed at every request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Lock

from grader.gradebook import Gradebook, answer_digest
from grader.gradebook.mark_points import remove_marks
from grader.model import CellRun, Finding, Graded, ItemScore, Rubric, Student, Verdict
from grader.report.cell_labels import CellLabels
from grader.web.revision_cache import RevisionCache

REVIEW_FROM_POINTS = Fraction(5)
"""Where findings are blocked, an item of at least so many points needs a person."""


BLOCKED_BY = "Blocked by "
UNDECIDED = frozenset({Verdict.BLOCKED, Verdict.ERROR, Verdict.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedAnswer:
    """One item of one submission: what lists, filters and searches need, without its mark."""

    submission: str
    item: str
    code: str
    """The anonymous code of the answer on pages, different for each item of a submission."""
    digest: str
    """The `answer_digest` of the answer."""
    text: str
    """The written answer; '' for automatic items."""
    source: str
    """The student's own code for an automatic item; '' for written ones."""
    empty: bool
    """Whether nothing was written or drawn, or the handout's text was left unchanged."""
    perhaps_elsewhere: bool
    """Whether no answer was found, and other text in the notebook may be one."""
    has_images: bool
    """Whether pictures belong to it."""
    verdict: Verdict
    """The verdict of the checks, without marks."""
    earned: Fraction | None
    blocked_points: Fraction
    needs_review: bool
    """Whether an automatic item needs a person."""
    judged_points: Fraction
    """The points that checks gave, of an automatic item."""
    open_points: Fraction
    """The points that no check could decide on: blocked, by a lack or fault of ours, or pending."""
    blockers: tuple[str, ...]
    """What kept checks from deciding, in words for staff; each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedSubmission:
    """One submission and its answers by item."""

    name: str
    students: tuple[Student, ...]
    answers: Mapping[str, IndexedAnswer]
    failed_cells: tuple[CellRun, ...] = ()
    """Its cells that raised, where an item needs a person."""
    cells: CellLabels = field(default_factory=lambda: CellLabels(()))
    """The names of its cells."""

    @property
    def code(self) -> str:
        """The anonymous code of the whole notebook on pages."""
        return anonymous_code(self.name, item="")

    @property
    def sections(self) -> frozenset[str]:
        """The sections of its students."""
        return frozenset(student.section for student in self.students if student.section)

    @property
    def team_names(self) -> str:
        """The students by name, or the submission's name; not for pages that hide names."""
        named = ", ".join(student.name or student.id for student in self.students)
        return named or self.name


class AnswerIndex:
    """All submissions on the roll, small enough for memory; threads may share it."""

    def __init__(self, book: Gradebook, *, rubric: Rubric, cache: RevisionCache) -> None:
        self._book = book
        self._rubric = rubric
        self._cache = cache
        self._cache_keys: Mapping[str, str] = {}
        self._submissions: Mapping[str, IndexedSubmission] = {}
        self._lock = Lock()
        self.revision = 0
        """Counts how often submissions changed."""

    def refresh(self) -> None:
        """Load submissions that were graded since the last refresh."""
        with self._lock:
            stored_keys = self._book.cache_keys()
            cache_keys = {n: stored_keys[n] for n in self._book.roll() if n in stored_keys}
            if list(cache_keys.items()) == list(self._cache_keys.items()):
                return
            self._submissions = {name: self._load(name, key) for name, key in cache_keys.items()}
            self._cache_keys = cache_keys
            self.revision += 1

    def _load(self, name: str, cache_key: str) -> IndexedSubmission:
        return self._cache.get(
            ("submission", name),
            cache_key,
            lambda: _index_submission(self._book.graded(name), self._rubric),
        )

    def submissions(self) -> Mapping[str, IndexedSubmission]:
        """Return every submission, by name."""
        return self._submissions

    def by_code(self) -> tuple[IndexedSubmission, ...]:
        """Return every submission in the order of pages, which tells nothing about people."""
        return tuple(sorted(self._submissions.values(), key=lambda submission: submission.code))

    def submission(self, name: str) -> IndexedSubmission:
        """Return one submission.

        Raises:
            KeyError: it is not on the roll.
        """
        return self._submissions[name]

    def answers(self, item: str) -> tuple[IndexedAnswer, ...]:
        """Return all answers to an item, in a stable order of its own."""

        def compute() -> tuple[IndexedAnswer, ...]:
            submissions = self._submissions.values()
            answers = [each.answers[item] for each in submissions if item in each.answers]
            return tuple(sorted(answers, key=lambda answer: answer.code))

        return self._cache.get(("answers", item), self.revision, compute)


def anonymous_code(submission: str, *, item: str) -> str:
    """Return the anonymous code of an answer; sorted by it, each item has its own order."""
    return hashlib.sha256(f"{item}\0{submission}".encode("utf-8", "replace")).hexdigest()[:12]


def _index_submission(graded_with_marks: Graded, rubric: Rubric) -> IndexedSubmission:
    graded = remove_marks(graded_with_marks)  # marks change, and are loaded when shown
    item_ids = {item.id for item in rubric.items}
    items = graded.score.items if graded.score else ()
    labels = CellLabels(graded.record.cells)
    answers = {
        item_score.item.id: _index_answer(item_score, graded, labels=labels)
        for item_score in items
        if item_score.item.id in item_ids
    }
    needs_review = any(answer.needs_review for answer in answers.values())
    cells = graded.record.cells if needs_review else ()
    return IndexedSubmission(
        name=graded.submission.name,
        students=graded.students,
        answers=answers,
        failed_cells=tuple(cell for cell in cells if cell.error is not None),
        cells=labels if needs_review else CellLabels(()),
    )


def _index_answer(item_score: ItemScore, graded: Graded, *, labels: CellLabels) -> IndexedAnswer:
    item = item_score.item
    answer = graded.answers.get(item.id) if item.kind == "written" else None
    is_missing = item.kind == "written" and (answer is None or answer.is_missing)
    perhaps_elsewhere = is_missing and bool(answer and answer.concern)
    undecided = [f for f in item_score.findings if f.lack or f.verdict in UNDECIDED]
    sources = [] if item.kind == "written" else [e.source for e in graded.code.get(item.id, ())]
    return IndexedAnswer(
        submission=graded.submission.name,
        item=item.id,
        code=anonymous_code(graded.submission.name, item=item.id),
        digest=answer_digest(graded, item.id),
        text=answer.text.strip() if answer else "",
        source="\n\n".join(sources),
        empty=is_missing and not perhaps_elsewhere,
        perhaps_elsewhere=perhaps_elsewhere,
        has_images=bool(answer and answer.images),
        verdict=item_score.verdict,
        earned=item_score.earned,
        blocked_points=_blocked_points(item_score),
        needs_review=item.kind == "auto" and _needs_review(item_score),
        judged_points=sum((f.earned for f in item_score.findings), start=Fraction(0)),
        open_points=sum((f.possible for f in undecided), start=Fraction(0)),
        blockers=tuple(dict.fromkeys(labels.rename(_describe_blocker(f)) for f in undecided)),
    )


def _describe_blocker(finding: Finding) -> str:
    """Say why a check could not decide, for staff."""
    if finding.verdict is Verdict.ERROR:
        return f"Grader error in \u201c{finding.title}\u201d: {finding.found or 'no details'}"
    if finding.lack:
        return f"Not judged yet: {finding.lack}"
    if finding.verdict is Verdict.BLOCKED:
        return f"{BLOCKED_BY}{finding.blocked_by or 'something before it'}"
    return f"Left to a person: {finding.title}"


def _blocked_points(item_score: ItemScore) -> Fraction:
    lost_points = (f.possible for f in item_score.findings if f.verdict is Verdict.BLOCKED)
    return sum(lost_points, start=Fraction(0))


def _needs_review(item_score: ItemScore) -> bool:
    """Return whether a check failed by a fault of the grader, or too many points are blocked."""
    undecided = any(
        f.lack or f.verdict in {Verdict.ERROR, Verdict.PENDING} for f in item_score.findings
    )
    return undecided or (
        item_score.item.points >= REVIEW_FROM_POINTS and _blocked_points(item_score) > 0
    )
