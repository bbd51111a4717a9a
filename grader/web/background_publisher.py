"""Keeps pages, tables and results current while people mark, behind their backs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread

from grader.errors import GraderError
from grader.folder import Brief, Folder, catch_up, refresh_one, write_with_clashes
from grader.gradebook import Gradebook, ledger_rows
from grader.model import Rubric

AFTER_S = 0.2
"""How long to wait after a mark: the next answer comes before the last one's page."""
IDLE_S = 1.5
"""Without marks, before the files of the class are made."""
_LOG = logging.getLogger(__name__)


class Renewing:
    """A thread that makes anew what marks change; `close` leaves nothing behind undone.

    What a crash leaves undone is stale in the gradebook, and made when the next one starts.
    """

    def __init__(self, folder: Folder, *, book: Gradebook, rubric: Rubric) -> None:
        self._folder = folder
        self._book = book
        self._rubric = rubric
        self._briefs: dict[str, tuple[tuple[str, str], Brief]] = {}
        self._changed: dict[str, None] = {}
        self._class_waits = False
        self._ends = False
        self._news = Condition()
        self._thread = Thread(target=self._work, name="renewing", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier console left undone."""
        self._thread.start()

    def changed(self, names: Iterable[str]) -> None:
        """Marks on these submissions changed."""
        with self._news:
            self._changed.update(dict.fromkeys(names))
            self._news.notify()

    def all_changed(self) -> None:
        """What criteria are worth changed: whatever is stale is made anew."""
        self.changed(self._book.stale())

    def close(self) -> None:
        """Do what is left, and end."""
        with self._news:
            self._ends = True
            self._news.notify()
        self._thread.join()

    def _work(self) -> None:
        with _logged():
            self._class_waits = bool(catch_up(self._folder, self._book, self._rubric))
        ends = False
        while not ends:
            names, ends = self._news_of()
            for name in names:
                with _logged():
                    refresh_one(self._folder, self._book, self._rubric, name)
            self._class_waits = self._class_waits or bool(names)
            if self._class_waits and (ends or not names):
                with _logged():
                    self._write_class()

    def _news_of(self) -> tuple[tuple[str, ...], bool]:
        """Whose marks changed, and whether this is the end; waits for either."""
        with self._news:
            if not (self._changed or self._ends):
                self._news.wait(IDLE_S if self._class_waits else None)
            if self._changed and not self._ends:
                self._news.wait(AFTER_S)
            names, ends = tuple(self._changed), self._ends
            self._changed.clear()
        return names, ends

    def _write_class(self) -> None:
        keys = self._book.keys()
        with self._book.reading() as connection:
            stamps = ledger_rows.stamps(connection)
        names = [name for name in self._book.roll() if name in keys]
        for name in names:
            now = (keys[name], stamps.get(name, ""))
            if name not in self._briefs or self._briefs[name][0] != now:
                brief = Brief.of(self._book.graded(name), rubric=self._rubric)
                self._briefs[name] = (now, brief)
        briefs = [self._briefs[name][1] for name in names]
        write_with_clashes(self._folder, self._book, self._rubric, briefs)
        self._class_waits = False


@contextmanager
def _logged() -> Iterator[None]:
    """What can't be made is said and stays stale: marks are kept all the same."""
    try:
        yield
    except (GraderError, OSError) as error:
        _LOG.error("a page could not be made: %s", error)
