"""Every limit: the cell says which, and by how much, and grading goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from grader import kernel, sandbox
from grader.errors import IsolationError
from grader.kernel.cell_runs import read_cell_run
from grader.model import Cell, CellStatus, ExecutionRecord, Limits, Question
from grader.sandbox import IsolationLevel, IsolationRequest
from grader.sandbox.fork_client import ForkServer

SMALL = Limits(
    memory_mb=400,
    disk_mb=20,
    files=1000,
    processes=80,
    cell_s=20,
    submission_s=60,
    cell_output_kb=64,
    output_kb=96,
)


@pytest.fixture(scope="module", params=[IsolationLevel.FULL, IsolationLevel.REDUCED])
def parent(request: pytest.FixtureRequest) -> Iterator[ForkServer]:
    wanted = IsolationRequest(level=request.param)
    try:
        with sandbox.start_fork_server(
            sandbox.survey_interpreter(sys.executable), request=wanted
        ) as opened:
            opened.preload(())
            yield opened
    except IsolationError as error:
        pytest.skip(f"this machine cannot have level {request.param}: {error}")


def run(parent: ForkServer, *sources: str, limits: Limits = SMALL) -> ExecutionRecord:
    setup = kernel.KernelSetup(fork_server=parent, seed=1, record=(), limits=limits)
    cells = tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))
    with kernel.start_kernel(setup) as live:
        return live.run(cells, blank=frozenset())


def said(record: ExecutionRecord, index: int = 0) -> str:
    """All that a cell says of itself."""
    cell = record.cells[index]
    error = f"{cell.error.name} {cell.error.message}" if cell.error else ""
    return " ".join([cell.status.value, error, *cell.notes])


FORKS = """
import os, time
for i in range(6):
    if os.fork() == 0:
        b = b'x' * (150 * 2**20); time.sleep(40); os._exit(0)
os.wait()  # for the one that is ended
"""
SHARED = """
import mmap, os, time
for i in range(6):
    if os.fork() == 0:
        m = mmap.mmap(-1, 150 * 2**20); m.write(b'x' * len(m)); time.sleep(40); os._exit(0)
os.wait()  # for the one that is ended
"""
FILES = """
import time
for i in range(3000): open(f'f{i}', 'w')
time.sleep(30)
"""
PROCESSES = """
import subprocess, time
started = [subprocess.Popen(['sleep', '40']) for i in range(100)]
time.sleep(30)
"""
THREADS = """
import threading, time
for i in range(120): threading.Thread(target=time.sleep, args=(40,)).start()
time.sleep(30)
"""
LINE = "print('x' * (200 * 2**10))"

BEYOND = {
    "memory of one process": ("x = bytearray(900 * 2**20)", "400 MB"),
    "memory of all processes": (FORKS, "MB of memory; 400 MB are allowed"),
    "memory that processes share": (SHARED, "MB of memory; 400 MB are allowed"),
    "one large file": ("open('a', 'wb').write(b'x' * (30 * 2**20))", "20 MB"),
    "a hole in a file": ("open('a', 'wb').truncate(2**30)", "A file may take 20 MB"),
    "many files": (FILES, "1,000"),
    "many processes": (PROCESSES, "80"),
    "many threads": (THREADS, "80"),
    "many open files": ("held = [open('/dev/null') for i in range(2000)]", "1,024 files open"),
    "one long line": (LINE, "printed 200 kB; only the first 64 kB of a cell are kept"),
}


@pytest.mark.kernel
@pytest.mark.parametrize("what", BEYOND)
def test_a_cell_over_a_limit_says_which_and_the_next_one_runs(
    parent: ForkServer, what: str
) -> None:
    source, words = BEYOND[what]

    record = run(parent, source, "x = 1")

    assert words in said(record), said(record)
    assert record.cells[1].status is CellStatus.RAN


@pytest.mark.kernel
def test_output_of_all_cells_together_is_bounded(parent: ForkServer) -> None:
    record = run(parent, *["print('x' * (50 * 2**10))"] * 3)

    assert [bool(cell.notes) for cell in record.cells] == [False, True, True]
    assert said(record, 2) == (
        "ran  This cell brought the output of all cells to 150 kB; only the first 96 kB are kept."
    )


@pytest.mark.kernel
def test_a_flood_of_small_outputs_neither_stops_the_run_nor_fills_memory(
    parent: ForkServer,
) -> None:
    record = run(parent, "for i in range(20_000): print('y' * 100)", "x = 1")

    assert "only the first 64 kB" in said(record)
    assert record.cells[1].status is CellStatus.RAN


@pytest.mark.kernel
def test_time_that_is_used_up_is_named_in_the_cells_it_cost(parent: ForkServer) -> None:
    limits = Limits(cell_s=1, submission_s=5)

    record = run(parent, *["import time\ntime.sleep(2)"] * 6, "x = 1", limits=limits)

    statuses = [cell.status.value for cell in record.cells]
    assert statuses == sorted(statuses, reverse=True)
    assert (statuses[0], statuses[-1]) == ("timed_out", "not_reached")
    assert said(record).startswith("timed_out Timeout The cell was stopped after 1 s.")
    assert "The 5 s for the whole notebook were used up" in said(record, 6)


@pytest.mark.kernel
def test_cells_after_the_last_strike_say_why_they_did_not_run(parent: ForkServer) -> None:
    record = run(parent, *["import os; os._exit(1)"] * 9, "x = 1")

    assert said(record, 9) == (
        "not_reached Not run 9 cells before this one ended the notebook's process or did not stop."
    )


@pytest.mark.parametrize(
    "over", [None, 3, {}, {"limit": "secrets"}, {"limit": "files", "used": "x", "most": 10**400}]
)
def test_what_a_runner_says_of_a_limit_is_not_believed(over: object) -> None:
    frame = {"frame": "cell", "seconds": 1.0, "exit": None, "limit": None, "over": over}

    found = read_cell_run(frame, Cell(index=0, kind="code", source=""), limits=Limits())

    assert found.status is CellStatus.RAN
    assert len(found.notes) <= 1


@pytest.mark.parametrize(
    ("name", "message", "told"),
    [
        ("URLError", "<urlopen error [Errno -3] Temporary failure>", True),
        ("OSError", "[Errno 95] Operation not supported", True),
        ("ValueError", "Connection", False),
    ],
)
def test_who_needs_a_network_reads_that_there_is_none(name: str, message: str, told: int) -> None:
    frame = {"seconds": 1.0, "error": {"name": name, "message": message, "traceback": ""}}

    found = read_cell_run(frame, Cell(index=0, kind="code", source=""), limits=Limits())

    note = "Notebooks have no network where they are graded."
    assert found.notes == ((note,) if told else ())


@pytest.mark.kernel
def test_a_cell_that_leaves_no_descriptor_costs_no_answer(parent: ForkServer) -> None:
    source = (
        "import numpy as np\nx = np.ones(3)\nkept = []\n"
        "try:\n    while True: kept.append(open('/dev/null'))\nexcept OSError: pass"
    )
    setup = kernel.KernelSetup(fork_server=parent, seed=1, record=(), limits=SMALL)
    with kernel.start_kernel(setup) as live:
        live.run((Cell(index=0, kind="code", source=source),), blank=frozenset())
        answer = live.ask((Question(id="a", kind="arrays"),))["a"]

    assert answer.status == "ok"
    assert answer.arrays["x"].tolist() == [1, 1, 1]
