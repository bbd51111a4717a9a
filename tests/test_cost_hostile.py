"""What a notebook can do to the grader's own time: no kernel's limit holds where it is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from processor_time import within
from test_checks import evidence

from grader.checks.execution import own_failures
from grader.errors import NotebookError
from grader.model import Cell, CellError, CellRun, CellStatus, ExecutionRecord, Notebook
from grader.notebook import assigning_cells, find_definitions, read_notebook
from grader.notebook.notebook_file import MAX_SOURCE


def book(*sources: str) -> Notebook:
    return Notebook(
        cells=tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources)),
        sha256="0",
    )


def test_a_long_chain_of_failures_is_one_failure_told_in_time() -> None:
    count = 1500
    chain = book(*(f"x{i} = x{i - 1}" for i in range(count)))
    runs = tuple(
        CellRun(
            index=i,
            status=CellStatus.RAISED,
            error=CellError(name="NameError", message=f"name 'x{i - 1}' is not defined"),
        )
        for i in range(count)
    )
    seen = replace(evidence(), notebook=chain, record=ExecutionRecord(cells=runs))

    with within(8):
        assert [run.index for run in own_failures(seen)] == [0]


def test_every_check_may_ask_a_large_notebook_for_its_names() -> None:
    large = book(*(f"x{i} = 1\n" * 300 for i in range(150)))

    with within(8):
        for number in range(30):
            assert assigning_cells(large, f"x{number}") == (number,)


def test_fields_of_an_f_string_are_not_counted_at_any_price() -> None:
    fields = "{a}" * 20_000
    strings = book(*(f"x{i} = f'{fields}'" for i in range(5)))

    with within(1):
        assert assigning_cells(strings, "x3") == (3,)
        assert len(find_definitions(strings, ("x3", "x4"))) == 2


def test_more_code_than_anybody_types_is_refused(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = 1\n" * 20_000}
    cells = [cell] * (MAX_SOURCE // 120_000 + 1)
    path = tmp_path / "long.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}), encoding="utf-8")

    with pytest.raises(NotebookError, match="The text of all cells together is longer"):
        read_notebook(path)
