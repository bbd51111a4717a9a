"""Makes of nbgrader's gradebook what a run here takes: the roster, and each assignment's marks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.csv_tables import format_table
from grader.errors import GraderError, UsageError
from grader.importing.imported_assignment import ImportedAssignment, ImportedItem
from grader.importing.nbgrader_gradebook import PeerGrade, PeerGradebook
from grader.model import list_some
from grader.notebook import read_notebook
from grader.notebook.peer_cells import work_digest
from grader.pipeline.imported_marks import (
    FOLDER,
    ROSTER_FILE,
    ImportedMark,
    ImportedMarks,
    marks_path,
)
from grader.report.text_format import format_count

ROSTER_COLUMNS = ("id", "first name", "last name", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRecords:
    """What was brought along of people."""

    created: tuple[Path, ...]
    summary: tuple[str, ...]
    """What was found."""
    remarks: tuple[str, ...]
    """What a person must look at."""


def write_records(
    gradebook: PeerGradebook,
    assignments: Sequence[ImportedAssignment],
    *,
    root: Path,
    autograded: Path,
) -> ImportedRecords:
    """Write the roster and the marks of a gradebook, for runs to take.

    Marks are written anew each time, so that later ones follow; a roster that is there stays.

    Args:
        gradebook: What was read.
        assignments: The assignments whose marks are wanted.
        root: The folder that holds `rubrics/`.
        autograded: The folder with what nbgrader's graders saw, which may be gone.

    Raises:
        UsageError: A file can't be written.
    """
    students = format_count(len(gradebook.students), singular="student")
    summary = [f"{gradebook.path.name}: {students}"]
    remarks = [f"not imported: {remark}" for remark in gradebook.remarks]
    files, is_other = _roster_file(gradebook, root / FOLDER / ROSTER_FILE)
    if is_other:
        remarks.append(f"{root / FOLDER / ROSTER_FILE} is there already, and stays as it is")
    matched = set()
    for assignment in assignments:
        name = _name_there(assignment, gradebook)
        if name is None:
            known = list_some(sorted(gradebook.notebooks)) or "none"
            remarks.append(
                f"no assignment {assignment.title} is in the gradebook: --id names one of {known}"
            )
            continue
        matched.add(name)
        collector = _MarkCollector(assignment, autograded=autograded)
        marks = collector.collect(grade for grade in gradebook.grades if grade.assignment == name)
        files[marks_path(root, assignment.id)] = _marks_text(marks)
        students = format_count(len({mark.student for mark in marks}), singular="student")
        summary.append(f"{assignment.id}: {format_count(len(marks), singular='mark')}, {students}")
        remarks += collector.remarks()
    remarks += _left_behind(gradebook, matched)
    _write(files)
    return ImportedRecords(created=tuple(files), summary=tuple(summary), remarks=tuple(remarks))


def _roster_file(gradebook: PeerGradebook, path: Path) -> tuple[dict[Path, str], bool]:
    """Return the roster to write, if any, and whether another is there that stays."""
    text = _roster_text(gradebook)
    try:
        return {}, path.read_text(encoding="utf-8") != text
    except FileNotFoundError:
        return ({path: text} if gradebook.students else {}), False
    except (OSError, UnicodeDecodeError):
        return {}, True


def _name_there(assignment: ImportedAssignment, gradebook: PeerGradebook) -> str | None:
    """Return the assignment's name in the gradebook; None where it is not there."""
    names = (assignment.name_there, assignment.title)
    return next((name for name in names if name in gradebook.notebooks), None)


def _left_behind(gradebook: PeerGradebook, matched: set[str]) -> Iterator[str]:
    """Yield assignments with marks that were not asked for."""
    others = [g.assignment for g in gradebook.grades if g.is_by_person]
    for name in dict.fromkeys(name for name in others if name not in matched):
        marks = format_count(others.count(name), singular="mark")
        yield f"{name}: {marks} not imported: it is not in the source"


