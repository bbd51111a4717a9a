"""Grader processes beside this one, for machines with more cores than one process can feed."""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from grader.errors import GraderError, UsageError
from grader.model import Graded, Submission
from grader.pipeline import Tell
from grader.pipeline.grading_worker import THREADS, Stopped, Work, opened_desk

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from multiprocessing.queues import Queue

PATIENCE = 30.0
"""Seconds the crew has to put its things away."""
GLANCE = 0.5
"""Seconds between two looks at whether all are still there."""


class Crew:
    """Processes that take submissions from one queue and put grades on another."""

    def __init__(self, work: Work, *, processes: int, width: int, tell: Tell) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._tell = tell
        self._inbox: Queue[Submission | None] = spawn.Queue()
        self._outbox: Queue[Any] = spawn.Queue()
        self._stop = spawn.Event()
        self._hands = processes * width * THREADS
        arguments = (work, width, self._inbox, self._outbox, self._stop)
        self._members: list[SpawnProcess] = [
            spawn.Process(target=member, args=arguments) for _ in range(processes)
        ]
        for process in self._members:
            process.start()

    def ready(self) -> None:
        """Wait until every member's reference runs."""
        for _ in self._members:
            self._next()

    def grade(self, submissions: Sequence[Submission]) -> Iterator[Graded]:
        """Grade; each is yielded once it is on disk."""
        for submission in submissions:
            self._inbox.put(submission)
        for _ in range(self._hands):
            self._inbox.put(None)
        for _ in submissions:
            yield self._next()

    def _next(self) -> Any:
        while True:
            try:
                kind, value = self._outbox.get(timeout=GLANCE)
            except queue.Empty:
                if any(process.exitcode not in {None, 0} for process in self._members):
                    raise UsageError("a grader process was killed; run the command again") from None
                continue
            if kind == "failed":
                raise value
            if kind == "told":
                self._tell(value)
                continue
            return value

    def dismiss(self) -> None:
        """Let them finish nothing more, and go."""
        self._stop.set()
        for process in self._members:
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in (self._inbox, self._outbox):
            pipe.cancel_join_thread()
            pipe.close()


@contextmanager
def hired(work: Work, *, processes: int, width: int, tell: Tell) -> Iterator[Crew]:
    """A crew that is ready, gone when the block is left."""
    crew = Crew(work, processes=processes, width=width, tell=tell)
    try:
        crew.ready()
        yield crew
    finally:
        crew.dismiss()


def member(
    work: Work,
    width: int,
    inbox: Queue[Submission | None],
    outbox: Queue[Any],
    stopping: Any,
) -> None:
    """The whole life of one process of the crew."""
    stop = Event()
    Thread(target=_watch, args=(stopping, stop), daemon=True).start()
    told: set[str] = set()

    def tell(note: str) -> None:
        if note not in told:
            told.add(note)
            outbox.put(("told", note))

    try:
        with opened_desk(work, jobs=width, tell=tell, stop=stop) as one:
            outbox.put(("ready", None))
            told_all = (one, inbox, outbox, stop)
            hands = [Thread(target=_hand, args=told_all) for _ in range(width * THREADS)]
            for hand in hands:
                hand.start()
            for hand in hands:
                hand.join()
    except GraderError as error:
        outbox.put(("failed", error))
    except KeyboardInterrupt:
        return


def _hand(one: Any, inbox: Queue[Submission | None], outbox: Queue[Any], stop: Event) -> None:
    """Take, grade, hand back, until there is nothing more."""
    while not stop.is_set():
        try:
            submission = inbox.get(timeout=GLANCE)
        except queue.Empty:
            continue
        if submission is None:
            return
        try:
            outbox.put(("graded", one(submission)))
        except Stopped:
            return
        except GraderError as error:
            outbox.put(("failed", error))
            return


def _watch(stopping: Any, stop: Event) -> None:
    """End the work when the run is stopped, and this process when the one that hired it is gone."""
    parent = multiprocessing.parent_process()
    while not stopping.wait(GLANCE):
        if parent is not None and wait([parent.sentinel], timeout=0):
            stop.set()
            os._exit(1)
    stop.set()
