"""Assignments that were made for nbgrader: read as data, written as ours, and the same points."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from in_process import run_command
from nbgrader_course import AUTO, CELLS, STUDENTS, write_notebook

from grader import checks, rubric


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nbgrader")
    write_notebook(folder / "source" / "ps1" / "p1.ipynb")
    code, output, errors = run_command("import", "nbgrader", "source/ps1", folder=folder)
    assert code == 0, output + errors
    assert "5 automatic questions, 2 for a person to mark" in output
    return folder


def test_items_have_the_ids_and_points_of_the_cells(course: Path) -> None:
    loaded = rubric.load_rubric(course / "rubrics" / "ps1.toml", catalog=checks.load_checks)

    assert loaded.imported_from == "nbgrader"
    assert {item.id: float(item.points) for item in loaded.items} == {
        name: cell["points"] for name, cell in CELLS.items() if "points" in cell
    }
    assert {item.id for item in loaded.items if item.kind == "written"} == {"why", "plot"}
    assert not loaded.unsettled


def test_tests_are_kept_word_for_word(course: Path) -> None:
    text = (course / "rubrics" / "ps1" / "tests.py").read_text(encoding="utf-8")

    assert "    assert squares(3) == [1, 4, 9]\n" in text
    assert "def test_uses(as_cell)" in text
    for name in AUTO:
        words = [line for line in CELLS[name]["code"].split("\n") if "HIDDEN" not in line]
        assert [line for line in words if line.strip() not in text and line != "score / 2"] == []


def test_the_solved_notebook_has_marks_that_release_obeys(course: Path) -> None:
    (path,) = (course / "reference").rglob("*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (squares,) = (
        c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == "squares"
    )

    assert "### BEGIN SOLUTION" in "".join(squares["source"]).replace("####", "no")


def test_nothing_is_replaced_by_a_second_import(course: Path) -> None:
    code, _, errors = run_command("import", "nbgrader", "source/ps1", folder=course)

    assert code == 2
    assert "there already" in errors


@pytest.mark.kernel
def test_submissions_earn_what_nbgrader_gives_and_forgeries_nothing(course: Path) -> None:
    for name, (replaced, _) in STUDENTS.items():
        write_notebook(course / "submitted" / name / "ps1" / "p1.ipynb", replaced=replaced)
    args = ("submitted/", "--assignment", "ps1", "--out", "OUT", "-j", "1")
    code, output, errors = run_command(*args, folder=course)
    assert code == 0, output + errors
    assert "not imported ahead" not in output

    with (course / "OUT" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        earned = {
            row["submission"]: tuple(float(row[name] or "nan") for name in AUTO)
            for row in csv.DictReader(file)
        }
    assert earned == {name: points for name, (_, points) in STUDENTS.items()}


@pytest.mark.kernel
def test_the_reference_passes_in_validate_and_in_pytest(course: Path) -> None:
    _, output, errors = run_command("validate", "ps1", "--mutants", "4", "-j", "1", folder=course)

    assert "reference  full automatic marks, every time" in output, output + errors
