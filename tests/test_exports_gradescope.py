"""Results as Gradescope's harness reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import downloads
import pytest
import specimens
from specimen_assignment import rubric

from grader.exports import FORMATS, Export, ExportOptions
from grader.model import Graded, Mark, Verdict

RUBRIC = rubric()
HIDDEN = "independent of C1"
"""Of the title of a check that students can't run themselves."""


def export(*results: Graded) -> Export:
    return FORMATS["gradescope"](downloads.grades(*results, rubric=RUBRIC), options=ExportOptions())


def read(graded: Graded) -> tuple[Fraction | None, dict[str, Any]]:
    (data,) = export(graded).files.values()
    return downloads.gradescope(data)


@pytest.mark.parametrize("make", specimens.ALL)
def test_every_result_is_in_the_documented_form(make: Callable[[], Graded]) -> None:
    read(make())


def test_the_score_is_that_of_automatic_items() -> None:
    half, _ = read(specimens.half_right())
    full, whole = read(specimens.full_marks())

    assert half == Fraction("26.5")
    assert full == 40
    scored = [Fraction(str(t["score"])) for t in whole["tests"] if "score" in t]
    assert sum(scored) == 40


def test_a_written_answer_has_no_number_and_says_who_reads_it() -> None:
    _, whole = read(specimens.half_right())

    (answer,) = [test for test in whole["tests"] if test["number"] == "Q1.1"]
    assert not {"score", "max_score", "status"} & set(answer)
    assert "A person grades this answer" in answer["output"]
    assert "8 written answers (40 points) are read by a person" in whole["output"] or re.search(
        r"\d+ written answers \(40 points\) are read by a person", whole["output"]
    )


def test_checks_that_are_not_public_wait_until_grades_are_published() -> None:
    _, whole = read(specimens.half_right())

    shown = [test for test in whole["tests"] if test["visibility"] == "visible"]
    assert HIDDEN in " ".join(test["name"] for test in whole["tests"])
    assert not any(HIDDEN in str(test) for test in shown)
    assert whole["stdout_visibility"] == "hidden"


def test_what_is_shown_at_once_does_not_tell_the_sum() -> None:
    """Else hidden inputs could be felt for by handing in again and again."""
    outputs = {read(make())[1]["output"] for make in (specimens.half_right, specimens.full_marks)}

    assert {output.partition("\n")[0] for output in outputs} == {
        "Checks of your code are worth 40 points."
    }
    assert not any("26.5" in output for output in outputs)


@pytest.mark.parametrize("make", [specimens.with_our_error, specimens.ungradable])
def test_without_a_score_there_is_none_anywhere_and_a_person_is_asked(
    make: Callable[[], Graded],
) -> None:
    score, whole = read(make())

    assert score is None
    assert not any("score" in test for test in (whole, *whole["tests"]))
    assert "person" in whole["output"]
    assert len(export(make()).left_out) == 1


def test_a_mark_in_the_place_of_findings_is_what_counts() -> None:
    full = specimens.full_marks()
    assert full.score is not None
    mark = Mark(points=Fraction(1), by="staff-7", at="2031-04-09", reason="Read by hand.")
    items = tuple(
        replace(item, mark=mark, earned=Fraction(1), verdict=Verdict.PARTIAL)
        if item.item.id == "V6"
        else item
        for item in full.score.items
    )

    score, whole = read(replace(full, score=replace(full.score, items=items)))

    assert score == 36
    (test,) = [test for test in whole["tests"] if test["number"] == "V6"]
    assert (test["score"], test["visibility"]) == (1, "after_published")
    assert "Read by hand." in test["output"]


def test_no_name_and_no_id_of_a_student_is_sent_along() -> None:
    (data,) = export(specimens.half_right()).files.values()

    assert "im20003" not in data.decode()
    assert "Moreau" not in data.decode()


def test_each_submission_has_a_file_of_its_own() -> None:
    assert set(export(specimens.half_right(), specimens.ungradable()).files) == {
        "moreau.json",
        "broken.json",
    }
