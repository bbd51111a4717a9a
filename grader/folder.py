"""The folder that a run writes: private, self-contained, each file whole or not there.

A `ClassView` is what can be seen only in all grades of a class together; a `ClassPublisher` brings
the files up to date with the gradebook. Neither changes a grade.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import gradebook
from grader.errors import UsageError
from grader.exports import CsvRow, csv_rows, missing_row, render_gradebook_csv, result_to_json
from grader.gradebook import Gradebook
from grader.gradebook.course_records import load_people
from grader.model import Flag, Graded, MissingModule, Rubric, Student
from grader.people import People, check_roster, class_notes
from grader.report import ClassPageRow, class_page, class_row, student_page
from grader.report.flag_text import flag_text
from grader.report.missing_modules import (
    ModuleCount,
    count_missing,
    missing_lines,
    missing_where_needed,
)

MAX_ATTEMPTS = 5
"""How often files are written again while others write them or give marks, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSummary:
    """What class files need of one submission: little enough to hold a large class in memory."""

    page_row: ClassPageRow
    csv_rows: tuple[CsvRow, ...]
    needs_attention: bool
    """Whether a person should look at it."""
    arrival_known: bool = True
    """Whether the submission time is known, where there is a due date."""
    missing_modules: tuple[MissingModule, ...] = ()
    """Modules that its notebook imports and did not find."""

    @classmethod
    def from_graded(cls, graded: Graded, *, rubric: Rubric) -> SubmissionSummary:
        """Summarize a grade, so that the grade itself need not stay in memory."""
        return cls(
            page_row=class_row(graded),
            csv_rows=csv_rows(graded, rubric=rubric),
            needs_attention=graded.reason is not None or bool(graded.flags),
            arrival_known=None not in graded.lateness,
            missing_modules=missing_where_needed(graded),
        )


