"""What a check could not pass for want of something of ours is told from what is the notebook's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from test_checks import evidence

from grader.checks import Evidence
from grader.checks.lacks import THREADS_SENTENCE, find_lack
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    MissingModule,
    Notebook,
    Observation,
)

PLACE = "where notebooks are graded"
MISSING = f"fogbank is not installed {PLACE}"
NO_FOGBANK = "ModuleNotFoundError: No module named 'fogbank'"


def seen(*failing: int, how: Mapping[str, Any] = {}) -> Evidence:
    """Return a notebook of four cells that lacks `fogbank`, of which some failed for want of it."""
    error = CellError(name="ModuleNotFoundError", message="No module named 'fogbank'")
    runs = [CellRun(index=index, status=CellStatus.RAN) for index in range(4)]
    for index in failing:
        runs[index] = replace(runs[index], status=CellStatus.RAISED, error=error)
    missing = (replace(MissingModule(name="fogbank", known=True), **how),)
    return replace(
        evidence(),
        notebook=Notebook(
            cells=tuple(Cell(index=index, kind="code", source="run()") for index in range(4)),
            sha256="",
        ),
        record=ExecutionRecord(cells=tuple(runs), missing=missing),
    )


def lack(
    of: Evidence, *about: int, is_absent: bool = False, **answer: Any
) -> tuple[str, int | None]:
    error = answer.pop("error", "")
    told = (Observation(id="q", status="ok", data=answer, error=error),)
    found = find_lack(of, cells=about, answers=told, is_absent=is_absent)
    return (found.sentence, found.cell) if found else ("", None)


def raised(outcome: str) -> dict[str, str]:
    name, _, message = NO_FOGBANK.partition(": ")
    return {"outcome": outcome, "exception": name, "message": message}


@pytest.mark.parametrize(
    "answer",
    [
        {"error": NO_FOGBANK},
        {"calls": [{"error": ""}, {"error": NO_FOGBANK}]},
        {"calls": ["strange", {"error": NO_FOGBANK}]},
        {"cases": [{"outcome": "passed"}, raised("raised")]},
        {"cases": ["strange", raised("stopped")]},
    ],
)
def test_any_error_of_an_answer_may_tell_of_a_lack(answer: dict[str, Any]) -> None:
    assert lack(seen(), 0, **answer) == (MISSING, None)
    assert lack(seen(how={"known": False}), 0, **answer) == ("", None)


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "ModuleNotFoundError: No module named 'solution'"},
        {"calls": "strange", "cases": "strange"},
        {"cases": [raised("failed"), raised("passed")]},
        {"cases": [{"outcome": "gone", "status": "timed_out"}]},
    ],
)
def test_other_answers_tell_of_none(answer: dict[str, Any]) -> None:
    assert lack(seen(), 0, **answer) == ("", None)


def test_a_case_that_lacked_the_threads_of_the_notebook_waits() -> None:
    cases = [{"outcome": "gone", "status": status} for status in ("", "lacks_threads")]
    assert lack(seen(), 0, cases=cases) == (THREADS_SENTENCE, None)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({}, MISSING),
        ({"broken": True}, f"fogbank cannot be imported {PLACE}"),
        (
            {"fetched": True},
            f"fogbank is fetched by the notebook, and there is no network {PLACE}",
        ),
    ],
)
def test_a_lack_is_told_by_what_is_wrong_with_the_module(
    how: Mapping[str, Any], sentence: str
) -> None:
    assert lack(seen(1, how=how), 1) == (sentence, 1)


@pytest.mark.parametrize(
    ("about", "is_absent", "cell"),
    [
        ((0,), False, None),
        ((0,), True, 1),
        ((), False, 1),
        ((), True, 1),
        ((1,), False, 1),
        ((2,), False, 1),
        ((3, 0), False, 3),
    ],
)
def test_what_stands_before_the_first_lack_and_is_there_is_judged(
    about: tuple[int, ...], *, is_absent: bool, cell: int | None
) -> None:
    sentence = MISSING if cell is not None else ""
    assert lack(seen(1, 3), *about, is_absent=is_absent) == (sentence, cell)
