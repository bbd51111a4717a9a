"""A busy computer takes nobody's points: limits count the time that a notebook could run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from live_notebook import fork_server, run_and_ask

from grader.model import Limits

pytestmark = pytest.mark.kernel

BUSY = "while True: pass"


@contextmanager
def busy_computer() -> Iterator[None]:
    """Two busy processes for each core, for a while: a third of the time is left for others."""
    count = 2 * len(os.sched_getaffinity(0))
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


COMPUTES = """
import time
end = time.process_time() + 1.2
while time.process_time() < end: pass
"""
ASKED = """
import time
def computes(x):
    end = time.process_time() + 0.7
    while time.process_time() < end: pass
    return x
def forever(x):
    while True: pass
"""


@pytest.mark.slow
def test_a_cell_and_a_function_are_not_stopped_for_what_others_compute() -> None:
    limits = Limits(cell_s=2, submission_s=10, question_s=1.5)
    with fork_server() as server, busy_computer():
        outcome = run_and_ask(
            server, (COMPUTES, COMPUTES, ASKED), "computes", "forever", limits=limits
        )

    assert [run.status.value for run in outcome.record.cells] == ["ran"] * 3
    assert outcome.cell(0).seconds > 0
    assert outcome.answers["computes"].status == "ok"
    assert outcome.answers["forever"].status == "timed_out"


def test_what_waits_is_stopped_at_its_limit_and_what_computes_too() -> None:
    limits = Limits(cell_s=1, submission_s=30, question_s=1)
    sources = ("import time\ntime.sleep(9)", BUSY, "def sleeps(x): time.sleep(9)")
    with fork_server() as server:
        outcome = run_and_ask(server, sources, "sleeps", limits=limits)

    errors = [run.error for run in outcome.record.cells if run.error]
    assert [error.message for error in errors] == ["The cell was stopped after 1 s."] * 2
    assert [run.seconds < 9 for run in outcome.record.cells] == [True] * 3
    assert outcome.answers["sleeps"].status == "timed_out"


@pytest.mark.slow
def test_what_computes_a_little_at_a_time_is_stopped_by_the_clock() -> None:
    limits = Limits(cell_s=1, submission_s=30, question_s=1)
    dribbles = (
        "import time\nwhile True:\n    time.sleep(0.04)\n    end = time.process_time() + 0.005\n"
    )
    dribbles += "    while time.process_time() < end: pass\n"
    with fork_server() as server:
        outcome = run_and_ask(server, (dribbles,), limits=limits)

    error = outcome.cell(0).error
    assert error is not None
    assert error.message == "The cell was stopped after 5 s by the clock; it may compute for 1 s."
