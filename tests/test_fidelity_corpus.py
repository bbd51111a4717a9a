"""A right notebook with odd cells is worth the same, and told the same, at every level."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import tiny_course
from fidelity_corpus import CORPUS, Odd, named
from fidelity_runs import GradedOdd, grade_corpus
from levels import LEVELS, Level

from grader.errors import IsolationError

DOCS = Path(__file__).parent.parent / "docs"
LEAST_NOTEBOOKS = 60


@pytest.fixture(scope="module")
def fidelity_page() -> ModuleType:
    """What makes the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(DOCS), *sys.path])
        return importlib.import_module("make_fidelity")


def test_the_corpus_is_large_enough() -> None:
    assert len(named()) >= LEAST_NOTEBOOKS
    assert len(set(named().values())) == len(named())
    assert min(map(len, CORPUS.values())) > 1


@pytest.fixture(
    scope="module",
    params=[
        "reduced",
        pytest.param("full", marks=pytest.mark.slow),
        pytest.param("namespaces", marks=pytest.mark.slow),
        pytest.param("none", marks=pytest.mark.slow),
    ],
)
def graded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, GradedOdd]:
    """The corpus, graded at one level."""
    level: Level = request.param
    try:
        return grade_corpus(tmp_path_factory.mktemp("fidelity") / "course", level)
    except IsolationError as error:
        pytest.skip(str(error))


@pytest.mark.kernel
def test_no_level_takes_or_gives_points(graded: Mapping[str, GradedOdd]) -> None:
    told = {name: (one.points, one.waiting, len(one.failing)) for name, one in graded.items()}

    assert told == {
        name: (entry.points(), entry.waits, entry.fails) for name, entry in named().items()
    }


@pytest.mark.kernel
def test_every_level_tells_what_the_page_shows(
    graded: Mapping[str, GradedOdd], fidelity_page: ModuleType
) -> None:
    text = (DOCS / "fidelity.md").read_text(encoding="utf-8")

    def row(entry: Odd, one: GradedOdd) -> str:
        line: str = fidelity_page.line(entry, dict.fromkeys(LEVELS, one))
        return line

    rows = [row(entry, graded[name]) for name, entry in named().items()]
    assert [row for row in rows if row not in text] == [], "run `make fidelity`, and look"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[int, ...]]:
    """The cells that fail in a plain run, by notebook; notebooks that install are left out."""
    folder = tmp_path_factory.mktemp("plain")
    for name, entry in named().items():
        if not entry.never_plain:
            text = json.dumps(tiny_course.notebook(*entry.notebook()))
            (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
    program = Path(__file__).parent / "plain_jupyter.py"
    # Beneath pytest, ipykernel shows less of what child processes print.
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    command = [sys.executable, str(program), str(folder)]
    subprocess.run(command, check=True, env=environment)
    found = json.loads((folder / "plain.json").read_text(encoding="utf-8"))
    return {name: tuple(cells) for name, cells in found.items()}


@pytest.mark.kernel
@pytest.mark.slow
def test_the_same_cells_fail_as_in_plain_jupyter(
    graded: Mapping[str, GradedOdd], plain: Mapping[str, tuple[int, ...]]
) -> None:
    others = {
        name
        for name, failing in plain.items()
        if failing != graded[name].failing and not named()[name].differs
    }
    same = {
        name
        for name, failing in plain.items()
        if failing == graded[name].failing and named()[name].differs
    }

    assert (others, same) == (set(), set())
