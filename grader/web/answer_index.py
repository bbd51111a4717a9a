"""The shelf: what can be marked, small enough for memory, and looked after at every visit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from threading import Lock

from grader.gradebook import Gradebook, answer_digest
from grader.gradebook.mark_points import remove_marks
from grader.model import Graded, ItemScore, Rubric, Student, Verdict

REVIEW_FROM_POINTS = Fraction(5)
"""What an item must be worth for a person to be asked whether what is blocked follows through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedAnswer:
    """One item of one submission: all that lists, filters and searches need."""

    submission: str
    item: str
    code: str
    """Stands for it on pages: says no name, and is another for each item."""
    digest: str
    """Of what is marked."""
    text: str
    """What was written; '' for automatic items."""
    source: str
    """The student's own code for an automatic item; '' for written ones."""
    empty: bool
    """Nothing was written or drawn, or what was there to begin with was left as it was."""
    has_images: bool
    """Whether pictures belong to it, which no text tells of."""
    verdict: Verdict
    """What checks came to, whatever people said since."""
    earned: Fraction | None
    blocked_points: Fraction
    needs_review: bool
    """Whether an automatic item asks for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedSubmission:
    """One submission."""

    name: str
    students: tuple[Student, ...]
    answers: Mapping[str, IndexedAnswer]

    @property
    def sections(self) -> frozenset[str]:
        """The sections of its students."""
        return frozenset(student.section for student in self.students if student.section)

    @property
    def team_names(self) -> str:
        """The students, for somebody who may know."""
        named = ", ".join(student.name or student.id for student in self.students)
        return named or self.name


class AnswerIndex:
    """All submissions on the roll; threads may share it.

    Args:
        book: where they are.
        rubric: by which they were graded.
    """

    def __init__(self, book: Gradebook, *, rubric: Rubric) -> None:
        self._book = book
        self._rubric = rubric
        self._cache: dict[str, tuple[str, IndexedSubmission]] = {}
        self._answers_by_item: dict[str, tuple[IndexedAnswer, ...]] = {}
        self._names: tuple[str, ...] = ()
        self._lock = Lock()
        self.version = 0
        """How often something new came onto it."""

    def refresh(self) -> None:
        """Look for what was graded anew meanwhile, and read it."""
        with self._lock:
            keys = self._book.cache_keys()
            names = tuple(name for name in self._book.roll() if name in keys)
            changed = [name for name in names if self._cached_key(name) != keys[name]]
            if not changed and names == self._names:
                return
            for name in changed:
                submission = _index_submission(self._book.graded(name), self._rubric)
                self._cache[name] = (keys[name], submission)
            self._cache = {name: self._cache[name] for name in names}
            self._names, self._answers_by_item = names, {}
            self.version += 1

    def _cached_key(self, name: str) -> str | None:
        return self._cache[name][0] if name in self._cache else None

    def submissions(self) -> Mapping[str, IndexedSubmission]:
        """Every submission, by name."""
        with self._lock:
            return {name: submission for name, (_, submission) in self._cache.items()}

    def answers(self, item: str) -> tuple[IndexedAnswer, ...]:
        """All answers to an item, in an order that is its own and stays."""
        with self._lock:
            if item not in self._answers_by_item:
                item_answers = (
                    submission.answers[item]
                    for _, submission in self._cache.values()
                    if item in submission.answers
                )
                self._answers_by_item[item] = tuple(
                    sorted(item_answers, key=lambda answer: answer.code)
                )
            return self._answers_by_item[item]

    def submission(self, name: str) -> IndexedSubmission:
        """One submission.

        Raises:
            KeyError: it is not on the shelf.
        """
        with self._lock:
            return self._cache[name][1]


def anonymous_code(submission: str, *, item: str) -> str:
    """What stands for an answer on pages; sorted by it, each item has an order of its own."""
    return hashlib.sha256(f"{item}\0{submission}".encode("utf-8", "replace")).hexdigest()[:12]


def _index_submission(graded_with_marks: Graded, rubric: Rubric) -> IndexedSubmission:
    graded = remove_marks(
        graded_with_marks
    )  # marks change at any time, and are looked up when they are shown
    item_ids = {item.id for item in rubric.items}
    items = graded.score.items if graded.score else ()
    answers = {
        item_score.item.id: _index_answer(item_score, graded)
        for item_score in items
        if item_score.item.id in item_ids
    }
    return IndexedSubmission(name=graded.submission.name, students=graded.students, answers=answers)


def _code_text(graded: Graded, item: str) -> str:
    return "\n\n".join(excerpt.source for excerpt in graded.code.get(item, ()))


def _index_answer(item_score: ItemScore, graded: Graded) -> IndexedAnswer:
    item = item_score.item
    answer = graded.answers.get(item.id) if item.kind == "written" else None
    text = answer.text.strip() if answer else ""
    return IndexedAnswer(
        submission=graded.submission.name,
        item=item.id,
        code=anonymous_code(graded.submission.name, item=item.id),
        digest=answer_digest(graded, item.id),
        text=text,
        source="" if item.kind == "written" else _code_text(graded, item.id),
        empty=item.kind == "written" and not text and not (answer and answer.images),
        has_images=bool(answer and answer.images),
        verdict=item_score.verdict,
        earned=item_score.earned,
        blocked_points=_blocked_points(item_score),
        needs_review=item.kind == "auto" and _needs_review(item_score),
    )


def _blocked_points(item_score: ItemScore) -> Fraction:
    lost_points = (f.possible for f in item_score.findings if f.verdict is Verdict.BLOCKED)
    return sum(lost_points, start=Fraction(0))


def _needs_review(item_score: ItemScore) -> bool:
    """Whether a check failed on our side, or too much is blocked to be left at that."""
    undecided = any(f.verdict in {Verdict.ERROR, Verdict.PENDING} for f in item_score.findings)
    return undecided or (
        item_score.item.points >= REVIEW_FROM_POINTS and _blocked_points(item_score) > 0
    )
