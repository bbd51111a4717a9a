"""Whatever ends a notebook's process, the rest of the notebook is judged, the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_course
from live_notebook import ROOMY, fork_server, function_question, run_and_ask

from grader import kernel, wire
from grader.errors import KernelError
from grader.model import Observation
from grader.sandbox.fork_client import ForkServer

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with fork_server() as started:
        yield started


EXITS = {
    "exit()": "exit()",
    "exit(1)": "exit()",
    "quit()": "quit()",
    "quit": "quit()",
    "import sys; sys.exit('done')": "SystemExit",
    "raise SystemExit": "SystemExit",
    "get_ipython().ask_exit()": "ask_exit()",
    "get_ipython().kernel.do_shutdown(True)": "do_shutdown()",
    (
        "import IPython; IPython.Application.instance().kernel.do_shutdown(restart=True)"
    ): "do_shutdown()",
    "if not False:\n    exit()": "exit()",
    "def leave():\n    quit()\nleave()": "quit()",
}
"""What ends a cell, and what is said to have ended it."""
STOPS = (
    "get_ipython().exit_now = True",
    "get_ipython().kernel.io_loop.stop()",
    "import asyncio; asyncio.get_event_loop().stop()",
    "import threading; threading.Thread(target=exit).start()",
)


def test_exit_ends_its_cell_and_no_other(server: ForkServer) -> None:
    sources = ["import time"]
    for number, end in enumerate((*EXITS, *STOPS)):
        sources += [f"before{number} = 1", end, f"time.sleep(0.15); after{number} = before{number}"]
    last = "def defined(x): return x + sum(name.startswith('after') for name in globals())"

    outcome = run_and_ask(server, [*sources, last], "defined")

    ends = [outcome.cell(3 * number + 2) for number in range(len(EXITS))]
    assert {run.status.value for run in ends} == {"raised"}
    notes = [(f"{called} ended this cell, and no other.",) for called in EXITS.values()]
    assert [run.notes for run in ends] == notes
    others = [run for run in outcome.record.cells if run not in ends]
    assert {run.status.value for run in others} == {"ran"}
    assert outcome.answers["defined"].arrays["out0"].tolist() == [14.0, 17.0]


def test_an_exit_with_no_cell_behind_it_is_no_failure(server: ForkServer) -> None:
    outcome = run_and_ask(server, ["exit()", "raise SystemExit", "x = 1\nquit()", "exit"])

    assert [run.status.value for run in outcome.record.cells] == ["raised", "raised", "ran", "ran"]
    assert [bool(run.error) for run in outcome.record.cells] == [True, True, False, False]
    assert outcome.cell(2).notes == ("quit() ended this cell, and no other.",)


def test_cells_before_and_after_those_that_kill_the_process_count(server: ForkServer) -> None:
    sources = (
        "import os, ctypes\nx = 1",
        "os._exit(1)",
        "y = x + 1",
        "ctypes.string_at(0)",
        "def both(z): return z * 0 + x + y",
    )
    outcome = run_and_ask(server, sources, "both")

    assert [run.status.value for run in outcome.record.cells] == [
        "ran",
        "struck_out",
        "ran",
        "struck_out",
        "ran",
    ]
    assert outcome.answers["both"].arrays["out0"].tolist() == [3.0, 3.0]


def test_what_is_before_and_behind_many_ends_is_judged(server: ForkServer) -> None:
    ends = ["os._exit(2)", "os.abort()", "os.kill(os.getpid(), 15)", "os._exit(5)"]
    sources = ["import os\ndef doubles(x): return 2 * x", *ends, "def late(x): return doubles(x)"]

    outcome = run_and_ask(server, sources, "doubles", "late")

    assert [run.status.value for run in outcome.record.cells] == [
        "ran",
        *["struck_out"] * 4,
        "ran",
    ]
    values = [answer.arrays["out0"].tolist() for answer in outcome.answers.values()]
    assert values == [[-2.0, 4.0]] * 2


RAW_THREAD = """
import os, _thread, time
def end():
    time.sleep(0.5)
    os.abort()
