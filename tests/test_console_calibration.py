"""Calibration: who chose what and why is shown at the end, and may become the grade."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from console_course import Course, Visitor, course

from grader.gradebook import NewMark, calibration, ledger
from grader.web.answer_index import IndexedAnswer


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    with course(tmp_path) as one:
        one.visitor().go("/trial/Q1.1").send("/trial/Q1.1", count="2")
        yield one


def answers(made: Course) -> list[IndexedAnswer]:
    index = made.ready.console.answer_index
    names = calibration.chosen_submissions(made.book, "Q1.1")
    return [index.submission(name).answers["Q1.1"] for name in names]


def kim_gives(made: Course, *criteria: str, adjustment: int = 0, why: str = "") -> None:
    for answer in answers(made):
        mark = NewMark(
            submission=answer.submission,
            item="Q1.1",
            answer_digest=answer.digest,
            by="Kim",
            criteria=criteria,
            adjustment=Fraction(adjustment),
            comment=why,
        )
        calibration.save_calibration_mark(made.book, mark)


def mo_gives(made: Course, *criteria: str, why: str = "") -> Visitor:
    visitor = made.visitor()
    for answer in answers(made):
        visitor.go(f"/trial/Q1.1/{answer.code}").mark(*criteria, comment=why)
    return visitor.go("/trial/Q1.1")


def given(made: Course) -> dict[str, tuple[Fraction, str, str]]:
    marks = ledger.current_marks(made.book, "Q1.1").items()
    return {name: (mark.points, mark.by, mark.comment) for (name, _), mark in marks}


def rows(page: str) -> list[str]:
    text = re.sub(r"<[^>]+>", " ", page.partition("Who chose what")[2])
    return re.sub(r"\s+", " ", text).split("Answer ")[1:]


def test_who_chose_what_and_why_shows_when_one_has_given_all(made: Course) -> None:
    kim_gives(made, "why", adjustment=1, why="It names the *gradient*.")
    hidden = made.visitor().go("/trial/Q1.1").page
    assert "Kim" not in hidden
    assert "gradient" not in hidden
    assert "Who chose what" not in hidden

    page = mo_gives(made, "what", why="No reason given.").page
    first, _ = rows(page)
    assert "Kim Mo Says what +3 not met &#10003; met Says why +2 &#10003; met not met" in first
    assert "Point adjustment +1 &ndash; Score 3 3 Why It names the gradient . No reason" in first
    assert "<em>gradient</em>" in page
    assert "All graders chose the same" not in page


def test_what_all_agree_on_becomes_the_grade_at_once_and_is_undone_at_once(made: Course) -> None:
    kim_gives(made, "what", why="For Mo only.")
    visitor = mo_gives(made, "what")
    assert "All graders chose the same for 2 ungraded answers." in visitor.page
    form = visitor.page.partition('class="agreed"')[2].partition("</form>")[0]
    members = re.findall(r'name="member" value="(\w+)"', form)
    visitor.send("/adopt/Q1.1", grader="Mo", member=members)

    assert sorted(given(made)) == sorted(answer.submission for answer in answers(made))
    assert set(given(made).values()) == {(Fraction(3), "Mo", "")}
    assert "Use as grade" not in visitor.page
    visitor.send("/undo", here="/")
    assert given(made) == {}


def test_one_grader_s_choice_becomes_another_s_grade_without_the_talk(made: Course) -> None:
    kim_gives(made, "why", adjustment=1, why="Between us.")
    visitor = mo_gives(made, "what")
    one, other = answers(made)
    visitor.send("/adopt/Q1.1", grader="Kim", member=one.code)
    assert given(made) == {one.submission: (Fraction(3), "Mo", "")}
    visitor.send("/adopt/Q1.1", grader="Mo", member=(one.code, other.code))
    assert given(made)[one.submission] == (Fraction(3), "Mo", "")  # who is graded stays so
    assert ledger.current_marks(made.book, "Q1.1")[one.submission, "Q1.1"].criteria == ("why",)
    assert len(given(made)) == 2


def test_nothing_is_taken_over_by_who_has_not_given_all_or_of_an_older_answer(
    made: Course,
) -> None:
    kim_gives(made, "why")
    visitor = made.visitor().go("/trial/Q1.1")
    members = [answer.code for answer in answers(made)]
    assert visitor.send("/adopt/Q1.1", grader="Kim", member=members).status == 403
    visitor = mo_gives(made, "what")
    for answer in answers(made):
        older = NewMark(submission=answer.submission, item="Q1.1", answer_digest="older", by="Kim")
        calibration.save_calibration_mark(made.book, older)
    visitor.send("/adopt/Q1.1", grader="Kim", member=members)
    visitor.send("/adopt/Q1.1", grader="Nobody", member=members)
    assert given(made) == {}
