"""Who is in a course, whose a submission is, and how late it came; guesses nothing silently."""

from grader.people.dates import ReadDates, read_extensions, read_times
from grader.people.directory import spoken
from grader.people.enrollment import Entered, People, Registrar
from grader.people.roster import Member, ReadRoster, read_roster
from grader.people.roster_check import Attendance, check_roster, remarks, strangers

__all__ = [
    "Attendance",
    "Entered",
    "Member",
    "People",
    "ReadDates",
    "ReadRoster",
    "Registrar",
    "check_roster",
    "read_extensions",
    "read_roster",
    "read_times",
    "remarks",
    "spoken",
    "strangers",
]
