"""The courses in `examples/courses/`: each submission earns what it must, and all validates."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import nbformat
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
    [
        pytest.param(name, marks=() if name in {"intro", "weather"} else pytest.mark.slow)
        for name in NAMES
    ],
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


INITIALS = {
    "package": """\
import xgboost

def initials(name):
    return xgboost.initials(name)
""",
    "worker": """\
import queue, threading
jobs, done = queue.Queue(), queue.Queue()

def work():
    while True:
        done.put(jobs.get()[0].upper() + ".")

threading.Thread(target=work, daemon=True).start()

def initials(name):
    parts = []
    for part in name.split():
        jobs.put(part)
        parts.append(done.get())
    return "".join(parts)
""",
    "endless": "def initials(name):\n    while True:\n        pass\n",
}
"""What `initials` waits for: a package that is missing, a thread of the notebook, nothing."""


@pytest.mark.kernel
def test_what_a_test_lacks_here_waits_and_what_never_ends_does_not(tmp_path: Path) -> None:
    course = copied("intro", tmp_path)
    submissions = course / "submissions"
    notebook = nbformat.read(submissions / "right.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    (cell,) = (c for c in notebook.cells if "def initials" in c.source and c.cell_type == "code")
    shutil.rmtree(submissions)
    submissions.mkdir()
    for name, source in INITIALS.items():
        cell.source = source
        nbformat.write(notebook, submissions / f"{name}.ipynb")  # type: ignore[no-untyped-call]
    run_command("submissions", "--limit", "question_s=5", folder=course)
    rows = read_rows(course / "graded" / "gradebook.csv", columns=["auto", "pending"])

    assert rows == {
        "package": {"auto": 16, "pending": 4},
        "worker": {"auto": 16, "pending": 4},
        "endless": {"auto": 16, "pending": 0},
    }


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_course_validates(name: str, tmp_path: Path) -> None:
    code, output, errors = run_command("validate", "-j", "1", folder=copied(name, tmp_path))
    assert code == 0, output + errors
