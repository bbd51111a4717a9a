"""People, dates and the secret seed: from the options of a run, else from the gradebook."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook import Gradebook, course_records
from grader.gradebook.course_records import load_people, save_dates, save_roster
from grader.model import Rubric
from grader.people import People, read_extensions, read_roster, read_submission_times
from grader.people.lateness import course_zone
from grader.pipeline import Notify
from grader.report.text_format import format_count
from grader.settings import PeopleFiles

SEED_FILE = ".seed"
"""The file of the seed in folders from before the gradebook stored it."""


def register_people(
    book: Gradebook,
    *,
    rubric: Rubric,
    files: PeopleFiles,
    notify: Notify,
    imported_roster: Path | None = None,
) -> People:
    """Return the people of a course; files replace what the gradebook has stored.

    Args:
        book: the gradebook, which stores the result.
        rubric: the assignment, with its due date.
        files: the files of the command line.
        notify: called with sentences about the columns used, and about stored data.
        imported_roster: the roster that `grade import` brought along, if it did; it is taken
            where there is no other.

    Raises:
        UsageError: a file is not valid; nothing was stored then.
    """
    before = load_people(book, rubric.id)
    has_roster = before.members or files.roster is not None or files.no_roster
    if imported_roster is not None and imported_roster.is_file() and not has_roster:
        files = replace(files, roster=imported_roster)
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
    zone = course_zone(rubric.late) if rubric.late else UTC
    extensions, times = people.extensions, people.submission_times
    if files.extensions is not None:
        new_extensions = read_extensions(files.extensions, zone=zone)
        notify(new_extensions.note)
        _report_removed("extension", extensions.keys() - new_extensions.dates.keys(), notify)
        extensions = dict(new_extensions.dates)
    if files.times is not None:
        new_times = read_submission_times(files.times, zone=zone)
        notify(new_times.note)
        _report_removed("submission time", times.keys() - new_times.dates.keys(), notify)
        times = dict(new_times.dates)
    if (extensions or times) and rubric.late is None:
        notify("the rubric has no [late], so due dates and times change nothing")
    return replace(people, extensions=extensions, submission_times=times)


def _report_removed(kind: str, removed: Iterable[str], notify: Notify) -> None:
    for key in sorted(removed):
        notify(f"the {kind} of {key} was removed: it is no longer in the file")


def _report_remembered(people: People, files: PeopleFiles, notify: Notify) -> None:
    parts = [
        format_count(len(entries), singular=name)
        for name, entries, file in (
            ("student", people.members, files.roster),
            ("extension", people.extensions, files.extensions),
            ("submission time", people.submission_times, files.times),
        )
        if entries and file is None
    ]
    if parts:
        notify(f"kept from an earlier run: {', '.join(parts)}")


def choose_seed(book: Gradebook, assignment: str, *, folder: Path, draw_new: bool) -> bytes:
    """Return the seed of an assignment, drawn where it has none or a new one is wanted."""
    if draw_new:
        chosen = course_records.replace_seed(book, assignment)
    else:
        chosen = course_records.ensure_seed(
            book, assignment, offered=_read_seed_file(folder / SEED_FILE)
        )
    # Only now: until the gradebook has stored the seed, the file is the only copy.
    (folder / SEED_FILE).unlink(missing_ok=True)
    return chosen


def require_seed(book: Gradebook, assignment: str, *, folder: Path) -> bytes:
    """Return the seed that the questions to notebooks were drawn from.

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
