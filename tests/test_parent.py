"""The process that imports ahead and forks kernels: what it does, and what it survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from processes import command_line, descendants, holds_within, is_alive

from grader import kernel, sandbox
from grader.errors import UsageError, WireError
from grader.model import Cell, ExecutionRecord, Json, Limits, Question
from grader.sandbox.launch import sandbox_environment
from grader.sandbox.wall_plans import FIRST_UID, SLOTS, UIDS, WallPlan

pytestmark = pytest.mark.kernel

LIMITS = Limits(cell_s=10, submission_s=60, question_s=5)


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sandbox.ForkServer]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "extra").mkdir()
    found = sandbox.survey_interpreter(sys.executable)
    seen = replace(found, folders=(*found.folders, str(tmp_path / "extra")))
    with sandbox.start_fork_server(seen) as opened:
        yield opened


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules the notebook's interpreter can import."""
    folder = tmp_path / "extra"
    monkeypatch.setattr(
        "grader.sandbox.fork_client.sandbox_environment",
        lambda place: {**sandbox_environment(place), "PYTHONPATH": str(folder)},
    )
    return folder


def setup(parent: sandbox.ForkServer, limits: Limits = LIMITS) -> kernel.KernelSetup:
    return kernel.KernelSetup(fork_server=parent, seed=16, record=(), limits=limits)


def cells(*sources: str) -> tuple[Cell, ...]:
    return tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))


def run(parent: sandbox.ForkServer, *sources: str) -> tuple[ExecutionRecord, dict[str, float]]:
    """Run cells; how they went, and the numbers they left."""
    with kernel.start_kernel(setup(parent)) as live:
        record = live.run(cells(*sources), blank=frozenset())
        arrays = live.ask((Question(id="a", kind="arrays"),))["a"].arrays
        return record, {name: float(value.ravel()[0]) for name, value in arrays.items()}


LOADED = "import sys, numpy as np\nhad = np.array(['colorsys' in sys.modules])\n"
DAEMON = """
import subprocess, sys
code = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid(); print(flush=1); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE).stdout.readline()
"""
"""Leaves a process behind that is nobody's child."""


def test_a_warm_kernel_has_what_was_imported_ahead_and_a_cold_one_has_not(
    parent: sandbox.ForkServer,
) -> None:
    _, cold = run(parent, LOADED)
    warmed = parent.preload(("colorsys",))
    record, warm = run(parent, LOADED)

    assert (warmed.cold_reason, warmed.left_out) == ("", {})
    assert [cell.status.value for cell in record.cells] == ["ran"]
    assert (cold["had"], warm["had"]) == (0, 1)


@pytest.mark.skipif(find_spec("torch") is None, reason="draws from torch, too")
def test_two_kernels_of_one_parent_draw_the_same_numbers_and_share_none(
    parent: sandbox.ForkServer,
) -> None:
    parent.preload(("numpy", "torch"))
    draw = (
        "import random, numpy as np, torch\n"
        "a = np.array([random.random()]); b = np.random.rand(1); c = torch.rand(1)\n"
        "seen = np.array([hasattr(np, 'mark')]); np.mark = 1"
    )

    first, second = run(parent, draw)[1], run(parent, draw)[1]

    assert first == second
    assert second["seen"] == 0


