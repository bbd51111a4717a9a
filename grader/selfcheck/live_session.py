"""Records what a notebook does from `import grader` on; imports nothing that takes time."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.selfcheck import inside_loader

_ATTRIBUTE = "_grader_session"
"""The attribute of a shell that holds its session, so that a second import goes on with it."""
_RUBRICS = "*.rubric.json"
_TESTS = "*_tests.py"


@dataclass(slots=True)
class LiveCell:
    """One run of one cell."""

    source: str
    id: str
    """The editor's id of the cell; '' where it sends none."""
    number: int | None = None
    """The number in `In [7]`; None until it has run."""
    error: BaseException | None = None
    line: int | None = None
    """The line of the cell where the error was raised, from 1."""


class LiveSession:
    """The cells that ran in a shell since the grader was imported, and the recorded calls."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.folder = Path.cwd()
        self.started_late = _has_earlier_work(shell)
        """Whether the notebook had values of its own before recording began."""
        self.cells: list[LiveCell] = []
        self.notes = inside_loader.load_inside("stubs").Notes()
        self.recorder = inside_loader.load_inside("recorder").Recorder(
            _recorded_names(self.folder), self.notes
        )
        self.figures = inside_loader.load_inside("kept_figures")

    def start_watching(self) -> None:
        """Begin to record, in the middle of the cell that imports the grader."""
        self.notes.watch(self.shell)
        self.shell.events.register("pre_run_cell", self._begin)
        self.shell.events.register("post_run_cell", self._end)
        self.recorder.install(self.shell)
        if any(self.folder.glob(_TESTS)):
            self.figures.keep_figures(lambda: self.notes.cell)
        self.notes.cell, self.notes.running = 0, True
        sources = self.shell.history_manager.input_hist_raw
        self.cells.append(LiveCell(source=sources[-1] if sources else "", id=""))

    def _begin(self, info: Any) -> None:
        if self.notes.cell == len(self.cells):  # otherwise it runs within another cell
            cell_id = getattr(info, "cell_id", None) or ""
            self.cells.append(LiveCell(source=info.raw_cell or "", id=str(cell_id)))

    def _end(self, result: Any) -> None:
        cell = self.cells[-1]
        info = getattr(result, "info", None)
        cell.id = cell.id or str(getattr(info, "cell_id", None) or "")
        cell.number = result.execution_count
        cell.error = result.error_before_exec or result.error_in_exec
        if cell.error is not None:
            cell.line = _error_line(cell.error, self.shell.user_ns)
        self.figures.keep_runs(self.last_runs())

    def last_runs(self) -> dict[int, int]:
        """Return the runs that no later run of the same cell replaced, each with its first run."""
        runs: dict[str, tuple[int, int]] = {}
        for index, cell in enumerate(self.cells):
            key = cell.id or cell.source
            first = runs[key][1] if key in runs else index
            runs[key] = index, first
        return dict(runs.values())


def start_session(shell: Any) -> None:
    """Record a shell unless it is recorded already; whatever goes wrong, the notebook goes on."""
    if getattr(shell, _ATTRIBUTE, None) is None:
        with suppress(Exception):
            session = LiveSession(shell)
            session.start_watching()
            object.__setattr__(shell, _ATTRIBUTE, session)


def current_session() -> LiveSession | None:
    """Return the session of this process, or None where there is no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, _ATTRIBUTE, None)


def _recorded_names(folder: Path) -> tuple[str, ...]:
    """Return the functions whose calls are to be recorded for the public rubrics in the folder."""
    names: dict[str, None] = {}
    for path in sorted(folder.glob(_RUBRICS)):
        with suppress(OSError, ValueError, AttributeError, TypeError):
            record_names = json.loads(path.read_text(encoding="utf-8")).get("record", [])
            names |= dict.fromkeys(name for name in record_names if isinstance(name, str))
    return tuple(names)


def _has_earlier_work(shell: Any) -> bool:
    """Return whether the notebook has functions, classes or arrays of its own already."""
    hidden = getattr(shell, "user_ns_hidden", {})
    own_values = [
        value
        for name, value in list(shell.user_ns.items())
        if not name.startswith("_") and name not in hidden
    ]
    return any(
        (callable(value) and getattr(value, "__module__", "") == "__main__")
        or (hasattr(value, "shape") and hasattr(value, "dtype"))
        for value in own_values
    )


def _error_line(error: BaseException, namespace: dict[str, Any]) -> int | None:
    """Return the line of the innermost frame of the notebook's own code."""
    if isinstance(error, SyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is namespace:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
