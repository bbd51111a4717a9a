"""Keeps pages, tables and results current in the background while people mark."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread

from grader import fault_log
from grader.errors import GraderError
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import Gradebook
from grader.model import Fault, Rubric

DELAY_S = 0.2
"""Seconds from a mark to the rendering of its page, so that the next answer is served first."""
IDLE_S = 1.5
"""Seconds without marks after which the files of the class are written."""
MAX_RETRY_S = 300.0
"""Longest pause in seconds before files that could not be written are tried again."""
_LOG = logging.getLogger(__name__)


class BackgroundPublisher:
    """A thread that renders the pages that marks change; `close` finishes the rest.

    Pages that could not be rendered stay stale in the gradebook: they are tried again with the
    files of the class, and at the next start.
    """

    def __init__(self, folder: OutputFolder, *, book: Gradebook, rubric: Rubric) -> None:
        self._book = book
        self._publisher = ClassPublisher(folder, book=book, rubric=rubric)
        self._changed: dict[str, None] = {}  # a set that keeps the order
        self._class_stale = False
        self._pause_s = IDLE_S
        self._closing = False
        self._condition = Condition()
        self._thread = Thread(target=self._run, name="background-publisher", daemon=True)

    def start(self) -> None:
        """Start, with the pages that an earlier console did not finish."""
        self._thread.start()

    def queue_submissions(self, names: Iterable[str]) -> None:
        """Queue submissions whose marks changed."""
        with self._condition:
            self._changed.update(dict.fromkeys(names))
            self._condition.notify()

    def queue_stale(self) -> None:
        """Queue all stale submissions, after the points of criteria changed."""
        self.queue_submissions(self._book.stale_submissions())

    def close(self) -> None:
        """Finish queued work, and stop."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        with _log_errors():
            self.queue_stale()
        closing = False
        while not closing:
            names, closing = self._wait_for_changes()
            for name in names:
                with _log_errors():
                    self._publisher.publish_submission(name)
            self._class_stale = self._class_stale or bool(names)
            if self._class_stale and (closing or not names):
                self._publish_class()

    def _publish_class(self) -> None:
        """Write the files of the class; after a failure, wait longer before the next try."""
        self._pause_s = min(2 * self._pause_s, MAX_RETRY_S)
        with _log_errors():
            self._publisher.publish()
            self._class_stale, self._pause_s = False, IDLE_S

    def _wait_for_changes(self) -> tuple[tuple[str, ...], bool]:
        """Wait; return the submissions whose marks changed, and whether to stop."""
        with self._condition:
            if not (self._changed or self._closing):
                self._condition.wait(self._pause_s if self._class_stale else None)
            if self._changed and not self._closing:
                self._condition.wait_for(lambda: self._closing, DELAY_S)
            names, closing = tuple(self._changed), self._closing
            self._changed.clear()
        return names, closing


@contextmanager
def _log_errors() -> Iterator[None]:
    """Log an error, for staff whole and on the terminal in a line; the thread goes on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (the thread must go on with other pages)
        fault_log.report_fault(Fault.caught("making pages after grading", error))
        if not isinstance(error, (GraderError, OSError)):
            _LOG.error("files could not be written (%s); please report this", type(error).__name__)
        else:
            _LOG.error("files could not be written: %s", error)