Summaries = dict[str, tuple[tuple[str, str], SubmissionSummary]]
"""By submission: the cache key and mark revision of a summary, and the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassView:
    """What only all grades of a class show together; computed again at each read."""

    summaries: tuple[SubmissionSummary, ...]
    flags: Mapping[str, tuple[Flag, ...]] = field(default_factory=dict)
    """By submission, the flags that other submissions cause."""
    missing_students: tuple[Student, ...] = ()
    """Those on the roster who submitted nothing."""
    remarks: tuple[str, ...] = ()
    """Sentences for staff about people and times."""
    missing_modules: tuple[ModuleCount, ...] = ()
    """Modules that notebooks import and did not find."""

    @classmethod
    def from_summaries(
        cls, summaries: Sequence[SubmissionSummary], *, people: People, rubric: Rubric
    ) -> ClassView:
        """Compare all submissions; a single one is no class, so nobody counts as missing then."""
        teams = {summary.page_row.name: summary.page_row.students for summary in summaries}
        roster_check = check_roster(teams, members=people.members)
        untimed = [summary.page_row.name for summary in summaries if not summary.arrival_known]
        return cls(
            summaries=tuple(summaries),
            flags=roster_check.duplicate_flags,
            missing_students=roster_check.missing if len(summaries) > 1 else (),
            remarks=tuple(class_notes(teams, people=people, rule=rubric.late, untimed=untimed)),
            missing_modules=count_missing(
                (summary.missing_modules for summary in summaries),
                optional=rubric.optional_imports,
            ),
        )

    @property
    def needs_person(self) -> bool:
        """Whether a person should look at a submission, or at the class."""
        return bool(self.flags or self.remarks) or any(s.needs_attention for s in self.summaries)

    def page_rows(self) -> tuple[ClassPageRow, ...]:
        """Return the rows of the class page, each with the flags that other submissions cause."""
        rows = (summary.page_row for summary in self.summaries)
        return tuple(
            replace(row, flags=(*row.flags, *map(flag_text, self.flags.get(row.name, ()))))
            for row in rows
        )

    def add_flags(self, graded: Graded) -> Graded:
        """Return the grade with the flags that other submissions cause."""
        return replace(graded, flags=(*graded.flags, *self.flags.get(graded.submission.name, ())))

    def revisions(self) -> Mapping[str, str]:
        """Return digests of those flags, which tell whether a page shows the current ones."""
        return {
            name: hashlib.sha256(repr(flags).encode("utf-8", "surrogatepass")).hexdigest()[:16]
            for name, flags in self.flags.items()
        }


def read_class(book: Gradebook, rubric: Rubric, *, known: Summaries | None = None) -> ClassView:
    """Read what all grades of a class show together.

    Args:
        book: where grades are, and the roster.
        rubric: what they were graded by.
        known: summaries from before, brought up to date here; only what changed is read.
    """
    summaries = {} if known is None else known
    names, keys = book.graded_names(), book.cache_keys()
    revisions = book.mark_revisions()
    for name in names:
        version = (keys[name], revisions.get(name, ""))
        if name not in summaries or summaries[name][0] != version:
            summary = SubmissionSummary.from_graded(book.graded(name), rubric=rubric)
            summaries[name] = (version, summary)
    return ClassView.from_summaries(
        [summaries[name][1] for name in names], people=load_people(book, rubric.id), rubric=rubric
    )


class OutputFolder:
    """Where results are written.

    Args:
        path: the folder, created where there is none.
        store: the address of a database for the gradebook; None for what the folder has.
        show_ids: whether students see whole ids on their pages.

    Raises:
        UsageError: it cannot be made or written.
    """

    DATABASE_FILE = "gradebook.db"
    """Everything that was graded, and the secret seeds; pages, CSV and JSON are made from it."""
    ADDRESS_FILE = ".store"
    """Where the gradebook is if it is on a server, without a password."""

    def __init__(self, path: Path, *, store: str | None = None, show_ids: bool = False) -> None:
        self.path = path
        self.show_ids = show_ids
        try:
            for subfolder in (path, path / "reports", path / "results"):
                subfolder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
            self._write_text(path / ".gitignore", "*\n")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
        self.store = self._choose_store(store)
        """Where the gradebook is: a path, or the address of a database."""

    @classmethod
    def is_output_folder(cls, path: Path) -> bool:
        """Return whether a run wrote there: a gradebook, or the address of one."""
        return (path / cls.DATABASE_FILE).is_file() or (path / cls.ADDRESS_FILE).is_file()

    @classmethod
    def open_existing(cls, path: Path, *, show_ids: bool = False) -> OutputFolder:
        """Return the folder that an earlier run wrote.

        Raises:
            UsageError: There is no gradebook in it.
        """
        if not cls.is_output_folder(path):
            raise gradebook.missing_gradebook(path)
        return cls(path, show_ids=show_ids)

    def open_gradebook(self) -> AbstractContextManager[Gradebook]:
        """Open the gradebook of the folder; create it if there is none."""
        return gradebook.open_gradebook(self.store)

    def _choose_store(self, requested: str | None) -> Path | str:
        """Return the requested store, else the one there was; a folder keeps its first.

        Raises:
            UsageError: it has another one already, in which marks may be.
        """
        file, address_file = self.path / self.DATABASE_FILE, self.path / self.ADDRESS_FILE
        previous_address = (
            address_file.read_text(encoding="utf-8").strip() if address_file.is_file() else None
        )
        if requested is None:
            return previous_address or file
        address = gradebook.without_password(requested)
        if file.exists() or (previous_address is not None and previous_address != address):
            raise UsageError(
                f"{self.path}: has a gradebook already, in "
                f"{previous_address or self.DATABASE_FILE}; choose another "
                "folder, or move that away first"
            )
        self._write_text(address_file, address + "\n")
        return requested

    def write_submission(self, graded: Graded, *, rubric: Rubric) -> None:
        """Write the result and the report of one submission."""
        name = graded.submission.name
        self._write_text(self._result_path(name), result_to_json(graded, rubric=rubric))
        self._write_text(
            self.report_path(name), student_page(graded, rubric=rubric, show_ids=self.show_ids)
        )

    def remove_submission(self, name: str) -> None:
        """Remove the result and the report of a submission."""
        for path in (self._result_path(name), self.report_path(name)):
            path.unlink(missing_ok=True)

    def has_submission(self, name: str) -> bool:
        """Return whether the result and the report of a submission are there."""
        paths = (self._result_path(name), self.report_path(name))
        return all(path.is_file() and path.stat().st_size for path in paths)

    def write_class(self, view: ClassView, *, rubric: Rubric) -> None:
        """Write the class page and the gradebook of a class that was graded by a rubric."""
        rows = [row for summary in view.summaries for row in summary.csv_rows]
        rows += [missing_row(student, rubric=rubric) for student in view.missing_students]
        page = class_page(
            view.page_rows(),
            rubric=rubric,
            missing=view.missing_students,
            remarks=view.remarks,
            module_lines=missing_lines(view.missing_modules),
        )
        self._write_text(self.path / "index.html", page)
        self._write_text(self.path / "gradebook.csv", render_gradebook_csv(rows, rubric=rubric))

    @property
    def exports_path(self) -> Path:
        """The default folder of exports."""
        return self.path / "exports"

    def report_path(self, name: str) -> Path:
        """Return the path of the report of a submission."""
        return self.path / "reports" / f"{name}.html"

    def _result_path(self, name: str) -> Path:
        return self.path / "results" / f"{name}.json"

    def _write_text(self, path: Path, text: str) -> None:
        write_atomically(path, text.encode())


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside and rename, so that a file is whole or not there; it is private."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(temporary).replace(path)


class ClassPublisher:
    """Brings the files of a folder up to date with its gradebook.

    Pages are written after the grade is stored. What a page was made from (marks, and flags that
    other submissions cause) is stored as its revision, so that a page that is out of date, for
    example after a crash, is recognized and written again by the next `publish`.

    Args:
        folder: where files are written.
        book: where grades are.
        rubric: what they were graded by.
        known: summaries that need not be read again.
    """

    def __init__(
        self,
        folder: OutputFolder,
        *,
        book: Gradebook,
        rubric: Rubric,
        known: Summaries | None = None,
    ) -> None:
        self._folder = folder
        self._book = book
        self._rubric = rubric
        self._known: Summaries = {} if known is None else known
        self._view: ClassView | None = None

    def publish(self, *, changed: Iterable[str] = ()) -> ClassView:
        """Write the class files and every page that is stale, and again if a mark came meanwhile.

        Args:
            changed: submissions whose grades changed without their marks: their pages are
                written, too.

        Returns:
            What the class files show.
        """
        pending = set(changed)
        for _ in range(MAX_ATTEMPTS):
            revision = self._book.ledger_revision()
            self._view = view = read_class(self._book, self._rubric, known=self._known)
            stale = self._book.stale_submissions(class_revisions=view.revisions())
            for name in dict.fromkeys((*pending, *stale)):
                self.publish_submission(name)
            pending.clear()
            self._folder.write_class(view, rubric=self._rubric)
            if self._book.ledger_revision() == revision:
                break
        return view

    def publish_submission(self, name: str) -> None:
        """Write the result and the report of one submission.

        Where another process writes them at the same time, the one that read the gradebook last
        wins; after too many attempts the page stays stale.
        """
        for _ in range(MAX_ATTEMPTS):
            token = secrets.token_hex(8)
            self._book.start_rendering(name, token=token)
            marked = self._book.grade_with_marks(name)
            view = self._view or read_class(self._book, self._rubric, known=self._known)
            self._view = view
            self._folder.write_submission(view.add_flags(marked.graded), rubric=self._rubric)
            if self._book.finish_rendering(
                name,
                token=token,
                mark_revision=marked.mark_revision,
                class_revision=view.revisions().get(name, ""),
            ):
                return
