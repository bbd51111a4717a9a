"""Cells are named as Jupyter shows them, whatever stands between them."""

from __future__ import annotations

import pytest

from grader.model import CellRun, CellStatus, ExecutionRecord, Notebook
from grader.model.submission import Cell
from grader.pipeline.provenance import record_for_grade
from grader.report.cell_labels import CellLabels

SOURCES = (
    ("markdown", "# Title"),
    ("code", ""),
    ("code", "\n  import torch\nx = 1"),
    ("markdown", "Q1"),
    ("markdown", "An answer."),
    ("code", "   \n"),
    ("code", "# Fill in\ny = 2"),
)


def notebook() -> Notebook:
    cells = tuple(
        Cell(index=index, kind=kind, source=source) for index, (kind, source) in enumerate(SOURCES)
    )
    return Notebook(cells=cells, sha256="")


def names() -> CellLabels:
    runs = tuple(
        CellRun(index=cell.index, status=CellStatus.RAN, shown="output")
        for cell in notebook().code_cells()
    )
    record = record_for_grade(ExecutionRecord(cells=runs), notebook=notebook())
    assert not any(run.shown for run in record.cells)
    return CellLabels(record.cells)


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "the 1st cell of the file"),
        (1, "the 2nd cell of the file"),
        (2, "cell In [1]"),
        (3, "the 1st cell after In [1]"),
        (5, "the 3rd cell after In [1]"),
        (6, "cell In [2]"),
        (17, "the 11th cell after In [2]"),
        (28, "the 22nd cell after In [2]"),
    ],
)
def test_a_cell_is_found_by_its_name(index: int, name: str) -> None:
    assert names().name(index) == name


def test_the_first_line_that_is_not_blank_is_quoted() -> None:
    assert [names().first_line(index) for index in (1, 2, 4, 6)] == [
        "",
        "import torch",
        "",
        "# Fill in",
    ]


@pytest.mark.parametrize(
    ("says", "reads"),
    [
        ("blocked by cell 2 (NameError)", "blocked by cell In [1] (NameError)"),
        ("Cell 6 was left out.", "Cell In [2] was left out."),
        ("cells 2 and 6", "cells In [1] and In [2]"),
        ("Cells 2, 4 and 6 were", "Cells In [1], the 2nd cell after In [1] and In [2] were"),
        ("cell 2, 6: no", "cells In [1] and In [2]: no"),
        ("Cells 4 and 2 are", "The 2nd cell after In [1] and In [1] are"),
        ("cells 2, 6 and 12 more", "cells In [1] and In [2] and 12 more"),
        ("1 of 6 cells failed", "1 of 6 cells failed"),
        ("a cellar 2, cell In [2], cell x", "a cellar 2, cell In [2], cell x"),
    ],
)
def test_sentences_name_cells_the_same_way(says: str, reads: str) -> None:
    assert names().rename(says) == reads


def test_a_grade_from_before_cells_had_numbers_keeps_their_positions() -> None:
    old = CellLabels((CellRun(index=3, status=CellStatus.RAN),))

    assert (old.name(3), old.name(1)) == ("cell 3", "cell 1")
    assert old.rename("Cells 1 and 3 differ.") == "Cells 1 and 3 differ."


def test_cells_of_several_notebooks_say_which() -> None:
    runs = [
        CellRun(index=index, status=CellStatus.RAN, number=number, notebook=notebook_id)
        for index, number, notebook_id in ((1, 1, "a"), (2, 2, "a"), (6, 1, "b"))
    ]
    joined = CellLabels(runs)

    assert joined.name(2) == "cell In [2] of 'a'"
    assert joined.name(6) == "cell In [1] of 'b'"
    assert joined.name(4) == "a cell between In [2] of 'a' and In [1] of 'b'"
    assert joined.name(8) == "the 2nd cell after In [1] of 'b'"


def test_a_cell_with_a_comment_alone_has_a_number_and_no_row() -> None:
    ran = CellRun(index=0, status=CellStatus.RAN)
    comment = CellRun(index=1, status=CellStatus.SKIPPED)
    cells = (Cell(index=0, kind="code", source="x = 1"), Cell(index=1, kind="code", source="# 2"))
    record = record_for_grade(
        ExecutionRecord(cells=(ran, comment)), notebook=Notebook(cells=cells, sha256="")
    )
    labels = CellLabels(record.cells)

    assert labels.name(1) == "cell In [2]"
    assert (0 in labels, 1 in labels) == (True, False)  # the page lists what ran, and links to that
