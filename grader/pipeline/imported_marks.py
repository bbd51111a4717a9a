"""Takes marks that another grader's people gave into the ledger, once what they marked is graded.

`grade import` leaves them in `imported/` beside `rubrics/`. Only a run knows which submission is
whose, and what its answers are; so each run takes those that the ledger doesn't have yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader import timestamps
from grader.errors import GraderError, MarkConflict, UsageError
from grader.gradebook import Gradebook, NewMark, answer_digest, ledger
from grader.model import Graded, Item, Mark, Rubric, Submission, list_some
from grader.notebook import read_notebook
from grader.notebook.peer_cells import work_digest
from grader.people.name_matching import normalize_id
from grader.report.text_format import format_count

FOLDER = "imported"
"""The folder of what was brought along of people, beside `rubrics/`."""
ROSTER_FILE = "roster.csv"
MAX_BYTES = 50_000_000
SAME_MOMENT_S = 2.0
"""Times of handing in are written to the second."""
NOT_HERE = hashlib.sha256(b"what was marked elsewhere, and is not here").hexdigest()
"""The digest of no answer: a mark on it counts for nothing until somebody gives it again."""
OVERRIDE = "a person set these points in {peer}"


class ImportedMark(BaseModel):
    """A mark that a person gave in another grader, and what is known of what they saw."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    student: Annotated[str, Field(min_length=1)]
    item: Annotated[str, Field(min_length=1)]
    points: Annotated[float, Field(allow_inf_nan=False)]
    comment: str = ""
    cell: str = ""
    """The peer's id of the cell that was marked; '' where it is all that the student wrote."""
    work: str = ""
    """The `work_digest` of what was marked; '' where it is not known."""
    submitted: str = ""
    """When that was handed in, in ISO 8601; '' where it is not known."""
    review: bool = False
    """Whether the mark waits for another look there, too."""


class ImportedMarks(BaseModel):
    """The file `imported/<assignment>.json`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Literal["imported marks"] = "imported marks"
    peer: Annotated[str, Field(min_length=1)]
    """Whose they were: 'nbgrader'."""
    marks: list[ImportedMark]

    @property
    def by(self) -> str:
        """Who gave them, as the ledger says it."""
        return f"imported from {self.peer}"


def marks_path(root: Path, assignment: str) -> Path:
    """Return the file of an assignment's marks."""
    return root / FOLDER / f"{assignment}.json"


def read_imported_marks(path: Path) -> ImportedMarks | None:
    """Return the marks in a file; None where there is none.

    Raises:
        UsageError: it can't be read, or is something else.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES // 10**6} MB")
        return ImportedMarks.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: no marks of `grade import` ({where}: {first['msg']})") from error


@dataclass(slots=True)
class Counts:
    """What became of the marks."""

    given: int = 0
    known: int = 0
    kept: int = 0
    """Marks that somebody has decided otherwise here."""
    waiting: int = 0
    """Given, and waiting for another look: what was marked may be another now."""
    absent: dict[str, int] = field(default_factory=dict)
    """By student, marks for whom nothing is handed in, or nothing that can be graded."""
    refused: list[str] = field(default_factory=list)


def take_imported_marks(
    book: Gradebook,
    imported: ImportedMarks,
    *,
    rubric: Rubric,
    submissions: Iterable[Submission],
    notify: Callable[[str], None],
) -> None:
    """Add to the ledger the marks that it doesn't have; what a person decided here stays.

    Args:
        book: The gradebook, with the submissions of this run.
        imported: The marks.
        rubric: The assignment.
        submissions: What was handed in.
        notify: Called with sentences about what became of the marks.
    """
    taker = _MarkTaker(book, imported, rubric=rubric)
    owners = _owners(book, submissions)
    by_submission: dict[str, list[ImportedMark]] = {}
    for mark in imported.marks:
        names = owners.get(normalize_id(mark.student), {})
        if len(names) == 1:
            by_submission.setdefault(next(iter(names)), []).append(mark)
        elif names:
            taker.counts.refused.append(f"{mark.student} is in {list_some(sorted(names))}")
        else:
            taker.counts.absent[mark.student] = taker.counts.absent.get(mark.student, 0) + 1
    by_name = {name: s for own in owners.values() for name, s in own.items()}
    for name, marks in by_submission.items():
        taker.take(by_name[name], marks)
    for sentence in _tell(taker.counts, by=imported.by):
        notify(sentence)


def _owners(
    book: Gradebook, submissions: Iterable[Submission]
) -> Mapping[str, dict[str, Submission]]:
    """Return submissions by the ids of students: those whose folder is theirs, else all."""
    by_folder: dict[str, dict[str, Submission]] = {}
    by_name: dict[str, dict[str, Submission]] = {}
    for submission in submissions:
        try:
            named = book.graded(submission.name).students
        except KeyError:
            continue
        for owners, students in ((by_folder, submission.students), (by_name, named)):
            for key in {normalize_id(student.id) for student in students if student.id}:
                owners.setdefault(key, {})[submission.name] = submission
    return by_name | by_folder


class _MarkTaker:
    """Gives the marks of one submission after another."""

    def __init__(self, book: Gradebook, imported: ImportedMarks, *, rubric: Rubric) -> None:
        self._book, self._imported = book, imported
        self._items = {item.id: item for item in rubric.items}
        self._current = ledger.current_marks(book)
        self.counts = Counts()

    def take(self, submission: Submission, marks: Sequence[ImportedMark]) -> None:
        """Give the marks of a submission that the ledger doesn't have."""
        graded = self._book.graded(submission.name)
        if graded.score is None:
            for mark in marks:
                self.counts.absent[mark.student] = self.counts.absent.get(mark.student, 0) + 1
            return
        comparison = _Comparison(submission, graded)
        for mark in _agreed(marks, refused=self.counts.refused):
            if (item := self._items.get(mark.item)) is None:
                self.counts.refused.append(f"there is no longer an item {mark.item}")
                continue
            self._take_one(mark, item, comparison)

    def _take_one(self, mark: ImportedMark, item: Item, comparison: _Comparison) -> None:
        counts, name = self.counts, comparison.submission.name
        current = self._current.get((name, item.id))
        if current is None and ledger.mark_history(self._book, name, item.id):
            counts.kept += 1  # a person took it back
            return
        if current is not None and current.by != self._imported.by:
            counts.kept += 1
            return
        digest = answer_digest(comparison.graded, item.id)
        is_current = comparison.sameness(mark, item) is not False and not mark.review
        if current is not None and _says_the_same(current, mark):
            was_for_another_look = current.answer_digest == NOT_HERE
            if not (was_for_another_look and is_current):
                counts.known += 1
                return
        new = NewMark(
            submission=name,
            item=item.id,
            answer_digest=digest if is_current else NOT_HERE,
            by=self._imported.by,
            comment=mark.comment,
            reason=OVERRIDE.format(peer=self._imported.peer) if item.kind == "auto" else "",
            points=_exact(mark.points),
        )
        try:
            ledger.add_mark(self._book, new, expected_current=current.number if current else None)
        except MarkConflict:
            counts.kept += 1
            return
        counts.given += 1
        counts.waiting += not is_current
        if not 0 <= mark.points <= item.points:
            counts.refused.append(_beyond(mark, item, peer=self._imported.peer))


