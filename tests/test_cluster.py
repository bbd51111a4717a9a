"""Grading on workers: equal grades, and what workers, keys and heads can meet with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_course
from test_rerun import comparable

pytest.importorskip("distributed", reason="needs the `cluster` extra")
pytestmark = pytest.mark.kernel


@pytest.fixture
def course(tmp_path: Path) -> tiny_course.Course:
    return tiny_course.made(tmp_path / "course")


def graded(course: tiny_course.Course) -> dict[str, str]:
    """What may not differ: all results without seconds and times, and the table of grades."""
    results = {name: comparable(text) for name, text in course.results().items()}
    return {**results, "gradebook.csv": (course.out / "gradebook.csv").read_text(encoding="utf-8")}


def test_grades_are_equal_byte_for_byte_on_workers_and_without(
    course: tiny_course.Course,
) -> None:
    for number in range(4):
        course.hand_in(f"s{number}", number=number, scale=0.4 + number)
    course.hand_in("reader", "import numpy as np", "one = np.load('one.npy')", "two = 1 / 0")
    (course.root / "submissions" / "torn.ipynb").write_text("{", encoding="utf-8")
    (course.root / "submissions" / "empty.ipynb").write_text(
        json.dumps(tiny_course.notebook()), encoding="utf-8"
    )
    course.grade()
    alone, first_seed = graded(course), course.seed()

    _, told = course.grade("--on", "local:2", "--force")

    assert told.count("came: isolation") == 2
    assert course.seed() == first_seed
    assert graded(course) == alone
    _, kept = course.grade()
    assert "kept 7 submissions as graded before" in kept, "keys are those of a run without workers"
