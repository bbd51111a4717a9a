"""Reads nbgrader's gradebook.db, read-only: who is in the course, and what people gave."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grader.errors import UsageError

TABLES = (
    "student",
    "assignment",
    "notebook",
    "base_cell",
    "grade_cells",
    "submitted_assignment",
    "submitted_notebook",
    "grade",
    "comment",
)
LATER_TABLES = ("task_cells",)
"""Tables that older gradebooks lack."""
ADVICE = "`nbgrader db upgrade` brings an older one up to date"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStudent:
    """A student of the course."""

    id: str
    first_name: str
    last_name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerGrade:
    """What the gradebook says of one cell of one submission."""

    assignment: str
    student: str
    notebook: str
    cell: str
    worth: Fraction | None
    """The points that the cell is worth; None where it is worth none, and has comments only."""
    automatic: Fraction | None = None
    manual: Fraction | None = None
    extra: Fraction = Fraction(0)
    needs_person: bool = False
    """Whether nbgrader wants a person to look at it, be it once more."""
    comment: str = ""
    """A person's comment; that of the program is left out."""
    submitted: str = ""

    @property
    def points(self) -> Fraction | None:
        """What the cell comes to, extra credit included; None while it has no score."""
        score = self.automatic if self.manual is None else self.manual
        return None if score is None else score + self.extra

    @property
    def is_by_person(self) -> bool:
        """Whether a person gave points."""
        return self.manual is not None or self.extra != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerGradebook:
    """A course's gradebook."""

    path: Path
    students: tuple[PeerStudent, ...]
    notebooks: Mapping[str, frozenset[str]]
    """The names of each assignment's notebooks, by the assignment's name."""
    grades: tuple[PeerGrade, ...]
    remarks: tuple[str, ...]
    """What in it has no counterpart here, or is not understood."""


def read_peer_gradebook(path: Path) -> PeerGradebook:
    """Read a gradebook; nothing in it is changed.

    Raises:
        UsageError: It is no gradebook of nbgrader's, or one of a version that is not known.
    """
    tables = _read_tables(path)
    reader = _GradebookReader(tables)
    grades = tuple(reader.grades())
    assignments = reader.by_id("assignment")
    notebooks: dict[str, set[str]] = {_text(row["name"]): set() for row in assignments.values()}
    for row in tables["notebook"]:
        if (assignment := assignments.get(row["assignment_id"])) is not None:
            notebooks[_text(assignment["name"])].add(_text(row["name"]))
    return PeerGradebook(
        path=path,
        students=tuple(_read_student(row) for row in tables["student"] if _text(row["id"])),
        notebooks={name: frozenset(own) for name, own in notebooks.items()},
        grades=grades,
        remarks=(*reader.not_understood, *_without_counterpart(tables)),
    )


def _read_tables(path: Path) -> Mapping[str, list[Row]]:
    try:
        # Python's own module: SQLAlchemy would only pass these words on to it.
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise UsageError(f"{path}: cannot be opened ({error})") from error
    try:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        present = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if missing := [name for name in TABLES if name not in present]:
            raise UsageError(
                f"{path}: no gradebook of nbgrader's that is known here: it has no table "
                f"{', '.join(missing)}; {ADVICE}"
            )
        known = [name for name in (*TABLES, *LATER_TABLES) if name in present]
        tables: dict[str, list[Row]] = {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]  # noqa: S608 (names of ours)
            for name in known
        }
    except sqlite3.Error as error:
        raise UsageError(f"{path}: no gradebook of nbgrader's ({error})") from error
    finally:
        connection.close()
    return {name: tables.get(name, []) for name in (*TABLES, *LATER_TABLES)}


def _read_student(row: Row) -> PeerStudent:
    return PeerStudent(
        id=_text(row["id"]),
        first_name=_text(row.get("first_name")),
        last_name=_text(row.get("last_name")),
        email=_text(row.get("email")),
    )


