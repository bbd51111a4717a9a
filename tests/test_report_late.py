"""What pages say of lateness: apart from the points, and nobody's extension to anybody else."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from course_people import DUE, RULE
from page_reader import Page, squeezed
from specimen_assignment import rubric
from specimens import full_marks, half_right, ungradable

from grader import scoring
from grader.model import Graded, Lateness
from grader.report import class_page, class_row, student_page
from grader.report.id_masking import mask_id, mask_ids
from grader.report.lateness_view import format_time

RUBRIC = replace(rubric(), late=RULE)
LATE = Lateness(
    due=DUE,
    at="2026-11-22T09:14:30-06:00",
    late_s=119730,
    days=2,
    deduction=None,
    per_day=Fraction(10),
    unit="percent",
    cap=Fraction(50),
)
ON_TIME = replace(LATE, at="2026-11-20T21:05:00-06:00", late_s=0, days=0)
EXTENDED = replace(ON_TIME, due="2026-11-27T23:59:00-06:00")


def with_lateness(graded: Graded, *lateness: Lateness | None) -> Graded:
    return scoring.with_late_deductions(replace(graded, lateness=lateness))


def words(graded: Graded, *lateness: Lateness | None) -> str:
    page = student_page(with_lateness(graded, *lateness), rubric=RUBRIC)
    return squeezed(Page(page))


def test_a_page_says_how_late_and_what_remains_beside_the_points() -> None:
    said = words(full_marks(), LATE, LATE)

    assert "64 of 80 points Grading is complete." in said
    assert "80 points earned, \u221216 points for being 2 days late." in said
    assert "\u221216 points: final score 64 of 80." in said
    assert "Due 20 Nov 2026, 23:59 (UTC\u221206:00)" in said
    assert "Submitted 22 Nov 2026, 09:14:30 (UTC\u221206:00)" in said
    assert "Late penalty per day or part of a day 10 % of what was earned, at most 50 %" in said


def test_what_is_not_known_yet_is_no_number() -> None:
    said = words(half_right(), LATE)

    assert "2 days late. The late penalty will be known when grading is complete." in said
    assert "final score " not in said


def test_points_that_will_be_taken_are_said_before_the_sum_is_known() -> None:
    said = words(half_right(), replace(LATE, unit="points", cap=None))

    assert "\u221220 points will be deducted when grading is complete." in said
    assert "Late penalty per day or part of a day 10 points" in said


@pytest.mark.parametrize(
    ("lateness", "said"),
    [
        (ON_TIME, "Submitted on time"),
        (replace(ON_TIME, at="2026-11-21T00:05:00-06:00"), "Submitted within the grace period"),
        (
            replace(LATE, at="", days=0, late_s=0),
            "The time of submission is unknown: a person will look at it.",
        ),
    ],
)
def test_the_other_cases_have_words_of_their_own(lateness: Lateness, said: str) -> None:
    assert said in words(full_marks(), lateness, lateness)


def test_without_a_due_date_or_a_time_nothing_is_said() -> None:
    for said in (words(full_marks()), words(full_marks(), None, None)):
        assert not [word for word in ("late", "Due", "on time") if f" {word} " in said]


def test_a_team_learns_of_nobodys_extension() -> None:
    late, early = words(full_marks(), LATE, EXTENDED), words(full_marks(), ON_TIME, EXTENDED)

    assert "Your course staff tells each of you the late penalty" in late
    assert "80 of 80 points" in late
    assert "Submitted on time" in early
    for said in (late, early):
        assert not [word for word in ("27 Nov", "Due", "extension", "64") if word in said]


def test_what_cannot_be_graded_says_when_it_came_and_takes_nothing() -> None:
    said = words(ungradable(), LATE)

    assert "2 days late" in said
    assert "\u2212" not in said.replace("UTC\u2212", "")


def test_ids_are_hidden_from_students_but_for_their_end() -> None:
    graded = replace(
        full_marks(),
        submission=replace(
            full_marks().submission, name="hw-AL20001-final", display_path="hw/AL20001_hw5.ipynb"
        ),
    )
    hidden = student_page(graded, rubric=RUBRIC)
    shown = student_page(graded, rubric=RUBRIC, show_ids=True)

    assert "al20001" not in hidden.lower()
    assert "\u2022\u2022\u202201" in hidden
    assert "hw-\u2022\u2022\u202201-final" in hidden
    assert "<dd>\u2022\u2022\u202201_hw5.ipynb</dd>" in hidden
    assert "al20001" in shown
    assert [mask_id(mark) for mark in ("", "7", "71", "712")] == [
        "",
        "\u2022\u2022\u2022",
        "\u2022\u2022\u2022",
        "\u2022\u2022\u202212",
    ]


@pytest.mark.parametrize(
    ("student_id", "name"),
    [
        ("ab12", "hw-\u2022\u2022\u202212-final"),
        ("ab123", "hw-\u2022\u2022\u202223-final"),
        ("ab1", "hw-ab1-final"),
    ],
)
def test_an_id_of_four_letters_is_hidden_in_a_name_and_a_shorter_one_is_a_word(
    student_id: str, name: str
) -> None:
    made = full_marks()
    student = replace(made.students[0], id=student_id)
    submission = replace(made.submission, name=f"hw-{student_id.upper()}-final")
    shown = mask_ids(replace(made, students=(student,), submission=submission)).submission.name

    assert shown.lower() == name


def test_the_report_of_several_notebooks_names_each_file() -> None:
    made = full_marks()
    parts = {
        part: replace(made.submission, display_path=f"al20001/{part}.ipynb") for part in ("a", "b")
    }
    graded = replace(made, submission=replace(made.submission, parts=parts))

    assert "<dd>a.ipynb, b.ipynb</dd>" in student_page(graded, rubric=RUBRIC)


def test_staff_see_each_member() -> None:
    rows = [
        class_row(with_lateness(full_marks(), LATE, EXTENDED)),
        class_row(with_lateness(half_right(), None)),
    ]
    said = squeezed(Page(class_page(rows, rubric=RUBRIC)))

    assert "6480 80 0 0 2 days, \u221216on time graded" in said
    assert "pending 26.5 40 10 time unknown to grade" in said
    assert "Late" not in squeezed(Page(class_page([class_row(full_marks())], rubric=rubric())))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-01T07:05:00+05:45", "1 Mar 2026, 07:05 (UTC+05:45)"),
        ("2026-03-01T07:05:09Z", "1 Mar 2026, 07:05:09 (UTC)"),
    ],
)
def test_a_moment_is_said_with_its_offset(text: str, said: str) -> None:
    assert format_time(text) == said


def test_the_class_page_counts_final_scores_and_days_late_by_student() -> None:
    rows = [
        class_row(with_lateness(full_marks(), LATE, EXTENDED)),
        class_row(with_lateness(full_marks(), LATE)),
        class_row(with_lateness(half_right(), None)),
    ]
    rows[1] = replace(rows[1], days_late=rows[1].days_late * 2)  # a team, late as one
    page = Page(class_page(rows, rubric=RUBRIC))
    final, _, late, *_ = [str(svg["aria-label"]) for svg in page.named("svg")]

    assert "64 to 72 points: 3" in final
    assert "72 to 80 points: 1" in final
    assert late == "on time: 1; 1 day late: 0; 2 days late: 3; time unknown: 1"
