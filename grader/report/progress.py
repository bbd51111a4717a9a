"""The terminal while a class is graded: a bar with an estimate, then a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from grader.model import Graded, Rubric
from grader.report.terminal import summary


class Silence:
    """A watcher that says nothing."""

    def begin(self, *, rubric: Rubric, count: int) -> None:
        """Nothing."""

    def ready(self) -> None:
        """Nothing."""

    def done(self, graded: Graded) -> None:
        """Nothing."""


class Bar:
    """A watcher that draws a live bar on a terminal, and only the summary elsewhere."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._progress.stop()

    def begin(self, *, rubric: Rubric, count: int) -> None:
        """The reference runs first."""
        self._progress.update(self._task, description="reference", total=count)

    def ready(self) -> None:
        """Then the submissions."""
        self._progress.reset(self._task)
        self._progress.update(self._task, description="grading")

    def done(self, graded: Graded) -> None:
        """One more."""
        self._progress.advance(self._task)

    def summary(self, results: Sequence[Graded], *, rubric: Rubric, out: Path) -> None:
        """The table at the end."""
        self._console.print(summary(results, rubric=rubric, out=out))
