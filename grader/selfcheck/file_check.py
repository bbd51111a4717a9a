"""Checks a saved notebook by the road of grading: read, run, ask, judge, with the public checks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from grader.model import Cell, Notebook, Trace
from grader.notebook import is_blank, jupyter_numbers, read_notebook
from grader.notebook.import_statements import imported_modules
from grader.notebook.installer_lines import is_installed_by
from grader.notebook.known_packages import explain_unknown, is_known
from grader.report.cell_labels import CellLabels
from grader.selfcheck.local_kernel import start_local_kernel
from grader.selfcheck.public_findings import SelfcheckResult, judge_public_checks
from grader.selfcheck.public_rubric import PublicRubric
from grader.selfcheck.public_tests import expect_all_to_pass
from grader.selfcheck.submission_warnings import find_notices, find_warnings

_MAX_LABEL = 40
"""Characters of a cell's first line that are shown."""


def check_file(path: Path, *, public: PublicRubric) -> SelfcheckResult:
    """Run a notebook on this computer and judge it by the public checks.

    Raises:
        NotebookError: The file can't be read as a notebook.
        KernelError: No kernel came up to run it.
    """
    notebook = read_notebook(path)
    cells = notebook.code_cells()
    blank = frozenset(cell.index for cell in cells if is_blank(cell))
    unknown = _unknown_modules(notebook, optional=public.rubric.optional_imports)
    with start_local_kernel(
        public.rubric,
        folder=path.resolve().parent,
        unknown_modules=unknown,
        tests=public.tests,
        cells=[cell.source for cell in cells],
    ) as kernel:
        record = kernel.run(cells, blank=blank)
        observations = kernel.ask(public.checks.questions)
        trace = Trace(
            notebook=notebook,
            record=record,
            observations=observations,
            expected={**public.expected, **expect_all_to_pass(observations)},
        )
    numbers = jupyter_numbers(cells)
    runs = [replace(run, number=numbers.get(run.index, 0)) for run in record.cells]
    names = CellLabels(runs)
    outputs = [o for cell in cells for o in (*cell.outputs, *kernel.outputs.get(cell.index, ()))]
    result = judge_public_checks(
        public,
        trace,
        cell_labels=_quote_cells(cells, names=names),
        saved_file=True,
        printed="\n".join(output.text for output in outputs),
    )
    warnings = find_warnings(path, trace=trace, new_outputs=kernel.outputs, public=public)
    return replace(
        result,
        warnings=tuple(names.rename(warning) for warning in warnings),
        notices=tuple(names.rename(n) for n in (*result.notices, *find_notices(trace))),
    )


def _unknown_modules(notebook: Notebook, *, optional: Collection[str]) -> dict[str, str]:
    """Return the modules that it imports and nobody knows, with what may be the matter."""
    names = dict.fromkeys(module.name for module in imported_modules(notebook))
    return {
        name: explain_unknown(name, installed=())
        for name in names
        if not is_known(name, optional=optional) and not is_installed_by(notebook, name)
    }


def _quote_cells(cells: Sequence[Cell], *, names: CellLabels) -> dict[int, str]:
    """Return each cell's name and how its code begins."""
    labels = {}
    for cell in cells:
        lines = [line.strip() for line in cell.source.splitlines()]
        first = next((line for line in lines if line and not line.startswith("#")), "")
        shown = first if len(first) <= _MAX_LABEL else first[: _MAX_LABEL - 1] + "\u2026"
        labels[cell.index] = names.name(cell.index) + (f", `{shown}`" if first else "")
    return labels
