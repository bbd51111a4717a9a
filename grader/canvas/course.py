"""One assignment of a course on Canvas: everything that is read of it, and the writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from canvasapi.util import combine_kwargs

from grader.canvas.records import (
    BulkProgress,
    CanvasAssignment,
    CanvasSubmission,
    CanvasUser,
    CourseSection,
    DueOverride,
)
from grader.canvas.requester import CanvasRequester
from grader.errors import UsageError
from grader.submissions.fetch_manifest import CanvasSource


class RemoteAssignment:
    """An assignment that is asked and graded by the API.

    Args:
        source: which one.
        requester: sends requests.
    """

    def __init__(self, source: CanvasSource, *, requester: CanvasRequester) -> None:
        self.source = source
        self.requester = requester
        self._course = f"courses/{source.course}"
        self._assignment = f"{self._course}/assignments/{source.assignment}"

    def details(self) -> CanvasAssignment:
        """Return what Canvas says of the assignment.

        Raises:
            UsageError: It can't be graded from here, as its students are anonymous.
        """
        assignment = CanvasAssignment.parse(self.requester.request("GET", self._assignment).json())
        if assignment.anonymize_students:
            raise UsageError(
                f"{assignment.name}: is graded anonymously, and Canvas does not say whose a "
                "submission is; turn that off in the assignment's settings first"
            )
        return assignment

    def students(self) -> tuple[CanvasUser, ...]:
        """Return all students of the course."""
        users = self.requester.pages(
            f"{self._course}/users", enrollment_type=["student"], include=["enrollments", "email"]
        )
        return tuple(map(CanvasUser.parse, users))

    def section_names(self) -> Mapping[int, str]:
        """Return the names of the course's sections, by id."""
        sections = map(CourseSection.parse, self.requester.pages(f"{self._course}/sections"))
        return {section.id: section.name for section in sections}

    def overrides(self) -> tuple[DueOverride, ...]:
        """Return the due dates of some students' own."""
        return tuple(map(DueOverride.parse, self.requester.pages(f"{self._assignment}/overrides")))

    def submissions(self, *include: str) -> tuple[CanvasSubmission, ...]:
        """Return a submission for each student, also for those who submitted nothing.

        Args:
            include: what to add to user and group.
        """
        submissions = self.requester.pages(
            f"{self._assignment}/submissions", include=["user", "group", *include], per_page=50
        )
        return tuple(map(CanvasSubmission.parse, submissions))

    def upload_comment_file(self, user: int, *, name: str, data: bytes) -> int:
        """Upload a file for a comment on a student's submission; return its id."""
        return self.requester.upload(
            f"{self._assignment}/submissions/{user}/comments/files", name, data
        )

    def update_grades(self, grade_data: Mapping[int, Mapping[str, Any]]) -> BulkProgress:
        """Ask Canvas to write grades and comments, by user; it does so later."""
        fields = combine_kwargs(grade_data=grade_data)
        answer = self.requester.request(
            "POST", f"{self._assignment}/submissions/update_grades", _kwargs=fields
        )
        return BulkProgress.parse(answer.json())

    def progress(self, number: int) -> BulkProgress:
        """Return how far a write is."""
        return BulkProgress.parse(self.requester.request("GET", f"progress/{number}").json())
