"""The folder that a run writes: private, self-contained, each file whole or not there."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader import gradebook
from grader.errors import UsageError
from grader.exports import CsvRow, csv_rows, missing_row, render_gradebook_csv, result_to_json
from grader.gradebook import Gradebook
from grader.gradebook.stored_people import load_people
from grader.model import Graded, Rubric, Student
from grader.people import check_roster, class_notes
from grader.report import ClassPageRow, class_page, class_row, student_page

MAX_ATTEMPTS = 5
"""How often pages are made anew while others make them, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSummary:
    """What the files of a class keep of one submission: so little that a large class fits."""

    page_row: ClassPageRow
    csv_rows: tuple[CsvRow, ...]
    needs_attention: bool
    """Whether it needs a person."""
    clashes: tuple[str, ...] = ()
    """What it says of other submissions."""
    arrival_known: bool = True
    """Whether it is known when it came, where that matters."""

    @classmethod
    def from_graded(cls, graded: Graded, *, rubric: Rubric) -> SubmissionSummary:
        """The brief of a grade, which can then be let go."""
        return cls(
            page_row=class_row(graded),
            csv_rows=csv_rows(graded, rubric=rubric),
            needs_attention=graded.reason is not None or bool(graded.flags),
            clashes=graded.clashes,
            arrival_known=None not in graded.lateness,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFacts:
    """What no submission can say of a class."""

    missing_students: tuple[Student, ...] = ()
    """Those on the roster who handed in nothing."""
    notes: tuple[str, ...] = ()
    """What else staff should know of people and times, in words."""


NO_CLASS_FACTS = ClassFacts()


class OutputFolder:
    """Where results go.

    Args:
        path: the folder, made where it is not there.
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
        self._show_ids = show_ids
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
        """Whether a run wrote there: whether there is a gradebook, or the address of one."""
        return (path / cls.DATABASE_FILE).is_file() or (path / cls.ADDRESS_FILE).is_file()

    @classmethod
    def open_existing(cls, path: Path) -> OutputFolder:
        """Return the folder that an earlier run wrote.

        Raises:
            UsageError: There is no gradebook in it.
        """
        if not cls.is_output_folder(path):
            raise UsageError(f"{path}: no gradebook there; `grade PATH` makes one")
        return cls(path)

    def _choose_store(self, requested: str | None) -> Path | str:
        """The store that is given, else the one there was; a folder has one for good.

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
                f"{self.path}: has a gradebook already, in {previous_address or self.DATABASE_FILE}; choose another "
                "folder, or move that away first"
            )
        self._write_text(address_file, address + "\n")
        return requested

    def write_submission(self, graded: Graded, *, rubric: Rubric) -> None:
        """The result and the report of one submission."""
        name = graded.submission.name
        self._write_text(self._result_path(name), result_to_json(graded, rubric=rubric))
        self._write_text(
            self.report_path(name), student_page(graded, rubric=rubric, show_ids=self._show_ids)
        )

    def remove_submission(self, name: str) -> None:
        """Take away result and report of a submission."""
        for path in (self._result_path(name), self.report_path(name)):
            path.unlink(missing_ok=True)

    def has_submission(self, name: str) -> bool:
        """Whether result and report of a submission are there."""
        paths = (self._result_path(name), self.report_path(name))
        return all(path.is_file() and path.stat().st_size for path in paths)

    def write_class_files(
        self,
        summaries: Sequence[SubmissionSummary],
        *,
        rubric: Rubric,
        facts: ClassFacts = NO_CLASS_FACTS,
    ) -> None:
        """The class page and the gradebook.

        Args:
            summaries: every submission.
            rubric: what they were graded by.
            facts: who handed in nothing, and what else is to be said of the class.
        """
        rows = tuple(summary.page_row for summary in summaries)
        gradebook_rows = [row for summary in summaries for row in summary.csv_rows]
        gradebook_rows += [
            missing_row(student, rubric=rubric) for student in facts.missing_students
        ]
        page = class_page(rows, rubric=rubric, missing=facts.missing_students, remarks=facts.notes)
        self._write_text(self.path / "index.html", page)
        self._write_text(
            self.path / "gradebook.csv", render_gradebook_csv(gradebook_rows, rubric=rubric)
        )

    @property
    def exports_path(self) -> Path:
        """Where exports go that nobody wants elsewhere."""
        return self.path / "exports"

    def report_path(self, name: str) -> Path:
        """Where the report of a submission stands."""
        return self.path / "reports" / f"{name}.html"

    def _result_path(self, name: str) -> Path:
        return self.path / "results" / f"{name}.json"

    def _write_text(self, path: Path, text: str) -> None:
        write_atomically(path, text.encode())


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside and rename, so that a file is whole or not there; nobody else may read it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(temporary).replace(path)


