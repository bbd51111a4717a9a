"""Checks a saved notebook: reads it, runs it, asks it, judges it by the public checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.model import Cell, Notebook
from grader.notebook import read
from grader.selfcheck.local_run import run
from grader.selfcheck.public_findings import Checked, Seen, judge
from grader.selfcheck.public_rubric import Public
from grader.selfcheck.submission_warnings import warnings

_LONGEST = 40
"""Characters of a cell's first line that are shown."""


def check_file(path: Path, *, public: Public) -> Checked:
    """What the public checks make of a file, and what to mind before it is handed in.

    Raises:
        NotebookError: it can't be read as a notebook.
        KernelError: no kernel came up to run it.
    """
    notebook = read(path)
    ran = run(
        notebook,
        rubric=public.rubric,
        asked=public.checks.questions,
        folder=path.resolve().parent,
    )
    saved = (output.text for cell in notebook.code() for output in cell.outputs)
    now = (output.text for outputs in ran.shown.values() for output in outputs)
    seen = Seen(
        notebook=notebook,
        record=ran.record,
        observations=ran.observations,
        places=_places(notebook),
        printed="\n".join((*saved, *now)),
    )
    told = warnings(path, notebook=notebook, runs=ran.record.cells, shown=ran.shown, public=public)
    return replace(judge(public, seen, whole=True), warnings=told)


def _places(notebook: Notebook) -> dict[int, str]:
    """Cells by their number, and how each begins."""
    return {cell.index: _place(cell) for cell in notebook.code()}


def _place(cell: Cell) -> str:
    lines = [line.strip() for line in cell.source.splitlines()]
    said = [line for line in lines if line and not line.startswith("#")]
    if not said:
        return f"cell {cell.index}"
    first = said[0] if len(said[0]) <= _LONGEST else said[0][: _LONGEST - 1] + "…"
    return f"cell {cell.index}, `{first}`"
