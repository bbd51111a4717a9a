"""The table that programs of nbgrader's users read."""

from __future__ import annotations

import csv
import io

from downloads import grades, handed_in, late, student
from specimen_assignment import rubric

from grader.exports import FORMATS, Export, ExportOptions
from grader.model import Graded

RUBRIC = rubric()
HEADER = (
    "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,"
    "late_submission_penalty,score,max_score"
)


def export(*results: Graded) -> Export:
    return FORMATS["nbgrader"](grades(*results, rubric=RUBRIC), options=ExportOptions())


def table(*results: Graded) -> list[dict[str, str]]:
    text = export(*results).files["grades.csv"].decode()
    assert text.startswith(HEADER + "\n")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_has_what_nbgrader_writes() -> None:
    (row,) = table(
        handed_in(
            "a",
            student("Lindgren, Åsa", "al20001", email="asa@example.edu"),
            earned="26.5",
            late=late("4"),
        )
    )

    assert row == {
        "assignment": RUBRIC.id,
        "duedate": "2031-04-03 05:59:00",
        "timestamp": "2031-04-04 16:00:00",
        "student_id": "al20001",
        "last_name": "Lindgren",
        "first_name": "Åsa",
        "email": "asa@example.edu",
        "raw_score": "26.50",
        "late_submission_penalty": "4.00",
        "score": "22.50",
        "max_score": "80.00",
    }


def test_a_comma_in_a_name_moves_no_column_and_a_formula_runs_nowhere() -> None:
    (row,) = table(handed_in("a", student("=1+1, A, B", "@id")))

    assert (row["last_name"], row["first_name"], row["student_id"]) == ("'=1+1", "A, B", "'@id")


def test_what_waits_is_empty_and_listed() -> None:
    made = (
        handed_in("a", student("Åsa Lindgren"), earned="26.5", pending="40"),
        handed_in("b", student("Ren Tanaka"), earned=None),
        handed_in("c", student("Chidi Okoro"), earned="9", late=late(None)),
    )

    waiting, broken, unknown = table(*made)

    assert (waiting["raw_score"], waiting["score"]) == ("", "")
    assert (broken["raw_score"], broken["late_submission_penalty"], broken["score"]) == ("",) * 3
    assert (unknown["raw_score"], unknown["score"]) == ("9.00", "")
    assert [line.label for line in export(*made).pending] == ["Åsa Lindgren", "Chidi Okoro"]
    assert [line.label for line in export(*made).left_out] == ["Ren Tanaka"]


def test_a_whole_name_that_says_no_order_is_not_cut() -> None:
    (row,) = table(handed_in("a", student("Ana María de la Cruz")))

    assert (row["last_name"], row["first_name"]) == ("Ana María de la Cruz", "")
