from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

import pytest
import specimens
from hypothesis import given
from hypothesis import strategies as st
from specimen_assignment import rubric

from grader.exports import CsvRow, csv_rows, render_gradebook_csv
from grader.exports.gradebook_csv import COLUMNS, escape_formula
from grader.model import Graded, Score, Student

RUBRIC = rubric()
ITEMS = [item.id for item in RUBRIC.items]
Make = Callable[[], Graded]


def rows(results: Iterable[Graded]) -> list[CsvRow]:
    return [row for one in results for row in csv_rows(one, rubric=RUBRIC)]


def table(*makes: Make) -> list[dict[str, str]]:
    text = render_gradebook_csv(rows(make() for make in makes), rubric=RUBRIC)
    return list(csv.DictReader(io.StringIO(text)))


def score_of(graded: Graded) -> Score:
    assert graded.score is not None
    return graded.score


def test_the_header_is_the_promised_columns_then_one_an_item() -> None:
    head = render_gradebook_csv([], rubric=RUBRIC)
    promised = "submission,name,id,status,auto,marked,pending,blocked,total,late,final"
    assert head == promised + "," + ",".join(ITEMS) + "\n"
    assert ",".join(COLUMNS) == promised


def test_a_team_of_two_gives_two_rows_with_equal_points() -> None:
    one, two = table(specimens.full_marks)
    assert (one["name"], one["id"]) == ("Åsa Lindgren", "al20001")
    assert (two["name"], two["id"]) == ("Chidi Okoro", "co20002")
    assert {one["final"], two["final"], one["total"]} == {"80"}
    assert one["late"] == ""


def test_what_is_pending_is_an_empty_cell_and_leaves_total_and_final_empty() -> None:
    (row,) = table(specimens.half_right)
    assert row["status"] == "needs_marks"
    assert (row["auto"], row["marked"], row["pending"], row["blocked"]) == ("26.5", "0", "40", "10")
    assert (row["total"], row["late"], row["final"]) == ("", "", "")
    assert (row["Q1.1"], row["Q2.3.2"], row["V5"]) == ("", "3.5", "0")


def test_an_item_with_an_error_of_ours_is_an_empty_cell() -> None:
    (row,) = table(specimens.with_our_error)
    assert (row["V6"], row["V5"], row["pending"]) == ("", "5", "45")


def test_an_ungradable_row_has_empty_numbers_and_never_a_zero() -> None:
    (row,) = table(specimens.ungradable)
    assert (row["submission"], row["status"]) == ("broken", "ungradable")
    assert {row[key] for key in row if key not in {"submission", "status"}} == {""}


def test_a_submission_that_names_nobody_gives_one_row() -> None:
    (row,) = table(lambda: replace(specimens.half_right(), students=()))
    assert (row["name"], row["id"], row["auto"]) == ("", "", "26.5")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'=1"),
        ("\t=1", "'=1"),
        ("\tAda", "'Ada"),
        ("\rAda", "'Ada"),
        ("\u200b=1", "'\u200b=1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\x00=1", "'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("Zoë Núñez-Ó", "Zoë Núñez-Ó"),
        ("Ada\nB\x1b[31m", "Ada B[31m"),
        ("a=1", "a=1"),
        ("", ""),
        ("\ud800", "\ufffd"),
    ],
)
def test_a_text_cell_never_runs_as_a_formula(text: str, cell: str) -> None:
    assert escape_formula(text) == cell


@given(st.text())
def test_whatever_a_name_is_the_gradebook_stays_one_row_that_runs_nothing(name: str) -> None:
    named = replace(specimens.ungradable(), students=(Student(name=name, id=name),))
    text = render_gradebook_csv(rows([named]), rubric=RUBRIC)
    _, row = list(csv.reader(io.StringIO(text)))
    assert len(row) == len(COLUMNS) + len(ITEMS)
    assert not re.match(r"\s*[=+\-@\t\r]", row[1])
    assert text.encode("utf-8").count(b"\n") == 2


def test_the_gradebook_survives_hostile_words() -> None:
    (row,) = table(specimens.hostile)
    assert row["name"].startswith("Inès Moreau<script>")
    assert "\x1b" not in row["name"]


def test_the_item_columns_add_up_to_what_was_earned() -> None:
    (row,) = table(specimens.half_right)
    added = sum(Fraction(row[item]) for item in ITEMS if row[item])
    assert added == score_of(specimens.half_right()).total.earned