class _GradebookReader:
    """Joins the rows of a gradebook."""

    def __init__(self, tables: Mapping[str, list[Row]]) -> None:
        self._tables = tables
        self._cells = self.by_id("base_cell")
        self._notebooks = self.by_id("notebook")
        self._assignments = self.by_id("assignment")
        self._submissions = self.by_id("submitted_assignment")
        self._submitted = self.by_id("submitted_notebook")
        self.not_understood: list[str] = []

    def by_id(self, table: str) -> Mapping[object, Row]:
        """Return the rows of a table by their ids."""
        return {row["id"]: row for row in self._tables[table]}

    def grades(self) -> Iterator[PeerGrade]:
        """Yield what there is on each cell: points, a comment, or both."""
        worth = {
            row["id"]: self._number(row.get("max_score"), "the most points of a cell")
            for table in ("grade_cells", "task_cells")
            for row in self._tables[table]
        }
        comments = {}
        for row in self._tables["comment"]:
            if (key := self._key(row)) and (text := _text(row.get("manual_comment")).strip()):
                comments[key] = text, row
        for row in self._tables["grade"]:
            if key := self._key(row):
                comment, _ = comments.pop(key, ("", row))
                yield self._grade(row, key, worth=worth.get(row["cell_id"]), comment=comment)
        for key, (comment, row) in comments.items():
            yield self._build(key, row, worth=None, comment=comment)

    def _key(self, row: Row) -> tuple[str, str, str, str] | None:
        """Return assignment, student, notebook and cell of a grade or a comment."""
        submitted = self._submitted.get(row["notebook_id"])
        cell = self._cells.get(row["cell_id"])
        submission = submitted and self._submissions.get(submitted["assignment_id"])
        notebook = submitted and self._notebooks.get(submitted["notebook_id"])
        assignment = submission and self._assignments.get(submission["assignment_id"])
        if not (cell and submission and notebook and assignment):
            return None  # left behind by what was deleted
        names = (assignment["name"], submission["student_id"], notebook["name"], cell["name"])
        assignment_name, student, notebook_name, cell_name = map(_text, names)
        return assignment_name, student, notebook_name, cell_name

    def _grade(
        self, row: Row, key: tuple[str, str, str, str], *, worth: Fraction | None, comment: str
    ) -> PeerGrade:
        where = f"{key[3]} of {key[1]} ({key[0]})"
        scores = {
            name: self._number(row.get(name), f"the {name} of {where}")
            for name in ("auto_score", "manual_score", "extra_credit")
        }
        return self._build(
            key,
            row,
            worth=worth,
            comment=comment,
            automatic=scores["auto_score"],
            manual=scores["manual_score"],
            extra=scores["extra_credit"] or Fraction(0),
            needs_person=bool(row.get("needs_manual_grade")),
        )

    def _build(self, key: tuple[str, str, str, str], row: Row, **values: Any) -> PeerGrade:
        submission = self._submissions[self._submitted[row["notebook_id"]]["assignment_id"]]
        return PeerGrade(
            assignment=key[0],
            student=key[1],
            notebook=key[2],
            cell=key[3],
            submitted=_moment(submission.get("timestamp")),
            **values,
        )

    def _number(self, value: object, what: str) -> Fraction | None:
        """Return a number of points; SQLite keeps whatever was put into a column."""
        if value is None or value == "":
            return None
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.not_understood.append(f"{what} is {str(value)[:40]!r}, and no number: left out")
            return None
        return Fraction(repr(number))


def _without_counterpart(tables: Mapping[str, list[Row]]) -> Iterator[str]:
    """Yield what the gradebook holds and nothing here takes."""
    late = _count(tables["submitted_notebook"], "late_submission_penalty")
    if late:
        yield f"late penalties of {late} notebooks: `[late]` in the rubric says what a day costs"
    if _count(tables["assignment"], "duedate") or _count(
        tables["submitted_assignment"], "extension"
    ):
        yield "due dates and extensions: `[late]` in the rubric, and --extensions"


def _count(rows: Iterable[Row], column: str) -> int:
    return sum(bool(row.get(column)) for row in rows)


def _text(value: object) -> str:
    """Return a text of the database; '' for none."""
    return "" if value is None else str(value)


def _moment(value: object) -> str:
    """Return a time of the database, which is in UTC, in ISO 8601; '' where it is none."""
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return ""
    return moment.replace(tzinfo=moment.tzinfo or UTC).isoformat()
