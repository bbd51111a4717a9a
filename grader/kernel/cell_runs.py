"""What the runner says of a cell, cleaned and bounded, in words that a student understands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from grader import wire
from grader.model import Cell, CellError, CellRun, CellStatus, Json, Limits

OVER = {
    "memory_mb": "used {used} MB of memory; {most} MB are allowed",
    "processes": "ran {used} processes and threads; {most} are allowed",
    "disk_mb": "left {used} MB of files; {most} MB are allowed",
    "files": "left {used} files; {most} are allowed",
    "cell_output_kb": "printed {used} kB; only the first {most} kB of a cell are kept",
    "output_kb": "brought the output of all cells to {used} kB; only the first {most} kB are kept",
}
"""What a cell did that passes a limit."""
SIGNS = (
    (r"^OSError .*Errno 28", "Files may take {disk_mb} MB here, and be {files} in number."),
    (r"^OSError .*Errno 27", "A file may take {disk_mb} MB here."),
    (r"^OSError .*Errno 24", "A notebook may have 1,024 files open here."),
    (
        r"^BlockingIOError .*Errno 11|^RuntimeError can't start new thread",
        "A notebook may run {processes} processes and threads here.",
    ),
    (
        r"^MemoryError |can't allocate memory|[Uu]nable to allocate|not enough memory",
        "A notebook may use {memory_mb} MB of memory here.",
    ),
)
"""Errors that a limit brings about, and what the limit is."""
SHOWN = 20_000
"""Characters kept of what a cell shows; the runner sends fewer."""
SHOWN_IN_ALL = 300_000
"""The same of all cells."""
MEDIA = 50


def struck(index: int, what: str) -> CellRun:
    """A cell that ended its kernel, and is left out."""
    message = f"This cell {what}. It was left out, and the notebook was run again without it."
    return CellRun(
        index=index,
        status=CellStatus.STRUCK_OUT,
        error=CellError(name="Kernel died", message=message),
    )


def cell_run(frame: Mapping[str, Json], cell: Cell, *, limits: Limits) -> CellRun:
    """What the runner says of one cell."""
    seconds = _number(frame.get("seconds"))
    late, gone, over = frame.get("limit"), frame.get("exit"), _over(frame.get("over"))
    if gone is not None:
        how = f"did not stop within {_number(late):.0f} s" if late else "ended its own kernel"
        return replace(struck(cell.index, over or how), seconds=seconds)
    error = _cell_error(frame.get("error"))
    notes = [f"This cell {over}."] if over else []
    if error:
        notes += _signs(error, limits)
    if late is not None:
        message = f"The cell was stopped after {_number(late):.0f} s."
        error = replace(
            error or CellError(name="Timeout", message=""), name="Timeout", message=message
        )
        status = CellStatus.TIMED_OUT
    else:
        status = CellStatus.RAISED if error else CellStatus.RAN
    shown, media = _shown(frame.get("shown"))
    return CellRun(
        index=cell.index,
        status=status,
        seconds=seconds,
        error=error,
        notes=tuple(notes),
        shown=shown,
        media=media,
    )


def _shown(told: Json) -> tuple[str, tuple[str, ...]]:
    """What a cell showed: its text, and the types of what is no text."""
    if not isinstance(told, dict):
        return "", ()
    media = told.get("media")
    kinds = media[:MEDIA] if isinstance(media, list) else []
    return (
        wire.scrub(told.get("text", ""), most=SHOWN),
        tuple(wire.clean(kind, most=100) for kind in kinds),
    )


def within_bounds(runs: Sequence[CellRun]) -> tuple[CellRun, ...]:
    """The runs of a notebook; once they show more than is kept of all, the rest shows nothing."""
    left = SHOWN_IN_ALL
    kept = []
    for run in runs:
        left -= len(run.shown)
        kept.append(run if left >= 0 else replace(run, shown=""))
    return tuple(kept)


def not_reached(index: int, *, why: str) -> CellRun:
    """A cell that did not run."""
    error = CellError(name="Not run", message=why)
    return CellRun(index=index, status=CellStatus.NOT_REACHED, error=error)


def _over(told: Json) -> str:
    """The limit that a cell passed, as what it did; empty for none."""
    if not isinstance(told, dict) or told.get("limit") not in OVER:
        return ""
    used, most = (f"{_number(told.get(name)):,.0f}" for name in ("used", "most"))
    return OVER[str(told["limit"])].format(used=used, most=most)


def _signs(error: CellError, limits: Limits) -> list[str]:
    """Limits that may be why an error was raised."""
    said = f"{error.name} {error.message}"
    figures = {name: f"{value:,g}" for name, value in asdict(limits).items()}
    return [words.format(**figures) for pattern, words in SIGNS if re.search(pattern, said)][:1]


def _cell_error(value: Json) -> CellError | None:
    if not isinstance(value, dict):
        return None
    traceback = wire.scrub(value.get("traceback", ""), most=6000)
    line = _line(traceback)
    message = wire.scrub(value.get("message", ""), most=1000)
    return CellError(
        name=wire.scrub(value.get("name", ""), most=100),
        message=message.removesuffix(f" (line {line})"),  # whoever tells it adds the line
        line=line,
        traceback=traceback,
    )


def _line(traceback: str) -> int | None:
    """The last line number that a traceback gives in a cell."""
    lines = wire.CELL_LINE.findall(traceback)
    return int(lines[-1]) if lines else None


def _number(value: Json) -> float:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(max(0, min(value, 1_000_000))) if ok else 0.0


def versions(value: Json) -> Mapping[str, str]:
    """Python and packages on the other side."""
    if not isinstance(value, dict):
        return {}
    return {wire.clean(k, most=40): wire.clean(v, most=40) for k, v in list(value.items())[:12]}
