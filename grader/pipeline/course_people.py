"""What a run knows of people: what it is told now, else what the gradebook remembers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, tzinfo

from grader import timestamps
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.gradebook.stored_people import keep_dates, keep_roster, remembered
from grader.model import LateRule, Rubric
from grader.people import People, read_extensions, read_roster, read_times
from grader.pipeline import Tell
from grader.settings import PeopleFiles


def register(book: Gradebook, *, rubric: Rubric, files: PeopleFiles, tell: Tell) -> People:
    """The people of a course; files that are given take the place of what was remembered.

    Args:
        book: where they are remembered.
        rubric: the assignment, with its due date.
        files: what the command line says.
        tell: who hears which columns were used, and what is remembered.

    Raises:
        UsageError: a file is not as it must be; nothing was remembered then.
    """
    before = remembered(book, rubric.id)
    after = _with_dates(_with_roster(before, files, tell), rubric, files, tell)
    if after.members != before.members:
        keep_roster(book, after.members)
    if after.extensions != before.extensions:
        keep_dates(book, rubric.id, kind="due", known=after.extensions)
    if after.times != before.times:
        keep_dates(book, rubric.id, kind="at", known=after.times)
    _tell_remembered(after, files, tell)
    return after


def _with_roster(people: People, files: PeopleFiles, tell: Tell) -> People:
    if files.no_roster:
        if files.roster is not None:
            raise UsageError("--roster and --no-roster: one of them")
        return replace(people, members=())
    if files.roster is None:
        return people
    found = read_roster(files.roster)
    for note in found.notes:
        tell(note)
    return replace(people, members=found.members)


def _with_dates(people: People, rubric: Rubric, files: PeopleFiles, tell: Tell) -> People:
    zone = zone_of(rubric.late)
    extensions, times = people.extensions, people.times
    if files.extensions is not None:
        given = read_extensions(files.extensions, zone=zone)
        tell(given.note)
        _tell_gone("extension", extensions.keys() - given.dates.keys(), tell)
        extensions = dict(given.dates)
    if files.times is not None:
        known = read_times(files.times, zone=zone)
        tell(known.note)
        _tell_gone("time of handing in", times.keys() - known.dates.keys(), tell)
        times = dict(known.dates)
    if (extensions or times) and rubric.late is None:
        tell("the rubric has no [late], so due dates and times change nothing")
    return replace(people, extensions=extensions, times=times)


def zone_of(rule: LateRule | None) -> tzinfo:
    """The time zone of times that say none."""
    if rule is None:
        return UTC
    return (
        timestamps.zone(rule.timezone)
        if rule.timezone
        else timestamps.offset_of(timestamps.due(rule.due))
    )


def _tell_gone(what: str, gone: Iterable[str], tell: Tell) -> None:
    """A file that lost a line says so, lest somebody loses what was granted."""
    for mark in sorted(gone):
        tell(f"the {what} of {mark} is gone: it stands in the file no more")


def _tell_remembered(people: People, files: PeopleFiles, tell: Tell) -> None:
    kept = [
        f"a roster of {len(people.members)}" if people.members and files.roster is None else "",
        f"{len(people.extensions)} extensions"
        if people.extensions and files.extensions is None
        else "",
        f"{len(people.times)} times" if people.times and files.times is None else "",
    ]
    if any(kept):
        tell(f"remembered from before: {', '.join(filter(None, kept))}")
