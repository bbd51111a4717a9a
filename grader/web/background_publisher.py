"""Keeps pages, tables and results current while people mark, behind their backs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread

from grader.errors import GraderError
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import Gradebook
from grader.model import Rubric

DELAY_S = 0.2
"""How long to wait after a mark: the next answer comes before the last one's page."""
IDLE_S = 1.5
"""Without marks, before the files of the class are made."""
_LOG = logging.getLogger(__name__)


class BackgroundPublisher:
    """A thread that makes anew what marks change; `close` leaves nothing behind undone.

    What a crash leaves undone is stale in the gradebook, and made when the next one starts.
    """

    def __init__(self, folder: OutputFolder, *, book: Gradebook, rubric: Rubric) -> None:
        self._book = book
        self._publisher = ClassPublisher(folder, book=book, rubric=rubric)
        self._changed: dict[str, None] = {}
        self._class_stale = False
        self._closing = False
        self._condition = Condition()
        self._thread = Thread(target=self._run, name="renewing", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier console left undone."""
        self._thread.start()

    def queue_submissions(self, names: Iterable[str]) -> None:
        """Marks on these submissions changed."""
        with self._condition:
            self._changed.update(dict.fromkeys(names))
            self._condition.notify()

    def queue_stale(self) -> None:
        """What criteria are worth changed: whatever is stale is made anew."""
        self.queue_submissions(self._book.stale_submissions())

    def close(self) -> None:
        """Do what is left, and end."""
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
                with _log_errors():
                    self._publisher.publish()
                    self._class_stale = False

    def _wait_for_changes(self) -> tuple[tuple[str, ...], bool]:
        """Whose marks changed, and whether this is the end; waits for either."""
        with self._condition:
            if not (self._changed or self._closing):
                self._condition.wait(IDLE_S if self._class_stale else None)
            if self._changed and not self._closing:
                self._condition.wait(DELAY_S)
            names, closing = tuple(self._changed), self._closing
            self._changed.clear()
        return names, closing


@contextmanager
def _log_errors() -> Iterator[None]:
    """What can't be made is said and stays stale: marks are kept all the same."""
    try:
        yield
    except (GraderError, OSError) as error:
        _LOG.error("a page could not be made: %s", error)
