"""One column of a gradebook from Canvas, and not a byte of another."""

from __future__ import annotations

import csv
import io
from fractions import Fraction

import pytest
from downloads import CANVAS, CanvasReader, grades, handed_in, late, student, wish
from hypothesis import given, settings
from hypothesis import strategies as st
from specimen_assignment import rubric

from grader.errors import UsageError
from grader.exports import FORMATS, Export
from grader.model import Graded

RUBRIC = rubric()
COLUMN = "HW 5 (412)"
ASA = student("Åsa Lindgren", "al20001")
CHIDI = student("Chidi Okoro", "co20002")
INES = student("Inès Moreau", "im20003")
REN = student("Ren Tanaka", "rt20004")


def filled(
    *results: Graded, text: str = CANVAS, column: str = COLUMN, so_far: bool = False
) -> Export:
    asked = wish(text.encode(), column=column, so_far=so_far)
    return FORMATS["canvas"](grades(*results, rubric=RUBRIC), options=asked)


def data_of(export: Export) -> bytes:
    (data,) = export.files.values()
    return data


def told(export: Export) -> dict[str, str]:
    return {line.label: line.reason for line in (*export.pending, *export.left_out)}


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def test_final_points_stand_in_the_column_with_two_decimals() -> None:
    export = filled(handed_in("team", ASA, CHIDI, earned="53/2"))

    scores = CanvasReader.of(data_of(export)).scores
    assert (scores["9001", "412"], scores["9002", "412"]) == ("26.50", "26.50")
    assert export.left_out == ()


def test_every_other_byte_stays() -> None:
    export = filled(handed_in("a", ASA, earned="26.5"), handed_in("b", CHIDI, earned="1/3"))

    expected = CANVAS.replace("44.50,,89.00", "44.50,26.50,89.00").replace(
        "12.00,0.00,24.00", "12.00,0.33,24.00"
    )
    assert data_of(export).decode() == expected
    assert "'HW 5 (412)'" in export.summary


def test_a_sum_above_a_thousand_has_no_separator() -> None:
    export = filled(handed_in("a", ASA, earned="1234.5"))

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == "1234.50"


def test_who_waits_for_marks_gets_an_empty_cell_even_where_a_number_stood() -> None:
    export = filled(handed_in("b", CHIDI, earned="26.5", pending="40"))

    assert CanvasReader.of(data_of(export)).scores["9002", "412"] == ""
    assert told(export) == {"Chidi Okoro (co20002)": "40 points are ungraded (the cell said 0.00)"}


def test_who_could_not_be_graded_is_left_alone_and_listed() -> None:
    export = filled(handed_in("broken", INES, earned=None))

    assert data_of(export) == CANVAS.encode()
    assert "could not be graded" in told(export)["Inès Moreau (im20003)"]


def test_points_are_those_after_the_late_deduction_and_never_below_nothing() -> None:
    export = filled(
        handed_in("a", ASA, earned="26.5", late=late("4")),
        handed_in("b", CHIDI, earned="3", late=late("10")),
        handed_in("c", INES, earned="50", late=late(None)),
    )

    scores = CanvasReader.of(data_of(export)).scores
    assert (scores["9001", "412"], scores["9002", "412"]) == ("22.50", "0.00")
    assert scores["9003", "412"] == ""
    assert "late penalty" in told(export)["Inès Moreau (im20003)"]


def test_who_is_excused_or_was_not_given_the_work_stays_so() -> None:
    text = CANVAS.replace('al20001,al20001,"M 1, early",44.50,,', "al20001,al20001,M,44.50,N/A,")
    export = filled(handed_in("d", REN), handed_in("a", ASA), text=text)

    assert data_of(export) == text.encode()
    assert set(told(export)) == {"Ren Tanaka (rt20004)", "Åsa Lindgren (al20001)"}


@pytest.mark.parametrize(
    "whose",
    [
        student("", lms={"canvas": "9001"}),
        student("Somebody Else", lms={"canvas": "9001"}),
        student("", "AL20001"),
        student("Åsa Lindgren"),
        student("åsa  LINDGREN"),
        student("Lindgren, Åsa"),
        student("A\u030asa Lindgren"),
        student("Asa Lindgren", "al20001"),
    ],
    ids=str,
)
def test_a_student_is_found_by_id_login_or_name(whose: object) -> None:
    export = filled(handed_in("a", whose))  # type: ignore[arg-type]  # a Student, named by its repr

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == "80.00"


@pytest.mark.parametrize(
    ("whose", "why"),
    [
        (student("Asa Lindgren"), "is not in the file"),
        (student("Åsa", ""), "is not in the file"),
        (student("Nobody Known", "zz1"), "is not in the file"),
        (student("", ""), "names no student"),
        (student("Åsa Lindgren", "co20002"), "the names have nothing in common"),
        (student("Chidi Okoro", "co20002", lms={"canvas": "9001"}), "different rows"),
    ],
    ids=str,
)
def test_nobody_is_guessed(whose: object, why: str) -> None:
    export = filled(handed_in("a", whose))  # type: ignore[arg-type]  # a Student, named by its repr

    assert data_of(export) == CANVAS.encode()
    assert [line.reason for line in export.left_out if why in line.reason] != []


def test_a_name_is_not_enough_for_an_id_that_says_otherwise() -> None:
    """A namesake in another section: the id of one of ours is not in this file."""
    export = filled(handed_in("a", student("Åsa Lindgren", "al99999")), handed_in("b", CHIDI))

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == ""
    assert "the id is not" in told(export)["Åsa Lindgren (al99999)"]


def test_ids_of_another_kind_than_the_files_do_not_stand_in_the_way_of_names() -> None:
    export = filled(handed_in("a", student("Åsa Lindgren", "1001")))

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == "80.00"


