"""An assignment of several notebooks: one row, one report and one total for each team."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from in_process import run_command
from test_autograder import Harness

from grader import checks, rubric
from grader.errors import RubricError
from grader.folder import OutputFolder
from grader.model import Graded, Rubric, Submission
from grader.pipeline.collecting import join_previews, make_preview
from grader.submissions import LayoutContext, collect

WEATHER = Path(__file__).parent.parent / "examples" / "courses" / "weather"
ADA, BEA, DAN = "Ada Example (ae10001)", "Bea Sample (bs10002)", "Dan Trial (dt10004)"


@pytest.fixture(scope="module")
def weather() -> Rubric:
    return rubric.load_rubric(WEATHER / "rubrics" / "weather.toml", catalog=checks.load_checks)


def write_notebook(
    path: Path, *, part: str, names: str = ADA, code: str = "", text: str = "", leave_out: int = 0
) -> None:
    """Write a submission: the reference's notebook of a part, by others."""
    path_of_reference = WEATHER / "reference" / f"{part}.ipynb"
    notebook = nbformat.read(path_of_reference, as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells[0].source = notebook.cells[0].source.replace(ADA, names)
    if code:
        cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call]
        notebook.cells.append(cell)
    if leave_out:
        del notebook.cells[-leave_out:]
    if text:
        cell = nbformat.v4.new_markdown_cell(text)  # type: ignore[no-untyped-call]
        notebook.cells.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def collected(folder: Path, weather: Rubric) -> Mapping[str, Submission]:
    previews = {
        part.notebook: make_preview(part.reference, prompts={i.id: i.prompt for i in part.items})
        for part in weather.parts
    }
    context = LayoutContext(preview=join_previews(previews.values()), notebooks=previews)
    return {submission.name: submission for submission in collect(folder, context=context)}


def parts_of(submission: Submission) -> dict[str, str]:
    return {notebook: part.display_path for notebook, part in submission.parts.items()}


def paste_together(path: Path, *, names: str = ADA) -> None:
    """Write a submission whose author pasted the cells of both notebooks into one."""
    for part in ("units", "report"):
        write_notebook(path.with_name(part), part=part, names=names)
    first, second = (
        nbformat.read(path.with_name(part), as_version=4)  # type: ignore[no-untyped-call]
        for part in ("units", "report")
    )
    for cell in second.cells:
        cell.id = f"second-{cell.id}"
    first.cells += second.cells
    nbformat.write(first, path)  # type: ignore[no-untyped-call]
    for part in ("units", "report"):
        path.with_name(part).unlink()


# ---------------------------------------------------------------- the rubric


def test_each_notebook_has_a_rubric_of_its_own_items(weather: Rubric) -> None:
    units, report = weather.parts

    assert [part.id for part in weather.parts] == ["weather-units", "weather-report"]
    assert [item.id for item in units.items] == ["Q1", "Q2"]
    assert [item.id for item in report.items] == ["Q3", "Q4"]
    assert units.total + report.total == weather.total
    assert report.folder == weather.path.parent / "weather" / "report"
    assert (units.notebook, weather.notebook) == ("units", "")


def test_other_limits_are_those_of_each_notebook(weather: Rubric) -> None:
    limits = replace(weather.limits, cell_s=1.5)

    limited = weather.with_limits(limits)
    assert [each.limits for each in (limited, *limited.parts)] == [limits] * 3


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('id = "Q1"\nnotebook = "units"', 'id = "Q1"', "item Q1 → notebook: is missing"),
        ('id = "Q1"\nnotebook = "units"', 'id = "Q1"\nnotebook = "unit"', "did you mean 'units'"),
        ('reference = "reference/report.ipynb"', 'reference = "no.ipynb"', "there is no file"),
        ('id = "report"\n', 'id = "units"\n', "there are several notebooks of this id"),
        ("total = 20", 'total = 20\nreference = "reference/units.ipynb"', "has its own"),
        (
            'test = "test_warmest" } }',
            'test = "test_warmest" }, needs = ["Q1"] }',
            "runs by itself",
        ),
    ],
)
def test_a_rubric_says_what_is_wrong_with_its_notebooks(
    before: str, after: str, complaint: str, tmp_path: Path
) -> None:
    course = shutil.copytree(WEATHER, tmp_path / "course")
    path = course / "rubrics" / "weather.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")

    with pytest.raises(RubricError, match=complaint):
        rubric.load_rubric(path, catalog=checks.load_checks)


# ---------------------------------------------------------------- whose is which


