"""Compares a file's saved outputs with a fresh run: order, errors, numbers and pictures."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.checks.numbers_in_text import NUMBER, TextNumber, read_numbers, same_number
from grader.checks.quotes import find_quotes
from grader.model import (
    Answer,
    Cell,
    CellRun,
    CellStatus,
    ChangedLine,
    ExecutionRecord,
    Notebook,
    OutputDifference,
    SavedError,
    SavedEvidence,
)
from grader.notebook import is_blank
from grader.notebook.missing_words import needed_modules
from grader.notebook.saved_outputs import is_figure_type, shows_figure

MAX_OUTPUT_CHARS = 100_000
"""Maximum characters of a cell's output that are compared, half of them from its end."""
MAX_LISTED_LINES = 6
"""Maximum lines of a cell that are listed as different."""
_MAX_LINES, _MAX_LINE, _MAX_LABEL, _MAX_NUMBERS = 1_000, 300, 80, 4
_LEFT_OUT = "[…]"
_VOLATILE = re.compile(
    r"0x[0-9a-f]|\d:\d\d|\bit/s|\bs/it|%\||"
    r"\b(?:seconds?|secs?|ms|µs|elapsed|time|times|wall|cpu|eta|duration|took|today|date)\b",
    re.IGNORECASE,
)
"""Matches lines whose numbers differ from run to run and mean nothing."""
_STATUS_WORDS = {
    CellStatus.TIMED_OUT: "took too long",
    CellStatus.STRUCK_OUT: "was left out",
    CellStatus.NOT_REACHED: "was not reached",
}


def collect_saved_evidence(
    notebook: Notebook, *, record: ExecutionRecord, answers: Mapping[str, Answer]
) -> SavedEvidence:
    """Compare the saved outputs of a file with a fresh run.

    Args:
        notebook: The submitted file.
        record: What happened when it ran.
        answers: The written answers, by item.

    Returns:
        Evidence for a reader; nothing in it is a verdict.
    """
    runs = {run.index: run for run in record.cells}
    cells = [cell for cell in notebook.code_cells() if not is_blank(cell)]
    numbered = any(cell.count is not None for cell in cells)
    pairs = [
        (cell, runs[cell.index])
        for cell in cells
        if record.heard and cell.index in runs and any(not o.error for o in cell.outputs)
    ]
    missing = frozenset(module.name for module in record.missing if module.known)
    return SavedEvidence(
        numbered=numbered,
        out_of_order=cells_out_of_order(cells),
        never_run=tuple(c.index for c in cells if c.count is None and not c.outputs)
        if numbered
        else (),
        errors=tuple(_saved_errors(cells, runs=runs)),
        compared=len(pairs),
        differences=tuple(
            difference
            for cell, run in pairs
            if (difference := _compare_cell(cell, run, missing=missing)) is not None
        ),
        quotes=find_quotes(notebook, record=record, answers=answers),
    )


def cells_out_of_order(cells: Sequence[Cell]) -> tuple[int, ...]:
    """Return the fewest cells without which the others ran from top to bottom.

    The others are a longest increasing subsequence of the execution counts, in n log n.
    """
    numbered = [(cell.count, cell.index) for cell in cells if cell.count is not None]
    ends: list[
        int
    ] = []  # the smallest count that an increasing subsequence of each length ends with
    positions: list[int] = []
    for count, _ in numbered:
        position = bisect_left(ends, count)
        ends[position : position + 1] = [count]
        positions.append(position)
    next_position = len(ends) - 1
    in_order = set()
    for (_, index), position in zip(reversed(numbered), reversed(positions), strict=True):
        if position == next_position:
            in_order.add(index)
            next_position -= 1
    return tuple(index for _, index in numbered if index not in in_order)


def saved_text(cell: Cell) -> str:
    """Return the text of a cell's saved outputs, without the middle of a long one."""
    texts = [output.text for output in cell.outputs if output.text]
    text = "".join(part if part.endswith("\n") else f"{part}\n" for part in texts)
    half = MAX_OUTPUT_CHARS // 2
    return text if len(text) <= MAX_OUTPUT_CHARS else f"{text[:half]}\n{_LEFT_OUT}\n{text[-half:]}"


