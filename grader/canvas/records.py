"""What Canvas answers, as records: of its documented objects the fields that are used here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from grader.errors import UsageError

Entry = TypeVar("Entry")
Several = Annotated[tuple[Entry, ...], BeforeValidator(lambda entries: entries or ())]
"""A list; Canvas writes null where there is none, or leaves it out."""
Holds = Annotated[bool, BeforeValidator(bool)]
"""Whether something holds; null is no."""


class CanvasRecord(BaseModel):
    """An object of Canvas's."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Self:
        """Return the record of an answer.

        Raises:
            UsageError: it is not as Canvas documents it.
        """
        try:
            return cls.model_validate(answer)
        except ValidationError as error:
            (first, *_) = error.errors(include_input=False, include_url=False)
            location = ".".join(map(str, first["loc"]))
            raise UsageError(
                f"Canvas answers something unexpected: {cls.__name__}, {location}: {first['msg']}"
            ) from None


class CourseSection(CanvasRecord):
    """A section of the course."""

    id: int
    name: str


class SectionEnrollment(CanvasRecord):
    """That a user is in a section."""

    course_section_id: int | None = None


class CanvasUser(CanvasRecord):
    """A student."""

    id: int
    name: str = ""
    sortable_name: str = ""
    sis_user_id: str | None = None
    login_id: str | None = None
    email: str | None = None
    enrollments: Several[SectionEnrollment] = ()


class CanvasGroup(CanvasRecord):
    """The group of a submission; without an id where there is none."""

    id: int | None = None
    name: str | None = None


class CanvasAttachment(CanvasRecord):
    """A file of a submission or a comment."""

    id: int
    display_name: str | None = None
    filename: str = ""
    url: str | None = None
    size: int | None = None

    @property
    def label(self) -> str:
        """The name that people see."""
        return self.display_name or self.filename or str(self.id)


class CanvasComment(CanvasRecord):
    """A comment on a submission."""

    attachments: Several[CanvasAttachment] = ()


class CanvasAttempt(CanvasRecord):
    """What was submitted at once."""

    attempt: int | None = None
    submitted_at: str | None = None
    submission_type: str | None = None
    url: str | None = None
    attachments: Several[CanvasAttachment] = ()


class CanvasSubmission(CanvasAttempt):
    """A student's submission: the newest attempt, and the grade."""

    user_id: int
    late: Holds = False
    excused: Holds = False
    score: float | None = None
    points_deducted: float | None = None
    cached_due_date: str | None = None
    user: CanvasUser | None = None
    group: CanvasGroup | None = None
    submission_history: Several[CanvasAttempt] = ()
    submission_comments: Several[CanvasComment] = ()
    rubric_assessment: Mapping[str, Any] | None = None

    @property
    def group_id(self) -> int | None:
        """The id of the student's group, or None."""
        return self.group.id if self.group else None


class CanvasCriterion(CanvasRecord):
    """A criterion of an assignment's rubric."""

    id: str
    description: str = ""
    points: float = 0


class CanvasAssignment(CanvasRecord):
    """An assignment."""

    id: int
    name: str = ""
    due_at: str | None = None
    points_possible: float | None = None
    grading_type: str = "points"
    group_category_id: int | None = None
    grade_group_students_individually: Holds = False
    anonymize_students: Holds = False
    rubric: Several[CanvasCriterion] = ()
    use_rubric_for_grading: Holds = False

    @property
    def is_graded_by_group(self) -> bool:
        """Whether all members of a group have one grade."""
        return self.group_category_id is not None and not self.grade_group_students_individually


class DueOverride(CanvasRecord):
    """A due date of some students' own."""

    student_ids: Several[int] = ()
    group_id: int | None = None
    course_section_id: int | None = None
    due_at: str | None = None

    @property
    def changes_due_date(self) -> bool:
        """Whether it says a due date, or that there is none."""
        return "due_at" in self.model_fields_set


class BulkProgress(CanvasRecord):
    """How far Canvas is with what it does later."""

    id: int
    workflow_state: str
