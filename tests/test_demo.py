"""`grade demo`: a course for who has no clone, from a clone and from a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.authoring import demo_courses
from grader.authoring.demo_courses import copy_course
from grader.checks import load_checks
from grader.cli import cli
from grader.errors import UsageError
from grader.rubric import load_rubric
from grader.rubric.rubric_search import find_rubric

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sorted(demo_courses.demo_courses()))
def test_each_course_is_complete_where_it_is_copied(name: str, tmp_path: Path) -> None:
    copy_course(name, into=tmp_path / "new")
    path = find_rubric(tmp_path / "new")

    assert load_rubric(path, catalog=load_checks).id == name
    assert list((tmp_path / "new" / "submissions").rglob("*.ipynb"))
    assert list((tmp_path / "new" / "reference").rglob("*.ipynb"))


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="is not empty"):
        copy_course("hw5", into=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_course_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no course 'hw6'; there are: hw5, charts"):
        copy_course("hw6", into=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_courses_are_listed_and_copied_alone(tmp_path: Path) -> None:
    listed = CliRunner().invoke(cli, ["demo", "--list"])
    assert listed.output.split()[0] == "hw5"

    words = ["demo", "charts", "--into", str(tmp_path / "new"), "--copy-only"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert not (tmp_path / "new" / "graded").exists()


@pytest.mark.kernel
def test_the_demo_grades_what_it_copied(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "grader", "demo", "charts", "--into", str(tmp_path / "new")]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "new" / "graded" / "index.html").exists()
    assert "grade mark" in done.stdout


def test_a_wheel_brings_the_courses_along(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="needs the `release` extra")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    for course, files in demo_courses.demo_courses().items():
        for target, source in files.items():
            inside = f"grader/bundled/{course}/{target}"
            paths = [source] if source.is_file() else [p for p in source.rglob("*") if p.is_file()]
            expected = {
                inside if path == source else f"{inside}/{path.relative_to(source).as_posix()}"
                for path in paths
                if "__pycache__" not in path.parts
            }
            assert expected <= names, course
    assert not [name for name in names if "__pycache__" in name]
