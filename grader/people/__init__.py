"""Students of a course: the roster, the students of a submission, and its lateness."""

from grader.people.dates import ParsedDates, read_extensions, read_submission_times
from grader.people.directory import name_and_id
from grader.people.enrollment import Enrollment, EnrollmentResolver, People
from grader.people.roster import ParsedRoster, RosterMember, read_roster
from grader.people.roster_check import RosterCheckResult, check_roster, class_notes, unknown_ids

__all__ = [
    "Enrollment",
    "EnrollmentResolver",
    "ParsedDates",
    "ParsedRoster",
    "People",
    "RosterCheckResult",
    "RosterMember",
    "check_roster",
    "class_notes",
    "name_and_id",
    "read_extensions",
    "read_roster",
    "read_submission_times",
    "unknown_ids",
]
