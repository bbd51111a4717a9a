"""Name cells as Jupyter shows them, in place of their positions in the file."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from grader.model import Answer, CellRun, CellStatus, Finding, Flag, Graded
from grader.report.text_format import format_ordinal

_POSITIONS = re.compile(r"\b([Cc])ells? (\d+\b(?! more)(?:(?:, and |, | and )\d+\b(?! more))*)")
"""How sentences of ours name cells: 'cell 3', 'cells 3, 4 and 7', 'Cells 3 and 5 more'."""


class CellLabels:
    """The names of a notebook's cells.

    `In [3]` is the third code cell that is not empty: what Jupyter shows after 'Restart and Run
    All'. Other cells have no number there, so they are named by the nearest one above.
    """

    def __init__(self, runs: Sequence[CellRun]) -> None:
        self._runs = {run.index: run for run in runs}
        self._numbered = sorted(run.index for run in runs if run.number)

    def __contains__(self, index: int) -> bool:
        """Return whether the cell was to run, so that the page has a row for it."""
        run = self._runs.get(index)
        return run is not None and run.status is not CellStatus.SKIPPED

    def name(self, index: int) -> str:
        """Return a cell's name, as it reads within a sentence."""
        label = self.label(index)
        return f"cell {label}" if self._is_short(index) else label

    def label(self, index: int) -> str:
        """Return a cell's name without the word before it: 'In [3]'."""
        run = self._runs.get(index)
        if run and run.number:
            return f"In [{run.number}]" + (f" of '{run.notebook}'" if run.notebook else "")
        above = bisect_left(self._numbered, index)
        if not self._numbered:
            return str(index)  # a grade from before cells had numbers, or a file without code
        if above == 0:
            return f"the {format_ordinal(index + 1)} cell of the file"
        nearest, below = self._numbered[above - 1], self._numbered[above : above + 1]
        if below and self._runs[below[0]].notebook != self._runs[nearest].notebook:
            return f"a cell between {self.label(nearest)} and {self.label(below[0])}"
        return f"the {format_ordinal(index - nearest)} cell after {self.label(nearest)}"

    def first_line(self, index: int) -> str:
        """Return the first line of a code cell, or '' if that is not known."""
        run = self._runs.get(index)
        return run.first_line if run else ""

    def rename(self, text: str) -> str:
        """Return a sentence of ours with the names of cells in place of their positions."""
        return _POSITIONS.sub(self._names_for, text)

    def _is_short(self, index: int) -> bool:
        run = self._runs.get(index)
        return bool(run and run.number) or not self._numbered

    def _names_for(self, match: re.Match[str]) -> str:
        indexes = [int(number) for number in re.findall(r"\d+", match[2])]
        labels = [self.label(index) for index in indexes]
        listed = labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
        if self._is_short(indexes[0]):
            listed = f"{'cell' if len(labels) == 1 else 'cells'} {listed}"
        return listed[0].upper() + listed[1:] if match[1] == "C" else listed


def rename_cells(graded: Graded) -> Graded:
    """Return a grade whose sentences name cells as Jupyter shows them."""
    names = CellLabels(graded.record.cells)
    score = graded.score
    if score is not None:
        items = tuple(
            replace(item, findings=tuple(_rename_in_finding(f, names) for f in item.findings))
            for item in score.items
        )
        score = replace(score, items=items)
    record = graded.record
    runs = tuple(
        replace(run, notes=tuple(names.rename(note) for note in run.notes)) for run in record.cells
    )
    return replace(
        graded,
        score=score,
        record=replace(record, cells=runs, notes=tuple(names.rename(n) for n in record.notes)),
        notes=tuple(_rename_in_flag(note, names) for note in graded.notes),
        answers={key: _rename_in_answer(each, names) for key, each in graded.answers.items()},
    )


def _rename_in_finding(finding: Finding, names: CellLabels) -> Finding:
    return replace(
        finding,
        expected=names.rename(finding.expected),
        found=names.rename(finding.found),
        hint=names.rename(finding.hint),
        blocked_by=names.rename(finding.blocked_by),
        lack=names.rename(finding.lack),
    )


def _rename_in_flag(flag: Flag, names: CellLabels) -> Flag:
    return replace(flag, args=tuple(names.rename(argument) for argument in flag.args))


def _rename_in_answer(answer: Answer, names: CellLabels) -> Answer:
    return replace(answer, concern=names.rename(answer.concern))