_thread.start_new_thread(end, ())
"""
OTHER_PROCESS = """
import multiprocessing, os, time
def end(pid):
    time.sleep(0.5)
    os.kill(pid, 9)
multiprocessing.Process(target=end, args=[os.getpid()]).start()
"""


@pytest.mark.parametrize(
    "culprit",
    [
        "import os, threading; threading.Timer(0.5, os._exit, [3]).start()",
        "import signal; signal.alarm(1)",
        "import signal; signal.setitimer(signal.ITIMER_REAL, 0.5)",
        RAW_THREAD,
        OTHER_PROCESS,
        "import faulthandler; faulthandler.dump_traceback_later(0.5, exit=True)",
    ],
    ids=["thread", "alarm", "timer", "raw thread", "process", "native thread"],
)
def test_the_cell_that_left_the_end_behind_is_named(server: ForkServer, culprit: str) -> None:
    sources = ("import time\nx = 1", culprit, "y = x", "time.sleep(2); z = y", "w = z")

    outcome = run_and_ask(server, sources)

    assert [run.status.value for run in outcome.record.cells] == [
        "ran",
        "struck_out",
        "ran",
        "ran",
        "ran",
    ]
    error = outcome.cell(1).error
    assert error is not None
    assert "left something running that ended the notebook's process later" in error.message


def test_a_cell_is_not_blamed_for_the_end_of_another(server: ForkServer) -> None:
    sources = (
        "import os, threading, time\nthreading.Thread(target=time.sleep, args=[9]).start()",
        "os._exit(1)",
    )

    outcome = run_and_ask(server, sources)

    assert [run.status.value for run in outcome.record.cells] == ["ran", "struck_out"]


ONCE = """
import os, threading, time
def end_while_asked():
    time.sleep(3)
    os._exit(1)
threading.Thread(target=end_while_asked, daemon=True).start()
def slow(x):
    time.sleep(5)
    return x
"""


def test_a_process_that_ends_while_it_is_asked_is_our_error_after_two_runs(
    server: ForkServer,
) -> None:
    with pytest.raises(KernelError, match="ended while it was asked, in two runs"):
        run_and_ask(server, (ONCE,), "slow")


def test_what_timed_out_before_the_process_ended_is_asked_again(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def ask_in_forks(
        _live: kernel.LiveNotebook, packed: wire.PackedQuestions
    ) -> tuple[dict[str, Observation], bool]:
        asked.append([question.id for question in packed.questions])
        first = ("ok", "timed_out", "died", "not_asked")
        statuses = first if len(asked) == 1 else ("ok",) * len(packed.questions)
        answers = {
            question.id: Observation(id=question.id, status=status)
            for question, status in zip(packed.questions, statuses, strict=True)
        }
        return answers, len(asked) == 1

    monkeypatch.setattr(kernel.LiveNotebook, "_ask_in_forks", ask_in_forks)
    setup = kernel.KernelSetup(fork_server=server, seed=1, record=(), limits=ROOMY)
    with kernel.start_kernel(setup) as live:
        answers = live.ask(tuple(map(function_question, "abcd")))

    assert asked == [["a", "b", "c", "d"], ["b", "c", "d"]]
    assert {answer.status for answer in answers.values()} == {"ok"}


DELAY = "import os, time; time.sleep(int.from_bytes(os.urandom(1)) / 600)\n"


@pytest.mark.parametrize(
    ("end", "jobs"),
    [
        pytest.param("if True:\n    exit()", "1", marks=pytest.mark.slow),
        pytest.param("exit()", "5"),
        pytest.param("os._exit(1)", "5", marks=pytest.mark.slow),
    ],
)
def test_equal_notebooks_get_equal_points_whatever_else_runs(
    tmp_path: Path, end: str, jobs: str
) -> None:
    course = tiny_course.made(tmp_path)
    first, *others = (source.format(scale=0.5, number=0) for source in tiny_course.SOLUTION)
    cells = (first, DELAY + end, *(DELAY + source for source in others))
    for number in range(6):
        course.hand_in(f"s{number}", *cells)

    course.grade("-j", jobs)

    assert {course.earned(f"s{number}") for number in range(6)} == {8.8}