def _agreed(marks: Sequence[ImportedMark], *, refused: list[str]) -> Iterator[ImportedMark]:
    """Yield one mark an item; where the members of a team have different ones, none."""
    by_item: dict[str, list[ImportedMark]] = {}
    for mark in marks:
        by_item.setdefault(mark.item, []).append(mark)
    for item, own in by_item.items():
        if len({(mark.points, mark.comment) for mark in own}) == 1:
            yield own[0]
        else:
            students = list_some([mark.student for mark in own])
            refused.append(f"{students} submitted together, but have different marks for {item}")


@dataclass(slots=True)
class _Comparison:
    """Compares what was marked with what is handed in now."""

    submission: Submission
    graded: Graded
    _digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def sameness(self, mark: ImportedMark, item: Item) -> bool | None:
        """Return whether what was marked is what is handed in; None where nobody can tell."""
        if mark.work:
            return self._work(item, mark.cell) == mark.work
        zone = UTC
        then = timestamps.parse_lms_time(mark.submitted, zone=zone)
        now = timestamps.parse_lms_time(self.submission.submitted_at, zone=zone)
        return None if then is None or now is None else _is_same_moment(then, now)

    def _work(self, item: Item, cell: str) -> str:
        parts = self.submission.parts
        part = parts.get(item.notebook) if parts else self.submission
        key = (item.notebook, cell)
        if key not in self._digests:
            try:
                self._digests[key] = work_digest(read_notebook(part.path), cell) if part else ""
            except GraderError:
                self._digests[key] = ""
        return self._digests[key]


def _is_same_moment(then: datetime, now: datetime) -> bool:
    return abs((now - then).total_seconds()) < SAME_MOMENT_S


def _says_the_same(current: Mark, mark: ImportedMark) -> bool:
    return (current.fixed_points, current.comment) == (_exact(mark.points), mark.comment)


def _exact(points: float) -> Fraction:
    return Fraction(repr(points))


def _beyond(mark: ImportedMark, item: Item, *, peer: str) -> str:
    counted = item.points if mark.points > 0 else 0
    return (
        f"{mark.item} of {mark.student}: {mark.points:g} of {float(item.points):g} points "
        f"in {peer}; here {float(counted):g} count"
    )


def _tell(counts: Counts, *, by: str) -> Iterator[str]:
    """Yield what became of the marks, where there is anything to tell."""

    def marks(count: int) -> str:
        return f"{format_count(count, singular='mark')} {by}"

    if counts.given:
        yield f"{marks(counts.given)} given, {counts.known} there already"
    if counts.waiting:
        yield (
            f"{marks(counts.waiting)} to be reviewed: what was graded has changed since, or "
            "the mark was to be reviewed there, too"
        )
    if counts.kept:
        yield f"{marks(counts.kept)} left out, since somebody graded it here"
    if counts.absent:
        students = list_some(sorted(counts.absent))
        yield f"{marks(sum(counts.absent.values()))} not given yet: nothing is graded of {students}"
    if counts.refused:
        yield f"marks {by} to look at: {list_some(list(dict.fromkeys(counts.refused)))}"
