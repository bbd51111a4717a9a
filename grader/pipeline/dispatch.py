"""Many submissions at once: threads that wait for kernels, and processes where cores are many."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event

from grader.model import Graded, Submission
from grader.pipeline import Notify
from grader.pipeline.grading_worker import THREADS_PER_JOB, GradeOne, RunConfig, open_grading_worker
from grader.pipeline.worker_processes import open_worker_pool

NOTEBOOKS_PER_PROCESS = 8
"""Notebooks at once that one grader process keeps up with."""


def grade_all(
    submissions: Sequence[Submission],
    *,
    config: RunConfig,
    jobs: int,
    on_ready: Callable[[], None],
    notify: Notify,
) -> Iterator[Graded]:
    """Grade every submission; each is yielded, in this thread, once it is on disk."""
    jobs = max(1, min(jobs, len(submissions)))
    if jobs > NOTEBOOKS_PER_PROCESS:
        processes = math.ceil(jobs / NOTEBOOKS_PER_PROCESS)
        with open_worker_pool(
            config, processes=processes, jobs_per_process=math.ceil(jobs / processes), notify=notify
        ) as workers:
            on_ready()
            yield from workers.grade(submissions)
        return
    stop = Event()
    with open_grading_worker(config, jobs=jobs, notify=notify, stop=stop) as grade_one:
        on_ready()
        yield from grade_in_threads(
            submissions, grade_one=grade_one, threads=THREADS_PER_JOB * jobs, stop=stop
        )


def grade_in_threads(
    submissions: Sequence[Submission], *, grade_one: GradeOne, threads: int, stop: Event
) -> Iterator[Graded]:
    """Grade in threads."""
    remaining = iter(submissions)
    pool = ThreadPoolExecutor(max_workers=threads)
    running: set[Future[Graded]] = set()
    try:
        running = {pool.submit(grade_one, s) for s in islice(remaining, threads)}
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
