"""Read the runner's report of a cell, cleaned and bounded, in words for students."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from grader import wire
from grader.model import Cell, CellError, CellRun, CellStatus, Json, Limits, Observation
from grader.notebook.network_use import fetches_by_command, is_network_error
from grader.notebook.saved_outputs import readable_text

EXCESS_MESSAGES = {
    "memory_mb": "used {used} MB of memory; {most} MB are allowed",
    "processes": "ran {used} processes and threads; {most} are allowed",
    "disk_mb": "left {used} MB of files; {most} MB are allowed",
    "files": "left {used} files; {most} are allowed",
    "cell_output_kb": "printed {used} kB; only the first {most} kB of a cell are kept",
    "output_kb": "brought the output of all cells to {used} kB; only the first {most} kB are kept",
}
"""What a cell did that exceeds a limit."""
LIMIT_SIGNS = (
    (r"^OSError .*Errno 28", "Files may take {disk_mb} MB here, and be {files} in number."),
    (r"^OSError .*Errno 27", "A file may take {disk_mb} MB here."),
    (r"^OSError .*Errno 24", "A notebook may have 1,024 files open here."),
    (
        r"^BlockingIOError .*Errno 11|^RuntimeError can't start new thread",
        "A notebook may run {processes} processes and threads here.",
    ),
    (
        r"^(?:URLError|gaierror|ConnectionError|DistNetworkError) |Errno (?:95|101)\b",
        "Notebooks have no network where they are graded.",
    ),
    (
        r"^MemoryError |can't allocate memory|[Uu]nable to allocate|not enough memory",
        "A notebook may use {memory_mb} MB of memory here.",
    ),
)
"""Patterns of errors that a limit causes, and what the limit is."""
NO_NETWORK = "There is no network where notebooks are graded."
MAX_SHOWN = 20_000
"""Characters kept of what a cell shows; the runner sends fewer."""
MAX_SHOWN_TOTAL = 300_000
"""Characters kept of what all cells of a notebook show."""
MAX_MEDIA = 50
MAX_NOTES = 20
"""Notes kept of one cell."""
EXIT_NAME = "KernelExit"
"""The error of a cell that `exit()`, `quit()` or the like ended; see `inside/kernel_exit.py`."""


def struck_out_run(index: int, cause: str) -> CellRun:
    """Return the run of a cell that is left out, since its process ended or did not stop."""
    message = f"This cell {cause}. It was left out, and the notebook was run again without it."
    return CellRun(
        index=index,
        status=CellStatus.STRUCK_OUT,
        error=CellError(name="Kernel died", message=message),
    )


def read_cell_run(frame: Mapping[str, Json], cell: Cell, *, limits: Limits) -> CellRun:
    """Read the runner's report of one cell."""
    seconds = _bounded_number(frame.get("seconds"))
    exceeded_seconds, excess = frame.get("limit"), _describe_excess(frame.get("over"))
    clock = f"{_bounded_number(exceeded_seconds or 0):.0f} s"
    if frame.get("by_the_clock") is True:
        clock += f" by the clock; it may compute for {limits.cell_s:g} s"
    if frame.get("exit") is not None:
        cause = "ended its own kernel"
        if exceeded_seconds:
            cause = f"did not stop within {clock}"
        return replace(struck_out_run(cell.index, excess or cause), seconds=seconds)
    error = _read_cell_error(frame.get("error"))
    notes = [f"This cell {excess}."] if excess else []
    if error:
        notes += _limit_notes(error, limits)
    if exceeded_seconds is not None:
        message = f"The cell was stopped after {clock}."
        error = replace(error or CellError(name="", message=""), name="Timeout", message=message)
        status = CellStatus.TIMED_OUT
    else:
        status = CellStatus.RAISED if error else CellStatus.RAN
    shown, media = _read_shown(frame.get("shown"))
    return CellRun(
        index=cell.index,
        status=status,
        seconds=seconds,
        error=error,
        notes=tuple(notes),
        shown=shown,
        media=media,
    )


def _read_shown(value: Json) -> tuple[str, tuple[str, ...]]:
    """Return the text that a cell showed, and the media types of what is no text."""
    if not isinstance(value, dict):
        return "", ()
    media, rich = (
        entries[:MAX_MEDIA] if isinstance(entries := value.get(key), list) else []
        for key in ("media", "rich")
    )
    rich_texts = (readable_text(*entry) for entry in rich if _is_rich_text(entry))
    texts = filter(None, [str(value.get("text", "")), *rich_texts])
    return (
        wire.scrub_text("\n".join(texts), max_length=MAX_SHOWN),
        tuple(wire.sanitize_text(kind, max_length=100) for kind in media),
    )


