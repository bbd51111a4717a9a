"""A grading worksheet from Moodle, in any language."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from downloads import (
    ENGLISH,
    GERMAN,
    MOODLE,
    MOODLE_GERMAN,
    MoodleReader,
    grades,
    handed_in,
    late,
    student,
    wish,
)
from specimen_assignment import rubric

from grader.errors import UsageError
from grader.exports import FORMATS, Export, ExportOptions
from grader.model import Graded

RUBRIC = rubric()
ASA = student("Åsa Lindgren", "al20001")
CHIDI = student("Chidi Okoro", email="CHIDI@example.edu")
INES = student("", lms={"moodle": "71003"})


def filled(*results: Graded, text: str = MOODLE, **more: Any) -> Export:
    return FORMATS["moodle"](grades(*results, rubric=RUBRIC), options=wish(text.encode(), **more))


def data_of(export: Export) -> bytes:
    (data,) = export.files.values()
    return data


def read(export: Export) -> MoodleReader:
    return MoodleReader.of(data_of(export), language=ENGLISH)


def test_grades_stand_in_their_column_and_every_other_byte_stays() -> None:
    export = filled(handed_in("a", ASA, earned="26.5"), handed_in("b", CHIDI, earned="80"))

    assert read(export).grades == {71001: Fraction("26.5"), 71002: Fraction(80)}
    expected = MOODLE.replace("grading - ,,80.00,Yes", "grading - ,26.50,80.00,Yes")
    assert data_of(export).decode() == expected.replace("late,0.00,", "late,80.00,")


def test_a_german_worksheet_has_its_own_headers_and_decimal_mark() -> None:
    export = filled(handed_in("a", ASA, earned="26.5"), text=MOODLE_GERMAN)

    assert MoodleReader.of(data_of(export), language=GERMAN).grades == {71001: Fraction("26.5")}
    assert data_of(export).decode() == MOODLE_GERMAN.replace("abgegeben;;", "abgegeben;26,50;")
    assert "'Bewertung', before 'Bestwertung'" in export.notes[0]


def test_a_comma_between_cells_puts_a_decimal_comma_into_quotes() -> None:
    text = MOODLE_GERMAN.replace(",00", ".00").replace(";", ",").replace("80.00", '"80,00"')
    text = text.replace("3.00", '"3,00"')

    export = filled(handed_in("a", ASA, earned="26.5"), text=text)

    language = {**GERMAN, "mark": ","}
    assert MoodleReader.of(data_of(export), language=language).grades == {71001: Fraction("26.5")}


def test_who_waits_for_marks_has_an_empty_cell_which_moodle_skips() -> None:
    export = filled(handed_in("b", CHIDI, earned="26.5", pending="40"))

    assert read(export).grades == {}
    assert [line.reason for line in export.pending] == [
        "40 points are ungraded (the cell said 0.00)"
    ]


@pytest.mark.parametrize("text", [MOODLE, MOODLE_GERMAN])
def test_a_locked_row_stays_and_is_listed(text: str) -> None:
    locked = INES if text is MOODLE else CHIDI
    export = filled(handed_in("c", locked), text=text)

    assert data_of(export) == text.encode()
    assert [line.reason for line in export.left_out] == ["the grade is locked in Moodle"]


def test_more_than_moodle_takes_is_listed_not_written() -> None:
    export = filled(handed_in("a", ASA), text=MOODLE.replace("80.00", "50.00"))

    assert 71001 not in read(export).grades
    assert "80.00 is more than the 50" in export.left_out[0].reason
    assert "out of 50.00, the rubric out of 80" in export.notes[1]


def test_comments_go_only_where_nobody_wrote_and_only_if_asked_for() -> None:
    team = handed_in("a", ASA, CHIDI, earned="30", late=late("4"))

    without = filled(team)
    asked = filled(team, comments="feedback comments")

    assert read(without).comments == {71001: "", 71002: "<p>Kept</p>", 71003: ""}
    assert read(asked).comments == {
        71001: "30 of 80 points, after a late penalty of 4.",
        71002: "<p>Kept</p>",
        71003: "",
    }
    assert read(asked).grades[71001] == 26


def test_points_so_far_need_a_comment_that_says_so() -> None:
    half = handed_in("a", ASA, earned="26.5", pending="40")

    with pytest.raises(UsageError, match="--comments"):
        filled(half, so_far=True)
    export = filled(half, so_far=True, comments="Feedback comments")

    assert read(export).grades[71001] == Fraction("26.5")
    assert read(export).comments[71001] == (
        "So far, not final: 26.5 of 80 points; 40 points are ungraded."
    )


def test_points_so_far_are_not_written_where_the_comment_cannot_be() -> None:
    half = handed_in("b", CHIDI, earned="26.5", pending="40")

    export = filled(half, so_far=True, comments="Feedback comments")

    assert 71002 not in read(export).grades
    assert "comment" in export.left_out[0].reason


def test_an_anonymous_worksheet_is_matched_by_participant() -> None:
    head = "Identifier,Status,Grade,Maximum Grade,Grade can be changed\n"
    text = f"{head}Participant 71003,Sent,,80.00,Yes\n"

    export = filled(handed_in("c", INES), handed_in("a", ASA), text=text)

    assert data_of(export).decode() == text.replace("Sent,,", "Sent,80.00,")
    assert [line.label for line in export.left_out] == ["Åsa Lindgren (al20001)"]


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("Student,ID\nA,1\n", {}, "not a grading worksheet"),
        (MOODLE.partition("\n")[0], {}, "not a grading worksheet"),
        (MOODLE.replace("80.00", "good\nbad"), {}, "not a grading worksheet"),
        (MOODLE.replace("80.00", "good"), {}, "can't be told"),
        (MOODLE, {"column": "Points"}, "no column is called 'Points'"),
        (MOODLE, {"column": "Status"}, "can't be told"),
        (MOODLE, {"comments": "Notes"}, "no column is called 'Notes'"),
    ],
)
def test_a_worksheet_that_cannot_be_read_is_an_error(
    text: str, more: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        filled(handed_in("a", ASA), text=text, **more)

    assert said in str(error.value)


def test_without_a_worksheet_the_error_says_what_to_give() -> None:
    with pytest.raises(UsageError, match="--into"):
        FORMATS["moodle"](grades(rubric=RUBRIC), options=ExportOptions())