def test_modules_that_print_start_threads_or_fail_are_left_out_with_a_note(
    extra: Path, parent: sandbox.ForkServer
) -> None:
    (extra / "chatty.py").write_text("print('hello')")
    (extra / "busy.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )
    (extra / "broken.py").write_text("raise OSError('no')")
    (extra / "fine.py").write_text("x = 1")

    warmed = parent.preload(("chatty", "fine", "busy", "broken", "absent"))
    _, found = run(parent, "import sys, numpy as np\nfine = np.array(['fine' in sys.modules])")

    assert warmed.cold_reason == ""
    assert warmed.left_out == {
        "chatty": "prints",
        "busy": "starts threads",
        "broken": "cannot be imported (OSError)",
        "absent": "cannot be imported (ModuleNotFoundError)",
    }
    assert found["fine"] == 1


def test_a_notebook_shows_its_figure_where_pyplot_was_imported_ahead(
    parent: sandbox.ForkServer,
) -> None:
    parent.preload(("matplotlib.pyplot",))
    plot = (
        "import matplotlib.pyplot as plt\n"
        "from IPython import get_ipython\n"
        "import numpy as np\n"
        "seen = []\n"
        "publish = get_ipython().display_pub.publish\n"
        "def watch(data, *a, **k):\n"
        "    seen.extend(data); return publish(data, *a, **k)\n"
        "get_ipython().display_pub.publish = watch\n"
        "plt.plot([1, 2]); plt.show()\n"
    )

    _, found = run(parent, plot, "png = np.array(['image/png' in seen])")

    assert found["png"] == 1


def test_a_kernel_that_dies_takes_nobody_with_it(parent: sandbox.ForkServer) -> None:
    parent.preload(())
    with kernel.start_kernel(setup(parent)) as bystander:
        bystander.run(cells("import numpy as np\nx = np.ones(1)"), blank=frozenset())
        record, _ = run(parent, "import os; os.kill(os.getpid(), 9)", "x = 1")
        answer = bystander.ask((Question(id="a", kind="arrays"),))["a"]

    assert [cell.status.value for cell in record.cells] == ["struck_out", "ran"]
    assert answer.arrays["x"].tolist() == [1]


def test_a_parent_that_dies_is_started_again_and_no_cell_is_blamed(
    parent: sandbox.ForkServer,
) -> None:
    parent.preload(("colorsys",))
    lives = parent.generation
    os.kill(parent.pid, signal.SIGKILL)

    record, found = run(parent, LOADED)

    assert [cell.status.value for cell in record.cells] == ["ran"]
    assert found["had"] == 1
    assert parent.generation == lives + 1


def test_what_a_notebook_started_ends_with_it(parent: sandbox.ForkServer) -> None:
    parent.preload(())
    with kernel.start_kernel(setup(parent)) as live:
        live.run(cells(DAEMON), blank=frozenset())
        started = descendants(parent.pid)
        assert any("-c" in command_line(pid) for pid in started)

    assert holds_within(30, lambda: not any("-c" in command_line(pid) for pid in started))


def test_nothing_outlives_a_grader_that_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import sys, tempfile
        tempfile.tempdir = {str(tmp_path)!r}
        from grader import kernel, sandbox
        from grader.model import Cell, Limits, Question
        with sandbox.start_fork_server(sandbox.survey_interpreter(sys.executable)) as parent:
            parent.preload(())
            setup = kernel.KernelSetup(
                fork_server=parent, seed=1, record=(), limits=Limits()
            )
            with kernel.start_kernel(setup) as live:
                live.run((Cell(index=0, kind="code", source={DAEMON!r}),), blank=frozenset())
                print("ready", flush=True)
                hang = Cell(index=0, kind="code", source="while True: pass")
                live.run((hang,), blank=frozenset())
        """
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        assert grader.stdout.readline() == "ready\n"
        time.sleep(0.5)
        pids = descendants(grader.pid)
        grader.kill()

    assert len(pids) >= 3
    assert holds_within(30, lambda: not any(is_alive(pid) for pid in pids))
    assert holds_within(30, lambda: list(tmp_path.iterdir()) == [])


def test_where_forking_is_not_possible_kernels_start_cold(
    parent: sandbox.ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox.fork_client, "CAN_FORK", False)

    warmed = parent.preload(("colorsys",))
    record, found = run(parent, LOADED)

    assert "cannot fork" in warmed.cold_reason
    assert [cell.status.value for cell in record.cells] == ["ran"]
    assert found["had"] == 0


def test_an_interpreter_that_lacks_packages_is_refused_in_one_sentence(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True
    )
    bare = str(tmp_path / "bare" / "bin" / "python")

    with pytest.raises(UsageError) as told:
        sandbox.survey_interpreter(bare)

    assert str(told.value) == (
        f"{bare} lacks ipykernel, nbclient, numpy, safetensors, which notebooks are run with: "
        f"{bare} -m pip install ipykernel nbclient numpy safetensors"
    )


@pytest.mark.parametrize("word", ["/bin/true", "/no/such/python"])
def test_what_is_no_interpreter_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="cannot be used as a Python interpreter"):
        sandbox.survey_interpreter(word)


def test_pipes_that_cannot_be_passed_on_cost_one_room_and_no_other(
    parent: sandbox.ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise OSError("too many references")

    parent.preload(())
    with kernel.start_kernel(setup(parent)) as live:
        with monkeypatch.context() as patched:
            patched.setattr("socket.send_fds", refused)
            with pytest.raises(WireError), parent.open_sandbox(LIMITS):
                pass
        record = live.run(cells("x = 1"), blank=frozenset())
    assert record.cells[0].status.value == "ran"
    assert parent.generation == 1


def test_no_two_rooms_at_a_time_are_of_one_user(
    parent: sandbox.ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = []
    real = WallPlan.as_order

    def as_order(plan: WallPlan, *, slot: int) -> dict[str, Json]:
        places.append(slot)
        return real(plan, slot=slot)

    monkeypatch.setattr(WallPlan, "as_order", as_order)
    with parent.open_sandbox(LIMITS):
        for _ in range(3):
            with parent.open_sandbox(LIMITS):
                pass

    assert places == [0, 1, 1, 1]
    uids = [FIRST_UID + (SLOTS * os.getpid() + place) % UIDS for place in range(SLOTS)]
    assert len(set(uids)) == SLOTS
