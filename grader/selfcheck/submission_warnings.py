"""Warns of what would cost points at hand-in, or a person's time, although the code is right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from grader.model import Cell, CellRun, CellStatus, Json, Notebook, SavedOutput
from grader.notebook import find_students, is_blank, read_submitted_file, written_answers
from grader.notebook.decoding import decode_text, parse_json_object
from grader.selfcheck.public_rubric import PublicRubric

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_TOLERANCE = 0.01
"""How far a printed number may be off, as a share of it, on another computer."""
MAX_NAMED_CELLS = 4
"""Cells that one warning names."""


def find_warnings(
    path: Path,
    *,
    notebook: Notebook,
    runs: Sequence[CellRun],
    new_outputs: Mapping[int, tuple[SavedOutput, ...]],
    public: PublicRubric,
) -> tuple[str, ...]:
    """What to look at before handing in this file, most costly first.

    Args:
        path: the file.
        notebook: what was read from it.
        runs: what happened to its cells now.
        new_outputs: by cell, what it put out now.
        public: the rubric.
    """
    raw = _raw_cells(path)
    return (
        *_output_warnings(notebook, new_outputs),
        *_error_warnings(notebook, raw, runs, limit=public.rubric.limits.cell_s),
        *_stale_warnings(notebook, raw, new_outputs),
        *_answer_warnings(notebook, public),
        *_name_warnings(notebook),
    )


def _raw_cells(path: Path) -> list[dict[str, Json]]:
    """The cells as they stand in the file, for the numbers of their last run."""
    tree = parse_json_object(decode_text(read_submitted_file(path), notes=[]))
    cells = tree.get("cells")
    return [c if isinstance(c, dict) else {} for c in cells] if isinstance(cells, list) else []


def _output_warnings(
    notebook: Notebook, new_outputs: Mapping[int, tuple[SavedOutput, ...]]
) -> Iterator[str]:
    saved = {cell.index: cell.outputs for cell in notebook.code_cells()}
    if any(new_outputs.values()) and not any(saved.values()):
        yield "The file holds no saved outputs: run all cells, save it, and hand in that file."
        return
    chart_cells = [index for index, outputs in new_outputs.items() if _has_chart(outputs)]
    if chart_cells and not any(_has_chart(outputs) for outputs in saved.values()):
        yield f"No chart is saved in the file, though cell {chart_cells[0]} draws one: run all, save."


def _has_chart(outputs: tuple[SavedOutput, ...]) -> bool:
    return any(
        output.html_has_figure or any(mime.startswith("image/") for mime in output.mimes)
        for output in outputs
    )


def _error_warnings(
    notebook: Notebook, raw: list[dict[str, Json]], runs: Sequence[CellRun], *, limit: float
) -> Iterator[str]:
    failed = {run.index for run in runs if run.status not in {CellStatus.RAN, CellStatus.SKIPPED}}
    if failed:
        yield f"{_list_cells(failed)} did not run to the end when all cells were run in order."
    saved = {
        cell.index for cell in notebook.code_cells() if _has_saved_error(_raw_cell(raw, cell))
    } - failed
    if saved:
        yield f"{_list_cells(saved)} shows an error in the saved file, but runs now: run all, save."
    slow = {run.index for run in runs if run.status is CellStatus.RAN and run.seconds > limit}
    if slow:
        yield f"{_list_cells(slow)} took more than the {limit:g} s that a cell has when it is graded."


def _raw_cell(raw: list[dict[str, Json]], cell: Cell) -> dict[str, Json]:
    return raw[cell.index] if cell.index < len(raw) else {}


def _has_saved_error(cell: dict[str, Json]) -> bool:
    outputs = cell.get("outputs")
    return isinstance(outputs, list) and any(
        isinstance(output, dict) and output.get("output_type") == "error" for output in outputs
    )


def _stale_warnings(
    notebook: Notebook,
    raw: list[dict[str, Json]],
    new_outputs: Mapping[int, tuple[SavedOutput, ...]],
) -> Iterator[str]:
    counts = [
        (cell.index, count)
        for cell in notebook.code_cells()
        if not is_blank(cell)
        and isinstance(count := _raw_cell(raw, cell).get("execution_count"), int)
    ]
    out_of_order = [
        (first_count, mismatched)
        for first_count, mismatched in pairwise(counts)
        if mismatched[1] < first_count[1]
    ]
    if out_of_order:
        (above, first), (below, second) = out_of_order[0]
        yield (
            f"Cells were run out of order: In [{first}] (cell {above}) stands above In [{second}] "
            f"(cell {below}). Restart, run all, save."
        )
    mismatched = {
        cell.index
        for cell in notebook.code_cells()
        if _numbers_differ(cell.outputs, new_outputs.get(cell.index, ()))
    }
    if mismatched:
        predicate = (
            "holds an output that it does not print" if len(mismatched) == 1 else "hold outputs"
        )
        predicate = predicate if len(mismatched) == 1 else f"{predicate} that they do not print"
        yield f"{_list_cells(mismatched)} {predicate} now: restart, run all, save."


def _numbers_differ(saved: tuple[SavedOutput, ...], printed: tuple[SavedOutput, ...]) -> bool:
    """Whether the words are the same, but not the numbers."""
    saved_text, printed_text = (
        "\n".join(output.text for output in outputs) for outputs in (saved, printed)
    )
    if _NUMBER.sub("#", saved_text).split() != _NUMBER.sub("#", printed_text).split():
        return False
    pairs = zip(_NUMBER.findall(saved_text), _NUMBER.findall(printed_text), strict=True)
    return any(_differ(float(a), float(b)) for a, b in pairs)


def _differ(first: float, second: float) -> bool:
    return abs(first - second) > _TOLERANCE * max(1.0, abs(first), abs(second))


def _answer_warnings(notebook: Notebook, public: PublicRubric) -> Iterator[str]:
    answers = written_answers(notebook, items=public.rubric.items, handout=public.handout)
    empty = [name for name, answer in answers.items() if not answer.text and not answer.images]
    if empty:
        written = "answer was" if len(empty) == 1 else "answers were"
        yield f"No {written} found for {', '.join(empty)}: write below the question."


def _name_warnings(notebook: Notebook) -> Iterator[str]:
    if not any(student.name or student.id for student in find_students(notebook)):
        yield "No name was found: write your names and ids where the first cell asks for them."


def _list_cells(cells: set[int]) -> str:
    """'Cell 3', 'Cells 3, 5', 'Cells 3, 5, 7, 9 and 4 more'."""
    if len(cells) == 1:
        return f"Cell {min(cells)}"
    first = ", ".join(map(str, sorted(cells)[:MAX_NAMED_CELLS]))
    more = f" and {len(cells) - MAX_NAMED_CELLS} more" if len(cells) > MAX_NAMED_CELLS else ""
    return f"Cells {first}{more}"
