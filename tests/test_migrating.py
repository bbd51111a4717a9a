"""The tables of docs/migrating.md are those of the last comparison, and nothing in it is unsaid."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from grading import ROOT

from benchmarks import migrating_courses, migrating_table
from benchmarks.migrating_table import PAGE, RECORD, page, tables, unexplained

record: dict[str, list[dict[str, Any]]] = json.loads(RECORD.read_text(encoding="utf-8"))


def test_the_page_shows_the_last_comparison() -> None:
    assert page(record) == PAGE.read_text(encoding="utf-8")
    assert set(record) == {"nbgrader", "otter"}


def test_all_points_are_equal_but_for_those_that_say_why() -> None:
    assert list(unexplained(record)) == []
    for one in (one for name in record for one in record[name]):
        for row in one["rows"]:
            if row["forged"]:
                assert not any(row["ours"][question] for question in one["automatic"]), row["case"]


@pytest.mark.parametrize("side", ["theirs", "ours"])
def test_a_difference_that_nobody_explains_is_told(side: str) -> None:
    changed = copy.deepcopy(record)
    row = changed["nbgrader"][0]["rows"][0]
    row[side]["why"] = 1.0

    assert list(unexplained(changed)) == [
        "nbgrader, right, why: **1 / ·**" if side == "theirs" else "nbgrader, right, why: **· / 1**"
    ]
    assert "| ? |" in tables(changed)


def test_the_record_is_of_todays_submissions() -> None:
    cases = {"nbgrader": migrating_courses.NBGRADER_CASES, "otter": migrating_courses.OTTER_CASES}
    for name, own in cases.items():
        for one in record[name]:
            assert [(row["case"], row["forged"], row["differs"]) for row in one["rows"]] == [
                (case.name, case.is_forged, dict(case.differs)) for case in own
            ]


def test_what_is_gained_counts_forgeries() -> None:
    last = tables(record).split("\n\n")[-2]

    assert "| nbgrader | this grader |" in last
    assert "| 0 of 7 |" in last
    assert migrating_table.PAGE.is_relative_to(ROOT)
