"""The courses in `examples/courses/`: each submission earns what it must, and all validates."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from in_process import run_command

COURSES = Path(__file__).parent.parent / "examples" / "courses"
ALWAYS = {"intro", "weather"}
"""The courses that are graded always; the others take their turn with what is slow."""
NAMES = sorted(path.parent.name for path in COURSES.glob("*/expected.csv"))


def read_rows(path: Path, *, columns: list[str] | None = None) -> dict[str, dict[str, float]]:
    """Points by item, by submission."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["submission"]: {
                name: float(row[name] or "nan") for name in columns or row if name != "submission"
            }
            for row in csv.DictReader(file)
        }


def copied(name: str, folder: Path) -> Path:
    """A copy of a course, since grading writes beside what it grades."""
    return shutil.copytree(COURSES / name, folder / name)


@pytest.mark.kernel
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow) for name in NAMES],
)
def test_each_submission_earns_what_is_expected(name: str, tmp_path: Path) -> None:
    course = copied(name, tmp_path)
    expected = read_rows(course / "expected.csv")
    _, output, errors = run_command("submissions", "-j", "1", folder=course)
    assert (course / "graded" / "gradebook.csv").is_file(), output + errors
    items = list(next(iter(expected.values())))
    assert len(expected) >= 5
    assert read_rows(course / "graded" / "gradebook.csv", columns=items) == expected


@pytest.mark.kernel
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == "intro" else pytest.mark.slow) for name in NAMES],
)
def test_where_folders_cannot_be_listed_a_course_is_graded_alike(name: str, tmp_path: Path) -> None:
    course = copied(name, tmp_path)
    expected = read_rows(course / "expected.csv")
    code, output, errors = run_command("submissions", "--isolation", "reduced", folder=course)
    if code == 2 and "isolation" in errors:
        pytest.skip("reduced does not hold here")
    assert (course / "graded" / "gradebook.csv").is_file(), output + errors
    items = list(next(iter(expected.values())))
    assert read_rows(course / "graded" / "gradebook.csv", columns=items) == expected


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_course_validates(name: str, tmp_path: Path) -> None:
    code, output, errors = run_command("validate", "-j", "1", folder=copied(name, tmp_path))
    assert code == 0, output + errors
