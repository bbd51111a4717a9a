"""Notebooks of the first assignment are worth the same at every level, and fail as in Jupyter."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from grading import ROOT, Run, grade
from test_examples import name_in
from variants import VARIANTS, build

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

EXAMPLES = ROOT / "examples" / "submissions"
STRIDE = 4
"""One variant of so many is graded at every level."""
INSTALL = re.compile(r"^[!%]pip .*$", re.MULTILINE)
"""Lines that would change this Python; they never fail in Jupyter."""
DIFFERS = {"Copy of HW 5.ipynb": "nbconvert has no keyboard; here `input()` is answered"}
"""Examples in which other cells fail than in plain Jupyter, and why."""


@pytest.fixture(scope="module")
def homework(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All examples, and some variants, in one folder."""
    folder = tmp_path_factory.mktemp("homework")
    for path in EXAMPLES.iterdir():
        shutil.copy(path, folder)
    for number, variant in enumerate(VARIANTS[::STRIDE]):
        nbformat.write(  # type: ignore[no-untyped-call]
            build(variant), folder / f"variant{number:03}.ipynb"
        )
    return folder


@pytest.fixture(scope="module")
def at_full(homework: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The homework, graded behind all walls."""
    return graded(homework, tmp_path_factory.mktemp("full"), "full")


def graded(homework: Path, folder: Path, level: str) -> Run:
    run = grade(homework, out=folder / "graded", options=("--isolation", level))
    if run.code == 2 and "isolation" in run.stderr:
        pytest.skip(f"{level} does not hold here")
    return run


def results(run: Run) -> Mapping[str, Mapping[str, Any]]:
    paths = sorted((run.out / "results").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def earned(run: Run) -> Mapping[str, list[tuple[str, str, float | None]]]:
    return {
        name: [(item["id"], item["verdict"], item["earned"]) for item in result["items"]]
        for name, result in results(run).items()
    }


@pytest.mark.parametrize("level", ["namespaces", "reduced"])
def test_no_level_takes_or_gives_points(
    homework: Path, at_full: Run, tmp_path: Path, level: str
) -> None:
    found = earned(graded(homework, tmp_path, level))

    assert len(found) == len(list(EXAMPLES.iterdir())) + len(VARIANTS[::STRIDE])
    assert found == earned(at_full)


def test_the_same_cells_of_the_examples_fail_as_in_plain_jupyter(
    at_full: Run, tmp_path: Path
) -> None:
    """The handout imports torchvision and uses nothing of it: an empty module stands for it."""
    folder = tmp_path / "examples"
    folder.mkdir()
    names = {}
    for path in EXAMPLES.iterdir():
        text = path.read_text(encoding="utf-8")
        if text.lstrip().startswith("{"):  # one is no notebook
            notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
            for cell in notebook.cells:
                cell.source = INSTALL.sub("pass", cell.source)
            names[path.name] = name_in(at_full, path.name)
            nbformat.write(  # type: ignore[no-untyped-call]
                notebook, folder / f"{names[path.name]}.ipynb"
            )
    stand_in = tmp_path / "packages" / "torchvision" / "transforms"
    stand_in.mkdir(parents=True)
    for place in (stand_in.parent / "__init__.py", stand_in / "__init__.py"):
        place.touch()
    (stand_in / "functional.py").touch()
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    environment |= {"PYTHONPATH": str(tmp_path / "packages"), "MPLBACKEND": "agg"}
    program = str(ROOT / "tests" / "plain_jupyter.py")
    subprocess.run([sys.executable, program, str(folder)], check=True, env=environment)
    plain = json.loads((folder / "plain.json").read_text(encoding="utf-8"))
    ours = {
        name: [cell["index"] for cell in result["cells"] if cell["status"] not in {"ran", "empty"}]
        for name, result in results(at_full).items()
    }

    others = {file for file, name in names.items() if plain[name] != ours[name]}
    assert others == set(DIFFERS)
