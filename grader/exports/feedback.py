"""Packs reports into a zip, under names by which a learning management system finds the student.

Moodle: the name is `Full name_participant_assignsubmission_file_…`, as
`mod/assign/feedback/file/importziplib.php` parses it. Canvas: the name of the downloaded file, in
which `infer_comment_context_from_filename` of its `abstract_assignment.rb` looks for the numbers of
the user and the attachment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.errors import UsageError
from grader.exports import moodle_export
from grader.exports.csv_file import parse_csv_file
from grader.exports.export import Export, ExportOptions, Grades, ListedStudent
from grader.exports.row_matching import match_rows
from grader.exports.student_grades import StudentGrade, list_not_final, list_student_grades
from grader.exports.zip_files import pack_zip
from grader.model import Graded

_CANVAS_NAME = re.compile(r"(?:.*_)?(?:\d+|anon_[A-Za-z0-9]+)_\d+_.+", re.DOTALL)
_UNSAFE = re.compile(r"[^\w .'()-]|_")
"""Characters that the student's part of a Moodle file name can't have: `_` separates the parts."""
NamedGrade = tuple[str, StudentGrade]


def export_feedback(grades: Grades, *, options: ExportOptions) -> Export:
    """Pack the reports of final grades, or of all graded submissions with `so_far`.

    Raises:
        UsageError: No report can be named as the system requires.
    """
    results = list(grades.results)
    student_grades = list_student_grades(results)
    ready = [
        grade
        for grade in student_grades
        if not grade.reason and (options.so_far or grade.final is not None)
    ]
    named, left_out = _name_reports(ready, options=options)
    if ready and not named:
        raise UsageError(
            f"no report can be named for {options.lms}: {left_out[0].label} {left_out[0].reason}"
        )
    pending, ungradable = list_not_final(g for g in student_grades if g not in ready)
    return Export(
        files={"feedback.zip": _build_zip(named, results=results, grades=grades)},
        summary=f"{len(named)} reports, named for {options.lms}",
        pending=pending,
        left_out=(*left_out, *ungradable),
    )


def _name_reports(
    ready: Sequence[StudentGrade], *, options: ExportOptions
) -> tuple[list[NamedGrade], list[ListedStudent]]:
    """Name the reports, and list students whose report can't be named."""
    if options.lms == "moodle":
        return _name_for_moodle(ready, options=options)
    named: dict[str, StudentGrade] = {}
    left_out = []
    for grade in ready:
        name = _canvas_name(grade.display_path) if options.lms == "canvas" else grade.submission
        if name:
            named.setdefault(f"{name}.html", grade)  # the members of a team share a report
        else:
            reason = f"{grade.display_path}: is not named as Canvas names what it hands out"
            left_out.append(ListedStudent(label=grade.label, reason=reason))
    return list(named.items()), left_out


def _canvas_name(display_path: str) -> str:
    """Return the downloaded file's name without its ending, or '' if Canvas didn't give it."""
    parts = PurePosixPath(display_path).parts
    original_name = next((part for part in parts if _CANVAS_NAME.fullmatch(part)), "")
    return PurePosixPath(original_name).stem


def _name_for_moodle(
    ready: Sequence[StudentGrade], *, options: ExportOptions
) -> tuple[list[NamedGrade], list[ListedStudent]]:
    numbers, left_out = _participant_numbers(ready, options=options)
    named = []
    for grade, number in numbers:
        student = _UNSAFE.sub(" ", grade.student.name).strip() or "Participant"
        named.append((f"{student}_{number}_assignsubmission_file_report.html", grade))
    return named, left_out


def _participant_numbers(
    ready: Sequence[StudentGrade], *, options: ExportOptions
) -> tuple[list[tuple[StudentGrade, str]], list[ListedStudent]]:
    """Map students to their participant number, from the worksheet or from the download."""
    if options.into is not None:
        sheet = parse_csv_file(options.into.data, name=options.into.name)
        records = moodle_export.find_participants(sheet, name=options.into.name)
        layout = moodle_export.find_layout(sheet, records=records, options=options)
        rows = moodle_export.participant_rows(
            sheet, records=records, grade_column=layout.grade_column
        )
        matches = match_rows(ready, rows=rows, system=moodle_export.SYSTEM)
        numbers_by_index = {row.index: row.lms_id for row in rows}
        return [
            (grade, numbers_by_index[index]) for index, grade in matches.by_index.items()
        ], list(matches.left_out)
    candidates = [
        (grade, grade.student.lms.get(moodle_export.SYSTEM, "").strip()) for grade in ready
    ]
    all_numbers = [number for _, number in candidates]
    reason = "has no participant's number, or shares one; give the worksheet with --into"
    numbers = [
        (grade, number) for grade, number in candidates if number and all_numbers.count(number) == 1
    ]
    numbered = {id(grade) for grade, _ in numbers}
    return numbers, [
        ListedStudent(label=grade.label, reason=reason)
        for grade in ready
        if id(grade) not in numbered
    ]


def _build_zip(named: Sequence[NamedGrade], *, results: Sequence[Graded], grades: Grades) -> bytes:
    by_name = {graded.submission.name: graded for graded in results}
    pages = {
        name: grades.render_report(by_name[name])
        for name in {grade.submission for _, grade in named}
    }
    ordered = sorted(named, key=lambda pair: pair[0])
    return pack_zip((name, pages[grade.submission].encode(), 0o600) for name, grade in ordered)
