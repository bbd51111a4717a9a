"""Invented files as learning management systems hand them out, and readers of what they take back.

The readers are written from the systems' own code and documentation, not from ours:

- Canvas: `lib/gradebook_importer.rb` of instructure/canvas-lms.
- Moodle: `mod/assign/feedback/offline/importgradeslib.php` and `mod/assign/feedback/file/
  importziplib.php` of moodle/moodle.
- Gradescope: https://gradescope-autograders.readthedocs.io/en/latest/specs/
- nbgrader: `nbgrader/plugins/export.py` of jupyter/nbgrader.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import specimens

from grader.exports import Download, ExportOptions, Grades
from grader.model import Graded, Lateness, Rubric, Score, Student, Submission, Tally

NOTHING = Fraction(0)


def student(name: str, number: str = "", **more: Any) -> Student:
    """A student of the invented class."""
    return Student(name=name, id=number, **more)


def handed_in(
    name: str,
    *students: Student,
    earned: str | None = "80",
    pending: str = "0",
    late: Lateness | None = None,
    shown: str = "",
) -> Graded:
    """A graded submission of 80 points; `earned=None` is one that could not be graded."""
    full = specimens.full_marks()
    submission = Submission(
        name=name, path=specimens.submission(name).path, display_path=shown or f"{name}.ipynb"
    )
    if earned is None:
        return replace(specimens.ungradable(), submission=submission, students=students)
    assert full.score is not None
    tally = Tally(
        auto=Fraction(earned),
        marked=NOTHING,
        pending=Fraction(pending),
        blocked=NOTHING,
        possible=Fraction(80),
    )
    return replace(
        full,
        submission=submission,
        students=students,
        score=Score(total=tally, by_source={}, items=full.score.items),
        lateness=(late,) * max(1, len(students)) if late else (),
    )


def late(deduction: str | None) -> Lateness:
    """Two days late."""
    return Lateness(
        due="2031-04-02T23:59:00-06:00",
        at="2031-04-04T10:00:00-06:00",
        late_s=122_460,
        days=2,
        deduction=None if deduction is None else Fraction(deduction),
    )


def grades(*results: Graded, rubric: Rubric) -> Grades:
    """What formats are made from; a page is its submission's name."""
    return Grades(
        rubric=rubric,
        results=iter(results),
        render_report=lambda graded: f"<p>{graded.submission.name}</p>",
    )


def wish(data: bytes, name: str = "download.csv", **more: Any) -> ExportOptions:
    """A wish to fill a file."""
    return ExportOptions(into=Download(name=name, data=data), **more)


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,HW 4 (411),HW 5 (412),Current Score,Final Score"
    "\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,50.00,80.00,(read only),(read only)\r\n"
    '"Lindgren, Åsa",9001,al20001,al20001,"M 1, early",44.50,,89.00,89.00\r\n'
    '"Okoro, Chidi",9002,co20002,co20002,"M 1, early",12.00,0.00,24.00,24.00\r\n'
    '"Moreau, Inès ""Nès""",9003,im20003,im20003,M 2,=1+1,12,61.00,61.00\r\n'
    '"Tanaka, Ren",9004,rt20004,rt20004,M 2,,EX,,\r\n'
    '"Student, Test",9099,,deadbeef,M 1,,,,\r\n'
)
"""Seven records after the header: a posting policy, points, four students and the test student."""
MOODLE = (
    "Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    "Participant 71001,Åsa Lindgren,al20001,asa@example.edu,Submitted for grading - ,,80.00,Yes,"
    '"Friday, 4 April 2031, 9:12 AM",-,\n'
    "Participant 71002,Chidi Okoro,co20002,chidi@example.edu,"
    "Submitted for grading - 2 days 3 hours late,0.00,80.00,Yes,"
    '"Friday, 4 April 2031, 9:12 AM",-,<p>Kept</p>\n'
    "Participant 71003,Inès Moreau,im20003,ines@example.edu,Submitted for grading - ,12.00,80.00,"
    'No,"Friday, 4 April 2031, 9:12 AM","Friday, 4 April 2031, 9:13 AM",\n'
)
MOODLE_GERMAN = (
    "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;"
    "Bewertung kann geändert werden;Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung);"
    "Feedback als Kommentar\r\n"
    "Teilnehmer/in71001;Åsa Lindgren;asa@example.edu;Zur Bewertung abgegeben;;80,00;Ja;-;-;\r\n"
    "Teilnehmer/in71002;Chidi Okoro;chidi@example.edu;Abgegeben;3,00;80,00;Nein;-;-;\r\n"
)


