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

from grader import fault_log
from grader.errors import GraderError, UsageError
from grader.model import Fault, Graded, Submission
from grader.pipeline import Notify
from grader.pipeline.grading_worker import THREADS_PER_JOB, RunConfig, Stopped, open_grading_worker

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from multiprocessing.queues import Queue

SHUTDOWN_S = 30.0
"""Seconds the crew has to put its things away."""
POLL_S = 0.5
"""Seconds between two looks at whether all are still there."""


class WorkerPool:
    """Processes that take submissions from one queue and put grades on another."""

    def __init__(
        self, config: RunConfig, *, processes: int, jobs_per_process: int, notify: Notify
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._notify = notify
        self._inbox: Queue[Submission | None] = spawn.Queue()
        self._outbox: Queue[Any] = spawn.Queue()
        self._stop = spawn.Event()
        self._thread_count = processes * jobs_per_process * THREADS_PER_JOB
        arguments = (config, jobs_per_process, self._inbox, self._outbox, self._stop)
        self._processes: list[SpawnProcess] = [
            spawn.Process(target=run_grading_worker, args=arguments) for _ in range(processes)
        ]
        for process in self._processes:
            process.start()

    def wait_until_ready(self) -> None:
        """Wait until every member's reference runs."""
        for _ in self._processes:
            self._receive()

    def grade(self, submissions: Sequence[Submission]) -> Iterator[Graded]:
        """Grade; each is yielded once it is on disk."""
        for submission in submissions:
            self._inbox.put(submission)
        for _ in range(self._thread_count):
            self._inbox.put(None)
        for _ in submissions:
            yield self._receive()

    def _receive(self) -> Any:
        while True:
            try:
                kind, value = self._outbox.get(timeout=POLL_S)
            except queue.Empty:
                if any(process.exitcode not in {None, 0} for process in self._processes):
                    raise UsageError("a grader process was killed; run the command again") from None
                continue
            if kind == "failed":
                raise value
            if kind == "fault":
                fault_log.report_fault(value)
                continue
            if kind == "told":
                self._notify(value)
                continue
            return value

    def close(self) -> None:
        """Let them finish nothing more, and go."""
        self._stop.set()
        for process in self._processes:
            process.join(SHUTDOWN_S)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in (self._inbox, self._outbox):
            pipe.cancel_join_thread()
            pipe.close()


@contextmanager
def open_worker_pool(
    config: RunConfig, *, processes: int, jobs_per_process: int, notify: Notify
) -> Iterator[WorkerPool]:
    """A crew that is ready, gone when the block is left."""
    pool = WorkerPool(config, processes=processes, jobs_per_process=jobs_per_process, notify=notify)
    try:
        pool.wait_until_ready()
        yield pool
    finally:
        pool.close()


def run_grading_worker(
    config: RunConfig,
    jobs: int,
    inbox: Queue[Submission | None],
    outbox: Queue[Any],
    stop_requested: Any,
) -> None:
    """The whole life of one process of the crew."""
    stop = Event()
    Thread(target=_watch_for_stop, args=(stop_requested, stop), daemon=True).start()
    sent_notes: set[str] = set()
    fault_log.forward_faults(lambda fault: outbox.put(("fault", fault)))
    fault_log.log_faults_in(config.out)  # where the main process logs them

    def notify(note: str) -> None:
        if note not in sent_notes:
            sent_notes.add(note)
            outbox.put(("told", note))

    try:
        with open_grading_worker(config, jobs=jobs, notify=notify, stop=stop) as grade_one:
            outbox.put(("ready", None))
            arguments = (grade_one, inbox, outbox, stop)
            threads = [
                Thread(target=_grade_from_queue, args=arguments)
                for _ in range(jobs * THREADS_PER_JOB)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    except GraderError as error:
        outbox.put(("failed", error))
    except KeyboardInterrupt:
        return
    except Exception as error:  # noqa: BLE001 (its traceback would be lost with this process)
        _fail(outbox, Fault.caught("opening a grader process", error))


def _fail(outbox: Queue[Any], fault: Fault) -> None:
    """Hand a fault to the main process, and have it end the run."""
    fault_log.report_fault(fault)
    name = fault.error.partition(":")[0]
    outbox.put(("failed", UsageError(f"a grader process failed ({name}); {fault_log.log_hint()}")))


def _grade_from_queue(
    grade_one: Any, inbox: Queue[Submission | None], outbox: Queue[Any], stop: Event
) -> None:
    """Take, grade, hand back, until there is nothing more."""
    while not stop.is_set():
        try:
            submission = inbox.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if submission is None:
            return
        try:
            outbox.put(("graded", grade_one(submission)))
        except Stopped:
            return
        except GraderError as error:
            outbox.put(("failed", error))
            return
        except Exception as error:  # noqa: BLE001 (a thread that ends unheard would be waited for)
            _fail(outbox, Fault.caught(f"grading {submission.name}", error))
            return


def _watch_for_stop(stop_requested: Any, stop: Event) -> None:
    """End the work when the run is stopped, and this process when the one that hired it is gone."""
    parent = multiprocessing.parent_process()
    while not stop_requested.wait(POLL_S):
        if parent is not None and wait([parent.sentinel], timeout=0):
            stop.set()
            os._exit(1)
    stop.set()