def render_submissions(
    folder: OutputFolder, book: Gradebook, rubric: Rubric, names: Iterable[str]
) -> None:
    """Make the pages of these submissions anew, and the files of the class, from the gradebook."""
    for name in names:
        render_submission(folder, book, rubric, name)
    render_class(folder, book, rubric)


def render_submission(folder: OutputFolder, book: Gradebook, rubric: Rubric, name: str) -> None:
    """Make result and report of one submission anew: they say what the gradebook says.

    Where another process makes them at the same time, the later look at the gradebook wins; what
    can't be settled stays marked as stale, and the next run makes it anew.
    """
    for _ in range(MAX_ATTEMPTS):
        token = secrets.token_hex(8)
        book.start_rendering(name, token=token)
        marked = book.grade_with_marks(name)
        folder.write_submission(marked.graded, rubric=rubric)
        if book.finish_rendering(name, token=token, revision=marked.mark_revision):
            return


def render_class(
    folder: OutputFolder, book: Gradebook, rubric: Rubric
) -> tuple[SubmissionSummary, ...]:
    """Make the files of the class anew, and once more if a mark came between; what they hold."""
    for _ in range(MAX_ATTEMPTS):
        revision, cache_keys = book.ledger_revision(), book.cache_keys()
        graded = book.all_graded([name for name in book.roll() if name in cache_keys])
        summaries = tuple(SubmissionSummary.from_graded(grade, rubric=rubric) for grade in graded)
        summaries = write_class_and_clashes(folder, book, rubric, summaries)
        if book.ledger_revision() == revision:
            break
    return summaries


def write_class_and_clashes(
    folder: OutputFolder, book: Gradebook, rubric: Rubric, summaries: Sequence[SubmissionSummary]
) -> tuple[SubmissionSummary, ...]:
    """Write the files of a class, and to its grades what only the others tell of them.

    Args:
        folder: where they are written.
        book: where grades are, and the roster.
        rubric: what they were graded by.
        summaries: every submission, in order.

    Returns:
        The briefs as they are now.
    """
    clashes = check_roster(_teams(summaries), members=()).duplicate_flags
    updated = tuple(
        summary
        if summary.clashes == clashes.get(summary.page_row.name, ())
        else _update_clashes(folder, book, rubric, name=summary.page_row.name, clashes=clashes)
        for summary in summaries
    )
    folder.write_class_files(
        updated, rubric=rubric, facts=collect_class_facts(updated, book=book, rubric=rubric)
    )
    return updated


def _teams(summaries: Sequence[SubmissionSummary]) -> dict[str, tuple[Student, ...]]:
    return {summary.page_row.name: summary.page_row.students for summary in summaries}


def _update_clashes(
    folder: OutputFolder,
    book: Gradebook,
    rubric: Rubric,
    *,
    name: str,
    clashes: Mapping[str, tuple[str, ...]],
) -> SubmissionSummary:
    """A submission with what the others say against it now."""
    graded = book.graded(name)
    new_clashes = clashes.get(name, ())
    own_flags = tuple(flag for flag in graded.flags if flag not in graded.clashes)
    book.replace_grade(
        replace(graded, flags=(*own_flags, *new_clashes), clashes=new_clashes),
        cache_key=book.cache_keys()[name],
    )
    render_submission(folder, book, rubric, name)
    return SubmissionSummary.from_graded(book.graded(name), rubric=rubric)


def collect_class_facts(
    summaries: Sequence[SubmissionSummary], *, book: Gradebook, rubric: Rubric
) -> ClassFacts:
    """What no submission can say: who handed in nothing, and what to know of people and times.

    One submission alone is no class: then nobody is missing.
    """
    people, teams = load_people(book, rubric.id), _teams(summaries)
    missing = check_roster(teams, members=people.members).missing if len(summaries) > 1 else ()
    untimed = [summary.page_row.name for summary in summaries if not summary.arrival_known]
    notes = class_notes(teams, people=people, rule=rubric.late, untimed=untimed)
    return ClassFacts(missing_students=missing, notes=tuple(notes))


def update_folder(
    folder: OutputFolder, book: Gradebook, rubric: Rubric
) -> tuple[SubmissionSummary, ...]:
    """Let every page, and the files of the class, show the marks there are."""
    render_stale_submissions(folder, book, rubric)
    return render_class(folder, book, rubric)


def render_stale_submissions(
    folder: OutputFolder, book: Gradebook, rubric: Rubric
) -> tuple[str, ...]:
    """Make pages anew that don't show the marks there are, after a crash say; whose they were."""
    cache_keys = book.cache_keys()
    stale = tuple(name for name in book.stale_submissions() if name in cache_keys)
    for name in stale:
        render_submission(folder, book, rubric, name)
    return stale