def test_namesakes_are_told_apart_by_id_or_not_at_all() -> None:
    twins = CANVAS.replace("Okoro, Chidi", "Lindgren, Åsa")
    export = filled(handed_in("a", student("Åsa Lindgren")), text=twins)

    assert data_of(export) == twins.encode()
    assert "more than one" in told(export)["Åsa Lindgren"]


def test_a_student_in_two_submissions_gets_neither() -> None:
    export = filled(handed_in("first", ASA), handed_in("second", ASA, earned="10"))

    assert data_of(export) == CANVAS.encode()
    assert "first, second" in export.left_out[0].reason


def test_who_is_in_the_file_alone_is_named_in_a_note() -> None:
    export = filled(handed_in("a", ASA))

    assert "not among the submissions (4): Okoro, Chidi; Moreau" in export.notes[0]


@pytest.mark.parametrize("column", ["HW 5 (412)", "412", "HW 5"])
def test_the_column_is_named_by_header_title_or_number(column: str) -> None:
    export = filled(handed_in("a", ASA), column=column)

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == "80.00"


def test_the_rubrics_title_finds_its_column() -> None:
    text = CANVAS.replace("HW 5 (412)", f"{RUBRIC.title.upper()} (412)")

    export = filled(handed_in("a", ASA), column="", text=text)

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == "80.00"


@pytest.mark.parametrize("title", ["HW 5", "hw5", "HW5"])
def test_a_title_in_short_or_the_rubrics_id_finds_it_too(title: str) -> None:
    text = CANVAS.replace("HW 5 (412)", f"{title} (412)")

    export = filled(handed_in("a", ASA), column="", text=text)

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == "80.00"


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("HW 6", CANVAS, "HW 4 (411)"),
        ("", CANVAS.replace("HW 5", "Homework five"), "name one with --column"),
        ("HW 4", CANVAS.replace("HW 5", "HW 4"), "several columns"),
        ("HW 5", CANVAS.replace("HW 5 (412)", "HW 5"), "no column"),
        ("412", CANVAS.replace("HW 5 (412)", "Final Score (412)"), "no column"),
        (COLUMN, CANVAS.replace("50.00,80.00", "50.00,(read only)"), "read only"),
        (COLUMN, "Name,Points\nA,1\n", "is not a gradebook of Canvas"),
        (COLUMN, "", "empty"),
    ],
)
def test_a_column_that_cannot_be_told_is_an_error(column: str, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        filled(handed_in("a", ASA), column=column, text=text)

    assert said in str(error.value)


def test_without_a_file_the_error_says_what_to_give() -> None:
    from grader.exports import ExportOptions  # noqa: PLC0415 - the only test that asks for nothing

    with pytest.raises(UsageError, match="--into"):
        FORMATS["canvas"](grades(rubric=RUBRIC), options=ExportOptions())


def test_other_points_possible_are_noted() -> None:
    text = CANVAS.replace("50.00,80.00", "50.00,100.00")

    export = filled(handed_in("a", ASA), text=text)

    assert "out of 100.00, the rubric out of 80" in export.notes[0]


def test_points_so_far_go_only_where_the_header_says_so() -> None:
    half = handed_in("a", ASA, earned="26.5", pending="40", late=late("4"))

    with pytest.raises(UsageError, match="nobody could tell"):
        filled(half, so_far=True)
    text = CANVAS.replace("HW 5 (412)", "HW 5 so far (412)")
    export = filled(half, text=text, column="412", so_far=True)

    assert CanvasReader.of(data_of(export)).scores["9001", "412"] == "22.50"
    assert [line.reason for line in export.pending] == ["40 points are ungraded"]


def test_semicolons_a_mark_and_names_in_two_columns_are_kept() -> None:
    text = (
        "\ufeffLastName;FirstName;ID;SIS Login ID;Section;HW 5 (412)\n"
        "    Points Possible;;;;;80,00\n"
        "Lindgren;Åsa;9001;asa;M 1;\n"
    )

    export = filled(handed_in("a", student("Åsa Lindgren"), earned="26.5"), text=text)

    assert data_of(export).decode() == text.replace("M 1;\n", "M 1;26.50\n")


def test_a_cell_that_a_spreadsheet_would_run_is_left_to_canvas() -> None:
    """It is theirs, byte for byte; what we write is a number."""
    assert b",=1+1," in data_of(filled(handed_in("a", ASA)))


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)


@settings(deadline=None)
@given(
    st.lists(st.tuples(NAMES, NAMES, st.fractions(0, 100) | st.none()), min_size=1, max_size=5),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_whatever_stands_in_the_file_only_the_column_changes(
    people: list[tuple[str, str, Fraction | None]], line: str, quoting: int
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=line, quoting=quoting)  # type: ignore[arg-type]  # one of its constants
    writer.writerow(["Student", "ID", "SIS Login ID", "Section", "HW 5 (412)", "Note"])
    for place, (name, note, _) in enumerate(people):
        writer.writerow([name, 100 + place, f"login{place}", "M 1", "", note])
    text = written.getvalue()
    results = [
        handed_in(f"s{place}", student("", lms={"canvas": str(100 + place)}), earned=str(points))
        for place, (_, _, points) in enumerate(people)
        if points is not None
    ]

    after = cells(data_of(filled(*results, text=text)))

    before = cells(text.encode())
    expected = [row[:] for row in before]
    for row in expected[1:]:
        name, _, points = people[int(row[1]) - 100]
        if points is not None and "Points Possible" not in name:
            hundredths = (points.numerator * 200 + points.denominator) // (2 * points.denominator)
            row[4] = f"{hundredths // 100}.{hundredths % 100:02}"
    assert after == expected
