"""Real notebooks in real kernels, one for each way to go wrong."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader import kernel, sandbox
from grader.checks.check import RECORDING_QUESTION
from grader.checks.recording import read_recording
from grader.kernel.cell_runs import bound_output, read_cell_run
from grader.model import Cell, CellStatus, ExecutionRecord, Limits, Observation, Question

pytestmark = pytest.mark.kernel

LIMITS = Limits(cell_s=3, submission_s=60, question_s=2)


Run = Callable[..., ExecutionRecord]
Prepare = Callable[..., kernel.KernelSetup]


@pytest.fixture(scope="module")
def setup() -> Iterator[Prepare]:
    """Makes setups whose kernels are forked from one warm parent."""
    with sandbox.start_fork_server(sandbox.survey_interpreter(sys.executable)) as parent:
        parent.preload(("numpy",))

        def prepare(limits: Limits = LIMITS) -> kernel.KernelSetup:
            return kernel.KernelSetup(
                fork_server=parent,
                seed=16,
                record=("loss",),
                limits=limits,
            )

        yield prepare


@pytest.fixture(scope="module")
def run(setup: Prepare) -> Run:
    """Runs cells and says how they went."""

    def run(*sources: str, limits: Limits = LIMITS) -> ExecutionRecord:
        with kernel.start_kernel(setup(limits)) as live:
            return live.run(code(*sources), blank=frozenset())

    return run


def code(*sources: str) -> tuple[Cell, ...]:
    return tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))


def statuses(record: ExecutionRecord) -> list[str]:
    return [cell.status.value for cell in record.cells]


@pytest.fixture(scope="module")
def asked(setup: Prepare) -> Iterator[dict[str, Observation]]:
    """A notebook that hangs, dies and lies when it is asked, and answers in between."""
    sources = """
import os, time
import numpy as np
def hangs(x):
    while True: pass
