"""Grading on workers: equal grades, and what workers, keys and heads can meet with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import tiny_course
from processes import command_line, descendants, holds_within, is_alive
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

    # All may be graded before the second has come: that two came is not what is tested here.
    assert told.count("came: isolation") in {1, 2}
    assert course.seed() == first_seed
    assert graded(course) == alone
    _, kept = course.grade()
    assert "kept 7 submissions from the last run" in kept, "keys are those of a run without workers"


CHECK = """
import os, signal, time
from grader.checks.check import Check, passed

class Poison(Check):
    '''Ends the grader, where a notebook asks for it.'''

    code = "PSN001"
    title = "harmless"

    def judge(self, evidence):
        sources = "".join(cell.source for cell in evidence.notebook.cells)
        if "# poison" in sources:
            os.kill(os.getpid(), signal.SIGKILL)
        return passed(expected="it is", observed="it is")

CHECKS = {"PSN001": Poison}
"""
CALL = """
[[item.check]]
code = "PSN001"
points = 0
public = false
needs = []
"""
RIGHT = tuple(source.format(scale=0.5, number=0) for source in tiny_course.SOLUTION)
SLOW = (*RIGHT, "import time; time.sleep(1.5)")


def with_poison(course: tiny_course.Course) -> None:
    """Let the course have a check that ends the grader."""
    rubric = course.root / "rubrics" / "tiny.toml"
    rubric.write_text(rubric.read_text(encoding="utf-8") + CALL, encoding="utf-8")
    (course.root / "rubrics" / "tiny").mkdir()
    (course.root / "rubrics" / "tiny" / "checks.py").write_text(CHECK, encoding="utf-8")


def test_who_ends_two_workers_is_given_up_and_who_ran_beside_is_graded(
    course: tiny_course.Course,
) -> None:
    with_poison(course)
    course.hand_in("a")
    course.hand_in("poison", *RIGHT, "# poison")
    for name in ("b", "c", "d", "e"):
        course.hand_in(name)

    code, told = course.grade("--on", "local:1", "-j", "2")

    assert code == 1
    assert told.count("is gone") == 2
    assert "run again" in told
    assert {name: course.earned(name) for name in "abcde"} == dict.fromkeys("abcde", 10)
    assert "it ended the grader twice" in json.loads(course.results()["poison"])["reason"]
    assert "ended the grader twice" in told
    (course.root / "submissions" / "poison.ipynb").unlink()
    _, kept = course.grade()
    assert "kept 5 submissions" in kept


def ready(process: subprocess.Popen[str], sentence: str) -> list[str]:
    """Read what a command says until it says a sentence."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if sentence in line:
            return lines
    raise AssertionError((lines, process.communicate()))


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The processes of workers that a command has started."""
    return [pid for pid in descendants(process.pid) if "--child" in command_line(pid)]


def test_a_killed_worker_is_started_again_and_nothing_is_lost(course: tiny_course.Course) -> None:
    for number in range(6):
        course.hand_in(f"s{number}", *SLOW)
    # The only one: with another beside it, all may be graded before a new one has come.
    with course.start("--on", "local:1", "-j", "2") as head:
        ready(head, "came: isolation")
        everyone = descendants(head.pid)
        os.kill(workers_of(head)[0], signal.SIGKILL)
        output, errors = head.communicate(timeout=60)

    assert "is gone; " in output
    assert "run again" in output
    assert output.count("came: isolation") == 1, "another took its place"
    assert errors == ""
    assert {course.earned(name) for name in course.results()} == {10}
    assert len(course.results()) == 6
    assert holds_within(10, lambda: not any(map(is_alive, everyone)))


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_head_that_ends_ends_every_sandbox_and_the_next_run_goes_on(
    course: tiny_course.Course, how: signal.Signals
) -> None:
    for number in range(6):
        course.hand_in(f"s{number}", *SLOW)
    with course.start("--on", "local:2", "-j", "2") as head:
        ready(head, "came: isolation")
        assert holds_within(30, course.results)
        everyone = descendants(head.pid)
        head.send_signal(how)
        head.communicate(timeout=60)

    assert head.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    assert holds_within(20, lambda: not any(map(is_alive, everyone)))
    _, told = course.grade("--on", "local:1")
    # One whose page was not written yet is judged again from its stored run, for its page.
    assert re.search(r"(kept|re-scored) [1-5] (submissions? )?from (the last run|saved runs)", told)
    assert {course.earned(name) for name in course.results()} == {10}
    assert len(course.results()) == 6
