"""Holds what a submitted file shows against a fresh run: order, errors, numbers and pictures."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.checks.numbers_in_text import NUMBER, Figure, figures, same
from grader.checks.quotes import quotes
from grader.model import (
    Answer,
    Cell,
    CellRun,
    CellStatus,
    Difference,
    ExecutionRecord,
    Moved,
    Notebook,
    SavedError,
    SavedEvidence,
)
from grader.notebook import is_blank

MOST = 100_000
"""Characters of a cell's output that are looked at, half of them from its end."""
LISTED = 6
"""Lines of a cell that are listed as different."""
_MAX_LINES, _MAX_LINE, _MAX_LABEL, _MAX_NUMBERS = 1_000, 300, 80, 4
_LEFT_OUT = "[…]"
_VOLATILE = re.compile(
    r"0x[0-9a-f]|\d:\d\d|\bit/s|\bs/it|%\||"
    r"\b(?:seconds?|secs?|ms|µs|elapsed|time|times|wall|cpu|eta|duration|took|today|date)\b",
    re.IGNORECASE,
)
"""What a line holds whose numbers differ from run to run, and mean nothing."""
_BECAME = {
    CellStatus.TIMED_OUT: "took too long",
    CellStatus.STRUCK_OUT: "ended Python",
    CellStatus.NOT_REACHED: "was not reached",
}


def saved_evidence(
    notebook: Notebook, *, record: ExecutionRecord, answers: Mapping[str, Answer]
) -> SavedEvidence:
    """What the saved outputs of a file say, and how a fresh run compares.

    Args:
        notebook: The file.
        record: What happened when it ran.
        answers: What was written to each item.

    Returns:
        Evidence for a reader; nothing in it is a verdict.
    """
    runs = {run.index: run for run in record.cells}
    cells = [cell for cell in notebook.code() if not is_blank(cell)]
    numbered = any(cell.count is not None for cell in cells)
    pairs = [
        (cell, runs[cell.index])
        for cell in cells
        if record.heard and cell.index in runs and _shows(cell)
    ]
    return SavedEvidence(
        numbered=numbered,
        out_of_order=out_of_order(cells),
        never_run=tuple(c.index for c in cells if c.count is None and not c.outputs)
        if numbered
        else (),
        errors=tuple(_errors(cells, runs=runs)),
        compared=len(pairs),
        differences=tuple(d for cell, run in pairs if (d := _difference(cell, run)) is not None),
        quotes=quotes(notebook, record=record, answers=answers),
    )


def out_of_order(cells: Sequence[Cell]) -> tuple[int, ...]:
    """The fewest cells without which the others ran from top to bottom.

    The others are a longest run of growing numbers, found in n log n.
    """
    numbered = [(cell.count, cell.index) for cell in cells if cell.count is not None]
    ends: list[int] = []
    """The smallest number that a growing run of each length ends with."""
    places: list[int] = []
    for count, _ in numbered:
        place = bisect_left(ends, count)
        ends[place : place + 1] = [count]
        places.append(place)
    wanted = len(ends) - 1
    kept = set()
    for (_, index), place in zip(reversed(numbered), reversed(places), strict=True):
        if place == wanted:
            kept.add(index)
            wanted -= 1
    return tuple(index for _, index in numbered if index not in kept)


def saved_text(cell: Cell) -> str:
    """The text of a cell's saved outputs, the middle of a long one left out."""
    texts = [output.text for output in cell.outputs if output.text]
    text = "".join(part if part.endswith("\n") else f"{part}\n" for part in texts)
    half = MOST // 2
    return text if len(text) <= MOST else f"{text[:half]}\n{_LEFT_OUT}\n{text[-half:]}"


def _shows(cell: Cell) -> bool:
    """Whether a cell has saved outputs that are no errors."""
    return any(not output.error for output in cell.outputs)


def _errors(cells: Sequence[Cell], *, runs: Mapping[int, CellRun]) -> Iterator[SavedError]:
    for cell in cells:
        for output in cell.outputs:
            if output.error:
                run = runs.get(cell.index)
                again = run is not None and run.status is CellStatus.RAISED
                yield SavedError(cell=cell.index, said=output.error, again=again)
                break


def _difference(cell: Cell, run: CellRun) -> Difference | None:
    """What a fresh run of a cell does not reproduce, or None."""
    if run.status is not CellStatus.RAN:
        name = run.error.name if run.error else "an error"
        why = _BECAME.get(run.status, f"raised {name}")
        return Difference(cell=cell.index, why=why)
    moved = _moved(saved_text(cell), run.shown, strict=not _differs_here(cell, run))
    then = sum(_is_picture(o.mimes) or o.html_has_figure for o in cell.outputs)
    now = sum(kind.startswith("image/") or kind == "text/html" for kind in run.media)
    gone = then > now
    if not moved and not gone:
        return None
    return Difference(
        cell=cell.index,
        moved=tuple(moved[:LISTED]),
        more=max(0, len(moved) - LISTED),
        pictures_then=then if gone else 0,
        pictures_now=now if gone else 0,
    )


def _is_picture(mimes: Sequence[str]) -> bool:
    return any(mime.startswith("image/") for mime in mimes)


def _differs_here(cell: Cell, run: CellRun) -> bool:
    """Whether a cell could not print all of what it printed there: installers are left out here."""
    lines = (line.lstrip() for line in cell.source.splitlines())
    return bool(run.notes) or any(line.startswith(("!", "%")) for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line with numbers: what it says around them, and the numbers."""

    label: str
    numbers: tuple[Figure, ...]


def _lines(text: str) -> list[_Line]:
    found = []
    for line in text.splitlines()[:_MAX_LINES]:
        said = line[:_MAX_LINE]
        numbers = tuple(figures(said))
        if numbers and not _VOLATILE.search(said):
            label = " ".join(NUMBER.sub("#", said).split())
            found.append(_Line(label=label, numbers=numbers))
    return found


def _moved(then: str, now: str, *, strict: bool) -> list[Moved]:
    """The lines whose numbers differ; strict also lists lines that only one side has."""
    if _LEFT_OUT in then or _LEFT_OUT in now:  # what is compared begins at the same line
        strict = False
        then, now = (side.partition(_LEFT_OUT)[0].rpartition("\n")[0] for side in (then, now))
    waiting: dict[str, deque[_Line]] = defaultdict(deque)
    for line in _lines(now):
        waiting[line.label].append(line)
    moved = []
    for line in _lines(then):
        if waiting[line.label]:
            other = waiting[line.label].popleft()
            pairs = list(zip(line.numbers, other.numbers, strict=False))
            apart = [(one, two) for one, two in pairs if not same(one, two)][:_MAX_NUMBERS]
            if apart:
                shown = [", ".join(f.text for f in side) for side in zip(*apart, strict=True)]
                moved.append(Moved(label=line.label[:_MAX_LABEL], then=shown[0], now=shown[1]))
        elif strict:
            moved.append(replace(_alone(line), now=""))
    left = [line for lines in waiting.values() for line in lines] if strict else []
    return moved + [replace(_alone(line), then="") for line in left]


def _alone(line: _Line) -> Moved:
    """A line that one side does not have: its numbers on both, for one to be taken away."""
    numbers = ", ".join(figure.text for figure in line.numbers[:_MAX_NUMBERS])
    return Moved(label=line.label[:_MAX_LABEL], then=numbers, now=numbers)
