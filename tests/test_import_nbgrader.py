"""Assignments that were made for nbgrader: read as data, written as ours, and the same points."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import pytest
from in_process import run_command
from nbgrader_course import AUTO, CELLS, CODE_STUB, STUDENTS, TEXT_STUB, write_notebook

from grader import checks, rubric
from grader.folder import OutputFolder
from grader.gradebook import NewMark, answer_digest, ledger
from grader.importing.test_writing import NotebookNames, TestHead, TestWriter


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nbgrader")
    write_notebook(folder / "source" / "ps1" / "p1.ipynb")
    code, output, errors = run_command("import", "nbgrader", "source/ps1", folder=folder)
    assert code == 0, output + errors
    assert "5 automatic questions, 2 to grade by hand" in output
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


def test_a_mark_in_a_test_is_no_title_of_its_question(course: Path) -> None:
    text = (course / "rubrics" / "ps1.toml").read_text(encoding="utf-8")

    assert 'title = "test_hidden"' in text
    assert "BEGIN HIDDEN TESTS" not in text


def test_a_test_begins_with_what_earlier_test_cells_did_to_its_objects() -> None:
    head = TestHead()
    writer = TestWriter(names=NotebookNames.from_sources(["class Box: ..."]), head=head)
    writer.remember(
        "b = Box()\nb.add(1).add(2)\nb.items[0] = 3\nb.label.text = 'x'\ncheck = TestCase()\n"
        "check.assertEqual(b, 1)\nassert b.add(9)\nother = []\nother.append(1)\nprint(b)"
    )

    text = writer.write("test_b2", "assert len(b.items) == 2")

    changes = ("b = Box()", "b.add(1).add(2)", "b.items[0] = 3", "b.label.text = 'x'")
    assert [line.strip() for line in text.split("\n")[1:5]] == [*changes]
    for nothing in ("assertEqual", "b.add(9)", "other", "print"):
        assert nothing not in text


def test_what_was_done_to_an_object_that_is_bound_anew_is_gone() -> None:
    writer = TestWriter(names=NotebookNames.from_sources(["class Box: ..."]), head=TestHead())
    writer.remember("b = Box()\nb.add(1)")
    writer.remember("b = Box()\nb.add(2)")

    text = writer.write("test_b3", "assert b")

    assert "b.add(2)" in text
    assert "b.add(1)" not in text


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


UNCHANGED: dict[str, tuple[dict[str, str], dict[str, str], tuple[str, str]]] = {
    "left": ({"why": TEXT_STUB, "plot": CODE_STUB}, {}, ("0", "0")),
    "one space": ({"why": f"{TEXT_STUB} ", "plot": f"{CODE_STUB}\n"}, {}, ("", "")),
    "emptied": ({"why": "", "plot": ""}, {}, ("", "")),
    "a word": ({"why": "Sums.", "plot": "print(1)"}, {}, ("", "")),
    "beside": (
        {"why": TEXT_STUB, "plot": CODE_STUB},
        {"why": "They are sums of the squares of numbers, each once."},
        ("", "0"),
    ),
}


@pytest.mark.kernel
def test_an_answer_that_nobody_touched_earns_nothing_as_in_nbgrader(
    course: Path, tmp_path: Path
) -> None:
    for name, (replaced, beside, _) in UNCHANGED.items():
        path = tmp_path / "submitted" / name / "ps1" / "p1.ipynb"
        write_notebook(path, replaced=replaced, beside=beside)
    args = (str(tmp_path / "submitted"), "--assignment", "ps1", "--out", str(tmp_path / "OUT"))
    code, output, errors = run_command(*args, "-j", "1", folder=course)
    assert code in {0, 1}, output + errors

    with (tmp_path / "OUT" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert {name: (rows[name]["why"], rows[name]["plot"]) for name in UNCHANGED} == {
        name: points for name, (_, _, points) in UNCHANGED.items()
    }
    page = (tmp_path / "OUT" / "reports" / "left.html").read_text(encoding="utf-8")
    assert "There is none: its cell is as it was handed out." in page
    with OutputFolder.open_existing(tmp_path / "OUT").open_gradebook() as book:
        digest = answer_digest(book.graded("left"), "why")
        new = NewMark(
            submission="left", item="why", answer_digest=digest, by="Kim", points=Fraction(1)
        )
        ledger.add_mark(book, new, expected_current=None)
        graded = book.graded("left")
    assert graded.score is not None
    assert {i.item.id: i.earned for i in graded.score.items}["why"] == 1


@pytest.mark.kernel
def test_a_notebook_that_is_missing_earns_nothing_as_in_nbgrader(tmp_path: Path) -> None:
    write_notebook(tmp_path / "source" / "ps3" / "p1.ipynb")
    write_notebook(tmp_path / "source" / "ps3" / "p2.ipynb")
    run_command("import", "nbgrader", "source/ps3", folder=tmp_path)
    write_notebook(tmp_path / "submitted" / "ada" / "ps3" / "p1.ipynb")
    args = ("submitted/", "--assignment", "ps3", "--out", "OUT", "-j", "1")
    run_command(*args, folder=tmp_path)

    with (tmp_path / "OUT" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["why"], row["plot"], row["test_case"]) == ("", "", "1")
    assert (row["p2.why"], row["p2.plot"], row["p2.test_case"]) == ("0", "0", "0")


@pytest.mark.kernel
def test_the_reference_passes_in_validate_and_in_pytest(course: Path) -> None:
    _, output, errors = run_command("validate", "ps1", "--mutants", "4", "-j", "1", folder=course)

    assert "reference  full automatic points, every time" in output, output + errors
