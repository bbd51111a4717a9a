"""The zip from which Gradescope builds an autograder, and what it does there."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import downloads
import pytest
import tiny_course
from click.testing import CliRunner, Result

from grader import cli

BASH = shutil.which("bash") or ""
needs_bash = pytest.mark.skipif(not BASH, reason="runs shell scripts")


def pack(course: tiny_course.Course, *words: str) -> Result:
    before = Path.cwd()
    os.chdir(course.root)
    try:
        return CliRunner().invoke(cli.cli, ["export", "autograder", *words])
    finally:
        os.chdir(before)


@pytest.fixture
def course(tmp_path: Path) -> tiny_course.Course:
    return tiny_course.made(tmp_path / "course")


def packed(course: tiny_course.Course, *words: str) -> zipfile.ZipFile:
    done = pack(course, *words)
    assert done.exit_code == 0, done.output + str(done.exception)
    return zipfile.ZipFile(io.BytesIO((course.root / "autograder.zip").read_bytes()))


class Harness:
    """Gradescope's folder, as its documentation draws it, somewhere else."""

    def __init__(self, home: Path, archive: zipfile.ZipFile) -> None:
        self.home = home
        archive.extractall(home / "source")
        (home / "submission").mkdir()
        (home / "results").mkdir()
        python = home / "source" / "venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)

    def run(self) -> subprocess.CompletedProcess[str]:
        script = self.home / "run_autograder"
        shutil.copy(self.home / "source" / "run_autograder", script)
        return subprocess.run(
            [BASH, str(script)],
            cwd=self.home,
            env={**os.environ, "AUTOGRADER": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    def results(self) -> bytes:
        return (self.home / "results" / "results.json").read_bytes()


def test_the_scripts_stand_at_the_root_and_may_be_run(course: tiny_course.Course) -> None:
    archive = packed(course)

    for name in ("setup.sh", "run_autograder"):
        info = archive.getinfo(name)
        assert info.external_attr >> 16 & 0o111
        assert archive.read(name).startswith(b"#!/usr/bin/env bash\n")
    assert archive.read("assignment") == b"--assignment\ntiny\n"


def test_rubric_reference_and_program_are_in_it_and_nothing_of_students(
    course: tiny_course.Course,
) -> None:
    course.hand_in("ada")
    provided = course.root / "rubrics" / "tiny" / "provided"
    provided.mkdir(parents=True)
    (provided / "data.csv").write_text("1,2\n", encoding="utf-8")
    withheld = provided.with_name("withheld")
    withheld.mkdir()
    (withheld / "hidden.csv").write_text("3,4\n", encoding="utf-8")
    names = set(packed(course).namelist())

    assert "course/rubrics/tiny/withheld/hidden.csv" in names
    assert {"course/rubrics/tiny.toml", "course/rubrics/tiny/provided/data.csv"} <= names
    assert "course/reference/tiny.ipynb" in names
    assert {"package/grader/__main__.py", "package/grader/inside/fork_server.py"} <= names
    assert not [name for name in names if "ada.ipynb" in name or "__pycache__" in name]


def test_the_zip_is_private_for_the_reference_is_in_it(course: tiny_course.Course) -> None:
    done = pack(course)

    assert (course.root / "autograder.zip").stat().st_mode & 0o077 == 0
    assert "keep it to yourself" in done.output


def test_requirements_are_what_is_installed_here_without_names_of_own_builds(
    course: tiny_course.Course,
) -> None:
    lines = packed(course).read("requirements.txt").decode().splitlines()

    names = {line.partition("==")[0] for line in lines}
    assert {"nbclient", "numpy", "torch", "pydantic"} <= names
    assert not {"pytest-cov", "playwright", "ruff"} & names
    assert all("==" in line and "+" not in line for line in lines)


def test_requirements_and_options_may_be_ones_own(course: tiny_course.Course) -> None:
    (course.root / "needs.txt").write_text("numpy\n", encoding="utf-8")

    archive = packed(course, "--requirements", "needs.txt", "--isolation", "reduced")

    assert archive.read("requirements.txt") == b"numpy\n"
    assert archive.read("options") == b"--isolation\nreduced\n"


def test_equal_contents_make_an_equal_zip(course: tiny_course.Course) -> None:
    packed(course)
    first = (course.root / "autograder.zip").read_bytes()
    packed(course)

    assert (course.root / "autograder.zip").read_bytes() == first


@needs_bash
@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_the_scripts_are_sound_shell(course: tiny_course.Course, name: str) -> None:
    done = subprocess.run(
        [BASH, "-n"], input=packed(course).read(name), check=False, capture_output=True
    )

    assert done.returncode == 0, done.stderr


@needs_bash
@pytest.mark.parametrize("names", [(), ("a.ipynb", "sub/b.ipynb"), (".ipynb_checkpoints/a.ipynb",)])
def test_other_than_one_notebook_is_said_and_has_no_score(
    course: tiny_course.Course, tmp_path: Path, names: tuple[str, ...]
) -> None:
    harness = Harness(tmp_path / "autograder", packed(course))
    for name in names:
        place = harness.home / "submission" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text("{}", encoding="utf-8")

    done = harness.run()

    assert done.returncode == 0
    score, whole = downloads.gradescope(harness.results())
    assert score is None
    assert "Hand in one notebook" in whole["output"]


@pytest.mark.kernel
@needs_bash
def test_a_submission_is_graded_there(course: tiny_course.Course, tmp_path: Path) -> None:
    harness = Harness(tmp_path / "autograder", packed(course))
    shutil.copy(course.hand_in("ada"), harness.home / "submission" / "my notebook.ipynb")

    done = harness.run()

    assert done.returncode == 0, done.stdout + done.stderr
    score, whole = downloads.gradescope(harness.results())
    assert score == Fraction(10)
    assert len(whole["tests"]) == 3


@pytest.mark.kernel
@needs_bash
def test_where_nothing_can_be_graded_there_are_no_results(
    course: tiny_course.Course, tmp_path: Path
) -> None:
    """Gradescope then says that the autograder failed, which is true, and gives no points."""
    archive = packed(course)
    shutil.rmtree(course.root / "reference")
    harness = Harness(tmp_path / "autograder", archive)
    shutil.rmtree(harness.home / "source" / "course" / "reference")
    place = harness.home / "submission" / "a.ipynb"
    place.write_text(json.dumps(tiny_course.notebook("x = 1")), encoding="utf-8")
    (harness.home / "results" / "results.json").write_text("{}", encoding="utf-8")

    done = harness.run()

    assert done.returncode == 2
    assert "reference" in done.stderr
    assert not (harness.home / "results" / "results.json").exists()
