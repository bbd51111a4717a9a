"""A notebook's charts are the same on every road that a test is run on."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
import tested_course
from selfchecking import in_shell
from test_tested_course import run, write_empty_wheel

pytestmark = pytest.mark.kernel

CELLS = (
    "import matplotlib.pyplot as plt",
    "plt.plot([3])",
    "plt.plot([2, 1])",
    "plt.plot([5])\nplt.show()\nplt.plot([6])",
    (
        "### BEGIN SOLUTION\ndef plot_line(y):\n    plt.plot(y)\n\n\n"
        "def plot_and_show(y):\n    plt.plot(y)\n    plt.show()\n### END SOLUTION"
    ),
)
TESTS = dedent(
    '''
    """Tests of charts."""


    def lines(figures):
        return [[line.y for axes in figure.axes for line in axes.lines] for figure in figures]


    def test_one_chart_a_cell(figures):
        """Each cell makes a chart of its own."""
        assert lines(figures) == [[[3]], [[2, 1]], [[5]], [[6]]]


    def test_calls(figures, plot_line):
        """What calls draw comes behind, in one chart until it is shown."""
        plot_line([7])
        plot_line([8])
        assert lines(figures)[4:] == [[[7], [8]]]


    def test_shown(figures, plot_and_show):
        """A chart that was shown is complete."""
        plot_and_show([7])
        plot_and_show([8])
        assert lines(figures)[4:] == [[[7]], [[8]]]


    def test_nothing_is_left(figures):
        """Charts of other tests are not here."""
        assert len(figures) == 4
    '''
)
NAMES = ("test_one_chart_a_cell", "test_calls", "test_shown", "test_nothing_is_left")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("charts")
    for name in ("rubrics/intro", "reference", "submissions"):
        (folder / name).mkdir(parents=True)
    rubric = tested_course.RUBRIC.replace("total = 10", "total = 4")
    rubric += tested_course.ITEM.format(id="Q1", points=4)
    for name in NAMES:
        rubric += tested_course.CHECK.format(test=name, points=1, public="true")
    (folder / "rubrics" / "intro.toml").write_text(rubric, encoding="utf-8")
    (folder / "rubrics" / "intro" / "tests.py").write_text(TESTS, encoding="utf-8")
    tested_course.write_notebook(folder / "reference" / "intro.ipynb", CELLS)
    tested_course.write_notebook(folder / "submissions" / "ada.ipynb", CELLS)
    return folder


@pytest.fixture(scope="module")
def student(course: Path) -> Path:
    wheel = write_empty_wheel(course)
    run("grader", "release", "intro", "--wheel", wheel.name, folder=course)
    folder = course / "release" / "intro"
    tested_course.write_notebook(folder / "mine.ipynb", CELLS)
    return folder


def test_where_it_counts(course: Path) -> None:
    run("grader", "submissions", "--out", "graded", folder=course, code=1)  # nobody has a name
    result = json.loads((course / "graded" / "results" / "ada.json").read_text(encoding="utf-8"))

    assert result["score"]["earned"] == 4, result["items"]


def test_in_pytest(course: Path) -> None:
    plugin = ("pytest", "-p", "grader.course_tests.pytest_reference", "-q")

    assert "4 passed" in run(*plugin, "rubrics/intro/tests.py", folder=course)


def test_on_a_students_own_computer(student: Path) -> None:
    assert "4 of 4 checks passed" in run("grader", "check", "mine.ipynb", folder=student)


def test_in_the_notebook_and_of_the_last_run_of_a_cell(student: Path) -> None:
    first = "import grader\n%matplotlib inline"
    *_, shown = in_shell(student, first, *CELLS, CELLS[1], "grader.check_all()")

    assert "4 of 4 checks passed" in shown["text"], shown
