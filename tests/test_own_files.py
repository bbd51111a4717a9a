"""A notebook's own files and its own Python: no module of ours is in their way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from neutralized import LEVELS, Notebooks, failures, notebooks

import grader
from grader.model import Question
from grader.sandbox import IsolationLevel

pytestmark = pytest.mark.kernel

HOUSE = Path(grader.__file__).parent
OURS = sorted(
    {path.stem for path in HOUSE.rglob("*.py") if not path.stem.startswith("__")}
    | {path.parent.name for path in HOUSE.rglob("__init__.py")}
)
"""Names of every module and package of this program."""
SELF_CHECK = "import grader; assert grader.check('A') and grader.check_all().passed"
IMPORT_ALL = f"""
import importlib
for name in {OURS!r}:
    assert importlib.import_module(name).value == 41, name
from inside import value
"""
OWN_PYTHON = (
    "import os, subprocess, sys",
    "%%writefile x.py\nimport sys\nvalue = 5\nprint(sys.prefix, *sys.argv[1:])",
    "import x; assert x.value == 5",
    "%run x.py\nassert value == 5",
    "ran = subprocess.run(['python', 'x.py', 'a'], capture_output=True, text=True, check=True)",
    "assert ran.stdout.split() == [sys.prefix, 'a'], ran.stdout",
    "assert os.popen('python3 x.py').read().split() == [sys.prefix]",
    "assert os.popen(f'{sys.executable} x.py b').read().split() == [sys.prefix, 'b']",
    "%%bash\npython x.py c > c.txt",
    "assert open('c.txt').read().split() == [sys.prefix, 'c']",
    "assert subprocess.run(['python', '-c', 'import numpy, x'], check=True).returncode == 0",
    "%%writefile grader.py\nanswer = 42",
    "import grader; assert grader.answer == 42",
    "%%writefile test.py\nanswer = 43",
    "import test; assert test.answer == 43",
)


@pytest.fixture(scope="module", params=LEVELS)
def level(request: pytest.FixtureRequest) -> Iterator[Notebooks]:
    with notebooks(request.param) as started:
        yield started


def test_the_notebooks_own_python_runs_its_files(level: Notebooks) -> None:
    with level.run(*OWN_PYTHON) as (record, _):
        assert failures(record, OWN_PYTHON) == {}


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_files_called_as_modules_of_ours_are_the_notebooks(tmp_path: Path, *, warm: bool) -> None:
    file = tmp_path / "helper.py"
    file.write_text("value = 41\n", encoding="utf-8")
    files = {f"{name}.py": file for name in OURS}
    with notebooks(IsolationLevel.NONE, warm=warm) as started:
        with started.run(IMPORT_ALL, files=files) as (record, _):
            assert failures(record, (IMPORT_ALL,)) == {}
        nothing = "try: import inside\nexcept ModuleNotFoundError: pass\nelse: assert False"
        with started.run(SELF_CHECK, nothing) as (record, _):
            assert failures(record, (SELF_CHECK, nothing)) == {}


def test_a_package_called_as_ours_hides_it(tmp_path: Path) -> None:
    file = tmp_path / "helper.py"
    file.write_text("value = 41\n", encoding="utf-8")
    files = {f"inside/{name}.py": file for name in ("__init__", "probe", "frames")}
    source = "from inside import frames, probe; assert frames.value == probe.value == 41"
    with (
        notebooks(IsolationLevel.NONE) as started,
        started.run(source, files=files) as (record, live),
    ):
        assert failures(record, (source,)) == {}
        assert live.ask((Question(id="notes", kind="notes"),))["notes"].status == "ok"
