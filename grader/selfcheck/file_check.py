"""Checks a saved notebook: reads it, runs it, asks it, judges it by the public checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.model import Cell, Notebook
from grader.notebook import read_notebook
from grader.selfcheck.local_run import run_notebook
from grader.selfcheck.public_findings import PublicEvidence, SelfcheckResult, judge_public_checks
from grader.selfcheck.public_rubric import PublicRubric
from grader.selfcheck.submission_warnings import find_warnings

_MAX_LABEL = 40
"""Characters of a cell's first line that are shown."""


def check_file(path: Path, *, public: PublicRubric) -> SelfcheckResult:
    """What the public checks make of a file, and what to mind before it is handed in.

    Raises:
        NotebookError: it can't be read as a notebook.
        KernelError: no kernel came up to run it.
    """
    notebook = read_notebook(path)
    local_run = run_notebook(
        notebook,
        rubric=public.rubric,
        questions=public.checks.questions,
        folder=path.resolve().parent,
    )
    saved_texts = (output.text for cell in notebook.code_cells() for output in cell.outputs)
    new_texts = (output.text for outputs in local_run.outputs.values() for output in outputs)
    observed = PublicEvidence(
        notebook=notebook,
        record=local_run.record,
        observations=local_run.observations,
        cell_labels=_cell_labels(notebook),
        printed="\n".join((*saved_texts, *new_texts)),
    )
    file_warnings = find_warnings(
        path,
        notebook=notebook,
        runs=local_run.record.cells,
        new_outputs=local_run.outputs,
        public=public,
    )
    return replace(judge_public_checks(public, observed, saved_file=True), warnings=file_warnings)


def _cell_labels(notebook: Notebook) -> dict[int, str]:
    """Cells by their number, and how each begins."""
    return {cell.index: _cell_label(cell) for cell in notebook.code_cells()}


def _cell_label(cell: Cell) -> str:
    lines = [line.strip() for line in cell.source.splitlines()]
    code_lines = [line for line in lines if line and not line.startswith("#")]
    if not code_lines:
        return f"cell {cell.index}"
    first = (
        code_lines[0] if len(code_lines[0]) <= _MAX_LABEL else code_lines[0][: _MAX_LABEL - 1] + "…"
    )
    return f"cell {cell.index}, `{first}`"
