"""What a run knows of people: what it is told now, else what the gradebook remembers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, tzinfo

from grader import timestamps
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.gradebook.course_records import load_people, save_dates, save_roster
from grader.model import LateRule, Rubric
from grader.people import People, read_extensions, read_roster, read_submission_times
from grader.pipeline import Notify
from grader.settings import PeopleFiles


def register_people(
    book: Gradebook, *, rubric: Rubric, files: PeopleFiles, notify: Notify
) -> People:
    """The people of a course; files that are given take the place of what was remembered.

    Args:
        book: where they are remembered.
        rubric: the assignment, with its due date.
        files: what the command line says.
        notify: who hears which columns were used, and what is remembered.

    Raises:
        UsageError: a file is not as it must be; nothing was remembered then.
    """
    before = load_people(book, rubric.id)
    after = _with_dates(_with_roster(before, files, notify), rubric, files, notify)
    if after.members != before.members:
        save_roster(book, after.members)
    if after.extensions != before.extensions:
        save_dates(book, rubric.id, kind="due", moments=after.extensions)
    if after.submission_times != before.submission_times:
        save_dates(book, rubric.id, kind="at", moments=after.submission_times)
    _report_remembered(after, files, notify)
    return after


def _with_roster(people: People, files: PeopleFiles, notify: Notify) -> People:
    if files.no_roster:
        if files.roster is not None:
            raise UsageError("--roster and --no-roster: one of them")
        return replace(people, members=())
    if files.roster is None:
        return people
    roster = read_roster(files.roster)
    for note in roster.notes:
        notify(note)
    return replace(people, members=roster.members)


def _with_dates(people: People, rubric: Rubric, files: PeopleFiles, notify: Notify) -> People:
    zone = default_zone(rubric.late)
    extensions, times = people.extensions, people.submission_times
    if files.extensions is not None:
        new_extensions = read_extensions(files.extensions, zone=zone)
        notify(new_extensions.note)
        _report_removed("extension", extensions.keys() - new_extensions.dates.keys(), notify)
        extensions = dict(new_extensions.dates)
    if files.times is not None:
        new_times = read_submission_times(files.times, zone=zone)
        notify(new_times.note)
        _report_removed("time of handing in", times.keys() - new_times.dates.keys(), notify)
        times = dict(new_times.dates)
    if (extensions or times) and rubric.late is None:
        notify("the rubric has no [late], so due dates and times change nothing")
    return replace(people, extensions=extensions, submission_times=times)


def default_zone(rule: LateRule | None) -> tzinfo:
    """The time zone of times that say none."""
    if rule is None:
        return UTC
    return (
        timestamps.find_zone(rule.timezone)
        if rule.timezone
        else timestamps.utc_offset(timestamps.parse_due(rule.due))
    )


def _report_removed(kind: str, removed: Iterable[str], notify: Notify) -> None:
    """A file that lost a line says so, lest somebody loses what was granted."""
    for key in sorted(removed):
        notify(f"the {kind} of {key} is gone: it stands in the file no more")


def _report_remembered(people: People, files: PeopleFiles, notify: Notify) -> None:
    parts = [
        f"a roster of {len(people.members)}" if people.members and files.roster is None else "",
        f"{len(people.extensions)} extensions"
        if people.extensions and files.extensions is None
        else "",
        f"{len(people.submission_times)} times"
        if people.submission_times and files.times is None
        else "",
    ]
    if any(parts):
        notify(f"remembered from before: {', '.join(filter(None, parts))}")