@pytest.mark.parametrize(
    "names",
    [
        ("ada_units.ipynb", "ada_report.ipynb"),
        ("units_ada.ipynb", "report_ada.ipynb"),
        ("ada-Units (1).ipynb", "ada-REPORT.ipynb"),
        ("ada_1.ipynb", "final.ipynb"),
        ("Ada_units.ipynb", "ada_report.ipynb"),
        ("units_final.ipynb", "report_v2.ipynb"),
        ("Units - Ada Example.ipynb", "ada_example report.ipynb"),
        ("ada/units.ipynb", "ada/report.ipynb"),
        ("ada/week 1/first.ipynb", "ada/week 2/second.ipynb"),
        ("ada/report.ipynb", "ada/units.ipynb"),
    ],
    ids=lambda names: names[0],
)
def test_the_notebooks_of_a_team_are_one_submission(
    names: Sequence[str], weather: Rubric, tmp_path: Path
) -> None:
    for name, part in zip(names, ("units", "report"), strict=True):
        write_notebook(tmp_path / name, part=part)
    for name in ("bea_units.ipynb", "bea_report.ipynb"):
        write_notebook(tmp_path / name, part=name[4:-6], names=BEA)

    found = collected(tmp_path, weather)

    assert len(found) == 2
    assert parts_of(found["bea"]) == {"units": "bea_units.ipynb", "report": "bea_report.ipynb"}
    (own,) = (submission for name, submission in found.items() if name != "bea")
    assert parts_of(own) == dict(zip(("units", "report"), names, strict=True))
    assert own.concerns == ()


def test_a_file_that_holds_both_notebooks_counts_as_both(weather: Rubric, tmp_path: Path) -> None:
    paste_together(tmp_path / "ada.ipynb")
    write_notebook(tmp_path / "bea.ipynb", part="units", names=BEA)

    found = collected(tmp_path, weather)

    assert parts_of(found["ada"]) == {"units": "ada.ipynb", "report": "ada.ipynb"}
    assert found["ada"].concerns == (
        "ada.ipynb holds the cells of 'report', too, and is graded as both",
    )
    assert parts_of(found["bea"]) == {"units": "bea.ipynb"}


def test_two_students_with_one_notebook_each_stay_two(weather: Rubric, tmp_path: Path) -> None:
    write_notebook(tmp_path / "ada" / "hw3_units.ipynb", part="units")
    write_notebook(tmp_path / "bea" / "hw3_report.ipynb", part="report", names=BEA)
    write_notebook(tmp_path / "cleo_units.ipynb", part="units", names="Cleo Trial (ct10003)")

    found = collected(tmp_path, weather)

    assert {name: [*submission.parts] for name, submission in found.items()} == {
        "ada": ["units"],
        "bea": ["report"],
        "cleo": ["units"],
    }
    assert found["ada"].concerns == ("not submitted: report",)


def test_of_two_versions_of_a_notebook_one_is_chosen_and_that_is_said(
    weather: Rubric, tmp_path: Path
) -> None:
    write_notebook(tmp_path / "ada" / "units.ipynb", part="units")
    write_notebook(tmp_path / "ada" / "units_old.ipynb", part="units", code="1 + 1")
    write_notebook(tmp_path / "ada" / "report.ipynb", part="report")

    (found,) = collected(tmp_path, weather).values()

    assert [*found.parts] == ["units", "report"]
    assert any("not graded" in concern for concern in found.concerns)


def test_files_of_different_students_are_apart_whatever_they_are_called(
    weather: Rubric, tmp_path: Path
) -> None:
    write_notebook(tmp_path / "units-done.ipynb", part="units")
    write_notebook(tmp_path / "report-done.ipynb", part="report", names=BEA)
    write_notebook(tmp_path / "Dan_units.ipynb", part="units", names="")
    write_notebook(tmp_path / "dan report.ipynb", part="report", names="")

    found = collected(tmp_path, weather).values()

    assert sorted(len(submission.parts) for submission in found) == [1, 1, 2]


def test_files_called_as_the_notebooks_are_one_submission_whoever_they_name(
    weather: Rubric, tmp_path: Path
) -> None:
    write_notebook(tmp_path / "units.ipynb", part="units")
    write_notebook(tmp_path / "Report.ipynb", part="report", names="")

    (found,) = collected(tmp_path, weather).values()

    assert [*found.parts] == ["units", "report"]