def dies(x): os._exit(1)
def raises(x): raise ValueError('no such /home/me/thing at 0x7fffdeadbeef')
def lies(x): return 'a string'
def doubles(x): return 2 * x
a = np.arange(4.0)
pair = (a, a + 1)
_hidden = a
"""
    names = ["hangs", "doubles", "dies", "raises", "lies", "absent"]
    questions = tuple(
        Question(
            id=name,
            kind="function",
            params={"name": name, "args": ["x"], "tensors": False},
            arrays={"x": np.ones(2)},
        )
        for name in names
    )
    with kernel.start_kernel(setup()) as live:
        live.run(code(sources), blank=frozenset())
        yield dict(live.ask((*questions, Question(id="arrays", kind="arrays"))))


def test_what_each_cell_did_is_told(run: Run) -> None:
    record = run(
        "import sys; print('noise', file=sys.stderr); x = 1",
        "1 / 0",
        "assert x == 1\nraise KeyError('a')",
        "!pip install torch",
        "%pip install torch\nimport pycaret.transforms.functional as TF",
        "TF.resize(1)",
        "from google.colab import drive, files\ndrive.mount('/content')\nfiles.upload()",
        "n = int(input('how many? '))",
        "import grader\ngrader.check('Q1'); grader.check_all()",
    )

    assert statuses(record) == ["ran", "raised", "raised", "ran", "ran", "raised"] + ["ran"] * 3
    error = record.cells[2].error
    assert error is not None
    assert (error.name, error.line) == ("KeyError", 2)
    assert record.cells[3].notes == (
        "`!pip install torch` was left out: nothing is installed where notebooks are graded.",
    )
    assert any("The import was skipped" in note for note in record.cells[4].notes)
    assert record.cells[5].error is not None
    assert "not installed where notebooks are graded" in record.cells[5].error.message
    assert len(record.cells[6].notes) == 3  # the third says that no file came with the notebook
    assert record.cells[7].notes == ("input() was answered with '1'",)


def test_a_cell_that_hangs_is_interrupted_and_the_next_one_runs(run: Run) -> None:
    record = run("while True: pass", "x = 1")

    assert statuses(record) == ["timed_out", "ran"]
    assert record.cells[0].error is not None
    assert "3 s" in record.cells[0].error.message


def test_a_cell_that_swallows_the_interrupt_is_struck_out(run: Run) -> None:
    stubborn = (
        "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException: pass"
    )

    record = run("x = 1", stubborn, "assert x == 1")

    assert statuses(record) == ["ran", "struck_out", "ran"]


def test_a_cell_that_kills_its_kernel_is_struck_out(run: Run) -> None:
    record = run("x = 1", "import os; os._exit(3)", "assert x == 1")

    assert statuses(record) == ["ran", "struck_out", "ran"]


def test_a_notebook_out_of_time_keeps_what_it_did(run: Run) -> None:
    limits = Limits(cell_s=5, submission_s=2, question_s=2)

    record = run("x = 1", "import time; time.sleep(60)", "y = 2", limits=limits)

    assert statuses(record) == ["ran", "timed_out", "not_reached"]


def test_shadowed_builtins_and_a_lost_stdout_harm_nothing(run: Run) -> None:
    record = run(
        "list = str = len = max = id = input = dict = print = None",
        "import sys; sys.stdout = None",
        "import warnings; warnings.simplefilter('error')",
        "x = [1, 2]",
    )

    assert statuses(record) == ["ran"] * 4


def test_randomness_is_seeded_before_the_first_cell(setup: Prepare) -> None:
    source = "import random, numpy as np\na = np.array([random.random(), np.random.rand()])"
    found = []
    for _ in range(2):
        with kernel.start_kernel(setup()) as live:
            live.run(code(source), blank=frozenset())
            answer = live.ask((Question(id="a", kind="arrays"),))["a"]
            found.append(answer.arrays["a"].tolist())

    assert found[0] == found[1]


def test_a_print_flood_is_bounded(run: Run) -> None:
    record = run("for _ in range(200_000): print('x' * 200)", "x = 1", limits=Limits(cell_s=20))

    assert record.cells[1].status is CellStatus.RAN


def test_nothing_of_ours_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        sandbox.start_fork_server(sandbox.survey_interpreter(sys.executable)) as parent,
        kernel.start_kernel(
            kernel.KernelSetup(fork_server=parent, seed=16, record=(), limits=LIMITS)
        ) as live,
    ):
        live.run(code("open('left', 'w').write('x')"), blank=frozenset())
        pid = parent.pid

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_question_that_hangs_or_dies_costs_only_itself(asked: dict[str, Observation]) -> None:
    assert {name: answer.status for name, answer in asked.items()} == {
        "hangs": "timed_out",
        "doubles": "ok",
        "dies": "died",
        "raises": "raised",
        "lies": "raised",
        "absent": "missing",
        "arrays": "ok",
    }
    assert asked["doubles"].arrays["out0"].tolist() == [2, 2]


def test_errors_are_scrubbed_of_paths_and_addresses(asked: dict[str, Observation]) -> None:
    """Of this machine's paths, that is, and not of those that the notebook names."""
    assert asked["raises"].error == "ValueError: no such /home/me/thing at 0x…"


def test_arrays_of_tuples_are_found_and_hidden_names_left_out(
    asked: dict[str, Observation],
) -> None:
    assert set(asked["arrays"].arrays) == {"a", "pair/0", "pair/1"}


WEIGHTS = """
import torch
def train(layer):
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(torch.ones(1, layer.in_features)).sum().backward()
    optimizer.step()
for sizes in ((200, 150), (150, 200), (20, 10)):
    train(torch.nn.Linear(*sizes))
"""


def test_large_weights_of_shapes_that_no_check_looks_at_are_not_kept(setup: Prepare) -> None:
    patient = setup(Limits(cell_s=60, submission_s=90, question_s=10))  # it imports torch
    with kernel.start_kernel(replace(patient, weight_shapes=((150, 200),))) as live:
        live.run(code(WEIGHTS), blank=frozenset())
        told = live.ask((RECORDING_QUESTION,))[RECORDING_QUESTION.id]

    starts = [module.start for module in read_recording(told, cells=(0,)).modules]
    kept = [{weight.shape for weight in start.weights or ()} for start in starts if start]
    assert kept == [{(150, 200), (150,)}, {(200,)}, {(10, 20), (10,)}]


AGAIN = """
import sys, time
probe, frames = sys.modules["inside.probe"], sys.modules["inside.frames"]
def serve_batch(notebook, header, arrays, out, *, trusted):
    question = header["questions"][0]
    for _ in range(200):
        head = {"id": question["id"], "nonce": question["nonce"], "status": "ok", "data": {}}
        frames.send(out, head)
        time.sleep(1)
probe.serve_batch = serve_batch
"""