@dataclass(frozen=True)
class CanvasReader:
    """What Canvas would make of a gradebook: scores by Canvas's id and assignment's id."""

    scores: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, data: bytes) -> CanvasReader:
        """Read it by the importer's rules.

        The delimiter is guessed from the first three lines; the header has Student, ID … Section;
        an assignment is 'Title (id)'; the row of points and the one of posting policies are no
        students; numbers have the last ',' or '.' for a decimal mark.
        """
        text = data.decode("utf-8-sig")
        lines = text.splitlines()[:3]
        widths = {
            mark: {len(next(csv.reader([line], delimiter=mark))) for line in lines} for mark in ";,"
        }
        counts = {mark: max(found) if len(found) == 1 else 0 for mark, found in widths.items()}
        mark = ";" if counts[";"] > counts[","] else ","
        header, *records = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
        assert len(header) > 3
        assert "Student" in header[0]
        assert "ID" in header[1]
        assert any("Section" in word for word in header)
        columns = {
            found[2]: place
            for place, word in enumerate(header)
            if (found := re.fullmatch(r"(.*)\s\((\d+)\)", word))
        }
        scores = {}
        for row in records:
            blank = all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell) for cell in row)
            if "Points Possible" in row[0] or blank:
                continue
            for assignment, place in columns.items():
                scores[row[1], assignment] = cls.number(row[place].strip())
        return cls(scores)

    @staticmethod
    def number(cell: str) -> str:
        """The cell as the converter `decimal_comma_to_period` leaves it."""
        if not re.fullmatch(r"-?[0-9.,]+%?", cell):
            return cell
        *whole, last = re.split(r"[,.]", cell)
        return f"{''.join(whole)}.{last}" if whole else last


@dataclass(frozen=True)
class MoodleReader:
    """What Moodle would make of a worksheet: grades and comments by participant."""

    grades: Mapping[int, Fraction]
    comments: Mapping[int, str]

    @classmethod
    def of(cls, data: bytes, *, language: Mapping[str, str], mark: str = ",") -> MoodleReader:
        """Read it by the importer's rules.

        Three columns are found by their names in the teacher's language; the identifier is what
        follows the word for a participant; a grade that is empty, negative or above the highest is
        skipped, as is one that is locked.
        """
        records = csv.DictReader(
            io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=language.get("mark", mark)
        )
        assert {language["id"], language["grade"], language["modified"]} <= set(
            records.fieldnames or ()
        )
        grades, comments = {}, {}
        for row in records:
            number = int(row[language["id"]][len(language["participant"]) :])
            told = row[language["grade"]].strip().replace(language["decimal"], ".")
            most = Fraction(row[language["most"]].replace(language["decimal"], "."))
            if told and 0 <= Fraction(told) <= most and row[language["locked"]] != language["no"]:
                grades[number] = Fraction(told)
            comments[number] = row[language["comments"]]
        return cls(grades, comments)


ENGLISH = {
    "id": "Identifier",
    "participant": "Participant ",
    "grade": "Grade",
    "most": "Maximum Grade",
    "modified": "Last modified (grade)",
    "locked": "Grade can be changed",
    "no": "No",
    "comments": "Feedback comments",
    "decimal": ".",
}
GERMAN = {
    "id": "ID",
    "participant": "Teilnehmer/in",
    "grade": "Bewertung",
    "most": "Bestwertung",
    "modified": "Zuletzt geändert (Bewertung)",
    "locked": "Bewertung kann geändert werden",
    "no": "Nein",
    "comments": "Feedback als Kommentar",
    "decimal": ",",
    "mark": ";",
}


def moodle_feedback(path: str) -> tuple[int, str, str] | None:
    """Participant, plugin and file name as Moodle takes them from a path in the zip."""
    parts = path.split("/")
    if parts[-1][:1] in {".", "~"}:
        return None
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) < 4 or not info[1].isdigit():
            continue
        return int(info[1]), f"{info[2]}_{info[3]}", "/".join([*info[4:], *parts])
    return None


def canvas_feedback(path: str) -> tuple[str, str] | None:
    """User's and attachment's ids as Canvas takes them from a file name."""
    name = path.rpartition("/")[2]
    parts = [part for part in name.split("_") if part != "LATE"]
    if parts[0] == "anon":
        return parts[1], parts[2]
    numbers = [part for part in parts if part.isdigit()]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else None


def gradescope(data: bytes) -> tuple[Fraction | None, dict[str, Any]]:
    """The score that Gradescope would show, and the file; every key and word is documented."""
    whole: dict[str, Any] = json.loads(data, parse_constant=_refuse)
    words = {"hidden", "after_due_date", "after_published", "visible"}
    assert set(whole) <= {
        "score", "execution_time", "output", "visibility", "stdout_visibility", "extra_data",
        "tests", "leaderboard",
    }  # fmt: skip
    for test in whole["tests"]:
        assert set(test) <= {
            "score", "max_score", "status", "name", "number", "output", "tags", "visibility",
            "extra_data",
        }  # fmt: skip
        assert test.get("visibility", "visible") in words
        assert test.get("status", "passed") in {"passed", "failed"}
    assert whole.get("stdout_visibility", "hidden") in words
    if "score" in whole:
        return Fraction(str(whole["score"])), whole
    scores = [test.get("score") for test in whole["tests"]]
    known = [Fraction(str(score)) for score in scores if score is not None]
    return (sum(known, NOTHING) if scores and len(known) == len(scores) else None), whole


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")