# ---------------------------------------------------------------- graded


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course, graded: one who handed in all, one of two, and one a file that is damaged."""
    folder = tmp_path_factory.mktemp("several")
    for name in ("rubrics", "reference"):
        shutil.copytree(WEATHER / name, folder / name)
    submissions = folder / "submissions"
    write_notebook(submissions / "ada" / "units.ipynb", part="units")
    write_notebook(submissions / "ada" / "report.ipynb", part="report", code="1 / 0")
    write_notebook(submissions / "bea_report.ipynb", part="report", names=BEA)
    write_notebook(submissions / "cleo" / "units.ipynb", part="units", names="Cleo Trial (ct1003)")
    units = nbformat.read(  # type: ignore[no-untyped-call]
        submissions / "ada" / "units.ipynb", as_version=4
    )
    units.cells[0].source = "# Weather, part 1: reading"
    units.cells += [nbformat.v4.new_markdown_cell("Nothing.") for _ in range(12)]  # type: ignore[no-untyped-call]
    nbformat.write(units, submissions / "ada" / "units.ipynb")  # type: ignore[no-untyped-call]
    (submissions / "cleo" / "report.ipynb").write_text('{"cells": [', encoding="utf-8")
    write_notebook(
        submissions / "dan" / "units.ipynb",
        part="units",
        names=DAN,
        text="### Q4\n\nThe spread: a desert and a coast may have one mean.",
    )
    write_notebook(submissions / "dan" / "report.ipynb", part="report", names=DAN, leave_out=1)
    paste_together(submissions / "eve" / "all.ipynb", names="Eve Draft (ed10005)")
    code, output, errors = run_command("submissions", "-j", "1", folder=folder)
    assert code == 1, output + errors
    return folder


def points_of(course: Path) -> dict[str, dict[str, str]]:
    with (course / "graded" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["submission"]: {item: row[item] for item in ("Q1", "Q2", "Q3", "auto", "pending")}
            for row in csv.DictReader(file)
        }


def graded_of(course: Path, name: str) -> Graded:
    with OutputFolder.open_existing(course / "graded", show_ids=False).open_gradebook() as book:
        return book.graded(name)


@pytest.mark.kernel
def test_one_row_adds_up_what_all_notebooks_earned(course: Path) -> None:
    assert points_of(course) == {
        "ada": {"Q1": "4", "Q2": "6", "Q3": "6", "auto": "16", "pending": "4"},
        "bea": {"Q1": "0", "Q2": "0", "Q3": "6", "auto": "6", "pending": "4"},
        "cleo": {"Q1": "4", "Q2": "6", "Q3": "", "auto": "10", "pending": "10"},
        "dan": {"Q1": "4", "Q2": "6", "Q3": "6", "auto": "16", "pending": "4"},
        "eve": {"Q1": "4", "Q2": "6", "Q3": "6", "auto": "16", "pending": "4"},
    }


@pytest.mark.kernel
def test_a_report_says_what_was_not_handed_in_and_how_cells_are_numbered(course: Path) -> None:
    ada, bea = (
        (course / "graded" / "reports" / f"{name}.html").read_text(encoding="utf-8")
        for name in ("ada", "bea")
    )
    record = graded_of(course, "ada").record
    failed = [run.index for run in record.cells if run.error is not None]

    assert "The notebook &#39;units&#39; was not submitted." in bea
    assert "was not handed in" not in ada
    cleo = (course / "graded" / "reports" / "cleo.html").read_text(encoding="utf-8")
    assert "The notebook &#39;report&#39; could not be graded. " in cleo
    assert ">In [1] of &#39;report&#39;</th>" in ada
    assert failed == [len(record.cells) and record.cells[-1].index]
    assert record.cells[-1].index > 18
    assert "Ada Example" in ada
    assert "Each notebook was run from top to bottom in a Python process of its own." in ada


@pytest.mark.kernel
def test_an_answer_in_the_wrong_notebook_is_found_and_flagged(course: Path) -> None:
    dan, bea = (graded_of(course, name).answers["Q4"] for name in ("dan", "bea"))

    assert "a desert and a coast" in dan.text
    assert dan.concern == "it was found in another notebook than its question's"
    assert dan.cells == (6,)
    assert any("Q4" in flag.args for flag in graded_of(course, "dan").flags)
    assert not bea.concern


@pytest.mark.kernel
def test_notebooks_are_judged_again_without_a_kernel_and_kept_as_they_are(course: Path) -> None:
    before = points_of(course)
    _, output, errors = run_command("again", "graded", folder=course)
    assert "from saved runs: no score changed" in output, output + errors
    assert points_of(course) == before


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="runs shell scripts")
def test_gradescope_takes_all_notebooks_of_a_submission_as_one(
    course: Path, tmp_path: Path
) -> None:
    run_command("export", "autograder", "--out", str(tmp_path / "auto.zip"), folder=course)
    harness = Harness(tmp_path, zipfile.ZipFile(tmp_path / "auto.zip"))
    for part in ("units", "report"):
        write_notebook(tmp_path / "submission" / f"my_{part}.ipynb", part=part)

    done = harness.run()

    assert done.returncode == 0, done.stderr
    results = json.loads(harness.results())
    assert sum(test["score"] for test in results["tests"] if "score" in test) == 16, results


@pytest.mark.kernel
@pytest.mark.slow
def test_a_release_holds_all_notebooks_and_their_checks(course: Path) -> None:
    wheel = course / "notebook_grader-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("grader/__init__.py", "")
    code, output, errors = run_command(
        "release", "weather", "--wheel", str(wheel), "--out", "release", folder=course
    )
    assert code == 0, output + errors
    folder = course / "release" / "weather"
    assert {path.name for path in folder.glob("*.ipynb")} == {"units.ipynb", "report.ipynb"}
    assert "def to_celsius" in (folder / "units.ipynb").read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in (folder / "units.ipynb").read_text(encoding="utf-8")

    for part, item in {"units": "Q2", "report": "Q3"}.items():
        write_notebook(folder / "mine.ipynb", part=part)
        checked = subprocess.run(
            [sys.executable, "-m", "grader", "check", "mine.ipynb"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(WEATHER.parent.parent.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"✓ {item}" in checked.stdout, checked.stdout + checked.stderr