@dataclass(slots=True)
class _MarkCollector:
    """Collects the marks of one assignment."""

    assignment: ImportedAssignment
    autograded: Path
    _unknown: list[str] = field(default_factory=list)
    _comments: list[str] = field(default_factory=list)
    _beyond: list[str] = field(default_factory=list)
    _unlike: dict[str, str] = field(default_factory=dict)
    _review: int = 0
    _digests: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def collect(self, grades: Iterable[PeerGrade]) -> list[ImportedMark]:
        """Return the marks, and remember what a person must look at."""
        items = {(i.notebook_there, i.cell_there): i for i in self.assignment.items}
        marks = []
        for grade in grades:
            item = items.get((grade.notebook, grade.cell))
            if item is None:
                self._tell_lost(grade)
            elif grade.is_by_person or (grade.comment and grade.points is not None):
                marks.append(self._mark(grade, item))
            elif grade.comment:
                self._comments.append(f"{grade.cell} of {grade.student}")
        return sorted(marks, key=lambda mark: (mark.student, mark.item))

    def _tell_lost(self, grade: PeerGrade) -> None:
        if grade.is_by_person:
            self._unknown.append(f"{grade.cell} of {grade.student}")
        elif grade.comment:
            self._comments.append(f"{grade.cell} of {grade.student}")

    def _mark(self, grade: PeerGrade, item: ImportedItem) -> ImportedMark:
        # Extra credit alone, where nothing is scored yet, counts from 0, as it does there.
        points = grade.extra if grade.points is None else grade.points
        if not 0 <= points <= item.points:
            self._beyond.append(f"{item.id} of {grade.student}: {float(points):g}")
        if grade.worth is not None and grade.worth != item.points:
            self._unlike[item.id] = f"{item.id}: {float(grade.worth):g}, now {float(item.points):g}"
        self._review += grade.needs_person
        cell = "" if item.kind == "auto" or item.answer == "any" else item.cell_there
        return ImportedMark(
            student=grade.student,
            item=item.id,
            points=float(points),
            comment=grade.comment,
            cell=cell,
            work=self._digest(grade, cell),
            submitted=grade.submitted,
            review=grade.needs_person,
        )

    def _digest(self, grade: PeerGrade, cell: str) -> str:
        """Return the digest of what the grader saw, if nbgrader's copy of it is there."""
        key = (grade.student, grade.notebook, cell)
        if key not in self._digests:
            folder = self.autograded / grade.student / grade.assignment
            path = folder / f"{grade.notebook}.ipynb"
            try:
                inside = path.resolve().is_relative_to(self.autograded.resolve())
                self._digests[key] = work_digest(read_notebook(path), cell) if inside else ""
            except (GraderError, OSError):
                self._digests[key] = ""
        return self._digests[key]

    def remarks(self) -> Iterator[str]:
        """Yield what a person must look at."""
        name = self.assignment.id
        if self._beyond:
            yield (
                f"{name}: points below 0 or above what the question is worth (extra credit, say) "
                f"count only up to that: {list_some(self._beyond)}"
            )
        if self._unlike:
            yield (
                f"{name}: questions were worth other points when they were marked: "
                f"{list_some(list(self._unlike.values()))}"
            )
        if self._review:
            marks = format_count(self._review, singular="mark")
            yield f"{name}: {marks} given there, to be reviewed there and here"
        if self._unknown:
            yield f"{name}: marks whose cells are no questions here: {list_some(self._unknown)}"
        if self._comments:
            yield (
                f"{name}: comments without points, which no mark here can hold: "
                f"{list_some(self._comments)}"
            )


# ---------------------------------------------------------------- files


def _roster_text(gradebook: PeerGradebook) -> str:
    rows = ((s.id, s.first_name, s.last_name, s.email) for s in gradebook.students)
    return format_table([ROSTER_COLUMNS, *rows])


def _marks_text(marks: list[ImportedMark]) -> str:
    content = ImportedMarks(peer="nbgrader", marks=marks).model_dump()
    return json.dumps(content, indent=1) + "\n"


def _write(files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{error.filename}: cannot be written ({error.strerror})") from error
