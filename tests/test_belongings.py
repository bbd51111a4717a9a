"""Files beside a notebook: there when it runs, its own copies, and nobody else's."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import lms
import pytest

from grader import kernel, sandbox
from grader.errors import IsolationError
from grader.model import Cell, CellStatus, ExecutionRecord, Limits, Observation, Question
from grader.sandbox import IsolationLevel, IsolationRequest
from grader.sandbox.fork_client import ForkServer

pytestmark = pytest.mark.kernel


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


def setup(parent: ForkServer, files: Mapping[str, Path]) -> kernel.KernelSetup:
    limits = Limits(disk_mb=64)
    return kernel.KernelSetup(fork_server=parent, seed=1, record=(), limits=limits, files=files)


def run(
    parent: ForkServer, files: Mapping[str, Path], *sources: str
) -> tuple[ExecutionRecord, Observation]:
    cells = tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))
    with kernel.start_kernel(setup(parent, files)) as live:
        record = live.run(cells, blank=frozenset())
        return record, live.ask((Question(id="a", kind="arrays"),))["a"]


READS = """
import os, helpers, numpy as np
text = open('data/points.csv').read()
big = np.array([os.path.getsize('big.bin'), len(open('empty').read())])
right = np.array([text == '1,2', helpers.answer == 42])
with open('data/points.csv', 'a') as file:
    file.write('changed')
open('new.txt', 'w').write('x')
"""


def test_files_are_there_when_it_runs_and_its_own(parent: ForkServer, tmp_path: Path) -> None:
    big = b"0123456789abcdef" * (640 * 1024)
    tree: lms.Tree = {
        "data/points.csv": "1,2",
        "helpers.py": "answer = 42",
        "big.bin": big,
        "empty": "",
        "name with 'quotes'\nand a line.txt": "x",
    }
    place = lms.laid_out(tmp_path, tree)
    files = {name: place / name for name in tree} | {"gone.csv": place / "gone.csv"}

    record, answer = run(parent, files, READS)

    assert record.cells[0].status is CellStatus.RAN, record.cells[0].error
    assert answer.arrays["big"].tolist() == [len(big), 0]
    assert answer.arrays["right"].tolist() == [1, 1]
    assert (place / "data" / "points.csv").read_text(encoding="utf-8") == "1,2"
    assert {p.name for p in place.iterdir()} == {Path(name).parts[0] for name in tree}


def test_a_notebook_that_is_run_again_finds_them_as_they_were(
    parent: ForkServer, tmp_path: Path
) -> None:
    place = lms.laid_out(tmp_path, {"data.csv": "1,2"})
    kills = "import os\nopen('data.csv', 'w').write('gone')\nos._exit(1)"
    reads = "import numpy as np\nsame = np.array([open('data.csv').read() == '1,2'])"

    record, answer = run(parent, {"data.csv": place / "data.csv"}, kills, reads)

    assert [cell.status for cell in record.cells] == [CellStatus.STRUCK_OUT, CellStatus.RAN]
    assert answer.arrays["same"].tolist() == [1]


SEEKS = """
import os, numpy as np
found = 0
for root in ('/', os.getcwd(), '/proc/1/root', '/tmp'):
    for place, folders, files in os.walk(root, onerror=None):
        folders[:] = [f for f in folders if f not in ('usr', 'sys', 'lib', 'opt')]
        for name in files:
            if name == 'secret-of-ada.csv':
                try:
                    found += 'ada' in open(os.path.join(place, name)).read()
                except OSError:
                    pass
found = np.array([found])
"""


def test_no_notebook_finds_what_lies_beside_another(parent: ForkServer, tmp_path: Path) -> None:
    place = lms.laid_out(tmp_path, {"secret-of-ada.csv": "ada"})
    files = {"secret-of-ada.csv": place / "secret-of-ada.csv"}
    there = "import numpy as np\nmine = np.array([open('secret-of-ada.csv').read() == 'ada'])"

    with kernel.start_kernel(setup(parent, files)) as ada:
        ada.run((Cell(index=0, kind="code", source=there),), blank=frozenset())
        mine = ada.ask((Question(id="a", kind="arrays"),))["a"]
        record, answer = run(parent, {}, SEEKS)

    assert mine.arrays["mine"].tolist() == [1]
    assert record.cells[0].status is CellStatus.RAN, record.cells[0].error
    assert answer.arrays["found"].tolist() == [0]


def test_cold_kernels_have_them_too(tmp_path: Path) -> None:
    place = lms.laid_out(tmp_path, {"data.csv": "1" * (3 * 2**20)})
    source = "import os, numpy as np\nsize = np.array([os.path.getsize('data.csv')])"
    try:
        with sandbox.start_fork_server(sandbox.survey_interpreter(sys.executable)) as parent:
            _, answer = run(parent, {"data.csv": place / "data.csv"}, source)
    except IsolationError as error:
        pytest.skip(str(error))

    assert answer.arrays["size"].tolist() == [3 * 2**20]
