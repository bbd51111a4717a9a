"""Fetches an assignment into a folder that `grade` reads: files, manifest, roster, extensions.

A fetch that was killed goes on where it was: what is there under its attempt is not fetched again,
as Canvas never changes an attempt. Until all is there the manifest says so, and nobody grades half
a class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.canvas.course import RemoteAssignment
from grader.canvas.due_dates import find_extensions
from grader.canvas.records import CanvasAssignment, CanvasAttachment
from grader.canvas.requester import DownloadRefused
from grader.canvas.teams import SubmittingTeam, describe_student, group_into_teams
from grader.csv_tables import format_table
from grader.errors import UsageError
from grader.exports.gradebook_csv import escape_formula
from grader.folder import write_atomically
from grader.submissions.archives import CLASS_BOUNDS, STUDENT_BOUNDS
from grader.submissions.fetch_manifest import (
    MANIFEST,
    FetchedStudent,
    FetchedSubmission,
    FetchManifest,
    read_manifest,
)

ROSTER, EXTENSIONS = "roster.csv", "extensions.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What is in the folder now."""

    folder: Path
    title: str
    submissions: int
    students: int
    extensions: int
    fetched_files: int
    kept_files: int
    faults: tuple[str, ...]
    """Files that could not be fetched, and why."""


class AssignmentFetcher:
    """Fetches one assignment.

    Args:
        remote: the assignment on Canvas.
        folder: where to write.
        on_file: is called before each file, with its number and the number of all.
    """

    def __init__(
        self,
        remote: RemoteAssignment,
        *,
        folder: Path,
        on_file: Callable[[int, int], None] = lambda _number, _count: None,
    ) -> None:
        self._remote = remote
        self._folder = folder
        self._on_file = on_file
        self._remaining_bytes = CLASS_BOUNDS.bytes
        self._fetched = self._kept = 0
        self._faults: dict[str, str] = {}
        """Why a file could not be fetched, by its path."""

    def fetch(self, *, all_attempts: bool = False) -> FetchResult:
        """Bring the folder up to date.

        Args:
            all_attempts: whether files of earlier attempts are fetched, too; none is graded.

        Raises:
            UsageError: Canvas refuses, or the folder is another assignment's or can't be written.
        """
        assignment = self._remote.details()
        try:
            self._claim_folder(assignment)
            users = self._remote.students()
            sections = self._remote.section_names()
            submissions = self._remote.submissions("submission_history")
            extensions = find_extensions(
                assignment,
                overrides=self._remote.overrides(),
                students=users,
                submissions=submissions,
            )
            people = {user.id: describe_student(user, sections=sections) for user in users}
            self._write_people(people, extensions)
            teams = group_into_teams(submissions)
            self._fetch_files(teams, all_attempts=all_attempts)
            fetched = tuple(team.describe(people, faults=self._faults) for team in teams)
            self._write_manifest(assignment, complete=True, submissions=fetched)
        except OSError as error:
            problem = f"{error.filename or self._folder}: cannot be written ({error.strerror})"
            raise UsageError(problem) from error
        return FetchResult(
            folder=self._folder,
            title=assignment.name,
            submissions=len(fetched),
            students=len(people),
            extensions=len(extensions),
            fetched_files=self._fetched,
            kept_files=self._kept,
            faults=tuple(f"{path}: {fault}" for path, fault in self._faults.items()),
        )

    def _claim_folder(self, assignment: CanvasAssignment) -> None:
        """Make the folder this assignment's own, and say that it is not complete.

        Raises:
            UsageError: It holds something else.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / MANIFEST
        if path.exists():
            if read_manifest(path).source != self._remote.source:
                raise UsageError(f"{self._folder}: holds another assignment; name another --out")
        elif any(self._folder.iterdir()):
            raise UsageError(f"{self._folder}: is not empty, and nothing was fetched into it")
        self._write_manifest(assignment, complete=False, submissions=())

    def _write_manifest(
        self,
        assignment: CanvasAssignment,
        *,
        complete: bool,
        submissions: tuple[FetchedSubmission, ...],
    ) -> None:
        manifest = FetchManifest(
            source=self._remote.source,
            title=assignment.name,
            complete=complete,
            submissions=submissions,
        )
        text = manifest.model_dump_json(indent=1)
        write_atomically(self._folder / MANIFEST, text.encode())

    def _write_people(
        self, people: Mapping[int, FetchedStudent], extensions: Mapping[int, str]
    ) -> None:
        """Write the roster and the extensions as `grade` reads them."""
        roster: list[tuple[str, ...]] = [("id", "name", "email", "section", "login", "canvas_id")]
        roster += [
            tuple(
                escape_formula(text)
                for text in (who.id, who.name, who.email, who.section, who.login, str(who.user))
            )
            for who in people.values()
        ]
        dates = [("id", "due")]
        dates += [(people[user].id or str(user), due) for user, due in extensions.items()]
        for name, rows in ((ROSTER, roster), (EXTENSIONS, dates)):
            write_atomically(self._folder / name, format_table(rows).encode())

    def _fetch_files(self, teams: Sequence[SubmittingTeam], *, all_attempts: bool) -> None:
        wanted = {
            path: attachment
            for team in teams
            for attempt in (team.attempts if all_attempts else team.attempts[-1:])
            for path, attachment in team.paths(attempt).items()
        }
        for number, (path, attachment) in enumerate(wanted.items(), start=1):
            self._on_file(number, len(wanted))
            self._fetch_file(attachment, path)

    def _fetch_file(self, attachment: CanvasAttachment, relative: str) -> None:
        """Fetch a file that is not there yet."""
        path = self._folder / relative
        if path.is_file() and attachment.size in {None, path.stat().st_size}:
            self._kept += 1
            self._remaining_bytes -= path.stat().st_size
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        max_bytes = max(0, min(STUDENT_BOUNDS.bytes, self._remaining_bytes))
        try:
            if not attachment.url:
                raise DownloadRefused("Canvas gives no address for it")  # noqa: TRY301 (as others)
            size = self._remote.requester.download(attachment.url, path, max_bytes=max_bytes)
        except DownloadRefused as error:
            self._faults[relative] = str(error)
            return
        self._remaining_bytes -= size
        self._fetched += 1