def _is_rich_text(entry: Json) -> bool:
    """Return whether an entry is a media type and a text."""
    return isinstance(entry, list) and [type(part) for part in entry] == [str, str]


def note_network(runs: Sequence[CellRun], cells: Sequence[Cell]) -> tuple[CellRun, ...]:
    """Add to each cell that failed at the network, or calls a program for it, that there is none.

    Such a program fails in silence.
    """
    fetching = {cell.index for cell in cells if fetches_by_command(cell.source)}
    return tuple(
        replace(run, notes=(*run.notes, NO_NETWORK))
        if (run.index in fetching and run.status is not CellStatus.NOT_REACHED)
        or (run.error and is_network_error(f"{run.error.name} {run.error.message}"))
        else run
        for run in runs
    )


def accept_final_exit(runs: Sequence[CellRun]) -> list[CellRun]:
    """Let `exit()` be no failure where no cell is behind it: in Jupyter nothing is lost there."""
    accepted = list(runs)
    for position in reversed(range(len(accepted))):
        run = accepted[position]
        if run.status is CellStatus.RAISED and run.error and run.error.name == EXIT_NAME:
            accepted[position] = replace(run, status=CellStatus.RAN, error=None)
        elif run.status is not CellStatus.SKIPPED:
            break
    return accepted


def bound_output(runs: Sequence[CellRun]) -> tuple[CellRun, ...]:
    """Drop the shown text of a notebook's runs once it exceeds what is kept of all cells."""
    characters_left = MAX_SHOWN_TOTAL
    bounded = []
    for run in runs:
        characters_left -= len(run.shown)
        bounded.append(run if characters_left >= 0 else replace(run, shown=""))
    return tuple(bounded)


def not_reached_run(index: int, *, reason: str) -> CellRun:
    """Return the run of a cell that was never reached."""
    error = CellError(name="Not run", message=reason)
    return CellRun(index=index, status=CellStatus.NOT_REACHED, error=error)


def _describe_excess(value: Json) -> str:
    """Say what a cell did to exceed a limit, or ''."""
    if not isinstance(value, dict) or value.get("limit") not in EXCESS_MESSAGES:
        return ""
    used, most = (f"{_bounded_number(value.get(name)):,.0f}" for name in ("used", "most"))
    return EXCESS_MESSAGES[str(value["limit"])].format(used=used, most=most)


def _limit_notes(error: CellError, limits: Limits) -> list[str]:
    """Return the limit that may be why an error was raised, at most one."""
    text = f"{error.name} {error.message}"
    figures = {name: f"{value:,g}" for name, value in asdict(limits).items()}
    notes = [note for pattern, note in LIMIT_SIGNS if re.search(pattern, text)]
    return [note.format(**figures) for note in notes[:1]]


def _read_cell_error(value: Json) -> CellError | None:
    if not isinstance(value, dict):
        return None
    traceback = wire.scrub_traceback(value.get("traceback", ""), max_length=6000)
    line = _last_cell_line(traceback)
    message = wire.scrub_text(value.get("message", ""), max_length=1000)
    return CellError(
        name=wire.scrub_text(value.get("name", ""), max_length=100),
        message=message.removesuffix(f" (line {line})"),  # reports add the line themselves
        line=line,
        traceback=traceback,
    )


def _last_cell_line(traceback: str) -> int | None:
    """Return the last line that a traceback names in the cell that ran, its first; else None."""
    lines = wire.CELL_LINE.findall(traceback)
    own = [line for cell, line in lines if cell == lines[0][0]]
    return int(own[-1]) if own else None


def add_notes(runs: Sequence[CellRun], answer: Observation) -> tuple[CellRun, ...]:
    """Add what was neutralized in each cell, which the kernel counts in the order they ran."""
    entries = answer.data.get("notes")
    by_position: dict[int, list[str]] = {}
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case [int(position), list(notes)]:
                shown = (wire.sanitize_text(note, max_length=200) for note in notes[:MAX_NOTES])
                by_position[position] = list(shown)
            case _:
                pass
    return tuple(
        replace(run, notes=(*run.notes, *_unsaid(by_position.get(position, ()), run)))
        for position, run in enumerate(runs)
    )


def _unsaid(notes: Iterable[str], run: CellRun) -> Iterator[str]:
    """Yield the notes that the error of a cell does not say already."""
    message = run.error.message if run.error else ""
    return (note for note in notes if not message.startswith(note))


def _bounded_number(value: Json) -> float:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(max(0, min(value, 1_000_000))) if ok else 0.0


def read_versions(value: Json) -> Mapping[str, str]:
    """Read the versions of Python and packages on the notebook's side."""
    if not isinstance(value, dict):
        return {}
    return {
        wire.sanitize_text(k, max_length=40): wire.sanitize_text(v, max_length=40)
        for k, v in list(value.items())[:12]
    }
