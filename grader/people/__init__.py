"""Who is in a course, whose a submission is, and how late it came; guesses nothing silently."""

from grader.people.attendance import Attendance, attendance, remarks, strangers
from grader.people.dates import ReadDates, read_extensions, read_times
from grader.people.directory import spoken
from grader.people.registrar import Entered, People, Registrar
from grader.people.roster import Member, ReadRoster, read_roster

__all__ = [
    "Attendance",
    "Entered",
    "Member",
    "People",
    "ReadDates",
    "ReadRoster",
    "Registrar",
    "attendance",
    "read_extensions",
    "read_roster",
    "read_times",
    "remarks",
    "spoken",
    "strangers",
]