def _saved_errors(cells: Sequence[Cell], *, runs: Mapping[int, CellRun]) -> Iterator[SavedError]:
    for cell in cells:
        errors = [output.error for output in cell.outputs if output.error]
        if errors:
            run = runs.get(cell.index)
            again = run is not None and run.status is CellStatus.RAISED
            yield SavedError(cell=cell.index, text=errors[0], again=again)


def _compare_cell(cell: Cell, run: CellRun, *, missing: Collection[str]) -> OutputDifference | None:
    """Return the difference between a cell's saved outputs and a fresh run, or None."""
    if run.status is not CellStatus.RAN:
        name = run.error.name if run.error else "an error"
        why = _STATUS_WORDS.get(run.status, f"raised {name}")
        if needed := [module for module in needed_modules(run) if module in missing]:
            why = f"needed {needed[0]}, which is missing where notebooks are graded"
        return OutputDifference(cell=cell.index, why=why)
    # Installers and magics are left out of a run, so such a cell may print less.
    lines = [line.lstrip() for line in cell.source.splitlines()]
    is_complete = not run.notes and not any(line.startswith(("!", "%")) for line in lines)
    moved_lines = _find_moved_lines(saved_text(cell), run.shown, strict=is_complete)
    saved_pictures = sum(map(shows_figure, cell.outputs))
    fresh_pictures = sum(is_figure_type(kind) or kind == "text/html" for kind in run.media)
    pictures_missing = saved_pictures > fresh_pictures
    if not moved_lines and not pictures_missing:
        return None
    return OutputDifference(
        cell=cell.index,
        moved=tuple(moved_lines[:MAX_LISTED_LINES]),
        more=max(0, len(moved_lines) - MAX_LISTED_LINES),
        pictures_then=saved_pictures if pictures_missing else 0,
        pictures_now=fresh_pictures if pictures_missing else 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _NumberLine:
    """A line with numbers: the text around them, and the numbers."""

    label: str
    numbers: tuple[TextNumber, ...]

    @property
    def text(self) -> str:
        return ", ".join(number.text for number in self.numbers[:_MAX_NUMBERS])


def _number_lines(text: str) -> list[_NumberLine]:
    number_lines = []
    for line in text.splitlines()[:_MAX_LINES]:
        clipped = line[:_MAX_LINE]
        numbers = tuple(read_numbers(clipped))
        if numbers and not _VOLATILE.search(clipped):
            label = " ".join(NUMBER.sub("#", clipped).split())
            number_lines.append(_NumberLine(label=label, numbers=numbers))
    return number_lines


def _find_moved_lines(saved: str, fresh: str, *, strict: bool) -> list[ChangedLine]:
    """Return the lines whose numbers differ; strict also lists lines that only one side has."""
    if _LEFT_OUT in saved or _LEFT_OUT in fresh:  # only their beginnings are the same lines
        strict = False
        saved, fresh = (side.partition(_LEFT_OUT)[0].rpartition("\n")[0] for side in (saved, fresh))
    fresh_lines: dict[str, deque[_NumberLine]] = defaultdict(deque)
    for line in _number_lines(fresh):
        fresh_lines[line.label].append(line)
    moved_lines = []
    for line in _number_lines(saved):
        if fresh_lines[line.label]:
            fresh_line = fresh_lines[line.label].popleft()
            pairs = list(zip(line.numbers, fresh_line.numbers, strict=False))
            changed = [pair for pair in pairs if not same_number(*pair)]
            if changed:
                sides = zip(*changed, strict=True)
                then, now = (_NumberLine(label="", numbers=side).text for side in sides)
                moved_lines.append(ChangedLine(label=line.label[:_MAX_LABEL], then=then, now=now))
        elif strict:
            moved_lines.append(ChangedLine(label=line.label[:_MAX_LABEL], then=line.text, now=""))
    unmatched = [line for lines in fresh_lines.values() for line in lines] if strict else []
    return moved_lines + [
        ChangedLine(label=line.label[:_MAX_LABEL], then="", now=line.text) for line in unmatched
    ]
