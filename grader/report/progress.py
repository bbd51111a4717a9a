"""Show progress in the terminal while a class is graded."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from grader.model import Graded, Rubric
from grader.report.text_format import format_count, one_line, printable


def note_line(text: str) -> Text:
    """Format a note for the person at the keyboard."""
    return Text(f"note: {printable(one_line(text))}")


class RunWatcher:
    """Receives the progress of a run, counts, and shows nothing; subclasses do."""

    def __init__(self) -> None:
        self.graded = 0
        """Submissions whose grade is on disk and up to date."""
        self.total = 0
        """All submissions; 0 before the run has begun."""

    def begin(self, *, rubric: Rubric, count: int, unchanged: int, judged: int) -> None:
        """Say that so many submissions are about to run, were kept, and were judged again."""
        self.graded = unchanged + judged
        self.total = self.graded + count

    def ready(self) -> None:
        """Say that the reference is live."""

    def note(self, text: str) -> None:
        """Show something about this run or machine that the person should know."""

    def done(self, graded: Graded) -> None:
        """Say that one submission is on disk."""
        self.graded += 1

    def show_load(self, text: str) -> None:
        """Show how much is graded at once, and how fast, where that is known."""


class _TimeLeftColumn(TimeRemainingColumn):
    """Says how long a task still takes, as soon as that can be told."""

    def render(self, task: Task) -> Text:
        """Return the time with a word, or nothing."""
        return Text() if task.time_remaining is None else super().render(task).append(" left")


class ProgressBar(RunWatcher):
    """Draws a live bar on a terminal, and prints only notes and the summary elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.console = Console(highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("elapsed"),
            _TimeLeftColumn(),
            expand=True,
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
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
        """Remove the bar."""
        self._progress.stop()

    def begin(self, *, rubric: Rubric, count: int, unchanged: int, judged: int) -> None:
        """Show that the reference runs first, unless nothing is to be run."""
        super().begin(rubric=rubric, count=count, unchanged=unchanged, judged=judged)
        messages = []
        if unchanged:
            amount = format_count(unchanged, singular="submission")
            messages.append(f"kept {amount} from the last run: nothing changed")
        if judged:
            messages.append(f"re-scored {judged} from saved runs")
        if messages and count:
            messages.append(f"{count} to run")
        if messages:
            self.console.print("; ".join(messages))
        self._progress.update(self._task, description="reference", total=count)

    def ready(self) -> None:
        """Show that submissions run now."""
        self._progress.reset(self._task)
        self._progress.update(self._task, description="grading")

    def note(self, text: str) -> None:
        """Print a note above the bar."""
        self.console.print(note_line(text))

    def done(self, graded: Graded) -> None:
        """Count one more submission."""
        super().done(graded)
        self._progress.advance(self._task)

    def show_load(self, text: str) -> None:
        """Show how much is graded at once, and how fast."""
        self._progress.update(self._task, description=f"grading, {text}")
