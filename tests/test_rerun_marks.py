"""Running again, judging again, another notebook, another rubric: marks outlive them all."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import tiny_course

from grader.folder import OutputFolder
from grader.gradebook import NewMark, answer_digest, ledger, open_gradebook
from grader.gradebook.ledger import add_mark

pytestmark = pytest.mark.kernel

PROMPT = "Why do the two vectors point the same way?"
WRITTEN = f'''
[[item]]
id = "W"
title = "Why"
points = 3
kind = "written"
source = "handout"
prompt = """
{PROMPT}"""

[[item.criterion]]
id = "noise"
text = "One is the other and a little noise"
points = 3
'''


@pytest.fixture
def course(tmp_path: Path) -> tiny_course.Course:
    made = tiny_course.made(tmp_path / "course")
    write_rubric(made)
    hand_in(made)
    place = made.root / "reference" / "tiny.ipynb"
    place.write_text(json.dumps(notebook("")), encoding="utf-8")
    made.grade()
    return made


def write_rubric(course: tiny_course.Course, *, name: str = "W", noise: int = 2) -> None:
    course.rubric(noise=noise, vectors=4 - noise)
    place = course.root / "rubrics" / "tiny.toml"
    text = place.read_text(encoding="utf-8").replace("total = 10", "total = 13")
    place.write_text(text + WRITTEN.replace('id = "W"', f'id = "{name}"'), encoding="utf-8")


def notebook(wrote: str, *, last: str = "print('done')") -> dict[str, Any]:
    sources = (*(s.format(scale=0.5, number=0) for s in tiny_course.SOLUTION[:3]), last)
    made = tiny_course.notebook(*sources)
    text = {
        "cell_type": "markdown",
        "id": "asked",
        "metadata": {},
        "source": f"{PROMPT}\n\n{wrote}",
    }
    return {**made, "cells": [text, *made["cells"]]}


def hand_in(course: tiny_course.Course, wrote: str = "There is little noise.", **of: str) -> None:
    place = course.root / "submissions" / "ada.ipynb"
    place.write_text(json.dumps(notebook(wrote, **of)), encoding="utf-8")


def mark(course: tiny_course.Course, item: str = "W", **changes: Any) -> None:
    with open_gradebook(OutputFolder(course.out).store) as book:
        answer = answer_digest(book.graded("ada"), item)
        add_mark(
            book,
            NewMark(submission="ada", item=item, answer_digest=answer, by="Mo", **changes),
            expected_current=None,
        )


def item(course: tiny_course.Course, name: str = "W") -> dict[str, Any]:
    """An item as the result of Ada's file says."""
    items: list[dict[str, Any]] = json.loads(course.results()["ada"])["items"]
    return next(one for one in items if one["id"] == name)


def orphans(course: tiny_course.Course) -> list[str]:
    with open_gradebook(OutputFolder(course.out).store) as book:
        return [orphan.item for orphan in ledger.orphaned_marks(book)]


def test_a_mark_shows_after_the_next_run_which_runs_nothing(course: tiny_course.Course) -> None:
    mark(course, criteria=("noise",), comment="So it is.")

    _, told = course.grade()

    assert "kept 1 submission" in told
    assert item(course)["mark"]["points"] == 3
    assert "So it is." in (course.out / "reports" / "ada.html").read_text(encoding="utf-8")
    assert (course.out / "gradebook.csv").read_text(encoding="utf-8").splitlines()[1].endswith(",3")


def test_neither_running_nor_judging_again_loses_a_mark_or_calls_it_a_change(
    course: tiny_course.Course,
) -> None:
    mark(course, points=Fraction(2))
    mark(course, "B", points=Fraction(1), reason="It was late at night.")
    course.grade("--force")
    forced = item(course), item(course, "B")

    _, told = course.grade(command="again")

    assert "no score changed" in told
    assert (item(course), item(course, "B")) == forced
    assert forced[0]["earned"] == 2
    assert (forced[1]["earned"], forced[1]["override"]["found"]) == (1, 6)


@pytest.mark.slow
def test_a_rubric_that_moves_points_moves_them_around_marks(course: tiny_course.Course) -> None:
    mark(course, points=Fraction(2))
    mark(course, "A", points=Fraction(3), reason="Close enough.")
    write_rubric(course, noise=3)

    _, told = course.grade(command="again")

    assert item(course)["earned"] == 2
    assert item(course, "A")["override"] is None, "its checks conclude something else now"
    assert "1 score moved" in told


def test_another_notebook_waits_and_the_old_one_has_its_mark_again(
    course: tiny_course.Course,
) -> None:
    mark(course, points=Fraction(2))
    hand_in(course, "I changed my mind.")
    course.grade()
    other = item(course)
    flags = json.loads(course.results()["ada"])["flags"]

    hand_in(course, last="print('other code, same words')")
    course.grade()

    assert (other["mark"], other["verdict"]) == (None, "pending")
    assert "changed since it was graded: W" in flags
    assert item(course)["earned"] == 2


@pytest.mark.slow
def test_an_item_that_is_renamed_keeps_its_marks_for_when_it_is_back(
    course: tiny_course.Course,
) -> None:
    mark(course, points=Fraction(2))
    write_rubric(course, name="Why")
    course.grade(command="again")
    renamed = item(course, "Why")["mark"], orphans(course)

    write_rubric(course)
    course.grade(command="again")

    assert renamed == (None, ["W"])
    assert item(course)["earned"] == 2
    assert orphans(course) == []


@pytest.mark.slow
def test_a_submission_that_vanishes_comes_back_with_its_marks(course: tiny_course.Course) -> None:
    mark(course, points=Fraction(2))
    place = course.root / "submissions" / "ada.ipynb"
    kept = place.read_bytes()
    place.unlink()
    course.hand_in("ben")
    course.grade()
    gone = orphans(course)

    place.write_bytes(kept)
    course.grade()

    assert gone == ["W"]
    assert item(course)["earned"] == 2
