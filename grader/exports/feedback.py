"""Packs reports into a zip whose names lead each one back to the student it is for.

Moodle: the name is `Full name_participant_assignsubmission_file_…`, as
`mod/assign/feedback/file/importziplib.php` takes it apart. Canvas: the name that the file had when
it was downloaded, which `infer_comment_context_from_filename` of its `abstract_assignment.rb` looks
for the user's and the attachment's number in.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.errors import UsageError
from grader.exports import moodle_export
from grader.exports.csv_file import read_sheet
from grader.exports.export import Export, Grades, Line, Wish
from grader.exports.row_matching import match
from grader.exports.student_grades import Standing, standings
from grader.model import Graded

_CANVAS = re.compile(r"(?:.*_)?(?:\d+|anon_[A-Za-z0-9]+)_\d+_.+", re.DOTALL)
_UNSAFE = re.compile(r"[^\w .'()-]|_")
"""What can't stand in the name part of a Moodle file: underscores tell its parts apart."""
_WHEN = (2000, 1, 1, 0, 0, 0)
"""The time of every file in the zip, so that equal reports make an equal zip."""
Named = tuple[str, Standing]


def feedback(grades: Grades, *, wish: Wish) -> Export:
    """The zip of reports: those of final grades, or all that were graded with `so_far`.

    Raises:
        UsageError: nothing can be named as the system wants it.
    """
    results = list(grades.results)
    found = standings(results)
    ready = [one for one in found if not one.reason and (wish.so_far or one.final is not None)]
    named, left = _named(ready, wish=wish)
    if ready and not named:
        raise UsageError(f"no report can be named for {wish.lms}: {left[0].who} {left[0].why}")
    waiting = [one for one in found if one not in ready and not one.reason]
    return Export(
        files={"feedback.zip": _zipped(named, results=results, grades=grades)},
        done=f"{len(named)} reports, named for {wish.lms}",
        waiting=tuple(Line(who=one.who, why=one.waits) for one in waiting),
        left=(*left, *(Line(who=one.who, why=one.waits) for one in found if one.reason)),
    )


def _named(ready: Sequence[Standing], *, wish: Wish) -> tuple[list[Named], list[Line]]:
    """Reports by the names that they go by, and who has none."""
    if wish.lms == "moodle":
        return _for_moodle(ready, wish=wish)
    named: dict[str, Standing] = {}
    left = []
    for standing in ready:
        name = _canvas_name(standing.shown) if wish.lms == "canvas" else standing.submission
        if name:
            named.setdefault(f"{name}.html", standing)  # a team's members share the report
        else:
            why = f"{standing.shown}: is not named as Canvas names what it hands out"
            left.append(Line(who=standing.who, why=why))
    return list(named.items()), left


def _canvas_name(shown: str) -> str:
    """The name of the file that was downloaded, without its ending; '' if Canvas didn't give it."""
    parts = PurePosixPath(shown).parts
    found = next((part for part in parts if _CANVAS.fullmatch(part)), "")
    return PurePosixPath(found).stem


def _for_moodle(ready: Sequence[Standing], *, wish: Wish) -> tuple[list[Named], list[Line]]:
    numbers, left = _participants(ready, wish=wish)
    named = [
        (f"{_spelled(one)}_{number}_assignsubmission_file_report.html", one)
        for one, number in numbers
    ]
    return named, left


def _participants(
    ready: Sequence[Standing], *, wish: Wish
) -> tuple[list[tuple[Standing, str]], list[Line]]:
    """Each student's number in the assignment: from the worksheet, or from where it was found."""
    if wish.into is not None:
        sheet = read_sheet(wish.into.data, name=wish.into.name)
        records = moodle_export.participants(sheet, name=wish.into.name)
        layout = moodle_export.layout_of(sheet, records=records, wish=wish)
        rows = moodle_export.rows(sheet, records=records, until=layout.grade)
        matches = match(ready, rows=rows, system=moodle_export.SYSTEM)
        by_place = {row.place: row.lms for row in rows}
        return [(one, by_place[at]) for at, one in matches.by_place.items()], list(matches.left)
    told = [(one, one.student.lms.get(moodle_export.SYSTEM, "").strip()) for one in ready]
    crowd = [number for _, number in told]
    why = "has no participant's number, or shares one; give the worksheet with --into"
    numbers = [(one, number) for one, number in told if number and crowd.count(number) == 1]
    alone = {id(one) for one, _ in numbers}
    return numbers, [Line(who=one.who, why=why) for one in ready if id(one) not in alone]


def _spelled(standing: Standing) -> str:
    """The student's name without what would break the file's name."""
    return _UNSAFE.sub(" ", standing.student.name).strip() or "Participant"


def _zipped(named: Sequence[Named], *, results: Sequence[Graded], grades: Grades) -> bytes:
    packed = io.BytesIO()
    by_name = {graded.submission.name: graded for graded in results}
    pages = {name: grades.page(by_name[name]) for name in {one.submission for _, one in named}}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, standing in sorted(named, key=lambda one: one[0]):
            entry = zipfile.ZipInfo(name, date_time=_WHEN)
            entry.external_attr = 0o600 << 16
            archive.writestr(
                entry, pages[standing.submission].encode(), compress_type=zipfile.ZIP_DEFLATED
            )
    return packed.getvalue()
