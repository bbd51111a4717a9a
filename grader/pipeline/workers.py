"""Grades many submissions at once: threads that wait for kernels, processes where cores are many.

The interface is `grade_all`: it takes submissions and yields grades as they are finished, each on
disk before it is yielded. Within a worker, `grade_submission` returns a result and writes nothing,
and a `ResultWriter` stores it, so that another engine could return results to a single writer.

The processes are no `ProcessPoolExecutor`: it runs one task per process at a time, while one of
these keeps many notebooks busy by threads that share a fork server and a live reference (which
take seconds and a gigabyte with torch); it doesn't say which error an initializer raised; and it
has no way to close what an initializer opened.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from multiprocessing.connection import wait as wait_for_any
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Any

from grader import fault_log
from grader.errors import GraderError, UsageError
from grader.model import Fault, Flag, FlagKind, Graded
from grader.pipeline import (
    GradingResult,
    Notify,
    open_grading_session,
)
from grader.pipeline.cache_keys import PreparedSubmission, with_level
from grader.pipeline.judge import ungradable_result
from grader.pipeline.open_sessions import OpenSessions
from grader.pipeline.run_config import ResultWriter, RunConfig
from grader.report import preload_templates

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.queues import Queue

THREADS_PER_JOB = 2
"""Threads for each notebook that may run: one is judged and stored while the next runs."""
NOTEBOOKS_PER_PROCESS = 8
"""Notebooks at once that one grader process keeps up with."""
SHUTDOWN_S = 30.0
"""Seconds that processes have to close their sessions."""
POLL_S = 0.5
"""Seconds between two looks at whether to stop, and at whether all processes are alive."""

GradeOne = Callable[[PreparedSubmission], Graded]
"""Grades one submission, and returns once its grade is on disk."""


class Stopped(GraderError):
    """The run was interrupted while this submission ran, so it counts as never begun."""


def grade_all(
    submissions: Sequence[PreparedSubmission],
    *,
    config: RunConfig,
    jobs: int,
    on_ready: Callable[[], None],
    notify: Notify,
) -> Iterator[Graded]:
    """Grade every submission, and yield each grade in this thread once it is on disk.

    Args:
        submissions: the submissions.
        config: the rubric, the seed, and the folder to write to.
        jobs: how many notebooks may run at once.
        on_ready: called when every reference is live.
        notify: called with sentences about problems of this machine.

    Raises:
        RubricError: the reference does not run.
        UsageError: the folder can't be written, or a process was killed.
    """
    jobs = max(1, min(jobs, len(submissions)))
    process_count = math.ceil(jobs / NOTEBOOKS_PER_PROCESS)
    if process_count > 1:
        jobs_each = math.ceil(jobs / process_count)
        workers = WorkerProcesses(config, count=process_count, jobs=jobs_each, notify=notify)
        try:
            workers.wait_until_ready()
            on_ready()
            yield from workers.grade(submissions)
        finally:
            workers.close()
        return
    stop = Event()
    with open_grading_worker(config, jobs=jobs, notify=notify, stop=stop) as grade_one:
        on_ready()
        yield from grade_in_threads(submissions, grade_one=grade_one, jobs=jobs, stop=stop)


@contextmanager
def open_grading_worker(
    config: RunConfig, *, jobs: int, notify: Notify, stop: Event
) -> Iterator[GradeOne]:
    """Open a session, and yield a function that grades and stores one submission.

    More threads than `jobs` may call the function: it runs at most `jobs` notebooks at once, and
    judges finished runs meanwhile.
    """
    Thread(target=preload_templates, daemon=True).start()  # while the reference runs
    fault_log.log_faults_in(config.folder.path)
    with (
        config.folder.open_gradebook() as book,
        open_sessions(config, jobs=jobs, notify=notify, stop=stop) as sessions,
    ):
        writer = ResultWriter(config, book=book)

        def grade_one(prepared: PreparedSubmission) -> Graded:
            result = grade_safely(prepared, sessions)
            if stop.is_set():
                raise Stopped
            key = with_level(prepared.key, sessions.isolation.level)
            return writer.write_result(result, cache_key=key)

        yield grade_one


@contextmanager
def open_sessions(
    config: RunConfig, *, jobs: int, notify: Notify, stop: Event
) -> Iterator[OpenSessions]:
    """Open the session of each notebook of an assignment.

    Raises:
        RubricError: a reference does not run.
        IsolationError: the required isolation is not available.
    """
    if config.session is None:
        raise ValueError("a configuration without a session runs no notebook")
    options, slots = replace(config.session, jobs=jobs), Semaphore(jobs)
    with ExitStack() as resources:
        sessions = [
            resources.enter_context(
                open_grading_session(judge, options=options, notify=notify, stop=stop, slots=slots)
            )
            for judge in config.build_judges()
        ]
        whole = config.build_whole_judge([session.judge for session in sessions])
        yield OpenSessions.of(sessions, whole=whole)


def grade_safely(prepared: PreparedSubmission, sessions: OpenSessions) -> GradingResult:
    """Grade one; a fault of the grader costs no points, and does not stop other submissions."""
    submission = prepared.submission
    try:
        return sessions.grade(prepared)
    except Exception as error:  # noqa: BLE001 (one submission must never stop the batch)
        fault_log.report_fault(Fault.caught(f"grading {submission.name}", error))
        name = type(error).__name__
        flag = Flag(FlagKind.GRADER_FAILED, (name, fault_log.log_hint()))
        # The flag, for staff alone, says where the log is; the team reads only that it failed.
        reason = f"the grader failed on it ({name}); please report this"
        graded = ungradable_result(submission, reason, flag=flag)
        return GradingResult(
            graded=sessions.judge.with_enrollment(graded, submission=submission), grader_fault=True
        )


def grade_in_threads(
    submissions: Iterable[PreparedSubmission], *, grade_one: GradeOne, jobs: int, stop: Event
) -> Iterator[Graded]:
    """Grade in threads; a submission is taken when a thread is free, and `stop` set on failure."""
    remaining, threads = iter(submissions), THREADS_PER_JOB * jobs
    pool = ThreadPoolExecutor(max_workers=threads)
    try:
        running: set[Future[Graded]] = {
            pool.submit(grade_one, submission) for submission in islice(remaining, threads)
        }
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(grade_one, s) for s in islice(remaining, len(finished))}
            for future in finished:
                yield future.result()
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class WorkerProcesses:
    """Processes that take submissions from one queue and put grades on another."""

    def __init__(self, config: RunConfig, *, count: int, jobs: int, notify: Notify) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._notify = notify
        self._inbox: Queue[PreparedSubmission | None] = spawn.Queue()
        self._outbox: Queue[Any] = spawn.Queue()
        # The end of a pipe, since an event of multiprocessing hangs once a process that waits for
        # it was killed.
        stop_receiver, self._stop_sender = spawn.Pipe(duplex=False)
        arguments = (config, jobs, self._inbox, self._outbox, stop_receiver)
        self._processes = [
            spawn.Process(target=run_worker_process, args=arguments) for _ in range(count)
        ]
        for process in self._processes:
            process.start()
        stop_receiver.close()

    def wait_until_ready(self) -> None:
        """Wait until the reference of every process is live."""
        for _ in self._processes:
            self._receive()

    def grade(self, submissions: Sequence[PreparedSubmission]) -> Iterator[Graded]:
        """Grade, and yield each grade once it is on disk."""
        for submission in (*submissions, *(None for _ in self._processes)):
            self._inbox.put(submission)
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
            if kind == "note":
                self._notify(value)
                continue
            return value

    def close(self) -> None:
        """Stop what runs, and end the processes."""
        self._stop_sender.close()
        for process in self._processes:
            process.join(SHUTDOWN_S)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in (self._inbox, self._outbox):
            pipe.cancel_join_thread()
            pipe.close()


def run_worker_process(
    config: RunConfig,
    jobs: int,
    inbox: Queue[PreparedSubmission | None],
    outbox: Queue[Any],
    stop_receiver: Connection,
) -> None:
    """Grade submissions from the inbox until it yields None: the main function of a process."""
    exit_with_parent()
    stop = Event()
    sent_notes: set[str] = set()
    fault_log.forward_faults(lambda fault: outbox.put(("fault", fault)))

    def wait_for_stop() -> None:
        wait_for_any([stop_receiver])
        stop.set()

    def notify(note: str) -> None:
        if note not in sent_notes:
            sent_notes.add(note)
            outbox.put(("note", note))

    Thread(target=wait_for_stop, daemon=True).start()
    with (
        _report_failure(outbox),
        open_grading_worker(config, jobs=jobs, notify=notify, stop=stop) as grade_one,
    ):
        outbox.put(("ready", None))
        taken = _take_submissions(inbox, stop)
        for graded in grade_in_threads(taken, grade_one=grade_one, jobs=jobs, stop=stop):
            outbox.put(("graded", graded))
    if stop_receiver.poll():
        outbox.cancel_join_thread()  # nobody reads any more, and a full pipe would never empty


@contextmanager
def _report_failure(outbox: Queue[Any]) -> Iterator[None]:
    """Send an exception that ends this process to the process that waits for it."""
    try:
        yield
    except (KeyboardInterrupt, Stopped):
        pass
    except GraderError as error:
        outbox.put(("failed", error))
    except Exception as error:  # noqa: BLE001 (its traceback would be lost with this process)
        fault_log.report_fault(Fault.caught("a grader process", error))
        message = f"a grader process failed ({type(error).__name__}); {fault_log.log_hint()}"
        outbox.put(("failed", UsageError(message)))


def _take_submissions(
    inbox: Queue[PreparedSubmission | None], stop: Event
) -> Iterator[PreparedSubmission]:
    while not stop.is_set():
        with suppress(queue.Empty):
            submission = inbox.get(timeout=POLL_S)
            if submission is None:
                return
            yield submission


def exit_with_parent() -> None:
    """End this process when its parent process has ended, for example by a kill."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait_for_any([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()