def test_an_answer_that_comes_again_and_again_ends_the_asking(setup: Prepare) -> None:
    with kernel.start_kernel(setup()) as live:
        began = time.monotonic()
        live.run(code(AGAIN), blank=frozenset())
        answers = live.ask((Question(id="arrays", kind="arrays"),))
    assert time.monotonic() - began < 100
    assert answers["arrays"].status == "not_asked"


MANY = """
def many(x): return [float(i) for i in range(5000)]
def doubles(x): return 2 * x
a = 2 * [0]
import numpy as np
b = np.arange(4.0)
"""


def test_an_answer_of_too_many_parts_costs_only_that_question(setup: Prepare) -> None:
    questions = tuple(
        Question(
            id=name,
            kind="function",
            params={"name": name, "args": ["x"], "tensors": False},
            arrays={"x": np.ones(2)},
        )
        for name in ("many", "doubles")
    )
    with kernel.start_kernel(setup()) as live:
        live.run(code(MANY), blank=frozenset())
        answers = live.ask((*questions, Question(id="arrays", kind="arrays")))
        again = live.ask((Question(id="arrays", kind="arrays"),))

    assert [answer.status for answer in answers.values()] == ["invalid", "ok", "ok"]
    assert answers["many"].data == {"refused": "more arrays than allowed"}
    assert answers["doubles"].arrays["out0"].tolist() == [2, 2]
    assert again["arrays"].arrays["b"].tolist() == [0, 1, 2, 3]


def test_an_answer_of_too_many_bytes_costs_only_that_question(setup: Prepare) -> None:
    source = "import numpy as np\ndef vast(x): return np.zeros(200 * 2**20, dtype='int8')"
    vast = Question(
        id="vast",
        kind="function",
        params={"name": "vast", "args": ["x"], "tensors": False},
        arrays={"x": np.ones(2)},
    )
    limits = Limits(cell_s=20, submission_s=60, question_s=60)
    with kernel.start_kernel(setup(limits)) as live:
        live.run(code(source), blank=frozenset())
        answers = live.ask((vast, Question(id="arrays", kind="arrays")))

    assert [answer.status for answer in answers.values()] == ["invalid", "ok"]


def test_what_cells_show_comes_out_as_text_and_types_within_bounds(run: Run) -> None:
    flood = "for n in range(30000): print(n)"
    picture = (
        "from IPython.display import HTML, Image, display\n"
        "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n', format='png'))\ndisplay(HTML('<b>x</b>'))"
    )
    both = "import sys\nprint('\\x1b[31m0.5\\x1b[0m', file=sys.stderr)\n0.25"
    record = run("print('a 0.9193')", both, flood, picture, "x = 1", *[flood] * 20)
    shown = [cell.shown for cell in record.cells]

    assert record.heard
    assert shown[0] == "a 0.9193\n"
    assert shown[1].replace("\n", "") == "0.50.25"
    assert len(shown[2]) <= 16_000
    assert shown[2].startswith("0\n1\n")
    assert shown[2].endswith("\n29999\n")
    assert "[…]" in shown[2]
    assert record.cells[3].media == ("image/png", "text/html")
    assert (shown[4], record.cells[4].media) == ("", ())
    assert sum(map(len, shown)) <= 200_000


LIES: list[object] = [
    None,
    7,
    [],
    {},
    {"text": None},
    {"text": 7, "media": 7},
    {"text": [], "media": [[], 7]},
]


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_what_a_cell_shows_is_a_bounded_text(lie: object) -> None:
    (cell,) = code("x")
    told = read_cell_run({"seconds": 1, "shown": lie}, cell, limits=LIMITS)

    assert isinstance(told.shown, str)
    assert all(isinstance(kind, str) for kind in told.media)


def test_what_all_cells_show_is_bounded_on_our_side_too() -> None:
    cells = code(*["x"] * 40)
    lie = {"text": "0.5 " * 50_000, "media": ["image/png" * 500] * 500}
    told = [read_cell_run({"seconds": 1, "shown": lie}, cell, limits=LIMITS) for cell in cells]

    assert sum(len(run.shown) for run in bound_output(told)) <= 300_000
    assert len(told[0].media) <= 50
    assert len(told[0].media[0]) <= 100


def test_the_line_of_a_syntax_error_is_told_once(run: Run) -> None:
    error = run("y = 1\nx = = 1").cells[0].error

    assert error is not None
    assert (error.message, error.line) == ("invalid syntax", 2)
