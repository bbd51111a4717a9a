"""Warns of what would cost points at hand-in, or a person's time, although the code is right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from grader.model import Cell, CellRun, CellStatus, Json, Notebook, SavedOutput
from grader.notebook import content, is_blank, students, written_answers
from grader.notebook.decoding import text_of, tree_of
from grader.selfcheck.public_rubric import Public

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_SLACK = 0.01
"""How far a printed number may be off, as a share of it, on another computer."""
MOST = 4
"""Cells that one warning names."""


def warnings(
    path: Path,
    *,
    notebook: Notebook,
    runs: Sequence[CellRun],
    shown: Mapping[int, tuple[SavedOutput, ...]],
    public: Public,
) -> tuple[str, ...]:
    """What to look at before handing in this file, most costly first.

    Args:
        path: the file.
        notebook: what was read from it.
        runs: what happened to its cells now.
        shown: by cell, what it put out now.
        public: the rubric.
    """
    raw = _raw_cells(path)
    return (
        *_outputs(notebook, shown),
        *_errors(notebook, raw, runs, limit=public.rubric.limits.cell_s),
        *_stale(notebook, raw, shown),
        *_answers(notebook, public),
        *_names(notebook),
    )


def _raw_cells(path: Path) -> list[dict[str, Json]]:
    """The cells as they stand in the file, for the numbers of their last run."""
    tree = tree_of(text_of(content(path), notes=[]))
    cells = tree.get("cells")
    return [c if isinstance(c, dict) else {} for c in cells] if isinstance(cells, list) else []


def _outputs(notebook: Notebook, shown: Mapping[int, tuple[SavedOutput, ...]]) -> Iterator[str]:
    saved = {cell.index: cell.outputs for cell in notebook.code()}
    if any(shown.values()) and not any(saved.values()):
        yield "The file holds no saved outputs: run all cells, save it, and hand in that file."
        return
    drawn = [index for index, outputs in shown.items() if _draws(outputs)]
    if drawn and not any(_draws(outputs) for outputs in saved.values()):
        yield f"No chart is saved in the file, though cell {drawn[0]} draws one: run all, save."


def _draws(outputs: tuple[SavedOutput, ...]) -> bool:
    return any(
        output.html_has_figure or any(mime.startswith("image/") for mime in output.mimes)
        for output in outputs
    )


def _errors(
    notebook: Notebook, raw: list[dict[str, Json]], runs: Sequence[CellRun], *, limit: float
) -> Iterator[str]:
    failed = {r.index for r in runs if r.status not in {CellStatus.RAN, CellStatus.SKIPPED}}
    if failed:
        yield f"{_listed(failed)} did not run to the end when all cells were run in order."
    saved = {cell.index for cell in notebook.code() if _saved_error(_at(raw, cell))} - failed
    if saved:
        yield f"{_listed(saved)} shows an error in the saved file, but runs now: run all, save."
    slow = {r.index for r in runs if r.status is CellStatus.RAN and r.seconds > limit}
    if slow:
        yield f"{_listed(slow)} took more than the {limit:g} s that a cell has when it is graded."


def _at(raw: list[dict[str, Json]], cell: Cell) -> dict[str, Json]:
    return raw[cell.index] if cell.index < len(raw) else {}


def _saved_error(cell: dict[str, Json]) -> bool:
    outputs = cell.get("outputs")
    return isinstance(outputs, list) and any(
        isinstance(output, dict) and output.get("output_type") == "error" for output in outputs
    )


def _stale(
    notebook: Notebook,
    raw: list[dict[str, Json]],
    shown: Mapping[int, tuple[SavedOutput, ...]],
) -> Iterator[str]:
    counts = [
        (cell.index, count)
        for cell in notebook.code()
        if not is_blank(cell) and isinstance(count := _at(raw, cell).get("execution_count"), int)
    ]
    late = [(one, other) for one, other in pairwise(counts) if other[1] < one[1]]
    if late:
        (above, first), (below, second) = late[0]
        yield (
            f"Cells were run out of order: In [{first}] (cell {above}) stands above In [{second}] "
            f"(cell {below}). Restart, run all, save."
        )
    other = {
        cell.index
        for cell in notebook.code()
        if _prints_otherwise(cell.outputs, shown.get(cell.index, ()))
    }
    if other:
        told = "holds an output that it does not print" if len(other) == 1 else "hold outputs"
        told = told if len(other) == 1 else f"{told} that they do not print"
        yield f"{_listed(other)} {told} now: restart, run all, save."


def _prints_otherwise(saved: tuple[SavedOutput, ...], now: tuple[SavedOutput, ...]) -> bool:
    """Whether the words are the same, but not the numbers."""
    one, other = ("\n".join(output.text for output in each) for each in (saved, now))
    if _NUMBER.sub("#", one).split() != _NUMBER.sub("#", other).split():
        return False
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return any(_differ(float(a), float(b)) for a, b in pairs)


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > _SLACK * max(1.0, abs(one), abs(other))


def _answers(notebook: Notebook, public: Public) -> Iterator[str]:
    found = written_answers(notebook, items=public.rubric.items, handout=public.handout)
    empty = [name for name, answer in found.items() if not answer.text and not answer.images]
    if empty:
        written = "answer was" if len(empty) == 1 else "answers were"
        yield f"No {written} found for {', '.join(empty)}: write below the question."


def _names(notebook: Notebook) -> Iterator[str]:
    if not any(student.name or student.id for student in students(notebook)):
        yield "No name was found: write your names and ids where the first cell asks for them."


def _listed(cells: set[int]) -> str:
    """'Cell 3', 'Cells 3, 5', 'Cells 3, 5, 7, 9 and 4 more'."""
    if len(cells) == 1:
        return f"Cell {min(cells)}"
    first = ", ".join(map(str, sorted(cells)[:MOST]))
    more = f" and {len(cells) - MOST} more" if len(cells) > MOST else ""
    return f"Cells {first}{more}"
