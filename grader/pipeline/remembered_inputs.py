"""What a run is told now, else what the gradebook remembers: people, dates and the secret seed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path

from grader import timestamps
from grader.errors import UsageError
from grader.gradebook import Gradebook, course_records
from grader.gradebook.course_records import load_people, save_dates, save_roster
from grader.model import LateRule, Rubric
from grader.people import People, read_extensions, read_roster, read_submission_times
from grader.pipeline import Notify
from grader.settings import PeopleFiles

SEED_FILE = ".seed"
"""The seed of a folder before the gradebook kept it."""


def register_people(
    book: Gradebook, *, rubric: Rubric, files: PeopleFiles, notify: Notify
) -> People:
    """Return the people of a course; files take the place of what was remembered.

    Args:
        book: where they are remembered.
        rubric: the assignment, with its due date.
        files: what the command line says.
        notify: hears which columns were used, and what is remembered.

    Raises:
        UsageError: a file is not valid; nothing was remembered then.
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
    """Return the time zone of times without one."""
    if rule is None:
        return UTC
    return (
        timestamps.find_zone(rule.timezone)
        if rule.timezone
        else timestamps.utc_offset(timestamps.parse_due(rule.due))
    )


def _report_removed(kind: str, removed: Iterable[str], notify: Notify) -> None:
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


def choose_seed(book: Gradebook, assignment: str, *, folder: Path, draw_new: bool) -> bytes:
    """Return the seed of an assignment, drawn where it has none or a new one is wanted."""
    if draw_new:
        chosen = course_records.replace_seed(book, assignment)
    else:
        chosen = course_records.ensure_seed(
            book, assignment, offered=_read_seed_file(folder / SEED_FILE)
        )
    # Only now: until the book has it, the file is all there is.
    (folder / SEED_FILE).unlink(missing_ok=True)
    return chosen


def require_seed(book: Gradebook, assignment: str, *, folder: Path) -> bytes:
    """Return the seed that notebooks were asked with.

    Raises:
        UsageError: nothing in this folder was graded by that assignment.
    """
    if (
        course_records.load_seed(book, assignment) is None
        and _read_seed_file(folder / SEED_FILE) is None
    ):
        raise UsageError(f"{folder}: nothing there was graded by the assignment {assignment!r}")
    return choose_seed(book, assignment, folder=folder, draw_new=False)


def _read_seed_file(path: Path) -> bytes | None:
    with suppress(OSError, ValueError):
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
        return secret if len(secret) == course_records.SEED_BYTES else None
    return None
