"""Automatic items that need a person: by notebook, with what failed, decided at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from console_course import NAMES, Course, Visitor, course, handed_in

from grader.gradebook import ledger
from grader.model import Graded, Verdict
from grader.report.text_format import format_number

MINE = "Follows from an earlier mistake."


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    with course(tmp_path) as one:
        yield one


def given(made: Course) -> dict[tuple[str, str], Fraction]:
    return {key: mark.points for key, mark in ledger.current_marks(made.book).items()}


def address(made: Course, name: str) -> str:
    return f"/waiting/{made.ready.console.answer_index.submission(name).code}"


def members(visitor: Visitor) -> list[str]:
    return re.findall(r'name="member" value="([^"]+)" checked', visitor.page)


def test_the_queue_is_by_notebook_with_the_error_itself_and_no_name(made: Course) -> None:
    visitor = made.visitor().go("/waiting")
    assert sorted(re.findall(r">(Notebook \d)<", visitor.page)) == [
        f"Notebook {n}" for n in range(1, 1 + len(NAMES))
    ]
    assert "TypeError: cosine_similarity()" in visitor.page
    visitor.go(address(made, "ada"))
    assert "Cell In [5]: <bdi>TypeError" in visitor.page
    assert "----&gt; 6 sim = cosine_similarity" in visitor.page
    assert "Blocked by Q2.3.0 (B1 is independent of C1, cell In [2])</bdi>" in visitor.page
    assert f'href="/mark/Q2.3.0/{made.code("ada", "Q2.3.0")}"' in visitor.page
    assert "Secret" not in visitor.page
    visitor.send("/names", here=visitor.at)
    assert "Ada Secret" in visitor.page


@pytest.mark.parametrize(("share", "points"), [("none", 0), ("half", Fraction(5, 2)), ("all", 5)])
def test_one_decision_holds_for_a_notebook_and_is_undone_at_once(
    made: Course, share: str, points: Fraction
) -> None:
    visitor = made.visitor().go(address(made, "ada"))
    here = visitor.at
    assert len(members(visitor)) == 2
    visitor.send(here, member=members(visitor), share=share, reason=MINE)

    assert given(made) == {("ada", "V5"): points, ("ada", "V6"): points}
    marks = ledger.current_marks(made.book)
    assert {mark.reason for mark in marks.values()} == {MINE}
    assert visitor.at.startswith("/waiting")
    assert visitor.at != here
    assert "Graded 2 items of notebook" in visitor.page
    assert f"V5 {format_number(points)}, V6 {format_number(points)} points" in visitor.page
    visitor.send("/undo", here="/")
    assert (visitor.at, given(made)) == (here, {})


def test_what_is_not_selected_or_changed_or_decided_is_left_alone(made: Course) -> None:
    visitor = made.visitor().go(address(made, "ada"))
    here, (first, second) = visitor.at, members(visitor)
    code, _, digest = first.partition(" ")
    for member in ((), (f"{code} another",), (f"{made.code('ben', 'V5')} {digest}",)):
        visitor.go(here).send(here, member=member, share="all", reason=MINE)
        assert visitor.status == 422
    visitor.go(here).send(here, member=(second,), share="all", reason=MINE)
    assert given(made) == {("ada", "V6"): 5}
    visitor.go(here).send(here, member=(first, second), share="none", reason=MINE)
    assert given(made) == {("ada", "V5"): 0, ("ada", "V6"): 5}
    assert "Everything here is decided" in visitor.go(here).page


@pytest.mark.parametrize(
    "sent", [{"reason": MINE}, {"share": "x", "reason": MINE}, {"share": "all"}]
)
def test_a_slip_decides_nothing_and_keeps_what_was_typed(
    made: Course, sent: dict[str, str]
) -> None:
    visitor = made.visitor().go(address(made, "ada"))
    ticked = members(visitor)
    visitor.send(visitor.at, member=ticked[:1], **sent)

    assert (visitor.status, given(made)) == (422, {})
    assert members(visitor) == ticked[:1]
    assert "data-dirty" in visitor.page
    if "reason" in sent:
        assert MINE in visitor.page


def judged_in_part(graded: Graded) -> Graded:
    """Let the first check of V5 pass, and the second fail by a fault of ours."""
    assert graded.score is not None
    items = []
    for one in graded.score.items:
        findings = list(one.findings)
        if one.item.id == "V5":
            passed = replace(findings[0], verdict=Verdict.PASSED, earned=findings[0].possible)
            ours = replace(findings[1], verdict=Verdict.ERROR, found="<b>KeyError</b> of ours")
            findings[:2] = [passed, ours]
        items.append(replace(one, findings=tuple(findings)))
    return replace(graded, score=replace(graded.score, items=tuple(items)))


def test_points_that_checks_gave_stay_and_only_the_rest_is_shared(tmp_path: Path) -> None:
    with course(tmp_path, submissions=[judged_in_part(handed_in("ada"))]) as made:
        visitor = made.visitor().go(address(made, "ada"))
        assert "2.5 of 5 points by the autograder; 2.5 points not evaluated" in visitor.page
        assert "&lt;b&gt;KeyError&lt;/b&gt; of ours" in visitor.page
        visitor.send(visitor.at, member=members(visitor), share="half", reason=MINE)

        assert given(made)["ada", "V5"] == Fraction(15, 4)
