"""Keeps pages, tables and results current in the background while people mark."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread

from grader import fault_log
from grader.errors import GraderError
from grader.folder import (
    OutputFolder,
    SubmissionSummary,
    render_stale_submissions,
    render_submission,
    write_class_and_clashes,
)
from grader.gradebook import Gradebook
from grader.model import Fault, Rubric
from grader.web.revision_cache import RevisionCache

DELAY_S = 0.2
"""Time after a mark in which the next answer is served before the last one's page is made."""
IDLE_S = 1.5
"""Time without marks after which the files of the class are made."""
_LOG = logging.getLogger(__name__)


class BackgroundPublisher:
    """A thread that renders what marks change; `close` finishes what is left.

    What a crash leaves undone is stale in the gradebook, and rendered at the next start.
    """

    def __init__(
        self, folder: OutputFolder, *, book: Gradebook, rubric: Rubric, cache: RevisionCache
    ) -> None:
        self._folder = folder
        self._book = book
        self._rubric = rubric
        self._cache = cache
        self._changed: dict[str, None] = {}
        self._class_stale = False
        self._closing = False
        self._condition = Condition()
        self._thread = Thread(target=self._run, name="renewing", daemon=True)

    def start(self) -> None:
        """Start, with what an earlier console left undone."""
        self._thread.start()

    def queue_submissions(self, names: Iterable[str]) -> None:
        """Queue submissions whose marks changed."""
        with self._condition:
            self._changed.update(dict.fromkeys(names))
            self._condition.notify()

    def queue_stale(self) -> None:
        """Queue whatever is stale, after a change of what criteria are worth."""
        self.queue_submissions(self._book.stale_submissions())

    def close(self) -> None:
        """Finish what is left, and stop."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        with _log_errors():
            self._class_stale = bool(
                render_stale_submissions(self._folder, self._book, self._rubric)
            )
        closing = False
        while not closing:
            names, closing = self._wait_for_changes()
            for name in names:
                with _log_errors():
                    render_submission(self._folder, self._book, self._rubric, name)
            self._class_stale = self._class_stale or bool(names)
            if self._class_stale and (closing or not names):
                with _log_errors():
                    self._write_class()

    def _wait_for_changes(self) -> tuple[tuple[str, ...], bool]:
        """Wait; return the submissions whose marks changed, and whether to stop."""
        with self._condition:
            if not (self._changed or self._closing):
                self._condition.wait(IDLE_S if self._class_stale else None)
            if self._changed and not self._closing:
                self._condition.wait(DELAY_S)
            names, closing = tuple(self._changed), self._closing
            self._changed.clear()
        return names, closing

    def _write_class(self) -> None:
        cache_keys, mark_revisions = self._book.cache_keys(), self._book.mark_revisions()
        summaries = [
            self._summary(name, (cache_keys[name], mark_revisions.get(name, "")))
            for name in self._book.roll()
            if name in cache_keys
        ]
        write_class_and_clashes(self._folder, self._book, self._rubric, summaries)
        self._class_stale = False

    def _summary(self, name: str, revision: tuple[str, str]) -> SubmissionSummary:
        return self._cache.get(
            ("summary", name),
            revision,
            lambda: SubmissionSummary.from_graded(self._book.graded(name), rubric=self._rubric),
        )


@contextmanager
def _log_errors() -> Iterator[None]:
    """What can't be made is said and stays stale: marks are kept all the same."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (the thread must go on with other pages)
        fault_log.report_fault(Fault.caught("making pages after marks", error))
        if not isinstance(error, (GraderError, OSError)):
            _LOG.error("a page could not be made (%s); please report this", type(error).__name__)
        else:
            _LOG.error("a page could not be made: %s", error)
