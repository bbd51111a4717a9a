"""Writes a `gradebook.db` as nbgrader 0.9 does, without nbgrader."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE student (id VARCHAR(128) NOT NULL, first_name VARCHAR(128), last_name VARCHAR(128),
    email VARCHAR(128), lms_user_id VARCHAR(128), PRIMARY KEY (id));
CREATE TABLE course (id VARCHAR(128) NOT NULL, PRIMARY KEY (id), UNIQUE (id));
CREATE TABLE assignment (id VARCHAR(32) NOT NULL, name VARCHAR(128) NOT NULL, duedate DATETIME,
    course_id VARCHAR(128) NOT NULL, PRIMARY KEY (id), UNIQUE (name),
    FOREIGN KEY(course_id) REFERENCES course (id));
CREATE TABLE notebook (id VARCHAR(32) NOT NULL, name VARCHAR(128) NOT NULL,
    assignment_id VARCHAR(32), kernelspec VARCHAR(1024), PRIMARY KEY (id),
    UNIQUE (name, assignment_id), FOREIGN KEY(assignment_id) REFERENCES assignment (id));
CREATE TABLE submitted_assignment (id VARCHAR(32) NOT NULL, assignment_id VARCHAR(32),
    student_id VARCHAR(128), timestamp DATETIME, extension DATETIME, PRIMARY KEY (id),
    UNIQUE (assignment_id, student_id), FOREIGN KEY(assignment_id) REFERENCES assignment (id),
    FOREIGN KEY(student_id) REFERENCES student (id));
CREATE TABLE base_cell (id VARCHAR(32) NOT NULL, name VARCHAR(128) NOT NULL,
    notebook_id VARCHAR(32) NOT NULL, type VARCHAR(50), PRIMARY KEY (id),
    UNIQUE (name, notebook_id, type), FOREIGN KEY(notebook_id) REFERENCES notebook (id));
CREATE TABLE submitted_notebook (id VARCHAR(32) NOT NULL, assignment_id VARCHAR(32),
    notebook_id VARCHAR(32), flagged BOOLEAN, late_submission_penalty FLOAT, PRIMARY KEY (id),
    UNIQUE (notebook_id, assignment_id),
    FOREIGN KEY(assignment_id) REFERENCES submitted_assignment (id),
    FOREIGN KEY(notebook_id) REFERENCES notebook (id));
CREATE TABLE grade_cells (id VARCHAR(32) NOT NULL, max_score FLOAT NOT NULL,
    cell_type VARCHAR(8) NOT NULL, PRIMARY KEY (id), FOREIGN KEY(id) REFERENCES base_cell (id));
CREATE TABLE solution_cells (id VARCHAR(32) NOT NULL, PRIMARY KEY (id),
    FOREIGN KEY(id) REFERENCES base_cell (id));
CREATE TABLE task_cells (id VARCHAR(32) NOT NULL, max_score FLOAT NOT NULL,
    cell_type VARCHAR(8) NOT NULL, PRIMARY KEY (id), FOREIGN KEY(id) REFERENCES base_cell (id));
CREATE TABLE grade (id VARCHAR(32) NOT NULL, notebook_id VARCHAR(32), cell_id VARCHAR(32),
    auto_score FLOAT, manual_score FLOAT, extra_credit FLOAT, needs_manual_grade BOOLEAN NOT NULL,
    PRIMARY KEY (id), UNIQUE (cell_id, notebook_id),
    FOREIGN KEY(notebook_id) REFERENCES submitted_notebook (id),
    FOREIGN KEY(cell_id) REFERENCES base_cell (id));
CREATE TABLE comment (id VARCHAR(32) NOT NULL, notebook_id VARCHAR(32), cell_id VARCHAR(32),
    auto_comment TEXT, manual_comment TEXT, PRIMARY KEY (id), UNIQUE (cell_id, notebook_id),
    FOREIGN KEY(notebook_id) REFERENCES submitted_notebook (id),
    FOREIGN KEY(cell_id) REFERENCES base_cell (id));
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenGrade:
    """What a gradebook says of one cell of one submission."""

    student: str
    cell: str
    manual: object = None
    auto: object = None
    extra: object = None
    review: bool = False
    comment: str | None = None
    assignment: str = "ps1"
    notebook: str = "p1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradebook:
    """What is written into a gradebook."""

    worth: Mapping[str, float]
    """The points of each graded cell."""
    grades: Iterable[GivenGrade]
    students: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    """First name, last name and e-mail of students."""
    submitted: Mapping[str, str] = field(default_factory=dict)
    """When each student's notebooks were handed in, in UTC."""
    late: float | None = None

    def write(self, path: Path) -> Path:
        """Write it, in the place of one that is there."""
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(SCHEMA)
            rows = _Rows(connection)
            rows.add("course", id="course")
            for who, (first, last, email) in self.students.items():
                rows.add("student", id=who, first_name=first, last_name=last, email=email)
            for grade in self.grades:
                self._write_grade(rows, grade)
        return path

    def _write_grade(self, rows: _Rows, grade: GivenGrade) -> None:
        assignment, notebook = f"a-{grade.assignment}", f"n-{grade.assignment}-{grade.notebook}"
        sent, submitted = f"s-{assignment}-{grade.student}", f"sn-{notebook}-{grade.student}"
        cell = f"c-{notebook}-{grade.cell}"
        moment = self.submitted.get(grade.student)
        rows.add("student", id=grade.student)
        rows.add("assignment", id=assignment, name=grade.assignment, course_id="course")
        rows.add("notebook", id=notebook, name=grade.notebook, assignment_id=assignment)
        rows.add(
            "submitted_assignment",
            id=sent,
            assignment_id=assignment,
            student_id=grade.student,
            timestamp=moment,
        )
        rows.add(
            "submitted_notebook",
            id=submitted,
            assignment_id=sent,
            notebook_id=notebook,
            late_submission_penalty=self.late,
        )
        rows.add("base_cell", id=cell, name=grade.cell, notebook_id=notebook, type="GradeCell")
        if grade.cell in self.worth:
            worth = self.worth[grade.cell]
            rows.add("grade_cells", id=cell, max_score=worth, cell_type="code")
            rows.add(
                "grade",
                id=f"g-{cell}-{grade.student}",
                notebook_id=submitted,
                cell_id=cell,
                auto_score=grade.auto,
                manual_score=grade.manual,
                extra_credit=grade.extra,
                needs_manual_grade=grade.review,
            )
        rows.add(
            "comment",
            id=f"k-{cell}-{grade.student}",
            notebook_id=submitted,
            cell_id=cell,
            auto_comment="No response." if grade.auto == 0 else None,
            manual_comment=grade.comment,
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Adds rows, each once."""

    connection: sqlite3.Connection

    def add(self, table: str, **values: Any) -> None:
        """Add a row, unless there is one of that id."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        statement = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 (names of ours)
        self.connection.execute(statement, tuple(values.values()))
